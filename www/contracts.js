// Draws a customer's contracts as radio cards, and knows which of them still run. Says what was picked through `onPick`.

import { dayOf } from "./amendment.js";
import { card } from "./cards.js";
import { counted, day, today } from "./format.js";
import { enabledOn, hasQuantity, isMetered, phasesFrom, quantityOn } from "./lines.js";
import { planTitle, products } from "./store.js";

export const sellerOf = (contract, catalog) => catalog.business_entities.find(({ id }) => id === contract.business_entity_id);

/** Today where the contract was sold. */
export const todayOf = (contract, catalog) => today(sellerOf(contract, catalog)?.time_zone ?? "UTC");

export function hasEnded(contract, catalog) {
  const { status, end_date: end } = contract;
  return (status ?? "active") !== "active" || Boolean(end && end < todayOf(contract, catalog));
}

/** The contracts as cards; `chosen` is the one that is looked at. */
export function contractCards(contracts, chosen, catalog, onPick) {
  return contracts.map((contract) => {
    const ended = hasEnded(contract, catalog);
    const node = card({
      name: "contract", value: contract.id, checked: contract === chosen, title: titleOf(contract, catalog),
      price: ended ? "Ended" : sizeOf(contract, todayOf(contract, catalog)), about: courseOf(contract, todayOf(contract, catalog)),
      onPick: () => onPick(contract.id),
    });
    node.querySelector("input").disabled = ended;
    return node;
  });
}

/** The contract's plan. */
export function titleOf({ id: contractId, plan_id: planId, phases }, catalog) {
  const plan = catalog.plans.find(({ id }) => id === planId);
  return plan ? planTitle(plan) : (phases.at(-1)?.name ?? contractId);
}

// What there is more or less of: `12 seats, Phone channel`.
function sizeOf(contract, now) {
  const date = dayOf({}, contract, now);
  const lines = phasesFrom(contract, date)[0]?.lines ?? [];
  return lines.filter((line) => enabledOn(line, date) && line.billing_period && !isMetered(line)).map((line) =>
    (hasQuantity(line) ? counted(quantityOn(line, date), products[line.product.id]?.noun) : line.product.name)).join(", ");
}

// From when to when, the phases that are still to come, and how often it was changed.
function courseOf({ start_date: start, end_date: end, phases, version = 1 }, now) {
  const later = phases.filter((phase) => phase.start_date > now && phase.start_date > start);
  return [
    `${day(start)}${end ? ` until ${day(end)}` : ", until you cancel"}`,
    ...later.map((phase) => `${phase.name} from ${day(phase.start_date)}`),
    `Version ${version}`,
  ].join(" · ");
}

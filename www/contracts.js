// Draws a customer's contracts as radio cards, and knows which of them still run. Says what was picked through `onPick`.

import { dayOf } from "./amendment.js";
import { card } from "./cards.js";
import { stateText } from "./effect.js";
import { day, today } from "./format.js";
import { enabledOn, isMetered, phasesFrom, stateOn, turnsOf } from "./lines.js";
import { planTitle } from "./store.js";

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
    const date = dayOf({}, contract, todayOf(contract, catalog));
    const node = card({
      name: "contract", value: contract.id, checked: contract === chosen, title: titleOf(contract, catalog, date),
      price: ended ? "Ended" : sizeOf(contract, date), about: courseOf(contract, date),
      onPick: () => onPick(contract.id),
    });
    node.querySelector("input").disabled = ended;
    return node;
  });
}

/**
 * The plans of a contract from a day on, each with its first and last day (null: open). A contract names the one that it has
 * in the end; which one a phase before the last came from, its pricings say.
 */
export function plansFrom(contract, catalog, date) {
  const plans = [];
  const living = phasesFrom(contract, date);
  for (const phase of living.length > 0 ? living : contract.phases.slice(-1)) {
    const sold = new Set(phase.lines.map(({ id }) => id));
    const sells = (plan) => plan.phases.some(({ pricings }) => pricings.some(({ id }) => sold.has(id)));
    const isLast = phase === contract.phases.at(-1);
    const plan = catalog.plans.find((one) => (isLast ? one.id === contract.plan_id : sells(one)));
    const title = plan ? planTitle(plan) : phase.name;
    const { start_date: start, end_date: end = null } = phase;
    if (plans.at(-1)?.title === title) plans.at(-1).end = end;
    else plans.push({ id: plan?.id ?? null, title, start, end });
  }
  return plans;
}

/** `Team, paid monthly until Jan 20, 2027, then Starter`: the plan of a day, and those that are still to come. */
export function titleOf(contract, catalog, date) {
  const plans = plansFrom(contract, catalog, date);
  return plans.map(({ title, end }, index) => (index < plans.length - 1 ? `${title} until ${day(end)}` : title)).join(", then ");
}

// What there is more or less of: `12 seats, Phone channel`.
function sizeOf(contract, date) {
  const lines = phasesFrom(contract, date)[0]?.lines ?? [];
  return lines.filter((line) => enabledOn(line, date) && line.billing_period && !isMetered(line))
    .map((line) => stateText(line, stateOn(line, date))).join(", ");
}

// From when to when, what is still to come, and how often it was changed.
function courseOf({ start_date: start, end_date: end, phases, version = 1 }, date) {
  const now = phasesFrom({ phases }, date)[0];
  const turns = (now?.lines ?? []).flatMap((line) =>
    turnsOf(line, date, now.end_date).map((turn) => [turn.date, stateText(line, turn.state)]));
  const starts = phases.filter((phase) => phase.start_date > date).map((phase) => [phase.start_date, phase.name]);
  return [
    `${day(start)}${end ? ` until ${day(end)}` : ", until you cancel"}`,
    ...turns.sort(([one], [other]) => (one < other ? -1 : Number(one > other))).concat(starts).map(([from, what]) => `${what} from ${day(from)}`),
    `Version ${version}`,
  ].join(" · ");
}

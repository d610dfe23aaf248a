// A customer's contracts in words, as radio cards: what it has now, what is arranged for later, and which of them still run.

import { card } from "./cards.js";
import { counted, day, today } from "./format.js";
import { planTitle, products } from "./store.js";

export function hasEnded(contract, catalog) {
  const { status = "active", end_date: end } = contract;
  return status !== "active" || Boolean(end && end < todayOf(contract, catalog));
}

/** Today where the contract was sold. */
function todayOf({ business_entity_id: wanted }, catalog) {
  return today(catalog.business_entities.find(({ id }) => id === wanted)?.time_zone ?? "UTC");
}

/** The contracts as cards; `chosen` is the one that is looked at. */
export function contractCards(contracts, chosen, catalog, onPick) {
  return contracts.map((contract) => {
    const now = todayOf(contract, catalog);
    const date = contract.start_date > now ? contract.start_date : now;
    const ended = hasEnded(contract, catalog);
    return card({
      name: "contract", value: contract.id, checked: contract === chosen, disabled: ended, title: titleOf(contract, catalog, date),
      price: ended ? "Ended" : sizeOf(contract, date), about: courseOf(contract, date), onPick: () => onPick(contract.id),
    });
  });
}

// ---- What a contract has on a day

/** What an entry list says on a day: the last entry at or before it, else the line's own value. */
const valueOn = (entries, own, date) => (entries ?? []).findLast((entry) => entry.effective_from <= date)?.value ?? own;
const isMetered = ({ quantity }) => quantity?.type === "metered";

/** `12 seats`, `Phone channel`, or null while it is switched off. */
function stateOn(line, date) {
  if (!valueOn(line.enabled_entries, line.is_enabled !== false, date)) return null;
  if (isMetered(line) || line.pricing_data.pricing_type === "flat_fee") return line.product.name;
  return counted(String(valueOn(line.quantity_entries, line.quantity?.value ?? "1", date)), products[line.product.id]?.noun);
}

const phasesFrom = ({ phases }, date) => phases.filter(({ end_date: end }) => !end || end >= date);

/**
 * `Team, paid monthly until Jan 20, 2027, then Starter`: the plan of a day, and those that are still to come. A contract names
 * the plan that it has in the end; which one a phase before the last came from, its pricings say.
 */
function titleOf(contract, catalog, date) {
  const plans = [];
  const living = phasesFrom(contract, date);
  for (const phase of living.length > 0 ? living : contract.phases.slice(-1)) {
    const sold = new Set(phase.lines.map(({ id }) => id));
    const isLast = phase === contract.phases.at(-1);
    const plan = catalog.plans.find((one) => (isLast ? one.id === contract.plan_id
      : one.phases.some(({ pricings }) => pricings.some(({ id }) => sold.has(id)))));
    const title = plan ? planTitle(plan) : phase.name;
    if (plans.at(-1)?.title === title) plans.at(-1).end = phase.end_date;
    else plans.push({ title, end: phase.end_date });
  }
  return plans.map(({ title, end }, index) => (index < plans.length - 1 ? `${title} until ${day(end)}` : title)).join(", then ");
}

// What there is more or less of: `12 seats, Phone channel`.
function sizeOf(contract, date) {
  const lines = phasesFrom(contract, date)[0]?.lines ?? [];
  return lines.filter((line) => line.billing_period && !isMetered(line)).map((line) => stateOn(line, date)).filter(Boolean).join(", ");
}

// From when to when, what is still to come, and how often it was changed.
function courseOf({ start_date: start, end_date: end, phases, version = 1 }, date) {
  const now = phasesFrom({ phases }, date)[0];
  const turns = (now?.lines ?? []).flatMap((line) => {
    const entries = [...(line.quantity_entries ?? []), ...(line.enabled_entries ?? [])];
    const days = [...new Set(entries.map(({ effective_from: from }) => from))].filter((from) => from > date && !(now.end_date && from > now.end_date));
    return days.map((from) => [from, stateOn(line, from) ?? `no ${line.product.name}`]);
  });
  const starts = phases.filter((phase) => phase.start_date > date).map((phase) => [phase.start_date, phase.name]);
  return [
    `${day(start)}${end ? ` until ${day(end)}` : ", until you cancel"}`,
    ...[...turns, ...starts].sort(([one], [other]) => one.localeCompare(other)).map(([from, what]) => `${what} from ${day(from)}`),
    `Version ${version}`,
  ].join(" · ");
}

// What only a running contract needs: its lines on a day, its own invoices, and in words what a change of it does.

import { CheckoutPreviewError } from "../browser.js";
import { hasQuantity, isMetered, keysOf, usualQuantity } from "./lines.js";
import { scheduleOfAYear } from "./schedule.js";

export const css = `
.effects { display: grid; gap: 0.5rem; }
`;

/** Today where the contract was sold. */
export function todayOf({ business_entity_id: seller, customer_id: customer }, { customers, business_entities: entities }, options) {
  if (options?.as_of) return String(options.as_of);
  const wanted = seller ?? customers?.find(({ id }) => id === customer)?.business_entity_id;
  const { time_zone: timeZone } = entities?.find(({ id }) => id === wanted) ?? {};
  // Swedish days are written as ISO 8601 has them.
  return new Intl.DateTimeFormat("sv", { timeZone: timeZone ?? "UTC" }).format(new Date(options?.now ?? Date.now()));
}

/** What an entry list says on a day: the last entry at or before it, else the line's own value. */
const valueOn = (entries, own, date) => (entries ?? []).findLast((entry) => entry.effective_from <= date)?.value ?? own;
export const enabledOn = (line, date) => valueOn(line.enabled_entries, line.is_enabled !== false, date);
export const quantityOn = (line, date) => (isMetered(line) ? usualQuantity(line) : String(valueOn(line.quantity_entries, line.quantity?.value ?? 1, date)));

/** What a line is on a day: its quantity, or null while it is switched off. */
export const stateOn = (line, date) => (enabledOn(line, date) ? quantityOn(line, date) : null);

/** The days after `date`, up to the `last` of the line's phase, on which that becomes another: `[{date, state, was}]`. */
export function turnsOf(line, date, last) {
  const entries = [...(line.quantity_entries ?? []), ...(line.enabled_entries ?? [])];
  const days = new Set(entries.map(({ effective_from: from }) => from).filter((from) => from > date && !(last && from > last)));
  let was = stateOn(line, date);
  return [...days].sort().flatMap((from) => {
    const turn = { date: from, state: stateOn(line, from), was };
    was = turn.state;
    return turn.state === turn.was ? [] : [turn];
  });
}

/** The phases of a contract that live on a day or later. */
export const phasesFrom = (contract, date) => contract.phases.filter(({ end_date: end }) => !end || end >= date);

/**
 * The contract's lines on a day. Their numbers can be chosen where they are no usage, their switches where their plan sells
 * them switched off; what was charged once is left out. A choice holds for the line in later phases too, where these go on
 * with what it is now: what else was arranged for them, on a plan to come, stays.
 */
export function linesOfContract(contract, plans, date) {
  const living = phasesFrom(contract, date);
  const phases = living.length > 0 ? living : contract.phases.slice(-1); // the engine says what is wrong with such a day
  const namesOf = keysOf(phases.map(({ lines }) => lines));
  const keyOf = (line) => Object.values(namesOf(line))[0];
  const offered = new Map(plans.flatMap((plan) => plan.phases.flatMap((phase) => phase.pricings ?? [])).map((pricing) => [pricing.id, pricing]));
  const later = new Map();
  for (const phase of phases.slice(1)) {
    for (const line of phase.lines) later.set(keyOf(line), [...later.get(keyOf(line)) ?? [], { line, from: phase.start_date > date ? phase.start_date : date }]);
  }
  return (phases[0]?.lines ?? []).map((line) => {
    const key = keyOf(line);
    const now = stateOn(line, date);
    const usual = { on: now !== null, quantity: quantityOn(line, date) };
    const same = (later.get(key) ?? []).filter((one) => stateOn(one.line, one.from) === now).map((one) => one.line);
    return {
      key, product: line.product, pricing: line, phase: phases[0], usual, ...usual,
      optional: !usual.on || offered.get(line.id)?.is_enabled === false,
      counts: hasQuantity(line) && !isMetered(line) && Boolean(line.billing_period),
      targets: [line, ...same].map((pricing) => ({ names: { line_item_id: pricing.line_item_id }, pricing })),
    };
  }).filter((line) => line.pricing.billing_period || !line.on);
}

/** The contract's own invoices if it stays as it is, the next one first; null where nothing can be said of them. */
export function unchangedInvoices(contract, catalog, options) {
  const { as_of: today } = options;
  const start = contract.start_date > today ? contract.start_date : today;
  // The engine lists a contract's own invoices beside those of a change, so it is asked about one, whichever is a change.
  for (const line of contract.phases.flatMap((phase) => phase.lines)) {
    const override = { line_item_id: line.line_item_id, is_enabled: !enabledOn(line, start) };
    try {
      return scheduleOfAYear({ contract_id: contract.id, product_overrides: [override], start_date: start }, catalog, options).without_change;
    } catch (error) {
      if (!(error instanceof CheckoutPreviewError)) throw error;
    }
  }
  return null;
}

/** What a preview does, as `[{what, why?}]`; `before` is the contract as it is, `target` the plan it moves to, if it does. */
export function effects(preview, before, target, words) {
  const told = target ? move(preview, before, target, words) : updates(preview, before, words);
  const { total, credit_carried_forward: left, currency } = preview.estimates.current_invoice;
  return total.startsWith("-") ? [...told, { what: words.say("credit_note", { amount: words.money(left, currency) }) }] : told;
}

/** What a line is, by its `stateOn` a day: `12 seats`, `Phone channel: on`, `without Phone channel`. */
function stateText(line, state, { say, counted, isCounted }) {
  const { id, name } = line.product;
  if (state === null) return say("off", { name: name ?? id });
  if (isMetered(line) || !hasQuantity(line)) return say("on", { name: name ?? id });
  return isCounted(id) ? counted(state, id) : `${name ?? id}: ${counted(state, id)}`;
}

function move({ start_date: start, contract }, before, target, { say, day }) {
  const old = (phasesFrom(before, start)[0]?.lines ?? []).filter((line) => enabledOn(line, start) && line.billing_period);
  const kept = new Set(phasesFrom(contract, start).flatMap((phase) => phase.lines)
    .filter((line) => line.is_enabled !== false).map((line) => line.product.id));
  const lost = old.filter(({ product }) => !kept.has(product.id)).map(({ product }) => product.name ?? product.id);
  const dropped = before.phases.filter(({ start_date: begins, name }) => begins >= start && name); // R7.1
  return [
    { what: say("moves", { plan: target.name ?? target.id, date: day(start) }) },
    ...dropped.map(({ name, start_date: begins }) => ({ what: say("dropped", { name, date: day(begins) }) })),
    lost.length > 0 && { what: say("ends", { names: lost.join(", ") }) },
  ].filter(Boolean);
}

function updates({ contract, start_date: start, product_overrides: overrides }, before, words) {
  const placeOf = (one, { line_item_id: wanted }) => one.phases
    .map((phase) => ({ phase, line: phase.lines.find(({ line_item_id: id }) => id === wanted) })).find(({ line }) => line);
  const told = new Set(); // the first line of each; the others are those of later phases
  return (overrides ?? []).flatMap((override) => {
    const [old, now] = [before, contract].map((one) => placeOf(one, override));
    if (!old || !now || told.has(old.line.product.id)) return [];
    told.add(old.line.product.id);
    return update(old.line, now.line, start, now.phase.end_date, words);
  });
}

function update(old, now, start, last, words) {
  const { say, day } = words;
  const [had, has] = [old, now].map((line) => stateOn(line, start));
  const becomes = (state, date) => say("becomes", { what: stateText(now, state, words), date: day(date) });
  const was = (state) => say("was", { what: stateText(old, state, words) });
  const told = turnsOf(now, start, last).map(({ date, state, was: before }) => ({
    what: becomes(state, date), why: isPutOff(old, now, date) ? `${was(before)} ${say("waits")}` : null,
  }));
  return has === had ? told : [{ what: becomes(has, start), why: had === null ? null : was(had) }, ...told];
}

// The element asks for nothing later than the start, so that an entry which was not there before is a fall put off (R7.7).
function isPutOff(old, now, date) {
  const valueAt = (entries) => String((entries ?? []).find(({ effective_from: from }) => from === date)?.value);
  return now.quantity?.allow_mid_cycle_cancellation === false && ["quantity_entries", "enabled_entries"].some((list) =>
    (now[list] ?? []).some((entry) => entry.effective_from === date && valueAt(old[list]) !== String(entry.value)));
}

// What a change of a running contract does, in plain words: what holds from which day, and why a part of it waits.

import { el, icon } from "./dom.js";
import { counted, day } from "./format.js";
import { enabledOn, hasQuantity, isMetered, phasesFrom, stateOn, turnsOf } from "./lines.js";
import { planTitle, products } from "./store.js";

/**
 * The list above the invoices: what `preview` makes of the contract `before`. `plans` are those that this one has from the day
 * before the change on, and `target` is the one that it moves to.
 */
export function effects(preview, before, { plans, target }) {
  const told = target ? move(preview, before, plans, target) : updates(preview, before);
  return el("ul.effects", {}, told.map(({ sign, what, why }) =>
    el("li", {}, icon(sign), el("div", {}, el("p", {}, what), why && el("p.note", {}, why)))));
}

/** What a line is on a day, as `stateOn` says it: `12 seats`, `Phone channel`, `No Phone channel`. */
export function stateText(line, state) {
  if (state === null) return `No ${line.product.name}`;
  return isMetered(line) || !hasQuantity(line) ? line.product.name : counted(state, products[line.product.id]?.noun);
}

function move(preview, before, [from, ...dropped], target) {
  const { start_date: start, contract } = preview;
  const old = (phasesFrom(before, start)[0]?.lines ?? []).filter((line) => enabledOn(line, start) && line.billing_period);
  const kept = new Set(phasesFrom(contract, start).flatMap((phase) => phase.lines)
    .filter((line) => line.is_enabled !== false).map((line) => line.product.id));
  const lost = old.filter(({ product }) => !kept.has(product.id)).map(({ product }) => product.name);
  const bound = old.filter(({ quantity }) => quantity?.allow_mid_cycle_cancellation === false).map(({ product }) => product.name);
  return [
    { sign: "change", what: `${planTitle(target)}, from ${day(start)}`, why: from.id === target.id ? "It begins anew." : `${from.title}, until then.` },
    ...dropped.map((plan) => ({ sign: "alert", what: `No longer to come: ${plan.title}, from ${day(plan.start)}` })),
    lost.length > 0 && { sign: "alert", what: `Ends with the old plan: ${lost.join(", ")}` },
    bound.length > 0 && { sign: "alert", what: `No credit for ${bound.join(", ")}`, why: "Taken until the end of the billing period." },
    contract.anchor_date !== before.anchor_date && { sign: "later", what: `Billing periods are counted from ${day(contract.anchor_date)}` },
  ].filter(Boolean);
}

function updates({ contract, start_date: start, product_overrides: overrides }, before) {
  const placeOf = (one, { line_item_id: wanted }) => one.phases
    .map((phase) => ({ phase, line: phase.lines.find(({ line_item_id: id }) => id === wanted) })).find(({ line }) => line);
  const told = new Set(); // the first line of each; the others are those of later phases
  return overrides.flatMap((override) => {
    const [old, now] = [before, contract].map((one) => placeOf(one, override));
    if (!old || told.has(old.line.product.id)) return [];
    told.add(old.line.product.id);
    return update(override, old.line, now.line, start, now.phase.end_date);
  });
}

function update(override, old, now, start, last) {
  const [had, has] = [old, now].map((line) => stateOn(line, start));
  const until = (state) => `${stateText(old, state)} until then`;
  const told = turnsOf(now, start, last).map(({ date, state, was }) => {
    const waits = isPutOff(old, now, date);
    const why = waits ? `${until(was)}: what is taken away counts from the next billing period on.` : "As agreed before.";
    return { sign: "later", what: `${stateText(now, state)} from ${day(date)}`, why };
  });
  if (has === had) return told;
  const why = had !== null && override.quantity ? `${until(had)}.` : null;
  return [{ sign: "change", what: `${stateText(now, has)} from ${day(start)}`, why }, ...told];
}

// The page asks for nothing later than the start, so that an entry which was not there before is a fall put off (R7.7).
function isPutOff(old, now, date) {
  if (now.quantity?.allow_mid_cycle_cancellation !== false) return false;
  return ["quantity_entries", "enabled_entries"].some((list) => (now[list] ?? []).some((entry) =>
    entry.effective_from === date && valueAt(old[list], date) !== String(entry.value)));
}

const valueAt = (entries = [], date) => String(entries.find(({ effective_from: from }) => from === date)?.value);

// What a change of a running contract does, in plain words: what holds from which day, and why a part of it waits.

import { el, icon } from "./dom.js";
import { counted, day } from "./format.js";
import { enabledOn, hasQuantity, isMetered, phasesFrom, quantityOn } from "./lines.js";
import { planTitle, products } from "./store.js";

/** The list above the invoices: what `preview` makes of the contract `before`. `plans` are those it moves between. */
export function effects(preview, before, plans) {
  const told = preview.checkout_type === "plan_change" ? move(preview, before, plans) : updates(preview, before);
  return el("ul.effects", {}, told.map(({ sign, what, why }) =>
    el("li", {}, icon(sign), el("div", {}, el("p", {}, what), why && el("p.note", {}, why)))));
}

const words = (line, quantity) => counted(quantity, products[line.product.id]?.noun);

function move(preview, before, { from, to }) {
  const { start_date: start, contract } = preview;
  const old = (phasesFrom(before, start)[0]?.lines ?? []).filter((line) => enabledOn(line, start) && line.billing_period);
  const kept = new Set(phasesFrom(contract, start).flatMap((phase) => phase.lines)
    .filter((line) => line.is_enabled !== false).map((line) => line.product.id));
  const lost = old.filter(({ product }) => !kept.has(product.id)).map(({ product }) => product.name);
  const bound = old.filter(({ quantity }) => quantity?.allow_mid_cycle_cancellation === false).map(({ product }) => product.name);
  return [
    { sign: "change", what: `${planTitle(to)}, from ${day(start)}`, why: from && `${planTitle(from)}, until then.` },
    lost.length > 0 && { sign: "alert", what: `Ends with the old plan: ${lost.join(", ")}` },
    bound.length > 0 && { sign: "alert", what: `No credit for ${bound.join(", ")}`, why: "Taken until the end of the billing period." },
    contract.anchor_date !== before.anchor_date && { sign: "later", what: `Billing periods are counted from ${day(contract.anchor_date)}` },
  ].filter(Boolean);
}

function updates({ contract, start_date: start, product_overrides: overrides }, before) {
  const lineOf = (one, { line_item_id: wanted }) =>
    one.phases.flatMap((phase) => phase.lines).find(({ line_item_id: id }) => id === wanted);
  const told = new Set(); // the first line of each; the others are those of later phases
  return overrides.flatMap((override) => {
    const [old, now] = [before, contract].map((one) => lineOf(one, override));
    if (!old || told.has(old.product.id)) return [];
    told.add(old.product.id);
    return update(override, old, now, start);
  });
}

function update(override, old, now, start) {
  const state = (line, date) => (!enabledOn(line, date) ? null : quantityOn(line, date));
  const text = (value) => {
    if (value === null) return `No ${now.product.name}`;
    return isMetered(now) || !hasQuantity(now) ? now.product.name : words(now, value);
  };
  const days = [...(now.quantity_entries ?? []), ...(now.enabled_entries ?? [])].map(({ effective_from: from }) => from);
  const later = [...new Set(days)].filter((date) => date > start).sort();
  const had = state(old, start);
  const told = [];
  if (state(now, start) !== had) {
    const why = had !== null && override.quantity ? `${words(old, had)} until then.` : null;
    told.push({ sign: "change", what: `${text(state(now, start))} from ${day(start)}`, why });
  }
  for (const date of later) {
    const why = state(now, date) === state(old, date)
      ? "As agreed before."
      : `${text(had)} until then: what is taken away counts from the next billing period on.`;
    told.push({ sign: "later", what: `${text(state(now, date))} from ${day(date)}`, why });
  }
  return told;
}

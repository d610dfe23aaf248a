// Prices that go by steps: the steps as a table, and what is to be had at the next one.

import { createCheckoutPreview } from "../browser.js";
import { h } from "./dom.js";
import { isZero } from "./format.js";
import { isOn, overridesOf, quantityOf } from "./lines.js";

export const css = `
.hint { color: var(--_accent); font-size: 0.9rem; min-block-size: 1.5em; }
summary { color: var(--_accent); font-size: 0.9rem; font-weight: 600; cursor: pointer; min-block-size: 1.75rem; }
.used > * { font-weight: 700; color: var(--_accent); }
`;

/** By line, what each more costs from the next step on, as the engine prices it there: one preview for all lines together. */
export function hints(lines, choices, others, request, catalog, options) {
  const isWhole = (value) => /^\d+$/.test(value);
  const ahead = new Map();
  const quantities = { ...choices.quantities };
  for (const line of lines) {
    const { tiers } = line.pricing.pricing_data;
    const { multiple_of: multiple, maximum } = line.pricing.quantity ?? {};
    const [quantity, step] = [quantityOf(choices, line), String(multiple ?? 1)];
    const end = line.counts && isOn(choices, line) && tiers?.find(({ up_to: last }) => last !== null && Number(last) >= Number(quantity))?.up_to;
    if (!end || ![quantity, step, end].every(isWhole)) continue;
    // The first number beyond the step that can be chosen.
    const next = (BigInt(end) / BigInt(step) + 1n) * BigInt(step);
    if (Number(maximum ?? Infinity) < Number(next)) continue;
    quantities[line.key] = `${next}`;
    ahead.set(line, `${next - BigInt(quantity)}`);
  }
  if (ahead.size === 0) return null;
  const { overrides } = overridesOf({ ...choices, quantities }, lines);
  const { estimates } = createCheckoutPreview({ ...request, product_overrides: [...overrides, ...others] }, catalog, options);
  const items = Object.values(estimates).flatMap((invoice) => invoice?.line_items ?? []);
  return new Map([...ahead].map(([{ key, product, pricing }, more]) => {
    const tier = items.findLast((item) => item.kind === "charge" && item.tiers && item.pricing_id === pricing.id)?.tiers.at(-1);
    const isFlat = isZero(tier?.unit_amount ?? "0");
    const kind = isFlat ? "hint_flat" : /^(volume|matrix)/.test(pricing.pricing_data.pricing_type) ? "hint_all" : "hint_next";
    return [key, tier && { kind, more, price: isFlat ? tier.flat_amount : tier.unit_amount, product: product.id }];
  }));
}

/** By pricing, where the steps end that a charge enters. */
export function entered({ estimates }) {
  const items = Object.values(estimates).flatMap((invoice) => invoice?.line_items ?? []).filter((item) => item.kind === "charge" && item.tiers);
  return new Map(items.reverse().map((item) => [item.pricing_id, item.tiers.map(({ to }) => String(to))]));
}

/** What the next step brings, and the table of all; those of `used` are entered. */
export function steps(all, hint, used, { say, number, price, counted }) {
  return [
    h("p.hint", { part: "hint" }, hint && say(hint.kind, { count: hint.more, counted: counted(hint.more, hint.product), price: price(hint.price) })),
    h("details", { part: "tiers" }, h("summary", {}, say("tiers")), h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("quantity")), h("th", { scope: "col" }, say("price")))),
      h("tbody", {}, all.map((tier, index) => h(used.includes(String(tier.up_to)) ? "tr.used" : "tr", {},
        h("th", { scope: "row" }, tier.up_to !== null ? say("up_to", { count: String(tier.up_to) })
          : index === 0 ? number("0") : say("above", { count: String(all[index - 1].up_to) })),
        h("td", {}, h("bdi", {}, priceOf(tier, price)))))))),
  ];
}

const priceOf = ({ unit_amount: unit, flat_amount: flat }, price) => {
  const has = (amount) => amount !== null && amount !== undefined;
  return [has(unit) && price(unit), has(flat) && !(has(unit) && isZero(String(flat))) && price(flat)].filter(Boolean).join(" + ");
};

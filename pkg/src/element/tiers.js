// Prices that go by steps: the steps as a table, and what is to be had at the next one.

import { createCheckoutPreview } from "../browser.js";
import { h } from "./dom.js";
import { isZero, sum } from "./format.js";
import { isOn, overridesOf, quantityOf } from "./lines.js";
import { table } from "./table.js";

export const css = `${table}
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
    const end = line.counts && isOn(choices, line) && tiers && endsOf(line.pricing).find((last) => last !== null && Number(last) >= Number(quantity));
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
    const used = items.findLast((item) => item.kind === "charge" && item.tiers && item.pricing_id === pricing.id)?.tiers;
    const tier = used?.at(-1);
    // What each one costs says it only where nothing else is paid for them.
    const isEach = tier && !isZero(tier.unit_amount ?? "0") && isZero(tier.flat_amount ?? "0") && !packageOf(pricing, tier);
    const kind = !isEach ? "hint_flat" : /^volume/.test(pricing.pricing_data.pricing_type) ? "hint_all" : "hint_next";
    return [key, tier && { kind, more, price: isEach ? tier.unit_amount : sum(used.map(({ amount }) => amount)), product: product.id }];
  }));
}

/** How many one package of a step holds, where it is sold in such. */
const packageOf = ({ pricing_data: { tiers } }, { to }) => tiers.find(({ up_to: last }) => `${last ?? null}` === `${to}`)?.package_size;

/** The numbers up to which the steps of a pricing go: what is free comes before the first. */
const endsOf = ({ pricing_data: { tiers }, free_units: free }) => tiers.map(({ up_to: last }) => (last === null || last === undefined ? null : sum([`${last}`, `${free ?? 0}`])));

/** By pricing, where the steps end that a charge enters. */
export function entered({ estimates }) {
  const items = Object.values(estimates).flatMap((invoice) => invoice?.line_items ?? []).filter((item) => item.kind === "charge" && item.tiers);
  return new Map(items.reverse().map((item) => [item.pricing_id, item.tiers.map(({ to }) => String(to))]));
}

/** `from $9.00`: the least of what the steps ask for one, or for all. */
export function least(tiers, { say, price }) {
  const amounts = ["unit_amount", "flat_amount"].map((name) => tiers.map((tier) => tier[name])).find(([first]) => first !== null && first !== undefined);
  return amounts ? say("from_price", { price: price(amounts.map(String).reduce((one, other) => (Number(other) < Number(one) ? other : one))) }) : null;
}

/** What the next step brings, and the table of all; those of `used` are entered. */
export function steps(pricing, hint, used, { say, number, price, counted }) {
  const { tiers: all } = pricing.pricing_data;
  const ends = endsOf(pricing);
  const isUsed = ({ up_to: last }) => used.includes(String(last ?? null));
  const prices = all.map((tier) => priceOf(tier, { say, price }));
  return [
    h("p.hint", { part: "hint" }, hint && say(hint.kind, { count: hint.more, counted: counted(hint.more, hint.product), price: price(hint.price) })),
    prices.some(Boolean) && h("details", { part: "tiers" }, h("summary", {}, say("tiers")), h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("quantity")), h("th", { scope: "col" }, say("price")))),
      h("tbody", {}, all.map((tier, index) => h(isUsed(tier) ? "tr.used" : "tr", { "aria-current": isUsed(tier) && "true" },
        h("th", { scope: "row" }, ends[index] !== null ? say("up_to", { count: ends[index] })
          : index === 0 ? number("0") : say("above", { count: ends[index - 1] })),
        h("td", {}, h("bdi", {}, prices[index]))))))),
  ];
}

const priceOf = ({ unit_amount: unit, flat_amount: flat, package_size: size }, { say, price }) => {
  const has = (amount) => amount !== null && amount !== undefined;
  return [has(unit) && (has(size) ? say("per_package", { price: price(unit), count: `${size}` }) : price(unit)), has(flat) && !(has(unit) && isZero(String(flat))) && price(flat)].filter(Boolean).join(" + ");
};

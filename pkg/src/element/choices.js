// The left side: plans, products, the first day, the coming months. A model in, elements out.

import { h } from "./dom.js";
import { isMetered } from "./lines.js";

export function choices(model) {
  const { say, start } = model;
  return h("form", { part: "form", novalidate: true, inert: model.stage === "review" || model.busy },
    model.plans && [model.plans, problem("plan_id", model)],
    model.rows.length > 0 && h("fieldset", { part: "lines" },
      h("legend", {}, label("lines-label", say("products"))),
      model.rows),
    h("div.start", { part: "start" },
      h("label", { for: "start_date" }, label("start-label", say(model.contract ? "effective" : "start"))),
      h("input", {
        type: "date", id: "start_date", name: "start_date", required: true, min: start.min, max: start.max, value: start.value,
        "aria-invalid": model.problems.has("start_date") && "true", "aria-describedby": "start_date-problem",
      }),
      problem("start_date", model)),
    h("slot", { name: "buyer" }),
    h("input", { type: "submit", hidden: true }), // for Enter in a field
    model.chart);
}

const label = (slot, text) => h("slot", { name: slot }, text);

/** What is wrong with a field, where a screen reader looks for it; empty where nothing is. */
const problem = (field, { problems }) => h("p.problem", { id: `${field}-problem`, "aria-live": "polite" }, problems.get(field));

export function lineRow({ line, index, on, value, hint, used, spoken, problem: wrong }, model, tiers) {
  const { say } = model;
  const { product, pricing, optional, counts } = line;
  const { pricing_data: { tiers: steps }, quantity } = pricing;
  const id = (part) => `line-${index}-${part}`;
  const { minimum, maximum, multiple_of: multiple, allow_mid_cycle_cancellation: falls } = quantity ?? {};
  const step = multiple ?? "1";
  // A slider counts its steps from its least.
  const least = multiple ? Number((Math.ceil((minimum ?? 0) / step) * step).toPrecision(12)) : minimum ?? "0";
  const described = { "aria-describedby": `${id("about")} ${id("problem")}`, "data-line": index };
  const numbers = {
    ...described, name: "quantity", min: least, "aria-labelledby": id("name"), "aria-invalid": wrong && "true", "aria-valuetext": !wrong && spoken,
  };
  return h("div.line", { part: "line" },
    h("div.head", {},
      h(optional ? "label.name" : "span.name", { id: id("name") },
        optional && h("input.switch", { ...described, type: "checkbox", role: "switch", name: "is_enabled", checked: on }), h("bdi", {}, product.name ?? product.id)),
      h("bdi.note", {}, priceText(pricing, model, tiers))),
    h("p.note", { id: id("about") }, h("bdi", {}, product.description), product.description && " ",
      [isMetered(pricing) && say("usage"), on && model.contract && falls === false && say("waits")].filter(Boolean).join(" · ")),
    counts && on && h("div.quantity", { part: "quantity" },
      h("input", { ...numbers, type: "range", max: maximum ?? Math.max(100, line.quantity * 4), step, value }),
      h("input", { ...numbers, type: "number", max: maximum, step: isMetered(pricing) ? "any" : step, inputmode: "decimal", value })),
    h("p.problem", { id: id("problem"), "aria-live": "polite" }, wrong),
    counts && on && steps && tiers.steps(pricing, hint, used, model));
}

/** What a pricing asks, in words: `$14.00 · every month`. */
function priceText(pricing, { say, price, number, every }, tiers) {
  const { pricing_data: data, billing_period: period } = pricing;
  const asked = data.percent !== undefined ? `${number(String(data.percent))}\u00a0%`
    : data.package_size ? say("per_package", { price: price(data.unit_amount), count: String(data.package_size) })
    : data.tiers ? tiers.least(data.tiers, { say, price })
    : data.unit_amount !== undefined ? price(data.unit_amount) : null;
  const rhythm = !period ? say("once") : isMetered(pricing) ? null : every(period.cadence);
  return [asked, rhythm].filter(Boolean).join(" · ");
}

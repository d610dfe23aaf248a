// The two ways to choose a number: a slider beside a field, and a field between two buttons. Both tell every keystroke.

import { el } from "./dom.js";
import { isMetered } from "./lines.js";
import { products } from "./store.js";

/** For the shop, where a buyer looks for the right size. */
export function slider(line, value, id, take) {
  const limits = limitsOf(line);
  const range = el("input", { type: "range", id: id("range"), ...limits, max: limits.max ?? "100", value, "aria-labelledby": id("name") });
  const field = numberField(line, value, id);
  const fill = () => range.style.setProperty("--fill", `${((range.value - range.min) / (range.max - range.min)) * 100}%`);
  range.addEventListener("input", () => { field.value = range.value; fill(); take(range.value); });
  field.addEventListener("input", () => { range.value = field.value; fill(); take(field.value); });
  fill();
  return el("div.quantity", {}, el("div.quantity-inputs", {}, range, field, unit(line, id)));
}

/** For the account, where a customer has a size and wants one more or one fewer. */
export function stepper(line, value, id, take) {
  const field = numberField(line, value, id);
  const step = (sign, words, move) => el("button.quiet.step", {
    type: "button", id: id(words), "aria-label": `${words === "more" ? "More" : "Fewer"} ${line.product.name.toLowerCase()}`,
    onclick: () => { move(); take(field.value); },
  }, sign);
  field.addEventListener("input", () => take(field.value));
  return el("div.quantity", {}, el("div.stepper", {},
    step("\u2212", "fewer", () => field.stepDown()), field, step("+", "more", () => field.stepUp()), unit(line, id)));
}

// Usage has no step in the catalog; the shop's own would mark other numbers as wrong, so only the slider keeps to it.
function limitsOf({ product, pricing }) {
  const bounds = pricing.quantity ?? {};
  const { max, step } = products[product.id]?.slider ?? {};
  return { min: bounds.minimum ?? "0", max: bounds.maximum ?? max, step: bounds.multiple_of ?? step ?? "1" };
}

function numberField(line, value, id) {
  const { min, step } = limitsOf(line);
  return el("input", {
    type: "number", id: id("quantity"), inputmode: "decimal", min, max: line.pricing.quantity?.maximum,
    step: isMetered(line.pricing) ? "any" : step, value,
    "aria-labelledby": `${id("name")} ${id("unit")}`, "aria-describedby": `${id("about")} ${id("problem")}`,
  });
}

const unit = (line, id) => el("span.unit", { id: id("unit") }, unitText(line.pricing));

function unitText({ product, quantity, billing_period: period }) {
  const noun = products[product.id]?.noun?.other ?? "";
  return quantity?.type === "metered" ? `${noun} expected each ${period.cadence === "P1M" ? "month" : "period"}` : noun;
}

// Draws a row for each line that can be chosen and keeps the rows in step with the preview. Says what the buyer did through
// `onChange`.

import { el } from "./dom.js";
import { counted, money, number } from "./format.js";
import { isOn, quantityOf } from "./lines.js";
import { products } from "./store.js";
import { priceText } from "./summary.js";

/** Rows for `lines`, with a control of `quantity.js` for their numbers. Add-ons stand apart from what the plan brings. */
export function optionRows(choices, lines, currency, control, onChange) {
  const rows = lines.map((line) => ({ line, node: optionRow(choices, line, currency, control, onChange) }));
  return {
    included: rows.filter(({ line }) => !line.optional).map(({ node }) => node),
    extras: rows.filter(({ line }) => line.optional).map(({ node }) => node),
  };
}

function optionRow(choices, line, currency, control, onChange) {
  const { product, pricing, optional } = line;
  const id = (part) => `${product.id}-${part}`;
  const name = el("span.option-name", { id: id("name") }, product.name);
  const price = el("span.option-price", {}, el("bdi", {}, priceText(pricing, currency)));
  const about = el("p.option-about", { id: id("about") }, product.description ?? "", line.note && el("span.option-note", {}, ` ${line.note}`));
  const quantity = line.counts ? control(line, quantityOf(choices, line), id, (text) => {
    choices.quantities[product.id] = text;
    onChange();
  }) : null;

  let head = el("div.option-head", {}, name, price);
  if (optional) {
    const toggle = el("input.switch", {
      type: "checkbox", role: "switch", id: id("switch"), checked: isOn(choices, line),
      "aria-labelledby": id("name"), "aria-describedby": `${id("about")} ${id("problem")}`,
      onchange: () => {
        choices.switches[product.id] = toggle.checked;
        if (quantity) quantity.hidden = !toggle.checked;
        onChange();
      },
    });
    if (quantity) quantity.hidden = !toggle.checked;
    head = el("label.option-head", { for: id("switch") }, toggle, name, price);
  }
  return el("div.option", { "data-product": product.id }, head, about, quantity,
    el("p.problem", { id: id("problem"), "aria-live": "polite" }),
    quantity && pricing.pricing_data.tiers && ladder(pricing, currency));
}

// The steps of the price, so that the buyer sees where the next one begins. Which are in use, the preview says.
function ladder(pricing, currency) {
  let from = "1";
  return el("ol.ladder", { "aria-label": "Price steps" }, pricing.pricing_data.tiers.map((tier) => {
    const span = tier.up_to === null ? `${number(from)}+` : `${number(from)} – ${number(tier.up_to)}`;
    if (tier.up_to !== null) from = String(BigInt(tier.up_to) + 1n);
    return el("li", { "data-up-to": tier.up_to ?? "" }, el("span", {}, span), el("bdi", {}, money(tier.unit_amount, currency)));
  }));
}

/** After a preview: price steps in use, and what screen readers say of each slider and number. */
export function followPreview(form, preview, due) {
  const items = Object.values(preview.estimates).filter(Boolean).flatMap((invoice) => invoice.line_items).reverse();
  for (const option of form.querySelectorAll(".option")) {
    const product = option.dataset.product;
    const used = new Set(items.find((item) => item.product_id === product && item.tiers)?.tiers.map((row) => row.to ?? ""));
    for (const step of option.querySelectorAll(".ladder li")) step.classList.toggle("used", used.has(step.dataset.upTo));
    for (const input of option.querySelectorAll("[type=range], [type=number]")) {
      const text = input.value === "" ? "empty" : counted(input.value, products[product]?.noun);
      input.setAttribute("aria-valuetext", `${text}, ${due.label.toLowerCase()} ${due.text}`);
    }
  }
}

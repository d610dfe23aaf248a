// Draws the choices of a plan and keeps them in step with the preview. Says what the buyer did through `onChange`.

import { el, icon } from "./dom.js";
import { counted, money, number } from "./format.js";
import { choose, hasQuantity, isMetered, isOn, planOf, productsOf, quantityOf, rhythmOf } from "./order.js";
import { offers, products, rhythmNames } from "./store.js";
import { priceText } from "./summary.js";

/** The offers as radio cards. */
export function offerCards(order, catalog, onPick) {
  return offers.map((offer) => {
    const plan = planOf(order, catalog, order.rhythms[offer.id] ?? offer.rhythms[0]);
    if (!plan) return null;
    const lead = productsOf(plan).find(({ product }) => product.id === offer.lead);
    return el("label.card", {},
      el("input", { type: "radio", name: "offer", value: offer.id, checked: offer.id === order.offer, onchange: () => onPick(offer.id) }),
      el("span.card-name", {}, plan.name),
      lead && el("span.card-price", {}, el("bdi", {}, priceText(lead.pricing, plan.currency, true))),
      el("span.card-about", {}, plan.description ?? ""),
      el("span.tick", {}, icon("check")));
  });
}

/** Two rhythms of one offer side by side; `fillRhythms` writes what each costs. */
export function rhythmCards(order, offer, onPick) {
  return offer.rhythms.map((rhythm) => el("label.card.rhythm", { "data-rhythm": rhythm },
    el("input", { type: "radio", name: "rhythm", value: rhythm, checked: rhythm === rhythmOf(order), onchange: () => onPick(rhythm) }),
    el("span.card-name", {}, rhythmNames[rhythm]),
    el("span.card-price", {}, el("bdi.amount", {}, "\u00a0")),
    el("span.card-about", {}, "for the first year, with tax"),
    el("span.saving", {}),
    el("span.tick", {}, icon("check"))));
}

/** What a year costs in each rhythm (`[{rhythm, text, saving}]`); an unknown price leaves its place empty. */
export function fillRhythms(container, years) {
  for (const { rhythm, text, saving } of years) {
    const card = container.querySelector(`[data-rhythm="${rhythm}"]`);
    card.querySelector(".amount").textContent = text ?? "–";
    card.querySelector(".saving").textContent = saving ? `Save ${saving}` : "";
  }
}

/** One row for each product: switch, slider and number as its pricing allows. Add-ons stand apart from what the plan brings. */
export function optionRows(order, plan, onChange) {
  const rows = productsOf(plan).map((line) => ({ line, node: optionRow(order, plan, line, onChange) }));
  return {
    included: rows.filter(({ line }) => !line.optional).map(({ node }) => node),
    extras: rows.filter(({ line }) => line.optional).map(({ node }) => node),
  };
}

function optionRow(order, plan, line, onChange) {
  const { product, pricing, optional } = line;
  const id = (part) => `${product.id}-${part}`;
  const name = el("span.option-name", { id: id("name") }, product.name);
  const price = el("span.option-price", {}, el("bdi", {}, priceText(pricing, plan.currency)));
  const about = el("p.option-about", { id: id("about") }, product.description ?? "");
  const quantity = hasQuantity(pricing) ? quantityControl(order, line, id, onChange) : null;

  let head = el("div.option-head", {}, name, price);
  if (optional) {
    const toggle = el("input.switch", {
      type: "checkbox", role: "switch", id: id("switch"), checked: isOn(order, line),
      "aria-labelledby": id("name"), "aria-describedby": `${id("about")} ${id("problem")}`,
      onchange: () => {
        choose("switches", order, product.id, toggle.checked);
        if (quantity) quantity.hidden = !toggle.checked;
        onChange();
      },
    });
    if (quantity) quantity.hidden = !toggle.checked;
    head = el("label.option-head", { for: id("switch") }, toggle, name, price);
  }
  return el("div.option", { "data-product": product.id }, head, about, quantity,
    el("p.problem", { id: id("problem"), "aria-live": "polite" }),
    quantity && pricing.pricing_data.tiers && ladder(pricing, plan.currency));
}

function quantityControl(order, line, id, onChange) {
  const { product, pricing } = line;
  const bounds = pricing.quantity ?? {};
  const slider = products[product.id]?.slider ?? {};
  const step = bounds.multiple_of ?? slider.step ?? "1";
  const limits = { min: bounds.minimum ?? "0", max: bounds.maximum ?? slider.max ?? "100", step };
  const value = quantityOf(order, line);

  const range = el("input", { type: "range", id: id("range"), ...limits, value, "aria-labelledby": id("name") });
  const field = el("input", {
    type: "number", id: id("quantity"), inputmode: "decimal", min: limits.min, max: bounds.maximum, step: isMetered(pricing) ? "any" : step, value,
    "aria-labelledby": `${id("name")} ${id("unit")}`, "aria-describedby": `${id("about")} ${id("problem")}`,
  });
  const fill = () => range.style.setProperty("--fill", `${((range.value - range.min) / (range.max - range.min)) * 100}%`);
  range.addEventListener("input", () => { field.value = range.value; take(range.value); });
  field.addEventListener("input", () => { range.value = field.value; take(field.value); });
  function take(text) {
    fill();
    choose("quantities", order, product.id, text);
    onChange();
  }
  fill();
  return el("div.quantity", {},
    el("div.quantity-inputs", {}, range, field,
      el("span.unit", { id: id("unit") }, unitText(pricing))));
}

function unitText({ product, quantity, billing_period }) {
  const noun = products[product.id]?.noun?.other ?? "";
  return quantity?.type === "metered" ? `${noun} expected each ${billing_period.cadence === "P1M" ? "month" : "period"}` : noun;
}

// The steps of the price, so that the buyer sees where the next one begins. Which are in use, the preview says (`markTiers`).
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

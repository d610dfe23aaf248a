// What the buyer has chosen, and the checkout request it stands for. Knows no page and no server.

import { offers, planId, regions } from "./store.js";

function newOrder() {
  return {
    region: regions[0].id,
    offer: "team",
    rhythms: {},      // offer -> the rhythm picked
    quantities: {},   // offer -> product -> what stands in the field, as typed
    switches: {},     // offer -> product -> on or off
    start: null,      // null: today, whatever day that becomes
    customer: null,   // null: a guest
    company: "",
    email: "",
  };
}

export const offerOf = (order) => offers.find((offer) => offer.id === order.offer);
export const regionOf = (order) => regions.find((region) => region.id === order.region);
export const rhythmOf = (order) => order.rhythms[order.offer] ?? offerOf(order).rhythms[0];

export function planOf(order, catalog, rhythm = rhythmOf(order)) {
  const id = planId(rhythm, regionOf(order));
  return catalog.plans.find((plan) => plan.id === id);
}

/** The plan's products, each once: `{product, pricing, optional}`, as the plan's last phase prices it. */
export function productsOf(plan) {
  const found = new Map();
  for (const pricing of plan.phases.flatMap((phase) => phase.pricings)) {
    found.set(pricing.product.id, { product: pricing.product, pricing, optional: pricing.is_enabled === false });
  }
  return [...found.values()];
}

export const isMetered = (pricing) => pricing.quantity?.type === "metered";
export const hasQuantity = (pricing) => isMetered(pricing) || pricing.pricing_data.pricing_type !== "flat_fee";
export const usualQuantity = (pricing) =>
  isMetered(pricing) ? (pricing.quantity.expected ?? "0") : (pricing.quantity?.value ?? "1");

export const quantityOf = (order, { product, pricing }) =>
  order.quantities[order.offer]?.[product.id] ?? usualQuantity(pricing);
export const isOn = (order, { product, optional }) => order.switches[order.offer]?.[product.id] ?? !optional;

/** Keeps a choice for the offer that is picked now. */
export function choose(kind, order, productId, value) {
  (order[kind][order.offer] ??= {})[productId] = value;
}

/** The request, and for each of its overrides the line it speaks of. */
export function requestOf(order, plan) {
  const lines = [];
  const overrides = [];
  for (const line of productsOf(plan)) {
    const override = { product_id: line.product.id };
    const on = isOn(order, line);
    if (on === line.optional) override.is_enabled = on;
    if (on && hasQuantity(line.pricing) && quantityOf(order, line) !== usualQuantity(line.pricing)) {
      override.quantity = quantityOf(order, line);
    }
    if (Object.keys(override).length > 1) {
      overrides.push(override);
      lines.push(line);
    }
  }
  const request = { plan_id: plan.id, product_overrides: overrides };
  if (order.start !== null) request.start_date = order.start;
  if (order.customer) {
    request.customer_id = order.customer;
  } else {
    request.business_entity_id = regionOf(order).entity;
    request.customer_data = { name: order.company.trim(), email: order.email.trim() };
  }
  return { request, lines };
}

const KEPT = "ternwell-order";

/** Keeps the order over a reload. Where storage is switched off, it lives as long as the page. */
export function keepOrder(order) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(order));
  } catch {
    // It is only a convenience.
  }
}

export function restoreOrder() {
  try {
    const order = { ...newOrder(), ...JSON.parse(sessionStorage.getItem(KEPT)) };
    if (offerOf(order)?.rhythms.includes(rhythmOf(order)) && regionOf(order)) return order;
  } catch {
    // What cannot be read is forgotten.
  }
  return newOrder();
}

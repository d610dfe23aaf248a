// What the buyer has chosen in the shop, and the checkout request it stands for. Knows no page and no server.

import { linesOfPlan, newChoices, overridesOf } from "./lines.js";
import { keep, kept } from "./memory.js";
import { offers, planId, regions } from "./store.js";

function newOrder() {
  return {
    region: regions[0].id,
    offer: "team",
    rhythms: {}, // offer -> the rhythm picked
    choices: {}, // offer -> what was chosen of its lines
    start: null, // null: today, whatever day that becomes
    customer: null, // null: a guest
    company: "",
    email: "",
  };
}

export const offerOf = (order) => offers.find((offer) => offer.id === order.offer);
export const regionOf = (order) => regions.find((region) => region.id === order.region);
export const rhythmOf = (order) => order.rhythms[order.offer] ?? offerOf(order).rhythms[0];
export const choicesOf = (order) => (order.choices[order.offer] ??= newChoices());

export function planOf(order, catalog, rhythm = rhythmOf(order)) {
  const id = planId(rhythm, regionOf(order));
  return catalog.plans.find((plan) => plan.id === id);
}

/** The request, and for each of its overrides the line it speaks of. */
export function requestOf(order, plan) {
  const { overrides, lines } = overridesOf(choicesOf(order), linesOfPlan(plan));
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

export const keepOrder = (order) => keep(KEPT, order);
export const forgetOrder = () => keep(KEPT, {});

/** The order as it was before a reload, if this shop still has all of it. */
export function restoreOrder() {
  const order = { ...newOrder(), ...kept(KEPT) };
  return offerOf(order)?.rhythms.includes(rhythmOf(order)) && regionOf(order) ? order : newOrder();
}

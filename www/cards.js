// Draws radio cards: the offers of the shop, and a customer's contracts. Says what was picked through `onPick`.

import { el, icon } from "./dom.js";
import { money } from "./format.js";
import { offers, planId, products, regions } from "./store.js";

/** One radio card. */
export function card({ name, value, checked, disabled = false, title, price, about, onPick }) {
  return el("label.card", {},
    el("input", { type: "radio", name, value, checked, disabled, onchange: onPick }),
    el("span.card-name", {}, title),
    price && el("span.card-price", {}, el("bdi", {}, price)),
    el("span.card-about", {}, about),
    el("span.tick", {}, icon("check")));
}

/** The offers as radio cards, by their first rhythm. */
export function offerCards(order, catalog, onPick) {
  const region = regions.find(({ id }) => id === order.region);
  return offers.flatMap((offer) => {
    const plan = catalog.plans.find(({ id }) => id === planId(offer.rhythms[0], region));
    return plan ? [card({
      name: "offer", value: offer.id, checked: offer.id === order.offer, title: plan.name, price: leadPrice(plan, offer),
      about: plan.description ?? "", onPick: () => onPick(offer.id),
    })] : [];
  });
}

/** What a plan asks for the product that leads its offer: `from $9.00 per seat`. */
function leadPrice(plan, { lead }) {
  const pricing = plan.phases.at(-1).pricings.find(({ product }) => product.id === lead);
  if (!pricing) return null;
  const { tiers, unit_amount: unit } = pricing.pricing_data;
  const noun = products[lead].noun.one;
  return `${tiers ? "from " : ""}${money(String(tiers ? tiers.at(-1).unit_amount : unit), plan.currency)} per ${noun}`;
}

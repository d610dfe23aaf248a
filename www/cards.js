// Draws radio cards: the offers of the shop, and the rhythms of one. Says what the buyer picked through `onPick`.

import { el, icon } from "./dom.js";
import { linesOfPlan } from "./lines.js";
import { planOf, rhythmOf } from "./order.js";
import { offers, rhythmNames } from "./store.js";
import { priceText } from "./summary.js";

/** One radio card; the account picks plans and contracts with it too. */
export function card({ name, value, checked, title, price, about, onPick }, ...more) {
  return el("label.card", {},
    el("input", { type: "radio", name, value, checked, onchange: onPick }),
    el("span.card-name", {}, title),
    price && el("span.card-price", {}, el("bdi", {}, price)),
    el("span.card-about", {}, about),
    more,
    el("span.tick", {}, icon("check")));
}

/** What a plan asks for the product that leads its offer: `$14.00 per seat a month`. */
export function leadPrice(plan, offer) {
  const lead = linesOfPlan(plan).find(({ product }) => product.id === offer?.lead);
  return lead && priceText(lead.pricing, plan.currency, true);
}

/** The offers as radio cards. */
export function offerCards(order, catalog, onPick) {
  return offers.map((offer) => {
    const plan = planOf(order, catalog, order.rhythms[offer.id] ?? offer.rhythms[0]);
    return plan && card({
      name: "offer", value: offer.id, checked: offer.id === order.offer, title: plan.name, price: leadPrice(plan, offer),
      about: plan.description ?? "", onPick: () => onPick(offer.id),
    });
  });
}

/** Two rhythms of one offer side by side; `fillRhythms` writes what each costs. */
export function rhythmCards(order, offer, onPick) {
  return offer.rhythms.map((rhythm) => {
    const node = card({
      name: "rhythm", value: rhythm, checked: rhythm === rhythmOf(order), title: rhythmNames[rhythm], price: "\u00a0",
      about: "for the first year, with tax", onPick: () => onPick(rhythm),
    }, el("span.saving", {}));
    node.classList.add("rhythm");
    node.dataset.rhythm = rhythm;
    node.querySelector("bdi").className = "amount";
    return node;
  });
}

/** What a year costs in each rhythm (`[{rhythm, text, saving}]`); an unknown price leaves its place empty. */
export function fillRhythms(container, years) {
  for (const { rhythm, text, saving } of years) {
    const card = container.querySelector(`[data-rhythm="${rhythm}"]`);
    card.querySelector(".amount").textContent = text ?? "–";
    card.querySelector(".saving").textContent = saving ? `Save ${saving}` : "";
  }
}

// What this shop decides for itself: where it sells, how its plans stand together, and what it calls the things it counts.
// Prices, taxes and rules are the catalog's.

export const regions = [
  { id: "usd", name: "United States", currency: "USD", entity: "ternwell_us" },
  { id: "eur", name: "Eurozone", currency: "EUR", entity: "ternwell_de" },
  { id: "jpy", name: "Japan", currency: "JPY", entity: "ternwell_jp" },
];

/** Plans that are one offer: the buyer picks the offer, then, where there are two, the rhythm of payment. */
export const offers = [
  { id: "starter", rhythms: ["starter"], lead: "seats" },
  { id: "team", rhythms: ["team_monthly", "team_annual"], lead: "seats" },
  { id: "scale", rhythms: ["scale"], lead: "conversations" },
];

export const planId = (rhythm, region) => `${rhythm}_${region.id}`;

const rhythmWords = { team_monthly: "paid monthly", team_annual: "paid yearly" };

// Every plan that is sold, in the order in which the shop shows them.
const sold = offers.flatMap((offer) => offer.rhythms.flatMap((rhythm) =>
  regions.map((region) => ({ id: planId(rhythm, region), offer, rhythm }))));

/** A plan's name, with its rhythm where the offer has two: `Team, paid yearly`. */
export function planTitle(plan) {
  const words = rhythmWords[sold.find(({ id }) => id === plan.id)?.rhythm];
  return words ? `${plan.name}, ${words}` : plan.name;
}

/** The plans that a contract can move to. */
export function plansBeside(contract, catalog) {
  return sold.map(({ id }) => catalog.plans.find((plan) => plan.id === id))
    .filter((plan) => plan && plan.currency === contract.currency && plan.id !== contract.plan_id);
}

/** What products count, for cards and for the checkout. */
export const products = {
  seats: { noun: { one: "seat", other: "seats" } },
  viewers: { noun: { one: "viewer", other: "viewers" } },
  ai_replies: { noun: { one: "reply", other: "replies" } },
  conversations: { noun: { one: "conversation", other: "conversations" } },
};
export const units = Object.fromEntries(Object.entries(products).map(([id, { noun }]) =>
  [id, Object.fromEntries(Object.entries(noun).map(([form, word]) => [form, `{count} ${word}`]))]));

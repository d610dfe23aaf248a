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

export const rhythmNames = { team_monthly: "Pay monthly", team_annual: "Pay yearly" };

export const planId = (rhythm, region) => `${rhythm}_${region.id}`;

/** Nouns by product, and for usage, which has no maximum, how far the slider goes and in what steps. */
export const products = {
  seats: { noun: { one: "seat", other: "seats" } },
  viewers: { noun: { one: "viewer", other: "viewers" } },
  ai_replies: { noun: { one: "reply", other: "replies" }, slider: { max: "20000", step: "100" } },
  conversations: { noun: { one: "conversation", other: "conversations" }, slider: { max: "300000", step: "500" } },
};

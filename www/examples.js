// What the developers' page begins with: small catalogs, each with a request and the day it is asked on. The amounts of the first
// three are those of docs/proration.md and of the package's README.

const monthly = { billing_period: { cadence: "P1M", offset: "prepaid" } };
const shop = { business_entities: [{ id: "shop", name: "Example GmbH", time_zone: "Europe/Berlin", taxes: [{ name: "VAT", percent: "19" }] }] };
const seats = (quantity) => ({
  id: "seats", product: { id: "seat", name: "Seats" }, ...monthly, quantity: { type: "fixed", value: quantity, minimum: "1", maximum: "100", multiple_of: "1" },
  pricing_data: { pricing_type: "per_unit", unit_amount: "12.00" },
});
const tiers = [{ up_to: "10", unit_amount: "6.00" }, { up_to: "50", unit_amount: "5.00" }, { up_to: null, unit_amount: "4.00" }];
const running = (lines, more = {}) => ({
  id: "con_1", customer_id: "cus_1", plan_id: "pro", currency: "USD", start_date: "2026-01-15", anchor_date: "2026-01-15",
  phases: [{ start_date: "2026-01-15", lines }], ...more,
});
const pro = (pricings, more = {}) => ({ id: "pro", name: "Pro", currency: "USD", phases: [{ pricings }], ...more });

export const examples = [
  {
    id: "new", title: "A new subscription", about: "Ten seats from today on, with tax: the first invoice, and the one after it.",
    asOf: "2026-03-20", request: { plan_id: "pro", business_entity_id: "shop" }, catalog: { ...shop, plans: [pro([seats("10")])] },
  },
  {
    id: "seats", title: "More seats in the middle of a period", about: "10 seats at 12.00, billed on the 15th, become 14 on 20 March: 26 of 31 days are credited and charged anew.",
    asOf: "2026-03-20",
    request: { contract_id: "con_1", product_overrides: [{ line_item_id: "li_1", quantity: "14" }] },
    catalog: { customers: [{ id: "cus_1" }], plans: [pro([seats("10")])], contracts: [running([{ ...seats("10"), line_item_id: "li_1" }])] },
  },
  {
    id: "plan", title: "From monthly to yearly", about: "The old plan ends the day before, and what was paid and is not used is credited.",
    asOf: "2026-03-20", request: { contract_id: "con_1", plan_id: "yearly" },
    catalog: {
      customers: [{ id: "cus_1" }],
      plans: [pro([seats("10")]), { id: "yearly", name: "Pro, yearly", currency: "USD", phases: [{ pricings: [{
        ...seats("10"), id: "seats_yearly", billing_period: { cadence: "P1Y", offset: "prepaid" }, pricing_data: { pricing_type: "per_unit", unit_amount: "120.00" },
      }] }] }],
      contracts: [running([{ ...seats("10"), line_item_id: "li_1" }])],
    },
  },
  {
    id: "tiers", title: "Prices by steps", about: "One price goes up by steps for what falls into each, the other for the whole quantity; the answer has a row for each step entered.",
    asOf: "2026-03-20", request: { plan_id: "pro", business_entity_id: "shop", product_overrides: [{ pricing_id: "seats", quantity: "60" }] },
    catalog: { ...shop, plans: [pro([
      { ...seats("12"), pricing_data: { pricing_type: "tiered", tiers } },
      { id: "calls", product: { id: "call", name: "Calls" }, ...monthly, quantity: { value: "55" }, pricing_data: { pricing_type: "volume", tiers } },
    ])] },
  },
  {
    id: "trial", title: "A trial, a discount and a minimum", about: "Two weeks for nothing, then 20 % off for three periods, and never less than 100.00.",
    asOf: "2026-03-20", request: { plan_id: "pro", business_entity_id: "shop" },
    catalog: { ...shop, plans: [pro([], { phases: [
      { name: "Trial", phase_type: "trial", duration: "P14D", pricings: [{ ...seats("10"), id: "seats_trial", pricing_data: { pricing_type: "per_unit", unit_amount: "0" } }] },
      { name: "Pro", commitments: [{ type: "minimum_spend", amount: "100.00" }], pricings: [{ ...seats("10"), discounts: [{ type: "percent", value: "20", name: "Welcome", cycles: 3 }] }] },
    ] })] },
  },
  {
    id: "usage", title: "Usage, in yen", about: "Metered and postpaid, priced by the package with some of it free: an estimate of what is expected. Yen have no decimals.",
    asOf: "2026-03-20", request: { plan_id: "pro", customer_id: "cus_1", product_overrides: [{ product_id: "reply", quantity: "12400" }] },
    catalog: {
      business_entities: [{ id: "kk", time_zone: "Asia/Tokyo", taxes: [{ name: "消費税", percent: "10", is_inclusive: true }] }],
      customers: [{ id: "cus_1", business_entity_id: "kk", credit_balance: "500" }],
      plans: [pro([{
        id: "replies", product: { id: "reply", name: "AI replies" }, billing_period: { cadence: "P1M", offset: "postpaid" },
        quantity: { type: "metered", expected: "8000" }, free_units: "500", pricing_data: { pricing_type: "package", unit_amount: "400", package_size: "1000" },
      }], { currency: "JPY" })],
    },
  },
  {
    id: "wrong", title: "Everything wrong at once", about: "All problems come together, each with its place and what to do.",
    asOf: "2026-03-20", request: { plan_id: "prp", business_entity_id: "shop", start_date: "2026-02-30", coupon: "SAVE10", product_overrides: [{ pricing_id: "seats", product_id: "seat" }] },
    catalog: { ...shop, plans: [pro([seats("10")])] },
  },
];

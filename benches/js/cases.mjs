// What is measured: a running monthly contract whose quantities change, and a new subscription of as many pricings.

export const LINES = [1, 5, 20, 200];
export const TYPES = ["quantity_update", "plan_based"];
/** In the middle of a billing period, so that an amendment prorates and credits. */
export const OPTIONS = { now: "2026-03-20T10:00:00Z", as_of: "2026-03-20" };

const FIRST_QUANTITY = 50;

/** A catalog with a plan and a contract of so many lines, and requests that differ from call to call. */
export function benchCase(lines, type = "quantity_update") {
  return { catalog: catalogOf(lines), request: type === "plan_based" ? subscription(lines) : amendment(lines) };
}

function amendment(lines) {
  return (i) => ({
    contract_id: "con_1",
    product_overrides: quantities(lines, i, (line) => ({ line_item_id: `li_${line}` })),
  });
}

function subscription(lines) {
  return (i) => ({
    plan_id: "plan_team",
    customer_id: "cus_1",
    product_overrides: quantities(lines, i, (line) => ({ pricing_id: `pri_${line}` })),
  });
}

/** The first line's quantity, more or less than the contract's but never the same, and that of the first line with tiers. */
function quantities(lines, i, target) {
  const quantity = 1 + (i % 97);
  const overrides = [{ ...target(0), quantity: String(quantity < FIRST_QUANTITY ? quantity : quantity + 1) }];
  if (lines > 1) overrides.push({ ...target(1), quantity: String(3 + ((i * 7) % 331)) });
  return overrides;
}

function catalogOf(lines) {
  const pricings = Array.from({ length: lines }, (_, line) => pricingOf(line));
  return {
    version: "bench",
    business_entities: [{
      id: "be_1",
      name: "Example GmbH",
      time_zone: "Europe/Berlin",
      taxes: [{ name: "Sales tax", percent: "8.875" }],
    }],
    customers: [{ id: "cus_1", name: "Buyer", business_entity_id: "be_1", credit_balance: "35.00" }],
    plans: [{
      id: "plan_team",
      name: "Team",
      currency: "USD",
      billing_anchor: { day_of_month: 15 },
      phases: [{ name: "Regular", pricings }],
    }],
    contracts: [{
      id: "con_1",
      customer_id: "cus_1",
      business_entity_id: "be_1",
      plan_id: "plan_team",
      currency: "USD",
      start_date: "2026-01-15",
      anchor_date: "2026-01-15",
      phases: [{
        name: "Regular",
        start_date: "2026-01-15",
        lines: pricings.map((pricing, line) => ({ ...pricing, line_item_id: `li_${line}` })),
      }],
    }],
  };
}

function pricingOf(line) {
  const pricing = {
    id: `pri_${line}`,
    product: { id: `prod_${line}`, name: `Product ${line}`, description: "As agreed" },
    billing_period: { cadence: "P1M", offset: "prepaid" },
    quantity: { type: "fixed", value: String(FIRST_QUANTITY + line) },
    pricing_data: pricingDataOf(line),
  };
  if (line % 3 === 0) pricing.discounts = [{ type: "percent", value: "7.5", name: "Loyalty" }];
  return pricing;
}

/** The four pricing models in turn. */
function pricingDataOf(line) {
  switch (line % 4) {
    case 0:
      return { pricing_type: "per_unit", unit_amount: `${12 + (line % 7)}.50` };
    case 1:
      return { pricing_type: "tiered", tiers: tiersOf(line) };
    case 2:
      return { pricing_type: "volume", tiers: tiersOf(line) };
    default:
      return { pricing_type: "package", unit_amount: `${80 + (line % 9)}.00`, package_size: "10" };
  }
}

function tiersOf(line) {
  return [
    { up_to: "10", unit_amount: `${4 + (line % 5)}.00` },
    { up_to: "50", unit_amount: "3.50" },
    { up_to: "200", unit_amount: "2.75" },
    { up_to: null, unit_amount: "1.995" },
  ];
}

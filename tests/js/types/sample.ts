// Compiled, never run: what the package's types must allow, and, by the @ts-expect-error, what they must not.

import {
  CheckoutPreviewError,
  CheckoutPreviewLoadError,
  createBillingSchedule,
  createCheckoutPreview,
  detectCheckoutType,
  init,
  PreparedCatalog,
  prepareCatalog,
  version,
  type BillingSchedule,
  type Catalog,
  type CheckoutPreview,
  type CheckoutRequest,
  type CheckoutType,
  type Invoice,
  type LineItem,
  type PricingData,
  type Problem,
  type ProblemCode,
} from "checkout-preview";

const catalog: Catalog = {
  version: "2026-11-01.3",
  settings: { checkout_ttl: "PT24H" },
  business_entities: [{ id: "be", name: "Entity", time_zone: "America/New_York", taxes: [{ name: "VAT", percent: 19 }] }],
  customers: [{ id: "cus", business_entity_id: "be", credit_balance: "20.00", taxes: [] }],
  plans: [{
    id: "pro", name: "Pro", description: null, status: "active", currency: "USD", duration: "P1Y",
    billing_anchor: { day_of_month: 1 },
    phases: [
      { name: "Trial", phase_type: "trial", duration: "P14D", pricings: [] },
      {
        name: "Paid", duration: null, taxes: [{ name: "City", percent: "1.5", is_compound: true }],
        discounts: [{ type: "percent", value: "10", name: "Launch" }],
        commitments: [{ type: "minimum_spend", amount: "50.00", charge_full_amount: false, skip_zero_amount: true }],
        service_fees: [{ type: "fixed", value: 2.5, name: "Handling" }],
        pricings: [
          {
            id: "seats", product: { id: "seat", name: "Seat", description: null }, is_enabled: true,
            billing_period: { cadence: "P1M", offset: "prepaid" }, proration_type: "day_based", free_units: "5",
            quantity: { type: "fixed", value: "10", minimum: 1, maximum: null, multiple_of: "5", allow_mid_cycle_cancellation: false },
            pricing_data: { pricing_type: "per_unit", unit_amount: "12.00" },
            discounts: [{ type: "fixed", value: "1.00", cycles: 3, name: null }],
          },
          {
            id: "calls", product: { id: "call" }, billing_period: { cadence: "P1M", offset: "postpaid" },
            quantity: { type: "metered", expected: "1000" },
            pricing_data: { pricing_type: "tiered", tiers: [{ up_to: "500", unit_amount: 2 }, { up_to: null, unit_amount: "1.5", flat_amount: "3" }] },
          },
          { id: "setup", product: { id: "setup" }, billing_period: null, pricing_data: { pricing_type: "flat_fee", unit_amount: "99" } },
        ],
      },
    ],
  }],
  contracts: [{
    id: "con", customer_id: "cus", business_entity_id: "be", plan_id: "pro", currency: "USD", status: "active",
    start_date: "2026-01-15", end_date: null, anchor_date: "2026-01-15", anchor_day: null, version: 1,
    phases: [{
      name: "Paid", phase_type: "active", start_date: "2026-01-15", end_date: null,
      lines: [{
        id: "seats", line_item_id: "li", product: { id: "seat" }, pricing_data: { pricing_type: "per_unit", unit_amount: 12 },
        quantity_entries: [{ effective_from: "2026-02-01", value: "12" }], enabled_entries: [{ effective_from: "2026-03-01", value: false }],
        dimension_entries: [{ effective_from: "2026-03-01", value: ["eu"] }],
      }],
    }],
  }],
};

const models: PricingData[] = [
  { pricing_type: "percent", percent: "2.9" },
  { pricing_type: "package", unit_amount: "8.00", package_size: 100 },
  { pricing_type: "volume", tiers: [{ up_to: null, unit_amount: "1", package_size: "10" }] },
  { pricing_type: "step", tiers: [{ up_to: "10", flat_amount: "5" }, { up_to: null, flat_amount: "9" }] },
  { pricing_type: "matrix", dimensions: ["region"], prices: [{ values: ["eu"], unit_amount: 1 }], default_unit_amount: "2" },
  { pricing_type: "matrix", dimensions: ["region"], prices: [{ values: ["eu"], tiers: [{ up_to: null, unit_amount: "1" }] }] },
  { pricing_type: "two_dimensional_tiered", tiers: [{ up_to: null }], bands: [{ up_to: null }], unit_amounts: [["1.00"]] },
];

// What has a toJSON stands for its JSON: a Date, a Temporal.PlainDate, a decimal.
const big = { toJSON: () => "14" };
const request: CheckoutRequest = {
  plan_id: "pro", contract_id: undefined, customer_id: null, start_date: new Date(), end_date: { toJSON: () => "2026-12-31" },
  customer_data: { name: "Ada", address: { lines: ["1 Road"] } }, success_url: new URL("https://example.com"),
  product_overrides: [{ pricing_id: "seats", quantity: big, effective_from: "2026-12-01" }, { product_id: "call", is_enabled: false }],
};

export async function show(): Promise<string> {
  await init();
  await init("/engine.wasm");
  await init(new Uint8Array());
  try {
    const preview: CheckoutPreview = createCheckoutPreview(request, catalog, { now: new Date(), as_of: "2026-11-22" });
    const { current_invoice, next_invoice } = preview.estimates;
    const invoices: Invoice[] = next_invoice ? [current_invoice, next_invoice] : [current_invoice];
    // What a preview gives can be stored, and sent in again.
    const again: CheckoutRequest = { product_overrides: preview.product_overrides, customer_data: preview.customer_data };
    const phases = preview.contract.phases.map((phase) => ({
      ...phase, lines: phase.lines.map((line, index) => ({ ...line, line_item_id: line.line_item_id ?? `li_${index}` })),
    }));
    createCheckoutPreview(again, { ...catalog, contracts: [{ ...preview.contract, id: "con_2", phases }] });
    phases[0]?.start_date.slice(0, 4);
    // @ts-expect-error: its lines have no ids yet
    createCheckoutPreview(again, { ...catalog, contracts: [{ ...preview.contract, id: "con_2" }] });
    const schedule: BillingSchedule = createBillingSchedule(request, catalog, 12, { as_of: "2026-11-22" });
    invoices.push(...schedule.invoices, ...(schedule.without_change ?? []));
    return invoices.flatMap(({ line_items }) => line_items.map(rowOf)).join() + version + models.length;
  } catch (error) {
    if (error instanceof CheckoutPreviewLoadError) return error.code satisfies "not_loaded" | (string & {});
    if (!(error instanceof CheckoutPreviewError)) throw error;
    const first: ProblemCode = error.code;
    const problems: readonly Problem[] = error.problems;
    return first + problems.map(({ path, message, help }) => path + message + help).join();
  }
}

function rowOf(item: LineItem): string {
  switch (item.kind) {
    case "charge":
    case "credit":
      return item.quantity + item.period.end_date + (item.proration?.days ?? 0) + (item.tiers?.length ?? 0);
    case "commitment":
    case "service_fee":
      return (item.name ?? "") + item.net_amount;
  }
}

// @ts-expect-error a field that does not exist
createCheckoutPreview({ plan: "pro" }, catalog);
// @ts-expect-error a BigInt is no quantity
createCheckoutPreview({ product_overrides: [{ quantity: 5n }] }, catalog);
// @ts-expect-error an option that does not exist
createCheckoutPreview({}, catalog, { asOf: "2026-11-22" });
// @ts-expect-error the catalog is missing
createCheckoutPreview({});
// @ts-expect-error the count is missing
createBillingSchedule({}, catalog);
// @ts-expect-error a model that does not exist
models.push({ pricing_type: "per_seat", unit_amount: "1" });
// @ts-expect-error money is a string
const amount: number = createCheckoutPreview({}, catalog).estimates.current_invoice.total;
// @ts-expect-error only the engine makes these errors
new CheckoutPreviewError();

const prepared: PreparedCatalog = prepareCatalog(catalog);
createCheckoutPreview({ plan_id: "pro" }, prepared);
createBillingSchedule({ plan_id: "pro" }, prepared, 12);
prepareCatalog(prepared).free();
prepared[Symbol.dispose]();
const checkoutType: CheckoutType = detectCheckoutType({ plan_id: "pro" });
checkoutType satisfies "plan_based" | "plan_change" | "quantity_update";
// @ts-expect-error: prepareCatalog makes them
new PreparedCatalog();
// @ts-expect-error: no catalog looks like that
prepareCatalog({ plans: {} });

/**
 * What a subscription checkout will cost: exact, and the same in the browser and on the server.
 *
 * Every rule named here (`R2.1`) is a rule of the engine's specification, which decides every amount.
 *
 * @example
 * import { init, createCheckoutPreview } from "checkout-preview";
 *
 * await init(); // needed in browsers, does nothing elsewhere
 * const preview = createCheckoutPreview({ plan_id: "pro", customer_id: "cus_1" }, catalog);
 * preview.estimates.current_invoice.amount_due; // "116.00"
 */

// ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Previews a checkout: its type, the contract as it would be, and the invoices it brings.
 *
 * The arguments are read as `JSON.stringify` would send them, so that a `Date`, a `Temporal.PlainDate` and a decimal.js
 * number just work; what JSON would silently change is refused: `NaN`, a `BigInt`, a `Map`, a function. A field that is
 * `undefined` or `null` counts as absent. What is accepted here is what the server accepts, unknown fields included.
 *
 * A catalog is read once and remembered by identity: change it, and it is still priced as it was. Give another object
 * (`{ ...catalog }` will do) whenever its contents are others; where `process.env.NODE_ENV` is `"development"`, a warning
 * tells of one that was changed.
 *
 * @param request what the buyer asks for
 * @param catalog the snapshot of plans, customers and contracts to price it by, as it is or {@link prepareCatalog | prepared}
 * @param options the moment to preview for; by default, now
 * @throws {CheckoutPreviewError} with every problem found
 * @throws {CheckoutPreviewLoadError} in a browser before {@link init} is done
 * @throws {TypeError} for a missing catalog, one that was freed, or an option that does not exist
 *
 * @example
 * createCheckoutPreview({ plan_id: "pro", customer_id: "cus_1" }, catalog, { as_of: "2026-11-22" });
 */
export function createCheckoutPreview(
  request: CheckoutRequest,
  catalog: Catalog | PreparedCatalog,
  options?: CheckoutPreviewOptions | null,
): CheckoutPreview;

/**
 * Lists the invoices to come after a checkout's current one, and for a running contract also those it would have without
 * the change: what a chart of the coming twelve months needs.
 *
 * A day on which nothing is charged has no invoice: 12 invoices are twelve months of a monthly plan, and twelve years of
 * a yearly one. What is due today is not among them; that is `estimates.current_invoice` of the preview.
 *
 * @param request as for {@link createCheckoutPreview}
 * @param catalog as for {@link createCheckoutPreview}
 * @param count how many invoices at most, 1 to 120 (R7.9); fewer come if the contract ends before, or where they lie more
 * than 100 years ahead
 * @param options as for {@link createCheckoutPreview}
 * @throws {CheckoutPreviewError} with every problem found; `invalid_type` at `/count` for no whole number of 1 to 120
 * @throws {CheckoutPreviewLoadError} in a browser before {@link init} is done
 * @throws {TypeError} for a missing catalog or count, or an option that does not exist
 *
 * @example
 * const { invoices } = createBillingSchedule({ plan_id: "pro", customer_id: "cus_1" }, catalog, 12);
 * invoices.map(({ invoice_date, amount_due }) => `${invoice_date}: ${amount_due}`); // ["2026-12-22: 116.00", …]
 */
export function createBillingSchedule(
  request: CheckoutRequest,
  catalog: Catalog | PreparedCatalog,
  count: number,
  options?: CheckoutPreviewOptions | null,
): BillingSchedule;

/**
 * Reads a catalog once, to be given to any number of previews: what a page does when its catalog has arrived, so that
 * the first preview takes no longer than the others. Whatever becomes of the catalog's object, the prepared one stays
 * as it was.
 *
 * @param catalog as for {@link createCheckoutPreview}; a prepared one is given back as it is
 * @throws {CheckoutPreviewError} with every problem of the catalog
 * @throws {CheckoutPreviewLoadError} in a browser before {@link init} is done
 *
 * @example
 * const prepared = prepareCatalog(await response.json());
 * createCheckoutPreview({ plan_id: "pro", customer_id: "cus_1" }, prepared);
 */
export function prepareCatalog(catalog: Catalog | PreparedCatalog): PreparedCatalog;

/**
 * A catalog that has been read. Its memory is given back when nothing refers to it any more, or at once by `free()`.
 *
 * @example
 * using prepared = prepareCatalog(catalog); // freed at the end of the block
 */
export class PreparedCatalog {
  private constructor();
  /**
   * Gives its memory back. A preview with it is a `TypeError` from then on; to free it again does nothing. There is one
   * handle however often it is prepared again: whoever made it frees it.
   */
  free(): void;
  /** The same, at the end of the block that a `using` stands in. */
  [Symbol.dispose](): void;
}

declare global {
  // As in TypeScript's `esnext.disposable`, for programs that do not have it among their libraries.
  interface SymbolConstructor {
    /** The method that `using` calls. */
    readonly dispose: unique symbol;
  }
}

/**
 * Tells which checkout a request asks for, by the fields present alone (R2.1): `undefined` and `null` count as absent.
 * Whether their values are any good, a preview tells.
 *
 * @param request as for {@link createCheckoutPreview}
 * @throws {CheckoutPreviewError} `plan_id_required` or `product_overrides_required`; `invalid_type` for no object
 * @throws {CheckoutPreviewLoadError} in a browser before {@link init} is done
 *
 * @example
 * detectCheckoutType({ plan_id: "pro" }); // "plan_based"
 * detectCheckoutType({ plan_id: "pro", contract_id: "con_1" }); // "plan_change"
 */
export function detectCheckoutType(request: CheckoutRequest): CheckoutType;

/** What a checkout does: begins a contract, moves one to another plan, or changes its quantities (R2.1). */
export type CheckoutType = "plan_based" | "plan_change" | "quantity_update";

/**
 * Loads the engine. A browser has to await it once before the first preview; in Node, Deno, Bun and Workers the engine is
 * there with the import, and this does nothing. Calling it again is free, and after a failure tries again.
 *
 * @param source where the wasm is: by default `engine_bg.wasm` beside the package's own script
 * @throws {CheckoutPreviewLoadError} when the engine cannot be loaded
 *
 * @example
 * await init();
 * await init("/static/engine_bg.wasm");
 */
export function init(source?: EngineSource | null): Promise<void>;

/** The version of the engine, as in a preview's `engine_version`: `"0.1.0"`, and in a release with its commit, `"0.1.0+34bfa39c1d2e"`. */
export const version: string;

/**
 * Where the engine's WebAssembly can be had from: an address (a string, a `URL` or a `Request`), a `Response` or a
 * promise of one, the bytes, or a `WebAssembly.Module`. Not named one by one, because programs for Node alone know no
 * types of the browser.
 */
export type EngineSource = string | object;

/** The moment a preview is made for. */
export interface CheckoutPreviewOptions {
  /**
   * This instant, RFC 3339 with an offset, or a `Date`, from 1970 to 2999; the browser's clock by default. It decides the
   * default of `expires_at`, and of `as_of` (R1.1).
   * @example "2026-11-22T09:30:00-05:00"
   */
  now?: DateInput | null | undefined;
  /**
   * Today, as a date in the business entity's time zone; by default the date of `now` there, by the time zones the
   * browser carries. At 23:30 in New York on 30 November it is 1 December in Berlin already.
   * @example "2026-11-22"
   */
  as_of?: DateInput | null | undefined;
}

// ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Why there is no preview: all problems at once (R2.6), the same as the server answers.
 *
 * @example
 * try { createCheckoutPreview(request, catalog) } catch (error) {
 *   if (error instanceof CheckoutPreviewError) for (const { path, message } of error.problems) show(path, message);
 * }
 */
export class CheckoutPreviewError extends Error {
  private constructor();
  /** Tells it from other errors where `instanceof` cannot, across frames. */
  readonly name: "CheckoutPreviewError";
  /** The code of the first problem: `"plan_not_found"`. */
  readonly code: ProblemCode;
  /** Every problem, in the order of the request's fields; never empty. */
  readonly problems: Problem[];
}

/** One thing that is wrong, where it is, and what to do about it (R2.6). */
export interface Problem {
  /** Which rule was broken (R2.7). */
  code: ProblemCode;
  /**
   * A JSON pointer into the request, or `/catalog/…`; `/now` and `/as_of` for the options.
   * @example "/product_overrides/0/quantity"
   */
  path: string;
  /** What is wrong, in lower case, without a full stop. */
  message: string;
  /** What to do about it. */
  help: string;
}

/** The closed list of codes (R2.7). */
export type ProblemCode =
  | "invalid_type"
  | "invalid_id"
  | "invalid_date"
  | "invalid_instant"
  | "invalid_decimal"
  | "invalid_url"
  | "customer_data_too_large"
  | "too_many_overrides"
  | "unknown_field"
  | "conflicting_fields"
  | "plan_id_required"
  | "product_overrides_required"
  | "plan_not_found"
  | "plan_not_active"
  | "currency_mismatch"
  | "contract_not_found"
  | "contract_not_active"
  | "customer_not_found"
  | "customer_mismatch"
  | "customer_id_required"
  | "business_entity_not_found"
  | "business_entity_mismatch"
  | "business_entity_id_required"
  | "guest_with_customer"
  | "guest_cannot_amend"
  | "start_date_outside_contract"
  | "end_date_not_allowed"
  | "end_date_before_start_date"
  | "expires_at_out_of_range"
  | "override_target_required"
  | "override_target_ambiguous"
  | "override_target_not_found"
  | "override_empty"
  | "override_duplicate"
  | "effective_from_out_of_range"
  | "quantity_below_minimum"
  | "quantity_above_maximum"
  | "quantity_not_a_multiple"
  | "quantity_not_applicable"
  | "catalog_invalid"
  | "nothing_changes"
  | "plan_unchanged"
  | "matrix_price_not_found"
  | "amount_out_of_range";

/** Why the engine cannot be called; `cause` is what the browser itself said. */
export class CheckoutPreviewLoadError extends Error {
  private constructor();
  /** Tells it from other errors where `instanceof` cannot, across frames. */
  readonly name: "CheckoutPreviewLoadError";
  /** Which of the reasons: `"wasm_blocked"`. */
  readonly code: LoadErrorCode;
}

/**
 * - `not_loaded`: a preview before `init` was awaited
 * - `wasm_not_fetched`: no answer, or another status than 2xx, where the wasm should be
 * - `wasm_blocked`: the page's Content-Security-Policy lacks `'wasm-unsafe-eval'` in `script-src`
 * - `wasm_unsupported`: the browser has no WebAssembly, or has it switched off
 * - `wasm_invalid`: what was loaded is not the engine
 */
export type LoadErrorCode = "not_loaded" | "wasm_not_fetched" | "wasm_blocked" | "wasm_unsupported" | "wasm_invalid";

// ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A value, or an object that stands for it in JSON by its `toJSON`: a `Date`, a `Temporal` object, a decimal. */
export type Json<T> = T | { toJSON(key?: any): T };

/**
 * A date, `YYYY-MM-DD`, in 1970-01-01..2999-12-31. A date-time means the date written in it (R1.1): beware that a
 * `Date` is written in UTC, so that `new Date(2026, 0, 15)` made in Berlin is the date 2026-01-14.
 * @example "2026-01-15"
 */
export type DateInput = Json<string>;

/**
 * A plain decimal string, or a number, which means the shortest decimal that reads back to it (R1.3): `0.1` is exactly
 * 0.1. None is negative. Quantities have at most 12 integer and 6 fraction digits, amounts 12 and 12 (R1.4).
 * @example "29.90"
 */
export type DecimalInput = Json<string> | number;

/**
 * Money: a decimal string with exactly the digits of its currency (R1.3). `Intl.NumberFormat` formats it exactly.
 * @example "29.90" // in USD; "500" in JPY, "1.250" in KWD
 */
export type Money = string;

/**
 * A decimal string without needless zeros (R1.3).
 * @example "1.5"
 */
export type Decimal = string;

/**
 * A date, `YYYY-MM-DD`. Every end date is inclusive (R1.2): a year from 2026-01-01 ends on 2026-12-31.
 * @example "2026-12-31"
 */
export type IsoDate = string;

/**
 * An instant in UTC, with a fraction of a second only where there is one (R1.1).
 * @example "2026-11-23T10:00:00Z"
 */
export type Instant = string;

/**
 * An ISO 8601 duration of one unit, `PnD`, `PnW`, `PnM` or `PnY`, 1 ≤ n ≤ 1200 (R3.1).
 * @example "P3M"
 */
export type Duration = string;

/** An ISO 4217 code: `"USD"`. */
export type Currency = string;

/** 1 to 255 printable ASCII characters without spaces: `"cus_1"`. */
export type Id = string;

/** Any value JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

// ── The request (section 2) ──────────────────────────────────────────────────────────────────────────────────────────

/**
 * What the buyer asks for. Its type follows from the fields present (R2.1): a plan alone is a new contract, a plan and
 * a contract are a plan change, a contract and overrides are a change of quantities.
 */
export interface CheckoutRequest {
  /** The plan to buy or to change to. */
  plan_id?: Id | null | undefined;
  /** The existing contract to amend. */
  contract_id?: Id | null | undefined;
  /** The day the checkout takes effect; `as_of` by default. It lies in the contract that is amended (R2.3). */
  start_date?: DateInput | null | undefined;
  /**
   * The last day of a new contract. Without it the plan's duration decides; where that is null too, the contract has
   * no end. Not allowed with `contract_id`.
   * @example "2026-12-31" // of a year from 2026-01-01
   */
  end_date?: DateInput | null | undefined;
  /** Who buys; needed unless guest (R2.2). */
  customer_id?: Id | null | undefined;
  /** Who sells; needed for guests, for others the customer's by default (R2.2). */
  business_entity_id?: Id | null | undefined;
  /** Whether the buyer is no customer yet; implied by `business_entity_id` without `customer_id`. */
  guest_checkout?: boolean | null | undefined;
  /** Kept as it is and given back: name, e-mail, address; at most 16 KiB of JSON. */
  customer_data?: object | null | undefined;
  /** When the checkout ends; `now` and the catalog's `checkout_ttl` by default, at most 30 days after `now`. */
  expires_at?: DateInput | null | undefined;
  /** Where to send the buyer after the purchase: an absolute `http` or `https` URL. */
  success_url?: Json<string> | null | undefined;
  /** Where to send the buyer who gives up: an absolute `http` or `https` URL. */
  cancel_url?: Json<string> | null | undefined;
  /** Quantities, switches and dimensions other than the plan's or the contract's; at most 1,000 (R2.4). */
  product_overrides?: readonly ProductOverride[] | null | undefined;
  /** @deprecated the older name of `product_overrides` */
  product_quantities?: readonly ProductOverride[] | null | undefined;
}

/**
 * One change to the lines it names: exactly one of the three ids, and at least one of `quantity`, `is_enabled` and
 * `dimension_values` (R2.4).
 * @example { pricing_id: "seats", quantity: "14" }
 */
export interface ProductOverride {
  /** Every pricing or line of this pricing, in any phase. */
  pricing_id?: Id | null | undefined;
  /** Every pricing or line of this product, in any phase. */
  product_id?: Id | null | undefined;
  /** One line of the contract; for changes of quantities only. */
  line_item_id?: Id | null | undefined;
  /** The new quantity, in units; on a metered line the usage expected in a billing period (R2.5). */
  quantity?: DecimalInput | null | undefined;
  /** @deprecated the older name of `quantity` */
  quantity_value?: DecimalInput | null | undefined;
  /** Whether the line is charged. */
  is_enabled?: boolean | null | undefined;
  /** From which day on; the day the checkout takes effect by default, and never before it. */
  effective_from?: DateInput | null | undefined;
  /** The values by which a matrix, or a table of two dimensions, is looked up: `["eu", "large"]`. */
  dimension_values?: readonly Json<string>[] | null | undefined;
  /** The line's new product description, at once whatever `effective_from` says. */
  description?: Json<string> | null | undefined;
}

// ── The catalog (section 3) ──────────────────────────────────────────────────────────────────────────────────────────

/** The snapshot the engine prices by. One that breaks its own rules is refused whole (R3.2). */
export interface Catalog {
  /** The snapshot's name, given back as the preview's `catalog_version`: `"2026-11-01.3"`. */
  version?: string | null | undefined;
  /** What holds for every checkout. */
  settings?: CatalogSettings | null | undefined;
  /** Who sells: their time zones, rounding and taxes. */
  business_entities?: readonly BusinessEntity[] | null | undefined;
  /** Who buys: their taxes and credit. */
  customers?: readonly Customer[] | null | undefined;
  /** What can be bought. */
  plans?: readonly Plan[] | null | undefined;
  /** What has been bought, and can be amended. */
  contracts?: readonly Contract[] | null | undefined;
}

/** What holds for every checkout. */
export interface CatalogSettings {
  /** How long a checkout lives: `PTnH` or `PTnM` (R3.1); `"PT24H"` by default. */
  checkout_ttl?: string | null | undefined;
}

/** A seller. */
export interface BusinessEntity {
  /** Named by requests, customers and contracts: `"acme_us"`. */
  id: Id;
  /** For people: `"Acme Inc."`. */
  name?: string | null | undefined;
  /** Its IANA time zone, which decides what day it is: `"America/New_York"`. */
  time_zone?: string | null | undefined;
  /** How amounts are rounded to the currency's minor unit: halves away from zero by default (R1.6). */
  rounding?: "half_up" | "half_even" | null | undefined;
  /** The taxes of customers and lines that have none of their own (R8.1). */
  taxes?: readonly Tax[] | null | undefined;
}

/** A buyer. */
export interface Customer {
  /** Named by requests and contracts: `"cus_1"`. */
  id: Id;
  /** For people: `"Juniper & Vale"`. */
  name?: string | null | undefined;
  /** Who sells to them where the request does not say (R2.2). */
  business_entity_id?: Id | null | undefined;
  /** No taxes at all (R8.1). */
  tax_exempt?: boolean | null | undefined;
  /** Instead of the business entity's; an empty list means none (R8.1). */
  taxes?: readonly Tax[] | null | undefined;
  /** What is set off against invoices, in the currency's major units (R8.5): `"20.00"`. */
  credit_balance?: DecimalInput | null | undefined;
}

/** A template of contracts. */
export interface Plan {
  /** Named by requests and contracts: `"pro"`. */
  id: Id;
  /** For people: `"Pro"`. */
  name?: string | null | undefined;
  /** For people. */
  description?: string | null | undefined;
  /** Only an active plan can be bought. */
  status?: "active" | "draft" | "archived" | null | undefined;
  /** What everything in it is priced in. */
  currency: Currency;
  /** How long its contracts last: `"P1Y"`; null for ever. */
  duration?: Duration | null | undefined;
  /** The day its billing periods are counted from (R5.2). */
  billing_anchor?: BillingAnchor | null | undefined;
  /** One after the other, from the contract's start (R5.3). */
  phases: readonly PlanPhase[];
}

/**
 * The start of the first phase that is no trial, or the first such day on or after it (R5.2): the 31st is the last day
 * of a shorter month.
 */
export type BillingAnchor =
  | "start_date"
  | { day_of_month: number }
  | { month_of_year: number; day_of_month: number }
  | { day_of_week: "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday" };

/** What the phases of plans and of contracts share: what applies to all their lines together (R8.2). */
export interface PhaseFeatures {
  /** For people, on the line items of its charges: `"First three months"`. */
  name?: string | null | undefined;
  /** A trial charges its one-time lines and nothing else (R5.4). */
  phase_type?: "active" | "trial" | null | undefined;
  /** Taken off its charges in an invoice, each on what the ones before left (R8.2). */
  discounts?: readonly Discount[] | null | undefined;
  /** Compared with what its charges in an invoice come to after discounts (R8.2). */
  commitments?: readonly Commitment[] | null | undefined;
  /** Added to an invoice that has a charge of it (R8.2). */
  service_fees?: readonly ServiceFee[] | null | undefined;
  /** Instead of the customer's; an empty list means none (R8.1). */
  taxes?: readonly Tax[] | null | undefined;
}

/** A stretch of a plan. */
export interface PlanPhase extends PhaseFeatures {
  /** How long it lasts: `"P3M"`; null only on the last phase. */
  duration?: Duration | null | undefined;
  /** What a customer gets in it. */
  pricings?: readonly Pricing[] | null | undefined;
}

/** One product with one price, billing period and quantity. */
export interface Pricing {
  /** Its id, one of its kind in the plan. */
  id: Id;
  /** What is sold. */
  product: Product;
  /** Whether it is charged; true by default, and an override can switch it. */
  is_enabled?: boolean | null | undefined;
  /** How often it is charged; null for a one-time charge. */
  billing_period?: BillingPeriod | null | undefined;
  /** How many: bought (1 by default), or measured. */
  quantity?: FixedQuantity | MeteredQuantity | null | undefined;
  /** The pricing model and its prices. */
  pricing_data: PricingData;
  /** Whether a part of a billing period costs its share of days (R5.6). */
  proration_type?: "day_based" | "none" | null | undefined;
  /** Units that cost nothing: `"5"`. */
  free_units?: DecimalInput | null | undefined;
  /** Taken off each of its charges, in order (R6.2). */
  discounts?: readonly PricingDiscount[] | null | undefined;
  /** The floor and the ceiling of each of its charges (R6.3). */
  commitments?: readonly Commitment[] | null | undefined;
  /** Instead of the phase's; an empty list means none (R8.1). */
  taxes?: readonly Tax[] | null | undefined;
  /** The values by which a matrix, or a table of two dimensions, is looked up: `["eu", "large"]`. */
  dimension_values?: readonly Json<string>[] | null | undefined;
}

/** What is sold. */
export interface Product {
  /** Named by overrides: `"seat"`. */
  id: Id;
  /** For people, on line items: `"Seat"`. */
  name?: string | null | undefined;
  /** For people, on line items; an override can replace it. */
  description?: string | null | undefined;
}

/** How often a line is charged, and at which end. */
export interface BillingPeriod {
  /** `"P1M"`: months and years are counted from the anchor, 01-31, 02-28, 03-31 (R5.1). */
  cadence: Duration;
  /** Due on the first day of the period, or on the day after its last (R5.7). */
  offset: "prepaid" | "postpaid";
}

/** A quantity that is bought. */
export interface FixedQuantity {
  /** A quantity that is bought; the default, so that a contract gives `type` back only where its catalog says it. */
  type?: "fixed" | null | undefined;
  /** In units; 1 by default. */
  value?: DecimalInput | null | undefined;
  /** The least an override may ask for: `"1"`. */
  minimum?: DecimalInput | null | undefined;
  /** The most an override may ask for: `"500"`. */
  maximum?: DecimalInput | null | undefined;
  /** Only multiples of this can be bought: `"5"`. */
  multiple_of?: DecimalInput | null | undefined;
  /** With `false`, a fall waits for the next billing period (R7.7). */
  allow_mid_cycle_cancellation?: boolean | null | undefined;
}

/** A quantity that is measured; a preview estimates with what is expected (R2.5). */
export interface MeteredQuantity {
  /** A quantity that is measured. */
  type: "metered";
  /** The usage expected in a billing period, in units; 0 by default. */
  expected?: DecimalInput | null | undefined;
}

/** A pricing model (section 4), at whose prices a quantity becomes an amount. */
export type PricingData =
  | FlatFee
  | PerUnit
  | PercentPrice
  | PackagePrice
  | TieredPrice
  | VolumePrice
  | StepPrice
  | MatrixPrice
  | TwoDimensionalPrice;

/** `unit_amount`, whatever the quantity. */
export interface FlatFee {
  /** One price for any quantity. */
  pricing_type: "flat_fee";
  /** In the currency's major units: `"99.00"`. */
  unit_amount: DecimalInput;
}

/** Quantity × `unit_amount`. */
export interface PerUnit {
  /** A price for each unit. */
  pricing_type: "per_unit";
  /** Of one unit, in the currency's major units: `"12.00"`. */
  unit_amount: DecimalInput;
}

/** Quantity × `percent` / 100; the quantity is an amount of money. */
export interface PercentPrice {
  /** A share of an amount of money. */
  pricing_type: "percent";
  /** `"2.9"`. */
  percent: DecimalInput;
}

/** `unit_amount` for every package begun: 301 units in packages of 100 for 8.00 are 32.00 (R4.3). */
export interface PackagePrice {
  /** A price for each package begun. */
  pricing_type: "package";
  /** Of one package, in the currency's major units: `"8.00"`. */
  unit_amount: DecimalInput;
  /** In units, above 0: `"100"`. */
  package_size: DecimalInput;
}

/** Each unit at the price of the tier it falls into: 2.00/1.50/1.00 at 500/2000/∞, 1,500 units are 2500 (R4.3). */
export interface TieredPrice {
  /** Tiers that each price their own units; the names are one model. */
  pricing_type: "tiered" | "tiered_with_flat_fee" | "custom_tiered";
  /** Ascending; the last one has no end. */
  tiers: readonly Tier[];
}

/** All units at the price of the tier the quantity falls into: the same tiers, 1,500 units are 2250 (R4.3). */
export interface VolumePrice {
  /** Tiers of which one prices all units; the names are one model. */
  pricing_type: "volume" | "volume_with_flat_fee";
  /** Ascending; the last one has no end. */
  tiers: readonly Tier[];
}

/** One tier: it holds what is above the last one's `up_to` and up to its own, fractions included (R4.1). */
export interface Tier {
  /** In units; null in the last tier, and only there. */
  up_to: DecimalInput | null;
  /** Of one unit, or of one package, in the currency's major units: `"1.50"`. */
  unit_amount: DecimalInput;
  /** Due once when the tier is entered; the first is entered at a quantity of 0. */
  flat_amount?: DecimalInput | null | undefined;
  /** With it, `unit_amount` is the price of every package begun. */
  package_size?: DecimalInput | null | undefined;
}

/** The `flat_amount` of the tier the quantity falls into. */
export interface StepPrice {
  /** Tiers with one price each, whatever the quantity in them. */
  pricing_type: "step";
  /** Ascending; the last one has no end. */
  tiers: readonly { up_to: DecimalInput | null; flat_amount: DecimalInput }[];
}

/** The price whose values are the line's `dimension_values`. */
export interface MatrixPrice {
  /** A price for each combination of values. */
  pricing_type: "matrix";
  /** `["region", "size"]`. */
  dimensions: readonly string[];
  /**
   * One for each combination, in the order of `dimensions`; with tiers, the tier that holds the quantity prices all of
   * it.
   */
  prices: readonly (
    | { values: readonly string[]; unit_amount: DecimalInput }
    | { values: readonly string[]; tiers: readonly { up_to: DecimalInput | null; unit_amount: DecimalInput }[] }
  )[];
  /** For other values; without it they are the problem `matrix_price_not_found`. */
  default_unit_amount?: DecimalInput | null | undefined;
}

/** The line's single `dimension_values` number picks the band; the quantity is graduated over the tiers of it. */
export interface TwoDimensionalPrice {
  /** Tiers by quantity, and bands by a number of the line. */
  pricing_type: "two_dimensional_tiered";
  /** By the quantity; ascending, the last one has no end. */
  tiers: readonly { up_to: DecimalInput | null }[];
  /** By the line's number; ascending, the last one has no end. */
  bands: readonly { up_to: DecimalInput | null }[];
  /** `unit_amounts[tier][band]`. */
  unit_amounts: readonly (readonly DecimalInput[])[];
}

/** What is taken off, each discount on what the ones before it left (R6.2, R8.2). */
export interface Discount {
  /** A share of what is left, or an amount, at most what is left. */
  type: "percent" | "fixed";
  /** Percent (`"12.5"`, at most 100), or an amount in the currency's major units. */
  value: DecimalInput;
  /** For people: `"Launch offer"`. */
  name?: string | null | undefined;
}

/** A discount of a line. */
export interface PricingDiscount extends Discount {
  /** In how many of the line's first billing periods it applies; null for all. A stub counts as one. */
  cycles?: number | null | undefined;
}

/** A floor or a ceiling of what is spent (R6.3, R8.2). */
export interface Commitment {
  /** The least to be charged, or the most. */
  type: "minimum_spend" | "maximum_spend";
  /** In the currency's major units: `"50.00"`. */
  amount: DecimalInput;
  /** Whether it is due in full for a part of a billing period; of lines only. */
  charge_full_amount?: boolean | null | undefined;
  /** Whether a minimum leaves alone what costs nothing. */
  skip_zero_amount?: boolean | null | undefined;
}

/** What is added to a phase's charges (R8.2). */
export interface ServiceFee {
  /** A share of the phase's charges after discounts and commitments, or an amount. */
  type: "percent" | "fixed";
  /** Percent (`"2.5"`), or an amount in the currency's major units. */
  value: DecimalInput;
  /** The name of its line item: `"Handling"`. */
  name?: string | null | undefined;
}

/** A tax (R8.3). */
export interface Tax {
  /** For people, and adds up with others of its name and percent: `"VAT"`. */
  name?: string | null | undefined;
  /** `"19"`, `"9.975"`. */
  percent: DecimalInput;
  /** Whether prices hold it already; not beside exclusive taxes in one list. */
  is_inclusive?: boolean | null | undefined;
  /** Whether it is charged on the taxes before it, too. */
  is_compound?: boolean | null | undefined;
}

/** What a customer has: phases with real dates, each holding lines. A preview's contract is one, as soon as it and its new lines have ids. */
export interface Contract {
  /** Named by requests: `"con_1"`. */
  id: Id;
  /** Who has it. */
  customer_id?: Id | null | undefined;
  /** Who sold it. */
  business_entity_id?: Id | null | undefined;
  /** The plan it was made from, or last moved to. */
  plan_id?: Id | null | undefined;
  /** What everything on it is priced in. */
  currency: Currency;
  /** Only an active contract can be amended. */
  status?: string | null | undefined;
  /** Its first day. */
  start_date: DateInput;
  /** Its last day; null for ever. */
  end_date?: DateInput | null | undefined;
  /** The day billing periods are counted from (R5.1). */
  anchor_date: DateInput;
  /** The day of the month they keep, 1 to 31, where it is not `anchor_date`'s: with 31, 02-28 is followed by 03-31. */
  anchor_day?: number | null | undefined;
  /** How often it was amended, counted by whoever stores it. */
  version?: number | null | undefined;
  /** In order, none overlapping the next. */
  phases: readonly ContractPhase[];
}

/** A stretch of a contract. */
export interface ContractPhase extends PhaseFeatures {
  /** Its first day. */
  start_date: DateInput;
  /** Its last day; null for ever. */
  end_date?: DateInput | null | undefined;
  /** Instead of the contract's. */
  anchor_date?: DateInput | null | undefined;
  /** Instead of the contract's. */
  anchor_day?: number | null | undefined;
  /** What the customer has in it. */
  lines: readonly Line[];
}

/** A pricing on a contract, with what has changed since. */
export interface Line extends Pricing {
  /** Its own id in the contract. */
  line_item_id: Id;
  /** Sorted; the last at or before a day counts, before the first the line's own quantity. */
  quantity_entries?: readonly Entry<DecimalInput>[] | null | undefined;
  /** Whether it is charged from a day on; sorted as `quantity_entries`. */
  enabled_entries?: readonly Entry<boolean>[] | null | undefined;
  /** Its `dimension_values` from a day on; sorted as `quantity_entries`. */
  dimension_entries?: readonly Entry<readonly string[]>[] | null | undefined;
}

/** A value from a day on. */
export interface Entry<T> {
  /** The first day it holds for. */
  effective_from: DateInput;
  /** What holds from that day. */
  value: T;
}

// ── The preview (section 9) ──────────────────────────────────────────────────────────────────────────────────────────

/** What a checkout comes to. Plain data: `JSON.stringify` of it is, byte for byte, what the server answers. */
export interface CheckoutPreview {
  /** Which checkout it is, by the fields of the request (R2.1). */
  checkout_type: CheckoutType;
  /** The plan bought; the contract's own where only quantities change. */
  plan_id: Id | null;
  /** The contract amended; null for a new one. */
  contract_id: Id | null;
  /** Null for a guest. */
  customer_id: Id | null;
  /** Who sells: the request's, or else the contract's or customer's (R2.2). */
  business_entity_id: Id | null;
  /** Whether the buyer is no customer yet (R2.2). */
  guest_checkout: boolean;
  /** As it was sent. */
  customer_data: { [key: string]: JsonValue } | null;
  /** The day the checkout takes effect. */
  start_date: IsoDate;
  /** The contract's last day; null for ever. */
  end_date: IsoDate | null;
  /** When the checkout ends. */
  expires_at: Instant;
  /** As it was sent. */
  success_url: string | null;
  /** As it was sent. */
  cancel_url: string | null;
  /** As they were sent, under this name. */
  product_overrides: ProductOverride[] | null;
  /** What all its amounts are in. */
  currency: Currency;
  /** The contract as it would be: `id` is null and `version` 0 for a new one. */
  contract: PreviewContract;
  /** What will be charged. */
  estimates: Estimates;
  /** The day it is a preview of. */
  as_of: IsoDate;
  /** The `version` of the catalog it was priced from: `"2026-11-01.3"`. */
  catalog_version: string | null;
  /** `"0.1.0"`. */
  engine_version: string;
}

/** The invoices after the current one (R7.9). */
export interface BillingSchedule {
  /** Which checkout it is, by the fields of the request (R2.1). */
  checkout_type: CheckoutType;
  /** The plan bought; the contract's own where only quantities change. */
  plan_id: Id | null;
  /** The contract amended; null for a new one. */
  contract_id: Id | null;
  /** The day the checkout takes effect. */
  start_date: IsoDate;
  /** What all its amounts are in. */
  currency: Currency;
  /** Earliest first; the first is the preview's `next_invoice`. They begin after today, or after a later `start_date`. */
  invoices: Invoice[];
  /**
   * As many invoices of the contract as it is, from the day after today on, with everything that comes by itself: phases,
   * discounts that run out. Null for a new contract.
   */
  without_change: Invoice[] | null;
  /** The day it is the schedule of. */
  as_of: IsoDate;
  /** The `version` of the catalog it was priced from: `"2026-11-01.3"`. */
  catalog_version: string | null;
  /** `"0.1.0"`. */
  engine_version: string;
}

/** What will be charged. */
export interface Estimates {
  /** All that is due by today or by the day the checkout takes effect; there even when it is empty (R7.4). */
  current_invoice: Invoice;
  /** All that is due on the next day on which something is; null if nothing is any more (R7.5). */
  next_invoice: Invoice | null;
}

/** A contract in the shape of the catalog's; a new one, and its lines, have no ids yet. */
export interface PreviewContract {
  /** Null for a new contract. */
  id: Id | null;
  /** Null for a guest. */
  customer_id: Id | null;
  /** Who sells. */
  business_entity_id: Id | null;
  /** The plan it is made from, or moved to. */
  plan_id: Id | null;
  /** What everything on it is priced in. */
  currency: Currency;
  /** It would be active. */
  status: "active";
  /** Its first day. */
  start_date: IsoDate;
  /** Its last day; null for ever. */
  end_date: IsoDate | null;
  /** The day billing periods are counted from (R5.1). */
  anchor_date: IsoDate;
  /** The day of the month they keep, where it is not `anchor_date`'s. */
  anchor_day: number | null;
  /** 0 for a new contract; an amended one keeps its version. */
  version: number;
  /** In order; entries of lines only for days after their first (section 9). */
  phases: PreviewPhase[];
}

/** A stretch of a preview's contract. */
export interface PreviewPhase extends PhaseFeatures {
  /** For people. */
  name: string | null;
  /** Whether nothing is charged in it. */
  phase_type: "trial" | "active";
  /** Its first day. */
  start_date: IsoDate;
  /** Its last day; null for ever. */
  end_date: IsoDate | null;
  /** Instead of the contract's. */
  anchor_date: IsoDate | null;
  /** Instead of the contract's. */
  anchor_day: number | null;
  /** What the customer has in it. */
  lines: PreviewLine[];
}

/** A line of a preview's contract: the pricing as it was written, with what the checkout makes of it. */
export interface PreviewLine extends Pricing {
  /** Null on a line that the checkout adds. */
  line_item_id: Id | null;
  /** The quantity from a day on, by this checkout or one before; sorted. */
  quantity_entries: { effective_from: IsoDate; value: Decimal }[];
  /** Whether it is charged from a day on; sorted. */
  enabled_entries: { effective_from: IsoDate; value: boolean }[];
  /** Its `dimension_values` from a day on; sorted. */
  dimension_entries: { effective_from: IsoDate; value: string[] }[];
}

/** What is charged on one day (section 8). */
export interface Invoice {
  /** The day it is due. */
  invoice_date: IsoDate;
  /** What all its amounts are in. */
  currency: Currency;
  /** Credits first, then charges by phase, line and day, a phase's commitments and fees after its charges (R7.6). */
  line_items: LineItem[];
  /** All taxes, added up by name and percent. */
  taxes: { name: string | null; percent: Decimal; amount: Money }[];
  /** Charges, credits, commitments and fees together. */
  subtotal: Money;
  /** What the phases' discounts take off: a positive number. */
  discount_total: Money;
  /** All tax, inclusive tax too. */
  tax_total: Money;
  /** `subtotal` less `discount_total` plus exclusive tax (R8.4); may be negative. */
  total: Money;
  /** What the customer's credit pays of it (R8.5). */
  credit_applied: Money;
  /** What is left to pay; not below 0. */
  amount_due: Money;
  /** What credit is left for later invoices. */
  credit_carried_forward: Money;
}

/** One row of an invoice. */
export type LineItem = ChargeLineItem | PhaseLineItem;

/** What every row has. */
export interface LineItemAmounts {
  /** The phase's name. */
  phase: string | null;
  /** Whether it is priced with expected usage (R2.5). */
  is_estimate: boolean;
  /** The amount before discounts and commitments; negative for a credit (R6.1). */
  subtotal: Money;
  /** What the line's own discounts take off: a positive number (R6.2). */
  discount_amount: Money;
  /** What a minimum spend adds, or, negative, a maximum takes off (R6.3). */
  commitment_amount: Money;
  /** What is left (R6.4). */
  net_amount: Money;
  /** What the phase's discounts take off it: a positive number (R8.2). */
  phase_discount_amount: Money;
  /** All its tax, inclusive tax too; negative for a credit (R8.3). */
  tax_amount: Money;
  /** Its taxes one by one, in the order of its list. */
  taxes: { name: string | null; amount: Money }[];
}

/** A charge of a line for some days, or the credit for one that was billed. */
export interface ChargeLineItem extends LineItemAmounts {
  /** To be paid, or given back (R7.3). */
  kind: "charge" | "credit";
  /** Absent on lines of a contract that is not stored yet. */
  line_item_id?: Id;
  /** The pricing it charges for. */
  pricing_id: Id;
  /** The product it charges for. */
  product_id: Id;
  /** The product's name. */
  name: string | null;
  /** The product's, or the override's. */
  description: string | null;
  /** How the amount was found: `"per_unit"`. */
  pricing_type: PricingData["pricing_type"];
  /** In units. */
  quantity: Decimal;
  /** How many of them cost nothing. */
  free_units: Decimal;
  /** The days it is for, the last one included. */
  period: { start_date: IsoDate; end_date: IsoDate };
  /** Its days and those of the whole billing period (R5.6): 26 of 31. Null where nothing is prorated. */
  proration: { days: number; period_days: number } | null;
  /** The tiers entered, for the whole period (R4.2); not on credits. */
  tiers?: TierRow[];
}

/** A phase's commitment (negative for a maximum spend) or service fee (R8.2). */
export interface PhaseLineItem extends LineItemAmounts {
  /** The difference to a phase's commitment, or a fee on its charges. */
  kind: "commitment" | "service_fee";
  /** Never there: it belongs to no line. */
  line_item_id?: Id;
  /** It belongs to no pricing. */
  pricing_id: null;
  /** It belongs to no product. */
  product_id: null;
  /** A fee's own name; null for a commitment. */
  name: string | null;
  /** It belongs to no product. */
  description: null;
  /** It has no price. */
  pricing_type: null;
  /** It has no quantity. */
  quantity: null;
  /** It has no quantity. */
  free_units: null;
  /** It is for the whole invoice. */
  period: null;
  /** It is never prorated. */
  proration: null;
}

/** One tier of a charge, its amounts exact and not rounded (R4.2). */
export interface TierRow {
  /** Where the tier begins, itself not in it: `"500"`. */
  from: Decimal;
  /** Null in the last tier. */
  to: Decimal | null;
  /** How many units fall into it. */
  quantity: Decimal;
  /** Of one unit, or of one package. */
  unit_amount: Decimal;
  /** Due once for the tier; `"0"` where there is none. */
  flat_amount: Decimal;
  /** What the tier comes to, before share and rounding. */
  amount: Decimal;
}

// The catalog, read once: decimals parsed, days counted, lines by the ids that name them.
//
// What the benchmark's cases do not hold is refused here, so that nothing is previewed wrongly.

import { NEVER, readDay, readDuration } from "./days.mjs";

export const NONE = Object.freeze([]);
export const PER_UNIT = 0, PACKAGE = 1, TIERED = 2, VOLUME = 3;
export const QUANTITY = /^\d{1,12}(?:\.\d{1,6})?$/;

const RATE = /^\d{1,12}(?:\.\d{1,12})?$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;
const DIGITS = new Map([["USD", 2], ["EUR", 2], ["GBP", 2], ["CHF", 2], ["JPY", 0], ["KRW", 0], ["KWD", 3], ["BHD", 3]]);
const MODELS = new Map([
  ["per_unit", PER_UNIT], ["package", PACKAGE], ["tiered", TIERED], ["tiered_with_flat_fee", TIERED],
  ["custom_tiered", TIERED], ["volume", VOLUME], ["volume_with_flat_fee", VOLUME],
]);
const FEATURES = ["discounts", "commitments", "service_fees", "taxes"];
/** The fields of a line that have a place of their own in a contract. */
const LINE_FIELDS = new Set([
  "product", "is_enabled", "quantity", "dimension_values", "line_item_id", "quantity_entries", "enabled_entries",
  "dimension_entries",
]);

/** Refuses what this is not written for. */
export function unsupported(what) {
  throw new Error(`${what}: not among what is measured`);
}

/** Reads catalogs, and decimals, with the arithmetic of a library. */
export function catalogReader({ Decimal, isZero, packages }) {
  const ZERO = new Decimal(0), ONE = new Decimal(1);

  /** A decimal, how it is written without needless zeros, and the double next to it; `null` if it is none. */
  function decimalOf(value, form) {
    if (typeof value === "number" ? !Number.isFinite(value) : !(typeof value === "string" && DECIMAL.test(value))) return null;
    const decimal = new Decimal(value);
    const text = decimal.toFixed();
    return form.test(text) ? { value: isZero(decimal) ? ZERO : decimal, text, near: +text } : null;
  }

  function required(value, form) {
    return decimalOf(value, form) ?? unsupported(`${value} as a decimal`);
  }

  const optional = (value, form) => (value == null ? null : required(value, form));

  /** All that a preview needs of a catalog. */
  function prepare(catalog) {
    const byId = (list, read) => new Map((list ?? NONE).map((raw) => [raw.id, read(raw)]));
    const hours = /^PT(\d+)([HM])$/.exec(catalog.settings?.checkout_ttl ?? "PT24H");
    return {
      version: catalog.version ?? null,
      checkoutTtl: +hours[1] * (hours[2] === "H" ? 3_600_000 : 60_000),
      entities: byId(catalog.business_entities, (raw) => ({
        id: raw.id,
        isHalfEven: raw.rounding === "half_even",
        taxes: taxesOf(raw.taxes),
      })),
      customers: byId(catalog.customers, (raw) => ({
        id: raw.id,
        entityId: raw.business_entity_id ?? null,
        isExempt: raw.tax_exempt ?? false,
        taxes: taxesOf(raw.taxes),
        balance: required(raw.credit_balance ?? "0", RATE).value,
      })),
      plans: byId(catalog.plans, planOf),
      contracts: byId(catalog.contracts, contractOf),
    };
  }

  function planOf(raw) {
    const anchor = raw.billing_anchor ?? "start_date";
    if (anchor !== "start_date" && (anchor.day_of_month == null || anchor.month_of_year != null)) unsupported("the anchor");
    const phases = phasesOf(raw.phases, "pricings");
    return {
      id: raw.id,
      isActive: (raw.status ?? "active") === "active",
      currency: raw.currency,
      digits: DIGITS.get(raw.currency) ?? unsupported(raw.currency),
      duration: raw.duration == null ? null : readDuration(raw.duration),
      anchorDate: anchor === "start_date" ? null : anchor.day_of_month,
      phases,
      targets: targetsOf(phases),
    };
  }

  function contractOf(raw) {
    const phases = phasesOf(raw.phases, "lines");
    return {
      id: raw.id,
      customerId: raw.customer_id ?? null,
      entityId: raw.business_entity_id ?? null,
      planId: raw.plan_id ?? null,
      isActive: (raw.status ?? "active") === "active",
      currency: raw.currency,
      digits: DIGITS.get(raw.currency) ?? unsupported(raw.currency),
      start: readDay(raw.start_date),
      end: raw.end_date == null ? NEVER : readDay(raw.end_date) + 1,
      anchor: readDay(raw.anchor_date),
      anchorDate: raw.anchor_day ?? null,
      version: raw.version ?? 1,
      phases,
      targets: targetsOf(phases),
    };
  }

  function phasesOf(list, linesName) {
    return (list ?? NONE).map((raw) => {
      if (raw.phase_type === "trial") unsupported("a trial");
      const written = Object.fromEntries(Object.entries(raw).filter(([name]) => FEATURES.includes(name)));
      for (const name in written) if (name !== "taxes" && written[name]?.length > 0) unsupported(`${name} of a phase`);
      const cadences = [];
      return {
        name: raw.name ?? null,
        start: raw.start_date == null ? NaN : readDay(raw.start_date),
        end: raw.end_date == null ? NEVER : readDay(raw.end_date) + 1,
        anchor: raw.anchor_date == null ? null : readDay(raw.anchor_date),
        anchorDate: raw.anchor_day ?? null,
        duration: raw.duration == null ? null : readDuration(raw.duration),
        taxes: taxesOf(raw.taxes),
        lines: (raw[linesName] ?? NONE).map((line) => lineOf(line, cadences)),
        cadences,
        written,
      };
    });
  }

  function refuseUnsupported(raw, quantity) {
    if (raw.billing_period == null || quantity.type === "metered") unsupported("a one-time or metered line");
    if (raw.is_enabled === false || raw.enabled_entries?.length > 0) unsupported("a line that is switched off");
    if (raw.proration_type === "none" || quantity.allow_mid_cycle_cancellation === false) unsupported("a line not prorated");
    if (raw.commitments?.length > 0) unsupported("commitments");
  }

  function lineOf(raw, cadences) {
    const quantity = raw.quantity ?? {};
    refuseUnsupported(raw, quantity);
    let cadence = cadences.findIndex((known) => known.text === raw.billing_period.cadence);
    if (cadence < 0) {
      cadence = cadences.push({ text: raw.billing_period.cadence, ...readDuration(raw.billing_period.cadence) }) - 1;
    }
    const entries = raw.quantity_entries ?? NONE;
    const freeUnits = required(raw.free_units ?? "0", QUANTITY);
    return {
      lineItemId: raw.line_item_id ?? null,
      id: raw.id,
      productId: raw.product.id,
      name: raw.product.name ?? null,
      description: raw.product.description ?? null,
      pricingType: raw.pricing_data.pricing_type,
      model: modelOf(raw.pricing_data),
      cadence,
      isPrepaid: raw.billing_period.offset === "prepaid",
      timeline: {
        first: required(quantity.value ?? "1", QUANTITY),
        days: entries.map((entry) => readDay(entry.effective_from)),
        values: entries.map((entry) => required(entry.value, QUANTITY)),
      },
      minimum: optional(quantity.minimum, QUANTITY)?.value ?? null,
      maximum: optional(quantity.maximum, QUANTITY)?.value ?? null,
      multipleOf: optional(quantity.multiple_of, QUANTITY)?.value ?? null,
      freeUnits: isZero(freeUnits.value) ? null : freeUnits.value,
      freeUnitsText: freeUnits.text,
      discounts: (raw.discounts ?? NONE).map(discountOf),
      taxes: taxesOf(raw.taxes),
      written: writtenOf(raw),
    };
  }

  function modelOf(data) {
    const kind = MODELS.get(data.pricing_type) ?? unsupported(data.pricing_type);
    const isTiered = kind === TIERED || kind === VOLUME;
    return {
      kind,
      unitAmount: isTiered ? ZERO : required(data.unit_amount, RATE).value,
      packageSize: kind === PACKAGE ? required(data.package_size, QUANTITY).value : null,
      tiers: isTiered ? tiersOf(data.tiers) : NONE,
    };
  }

  /** Tiers, each with what all of it costs and what those before it do. */
  function tiersOf(list) {
    let from = decimalOf("0", QUANTITY), before = ZERO;
    return list.map((raw) => {
      const upTo = optional(raw.up_to, QUANTITY);
      const unitAmount = required(raw.unit_amount, RATE), flatAmount = required(raw.flat_amount ?? "0", RATE);
      const tier = {
        from: from.value,
        fromText: from.text,
        upTo: upTo === null ? null : upTo.value,
        nearUpTo: upTo === null ? Infinity : upTo.near,
        toText: upTo === null ? null : upTo.text,
        unitAmount: unitAmount.value,
        unitAmountText: unitAmount.text,
        flatAmount: isZero(flatAmount.value) ? null : flatAmount.value,
        flatAmountText: flatAmount.text,
        packageSize: optional(raw.package_size, QUANTITY)?.value ?? null,
        before,
        widthText: "",
        amountText: "",
      };
      if (upTo !== null) {
        const width = upTo.value.minus(from.value), amount = tierAmount(tier, width);
        tier.widthText = width.toFixed();
        tier.amountText = amount.toFixed();
        before = before.plus(amount);
        from = upTo;
      }
      return tier;
    });
  }

  function discountOf(raw) {
    const { value } = required(raw.value, RATE);
    const isPercent = raw.type === "percent";
    return { isPercent, factor: isPercent ? factorOf(value) : ZERO, value, cycles: raw.cycles ?? null };
  }

  function tierAmount(tier, units) {
    const amount = tier.unitAmount.times(tier.packageSize === null ? units : packages(units, tier.packageSize));
    return tier.flatAmount === null ? amount : amount.plus(tier.flatAmount);
  }

  /** A percentage as a factor, exactly: two places more than it has. */
  function factorOf(percent) {
    return percent.times("0.01");
  }

  /** A list of taxes; `null` where it is inherited. */
  function taxesOf(list) {
    if (list == null) return null;
    const taxes = list.map((raw) => {
      const percent = required(raw.percent, RATE);
      return {
        name: raw.name ?? null,
        percent: percent.value,
        percentText: percent.text,
        factor: factorOf(percent.value),
        isCompound: raw.is_compound ?? false,
      };
    });
    const percents = taxes.reduce((sum, tax) => sum.plus(tax.percent), ZERO);
    return { taxes, isInclusive: list[0]?.is_inclusive ?? false, percents, divisor: factorOf(percents).plus(ONE) };
  }

  return { decimalOf, tierAmount, prepare };
}

/** The lines that overrides may name, by each of the three ids. */
function targetsOf(phases) {
  const targets = { pricing_id: new Map(), product_id: new Map(), line_item_id: new Map() };
  const add = (map, id, line) => (map.has(id) ? map.get(id).push(line) : map.set(id, [line]));
  for (const line of phases.flatMap((phase) => phase.lines)) {
    add(targets.pricing_id, line.id, line);
    add(targets.product_id, line.productId, line);
    add(targets.line_item_id, line.lineItemId, line);
  }
  return targets;
}

/** How a line is written into a contract: its fields in their order, those that a preview fills in last. */
function writtenOf(raw) {
  const written = {};
  const isNew = raw.line_item_id == null;
  for (const name in raw) {
    if (LINE_FIELDS.has(name)) continue;
    written[name] = raw[name];
    if (name === "id") written.product = raw.product;
  }
  if (isNew || "is_enabled" in raw) written.is_enabled = true;
  if (isNew || "quantity" in raw) written.quantity = raw.quantity ?? { type: "fixed", value: "1" };
  if ("dimension_values" in raw) written.dimension_values = raw.dimension_values ?? [];
  return { ...written, line_item_id: raw.line_item_id ?? null, quantity_entries: [], enabled_entries: [], dimension_entries: [] };
}

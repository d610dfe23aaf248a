// Questions far from the benchmark's cases, so that the contenders are known to hold the rules and not the cases alone:
// cadences, stubs, phases, postpaid lines, free units, fixed discounts, compound and inclusive taxes, other currencies.

/** Numbers that look random, the same for the same seed. */
function randomOf(seed) {
  let state = seed + 0x9e37_79b9;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), state | 1);
    state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
    return ((state ^ (state >>> 14)) >>> 0) % below;
  };
}

/** A question with a catalog of its own. */
export function variedQuestion(seed) {
  const below = randomOf(seed);
  for (let warm = 0; warm < 5; warm++) below(2);
  const pick = (...choices) => choices[below(choices.length)];
  const maybe = (name, value) => (below(3) === 0 ? { [name]: value() } : {});
  const rarely = (name, value) => (below(9) === 0 ? { [name]: value() } : {});
  const twoDigits = (from1To) => String(1 + below(from1To)).padStart(2, "0");
  const date = (year, months = 12) => `${year}-${twoDigits(months)}-${twoDigits(28)}`;
  const amount = () => `${below(400)}.${String(below(10 ** 4)).padStart(4, "0")}`;
  const quantity = () => pick(String(below(300)), `${below(300)}.${1 + below(9)}`, below(500), "12.345678", "10", "0");

  const tiers = () => {
    let upTo = 0;
    const list = Array.from({ length: 1 + below(4) }, () => ({
      up_to: String((upTo += 1 + below(60))),
      unit_amount: amount(),
      ...maybe("flat_amount", amount),
      ...maybe("package_size", () => pick("10", "7", "2.5")),
    }));
    list.at(-1).up_to = null;
    return list;
  };
  const pricingData = () => {
    const type = pick("per_unit", "package", "tiered", "tiered_with_flat_fee", "volume", "volume_with_flat_fee");
    if (type === "per_unit") return { pricing_type: type, unit_amount: amount() };
    if (type === "package") return { pricing_type: type, unit_amount: amount(), package_size: pick("100", "3", "0.7", 12) };
    return { pricing_type: type, tiers: tiers() };
  };
  const discount = () => ({ type: "percent", value: pick("7.5", "10", "33.333"), ...maybe("cycles", () => 1 + below(4)) });
  const fixedDiscount = () => ({ type: "fixed", value: pick("5", "12.345", "1000"), ...maybe("cycles", () => 1 + below(4)) });
  const isInclusive = below(2) === 0;
  const tax = (index) => ({
    name: pick("VAT", "City", null),
    percent: pick("19", "8.875", "7", "0"),
    ...(isInclusive ? { is_inclusive: true } : index > 0 ? maybe("is_compound", () => true) : {}),
  });
  const taxes = () => Array.from({ length: below(4) }, (_, index) => tax(index));
  const quantityData = () => ({
    quantity: {
      value: quantity(),
      ...rarely("minimum", () => "2"),
      ...rarely("maximum", () => 250),
      ...rarely("multiple_of", () => "0.5"),
    },
  });
  const pricing = (index) => ({
    id: `pri_${index}`,
    product: {
      id: `prod_${index % 3}`,
      ...maybe("name", () => `Product ${index}`),
      ...maybe("description", () => "As \"agreed\""),
    },
    ...maybe("is_enabled", () => true),
    billing_period: {
      cadence: pick("P1M", "P1M", "P1Y", "P2W", "P10D", "P3M"),
      offset: pick("prepaid", "prepaid", "postpaid"),
    },
    ...(below(5) > 0 ? quantityData() : {}),
    pricing_data: pricingData(),
    ...maybe("free_units", () => pick("5", "2.5", 0)),
    ...maybe("discounts", () => Array.from({ length: below(3) }, () => pick(discount, fixedDiscount)())),
    ...maybe("taxes", taxes),
    ...maybe("commitments", () => []),
  });
  const features = () => ({ ...maybe("taxes", taxes), ...maybe("discounts", () => []), ...maybe("name", () => "Regular") });

  const count = 1 + below(4);
  const phases = Array.from({ length: 1 + below(3) }, (_, at) => ({
    ...features(),
    pricings: Array.from({ length: count }, (_, index) => pricing(at * count + index)),
  }));
  phases.forEach((phase, at) => {
    if (at < phases.length - 1 || below(4) === 0) phase.duration = pick("P1M", "P45D", "P1Y");
  });
  const currency = pick("USD", "JPY", "KWD", "EUR");
  const start = date(2025), second = date(2026, 8);
  const line = (index) => ({
    ...pricing(index),
    line_item_id: `li_${index}`,
    ...maybe("quantity_entries", () => [
      { effective_from: "2026-01-10", value: quantity() },
      { effective_from: pick("2026-03-20", "2026-04-02"), value: quantity() },
    ]),
  });
  const lines = (first) => Array.from({ length: count }, (_, index) => line(first + index));
  const isSplit = below(2) === 0;
  const contractPhases = [
    { ...features(), start_date: start, ...(isSplit ? { end_date: dayBefore(second) } : {}), lines: lines(0) },
  ];
  if (isSplit) {
    contractPhases.push({
      ...features(),
      start_date: second,
      ...maybe("anchor_date", () => "2026-01-31"),
      ...maybe("anchor_day", () => 31),
      lines: lines(count),
    });
  }
  const catalog = {
    ...maybe("version", () => "varied"),
    business_entities: [{ id: "be_1", ...maybe("rounding", () => "half_even"), ...maybe("taxes", taxes) }],
    customers: [{
      id: "cus_1",
      business_entity_id: "be_1",
      ...maybe("tax_exempt", () => below(2) === 0),
      ...maybe("taxes", taxes),
      ...maybe("credit_balance", amount),
    }],
    plans: [{
      id: "plan_1",
      currency,
      ...maybe("duration", () => pick("P1Y", "P40D")),
      ...maybe("billing_anchor", () => ({ day_of_month: 1 + below(31) })),
      phases,
    }],
    contracts: [{
      id: "con_1",
      customer_id: "cus_1",
      plan_id: "plan_1",
      currency,
      start_date: start,
      anchor_date: pick(start, "2025-01-31"),
      ...maybe("anchor_day", () => 31),
      ...maybe("end_date", () => "2026-12-31"),
      phases: contractPhases,
    }],
  };

  const isNew = below(2) === 0;
  const target = () => {
    if (below(30) === 0) return { pricing_id: "pri_unknown" };
    if (!isNew && below(3) > 0) return { line_item_id: `li_${below(isSplit ? count * 2 : count)}` };
    return pick({ pricing_id: `pri_${below(count)}` }, { product_id: `prod_${below(Math.min(count, 3))}` });
  };
  const override = () => ({
    ...target(),
    quantity: quantity(),
    ...maybe("effective_from", () => pick(date(2026), "2026-04-15", "2026-11-01")),
    ...maybe("description", () => "Another"),
  });
  const request = {
    ...(isNew ? { plan_id: "plan_1", customer_id: "cus_1", ...maybe("end_date", () => date(2027)) } : { contract_id: "con_1" }),
    ...maybe("start_date", () => date(2026)),
    ...maybe("customer_data", () => ({ name: "Ünal", tags: [1, null] })),
    ...maybe("success_url", () => "https://shop.example.com/done?x=1"),
    ...maybe("expires_at", () => "2026-03-21T11:30:00+01:00"),
    ...(!isNew || below(2) === 0 ? { product_overrides: Array.from({ length: 1 + below(3) }, override) } : {}),
  };
  return { catalog, request, now: "2026-03-20T10:00:00Z", as_of: pick("2026-03-20", "2026-03-31", "2026-02-28") };
}

function dayBefore(text) {
  return new Date(Date.parse(text) - 86_400_000).toISOString().slice(0, 10);
}

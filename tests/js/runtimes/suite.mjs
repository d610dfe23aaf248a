// What the package promises in every runtime, told in nothing but the language itself: it is run by each of them.

/** Throws at the first promise that is broken; how many were kept. */
export async function suite(door, cases) {
  let checks = 0;
  const check = (is, what) => {
    checks += 1;
    if (!is) throw new Error(`broken: ${what}`);
  };
  const same = (got, want, what) => {
    let at = 0;
    // Of two long texts, where they part.
    if (typeof got === "string" && typeof want === "string") while (at < got.length && got[at] === want[at]) at += 1;
    const part = (text) => (typeof text === "string" ? text.slice(Math.max(0, at - 60), at + 120) : String(text));
    check(got === want, `${what}\n got ${part(got)}\nwant ${part(want)}`);
  };
  const thrownBy = (work) => {
    try {
      work();
    } catch (error) {
      return error;
    }
    return undefined;
  };
  const {
    CheckoutPreviewError, CheckoutPreviewLoadError, createBillingSchedule, createCheckoutPreview, detectCheckoutType, init,
    PreparedCatalog, prepareCatalog, version,
  } = door;

  // Before init a runtime that has loaded the engine with the import answers; any other says what to do.
  const early = thrownBy(() => detectCheckoutType({ plan_id: "a" }));
  check(early === undefined || (early instanceof CheckoutPreviewLoadError && early.code === "not_loaded" && /await init\(\)/.test(early.message)), `before init: ${early}`);
  if (early) {
    for (const call of [() => createCheckoutPreview({}, {}), () => createBillingSchedule({}, {}, 1), () => prepareCatalog({})]) {
      same(thrownBy(call)?.code, "not_loaded", "a call before init");
    }
  }
  same(await init(), undefined, "init");
  same(await init(), undefined, "init again");
  check(/^\d+\.\d+\.\d+/.test(version), "version");

  // The answers of the corpus, byte for byte.
  for (const { name, input, answer } of cases) same(answerOf(input), answer, name);
  function answerOf({ request, catalog, as_of, now, schedule }) {
    try {
      return JSON.stringify(schedule
        ? { status: "ok", schedule: createBillingSchedule(request, catalog, schedule, { as_of, now }) }
        : { status: "ok", preview: createCheckoutPreview(request, catalog, { as_of, now }) });
    } catch (error) {
      if (!(error instanceof CheckoutPreviewError)) throw error;
      return JSON.stringify({ status: "rejected", problems: error.problems });
    }
  }

  // Prepared catalogs.
  const catalog = {
    version: "7",
    business_entities: [{ id: "be", time_zone: "America/New_York" }],
    customers: [{ id: "cus", business_entity_id: "be" }],
    plans: [{ id: "pro", currency: "USD", phases: [{ pricings: [{
      id: "seats", product: { id: "seat" }, billing_period: { cadence: "P1M", offset: "prepaid" },
      quantity: { type: "fixed", value: "10" }, pricing_data: { pricing_type: "per_unit", unit_amount: "12.00" },
    }] }] }],
  };
  const request = { plan_id: "pro", customer_id: "cus" };
  const dueIn = (given, options) => createCheckoutPreview(request, given, options).estimates.current_invoice.amount_due;
  const prepared = prepareCatalog(catalog);
  check(prepared instanceof PreparedCatalog, "a prepared catalog");
  same(prepareCatalog(prepared), prepared, "a catalog prepared twice");
  same(dueIn(prepared), "120.00", "the amount of a prepared catalog");
  same(dueIn(catalog), "120.00", "the amount of a plain catalog");
  same(createBillingSchedule(request, prepared, 2).invoices.length, 2, "a schedule of a prepared catalog");
  const other = prepareCatalog(catalog);
  other.free();
  other.free();
  for (const call of [() => dueIn(other), () => createBillingSchedule(request, other, 1), () => prepareCatalog(other)]) {
    check(thrownBy(call) instanceof TypeError && /freed/.test(thrownBy(call).message), "a prepared catalog after free()");
  }
  for (const wrapped of [new Proxy(prepared, {}), Object.create(prepared)]) {
    for (const call of [() => dueIn(wrapped), () => wrapped.free()]) {
      const error = thrownBy(call);
      check(error instanceof TypeError && /wrapped in a proxy/.test(error.message), `a handle in a proxy: ${error}`);
    }
  }
  check(/isPrepared/.test(thrownBy(() => dueIn({ ...prepared }))?.message), "a copy of a handle");
  check(thrownBy(() => new PreparedCatalog()) instanceof TypeError, "a handle that prepareCatalog did not make");
  if (Symbol.dispose) {
    const third = prepareCatalog(catalog);
    third[Symbol.dispose]();
    check(thrownBy(() => dueIn(third)) instanceof TypeError, "a prepared catalog after its block");
  }
  same(dueIn(prepared), "120.00", "another prepared catalog after free()");
  // More than the engine holds at once.
  const many = Array.from({ length: 40 }, (_, index) => {
    const each = structuredCopy(catalog);
    each.plans[0].phases[0].pricings[0].pricing_data.unit_amount = String(index);
    return index % 2 ? each : prepareCatalog(each);
  });
  for (const _ of [1, 2]) many.forEach((each, index) => same(dueIn(each), `${index * 10}.00`, `catalog ${index} of many`));

  // Types.
  same(detectCheckoutType(request), "plan_based", "a plan");
  same(detectCheckoutType({ plan_id: "pro", contract_id: "con" }), "plan_change", "a plan and a contract");
  same(detectCheckoutType({ contract_id: "con", product_overrides: [{}] }), "quantity_update", "a contract and overrides");
  function codesOf(work) {
    const error = thrownBy(work);
    if (!(error instanceof CheckoutPreviewError)) return String(error);
    same(error.code, error.problems[0].code, "the code of an error");
    same(error.name, "CheckoutPreviewError", "the name of an error");
    return error.problems.map(({ code, path }) => `${code} ${path}`).join();
  }
  same(codesOf(() => detectCheckoutType({})), "plan_id_required /plan_id", "nothing");
  same(codesOf(() => detectCheckoutType({ contract_id: "con" })), "product_overrides_required /product_overrides", "a contract alone");
  same(codesOf(() => detectCheckoutType(undefined)), "invalid_type ", "undefined");

  // Today, by the runtime's own time zones.
  const dayAt = (now) => createCheckoutPreview(request, prepared, { now }).as_of;
  same(dayAt("2026-03-01T04:59:59.999999Z"), "2026-02-28", "the day before midnight in New York");
  same(dayAt(new Date(Date.UTC(2026, 2, 1, 5))), "2026-03-01", "the day after midnight in New York");
  const dayIn = (time_zone) => createCheckoutPreview(request, { ...catalog, business_entities: [{ id: "be", time_zone }] }, { now: "2026-03-01T04:00:00Z" }).as_of;
  same(dayIn("Asia/Kolkata"), "2026-03-01", "a zone by an older or a newer name");
  for (const zone of ["Mars/Olympus", "IST", "+01:00", "europe/berlin", "EUROPE/BERLIN", "asia/kolkata", "Asia/KOLKATA", "gmt", "est"]) {
    same(codesOf(() => dayIn(zone)), "catalog_invalid /catalog/business_entities/0/time_zone", `no zone: ${zone}`);
  }
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: "America/New_York" });
  const [before, shown, again, after] = [today.format(), ...[1, 2].map(() => createCheckoutPreview(request, prepared).as_of), today.format()];
  check([before, after].includes(shown) && [before, after].includes(again), `today: ${shown}, ${again}`);

  // What only JavaScript can send.
  const withQuantity = (quantity, given = prepared) => codesOf(() => createCheckoutPreview({ ...request, product_overrides: [{ pricing_id: "seats", quantity }] }, given));
  for (const quantity of [NaN, Infinity, 10n, Symbol("s"), () => 10, new Map(), new Set(), new Date(NaN), new Uint8Array(1), {}, [10], "\ud800", /10/, Promise.resolve(10)]) {
    same(withQuantity(quantity), "invalid_decimal /product_overrides/0/quantity", `a quantity of ${typeof quantity}`);
  }
  for (const quantity of [10, "10", { toJSON: () => "10" }, Object(10), Object("10")]) same(withQuantity(quantity), "undefined", "a quantity of ten");
  same(createCheckoutPreview({ ...request, product_overrides: [{ pricing_id: "seats", quantity: -0 }] }, prepared).estimates.current_invoice.amount_due, "0.00", "minus nothing");
  const cycle = {};
  cycle.cycle = cycle;
  same(codesOf(() => createCheckoutPreview({ ...request, customer_data: cycle }, prepared)), `invalid_type /customer_data${"/cycle".repeat(63)}`.slice(0, 27), "a circle");
  const mine = new EvalError("mine");
  const hostile = [
    { get plan_id() { throw mine; } }, { plan_id: { toJSON() { throw mine; } } }, new Proxy({}, { ownKeys() { throw mine; } }),
    new Proxy({}, { get() { throw mine; } }),
  ];
  for (const value of hostile) {
    same(thrownBy(() => createCheckoutPreview(value, prepared)), mine, "what a request throws");
    same(thrownBy(() => createCheckoutPreview(request, value)), mine, "what a catalog throws");
    same(thrownBy(() => prepareCatalog(value)), mine, "what a catalog to prepare throws");
    same(dueIn(prepared), "120.00", "the next preview");
  }
  const inherited = Object.create({ coupon: "X" }, { plan_id: { value: "pro", enumerable: true }, customer_id: { value: "cus", enumerable: true } });
  for (const value of [inherited, new Proxy(request, {}), Object.freeze({ ...request }), Object.assign(Object.create(null), request)]) {
    same(createCheckoutPreview(value, Object.freeze(structuredCopy(catalog))).plan_id, "pro", "an object of another kind");
  }
  same(codesOf(() => createCheckoutPreview(request, undefined)), "catalog_invalid /catalog", "no catalog");
  same(codesOf(() => prepareCatalog([])), "catalog_invalid /catalog", "a list for a catalog");
  for (const call of [() => createCheckoutPreview(request), () => prepareCatalog(), () => createBillingSchedule(request, prepared)]) {
    check(thrownBy(call) instanceof TypeError, "a missing argument");
  }
  for (const options of [5, [], new Map(), { asOf: "2026-11-22" }]) {
    check(thrownBy(() => createCheckoutPreview(request, prepared, options)) instanceof TypeError, "options that there are not");
  }
  // What an old page has added to every object is nobody's field.
  Object.prototype.legacy = 1;
  try {
    same(dueIn(prepared, { as_of: "2026-11-22" }), "120.00", "a legacy page, prepared");
    same(dueIn(structuredCopy(catalog)), "120.00", "a legacy page, plain");
  } finally {
    delete Object.prototype.legacy;
  }

  // A call within a call.
  const nested = { get plan_id() { return dueIn(prepared) === "120.00" ? "pro" : "?"; }, customer_id: "cus" };
  same(createCheckoutPreview(nested, prepared).plan_id, "pro", "a call in a getter");
  prepared.free();
  return checks;
}

const structuredCopy = (value) => JSON.parse(JSON.stringify(value));

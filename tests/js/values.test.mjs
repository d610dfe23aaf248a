// What only JavaScript can hand over, and what is promised for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { imported, required } from "./project.mjs";

const { CheckoutPreviewError, createCheckoutPreview } = imported;

const catalog = {
  version: "7",
  business_entities: [{ id: "be", name: "Entity", time_zone: "Europe/Berlin" }],
  customers: [{ id: "cus", name: "Customer", business_entity_id: "be" }],
  plans: [{
    id: "pro", name: "Pro", status: "active", currency: "USD", duration: "P1Y",
    phases: [{ name: "Paid", phase_type: "active", duration: null, pricings: [{
      id: "seats", product: { id: "seat", name: "Seat" }, billing_period: { cadence: "P1M", offset: "prepaid" },
      quantity: { type: "fixed", value: "10" }, pricing_data: { pricing_type: "per_unit", unit_amount: "12.00" },
    }] }],
  }],
};
const clock = { now: "2026-11-22T10:00:00Z", as_of: "2026-11-22" };
const buy = (fields) => createCheckoutPreview({ plan_id: "pro", customer_id: "cus", ...fields }, catalog, clock);
const buyQuantity = (quantity) => buy({ product_overrides: [{ pricing_id: "seats", quantity }] });
const line = (preview) => preview.estimates.current_invoice.line_items[0];

/** The problems thrown, as `code path`. */
function refused(call) {
  try {
    call();
  } catch (error) {
    if (!(error instanceof CheckoutPreviewError)) throw error;
    return error.problems.map(({ code, path }) => `${code} ${path}`);
  }
  assert.fail("nothing was refused");
}

const decimal = (text) => ({ toJSON: () => text });

test("numbers, and what stands for them, are quantities", () => {
  for (const [quantity, want] of [
    [5, "5"], [5.0, "5"], [0.1, "0.1"], [1e-6, "0.000001"], [-0, "0"], [123456.75, "123456.75"], ["7.50", "7.5"],
    [Object(5), "5"], [Object("5"), "5"], [decimal("5.25"), "5.25"], [decimal(5.25), "5.25"],
    [new (class Big { #digits = "9"; toJSON() { return this.#digits; } })(), "9"],
  ]) {
    assert.equal(line(buyQuantity(quantity)).quantity, want);
  }
  // 0.7999999999999999, which has more digits than a quantity may have.
  assert.deepEqual(refused(() => buyQuantity(0.1 + 0.7)), ["invalid_decimal /product_overrides/0/quantity"]);
});

test("what is no number is refused as a quantity", () => {
  for (const quantity of [
    NaN, Infinity, -Infinity, 5n, Object(5n), Symbol("5"), () => 5, class {}, new Map(), new Set([5]), Promise.resolve(5), new Date(NaN),
    /5/, new Error("5"), new Uint8Array(1), new Float64Array([5]), new ArrayBuffer(5), [5], {}, true, "\ud800", "5\udfff", "five", Object(NaN),
    new URLSearchParams("a=5"), new WeakMap(), decimal(NaN), decimal(5n), decimal(decimal("5")), globalThis,
  ]) {
    const found = refused(() => buyQuantity(quantity));
    assert.deepEqual(found, ["invalid_decimal /product_overrides/0/quantity"], String(Object.prototype.toString.call(quantity)));
  }
});

test("dates are read as JSON sends them", () => {
  const starting = (start_date) => buy({ start_date }).start_date;
  assert.equal(starting(new Date("2026-11-23T23:59:59Z")), "2026-11-23");
  assert.equal(starting(new Date("2026-11-23T23:59:59-05:00")), "2026-11-24", "a Date is written in UTC");
  assert.equal(starting(decimal("2026-12-01")), "2026-12-01", "a Temporal.PlainDate");
  assert.equal(starting("2026-12-01T10:00"), "2026-12-01");
  assert.deepEqual(refused(() => starting(new Date(NaN))), ["invalid_type /start_date"], "JSON would send null, and null is today");
  assert.deepEqual(refused(() => starting(1764547200000)), ["invalid_type /start_date"]);
});

test("addresses may be URL objects", () => {
  assert.equal(buy({ success_url: new URL("https://example.com/thanks?a=1") }).success_url, "https://example.com/thanks?a=1");
});

test("undefined is a field that is not there", () => {
  const preview = buy({ contract_id: undefined, coupon: undefined, product_overrides: undefined, customer_data: { a: undefined, b: [undefined] } });
  assert.equal(preview.contract_id, null);
  assert.equal(preview.product_overrides, null);
  assert.equal(JSON.stringify(preview.customer_data), `{"b":[null]}`);
  assert.deepEqual(refused(() => buy({ coupon: null })), ["unknown_field /coupon"], "null is a field that is there");
});

test("objects of classes, of other realms and without a prototype are objects", () => {
  class Buyer { name = "Ada"; #secret = 1; get upper() { return "ADA"; } hello() {} }
  const bare = Object.assign(Object.create(null), { name: "Ada" });
  for (const customer_data of [new Buyer(), bare, runInNewContext(`({ name: "Ada" })`), Object.freeze({ name: "Ada" }), new Proxy({ name: "Ada" }, {})]) {
    assert.equal(JSON.stringify(buy({ customer_data }).customer_data), `{"name":"Ada"}`);
  }
  assert.equal(JSON.stringify(buy({ customer_data: { list: runInNewContext("[1, , 3]"), empty: runInNewContext("({})") } }).customer_data),
    `{"list":[1,null,3],"empty":{}}`);
  assert.deepEqual(refused(() => buy({ customer_data: runInNewContext("new Map([[1, 2]])") })), ["invalid_type /customer_data"]);
});

test("inherited, hidden and symbol fields are not read", () => {
  const request = Object.create({ coupon: "X" }, {
    plan_id: { value: "pro", enumerable: true }, customer_id: { value: "cus", enumerable: true }, hidden: { value: 1 },
  });
  request[Symbol("s")] = 1;
  assert.equal(createCheckoutPreview(request, catalog, clock).plan_id, "pro");
});

test("what JSON cannot say is refused in customer_data too", () => {
  const cycle = {};
  cycle.cycle = cycle;
  for (const value of [
    NaN, 1n, new Map(), new Set([1]), () => 1, Symbol("s"), "\ud83e", cycle, { "\udd86": 1 }, Promise.resolve(), new Date(NaN), /a/, new Error("a"),
    new Uint8Array([1]), new FormData(), new WeakSet(), new ArrayBuffer(1), Object(NaN), Object(1n), [[[new Map()]]], { a: { b: [NaN] } },
  ]) {
    const found = refused(() => buy({ customer_data: { value } }));
    assert.equal(found.length, 1);
    assert.match(found[0], /^invalid_type \/customer_data/);
  }
});

test("customer_data comes back byte for byte", () => {
  for (const text of [
    `{"__proto__":{"polluted":1},"constructor":{"prototype":null},"toJSON":"no function"}`,
    `{"0":1,"7":2,"b":[0,-1.5,1e-7,1e+21,5e-324,1.7976931348623157e+308,123456789012345680000],"a":"\\u0000\u2028🦆\ufffd","":{}}`,
  ]) {
    const got = buy({ customer_data: JSON.parse(text) }).customer_data;
    assert.equal(JSON.stringify(got), text);
    assert.equal(Object.getPrototypeOf(got), Object.prototype);
  }
  assert.equal({}.polluted, undefined);
});

test("a preview is plain data of its own", () => {
  const data = { list: [1] };
  const preview = buy({ customer_data: data });
  preview.customer_data.list.push(2);
  assert.deepEqual(data, { list: [1] });
  assert.deepEqual(structuredClone(preview), preview);
  const walk = (value) => {
    assert.notEqual(typeof value, "bigint");
    assert.notEqual(value, undefined);
    if (value !== null && typeof value === "object") {
      assert([Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)));
      Object.values(value).forEach(walk);
    }
  };
  walk(preview);
});

test("an error tells everything", () => {
  try {
    buy({ plan_id: "prp", coupon: 1 });
    assert.fail();
  } catch (error) {
    assert(error instanceof CheckoutPreviewError && error instanceof Error);
    assert(error instanceof required.CheckoutPreviewError, "one engine for import and require");
    assert.equal(error.name, "CheckoutPreviewError");
    assert.equal(error.code, "plan_not_found");
    assert.deepEqual(error.problems.map(({ code, path }) => [code, path]), [["plan_not_found", "/plan_id"], ["unknown_field", "/coupon"]]);
    for (const problem of error.problems) assert.deepEqual(Object.keys(problem), ["code", "path", "message", "help"]);
    assert(error.message.includes(error.problems[1].message));
    assert(error.stack.includes("CheckoutPreviewError"));
    assert.deepEqual(Object.keys(error).sort(), ["code", "problems"]);
  }
});

test("wrong calls are TypeErrors, wrong values are problems", () => {
  assert.throws(() => createCheckoutPreview(), TypeError);
  assert.throws(() => createCheckoutPreview({ plan_id: "pro" }), TypeError);
  for (const options of [5, "now", [], new Map(), { asOf: "2026-11-22" }, { now: clock.now, timezone: "UTC" }]) {
    assert.throws(() => createCheckoutPreview({}, catalog, options), TypeError);
  }
  assert.deepEqual(refused(() => createCheckoutPreview(undefined, catalog, clock)), ["invalid_type "]);
  assert.deepEqual(refused(() => createCheckoutPreview("{}", catalog, clock)), ["invalid_type "]);
  assert.deepEqual(refused(() => createCheckoutPreview({}, undefined, clock)), ["catalog_invalid /catalog"]);
  const at = (options) => refused(() => createCheckoutPreview({ plan_id: "pro", customer_id: "cus" }, catalog, options));
  assert.deepEqual(at({ now: "yesterday" }), ["invalid_instant /now"]);
  assert.deepEqual(at({ now: Date.now() }), ["invalid_type /now"]);
  for (const now of ["1969-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]) assert.deepEqual(at({ now }), ["invalid_instant /now"]);
  assert.deepEqual(at({ as_of: "2026-02-30" }), ["invalid_date /as_of"]);
  assert.deepEqual(at({ now: "x", as_of: "2026-02-30" }), ["invalid_instant /now", "invalid_date /as_of"]);
});

test("now and as_of come from the clock of the machine", () => {
  for (const options of [undefined, null, {}, { now: undefined, as_of: null }]) {
    const before = Date.now();
    const preview = createCheckoutPreview({ plan_id: "pro", customer_id: "cus" }, catalog, options);
    const now = Date.parse(preview.expires_at) - 24 * 3600 * 1000;
    assert(before <= now && now <= Date.now());
    const inBerlin = new Date(now).toLocaleDateString("sv-SE", { timeZone: "Europe/Berlin" });
    assert.equal(preview.as_of, inBerlin);
  }
  const late = createCheckoutPreview({ plan_id: "pro", customer_id: "cus" }, catalog, { now: new Date("2026-11-22T23:30:00Z") });
  assert.equal(late.as_of, "2026-11-23", "half past midnight in Berlin");
});

test("no input leaves the engine unable to answer the next one", () => {
  const mine = new EvalError("mine");
  const fails = () => { throw mine; };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  let shared = {};
  for (let depth = 0; depth < 60; depth++) shared = { a: shared, b: shared };
  let deep = 1;
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  const inputs = [
    { get plan_id() { return fails(); } }, { plan_id: { toJSON: fails } }, { plan_id: { get toJSON() { return fails(); } } },
    new Proxy({}, { ownKeys: fails }), new Proxy({}, { get: fails }), new Proxy({}, { getPrototypeOf: fails }), revoked.proxy,
    new Proxy({}, { ownKeys: () => ["a"], getOwnPropertyDescriptor: fails }),
    { customer_data: shared }, { customer_data: { deep } }, { customer_data: { list: new Array(2 ** 32 - 1) } },
    { customer_data: { text: "x".repeat(2 ** 28) } }, { plan_id: "é".repeat(2 ** 24) }, globalThis, process, Symbol.iterator, 0n, null, NaN,
    { get plan_id() { return createCheckoutPreview({}, catalog); } },
  ];
  for (const input of inputs) {
    for (const call of [() => createCheckoutPreview(input, catalog, clock), () => createCheckoutPreview({}, input, clock)]) {
      assert.throws(call, (error) => !(error instanceof WebAssembly.RuntimeError));
      assert.equal(buy({}).estimates.current_invoice.total, "120.00");
    }
  }
});

test("what a getter reads does not lengthen what its own object may hold", () => {
  let shared = {};
  for (let depth = 0; depth < 60; depth++) {
    shared = { get a() { buy({}); return this.b; }, b: shared };
  }
  assert.deepEqual(refused(() => buy({ customer_data: shared })).length, 1);
});

test("a full stack does not break the engine", () => {
  const want = JSON.stringify(buy({}));
  let answers = 0;
  // Calls at every depth from the very end of the stack upwards, so that it runs out inside the engine as well.
  function descend() {
    try {
      descend();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    if (answers < 5) {
      try {
        if (JSON.stringify(buy({})) === want) answers += 1;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }
  descend();
  assert.equal(answers, 5);
  assert.equal(JSON.stringify(buy({})), want);
});

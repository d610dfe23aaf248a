// The two doors against each other, beyond the corpus: cases bent at random from a fixed seed, and every time zone
// around midnight. Whatever the answer is, it is the same bytes in JavaScript and natively.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { answer, nativeAnswers } from "./native.mjs";
import { root } from "./project.mjs";

/** JSON with the numbers that JavaScript cannot write: what it reads as Infinity was a 1e400 somewhere. */
const jsonOf = (input) => JSON.stringify(input, (_, value) => (value === Infinity || value === -Infinity ? `number:${value}` : value))
  .replaceAll(/"number:(-?)Infinity"/g, "$11e400");

/** Compares the doors' answers; how many of the inputs were accepted. */
function compare(inputs) {
  const native = nativeAnswers(inputs.map(jsonOf));
  let accepted = 0;
  for (const [index, input] of inputs.entries()) {
    const got = answer(input);
    accepted += got.status === "ok";
    assert.equal(JSON.stringify(got), native[index], jsonOf(input));
  }
  return accepted;
}

/** Numbers in 0..1 that are the same in every run: mulberry32. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const oddities = [
  null, true, false, Infinity, -Infinity, 0, -0, -1, 0.1, 1e-7, 1e21, 5e-324, 1.7976931348623157e308, 123456.789, 9007199254740993, "", " ", "0", "-0",
  "-1", "00.10", "1e5", "0.000001", "999999999999.999999", "1000000000000", ".5", "5.", "+1", "1 000", "٣", "P1M", "P0D", "PT24H",
  "P1201D", "2026-02-29", "2028-02-29", "2026-12-31T23:59", "2026-06-30 10:00:00.123456789+14:00", "1969-12-31", "2999-12-31",
  "3000-01-01", "2026-11-22T10:00:00Z", "2026-11-22T24:00:00Z", "2026-06-30T23:59:60Z", "USD", "usd", "JPY", "KWD", "XXX",
  "https://example.com/?q=1#a", "http://", "ftp://example.com", "https://bücher.example", "javascript:alert(1)", "a\u0000b",
  "\uFFFD", "\u2028", "🦆", "e\u0301", "__proto__", "x".repeat(300), [], {}, [null], [[]], { toString: "x" }, { __proto__: null },
  { type: "metered" }, { day_of_month: 31 }, JSON.parse(`{"__proto__": {"b": 1}, "2": 1, "1": 2, "-1": 3, "01": 4}`),
  JSON.parse("[".repeat(63) + "]".repeat(63)), JSON.parse("[".repeat(70) + "]".repeat(70)),
];

const names = ["plan_id", "contract_id", "customer_id", "quantity", "quantity_value", "product_quantities", "description", "taxes",
  "cycles", "up_to", "package_size", "dimension_values", "effective_from", "line_item_id", "coupon", "quantiy", "0", "__proto__", ""];

/** Changes something, somewhere in a value. */
function bend(value, next, depth = 0) {
  const pick = (list) => list[Math.floor(next() * list.length)];
  if (value === null || typeof value !== "object" || (depth > 0 && next() < 0.15)) return pick(oddities);
  const keys = Object.keys(value);
  const change = next();
  if (Array.isArray(value)) {
    if (change < 0.1) return [...value, ...value];
    if (change < 0.2) return value.slice(1);
    return value.map((item, index) => (index === Math.floor(next() * keys.length) ? bend(item, next, depth + 1) : item));
  }
  const entries = Object.entries(value);
  if (change < 0.12) return Object.fromEntries([...entries, [pick(names), pick(oddities)]]);
  const chosen = pick(keys);
  if (change < 0.22) return Object.fromEntries(entries.filter(([key]) => key !== chosen));
  return Object.fromEntries(entries.map(([key, item]) => [key, key === chosen ? bend(item, next, depth + 1) : item]));
}

const folder = join(root, "tests/cases");
const corpus = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort()
  .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));

test("bent requests are answered with the same bytes", () => {
  const next = random(20261122);
  const inputs = Array.from({ length: 3000 }, (_, index) => {
    const { request, catalog, as_of, now } = corpus[index % corpus.length];
    return { request: bend(next() < 0.3 ? bend(request, next) : request, next), catalog, as_of, now };
  });
  const accepted = compare(inputs);
  assert(accepted > 30 && accepted < inputs.length - 30, `${accepted} of ${inputs.length} were accepted`);
});

test("bent catalogs are answered with the same bytes", () => {
  const next = random(20280229);
  const inputs = Array.from({ length: 3000 }, (_, index) => {
    const { request, catalog, as_of, now } = corpus[index % corpus.length];
    return { request, catalog: bend(next() < 0.3 ? bend(catalog, next) : catalog, next), as_of, now };
  });
  const accepted = compare(inputs);
  assert(accepted > 30 && accepted < inputs.length - 30, `${accepted} of ${inputs.length} were accepted`);
});

test("bent clocks are answered with the same bytes", () => {
  const { request, catalog, as_of, now } = corpus.find(({ want }) => want.status === "ok");
  // null is left out: there the two doors ask their own clocks.
  const given = oddities.filter((oddity) => oddity !== null);
  compare([...given.map((oddity) => ({ request, catalog, as_of: oddity, now })), ...given.map((oddity) => ({ request, catalog, as_of, now: oddity }))]);
});

const catalogIn = (time_zone) => ({
  version: "1",
  business_entities: [{ id: "be", name: "Entity", time_zone }],
  plans: [{
    id: "plan", name: "Plan", status: "active", currency: "EUR", duration: null,
    phases: [{ name: "Phase", phase_type: "active", duration: null, pricings: [{
      id: "pricing", product: { id: "product", name: "Product" }, billing_period: { cadence: "P1M", offset: "prepaid" },
      quantity: { type: "fixed", value: "1" }, pricing_data: { pricing_type: "flat_fee", unit_amount: "31" },
    }] }],
  }],
});

test("today is the same day in every time zone", () => {
  const request = { plan_id: "plan", business_entity_id: "be" };
  const instants = ["1970-01-02T00:30:00Z", "2026-03-01T04:59:59.999999Z", "2026-03-01T05:00:00Z", "2026-03-29T00:59:59Z",
    "2026-10-31T13:00:00Z", "2026-10-31T09:59:59Z", "2026-12-31T10:00:00Z", "2028-02-29T11:30:00Z"];
  const zones = Intl.supportedValuesOf("timeZone");
  assert(zones.length > 300);
  const inputs = zones.flatMap((zone, index) => instants.filter((_, at) => at % 4 === index % 4 || index % 16 === 0)
    .map((now) => ({ request, catalog: catalogIn(zone), as_of: null, now })));
  assert.equal(compare(inputs), inputs.length);
});

test("a name is a time zone in both doors or in neither", () => {
  const request = { plan_id: "plan", business_entity_id: "be" };
  const zones = ["UTC", "GMT", "Etc/GMT+12", "Etc/GMT-14", "GMT0", "GMT+0", "EST", "EST5EDT", "CET", "HST", "PRC", "ROC", "W-SU", "Zulu",
    "NZ-CHAT", "US/Pacific", "Asia/Calcutta", "Asia/Kolkata", "America/Buenos_Aires", "America/Argentina/ComodRivadavia", "Pacific/Kanton",
    "utc", "europe/berlin", "EUROPE/BERLIN", "+01:00", "-0500", "UTC+1", "IST", "PST", "BST", "ACT", "SystemV/PST8PDT", "US/Pacific-New",
    "Factory", "Etc/Unknown", "localtime", "posixrules", "Europe/Berlin ", " Europe/Berlin", "Europe", "Mars/Olympus", "", "Z", "\u0000"];
  compare(zones.map((zone) => ({ request, catalog: catalogIn(zone), as_of: null, now: "2026-11-22T10:00:00Z" })));
});

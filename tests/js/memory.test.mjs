// One instance of the engine for a very long time: what it is given back, and that it never has to be replaced.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { project } from "./project.mjs";

/** A program that sees the engine's instances, its memory and how often a catalog is unloaded. */
const WATCHED = `const { Instance } = WebAssembly;
const instances = [];
let unloaded = 0;
WebAssembly.Instance = class {
  constructor(...words) {
    const { exports } = new Instance(...words);
    instances.push(exports);
    return { exports: { ...exports, unload: (place) => { unloaded += 1; return exports.unload(place); } } };
  }
};
const { CheckoutPreviewError, createCheckoutPreview, prepareCatalog } = require("checkout-preview");
const catalogOf = (price) => ({
  version: "7", customers: [{ id: "cus" }],
  plans: [{ id: "pro", currency: "USD", phases: [{ pricings: [{
    id: "seats", product: { id: "seat" }, billing_period: { cadence: "P1M", offset: "prepaid" },
    quantity: { type: "fixed", value: "10" }, pricing_data: { pricing_type: "per_unit", unit_amount: price },
  }] }] }],
});
const clock = { now: "2026-11-22T10:00:00Z", as_of: "2026-11-22" };
const request = (quantity) => ({ plan_id: "pro", customer_id: "cus", product_overrides: [{ pricing_id: "seats", quantity }] });
`;

function watched(name, script) {
  writeFileSync(join(project, name), WATCHED + script);
  return JSON.parse(execFileSync(process.execPath, ["--expose-gc", name], { cwd: project, encoding: "utf8", timeout: 600_000 }));
}

test("memory is flat over a million previews of good and bad input, all in one instance", () => {
  const { memory, heap, instances, previews, refusals, thrown } = watched("million.cjs", `
const kept = prepareCatalog(catalogOf("12.00"));
const plain = catalogOf("12.50");
const broken = catalogOf("minus one");
const mine = new Error("mine");
const bad = [
  () => request(NaN), () => request(-1), () => ({}), () => null, () => undefined, () => [], () => ({ plan_id: "prp" }), () => request(10n),
  () => ({ get plan_id() { throw mine; } }), () => ({ customer_data: { a: new Map() } }), () => request("\\ud800"), () => request("x".repeat(1000)),
];
const counts = { previews: 0, refusals: 0, thrown: 0 };
function step(index) {
  const kind = index % 10;
  const catalog = kind === 9 ? (index % 50 === 9 ? broken : index % 100 === 29 ? catalogOf(String(index)) : plain)
    : index % 1000 === 8 ? prepareCatalog(catalogOf(String(index))) : kept;
  try {
    createCheckoutPreview(kind < 6 ? request(index % 97) : kind < 9 ? bad[index % bad.length]() : request(3), catalog, clock);
    counts.previews += 1;
  } catch (error) {
    if (error instanceof CheckoutPreviewError) counts.refusals += 1;
    else if (error === mine) counts.thrown += 1;
    else throw error;
  }
}
const memory = [], heap = [];
const note = () => {
  gc();
  memory.push(instances.at(-1).memory.buffer.byteLength);
  heap.push(process.memoryUsage().heapUsed);
};
(async () => {
  for (let index = 0; index < 1_000_000; index++) {
    step(index);
    // Finalizers run between tasks only; not that they have to.
    if (index % 100_000 === 99_999) { await new Promise((resolve) => setImmediate(resolve)); note(); }
  }
  console.log(JSON.stringify({ memory, heap, instances: instances.length, ...counts }));
})();
`);
  assert.equal(instances, 1, "an instance was replaced, so one had trapped");
  assert.equal(previews + refusals + thrown, 1_000_000);
  assert(previews > 600_000 && refusals > 200_000 && thrown > 10_000, JSON.stringify({ previews, refusals, thrown }));
  assert.equal(memory.at(-1), memory[0], `the engine's memory grows: ${memory}`);
  assert(heap.at(-1) < heap[0] * 1.2 + 2 ** 20, `the heap grows: ${heap}`);
});

test("a catalog that nothing refers to any more is unloaded, and one in use is not", () => {
  const { before, after, due } = watched("finalized.cjs", `
// A function of its own, whose variables are gone with it: those of one that waits may be kept.
function useAndDrop() {
  for (const catalog of [prepareCatalog(catalogOf("1.00")), catalogOf("2.00")]) createCheckoutPreview(request(1), catalog, clock);
}
(async () => {
  const kept = prepareCatalog(catalogOf("12.00"));
  const before = unloaded;
  useAndDrop();
  const deadline = Date.now() + 30_000;
  while (unloaded < before + 2 && Date.now() < deadline) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const due = createCheckoutPreview(request(1), kept, clock).estimates.current_invoice.amount_due;
  console.log(JSON.stringify({ before, after: unloaded, due }));
})();
`);
  assert.equal(after - before, 2);
  assert.equal(due, "12.00");
});

test("free() unloads at once, and only once", () => {
  const { counts } = watched("freed.cjs", `
const counts = [];
const prepared = prepareCatalog(catalogOf("1.00"));
for (const _ of [1, 2]) { counts.push(unloaded); prepared.free(); }
counts.push(unloaded);
console.log(JSON.stringify({ counts }));
`);
  assert.deepEqual(counts, [counts[0], counts[0] + 1, counts[0] + 1]);
});

test("what breaks the engine is thrown, and the next call has another one, with its catalogs", () => {
  const { thrown, due, instances } = watched("broken.cjs", `
const kept = prepareCatalog(catalogOf("12.00"));
const plain = catalogOf("13.00");
createCheckoutPreview(request(1), plain, clock);
// From the end of the stack upwards, until one call runs out of it inside the engine.
let thrown = 0;
function descend() {
  try { descend(); } catch {}
  if (instances.length > 1 || thrown > 20_000) return;
  try { createCheckoutPreview(request(1), kept, clock); } catch (error) { if (!(error instanceof RangeError)) throw error; thrown += 1; }
}
descend();
const due = [kept, plain].map((catalog) => createCheckoutPreview(request(2), catalog, clock).estimates.current_invoice.amount_due);
console.log(JSON.stringify({ thrown, due, instances: instances.length }));
`);
  assert(thrown > 0);
  assert.equal(instances, 2, "no call ran out of stack inside the engine");
  assert.deepEqual(due, ["24.00", "26.00"]);
});

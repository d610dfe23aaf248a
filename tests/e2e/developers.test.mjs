// The developers' page: a catalog and a request to edit, the engine's answer beside them, and a link that carries it all.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { examples } from "../../www/examples.js";
import { accessibilityFaults, assertFits, openShop } from "./shop.mjs";

let shop;
let page;
before(async () => { shop = await openShop(); });
after(() => shop?.close());
afterEach(async () => {
  await page?.context().close();
  page = null;
});

async function visit(options = {}, hash = "") {
  page = await (await shop.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })).newPage();
  page.faults = [];
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") page.faults.push(message.text()); });
  await page.goto(`${shop.url}/developers.html${hash}`);
  await page.waitForSelector("[data-stage=ready]");
}

const answer = async () => JSON.parse(await page.textContent("#answer"));

/** What the command line says of the same: `{status, preview}` or `{status, problems}`. */
function natively({ request, catalog, asOf }) {
  const folder = mkdtempSync(join(tmpdir(), "checkout-example-"));
  writeFileSync(join(folder, "in.jsonl"), `${JSON.stringify({ request, catalog, as_of: asOf, now: `${asOf}T10:00:00Z` })}\n`);
  const output = execFileSync("sh", ["-c", `"$1" preview --jsonl < "$2"`, "sh", process.env.CHECKOUT_VERIFIER ?? "target/debug/checkout-verifier", join(folder, "in.jsonl")], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  return JSON.parse(output);
}

for (const example of examples) {
  test(`the example "${example.title}" is what the command line says`, async () => {
    await visit();
    await page.selectOption("#example", example.id);
    const wanted = natively(example);
    assert.equal(await page.textContent("#about"), example.about);
    if (wanted.status === "ok") {
      const shown = await answer();
      assert.deepEqual({ ...shown, expires_at: null }, { ...wanted.preview, expires_at: null });
      assert.match(await page.textContent("#timing"), /^Previewed in \d+\.\d\d ms/);
      assert.equal(await page.isHidden("#element"), false);
    } else {
      assert.deepEqual(await page.$$eval("#problems strong", (all) => all.map((one) => one.textContent)), wanted.problems.map(({ message }) => message));
      assert.equal(await page.isHidden("#element"), true);
    }
    assert.deepEqual(page.faults, []);
  });
}

test("the answer follows every keystroke, without a server", async () => {
  await visit();
  await page.selectOption("#example", "seats");
  await page.waitForFunction(() => document.querySelector("checkout-preview").preview?.contract_id);
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  const text = await page.inputValue("#request");
  const shown = await page.evaluate((typed) => {
    const field = document.querySelector("#request");
    field.value = typed;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return JSON.parse(document.querySelector("#answer").textContent).estimates.current_invoice.total;
  }, text.replace('"14"', '"15"'));
  const { preview } = natively({ ...examples.find(({ id }) => id === "seats"), request: JSON.parse(text.replace('"14"', '"15"')) });
  assert.equal(shown, preview.estimates.current_invoice.total);
  assert.equal(await page.inputValue("#example"), "", "it is no example any more");
  assert.deepEqual(requests, []);
});

test("what is no JSON is told at its field, and the last answer stays grey", async () => {
  await visit();
  const before = await page.textContent("#answer");
  await page.fill("#catalog", "{");
  assert.match(await page.textContent("#catalog-problem"), /^This is no JSON: /);
  assert.equal(await page.getAttribute("#catalog", "aria-invalid"), "true");
  assert.equal(await page.textContent("#answer"), before);
  assert(await page.$eval("#answer", (node) => node.classList.contains("stale")));
  await page.selectOption("#example", "tiers");
  assert.equal(await page.textContent("#catalog-problem"), "");
});

test("a problem leads to its place", async () => {
  await visit();
  await page.selectOption("#example", "wrong");
  await page.click("#problems button >> text=/coupon");
  const [field, at] = await page.evaluate(() => [document.activeElement.id, document.activeElement.selectionStart]);
  assert.equal(field, "request");
  assert((await page.inputValue("#request")).slice(at).startsWith('"coupon"'));
});

test("a link carries all of it, and one that was cut says so", async () => {
  await visit({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.selectOption("#example", "usage");
  await page.fill("#request", (await page.inputValue("#request")).replace("12400", "9000"));
  await page.click("#share");
  await page.waitForFunction(() => document.querySelector("#share").textContent !== "Copy link to this");
  const link = await page.evaluate(async () => (await navigator.clipboard?.readText().catch(() => "")) || location.href);
  const was = [await page.inputValue("#request"), await page.inputValue("#catalog"), await page.textContent("#answer")];
  const { hash } = new URL(link);
  await page.context().close();
  await visit({}, hash);
  const is = [await page.inputValue("#request"), await page.inputValue("#catalog"), await page.textContent("#answer")];
  const timeless = ([request, catalog, text]) => [request, catalog, text.replace(/"expires_at": "[^"]*"/, "")];
  assert.deepEqual(timeless(is), timeless(was));
  await page.context().close();
  await visit({}, hash.slice(0, 40));
  assert.match(await page.textContent("#about"), /cut short|Ten seats/);
  assert((await answer()).checkout_type);
});

test("what is chosen in the checkout is written into the request", async () => {
  await visit();
  await page.selectOption("#example", "seats");
  await page.waitForFunction(() => document.querySelector("checkout-preview").shadowRoot.querySelector("[type=number]")?.value === "14");
  await page.fill("checkout-preview [type=number]", "17");
  assert.equal(JSON.parse(await page.inputValue("#request")).product_overrides[0].quantity, "17");
  assert.equal((await answer()).product_overrides[0].quantity, "17");
  assert.equal(await page.inputValue("checkout-preview [type=number]"), "17");
  const due = (await answer()).estimates.current_invoice.amount_due;
  assert(await page.$eval("checkout-preview", (element, amount) => element.shadowRoot.querySelector(".due bdi").textContent.endsWith(amount), due));
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing: ${colorScheme}`, async () => {
    await visit({ colorScheme });
    for (const id of ["new", "wrong"]) {
      await page.selectOption("#example", id);
      assert.deepEqual(await accessibilityFaults(page), []);
    }
  });
}

test("fits from 320 px on, in both directions of writing, with targets of 24 px", async () => {
  await visit();
  await assertFits(page);
});

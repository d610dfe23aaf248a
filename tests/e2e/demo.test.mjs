// The shop, used as a buyer uses it: from an offer to a contract. What the checkout itself does is in element.test.mjs.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { accessibilityFaults, assertFits, due, enter, expectedInvoices, lineOf, money, openShop, press, shownInvoices, stage } from "./shop.mjs";

let shop;
let page;

before(async () => { shop = await openShop(); });
after(() => shop?.close());
afterEach(async () => {
  await page?.context().close();
  page = null;
});

const noFaults = () => assert.deepEqual(page.faults, []);
const preview = () => page.$eval("checkout-preview", (element) => element.preview);
const ready = (planId) => page.waitForFunction((wanted) => document.querySelector("checkout-preview").preview?.plan_id === wanted, planId);

async function visit(options) {
  page = await shop.visit(options);
  await page.waitForFunction(() => document.querySelector("checkout-preview").preview);
}

async function serverPreview(request) {
  const { status, body } = await shop.call("POST", "/checkouts/preview", request);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

async function introduce() {
  await page.fill("#company", "Juniper & Vale");
  await page.fill("#email", "ada@juniper.example");
}

test("from an offer to a contract, and no request before Continue", async () => {
  await visit();
  const requests = [];
  page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await enter(page, "Seats", "137");
  await lineOf(page, "Phone channel").locator("input").check();
  await page.check("[value=team_annual_usd]");
  await introduce();
  assert.deepEqual(requests, []);
  const shown = await due(page);
  await press(page, "continue");
  await stage(page, "review");
  assert.equal(await due(page), shown);
  const { id } = await page.$eval("checkout-preview", (element) => element.session);
  await press(page, "confirm");
  await page.waitForURL("**/thanks.html?checkout_session_id=*");
  assert.equal(await page.textContent("#session"), id);
  const { body: session } = await shop.call("GET", `/checkouts/${id}`);
  assert.equal(session.checkout_status, "contract_created");
  assert.deepEqual(session.customer_data, { name: "Juniper & Vale", email: "ada@juniper.example" });
  assert.equal(money(session.estimates.current_invoice.amount_due, "USD"), shown);
  const { body: contract } = await shop.call("GET", `/contracts/${session.contract.id}`);
  assert.equal(contract.phases[0].lines[0].quantity.value, "137");
  noFaults();
});

test("every offer in every currency shows what the server answers", async () => {
  await visit();
  for (const [region, seller] of [["usd", "ternwell_us"], ["eur", "ternwell_de"], ["jpy", "ternwell_jp"]]) {
    await page.selectOption("#region", region);
    for (const [offer, plans] of [["starter", ["starter"]], ["team", ["team_monthly", "team_annual"]], ["scale", ["scale"]]]) {
      await page.check(`[name=offer][value=${offer}]`);
      for (const plan of plans) {
        if (plans.length > 1) await page.check(`[name=plan_id][value=${plan}_${region}]`);
        await ready(`${plan}_${region}`);
        const request = { plan_id: `${plan}_${region}`, business_entity_id: seller };
        assert.deepEqual(await shownInvoices(page), expectedInvoices(await serverPreview(request)), request.plan_id);
      }
    }
  }
  noFaults();
});

test("a known customer pays with its credit, in its own currency", async () => {
  await visit();
  await page.check("[value=account]");
  await page.selectOption("#customer", "cus_kontor");
  await page.waitForFunction(() => document.querySelector("checkout-preview").preview?.customer_id === "cus_kontor");
  assert.equal(await page.textContent("#region-note"), "Kontor Nord eG buys from Ternwell GmbH, in EUR.");
  assert(await page.isDisabled("#region"));
  const wanted = await serverPreview({ plan_id: "team_monthly_eur", customer_id: "cus_kontor" });
  assert.deepEqual(await shownInvoices(page), expectedInvoices(wanted));
  assert.notEqual(wanted.estimates.current_invoice.credit_applied, "0.00");
  await press(page, "continue");
  await stage(page, "review");
  await press(page, "confirm");
  await page.waitForURL("**/thanks.html?*");
  noFaults();
});

test("a guest without a name or an address is asked for them, and nothing is sent", async () => {
  await visit();
  const sent = [];
  page.on("request", (request) => sent.push(request.url()));
  await press(page, "continue");
  assert.match(await page.textContent("#company-problem"), /company’s name/);
  assert.match(await page.textContent("#email-problem"), /email address/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "company");
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.fill("#company", "Juniper & Vale");
  assert.equal(await page.textContent("#company-problem"), "");
  await page.fill("#email", "ada");
  await press(page, "continue");
  assert.match(await page.textContent("#email-problem"), /email address/);
  assert.deepEqual(sent, []);
  await page.fill("#email", "ada@juniper.example");
  await press(page, "continue");
  await stage(page, "review");
  noFaults();
});

test("another currency keeps what was chosen, another offer begins anew", async () => {
  await visit();
  await enter(page, "Seats", "44");
  await page.selectOption("#region", "jpy");
  await ready("team_monthly_jpy");
  assert.equal(await lineOf(page, "Seats").locator("[type=number]").inputValue(), "44");
  await page.check("[name=offer][value=scale]");
  await ready("scale_jpy");
  assert.equal(await lineOf(page, "Seats").locator("[type=number]").inputValue(), "10");
  noFaults();
});

test("a reload keeps what was chosen and entered", async () => {
  await visit();
  await page.selectOption("#region", "eur");
  await ready("team_monthly_eur");
  await page.check("[name=plan_id][value=team_annual_eur]");
  await enter(page, "Seats", "33");
  await introduce();
  const before = await due(page);
  await page.reload();
  await ready("team_annual_eur");
  assert.equal(await lineOf(page, "Seats").locator("[type=number]").inputValue(), "33");
  assert.equal(await due(page), before);
  assert.equal(await page.inputValue("#company"), "Juniper & Vale");
  noFaults();
});

test("nothing can be ordered while an account’s prices are on their way, or when they do not come", async () => {
  await visit();
  let let_go;
  await page.route("**/catalog", async (route) => {
    await new Promise((resolve) => { let_go = resolve; });
    await route.abort();
  });
  await page.check("[value=account]");
  assert(await page.$eval("checkout-preview", (element) => element.inert));
  await page.waitForTimeout(0);
  while (!let_go) await new Promise((resolve) => setTimeout(resolve, 10));
  let_go();
  await page.waitForFunction(() => !document.querySelector("checkout-preview").inert);
  assert(await page.isChecked("[value=guest]"), "a guest, as before");
  assert.equal((await preview()).guest_checkout, true);
});

test("a price list that does not load can be asked for again", async () => {
  page = await shop.visit({ wait: false, path: "thanks.html" });
  await page.route("**/catalog", (route) => route.abort());
  await page.goto(`${shop.url}/`);
  await page.waitForSelector("#retry:not([hidden])");
  assert.match(await page.textContent("#retry"), /did not load/);
  await page.unroute("**/catalog");
  await page.click("#again");
  await page.waitForFunction(() => document.querySelector("checkout-preview").preview);
  assert(await page.isHidden("#retry"));
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing: ${colorScheme}`, async () => {
    for (const width of [1280, 390]) {
      await page?.context().close();
      await visit({ colorScheme, width });
      assert.deepEqual(await accessibilityFaults(page), []);
      await page.check("[value=account]");
      await page.waitForFunction(() => document.querySelector("checkout-preview").preview?.customer_id);
      assert.deepEqual(await accessibilityFaults(page), []);
    }
    await page.goto(`${shop.url}/thanks.html?checkout_session_id=1`);
    assert.deepEqual(await accessibilityFaults(page), []);
    noFaults();
  });
}

test("fits from 320 px on, in both directions of writing, with targets of 24 px", async () => {
  await visit();
  await assertFits(page);
});

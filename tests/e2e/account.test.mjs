// The account, used as a customer uses it: which contract, what it is now, and what becomes of a change.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { accessibilityFaults, assertFits, due, enter, expectedInvoices, lineOf, openShop, press, shownInvoices, stage } from "./shop.mjs";

let shop;
let page;

before(async () => { shop = await openShop(); });
after(() => shop?.close());
afterEach(async () => {
  await page?.context().close();
  page = null;
});

const MARCH = "2026-03-20T15:00:00Z"; // 11:00 in New York, 16:00 in Berlin

const visit = async (customer, { contract = "", ...options } = {}) => {
  page = await shop.visit({ path: `account.html?customer=${customer}&contract=${contract}`, ...options });
};
const noFaults = () => assert.deepEqual(page.faults, []);
const chosenContract = () => page.textContent(".card:has([name=contract]:checked)");
const seatsOf = (line) => line.quantity_entries.at(-1)?.value ?? line.quantity.value;
const seats = () => lineOf(page, "Seats").locator("[type=number]").inputValue();

const inDays = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const dayFormat = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });
const day = (date) => dayFormat.format(new Date(date));

/** Makes or changes a contract past the page, as somebody else would. */
async function confirmed(request) {
  const created = await shop.call("POST", "/checkouts", request);
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const { status, body } = await shop.call("POST", `/checkouts/${created.body.id}/confirm`, {});
  assert.equal(status, 200, JSON.stringify(body));
  return body.contract;
}

/** A contract of a test's own: Team by the month, 10 seats. */
const newContract = (more = {}) => confirmed({
  plan_id: "team_monthly_usd", customer_id: "cus_openshelter", product_overrides: [{ product_id: "seats", quantity: "10" }], ...more,
});
const stored = async (id) => (await shop.call("GET", `/contracts/${id}`)).body;

async function toContract() {
  await press(page, "continue");
  await stage(page, "review");
  await press(page, "confirm");
  await stage(page, "done");
}

test("changed, confirmed, and changed again from there", async () => {
  const { id } = await newContract();
  await visit("cus_openshelter", { contract: id });
  assert.match(await chosenContract(), /Team, paid monthly.*10 seats.*Version 1/s);
  await enter(page, "Seats", "14");
  await toContract();
  assert.match(await page.textContent("#changed"), /Version 2 of your contract is stored/);
  await page.click("#go-on");
  await page.waitForFunction(() => /14 seats/.test(document.querySelector(".card:has(:checked)").textContent));
  assert.equal(await seats(), "14");
  await enter(page, "Seats", "15");
  await toContract();
  assert.equal((await stored(id)).version, 3);
  noFaults();
});

test("today is the seller's day, wherever the customer sits", async () => {
  const at = "2026-03-31T22:30:00Z"; // 18:30 in New York, 00:30 in Berlin, 07:30 in Tokyo
  for (const [customer, today] of [["cus_harborline", "2026-03-31"], ["cus_kontor", "2026-04-01"]]) {
    await page?.context().close();
    await visit(customer, { at, timezoneId: "Asia/Tokyo" });
    await enter(page, "Seats", "30");
    assert.equal(await page.inputValue("checkout-preview #start_date"), today);
    assert.equal((await shownInvoices(page))[0].date, today);
    noFaults();
  }
});

test("credit that invoices before the change use up is not used again", async () => {
  await visit("cus_kontor", { at: "2026-11-22T15:00:00Z" });
  await enter(page, "Seats", "26");
  await page.fill("checkout-preview #start_date", "2027-03-10");
  // 18,725.64 and 18,839.82 for a customer without credit; this one has 35.50, which the invoice of December takes.
  await page.waitForFunction(() => {
    const foot = document.querySelector("checkout-preview").shadowRoot.querySelector("figure tfoot");
    return [...foot.querySelectorAll("td")].map((cell) => cell.textContent).join(" ") === "€18,690.14 €18,804.32";
  });
  const request = { contract_id: "con_kontor", start_date: "2027-03-10", product_overrides: [{ line_item_id: "li_kontor_seats", quantity: "26" }] };
  assert.deepEqual(await shownInvoices(page), expectedInvoices(shop.compute(request, "2026-11-22")));
  noFaults();
});

test("what is chosen in a trial holds after it", async () => {
  const { id } = await newContract({ plan_id: "starter_usd", product_overrides: [] });
  await visit("cus_openshelter", { contract: id });
  await enter(page, "Seats", "3");
  await lineOf(page, "Custom domain").locator("input").check();
  await toContract();
  const { phases } = await stored(id);
  assert.equal(phases.length, 2);
  for (const { lines } of phases) assert.equal(seatsOf(lines[0]), "3");
  noFaults();
});

test("a move to another plan that waits for its day is shown, and the plan until then can still be changed", async () => {
  const { id } = await newContract({ start_date: inDays(-60) });
  await visit("cus_openshelter", { contract: id });
  await page.check("[name=plan_id][value=team_annual_usd]");
  await page.fill("checkout-preview #start_date", inDays(45));
  assert.match(await page.textContent("checkout-preview .due"), /^Due on /);
  await toContract();
  await page.click("#go-on");
  await page.waitForFunction(() => /until .*, then Team, paid yearly/.test(document.querySelector(".card:has(:checked)").textContent));
  await enter(page, "Seats", "11");
  await toContract();
  const { version, phases } = await stored(id);
  assert.equal(version, 3);
  for (const { lines } of phases) assert.equal(seatsOf(lines.find(({ product }) => product.id === "seats")), "11", "before and after the move");
  noFaults();
});

test("a move before the day of another one says that the other will not come", async () => {
  const { id } = await newContract({ start_date: inDays(-10) });
  await confirmed({ contract_id: id, plan_id: "starter_usd", start_date: inDays(60) });
  await visit("cus_openshelter", { contract: id });
  assert.match(await chosenContract(), new RegExp(`^Team, paid monthly until ${day(inDays(59))}, then Starter10 seats`));
  await page.check("[name=plan_id][value=scale_usd]");
  const effects = await page.textContent("checkout-preview .effects");
  assert.match(effects, new RegExp(`Scale from .*No longer to come: Trial of Team, from ${day(inDays(60))}.*No longer to come: Starter, from`));
  assert.deepEqual(await accessibilityFaults(page), []);
  noFaults();
});

test("a choice of today leaves the smaller plan that is to come as it was arranged, or names its limit", async () => {
  const { id } = await newContract({ start_date: inDays(-10) });
  await confirmed({ contract_id: id, plan_id: "starter_usd", start_date: inDays(60) });
  const [, ...later] = (await stored(id)).phases.map((phase) => phase.lines.find(({ product }) => product.id === "seats"));
  await visit("cus_openshelter", { contract: id });
  await enter(page, "Seats", "6");
  await toContract();
  const [first, ...rest] = (await stored(id)).phases.map((phase) => phase.lines.find(({ product }) => product.id === "seats"));
  assert.equal(first.quantity_entries.at(-1).value, "6");
  assert.deepEqual(rest, later);

  const same = await newContract({ start_date: inDays(-10), product_overrides: [{ product_id: "seats", quantity: "3" }] });
  await confirmed({ contract_id: same.id, plan_id: "starter_usd", start_date: inDays(60), product_overrides: [{ product_id: "seats", quantity: "3" }] });
  await page.context().close();
  await visit("cus_openshelter", { contract: same.id });
  await enter(page, "Seats", "6");
  assert.equal(await lineOf(page, "Seats").locator(".problem").textContent(), "Choose at most 3 seats.");
  noFaults();
});

test("the card of a contract says what is arranged on it", async () => {
  const contract = await newContract({ product_overrides: [{ product_id: "voice", is_enabled: true }] });
  const line = (product) => contract.phases[0].lines.find((one) => one.product.id === product).line_item_id;
  await confirmed({ contract_id: contract.id, product_overrides: [
    { line_item_id: line("voice"), is_enabled: false, effective_from: inDays(30) },
    { line_item_id: line("seats"), quantity: "6", effective_from: inDays(40) },
    { line_item_id: line("viewers"), quantity: "20", effective_from: inDays(50) },
  ] });
  await visit("cus_openshelter", { contract: contract.id });
  const text = await chosenContract();
  assert(text.includes(`5 seats, Phone channel${day(contract.start_date)}, until you cancel · no Phone channel from ${day(inDays(30))} · 6 seats from ${day(inDays(40))}`), text);
  assert.match(text, /Version 2$/);
  noFaults();
});

test("what a customer buys in the shop is on the account page", async () => {
  await visit("cus_sato");
  assert.match(await page.textContent("#no-contract"), /This customer has no running contract/);
  assert.equal(await page.locator("checkout-preview").count(), 0);
  await page.click("#buy");
  await page.waitForFunction(() => document.querySelector("checkout-preview")?.preview?.customer_id === "cus_sato");
  assert.deepEqual([await page.inputValue("#customer"), await page.inputValue("#region")], ["cus_sato", "jpy"]);
  const first = inDays(20);
  await page.fill("checkout-preview #start_date", first);
  await press(page, "continue");
  await stage(page, "review");
  await press(page, "confirm");
  await page.waitForURL("**/thanks.html?*");
  await page.goto(`${shop.url}/account.html?customer=cus_sato`);
  await page.waitForSelector("checkout-preview [data-stage=choose]");
  assert.match(await page.textContent("#customer"), /Sato & Co\. <Tokyo>/, "a name is text, whatever it holds");
  await enter(page, "Seats", "9");
  assert.equal(await page.inputValue("checkout-preview #start_date"), first, "a contract that is still to begin is changed from its first day");
  await toContract();
  noFaults();
});

test("a contract that has ended is shown, and cannot be changed", async () => {
  await visit("cus_kontor", { at: "2031-05-05T12:00:00Z" });
  assert.match(await page.textContent("#contracts"), /Scale.*Ended.*until Feb 28, 2029/s);
  assert(await page.isDisabled("[name=contract]"));
  assert.equal(await page.locator("checkout-preview").count(), 0);
  noFaults();
});

test("two contracts of one customer: each keeps to itself, over a reload too", async () => {
  await visit("cus_harborline", { at: MARCH });
  await enter(page, "Seats", "20");
  const before = await due(page);
  await page.reload();
  await page.waitForFunction(() => document.querySelector("checkout-preview")?.preview);
  assert.deepEqual([await seats(), await due(page)], ["20", before]);
  await page.check("[name=contract][value=con_harborline_careers]");
  assert.match(page.url(), /contract=con_harborline_careers/);
  assert.equal(await seats(), "2");
  await page.selectOption("#customer", "cus_kontor");
  await page.waitForSelector("[name=contract][value=con_kontor]", { state: "attached" });
  assert.match(await page.textContent("checkout-preview .summary"), /Nothing is changed yet/);
  noFaults();
});

test("contracts that do not load can be asked for again", async () => {
  page = await shop.visit({ wait: false, path: "thanks.html" });
  await page.route("**/catalog", (route) => route.abort());
  await page.goto(`${shop.url}/account.html?customer=cus_harborline`);
  await page.waitForSelector("#retry:not([hidden])");
  await page.unroute("**/catalog");
  await page.click("#again");
  await page.waitForSelector("checkout-preview [data-stage=choose]");
  assert(await page.isHidden("#retry"));
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing: ${colorScheme}`, async () => {
    for (const width of [1280, 390]) {
      await page?.context().close();
      await visit("cus_harborline", { colorScheme, width, at: MARCH });
      assert.deepEqual(await accessibilityFaults(page), []);
      await enter(page, "Seats", "9");
      assert.deepEqual(await accessibilityFaults(page), []);
    }
    noFaults();
  });
}

test("fits from 320 px on, in both directions of writing, with targets of 24 px", async () => {
  await visit("cus_harborline", { at: MARCH });
  await assertFits(page);
});

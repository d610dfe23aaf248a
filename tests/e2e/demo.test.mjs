// The demo, used as a buyer uses it: from a plan to a contract, and through everything that can come between.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { accessibilityFaults, assertFits, assertOnlyTotalAnnounced, assertShows, focused, money, openShop, shownInvoices, tabUntil } from "./shop.mjs";

let shop;
let page;

before(async () => { shop = await openShop(); });
after(() => shop?.close());
afterEach(async () => {
  await page?.context().close();
  page = null;
});

const guest = { name: "Juniper & Vale", email: "ada@juniper.example" };

/** The request that the page should make of a guest's choices. */
const requestOf = (plan_id, business_entity_id = "ternwell_us", more = {}) =>
  ({ plan_id, business_entity_id, customer_data: { name: "", email: "" }, product_overrides: [], ...more });

async function serverPreview(request) {
  const { status, body } = await shop.call("POST", "/checkouts/preview", request);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const pick = (value) => page.check(`[value="${value}"]`);

async function introduce() {
  await page.fill("#company", guest.name);
  await page.fill("#email", guest.email);
}

async function toReview() {
  await page.click("#continue");
  await page.waitForSelector("#review-title");
}

async function toContract() {
  await page.click("#confirm");
  await page.waitForSelector("#done-title");
  const id = await page.textContent(".facts code");
  const { status, body } = await shop.call("GET", `/contracts/${id}`);
  assert.equal(status, 200);
  return body;
}

const noFaults = () => assert.deepEqual(page.faults, []);

test("from a plan to a contract, and no request before Continue", async () => {
  page = await shop.visit();
  const requests = [];
  page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));

  await pick("team");
  await page.focus("#seats-quantity");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("137", { delay: 5 });
  await page.check("#voice-switch");
  await page.check("#viewers-switch");
  await page.fill("#viewers-quantity", "25");
  await page.fill("#start", "2027-01-20");
  await introduce();
  assert.deepEqual(requests, [], "nothing is asked of the server while choosing");

  const request = requestOf("team_monthly_usd", "ternwell_us", {
    start_date: "2027-01-20",
    customer_data: guest,
    product_overrides: [
      { product_id: "seats", quantity: "137" },
      { product_id: "viewers", is_enabled: true, quantity: "25" },
      { product_id: "voice", is_enabled: true },
    ],
  });
  const preview = await serverPreview(request);
  await assertShows(page, preview, "what the server would say");
  assert.match(await page.textContent("#timing"), /^Computed in your browser in (less than )?\d+\.\d ms/);

  await toReview();
  assert.deepEqual(requests, ["POST /checkouts"]);
  await assertShows(page, preview, "at review");
  assert.match(await page.textContent("#review"), /Juniper & Vale.*Ternwell, Inc\..*Jan 20, 2027.*137 seats.*25 viewers/s);

  const contract = await toContract();
  assert.equal(contract.plan_id, "team_monthly_usd");
  assert.equal(contract.start_date, "2027-01-20");
  const lines = contract.phases[0].lines.filter((line) => line.is_enabled !== false);
  assert.deepEqual(lines.map((line) => line.product.id), ["seats", "ai_replies", "viewers", "voice"]);
  assert.equal(lines[0].quantity.value, "137");
  assert.match(await page.textContent("#done"), /137 seats.*25 viewers.*Phone channel/s);
  noFaults();
});

test("every plan in every currency shows what the server answers", async () => {
  page = await shop.visit();
  const entities = { usd: "ternwell_us", eur: "ternwell_de", jpy: "ternwell_jp" };
  for (const [region, entity] of Object.entries(entities)) {
    await page.selectOption("#region", region);
    for (const [offer, rhythm] of [["starter", "starter"], ["team", "team_monthly"], ["team", "team_annual"], ["scale", "scale"]]) {
      await pick(offer);
      if (rhythm !== offer) await pick(rhythm);
      const id = `${rhythm}_${region}`;
      await assertShows(page, await serverPreview(requestOf(id, entity)), id);
    }
  }
  noFaults();
});

test("a known customer pays with its credit, in its own currency", async () => {
  page = await shop.visit();
  await page.check("[value=account]");
  await page.selectOption("#customer", "cus_kontor");
  await page.waitForFunction(() => document.querySelector("#region").value === "eur"); // its prices come from the server
  const preview = await serverPreview({ plan_id: "team_monthly_eur", customer_id: "cus_kontor", product_overrides: [] });
  await assertShows(page, preview, "with credit");
  const { currency, credit_applied } = preview.estimates.current_invoice;
  const [current] = await shownInvoices(page);
  assert(current.totals.includes(`Credit applied ${money(`-${credit_applied}`, currency)}`), String(current.totals));

  await page.selectOption("#customer", "cus_sato");
  await page.waitForFunction(() => document.querySelector("#region").value === "jpy");
  assert.match(await page.textContent("#region-note"), /^Sato & Co\. <Tokyo> buys from/, "a name is text, whatever it holds");
  await toReview();
  const contract = await toContract();
  assert.equal(contract.customer_id, "cus_sato");
  noFaults();
});

test("the saving of paying yearly is the engine's", async () => {
  page = await shop.visit();
  await page.fill("#start", "2027-02-15");
  await page.fill("#seats-quantity", "24");
  const year = (plan) => shop.compute(requestOf(plan, "ternwell_us", {
    start_date: "2027-02-15", end_date: "2028-02-14", product_overrides: [{ product_id: "seats", quantity: "24" }],
  }), "2028-02-15").estimates.current_invoice.total;
  const [monthly, annual] = [year("team_monthly_usd"), year("team_annual_usd")];
  const card = (rhythm, part) => page.textContent(`[data-rhythm=${rhythm}] ${part}`);
  assert.equal(await card("team_monthly", ".amount"), money(monthly, "USD"));
  assert.equal(await card("team_annual", ".amount"), money(annual, "USD"));
  const cents = (text) => BigInt(text.replace(".", ""));
  const saved = (cents(monthly) - cents(annual)).toString().replace(/(\d\d)$/, ".$1");
  assert.equal(await card("team_annual", ".saving"), `Save ${money(saved, "USD")}`);
  assert.equal(await card("team_monthly", ".saving"), "");
});

test("a price that changed meanwhile is shown, and asked about again", async (t) => {
  page = await shop.visit();
  await introduce();
  const old = (await shownInvoices(page))[1].due;

  const dearer = structuredClone(shop.catalog);
  dearer.version = "2026-11-22.1";
  const seats = dearer.plans.find(({ id }) => id === "team_monthly_usd").phases[0].pricings[0];
  seats.pricing_data.tiers[0].unit_amount = "16.00";
  assert.equal((await shop.call("PUT", "/catalog", dearer)).status, 200);
  t.after(() => shop.call("PUT", "/catalog", shop.catalog));

  await page.click("#continue");
  await page.waitForSelector("#price-changed[open]");
  const preview = await serverPreview(requestOf("team_monthly_usd"));
  const rows = await page.$$eval("#price-changed tbody tr", (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  const next = rows.find(([label]) => label.startsWith("Next invoice"));
  assert.deepEqual(next.slice(1), [old, money(preview.estimates.next_invoice.amount_due, "USD")]);
  assert(rows.some(([label]) => label === "Seats"), "the line that differs is named");
  assert.deepEqual(await accessibilityFaults(page), []);

  await page.click("#price-changed [value=back]");
  await page.waitForSelector("#price-changed:not([open])", { state: "attached" });
  await page.waitForFunction((due) => document.querySelectorAll(".invoice .big")[1].textContent === due, next[2]);
  await assertShows(page, preview, "the new price list, after going back");
  assert.equal(await page.inputValue("#company"), guest.name);
  await toReview();
  const contract = await toContract();
  assert.equal(contract.phases[0].lines[0].pricing_data.tiers[0].unit_amount, "16.00");
});

test("the new price can be accepted at once", async (t) => {
  page = await shop.visit();
  await introduce();
  const cheaper = structuredClone(shop.catalog);
  cheaper.plans.find(({ id }) => id === "team_monthly_usd").phases[0].pricings[0].pricing_data.tiers[0].unit_amount = "11.00";
  assert.equal((await shop.call("PUT", "/catalog", cheaper)).status, 200);
  t.after(() => shop.call("PUT", "/catalog", shop.catalog));
  await page.click("#continue");
  await page.waitForSelector("#price-changed[open]");
  await page.click("#price-changed [value=accept]");
  await page.waitForSelector("#review-title");
  await assertShows(page, await serverPreview(requestOf("team_monthly_usd")), "the accepted price");
  await toContract();
});

test("a problem stands at its field in plain words, and goes when it is mended", async () => {
  page = await shop.visit();
  await introduce();
  await page.waitForFunction(() => document.querySelector("#status").textContent !== "");
  await page.check("#viewers-switch");
  await page.fill("#seats-quantity", "1");
  await page.fill("#viewers-quantity", "7");
  const { body } = await shop.call("POST", "/checkouts/preview", requestOf("team_monthly_usd", "ternwell_us", {
    product_overrides: [{ product_id: "seats", quantity: "1" }, { product_id: "viewers", is_enabled: true, quantity: "7" }],
  }));
  assert.deepEqual(body.problems.map(({ code }) => code), ["quantity_below_minimum", "quantity_not_a_multiple"]);

  const words = ["Choose at least 2 seats.", "Choose a multiple of 5."];
  for (const [index, product] of ["seats", "viewers"].entries()) {
    const field = page.locator(`#${product}-quantity`);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert((await field.getAttribute("aria-describedby")).split(" ").includes(`${product}-problem`));
    assert.equal(await page.textContent(`#${product}-problem`), words[index]);
  }
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.click("#continue");
  assert.equal(await page.evaluate(() => document.activeElement.id), "seats-quantity", "Continue leads to the first problem");

  await page.waitForFunction(() => document.querySelector("#status").textContent === ""); // there is no total to announce

  for (const text of ["", "-1", "1e99", "2.5", "251"]) {
    await page.fill("#seats-quantity", text);
    assert(await page.isVisible("#seats-problem"), `${text} is refused`);
  }
  await page.fill("#seats-quantity", "3");
  assert(await page.isHidden("#seats-problem"));
  await page.fill("#viewers-quantity", "10");
  assert.equal(await page.locator("[aria-invalid]").count(), 0);
  await page.fill("#email", "nobody");
  await page.click("#continue");
  assert.match(await page.textContent("#email-problem"), /Enter an email address/);
  await page.fill("#email", guest.email);
  await toReview();
  noFaults();
});

test("offline, a failing server and a busy one: said clearly, nothing lost", async () => {
  page = await shop.visit();
  await page.fill("#seats-quantity", "12");
  await introduce();
  await page.context().setOffline(true);
  await page.click("#continue");
  await page.waitForSelector("#notice button");
  assert.match(await page.textContent("#notice"), /offline.*kept/);
  await page.context().setOffline(false);

  let answer = { status: 503, contentType: "text/html", body: "<h1>Bad gateway</h1>" };
  await page.route("**/checkouts", (route) => route.fulfill(answer));
  await page.click("#notice button");
  await page.waitForFunction(() => /did not answer/.test(document.querySelector("#notice").textContent));
  answer = { status: 429, headers: { "retry-after": "7" }, contentType: "application/problem+json", body: "{}" };
  await page.click("#notice button");
  await page.waitForFunction(() => /in 7 seconds/.test(document.querySelector("#notice").textContent));
  await page.unroute("**/checkouts");
  assert.equal(await page.inputValue("#seats-quantity"), "12");
  await page.click("#notice button");
  await page.waitForSelector("#review-title");
  assert.equal(await page.textContent("#notice"), "");
  const contract = await toContract();
  assert.equal(contract.phases[0].lines[0].quantity.value, "12");
});

test("an order whose answer was lost is stored once", async () => {
  page = await shop.visit();
  await introduce();
  let lost;
  await page.route("**/checkouts", async (route) => {
    lost = await (await route.fetch()).json();
    await route.abort("connectionreset");
  });
  await page.click("#continue");
  await page.waitForSelector("#notice button");
  await page.unroute("**/checkouts");
  const again = page.waitForResponse("**/checkouts");
  await page.click("#notice button");
  const answer = await again;
  assert.equal(answer.headers()["idempotent-replayed"], "true");
  assert.equal((await answer.json()).id, lost.id);
  await page.waitForSelector("#review-title");
  assert.equal((await shop.call("GET", "/checkouts?limit=1")).body.data[0].id, lost.id);

  await page.click("#edit");
  const next = page.waitForResponse("**/checkouts");
  await toReview();
  assert.notEqual((await (await next).json()).id, lost.id, "what was answered is done; this is another order");
  await toContract();
});

test("nothing can be ordered while an account’s prices are on their way", async () => {
  page = await shop.visit();
  await introduce();
  let answer;
  const asked = new Promise((resolve) => {
    page.route("**/catalog", (route) => {
      answer = () => route.continue();
      resolve();
    });
  });
  await page.check("[value=account]");
  await asked;
  const sent = [];
  page.on("request", (request) => sent.push(new URL(request.url()).pathname));
  await page.click("#continue");
  assert.match(await page.textContent("#timing"), /^Asking what this account pays$/);
  assert(await page.locator("#summary.stale").count() === 1);
  assert.deepEqual(sent, []);
  answer();
  await page.waitForFunction(() => /buys from/.test(document.querySelector("#region-note").textContent));
  assert(await page.locator("#summary.stale").count() === 0);

  await page.unroute("**/catalog");
  await page.route("**/catalog", (route) => route.abort());
  await page.selectOption("#customer", "cus_sato");
  await page.waitForSelector("#notice button");
  assert.match(await page.textContent("#notice"), /account did not load.*offline/);
  assert.notEqual(await page.inputValue("#customer"), "cus_sato", "it goes on as it was");
  assert(await page.locator("#summary.stale").count() === 0);
  await page.unroute("**/catalog");
  await page.click("#notice button");
  await page.waitForFunction(() => document.querySelector("#region").value === "jpy");
});

test("an expired session, and a shop whose pages may not confirm: one sentence for the buyer, one for the merchant", async (t) => {
  const told = (words) => page.faults.some((fault) => words.test(fault));
  page = await shop.visit({ told: { session_token: `st_${"0".repeat(32)}_x` } });
  await page.click("[value=account]");
  await page.waitForSelector("#notice button");
  assert.match(await page.textContent("#notice"), /You have been signed out, as happens after a day: sign in again/);
  assert(told(/GET \/catalog: 401 .*request .*cargo xtask serve/), String(page.faults));
  await page.context().close();

  shop.decide("--client-confirms", "false"); // counts after 50 ms, and so before the page is there
  t.after(() => shop.decide("--client-confirms", "true"));
  page = await shop.visit();
  await introduce();
  await toReview();
  await page.click("#confirm");
  await page.waitForSelector("#notice button");
  assert.match(await page.textContent("#notice"), /may not be confirmed yet.*We cannot take this at the moment/);
  assert(told(/\/confirm: 403 .*lets clients confirm/), String(page.faults));
  shop.decide("--client-confirms", "true");
  await page.waitForFunction(() => {
    document.querySelector("#notice button")?.click();
    return document.querySelector("#done:not([hidden]) h1");
  });
});

test("a price list that does not load can be asked for again", async () => {
  page = await shop.visit();
  await page.route("**/catalog", (route) => route.fulfill({ status: 500, contentType: "application/json", body: "{}" }));
  await page.reload();
  await page.waitForSelector("#notice button");
  await page.unroute("**/catalog");
  await page.click("#notice button");
  await page.waitForSelector("[data-stage=choose]");
  await assertShows(page, await serverPreview(requestOf("team_monthly_usd")), "after the second try");
});

test("an engine that does not load can be asked for again", async () => {
  page = await shop.visit();
  await page.route("**/*.wasm", (route) => route.abort());
  await page.reload();
  await page.waitForSelector("#notice button");
  assert(await page.isDisabled("#continue"));
  await page.unroute("**/*.wasm");
  await page.click("#notice button");
  await page.waitForSelector("[data-stage=choose]");
  await assertShows(page, await serverPreview(requestOf("team_monthly_usd")), "after the second try");
});

test("an expired offer is renewed with everything chosen", async () => {
  page = await shop.visit();
  await page.fill("#seats-quantity", "33");
  await introduce();
  await toReview();
  await page.route("**/confirm", (route) => route.fulfill({
    status: 409, contentType: "application/problem+json",
    body: JSON.stringify({ code: "checkout_not_confirmable", current_status: "expired", valid_statuses: ["pending"] }),
  }));
  await page.click("#confirm");
  await page.waitForSelector("#notice button");
  assert.match(await page.textContent("#notice"), /run out.*still here/);
  await page.unroute("**/confirm");
  const stored = page.waitForResponse((response) => response.url().endsWith("/checkouts"));
  await page.click("#notice button");
  assert.equal((await stored).status(), 201);
  await page.waitForSelector("#review-title");
  const contract = await toContract();
  assert.equal(contract.phases[0].lines[0].quantity.value, "33");
});

test("a confirmation whose answer was lost still ends with the one contract", async () => {
  page = await shop.visit();
  await introduce();
  await toReview();
  let made;
  await page.route("**/confirm", async (route) => {
    made = await (await route.fetch()).json();
    await route.abort("connectionreset");
  });
  await page.click("#confirm");
  await page.waitForSelector("#notice button");
  await page.unroute("**/confirm");
  await page.click("#notice button");
  await page.waitForSelector("#done-title");
  assert.equal(await page.textContent(".facts code"), made.contract.id);
});

test("Change leads back with everything chosen, and a reload keeps it", async () => {
  page = await shop.visit();
  await pick("scale");
  await page.fill("#conversations-quantity", "60500");
  await introduce();
  await toReview();
  await page.click("#edit");
  assert.equal(await page.inputValue("#conversations-quantity"), "60500");
  await page.reload();
  await page.waitForSelector("[data-stage=choose]");
  assert.equal(await page.inputValue("#conversations-quantity"), "60500");
  assert.equal(await page.inputValue("#company"), guest.name);
  noFaults();
});

test("with the keyboard alone", async () => {
  page = await shop.visit();
  const tabTo = (wanted) => tabUntil(page, wanted);
  await tabTo("team");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(page), "scale");
  await page.keyboard.press("ArrowLeft");
  await tabTo("team_monthly");
  await tabTo("seats-range");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.inputValue("#seats-quantity"), "7");
  assert.match(await page.getAttribute("#seats-range", "aria-valuetext"), /^7 seats, due today \$/);
  await tabTo("voice-switch");
  await page.keyboard.press("Space");
  await tabTo("company");
  await page.keyboard.type(guest.name);
  await tabTo("email");
  await page.keyboard.type(guest.email);
  await tabTo("continue");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#review-title");
  assert.equal(await focused(page), "review-title");
  await tabTo("confirm");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#done-title");
  assert.match(await page.textContent("#done"), /7 seats.*Phone channel/s);
  noFaults();
});

test("only the total is announced, once the buyer pauses", async () => {
  page = await shop.visit();
  await assertOnlyTotalAnnounced(page);
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing: ${colorScheme}, ${width} px`, async () => {
      page = await shop.visit({ width, height: 800, colorScheme });
      for (const offer of ["starter", "scale", "team"]) {
        await pick(offer);
        assert.deepEqual(await accessibilityFaults(page), [], offer);
      }
      await page.check("#viewers-switch");
      await page.fill("#viewers-quantity", "3");
      assert.deepEqual(await accessibilityFaults(page), [], "with a problem");
      await page.fill("#viewers-quantity", "5");
      await page.check("[value=account]");
      assert.deepEqual(await accessibilityFaults(page), [], "as a customer");
      await page.context().setOffline(true);
      await page.click("#continue");
      await page.waitForSelector("#notice button");
      assert.deepEqual(await accessibilityFaults(page), [], "with a notice");
      await page.context().setOffline(false);
      await toReview();
      assert.deepEqual(await accessibilityFaults(page), [], "review");
      await toContract();
      assert.deepEqual(await accessibilityFaults(page), [], "contract");
    });
  }
}

test("fits from 320 px on, in both directions of writing, with targets of 24 px", async () => {
  page = await shop.visit({ width: 320, height: 640, reducedMotion: "reduce" });
  await assertFits(page);
});

test("numbers change without moving anything", async () => {
  page = await shop.visit();
  const place = () => page.evaluate(() => ["#continue", "#due-amount", "#voice-switch", "#rhythms"].map((one) => {
    const { y, height } = document.querySelector(one).getBoundingClientRect();
    return [one, Math.round(y), Math.round(height)];
  }));
  const before = await place();
  for (const quantity of ["6", "9", "48", "149", "250"]) await page.fill("#seats-quantity", quantity);
  assert.deepEqual(await place(), before);
});

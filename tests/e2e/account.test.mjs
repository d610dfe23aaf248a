// The account page, used as a customer uses it: a running contract, what a change of it costs, and the year ahead.

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

const MARCH = "2026-03-20T15:00:00Z"; // 11:00 in New York, 16:00 in Berlin

const visit = (customer, { contract = "", ...options } = {}) =>
  shop.visit({ path: `account.html?customer=${customer}&contract=${contract}`, ...options });

const noFaults = () => assert.deepEqual(page.faults, []);
const told = () => page.$$eval(".effects li", (all) => all.map((one) => [...one.querySelectorAll("p")].map((p) => p.textContent)));
const chosenContract = () => page.textContent(".card:has([name=contract]:checked)");
const lineOf = (contract, product) => contract.phases.at(-1).lines.find((line) => line.product.id === product);

/** The table as `{"April 2026": ["$244.57", …]}`, the last row too. */
const table = () => page.$$eval(".year tr", (rows) => Object.fromEntries(rows.map((row) => [
  row.cells[0].textContent, [...row.cells].slice(1).map((cell) => cell.textContent),
])));

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

async function stored(id) {
  const { status, body } = await shop.call("GET", `/contracts/${id}`);
  assert.equal(status, 200);
  return body;
}

async function toReview() {
  await page.click("#continue");
  await page.waitForSelector("#review-title");
}

async function toContract() {
  await page.click("#confirm");
  await page.waitForSelector("#done-title");
}

// ---- what a change costs, on a day that stands still

test("more seats: what is given back, what is charged, and the next invoice, to the cent", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  assert.match(await page.textContent("#bill"), /^Nothing is changed yet/);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.fill("#seats-quantity", "20");

  // 12 seats for 144.00 less 20 %, 12 of 31 days: −44.59. 20 seats for 240.00, 12 of 31 days: 92.90, less 20 %: 74.32.
  const [today, next] = await shownInvoices(page);
  assert.deepEqual(today, {
    date: "2026-03-20", due: "$32.37", lines: ["Seats −$44.59", "Seats $74.32"],
    totals: ["New York State sales tax 4 % $1.19", "New York City sales tax 4.875 % $1.45", "Total $32.37"],
  });
  assert.deepEqual([next.date, next.due], ["2026-04-01", "$369.09"]);
  assert.deepEqual(next.lines, ["Seats $240.00", "AI replies $50.00", "Phone channel $49.00"]);
  assert.match(await page.textContent(".invoice"), /Given back.*12 seats.*12 of 31 days.*Charged.*20 seats.*12 of 31 days.*Welcome offer/s);
  assert.deepEqual(await told(), [["20 seats from Mar 20, 2026", "12 seats until then."]]);
  assert.equal(await page.textContent("#due-amount"), "$32.37");

  const request = { contract_id: "con_harborline", product_overrides: [{ line_item_id: "li_harborline_seats", quantity: "20" }] };
  await assertShows(page, shop.compute(request, "2026-03-20"), "what the engine says elsewhere");
  assert.deepEqual(asked, [], "nothing is asked of the server while choosing");
  noFaults();
});

test("fewer seats of a yearly plan count from the next year, and that is said", async () => {
  page = await visit("cus_openshelter", { at: MARCH, contract: "con_openshelter" });
  assert.match(await page.textContent("[data-product=seats]"), /A lower number counts from the next billing period on/);
  await page.fill("#seats-quantity", "20");
  assert.deepEqual(await told(), [
    ["20 seats from Jan 15, 2027", "30 seats until then: what is taken away counts from the next billing period on."],
  ]);
  const [today, next] = await shownInvoices(page);
  assert.deepEqual([today.due, today.lines], ["$0.00", []]);
  assert.deepEqual([next.date, next.due, next.lines], ["2026-04-15", "$25.00", ["AI replies $25.00"]]);
  // 30 seats at 120.00, 20 viewers at 20.00, and replies of the month before; then 20 seats.
  assert.deepEqual((await table())["January 2027"], ["$4,025.00", "$2,825.00", "−$1,200.00"]);
  noFaults();
});

test("from paying monthly to paying yearly: old lines are given back, choices come along", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  await page.fill("#seats-quantity", "14");
  await page.check("[name=plan][value=team_annual_usd]");
  assert.equal(await page.inputValue("#seats-quantity"), "14");
  assert(await page.isChecked("#voice-switch"), "the phone channel comes along");
  assert.equal(await page.inputValue("#ai_replies-quantity"), "2400", "so does the expected usage");
  const request = {
    contract_id: "con_harborline", plan_id: "team_annual_usd",
    product_overrides: [
      { product_id: "seats", quantity: "14" }, { product_id: "ai_replies", quantity: "2400" }, { product_id: "voice", is_enabled: true },
    ],
  };
  await assertShows(page, shop.compute(request, "2026-03-20"), "what the engine says elsewhere");
  const [today] = await shownInvoices(page);
  assert.deepEqual(today.lines.slice(0, 2), ["Seats −$44.59", "Phone channel −$18.97"]);
  assert(today.lines.includes("Seats $1,680.00"), String(today.lines));
  assert.deepEqual(await told(), [
    ["Team, paid yearly, from Mar 20, 2026", "Team, paid monthly, until then."], ["Billing periods are counted from Mar 20, 2026"],
  ]);
  await page.check("[name=plan][value=team_monthly_usd]");
  assert.deepEqual(await told(), [["14 seats from Mar 20, 2026", "12 seats until then."]]);
  noFaults();
});

test("leaving a yearly plan: what is bound to its period is not given back, what ends is named", async () => {
  page = await visit("cus_openshelter", { at: MARCH, contract: "con_openshelter" });
  await page.check("[name=plan][value=starter_usd]");
  assert.equal(await page.textContent("#seats-problem"), "Choose at most 3 seats. For more, write to us.");
  await page.fill("#seats-quantity", "3");
  const words = (await told()).flat().join(" | ");
  assert.match(words, /Ends with the old plan: AI replies, Viewer seats/);
  assert.match(words, /No credit for Seats \| Taken until the end of the billing period/);
  const [today] = await shownInvoices(page);
  assert.deepEqual(today.lines.filter((line) => line.includes("−")), ["Viewer seats −$329.86"]);
  noFaults();
});

test("more given back than charged: nothing to pay, and the credit is carried", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  await page.uncheck("#voice-switch");
  const [today, next] = await shownInvoices(page);
  assert.deepEqual([today.due, today.lines], ["$0.00", ["Phone channel −$18.97"]]);
  assert(today.totals.includes("Total −$20.65") && today.totals.includes("Credit kept for later invoices $20.65"), String(today.totals));
  assert.match(await page.textContent(".invoice"), /Nothing to pay: .* Your credit of \$20\.65 is taken off the next invoice\./);
  assert(next.totals.includes("Credit applied −$20.65"), String(next.totals));
  noFaults();
});

test("credit that no invoice takes is kept, and that is said", async () => {
  for (const [override, due] of [
    [{ product_id: "ai_replies", quantity: "500" }, "$0.00"], // as many as are free
    [{ product_id: "ai_replies", is_enabled: false }, "None"],
  ]) {
    const seats = { product_id: "seats", quantity: "10" };
    const ending = await newContract({ start_date: "2026-03-01", end_date: "2026-03-25", product_overrides: [seats, override] });
    page = await visit("cus_openshelter", { at: MARCH, contract: ending.id });
    await page.fill("#seats-quantity", "5");
    const [today, next] = await shownInvoices(page);
    assert.deepEqual([today.due, next.due], ["$0.00", due]);
    const [, left] = /Credit kept for later invoices (\S+)/.exec(today.totals.at(-1));
    assert((await page.textContent(".invoice")).includes(`Your credit of ${left} is kept on your account.`), left);
    noFaults();
    await page.context().close();
  }
  page = null;
});

test("inclusive tax, a phase discount and a credit balance, on a contract with an end", async () => {
  page = await visit("cus_kontor", { at: MARCH });
  await page.fill("#seats-quantity", "40");
  const request = { contract_id: "con_kontor", product_overrides: [{ line_item_id: "li_kontor_seats", quantity: "40" }] };
  await assertShows(page, shop.compute(request, "2026-03-20"), "what the engine says elsewhere");
  const [today] = await shownInvoices(page);
  assert.equal(today.due, "€5.10");
  assert(today.totals.includes("Credit applied −€35.50"), String(today.totals));
  assert(today.totals.some((row) => row.startsWith("Yearly agreement −")), String(today.totals));
  assert.match(await chosenContract(), /until Feb 28, 2029/);
  await page.fill("#start", "2029-03-01");
  assert.equal(await page.textContent("#start-problem"), "Choose a day on which the contract runs.");
  noFaults();
});

test("another day: the change waits for it, or corrects the past", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  await page.fill("#seats-quantity", "20");
  const request = (start_date) => ({
    contract_id: "con_harborline", start_date, product_overrides: [{ line_item_id: "li_harborline_seats", quantity: "20" }],
  });
  await page.click("#start-next");
  assert.equal(await page.inputValue("#start"), "2026-04-01");
  await assertShows(page, shop.compute(request("2026-04-01"), "2026-03-20"), "on the next invoice's day");
  assert.equal(await page.textContent("#due-label"), "Due on Apr 1, 2026");
  const waiting = await table();
  assert.deepEqual(waiting["April 2026"].slice(0, 2), ["$264.57", "$369.09"]);

  await page.fill("#start", "2026-06-10");
  const june = await table();
  assert.deepEqual(june["May 2026"], ["$264.57", "$264.57", "±0"], "what comes before it stays");

  await page.fill("#start", "2026-02-10");
  await assertShows(page, shop.compute(request("2026-02-10"), "2026-03-20"), "in the past");
  await page.click("#start-today");
  assert.equal(await page.inputValue("#start"), "2026-03-20");
  assert.equal(await page.textContent("#due-amount"), "$32.37");
  noFaults();
});

test("today is the seller's day, wherever the customer sits", async () => {
  const at = "2026-03-31T22:30:00Z"; // 18:30 in New York, 00:30 in Berlin, 07:30 in Tokyo
  for (const [customer, today, first] of [["cus_harborline", "2026-03-31", "Mar 31, 2026"], ["cus_kontor", "2026-04-01", "April 2026"]]) {
    page = await visit(customer, { at, timezoneId: "Asia/Tokyo" });
    assert.equal(await page.inputValue("#start"), today);
    await page.fill("#seats-quantity", "30");
    assert.equal((await shownInvoices(page))[0].date, today);
    assert.equal(Object.keys(await table())[1], first);
    noFaults();
    await page.context().close();
  }
  page = null;
});

// ---- the chart

test("bars, table and the engine's own schedule say the same", async () => {
  for (const [customer, contract, overrides] of [
    ["cus_harborline", "con_harborline", [{ line_item_id: "li_harborline_seats", quantity: "55" }]],
    ["cus_kontor", "con_kontor", [{ line_item_id: "li_kontor_seats", quantity: "55" }]],
  ]) {
    page = await visit(customer, { at: MARCH, contract });
    await page.fill("#seats-quantity", "55");
    await page.click(".outlook summary");
    const request = { contract_id: contract, product_overrides: overrides };
    const preview = shop.compute(request, "2026-03-20");
    const { invoices, without_change } = shop.compute(request, "2026-03-20", 40);
    const months = new Map();
    const cents = (text) => BigInt(text.replace(".", ""));
    for (const [which, list] of [[0, without_change], [1, [preview.estimates.current_invoice, ...invoices]]]) {
      for (const { invoice_date: date, amount_due: due } of list.filter((one) => one.invoice_date < "2027-03-20")) {
        const month = date.slice(0, 7);
        if (!months.has(month)) months.set(month, [0n, 0n]);
        months.get(month)[which] += cents(due);
      }
    }
    const shown = (amount) => money(amount.toString().padStart(3, "0").replace(/(\d\d)$/, ".$1"), preview.currency);

    const rows = Object.values(await table()).slice(1); // without the head
    assert.equal(rows.length, 14, "thirteen months in part or whole, and all together");
    const keys = await page.$$eval(".plot g", (all) => all.map((one) => one.dataset.month));
    assert.equal(keys.length, 13);
    for (const [index, key] of keys.entries()) {
      const [before, now] = months.get(key) ?? [0n, 0n];
      assert.deepEqual(rows[index].slice(0, 2), [shown(before), shown(now)], key);
    }
    const sums = [0, 1].map((which) => [...months.values()].reduce((sum, pair) => sum + pair[which], 0n));
    assert.deepEqual(rows.at(-1).slice(0, 2), sums.map(shown));
    assert.deepEqual(await page.$$eval(".legend dd", (all) => all.map((one) => one.textContent)), sums.map(shown));
    const about = await page.textContent("#chart-about");
    for (const sum of sums) assert(about.includes(shown(sum)), about);

    // A bar is as tall as its amount, by the marks at the side.
    const [lowest, middle, highest] = await page.$$eval(".axis text", (all) => all.map((one) => one.textContent));
    const valueOf = (mark) => Number(mark.replace(/[^\d.]/g, "")) * (mark.endsWith("K") ? 1000 : 1);
    assert.deepEqual([valueOf(lowest), valueOf(middle)], [0, valueOf(highest) / 2]);
    const lines = await page.$$eval(".plot .step", (all) => all.map((one) => Number(one.getAttribute("y1"))));
    const room = lines[0] - lines[2];
    const heights = await page.$$eval(".plot g", (all) => all.map((one) =>
      [".before", ".after"].map((which) => Number(one.querySelector(which).getAttribute("height")))));
    for (const [index, key] of keys.entries()) {
      for (const which of [0, 1]) {
        const wanted = (Number((months.get(key) ?? [0n, 0n])[which]) / 100 / valueOf(highest)) * room;
        assert(Math.abs(heights[index][which] - wanted) < 0.02, `${key} ${which}: ${heights[index][which]} for ${wanted}`);
      }
    }
    const tallest = Math.max(...heights.flat());
    assert(tallest > room / 2 && tallest <= room, "the tallest bar uses the room");
    noFaults();
    await page.context().close();
  }
  page = null;
});

test("credit that invoices before the change use up is not used again", async () => {
  page = await visit("cus_kontor", { at: "2026-11-22T15:00:00Z" });
  await page.fill("#seats-quantity", "26");
  await page.fill("#start", "2027-03-10");
  // 18,725.64 and 18,839.82 for a customer without credit; this one has 35.50, which the invoice of December takes.
  assert.deepEqual((await table()).Together, ["€18,690.14", "€18,804.32", "+€114.18"]);
  assert.deepEqual((await table())["December 2026"].slice(2), ["±0"]);
  const request = { contract_id: "con_kontor", start_date: "2027-03-10", product_overrides: [{ line_item_id: "li_kontor_seats", quantity: "26" }] };
  await assertShows(page, shop.compute(request, "2026-11-22"), "the summary is what the server confirms");
  noFaults();
});

test("a change of plan is in the chart, with what is due today", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  await page.check("[name=plan][value=team_annual_usd]");
  const due = await page.textContent("#due-amount");
  const year = await table();
  assert.deepEqual(year["Mar 20 – 31, 2026"].slice(0, 2), ["$0.00", due]);
  assert.deepEqual(year["April 2026"].slice(0, 2), ["$264.57", "$54.44"]);
  assert.deepEqual(year["Mar 1 – 19, 2027"].slice(0, 2), ["$264.57", "$0.00"], "the next year is not in it");
});

test("the chart is a picture with a name, and not told by colour alone", async () => {
  page = await visit("cus_harborline", { at: MARCH, forcedColors: "active" });
  assert.equal(await page.locator(".plot .after").first().isVisible(), false, "nothing to compare with yet");
  await page.fill("#seats-quantity", "20");
  const picture = page.getByRole("img", { name: /^The coming twelve months, Mar 20, 2026 – Mar 19, 2027$/ });
  assert.equal(await picture.count(), 1);
  assert.equal(await page.getAttribute(".plot .before", "fill"), "url(#hatch)");
  const painted = await page.$eval(".plot g:nth-of-type(3)", (group) => ["before", "after"].map((which) => {
    const { stroke, fill } = getComputedStyle(group.querySelector(`.${which}`));
    return { stroke, fill };
  }));
  for (const { stroke } of painted) assert.notEqual(stroke, "none");
  assert.notEqual(painted[0].fill, painted[1].fill);
  const shown = page.getByRole("table", { name: "What is due in each month, as it is and with the change" });
  assert.equal(await shown.count(), 0, "folded away");
  await page.click(".outlook summary");
  assert.equal(await shown.count(), 1);
  assert.deepEqual(await accessibilityFaults(page), []);
});

test("a contract of which nothing can be said ahead has no bars, least of all another's", async () => {
  const seats = lineOf(shop.catalog.contracts.find(({ id }) => id === "con_openshelter"), "seats"); // not to be switched off within a year
  page = await visit("cus_kontor", { at: MARCH });
  await page.route("**/catalog", async (route) => {
    const response = await route.fetch();
    const catalog = await response.json();
    const other = catalog.contracts.find(({ id }) => id === "con_harborline_careers");
    Object.assign(other, { plan_id: "team_annual_usd", start_date: "2026-03-01", anchor_date: "2026-03-01", end_date: "2026-12-31" });
    other.phases = [{ name: "Team", start_date: "2026-03-01", end_date: "2026-12-31", lines: [seats] }];
    await route.fulfill({ response, json: catalog });
  });
  await page.selectOption("#customer", "cus_harborline");
  await page.check("[name=contract][value=con_harborline]");
  assert(await page.locator(".plot").isVisible());
  await page.check("[name=contract][value=con_harborline_careers]");
  assert.equal(await page.locator(".plot").count(), 0);
  assert.match(await page.textContent("#chart"), /^Change something to see/);
  assert.match(await page.textContent("#bill"), /^Nothing is changed yet\. Your contract goes on as agreed\.$/);
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.fill("#seats-quantity", "31");
  assert(await page.locator(".plot").isVisible());
  assert.deepEqual((await table()).Together[0], "$0.00", "paid until its end");
  noFaults();
});

// ---- bad input

test("a problem stands at its field, the last good price stays grey, and it goes when it is mended", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  await page.fill("#seats-quantity", "20");
  const sum = await page.textContent(".legend dd");
  for (const [text, words] of [
    ["0", "Choose at least 2 seats."], ["1", "Choose at least 2 seats."], ["251", /^Choose at most 250 seats/], ["2.5", "Choose a whole number."],
    ["-3", /Enter a number/], ["", "Enter a number, such as 12."],
  ]) {
    await page.fill("#seats-quantity", text);
    const said = await page.textContent("#seats-problem");
    assert(words instanceof RegExp ? words.test(said) : words === said, `${text}: ${said}`);
    assert.equal(await page.getAttribute("#seats-quantity", "aria-invalid"), "true", text);
    assert.equal(await page.locator(".price.stale").count(), 2, "the chart and the summary");
  }
  await page.focus("#seats-quantity");
  await page.keyboard.type("many e+");
  assert.equal(await page.textContent("#seats-problem"), "Enter a number, such as 12.");
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.focus("#voice-switch");
  await page.click("#continue");
  assert.equal(await page.evaluate(() => document.activeElement.id), "seats-quantity", "Continue leads to the problem");
  assert.equal(await page.textContent(".legend dd"), sum);

  await page.check("#viewers-switch");
  await page.fill("#viewers-quantity", "7");
  assert.equal(await page.textContent("#viewers-problem"), "Choose a multiple of 5.", "both at once");
  await page.fill("#viewers-quantity", "10");
  await page.fill("#seats-quantity", "12");
  assert.equal(await page.locator("[aria-invalid], .price.stale").count(), 0);
  await page.uncheck("#viewers-switch");
  assert.match(await page.textContent("#bill"), /^Nothing is changed yet/);
  await page.click("#continue");
  assert.match(await page.textContent("#notice"), /Nothing is changed yet/);
  noFaults();
});

test("the buttons go by what is sold together, and not past the limits", async () => {
  page = await visit("cus_openshelter", { at: MARCH, contract: "con_openshelter" });
  await page.click("#viewers-more");
  assert.equal(await page.inputValue("#viewers-quantity"), "25");
  assert.deepEqual(await told(), [["25 viewers from Mar 20, 2026", "20 viewers until then."]]);
  for (let times = 0; times < 6; times += 1) await page.click("#viewers-fewer");
  assert.equal(await page.inputValue("#viewers-quantity"), "5");
  assert.equal(await page.getAttribute("#viewers-more", "aria-label"), "More viewer seats");
});

// ---- with the server, today

test("confirmed, and changed again from there", async () => {
  const { id } = await newContract();
  page = await visit("cus_openshelter", { contract: id });
  assert.match(await chosenContract(), /Version 1/);
  await page.fill("#seats-quantity", "14");
  await toReview();
  assert.match(await page.textContent("#review"), new RegExp(`Open Shelter Project.*Ternwell, Inc\\..*${id}.*14 seats, every month`, "s"));
  const [held] = await shownInvoices(page);
  await toContract();
  assert.match(await page.textContent("#done"), /Your contract is changed.*Version2.*14 seats, every month/s);
  assert((await page.textContent("#done")).includes(held.due));
  const second = await stored(id);
  assert.equal(second.version, 2);

  await page.click("#done button");
  await page.waitForSelector("[data-stage=choose]");
  assert.equal(await page.evaluate(() => document.activeElement.id), "amendment-title");
  assert.match(await chosenContract(), /14 seats.*Version 2/s);
  assert.equal(await page.inputValue("#seats-quantity"), "14");
  await page.check("[name=plan][value=team_annual_usd]");
  await toReview();
  await toContract();
  const third = await stored(id);
  assert.deepEqual([third.version, third.plan_id, lineOf(third, "seats").quantity.value], [3, "team_annual_usd", "14"]);
  await page.click("#done button");
  await page.waitForSelector("[data-stage=choose]");
  assert.match(await chosenContract(), /Team, paid yearly.*14 seats.*Version 3/s);
  noFaults();
});

test("a number that is put off is shown as arranged, and can be taken back", async () => {
  const { id } = await newContract({ plan_id: "team_annual_usd", start_date: inDays(-40) });
  page = await visit("cus_openshelter", { contract: id });
  await page.fill("#seats-quantity", "6");
  await toReview();
  assert.match(await page.textContent("#review"), /10 seats, every year; 6 seats from /);
  await toContract();
  await page.click("#done button");
  await page.waitForSelector("[data-stage=choose]");
  assert.equal(await page.inputValue("#seats-quantity"), "10");
  assert.match(await page.textContent("#seats-about"), /Arranged: 6 seats from /);
  const [{ effective_from: from }] = lineOf(await stored(id), "seats").quantity_entries;
  await page.fill("#start", from);
  assert.equal(await page.inputValue("#seats-quantity"), "6");
  await page.fill("#seats-quantity", "10");
  await toReview();
  await toContract();
  const { version, phases } = await stored(id);
  assert.equal(version, 3);
  assert.equal(phases[0].lines[0].quantity_entries.at(-1)?.value ?? "10", "10");
  noFaults();
});

test("what was arranged before stays, and nothing waits that does not", async () => {
  const later = inDays(20);
  const viewers = (is_enabled, quantity) => ({ product_overrides: [{ product_id: "viewers", is_enabled, quantity }] });
  const arranged = async (contract, product, quantity) => confirmed({ contract_id: contract.id, product_overrides: [
    { line_item_id: lineOf(contract, product).line_item_id, quantity, effective_from: later },
  ] });
  const on = await arranged(await newContract(viewers(true, "10")), "viewers", "20");
  page = await visit("cus_openshelter", { contract: on.id });
  const today = day(await page.inputValue("#start"));
  assert.match(await page.textContent("#viewers-about"), new RegExp(`Arranged: 20 viewers from ${day(later)}`));
  await page.fill("#viewers-quantity", "15");
  assert.deepEqual(await told(), [[`15 viewers from ${today}`, "10 viewers until then."], [`20 viewers from ${day(later)}`, "As agreed before."]]);
  await page.uncheck("#viewers-switch");
  assert.deepEqual(await told(), [[`No Viewer seats from ${today}`]], "off from today, whatever was arranged");

  const off = await arranged(await newContract(viewers(false, "10")), "viewers", "20");
  await page.goto(page.url().replace(on.id, off.id));
  await page.waitForSelector("[data-stage=choose]");
  assert.doesNotMatch(await page.textContent("#viewers-about"), /Arranged/, "it is off on that day too");
  await page.check("#viewers-switch");
  assert.deepEqual(await told(), [[`10 viewers from ${today}`], [`20 viewers from ${day(later)}`, "As agreed before."]]);
  await page.fill("#viewers-quantity", "20");
  assert.deepEqual(await told(), [[`20 viewers from ${today}`]], "nothing happens on the later day");
  noFaults();
});

test("what is chosen in a trial holds after it", async () => {
  const { id } = await newContract({ plan_id: "starter_usd", product_overrides: [] });
  page = await visit("cus_openshelter", { contract: id });
  await page.fill("#seats-quantity", "3");
  await page.check("#domain-switch");
  assert.deepEqual((await told()).map(([what]) => what.replace(/ from .*/, "")), ["3 seats", "Custom domain"]);
  await toReview();
  assert.match(await page.textContent("#review"), /Trial of Team, from .*3 seats.*Custom domain.*Starter, from .*3 seats.*Custom domain/s);
  await toContract();
  const { phases } = await stored(id);
  assert.equal(phases.length, 2);
  for (const { lines } of phases) assert.equal(lines[0].quantity_entries.at(-1)?.value ?? lines[0].quantity.value, "3");
  noFaults();
});

test("a move to another plan that waits for its day is shown, and the plan until then can still be changed", async () => {
  const { id } = await newContract({ start_date: inDays(-60) });
  page = await visit("cus_openshelter", { contract: id });
  await page.check("[name=plan][value=team_annual_usd]");
  await page.fill("#start", inDays(45));
  assert.match(await page.textContent("#due-label"), /^Due on /);
  await toReview();
  await toContract();
  await page.click("#done button");
  await page.waitForSelector("[data-stage=choose]");
  assert.match(await chosenContract(), /Team from .*Version 2/s);
  await page.fill("#seats-quantity", "11");
  await toReview();
  await toContract();
  const { version, phases } = await stored(id);
  assert.equal(version, 3);
  for (const { lines } of phases) {
    const seats = lines.find(({ product }) => product.id === "seats");
    assert.equal(seats.quantity_entries.at(-1)?.value ?? seats.quantity.value, "11", "before and after the move");
  }
  noFaults();
});

test("a choice of today leaves the smaller plan that is to come as it was arranged, or names its limit", async () => {
  const { id } = await newContract({ start_date: inDays(-10) });
  await confirmed({ contract_id: id, plan_id: "starter_usd", start_date: inDays(60) });
  const [today, ...later] = (await stored(id)).phases.map((phase) => phase.lines.find(({ product }) => product.id === "seats"));
  assert(later.length > 0 && later.every((line) => line.quantity.maximum === "3" && line.quantity.value !== today.quantity.value));
  page = await visit("cus_openshelter", { contract: id });
  await page.fill("#seats-quantity", "6");
  assert.equal(await page.textContent("#seats-problem"), "");
  await toReview();
  await toContract();
  const [first, ...rest] = (await stored(id)).phases.map((phase) => phase.lines.find(({ product }) => product.id === "seats"));
  assert.equal(first.quantity_entries.at(-1).value, "6");
  assert.deepEqual(rest, later);

  const same = await newContract({ start_date: inDays(-10), product_overrides: [{ product_id: "seats", quantity: "3" }] });
  const bound = { plan_id: "starter_usd", start_date: inDays(60), product_overrides: [{ product_id: "seats", quantity: "3" }] };
  await confirmed({ contract_id: same.id, ...bound });
  await page.context().close();
  page = await visit("cus_openshelter", { contract: same.id });
  await page.fill("#seats-quantity", "6");
  assert.equal(await page.textContent("#seats-problem"), "Choose at most 3 seats. For more, write to us.");
  noFaults();
});

test("until the day of a move the plan is the one that runs, and what is to come stands beside it", async () => {
  const { id } = await newContract({ start_date: inDays(-10) });
  const [last, first] = [59, 60].map((days) => day(inDays(days)));
  await confirmed({ contract_id: id, plan_id: "starter_usd", start_date: inDays(60) });
  page = await visit("cus_openshelter", { contract: id });
  assert.match(await chosenContract(), new RegExp(`^Team, paid monthly until ${last}, then Starter10 seats`));
  assert.match(await chosenContract(), new RegExp(`Trial of Team from ${first} · Starter from .* · Version 2`));
  const planCard = (plan) => page.textContent(`.card:has([name=plan][value=${plan}])`);
  assert.match(await planCard("team_monthly_usd"), new RegExp(`Your plan until ${last}$`));
  assert.match(await planCard("starter_usd"), new RegExp(`Your plan from ${first}$`));
  assert.doesNotMatch(await planCard("scale_usd"), /Your plan/);
  assert(await page.isChecked("[name=plan][value=starter_usd]"), "as arranged");

  await page.check("[name=plan][value=scale_usd]");
  const today = day(await page.inputValue("#start"));
  assert.deepEqual((await told()).slice(0, 2), [
    [`Scale, from ${today}`, "Team, paid monthly, until then."], [`No longer to come: Starter, from ${first}`],
  ]);
  await page.check("[name=plan][value=team_monthly_usd]");
  assert.deepEqual((await told()).slice(0, 2), [
    [`Team, paid monthly, from ${today}`, "It begins anew."], [`No longer to come: Starter, from ${first}`],
  ]);
  assert.deepEqual(await accessibilityFaults(page), []);
  noFaults();
});

test("the card of a contract says what is arranged on it", async () => {
  const contract = await newContract({ product_overrides: [{ product_id: "voice", is_enabled: true }] });
  const overrides = [
    { line_item_id: lineOf(contract, "voice").line_item_id, is_enabled: false, effective_from: inDays(30) },
    { line_item_id: lineOf(contract, "seats").line_item_id, quantity: "6", effective_from: inDays(40) },
    { line_item_id: lineOf(contract, "viewers").line_item_id, quantity: "20", effective_from: inDays(50) },
  ];
  await confirmed({ contract_id: contract.id, product_overrides: overrides });
  page = await visit("cus_openshelter", { contract: contract.id });
  assert((await chosenContract()).includes(
    `5 seats, Phone channel${day(contract.start_date)}, until you cancel`
    + ` · No Phone channel from ${day(inDays(30))} · 6 seats from ${day(inDays(40))} · Version 2`,
  ), await chosenContract());
  noFaults();
});

test("somebody else was first: said, the contract read anew, and what was entered kept", async () => {
  const contract = await newContract();
  page = await visit("cus_openshelter", { contract: contract.id });
  await page.fill("#seats-quantity", "18");
  await toReview();
  await confirmed({ contract_id: contract.id, product_overrides: [{ line_item_id: lineOf(contract, "voice").line_item_id, is_enabled: true }] });
  await page.click("#confirm");
  await page.waitForSelector("#notice strong");
  assert.match(await page.textContent("#notice"), /has just been changed.*What you entered is kept/);
  assert.match(await chosenContract(), /Version 2/);
  assert.equal(await page.inputValue("#seats-quantity"), "18");
  assert(await page.isChecked("#voice-switch"), "the other's change is there");
  assert.deepEqual(await accessibilityFaults(page), []);
  await toReview();
  await toContract();
  const now = await stored(contract.id);
  assert.deepEqual([now.version, lineOf(now, "seats").quantity_entries.at(-1)?.value], [3, "18"]);
});

test("a contract that changed before Continue: both prices are shown, and the new one can be taken", async () => {
  const contract = await newContract();
  page = await visit("cus_openshelter", { contract: contract.id });
  await page.fill("#seats-quantity", "18");
  await confirmed({ contract_id: contract.id, product_overrides: [{ line_item_id: lineOf(contract, "seats").line_item_id, quantity: "60" }] });
  const old = await page.textContent("#due-amount");
  await page.click("#continue");
  await page.waitForSelector("#price-changed[open]");
  assert.match(await page.textContent("#price-changed"), /Somebody else changed this contract/);
  const rows = await page.$$eval("#price-changed tbody tr", (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  assert(rows.some(([label, before]) => label.startsWith("Due now") && before === old), JSON.stringify(rows));
  assert(rows.some(([label]) => label === "Given back: Seats"), JSON.stringify(rows));
  assert.deepEqual(await accessibilityFaults(page), []);
  await page.click("#price-changed [value=back]");
  await page.waitForFunction(() => /Version 2/.test(document.querySelector("#contracts").textContent));
  assert.equal(await page.inputValue("#seats-quantity"), "18");
  await toReview();
  await toContract();
  assert.equal((await stored(contract.id)).version, 3);
});

test("a price list that changed meanwhile: both prices are shown", async (t) => {
  const { id } = await newContract();
  page = await visit("cus_openshelter", { contract: id });
  await page.check("[name=plan][value=team_annual_usd]");
  const old = await page.textContent("#due-amount");
  const cheaper = structuredClone(shop.catalog);
  cheaper.plans.find((plan) => plan.id === "team_annual_usd").phases[0].pricings[0].pricing_data.tiers[1].unit_amount = "99.00";
  assert.equal((await shop.call("PUT", "/catalog", cheaper)).status, 200);
  t.after(() => shop.call("PUT", "/catalog", shop.catalog));
  await page.click("#continue");
  await page.waitForSelector("#price-changed[open]");
  assert.match(await page.textContent("#price-changed"), /The price list was updated/);
  const sums = await page.$$eval("#price-changed .sum", (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  const [, was, is] = sums.find(([label]) => label.startsWith("Due now"));
  assert.equal(was, old);
  await page.click("#price-changed [value=accept]");
  await page.waitForSelector("#review-title");
  assert.equal(await page.textContent("#due-amount"), is);
  await toContract();
  assert.equal(lineOf(await stored(id), "seats").pricing_data.tiers[1].unit_amount, "99.00");
});

test("a contract that was moved to another plan meanwhile", async () => {
  const contract = await newContract();
  page = await visit("cus_openshelter", { contract: contract.id });
  await page.fill("#seats-quantity", "18");
  await confirmed({ contract_id: contract.id, plan_id: "team_annual_usd" });
  await page.click("#continue");
  await page.waitForSelector("#notice strong");
  assert.match(await page.textContent("#notice"), /has just been changed.*What you entered is kept/);
  assert.match(await chosenContract(), /Team, paid yearly.*Version 2/s);
  assert.equal(await page.inputValue("#seats-quantity"), "18");
  await toReview();
  await toContract();
  const now = await stored(contract.id);
  assert.deepEqual([now.version, lineOf(now, "seats").product.id], [3, "seats"]);
});

test("an expired offer is renewed with everything entered, and a lost answer is found again", async () => {
  const { id } = await newContract();
  page = await visit("cus_openshelter", { contract: id });
  await page.fill("#seats-quantity", "33");
  await toReview();
  await page.route("**/confirm", (route) => route.fulfill({
    status: 409, contentType: "application/problem+json",
    body: JSON.stringify({ code: "checkout_not_confirmable", current_status: "expired", valid_statuses: ["pending"] }),
  }));
  await page.click("#confirm");
  await page.waitForSelector("#notice button");
  assert.match(await page.textContent("#notice"), /run out.*still here/);
  await page.unroute("**/confirm");
  await page.click("#notice button");
  await page.waitForSelector("#review-title", { state: "visible" });
  await page.route("**/confirm", async (route) => {
    await route.fetch();
    await route.abort("connectionreset");
  });
  await page.click("#confirm");
  await page.waitForSelector("#notice button");
  await page.unroute("**/confirm");
  await page.click("#notice button");
  await page.waitForSelector("#done-title");
  assert.equal((await stored(id)).version, 2, "once");
});

test("contracts that do not load can be asked for again", async () => {
  page = await visit("cus_harborline");
  await page.fill("#seats-quantity", "21");
  await page.route("**/catalog", (route) => route.fulfill({ status: 503, contentType: "application/json", body: "{}" }));
  await page.reload();
  await page.waitForSelector("#notice button");
  assert.match(await page.textContent("#notice"), /did not load.*did not answer/);
  await page.unroute("**/catalog");
  await page.click("#notice button");
  await page.waitForSelector("[data-stage=choose]");
  assert.equal(await page.inputValue("#seats-quantity"), "21", "kept over the reload");
});

test("what a customer buys in the shop is on the account page", async () => {
  page = await visit("cus_sato");
  assert.match(await page.textContent("#no-contract"), /This customer has no running contract/);
  assert(await page.isHidden("#summary"));
  await page.click("#buy");
  await page.waitForSelector("#order:not([aria-busy])");
  assert(await page.isChecked("[value=account]"));
  assert.deepEqual([await page.inputValue("#customer"), await page.inputValue("#region")], ["cus_sato", "jpy"]);
  const first = inDays(20);
  await page.fill("#start", first);
  await toReview();
  await toContract();
  const id = await page.textContent(".facts code");
  await page.click("#done a:has-text('account')");
  await page.waitForSelector("#amendment:not([aria-busy])");
  assert.equal(await page.inputValue("#customer"), "cus_sato");
  assert.equal(await page.inputValue("#start"), first, "a contract that is still to begin is changed from its first day");
  assert.match(await page.textContent("#customer"), /Sato & Co\. <Tokyo>/, "a name is text, whatever it holds");
  await page.fill("#seats-quantity", "9");
  await toReview();
  await toContract();
  assert.equal((await stored(id)).version, 2);
  noFaults();
});

test("a contract that has ended is shown, and cannot be changed", async () => {
  page = await visit("cus_kontor", { at: "2031-05-05T12:00:00Z" });
  assert.match(await page.textContent("#contracts"), /Scale.*Ended.*until Feb 28, 2029/s);
  assert(await page.isDisabled("[name=contract]"));
  assert(await page.isHidden("#changes") && await page.isHidden("#summary"));
  noFaults();
});

test("two contracts of one customer: each keeps to itself", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  await page.fill("#seats-quantity", "20");
  await page.check("[name=contract][value=con_harborline_careers]");
  assert.equal(await page.inputValue("#seats-quantity"), "2");
  assert.match(page.url(), /contract=con_harborline_careers/);
  await page.uncheck("#domain-switch");
  assert.deepEqual(await told(), [["No Custom domain from Mar 20, 2026"]]);
  await page.selectOption("#customer", "cus_kontor");
  await page.waitForSelector("[name=contract][value=con_kontor]", { state: "attached" });
  assert.match(await page.textContent("#bill"), /^Nothing is changed yet/);
  noFaults();
});

// ---- for everybody

test("with the keyboard alone", async () => {
  const { id } = await newContract();
  page = await visit("cus_openshelter", { contract: id });
  const tabTo = (wanted) => tabUntil(page, wanted);
  await tabTo("customer");
  await tabTo(id);
  await tabTo("The same as a table");
  await page.keyboard.press("Enter");
  assert(await page.isVisible(".year"));
  await tabTo("seats-fewer");
  await tabTo("seats-quantity");
  await page.keyboard.press("ArrowUp");
  await tabTo("seats-more");
  await page.keyboard.press("Enter");
  assert.equal(await page.inputValue("#seats-quantity"), "12");
  assert.match(await page.getAttribute("#seats-quantity", "aria-valuetext"), /^12 seats, due today \$/);
  await tabTo("voice-switch");
  await page.keyboard.press("Space");
  await tabTo("team_monthly_usd");
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await focused(page), "team_monthly_usd", "arrows pick another plan");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "team_monthly_usd");
  await tabTo("start-today");
  await tabTo("continue");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#review-title");
  assert.equal(await focused(page), "review-title");
  await tabTo("confirm");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#done-title");
  assert.match(await page.textContent("#done"), /12 seats.*Phone channel/s);
  noFaults();
});

test("only the total is announced, once the customer pauses", async () => {
  page = await visit("cus_harborline", { at: MARCH });
  await assertOnlyTotalAnnounced(page);
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing: ${colorScheme}, ${width} px`, async () => {
      const { id } = await newContract();
      page = await visit("cus_openshelter", { contract: id, width, height: 800, colorScheme });
      assert.deepEqual(await accessibilityFaults(page), [], "unchanged");
      await page.click(".outlook summary");
      await page.fill("#seats-quantity", "4");
      assert.deepEqual(await accessibilityFaults(page), [], "fewer seats");
      await page.check("[name=plan][value=scale_usd]");
      assert.deepEqual(await accessibilityFaults(page), [], "another plan");
      await page.fill("#seats-quantity", "0");
      assert.deepEqual(await accessibilityFaults(page), [], "with a problem");
      await page.fill("#seats-quantity", "12");
      await toReview();
      assert.deepEqual(await accessibilityFaults(page), [], "review");
      await toContract();
      assert.deepEqual(await accessibilityFaults(page), [], "contract");
    });
  }
}

test("fits from 320 px on, in both directions of writing, with targets of 24 px", async () => {
  page = await visit("cus_kontor", { at: MARCH, width: 320, height: 640, reducedMotion: "reduce" });
  await page.fill("#seats-quantity", "400");
  await page.click(".outlook summary");
  await assertFits(page);
});

test("numbers change without moving anything", async () => {
  for (const width of [1280, 360]) {
    page = await visit("cus_harborline", { at: MARCH, width });
    const places = ["#chart", ".plot", ".plot g:last-of-type .before", "#options", "#plans", "#start", "#continue"];
    const place = () => page.evaluate((all) => all.map((one) => {
      const { x, y, width: wide } = document.querySelector(one).getBoundingClientRect();
      return [one, Math.round(x), one.endsWith(".before") ? null : Math.round(y + scrollY), Math.round(wide)];
    }), places);
    await page.fill("#seats-quantity", "13"); // also scrolls there
    const before = await place();
    for (const quantity of ["49", "50", "250"]) await page.fill("#seats-quantity", quantity);
    assert.deepEqual(await place(), before, `${width} px`);
    await page.context().close();
  }
  page = null;
});

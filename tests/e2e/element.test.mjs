// <checkout-preview>, used as a buyer uses it on a merchant's page: every flow and every state, in Chromium and in Firefox.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { installed } from "../js/project.mjs";
import { accessibilityFaults, money } from "./shop.mjs";
import { openStage } from "./stage.mjs";

/** A file of the element. */
const part = (name) => import(join(installed, `dist/element/${name}.js`));
const { default: english } = await part("messages-en");

const stage = await openStage();
const { shop } = stage;
let page;

after(() => stage.close());
afterEach(async () => {
  await page?.leave();
  page = null;
});

/** A flow that has to work in both browsers. */
function both(name, work) {
  for (const browser of stage.browsers) {
    test(`${name}, ${browser}`, (t) => work(async (options) => {
      page = await stage.visit(browser, options);
      return page;
    }, t));
  }
}

const TEAM = { "plan-ids": "team_monthly_usd team_annual_usd", "business-entity-id": "ternwell_us" };
const TODAY = "2026-11-10";
const AT = { options: { as_of: TODAY } };
const units = { seats: { one: "{count} seat", other: "{count} seats" } };

const show = (amount) => money(amount, "USD");
/** The invoices as the page should show them. */
const billsOf = ({ current_invoice: current, next_invoice: next }) => [current, next].filter(Boolean).map((invoice) => ({
  date: invoice.invoice_date, due: show(invoice.amount_due),
  lines: [...invoice.line_items].sort((one, other) => (one.kind === "credit" ? 0 : 1) - (other.kind === "credit" ? 0 : 1)).map((item) => [item.name, show(item.net_amount)]),
}));

// ---- Choosing

both("a new subscription: what the engine says, in the same task as the input", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: AT });
  const shown = await page.evaluate(() => {
    enter(row("Seats").querySelector("[type=number]"), "37");
    return { due: due(), bills: bills(), request: widget().request, event: events.at(-1)[0], slider: row("Seats").querySelector("[type=range]").value };
  });
  const request = { business_entity_id: "ternwell_us", plan_id: "team_monthly_usd", product_overrides: [{ product_id: "seats", quantity: "37" }] };
  assert.deepEqual(shown.request, request);
  const { estimates } = shop.compute(request, TODAY);
  assert.deepEqual(shown.bills, billsOf(estimates));
  assert.equal(shown.due, show(estimates.current_invoice.amount_due));
  assert.deepEqual([shown.event, shown.slider], ["preview-change", "37"]);
  assert.deepEqual(page.faults, []);
});

both("two plans side by side, and the saving the engine finds", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: AT });
  await page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "12"));
  const yearOf = (plan_id) => shop.compute({
    business_entity_id: "ternwell_us", plan_id, start_date: TODAY, end_date: "2027-11-09", product_overrides: [{ product_id: "seats", quantity: "12" }],
  }, "2027-11-10").estimates.current_invoice.total;
  const [monthly, yearly] = [yearOf("team_monthly_usd"), yearOf("team_annual_usd")];
  const saved = `${(Math.round(monthly * 100) - Math.round(yearly * 100)) / 100}`;
  await page.until((year) => text(".year").startsWith(year), show(monthly));
  assert.deepEqual(await page.evaluate(() => $$(".plan").map((card) => [card.querySelector("strong"), card.querySelector(".year"), card.querySelector(".saving")].map((node) => node && text(node)))), [
    ["Team, every month", `${show(monthly)} in the first year`, null],
    ["Team, every year", `${show(yearly)} in the first year`, `Save ${show(Number(saved).toFixed(2))}`],
  ]);
  const shown = await page.evaluate(() => {
    enter($("[value=team_annual_usd]"));
    return { bills: bills(), seats: row("Seats").querySelector("[type=number]").value, checked: $("[value=team_annual_usd]").checked };
  });
  assert.deepEqual([shown.seats, shown.checked], ["12", true]);
  assert.deepEqual(shown.bills, billsOf(shop.compute({ business_entity_id: "ternwell_us", plan_id: "team_annual_usd", product_overrides: [{ product_id: "seats", quantity: "12" }] }, TODAY).estimates));
});

both("what the next price step brings is what the engine charges there", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: { ...AT, messages: { units } } });
  const { tiers } = shop.catalog.plans.find(({ id }) => id === "team_monthly_usd").phases[0].pricings[0].pricing_data;
  const hint = async (quantity, wanted) => {
    await page.evaluate((value) => enter(row("Seats").querySelector("[type=number]"), value), quantity);
    await page.until((words) => text(row("Seats").querySelector(".hint")) === words, wanted);
  };
  await hint("5", `${Number(tiers[0].up_to) - 4} seats more and each costs ${show("12.00")}`);
  await hint(String(tiers[0].up_to), `1 seat more and each costs ${show("12.00")}`);
  await hint("200", ""); // no step is above the last
  const steps = await page.evaluate(() => [...row("Seats").querySelectorAll("tbody tr")].map((one) => [...one.children].map(text).concat(one.className)));
  assert.equal(steps.length, tiers.length);
  assert.deepEqual(steps.filter(([, , used]) => used).length, 1);
  assert.equal(steps.at(-1)[2], "used");
});

both("what the next price step brings, whatever way a step is priced", async (visit) => {
  const monthly = { billing_period: { cadence: "P1M", offset: "prepaid" } };
  const pricing = (id, type, tiers, more) => ({ id: id.replaceAll(" ", "_"), product: { id: id.replaceAll(" ", "_"), name: id }, ...monthly, quantity: { value: "8" }, pricing_data: { pricing_type: type, tiers }, ...more });
  const catalog = { business_entities: [{ id: "shop" }], plans: [{ id: "p", currency: "USD", phases: [{ pricings: [
    pricing("free after ten", "tiered", [{ up_to: "10", unit_amount: "5" }, { up_to: null, unit_amount: "0" }]),
    pricing("flat after ten", "tiered", [{ up_to: "10", unit_amount: "5" }, { up_to: null, unit_amount: "0", flat_amount: "20" }]),
    pricing("each and a fee", "volume_with_flat_fee", [{ up_to: "10", unit_amount: "5" }, { up_to: null, unit_amount: "4", flat_amount: "50" }]),
    pricing("ten are free", "tiered", [{ up_to: "10", unit_amount: "5" }, { up_to: null, unit_amount: "4" }], { free_units: "10" }),
    pricing("packages", "volume", [{ up_to: "10", unit_amount: "9", package_size: "5" }, { up_to: null, unit_amount: "8", package_size: "5" }]),
    pricing("bands", "two_dimensional_tiered", [{ up_to: "10" }, { up_to: null }], {
      dimension_values: ["1"], pricing_data: { pricing_type: "two_dimensional_tiered", tiers: [{ up_to: "10" }, { up_to: null }], bands: [{ up_to: null }], unit_amounts: [["5"], ["3"]] },
    }),
  ] }] }] };
  const page = await visit({ attributes: { "plan-id": "p", "business-entity-id": "shop", "start-date": "2026-12-01" }, properties: { ...AT, catalog } });
  const hints = await page.evaluate(() => $$(".line").map((one) => [text(one.querySelector(".name")), text(one.querySelector(".hint")), text(one.querySelector("details tbody") ?? one.querySelector(".hint")).includes("$")]));
  assert.deepEqual(hints, [
    ["free after ten", "3 more and it costs $50.00 in all", true],
    ["flat after ten", "3 more and it costs $70.00 in all", true],
    ["each and a fee", "3 more and it costs $94.00 in all", true],
    ["ten are free", "13 more, and from there each costs $4.00", true],
    ["packages", "3 more and it costs $24.00 in all", true],
    ["bands", "3 more, and from there each costs $3.00", true],
  ]);
  assert.match(await page.evaluate(() => text($$(".line")[3].querySelector("tbody"))), /up to 20.*above 20/);
  assert.equal(await page.evaluate(() => $$(".line")[5].querySelector("details")), null, "no table where it would say nothing");
  assert.deepEqual(page.faults, []);
});

both("plans of several currencies, with pricings of one id; and a least number that is no multiple", async (visit) => {
  const pricing = (amount) => ({
    id: "seats", product: { id: "seats", name: "Seats" }, billing_period: { cadence: "P1M", offset: "prepaid" },
    quantity: { value: "5", minimum: "1", multiple_of: "5" }, pricing_data: { pricing_type: "per_unit", unit_amount: amount },
  });
  const plan = (id, currency, amount) => ({ id, name: "Team", currency, phases: [{ pricings: [pricing(amount)] }] });
  const catalog = { business_entities: [{ id: "shop" }], plans: [plan("usd", "USD", "10"), plan("jpy", "JPY", "1500"), plan("aud", "AUD", "20")] };
  const page = await visit({ attributes: { "business-entity-id": "shop", "start-date": "2026-12-01" }, properties: { ...AT, catalog } });
  await page.until(() => $$(".year").length === 3);
  assert.deepEqual(await page.evaluate(() => $$(".year").map(text)), ["$600.00 in the first year", "¥90,000 in the first year", "A$1,200.00 in the first year"]);
  assert.equal(await page.evaluate(() => $(".saving")), null, "yen are not saved against dollars");
  assert.match(await page.evaluate(() => text(row("Seats"))), /\$10\.00/);
  await page.evaluate(() => enter($("[value=aud]")));
  assert.match(await page.evaluate(() => text(row("Seats"))), /A\$20\.00/);
  assert.deepEqual(await page.evaluate(() => {
    const slider = row("Seats").querySelector("[type=range]");
    slider.stepUp();
    return [slider.min, slider.value];
  }), ["5", "10"]);
  // A year of five digits is none, and nothing stops.
  await page.evaluate(() => { $("#start_date").type = "text"; enter($("#start_date"), "20266-12-01"); });
  assert.match(await page.evaluate(() => text("#start_date-problem")), /Enter a day/);
  assert.deepEqual(page.faults, []);
});

both("products on and off, and another first day", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: AT });
  const request = await page.evaluate(() => {
    enter(row("Phone channel").querySelector("input"));
    enter(row("Viewer seats").querySelector("input"));
    enter(row("Viewer seats").querySelector("[type=number]"), "15");
    enter($("#start_date"), "2026-12-15");
    return widget().request;
  });
  assert.deepEqual(request.product_overrides, [{ product_id: "viewers", is_enabled: true, quantity: "15" }, { product_id: "voice", is_enabled: true }]);
  assert.equal(request.start_date, "2026-12-15");
  assert.deepEqual(await page.evaluate(() => bills()), billsOf(shop.compute(request, TODAY).estimates));
  assert.match(await page.evaluate(() => text(".due")), /^Due on Dec 15, 2026\$/);
  await page.evaluate(() => enter(row("Viewer seats").querySelector("input")));
  assert.equal(await page.evaluate(() => row("Viewer seats").querySelector("[type=number]")), null);
});

both("a trial, until when and what then", async (visit) => {
  const page = await visit({ attributes: { "plan-id": "starter_usd", "business-entity-id": "ternwell_us" }, properties: AT });
  const summary = await page.evaluate(() => text(".summary"));
  assert.match(summary, /Trial until Nov 23, 2026\./);
  assert.match(summary, /Billed every month, until you cancel/);
  assert.equal(await page.evaluate(() => $$(".plan").length), 0, "one plan is no choice");
});

both("the coming twelve months are the engine's invoices", async (visit) => {
  const page = await visit({ attributes: { ...TEAM, chart: "" }, properties: AT });
  const request = await page.evaluate(() => widget().request);
  const invoices = [shop.compute(request, TODAY).estimates.current_invoice, ...shop.compute(request, TODAY, 13).invoices].filter(({ invoice_date: date }) => date < "2027-11-10");
  const rows = await page.evaluate(() => [...$("figure").querySelectorAll("tbody tr")].map((one) => [text(one.children[0]), text(one.children[2]), one.querySelector("rect").getAttribute("width")]));
  assert.equal(rows.length, 13);
  for (const [name, amount] of rows) {
    const month = new Date(`1 ${name} UTC`).toISOString().slice(0, 7);
    const due = invoices.filter(({ invoice_date: date }) => date.startsWith(month)).reduce((total, { amount_due: amount }) => total + Math.round(amount * 100), 0);
    assert.equal(amount, due === 0 ? show("0.00") : show((due / 100).toFixed(2)), name);
  }
  assert(rows.some(([, , width]) => width === "100.00%"));
});

// ---- A running contract

both("more seats: credit, charge, the next invoice and what it does, in words", async (visit) => {
  const page = await visit({ attributes: { "contract-id": "con_harborline", chart: "" }, properties: { ...AT, messages: { units } } });
  assert.match(await page.evaluate(() => text(".summary")), /Nothing is changed yet\.Next invoice, Dec 1, 2026/);
  assert.equal(await page.evaluate(() => $("[data-action=continue]").getAttribute("aria-disabled")), "true");
  const shown = await page.evaluate(() => {
    enter(row("Seats").querySelector("[type=number]"), "20");
    return { bills: bills(), request: widget().request, effects: text(".effects"), heads: $$("h4").map(text) };
  });
  const { estimates } = shop.compute(shown.request, TODAY);
  assert.deepEqual(shown.bills, billsOf(estimates));
  assert.equal(shown.effects, "20 seats from Nov 10, 2026Until then: 12 seats.");
  const sums = ["credit", "charge"].map((kind) => estimates.current_invoice.line_items.filter((item) => item.kind === kind).reduce((sum, item) => sum + Math.round(item.net_amount * 100), 0) / 100);
  assert.deepEqual(shown.heads.slice(0, 2), [`Credit for what you have paid and will not use${show(sums[0].toFixed(2))}`, `Charges${show(sums[1].toFixed(2))}`]);
  await page.until(() => [...$("figure thead").querySelectorAll("th")].map(text).join() === "Month,As it is,With the change");
  await page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "12"));
  assert.equal(await page.evaluate(() => widget().preview), null, "back where it was is no change");
  assert.deepEqual(page.faults, []);
});

both("fewer seats of a yearly plan wait for the next year, and that is said", async (visit) => {
  const page = await visit({ attributes: { "contract-id": "con_openshelter" }, properties: { ...AT, messages: { units } } });
  await page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "25"));
  const effects = await page.evaluate(() => text(".effects"));
  assert.match(effects, /^25 seats from .*Until then: 30 seats\. A lower number counts from the next billing period on\./);
});

both("another plan: the old is given back, choices come along, what ends is named", async (visit) => {
  const page = await visit({ attributes: { "contract-id": "con_harborline", "plan-ids": "team_annual_usd scale_usd" }, properties: AT });
  assert.deepEqual(await page.evaluate(() => $$(".plan").map((card) => [card.querySelector("input").value, card.querySelector("input").checked])),
    [["team_monthly_usd", true], ["team_annual_usd", false], ["scale_usd", false]]);
  const shown = await page.evaluate(() => {
    enter($("[value=scale_usd]"));
    return { bills: bills(), request: widget().request, effects: text(".effects"), type: widget().preview.checkout_type };
  });
  assert.equal(shown.type, "plan_change");
  assert.equal(shown.request.product_overrides.find(({ product_id: id }) => id === "seats").quantity, "12");
  assert.deepEqual(shown.bills, billsOf(shop.compute(shown.request, TODAY).estimates));
  assert.match(shown.effects, /Scale from Nov 10, 2026.*Ends with the old plan: .*Phone channel/);
  const back = await page.evaluate(() => { enter($("[value=team_monthly_usd]")); return widget().preview; });
  assert.equal(back, null);
});

// ---- What is wrong

both("a problem stands at its field, the last price stays grey, and it goes when it is mended", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: { ...AT, messages: { units } } });
  const told = (value) => page.evaluate((typed) => {
    enter(row("Seats").querySelector("[type=number]"), typed);
    const field = row("Seats").querySelector("[type=number]");
    const described = field.getAttribute("aria-describedby").split(" ").map((id) => text(`#${id}`)).join(" ");
    return { said: text(row("Seats").querySelector(".problem")), described, invalid: field.getAttribute("aria-invalid"), grey: $(".base").hasAttribute("data-stale"), preview: widget().preview, typed: field.value, event: events.at(-1)[0] };
  }, value);
  for (const [value, words] of [["1", "Choose at least 2 seats."], ["251", "Choose at most 250 seats."], ["2.5", "Choose a multiple of 1 seat."], ["", "Enter a number, such as 12."]]) {
    const { said, described, ...rest } = await told(value);
    assert.equal(said, words);
    assert(described.endsWith(words));
    assert.deepEqual(rest, { invalid: "true", grey: true, preview: null, typed: value, event: "preview-error" });
  }
  await page.evaluate(() => $("[data-action=continue]").click());
  const mended = await told("9");
  assert.deepEqual([mended.said, mended.invalid, mended.grey, mended.event], ["", null, false, "preview-change"]);
  assert.deepEqual(page.faults, [], "what a buyer mistypes is nothing for the merchant's console");
});

both("a plan that does not exist: plain words for the buyer, the engine's for the merchant", async (visit) => {
  const page = await visit({ attributes: { "plan-id": "gone", "business-entity-id": "ternwell_us" }, properties: AT });
  assert.equal(await page.evaluate(() => text(".notice")), "This plan is not sold at the moment. Pick another one.");
  assert(page.faults.some((fault) => /plan_not_found/.test(fault)), page.faults.join());
  await page.evaluate(() => widget().setAttribute("plan-id", "team_monthly_usd"));
  await page.until(() => widget().preview?.plan_id === "team_monthly_usd");
});

both("a catalog that fails validation: said, told of, and another one works", async (visit) => {
  const broken = structuredClone(shop.catalog);
  broken.plans[0].phases[0].pricings[0].pricing_data = { pricing_type: "magic" };
  const page = await visit({ attributes: TEAM, properties: { ...AT, catalog: broken }, wait: false });
  await page.until(() => $(".base")?.dataset.stage === "failed");
  assert.match(await page.evaluate(() => text(".pay")), /cannot be shown at the moment.*Try again/);
  assert(page.faults.some((fault) => /pricing_type|magic/.test(fault)), page.faults.join());
  assert.equal(await page.evaluate(() => events[0][1].problems[0].path), "/catalog/plans/0/phases/0/pricings/0/pricing_data/pricing_type");
  await page.evaluate((catalog) => { widget().catalog = catalog; }, shop.catalog);
  await page.until(() => widget().preview);
});

both("a catalog replaced while the buyer types", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: AT });
  const dearer = structuredClone(shop.catalog);
  for (const tier of dearer.plans.find(({ id }) => id === "team_monthly_usd").phases[0].pricings[0].pricing_data.tiers) tier.unit_amount = "20.00";
  await page.evaluate((catalog) => {
    const field = row("Seats").querySelector("[type=number]");
    field.focus();
    enter(field, "31");
    widget().catalog = catalog;
  }, dearer);
  await page.until(() => text(".summary").includes("31 × $20.00"));
  assert.deepEqual(await page.evaluate(() => [row("Seats").querySelector("[type=number]").value, widget().shadowRoot.activeElement === row("Seats").querySelector("[type=number]")]), ["31", true]);
});

both("numbers and nulls where a catalog may have them, and a product twice", async (visit) => {
  const tiers = [{ up_to: 10, unit_amount: 3 }, { up_to: null, unit_amount: 2.5 }];
  const monthly = { billing_period: { cadence: "P1M", offset: "prepaid" } };
  const catalog = {
    customers: null, contracts: null, settings: null, business_entities: [{ id: "shop", taxes: null }],
    plans: [{ id: "odd", currency: "EUR", phases: [{ name: null, pricings: [
      { id: "a", product: { id: "twin" }, ...monthly, quantity: null, discounts: null, pricing_data: { pricing_type: "tiered", tiers } },
      { id: "b", product: { id: "twin" }, ...monthly, quantity: { value: 4 }, pricing_data: { pricing_type: "volume", tiers } },
      { id: "c", product: { id: "step" }, ...monthly, quantity: { value: 20 }, pricing_data: { pricing_type: "step", tiers: [{ up_to: 10, flat_amount: 50 }, { up_to: null, flat_amount: 80 }] } },
      { id: "d", product: { id: "share" }, ...monthly, quantity: { value: 1000 }, pricing_data: { pricing_type: "percent", percent: 2.5 } },
    ] }] }],
  };
  const page = await visit({ attributes: { "plan-id": "odd", "business-entity-id": "shop", locale: "de_DE" }, properties: { ...AT, catalog } });
  await page.evaluate(() => enter($$(".line")[1].querySelector("[type=number]"), "9"));
  const { product_overrides: overrides } = await page.evaluate(() => widget().request);
  assert.deepEqual(overrides, [{ pricing_id: "b", quantity: "9" }], "the one of both that was meant");
  await page.until(() => text($$(".line")[1].querySelector(".hint")) === "Noch 2, und jedes Stück kostet 2,50 €");
  assert.deepEqual(await page.evaluate(() => bills()[0].lines.map(([, amount]) => amount)), ["3,00 €", "27,00 €", "80,00 €", "25,00 €"]);
  assert.deepEqual(page.faults, []);
});

both("a day that is left unfinished is the one that is priced again", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: AT });
  const days = await page.evaluate(() => {
    enter($("#start_date"), "2026-12-15");
    enter($("#start_date"), "");
    const unfinished = $("#start_date").value;
    row("Seats").querySelector("[type=number]").focus();
    return [unfinished, $("#start_date").value, widget().request.start_date];
  });
  assert.deepEqual(days, ["", "2026-12-15", "2026-12-15"]);
});

both("a thousand lines, a name of 10,000 characters with markup, an amount of 15 digits", async (visit) => {
  const name = `<img src=x onerror="document.title='run'">`.padEnd(10_000, "x");
  const pricings = Array.from({ length: 1000 }, (_, index) => ({
    id: `pri_${index}`, product: { id: `prod_${index}`, name: index === 0 ? name : `Product ${index}` },
    billing_period: { cadence: "P1M", offset: "prepaid" }, quantity: { value: "1" },
    pricing_data: { pricing_type: "per_unit", unit_amount: index === 1 ? "99999999999.99" : "1.00" },
  }));
  const catalog = { business_entities: [{ id: "shop" }], plans: [{ id: "large", name, currency: "USD", phases: [{ pricings }] }] };
  const page = await visit({ attributes: { "plan-id": "large", "business-entity-id": "shop" }, properties: { ...AT, catalog } });
  const shown = await page.evaluate(() => {
    enter(row("Product 1").querySelector("[type=number]"), "9999");
    return { due: due(), lines: $$(".line").length, images: $$("img").length, title: document.title, wide: document.documentElement.scrollWidth <= innerWidth };
  });
  assert.deepEqual(shown, { due: "$999,900,000,000,899.01", lines: 1000, images: 0, title: "ready", wide: true });
  await page.evaluate(() => enter(row("Product 1").querySelector("[type=number]"), "10001"));
  assert.equal(await page.evaluate(() => text(".notice")), "This is more than can be ordered here. Choose less.");
});

// ---- The conversation with the verifier

const BY_SERVER = { attributes: TEAM, by: "server" };
const stageIs = (wanted) => ($(".base").dataset.stage === wanted);
const go = (page, action) => page.evaluate((name) => $(`[data-action=${name}]`).click(), action);
const noticeIs = (page, words) => page.until((pattern) => new RegExp(pattern).test(text(".notice") ?? ""), words);
const kept = async (page, quantity) => assert.equal(await page.evaluate(() => row("Seats").querySelector("[type=number]").value), quantity);

/** Chooses seats, and goes on to where the price is held. */
async function toReview(page, seats = "23") {
  await page.evaluate((value) => enter(row("Seats").querySelector("[type=number]"), value), seats);
  await go(page, "continue");
  await page.until(stageIs, "review");
}

both("from a plan to a contract, on a page of another origin than the verifier's", async (visit) => {
  const page = await visit({ ...BY_SERVER, attributes: { ...TEAM, "success-url": "/thanks?from=shop" } });
  await page.evaluate(() => { globalThis.prevented = ["checkout-confirm"]; });
  const before = await page.evaluate(() => { enter(row("Seats").querySelector("[type=number]"), "23"); return bills(); });
  await go(page, "continue");
  await page.until(stageIs, "review");
  assert.match(await page.evaluate(() => text(".pay")), /This price is held for you until .*By confirming you agree/);
  assert.deepEqual(await page.evaluate(() => [bills(), $("form").inert, widget().shadowRoot.activeElement?.id]), [before, true, "summary-title"]);
  await go(page, "confirm");
  await page.until(stageIs, "done");
  assert.match(await page.evaluate(() => text(".summary")), /Done\. Your contract is made\./);
  const events = await page.evaluate(() => globalThis.events.map(([name, { session }]) => [name, session?.checkout_status]));
  assert.deepEqual(events, [["preview-change", undefined], ["checkout-submit", undefined], ["checkout-create", "pending"], ["checkout-confirm", "contract_created"]]);
  const { contract } = await page.evaluate(() => widget().session);
  const stored = await shop.call("GET", `/contracts/${contract.id}`);
  assert.equal(stored.body.phases[0].lines[0].quantity.value, "23");
  assert.deepEqual(page.faults, []);
});

both("confirmed, the buyer goes where the merchant said, with the session's id", async (visit) => {
  const page = await visit({ ...BY_SERVER, attributes: { ...TEAM, "success-url": `${stage.origin}/thanks?from=shop` } });
  await toReview(page);
  const { id } = await page.evaluate(() => widget().session);
  await go(page, "confirm");
  await page.until(() => location.pathname === "/thanks");
  assert.equal(await page.evaluate(() => location.search), `?from=shop&checkout_session_id=${id}`);
});

both("cancelled, too; a session that was made is cancelled with it, though the page is left at once", async (visit) => {
  const page = await visit({ ...BY_SERVER, attributes: { ...TEAM, "cancel-url": "/plans" } });
  await toReview(page);
  const { id } = await page.evaluate(() => widget().session);
  await page.evaluate(() => { globalThis.prevented = ["checkout-cancel"]; });
  await go(page, "cancel");
  await page.until(() => events.at(-1)[0] === "checkout-cancel");
  assert.equal(await page.evaluate(() => location.pathname), "/");
  await page.evaluate(() => { globalThis.prevented = []; });
  await go(page, "cancel");
  await page.until(() => location.pathname === "/plans");
  const status = async () => (await shop.call("GET", `/checkouts/${id}`)).body.checkout_status;
  const patience = Date.now() + 10_000;
  while (Date.now() < patience && (await status()) !== "cancelled") await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await status(), "cancelled");
});

both("a page may take the order itself", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: AT });
  await go(page, "continue");
  const [name, { request, preview }] = await page.evaluate(() => events.at(-1));
  assert.deepEqual([name, request.plan_id, preview.currency], ["checkout-submit", "team_monthly_usd", "USD"]);
  assert.equal(await page.evaluate(() => $(".base").dataset.stage), "choose");
});

const dearer = () => {
  const catalog = structuredClone(shop.catalog);
  catalog.version = "dearer";
  for (const tier of catalog.plans.find(({ id }) => id === "team_monthly_usd").phases[0].pricings[0].pricing_data.tiers) tier.unit_amount = "31.00";
  return catalog;
};

for (const answer of ["accept", "back"]) {
  both(`the price changed meanwhile: both are shown; ${answer}`, async (visit, t) => {
    const page = await visit(BY_SERVER);
    await page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "23"));
    const old = await page.evaluate(() => due());
    assert.equal((await shop.call("PUT", "/catalog", dearer())).status, 200);
    t.after(() => shop.call("PUT", "/catalog", shop.catalog));
    await go(page, "continue");
    await noticeIs(page, "price has changed");
    const rows = await page.evaluate(() => [...$(".notice tbody").rows].map((one) => [...one.cells].map(text)));
    assert.equal(rows[0][1], old);
    assert.equal(rows[0][2], await page.evaluate(() => due()), "the summary shows the new price");
    assert(rows.some(([name]) => name === "Seats"));
    const [name, { differences }] = await page.evaluate(() => events.at(-1));
    assert.equal(name, "preview-mismatch");
    assert(differences.length > 0);
    await kept(page, "23");
    await go(page, answer);
    if (answer === "back") {
      assert.equal(await page.evaluate(() => text(".notice")), null);
      await go(page, "continue");
    }
    await page.until(stageIs, "review");
    await go(page, "confirm");
    await page.until(stageIs, "done");
    const { contract } = await page.evaluate(() => widget().session);
    assert.equal(contract.phases[0].lines[0].pricing_data.tiers[0].unit_amount, "31.00");
  });
}

both("offline, no answer, too many orders, signed out, closed: said, and nothing is lost", async (visit) => {
  const page = await visit(BY_SERVER);
  await page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "23"));
  const cases = [
    ["offline", "You seem to be offline\\. Everything you chose is kept\\."],
    ["unanswered", "The shop did not answer"],
    ["busy", "try again in 2 s"],
  ];
  const fakes = (name) => page.evaluate((which) => {
    globalThis.fake = {
      offline: () => { throw new TypeError("no network"); },
      unanswered: () => new Response("<h1>Bad gateway</h1>", { status: 502 }),
      busy: () => told(429, { code: "rate_limited", detail: "slow down" }, { "retry-after": "2" }),
      closed: () => told(403, { code: "forbidden", detail: "no" }),
    }[which];
  }, name);
  for (const [name, words] of cases) {
    await fakes(name);
    await go(page, "continue");
    await noticeIs(page, words);
    if (name === "busy") {
      assert.equal(await page.evaluate(() => $("[data-action=retry]").getAttribute("aria-disabled")), "true", "not before it makes sense");
      await page.until(() => text("[data-action=retry]") === "Try again (1)");
      assert.match(await page.evaluate(() => text("[role=alert]")), /in 2 s/, "what is read out does not count along");
      await page.until(() => $("[data-action=retry]").getAttribute("aria-disabled") !== "true");
    }
    await kept(page, "23");
    assert.equal(await page.evaluate(() => $(".base").dataset.stage), "choose");
  }
  await fakes("closed");
  await go(page, "retry");
  await noticeIs(page, "cannot take your order");
  assert.equal(await page.evaluate(() => $("[data-action=retry]")), null);
  await fakes(null);
  await go(page, "continue");
  await page.until(stageIs, "review");
});

both("a signed-out customer", async (visit) => {
  const page = await visit({ attributes: { "contract-id": "con_openshelter" }, by: "server", as: "cus_openshelter" });
  await page.evaluate(() => {
    enter(row("Seats").querySelector("[type=number]"), "40");
    globalThis.fake = () => told(401, { code: "unauthorized", detail: "expired" });
  });
  await go(page, "continue");
  await noticeIs(page, "You have been signed out");
});

both("an order whose answer was lost is stored once", async (visit) => {
  const page = await visit(BY_SERVER);
  await page.evaluate(() => {
    globalThis.keys = [];
    globalThis.fake = async (path, init) => {
      if (path !== "/checkouts") return null;
      keys.push(init.headers["idempotency-key"]);
      if (keys.length > 1) return null;
      await fetch(`${widget().getAttribute("verifier-url")}/checkouts`, init);
      throw new TypeError("the answer was lost");
    };
  });
  await go(page, "continue");
  await noticeIs(page, "offline");
  await go(page, "retry");
  await page.until(stageIs, "review");
  const keys = await page.evaluate(() => globalThis.keys);
  assert.equal(keys.length, 3, "sent, and sent again by the test's own hand and by the buyer's");
  assert.equal(new Set(keys).size, 1);
});

both("a slow server is said to be slow, and pressing twice orders once", async (visit) => {
  const page = await visit(BY_SERVER);
  await page.evaluate(() => {
    globalThis.calls = 0;
    globalThis.fake = (path) => path === "/checkouts" && (calls += 1, new Promise((resolve) => { globalThis.answer = () => resolve(null); }));
  });
  await go(page, "continue");
  await go(page, "continue");
  assert.deepEqual(await page.evaluate(() => [text("[data-action=continue]"), $("[data-action=continue]").getAttribute("aria-disabled")]), ["One moment", "true"]);
  await noticeIs(page, "longer than usual");
  await page.evaluate(() => { globalThis.fake = null; answer(); });
  await page.until(stageIs, "review");
  assert.equal(await page.evaluate(() => text(".notice")), null);
  assert.equal(await page.evaluate(() => calls), 1);
});

for (const [name, answer] of Object.entries({
  "an expired session": { status: 409, body: { code: "checkout_not_confirmable", current_status: "expired" } },
  "a session that is not there any more": { status: 404, body: { code: "not_found" } },
})) {
  both(`${name} is renewed with everything chosen`, async (visit) => {
    const page = await visit(BY_SERVER);
    await toReview(page);
    await page.evaluate(({ status, body }) => { globalThis.fake = (path) => path.endsWith("/confirm") && told(status, body); }, answer);
    await go(page, "confirm");
    await noticeIs(page, "held for is over");
    await page.evaluate(() => { globalThis.fake = null; });
    await go(page, "renew");
    await page.until(stageIs, "review");
    await kept(page, "23");
    await go(page, "confirm");
    await page.until(stageIs, "done");
  });
}

both("the price is said to be over when its time is", async (visit) => {
  const page = await visit({ ...BY_SERVER, properties: { request: { expires_at: new Date(Date.now() + 4000).toISOString().replace(/\.\d+/, "") } } });
  await toReview(page);
  await noticeIs(page, "held for is over");
});

both("a confirmation whose answer was lost still ends with the one contract", async (visit) => {
  const page = await visit(BY_SERVER);
  await toReview(page);
  await page.evaluate(() => {
    globalThis.fake = async (path, init) => {
      if (!path.endsWith("/confirm")) return null;
      globalThis.fake = null;
      await fetch(`${widget().getAttribute("verifier-url")}${path}`, init);
      throw new TypeError("the answer was lost");
    };
  });
  await go(page, "confirm");
  await noticeIs(page, "offline");
  await go(page, "retry");
  await page.until(stageIs, "done");
  assert.equal(await page.evaluate(() => widget().session.checkout_status), "contract_created");
});

both("somebody else was first: said, the contract read anew, and what was entered kept", async (visit) => {
  const made = await shop.call("POST", "/checkouts", { plan_id: "team_monthly_usd", customer_id: "cus_openshelter" });
  const { body: { contract } } = await shop.call("POST", `/checkouts/${made.body.id}/confirm`, {});
  const page = await visit({ attributes: { "contract-id": contract.id }, by: "server", as: "cus_openshelter" });
  await toReview(page, "18");
  const voice = contract.phases[0].lines.find(({ product }) => product.id === "voice");
  const other = await shop.call("POST", "/checkouts", { contract_id: contract.id, product_overrides: [{ line_item_id: voice.line_item_id, is_enabled: true }] });
  assert.equal((await shop.call("POST", `/checkouts/${other.body.id}/confirm`, {})).status, 200);
  await go(page, "confirm");
  await noticeIs(page, "Somebody else has just changed this contract");
  await kept(page, "18");
  assert(await page.evaluate(() => row("Phone channel").querySelector("input").checked), "the other's change is there");
  await go(page, "continue");
  await page.until(stageIs, "review");
  await go(page, "confirm");
  await page.until(stageIs, "done");
  const { body: now } = await shop.call("GET", `/contracts/${contract.id}`);
  assert.equal(now.version, 3);
});

both("prices that do not load can be asked for again", async (visit) => {
  const page = await visit({ attributes: TEAM });
  await page.evaluate(({ url, organisation, key }) => {
    globalThis.fake = () => { throw new TypeError("no network"); };
    for (const [name, value] of Object.entries({ "verifier-url": url, organisation, "publishable-key": key })) widget().setAttribute(name, value);
    widget().catalog = null;
  }, { url: shop.url, organisation: shop.organisation, key: shop.key });
  await page.until(stageIs, "failed");
  assert.match(await page.evaluate(() => text(".notice")), /offline/);
  await page.evaluate(() => { globalThis.fake = null; });
  await go(page, "retry");
  await page.until(stageIs, "choose");
  assert(await page.evaluate(() => widget().preview));
});

both("what is typed while the order is sent is not taken for what is ordered", async (visit) => {
  const page = await visit(BY_SERVER);
  await page.evaluate(() => { globalThis.fake = (path) => path === "/checkouts" && new Promise((resolve) => { globalThis.answer = () => resolve(null); }); });
  await page.evaluate(() => row("Seats").querySelector("[type=number]").focus());
  await page.keyboard.press("Enter");
  await page.until(() => globalThis.answer && $("form").inert);
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.evaluate(() => row("Seats").querySelector("[type=number]").value), "5");
  await page.evaluate(() => { globalThis.fake = null; answer(); });
  await page.until(stageIs, "review");
  assert.equal(await page.evaluate(() => widget().session.contract_preview?.phases?.[0].lines[0].quantity.value ?? "5"), "5");
});

both("who typed goes on typing where the order failed, and a button that is gone leaves the focus at the next", async (visit) => {
  const page = await visit(BY_SERVER);
  await page.evaluate(() => { globalThis.fake = () => { throw new TypeError("no network"); }; row("Seats").querySelector("[type=number]").focus(); });
  await page.keyboard.press("Enter");
  await noticeIs(page, "offline");
  await page.until(() => widget().shadowRoot.activeElement?.name === "quantity");
  await page.evaluate(() => $("[data-action=retry]").focus());
  await page.keyboard.press("Enter");
  await page.until(() => widget().shadowRoot.activeElement?.dataset.action);
});

both("the page asks for something else: what was being ordered is dropped", async (visit) => {
  const page = await visit({ ...BY_SERVER, attributes: { "plan-id": "team_monthly_usd", "business-entity-id": "ternwell_us" } });
  await toReview(page, "3");
  await page.evaluate(() => widget().setAttribute("plan-id", "starter_usd"));
  await page.until(() => widget().preview?.plan_id === "starter_usd");
  assert.deepEqual(await page.evaluate(() => [$(".base").dataset.stage, widget().session, $("[data-action=confirm]")]), ["choose", null, null]);
  // The same while the order is under way.
  await page.evaluate(() => { globalThis.fake = (path) => path === "/checkouts" && new Promise((resolve) => { globalThis.answer = () => resolve(null); }); });
  await go(page, "continue");
  await page.until(() => Boolean(globalThis.answer));
  await page.evaluate(() => widget().setAttribute("plan-id", "team_monthly_usd"));
  await page.until(() => widget().preview?.plan_id === "team_monthly_usd");
  const count = await page.evaluate(() => { globalThis.fake = null; answer(); return events.filter(([name]) => name === "checkout-create").length; });
  await go(page, "continue");
  await page.until(stageIs, "review");
  assert.equal(await page.evaluate(() => widget().session.plan_id), "team_monthly_usd");
  assert.equal(await page.evaluate(() => events.filter(([name]) => name === "checkout-create").length), count + 1, "of what nobody asks for any more there is no event");
  // Done, and once more.
  await go(page, "confirm");
  await page.until(stageIs, "done");
  await page.evaluate(() => { widget().request = { plan_id: "starter_usd", business_entity_id: "ternwell_us" }; });
  await page.until(stageIs, "choose");
});

both("a payment that is under way, and an order cancelled elsewhere, are not called expired", async (visit) => {
  const page = await visit(BY_SERVER);
  await toReview(page);
  const answer = (status) => page.evaluate((current_status) => {
    globalThis.fake = (path) => path.endsWith("/confirm") && told(409, { code: "checkout_not_confirmable", current_status });
  }, status);
  await answer("payment_initiated");
  await go(page, "confirm");
  await noticeIs(page, "payment for this order is already on its way");
  assert.equal(await page.evaluate(() => $("[data-action=renew]")), null, "nobody pays twice");
  await answer("cancelled");
  await go(page, "confirm");
  await noticeIs(page, "cancelled meanwhile");
  assert.equal(await page.evaluate(() => $("[data-action=confirm]")), null);
  await page.evaluate(() => { globalThis.fake = null; });
  await go(page, "renew");
  await page.until(stageIs, "review");
});

both("prices that go by steps only since the buyer came", async (visit) => {
  const before = structuredClone(shop.catalog);
  const seats = (catalog) => catalog.plans.find(({ id }) => id === "team_monthly_usd").phases[0].pricings[0];
  before.plans = [{ ...before.plans.find(({ id }) => id === "team_monthly_usd") }];
  before.plans[0].phases[0].pricings = [{ ...seats(before), pricing_data: { pricing_type: "per_unit", unit_amount: "14.00" } }];
  before.contracts = [];
  const page = await visit({ ...BY_SERVER, attributes: { "plan-id": "team_monthly_usd", "business-entity-id": "ternwell_us" }, properties: { catalog: before } });
  await page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "23"));
  await go(page, "continue");
  await noticeIs(page, "price has changed");
  assert(await page.evaluate(() => Boolean(row("Seats").querySelector("details"))), `the steps are there now ${page.faults}`);
  await kept(page, "23");
});

both("what only the server finds wrong can be mended and sent again", async (visit) => {
  const page = await visit(BY_SERVER);
  await page.evaluate(() => {
    globalThis.fake = (path) => path === "/checkouts" && told(422, { code: "invalid_request", detail: "no", problems: [{ code: "invalid_field", path: "/customer_data/email", message: "is no address", help: "Give one." }] });
  });
  await go(page, "continue");
  await noticeIs(page, "cannot be ordered like this");
  assert.equal(await page.evaluate(() => $("[data-action=continue]").getAttribute("aria-disabled")), null);
  await page.evaluate(() => { globalThis.fake = null; });
  await go(page, "continue");
  await page.until(stageIs, "review");
});

both("why prices do not load is said in words, in any language that a page may name", async (visit) => {
  const page = await visit({ attributes: TEAM });
  for (const [status, body] of [[404, { code: "not_found", detail: "no catalog" }], [429, { code: "rate_limited", detail: "slow" }], [500, {}]]) {
    await page.evaluate(({ status: code, body: answer, url, organisation, key }) => {
      globalThis.fake = () => told(code, answer);
      for (const [name, value] of Object.entries({ "verifier-url": url, organisation, "publishable-key": key })) widget().setAttribute(name, value);
      widget().catalog = null;
    }, { status, body, url: shop.url, organisation: shop.organisation, key: shop.key });
    await page.until(stageIs, "failed");
    await page.until(() => /^This checkout cannot be shown at the moment\. Please try again later\.$/.test(text(".notice")));
    await page.evaluate((catalog) => { widget().catalog = catalog; }, shop.catalog);
    await page.until(stageIs, "choose");
  }
  for (const locale of ["zh_Hant_TW", "not a locale", "he"]) {
    await page.evaluate((name) => widget().setAttribute("locale", name), locale);
    await page.until(() => /Continue/.test(text("[data-action=continue]")) && $(".base").lang === "en");
    assert.equal(await page.evaluate(() => $(".base").dir), "ltr", "English runs from the left");
  }
});

both("a contract that is as it was again: the page hears of it", async (visit) => {
  const page = await visit({ attributes: { "contract-id": "con_harborline" }, properties: AT });
  const [usual, last] = await page.evaluate(() => {
    const field = row("Seats").querySelector("[type=number]");
    const before = field.value;
    enter(field, "99");
    enter(field, before);
    const [name, { request, preview }] = events.at(-1);
    return [before, [name, request, preview]];
  });
  assert.deepEqual(last, ["preview-change", { contract_id: "con_harborline" }, null], usual);
});

// ---- For everybody

const LANGUAGES = { en: "ltr", de: "ltr", fr: "ltr", ja: "ltr", ar: "rtl" };
test("every language says everything, with the same blanks and a form for every number", async () => {
  const blanks = (message) => [...new Set(Object.values(typeof message === "string" ? { message } : message).join().match(/\{\w+\}/g) ?? [])].sort();
  for (const language of Object.keys(LANGUAGES).filter((name) => name !== "en")) {
    const { default: said } = await part(`messages-${language}`);
    assert.deepEqual(Object.keys(said).sort(), Object.keys(english).sort(), language);
    for (const [key, message] of Object.entries(said)) {
      assert.deepEqual(blanks(message), blanks(english[key]), `${language}: ${key}`);
      if (typeof message === "object") assert("other" in message, `${language}: ${key}`);
    }
    const same = Object.keys(said).filter((key) => said[key] === english[key] && /\p{L}/u.test(said[key].replace(/\{\w+\}/g, "")));
    assert.deepEqual(same.filter((key) => key !== "total"), [], `${language} speaks English`);
  }
});

for (const [language, direction] of Object.entries(LANGUAGES)) {
  both(`in ${language}: words, days and amounts`, async (visit) => {
    const page = await visit({ attributes: { "plan-ids": "team_monthly_jpy team_annual_jpy", "business-entity-id": "ternwell_jp", locale: language, chart: "" }, properties: AT });
    const request = await page.evaluate(() => widget().request);
    const { estimates: { current_invoice: { amount_due: amount } } } = shop.compute(request, TODAY);
    const shown = await page.evaluate(() => ({ due: due(), dir: getComputedStyle($(".base")).direction, all: $(".base").textContent }));
    assert.equal(shown.due, new Intl.NumberFormat(language, { style: "currency", currency: "JPY", maximumFractionDigits: 0 }).format(amount).replace(/\s/g, " "));
    assert.equal(shown.dir, direction);
    if (language !== "en") assert.doesNotMatch(shown.all, /\b(Due|Next|Continue|every|Month|Charges|Subtotal)\b/);
    assert.deepEqual(page.faults, []);
  });
}

both("the page's own words, language and labels; another language while it is open", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: { ...AT, messages: { today: "Pay now" } } });
  assert.match(await page.evaluate(() => text(".due")), /^Pay now/);
  await page.evaluate(() => {
    widget().append(Object.assign(document.createElement("span"), { slot: "continue", textContent: "Subscribe" }));
    enter(row("Seats").querySelector("[type=number]"), "14");
    document.documentElement.lang = "de";
    widget().messages = {};
  });
  await page.until(() => /^Heute fällig/.test(text(".due")));
  assert.deepEqual(await page.evaluate(() => [row("Seats").querySelector("[type=number]").value, $("slot[name=continue]").assignedElements()[0].textContent]), ["14", "Subscribe"]);
});

both("what is set before the element is defined counts, and a request says what switches and numbers begin with", async (visit) => {
  const page = await visit({ attributes: {}, properties: {
    ...AT, request: { plan_id: "team_monthly_usd", business_entity_id: "ternwell_us", start_date: "2026-12-01", product_overrides: [{ product_id: "seats", quantity: "44" }, { product_id: "voice", is_enabled: true }] },
  } });
  const shown = await page.evaluate(() => [row("Seats").querySelector("[type=number]").value, row("Phone channel").querySelector("input").checked, $("#start_date").value]);
  assert.deepEqual(shown, ["44", true, "2026-12-01"]);
  await page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "45"));
  const request = await page.evaluate(() => widget().request);
  assert.deepEqual(request.product_overrides, [{ product_id: "seats", quantity: "45" }, { product_id: "voice", is_enabled: true }]);
  // Not defined yet, as where its script comes last.
  await page.evaluate(async (catalog) => {
    const early = document.createElement("checkout-early");
    Object.assign(early, { catalog, request: { plan_id: "starter_usd", business_entity_id: "ternwell_us" } });
    document.querySelector("main").append(early);
    const { CheckoutPreviewElement } = await import("/dist/element/element.js");
    customElements.define("checkout-early", class extends CheckoutPreviewElement {});
    globalThis.early = early;
  }, shop.catalog);
  await page.until(() => early.preview?.plan_id === "starter_usd");
});

both("a page's own properties reach it, whatever they are called", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: AT });
  const colour = await page.evaluate(() => {
    document.documentElement.style.setProperty("--accent", "rgb(1, 2, 3)");
    widget().style.setProperty("--checkout-accent", "var(--accent)");
    return getComputedStyle($("[data-action=continue]")).backgroundColor;
  });
  assert.equal(colour, "rgb(1, 2, 3)");
});

test("a server can import it", async () => {
  assert.equal(typeof (await part("element")).CheckoutPreviewElement, "function");
  assert.deepEqual(Object.keys(await part("define")), []);
});

/** Where the looked-at pictures go, if somebody wants them. */
const look = async (name) => process.env.SCREENSHOTS && page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true });

const STATES = {
  choosing: { attributes: { ...TEAM, chart: "" }, properties: AT },
  problem: { attributes: TEAM, properties: AT, then: (page) => page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "1")) },
  contract: { attributes: { "contract-id": "con_harborline", "plan-ids": "scale_usd", chart: "" }, properties: AT, then: (page) => page.evaluate(() => enter(row("Seats").querySelector("[type=number]"), "9")) },
  unchanged: { attributes: { "contract-id": "con_openshelter", chart: "" }, properties: AT },
  failed: { attributes: TEAM, properties: { catalog: { plans: 1 } }, wait: false, then: (page) => page.until(stageIs, "failed") },
  loading: { attributes: TEAM, properties: { catalog: null }, wait: false, then: (page) => page.until(() => $(".skeleton")) },
  offline: { ...BY_SERVER, then: async (page) => {
    await page.evaluate(() => { globalThis.fake = () => { throw new TypeError("no network"); }; });
    await go(page, "continue");
    await noticeIs(page, "offline");
  } },
  slow: { ...BY_SERVER, then: async (page) => {
    await page.evaluate(() => { globalThis.fake = (path) => path === "/checkouts" && new Promise(() => {}); });
    await go(page, "continue");
    await noticeIs(page, "longer than usual");
  } },
  busy: { ...BY_SERVER, then: async (page) => {
    await page.evaluate(() => { globalThis.fake = () => told(429, { code: "rate_limited", detail: "slow down" }, { "retry-after": "30" }); });
    await go(page, "continue");
    await noticeIs(page, "try again in");
  } },
  closed: { ...BY_SERVER, then: async (page) => {
    await page.evaluate(() => { globalThis.fake = () => told(403, { code: "forbidden", detail: "no" }); });
    await go(page, "continue");
    await noticeIs(page, "cannot take your order");
  } },
  expired: { ...BY_SERVER, then: async (page) => {
    await toReview(page);
    await page.evaluate(() => { globalThis.fake = () => told(409, { code: "checkout_not_confirmable", current_status: "expired" }); });
    await go(page, "confirm");
    await noticeIs(page, "held for is over");
  } },
  overtaken: { attributes: { "contract-id": "con_openshelter" }, by: "server", as: "cus_openshelter", then: async (page) => {
    await toReview(page, "40");
    await page.evaluate(() => { globalThis.fake = (path) => path.endsWith("/confirm") && told(409, { code: "contract_changed" }); });
    await go(page, "confirm");
    await noticeIs(page, "contract");
  } },
  review: { ...BY_SERVER, then: (page) => toReview(page) },
  done: { ...BY_SERVER, then: async (page) => {
    await toReview(page);
    await go(page, "confirm");
    await page.until(stageIs, "done");
  } },
  mismatch: { ...BY_SERVER, then: async (page) => {
    assert.equal((await shop.call("PUT", "/catalog", dearer())).status, 200);
    await go(page, "continue");
    await noticeIs(page, "price has changed");
    await shop.call("PUT", "/catalog", shop.catalog);
  } },
};
const LOOKS = [{ colorScheme: "light", width: 1100 }, { colorScheme: "dark", width: 390 }, { forcedColors: "active", width: 1100 }];

for (const [state, { then, ...options }] of Object.entries(STATES)) {
  test(`axe finds nothing, and it fits: ${state}`, async () => {
    for (const { width, ...media } of LOOKS) {
      await page?.leave();
      page = await stage.visit("Chromium", { ...options, width, ...media });
      await then?.(page);
      await look(`${state}-${Object.values(media)[0]}`);
      assert.deepEqual(await accessibilityFaults(page), []);
    }
    for (const width of [320, 400, 768, 1920]) {
      for (const size of ["100%", "200%"]) {
        await page.setViewportSize({ width, height: 800 });
        const wide = await page.evaluate((percent) => {
          document.documentElement.style.fontSize = percent;
          return document.documentElement.scrollWidth - document.documentElement.clientWidth;
        }, size);
        assert.equal(wide, 0, `${state} at ${width} px and ${size}`);
      }
    }
    await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
    const small = await page.evaluate(() => $$("button, input, summary, a").filter((node) => node.checkVisibility())
      .map((node) => [node.className || node.name || node.textContent, (node.closest("label") ?? node).getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 24 || height < 24).map(([name]) => name));
    assert.deepEqual(small, []);
  });
}

both("with the keyboard alone, in the order of the eye", async (visit) => {
  const page = await visit({ ...BY_SERVER, attributes: { ...TEAM, "business-entity-id": "ternwell_us" } });
  const at = () => page.evaluate(() => {
    const node = widget().shadowRoot.activeElement;
    const shown = node && getComputedStyle(node).outlineStyle !== "none";
    return node && `${node.dataset.action ?? node.name ?? text(node)}${node.type === "range" || node.type === "number" ? ` ${node.type}` : ""}${shown ? "" : " unseen"}`.trim();
  });
  const seen = [];
  for (let turn = 0; turn < 14; turn++) {
    await page.keyboard.press("Tab");
    const now = await at();
    if (now !== seen.at(-1)) seen.push(now);
    if (now === "quantity number" && seen.filter((one) => one === now).length === 1) {
      await page.keyboard.press("ArrowUp");
      assert.equal(await page.evaluate(() => row("Seats").querySelector("[type=range]").value), "6");
    }
    if (now === "continue") break;
  }
  assert.deepEqual(seen.slice(0, 3), ["plan_id", "quantity range", "quantity number"]);
  // (In a date, Chromium's own button for the calendar shows it, and not the field.)
  assert(!seen.some((one) => one?.endsWith("unseen") && one !== "start_date unseen"), `each shows that it has the focus: ${seen}`);
  assert.equal(seen.at(-1), "continue");
  await page.keyboard.press("Enter");
  await page.until(stageIs, "review");
  for (let turn = 0; turn < 5 && await at() !== "confirm"; turn++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.until(stageIs, "done");
});

both("sliders say what they come to; only the total is announced, once the buyer pauses", async (visit) => {
  const page = await visit({ attributes: TEAM, properties: { ...AT, messages: { units } } });
  await page.until(() => widget().shadowRoot.lastChild.textContent !== "");
  const said = await page.evaluate(() => {
    const status = widget().shadowRoot.querySelector("[role=status]");
    globalThis.announced = [];
    new MutationObserver(() => announced.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
    const field = row("Seats").querySelector("[type=number]");
    field.focus();
    for (const value of ["1", "12", "124"]) enter(field, value);
    return row("Seats").querySelector("[type=range]").getAttribute("aria-valuetext");
  });
  const due = await page.evaluate(() => text(".due bdi"));
  assert.equal(said, `124 seats, Due today ${due}`);
  await page.until(() => announced.length > 0);
  assert.deepEqual(await page.evaluate(() => announced), [`Due today ${due}`]);
});

test("numbers change without moving anything", async () => {
  page = await stage.visit("Chromium", { attributes: { ...TEAM, chart: "" }, properties: AT });
  const shifts = await page.evaluate(async () => {
    const found = [];
    const frames = async (count) => { for (let turn = 0; turn < count; turn++) await new Promise(requestAnimationFrame); };
    await frames(30);
    // An amount that ends where it did begins elsewhere when it has more digits: only what goes up or down counts.
    const moved = ({ node, previousRect: from, currentRect: to }) => from.y !== to.y && `${node?.className || node?.nodeName}: ${text(node)?.slice(0, 40)} ${from.y} to ${to.y}`;
    new PerformanceObserver((list) => found.push(...list.getEntries().flatMap(({ sources }) => sources.map(moved).filter(Boolean)))).observe({ type: "layout-shift" });
    for (const value of ["6", "7", "8", "20", "30", "60", "100", "240"]) {
      enter(row("Seats").querySelector("[type=range]"), value);
      await frames(10);
    }
    return found;
  });
  assert.deepEqual(shifts, []);
});

// The checkout page: holds the order, asks the engine after every change, and takes the order to the server at the end.

import { CheckoutPreviewError, createCheckoutPreview, init } from "checkout-preview";
import { fillRhythms, offerCards, rhythmCards } from "./cards.js";
import { checkoutOf, showStage } from "./checkout.js";
import { confirmation, reviewSheet } from "./contract.js";
import { el, icon } from "./dom.js";
import { difference, isNegative, isZero, money, nextMonth, today, yearLater } from "./format.js";
import { linesOfPlan } from "./lines.js";
import { followPreview, optionRows } from "./options.js";
import { choicesOf, forgetOrder, keepOrder, offerOf, planOf, regionOf, requestOf, restoreOrder } from "./order.js";
import { showProblems, showRefusal, toFirstProblem } from "./problems.js";
import { slider } from "./quantity.js";
import { fetchCatalog, fetchCustomers, speakFor } from "./server.js";
import { regions } from "./store.js";
import { bill, dueOf } from "./summary.js";
import { announce, explain, say, tellTime } from "./voice.js";

const $ = (id) => document.getElementById(id);
const form = $("order");

const order = restoreOrder();
let customers; // who are signed in
let catalog; // as the customer sees it, or everybody
let wanted; // whom the buyer picked last: another one than `order.customer` until the server has said what they pay
let plan;
let shown = null; // {request, preview}: what the summary shows, or null while a field is wrong

const proceed = checkoutOf({ form, thing: "order", show, review, done, reload, refused });

start();

async function start() {
  showStage("loading", form);
  say(null);
  try {
    await Promise.all([load(), init()]);
  } catch (error) {
    explain(error, "The price list did not load", start);
    return;
  }
  history.replaceState(null, "", location.pathname); // a reload keeps what is chosen from here on
  if (order.customer) goHome();
  buildForm();
  showStage("choose", form);
}

async function load() {
  customers = await fetchCustomers();
  const named = new URLSearchParams(location.search).get("customer"); // by the account page
  order.customer = wanted = [named, order.customer].find(customerOf) ?? null;
  speakFor(customerOf(wanted));
  catalog = await fetchCatalog();
}

const customerOf = (id) => customers.find((customer) => customer.id === id) ?? null;
const entity = () => catalog.business_entities.find(({ id }) => id === regionOf(order).entity);

// ---- choosing

function buildForm() {
  $("region").replaceChildren(...regions.map((region) =>
    el("option", { value: region.id, selected: region.id === order.region }, `${region.currency} · ${region.name}`)));
  $("company").value = order.company;
  $("email").value = order.email;
  $("customer").replaceChildren(...customers.map(({ id, name }) => el("option", { value: id, selected: id === order.customer }, name)));
  $("account-choice").hidden = customers.length === 0;
  showBuyer();
  form.removeAttribute("aria-busy");
  buildChoices();
}

/** Everything that depends on region and plan. */
function buildChoices() {
  plan = planOf(order, catalog);
  $("offers").replaceChildren(...offerCards(order, catalog, (offer) => {
    order.offer = offer;
    buildChoices();
    form.querySelector(`[name=offer][value="${offer}"]`).focus();
  }).filter(Boolean));

  const offer = offerOf(order);
  $("rhythm-block").hidden = offer.rhythms.length < 2;
  $("rhythms").replaceChildren(...rhythmCards(order, offer, (rhythm) => {
    order.rhythms[order.offer] = rhythm;
    buildChoices();
    form.querySelector(`[name=rhythm][value="${rhythm}"]`).focus();
  }));

  const rows = plan ? optionRows(choicesOf(order), linesOfPlan(plan), plan.currency, slider, refresh) : { included: [], extras: [] };
  $("options").replaceChildren(...rows.included);
  $("extras").replaceChildren(...rows.extras);
  $("extras-block").hidden = rows.extras.length === 0;

  const guest = order.customer === null;
  $("guest").hidden = !guest;
  $("account").hidden = guest;
  $("region").disabled = !guest;
  $("region-note").textContent = guest ? "" : `${buyerName()} buys from ${entity().name}, in ${regionOf(order).currency}.`;
  refresh();
}

/** Asks the engine and shows its answer. Runs on every keystroke; nothing here waits for a server. */
function refresh() {
  keepOrder(order);
  shown = null;
  showStart();
  if (wanted !== order.customer) {
    for (const price of document.querySelectorAll(".price")) price.classList.add("stale");
    $("timing").replaceChildren(icon("later"), "Asking what this account pays");
    announce("");
    return;
  }
  if (!plan) {
    refuse([{ code: "plan_not_found", path: "/plan_id" }]);
    return;
  }
  const { request, lines } = requestOf(order, plan);
  try {
    const began = performance.now();
    const preview = createCheckoutPreview(request, catalog);
    const took = performance.now() - began;
    refuse([]);
    shown = { request, preview };
    showPreview(preview, took);
  } catch (error) {
    if (error instanceof CheckoutPreviewError) refuse(error.problems, lines);
    else explain(error, "The price could not be worked out", refresh);
  }
}

function refuse(problems, lines) {
  showRefusal({ form, problems, lines, title: "This order cannot be priced" });
}

function showPreview(preview, took = null) {
  const due = dueOf(preview);
  $("bill").replaceChildren(...bill(preview, plan));
  $("due-label").textContent = due.label;
  $("due-amount").textContent = due.text;
  if (took !== null) tellTime(took);
  followPreview(form, preview, due);
  fillRhythms($("rhythms"), firstYears(preview.start_date));
  announce(`${due.label} ${due.text}`);
}

/**
 * What exactly one year costs in each rhythm: the engine previews a contract of that year, seen from the day after it,
 * so that the current invoice holds everything.
 */
function firstYears(startDate) {
  const { rhythms } = offerOf(order);
  if (rhythms.length < 2) return [];
  const totals = rhythms.map((rhythm) => {
    const yearPlan = planOf(order, catalog, rhythm);
    if (!yearPlan) return null;
    const request = { ...requestOf(order, yearPlan).request, start_date: startDate, end_date: yearLater(startDate, -1) };
    try {
      return createCheckoutPreview(request, catalog, { as_of: yearLater(startDate) }).estimates.current_invoice;
    } catch (error) {
      // The other rhythm may refuse what this one takes; it then has no price to compare with.
      if (error instanceof CheckoutPreviewError) return null;
      throw error;
    }
  });
  const [first] = totals;
  return rhythms.map((rhythm, index) => {
    const year = totals[index];
    const saved = first && year ? difference(first.total, year.total) : "0";
    return {
      rhythm,
      text: year && money(year.total, year.currency),
      saving: !isZero(saved) && !isNegative(saved) ? money(saved, year.currency) : null,
    };
  });
}

// ---- the fields that every plan has

$("region").addEventListener("change", (event) => {
  order.region = event.target.value;
  buildChoices();
});
$("start").addEventListener("input", (event) => {
  // An unfinished date reads as empty; the order keeps the last whole one.
  if (event.target.value === "") return;
  order.start = event.target.value;
  refresh();
});
$("start").addEventListener("blur", showStart);
$("start-today").addEventListener("click", () => { order.start = null; refresh(); });
$("start-next-month").addEventListener("click", () => { order.start = nextMonth(today(entity().time_zone)); refresh(); });
$("company").addEventListener("input", (event) => { order.company = event.target.value; refresh(); });
$("email").addEventListener("input", (event) => { order.email = event.target.value; refresh(); });
$("customer").addEventListener("change", (event) => buyAs(event.target.value));
for (const radio of form.querySelectorAll("[name=buyer]")) {
  radio.addEventListener("change", () => buyAs(radio.value === "account" ? $("customer").value : null));
}

// Left alone while it says the right day: writing a date field takes the typist's place in it.
function showStart() {
  const day = order.start ?? today(entity().time_zone);
  if ($("start").value !== day) $("start").value = day;
}

/** Buys as a customer, or as a guest: prices and taxes may be others. */
async function buyAs(id) {
  say(null);
  wanted = id;
  speakFor(customerOf(id));
  refresh();
  try {
    const theirs = await fetchCatalog();
    if (wanted !== id) return; // another one was picked meanwhile
    catalog = theirs;
  } catch (error) {
    if (wanted !== id) return;
    wanted = order.customer;
    speakFor(customerOf(wanted));
    showBuyer();
    refresh();
    explain(error, "The prices for this account did not load", () => buyAs(id));
    return;
  }
  order.customer = id;
  goHome();
  showBuyer();
  $("region").value = order.region;
  buildChoices();
}

function showBuyer() {
  form.elements.buyer.value = order.customer ? "account" : "guest";
  if (order.customer) $("customer").value = order.customer;
}

/** A known customer buys where it is at home: its seller decides taxes and currency. */
function goHome() {
  const known = catalog.customers?.find(({ id }) => id === order.customer);
  const home = regions.find((region) => region.entity === known?.business_entity_id);
  if (home) order.region = home.id;
}

// ---- continue, confirm

form.addEventListener("submit", (event) => {
  event.preventDefault();
  refresh(); // the page may have been open past midnight
  if (shown) showProblems(form, missingFields());
  if (!toFirstProblem(form) && shown) proceed(shown.request, shown.preview);
});

/** What this shop wants to know of a new customer; the engine keeps it as it is. */
function missingFields() {
  if (order.customer) return [];
  return [
    !order.company.trim() && { code: "company_missing", path: "/customer_data/name" },
    !/^\S+@\S+$/.test(order.email.trim()) && { code: "email_invalid", path: "/customer_data/email" },
  ].filter(Boolean);
}

async function reload() {
  catalog = await fetchCatalog();
  buildChoices();
}

/** The server refuses what the engine here took. */
function refused(problems) {
  if (shown) refuse(problems, requestOf(order, plan).lines);
}

function review(preview, checkout) {
  showPreview(preview);
  $("review").replaceChildren(...reviewSheet({ preview, title: plan.name, checkout, buyer: buyerName(), seller: entity().name }));
}

const buyerName = () => customerOf(order.customer)?.name ?? order.company.trim();

function done(session) {
  const account = new URLSearchParams({ customer: session.contract.customer_id, contract: session.contract.id });
  const links = [
    order.customer && el("a.quiet", { href: `account.html?${account}` }, "See it in your account"),
    el("a.quiet", { href: "./" }, "Start another order"),
  ];
  $("done").replaceChildren(...confirmation({ session, title: plan.name, buyer: buyerName(), links }));
  forgetOrder(); // the next order starts afresh
}

function show(stage) {
  showStage(stage, form);
  if (stage === "choose") buildChoices();
}

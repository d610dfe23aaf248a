// The account page: shows a customer's running contracts, asks the engine after every change of one, and takes the change to
// the server at the end.

import { CheckoutPreviewError, createCheckoutPreview, init } from "checkout-preview";
import { dayOf, keepAmendment, linesOf, newAmendment, requestOf, restoreAmendment, targetOf } from "./amendment.js";
import { card, leadPrice } from "./cards.js";
import { yearChart } from "./chart.js";
import { checkoutOf, showStage } from "./checkout.js";
import { arranged, confirmation, reviewSheet } from "./contract.js";
import { contractCards, hasEnded, plansFrom, sellerOf, titleOf, todayOf } from "./contracts.js";
import { el, icon } from "./dom.js";
import { effects } from "./effect.js";
import { counted, day, dayBefore, money, sum } from "./format.js";
import { isMetered } from "./lines.js";
import { followPreview, optionRows } from "./options.js";
import { outlook, unchangedOutlook } from "./outlook.js";
import { showRefusal, toFirstProblem } from "./problems.js";
import { stepper } from "./quantity.js";
import { fetchCatalog, fetchCustomers, speakFor } from "./server.js";
import { offerOfPlan, plansBeside, planTitle, products } from "./store.js";
import { bill, dueOf, nextInvoice } from "./summary.js";
import { announce, explain, say, tellTime } from "./voice.js";

const $ = (id) => document.getElementById(id);
const form = $("amendment");
const address = new URL(location);

let customers; // who are signed in
let catalog; // as the customer sees it
let contracts = []; // of the customer, as they are now
let contract = null; // the one that is looked at
let amendment;
let shown = null; // {request, preview}: what the summary shows, or null while nothing is changed or a field is wrong
let unchanged = null; // the outlook of the contract as it is

const proceed = checkoutOf({ form, thing: "change", show, review, done, reload, refused });
const draw = yearChart($("chart"));

start();

async function start() {
  showStage("loading", form);
  say(null);
  try {
    [customers] = await Promise.all([fetchCustomers(), init()]);
    $("customer").replaceChildren(...customers.map(({ id, name }) => el("option", { value: id }, name)));
    const named = address.searchParams.get("customer");
    if (customers.some(({ id }) => id === named)) $("customer").value = named;
    await visit();
  } catch (error) {
    explain(error, "Your account did not load", start);
  }
}

/** Shows the contracts of the customer who is picked. */
async function visit() {
  const customer = $("customer").value;
  speakFor(customers.find(({ id }) => id === customer));
  const found = await fetchCatalog();
  if (customer !== $("customer").value) return; // another one was picked meanwhile
  catalog = found;
  contracts = catalog.contracts;
  form.removeAttribute("aria-busy");
  openContract(address.searchParams.get("contract"));
  showStage("choose", form);
}

const plan = () => catalog.plans.find(({ id }) => id === contract.plan_id);
const now = () => todayOf(contract, catalog);
const soonest = () => dayOf({}, contract, now());
const buyerName = () => $("customer").selectedOptions[0].textContent;

/** What the engine needs to know: the one contract, as the server has it now, its plan, and the one to move to. */
const prices = () => ({
  ...catalog,
  plans: catalog.plans.filter(({ id }) => id === contract.plan_id || id === amendment.planId),
  contracts: [contract],
});

// ---- choosing

/** Looks at a contract: the one with this id, else the first that runs. */
function openContract(id) {
  const running = contracts.filter((one) => !hasEnded(one, catalog));
  contract = running.find((one) => one.id === id) ?? running[0] ?? null;
  $("contracts-block").hidden = contracts.length === 0;
  $("no-contract").hidden = contract !== null;
  $("changes").hidden = $("summary").hidden = contract === null;
  $("contracts").replaceChildren(...contractCards(contracts, contract, catalog, (picked) => {
    openContract(picked);
    form.querySelector("[name=contract]:checked").focus();
  }));
  $("buy").href = `./?${new URLSearchParams({ customer: $("customer").value })}`;
  address.search = new URLSearchParams({ customer: $("customer").value, ...(contract && { contract: contract.id }) });
  history.replaceState(null, "", address);
  if (!contract) return;
  if (amendment?.contractId !== contract.id) amendment = restoreAmendment(contract.id);
  if (!plansBeside(contract, catalog).some((one) => one.id === amendment.planId)) amendment.planId = null;
  unchanged = unchangedOutlook(contract, prices(), now());
  draw(unchanged); // a problem leaves in place what is drawn, which must not be another contract's
  buildChoices();
}

/** Everything that depends on the contract, the plan to move to, and the day. */
function buildChoices() {
  const date = dayOf(amendment, contract, now());
  const target = targetOf(amendment, catalog);
  const lines = linesOf(amendment, contract, catalog, date).map((line) => ({ ...line, note: noteOf(line, date) }));
  const rows = optionRows(amendment, lines, contract.currency, stepper, refresh);
  $("options-title").textContent = target ? `What you get with ${planTitle(target)}` : "What you have";
  $("options").replaceChildren(...rows.included);
  $("extras").replaceChildren(...rows.extras);
  $("extras-block").hidden = rows.extras.length === 0;
  $("plans").replaceChildren(...[plan(), ...plansBeside(contract, catalog)].filter(Boolean).map(planCard));
  const { start_date: first, end_date: last } = contract;
  $("start").min = first;
  $("start").max = last ?? "";
  $("start-next").hidden = !unchanged?.next;
  refresh();
}

// What a customer should know of a line besides what it is.
function noteOf({ product, pricing, phase, quantity, targets }, date) {
  if (!targets[0].names.line_item_id) return null;
  const waits = pricing.quantity?.allow_mid_cycle_cancellation === false;
  const later = arranged(pricing, phase, date);
  return [
    isMetered(pricing) && `Reckoned with ${counted(quantity, products[product.id]?.noun)} each billing period.`,
    waits && "A lower number counts from the next billing period on.",
    later.length > 0 && `Arranged: ${later.join(", ")}.`,
  ].filter(Boolean).join(" ");
}

function planCard(one) {
  const own = one.id === contract.plan_id; // to pick it is to leave everything as it is, a move to come too
  return card({
    name: "plan", value: one.id, checked: one.id === (amendment.planId ?? contract.plan_id), title: planTitle(one),
    price: leadPrice(one, offerOfPlan(one)), about: termOf(one) ?? one.description,
    onPick: () => {
      amendment.planId = own ? null : one.id;
      buildChoices();
      form.querySelector("[name=plan]:checked").focus();
    },
  });
}

// When a plan is the customer's, if it is.
function termOf({ id }) {
  const plans = plansFrom(contract, catalog, soonest());
  const index = plans.findIndex((one) => one.id === id);
  if (index < 0) return null;
  if (index > 0) return `Your plan from ${day(plans[index].start)}`;
  return plans.length > 1 ? `Your plan until ${day(plans[0].end)}` : "Your plan";
}

/** Asks the engine and shows its answer. Runs on every keystroke; nothing here waits for a server. */
function refresh() {
  keepAmendment(amendment);
  shown = null;
  showStart();
  const { request, lines } = requestOf(amendment, contract, catalog, now());
  if (!request) {
    showUnchanged();
    return;
  }
  try {
    const began = performance.now();
    const preview = createCheckoutPreview(request, prices());
    const year = outlook(request, preview, prices());
    const took = performance.now() - began;
    refuse([]);
    shown = { request, preview };
    draw(year);
    showPreview(preview);
    tellTime(took);
  } catch (error) {
    if (!(error instanceof CheckoutPreviewError)) explain(error, "The price could not be worked out", refresh);
    // Typing 12 where there are 12.0, or switching off what ends on that day anyway, is no mistake.
    else if (error.problems.every(({ code }) => code === "nothing_changes")) showUnchanged();
    else refuse(error.problems, lines);
  }
}

const refuse = (problems, lines) => showRefusal({ form, problems, lines, title: "This change cannot be priced" });

/** The contract as it is, and what it will be charged next. */
function showUnchanged() {
  refuse([]);
  const nothing = money(sum([], contract.currency), contract.currency);
  $("bill").replaceChildren(
    el("p.bill-plan", {}, el("strong", {}, "Nothing is changed yet."), ` Your contract goes on ${unchanged ? "like this:" : "as agreed."}`),
    ...(unchanged ? [nextInvoice(unchanged.next, contract.phases)] : []));
  $("due-label").textContent = "Due today";
  $("due-amount").textContent = nothing;
  $("timing").replaceChildren(icon("bolt"), "Every change is priced in your browser");
  draw(unchanged);
  announce("Nothing is changed");
}

function showPreview(preview) {
  const due = dueOf(preview);
  const target = targetOf(amendment, catalog);
  const plans = plansFrom(contract, catalog, dayBefore(preview.start_date));
  const told = effects(preview, contract, { plans, target });
  $("bill").replaceChildren(...bill(preview, target ?? plan() ?? { phases: [] }, { before: contract, effects: told }));
  $("due-label").textContent = due.label;
  $("due-amount").textContent = due.text;
  followPreview(form, preview, due);
  announce(`${due.label} ${due.text}`);
}

$("customer").addEventListener("change", async () => {
  address.search = "";
  await again();
});

async function again() {
  say(null);
  try {
    await visit();
  } catch (error) {
    $("summary").hidden = false; // its notice says so
    explain(error, "The contracts did not load", again);
  }
}

$("start").addEventListener("input", (event) => {
  // An unfinished date reads as empty; the last whole one is kept.
  if (event.target.value !== "") startOn(event.target.value);
});
$("start").addEventListener("blur", showStart);
$("start-today").addEventListener("click", () => startOn(null));
$("start-next").addEventListener("click", () => startOn(unchanged.next.invoice_date));

function startOn(date) {
  amendment.start = date;
  // What there is to choose from depends on the day, but whoever is typing one keeps the field.
  buildChoices();
}

// Left alone while it says the right day: writing a date field takes the typist's place in it.
function showStart() {
  const date = contract && dayOf(amendment, contract, now());
  if (date && $("start").value !== date) $("start").value = date;
}

// ---- continue, confirm

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (contract?.customer_id !== $("customer").value) return; // there is none, or those of another customer are still to come
  refresh(); // the page may have been open past midnight
  if (shown) proceed(shown.request, shown.preview);
  else if (!toFirstProblem(form)) say({ title: "Nothing is changed yet", text: "Change a number, a switch, or the plan first." });
});

/** Reads prices and contracts anew; what was entered stays. */
async function reload() {
  catalog = await fetchCatalog();
  contracts = catalog.contracts;
  openContract(contract.id);
}

/** The server refuses what the engine here took: it has another contract, or other prices, which are shown by now. */
function refused(problems) {
  const { lines } = requestOf(amendment, contract, catalog, now());
  if (shown) {
    say({
      title: "Your contract has just been changed",
      text: "What you entered is kept; the price is the one for the contract as it is now.",
    });
  } else if (!form.querySelector("[aria-invalid]")) {
    refuse(problems, lines);
  }
}

function review(preview, checkout) {
  showPreview(preview);
  const sides = { buyer: buyerName(), seller: sellerOf(contract, catalog)?.name };
  $("review").replaceChildren(...reviewSheet({ preview, title: title(), checkout, ...sides, before: contract }));
}

function title() {
  const target = targetOf(amendment, catalog);
  return target ? planTitle(target) : titleOf(contract, catalog, soonest());
}

function done(session) {
  const links = [el("button.quiet", { type: "button", onclick: () => goBack(session.contract.id) }, "Back to your contracts")];
  $("done").replaceChildren(...confirmation({ session, title: title(), buyer: buyerName(), links }));
  amendment = newAmendment(session.contract.id);
  keepAmendment(amendment);
}

async function goBack(id) {
  address.searchParams.set("contract", id);
  showStage("loading", form);
  await again();
  $("amendment-title").focus();
}

function show(stage) {
  showStage(stage, form);
  if (stage === "choose") buildChoices();
}

// The checkout page: holds the order, asks the engine after every change, and takes the order to the server at the end.

import { CheckoutPreviewError, createCheckoutPreview, init } from "checkout-preview";
import { priceChange } from "./change.js";
import { confirmation, reviewSheet } from "./contract.js";
import { el, icon } from "./dom.js";
import { fillRhythms, followPreview, offerCards, optionRows, rhythmCards } from "./form.js";
import { difference, isNegative, isZero, moment, money, nextMonth, today, yearLater } from "./format.js";
import { keepOrder, offerOf, planOf, regionOf, requestOf, restoreOrder } from "./order.js";
import { showProblems, wordsFor } from "./problems.js";
import { confirmCheckout, createCheckout, fetchCatalog, readCheckout } from "./server.js";
import { regions } from "./store.js";
import { bill, dueOf } from "./summary.js";
import { announce, explain, lookAt, say, whileBusy } from "./voice.js";

const $ = (id) => document.getElementById(id);
const form = $("order");

const order = restoreOrder();
let catalog;
let plan;
let shown = null;    // {request, preview}: what the summary shows, or null while a field is wrong
let checkout = null; // the session, from Continue on

start();

async function start() {
  setStage("loading");
  say(null);
  try {
    [catalog] = await Promise.all([fetchCatalog(), init()]);
  } catch (error) {
    explain(error, "The price list did not load", start);
    return;
  }
  if (!customerOf(order.customer)) order.customer = null;
  buildForm();
  setStage("choose");
}

const customerOf = (id) => catalog.customers?.find((customer) => customer.id === id);
const entity = () => catalog.business_entities.find(({ id }) => id === regionOf(order).entity);

// ---- choosing

function buildForm() {
  $("region").replaceChildren(...regions.map((region) =>
    el("option", { value: region.id, selected: region.id === order.region }, `${region.currency} · ${region.name}`)));
  $("company").value = order.company;
  $("email").value = order.email;
  const accounts = catalog.customers ?? [];
  $("customer").replaceChildren(...accounts.map(({ id, name }) => el("option", { value: id, selected: id === order.customer }, name)));
  $("account-choice").hidden = accounts.length === 0;
  form.elements.buyer.value = order.customer ? "account" : "guest";
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

  const rows = plan ? optionRows(order, plan, refresh) : { included: [], extras: [] };
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

/** Shows what is wrong with the order, or that nothing is. The last good price stays, greyed. */
function refuse(problems, lines) {
  const elsewhere = showProblems(form, problems, lines);
  const wrong = problems.length > 0;
  $("summary").classList.toggle("stale", wrong);
  say(elsewhere.length === 0 ? null : {
    title: "This order cannot be priced",
    text: elsewhere.map((problem) => wordsFor(problem)).join(" "),
  });
  if (wrong) {
    for (const input of form.querySelectorAll("[aria-valuetext]")) input.removeAttribute("aria-valuetext");
    $("timing").replaceChildren(icon("alert"), "Mend the marked field to see the new price");
    announce(""); // there is no total now; the problem speaks for itself
  }
}

function showPreview(preview, took = null) {
  const due = dueOf(preview);
  $("bill").replaceChildren(...bill(preview, plan));
  $("due-label").textContent = due.label;
  $("due-amount").textContent = due.text;
  if (took !== null) {
    const time = took < 0.1 ? "less than 0.1" : took.toFixed(1);
    $("timing").replaceChildren(icon("bolt"), `Computed in your browser in ${time} ms, no server asked`);
  }
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

/** A known customer buys where it is at home: its seller decides taxes and currency. */
function buyAs(customer) {
  order.customer = customer;
  const home = regions.find((region) => region.entity === customerOf(customer)?.business_entity_id);
  if (home) order.region = home.id;
  $("region").value = order.region;
  buildChoices();
}

// ---- continue, confirm

form.addEventListener("submit", (event) => {
  event.preventDefault();
  refresh(); // the page may have been open past midnight
  if (shown) showProblems(form, missingFields());
  const wrong = form.querySelector("[aria-invalid]");
  if (wrong) {
    wrong.focus({ preventScroll: true });
    wrong.scrollIntoView({ block: "center" }); // with the words below it
  } else if (shown) proceed(shown.request, shown.preview);
});

/** What this shop wants to know of a new customer; the engine keeps it as it is. */
function missingFields() {
  if (order.customer) return [];
  return [
    !order.company.trim() && { code: "company_missing", path: "/customer_data/name" },
    !/^\S+@\S+$/.test(order.email.trim()) && { code: "email_invalid", path: "/customer_data/email" },
  ].filter(Boolean);
}

/** Stores the checkout as `preview` shows it. */
async function proceed(request, preview) {
  say(null);
  const focused = document.activeElement;
  form.inert = true;
  const changed = await whileBusy($("continue"), "Holding your price", async () => {
    try {
      checkout = await createCheckout(request, preview.estimates);
      shown = { request, preview };
      review();
    } catch (error) {
      if (error.body?.code === "preview_mismatch") return error.body;
      if (error.body?.problems) await learnWhy(error.body.problems);
      else explain(error, "Your order was not saved", () => proceed(request, preview));
    }
    return null;
  });
  form.inert = false;
  if (document.activeElement === document.body) focused.focus();
  if (changed) await askAgain(request, preview, changed);
}

/** The server refuses what the engine here took: its catalog is another one by now. */
async function learnWhy(problems) {
  catalog = await fetchCatalog().catch(() => catalog);
  buildChoices();
  if (shown) refuse(problems, requestOf(order, plan).lines);
}

/** The server came to another price: show both and let the buyer decide. */
async function askAgain(request, preview, { differences, preview: fresh }) {
  const dialog = $("price-changed");
  dialog.replaceChildren(...priceChange(preview, fresh, differences));
  dialog.showModal();
  const answer = await new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
  try {
    catalog = await fetchCatalog();
    buildChoices();
  } catch (error) {
    explain(error, "The new price list did not load", start);
    return;
  }
  if (answer === "accept") await proceed(request, fresh);
}

function review() {
  setStage("review");
  showPreview(shown.preview);
  $("review").replaceChildren(...reviewSheet({ ...shown, plan, checkout, buyer: buyerName(), seller: entity().name }));
  lookAt($("review-title"));
}

const buyerName = () => customerOf(order.customer)?.name ?? order.company.trim();

$("edit").addEventListener("click", backToChoices);

function backToChoices() {
  checkout = null;
  say(null);
  setStage("choose");
  buildChoices();
  lookAt($("order-title"));
}

$("confirm").addEventListener("click", confirm);

async function confirm() {
  say(null);
  await whileBusy($("confirm"), "Making your contract", async () => {
    try {
      finish(await confirmCheckout(checkout));
    } catch (error) {
      const { code, current_status: status } = error.body ?? {};
      if (status === "contract_created") await finishFromServer();
      else if (status === "expired") renew(`The price was held until ${moment(checkout.expires_at)}.`);
      else if (status) renew(`The order was ${status.replaceAll("_", " ")} in the meantime.`);
      else if (code === "estimates_not_reproducible" || code === "contract_changed" || error.status === 404) {
        renew("The stored price can no longer be used.");
      } else explain(error, "Your order may not be confirmed yet", confirm, "Trying again cannot order twice.");
    }
  });
}

// The contract was made, but its answer got lost on the way.
async function finishFromServer() {
  try {
    finish(await readCheckout(checkout));
  } catch (error) {
    explain(error, "Your order is confirmed, but did not load", finishFromServer);
  }
}

function renew(text) {
  say({
    title: "This offer has run out",
    text: `${text} Everything you chose is still here.`,
    action: "Get the price again",
    run: () => {
      backToChoices();
      form.requestSubmit();
    },
  });
}

function finish(session) {
  setStage("done");
  $("done").replaceChildren(...confirmation({ session, plan, buyer: buyerName() }));
  lookAt($("done-title"));
  keepOrder({}); // the next order starts afresh
}

function setStage(stage) {
  $("checkout").dataset.stage = stage;
  $("checkout").hidden = stage === "done";
  $("done").hidden = stage !== "done";
  form.hidden = stage === "review";
  $("review").hidden = stage !== "review";
  $("continue").hidden = stage === "review";
  $("continue").disabled = stage === "loading";
  $("confirm").hidden = $("edit").hidden = stage !== "review";
  document.querySelector(".region").hidden = stage === "review" || stage === "done";
}


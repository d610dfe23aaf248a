// The shop: which offer, in which currency, for whom. What it costs and how it becomes a contract is the element's.

import "/pkg/dist/element/define.js";
import { offerCards } from "./cards.js";
import { el } from "./dom.js";
import { keep, kept } from "./memory.js";
import { fetchCatalog, fetchCustomers, speaker } from "./server.js";
import { offers, planId, regions, units } from "./store.js";

const $ = (id) => document.getElementById(id);
const checkout = $("checkout");
const KEPT = "ternwell-order";

const order = { region: regions[0].id, offer: "team", customer: null, company: "", email: "", request: null, ...kept(KEPT) };
let customers = []; // who are signed in
let catalog; // as the customer sees it, or everybody

const customerOf = (id) => customers.find((customer) => customer.id === id) ?? null;
const region = () => regions.find(({ id }) => id === order.region);
const offer = () => offers.find(({ id }) => id === order.offer);

start();

async function start() {
  $("retry").hidden = true;
  try {
    customers = await fetchCustomers();
    const named = new URLSearchParams(location.search).get("customer"); // by the account page
    order.customer = [named, order.customer].find(customerOf) ?? null;
    catalog = await fetchCatalog(customerOf(order.customer));
  } catch (error) {
    console.error(error);
    $("retry").hidden = false;
    return;
  }
  history.replaceState(null, "", location.pathname); // a reload keeps what is chosen from here on
  $("region").replaceChildren(...regions.map(({ id, currency, name }) => el("option", { value: id }, `${currency} · ${name}`)));
  $("customer").replaceChildren(...customers.map(({ id, name }) => el("option", { value: id }, name)));
  $("account-choice").hidden = customers.length === 0;
  $("company").value = order.company;
  $("email").value = order.email;
  checkout.messages = { units };
  goHome();
  show(order.request);
  document.body.dataset.stage = "ready";
}

/** A known customer buys where it is at home: its seller decides taxes and currency. */
function goHome() {
  const customer = catalog.customers?.find(({ id }) => id === order.customer);
  order.region = regions.find(({ entity }) => entity === customer?.business_entity_id)?.id ?? order.region;
}

/** Shows the order; `begin` is what the checkout begins with, and left out keeps what was entered there. */
function show(begin) {
  const { entity, currency } = region();
  const isGuest = order.customer === null;
  $("region").value = order.region;
  $("region").disabled = !isGuest;
  $("offers").replaceChildren(...offerCards(order, catalog, (id) => {
    order.offer = id;
    show({});
    $("offers").querySelector(`[value="${id}"]`).focus();
  }));
  for (const radio of document.querySelectorAll("[name=buyer]")) radio.checked = (radio.value === "guest") === isGuest;
  if (!isGuest) $("customer").value = order.customer;
  $("guest").hidden = !isGuest;
  $("account").hidden = isGuest;
  $("region-note").textContent = isGuest ? "" : `${customerOf(order.customer).name} buys from ${catalog.business_entities.find(({ id }) => id === entity).name}, in ${currency}.`;

  const attributes = { ...speaker(customerOf(order.customer)), "plan-ids": offer().rhythms.map((rhythm) => planId(rhythm, region())).join(" ") };
  attributes[isGuest ? "business-entity-id" : "customer-id"] = isGuest ? entity : order.customer;
  for (const name of ["business-entity-id", "customer-id", "publishable-key", "session-token"]) if (!attributes[name]) checkout.removeAttribute(name);
  for (const [name, value] of Object.entries(attributes)) checkout.setAttribute(name, value);
  checkout.catalog = catalog;
  if (begin) {
    const { plan_id: plan, start_date: start, product_overrides: overrides } = begin;
    checkout.request = { ...(plan && { plan_id: plan }), ...(start && { start_date: start }), ...(overrides && { product_overrides: overrides }) };
  }
  keep(KEPT, order);
}

// ---- Who is buying

for (const radio of document.querySelectorAll("[name=buyer]")) {
  radio.addEventListener("change", () => buyAs(radio.value === "account" ? $("customer").value : null));
}
$("customer").addEventListener("change", ({ target }) => buyAs(target.value));

/** Buys as a customer, or as a guest: prices and taxes may be others. */
async function buyAs(id) {
  checkout.inert = true; // nothing can be ordered at the prices of another
  try {
    const theirs = await fetchCatalog(customerOf(id));
    order.customer = id;
    catalog = theirs;
    $("customer-problem").textContent = "";
    goHome();
  } catch (error) {
    console.error(error);
    $("customer-problem").textContent = "The prices for this account did not load. Please try again.";
  }
  show();
  checkout.inert = false;
}

for (const name of ["company", "email"]) {
  $(name).addEventListener("input", ({ target }) => {
    order[name] = target.value;
    keep(KEPT, order);
    if (target.hasAttribute("aria-invalid")) tell(target);
  });
}

/** Says what is wrong with a field of ours; answers whether something is. */
function tell(field) {
  const isWrong = field.value.trim() === "" || !field.validity.valid;
  const words = { company: "Enter your company’s name, as it should stand on the invoice.", email: "Enter an email address, such as you@company.com." };
  if (isWrong) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  const text = isWrong ? words[field.id] : "";
  if ($(`${field.id}-problem`).textContent !== text) $(`${field.id}-problem`).textContent = text;
  return isWrong;
}

// ---- What the checkout tells

checkout.addEventListener("preview-change", ({ detail: { request } }) => {
  order.request = request;
  keep(KEPT, order);
});
// A listener may complete the request.
checkout.addEventListener("checkout-submit", (event) => {
  if (order.customer) return;
  const wrong = ["company", "email"].filter((name) => tell($(name)));
  if (wrong.length > 0) {
    event.preventDefault();
    $(wrong[0]).focus();
  } else event.detail.request.customer_data = { name: order.company.trim(), email: order.email.trim() };
});
checkout.addEventListener("checkout-confirm", () => keep(KEPT, {}));

$("region").addEventListener("change", ({ target }) => {
  order.region = target.value;
  show();
});
$("again").addEventListener("click", start);

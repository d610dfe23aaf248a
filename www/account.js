// The account: a customer's contracts as they are, and the element to change one of them.

import "/pkg/dist/element/define.js";
import { contractCards, hasEnded } from "./contracts.js";
import { el } from "./dom.js";
import { keep, kept } from "./memory.js";
import { fetchCatalog, fetchCustomers, speaker } from "./server.js";
import { plansBeside, units } from "./store.js";

const $ = (id) => document.getElementById(id);
const address = new URL(location);
const KEPT = "ternwell-amendment";

let customers; // who are signed in
let catalog; // as the customer sees it

start();

async function start() {
  $("retry").hidden = true;
  try {
    customers = await fetchCustomers();
    $("customer").replaceChildren(...customers.map(({ id, name }) => el("option", { value: id }, name)));
    const named = address.searchParams.get("customer");
    if (customers.some(({ id }) => id === named)) $("customer").value = named;
    await visit();
  } catch (error) {
    console.error(error);
    $("retry").hidden = false;
  }
}

const customer = () => customers.find(({ id }) => id === $("customer").value);

/** Shows the contracts of the customer who is picked, and the one of them that was looked at. */
async function visit(contractId = address.searchParams.get("contract")) {
  const visitor = customer();
  const found = await fetchCatalog(visitor);
  if (visitor !== customer()) return; // another one was picked meanwhile
  catalog = found;
  open(contractId);
  document.body.dataset.stage = "ready";
}

/** Opens a contract: the one with this id, else the first that runs. */
function open(id) {
  const { contracts } = catalog;
  const running = contracts.filter((one) => !hasEnded(one, catalog));
  const contract = running.find((one) => one.id === id) ?? running[0] ?? null;
  $("no-contract").hidden = contract !== null;
  $("buy").href = `./?${new URLSearchParams({ customer: $("customer").value })}`;
  $("contracts-block").hidden = contracts.length === 0;
  $("contracts").replaceChildren(...contractCards(contracts, contract, catalog, (picked) => {
    open(picked);
    $("contracts").querySelector(":checked").focus();
  }));
  address.search = new URLSearchParams({ customer: $("customer").value, ...(contract && { contract: contract.id }) });
  history.replaceState(null, "", address);
  $("checkout").replaceChildren();
  if (contract) $("checkout").append(checkoutOf(contract));
}

/** A checkout of its own for each contract, with what was entered before a reload of the page. */
function checkoutOf(contract) {
  const checkout = document.createElement("checkout-preview");
  const attributes = { ...speaker(customer()), chart: "", "contract-id": contract.id, "plan-ids": plansBeside(contract, catalog).map(({ id }) => id).join(" ") };
  for (const [name, value] of Object.entries(attributes)) checkout.setAttribute(name, value);
  const before = kept(KEPT);
  const { plan_id: plan, start_date: start, product_overrides: overrides } = before?.contract_id === contract.id ? before : {};
  checkout.request = { ...(plan && { plan_id: plan }), ...(start && { start_date: start }), ...(overrides && { product_overrides: overrides }) };
  checkout.messages = { units };
  checkout.catalog = catalog;
  checkout.addEventListener("preview-change", ({ detail: { request } }) => keep(KEPT, request));
  checkout.addEventListener("checkout-confirm", async ({ detail: { session } }) => {
    keep(KEPT, {});
    $("changed").hidden = false;
    $("changed-text").textContent = `Version ${session.contract.version} of your contract is stored.`;
  });
  return checkout;
}

$("go-on").addEventListener("click", async () => {
  $("changed").hidden = true;
  await again();
  $("contracts").querySelector(":checked")?.focus();
});
$("customer").addEventListener("change", () => {
  $("changed").hidden = true;
  again(null);
});
$("again").addEventListener("click", start);

async function again(contractId) {
  try {
    await visit(contractId);
    $("retry").hidden = true;
  } catch (error) {
    console.error(error);
    $("retry").hidden = false;
  }
}

// The last two screens: the order to be confirmed, and the contract that came of it.

import { amount, el, icon } from "./dom.js";
import { counted, day, duration, moment, money } from "./format.js";
import { hasQuantity, isMetered } from "./order.js";
import { products } from "./store.js";

/** What is about to be agreed to. */
export function reviewSheet({ preview, plan, checkout, buyer, seller }) {
  return [
    el("h1", { id: "review-title", tabindex: "-1" }, "Check and confirm"),
    el("p.lead", {}, "This price is held for you until ", el("strong", {}, moment(checkout.expires_at)), "."),
    facts([
      ["Buyer", buyer],
      ["Seller", seller],
      ["Plan", plan.name],
      ["Starts", day(preview.start_date)],
      ["Ends", preview.end_date ? day(preview.end_date) : "When you cancel"],
    ]),
    el("h2", {}, "You get"),
    contractLines(preview.contract),
    el("p.note", {}, "By confirming you agree to the two invoices shown and to the charges of the periods after them."),
  ];
}

/** The contract as the server stored it. */
export function confirmation({ session, plan, buyer }) {
  const { contract, estimates: { current_invoice: current, next_invoice: next } } = session;
  return [
    el("p.seal", {}, icon("check")),
    el("h1", { id: "done-title", tabindex: "-1" }, "Your contract is made"),
    el("p.lead", {}, `${plan.name} starts on ${day(contract.start_date)}.`),
    facts([
      ["Contract", el("code", {}, contract.id)],
      ["Buyer", buyer],
      ["Starts", day(contract.start_date)],
      ["Ends", contract.end_date ? day(contract.end_date) : "When you cancel"],
      [`Invoice of ${day(current.invoice_date)}`, amount(money(current.amount_due, current.currency))],
      ["Next invoice", next ? [amount(money(next.amount_due, next.currency)), ` on ${day(next.invoice_date)}`] : "None"],
    ]),
    el("h2", {}, "In your contract"),
    contractLines(contract),
    el("p", {}, el("a.quiet", { href: "./" }, "Start another order")),
  ];
}

function facts(pairs) {
  return el("dl.facts", {}, pairs.filter(([, value]) => value).map(([term, value]) =>
    el("div", {}, el("dt", {}, term), el("dd", {}, value))));
}

// Phase by phase, with only the lines that are switched on.
function contractLines(contract) {
  return el("div", {}, contract.phases.map((phase) => el("section.phase", {},
    contract.phases.length > 1 && el("h3", {}, `${phase.name}, from ${day(phase.start_date)}`),
    el("ul.agreed", {}, phase.lines.filter((line) => line.is_enabled !== false).map((line) =>
      el("li", {}, icon("check"), el("span", {}, line.product.name), el("span.note", {}, lineText(line))))))));
}

function lineText(line) {
  const rhythm = line.billing_period ? `every ${duration(line.billing_period.cadence)}` : "once";
  if (isMetered(line)) return `by use, ${rhythm}`;
  const noun = products[line.product.id]?.noun;
  return hasQuantity(line) ? `${counted(line.quantity?.value ?? "1", noun)}, ${rhythm}` : rhythm;
}

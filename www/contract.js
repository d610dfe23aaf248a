// The last two screens: what is to be confirmed, and the contract that came of it.

import { amount, el, icon } from "./dom.js";
import { counted, day, duration, moment, money } from "./format.js";
import { enabledOn, hasQuantity, isMetered, phasesFrom, quantityOn, turnsOf } from "./lines.js";
import { products } from "./store.js";

/** What is about to be agreed to. `title` names the plan; `before` is the contract to be changed, if there is one. */
export function reviewSheet({ preview, title, checkout, buyer, seller, before = null }) {
  return [
    el("h1", { id: "review-title", tabindex: "-1" }, "Check and confirm"),
    el("p.lead", {}, "This price is held for you until ", el("strong", {}, moment(checkout.expires_at)), "."),
    facts([
      ["Buyer", buyer],
      ["Seller", seller],
      ["Contract", before && el("code", {}, before.id)],
      ["Plan", title],
      [before ? "Takes effect" : "Starts", day(preview.start_date)],
      ["Ends", preview.end_date ? day(preview.end_date) : "When you cancel"],
    ]),
    el("h2", {}, before ? "From then on you have" : "You get"),
    contractLines(preview.contract, preview.start_date),
    el("p.note", {}, "By confirming you agree to the two invoices shown and to the charges of the periods after them."),
  ];
}

/** The contract as the server stored it; `links` lead on from it. */
export function confirmation({ session, title, buyer, links }) {
  const { contract, source_contract_id: changed, start_date: start } = session;
  const { current_invoice: current, next_invoice: next } = session.estimates;
  return [
    el("p.seal", {}, icon("check")),
    el("h1", { id: "done-title", tabindex: "-1" }, changed ? "Your contract is changed" : "Your contract is made"),
    el("p.lead", {}, changed ? `The change takes effect on ${day(start)}.` : `${title} starts on ${day(start)}.`),
    facts([
      ["Contract", el("code", {}, contract.id)],
      ["Version", changed && String(contract.version)],
      ["Plan", changed && title],
      ["Buyer", buyer],
      ["Starts", !changed && day(start)],
      ["Ends", contract.end_date ? day(contract.end_date) : "When you cancel"],
      [`Invoice of ${day(current.invoice_date)}`, amount(money(current.amount_due, current.currency))],
      ["Next invoice", next ? [amount(money(next.amount_due, next.currency)), ` on ${day(next.invoice_date)}`] : "None"],
    ]),
    el("h2", {}, "In your contract"),
    contractLines(contract, start),
    el("p.links", {}, links),
  ];
}

function facts(pairs) {
  return el("dl.facts", {}, pairs.filter(([, value]) => value).map(([term, value]) =>
    el("div", {}, el("dt", {}, term), el("dd", {}, value))));
}

// Phase by phase from a day on, with only the lines that are switched on then.
function contractLines(contract, from) {
  const phases = phasesFrom(contract, from);
  return el("div", {}, phases.map((phase) => {
    const date = phase.start_date < from ? from : phase.start_date;
    return el("section.phase", {},
      phases.length > 1 && el("h3", {}, `${phase.name}, from ${day(date)}`),
      el("ul.agreed", {}, phase.lines.filter((line) => enabledOn(line, date)).map((line) =>
        el("li", {}, icon("check"), el("span", {}, line.product.name), el("span.note", {}, lineText(line, phase, date))))));
  }));
}

/** `12 seats, every month; 8 seats from Jan 15, 2027`: how much of a line a contract has on a day, and what is arranged for later. */
function lineText(line, phase, date) {
  const rhythm = line.billing_period ? `every ${duration(line.billing_period.cadence)}` : "once";
  const much = isMetered(line) ? "by use" : hasQuantity(line) && counted(quantityOn(line, date), products[line.product.id]?.noun);
  return [[much, rhythm].filter(Boolean).join(", "), ...arranged(line, phase, date)].join("; ");
}

/** What is arranged for days of the phase after `date`, to stand beside the line's name: `8 seats from Jan 15, 2027`. */
export function arranged(line, { end_date: last }, date) {
  const text = (state) => {
    if (state === null) return "off";
    return isMetered(line) || !hasQuantity(line) ? "on" : counted(state, products[line.product.id]?.noun);
  };
  return turnsOf(line, date, last).map(({ date: from, state }) => `${text(state)} from ${day(from)}`);
}

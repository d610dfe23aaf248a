// Draws what the engine answered: both invoices, line by line. Adds nothing up; it only leaves out rows that are zero.

import { amount, el } from "./dom.js";
import { counted, day, days, difference, duration, isNegative, isZero, money, negated, number } from "./format.js";
import { products } from "./store.js";

/** The label and amount of the one number that matters: what is due with this order. */
export function dueOf({ estimates: { current_invoice: invoice }, as_of }) {
  const label = invoice.invoice_date === as_of ? "Due today" : `Due on ${day(invoice.invoice_date)}`;
  return { label, text: money(invoice.amount_due, invoice.currency) };
}

/**
 * Both invoices of `preview`, made from `plan`, as elements; with what a customer wants to know of a change above them. A
 * change has charges of the contract as it was, too: `before`.
 */
export function bill(preview, plan, { before = null, effects = null } = {}) {
  const { current_invoice: current, next_invoice: next } = preview.estimates;
  const phases = [...plan.phases, ...(before?.phases ?? [])];
  return [
    effects ?? el("p.bill-plan", {}, el("strong", {}, plan.name), ` ${period(preview)}`),
    invoice(current, phases, dueOf(preview).label, before ? amendedNote(current, next) : trialNote(preview)),
    nextInvoice(next, phases),
  ];
}

/** The invoice that comes next, or that none does. */
export function nextInvoice(next, phases) {
  if (next) return invoice(next, phases, `Next invoice, ${day(next.invoice_date)}`);
  return el("section.invoice.last", {},
    el("div.invoice-head", {}, el("h3", {}, "Next invoice"), el("span.amount", {}, "None")),
    el("p.note", {}, "As things stand, nothing more will be charged."));
}

function period({ start_date, end_date }) {
  return end_date ? days({ start_date, end_date }) : `from ${day(start_date)}`;
}

function trialNote({ contract }) {
  const trial = contract.phases.find((phase) => phase.phase_type === "trial");
  return trial ? `Your trial runs until ${day(trial.end_date)}. Cancel before then and nothing recurring is charged.` : null;
}

function amendedNote({ total, credit_carried_forward: left, currency }, next) {
  if (!isNegative(total)) return null;
  const use = next && !isZero(next.credit_applied) ? "is taken off the next invoice" : "is kept on your account";
  return `Nothing to pay: more is given back than charged. Your credit of ${money(left, currency)} ${use}.`;
}

function invoice(one, phases, title, note = null) {
  const list = (items) => el("ul.lines", {}, items.map((item) => lineItem(item, one, phases)));
  const credits = one.line_items.filter(({ kind }) => kind === "credit");
  const charges = one.line_items.filter(({ kind }) => kind !== "credit");
  return el("section.invoice", { "data-date": one.invoice_date },
    el("div.invoice-head", {}, el("h3", {}, title), amount(money(one.amount_due, one.currency), "bdi.amount.big")),
    note && el("p.note", {}, note),
    one.line_items.length === 0 && el("p.note", {}, "Nothing is charged on this day."),
    credits.length > 0 && [el("h4", {}, "Given back"), list(credits)],
    charges.length > 0 && [credits.length > 0 && el("h4", {}, "Charged"), list(charges)],
    totals(one, onlyName(phases.flatMap((phase) => phase.discounts ?? []))));
}

function lineItem(item, { currency, total }, phases) {
  const show = (text) => money(text, currency);
  const adjusted = item.subtotal !== item.net_amount;
  const part = partOf(item);
  return el("li.line", { "data-product": item.product_id },
    el("div.row", {}, el("span.line-name", {}, nameOf(item)), amount(show(item.net_amount))),
    item.description && el("p.line-about", {}, item.description),
    el("p.line-facts", {}, [...facts(item), !adjusted && part].filter(Boolean).map((fact) => el("span", {}, fact))),
    item.tiers && tiers(item.tiers, currency, total.split(".")[1]?.length ?? 0),
    adjusted && (part || !item.tiers) && row(part ?? "Before adjustments", show(item.subtotal)),
    !isZero(item.discount_amount ?? "0") && row(discountName(item, phases), show(negated(item.discount_amount))),
    !isZero(item.commitment_amount ?? "0") && row("Up to the minimum spend", show(item.commitment_amount)));
}

/** A commitment has no name of its own. */
export const nameOf = (item) => item.name ?? (item.net_amount.startsWith("-") ? "Above the maximum spend" : "Up to the minimum spend");

function partOf({ proration }) {
  return proration && proration.days !== proration.period_days ? `${proration.days} of ${proration.period_days} days` : null;
}

function facts(item) {
  const noun = products[item.product_id]?.noun;
  const counts = item.quantity !== null && item.quantity !== undefined && item.pricing_type !== "flat_fee";
  return [
    counts && `${counted(item.quantity, noun)}${item.is_estimate ? " (estimate)" : ""}`,
    item.free_units && !isZero(item.free_units) && `${number(item.free_units)} included`,
    item.period && days(item.period),
  ];
}

// A line item says how much was taken off, not by which offer; where there is only one, it is that one.
function discountName(item, phases) {
  return onlyName(phases.flatMap((phase) => phase.pricings ?? phase.lines).find(({ id }) => id === item.pricing_id)?.discounts);
}

const onlyName = (discounts = []) => {
  const names = new Set(discounts.map(({ name }) => name));
  return (names.size === 1 && discounts[0].name) || "Discount";
};

// The rows the engine entered; a row's amount is exact and for the whole period.
function tiers(rows, currency, digits) {
  return el("table.tiers", {},
    el("caption.visually-hidden", {}, "How the price is made up for a full period"),
    el("tbody", {}, rows.map((one) => el("tr", {},
      el("td", {}, `${number(one.quantity)} × `, amount(money(one.unit_amount ?? one.flat_amount, currency, digits)),
        one.unit_amount && !isZero(one.flat_amount) && [" + ", amount(money(one.flat_amount, currency, digits))]),
      el("td.amount", {}, el("bdi", {}, money(one.amount, currency, digits)))))));
}

function totals(one, discount) {
  const show = (text) => money(text, one.currency);
  const beforeTax = difference(one.subtotal, one.discount_total);
  const inclusive = !isZero(one.tax_total) && isZero(difference(one.total, beforeTax));
  return el("div.totals", {},
    !isZero(one.discount_total) && [row("Subtotal", show(one.subtotal)), row(discount, show(negated(one.discount_total)))],
    one.taxes.filter((tax) => !isZero(tax.amount)).map((tax) =>
      row(`${inclusive ? "Includes " : ""}${tax.name} ${number(tax.percent)}\u00a0%`, show(tax.amount), inclusive && "row.included")),
    row("Total", show(one.total), "row.total"),
    !isZero(one.credit_applied) && [
      row("Credit applied", show(negated(one.credit_applied))),
      row("To pay", show(one.amount_due), "row.total"),
    ],
    !isZero(one.credit_carried_forward) && row("Credit kept for later invoices", show(one.credit_carried_forward), "row.included"));
}

function row(label, text, selector = "row") {
  return el(`div.${selector || "row"}`, {}, el("span", {}, label), amount(text));
}

/** `$14.00 per seat a month`: what a pricing asks, in words. `first` keeps to the first step of a price that has several. */
export function priceText(pricing, currency, first = false) {
  const { pricing_data: data } = pricing;
  const noun = products[pricing.product.id]?.noun?.one;
  const each = noun ? ` per ${noun}` : "";
  const every = pricing.billing_period ? ` a ${duration(pricing.billing_period.cadence)}` : ", once";
  const shown = (text) => money(String(text), currency);
  if (data.tiers) {
    const prices = data.tiers.map((tier) => tier.unit_amount ?? tier.flat_amount);
    const last = prices.at(-1);
    return `${first ? "" : "from "}${shown(first ? prices[0] : last)}${each}${rhythm(pricing, every)}`;
  }
  if (data.package_size) {
    return `${shown(data.unit_amount)} per ${number(String(data.package_size))} ${products[pricing.product.id]?.noun?.other ?? ""}`.trim();
  }
  if (data.pricing_type === "flat_fee") return `${shown(data.unit_amount)}${every}`;
  return isZero(String(data.unit_amount)) ? "Free" : `${shown(data.unit_amount)}${each}${rhythm(pricing, every)}`;
}

// Usage is priced by the piece, not by the month.
const rhythm = (pricing, every) => (pricing.quantity?.type === "metered" ? "" : every);

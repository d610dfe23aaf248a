// The coming twelve months of a contract, month by month, as it is and as it would be. Every amount is on an invoice that the
// engine lists; here they are only added up.

import { CheckoutPreviewError, createBillingSchedule, createCheckoutPreview } from "checkout-preview";
import { dayBefore, nextMonth, sum, yearLater } from "./format.js";
import { enabledOn } from "./lines.js";

/**
 * The year from today on: `{months: [{start, end, whole, before, after}], before, after, currency}`, and the contract's own next
 * invoice. `preview` is the change's, whose invoice of today or of the day it takes effect is part of the year.
 */
export function outlook(request, preview, catalog) {
  const { estimates: { current_invoice: current }, as_of: today } = preview;
  const { invoices, without_change: own } = scheduleOfAYear(request, catalog, today);
  const sooner = own.filter(({ invoice_date: date }) => date < current.invoice_date); // these come as they are
  const changed = sooner.length === 0 ? [current, ...invoices] : changedAfter(sooner.at(-1), request, catalog, today);
  return year(today, preview.currency, own, [...sooner, ...changed]);
}

// A preview takes the customer's credit as it is today (R8.5). What the invoices sooner than the change have used of it by then,
// or added to it, is known here, and it is not used twice.
function changedAfter({ credit_carried_forward: left }, request, catalog, today) {
  const { customer_id: payer } = catalog.contracts.find(({ id }) => id === request.contract_id);
  const customers = (catalog.customers ?? []).map((one) => (one.id === payer ? { ...one, credit_balance: left } : one));
  const then = { ...catalog, customers };
  const { current_invoice: current } = createCheckoutPreview(request, then, { as_of: today }).estimates;
  return [current, ...scheduleOfAYear(request, then, today).invoices];
}

/** The same for a contract that stays as it is: `after` is null. Null where nothing can be said of it. */
export function unchangedOutlook(contract, catalog, today) {
  // The engine lists a contract's own invoices beside those of a change, so it is asked about one, whichever is a change.
  for (const line of contract.phases.flatMap((phase) => phase.lines)) {
    const start = contract.start_date > today ? contract.start_date : today;
    const override = { line_item_id: line.line_item_id, is_enabled: !enabledOn(line, start) };
    const request = { contract_id: contract.id, product_overrides: [override], start_date: start };
    try {
      return year(today, contract.currency, scheduleOfAYear(request, catalog, today).without_change, null);
    } catch (error) {
      if (!(error instanceof CheckoutPreviewError)) throw error;
    }
  }
  return null;
}

// What is paid by the month has 12 invoices in a year and needs a 13th to show that it has no more; other contracts have more
// invoices, and are asked about once more.
function scheduleOfAYear(request, catalog, today) {
  const end = yearLater(today);
  const ask = (count) => createBillingSchedule(request, catalog, count, { as_of: today });
  const first = ask(13);
  const whole = (invoices) => invoices.length < 13 || invoices.at(-1).invoice_date >= end;
  return whole(first.invoices) && whole(first.without_change) ? first : ask(120);
}

function year(today, currency, before, after) {
  const end = yearLater(today);
  const due = (invoices, from, to) => invoices && sum(
    invoices.filter(({ invoice_date: date }) => date >= from && date < to).map(({ amount_due: amount }) => amount), currency);
  const months = [];
  for (let from = today; from < end; from = nextMonth(from)) {
    const to = nextMonth(from) < end ? nextMonth(from) : end;
    const whole = from.endsWith("-01") && to === nextMonth(from);
    months.push({ start: from, end: dayBefore(to), whole, before: due(before, from, to), after: due(after, from, to) });
  }
  return { months, currency, before: due(before, today, end), after: due(after, today, end), next: before[0] ?? null };
}

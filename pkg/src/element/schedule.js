// The invoices of the coming twelve months, as the engine lists them.

import { createBillingSchedule } from "../browser.js";
import { yearLater } from "./format.js";

/**
 * What is paid by the month has 12 invoices in a year and needs a 13th to show that it has no more; other contracts have more
 * invoices, and are asked about once more.
 */
export function scheduleOfAYear(request, catalog, options) {
  const end = yearLater(options.as_of);
  const ask = (count) => createBillingSchedule(request, catalog, count, options);
  const first = ask(13);
  const isWhole = (invoices) => !invoices || invoices.length < 13 || invoices.at(-1).invoice_date >= end;
  return isWhole(first.invoices) && isWhole(first.without_change) ? first : ask(120);
}

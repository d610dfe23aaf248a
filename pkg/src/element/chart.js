// The coming twelve months, month by month, as they would be and, of a running contract, as they are: a table that is its own
// picture. Every amount is on an invoice that the engine lists; here they are only added up.

import { createCheckoutPreview } from "../browser.js";
import { h } from "./dom.js";
import { daysLater, nextMonth, sum, utc, yearLater } from "./format.js";
import { scheduleOfAYear } from "./schedule.js";
import { table } from "./table.js";

export const css = `${table}
.scroll { overflow-x: auto; }
.bars { inline-size: 45%; line-height: 0; }
figure i { display: inline-block; inline-size: 0.7em; block-size: 0.7em; margin-inline-end: 0.3em; }
svg:dir(rtl) { scale: -1 1; }
.before { fill: var(--checkout-before, light-dark(#8795a1, #6b7b89)); background: var(--checkout-before, light-dark(#8795a1, #6b7b89)); }
.after { fill: var(--_accent); background: var(--_accent); }
@media (forced-colors: active) {
  .before { fill: GrayText; background: GrayText; }
  .after { fill: Highlight; background: Highlight; }
  svg, figure i { forced-color-adjust: none; }
}
`;

/**
 * The year from today on, `{months: [{start, end, before, after}], before, after}`, of a request and its preview, or of a contract's
 * own invoices where nothing is changed; `before` is null where nothing ran before, `after` where nothing is changed.
 */
export function outlook(request, preview, { prepared, plain }, options, unchanged) {
  const { as_of: today } = options;
  if (!request) return unchanged && year(today, unchanged, null);
  const { current_invoice: current } = preview.estimates;
  const { invoices, without_change: own } = scheduleOfAYear(request, prepared, options);
  if (!own) return year(today, null, [current, ...invoices]);
  const sooner = own.filter(({ invoice_date: date }) => date < current.invoice_date); // these come as they are
  const changed = sooner.length === 0 ? [current, ...invoices] : changedAfter(sooner.at(-1), request, plain, options);
  return year(today, own, [...sooner, ...changed]);
}

// A preview takes the customer's credit as it is today (R8.5). What the invoices sooner than the change have used of it by then,
// or added to it, is known here, and it is not used twice.
function changedAfter({ credit_carried_forward: left }, request, catalog, options) {
  const contract = catalog.contracts.find(({ id }) => id === request.contract_id);
  const then = {
    ...catalog,
    plans: catalog.plans?.filter(({ id }) => id === request.plan_id || id === contract.plan_id),
    contracts: [contract],
    customers: catalog.customers?.map((one) => (one.id === contract.customer_id ? { ...one, credit_balance: left } : one)),
  };
  const { current_invoice: current } = createCheckoutPreview(request, then, options).estimates;
  return [current, ...scheduleOfAYear(request, then, options).invoices];
}

function year(today, before, after) {
  const end = yearLater(today);
  const due = (invoices, from, to) => invoices && sum(
    invoices.filter(({ invoice_date: date }) => date >= from && date < to).map(({ amount_due: amount }) => amount));
  const months = [];
  for (let from = today; from < end; from = nextMonth(from)) {
    const to = nextMonth(from) < end ? nextMonth(from) : end;
    months.push({ start: from, end: daysLater(to, -1), before: due(before, from, to), after: due(after, from, to) });
  }
  return { months, before: due(before, today, end), after: due(after, today, end) };
}

/** A row for each month: its amounts, and bars as long as they are. */
export function chart({ months, before, after }, { say, money, days, digits, locale }) {
  const month = new Intl.DateTimeFormat(locale, { month: "short", year: "numeric", timeZone: "UTC" });
  const kinds = [["before", before, "as_is"], ["after", after, before === null ? "total" : "changed"]].filter(([, whole]) => whole !== null);
  const most = Math.max(...months.flatMap((one) => kinds.map(([kind]) => Number(one[kind]))));
  const bars = (one) => kinds.map(([kind], index) => h("rect", {
    class: kind, width: `${most > 0 ? Math.max(0, (Number(one[kind]) / most) * 100).toFixed(2) : 0}%`, height: 6, y: 7 * index,
  }));
  const cells = (one) => kinds.map(([kind]) => h("td", {}, h("bdi", {}, money(one[kind], digits))));
  return h("figure", { part: "chart" },
    h("figcaption", {}, h("slot", { name: "chart-label" }, say("months"))),
    h("div.scroll", { tabindex: 0 }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("month")), h("td", {}),
        kinds.map(([kind, , key]) => h("th", { scope: "col" }, kinds.length > 1 && h(`i.${kind}`), say(key))))),
      h("tbody", {}, months.map((one) => h("tr", {},
        h("th", { scope: "row", title: days(one.start, one.end) }, month.format(utc(one.start))),
        h("td.bars", {}, h("svg", { "aria-hidden": "true", height: kinds.length * 7 - 1, width: "100%" }, bars(one))), cells(one)))),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: 2 }, say("all_months")), cells({ before, after }))))));
}

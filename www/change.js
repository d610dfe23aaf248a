// The question the page asks when the server came to another price: what was shown, what it is now, line by line.

import { amount, el } from "./dom.js";
import { day, money } from "./format.js";
import { nameOf } from "./summary.js";

/** The contents of the dialog. `differences` are the server's `{path, expected, actual}`. */
export function priceChange(before, after, differences) {
  const rows = [["Due now", "current_invoice"], ["Next invoice", "next_invoice"]].flatMap(([label, which]) => [
    invoiceRow(label, before.estimates[which], after.estimates[which]),
    ...lineRows(which, before, after, differences),
  ]).filter(Boolean);
  return [
    el("h2", { id: "price-changed-title" }, "The price has changed"),
    el("p", {}, `${reason(before, after)} Nothing has been agreed to yet.`),
    el("table.change", {},
      el("thead", {}, el("tr", {}, el("td", {}), el("th", { scope: "col" }, "You saw"), el("th", { scope: "col" }, "Now"))),
      el("tbody", {}, rows)),
    el("form.actions", { method: "dialog" },
      el("button.quiet", { value: "back" }, "Back to my choices"),
      el("button.primary", { value: "accept" }, "Continue at the new price")),
  ];
}

// An amended contract keeps its version in a preview, so another version is another contract.
const reason = (before, after) => (before.contract.version === after.contract.version
  ? "The price list was updated while you were choosing."
  : "Somebody else changed this contract while you were choosing.");

function invoiceRow(label, old, now) {
  const show = (invoice) => (invoice ? money(invoice.amount_due, invoice.currency) : "None");
  const date = (now ?? old)?.invoice_date;
  if (!date || show(old) === show(now)) return null;
  return row(`${label}, ${day(date)}`, show(old), show(now), "tr.sum");
}

// The lines that the differences speak of, each once: `/current_invoice/line_items/2/net_amount`.
function lineRows(which, before, after, differences) {
  const indexes = new Set(differences
    .map(({ path }) => path.split("/"))
    .map((parts) => parts.slice(parts.indexOf(which)))
    .filter(([invoice, list, index]) => invoice === which && list === "line_items" && /^\d+$/.test(index ?? ""))
    .map(([, , index]) => Number(index)));
  return [...indexes].map((index) => {
    const [old, now] = [before, after].map(({ estimates }) => estimates[which]?.line_items[index]);
    const show = (item) => (item ? money(item.net_amount, after.currency) : "None");
    if (show(old) === show(now)) return null;
    const given = (now ?? old).kind === "credit" ? "Given back: " : "";
    return row(`${given}${nameOf(now ?? old)}`, show(old), show(now));
  });
}

function row(label, old, now, selector = "tr") {
  return el(selector, {}, el("th", { scope: "row" }, label),
    el("td.old", {}, amount(old)), el("td.new", {}, amount(now)));
}

// The right side: both invoices, and what the buyer does next. A model in, elements out. Adds nothing up but the parts of an
// invoice that stand under one heading, and leaves out rows that are zero.

import { h } from "./dom.js";
import { difference, isNegative, isZero, negated, sum } from "./format.js";

export function bill(model) {
  const { say, stage, preview } = model;
  return h("section.summary", { part: "summary", "aria-labelledby": "summary-title" },
    say("summary") && h("h2", { id: "summary-title" }, h("slot", { name: "summary-label" }, say("summary"))),
    stage === "loading" && h("div.skeleton", {}, Array.from("12345", () => h("i"))),
    model.headline.map((text) => h(stage === "done" ? "strong" : "p.note", {}, text)),
    model.effects.length > 0 && h("ul.effects", { part: "effects" }, model.effects.map(({ what, why }) =>
      h("li", {}, h("strong", {}, what), why && h("p.note", {}, why)))),
    model.due && [
      invoice(preview.estimates.current_invoice, model.due.label, model, ""),
      nextInvoice(preview.estimates.next_invoice, model),
    ],
    !preview && model.contract && nextInvoice(model.unchanged, model));
}

/** What is due, what is the matter, and the buttons: always in sight, also where the rest is not. */
export function pay(model) {
  const { stage, notice } = model;
  const isReview = stage === "review";
  const isHeld = notice?.action !== "renew";
  return h("section.pay", { part: "pay" },
    isReview && isHeld && h("p.note", {}, model.held()),
    model.due && h("p.due", { part: "total" }, h("span", {}, model.due.label), h("bdi", {}, model.due.text)),
    h("div", { part: "notice", class: notice && "notice" },
      h("div", { role: "alert" }, notice && [h("p", {}, notice.text), notice.content?.()]),
      notice?.action && h("div.actions", {},
        notice.action === "accept" && button("back", "button-secondary", model),
        button(notice.action, "button-secondary", model))),
    h("slot", { name: "before-button" }),
    h("div.actions", {},
      model.canCancel && button("cancel", "button-secondary", model),
      isReview && [button("edit", "button-secondary", model), isHeld && button("confirm", "button", model)],
      stage === "choose" && notice?.action !== "accept" && button("continue", "button", model, !model.canContinue),
      stage === "failed" && button("retry", "button", model)));
}

/** A button, whose text is the page's where it fills the slot of that name. */
function button(action, part, { say, busy, notice }, isDisabled) {
  const wait = notice?.action === action && notice.wait > 0 && ` (${notice.wait})`;
  return h("button", { type: "button", part, "data-action": action, "aria-disabled": (isDisabled || busy || wait) && "true" },
    h("slot", { name: action }, say(busy === action ? "sending" : action)), wait);
}

function nextInvoice(next, model) {
  return next ? invoice(next, model.say("next", { date: model.day(next.invoice_date) }), model, "next") : h("p.note", {}, model.say("no_next"));
}

function invoice(one, title, model, which) {
  const { say, money } = model;
  const credits = one.line_items.filter(({ kind }) => kind === "credit");
  const charges = one.line_items.filter(({ kind }) => kind !== "credit");
  const list = (items, heading) => items.length > 0 && [
    credits.length > 0 && row("h4.row", heading, money(sum(items.map(({ net_amount: amount }) => amount)))),
    h("ul", {}, items.map((item, index) => model.kept(which + heading + index, [item, model.currency], () => lineItem(item, model)))),
  ];
  return h("section.invoice", { part: "invoice", "data-date": one.invoice_date },
    row("h3.row", title, money(one.amount_due)),
    one.line_items.length === 0 && h("p.note", {}, say("nothing_due")),
    list(credits, say("credits")),
    list(charges, say("charges")),
    totals(one, model));
}

const row = (tag, name, amount) => h(tag, {}, h("span", {}, name), h("bdi", {}, amount));

/** A commitment has no name of its own. */
const nameOf = ({ name, product_id: id, net_amount: amount }, { say }) => name ?? id ?? say(amount.startsWith("-") ? "maximum" : "minimum");

function lineItem(item, model) {
  const { say, money, number, counted, isCounted, days } = model;
  const { proration, period } = item;
  const part = proration && proration.days !== proration.period_days ? say("part", { days: number(proration.days), period: number(proration.period_days) }) : null;
  const facts = [
    item.quantity !== null && item.pricing_type !== "flat_fee" && `${isCounted(item.product_id) ? "" : "× "}${counted(item.quantity, item.product_id)}`,
    item.is_estimate && say("estimate"),
    item.free_units && !isZero(item.free_units) && say("included", { count: item.free_units }),
  ].filter(Boolean);
  const when = [part, period && days(period.start_date, period.end_date)].filter(Boolean);
  const digits = item.net_amount.split(".")[1]?.length ?? 0;
  return h("li", { part: "line-item" },
    row("div.row", nameOf(item, model), money(item.net_amount)),
    item.description && h("p.note", { dir: "auto" }, item.description),
    [facts, when].map((all) => all.length > 0 && h("p.note", {}, all.join(" · "))),
    item.tiers?.map((tier) => row("div.row.note",
      `${number(tier.quantity)} × ${money(tier.unit_amount ?? "0", digits)}${isZero(tier.flat_amount ?? "0") ? "" : ` + ${money(tier.flat_amount, digits)}`}`,
      money(tier.amount, digits))),
    item.subtotal !== item.net_amount && row("div.row.note", say("before"), money(item.subtotal)),
    !isZero(item.discount_amount ?? "0") && row("div.row.note", say("discount"), money(negated(item.discount_amount))),
    !isZero(item.commitment_amount ?? "0") && row("div.row.note", say(isNegative(item.commitment_amount) ? "maximum" : "minimum"), money(item.commitment_amount)));
}

function totals(one, { say, money, number }) {
  const beforeTax = difference(one.subtotal, one.discount_total);
  const isIncluded = !isZero(one.tax_total) && isZero(difference(one.total, beforeTax));
  const line = (key, amount, words) => !isZero(amount) && row("div.row.note", say(key, words), money(amount));
  return h("div.totals", { part: "totals" },
    row("div.row.note", say("subtotal"), money(one.subtotal)),
    line("discount", negated(one.discount_total)),
    one.taxes.filter(({ amount }) => !isZero(amount)).map(({ name, percent, amount }) => {
      const named = `${name ?? say("tax")} ${number(percent)}\u00a0%`;
      return row("div.row.note", isIncluded ? say("tax_included", { name: named }) : named, money(amount));
    }),
    row("div.row.sum", say("total"), money(one.total)),
    line("credit_applied", negated(one.credit_applied)),
    !isZero(one.credit_applied) && row("div.row.sum", say("to_pay"), money(one.amount_due)),
    line("credit_kept", one.credit_carried_forward));
}

// Amendments and the invoices to come, through the package's public name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { nativeAnswers } from "./native.mjs";
import { imported } from "./project.mjs";

const { CheckoutPreviewError, createBillingSchedule, createCheckoutPreview } = imported;

const seats = {
  id: "seats", product: { id: "seat", name: "Seat" }, billing_period: { cadence: "P1M", offset: "prepaid" },
  quantity: { type: "fixed", value: "10" }, pricing_data: { pricing_type: "per_unit", unit_amount: "12.00" },
};
const yearly = { ...seats, billing_period: { cadence: "P1Y", offset: "prepaid" }, pricing_data: { pricing_type: "per_unit", unit_amount: "120.00" } };
const catalog = {
  version: "7",
  customers: [{ id: "cus", credit_balance: "100.00" }],
  plans: [
    { id: "team", currency: "USD", phases: [{ name: "Monthly", pricings: [seats] }] },
    { id: "team_yearly", currency: "USD", duration: "P3Y", phases: [{ name: "Yearly", pricings: [yearly] }] },
  ],
  contracts: [{
    id: "con", customer_id: "cus", plan_id: "team", currency: "USD", start_date: "2026-01-15", anchor_date: "2026-01-15",
    phases: [{ name: "Monthly", start_date: "2026-01-15", lines: [{ ...seats, line_item_id: "li" }] }],
  }],
};
const clock = { as_of: "2026-03-20", now: "2026-03-20T10:00:00Z" };
const moreSeats = { contract_id: "con", product_overrides: [{ line_item_id: "li", quantity: "14" }] };
const brief = (invoices) => invoices.map(({ invoice_date, total, amount_due }) => [invoice_date, total, amount_due]);

test("more seats in the middle of a period: the credit, the charge and the months to come", () => {
  const preview = createCheckoutPreview(moreSeats, catalog, clock);
  const { current_invoice, next_invoice } = preview.estimates;
  assert.equal(preview.checkout_type, "quantity_update");
  assert.deepEqual(current_invoice.line_items.map(({ kind, net_amount }) => [kind, net_amount]), [["credit", "-100.65"], ["charge", "140.90"]]);
  const schedule = createBillingSchedule(moreSeats, catalog, 3, clock);
  // 40.25 of the balance of 100.00 goes into the current invoice.
  assert.deepEqual(brief(schedule.invoices), [["2026-04-15", "168.00", "108.25"], ["2026-05-15", "168.00", "168.00"], ["2026-06-15", "168.00", "168.00"]]);
  assert.deepEqual(brief(schedule.without_change), [["2026-04-15", "120.00", "20.00"], ["2026-05-15", "120.00", "120.00"], ["2026-06-15", "120.00", "120.00"]]);
  assert.deepEqual(schedule.invoices[0], next_invoice);
});

test("what a preview gives can be stored and changed again", () => {
  const { contract } = createCheckoutPreview(moreSeats, catalog, clock);
  const stored = { ...catalog, contracts: [{ ...contract, version: 2 }] };
  const back = createCheckoutPreview({ contract_id: "con", product_overrides: [{ line_item_id: "li", quantity: "10" }] }, stored, clock);
  // −140.90 and 100.65: the change and its reversal come to nothing.
  assert.equal(back.estimates.current_invoice.total, "-40.25");
  assert.equal(back.contract.version, 2);
});

test("a plan change, and a schedule that ends with the contract", () => {
  const { invoices, without_change } = createBillingSchedule({ plan_id: "team_yearly", customer_id: "cus" }, catalog, 120, clock);
  assert.deepEqual(brief(invoices), [["2027-03-20", "1200.00", "1200.00"], ["2028-03-20", "1200.00", "1200.00"]]);
  assert.equal(without_change, null, "nothing is there to be left as it is");
  const moved = createBillingSchedule({ contract_id: "con", plan_id: "team_yearly" }, catalog, 120, clock);
  assert.equal(moved.without_change.length, 120);
  assert.deepEqual(brief(moved.invoices.slice(0, 1)), [["2027-03-20", "1200.00", "1200.00"]]);
});

test("a count that is none is a problem, told with the others", () => {
  for (const count of [0, 121, 1.5, -1, "12", null, undefined, NaN, 12n, [12]]) {
    assert.throws(() => createBillingSchedule({ plan_id: "gold", customer_id: "cus" }, catalog, count, clock), (error) => {
      assert(error instanceof CheckoutPreviewError);
      assert.deepEqual(error.problems.map(({ code, path }) => `${code} ${path}`), ["plan_not_found /plan_id", "invalid_type /count"]);
      return true;
    });
  }
  // Nothing would change, which is looked for only when nothing else is wrong.
  const same = { contract_id: "con", product_overrides: [{ line_item_id: "li", quantity: "10" }] };
  assert.throws(() => createBillingSchedule(same, catalog, 0, clock), ({ problems }) => problems.length === 1 && problems[0].path === "/count");
  assert.throws(() => createBillingSchedule(moreSeats, catalog), TypeError);
  assert.throws(() => createBillingSchedule(moreSeats, catalog, 12, { asOf: "2026-03-20" }), TypeError);
});

test("both doors give the same bytes", () => {
  const inputs = [
    { request: moreSeats, schedule: 12 },
    { request: { contract_id: "con", plan_id: "team_yearly", start_date: "2026-05-01" }, schedule: 120 },
    { request: { plan_id: "team", customer_id: "cus" }, schedule: 1 },
    { request: { ...moreSeats, start_date: "2025-12-31" }, schedule: 12 },
    { request: { contract_id: "con", plan_id: "gold" }, schedule: 12 },
  ].map((input) => ({ ...input, catalog, ...clock }));
  const native = nativeAnswers(inputs.map((input) => JSON.stringify(input)));
  const answers = inputs.map(({ request, schedule }) => {
    try {
      return { status: "ok", schedule: createBillingSchedule(request, catalog, schedule, clock) };
    } catch (error) {
      if (!(error instanceof CheckoutPreviewError)) throw error;
      return { status: "rejected", problems: error.problems };
    }
  });
  assert.deepEqual(answers.map(({ status }) => status), ["ok", "ok", "ok", "rejected", "rejected"]);
  for (const [index, answer] of answers.entries()) assert(JSON.stringify(answer) === native[index], `schedule ${index} differs`);
});

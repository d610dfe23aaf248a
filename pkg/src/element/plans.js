// Plans to choose from, side by side: what a year costs in each, and what is saved by one against another of the same name.

import { createCheckoutPreview } from "../browser.js";
import { h } from "./dom.js";
import { daysLater, difference, isNegative, isZero, yearLater } from "./format.js";
import { linesOfPlan, overridesOf } from "./lines.js";

export const css = `
.plans { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); }
.plan { display: grid; grid-template-columns: auto 1fr; gap: 0.75rem; padding: 1rem; border: 1px solid var(--_rule); border-radius: var(--_radius); background: var(--_surface); cursor: pointer; }
.plan > span > * { display: block; }
.plan:has(:checked) { border-color: var(--_accent); box-shadow: inset 0 0 0 1px var(--_accent); }
.plan input { inline-size: 1.25rem; block-size: 1.25rem; margin-block-start: 0.15rem; }
.year { font-variant-numeric: tabular-nums; }
.saving { color: var(--_accent); font-weight: 700; }
`;

/**
 * What exactly one year costs in a plan: the engine previews a contract of that year, seen from the day after it, so that the
 * current invoice holds everything.
 */
export function yearOf(plan, request, choices, catalog, today) {
  const start = request.start_date ?? today;
  const { overrides } = overridesOf(choices, linesOfPlan(plan));
  const year = { ...request, plan_id: plan.id, product_overrides: overrides, start_date: start, end_date: daysLater(yearLater(start), -1) };
  return createCheckoutPreview(year, catalog, { as_of: yearLater(start) }).estimates.current_invoice.total;
}

/** The plans as radio cards; `own` is that of the contract, `plan` the one picked. */
export function plans({ offered, plan, own, years, say, money, every, problems }) {
  const all = own && offered.length > 0 && !offered.includes(own) ? [own, ...offered] : offered;
  if (all.length < 2) return null;
  return h("fieldset", { part: "plans", "aria-describedby": problems.has("plan_id") && "plan_id-problem" },
    h("legend", {}, h("slot", { name: "plans-label" }, say("plan"))),
    h("div.plans", {}, all.map((one) => {
      const same = all.filter(({ name, currency }) => name === one.name && currency === one.currency);
      const year = years.get(one.id);
      // Against the dearest plan of the same name: paying yearly against paying monthly.
      const saved = same.map(({ id }) => years.get(id)).filter((other) => other && year).map((other) => difference(other, year))
        .reduce((most, other) => (Number(other) > Number(most) ? other : most), "0");
      const cadence = one.phases.flatMap((phase) => phase.pricings ?? []).find((pricing) => pricing.billing_period)?.billing_period.cadence;
      const checked = one === (plan ?? own);
      return h("label.plan", { part: checked ? "plan plan-checked" : "plan" },
        h("input", { type: "radio", name: "plan_id", value: one.id, checked }),
        h("span", {},
          h("strong", {}, h("bdi", {}, one.name ?? one.id), same.length > 1 && cadence && `, ${every(cadence)}`),
          one.description && h("span.note", { dir: "auto" }, one.description),
          one === own && h("span.note", {}, say("own_plan")),
          year && h("bdi.year", {}, say("first_year", { amount: money(year, one.currency) })),
          !isZero(saved) && !isNegative(saved) && h("span.saving", { part: "saving" }, say("saving", { amount: money(saved, one.currency) }))));
    })));
}

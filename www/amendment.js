// What a customer wants changed about a running contract, and the checkout request it stands for. Knows no page and no server.

import { linesOfContract, linesOfPlan, newChoices, overridesOf } from "./lines.js";
import { keep, kept } from "./memory.js";

/** Nothing yet. Choices belong to products, so that they are still there after another look at another plan. */
export const newAmendment = (contractId) => ({ contractId, planId: null, start: null, ...newChoices() });

/** The plan to move to, or null to stay. */
export const targetOf = (amendment, catalog) => catalog.plans.find(({ id }) => id === amendment.planId) ?? null;

/** The day it takes effect; by default today, or the first day of a contract that is still to begin. */
export function dayOf({ start = null }, contract, today) {
  return start ?? (contract.start_date > today ? contract.start_date : today);
}

/** The lines to choose from on that day: the contract's, or those of the plan to move to. */
export function linesOf(amendment, contract, catalog, date) {
  const lines = linesOfContract(contract, catalog.plans, date);
  const target = targetOf(amendment, catalog);
  if (!target) return lines;
  return linesOfPlan(target, lines);
}

/** The request, null while nothing is changed; and for each of its overrides the line it speaks of. */
export function requestOf(amendment, contract, catalog, today) {
  const date = dayOf(amendment, contract, today);
  const target = targetOf(amendment, catalog);
  const { overrides, lines } = overridesOf(amendment, linesOf(amendment, contract, catalog, date));
  if (!target && overrides.length === 0) return { request: null, lines: [] };
  const request = { contract_id: contract.id, product_overrides: overrides };
  if (target) request.plan_id = target.id;
  if (date !== today) request.start_date = date;
  return { request, lines };
}

const KEPT = "ternwell-amendment";

export const keepAmendment = (amendment) => keep(KEPT, amendment);

/** What was entered for this contract before a reload of the page. */
export function restoreAmendment(contractId) {
  const amendment = kept(KEPT);
  return amendment?.contractId === contractId ? { ...newAmendment(contractId), ...amendment } : newAmendment(contractId);
}

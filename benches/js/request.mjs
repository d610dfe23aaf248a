// A request checked against the catalog: everything that it names looked up, refused at its first problem.

import { QUANTITY, unsupported } from "./catalog.mjs";
import { dayAfterDuration, INSTANT, NEVER, readDay, writeInstant } from "./days.mjs";

const FIELDS = new Set([
  "plan_id", "contract_id", "start_date", "end_date", "customer_id", "business_entity_id", "guest_checkout", "customer_data",
  "expires_at", "success_url", "cancel_url", "product_overrides",
]);
const OVERRIDE_FIELDS = new Set(["pricing_id", "product_id", "line_item_id", "quantity", "effective_from", "description"]);
const ID = /^[!-~]{1,255}$/;
const URL_WITH_HOST = /^https?:\/\/[^\s/?#\\<>"]+[^\s\\<>"]*$/i;
const THIRTY_DAYS = 30 * 24 * 3_600_000;

/** A request that cannot be previewed. */
export class CheckoutRefused extends Error {
  constructor(code, path) {
    super(`${code} at ${path}`);
    this.name = "CheckoutRefused";
    this.code = code;
    this.path = path;
  }
}

export function refuse(code, path) {
  throw new CheckoutRefused(code, path);
}

/** Reads requests; a quantity is a decimal of `decimalOf`. */
export function requestReader({ isZero }, { decimalOf }) {
  function text(request, name, form, code) {
    const value = request[name];
    if (value == null) return null;
    if (typeof value !== "string") refuse("invalid_type", `/${name}`);
    if (!form.test(value)) refuse(code, `/${name}`);
    return value;
  }

  function day(holder, name, path) {
    const value = holder[name];
    if (value == null) return null;
    if (typeof value !== "string") refuse("invalid_type", path);
    const read = readDay(value);
    return Number.isNaN(read) ? refuse("invalid_date", path) : read;
  }

  /** What a request asks for, everything that it names looked up (R2). */
  function detect(request, prepared, { now, as_of }) {
    if (typeof request !== "object" || request === null || Array.isArray(request)) refuse("invalid_type", "");
    for (const name in request) if (!FIELDS.has(name)) refuse("unknown_field", `/${name}`);
    const planId = text(request, "plan_id", ID, "invalid_id"), contractId = text(request, "contract_id", ID, "invalid_id");
    if (planId === null && contractId === null) refuse("plan_id_required", "/plan_id");
    if (planId !== null && contractId !== null) unsupported("a plan change");
    const plan = planId === null ? null : prepared.plans.get(planId) ?? refuse("plan_not_found", "/plan_id");
    const contract = contractId === null ? null
      : prepared.contracts.get(contractId) ?? refuse("contract_not_found", "/contract_id");
    if (plan !== null && !plan.isActive) refuse("plan_not_active", "/plan_id");
    if (contract !== null && !contract.isActive) refuse("contract_not_active", "/contract_id");

    const asOf = readDay(as_of);
    const effective = day(request, "start_date", "/start_date") ?? asOf;
    const endDate = day(request, "end_date", "/end_date");
    if (contract !== null) {
      if (effective < contract.start || effective >= contract.end) refuse("start_date_outside_contract", "/start_date");
      if (endDate !== null) refuse("end_date_not_allowed", "/end_date");
    } else if (endDate !== null && endDate < effective) refuse("end_date_before_start_date", "/end_date");
    const end = contract !== null ? contract.end
      : endDate !== null ? endDate + 1
      : plan.duration === null ? NEVER : dayAfterDuration(effective, plan.duration);

    const isGuest = isGuestCheckout(request, contract);
    const customer = customerOf(request, prepared, contract, isGuest);
    const data = request.customer_data ?? null;
    if (data !== null) {
      if (typeof data !== "object" || Array.isArray(data)) refuse("invalid_type", "/customer_data");
      if (JSON.stringify(data).length > 16_384) refuse("customer_data_too_large", "/customer_data");
    }
    return {
      plan,
      contract,
      customer,
      entity: entityOf(request, prepared, contract, customer),
      isGuest,
      data,
      asOf,
      effective,
      end,
      expiresAt: expiresAt(request, prepared, now),
      successUrl: text(request, "success_url", URL_WITH_HOST, "invalid_url"),
      cancelUrl: text(request, "cancel_url", URL_WITH_HOST, "invalid_url"),
      changes: changesOf(request, (plan ?? contract).targets, contract !== null, effective, end),
    };
  }

  function isGuestCheckout(request, contract) {
    const stated = request.guest_checkout ?? null;
    if (stated !== null && typeof stated !== "boolean") refuse("invalid_type", "/guest_checkout");
    if (stated === true && request.customer_id != null) refuse("guest_with_customer", "/guest_checkout");
    if (contract !== null) return stated === true ? refuse("guest_cannot_amend", "/guest_checkout") : false;
    return stated ?? (request.business_entity_id != null && request.customer_id == null);
  }

  function customerOf(request, prepared, contract, isGuest) {
    const id = text(request, "customer_id", ID, "invalid_id");
    const named = id === null ? null : prepared.customers.get(id) ?? refuse("customer_not_found", "/customer_id");
    if (contract === null) return named === null && !isGuest ? refuse("customer_id_required", "/customer_id") : named;
    if (named !== null && contract.customerId !== id) refuse("customer_mismatch", "/customer_id");
    return contract.customerId === null ? null : prepared.customers.get(contract.customerId);
  }

  function entityOf(request, prepared, contract, customer) {
    const id = text(request, "business_entity_id", ID, "invalid_id");
    const named = id === null ? null
      : prepared.entities.get(id) ?? refuse("business_entity_not_found", "/business_entity_id");
    const ownerId = contract?.entityId ?? customer?.entityId ?? null;
    if (named === null && customer === null && contract === null) refuse("business_entity_id_required", "/business_entity_id");
    if (named !== null && ownerId !== null && ownerId !== id) refuse("business_entity_mismatch", "/business_entity_id");
    return named ?? (ownerId === null ? null : prepared.entities.get(ownerId));
  }

  function expiresAt(request, prepared, now) {
    const start = INSTANT.test(now) ? Date.parse(now) : unsupported("a clock that is not at a second");
    const sent = text(request, "expires_at", INSTANT, "invalid_instant");
    const instant = sent === null ? start + prepared.checkoutTtl : Date.parse(sent);
    if (sent !== null && !(instant > start && instant <= start + THIRTY_DAYS)) refuse("expires_at_out_of_range", "/expires_at");
    return writeInstant(instant);
  }

  /** The overrides by the line they name, in the order of their days; `null` where there are none. */
  function changesOf(request, targets, isAmendment, effective, end) {
    const list = request.product_overrides ?? null;
    if (list !== null && !Array.isArray(list)) refuse("invalid_type", "/product_overrides");
    if (list === null || list.length === 0) {
      return isAmendment ? refuse("product_overrides_required", "/product_overrides") : null;
    }
    if (list.length > 1000) refuse("too_many_overrides", "/product_overrides");
    const changes = new Map();
    for (let index = 0; index < list.length; index++) {
      const item = list[index], path = `/product_overrides/${index}`;
      const lines = targetOf(item, targets, isAmendment, path);
      const quantity = item.quantity == null ? refuse("override_empty", path) : decimalOf(item.quantity, QUANTITY);
      if (quantity === null) refuse("invalid_decimal", `${path}/quantity`);
      const from = day(item, "effective_from", `${path}/effective_from`) ?? effective;
      if (from < effective || from >= end) refuse("effective_from_out_of_range", `${path}/effective_from`);
      const description = item.description ?? null;
      if (description !== null && typeof description !== "string") refuse("invalid_type", `${path}/description`);
      for (const line of lines) {
        checkQuantity(line, quantity.value, path);
        const earlier = changes.get(line);
        const change = { day: from, quantity, description };
        if (earlier === undefined) changes.set(line, [change]);
        else if (earlier.some((other) => other.day === from)) refuse("override_duplicate", path);
        else earlier.splice(earlier.findLastIndex((other) => other.day < from) + 1, 0, change);
      }
    }
    return changes;
  }

  function targetOf(item, targets, isAmendment, path) {
    if (typeof item !== "object" || item === null || Array.isArray(item)) refuse("invalid_type", path);
    let target = null;
    for (const name in item) {
      if (!OVERRIDE_FIELDS.has(name)) refuse("unknown_field", `${path}/${name}`);
      if ((name === "pricing_id" || name === "product_id" || name === "line_item_id") && item[name] != null) {
        if (target !== null) refuse("override_target_ambiguous", path);
        target = name;
      }
    }
    if (target === null) refuse("override_target_required", path);
    const id = item[target];
    if (typeof id !== "string") refuse("invalid_type", `${path}/${target}`);
    if (!ID.test(id)) refuse("invalid_id", `${path}/${target}`);
    if (target === "line_item_id" && !isAmendment) refuse("override_target_not_found", `${path}/${target}`);
    return targets[target].get(id) ?? refuse("override_target_not_found", `${path}/${target}`);
  }

  function checkQuantity(line, quantity, path) {
    if (line.minimum !== null && quantity.lt(line.minimum)) refuse("quantity_below_minimum", `${path}/quantity`);
    if (line.maximum !== null && quantity.gt(line.maximum)) refuse("quantity_above_maximum", `${path}/quantity`);
    if (line.multipleOf !== null && !isZero(quantity.mod(line.multipleOf))) refuse("quantity_not_a_multiple", `${path}/quantity`);
  }

  return detect;
}

// The engine's rules once more in JavaScript, on a decimal library: what the engine is measured against.
//
// Written to be fast, as one would who knows the library: days are integers, every decimal of the catalog is parsed once,
// factors and dates that repeat are kept for the call, and nothing is rounded or written out twice. What comes out is the
// engine's preview, byte for byte as JSON (a field that the engine leaves out may be there and undefined).
//
// It knows what the benchmark's cases hold and a little more: new subscriptions and quantity updates, phases, recurring
// prorated lines with a fixed quantity, four pricing models, discounts of lines, taxes and credit. A catalog with anything
// else is refused when it is read, a request at its first problem. What is left out is work that only the engine does.

import { arithmeticOf } from "./arithmetic.mjs";
import { catalogReader, NONE, PACKAGE, PER_UNIT, VOLUME } from "./catalog.mjs";
import { amendedContract, newContract, quantityAt, segmentEnd, writeContract } from "./contract.mjs";
import { BEFORE_ALL, civilOf, Dates, dayInMonth, LAST_DAY, monthOf, NEVER } from "./days.mjs";
import { refuse, requestReader } from "./request.mjs";

/** The decimal exponent at which an amount is out of range (R1.4). */
const LIMIT = 15;
const ZEROS = ["", "0", "00", "000", "0000"];

/**
 * The rules on a library: big.js's `Big` or decimal.js's `Decimal`.
 *
 * `copies: false` lets the contract of a preview share objects with the catalog; the engine's never does.
 */
export function createRules(Library, { engineVersion = "0.1.0", copies = true } = {}) {
  const arithmetic = arithmeticOf(Library);
  const { Decimal, use, isZero, round, quotient, quotientDown, packages } = arithmetic;
  const catalogs = catalogReader(arithmetic), detect = requestReader(arithmetic, catalogs);
  const { prepare, tierAmount } = catalogs;
  const ZERO = new Decimal(0);
  /** Numbers of days, which amounts are multiplied and divided by. */
  const DAYS = Array.from({ length: 367 }, (_, count) => new Decimal(count));
  const days = (count) => DAYS[count] ?? new Decimal(count);

  // Of the currency of the preview being made.
  let digits = 2, minorUnit = new Decimal("0.01"), zeroText = "0.00", wholeEnd = ".00";

  function useCurrency(currencyDigits, isHalfEven) {
    if (currencyDigits !== digits) {
      digits = currencyDigits;
      minorUnit = new Decimal(`1e-${digits}`);
      zeroText = ZERO.toFixed(digits);
      wholeEnd = digits === 0 ? "" : `.${ZEROS[digits]}`;
    }
    use(digits, isHalfEven);
  }

  /** A rounded amount as it is written. (`toFixed(digits)` would copy and round it once more.) */
  function money(amount) {
    if (isZero(amount)) return zeroText;
    const text = amount.toFixed(), point = text.indexOf(".");
    return point < 0 ? text + wholeEnd : text + ZEROS[digits - (text.length - point - 1)];
  }

  // ── Prices and charges ───────────────────────────────────────────────────────────────────────────────────────────

  /** An amount, refused if it is out of range (R1.4). */
  function checked(amount) {
    return amount.e >= LIMIT ? refuse("amount_out_of_range", "/catalog") : amount;
  }

  /** Which tier holds a quantity. Doubles are in the order of their decimals: those are asked only where they are equal. */
  function tierOf(tiers, quantity, near) {
    let at = 0;
    while (near > tiers[at].nearUpTo || (near === tiers[at].nearUpTo && quantity.gt(tiers[at].upTo))) at++;
    return at;
  }

  function tierRow(tier, quantity, amount) {
    return {
      from: tier.fromText,
      to: tier.toText,
      quantity,
      unit_amount: tier.unitAmountText,
      flat_amount: tier.flatAmountText,
      amount,
    };
  }

  /** The exact price of a quantity (R4); the rows of its tiers go into `rows` where there is such a list. */
  function priceOf({ model, freeUnits }, quantity, rows) {
    let billable = quantity.value, billableText = quantity.text, near = quantity.near;
    if (freeUnits !== null) {
      billable = billable.gt(freeUnits) ? billable.minus(freeUnits) : ZERO;
      billableText = billable.toFixed();
      near = +billableText;
    }
    switch (model.kind) {
      case PER_UNIT:
        return model.unitAmount.times(billable);
      case PACKAGE:
        return model.unitAmount.times(packages(billable, model.packageSize));
      case VOLUME: {
        const tier = model.tiers[tierOf(model.tiers, billable, near)];
        const amount = tierAmount(tier, billable);
        if (rows !== null) rows.push(tierRow(tier, billableText, amount.toFixed()));
        return amount;
      }
      default: {
        const { tiers } = model, last = tierOf(tiers, billable, near), tier = tiers[last];
        const units = last === 0 ? billable : billable.minus(tier.from);
        const amount = tierAmount(tier, units);
        if (rows !== null) {
          for (let at = 0; at < last; at++) rows.push(tierRow(tiers[at], tiers[at].widthText, tiers[at].amountText));
          rows.push(tierRow(tier, last === 0 ? billableText : units.toFixed(), amount.toFixed()));
        }
        return last === 0 ? amount : amount.plus(tier.before);
      }
    }
  }

  /** round(amount × part / whole). */
  function shareOf(amount, part, whole) {
    return checked(part === whole ? round(amount) : quotient(amount.times(days(part)), days(whole)));
  }

  /** What a line costs from one day to another in the period its calendar stands at (R6). */
  function chargeOf(life, timeline, start, end, withRows) {
    const { line, calendar } = life;
    const quantity = quantityAt(timeline, start);
    const rows = withRows && line.model.tiers !== NONE ? [] : null;
    const part = end - start, whole = calendar.end - calendar.start;
    const subtotal = shareOf(checked(priceOf(line, quantity, rows)), part, whole);
    let net = subtotal, discount = ZERO;
    for (const { isPercent, factor, value, cycles } of line.discounts) {
      if (cycles !== null && calendar.k - calendar.periodOf(life.start) >= cycles) continue;
      let off;
      if (isPercent) off = round(net.times(factor));
      else {
        off = shareOf(round(value), part, whole);
        if (off.gt(net)) off = net;
      }
      net = net.minus(off);
      discount = discount === ZERO ? off : discount.plus(off);
    }
    return { life, quantity, start, end, part, whole, rows, subtotal, discount, net };
  }

  // ── What is due ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The charges of a line due after one day and not after another that no billed charge covers already (R7.3 a). */
  function addCharges(life, after, until, billedUntil, charges) {
    const { line, calendar, quantity, changedFrom } = life;
    // What was billed and lies before the change is not walked through.
    const open = Math.max(life.start, after, Math.min(changedFrom, billedUntil));
    const last = calendar.periodOf(Math.min(until, life.end - 1));
    for (let k = calendar.periodOf(open); k <= last; k++) {
      calendar.moveTo(k);
      const end = Math.min(calendar.end, life.end);
      for (let start = Math.max(calendar.start, life.start), next; start < end; start = next) {
        next = segmentEnd(quantity, start, end, changedFrom);
        const due = line.isPrepaid ? start : end;
        const isCovered = next <= changedFrom && due <= billedUntil;
        if (after < due && due <= until && !isCovered) charges.push(chargeOf(life, quantity, start, next, true));
      }
    }
  }

  /** The credits of a line, due on the day it changes, for what was billed of later days (R7.3 b). */
  function addCredits(life, billedUntil, credits) {
    const { line, calendar, before, changedFrom } = life;
    const last = calendar.periodOf(Math.min(billedUntil, life.end - 1));
    for (let k = calendar.periodOf(Math.max(changedFrom, life.start)); k <= last; k++) {
      calendar.moveTo(k);
      const end = Math.min(calendar.end, life.end);
      for (let start = Math.max(calendar.start, life.start), next; start < end; start = next) {
        next = segmentEnd(before, start, end, NEVER);
        if (next <= changedFrom || (line.isPrepaid ? start : end) > billedUntil) continue;
        const paid = chargeOf(life, before, start, next, false);
        const from = Math.max(start, changedFrom), part = next - from;
        const net = shareOf(paid.net, part, next - start).neg();
        credits.push({ life, quantity: paid.quantity, start: from, end: next, part, whole: paid.whole, net });
      }
    }
  }

  /** The first due day of a line after a day. */
  function nextDue(life, after) {
    const { line, calendar, quantity, changedFrom } = life;
    for (let k = calendar.periodOf(Math.max(after, life.start)); ; k++) {
      calendar.moveTo(k);
      const end = Math.min(calendar.end, life.end);
      let start = Math.max(calendar.start, life.start);
      if (start >= end) return NEVER;
      if (!line.isPrepaid && end > after) return end;
      if (!line.isPrepaid) continue;
      for (; start < end; start = segmentEnd(quantity, start, end, changedFrom)) if (start > after) return start;
    }
  }

  /** What is due after one day and not after another: credits, and charges, in the order of R7.6. */
  function dueWithin(bill, after, until) {
    const credits = [], charges = [];
    for (const { lives } of bill.phases) {
      for (const life of lives) {
        if (life.before === null || life.changedFrom <= after || life.changedFrom > until) continue;
        addCredits(life, bill.billedUntil, credits);
      }
    }
    for (const { lives } of bill.phases) for (const life of lives) addCharges(life, after, until, bill.billedUntil, charges);
    return { credits, charges };
  }

  /** The earliest invoice after a day that has something to pay; `null` if there is none (R7.5). */
  function nextInvoice(bill, current, available) {
    const horizon = Math.min(dayInMonth(monthOf(current) + 1200, civilOf(current) & 31), LAST_DAY);
    for (let after = current; ;) {
      let day = NEVER;
      for (const { lives } of bill.phases) {
        for (const life of lives) {
          day = Math.min(day, nextDue(life, after));
          if (life.before !== null && life.changedFrom > after) day = Math.min(day, life.changedFrom);
        }
      }
      if (day > horizon) return null;
      const due = dueWithin(bill, day - 1, day);
      const isPaid = ({ net }) => !isZero(net);
      if (due.charges.some(isPaid) || due.credits.some(isPaid)) return invoiceOf(bill, day, due, available).invoice;
      after = day;
    }
  }

  // ── Invoices ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The first list there is of the line's, its phase's, the customer's and the entity's (R8.1). */
  function taxesOfLine(line, phase, { customer, entity }) {
    if (customer !== null && customer.isExempt) return null;
    return line.taxes ?? phase.taxes ?? (customer === null ? null : customer.taxes) ?? (entity === null ? null : entity.taxes);
  }

  /** The taxes of an amount, one for each rate of a list (R8.3). */
  function taxAmounts(taxable, list) {
    if (list.isInclusive) return inclusiveTaxes(taxable, list);
    let soFar = ZERO;
    return list.taxes.map((tax) => {
      const amount = round((tax.isCompound ? taxable.plus(soFar) : taxable).times(tax.factor));
      if (list.taxes.length > 1) soFar = soFar.plus(amount);
      return amount;
    });
  }

  /** The tax inside an amount, shared among the rates: rounded down, what is missing to the largest remainders. */
  function inclusiveTaxes(taxable, { taxes, percents, divisor }) {
    const whole = taxable.minus(quotient(taxable, divisor));
    if (taxes.length === 1) return [whole];
    if (isZero(percents)) return taxes.map(() => ZERO);
    const size = whole.abs(), isNegative = whole.lt(ZERO);
    const parts = taxes.map((tax, index) => {
      const exact = size.times(tax.percent), amount = quotientDown(exact, percents);
      return { index, amount, remainder: exact.minus(amount.times(percents)) };
    });
    let missing = parts.reduce((left, part) => left.minus(part.amount), size);
    for (const part of parts.toSorted((a, b) => b.remainder.cmp(a.remainder) || a.index - b.index)) {
      if (isZero(missing)) break;
      part.amount = part.amount.plus(minorUnit);
      missing = missing.minus(minorUnit);
    }
    return parts.map(({ amount }) => (isNegative ? amount.neg() : amount));
  }

  /** Sums as the items of an invoice come in (R8.4). */
  function addTaxes(taxable, list, totals, itemTaxes) {
    if (list === null || list.taxes.length === 0) return zeroText;
    const amounts = taxAmounts(taxable, list);
    let sum = amounts[0];
    for (let at = 0; at < amounts.length; at++) {
      const tax = list.taxes[at], amount = amounts[at];
      if (at > 0) sum = sum.plus(amount);
      itemTaxes.push({ name: tax.name, amount: money(amount) });
      let known = totals.taxes.length;
      while (known-- > 0) if (totals.taxes[known].name === tax.name && totals.taxes[known].percent === tax.percentText) break;
      if (known < 0) totals.taxes.push({ name: tax.name, percent: tax.percentText, amount });
      else totals.taxes[known].amount = totals.taxes[known].amount.plus(amount);
    }
    if (list.isInclusive) totals.inclusive = totals.inclusive.plus(sum);
    return amounts.length === 1 ? itemTaxes[0].amount : money(sum);
  }

  // One literal for all, whatever they lack: V8 then knows every line item by one shape.
  function itemOf(kind, due, description, dates, tiers, subtotal, discount, net, tax, taxes) {
    const { line, phase } = due.life;
    return {
      kind,
      line_item_id: line.lineItemId ?? undefined,
      pricing_id: line.id,
      product_id: line.productId,
      name: line.name,
      description: description ?? line.description,
      phase: phase.name,
      pricing_type: line.pricingType,
      quantity: due.quantity.text,
      free_units: line.freeUnitsText,
      is_estimate: false,
      period: { start_date: dates.of(due.start), end_date: dates.of(due.end - 1) },
      proration: { days: due.part, period_days: due.whole },
      tiers: tiers ?? undefined,
      subtotal,
      discount_amount: discount,
      commitment_amount: zeroText,
      net_amount: net,
      phase_discount_amount: zeroText,
      tax_amount: tax,
      taxes,
    };
  }

  /** An invoice of what is due, and the credit that it carries forward (R8.4, R8.5). */
  function invoiceOf(bill, day, { credits, charges }, available) {
    const { dates } = bill;
    const items = [], totals = { subtotal: ZERO, taxes: [], inclusive: ZERO };
    for (const credit of credits) {
      const { life, net } = credit, taxes = [];
      const tax = addTaxes(net, taxesOfLine(life.line, life.phase, bill), totals, taxes), text = money(net);
      totals.subtotal = totals.subtotal.plus(net);
      items.push(itemOf("credit", credit, null, dates, null, text, zeroText, text, tax, taxes));
    }
    for (const charge of charges) {
      const { life, net, rows } = charge, taxes = [];
      const tax = addTaxes(net, taxesOfLine(life.line, life.phase, bill), totals, taxes);
      totals.subtotal = totals.subtotal.plus(net);
      const subtotal = money(charge.subtotal), netText = net === charge.subtotal ? subtotal : money(net);
      items.push(itemOf("charge", charge, life.description, dates, rows, subtotal, money(charge.discount), netText, tax, taxes));
    }
    const taxTotal = totals.taxes.reduce((sum, tax) => sum.plus(tax.amount), ZERO);
    const total = checked(totals.subtotal.plus(taxTotal).minus(totals.inclusive));
    const isOwed = total.gt(ZERO);
    const applied = !isOwed ? ZERO : available.lt(total) ? available : total;
    const left = available.minus(applied), carried = isOwed ? left : left.minus(total);
    const invoice = {
      invoice_date: dates.of(day),
      currency: bill.currency,
      line_items: items,
      taxes: totals.taxes.map(({ name, percent, amount }) => ({ name, percent, amount: money(amount) })),
      subtotal: money(totals.subtotal),
      discount_total: zeroText,
      tax_total: money(taxTotal),
      total: money(total),
      credit_applied: money(applied),
      amount_due: isOwed ? money(total.minus(applied)) : zeroText,
      credit_carried_forward: money(carried),
    };
    return { invoice, carried };
  }

  // ── The preview ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The object of section 9 for a request. */
  function preview(request, prepared, clock) {
    const checkout = detect(request, prepared, clock);
    const { contract: stored, customer, entity, asOf, effective } = checkout;
    const { currency, digits } = checkout.plan ?? stored;
    useCurrency(digits, entity !== null && entity.isHalfEven);
    const contract = stored === null ? newContract(checkout) : amendedContract(checkout);
    const dates = new Dates();
    const bill = { phases: contract.phases, customer, entity, currency, billedUntil: Math.max(asOf, effective - 1), dates };
    const today = Math.max(asOf, effective);
    const available = customer === null ? ZERO : round(customer.balance);
    const current = invoiceOf(bill, today, dueWithin(bill, BEFORE_ALL, today), available);
    const next = nextInvoice(bill, today, current.carried);
    return {
      checkout_type: stored === null ? "plan_based" : "quantity_update",
      plan_id: contract.planId,
      contract_id: contract.id,
      customer_id: contract.customerId,
      business_entity_id: entity === null ? null : entity.id,
      guest_checkout: checkout.isGuest,
      customer_data: checkout.data,
      start_date: dates.of(effective),
      end_date: dates.last(contract.end),
      expires_at: checkout.expiresAt,
      success_url: checkout.successUrl,
      cancel_url: checkout.cancelUrl,
      product_overrides: request.product_overrides ?? null,
      currency,
      contract: writeContract(contract, currency, dates, copies),
      estimates: { current_invoice: current.invoice, next_invoice: next },
      as_of: dates.of(asOf),
      catalog_version: prepared.version,
      engine_version: engineVersion,
    };
  }

  return { prepare, preview };
}

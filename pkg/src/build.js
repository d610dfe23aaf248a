// Makes plain objects of what the engine found out (`src/wasm/output.rs`), of the catalog and of the request: names, ids
// and whatever else was written there comes from them, amounts and days from the engine. What is usual is `0`, or left out
// at the end of a list.

/** The pricings and lines of a catalog that has been read, and the phases, as the engine counts them. */
export function numbered(catalog) {
  const pricings = [], phases = [];
  for (const { phases: all } of [...(catalog.plans ?? []), ...(catalog.contracts ?? [])]) {
    for (const phase of all ?? []) {
      const name = phase.name ?? null;
      for (const raw of phase.pricings ?? phase.lines ?? []) {
        const { product } = raw;
        pricings.push({
          raw,
          phase: name,
          lineItemId: raw.line_item_id ?? undefined,
          id: raw.id,
          productId: product.id,
          name: product.name ?? null,
          description: product.description ?? null,
          pricingType: raw.pricing_data.pricing_type,
        });
      }
      phases.push(phase);
    }
  }
  return { pricings, phases, version: catalog.version ?? null };
}

export const TYPES = ["plan_based", "plan_change", "quantity_update"];
const KINDS = ["charge", "credit", "commitment", "service_fee"];

export function previewOf(text, catalog, request, engineVersion) {
  const [
    type, planId, contractId, currency, asOf, customerId, businessEntityId, isGuest, startDate, endDate, expiresAt, current,
    next, contract,
  ] = JSON.parse(text);
  const overrides = request.product_overrides ?? request.product_quantities ?? null;
  return {
    checkout_type: TYPES[type],
    plan_id: planId || null,
    contract_id: contractId || null,
    customer_id: customerId || null,
    business_entity_id: businessEntityId || null,
    guest_checkout: isGuest === 1,
    customer_data: request.customer_data ?? null,
    start_date: startDate,
    end_date: endDate || null,
    expires_at: expiresAt,
    success_url: request.success_url ?? null,
    cancel_url: request.cancel_url ?? null,
    product_overrides: overrides,
    currency,
    contract: contractOf(contract, catalog, contractId || null, planId || null, customerId || null, currency, endDate || null),
    estimates: {
      current_invoice: invoiceOf(current, catalog, currency),
      next_invoice: next ? invoiceOf(next, catalog, currency) : null,
    },
    as_of: asOf,
    catalog_version: catalog.version,
    engine_version: engineVersion,
  };
}

export function scheduleOf(text, catalog, request, engineVersion) {
  const [type, planId, contractId, currency, asOf, startDate, invoices, withoutChange] = JSON.parse(text);
  const all = (list) => list.map((invoice) => invoiceOf(invoice, catalog, currency));
  return {
    checkout_type: TYPES[type],
    plan_id: planId || null,
    contract_id: contractId || null,
    start_date: startDate,
    currency,
    invoices: all(invoices),
    without_change: withoutChange ? all(withoutChange) : null,
    as_of: asOf,
    catalog_version: catalog.version,
    engine_version: engineVersion,
  };
}

function invoiceOf(row, catalog, currency) {
  const [date, zero, subtotal, total, amountDue, taxTotal, rows, taxRows, discountTotal, creditApplied, carried] = row;
  const items = [];
  let start, end;
  for (const item of rows) {
    if (item[4]) {
      start = item[4];
      end = item[5];
    }
    items.push(lineItemOf(item, catalog, zero, start, end));
  }
  const taxes = [];
  for (let at = 0; at < taxRows.length; at += 3) {
    taxes.push({ name: textOf(taxRows[at]), percent: taxRows[at + 1], amount: taxRows[at + 2] });
  }
  return {
    invoice_date: date,
    currency,
    line_items: items,
    taxes,
    subtotal,
    discount_total: discountTotal || zero,
    tax_total: taxTotal || zero,
    total,
    credit_applied: creditApplied || zero,
    amount_due: amountDue,
    credit_carried_forward: carried || zero,
  };
}

/** What stands for the pricing of a commitment or a fee. */
const NO_PRICING = { id: null, productId: null, description: null, pricingType: null };

function lineItemOf(row, { pricings, phases }, zero, start, end) {
  const [
    kind, number, subtotal, quantity, , , days, periodDays, tax, taxRow, net, discount, commitment, phaseDiscount, freeUnits,
    tierRows, description,
  ] = row;
  const isOfPhase = (kind & 3) > 1;
  const pricing = isOfPhase ? NO_PRICING : pricings[number];
  const item = { kind: KINDS[kind & 3] };
  if (pricing.lineItemId !== undefined) item.line_item_id = pricing.lineItemId;
  item.pricing_id = pricing.id;
  item.product_id = pricing.productId;
  item.name = isOfPhase ? textOf(quantity) : pricing.name;
  item.description = textOf(description) ?? pricing.description;
  item.phase = isOfPhase ? phases[number].name ?? null : pricing.phase;
  item.pricing_type = pricing.pricingType;
  item.quantity = isOfPhase ? null : quantity;
  item.free_units = isOfPhase ? null : freeUnits || "0";
  item.is_estimate = kind > 3;
  item.period = isOfPhase ? null : { start_date: start, end_date: end };
  item.proration = days ? { days, period_days: periodDays } : null;
  if (tierRows) item.tiers = tiersOf(tierRows);
  item.subtotal = subtotal;
  item.discount_amount = discount || zero;
  item.commitment_amount = commitment || zero;
  item.net_amount = net || subtotal;
  item.phase_discount_amount = phaseDiscount || zero;
  item.tax_amount = tax || zero;
  item.taxes = [];
  if (taxRow) for (let at = 0; at < taxRow.length; at += 2) item.taxes.push({ name: textOf(taxRow[at]), amount: taxRow[at + 1] });
  return item;
}

/** A text that may be missing; it may be empty, too. */
const textOf = (field) => (field === 0 || field === undefined ? null : field);

function tiersOf(rows) {
  const tiers = [];
  for (let at = 0; at < rows.length; at += 6) {
    tiers.push({
      from: rows[at],
      to: rows[at + 1] || null,
      quantity: rows[at + 2],
      unit_amount: rows[at + 3],
      flat_amount: rows[at + 4],
      amount: rows[at + 5],
    });
  }
  return tiers;
}

function contractOf(row, catalog, id, planId, customerId, currency, endDate) {
  const [businessEntityId, startDate, anchorDate, anchorDay, version, phases] = row;
  return {
    id,
    customer_id: customerId,
    business_entity_id: businessEntityId || null,
    plan_id: planId,
    currency,
    status: "active",
    start_date: startDate,
    end_date: endDate,
    anchor_date: anchorDate,
    anchor_day: anchorDay || null,
    version: version || 0,
    phases: phases.map((phase) => phaseOf(phase, catalog)),
  };
}

function phaseOf([number, startDate, lastDay, isTrial, anchorDate, anchorDay, lines], catalog) {
  const raw = catalog.phases[number];
  const phase = {
    name: raw.name ?? null,
    phase_type: isTrial ? "trial" : "active",
    start_date: startDate,
    end_date: lastDay || null,
    anchor_date: anchorDate || null,
    anchor_day: anchorDay || null,
    lines: lines.map((line) => lineOf(line, catalog)),
  };
  for (const key of Object.keys(raw)) {
    if (FEATURES.has(key)) phase[key] = copy(raw[key]);
  }
  return phase;
}

/** What a phase gives back as it was written. */
const FEATURES = new Set(["discounts", "commitments", "service_fees", "taxes"]);

/** What a line does not. */
const OWN = new Set([
  "product", "is_enabled", "quantity", "dimension_values", "line_item_id", "quantity_entries", "enabled_entries",
  "dimension_entries",
]);

/** A line as it was written, with what the checkout makes of it. */
function lineOf([number = 0, isEnabled, quantity, dimensions, description, quantities, enabled, dimensionEntries], catalog) {
  const { raw, lineItemId } = catalog.pricings[number];
  const isNew = lineItemId === undefined;
  const line = {};
  for (const key of Object.keys(raw)) {
    if (OWN.has(key)) continue;
    line[key] = copy(raw[key]);
    if (key === "id") {
      line.product = { ...raw.product };
      if (textOf(description) !== null) line.product.description = description;
    }
  }
  if (isNew || Object.hasOwn(raw, "is_enabled")) line.is_enabled = isEnabled === 1;
  if (isNew || Object.hasOwn(raw, "quantity")) {
    if (!raw.quantity) line.quantity = { type: "fixed", value: quantity };
    else {
      line.quantity = { ...raw.quantity };
      if (isNew && quantity) line.quantity.value = quantity;
    }
  }
  if (dimensions) line.dimension_values = dimensions;
  else if (Object.hasOwn(raw, "dimension_values")) line.dimension_values = [...(raw.dimension_values ?? [])];
  line.line_item_id = isNew ? null : lineItemId;
  line.quantity_entries = entriesOf(quantities);
  line.enabled_entries = entriesOf(enabled, (value) => value === 1);
  line.dimension_entries = entriesOf(dimensionEntries);
  return line;
}

function entriesOf(rows, valueOf = (value) => value) {
  const entries = [];
  if (rows) for (const [effectiveFrom, value] of rows) entries.push({ effective_from: effectiveFrom, value: valueOf(value) });
  return entries;
}

function copy(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const plain = { ...value };
  for (const key of Object.keys(plain)) {
    if (typeof plain[key] === "object") plain[key] = copy(plain[key]);
  }
  return plain;
}

export function problemsOf(text) {
  const found = [], row = JSON.parse(text.slice(1));
  for (let at = 0; at < row.length; at += 4) {
    found.push({ code: row[at], path: row[at + 1], message: row[at + 2], help: row[at + 3] });
  }
  return found;
}

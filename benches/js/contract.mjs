// The contract before a checkout and after it, the lives of its lines, and how it is written.
//
// A quantity is `{ value, text, near }` (`decimalOf`); two are the same where their texts are.

import { BEFORE_ALL, Calendar, dayAfterDuration, dayInMonth, monthOf, NEVER } from "./days.mjs";
import { refuse } from "./request.mjs";

/** A plan's phases laid out from the first day on, with the overrides applied (R5.2, R5.3, R7.1). */
export function newContract({ plan, customer, entity, effective, end, changes }) {
  let anchor = effective;
  if (plan.anchorDate !== null) {
    const month = monthOf(effective), date = dayInMonth(month, plan.anchorDate);
    anchor = date >= effective ? date : dayInMonth(month + 1, plan.anchorDate);
  }
  const phases = [];
  let start = effective;
  for (const source of plan.phases) {
    if (start >= end) break;
    const next = source.duration === null ? NEVER : dayAfterDuration(start, source.duration);
    phases.push(phaseOf(source, start, Math.min(next, end), anchor, plan.anchorDate, changes, true));
    start = next;
  }
  return {
    id: null,
    customerId: customer?.id ?? null,
    entityId: entity?.id ?? null,
    planId: plan.id,
    start: effective,
    end,
    anchor,
    anchorDate: plan.anchorDate,
    version: 0,
    phases,
  };
}

/** A contract with an entry for each override. */
export function amendedContract({ contract, effective, changes }) {
  const phases = contract.phases.map((source) => {
    const start = Math.max(source.start, contract.start), end = Math.min(source.end, contract.end);
    const anchorDate = source.anchor === null ? source.anchorDate ?? contract.anchorDate : source.anchorDate;
    return phaseOf(source, start, end, source.anchor ?? contract.anchor, anchorDate, changes, false);
  });
  let differs = false;
  for (const { lives, start, end } of phases) {
    for (const life of lives) {
      life.changedFrom = firstDifference(life.before, life.quantity, Math.max(start, effective), end);
      differs ||= life.changedFrom < NEVER;
    }
  }
  if (!differs) refuse("nothing_changes", "/product_overrides");
  const { id, customerId, entityId, planId, start, end, anchor, anchorDate, version } = contract;
  return { id, customerId, entityId, planId, start, end, anchor, anchorDate, version, phases };
}

function phaseOf(source, start, end, anchor, anchorDate, changes, isNew) {
  const calendars = source.cadences.map((cadence) => new Calendar(anchor, anchorDate, cadence));
  const lives = source.lines.map((line) => {
    const ofLine = changes === null ? undefined : changes.get(line);
    const quantity = ofLine === undefined ? line.timeline : changed(line.timeline, ofLine, start, isNew);
    const described = ofLine === undefined ? undefined : ofLine.findLast((change) => change.description !== null);
    return {
      line,
      phase: source,
      start,
      end,
      calendar: calendars[line.cadence],
      quantity,
      before: isNew ? null : line.timeline,
      // D of R7.2; everything of a new line is new.
      changedFrom: isNew ? BEFORE_ALL : NEVER,
      description: described === undefined ? null : described.description,
    };
  });
  return { source, start, end, writtenEnd: isNew ? end : source.end, lives };
}

/** A timeline with the changes of one line, by their days. */
function changed({ first, days, values }, changes, start, isNew) {
  const timeline = { first, days: days.slice(), values: values.slice() };
  for (const { day, quantity } of changes) {
    if (isNew && day <= start) {
      timeline.first = quantity;
      continue;
    }
    const at = timeline.days.findLastIndex((other) => other <= day);
    const isReplaced = at >= 0 && timeline.days[at] === day;
    timeline.days.splice(isReplaced ? at : at + 1, isReplaced ? 1 : 0, day);
    timeline.values.splice(isReplaced ? at : at + 1, isReplaced ? 1 : 0, quantity);
  }
  return timeline;
}

/** The quantity in force on a day. */
export function quantityAt({ first, days, values }, day) {
  for (let at = days.length; at-- > 0;) if (days[at] <= day) return values[at];
  return first;
}

/** The first day of a range on which two timelines differ. */
function firstDifference(before, after, start, end) {
  if (before === after || start >= end) return NEVER;
  let first = NEVER;
  for (const day of [start, ...before.days, ...after.days]) {
    if (day < start || day >= end || day >= first) continue;
    if (quantityAt(before, day).text !== quantityAt(after, day).text) first = day;
  }
  return first;
}

/** Where the segment that begins on a day ends: at a change of quantity, at `cut`, or at `end` (R5.5). */
export function segmentEnd(timeline, start, end, cut) {
  let next = start < cut && cut < end ? cut : end;
  if (timeline.days.length === 0) return next;
  for (let at = 0; at < timeline.days.length; at++) {
    const day = timeline.days[at];
    if (start < day && day < next && timeline.values[at].text !== quantityAt(timeline, day - 1).text) next = day;
  }
  return next;
}

/** A contract in the shape of the catalog's; without `copies` it shares what the catalog says with it. */
export function writeContract(contract, currency, dates, copies) {
  return {
    id: contract.id,
    customer_id: contract.customerId,
    business_entity_id: contract.entityId,
    plan_id: contract.planId,
    currency,
    status: "active",
    start_date: dates.of(contract.start),
    end_date: dates.last(contract.end),
    anchor_date: dates.of(contract.anchor),
    anchor_day: contract.anchorDate,
    version: contract.version,
    phases: contract.phases.map((phase) => writePhase(phase, dates, copies)),
  };
}

function writePhase({ source, start, writtenEnd, lives }, dates, copies) {
  const phase = {
    name: source.name,
    phase_type: "active",
    start_date: dates.of(Number.isNaN(source.start) ? start : source.start),
    end_date: dates.last(writtenEnd),
    anchor_date: source.anchor === null ? null : dates.of(source.anchor),
    anchor_day: source.anchorDate,
    lines: lives.map((life) => writeLine(life, dates, copies)),
  };
  for (const name in source.written) phase[name] = copies ? copyList(source.written[name]) : source.written[name];
  return phase;
}

function writeLine({ line, quantity, description }, dates, copies) {
  const written = copies ? copyLine(line.written) : { ...line.written };
  if (description !== null) written.product = { ...written.product, description };
  if (line.lineItemId === null) {
    if (!copies) written.quantity = { ...written.quantity };
    written.quantity.value = quantity.first.text;
  }
  if (quantity.days.length > 0) {
    const { days, values } = quantity;
    written.quantity_entries = days.map((day, at) => ({ effective_from: dates.of(day), value: values[at].text }));
  }
  return written;
}

// One copier for all shapes would be slow: each object is copied where only its like are.
function copyLine(line) {
  const copy = { ...line };
  copy.product = { ...line.product };
  copy.billing_period = { ...line.billing_period };
  copy.pricing_data = { ...line.pricing_data };
  if (line.pricing_data.tiers !== undefined) copy.pricing_data.tiers = line.pricing_data.tiers.map((tier) => ({ ...tier }));
  if (line.quantity !== undefined) copy.quantity = { ...line.quantity };
  if (line.discounts !== undefined) copy.discounts = copyList(line.discounts);
  if (line.commitments !== undefined) copy.commitments = copyList(line.commitments);
  if (line.taxes !== undefined) copy.taxes = copyList(line.taxes);
  if (line.dimension_values !== undefined) copy.dimension_values = [...line.dimension_values];
  copy.quantity_entries = [];
  copy.enabled_entries = [];
  copy.dimension_entries = [];
  return copy;
}

function copyList(list) {
  return list === null ? null : list.map((item) => ({ ...item }));
}

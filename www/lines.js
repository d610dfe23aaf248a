// The lines of a plan or of a running contract as a page offers them, and what the buyer chose of them.
//
// A line is `{product, pricing, optional, counts, on, quantity, usual, targets}`: whether it has a switch and a number, what
// these say at first, what holds without an override (`usual`), and whom an override names (`targets`, each with the
// `pricing` whose limits count); of a contract also its `phase`.
// Knows no page and no server.

export const isMetered = (pricing) => pricing.quantity?.type === "metered";
export const hasQuantity = (pricing) => isMetered(pricing) || pricing.pricing_data.pricing_type !== "flat_fee";
const usualQuantity = (pricing) =>
  String(isMetered(pricing) ? (pricing.quantity.expected ?? "0") : (pricing.quantity?.value ?? "1"));

/**
 * The plan's products, each once, as the plan's last phase prices it. Who moves here from a contract brings along what its
 * lines say: numbers, switches, and expected usage. What is charged once is not bought a second time.
 */
export function linesOfPlan(plan, brought = []) {
  const found = new Map();
  for (const pricing of plan.phases.flatMap((phase) => phase.pricings)) {
    const { product } = pricing;
    const usual = { on: pricing.is_enabled !== false, quantity: usualQuantity(pricing) };
    const before = pricing.billing_period && brought.find((line) => line.product.id === product.id);
    found.set(product.id, {
      product, pricing, usual, optional: !usual.on, counts: hasQuantity(pricing), targets: [{ names: { product_id: product.id }, pricing }],
      on: usual.on || Boolean(before?.on), quantity: before && hasQuantity(pricing) ? before.quantity : usual.quantity,
    });
  }
  return [...found.values()];
}

/** What an entry list says on a day: the last entry at or before it, else the line's own value. */
export const valueOn = (entries, own, date) => (entries ?? []).findLast((entry) => entry.effective_from <= date)?.value ?? own;
export const enabledOn = (line, date) => valueOn(line.enabled_entries, line.is_enabled !== false, date);
export const quantityOn = (line, date) =>
  isMetered(line) ? usualQuantity(line) : String(valueOn(line.quantity_entries, line.quantity?.value ?? "1", date));

/** What a line is on a day: its quantity, or null while it is switched off. */
export const stateOn = (line, date) => (enabledOn(line, date) ? quantityOn(line, date) : null);

/** The days after `date`, up to the `last` of the line's phase, on which that becomes another: `[{date, state, was}]`. */
export function turnsOf(line, date, last) {
  const entries = [...(line.quantity_entries ?? []), ...(line.enabled_entries ?? [])];
  const days = new Set(entries.map(({ effective_from: from }) => from).filter((from) => from > date && !(last && from > last)));
  let was = stateOn(line, date);
  return [...days].sort().flatMap((from) => {
    const turn = { date: from, state: stateOn(line, from), was };
    was = turn.state;
    return turn.state === turn.was ? [] : [turn];
  });
}

const endsBefore = ({ end_date: end }, date) => Boolean(end) && end < date;

/** The phases of a contract that live on a day or later. */
export const phasesFrom = (contract, date) => contract.phases.filter((phase) => !endsBefore(phase, date));

/**
 * The contract's lines on a day. Their numbers can be chosen where they are no usage, their switches where their plan sells
 * them switched off; what was charged once is left out. A choice holds for the product's lines in later phases too, where
 * these go on with what the line is now: what else was arranged for them, on a plan to come, stays.
 */
export function linesOfContract(contract, plans, date) {
  const living = phasesFrom(contract, date);
  const phases = living.length > 0 ? living : contract.phases.slice(-1); // the engine says what is wrong with such a day
  const pricings = plans.flatMap((plan) => plan.phases).flatMap((phase) => phase.pricings);
  return (phases[0]?.lines ?? []).map((line) => {
    const usual = { on: enabledOn(line, date), quantity: quantityOn(line, date) };
    const offered = pricings.find(({ id }) => id === line.id);
    const now = stateOn(line, date);
    const same = phases.flatMap((phase) => phase.lines.filter((later) => later === line
      || (later.product.id === line.product.id && stateOn(later, phase.start_date > date ? phase.start_date : date) === now)));
    return {
      product: line.product, pricing: line, phase: phases[0], usual, ...usual,
      optional: !usual.on || offered?.is_enabled === false,
      counts: hasQuantity(line) && !isMetered(line) && line.billing_period !== null,
      targets: same.map((pricing) => ({ names: { line_item_id: pricing.line_item_id }, pricing })),
    };
  }).filter((line) => line.pricing.billing_period || !line.on);
}

export const newChoices = () => ({ quantities: {}, switches: {} });
export const quantityOf = (choices, { product, quantity }) => choices.quantities[product.id] ?? quantity;
export const isOn = (choices, { product, on, optional }) => (optional ? choices.switches[product.id] ?? on : on);

/** The overrides that the choices come to, and for each of them the line it speaks of. */
export function overridesOf(choices, lines) {
  const overrides = [];
  const spokenOf = [];
  for (const line of lines) {
    const override = {};
    const on = isOn(choices, line);
    if (on !== line.usual.on) override.is_enabled = on;
    if (on && line.counts && quantityOf(choices, line) !== line.usual.quantity) override.quantity = quantityOf(choices, line);
    if (Object.keys(override).length === 0) continue;
    for (const { names, pricing } of line.targets) {
      overrides.push({ ...names, ...override });
      spokenOf.push({ ...line, pricing });
    }
  }
  return { overrides, lines: spokenOf };
}

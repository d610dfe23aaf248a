// The lines of a plan or of a running contract as a buyer is offered them, and the request that the buyer's choices come to.
//
// A line is `{key, product, pricing, optional, counts, usual, on, quantity, targets}`: whether it has a switch and a number,
// what holds without an override (`usual`), what switch and number say at first, and whom an override names (`targets`, each
// with the `pricing` whose limits count). Knows no page and no server.

export const isMetered = (pricing) => pricing.quantity?.type === "metered";
export const hasQuantity = ({ quantity, pricing_data: { pricing_type: type } }) => quantity?.type === "metered" || type !== "flat_fee";

export const usualQuantity = ({ quantity }) => String((quantity?.type === "metered" ? quantity.expected ?? 0 : quantity?.value) ?? 1);

/** Names a line so that it is the same in every phase and plan: by its product, if no phase has that twice. */
export function keysOf(phases) {
  const twice = new Set();
  for (const phase of phases) {
    const seen = new Set();
    for (const { product: { id } } of phase) {
      if (seen.has(id)) twice.add(id);
      seen.add(id);
    }
  }
  return (pricing) => (twice.has(pricing.product.id) ? { pricing_id: pricing.id } : { product_id: pricing.product.id });
}

/**
 * The plan's products, as its last phase prices them. Who moves here from a contract brings along what its lines say: numbers,
 * switches, and expected usage. What is charged once is not bought a second time.
 */
export function linesOfPlan(plan, brought = []) {
  const phases = plan.phases.map((phase) => phase.pricings ?? []);
  const namesOf = keysOf(phases);
  const found = new Map();
  for (const pricing of phases.flat()) {
    const names = namesOf(pricing);
    const [key] = Object.values(names);
    const usual = { on: pricing.is_enabled !== false, quantity: usualQuantity(pricing) };
    const before = pricing.billing_period && brought.find((line) => line.key === key);
    found.set(key, {
      key, product: pricing.product, pricing, usual, optional: !usual.on, counts: hasQuantity(pricing), targets: [{ names, pricing }],
      on: usual.on || Boolean(before?.on), quantity: before && hasQuantity(pricing) ? before.quantity : usual.quantity,
    });
  }
  return [...found.values()];
}

export const quantityOf = (choices, { key, quantity }) => choices.quantities[key] ?? quantity;
export const isOn = (choices, { key, on, optional }) => (optional ? choices.switches[key] ?? on : on);

/** The overrides that the choices come to, and for each of them the line it speaks of. */
export function overridesOf(choices, lines) {
  const overrides = [], spokenOf = [];
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

/** The choices that overrides stand for, as far as they speak of these lines and of no later day; and the others. */
export function choicesOf(overrides, lines) {
  const choices = { quantities: {}, switches: {} };
  const others = overrides.filter((override) => {
    const { pricing_id: pricing, product_id: product, line_item_id: item, quantity, is_enabled: on, ...more } = override;
    const line = lines.find(({ targets, product: { id } }) => id === product
      || targets.some((target) => target.pricing.id === pricing || (item && target.names.line_item_id === item)));
    if (!line || Object.keys(more).length > 0 || (typeof on === "boolean" && !line.optional)) return true;
    if (quantity !== undefined && quantity !== null) choices.quantities[line.key] = String(quantity);
    if (typeof on === "boolean") choices.switches[line.key] = on;
    return false;
  });
  return { choices, others };
}

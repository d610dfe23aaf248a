// What the element says, in English. A merchant's own `messages` and the other languages replace any of it, key by key.
//
// A `{word}` is filled in; an object has a text for each plural form of `{count}`, as `Intl.PluralRules` names them.

export const english = {
  products: "Products",
  start: "First day",
  effective: "Takes effect on",
  summary: "Summary",

  every_D: { one: "every day", other: "every {count} days" },
  every_W: { one: "every week", other: "every {count} weeks" },
  every_M: { one: "every month", other: "every {count} months" },
  every_Y: { one: "every year", other: "every {count} years" },
  once: "once",
  from_price: "from {price}",
  per_package: "{price} per {count}",
  usage: "Expected use in a billing period",

  today: "Due today",
  on_day: "Due on {date}",
  next: "Next invoice, {date}",
  no_next: "No further invoice",
  until_cancelled: "until you cancel",
  until: "until {date}",
  renews: "Billed {every}, {until}",
  trial: "Trial until {date}. Nothing is renewed if you cancel before it ends.",
  nothing_due: "Nothing is charged on this day.",
  charges: "Charges",
  part: "{days} of {period} days",
  estimate: "estimate",
  included: "{count} included",
  before: "Before discounts and minimums",
  discount: "Discount",
  minimum: "Up to the minimum spend",
  maximum: "Above the maximum spend",
  subtotal: "Subtotal",
  tax: "Tax",
  tax_included: "Includes {name}",
  total: "Total",
  credit_applied: "Credit applied",
  to_pay: "To pay",
  credit_kept: "Credit kept for later invoices",

  continue: "Continue",
  cancel: "Cancel",
  retry: "Try again",
  sending: "One moment",
  not_loaded: "This checkout cannot be shown at the moment. Please try again later.",
  mend: "Mend what is marked to see the new price.",
  quantity_below_minimum: "Choose at least {count}.",
  quantity_above_maximum: "Choose at most {count}.",
  quantity_not_a_multiple: "Choose a multiple of {count}.",
  invalid_decimal: "Enter a number, such as 12.",
  invalid_date: "Enter a day.",
  start_date_outside_contract: "Choose a day on which the contract runs.",
  plan_not_active: "This plan is not sold at the moment. Pick another one.",
  amount_out_of_range: "This is more than can be ordered here. Choose less.",
  problem: "This cannot be ordered like this.",
};

/** Says texts by their key, from the first of the dictionaries that has them: `say("until", { date })`. */
export function speaker({ number, plural }, dictionaries) {
  const textOf = (found, count) => (typeof found === "object" ? found[plural(count ?? 0)] ?? found.other : found);
  const fill = (text, words) => text.replace(/\{(\w+)\}/g, (_, word) => words[word] ?? say(word));
  const unitOf = (productId) => dictionaries.map(({ units }) => units?.[productId]).find(Boolean);

  function say(key, words = {}) {
    const found = dictionaries.find((one) => one[key] !== undefined)?.[key] ?? key;
    return fill(textOf(found, words.count), words.count === undefined ? words : { ...words, count: words.counted ?? number(words.count) });
  }
  return {
    say,
    /** Whether the merchant has a word for what a product counts, in `units`. */
    isCounted: (productId) => Boolean(unitOf(productId)),
    /** `12 seats`, or `12` where there is no word. */
    counted(count, productId) {
      const unit = unitOf(productId);
      return unit ? fill(textOf(unit, count), { count: number(count) }) : number(count);
    },
  };
}

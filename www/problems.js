// Puts each problem beside the field it is about, in words for the buyer.

import { icon } from "./dom.js";
import { counted, sentence } from "./format.js";
import { products } from "./store.js";
import { announce, say } from "./voice.js";

const $ = (id) => document.getElementById(id);

/** Shows `problems` and no others; `lines[i]` is what override i speaks of. Answers those that belong to no field. */
export function showProblems(form, problems, lines = []) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const words = new Map();
  const elsewhere = problems.filter((problem) => {
    const home = homeOf(problem.path, lines);
    if (!home) return true;
    // Two lines that one number stands for may have the same to say.
    words.set(home.place, (words.get(home.place) ?? new Set()).add(wordsFor(problem, home.line)));
    home.field?.setAttribute("aria-invalid", "true");
    return false;
  });
  // Screen readers hear a place that changes, so one that says the same is left alone.
  for (const place of form.querySelectorAll(".problem")) {
    const text = [...words.get(place) ?? []].join(" ");
    if (place.textContent !== text) place.textContent = text;
  }
  return elsewhere;
}

/** Shows what is wrong, or that nothing is. The last good price stays, greyed. */
export function showRefusal({ form, problems, lines, title }) {
  const elsewhere = showProblems(form, problems, lines);
  const wrong = problems.length > 0;
  for (const price of document.querySelectorAll(".price")) price.classList.toggle("stale", wrong);
  say(elsewhere.length === 0 ? null : { title, text: elsewhere.map((problem) => wordsFor(problem)).join(" ") });
  if (!wrong) return;
  for (const input of form.querySelectorAll("[aria-valuetext]")) input.removeAttribute("aria-valuetext");
  $("timing").replaceChildren(icon("alert"), "Mend the marked field to see the new price");
  announce(""); // there is no total now; the problem speaks for itself
}

/** Leads to the first field that is marked; answers whether there is one. */
export function toFirstProblem(form) {
  const wrong = form.querySelector("[aria-invalid]");
  wrong?.focus({ preventScroll: true });
  wrong?.scrollIntoView({ block: "center" }); // with the words below it
  return Boolean(wrong);
}

/** The engine speaks to developers; what a buyer can bring about, this shop says in its own words. */
export function wordsFor({ code, message, help }, line) {
  const { minimum, maximum, multiple_of: step } = line?.pricing.quantity ?? {};
  const noun = products[line?.product.id]?.noun;
  switch (code) {
    case "quantity_below_minimum": return `Choose at least ${counted(minimum, noun)}.`;
    case "quantity_above_maximum": return `Choose at most ${counted(maximum, noun)}. For more, write to us.`;
    case "quantity_not_a_multiple": return step === "1" ? "Choose a whole number." : `Choose a multiple of ${step}.`;
    case "invalid_decimal": return "Enter a number, such as 12.";
    case "invalid_date": return "Enter a day between 1970 and 2999.";
    case "start_date_outside_contract": return "Choose a day on which the contract runs.";
    case "nothing_changes":
    case "plan_unchanged": return "This is what the contract has already. Change a number, a switch or the plan.";
    case "plan_not_found":
    case "plan_not_active": return "This plan is no longer sold. Pick another one.";
    case "company_missing": return "Enter your company’s name, as it should stand on the invoice.";
    case "email_invalid": return "Enter an email address, such as you@company.com.";
    default: return `${sentence(message)} ${sentence(help)}`;
  }
}

/** Where a path of the request stands on the page: `{place, field, line?}`, or null. */
function homeOf(path, lines) {
  const [, field, key, part] = path.split("/");
  switch (field) {
    case "product_overrides": {
      const line = lines[key];
      if (!line) return null;
      const id = (name) => `${line.product.id}-${name}`;
      return { place: $(id("problem")), field: $(id(part === "is_enabled" ? "switch" : "quantity")), line };
    }
    case "start_date": return { place: $("start-problem"), field: $("start") };
    case "plan_id": return { place: $("plan-problem"), field: null };
    case "customer_id": return { place: $("customer-problem"), field: $("customer") };
    case "customer_data": {
      const name = key === "email" ? "email" : "company";
      return { place: $(`${name}-problem`), field: $(name) };
    }
    default: return null;
  }
}

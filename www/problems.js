// Puts each problem beside the field it is about, in words for the buyer.

import { el } from "./dom.js";
import { sentence } from "./format.js";

const $ = (id) => document.getElementById(id);

/** Shows `problems` and no others; `products[i]` is the product of override i. Answers those that belong to no field. */
export function showProblems(form, problems, products = []) {
  for (const place of form.querySelectorAll(".problem")) {
    place.hidden = true;
    place.replaceChildren();
  }
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  return problems.filter(({ path, message, help }) => {
    const home = homeOf(path, products);
    if (!home) return true;
    home.place.append(el("span", {}, sentence(message)), " ", sentence(help));
    home.place.hidden = false;
    for (const field of home.fields) field?.setAttribute("aria-invalid", "true");
    return false;
  });
}

/** Where a path of the request stands on the page: `{place, fields}`, or null. */
function homeOf(path, products) {
  const [, field, key, part] = path.split("/");
  switch (field) {
    case "product_overrides": {
      const product = products[key];
      if (!product) return null;
      const inputs = part === "is_enabled" ? ["switch"] : ["range", "quantity"];
      return { place: $(`${product}-problem`), fields: inputs.map((name) => $(`${product}-${name}`)) };
    }
    case "start_date": return { place: $("start-problem"), fields: [$("start")] };
    case "plan_id": return { place: $("plan-problem"), fields: [] };
    case "customer_id": return { place: $("customer-problem"), fields: [$("customer")] };
    case "customer_data": {
      const name = key === "email" ? "email" : "company";
      return { place: $(`${name}-problem`), fields: [$(name)] };
    }
    default: return null;
  }
}

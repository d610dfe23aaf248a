// The hook in a page with React: what each render shows. Reports as the suite does.
import { createElement as h, useState } from "react";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import { useCheckoutPreview } from "checkout-preview/react";

const catalogOf = (price) => ({
  customers: [{ id: "cus" }],
  plans: [{ id: "pro", currency: "USD", phases: [{ pricings: [{
    id: "seats", product: { id: "seat" }, billing_period: { cadence: "P1M", offset: "prepaid" },
    quantity: { type: "fixed", value: "10" }, pricing_data: { pricing_type: "per_unit", unit_amount: price },
  }] }] }],
});

const renders = [];
let change;

function Total() {
  const [{ quantity, catalog, count }, set] = useState({ quantity: "10", catalog: catalogOf("12.00"), count: 0 });
  change = (next) => flushSync(() => set((state) => ({ ...state, ...next })));
  const request = { plan_id: "pro", customer_id: "cus", product_overrides: [{ pricing_id: "seats", quantity }] };
  const state = useCheckoutPreview(request, catalog, { now: "2026-11-22T10:00:00Z", as_of: "2026-11-22" });
  renders.push({ ...state, count });
  return h("p", null, state.preview?.estimates.current_invoice.amount_due ?? state.error?.code ?? "…");
}

export async function hook() {
  const place = document.body.appendChild(document.createElement("div"));
  const shown = () => place.textContent;
  const steps = [];
  const root = createRoot(place);
  flushSync(() => root.render(h(Total)));
  steps.push(shown());
  const deadline = Date.now() + 20_000;
  while (renders.at(-1).isLoading && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  steps.push(shown());
  change({ quantity: "20" });
  steps.push(shown());
  change({ quantity: "x" });
  steps.push(shown());
  change({ quantity: NaN });
  steps.push(shown());
  change({ quantity: null });
  steps.push(shown());
  change({ quantity: 5n });
  steps.push(shown());
  // In JSON that is the next one, which is refused otherwise.
  change({ quantity: "20" });
  change({ quantity: new Map() });
  steps.push(shown());
  change({ quantity: "20", catalog: catalogOf("1.00") });
  steps.push(shown());
  const before = renders.at(-1).preview;
  change({ count: 1 });
  if (renders.at(-1).preview !== before) throw new Error("another render with the same request made another preview");
  change({ catalog: null });
  if (!renders.at(-1).isLoading) throw new Error("without a catalog there is something");
  const second = document.body.appendChild(document.createElement("div"));
  const other = createRoot(second);
  flushSync(() => other.render(h(Total)));
  steps.push(second.textContent);
  root.unmount();
  other.unmount();
  return steps;
}

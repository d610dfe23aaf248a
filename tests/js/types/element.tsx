// <checkout-preview> as a strict program meets it: in a page, and in React.
import "checkout-preview/define";
import { CheckoutPreviewElement, type CheckoutMessages, type CheckoutSession } from "checkout-preview/element";
import type { Catalog, CheckoutPreview } from "checkout-preview";
import type {} from "checkout-preview/react";

declare const catalog: Catalog;

const element = document.querySelector("checkout-preview")!;
element satisfies CheckoutPreviewElement;
document.createElement("checkout-preview").catalog = catalog;
element.request = { plan_id: "pro", product_overrides: [{ product_id: "seats", quantity: "5" }] };
element.options = { as_of: "2026-11-22" };
element.messages = { today: "Pay now", units: { seats: { one: "{count} seat", other: "{count} seats" } } } satisfies Partial<CheckoutMessages>;
const shown: CheckoutPreview | null = element.preview;
const session: CheckoutSession | null = element.session;
element.addEventListener("preview-change", ({ detail: { preview } }) => preview?.estimates.current_invoice.total.toUpperCase());
element.addEventListener("preview-error", ({ detail: { problems } }) => problems.map(({ code }) => code));
element.addEventListener("checkout-submit", (event) => event.preventDefault());
element.addEventListener("checkout-confirm", ({ detail: { session } }) => session.id.length);
element.addEventListener("preview-mismatch", ({ detail: { differences } }) => differences[0]?.path.length);
element.addEventListener("click", (event) => event.clientX);
// @ts-expect-error: what is shown is the element's to say
element.preview = shown;

export const Checkout = () => (
  <checkout-preview plan-ids="pro_monthly pro_yearly" chart verifier-url="https://billing.example" catalog={catalog} onClick={(event) => event.currentTarget.session}>
    <span slot="continue">Subscribe</span>
  </checkout-preview>
);
// @ts-expect-error: there is no such attribute
export const Wrong = () => <checkout-preview plan="pro" />;
void session;

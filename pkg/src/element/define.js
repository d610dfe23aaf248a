// Registers <checkout-preview>, once however often it is imported.
import { CheckoutPreviewElement } from "./element.js";

if (globalThis.customElements && !customElements.get("checkout-preview")) customElements.define("checkout-preview", CheckoutPreviewElement);

// One engine for `import` and `require` in one program, and so one CheckoutPreviewError for `instanceof`.
import engine from "./node.cjs";

export const {
  CheckoutPreviewError, CheckoutPreviewLoadError, createBillingSchedule, createCheckoutPreview, detectCheckoutType, init,
  PreparedCatalog, prepareCatalog, version,
} = engine;

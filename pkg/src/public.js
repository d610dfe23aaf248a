// What the package is for those who use it: everything of `api.js` but `start`, which is for the loaders.
export {
  CheckoutPreviewError, CheckoutPreviewLoadError, createBillingSchedule, createCheckoutPreview, detectCheckoutType,
  PreparedCatalog, prepareCatalog, version,
} from "./api.js";

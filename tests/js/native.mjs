// The package beside the same engine natively.

import { imported } from "./project.mjs";

export { nativeAnswers, verifier } from "./verifier.mjs";

const { CheckoutPreviewError, createBillingSchedule, createCheckoutPreview } = imported;

/** The package's answer to `{request, catalog, as_of, now, schedule}` in the form of the native one. */
export function answer({ request, catalog, as_of, now, schedule }) {
  try {
    return schedule
      ? { status: "ok", schedule: createBillingSchedule(request, catalog, schedule, { as_of, now }) }
      : { status: "ok", preview: createCheckoutPreview(request, catalog, { as_of, now }) };
  } catch (error) {
    if (!(error instanceof CheckoutPreviewError)) throw error;
    return { status: "rejected", problems: error.problems };
  }
}

// The package beside the same engine natively.

import { imported } from "./project.mjs";

export { nativeAnswers, verifier } from "./verifier.mjs";

/** How a package answers `{request, catalog, as_of, now, schedule}`, in the form of the native one. Runs in a page, too. */
export function answering({ CheckoutPreviewError, createBillingSchedule, createCheckoutPreview }) {
  return ({ request, catalog, as_of, now, schedule }) => {
    try {
      return schedule
        ? { status: "ok", schedule: createBillingSchedule(request, catalog, schedule, { as_of, now }) }
        : { status: "ok", preview: createCheckoutPreview(request, catalog, { as_of, now }) };
    } catch (error) {
      if (!(error instanceof CheckoutPreviewError)) throw error;
      return { status: "rejected", problems: error.problems };
    }
  };
}

export const answer = answering(imported);

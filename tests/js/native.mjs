// The same engine, natively: what the verifier's command line answers.

import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { imported, root } from "./project.mjs";

const { CheckoutPreviewError, createBillingSchedule, createCheckoutPreview } = imported;

/** The binary that was built last. */
export function verifier() {
  if (process.env.CHECKOUT_VERIFIER) return process.env.CHECKOUT_VERIFIER;
  const built = ["debug", "release"].map((profile) => join(root, "target", profile, "checkout-verifier")).filter(existsSync);
  if (built.length === 0) throw new Error("build the verifier first: cargo build --package checkout-verifier");
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** The native answers to texts of `{request, catalog, as_of, now, schedule}`, as texts. */
export function nativeAnswers(texts) {
  // No string of JSON holds a line break as it is.
  const input = texts.map((text) => `${text.replaceAll(/[\r\n]/g, " ")}\n`).join("");
  const output = execFileSync(verifier(), ["preview", "--jsonl"], { input, encoding: "utf8", maxBuffer: 2 ** 30 });
  return output.trimEnd().split("\n");
}

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

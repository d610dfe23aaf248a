// The engine, natively: the verifier's command line.

import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

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

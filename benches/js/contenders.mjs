// The rules with each library, every one in a module of its own: what V8 learns of one library's numbers in `rules.mjs`
// would slow the other down if they shared its functions.

import Big from "big.js";
import { Decimal } from "decimal.js";

const withBig = await import("./rules.mjs?big.js");
const withDecimal = await import("./rules.mjs?decimal.js");

/** The contenders by name. */
export function contenders(options) {
  return [
    { name: "big.js", rules: withBig.createRules(Big, options) },
    { name: "decimal.js", rules: withDecimal.createRules(Decimal, options) },
  ];
}

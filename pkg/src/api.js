// The part of the package that is the same in browsers and in Node. `cargo xtask build` joins it with the engine's glue
// and one of the two loaders into a single file, because a page without a bundler pays a request for each.
import { preview, schedule, __wbg_reset_state } from "./engine.js";
import { CheckoutPreviewError } from "./error.js";

/** Written in by `cargo xtask build`. */
export const version = "0.0.0";

/** Why the engine is not there to be called: `code` says which of the reasons, `cause` what the browser said. */
export class CheckoutPreviewLoadError extends Error {
  constructor(code, message, cause) {
    super(message, { cause });
    this.code = code;
  }
}
Object.defineProperty(CheckoutPreviewLoadError.prototype, "name", {
  value: "CheckoutPreviewLoadError", writable: true, configurable: true,
});

const idle = 0, busy = 1, broken = 2, unloaded = 3;
let engine = unloaded;

/** For the loaders: the engine may be called from now on. */
export function loaded() {
  engine = idle;
}

export function createCheckoutPreview(request, catalog, options) {
  if (arguments.length < 2) throw new TypeError("createCheckoutPreview takes a request and a catalog");
  return call("createCheckoutPreview", () => preview(request, catalog, options));
}

export function createBillingSchedule(request, catalog, count, options) {
  if (arguments.length < 3) throw new TypeError("createBillingSchedule takes a request, a catalog and a count");
  return call("createBillingSchedule", () => schedule(request, catalog, count, options));
}

/** Calls the engine, if it is there and not in the middle of something. */
function call(name, work) {
  if (engine === unloaded) {
    throw new CheckoutPreviewLoadError("not_loaded", `\`await init()\` before the first ${name}`);
  }
  if (engine === busy) {
    throw new Error(`${name} was called by a getter or a toJSON of the arguments of a call`);
  }
  if (engine === broken) {
    __wbg_reset_state();
  }
  engine = busy;
  try {
    return work();
  } catch (error) {
    // A stack that overflows inside the engine (the caller's was nearly full) leaves it in the middle of its work. It
    // starts anew with the next call, where there is stack again to do it on.
    if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError || error?.name === "InternalError") {
      engine = broken;
    }
    throw error;
  } finally {
    if (engine === busy) engine = idle;
  }
}

/** For the loaders: runs the engine once, because a browser compiles what it runs for the first time, and no buyer should
 * wait for that. */
export function warmUp() {
  const pricing = {
    id: "a", product: { id: "a" }, billing_period: { cadence: "P1M", offset: "prepaid" },
    pricing_data: { pricing_type: "tiered", tiers: [{ up_to: null, unit_amount: "1" }] },
    discounts: [{ type: "percent", value: "1" }],
  };
  const catalog = {
    business_entities: [{ id: "a", time_zone: "UTC", taxes: [{ name: "a", percent: "1" }] }],
    plans: [{ id: "a", currency: "USD", phases: [{ pricings: [pricing] }] }],
  };
  const request = { plan_id: "a", business_entity_id: "a", product_overrides: [{ pricing_id: "a", quantity: "2" }] };
  createCheckoutPreview(request, catalog);
}

export { CheckoutPreviewError };

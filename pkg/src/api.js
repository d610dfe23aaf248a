// The part of the package that is the same everywhere: values in, plain objects out, and what goes between them and the
// engine. A loader gives it the wasm.
import { numbered, previewOf, problemsOf, scheduleOf, TYPES } from "./build.js";
import { glue } from "./engine.js";
import { read } from "./read.js";
import { dayIn } from "./zone.js";

/** Written in by `cargo xtask build`. */
export const version = VERSION;

/** Gives an error its name, which subclasses and frames keep. */
const named = (type, name) => Object.defineProperty(type.prototype, "name", { value: name, writable: true, configurable: true });

/** What is wrong with a checkout: every problem the engine found. */
export class CheckoutPreviewError extends Error {
  constructor(problems) {
    super(problems.map(({ path, message, code }) => `${path || "the request"}: ${message} (${code})`).join("; "));
    this.code = problems[0].code;
    this.problems = problems;
  }
}
named(CheckoutPreviewError, "CheckoutPreviewError");

/** Why the engine is not there to be called: `code` says which of the reasons, `cause` what the browser said. */
export class CheckoutPreviewLoadError extends Error {
  constructor(code, message, cause) {
    super(message, { cause });
    this.code = code;
  }
}
named(CheckoutPreviewLoadError, "CheckoutPreviewLoadError");

// ── The instance ─────────────────────────────────────────────────────────────────────────────────────────────────────

let module, engine;

/** Whether the instance was left in the middle of its work, and must not be called again. */
let isBroken = false;

/** Counts instances: what a catalog's place means ends with the instance it was loaded into. */
let generation = 0;

/** For the loaders: a module, if it is this package's engine. */
export function checked(wasm) {
  const [section] = WebAssembly.Module.customSections(wasm, "checkout-preview");
  const found = section ? `version ${new TextDecoder().decode(section)}` : "something else";
  if (found !== `version ${version}`) throw new CheckoutPreviewLoadError("wasm_invalid", `the wasm is not the engine of version ${version}: it is ${found}`);
  return wasm;
}

/** For the loaders: takes a checked module into use. */
export function start(wasm, instance) {
  if (engine) return;
  module = wasm;
  enter(instance);
  warmUp();
}

function enter({ exports } = new WebAssembly.Instance(module)) {
  engine = glue();
  engine.__wbg_set_wasm(exports);
  isBroken = false;
  generation += 1;
  loaded.clear();
}

/** Calls the engine. What is thrown out of it (a stack that was full, memory that was) leaves it in the middle of its
 * work, and the next call gets another instance. */
function ask(name, ...words) {
  if (isBroken) enter();
  try {
    return engine[name](...words);
  } catch (error) {
    isBroken = true;
    throw error;
  }
}

function ready(name) {
  if (!engine) throw new CheckoutPreviewLoadError("not_loaded", `\`await init()\` before the first ${name}`);
}

/** A browser compiles what it runs for the first time, and no buyer should wait for that. */
function warmUp() {
  const pricing = {
    id: "a", product: { id: "a" }, billing_period: { cadence: "P1M", offset: "prepaid" },
    pricing_data: { pricing_type: "tiered", tiers: [{ up_to: null, unit_amount: "1" }] },
    discounts: [{ type: "percent", value: "1" }],
  };
  const catalog = prepareCatalog({
    business_entities: [{ id: "a", time_zone: "UTC", taxes: [{ name: "a", percent: "1" }] }],
    plans: [{ id: "a", currency: "USD", phases: [{ pricings: [pricing] }] }],
  });
  createCheckoutPreview({ plan_id: "a", business_entity_id: "a", product_overrides: [{ pricing_id: "a", quantity: "2" }] }, catalog);
  catalog.free();
}

// ── Catalogs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** How many catalogs the engine holds at once. One more, and the one not used for longest has to be loaded again when it
 * is: so a page that makes a new catalog for every call does not fill the memory. */
const MOST_LOADED = 16;

/** The catalogs that the engine holds, the one used last at the end. */
const loaded = new Set();

/** What was read of a plain catalog, for as long as the catalog itself is there. */
const remembered = new WeakMap();

/** Frees the engine's memory, too, when a handle or a catalog is there no more. */
const registry = typeof FinalizationRegistry === "function" ? new FinalizationRegistry(release) : undefined;

let isDevelopment = false;
try {
  // Bundlers write a text in place of this; where none does, there may be no `process`.
  isDevelopment = process.env.NODE_ENV === "development";
} catch {}

function load(plain) {
  const text = JSON.stringify(plain);
  const kept = { plain, text: isDevelopment && text, numbers: undefined, place: 0, generation: 0, zone: null };
  enterCatalog(kept, text);
  kept.numbers = numbered(plain);
  return kept;
}

function enterCatalog(kept, text) {
  const answer = ask("load", text);
  if (answer[0] === "!") throw new CheckoutPreviewError(problemsOf(answer));
  kept.place = +answer;
  kept.generation = generation;
  loaded.add(kept);
  if (loaded.size > MOST_LOADED) for (const oldest of loaded) { release(oldest); break; }
}

/** The catalog, in the engine. */
function used(kept) {
  // Whatever was read before may have called the engine in a getter, and broken it.
  if (isBroken) enter();
  if (kept.generation !== generation) enterCatalog(kept, JSON.stringify(kept.plain));
  else if (loaded.size > 1) {
    loaded.delete(kept);
    loaded.add(kept);
  }
  return kept;
}

function release(kept) {
  if (kept.generation === generation && !isBroken) ask("unload", kept.place);
  kept.generation = 0;
  loaded.delete(kept);
}

/** What handles hold; nothing of one that was freed. */
let keptOfHandle;

export class PreparedCatalog {
  #kept;
  /** So that what is not the handle itself, a copy or one of another copy of this package, is not an empty catalog. */
  isPrepared = true;
  /** Vue makes a proxy of every object that does not have this, and a private field is not there for a proxy. */
  __v_skip = true;
  static {
    keptOfHandle = (handle) => {
      if (!(#kept in handle)) throw new TypeError("the prepared catalog is wrapped in a proxy; give it as prepareCatalog made it");
      return handle.#kept;
    };
  }
  constructor(kept) {
    if (!kept?.plain) throw new TypeError("prepareCatalog makes prepared catalogs");
    this.#kept = kept;
    registry?.register(this, kept, kept);
  }
  free() {
    if (!keptOfHandle(this)) return;
    registry?.unregister(this.#kept);
    release(this.#kept);
    this.#kept = undefined;
  }
}
// Older browsers have no name for it, and then nobody who calls it either.
if (Symbol.dispose) PreparedCatalog.prototype[Symbol.dispose] = PreparedCatalog.prototype.free;

function catalogOf(catalog) {
  if (catalog instanceof PreparedCatalog) {
    const kept = keptOfHandle(catalog);
    if (!kept) throw new TypeError("the prepared catalog was freed; prepare it again");
    return used(kept);
  }
  const known = remembered.get(catalog);
  if (!known) {
    const kept = load(read(catalog));
    remembered.set(catalog, kept);
    registry?.register(catalog, kept);
    return kept;
  }
  if (known.text && known.text !== JSON.stringify(read(catalog))) {
    console.warn("checkout-preview: a catalog was changed after its first use, and is priced as it was: give another object, "
      + "such as { ...catalog }", catalog);
    known.text = false;
  }
  return used(known);
}

export function prepareCatalog(catalog) {
  if (arguments.length < 1) throw new TypeError("prepareCatalog takes a catalog");
  ready("prepareCatalog");
  return catalog instanceof PreparedCatalog && catalogOf(catalog) ? catalog : new PreparedCatalog(load(read(catalog)));
}

// ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

export function createCheckoutPreview(request, catalog, options) {
  if (arguments.length < 2) throw new TypeError("createCheckoutPreview takes a request and a catalog");
  ready("createCheckoutPreview");
  return answered("preview", previewOf, request, catalog, options, null);
}

export function createBillingSchedule(request, catalog, count, options) {
  if (arguments.length < 3) throw new TypeError("createBillingSchedule takes a request, a catalog and a count");
  ready("createBillingSchedule");
  return answered("schedule", scheduleOf, request, catalog, options, read(count));
}

export function detectCheckoutType(request) {
  ready("detectCheckoutType");
  const answer = ask("detect", JSON.stringify(read(request)));
  if (answer[0] === "!") throw new CheckoutPreviewError(problemsOf(answer));
  return TYPES[answer];
}

function answered(call, build, request, catalog, options, count) {
  const plain = read(request);
  const { now, as_of: asOf } = optionsOf(options);
  const kept = catalogOf(catalog);
  const at = now ?? new Date().toISOString();
  // A guess, which is right from the second preview on: the time zone that the one before was dated in.
  let zone = null, today = null;
  if (asOf === null && now === null && kept.zone) {
    zone = kept.zone;
    today = dayIn(zone, at);
  }
  let answer = ask(call, kept.place, JSON.stringify([plain, at, asOf, zone, today, count]));
  if (answer[0] === "?") {
    const [instant, wanted] = JSON.parse(answer.slice(1));
    kept.zone = wanted;
    answer = ask(call, kept.place, JSON.stringify([plain, at, asOf, wanted, dayIn(wanted, instant), count]));
  }
  if (answer[0] === "!") throw new CheckoutPreviewError(problemsOf(answer));
  return build(answer, kept.numbers, plain, version);
}

function optionsOf(options) {
  const plain = options === undefined || options === null ? {} : read(options);
  if (typeof plain !== "object" || Array.isArray(plain)) throw new TypeError("the options must be an object of now and as_of");
  for (const name of Object.keys(plain)) {
    if (name !== "now" && name !== "as_of") throw new TypeError(`there is no option \`${name}\`; the options are now and as_of`);
  }
  return { now: plain.now ?? null, as_of: plain.as_of ?? null };
}

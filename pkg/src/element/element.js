// <checkout-preview>: what the buyer has entered, and the engine's answer to it. It draws nothing itself: `choices.js` and
// `bill.js` do, from a model that is made here after every change. What not every checkout needs comes in parts of its own.

import { CheckoutPreviewError, createCheckoutPreview, init, prepareCatalog } from "../browser.js";
import { bill, pay } from "./bill.js";
import { choices as choicesView, lineRow } from "./choices.js";
import { patch } from "./dom.js";
import { formatsOf, isZero } from "./format.js";
import { choicesOf, isOn, linesOfPlan, overridesOf, quantityOf } from "./lines.js";
import { speaker } from "./speaker.js";
import css from "./style.css";

/** Parts that are loaded where an attribute asks for them. */
const PARTS = {
  chart: () => import("./chart.js"),
  "contract-id": () => import("./contract.js"),
  "plan-ids": () => import("./plans.js"),
  tiers: () => import("./tiers.js"),
  "verifier-url": () => import("./checkout.js"),
};
const LANGUAGES = {
  ar: () => import("./messages-ar.js"),
  de: () => import("./messages-de.js"),
  en: () => import("./messages-en.js"),
  fr: () => import("./messages-fr.js"),
  ja: () => import("./messages-ja.js"),
};

/** The fields of a request that attributes can give. */
const FIELDS = ["plan-id", "contract-id", "customer-id", "business-entity-id", "start-date", "end-date", "success-url", "cancel-url"];
const CREDENTIALS = ["verifier-url", "organisation", "publishable-key", "session-token"];
const PROPERTIES = ["catalog", "request", "messages", "options"];

/** What is dear to find out (hints, years, the chart) is found out at once where that takes less, and after a pause where not. */
const AT_ONCE_MS = 3, PAUSE_MS = 120, ANNOUNCE_MS = 500;

const nothingChosen = () => ({ quantities: {}, switches: {} });

/** A page's policy may forbid style elements, but not this. */
function adopt(root, css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets.push(sheet);
}

// A server can import it, and has no elements.
export class CheckoutPreviewElement extends (globalThis.HTMLElement ?? class {}) {
  static observedAttributes = [...FIELDS, ...CREDENTIALS, "plan-ids", "locale", "chart"];

  // What the page gives.
  #given = { catalog: null, request: {}, messages: {}, options: undefined };
  /** What is priced by, until what is wanted now has come. */
  #catalog = null;
  #isOutdated = true;
  #parts = {};
  #words = null;
  #wanted = "";
  // What the buyer entered; null where the page's request has to be read first.
  #choices = null;
  #others = [];
  #planId = null;
  #start = null;
  #touched = null;
  // What came of it.
  #lines = [];
  #spokenOf = [];
  #request = null;
  #problems = new Map();
  #more = { hints: null, years: new Map(), unchanged: null, outlook: null };
  #cost = 0;
  #rows = new Map();
  // Where the buyer is on the way: "loading", "failed", "choose", "review" or "done".
  #state = { stage: "loading", busy: null, notice: null, session: null, preview: null, isStale: false };
  #talk = null;
  #tree;
  #turn = 0;
  #isDue = false;
  #timers = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    adopt(root, css);
    const tree = (this.#tree = document.createElement("div"));
    tree.className = "base";
    tree.setAttribute("part", "base");
    const status = document.createElement("p");
    status.className = "hidden";
    status.setAttribute("role", "status");
    root.append(tree, status);
    tree.addEventListener("input", ({ target }) => this.#entered(target));
    tree.addEventListener("focusin", ({ target }) => this.#look(target));
    tree.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-action]");
      if (button && !button.matches("[aria-disabled=true]")) this.#act(button.dataset.action);
    });
    tree.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#act("continue");
    });
  }

  connectedCallback() {
    // What was set before the element was defined stands in the way of what it is meant for.
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#later();
  }

  disconnectedCallback() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
  }

  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (FIELDS.includes(name) || name === "plan-ids") this.#anew();
    if (/^plan|^contract/.test(name)) this.#planId = null;
    if (name === "contract-id") this.#choices = null;
    if (name === "start-date") this.#start = null;
    // A catalog that the page gave is its own.
    if (CREDENTIALS.includes(name) && !this.#given.catalog) this.#isOutdated = true;
    this.#later();
  }

  get catalog() { return this.#given.catalog; }
  set catalog(catalog) {
    this.#given.catalog = catalog ?? null;
    this.#isOutdated = true;
    if (!catalog) this.#catalog = null;
    this.#later();
  }

  get request() { return this.#request ?? this.#base(); }
  set request(request) {
    this.#given.request = { ...request };
    this.#planId = this.#start = this.#choices = null;
    this.#anew();
    this.#later();
  }

  get preview() { return this.#state.isStale ? null : this.#state.preview; }
  get session() { return this.#state.session; }

  get messages() { return this.#given.messages; }
  set messages(messages) {
    this.#given.messages = { ...messages };
    this.#words = null;
    this.#later();
  }

  get options() { return this.#given.options; }
  set options(options) {
    this.#given.options = options;
    this.#later();
  }

  // ---- Getting ready

  /** What is asked for is another thing now: a session that was made, or is being made, is not about it. */
  #anew() {
    const { stage } = this.#state;
    this.#talk = null;
    Object.assign(this.#state, { busy: null, notice: null, session: null, stage: ["loading", "failed"].includes(stage) ? stage : "choose" });
  }

  /** Brings what is shown up to date, once for however many things were set in one go. */
  #later() {
    if (this.#isDue || !this.isConnected) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#prepare();
    });
  }

  async #prepare() {
    const turn = (this.#turn += 1);
    const isOutrun = () => turn !== this.#turn;
    const locale = (this.#wanted = `${this.getAttribute("locale") || this.closest("[lang]")?.lang || navigator.language}`.replaceAll("_", "-"));
    if (!this.#catalog || this.#state.stage === "failed") this.#change({ stage: "loading", notice: null });
    try {
      const loads = [init(), this.#words?.locale !== locale && this.#learn(locale), ...Object.keys(PARTS).map((name) => this.#needs(name) && this.#load(name))];
      await Promise.allSettled(loads); // to have words for what failed
      await Promise.all(loads);
      if (isOutrun()) return;
      if (!this.#catalog || (this.#isOutdated && !this.#state.session)) {
        const { "verifier-url": server } = this.#parts;
        const given = this.#given.catalog ?? (this.#needs("verifier-url") ? await server.fetchCatalog(this) : null);
        if (isOutrun() || !given) return;
        await this.#take(given);
        if (isOutrun()) return;
      }
      if (["loading", "failed"].includes(this.#state.stage)) this.#state.stage = "choose";
      if (this.#state.stage === "choose") this.#refresh();
      else this.#draw();
    } catch (error) {
      if (isOutrun()) return;
      console.error(`checkout-preview: ${error}`, error);
      this.#change({ stage: "failed", notice: { text: this.#words?.say(error.kind === "offline" ? "offline" : "not_loaded") ?? "This cannot be shown." } });
      this.#emit("preview-error", { request: null, error, problems: error.problems ?? [] });
    }
  }

  #needs(name) {
    const { plan_id: plan, contract_id: contract } = this.#base();
    return this.hasAttribute(name) || (name === "contract-id" ? contract : name === "plan-ids" && !plan && !contract);
  }

  async #load(name) {
    const part = await PARTS[name]();
    if (part.css && !this.#parts[name]) adopt(this.shadowRoot, part.css);
    this.#parts[name] = part;
  }

  async #take(given) {
    const prepared = prepareCatalog(given);
    // Plain data, whatever it was made of; the engine has read it, so it is JSON.
    const json = JSON.stringify(given);
    if (/"tiers":/.test(json)) await this.#load("tiers");
    this.#catalog?.prepared.free();
    this.#catalog = { prepared, plain: JSON.parse(json) };
    this.#isOutdated = false;
    this.#rows.clear();
  }

  /** Learns the words of a language: that of the page, if it is one of its own, and otherwise English. */
  async #learn(locale) {
    const [own] = locale.split("-");
    const language = LANGUAGES[own] ? own : "en";
    const { default: words } = await LANGUAGES[language]();
    if (locale !== this.#wanted) return;
    let formats = formatsOf("en");
    try {
      formats = formatsOf(locale);
    } catch {} // It is none.
    const speaks = speaker(formats, [this.#given.messages, words]);
    const every = (cadence) => {
      const [, count, unit] = /^P(\d+)([DWMY])$/.exec(cadence);
      return speaks.say(`every_${unit}`, { count });
    };
    this.#words = { ...formats, ...speaks, every };
    this.#tree.dir = language === "ar" ? "rtl" : "ltr";
    this.#tree.lang = language;
    this.#rows.clear();
  }

  // ---- What is asked

  /** The request without what the buyer has chosen. */
  #base() {
    const base = {};
    for (const name of FIELDS) {
      const value = this.getAttribute(name);
      // An address may be one of the page's own, without its origin; what is none at all, the engine refuses.
      if (value) base[name.replaceAll("-", "_")] = name.endsWith("-url") && URL.canParse(value, document.baseURI) ? new URL(value, document.baseURI).href : value;
    }
    return { ...base, ...this.#given.request };
  }

  #contract() {
    const { contract_id: wanted } = this.#base();
    return (wanted && this.#parts["contract-id"] && this.#catalog?.plain.contracts?.find(({ id }) => id === wanted)) || null;
  }

  /** The plans to choose from: those that are named, else the one that is asked for, else all that are sold. */
  #plans() {
    const plans = this.#catalog.plain.plans ?? [];
    const named = this.getAttribute("plan-ids")?.match(/\S+/g);
    const { plan_id: asked, contract_id: contract } = this.#base();
    if (named) return named.map((wanted) => plans.find(({ id }) => id === wanted)).filter(Boolean);
    return plans.filter(({ id, status }) => (asked || contract ? id === asked : (status ?? "active") === "active"));
  }

  /** The plan of a new contract, or the one that a contract moves to; null for none. */
  #plan(plans) {
    const { plan_id: asked, contract_id: contract } = this.#base();
    const wanted = this.#planId ?? asked ?? (contract ? null : plans[0]?.id);
    return this.#catalog.plain.plans?.find(({ id }) => id === wanted && this.#planId !== "") ?? null;
  }

  /** What the buyer's choices come to; null while a contract stays as it is. */
  #ask(contract, plan, today) {
    const base = this.#base();
    const start = this.#start ?? base.start_date ?? (contract?.start_date > today ? contract.start_date : null);
    const own = contract && this.#parts["contract-id"].linesOfContract(contract, this.#catalog.plain.plans ?? [], start ?? today);
    this.#lines = plan ? linesOfPlan(plan, own ?? []) : own ?? [];
    if (!this.#choices) {
      const { choices, others } = choicesOf(base.product_overrides ?? [], this.#lines);
      this.#choices = choices;
      this.#others = others;
    }
    const { overrides, lines } = overridesOf(this.#choices, this.#lines);
    this.#spokenOf = lines;
    const all = [...overrides, ...this.#others];
    if (contract && !plan && all.length === 0) return null;
    const { product_overrides: replaced, plan_id: asked, ...request } = base;
    if (plan || (asked && !contract)) request.plan_id = plan?.id ?? asked;
    if (start) request.start_date = start;
    if (all.length > 0) request.product_overrides = all;
    return request;
  }

  // ---- What the engine says

  /** Asks the engine and draws its answer, now: before the browser paints what was typed. */
  #refresh(isByBuyer = false) {
    const contract = this.#contract();
    const plans = this.#plans();
    const plan = this.#plan(plans);
    const today = contract && this.#parts["contract-id"].todayOf(contract, this.#catalog.plain, this.#given.options);
    const request = this.#ask(contract, plan, today);
    this.#request = request;
    this.#state.isStale = false;
    this.#problems = new Map();
    let error = null;
    try {
      this.#state.preview = request && createCheckoutPreview(request, this.#catalog.prepared, this.#given.options);
      this.#state.notice = null;
    } catch (problem) {
      error = this.#refused(problem) ? problem : null;
    }
    clearTimeout(this.#timers.more);
    const more = () => this.#findMore(contract, plans, today ?? this.#state.preview?.as_of);
    if (this.#cost > AT_ONCE_MS) {
      this.#more.hints = null; // no hint is better than one for another number
      this.#timers.more = setTimeout(() => {
        more();
        this.#draw();
      }, PAUSE_MS);
    } else more();
    this.#draw();
    this.#announce();
    if (error) this.#emit("preview-error", { request, error, problems: error.problems });
    else if (isByBuyer) this.#emit("preview-change", { request: this.request, preview: this.#state.preview });
  }

  /** Puts each problem beside the field it is about, and the last good price in grey; false where nothing is wrong. */
  #refused(error) {
    if (!(error instanceof CheckoutPreviewError)) throw error;
    const { say } = this.#words;
    // Typing 12 where there are 12.0, or switching off what ends on that day anyway, is no mistake.
    if (error.problems.every(({ code }) => code === "nothing_changes")) {
      this.#request = this.#state.preview = this.#state.notice = null;
      return false;
    }
    const elsewhere = new Set();
    for (const { code, path, message, help } of error.problems) {
      const [, field, index] = path.split("/");
      const line = field === "product_overrides" ? this.#spokenOf[index] : null;
      const place = line ? line.key : ["start_date", this.#plans().length > 1 && "plan_id"].includes(field) && field;
      const text = this.#wordsFor(code, line);
      if (place) this.#problems.set(place, text);
      else elsewhere.add(text);
      // What a buyer cannot have brought about, the merchant should know of.
      if (!line && field !== "start_date") console.error(`checkout-preview: ${path}: ${message} (${code}). ${help}`);
    }
    this.#state.isStale = true;
    this.#state.notice = { text: [...elsewhere].join(" ") || say("mend") };
    return true;
  }

  #wordsFor(code, line) {
    const { say, counted } = this.#words;
    const { minimum, maximum, multiple_of: multiple } = line?.pricing?.quantity ?? {};
    const limit = { minimum, maximum, multiple }[code.split("_").at(-1)]; // quantity_below_minimum
    if (limit !== undefined) return say(code, { count: String(limit), counted: counted(String(limit), line.product.id) });
    return say(code === "plan_not_found" ? "plan_not_active" : code.startsWith("quantity_") ? "problem" : code, {}, "problem");
  }

  /** Price steps ahead, what a year costs in each plan, and the coming months. */
  #findMore(contract, plans, today) {
    if (!today) return; // not one preview yet
    const began = performance.now();
    const { prepared } = this.#catalog;
    const { isStale, preview } = this.#state;
    const request = this.#request;
    const options = { ...this.#given.options, as_of: today };
    // Here a problem is one that the preview itself has told of.
    const tried = (work) => {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof CheckoutPreviewError)) throw error;
        return null;
      }
    };
    const more = (this.#more = { ...this.#more, hints: null, unchanged: null, today });
    if (contract) more.unchanged = tried(() => this.#parts["contract-id"].unchangedInvoices(contract, prepared, options));
    if (!isStale) more.hints = tried(() => this.#parts.tiers?.hints(this.#lines, this.#choices, this.#others, this.request, prepared, this.#given.options));
    if (!isStale && !contract && plans.length > 1) for (const one of plans) more.years.set(one.id, tried(() => this.#parts["plan-ids"]?.yearOf(one, this.request, this.#choices, prepared, today)));
    if (!isStale && this.#needs("chart")) more.outlook = tried(() => this.#parts.chart?.outlook(request, preview, this.#catalog, options, more.unchanged));
    this.#cost = performance.now() - began;
  }

  // ---- Drawing

  #change(fields) {
    Object.assign(this.#state, fields);
    this.#draw();
  }

  #draw() {
    const model = this.#model();
    const { stage } = model;
    this.#tree.dataset.stage = stage;
    this.#tree.toggleAttribute("data-stale", model.isStale);
    patch(this.#tree, [
      ["choose", "review"].includes(stage) && choicesView(model),
      stage !== "failed" && bill(model),
      stage !== "done" && pay(model),
    ].filter(Boolean));
  }

  #currency() {
    return this.#state.preview?.currency ?? this.#contract()?.currency ?? this.#plan(this.#plans())?.currency;
  }

  /** How many digits an amount of the currency has, as the engine writes them. */
  #digits() {
    const { estimates } = this.#state.preview ?? { estimates: { current_invoice: this.#more.unchanged?.[0] } };
    return estimates.current_invoice?.total.split(".")[1]?.length ?? 0;
  }

  /** A price, which may have more or fewer digits than the currency. */
  #price = (amount) => this.#words.money(String(amount), this.#currency(), this.#digits());

  #model() {
    const { stage, preview, isStale } = this.#state;
    const { say, day, money } = this.#words ?? { say: (key) => (key === "retry" ? "Try again" : "") };
    const model = { say, ...this.#words, ...this.#state, problems: this.#problems, headline: [], effects: [], due: null };
    if (!this.#catalog || ["loading", "failed"].includes(stage)) return model;
    const contract = this.#contract();
    const plans = this.#plans();
    const plan = this.#plan(plans);
    const currency = this.#currency();
    Object.assign(model, {
      contract, currency, plan, unchanged: this.#more.unchanged?.[0], digits: this.#digits(),
      money: (amount, digits) => money(amount, currency, digits),
      price: this.#price, kept: this.#kept,
      canCancel: this.#base().cancel_url, canContinue: preview && !isStale,
    });
    if (preview) {
      const { invoice_date: date, amount_due: amount } = preview.estimates.current_invoice;
      model.due = { label: date === preview.as_of ? say("today") : say("on_day", { date: day(date) }), text: model.money(amount) };
    }
    const start = this.#start ?? this.#base().start_date ?? preview?.start_date ?? this.#more.today;
    model.start = { value: start ?? "", min: contract?.start_date, max: contract?.end_date ?? "2999-12-31" };
    const own = contract && this.#catalog.plain.plans?.find(({ id }) => id === contract.plan_id);
    model.entered = preview && this.#parts.tiers?.entered(preview);
    model.plans = this.#parts["plan-ids"]?.plans({ ...model, money, offered: plans, plan, own, years: this.#more.years });
    model.rows = this.#lines.map((line, index) => this.#row(line, index, model));
    model.headline = this.#headline(preview, plan, contract);
    if (contract && preview) model.effects = this.#parts["contract-id"].effects(preview, contract, plan, this.#words);
    const { chart } = this.#parts;
    if (chart && this.#more.outlook && this.#needs("chart")) model.chart = chart.chart(this.#more.outlook, model);
    return model;
  }

  #row(line, index, model) {
    const value = quantityOf(this.#choices, line);
    const on = isOn(this.#choices, line);
    const shown = {
      index, value, on, hint: this.#state.isStale ? null : this.#more.hints?.get(line.key), used: model.entered?.get(line.pricing.id) ?? [],
      spoken: this.#touched === line.key && model.due ? `${this.#words.counted(value || "0", line.product.id)}, ${model.due.label} ${model.due.text}` : null,
      problem: this.#problems.get(line.key),
    };
    return model.kept(line.key, [model.plan?.id, line.phase?.start_date, line.pricing.id, line.optional, shown], () => lineRow({ line, ...shown }, model, this.#parts.tiers));
  }

  /** What was made last under a key, where it is about the same: most of what is shown stays as it is. */
  #kept = (key, about, make) => {
    const is = JSON.stringify(about);
    if (this.#rows.get(key)?.is !== is) this.#rows.set(key, { is, made: make() });
    return this.#rows.get(key).made;
  };

  #headline(preview, plan, contract) {
    const { say, day, every } = this.#words;
    const { stage, done } = this.#state;
    if (stage === "done") return [say(done)];
    if (!preview) return [say("unchanged")];
    const { phases } = preview.contract;
    const cadences = new Set(phases.at(-1).lines.filter((line) => line.billing_period && line.is_enabled !== false)
      .map((line) => every(line.billing_period.cadence)));
    const trial = !contract && phases.find((phase) => phase.phase_type === "trial");
    return [
      !contract && plan && (plan.name ?? plan.id),
      trial?.end_date && say("trial", { date: day(trial.end_date) }),
      cadences.size > 0 && say("renews", {
        every: [...cadences].join(", "), until: preview.end_date ? say("until", { date: day(preview.end_date) }) : say("until_cancelled"),
      }),
    ].filter(Boolean);
  }

  /** Screen readers hear the total, once the buyer pauses; the picture changes at once. */
  #announce() {
    clearTimeout(this.#timers.announce);
    this.#timers.announce = setTimeout(() => {
      const due = !this.#state.isStale && this.#model().due;
      const text = due ? `${due.label} ${due.text}` : "";
      const { lastChild: status } = this.shadowRoot;
      if (status.textContent !== text) status.textContent = text;
    }, ANNOUNCE_MS);
  }

  #emit(name, detail, cancelable = false) {
    return this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable, detail }));
  }

  // ---- What the buyer does

  #entered({ name, value, checked, dataset }) {
    const line = this.#lines[dataset.line];
    // A date that is not whole yet reads as empty, and writing it would take the typist's place in it.
    if (name === "start_date" && value) this.#start = value;
    else if (name === "plan_id") this.#planId = value === this.#contract()?.plan_id ? "" : value;
    else if (line && name === "quantity") this.#choices.quantities[line.key] = value;
    else if (line && name === "is_enabled") this.#choices.switches[line.key] = checked;
    else return; // or a field of the page's own, in a slot
    this.#touched = line?.key;
    this.#refresh(true);
  }

  #look({ dataset }) {
    this.#touched = this.#lines[dataset.line]?.key;
    this.#draw(); // a day that was left unfinished, too
  }

  #act(action) {
    const { preview, isStale, notice, session } = this.#state;
    if (action === "retry" || action === "accept") return notice?.run ? notice.run() : this.#prepare();
    if (action === "cancel") {
      if (session) this.#conversation().cancel(session);
      this.#leave("checkout-cancel", this.#base().cancel_url);
      return session && this.#conversation().edit(); // a page that stays has no session any more
    }
    if (action !== "continue") return this.#conversation()[action]();
    if (!preview || isStale) return this.shadowRoot.querySelector("[aria-invalid]")?.focus();
    const request = this.#request;
    // Whoever listens may take the order elsewhere.
    return this.#emit("checkout-submit", { request, preview }, true) && this.#needs("verifier-url") && this.#conversation().create(request, preview);
  }

  #conversation() {
    if (this.#talk) return this.#talk;
    const host = {
      element: this, state: this.#state, timers: this.#timers, words: () => this.#words,
      act: (action) => this.#act(action), isOver: () => this.#talk !== talk, change: (fields) => this.#change(fields),
      take: (catalog) => this.#take(catalog), refresh: () => this.#refresh(), later: () => this.#isOutdated && this.#later(),
      leave: (name, address) => this.#leave(name, address),
      refuse: (error) => {
        this.#refused(error);
        // What is no field of the element's own cannot be mended in one.
        this.#state.isStale = this.#problems.size > 0;
        this.#draw();
        this.#emit("preview-error", { request: this.#request, error, problems: error.problems });
      },
    };
    const talk = (this.#talk = this.#parts["verifier-url"].conversation(host));
    return talk;
  }

  /** Goes where the merchant said, with the session's id, unless whoever listens stays. */
  #leave(name, address) {
    const { session } = this.#state;
    if (!this.#emit(name, { session }, true) || !address) return;
    const url = new URL(address, document.baseURI);
    if (!/^https?:$/.test(url.protocol)) return;
    if (session) url.searchParams.set("checkout_session_id", session.id);
    location.assign(url);
  }
}

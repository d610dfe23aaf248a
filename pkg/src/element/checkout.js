// From Continue to the contract: stores what the element shows, asks again where it costs something else by now, and confirms
// it, once. Every failure keeps what the buyer entered and says what can be done.

import { CheckoutPreviewError } from "../browser.js";
import { h } from "./dom.js";
import { table } from "./table.js";

export { table as css };

const PATIENCE_MS = 20_000, SLOW_MS = 4000;

// ---- The verifier

/**
 * Why a call failed. `kind`: `offline`, `unanswered` (no usable answer), `busy` (ask again in `wait` seconds), `signed_out`
 * (the customer's token has expired), `closed` (this page may not do that), or `refused` with the server's own `body`.
 */
class ServerError extends Error {
  constructor(kind, body = {}, wait = 0) {
    super(body.detail ?? kind);
    Object.assign(this, { kind, body, wait });
  }
}

/** The keys of what was sent and not answered. */
const unanswered = new Map();

/** Calls the verifier that the element's attributes name, for whom they say. */
async function call(element, method, path, { body, key, secret } = {}) {
  const [organisation, publishableKey, token] = ["organisation", "publishable-key", "session-token"].map((name) => element.getAttribute(name));
  const headers = {
    ...(body && { "content-type": "application/json" }),
    ...(key && { "idempotency-key": key }),
    ...(organisation && { organisation }),
    ...(secret ? { "client-secret": secret } : token ? { "session-id": token } : publishableKey && { "x-api-key": publishableKey }),
  };
  let response, answer;
  try {
    const address = element.getAttribute("verifier-url").replace(/\/+$/, "") + path;
    // The page is left as soon as a session is being cancelled; not for everything, for what may outlive its page must be small.
    const keepalive = path.endsWith("/cancel");
    response = await fetch(address, { method, headers, keepalive, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS) });
    answer = await response.json();
  } catch (error) {
    // A time-out, or an answer that is no JSON, is the server's doing; anything else never reached it.
    throw new ServerError(error instanceof TypeError ? "offline" : "unanswered");
  }
  const { ok, status } = response;
  if (ok) return answer;
  const isClosed = status === 401 || status === 403;
  const kind = isClosed ? (status === 401 && token && !secret ? "signed_out" : "closed")
    : status === 429 || answer.code === "idempotency_in_progress" ? "busy" : status >= 500 ? "unanswered" : "refused";
  if (kind !== "refused") console.error(`checkout-preview: ${method} ${path}: ${status} ${answer.detail} (request ${answer.request_id})`);
  throw new ServerError(kind, answer, Number(response.headers.get("retry-after")) || 5);
}

/**
 * Sends what is to be done once: after a lost answer again with the same key, which the server then answers as it did. What is
 * answered gets another key the next time, for a refusal is kept, too.
 */
async function once(element, path, body, secret) {
  const sent = JSON.stringify([path, body, element.getAttribute("session-token")]);
  // Not randomUUID: a page has that only over https, or from its own machine.
  const key = unanswered.get(sent) ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
  unanswered.set(sent, key);
  try {
    const answer = await call(element, "POST", path, { body, key, secret });
    unanswered.delete(sent);
    return answer;
  } catch (error) {
    if (error.kind === "refused" || error.kind === "closed") unanswered.delete(sent);
    throw error;
  }
}

/** The price list; for a customer, with that customer and its contracts as they are now. */
export const fetchCatalog = (element) => call(element, "GET", "/catalog");

// ---- The conversation

/**
 * What the element's buttons do once there is a server, until the page asks for something else (`isOver()`). `host` is the
 * element's inside: the `element`, its `state` with `change(fields)`, `timers` and `words()`; `take(catalog)`, `refresh()`,
 * `later()`, `act(action)`, `refuse(problems)`, `leave(name, address)`.
 */
export function conversation(host) {
  const { element, timers } = host;
  const root = element.shadowRoot;
  const emit = (name, detail) => element.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  const change = (fields) => host.isOver() || host.change(fields);
  const say = (key, words) => host.words().say(key, words);
  const notice = (key, more) => change({ notice: { text: say(key), ...more } });

  /** Until when the price is held, in words. */
  function held() {
    const instant = new Intl.DateTimeFormat(host.words().locale, { dateStyle: "medium", timeStyle: "short" });
    return `${say("held", { date: instant.format(new Date(host.state.session.expires_at)) })} ${say("agree")}`;
  }

  /** A new stage begins at its heading, for the eye and for the screen reader. */
  function lookAt() {
    const heading = root.getElementById("summary-title");
    heading.tabIndex = -1;
    heading.focus();
  }

  /** Marks a button as busy for as long as `work` takes, and says so when it takes long. */
  async function whileBusy(busy, work, onError) {
    if (host.state.busy) return;
    const focused = root.activeElement;
    change({ busy, notice: null });
    const slow = { text: say("slow") };
    timers.slow = setTimeout(() => change({ notice: slow }), SLOW_MS);
    try {
      await work();
    } catch (error) {
      await onError(error);
    } finally {
      clearTimeout(timers.slow);
      change({ busy: null, ...(host.state.notice === slow && { notice: null }) });
      // Who typed in a field that was locked meanwhile, or pressed a button that is gone, goes on from about there.
      if (document.activeElement === document.body) (focused?.isConnected ? focused : root.querySelector("[part=button]"))?.focus();
    }
  }

  /** Says in plain words why something failed, and offers to try again. */
  function explain({ kind, wait, message }, run) {
    if (!kind || kind === "refused") console.error("checkout-preview:", message);
    const told = {
      action: kind === "closed" || kind === "signed_out" ? null : "retry", run, wait: kind === "busy" ? wait : 0,
      text: say(kind && kind !== "refused" ? kind : "unanswered", { count: `${wait}` }),
    };
    // The button counts down; what is read out stays.
    (function tick() {
      change({ notice: told });
      if (told.wait > 0) timers.tick = setTimeout(() => { told.wait -= 1; if (host.state.notice === told) tick(); }, 1000);
    })();
  }

  /** Reads anew what prices depend on, keeps what was entered, and shows the price. */
  async function refetch() {
    try {
      const catalog = await fetchCatalog(element);
      if (host.isOver()) return;
      await host.take(catalog);
      host.refresh();
    } catch (error) {
      console.error("checkout-preview:", error.message); // what is wrong can be said without
    }
  }

  const create = (request, preview) => whileBusy("continue", async () => {
    const session = await once(element, "/checkouts", { ...request, expected_estimates: preview.estimates });
    if (host.isOver()) return; // nobody confirms it, and it expires
    change({ session, preview, held, stage: "review", notice: null });
    // By the server's clock. More than 24 days no timer waits.
    const left = Date.parse(session.expires_at) - Date.parse(session.created_at);
    if (left < 2 ** 31) timers.expiry = setTimeout(() => host.state.session === session && ended("expired"), left);
    lookAt();
    emit("checkout-create", { session });
  }, async (error) => {
    const { code, problems, differences, preview: fresh } = error.body ?? {};
    if (code === "preview_mismatch") {
      // The server came to another price: both are shown, and the buyer decides.
      await refetch();
      notice("mismatch", { action: "accept", run: () => create(request, fresh), content: () => changes(preview, fresh, host.words()) });
      emit("preview-mismatch", { shown: preview, preview: fresh, differences });
    } else if (problems) {
      await refetch();
      host.refuse(new CheckoutPreviewError(problems));
    } else explain(error, () => create(request, preview));
  });

  const confirm = () => {
    const { session } = host.state;
    return whileBusy("confirm", async () => finish(await once(element, `/checkouts/${session.id}/confirm`, {}, session.client_secret)), async (error) => {
      const { code, current_status: status } = error.body ?? {};
      // It was confirmed, but the answer got lost on the way.
      if (status === "contract_created") return read(session);
      if (code === "contract_changed") {
        edit();
        await refetch();
        return notice("contract_changed");
      }
      if (status === "payment_initiated") return change({ notice: { text: say("paying") } });
      if (status === "cancelled") return ended("cancelled");
      return status || ["estimates_not_reproducible", "not_found"].includes(code) ? ended("expired") : explain(error, confirm);
    });
  };

  async function read(session) {
    try {
      finish(await call(element, "GET", `/checkouts/${session.id}`, { secret: session.client_secret }));
    } catch (error) {
      explain(error, () => read(session));
    }
  }

  function finish(session) {
    clearTimeout(timers.expiry);
    const done = !session.contract?.id ? "stored" : session.source_contract_id ? "done_change" : "done";
    change({ stage: "done", done, notice: null, session: { ...host.state.session, ...session } });
    lookAt();
    host.leave("checkout-confirm", session.success_url);
  }

  /** The session cannot be confirmed any more; what was chosen is asked for once again. */
  function ended(key) {
    notice(key, { action: "renew" });
  }

  function edit() {
    clearTimeout(timers.expiry);
    change({ stage: "choose", session: null, notice: null });
    host.refresh();
    host.later(); // what the page has set meanwhile
    lookAt();
  }

  /** A session that nobody confirms expires by itself, so that there is nothing to wait for, nor to fail. */
  const cancel = ({ id, client_secret: secret }) => once(element, `/checkouts/${id}/cancel`, {}, secret).catch(() => {});

  return { create, confirm, edit, back: edit, cancel, renew() { edit(); host.act("continue"); } };
}

/** What the buyer saw and what it is now: both invoices, and the lines that differ. */
function changes(shown, fresh, { say, day, money }) {
  const rows = ["current_invoice", "next_invoice"].flatMap((which) => {
    const [old, now] = [shown, fresh].map(({ estimates }) => estimates[which]);
    const most = Math.max(...[old, now].map((one) => one?.line_items.length ?? 0));
    return [
      [day((now ?? old)?.invoice_date ?? fresh.as_of), old?.amount_due, now?.amount_due, "tr.sum"],
      ...Array.from({ length: most }, (_, index) => {
        const [was, is] = [old, now].map((one) => one?.line_items[index]);
        return [(is ?? was).name ?? (is ?? was).product_id ?? "", was?.net_amount, is?.net_amount, "tr"];
      }),
    ];
  }).filter(([, old, now]) => old !== now);
  const cell = (amount) => h("td", {}, h("bdi", {}, amount === undefined ? "–" : money(amount, fresh.currency)));
  return h("table", {},
    h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, say("you_saw")), h("th", { scope: "col" }, say("now")))),
    h("tbody", {}, rows.map(([name, old, now, tag]) => h(tag, {}, h("th", { scope: "row" }, name), cell(old), cell(now)))));
}

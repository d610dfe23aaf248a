// From Continue to the contract: stores what the element shows, asks again where it costs something else by now, and confirms
// it, once. Every failure keeps what the buyer entered and says what can be done.

import { CheckoutPreviewError } from "../browser.js";
import { h } from "./dom.js";

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
async function call(attribute, method, path, { body, key, secret } = {}) {
  const [organisation, publishableKey, token] = ["organisation", "publishable-key", "session-token"].map(attribute);
  const headers = {
    ...(body && { "content-type": "application/json" }),
    ...(key && { "idempotency-key": key }),
    ...(organisation && { organisation }),
    ...(secret ? { "client-secret": secret } : token ? { "session-id": token } : publishableKey && { "x-api-key": publishableKey }),
  };
  let response, answer;
  try {
    const address = attribute("verifier-url").replace(/\/+$/, "") + path;
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
async function once(attribute, path, body, secret) {
  const sent = JSON.stringify([path, body, attribute("session-token")]);
  // Not randomUUID: a page has that only over https, or from its own machine.
  const key = unanswered.get(sent) ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
  unanswered.set(sent, key);
  try {
    const answer = await call(attribute, "POST", path, { body, key, secret });
    unanswered.delete(sent);
    return answer;
  } catch (error) {
    if (error.kind === "refused" || error.kind === "closed") unanswered.delete(sent);
    throw error;
  }
}

/** The price list; for a customer, with that customer and its contracts as they are now. */
export const fetchCatalog = (attribute) => call(attribute, "GET", "/catalog");

// ---- The conversation

/**
 * What the element's buttons do once there is a server. `host` is the element's inside: `state` and `change(fields)` of it,
 * `attribute(name)`, `words()`, `request()`, `take(catalog)`, `refresh()`, `refuse(problems)`, `lookAt()`, `emit(name, detail)`.
 */
export function conversation(host) {
  const { attribute, change, emit } = host;
  const say = (key, words) => host.words().say(key, words);
  const notice = (key, more) => change({ notice: { text: say(key), ...more } });
  let expiry;

  /** Marks a button as busy for as long as `work` takes, and says so when it takes long. */
  async function whileBusy(busy, work, onError) {
    if (host.state.busy) return;
    change({ busy, notice: null });
    const slow = { text: say("slow") };
    const timer = setTimeout(() => change({ notice: slow }), SLOW_MS);
    try {
      await work();
    } catch (error) {
      await onError(error);
    } finally {
      clearTimeout(timer);
      change({ busy: null, ...(host.state.notice === slow && { notice: null }) });
    }
  }

  /** Says in plain words why something failed, and offers to try again. */
  function explain({ kind, wait, message }, run) {
    if (!kind || kind === "refused") console.error("checkout-preview:", message);
    const told = { action: kind === "closed" || kind === "signed_out" ? null : "retry", run, wait: kind === "busy" ? wait : 0 };
    const key = kind && kind !== "refused" ? kind : "unanswered";
    (function tick() {
      told.text = say(key, { count: `${told.wait}` });
      change({ notice: told });
      if (told.wait > 0) setTimeout(() => { told.wait -= 1; if (host.state.notice === told) tick(); }, 1000);
    })();
  }

  /** Reads anew what prices depend on, keeps what was entered, and shows the price. */
  async function refetch() {
    try {
      host.take(await fetchCatalog(attribute));
      host.refresh();
    } catch (error) {
      console.error("checkout-preview:", error.message); // what is wrong can be said without
    }
  }

  const create = (request, preview) => whileBusy("continue", async () => {
    const session = await once(attribute, "/checkouts", { ...request, expected_estimates: preview.estimates });
    change({ session, preview, stage: "review", notice: null });
    const left = Date.parse(session.expires_at) - Date.now();
    if (left < 2 ** 31) expiry = setTimeout(expire, left); // more than 24 days no timer waits
    host.lookAt();
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
    return whileBusy("confirm", async () => finish(await once(attribute, `/checkouts/${session.id}/confirm`, {}, session.client_secret)), async (error) => {
      const { code, current_status: status } = error.body ?? {};
      // It was confirmed, but the answer got lost on the way.
      if (status === "contract_created") return read(session);
      if (code === "contract_changed") {
        edit();
        await refetch();
        return notice("contract_changed");
      }
      return status || ["estimates_not_reproducible", "not_found"].includes(code) ? expire() : explain(error, confirm);
    });
  };

  async function read(session) {
    try {
      finish(await call(attribute, "GET", `/checkouts/${session.id}`, { secret: session.client_secret }));
    } catch (error) {
      explain(error, () => read(session));
    }
  }

  function finish(session) {
    clearTimeout(expiry);
    change({ stage: "done", notice: null, session: { ...host.state.session, ...session } });
    host.lookAt();
    host.leave("checkout-confirm", session.success_url);
  }

  function expire() {
    notice("expired", { action: "renew" });
  }

  function edit() {
    clearTimeout(expiry);
    change({ stage: "choose", session: null, notice: null });
    host.refresh();
    host.lookAt();
  }

  /** A session that nobody confirms expires by itself, so that there is nothing to wait for, nor to fail. */
  const cancel = ({ id, client_secret: secret }) => once(attribute, `/checkouts/${id}/cancel`, {}, secret).catch(() => {});

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

// Speaks to the verifier: one function for each thing the page asks of it. Every failure becomes a `ServerError`.

/**
 * Why a call failed. `kind`: `offline`, `unavailable` (no usable answer), `busy` (ask again later), `signed_out` (the
 * customer's token has expired), `closed` (this page may not do that), or `refused` with the server's own `body`.
 */
export class ServerError extends Error {
  constructor(kind, { status = null, body = {}, retryAfter = null } = {}) {
    super(body.detail ?? kind);
    this.name = "ServerError";
    Object.assign(this, { kind, status, body, retryAfter });
  }
}

const PATIENCE_MS = 15_000;

let shop; // {organisation, publishable_key, customers: [{id, name, session_token}]}, as the merchant's own server knows them
let speaker = null; // the customer this page speaks for, or null for a guest

/**
 * The customers who are signed in here. In a real shop that is one at most, and the merchant's server, which made the session
 * with its secret key, has put the token into the page; here `cargo xtask serve` has.
 */
export async function fetchCustomers() {
  shop ??= await call("GET", "/shop.json", { open: true }).catch((error) => {
    if (error.status !== 404) throw error;
    console.error("There is no shop.json, which says whose shop this is: `cargo xtask serve` writes it.");
    throw new ServerError("closed");
  });
  return shop.customers;
}

/** From now on this page speaks for a customer, by an entry of `fetchCustomers`, or for a guest. */
export function speakFor(customer) {
  speaker = customer;
}

/** The price list; for a customer, with that customer and its contracts as they are now. */
export const fetchCatalog = () => call("GET", "/catalog");

/** Stores the checkout, if the server comes to the same estimates. One that is never confirmed expires by itself. */
export const createCheckout = (request, estimates) => once("/checkouts", { ...request, expected_estimates: estimates });

/** Makes the contract. */
export const confirmCheckout = ({ id, client_secret: secret }) => once(`/checkouts/${id}/confirm`, {}, secret);

export const readCheckout = ({ id, client_secret: secret }) => call("GET", `/checkouts/${id}`, { secret });

const unanswered = new Map(); // the keys of what was sent and not answered

/**
 * Sends what is to be done once: after a lost answer again with the same key, which the server then answers as it did. What
 * is answered gets another key the next time, for a refusal is kept, too.
 */
async function once(path, body, secret) {
  const sent = JSON.stringify([path, body, speaker?.id]);
  // Not randomUUID: a page has that only over https, or from its own machine.
  const key = unanswered.get(sent) ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
  unanswered.set(sent, key);
  try {
    const answer = await call("POST", path, { body, key, secret });
    unanswered.delete(sent);
    return answer;
  } catch (error) {
    if (!["offline", "unavailable", "busy"].includes(error.kind)) unanswered.delete(sent);
    throw error;
  }
}

async function call(method, path, { body, key, secret, open = false } = {}) {
  const headers = {
    ...(body && { "content-type": "application/json" }),
    ...(key && { "idempotency-key": key }),
    ...(!open && credentials(secret)),
  };
  let response;
  let answer;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS) });
    answer = await response.json();
  } catch (error) {
    // A time-out, or an answer that is no JSON, is the server's doing; anything else never reached it.
    throw new ServerError(error instanceof TypeError ? "offline" : "unavailable", { status: response?.status });
  }
  if (response.ok) return answer;
  const retryAfter = Number(response.headers.get("retry-after")) || null;
  const kind = kindOf(response.status, answer, headers);
  if (remedies[kind]) console.error(`${method} ${path}: ${response.status} ${answer.detail} (request ${answer.request_id}). ${remedies[kind]}`);
  throw new ServerError(kind, { status: response.status, body: answer, retryAfter });
}

function credentials(secret) {
  const { organisation, publishable_key: key } = shop;
  if (secret) return { organisation, "client-secret": secret };
  return speaker ? { organisation, "session-id": speaker.session_token } : { organisation, "x-api-key": key };
}

function kindOf(status, { code }, headers) {
  if (status === 401 && "session-id" in headers) return "signed_out";
  if (status === 401 || status === 403) return "closed";
  if (status === 429 || code === "idempotency_in_progress") return "busy";
  return status >= 500 ? "unavailable" : "refused";
}

/** For the merchant, on the console: a buyer can do nothing about it. */
const remedies = {
  signed_out: "A session's token lives a day at most: `cargo xtask serve` makes new ones at each start.",
  closed: "See that the publishable key is not revoked, and that `checkout-verifier organisation update` allows this page's origin "
    + "and lets clients confirm.",
};

// Speaks to the verifier: one function for each thing the page asks of it. Every failure becomes a `ServerError`.

/**
 * Why a call failed. `kind`: `offline`, `unavailable` (no usable answer), `busy` (ask again later), `locked` (no valid key or
 * session), or `refused` with the server's own `body`.
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
  shop ??= await call("GET", "/shop.json", { open: true });
  return shop.customers;
}

/** From now on this page speaks for a customer, by an entry of `fetchCustomers`, or for a guest. */
export function speakFor(customer) {
  speaker = customer;
}

/** The price list; for a customer, with that customer and its contracts as they are now. */
export const fetchCatalog = () => call("GET", "/catalog");

let creation = null; // what is being created: asked again, it is the same checkout

/** Stores the checkout, if the server comes to the same estimates. One that is never confirmed expires by itself. */
export async function createCheckout(request, estimates) {
  const body = { ...request, expected_estimates: estimates };
  const text = JSON.stringify([speaker?.id, body]);
  if (creation?.text !== text) creation = { text, key: crypto.randomUUID() };
  try {
    const checkout = await call("POST", "/checkouts", { body, key: creation.key });
    creation = null;
    return checkout;
  } catch (error) {
    if (error.kind === "refused") creation = null; // it is answered, and the next one is another
    throw error;
  }
}

/** Makes the contract. Safe to ask again after a lost answer: it is done once, and answered again. */
export const confirmCheckout = ({ id, client_secret: secret }) =>
  call("POST", `/checkouts/${id}/confirm`, { body: {}, key: `confirm ${id}`, secret });

export const readCheckout = ({ id, client_secret: secret }) => call("GET", `/checkouts/${id}`, { secret });

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
  throw new ServerError(kindOf(response.status, answer), { status: response.status, body: answer, retryAfter });
}

function credentials(secret) {
  const { organisation, publishable_key: key } = shop;
  if (secret) return { organisation, "client-secret": secret };
  return speaker ? { organisation, "session-id": speaker.session_token } : { organisation, "x-api-key": key };
}

function kindOf(status, { code }) {
  if (status === 401 || status === 403) return "locked";
  if (status === 429 || code === "idempotency_in_progress") return "busy";
  return status >= 500 ? "unavailable" : "refused";
}

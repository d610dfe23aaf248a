// Speaks to the verifier: one function for each thing the page asks of it. Every failure becomes a `ServerError`.

/** Why a call failed. `kind`: `offline`, `unavailable` (no usable answer), `busy` (429), or `refused` with the server's own `body`. */
export class ServerError extends Error {
  constructor(kind, { status = null, body = {}, retryAfter = null } = {}) {
    super(body.detail ?? kind);
    this.name = "ServerError";
    Object.assign(this, { kind, status, body, retryAfter });
  }
}

const PATIENCE_MS = 15_000;

/** The price list, with the customers this page may speak for. */
export const fetchCatalog = () => call("GET", "/catalog");

/** A customer's contracts as they are now: those made by checkouts first. */
export async function fetchContracts(customerId) {
  const contracts = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({ customer_id: customerId, limit: "100", ...(cursor && { cursor }) });
    const page = await call("GET", `/contracts?${query}`);
    contracts.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor);
  return contracts;
}

/** Stores the checkout, if the server comes to the same estimates. One that is never confirmed expires by itself. */
export const createCheckout = (request, estimates) => call("POST", "/checkouts", { ...request, expected_estimates: estimates });

/** Makes the contract. Safe to ask again after a lost answer: a checkout is confirmed once, and the refusal says that it is. */
export const confirmCheckout = ({ id }) => call("POST", `/checkouts/${id}/confirm`, {});

export const readCheckout = ({ id }) => call("GET", `/checkouts/${id}`);

async function call(method, path, body) {
  const headers = body ? { "content-type": "application/json" } : {};
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
  const kind = response.status === 429 ? "busy" : response.status >= 500 ? "unavailable" : "refused";
  throw new ServerError(kind, { status: response.status, body: answer, retryAfter });
}

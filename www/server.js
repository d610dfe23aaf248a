// What the pages ask of the verifier themselves; everything of a checkout is the element's.

let shop; // {organisation, publishable_key, customers: [{id, name, session_token}]}, as the merchant's own server knows them

/**
 * The customers who are signed in here. In a real shop that is one at most, and the merchant's server, which made the session
 * with its secret key, has put the token into the page; here `cargo xtask serve` has.
 */
export async function fetchCustomers() {
  shop ??= await read("/shop.json").catch((error) => {
    throw new Error("There is no shop.json, which says whose shop this is: `cargo xtask serve` writes it.", { cause: error });
  });
  return shop.customers;
}

/** Whom the element speaks for, as its attributes: one of the customers, or for null a guest. */
export const speaker = (customer) => ({
  "verifier-url": location.origin,
  organisation: shop.organisation,
  ...(customer ? { "session-token": customer.session_token } : { "publishable-key": shop.publishable_key }),
});

/** The price list; for a customer, with that customer and its contracts as they are now. */
export function fetchCatalog(customer) {
  const { organisation } = shop;
  return read("/catalog", customer ? { organisation, "session-id": customer.session_token } : { organisation, "x-api-key": shop.publishable_key });
}

async function read(path, headers = {}) {
  const response = await fetch(path, { headers, signal: AbortSignal.timeout(15_000) });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${(await response.json().catch(() => ({}))).detail ?? ""}`);
  return response.json();
}

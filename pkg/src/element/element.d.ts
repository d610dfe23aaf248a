import type {
  Catalog, CheckoutPreview, CheckoutPreviewError, CheckoutPreviewLoadError, CheckoutPreviewOptions, CheckoutRequest, Estimates, Problem,
} from "../index.js";

/**
 * `<checkout-preview>`: shows what a checkout costs while the buyer chooses, and takes it to a verifier. Importing this module
 * registers nothing; `checkout-preview/define` does.
 *
 * Fields of the request may be given as attributes (`plan-id`) or by `request`, which wins. Whatever is set is shown once for
 * all that was set in one go; what the buyer has entered stays, unless `request` or the contract is another one.
 *
 * @example
 * <checkout-preview plan-ids="pro_monthly pro_yearly" business-entity-id="shop" verifier-url="https://billing.example"
 *   organisation="org_1" publishable-key="pk_…"></checkout-preview>
 */
export class CheckoutPreviewElement extends HTMLElement {
  /** The snapshot of plans, customers and contracts to price by; where there is none, it is fetched from `verifier-url`. */
  catalog: Catalog | null;
  /**
   * What is asked for, with what the buyer has chosen. To set it is to begin anew from there: its `product_overrides` are what
   * switches and numbers say at first.
   */
  get request(): CheckoutRequest;
  set request(request: CheckoutRequest | null | undefined);
  /** What is shown: `null` before the first preview, while something entered is wrong, and while a contract is unchanged. */
  readonly preview: CheckoutPreview | null;
  /** The session that the verifier has made, from `checkout-create` on. */
  readonly session: CheckoutSession | null;
  /** Texts to be said instead of the element's own, and what products count. */
  get messages(): Partial<CheckoutMessages>;
  set messages(messages: Partial<CheckoutMessages> | null | undefined);
  /** The moment to preview for; by default, now. */
  options: CheckoutPreviewOptions | null | undefined;

  addEventListener<K extends keyof CheckoutPreviewEventMap>(
    type: K, listener: (this: CheckoutPreviewElement, event: CheckoutPreviewEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: K, listener: (this: CheckoutPreviewElement, event: HTMLElementEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

/** The events of `<checkout-preview>`; all bubble and leave shadow roots. */
export interface CheckoutPreviewEventMap {
  /**
   * The buyer has changed something, and this is what it costs; sent in the same task as the input. `preview` is `null` where
   * a contract is as it was again.
   */
  "preview-change": CustomEvent<{ request: CheckoutRequest; preview: CheckoutPreview | null }>;
  /** There is no price: something entered is wrong (`problems`), or the catalog or the engine did not load. */
  "preview-error": CustomEvent<{
    request: CheckoutRequest | null;
    error: CheckoutPreviewError | CheckoutPreviewLoadError | Error;
    problems: Problem[];
  }>;
  /**
   * The buyer wants to go on. A listener may complete the request, such as with `customer_data`; `preventDefault()` keeps the
   * element from asking the verifier, so that the page does.
   */
  "checkout-submit": CustomEvent<{ request: CheckoutRequest; preview: CheckoutPreview }>;
  /** The verifier has come to the same estimates and stored the session. */
  "checkout-create": CustomEvent<{ session: CheckoutSession }>;
  /** The verifier has come to another price, which the buyer is asked about; nothing is stored. */
  "preview-mismatch": CustomEvent<{ shown: CheckoutPreview; preview: CheckoutPreview; differences: { path: string; expected: unknown; actual: unknown }[] }>;
  /** The contract is made or changed. `preventDefault()` keeps the page from going to `success_url`. */
  "checkout-confirm": CustomEvent<{ session: CheckoutSession }>;
  /** The buyer wants no checkout. `preventDefault()` keeps the page from going to `cancel_url`. */
  "checkout-cancel": CustomEvent<{ session: CheckoutSession | null }>;
}

/** A session as the verifier answers it. */
export interface CheckoutSession {
  id: string;
  checkout_status: string;
  created_at: string;
  expires_at: string;
  estimates: Estimates;
  /** Given when the session is made, and needed to confirm it in a browser. */
  client_secret?: string;
  [field: string]: unknown;
}

/** A text, or one for each plural form of `{count}`. */
export type CheckoutMessage = string | { other: string; zero?: string; one?: string; two?: string; few?: string; many?: string };

/** What the element says, by key, as in the package's `dist/element/messages-en.js`; every `{word}` is filled in. */
export type CheckoutMessages = { [key: string]: CheckoutMessage | { [productId: string]: CheckoutMessage } } & {
  /** What is counted, by product: `{ seats: { one: "{count} seat", other: "{count} seats" } }`. */
  units?: { [productId: string]: CheckoutMessage };
};

/** The attributes of `<checkout-preview>`, for the JSX of your framework. */
export interface CheckoutPreviewAttributes {
  /** The plan to subscribe to, or to move the contract to. */
  "plan-id"?: string;
  /** The plans to choose from, by their ids with spaces between; without this and `plan-id`, all that are sold. */
  "plan-ids"?: string;
  /** The running contract to change. */
  "contract-id"?: string;
  "customer-id"?: string;
  "business-entity-id"?: string;
  /** The first day at first, `2026-12-01`. */
  "start-date"?: string;
  "end-date"?: string;
  "success-url"?: string;
  "cancel-url"?: string;
  /** The language of texts, amounts and days; by default that of the nearest `lang`. */
  locale?: string;
  /** Whether the coming twelve months are shown. */
  chart?: boolean | "";
  /** Where the verifier answers. */
  "verifier-url"?: string;
  organisation?: string;
  "publishable-key"?: string;
  /** The token of a customer's session, in place of the publishable key. */
  "session-token"?: string;
}

declare global {
  interface HTMLElementTagNameMap {
    "checkout-preview": CheckoutPreviewElement;
  }
}

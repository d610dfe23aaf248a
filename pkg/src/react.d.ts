import type { Catalog, CheckoutPreview, CheckoutPreviewError, CheckoutPreviewLoadError, CheckoutPreviewOptions, CheckoutRequest, PreparedCatalog } from "./index.js";
import type { CheckoutPreviewAttributes, CheckoutPreviewElement } from "./element/element.js" with { "resolution-mode": "import" };
import type { DetailedHTMLProps, HTMLAttributes } from "react";

/**
 * Previews a checkout in a component: anew whenever the request, the catalog or the options are others, and in the same
 * render. The engine is loaded with the first component that asks.
 *
 * The request and the options may be made anew in every render; they count as others when their JSON is. The catalog
 * counts by identity, so keep it in state or outside; while it is null there is nothing yet.
 *
 * @example
 * const { preview, error } = useCheckoutPreview({ plan_id: "pro", customer_id: "cus_1", product_overrides }, catalog);
 * return error ? <Problems error={error} /> : <Total amount={preview?.estimates.current_invoice.amount_due} />;
 */
export function useCheckoutPreview(
  request: CheckoutRequest,
  catalog: Catalog | PreparedCatalog | null | undefined,
  options?: CheckoutPreviewOptions | null,
): CheckoutPreviewState;

/** What there is to show: nothing yet, a preview, or an error. On a server there is nothing yet. */
export type CheckoutPreviewState =
  | { preview: null; error: null; isLoading: true }
  | { preview: CheckoutPreview; error: null; isLoading: false }
  | { preview: null; error: CheckoutPreviewError | CheckoutPreviewLoadError | Error; isLoading: false };

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      /** `import "checkout-preview/define"` registers it. */
      "checkout-preview": DetailedHTMLProps<HTMLAttributes<CheckoutPreviewElement>, CheckoutPreviewElement> & CheckoutPreviewAttributes
        & Partial<Pick<CheckoutPreviewElement, "catalog" | "messages" | "options">> & { request?: CheckoutRequest | null };
    }
  }
}

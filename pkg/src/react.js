// The preview as a hook: made anew when the request or the catalog is another one, and at once.
import { useMemo, useSyncExternalStore } from "react";
import { createCheckoutPreview, init } from "checkout-preview";

const LOADING = { preview: null, error: null, isLoading: true };

/** What there is without an engine; `null` when there is one. */
let missing = LOADING;
let loading;
const listeners = new Set();

function subscribe(listener) {
  listeners.add(listener);
  loading ??= init().then(() => null, (error) => ({ preview: null, error, isLoading: false })).then((state) => {
    missing = state;
    // A failure is tried again by the next component that comes.
    if (state) loading = undefined;
    for (const tell of listeners) tell();
  });
  return () => listeners.delete(listener);
}

export function useCheckoutPreview(request, catalog, options) {
  // The server renders no preview, and the browser's first render has to be the same.
  const state = useSyncExternalStore(subscribe, () => missing, () => LOADING);
  const now = keyOf(options), asked = keyOf(request);
  return useMemo(() => {
    if (state) return state;
    if (catalog === null || catalog === undefined) return LOADING;
    try {
      return { preview: createCheckoutPreview(request, catalog, options), error: null, isLoading: false };
    } catch (error) {
      return { preview: null, error, isLoading: false };
    }
  }, [state, asked, catalog, now]);
}

/** What tells two requests apart that are made anew in every render; itself where JSON would not tell. */
function keyOf(value) {
  try {
    return JSON.stringify(value, (_, field) => {
      const prototype = typeof field === "object" && field !== null && !Array.isArray(field) && Object.getPrototypeOf(field);
      if (typeof field === "function" || typeof field === "symbol" || (prototype && prototype !== Object.prototype)) throw field;
      return typeof field === "number" && !Number.isFinite(field) ? `${field}` : field;
    });
  } catch {
    return value;
  }
}

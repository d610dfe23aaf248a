// Browsers, workers and every runtime that is not Node: the wasm is fetched, so `init` has to be awaited once.
import __wbg_init from "./engine.js";
import { CheckoutPreviewError, CheckoutPreviewLoadError, createBillingSchedule, createCheckoutPreview, loaded, version, warmUp } from "./api.js";

let loading;

function init(source) {
  // A failure is forgotten, so that the next call tries again.
  loading ??= load(source).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(source) {
  if (typeof WebAssembly === "undefined") {
    throw new CheckoutPreviewLoadError("wasm_unsupported", "this browser has no WebAssembly, or has it switched off");
  }
  const module = await compile(await fetched(source));
  try {
    if (!WebAssembly.Module.exports(module).some(({ name }) => name === "preview")) throw new Error("no preview in it");
    await __wbg_init({ module_or_path: module });
  } catch (error) {
    const message = `the wasm is not the engine of version ${version}: ${error?.message}`;
    throw new CheckoutPreviewLoadError("wasm_invalid", message, error);
  }
  loaded();
  warmUp();
}

/** What to compile: a Response, bytes or a Module. */
async function fetched(source) {
  let given = await source;
  if (given === undefined || given === null) {
    given = new URL("./engine_bg.wasm", import.meta.url);
  }
  const isAddress = typeof given === "string" || given instanceof URL
    || (typeof Request === "function" && given instanceof Request);
  if (!isAddress) return given;
  try {
    return await fetch(given);
  } catch (error) {
    throw new CheckoutPreviewLoadError("wasm_not_fetched", `${given.url ?? given} could not be fetched`, error);
  }
}

async function compile(given) {
  if (given instanceof WebAssembly.Module) return given;
  const isResponse = typeof Response === "function" && given instanceof Response;
  if (isResponse && !given.ok) {
    throw new CheckoutPreviewLoadError("wasm_not_fetched", `${given.url} answered ${given.status} instead of the wasm`);
  }
  try {
    if (!isResponse) return await WebAssembly.compile(given);
    // Streaming is refused for any other content type, and some servers know none for wasm.
    const type = given.headers.get("content-type") ?? "";
    return type.trim().toLowerCase() === "application/wasm" && WebAssembly.compileStreaming
      ? await WebAssembly.compileStreaming(given)
      : await WebAssembly.compile(await given.arrayBuffer());
  } catch (error) {
    if (/content security policy|\bCSP\b|unsafe-eval/i.test(error?.message)) {
      const message = "the page's Content-Security-Policy blocks WebAssembly: add 'wasm-unsafe-eval' to its script-src";
      throw new CheckoutPreviewLoadError("wasm_blocked", message, error);
    }
    throw new CheckoutPreviewLoadError("wasm_invalid", `what was loaded is no WebAssembly: ${error?.message}`, error);
  }
}

export { CheckoutPreviewError, CheckoutPreviewLoadError, createBillingSchedule, createCheckoutPreview, init, version };

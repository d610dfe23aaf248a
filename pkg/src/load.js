// From a Response, bytes or a Module to the engine, and why not.
import { checked, CheckoutPreviewLoadError, start } from "./api.js";

/** An `init`, by what the wasm is taken from where nobody says otherwise. */
export function loader(usual) {
  let loading;
  return function init(source) {
    // A failure is forgotten, so that the next call tries again.
    loading ??= load(source, usual).catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}

async function load(source, usual) {
  if (typeof WebAssembly === "undefined") {
    throw new CheckoutPreviewLoadError("wasm_unsupported", "this browser has no WebAssembly, or has it switched off");
  }
  const module = checked(await compile(await found(source, usual)));
  // Not at once: on a page's main thread browsers before 2023 refuse that.
  start(module, await WebAssembly.instantiate(module));
}

/** What to compile: a Response, bytes or a Module. */
async function found(source, usual) {
  let given = source;
  try {
    given = (await source) ?? usual();
    const isAddress = typeof given === "string" || given instanceof URL
      || (typeof Request === "function" && given instanceof Request);
    return isAddress ? await fetch(given) : given;
  } catch (error) {
    throw new CheckoutPreviewLoadError("wasm_not_fetched", `${given?.url ?? given} could not be fetched`, error);
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
    if (isResponse && !(error instanceof WebAssembly.CompileError)) {
      throw new CheckoutPreviewLoadError("wasm_not_fetched", `${given.url || "the response"} could not be read`, error);
    }
    throw new CheckoutPreviewLoadError("wasm_invalid", `what was loaded is no WebAssembly: ${error?.message}`, error);
  }
}

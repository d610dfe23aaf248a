// Browsers, their workers and every runtime that has no loader of its own: the wasm is fetched.
import { loader } from "./load.js";

export const init = loader(() => new URL("./engine_bg.wasm", import.meta.url));

export * from "./public.js";

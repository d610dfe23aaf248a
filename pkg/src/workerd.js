// Cloudflare Workers: an import of wasm is a compiled module, and the only way to one.
import module from "./engine_bg.wasm";
import { checked, start } from "./api.js";

start(checked(module));

export async function init() {}

export * from "./public.js";

// Cloudflare Workers: an import of wasm is a compiled module, and the only way to one.
import module from "./engine_bg.wasm";
import { start } from "./api.js";

start(module);

export async function init() {}

export * from "./public.js";

// Deno: an import of wasm's source is a compiled module, and takes no permission to read.
import source module from "./engine_bg.wasm";
import { start } from "./api.js";

start(module);

export async function init() {}

export * from "./public.js";

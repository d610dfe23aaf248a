// Deno: an import of wasm's source is a compiled module, and takes no permission to read.
import source module from "./engine_bg.wasm";
import { checked, start } from "./api.js";

start(checked(module));

export async function init() {}

export * from "./public.js";

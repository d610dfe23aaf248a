// Bun, and servers that are bundled: the bundler takes the script and nothing that lies beside it, so the wasm stands in it.
import bytes from "./engine_bg.wasm";
import { checked, start } from "./api.js";

start(checked(new WebAssembly.Module(bytes)));

export async function init() {}

export * from "./public.js";

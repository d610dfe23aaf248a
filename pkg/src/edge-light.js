// Vercel: as on Workers, and said with `?module`.
import module from "./engine_bg.wasm?module";
import { start } from "./api.js";

start(module);

export async function init() {}

export * from "./public.js";

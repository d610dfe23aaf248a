// Vercel: as on Workers, and said with `?module`.
import module from "./engine_bg.wasm?module";
import { checked, start } from "./api.js";

start(checked(module));

export async function init() {}

export * from "./public.js";

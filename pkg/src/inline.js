// Where a second file is one too many: the wasm stands in this one.
import bytes from "./engine_bg.wasm";
import { loader } from "./load.js";

export const init = loader(() => bytes);

export * from "./public.js";

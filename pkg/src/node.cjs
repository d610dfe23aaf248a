// Node: the wasm lies beside this file and is loaded with it, so there is nothing to wait for.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { checked, start } = require("./api.js");

start(checked(new WebAssembly.Module(readFileSync(join(__dirname, "engine_bg.wasm")))));

async function init() {}

module.exports = { ...require("./public.js"), init };

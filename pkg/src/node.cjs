// Node: the wasm lies beside this file and is loaded with it, so there is nothing to wait for.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

initSync({ module: new WebAssembly.Module(readFileSync(join(__dirname, "engine_bg.wasm"))) });
loaded();

async function init() {}

module.exports = { CheckoutPreviewError, CheckoutPreviewLoadError, createBillingSchedule, createCheckoutPreview, init, version };

// The packed package in a browser, without a bundler: how it loads, and how it says that it cannot.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchChromium } from "./chromium.mjs";
import { installed } from "./project.mjs";

const page = `<!doctype html><title>test</title>
<script type="importmap">{ "imports": { "checkout-preview": "/dist/browser.js" } }</script>
<script type="module">globalThis.door = await import("checkout-preview"); document.title = "ready";</script>`;

/** Without 'wasm-unsafe-eval'. */
const strict = "default-src 'none'; script-src 'self' 'unsafe-inline'; connect-src 'self'";

let server;
let browser;
let requests;
let failures;

before(async () => {
  server = createServer(({ url }, response) => {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    requests.push(pathname);
    if (pathname === "/" || pathname === "/favicon.ico") {
      const policy = searchParams.has("wasm") ? strict.replace("'self'", "'self' 'wasm-unsafe-eval'") : strict;
      return response.writeHead(200, { "content-type": "text/html", ...(searchParams.has("strict") && { "content-security-policy": policy }) }).end(page);
    }
    if (pathname.endsWith(".wasm") && failures-- > 0) return response.writeHead(503).end();
    const type = pathname.endsWith(".js") ? "text/javascript" : searchParams.get("type") ?? "application/wasm";
    if (pathname.startsWith("/plain/")) return response.writeHead(200).end(readFileSync(join(installed, "dist", pathname.slice(7))));
    response.writeHead(200, { "content-type": type }).end(readFileSync(join(installed, pathname)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  server.close();
});

/** What a function comes to in a page that has the package in `door`. */
async function inPage(work, { query = "", failing = 0 } = {}) {
  requests = [];
  failures = failing;
  const tab = await browser.newPage();
  try {
    await tab.goto(`http://127.0.0.1:${server.address().port}/${query}`);
    await tab.waitForFunction(() => document.title === "ready");
    await tab.evaluate(() => {
      const catalog = {
        customers: [{ id: "cus" }],
        plans: [{ id: "pro", currency: "USD", phases: [{ pricings: [
          { id: "fee", product: { id: "fee" }, pricing_data: { pricing_type: "flat_fee", unit_amount: "9.90" } },
        ] }] }],
      };
      globalThis.total = () => door.createCheckoutPreview({ plan_id: "pro", customer_id: "cus" }, catalog).estimates.current_invoice.total;
      /** What a call throws, as `name code message`. */
      globalThis.told = async (call) => {
        try {
          await call();
          return "nothing was thrown";
        } catch (error) {
          return `${error.name} ${error.code} ${error.message} ${error instanceof door.CheckoutPreviewLoadError}`;
        }
      };
    });
    return await tab.evaluate(work);
  } finally {
    await tab.close();
  }
}

test("two requests load it, and init may be awaited again", async () => {
  const totals = await inPage(async () => {
    await Promise.all([door.init(), door.init()]);
    await door.init();
    return [total(), await door.init().then(total)];
  });
  assert.deepEqual(totals, ["9.90", "9.90"]);
  assert.deepEqual(requests.filter((path) => path.startsWith("/dist/")), ["/dist/browser.js", "/dist/engine_bg.wasm"]);
});

test("a preview before init says what to do", async () => {
  const told = await inPage(() => globalThis.told(total));
  assert.equal(told, "CheckoutPreviewLoadError not_loaded `await init()` before the first createCheckoutPreview true");
});

test("the wasm may come from an address, a Response, bytes or a Module", async () => {
  for (const source of [
    () => "/dist/engine_bg.wasm", () => new URL("/dist/engine_bg.wasm", location.href), () => new Request("/dist/engine_bg.wasm"),
    () => fetch("/dist/engine_bg.wasm"), async () => (await fetch("/dist/engine_bg.wasm")).arrayBuffer(),
    async () => new Uint8Array(await (await fetch("/dist/engine_bg.wasm")).arrayBuffer()),
    () => WebAssembly.compileStreaming(fetch("/dist/engine_bg.wasm")),
  ]) {
    assert.equal(await inPage(`(async () => { await door.init((${source})()); return total(); })()`), "9.90", String(source));
  }
});

test("a server that knows no content type for wasm will do", async () => {
  for (const address of ["/plain/engine_bg.wasm", "/dist/engine_bg.wasm?type=text/plain", "/dist/engine_bg.wasm?type=application/wasm;v=1"]) {
    assert.equal(await inPage(`door.init("${address}").then(total)`), "9.90", address);
  }
});

test("a failure is told, and the next init tries again", async () => {
  const [first, second] = await inPage(async () => [await told(() => door.init()), await door.init().then(total)], { failing: 1 });
  assert.match(first, /^CheckoutPreviewLoadError wasm_not_fetched http.*engine_bg\.wasm answered 503 instead of the wasm true$/);
  assert.equal(second, "9.90");
});

test("what is no engine is told", async () => {
  assert.match(await inPage(() => told(() => door.init("/dist/browser.js"))), /^CheckoutPreviewLoadError wasm_invalid .* true$/);
  assert.match(await inPage(() => told(() => door.init(new Uint8Array([1, 2])))), /^CheckoutPreviewLoadError wasm_invalid .* true$/);
  const emptyModule = () => told(() => door.init(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])));
  assert.match(await inPage(emptyModule), /^CheckoutPreviewLoadError wasm_invalid .* true$/);
  assert.match(await inPage(() => told(() => door.init("http://127.0.0.1:1/"))), /^CheckoutPreviewLoadError wasm_not_fetched .* true$/);
});

test("a source that breaks off, or never came, is told as not fetched", async () => {
  const brokenOff = () => told(() => door.init(new Response(new ReadableStream({ start: (stream) => stream.error(new Error("cut")) }))));
  assert.match(await inPage(brokenOff), /^CheckoutPreviewLoadError wasm_not_fetched the response could not be read true$/);
  const typed = () => told(() => door.init(new Response(new ReadableStream({ start: (stream) => stream.error(new Error("cut")) }), { headers: { "content-type": "application/wasm" } })));
  assert.match(await inPage(typed), /^CheckoutPreviewLoadError wasm_not_fetched the response could not be read true$/);
  assert.match(await inPage(() => told(() => door.init(Promise.reject(new Error("mine"))))), /^CheckoutPreviewLoadError wasm_not_fetched .* true$/);
});

test("a policy that forbids WebAssembly is named, with what to add", async () => {
  const told = await inPage(() => globalThis.told(() => door.init()), { query: "?strict" });
  const message = "the page's Content-Security-Policy blocks WebAssembly: add 'wasm-unsafe-eval' to its script-src";
  assert.equal(told, `CheckoutPreviewLoadError wasm_blocked ${message} true`);
  assert.equal(await inPage(() => door.init().then(total), { query: "?strict&wasm" }), "9.90");
});

test("a browser without WebAssembly is told", async () => {
  const told = await inPage(() => {
    delete globalThis.WebAssembly;
    return globalThis.told(() => door.init());
  });
  assert.match(told, /^CheckoutPreviewLoadError wasm_unsupported .* true$/);
});

test("it works in a worker", async () => {
  const total = await inPage(() => new Promise((resolve, reject) => {
    const code = `import { init, createCheckoutPreview } from "${location.origin}/dist/browser.js";
      await init();
      try { createCheckoutPreview({}, {}); } catch (error) { postMessage(error.code); }`;
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
  }));
  assert.equal(total, "plan_id_required");
});

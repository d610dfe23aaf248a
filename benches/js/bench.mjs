// The package against the same rules in JavaScript, against reading its own output as JSON and against the native engine:
// in Node, then in Chromium. `cargo xtask bench --js` builds what it needs and runs it.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { benchCase, LINES, OPTIONS, TYPES } from "./cases.mjs";
import { measure, median } from "./measure.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const [native, chromium] = process.argv.slice(2);

/** Microseconds a call of the native engine, by type and lines. */
function nativeTimes() {
  const cases = TYPES.flatMap((type) => LINES.map((lines) => {
    const { catalog, request } = benchCase(lines, type);
    return { catalog, requests: Array.from({ length: 97 }, (_, i) => request(i)), ...OPTIONS };
  }));
  const input = cases.map((each) => `${JSON.stringify(each)}\n`).join("");
  return execFileSync(native, { input, encoding: "utf8" }).trim().split("\n").map(Number);
}

const GOALS = { "big.js": 0.5, "decimal.js": 0.5, "JSON.parse": 2, native: 5 };

function print(place, rows, natives) {
  console.log(`\n${place}: microseconds a call, and how many times as long as each (goal)`);
  console.log(["", "lines", "kB", "µs", ...Object.entries(GOALS).map(([name, goal]) => `/ ${name} (${goal})`)].map((text, index) => text.padStart(index ? 20 : 16)).join(""));
  rows.forEach(({ type, lines, bytes, times }, index) => {
    const ours = times["checkout-preview"];
    const others = { ...times, native: natives[index] };
    const ratios = Object.entries(GOALS).map(([name, goal]) => {
      const ratio = ours / others[name];
      return `${others[name].toFixed(1)} µs: ${ratio.toFixed(2)} ${ratio <= goal ? "✓" : "✗"}`;
    });
    console.log([type, lines, (bytes / 1000).toFixed(1), ours.toFixed(1), ...ratios].map((text, index) => String(text).padStart(index ? 20 : 16)).join(""));
  });
}

const natives = nativeTimes();
const door = createRequire(import.meta.url)(join(root, "pkg/dist/node.cjs"));
print(`Node ${process.version}`, measure(door), natives);

// ── In a page ────────────────────────────────────────────────────────────────────────────────────────────────────────

const TYPES_OF_FILES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
const map = { imports: { "big.js": "/benches/js/node_modules/big.js/big.mjs", "decimal.js": "/benches/js/node_modules/decimal.js/decimal.mjs" } };
const page = `<!doctype html><script type="importmap">${JSON.stringify(map)}</script><title>bench</title>`;
/** In a page: moves the first slider in each of many frames. */
async function moveSlider([catalog, options, chart]) {
  await import("/pkg/dist/element/define.js");
  const element = document.createElement("checkout-preview");
  Object.assign(element, { catalog, options, request: { plan_id: "plan_team", customer_id: "cus_1" } });
  element.toggleAttribute("chart", chart);
  document.body.append(element);
  while (!element.preview) await new Promise((resolve) => setTimeout(resolve, 10));
  const slider = element.shadowRoot.querySelector("[type=range]");
  const work = [], frames = [];
  let last = performance.now();
  for (let step = 0; step < 200; step++) {
    await new Promise(requestAnimationFrame);
    const began = performance.now();
    frames.push(began - last);
    last = began;
    slider.value = String(1 + ((step * 7) % 90));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    work.push(performance.now() - began);
  }
  return { work, frames };
}

const server = createServer(({ url }, response) => {
  const { pathname } = new URL(url, "http://localhost");
  if (pathname === "/") return response.writeHead(200, { "content-type": "text/html" }).end(page);
  try {
    const file = readFileSync(join(root, pathname));
    // Fetched anew for every page, as by whoever comes for the first time.
    response.writeHead(200, { "content-type": TYPES_OF_FILES[extname(pathname)], "cache-control": "no-store" }).end(file);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const { chromium: playwright } = createRequire(join(root, "tests/node_modules/-"))("playwright-core");
const browser = await playwright.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
try {
  const opened = await browser.newPage();
  await opened.goto(origin);
  const rows = await opened.evaluate(async () => {
    const door = await import("/pkg/dist/browser.js");
    await door.init();
    return (await import("/benches/js/measure.mjs")).measure(door);
  });
  print(`Chromium ${browser.version()}`, rows, natives);

  const first = [];
  const { catalog, request } = benchCase(5, "plan_based");
  for (let round = 0; round < 15; round++) {
    const context = await browser.newContext();
    const fresh = await context.newPage();
    await fresh.goto(origin);
    first.push(await fresh.evaluate(async ([catalog, request, options]) => {
      const door = await import("/pkg/dist/browser.js");
      const start = performance.now();
      await door.init();
      door.createCheckoutPreview(request, catalog, options);
      return performance.now() - start;
    }, [catalog, request(1), OPTIONS]));
    await context.close();
  }
  const shown = first.map((time) => time.toFixed(1)).join(" ");
  console.log(`\nFirst preview in a new page of Chromium (fetch, compile, call), of 5 lines: ${median(first).toFixed(1)} ms (goal 20); all: ${shown}`);

  // The element: a slider moves in every frame, and each preview is drawn in the one that it was asked in.
  console.log("\n<checkout-preview> of 200 lines in Chromium while a slider moves: ms of work for a step, and from frame to frame (goal 16.7)");
  for (const chart of [false, true]) {
    const moving = await browser.newPage();
    await moving.goto(origin);
    const { work, frames } = await moving.evaluate(moveSlider, [benchCase(200, "plan_based").catalog, OPTIONS, chart]);
    const part = (times, share) => times.slice(20).sort((one, other) => one - other)[Math.floor((times.length - 20) * share)].toFixed(1);
    console.log(`${chart ? "with" : "without"} the chart: work ${part(work, 0.5)}, 95 % within ${part(work, 0.95)}; frames ${part(frames, 0.5)}, 95 % within ${part(frames, 0.95)}`);
    await moving.close();
  }
} finally {
  await browser.close();
  server.close();
}

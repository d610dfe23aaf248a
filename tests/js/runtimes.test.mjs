// The packed package in everything that runs JavaScript: an empty project each, and one suite in all of them.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { nativeAnswers } from "./native.mjs";
import { emptyProject, root } from "./project.mjs";

const here = fileURLToPath(new URL("runtimes", import.meta.url));
const modules = join(root, "tests/node_modules");
const esbuildProgram = join(root, "xtask/node_modules/.bin/esbuild");

// ── What is run ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Every tenth case of the corpus, and what the server answers: a module that exports them as text. */
const casesModule = (() => {
  const folder = join(root, "tests/cases");
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort().filter((_, index) => index % 10 === 0);
  const inputs = names.map((name, index) => {
    const { request, catalog, as_of, now } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return { request, catalog, as_of, now, ...(index % 5 === 0 && { schedule: 12 }) };
  });
  const answers = nativeAnswers(inputs.map((input) => JSON.stringify(input)));
  const cases = names.map((name, index) => ({ name, input: inputs[index], answer: answers[index] }));
  return `export default ${JSON.stringify(JSON.stringify(cases))};\n`;
})();

const MAIN = `import { suite } from "./suite.mjs";
import cases from "./cases.mjs";
export const kept = () => suite(door, JSON.parse(cases));
`;
const FROM_PACKAGE = `import * as door from "checkout-preview";\n`;
const INLINE = `import * as door from "checkout-preview/inline";\n`;
/** For a command line. */
const PRINT = `kept().then((checks) => console.log(\`kept \${checks}\`));\n`;
/** For a page. */
const REPORT = `kept().then((checks) => \`kept \${checks}\`, (error) => \`\${error?.stack ?? error}\`)
  .then((body) => fetch(\`/report\${location.search}\`, { method: "POST", body }));\n`;

function project(name, main, file = "main.mjs") {
  const folder = emptyProject(name);
  copyFileSync(join(here, "suite.mjs"), join(folder, "suite.mjs"));
  writeFileSync(join(folder, "cases.mjs"), casesModule);
  writeFileSync(join(folder, file), main);
  return folder;
}

const run = (program, words, folder, environment = {}) => execFileSync(program, words, {
  cwd: folder, encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1", ...environment },
});
/** All of the suite ran, and printed so. */
function assertKept(text) {
  const [, checks] = /^kept (\d+)$/m.exec(text) ?? assert.fail(text);
  assert(Number(checks) > 150, text);
}

// ── Command lines ────────────────────────────────────────────────────────────────────────────────────────────────────

const REQUIRE = `const door = require("checkout-preview");
Promise.all([import("./suite.mjs"), import("./cases.mjs")]).then(([{ suite }, { default: cases }]) => suite(door, JSON.parse(cases)))
  .then((checks) => console.log(\`kept \${checks}\`));
`;

/** A runtime that comes as an npm package, for some kinds of machines only. */
function binary(path) {
  const file = join(modules, path);
  return existsSync(file) ? file : undefined;
}

const deno = binary("@deno/linux-x64-glibc/deno");
const bun = binary("@oven/bun-linux-x64/bin/bun");
const workerd = binary("@cloudflare/workerd-linux-64/bin/workerd");
const without = (program, name) => (program ? false : `${name} is not installed for this kind of machine`);

test("Node, import", () => assertKept(run(process.execPath, ["main.mjs"], project("node-import", FROM_PACKAGE + MAIN + PRINT))));

test("Node, require", () => assertKept(run(process.execPath, ["main.cjs"], project("node-require", REQUIRE, "main.cjs"))));

test("Node, require, as a test runner that plays a browser", () => {
  assertKept(run(process.execPath, ["--conditions=browser", "main.cjs"], project("node-browser", REQUIRE, "main.cjs")));
});

test("Node, inline", () => assertKept(run(process.execPath, ["main.mjs"], project("node-inline", INLINE + MAIN + PRINT))));

test("Node, bundled into one file", () => {
  const folder = project("node-bundled", FROM_PACKAGE + MAIN + PRINT);
  esbuild(["--platform=node", "--outfile=elsewhere/server.mjs"], folder);
  rmSync(join(folder, "node_modules"), { recursive: true });
  assertKept(run(process.execPath, ["elsewhere/server.mjs"], folder));
});

test("Deno, with no permission at all", { skip: without(deno, "Deno") }, () => {
  const folder = project("deno", FROM_PACKAGE + MAIN + PRINT);
  assertKept(run(deno, ["run", "--no-prompt", "--no-remote", "--node-modules-dir=manual", "main.mjs"], folder));
});

test("Bun, import", { skip: without(bun, "Bun") }, () => assertKept(run(bun, ["main.mjs"], project("bun-import", FROM_PACKAGE + MAIN + PRINT))));

test("Bun, bundled into one file", { skip: without(bun, "Bun") }, () => {
  const folder = project("bun-bundled", FROM_PACKAGE + MAIN + PRINT);
  run(bun, ["build", "main.mjs", "--target=bun", "--outfile=elsewhere/server.js"], folder);
  rmSync(join(folder, "node_modules"), { recursive: true });
  assertKept(run(bun, ["elsewhere/server.js"], folder));
});

test("Bun, require", { skip: without(bun, "Bun") }, () => assertKept(run(bun, ["main.cjs"], project("bun-require", REQUIRE, "main.cjs"))));

// ── Workers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const esbuild = (words, folder, environment) =>
  run(esbuildProgram, ["main.mjs", "--bundle", "--format=esm", "--log-level=warning", ...words], folder, environment);

test("workerd", { skip: without(workerd, "workerd") }, () => {
  const folder = project("workerd", `${FROM_PACKAGE}${MAIN}export default { async test() { console.log(\`kept \${await kept()}\`); } };\n`);
  // As wrangler bundles: the conditions of Workers, the wasm beside the script.
  esbuild(["--conditions=workerd,worker,browser", "--external:*.wasm", "--outfile=worker.js"], folder);
  copyFileSync(join(folder, "node_modules/checkout-preview/dist/engine_bg.wasm"), join(folder, "engine_bg.wasm"));
  writeFileSync(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "./engine_bg.wasm", wasm = embed "engine_bg.wasm")],
  compatibilityDate = "2024-09-23"))]);
`);
  const { stdout, stderr, status } = spawnSync(workerd, ["test", "config.capnp"], { cwd: folder, encoding: "utf8", timeout: 120_000 });
  assert.equal(status, 0, stderr);
  assertKept(stdout + stderr);
});

test("the edge runtime's way of importing a module", () => {
  const folder = project("edge-light", FROM_PACKAGE + MAIN + PRINT);
  const wasm = join(folder, "node_modules/checkout-preview/dist/engine_bg.wasm");
  esbuild(["--conditions=edge-light", "--external:*.wasm?module", "--outfile=edge.mjs"], folder);
  // What Vercel's bundler puts in its place: a module compiled before.
  const text = readFileSync(join(folder, "edge.mjs"), "utf8");
  const [statement, name] = /^import ([\w$]+) from "\.\/engine_bg\.wasm\?module";$/m.exec(text);
  writeFileSync(join(folder, "edge.mjs"), text.replace(statement, `import { readFileSync } from "node:fs";
const ${name} = new WebAssembly.Module(readFileSync(${JSON.stringify(wasm)}));`));
  assertKept(run(process.execPath, ["edge.mjs"], folder));
});

// ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const browsers = { Chromium: process.env.CHROMIUM, Firefox: process.env.FIREFOX };

let server;
let origin;
const reports = new Map();
const folders = new Map();

before(async () => {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    if (pathname === "/report") {
      let text = "";
      request.on("data", (chunk) => (text += chunk)).on("end", () => {
        reports.get(searchParams.get("run"))?.(text);
        response.end();
      });
      return;
    }
    const [, name, ...path] = pathname.split("/");
    const file = folders.has(name) && join(folders.get(name), path.join("/") || "index.html");
    if (!file || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server?.close());

/** Opens a page in a browser until it has reported. */
async function reportOf(browser, address) {
  const id = `${Math.random()}`;
  const profile = mkdtempSync(join(tmpdir(), "checkout-preview-"));
  const words = browser === "Chromium"
    ? ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", `--user-data-dir=${profile}`]
    : ["--headless", "--no-remote", "--profile", profile];
  let process;
  try {
    return await new Promise((resolve, reject) => {
      reports.set(id, resolve);
      process = spawn(browsers[browser], [...words, `${address}?run=${id}`], { stdio: "ignore", detached: true });
      process.on("error", reject);
      setTimeout(() => reject(new Error(`${browser} did not report from ${address}`)), 90_000).unref();
    });
  } finally {
    reports.delete(id);
    await new Promise((resolve) => {
      if (process.exitCode !== null) return resolve();
      process.on("exit", resolve);
      // The browser's helpers, too.
      globalThis.process.kill(-process.pid, "SIGKILL");
    });
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const page = (script) => `<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="${script}"></script>`;

/** How a page gets the package: each makes a folder to serve. */
const PAGES = {
  "a plain page": (folder) => {
    const map = JSON.stringify({ imports: { "checkout-preview": "./node_modules/checkout-preview/dist/browser.js" } });
    writeFileSync(join(folder, "index.html"), page("./main.mjs").replace("<title>", `<script type="importmap">${map}</script><title>`));
    return folder;
  },
  Vite: async (folder) => {
    writeFileSync(join(folder, "index.html"), page("/main.mjs"));
    const { build } = await import(pathToFileURL(join(modules, "vite/dist/node/index.js")));
    await build({ root: folder, base: "./", logLevel: "warn", configFile: false });
    return join(folder, "dist");
  },
  webpack: async (folder) => {
    const webpack = createRequire(join(modules, "-"))("webpack");
    const options = { mode: "production", context: folder, entry: "./main.mjs", output: { path: join(folder, "dist"), filename: "main.js", publicPath: "auto" }, performance: false };
    const stats = await new Promise((resolve, reject) => webpack(options, (error, stats) => (error ? reject(error) : resolve(stats))));
    assert(!stats.hasErrors() && !stats.hasWarnings(), stats.toString());
    writeFileSync(join(folder, "dist/index.html"), page("./main.js"));
    return join(folder, "dist");
  },
  esbuild: (folder) => {
    // esbuild copies what is imported, and is told where that lies.
    const named = `import address from "checkout-preview/engine_bg.wasm";\nimport * as all from "checkout-preview";\n`
      + `const door = { ...all, init: () => all.init(new URL(address, import.meta.url)) };\n`;
    writeFileSync(join(folder, "main.mjs"), named + MAIN + REPORT);
    esbuild(["--loader:.wasm=file", "--outdir=dist"], folder);
    writeFileSync(join(folder, "dist/index.html"), page("./main.js"));
    return join(folder, "dist");
  },
  "esbuild, inline": (folder) => {
    writeFileSync(join(folder, "main.mjs"), INLINE + MAIN + REPORT);
    esbuild(["--outdir=dist"], folder);
    writeFileSync(join(folder, "dist/index.html"), page("./main.js"));
    return join(folder, "dist");
  },
};

for (const [way, made] of Object.entries(PAGES)) {
  const name = way.replaceAll(/\W+/g, "-");
  let folder;
  for (const browser of Object.keys(browsers)) {
    test(`${way}, ${browser}`, { skip: browsers[browser] ? false : `${browser} is not installed` }, async () => {
      folder ??= await made(project(name, FROM_PACKAGE + MAIN + REPORT));
      folders.set(name, folder);
      assertKept(await reportOf(browser, `${origin}/${name}/`));
    });
  }
}

for (const browser of Object.keys(browsers)) {
  test(`the React hook, ${browser}`, { skip: browsers[browser] ? false : `${browser} is not installed` }, async () => {
    const folder = emptyProject("react");
    copyFileSync(join(here, "react.mjs"), join(folder, "react.mjs"));
    writeFileSync(join(folder, "main.mjs"), `import { hook } from "./react.mjs";
hook().then(JSON.stringify, (error) => String(error?.stack ?? error)).then((body) => fetch("/report" + location.search, { method: "POST", body }));\n`);
    // React is found beside these tests: the package brings none.
    esbuild(["--outdir=dist", "--define:process.env.NODE_ENV=\"production\""], folder, { NODE_PATH: modules });
    copyFileSync(join(folder, "node_modules/checkout-preview/dist/engine_bg.wasm"), join(folder, "dist/engine_bg.wasm"));
    writeFileSync(join(folder, "dist/index.html"), page("./main.js"));
    folders.set("react", join(folder, "dist"));
    assert.deepEqual(JSON.parse(await reportOf(browser, `${origin}/react/`)), [
      "…", "120.00", "240.00", "invalid_decimal", "invalid_decimal", "override_empty", "invalid_decimal", "invalid_decimal", "20.00",
      "120.00",
    ]);
  });
}

test("the React hook on a server shows that it is loading", () => {
  const folder = emptyProject("react-server");
  for (const name of ["react", "react-dom", "scheduler"]) cpSync(join(modules, name), join(folder, "node_modules", name), { recursive: true });
  const script = `const { createElement } = require("react");
const { useCheckoutPreview } = require("checkout-preview/react");
const Total = () => createElement("p", null, JSON.stringify(useCheckoutPreview({ plan_id: "pro" }, {})));
console.log(require("react-dom/server").renderToStaticMarkup(createElement(Total)).replaceAll("&quot;", '"'));\n`;
  writeFileSync(join(folder, "main.cjs"), script);
  assert.equal(run(process.execPath, ["main.cjs"], folder), `<p>{"preview":null,"error":null,"isLoading":true}</p>\n`);
});

for (const browser of Object.keys(browsers)) {
  test(`Vite's development server, ${browser}`, { skip: browsers[browser] ? false : `${browser} is not installed` }, async () => {
    const folder = project("vite-dev", FROM_PACKAGE + MAIN + REPORT);
    writeFileSync(join(folder, "index.html"), page("/main.mjs"));
    const { createServer: createVite } = await import(pathToFileURL(join(modules, "vite/dist/node/index.js")));
    const vite = await createVite({
      root: folder, configFile: false, logLevel: "error", server: { port: 0, host: "127.0.0.1", proxy: { "/report": origin } },
    });
    try {
      await vite.listen();
      assertKept(await reportOf(browser, `http://127.0.0.1:${vite.httpServer.address().port}/`));
    } finally {
      await vite.close();
    }
  });
}

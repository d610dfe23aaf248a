// The package as it is packed: what is in it, what it says of itself, how it is found.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { imported, installed, project, required, root } from "./project.mjs";

const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
const read = (name) => readFileSync(join(installed, "dist", name), "utf8");

const ELEMENT = [
  "chart.js", "checkout.js", "contract.js", "define.d.ts", "define.js", "element.d.ts", "element.js", "messages-ar.js", "messages-de.js",
  "messages-en.js", "messages-fr.js", "messages-ja.js", "plans.js", "tiers.js",
];

test("it holds what it needs and nothing else", () => {
  const files = readdirSync(installed, { recursive: true }).filter((name) => statSync(join(installed, name)).isFile());
  assert.deepEqual(files.sort(), [
    "LICENSE-APACHE", "LICENSE-MIT", "README.md", "define/package.json", "dist/browser.js", "dist/bundled.js", "dist/custom-elements.json", "dist/deno.js",
    "dist/edge-light.js", ...ELEMENT.map((name) => `dist/element/${name}`), "dist/engine_bg.wasm", "dist/engine_bg.wasm.d.ts", "dist/index.d.cts", "dist/index.d.ts", "dist/inline.cjs", "dist/inline.d.cts", "dist/inline.d.ts",
    "dist/inline.js", "dist/node.cjs", "dist/node.js", "dist/react.cjs", "dist/react.d.cts", "dist/react.d.ts", "dist/react.js",
    "dist/workerd.js", "element/package.json", "inline/package.json", "package.json", "react/package.json",
  ]);
});

test("it runs nothing on installation and depends on nothing", () => {
  for (const field of ["scripts", "dependencies", "optionalDependencies", "bin"]) assert.equal(manifest[field], undefined);
  assert.deepEqual(Object.keys(manifest.peerDependencies), ["react"]);
  assert.equal(manifest.peerDependenciesMeta.react.optional, true);
});

test("it names no place on the machine that built it", () => {
  const wasm = readFileSync(join(installed, "dist/engine_bg.wasm"), "latin1");
  for (const place of ["/root/", "/home/", "/Users/", root, process.env.HOME]) assert(!wasm.includes(place), place);
});

test("its version is the engine's", () => {
  const [, version] = /^\[workspace\.package\]\nversion = "(.+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"));
  assert.equal(manifest.version, version);
  assert.equal(imported.version, version);
});

test("import and require give one engine", () => {
  const names = ["CheckoutPreviewError", "CheckoutPreviewLoadError", "PreparedCatalog", "createBillingSchedule", "createCheckoutPreview",
    "detectCheckoutType", "init", "prepareCatalog", "version"];
  assert.deepEqual(Object.keys(required).sort(), names);
  assert.deepEqual(Object.keys(imported).sort(), names);
  for (const name of names) assert.equal(imported[name], required[name]);
});

test("in Node there is nothing to wait for, and waiting is free", async () => {
  assert.throws(() => required.createCheckoutPreview({}, null), required.CheckoutPreviewError);
  assert.equal(await required.init(), undefined);
  assert.equal(await imported.init("/elsewhere.wasm"), undefined);
});

test("in Node it loads from where it lies, whatever the working folder", () => {
  const script = `process.stdout.write(require("checkout-preview").version)`;
  writeFileSync(join(project, "use.cjs"), script);
  assert.equal(execFileSync(process.execPath, [join(project, "use.cjs")], { cwd: "/", encoding: "utf8" }), manifest.version);
});

test("every path of its exports is there", () => {
  const paths = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(paths));
  for (const path of [...paths(manifest.exports), manifest.main, manifest.types]) assert(statSync(join(installed, path)).isFile(), path);
  const first = (value) => typeof value === "object" && "types" in value && assert.equal(Object.keys(value)[0], "types");
  Object.values(manifest.exports).forEach(function walk(value) {
    if (typeof value !== "object") return;
    first(value);
    Object.values(value).forEach(walk);
  });
});

test("publint finds nothing", () => {
  const publint = fileURLToPath(new URL("../node_modules/publint/src/cli.js", import.meta.url));
  const output = execFileSync(process.execPath, [publint, installed, "--strict", "--pack=false"], { encoding: "utf8" });
  assert.match(output, /All good/);
});

const ESM_ONLY = ["./element", "./define"];

test("attw finds the types of every entry in every way of resolving", () => {
  const attw = fileURLToPath(new URL("../node_modules/.bin/attw", import.meta.url));
  const [tarball] = readdirSync(project).filter((name) => name.endsWith(".tgz"));
  // The wasm is for bundlers, which have their own way to it.
  const words = [join(project, tarball), "--exclude-entrypoints", "./engine_bg.wasm", "./custom-elements.json", ...ESM_ONLY, "--format", "json"];
  const { analysis, problems } = JSON.parse(execFileSync(attw, words, { encoding: "utf8" }));
  assert.equal(analysis.packageName, "checkout-preview");
  assert.deepEqual(problems ?? {}, {});
  // An element is for pages, which have no `require`.
  const element = JSON.parse(execFileSync(attw, [join(project, tarball), "--entrypoints", ...ESM_ONLY, "--ignore-rules", "cjs-resolves-to-esm", "--format", "json"], { encoding: "utf8" }));
  assert.deepEqual(Object.keys(element.problems ?? {}), ["CJSResolvesToESM"]);
});

test("the example of its README gives the amount it shows", async () => {
  const readme = readFileSync(join(installed, "README.md"), "utf8");
  const [, example] = /```js\n(.*?)```/s.exec(readme);
  const [, amount] = /amount_due; \/\/ "(.+)"/.exec(example);
  writeFileSync(join(project, "readme.mjs"), `${example.replace("preview.estimates", "globalThis.shown = preview.estimates")}`);
  await import(join(project, "readme.mjs"));
  assert.equal(globalThis.shown, amount);
});

test("browsers load it as a module without imports", () => {
  assert(!/^import /m.test(read("browser.js")), "one request for the script and one for the wasm");
});

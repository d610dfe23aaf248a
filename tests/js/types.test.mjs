// The package's types, as a strict program meets them through import and through require, and whether they explain.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { nativeAnswers } from "./native.mjs";
import { installed, project, root } from "./project.mjs";

const sample = fileURLToPath(new URL("types/sample.ts", import.meta.url));
const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

const ways = {
  "import in Node": { file: "sample.mts", module: "nodenext" },
  "require in Node": { file: "sample.cts", module: "nodenext" },
  "a bundler": { file: "sample.ts", module: "esnext", moduleResolution: "bundler" },
};

for (const [way, { file, ...options }] of Object.entries(ways)) {
  // With the standard's name for freeing at the end of a block, and without.
  for (const lib of ["es2022", "esnext"]) {
    test(`the types compile strictly with ${way}, ${lib}`, () => {
      copyFileSync(sample, join(project, file));
      assertCompiles(file, { ...options, lib: [lib, "dom"], verbatimModuleSyntax: file !== "sample.cts" });
    });
  }
}

function assertCompiles(file, options) {
  const config = join(project, `tsconfig.${file}.json`);
  writeFileSync(config, JSON.stringify({
    files: [file],
    compilerOptions: {
      target: "es2022", lib: ["es2022", "dom"], types: [], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
      skipLibCheck: false, noEmit: true, ...options,
    },
  }));
  try {
    execFileSync(process.execPath, [tsc, "--project", config], { encoding: "utf8" });
  } catch (error) {
    assert.fail(error.stdout.slice(0, 3000));
  }
}

test("the element's types compile strictly, in a page and in React", () => {
  for (const name of ["@types/react", "csstype"]) cpSync(fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url)), join(project, "node_modules", name), { recursive: true });
  copyFileSync(fileURLToPath(new URL("types/element.tsx", import.meta.url)), join(project, "element.tsx"));
  assertCompiles("element.tsx", { module: "esnext", moduleResolution: "bundler", jsx: "react-jsx" });
  copyFileSync(join(project, "element.tsx"), join(project, "element-node.tsx"));
  assertCompiles("element-node.tsx", { module: "nodenext", jsx: "react-jsx" });
});

test("every request, catalog and preview of the corpus has its type", () => {
  const folder = join(root, "tests/cases");
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort();
  const texts = names.map((name) => readFileSync(join(folder, name), "utf8"));
  const answers = nativeAnswers(texts).map(JSON.parse);
  const priced = names.flatMap((name, index) => {
    if (answers[index].status !== "ok") return [];
    const { request, catalog } = JSON.parse(texts[index]);
    return [`// ${name}\nexport const case${index}: [CheckoutRequest, Catalog, CheckoutPreview] = ${JSON.stringify([request, catalog, answers[index].preview], null, 1)};`];
  });
  assert(priced.length > 300);
  const types = `import type { Catalog, CheckoutPreview, CheckoutRequest } from "checkout-preview";\n`;
  writeFileSync(join(project, "corpus.mts"), types + priced.join("\n"));
  assertCompiles("corpus.mts", { module: "nodenext" });
});

test("import and require have the same types", () => {
  const types = ["index.d.ts", "index.d.cts"].map((name) => readFileSync(join(installed, "dist", name), "utf8"));
  assert.equal(types[0], types[1]);
});

test("every type, field and function is explained", () => {
  const lines = readFileSync(join(installed, "dist/index.d.ts"), "utf8").split("\n");
  const parameters = new Set(["request", "catalog", "count", "options"]);
  const silent = lines.filter((line, index) => {
    const [, , , field] = /^(export )|^  (readonly )?(\w+)\??: /.exec(line) ?? [, , , "request"];
    return !parameters.has(field) && !lines[index - 1].trim().endsWith("*/");
  });
  assert.deepEqual(silent, []);
});

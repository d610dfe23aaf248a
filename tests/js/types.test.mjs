// The package's types, as a strict program meets them through import and through require, and whether they explain.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { installed, project } from "./project.mjs";

const sample = fileURLToPath(new URL("types/sample.ts", import.meta.url));
const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

const ways = {
  "import in Node": { file: "sample.mts", module: "nodenext" },
  "require in Node": { file: "sample.cts", module: "nodenext" },
  "a bundler": { file: "sample.ts", module: "esnext", moduleResolution: "bundler" },
};

for (const [way, { file, ...options }] of Object.entries(ways)) {
  test(`the types compile strictly with ${way}`, () => {
    copyFileSync(sample, join(project, file));
    const config = join(project, `tsconfig.${file}.json`);
    writeFileSync(config, JSON.stringify({
      files: [file],
      compilerOptions: {
        ...options, target: "es2022", lib: ["es2022", "dom"], types: [], strict: true, exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true, verbatimModuleSyntax: file !== "sample.cts", skipLibCheck: false, noEmit: true,
      },
    }));
    try {
      execFileSync(process.execPath, [tsc, "--project", config], { encoding: "utf8" });
    } catch (error) {
      assert.fail(error.stdout);
    }
  });
}

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

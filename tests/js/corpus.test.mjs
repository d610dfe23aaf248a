// The corpus through the package's public name: each case against what it wants, and against the native bytes.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { answer, nativeAnswers } from "./native.mjs";
import { root } from "./project.mjs";

const folder = join(root, "tests/cases");
const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort();
const cases = names.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));

/** An answer less what is free to change: words of problems, the engine's version. */
function comparable({ status, preview, problems }) {
  if (status === "rejected") return { status, problems: problems.map(({ code, path }) => ({ code, path })) };
  const { engine_version, ...rest } = preview;
  return { status, preview: rest };
}

test("there are cases", () => assert.notEqual(cases.length, 0));

const native = nativeAnswers(cases.map(({ text }) => text));

for (const [index, { name, text }] of cases.entries()) {
  test(name, () => {
    const input = JSON.parse(text);
    const got = answer(input);
    assert.deepEqual(comparable(JSON.parse(JSON.stringify(got))), comparable(input.want));
    assert.equal(JSON.stringify(got), native[index], "the browser's bytes are the server's");
  });
}

// Generated checkouts through the package's public name: the same previews and schedules as natively, byte for byte.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { answer, nativeAnswers } from "./native.mjs";
import { root } from "./project.mjs";

const SEEDS = 2000;
const INVOICES = 12;

const print = ["run", "--quiet", "--example", "generated", "--", String(SEEDS)];
const cases = execFileSync("cargo", print, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 30 }).trimEnd().split("\n").map(JSON.parse);

test("there are cases, and most are priced", () => {
  assert.equal(cases.length, SEEDS);
  assert.ok(cases.filter((input) => answer(input).status === "ok").length > SEEDS / 2);
});

for (const schedule of [null, INVOICES]) {
  test(schedule === null ? "previews" : `schedules of ${schedule} invoices`, () => {
    const inputs = cases.map((input) => ({ ...input, schedule }));
    const native = nativeAnswers(inputs.map((input) => JSON.stringify(input)));
    for (const [seed, input] of inputs.entries()) assert.equal(JSON.stringify(answer(input)), native[seed], `seed ${seed}`);
  });
}

// What the pages about the package say: that it runs, that it is so, and that what they point to is there.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { page, path } from "./api.mjs";
import { project, root } from "./project.mjs";

const read = (name) => readFileSync(join(root, name), "utf8");
const pages = ["README.md", "pkg/README.md", ...readdirSync(join(root, "docs/npm")).map((name) => `docs/npm/${name}`)];

test("the reference is what the types give", () => {
  assert.equal(read(path), page(), `${path} is not what the types give: run \`cargo xtask docs\``);
});

test("the reference has every type and every field", () => {
  const reference = read(path);
  let fields = 0;
  for (const name of ["index.d.ts", "react.d.ts"]) {
    const types = read(`pkg/src/${name}`);
    for (const [, declared] of types.matchAll(/^export \w+ (\w+)/gm)) assert(reference.includes(`\n### ${declared}\n`), declared);
    fields += types.match(/^  \/\*\*.*\*\/$|^   \*\/$/gm)?.length ?? 0;
  }
  assert.equal(reference.match(/^\| `[\w.[\]]+\??(\(\))?` \| .* \| .* \|$/gm).length, fields, "a row for each field that is explained");
});

test("the element's page and manifest have every attribute, property, event, part and slot that it has", () => {
  const folder = join(root, "pkg/src/element");
  const source = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  const style = [source, read("pkg/src/element/style.css")].join("\n");
  const { modules: [{ declarations: [element] }] } = JSON.parse(read("pkg/src/custom-elements.json"));
  const reference = read("docs/npm/element.md");
  const names = (list) => element[list].map(({ name }) => name).sort();
  const found = (text, pattern) => [...new Set([...text.matchAll(pattern)].flatMap(([, name]) => name.split(" ")))].sort();
  const fields = /const FIELDS = \[(.*?)\]/.exec(source)[1] + /const CREDENTIALS = \[(.*?)\]/.exec(source)[1];
  assert.deepEqual(names("attributes"), [...found(fields, /"([\w-]+)"/g), "chart", "locale", "plan-ids"].sort());
  assert.deepEqual(names("members"), found(source, /^  get (\w+)\(/gm));
  assert.deepEqual(names("events"), found(source, /(?:emit|#leave|leave)\("([\w-]+)"/g));
  assert.deepEqual(names("cssProperties"), found(style, /var\((--checkout-[\w-]+)/g));
  // Buttons have a slot each, named as what they do.
  const parts = found(source, /part: (?:checked \? )?"([\w -]+)"/g).concat("base", "button", "button-secondary", "plan", "plan-checked");
  assert.deepEqual(names("cssParts"), [...new Set(parts)].sort());
  for (const list of ["attributes", "members", "events", "cssProperties", "cssParts", "slots"]) {
    for (const name of names(list)) assert(reference.includes(`\`${name}\``), `${name} in docs/npm/element.md`);
  }
});

// The blocks marked `js` are one program, from the first to the last. A line that ends in a JSON text as its comment
// says what it comes to.
test("the README's program gives what it says", async () => {
  const shown = [];
  const program = [...read("pkg/README.md").matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code).join("\n");
  const lines = program.split("\n").map((line) => {
    const [, expression, wanted] = /^(?!const |import )(\S.*); \/\/ (["[].*)$/.exec(line) ?? [];
    if (!expression) return line;
    shown.push([expression, JSON.stringify(JSON.parse(wanted))]);
    return `results.push(${expression});`;
  });
  assert(shown.length > 10, "the README shows what comes out");
  const file = join(project, "readme-program.mjs");
  writeFileSync(file, `export const results = [];\n${lines.join("\n")}`);
  const { results } = await import(pathToFileURL(file));
  assert.deepEqual(shown.map(([expression], index) => [expression, JSON.stringify(results[index])]), shown);
});

/** A heading as GitHub makes an address of it. */
const anchorOf = (heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-");
const anchorsOf = (name) => [...prose(name).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));
const prose = (name) => read(name).replaceAll(/^```.*?^```$/gms, "");

for (const name of pages) {
  test(`what ${name} points to is there`, () => {
    for (const [, target] of prose(name).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file, anchor] = target.split("#");
      const there = file === "" ? name : join(dirname(name), file);
      assert(existsSync(join(root, there)), `${target}: there is no ${there}`);
      if (anchor !== undefined) assert(anchorsOf(there).includes(anchor), `${target}: ${there} has no such heading`);
    }
  });
}

test("every page is listed", () => {
  for (const list of ["docs/npm/README.md", "pkg/README.md"]) {
    for (const name of readdirSync(join(root, "docs/npm"))) {
      if (name !== "README.md") assert(read(list).includes(`${name})`), `${list} does not name ${name}`);
    }
  }
});

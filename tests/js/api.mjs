// The reference of the package, made from its types: `pkg/src/*.d.ts` -> `docs/npm/api.md`, by `cargo xtask docs`.
//
// TypeDoc was tried: it shows what a type comes to, so that every `Money`, `IsoDate` and `Id` is a `string` (its issue
// 1502). Here a field's type is the one that is written.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const path = "docs/npm/api.md";

const HEAD = `<!-- Made by \`cargo xtask docs\` from pkg/src/index.d.ts and pkg/src/react.d.ts: change those. -->

# API

What the types of the package say, in their order. Every rule named here (\`R2.1\`) is a rule of the engine's
specification, which [the rules](../rules.md) tell in short. A field with a \`?\` may be left out; in a request or a
catalog, \`undefined\` and \`null\` mean the same as leaving it out.
`;

/** A declaration that is exported: its doc comment, its lines, and the section it stands in. */
function declarationsOf(text, section) {
  const found = [];
  // Declarations have an empty line between them and none within.
  for (const block of text.split("\n\n")) {
    section = /^\/\/ ── (.+?) ─+$/m.exec(block)?.[1] ?? section;
    const [, doc, code] = /^\/\*\*(.*?)\*\/\nexport (.*)$/s.exec(block) ?? [];
    if (code) found.push({ section, doc: docOf(doc), code: code.trimEnd(), name: /^\w+ (\w+)/.exec(code)[1] });
  }
  return found;
}

/** A doc comment: what it says, and its tags in order. */
function docOf(comment) {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\*? ?/, "").trimEnd());
  const [text, ...tags] = lines.join("\n").trim().split(/\n?^@/m);
  return {
    text: text.trim(),
    tags: tags.map((tag) => {
      const [, name, rest] = /^(\w+)\s*(.*)$/s.exec(tag);
      return { name, text: rest.trim() };
    }),
  };
}

export function page() {
  const files = [["index.d.ts", undefined], ["react.d.ts", "React: `checkout-preview/react`"]];
  const all = files.flatMap(([name, section]) => declarationsOf(readFileSync(join(root, "pkg/src", name), "utf8"), section));
  const names = new Set(all.map(({ name }) => name));
  const parts = [HEAD];
  all.forEach((declaration, index) => {
    if (declaration.section !== all[index - 1]?.section) parts.push(`## ${declaration.section}\n`);
    parts.push(entry(declaration, names));
  });
  return parts.join("\n");
}

function entry({ name, doc, code }, names) {
  const parts = [`### ${name}\n`];
  const [head, ...body] = code.split("\n");
  const hasFields = /^(interface|class) /.test(code);
  const base = / extends (.+) \{$/.exec(head)?.[1];
  // The fields of an interface stand in a table.
  if (!hasFields) parts.push(block("ts", code));
  parts.push(`${withLinks(doc.text)}\n`);
  if (base && base !== "Error") parts.push(`With the fields of ${typed(base, names)}, and these:\n`);
  const rows = doc.tags.filter(({ name: tag }) => tag === "param").map(({ text }) => {
    const [, parameter, words] = /^(\w+) (.*)$/s.exec(text);
    return `| \`${parameter}\` | ${cell(words)} |`;
  });
  if (rows.length > 0) parts.push(`| parameter | |\n|---|---|\n${rows.join("\n")}\n`);
  if (hasFields) parts.push(table(fieldsOf(body), names));
  for (const { name: tag, text } of doc.tags) {
    if (tag === "throws") parts.push(`Throws ${withLinks(text.replace(/^\{(\w+)\}/, (_, type) => typed(type, names)))}.\n`);
    if (tag === "example") parts.push(block("js", text));
  }
  return parts.join("\n");
}

/** What stands between the braces: each field or method with its comment. */
function fieldsOf(lines) {
  return lines.slice(0, -1).join("\n").split(/\n(?=  \/\*\*)/).flatMap((text) => {
    const [, comment, name, type] = /^  \/\*\*(.*?)\*\/\n  (?:readonly )?(\[?[\w.]+\]?\??(?:\(\))?): (.*);$/s.exec(text) ?? [];
    return name ? [{ name, type, doc: docOf(comment) }] : [];
  });
}

function table(fields, names) {
  const rows = fields.map(({ name, type, doc }) => {
    const words = [doc.text];
    for (const { name: tag, text } of doc.tags) {
      if (tag === "deprecated") words.push(`Deprecated: ${text}.`);
      if (tag === "example") words.push(`Example: ${text.replace(/^(.*?)( \/\/ .*)?$/, (_, value, note = "") => `\`${value}\`${note.replace(" //", ",")}`)}.`);
    }
    const shown = typed(type.replace(/( \| null)? \| undefined$/, ""), names).replaceAll("|", "\\|");
    return `| \`${name}\` | ${shown} | ${cell(words.filter(Boolean).join(" "))} |`;
  });
  return `| field | type | |\n|---|---|---|\n${rows.join("\n")}\n`;
}

/** A type as code, with links to those that this page explains. */
function typed(type, names) {
  const parts = [];
  // What stands in quotes is a value and no type.
  for (const word of type.replaceAll(/\s+/g, " ").replaceAll("( | ", "(").match(/"[^"]*"|\w+|[^"\w]+/g)) {
    if (names.has(word)) parts.push(link(word));
    else if (parts.length === 0 || isLink(parts.at(-1))) parts.push(word);
    else parts[parts.length - 1] += word;
  }
  return parts.map((part) => (isLink(part) ? part : part.replace(/\S(.*\S)?/, "`$&`"))).join("");
}

const isLink = (part) => part.startsWith("[`");
const link = (name, words = `\`${name}\``) => `[${words}](#${name.toLowerCase()})`;
const withLinks = (text) => text.replaceAll(/\{@link (\w+)(?: \| ([^}]+))?\}/g, (_, name, words) => link(name, words));
const cell = (text) => withLinks(text).replaceAll(/\s*\n\s*/g, " ").replaceAll("|", "\\|");
const block = (language, code) => `\`\`\`${language}\n${code}\n\`\`\`\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(root, path), page());

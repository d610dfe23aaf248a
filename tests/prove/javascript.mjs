// Two doors of `cargo xtask prove`: the packed package in Node, and in Chromium. Reads cases, one a line, and writes an
// answer for each, one a line, in the form of the native command line.
//
// node tests/prove/javascript.mjs            in Node
// node tests/prove/javascript.mjs CHROMIUM   in that Chromium

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { launchChromium } from "../js/chromium.mjs";
import { answer, answering } from "../js/native.mjs";
import { installed } from "../js/project.mjs";

/** From the texts of cases to those of answers. Runs in a page, too. */
const textsBy = (answer) => (lines) => lines.map((line) => {
  try {
    return JSON.stringify(answer(JSON.parse(line)));
  } catch (error) {
    return JSON.stringify({ status: "thrown", error: String(error) });
  }
});

async function inChromium(executablePath) {
  const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer(({ url }, response) => {
    if (url === "/") return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>prove</title>");
    try {
      const file = readFileSync(join(installed, url));
      response.writeHead(200, { "content-type": TYPES[extname(url)] ?? "text/plain" }).end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launchChromium(executablePath);
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(async (sources) => {
    const door = await import("/dist/browser.js");
    await door.init();
    const [answeringIn, textsIn] = sources.map((source) => (0, eval)(`(${source})`));
    globalThis.answers = textsIn(answeringIn(door));
  }, [answering, textsBy].map(String));
  return {
    answers: (lines) => page.evaluate((all) => globalThis.answers(all), lines),
    close: () => browser.close().then(() => server.close()),
  };
}

const inNode = { answers: async (lines) => textsBy(answer)(lines), close: async () => {} };

const door = process.argv[2] ? await inChromium(process.argv[2]) : inNode;
const waiting = [];
let working = Promise.resolve();

/** Answers what has come so far, together. */
async function work() {
  const lines = waiting.splice(0);
  if (lines.length === 0) return;
  const answers = await door.answers(lines);
  process.stdout.write(answers.map((answer) => `${answer}\n`).join(""));
}

for await (const line of createInterface({ input: process.stdin })) {
  waiting.push(line);
  working = working.then(work);
}
await working;
await door.close();

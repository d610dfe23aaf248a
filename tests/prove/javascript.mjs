// Two doors of `cargo xtask prove`: the packed package in Node, and in Chromium. Reads cases, one a line, and writes an
// answer for each, one a line, in the form of the native command line.
//
// node tests/prove/javascript.mjs            in Node
// node tests/prove/javascript.mjs CHROMIUM   in that Chromium

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { imported, installed } from "../js/project.mjs";

/** Runs in either place: from a case's text to the answer's. */
function answering({ CheckoutPreviewError, createBillingSchedule, createCheckoutPreview }) {
  return (line) => {
    try {
      const { request, catalog, as_of, now, schedule } = JSON.parse(line);
      return JSON.stringify(schedule === null
        ? { status: "ok", preview: createCheckoutPreview(request, catalog, { as_of, now }) }
        : { status: "ok", schedule: createBillingSchedule(request, catalog, schedule, { as_of, now }) });
    } catch (error) {
      if (!(error instanceof CheckoutPreviewError)) return JSON.stringify({ status: "thrown", error: String(error) });
      return JSON.stringify({ status: "rejected", problems: error.problems });
    }
  };
}

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
  const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"] });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(async (source) => {
    const door = await import("/dist/browser.js");
    await door.init();
    globalThis.answer = (0, eval)(`(${source})`)(door);
  }, String(answering));
  return {
    answers: (lines) => page.evaluate((all) => all.map(globalThis.answer), lines),
    close: () => browser.close().then(() => server.close()),
  };
}

async function inNode() {
  const answer = answering(imported);
  return { answers: async (lines) => lines.map(answer), close: async () => {} };
}

const door = process.argv[2] ? await inChromium(process.argv[2]) : await inNode();
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

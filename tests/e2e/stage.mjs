// Puts <checkout-preview> on a page of a merchant's own, on another origin than the verifier, under a strict policy: from the
// packed package, in Chromium and in Firefox.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import puppeteer from "puppeteer-core";
import { installed } from "../js/project.mjs";
import { openShop } from "./shop.mjs";

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

/** What the tests do inside the page. */
const helper = `
import "/dist/element/define.js";
globalThis.events = [];
const names = ["preview-change", "preview-error", "checkout-submit", "checkout-create", "preview-mismatch", "checkout-confirm", "checkout-cancel"];
for (const name of names) document.addEventListener(name, (event) => {
  const { error, ...detail } = event.detail;
  events.push([name, { ...detail, error: error && String(error) }]);
  if (globalThis.prevented?.includes(name)) event.preventDefault();
});
globalThis.widget = () => document.querySelector("checkout-preview");
globalThis.$ = (selector) => widget().shadowRoot.querySelector(selector);
globalThis.$$ = (selector) => [...widget().shadowRoot.querySelectorAll(selector)];
globalThis.text = (node) => (typeof node === "string" ? $(node) : node)?.textContent.replace(/\\s+/g, " ").trim() ?? null;
globalThis.enter = (node, value) => {
  if (node.type === "checkbox" || node.type === "radio") return node.click();
  node.value = value;
  node.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
};
globalThis.row = (name) => $$(".line").find((line) => text(line.querySelector(".name")) === name);
globalThis.due = () => text(".due bdi");
globalThis.bills = () => $$(".invoice").map((invoice) => ({
  date: invoice.dataset.date, due: text(invoice.querySelector("h3 bdi")), lines: [...invoice.querySelectorAll("li > .row:first-child")].map((one) => [...one.children].map(text)),
}));
/** Answers instead of the server: \`fake(path, init)\` gives a Response, throws, or gives nothing. */
const real = globalThis.fetch;
globalThis.fetch = async (address, init) => (await globalThis.fake?.(new URL(address, location).pathname, init)) ?? real(address, init);
globalThis.told = (status, body, headers) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json", ...headers } });
document.title = "ready";
`;

export async function openStage() {
  let verifier = "";
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    if (pathname === "/helper.js") return response.writeHead(200, { "content-type": TYPES[".js"] }).end(helper);
    if (!pathname.startsWith("/dist/")) {
      return response.writeHead(200, {
        "content-type": TYPES[".html"],
        "content-security-policy": `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${verifier}; img-src 'self'`,
      }).end(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>stage</title><script type="module" src="/helper.js"></script><main><h1>Stage</h1></main>`);
    }
    try {
      response.writeHead(200, { "content-type": TYPES[extname(pathname)] }).end(readFileSync(join(installed, pathname)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const shop = await openShop();
  verifier = shop.url;
  shop.decide("--allow-origin", origin);
  const firefox = !process.env.FIREFOX ? null : await puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX, headless: true });
  const customer = (id) => shop.customers.find((one) => one.id === id).session_token;

  /** A page with the element, ready to be used. `by` is "server" (it asks the verifier) or nothing (it is given the catalog). */
  async function visit(browser, { attributes = {}, by, as, properties = {}, width = 1100, height = 900, wait = true, ...options } = {}) {
    const context = browser === "Firefox" ? await firefox.createBrowserContext() : await shop.browser.newContext({ viewport: { width, height }, ...options });
    const page = await context.newPage();
    if (browser === "Firefox") await page.setViewport({ width, height });
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error") page.faults.push(message.text()); });
    page.leave = () => context.close();
    await page.goto(`${origin}/`);
    page.until = async (work, argument) => {
      const end = Date.now() + 10_000;
      for (;;) {
        // A page that is just being left answers nothing.
        const found = await page.evaluate(work, argument).catch(() => null);
        if (found) return found;
        if (Date.now() > end) assert.fail(`${work} never came true: ${await page.evaluate(() => widget()?.shadowRoot.querySelector(".base").textContent)} ${page.faults}`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };
    await page.until(() => document.title === "ready");
    const server = by === "server" && {
      "verifier-url": shop.url, organisation: shop.organisation, ...(as ? { "session-token": customer(as) } : { "publishable-key": shop.key }),
    };
    await page.evaluate(({ all, properties }) => {
      document.body.style.background = "Canvas"; // a page has a colour, or axe takes it to be white
      const element = document.createElement("checkout-preview");
      for (const [name, value] of Object.entries(all)) element.setAttribute(name, value);
      Object.assign(element, properties);
      document.querySelector("main").append(element);
    }, { all: { ...server, ...attributes }, properties: { ...(!by && { catalog: shop.catalog }), ...properties } });
    if (wait) await page.until(() => ["choose"].includes($(".base").dataset.stage));
    return page;
  }

  return {
    shop, origin, visit,
    browsers: firefox ? ["Chromium", "Firefox"] : ["Chromium"],
    async close() {
      await firefox?.close();
      server.close();
      await shop.close();
    },
  };
}

// Opens the shop for a test: a verifier with a database of its own, and a browser to visit it with.
//
// Needs a built `checkout-verifier` (`CHECKOUT_VERIFIER` may name one), a built package in pkg/dist, and Chromium
// (`CHROMIUM` may name one).

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { launchChromium } from "../js/chromium.mjs";
import { verifier } from "../js/verifier.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const catalogFile = join(root, "www/catalog.json");
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export async function openShop() {
  const folder = mkdtempSync(join(tmpdir(), "checkout-demo-"));
  const database = `sqlite:${join(folder, "checkout.db")}`;
  const binary = verifier();
  const run = (...args) => {
    const output = execFileSync(binary, [...args, "--database", database], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    return JSON.parse(output);
  };
  const { organisation, secret_key, publishable_key } = run("organisation", "create", "Ternwell");
  run("organisation", "update", "--organisation", organisation, "--client-confirms", "true");
  run("catalog", "import", catalogFile, "--organisation", organisation);
  const catalog = JSON.parse(readFileSync(catalogFile, "utf8"));
  const customers = catalog.customers.map(({ id, name }) => {
    const { session_token } = run("session", "create", "--organisation", organisation, "--customer", id);
    return { id, name, session_token };
  });
  const server = spawn(binary, [
    "serve", "--listen", "127.0.0.1:0", "--database", database, "--log-level", "error",
    "--www", join(root, "www"), "--pkg", join(root, "pkg"),
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`the verifier ended with ${code} before it listened`)));
    createInterface({ input: server.stdout }).on("line", (line) => {
      const address = /http:\/\/\S+/.exec(line);
      if (address) resolve(address[0]);
    });
  });
  const browser = await launchChromium();

  return {
    url,
    catalog,
    browser,
    organisation,
    key: publishable_key,
    customers,

    /** Changes what the organisation has decided. */
    decide: (...settings) => run("organisation", "update", "--organisation", organisation, ...settings),

    /** Calls the server as the merchant's own server does, past the page. */
    async call(method, path, body) {
      const headers = { "content-type": "application/json", organisation, "x-api-key": secret_key };
      const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
      return { status: response.status, body: await response.json() };
    },

    /**
     * A page of the demo in a browser of its own, ready to be used; `at` stops its clock, and `told` is what it is told of
     * each customer instead of what is so. `faults` collects what the browser
     * complained of.
     */
    async visit({ path = "", at = null, width = 1280, height = 900, told = {}, wait = true, ...options } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, ...options });
      // What `cargo xtask serve` leaves beside the pages.
      const known = { organisation, publishable_key, customers: customers.map((customer) => ({ ...customer, ...told })) };
      await context.route("**/shop.json", (route) => route.fulfill({ json: known }));
      const page = await context.newPage();
      page.faults = [];
      page.setDefaultTimeout(10_000);
      page.on("pageerror", (error) => page.faults.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") page.faults.push(message.text());
      });
      if (at) await page.clock.setFixedTime(at);
      await page.goto(`${url}/${path}`);
      if (wait) {
        await page.waitForFunction(() => document.body.dataset.stage === "ready").catch((error) => {
          throw new Error(`the demo did not start: ${page.faults.join("; ") || error.message}`);
        });
      }
      return page;
    },

    /** What the engine says on a day of the catalog as it was written: a preview, or with `schedule` that many invoices. */
    compute(request, asOf, schedule = null) {
      writeFileSync(join(folder, "request.json"), JSON.stringify(request));
      const answer = execFileSync(binary, [
        "preview", "--request", join(folder, "request.json"), "--catalog", catalogFile, "--as-of", asOf,
        ...(schedule ? ["--schedule", String(schedule)] : []),
      ], { encoding: "utf8" });
      return JSON.parse(answer);
    },

    async close() {
      await browser.close();
      server.removeAllListeners("exit");
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** What axe finds wrong, as lines to read. Evaluated from outside the page, so that its strict policy stays as it is. */
export async function accessibilityFaults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}

/** Asks that a page fits from 320 px on in both directions of writing, and that what can be pressed is large enough. */
export async function assertFits(page) {
  for (const direction of ["ltr", "rtl"]) {
    await page.evaluate((dir) => { document.documentElement.dir = dir; }, direction);
    for (const width of [320, 400, 768, 1024, 1920]) {
      await page.setViewportSize({ width, height: 700 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${direction} at ${width} px scrolls sideways`);
    }
  }
  const small = await page.$$eval("a, button, input, select, summary", (nodes) => nodes
    .filter((node) => node.checkVisibility() && !node.matches(".skip"))
    .map((node) => [node.id || node.className || node.textContent, node.closest("label")?.getBoundingClientRect() ?? node.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 24 || height < 24).map(([name]) => name));
  assert.deepEqual(small, []);
}

/** An amount as people read it; written apart from the page's own code, so that one checks the other. */
export function money(text, currency) {
  const digits = text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
  const format = new Intl.NumberFormat("en", {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  });
  return format.format(text).replace("-", "−");
}

// ---- What the element shows on a page, where Playwright looks into it as into the rest

export const lineOf = (page, name) => page.locator("checkout-preview .line").filter({ has: page.locator(".name", { hasText: new RegExp(`^${name}$`) }) });
export const enter = (page, name, value) => lineOf(page, name).locator("[type=number]").fill(value);
export const due = (page) => page.textContent("checkout-preview .due bdi");
export const press = (page, action) => page.click(`checkout-preview [data-action=${action}]`);
export const stage = (page, wanted) => page.waitForSelector(`checkout-preview [data-stage=${wanted}]`);

/** The invoices as the page shows them, and as it should show those of a preview. */
export const shownInvoices = (page) => page.$$eval("checkout-preview", ([element]) => [...element.shadowRoot.querySelectorAll(".invoice")].map((invoice) => ({
  date: invoice.dataset.date,
  due: invoice.querySelector("h3 bdi").textContent,
  lines: [...invoice.querySelectorAll("li > .row:first-child")].map((row) => [...row.children].map((one) => one.textContent)),
})));
export const expectedInvoices = ({ estimates, currency }) => [estimates.current_invoice, estimates.next_invoice].filter(Boolean).map((invoice) => ({
  date: invoice.invoice_date,
  due: money(invoice.amount_due, currency),
  lines: ["credit", ""].flatMap((kind) => invoice.line_items.filter((item) => (item.kind === "credit") === (kind === "credit")))
    .map((item) => [item.name, money(item.net_amount, currency)]),
}));

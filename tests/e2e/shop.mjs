// Opens the shop for a test: a verifier with a database of its own, and a browser to visit it with.
//
// Needs a built `checkout-verifier` (`CHECKOUT_VERIFIER` may name one), a built package in pkg/dist, and Chromium
// (`CHROMIUM` may name one).

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const catalogFile = join(root, "www/catalog.json");
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

const browserArguments = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** The binary that was built last. */
function verifierBinary() {
  if (process.env.CHECKOUT_VERIFIER) return process.env.CHECKOUT_VERIFIER;
  const built = ["debug", "release"].map((profile) => join(root, "target", profile, "checkout-verifier")).filter(existsSync);
  assert(built.length > 0, "build the verifier first: cargo build --package checkout-verifier");
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

function chromiumBinary() {
  return process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
}

export async function openShop() {
  const folder = mkdtempSync(join(tmpdir(), "checkout-demo-"));
  const database = `sqlite:${join(folder, "checkout.db")}`;
  const binary = verifierBinary();
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
  const browser = await chromium.launch({ executablePath: chromiumBinary(), args: browserArguments });

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
    async visit({ path = "", at = null, width = 1280, height = 900, told = {}, ...options } = {}) {
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
      await page.waitForSelector("[data-stage=choose]").catch((error) => {
        throw new Error(`the demo did not start: ${page.faults.join("; ") || error.message}`);
      });
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

/** What has the focus: its id, its value, or what is written on it. */
export function focused(page) {
  return page.evaluate(() => document.activeElement.id || document.activeElement.value || document.activeElement.textContent);
}

/** Presses Tab until something has the focus, and shows that it has. */
export async function tabUntil(page, wanted) {
  for (let steps = 0; steps < 80; steps += 1) {
    await page.keyboard.press("Tab");
    if (await focused(page) !== wanted) continue;
    const outline = await page.evaluate(() => {
      const at = document.activeElement;
      return [at, at.closest(".card")].filter(Boolean).some((node) => getComputedStyle(node).outlineStyle !== "none");
    });
    assert(outline, `${wanted} shows that it has the focus`);
    return;
  }
  assert.fail(`Tab never comes to ${wanted}`);
}

/** Types a number of seats, and asks that a screen reader is told the total once and nothing else. */
export async function assertOnlyTotalAnnounced(page) {
  await page.waitForFunction(() => document.querySelector("#status").textContent !== "");
  await page.evaluate(() => {
    globalThis.announced = [];
    new MutationObserver(() => announced.push(document.querySelector("#status").textContent))
      .observe(document.querySelector("#status"), { childList: true, characterData: true, subtree: true });
  });
  await page.focus("#seats-quantity");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("124");
  await page.waitForFunction(() => globalThis.announced.length > 0);
  const total = await page.textContent("#due-amount");
  assert.deepEqual(await page.evaluate(() => globalThis.announced), [`Due today ${total}`]);
  assert.equal(await page.locator("[role=status]").count(), 1);
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
    style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: digits, maximumFractionDigits: digits,
  });
  return format.format(text).replace("-", "−");
}

/** Both invoices as the page shows them: `{due, lines: ["Seats $56.00"], totals: ["Total $60.97"]}`. */
export function shownInvoices(page) {
  return page.$$eval(".invoice", (invoices) => invoices.map((invoice) => {
    const words = (node) => node.textContent.replace(/\s+/g, " ").trim();
    const row = (node) => [...node.children].map(words).join(" ");
    return {
      date: invoice.dataset.date ?? null,
      due: words(invoice.querySelector(".amount")),
      lines: [...invoice.querySelectorAll(".line > .row:first-child")].map(row),
      totals: [...invoice.querySelectorAll(".totals .row")].map(row),
    };
  }));
}

/** What `shownInvoices` should find for a preview. */
export function expectedInvoices({ estimates, currency }) {
  const show = (text) => money(text, currency);
  return [estimates.current_invoice, estimates.next_invoice].map((invoice) => {
    if (!invoice) return { date: null, due: "None", lines: [], totals: [] };
    return {
      date: invoice.invoice_date,
      due: show(invoice.amount_due),
      lines: invoice.line_items.map((item) => `${item.name} ${show(item.net_amount)}`),
      totalRow: `Total ${show(invoice.total)}`,
      taxes: invoice.taxes.filter(({ amount }) => /[1-9]/.test(amount)).map(({ name, percent, amount }) => `${name} ${percent} % ${show(amount)}`),
    };
  });
}

/** Fails unless the page shows exactly the invoices of `preview`. */
export async function assertShows(page, preview, about) {
  const shown = await shownInvoices(page);
  const expected = expectedInvoices(preview);
  assert.equal(shown.length, 2, about);
  for (const [index, { totalRow, taxes, ...invoice }] of expected.entries()) {
    const { totals, ...rest } = shown[index];
    if (!totalRow) {
      assert.deepEqual({ ...rest, totals }, invoice, about);
      continue;
    }
    assert.deepEqual(rest, invoice, about);
    assert(totals.includes(totalRow), `${about}: ${totalRow} in ${totals}`);
    for (const tax of taxes) assert(totals.some((row) => row.endsWith(tax)), `${about}: ${tax} in ${totals}`);
  }
  const due = preview.estimates.current_invoice;
  assert.equal(await page.textContent("#due-amount"), money(due.amount_due, due.currency), about);
}

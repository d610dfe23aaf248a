// The developers' page: a request and a catalog to edit, and what the engine says of them on every keystroke. All of it is in the
// address, so that a link shows somebody else the same.

import { CheckoutPreviewError, createCheckoutPreview, init, prepareCatalog } from "checkout-preview";
import "/pkg/dist/element/define.js";
import { el } from "./dom.js";
import { examples } from "./examples.js";

const $ = (id) => document.getElementById(id);
const element = $("element");
const PAUSE_MS = 400;

let catalog = null; // {text, prepared, plain}, of the last catalog that could be read
let pause;

start();

async function start() {
  $("example").append(
    ...examples.map(({ id, title }) => el("option", { value: id }, title)),
    el("option", { value: "", hidden: true }, "Your own"));
  try {
    await init();
  } catch (error) {
    $("timing").textContent = `The engine did not load: ${error.message}.`;
    return;
  }
  const linked = await stateOfLink();
  if (linked) open(linked, "");
  else openExample(examples[0].id);
  $("bench").dataset.stage = "ready";
}

function openExample(id) {
  const { about, asOf, request, catalog } = examples.find((one) => one.id === id);
  open({ asOf, request: written(request), catalog: written(catalog) }, id);
  $("about").textContent = about;
}

function open({ asOf, request, catalog }, example) {
  $("request").value = request;
  $("catalog").value = catalog;
  $("as-of").value = asOf;
  $("example").value = example;
  $("about").textContent = example ? "" : "From a link. Pick an example to begin with another.";
  refresh();
}

/** JSON as people write it: what is short stays in one line. */
function written(value, indent = "") {
  const flat = JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
  if (indent.length + flat.length <= 76 || typeof value !== "object" || value === null) return flat;
  const more = `${indent}  `;
  const parts = Array.isArray(value) ? value.map((item) => written(item, more))
    : Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${written(field, `${more}${" ".repeat(key.length + 4)}`.slice(0, more.length))}`);
  const [begin, end] = Array.isArray(value) ? "[]" : "{}";
  return `${begin}\n${parts.map((part) => more + part).join(",\n")}\n${indent}${end}`;
}

/** What a text says, or what is wrong with it beside its field. */
function parsed(name) {
  const place = $(`${name}-problem`);
  const field = $(name);
  try {
    const value = JSON.parse(field.value);
    say("");
    return { value };
  } catch (error) {
    say(`This is no JSON: ${error.message}.`);
    return null;
  }
  function say(text) {
    if (place.textContent !== text) place.textContent = text;
    field.toggleAttribute("aria-invalid", text !== "");
    if (text) field.setAttribute("aria-invalid", "true");
  }
}

/** Asks the engine, and shows its answer: on every keystroke, in the same frame. */
function refresh() {
  const [request, found] = [parsed("request"), parsed("catalog")];
  keepInLink();
  if (!request || !found) return stale();
  const problems = [];
  const options = $("as-of").value ? { as_of: $("as-of").value } : undefined;
  let read = 0, took = 0, preview = null;
  try {
    if (catalog?.text !== $("catalog").value) {
      const began = performance.now();
      const prepared = prepareCatalog(found.value);
      read = performance.now() - began;
      catalog?.prepared.free();
      catalog = { text: $("catalog").value, prepared, plain: found.value };
    }
    const began = performance.now();
    preview = createCheckoutPreview(request.value, catalog.prepared, options);
    took = performance.now() - began;
  } catch (error) {
    if (!(error instanceof CheckoutPreviewError)) throw error;
    problems.push(...error.problems);
  }
  $("answer").classList.toggle("stale", !preview);
  $("timing").textContent = preview
    ? `Previewed in ${took.toFixed(2)} ms${read ? `, the catalog read in ${read.toFixed(2)} ms` : ""}; the engine ${preview.engine_version} in your browser, no server asked.`
    : `${problems.length} ${problems.length === 1 ? "problem" : "problems"}, as the server would answer them.`;
  if (preview) $("answer").textContent = written(preview);
  $("problems").replaceChildren(...problems.map(({ code, path, message, help }) => el("li", {},
    el("button.quiet", { type: "button", onclick: () => lookAt(path) }, path || "the request"),
    el("p", {}, el("strong", {}, message), ` (${code})`), el("p.note", {}, help))));
  announce(preview ? `Due ${preview.estimates.current_invoice.amount_due} ${preview.currency}` : $("timing").textContent);
  showElement(preview, request.value, options);
}

function stale() {
  $("answer").classList.add("stale");
  $("problems").replaceChildren();
  $("timing").textContent = "Mend the marked text to see the answer.";
  announce($("timing").textContent);
}

/** The element gets what could be priced; what it has itself changed is there already. */
function showElement(preview, request, options) {
  element.hidden = !preview;
  if (!preview || isOf(element.request, request)) {
    if (preview && element.catalog !== catalog.plain) Object.assign(element, { catalog: catalog.plain, options });
    return;
  }
  for (const name of ["plan-id", "contract-id"]) element.removeAttribute(name);
  Object.assign(element, { catalog: catalog.plain, options, request });
}

const isOf = (one, other) => JSON.stringify(one) === JSON.stringify(other);

element.addEventListener("preview-change", ({ detail: { request } }) => {
  $("request").value = written(request);
  refresh();
});

/** Puts the cursor where a problem is. */
function lookAt(path) {
  const [name, keys] = path.startsWith("/catalog") ? ["catalog", path.split("/").slice(2)] : ["request", path.split("/").slice(1)];
  const field = $(name);
  let at = 0;
  for (const key of keys) {
    // The n-th item of a list begins after n items; good enough for what people write is the next field of that name.
    const next = /^\d+$/.test(key) ? field.value.indexOf("{", at) : field.value.indexOf(JSON.stringify(key), at);
    if (next < 0) break;
    at = next + 1;
  }
  field.focus();
  field.setSelectionRange(Math.max(0, at - 1), at);
}

// ---- The link

const coded = (stream, text) => new Response(new Blob([text]).stream().pipeThrough(stream)).arrayBuffer();

async function linkOf(state) {
  const bytes = new Uint8Array(await coded(new CompressionStream("deflate-raw"), JSON.stringify(state)));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function stateOfLink() {
  if (location.hash.length < 2) return null;
  try {
    const bytes = Uint8Array.from(atob(location.hash.slice(1).replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    const [asOf, request, catalog] = JSON.parse(new TextDecoder().decode(await coded(new DecompressionStream("deflate-raw"), bytes)));
    return { asOf: String(asOf), request: String(request), catalog: String(catalog) };
  } catch {
    $("about").textContent = "The link was cut short on its way; here is an example instead.";
    return null;
  }
}

/** Once the writer pauses: browsers allow only so many changes of the address. */
function keepInLink() {
  clearTimeout(pause);
  const state = [$("as-of").value, $("request").value, $("catalog").value];
  pause = setTimeout(async () => history.replaceState(null, "", `#${await linkOf(state)}`), PAUSE_MS);
}

let announcing;
function announce(text) {
  clearTimeout(announcing);
  announcing = setTimeout(() => { $("status").textContent = text; }, PAUSE_MS);
}

// ---- What is done

for (const name of ["request", "catalog", "as-of"]) {
  $(name).addEventListener("input", () => {
    $("example").value = "";
    $("about").textContent = "";
    refresh();
  });
}
$("example").addEventListener("change", ({ target }) => openExample(target.value));
$("share").addEventListener("click", async () => {
  const link = `${location.origin}${location.pathname}#${await linkOf([$("as-of").value, $("request").value, $("catalog").value])}`;
  try {
    await navigator.clipboard.writeText(link);
    announce("The link is copied");
    $("share").textContent = "Copied";
    setTimeout(() => { $("share").textContent = "Copy link to this"; }, 2000);
  } catch {
    location.hash = new URL(link).hash; // then it can be taken from the address bar
    announce("The link is in the address bar");
    $("share").textContent = "It is in the address bar";
  }
});
addEventListener("hashchange", async () => {
  const linked = await stateOfLink();
  if (linked) open(linked, "");
});

// Draws a year of invoices as pairs of bars, and as the table that says the same. Everything is built once, and a new year is
// written into it: what changes is the height of bars, never the place of anything.

import { amount, el, svg } from "./dom.js";
import { days, difference, isNegative, isZero, money, month, shortMoney } from "./format.js";

const HEIGHT = 150; // of the tallest bar, in pixels
const TOP = 12; // for half a line of text
const FOOT = 40; // for months and years

/** Draws into `place`, an empty figure; answers a function to call with every new outlook, or null where there is none. */
export function yearChart(place) {
  let key = null;
  let parts = null;
  return (outlook) => {
    if (!outlook) {
      place.replaceChildren(el("p.note", {}, "Change something to see the coming months."));
      key = null;
      return;
    }
    const starts = outlook.months.map(({ start }) => start).join();
    if (starts !== key) {
      parts = build(outlook.months);
      place.replaceChildren(...parts.all);
      key = starts;
    }
    fill(place, parts, outlook);
  };
}

function build(months) {
  const band = 100 / months.length;
  const percent = (value) => `${value.toFixed(3)}%`;
  const bars = months.map((one, index) => {
    const bar = (which, offset) => svg(`rect.${which}`, {
      x: percent(band * (index + offset)), width: percent(band * 0.36), y: TOP + HEIGHT, height: 0, rx: 2,
      fill: which === "before" ? "url(#hatch)" : null,
    });
    const tip = svg("title");
    const node = svg("g", { "data-month": one.start.slice(0, 7) }, tip, bar("before", 0.12), bar("after", 0.52));
    return { node, tip, before: node.querySelector(".before"), after: node.querySelector(".after") };
  });
  const names = months.map(({ start }, index) => ["short", "narrow"].map((style) => svg(`text.month.${style}`, {
    x: percent(band * (index + 0.5)), y: TOP + HEIGHT + 17, "text-anchor": "middle",
  }, month(start, style))));
  const january = months.findIndex(({ start }, index) => index > 0 && start.slice(5, 7) === "01");
  const years = [january > 2 || january < 0 ? 0 : -1, january].filter((index) => index >= 0).map((index) => svg("text.year", {
    x: percent(band * (index + 0.12)), y: TOP + HEIGHT + 34,
  }, month(months[index].start, "year")));
  const steps = [0, 0.5, 1].map((part) => TOP + HEIGHT * (1 - part));
  const title = svg("title", { id: "chart-title" });
  const about = svg("desc", { id: "chart-about" });
  const height = TOP + HEIGHT + FOOT;
  const named = { "aria-labelledby": title.id, "aria-describedby": about.id };
  const picture = svg("svg.plot", { role: "img", ...named, height }, title, about, hatch("hatch"),
    steps.map((y) => svg("line.step", { x1: 0, x2: "100%", y1: y, y2: y })), bars.map(({ node }) => node), names, years);
  const marks = steps.map((y) => svg("text", { x: "100%", y: y + 4, "text-anchor": "end" }));
  const axis = svg("svg.axis", { "aria-hidden": "true", height }, marks);
  const [legend, totals] = legendOf();
  const rows = months.map(({ start, end, whole }) => tableRow(whole ? month(start, "long") : days({ start_date: start, end_date: end })));
  const last = tableRow("Together");
  const columns = ["As it is", "With the change", "Difference"];
  const table = el("table.year", {},
    el("caption.visually-hidden", {}, "What is due in each month, as it is and with the change"),
    el("thead", {}, el("tr", {}, el("td", {}), columns.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, rows.map(({ node }) => node)), el("tfoot", {}, last.node));
  const folded = el("details", {}, el("summary", {}, "The same as a table"), el("div.scroll", {}, table));
  return { all: [legend, el("div.drawing", {}, axis, picture), folded], bars, marks, title, about, totals, rows: [...rows, last] };
}

// Tells the bars apart without colour.
function hatch(id) {
  const tile = { width: 5, height: 5 };
  const pattern = svg("pattern", { id, ...tile, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect.hatch-paper", tile), svg("rect.hatch-line", { ...tile, width: 2 }));
  return svg("defs", {}, pattern);
}

function legendOf() {
  const entry = (which, text) => {
    const total = amount("\u00a0");
    const swatch = svg("svg.swatch", { "aria-hidden": "true" },
      svg(`rect.${which}`, { x: 1, y: 1, width: 14, height: 14, rx: 2, fill: which === "before" ? "url(#hatch)" : null }));
    return { total, node: el(`div.legend-${which}`, {}, el("dt", {}, swatch, text), el("dd", {}, total)) };
  };
  const before = entry("before", "As it is");
  const after = entry("after", "With the change");
  const more = el("p.legend-more");
  return [el("div.legend", {}, el("dl", {}, before.node, after.node), more), { before: before.total, after: after.total, more }];
}

function tableRow(name) {
  const cells = Array.from({ length: 3 }, () => el("td.amount"));
  return { cells, node: el("tr", {}, el("th", { scope: "row" }, name), cells) };
}

function fill(place, parts, { months, currency, before, after }) {
  const show = (text) => (text === null ? "–" : money(text, currency));
  const top = scale(Math.max(...months.flatMap((one) => [Number(one.before), Number(one.after ?? 0)])));
  place.classList.toggle("unchanged", after === null);
  for (const [index, part] of [0, 0.5, 1].entries()) {
    parts.marks[index].textContent = top === 0 && part > 0 ? "" : shortMoney(top * part, currency);
  }
  for (const [index, { node, tip, ...bars }] of parts.bars.entries()) {
    const one = months[index];
    for (const which of ["before", "after"]) {
      const height = top === 0 ? 0 : (Number(one[which] ?? 0) / top) * HEIGHT;
      bars[which].setAttribute("height", height.toFixed(2));
      bars[which].setAttribute("y", (TOP + HEIGHT - height).toFixed(2));
    }
    const compared = after === null ? show(one.before) : `${show(one.before)} as it is, ${show(one.after)} with the change`;
    tip.textContent = `${days({ start_date: one.start, end_date: one.end })}: ${compared}`;
  }
  for (const [index, { cells }] of parts.rows.entries()) {
    const one = months[index] ?? { before, after };
    const texts = [show(one.before), show(one.after), signed(one, currency)];
    for (const [column, cell] of cells.entries()) cell.textContent = texts[column];
  }
  const more = after === null ? "Change something to compare." : `${signed({ before, after }, currency)} in twelve months`;
  parts.totals.before.textContent = show(before);
  parts.totals.after.textContent = show(after);
  parts.totals.more.textContent = more;
  parts.title.textContent = `The coming twelve months, ${days({ start_date: months[0].start, end_date: months.at(-1).end })}`;
  const compared = after === null ? "" : ` With the change: ${show(after)}, ${more}.`;
  parts.about.textContent = `Due as it is: ${show(before)}.${compared} The table below has every month.`;
}

function signed({ before, after }, currency) {
  if (after === null) return "–";
  const more = difference(after, before);
  return isZero(more) ? "±0" : `${isNegative(more) ? "" : "+"}${money(more, currency)}`;
}

/** The next round number. */
function scale(most) {
  if (most === 0) return 0;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((digit) => digit * power >= most) * power;
}

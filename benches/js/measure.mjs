// How long each contender takes for the same preview, in Node and in a page alike.

import { benchCase, LINES, OPTIONS, TYPES } from "./cases.mjs";
import { contenders } from "./contenders.mjs";

const ROUNDS = 15;
const ROUND_MS = 20;
const CHECKED = 200;

/** Rows of `{ type, lines, bytes, times }`: microseconds a call by contender, each the median of its rounds. */
export function measure(door) {
  const rivals = contenders({ engineVersion: door.version });
  const rows = [];
  for (const type of TYPES) {
    for (const lines of LINES) {
      const { catalog, request } = benchCase(lines, type);
      const kept = door.prepareCatalog(catalog);
      const prepared = rivals.map(({ name, rules }) => ({ name, rules, catalog: rules.prepare(catalog) }));
      const text = JSON.stringify(door.createCheckoutPreview(request(1), kept, OPTIONS));
      for (let i = 0; i < CHECKED; i++) {
        const ours = JSON.stringify(door.createCheckoutPreview(request(i), kept, OPTIONS));
        for (const { name, rules, catalog } of prepared) {
          if (JSON.stringify(rules.preview(request(i), catalog, OPTIONS)) !== ours) throw new Error(`${name} gives another answer: ${type}, ${lines} lines, request ${i}`);
        }
      }
      const works = {
        "checkout-preview": (i) => door.createCheckoutPreview(request(i), kept, OPTIONS),
        "JSON.parse": () => JSON.parse(text),
        ...Object.fromEntries(prepared.map(({ name, rules, catalog }) => [name, (i) => rules.preview(request(i), catalog, OPTIONS)])),
      };
      rows.push({ type, lines, bytes: text.length, times: timesOf(works) });
      kept.free();
    }
  }
  return rows;
}

/** In turns, so that whatever else the machine does meets all of them. */
function timesOf(works) {
  const all = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, work] of Object.entries(works)) {
      const start = performance.now();
      let calls = 0;
      do work(calls++); while (performance.now() - start < ROUND_MS);
      const each = ((performance.now() - start) / calls) * 1000;
      if (round >= 0) all[name].push(each);
    }
  }
  return Object.fromEntries(Object.entries(all).map(([name, times]) => [name, median(times)]));
}

export const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

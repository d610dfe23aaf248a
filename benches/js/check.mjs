// Whether every contender answers as the engine does, byte for byte: `node check.mjs [how many requests for each case]`.
//
// The engine's answers come from the verifier's command line, built last or named by CHECKOUT_VERIFIER.

import { nativeAnswers as answersTo } from "../../tests/js/verifier.mjs";
import { benchCase, LINES, OPTIONS, TYPES } from "./cases.mjs";
import { contenders } from "./contenders.mjs";
import { variedQuestion } from "./varied.mjs";

/** The engine's answers to some questions, as texts. */
const nativeAnswers = (questions) => answersTo(questions.map((question) => JSON.stringify(question)));

/** Ends the process with what is about the first difference of two texts. */
function differ(what, wanted, found) {
  let at = 0;
  while (wanted[at] === found[at]) at++;
  const near = (text) => text.slice(Math.max(0, at - 120), at + 120);
  console.error(`${what}: another answer than the engine's, from character ${at} on`);
  console.error(`  engine: …${near(wanted)}…\n  here:   …${near(found)}…`);
  process.exit(1);
}

/** A contender's answer as the verifier would write it; of a refusal, its one problem. */
function answerOf(rules, prepared, { request, as_of, now }) {
  try {
    return { text: `{"status":"ok","preview":${JSON.stringify(rules.preview(request, prepared, { as_of, now }))}}` };
  } catch (error) {
    if (error.name !== "CheckoutRefused") throw error;
    return { text: error.message, refusal: error };
  }
}

/** Whether a refusal is one of the engine's problems. */
function isTold(refusal, wanted) {
  const { problems = [] } = JSON.parse(wanted);
  return problems.some(({ code, path }) => code === refusal.code && path === refusal.path);
}

/** Holds all contenders' answers against the engine's. */
function compare(what, questions) {
  const wanted = nativeAnswers(questions);
  let refused = 0;
  for (const { name, rules } of all) {
    let catalog, prepared;
    questions.forEach((question, index) => {
      if (question.catalog !== catalog) prepared = rules.prepare((catalog = question.catalog));
      const { text, refusal } = answerOf(rules, prepared, question);
      if (refusal !== undefined && isTold(refusal, wanted[index])) refused++;
      else if (text !== wanted[index]) {
        differ(`${what}, ${name}, request ${index} ${JSON.stringify(question.request)}`, wanted[index], text);
      }
    });
  }
  const both = refused / all.length;
  console.log(`${what}: ${questions.length - both} answers alike${both > 0 ? `, and ${both} refusals` : ""}`);
}

const first = { ...OPTIONS, catalog: benchCase(1).catalog, request: benchCase(1).request(0) };
const engineVersion = JSON.parse(nativeAnswers([first])[0]).preview.engine_version;
const all = contenders({ engineVersion });
const count = Number(process.argv[2] ?? 200);
for (const type of TYPES) {
  for (const lines of LINES) {
    const { catalog, request } = benchCase(lines, type);
    // Catalogs of many lines take the command line long to read.
    const requests = Math.max(10, Math.floor(count / Math.ceil(lines / 20)));
    const questions = Array.from({ length: requests }, (_, i) => ({ ...OPTIONS, catalog, request: request(i) }));
    compare(`${type}, ${lines} lines`, questions);
  }
}
compare("varied", Array.from({ length: 5 * count }, (_, seed) => variedQuestion(seed)));

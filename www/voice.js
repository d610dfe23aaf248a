// How the page speaks: the message above the button, the announcement for screen readers, and a button that is busy.

import { el, icon } from "./dom.js";
import { sentence } from "./format.js";

const $ = (id) => document.getElementById(id);

/** The message above the button: `{title, text, action?, run?}`, or null for none. */
export function say(message) {
  if (!message) {
    $("notice").replaceChildren();
    return;
  }
  const { title, text, action, run } = message;
  $("notice").replaceChildren(icon("alert"), el("div", {}, el("strong", {}, title), el("p", {}, text)),
    action ? el("button.quiet", { type: "button", onclick: run }, action) : "");
}

/** How long the engine took, for those who wonder. */
export function tellTime(took) {
  const time = took < 0.1 ? "less than 0.1" : took.toFixed(1);
  $("timing").replaceChildren(icon("bolt"), `Computed in your browser in ${time} ms, no server asked`);
}

/** Says in plain words why something failed, and offers to try again. */
export function explain(error, title, retry, comfort = "Everything you chose is kept.") {
  say({ title, text: `${reason(error)} ${comfort}`, action: "Try again", run: retry });
}

function reason(error) {
  switch (error.kind) {
    case "offline": return "You seem to be offline.";
    case "busy": return `Too many orders at this moment; try again in ${error.retryAfter ?? 10} seconds.`;
    case "signed_out": return "You have been signed out, as happens after a day: sign in again, then load this page.";
    case "closed": return "We cannot take this at the moment. It is not your doing; please write to us.";
    case "unavailable": return "Our server did not answer.";
    default:
      console.error(error);
      return sentence(error.message || "something unexpected happened");
  }
}

// Screen readers hear the total once the buyer pauses; the picture changes at once.
const PAUSE_MS = 500;
let announcing;

export function announce(text) {
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    if ($("status").textContent !== text) $("status").textContent = text;
  }, PAUSE_MS);
}

/** Marks a button as busy for as long as `work` takes, and answers what `work` does; a second press does nothing. */
export async function whileBusy(button, label, work) {
  if (button.getAttribute("aria-disabled") === "true") return null;
  const usual = button.textContent;
  button.setAttribute("aria-disabled", "true");
  button.textContent = label;
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-disabled");
    button.textContent = usual;
  }
}

/** A new screen begins at its heading, for the eye and for the screen reader. */
export function lookAt(heading) {
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

// From Continue to the contract: stores what the page shows, asks again where it costs something else by now, and confirms
// it, once. The shop and the account both talk to the server through this.

import { priceChange } from "./change.js";
import { moment } from "./format.js";
import { confirmCheckout, createCheckout, readCheckout } from "./server.js";
import { explain, lookAt, say, whileBusy } from "./voice.js";

const $ = (id) => document.getElementById(id);

/**
 * Takes a page through its checkout. `page` has
 * - `form`, which is submitted to get the price again, and `thing`, what is being bought: "order";
 * - `show(stage)`, told when another screen begins: "choose", "review" or "done";
 * - `review(preview, checkout)` and `done(session)`, which draw the other two;
 * - `reload()`, which reads anew what prices depend on, keeps what was entered, and shows the price;
 * - `refused(problems)`, told when the server does not take what the engine here took.
 *
 * Answers `proceed(request, preview)`, for Continue.
 */
export function checkoutOf(page) {
  let checkout = null; // the session, from Continue on
  $("edit").addEventListener("click", back);
  $("confirm").addEventListener("click", confirm);
  return proceed;

  /** Stores the checkout as `preview` shows it. */
  async function proceed(request, preview) {
    say(null);
    const focused = document.activeElement;
    page.form.inert = true;
    const changed = await whileBusy($("continue"), "Holding your price", async () => {
      try {
        checkout = await createCheckout(request, preview.estimates);
        page.show("review");
        page.review(preview, checkout);
        lookAt($("review-title"));
      } catch (error) {
        if (error.body?.code === "preview_mismatch") return error.body;
        if (error.body?.problems) await refused(error.body.problems);
        else explain(error, `Your ${page.thing} was not saved`, () => proceed(request, preview));
      }
      return null;
    });
    page.form.inert = false;
    if (document.activeElement === document.body) focused.focus();
    if (changed) await askAgain(request, preview, changed);
  }

  /** The server's catalog or contract is another one by now. */
  async function refused(problems) {
    await page.reload().catch(() => null); // what is wrong can be said without
    page.refused(problems);
  }

  /** The server came to another price: show both and let the buyer decide. */
  async function askAgain(request, preview, { differences, preview: fresh }) {
    const dialog = $("price-changed");
    dialog.replaceChildren(...priceChange(preview, fresh, differences));
    dialog.showModal();
    const answer = await new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
    if (await reloaded() && answer === "accept") await proceed(request, fresh);
  }

  async function reloaded() {
    try {
      await page.reload();
      return true;
    } catch (error) {
      explain(error, "The new prices did not load", reloaded);
      return false;
    }
  }

  function back() {
    checkout = null;
    say(null);
    page.show("choose");
    lookAt(document.querySelector("h1"));
  }

  async function confirm() {
    say(null);
    await whileBusy($("confirm"), `Making your ${page.thing === "order" ? "contract" : page.thing}`, async () => {
      try {
        done(await confirmCheckout(checkout));
      } catch (error) {
        const { code, current_status: status } = error.body ?? {};
        if (status === "contract_created") await doneAlready();
        else if (code === "contract_changed") await changedMeanwhile();
        else if (status === "expired") renew(`The price was held until ${moment(checkout.expires_at)}.`);
        else if (status) renew(`The ${page.thing} was ${status.replaceAll("_", " ")} in the meantime.`);
        else if (code === "estimates_not_reproducible" || error.status === 404) renew("The stored price can no longer be used.");
        else explain(error, `Your ${page.thing} may not be confirmed yet`, confirm, "Trying again cannot do it twice.");
      }
    });
  }

  // It was confirmed, but the answer got lost on the way.
  async function doneAlready() {
    try {
      done(await readCheckout(checkout));
    } catch (error) {
      explain(error, `Your ${page.thing} is confirmed, but did not load`, doneAlready);
    }
  }

  // Two may preview the same contract; the other one was first.
  async function changedMeanwhile() {
    back();
    if (!await reloaded()) return;
    say({
      title: "This contract has just been changed",
      text: "Somebody else was first, so yours was not done. What you entered is kept; the price is the one for the contract as it is now.",
    });
  }

  function renew(text) {
    say({
      title: "This offer has run out",
      text: `${text} Everything you chose is still here.`,
      action: "Get the price again",
      run: () => {
        back();
        page.form.requestSubmit();
      },
    });
  }

  function done(session) {
    page.show("done");
    page.done(session);
    lookAt($("done-title"));
  }
}

/** Shows the parts of the page that a stage has, for the stages that every page has. */
export function showStage(stage, form) {
  const review = stage === "review";
  $("checkout").dataset.stage = stage;
  $("checkout").hidden = stage === "done";
  $("done").hidden = stage !== "done";
  form.hidden = review;
  $("review").hidden = !review;
  $("continue").hidden = review;
  $("continue").disabled = stage === "loading";
  $("confirm").hidden = $("edit").hidden = !review;
  document.querySelector(".region").hidden = review || stage === "done";
}

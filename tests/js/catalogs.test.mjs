// Catalogs remembered by identity: what a change of one means, and who is told.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { project } from "./project.mjs";

const SCRIPT = `const { createCheckoutPreview, prepareCatalog } = require("checkout-preview");
const catalog = {
  customers: [{ id: "cus" }],
  plans: [{ id: "pro", currency: "USD", phases: [{ pricings: [{
    id: "seats", product: { id: "seat", name: "Seat" }, billing_period: { cadence: "P1M", offset: "prepaid" },
    quantity: { type: "fixed", value: "10" }, pricing_data: { pricing_type: "per_unit", unit_amount: "12.00" },
  }] }] }],
};
const [pricing] = catalog.plans[0].phases[0].pricings;
const shown = (given) => {
  const { line_items: [item], amount_due } = createCheckoutPreview({ plan_id: "pro", customer_id: "cus" }, given).estimates.current_invoice;
  return [item.name, amount_due];
};
const prepared = prepareCatalog(catalog);
const answers = [shown(catalog), shown(catalog)];
pricing.pricing_data.unit_amount = "13.00";
pricing.product.name = "Chair";
answers.push(shown(catalog), shown(catalog), shown(prepared), shown({ ...catalog }), shown(prepareCatalog(catalog)));
console.log(JSON.stringify(answers));
`;

function inEnvironment(NODE_ENV) {
  writeFileSync(join(project, "changed.cjs"), SCRIPT);
  const { stdout, stderr } = spawnSync(process.execPath, ["changed.cjs"], { cwd: project, encoding: "utf8", env: { ...process.env, NODE_ENV } });
  return { answers: JSON.parse(stdout), warnings: stderr };
}

test("a page that is bundled for development is told, too", () => {
  const page = SCRIPT.replace(/const \{(.*)\} = require\("checkout-preview"\);/, `import { init, $1 } from "checkout-preview/inline"; await init();`);
  writeFileSync(join(project, "page.mjs"), page);
  const esbuild = fileURLToPath(new URL("../../xtask/node_modules/.bin/esbuild", import.meta.url));
  for (const [environment, warnings] of [["development", 1], ["production", 0]]) {
    const words = ["page.mjs", "--bundle", "--format=esm", `--define:process.env.NODE_ENV="${environment}"`, "--outfile=bundle.mjs", "--log-level=warning"];
    execFileSync(esbuild, words, { cwd: project });
    const { stdout, stderr } = spawnSync(process.execPath, ["bundle.mjs"], { cwd: project, encoding: "utf8", env: {} });
    assert.deepEqual(JSON.parse(stdout)[2], asItWas);
    assert.equal(stderr.match(/a catalog was changed after its first use/g)?.length ?? 0, warnings, environment);
  }
});

const asItWas = ["Seat", "120.00"], asItIs = ["Chair", "130.00"];

for (const environment of ["development", "production", ""]) {
  test(`a catalog that was changed is priced as it was, ${environment || "without an environment"}`, () => {
    const { answers, warnings } = inEnvironment(environment);
    assert.deepEqual(answers, [asItWas, asItWas, asItWas, asItWas, asItWas, asItIs, asItIs]);
    if (environment === "development") {
      assert.equal(warnings.match(/a catalog was changed after its first use/g)?.length, 1, `told once: ${warnings}`);
      assert.match(warnings, /\{ \.\.\.catalog \}/, "and what to do");
    } else {
      assert.equal(warnings, "");
    }
  });
}

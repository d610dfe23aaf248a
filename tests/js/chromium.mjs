// Chromium without a window, as every test here starts it.

import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** The one that `CHROMIUM` names, or the first on the path. */
const installed = () => process.env.CHROMIUM ?? execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();

export const launchChromium = (executablePath = installed()) => chromium.launch({ executablePath, args: ARGUMENTS });

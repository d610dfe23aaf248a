// An empty project with the packed package installed, as a user has it: what every test here imports from.
//
// `node tests/js/project.mjs` makes it anew; tests take it as it is, unless the package has been built since.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const project = join(root, "target/js-project");
export const installed = join(project, "node_modules/checkout-preview");

const npm = (folder, ...words) => execFileSync("npm", words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

function make() {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  npm(join(root, "pkg"), "pack", "--silent", "--pack-destination", project);
  install(project, tarball());
  writeFileSync(join(project, "import.mjs"), `export * from "checkout-preview";\n`);
}

const tarball = () => join(project, readdirSync(project).find((name) => name.endsWith(".tgz")));

function install(folder, file) {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", private: true }));
  npm(folder, "install", "--silent", "--offline", "--no-audit", "--no-fund", file);
}

/** A new folder with nothing but the packed package installed. */
export function emptyProject(name) {
  const folder = join(root, "target/js-projects", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  install(folder, tarball());
  return folder;
}

function isFresh() {
  const dist = join(root, "pkg/dist");
  const manifests = [root, installed].map((folder) => join(folder, folder === root ? "pkg/package.json" : "package.json"));
  if (!manifests.every(existsSync) || !readFileSync(manifests[0]).equals(readFileSync(manifests[1]))) return false;
  return readdirSync(dist, { recursive: true }).filter((name) => statSync(join(dist, name)).isFile()).every((name) => {
    const copy = join(installed, "dist", name);
    return existsSync(copy) && readFileSync(copy).equals(readFileSync(join(dist, name)));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url) || !isFresh()) make();

/** The package as `require` finds it. */
export const required = createRequire(join(project, "index.cjs"))("checkout-preview");

/** The package as `import` finds it. */
export const imported = await import(pathToFileURL(join(project, "import.mjs")));

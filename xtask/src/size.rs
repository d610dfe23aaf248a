//! What the package weighs.

use crate::shell::{program, root, run};
use anyhow::Result;

pub(crate) const HELP: &str = "\
Weigh the files that pkg/dist ships: raw, gzip -9, brotli -11, in bytes.

Usage: cargo xtask size

Builds the package first. Compresses with Node's own zlib.";

const SCRIPT: &str = r#"
const { readdirSync, readFileSync } = require("node:fs");
const { brotliCompressSync, gzipSync } = require("node:zlib");
const row = (name, ...sizes) => console.log(name.padEnd(24) + sizes.map((size) => String(size).padStart(10)).join(""));
row("", "raw", "gzip", "brotli");
for (const name of readdirSync("pkg/dist").sort()) {
  const bytes = readFileSync(`pkg/dist/${name}`);
  row(name, bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length);
}
"#;

pub(crate) fn weigh() -> Result<()> {
    crate::package::build()?;
    run(program("node", ["--eval", SCRIPT]).current_dir(root()))
}

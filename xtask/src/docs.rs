//! Writes the reference of the npm package: `pkg/src/*.d.ts` -> `docs/npm/api.md`, by `tests/js/api.mjs`.

use crate::shell::{program, run};
use anyhow::Result;

pub(crate) const HELP: &str = "\
Write docs/npm/api.md, the reference of the npm package, from its types: pkg/src/index.d.ts and pkg/src/react.d.ts.

Usage: cargo xtask docs

Needs Node 20 or newer and nothing else. tests/js/docs.test.mjs fails when the page is not what the types give.";

/// Writes the page.
pub(crate) fn write() -> Result<()> {
    run(&mut program("node", ["tests/js/api.mjs"]))
}

//! The engine, changed in one place at a time: does a test notice? With cargo-mutants.

use crate::setup;
use crate::shell::{cargo, run, target};
use anyhow::Result;

pub(crate) const HELP: &str = "\
Change the engine in one place at a time and see whether a test fails, with cargo-mutants.

Usage: cargo xtask mutants [ARGUMENTS]

Arguments go to cargo-mutants: `-f src/money.rs` takes that file alone, `--shard 0/4` a quarter of all. .cargo/mutants.toml
says which tests look. Results are in target/mutants.out.";

/// Enough of the second implementation's seeds for what it is to notice, and few enough for a thousand changes.
const SEEDS: &str = "0..4000";

pub(crate) fn mutate(rest: &[String]) -> Result<()> {
    setup::cargo_mutants()?;
    let mut mutants = cargo(["mutants", "--package", "checkout-preview", "--jobs", "2", "--output"]);
    run(mutants.arg(target()).args(rest).env("DAY_BY_DAY", SEEDS))
}

//! libFuzzer on the engine: tests/fuzz.

use crate::setup;
use crate::shell::{cargo, root, run, target};
use anyhow::{Context, Result, bail};
use std::fs;

pub(crate) const HELP: &str = "\
Let libFuzzer look for inputs that stop the engine, in tests/fuzz.

Usage: cargo xtask fuzz [TARGET] [--minutes N]

Targets, all of them one after another unless one is named:
  request   a request of any bytes, to a shop with everything in it
  catalog   a catalog of any bytes
  preview   a whole case: catalog, request and moment
  value     the text in which values of JavaScript reach the wasm
  time      a whole case, with an eye on time against size

Options:
  --minutes N   how long each runs [default: 1]

The first inputs are the corpus of the tests and generated cases; what is found on the way stays in target/fuzz-inputs, so
that the next run goes on from there. An input that stops a target is written to target/fuzz-found: make a case of it.";

const TARGETS: [&str; 5] = ["request", "catalog", "preview", "value", "time"];

/// The longest input, and how many seconds one may take: with `time` there is a narrower watch.
const LIMITS: [&str; 4] = ["-max_len=100000", "-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"];

pub(crate) fn fuzz(rest: &[String]) -> Result<()> {
    let (mut wanted, mut minutes) = (None, 1_u32);
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => {
                let number = words.next().context("--minutes needs a number")?;
                minutes = number.parse().with_context(|| format!("--minutes needs a whole number, not `{number}`"))?;
            }
            name if TARGETS.contains(&name) => wanted = Some(name.to_owned()),
            unknown => bail!("there is no target `{unknown}`; there are {}", TARGETS.join(", ")),
        }
    }
    setup::cargo_fuzz()?;
    let (inputs, found, build) = (target().join("fuzz-inputs"), target().join("fuzz-found"), target().join("fuzz"));
    let manifest = root().join("tests/fuzz/Cargo.toml");
    let mut seeds = cargo(["run", "--quiet", "--release", "--bin", "seeds", "--manifest-path"]);
    seeds.arg(&manifest).arg("--target-dir").arg(&build).arg("--").arg(root().join("tests/cases")).arg(&inputs);
    run(&mut seeds)?;
    for name in TARGETS.into_iter().filter(|name| wanted.as_deref().is_none_or(|wanted| wanted == *name)) {
        let found = found.join(name);
        fs::create_dir_all(&found)?;
        // Nothing in the engine is unsafe, so that no sanitizer has anything to watch.
        let mut fuzz = cargo(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir", "tests/fuzz", "--target-dir"]);
        fuzz.arg(&build).arg(name).arg(inputs.join(name)).arg("--").args(LIMITS);
        fuzz.arg(format!("-max_total_time={}", minutes.saturating_mul(60)));
        fuzz.arg(format!("-artifact_prefix={}/", found.display()));
        run(fuzz.env("RUSTC_BOOTSTRAP", "1"))
            .with_context(|| format!("{name} found something: {}", found.display()))?;
    }
    Ok(())
}

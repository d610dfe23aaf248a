//! Every door of the engine asked the same, and the bytes compared: tests/prove.

use crate::shell::{cargo, find, program, run, target};
use crate::{package, serve, setup};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const HELP: &str = "\
Generate catalogs and requests and compare, byte for byte, what the engine answers natively, in Node, in Chromium and
over HTTP.

Usage: cargo xtask prove [--cases N] [--seed S]

Options:
  --cases N   how many [default: 2000]
  --seed S    which; the same seed makes the same cases [default: a new one]

All three types of checkout, every pricing model, feature and cadence, currencies of 0 to 4 digits, days from 1971 to
2999, previews and billing schedules, and about one case in five that is refused. What is different is made as small as it
gets and written to tests/cases/crashers, where the tests of all doors find it.";

/// How many cases CI looks at.
pub(crate) const CASES: u64 = 2000;

pub(crate) fn prove(rest: &[String]) -> Result<()> {
    let (mut cases, mut seed) = (CASES, None);
    for words in rest.chunks(2) {
        let [name, value] = words else { bail!("`{}` needs a number", words.concat()) };
        let number = value.parse().with_context(|| format!("{name} needs a whole number, not `{value}`"))?;
        match name.as_str() {
            "--cases" => cases = number,
            "--seed" => seed = Some(number),
            unknown => bail!("there is no `{unknown}`; `--help` says what there is"),
        }
    }
    package::build()?;
    setup::npm_packages()?;
    let browser = setup::browser()?;
    compare(cases, seed, &browser.chromium)
}

/// Compares, once the package is built.
pub(crate) fn compare(cases: u64, seed: Option<u64>, chromium: &Path) -> Result<()> {
    let seed = match seed {
        Some(seed) => seed,
        // Of the clock: short enough to be typed again.
        None => u64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()),
    };
    // Of the workspace, as its tests are compiled.
    run(&mut cargo(["build", "--workspace", "--bins", "--example", "http_door", "--example", "prove"]))?;
    let example = |name| target().join("debug/examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let node = find(&["node"]).context("node is not on PATH")?;
    let javascript = "tests/prove/javascript.mjs";
    let (native, http) = (serve::verifier(), example("http_door"));
    let (node, native, http, chromium) = (node.display(), native.display(), http.display(), chromium.display());
    let mut command = program(example("prove"), [] as [&str; 0]);
    command.args([cases.to_string(), seed.to_string(), "tests/cases/crashers".to_owned()]).args([
        format!("native={native}\npreview\n--jsonl"),
        format!("node={node}\n{javascript}"),
        format!("chromium={node}\n{javascript}\n{chromium}"),
        format!("http={http}"),
    ]);
    run(&mut command).with_context(|| {
        format!("the doors do not agree: `cargo xtask prove --cases {cases} --seed {seed}` shows it again")
    })
}

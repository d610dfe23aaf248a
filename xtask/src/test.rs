//! Every check there is, in the order in which they are soonest told.

use crate::shell::{answer, cargo, printed_by, program, root, run};
use crate::{panics, prove, schemathesis, serve, setup, size};
use anyhow::{Result, anyhow, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use throwaway_postgres::{Cluster, Programs, Settings};

pub(crate) const HELP: &str = "\
Run every check there is, as CI does, installing what they need: format, lints, tests, the verifier's on PostgreSQL
too and by schemathesis, the oldest promised Rust, the engine in a real browser, the weight of the npm package, the
packed package in everything that runs JavaScript, the demo in a browser, what all of them answer to 2,000 new cases,
and the licences of what is depended on.

Usage: cargo xtask test

Stops at the first failure. What cannot be tested here, such as the verifier on PostgreSQL where that is not installed,
is said at the end.";

/// Runs all of it.
pub(crate) fn everything() -> Result<()> {
    let mut steps = Steps::default();
    let result = all(&mut steps);
    println!("{}", steps.summary(result.is_err()));
    result
}

fn all(steps: &mut Steps) -> Result<()> {
    let deny: [&str; 3] = ["--", "--deny", "warnings"];
    steps.step("format", || run(&mut cargo(["fmt", "--all", "--check"])))?;
    steps.step("lints", || run(cargo(["clippy", "--workspace", "--all-targets"]).args(deny)))?;

    supply_chain(steps)?;

    let toolchain = steps.step("the wasm32 target", setup::wasm_target)?;
    steps.step("lints of the browser door", || match &toolchain {
        None => {
            let mut clippy = cargo(["clippy", "--package", "checkout-preview", "--lib"]);
            run(clippy.args(IN_BROWSERS).args(TARGET).args(deny))
        }
        // The distribution's Rust brings no clippy.
        Some(distro) => {
            let mut check = cargo(["check", "--package", "checkout-preview", "--lib"]);
            check.args(IN_BROWSERS).args(TARGET);
            run(check.env("RUSTUP_TOOLCHAIN", distro).env("RUSTFLAGS", "--deny=warnings"))
        }
    })?;

    steps.step("tests in Rust", || run(&mut cargo(["test", "--workspace"])))?;
    const ON_POSTGRES: &str = "the verifier's tests on PostgreSQL";
    match Programs::find() {
        Ok(programs) => steps.step(ON_POSTGRES, || on_postgres(&programs))?,
        Err(sentence) => steps.not_tested(ON_POSTGRES, &sentence),
    }

    const DESCRIPTION: &str = "the verifier's description, by schemathesis";
    match setup::python_programs() {
        Ok(programs) => steps.step(DESCRIPTION, || schemathesis::check(&serve::verifier(), &programs))?,
        Err(sentence) => steps.not_tested(DESCRIPTION, &sentence),
    }

    let msrv = steps.step("the oldest promised Rust", setup::msrv)?;
    match msrv {
        Some(msrv) => steps.step("the engine compiles with it", || {
            let mut check = cargo(["check", "--package", "checkout-preview", "--lib", "--target-dir", "target/msrv"]);
            run(check.env("RUSTUP_TOOLCHAIN", msrv))
        })?,
        None => steps.not_tested("the oldest promised Rust", "it cannot be installed here"),
    }

    let browser = steps.step("a browser", setup::browser)?;
    steps.step("wasm-pack", setup::wasm_pack)?;
    steps.step("the browser door and the laws in a browser", || {
        let mut test =
            program("wasm-pack", ["test", "--headless", "--chrome", "--mode", "no-install", "--chromedriver"]);
        test.arg(&browser.driver).arg("--").args(IN_BROWSERS);
        // Seconds for one file of tests; 20 unless told, which is soon over on a busy machine.
        test.env("WASM_BINDGEN_TEST_TIMEOUT", "180");
        if let Some(toolchain) = &toolchain {
            test.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        run(&mut test)
    })?;

    steps.step("the package, and its weight", size::weigh)?;
    steps.step("no message of a panic in it", panics::check)?;
    const IN_FIREFOX: &str = "the package in Firefox";
    let firefox = setup::firefox().inspect_err(|sentence| steps.not_tested(IN_FIREFOX, sentence)).ok();
    let npm = steps.step("npm packages", setup::npm_packages)?;
    steps.step("the package, packed and installed", || run(&mut program("node", ["tests/js/project.mjs"])))?;
    for folder in ["tests/js", "tests/e2e"] {
        steps.step(folder, || {
            let mut test = program("node", ["--test", "--test-reporter=spec"]);
            test.args(test_files(folder)?)
                .env("CHECKOUT_VERIFIER", serve::verifier())
                .env("CHROMIUM", &browser.chromium)
                .env("FIREFOX", firefox.as_deref().unwrap_or(Path::new("")));
            run(test.env("PATH", path_with(npm.join(".bin"))?))
        })?;
    }
    steps.step("all doors, asked the same", || prove::compare(prove::CASES, None, &browser.chromium))
}

/// What is depended on: licences, sources, versions; and what is known against it, where that can be had.
fn supply_chain(steps: &mut Steps) -> Result<()> {
    const LICENCES: &str = "licences and sources of what is depended on";
    const KNOWN: &str = "what is known against what is depended on";
    if setup::has_cargo_deny() {
        steps.step(LICENCES, || {
            run(&mut cargo(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
        })?;
        match answer(&mut cargo(["deny", "fetch", "db"])) {
            Some(_) => {
                steps.step(KNOWN, || run(&mut cargo(["deny", "--log-level", "error", "check", "advisories"])))?
            }
            None => steps.not_tested(KNOWN, "the advisories cannot be fetched here (crates)"),
        }
    } else {
        steps.not_tested(LICENCES, "install cargo-deny: `cargo xtask setup`");
    }
    for folder in ["tests", "xtask"] {
        // It fails for what it finds, and where the registry does not answer; only then it prints no report.
        let report = program("npm", ["audit", "--json", "--package-lock-only", "--prefix", folder]).output()?;
        match String::from_utf8_lossy(&report.stdout).contains("\"auditReportVersion\"") {
            true if report.status.success() => {}
            true => bail!("`npm audit --prefix {folder}` knows something against what is depended on"),
            false => steps.not_tested(KNOWN, &format!("the registry does not answer `npm audit` ({folder})")),
        }
    }
    Ok(())
}

/// A cluster that forgets when it dies, which is faster: the tests of faults start durable ones of their own.
fn on_postgres(programs: &Programs) -> Result<()> {
    let settings = Settings { durable: false, ..Settings::default() };
    let cluster = Cluster::start(programs, settings).map_err(|sentence| anyhow!(sentence))?;
    for test in compiled_tests_of("verifier")? {
        run(Command::new(test).current_dir(root().join("verifier")).env("TEST_POSTGRES_URL", cluster.url()))?;
    }
    Ok(())
}

/// The compiled tests of a member. (`cargo test --package` would compile them anew, for of one member alone its dependencies
/// have other features than of all.)
fn compiled_tests_of(member: &str) -> Result<Vec<String>> {
    let all = printed_by(&mut cargo(["test", "--workspace", "--no-run", "--message-format", "json"]))?;
    let manifest = root().join(member).join("Cargo.toml");
    let mut found = Vec::new();
    for line in all.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        let is_test = message["profile"]["test"] == true
            && Path::new(message["manifest_path"].as_str().unwrap_or("")) == manifest;
        found.extend(message["executable"].as_str().filter(|_| is_test).map(str::to_owned));
    }
    if found.is_empty() { bail!("{member} has no compiled tests") } else { Ok(found) }
}

/// The tests that are compiled for browsers.
const IN_BROWSERS: [&str; 4] = ["--test", "web", "--test", "laws"];
const TARGET: [&str; 2] = ["--target", "wasm32-unknown-unknown"];

/// The tests of a folder, in order: Node 20 and 22 disagree about what a folder's name means to `node --test`.
fn test_files(folder: &str) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        root().join(folder).read_dir()?.flatten().map(|entry| PathBuf::from(folder).join(entry.file_name())).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    match files.is_empty() {
        true => bail!("{folder} holds no test"),
        false => Ok(files),
    }
}

fn path_with(folder: PathBuf) -> Result<impl AsRef<OsStr>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path)))?)
}

#[derive(Default)]
struct Steps {
    passed: u32,
    not_tested: Vec<String>,
}

impl Steps {
    fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\n── {name}");
        let start = Instant::now();
        let result = work();
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        eprintln!("── {name}: {verdict} in {}", readable(start.elapsed()));
        if result.is_ok() {
            self.passed = self.passed.saturating_add(1);
        }
        result
    }

    /// What this machine cannot test, and what to do about it: said now and in the summary.
    fn not_tested(&mut self, name: &str, why: &str) {
        let line = format!("NOT TESTED: {name}: {why}");
        eprintln!("\n── {line}");
        self.not_tested.push(line);
    }

    fn summary(&self, failed: bool) -> String {
        let counts = format!("{} passed, {} failed", self.passed, u32::from(failed));
        std::iter::once(&counts).chain(&self.not_tested).map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

fn readable(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_BROWSERS, Steps, readable, root};
    use anyhow::bail;
    use std::ffi::OsStr;
    use std::time::Duration;

    #[test]
    fn only_what_passed_is_counted() {
        let mut steps = Steps::default();
        assert!(steps.step("good", || Ok(())).is_ok());
        assert!(steps.step("bad", || -> anyhow::Result<()> { bail!("no") }).is_err());
        assert_eq!(steps.summary(true), "1 passed, 1 failed");
    }

    #[test]
    fn what_was_not_tested_is_said_at_the_end() {
        let mut steps = Steps::default();
        steps.not_tested("the engine on the moon", "install a rocket");
        assert!(steps.step("good", || Ok(())).is_ok());
        assert_eq!(steps.summary(false), "1 passed, 0 failed\nNOT TESTED: the engine on the moon: install a rocket");
    }

    #[test]
    fn every_test_says_whether_it_is_for_browsers() -> anyhow::Result<()> {
        for file in root().join("tests").read_dir()?.flatten().map(|entry| entry.path()) {
            if file.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&file)?;
                let gates = [
                    "\n#![cfg(target_arch = \"wasm32\")]\n",
                    "\n#![cfg(not(target_arch = \"wasm32\"))]\n",
                    // For both.
                    "\n#[cfg(target_arch = \"wasm32\")]\nuse wasm_bindgen_test::wasm_bindgen_test as test;\n",
                ];
                let says = gates.iter().any(|gate| text.contains(gate));
                assert!(says, "{} has none of {gates:?}: wasm-pack compiles every test for wasm32", file.display());
                // What is for browsers and not run in one would be run nowhere.
                let is_run = IN_BROWSERS.contains(&file.file_stem().and_then(OsStr::to_str).unwrap_or_default());
                assert_eq!(is_run, !text.contains(gates[1]), "{} is for browsers, or IN_BROWSERS", file.display());
            }
        }
        Ok(())
    }

    #[test]
    fn times_are_told_in_minutes_from_a_minute_on() {
        assert_eq!(readable(Duration::from_millis(59_940)), "59.9 s");
        assert_eq!(readable(Duration::from_secs(61)), "1 min 1 s");
    }
}

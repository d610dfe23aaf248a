//! Installs what building and testing need, each thing only where it is missing.

use crate::schemathesis;
use crate::shell::{answer, find, program, root, run, target};
use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const HELP: &str = "\
Install what building and testing need: the wasm32 target, the source of Rust's library, the oldest Rust the engine
promises, wasm-pack and wasm-bindgen, cargo-deny, Chromium with its driver, Firefox, the npm packages of
xtask/package.json and tests/package.json, and schemathesis, in target/python.

Usage: cargo xtask setup

What is there already is left alone, so that a second run does nothing. The browsers come from apt-get where this runs as
root on Debian or Ubuntu; elsewhere install them and Chromium's driver yourself, and have them on PATH.";

const WASM: &str = "wasm32-unknown-unknown";

/// What a toolchain is called that Debian's or Ubuntu's own packages make up.
const DISTRO: &str = "distro";

/// Installs all of it.
pub(crate) fn everything() -> Result<()> {
    wasm_target()?;
    rust_source()?;
    msrv()?;
    wasm_pack()?;
    cargo_deny()?;
    browser()?;
    if let Err(sentence) = firefox() {
        eprintln!("the package cannot be tested in Firefox here: {sentence}");
    }
    build_tools()?;
    npm_packages()?;
    if let Err(sentence) = python_programs() {
        eprintln!("the verifier's description cannot be tested here: {sentence}");
    }
    eprintln!("everything is installed");
    Ok(())
}

/// Makes sure that wasm32 can be compiled for; the toolchain to do it with, where it is not the ordinary one.
pub(crate) fn wasm_target() -> Result<Option<String>> {
    toolchain_that(compiles_wasm, ["target", "add", WASM])
}

/// Makes sure that the source of Rust's own library is there, which the package is built with; the toolchain to do it with,
/// where it is not the ordinary one.
pub(crate) fn rust_source() -> Result<Option<String>> {
    toolchain_that(has_source, ["component", "add", "rust-src"])
}

/// A toolchain that can do something: the ordinary one, after `rustup` with some words if need be, or else the
/// distribution's.
fn toolchain_that(can: fn(Option<&str>) -> bool, words: [&str; 3]) -> Result<Option<String>> {
    if can(None) {
        return Ok(None);
    }
    if can(Some(DISTRO)) {
        return Ok(Some(DISTRO.to_owned()));
    }
    let line = format!("rustup {}", words.join(" "));
    let rustup = find(&["rustup"]).is_some();
    if rustup && run(&mut program("rustup", words)).is_ok() && can(None) {
        return Ok(None);
    }
    if rustup && is_root() && find(&["apt-get"]).is_some() {
        eprintln!("`{line}` failed: taking the distribution's own Rust instead");
        distro_toolchain().with_context(|| {
            format!("the distribution's Rust did not help either; type `{line}` where rustup has a network")
        })?;
        return Ok(Some(DISTRO.to_owned()));
    }
    match rustup {
        true => bail!("type `{line}`: it failed here, and its own words are above"),
        false => bail!("install rustup (https://rustup.rs), then type `{line}`"),
    }
}

fn has_source(toolchain: Option<&str>) -> bool {
    let sysroot = answer(&mut rustc(toolchain, &["--print", "sysroot"])).unwrap_or_default();
    Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock").is_file()
}

fn rustc(toolchain: Option<&str>, arguments: &[&str]) -> Command {
    let mut rustc = program("rustc", arguments);
    if let Some(toolchain) = toolchain {
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    rustc
}

fn compiles_wasm(toolchain: Option<&str>) -> bool {
    let Some(folder) = answer(&mut rustc(toolchain, &["--print", "target-libdir", "--target", WASM])) else {
        return false;
    };
    fs::read_dir(folder).is_ok_and(|files| files.flatten().any(|file| is_rlib_of(&file.path(), "core")))
}

/// Builds the library of wasm32 with Debian's or Ubuntu's own rustc and cargo, which ship its source, and makes a
/// toolchain of them.
fn distro_toolchain() -> Result<()> {
    apt_install(&["rustc-web", "cargo-web", "rust-web-src"])?;
    let rustc = Path::new("/usr/bin/rustc");
    let sysroot = answer(&mut program(rustc, ["--print", "sysroot"])).context("/usr/bin/rustc does not run")?;
    let libraries = Path::new(&sysroot).join("lib/rustlib");

    let folder = target().join("wasm-std");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"nothing\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    fs::write(folder.join("src/lib.rs"), "#![no_std]\n")?;
    let mut build = program("/usr/bin/cargo", ["build", "--release", "--target", WASM]);
    build.args(["-Z", "build-std=std,panic_abort,panic_unwind,proc_macro,test"]).current_dir(&folder);
    // The packaged Rust is a stable one; and without bitcode the package cannot be optimised as a whole.
    build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Cembed-bitcode=yes").env("RUSTC", rustc);
    build.env("CARGO_TARGET_DIR", folder.join("target")).env_remove("RUSTUP_TOOLCHAIN");
    run(&mut build)?;

    let built = folder.join("target").join(WASM).join("release/deps");
    let installed = libraries.join(WASM).join("lib");
    fs::create_dir_all(&installed)?;
    for file in fs::read_dir(built)?.flatten().map(|entry| entry.path()) {
        if file.extension() == Some(OsStr::new("rlib")) && !is_rlib_of(&file, "nothing") {
            fs::copy(&file, installed.join(file.file_name().unwrap_or_default()))?;
        }
    }
    link_linker(&libraries)?;
    run(&mut program("rustup", ["toolchain", "link", DISTRO, &sysroot]))?;
    match compiles_wasm(Some(DISTRO)) {
        true => Ok(()),
        false => bail!("what was built does not make a toolchain"),
    }
}

/// The packaged Rust has no linker for wasm32; rustup's has.
fn link_linker(libraries: &Path) -> Result<()> {
    let rustup = answer(&mut program("rustc", ["--print", "sysroot"])).context("rustc does not run")?;
    let version = answer(&mut program("rustc", ["--version", "--verbose"])).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let linker = Path::new(&rustup).join("lib/rustlib").join(host).join("bin/rust-lld");
    let place = libraries.join(host).join("bin");
    fs::create_dir_all(&place)?;
    let link = place.join("rust-lld");
    let _ = fs::remove_file(&link);
    // A link and not a copy: the linker finds its libraries beside the place where it really lies.
    symlink(&linker, &link).with_context(|| format!("{} cannot be linked to", linker.display()))
}

#[cfg(unix)]
fn symlink(original: &Path, link: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(original, link)?)
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> Result<()> {
    bail!("only Debian and Ubuntu have these packages")
}

fn is_rlib_of(file: &Path, name: &str) -> bool {
    let file = file.file_name().unwrap_or_default().to_string_lossy();
    file.starts_with(&format!("lib{name}-")) && file.ends_with(".rlib")
}

/// The toolchain of the oldest Rust that the engine promises to compile with; `None` where it cannot be had.
pub(crate) fn msrv() -> Result<Option<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let version = rust_version(&manifest).context("Cargo.toml promises no rust-version")?;
    let installed = || toolchain_of(&answer(&mut program("rustup", ["toolchain", "list"]))?, version);
    if let Some(toolchain) = installed() {
        return Ok(Some(toolchain));
    }
    let asked = run(&mut program("rustup", ["toolchain", "install", version, "--profile", "minimal"]));
    let toolchain = installed().filter(|_| asked.is_ok());
    if toolchain.is_none() {
        eprintln!(
            "WARNING: Rust {version} cannot be installed here: whether the engine compiles with it is NOT tested"
        );
    }
    Ok(toolchain)
}

/// The engine's rust-version in its manifest.
fn rust_version(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
}

/// The toolchain for a version, such as 1.88, in what `rustup toolchain list` prints.
fn toolchain_of(list: &str, version: &str) -> Option<String> {
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| is_of(name, version)).map(str::to_owned).next()
}

fn is_of(toolchain: &str, version: &str) -> bool {
    toolchain.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

/// Makes sure of wasm-pack, and of wasm-bindgen in the version the engine is built with: only tests need them.
pub(crate) fn wasm_pack() -> Result<()> {
    cargo_program("wasm-pack", &["--version"])?;
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let version = locked(&lock, "wasm-bindgen").context("Cargo.lock holds no wasm-bindgen")?;
    let runner = answer(&mut program("wasm-bindgen-test-runner", ["--version"])).unwrap_or_default();
    if runner.split_whitespace().last() != Some(version) {
        cargo_install(&["wasm-bindgen-cli", "--version", version, "--force"])?;
    }
    Ok(())
}

/// What lists what a program is made of, for `release`.
pub(crate) fn cyclonedx() -> Result<&'static str> {
    const NAME: &str = "cargo-cyclonedx";
    cargo_program(NAME, &["cyclonedx", "--version"])?;
    Ok(NAME)
}

/// What drives libFuzzer.
pub(crate) fn cargo_fuzz() -> Result<()> {
    cargo_program("cargo-fuzz", &["--version"])
}

/// What changes the engine in one place at a time.
pub(crate) fn cargo_mutants() -> Result<()> {
    cargo_program("cargo-mutants", &["mutants", "--version"])
}

/// A program of crates.io, unless it is there and says its version.
fn cargo_program(name: &str, version: &[&str]) -> Result<()> {
    if answer(&mut program(name, version)).is_none() {
        cargo_install(&[name])?;
    }
    Ok(())
}

/// What checks licences and sources. It takes minutes to compile, which a run of the tests does not wait for.
pub(crate) fn cargo_deny() -> Result<()> {
    cargo_program("cargo-deny", &["--version"])
}

pub(crate) fn has_cargo_deny() -> bool {
    answer(&mut program("cargo-deny", ["--version"])).is_some()
}

/// The version of a package in Cargo.lock.
fn locked<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, package) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    package.split('"').next()
}

/// Installs a program with the versions its author tested, or, where the registry no longer has one of those, with
/// those it has.
fn cargo_install(arguments: &[&str]) -> Result<()> {
    let install = |flags: &[&str]| {
        let mut install = program("cargo", ["install"]);
        // Not with the flags, nor into the folder, of whatever build this runs in.
        install.args(flags).args(arguments).env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
        run(&mut install)
    };
    install(&["--locked"])
        .or_else(|_| install(&[]))
        .with_context(|| format!("type `cargo install {}`", arguments.join(" ")))
}

/// A browser to test in, and the program that drives it.
pub(crate) struct Browser {
    /// Chromium or Chrome.
    pub(crate) chromium: PathBuf,
    /// Its chromedriver.
    pub(crate) driver: PathBuf,
}

/// Makes sure of a browser.
pub(crate) fn browser() -> Result<Browser> {
    let installed = || {
        let chromium = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let chromium = chromium.or_else(|| find(&["chromium", "chromium-browser", "google-chrome", "chrome"]))?;
        // Where GitHub's machines have it.
        let folder = std::env::var_os("CHROMEWEBDRIVER").map(|folder| Path::new(&folder).join("chromedriver"));
        let driver = find(&["chromedriver"]).or_else(|| folder.filter(|driver| driver.is_file()))?;
        Some(Browser { chromium, driver })
    };
    if let Some(browser) = installed() {
        return Ok(browser);
    }
    let sentence = "install Chromium and its chromedriver and have both on PATH; on Debian: `apt-get install chromium chromium-driver`";
    apt_install(&["chromium", "chromium-driver"]).context(sentence)?;
    installed().ok_or_else(|| anyhow!(sentence))
}

/// Makes sure of Firefox, which the package is tested in beside Chromium; where it is, or why it cannot be had.
pub(crate) fn firefox() -> std::result::Result<PathBuf, String> {
    let installed = || {
        let named = std::env::var_os("FIREFOX").map(PathBuf::from);
        named.or_else(|| find(&["firefox-esr", "firefox"]))
    };
    if let Some(firefox) = installed() {
        return Ok(firefox);
    }
    let sentence = "install Firefox and have it on PATH; on Debian: `apt-get install firefox-esr`";
    apt_install(&["firefox-esr"]).map_err(|_| sentence.to_owned())?;
    installed().ok_or_else(|| sentence.to_owned())
}

/// Makes sure of the npm packages that tests in JavaScript need; the folder they are in.
pub(crate) fn npm_packages() -> Result<PathBuf> {
    npm_packages_of("tests")
}

/// Makes sure of wasm-opt and esbuild, which is all that building needs of npm; the folder they are in.
pub(crate) fn build_tools() -> Result<PathBuf> {
    Ok(npm_packages_of("xtask")?.join(".bin"))
}

/// Makes sure that the packages that a folder's package-lock.json lists are installed in it; where.
pub(crate) fn npm_packages_of(folder: &str) -> Result<PathBuf> {
    let folder = root().join(folder);
    let modules = folder.join("node_modules");
    let list = folder.join("package-lock.json");
    let lock = fs::read(&list).with_context(|| format!("{} cannot be read", list.display()))?;
    let installed = modules.join(".installed-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    if find(&["npm"]).is_none() {
        bail!("install Node 20 or newer, with npm: https://nodejs.org");
    }
    run(program("npm", ["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
        .with_context(|| format!("npm cannot fetch what {} lists; look at its own words above", list.display()))?;
    fs::write(installed, lock)?;
    Ok(modules)
}

/// Of this very version each: what a newer one finds, it finds on the day when it is taken here.
const PYTHON_PACKAGES: [&str; 2] = ["schemathesis==4.32.5", "openapi-spec-validator==0.9.0"];

/// Makes sure that the Python programs for the verifier's description are installed; the folder they are in, or why they
/// cannot be.
pub(crate) fn python_programs() -> std::result::Result<PathBuf, String> {
    let environment = target().join("python");
    let programs = schemathesis::programs(&environment);
    let wanted = PYTHON_PACKAGES.join("\n");
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    let Some(python) = find(&["python3", "python"]) else {
        return Err("install Python 3.10 or newer, with venv and pip".into());
    };
    run(program(python, ["-m", "venv", "--clear"]).arg(&environment))
        .map_err(|_| "Python has no venv; on Debian: `apt-get install python3-venv`".to_owned())?;
    let mut pip = program(programs.join("pip"), ["install", "--quiet", "--disable-pip-version-check"]);
    run(pip.args(PYTHON_PACKAGES))
        .map_err(|_| "pip cannot fetch schemathesis; look at its own words above".to_owned())?;
    fs::write(&installed, wanted).map_err(|error| format!("{} cannot be written: {error}", installed.display()))?;
    Ok(programs)
}

fn apt_install(packages: &[&str]) -> Result<()> {
    if find(&["apt-get"]).is_none() || !is_root() {
        bail!("installing {} takes apt-get, and root to run it", packages.join(", "));
    }
    run(program("apt-get", ["update", "--quiet"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = program("apt-get", ["install", "--quiet", "--yes", "--no-install-recommends"]);
    run(install.args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> bool {
    answer(&mut program("id", ["-u"])).as_deref() == Some("0")
}

#[cfg(test)]
mod tests {
    use super::{is_rlib_of, locked, rust_version, toolchain_of};
    use std::path::Path;

    #[test]
    fn the_oldest_rust_is_the_one_the_manifest_promises() {
        let manifest = "[package]\nname = \"a\"\nrust-version = \"1.88\"\nedition.workspace = true\n";
        assert_eq!(rust_version(manifest), Some("1.88"));
        assert_eq!(rust_version("[package]\n"), None);
    }

    #[test]
    fn a_toolchain_is_found_by_its_version_and_not_by_a_longer_one() {
        let list =
            "stable-x86_64-unknown-linux-gnu (active, default)\n1.880.0-x86_64\n1.88.0-x86_64-unknown-linux-gnu\n";
        assert_eq!(toolchain_of(list, "1.88").as_deref(), Some("1.88.0-x86_64-unknown-linux-gnu"));
        assert_eq!(toolchain_of(list, "1.8"), None);
        assert_eq!(toolchain_of("1.88-aarch64-apple-darwin\n", "1.88").as_deref(), Some("1.88-aarch64-apple-darwin"));
        assert_eq!(toolchain_of("", "1.88"), None);
    }

    #[test]
    fn a_package_is_found_in_the_lock_file_by_its_whole_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked(lock, "wasm"), None);
    }

    #[test]
    fn libraries_are_told_by_their_crate() {
        assert!(is_rlib_of(Path::new("/x/libcore-0a1b.rlib"), "core"));
        assert!(!is_rlib_of(Path::new("/x/libcore_arch-0a1b.rlib"), "core"));
        assert!(!is_rlib_of(Path::new("/x/libcore-0a1b.rmeta"), "core"));
    }
}

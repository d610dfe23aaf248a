//! Installs what building and testing need.

use crate::shell::{answer, find, program, root, run};
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const HELP: &str = "\
Install what building and testing need: the wasm32 target, the oldest Rust the engine promises, wasm-pack and
wasm-bindgen, Chromium with its driver, and the npm packages of tests/package.json.

Usage: cargo xtask setup

What is there already is left alone, so that a second run does nothing.";

/// Installs all of it.
pub(crate) fn everything() -> Result<()> {
    wasm_target()?;
    npm_packages()?;
    Ok(())
}

/// Makes sure that wasm32 can be compiled for; the toolchain to do it with, where it is not the ordinary one.
pub(crate) fn wasm_target() -> Result<Option<String>> {
    Ok(None)
}

/// Where wasm-opt is; `None`, with a word about it, where npm is missing.
pub(crate) fn wasm_opt() -> Result<Option<PathBuf>> {
    if find(&["npm"]).is_none() {
        eprintln!("npm is not installed: the wasm stays as the compiler wrote it, which is larger");
        return Ok(None);
    }
    Ok(Some(npm_packages()?.join(".bin/wasm-opt")))
}

/// Makes sure that the packages of tests/package-lock.json are installed; the folder they are in.
pub(crate) fn npm_packages() -> Result<PathBuf> {
    let tests = root().join("tests");
    let modules = tests.join("node_modules");
    let lock = fs::read(tests.join("package-lock.json"))?;
    let installed = modules.join(".installed-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(modules);
    }
    run(program("npm", ["ci", "--no-audit", "--no-fund"]).current_dir(&tests))?;
    fs::write(installed, lock)?;
    Ok(modules)
}

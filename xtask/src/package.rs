//! Builds the npm package: `src/wasm.rs` and `pkg/src` -> `pkg/dist`.

use crate::setup;
use crate::shell::{cargo, printed_by, program, root, run, target};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

pub(crate) const HELP: &str = "\
Build the npm package into pkg/dist: one engine_bg.wasm, a loader for browsers and one for Node, and types.

Usage: cargo xtask build

Installs the wasm32 target and wasm-opt (the npm package binaryen) where they are missing. Without npm the wasm stays
as the compiler wrote it, which is larger. A second run with nothing changed does nothing.";

/// What wasm-opt has to be told of what rustc emits for wasm32.
const WASM_OPT: [&str; 9] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--strip-debug",
    "--strip-producers",
];

/// Builds the package, unless what it would be built from is what it was last built from.
pub(crate) fn build() -> Result<()> {
    let wasm = compile()?;
    let optimiser = setup::wasm_opt()?;
    let sources = root().join("pkg/src");
    let version = env!("CARGO_PKG_VERSION");
    check_version(&read(&root().join("pkg/package.json"))?, version)?;

    let dist = root().join("pkg/dist");
    let stamp = target().join("pkg.stamp");
    let inputs = fingerprint(&wasm, &sources, optimiser.is_some(), version)?;
    if dist.join("engine_bg.wasm").exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == inputs) {
        eprintln!("pkg/dist is up to date");
        return Ok(());
    }

    // Made in another place first, so that a build that fails leaves the last package as it was.
    let next = target().join("pkg-next");
    let _ = fs::remove_dir_all(&next);
    fs::create_dir_all(&next)?;
    let glue = bind(&wasm)?;
    let (bound, shipped) = (glue.folder.join("engine_bg.wasm"), next.join("engine_bg.wasm"));
    match optimiser {
        Some(wasm_opt) => run(program(wasm_opt, WASM_OPT).arg(&bound).arg("-o").arg(&shipped))?,
        None => drop(fs::copy(&bound, &shipped)?),
    }
    let source = |name: &str| read(&sources.join(name));
    let api = source("api.js")?.replace("\"0.0.0\"", &format!("{version:?}"));
    let shared = [within(&glue.error)?, within(&glue.engine)?, within(&api)?].concat();
    write(&next.join("browser.js"), &[shared.as_str(), &loader(&source("browser.js")?)].concat())?;
    write(&next.join("node.cjs"), &["\"use strict\";\n", &shared, &source("node.cjs")?].concat())?;
    write(&next.join("node.js"), &source("node.js")?)?;
    let types = source("index.d.ts")?;
    write(&next.join("index.d.ts"), &types)?;
    write(&next.join("index.d.cts"), &types)?;

    let _ = fs::remove_file(&stamp);
    let _ = fs::remove_dir_all(&dist);
    fs::create_dir_all(&dist).context("pkg cannot be written to")?;
    for file in fs::read_dir(&next)?.flatten() {
        fs::copy(file.path(), dist.join(file.file_name())).context("pkg/dist cannot be written to")?;
    }
    write(&stamp, &inputs)?;
    eprintln!("pkg/dist is built");
    Ok(())
}

/// Compiles the engine for wasm32; the path of what came out.
fn compile() -> Result<PathBuf> {
    let mut command = cargo(["build", "--package", "checkout-preview", "--lib", "--profile", "wasm"]);
    command.args(["--target", "wasm32-unknown-unknown"]);
    let toolchain = setup::wasm_target()?;
    if let Some(toolchain) = &toolchain {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    // The text of a panic names its source file: without this, by its place on the machine that built the package.
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags = format!("--remap-path-prefix={}=.", root().display());
    if let Some(home) = home {
        flags.push_str(&format!("\u{1f}--remap-path-prefix={}=crates", home.join("registry/src").display()));
    }
    // Where the library's source is installed too (editors want it), the compiler names its files by where they lie, and
    // not as everywhere else.
    let asked = |argument: &[&str]| {
        let mut rustc = program("rustc", argument);
        if let Some(toolchain) = &toolchain {
            rustc.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        printed_by(&mut rustc)
    };
    let (sysroot, version) = (asked(&["--print", "sysroot"])?, asked(&["--version", "--verbose"])?);
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    flags.push_str(&format!("\u{1f}--remap-path-prefix={}/lib/rustlib/src/rust=/rustc/{commit}", sysroot.trim()));
    command.env("CARGO_ENCODED_RUSTFLAGS", flags);
    run(&mut command)?;
    Ok(target().join("wasm32-unknown-unknown/wasm/checkout_preview.wasm"))
}

/// What wasm-bindgen makes of the engine.
struct Glue {
    /// The folder of `engine_bg.wasm`.
    folder: PathBuf,
    engine: String,
    /// The `inline_js` of `src/wasm.rs`.
    error: String,
}

fn bind(wasm: &Path) -> Result<Glue> {
    let folder = target().join("pkg-glue");
    let _ = fs::remove_dir_all(&folder);
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("engine").typescript(false);
    bindgen.web(true)?.omit_default_module_path(true).reset_state_function(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let mut output = bindgen.generate_output().context("wasm-bindgen failed")?;
    output.emit(&folder)?;
    let snippets: Vec<&String> = output.snippets().values().flatten().collect();
    let [error] = snippets.as_slice() else {
        bail!("src/wasm.rs has {} pieces of inline JavaScript; the package is made for one", snippets.len());
    };
    Ok(Glue { engine: read(&folder.join("engine.js"))?, error: error.to_string(), folder })
}

/// A module's text as part of a larger one: without imports (their names are there) and without exports.
///
/// # Errors
/// An import or export of a shape that this does not know.
fn within(module: &str) -> Result<String> {
    let mut text = String::new();
    for line in module.lines() {
        let is_import = line.starts_with("import ");
        let is_list = line.starts_with("export {");
        if (is_import || is_list) && !line.trim_end().ends_with(';') {
            bail!("`{line}` goes on in the next line, which the joining of modules does not follow");
        }
        if is_import || is_list {
            continue;
        }
        text.push_str(line.strip_prefix("export ").unwrap_or(line));
        text.push('\n');
    }
    Ok(text)
}

/// A loader's text without its imports.
fn loader(module: &str) -> String {
    module.lines().filter(|line| !line.starts_with("import ")).flat_map(|line| [line, "\n"]).collect()
}

fn check_version(package: &str, version: &str) -> Result<()> {
    let wanted = format!("\"version\": \"{version}\"");
    match package.contains(&wanted) {
        true => Ok(()),
        false => Err(anyhow!("pkg/package.json is not of version {version}, as Cargo.toml is; write {wanted} there")),
    }
}

/// Stands for everything the package is made from.
fn fingerprint(wasm: &Path, sources: &Path, optimised: bool, version: &str) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (optimised, version, WASM_OPT).hash(&mut hasher);
    fs::read(wasm)?.hash(&mut hasher);
    // This program is an input, too.
    fs::read(std::env::current_exe()?)?.hash(&mut hasher);
    let mut names = fs::read_dir(sources)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        name.hash(&mut hasher);
        fs::read(name)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{check_version, loader, within};

    #[test]
    fn a_module_is_joined_without_its_imports_and_exports() {
        let module = "import { a } from \"./a.js\";\nexport class B {}\nexport function c() {}\nexport { c as d };\nconst e = 1;\n";
        assert_eq!(within(module).ok().as_deref(), Some("class B {}\nfunction c() {}\nconst e = 1;\n"));
        assert_eq!(loader("import x from \"x\";\nexport { y };\n"), "export { y };\n");
    }

    #[test]
    fn an_import_over_two_lines_is_refused() {
        assert!(within("import {\n  a } from \"./a.js\";\n").is_err());
    }

    #[test]
    fn the_package_has_the_version_of_the_engine() {
        assert!(check_version("{ \"version\": \"1.2.3\" }", "1.2.3").is_ok());
        assert!(check_version("{ \"version\": \"1.2.4\" }", "1.2.3").is_err());
    }
}

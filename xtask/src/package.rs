//! Builds the npm package: `src/wasm` and `pkg/src` -> `pkg/dist`.

use crate::setup;
use crate::shell::{cargo, cargo_home, program, root, run, target};
use anyhow::{Context, Result, anyhow};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

pub(crate) const HELP: &str = "\
Build the npm package into pkg/dist: one engine_bg.wasm, a loader for every kind of runtime, and types.

Usage: cargo xtask build

Installs the source of Rust's own library, wasm-opt and esbuild (npm packages) where they are missing. A second run with
nothing changed does nothing.";

/// What wasm-opt has to be told of what rustc emits for wasm32.
const WASM_OPT: [&str; 7] = [
    "-O3",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--debuginfo",
];

/// What `esbuild` makes, of which file in `pkg/src` and how: each whole in itself, because a page without a bundler pays a
/// request for every other.
const BUNDLED: [(&str, &str, &[&str]); 22] = [
    ("browser.js", "browser.js", &["--format=esm", "--target=es2022", KEEP_ENVIRONMENT]),
    ("bundled.js", "bundled.js", &["--format=esm", "--target=es2022", "--loader:.wasm=binary", KEEP_ENVIRONMENT]),
    // Deno's way of importing wasm is in no year's standard yet.
    ("deno.js", "deno.js", &["--format=esm", "--target=esnext", "--external:*.wasm"]),
    ("element/define.js", "element/define.js", ELEMENT),
    ("element/element.js", "element/element.js", ELEMENT),
    ("element/chart.js", "element/chart.js", ELEMENT),
    ("element/checkout.js", "element/checkout.js", ELEMENT),
    ("element/contract.js", "element/contract.js", ELEMENT),
    ("element/plans.js", "element/plans.js", ELEMENT),
    ("element/tiers.js", "element/tiers.js", ELEMENT),
    ("element/messages-ar.js", "element/messages-ar.js", ELEMENT),
    ("element/messages-de.js", "element/messages-de.js", ELEMENT),
    ("element/messages-en.js", "element/messages-en.js", ELEMENT),
    ("element/messages-fr.js", "element/messages-fr.js", ELEMENT),
    ("element/messages-ja.js", "element/messages-ja.js", ELEMENT),
    ("edge-light.js", "edge-light.js", &["--format=esm", "--target=es2022", "--external:*.wasm?module"]),
    ("inline.js", "inline.js", &["--format=esm", "--target=es2022", "--loader:.wasm=binary", KEEP_ENVIRONMENT]),
    ("inline.js", "inline.cjs", &["--format=cjs", "--target=es2022", "--loader:.wasm=binary", KEEP_ENVIRONMENT]),
    ("node.cjs", "node.cjs", &["--format=cjs", "--target=node20", "--platform=node"]),
    ("react.js", "react.js", &["--format=esm", "--target=es2022", "--packages=external"]),
    ("react.js", "react.cjs", &["--format=cjs", "--target=es2022", "--packages=external"]),
    ("workerd.js", "workerd.js", &["--format=esm", "--target=es2022", "--external:*.wasm"]),
];

/// Parts of the element find each other and the engine as files beside them, so that no page loads one twice.
const ELEMENT: &[&str] = &[
    "--format=esm",
    "--target=es2022",
    "--loader:.css=text",
    "--external:../browser.js",
    "--external:./element.js",
    "--external:./chart.js",
    "--external:./checkout.js",
    "--external:./contract.js",
    "--external:./plans.js",
    "--external:./tiers.js",
    "--external:./messages-*.js",
];

/// And to take the names out again, which changes no function.
const STRIP: [&str; 4] = ["--all-features", "--strip-debug", "--strip-producers", "--strip-target-features"];

/// By what a release tells both doors its version with the commit; src/lib.rs reads it, too.
pub(crate) const VERSION: &str = "CHECKOUT_PREVIEW_VERSION";

/// Where files lie in `pkg/src`, and in `pkg/dist`.
const FOLDERS: [&str; 2] = ["", "element"];

/// The shipped wasm with the names of its functions, for `size`.
pub(crate) fn named() -> PathBuf {
    target().join("pkg-work/named.wasm")
}

/// Whether a page is in development is for the bundler of the page to write in; esbuild would write that it is not.
const KEEP_ENVIRONMENT: &str = "--define:process.env.NODE_ENV=process.env.NODE_ENV";

/// Builds the package, unless what it would be built from is what it was last built from.
pub(crate) fn build() -> Result<()> {
    let npm = setup::build_tools()?;
    let wasm = compile()?;
    let sources = root().join("pkg/src");
    check_version(&read(&root().join("pkg/package.json"))?, env!("CARGO_PKG_VERSION"))?;
    let version = &std::env::var(VERSION).unwrap_or_else(|_| env!("CARGO_PKG_VERSION").into());

    let dist = root().join("pkg/dist");
    let stamp = target().join("pkg.stamp");
    let lock = root().join("xtask/package-lock.json");
    let inputs = fingerprint(&[wasm.as_path(), &lock, &std::env::current_exe()?], &sources)?;
    // What was made counts, too: it may have been changed or lost since.
    let built = || Some(format!("{version} {inputs} {}", fingerprint(&[&named()], &dist).ok()?));
    if fs::read_to_string(&stamp).is_ok_and(|stamp| Some(stamp) == built()) {
        eprintln!("pkg/dist is up to date");
        return Ok(());
    }

    // Made in another place first, so that a build that fails leaves the last package as it was.
    let _ = fs::remove_file(&stamp);
    let (work, next) = (target().join("pkg-work"), target().join("pkg-next"));
    for folder in [&work, &next] {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
    }
    for folder in FOLDERS {
        copy_files(&sources.join(folder), &work.join(folder))?;
    }
    bind(&wasm, &work)?;
    let (bound, shipped) = (work.join("bound/engine_bg.wasm"), next.join("engine_bg.wasm"));
    run(program(npm.join("wasm-opt"), WASM_OPT).arg(&bound).arg("-o").arg(named()))?;
    run(program(npm.join("wasm-opt"), STRIP).arg(named()).arg("-o").arg(&shipped))?;
    sign(&shipped, version)?;
    fs::copy(&shipped, work.join("engine_bg.wasm"))?;
    let style = work.join("element/style.css");
    let mut minify =
        program(npm.join("esbuild"), ["--minify", "--charset=utf8", "--allow-overwrite", "--log-level=warning"]);
    run(minify.arg(&style).arg(format!("--outfile={}", style.display())))?;
    for (source, name, options) in BUNDLED {
        let mut esbuild = program(npm.join("esbuild"), [source, "--bundle", "--minify", "--charset=utf8"]);
        esbuild.args(options).arg(format!("--define:VERSION={version:?}")).arg("--log-level=warning");
        run(esbuild.arg(format!("--outfile={}", next.join(name).display())).current_dir(&work))?;
    }
    fs::copy(sources.join("node.js"), next.join("node.js"))?;
    for name in ["index", "inline", "react"] {
        let types = read(&sources.join(format!("{name}.d.ts")))?;
        write(&next.join(format!("{name}.d.ts")), &types)?;
        write(&next.join(format!("{name}.d.cts")), &types.replace("./index.js", "./index.cjs"))?;
    }
    for name in ["engine_bg.wasm.d.ts", "custom-elements.json", "element/element.d.ts", "element/define.d.ts"] {
        fs::copy(sources.join(name), next.join(name))?;
    }

    let _ = fs::remove_dir_all(&dist);
    fs::create_dir_all(&dist).context("pkg cannot be written to")?;
    for folder in FOLDERS {
        copy_files(&next.join(folder), &dist.join(folder)).context("pkg/dist cannot be written to")?;
    }
    write(&stamp, &built().context("pkg/dist cannot be read")?)?;
    eprintln!("pkg/dist is built");
    Ok(())
}

/// Compiles the engine for wasm32, and Rust's own library with it; the path of what came out.
///
/// Rust's library as it is installed formats a message for every panic and is made for speed: a third of the whole.
/// Built here, a panic is one instruction. What that takes is in no stable Rust yet, which `RUSTC_BOOTSTRAP` allows.
fn compile() -> Result<PathBuf> {
    let mut command = cargo(["build", "--package", "checkout-preview", "--lib", "--profile", "wasm"]);
    command.args(["--target", "wasm32-unknown-unknown", "-Zbuild-std=std,panic_abort"]);
    command.args(["-Zbuild-std-features=optimize_for_size", "-Zpanic-immediate-abort"]);
    command.args(["--config", "profile.wasm.panic=\"immediate-abort\""]).env("RUSTC_BOOTSTRAP", "1");
    if let Some(toolchain) = setup::rust_source()? {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    // No value of JavaScript's own crosses, only text: so there is no table for them, and nothing to import.
    let mut flags = vec!["-Zunstable-options".to_owned(), "-Cpanic=immediate-abort".into()];
    flags.push("-Ctarget-feature=-reference-types".into());
    // Optimised for speed, but that a function is copied into its callers only if it is hardly longer than a call, and
    // loops stay loops: smaller than what is optimised for size, and faster (docs/performance.md).
    flags.push("-Zinline-mir=no".into());
    flags.push("-Cllvm-args=-inline-threshold=5".into());
    flags.push("-Cllvm-args=-unroll-threshold=0".into());
    // A panic would name its place in the source, and that by where it lies on the machine that built the package.
    flags.push("-Zlocation-detail=none".into());
    flags.push(format!("--remap-path-prefix={}=.", root().display()));
    if let Some(home) = cargo_home() {
        flags.push(format!("--remap-path-prefix={}=crates", home.join("registry/src").display()));
    }
    // In a folder of its own, since what else is compiled for wasm32 is compiled with other flags.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).args(["--target-dir"]).arg(target().join("wasm"));
    run(&mut command)?;
    Ok(target().join("wasm/wasm32-unknown-unknown/wasm/checkout_preview.wasm"))
}

/// Writes what wasm-bindgen makes of the engine: `bound/engine_bg.wasm`, and `engine.js` with the glue.
fn bind(wasm: &Path, work: &Path) -> Result<()> {
    let bound = work.join("bound");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name("engine").typescript(false);
    bindgen.bundler(true)?.remove_producers_section(true);
    bindgen.generate(&bound).context("wasm-bindgen failed")?;
    write(&work.join("engine.js"), &made_anew(&read(&bound.join("engine_bg.js"))?))
}

/// The glue as a function that makes it: it keeps views of its instance's memory, so every instance needs one of its own.
fn made_anew(glue: &str) -> String {
    let names = glue.lines().filter_map(|line| line.strip_prefix("export function ")?.split('(').next());
    let names = names.collect::<Vec<_>>().join(", ");
    let body = glue.replace("\nexport function ", "\nfunction ").replace("\n", "\n  ");
    format!("export function glue() {{\n{body}\n  return {{ {names} }};\n}}\n")
}

/// Writes into the wasm whose engine it is, and of which version, where any loader can read it before it runs.
///
/// A custom section: the number 0, its length, the length of its name, its name, its text.
fn sign(wasm: &Path, version: &str) -> Result<()> {
    const NAME: &str = "checkout-preview";
    let text = [&[u8::try_from(NAME.len())?], NAME.as_bytes(), version.as_bytes()].concat();
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 0x80).context("a version of 100 letters")?;
    let bytes = [fs::read(wasm)?, vec![0, length], text].concat();
    fs::write(wasm, bytes).with_context(|| format!("{} cannot be written", wasm.display()))
}

fn check_version(package: &str, version: &str) -> Result<()> {
    let wanted = format!("\"version\": \"{version}\"");
    match package.contains(&wanted) {
        true => Ok(()),
        false => Err(anyhow!("pkg/package.json is not of version {version}, as Cargo.toml is; write {wanted} there")),
    }
}

/// Stands for the contents of some files, and of all in a folder.
fn fingerprint(files: &[&Path], folder: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file)?.hash(&mut hasher);
    }
    let mut names = Vec::new();
    for folder in FOLDERS.map(|name| folder.join(name)) {
        for entry in fs::read_dir(folder)?.flatten().filter(|entry| entry.path().is_file()) {
            names.push(entry.path());
        }
    }
    names.sort();
    for name in names {
        name.hash(&mut hasher);
        fs::read(name)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)?.flatten().filter(|file| file.path().is_file()) {
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{check_version, made_anew};

    #[test]
    fn the_glue_becomes_a_function() {
        let glue = "/** a */\nlet wasm;\nexport function b(c) {\n}\nexport function __wbg_set_wasm(val) {\n}\n";
        let made = made_anew(glue);
        assert!(made.starts_with("export function glue() {"), "{made}");
        assert!(made.contains("return { b, __wbg_set_wasm };"), "{made}");
        assert_eq!(made.matches("export").count(), 1, "{made}");
    }

    #[test]
    fn the_package_has_the_version_of_the_engine() {
        assert!(check_version("{ \"version\": \"1.2.3\" }", "1.2.3").is_ok());
        assert!(check_version("{ \"version\": \"1.2.4\" }", "1.2.3").is_err());
    }
}

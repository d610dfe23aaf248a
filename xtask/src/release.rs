//! What is published, made from the commit that is checked out: `target/release-files`.

use crate::package::VERSION;
use crate::setup;
use crate::shell::{cargo, printed_by, program, root, run, target};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const HELP: &str = "\
Make what is published of the commit that is checked out, in target/release-files: the npm package, the verifier, what
each is made of (CycloneDX), and SHA256SUMS.

Usage: cargo xtask release

Both doors report the commit in `engine_version`, as 0.1.0+34bfa39c1d2e. The package is built twice, here and in a clone
elsewhere: every file has to come out the same.";

pub(crate) fn make() -> Result<()> {
    let changed = printed_by(&mut program("git", ["status", "--porcelain"]))?;
    ensure!(changed.is_empty(), "commit first, for what is released is a commit; changed are:\n{changed}");
    let commit = printed_by(&mut program("git", ["rev-parse", "--short=12", "HEAD"]))?;
    let version = format!("{}+{}", env!("CARGO_PKG_VERSION"), commit.trim());
    let cyclonedx = setup::cyclonedx()?;

    run(cargo(["xtask", "build"]).env(VERSION, &version))?;
    let clone = elsewhere(&version)?;
    let [here, there] = [root(), &clone].map(|folder| folder.join("pkg/dist"));
    run(program("diff", ["--recursive", "--brief"]).arg(here).arg(there))?;
    println!("the package, built in two folders: the same bytes");
    run(cargo(["build", "--release", "--package", "checkout-verifier"]).env(VERSION, &version))?;
    let verifier = target().join("release/checkout-verifier").with_extension(std::env::consts::EXE_EXTENSION);
    same_version(&verifier, &version)?;

    let files = target().join("release-files");
    let _ = fs::remove_dir_all(&files);
    fs::create_dir_all(&files)?;
    fs::copy(&verifier, files.join(verifier.file_name().context("a file has a name")?))?;
    let mut pack = program("npm", ["pack", "--silent", "--pack-destination"]);
    run(pack.arg(&files).current_dir(root().join("pkg")))?;
    for (package, folder, flags) in
        [("checkout-preview", ".", &["--target", "wasm32-unknown-unknown"][..]), ("checkout-verifier", "verifier", &[])]
    {
        // In the clone, for it writes one beside every manifest of the workspace.
        let mut describe = program(cyclonedx, ["cyclonedx", "--format", "json", "--spec-version", "1.5"]);
        run(describe.args(flags).args(["--override-filename", "sbom"]).current_dir(&clone))?;
        fs::copy(clone.join(folder).join("sbom.json"), files.join(format!("{package}.cdx.json")))?;
    }
    fs::remove_dir_all(&clone).context("the clone cannot be removed")?;
    let mut names: Vec<_> = fs::read_dir(&files)?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let sums = printed_by(program("sha256sum", names).current_dir(&files))?;
    fs::write(files.join("SHA256SUMS"), &sums)?;
    println!("{version}, in {}:\n{sums}", files.display());
    Ok(())
}

/// Builds the package of the commit in another folder, from nothing.
fn elsewhere(version: &str) -> Result<PathBuf> {
    let clone = std::env::temp_dir().join(format!("checkout-preview-{}", std::process::id()));
    run(program("git", ["clone", "--quiet", "."]).arg(&clone))?;
    let mut build = cargo(["xtask", "build"]);
    run(build.env(VERSION, version).env_remove("CARGO_TARGET_DIR").current_dir(&clone))?;
    Ok(clone)
}

/// Both doors say that they are this version.
fn same_version(verifier: &Path, version: &str) -> Result<()> {
    let asked = [
        ("request", r#"{"plan_id": "free", "business_entity_id": "shop"}"#),
        (
            "catalog",
            r#"{"business_entities": [{"id": "shop"}], "plans": [{"id": "free", "currency": "EUR", "phases": [{"pricings": []}]}]}"#,
        ),
    ];
    let mut native = program(verifier, ["preview"]);
    for (name, text) in asked {
        let file = target().join(format!("release-{name}.json"));
        fs::write(&file, text)?;
        native.arg(format!("--{name}")).arg(file);
    }
    let [(_, request), (_, catalog)] = asked;
    let door = root().join("pkg/dist/node.js");
    let script = format!(
        "import({:?}).then((door) => console.log(JSON.stringify(door.createCheckoutPreview({request}, {catalog}))))",
        door.display().to_string()
    );
    for (door, mut command) in [("the verifier", native), ("the package", program("node", ["--eval", &script]))] {
        let said = printed_by(&mut command)?;
        ensure!(
            said.contains(&format!(r#""engine_version":"{version}""#)),
            "{door} does not say that it is {version}: {said}"
        );
    }
    Ok(())
}

//! The demo, for a developer to look at.

use crate::package;
use crate::shell::{cargo, printed_by, program, root, run, target};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const HELP: &str = "\
Build the package and the verifier, load www/catalog.json, and serve the demo until Ctrl+C.

Usage: cargo xtask serve [--listen ADDRESS]

Options:
  --listen ADDRESS   where to listen [default: 127.0.0.1:8787]

What is bought there is kept in target/demo/checkout.db; delete that folder to begin anew. The demo's customers stay signed
in for a day; after that start it again.";

const DATABASE: &str = "sqlite:target/demo/checkout.db";
/// What the merchant's own server knows of the demo's organisation: the output of `organisation create`.
const ORGANISATION: &str = "target/demo/organisation.json";
/// What it puts into its pages: no secret key, and for each customer the token of a session.
const SHOP: &str = "www/shop.json";
const CATALOG: &str = "www/catalog.json";

pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    let listen = listen(arguments)?;
    check_free(listen)?;
    package::build()?;
    let verifier = build_verifier()?;
    fs::create_dir_all(root().join("target/demo"))?;
    open_shop(&verifier)?;
    eprintln!("The shop opens at http://{listen}; Ctrl+C closes it.");
    let folders = ["--www", "www", "--pkg", "pkg"];
    become_it(program(&verifier, ["serve", "--listen", listen, "--database", DATABASE]).args(folders))
}

/// Does what a merchant does before the first customer comes, and what its server does when customers sign in.
fn open_shop(verifier: &Path) -> Result<()> {
    let known = root().join(ORGANISATION);
    // The keys of a database that was deleted open nothing.
    if !known.exists() || !root().join(DATABASE.trim_start_matches("sqlite:")).exists() {
        write_privately(&known, &printed_by(&mut of_demo(verifier, &["organisation", "create", "Ternwell"]))?)?;
    }
    let organisation: serde_json::Value = serde_json::from_slice(&fs::read(&known)?)?;
    let id = organisation["organisation"].as_str().context("target/demo is not what this command made: delete it")?;
    let of_organisation = |arguments: &[&str]| of_demo(verifier, &[arguments, &["--organisation", id]].concat());
    printed_by(&mut of_organisation(&["organisation", "update", "--client-confirms", "true"]))?;
    printed_by(&mut of_organisation(&["catalog", "import", CATALOG]))?;

    let catalog: serde_json::Value = serde_json::from_slice(&fs::read(root().join(CATALOG))?)?;
    let mut customers = Vec::new();
    for customer in catalog["customers"].as_array().into_iter().flatten() {
        let customer_id = customer["id"].as_str().unwrap_or_default();
        // As long as a session may be: the demo has nowhere to sign in again.
        let session = ["session", "create", "--customer", customer_id, "--ttl-seconds", "86400"];
        let session: serde_json::Value = serde_json::from_str(&printed_by(&mut of_organisation(&session))?)?;
        let token = &session["session_token"];
        customers.push(json!({"id": customer_id, "name": customer["name"], "session_token": token}));
    }
    let key = &organisation["publishable_key"];
    let shop = json!({"organisation": id, "publishable_key": key, "customers": customers});
    write_privately(&root().join(SHOP), &shop.to_string())
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_privately(path: &Path, text: &str) -> Result<()> {
    let next = path.with_extension("next");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&next).and_then(|mut file| file.write_all(text.as_bytes()));
    written.and_then(|()| fs::rename(&next, path)).with_context(|| format!("{} cannot be written", path.display()))
}

fn of_demo(verifier: &Path, arguments: &[&str]) -> Command {
    let mut command = program(verifier, arguments);
    command.args(["--database", DATABASE]);
    command
}

/// Goes on as the server, so that whoever stops this stops that.
#[cfg(unix)]
fn become_it(server: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(server.exec()).context("the verifier cannot be run")
}

#[cfg(not(unix))]
fn become_it(server: &mut Command) -> Result<()> {
    run(server)
}

/// Builds the verifier as a developer needs it: soon.
fn build_verifier() -> Result<PathBuf> {
    run(&mut cargo(["build", "--package", "checkout-verifier"]))?;
    Ok(verifier())
}

/// Where cargo puts the verifier, with its tests too.
pub(crate) fn verifier() -> PathBuf {
    target().join("debug/checkout-verifier").with_extension(std::env::consts::EXE_EXTENSION)
}

fn listen(arguments: &[String]) -> Result<&str> {
    match arguments {
        [] => Ok("127.0.0.1:8787"),
        [flag, address] if flag == "--listen" => Ok(address),
        [flag] if flag.starts_with("--listen=") => Ok(flag.trim_start_matches("--listen=")),
        [flag] if flag == "--listen" => bail!("--listen takes an address, such as 127.0.0.1:8787"),
        [unknown, ..] => bail!("there is no argument `{unknown}`; `cargo xtask serve --help` lists them"),
    }
}

/// Says at once, and not after a minute of building, that the address cannot be had.
fn check_free(address: &str) -> Result<()> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("{address} is taken by another program; stop that, or give another address: --listen 127.0.0.1:8788")
        }
        Err(error) => Err(error).with_context(|| format!("{address} is no address to listen at")),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_free, listen};
    use std::net::TcpListener;

    #[test]
    fn the_address_is_read_in_both_spellings() {
        let given = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
            listen(&arguments).map(str::to_owned).ok()
        };
        assert_eq!(given(&[]).as_deref(), Some("127.0.0.1:8787"));
        assert_eq!(given(&["--listen", "[::1]:80"]).as_deref(), Some("[::1]:80"));
        assert_eq!(given(&["--listen=[::1]:80"]).as_deref(), Some("[::1]:80"));
        assert_eq!(given(&["--listen"]), None);
        assert_eq!(given(&["--port", "80"]), None);
    }

    #[test]
    fn a_taken_address_is_told_in_a_sentence() -> anyhow::Result<()> {
        let other = TcpListener::bind("127.0.0.1:0")?;
        let address = other.local_addr()?.to_string();
        let sentence = check_free(&address).map_err(|error| error.to_string());
        let expected = format!(
            "{address} is taken by another program; stop that, or give another address: --listen 127.0.0.1:8788"
        );
        assert_eq!(sentence, Err(expected));
        Ok(())
    }
}

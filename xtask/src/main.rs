//! Project tasks: `cargo xtask help`.
//!
//! In reading order: `shell` runs commands, `setup` installs what is missing, `package` builds the npm package,
//! `serve` shows it, `test` checks everything, `prove` compares all doors, `fuzz` tries to stop the engine, `mutants`
//! whether tests notice a change, `schemathesis` the verifier's description, `bench` measures, `size` weighs the package,
//! `panics` says where it can stop, `release` makes what is published, `docs` writes docs/npm/api.md, `pictures` draws
//! those of docs/proration.md.

mod bench;
mod docs;
mod fuzz;
mod mutants;
mod package;
mod panics;
mod pictures;
mod prove;
mod release;
mod schemathesis;
mod serve;
mod setup;
mod shell;
mod size;
mod test;

use anyhow::{Result, bail};
use std::process::ExitCode;

const HELP: &str = "\
Tasks of checkout-preview.

Usage: cargo xtask <COMMAND>

Commands:
  setup     Install what building and testing need; what is there already is left alone
  build     Build the npm package into pkg/dist
  serve     Build everything and serve the demo, with an example catalog
  test      Run every check there is, as CI does, installing what they need
  prove     Ask the engine through every door the same, and compare the bytes
  fuzz      Let libFuzzer look for what stops the engine
  mutants   Change the engine in one place at a time, and see whether a test notices
  bench     Measure the engine, or the verifier as a server
  size      Weigh what the package ships: raw, gzip, brotli
  panics    Check that no panic speaks in the shipped wasm, and list where it can stop
  release   Make what is published of the commit that is checked out
  docs      Write docs/npm/api.md from the types of the npm package
  pictures  Draw docs/proration.md's pictures and write its tables

`cargo xtask <COMMAND> --help` says more.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let (command, rest) = match arguments {
        [] => ("help", arguments),
        [command, rest @ ..] => (command.as_str(), rest),
    };
    let help = match command {
        "setup" => setup::HELP,
        "build" => package::HELP,
        "serve" => serve::HELP,
        "test" => test::HELP,
        "prove" => prove::HELP,
        "bench" => bench::HELP,
        "size" => size::HELP,
        "fuzz" => fuzz::HELP,
        "mutants" => mutants::HELP,
        "panics" => panics::HELP,
        "release" => release::HELP,
        "docs" => docs::HELP,
        "pictures" => pictures::HELP,
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            return Ok(());
        }
        unknown => bail!("there is no command `{unknown}`; `cargo xtask help` lists them"),
    };
    if rest.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{help}");
        return Ok(());
    }
    match command {
        "setup" => no_more(rest).and_then(|()| setup::everything()),
        "build" => no_more(rest).and_then(|()| package::build()),
        "serve" => serve::serve(rest),
        "test" => no_more(rest).and_then(|()| test::everything()),
        "prove" => prove::prove(rest),
        "bench" => bench::bench(rest),
        "fuzz" => fuzz::fuzz(rest),
        "mutants" => mutants::mutate(rest),
        "panics" => no_more(rest).and_then(|()| panics::check()),
        "release" => no_more(rest).and_then(|()| release::make()),
        "docs" => no_more(rest).and_then(|()| docs::write()),
        "pictures" => no_more(rest).and_then(|()| pictures::write()),
        _ => no_more(rest).and_then(|()| size::weigh()),
    }
}

fn no_more(rest: &[String]) -> Result<()> {
    match rest.first() {
        None => Ok(()),
        Some(argument) => bail!("`{argument}` is one argument too many; `--help` says which there are"),
    }
}

//! Where the shipped wasm can stop: every `unreachable` instruction, by function, and no message of a panic.

use crate::package;
use crate::shell::root;
use crate::size::names_of;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use wasmparser::{Operator, Parser, Payload};

pub(crate) const HELP: &str = "\
Check that the shipped wasm holds no message of a panic, and list the functions that can stop it: those with an
`unreachable` instruction, which is all that a panic leaves behind there.

Usage: cargo xtask panics

docs/assurance.md says of each kind why it is not reached.";

/// What stands in a wasm with panics that tell of themselves: their texts, and the files that they name.
const TRACES: [&str; 12] = [
    "panicked at",
    "attempt to ",
    "called `Option",
    "called `Result",
    "index out of bounds",
    "out of range for slice",
    "capacity overflow",
    "already borrowed",
    "already mutably borrowed",
    "entered unreachable code",
    "assertion ",
    ".rs",
];

pub(crate) fn check() -> Result<()> {
    package::build()?;
    let shipped = fs::read(root().join("pkg/dist/engine_bg.wasm"))?;
    let found: Vec<&str> = TRACES.into_iter().filter(|trace| holds(&shipped, trace)).collect();
    if !found.is_empty() {
        bail!("the shipped wasm holds what panics say: {}", found.join(", "));
    }
    let named = fs::read(package::named()).context("build the package anew")?;
    let traps = traps(&named)?;
    let sum: u32 = traps.iter().map(|(_, count)| count).sum();
    println!("no message of a panic; {sum} places to stop in {} functions:", traps.len());
    for (name, count) in traps {
        println!("{count:>6}  {name}");
    }
    Ok(())
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The functions with an `unreachable` instruction, and how many each has.
fn traps(wasm: &[u8]) -> Result<Vec<(String, u32)>> {
    let names = names_of(wasm)?;
    let (mut imported, mut place) = (0_u32, 0_u32);
    let mut found = BTreeMap::<String, u32>::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => imported = imports.count(),
            Payload::CodeSectionEntry(body) => {
                let name = names.get(&imported.saturating_add(place)).map_or("?", String::as_str);
                place = place.saturating_add(1);
                for operator in body.get_operators_reader()? {
                    if matches!(operator?, Operator::Unreachable) {
                        let count = found.entry(name.to_owned()).or_default();
                        *count = count.saturating_add(1);
                    }
                }
            }
            _ => {}
        }
    }
    let mut found: Vec<(String, u32)> = found.into_iter().collect();
    found.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{TRACES, holds};

    /// What this very program would say if it panicked is in it, so that the search finds what there is.
    #[test]
    fn a_native_program_holds_messages() -> anyhow::Result<()> {
        let program = std::fs::read(std::env::current_exe()?)?;
        for trace in TRACES {
            assert!(holds(&program, trace), "{trace}");
        }
        assert!(!holds(b"a preview", "panicked at"));
        Ok(())
    }
}

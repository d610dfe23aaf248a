//! What the package weighs, and what may be the matter: `pkg/dist` -> tables, and a failure above the budget.

use crate::package;
use crate::shell::{printed_by, program, root};
use anyhow::{Context, Result, bail};
use rustc_demangle::demangle;
use std::collections::HashMap;
use std::fs;
use wasmparser::{KnownCustom, Name, Parser, Payload};

pub(crate) const HELP: &str = "\
Weigh the files that pkg/dist ships (raw, gzip -9, brotli -11, in bytes) and list the largest functions of the wasm.

Usage: cargo xtask size

Builds the package first. Compresses with Node's own zlib. Fails where a file is above its budget: of brotli, because
that is what a page waits for.";

/// The most that a file may weigh, in bytes of brotli.
const BUDGETS: [(&str, u64); 3] = [("browser.js", 5_700), ("element/element.js", 10_000), ("engine_bg.wasm", 65_000)];

/// How many functions are listed.
const LARGEST: usize = 25;

const SCRIPT: &str = r#"
const { readdirSync, readFileSync } = require("node:fs");
const { brotliCompressSync, gzipSync } = require("node:zlib");
for (const name of readdirSync("pkg/dist", { recursive: true }).sort().filter((name) => name.includes("."))) {
  const bytes = readFileSync(`pkg/dist/${name}`);
  console.log(name, bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length);
}
"#;

pub(crate) fn weigh() -> Result<()> {
    package::build()?;
    let files = printed_by(program("node", ["--eval", SCRIPT]).current_dir(root()))?;
    println!("{:24}{:>10}{:>10}{:>10}{:>10}", "", "raw", "gzip", "brotli", "budget");
    let mut too_heavy = Vec::new();
    for line in files.lines() {
        let [name, raw, gzip, brotli] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let budget = BUDGETS.iter().find(|(file, _)| *file == name).map(|(_, budget)| *budget);
        let shown = budget.map(|budget| budget.to_string()).unwrap_or_default();
        println!("{name:24}{raw:>10}{gzip:>10}{brotli:>10}{shown:>10}");
        if budget.is_some_and(|budget| brotli.parse::<u64>().is_ok_and(|brotli| brotli > budget)) {
            too_heavy.push(name.to_owned());
        }
    }
    println!("\nThe largest functions of engine_bg.wasm, in bytes before compression:");
    for (name, size) in largest_functions(&fs::read(package::named()).context("build the package anew")?)? {
        println!("{size:>8}  {name}");
    }
    match too_heavy.is_empty() {
        true => Ok(()),
        false => bail!("above the budget: {}", too_heavy.join(", ")),
    }
}

fn largest_functions(wasm: &[u8]) -> Result<Vec<(String, usize)>> {
    let mut names = names_of(wasm)?;
    let mut imported = 0;
    let mut sizes = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(imports) => imported = imports.count(),
            Payload::CodeSectionEntry(body) => sizes.push(body.range().len()),
            _ => {}
        }
    }
    let index_of = |place: usize| u32::try_from(place).ok().and_then(|place| place.checked_add(imported));
    let mut name_of = |place| index_of(place).and_then(|index| names.remove(&index)).unwrap_or_else(|| "?".into());
    let mut functions: Vec<(String, usize)> =
        sizes.into_iter().enumerate().map(|(place, size)| (name_of(place), size)).collect();
    functions.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    functions.truncate(LARGEST);
    Ok(functions)
}

/// The names of a wasm's functions, by index.
pub(crate) fn names_of(wasm: &[u8]) -> Result<HashMap<u32, String>> {
    let mut names = HashMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Name(reader) = section.as_known() else { continue };
        for subsection in reader {
            let Name::Function(functions) = subsection? else { continue };
            for function in functions {
                let function = function?;
                names.insert(function.index, without_hashes(&format!("{:#}", demangle(function.name))));
            }
        }
    }
    Ok(names)
}

/// `alloc::vec::Vec` of `alloc[f6a3369b77cd11b0]::vec::Vec`.
fn without_hashes(name: &str) -> String {
    let mut parts = name.split('[');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                text.push_str(rest)
            }
            _ => text.extend(["[", part]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::without_hashes;

    #[test]
    fn a_name_loses_its_hashes_and_nothing_else() {
        assert_eq!(without_hashes("<alloc[5853db5608e7640c]::vec::Vec<u8>>::push"), "<alloc::vec::Vec<u8>>::push");
        assert_eq!(without_hashes("core[1]::slice::<impl [T]>::len"), "core::slice::<impl [T]>::len");
        assert_eq!(without_hashes("load multivalue shim"), "load multivalue shim");
    }
}

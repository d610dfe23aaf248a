//! The order of the files in `src/`, read from their text: a file uses only what stands above it in `src/lib.rs`.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A source file: the module of the pipeline it belongs to, and its lines without comments.
struct Source {
    path: PathBuf,
    module: String,
    text: String,
}

impl Source {
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().filter_map(|(number, line)| Some((number, &line[line.find("//")?..])))
    }

    /// The first names after every `crate::`, and the number of the line each stands in.
    fn uses(&self) -> Vec<(usize, String)> {
        // Comments go, lines stay, so that a list over several lines is read as one.
        let is_comment = |line: &str| line.trim_start().starts_with("//");
        let lines: Vec<&str> = self.text.lines().map(|line| if is_comment(line) { "" } else { line }).collect();
        let code = lines.join("\n");
        used(&code).into_iter().map(|(at, name)| (code[..at].matches('\n').count() + 1, name)).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every `.rs` file below `src/`, folders included.
fn sources() -> Vec<Source> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files.sort();
    let source = |path: PathBuf| {
        let relative = path.strip_prefix(root()).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        Source { text: std::fs::read_to_string(&path).unwrap(), module, path }
    };
    files.into_iter().map(source).collect()
}

fn lib() -> String {
    std::fs::read_to_string(root().join("lib.rs")).unwrap()
}

/// The modules in the order in which `src/lib.rs` declares them.
fn pipeline() -> Vec<String> {
    let declared = |line: &str| {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')).map(String::from)
    };
    lib().lines().filter_map(declared).collect()
}

/// What `src/lib.rs` hands on, and the module it comes from: `Catalog` is of `catalog`.
fn handed_on() -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for line in lib().lines() {
        let Some(path) = line.strip_prefix("pub use ").and_then(|rest| rest.strip_suffix(';')) else { continue };
        let (module, list) = path.split_once("::").unwrap();
        for name in list.trim_matches(['{', '}']).split(',') {
            names.insert(name.trim().to_owned(), module.to_owned());
        }
    }
    names
}

/// The first names after every `crate::` and where they stand: `a` and `b` of `use crate::{a::{c, d}, b};`.
fn used(code: &str) -> Vec<(usize, String)> {
    let name = |at: usize| {
        let letters = code[at..].chars().take_while(|next| next.is_alphanumeric() || *next == '_');
        (at, letters.collect::<String>())
    };
    let mut names = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        let start = at + prefix.len();
        if !code[start..].starts_with('{') {
            names.push(name(start));
            continue;
        }
        let mut depth = 0;
        let mut is_start = true;
        for (offset, next) in code[start + 1..].char_indices() {
            match next {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_start = true,
                _ if is_start && !next.is_whitespace() => {
                    is_start = false;
                    names.push(name(start + 1 + offset));
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn a_file_uses_only_what_stands_above_it() {
    let order = pipeline();
    assert!(order.len() > 10, "src/lib.rs declares {order:?}");
    let place = |module: &str| order.iter().position(|name| name == module);
    let handed_on = handed_on();
    let mut looked_at = 0;
    for source in sources().iter().filter(|source| source.module != "lib") {
        let own = place(&source.module).unwrap_or_else(|| panic!("src/lib.rs does not declare {}", source.module));
        for (number, name) in source.uses() {
            // What `src/lib.rs` itself defines (the clock, the time zones) stands above everything.
            let Some(at) = place(handed_on.get(&name).unwrap_or(&name)) else { continue };
            looked_at += 1;
            let file = source.path.display();
            assert!(at <= own, "{file}:{number}: {} uses {name}, which stands below it", source.module);
        }
    }
    assert!(looked_at > 50, "only {looked_at} uses were found: does this test still read the files?");
}

#[test]
fn the_browser_door_stands_last() {
    assert_eq!(pipeline().last().map(String::as_str), Some("wasm"));
    for source in sources().iter().filter(|source| source.module != "wasm") {
        for (number, line) in source.code() {
            let speaks = line.contains("wasm_bindgen");
            assert!(!speaks, "{}:{}: only wasm speaks to JavaScript: {line}", source.path.display(), number + 1);
        }
    }
}

#[test]
fn the_reading_of_uses_is_right() {
    let names = |code: &str| used(code).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(names("use crate::date::{self, Anchor};"), ["date"]);
    assert_eq!(names("use crate::{Catalog, json::{parse, to_text}, money::Money};"), ["Catalog", "json", "money"]);
    assert_eq!(names("use crate::{\n    Clock,\n    price::{self, Tier},\n};"), ["Clock", "price"]);
    assert_eq!(names("let x: crate::money::Money = crate::price::price();"), ["money", "price"]);
    assert_eq!(names("pub(crate) fn nothing() {}"), Vec::<String>::new());
}

/// The same input gives the same bytes (R1.7): nothing may depend on the order of a hash.
#[test]
fn there_are_no_hash_maps() {
    for source in sources() {
        for (number, line) in source.code() {
            let is_hashed = line.contains("HashMap") || line.contains("HashSet");
            assert!(!is_hashed, "{}:{}: {line}", source.path.display(), number + 1);
        }
    }
}

/// No clock, no environment, no random source: what the core reads is handed in.
#[test]
fn the_core_reads_nothing_but_its_input() {
    let forbidden =
        ["Utc::now", "Local::now", "SystemTime", "Instant::now", "std::env", "std::fs", "std::net", "rand::"];
    for source in sources() {
        for (number, line) in source.code() {
            for word in forbidden {
                assert!(!line.contains(word), "{}:{}: {line}", source.path.display(), number + 1);
            }
        }
    }
}

#[test]
fn files_are_named_for_what_they_hold() {
    for source in sources() {
        for part in source.path.strip_prefix(root()).unwrap().iter() {
            let name = part.to_str().unwrap().trim_end_matches(".rs");
            for empty in ["util", "utils", "common", "helper", "helpers", "type", "types", "manager", "misc"] {
                assert_ne!(name, empty, "{} says nothing about what it holds", source.path.display());
            }
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is() {
    for source in sources().iter().filter(|source| source.module != "lib") {
        assert!(source.text.starts_with("//! "), "{} opens with a `//!` comment", source.path.display());
    }
}

#[test]
fn comments_cite_rules_there_are() {
    let known: BTreeSet<String> = support::rules().into_iter().collect();
    let mut cited = 0;
    for source in sources() {
        for (number, comment) in source.comments() {
            for rule in support::citations(comment) {
                cited += 1;
                let file = source.path.display();
                // `R2` alone is the section.
                let is_known = rule.len() == 2 || known.contains(&rule);
                assert!(is_known, "{file}:{}: the specification has no {rule}: {comment}", number + 1);
            }
        }
    }
    assert!(cited > 20, "only {cited} rules are cited: does this test still read the comments?");
}

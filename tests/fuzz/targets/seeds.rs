//! Writes the first inputs of every target into a folder: the corpus of the tests, and generated cases.
//!
//! `seeds CASES FOLDER`

use checkout_preview_fuzz::generate;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many generated cases there are beside the corpus.
const GENERATED: u64 = 300;

fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1).map(PathBuf::from);
    let (Some(cases), Some(folder)) = (words.next(), words.next()) else {
        return Err(io::Error::other("seeds CASES FOLDER"));
    };
    let mut found = Vec::new();
    files(&cases, &mut found)?;
    let read = |path: &PathBuf| -> Option<Value> { serde_json::from_slice(&fs::read(path).ok()?).ok() };
    let all: Vec<Value> = found.iter().filter_map(read).chain((0..GENERATED).map(generate::case)).collect();
    for (number, case) in all.iter().enumerate() {
        let whole = json!({"request": case["request"], "catalog": case["catalog"], "as_of": case["as_of"], "now": case["now"], "schedule": case["schedule"]});
        for (target, input) in [
            ("request", &case["request"]),
            ("catalog", &case["catalog"]),
            ("value", &case["catalog"]),
            ("preview", &whole),
            ("time", &whole),
        ] {
            let folder = folder.join(target);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(number.to_string()), input.to_string())?;
        }
    }
    println!("{} inputs for each target", all.len());
    Ok(())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    found.sort();
    Ok(())
}

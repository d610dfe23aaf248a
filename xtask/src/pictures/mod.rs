//! Draws the pictures of docs/proration.md and writes its tables, from what the engine answers.
//!
//! Input: the cases `docs/proration/*.json`. Output: an SVG beside each, and in the document the block between
//! `<!-- case: name -->` and `<!-- end -->`. In reading order: `story` asks the engine, `figures` writes down, `svg`
//! draws. A test holds the files against the engine, and every amount, share and date in the text against its section's
//! cases, so that no number of the document can go stale.

mod figures;
mod story;
mod svg;

use crate::shell::root;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use story::Story;

pub(crate) const HELP: &str = "\
Draw the pictures and write the tables of docs/proration.md, from the cases in docs/proration.

Usage: cargo xtask pictures

`cargo test --package xtask` fails where they are not what the engine answers.";

const DOCUMENT: &str = "docs/proration.md";
const FOLDER: &str = "docs/proration";
const BEGIN: &str = "<!-- case: ";
const END: &str = "<!-- end -->";

/// Writes every picture, and the document's tables.
pub(crate) fn write() -> Result<()> {
    for (path, content) in files()? {
        if fs::read_to_string(root().join(&path)).is_ok_and(|old| old == content) {
            continue;
        }
        fs::write(root().join(&path), content).with_context(|| path.clone())?;
        println!("wrote {path}");
    }
    Ok(())
}

/// The files as they should be: path and content.
fn files() -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut stories = Vec::new();
    for name in names()? {
        let path = format!("{FOLDER}/{name}.json");
        let case = fs::read_to_string(root().join(&path)).with_context(|| path.clone())?;
        let story = Story::tell(&case).with_context(|| path.clone())?;
        files.push((format!("{FOLDER}/{name}.svg"), svg::draw(&story).with_context(|| path.clone())?));
        stories.push((name, story));
    }
    let document = fs::read_to_string(root().join(DOCUMENT)).context(DOCUMENT)?;
    files.push((DOCUMENT.to_owned(), filled(&document, &stories)?));
    Ok(files)
}

/// The names of the cases, in order.
fn names() -> Result<Vec<String>> {
    let paths = root().join(FOLDER).read_dir()?.flatten().map(|entry| entry.path());
    let cases: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect();
    let mut names: Vec<String> = cases.iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// The document with its blocks filled anew, every case in exactly one.
fn filled(document: &str, stories: &[(String, Story)]) -> Result<String> {
    let mut filled = String::new();
    let mut shown: Vec<&str> = Vec::new();
    let mut rest = document;
    while let Some((before, block)) = rest.split_once(BEGIN) {
        let (name, block) = block.split_once(" -->").context("a block begins with `<!-- case: name -->`")?;
        let (_, after) = block.split_once(END).with_context(|| format!("the block of {name} has no end"))?;
        let (name, story) =
            stories.iter().find(|(known, _)| known == name).with_context(|| format!("there is no case {name}"))?;
        if shown.contains(&name.as_str()) {
            bail!("{name} is shown twice");
        }
        shown.push(name);
        filled.push_str(&format!("{before}{BEGIN}{name} -->\n{}{END}", block_of(name, story)?));
        rest = after;
    }
    filled.push_str(rest);
    match stories.iter().find(|(name, _)| !shown.contains(&name.as_str())) {
        Some((name, _)) => bail!("{DOCUMENT} does not show {name}"),
        None => Ok(filled),
    }
}

fn block_of(name: &str, story: &Story) -> Result<String> {
    let alternative = story.note.replace(['[', ']'], "");
    Ok(format!("![{alternative}](proration/{name}.svg)\n\n{}\n[The case](proration/{name}.json).\n", story.table()?))
}

#[cfg(test)]
mod tests {
    use super::story::Amount;
    use super::*;

    #[test]
    fn pictures_and_tables_are_what_the_engine_answers() -> Result<()> {
        let files = files()?;
        assert!(files.len() > 1, "there are no cases");
        for (path, content) in files {
            let there = fs::read_to_string(root().join(&path)).with_context(|| path.clone())?;
            assert!(there == content, "{path} is not what the engine answers: run `cargo xtask pictures`");
        }
        Ok(())
    }

    /// Every amount (`120.00`), share (`26/31`) and date (`2026-03-20`) of the text is one of its section's cases, of
    /// their answers, or a sum that the text writes out; sections without a case are not looked at.
    #[test]
    fn numbers_in_the_text_are_those_of_its_section() -> Result<()> {
        let document = fs::read_to_string(root().join(DOCUMENT))?;
        let mut sections = 0;
        for section in document.split("\n## ").filter(|section| section.contains(BEGIN)) {
            let (mut text, mut known) = (String::new(), String::new());
            for (index, part) in section.split(BEGIN).enumerate() {
                let Some((name, block)) = part.split_once(" -->").filter(|_| index > 0) else {
                    text.push_str(part);
                    continue;
                };
                let (block, after) = block.split_once(END).context("a block ends")?;
                let case = fs::read_to_string(root().join(format!("{FOLDER}/{name}.json")))?;
                let story = Story::tell(&case)?;
                let answer = format!("{}\n{}\n{}\n", story.current, story.next, svg::draw(&story)?);
                known.push_str(&format!("{case}\n{block}\n{answer}"));
                text.push_str(after);
            }
            let title = section.lines().next().unwrap_or_default();
            for sum in sums(&text)? {
                known.push_str(&format!("{sum}\n"));
            }
            let strange: Vec<String> = numbers(&text).into_iter().filter(|number| !known.contains(number)).collect();
            assert!(strange.is_empty(), "{title}: {strange:?} are in none of its cases");
            sections += 1;
        }
        assert!(sections > 1, "{DOCUMENT} shows no case");
        Ok(())
    }

    /// The results of the sums in a text, each of which adds up.
    fn sums(text: &str) -> Result<Vec<String>> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut results = Vec::new();
        for (index, _) in words.iter().enumerate().filter(|(_, word)| **word == "=") {
            let amount = |at: usize| {
                let word = words.get(at).context("a sum has two sides")?;
                Amount::read(word.trim_end_matches(['.', ',']))
            };
            let (mut sum, mut at) = (Amount::read("0.00")?, index);
            loop {
                at -= 1;
                let next = amount(at)?;
                match words.get(at.wrapping_sub(1)) {
                    Some(&"+") => sum = Amount { minor: sum.minor + next.minor, ..next },
                    Some(&"-") => sum = sum.less(next),
                    _ => break sum = Amount { minor: sum.minor + next.minor, ..next },
                }
                at -= 1;
            }
            let result = amount(index + 1)?;
            if sum != result {
                bail!("{} comes to {sum}", words.get(at..=index + 1).unwrap_or_default().join(" "));
            }
            results.push(result.to_string());
        }
        Ok(results)
    }

    #[test]
    fn sums_of_the_text_are_added_up() -> Result<()> {
        assert_eq!(sums("pays 120.00 + 5.42 - 0.42 = 125.00, or 1.00 + 2.00 = 3.00.")?, ["125.00", "3.00"]);
        assert!(sums("1.00 + 2.00 = 4.00").is_err());
        Ok(())
    }

    #[test]
    fn the_second_planned_change_starts_from_what_the_first_one_stores() -> Result<()> {
        let case =
            |name: &str| Ok::<_, anyhow::Error>(fs::read_to_string(root().join(format!("{FOLDER}/{name}.json")))?);
        let first = Story::tell(&case("planned")?)?;
        let second: serde_json::Value = serde_json::from_str(&case("planned-then-another")?)?;
        let line = &second["catalog"]["contracts"][0]["phases"][0]["lines"][0];
        let stored = first.line("li_seats").context("the seats are stored")?;
        assert_eq!(line["quantity_entries"], stored["quantity_entries"]);
        assert_eq!(line["quantity"], stored["quantity"]);
        Ok(())
    }

    /// The words of a text that are amounts, shares or dates.
    fn numbers(text: &str) -> Vec<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-')));
        let words = words.map(|word| word.trim_matches(['.', '/', '-']));
        let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(['.', '/', '-']);
        words.filter(is_number).map(str::to_owned).collect()
    }

    #[test]
    fn a_number_is_found_wherever_it_stands() {
        let text = "On 03-20, from 2026-03-15 (R7.3): -120.00 × 26/31, and 14 seats.";
        assert_eq!(numbers(text), ["03-20", "2026-03-15", "120.00", "26/31"]);
    }
}

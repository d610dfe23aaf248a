//! Asks every door of the engine the same, and compares the bytes of what they answer.
//!
//! `cargo xtask prove` builds the doors and starts this. A door is a program that reads cases, `{request, catalog, as_of,
//! now, schedule}`, one a line, and writes an answer for each, one a line: natively, in Node, in Chromium, over HTTP.
//!
//! In reading order: `generate` makes cases, `doors` asks, `shrink` makes a differing case small.
#![expect(clippy::disallowed_methods, reason = "it reads the clock to say how long it took")]

#[path = "../support/generated.rs"]
mod generated;

#[path = "../day_by_day"]
mod day_by_day {
    pub mod generate;
}

mod generate;

mod doors;

mod shrink;

use doors::{Door, ask_all};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// How many cases are on their way at once.
const BATCH: u64 = 250;
/// After how many it says how far it is.
const TOLD: u64 = 10_000;
/// How many differing cases are shrunk and written down; the others are only counted.
const WRITTEN: usize = 5;
/// How many invoices the runners of the corpus list.
const INVOICES: u32 = 12;
/// What the verifier answers to what would be larger than it stores, and the other doors do not.
const TOO_LARGE: &str = r#"{"status":"answer_too_large"}"#;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(sentence) => {
            eprintln!("prove: {sentence}");
            return ExitCode::FAILURE;
        }
    };
    let differing = prove(&arguments);
    if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Arguments {
    cases: u64,
    seed: u64,
    crashers: PathBuf,
    /// By name, each a command line; the first is what the others are compared with.
    doors: Vec<(String, Vec<String>)>,
}

impl Arguments {
    /// `CASES SEED CRASHERS NAME=COMMAND…`; the words of a command are separated by line breaks.
    fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut number = |name: &str| {
            let word = words.next().ok_or(format!("{name} is missing"))?;
            word.parse::<u64>().map_err(|_| format!("{name} is a whole number, not `{word}`"))
        };
        let (cases, seed) = (number("the number of cases")?, number("the seed")?);
        let crashers = words.next().ok_or("the folder for crashers is missing")?.into();
        let door = |word: String| {
            let (name, command) = word.split_once('=').ok_or(format!("`{word}` is no NAME=COMMAND"))?;
            Ok((name.to_owned(), command.lines().map(str::to_owned).collect()))
        };
        let doors = words.map(door).collect::<Result<Vec<_>, String>>()?;
        if doors.len() < 2 {
            Err("one door alone agrees with itself".into())
        } else {
            Ok(Arguments { cases, seed, crashers, doors })
        }
    }
}

/// How many cases were answered differently.
fn prove(arguments: &Arguments) -> usize {
    let mut doors: Vec<Door> = arguments.doors.iter().map(|(name, command)| Door::new(name, command)).collect();
    let names: Vec<&str> = arguments.doors.iter().map(|(name, _)| name.as_str()).collect();
    println!("{} cases of seed {}, through {}", arguments.cases, arguments.seed, names.join(", "));
    let start = Instant::now();
    let mut seen = Seen::default();
    let mut differing = Vec::new();
    for first in (0..arguments.cases).step_by(usize::try_from(BATCH).unwrap()) {
        let numbers: Vec<u64> = (first..arguments.cases.min(first + BATCH)).collect();
        let cases: Vec<Value> = numbers.iter().map(|number| generate::case(seed_of(arguments.seed, *number))).collect();
        let answers = ask_all(&mut doors, &cases);
        for (at, case) in cases.iter().enumerate() {
            let answers: Vec<&str> = answers.iter().map(|of_door| of_door[at].as_str()).collect();
            seen.count(case, answers[0]);
            if differ(&answers) {
                differing.push((numbers[at], case.clone()));
            }
        }
        let done = first + BATCH;
        if done.is_multiple_of(TOLD) && done < arguments.cases {
            eprintln!("{done} of {}: {} differ", arguments.cases, differing.len());
        }
    }
    println!("{}\n{} s", seen.summary(), start.elapsed().as_secs());
    for (number, case) in differing.iter().take(WRITTEN) {
        write_down(&mut doors, arguments, *number, case.clone());
    }
    println!("{} of {} cases differ", differing.len(), arguments.cases);
    differing.len()
}

/// Each case has a seed of its own, so that it can be made again alone.
fn seed_of(seed: u64, number: u64) -> u64 {
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number)
}

/// Whether not all doors gave the bytes of the first. What is too large to be stored is not compared with the verifier.
fn differ(answers: &[&str]) -> bool {
    answers.iter().any(|answer| *answer != answers[0] && *answer != TOO_LARGE)
}

fn write_down(doors: &mut [Door], arguments: &Arguments, number: u64, case: Value) {
    let mut answers = |case: &Value| -> Vec<String> {
        let answers = ask_all(doors, std::slice::from_ref(case));
        answers.into_iter().map(|mut of_door| of_door.remove(0)).collect()
    };
    let mut is_differing = |case: &Value| differ(&answers(case).iter().map(String::as_str).collect::<Vec<_>>());
    if !is_differing(&case) {
        println!("\nseed {} case {number}: differed once, and not again: {case}", arguments.seed);
        return;
    }
    // If possible as the runners of the corpus ask: for the preview, and for as many invoices.
    let asked = [Value::Null, json!(INVOICES)].map(|schedule| with_schedule(&case, schedule));
    let case = asked.into_iter().find(|case| is_differing(case)).unwrap_or(case);
    let small = shrink::shrink(case, &mut is_differing);
    println!("\nseed {} case {number}, as small as it gets: {small}", arguments.seed);
    for ((name, _), answer) in arguments.doors.iter().zip(answers(&small)) {
        println!("  {name}: {}", answer.chars().take(2000).collect::<String>());
    }
    let previewed = answers(&with_schedule(&small, Value::Null)).remove(0);
    let name = format!("seed-{}-case-{number}.json", arguments.seed);
    match keep(&arguments.crashers.join(&name), &small, &previewed) {
        Ok(()) => println!("  written to {}", arguments.crashers.join(name).display()),
        Err(error) => println!("  could not be written: {error}"),
    }
}

fn with_schedule(case: &Value, schedule: Value) -> Value {
    let mut case = case.clone();
    case["schedule"] = schedule;
    case
}

/// Keeps a case in the form of the corpus, whose runners then ask every door again. What is wanted is what the first door
/// said: it has to be looked at. Where that said nothing, the corpus does not pass until somebody writes it.
fn keep(path: &Path, case: &Value, previewed: &str) -> std::io::Result<()> {
    let answer: Value = serde_json::from_str(previewed).unwrap_or_default();
    let want = if let Some(preview) = answer["preview"].as_object() {
        let fields = preview.iter().filter(|(name, _)| *name != "engine_version");
        format!(
            r#"{{"status": "ok", "preview": {}}}"#,
            fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>()
        )
    } else {
        let problem = |problem: &Value| format!(r#"{{"code": {}, "path": {}}}"#, problem["code"], problem["path"]);
        let problems: Vec<String> = answer["problems"].as_array().into_iter().flatten().map(problem).collect();
        format!(r#"{{"status": "rejected", "problems": [{}]}}"#, problems.join(", "))
    };
    // In the corpus's order of fields, which a map would not keep.
    let fields = [
        ("note", json!("R9: doors differed in this (cargo xtask prove); wanted is what the native one said: look whether it is right.").to_string()),
        ("request", case["request"].to_string()),
        ("catalog", case["catalog"].to_string()),
        ("as_of", case["as_of"].to_string()),
        ("now", case["now"].to_string()),
        ("want", want),
    ];
    let lines = fields.map(|(name, text)| format!("  \"{name}\": {text}"));
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(path, format!("{{\n{}\n}}\n", lines.join(",\n")))
}

/// What the cases were about: a run that left something out proved less than it says.
#[derive(Default)]
struct Seen {
    counts: BTreeMap<&'static str, BTreeMap<String, u64>>,
}

impl Seen {
    fn count(&mut self, case: &Value, answer: &str) {
        let mut one = |kind, name: &str| *self.counts.entry(kind).or_default().entry(name.to_owned()).or_default() += 1;
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        one("answers", answer["status"].as_str().unwrap_or("none"));
        one("asked for", if case["schedule"].is_null() { "preview" } else { "schedule" });
        if let Some(kind) = answer["preview"]["checkout_type"].as_str() {
            one("priced as", kind);
        }
        if let Some(currency) = answer["preview"]["currency"].as_str() {
            one("currencies", currency);
        }
        let mut types = Vec::new();
        texts_of(&answer["preview"], "pricing_type", &mut types);
        texts_of(&answer["preview"], "cadence", &mut types);
        types.sort_unstable();
        types.dedup();
        for name in types {
            one(if name.starts_with('P') { "cadences" } else { "models" }, name);
        }
        for problem in answer["problems"].as_array().into_iter().flatten() {
            one("problems", problem["code"].as_str().unwrap_or("none"));
        }
    }

    fn summary(&self) -> String {
        let line = |(kind, counts): (&&str, &BTreeMap<String, u64>)| {
            let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            format!("{kind}: {}", counts.join(", "))
        };
        self.counts.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The texts that stand under a key, anywhere.
fn texts_of<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str));
            fields.values().for_each(|inner| texts_of(inner, key, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| texts_of(inner, key, found)),
        _ => {}
    }
}

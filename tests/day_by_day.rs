//! Generated checkouts against a second implementation of the specification, slow and obvious: it walks the days one by
//! one and reckons with fractions of whole numbers.
//!
//! It is written from the specification's text and shares nothing with the engine. Sections 4 to 9 are its subject: the
//! contract as it would be, every field of both invoices, and whether there is a change at all. What else is refused is
//! the corpus's.
#![cfg(not(target_arch = "wasm32"))]

mod support;

#[path = "support/generated.rs"]
mod generated;

/// In reading order.
mod day_by_day {
    mod exact;

    mod calendar;

    mod contract;

    mod price;

    mod charge;

    mod change;

    mod invoice;

    mod due;

    mod written;

    pub mod answer;

    pub mod generate;
}

use day_by_day::answer::answer;
use day_by_day::generate;
use generated::Case;
use serde_json::{Map, Value, json};
use std::ops::Range;
use std::panic::catch_unwind;
use support::{clock, on_all_cores, parse};

/// The seeds of a run, unless `DAY_BY_DAY` names others: `DAY_BY_DAY=100000..200000`.
const SEEDS: Range<u64> = 0..100_000;

/// How many differing cases are shown whole.
const SHOWN: usize = 3;

#[test]
fn the_engine_agrees() {
    let seeds = seeds();
    let differing: Vec<_> = on_all_cores(seeds.clone(), difference).into_iter().flatten().collect();
    assert!(differing.is_empty(), "{}", report(differing, seeds));
}

fn seeds() -> Range<u64> {
    let Ok(range) = std::env::var("DAY_BY_DAY") else { return SEEDS };
    let (first, end) = range.split_once("..").expect("DAY_BY_DAY is a range of seeds such as 0..1000");
    first.parse().unwrap()..end.parse().unwrap()
}

/// Where the two answers to a seed's case differ, with the case; `None` where they agree.
fn difference(seed: u64) -> Option<(u64, String)> {
    let case = generate::case(seed);
    let wanted = catch_unwind(|| answer(&case.request, &case.catalog, &case.as_of.to_string()));
    let differences = match wanted {
        Ok(wanted) => differences("", &comparable(wanted), &comparable(engine(&case))),
        Err(_) => vec!["the second implementation panicked".to_owned()],
    };
    (!differences.is_empty())
        .then(|| (seed, format!("seed {seed}: {}\n  {}", case.to_json(), differences.join("\n  "))))
}

/// The engine's answer, as far as the second implementation gives one.
fn engine(case: &Case) -> Value {
    let (request, catalog) = (parse(&case.request.to_string()), parse(&case.catalog.to_string()));
    match support::answer(&request, catalog, clock(&case.as_of.to_string(), &case.now)) {
        Ok(preview) => {
            let preview: Value = serde_json::from_str(&preview).unwrap();
            json!({"contract": preview["contract"], "estimates": preview["estimates"]})
        }
        Err(problems) => {
            let problems = problems.as_slice().iter();
            problems.map(|problem| json!({"code": problem.code.as_str(), "path": problem.path})).collect()
        }
    }
}

/// In a contract nothing, null and an empty list are one, but for taxes (R3.3, R8.1).
fn comparable(mut answer: Value) -> Value {
    if let Some(contract) = answer.get_mut("contract") {
        *contract = without_nothing(contract);
    }
    answer
}

fn without_nothing(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let is_nothing = |key: &str, value: &Value| value.is_null() || key != "taxes" && *value == json!([]);
            let fields = fields.iter().filter(|(key, value)| !is_nothing(key, value));
            fields.map(|(key, value)| (key.clone(), without_nothing(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_nothing).collect(),
        other => other.clone(),
    }
}

/// Every path at which two values differ, with both.
fn differences(path: &str, wanted: &Value, got: &Value) -> Vec<String> {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            let of = |fields: &Map<String, Value>, key| fields.get(key).cloned().unwrap_or_else(|| json!("(nothing)"));
            let only_got = got.keys().filter(|key| !wanted.contains_key(*key));
            let keys = wanted.keys().chain(only_got);
            keys.flat_map(|key| differences(&format!("{path}/{key}"), &of(wanted, key), &of(got, key))).collect()
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            let items = wanted.iter().zip(got).enumerate();
            items.flat_map(|(at, (wanted, got))| differences(&format!("{path}/{at}"), wanted, got)).collect()
        }
        _ if wanted == got => vec![],
        _ => vec![format!("{path}: day by day {wanted}, the engine {got}")],
    }
}

fn report(mut differing: Vec<(u64, String)>, seeds: Range<u64>) -> String {
    differing.sort();
    let shown: Vec<&str> = differing.iter().take(SHOWN).map(|(_, text)| text.as_str()).collect();
    let all: Vec<u64> = differing.iter().map(|(seed, _)| *seed).take(100).collect();
    format!(
        "{} of {} cases differ:\n\n{}\n\nseeds {all:?}",
        differing.len(),
        seeds.end - seeds.start,
        shown.join("\n\n")
    )
}

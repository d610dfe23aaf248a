//! What the runners share: the rules by number, reading inputs, asking the engine.
#![allow(dead_code, reason = "each runner takes what it needs")]

use checkout_preview::{Catalog, Clock, Json, Problems, json, preview, read_date, read_instant};
use std::thread;

/// The numbers of the specification's rules: section and how many rules it has.
pub const RULES: [(u32, u32); 8] = [(1, 7), (2, 7), (3, 3), (4, 3), (5, 8), (6, 4), (7, 9), (8, 5)];

/// `R1.1` to `R8.5`, and `R9` for the section that has no numbers.
pub fn rules() -> Vec<String> {
    let numbered = RULES.iter().flat_map(|(section, count)| (1..=*count).map(move |rule| format!("R{section}.{rule}")));
    numbered.chain(["R9".to_owned()]).collect()
}

/// The rules cited in a text, `R5.1` in `(R5.1, R5.2)`; of `R7.3a` the rule is `R7.3`.
pub fn citations(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('R') {
        let is_word = text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_');
        let rest = &text[at + 1..];
        let number: String = rest.chars().take_while(|next| next.is_ascii_digit() || *next == '.').collect();
        let number = number.trim_end_matches('.');
        if !is_word && number.starts_with(|first: char| first.is_ascii_digit()) {
            found.push(format!("R{number}"));
        }
    }
    found
}

/// Reads a text that the test itself has written.
pub fn parse(text: &str) -> Json {
    json::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why}: {text}"))
}

/// The clock of a test, from the two texts that stand in a case.
pub fn clock(as_of: &str, now: &str) -> Clock {
    let as_of = read_date(&Json::String(as_of.into()), "/as_of").unwrap_or_else(|why| panic!("{why}"));
    let now = read_instant(&Json::String(now.into()), "/now").unwrap_or_else(|why| panic!("{why}"));
    Clock { as_of, now }
}

/// Noon of a day, in UTC.
pub fn noon(as_of: &str) -> Clock {
    clock(as_of, &format!("{as_of}T12:00:00Z"))
}

/// The preview as the text that goes over the wire, or the problems.
pub fn answer(request: &Json, catalog: Json, clock: Clock) -> Result<String, Problems> {
    let catalog = Catalog::load(catalog)?;
    preview(request, &catalog, clock).map(|preview| json::to_text(&preview))
}

/// Does something with each of many, on every core; what comes of it, in no order.
pub fn on_all_cores<T, R: Send>(all: impl Iterator<Item = T> + Clone + Sync, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    // Every thread takes each so-manieth, so that all end together.
    let of_thread = |first| all.clone().skip(first).step_by(threads).map(&work).collect::<Vec<R>>();
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|first| {
                let of_thread = &of_thread;
                scope.spawn(move || of_thread(first))
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// The value at a path such as `estimates/current_invoice/total`.
pub fn at<'j>(value: &'j Json, path: &str) -> &'j Json {
    let mut place = value;
    for key in path.split('/') {
        let inner = match place {
            Json::List(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(key),
        };
        place = inner.unwrap_or_else(|| panic!("there is no {path}: nothing at {key}"));
    }
    place
}

/// The string at a path.
pub fn text<'j>(value: &'j Json, path: &str) -> &'j str {
    match at(value, path) {
        Json::String(text) => text,
        other => panic!("{path} is {}, not a string", other.kind()),
    }
}

/// The list at a path.
pub fn list<'j>(value: &'j Json, path: &str) -> &'j [Json] {
    match at(value, path) {
        Json::List(items) => items,
        other => panic!("{path} is {}, not a list", other.kind()),
    }
}

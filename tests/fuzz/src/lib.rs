//! What the targets share: cases, a mutator that knows JSON, and asking the engine.
#![allow(missing_docs, reason = "nobody else uses it")]

#[path = "../../support/generated.rs"]
pub mod generated;

#[path = "../../day_by_day"]
pub mod day_by_day {
    pub mod generate;
}

#[path = "../../prove/generate.rs"]
pub mod generate;

use checkout_preview::{
    Catalog, Clock, Json, Problems, billing_schedule, json, preview, read_count, read_date, read_instant,
};
use fastrand::Rng;
use serde_json::Value;

/// Reads a document as the server does: text that is no JSON goes no further.
pub fn parse(data: &[u8]) -> Option<Json> {
    json::parse(data).ok()
}

/// Everything that the engine does with a case, `{request, catalog, as_of, now, schedule}`; its answer as text.
pub fn answer(case: &Json) -> Result<String, Problems> {
    let field = |name: &str| case.get(name).cloned().unwrap_or(Json::Null);
    let catalog = Catalog::load(field("catalog"))?;
    let (as_of, now) = Problems::together(read_date(&field("as_of"), "/as_of"), read_instant(&field("now"), "/now"))?;
    let clock = Clock { as_of, now };
    match field("schedule") {
        Json::Null => preview(&field("request"), &catalog, clock).map(|preview| json::to_text(&preview)),
        count => billing_schedule(&field("request"), &catalog, clock, read_count(&count, "/count"))
            .map(|schedule| json::to_text(&schedule)),
    }
}

/// Changes a document as JSON where it is some, and otherwise its bytes: libFuzzer's own changes seldom leave JSON behind.
/// The new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Rng::with_seed(seed.into());
    let known = (dice.u8(..4) > 0).then(|| serde_json::from_slice::<Value>(&data[..size]).ok()).flatten();
    if let Some(mut value) = known {
        generate::spoil_value(&mut value, &mut dice);
        let text = value.to_string();
        if text.len() <= max_size {
            data[..text.len()].copy_from_slice(text.as_bytes());
            return text.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}

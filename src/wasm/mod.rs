//! The browser door (wasm32 only): text in, text out, and nothing else.
//!
//! Input: what `pkg/src/read.js` has read of any JavaScript values. Output: what `pkg/src/build.js` makes plain objects
//! and a `CheckoutPreviewError` of. It holds no rule of pricing: what a browser accepts and refuses is what [`preview`]
//! accepts and refuses natively. Neighbours: `input` and `output`, the two texts.
//!
//! It imports nothing from JavaScript, so that no exception of a caller can cross its frames. What only JavaScript knows,
//! the time zones, it asks for by its answer.

mod input;
mod output;

pub use input::read;

use crate::json::Json;
use crate::{
    Catalog, Clock, Problems, TimeZone, billing_schedule, checkout_type, preview, read_count, read_date, read_instant,
    time_zone,
};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

thread_local! {
    /// The catalogs in use; the places of those that were freed are taken again.
    static CATALOGS: RefCell<Vec<Option<Catalog>>> = const { RefCell::new(Vec::new()) };
}

/// Loads a catalog and keeps it: its number, or `!` and what is wrong with it.
#[wasm_bindgen]
pub fn load(catalog: &str) -> String {
    match Catalog::load(input::read(catalog)) {
        Err(problems) => output::problems(&problems),
        Ok(catalog) => CATALOGS.with_borrow_mut(|catalogs| {
            let place = catalogs.iter().position(Option::is_none).unwrap_or(catalogs.len());
            match catalogs.get_mut(place) {
                Some(free) => *free = Some(catalog),
                None => catalogs.push(Some(catalog)),
            }
            output::number(place)
        }),
    }
}

/// Forgets a catalog.
#[wasm_bindgen]
pub fn unload(catalog: usize) {
    CATALOGS.with_borrow_mut(|catalogs| {
        if let Some(place) = catalogs.get_mut(catalog) {
            *place = None;
        }
    });
}

/// Previews `[request, now, as_of, zone, today]`: the preview, `!` and problems, or `?` and the question that [`clock`]
/// asks.
#[wasm_bindgen(js_name = preview)]
pub fn preview_checkout(catalog: usize, asked: &str) -> String {
    answer(catalog, asked, |Asked { request, catalog, clock, .. }| {
        preview(request, catalog, clock).map(|preview| output::preview(&preview))
    })
}

/// Lists the invoices to come for `[request, now, as_of, zone, today, count]`, with answers as of [`preview_checkout`].
#[wasm_bindgen]
pub fn schedule(catalog: usize, asked: &str) -> String {
    answer(catalog, asked, |Asked { request, catalog, clock, count }| {
        let count = read_count(count, "/count");
        billing_schedule(request, catalog, clock, count).map(|schedule| output::schedule(&schedule))
    })
}

/// Tells the type of a request: its number, or `!` and problems.
#[wasm_bindgen]
pub fn detect(request: &str) -> String {
    match checkout_type(&input::read(request)) {
        Ok(found) => output::number(found.number().into()),
        Err(problems) => output::problems(&problems),
    }
}

struct Asked<'a> {
    request: &'a Json,
    catalog: &'a Catalog,
    clock: Clock,
    count: &'a Json,
}

fn answer(catalog: usize, asked: &str, work: fn(Asked) -> Result<String, Problems>) -> String {
    let fields = input::read(asked);
    CATALOGS.with_borrow(|catalogs| {
        let Some(Some(catalog)) = catalogs.get(catalog) else { return String::new() };
        let Json::List(fields) = &fields else { return String::new() };
        let [request, now, as_of, zone, today, count] = fields.as_slice() else { return String::new() };
        let clock = match clock(now, as_of, zone, today, || time_zone(request, catalog)) {
            Ok(clock) => clock,
            Err(Unclear::Problems(problems)) => return output::problems(&problems),
            Err(Unclear::Today(question)) => return question,
        };
        work(Asked { request, catalog, clock, count }).unwrap_or_else(|problems| output::problems(&problems))
    })
}

enum Unclear {
    Problems(Problems),
    /// `?["2026-11-22T10:00:00Z","Europe/Berlin"]`: what day it is then, there.
    Today(String),
}

/// The moment asked about. Where the caller names no day, it is `today`, if `zone` is the zone that the request is to be
/// dated in, and else a question.
fn clock<'a>(
    now: &Json,
    as_of: &Json,
    zone: &Json,
    today: &Json,
    time_zone: impl FnOnce() -> Option<TimeZone<'a>>,
) -> Result<Clock, Unclear> {
    let now = read_instant(now, "/now");
    let as_of = (*as_of != Json::Null).then(|| read_date(as_of, "/as_of")).transpose();
    let (now, as_of) = Problems::together(now, as_of).map_err(Unclear::Problems)?;
    let as_of = match as_of {
        Some(as_of) => as_of,
        None => match time_zone() {
            None => now.date_naive(),
            Some(wanted) if matches!(zone, Json::String(zone) if zone == wanted.name) => {
                // The host answers null for a zone that it does not know.
                read_date(today, "/as_of").map_err(|_| Unclear::Problems(wanted.unknown()))?
            }
            Some(wanted) => return Err(Unclear::Today(output::question(now, wanted.name))),
        },
    };
    Ok(Clock { as_of, now })
}

//! The corpus over HTTP: every case of `tests/cases` gets from the server the bytes that the engine prints.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use checkout_preview::{Catalog, Clock, billing_schedule, json, preview};
use checkout_verifier::clock::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::{Server, date, instant, parse};

/// A case, its documents as the text they are written in: `1e400` must arrive as such.
#[derive(Deserialize)]
struct Case {
    request: Box<RawValue>,
    catalog: Box<RawValue>,
    as_of: String,
    now: String,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

#[tokio::test]
async fn the_server_answers_every_case_as_the_engine_does() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases"), &mut found);
    found.sort();
    assert!(!found.is_empty(), "tests/cases holds no case");
    let server = Server::empty().await;
    let mut compared = BTreeSet::<String>::new();
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let case: Case = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let clock = Clock { as_of: date(&case.as_of), now: instant(&case.now) };
        *server.moment.lock().unwrap() = Moment { now: clock.now, as_of: Some(clock.as_of) };

        let stored = server.put("/catalog", case.catalog.get().to_owned()).await;
        let catalog = match Catalog::load(parse(case.catalog.get())) {
            Ok(catalog) => catalog,
            Err(problems) => {
                assert_refused(&stored, &json::to_text(&problems), &path);
                continue;
            }
        };
        // The server is stricter in one thing only: it wants to know the time zone of every business entity.
        if stored.status != 200 {
            let problems = stored.at("/problems");
            let zones = problems.matches(r#"/time_zone","message":"there is no time zone"#).count();
            assert_eq!(zones, problems.matches(r#""code":"#).count(), "{}: {}", path.display(), stored.text);
            continue;
        }
        let request = parse(case.request.get());
        let preview = preview(&request, &catalog, clock);
        if let Ok(preview) = &preview {
            compared.insert(json::to_text(&preview.checkout_type()));
        }
        let schedule = billing_schedule(&request, &catalog, clock, 12);
        for (address, wanted) in [
            ("/checkouts/preview", preview.map(|preview| json::to_text(&preview))),
            ("/checkouts/schedule", schedule.map(|schedule| json::to_text(&schedule))),
        ] {
            let answer = server.post(address, case.request.get().to_owned()).await;
            match wanted {
                Ok(text) => assert_eq!((answer.status.as_u16(), answer.text), (200, text), "{}", path.display()),
                Err(problems) => assert_refused(&answer, &json::to_text(&problems), &path),
            }
        }
    }
    // None of the three is left out, neither by the corpus nor by this test.
    let types: Vec<_> = compared.iter().map(String::as_str).collect();
    assert_eq!(types, [r#""plan_based""#, r#""plan_change""#, r#""quantity_update""#]);
}

fn assert_refused(answer: &support::Answer, problems: &str, path: &Path) {
    assert_eq!(answer.status, 422, "{}: {}", path.display(), answer.text);
    assert!(answer.text.contains(&format!(r#""problems":{problems}"#)), "{}: {}", path.display(), answer.text);
}

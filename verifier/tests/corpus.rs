//! The corpus over HTTP: every case of `tests/cases` gets from the server the bytes that the engine prints.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use checkout_preview::{Catalog, CheckoutType, billing_schedule, json, preview};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::{Case, Server, parse};

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

fn cases() -> Vec<(PathBuf, Case)> {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases"), &mut found);
    found.sort();
    assert!(!found.is_empty(), "tests/cases holds no case");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let case = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        (path, case)
    };
    found.into_iter().map(read).collect()
}

#[tokio::test]
async fn the_server_answers_every_case_as_the_engine_does() {
    let server = Server::empty().await;
    let mut compared = BTreeSet::<String>::new();
    for (path, case) in cases() {
        let clock = server.set_clock(&case);
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
        let schedule = billing_schedule(&request, &catalog, clock, Ok(12));
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

/// What is confirmed is a contract that the engine reads.
#[tokio::test]
async fn every_case_that_can_be_confirmed_is_a_contract_again() {
    let mut confirmed = BTreeSet::<String>::new();
    let mut server = Server::empty().await;
    for (path, case) in cases() {
        let Ok(catalog) = Catalog::load(parse(case.catalog.get())) else { continue };
        let request = parse(case.request.get());
        match preview(&request, &catalog, server.set_clock(&case)) {
            Err(_) => continue,
            Ok(preview) if preview.checkout_type() == CheckoutType::PlanBased => {}
            // A contract that was confirmed stays one: the next case's of the same id is another organisation's.
            Ok(_) => server = server.other_organisation().await,
        }
        server.set_clock(&case);
        if server.put("/catalog", case.catalog.get().to_owned()).await.status != 200 {
            continue;
        }
        let checkout_id = server.create(case.request.get()).await;
        let session = server.confirmed(&checkout_id).await;
        confirmed.insert(session.at("/checkout_type"));
        let [id, day] = ["/contract_id", "/start_date"].map(|field| session.at(field));
        let amend = format!(r#"{{"contract_id":{id},"start_date":{day}}}"#);
        let answer = server.post("/checkouts/preview", amend).await;
        answer.refused(422, "rejected");
        let codes = answer.text.matches(r#""code":"#).count();
        assert!(
            codes == 2 && answer.text.contains("product_overrides_required"),
            "{}: {}",
            path.display(),
            answer.text
        );
    }
    assert_eq!(confirmed.len(), 3, "{confirmed:?}");
}

fn assert_refused(answer: &support::Answer, problems: &str, path: &Path) {
    assert_eq!(answer.status, 422, "{}: {}", path.display(), answer.text);
    assert!(answer.text.contains(&format!(r#""problems":{problems}"#)), "{}: {}", path.display(), answer.text);
}

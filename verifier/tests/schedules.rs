//! Billing schedules over HTTP, without a socket: the engine's bytes, of contracts wherever they are, and nothing stored.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use checkout_preview::{Catalog, Json, billing_schedule, json};
use support::{Answer, CONTRACT, GUEST, REQUEST, Server, at, catalog, parse, seats};

fn engine(server: &Server, catalog: &str, request: &str, as_of: &str, count: u8) -> String {
    let catalog = Catalog::load(parse(catalog)).unwrap();
    json::to_text(&billing_schedule(&parse(request), &catalog, server.clock(as_of), Ok(count)).unwrap())
}

fn counted(request: &str, count: &str) -> String {
    format!(r#"{{"count":{count},{}"#, request.trim_start().strip_prefix('{').unwrap())
}

#[tokio::test]
async fn a_schedule_is_the_engines_bytes_and_stores_nothing() {
    let server = Server::with(&[CONTRACT]).await;
    let made_here = server.bought(REQUEST).await;
    let here = server.contract(&made_here).await.text;
    let known = catalog(&[CONTRACT, &here]);
    let before = [server.count("checkouts").await, server.count("contract_versions").await];
    for request in [
        REQUEST,
        GUEST,
        &seats("con_1", "14"),
        &seats(&made_here, "14"),
        &format!(r#"{{"plan_id":"plus","contract_id":"{made_here}","start_date":"2027-03-01"}}"#),
    ] {
        for (sent, count) in [("1", 1), ("36", 36), ("120", 120), ("null", 12), ("12.0", 12)] {
            let answer = server.post("/checkouts/schedule", counted(request, sent)).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(answer.text, engine(&server, &known, request, "2026-11-22", count));
            let Json::List(invoices) = at(&answer.json(), "/invoices") else { panic!("{}", answer.text) };
            assert_eq!(invoices.len(), usize::from(count));
        }
        let answer = server.post("/checkouts/schedule", request.to_owned()).await;
        assert_eq!(answer.text, engine(&server, &known, request, "2026-11-22", 12));
        let preview = server.post("/checkouts/preview", request.to_owned()).await;
        assert_eq!(answer.at("/invoices/0"), preview.at("/estimates/next_invoice"));
    }
    assert_eq!([server.count("checkouts").await, server.count("contract_versions").await], before);
}

#[tokio::test]
async fn a_schedule_is_counted_from_today_where_the_business_is() {
    let server = Server::with(&[]).await;
    server.set_now("2026-02-28T20:00:00Z");
    let answer = server.post("/checkouts/schedule", GUEST).await;
    assert_eq!(
        (answer.string("as_of"), answer.at("/invoices/0/invoice_date")),
        ("2026-03-01".into(), r#""2026-04-01""#.into())
    );
}

fn problems(answer: &Answer) -> String {
    answer.refused(422, "rejected");
    let Json::List(problems) = at(&answer.json(), "/problems") else { panic!("{}", answer.text) };
    let text = |problem: &Json, field| json::to_text(problem.get(field).unwrap()).replace('"', "");
    let problems: Vec<_> = problems.iter().map(|one| format!("{} {}", text(one, "code"), text(one, "path"))).collect();
    problems.join(", ")
}

#[tokio::test]
async fn a_wrong_count_is_told_with_what_else_is_wrong() {
    let server = Server::with(&[CONTRACT]).await;
    for count in ["0", "121", "-1", "1.5", "1e400", r#""12""#, "true", "[]", "{}"] {
        let answer = server.post("/checkouts/schedule", counted(REQUEST, count)).await;
        assert_eq!(problems(&answer), "invalid_type /count", "{count}");
        assert_eq!(answer.at("/problems/0/help"), r#""send a whole number from 1 to 120""#);
    }
    for (request, found) in [
        (
            r#"{"count":0,"plan":1,"plan_id":"nope"}"#,
            "plan_not_found /plan_id, customer_id_required /customer_id, unknown_field /plan, invalid_type /count",
        ),
        (r#"{"count":5,"plan_id":"nope","customer_id":"cus_1"}"#, "plan_not_found /plan_id"),
        (r#"{"counts":5,"plan_id":"team","customer_id":"cus_1"}"#, "unknown_field /counts"),
        ("[]", "invalid_type "),
        // Late problems are not looked for where there is another.
        (&counted(&seats("con_1", "10"), "0"), "invalid_type /count"),
        (&counted(&seats("con_1", "10"), "5"), "nothing_changes /product_overrides"),
    ] {
        assert_eq!(problems(&server.post("/checkouts/schedule", request.to_owned()).await), found);
    }
    // It is no field of a preview.
    for path in ["/checkouts/preview", "/checkouts"] {
        assert_eq!(problems(&server.post(path, counted(REQUEST, "5")).await), "unknown_field /count");
    }
    assert_eq!(server.count("checkouts").await, 0);
}

#[tokio::test]
async fn a_schedule_needs_a_catalog() {
    Server::empty().await.post("/checkouts/schedule", REQUEST).await.refused(409, "catalog_missing");
}

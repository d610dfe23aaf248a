//! The statuses of a checkout: what may be done in each, when it expires, and what comes of doing two things at once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use checkout_preview::Json;
use checkout_verifier::http::Assets;
use sqlx::Connection;
use std::sync::Arc;
use std::time::Duration;
use support::{Answer, CONTRACT, GUEST, REQUEST, Server, at, expecting, is_postgres, seats};
use tokio::task::JoinSet;

const STATUSES: [&str; 7] =
    ["pending", "payment_initiated", "payment_succeeded", "payment_failed", "contract_created", "cancelled", "expired"];
const ACTIONS: [&str; 6] = ["confirm", "cancel", "initiated", "succeeded", "failed", "patch"];

/// The status that an action gives, as the specification's table has it; `None` where it is refused.
fn wanted(status: &str, action: &str) -> Option<&'static str> {
    match (status, action) {
        ("pending" | "payment_succeeded", "confirm") => Some("contract_created"),
        ("pending" | "payment_failed", "cancel") => Some("cancelled"),
        ("pending" | "payment_failed", "initiated") => Some("payment_initiated"),
        ("payment_initiated", "succeeded") => Some("payment_succeeded"),
        ("payment_initiated", "failed") => Some("payment_failed"),
        ("pending", "patch") => Some("pending"),
        _ => None,
    }
}

/// The code of the refusal, and from where the action is possible.
fn refusal(action: &str) -> (&'static str, &'static str) {
    match action {
        "confirm" => ("checkout_not_confirmable", r#"["pending","payment_succeeded"]"#),
        "cancel" => ("checkout_not_cancellable", r#"["pending","payment_failed"]"#),
        "initiated" => ("checkout_not_payable", r#"["pending","payment_failed"]"#),
        "succeeded" | "failed" => ("checkout_not_payable", r#"["payment_initiated"]"#),
        _ => ("checkout_not_changeable", r#"["pending"]"#),
    }
}

async fn act(server: &Server, id: &str, action: &str) -> Answer {
    let path = format!("/checkouts/{id}");
    match action {
        "patch" => server.patch(&path, r#"{"success_url":"https://shop.example/"}"#).await,
        "confirm" | "cancel" => server.post(&format!("{path}/{action}"), "{}").await,
        payment => server.post(&format!("{path}/payment"), format!(r#"{{"status":"{payment}"}}"#)).await,
    }
}

/// A new checkout in a status; one that has expired did so at 12:00:01.
async fn in_status(server: &Server, status: &str) -> String {
    server.set_now("2026-11-22T12:00:00Z");
    let ends = if status == "expired" { "2026-11-22T12:00:01Z" } else { "2026-11-23T12:00:00Z" };
    let id = server.create(&format!(r#"{{"expires_at":"{ends}",{}"#, &REQUEST[1..])).await;
    let actions: &[&str] = match status {
        "payment_initiated" => &["initiated"],
        "payment_succeeded" => &["initiated", "succeeded"],
        "payment_failed" => &["initiated", "failed"],
        "contract_created" => &["confirm"],
        "cancelled" => &["cancel"],
        _ => &[],
    };
    for action in actions {
        assert_eq!(act(server, &id, action).await.status, 200);
    }
    server.set_now("2026-11-22T12:00:01Z");
    id
}

async fn status(server: &Server, id: &str) -> String {
    server.get(&format!("/checkouts/{id}")).await.string("checkout_status")
}

#[track_caller]
fn assert_refused(answer: &Answer, action: &str, current_status: &str) {
    let (code, valid_statuses) = refusal(action);
    answer.refused(409, code);
    assert_eq!(answer.string("current_status"), current_status);
    assert_eq!(answer.at("/valid_statuses"), valid_statuses);
}

#[tokio::test]
async fn every_action_in_every_status_is_as_the_table_says() {
    let server = Server::start().await;
    for from in STATUSES {
        for action in ACTIONS {
            let id = in_status(&server, from).await;
            assert_eq!(status(&server, &id).await, from);
            let before = server.rows_of_organisation().await;
            let events = server.events().await.len();
            let answer = act(&server, &id, action).await;
            let Some(to) = wanted(from, action) else {
                assert_refused(&answer, action, from);
                assert_eq!(server.rows_of_organisation().await, before, "{from} {action}");
                continue;
            };
            assert_eq!(
                (answer.status.as_u16(), answer.string("checkout_status").as_str()),
                (200, to),
                "{from} {action}"
            );
            assert_eq!(server.get(&format!("/checkouts/{id}")).await.text, answer.text);
            assert_eq!(answer.string("updated_at"), "2026-11-22T12:00:01Z");
            let told: Vec<(String, Json)> = server.events().await[events..].iter().map(told).collect();
            let about = |name: &str| (name.to_owned(), Json::String(to.into()));
            let wanted = match action {
                "confirm" => vec![("contract.created".into(), Json::Null), about("checkout.contract_created")],
                "cancel" => vec![about("checkout.cancelled")],
                _ => vec![about("checkout.updated")],
            };
            assert_eq!(told, wanted);
        }
    }
}

/// An event's type, and the status it tells.
fn told(event: &Json) -> (String, Json) {
    let Json::String(name) = at(event, "/type") else { panic!("{event:?}") };
    (name, at(event, "/data").get("checkout_status").cloned().unwrap_or(Json::Null))
}

#[tokio::test]
async fn the_bodies_of_actions_are_checked_before_the_status() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    let before = server.rows_of_organisation().await;
    let long = |length: usize| "ü".repeat(length);
    for (action, body, problem) in [
        ("cancel", "[]".to_owned(), "invalid_type "),
        ("cancel", r#"{"reason":7}"#.into(), "invalid_type /reason"),
        ("cancel", format!(r#"{{"reason":"{}"}}"#, long(501)), "invalid_type /reason"),
        ("cancel", r#"{"why":"x"}"#.into(), "unknown_field /why"),
        ("payment", "{}".into(), "invalid_type /status"),
        ("payment", r#"{"status":"paid"}"#.into(), "invalid_type /status"),
        ("payment", r#"{"status":"initiated","amount":1}"#.into(), "unknown_field /amount"),
        ("payment", format!(r#"{{"status":"initiated","reference":"{}"}}"#, long(256)), "invalid_type /reference"),
    ] {
        let answer = server.post(&format!("/checkouts/{id}/{action}"), body).await;
        answer.refused(422, "rejected");
        let [code, path] = ["code", "path"].map(|field| answer.string(&format!("problems/0/{field}")));
        assert_eq!(format!("{code} {path}"), problem);
    }
    assert_eq!(server.rows_of_organisation().await, before);
    let reference = long(255);
    let paid = format!(r#"{{"status":"initiated","reference":"{reference}"}}"#);
    assert_eq!(server.post(&format!("/checkouts/{id}/payment"), paid).await.status, 200);
    act(&server, &id, "failed").await;
    let reason = format!("{}\\u0000", long(499));
    let cancelled = server.post(&format!("/checkouts/{id}/cancel"), format!(r#"{{"reason":"{reason}"}}"#)).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    let events = server.events().await;
    assert_eq!(at(&events[1], "/data/payment_reference"), Json::String(reference));
    assert_eq!(at(events.last().unwrap(), "/data/reason"), Json::String(format!("{}\0", long(499))));
}

#[tokio::test]
async fn it_is_expired_from_the_very_instant_on() {
    let server = Server::start().await;
    let before = "2026-11-23T11:59:59.999999Z";
    let at_it = "2026-11-23T12:00:00Z";
    for action in ACTIONS {
        for (now, is_over) in [(before, false), (at_it, true)] {
            for from in ["pending", "payment_failed", "payment_initiated", "payment_succeeded"] {
                let id = in_status(&server, from).await;
                server.set_now(now);
                // While money moves, nothing expires.
                let now_in = if is_over && matches!(from, "pending" | "payment_failed") { "expired" } else { from };
                assert_eq!(status(&server, &id).await, now_in);
                let answer = act(&server, &id, action).await;
                match wanted(now_in, action) {
                    // A payment that failed too late leaves nothing to try again.
                    Some("payment_failed") if is_over => assert_eq!(answer.string("checkout_status"), "expired"),
                    Some(to) => assert_eq!(answer.string("checkout_status"), to, "{from} {action} {now}"),
                    None => assert_refused(&answer, action, now_in),
                }
                if answer.status == 200 {
                    assert_eq!(status(&server, &id).await, answer.string("checkout_status"), "{from} {action} {now}");
                }
            }
        }
    }
}

#[tokio::test]
async fn lists_know_what_has_expired() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for from in STATUSES {
        ids.insert(0, (in_status(&server, from).await, from));
    }
    server.set_now("2026-11-23T12:00:00Z");
    let now_in = |from| if matches!(from, "pending" | "payment_failed") { "expired" } else { from };
    let listed = async |query: &str| {
        let page = server.get(&format!("/checkouts?{query}")).await;
        let Json::List(data) = at(&page.json(), "/data") else { panic!("{}", page.text) };
        let text = |session: &Json, field| match session.get(field) {
            Some(Json::String(text)) => text.clone(),
            _ => panic!("{}", page.text),
        };
        data.iter().map(|one| (text(one, "id"), text(one, "checkout_status"))).collect::<Vec<_>>()
    };
    let all: Vec<_> = ids.iter().map(|(id, from)| (id.clone(), now_in(from).to_owned())).collect();
    // Twice: asking for a status writes the expiries down.
    for _ in 0..2 {
        assert_eq!(listed("").await, all);
        for wanted in STATUSES {
            let some: Vec<_> = all.iter().filter(|(_, status)| status == wanted).cloned().collect();
            assert_eq!(listed(&format!("checkout_status={wanted}")).await, some);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_written_down_once() {
    let server = Server::start().await;
    let mut due = Vec::new();
    // More than one transaction takes.
    for _ in 0..60 {
        due.push(in_status(&server, "expired").await);
    }
    let pending = in_status(&server, "pending").await;
    server.let_time_pass_for_sweepers().await;
    for id in &due {
        assert_eq!(status(&server, id).await, "expired");
    }
    let expired = async || server.events().await.iter().filter(|event| told(event).0 == "checkout.expired").count();
    assert_eq!(expired().await, 60);
    assert_eq!(server.count("checkouts WHERE checkout_status = 'expired'").await, 60);
    // A clock that is set back finds it written, and so does one that goes on.
    let before = server.rows_of_organisation().await;
    for now in ["2026-11-22T11:00:00Z", "2026-11-22T12:30:00Z"] {
        server.set_now(now);
        server.verifier.sweep().await.unwrap();
        assert_eq!(server.rows_of_organisation().await, before);
        assert_refused(&act(&server, &due[0], "confirm").await, "confirm", "expired");
        assert_eq!(status(&server, &pending).await, "pending");
    }
    assert_eq!(expired().await, 60);
}

impl Server {
    /// Three sweepers at once.
    async fn let_time_pass_for_sweepers(&self) {
        let mut running = JoinSet::new();
        for sweeper in [self.clone(), self.beside(Assets::default()).await, self.beside(Assets::default()).await] {
            running.spawn(async move { sweeper.verifier.sweep().await.unwrap() });
        }
        running.join_all().await;
    }

    async fn patch(&self, path: &str, body: &str) -> Answer {
        self.call("PATCH", path, &[("content-type", "application/json")], body.to_owned()).await
    }
}

#[tokio::test]
async fn a_change_is_merged_into_the_request() {
    let server = Server::with(&[CONTRACT]).await;
    let id = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}");
    let created = server.get(&path).await;
    server.set_now("2026-11-22T13:00:00Z");
    for (change, request) in [
        (
            r#"{"success_url":"https://a.example/"}"#,
            r#"{"plan_id":"team","customer_id":"cus_1","success_url":"https://a.example/"}"#,
        ),
        (
            r#"{"product_overrides":[{"pricing_id":"seats","quantity":"3"}],"success_url":null}"#,
            r#"{"plan_id":"team","customer_id":"cus_1","product_overrides":[{"pricing_id":"seats","quantity":"3"}]}"#,
        ),
        (
            r#"{"contract_id":"con_1","plan_id":null,"start_date":null}"#,
            r#"{"contract_id":"con_1","customer_id":"cus_1","product_overrides":[{"pricing_id":"seats","quantity":"3"}]}"#,
        ),
        (
            r#"{"plan_id":"plus","product_overrides":null}"#,
            r#"{"plan_id":"plus","contract_id":"con_1","customer_id":"cus_1"}"#,
        ),
        (
            r#"{"plan_id":"team","contract_id":null,"customer_id":null,"business_entity_id":"be_jp","customer_data":{"name":"Grace"}}"#,
            r#"{"plan_id":"team","business_entity_id":"be_jp","customer_data":{"name":"Grace"}}"#,
        ),
    ] {
        let changed = server.patch(&path, change).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let preview = server.post("/checkouts/preview", request).await;
        for field in [
            "checkout_type",
            "plan_id",
            "customer_id",
            "estimates",
            "contract",
            "expires_at",
            "success_url",
            "product_overrides",
            "customer_data",
            "business_entity_id",
            "guest_checkout",
        ] {
            let pointer = format!("/{field}");
            assert_eq!(changed.at(&pointer), preview.at(&pointer), "{change}");
        }
        assert_eq!(changed.at("/source_contract_id"), preview.at("/contract_id"));
        assert_eq!(changed.at("/created_at"), created.at("/created_at"));
        assert_eq!(changed.string("updated_at"), "2026-11-22T13:00:00Z");
        assert_eq!(server.get(&path).await.text, changed.text);
    }
    let last = server.get(&path).await;
    let rows = server.rows_of_organisation().await;
    for (change, code) in [
        ("[]", "invalid_type"),
        (r#"{"plan_id":null}"#, "plan_id_required"),
        (r#"{"plan_id":"nope"}"#, "plan_not_found"),
        (r#"{"plan_id":7}"#, "invalid_type"),
        (r#"{"plan":"plus"}"#, "unknown_field"),
        (r#"{"plan":null}"#, "unknown_field"),
        (r#"{"checkout_status":"contract_created"}"#, "unknown_field"),
        (r#"{"expires_at":"2026-11-22T13:00:00Z"}"#, "expires_at_out_of_range"),
        (r#"{"expected_estimates":7}"#, "invalid_type"),
    ] {
        let answer = server.patch(&path, change).await;
        answer.refused(422, "rejected");
        assert!(answer.at("/problems/0/code").len() > 2 && answer.text.contains(code), "{change}: {}", answer.text);
    }
    assert_eq!(server.rows_of_organisation().await, rows);
    // What was confirmed is what was changed to, to the last byte.
    let confirmed = server.confirmed(&id).await;
    assert_eq!(confirmed.at("/estimates"), last.at("/estimates"));
    assert_eq!(confirmed.at("/contract/phases/0/lines/0/quantity"), last.at("/contract/phases/0/lines/0/quantity"));
}

#[tokio::test]
async fn a_change_shows_what_the_buyer_saw() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}");
    let change = r#"{"product_overrides":[{"pricing_id":"seats","quantity":"3"}]}"#;
    let request = format!("{},{}", REQUEST.trim_end_matches('}'), &change[1..]);
    // Dearer since: what is changed is priced by the current catalog, and told apart from what was seen.
    let seen = server.post("/checkouts/preview", request.clone()).await;
    server.put_catalog(&price("13.00")).await;
    let before = server.rows_of_organisation().await;
    let refused = server.patch(&path, &expecting(change, &seen)).await;
    refused.refused(409, "preview_mismatch");
    let total = r#"{"path":"/estimates/current_invoice/total","expected":"36.00","actual":"39.00"}"#;
    assert!(refused.at("/differences").contains(total), "{}", refused.text);
    assert_eq!(server.rows_of_organisation().await, before);
    let seen = server.post("/checkouts/preview", request).await;
    assert_eq!(refused.at("/preview"), seen.text);
    let changed = server.patch(&path, &expecting(change, &seen)).await;
    assert_eq!((changed.status.as_u16(), changed.at("/estimates")), (200, seen.at("/estimates")));
    assert_eq!(server.confirmed(&id).await.at("/estimates"), seen.at("/estimates"));
}

/// Servers on one database: three where there may be several processes, and where they may not, one.
async fn replicas(server: &Server) -> Vec<Arc<Server>> {
    let mut replicas = vec![Arc::new(server.clone())];
    while is_postgres() && replicas.len() < 3 {
        replicas.push(Arc::new(server.beside(Assets::default()).await));
    }
    replicas
}

/// What a database does to transactions that are in each other's way: PostgreSQL's own habit, and those of others that
/// speak its language.
fn isolations() -> &'static [&'static str] {
    if is_postgres() { &["read committed", "repeatable read", "serializable"] } else { &["serializable"] }
}

/// A server whose database isolates transactions so.
async fn isolated(server: Server, isolation: &str) -> Server {
    if is_postgres() {
        let name = server.url.rsplit_once('/').unwrap().1.to_owned();
        server.sql(format!("ALTER DATABASE {name} SET default_transaction_isolation TO '{isolation}'")).await;
        return server.restart().await;
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_confirmations_make_one_contract() {
    for isolation in isolations() {
        let server = isolated(Server::start().await, isolation).await;
        let replicas = replicas(&server).await;
        let id = server.create(GUEST).await;
        let mut running = JoinSet::new();
        for number in 0..64 {
            let (server, id) = (Arc::clone(&replicas[number % replicas.len()]), id.clone());
            running.spawn(async move { server.confirm(&id).await });
        }
        let answers = running.join_all().await;
        let (done, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((done.len(), others.len()), (1, 63), "{isolation}");
        for answer in others {
            assert_refused(answer, "confirm", "contract_created");
        }
        for table in ["contracts", "contract_versions", "customers"] {
            assert_eq!(server.count(table).await, 1, "{isolation}");
        }
        let names: Vec<_> = server.events().await.iter().map(|event| told(event).0).collect();
        assert_eq!(names, ["checkout.created", "contract.created", "checkout.contract_created"]);
        assert_eq!(server.get(&format!("/checkouts/{id}")).await.text, done[0].text);
    }
}

/// Does all of these at once, each on the next replica.
async fn at_once(replicas: &[Arc<Server>], id: &str, actions: &[&'static str]) -> Vec<(&'static str, Answer)> {
    let mut running = JoinSet::new();
    for (number, action) in actions.iter().enumerate() {
        let (server, id, action) = (Arc::clone(&replicas[number % replicas.len()]), id.to_owned(), *action);
        running.spawn(async move { (action, act(&server, &id, action).await) });
    }
    running.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_races_the_outcome_is_one_of_the_table() {
    for isolation in isolations() {
        let server = isolated(Server::start().await, isolation).await;
        let replicas = replicas(&server).await;
        for round in 0..12 {
            let id = in_status(&server, "pending").await;
            let actions = [["confirm", "cancel", "confirm", "cancel"], ["patch", "confirm", "initiated", "cancel"]];
            let answers = at_once(&replicas, &id, &actions[round % 2]).await;
            let ended = status(&server, &id).await;
            let events: Vec<_> = server.events_of(&id).await;
            // The statuses that events tell are one path through the table, and end where the checkout is.
            let mut now_in = "pending".to_owned();
            for (name, status) in &events[1..] {
                let Json::String(status) = status else { panic!("{name}") };
                let is_a_step = ACTIONS.iter().any(|action| wanted(&now_in, action) == Some(status));
                assert!(is_a_step, "{now_in} to {status}: {events:?}");
                now_in.clone_from(status);
            }
            assert_eq!(now_in, ended, "{events:?}");
            // Each that succeeded has an event, and the others are refused for a status that it was in.
            let succeeded = answers.iter().filter(|(_, answer)| answer.status == 200).count();
            assert_eq!(succeeded, events.len() - 1, "{answers:?}");
            for (action, answer) in answers.iter().filter(|(_, answer)| answer.status != 200) {
                let in_it = answer.string("current_status");
                assert!(wanted(&in_it, action).is_none(), "{action} in {in_it}");
                assert_refused(answer, action, &in_it);
            }
            let bought = i64::from(ended == "contract_created");
            assert_eq!(server.count_of("contract_versions", &id).await, bought, "{isolation}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_races_a_change_is_of_the_one_or_the_other() {
    for isolation in isolations() {
        let server = isolated(Server::start().await, isolation).await;
        let replicas = replicas(&server).await;
        for _ in 0..12 {
            let id = in_status(&server, "pending").await;
            let path = format!("/checkouts/{id}");
            let change = r#"{"product_overrides":[{"pricing_id":"seats","quantity":"3"}]}"#;
            let [one, other] = [&replicas[0], replicas.last().unwrap()];
            let (changed, confirmed) = tokio::join!(one.patch(&path, change), other.confirm(&id));
            assert_eq!(confirmed.status, 200, "{}", confirmed.text);
            let quantity = confirmed.at("/contract/phases/0/lines/0/quantity/value");
            let total = confirmed.at("/estimates/current_invoice/total");
            if changed.status == 200 {
                assert_eq!((quantity.as_str(), total.as_str()), (r#""3""#, r#""36.00""#));
            } else {
                assert_refused(&changed, "patch", "contract_created");
                assert_eq!((quantity.as_str(), total.as_str()), (r#""10""#, r#""120.00""#));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_races_the_expiry_wins_or_loses() {
    for isolation in isolations() {
        let server = isolated(Server::start().await, isolation).await;
        let late = server.at_another_time("2026-11-23T12:00:00Z").await;
        for _ in 0..12 {
            let id = in_status(&server, "pending").await;
            server.set_now("2026-11-23T11:59:59.999999Z");
            let (confirmed, swept) = tokio::join!(server.confirm(&id), late.verifier.sweep());
            swept.unwrap();
            let events: Vec<_> = server.events_of(&id).await.into_iter().skip(1).collect();
            let text = |text: &str| Json::String(text.into());
            if confirmed.status == 200 {
                assert_eq!(events, [("checkout.contract_created".to_owned(), text("contract_created"))]);
            } else {
                assert_refused(&confirmed, "confirm", "expired");
                assert_eq!(events, [("checkout.expired".to_owned(), text("expired"))]);
            }
            let bought = i64::from(confirmed.status == 200);
            assert_eq!(server.count_of("contract_versions", &id).await, bought);
        }
    }
}

/// It had not expired when it was looked at, and whoever reads it while it waits is told that it has.
#[tokio::test(flavor = "multi_thread")]
async fn what_expires_while_a_lock_is_waited_for_has_expired() {
    sqlx::any::install_default_drivers();
    for action in ["confirm", "cancel", "initiated", "patch"] {
        let server = Server::start().await;
        let id = in_status(&server, "pending").await;
        server.set_now("2026-11-23T11:59:59.999999Z");
        let mut holder = sqlx::AnyConnection::connect(&server.url).await.unwrap();
        let hold = if is_postgres() { "BEGIN; SELECT id FROM checkouts FOR UPDATE" } else { "BEGIN IMMEDIATE" };
        sqlx::raw_sql(hold).execute(&mut holder).await.unwrap();
        let waiting = {
            let (server, id) = (server.clone(), id.clone());
            tokio::spawn(async move { act(&server, &id, action).await })
        };
        // Time enough to come to the lock; where it is not, the answer is the same.
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.set_now("2026-11-23T12:00:00Z");
        assert_eq!(status(&server, &id).await, "expired");
        sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
        assert_refused(&waiting.await.unwrap(), action, "expired");
        assert_eq!(status(&server, &id).await, "expired");
        assert_eq!(server.count_of("contract_versions", &id).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_amendments_at_once_one_is_confirmed_however_transactions_are_isolated() {
    for isolation in isolations() {
        let server = Server::with(&[CONTRACT]).await;
        let server = isolated(server, isolation).await;
        let replicas = replicas(&server).await;
        let mut ids = Vec::new();
        for racer in 0..12 {
            ids.push(server.create(&seats("con_1", &format!("{}", 20 + racer))).await);
        }
        let mut running = JoinSet::new();
        for (number, id) in ids.iter().enumerate() {
            let (server, id) = (Arc::clone(&replicas[number % replicas.len()]), id.clone());
            running.spawn(async move { server.confirm(&id).await });
        }
        let answers = running.join_all().await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "{isolation}");
        lost.iter().for_each(|answer| answer.refused(409, "contract_changed"));
        assert_eq!(server.contract("con_1").await.text, won[0].at("/contract"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_at_once_is_answered_however_transactions_are_isolated() {
    for isolation in isolations() {
        let server = isolated(Server::start().await, isolation).await;
        let replicas = replicas(&server).await;
        let mut running = JoinSet::new();
        for number in 0..48 {
            let server = Arc::clone(&replicas[number % replicas.len()]);
            running.spawn(async move {
                let key = format!("key {number}");
                let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
                match number % 4 {
                    0 => server.post("/sessions", r#"{"customer_id":"cus_1"}"#).await,
                    1 => server.call("POST", "/checkouts", &headers, GUEST).await,
                    2 => server.call("POST", "/checkouts/preview", &headers, REQUEST).await,
                    _ => server.put("/catalog", price(&format!("{number}.00"))).await,
                }
            });
        }
        for answer in running.join_all().await {
            assert!(answer.status.is_success(), "{isolation}: {}", answer.text);
        }
        assert_eq!((server.count("checkouts").await, server.count("sessions").await), (12, 12));
        assert_eq!(server.events().await.len(), 12);
        assert_eq!(server.count("catalogs").await, 13);
        let current = server.get("/catalog").await.text;
        let put = (0..48).filter(|number| number % 4 == 3).map(|number| price(&format!("{number}.00")));
        assert!(put.into_iter().any(|put| put == current), "{current}");
    }
}

fn price(amount: &str) -> String {
    support::CATALOG.replace("12.00", amount)
}

impl Server {
    /// The events of a checkout, each with the status it tells.
    async fn events_of(&self, id: &str) -> Vec<(String, Json)> {
        let events = self.events().await;
        let of_it = events.iter().filter(|event| at(event, "/data/id") == Json::String(id.into()));
        of_it.map(told).collect()
    }

    /// Rows of a table that are of a checkout.
    async fn count_of(&self, table: &str, id: &str) -> i64 {
        let count = format!("SELECT COUNT(*) FROM {table} WHERE checkout_id = '{id}'");
        sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&self.db).await.unwrap()
    }
}

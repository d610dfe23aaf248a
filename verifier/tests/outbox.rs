//! Events on their way: written with their change, delivered at least once, whoever dies in between.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use checkout_verifier::Settings;
use checkout_verifier::http::Assets;
use checkout_verifier::outbox::Outbox;
use checkout_verifier::subscriptions::{NewSecret, NotMade};
use checkout_verifier::webhooks::client::{self, Client};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{CATALOG, CONTRACT, GUEST, REQUEST, Server, at, catalog, parse, seats};

/// What a receiver was sent, and what it is to answer.
#[derive(Clone, Default)]
struct Receiver {
    url: String,
    messages: Arc<Mutex<Vec<Received>>>,
    answer: Arc<Mutex<(u16, Option<&'static str>)>>,
    /// While it is closed, no answer is given.
    held: Arc<tokio::sync::RwLock<()>>,
}

#[derive(Clone)]
struct Received {
    headers: HeaderMap,
    body: Bytes,
}

impl Received {
    fn id(&self) -> String {
        self.headers["webhook-id"].to_str().unwrap().to_owned()
    }

    fn text(&self, pointer: &str) -> String {
        match at(&parse(std::str::from_utf8(&self.body).unwrap()), pointer) {
            checkout_preview::Json::String(text) => text,
            other => panic!("{pointer} is {other:?}"),
        }
    }
}

impl Receiver {
    async fn start() -> Receiver {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let receiver = Receiver { url, answer: Arc::new(Mutex::new((204, None))), ..Receiver::default() };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn answers(&self, status: u16, retry_after: Option<&'static str>) {
        *self.answer.lock().unwrap() = (status, retry_after);
    }

    fn received(&self) -> Vec<Received> {
        self.messages.lock().unwrap().clone()
    }

    /// The types of what was received since it was asked last, in alphabetical order.
    fn new_types(&self) -> Vec<String> {
        let messages = std::mem::take(&mut *self.messages.lock().unwrap());
        let mut types: Vec<String> = messages.iter().map(|message| message.text("/type")).collect();
        types.sort();
        types
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    receiver.messages.lock().unwrap().push(Received { headers, body });
    drop(receiver.held.read().await);
    let (status, retry_after) = *receiver.answer.lock().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    match retry_after {
        Some(after) => (status, [("retry-after", after)]).into_response(),
        None => status.into_response(),
    }
}

fn outbox() -> Outbox {
    patient_outbox(client::Settings::default().timeout)
}

/// One that waits this long for an answer.
fn patient_outbox(timeout: Duration) -> Outbox {
    let settings = client::Settings { allow_private: true, timeout, ..Default::default() };
    let nobody = rustls::RootCertStore::empty();
    let lookup = |_: String| async { Ok(Vec::new()) };
    Outbox::new(Client::with(settings, lookup, nobody).unwrap())
}

impl Server {
    /// A server whose webhooks may be on this machine.
    async fn with_webhooks() -> Server {
        let server = Server::with_settings(Settings { webhooks_allow_private: true, ..Settings::default() }).await;
        server.put_catalog(CATALOG).await;
        server
    }

    async fn webhook(&self, receiver: &Receiver) -> NewSecret {
        self.verifier.create_webhook(&self.organisation.organisation, &receiver.url).await.unwrap()
    }

    async fn deliver(&self) {
        self.verifier.deliver(&outbox()).await.unwrap();
    }

    /// The metric of what waits, in seconds.
    async fn lag(&self) -> f64 {
        let router = checkout_verifier::http::metrics_router(Arc::clone(&self.verifier));
        let request = axum::http::Request::get("/metrics").body(axum::body::Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
        let text = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        let text = String::from_utf8(text.into()).unwrap();
        let lag = text.lines().find_map(|line| line.strip_prefix("checkout_outbox_lag_seconds ")).unwrap();
        lag.parse().unwrap()
    }

    /// From now on every statement fails that changes this row so; [`let_be`](Server::let_be) ends it.
    async fn let_fail(&self, change: &str, table: &str, column: &str, row: &str) {
        let trigger = format!("CREATE TRIGGER no_{change}_{table} BEFORE {change} ON {table} FOR EACH ROW");
        let trigger = format!("{trigger} WHEN (OLD.{column} = '{row}')");
        self.sql(match support::is_postgres() {
            true => format!(
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
                 {trigger} EXECUTE FUNCTION refuse()"
            ),
            false => format!("{trigger} BEGIN SELECT RAISE(ABORT, 'not this one'); END"),
        })
        .await;
    }

    async fn let_be(&self, change: &str, table: &str) {
        let on = if support::is_postgres() { format!(" ON {table}") } else { String::new() };
        self.sql(format!("DROP TRIGGER no_{change}_{table}{on}")).await;
    }

    async fn waiting(&self) -> i64 {
        let waiting = "SELECT COUNT(*) FROM deliveries WHERE next_attempt_at IS NOT NULL";
        sqlx::query_scalar(waiting).fetch_one(&self.db).await.unwrap()
    }
}

#[tokio::test]
async fn every_change_is_told_once_with_what_it_changed() {
    let server = Server::with_webhooks().await;
    server.put_catalog(&catalog(&[CONTRACT])).await;
    let receiver = Receiver::start().await;
    let before = server.create(REQUEST).await;
    server.set_now("2026-11-22T13:00:00Z");
    server.webhook(&receiver).await;

    let id = server.create(GUEST).await;
    server.deliver().await;
    let [created] = &receiver.received()[..] else { panic!("not one message") };
    assert_eq!(created.text("/type"), "checkout.created");
    assert_eq!(created.text("/timestamp"), "2026-11-22T13:00:00Z");
    assert_eq!(created.text("/data/id"), id);
    assert_ne!(created.text("/data/id"), before);
    assert_eq!(created.text("/data/checkout_status"), "pending");
    assert_eq!(created.headers["content-type"], "application/json");
    let data = at(&parse(std::str::from_utf8(&created.body).unwrap()), "/data");
    let data = checkout_preview::json::to_text(&data);
    assert!(!data.contains("Grace") && !data.contains("cs_"), "{data}");

    receiver.new_types();
    let path = format!("/checkouts/{id}");
    let json = [("content-type", "application/json")];
    let patched = server.call("PATCH", &path, &json, r#"{"end_date":"2027-11-21"}"#).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    server.deliver().await;
    assert_eq!(receiver.new_types(), ["checkout.updated"]);
    for (status, body) in
        [("initiated", r#"{"status":"initiated","reference":"pay_7"}"#), ("succeeded", r#"{"status":"succeeded"}"#)]
    {
        assert_eq!(server.post(&format!("{path}/payment"), body).await.status, 200);
        server.deliver().await;
        let message = receiver.received().pop().unwrap();
        assert_eq!(message.text("/data/checkout_status"), format!("payment_{status}"));
        if status == "initiated" {
            assert_eq!(message.text("/data/payment_reference"), "pay_7");
        }
        assert_eq!(receiver.new_types(), ["checkout.updated"]);
    }
    let contract = server.confirmed(&id).await.string("contract_id");
    server.deliver().await;
    let of_contract =
        receiver.received().into_iter().find(|message| message.text("/type") == "contract.created").unwrap();
    assert_eq!((of_contract.text("/data/id"), of_contract.text("/data/checkout_id")), (contract, id));
    assert_eq!(receiver.new_types(), ["checkout.contract_created", "contract.created"]);

    let amendment = server.create(&seats("con_1", "12")).await;
    server.confirmed(&amendment).await;
    server.deliver().await;
    assert_eq!(receiver.new_types(), ["checkout.contract_created", "checkout.created", "contract.amended"]);

    let given_up = server.create(REQUEST).await;
    let cancelled = server.post(&format!("/checkouts/{given_up}/cancel"), r#"{"reason":"too dear"}"#).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    let expires = server.create(REQUEST).await;
    server.deliver().await;
    let message =
        receiver.received().into_iter().find(|message| message.text("/type") == "checkout.cancelled").unwrap();
    assert_eq!((message.text("/data/id"), message.text("/data/reason")), (given_up, "too dear".into()));
    assert_eq!(receiver.new_types(), ["checkout.cancelled", "checkout.created", "checkout.created"]);
    server.set_now("2026-11-23T13:00:00Z");
    server.verifier.sweep().await.unwrap();
    server.verifier.sweep().await.unwrap();
    server.deliver().await;
    let mut ids: Vec<String> = receiver.received().iter().map(|message| message.text("/data/id")).collect();
    ids.sort();
    assert_eq!(ids, [before, expires]);
    assert_eq!(receiver.new_types(), ["checkout.expired", "checkout.expired"]);
    server.deliver().await;
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test]
async fn what_is_refused_is_told_to_nobody() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    let id = server.create(REQUEST).await;
    server.confirmed(&id).await;
    server.deliver().await;
    receiver.new_types();
    server.confirm(&id).await.refused(409, "checkout_not_confirmable");
    server.post(&format!("/checkouts/{id}/cancel"), "{}").await.refused(409, "checkout_not_cancellable");
    server.post("/checkouts", "{}").await.refused(422, "rejected");
    let seen = format!(r#"{},"expected_estimates":{{}}}}"#, REQUEST.strip_suffix('}').unwrap());
    server.post("/checkouts", seen).await.refused(409, "preview_mismatch");
    assert_eq!(server.post("/checkouts/preview", REQUEST).await.status, 200);
    server.deliver().await;
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test]
async fn a_message_is_signed_as_standard_webhooks_verifies_it() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    let made = server.webhook(&receiver).await;
    // The library compares the timestamp with the clock of the machine.
    server.moment.lock().unwrap().now = chrono::Utc::now();
    server.create(REQUEST).await;
    server.deliver().await;
    let rotated = server.verifier.rotate_webhook(&made.webhook).await.unwrap();
    server.create(REQUEST).await;
    server.deliver().await;
    let messages = receiver.received();
    let verifies = |secret: &NewSecret, message: &Received| {
        standardwebhooks::Webhook::new(&secret.secret).unwrap().verify(&message.body, &message.headers).is_ok()
    };
    assert!(verifies(&made, &messages[0]) && !verifies(&rotated, &messages[0]));
    // For a day with both.
    assert!(verifies(&made, &messages[1]) && verifies(&rotated, &messages[1]));
    let tomorrow = chrono::Utc::now() + chrono::TimeDelta::hours(25);
    server.moment.lock().unwrap().now = tomorrow;
    server.create(REQUEST).await;
    server.deliver().await;
    let last = receiver.received().pop().unwrap();
    assert_eq!(last.headers["webhook-signature"].to_str().unwrap().split(' ').count(), 1);
}

/// Each secret signs for a day after it was replaced, however often that one was replaced since.
#[tokio::test]
async fn a_secret_that_is_replaced_twice_a_day_signs_for_its_day() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    let first = server.webhook(&receiver).await;
    let begun = chrono::Utc::now();
    let at = |minutes: i64| server.moment.lock().unwrap().now = begun + chrono::TimeDelta::minutes(minutes);
    at(0);
    let second = server.verifier.rotate_webhook(&first.webhook).await.unwrap();
    at(60);
    let third = server.verifier.rotate_webhook(&first.webhook).await.unwrap();
    // The library compares the timestamp with the clock of the machine, so it is not asked of the later ones.
    at(0);
    server.create(REQUEST).await;
    server.deliver().await;
    let message = receiver.received().pop().unwrap();
    for secret in [&first, &second, &third] {
        let webhook = standardwebhooks::Webhook::new(&secret.secret).unwrap();
        assert!(webhook.verify(&message.body, &message.headers).is_ok());
    }
    let signatures = |message: &Received| {
        message.headers["webhook-signature"].to_str().unwrap().split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(signatures(&message).len(), 3);
    for (minutes, count) in [(24 * 60 - 1, 3), (24 * 60, 2), (25 * 60 - 1, 2), (25 * 60, 1)] {
        at(minutes);
        server.create(REQUEST).await;
        server.deliver().await;
        assert_eq!(signatures(&receiver.received().pop().unwrap()).len(), count, "after {minutes} minutes");
    }
    // What signs no more is not kept beyond the next one.
    server.verifier.rotate_webhook(&first.webhook).await.unwrap();
    let kept: String = sqlx::query_scalar("SELECT old_secrets FROM webhooks").fetch_one(&server.db).await.unwrap();
    assert!(kept.contains(&third.secret) && !kept.contains(&first.secret) && !kept.contains(&second.secret));
}

/// None of them shows a secret that nothing is ever signed with.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_replaced_at_once_all_sign() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    let first = server.webhook(&receiver).await;
    // The library compares the timestamp with the clock of the machine.
    server.moment.lock().unwrap().now = chrono::Utc::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (verifier, webhook) = (Arc::clone(&server.verifier), first.webhook.clone());
        running.spawn(async move { verifier.rotate_webhook(&webhook).await.unwrap() });
    }
    let mut secrets: Vec<NewSecret> = running.join_all().await;
    secrets.push(first);
    server.create(REQUEST).await;
    server.deliver().await;
    let message = receiver.received().pop().unwrap();
    for secret in &secrets {
        let webhook = standardwebhooks::Webhook::new(&secret.secret).unwrap();
        assert!(webhook.verify(&message.body, &message.headers).is_ok());
    }
}

#[tokio::test]
async fn what_fails_is_sent_again_with_the_same_id_until_it_arrives() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    receiver.answers(500, None);
    server.create(REQUEST).await;
    server.deliver().await;
    server.deliver().await;
    assert_eq!(receiver.received().len(), 1, "it is not due yet");
    server.set_now("2026-11-22T12:00:04.9Z");
    server.deliver().await;
    assert_eq!(receiver.received().len(), 1, "it is not due yet");
    server.set_now("2026-11-22T12:00:07Z");
    server.deliver().await;
    assert_eq!(receiver.received().len(), 2);
    // Whoever says when to come again is not asked before.
    receiver.answers(503, Some("600"));
    server.set_now("2026-11-22T12:01:00Z");
    server.deliver().await;
    server.set_now("2026-11-22T12:10:59Z");
    server.deliver().await;
    assert_eq!(receiver.received().len(), 3);
    receiver.answers(200, None);
    // Up to a quarter later, so that those who failed together do not come back together.
    server.set_now("2026-11-22T12:13:31Z");
    server.deliver().await;
    server.set_now("2026-11-25T12:13:31Z");
    server.deliver().await;
    let received = receiver.received();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|message| message.id() == received[0].id() && message.body == received[0].body));
    let times: Vec<&str> = received.iter().map(|one| one.headers["webhook-timestamp"].to_str().unwrap()).collect();
    assert_eq!(times, ["1795348800", "1795348807", "1795348860", "1795349611"]);
    let list = server.verifier.webhooks(&server.organisation.organisation).await.unwrap();
    assert_eq!((list[0].waiting, list[0].last_outcome.as_deref()), (0, Some("delivered")));
}

#[tokio::test]
async fn after_three_days_it_is_given_up() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    receiver.answers(404, None);
    server.create(REQUEST).await;
    for hour in 0..80 {
        let now = support::instant("2026-11-22T12:00:00Z") + chrono::TimeDelta::hours(hour);
        server.moment.lock().unwrap().now = now;
        server.deliver().await;
    }
    let attempts = receiver.received().len();
    assert!((18..=26).contains(&attempts), "{attempts} attempts");
    assert_eq!(server.waiting().await, 0);
    let list = server.verifier.webhooks(&server.organisation.organisation).await.unwrap();
    let outcome = list[0].last_outcome.clone().unwrap();
    assert!(outcome.starts_with("given up after 3 days: ") && outcome.contains("404"), "{outcome}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_asked_no_more() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    receiver.answers(410, None);
    server.create(REQUEST).await;
    server.deliver().await;
    let told = receiver.received().len();
    server.create(REQUEST).await;
    server.set_now("2026-11-22T15:00:00Z");
    server.deliver().await;
    assert_eq!(receiver.received().len(), told);
    assert_eq!(server.waiting().await, 0);
    let list = server.verifier.webhooks(&server.organisation.organisation).await.unwrap();
    assert!(list[0].is_disabled);
}

#[tokio::test]
async fn nothing_waits_for_a_disabled_webhook() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    let (made, other) = (server.webhook(&receiver).await, server.webhook(&Receiver::start().await).await);
    receiver.answers(500, None);
    server.create(REQUEST).await;
    server.deliver().await;
    assert_eq!(server.waiting().await, 1);
    // Nothing of it is due for five seconds, and nobody looks.
    server.verifier.disable_webhook(&made.webhook).await.unwrap();
    assert_eq!(server.waiting().await, 0);
    let list = server.verifier.webhooks(&server.organisation.organisation).await.unwrap();
    let told: Vec<_> = list.iter().map(|one| (one.is_disabled, one.waiting, one.last_outcome.as_deref())).collect();
    assert_eq!(told, [(true, 0, Some("the webhook is disabled")), (false, 0, Some("delivered"))]);
    assert_eq!(list[1].webhook, other.webhook);
    assert_eq!(server.lag().await, 0.0);
    server.set_now("2026-11-22T15:00:00Z");
    server.deliver().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn nothing_waits_for_a_server_that_is_gone() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    receiver.answers(500, None);
    for _ in 0..3 {
        server.create(REQUEST).await;
    }
    server.deliver().await;
    assert_eq!(server.waiting().await, 3);
    // Only the fourth is due, and is answered so.
    receiver.answers(410, None);
    server.create(REQUEST).await;
    server.deliver().await;
    assert_eq!((receiver.received().len(), server.waiting().await, server.lag().await), (4, 0, 0.0));
    let told = "SELECT COUNT(*) FROM deliveries WHERE outcome LIKE '%gone (410): the webhook is disabled'";
    let told: i64 = sqlx::query_scalar(told).fetch_one(&server.db).await.unwrap();
    assert_eq!(told, 4);
}

/// While a webhook is disabled an attempt runs, which fails.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_while_it_is_tried_is_not_tried_again() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    let made = server.webhook(&receiver).await;
    receiver.answers(500, None);
    server.create(REQUEST).await;
    let held = receiver.held.write().await;
    let verifier = Arc::clone(&server.verifier);
    let delivering = tokio::spawn(async move { verifier.deliver(&outbox()).await.unwrap() });
    eventually(|| receiver.received().len() == 1).await;
    server.verifier.disable_webhook(&made.webhook).await.unwrap();
    drop(held);
    delivering.await.unwrap();
    assert_eq!(server.waiting().await, 0);
    // Nor did it wait for a moment: what came of the attempt is the last that is told.
    let list = server.verifier.webhooks(&server.organisation.organisation).await.unwrap();
    assert!(list[0].last_outcome.as_ref().unwrap().contains("500"), "{list:?}");
}

/// Other writers wait for each statement: what is given up or deleted is so a part at a time, and what fails later leaves
/// what is done. The last of it is made to fail.
#[tokio::test]
async fn what_is_much_is_given_up_and_deleted_in_parts() {
    const MANY: i64 = 1200;
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    let made = server.webhook(&receiver).await;
    let organisation = &server.organisation.organisation;
    let mut rows = String::new();
    for number in 0..MANY {
        let id = format!("01a20320-a200-7000-8000-{number:012}");
        let next = format!("(SELECT 1795348860000000 + {number})");
        rows.push_str(&format!(
            "INSERT INTO events (organisation_id, id, body, created_at) VALUES ('{organisation}', '{id}', '{{}}', 1795348800000000);
             INSERT INTO deliveries (organisation_id, event_id, webhook_id, attempts, next_attempt_at)
             VALUES ('{organisation}', '{id}', '{}', 1, {next});
             INSERT INTO sessions (organisation_id, id, customer_id, hash, expires_at, created_at)
             VALUES ('{organisation}', '{id}', 'c', '', {number}, 0);
             INSERT INTO idempotency_keys (organisation_id, idempotency_key, fingerprint, claim, claimed_until, created_at)
             VALUES ('{organisation}', '{id}', '', '', 0, {number});",
            made.webhook
        ));
    }
    server.sql(format!("BEGIN; {rows} COMMIT")).await;
    let last = format!("01a20320-a200-7000-8000-{:012}", MANY - 1);

    server.let_fail("UPDATE", "deliveries", "event_id", &last).await;
    assert!(server.verifier.disable_webhook(&made.webhook).await.is_err());
    let waiting = server.waiting().await;
    assert!((1..=MANY / 2).contains(&waiting), "{waiting}");
    assert!(server.verifier.webhooks(organisation).await.unwrap()[0].is_disabled);
    // Nothing is due, and yet it does not wait on.
    server.let_be("UPDATE", "deliveries").await;
    server.deliver().await;
    assert_eq!((server.waiting().await, receiver.received().len()), (0, 0));

    server.set_now("2027-01-22T12:00:00Z");
    for (table, id) in
        [("idempotency_keys", "idempotency_key"), ("sessions", "id"), ("deliveries", "event_id"), ("events", "id")]
    {
        assert_eq!(server.count(table).await, MANY, "{table}");
        server.let_fail("DELETE", table, id, &last).await;
        assert!(server.verifier.sweep().await.is_err(), "{table}");
        let left = server.count(table).await;
        assert!((1..=MANY / 2).contains(&left), "{table}: {left}");
        server.let_be("DELETE", table).await;
        if table == "deliveries" {
            // Or what has lost its deliveries would be gone, too.
            assert_eq!(server.count("events").await, MANY);
        }
        if table == "events" {
            server.verifier.sweep().await.unwrap();
            assert_eq!(server.count(table).await, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_verifiers_deliver_each_event_once() {
    let server = Arc::new(Server::with_webhooks().await);
    let receivers = [Receiver::start().await, Receiver::start().await];
    for receiver in &receivers {
        server.webhook(receiver).await;
    }
    let others = [server.beside(Assets::default()).await, server.beside(Assets::default()).await];
    for _ in 0..150 {
        server.create(REQUEST).await;
    }
    let mut running = tokio::task::JoinSet::new();
    for verifier in [&server.verifier, &others[0].verifier, &others[1].verifier].map(Arc::clone) {
        running.spawn(async move { verifier.deliver(&outbox()).await.unwrap() });
    }
    running.join_all().await;
    // One that was overtaken leaves the rest to the next round.
    server.deliver().await;
    for receiver in receivers {
        let mut times = BTreeMap::<String, u32>::new();
        for message in receiver.received() {
            *times.entry(message.id()).or_default() += 1;
        }
        assert_eq!((times.len(), times.values().max()), (150, Some(&1)));
    }
}

#[tokio::test]
async fn what_happened_before_there_was_a_webhook_is_not_told() {
    let server = Server::with_webhooks().await;
    let id = server.create(GUEST).await;
    assert_eq!(server.confirm(&id).await.status, 200);
    assert_eq!((server.count("events").await, server.count("deliveries").await), (3, 0));
    let receiver = Receiver::start().await;
    let webhook = server.webhook(&receiver).await;
    server.create(GUEST).await;
    server.deliver().await;
    assert_eq!(receiver.new_types(), ["checkout.created"], "what happened before is not told");
    server.verifier.disable_webhook(&webhook.webhook).await.unwrap();
    let id = server.create(GUEST).await;
    assert_eq!(server.confirm(&id).await.status, 200);
    assert_eq!((server.count("events").await, server.count("deliveries").await), (7, 1));
}

#[tokio::test]
async fn a_change_that_fails_is_told_to_nobody() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    let id = server.create(GUEST).await;
    // The last thing that a confirmation writes before its events, and that a creation writes after its own.
    for (table, path) in
        [("contract_versions", format!("/checkouts/{id}/confirm")), ("deliveries", "/checkouts".into())]
    {
        server.sql(format!("ALTER TABLE {table} RENAME TO no_{table}")).await;
        server.post(&path, if path == "/checkouts" { GUEST } else { "{}" }).await.refused(500, "internal_server_error");
        server.sql(format!("ALTER TABLE no_{table} RENAME TO {table}")).await;
    }
    server.deliver().await;
    assert_eq!(receiver.new_types(), ["checkout.created"]);
    assert_eq!((server.count("checkouts").await, server.count("events").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_holds_up_no_other() {
    let server = Server::with_webhooks().await;
    let (slow, fast) = (Receiver::start().await, Receiver::start().await);
    server.webhook(&slow).await;
    server.webhook(&fast).await;
    let held = slow.held.write().await;
    let delivering = tokio::spawn(Arc::clone(&server.verifier).deliver_forever(outbox()));
    for _ in 0..20 {
        server.create(REQUEST).await;
    }
    eventually(|| fast.received().len() == 20).await;
    eventually(|| slow.received().len() == 8).await;
    drop(held);
    eventually(|| slow.received().len() == 20).await;
    delivering.abort();
}

/// Waits for what is going to be so.
async fn eventually(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "it never was so");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_asked_again() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    server.create(REQUEST).await;
    let held = receiver.held.write().await;
    server.verifier.deliver(&patient_outbox(Duration::from_millis(100))).await.unwrap();
    assert_eq!((receiver.received().len(), server.waiting().await), (1, 1));
    drop(held);
    server.set_now("2026-11-22T12:00:07Z");
    server.deliver().await;
    let received = receiver.received();
    assert_eq!((received.len(), server.waiting().await), (2, 0));
    assert_eq!(received[0].id(), received[1].id());
}

#[tokio::test]
async fn who_dies_in_an_attempt_leaves_it_to_the_others() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    server.create(REQUEST).await;
    server.deliver().await;
    receiver.new_types();
    // As one leaves it that has taken the attempt and died before it knew what came of it.
    server.sql("UPDATE deliveries SET next_attempt_at = 1795348860000000, attempts = 1, outcome = NULL").await;
    server.set_now("2026-11-22T12:00:59Z");
    server.deliver().await;
    assert_eq!(receiver.received().len(), 0);
    server.set_now("2026-11-22T12:01:00Z");
    server.deliver().await;
    assert_eq!(receiver.new_types(), ["checkout.created"]);
    assert_eq!(server.waiting().await, 0);
}

#[tokio::test]
async fn an_organisation_is_told_of_its_own_events_only() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    let other = server.other_organisation().await;
    other.put_catalog(CATALOG).await;
    other.create(REQUEST).await;
    let own = server.create(REQUEST).await;
    server.deliver().await;
    let ids: Vec<String> = receiver.received().iter().map(|message| message.text("/data/id")).collect();
    assert_eq!(ids, [own]);
}

#[tokio::test]
async fn private_addresses_are_not_called_unless_allowed() {
    let server = Server::start().await;
    let receiver = Receiver::start().await;
    let organisation = &server.organisation.organisation;
    for url in
        [receiver.url.as_str(), "https://127.0.0.1/x", "https://169.254.169.254/", "https://[::1]/", "https://10.1/"]
    {
        let made = server.verifier.create_webhook(organisation, url).await;
        assert!(matches!(made, Err(NotMade::Url(_))), "{url}: {made:?}");
    }
    // One that was allowed once is not called by a verifier that does not allow it.
    let id = "01a20418-0000-7000-8000-000000000000";
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let (organisation, url) = (organisation.clone(), receiver.url.clone());
    server.sql(format!("INSERT INTO webhooks (organisation_id, id, url, secret, created_at) VALUES ('{organisation}', '{id}', '{url}', '{secret}', 0)")).await;
    server.create(REQUEST).await;
    let client =
        Client::with(client::Settings::default(), |_: String| async { Ok(Vec::new()) }, rustls::RootCertStore::empty());
    server.verifier.deliver(&Outbox::new(client.unwrap())).await.unwrap();
    assert_eq!((receiver.received().len(), server.waiting().await), (0, 1));
}

#[tokio::test]
async fn events_are_kept_for_thirty_days_and_what_waits_longer() {
    let server = Server::with_webhooks().await;
    let receiver = Receiver::start().await;
    server.webhook(&receiver).await;
    server.create(REQUEST).await;
    server.deliver().await;
    server.set_now("2026-12-22T11:59:59Z");
    server.verifier.sweep().await.unwrap();
    assert_eq!((server.count("events").await, server.count("deliveries").await), (2, 2), "the second is the expiry");
    server.set_now("2026-12-22T12:00:00Z");
    server.verifier.sweep().await.unwrap();
    assert_eq!((server.count("events").await, server.count("deliveries").await), (1, 1));
    server.set_now("2027-12-22T12:00:00Z");
    server.verifier.sweep().await.unwrap();
    assert_eq!(server.count("events").await, 1, "nobody has delivered it yet");
}

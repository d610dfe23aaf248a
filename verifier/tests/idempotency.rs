//! `Idempotency-Key`: what is asked again is answered again and done once, on one server or several.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::http::{HeaderValue, Request};
use checkout_verifier::Settings;
use checkout_verifier::http::Assets;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Answer, CATALOG, GUEST, REQUEST, Server};
use tokio::task::JoinSet;

const JSON: (&str, &str) = ("content-type", "application/json");

impl Server {
    async fn keyed(&self, key: &str, path: &str, body: &str) -> Answer {
        self.call("POST", path, &[JSON, ("idempotency-key", key)], body.to_owned()).await
    }
}

#[track_caller]
fn assert_again(again: &Answer, first: &Answer) {
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    for name in ["content-type", "location", "cache-control"] {
        assert_eq!(again.headers.get(name), first.headers.get(name), "{name}");
    }
    assert_ne!(again.headers["x-request-id"], first.headers["x-request-id"]);
}

/// The organisation's rows but for the keys.
async fn rows(server: &Server) -> Vec<String> {
    let mut rows = server.rows_of_organisation().await;
    rows.retain(|row| !row.starts_with("idempotency_keys"));
    rows
}

#[tokio::test]
async fn every_kind_of_answer_is_given_again_to_the_last_byte() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    let other = server.create(REQUEST).await;
    let mismatch = r#"{"plan_id":"team","customer_id":"cus_1","expected_estimates":{}}"#;
    let replica = server.beside(Assets::default()).await;
    for (number, (path, body, status)) in [
        ("/checkouts/preview".to_owned(), REQUEST, 200),
        ("/checkouts/schedule".into(), REQUEST, 200),
        ("/checkouts".into(), REQUEST, 201),
        ("/sessions".into(), r#"{"customer_id":"cus_1"}"#, 201),
        (format!("/checkouts/{id}/payment"), r#"{"status":"initiated"}"#, 200),
        (format!("/checkouts/{id}/payment"), r#"{"status":"succeeded","reference":"ch_1"}"#, 200),
        (format!("/checkouts/{id}/cancel"), "", 409),
        (format!("/checkouts/{id}/confirm"), r#"{"payment_method_id":"pm_1"}"#, 200),
        (format!("/checkouts/{id}/confirm"), "{}", 409),
        (format!("/checkouts/{other}/cancel"), r#"{"reason":"too dear"}"#, 200),
        ("/checkouts".into(), mismatch, 409),
        ("/checkouts".into(), r#"{"plan_id":"nope"}"#, 422),
        ("/sessions".into(), r#"{"customer_id":"nobody"}"#, 422),
        (format!("/checkouts/{}/confirm", "01890000-0000-7000-8000-000000000000"), "", 404),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("{number}: all of ASCII from here ( ) to ~");
        let first = server.keyed(&key, &path, body).await;
        assert_eq!(first.status.as_u16(), status, "{path} {body}: {}", first.text);
        let before = server.rows_of_organisation().await;
        // Whatever became of it in between: another catalog, another server.
        server.put_catalog(&CATALOG.replace("12.00", &format!("{}.00", 20 + number))).await;
        for server in [&server, &replica] {
            assert_again(&server.keyed(&key, &path, body).await, &first);
        }
        let after = server.rows_of_organisation().await;
        let catalogs = |row: &&String| !row.contains("catalogs ");
        assert!(before.iter().filter(catalogs).eq(after.iter().filter(catalogs)), "{path} {body}");
        server.put_catalog(CATALOG).await;
    }
}

#[tokio::test]
async fn what_could_not_be_read_is_not_kept() {
    let server = Server::start().await;
    server.keyed("k", "/checkouts", "{").await.refused(400, "not_json");
    let large = " ".repeat(256 * 1024 + 1);
    server.keyed("k", "/checkouts", &large).await.refused(413, "payload_too_large");
    let typed = [("content-type", "text/plain"), ("idempotency-key", "k")];
    server.call("POST", "/checkouts", &typed, REQUEST).await.refused(415, "unsupported_media_type");
    assert_eq!(server.keyed("k", "/checkouts", REQUEST).await.status, 201);
}

#[tokio::test]
async fn a_key_is_of_one_request() {
    let server = Server::start().await;
    let first = server.keyed("once", "/checkouts", REQUEST).await;
    assert_eq!(first.status, 201);
    let before = server.rows_of_organisation().await;
    let session = server.session("cus_1").await;
    let id = first.string("id");
    let confirm = format!("/checkouts/{id}/confirm");
    for (path, body) in [
        ("/checkouts", GUEST),
        ("/checkouts", ""),
        // Another text, though it says the same.
        ("/checkouts", r#"{"customer_id":"cus_1","plan_id":"team"}"#),
        ("/checkouts/preview", REQUEST),
        (&confirm, REQUEST),
        ("/sessions", REQUEST),
    ] {
        server.keyed("once", path, body).await.refused(422, "idempotency_key_reused");
    }
    // Nor does it answer another caller, who may not see what the first one saw.
    let key = ("idempotency-key", "once");
    for credential in [("x-api-key", server.organisation.publishable_key.as_str()), ("session-id", &session)] {
        let answer = server.call_as(&[credential], "POST", "/checkouts", &[JSON, key], REQUEST).await;
        answer.refused(422, "idempotency_key_reused");
    }
    let secret = first.string("client_secret");
    let by_client = async |secret: &str, path: &str| {
        server.call_as(&[("client-secret", secret)], "POST", path, &[JSON, key], "").await
    };
    by_client(&secret, &confirm).await.refused(422, "idempotency_key_reused");
    by_client("cs_wrong", &confirm).await.refused(404, "not_found");
    let mut after = server.rows_of_organisation().await;
    after.retain(|row| !row.starts_with("sessions"));
    assert_eq!(after, before);
    assert_again(&server.keyed("once", "/checkouts", REQUEST).await, &first);

    // The organisation's, whichever of its secret keys asks; and another organisation has its own.
    let second = server
        .verifier
        .create_key(&server.organisation.organisation, checkout_verifier::organisations::KeyKind::Secret);
    let second = second.await.unwrap().key;
    let again = server.call_as(&[("x-api-key", &second)], "POST", "/checkouts", &[JSON, key], REQUEST).await;
    assert_again(&again, &first);
    let other = server.other_organisation().await;
    other.put_catalog(CATALOG).await;
    assert_eq!(other.keyed("once", "/checkouts", GUEST).await.status, 201);
}

#[tokio::test]
async fn a_key_has_1_to_255_printable_characters_and_is_sent_once() {
    let server = Server::start().await;
    let path = "/checkouts";
    let longest = "x".repeat(255);
    let before = server.rows_of_organisation().await;
    for key in ["", &format!("{longest}x"), "tab\there", "\u{e9}", "ключ"] {
        server.keyed(key, path, REQUEST).await.refused(400, "idempotency_key_invalid");
    }
    let key = ("idempotency-key", "once");
    let twice = server.call("POST", path, &[JSON, key, key], REQUEST).await;
    twice.refused(400, "idempotency_key_invalid");
    let bytes = Request::post(path)
        .header("organisation", &server.organisation.organisation)
        .header("x-api-key", &server.organisation.secret_key)
        .header("content-type", "application/json")
        .header("idempotency-key", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    server.send(bytes.body(REQUEST.into()).unwrap()).await.refused(400, "idempotency_key_invalid");
    assert_eq!(server.rows_of_organisation().await, before);
    for key in ["x", &longest] {
        let first = server.keyed(key, path, REQUEST).await;
        assert_eq!(first.status, 201);
        assert_again(&server.keyed(key, path, REQUEST).await, &first);
    }
}

#[tokio::test]
async fn only_posts_have_keys() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    let key = ("idempotency-key", "once");
    for (method, path, body) in [
        ("GET", format!("/checkouts/{id}"), ""),
        ("GET", "/checkouts".into(), ""),
        ("PUT", "/catalog".into(), CATALOG),
        ("PATCH", format!("/checkouts/{id}"), r#"{"success_url":"https://a.example/"}"#),
        ("PATCH", format!("/checkouts/{id}"), r#"{"success_url":"https://b.example/"}"#),
    ] {
        for _ in 0..2 {
            let answer = server.call(method, &path, &[JSON, key], body).await;
            assert_eq!(answer.status, 200, "{method}: {}", answer.text);
            assert!(!answer.headers.contains_key("idempotent-replayed"));
        }
    }
    assert_eq!(server.count("idempotency_keys").await, 0);
}

/// Told while the first request runs, by any server.
async fn assert_in_progress(servers: [&Server; 2], path: &str) {
    for server in servers {
        let told = server.keyed("once", path, "").await;
        told.refused(409, "idempotency_in_progress");
        assert_eq!(told.headers["retry-after"], "1");
        server.keyed("once", "/checkouts", REQUEST).await.refused(422, "idempotency_key_reused");
    }
}

/// The first request waits for the row of its checkout, which a transaction of this test holds. On SQLite such a
/// transaction would hold up the claim, too, so there the claim is all there is of the first.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_first_runs_the_others_are_told_so() {
    let server = Arc::new(Server::start().await);
    let replica = server.beside(Assets::default()).await;
    let id = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}/confirm");
    if !support::is_postgres() {
        server.claim("once", &path).await;
        return assert_in_progress([&server, &replica], &path).await;
    }
    let mut held = server.db.begin().await.unwrap();
    sqlx::query("UPDATE checkouts SET revision = revision").execute(&mut *held).await.unwrap();
    let first = {
        let (server, path) = (Arc::clone(&server), path.clone());
        tokio::spawn(async move { server.keyed("once", &path, "").await })
    };
    let deadline = Instant::now() + Duration::from_secs(8);
    while server.count("idempotency_keys").await == 0 {
        assert!(Instant::now() < deadline, "the first request has not claimed its key");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_in_progress([&server, &replica], &path).await;
    held.rollback().await.unwrap();
    let first = first.await.unwrap();
    assert_eq!(first.status, 200, "{}", first.text);
    assert_again(&replica.keyed("once", &path, "").await, &first);
    assert_eq!(server.count("contracts").await, 1);
}

impl Server {
    /// A claim as a process leaves it that dies while it answers: that of a request made and answered, without its answer.
    async fn claim(&self, key: &str, path: &str) {
        let answer = self.keyed(key, path, "").await;
        assert!(answer.status.is_success() || answer.status == 409, "{}", answer.text);
        self.sql("UPDATE idempotency_keys SET status = NULL, location = NULL, body = NULL").await;
    }
}

#[tokio::test]
async fn a_claim_whose_process_died_is_free_after_its_time() {
    let server = Server::start().await;
    let id = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}/cancel");
    server.claim("once", &path).await;
    let claimed: i64 =
        sqlx::query_scalar("SELECT claimed_until FROM idempotency_keys").fetch_one(&server.db).await.unwrap();
    let now = support::instant("2026-11-22T12:00:00Z").timestamp_micros();
    // Longer than a request may take, and not much longer.
    let seconds = (claimed - now) / 1_000_000;
    assert!((10..=15).contains(&seconds), "{seconds} s");
    server.set_now(&format!("2026-11-22T12:00:{:02}.999999Z", seconds - 1));
    server.keyed("once", &path, "").await.refused(409, "idempotency_in_progress");
    server.set_now(&format!("2026-11-22T12:00:{seconds}Z"));
    let answer = server.keyed("once", &path, "").await;
    answer.refused(409, "checkout_not_cancellable");
    assert_again(&server.keyed("once", &path, "").await, &answer);
}

#[tokio::test]
async fn a_claim_outlives_a_request_however_long_that_may_run() {
    let long = Settings { request_limit: Duration::from_secs(60), ..Settings::default() };
    let server = Server::with_settings(long).await;
    server.put_catalog(CATALOG).await;
    let id = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}/cancel");
    server.claim("once", &path).await;
    server.set_now("2026-11-22T12:01:00Z");
    server.keyed("once", &path, "").await.refused(409, "idempotency_in_progress");
}

#[tokio::test]
async fn an_answer_is_kept_for_24_hours() {
    let server = Server::start().await;
    let first = server.keyed("once", "/checkouts", REQUEST).await;
    server.set_now("2026-11-23T11:59:59.999999Z");
    server.verifier.sweep().await.unwrap();
    assert_again(&server.keyed("once", "/checkouts", REQUEST).await, &first);
    server.set_now("2026-11-23T12:00:00Z");
    // As a new one, also for another request.
    let second = server.keyed("once", "/checkouts", GUEST).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.string("id"), first.string("id"));
    assert_again(&server.keyed("once", "/checkouts", GUEST).await, &second);
    server.set_now("2026-11-24T12:00:00Z");
    server.verifier.sweep().await.unwrap();
    assert_eq!(server.count("idempotency_keys").await, 0);
}

#[tokio::test]
async fn what_failed_for_the_moment_is_done_the_next_time() {
    let limit = NonZeroU32::new(4).unwrap();
    let settings = Settings { rate_limit: limit, request_limit: Duration::from_secs(2), ..Settings::default() };
    let server = Server::with_settings(settings).await;
    server.put_catalog(CATALOG).await;
    let before = rows(&server).await;

    // 500: a table that is not there.
    server.sql("ALTER TABLE events RENAME TO elsewhere").await;
    server.keyed("a", "/checkouts", REQUEST).await.refused(500, "internal_server_error");
    server.sql("ALTER TABLE elsewhere RENAME TO events").await;
    assert_eq!(rows(&server).await, before);
    assert_eq!(server.count("idempotency_keys").await, 0);
    let first = server.keyed("a", "/checkouts", REQUEST).await;
    assert_eq!(first.status, 201, "{}", first.text);

    // 429: one too many in a second.
    let refused = loop {
        let answer = server.keyed("b", "/checkouts/preview", GUEST).await;
        if answer.status != 200 {
            break answer;
        }
    };
    refused.refused(429, "rate_limited");
    let deadline = Instant::now() + Duration::from_secs(10);
    let created = loop {
        let answer = server.keyed("c", "/checkouts", REQUEST).await;
        if answer.status != 429 {
            break answer;
        }
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(created.status, 201, "{}", created.text);
    assert!(!created.headers.contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn what_timed_out_is_done_the_next_time() {
    let settings = Settings { request_limit: Duration::from_secs(2), ..Settings::default() };
    let server = Server::with_settings(settings).await;
    server.put_catalog(CATALOG).await;
    let id = server.create(REQUEST).await;
    let path = format!("/checkouts/{id}/confirm");
    let mut held = server.db.begin().await.unwrap();
    sqlx::query("UPDATE checkouts SET revision = revision").execute(&mut *held).await.unwrap();
    server.keyed("once", &path, "").await.refused(503, "timed_out");
    held.rollback().await.unwrap();
    assert_eq!(server.count("contracts").await, 0);
    // Cut off, it could not give its claim back; that is free after its time.
    server.set_now("2026-11-22T12:00:20Z");
    let answer = server.keyed("once", &path, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_again(&server.keyed("once", &path, "").await, &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_two_at_once_one_is_done() {
    let server = Arc::new(Server::start().await);
    let replica = Arc::new(server.beside(Assets::default()).await);
    let id = server.create(GUEST).await;
    let confirm = format!("/checkouts/{id}/confirm");
    for (path, body, key, status) in [("/checkouts", REQUEST, "a", 201), (&confirm, "", "b", 200)] {
        let mut running = JoinSet::new();
        for number in 0..32 {
            let server = Arc::clone(if number % 2 == 0 { &server } else { &replica });
            let (path, body, key) = (path.to_owned(), body, key);
            running.spawn(async move { server.keyed(key, &path, body).await });
        }
        let answers = running.join_all().await;
        let (done, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.as_u16() == status);
        waiting.iter().for_each(|answer| answer.refused(409, "idempotency_in_progress"));
        let first: Vec<_> = done.iter().filter(|done| !done.headers.contains_key("idempotent-replayed")).collect();
        assert_eq!(first.len(), 1, "{answers:?}");
        done.iter().for_each(|done| assert_eq!(done.text, first[0].text));
        assert_again(&replica.keyed(key, path, body).await, first[0]);
    }
    assert_eq!((server.count("checkouts").await, server.count("contracts").await), (2, 1));
    let events = server.events().await.len();
    assert_eq!(events, 4, "two created, and one confirmed with its contract");
}

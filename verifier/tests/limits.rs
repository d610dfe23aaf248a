//! What keeps one caller from harming the others: limits of keys, pages, connections, and of what HTTP may look like.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::body::Body;
use checkout_verifier::Settings;
use checkout_verifier::organisations::KeyKind;
use checkout_verifier::server::ConnectionLimits;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};
use support::{CATALOG, GUEST, REQUEST, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const JSON: (&str, &str) = ("content-type", "application/json");
const SHOP: &str = "https://shop.example";
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn each_key_session_and_client_secret_has_its_own_share() {
    let server = Server::start().await;
    let limited = Settings { rate_limit: NonZeroU32::new(3).unwrap(), ..Settings::default() };
    let limited = server.with_other_settings(limited).await;
    let session = [server.session("cus_1").await, server.session("cus_1").await];
    let mut checkouts = Vec::new();
    for _ in 0..2 {
        let created = server.post("/checkouts", REQUEST).await;
        checkouts.push(["id", "client_secret"].map(|field| created.string(field)));
    }
    let second = server.verifier.create_key(&server.organisation.organisation, KeyKind::Secret).await.unwrap().key;
    let keys = &server.organisation;
    let preview = ("POST", "/checkouts/preview".to_owned(), GUEST);
    let read = |id: &str| ("GET", format!("/checkouts/{id}"), "");
    let callers = [
        (("x-api-key", keys.secret_key.as_str()), preview.clone()),
        (("x-api-key", second.as_str()), preview.clone()),
        (("x-api-key", &keys.publishable_key), preview.clone()),
        (("session-id", &session[0]), preview.clone()),
        (("session-id", &session[1]), preview.clone()),
        (("client-secret", &checkouts[0][1]), read(&checkouts[0][0])),
        (("client-secret", &checkouts[1][1]), read(&checkouts[1][0])),
    ];
    for (credential, (method, path, body)) in &callers {
        let call = async || limited.call_as(&[*credential], method, path, &[JSON], *body).await;
        // Each finds its share whole, whatever those before have done with theirs.
        assert_eq!(call().await.status, 200, "{credential:?}");
        let refused = loop {
            let answer = call().await;
            if answer.status != 200 {
                break answer;
            }
        };
        refused.refused(429, "rate_limited");
        assert_eq!(refused.headers["retry-after"], "1");
        assert!(refused.string("detail").contains("Retry-After"));
    }
    // Who waited as long as it was told is served again.
    let (credential, (method, path, body)) = &callers[0];
    let deadline = Instant::now() + SOON;
    while limited.call_as(&[*credential], method, path, &[JSON], *body).await.status != 200 {
        assert!(Instant::now() < deadline, "the share does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The value of a header that must be there.
fn header<'a>(answer: &'a support::Answer, name: &str) -> &'a str {
    answer.headers[name].to_str().unwrap()
}

#[tokio::test]
async fn a_page_asks_before_it_calls() {
    let server = Server::start().await;
    for (path, method) in
        [("/checkouts", "POST"), ("/checkouts/x", "PATCH"), ("/catalog", "PUT"), ("/contracts", "GET")]
    {
        let asked = "content-type,idempotency-key,organisation,session-id,x-api-key";
        let headers =
            [("origin", SHOP), ("access-control-request-method", method), ("access-control-request-headers", asked)];
        let answer = server.call_plainly("OPTIONS", path, &headers, Body::empty()).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
        assert_eq!(header(&answer, "access-control-allow-origin"), SHOP);
        assert!(header(&answer, "access-control-allow-methods").split(", ").any(|known| known == method));
        let known: Vec<_> = header(&answer, "access-control-allow-headers").split(", ").collect();
        for name in asked.split(',').chain(["client-secret", "if-match", "if-none-match"]) {
            assert!(known.contains(&name), "{name} is not in {known:?}");
        }
        assert_eq!(header(&answer, "vary"), "origin");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn only_pages_of_origins_the_organisation_allows_may_call() {
    let server = Server::start().await;
    let other = server.other_organisation().await;
    other.put_catalog(CATALOG).await;
    let id = &server.organisation.organisation;
    let local = "http://localhost:3000";
    server.verifier.update_organisation(id, Some(&[SHOP.into(), local.into()]), None).await.unwrap();
    let session = server.session("cus_1").await;
    let created = server.post("/checkouts", REQUEST).await;
    let secret = created.string("client_secret");
    let read = format!("/checkouts/{}", created.string("id"));
    let before = server.rows_of_organisation().await;
    let pk = server.organisation.publishable_key.as_str();
    let sk = server.organisation.secret_key.as_str();
    let calls = [
        (("x-api-key", pk), "GET", "/catalog", ""),
        (("x-api-key", sk), "GET", "/catalog", ""),
        (("x-api-key", pk), "POST", "/checkouts/preview", GUEST),
        (("session-id", session.as_str()), "GET", "/contracts", ""),
        (("client-secret", &secret), "GET", &read, ""),
    ];
    for (credential, method, path, body) in calls {
        let call = async |server: &Server, headers: &[(&str, &str)]| {
            server.call_as(&[credential], method, path, &[&[JSON], headers].concat(), body).await
        };
        for origin in [SHOP, local] {
            let answer = call(&server, &[("origin", origin)]).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(header(&answer, "access-control-allow-origin"), origin);
            let exposed: Vec<_> = header(&answer, "access-control-expose-headers").split(", ").collect();
            for name in ["etag", "location", "retry-after", "x-request-id", "idempotent-replayed"] {
                assert!(exposed.contains(&name), "{name} is not in {exposed:?}");
            }
            let mut varies = answer.headers.get_all("vary").iter().flat_map(|vary| vary.to_str().unwrap().split(", "));
            assert!(varies.any(|name| name == "origin"));
        }
        for origin in [
            "null",
            "",
            "*",
            "https://other.example",
            "http://shop.example",
            "https://shop.example:8443",
            "https://shop.example.evil.example",
            "https://evil-shop.example",
            "https://shop.example/",
            "https://SHOP.example",
            "https://shop.example, https://other.example",
        ] {
            let answer = call(&server, &[("origin", origin)]).await;
            answer.refused(403, "origin_not_allowed");
            assert_eq!(header(&answer, "access-control-allow-origin"), origin);
        }
        // No page at all, or one of this server's own.
        let plain = call(&server, &[]).await;
        assert_eq!(plain.status, 200);
        assert!(!plain.headers.contains_key("access-control-allow-origin"));
        let own = call(&server, &[("origin", "http://verifier.example:8787"), ("host", "verifier.example:8787")]).await;
        assert_eq!(own.status, 200);
    }
    // What one organisation allows is not allowed for another; and what is refused is not done.
    let hers = other.call("GET", "/catalog", &[("origin", SHOP)], Body::empty()).await;
    hers.refused(403, "origin_not_allowed");
    server.call("POST", "/checkouts", &[JSON, ("origin", "null")], REQUEST).await.refused(403, "origin_not_allowed");
    assert_eq!(server.rows_of_organisation().await, before);
}

#[tokio::test]
async fn a_page_can_read_what_went_wrong() {
    let server = Server::start().await;
    let id = &server.organisation.organisation;
    server.verifier.update_organisation(id, Some(&[SHOP.into()]), None).await.unwrap();
    let quick = Settings {
        request_limit: Duration::from_secs(2),
        rate_limit: NonZeroU32::new(1).unwrap(),
        ..Settings::default()
    };
    let pk = ("x-api-key", server.organisation.publishable_key.as_str());
    let origin = ("origin", SHOP);
    let huge = "x".repeat(300_000);
    for (status, credential, method, path, headers, body) in [
        (401, ("x-api-key", "pk_x"), "GET", "/catalog", vec![origin], ""),
        (403, pk, "GET", "/checkouts", vec![origin], ""),
        (404, ("client-secret", "cs_x"), "GET", "/checkouts/x", vec![origin], ""),
        (404, pk, "GET", "/nowhere", vec![origin], ""),
        (405, pk, "DELETE", "/catalog", vec![origin], ""),
        (400, pk, "POST", "/checkouts/preview", vec![origin, JSON], "{"),
        (413, pk, "POST", "/checkouts/preview", vec![origin, JSON], &huge),
        (415, pk, "POST", "/checkouts/preview", vec![origin], GUEST),
        (422, pk, "POST", "/checkouts/preview", vec![origin, JSON], REQUEST),
        (428, pk, "POST", "/checkouts", vec![origin, JSON], GUEST),
        (400, pk, "POST", "/checkouts", vec![origin, JSON, ("idempotency-key", "")], GUEST),
        (
            409,
            pk,
            "POST",
            "/checkouts",
            vec![origin, JSON],
            r#"{"plan_id":"team","business_entity_id":"be_jp","expected_estimates":{}}"#,
        ),
    ] {
        let answer = server.call_as(&[credential], method, path, &headers, body.to_owned()).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert_eq!(header(&answer, "access-control-allow-origin"), SHOP, "{method} {path}");
    }
    let hasty = server.with_other_settings(quick).await;
    let refused = loop {
        let answer = hasty.call_as(&[pk], "GET", "/catalog", &[origin], Body::empty()).await;
        if answer.status != 200 {
            break answer;
        }
    };
    refused.refused(429, "rate_limited");
    assert_eq!(header(&refused, "access-control-allow-origin"), SHOP);
    // A change that waits for another one, which does not end.
    let created = server.post("/checkouts", REQUEST).await;
    let path = format!("/checkouts/{}/cancel", created.string("id"));
    let mut held = server.db.begin().await.unwrap();
    sqlx::query("UPDATE checkouts SET revision = revision").execute(&mut *held).await.unwrap();
    let secret = created.string("client_secret");
    let slow = hasty.call_as(&[("client-secret", &secret)], "POST", &path, &[origin], Body::empty()).await;
    slow.refused(503, "timed_out");
    assert_eq!(header(&slow, "access-control-allow-origin"), SHOP);
    held.rollback().await.unwrap();
}

const LIMITS: ConnectionLimits = ConnectionLimits { connections: 8, header_time: Duration::from_secs(30) };

/// Everything that comes until the other side closes.
async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // Cut off is an end, too.
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("the connection stays open");
    String::from_utf8(bytes).unwrap()
}

/// The bytes of one answer with a short body.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let length = timeout(SOON, stream.read(&mut bytes)).await.expect("no answer").unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn connections_that_are_too_many_wait_and_are_served() {
    let server = Server::start().await;
    let served = server.serve(ConnectionLimits { connections: 2, ..LIMITS }).await;
    let mut first = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(HEALTH).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        first.push(stream);
    }
    let mut third = TcpStream::connect(served.address).await.unwrap();
    third.write_all(HEALTH).await.unwrap();
    let early = timeout(Duration::from_millis(200), third.read_u8()).await;
    assert!(early.is_err(), "it is served, though there are two already");
    // Those that there are go on.
    first[0].write_all(HEALTH).await.unwrap();
    assert!(answer(&mut first[0]).await.starts_with("HTTP/1.1 200"));
    drop(first.pop());
    assert!(answer(&mut third).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn clients_that_do_not_read_are_cut_off() {
    let server = Server::start().await;
    let header_time = Duration::from_secs(1);
    let served = server.serve(ConnectionLimits { connections: 2, header_time }).await;
    let mut deaf = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        // More than the buffers between the two hold.
        for _ in 0..200 {
            stream.write_all(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        }
        deaf.push(stream);
    }
    let mut third = TcpStream::connect(served.address).await.unwrap();
    third.write_all(HEALTH).await.unwrap();
    let text = timeout(Duration::from_secs(10), answer(&mut third)).await.expect("the places are never free");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    drop(deaf);
}

/// Of large catalogs only so many are read at a time; a small one passes them by.
#[tokio::test]
async fn large_catalogs_wait_for_each_other_alone() {
    let settings = Settings { request_limit: Duration::from_secs(8), ..Settings::default() };
    let server = Server::with_settings(settings).await;
    let served = server.serve(LIMITS).await;
    let keys = &server.organisation;
    let put = |length: usize| {
        let (id, key) = (&keys.organisation, &keys.secret_key);
        format!(
            "PUT /catalog HTTP/1.1\r\nhost: x\r\norganisation: {id}\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(put(2_000_000).as_bytes()).await.unwrap();
        slow.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let large = format!("{}{}", CATALOG, " ".repeat(2_000_000 - CATALOG.len()));
    let mut waits = TcpStream::connect(served.address).await.unwrap();
    let waiting = Instant::now();
    waits.write_all(put(large.len()).as_bytes()).await.unwrap();
    let (mut from, mut to) = waits.into_split();
    let writing = tokio::spawn(async move { to.write_all(large.as_bytes()).await.map(|()| to) });

    let mut small = TcpStream::connect(served.address).await.unwrap();
    small.write_all(format!("{}{CATALOG}", put(CATALOG.len())).as_bytes()).await.unwrap();
    assert!(to_the_end(&mut small).await.starts_with("HTTP/1.1 200"));
    assert!(waiting.elapsed() < Duration::from_secs(3), "a small one waits, too");
    let mut bytes = [0; 1024];
    let length = timeout(SOON, from.read(&mut bytes)).await.expect("no answer").unwrap();
    assert!(bytes[..length].starts_with(b"HTTP/1.1 200"));
    // Until the first of the others was given up, after half of the time that a request has.
    assert!(waiting.elapsed() > Duration::from_secs(3), "{:?}", waiting.elapsed());
    drop((slow, writing));
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let server = Server::start().await;
    let served = server.serve(ConnectionLimits { header_time: Duration::from_millis(300), ..LIMITS }).await;
    for begun in ["", "GET", "GET /healthz HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        assert!(!to_the_end(&mut stream).await.contains("200 OK"));
    }
    // A letter now and then is no progress.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let deadline = Instant::now() + SOON;
    while stream.write_all(b"G").await.is_ok() {
        assert!(Instant::now() < deadline, "the connection stays open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Nor may a connection that was used stay for ever.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(HEALTH).await.unwrap();
    assert_eq!(to_the_end(&mut stream).await.matches("200 OK").count(), 1);
}

#[tokio::test]
async fn headers_have_a_limit() {
    let server = Server::start().await;
    let served = server.serve(LIMITS).await;
    for (line, headers, status) in [
        ("/healthz".to_owned(), format!("x: {}\r\n", "y".repeat(30_000)), "200"),
        ("/healthz".into(), format!("x: {}\r\n", "y".repeat(70_000)), "431"),
        ("/healthz".into(), "x: y\r\n".repeat(101), "431"),
        (format!("/{}", "y".repeat(70_000)), String::new(), "431"),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!("GET {line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        // It may answer before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = to_the_end(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[tokio::test]
async fn a_request_that_could_be_read_as_two_is_refused() {
    let server = Server::start().await;
    let served = server.serve(LIMITS).await;
    let id = &server.organisation.organisation;
    let key = &server.organisation.secret_key;
    let before = server.rows_of_organisation().await;
    let hidden = format!(
        "POST /checkouts HTTP/1.1\r\nhost: x\r\norganisation: {id}\r\nx-api-key: {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{REQUEST}",
        REQUEST.len()
    );
    let length = hidden.len();
    for headers in [
        format!("content-length: 0\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\ncontent-length: 0\r\n"),
        "content-length: 0, 5\r\n".into(),
        "content-length: +0\r\n".into(),
        "content-length: -1\r\n".into(),
        "content-length: 0x0\r\n".into(),
        "content-length:\r\n".into(),
        "content-length: 99999999999999999999\r\n".into(),
        "content-length : 0\r\n".into(),
        "transfer-encoding: identity\r\n".into(),
        "transfer-encoding: xchunked\r\n".into(),
        "transfer-encoding: chunked, identity\r\n".into(),
        "transfer-encoding : chunked\r\n".into(),
        " transfer-encoding: chunked\r\n".into(),
        "x: y\r\n transfer-encoding: chunked\r\n".into(),
        "x: a\0b\r\n".into(),
        "x: a\rb\r\n".into(),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!("POST /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n0\r\n\r\n{hidden}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answers = to_the_end(&mut stream).await;
        assert!(answers.starts_with("HTTP/1.1 400 "), "{headers:?}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {answers}");
    }
    // With both, the chunks count (RFC 9112, 6.1), and nothing behind them is read.
    for headers in [
        "content-length: 0\r\ntransfer-encoding: chunked\r\n".to_owned(),
        "transfer-encoding: chunked\r\ncontent-length: 0\r\n".into(),
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let request = format!("POST /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n0\r\n\r\n{hidden}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answers = to_the_end(&mut stream).await;
        assert!(answers.starts_with("HTTP/1.1 405 "), "{headers:?}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {answers}");
    }
    assert_eq!(server.rows_of_organisation().await, before);
}

#[tokio::test]
async fn a_stop_lets_what_runs_finish_and_begins_nothing() {
    let server = Server::start().await;
    let served = server.serve(LIMITS).await;
    let id = &server.organisation.organisation;
    let key = &server.organisation.secret_key;
    let mut running = TcpStream::connect(served.address).await.unwrap();
    let head = format!(
        "POST /checkouts HTTP/1.1\r\nhost: x\r\norganisation: {id}\r\nx-api-key: {key}\r\n\
         content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        REQUEST.len()
    );
    running.write_all(head.as_bytes()).await.unwrap();
    // Said once the body is asked for: the request runs.
    assert_eq!(answer(&mut running).await, "HTTP/1.1 100 Continue\r\n\r\n");
    let idle = TcpStream::connect(served.address).await.unwrap();
    let stopped = Instant::now();
    served.stop.send(()).unwrap();
    while TcpStream::connect(served.address).await.is_ok() {
        assert!(stopped.elapsed() < SOON, "connections are still taken");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.write_all(REQUEST.as_bytes()).await.unwrap();
    let created = to_the_end(&mut running).await;
    assert!(created.starts_with("HTTP/1.1 201 Created\r\n"), "{created}");
    served.serving.await.unwrap();
    assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
    assert_eq!(server.count("checkouts").await, 1);
    drop(idle);
}

//! What holds at every address: errors, limits, headers, static files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::body::{Body, Bytes};
use checkout_verifier::Settings;
use checkout_verifier::http::Assets;
use std::time::{Duration, Instant};
use support::{CATALOG, REQUEST, Server};

const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = Server::start().await;
    for path in [
        "/",
        "/index.html",
        "/pkg/index.js",
        "/checkout",
        "/checkouts/",
        "/checkouts/7",
        "/checkouts/%zz",
        "/checkouts/%ff%fe",
        "/checkouts/..%2f..%2fetc%2fpasswd",
        &format!("/checkouts/{NOBODY}"),
        &format!("/contracts/{NOBODY}"),
        "/contracts/x",
        "/contracts/a%20b",
        "/contracts/%c3%a9",
        "/contracts/%ff",
        "/contracts/a/b",
        &format!("/contracts/{}", "x".repeat(256)),
    ] {
        server.get(path).await.refused(404, "not_found");
    }
    server.confirm(NOBODY).await.refused(404, "not_found");
    server.confirm("x").await.refused(404, "not_found");
}

#[tokio::test]
async fn other_methods_are_named() {
    let server = Server::start().await;
    for (method, path, allowed) in [
        ("GET", "/checkouts/preview", "POST"),
        ("GET", "/checkouts/schedule", "POST"),
        ("DELETE", "/catalog", "GET,HEAD,PUT"),
        ("PUT", "/checkouts", "POST,GET,HEAD"),
        ("POST", "/contracts", "GET,HEAD"),
        ("POST", "/healthz", "GET,HEAD"),
        ("GET", &format!("/checkouts/{NOBODY}/confirm"), "POST"),
    ] {
        let answer = server.call(method, path, &[], Body::empty()).await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn health_is_told_apart_from_readiness() {
    let server = Server::empty().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).await.text, r#"{"status":"ok"}"#);
    }
    server.verifier.close().await;
    assert_eq!(server.get("/healthz").await.status, 200);
    for path in ["/readyz", "/catalog", "/contracts", &format!("/checkouts/{NOBODY}")] {
        server.get(path).await.refused(503, "service_unavailable");
    }
    server.post("/checkouts/preview", REQUEST).await.refused(503, "service_unavailable");
}

#[tokio::test]
async fn bodies_must_be_sent_as_json() {
    let server = Server::start().await;
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "application/jsonp")],
        &[("content-type", "application/json"), ("content-type", "text/plain")],
        &[("content-type", "application/json"), ("content-encoding", "gzip")],
    ] {
        for (method, path) in [
            ("POST", "/checkouts/preview"),
            ("POST", "/checkouts/schedule"),
            ("POST", "/checkouts"),
            ("PUT", "/catalog"),
        ] {
            server.call(method, path, headers, REQUEST).await.refused(415, "unsupported_media_type");
        }
    }
    let typed = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(server.call("POST", "/checkouts/preview", &typed, REQUEST).await.status, 200);
}

#[tokio::test]
async fn what_is_not_json_is_refused_and_the_next_request_served() {
    let server = Server::start().await;
    let wrong: [&[u8]; 9] = [
        b"",
        b"{",
        br#"{"plan_id":"team""#,
        br#"{"plan_id":NaN}"#,
        br#"{"plan_id":'team'}"#,
        br#"{} {}"#,
        b"\xef\xbb\xbf{}",
        b"{\"plan_id\":\"\xff\"}",
        br#"{"plan_id":"\ud800"}"#,
    ];
    for body in wrong {
        for path in ["/checkouts/preview", "/checkouts/schedule", "/checkouts"] {
            server.post(path, body.to_vec()).await.refused(400, "not_json");
        }
        server.put("/catalog", body.to_vec()).await.refused(400, "not_json");
        assert_eq!(server.post("/checkouts/preview", REQUEST).await.status, 200);
    }
}

#[tokio::test]
async fn deep_huge_and_wrong_values_are_the_engines_to_refuse() {
    let server = Server::start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let digits = "9".repeat(60);
    for body in [
        deep.clone(),
        format!(r#"{{"plan_id":{deep}}}"#),
        format!(r#"{{"plan_id":"team","customer_id":"cus_1","customer_data":{deep}}}"#),
        format!(
            r#"{{"plan_id":"team","customer_id":"cus_1","product_overrides":[{{"pricing_id":"seats","quantity":"{digits}"}}]}}"#
        ),
        format!(
            r#"{{"plan_id":"team","customer_id":"cus_1","product_overrides":[{{"pricing_id":"seats","quantity":{digits}}}]}}"#
        ),
        format!(r#"{{"plan_id":"{}"}}"#, "x".repeat(200_000)),
    ] {
        server.post("/checkouts/preview", body).await.refused(422, "rejected");
        assert_eq!(server.post("/checkouts/preview", REQUEST).await.status, 200);
    }
    server.post("/checkouts/preview", "[".repeat(100_000)).await.refused(400, "not_json");
    server.put("/catalog", deep).await.refused(422, "rejected");
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let server = Server::start().await;
    let padded = |text: &str, length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    assert_eq!(server.post("/checkouts/preview", padded(REQUEST, 256 * 1024)).await.status, 200);
    for path in ["/checkouts/preview", "/checkouts/schedule", "/checkouts", &format!("/checkouts/{NOBODY}/confirm")] {
        server.post(path, padded(REQUEST, 256 * 1024 + 1)).await.refused(413, "payload_too_large");
    }
    assert_eq!(server.put("/catalog", padded(CATALOG, 16 * 1024 * 1024)).await.status, 200);
    let stored = server.count("catalogs").await;
    server.put("/catalog", padded(CATALOG, 16 * 1024 * 1024 + 1)).await.refused(413, "payload_too_large");
    assert_eq!(server.count("catalogs").await, stored);
}

/// A body whose first part comes, and nothing after it.
struct Stalled(Option<Bytes>);

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0
            .take()
            .map_or(std::task::Poll::Pending, |data| std::task::Poll::Ready(Some(Ok(http_body::Frame::data(data)))))
    }
}

#[tokio::test]
async fn a_body_has_half_of_a_requests_time() {
    let server = Server::with_settings(Settings { request_limit: Duration::from_secs(2), ..Settings::default() }).await;
    server.put_catalog(CATALOG).await;
    for key in [None, Some("once")] {
        let started = Instant::now();
        let stalled = Body::new(Stalled(Some(Bytes::from_static(b"{"))));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let answer = server.call("POST", "/checkouts/preview", &headers, stalled).await;
        answer.refused(408, "request_timeout");
        assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    }
}

/// A change that waits for another one, which holds the row it needs and does not end.
#[tokio::test]
async fn a_request_has_ten_seconds() {
    let server = Server::with_settings(Settings { request_limit: Duration::from_secs(2), ..Settings::default() }).await;
    server.put_catalog(CATALOG).await;
    let id = server.create(REQUEST).await;
    let mut other = server.db.begin().await.unwrap();
    sqlx::query("UPDATE checkouts SET revision = revision").execute(&mut *other).await.unwrap();
    let slow = server.confirm(&id).await;
    slow.refused(503, "timed_out");
    assert_eq!(slow.headers["retry-after"], "1");
    other.rollback().await.unwrap();
    // What was cut off has changed nothing, and stands in nobody's way.
    assert_eq!(server.count("contracts").await, 0);
    server.confirmed(&id).await;
}

const PAGE: &str = "<!doctype html><script type=\"importmap\">{}</script><script src=\"app.js\"></script>";
/// With the SHA-256 of `{}`, the import map, and of nothing else.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; \
     script-src 'self' 'wasm-unsafe-eval' 'sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o='";

/// Of whatever is no page.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

#[tokio::test]
async fn folders_are_served_beside_the_api() {
    let server = Server::start().await;
    let folder = server.folder.path().to_owned();
    let (www, pkg) = (folder.join("www"), folder.join("pkg"));
    for (path, text) in [
        (www.join("index.html"), PAGE),
        (www.join("demo/app.js"), "export {}"),
        (www.join("style.css"), "p {}"),
        (pkg.join("index.mjs"), "export {}"),
        (pkg.join("engine_bg.wasm"), "\0asm"),
        (folder.join("outside.txt"), "secret"),
    ] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let server = server.with_assets(Assets { www: Some(www), pkg: Some(pkg) }).await;
    for (path, media_type, text) in [
        ("/", "text/html; charset=utf-8", PAGE),
        ("/index.html", "text/html; charset=utf-8", PAGE),
        ("/demo/app.js", "text/javascript", "export {}"),
        ("/style.css", "text/css", "p {}"),
        ("/pkg/index.mjs", "text/javascript", "export {}"),
        ("/pkg/engine_bg.wasm", "application/wasm", "\0asm"),
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, text), "{path}");
        assert_eq!(answer.headers["content-type"], media_type, "{path}");
        assert_eq!(answer.headers["cache-control"], "no-cache");
        let policy = answer.headers.get("content-security-policy").map(|value| value.to_str().unwrap());
        let wanted = if media_type.starts_with("text/html") { POLICY } else { NO_PAGE };
        assert_eq!(policy, Some(wanted));
        let since = answer.headers["last-modified"].to_str().unwrap();
        let again = server.call("GET", path, &[("if-modified-since", since)], Body::empty()).await;
        assert_eq!(again.status, 304);
    }
    for path in ["/nothing.js", "/pkg/nothing.js", "/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt"] {
        server.get(path).await.refused(404, "not_found");
    }
    server.post("/index.html", "{}").await.refused(405, "method_not_allowed");
    let range = server.call("GET", "/style.css", &[("range", "bytes=90-")], Body::empty()).await;
    range.refused(416, "range_not_satisfiable");
    assert_eq!(server.post("/checkouts/preview", REQUEST).await.status, 200);
}

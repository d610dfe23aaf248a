//! `/openapi.json` and `/docs`: whole, and without anything from elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, VARY};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode};
use checkout_verifier::docs_page::router;
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use std::io::Read;
use tower::ServiceExt;

const DOCUMENT: &str = r#"{"openapi":"3.1.0","info":{"title":"é","version":"1"},"paths":{}}"#;

/// The answer to who accepts these codings.
async fn sent(path: &str, accepted: Option<&str>) -> (StatusCode, HeaderMap, Bytes) {
    let router: Router = router(DOCUMENT.into());
    let mut request = Request::get(path);
    if let Some(accepted) = accepted {
        request = request.header(ACCEPT_ENCODING, accepted);
    }
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

/// The answer, its body as a browser sees it.
async fn get(path: &str) -> (StatusCode, HeaderMap, Bytes) {
    let (status, headers, mut body) = sent(path, Some("gzip, deflate, br, zstd")).await;
    if header(&headers, CONTENT_ENCODING) == "gzip" {
        let mut inflated = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut inflated).unwrap();
        body = inflated.into();
    }
    (status, headers, body)
}

fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_document_is_sent_as_it_is() {
    let (status, headers, body) = get("/openapi.json").await;
    assert_eq!((status, header(&headers, CONTENT_TYPE)), (StatusCode::OK, "application/json"));
    assert_eq!(body, DOCUMENT);
}

#[tokio::test]
async fn the_page_has_all_it_needs_here() {
    let (status, headers, _) = get("/docs").await;
    assert_eq!((status, header(&headers, LOCATION)), (StatusCode::PERMANENT_REDIRECT, "/docs/"));

    let (status, headers, page) = get("/docs/").await;
    assert_eq!((status, header(&headers, CONTENT_TYPE)), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = header(&headers, CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    let page = String::from_utf8(page.into()).unwrap();
    assert!(!page.contains("://") && !page.contains("<style"), "{page}");
    for script in page.split("<script").skip(1) {
        let (attributes, rest) = script.split_once('>').unwrap();
        assert!(attributes.contains("src=") && rest.split("</script>").next().unwrap().trim().is_empty(), "{script}");
    }

    let named: Vec<&str> = page
        .split(['"'])
        .filter(|text| [".js", ".css", ".png"].iter().any(|end| text.ends_with(end)))
        .map(|name| name.trim_start_matches("./"))
        .collect();
    assert!(named.len() >= 6, "{named:?}");
    for name in named {
        let (status, headers, file) = get(&format!("/docs/{name}")).await;
        let kind = match name.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "image/png",
        };
        assert_eq!((status, header(&headers, CONTENT_TYPE)), (StatusCode::OK, kind), "{name}");
        assert!(!file.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn the_page_shows_this_document_and_tells_nobody() {
    let (_, _, script) = get("/docs/swagger-initializer.js").await;
    let script = String::from_utf8(script.into()).unwrap();
    assert!(script.contains(r#""url": "../openapi.json""#), "{script}");
    assert!(script.contains(r#""validatorUrl": "none""#) && !script.contains("://"), "{script}");
}

#[tokio::test]
async fn who_does_not_take_gzip_is_sent_none() {
    for path in ["/docs/", "/docs/swagger-ui.css"] {
        let (_, _, plain) = get(path).await;
        for accepted in
            [None, Some(""), Some("identity"), Some("br"), Some("gzip;q=0"), Some("*, gzip; q=0.0"), Some("gzip;q")]
        {
            let (status, headers, body) = sent(path, accepted).await;
            assert_eq!((status, header(&headers, CONTENT_ENCODING)), (StatusCode::OK, ""), "{path} {accepted:?}");
            assert_eq!((body, header(&headers, VARY)), (plain.clone(), "accept-encoding"), "{path} {accepted:?}");
        }
        for accepted in ["gzip", "br, GZIP;q=0.5", "*", "deflate;q=0, *; q=0.1"] {
            let (_, headers, body) = sent(path, Some(accepted)).await;
            assert_eq!(header(&headers, CONTENT_ENCODING), "gzip", "{path} {accepted}");
            assert!(body.len() < plain.len(), "{path} {accepted}");
        }
    }
}

#[tokio::test]
async fn there_is_nothing_else() {
    for path in ["/docs/missing.js", "/docs/..%2Fopenapi.json", "/docs/a/b", "/docs/%2e%2e", "/openapi.json/"] {
        assert_eq!(get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

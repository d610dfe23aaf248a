//! The API to read: `/openapi.json`, and `/docs`, where it can be tried.
//!
//! Input: the document's text. Output: routes. Everything the page needs is in this program: it is Swagger UI, and loads
//! nothing from elsewhere. Neighbour: `schema` makes the document.

use crate::error::Error;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use flate2::read::GzDecoder;
use std::io::Read;
use std::sync::Arc;
use utoipa_swagger_ui::Config;

/// The page's scripts and styles are files of this server; its icons are in its style sheet, as `data:`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// `/openapi.json`, and `/docs` for people.
///
/// The page is at `/docs/`, with the slash, from where it finds its files; `/docs` leads there.
pub fn router<S: Clone + Send + Sync + 'static>(document: String) -> Router<S> {
    let document = Bytes::from(document);
    let json = move || async move {
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json")), (CACHE_CONTROL, NO_CACHE)], document)
    };
    // The validator is a server of Swagger's that would be sent the document's address.
    let config = Config::from("../openapi.json").validator_url("none").use_base_layout();
    let config = Arc::new(config.display_request_duration(true).default_models_expand_depth(0));
    let page = Arc::clone(&config);
    Router::new()
        .route("/openapi.json", get(json))
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route("/docs/", get(async move |headers: HeaderMap| file("index.html", &headers, page)))
        .route(
            "/docs/{file}",
            get(async move |Path(name): Path<String>, headers: HeaderMap| file(&name, &headers, config)),
        )
}

fn file(name: &str, asked: &HeaderMap, config: Arc<Config<'static>>) -> Result<Response, Error> {
    let file = utoipa_swagger_ui::serve(name, config).map_err(|_| Error::Internal("the page cannot be written"))?;
    let file = file.ok_or(Error::NotFound)?;
    let kind = match file.content_type.as_str() {
        "text/html" => "text/html; charset=utf-8".to_owned(),
        _ => file.content_type,
    };
    // All but the configuration are kept compressed, and every browser takes them so.
    let is_sent_compressed = file.gzpipped && takes_gzip(asked);
    let mut bytes = file.bytes.into_owned();
    if file.gzpipped && !is_sent_compressed {
        let mut inflated = Vec::new();
        let read = GzDecoder::new(&bytes[..]).read_to_end(&mut inflated);
        read.map_err(|_| Error::Internal("a file of the page cannot be inflated"))?;
        bytes = inflated;
    }
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(&kind).unwrap_or(HeaderValue::from_static("text/plain")));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, NO_CACHE);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if is_sent_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Whether who asks takes gzip (RFC 9110, 12.5.3). Where nothing is said of it, it may not be able to.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut of_gzip = None;
    let mut of_all = false;
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for coding in named.flat_map(|value| value.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix(['q', 'Q']).and_then(|weight| weight.trim_start().strip_prefix('='));
        let is_taken = weight.and_then(|weight| weight.trim().parse().ok()).is_some_and(|weight: f32| weight > 0.0);
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => of_gzip = Some(is_taken),
            "*" => of_all = is_taken,
            _ => {}
        }
    }
    of_gzip.unwrap_or(of_all)
}

//! The house around the handlers: routes, limits, headers, static files, starting and stopping.
//!
//! Every answer passes through [`finish`]: it gets a request id, its security headers, and, where it is an error, a
//! problem as its body, whoever made it.

use crate::error::{Error, Problem};
use crate::{Verifier, catalogs, checkouts, confirm, contracts, previews};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, MatchedPath, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::prelude::{BASE64_STANDARD, Engine};
use checkout_preview::{Json, json, read_id};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeader;
use tracing::Instrument;

const BODY_LIMIT: usize = 256 * 1024;
const CATALOG_LIMIT: usize = 16 * 1024 * 1024;
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// How long running requests have when the service stops: with closing the database, less than 10 s in all.
const STOP_LIMIT: Duration = Duration::from_secs(8);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// The largest page served; pages are held in memory to read their inline scripts.
const PAGE_LIMIT: usize = 1024 * 1024;

/// Folders served beside the API.
#[derive(Debug, Default)]
pub struct Assets {
    /// Served at `/`, for every path that no endpoint takes.
    pub www: Option<PathBuf>,
    /// Served at `/pkg/`.
    pub pkg: Option<PathBuf>,
}

/// Every endpoint, ready to be served or called.
pub fn router(verifier: Verifier, assets: Assets) -> Router {
    let mut router = Router::new()
        .route("/checkouts/preview", post(previews::show))
        .route("/checkouts/schedule", post(previews::schedule))
        .route("/checkouts", post(checkouts::create))
        .route("/checkouts/{id}", get(checkouts::read))
        .route("/checkouts/{id}/confirm", post(confirm::confirm))
        .route("/catalog", get(catalogs::get).put(catalogs::put).layer(DefaultBodyLimit::max(CATALOG_LIMIT)))
        .route("/contracts", get(contracts::list))
        .route("/contracts/{id}", get(contracts::read))
        .route("/healthz", get(async || ok()))
        .route("/readyz", get(ready))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Arc::new(verifier));
    let folder = |path| SetResponseHeader::if_not_present(ServeDir::new(path), CACHE_CONTROL, NO_CACHE);
    if let Some(pkg) = assets.pkg {
        router = router.nest_service("/pkg", folder(pkg));
    }
    if let Some(www) = assets.www {
        router = router.fallback_service(folder(www));
    }
    router
        .layer(CatchPanicLayer::custom(|_| Error::Internal("a handler panicked").into_response()))
        .layer(from_fn(finish))
}

/// Serves until `stop` comes, then finishes the requests that run, within 10 s.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let signal = async move {
        stop.await;
        let _ = stopping.send(());
    };
    let too_late = async move {
        let _ = stopped.await;
        tokio::time::sleep(STOP_LIMIT).await;
    };
    tokio::select! {
        ended = axum::serve(listener, router).with_graceful_shutdown(signal) => ended,
        () = too_late => Ok(()),
    }
}

fn ok() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#.into())
}

async fn ready(State(verifier): State<Arc<Verifier>>) -> Result<Response, Error> {
    let _: i64 = sqlx::query_scalar("SELECT 1").fetch_one(&verifier.db).await?;
    Ok(ok())
}

/// Runs a request within its time, and makes its answer whole.
async fn finish(request: Request, next: Next) -> Response {
    let id = crate::store::new_id();
    // The route and not the path: whatever a stranger puts into an address stays out of the log.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request_id = %id, method = %request.method(), route);
    async {
        let started = Instant::now();
        let response = tokio::time::timeout(REQUEST_LIMIT, next.run(request)).await;
        let response = with_page_policy(response.unwrap_or_else(|_| Error::TimedOut.into_response())).await;
        let response = complete(response, id);
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = response.status().as_u16(), milliseconds, "answered");
        response
    }
    .instrument(span)
    .await
}

/// Lets a page run what this server serves and its own inline scripts, each by its hash: an import map must be inline.
async fn with_page_policy(mut response: Response) -> Response {
    match response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes) {
        Some(b"text/html") => {}
        // What the file server's list calls `.mjs`; RFC 9239 has one name for all JavaScript.
        Some(b"application/javascript") => {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript"));
            return response;
        }
        _ => return response,
    }
    let (mut parts, body) = response.into_parts();
    let Ok(page) = axum::body::to_bytes(body, PAGE_LIMIT).await else {
        return Error::Internal("a page cannot be read, or is larger than 1 MiB").into_response();
    };
    let mut policy = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; \
                      script-src 'self' 'wasm-unsafe-eval'"
        .to_owned();
    for script in inline_scripts(&String::from_utf8_lossy(&page)) {
        policy.push_str(&format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script))));
    }
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        parts.headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    Response::from_parts(parts, Body::from(page))
}

fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    let scripts = page.split("<script").skip(1);
    let texts = scripts.filter_map(|script| script.split_once('>')?.1.split_once("</script>").map(|(text, _)| text));
    texts.filter(|text| !text.is_empty())
}

fn complete(response: Response, id: String) -> Response {
    let request_id = HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"));
    let (mut parts, mut body) = response.into_parts();
    let problem = parts.extensions.remove::<Problem>();
    if parts.status.is_client_error() || parts.status.is_server_error() {
        let mut problem = problem.unwrap_or_else(|| Problem::of(parts.status));
        problem.request_id = id;
        body = Body::from(json::to_text(&problem));
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    }
    if parts.status == StatusCode::SERVICE_UNAVAILABLE {
        parts.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    parts.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    parts.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    parts.headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    parts.headers.insert(REQUEST_ID, request_id);
    Response::from_parts(parts, body)
}

/// An answer that is JSON text already.
pub(crate) fn json_text(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// The organisation a request speaks for. A key will say which; until then there is one.
pub(crate) struct Organisation(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Organisation {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Organisation, Infallible> {
        Ok(Organisation(crate::store::ORGANISATION.into()))
    }
}

/// The id of a checkout in the path. What is none names nothing: not found.
pub(crate) struct CheckoutId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for CheckoutId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<CheckoutId, Error> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::NotFound)?;
        uuid::Uuid::parse_str(&id).map(|id| CheckoutId(id.to_string())).map_err(|_| Error::NotFound)
    }
}

/// The id of a contract in the path, in the catalog's form or in ours.
pub(crate) struct ContractId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for ContractId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<ContractId, Error> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::NotFound)?;
        read_id(&Json::String(id), "").map(|id| ContractId(id.to_owned())).map_err(|_| Error::NotFound)
    }
}

/// A body sent as JSON, still text.
pub(crate) struct JsonText(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<JsonText, Error> {
        sent_as_json(request.headers())?;
        text(Bytes::from_request(request, state).await?).map(JsonText)
    }
}

/// A body sent as JSON, read.
pub(crate) struct JsonBody(pub(crate) Json);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<JsonBody, Error> {
        let JsonText(text) = JsonText::from_request(request, state).await?;
        parsed(&text).map(JsonBody)
    }
}

/// A body sent as JSON, or none at all.
pub(crate) struct OptionalJson(pub(crate) Option<Json>);

impl<S: Send + Sync> FromRequest<S> for OptionalJson {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<OptionalJson, Error> {
        let headers = request.headers().clone();
        let bytes = Bytes::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(OptionalJson(None));
        }
        sent_as_json(&headers)?;
        parsed(&text(bytes)?).map(|json| OptionalJson(Some(json)))
    }
}

fn sent_as_json(headers: &HeaderMap) -> Result<(), Error> {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let media_type = value(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or("").trim();
    let is_json = media_type.eq_ignore_ascii_case("application/json");
    let is_plain = headers.get(CONTENT_ENCODING).is_none() || value(CONTENT_ENCODING) == Some("identity");
    if is_json && is_plain { Ok(()) } else { Err(Error::NotSentAsJson) }
}

fn text(bytes: Bytes) -> Result<String, Error> {
    String::from_utf8(bytes.into()).map_err(|_| Error::NotJson("it is not UTF-8".into()))
}

fn parsed(text: &str) -> Result<Json, Error> {
    json::parse(text.as_bytes()).map_err(|why| Error::NotJson(why.to_string()))
}

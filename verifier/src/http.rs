//! The house around the handlers: routes, headers, bodies, static files.
//!
//! Every answer passes through [`finish`]: it gets a request id, its security headers, and, where it is an error, a
//! problem as its body, whoever made it. `server` brings requests here, `door` decides who may make them.

use crate::caller::Caller;
use crate::door::{REPLAYED, door, readable};
use crate::error::{Error, Problem};
use crate::schema::session::Health;
use crate::{Verifier, cancel, catalogs, change, checkouts, confirm, contracts, docs_page, listing, payment, previews};
use crate::{schema, sessions};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ORIGIN,
};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::prelude::{BASE64_STANDARD, Engine};
use checkout_preview::{Json, json, read_id};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeader;
use tracing::Instrument;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
pub fn router(verifier: Arc<Verifier>, assets: Assets) -> Router {
    let (endpoints, described) = endpoints().split_for_parts();
    let mut router = endpoints
        .layer(from_fn_with_state(Arc::clone(&verifier), door))
        .with_state(Arc::clone(&verifier))
        .merge(docs_page::router(text_of(&schema::document(described))));
    let folder = |path| SetResponseHeader::if_not_present(ServeDir::new(path), CACHE_CONTROL, NO_CACHE);
    if let Some(pkg) = assets.pkg {
        router = router.nest_service("/pkg", folder(pkg));
    }
    if let Some(www) = assets.www {
        router = router.fallback_service(folder(www));
    }
    router
        .layer(CatchPanicLayer::custom(|_| Error::Internal("a handler panicked").into_response()))
        .layer(from_fn_with_state(verifier, finish))
}

/// Every endpoint, its path and method as it describes itself.
fn endpoints() -> OpenApiRouter<Arc<Verifier>> {
    OpenApiRouter::new()
        .routes(routes!(previews::show))
        .routes(routes!(previews::schedule))
        .routes(routes!(checkouts::create, listing::list))
        .routes(routes!(checkouts::read, change::change))
        .routes(routes!(confirm::confirm))
        .routes(routes!(cancel::cancel))
        .routes(routes!(payment::payment))
        .routes(routes!(catalogs::get, catalogs::put))
        .routes(routes!(contracts::list))
        .routes(routes!(contracts::read))
        .routes(routes!(sessions::create))
        .routes(routes!(healthy))
        .routes(routes!(ready))
}

/// The text of `/openapi.json`.
pub fn document() -> String {
    text_of(&schema::document(endpoints().into_openapi()))
}

fn text_of(document: &OpenApi) -> String {
    json::to_text(document)
}

/// `/metrics`, for an address of its own.
pub fn metrics_router(verifier: Arc<Verifier>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(verifier)
}

async fn metrics(State(verifier): State<Arc<Verifier>>) -> Response {
    let text = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(CONTENT_TYPE, text)], verifier.measure().await).into_response()
}

fn ok() -> Response {
    json_text(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// Whether the server runs
#[utoipa::path(
    get, path = "/healthz", operation_id = "readHealth", tag = "Health",
    responses((status = 200, description = "It does.", body = Health)),
)]
async fn healthy() -> Response {
    ok()
}

/// Whether the server can do its work
///
/// It can while its database answers.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readReadiness", tag = "Health",
    responses((status = 200, description = "It can.", body = Health)),
    extensions(("x-errors" = json!(["service_unavailable"]))),
)]
async fn ready(State(verifier): State<Arc<Verifier>>) -> Result<Response, Error> {
    let _: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM organisations WHERE id = ''").fetch_one(&verifier.store.reads).await?;
    Ok(ok())
}

/// By what the log, the answer and whoever asks for help name a request.
#[derive(Clone, Default)]
pub(crate) struct RequestId(String);

/// Who made a request, once that is known: for the log, also where the request's time ran out.
#[derive(Clone, Default)]
pub(crate) struct Known(pub(crate) Arc<OnceLock<Caller>>);

/// Runs a request within its time, and makes its answer whole.
async fn finish(State(verifier): State<Arc<Verifier>>, mut request: Request, next: Next) -> Response {
    let id = RequestId(crate::store::new_id());
    request.extensions_mut().insert(id.clone());
    let known = Known::default();
    request.extensions_mut().insert(known.clone());
    // The route and not the path: whatever a stranger puts into an address stays out of the log.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let origin = request.headers().get(ORIGIN).cloned();
    let span = tracing::info_span!("request", request_id = %id.0);
    async {
        let started = Instant::now();
        let response = tokio::time::timeout(verifier.settings.request_limit, next.run(request)).await;
        let response = with_page_policy(response.unwrap_or_else(|_| Error::TimedOut.into_response())).await;
        let mut response = with_headers(written(response, &id), &id);
        let is_error = response.status().is_client_error() || response.status().is_server_error();
        if is_error && !response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            // One that did not come through the door; it says nothing but what went wrong.
            readable(&mut response, origin);
        }
        let took = started.elapsed();
        verifier.metrics.answered(&method, &route, response.status(), took);
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let status = response.status().as_u16();
        let code = response.extensions().get::<Written>().and_then(|written| written.code.as_deref());
        let replayed = response.headers().contains_key(REPLAYED).then_some(true);
        // Ids, and no secret. They stand here and not in the span, which would be written twice and read in between.
        let caller = known.0.get();
        let organisation = caller.map(|caller| caller.organisation.id.as_str());
        let caller = caller.map(Caller::logged_as);
        tracing::info!(%method, route, status, code, replayed, milliseconds, organisation, caller, "answered");
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

/// The body of this answer is written already, though it is an error; its code is for the log.
#[derive(Clone)]
pub(crate) struct Written {
    pub(crate) code: Option<String>,
}

/// Gives an error its problem as a body.
pub(crate) fn written(response: Response, id: &RequestId) -> Response {
    let (mut parts, mut body) = response.into_parts();
    let problem = parts.extensions.remove::<Problem>();
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    if is_error && parts.extensions.get::<Written>().is_none() {
        let mut problem = problem.unwrap_or_else(|| Problem::of(parts.status));
        problem.request_id.clone_from(&id.0);
        body = Body::from(json::to_text(&problem));
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = problem.retry_after {
            // Whole seconds, and never too early.
            let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1);
            parts.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if parts.status == StatusCode::UNAUTHORIZED {
            parts.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey"));
        }
        parts.extensions.insert(Written { code: Some(problem.code) });
    }
    Response::from_parts(parts, body)
}

fn with_headers(mut response: Response, id: &RequestId) -> Response {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(CONTENT_SECURITY_POLICY, nothing);
    }
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id.0).unwrap_or(HeaderValue::from_static("none")));
    response
}

/// An answer that is JSON text already.
pub(crate) fn json_text(status: StatusCode, text: impl Into<Body>) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text.into()).into_response()
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

/// Everything a body says, if it comes in time and is not too large.
pub(crate) async fn read_body(body: Body, limit: usize, time: Duration) -> Result<String, Error> {
    let bytes = tokio::time::timeout(time, to_bytes(body, limit)).await.map_err(|_| Error::BodyTooSlow)?;
    let bytes = bytes.map_err(|cause| match is_too_long(&cause) {
        true => Error::TooLarge,
        false => Error::Unreadable,
    })?;
    String::from_utf8(bytes.into()).map_err(|_| Error::NotJson("it is not UTF-8".into()))
}

fn is_too_long(cause: &axum::Error) -> bool {
    std::error::Error::source(cause).is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}

/// A body sent as JSON, still text.
struct JsonText(String);

impl FromRequest<Arc<Verifier>> for JsonText {
    type Rejection = Error;

    async fn from_request(request: Request, verifier: &Arc<Verifier>) -> Result<JsonText, Error> {
        sent_as_json(request.headers())?;
        let settings = &verifier.settings;
        read_body(request.into_body(), settings.body_limit, settings.body_time()).await.map(JsonText)
    }
}

/// A catalog sent as JSON, still text; with its place among the large ones, of which only so many are read at a time.
pub(crate) struct CatalogText(pub(crate) String, pub(crate) Option<OwnedSemaphorePermit>);

impl FromRequest<Arc<Verifier>> for CatalogText {
    type Rejection = Error;

    async fn from_request(request: Request, verifier: &Arc<Verifier>) -> Result<CatalogText, Error> {
        sent_as_json(request.headers())?;
        let length =
            request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let place = match length {
            Some(..LARGE) => None,
            Some(_) | None => Arc::clone(&verifier.large_catalogs).acquire_owned().await.ok(),
        };
        let settings = &verifier.settings;
        let text = read_body(request.into_body(), settings.catalog_limit, settings.body_time()).await?;
        Ok(CatalogText(text, place))
    }
}

/// From how many bytes on a catalog is large.
const LARGE: usize = 1024 * 1024;

/// A body sent as JSON, read.
pub(crate) struct JsonBody(pub(crate) Json);

impl FromRequest<Arc<Verifier>> for JsonBody {
    type Rejection = Error;

    async fn from_request(request: Request, verifier: &Arc<Verifier>) -> Result<JsonBody, Error> {
        let JsonText(text) = JsonText::from_request(request, verifier).await?;
        parsed(&text).map(JsonBody)
    }
}

/// A body sent as JSON, or none at all.
pub(crate) struct OptionalJson(pub(crate) Option<Json>);

impl FromRequest<Arc<Verifier>> for OptionalJson {
    type Rejection = Error;

    async fn from_request(request: Request, verifier: &Arc<Verifier>) -> Result<OptionalJson, Error> {
        let headers = request.headers().clone();
        let settings = &verifier.settings;
        let text = read_body(request.into_body(), settings.body_limit, settings.body_time()).await?;
        if text.is_empty() {
            return Ok(OptionalJson(None));
        }
        sent_as_json(&headers)?;
        parsed(&text).map(|json| OptionalJson(Some(json)))
    }
}

fn sent_as_json(headers: &HeaderMap) -> Result<(), Error> {
    // Of two nobody knows which one is meant.
    let only = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let media_type = only(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or("").trim();
    let is_json = media_type.eq_ignore_ascii_case("application/json");
    let is_plain = headers.get(CONTENT_ENCODING).is_none() || only(CONTENT_ENCODING) == Some("identity");
    if is_json && is_plain { Ok(()) } else { Err(Error::NotSentAsJson) }
}

fn parsed(text: &str) -> Result<Json, Error> {
    json::parse(text.as_bytes()).map_err(|why| Error::NotJson(why.to_string()))
}

//! What every call passes before its handler: who calls, from which page, how often, and whether it was made before.

use crate::Verifier;
use crate::caller::{Access, Caller, Who, who_may};
use crate::error::Error;
use crate::http::{CheckoutId, Known, RequestId, Written, json_text, read_body, written};
use crate::idempotency::{Answer, Claim, Turn, key};
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, LOCATION, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub(crate) async fn door(State(verifier): State<Arc<Verifier>>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return preflight(request.headers());
    }
    let Some(who) = who_may(request.method(), request.extensions().get::<MatchedPath>()) else {
        return next.run(request).await;
    };
    let origin = request.headers().get(ORIGIN).cloned();
    let same = is_same_origin(request.headers());
    let response = match verifier.caller(request.headers()).await {
        // These two say nothing of an organisation; a page that may not call may still read why.
        Err(error) => Err(error),
        Ok(caller) if !same && !origin.as_ref().is_some_and(|origin| caller.allows(origin)) => {
            Err(Error::OriginNotAllowed)
        }
        Ok(caller) => Ok(verifier.let_in(caller, who, request, next).await),
    };
    let mut response = response.unwrap_or_else(Error::into_response);
    readable(&mut response, origin);
    response
}

/// Lets the page that made a request read its answer.
pub(crate) fn readable(response: &mut Response, origin: Option<HeaderValue>) {
    if let Some(origin) = origin {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
}

const EXPOSED: &str = "etag, location, retry-after, x-request-id, idempotent-replayed";

impl Verifier {
    async fn let_in(&self, caller: Caller, who: &[Who], mut request: Request, next: Next) -> Response {
        let key = match self.check(&caller, who, &request) {
            Ok(key) => key,
            Err(error) => return error.into_response(),
        };
        request.extensions_mut().insert(caller.clone());
        if let Some(Known(known)) = request.extensions().get() {
            let _ = known.set(caller.clone());
        }
        match key {
            None => next.run(request).await,
            Some(key) => self.once(&caller, key, request, next).await.unwrap_or_else(Error::into_response),
        }
    }

    fn check(&self, caller: &Caller, who: &[Who], request: &Request) -> Result<Option<String>, Error> {
        caller.check(who)?;
        self.limits.check(&caller.counted_as())?;
        key(request.method(), request.headers())
    }

    /// Runs a request that has a key, or answers it as before.
    async fn once(&self, caller: &Caller, key: String, request: Request, next: Next) -> Result<Response, Error> {
        let (mut parts, body) = request.into_parts();
        if let Access::Client { .. } = caller.access {
            // Only whoever holds the secret of a checkout may leave a key behind.
            let CheckoutId(id) = CheckoutId::from_request_parts(&mut parts, &()).await?;
            self.checkout(caller, &id).await?;
        }
        let body = read_body(body, self.settings.body_limit, self.settings.body_time()).await?;
        let claim = match self.turn(caller, key, &parts.uri, body.as_bytes()).await? {
            Turn::Run(claim) => claim,
            Turn::Again(answer) => return Ok(again(answer)),
        };
        let id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
        parts.extensions.insert(claim.clone());
        let response = written(next.run(Request::from_parts(parts, Body::from(body))).await, &id);
        if !is_an_answer(response.status()) {
            // Where the database is what failed, the claim ends by itself.
            let _ = self.release(&claim).await;
            return Ok(response);
        }
        self.keep(&claim, response).await
    }

    async fn keep(&self, claim: &Claim, response: Response) -> Result<Response, Error> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Error::Internal("an answer cannot be read"))?;
        let text = String::from_utf8(body.into()).map_err(|_| Error::Internal("an answer is not UTF-8"))?;
        let location = parts.headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let answer = Answer { status: i64::from(parts.status.as_u16()), location, body: text };
        self.keep_answer(claim, &answer).await?;
        Ok(Response::from_parts(parts, Body::from(answer.body)))
    }
}

/// Whether the request was understood and decided. One that failed for the moment, never got so far as to be read, or was not
/// the caller's to make, may be made again with its key.
fn is_an_answer(status: StatusCode) -> bool {
    let undecided = [
        StatusCode::BAD_REQUEST,
        StatusCode::FORBIDDEN,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    !status.is_server_error() && !undecided.contains(&status)
}

fn again(answer: Answer) -> Response {
    let status = answer.status();
    let code = Some(&answer.body).filter(|_| status.is_client_error()).and_then(|body| code_of(body));
    let mut response = json_text(status, answer.body);
    if status.is_client_error() {
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(axum::http::header::CONTENT_TYPE, problem);
    }
    if let Some(location) = answer.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        response.headers_mut().insert(LOCATION, location);
    }
    response.extensions_mut().insert(Written { code });
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The code of a problem that was written before.
fn code_of(problem: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Coded {
        code: String,
    }
    serde_json::from_str(problem).ok().map(|Coded { code }| code)
}

impl Caller {
    fn allows(&self, origin: &HeaderValue) -> bool {
        self.organisation.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
    }
}

/// A request that no page sends, or one of this server's own.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// A browser asks before it calls, and does not say for whom: the call itself is where the origin is compared with those
/// of the organisation.
fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, headers.get(ORIGIN).cloned().unwrap_or(HeaderValue::from_static("*")));
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, PATCH"));
    let names =
        "content-type, x-api-key, organisation, session-id, client-secret, idempotency-key, if-match, if-none-match";
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(names));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer.insert(VARY, HeaderValue::from_static("origin"));
    response
}

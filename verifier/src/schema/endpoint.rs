//! What all endpoints have in common: who may call them, and what is answered before a handler runs or whatever it does.
//!
//! Input: the endpoints as each describes itself, the table of `caller` that says who may call which, and the errors of
//! `error`. Output: the same endpoints with their security, their errors by status and the headers of all answers.

use super::examples;
use super::problem::ProblemDetails;
use crate::caller::{API_KEY, CLIENT_SECRET, ORGANISATION, SESSION, Who, allowed};
use crate::error::{Known, known};
use axum::http::{HeaderName, Method};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr};

const ABOUT: &str = "\
Previews subscription checkouts exactly, stores them, and turns them into contracts, once.

**Who calls.** Every call names its `organisation`, and who makes it: the merchant's server with a secret key \
(`x-api-key: sk_…`), its pages with a publishable key (`x-api-key: pk_…`), a customer's browser with a token \
(`session-id: st_…`, from `POST /sessions`), or whoever created a checkout with that checkout's `client-secret: cs_…`.

**A checkout, from a page.** `POST /checkouts/preview`, and show its `estimates`; `POST /checkouts` with them as \
`expected_estimates`; then the merchant's server, or the page where the organisation allows it, calls \
`POST /checkouts/{id}/confirm`.

**Once.** Send an `Idempotency-Key` with a `POST`, and send it again with the same body whenever no answer came: it is done \
once, and answered the same.

**Errors** are `application/problem+json`. Decide by `code`; `detail` and `problems` are for people. Every answer has an \
`x-request-id`, which the server's log has, too; a problem's `request_id` is the same, or, where \
`idempotent-replayed: true` says that an earlier call's answer is given again, that call's.

Amounts are texts, such as `\"29.90\"`: read them as decimals. A field that is not named here is refused.";

const TAGS: [(&str, &str); 6] = [
    ("Previews", "What a checkout would cost. Nothing is stored."),
    ("Checkouts", "Checkouts that are stored, from created to confirmed."),
    ("Contracts", "What confirmed checkouts made, and what the catalog lists."),
    ("Catalog", "What prices are computed from."),
    ("Sessions", "Tokens for customers' browsers."),
    ("Health", "For whoever runs the server."),
];

/// Completes every endpoint, and says what they are.
pub(super) fn complete(document: &mut OpenApi) {
    document.info = InfoBuilder::new()
        .title("Checkout verifier")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let tags = TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    document.tags = Some(tags.into());
    if let Some(components) = &mut document.components {
        for (name, header, about) in schemes() {
            let key = ApiKey::Header(ApiKeyValue::with_description(header.as_str(), about));
            components.security_schemes.insert(name.into(), SecurityScheme::ApiKey(key).into());
        }
    }
    let known = known();
    if let Some(components) = &mut document.components {
        components.examples = examples::all(&known);
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete_one(operation, &method, path, &known);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, patch, .. } = item;
    let operations = [(Method::GET, get), (Method::PUT, put), (Method::POST, post), (Method::PATCH, patch)];
    operations.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

const OF_AN_ORGANISATION: &str = "organisation";

fn schemes() -> [(&'static str, HeaderName, &'static str); 5] {
    [
        (OF_AN_ORGANISATION, ORGANISATION, "The organisation's id, beside any of the others."),
        (scheme(Who::Secret), API_KEY, "`sk_…`: the merchant's server, which may do everything. Never in a browser."),
        (scheme(Who::Publishable), API_KEY, "`pk_…`: the merchant's pages, which see what everybody may see."),
        (scheme(Who::Session), SESSION, "`st_…`: a customer, on a page of the merchant's."),
        (scheme(Who::Client), CLIENT_SECRET, "`cs_…`: whoever created a checkout, and for this checkout alone."),
    ]
}

const fn scheme(who: Who) -> &'static str {
    match who {
        Who::Secret => "secret_key",
        Who::Publishable => "publishable_key",
        Who::Session => "session_token",
        Who::Client => "client_secret",
    }
}

/// The errors of every endpoint.
const ANYWHERE: &[&str] = &["internal_server_error", "timed_out"];
/// Those of the door.
const AT_THE_DOOR: &[&str] =
    &["unauthorized", "forbidden", "origin_not_allowed", "not_found", "rate_limited", "service_unavailable", "busy"];
/// Those of reading a body.
const OF_A_BODY: &[&str] =
    &["not_json", "unreadable_body", "request_timeout", "payload_too_large", "unsupported_media_type"];
/// Those of an `Idempotency-Key`.
const OF_A_KEY: &[&str] = &["idempotency_key_invalid", "idempotency_key_reused", "idempotency_in_progress"];

fn complete_one(operation: &mut Operation, method: &Method, path: &str, known: &[Known]) {
    let own = operation.extensions.as_mut().and_then(|extensions| extensions.remove("x-errors"));
    let own: Vec<String> = own.and_then(|own| serde_json::from_value(own).ok()).unwrap_or_default();
    let mut codes: Vec<&str> = own.iter().map(String::as_str).chain(ANYWHERE.iter().copied()).collect();
    let who = allowed(method, path);
    let may_be_repeated = who.is_some() && method == Method::POST;
    if let Some(who) = who {
        let scopes: [&str; 0] = [];
        let security =
            who.iter().map(|who| SecurityRequirement::new(OF_AN_ORGANISATION, scopes).add(scheme(*who), scopes));
        operation.security = Some(security.collect());
        codes.extend(AT_THE_DOOR);
    }
    if operation.request_body.is_some() {
        codes.extend(OF_A_BODY);
    }
    if may_be_repeated {
        codes.extend(OF_A_KEY);
        operation.parameters.get_or_insert_default().push(idempotency_key());
    }
    for errors in known.chunk_by(|one, other| one.status == other.status) {
        let errors: Vec<&Known> = errors.iter().filter(|error| codes.contains(&error.code.as_str())).collect();
        if let Some(first) = errors.first() {
            operation.responses.responses.insert(first.status.to_string(), answer(&errors).into());
        }
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if let Some(name) = examples::of(method, path)
            && let Some(RefOr::T(content)) = response.content.get_mut("application/json")
        {
            content.examples.insert(name.into(), examples::named(name));
        }
        let mut add = |name: &str, header: Header| response.headers.insert(name.into(), header.into());
        add("x-request-id", text_header("What the server's log calls the request."));
        if may_be_repeated && !matches!(status.as_str(), "401" | "403" | "429" | "500" | "503") {
            add("idempotent-replayed", text_header("`true` where this is the answer of an earlier call, again."));
        }
    }
}

fn idempotency_key() -> RefOr<utoipa::openapi::path::Parameter> {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
        .examples(["order-1001-create"]);
    let about = "Names this call, so that it can be made again: for 24 hours the same call with the same key is answered the \
                 same, and done once.";
    let parameter = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
    parameter.description(Some(about)).schema(Some(key)).build().into()
}

/// An answer of one status, for any of these reasons.
fn answer(errors: &[&Known]) -> Response {
    let reasons: Vec<String> = errors.iter().map(|error| format!("- `{}`: {}", error.code, error.detail)).collect();
    let codes = errors.iter().map(|error| json!(error.code));
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
    let status = errors.first().map(|error| json!(error.status)).unwrap_or(Value::Null);
    let status = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([status]));
    let this = ObjectBuilder::new().property("code", code).property("status", status);
    let body = AllOfBuilder::new().item(Ref::from_schema_name(ProblemDetails::name())).item(this);
    let shown = errors.iter().map(|error| (error.code.as_str(), examples::named(&error.code)));
    let content = ContentBuilder::new().schema(Some(Schema::from(body))).examples_from_iter(shown).build();
    let mut response =
        ResponseBuilder::new().description(reasons.join("\n")).content("application/problem+json", content).build();
    if errors.iter().any(|error| error.may_be_retried) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        let header =
            HeaderBuilder::new().description(Some("After how many seconds to try again.")).schema(Some(seconds));
        response.headers.insert("retry-after".into(), header.build().into());
    }
    if errors.iter().any(|error| error.status == 401) {
        response.headers.insert("www-authenticate".into(), text_header("`ApiKey`.").into());
    }
    response
}

fn text_header(about: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new().description(Some(about)).schema(Some(text)).build()
}

//! What is answered, shown: the answers of `answers.json`, and one problem of each code.
//!
//! Input: answers of a verifier that sold from the demo's catalog at noon of 2026-11-22, and the errors of `error`. Output:
//! the document's examples, by name, and which of them an endpoint answers. `tests/openapi.rs` asks a verifier again, and
//! every test compares the problems it is told. Neighbour: `endpoint`, which puts them into the endpoints' answers.

use crate::error::{Difference, Error, Known};
use crate::status::{Action, Status};
use axum::http::{Method, StatusCode};
use checkout_preview::{Json, Problem, ProblemCode, json};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::{Ref, RefOr};

const ANSWERS: &str = include_str!("answers.json");

/// Every example, by its name: an answer's own, or a problem's code.
pub(super) fn all(known: &[Known]) -> BTreeMap<String, RefOr<Example>> {
    let answers: BTreeMap<String, Value> = serde_json::from_str(ANSWERS).unwrap_or_default();
    let problems: Vec<_> = known.iter().map(|known| (known.code.clone(), problem(known, &answers))).collect();
    let examples = answers.into_iter().chain(problems);
    examples.map(|(name, value)| (name, ExampleBuilder::new().value(Some(value)).build().into())).collect()
}

/// One of them, to be named where it is answered.
pub(super) fn named(name: &str) -> RefOr<Example> {
    RefOr::Ref(Ref::new(format!("#/components/examples/{name}")))
}

/// What an endpoint answers that does what it is asked to.
pub(super) fn of(method: &Method, path: &str) -> Option<&'static str> {
    Some(match (method.as_str(), path) {
        ("POST", "/checkouts/preview") => "preview",
        ("POST", "/checkouts/schedule") => "schedule",
        ("POST", "/checkouts") => "created_checkout",
        ("GET", "/checkouts") => "checkouts",
        ("GET" | "PATCH", "/checkouts/{id}") => "checkout",
        ("POST", "/checkouts/{id}/payment") => "paid_checkout",
        ("POST", "/checkouts/{id}/confirm") => "confirmed_checkout",
        ("POST", "/checkouts/{id}/cancel") => "cancelled_checkout",
        ("PUT", "/catalog") => "stored_catalog",
        ("GET", "/contracts") => "contracts",
        ("GET", "/contracts/{id}") => "contract",
        ("POST", "/sessions") => "session_token",
        ("GET", "/healthz" | "/readyz") => "health",
        // The catalog's own schema has one.
        _ => return None,
    })
}

/// A problem as it is written.
fn problem(known: &Known, answers: &BTreeMap<String, Value>) -> Value {
    let refused = Action::ALL.into_iter().find(|action| action.refusal() == known.code);
    let error = match known.code.as_str() {
        "forbidden" => Some(Error::Forbidden("this takes the organisation's secret key")),
        "not_json" => json::parse(b"{").err().map(|why| Error::NotJson(why.to_string())),
        "rejected" => Some(Error::Rejected(
            Problem {
                code: ProblemCode::UnknownField,
                path: "/quantity".into(),
                message: "there is no field `quantity`".into(),
                help: "leave the field out".into(),
            }
            .into(),
        )),
        "preview_mismatch" => answers.get("preview").and_then(mismatch),
        _ => refused.map(|action| Error::NotPossible { action, current_status: Status::ContractCreated }),
    };
    let mut problem = match error {
        Some(error) => serde_json::from_str(&json::to_text(&error.problem())).unwrap_or_default(),
        None => json!({
            "type": "about:blank",
            "title": StatusCode::from_u16(known.status).ok().and_then(|status| status.canonical_reason()),
            "status": known.status, "code": known.code, "detail": known.detail, "request_id": "",
        }),
    };
    problem["request_id"] = "01a20509-2eb5-738b-a82e-7c980ecc0de4".into();
    problem
}

/// A buyer who was shown 1.00.
fn mismatch(preview: &Value) -> Option<Error> {
    const TOTAL: &str = "/estimates/current_invoice/total";
    let actual = preview.pointer(TOTAL)?.as_str()?.to_owned();
    let expected = Some(Json::String("1.00".into()));
    let differences = vec![Difference { path: TOTAL.into(), expected, actual: Some(Json::String(actual)) }];
    let preview = json::parse(preview.to_string().as_bytes()).ok()?;
    Some(Error::PreviewMismatch { differences, preview: Box::new(preview) })
}

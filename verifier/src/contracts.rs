//! Contracts: what confirmed checkouts became.

use crate::Verifier;
use crate::error::Error;
use crate::http::{Id, Organisation, json_text};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Json, Problem, ProblemCode, json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

const LIMIT: i64 = 20;
const MOST: i64 = 100;

/// `GET /contracts/{id}`
pub(crate) async fn read(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    Id(id): Id,
) -> Result<Response, Error> {
    let body: Option<String> = sqlx::query_scalar("SELECT body FROM contracts WHERE organisation_id = $1 AND id = $2")
        .bind(&organisation)
        .bind(&id)
        .fetch_optional(&verifier.db)
        .await?;
    body.map(|body| json_text(StatusCode::OK, body)).ok_or(Error::NotFound)
}

#[derive(Deserialize)]
pub(crate) struct Page {
    limit: Option<String>,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct List {
    data: Vec<Json>,
    next_cursor: Option<String>,
}

/// `GET /contracts`: newest first, a page at a time.
pub(crate) async fn list(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    Query(page): Query<Page>,
) -> Result<Response, Error> {
    let limit = page.limit.map_or(Ok(LIMIT), |text| {
        let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| refused("/limit", format!("`{text}` is no number of contracts"), "use 1 to 100"))
    })?;
    // Ids ascend with time, so the newest are the greatest.
    let before = page.cursor.map_or(Ok(Uuid::max()), |text| {
        let help = "use the `next_cursor` of the page before";
        text.parse().map_err(|_| refused("/cursor", format!("`{text}` is no cursor"), help))
    })?;
    let mut rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, body FROM contracts WHERE organisation_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
    )
    .bind(&organisation)
    .bind(before.to_string())
    .bind(limit.saturating_add(1))
    .fetch_all(&verifier.db)
    .await?;
    let more = usize::try_from(limit).is_ok_and(|limit| {
        let more = rows.len() > limit;
        rows.truncate(limit);
        more
    });
    let next_cursor = rows.last().filter(|_| more).map(|(id, _)| id.clone());
    let data = rows.iter().map(|(_, body)| json::parse(body.as_bytes())).collect::<Result<_, _>>();
    let data = data.map_err(|_| Error::Internal("a stored contract is not JSON"))?;
    Ok(json_text(StatusCode::OK, json::to_text(&List { data, next_cursor })))
}

fn refused(path: &str, message: String, help: &'static str) -> Error {
    Error::Rejected(Problem { code: ProblemCode::InvalidType, path: path.into(), message, help: help.into() }.into())
}

/// The contract of a preview as it is stored: with ids for itself and its lines, version 1, and a guest's customer.
pub(crate) fn confirmed(contract: &Json, id: &str, customer_id: Option<&str>, new_id: impl Fn() -> String) -> Json {
    let mut contract = contract.clone();
    set(&mut contract, "id", Json::String(id.into()));
    set(&mut contract, "version", Json::Number(1.0));
    if let Some(customer_id) = customer_id {
        set(&mut contract, "customer_id", Json::String(customer_id.into()));
    }
    for phase in items(&mut contract, "phases") {
        for line in items(phase, "lines") {
            if line.get("line_item_id").is_none_or(|id| *id == Json::Null) {
                set(line, "line_item_id", Json::String(new_id()));
            }
        }
    }
    contract
}

fn field<'a>(object: &'a mut Json, key: &str) -> Option<&'a mut Json> {
    match object {
        Json::Object(fields) => fields.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::List(_) | Json::Foreign(_) => None,
    }
}

fn set(object: &mut Json, key: &str, value: Json) {
    if let Some(slot) = field(object, key) {
        *slot = value;
    } else if let Json::Object(fields) = object {
        fields.push((key.into(), value));
    }
}

fn items<'a>(object: &'a mut Json, key: &str) -> impl Iterator<Item = &'a mut Json> {
    match field(object, key) {
        Some(Json::List(items)) => items.iter_mut(),
        _ => [].iter_mut(),
    }
}

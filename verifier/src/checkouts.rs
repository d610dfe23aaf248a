//! Checkouts: created and read.
//!
//! A session is what it was made from (the request, the catalog snapshot, the contract's version, the date and the instant)
//! and the preview that came of it, as text. `confirm` makes the preview again and compares the bytes.

use crate::Verifier;
use crate::differences::differences;
use crate::error::{CONFIRMABLE, Error};
use crate::http::{CheckoutId, JsonBody, Organisation, json_text};
use crate::previews::{Made, take};
use crate::store::{instant, micros, new_id, stored_json};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use checkout_preview::{Json, Problem, ProblemCode, json, read_instant};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::Arc;

pub(crate) const NULL: &Json = &Json::Null;

/// `POST /checkouts`: runs the engine, compares what the buyer was shown, and stores the session.
pub(crate) async fn create(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    JsonBody(mut request): JsonBody,
) -> Result<Response, Error> {
    let expected = take(&mut request, "expected_estimates").filter(|expected| expected != NULL);
    if let Some(expected) = expected.as_ref().filter(|expected| !matches!(expected, Json::Object(_))) {
        let message = format!("expected an object, found {}", expected.kind());
        let help = "send the `estimates` of the preview the buyer saw, or leave the field out";
        let path = "/expected_estimates".into();
        let problem = Problem { code: ProblemCode::InvalidType, path, message, help: help.into() };
        return Err(Error::Rejected(problem.into()));
    }
    let Made { view, clock, preview } = verifier.make(&organisation, &request).await?;
    let document = stored_json(&preview)?;
    if let Some(expected) = expected {
        let differences = differences("/estimates", &expected, document.get("estimates").unwrap_or(NULL));
        if !differences.is_empty() {
            return Err(Error::PreviewMismatch { differences, preview: Box::new(document) });
        }
    }
    let expires_at = read_instant(document.get("expires_at").unwrap_or(NULL), "/expires_at")
        .map_err(|_| Error::Internal("a preview does not say when it expires"))?;
    let checkout = Checkout {
        id: new_id(),
        checkout_status: "pending".into(),
        catalog_id: view.catalog_id,
        contract_version: view.contract_version,
        as_of: clock.as_of.to_string(),
        request: json::to_text(&request),
        preview,
        expires_at: micros(expires_at),
        payment_method_id: None,
        created_at: micros(clock.now),
        updated_at: micros(clock.now),
        contract: None,
    };
    sqlx::query(
        "INSERT INTO checkouts (organisation_id, id, checkout_status, catalog_id, contract_version, as_of, request, preview,
         expires_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(&organisation)
    .bind(&checkout.id)
    .bind(&checkout.checkout_status)
    .bind(&checkout.catalog_id)
    .bind(checkout.contract_version)
    .bind(&checkout.as_of)
    .bind(&checkout.request)
    .bind(&checkout.preview)
    .bind(checkout.expires_at)
    .bind(checkout.created_at)
    .bind(checkout.updated_at)
    .execute(&verifier.db)
    .await?;
    let location = format!("/checkouts/{}", checkout.id);
    let session = checkout.session(&organisation, clock.now)?;
    Ok(([(LOCATION, location)], json_text(StatusCode::CREATED, session)).into_response())
}

/// `GET /checkouts/{id}`
pub(crate) async fn read(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    CheckoutId(id): CheckoutId,
) -> Result<Response, Error> {
    let checkout = verifier.checkout(&organisation, &id).await?;
    Ok(json_text(StatusCode::OK, checkout.session(&organisation, verifier.moment().now)?))
}

impl Verifier {
    pub(crate) async fn checkout(&self, organisation: &str, id: &str) -> Result<Checkout, Error> {
        let checkout = sqlx::query_as(
            "SELECT checkouts.id, checkout_status, catalog_id, contract_version, as_of, request, preview, expires_at,
             payment_method_id, checkouts.created_at, updated_at, body AS contract
             FROM checkouts LEFT JOIN contract_versions
             ON contract_versions.organisation_id = checkouts.organisation_id AND checkout_id = checkouts.id
             WHERE checkouts.organisation_id = $1 AND checkouts.id = $2",
        );
        checkout.bind(organisation).bind(id).fetch_optional(&self.db).await?.ok_or(Error::NotFound)
    }
}

/// A stored checkout, and what it made of a contract.
#[derive(sqlx::FromRow)]
pub(crate) struct Checkout {
    id: String,
    checkout_status: String,
    pub(crate) catalog_id: String,
    pub(crate) contract_version: Option<i64>,
    pub(crate) as_of: String,
    pub(crate) request: String,
    pub(crate) preview: String,
    expires_at: i64,
    payment_method_id: Option<String>,
    pub(crate) created_at: i64,
    updated_at: i64,
    contract: Option<String>,
}

impl Checkout {
    /// The status at an instant: a pending checkout is expired from `expires_at` on, whatever is stored.
    fn status(&self, now: DateTime<Utc>) -> Result<&'static str, Error> {
        match self.checkout_status.as_str() {
            "pending" if micros(now) >= self.expires_at => Ok("expired"),
            "pending" => Ok("pending"),
            "contract_created" => Ok("contract_created"),
            _ => Err(Error::Internal("a stored checkout has an unknown status")),
        }
    }

    pub(crate) fn confirmable(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let current_status = self.status(now)?;
        if CONFIRMABLE.contains(&current_status) { Ok(()) } else { Err(Error::NotConfirmable { current_status }) }
    }

    /// The session as it goes over the wire.
    pub(crate) fn session(&self, organisation_id: &str, now: DateTime<Utc>) -> Result<String, Error> {
        let preview = stored_json(&self.preview)?;
        let contract = self.contract.as_deref().map(stored_json).transpose()?;
        let of_preview = |field| preview.get(field).unwrap_or(NULL);
        let of_contract = |field| contract.as_ref().and_then(|contract| contract.get(field));
        Ok(json::to_text(&Session {
            id: &self.id,
            organisation_id,
            checkout_status: self.status(now)?,
            checkout_type: of_preview("checkout_type"),
            plan_id: of_preview("plan_id"),
            contract_id: of_contract("id").unwrap_or(of_preview("contract_id")),
            source_contract_id: of_preview("contract_id"),
            start_date: of_preview("start_date"),
            end_date: of_preview("end_date"),
            customer_id: of_contract("customer_id").unwrap_or(of_preview("customer_id")),
            business_entity_id: of_preview("business_entity_id"),
            guest_checkout: of_preview("guest_checkout"),
            customer_data: of_preview("customer_data"),
            estimates: of_preview("estimates"),
            contract: contract.as_ref().unwrap_or(of_preview("contract")),
            expires_at: of_preview("expires_at"),
            success_url: of_preview("success_url"),
            cancel_url: of_preview("cancel_url"),
            product_overrides: of_preview("product_overrides"),
            payment_method_id: self.payment_method_id.as_deref(),
            catalog_version: of_preview("catalog_version"),
            engine_version: of_preview("engine_version"),
            as_of: &self.as_of,
            created_at: wire(self.created_at)?,
            updated_at: wire(self.updated_at)?,
        }))
    }
}

#[derive(Serialize)]
struct Session<'a> {
    id: &'a str,
    organisation_id: &'a str,
    checkout_status: &'static str,
    checkout_type: &'a Json,
    plan_id: &'a Json,
    contract_id: &'a Json,
    source_contract_id: &'a Json,
    start_date: &'a Json,
    end_date: &'a Json,
    customer_id: &'a Json,
    business_entity_id: &'a Json,
    guest_checkout: &'a Json,
    customer_data: &'a Json,
    estimates: &'a Json,
    contract: &'a Json,
    expires_at: &'a Json,
    success_url: &'a Json,
    cancel_url: &'a Json,
    product_overrides: &'a Json,
    payment_method_id: Option<&'a str>,
    catalog_version: &'a Json,
    engine_version: &'a Json,
    as_of: &'a str,
    created_at: String,
    updated_at: String,
}

/// An instant as it goes over the wire (R1.1): with a fraction only where there is one.
fn wire(micros: i64) -> Result<String, Error> {
    let text = instant(micros)?.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    Ok(format!("{}Z", text.trim_end_matches('0').trim_end_matches('.')))
}

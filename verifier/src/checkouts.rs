//! Checkouts: created and read.
//!
//! A checkout is what it was made from (the request, the catalog snapshot, the contract's version, the date and the instant)
//! and the preview that came of it, as text. `confirm` makes the preview again and compares the bytes.

use crate::Verifier;
use crate::caller::{Access, Caller};
use crate::differences::differences;
use crate::error::Error;
use crate::events::{CheckoutData, Event, EventType, insert_deliveries, insert_event};
use crate::http::{CheckoutId, JsonBody, json_text};
use crate::idempotency::{Answer, Claimable};
use crate::previews::{Made, take};
use crate::schema::request::CreateRequest;
use crate::schema::{self, session::CreatedSession};
use crate::secret::{self, Secret};
use crate::status::Status;
use crate::store::{at_once, id_at, instant, micros, raw, repeated, stored_json, wire};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use checkout_preview::{Json, Problem, ProblemCode, read_instant};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Create a checkout
///
/// Previews the checkout on this server and stores it. A browser sends `expected_estimates`, the `estimates` that its
/// buyer saw: where the price is another by now, nothing is stored, and the answer is 409 `preview_mismatch` with the
/// fresh `preview` to show. The answer's `client_secret` is told this once; with it a browser may read, change, confirm
/// and cancel this checkout alone.
#[utoipa::path(
    post, path = "/checkouts", operation_id = "createCheckout", tag = "Checkouts",
    request_body(content = CreateRequest, example = json!({"plan_id": "team_monthly_usd", "customer_id": "cus_1",
        "success_url": "https://shop.example.com/done"})),
    responses((status = 201, description = "The checkout, stored.", body = CreatedSession,
        headers(("location" = String, description = "Its address, `/checkouts/{id}`.")))),
    extensions(("x-errors" = json!(["catalog_missing", "rejected", "answer_too_large", "preview_mismatch", "expected_estimates_required"]))),
)]
pub(crate) async fn create(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    claim: Claimable,
    JsonBody(mut request): JsonBody,
) -> Result<Response, Error> {
    let expected = expected_estimates(&mut request)?;
    if expected.is_none() && caller.is_browser() {
        return Err(Error::ExpectedEstimatesRequired);
    }
    let made = verifier.make(&caller, request).await?;
    verifier.compare(expected, &made)?;
    let secret = Secret::of_checkout();
    let id = id_at(micros(made.clock.now));
    let preview = made.preview.clone();
    // Read once: the row, the session and the event show parts of it.
    let shown = Shown::of(&preview)?;
    let checkout = Checkout::new(id, secret.hash, made, &shown)?;
    let session = checkout.session_of(&shown, &caller.organisation.id, Status::Pending, Some(&secret.text))?;
    let created = checkout.told(&shown, Status::Pending);
    let created = Event::new(EventType::CheckoutCreated, &created, instant(checkout.created_at)?)?;
    let location = format!("/checkouts/{}", checkout.id);
    let answer = Answer { status: 201, location: Some(location), body: session };
    repeated(|| verifier.insert(&caller.organisation.id, &checkout, &created, &claim, &answer)).await?;
    let location = answer.location.unwrap_or_default();
    Ok(([(LOCATION, location)], json_text(StatusCode::CREATED, answer.body)).into_response())
}

/// Read a checkout
///
/// As it stands now. From the instant `expires_at` on it is `expired`, unless money is moving.
#[utoipa::path(
    get, path = "/checkouts/{id}", operation_id = "readCheckout", tag = "Checkouts",
    params(("id" = String, Path, description = "The checkout's id.", format = "uuid")),
    responses((status = 200, description = "The checkout.", body = schema::session::Session)),
)]
pub(crate) async fn read(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    CheckoutId(id): CheckoutId,
) -> Result<Response, Error> {
    let checkout = verifier.checkout(&caller, &id).await?;
    let status = checkout.status(verifier.moment().now)?;
    Ok(json_text(StatusCode::OK, checkout.session(&caller.organisation.id, status, None)?))
}

/// What the buyer was shown, if the request says it.
pub(crate) fn expected_estimates(request: &mut Json) -> Result<Option<Json>, Error> {
    match take(request, "expected_estimates") {
        None | Some(Json::Null) => Ok(None),
        Some(expected @ Json::Object(_)) => Ok(Some(expected)),
        Some(other) => {
            let message = format!("expected an object, found {}", other.kind());
            let help = "send the `estimates` of the preview the buyer saw, or leave the field out".into();
            let path = "/expected_estimates".into();
            let problem = Problem { code: ProblemCode::InvalidType, path, message: message.into(), help };
            Err(Error::Rejected(problem.into()))
        }
    }
}

/// A query for checkouts, from its `WHERE` on.
macro_rules! checkouts_where {
    ($condition:literal) => {
        concat!(
            "SELECT c.id, c.revision, c.checkout_status, c.client_secret, c.customer_id, c.contract_id, c.catalog_id,
             c.contract_version, c.as_of, c.previewed_at, c.request, c.preview, c.expires_at, c.payment_method_id,
             c.created_at, c.updated_at, v.body AS contract
             FROM checkouts c LEFT JOIN contract_versions v
             ON v.organisation_id = c.organisation_id AND v.checkout_id = c.id WHERE ",
            $condition
        )
    };
}
pub(crate) use checkouts_where;

/// A new checkout.
macro_rules! insert_checkout {
    () => {
        "INSERT INTO checkouts (organisation_id, id, revision, checkout_status, client_secret, customer_id, contract_id,
         catalog_id, contract_version, as_of, previewed_at, request, preview, expires_at, created_at, updated_at)
         VALUES ($1, $3, 1, 'pending', $4, $5, $6, $7, $8, $9, $2, $10, $11, $12, $2, $2)"
    };
}

impl Verifier {
    /// Refuses what was shown where it is not what it costs.
    pub(crate) fn compare(&self, expected: Option<Json>, made: &Made) -> Result<(), Error> {
        let Some(expected) = expected else { return Ok(()) };
        let actual = stored_json(Shown::of(&made.preview)?.estimates.get())?;
        let differences = differences("/estimates", &expected, &actual);
        if differences.is_empty() {
            return Ok(());
        }
        self.metrics.mismatched();
        Err(Error::PreviewMismatch { differences, preview: Box::new(stored_json(&made.preview)?) })
    }

    /// A checkout of the caller's: any of its organisation with a secret key, one with its client secret.
    pub(crate) async fn checkout(&self, caller: &Caller, id: &str) -> Result<Checkout, Error> {
        let checkout = sqlx::query_as(checkouts_where!("c.organisation_id = $1 AND c.id = $2"))
            .bind(&caller.organisation.id)
            .bind(id);
        let checkout: Checkout = checkout.fetch_optional(&self.store.reads).await?.ok_or(Error::NotFound)?;
        match &caller.access {
            Access::Client { secret } if !secret::is(secret, &checkout.client_secret) => Err(Error::NotFound),
            _ => Ok(checkout),
        }
    }

    /// Writes a new checkout, its event and the answer: all or nothing.
    async fn insert(
        &self,
        organisation: &str,
        checkout: &Checkout,
        created: &Event,
        claim: &Claimable,
        answer: &Answer,
    ) -> Result<(), Error> {
        // All of it on one way to the database.
        let insert = sqlx::query(match (self.store.is_postgres, &claim.0) {
            (true, _) => concat!(
                "WITH checkout AS (",
                insert_checkout!(),
                "), event AS (",
                insert_event!("$2", "$13", "$14"),
                ") ",
                insert_deliveries!("$2", "$13")
            ),
            (false, None) => {
                at_once!(insert_checkout!(), insert_event!("$2", "$13", "$14"), insert_deliveries!("$2", "$13"))
            }
            (false, Some(_)) => concat!(
                insert_checkout!(),
                "; ",
                insert_event!("$2", "$13", "$14"),
                "; ",
                insert_deliveries!("$2", "$13")
            ),
        });
        let insert = insert
            .bind(organisation)
            .bind(checkout.created_at)
            .bind(&checkout.id)
            .bind(&checkout.client_secret)
            .bind(&checkout.customer_id)
            .bind(&checkout.contract_id)
            .bind(&checkout.catalog_id)
            .bind(checkout.contract_version)
            .bind(&checkout.as_of)
            .bind(&checkout.request)
            .bind(&checkout.preview)
            .bind(checkout.expires_at)
            .bind(&created.id)
            .bind(&created.body);
        match &claim.0 {
            None => self.store.write_at_once(insert).await?,
            Some(claim) => {
                let mut transaction = self.store.begin().await?;
                insert.execute(&mut *transaction).await?;
                claim.settle(&mut transaction, answer).await?;
                transaction.commit().await?;
            }
        }
        claim.committed();
        self.happened();
        Ok(())
    }
}

/// A stored checkout, and what it made of a contract.
#[derive(sqlx::FromRow)]
pub(crate) struct Checkout {
    pub(crate) id: String,
    pub(crate) revision: i64,
    checkout_status: String,
    client_secret: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) contract_id: Option<String>,
    pub(crate) catalog_id: String,
    pub(crate) contract_version: Option<i64>,
    pub(crate) as_of: String,
    pub(crate) previewed_at: i64,
    pub(crate) request: String,
    pub(crate) preview: String,
    pub(crate) expires_at: i64,
    pub(crate) payment_method_id: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) contract: Option<String>,
}

impl Checkout {
    /// `shown` is what `made` shows.
    fn new(id: String, client_secret: String, made: Made, shown: &Shown<'_>) -> Result<Checkout, Error> {
        let now = micros(made.clock.now);
        Ok(Checkout {
            id,
            revision: 1,
            checkout_status: Status::Pending.as_str().into(),
            client_secret,
            customer_id: optional_text(shown.customer_id)?,
            contract_id: optional_text(shown.contract_id)?,
            catalog_id: made.view.catalog_id,
            contract_version: made.view.contract_version,
            as_of: made.clock.as_of.to_string(),
            previewed_at: now,
            request: checkout_preview::json::to_text(made.request.as_ref()),
            expires_at: expires_at(shown)?,
            preview: made.preview,
            payment_method_id: None,
            created_at: now,
            updated_at: now,
            contract: None,
        })
    }

    /// Takes the place of what was previewed before.
    pub(crate) fn preview_again(&mut self, made: Made) -> Result<(), Error> {
        let preview = made.preview.clone();
        let again = Checkout::new(self.id.clone(), self.client_secret.clone(), made, &Shown::of(&preview)?)?;
        let (revision, created_at) = (self.revision, self.created_at);
        *self = Checkout { revision, created_at, ..again };
        Ok(())
    }

    /// The status at an instant.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> Result<Status, Error> {
        let stored = Status::named(&self.checkout_status).ok_or(Error::Internal("a stored status is none"))?;
        Ok(stored.at(now, instant(self.expires_at)?))
    }

    pub(crate) fn event(&self, r#type: EventType, status: Status, now: i64) -> Result<Event, Error> {
        let shown = Shown::of(&self.preview)?;
        Event::new(r#type, &self.told(&shown, status), instant(now)?)
    }

    /// What an event tells of it; `shown` is its preview.
    pub(crate) fn told<'a>(&'a self, shown: &Shown<'a>, checkout_status: Status) -> CheckoutData<'a> {
        CheckoutData {
            id: &self.id,
            checkout_status,
            checkout_type: shown.checkout_type,
            plan_id: shown.plan_id,
            contract_id: self.contract_id.as_deref(),
            customer_id: self.customer_id.as_deref(),
            business_entity_id: shown.business_entity_id,
            payment_reference: None,
            reason: None,
        }
    }

    /// The session as it goes over the wire.
    pub(crate) fn session(
        &self,
        organisation_id: &str,
        checkout_status: Status,
        client_secret: Option<&str>,
    ) -> Result<String, Error> {
        self.session_of(&Shown::of(&self.preview)?, organisation_id, checkout_status, client_secret)
    }

    /// The same; `shown` is its preview.
    fn session_of(
        &self,
        shown: &Shown<'_>,
        organisation_id: &str,
        checkout_status: Status,
        client_secret: Option<&str>,
    ) -> Result<String, Error> {
        let contract = self.contract.as_deref().map(raw).transpose()?;
        let session = Session {
            id: &self.id,
            organisation_id,
            checkout_status,
            checkout_type: shown.checkout_type,
            client_secret,
            plan_id: shown.plan_id,
            contract_id: self.contract_id.as_deref(),
            source_contract_id: shown.contract_id,
            start_date: shown.start_date,
            end_date: shown.end_date,
            customer_id: self.customer_id.as_deref(),
            business_entity_id: shown.business_entity_id,
            guest_checkout: shown.guest_checkout,
            customer_data: shown.customer_data,
            estimates: shown.estimates,
            contract: contract.unwrap_or(shown.contract),
            expires_at: shown.expires_at,
            success_url: shown.success_url,
            cancel_url: shown.cancel_url,
            product_overrides: shown.product_overrides,
            payment_method_id: self.payment_method_id.as_deref(),
            catalog_version: shown.catalog_version,
            engine_version: shown.engine_version,
            as_of: &self.as_of,
            created_at: wire(self.created_at)?,
            updated_at: wire(self.updated_at)?,
        };
        serde_json::to_string(&session).map_err(|_| Error::Internal("a session cannot be written"))
    }
}

/// A preview's fields, each as the text it is.
#[derive(Deserialize)]
pub(crate) struct Shown<'a> {
    #[serde(borrow)]
    pub(crate) checkout_type: &'a RawValue,
    #[serde(borrow)]
    pub(crate) plan_id: &'a RawValue,
    #[serde(borrow)]
    pub(crate) contract_id: &'a RawValue,
    #[serde(borrow)]
    start_date: &'a RawValue,
    #[serde(borrow)]
    end_date: &'a RawValue,
    #[serde(borrow)]
    pub(crate) customer_id: &'a RawValue,
    #[serde(borrow)]
    pub(crate) business_entity_id: &'a RawValue,
    #[serde(borrow)]
    pub(crate) guest_checkout: &'a RawValue,
    #[serde(borrow)]
    pub(crate) customer_data: &'a RawValue,
    #[serde(borrow)]
    pub(crate) estimates: &'a RawValue,
    #[serde(borrow)]
    pub(crate) contract: &'a RawValue,
    #[serde(borrow)]
    expires_at: &'a RawValue,
    #[serde(borrow)]
    success_url: &'a RawValue,
    #[serde(borrow)]
    cancel_url: &'a RawValue,
    #[serde(borrow)]
    product_overrides: &'a RawValue,
    #[serde(borrow)]
    catalog_version: &'a RawValue,
    #[serde(borrow)]
    engine_version: &'a RawValue,
}

impl Shown<'_> {
    pub(crate) fn of(preview: &str) -> Result<Shown<'_>, Error> {
        serde_json::from_str(preview).map_err(|_| Error::Internal("a preview lacks a field"))
    }
}

/// When a preview's checkout expires.
fn expires_at(shown: &Shown<'_>) -> Result<i64, Error> {
    let expires_at = read_instant(&stored_json(shown.expires_at.get())?, "/expires_at");
    expires_at.map(micros).map_err(|_| Error::Internal("a preview does not say when it expires"))
}

pub(crate) fn optional_text(json: &RawValue) -> Result<Option<String>, Error> {
    serde_json::from_str(json.get()).map_err(|_| Error::Internal("a preview's id is no text"))
}

#[derive(Serialize)]
struct Session<'a> {
    id: &'a str,
    organisation_id: &'a str,
    checkout_status: Status,
    checkout_type: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    plan_id: &'a RawValue,
    contract_id: Option<&'a str>,
    source_contract_id: &'a RawValue,
    start_date: &'a RawValue,
    end_date: &'a RawValue,
    customer_id: Option<&'a str>,
    business_entity_id: &'a RawValue,
    guest_checkout: &'a RawValue,
    customer_data: &'a RawValue,
    estimates: &'a RawValue,
    contract: &'a RawValue,
    expires_at: &'a RawValue,
    success_url: &'a RawValue,
    cancel_url: &'a RawValue,
    product_overrides: &'a RawValue,
    payment_method_id: Option<&'a str>,
    catalog_version: &'a RawValue,
    engine_version: &'a RawValue,
    as_of: &'a str,
    created_at: String,
    updated_at: String,
}

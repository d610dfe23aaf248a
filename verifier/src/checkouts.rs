//! Checkouts: previewed, created, read, confirmed.
//!
//! A session is what it was made from (the request, the catalog snapshot, the date and the instant) and the preview that
//! came of it, as text. Confirming makes the preview again and compares the bytes.

use crate::Verifier;
use crate::contracts::confirmed;
use crate::differences::differences;
use crate::error::{CONFIRMABLE, Error};
use crate::http::{Id, JsonBody, OptionalJson, Organisation, json_text};
use crate::store::{instant, micros, new_id};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use checkout_preview::{Clock, Json, Problem, ProblemCode, Problems, json, preview, read_date, read_instant};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::sync::Arc;

const NULL: &Json = &Json::Null;

/// `POST /checkouts/preview`: runs the engine and stores nothing.
pub(crate) async fn show(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    JsonBody(request): JsonBody,
) -> Result<Response, Error> {
    Ok(json_text(StatusCode::OK, verifier.make(&organisation, &request).await?.preview))
}

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
    let Made { catalog_id, clock, preview } = verifier.make(&organisation, &request).await?;
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
        catalog_id,
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
        "INSERT INTO checkouts (organisation_id, id, checkout_status, catalog_id, as_of, request, preview, expires_at,
         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&organisation)
    .bind(&checkout.id)
    .bind(&checkout.checkout_status)
    .bind(&checkout.catalog_id)
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
    Id(id): Id,
) -> Result<Response, Error> {
    let checkout = verifier.checkout(&organisation, &id).await?;
    Ok(json_text(StatusCode::OK, checkout.session(&organisation, verifier.moment().now)?))
}

/// `POST /checkouts/{id}/confirm`: makes the contract, once.
pub(crate) async fn confirm(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    Id(id): Id,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Error> {
    let payment_method_id = body.map(payment_method_id).transpose()?.flatten();
    let checkout = verifier.checkout(&organisation, &id).await?;
    let now = verifier.moment().now;
    checkout.confirmable(now)?;

    let again = verifier.make_again(&organisation, &checkout).await?;
    if again != checkout.preview {
        return Err(Error::NotReproducible);
    }
    let document = stored_json(&checkout.preview)?;
    let guest = (document.get("customer_id").unwrap_or(NULL) == NULL).then(|| Guest::of(&document));
    let contract_id = new_id();
    let contract = confirmed(
        document.get("contract").unwrap_or(NULL),
        &contract_id,
        guest.as_ref().map(|guest| guest.id.as_str()),
        new_id,
    );

    // The update is the guard: it takes the row, and finds it pending and unexpired once only.
    let mut transaction = verifier.db.begin().await?;
    let taken = sqlx::query(
        "UPDATE checkouts SET checkout_status = 'contract_created', payment_method_id = $3, updated_at = $4
         WHERE organisation_id = $1 AND id = $2 AND checkout_status = 'pending' AND expires_at > $4",
    )
    .bind(&organisation)
    .bind(&id)
    .bind(&payment_method_id)
    .bind(micros(now))
    .execute(&mut *transaction)
    .await?;
    if taken.rows_affected() == 0 {
        transaction.rollback().await?;
        verifier.checkout(&organisation, &id).await?.confirmable(now)?;
        return Err(Error::Internal("a checkout was neither taken nor confirmable"));
    }
    if let Some(guest) = &guest {
        sqlx::query(
            "INSERT INTO customers (organisation_id, id, body, customer_data, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&organisation)
        .bind(&guest.id)
        .bind(json::to_text(guest))
        .bind(json::to_text(document.get("customer_data").unwrap_or(NULL)))
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
    }
    sqlx::query(
        "INSERT INTO contracts (organisation_id, id, checkout_id, body, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&organisation)
    .bind(&contract_id)
    .bind(&id)
    .bind(json::to_text(&contract))
    .bind(micros(now))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;

    let checkout = verifier.checkout(&organisation, &id).await?;
    Ok(json_text(StatusCode::OK, checkout.session(&organisation, now)?))
}

/// A preview, and what it was made from besides the request.
struct Made {
    catalog_id: String,
    clock: Clock,
    preview: String,
}

impl Verifier {
    async fn make(&self, organisation: &str, request: &Json) -> Result<Made, Error> {
        let snapshot = self.catalog_for(organisation, request).await?;
        let clock = self.moment().clock(request, &snapshot.catalog)?;
        let preview = json::to_text(&preview(request, &snapshot.catalog, clock)?);
        Ok(Made { catalog_id: snapshot.id.clone(), clock, preview })
    }

    /// The preview of a stored checkout, from what it pins. An engine that refuses it now does not reproduce it.
    async fn make_again(&self, organisation: &str, checkout: &Checkout) -> Result<String, Error> {
        let request = stored_json(&checkout.request)?;
        let as_of = read_date(&Json::String(checkout.as_of.clone()), "/as_of");
        let as_of: NaiveDate = as_of.map_err(|_| Error::Internal("a stored date is none"))?;
        let clock = Clock { as_of, now: instant(checkout.created_at)? };
        let snapshot = match self.pinned_catalog_for(organisation, &checkout.catalog_id, &request).await {
            Err(Error::Rejected(_)) => return Err(Error::NotReproducible),
            snapshot => snapshot?,
        };
        let again = preview(&request, &snapshot.catalog, clock).map_err(|_| Error::NotReproducible)?;
        Ok(json::to_text(&again))
    }

    async fn checkout(&self, organisation: &str, id: &str) -> Result<Checkout, Error> {
        let checkout = sqlx::query_as(
            "SELECT checkouts.id, checkout_status, catalog_id, as_of, request, preview, expires_at, payment_method_id,
             checkouts.created_at, updated_at, contracts.body AS contract
             FROM checkouts LEFT JOIN contracts
             ON contracts.organisation_id = checkouts.organisation_id AND checkout_id = checkouts.id
             WHERE checkouts.organisation_id = $1 AND checkouts.id = $2",
        );
        checkout.bind(organisation).bind(id).fetch_optional(&self.db).await?.ok_or(Error::NotFound)
    }
}

/// A stored checkout, and the contract it became.
#[derive(sqlx::FromRow)]
struct Checkout {
    id: String,
    checkout_status: String,
    catalog_id: String,
    as_of: String,
    request: String,
    preview: String,
    expires_at: i64,
    payment_method_id: Option<String>,
    created_at: i64,
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

    fn confirmable(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let current_status = self.status(now)?;
        if CONFIRMABLE.contains(&current_status) { Ok(()) } else { Err(Error::NotConfirmable { current_status }) }
    }

    /// The session as it goes over the wire.
    fn session(&self, organisation_id: &str, now: DateTime<Utc>) -> Result<String, Error> {
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

/// The customer a guest becomes, as the engine reads customers in a catalog.
#[derive(Serialize)]
struct Guest<'a> {
    id: String,
    name: Option<&'a str>,
    business_entity_id: &'a Json,
}

impl Guest<'_> {
    fn of(preview: &Json) -> Guest<'_> {
        let name = match preview.get("customer_data").and_then(|data| data.get("name")) {
            Some(Json::String(name)) => Some(name.as_str()),
            _ => None,
        };
        Guest { id: new_id(), name, business_entity_id: preview.get("business_entity_id").unwrap_or(NULL) }
    }
}

/// The body of a confirmation: nothing but `payment_method_id`, which is an id or null.
fn payment_method_id(body: Json) -> Result<Option<String>, Problems> {
    const FIELD: &str = "payment_method_id";
    let problem = |code, path: String, message, help: &'static str| Problem { code, path, message, help: help.into() };
    let Json::Object(fields) = body else {
        let message = format!("expected an object, found {}", body.kind());
        return Err(problem(ProblemCode::InvalidType, String::new(), message, "send an object or no body").into());
    };
    let mut found = None;
    let mut problems = Vec::new();
    for (name, value) in fields {
        match value {
            _ if name != FIELD => problems.push(problem(
                ProblemCode::UnknownField,
                format!("/{}", name.replace('~', "~0").replace('/', "~1")),
                format!("there is no field `{}`", name.chars().take(60).collect::<String>()),
                "a confirmation has only `payment_method_id`",
            )),
            Json::Null => {}
            Json::String(id) if (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) => {
                found = Some(id);
            }
            Json::String(id) => problems.push(problem(
                ProblemCode::InvalidId,
                format!("/{FIELD}"),
                format!("`{}` is not an id", id.chars().take(60).collect::<String>()),
                "use 1 to 255 printable ASCII characters without spaces",
            )),
            Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => {
                problems.push(problem(
                    ProblemCode::InvalidType,
                    format!("/{FIELD}"),
                    format!("expected a string, found {}", value.kind()),
                    "send the id of a payment method, or leave the field out",
                ));
            }
        }
    }
    problems.sort_by(|one, other| (one.code, &one.path).cmp(&(other.code, &other.path)));
    Problems::new(problems).map_or(Ok(found), Err)
}

fn take(object: &mut Json, key: &str) -> Option<Json> {
    let Json::Object(fields) = object else { return None };
    let at = fields.iter().position(|(name, _)| name == key)?;
    Some(fields.remove(at).1)
}

fn stored_json(text: &str) -> Result<Json, Error> {
    json::parse(text.as_bytes()).map_err(|_| Error::Internal("a stored document is not JSON"))
}

/// An instant as it goes over the wire (R1.1): with a fraction only where there is one.
fn wire(micros: i64) -> Result<String, Error> {
    let text = instant(micros)?.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    Ok(format!("{}Z", text.trim_end_matches('0').trim_end_matches('.')))
}

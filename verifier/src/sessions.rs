//! `POST /sessions`: a token with which a customer's browser speaks for that customer, for a while.

use crate::Verifier;
use crate::caller::Caller;
use crate::error::Error;
use crate::fields::Fields;
use crate::http::{JsonBody, json_text};
use crate::idempotency::{Answer, Claimable};
use crate::schema::{request::SessionTokenRequest, session::SessionToken};
use crate::secret::{Kind, Secret};
use crate::store::{micros, repeated, wire};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Json, ProblemCode, quoted};
use serde::Serialize;
use std::sync::Arc;

const DEFAULT_TTL: i64 = 3600;
const LONGEST_TTL: i64 = 24 * 3600;

#[derive(Serialize)]
struct Session<'a> {
    session_token: &'a str,
    customer_id: &'a str,
    expires_at: String,
}

/// Let a customer's browser speak for the customer
///
/// Makes a token that a page sends as `session-id`: with it, it sees its own customer and that customer's contracts, and
/// can preview and create checkouts for them. It is told once, and works until `expires_at`.
#[utoipa::path(
    post, path = "/sessions", operation_id = "createSession", tag = "Sessions",
    request_body = SessionTokenRequest,
    responses((status = 201, description = "The token.", body = SessionToken)),
    extensions(("x-errors" = json!(["catalog_missing", "rejected"]))),
)]
pub(crate) async fn create(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    claim: Claimable,
    JsonBody(body): JsonBody,
) -> Result<Response, Error> {
    Ok(json_text(StatusCode::CREATED, open(&verifier, &caller, &claim, body).await?))
}

impl Verifier {
    /// Makes a session for whoever runs the verifier; `body` is that of `POST /sessions`, and so is what is given back.
    ///
    /// # Errors
    /// There is no such organisation, something is wrong with the body, or the database fails.
    pub async fn create_session(&self, organisation: &str, body: Json) -> Result<String, Error> {
        self.organisation(organisation).await?;
        let catalog_id = self.current_catalog_id(organisation).await?;
        open(self, &Caller::operator(organisation, catalog_id), &Claimable(None), body).await
    }
}

async fn open(verifier: &Verifier, caller: &Caller, claim: &Claimable, body: Json) -> Result<String, Error> {
    let organisation = caller.organisation.id.as_str();
    let mut fields = Fields::of(Some(body), &["customer_id", "ttl_seconds"])?;
    let names_a_customer = fields.has("customer_id");
    let customer_id = fields.id("customer_id");
    let ttl = fields.whole_number("ttl_seconds", 1..=LONGEST_TTL).unwrap_or(DEFAULT_TTL);
    if !names_a_customer {
        let message = "no customer to speak for".into();
        fields.refuse(ProblemCode::CustomerIdRequired, "customer_id", message, "send `customer_id`");
    }
    if let Some(id) = &customer_id {
        let snapshot = verifier.current_snapshot(caller).await?.ok_or(Error::CatalogMissing)?;
        if verifier.customer(organisation, &snapshot, id).await?.is_none() {
            let help = "send the id of a customer in the catalog, or of a guest who bought";
            fields.refuse(
                ProblemCode::CustomerNotFound,
                "customer_id",
                format!("there is no customer {}", quoted(id)),
                help,
            );
        }
    }
    fields.finish()?;
    let Some(customer_id) = customer_id else { return Err(Error::Internal("a problem was not told")) };

    let now = verifier.moment().now;
    let secret = Secret::new(Kind::SessionToken);
    let expires_at = micros(now).saturating_add(ttl.saturating_mul(1_000_000));
    let session = Session { session_token: &secret.text, customer_id: &customer_id, expires_at: wire(expires_at)? };
    let body = serde_json::to_string(&session).map_err(|_| Error::Internal("a session cannot be written"))?;
    let answer = Answer { status: 201, location: None, body };
    repeated(|| async {
        let mut transaction = verifier.store.begin().await?;
        sqlx::query(
            "INSERT INTO sessions (organisation_id, id, customer_id, hash, expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(organisation)
        .bind(&secret.id)
        .bind(&customer_id)
        .bind(&secret.hash)
        .bind(expires_at)
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        claim.settle(&mut transaction, &answer).await?;
        Ok(transaction.commit().await?)
    })
    .await?;
    claim.committed();
    Ok(answer.body)
}

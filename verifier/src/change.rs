//! `PATCH /checkouts/{id}`: fields of the request are changed, and it is previewed anew.

use crate::Verifier;
use crate::caller::{Access, Caller};
use crate::checkouts::{Checkout, expected_estimates};
use crate::error::Error;
use crate::events::EventType;
use crate::http::{CheckoutId, JsonBody, json_text};
use crate::schema::{request::CreateFields, session::Session};
use crate::status::{Action, Status};
use crate::store::{micros, repeated, stored_json};
use crate::view::Sight;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Json, Problem, ProblemCode, Problems};
use std::sync::Arc;

/// Change a checkout
///
/// Possible while it is `pending`. A field that is sent takes the place of the one before, and null takes it away; then the
/// checkout is previewed anew, and its `estimates` and `contract` are replaced. With `expected_estimates` it is changed
/// only if they are what it costs then.
#[utoipa::path(
    patch, path = "/checkouts/{id}", operation_id = "changeCheckout", tag = "Checkouts",
    params(("id" = String, Path, description = "The checkout's id.", format = "uuid")),
    request_body(content = CreateFields, example = json!({"product_overrides": [{"product_id": "seats", "quantity": "8"}]})),
    responses((status = 200, description = "The checkout, changed.", body = Session)),
    extensions(("x-errors" = json!(["catalog_missing", "rejected", "answer_too_large", "preview_mismatch", "checkout_not_changeable"]))),
)]
pub(crate) async fn change(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    CheckoutId(id): CheckoutId,
    JsonBody(mut body): JsonBody,
) -> Result<Response, Error> {
    let expected = expected_estimates(&mut body)?;
    let Json::Object(fields) = body else {
        let message = format!("expected an object, found {}", body.kind());
        let help = "send the fields to change".into();
        let problem = Problem { code: ProblemCode::InvalidType, path: String::new(), message: message.into(), help };
        return Err(Problems::from(problem).into());
    };
    let session = repeated(|| verifier.change_now(&caller, &id, &fields, expected.clone())).await?;
    Ok(json_text(StatusCode::OK, session))
}

impl Verifier {
    async fn change_now(
        &self,
        caller: &Caller,
        id: &str,
        fields: &[(String, Json)],
        expected: Option<Json>,
    ) -> Result<String, Error> {
        let organisation = caller.organisation.id.as_str();
        let mut checkout = self.checkout(caller, id).await?;
        let now = self.moment().now;
        let (status, expires_at) = (checkout.status(now)?, checkout.expires_at);
        Action::Change.check(status)?;
        let request = merged(stored_json(&checkout.request)?, fields);
        let made = self.make_in_sight(caller, &sight(caller, &checkout), request).await?;
        self.compare(expected, &made)?;
        checkout.preview_again(made)?;
        checkout.updated_at = micros(now);
        let event = checkout.event(EventType::CheckoutUpdated, Status::Pending, checkout.updated_at)?;
        let session = checkout.session(organisation, Status::Pending, None)?;

        let mut transaction = self.store.begin().await?;
        let changed = sqlx::query(
            "UPDATE checkouts SET revision = revision + 1, customer_id = $4, contract_id = $5, catalog_id = $6,
             contract_version = $7, as_of = $8, previewed_at = $9, request = $10, preview = $11, expires_at = $12,
             updated_at = $13
             WHERE organisation_id = $1 AND id = $2 AND revision = $3",
        )
        .bind(organisation)
        .bind(id)
        .bind(checkout.revision)
        .bind(&checkout.customer_id)
        .bind(&checkout.contract_id)
        .bind(&checkout.catalog_id)
        .bind(checkout.contract_version)
        .bind(&checkout.as_of)
        .bind(checkout.previewed_at)
        .bind(&checkout.request)
        .bind(&checkout.preview)
        .bind(checkout.expires_at)
        .bind(checkout.updated_at)
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(Error::Overtaken);
        }
        event.write(&self.store, &mut transaction, organisation).await?;
        self.is_still(status, expires_at)?;
        transaction.commit().await?;
        self.happened();
        Ok(session)
    }
}

/// Whoever holds a client secret sees what the checkout's customer sees; a guest, what everybody does.
fn sight(caller: &Caller, checkout: &Checkout) -> Sight {
    match (&caller.access, &checkout.customer_id) {
        (Access::Client { .. }, Some(customer_id)) => Sight::Customer(customer_id.clone()),
        (access, _) => Sight::of(access),
    }
}

fn merged(request: Json, fields: &[(String, Json)]) -> Json {
    let Json::Object(mut merged) = request else { return request };
    for (name, value) in fields {
        let before = merged.len();
        merged.retain(|(known, _)| known != name);
        // A null that takes nothing away stays, so that a field that there is not is refused.
        if *value != Json::Null || merged.len() == before {
            merged.push((name.clone(), value.clone()));
        }
    }
    Json::Object(merged)
}

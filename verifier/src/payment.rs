//! `POST /checkouts/{id}/payment`: what the merchant's payment provider reported.

use crate::Verifier;
use crate::caller::Caller;
use crate::cancel::Told;
use crate::error::Error;
use crate::events::EventType;
use crate::fields::Fields;
use crate::http::{CheckoutId, JsonBody, json_text};
use crate::idempotency::Claimable;
use crate::schema::{request::PaymentRequest, session::Session};
use crate::status::{Action, Status};
use crate::store::repeated;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Json, ProblemCode};
use std::sync::Arc;

/// Characters of a reference.
const REFERENCE: usize = 255;

/// Report a payment
///
/// What the merchant's payment provider said: `initiated` for a checkout that is `pending` or `payment_failed`, then
/// `succeeded` or `failed`. While money moves, a checkout does not expire. The `reference` goes into the event.
#[utoipa::path(
    post, path = "/checkouts/{id}/payment", operation_id = "reportPayment", tag = "Checkouts",
    params(("id" = String, Path, description = "The checkout's id.", format = "uuid")),
    request_body = PaymentRequest,
    responses((status = 200, description = "The checkout, in its new status.", body = Session)),
    extensions(("x-errors" = json!(["rejected", "checkout_not_payable"]))),
)]
pub(crate) async fn payment(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    claim: Claimable,
    CheckoutId(id): CheckoutId,
    JsonBody(body): JsonBody,
) -> Result<Response, Error> {
    let mut fields = Fields::of(Some(body), &["status", "reference"])?;
    let status = match fields.take("status") {
        Some(Json::String(status)) => named(&status),
        _ => None,
    };
    if status.is_none() {
        let message = "no status of a payment".into();
        fields.refuse(ProblemCode::InvalidType, "status", message, "send `initiated`, `succeeded` or `failed`");
    }
    let reference = fields.text("reference", REFERENCE);
    fields.finish()?;
    let Some((action, status)) = status else { return Err(Error::Internal("a problem was not told")) };
    let told = Told { action, status, event: EventType::CheckoutUpdated };
    let session = repeated(|| verifier.tell(&caller, &claim, &id, told, reference.as_deref(), None)).await?;
    Ok(json_text(StatusCode::OK, session))
}

fn named(status: &str) -> Option<(Action, Status)> {
    match status {
        "initiated" => Some((Action::InitiatePayment, Status::PaymentInitiated)),
        "succeeded" => Some((Action::SettlePayment, Status::PaymentSucceeded)),
        "failed" => Some((Action::SettlePayment, Status::PaymentFailed)),
        _ => None,
    }
}

//! `POST /checkouts/{id}/cancel`: a checkout is given up.

use crate::Verifier;
use crate::caller::Caller;
use crate::checkouts::Shown;
use crate::error::Error;
use crate::events::{CheckoutData, Event, EventType};
use crate::fields::Fields;
use crate::http::{CheckoutId, OptionalJson, json_text};
use crate::idempotency::{Answer, Claimable};
use crate::schema::{request::CancelRequest, session::Session};
use crate::status::{Action, Status};
use crate::store::{instant, micros, repeated};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Characters of a reason.
const REASON: usize = 500;

/// Cancel a checkout
///
/// Possible while it is `pending` or `payment_failed`. The body may be left out.
#[utoipa::path(
    post, path = "/checkouts/{id}/cancel", operation_id = "cancelCheckout", tag = "Checkouts",
    params(("id" = String, Path, description = "The checkout's id.", format = "uuid")),
    request_body = Option<CancelRequest>,
    responses((status = 200, description = "The checkout, cancelled.", body = Session)),
    extensions(("x-errors" = json!(["rejected", "checkout_not_cancellable"]))),
)]
pub(crate) async fn cancel(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    claim: Claimable,
    CheckoutId(id): CheckoutId,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Error> {
    let mut fields = Fields::of(body, &["reason"])?;
    let reason = fields.text("reason", REASON);
    fields.finish()?;
    let cancelled = Told { status: Status::Cancelled, action: Action::Cancel, event: EventType::CheckoutCancelled };
    let session = repeated(|| verifier.tell(&caller, &claim, &id, cancelled, None, reason.as_deref())).await?;
    Ok(json_text(StatusCode::OK, session))
}

/// A status that a checkout is told to take, and what is said of it.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    pub(crate) action: Action,
    pub(crate) status: Status,
    pub(crate) event: EventType,
}

impl Verifier {
    /// Gives a checkout a status from outside. `payment_reference` and `reason` go into the event.
    pub(crate) async fn tell(
        &self,
        caller: &Caller,
        claim: &Claimable,
        id: &str,
        told: Told,
        payment_reference: Option<&str>,
        reason: Option<&str>,
    ) -> Result<String, Error> {
        let organisation = caller.organisation.id.as_str();
        let mut checkout = self.checkout(caller, id).await?;
        let now = self.moment().now;
        let status = checkout.status(now)?;
        told.action.check(status)?;
        checkout.updated_at = micros(now);
        let shown = Shown::of(&checkout.preview)?;
        let data = CheckoutData { payment_reference, reason, ..checkout.told(&shown, told.status) };
        let event = Event::new(told.event, &data, now)?;
        // A payment that failed too late leaves nothing to try again.
        let shown = told.status.at(now, instant(checkout.expires_at)?);
        let answer = Answer { status: 200, location: None, body: checkout.session(organisation, shown, None)? };
        let mut transaction = self.store.begin().await?;
        self.move_to(&mut transaction, organisation, &checkout, told.status).await?;
        event.write(&self.store, &mut transaction, organisation).await?;
        claim.settle(&mut transaction, &answer).await?;
        self.is_still(status, checkout.expires_at)?;
        transaction.commit().await?;
        claim.committed();
        self.happened();
        Ok(answer.body)
    }
}

//! What a checkout would cost, stored nowhere: previews and billing schedules.

use crate::Verifier;
use crate::caller::Caller;
use crate::error::Error;
use crate::http::{JsonBody, json_text};
use crate::schema::invoice::BillingSchedule;
use crate::schema::preview::Preview;
use crate::schema::request::{Request, ScheduleRequest};
use crate::view::{Sight, View};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Catalog, CheckoutType, Clock, Invoice, Json, billing_schedule, json, preview, read_count};
use std::sync::Arc;

/// Preview a checkout
///
/// Says to the cent what a checkout would do and cost, and stores nothing: the same bytes as the engine in the browser
/// writes for the same catalog. Show `estimates` to the buyer, and send them as `expected_estimates` to `POST /checkouts`.
#[utoipa::path(
    post, path = "/checkouts/preview", operation_id = "previewCheckout", tag = "Previews",
    request_body = Request,
    responses((status = 200, description = "The preview.", body = Preview)),
    extensions(("x-errors" = json!(["catalog_missing", "rejected", "answer_too_large"]))),
)]
pub(crate) async fn show(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    JsonBody(request): JsonBody,
) -> Result<Response, Error> {
    Ok(json_text(StatusCode::OK, verifier.make(&caller, request).await?.preview))
}

/// How many invoices a schedule lists that does not say.
const COUNT: u8 = 12;

/// List the invoices to come
///
/// The invoices after the one that a preview shows as `current_invoice`, each as it will be if nothing changes; stores
/// nothing.
#[utoipa::path(
    post, path = "/checkouts/schedule", operation_id = "scheduleCheckout", tag = "Previews",
    request_body = ScheduleRequest,
    responses((status = 200, description = "The invoices, earliest first.", body = BillingSchedule)),
    extensions(("x-errors" = json!(["catalog_missing", "rejected", "answer_too_large"]))),
)]
pub(crate) async fn schedule(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    JsonBody(mut request): JsonBody,
) -> Result<Response, Error> {
    let count = match take(&mut request, "count") {
        None | Some(Json::Null) => Ok(COUNT),
        Some(count) => read_count(&count, "/count"),
    };
    let snapshot = verifier.current_snapshot(&caller).await?.ok_or(Error::CatalogMissing)?;
    let view = verifier.view(&caller.organisation.id, &snapshot, &Sight::of(&caller.access), &request).await?;
    let clock = verifier.moment().clock(&request, &view.catalog)?;
    let schedule = verifier.apart(move || {
        let schedule = billing_schedule(&request, &view.catalog, clock, count)?;
        let invoices = schedule.invoices().iter().chain(schedule.without_change().unwrap_or_default());
        sized(invoices.map(Invoice::line_count).sum(), || json::to_text(&schedule))
    });
    Ok(json_text(StatusCode::OK, schedule.await?))
}

/// The most that a preview or a schedule may be: more than a plan of 1,000 lines has. From a daily plan that began in 2000
/// come 87 MB, of a request of 30 bytes; and what a checkout shows is stored, and listed a hundred at a time.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;
/// The least a line item takes.
const LINE_ITEM: usize = 400;

/// A text of so many line items, if it is not too large.
fn sized(line_items: usize, write: impl FnOnce() -> String) -> Result<String, Error> {
    if line_items > ANSWER_LIMIT / LINE_ITEM {
        return Err(Error::AnswerTooLarge);
    }
    let text = write();
    if text.len() > ANSWER_LIMIT { Err(Error::AnswerTooLarge) } else { Ok(text) }
}

/// A preview, and what it was made from.
pub(crate) struct Made {
    pub(crate) view: View,
    pub(crate) request: Arc<Json>,
    pub(crate) clock: Clock,
    pub(crate) preview: String,
}

impl Verifier {
    /// Runs the engine on the current catalog, as the caller sees it.
    pub(crate) async fn make(&self, caller: &Caller, request: Json) -> Result<Made, Error> {
        self.make_in_sight(caller, &Sight::of(&caller.access), request).await
    }

    pub(crate) async fn make_in_sight(&self, caller: &Caller, sight: &Sight, request: Json) -> Result<Made, Error> {
        let request = Arc::new(request);
        let snapshot = self.current_snapshot(caller).await?.ok_or(Error::CatalogMissing)?;
        let view = self.view(&caller.organisation.id, &snapshot, sight, &request).await?;
        let clock = self.moment().clock(&request, &view.catalog)?;
        let (checkout_type, preview) = self.written(&view.catalog, &request, clock).await?;
        self.metrics.previewed(checkout_type);
        Ok(Made { view, request, clock, preview })
    }
}

impl Verifier {
    /// The preview as text.
    ///
    /// What begins today takes microseconds, less than another thread takes to wake up. What began in the past catches up
    /// with every invoice since.
    pub(crate) async fn written(
        &self,
        catalog: &Arc<Catalog>,
        request: &Arc<Json>,
        clock: Clock,
    ) -> Result<(CheckoutType, String), Error> {
        let (catalog, request) = (Arc::clone(catalog), Arc::clone(request));
        let begins_today = matches!(request.get("start_date"), None | Some(Json::Null));
        let work = move || {
            let preview = preview(&request, &catalog, clock)?;
            let next = preview.next_invoice().map_or(0, Invoice::line_count);
            let line_items = preview.current_invoice().line_count().saturating_add(next);
            Ok((preview.checkout_type(), sized(line_items, || json::to_text(&preview))?))
        };
        if begins_today { work() } else { self.apart(work).await }
    }
}

/// Takes a field that is not the engine's out of a request.
pub(crate) fn take(object: &mut Json, key: &str) -> Option<Json> {
    let Json::Object(fields) = object else { return None };
    let at = fields.iter().position(|(name, _)| name == key)?;
    Some(fields.remove(at).1)
}

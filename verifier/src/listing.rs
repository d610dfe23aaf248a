//! `GET /checkouts`: newest first, a page at a time.
//!
//! A page begins behind the last entry of the one before and not at a number, so whatever is created or changed between two
//! pages, none that was there is skipped or repeated.

use crate::Verifier;
use crate::caller::Caller;
use crate::checkouts::{Checkout, checkouts_where};
use crate::error::Error;
use crate::page::{Cursor, Page};
use crate::schema::list::{SessionList, SessionListQuery};
use crate::store::{Query, first_id_at};
use axum::extract::{Query as Parameters, State};
use axum::response::Response;
use std::sync::Arc;

/// List checkouts
///
/// Newest first, a page at a time: send `next_cursor` as `cursor`, with the same filters, for the next page. Whatever is
/// created or changed meanwhile, none that was there is skipped or repeated.
#[utoipa::path(
    get, path = "/checkouts", operation_id = "listCheckouts", tag = "Checkouts",
    params(SessionListQuery),
    responses((status = 200, description = "A page of checkouts.", body = SessionList)),
    extensions(("x-errors" = json!(["rejected"]))),
)]
pub(crate) async fn list(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    Parameters(parameters): Parameters<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let page = Page::of_checkouts(parameters)?;
    let organisation = &caller.organisation.id;
    let now = verifier.moment().now;
    if page.checkout_status.is_some() {
        // Now what is stored is what is so.
        verifier.expire(organisation, now).await?;
    }
    let mut after = match &page.after {
        Some(Cursor::Checkout { id }) => Some(id.clone()),
        Some(Cursor::MadeHere { .. } | Cursor::Listed { .. }) | None => None,
    };
    let chunk = page.limit.saturating_add(1).min(CHUNK);
    let mut found = Vec::new();
    while page.takes_more(&found) {
        let mut query = Query::new(checkouts_where!("c.organisation_id = ")).bind(organisation);
        if let Some(status) = page.checkout_status {
            query = query.push(" AND c.checkout_status = ").bind(status.as_str());
        }
        if let Some(customer_id) = &page.customer_id {
            query = query.push(" AND c.customer_id = ").bind(customer_id);
        }
        if let Some(contract_id) = &page.contract_id {
            query = query.push(" AND c.contract_id = ").bind(contract_id);
        }
        if let Some(created_after) = page.created_after {
            query = query.push(" AND c.id >= ").bind(&first_id_at(created_after.saturating_add(1)));
        }
        if let Some(created_before) = page.created_before {
            query = query.push(" AND c.id < ").bind(&first_id_at(created_before));
        }
        if let Some(after) = &after {
            query = query.push(" AND c.id < ").bind(after);
        }
        // An id begins with the instant of creation.
        let query = query.push(" ORDER BY c.id DESC LIMIT ").bind(chunk);
        let checkouts: Vec<Checkout> = query.fetch_all(&verifier.store.reads).await?;
        let is_last = checkouts.len() < chunk;
        for checkout in checkouts {
            let session = checkout.session(organisation, checkout.status(now)?, None)?;
            after = Some(checkout.id.clone());
            found.push((Cursor::Checkout { id: checkout.id }, session));
        }
        if is_last {
            break;
        }
    }
    page.answer(found)
}

/// How many checkouts are read from the database at a time, at most: a page of 20 and the one behind it.
const CHUNK: usize = 21;

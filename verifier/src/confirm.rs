//! Confirming: a checkout makes a contract, or the next version of one, once.
//!
//! The preview is made again from what the checkout pins and must be the stored one to the last byte; then everything is
//! written in one transaction whose statements carry their own guards.

use crate::Verifier;
use crate::checkouts::{Checkout, NULL};
use crate::contracts::{Current, confirmed, version};
use crate::differences::differences;
use crate::error::Error;
use crate::http::{CheckoutId, OptionalJson, Organisation, json_text};
use crate::previews::written;
use crate::store::{instant, micros, new_id, stored_json, text_of};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Clock, Json, Problem, ProblemCode, Problems, json, pointer_step, quoted, read_date, read_id};
use chrono::NaiveDate;
use serde::Serialize;
use std::sync::Arc;

/// `POST /checkouts/{id}/confirm`: makes or amends the contract, once.
pub(crate) async fn confirm(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    CheckoutId(id): CheckoutId,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Error> {
    let payment_method_id = body.map(payment_method_id).transpose()?.flatten();
    let checkout = verifier.checkout(&organisation, &id).await?;
    let now = verifier.moment().now;
    checkout.confirmable(now)?;

    let document = stored_json(&checkout.preview)?;
    let amended = text_of(&document, "contract_id");
    let Some(replaced) = verifier.replaced(&organisation, &checkout, amended).await? else {
        // It may be this very checkout that has changed the contract since.
        verifier.checkout(&organisation, &id).await?.confirmable(now)?;
        return Err(Error::ContractChanged);
    };
    let again = verifier.make_again(&organisation, &checkout).await?;
    if again != checkout.preview {
        return Err(Error::NotReproducible);
    }
    let is_guest = document.get("guest_checkout") == Some(&Json::Bool(true));
    let guest = is_guest.then(|| Guest::of(&document));
    let contract_id = amended.map_or_else(new_id, str::to_owned);
    let contract = confirmed(
        document.get("contract").unwrap_or(NULL),
        &contract_id,
        guest.as_ref().map(|guest| guest.id.as_str()),
        new_id,
    );

    if version(&contract).is_none_or(|version| version > i64::from(u32::MAX)) {
        // The engine would not read such a contract again.
        let help = "give it a lower version in the catalog";
        let message = format!("the version of {} cannot rise above {}", quoted(&contract_id), u32::MAX);
        let path = "/contract_id".into();
        return Err(
            Problems::from(Problem { code: ProblemCode::CatalogInvalid, path, message, help: help.into() }).into()
        );
    }

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
    // So is this one, for versions only rise: it finds the one that was amended once only, whoever else amends it.
    let written = sqlx::query(
        "INSERT INTO contracts (organisation_id, id, version, customer_id, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (organisation_id, id) DO UPDATE SET version = excluded.version, customer_id = excluded.customer_id
         WHERE contracts.version <= $6",
    )
    .bind(&organisation)
    .bind(&contract_id)
    .bind(version(&contract))
    .bind(text_of(&contract, "customer_id"))
    .bind(micros(now))
    .bind(replaced)
    .execute(&mut *transaction)
    .await?;
    if written.rows_affected() == 0 {
        transaction.rollback().await?;
        return Err(Error::ContractChanged);
    }
    sqlx::query(
        "INSERT INTO contract_versions (organisation_id, id, version, checkout_id, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&organisation)
    .bind(&contract_id)
    .bind(version(&contract))
    .bind(&id)
    .bind(json::to_text(&contract))
    .bind(micros(now))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;

    let checkout = verifier.checkout(&organisation, &id).await?;
    Ok(json_text(StatusCode::OK, checkout.session(&organisation, now)?))
}

impl Verifier {
    /// The preview of a stored checkout, from what it pins. An engine that refuses it now does not reproduce it.
    async fn make_again(&self, organisation: &str, checkout: &Checkout) -> Result<String, Error> {
        let request = stored_json(&checkout.request)?;
        let as_of = read_date(&Json::String(checkout.as_of.clone()), "/as_of");
        let as_of: NaiveDate = as_of.map_err(|_| Error::Internal("a stored date is none"))?;
        let clock = Clock { as_of, now: instant(checkout.created_at)? };
        let view = self.pinned_view(organisation, &checkout.catalog_id, checkout.contract_version, &request).await;
        let again = match view {
            Ok(view) => written(&view.catalog, request, clock).await,
            Err(error) => Err(error),
        };
        again.map_err(|error| if let Error::Rejected(_) = error { Error::NotReproducible } else { error })
    }

    /// The highest stored version that a checkout may replace; `None` if the contract is no longer what it amends.
    ///
    /// A contract of the catalog replaces a lower version stored of it, if there is any. The catalog is read before
    /// the transaction: one that is put in between comes after the confirmation, for putting it asks for no contract.
    async fn replaced(
        &self,
        organisation: &str,
        checkout: &Checkout,
        contract_id: Option<&str>,
    ) -> Result<Option<i64>, Error> {
        let Some(id) = contract_id else { return Ok(Some(0)) };
        let snapshot = self.current_snapshot(organisation).await?.ok_or(Error::CatalogMissing)?;
        let current = self.current_contract(organisation, &snapshot, id).await?;
        match (checkout.contract_version, current) {
            // Whether it still is that version is asked when it is written.
            (Some(pinned), Some(Current::Stored(_))) => Ok(Some(pinned)),
            (None, Some(Current::Listed(listed))) => {
                let pinned = self.snapshot(organisation, &checkout.catalog_id).await?;
                let pinned = pinned.contracts.get(id).map_or(Ok(Json::Null), |contract| stored_json(&contract.body))?;
                let is_same = differences("", &pinned, &stored_json(&listed.body)?).is_empty();
                Ok(is_same.then_some(listed.version.saturating_sub(1)))
            }
            (Some(_), Some(Current::Listed(_))) | (None, Some(Current::Stored(_))) | (_, None) => Ok(None),
        }
    }
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
        let name = preview.get("customer_data").and_then(|data| text_of(data, "name"));
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
                format!("/{}", pointer_step(&name)),
                format!("there is no field {}", quoted(&name)),
                "a confirmation has only `payment_method_id`",
            )),
            Json::Null => {}
            value => match read_id(&value, &format!("/{FIELD}")) {
                Ok(id) => found = Some(id.to_owned()),
                Err(wrong) => problems.extend_from_slice(wrong.as_slice()),
            },
        }
    }
    problems.sort_by(|one, other| (one.code, &one.path).cmp(&(other.code, &other.path)));
    Problems::new(problems).map_or(Ok(found), Err)
}

//! Confirming: a checkout makes a contract, or the next version of one, once.
//!
//! The preview is made again from what the checkout pins and must be the stored one to the last byte; then everything is
//! written in one transaction whose statements carry their own guards.

use crate::Verifier;
use crate::caller::{Access, Caller};
use crate::checkouts::{Checkout, Shown, optional_text};
use crate::contracts::{Current, confirmed, version};
use crate::differences::differences;
use crate::error::Error;
use crate::events::{ContractData, Event, EventType};
use crate::fields::Fields;
use crate::http::{CheckoutId, OptionalJson, json_text};
use crate::idempotency::{Answer, Claimable};
use crate::schema::{request::ConfirmRequest, session::Session};
use crate::status::{Action, Status};
use crate::store::{instant, micros, new_id, repeated, stored_json, text_of};
use crate::view::Sight;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Clock, Json, Problem, ProblemCode, Problems, json, quoted, read_date};
use chrono::NaiveDate;
use serde::Serialize;
use sqlx::AnyConnection;
use std::sync::Arc;

/// Confirm a checkout
///
/// Makes the contract, or amends it, once: whoever confirms again is answered 409 `checkout_not_confirmable`, or, with the
/// same `Idempotency-Key`, the first answer. A guest becomes a customer. With a `client-secret` only where the organisation
/// allows it. The body may be left out.
#[utoipa::path(
    post, path = "/checkouts/{id}/confirm", operation_id = "confirmCheckout", tag = "Checkouts",
    params(("id" = String, Path, description = "The checkout's id.", format = "uuid")),
    request_body = Option<ConfirmRequest>,
    responses((status = 200, description = "The checkout, with the contract that it made.", body = Session)),
    extensions(("x-errors" = json!(["rejected", "checkout_not_confirmable", "contract_changed", "estimates_not_reproducible"]))),
)]
pub(crate) async fn confirm(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    claim: Claimable,
    CheckoutId(id): CheckoutId,
    OptionalJson(body): OptionalJson,
) -> Result<Response, Error> {
    if matches!(caller.access, Access::Client { .. }) && !caller.organisation.client_confirms {
        // Whether there is such a checkout comes first: a stranger learns nothing of the organisation.
        verifier.checkout(&caller, &id).await?;
        return Err(Error::Forbidden("this organisation confirms with its secret key, from its own server"));
    }
    let mut fields = Fields::of(body, &["payment_method_id"])?;
    let payment_method_id = fields.id("payment_method_id");
    fields.finish()?;
    let session = repeated(|| verifier.confirm_now(&caller, &claim, &id, payment_method_id.as_deref())).await?;
    Ok(json_text(StatusCode::OK, session))
}

impl Verifier {
    async fn confirm_now(
        &self,
        caller: &Caller,
        claim: &Claimable,
        id: &str,
        payment_method_id: Option<&str>,
    ) -> Result<String, Error> {
        let organisation = caller.organisation.id.as_str();
        let mut checkout = self.checkout(caller, id).await?;
        let now = self.moment().now;
        let status = checkout.status(now)?;
        Action::Confirm.check(status)?;

        let shown = Shown::of(&checkout.preview)?;
        let amended = optional_text(shown.contract_id)?;
        // Of the database and not what is remembered of it: what was put at another verifier counts.
        let catalog_id = self.current_catalog_id(organisation).await?;
        let Some(replaced) = self.replaced(organisation, catalog_id.as_deref(), &checkout, amended.as_deref()).await?
        else {
            // It may be this very checkout that has changed the contract since.
            Action::Confirm.check(self.checkout(caller, id).await?.status(now)?)?;
            return Err(Error::ContractChanged);
        };
        if self.make_again(caller, &checkout).await? != checkout.preview {
            return Err(Error::NotReproducible);
        }
        let customer_data = shown.customer_data.get().to_owned();
        let guest = if shown.guest_checkout.get() == "true" { Some(Guest::of(&shown)?) } else { None };
        let is_new = amended.is_none();
        let contract_id = amended.unwrap_or_else(new_id);
        let guest_id = guest.as_ref().map(|guest| guest.id.as_str());
        let contract = confirmed(&stored_json(shown.contract.get())?, &contract_id, guest_id, new_id);
        let version = next_version(&contract, &contract_id)?;
        let body = json::to_text(&contract);

        checkout.payment_method_id = payment_method_id.map(str::to_owned);
        checkout.customer_id = text_of(&contract, "customer_id").map(str::to_owned);
        checkout.contract_id = Some(contract_id.clone());
        checkout.contract = Some(body.clone());
        checkout.updated_at = micros(now);
        let session = checkout.session(organisation, Status::ContractCreated, None)?;
        let data =
            ContractData { id: &contract_id, version, customer_id: checkout.customer_id.as_deref(), checkout_id: id };
        let of_contract = if is_new { EventType::ContractCreated } else { EventType::ContractAmended };
        let of_contract = Event::new(of_contract, &data, now)?;
        let of_checkout =
            checkout.event(EventType::CheckoutContractCreated, Status::ContractCreated, checkout.updated_at)?;

        let expires_at = checkout.expires_at;
        // The first statement is the guard: it takes the checkout, at the revision that was read, once only.
        let mut transaction = self.store.begin().await?;
        self.move_to(&mut transaction, organisation, &checkout, Status::ContractCreated).await?;
        if let Some(guest) = &guest {
            sqlx::query(
                "INSERT INTO customers (organisation_id, id, body, customer_data, created_at) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(organisation)
            .bind(&guest.id)
            .bind(json::to_text(guest))
            .bind(customer_data)
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
        .bind(organisation)
        .bind(&contract_id)
        .bind(version)
        .bind(&checkout.customer_id)
        .bind(micros(now))
        .bind(replaced)
        .execute(&mut *transaction)
        .await?;
        if written.rows_affected() == 0 {
            return Err(Error::ContractChanged);
        }
        // A catalog that was put meanwhile may have a newer contract.
        if !is_new && self.current_catalog_id_in(&mut transaction, organisation).await? != catalog_id {
            return Err(Error::Overtaken);
        }
        sqlx::query(
            "INSERT INTO contract_versions (organisation_id, id, version, checkout_id, body, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(organisation)
        .bind(&contract_id)
        .bind(version)
        .bind(id)
        .bind(body)
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        of_contract.write(&self.store, &mut transaction, organisation).await?;
        of_checkout.write(&self.store, &mut transaction, organisation).await?;
        let answer = Answer { status: 200, location: None, body: session };
        claim.settle(&mut transaction, &answer).await?;
        self.is_still(status, expires_at)?;
        transaction.commit().await?;
        claim.committed();
        self.happened();
        Ok(answer.body)
    }

    /// Whether a checkout has not expired since its status was looked at: whoever changes it may have waited for a lock.
    pub(crate) fn is_still(&self, status: Status, expires_at: i64) -> Result<(), Error> {
        match status.at(self.moment().now, instant(expires_at)?) == status {
            true => Ok(()),
            // Made again, it is told so.
            false => Err(Error::Overtaken),
        }
    }

    /// Gives a checkout another status, if it still is at the revision that was read.
    pub(crate) async fn move_to(
        &self,
        connection: &mut AnyConnection,
        organisation: &str,
        checkout: &Checkout,
        status: Status,
    ) -> Result<(), Error> {
        let moved = sqlx::query(
            "UPDATE checkouts SET checkout_status = $4, revision = revision + 1, payment_method_id = $5, customer_id = $6,
             contract_id = $7, updated_at = $8
             WHERE organisation_id = $1 AND id = $2 AND revision = $3",
        )
        .bind(organisation)
        .bind(&checkout.id)
        .bind(checkout.revision)
        .bind(status.as_str())
        .bind(&checkout.payment_method_id)
        .bind(&checkout.customer_id)
        .bind(&checkout.contract_id)
        .bind(checkout.updated_at)
        .execute(connection)
        .await?;
        if moved.rows_affected() == 1 { Ok(()) } else { Err(Error::Overtaken) }
    }

    /// The preview of a stored checkout, from what it pins. An engine that refuses it now does not reproduce it.
    async fn make_again(&self, caller: &Caller, checkout: &Checkout) -> Result<String, Error> {
        let organisation = &caller.organisation.id;
        let request = Arc::new(stored_json(&checkout.request)?);
        let as_of = read_date(&Json::String(checkout.as_of.clone()), "/as_of");
        let as_of: NaiveDate = as_of.map_err(|_| Error::Internal("a stored date is none"))?;
        let clock = Clock { as_of, now: instant(checkout.previewed_at)? };
        let snapshot = self.snapshot(organisation, &checkout.catalog_id).await?;
        let view = self.pinned_view(organisation, &snapshot, &Sight::All, checkout.contract_version, &request).await;
        let again = match view {
            Ok(view) => self.written(&view.catalog, &request, clock).await,
            Err(error) => Err(error),
        };
        let refused = |error| if let Error::Rejected(_) = error { Error::NotReproducible } else { error };
        again.map(|(_, preview)| preview).map_err(refused)
    }

    /// The highest stored version that a checkout may replace; `None` if the contract is no longer what it amends.
    ///
    /// A contract of the catalog replaces a lower version stored of it, if there is any.
    async fn replaced(
        &self,
        organisation: &str,
        catalog_id: Option<&str>,
        checkout: &Checkout,
        contract_id: Option<&str>,
    ) -> Result<Option<i64>, Error> {
        let Some(id) = contract_id else { return Ok(Some(0)) };
        let snapshot = self.snapshot(organisation, catalog_id.ok_or(Error::CatalogMissing)?).await?;
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

/// The version of a contract that is about to be stored.
fn next_version(contract: &Json, id: &str) -> Result<i64, Error> {
    let version = version(contract).filter(|version| *version <= i64::from(u32::MAX));
    version.ok_or_else(|| {
        // The engine would not read such a contract again.
        let message = format!("the version of {} cannot rise above {}", quoted(id), u32::MAX);
        let help = "give it a lower version in the catalog".into();
        let path = "/contract_id".into();
        Problems::from(Problem { code: ProblemCode::CatalogInvalid, path, message: message.into(), help }).into()
    })
}

/// The customer a guest becomes, as the engine reads customers in a catalog.
#[derive(Serialize)]
struct Guest {
    id: String,
    name: Option<String>,
    business_entity_id: Option<String>,
}

impl Guest {
    fn of(shown: &Shown<'_>) -> Result<Guest, Error> {
        let name = text_of(&stored_json(shown.customer_data.get())?, "name").map(str::to_owned);
        Ok(Guest { id: new_id(), name, business_entity_id: optional_text(shown.business_entity_id)? })
    }
}

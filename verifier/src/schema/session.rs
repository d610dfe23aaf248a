//! The checkout session: what was previewed, and what became of it.
//!
//! Input: `checkouts`, `confirm`. Output: what `POST /checkouts`, `GET` and `PATCH /checkouts/{id}` and the calls that change
//! its status answer. Every field is always there. Neighbour: `preview`, of which it has all but ids, status and times.

use super::form::{Day, Id, Url, UtcInstant};
use super::preview::{CheckoutType, Estimates, PreviewContract};
use super::request::Override;
use utoipa::ToSchema;

/// A checkout that is stored.
#[derive(ToSchema)]
pub struct Session {
    /// Its id, a UUIDv7.
    #[schema(format = "uuid")]
    pub id: String,
    /// Whose it is.
    pub organisation_id: Id,
    /// Where it stands.
    pub checkout_status: CheckoutStatus,
    /// What it does (R2.1).
    pub checkout_type: CheckoutType,
    /// The plan of the contract as it would be.
    #[schema(required)]
    pub plan_id: Option<Id>,
    /// The contract that it amends or, once it is confirmed, that it made.
    #[schema(required)]
    pub contract_id: Option<Id>,
    /// The contract that it amends; null for a new one.
    #[schema(required)]
    pub source_contract_id: Option<Id>,
    /// The day on which it takes effect.
    pub start_date: Day,
    /// The contract's last day; null where it has no end.
    #[schema(required)]
    pub end_date: Option<Day>,
    /// Who buys; null for a guest until it is confirmed.
    #[schema(required)]
    pub customer_id: Option<Id>,
    /// Who sells.
    #[schema(required)]
    pub business_entity_id: Option<Id>,
    /// Whether a guest buys.
    pub guest_checkout: bool,
    /// As it was sent.
    #[schema(required, value_type = Option<Object>)]
    pub customer_data: Option<serde_json::Value>,
    /// What it costs.
    pub estimates: Estimates,
    /// The contract as it would be; once it is confirmed, what this checkout made of it.
    pub contract: PreviewContract,
    /// From this instant on it is expired, unless money is moving.
    pub expires_at: UtcInstant,
    /// As it was sent.
    #[schema(required)]
    pub success_url: Option<Url>,
    /// As it was sent.
    #[schema(required)]
    pub cancel_url: Option<Url>,
    /// As they were sent, under either name.
    #[schema(required)]
    pub product_overrides: Option<Vec<Override>>,
    /// The way of paying that confirming named.
    #[schema(required)]
    pub payment_method_id: Option<Id>,
    /// The catalog's own version.
    #[schema(required)]
    pub catalog_version: Option<String>,
    /// The version of the engine that made the estimates.
    #[schema(examples("0.1.0"))]
    pub engine_version: String,
    /// The day it was previewed for, in the business entity's time zone.
    pub as_of: Day,
    /// When it was made.
    pub created_at: UtcInstant,
    /// When it was changed last.
    pub updated_at: UtcInstant,
}

/// A checkout that was just stored: the one answer that tells its secret.
#[derive(ToSchema)]
pub struct CreatedSession {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// With it a browser may read, change, confirm and cancel this session alone. It is told once.
    pub client_secret: String,
}

super::words! {
    /// Where a checkout stands.
    ///
    /// `pending` may become `payment_initiated`, `contract_created`, `cancelled` or `expired`; `payment_initiated` may become
    /// `payment_succeeded` or `payment_failed`; `payment_failed` may become `payment_initiated`, `cancelled` or `expired`;
    /// `payment_succeeded` may become `contract_created`. The others stay.
    CheckoutStatus: Pending PaymentInitiated PaymentSucceeded PaymentFailed ContractCreated Cancelled Expired;
}

/// A token for a customer's browser.
#[derive(ToSchema)]
pub struct SessionToken {
    /// What the browser sends as `session-id`. It is told once.
    #[schema(pattern = "^st_")]
    pub session_token: String,
    /// Whose it is.
    pub customer_id: Id,
    /// From this instant on it opens nothing.
    pub expires_at: UtcInstant,
}

/// What a server says that is well.
#[derive(ToSchema)]
pub struct Health {
    /// How it is.
    #[schema(pattern = "^ok$")]
    pub status: String,
}

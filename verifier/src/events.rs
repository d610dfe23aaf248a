//! What happened, for those who want to be told: each event is written in the transaction of the change it tells of.
//!
//! An event names what changed and says little of it, so that nothing stale and nothing of a buyer's lies in a queue: who
//! is told reads the rest. `outbox` sends them.

use crate::error::Error;
use crate::status::Status;
use crate::store::{Store, id_at, micros, wire};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::AnyConnection;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EventType {
    /// A checkout was created.
    #[serde(rename = "checkout.created")]
    CheckoutCreated,
    /// Its request or its payment changed.
    #[serde(rename = "checkout.updated")]
    CheckoutUpdated,
    /// It was not decided in time.
    #[serde(rename = "checkout.expired")]
    CheckoutExpired,
    /// It was given up.
    #[serde(rename = "checkout.cancelled")]
    CheckoutCancelled,
    /// It was confirmed.
    #[serde(rename = "checkout.contract_created")]
    CheckoutContractCreated,
    /// There is a new contract.
    #[serde(rename = "contract.created")]
    ContractCreated,
    /// A contract has a new version.
    #[serde(rename = "contract.amended")]
    ContractAmended,
}

/// A message: what the webhook's body holds.
#[derive(Serialize)]
struct Message<'a, T> {
    r#type: EventType,
    timestamp: String,
    data: &'a T,
}

/// A checkout, as an event tells of it.
#[derive(Serialize)]
pub(crate) struct CheckoutData<'a> {
    pub(crate) id: &'a str,
    pub(crate) checkout_status: Status,
    pub(crate) checkout_type: &'a RawValue,
    pub(crate) plan_id: &'a RawValue,
    pub(crate) contract_id: Option<&'a str>,
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) business_entity_id: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
}

/// A contract, as an event tells of it.
#[derive(Serialize)]
pub(crate) struct ContractData<'a> {
    pub(crate) id: &'a str,
    pub(crate) version: i64,
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) checkout_id: &'a str,
}

/// An event, and one delivery of it for every webhook that there is.
macro_rules! insert_event {
    ($created_at:literal, $id:literal, $body:literal) => {
        concat!(
            "INSERT INTO events (organisation_id, created_at, id, body) VALUES ($1, ",
            concat!($created_at, ", ", $id, ", ", $body, ")")
        )
    };
}
macro_rules! insert_deliveries {
    ($created_at:literal, $id:literal) => {
        concat!(
            "INSERT INTO deliveries (organisation_id, next_attempt_at, event_id, webhook_id, attempts) SELECT $1, ",
            concat!($created_at, ", ", $id),
            ", id, 0 FROM webhooks WHERE organisation_id = $1 AND disabled_at IS NULL"
        )
    };
}
pub(crate) use {insert_deliveries, insert_event};

/// An event as it is stored.
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) created_at: i64,
}

impl Event {
    pub(crate) fn new(r#type: EventType, data: &impl Serialize, now: DateTime<Utc>) -> Result<Event, Error> {
        let created_at = micros(now);
        let message = Message { r#type, timestamp: wire(created_at)?, data };
        let body = serde_json::to_string(&message).map_err(|_| Error::Internal("an event cannot be written"))?;
        Ok(Event { id: id_at(created_at), body, created_at })
    }

    /// Writes the event beside the change it tells of, and what is to be delivered of it.
    pub(crate) async fn write(
        &self,
        store: &Store,
        connection: &mut AnyConnection,
        organisation: &str,
    ) -> Result<(), Error> {
        let insert = sqlx::query(match store.is_postgres {
            true => concat!("WITH event AS (", insert_event!("$2", "$3", "$4"), ") ", insert_deliveries!("$2", "$3")),
            false => concat!(insert_event!("$2", "$3", "$4"), "; ", insert_deliveries!("$2", "$3")),
        });
        insert.bind(organisation).bind(self.created_at).bind(&self.id).bind(&self.body).execute(connection).await?;
        Ok(())
    }
}

//! Events on their way to a merchant's own server, by the conventions of Standard Webhooks 1.0.
//!
//! In: an [`Endpoint`] and a [`Message`]. Out: one signed POST and its [`Outcome`](client::Outcome). What is to be sent,
//! and which attempt this is, others know: nothing here knows a database. In reading order:
//!
//! - [`signature`]: secrets, and the header that proves who sent a message
//! - [`target`]: which addresses may be called
//! - [`client`]: one attempt
//! - [`backoff`]: when the next one is due

pub mod backoff;
pub mod client;
pub mod signature;
pub mod target;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use signature::Secret;
use uuid::Uuid;

/// Where an organisation wants its events, and what they are signed with.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// As [`target::Target::parse`] took it; it is parsed again at each attempt.
    pub url: String,
    /// What receivers are to verify with.
    pub secret: Secret,
    /// Replaced secrets that some receiver may still verify with: every message is signed with these, too.
    pub old_secrets: Vec<Secret>,
}

/// One attempt to deliver an event.
#[derive(Debug, Clone)]
pub struct Message {
    /// The event's id, the same at every attempt: receivers tell by it that they have had the event before.
    pub id: Uuid,
    /// When this attempt is made, not when the event happened: receivers refuse what is older than a few minutes.
    pub timestamp: DateTime<Utc>,
    /// JSON, sent and signed byte for byte.
    pub body: Bytes,
}

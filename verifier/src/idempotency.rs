//! `Idempotency-Key`: a POST that is made again is answered again, and done once.
//!
//! The first request with a key claims it, in a statement of its own, so that the others see it running. What it changes
//! and the answer to it are then written in one transaction ([`Claim::settle`]): whatever dies when, either neither is
//! there or both are. A claim whose request died is free again [`BEYOND`] a request's time.

use crate::Verifier;
use crate::caller::Caller;
use crate::error::Error;
use crate::secret::hash;
use crate::store::{micros, new_id, repeated};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use chrono::TimeDelta;
use sqlx::AnyConnection;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long an answer is kept.
pub(crate) const KEPT: TimeDelta = TimeDelta::hours(24);
/// How much longer a claim lasts than a request may run.
const BEYOND: TimeDelta = TimeDelta::seconds(2);

/// An answer to be given again.
#[derive(sqlx::FromRow)]
pub(crate) struct Answer {
    pub(crate) status: i64,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        let status = u16::try_from(self.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The right to run the request of a key.
#[derive(Clone)]
pub(crate) struct Claim(Arc<Claimed>);

struct Claimed {
    organisation: String,
    key: String,
    claim: String,
    is_settled: AtomicBool,
}

/// What to do with a request that has a key.
pub(crate) enum Turn {
    Run(Claim),
    Again(Answer),
}

/// The claim under which a handler runs, if its request has a key.
pub(crate) struct Claimable(pub(crate) Option<Claim>);

impl<S: Sync> FromRequestParts<S> for Claimable {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Claimable, Infallible> {
        Ok(Claimable(parts.extensions.get().cloned()))
    }
}

impl Claimable {
    /// Writes the answer beside what it answers, in the transaction of the change.
    pub(crate) async fn settle(&self, connection: &mut AnyConnection, answer: &Answer) -> Result<(), Error> {
        match &self.0 {
            Some(claim) => claim.settle(connection, answer).await,
            None => Ok(()),
        }
    }

    /// The change is made, and the answer with it.
    pub(crate) fn committed(&self) {
        if let Some(claim) = &self.0 {
            claim.0.is_settled.store(true, Ordering::Release);
        }
    }
}

/// The key of a request, if it has one.
pub(crate) fn key(method: &Method, headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if method == Method::POST => {
            let key = value.to_str().map_err(|_| Error::IdempotencyKeyInvalid)?;
            let is_one = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            if is_one { Ok(Some(key.to_owned())) } else { Err(Error::IdempotencyKeyInvalid) }
        }
        (Some(_), Some(_)) if method == Method::POST => Err(Error::IdempotencyKeyInvalid),
        _ => Ok(None),
    }
}

impl Verifier {
    /// Whether a request with a key runs, and what is answered if it does not.
    pub(crate) async fn turn(&self, caller: &Caller, key: String, uri: &Uri, body: &[u8]) -> Result<Turn, Error> {
        let organisation = &caller.organisation.id;
        let fingerprint =
            hash([uri.path().as_bytes(), caller.asks_as().as_bytes(), hash(body).as_bytes()].join(&b'\n'));
        let now = self.moment().now;
        let claimed =
            Claimed { organisation: organisation.clone(), key, claim: new_id(), is_settled: AtomicBool::new(false) };
        let limit = i64::try_from(self.settings.request_limit.as_micros()).unwrap_or(i64::MAX);
        let claimed_until = micros(now + BEYOND).saturating_add(limit);
        // A key that is new, or older than answers are kept, or whose request died.
        let taken = repeated(|| async {
            let take = sqlx::query(
                "INSERT INTO idempotency_keys
                 (organisation_id, idempotency_key, fingerprint, claim, claimed_until, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (organisation_id, idempotency_key) DO UPDATE
                 SET fingerprint = excluded.fingerprint, claim = excluded.claim, claimed_until = excluded.claimed_until,
                 status = NULL, location = NULL, body = NULL, created_at = excluded.created_at
                 WHERE idempotency_keys.created_at <= $7
                 OR (idempotency_keys.status IS NULL AND idempotency_keys.claimed_until <= $6)",
            );
            let take = take.bind(organisation).bind(&claimed.key).bind(&fingerprint).bind(&claimed.claim);
            let take = take.bind(claimed_until).bind(micros(now)).bind(micros(now - KEPT));
            Ok(take.execute(self.store.writes()).await?)
        });
        let taken = taken.await?;
        if taken.rows_affected() == 1 {
            return Ok(Turn::Run(Claim(Arc::new(claimed))));
        }
        let known: Option<Known> = sqlx::query_as(
            "SELECT fingerprint, status, location, body FROM idempotency_keys
             WHERE organisation_id = $1 AND idempotency_key = $2",
        )
        .bind(organisation)
        .bind(&claimed.key)
        .fetch_optional(&self.store.reads)
        .await?;
        match known {
            Some(known) if known.fingerprint != fingerprint => Err(Error::IdempotencyKeyReused),
            Some(Known { status: Some(status), location, body, .. }) => {
                Ok(Turn::Again(Answer { status, location, body: body.unwrap_or_default() }))
            }
            // Where it is gone, its request has failed in a way that is worth another try.
            Some(_) | None => Err(Error::IdempotencyInProgress),
        }
    }

    /// Keeps the answer of a request that changed nothing.
    pub(crate) async fn keep_answer(&self, claim: &Claim, answer: &Answer) -> Result<(), Error> {
        if claim.0.is_settled.load(Ordering::Acquire) {
            return Ok(());
        }
        repeated(|| async {
            let mut transaction = self.store.begin().await?;
            claim.settle(&mut transaction, answer).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Frees the key of a request that failed for the moment, so that it can be made again at once.
    pub(crate) async fn release(&self, claim: &Claim) -> Result<(), Error> {
        let release = "DELETE FROM idempotency_keys
             WHERE organisation_id = $1 AND idempotency_key = $2 AND claim = $3 AND status IS NULL";
        repeated(|| async {
            let release = sqlx::query(release).bind(&claim.0.organisation).bind(&claim.0.key).bind(&claim.0.claim);
            Ok(release.execute(self.store.writes()).await.map(|_| ())?)
        })
        .await
    }
}

#[derive(sqlx::FromRow)]
struct Known {
    fingerprint: String,
    status: Option<i64>,
    location: Option<String>,
    body: Option<String>,
}

impl Claim {
    pub(crate) async fn settle(&self, connection: &mut AnyConnection, answer: &Answer) -> Result<(), Error> {
        let settled = sqlx::query(
            "UPDATE idempotency_keys SET status = $4, location = $5, body = $6
             WHERE organisation_id = $1 AND idempotency_key = $2 AND claim = $3 AND status IS NULL",
        )
        .bind(&self.0.organisation)
        .bind(&self.0.key)
        .bind(&self.0.claim)
        .bind(answer.status)
        .bind(&answer.location)
        .bind(&answer.body)
        .execute(connection)
        .await?;
        match settled.rows_affected() {
            1 => Ok(()),
            // It took so long that another has taken over.
            _ => Err(Error::IdempotencyInProgress),
        }
    }
}

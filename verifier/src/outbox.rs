//! The outbox: every event is delivered to every webhook that its organisation had when it happened, at least once.
//!
//! In: `events` and `deliveries`, written by the changes they tell of. Out: signed messages (`webhooks`), and in
//! `deliveries` what came of each. Any number of verifiers may work on one database: an attempt is taken by a statement
//! that one of them wins. Whoever dies in the middle leaves a lease that ends, and the event is sent again.

use crate::Verifier;
use crate::error::Error;
use crate::store::{Query, instant, micros};
use crate::subscriptions::old_secrets;
use crate::webhooks::client::{Client, Outcome};
use crate::webhooks::signature::Secret;
use crate::webhooks::{Endpoint, Message, backoff};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// How often the outbox is looked at where nothing wakes it: for what other verifiers left, and for second attempts.
const POLL: Duration = Duration::from_secs(1);
/// The least time between two looks, for changes wake it whether or not there is a webhook to tell of them.
const PACE: Duration = Duration::from_millis(10);
/// How many attempts run at once; and at one webhook, so that a slow one does not hold up the others.
const ATTEMPTS: usize = 64;
const ATTEMPTS_AT_ONE: usize = 8;
/// Longer than any attempt takes: after it another verifier may try.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// What is told of a webhook whose server answers 410.
const GONE: &str = "the server says that it is gone (410): the webhook is disabled";
/// How long a database that has gone silent may hold up a round, or the end of an attempt.
const SILENCE: Duration = Duration::from_secs(60);

/// The attempts that run.
pub struct Outbox {
    client: Client,
    places: Arc<Semaphore>,
    at_one: Arc<Mutex<HashMap<String, usize>>>,
}

impl Outbox {
    /// An outbox that sends with this client.
    pub fn new(client: Client) -> Outbox {
        Outbox { client, places: Arc::new(Semaphore::new(ATTEMPTS)), at_one: Arc::default() }
    }

    /// How many attempts at a webhook run.
    fn running(&self, webhook: &str) -> usize {
        self.at_one.lock().unwrap_or_else(PoisonError::into_inner).get(webhook).copied().unwrap_or_default()
    }

    /// A place for an attempt at a webhook, if there is one.
    fn place(&self, webhook: &str) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let mut at_one = self.at_one.lock().unwrap_or_else(PoisonError::into_inner);
        let running = at_one.get(webhook).copied().unwrap_or_default();
        if running >= ATTEMPTS_AT_ONE {
            return None;
        }
        at_one.insert(webhook.to_owned(), running.saturating_add(1));
        Some(Place { webhook: webhook.to_owned(), at_one: Arc::clone(&self.at_one), _permit: permit })
    }
}

/// Given back when the attempt has ended, however it does.
struct Place {
    webhook: String,
    at_one: Arc<Mutex<HashMap<String, usize>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut at_one = self.at_one.lock().unwrap_or_else(PoisonError::into_inner);
        match at_one.get_mut(&self.webhook) {
            Some(running) if *running > 1 => *running = running.saturating_sub(1),
            Some(_) | None => {
                at_one.remove(&self.webhook);
            }
        }
    }
}

/// A webhook that something waits for.
#[derive(sqlx::FromRow)]
struct Waiting {
    organisation_id: String,
    id: String,
    url: String,
    secret: String,
    old_secrets: Option<String>,
    disabled_at: Option<i64>,
}

/// A delivery whose time has come.
#[derive(sqlx::FromRow)]
struct Due {
    event_id: String,
    attempts: i64,
    next_attempt_at: i64,
    body: String,
    happened_at: i64,
}

impl Verifier {
    /// Delivers events as they happen, as long as the process runs.
    pub async fn deliver_forever(self: Arc<Verifier>, outbox: Outbox) {
        let mut attempts = JoinSet::new();
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            // What fails is done in the next round.
            match tokio::time::timeout(SILENCE, self.deliver_round(&outbox, &mut attempts)).await {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => error.log(),
                Err(_) => tracing::error!("a round of deliveries took too long"),
            }
            tokio::select! {
                () = self.news.notified() => {}
                // A place is free again.
                Some(_) = attempts.join_next() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            pace.tick().await;
            while attempts.try_join_next().is_some() {}
        }
    }

    /// Delivers what is due now, and waits until every attempt has ended.
    ///
    /// # Errors
    /// The database fails.
    pub async fn deliver(self: &Arc<Verifier>, outbox: &Outbox) -> Result<(), Error> {
        let mut attempts = JoinSet::new();
        loop {
            let more = self.deliver_round(outbox, &mut attempts).await?;
            if !more && attempts.join_next().await.is_none() {
                return Ok(());
            }
        }
    }

    /// Begins attempts, each webhook in its turn; whether there is more to do at once.
    async fn deliver_round(self: &Arc<Verifier>, outbox: &Outbox, attempts: &mut JoinSet<()>) -> Result<bool, Error> {
        let mut more = false;
        let now = self.moment().now;
        let waiting = "SELECT w.organisation_id, w.id, w.url, w.secret, w.old_secrets, w.disabled_at
             FROM webhooks w WHERE EXISTS (SELECT 1 FROM deliveries d WHERE d.organisation_id = w.organisation_id
             AND d.webhook_id = w.id AND d.next_attempt_at <= $1)
             OR (w.disabled_at IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries d
             WHERE d.organisation_id = w.organisation_id AND d.webhook_id = w.id AND d.next_attempt_at IS NOT NULL))";
        let mut waiting: Vec<Waiting> = sqlx::query_as(waiting).bind(micros(now)).fetch_all(&self.store.reads).await?;
        // Whoever has the fewest attempts running comes first, so that slow ones do not keep every place to themselves.
        waiting.sort_by_key(|webhook| outbox.running(&webhook.id));
        for webhook in waiting {
            if webhook.disabled_at.is_some() {
                // What an event wrote while the webhook was being disabled, or whoever disabled it did not come to.
                self.disable_webhook(&webhook.id).await?;
            } else {
                more |= self.begin(outbox, attempts, webhook).await?;
            }
        }
        Ok(more)
    }

    /// Begins as many attempts at a webhook as there are places; whether there may be more to begin.
    async fn begin(
        self: &Arc<Verifier>,
        outbox: &Outbox,
        attempts: &mut JoinSet<()>,
        webhook: Waiting,
    ) -> Result<bool, Error> {
        let now = self.moment().now;
        let endpoint = match endpoint(&webhook, now) {
            Ok(endpoint) => endpoint,
            Err(error) => {
                error.log();
                return Ok(false);
            }
        };
        let due = Query::new(
            "SELECT d.event_id, d.attempts, d.next_attempt_at, e.body, e.created_at AS happened_at FROM deliveries d
             JOIN events e ON e.organisation_id = d.organisation_id AND e.id = d.event_id WHERE d.organisation_id = ",
        );
        let due = due.bind(&webhook.organisation_id).push(" AND d.webhook_id = ").bind(&webhook.id);
        let due = due.push(" AND d.next_attempt_at <= ").bind(micros(now));
        let due = due.push(" ORDER BY d.next_attempt_at, d.event_id LIMIT ").bind(ATTEMPTS_AT_ONE);
        let due: Vec<Due> = due.fetch_all(&self.store.reads).await?;
        let may_be_more = due.len() == ATTEMPTS_AT_ONE;
        let webhook = Arc::new(webhook);
        for due in due {
            // Where there is none, the end of an attempt brings the next round.
            let Some(place) = outbox.place(&webhook.id) else { return Ok(false) };
            let Some(message) = self.take(&webhook, &due).await? else { continue };
            let (verifier, webhook, client) = (Arc::clone(self), Arc::clone(&webhook), outbox.client.clone());
            let endpoint = endpoint.clone();
            attempts.spawn(async move {
                let outcome = client.deliver(&endpoint, &message).await;
                // Where it cannot be written down the lease ends, and the event is sent again.
                match tokio::time::timeout(SILENCE, verifier.note(&webhook, &due, outcome)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => error.log(),
                    Err(_) => tracing::error!("what came of a delivery was not written down in time"),
                }
                drop(place);
            });
        }
        Ok(may_be_more)
    }

    /// Takes an attempt; `None` if another verifier has.
    async fn take(&self, webhook: &Waiting, due: &Due) -> Result<Option<Message>, Error> {
        let now = self.moment().now;
        let taken = sqlx::query(
            "UPDATE deliveries SET attempts = attempts + 1, next_attempt_at = $6 WHERE organisation_id = $1
             AND event_id = $2 AND webhook_id = $3 AND attempts = $4 AND next_attempt_at = $5",
        )
        .bind(&webhook.organisation_id)
        .bind(&due.event_id)
        .bind(&webhook.id)
        .bind(due.attempts)
        .bind(due.next_attempt_at)
        .bind(micros(now + LEASE))
        .execute(self.store.writes())
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(None);
        }
        let id = uuid::Uuid::parse_str(&due.event_id).map_err(|_| Error::Internal("an event's id is none"))?;
        Ok(Some(Message { id, timestamp: now, body: due.body.clone().into() }))
    }

    /// Writes down what came of an attempt.
    async fn note(&self, webhook: &Waiting, due: &Due, outcome: Outcome) -> Result<(), Error> {
        let now = self.moment().now;
        let attempts = due.attempts.saturating_add(1);
        let (label, next, told) = match outcome {
            Outcome::Delivered => ("delivered", None, "delivered".to_owned()),
            Outcome::Gone => ("gone", None, GONE.to_owned()),
            Outcome::Failed { what, retry_after } => {
                let age = (now - instant(due.happened_at)?).to_std().unwrap_or_default();
                let made = u32::try_from(attempts).unwrap_or(u32::MAX);
                match backoff::next(made, age, fastrand::f64(), retry_after) {
                    Some(wait) => ("failed", Some(now + wait), what.to_string()),
                    None => ("given_up", None, format!("given up after 3 days: {what}")),
                }
            }
        };
        self.metrics.delivered(label);
        tracing::info!(event = due.event_id, webhook = webhook.id, attempts, outcome = told, "webhook");
        if label == "gone" {
            self.end_webhook(&webhook.id, GONE).await?;
        }
        // What was given up while the attempt ran is not waited for again.
        sqlx::query(
            "UPDATE deliveries SET next_attempt_at = CASE WHEN next_attempt_at IS NULL THEN next_attempt_at ELSE $5 END,
             outcome = $6 WHERE organisation_id = $1 AND event_id = $2 AND webhook_id = $3 AND attempts = $4",
        )
        .bind(&webhook.organisation_id)
        .bind(&due.event_id)
        .bind(&webhook.id)
        .bind(attempts)
        .bind(next.map(micros))
        .bind(told)
        .execute(self.store.writes())
        .await?;
        Ok(())
    }
}

fn endpoint(webhook: &Waiting, now: DateTime<Utc>) -> Result<Endpoint, Error> {
    let secret = |text: &str| Secret::parse(text).map_err(|_| Error::Internal("a stored webhook secret is none"));
    let old = old_secrets(webhook.old_secrets.as_deref(), now)?;
    Ok(Endpoint {
        url: webhook.url.clone(),
        secret: secret(&webhook.secret)?,
        old_secrets: old.iter().map(|old| secret(&old.secret)).collect::<Result<_, _>>()?,
    })
}

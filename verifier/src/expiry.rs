//! The sweeper: writes down what has expired, and deletes what is kept no longer.
//!
//! Nobody waits for it: from `expires_at` on a checkout is expired for everyone who asks, and what it writes down is the
//! status and the event. Any number of verifiers may sweep; each change is made once.

use crate::Verifier;
use crate::checkouts::{Checkout, checkouts_where};
use crate::error::Error;
use crate::events::EventType;
use crate::idempotency::KEPT;
use crate::status::Status;
use crate::store::{Query, Value, first_id_at, micros, repeated};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// How many checkouts expire in one transaction: other writers wait for it.
const AT_A_TIME: usize = 50;
/// How many rows are deleted in one statement.
const DELETED_AT_A_TIME: i64 = 500;
/// How long one sweep may take. What it has written stays.
const SWEEP_LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
/// How long events are kept that have been delivered or given up.
const EVENTS_KEPT: TimeDelta = TimeDelta::days(30);

impl Verifier {
    /// Sweeps at intervals, as long as the process runs.
    pub async fn sweep_forever(self: Arc<Verifier>) {
        let mut interval = tokio::time::interval(self.settings.sweep_interval);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            // What fails is swept the next time; a database that has gone silent holds the sweeper no longer than this.
            match tokio::time::timeout(SWEEP_LIMIT, self.sweep()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => error.log(),
                Err(_) => tracing::error!("a sweep took too long"),
            }
            self.limits.tidy();
        }
    }

    /// Writes down every expiry that is due, and deletes what is kept no longer.
    ///
    /// # Errors
    /// The database fails.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.moment().now;
        let due =
            "SELECT o.id FROM organisations o WHERE EXISTS (SELECT 1 FROM checkouts c WHERE c.organisation_id = o.id
             AND c.checkout_status IN ('pending', 'payment_failed') AND c.expires_at <= $1)";
        let due: Vec<String> = sqlx::query_scalar(due).bind(micros(now)).fetch_all(&self.store.reads).await?;
        // What goes wrong with one holds up no other.
        let mut failed = None;
        for organisation in due {
            failed = self.expire(&organisation, now).await.err().or(failed);
        }
        // Asked first: to delete nothing takes the one writer of SQLite as well, for each organisation at each sweep.
        let old = "SELECT o.id FROM organisations o WHERE EXISTS (SELECT 1 FROM idempotency_keys k
             WHERE k.organisation_id = o.id AND k.created_at <= $1) OR EXISTS (SELECT 1 FROM sessions s
             WHERE s.organisation_id = o.id AND s.expires_at <= $2) OR EXISTS (SELECT 1 FROM events e
             WHERE e.organisation_id = o.id AND e.id < $3)";
        let old = sqlx::query_scalar(old).bind(micros(now - KEPT)).bind(micros(now));
        let old = old.bind(first_id_at(micros(now - EVENTS_KEPT).saturating_add(1)));
        let old: Vec<String> = old.fetch_all(&self.store.reads).await?;
        for organisation in old {
            failed = self.tidy(&organisation, now).await.err().or(failed);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Writes down the expiries of an organisation that are due.
    pub(crate) async fn expire(&self, organisation: &str, now: DateTime<Utc>) -> Result<(), Error> {
        while repeated(|| self.expire_some(organisation, now)).await? {}
        Ok(())
    }

    /// The longest due first; whether there may be more.
    async fn expire_some(&self, organisation: &str, now: DateTime<Utc>) -> Result<bool, Error> {
        let due = Query::new(checkouts_where!("c.organisation_id = ")).bind(organisation);
        let due = due.push(" AND c.checkout_status IN ('pending', 'payment_failed') AND c.expires_at <= ");
        let due = due.bind(micros(now)).push(" ORDER BY c.expires_at, c.id LIMIT ").bind(AT_A_TIME);
        let due: Vec<Checkout> = due.fetch_all(&self.store.reads).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let may_be_more = due.len() == AT_A_TIME;
        let mut transaction = self.store.begin().await?;
        for mut checkout in due {
            checkout.updated_at = micros(now);
            let event = checkout.event(EventType::CheckoutExpired, Status::Expired, checkout.updated_at)?;
            self.move_to(&mut transaction, organisation, &checkout, Status::Expired).await?;
            event.write(&self.store, &mut transaction, organisation).await?;
        }
        transaction.commit().await?;
        self.happened();
        Ok(may_be_more)
    }

    /// Deletes what an organisation's is kept no longer, a few rows at a time: other writers wait for each statement, and
    /// after some days without a verifier there is much.
    async fn tidy(&self, organisation: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let events = first_id_at(micros(now - EVENTS_KEPT).saturating_add(1));
        let old = [
            (
                "DELETE FROM idempotency_keys WHERE organisation_id = $1 AND created_at <= $2
                 AND idempotency_key IN (SELECT k.idempotency_key FROM idempotency_keys k WHERE k.organisation_id = $1
                 AND k.created_at <= $2 ORDER BY k.created_at LIMIT $3)",
                Value::Number(micros(now - KEPT)),
            ),
            (
                "DELETE FROM sessions WHERE organisation_id = $1
                 AND id IN (SELECT s.id FROM sessions s WHERE s.organisation_id = $1
                 AND s.expires_at <= $2 ORDER BY s.expires_at LIMIT $3)",
                Value::Number(micros(now)),
            ),
            // Deliveries go before their event; one that still waits keeps it.
            (
                "DELETE FROM deliveries WHERE organisation_id = $1 AND next_attempt_at IS NULL
                 AND event_id IN (SELECT d.event_id FROM deliveries d WHERE d.organisation_id = $1
                 AND d.next_attempt_at IS NULL AND d.event_id < $2 ORDER BY d.event_id LIMIT $3)",
                Value::Text(events.clone()),
            ),
            (
                "DELETE FROM events WHERE organisation_id = $1
                 AND id IN (SELECT e.id FROM events e WHERE e.organisation_id = $1 AND e.id < $2
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.organisation_id = $1 AND d.event_id = e.id)
                 ORDER BY e.id LIMIT $3)",
                Value::Text(events),
            ),
        ];
        for (delete, before) in old {
            loop {
                let delete = sqlx::query(delete).bind(organisation);
                let delete = match &before {
                    Value::Number(before) => delete.bind(*before),
                    Value::Text(before) => delete.bind(before),
                };
                let deleted = delete.bind(DELETED_AT_A_TIME).execute(self.store.writes()).await?.rows_affected();
                // One verifier more that deletes leaves less to delete; the next sweep finds what is left.
                if deleted < DELETED_AT_A_TIME.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(())
    }
}

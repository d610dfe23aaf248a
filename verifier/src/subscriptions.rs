//! Webhooks of an organisation: where it wants to be told of events, and with which secret.
//!
//! Their owner makes and disables them on the command line; `outbox` sends to them.

use crate::Verifier;
use crate::error::Error;
use crate::store::{Query, micros, new_id, repeated};
use crate::webhooks::signature::Secret;
use crate::webhooks::target::{Refused, Target};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How long messages are signed with a secret that was replaced, too.
const OLD_SECRET: TimeDelta = TimeDelta::hours(24);
/// How many deliveries are given up in one transaction: other writers wait for it.
const AT_A_TIME: i64 = 500;

/// A webhook whose secret is shown once.
#[derive(Debug, Serialize)]
pub struct NewSecret {
    /// By which it is disabled or given another secret.
    pub webhook: String,
    /// What its server verifies messages with.
    pub secret: String,
}

/// A webhook, without its secret.
#[derive(Debug, Serialize)]
pub struct Webhook {
    /// By which it is disabled or given another secret.
    pub webhook: String,
    /// Where events are sent to.
    pub url: String,
    /// Whether they still are.
    pub is_disabled: bool,
    /// How many wait to be delivered.
    pub waiting: i64,
    /// What came of the last attempt that ended for good or failed.
    pub last_outcome: Option<String>,
}

/// Why a webhook is not made.
#[derive(Debug)]
pub enum NotMade {
    /// Its URL may not be called.
    Url(Refused),
    /// There is no such organisation, or the database fails.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for NotMade {
    fn from(error: E) -> NotMade {
        NotMade::Failed(error.into())
    }
}

fn new_secret() -> Result<String, Error> {
    Secret::generate().map(|secret| secret.reveal()).map_err(|_| Error::Internal("the system has no randomness"))
}

/// A secret that was replaced.
#[derive(Serialize, Deserialize)]
pub(crate) struct OldSecret {
    pub(crate) secret: String,
    replaced_at: i64,
}

/// Those of the stored ones that messages are signed with still, the newest first.
pub(crate) fn old_secrets(stored: Option<&str>, now: DateTime<Utc>) -> Result<Vec<OldSecret>, Error> {
    let Some(stored) = stored else { return Ok(Vec::new()) };
    let mut old: Vec<OldSecret> =
        serde_json::from_str(stored).map_err(|_| Error::Internal("stored webhook secrets are none"))?;
    old.retain(|old| old.replaced_at > micros(now - OLD_SECRET));
    Ok(old)
}

impl Verifier {
    /// Makes a webhook: it is told of what happens from now on.
    ///
    /// # Errors
    /// The URL is none that may be called, there is no such organisation, or the database fails.
    pub async fn create_webhook(&self, organisation: &str, url: &str) -> Result<NewSecret, NotMade> {
        let target = Target::parse(url, self.settings.webhooks_allow_private).map_err(NotMade::Url)?;
        self.organisation(organisation).await?;
        let (webhook, secret) = (new_id(), new_secret()?);
        sqlx::query("INSERT INTO webhooks (organisation_id, id, url, secret, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(organisation)
            .bind(&webhook)
            .bind(target.into_uri().to_string())
            .bind(&secret)
            .bind(micros(self.moment().now))
            .execute(self.store.writes())
            .await?;
        Ok(NewSecret { webhook, secret })
    }

    /// Gives a webhook another secret. For a day messages are signed with the one before as well, and with any that was
    /// replaced less than a day ago.
    ///
    /// # Errors
    /// There is no such webhook, or the database fails.
    pub async fn rotate_webhook(&self, webhook: &str) -> Result<NewSecret, Error> {
        let secret = new_secret()?;
        let now = self.moment().now;
        repeated(|| async {
            let replaced = "SELECT secret, old_secrets FROM webhooks WHERE id = $1";
            let replaced = sqlx::query_as(replaced).bind(webhook).fetch_optional(&self.store.reads).await?;
            let (replaced, older): (String, Option<String>) = replaced.ok_or(Error::NotFound)?;
            let mut old = vec![OldSecret { secret: replaced.clone(), replaced_at: micros(now) }];
            old.extend(old_secrets(older.as_deref(), now)?);
            let old = serde_json::to_string(&old).map_err(|_| Error::Internal("secrets cannot be written"))?;
            // Whoever replaced it in between has shown a secret that must not be lost.
            let rotate = "UPDATE webhooks SET secret = $3, old_secrets = $4 WHERE id = $1 AND secret = $2";
            let rotate = sqlx::query(rotate).bind(webhook).bind(&replaced).bind(&secret).bind(&old);
            match rotate.execute(self.store.writes()).await?.rows_affected() {
                0 => Err(Error::Overtaken),
                _ => Ok(()),
            }
        })
        .await?;
        Ok(NewSecret { webhook: webhook.into(), secret })
    }

    /// Disables a webhook: what waits for it is given up. Doing so again changes nothing.
    ///
    /// # Errors
    /// There is no such webhook, or the database fails.
    pub async fn disable_webhook(&self, webhook: &str) -> Result<(), Error> {
        self.end_webhook(webhook, "the webhook is disabled").await
    }

    /// Disables a webhook, and says why of everything that waits for it.
    ///
    /// It is disabled together with the first that is given up; where what follows fails, `outbox` gives up the rest.
    pub(crate) async fn end_webhook(&self, webhook: &str, why: &str) -> Result<(), Error> {
        let organisation = "SELECT organisation_id FROM webhooks WHERE id = $1";
        let organisation = sqlx::query_scalar(organisation).bind(webhook).fetch_optional(&self.store.reads).await?;
        let organisation: String = organisation.ok_or(Error::NotFound)?;
        while repeated(|| self.give_up_some(&organisation, webhook, why)).await? {}
        Ok(())
    }

    /// Disables a webhook and gives up what has waited longest; whether there may be more.
    async fn give_up_some(&self, organisation: &str, webhook: &str, why: &str) -> Result<bool, Error> {
        let mut transaction = self.store.begin().await?;
        let disable =
            "UPDATE webhooks SET disabled_at = COALESCE(disabled_at, $3) WHERE organisation_id = $1 AND id = $2";
        let disable = sqlx::query(disable).bind(organisation).bind(webhook).bind(micros(self.moment().now));
        disable.execute(&mut *transaction).await?;
        let give_up = "UPDATE deliveries SET next_attempt_at = NULL, outcome = $3
             WHERE organisation_id = $1 AND webhook_id = $2 AND next_attempt_at IS NOT NULL
             AND event_id IN (SELECT d.event_id FROM deliveries d WHERE d.organisation_id = $1 AND d.webhook_id = $2
             AND d.next_attempt_at IS NOT NULL ORDER BY d.next_attempt_at, d.event_id LIMIT $4)";
        let give_up = sqlx::query(give_up).bind(organisation).bind(webhook).bind(why).bind(AT_A_TIME);
        let given_up = give_up.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(given_up > 0)
    }

    /// An organisation's webhooks, the oldest first.
    ///
    /// # Errors
    /// There is no such organisation, or the database fails.
    pub async fn webhooks(&self, organisation: &str) -> Result<Vec<Webhook>, Error> {
        self.organisation(organisation).await?;
        let webhooks = Query::new(
            "SELECT w.id, w.url, w.disabled_at,
             (SELECT COUNT(*) FROM deliveries d WHERE d.organisation_id = w.organisation_id AND d.webhook_id = w.id
              AND d.next_attempt_at IS NOT NULL) AS waiting,
             (SELECT d.outcome FROM deliveries d WHERE d.organisation_id = w.organisation_id AND d.webhook_id = w.id
              AND d.outcome IS NOT NULL ORDER BY d.event_id DESC LIMIT 1) AS last_outcome
             FROM webhooks w WHERE w.organisation_id = ",
        );
        let rows: Vec<Row> = webhooks.bind(organisation).push(" ORDER BY w.id").fetch_all(&self.store.reads).await?;
        let found = rows.into_iter().map(|row| Webhook {
            webhook: row.id,
            url: row.url,
            is_disabled: row.disabled_at.is_some(),
            waiting: row.waiting,
            last_outcome: row.last_outcome,
        });
        Ok(found.collect())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    url: String,
    disabled_at: Option<i64>,
    waiting: i64,
    last_outcome: Option<String>,
}

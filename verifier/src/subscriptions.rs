//! Webhooks of an organisation: where it wants to be told of events, and with which secret.
//!
//! Their owner makes and disables them on the command line; `outbox` sends to them.

use crate::Verifier;
use crate::error::Error;
use crate::store::{Query, micros, new_id};
use crate::webhooks::signature::Secret;
use crate::webhooks::target::{Refused, Target};
use serde::Serialize;

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

    /// Gives a webhook another secret. For a day messages are signed with both.
    ///
    /// # Errors
    /// There is no such webhook, or the database fails.
    pub async fn rotate_webhook(&self, webhook: &str) -> Result<NewSecret, Error> {
        let secret = new_secret()?;
        let rotate = "UPDATE webhooks SET old_secret = secret, secret = $2, rotated_at = $3 WHERE id = $1";
        let rotate = sqlx::query(rotate).bind(webhook).bind(&secret).bind(micros(self.moment().now));
        match rotate.execute(self.store.writes()).await?.rows_affected() {
            0 => Err(Error::NotFound),
            _ => Ok(NewSecret { webhook: webhook.into(), secret }),
        }
    }

    /// Disables a webhook: what waits for it is given up. Doing so again changes nothing.
    ///
    /// # Errors
    /// There is no such webhook, or the database fails.
    pub async fn disable_webhook(&self, webhook: &str) -> Result<(), Error> {
        let disable = "UPDATE webhooks SET disabled_at = COALESCE(disabled_at, $2) WHERE id = $1";
        let disable = sqlx::query(disable).bind(webhook).bind(micros(self.moment().now));
        match disable.execute(self.store.writes()).await?.rows_affected() {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
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

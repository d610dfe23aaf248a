//! Organisations, their settings and their keys: what the command line does for whoever runs the verifier.

use crate::Verifier;
use crate::error::Error;
use crate::secret::{Kind, Secret};
use crate::store::{Query, micros, new_id};
use serde::Serialize;
use sqlx::AnyConnection;
use url::Url;

/// Characters of a name.
const LONGEST_NAME: usize = 200;

/// A new organisation, with keys that are shown once.
#[derive(Debug, Serialize)]
pub struct Created {
    /// The organisation's id.
    pub organisation: String,
    /// For the merchant's server.
    pub secret_key: String,
    /// For the merchant's pages.
    pub publishable_key: String,
}

/// A new key, which is shown once.
#[derive(Debug, Serialize)]
pub struct NewKey {
    /// By which it is revoked, and named in the log.
    pub key_id: String,
    /// The key.
    pub key: String,
}

/// A key, without what it is.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct Key {
    /// By which it is revoked.
    pub key_id: String,
    /// `secret` or `publishable`.
    pub kind: String,
    /// Whether it still opens anything.
    pub is_revoked: bool,
}

/// What an organisation has decided.
#[derive(Debug, Serialize)]
pub struct Settings {
    /// The organisation's id.
    pub organisation: String,
    /// Its name.
    pub name: String,
    /// The origins whose pages may call.
    pub allowed_origins: Vec<String>,
    /// Whether a checkout's client secret may confirm it.
    pub client_confirms: bool,
}

/// For whom a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The merchant's server.
    Secret,
    /// The merchant's pages.
    Publishable,
}

impl KeyKind {
    const fn kind(self) -> Kind {
        match self {
            KeyKind::Secret => Kind::SecretKey,
            KeyKind::Publishable => Kind::PublishableKey,
        }
    }
}

/// The name of an organisation: 1 to 200 characters, and not spaces alone.
///
/// # Errors
/// What is wrong with it.
pub fn read_name(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=LONGEST_NAME if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(format!("a name has 1 to {LONGEST_NAME} characters, and not spaces alone")),
    }
}

/// An origin as a browser sends it: `https://shop.example`. It is compared letter by letter, so a `*` would allow nobody.
///
/// # Errors
/// What is wrong with it.
pub fn read_origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|cause| format!("`{text}` is no origin: {cause}"))?;
    let origin = url.origin().ascii_serialization();
    match url.scheme() {
        _ if text.contains('*') => Err(format!("`{text}` is no origin: write each one out, for `*` stands for none")),
        "http" | "https" if origin == text.trim_end_matches('/') => Ok(origin),
        _ => Err(format!("`{text}` is no origin: write a scheme and a host, such as https://shop.example")),
    }
}

impl Verifier {
    /// Makes an organisation with a secret and a publishable key.
    ///
    /// # Errors
    /// The database fails.
    pub async fn create_organisation(&self, name: &str) -> Result<Created, Error> {
        let (organisation, now) = (new_id(), micros(self.moment().now));
        let (secret, publishable) = (Secret::new(Kind::SecretKey), Secret::new(Kind::PublishableKey));
        let mut transaction = self.store.begin().await?;
        let insert = "INSERT INTO organisations (id, name, allowed_origins, client_confirms, created_at)
             VALUES ($1, $2, '', 0, $3)";
        sqlx::query(insert).bind(&organisation).bind(name).bind(now).execute(&mut *transaction).await?;
        keep(&mut transaction, &organisation, Kind::SecretKey, &secret, now).await?;
        keep(&mut transaction, &organisation, Kind::PublishableKey, &publishable, now).await?;
        transaction.commit().await?;
        Ok(Created { organisation, secret_key: secret.text, publishable_key: publishable.text })
    }

    /// Makes another key.
    ///
    /// # Errors
    /// There is no such organisation, or the database fails.
    pub async fn create_key(&self, organisation: &str, kind: KeyKind) -> Result<NewKey, Error> {
        self.organisation(organisation).await?;
        let secret = Secret::new(kind.kind());
        let mut transaction = self.store.begin().await?;
        keep(&mut transaction, organisation, kind.kind(), &secret, micros(self.moment().now)).await?;
        transaction.commit().await?;
        Ok(NewKey { key_id: secret.id, key: secret.text })
    }

    /// Revokes a key: it opens nothing from now on. Revoking it again changes nothing.
    ///
    /// # Errors
    /// There is no such key, or the database fails.
    pub async fn revoke_key(&self, key_id: &str) -> Result<(), Error> {
        let revoke = "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1";
        let revoke = sqlx::query(revoke).bind(key_id).bind(micros(self.moment().now));
        let revoked = revoke.execute(self.store.writes()).await?.rows_affected();
        self.callers.forget();
        if revoked == 0 { Err(Error::NotFound) } else { Ok(()) }
    }

    /// An organisation's keys, the oldest first.
    ///
    /// # Errors
    /// There is no such organisation, or the database fails.
    pub async fn keys(&self, organisation: &str) -> Result<Vec<Key>, Error> {
        self.organisation(organisation).await?;
        let keys = Query::new("SELECT id, kind, revoked_at FROM api_keys WHERE organisation_id = ").bind(organisation);
        let keys: Vec<(String, String, Option<i64>)> = keys.push(" ORDER BY id").fetch_all(&self.store.reads).await?;
        let key =
            |(key_id, kind, revoked_at): (_, _, Option<i64>)| Key { key_id, kind, is_revoked: revoked_at.is_some() };
        Ok(keys.into_iter().map(key).collect())
    }

    /// Changes an organisation's settings; what is `None` stays.
    ///
    /// # Errors
    /// There is no such organisation, or the database fails.
    pub async fn update_organisation(
        &self,
        organisation: &str,
        allowed_origins: Option<&[String]>,
        client_confirms: Option<bool>,
    ) -> Result<Settings, Error> {
        let origins = allowed_origins.map(|origins| origins.join("\n"));
        sqlx::query(
            "UPDATE organisations SET allowed_origins = COALESCE($2, allowed_origins),
             client_confirms = COALESCE($3, client_confirms) WHERE id = $1",
        )
        .bind(organisation)
        .bind(origins)
        .bind(client_confirms.map(i64::from))
        .execute(self.store.writes())
        .await?;
        self.callers.forget();
        self.organisation(organisation).await
    }

    /// An organisation's settings.
    ///
    /// # Errors
    /// There is no such organisation, or the database fails.
    pub async fn organisation(&self, organisation: &str) -> Result<Settings, Error> {
        let settings = Self::settings_of().push(" WHERE id = ").bind(organisation);
        let settings: Vec<Row> = settings.fetch_all(&self.store.reads).await?;
        settings.into_iter().next().map(settings_of_row).ok_or(Error::NotFound)
    }

    /// Every organisation, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn organisations(&self) -> Result<Vec<Settings>, Error> {
        let all: Vec<Row> = Self::settings_of().push(" ORDER BY id").fetch_all(&self.store.reads).await?;
        Ok(all.into_iter().map(settings_of_row).collect())
    }

    fn settings_of() -> Query {
        Query::new("SELECT id, name, allowed_origins, client_confirms FROM organisations")
    }
}

type Row = (String, String, String, i64);

fn settings_of_row((organisation, name, allowed_origins, client_confirms): Row) -> Settings {
    let allowed_origins = allowed_origins.lines().map(str::to_owned).collect();
    Settings { organisation, name, allowed_origins, client_confirms: client_confirms == 1 }
}

async fn keep(
    connection: &mut AnyConnection,
    organisation: &str,
    kind: Kind,
    secret: &Secret,
    now: i64,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO api_keys (organisation_id, id, kind, hash, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(organisation)
        .bind(&secret.id)
        .bind(kind.as_str())
        .bind(&secret.hash)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

//! The database: SQLite in one file, and the few conversions the queries share.
//!
//! Every change is either one statement or a transaction whose first statement takes the lock and whose guard stands in
//! its `WHERE`; so a change can be tried again, and holds on PostgreSQL too.

use crate::error::Error;
use checkout_preview::{Json, json};
use chrono::{DateTime, Utc};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr;
use std::time::Duration;

/// How long a request waits for a connection, and for another writer: less than a request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the database, creates the file if there is none, and brings its tables up to date.
///
/// # Errors
/// A sentence for whoever started the program.
pub async fn open(url: &str) -> Result<SqlitePool, String> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Err("PostgreSQL is not supported yet: use --database sqlite:FILE".into());
    }
    if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
        return Err(format!("`{url}` is not a database this program can use: write sqlite:FILE"));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|cause| format!("`{url}` is not a database this program can use: {cause}"))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE);
    let pool = SqlitePoolOptions::new().max_connections(8).acquire_timeout(PATIENCE);
    let db = pool.connect_with(options).await.map_err(|cause| format!("cannot open {url}: {cause}"))?;
    sqlx::migrate!().run(&db).await.map_err(|cause| format!("cannot bring {url} up to date: {cause}"))?;
    Ok(db)
}

/// An instant as it stands in the database.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

/// The instant that stands in the database.
pub(crate) fn instant(micros: i64) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_micros(micros).ok_or(Error::Internal("an instant in the database is out of range"))
}

/// A document that stands in the database.
pub(crate) fn stored_json(text: &str) -> Result<Json, Error> {
    json::parse(text.as_bytes()).map_err(|_| Error::Internal("a stored document is not JSON"))
}

/// The text in a field of a document.
pub(crate) fn text_of<'a>(document: &'a Json, field: &str) -> Option<&'a str> {
    match document.get(field) {
        Some(Json::String(text)) => Some(text),
        _ => None,
    }
}

/// A new id: UUIDv7, so that ids ascend with time.
pub(crate) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The one organisation there is until organisations have keys.
pub const ORGANISATION: &str = "default";

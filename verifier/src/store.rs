//! The database: SQLite in one file or PostgreSQL, and the few conversions the queries share.
//!
//! Every query is one portable text for both, but for those that write several tables on one way to the database. Every
//! change is either one statement or a transaction whose first statement writes and whose guards stand in its `WHERE`; so
//! a change can be tried again from its beginning ([`repeated`]), and holds whoever else writes.

use crate::connections::{Change, Connections, PATIENCE};
use crate::error::Error;
use checkout_preview::{Json, json};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Any, AnyConnection, Arguments, AssertSqlSafe, Connection, Executor};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// An open database.
///
/// SQLite has one writer at a time: those who write wait in line for the one connection that does, and those who read
/// wait for nobody. PostgreSQL has one pool for both.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) reads: Connections,
    writes: Connections,
    /// Where one statement may insert into several tables: PostgreSQL, and what speaks its language.
    pub(crate) is_postgres: bool,
}

impl Store {
    /// Opens a database and brings its tables up to date.
    ///
    /// `sqlite:FILE` creates the file if there is none. `postgres://user@host:5432,other:5432/name` may name several hosts:
    /// the one that takes writes is used, now and after it has changed.
    ///
    /// # Errors
    /// A sentence for whoever started the program.
    pub async fn open(url: &str, connections: u32) -> Result<Store, String> {
        sqlx::any::install_default_drivers();
        let store = if is_postgres(url) {
            crate::postgres::connect(url, connections).await?
        } else if url.starts_with("sqlite:") && !url.contains(":memory:") && !url.contains("mode=memory") {
            sqlite(url, connections).await?
        } else {
            let url = without_password(url);
            return Err(format!("`{url}` is not a database this program can use: write sqlite:FILE or postgres://…"));
        };
        store.migrate().await.map_err(|cause| format!("cannot bring {} up to date: {cause}", without_password(url)))?;
        Ok(store)
    }

    pub(crate) fn postgres(connections: Connections) -> Store {
        Store { reads: connections.clone(), writes: connections, is_postgres: true }
    }

    /// Finishes what runs and closes every connection.
    pub async fn close(&self) {
        self.writes.close().await;
        self.reads.close().await;
    }

    /// Begins a change.
    pub(crate) async fn begin(&self) -> Result<Change, Error> {
        let begin = if self.is_postgres { "BEGIN" } else { "BEGIN IMMEDIATE" };
        Ok(Change::begin(self.writes.lend().await?, begin).await?)
    }

    /// Makes a change on one way to the database: one statement, or on SQLite the text of [`at_once`].
    pub(crate) async fn write_at_once(
        &self,
        change: sqlx::query::Query<'static, Any, AnyArguments>,
    ) -> Result<(), Error> {
        if self.is_postgres {
            change.execute(&self.writes).await?;
            return Ok(());
        }
        let mut connection = Change::at_once(self.writes.lend().await?);
        change.execute(&mut *connection).await?;
        connection.done();
        Ok(())
    }

    /// Where a change of one statement is made.
    pub(crate) fn writes(&self) -> &Connections {
        &self.writes
    }

    /// Connections in use, and open.
    pub fn connections(&self) -> (usize, usize) {
        let all: &[&Connections] = if self.is_postgres { &[&self.reads] } else { &[&self.reads, &self.writes] };
        let counts = all.iter().map(|connections| connections.count());
        counts.fold((0, 0), |(in_use, open), (more_in_use, more_open)| (in_use + more_in_use, open + more_open))
    }

    /// Verifiers that start at once may bring the tables up to date at once: one succeeds, and the others find it done.
    /// (The usual advisory lock is not to be had of every database that speaks PostgreSQL's language.)
    async fn migrate(&self) -> Result<(), String> {
        const TIMES: u32 = 20;
        let mut migrator: Migrator = sqlx::migrate!();
        migrator.set_locking(false);
        for time in 1.. {
            let mut connection = self.writes.pool().acquire().await.map_err(|cause| cause.to_string())?;
            if self.is_postgres {
                // A large table takes its time.
                let no_limit = sqlx::query("SELECT set_config('statement_timeout', '0', false)");
                no_limit.fetch_all(&mut *connection).await.map_err(|cause| cause.to_string())?;
            }
            let run = migrator.run(&mut *connection).await;
            if self.is_postgres {
                // And is the only one that may.
                let _ = connection.close().await;
            }
            match run {
                Ok(()) => break,
                // Waiting changes nothing about these two.
                Err(MigrateError::VersionMismatch(_)) => {
                    let sentence = "its tables were made by a version of this program that was never released: \
                                    delete it, or name another one with --database";
                    return Err(sentence.into());
                }
                Err(MigrateError::VersionMissing(_)) => {
                    return Err("its tables were made by a newer version of this program: run that one".into());
                }
                Err(cause) if time >= TIMES => return Err(cause.to_string()),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Ok(())
    }
}

pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

const SQLITE_SETTINGS: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000";

async fn sqlite(url: &str, connections: u32) -> Result<Store, String> {
    let mode = if url.contains('?') { "&mode=rwc" } else { "?mode=rwc" };
    let mode = if url.contains("mode=") { "" } else { mode };
    let options = AnyConnectOptions::from_str(&format!("{url}{mode}"))
        .map_err(|cause| format!("`{url}` is not a database this program can use: {cause}"))?;
    let cannot = |cause| format!("cannot open {url}: {cause}");
    let file = SqliteConnectOptions::from_str(url).map_err(cannot)?;
    if !url.contains("mode=") || url.contains("mode=rwc") {
        make_private(file.get_filename());
    }
    // What is wrong with the file is said at once: a pool would try again and say that its time is up.
    let begun = tokio::time::Instant::now();
    while let Err(cause) = try_sqlite(&options).await {
        if !is_locked(&cause) || begun.elapsed() >= PATIENCE {
            return Err(cannot(cause));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pool = |connections| {
        let pool =
            AnyPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE).test_before_acquire(false);
        pool.after_connect(|connection: &mut AnyConnection, _| {
            Box::pin(async move { connection.execute(SQLITE_SETTINGS).await.map(|_| ()) })
        })
    };
    let writes = pool(1).connect_with(options.clone()).await.map_err(cannot)?;
    let reads = pool(connections).connect_with(options).await.map_err(cannot)?;
    Ok(Store { reads: Connections::new(reads), writes: Connections::new(writes), is_postgres: false })
}

/// Makes the file where there is none, so that nobody but its owner reads it: it holds the secrets of webhooks, and what
/// buyers tell of themselves. SQLite gives the files beside it the same mode. One that is there keeps what its owner gave it.
fn make_private(file: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Where it cannot be made, SQLite says why.
    let _ = options.open(file);
}

async fn try_sqlite(options: &AnyConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    connection.execute(SQLITE_SETTINGS).await?;
    connection.close().await
}

/// Another process is making the file, or was the last to leave it: SQLite does not wait for those (`SQLITE_BUSY`, with
/// whatever it has to add to it).
fn is_locked(cause: &sqlx::Error) -> bool {
    const BUSY: u32 = 5;
    let code = cause.as_database_error().and_then(|cause| cause.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xFF == BUSY)
}

/// A database's address as it may be told: without a password, and without options, for one of them may be a password.
pub fn without_password(url: &str) -> String {
    if url.starts_with("sqlite:") || !url.contains(':') {
        return url.to_owned();
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return format!("{}:…", url.split(':').next().unwrap_or_default());
    };
    match rest.split_once('?').unwrap_or((rest, "")) {
        // Where the password ends cannot be told.
        (_, options) if options.contains('@') => format!("{scheme}://…"),
        (place, _) => match place.rsplit_once('@') {
            Some((user, place)) => format!("{scheme}://{}@{place}", user.split(':').next().unwrap_or_default()),
            None => format!("{scheme}://{place}"),
        },
    }
}

/// Statements of SQLite that are a transaction together.
macro_rules! at_once {
    ($($statement:expr),*) => {
        concat!("BEGIN IMMEDIATE; ", $($statement, "; "),*, "COMMIT")
    };
}
pub(crate) use at_once;

/// Makes a change again where another one overtook it: it reads anew, and finds how things are now.
///
/// Nothing of an attempt that failed has been written.
pub(crate) async fn repeated<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    const TIMES: u32 = 10;
    for time in 1..TIMES {
        match attempt().await {
            Err(Error::Overtaken) => {}
            Err(Error::Database(cause)) if is_conflict(&cause) => {}
            answer => return answer,
        }
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..1000 << time))).await;
    }
    attempt().await
}

/// Two transactions were in each other's way, and this one has to be made again (PostgreSQL's 40001 and 40P01).
fn is_conflict(cause: &sqlx::Error) -> bool {
    let code = cause.as_database_error().and_then(|cause| cause.code());
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// A query whose conditions depend on what is asked for. What is asked for is bound, never written into it.
pub(crate) struct Query {
    sql: String,
    values: Vec<Value>,
}

/// What a query is given.
pub(crate) enum Value {
    Text(String),
    Number(i64),
}

impl Query {
    pub(crate) fn new(sql: &'static str) -> Query {
        Query { sql: sql.into(), values: Vec::new() }
    }

    pub(crate) fn push(mut self, sql: &'static str) -> Query {
        self.sql.push_str(sql);
        self
    }

    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Query {
        self.values.push(value.into());
        self.sql.push_str(&format!("${}", self.values.len()));
        self
    }

    pub(crate) async fn fetch_all<T>(self, connections: &Connections) -> Result<Vec<T>, Error>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::any::AnyRow> + Send + Unpin,
    {
        let (sql, arguments) = self.ready()?;
        Ok(sqlx::query_as_with(sql, arguments).fetch_all(connections).await?)
    }

    /// Its text, which is this program's own (see `new` and `push`), and what is bound to it.
    fn ready(self) -> Result<(AssertSqlSafe<String>, AnyArguments), Error> {
        let mut arguments = AnyArguments::default();
        for value in self.values {
            let added = match value {
                Value::Text(text) => arguments.add(text),
                Value::Number(number) => arguments.add(number),
            };
            added.map_err(|_| Error::Internal("a value cannot be bound"))?;
        }
        Ok((AssertSqlSafe(self.sql), arguments))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// An instant as it stands in the database.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

/// The instant that stands in the database.
pub(crate) fn instant(micros: i64) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_micros(micros).ok_or(Error::Internal("an instant in the database is out of range"))
}

/// An instant of the database as it goes over the wire (R1.1): with a fraction only where there is one.
pub(crate) fn wire(micros: i64) -> Result<String, Error> {
    let text = instant(micros)?.format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    Ok(format!("{}Z", text.trim_end_matches('0').trim_end_matches('.')))
}

/// A document that stands in the database.
pub(crate) fn stored_json(text: &str) -> Result<Json, Error> {
    json::parse(text.as_bytes()).map_err(|_| Error::Internal("a stored document is not JSON"))
}

/// A document that stands in the database, to be passed on as it is.
pub(crate) fn raw(text: &str) -> Result<&RawValue, Error> {
    serde_json::from_str(text).map_err(|_| Error::Internal("a stored document is not JSON"))
}

/// The text in a field of a document.
pub(crate) fn text_of<'a>(document: &'a Json, field: &str) -> Option<&'a str> {
    match document.get(field) {
        Some(Json::String(text)) => Some(text),
        _ => None,
    }
}

/// A new id (UUIDv7).
pub(crate) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A new id for what is created at this instant (UUIDv7): in the order of their ids things stand in the order of their
/// instants, to the microsecond, so that no index has to hold both.
///
/// What one process creates in one microsecond stands in the order in which it was created: the two events of a change do.
pub(crate) fn id_at(created_at: i64) -> String {
    // Begun anew whenever the clock has moved on: the difference of two ids says nothing of what others created in between.
    static LAST: Mutex<(i64, u32)> = Mutex::new((0, 0));
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap_or_else(|_| std::process::abort());
    let [a, b, c, d, e, f, g, h] = random;
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    // 29 bits, so that there is room to count on in 30.
    let anew = u32::from_be_bytes([a, b, c, d]) >> 3;
    let number = if created_at <= last.0 { last.1.wrapping_add(1) } else { anew };
    *last = (created_at.max(last.0), number);
    drop(last);
    let [a, b, c, d] = number.to_be_bytes();
    id(created_at, [a, b, c, d, e, f, g, h])
}

/// The lowest id of what is created at this instant.
pub(crate) fn first_id_at(created_at: i64) -> String {
    id(created_at, [0; 8])
}

/// 48 bits of milliseconds; of the next 12 each microsecond takes four; and 62 bits of `rest`.
fn id(created_at: i64, rest: [u8; 8]) -> String {
    // Before 1970 there are no ids.
    let created_at = u64::try_from(created_at).unwrap_or(0);
    let [high, low] = u16::try_from(created_at % 1000 * 4).unwrap_or(0).to_be_bytes();
    let [a, b, c, d, e, f, g, h] = rest;
    let bytes = [high, low, a, b, c, d, e, f, g, h];
    uuid::Builder::from_unix_timestamp_millis(created_at / 1000, &bytes).into_uuid().to_string()
}

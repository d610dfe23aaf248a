//! Connections to the database, lent one after the other.
//!
//! They come from sqlx's pool, which makes them, limits their age, and asks each one that comes back to it whether it
//! lives. That takes as long as a query does; so those that did their work stay here and are lent on, and only those that
//! failed, were given up on, or have been here for long go back to be asked.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use scopeguard::{ScopeGuard, guard};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Describe, Either, Execute, Executor, SqlStr};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a request waits for a connection: less than a request may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// A database that does not answer a question this long is lost.
pub(crate) const SILENCE: Duration = Duration::from_secs(2);
/// A connection that was used so recently is taken to be alive; where it is not, one request is told to come again.
pub(crate) const RECENT: Duration = Duration::from_secs(1);
/// How long a connection is lent on before sqlx's pool sees it again.
const STAY: Duration = Duration::from_secs(60);

/// A pool of connections that are not asked each time.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pool: AnyPool,
    /// As many as there may be connections: whoever holds one finds a connection here or in sqlx's pool.
    places: Arc<Semaphore>,
    kept: Arc<Mutex<Kept>>,
}

/// Connections that are not lent just now; the one used last is the last.
#[derive(Debug)]
struct Kept {
    connections: Vec<(PoolConnection<Any>, Times)>,
    /// Those that are older lead to a host that is not to be used any more.
    not_before: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    /// When sqlx's pool gave it away.
    taken: Instant,
    used: Instant,
}

impl Connections {
    pub(crate) fn new(pool: AnyPool) -> Connections {
        let places = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
        Connections {
            pool,
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            kept: Arc::new(Mutex::new(Kept { connections: Vec::new(), not_before: Instant::now() })),
        }
    }

    /// Where they come from.
    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    pub(crate) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        let lend = async {
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let (connection, taken) = match self.kept_one().await {
                Some(kept) => kept,
                None => (self.pool.acquire().await?, Instant::now()),
            };
            Ok(Lent { connection, taken, from: self.clone(), place })
        };
        timeout(PATIENCE, lend).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// A connection that is here and lives.
    async fn kept_one(&self) -> Option<(PoolConnection<Any>, Instant)> {
        loop {
            let (mut connection, times) = self.kept().connections.pop()?;
            if times.used.elapsed() < RECENT || answers(&mut connection).await.is_ok() {
                return Some((connection, times.taken));
            }
            // So are those that were not used since: to ask each in turn would take longer than anybody waits. Closed without
            // a farewell, which nobody would hear.
            drop(connection.detach());
            for (connection, _) in self.kept().connections.extract_if(.., |(_, other)| other.used <= times.used) {
                drop(connection.detach());
            }
        }
    }

    fn keep(&self, connection: PoolConnection<Any>, taken: Instant) {
        let mut kept = self.kept();
        // What is not kept goes back to sqlx's pool, here as everywhere that one is dropped.
        kept.connections.retain(|(_, times)| times.taken.elapsed() < STAY);
        if taken >= kept.not_before && taken.elapsed() < STAY && !self.pool.is_closed() {
            kept.connections.push((connection, Times { taken, used: Instant::now() }));
        }
    }

    /// Lends none of the connections again that there are now.
    pub(crate) fn renew(&self) {
        let mut kept = self.kept();
        kept.not_before = Instant::now();
        kept.connections.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections in use, and open.
    pub(crate) fn count(&self) -> (usize, usize) {
        let open = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        let idle = self.pool.num_idle() + self.kept().connections.len();
        (open.saturating_sub(idle), open)
    }

    /// Finishes what runs and closes every connection.
    pub(crate) async fn close(&self) {
        // From here on none is kept: see `keep`.
        let closed = self.pool.close();
        self.kept().connections.clear();
        closed.await;
    }
}

/// Whether the other end is there.
pub(crate) async fn answers(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let silence = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    timeout(SILENCE, connection.ping()).await.map_err(silence)?
}

/// A connection, until it is given back. One that is dropped goes back to sqlx's pool, and is asked there.
pub(crate) struct Lent {
    connection: PoolConnection<Any>,
    taken: Instant,
    from: Connections,
    // Given up last: whoever waits for it finds the connection.
    place: OwnedSemaphorePermit,
}

impl Lent {
    /// Gives back a connection that did its work.
    fn done(self) {
        self.from.keep(self.connection, self.taken);
        drop(self.place);
    }
}

impl Deref for Lent {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

/// A connection on which a change is made. Unless it is committed, it is undone.
pub(crate) struct Change(ScopeGuard<Lent, fn(Lent)>);

impl Change {
    /// `begin` is how this database begins one.
    pub(crate) async fn begin(lent: Lent, begin: &'static str) -> Result<Change, sqlx::Error> {
        let mut change = Change::at_once(lent);
        change.execute(begin).await?;
        Ok(change)
    }

    /// A change that begins and commits itself.
    pub(crate) fn at_once(lent: Lent) -> Change {
        Change(guard(lent, |lent| drop(tokio::spawn(undo(lent)))))
    }

    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.execute("COMMIT").await?;
        self.done();
        Ok(())
    }

    /// The change was made, and is committed.
    pub(crate) fn done(self) {
        ScopeGuard::into_inner(self.0).done();
    }
}

impl Deref for Change {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.0
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.0
    }
}

/// Ends a change that was not finished. Nobody waits for it, so that it is done also where whoever made the change has
/// given up.
async fn undo(mut lent: Lent) {
    let undone = timeout(SILENCE, lent.execute("ROLLBACK")).await;
    if !matches!(undone, Ok(Ok(_))) {
        // There was nothing to undo, or nobody answers: closing it ends everything.
        drop(lent.connection.detach());
    }
}

/// One statement, on whichever connection is free.
impl<'c> Executor<'c> for &Connections {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let connections = self.clone();
        let fetched = async move {
            let mut lent = connections.lend().await?;
            let rows: Vec<_> = lent.fetch_many(query).try_collect().await?;
            lent.done();
            Ok::<_, sqlx::Error>(stream::iter(rows.into_iter().map(Ok)))
        };
        stream::once(fetched).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let connections = self.clone();
        Box::pin(async move {
            let mut lent = connections.lend().await?;
            let row = lent.fetch_optional(query).await?;
            lent.done();
            Ok(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        let connections = self.clone();
        Box::pin(async move {
            let mut lent = connections.lend().await?;
            let statement = lent.prepare_with(sql, parameters).await?;
            lent.done();
            Ok(statement)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, sqlx::Error>>
    where
        'c: 'e,
    {
        let connections = self.clone();
        Box::pin(async move {
            let mut lent = connections.lend().await?;
            let described = lent.describe(sql).await?;
            lent.done();
            Ok(described)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use sqlx::any::AnyPoolOptions;

    /// As the one connection that writes to SQLite is lent; the folder is to be kept.
    async fn one_connection() -> (Connections, tempfile::TempDir) {
        sqlx::any::install_default_drivers();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}?mode=rwc", folder.path().join("some.db").display());
        let connections = Connections::new(AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap());
        sqlx::query("CREATE TABLE things (id BIGINT)").execute(&connections).await.unwrap();
        (connections, folder)
    }

    fn kept(connections: &Connections) -> usize {
        connections.kept().connections.len()
    }

    async fn things(connections: &Connections) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM things").fetch_one(connections).await.unwrap()
    }

    #[tokio::test]
    async fn what_did_its_work_is_lent_on() {
        let (connections, _folder) = one_connection().await;
        sqlx::query("CREATE TEMP TABLE of_this_connection (id BIGINT)").execute(&connections).await.unwrap();
        assert_eq!((kept(&connections), connections.count()), (1, (0, 1)));
        let lent = connections.lend().await.unwrap();
        assert_eq!((kept(&connections), connections.count()), (0, (1, 1)));
        lent.done();
        let temporary = sqlx::query_scalar("SELECT COUNT(*) FROM of_this_connection").fetch_one(&connections).await;
        assert_eq!(temporary.unwrap_or(-1_i64), 0);
    }

    #[tokio::test]
    async fn what_failed_or_was_given_up_on_goes_back_to_be_asked() {
        let (connections, _folder) = one_connection().await;
        assert!(sqlx::query("SELECT nothing FROM nowhere").execute(&connections).await.is_err());
        assert_eq!(kept(&connections), 0);
        assert_eq!(things(&connections).await, 0);
        drop(connections.lend().await.unwrap());
        assert_eq!(kept(&connections), 0);
        assert_eq!(things(&connections).await, 0);
    }

    #[tokio::test]
    async fn what_is_not_committed_is_undone() {
        let (connections, _folder) = one_connection().await;
        for commits in [false, true] {
            let mut change = Change::begin(connections.lend().await.unwrap(), "BEGIN IMMEDIATE").await.unwrap();
            sqlx::query("INSERT INTO things VALUES (1)").execute(&mut *change).await.unwrap();
            if commits {
                change.commit().await.unwrap();
            } else {
                drop(change);
            }
            // On the same one connection, which waits until the change has ended.
            assert_eq!(things(&connections).await, i64::from(commits));
        }
    }

    #[tokio::test]
    async fn a_statement_that_fails_half_way_leaves_nothing() {
        let (connections, _folder) = one_connection().await;
        let half = "BEGIN IMMEDIATE; INSERT INTO things VALUES (1); INSERT INTO nowhere VALUES (1); COMMIT";
        let mut change = Change::at_once(connections.lend().await.unwrap());
        assert!(sqlx::query(half).execute(&mut *change).await.is_err());
        drop(change);
        assert_eq!(things(&connections).await, 0);
    }

    #[tokio::test]
    async fn none_that_led_elsewhere_is_kept() {
        let (connections, _folder) = one_connection().await;
        assert_eq!(kept(&connections), 1);
        let before = connections.lend().await.unwrap();
        connections.renew();
        before.done();
        assert_eq!(kept(&connections), 0);
        assert_eq!(things(&connections).await, 0);
        assert_eq!(kept(&connections), 1);
        connections.renew();
        assert_eq!(kept(&connections), 0);
    }

    #[tokio::test]
    async fn closing_waits_for_what_runs_and_keeps_nothing() {
        let (connections, _folder) = one_connection().await;
        let lent = connections.lend().await.unwrap();
        let closing = tokio::spawn({
            let connections = connections.clone();
            async move { connections.close().await }
        });
        tokio::task::yield_now().await;
        assert!(!closing.is_finished());
        lent.done();
        timeout(PATIENCE, closing).await.unwrap().unwrap();
        assert!(matches!(connections.lend().await, Err(sqlx::Error::PoolClosed)));
    }
}

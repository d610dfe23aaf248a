//! PostgreSQL, and what speaks its language: one host, or several of which one takes writes.
//!
//! Where the address names several hosts, connections go to the one that takes writes. When that one is lost, the others
//! are asked until one of them has been promoted. A host that is lost may say so, by refusing, or say nothing for ever:
//! so nothing here waits for one without a limit.

use crate::connections::{Connections, PATIENCE, RECENT, SILENCE, answers};
use crate::store::{Store, without_password};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, Connection};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is asked whether the host in use still takes writes, where there are several.
const WATCH: Duration = Duration::from_millis(500);
/// How long the server lets what it was asked go on, where it was not told already: a statement, waits for locks included;
/// a transaction whose client says nothing more; and a statement whose client is gone. A request is given up after 10 s and
/// its connection closed, which PostgreSQL by itself does not notice while it works or waits: without an end, one row that
/// somebody holds takes every connection that the server has, and a verifier that is cut off holds its rows for hours.
const LIMITS: &str = "SELECT set_config(name, value, false) FROM (VALUES
    ('statement_timeout', '15s'), ('idle_in_transaction_session_timeout', '15s'), ('client_connection_check_interval', '2s')
    ) AS limits (name, value) WHERE current_setting(name, true) IN ('0', '0s')";
/// Since when the host in use takes the writes, where it is not the first one: older connections lead elsewhere.
type Changed = Arc<Mutex<Option<Instant>>>;

pub(crate) async fn connect(url: &str, connections: u32) -> Result<Store, String> {
    let shown = without_password(url);
    let hosts = hosts(url).map_err(|why| format!("`{shown}` is not a database this program can use: {why}"))?;
    let at = if hosts.len() > 1 { first_that_takes_writes(&hosts).await.unwrap_or(0) } else { 0 };
    let Some(host) = hosts.get(at) else { return Err(format!("`{shown}` names no host")) };
    if hosts.len() == 1 {
        // A pool asks until its patience is over, and does not say why it had to.
        let once = AnyConnection::connect_with(host).await.map_err(|cause| format!("cannot open {shown}: {cause}"))?;
        let _ = once.close().await;
    }
    let changed = Changed::default();
    let pool = pool(connections, Arc::clone(&changed), hosts.len() > 1).connect_lazy_with(host.clone());
    let connections = Connections::new(pool.clone());
    if hosts.len() > 1 {
        tokio::spawn(watch(connections.clone(), hosts.clone().into(), at, changed));
    }
    if let Err(cause) = pool.acquire().await {
        // The pool says that its time is up; the host says why.
        let asked = tokio::time::timeout(SILENCE, AnyConnection::connect_with(host)).await;
        let cause = if let Ok(Err(cause)) = asked { cause } else { cause };
        return Err(format!("cannot open {shown}: {cause}"));
    }
    Ok(Store::postgres(connections))
}

fn pool(connections: u32, changed: Changed, has_others: bool) -> AnyPoolOptions {
    let is_current = move |age: Duration| {
        let changed = *changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.is_none_or(|changed| age < changed.elapsed())
    };
    let is_current_after = is_current.clone();
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection: &mut AnyConnection, _| {
            Box::pin(async move {
                // What does not know such settings goes without.
                let _ = sqlx::query(LIMITS).fetch_all(&mut *connection).await;
                // Where there is no other host, one that takes no writes is at least read.
                if has_others && !takes_writes(connection).await? {
                    return Err(sqlx::Error::Configuration("this host takes no writes".into()));
                }
                Ok(())
            })
        })
        // Not by the pool itself, which would wait for a silent host.
        .test_before_acquire(false)
        .before_acquire(move |connection, used| {
            let is_current = is_current(used.age);
            Box::pin(async move {
                if is_current && used.idle_for >= RECENT {
                    answers(connection).await?;
                }
                Ok(is_current)
            })
        })
        // The pool asks again, without a limit, and keeps the connection's place until there is an answer: so a silent
        // host has to be noticed before. One that takes no writes any more is left, for its name may lead elsewhere now.
        .after_release(move |connection, used| {
            let is_current = is_current_after(used.age);
            Box::pin(async move {
                let takes_writes = tokio::time::timeout(SILENCE, takes_writes(connection)).await;
                Ok(is_current && takes_writes.map_err(|_| sqlx::Error::PoolTimedOut)??)
            })
        })
}

/// An address for each host of `postgres://user@a:5432,b:5432/name`.
fn hosts(url: &str) -> Result<Vec<AnyConnectOptions>, String> {
    let (scheme, rest) = url.split_once("://").ok_or("it has no host")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let options = |host| AnyConnectOptions::from_str(&format!("{scheme}://{user}{host}{path}"));
    hosts.split(',').map(options).collect::<Result<_, _>>().map_err(|cause| cause.to_string())
}

async fn takes_writes(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let read_only: String = sqlx::query_scalar("SHOW transaction_read_only").fetch_one(connection).await?;
    Ok(read_only == "off")
}

/// Keeps connections pointed at the host that takes writes, as long as there are any.
async fn watch(connections: Connections, hosts: Arc<[AnyConnectOptions]>, first: usize, changed: Changed) {
    let (mut at, pool) = (first, connections.pool());
    while !pool.is_closed() {
        let is_lost = match hosts.get(at) {
            Some(host) => !takes_writes_at(host.clone()).await,
            None => true,
        };
        if is_lost
            && let Some(other) = first_that_takes_writes(&hosts).await
            && let Some(host) = hosts.get(other)
            && other != at
        {
            at = other;
            pool.set_connect_options(host.clone());
            *changed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            connections.renew();
            tracing::warn!(host = at, "another host of the database takes the writes now");
        }
        tokio::time::sleep(WATCH).await;
    }
}

/// All are asked at once: a silent one holds up nobody.
async fn first_that_takes_writes(hosts: &[AnyConnectOptions]) -> Option<usize> {
    let asked: Vec<_> = hosts.iter().map(|host| tokio::spawn(takes_writes_at(host.clone()))).collect();
    for (at, asked) in asked.into_iter().enumerate() {
        if asked.await.unwrap_or(false) {
            return Some(at);
        }
    }
    None
}

async fn takes_writes_at(host: AnyConnectOptions) -> bool {
    let asked = tokio::time::timeout(SILENCE, async {
        let mut connection = AnyConnection::connect_with(&host).await?;
        let answer = takes_writes(&mut connection).await;
        connection.close().await?;
        answer
    });
    matches!(asked.await, Ok(Ok(true)))
}

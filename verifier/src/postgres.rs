//! PostgreSQL, and what speaks its language: one host, or several of which one takes writes.
//!
//! Where the address names several hosts, connections go to the one that takes writes. When that one is lost, new
//! connections are tried at the others until one of them has been promoted.

use crate::store::{Store, without_password};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for a connection: less than a request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked whether the host in use still takes writes, where there are several.
const WATCH: Duration = Duration::from_millis(500);

pub(crate) async fn connect(url: &str, connections: u32) -> Result<Store, String> {
    let shown = without_password(url);
    let hosts = hosts(url).map_err(|why| format!("`{shown}` is not a database this program can use: {why}"))?;
    let pool = AnyPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
    let pool = pool.after_connect(|connection: &mut AnyConnection, _| {
        Box::pin(async move {
            match takes_writes(connection).await? {
                true => Ok(()),
                false => Err(sqlx::Error::Configuration("this host takes no writes".into())),
            }
        })
    });
    let Some(first) = hosts.first() else { return Err(format!("`{shown}` names no host")) };
    if hosts.len() == 1 {
        // A pool asks until its patience is over, and does not say why it had to.
        let once = AnyConnection::connect_with(first).await.map_err(|cause| format!("cannot open {shown}: {cause}"))?;
        let _ = once.close().await;
    }
    let pool = pool.connect_lazy_with(first.clone());
    if hosts.len() > 1 {
        tokio::spawn(watch(pool.clone(), hosts.into()));
    }
    pool.acquire().await.map_err(|cause| format!("cannot open {shown}: {cause}"))?;
    Ok(Store::postgres(pool))
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

/// Keeps the pool pointed at the host that takes writes, as long as the pool is open.
async fn watch(pool: AnyPool, hosts: Arc<[AnyConnectOptions]>) {
    let mut at = 0;
    while !pool.is_closed() {
        if !takes_writes_at(hosts.get(at)).await
            && let Some(other) = first_that_takes_writes(&hosts).await
        {
            at = other;
            if let Some(host) = hosts.get(at) {
                pool.set_connect_options(host.clone());
                tracing::warn!(host = at, "another host of the database takes the writes now");
            }
        }
        tokio::time::sleep(WATCH).await;
    }
}

async fn first_that_takes_writes(hosts: &[AnyConnectOptions]) -> Option<usize> {
    for (at, host) in hosts.iter().enumerate() {
        if takes_writes_at(Some(host)).await {
            return Some(at);
        }
    }
    None
}

async fn takes_writes_at(host: Option<&AnyConnectOptions>) -> bool {
    let Some(host) = host else { return false };
    let asked = tokio::time::timeout(PATIENCE, async {
        let mut connection = AnyConnection::connect_with(host).await?;
        let answer = takes_writes(&mut connection).await;
        connection.close().await?;
        answer
    });
    matches!(asked.await, Ok(Ok(true)))
}

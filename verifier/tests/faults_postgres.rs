//! PostgreSQL that stops, dies, is replaced and goes silent under the verifiers: what they answer meanwhile, how soon
//! they go on by themselves, and what is true afterwards.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod processes;
mod support;

use processes::load::Load;
use processes::wire::Wire;
use processes::{Process, Shop, cluster, random, run, say, wait_for};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use support::REQUEST;
use throwaway_postgres::{Cluster, StopMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CLIENTS: usize = 8;

/// Does something to the database once so many calls are answered.
async fn at<T: Send + 'static>(load: &Arc<Load>, answers: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    let load = Arc::clone(load);
    let work = move || {
        wait_for("calls are answered", Duration::from_secs(60), || (load.answers() >= answers).then_some(()));
        work()
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// How long after an instant the first call was answered as asked.
async fn recovered(load: &Arc<Load>, since: Instant, within: Duration) -> Duration {
    let load = Arc::clone(load);
    let wait = move || wait_for("the verifiers go on", within, || load.recovered_after(since));
    tokio::task::spawn_blocking(wait).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_under_load_postgresql_is_waited_for() {
    let Some(mut cluster) = cluster("PostgreSQL stopped and started under load") else { return };
    let mut random = random("PostgreSQL stopped");
    let database = cluster.url();
    let shop = Shop::open(&database);
    let mut verifiers: Vec<_> = (0..2).map(|_| Process::start(&database)).collect();
    let addresses: Vec<_> = verifiers.iter().map(|verifier| verifier.address).collect();
    let (load, done) = Load::start(&shop, &addresses, 150, CLIENTS);

    type Stop = fn(&mut Cluster);
    let stops: [(&str, usize, Stop); 3] = [
        ("fast", 60, |cluster| cluster.stop(StopMode::Fast).unwrap()),
        ("killed", 220, |cluster| cluster.kill().unwrap()),
        ("immediate", 380, |cluster| cluster.stop(StopMode::Immediate).unwrap()),
    ];
    for (name, answers, stop) in stops {
        let answers = answers + random.usize(..60);
        cluster = at(&load, answers, move || {
            stop(&mut cluster);
            cluster
        })
        .await;
        // Down for as long as a request waits, so that some are told.
        let before = load.unavailable.load(Ordering::Acquire);
        let down = Arc::clone(&load);
        let told = move || {
            let told = || (down.unavailable.load(Ordering::Acquire) >= before + 4).then_some(());
            wait_for("requests are answered 503", Duration::from_secs(20), told);
        };
        tokio::task::spawn_blocking(told).await.unwrap();
        let ready = shop.call(addresses[0], "GET", "/readyz", None, "").await.unwrap();
        assert_eq!((ready.status, ready.code().as_str()), (503, "service_unavailable"));
        assert_eq!(shop.call(addresses[0], "GET", "/healthz", None, "").await.unwrap().status, 200);
        cluster.start_again().unwrap();
        let back = Instant::now();
        let took = recovered(&load, back, Duration::from_secs(15)).await;
        say(&format!("PostgreSQL stopped ({name}) and started: calls succeed {:.2} s later", took.as_secs_f64()));
    }
    done.await.unwrap();
    say(&format!("PostgreSQL stopped 3 times: {}", load.summary()));
    load.balance(&database).await;
    assert!(verifiers.iter_mut().all(Process::runs));
}

/// The two of them, in the order in which they are asked.
fn both(first: u16, second: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{first},127.0.0.1:{second}/postgres")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_standby_is_found() {
    let Some(mut primary) = cluster("a primary killed, its standby promoted") else { return };
    let standby = primary.standby().unwrap();
    let mut random = random("failover");
    let database = both(primary.port(), standby.port());
    let shop = Shop::open(&database);
    // One that is told of the standby first finds the primary, too.
    let mut verifiers = [Process::start(&database), Process::start(&both(standby.port(), primary.port()))];
    let addresses: Vec<_> = verifiers.iter().map(|verifier| verifier.address).collect();
    let (load, done) = Load::start(&shop, &addresses, 100, CLIENTS);
    let killed = at(&load, 100 + random.usize(..150), move || {
        let killed = Instant::now();
        primary.kill().unwrap();
        // Held, so that its port stays nobody's.
        (killed, primary)
    });
    let (killed, primary) = killed.await;
    standby.promote().unwrap();
    let promoted = Instant::now();
    let took = recovered(&load, promoted, Duration::from_secs(15)).await;
    let out = promoted.duration_since(killed) + took;
    say(&format!(
        "failover: calls succeed {:.2} s after the promotion, {:.2} s after the kill",
        took.as_secs_f64(),
        out.as_secs_f64()
    ));
    done.await.unwrap();
    say(&format!("failover: {}", load.summary()));
    load.balance(&standby.url()).await;

    // The first of the list stays dead: who starts now finds the other.
    let started = Instant::now();
    let late = Process::start(&database);
    let ready = shop.call(late.address, "GET", "/readyz", None, "").await.unwrap();
    assert_eq!(ready.status, 200, "{}", ready.text);
    let (listed, text) = run(&["organisation", "list", "--database", &database]);
    assert!(listed && text.contains(&shop.organisation), "{text}");
    say(&format!("failover: with the first host dead, started twice within {:.2} s", started.elapsed().as_secs_f64()));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(verifiers.iter_mut().all(Process::runs));
    drop(primary);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_goes_silent_is_left() {
    let Some(primary) = cluster("a primary that goes silent, its standby promoted") else { return };
    let standby = primary.standby().unwrap();
    let wire = Wire::to(primary.port()).await;
    let database = both(wire.port, standby.port());
    let shop = Shop::open(&database);
    // As many connections as clients: each of them is lost.
    let mut verifier = Process::start_with(&database, &["--database-connections", "4"]);
    let (load, done) = Load::start(&shop, &[verifier.address], 50, CLIENTS);
    let (wire, mut primary) = at(&load, 50, move || {
        wire.go_silent();
        (wire, primary)
    })
    .await;
    let silent = Instant::now();
    primary.kill().unwrap();
    standby.promote().unwrap();
    let took = recovered(&load, silent + Duration::from_millis(500), Duration::from_secs(40)).await;
    say(&format!("silent: calls succeed {:.2} s after the host went silent", took.as_secs_f64() + 0.5));
    done.await.unwrap();
    say(&format!("silent: {}", load.summary()));
    load.balance(&standby.url()).await;
    assert!(verifier.runs());

    let started = Instant::now();
    let late = Process::start(&database);
    let created = shop.call(late.address, "POST", "/checkouts", Some("late"), REQUEST).await.unwrap();
    assert_eq!(created.status, 201, "{}", created.text);
    say(&format!("silent: with the first host silent, started within {:.2} s", started.elapsed().as_secs_f64()));
    drop(wire);
}

/// Transactions of somebody else hold every row that is wanted, and with them every connection.
#[tokio::test(flavor = "multi_thread")]
async fn where_every_connection_waits_the_rest_is_told_in_time() {
    let Some(cluster) = cluster("every connection to PostgreSQL taken by a slow transaction") else { return };
    let database = cluster.url();
    let shop = Shop::open(&database);
    let verifier = Process::start_with(&database, &["--database-connections", "4"]);
    let created = shop.call(verifier.address, "POST", "/checkouts", None, REQUEST).await.unwrap();
    let path = format!("/checkouts/{}/confirm", created.string("id"));

    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&database).await.unwrap();
    let mut slow = pool.begin().await.unwrap();
    sqlx::query("SELECT id FROM checkouts FOR UPDATE").fetch_all(&mut *slow).await.unwrap();
    let all: Vec<_> = (0..32)
        .map(|client| {
            let (shop, path, address) = (shop.clone(), path.clone(), verifier.address);
            tokio::spawn(async move {
                let (method, path) = if client < 16 { ("POST", path.as_str()) } else { ("GET", "/checkouts") };
                shop.call(address, method, path, None, "").await.unwrap()
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for answer in all {
        let answer = answer.await.unwrap();
        assert!(matches!(answer.status, 200 | 503), "{}", answer.text);
        slowest = slowest.max(answer.took);
    }
    slow.rollback().await.unwrap();
    let let_go = Instant::now();
    let confirmed = loop {
        let answer = shop.call(verifier.address, "POST", &path, None, "").await.unwrap();
        if answer.status != 503 {
            break answer;
        }
        assert!(let_go.elapsed() < Duration::from_secs(10));
    };
    // One of those that waited may have come first.
    assert!(matches!(confirmed.status, 200 | 409), "{}", confirmed.text);
    let events = processes::load::events(&database, &shop.organisation).await;
    assert_eq!(events.iter().filter(|(of, _)| of == "contract.created").count(), 1, "{events:?}");
    say(&format!(
        "every connection taken: answers within {:.1} s, and {:.2} s after it was let go all is well",
        slowest.as_secs_f64(),
        let_go.elapsed().as_secs_f64()
    ));
}

/// It was in the middle of a transaction, whose rows the database keeps for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_verifier_held_that_was_cut_off_is_let_go() {
    let Some(cluster) = cluster("a verifier cut off from PostgreSQL within a transaction") else { return };
    let database = cluster.url();
    let shop = Shop::open(&database);
    let wire = Wire::to(cluster.port()).await;
    let cut_off = Process::start(&database.replace(&cluster.port().to_string(), &wire.port.to_string()));
    let other = Process::start(&database);
    let created = shop.call(other.address, "POST", "/checkouts", None, REQUEST).await.unwrap();
    let path = format!("/checkouts/{}/confirm", created.string("id"));

    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&database).await.unwrap();
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("SELECT id FROM checkouts FOR UPDATE").fetch_all(&mut *holder).await.unwrap();
    let confirming = {
        let (shop, path, address) = (shop.clone(), path.clone(), cut_off.address);
        tokio::spawn(async move { shop.call(address, "POST", &path, None, "").await })
    };
    let now_there_are = async |wanted: i64, condition: &'static str, within| {
        let since = Instant::now();
        let count = format!("SELECT COUNT(*) FROM pg_stat_activity WHERE {condition}");
        while sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count.as_str())).fetch_one(&pool).await.unwrap()
            != wanted
        {
            assert!(since.elapsed() < Duration::from_secs(within), "not {wanted} {condition}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    now_there_are(1, "wait_event_type = 'Lock'", 5).await;
    wire.go_silent();
    holder.rollback().await.unwrap();
    now_there_are(1, "state = 'idle in transaction'", 5).await;
    let since = Instant::now();
    now_there_are(0, "state = 'idle in transaction'", 20).await;
    let confirmed = shop.call(other.address, "POST", &path, None, "").await.unwrap();
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    say(&format!("cut off within a transaction: what it held is let go after {:.1} s", since.elapsed().as_secs_f64()));
    drop((confirming, cut_off, wire));
}

/// Somebody holds a row for as long as it takes; clients are told, and try again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_on_ends_in_the_database_too() {
    let Some(cluster) = cluster("requests given up on while PostgreSQL waits for a lock") else { return };
    let database = cluster.url();
    let shop = Shop::open(&database);
    let verifier = Process::start_with(&database, &["--database-connections", "4", "--request-time", "1"]);
    let created = shop.call(verifier.address, "POST", "/checkouts", None, REQUEST).await.unwrap();
    let path = format!("/checkouts/{}/confirm", created.string("id"));

    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&database).await.unwrap();
    let limit = |name| sqlx::query_scalar::<_, String>(name).fetch_one(&pool);
    assert_eq!(limit("SHOW statement_timeout").await.unwrap(), "0", "the server's own default");
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("SELECT id FROM checkouts FOR UPDATE").fetch_all(&mut *holder).await.unwrap();
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let mut most: i64 = 0;
    for _ in 0..6 {
        let all: Vec<_> = (0..8)
            .map(|_| {
                let (shop, path, address) = (shop.clone(), path.clone(), verifier.address);
                tokio::spawn(async move { shop.call(address, "POST", &path, None, "").await.unwrap().status })
            })
            .collect();
        for status in all {
            assert_eq!(status.await.unwrap(), 503);
        }
        most = most.max(sqlx::query_scalar(waiting).fetch_one(&pool).await.unwrap());
    }
    let since = Instant::now();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.unwrap() > 0 {
        assert!(since.elapsed() < Duration::from_secs(10), "they wait on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Of 48 that were given up on.
    assert!(most <= 24, "{most} wait at once");
    let listed = shop.call(verifier.address, "GET", "/checkouts", None, "").await.unwrap();
    assert_eq!(listed.status, 200, "the rest goes on: {}", listed.text);
    let ended = since.elapsed().as_secs_f64();
    holder.rollback().await.unwrap();
    let confirmed = shop.call(verifier.address, "POST", &path, None, "").await.unwrap();
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    say(&format!("given up on: at most {most} of 48 waited at once, and none {ended:.1} s after the last"));
}

async fn scraped(address: SocketAddr) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Of a large table a count takes longer than Prometheus waits; the counters are shown meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_counted_in_time_keeps_nothing_else_from_being_told() {
    let Some(cluster) = cluster("metrics while the sessions cannot be counted") else { return };
    let database = cluster.url();
    let shop = Shop::open(&database);
    let metrics = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let verifier = Process::start_with(&database, &["--metrics-listen", &metrics.to_string()]);
    assert_eq!(shop.call(verifier.address, "POST", "/checkouts", None, REQUEST).await.unwrap().status, 201);

    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&database).await.unwrap();
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE checkouts IN ACCESS EXCLUSIVE MODE").execute(&mut *holder).await.unwrap();
    for _ in 0..3 {
        let asked = Instant::now();
        let text = scraped(metrics).await;
        assert!(text.contains(r#"checkout_requests_total{method="POST",route="/checkouts",status="201"} 1"#), "{text}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
    let counting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE '%GROUP BY checkout_status' AND state = 'active'";
    assert_eq!(sqlx::query_scalar::<_, i64>(counting).fetch_one(&pool).await.unwrap(), 1, "one count at a time");
    holder.rollback().await.unwrap();
    let since = Instant::now();
    let pending = r#"checkout_sessions{checkout_status="pending"} 1"#;
    while !scraped(metrics).await.contains(pending) {
        assert!(since.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// As a disk that is nearly full is dealt with, or a database that is moved: what is there can be read, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_takes_no_writes_it_is_read_and_the_rest_is_told() {
    let Some(cluster) = cluster("PostgreSQL that takes no writes for a while") else { return };
    let database = cluster.url();
    let shop = Shop::open(&database);
    let verifier = Process::start(&database);
    let created = shop.call(verifier.address, "POST", "/checkouts", None, REQUEST).await.unwrap();
    let path = format!("/checkouts/{}", created.string("id"));
    let calls = [
        ("POST", format!("{path}/confirm"), ""),
        ("POST", format!("{path}/cancel"), ""),
        ("POST", "/checkouts".to_owned(), REQUEST),
        ("POST", "/sessions".to_owned(), r#"{"customer_id": "cus_1"}"#),
    ];

    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&database).await.unwrap();
    let read_only = async |read_only: &'static str| {
        sqlx::raw_sql(read_only).execute(&pool).await.unwrap();
        sqlx::query("SELECT pg_reload_conf()").execute(&pool).await.unwrap();
    };
    read_only("ALTER SYSTEM SET default_transaction_read_only = on").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (method, path, body) in &calls {
        let key = format!("{path} while nothing is written");
        let answer = shop.call(verifier.address, method, path, Some(&key), body).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (503, "service_unavailable"), "{}", answer.text);
    }
    // New connections, too, are good for reading.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    sqlx::query(end).fetch_all(&pool).await.unwrap();
    let since = Instant::now();
    while shop.call(verifier.address, "GET", &path, None, "").await.unwrap().status != 200 {
        assert!(since.elapsed() < Duration::from_secs(10), "nothing can be read");
    }
    let read = shop.call(verifier.address, "GET", &path, None, "").await.unwrap();
    assert_eq!((read.status, read.string("checkout_status").as_str()), (200, "pending"), "{}", read.text);
    assert_eq!(shop.call(verifier.address, "GET", "/checkouts", None, "").await.unwrap().status, 200);

    read_only("ALTER SYSTEM RESET default_transaction_read_only").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (method, path, body) in calls {
        // The same keys: what failed is not what is answered for ever.
        let key = format!("{path} while nothing is written");
        let answer = shop.call(verifier.address, method, &path, Some(&key), body).await.unwrap();
        assert!(matches!(answer.status, 200 | 201 | 409) && !answer.is_replayed(), "{path}: {}", answer.text);
    }
    let events = processes::load::events(&database, &shop.organisation).await;
    say(&format!("no writes for a while: read meanwhile, and {} events afterwards", events.len()));
}

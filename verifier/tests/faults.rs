//! Verifiers that die, stop, race and are overrun, as processes: what is true afterwards. On SQLite, and on a durable
//! PostgreSQL of the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod processes;
mod support;

use processes::load::Load;
use processes::{Process, Shop, cluster, have_run, random, say, sqlite, wait_for};
use std::time::Duration;
use support::REQUEST;

/// Journeys of 4 calls each: 1,000 calls.
const JOURNEYS: usize = 250;
const CLIENTS: usize = 8;

/// Kills verifiers at random moments while the clients go on.
async fn kill_under_load(test: &str, verifiers: Vec<Process>, database: &str, kills: usize) {
    let mut random = random(test);
    let shop = Shop::open(database);
    let addresses: Vec<_> = verifiers.iter().map(|verifier| verifier.address).collect();
    let (load, done) = Load::start(&shop, &addresses, JOURNEYS, CLIENTS);
    let killing = std::thread::spawn({
        let load = std::sync::Arc::clone(&load);
        let mut verifiers = verifiers;
        let mut moments: Vec<usize> = (0..kills).map(|_| random.usize(1..load.calls() * 95 / 100)).collect();
        moments.sort_unstable();
        move || {
            for moment in moments {
                wait_for("calls are answered", Duration::from_secs(120), || (load.answers() >= moment).then_some(()));
                std::thread::sleep(Duration::from_micros(random.u64(..20_000)));
                let at = random.usize(..verifiers.len());
                verifiers[at].kill();
                verifiers[at].start_again();
            }
            verifiers
        }
    });
    let verifiers = tokio::task::spawn_blocking(move || killing.join().unwrap()).await.unwrap();
    done.await.unwrap();
    say(&format!("{test}: {kills} times SIGKILL; {}", load.summary()));
    load.balance(database).await;
    drop(verifiers);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_sqlite_it_loses_and_doubles_nothing() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let verifiers = vec![Process::start(&database)];
    kill_under_load("SIGKILL, SQLite", verifiers, &database, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_postgresql_it_loses_and_doubles_nothing() {
    let Some(cluster) = cluster("verifiers killed on PostgreSQL") else { return };
    let database = cluster.url();
    let verifiers = vec![Process::start(&database)];
    kill_under_load("SIGKILL, PostgreSQL", verifiers, &database, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_replicas_killed_loses_and_doubles_nothing() {
    let Some(cluster) = cluster("one of three replicas killed") else { return };
    let database = cluster.url();
    let verifiers = (0..3).map(|_| Process::start(&database)).collect();
    kill_under_load("SIGKILL, one of 3 replicas", verifiers, &database, 12).await;
}

/// 64 clients confirm one session at once: one contract, and 63 clear answers.
async fn confirm_at_once(test: &str, verifiers: &[Process], database: &str) {
    let shop = Shop::open(database);
    // With a key for each of the clients, and with one for all.
    for is_one_key in [false, true] {
        let key = format!("create {is_one_key}");
        let created = shop.call(verifiers[0].address, "POST", "/checkouts", Some(&key), REQUEST).await.unwrap();
        assert_eq!(created.status, 201, "{}", created.text);
        let path = format!("/checkouts/{}/confirm", created.string("id"));
        let start = std::sync::Arc::new(tokio::sync::Barrier::new(64));
        let clients: Vec<_> = (0..64)
            .map(|client| {
                let (shop, path, start) = (shop.clone(), path.clone(), std::sync::Arc::clone(&start));
                let address = verifiers[client % verifiers.len()].address;
                let key = if is_one_key { "all".to_owned() } else { format!("client {client}") };
                tokio::spawn(async move {
                    start.wait().await;
                    shop.call(address, "POST", &path, Some(&key), "").await.unwrap()
                })
            })
            .collect();
        let mut won = Vec::new();
        let mut refused = 0;
        for client in clients {
            let answer = client.await.unwrap();
            match (answer.status, answer.code().as_str()) {
                (200, _) => won.push(answer),
                (409, "checkout_not_confirmable") if !is_one_key => {
                    assert!(answer.text.contains(r#""current_status":"contract_created""#), "{}", answer.text);
                    refused += 1;
                }
                (409, "idempotency_in_progress") if is_one_key => refused += 1,
                _ => panic!("{}: {}", answer.status, answer.text),
            }
        }
        let first = won.iter().filter(|answer| !answer.is_replayed()).count();
        say(&format!(
            "{test}, {}: {} times 200, {refused} refused",
            if is_one_key { "one key" } else { "64 keys" },
            won.len()
        ));
        assert_eq!(first, 1);
        assert!(is_one_key || won.len() == 1);
        assert!(won.iter().all(|answer| answer.text == won[0].text));
        let events = processes::load::events(database, &shop.organisation).await;
        let made = events.iter().filter(|(of, _)| of == "contract.created").count();
        assert_eq!(made, if is_one_key { 2 } else { 1 }, "{events:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_that_confirm_at_once_on_sqlite_one_makes_the_contract() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let verifiers = [Process::start(&database)];
    confirm_at_once("64 at once, SQLite", &verifiers, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_that_confirm_at_once_at_three_replicas_one_makes_the_contract() {
    let Some(cluster) = cluster("64 confirm at once at three replicas") else { return };
    let database = cluster.url();
    // Started at once on an empty database, as a deployment does.
    let starting: Vec<_> = (0..3)
        .map(|_| {
            let database = database.clone();
            std::thread::spawn(move || Process::start(&database))
        })
        .collect();
    let verifiers: Vec<Process> = starting.into_iter().map(|started| started.join().unwrap()).collect();
    confirm_at_once("64 at once, 3 replicas", &verifiers, &database).await;
}

/// Asked to stop under load, it finishes what runs, and what comes later is for the one that is started next.
async fn stop_under_load(test: &str, database: &str) {
    let shop = Shop::open(database);
    let mut verifier = Process::start(database);
    let (load, done) = Load::start(&shop, &[verifier.address], 100, CLIENTS);
    let mut slowest = Duration::ZERO;
    for moment in [50, 150, 250] {
        let stopped = tokio::task::spawn_blocking({
            let load = std::sync::Arc::clone(&load);
            move || {
                wait_for("calls are answered", Duration::from_secs(60), || (load.answers() >= moment).then_some(()));
                let (status, took) = verifier.stop();
                assert_eq!(status.code(), Some(0), "{}", verifier.log());
                assert!(took < Duration::from_secs(10), "{took:?}");
                verifier.start_again();
                (verifier, took)
            }
        });
        let took;
        (verifier, took) = stopped.await.unwrap();
        slowest = slowest.max(took);
    }
    done.await.unwrap();
    say(&format!("{test}: stopped within {:.2} s; {}", slowest.as_secs_f64(), load.summary()));
    load.balance(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_finishes_what_runs() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    stop_under_load("SIGTERM, SQLite", &sqlite(&folder)).await;
    if let Some(cluster) = cluster("SIGTERM under load on PostgreSQL") {
        stop_under_load("SIGTERM, PostgreSQL", &cluster.url()).await;
    }
}

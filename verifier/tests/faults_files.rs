//! A SQLite file whose disk is full, which may not be written, is damaged, taken away or shared; connections that come all
//! at once; and a clock that is set back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod processes;
mod support;

use processes::load::Load;
use processes::{Process, Shop, have_run, program, run, say, sqlite};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use support::{REQUEST, Server, catalog};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Refuses to start: with a sentence, and exit status 2.
#[track_caller]
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{sentence}");
    assert!(sentence.starts_with("error: ") && sentence.lines().count() == 1, "{sentence}");
    sentence
}

fn serve(database: &str) -> Command {
    program(&["serve", "--database", database, "--listen", "127.0.0.1:0"])
}

/// Files may not grow beyond 5 MiB, a bound that can be lifted: to the program it is as if the disk were full.
fn on_a_small_disk(arguments: &[&str]) -> Command {
    let plain = program(arguments);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -S -f 10240; exec \"$@\"", "sh"])
        .arg(plain.get_program())
        .args(arguments);
    command.env_clear();
    command
}

/// Webhooks' secrets and what buyers tell of themselves are in it, whatever the umask lets others read.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mode =
        |name: &str| std::fs::metadata(folder.path().join(name)).map(|file| file.permissions().mode() & 0o777).unwrap();
    let start = |address: &str| {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "umask 000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_checkout-verifier"), "migrate"]);
        let output = shell.args(["--database", address]).env_clear().output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let address = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    for (name, address) in [
        ("new.db", address("new.db")),
        ("with options.db", format!("{}?mode=rwc", address("with%20options.db"))),
        ("slashes.db", address("slashes.db").replace("sqlite:", "sqlite://")),
    ] {
        start(&address);
        assert_eq!(mode(name), 0o600, "{address}");
    }
    // The files beside it, while it is open.
    let store = checkout_verifier::store::Store::open(&address("new.db"), 1).await.unwrap();
    assert_eq!((mode("new.db-wal"), mode("new.db-shm")), (0o600, 0o600));
    store.close().await;
    // What is there stays as its owner wants it.
    std::fs::set_permissions(folder.path().join("new.db"), std::fs::Permissions::from_mode(0o660)).unwrap();
    start(&address("new.db"));
    assert_eq!(mode("new.db"), 0o660);
    // And is not made where that was not asked for.
    let output = program(&["migrate", "--database", &format!("{}?mode=rw", address("none.db"))]).output().unwrap();
    assert_eq!((output.status.code(), folder.path().join("none.db").exists()), (Some(2), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_is_half_written() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let shop = Shop::open(&database);
    let mut verifier = Process::start_as(&database, &[], on_a_small_disk);
    let mut created = Vec::new();
    let mut refused = 0;
    for number in 0..2000 {
        let key = number.to_string();
        let answer = shop.call(verifier.address, "POST", "/checkouts", Some(&key), REQUEST).await.unwrap();
        match answer.status {
            201 => created.push(answer.string("id")),
            503 => refused += 1,
            _ => panic!("{}", answer.text),
        }
        if refused == 10 {
            break;
        }
    }
    assert_eq!(refused, 10, "the disk is never full");
    // What was acknowledged can be read while nothing can be written.
    let path = format!("/checkouts/{}", created[created.len() - 1]);
    assert_eq!(shop.call(verifier.address, "GET", &path, None, "").await.unwrap().status, 200);
    // There is room again, which the verifier finds by itself.
    let mut lift = Command::new("prlimit");
    lift.args(["--fsize=unlimited", "--pid", &verifier.id().to_string()]);
    if lift.output().is_ok_and(|output| output.status.success()) {
        let key = format!("{}", created.len());
        let answer = shop.call(verifier.address, "POST", "/checkouts", Some(&key), REQUEST).await.unwrap();
        assert_eq!((answer.status, answer.is_replayed()), (201, false), "{}", answer.text);
        created.push(answer.string("id"));
    } else {
        say("NOT TESTED: room again on a full disk, without a restart: `prlimit` cannot be run");
    }
    verifier.kill();
    let verifier = Process::start(&database);
    for id in &created {
        let read = shop.call(verifier.address, "GET", &format!("/checkouts/{id}"), None, "").await.unwrap();
        assert_eq!(read.status, 200, "{}", read.text);
    }
    let events = processes::load::events(&database, &shop.organisation).await;
    assert_eq!(events.len(), created.len());
    let again = shop.call(verifier.address, "POST", "/checkouts", Some("there is room"), REQUEST).await.unwrap();
    assert_eq!(again.status, 201, "{}", again.text);
    say(&format!("disk full: {} sessions acknowledged and there, then 503", created.len()));
}

/// As somebody whom the file does not belong to, where we are root, who may do everything.
fn as_nobody(arguments: &[&str]) -> Command {
    let plain = program(arguments);
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        return plain;
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.arg(plain.get_program()).args(arguments).env_clear().env("PATH", "/usr/bin:/bin");
    command
}

/// A folder outside those of ours that nobody else may enter.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o755);
    folder
}

fn mode(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_written_is_told_at_the_start() {
    if have_run() {
        return;
    }
    let folder = open_folder();
    let database = sqlite(&folder);
    // Whoever may not reach the program itself says nothing of the database.
    let may_run = as_nobody(&["--version"]).output().is_ok_and(|output| output.status.success());
    if !may_run {
        say("NOT TESTED: a read-only SQLite file: another user cannot run the program where it lies");
        return;
    }
    mode(folder.path(), 0o555);
    let sentence = refused(as_nobody(&["serve", "--database", &database, "--listen", "127.0.0.1:0"]));
    assert!(sentence.contains("cannot open sqlite:") && sentence.contains("unable to open"), "{sentence}");
    mode(folder.path(), 0o755);
    let (done, _) = run(&["migrate", "--database", &database]);
    assert!(done);
    mode(&folder.path().join("checkout.db"), 0o444);
    mode(folder.path(), 0o555);
    let sentence = refused(as_nobody(&["serve", "--database", &database, "--listen", "127.0.0.1:0"]));
    say(&format!("read-only: {}", sentence.trim()));
    mode(folder.path(), 0o755);
}

#[test]
fn what_is_no_database_is_told_at_the_start_and_kept() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (database, file) = (sqlite(&folder), folder.path().join("checkout.db"));
    let letter = "Dear Ada, this is no database. ".repeat(300);
    std::fs::write(&file, &letter).unwrap();
    let sentence = refused(serve(&database));
    assert!(sentence.contains("file is not a database"), "{sentence}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), letter);

    std::fs::remove_file(&file).unwrap();
    let shop = Shop::open(&database);
    // Its pages are overwritten from the second on: the header still is one.
    let mut bytes = std::fs::read(&file).unwrap();
    let length = bytes.len();
    bytes[4096..length - length % 4096].fill(0xA5);
    std::fs::write(&file, bytes).unwrap();
    let sentence = refused(serve(&database));
    assert!(sentence.contains("malformed"), "{sentence}");
    drop(shop);
}

#[test]
fn all_that_start_at_once_on_a_new_file_start() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for number in 0..5 {
        let database = format!("sqlite:{}", folder.path().join(format!("{number}.db")).display());
        let starting: Vec<_> = (0..4)
            .map(|_| {
                let database = database.clone();
                std::thread::spawn(move || run(&["migrate", "--database", &database]))
            })
            .collect();
        for started in starting {
            let (succeeded, text) = started.join().unwrap();
            assert!(succeeded, "{text}");
        }
    }
}

/// Two that serve and commands beside them, all on one file.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_share_a_file_lose_nothing() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let shop = Shop::open(&database);
    let verifiers = [Process::start(&database), Process::start(&database)];
    let (load, done) = Load::start(&shop, &verifiers.each_ref().map(|verifier| verifier.address), 75, 8);
    let commands = tokio::task::spawn_blocking({
        let (load, database, organisation) = (Arc::clone(&load), database.clone(), shop.organisation.clone());
        move || {
            let files = tempfile::tempdir().unwrap();
            let file = files.path().join("catalog.json");
            let mut count = 0;
            while load.answers() < load.calls() {
                // The same catalog in other bytes: a new snapshot each time.
                std::fs::write(&file, catalog(&[]) + &"\n".repeat(count % 2)).unwrap();
                let of = ["--organisation", &organisation, "--database", &database];
                for command in [
                    &["catalog", "import", file.to_str().unwrap()][..],
                    &["catalog", "export"],
                    &["key", "create", "--kind", "publishable"],
                ] {
                    let (succeeded, text) = run(&[command, &of].concat());
                    assert!(succeeded, "{command:?}: {text}");
                    if command[0] == "key" {
                        let key = support::parse(&text);
                        let Some(checkout_preview::Json::String(id)) = key.get("key_id") else { panic!("{text}") };
                        let (revoked, text) = run(&["key", "revoke", id, "--database", &database]);
                        assert!(revoked, "{text}");
                    }
                }
                count += 1;
            }
            let (_, keys) = run(&["key", "list", "--organisation", &organisation, "--database", &database]);
            assert_eq!(keys.matches(r#""is_revoked":true"#).count(), count, "{keys}");
            count
        }
    });
    done.await.unwrap();
    let count = commands.await.unwrap();
    say(&format!("one file, two verifiers, {} commands beside them: {}", 4 * count, load.summary()));
    for verifier in &verifiers {
        assert!(!verifier.log().contains("a mistake in this program"), "{}", verifier.log());
    }
    load.balance(&database).await;
}

/// The file is unlinked: the verifier writes on into what it has open, which is gone with it, and a connection it opens
/// later reads what took the name.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_is_not_written_into() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let shop = Shop::open(&database);
    let verifier = Process::start(&database);
    let before = shop.call(verifier.address, "POST", "/checkouts", None, REQUEST).await.unwrap();
    assert_eq!(before.status, 201);
    for name in ["checkout.db", "checkout.db-wal", "checkout.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(name));
    }
    // Somebody else's database takes its name.
    let other = Shop::open(&database);
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(shop.call(verifier.address, "POST", "/checkouts", None, REQUEST).await.unwrap().status);
    }
    assert!(answers.iter().all(|status| matches!(status, 201 | 503 | 401)), "{answers:?}");
    answers.dedup();
    // Nothing of it gets into the other one, which is whole.
    assert_eq!(processes::load::events(&database, &shop.organisation).await, []);
    let (listed, text) = run(&["organisation", "list", "--database", &database]);
    assert!(listed && text.contains(&other.organisation) && !text.contains(&shop.organisation), "{text}");
    say(&format!("file replaced: {answers:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_there_are_places_wait_their_turn() {
    if have_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder);
    let shop = Shop::open(&database);
    let mut verifier = Process::start(&database);
    let address = verifier.address;
    let started = Instant::now();
    let all: Vec<_> = (0..2000)
        .map(|_| {
            tokio::spawn(async move {
                let mut connection = TcpStream::connect(address).await.unwrap();
                let ask = b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
                connection.write_all(ask).await.unwrap();
                let mut answer = String::new();
                connection.read_to_string(&mut answer).await.unwrap();
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            })
        })
        .collect();
    for answer in all {
        answer.await.unwrap();
    }
    let took = started.elapsed();

    // Of 1,500 that say nothing, 1,024 have a place, until their time for headers is over.
    let mut slow = Process::start_with(&database, &["--header-time", "2"]);
    let mut silent = Vec::new();
    for _ in 0..1500 {
        silent.push(TcpStream::connect(slow.address).await.unwrap());
    }
    let asked = Instant::now();
    let answer = shop.call(slow.address, "GET", "/readyz", None, "").await.unwrap();
    assert_eq!(answer.status, 200);
    say(&format!(
        "2,000 connections at once: all answered within {:.1} s; behind 1,500 silent ones with 2 s each: after {:.1} s",
        took.as_secs_f64(),
        asked.elapsed().as_secs_f64()
    ));
    drop(silent);
    assert!(verifier.runs() && slow.runs());
}

#[tokio::test]
async fn a_clock_that_is_set_back_doubles_nothing() {
    let server = Server::start().await;
    let post = async |key: &'static str, path: &str, body: &'static str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        server.call("POST", path, &headers, body).await
    };
    let first = post("create", "/checkouts", REQUEST).await;
    assert_eq!(first.status, 201);
    let id = first.string("id");
    // An hour back: the same key is the same call, and what was made later can be read, listed and confirmed, once.
    server.set_now("2026-11-22T11:00:00Z");
    let again = post("create", "/checkouts", REQUEST).await;
    assert_eq!((again.status, again.text), (first.status, first.text.clone()));
    let second = server.create(REQUEST).await;
    let confirmed = post("confirm", &format!("/checkouts/{id}/confirm"), "").await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    server.confirm(&id).await.refused(409, "checkout_not_confirmable");
    let repeated = post("confirm", &format!("/checkouts/{id}/confirm"), "").await;
    assert_eq!((repeated.status, repeated.text), (confirmed.status, confirmed.text));
    // Each page has what the one before has not.
    let mut ids = Vec::new();
    let mut path = "/checkouts?limit=1".to_owned();
    loop {
        let page = server.get(&path).await;
        ids.push(page.at("/data/0/id"));
        match support::at(&page.json(), "/next_cursor") {
            checkout_preview::Json::String(cursor) => path = format!("/checkouts?limit=1&cursor={cursor}"),
            _ => break,
        }
    }
    ids.sort();
    let mut both = vec![format!("\"{id}\""), format!("\"{second}\"")];
    both.sort();
    assert_eq!(ids, both);
    // What expires, does so by the clock there is: not before its instant, and from it on.
    let expires_at = server.get(&format!("/checkouts/{second}")).await.string("expires_at");
    server.set_now(&expires_at);
    server.confirm(&second).await.refused(409, "checkout_not_confirmable");
    server.verifier.sweep().await.unwrap();
    // Written down, it stays so: no clock makes it pending again.
    server.set_now("2026-11-22T11:30:00Z");
    assert_eq!(server.get(&format!("/checkouts/{second}")).await.string("checkout_status"), "expired");
    server.confirm(&second).await.refused(409, "checkout_not_confirmable");
    assert_eq!(server.count("contracts").await, 1);
    assert_eq!(server.count("events").await, 2 + 2 + 1);
}

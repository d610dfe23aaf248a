//! Clusters through the crate's public names: made, stopped, killed, followed, and gone without a trace.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use throwaway_postgres::{Cluster, Programs, Settings, StopMode};

fn programs() -> Option<Programs> {
    Programs::find_or_tell("throw-away PostgreSQL clusters")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// What a running cluster has on this machine.
struct Traces {
    folder: PathBuf,
    processes: Vec<String>,
    memory: String,
}

impl Traces {
    fn of(folder: &Path) -> Traces {
        let status = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        let lines: Vec<&str> = status.lines().collect();
        let all = printed("ps", &["-A", "-o", "pid=", "-o", "ppid="]);
        let pairs = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ours = pairs.filter(|pair| pair.contains(&lines[0].trim()));
        let processes: Vec<String> = ours.map(|pair| pair[0].to_owned()).collect();
        assert!(processes.len() > 4, "{status}{all}");
        let memory = lines[6].split_whitespace().nth(1).unwrap().to_owned();
        let traces = Traces { folder: folder.to_owned(), processes, memory };
        assert!(traces.has_memory());
        traces
    }

    fn running(&self) -> Vec<String> {
        let all = printed("ps", &["-A", "-o", "pid=", "-o", "stat="]);
        let pairs = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let alive = pairs.filter(|pair| !pair[1].starts_with('Z')).map(|pair| pair[0].to_owned());
        alive.filter(|process| self.processes.contains(process)).collect()
    }

    fn has_memory(&self) -> bool {
        let segments = printed("ipcs", &["-m"]);
        segments.lines().any(|line| line.split_whitespace().nth(1) == Some(&self.memory))
    }

    #[track_caller]
    fn assert_gone(&self) {
        assert_eq!(self.running(), [""; 0]);
        assert!(!self.has_memory(), "{} is left", self.memory);
        assert!(!self.folder.exists(), "{} is left", self.folder.display());
    }
}

fn setting(cluster: &Cluster, name: &str) -> String {
    cluster.psql(&format!("show {name}")).unwrap()
}

#[test]
fn a_cluster_is_reached_at_its_url_and_leaves_nothing() {
    let Some(programs) = programs() else { return };
    let cluster = Cluster::start(&programs, Settings::default()).unwrap();
    assert_eq!(cluster.url(), format!("postgres://postgres@127.0.0.1:{}/postgres", cluster.port()));
    assert_eq!(cluster.psql("select current_user, 1 + 1").unwrap(), "postgres|2");
    assert_eq!(cluster.psql("create database shop").unwrap(), "");
    assert!(cluster.psql("create database shop").unwrap_err().contains("database \"shop\" already exists"));
    let durable = ["fsync", "synchronous_commit", "full_page_writes", "server_encoding", "lc_collate"];
    assert_eq!(durable.map(|name| setting(&cluster, name)), ["on", "on", "on", "UTF8", "C"]);

    let second = Cluster::start(&programs, Settings { durable: false, max_connections: 20 }).unwrap();
    assert_ne!(second.port(), cluster.port());
    let fast = ["fsync", "synchronous_commit", "full_page_writes", "max_connections"];
    assert_eq!(fast.map(|name| setting(&second, name)), ["off", "off", "off", "20"]);

    let traces = Traces::of(cluster.folder());
    drop(cluster);
    traces.assert_gone();
    assert_eq!(second.psql("select 1").unwrap(), "1");
}

#[test]
fn what_is_committed_survives_every_end() {
    let Some(programs) = programs() else { return };
    let mut cluster = Cluster::start(&programs, Settings::default()).unwrap();
    let url = cluster.url();
    cluster.psql("create table ends (name text)").unwrap();
    assert_eq!(cluster.start_again(), Err("it is running".to_owned()));
    for name in ["killed", "fast", "immediate"] {
        cluster.psql(&format!("insert into ends values ('{name}')")).unwrap();
        let traces = Traces::of(cluster.folder());
        match name {
            "killed" => cluster.kill().unwrap(),
            "fast" => cluster.stop(StopMode::Fast).unwrap(),
            _ => cluster.stop(StopMode::Immediate).unwrap(),
        }
        assert_eq!(traces.running(), [""; 0]);
        assert!(cluster.psql("select 1").unwrap_err().contains("Connection refused"));
        // Down already.
        cluster.kill().unwrap();
        cluster.stop(StopMode::Fast).unwrap();
        cluster.start_again().unwrap();
        assert_eq!(cluster.url(), url);
    }
    assert_eq!(cluster.psql("select name from ends").unwrap(), "killed\nfast\nimmediate");

    cluster.stop(StopMode::Fast).unwrap();
    let other = TcpListener::bind(("127.0.0.1", cluster.port())).unwrap();
    assert!(cluster.start_again().unwrap_err().contains("Address already in use"));
    drop(other);
    cluster.start_again().unwrap();

    let traces = Traces::of(cluster.folder());
    cluster.kill().unwrap();
    drop(cluster);
    traces.assert_gone();
}

#[test]
fn a_standby_has_what_was_answered_and_takes_over() {
    let Some(programs) = programs() else { return };
    let mut primary = Cluster::start(&programs, Settings::default()).unwrap();
    primary.psql("create table answered (id int)").unwrap();
    let mut standby = primary.standby().unwrap();
    assert_ne!(standby.port(), primary.port());
    primary.psql("insert into answered values (1)").unwrap();
    assert!(standby.psql("insert into answered values (9)").unwrap_err().contains("read-only transaction"));

    // No answer without the standby.
    standby.kill().unwrap();
    std::thread::scope(|scope| {
        let insert = scope.spawn(|| primary.psql("insert into answered values (2)"));
        let waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
        until("the commit waits for the standby", || primary.psql(waiting).unwrap() == "1");
        assert!(!insert.is_finished());
        standby.start_again().unwrap();
        insert.join().unwrap().unwrap();
    });

    primary.kill().unwrap();
    standby.promote().unwrap();
    standby.psql("insert into answered values (3)").unwrap();
    assert_eq!(standby.psql("select id from answered order by id").unwrap(), "1\n2\n3");
    assert!(standby.promote().unwrap_err().contains("recovery is not in progress"));
}

#[test]
fn a_cluster_does_not_outlive_its_process() {
    if programs().is_none() {
        return;
    }
    let mut holder = Command::new(env!("CARGO_BIN_EXE_throwaway-postgres"));
    let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("postgres://postgres@127.0.0.1:"));
    let traces = Traces::of(Path::new(&lines.next().unwrap().unwrap()));

    holder.kill().unwrap();
    holder.wait().unwrap();
    until("the folder is removed", || !traces.folder.exists());
    traces.assert_gone();
}

#[test]
fn a_cluster_does_not_outlive_a_process_that_is_still_making_it() {
    if programs().is_none() {
        return;
    }
    let temporary = std::env::temp_dir();
    let mut holder = Command::new(env!("CARGO_BIN_EXE_throwaway-postgres"));
    let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let folder = temporary.join(format!("throwaway-postgres-{}-0", holder.id()));
    until("initdb is at work", || folder.join("data/base").exists());

    holder.kill().unwrap();
    holder.wait().unwrap();
    until("the folder is removed", || !folder.exists());
    let is_of = |line: &str| line.contains(folder.to_str().unwrap());
    until("its processes end", || !printed("ps", &["-A", "-o", "args="]).lines().any(is_of));
    assert!(!folder.exists());
}

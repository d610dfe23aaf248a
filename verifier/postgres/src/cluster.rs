//! [`Programs`] and [`Settings`] -> a [`Cluster`] that serves. It uses `processes` to die as a machine does.

use crate::processes::{kill_with_children, wait_until};
use crate::programs::Programs;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How a cluster is set up.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether a commit is on disk before it is answered. Tests of anything but faults are faster without.
    pub durable: bool,
    /// How many may be connected at once.
    pub max_connections: u16,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { durable: true, max_connections: 300 }
    }
}

/// How a cluster is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Running transactions are rolled back and connections closed; what is committed is written down.
    Fast,
    /// At once: connections are cut, and the next start recovers from the log.
    Immediate,
}

/// A PostgreSQL cluster on 127.0.0.1, in a temporary folder.
///
/// Dropping it ends its processes and removes its folder. So does the end of this process in any other way, SIGKILL and
/// a `static` that is never dropped included: a small shell, the keeper, waits for the end of a pipe whose other end
/// only this process holds, and does both. Parent-death signals would not do: Linux sends them when the *thread* ends
/// that started the cluster, which in a test is soon, and macOS knows none.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    /// The postmaster; none while the cluster is down.
    server: Option<Child>,
    keeper: Child,
}

const READY_WITHIN: Duration = Duration::from_secs(60);

/// Its arguments: pg_ctl, the cluster's folder, and how `data` there is made. That it makes it as well is so that
/// nothing is removed under a program that still writes, which then crashes and leaves its shared memory behind.
const KEEPER: &str = r#"
pg_ctl=$1 folder=$2
shift 2
"$@" >"$folder/log" 2>&1
made=$?
trap '' PIPE
echo "$made"
read -r _
"$pg_ctl" stop --silent --mode=immediate --pgdata="$folder/data"
rm -rf "$folder"
"#;

impl Cluster {
    /// Makes a cluster and waits until it serves.
    ///
    /// # Errors
    /// What failed, in the words of the program that failed.
    pub fn start(programs: &Programs, settings: Settings) -> Result<Cluster, String> {
        let initdb = ["--no-locale", "--encoding=UTF8", "--auth=trust", "--username=postgres", "--no-sync"];
        let mut cluster = Cluster::made_by(programs, "initdb", &initdb)?;

        let Settings { durable, max_connections } = settings;
        let on = if durable { "on" } else { "off" };
        // Shared memory in files of the folder: elsewhere it would outlive a cluster that is killed.
        let lines = format!(
            "listen_addresses = '127.0.0.1'\nmax_connections = {max_connections}\nfsync = {on}\nsynchronous_commit = \
             {on}\nfull_page_writes = {on}\ndynamic_shared_memory_type = mmap\n"
        );
        let file = OpenOptions::new().append(true).open(cluster.data().join("postgresql.conf"));
        file.and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(|error| format!("postgresql.conf cannot be written: {error}"))?;
        cluster.serve_on_a_free_port()?;
        Ok(cluster)
    }

    /// A second cluster that follows this one: from now on a commit here is answered when it is on the disks of both.
    ///
    /// While the standby is down, commits here wait for it, after [`Cluster::start_again`] as well: a primary whose
    /// standby was promoted acknowledges nothing more. One standby at a time.
    ///
    /// # Errors
    /// What failed, or that the standby did not catch up within a minute.
    pub fn standby(&self) -> Result<Cluster, String> {
        // A slot, so that it can be stopped and started again and still find what it has missed.
        let (url, slot) = (format!("--dbname={}", self.url()), format!("--slot=standby_{:x}", random()));
        let backup = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"];
        let arguments = [&backup[..], &["--create-slot", &slot, &url]].concat();
        let mut standby = Cluster::made_by(&self.programs, "pg_basebackup", &arguments)?;
        standby.serve_on_a_free_port()?;
        // Only now: the backup took this cluster's settings along, and the standby must wait for nobody when promoted.
        self.psql("alter system set synchronous_standby_names = '*'")?;
        self.psql("select pg_reload_conf()")?;
        wait_until("the standby does not catch up", READY_WITHIN, || {
            let state = self.psql("select sync_state from pg_stat_replication where state = 'streaming'")?;
            Ok((state == "sync").then_some(()))
        })?;
        Ok(standby)
    }

    /// Makes a standby a cluster of its own that takes writes, and waits until it does.
    ///
    /// # Errors
    /// It is no standby, or it is down.
    pub fn promote(&self) -> Result<(), String> {
        match self.psql("select pg_promote()")?.as_str() {
            "t" => Ok(()),
            _ => Err(format!("the standby is not promoted; it says:\n{}", self.end_of_log(0))),
        }
    }

    /// Where to connect, as the superuser `postgres` and to its database: `postgres://postgres@127.0.0.1:PORT/postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The port; the same after [`Cluster::start_again`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is removed at the end: `data`, the cluster, `log`, what it prints, and its Unix socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs one statement, or several that may share a transaction; the rows, their columns joined by `|`.
    ///
    /// # Errors
    /// PostgreSQL's own words.
    pub fn psql(&self, sql: &str) -> Result<String, String> {
        let mut psql = self.programs.command(self.programs.path("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
        psql.env("PGCONNECT_TIMEOUT", "10");
        succeed(psql.args(["--dbname", &self.url(), "--command", sql]))
    }

    /// Stops it and waits until it has stopped; where it is down already, nothing happens.
    ///
    /// # Errors
    /// It has not stopped within a minute.
    pub fn stop(&mut self, mode: StopMode) -> Result<(), String> {
        if self.running().is_none() {
            return Ok(());
        }
        let mode = match mode {
            StopMode::Fast => "--mode=fast",
            StopMode::Immediate => "--mode=immediate",
        };
        succeed(self.programs.command(self.programs.path("pg_ctl")).args(["stop", mode, "--pgdata"]).arg(self.data()))?;
        self.bury();
        Ok(())
    }

    /// SIGKILLs the postmaster and all its children, as if the machine died; where it is down already, nothing happens.
    ///
    /// The operating system lives on, and with it what was written and not synced: this proves what PostgreSQL does,
    /// not what a disk does.
    ///
    /// # Errors
    /// The processes cannot be seen or ended.
    pub fn kill(&mut self) -> Result<(), String> {
        let Some(id) = self.running() else { return Ok(()) };
        let killed = kill_with_children(id);
        self.bury();
        // A machine's memory dies with it.
        if let Some(segment) = self.status_line(7).as_deref().and_then(|line| line.split_whitespace().nth(1)) {
            let _ = self.programs.command("ipcrm").args(["-m", segment]).stderr(Stdio::null()).status();
        }
        killed
    }

    /// Starts it on its port after [`Cluster::stop`] or [`Cluster::kill`], and waits until it serves.
    ///
    /// # Errors
    /// It runs already, or PostgreSQL's own words.
    pub fn start_again(&mut self) -> Result<(), String> {
        if self.running().is_some() {
            return Err("it is running".to_owned());
        }
        self.serve()
    }

    /// A cluster that does not serve yet, made by a program that takes `--pgdata`.
    fn made_by(programs: &Programs, program: &str, arguments: &[&str]) -> Result<Cluster, String> {
        let folder = programs.new_folder()?;
        let mut keeper = programs.command("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(programs.path("pg_ctl")).arg(&folder);
        keeper.arg(programs.path(program)).args(arguments).arg("--pgdata").arg(folder.join("data"));
        apart(keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()));
        let keeper = match keeper.spawn() {
            Ok(keeper) => keeper,
            Err(error) => {
                let _ = std::fs::remove_dir(&folder);
                return Err(format!("`sh` cannot be run: {error}"));
            }
        };
        let mut cluster = Cluster { programs: programs.clone(), folder, port: 0, server: None, keeper };
        let mut code = String::new();
        if let Some(output) = cluster.keeper.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut code);
        }
        match code.trim() {
            "0" => Ok(cluster),
            _ => Err(format!("`{program}` failed; it says:\n{}", cluster.end_of_log(0))),
        }
    }

    fn serve_on_a_free_port(&mut self) -> Result<(), String> {
        for _ in 0..10 {
            self.port = free_port()?;
            match self.serve() {
                Err(sentence) if sentence.contains("Address already in use") => {}
                result => return result,
            }
        }
        Err("ten ports in a row were taken while PostgreSQL started on them".to_owned())
    }

    fn serve(&mut self) -> Result<(), String> {
        let log = self.folder.join("log");
        let open = || OpenOptions::new().create(true).append(true).open(&log);
        let log: File = open().map_err(|error| format!("{} cannot be written: {error}", log.display()))?;
        let before = log.metadata().map_or(0, |log| log.len());
        let errors = log.try_clone().map_err(|error| format!("the log cannot be written: {error}"))?;

        let mut postgres = self.programs.command(self.programs.path("postgres"));
        postgres.arg("-D").arg(self.data()).arg("-k").arg(&self.folder).args(["-p", &self.port.to_string()]);
        apart(postgres.stdout(log).stderr(errors));
        let mut server = postgres.spawn().map_err(|error| format!("`postgres` cannot be run: {error}"))?;
        let id = server.id().to_string();
        let ready = wait_until("PostgreSQL does not come to serve", READY_WITHIN, || {
            if server.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Err(format!("PostgreSQL ended while starting; it says:\n{}", self.end_of_log(before)));
            }
            // A killed one leaves its own.
            let own = self.status_line(1).is_some_and(|line| line.trim() == id);
            let state = self.status_line(8).unwrap_or_default();
            Ok((own && ["ready", "standby"].contains(&state.trim())).then_some(()))
        });
        self.server = Some(server);
        ready
    }

    /// The process of the postmaster while it runs.
    fn running(&mut self) -> Option<u32> {
        let server = self.server.as_mut()?;
        matches!(server.try_wait(), Ok(None)).then(|| server.id())
    }

    /// Sees the postmaster gone, so that its number is nobody's.
    fn bury(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn status_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// A line of what the postmaster writes about itself: 1 its process, 7 its shared memory, 8 whether it serves.
    fn status_line(&self, number: usize) -> Option<String> {
        let text = std::fs::read_to_string(self.status_file()).ok()?;
        text.lines().nth(number.checked_sub(1)?).map(str::to_owned)
    }

    /// The last lines of what it printed from a byte on.
    fn end_of_log(&self, from: u64) -> String {
        let log = std::fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(log.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default());
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.running().is_none() {
            // The process it names may by now be another's.
            let _ = std::fs::remove_file(self.status_file());
        }
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        self.bury();
    }
}

/// Out of reach of a terminal's Ctrl-C and of whoever ends our group: the keeper must see us end.
fn apart(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// A port of 127.0.0.1 that nobody listens on, below those that systems give to connections going out: those would
/// take it while the cluster is down, and a client that tries again and again would in the end be connected to itself.
fn free_port() -> Result<u16, String> {
    let ports = (0..100).map(|_| 20_000 + u16::try_from(random() % 12_000).unwrap_or(0));
    let mut free = ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().ok_or_else(|| "a hundred ports in a row are taken".to_owned())
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What a program prints.
fn succeed(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("`{name}` cannot be run: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()),
        false => Err(format!(
            "`{name}` failed: {}{}",
            String::from_utf8_lossy(&output.stderr).trim_end(),
            String::from_utf8_lossy(&output.stdout).trim_end()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::free_port;

    #[test]
    fn no_connection_going_out_takes_the_port() {
        for _ in 0..100 {
            let port = free_port();
            assert!(port.as_ref().is_ok_and(|port| (20_000..32_768).contains(port)), "{port:?}");
        }
    }
}

//! Verifiers as processes, to be killed; clients that call them as browsers and shops do; and what must be true in the
//! database after it all.
#![allow(dead_code, reason = "each test file uses its part")]

use axum::body::Bytes;
use axum::http::{HeaderMap, Request};
use checkout_preview::Json;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use throwaway_postgres::{Cluster, Programs};

pub mod load;
pub mod wire;

use crate::support::{catalog, parse};

/// How long a request may take, and what a busy machine adds.
pub const REQUEST_TIME: Duration = Duration::from_secs(10 + 5);

/// Where the random moments come from: printed, and chosen with `FAULTS_SEED`.
pub fn random(test: &str) -> fastrand::Rng {
    let chosen = std::env::var("FAULTS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = chosen.unwrap_or_else(|| fastrand::u64(..));
    say(&format!("{test}: FAULTS_SEED={seed}"));
    fastrand::Rng::with_seed(seed)
}

/// What is to be read also where a test passes.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// These tests bring their own databases: where the others run a second time on PostgreSQL, they have run.
pub fn have_run() -> bool {
    std::env::var_os("TEST_POSTGRES_URL").is_some()
}

/// A durable cluster of its own; none where PostgreSQL is not installed, which is said.
pub fn cluster(what: &str) -> Option<Cluster> {
    if have_run() {
        return None;
    }
    let programs = Programs::find_or_tell(what)?;
    Some(Cluster::start(&programs, throwaway_postgres::Settings::default()).unwrap())
}

/// Asks again and again until there is an answer.
#[track_caller]
pub fn wait_for<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within {} s", within.as_secs());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The program with these arguments, and no setting of whoever runs the tests.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checkout-verifier"));
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end: whether it succeeded, and what it wrote.
pub fn run(arguments: &[&str]) -> (bool, String) {
    let output = program(arguments).output().unwrap();
    let text = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// A verifier that serves.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    command: Box<dyn Fn() -> Command + Send>,
    folder: TempDir,
}

impl Process {
    /// Starts one on a port of its own.
    pub fn start(database: &str) -> Process {
        Process::start_with(database, &[])
    }

    pub fn start_with(database: &str, arguments: &[&str]) -> Process {
        Process::start_as(database, arguments, program)
    }

    /// Starts what a function makes of the arguments.
    pub fn start_as(database: &str, arguments: &[&str], command: fn(&[&str]) -> Command) -> Process {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let listen = address.to_string();
        // A test's clients are one key's, and more than a shop has.
        let all = ["serve", "--database", database, "--listen", &listen, "--rate-limit", "1000000"];
        let all: Vec<String> = all.iter().chain(arguments).map(|&argument| argument.to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let command = Box::new(move || {
            let arguments: Vec<&str> = all.iter().map(String::as_str).collect();
            let log = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
            let mut command = command(&arguments);
            command.stdout(Stdio::piped()).stderr(log);
            command
        });
        Process { child: started(&command, folder.path()), address, command, folder }
    }

    /// SIGKILL: nothing is finished, nothing is closed.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on its port.
    pub fn start_again(&mut self) {
        self.child = started(&self.command, self.folder.path());
    }

    /// SIGTERM; how it ended, and when.
    pub fn stop(&mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        self.ask_to_stop();
        let status = wait_for("the verifier stops", Duration::from_secs(20), || self.child.try_wait().unwrap());
        (status, asked.elapsed())
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn ask_to_stop(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let unusual: Vec<&str> = log.lines().filter(|line| !line.contains(r#""level":"INFO""#)).collect();
            say(&format!("the log of {}:\n{}", self.address, unusual[unusual.len().saturating_sub(30)..].join("\n")));
        }
    }
}

fn started(command: &dyn Fn() -> Command, folder: &Path) -> Child {
    let mut child = command().spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let log = || std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(line.starts_with("listening on http://"), "{line}{}", log());
    child
}

/// A port of nobody's, below those that systems give to connections going out: those would take it while the verifier
/// is down.
fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}

/// A database in a file of its own.
pub fn sqlite(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("checkout.db").display())
}

/// An organisation with plans to sell, and a client with its secret key.
#[derive(Clone)]
pub struct Shop {
    pub organisation: String,
    pub secret_key: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// An answer, and how long it took.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub took: Duration,
}

impl Answer {
    pub fn string(&self, field: &str) -> String {
        match parse(&self.text).get(field) {
            Some(Json::String(text)) => text.clone(),
            _ => panic!("no {field} in {}", self.text),
        }
    }

    pub fn is_replayed(&self) -> bool {
        self.headers.contains_key("idempotent-replayed")
    }

    /// The code of a problem.
    pub fn code(&self) -> String {
        if self.status < 400 { String::new() } else { self.string("code") }
    }

    /// What holds of every answer, whatever just died.
    fn check(&self) {
        assert_ne!(self.status, 500, "{}", self.text);
        assert!(self.took < REQUEST_TIME, "{:?}: {}", self.took, self.text);
        assert!(self.headers.contains_key("x-request-id"));
        if self.status >= 400 {
            assert_eq!(self.headers["content-type"], "application/problem+json");
        }
        if self.status == 503 {
            let after: u64 = self.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&after));
        }
    }
}

impl Shop {
    /// Opens it on a database, without a server.
    pub fn open(database: &str) -> Shop {
        let (made, text) = run(&["organisation", "create", "Shop", "--database", database]);
        assert!(made, "{text}");
        let keys = parse(&text);
        let text = |field| match keys.get(field) {
            Some(Json::String(text)) => text.clone(),
            _ => panic!("no {field}"),
        };
        let shop = Shop {
            organisation: text("organisation"),
            secret_key: text("secret_key"),
            http: Client::builder(TokioExecutor::new())
                .retry_canceled_requests(false)
                .pool_max_idle_per_host(64)
                .build_http(),
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("catalog.json");
        std::fs::write(&file, catalog(&[])).unwrap();
        let (imported, text) = run(&[
            "catalog",
            "import",
            file.to_str().unwrap(),
            "--organisation",
            &shop.organisation,
            "--database",
            database,
        ]);
        assert!(imported, "{text}");
        // Nobody answers for this name: what is to be delivered waits, also when the process is asked to stop.
        let url = "https://merchant.invalid/";
        let webhook = ["webhook", "create", "--url", url, "--organisation", &shop.organisation, "--database", database];
        let (made, text) = run(&webhook);
        assert!(made, "{text}");
        shop
    }

    /// Calls; what went wrong where the connection broke.
    pub async fn call(
        &self,
        address: SocketAddr,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &str,
    ) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
        request = request.header("organisation", &self.organisation).header("x-api-key", &self.secret_key);
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let started = Instant::now();
        let request = request.body(Full::from(body.to_owned())).unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(30), async {
            let (parts, body) = self.http.request(request).await.map_err(|cause| cause.to_string())?.into_parts();
            // What breaks off half-way is no answer.
            let body = body.collect().await.map_err(|cause| cause.to_string())?;
            Ok::<_, String>((parts, body.to_bytes()))
        });
        let (parts, body) = answer.await.unwrap_or_else(|_| panic!("{method} {path} hangs"))?;
        let text = String::from_utf8(body.into()).unwrap();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, text, took: started.elapsed() };
        answer.check();
        Ok(answer)
    }
}

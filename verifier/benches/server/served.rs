//! Servers as processes of their own: the verifier with an organisation and the demo's catalog, and the bare one.
//!
//! Input: a database. Output: an address, and for the verifier what a client has to know. They end with this process.

use crate::load::Call;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const VERIFIER: &str = env!("CARGO_BIN_EXE_checkout-verifier");
const CATALOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/catalog.json");

/// A server that runs until this is dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// Starts a server and waits for the line that says where it listens.
    pub fn start(command: &mut Command) -> Result<Process, String> {
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|cause| format!("cannot start: {cause}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|cause| cause.to_string())?;
        }
        let address = line.trim().rsplit_once("//").and_then(|(_, address)| address.parse().ok());
        Ok(Process { child, address: address.ok_or_else(|| format!("a server did not start: `{line}`"))? })
    }

    /// For how long its threads have run; zero where the system does not tell.
    pub fn worked(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // Behind the name, which may hold spaces: the 12th and 13th field, in hundredths of a second.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11).take(2);
        Duration::from_millis(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10)
    }

    /// The memory it holds, in KiB, where the system tells.
    pub fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A database with an organisation and the demo's catalog.
pub struct Organisation {
    pub database: String,
    pub id: String,
    key: String,
}

impl Organisation {
    pub fn create(database: String) -> Result<Organisation, String> {
        let said = told(&["organisation", "create", "Bench", "--database", &database])?;
        let said: Value = serde_json::from_str(&said).map_err(|cause| cause.to_string())?;
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let organisation = Organisation { id: text("organisation"), key: text("secret_key"), database };
        let Organisation { database, id, .. } = &organisation;
        told(&["catalog", "import", CATALOG, "--organisation", id, "--database", database])?;
        Ok(organisation)
    }

    /// Starts the verifier as it is by default, but for its rate limit. It logs to a file, a line for every request.
    pub fn serve(&self, folder: &Path) -> Result<Verifier, String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let metrics = free.map_err(|cause| cause.to_string())?;
        let log = File::create(folder.join("log")).map_err(|cause| cause.to_string())?;
        let mut command = Command::new(VERIFIER);
        command.args(["serve", "--listen", "127.0.0.1:0", "--database", &self.database]);
        command.args(["--metrics-listen", &metrics.to_string(), "--rate-limit", "1000000"]).stderr(log);
        Ok(Verifier { process: Process::start(&mut command)?, metrics })
    }

    /// A request with the organisation's secret key.
    pub fn call(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Call {
        let mut call = Request::new(Full::new(body.into()));
        *call.method_mut() = method.parse().unwrap_or_default();
        *call.uri_mut() = path.parse().unwrap_or_default();
        for (name, value) in [
            ("host", "127.0.0.1"),
            ("content-type", "application/json"),
            ("organisation", self.id.as_str()),
            ("x-api-key", self.key.as_str()),
        ] {
            if let Ok(value) = value.parse() {
                call.headers_mut().insert(name, value);
            }
        }
        call
    }
}

/// The verifier, running.
pub struct Verifier {
    pub process: Process,
    pub metrics: SocketAddr,
}

/// What the verifier's command line prints.
fn told(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(VERIFIER).args(arguments).output().map_err(|cause| cause.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

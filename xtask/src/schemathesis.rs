//! The verifier's description beside the verifier: schemathesis makes requests of one and sends them to the other.
//!
//! Input: the built verifier, verifier/schemathesis.toml, and the Python programs that `setup` installs. Output: nothing, or
//! an error. The server has a store of its own in a folder that is gone afterwards.

use crate::shell::{printed_by, program, root, run, target};
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Requests of each kind made for each endpoint, beside those that one would think of. All take a minute or so.
const EXAMPLES: &str = "5";
/// Seconds after which no more are made.
const TIME: &str = "120";

/// Checks that the document is OpenAPI 3.1, then the server by it. The seed is the clock, and printed; `SCHEMATHESIS_SEED`
/// repeats a run.
pub(crate) fn check(verifier: &Path, programs: &Path) -> Result<()> {
    let folder = target().join("schemathesis");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let document = folder.join("openapi.json");
    fs::write(&document, printed_by(&mut program(verifier, ["openapi"]))?)?;
    run(program(programs.join("openapi-spec-validator"), ["--schema", "3.1"]).arg(&document))?;

    let database = format!("sqlite:{}", folder.join("checkout.db").display());
    let of = |arguments: &[&str]| {
        let mut command = program(verifier, arguments);
        command.args(["--database", &database]);
        command
    };
    let organisation = printed_by(&mut of(&["organisation", "create", "Schemathesis"]))?;
    let organisation: serde_json::Value = serde_json::from_str(&organisation)?;
    let text =
        |name: &str| organisation[name].as_str().map(str::to_owned).context("`organisation create` prints no keys");
    let (id, key) = (text("organisation")?, text("secret_key")?);
    printed_by(&mut of(&["catalog", "import", "www/catalog.json", "--organisation", &id]))?;

    let log = fs::File::create(folder.join("log.jsonl"))?;
    let mut serve = of(&["serve", "--listen", "127.0.0.1:0", "--rate-limit", "100000"]);
    let mut server = Running(serve.stdout(Stdio::piped()).stderr(log).spawn().context("the verifier cannot be run")?);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().context("the verifier says nothing")?).read_line(&mut line)?;
    let Some(address) = line.trim().strip_prefix("listening on ") else { bail!("the verifier does not start: {line}") };

    let seed = std::env::var("SCHEMATHESIS_SEED").or_else(|_| {
        SystemTime::now().duration_since(UNIX_EPOCH).map(|since| (since.as_secs() % 1_000_000).to_string())
    })?;
    eprintln!("SCHEMATHESIS_SEED={seed} repeats this");
    let mut schemathesis = program(programs.join("schemathesis"), ["--config-file"]);
    schemathesis.arg(root().join("verifier/schemathesis.toml")).arg("run");
    // It remembers things where it is run.
    schemathesis.current_dir(&folder);
    schemathesis.arg(format!("{address}/openapi.json")).args(["--seed", &seed, "--max-examples", EXAMPLES]);
    schemathesis.args(["--max-time", TIME, "--no-color", "--generation-database", "none"]);
    // The key is this store's, which is gone afterwards; where something was found, it stays with the log.
    schemathesis.args(["--header", &format!("organisation: {id}"), "--header", &format!("x-api-key: {key}")]);
    run(&mut schemathesis).with_context(|| format!("the server's log is {}", folder.join("log.jsonl").display()))?;
    drop(server);
    Ok(fs::remove_dir_all(&folder)?)
}

/// Stopped when it is no longer needed.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where the programs are in a virtual environment.
pub(crate) fn programs(environment: &Path) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

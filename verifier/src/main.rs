//! The command line: `checkout-verifier --help` is its manual.

use checkout_preview::{Json, MOST_INVOICES, Problems, json};
use checkout_verifier::Verifier;
use checkout_verifier::clock::{Moment, load_catalog};
use checkout_verifier::command::{Given, answer_lines, indented, readable};
use checkout_verifier::error::Error;
use checkout_verifier::http::{Assets, router, serve};
use checkout_verifier::store::{ORGANISATION, open};
use clap::{Args, Parser, Subcommand};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Previews, verifies, stores and confirms subscription checkouts.
///
/// Exit status: 0 done, 1 the request or catalog has problems, 2 anything else went wrong.
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the HTTP service.
    ///
    /// There are no keys yet: whoever reaches the address may do everything. Logs are JSON lines on standard error.
    Serve(Serve),
    /// Print a preview or a billing schedule without a server.
    Preview(Preview),
    /// Check, import or export a catalog.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Bring the database's tables up to date; `serve` does so too.
    Migrate(Database),
}

#[derive(Args)]
struct Database {
    /// The database; the file is created if there is none.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", default_value = "sqlite:checkout.db")]
    database: String,
}

#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one, and the line on standard output says which.
    #[arg(long, env = "LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: String,
    #[command(flatten)]
    database: Database,
    /// A folder to serve at `/`, for paths that no endpoint takes.
    #[arg(long, value_name = "DIR")]
    www: Option<PathBuf>,
    /// A folder to serve at `/pkg/`.
    #[arg(long, value_name = "DIR")]
    pkg: Option<PathBuf>,
    /// How much to log: off, error, warn, info, debug or trace.
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    log_level: LevelFilter,
}

#[derive(Args)]
struct Preview {
    /// A file with the request.
    #[arg(long, value_name = "FILE", required_unless_present = "jsonl")]
    request: Option<PathBuf>,
    /// A file with the catalog.
    #[arg(long, value_name = "FILE", required_unless_present = "jsonl")]
    catalog: Option<PathBuf>,
    /// Today [default: the date of now in the business entity's time zone].
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// This instant, such as 2026-11-22T10:00:00Z [default: the system's clock].
    #[arg(long, value_name = "INSTANT")]
    now: Option<String>,
    /// Print the billing schedule instead: the N invoices after the current one, from 1 to 120.
    #[arg(long, value_name = "N", value_parser = count)]
    schedule: Option<u8>,
    /// Print it over several lines.
    #[arg(long)]
    pretty: bool,
    /// Answer every line {"request", "catalog", "as_of", "now", "schedule"} of standard input, in order, with a line
    /// {"status": "ok", "preview"}, or "schedule" where the line gives its number, or {"status": "rejected",
    /// "problems"}.
    #[arg(long, conflicts_with_all = ["request", "catalog", "as_of", "now", "schedule", "pretty"])]
    jsonl: bool,
}

/// How many invoices to list.
fn count(text: &str) -> Result<u8, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST_INVOICES).contains(count));
    count.ok_or_else(|| format!("expected a whole number from 1 to {MOST_INVOICES}"))
}

#[derive(Subcommand)]
enum CatalogCommand {
    /// Say whether a catalog is valid.
    Check {
        /// A file with the catalog.
        file: PathBuf,
    },
    /// Make a catalog the current one; a running server uses it from its next request on.
    Import {
        /// A file with the catalog.
        file: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Print the current catalog.
    Export(Database),
}

/// Why the program does not exit with 0.
enum Failure {
    Rejected(Problems),
    Told(String),
    Output(io::Error),
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Failure {
        Failure::Rejected(problems)
    }
}

impl From<String> for Failure {
    fn from(sentence: String) -> Failure {
        Failure::Told(sentence)
    }
}

fn main() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Serve(settings) => run(serve_until_stopped(settings)),
        Command::Preview(preview) => print_previews(preview),
        Command::Catalog(CatalogCommand::Check { file }) => check(&file),
        Command::Catalog(CatalogCommand::Import { file, database }) => run(import(file, database)),
        Command::Catalog(CatalogCommand::Export(database)) => run(export(database)),
        Command::Migrate(database) => run(migrate(database)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has had enough.
        Err(Failure::Output(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Rejected(problems)) => {
            eprint!("{}", readable(&problems));
            ExitCode::from(1)
        }
        Err(Failure::Told(sentence)) => {
            eprintln!("error: {sentence}");
            ExitCode::from(2)
        }
        Err(Failure::Output(cause)) => {
            eprintln!("error: {cause}");
            ExitCode::from(2)
        }
    }
}

fn run(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|cause| format!("cannot start: {cause}"))?;
    runtime.block_on(work)
}

async fn serve_until_stopped(settings: Serve) -> Result<(), Failure> {
    let log = tracing_subscriber::fmt().json().with_span_list(false);
    log.with_writer(io::stderr).with_max_level(settings.log_level).init();
    for folder in settings.www.iter().chain(&settings.pkg) {
        if !folder.is_dir() {
            return Err(format!("there is no folder {}", folder.display()).into());
        }
    }
    let db = open(&settings.database.database).await?;
    let cannot_listen = |cause| format!("cannot listen on {}: {cause}", settings.listen);
    let listener = tokio::net::TcpListener::bind(&settings.listen).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "there are no keys yet: whoever reaches this address may do everything");
    }
    let router = router(Verifier::new(db.clone(), Moment::system), Assets { www: settings.www, pkg: settings.pkg });
    let stop = stop_signal().map_err(|cause| format!("cannot listen for signals: {cause}"))?;
    print(&format!("listening on http://{address}\n"))?;
    serve(listener, router, stop).await.map_err(|cause| format!("the server failed: {cause}"))?;
    // A request that was cut off may still hold its connection; the file is whole either way.
    let _ = tokio::time::timeout(Duration::from_secs(1), db.close()).await;
    Ok(())
}

async fn migrate(database: Database) -> Result<(), Failure> {
    open(&database.database).await?.close().await;
    Ok(())
}

/// Resolves on ctrl-c or, where there is one, SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn print_previews(arguments: Preview) -> Result<(), Failure> {
    let (Some(request), Some(catalog)) = (&arguments.request, &arguments.catalog) else {
        let input = BufReader::with_capacity(256 * 1024, io::stdin().lock());
        return answer_lines(input, BufWriter::new(io::stdout().lock())).map_err(Failure::Output);
    };
    let or_null = |text: Option<String>| text.map_or(Json::Null, Json::String);
    let given = Given {
        request: read(request)?,
        catalog: read(catalog)?,
        as_of: or_null(arguments.as_of),
        now: or_null(arguments.now),
        schedule: arguments.schedule.map_or(Json::Null, |count| Json::Number(count.into())),
    };
    let text = given.answer()?.text;
    print(&if arguments.pretty { indented(&text) } else { text })?;
    print("\n")
}

fn check(file: &Path) -> Result<(), Failure> {
    let catalog = load_catalog(read(file)?)?;
    let version = catalog.version().unwrap_or("none");
    print(&format!("{} is a valid catalog, version {version}\n", file.display()))
}

async fn import(file: PathBuf, database: Database) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&file).map_err(|cause| format!("cannot read {}: {cause}", file.display()))?;
    let db = open(&database.database).await?;
    let stored = Verifier::new(db.clone(), Moment::system).put_catalog(ORGANISATION, text, None).await;
    db.close().await;
    let stored = stored.map_err(|error| match error {
        Error::Rejected(problems) => Failure::Rejected(problems),
        Error::NotJson(why) => Failure::Told(format!("{} is not JSON: {why}", file.display())),
        error => Failure::Told(format!("cannot import {}: {error:?}", file.display())),
    })?;
    print(&json::to_text(&stored))?;
    print("\n")
}

async fn export(database: Database) -> Result<(), Failure> {
    let db = open(&database.database).await?;
    let current = Verifier::new(db.clone(), Moment::system).current_catalog(ORGANISATION).await;
    db.close().await;
    match current {
        Ok(Some((_, text))) => print(&text),
        Ok(None) => Err(format!("there is no catalog in {}", database.database).into()),
        Err(error) => Err(format!("cannot read {}: {error:?}", database.database).into()),
    }
}

fn read(file: &Path) -> Result<Json, Failure> {
    let bytes = std::fs::read(file).map_err(|cause| format!("cannot read {}: {cause}", file.display()))?;
    Ok(json::parse(&bytes).map_err(|why| format!("{} is not JSON: {why}", file.display()))?)
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Output)
}

//! The command line: `checkout-verifier --help` is its manual.

use checkout_preview::{Json, MOST_INVOICES, Problems, json};
use checkout_verifier::clock::{Moment, load_catalog};
use checkout_verifier::command::{Given, answer_lines, indented, readable};
use checkout_verifier::error::Error;
use checkout_verifier::http::{Assets, document, metrics_router, router};
use checkout_verifier::organisations::{KeyKind, read_name, read_origin};
use checkout_verifier::outbox::Outbox;
use checkout_verifier::server::{ConnectionLimits, serve};
use checkout_verifier::store::{Store, without_password};
use checkout_verifier::subscriptions::NotMade;
use checkout_verifier::webhooks::{self, client::Client};
use checkout_verifier::{Settings, Verifier};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::{self, BufReader, BufWriter, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;

/// A preview is many small texts: the system's allocator takes longer over them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Run the HTTP service. Logs are JSON lines on standard error.
    Serve(Box<Serve>),
    /// Make organisations, list them, change their settings.
    #[command(subcommand)]
    Organisation(OrganisationCommand),
    /// Make an organisation's keys, list them, revoke them.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Make a customer's session, as POST /sessions does.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Make an organisation's webhooks, list them, give them new secrets, disable them.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Print a preview or a billing schedule without a server.
    Preview(Preview),
    /// Check, import or export a catalog.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Print the description of the API, OpenAPI 3.1: the text of /openapi.json.
    Openapi,
    /// Bring the database's tables up to date; every other command that uses the database does so too.
    Migrate(Database),
}

#[derive(Args)]
struct Database {
    /// The database: sqlite:FILE, which is created if there is none, or postgres://USER@HOST:5432/NAME. Of several hosts,
    /// HOST:5432,OTHER:5432, the one that takes writes is used, now and after it has changed.
    // Its value may hold a password, which --help would show.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "sqlite:checkout.db"
    )]
    database: String,
}

#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one, and the line on standard output says which.
    #[arg(long, env = "LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    listen: String,
    /// Where to answer /metrics, for Prometheus; nowhere unless given.
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<String>,
    #[command(flatten)]
    database: Database,
    /// The most connections to the database.
    #[arg(long, env = "DATABASE_CONNECTIONS", value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    database_connections: u32,
    /// The most connections of clients; more wait until one ends.
    #[arg(long, env = "CONNECTIONS", value_name = "N", default_value_t = 1024, value_parser = at_least_one)]
    connections: usize,
    /// Requests a second of one key, session or client secret; more are answered 429.
    #[arg(long, env = "RATE_LIMIT", value_name = "N", default_value = "1000")]
    rate_limit: NonZeroU32,
    /// The largest body, in KiB.
    #[arg(long, env = "BODY_LIMIT", value_name = "KIB", default_value_t = 256, value_parser = at_least_one)]
    body_limit: usize,
    /// The largest catalog, in KiB.
    #[arg(long, env = "CATALOG_LIMIT", value_name = "KIB", default_value_t = 16 * 1024, value_parser = at_least_one)]
    catalog_limit: usize,
    /// How long a request may take, in seconds; its body may take half of it.
    #[arg(long, env = "REQUEST_TIME", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    request_time: u64,
    /// How long a connection may take to send a request's headers, and stay without a request, in seconds.
    #[arg(long, env = "HEADER_TIME", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    header_time: u64,
    /// How often expiries are written down, in seconds. (A checkout is expired in time, whatever is written.)
    #[arg(long, env = "SWEEP_INTERVAL", value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    sweep_interval: u64,
    #[command(flatten)]
    private: Private,
    /// A folder to serve at `/`, for paths that no endpoint takes.
    #[arg(long, env = "WWW", value_name = "DIR")]
    www: Option<PathBuf>,
    /// A folder to serve at `/pkg/`.
    #[arg(long, env = "PKG", value_name = "DIR")]
    pkg: Option<PathBuf>,
    /// How much to log: off, error, warn, info, debug or trace.
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    log_level: LevelFilter,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a whole number above 0".into())
}

/// Nothing else is either: a protection is not switched off by a word that nobody understands.
fn true_or_false(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected true or false (or 1 or 0, yes or no, on or off)".into()),
    }
}

#[derive(Subcommand)]
enum OrganisationCommand {
    /// Make an organisation; its keys are printed once.
    Create {
        /// Its name, of 1 to 200 characters.
        #[arg(value_parser = read_name)]
        name: String,
        #[command(flatten)]
        database: Database,
    },
    /// Print every organisation and its settings.
    List(Database),
    /// Change an organisation's settings, and print them.
    Update {
        #[command(flatten)]
        organisation: Organisation,
        /// An origin whose pages may call, such as https://shop.example; may be given several times, and replaces those
        /// that were allowed.
        #[arg(long, value_name = "ORIGIN", value_parser = read_origin)]
        allow_origin: Vec<String>,
        /// Allow no other origin than the verifier's own.
        #[arg(long, conflicts_with = "allow_origin")]
        allow_no_origin: bool,
        /// Whether the holder of a checkout's client secret may confirm it.
        #[arg(long, value_name = "BOOLEAN", value_parser = true_or_false)]
        client_confirms: Option<bool>,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Args)]
struct Organisation {
    /// The organisation's id.
    #[arg(long, env = "ORGANISATION", value_name = "ID")]
    organisation: uuid::Uuid,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// For the merchant's server: everything of its organisation.
    Secret,
    /// For the merchant's pages.
    Publishable,
}

#[derive(Subcommand)]
enum SessionCommand {
    /// Make a session; its token is printed once.
    Create {
        #[command(flatten)]
        organisation: Organisation,
        /// The customer's id.
        #[arg(long, value_name = "ID")]
        customer: String,
        /// How long it lasts, at most 86400 (a day).
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        ttl_seconds: u32,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Subcommand)]
enum WebhookCommand {
    /// Make a webhook; its secret is printed once. It is told of what happens from now on.
    Create {
        #[command(flatten)]
        organisation: Organisation,
        /// Where events are sent to, such as https://shop.example/webhooks.
        #[arg(long, value_name = "URL")]
        url: String,
        #[command(flatten)]
        private: Private,
        #[command(flatten)]
        database: Database,
    },
    /// Print an organisation's webhooks, and how delivering to them goes.
    List {
        #[command(flatten)]
        organisation: Organisation,
        #[command(flatten)]
        database: Database,
    },
    /// Give a webhook a new secret, which is printed once. Messages are signed with each old one for a day, too.
    Rotate {
        /// The webhook's id, as `webhook list` prints it.
        webhook: uuid::Uuid,
        #[command(flatten)]
        database: Database,
    },
    /// Disable a webhook: it is told of nothing any more, and what waits for it is given up.
    Disable {
        /// The webhook's id, as `webhook list` prints it.
        webhook: uuid::Uuid,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Args)]
struct Private {
    /// Allow webhooks at private addresses, and without TLS.
    #[arg(long, env = "WEBHOOKS_ALLOW_PRIVATE", value_parser = true_or_false)]
    webhooks_allow_private: bool,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key; it is printed once.
    Create {
        #[command(flatten)]
        organisation: Organisation,
        /// For whom it is.
        #[arg(long, value_enum)]
        kind: Kind,
        #[command(flatten)]
        database: Database,
    },
    /// Print the ids of an organisation's keys.
    List {
        #[command(flatten)]
        organisation: Organisation,
        #[command(flatten)]
        database: Database,
    },
    /// Revoke a key: it opens nothing any more.
    Revoke {
        /// The key's id, as `key list` prints it.
        key_id: uuid::Uuid,
        #[command(flatten)]
        database: Database,
    },
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
    /// Make a catalog the current one of an organisation; a running server uses it from its next request on.
    Import {
        /// A file with the catalog.
        file: PathBuf,
        #[command(flatten)]
        organisation: Organisation,
        #[command(flatten)]
        database: Database,
    },
    /// Print the current catalog of an organisation.
    Export {
        #[command(flatten)]
        organisation: Organisation,
        #[command(flatten)]
        database: Database,
    },
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

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error {
            Error::Rejected(problems) => Failure::Rejected(problems),
            Error::NotFound => Failure::Told("there is nothing with this id; `list` prints those there are".into()),
            Error::Database(cause) => Failure::Told(format!("the database failed: {cause}")),
            error => Failure::Told(format!("this failed: {error:?}")),
        }
    }
}

impl From<String> for Failure {
    fn from(sentence: String) -> Failure {
        Failure::Told(sentence)
    }
}

fn main() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Serve(settings) => run(serve_until_stopped(*settings)),
        Command::Organisation(command) => run(organisation(command)),
        Command::Key(command) => run(key(command)),
        Command::Session(command) => run(session(command)),
        Command::Webhook(command) => run(webhook(command)),
        Command::Preview(preview) => print_previews(preview),
        Command::Catalog(CatalogCommand::Check { file }) => check(&file),
        Command::Catalog(CatalogCommand::Import { file, organisation, database }) => {
            run(import(file, organisation, database))
        }
        Command::Catalog(CatalogCommand::Export { organisation, database }) => run(export(organisation, database)),
        Command::Openapi => print(&document()).and_then(|()| print("\n")),
        Command::Migrate(database) => run(async { on(&database, async |_| Ok(())).await }),
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
    let done = runtime.block_on(work);
    // The system looks up a webhook's host on a thread that cannot be interrupted: nobody waits for it.
    runtime.shutdown_background();
    done
}

async fn serve_until_stopped(settings: Serve) -> Result<(), Failure> {
    let log = tracing_subscriber::fmt().json().with_span_list(false);
    log.with_writer(io::stderr).with_max_level(settings.log_level).init();
    for folder in settings.www.iter().chain(&settings.pkg) {
        if !folder.is_dir() {
            return Err(format!("there is no folder {}", folder.display()).into());
        }
    }
    // Before the database: who cannot listen leaves no new file behind.
    let listener = listen(&settings.listen).await?;
    let metrics = match &settings.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let store = Store::open(&settings.database.database, settings.database_connections).await?;
    let verifier = Arc::new(Verifier::new(
        store.clone(),
        Settings {
            body_limit: settings.body_limit.saturating_mul(1024),
            catalog_limit: settings.catalog_limit.saturating_mul(1024),
            request_limit: Duration::from_secs(settings.request_time),
            rate_limit: settings.rate_limit,
            sweep_interval: Duration::from_secs(settings.sweep_interval),
            webhooks_allow_private: settings.private.webhooks_allow_private,
        },
        Moment::system,
    ));
    let signal = stop_signal().map_err(|cause| format!("cannot listen for signals: {cause}"))?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let limits =
        ConnectionLimits { connections: settings.connections, header_time: Duration::from_secs(settings.header_time) };
    let until_stopped = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let sweeping = tokio::spawn(Arc::clone(&verifier).sweep_forever());
    let allow_private = settings.private.webhooks_allow_private;
    let delivering = match Client::new(webhooks::client::Settings { allow_private, ..Default::default() }) {
        Ok(client) => Some(tokio::spawn(Arc::clone(&verifier).deliver_forever(Outbox::new(client)))),
        Err(cause) => {
            tracing::warn!(%cause, "no event is delivered by this process");
            None
        }
    };
    let measuring = metrics.map(|listener| {
        let router = metrics_router(Arc::clone(&verifier));
        tokio::spawn(serve(listener, router, limits, until_stopped(stopped.clone())))
    });
    let address = listener.local_addr().map_err(|cause| format!("cannot listen: {cause}"))?;
    let router = router(verifier, Assets { www: settings.www, pkg: settings.pkg });
    let serving = tokio::spawn(serve(listener, router, limits, until_stopped(stopped)));
    print(&format!("listening on http://{address}\n"))?;
    signal.await;
    let _ = stop.send(true);
    sweeping.abort();
    // An attempt that is cut off is made again, by whoever sees its lease end.
    if let Some(delivering) = delivering {
        delivering.abort();
    }
    let _ = serving.await;
    if let Some(measuring) = measuring {
        let _ = measuring.await;
    }
    // A request that was cut off may still hold its connection; the database is whole either way.
    let _ = tokio::time::timeout(Duration::from_secs(1), store.close()).await;
    Ok(())
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|cause| format!("cannot listen on {address}: {cause}"))
}

/// Opens the database, does something with it, and closes it.
async fn on(database: &Database, work: impl AsyncFnOnce(Verifier) -> Result<(), Failure>) -> Result<(), Failure> {
    on_with(database, Settings::default(), work).await
}

async fn on_with(
    database: &Database,
    settings: Settings,
    work: impl AsyncFnOnce(Verifier) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let store = Store::open(&database.database, 1).await?;
    let done = work(Verifier::new(store.clone(), settings, Moment::system)).await;
    store.close().await;
    done
}

async fn organisation(command: OrganisationCommand) -> Result<(), Failure> {
    match command {
        OrganisationCommand::Create { name, database } => {
            on(&database, async |verifier| print_json(&verifier.create_organisation(&name).await?)).await
        }
        OrganisationCommand::List(database) => {
            on(&database, async |verifier| verifier.organisations().await?.iter().try_for_each(print_json)).await
        }
        OrganisationCommand::Update { organisation, allow_origin, allow_no_origin, client_confirms, database } => {
            let origins = (allow_no_origin || !allow_origin.is_empty()).then_some(allow_origin);
            let id = organisation.organisation.to_string();
            on(&database, async |verifier| {
                print_json(&verifier.update_organisation(&id, origins.as_deref(), client_confirms).await?)
            })
            .await
        }
    }
}

async fn session(command: SessionCommand) -> Result<(), Failure> {
    let SessionCommand::Create { organisation, customer, ttl_seconds, database } = command;
    let id = organisation.organisation.to_string();
    let body = Json::Object(vec![
        ("customer_id".into(), Json::String(customer)),
        ("ttl_seconds".into(), Json::Number(ttl_seconds.into())),
    ]);
    on(&database, async |verifier| print(&format!("{}\n", verifier.create_session(&id, body).await?))).await
}

async fn webhook(command: WebhookCommand) -> Result<(), Failure> {
    match command {
        WebhookCommand::Create { organisation, url, private, database } => {
            let id = organisation.organisation.to_string();
            let webhooks_allow_private = private.webhooks_allow_private;
            let settings = Settings { webhooks_allow_private, ..Settings::default() };
            on_with(&database, settings, async |verifier| match verifier.create_webhook(&id, &url).await {
                Ok(made) => print_json(&made),
                Err(NotMade::Url(refused)) => Err(format!("`{url}`: {refused}; {}", refused.help()).into()),
                Err(NotMade::Failed(error)) => Err(error.into()),
            })
            .await
        }
        WebhookCommand::List { organisation, database } => {
            let id = organisation.organisation.to_string();
            on(&database, async |verifier| verifier.webhooks(&id).await?.iter().try_for_each(print_json)).await
        }
        WebhookCommand::Rotate { webhook, database } => {
            on(&database, async |verifier| print_json(&verifier.rotate_webhook(&webhook.to_string()).await?)).await
        }
        WebhookCommand::Disable { webhook, database } => {
            on(&database, async |verifier| Ok(verifier.disable_webhook(&webhook.to_string()).await?)).await
        }
    }
}

async fn key(command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::Create { organisation, kind, database } => {
            let kind = match kind {
                Kind::Secret => KeyKind::Secret,
                Kind::Publishable => KeyKind::Publishable,
            };
            let id = organisation.organisation.to_string();
            on(&database, async |verifier| print_json(&verifier.create_key(&id, kind).await?)).await
        }
        KeyCommand::List { organisation, database } => {
            let id = organisation.organisation.to_string();
            on(&database, async |verifier| verifier.keys(&id).await?.iter().try_for_each(print_json)).await
        }
        KeyCommand::Revoke { key_id, database } => {
            on(&database, async |verifier| Ok(verifier.revoke_key(&key_id.to_string()).await?)).await
        }
    }
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
        schedule: arguments.schedule.map_or(Json::Null, |count| Json::Number(u32::from(count).into())),
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

async fn import(file: PathBuf, organisation: Organisation, database: Database) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&file).map_err(|cause| format!("cannot read {}: {cause}", file.display()))?;
    let id = organisation.organisation.to_string();
    on(&database, async |verifier| {
        verifier.organisation(&id).await?;
        let stored = verifier.put_catalog(&id, text, None).await.map_err(|error| match error {
            Error::NotJson(why) => Failure::Told(format!("{} is not JSON: {why}", file.display())),
            error => error.into(),
        })?;
        print_json(&stored)
    })
    .await
}

async fn export(organisation: Organisation, database: Database) -> Result<(), Failure> {
    let id = organisation.organisation.to_string();
    on(&database, async |verifier| {
        verifier.organisation(&id).await?;
        match verifier.current_catalog(&id).await? {
            Some((_, text)) => print(&text),
            None => Err(format!("there is no catalog of {id} in {}", without_password(&database.database)).into()),
        }
    })
    .await
}

fn read(file: &Path) -> Result<Json, Failure> {
    let bytes = std::fs::read(file).map_err(|cause| format!("cannot read {}: {cause}", file.display()))?;
    Ok(json::parse(&bytes).map_err(|why| format!("{} is not JSON: {why}", file.display()))?)
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print(&format!("{}\n", json::to_text(value)))
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Failure::Output)
}

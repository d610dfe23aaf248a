//! `cargo xtask bench server`: the verifier beside a bare server, and beside itself with many sessions in its store.
//!
//! Everything is measured in one run, in turns of a second or two, and what counts is the ratio: machines and moments differ,
//! and a moment is the same for both of a turn. `load` sends, `bare` and `served` answer, `fill` writes the sessions.

mod bare;
mod fill;
mod load;
mod served;

use load::{Call, Client, Seen, load};
use served::{Organisation, Process, Verifier};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use throwaway_postgres::{Cluster, Programs, Settings};

/// Five lines, as the demo sells them.
const REQUEST: &str = r#"{"plan_id":"team_monthly_usd","customer_id":"cus_harborline"}"#;
/// The smallest plan, of which a million fit on a disk.
const SMALL: &str = r#"{"plan_id":"starter_usd","customer_id":"cus_harborline"}"#;
/// Clients of the comparison with the bare server.
const CLIENTS: usize = 16;
/// Rows of the store that is called empty: a page of it has to be full.
const FEW: i64 = 1000;

#[derive(Clone)]
struct Arguments {
    stores: Vec<String>,
    rounds: usize,
    seconds: f64,
    sessions: i64,
    created: usize,
}

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    use tokio::runtime::Builder;
    let begin = |mut builder: Builder| builder.enable_all().build().map_err(|cause| cause.to_string());
    if let [bare, database, folder] = arguments.as_slice()
        && bare == "bare"
    {
        return begin(Builder::new_multi_thread())?.block_on(bare::run(database, folder));
    }
    // One thread is enough to send, and leaves the rest of the machine to those who answer.
    begin(Builder::new_current_thread())?.block_on(measure(read(&arguments)?))
}

fn read(arguments: &[String]) -> Result<Arguments, String> {
    let stores = vec!["sqlite".into(), "postgres".into()];
    let mut read = Arguments { stores, rounds: 5, seconds: 2.0, sessions: 20_000, created: 20_000 };
    for argument in arguments.chunks(2) {
        let [name, value] = argument else { return Err(format!("`{}` takes a value", argument.concat())) };
        let wrong = |_| format!("`{value}` is no number for {name}");
        match name.as_str() {
            "--store" if ["sqlite", "postgres"].contains(&value.as_str()) => read.stores = vec![value.clone()],
            "--rounds" => read.rounds = value.parse().map_err(wrong)?,
            "--seconds" => read.seconds = value.parse::<u32>().map_err(wrong)?.into(),
            "--sessions" => read.sessions = value.parse().map_err(wrong)?,
            "--created" => read.created = value.parse().map_err(wrong)?,
            _ => return Err(format!("there is no `{name} {value}`; `cargo xtask bench --help` lists what there is")),
        }
    }
    Ok(read)
}

async fn measure(arguments: Arguments) -> Result<(), String> {
    for store in &arguments.stores {
        let (_cluster, databases) = match store.as_str() {
            "sqlite" => (None, Databases::Sqlite),
            _ => match Programs::find() {
                Ok(programs) => {
                    let cluster = Cluster::start(&programs, Settings::default())?;
                    let url = cluster.url();
                    (Some(cluster), Databases::Postgres(url))
                }
                Err(sentence) => {
                    println!("\nPostgreSQL is not measured: {sentence}");
                    continue;
                }
            },
        };
        println!("\n{}", databases.name());
        if arguments.rounds > 0 {
            beside_bare(&arguments, &databases).await?;
        }
        if arguments.created > 0 {
            memory(&arguments, &databases).await?;
        }
        if arguments.sessions > 0 {
            beside_itself(&arguments, &databases).await?;
        }
    }
    Ok(())
}

/// Where databases are made.
enum Databases {
    Sqlite,
    Postgres(String),
}

impl Databases {
    fn name(&self) -> &'static str {
        match self {
            Databases::Sqlite => "SQLite (WAL, synchronous = FULL)",
            Databases::Postgres(_) => "PostgreSQL (fsync and synchronous_commit on)",
        }
    }

    /// A new one.
    async fn create(&self, name: &str, folder: &Path) -> Result<String, String> {
        match self {
            Databases::Sqlite => Ok(format!("sqlite:{}", folder.join(name).display())),
            Databases::Postgres(url) => {
                use sqlx::Connection;
                let mut connection = sqlx::PgConnection::connect(url).await.map_err(|cause| cause.to_string())?;
                for sql in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
                    let sql = sqlx::query(sqlx::AssertSqlSafe(sql));
                    sql.execute(&mut connection).await.map_err(|cause| cause.to_string())?;
                }
                Ok(format!("{}/{name}", url.rsplit_once('/').map_or(url.as_str(), |(server, _)| server)))
            }
        }
    }
}

fn folder() -> Result<tempfile::TempDir, String> {
    tempfile::tempdir().map_err(|cause| cause.to_string())
}

/// The verifier against a server that does nothing else.
async fn beside_bare(arguments: &Arguments, databases: &Databases) -> Result<(), String> {
    let folder = folder()?;
    let organisation = Organisation::create(databases.create("verified", folder.path()).await?)?;
    let verifier = organisation.serve(folder.path())?;
    let mut client = Client::connect(verifier.process.address).await?;
    let session = client.call(organisation.call("POST", "/checkouts", REQUEST)).await?;
    let preview = client.call(organisation.call("POST", "/checkouts/preview", REQUEST)).await?;
    // What is stored: the preview, the request, and the columns beside them.
    let row = format!("{}{REQUEST}{:0>300}", String::from_utf8_lossy(&preview), "");
    println!("a row of {} bytes, a preview of {}, a session of {}", row.len(), preview.len(), session.len());
    for (name, text) in [("row", row.as_bytes()), ("session", &session)] {
        std::fs::write(folder.path().join(name), text).map_err(|cause| cause.to_string())?;
    }
    let bare = std::env::current_exe().map_err(|cause| cause.to_string())?;
    let mut bare = Command::new(bare);
    bare.arg("bare").arg(databases.create("bare", folder.path()).await?).arg(folder.path());
    let bare = Process::start(&mut bare)?;

    let keys = Cell::new(0_u64);
    let with_key = || {
        keys.set(keys.get() + 1);
        let mut call = organisation.call("POST", "/checkouts", REQUEST);
        if let Ok(key) = format!("key {}", keys.get()).parse() {
            call.headers_mut().insert("idempotency-key", key);
        }
        Some(call)
    };
    let post = |path: &'static str, body: hyper::body::Bytes| {
        let organisation = &organisation;
        move || Some(organisation.call("POST", path, body.clone()))
    };
    let (create, insert) = (post("/checkouts", REQUEST.into()), post("/insert", REQUEST.into()));
    let (preview, echo) = (post("/checkouts/preview", REQUEST.into()), post("/echo", preview));
    let verified = |calls| Side::of(&verifier.process, calls);
    let bare = |calls| Side::of(&bare, calls);
    println!("{CLIENTS} clients; the verifier, then the bare server:");
    let create = turns(arguments, CLIENTS, verified(&create), bare(&insert)).await?;
    create.tell("POST /checkouts", Some(0.7), Some(2.0));
    let create = turns(arguments, CLIENTS, verified(&with_key), bare(&insert)).await?;
    create.tell("POST /checkouts with an Idempotency-Key", None, None);
    let preview = turns(arguments, CLIENTS, verified(&preview), bare(&echo)).await?;
    preview.tell("POST /checkouts/preview", Some(0.6), None);
    Ok(())
}

type Calls<'a> = &'a dyn Fn() -> Option<Call>;

/// A server, where it is asked, and what.
#[derive(Clone, Copy)]
struct Side<'a> {
    process: &'a Process,
    address: SocketAddr,
    calls: Calls<'a>,
}

impl<'a> Side<'a> {
    fn of(process: &'a Process, calls: Calls<'a>) -> Side<'a> {
        Side { process, address: process.address, calls }
    }

    async fn load(self, clients: usize, time: Duration) -> Result<Seen, String> {
        let before = self.process.worked();
        let mut seen = load(self.address, clients, time, self.calls).await?;
        seen.worked = self.process.worked() - before;
        Ok(seen)
    }
}

/// Medians of the rounds.
struct Compared {
    per_second: [f64; 2],
    p50: [f64; 2],
    p99: [f64; 2],
    work: [f64; 2],
    throughput: f64,
    usual: f64,
    slowest: f64,
}

/// Loads two servers in turns, after a turn that does not count.
async fn turns(arguments: &Arguments, clients: usize, one: Side<'_>, other: Side<'_>) -> Result<Compared, String> {
    let time = Duration::from_secs_f64(arguments.seconds);
    let mut rounds: Vec<[Seen; 2]> = Vec::new();
    for round in 0..=arguments.rounds {
        // Each goes first as often as the other: what one leaves behind to be written, the next one waits for.
        let (first, second) = if round % 2 == 0 { (one, other) } else { (other, one) };
        let (first, second) = (first.load(clients, time).await?, second.load(clients, time).await?);
        rounds.push(if round % 2 == 0 { [first, second] } else { [second, first] });
    }
    Ok(Compared::of(&rounds))
}

impl Compared {
    /// The first round is for warming up.
    fn of(rounds: &[[Seen; 2]]) -> Compared {
        let counted = rounds.get(1..).unwrap_or_default();
        let both = |of: &dyn Fn(&Seen) -> f64| {
            [median(counted.iter().map(|[one, _]| of(one))), median(counted.iter().map(|[_, other]| of(other)))]
        };
        let ratio = |of: &dyn Fn(&Seen) -> f64| median(counted.iter().map(|[one, other]| of(one) / of(other)));
        let (p50, p99) = (|seen: &Seen| seen.micros(0.5), |seen: &Seen| seen.micros(0.99));
        Compared {
            per_second: both(&Seen::per_second),
            p50: both(&p50),
            p99: both(&p99),
            work: both(&Seen::work),
            throughput: ratio(&Seen::per_second),
            usual: ratio(&p50),
            slowest: ratio(&p99),
        }
    }

    /// What one client waits.
    fn tell_time(&self, what: &str, goal: Option<f64>) {
        let [one, other] = self.p50;
        let goal = goal.map_or(String::new(), |goal| met(self.usual <= goal, &format!("at most {goal}")));
        println!("  {what:<36} p50 µs {one:>9.0} {other:>9.0}   ratio {:.2}{goal}", self.usual);
    }

    fn tell(&self, what: &str, throughput: Option<f64>, slowest: Option<f64>) {
        let [one, other] = self.per_second;
        println!("  {what}");
        let goal = throughput.map_or(String::new(), |goal| met(self.throughput >= goal, &format!("at least {goal}")));
        println!("    per second  {one:>9.0} {other:>9.0}   ratio {:.2}{goal}", self.throughput);
        let [one, other] = self.p50;
        println!("    p50 µs      {one:>9.0} {other:>9.0}   ratio {:.2}", self.usual);
        let [one, other] = self.p99;
        let goal = slowest.map_or(String::new(), |goal| met(self.slowest <= goal, &format!("at most {goal}")));
        println!("    p99 µs      {one:>9.0} {other:>9.0}   ratio {:.2}{goal}", self.slowest);
        let [one, other] = self.work;
        println!("    CPU µs each {one:>9.0} {other:>9.0}   (of the process alone, whatever else the machine does)");
    }
}

fn met(is_met: bool, goal: &str) -> String {
    format!("   goal {goal}: {}", if is_met { "met" } else { "MISSED" })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The memory of the process while sessions are created.
async fn memory(arguments: &Arguments, databases: &Databases) -> Result<(), String> {
    let folder = folder()?;
    let organisation = Organisation::create(databases.create("remembered", folder.path()).await?)?;
    let verifier = organisation.serve(folder.path())?;
    let part = (arguments.created / 10).max(1);
    let mut seen = Vec::new();
    for _ in 0..10 {
        let left = Cell::new(part);
        let next = || {
            left.set(left.get().checked_sub(1)?);
            Some(organisation.call("POST", "/checkouts", REQUEST))
        };
        load(verifier.process.address, CLIENTS, Duration::MAX, next).await?;
        seen.push(verifier.process.memory().ok_or("this system does not tell how much memory a process holds")?);
    }
    let mib: Vec<String> = seen.iter().map(|kib| format!("{:.1}", *kib as f64 / 1024.0)).collect();
    println!("memory in MiB after each tenth of {} sessions: {}", part * 10, mib.join(" "));
    // By then every connection's cache is full.
    let [.., half, _, _, _, _, last] = seen.as_slice() else { return Ok(()) };
    let ratio = *last as f64 / *half as f64;
    println!("    at the end / half-way {ratio:.2}{}", met(ratio <= 1.1, "at most 1.1"));
    Ok(())
}

/// The verifier with many sessions in its store against one with few, one client at a time.
async fn beside_itself(arguments: &Arguments, databases: &Databases) -> Result<(), String> {
    let folders = [folder()?, folder()?];
    let [many, few] = &folders;
    let many = Filled::new(databases.create("many", many.path()).await?, arguments.sessions, many.path()).await?;
    let few = Filled::new(databases.create("few", few.path()).await?, FEW, few.path()).await?;
    println!("one client; a store of {} sessions, then one of {FEW}:", arguments.sessions);
    let goal = Some(1.3);
    let pair = |of: fn(&Filled) -> Call| {
        let (many, few) = (&many, &few);
        let call = move |filled| move || Some(of(filled));
        async move {
            let (one, other) = (call(many), call(few));
            let (one, other) = (Side::of(&many.verifier.process, &one), Side::of(&few.verifier.process, &other));
            turns(arguments, 1, one, other).await
        }
    };
    pair(|filled| filled.organisation.call("POST", "/checkouts", SMALL)).await?.tell_time("POST /checkouts", goal);
    pair(|filled| filled.get(&format!("/{}", filled.next_id()))).await?.tell_time("GET /checkouts/{id}", goal);
    confirms(arguments, &many, &few).await?.tell_time("POST /checkouts/{id}/confirm", goal);
    pair(|filled| filled.get("")).await?.tell_time("GET /checkouts, first page", goal);
    let middle = |filled: &Filled| filled.get(&format!("?cursor={}", filled.middle));
    pair(middle).await?.tell_time("GET /checkouts, middle page", goal);
    pair(|filled| filled.get("?customer_id=cus_7919")).await?.tell_time("  of one customer (1 session in few)", None);
    pair(|filled| filled.get("?checkout_status=pending")).await?.tell_time("  pending", None);
    pair(|filled| filled.get("?checkout_status=expired")).await?.tell_time("  expired", None);
    let scrape = |filled: &Filled| Some(filled.organisation.call("GET", "/metrics", ""));
    let (of_many, of_few) = (|| scrape(&many), || scrape(&few));
    let one = Side { process: &many.verifier.process, address: many.verifier.metrics, calls: &of_many };
    let other = Side { process: &few.verifier.process, address: few.verifier.metrics, calls: &of_few };
    let scrapes = turns(arguments, 1, one, other).await?;
    scrapes.tell_time("GET /metrics", goal);
    Ok(())
}

/// Sessions are created, and then confirmed: only this counts.
async fn confirms(arguments: &Arguments, many: &Filled, few: &Filled) -> Result<Compared, String> {
    let mut rounds = Vec::new();
    for _ in 0..=arguments.rounds {
        rounds.push([many.confirm().await?, few.confirm().await?]);
    }
    Ok(Compared::of(&rounds))
}

/// A verifier, and a store with sessions.
struct Filled {
    organisation: Organisation,
    verifier: Verifier,
    ids: Vec<String>,
    next: Cell<usize>,
    /// Of the page in the middle.
    middle: String,
}

impl Filled {
    async fn new(database: String, count: i64, folder: &Path) -> Result<Filled, String> {
        let organisation = Organisation::create(database)?;
        let first = organisation.serve(folder)?;
        let session = organisation.call("POST", "/checkouts", SMALL);
        Client::connect(first.process.address).await?.call(session).await?;
        drop(first);
        let began = Instant::now();
        let ids = fill::fill(&organisation.database, count).await?;
        println!("{count} sessions written in {:.0} s", began.elapsed().as_secs_f64());
        let verifier = organisation.serve(folder)?;
        let mut filled = Filled { organisation, verifier, ids, next: Cell::default(), middle: String::new() };
        let middle = chrono::Utc::now() - chrono::TimeDelta::days(15);
        let page = filled.get(&format!("?created_before={}", middle.format("%Y-%m-%dT%H:%M:%SZ")));
        let page = Client::connect(filled.verifier.process.address).await?.call(page).await?;
        let page: serde_json::Value = serde_json::from_slice(&page).map_err(|cause| cause.to_string())?;
        let cursor = page.get("next_cursor").and_then(|cursor| cursor.as_str());
        filled.middle = cursor.ok_or("there is no page behind the middle")?.to_owned();
        Ok(filled)
    }

    fn get(&self, rest: &str) -> Call {
        self.organisation.call("GET", &format!("/checkouts{rest}"), "")
    }

    fn next_id(&self) -> &str {
        self.next.set(self.next.get() + 1);
        self.ids.get(self.next.get() % self.ids.len().max(1)).map_or("", String::as_str)
    }

    /// Creates some sessions and confirms them.
    async fn confirm(&self) -> Result<Seen, String> {
        let address = self.verifier.process.address;
        let mut client = Client::connect(address).await?;
        let mut confirms = Vec::new();
        for _ in 0..200 {
            let session = client.call(self.organisation.call("POST", "/checkouts", SMALL)).await?;
            let session: serde_json::Value = serde_json::from_slice(&session).map_err(|cause| cause.to_string())?;
            let id = session.get("id").and_then(|id| id.as_str()).unwrap_or_default();
            confirms.push(self.organisation.call("POST", &format!("/checkouts/{id}/confirm"), ""));
        }
        let confirms = RefCell::new(confirms);
        load(address, 1, Duration::MAX, || confirms.borrow_mut().pop()).await
    }
}

//! Clients that buy and amend with idempotency keys until each call is answered; and the books, balanced afterwards.
//!
//! A journey is four calls: a checkout is created and confirmed, then another that amends the contract it made. Every
//! second one is a guest's, who becomes a customer.

use super::{Answer, Shop};
use crate::support::{GUEST, REQUEST, parse, seats};
use checkout_preview::{Json, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How many calls a journey has.
pub const STEPS: usize = 4;

/// What the clients share.
pub struct Load {
    shop: Shop,
    addresses: Vec<SocketAddr>,
    todo: Mutex<VecDeque<Journey>>,
    journeys: usize,
    /// By journey and step: what was sent, and the first answer that says how it ended.
    answered: Mutex<BTreeMap<(usize, usize), (Call, Answer)>>,
    pub count: AtomicUsize,
    /// When calls were answered as asked, to see how long none was.
    successes: Mutex<Vec<Instant>>,
    pub unavailable: AtomicUsize,
    pub broken: AtomicUsize,
    slowest: Mutex<Duration>,
    deadline: Instant,
}

#[derive(Clone)]
struct Call {
    path: String,
    key: String,
    body: String,
}

struct Journey {
    number: usize,
    step: usize,
    checkout: String,
    contract: String,
}

impl Journey {
    fn is_guest(&self) -> bool {
        self.number % 2 == 1
    }

    fn call(&self) -> Call {
        let (path, body) = match self.step {
            0 => ("/checkouts".to_owned(), if self.is_guest() { GUEST } else { REQUEST }.to_owned()),
            2 => ("/checkouts".to_owned(), seats(&self.contract, "12")),
            _ => (format!("/checkouts/{}/confirm", self.checkout), String::new()),
        };
        Call { path, key: format!("{}-{}", self.number, self.step), body }
    }

    /// The journey after an answer; none at its end.
    fn after(mut self, answer: &Answer) -> Option<Journey> {
        match self.step {
            0 | 2 => self.checkout = answer.string("id"),
            _ => self.contract = answer.string("contract_id"),
        }
        self.step += 1;
        (self.step < STEPS).then_some(self)
    }
}

impl Load {
    /// So many journeys, by so many clients at once, each call to one of these addresses; to be waited for.
    pub fn start(
        shop: &Shop,
        addresses: &[SocketAddr],
        journeys: usize,
        clients: usize,
    ) -> (Arc<Load>, tokio::task::JoinHandle<()>) {
        let begun = |number| Journey { number, step: 0, checkout: String::new(), contract: String::new() };
        let load = Arc::new(Load {
            shop: shop.clone(),
            addresses: addresses.to_vec(),
            todo: Mutex::new((0..journeys).map(begun).collect()),
            journeys,
            answered: Mutex::default(),
            count: AtomicUsize::new(0),
            successes: Mutex::default(),
            unavailable: AtomicUsize::new(0),
            broken: AtomicUsize::new(0),
            slowest: Mutex::default(),
            deadline: Instant::now() + Duration::from_secs(150),
        });
        let all: Vec<_> = (0..clients).map(|_| tokio::spawn(Arc::clone(&load).work())).collect();
        let all = async move {
            for client in all {
                client.await.unwrap();
            }
        };
        (load, tokio::spawn(all))
    }

    /// How many calls there are in all.
    pub fn calls(&self) -> usize {
        self.journeys * STEPS
    }

    pub fn answers(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    async fn work(self: Arc<Load>) {
        while self.answers() < self.calls() {
            assert!(Instant::now() < self.deadline, "{} of {} calls answered", self.answers(), self.calls());
            let Some(journey) = self.todo.lock().unwrap().pop_front() else {
                // The others have the last ones.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            match self.attempt(&journey.call()).await {
                Some(answer) => {
                    let call = journey.call();
                    let expected = if journey.step % 2 == 0 { 201 } else { 200 };
                    assert_eq!(answer.status, expected, "{} {}: {}", call.path, call.key, answer.text);
                    let before = (journey.number, journey.step);
                    self.answered.lock().unwrap().insert(before, (call, answer.clone()));
                    self.successes.lock().unwrap().push(Instant::now());
                    self.count.fetch_add(1, Ordering::AcqRel);
                    if let Some(next) = journey.after(&answer) {
                        self.todo.lock().unwrap().push_front(next);
                    }
                }
                // Its call died with the verifier or the database: another client's turn, and later this one's again.
                None => {
                    self.todo.lock().unwrap().push_back(journey);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    /// One try; none where it is worth another.
    async fn attempt(&self, call: &Call) -> Option<Answer> {
        let address = self.addresses[fastrand::usize(..self.addresses.len())];
        match self.shop.call(address, "POST", &call.path, Some(&call.key), &call.body).await {
            Err(_) => {
                self.broken.fetch_add(1, Ordering::Relaxed);
                None
            }
            Ok(answer) => {
                let mut slowest = self.slowest.lock().unwrap();
                *slowest = answer.took.max(*slowest);
                if answer.status == 503 {
                    self.unavailable.fetch_add(1, Ordering::Relaxed);
                }
                let again = answer.status == 503 || answer.code() == "idempotency_in_progress";
                (!again).then_some(answer)
            }
        }
    }

    /// The first success after an instant: how long it took.
    pub fn recovered_after(&self, since: Instant) -> Option<Duration> {
        let successes = self.successes.lock().unwrap();
        successes.iter().filter(|at| **at > since).min().map(|at| at.duration_since(since))
    }

    pub fn summary(&self) -> String {
        format!(
            "{} calls answered, {} answers 503, {} connections broken, the slowest answer after {:.1} s",
            self.answers(),
            self.unavailable.load(Ordering::Relaxed),
            self.broken.load(Ordering::Relaxed),
            self.slowest.lock().unwrap().as_secs_f64(),
        )
    }

    /// Everything that was acknowledged is there, once; nothing else is; and every call made again is answered as it was.
    pub async fn balance(&self, database: &str) {
        let answered = self.answered.lock().unwrap().clone();
        assert_eq!(answered.len(), self.calls());
        self.repeat(&answered).await;
        self.read(&answered).await;
        self.check_tables(&answered, database).await;
    }

    async fn repeat(&self, answered: &BTreeMap<(usize, usize), (Call, Answer)>) {
        for (call, first) in answered.values() {
            let Call { path, key, body } = call;
            let address = self.addresses[fastrand::usize(..self.addresses.len())];
            let again = self.shop.call(address, "POST", path, Some(key), body).await.unwrap();
            assert!(again.is_replayed(), "{key}: {}", again.text);
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{key}");
            assert_eq!(again.headers.get("location"), first.headers.get("location"), "{key}");
        }
    }

    /// What the API tells: every session in its last state, and as many as were made.
    async fn read(&self, answered: &BTreeMap<(usize, usize), (Call, Answer)>) {
        let address = self.addresses[0];
        for ((journey, step), (_, answer)) in answered {
            if step % 2 == 1 {
                let id = answer.string("id");
                let read = self.shop.call(address, "GET", &format!("/checkouts/{id}"), None, "").await.unwrap();
                assert_eq!(read.text, answer.text, "{journey}-{step}");
            }
        }
        for (list, expected) in [("/checkouts", 2 * self.journeys), ("/contracts", self.journeys)] {
            let (mut cursor, mut ids) = (String::new(), Vec::new());
            loop {
                let page =
                    self.shop.call(address, "GET", &format!("{list}?limit=100{cursor}"), None, "").await.unwrap();
                let page = parse(&page.text);
                let Some(Json::List(data)) = page.get("data") else { panic!() };
                ids.extend(data.iter().map(|item| json::to_text(item.get("id").unwrap())));
                match page.get("next_cursor") {
                    Some(Json::String(next)) => cursor = format!("&cursor={next}"),
                    _ => break,
                }
            }
            assert_eq!(ids.len(), expected, "{list}");
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), expected, "{list} tells one twice");
        }
    }

    /// What the tables hold, read past the verifier.
    async fn check_tables(&self, answered: &BTreeMap<(usize, usize), (Call, Answer)>, database: &str) {
        let mut expected = Tables::default();
        for ((_, step), (call, answer)) in answered {
            let (id, text) = (answer.string("id"), answer.text.clone());
            expected.idempotency_keys.push((call.key.clone(), i64::from(answer.status), text));
            if step % 2 == 0 {
                expected.events.push(("checkout.created".into(), id));
                continue;
            }
            let contract_id = answer.string("contract_id");
            let contract = parse(&answer.text).get("contract").cloned().unwrap();
            let Some(Json::Number(version)) = contract.get("version") else { panic!() };
            let version = version.as_str().parse().unwrap();
            let of_contract = if *step == 1 { "contract.created" } else { "contract.amended" };
            expected.events.push((of_contract.into(), format!("{contract_id} {version} {id}")));
            expected.events.push(("checkout.contract_created".into(), id.clone()));
            expected.checkouts.push((id.clone(), "contract_created".into(), contract_id.clone()));
            expected.versions.push((contract_id.clone(), version, id, json::to_text(&contract)));
            if *step == STEPS - 1 {
                expected.contracts.push((contract_id, version));
            }
            if *step == 1 && call.key.trim_end_matches("-1").parse::<usize>().unwrap() % 2 == 1 {
                expected.customers.push(answer.string("customer_id"));
            }
        }
        let found = Tables::read(database, &self.shop.organisation).await;
        expected.sort();
        assert_eq!(found.idempotency_keys, expected.idempotency_keys);
        assert_eq!(found.checkouts, expected.checkouts);
        assert_eq!(found.contracts, expected.contracts);
        assert_eq!(found.versions, expected.versions);
        assert_eq!(found.customers, expected.customers);
        assert_eq!(found.events, expected.events);
        assert_eq!(found.deliveries, found.event_ids, "each event is to be delivered to the one webhook");
    }
}

/// What is compared of each table.
#[derive(Default)]
struct Tables {
    /// Id, status, contract.
    checkouts: Vec<(String, String, String)>,
    /// Id, version.
    contracts: Vec<(String, i64)>,
    /// Id, version, checkout, body.
    versions: Vec<(String, i64, String, String)>,
    customers: Vec<String>,
    /// Type; the checkout, or the contract's id, version and checkout.
    events: Vec<(String, String)>,
    event_ids: Vec<String>,
    /// Of which events.
    deliveries: Vec<String>,
    /// Key, status, body.
    idempotency_keys: Vec<(String, i64, String)>,
}

impl Tables {
    async fn read(database: &str, organisation: &str) -> Tables {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(database).await.unwrap();
        macro_rules! rows {
            ($columns:literal, $table:literal) => {{
                let query = concat!("SELECT ", $columns, " FROM ", $table, " WHERE organisation_id = $1");
                sqlx::query_as(AssertSqlSafe(query)).bind(organisation).fetch_all(&mut connection).await.unwrap()
            }};
        }
        let customers: Vec<(String,)> = rows!("id", "customers");
        let events: Vec<(String, String)> = rows!("id, body", "events");
        let deliveries: Vec<(String,)> = rows!("event_id", "deliveries");
        let mut tables = Tables {
            checkouts: rows!("id, checkout_status, contract_id", "checkouts"),
            contracts: rows!("id, version", "contracts"),
            versions: rows!("id, version, checkout_id, body", "contract_versions"),
            customers: customers.into_iter().map(|(id,)| id).collect(),
            events: events.iter().map(|(_, body)| told(body)).collect(),
            event_ids: events.into_iter().map(|(id, _)| id).collect(),
            deliveries: deliveries.into_iter().map(|(id,)| id).collect(),
            idempotency_keys: rows!("idempotency_key, status, body", "idempotency_keys"),
        };
        connection.close().await.unwrap();
        tables.sort();
        tables
    }

    fn sort(&mut self) {
        self.checkouts.sort();
        self.contracts.sort();
        self.versions.sort();
        self.customers.sort();
        self.events.sort();
        self.event_ids.sort();
        self.deliveries.sort();
        self.idempotency_keys.sort();
    }
}

/// Every event that is stored: its type; and the checkout, or the contract's id, version and checkout.
pub async fn events(database: &str, organisation: &str) -> Vec<(String, String)> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(database).await.unwrap();
    let events = sqlx::query_as("SELECT body FROM events WHERE organisation_id = $1").bind(organisation);
    let events: Vec<(String,)> = events.fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    events.iter().map(|(body,)| told(body)).collect()
}

fn told(body: &str) -> (String, String) {
    let event = parse(body);
    let text = |json: &Json, field| match json.get(field) {
        Some(Json::String(text)) => text.clone(),
        other => panic!("{field} is {other:?} in {body}"),
    };
    let r#type = text(&event, "type");
    let data = event.get("data").unwrap();
    let of = match r#type.starts_with("contract.") {
        true => {
            let version = json::to_text(data.get("version").unwrap());
            format!("{} {version} {}", text(data, "id"), text(data, "checkout_id"))
        }
        false => text(data, "id"),
    };
    (r#type, of)
}

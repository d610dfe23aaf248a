//! A verifier on a database of its own, called without a socket, at a moment the test chooses.
//!
//! The database is SQLite in a temporary folder, or, where `TEST_POSTGRES_URL` names a server, a new one on that.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod documented;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use checkout_preview::{Catalog, Clock, Json, json, read_date, read_instant};
use checkout_verifier::clock::Moment;
use checkout_verifier::http::{Assets, router};
use checkout_verifier::organisations::{Created, KeyKind};
use checkout_verifier::server::{ConnectionLimits, serve};
use checkout_verifier::store::Store;
use checkout_verifier::{Settings, Verifier};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, Connection, Executor, Row};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// Two business entities on either side of midnight, a customer, and a plan of 10 seats at 12.00 a month.
pub const CATALOG: &str = r#"{
  "version": "2026-11-01.3",
  "business_entities": [
    {"id": "be_us", "name": "Us", "time_zone": "America/New_York"},
    {"id": "be_jp", "name": "日本", "time_zone": "Asia/Tokyo", "taxes": [{"name": "VAT", "percent": "10"}]}
  ],
  "customers": [{"id": "cus_1", "name": "Ada", "business_entity_id": "be_us"}],
  "plans": [{"id": "team", "name": "Team", "currency": "USD", "phases": [{"name": "Paid", "pricings": [
    {"id": "seats", "product": {"id": "seat", "name": "Seats"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
     "quantity": {"type": "fixed", "value": "10"},
     "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}}
  ]}]}]
}"#;

pub const REQUEST: &str = r#"{"plan_id": "team", "customer_id": "cus_1"}"#;
pub const GUEST: &str = r#"{"plan_id": "team", "business_entity_id": "be_jp",
  "customer_data": {"name": "Grace", "email": "grace@example.com", "score": 5.0}}"#;

/// A contract of the catalog, 10 seats at 12.00 a month since 2026-11-01.
pub const CONTRACT: &str = r#"{"id": "con_1", "customer_id": "cus_1", "business_entity_id": "be_us", "plan_id": "team",
  "currency": "USD", "start_date": "2026-11-01", "anchor_date": "2026-11-01", "version": 3,
  "phases": [{"name": "Paid", "start_date": "2026-11-01", "lines": [{"id": "seats", "line_item_id": "li_1",
    "product": {"id": "seat", "name": "Seats"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
    "quantity": {"type": "fixed", "value": "10"}, "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}}]}]}"#;

/// A plan to move to.
pub const PLUS: &str = r#"{"id": "plus", "name": "Plus", "currency": "USD", "phases": [{"name": "Paid", "pricings": [
    {"id": "plus_seats", "product": {"id": "seat", "name": "Seats"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
     "quantity": {"type": "fixed", "value": "10"}, "pricing_data": {"pricing_type": "per_unit", "unit_amount": "15.00"}},
    {"id": "support", "product": {"id": "support"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
     "pricing_data": {"pricing_type": "flat_fee", "unit_amount": "30.00"}}]}]}"#;

/// [`CATALOG`] with the plan [`PLUS`] and these contracts.
pub fn catalog(contracts: &[&str]) -> String {
    let mut catalog = parse(CATALOG);
    let Json::Object(fields) = &mut catalog else { panic!() };
    fields.push(("contracts".into(), Json::List(contracts.iter().map(|contract| parse(contract)).collect())));
    for (name, value) in fields {
        if let ("plans", Json::List(plans)) = (name.as_str(), value) {
            plans.push(parse(PLUS));
        }
    }
    json::to_text(&catalog)
}

/// A request of a buyer who saw a preview.
pub fn expecting(request: &str, preview: &Answer) -> String {
    let request = request.trim_end().strip_suffix('}').unwrap();
    format!(r#"{request},"expected_estimates":{}}}"#, preview.at("/estimates"))
}

/// A request for another number of seats.
pub fn seats(contract_id: &str, quantity: &str) -> String {
    format!(
        r#"{{"contract_id":"{contract_id}","product_overrides":[{{"pricing_id":"seats","quantity":"{quantity}"}}]}}"#
    )
}

/// A case of the corpus, its documents as the text they are written in: `1e400` must arrive as such.
#[derive(Deserialize)]
pub struct Case {
    pub request: Box<RawValue>,
    pub catalog: Box<RawValue>,
    as_of: String,
    now: String,
    /// How many invoices to list instead of a preview.
    pub schedule: Option<u8>,
}

#[derive(Clone)]
pub struct Server {
    router: Router,
    pub verifier: Arc<Verifier>,
    pub db: AnyPool,
    pub url: String,
    pub organisation: Arc<Created>,
    pub moment: Arc<Mutex<Moment>>,
    pub folder: Arc<TempDir>,
}

/// Whether the tests run on PostgreSQL.
pub fn is_postgres() -> bool {
    std::env::var_os("TEST_POSTGRES_URL").is_some()
}

/// The address of a new database.
pub async fn new_database(folder: &TempDir) -> String {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        return format!("sqlite:{}", folder.path().join("checkout.db").display());
    };
    sqlx::any::install_default_drivers();
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut connection = sqlx::AnyConnection::connect(&server).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    connection.close().await.unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// A server on a socket.
pub struct Served {
    pub address: SocketAddr,
    pub stop: tokio::sync::oneshot::Sender<()>,
    pub serving: tokio::task::JoinHandle<()>,
}

const TABLES: [&str; 13] = [
    "organisations",
    "api_keys",
    "sessions",
    "catalogs",
    "current_catalogs",
    "checkouts",
    "customers",
    "contracts",
    "contract_versions",
    "idempotency_keys",
    "events",
    "webhooks",
    "deliveries",
];

/// A row's values, each a number, a text or null.
fn values(row: &AnyRow) -> String {
    let value = |column| match row.try_get::<Option<i64>, _>(column) {
        Ok(number) => format!("{number:?}"),
        Err(_) => format!("{:?}", row.get::<Option<String>, _>(column)),
    };
    (0..row.len()).map(value).collect::<Vec<_>>().join(" ")
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Server {
    /// A server at noon of 2026-11-22, UTC, with one organisation, which has no catalog.
    pub async fn empty() -> Server {
        Server::with_settings(Settings::default()).await
    }

    pub async fn with_settings(settings: Settings) -> Server {
        let now = instant("2026-11-22T12:00:00Z");
        let moment = Arc::new(Mutex::new(Moment { now, as_of: None }));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let url = new_database(&folder).await;
        Server::at(url, folder, moment, settings, Assets::default(), None).await
    }

    /// The same with [`CATALOG`].
    pub async fn start() -> Server {
        let server = Server::empty().await;
        assert_eq!(server.put("/catalog", CATALOG).await.status, 200);
        server
    }

    /// The same with [`catalog`].
    pub async fn with(contracts: &[&str]) -> Server {
        let server = Server::empty().await;
        server.put_catalog(&catalog(contracts)).await;
        server
    }

    /// A server on a database that may have been used before, for an organisation of it or a new one.
    async fn at(
        url: String,
        folder: Arc<TempDir>,
        moment: Arc<Mutex<Moment>>,
        settings: Settings,
        assets: Assets,
        organisation: Option<Arc<Created>>,
    ) -> Server {
        let store = Store::open(&url, 4).await.unwrap();
        let db = AnyPool::connect_lazy(&url).unwrap();
        let clock = Arc::clone(&moment);
        let verifier = Arc::new(Verifier::new(store, settings, move || *clock.lock().unwrap()));
        let organisation = match organisation {
            Some(organisation) => organisation,
            None => Arc::new(verifier.create_organisation("Test").await.unwrap()),
        };
        Server { router: router(Arc::clone(&verifier), assets), verifier, db, url, organisation, moment, folder }
    }

    /// Stops it and starts it again on the same database.
    pub async fn restart(self) -> Server {
        self.verifier.close().await;
        self.beside(Assets::default()).await
    }

    /// Another server on the same database, with the same keys and clock.
    pub async fn beside(&self, assets: Assets) -> Server {
        let (url, folder, moment) = (self.url.clone(), Arc::clone(&self.folder), Arc::clone(&self.moment));
        Server::at(url, folder, moment, Settings::default(), assets, Some(Arc::clone(&self.organisation))).await
    }

    /// Another server on the same database, whose clock stands elsewhere.
    pub async fn at_another_time(&self, now: &str) -> Server {
        let moment = Arc::new(Mutex::new(Moment { now: instant(now), as_of: None }));
        let (url, folder, organisation) = (self.url.clone(), Arc::clone(&self.folder), Arc::clone(&self.organisation));
        Server::at(url, folder, moment, Settings::default(), Assets::default(), Some(organisation)).await
    }

    /// Another server on the same database, with other settings.
    pub async fn with_other_settings(&self, settings: Settings) -> Server {
        let (url, folder, moment) = (self.url.clone(), Arc::clone(&self.folder), Arc::clone(&self.moment));
        Server::at(url, folder, moment, settings, Assets::default(), Some(Arc::clone(&self.organisation))).await
    }

    /// Serves it at an address of its own, which is returned, until the sender of `stop` says so or is dropped.
    pub async fn serve(&self, limits: ConnectionLimits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(serve(listener, self.router.clone(), limits, stopped));
        Served { address, stop, serving }
    }

    /// The same server for another organisation, which has no catalog.
    pub async fn other_organisation(&self) -> Server {
        let organisation = Arc::new(self.verifier.create_organisation("Other").await.unwrap());
        Server { organisation, ..self.clone() }
    }

    pub async fn with_assets(self, assets: Assets) -> Server {
        self.beside(assets).await
    }

    /// Puts it at a case's moment, which is returned.
    pub fn set_clock(&self, case: &Case) -> Clock {
        let clock = Clock { as_of: date(&case.as_of), now: instant(&case.now) };
        *self.moment.lock().unwrap() = Moment { now: clock.now, as_of: Some(clock.as_of) };
        clock
    }

    pub fn set_now(&self, now: &str) {
        self.moment.lock().unwrap().now = instant(now);
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, text };
        answer.check();
        documented::check(&method, &path, &answer);
        answer
    }

    /// Calls with the organisation's secret key.
    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let key = ("x-api-key", self.organisation.secret_key.as_str());
        self.call_as(&[key], method, path, headers, body).await
    }

    /// Calls with the organisation's publishable key.
    pub async fn call_publicly(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let key = ("x-api-key", self.organisation.publishable_key.as_str());
        self.call_as(&[key], method, path, &[("content-type", "application/json")], body).await
    }

    /// Calls with a customer's session.
    pub async fn call_in_session(&self, token: &str, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.call_as(&[("session-id", token)], method, path, &[("content-type", "application/json")], body).await
    }

    /// Calls with the client secret of a checkout.
    pub async fn call_with_secret(&self, secret: &str, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.call_as(&[("client-secret", secret)], method, path, &[("content-type", "application/json")], body).await
    }

    /// Calls for the organisation with some credentials.
    pub async fn call_as(
        &self,
        credentials: &[(&str, &str)],
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let organisation = ("organisation", self.organisation.organisation.as_str());
        let all: Vec<_> = [&[organisation], credentials, headers].concat();
        self.call_plainly(method, path, &all, body).await
    }

    /// Calls with these headers and no others.
    pub async fn call_plainly(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    /// A token for a customer's browser.
    pub async fn session(&self, customer_id: &str) -> String {
        let answer = self.post("/sessions", format!(r#"{{"customer_id":"{customer_id}"}}"#)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.string("session_token")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.call("POST", path, &[("content-type", "application/json")], body).await
    }

    pub async fn put(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.call("PUT", path, &[("content-type", "application/json")], body).await
    }

    /// Creates a checkout and gives its id.
    pub async fn create(&self, request: &str) -> String {
        let answer = self.post("/checkouts", request.to_owned()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.string("id")
    }

    pub async fn confirm(&self, id: &str) -> Answer {
        self.call("POST", &format!("/checkouts/{id}/confirm"), &[], Body::empty()).await
    }

    pub async fn put_catalog(&self, catalog: &str) {
        let stored = self.put("/catalog", catalog.to_owned()).await;
        assert_eq!(stored.status, 200, "{}", stored.text);
    }

    /// A contract made by a checkout: its id.
    pub async fn bought(&self, request: &str) -> String {
        let id = self.create(request).await;
        self.confirmed(&id).await.string("contract_id")
    }

    /// Confirms a checkout.
    pub async fn confirmed(&self, id: &str) -> Answer {
        let answer = self.confirm(id).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    pub async fn contract(&self, id: &str) -> Answer {
        let answer = self.get(&format!("/contracts/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// How many rows a table has, of every organisation.
    pub async fn count(&self, table: &'static str) -> i64 {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&self.db).await.unwrap()
    }

    /// Every row of the organisation, as text.
    pub async fn rows_of_organisation(&self) -> Vec<String> {
        self.rows_where("= $1").await
    }

    /// Every row of every organisation, as text.
    pub async fn rows_of_everybody(&self) -> Vec<String> {
        self.rows_where("<> '' OR $1 = ''").await
    }

    async fn rows_where(&self, organisation: &str) -> Vec<String> {
        let mut found = Vec::new();
        for table in TABLES {
            let column = if table == "organisations" { "id" } else { "organisation_id" };
            let rows = AssertSqlSafe(format!("SELECT * FROM {table} WHERE {column} {organisation}"));
            let rows = sqlx::query(rows).bind(&self.organisation.organisation).fetch_all(&self.db).await.unwrap();
            found.extend(rows.iter().map(|row| format!("{table} {}", values(row))));
        }
        found.sort();
        found
    }

    /// The body of every event, in the order in which they were written.
    pub async fn events(&self) -> Vec<Json> {
        let bodies = "SELECT body FROM events WHERE organisation_id = $1 ORDER BY id";
        let bodies =
            sqlx::query_scalar(bodies).bind(&self.organisation.organisation).fetch_all(&self.db).await.unwrap();
        bodies.iter().map(|body: &String| parse(body)).collect()
    }

    /// A secret key that is revoked.
    pub async fn revoked_key(&self) -> String {
        let key = self.verifier.create_key(&self.organisation.organisation, KeyKind::Secret).await.unwrap();
        self.verifier.revoke_key(&key.key_id).await.unwrap();
        key.key
    }

    /// Lets the holders of client secrets confirm.
    pub async fn let_clients_confirm(&self) {
        self.verifier.update_organisation(&self.organisation.organisation, None, Some(true)).await.unwrap();
    }

    /// Changes the database past the server.
    pub async fn sql(&self, sql: impl Into<String>) {
        sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&self.db).await.unwrap();
    }

    /// This server's moment on a day.
    pub fn clock(&self, as_of: &str) -> Clock {
        Clock { as_of: date(as_of), now: self.moment.lock().unwrap().now }
    }

    /// What the engine itself prints, for [`CATALOG`] at this server's moment.
    pub fn engine(&self, request: &str, as_of: &str) -> String {
        self.engine_on(CATALOG, request, as_of)
    }

    /// The same for another catalog.
    pub fn engine_on(&self, catalog: &str, request: &str, as_of: &str) -> String {
        let catalog = Catalog::load(parse(catalog)).unwrap();
        let clock = self.clock(as_of);
        match checkout_preview::preview(&parse(request), &catalog, clock) {
            Ok(preview) => json::to_text(&preview),
            Err(problems) => json::to_text(&problems),
        }
    }
}

impl Answer {
    /// What holds for every answer, whatever was asked.
    fn check(&self) {
        let request_id = self.headers["x-request-id"].to_str().unwrap();
        assert_eq!(self.headers["x-content-type-options"], "nosniff");
        assert_eq!(self.headers["referrer-policy"], "no-referrer");
        assert!(self.headers["content-security-policy"].to_str().unwrap().starts_with("default-src '"));
        assert!(self.headers.contains_key("cache-control"));
        if (self.status.is_client_error() || self.status.is_server_error()) && !self.text.is_empty() {
            assert_eq!(self.headers["content-type"], "application/problem+json");
            // An answer that is given again is the first one, to the last byte.
            if !self.headers.contains_key("idempotent-replayed") {
                assert_eq!(self.string("request_id"), request_id);
            }
            assert_eq!(self.json().get("status"), Some(&Json::Number(u32::from(self.status.as_u16()).into())));
            let Json::Object(members) = self.json() else { panic!("{}", self.text) };
            let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names[..6], ["type", "title", "status", "code", "detail", "request_id"]);
            let more = ["problems", "differences", "preview", "current_status", "valid_statuses"];
            assert!(names[6..].iter().all(|name| more.contains(name)), "{names:?}");
        }
    }

    pub fn json(&self) -> Json {
        parse(&self.text)
    }

    /// A value of the answer, by JSON pointer, as JSON text.
    pub fn at(&self, pointer: &str) -> String {
        json::to_text(&at(&self.json(), pointer))
    }

    pub fn string(&self, pointer: &str) -> String {
        match at(&self.json(), &format!("/{pointer}")) {
            Json::String(text) => text,
            other => panic!("{pointer} is {other:?} in {}", self.text),
        }
    }

    /// Asserts that this is a problem with a status and a code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.string("code").as_str()), (status, code), "{}", self.text);
    }
}

pub fn parse(text: &str) -> Json {
    json::parse(text.as_bytes()).unwrap()
}

pub fn at(json: &Json, pointer: &str) -> Json {
    let mut found = json;
    for step in pointer.split('/').skip(1) {
        found = match found {
            Json::List(items) => &items[step.parse::<usize>().unwrap()],
            object => object.get(step).unwrap_or_else(|| panic!("no {pointer} in {}", json::to_text(json))),
        };
    }
    found.clone()
}

pub fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    read_instant(&Json::String(text.into()), "/now").unwrap()
}

pub fn date(text: &str) -> chrono::NaiveDate {
    read_date(&Json::String(text.into()), "/as_of").unwrap()
}

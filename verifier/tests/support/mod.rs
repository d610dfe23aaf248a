//! A verifier on a database in a temporary folder, called without a socket, at a moment the test chooses.
#![allow(dead_code, reason = "each test file uses its part")]

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use checkout_preview::{Catalog, Clock, Json, json, read_date, read_instant};
use checkout_verifier::Verifier;
use checkout_verifier::clock::Moment;
use checkout_verifier::http::{Assets, router};
use checkout_verifier::store::open;
use http_body_util::BodyExt;
use sqlx::SqlitePool;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
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

/// A request for another number of seats.
pub fn seats(contract_id: &str, quantity: &str) -> String {
    format!(
        r#"{{"contract_id":"{contract_id}","product_overrides":[{{"pricing_id":"seats","quantity":"{quantity}"}}]}}"#
    )
}

pub struct Server {
    router: Router,
    pub db: SqlitePool,
    pub moment: Arc<Mutex<Moment>>,
    pub folder: Arc<TempDir>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Server {
    /// A server at noon of 2026-11-22, UTC, without a catalog.
    pub async fn empty() -> Server {
        let now = instant("2026-11-22T12:00:00Z");
        let moment = Arc::new(Mutex::new(Moment { now, as_of: None }));
        Server::at(Arc::new(tempfile::tempdir().unwrap()), moment, Assets::default()).await
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

    /// A server on the database in `folder`, which is made if there is none.
    pub async fn at(folder: Arc<TempDir>, moment: Arc<Mutex<Moment>>, assets: Assets) -> Server {
        let db = open(&format!("sqlite:{}", folder.path().join("checkout.db").display())).await.unwrap();
        let clock = Arc::clone(&moment);
        let router = router(Verifier::new(db.clone(), move || *clock.lock().unwrap()), assets);
        Server { router, db, moment, folder }
    }

    /// Stops it and starts it again on the same file.
    pub async fn restart(self) -> Server {
        self.db.close().await;
        Server::at(self.folder, self.moment, Assets::default()).await
    }

    pub async fn with_assets(self, assets: Assets) -> Server {
        Server::at(self.folder, self.moment, assets).await
    }

    pub fn set_now(&self, now: &str) {
        self.moment.lock().unwrap().now = instant(now);
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, text };
        answer.check();
        answer
    }

    pub async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
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

    pub async fn count(&self, table: &'static str) -> i64 {
        let count = match table {
            "catalogs" => "SELECT COUNT(*) FROM catalogs",
            "checkouts" => "SELECT COUNT(*) FROM checkouts",
            "customers" => "SELECT COUNT(*) FROM customers",
            "contracts" => "SELECT COUNT(*) FROM contracts",
            "contract_versions" => "SELECT COUNT(*) FROM contract_versions",
            _ => panic!("no table {table}"),
        };
        sqlx::query_scalar(count).fetch_one(&self.db).await.unwrap()
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
        if self.status.is_client_error() || self.status.is_server_error() {
            assert_eq!(self.headers["content-type"], "application/problem+json");
            assert_eq!(self.string("request_id"), request_id);
            assert_eq!(self.json().get("status"), Some(&Json::Number(f64::from(self.status.as_u16()))));
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

//! What is counted and measured, in the text that Prometheus reads.

use crate::Verifier;
use crate::status::Status;
use crate::store::micros;
use axum::http::{Method, StatusCode};
use checkout_preview::CheckoutType;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Counted since the process began, and measured when it is asked.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    previews: Family<Type, Counter>,
    mismatches: Counter,
    deliveries: Family<Outcome, Counter>,
    checkouts: Family<InStatus, Gauge>,
    outbox_lag: Gauge<f64, AtomicU64>,
    connections: Family<Connections, Gauge>,
    /// Sessions by status, and until when they are not counted again.
    counted: Mutex<Option<(ByStatus, Instant)>>,
}

type ByStatus = Vec<(Status, i64)>;

/// A count that takes less costs nobody anything.
const COUNTED_AT_ONCE: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Type {
    checkout_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InStatus {
    checkout_status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Connections {
    state: &'static str,
}

/// From a tenth of what a preview takes to the time a request has.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("checkout"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            previews: Family::default(),
            mismatches: Counter::default(),
            deliveries: Family::default(),
            checkouts: Family::default(),
            outbox_lag: Gauge::default(),
            connections: Family::default(),
            counted: Mutex::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered, by route and status", metrics.requests.clone());
        registry.register("request_seconds", "Time to answer a request", metrics.seconds.clone());
        registry.register("previews", "Previews made, by type", metrics.previews.clone());
        let help = "Checkouts refused because the buyer was shown another price";
        registry.register("preview_mismatches", help, metrics.mismatches.clone());
        registry.register("webhook_deliveries", "Attempts to deliver an event, by outcome", metrics.deliveries.clone());
        registry.register("sessions", "Checkout sessions by status", metrics.checkouts.clone());
        let help = "Age of the oldest event that has not been delivered or given up";
        registry.register("outbox_lag_seconds", help, metrics.outbox_lag.clone());
        registry.register("database_connections", "Connections to the database", metrics.connections.clone());
        metrics
    }

    pub(crate) fn answered(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        // A method of a stranger's invention would be a label of his invention.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other").to_owned();
        let route = route.to_owned();
        self.seconds.get_or_create(&Route { method: method.clone(), route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { method, route, status: status.as_u16() }).inc();
    }

    pub(crate) fn previewed(&self, checkout_type: CheckoutType) {
        self.previews.get_or_create(&Type { checkout_type: name(checkout_type) }).inc();
    }

    pub(crate) fn delivered(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn mismatched(&self) {
        self.mismatches.inc();
    }

    /// What was measured when it was asked.
    fn measured(&self, checkouts: &[(Status, i64)], outbox_lag: Duration) {
        for (status, count) in checkouts {
            self.checkouts.get_or_create(&InStatus { checkout_status: status.as_str() }).set(*count);
        }
        self.outbox_lag.set(outbox_lag.as_secs_f64());
    }

    fn connected(&self, (in_use, open): (usize, usize)) {
        for (state, count) in [("in_use", in_use), ("open", open)] {
            self.connections.get_or_create(&Connections { state }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to memory does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn name(checkout_type: CheckoutType) -> &'static str {
    match checkout_type {
        CheckoutType::PlanBased => "plan_based",
        CheckoutType::PlanChange => "plan_change",
        CheckoutType::QuantityUpdate => "quantity_update",
    }
}

impl Verifier {
    /// Everything that is counted, and measured now. What the database does not tell in time stays as it was.
    pub(crate) async fn measure(&self) -> String {
        if let Ok((checkouts, outbox_lag)) = self.measure_database().await {
            self.metrics.measured(&checkouts, outbox_lag);
        }
        self.metrics.connected(self.store.connections());
        self.metrics.text()
    }

    async fn measure_database(&self) -> Result<(ByStatus, Duration), sqlx::Error> {
        let counts = self.count_sessions().await?;
        let oldest = "SELECT MIN(e.created_at) FROM deliveries d JOIN events e ON e.organisation_id = d.organisation_id
             AND e.id = d.event_id WHERE d.next_attempt_at IS NOT NULL";
        let oldest: Option<i64> = sqlx::query_scalar(oldest).fetch_one(&self.store.reads).await?;
        let lag = oldest.map_or(0, |oldest| micros(self.moment().now).saturating_sub(oldest));
        Ok((counts, Duration::from_micros(u64::try_from(lag).unwrap_or(0))))
    }

    /// How many sessions have which status.
    ///
    /// Counting takes the longer the more there are, and may take a hundredth of the time: a million, counted in 400 ms, are
    /// counted again after 40 s.
    async fn count_sessions(&self) -> Result<ByStatus, sqlx::Error> {
        let mut counted = self.metrics.counted.lock().await;
        if let Some((counts, until)) = counted.as_ref()
            && Instant::now() < *until
        {
            return Ok(counts.clone());
        }
        let started = Instant::now();
        let by_status = "SELECT checkout_status, COUNT(*) FROM checkouts GROUP BY checkout_status";
        let found: Vec<(String, i64)> = sqlx::query_as(by_status).fetch_all(&self.store.reads).await?;
        let count =
            |status: Status| found.iter().find(|(name, _)| name == status.as_str()).map_or(0, |(_, count)| *count);
        let counts = Status::ALL.map(|status| (status, count(status))).to_vec();
        let took = started.elapsed();
        // What is counted at once is counted every time.
        if took >= COUNTED_AT_ONCE {
            *counted = Some((counts.clone(), Instant::now() + took * 100));
        }
        Ok(counts)
    }
}

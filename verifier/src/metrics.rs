//! What is counted and measured, in the text that Prometheus reads.

use crate::Verifier;
use crate::error::Error;
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
use std::sync::Arc;
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
    /// Until when sessions are not counted again; held by whoever counts them.
    counted_until: Arc<Mutex<Option<Instant>>>,
}

/// A count that takes less costs nobody anything.
const COUNTED_AT_ONCE: Duration = Duration::from_millis(100);
/// How long `/metrics` waits for a count; after that it shows the one before.
const COUNT_AWAITED: Duration = Duration::from_secs(1);

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
            counted_until: Arc::default(),
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

    fn counted(&self, found: &[(String, i64)]) {
        for status in Status::ALL {
            let count = found.iter().find(|(name, _)| name == status.as_str()).map_or(0, |(_, count)| *count);
            self.checkouts.get_or_create(&InStatus { checkout_status: status.as_str() }).set(count);
        }
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
    pub(crate) async fn measure(self: &Arc<Verifier>) -> String {
        self.count_sessions().await;
        if let Ok(lag) = self.outbox_lag().await {
            self.metrics.outbox_lag.set(lag.as_secs_f64());
        }
        self.metrics.connected(self.store.connections());
        self.metrics.text()
    }

    async fn outbox_lag(&self) -> Result<Duration, sqlx::Error> {
        let oldest = "SELECT MIN(e.created_at) FROM deliveries d JOIN events e ON e.organisation_id = d.organisation_id
             AND e.id = d.event_id WHERE d.next_attempt_at IS NOT NULL";
        let oldest: Option<i64> = sqlx::query_scalar(oldest).fetch_one(&self.store.reads).await?;
        let lag = oldest.map_or(0, |oldest| micros(self.moment().now).saturating_sub(oldest));
        Ok(Duration::from_micros(u64::try_from(lag).unwrap_or(0)))
    }

    /// Counts the sessions by status, if it is time and nobody does yet.
    ///
    /// Counting takes the longer the more there are, and may take a hundredth of the time: a million, counted in 400 ms, are
    /// counted again after 40 s. A count goes on when whoever asks for it does not wait.
    async fn count_sessions(self: &Arc<Verifier>) {
        let Ok(mut until) = Arc::clone(&self.metrics.counted_until).try_lock_owned() else { return };
        if until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let verifier = Arc::clone(self);
        let counting = tokio::spawn(async move {
            let started = Instant::now();
            match verifier.sessions_by_status().await {
                Ok(found) => verifier.metrics.counted(&found),
                Err(error) => error.log(),
            }
            let took = started.elapsed();
            // What is counted at once is counted every time.
            *until = (took >= COUNTED_AT_ONCE).then(|| Instant::now() + took * 100);
        });
        let _ = tokio::time::timeout(COUNT_AWAITED, counting).await;
    }

    async fn sessions_by_status(&self) -> Result<Vec<(String, i64)>, Error> {
        let by_status = sqlx::query_as("SELECT checkout_status, COUNT(*) FROM checkouts GROUP BY checkout_status");
        if !self.store.is_postgres {
            return Ok(by_status.fetch_all(&self.store.reads).await?);
        }
        // It may take longer than what a request asks for.
        let mut transaction = self.store.begin().await?;
        let limit = sqlx::query("SELECT set_config('statement_timeout', '10min', true)");
        limit.fetch_all(&mut *transaction).await?;
        Ok(by_status.fetch_all(&mut *transaction).await?)
    }
}

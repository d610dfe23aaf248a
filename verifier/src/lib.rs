//! The server door: checkouts previewed, verified, stored and confirmed with the engine that the browser runs.
//!
//! It holds no pricing rule. Everything that decides an amount is `checkout_preview`; what is decided here is who may ask,
//! what is stored, and when. In reading order:
//!
//! - [`clock`]: the moment a preview is made for, and its date in the business entity's time zone
//! - [`status`]: the statuses of a checkout, and what may be done in each
//! - [`error`]: everything that can go wrong over HTTP, as `application/problem+json`
//! - [`store`], `connections`, `postgres`: the database
//! - `secret`, [`organisations`], `caller`: keys and tokens, whose they are, and what they open
//! - [`server`], [`http`], `door`, `limits`, `idempotency`: what a request passes on its way in
//! - `recent`, [`catalogs`]: `PUT` and `GET /catalog`, snapshots, and those loaded last
//! - `page`, [`contracts`]: what confirmed checkouts made of them, and those of the catalog
//! - `sessions`: tokens with which a browser speaks for a customer
//! - `view`: the catalog as one request sees it
//! - `previews`: what a checkout would cost, stored nowhere
//! - [`differences`]: what the buyer was shown beside what it costs
//! - `events`: what happened, for those who want to be told
//! - `checkouts`, `listing`, `fields`, `change`, `cancel`, `payment`, `confirm`: what can be done with a checkout
//! - `expiry`: the sweeper
//! - [`webhooks`], [`subscriptions`], [`outbox`]: events on their way to those who want to be told
//! - `metrics`: what is counted
//! - [`schema`]: what goes over the wire, for `/openapi.json`
//! - [`docs_page`]: the same to be read, and to be tried
//! - [`command`]: previews without a server
//!
//! Every table and every query names an organisation.

mod caller;
mod cancel;
pub mod catalogs;
mod change;
mod checkouts;
pub mod clock;
pub mod command;
mod confirm;
mod connections;
pub mod contracts;
pub mod differences;
pub mod docs_page;
mod door;
pub mod error;
mod events;
mod expiry;
mod fields;
pub mod http;
mod idempotency;
mod limits;
mod listing;
mod metrics;
pub mod organisations;
pub mod outbox;
mod page;
mod payment;
mod postgres;
mod previews;
mod recent;
pub mod schema;
mod secret;
pub mod server;
mod sessions;
pub mod status;
pub mod store;
pub mod subscriptions;
mod view;
pub mod webhooks;

use clock::Moment;
use error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many catalogs of more than a megabyte are read at a time: of 16 MiB each makes several times as much.
const LARGE_CATALOGS: usize = 4;

/// What whoever runs the verifier may decide.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest body, in bytes.
    pub body_limit: usize,
    /// The largest catalog, in bytes.
    pub catalog_limit: usize,
    /// How long a request may take.
    pub request_limit: Duration,
    /// Requests a second of one key, session or client secret.
    pub rate_limit: NonZeroU32,
    /// How often expiries are written down.
    pub sweep_interval: Duration,
    /// Whether events may be sent to private addresses, and without TLS.
    pub webhooks_allow_private: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            body_limit: 256 * 1024,
            catalog_limit: 16 * 1024 * 1024,
            request_limit: Duration::from_secs(10),
            rate_limit: NonZeroU32::MIN.saturating_add(999),
            sweep_interval: Duration::from_secs(5),
            webhooks_allow_private: false,
        }
    }
}

impl Settings {
    /// How long a request's body may take: what is left is for the answer.
    fn body_time(&self) -> Duration {
        self.request_limit / 2
    }
}

/// What every handler works with: the database, the catalogs already loaded, and the time.
pub struct Verifier {
    store: Store,
    settings: Settings,
    catalogs: catalogs::Loaded,
    callers: caller::Callers,
    limits: limits::Limits,
    metrics: metrics::Metrics,
    /// Places for work that may be long.
    apart: Arc<Semaphore>,
    /// Places for large catalogs that are being put.
    large_catalogs: Arc<Semaphore>,
    /// Wakes those who deliver events.
    news: tokio::sync::Notify,
    moment: Box<dyn Fn() -> Moment + Send + Sync>,
}

impl Verifier {
    /// A verifier on an open database; `moment` is asked once for every request.
    ///
    /// A server passes [`Moment::system`]; a test passes the moment its expectations were written for.
    pub fn new(store: Store, settings: Settings, moment: impl Fn() -> Moment + Send + Sync + 'static) -> Verifier {
        Verifier {
            limits: limits::Limits::new(settings.rate_limit),
            store,
            settings,
            catalogs: catalogs::Loaded::default(),
            callers: caller::Callers::default(),
            metrics: metrics::Metrics::new(),
            apart: Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from))),
            large_catalogs: Arc::new(Semaphore::new(LARGE_CATALOGS)),
            news: tokio::sync::Notify::new(),
            moment: Box::new(moment),
        }
    }

    /// Finishes what runs and closes the database.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// Does work that may be long on a thread of its own, as much of it at a time as there are processors: it takes memory,
    /// too, and goes on where its request is given up.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let place = self.place_apart().await;
        tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await?
    }

    /// A place for such work. (The places are never closed.)
    async fn place_apart(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.apart).acquire_owned().await.ok()
    }

    fn moment(&self) -> Moment {
        (self.moment)()
    }

    /// There may be events to deliver.
    fn happened(&self) {
        self.news.notify_one();
    }
}

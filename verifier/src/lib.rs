//! The server door: checkouts previewed, verified, stored and confirmed with the engine that the browser runs.
//!
//! It holds no pricing rule. Everything that decides an amount is `checkout_preview`; what is decided here is what is
//! stored, and when. In reading order:
//!
//! - [`clock`]: the moment a preview is made for, and its date in the business entity's time zone
//! - [`error`]: everything that can go wrong over HTTP, as `application/problem+json`
//! - [`http`]: routes, headers, limits, static files, starting and stopping
//! - [`store`]: the database
//! - `recent`: what was loaded last
//! - [`catalogs`]: `PUT` and `GET /catalog`, and snapshots
//! - `page`: which page of a list is asked for
//! - [`contracts`]: what confirmed checkouts made of them, and those of the catalog
//! - `view`: the catalog as one request sees it
//! - `previews`: what a checkout would cost, stored nowhere
//! - [`differences`]: what the buyer was shown beside what it costs
//! - [`checkouts`]: created and read
//! - `confirm`: a checkout makes a contract, or the next version of one
//! - [`schema`]: what goes over the wire, for `/openapi.json`
//! - [`docs_page`]: the same to be read, and to be tried
//! - [`command`]: previews without a server
//!
//! Every table and every query names an organisation; until organisations have keys there is one, `default`.

pub mod catalogs;
pub mod checkouts;
pub mod clock;
pub mod command;
mod confirm;
pub mod contracts;
pub mod differences;
pub mod docs_page;
pub mod error;
pub mod http;
mod page;
mod previews;
mod recent;
pub mod schema;
pub mod store;
mod view;
pub mod webhooks;

use clock::Moment;
use sqlx::SqlitePool;

/// What every handler works with: the database, the catalogs already loaded, and the time.
pub struct Verifier {
    db: SqlitePool,
    catalogs: catalogs::Loaded,
    moment: Box<dyn Fn() -> Moment + Send + Sync>,
}

impl Verifier {
    /// A verifier on an open database; `moment` is asked once for every request.
    ///
    /// A server passes [`Moment::system`]; a test passes the moment its expectations were written for.
    pub fn new(db: SqlitePool, moment: impl Fn() -> Moment + Send + Sync + 'static) -> Verifier {
        Verifier { db, catalogs: catalogs::Loaded::default(), moment: Box::new(moment) }
    }

    fn moment(&self) -> Moment {
        (self.moment)()
    }
}

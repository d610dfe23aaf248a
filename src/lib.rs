#![doc = include_str!("../README.md")]
//!
//! # The crate in reading order
//!
//! A preview runs through the files in this order, and each uses only what stands above it:
//!
//! | file | from | to |
//! |---|---|---|
//! | `json` | JSON text or JavaScript objects | [`Json`] |
//! | `problem` | what is wrong | [`Problems`] |
//! | `money`, `date`, `form` | single values | exact amounts, days, ids, or why not |
//! | `request`, `catalog` | [`Json`] | the two inputs, typed and checked |
//! | `detect` | request and catalog | a checkout that names only what is there |
//! | `contract` | a checkout | the contract before it and the contract after it |
//! | `schedule` | a line | segments and their due days |
//! | `price`, `charge` | a segment | what it costs |
//! | `invoice` | charges before and after | invoices with credits, discounts, taxes, totals |
//! | `preview` | all of these | [`Preview`] |
//! | `billing_schedule` | the same, and a number | [`BillingSchedule`] |
//! | `wasm` | what JavaScript has read of its values | what it makes a preview or an error of (browsers only) |
//!
//! # What always holds
//!
//! - The same input gives the same output bytes on every target.
//! - The core reads no clock, locale, environment or random source; [`Clock`] is handed in.
//! - No floating point, no `usize` on the wire, lists and not maps.
//! - Amounts are exact until a rule rounds them, and one function rounds.
//! - Only `detect`, [`Catalog::load`] and [`Catalog::with`] refuse; later stages take types that cannot be wrong, except
//!   that an amount may be out of range.
//! - Doors translate, they never decide.
//!
//! # Glossary
//!
//! - **plan**: a template of phases, each with the pricings a customer gets
//! - **pricing**: one product with a pricing model, a billing period and a quantity; a **line** once on a contract
//! - **contract**: what a customer has: phases with real dates, each holding lines
//! - **checkout**: a request to create a contract, to move it to another plan or to change quantities on it
//! - **preview**: the checkout's type, the contract as it would be, and the estimates
//! - **estimates**: the current invoice, and the next one
//! - **catalog**: the snapshot that is priced from
//! - **as_of**: today, in the business entity's time zone; **E**: the day the checkout takes effect
//! - **billing period**: a stretch of a line's cadence, counted from its anchor
//! - **segment**: days in one billing period in which a line does not change; each is one charge
//! - **share**: a segment's part of its whole billing period
//! - **due day**: the day on which a charge or credit is invoiced
//! - **credit**: what is given back of a charge that a change cuts short

#![deny(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm
)]
// A test that meets what it does not expect should stop there.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod json;
mod problem;

mod date;
mod money;

mod form;

mod catalog;
mod request;

mod detect;

mod contract;

mod schedule;

mod price;

mod charge;

mod invoice;

mod preview;

mod billing_schedule;

#[cfg(target_arch = "wasm32")]
pub mod wasm;

/// What the browser door reads, for `tests/fuzz`.
#[cfg(all(fuzzing, not(target_arch = "wasm32")))]
#[path = "wasm/input.rs"]
pub mod wasm;

pub use billing_schedule::{BillingSchedule, MOST_INVOICES, billing_schedule};
pub use catalog::Catalog;
pub use detect::{CheckoutType, checkout_type};
pub use form::{pointer_step, quoted};
pub use invoice::Invoice;
pub use json::Json;
pub use money::Money;
pub use preview::{Preview, preview};
pub use problem::{Problem, ProblemCode, Problems};

use chrono::{DateTime, NaiveDate, Utc};

/// The version of the engine, as previews report it: with the commit where `cargo xtask release` has built it.
pub const ENGINE_VERSION: &str = match option_env!("CHECKOUT_PREVIEW_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// The moment a preview is made for; the engine reads no clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Today in the business entity's time zone, from which [`time_zone`] tells the zone.
    pub as_of: NaiveDate,
    /// This instant; only `expires_at` is measured from it.
    pub now: DateTime<Utc>,
}

/// A business entity's time zone: its IANA name and where it stands in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone<'a> {
    /// `America/New_York`.
    pub name: &'a str,
    /// `/catalog/business_entities/0/time_zone`.
    pub path: String,
}

impl TimeZone<'_> {
    /// What to answer where the host knows no such zone: `catalog_invalid` at the zone's place.
    pub fn unknown(&self) -> Problems {
        Problem {
            code: ProblemCode::CatalogInvalid,
            path: self.path.clone(),
            message: form::filled("there is no time zone `%`", &[self.name]).into(),
            help: "use a name of the IANA time zone database, such as Europe/Berlin".into(),
        }
        .into()
    }
}

/// The time zone in which a request's default `as_of` is today; `None` (take UTC) where no business entity is known.
///
/// At 23:30 in New York on 30 November it is 1 December in Berlin: which of them a checkout is dated decides what it
/// costs, so every door asks here. The request need not be valid.
pub fn time_zone<'a>(request: &Json, catalog: &'a Catalog) -> Option<TimeZone<'a>> {
    let entity = detect::business_entity_of(request, catalog)?;
    Some(TimeZone { name: entity.time_zone.as_deref()?, path: catalog.time_zone_path(entity) })
}

/// The time zones of all business entities, for hosts that check them when a catalog is loaded.
pub fn time_zones(catalog: &Catalog) -> impl Iterator<Item = TimeZone<'_>> {
    catalog.business_entities.items.iter().filter_map(|entity| {
        Some(TimeZone { name: entity.time_zone.as_deref()?, path: catalog.time_zone_path(entity) })
    })
}

/// Reads an instant such as `2026-11-23T10:00:00Z` (R1.1), for doors that are told what time it is: on a day of R1.4.
///
/// # Errors
/// `invalid_instant` or `invalid_type` at `path`.
pub fn read_instant(value: &Json, path: &str) -> Result<DateTime<Utc>, Problems> {
    form::moment(value).map_err(|fault| fault.at(path).into())
}

/// Reads a date such as `2026-11-22` (R1.1), for doors that are told what day it is.
///
/// # Errors
/// `invalid_date` or `invalid_type` at `path`.
pub fn read_date(value: &Json, path: &str) -> Result<NaiveDate, Problems> {
    form::date(value).map_err(|fault| fault.at(path).into())
}

/// Reads an id, 1 to 255 printable ASCII characters without spaces, for doors that are told of something by its id.
///
/// # Errors
/// `invalid_id` or `invalid_type` at `path`.
pub fn read_id<'a>(value: &'a Json, path: &str) -> Result<&'a str, Problems> {
    form::id(value).map_err(|fault| fault.at(path).into())
}

/// Reads how many invoices a [`billing_schedule`] is to list, for doors that are told so.
///
/// # Errors
/// `invalid_type` at `path` for anything but a whole number from 1 to [`MOST_INVOICES`].
pub fn read_count(value: &Json, path: &str) -> Result<u8, Problems> {
    let count = form::count(value, 1, MOST_INVOICES.into()).map_err(|fault| fault.at(path))?;
    Ok(u8::try_from(count).unwrap_or(MOST_INVOICES))
}

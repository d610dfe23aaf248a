//! What a subscription checkout will cost, exactly.
pub mod json;
mod problem;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use json::Json;
pub use problem::{Problem, ProblemCode, Problems};

use chrono::{DateTime, NaiveDate, Utc};

/// The version of the engine, as previews report it.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The moment a preview is made for; the engine reads no clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Today in the business entity's time zone.
    pub as_of: NaiveDate,
    /// This instant.
    pub now: DateTime<Utc>,
}

/// A validated catalog.
#[derive(Debug)]
pub struct Catalog {}

impl Catalog {
    /// Checks and indexes a catalog.
    pub fn load(json: Json) -> Result<Catalog, Problems> { let _ = json; Ok(Catalog {}) }
    /// The catalog's own `version`.
    pub fn version(&self) -> Option<&str> { None }
}

/// A preview; serialises to the object of SPEC section 9.
#[derive(Debug, serde::Serialize)]
pub struct Preview<'a> { catalog_version: Option<&'a str> }

/// Previews a checkout.
pub fn preview<'a>(request: &'a Json, catalog: &'a Catalog, clock: Clock) -> Result<Preview<'a>, Problems> {
    let _ = (request, clock);
    Ok(Preview { catalog_version: catalog.version() })
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
    /// What to answer where the host knows no such zone.
    pub fn unknown(&self) -> Problems {
        Problem { code: ProblemCode::CatalogInvalid, path: self.path.clone(), message: format!("there is no time zone `{}`", self.name),
            help: "use a name of the IANA time zone database, such as Europe/Berlin".into() }.into()
    }
}

/// The time zone whose date is the default `as_of` of a request; `None` (use UTC) where no business entity is known.
pub fn time_zone<'a>(request: &Json, catalog: &'a Catalog) -> Option<TimeZone<'a>> { let _ = (request, catalog); None }

/// Reads an instant of R1.1 (`now` given to a door), a problem at `path` otherwise.
pub fn read_instant(value: &Json, path: &str) -> Result<DateTime<Utc>, Problems> { let _ = (value, path); Ok(DateTime::<Utc>::UNIX_EPOCH) }

/// Reads a date of R1.1 (`as_of` given to a door), a problem at `path` otherwise.
pub fn read_date(value: &Json, path: &str) -> Result<NaiveDate, Problems> { let _ = (value, path); Ok(NaiveDate::MIN) }

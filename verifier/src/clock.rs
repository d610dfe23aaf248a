//! The moment a preview is made for, and its date where the business is.
//!
//! The engine reads no clock and knows no time zones; both are supplied here, for the server and the command line.

use checkout_preview::{Catalog, Clock, Json, Problems, time_zone, time_zones};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use chrono_tz::Tz;

/// An instant, and the date it is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// This instant, to the microsecond (R1.1).
    pub now: DateTime<Utc>,
    /// Today; `None` is the date of `now` in the time zone of the request's business entity.
    pub as_of: Option<NaiveDate>,
}

impl Moment {
    /// The system's clock.
    pub fn system() -> Moment {
        Moment { now: Utc::now().trunc_subsecs(6), as_of: None }
    }

    /// The clock the engine is given for a request.
    ///
    /// At 2026-03-01T02:00:00Z it is still 2026-02-28 for a business entity in `America/New_York`. Where no business
    /// entity is known the date is that of UTC.
    ///
    /// # Errors
    /// The entity's time zone is none that this host knows.
    pub fn clock(self, request: &Json, catalog: &Catalog) -> Result<Clock, Problems> {
        let as_of = match (self.as_of, time_zone(request, catalog)) {
            (Some(date), _) => date,
            (None, None) => self.now.date_naive(),
            (None, Some(zone)) => {
                let tz: Tz = zone.name.parse().map_err(|_| zone.unknown())?;
                self.now.with_timezone(&tz).date_naive()
            }
        };
        Ok(Clock { as_of, now: self.now })
    }
}

/// Loads a catalog whose every business entity has a time zone that this host knows.
///
/// # Errors
/// What the engine finds; where it finds nothing, each unknown time zone as a `catalog_invalid` problem.
pub fn load_catalog(json: Json) -> Result<Catalog, Problems> {
    let catalog = Catalog::load(json)?;
    let unknown = time_zones(&catalog).filter(|zone| zone.name.parse::<Tz>().is_err());
    let problems = unknown.flat_map(|zone| zone.unknown().as_slice().to_vec()).collect();
    Problems::new(problems).map_or(Ok(catalog), Err)
}

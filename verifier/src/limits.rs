//! How many requests a second a key may make.

use crate::error::Error;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;

/// Counts requests by key, session or client secret; in this process, so that each replica gives each its own share.
pub(crate) struct Limits(DefaultKeyedRateLimiter<String>);

impl Limits {
    pub(crate) fn new(requests_a_second: NonZeroU32) -> Limits {
        Limits(RateLimiter::keyed(Quota::per_second(requests_a_second)))
    }

    /// # Errors
    /// It is one too many; the error says when the next one is answered.
    pub(crate) fn check(&self, key: &str) -> Result<(), Error> {
        self.0
            .check_key(&key.to_owned())
            .map_err(|until| Error::RateLimited { retry_after: until.wait_time_from(DefaultClock::default().now()) })
    }

    /// Forgets those who have not called for a while.
    pub(crate) fn tidy(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

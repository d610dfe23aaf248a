//! When the next attempt to deliver an event is due.
//!
//! In: what was tried so far, and a random number. Out: how long to wait, or that it is given up. Pure; what an attempt
//! says itself (`Retry-After`) comes from the [`client`](super::client).

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// No attempt is made later than this after the event, but for the first one.
pub const GIVEN_UP_AFTER: Duration = HOUR.saturating_mul(72);

/// How long to wait before the next attempt; `None` gives the event up.
///
/// After 1, 2, 3, … attempts: 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, then 4 h each time, and up to a quarter more,
/// so that what failed together does not come back together. A receiver's `Retry-After` is waited for instead where it is
/// longer, but never beyond the third day: that is when the last attempt is made then. The first attempt is due at once,
/// even for an event older than that: each is tried at least once, however long nothing could be sent.
///
/// `age` is the time since the event; `random` is from 0 to 1; what is not is taken as the nearer of the two.
pub fn next(attempts: u32, age: Duration, random: f64, retry_after: Option<Duration>) -> Option<Duration> {
    let usual = match attempts {
        0 => return Some(Duration::ZERO),
        1 => SECOND * 5,
        2 => SECOND * 30,
        3 => MINUTE * 2,
        4 => MINUTE * 10,
        5 => MINUTE * 30,
        6 => HOUR,
        7 => HOUR * 2,
        _ => HOUR * 4,
    };
    let left = GIVEN_UP_AFTER.checked_sub(age).filter(|left| *left >= usual)?;
    let wait = usual.max(retry_after.unwrap_or_default()).min(left);
    // Not `clamp`: it would leave NaN.
    let more = if random > 0.0 { random.min(1.0) / 4.0 } else { 0.0 };
    Some(wait.mul_f64(1.0 + more).min(left))
}

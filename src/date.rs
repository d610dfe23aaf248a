//! Calendar dates, durations and billing periods.
//!
//! Input: dates and durations from the wire. Output: [`Range`]s of days and the periods of an [`Anchor`]. Neighbours:
//! `contract` lays out phases, `schedule` cuts periods into segments.
//!
//! Every boundary is computed from the anchor and never from the boundary before it: monthly from 2026-01-31 the periods
//! begin on 02-28, 03-31 and 04-30 (R5.1).

use crate::json::{whole, with_digit};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};

/// The last day that can be named (R1.4): what is computed to lie after it never comes.
pub(crate) const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2999, 12, 31) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

/// The end of what has none.
pub(crate) const NEVER: NaiveDate = NaiveDate::MAX;

const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1970, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// Days from `start` up to, not including, `end`; `end` is [`NEVER`] where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: NaiveDate,
    pub(crate) end: NaiveDate,
}

impl Range {
    pub(crate) fn is_empty(self) -> bool {
        self.start >= self.end
    }

    pub(crate) fn contains(self, day: NaiveDate) -> bool {
        self.start <= day && day < self.end
    }

    pub(crate) fn days(self) -> i64 {
        self.end.signed_duration_since(self.start).num_days().max(0)
    }

    pub(crate) fn intersection(self, other: Range) -> Range {
        Range { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

pub(crate) fn day_before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(day)
}

pub(crate) fn day_after(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

/// A computed day, or [`NEVER`] where it lies too far ahead.
fn if_it_comes(day: NaiveDate) -> NaiveDate {
    if day <= LAST_DAY { day } else { NEVER }
}

/// A length of time in whole days or whole months: `P14D`, `P2W`, `P3M`, `P1Y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Duration {
    Days(u32),
    Months(u32),
}

impl Duration {
    /// ISO 8601 with one unit, 1 to 1200 of it (R3.1). P12M and P1Y are one duration, and so are P7D and P1W.
    pub(crate) fn read(text: &str) -> Option<Duration> {
        let (count, unit) = text.strip_prefix('P')?.split_at_checked(text.len().checked_sub(2)?)?;
        let count = read_count(count)?;
        match unit {
            "D" => Some(Duration::Days(count)),
            "W" => Some(Duration::Days(count.checked_mul(7)?)),
            "M" => Some(Duration::Months(count)),
            "Y" => Some(Duration::Months(count.checked_mul(12)?)),
            _ => None,
        }
    }

    /// The day this long after `start`, or [`NEVER`].
    pub(crate) fn after(self, start: NaiveDate) -> NaiveDate {
        if_it_comes(Anchor { date: start, day: None }.boundary(self, 1))
    }
}

/// The time a checkout stays open: `PTnH` or `PTnM` (R3.1).
pub(crate) fn read_time_to_live(text: &str) -> Option<TimeDelta> {
    let (count, unit) = text.strip_prefix("PT")?.split_at_checked(text.len().checked_sub(3)?)?;
    let count = i64::from(read_count(count)?);
    match unit {
        "H" => TimeDelta::try_hours(count),
        "M" => TimeDelta::try_minutes(count),
        _ => None,
    }
}

fn read_count(text: &str) -> Option<u32> {
    whole(text).filter(|count| (1..=1200).contains(count))
}

/// The day all billing periods of a line count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) date: NaiveDate,
    /// The day of the month that months and years keep, where it is not the date's own: 31 for an anchor of 02-28.
    pub(crate) day: Option<u32>,
}

impl Anchor {
    /// `b(k)`, the first day of period `k` (R5.1).
    pub(crate) fn boundary(self, cadence: Duration, k: i64) -> NaiveDate {
        let exact = match cadence {
            Duration::Days(days) => k
                .checked_mul(i64::from(days))
                .and_then(TimeDelta::try_days)
                .and_then(|step| self.date.checked_add_signed(step)),
            Duration::Months(months) => k.checked_mul(i64::from(months)).and_then(|step| {
                let month = month_number(self.date).checked_add(step)?;
                date_in_month(month, self.day.unwrap_or_else(|| self.date.day()))
            }),
        };
        exact.unwrap_or(if k < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
    }

    /// The period `k` that holds `day`, found without walking through the ones before it.
    pub(crate) fn period_of(self, cadence: Duration, day: NaiveDate) -> i64 {
        let guess = match cadence {
            Duration::Days(days) => day.signed_duration_since(self.date).num_days().div_euclid(i64::from(days.max(1))),
            Duration::Months(months) => {
                month_number(day).saturating_sub(month_number(self.date)).div_euclid(i64::from(months.max(1)))
            }
        };
        // In the anchor's month the day itself decides.
        if self.boundary(cadence, guess) > day { guess.saturating_sub(1) } else { guess }
    }

    /// The whole period `k`.
    pub(crate) fn period(self, cadence: Duration, k: i64) -> Range {
        Range { start: self.boundary(cadence, k), end: self.boundary(cadence, k.saturating_add(1)) }
    }

    /// The first day of a period on or after `day`.
    pub(crate) fn boundary_from(self, cadence: Duration, day: NaiveDate) -> NaiveDate {
        let period = self.period(cadence, self.period_of(cadence, day));
        if period.start == day { day } else { if_it_comes(period.end) }
    }
}

/// Months since the year 0, January being the first of a year.
fn month_number(date: NaiveDate) -> i64 {
    i64::from(date.year()).saturating_mul(12).saturating_add(i64::from(date.month0()))
}

/// The day of a month, or the month's last day where it is shorter.
fn date_in_month(month: i64, day: u32) -> Option<NaiveDate> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let first = NaiveDate::from_ymd_opt(year, u32::try_from(month.rem_euclid(12)).ok()?.checked_add(1)?, 1)?;
    let day = day.clamp(1, u32::from(first.num_days_in_month()));
    first.with_day(day)
}

/// The first day on or after `from` with this day of the month (its last day where it is shorter), in any month or in
/// the one given (1 to 12).
pub(crate) fn first_day_of_month_from(from: NaiveDate, month_of_year: Option<u32>, day: u32) -> NaiveDate {
    let (first, step) = match month_of_year {
        Some(month) => {
            (i64::from(from.year()).saturating_mul(12).saturating_add(i64::from(month)).saturating_sub(1), 12)
        }
        None => (month_number(from), 1),
    };
    let candidates = [first, first.saturating_add(step)].map(|month| date_in_month(month, day));
    candidates.into_iter().flatten().find(|date| *date >= from).unwrap_or(from)
}

/// The first day on or after `from` that is such a weekday.
pub(crate) fn first_weekday_from(from: NaiveDate, weekday: chrono::Weekday) -> NaiveDate {
    let ahead = weekday.days_since(from.weekday());
    from.checked_add_days(Days::new(u64::from(ahead))).unwrap_or(from)
}

/// Whether a date is one of R1.4.
pub(crate) fn can_be_named(date: NaiveDate) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&date)
}

/// Reads a date of R1.1: `2026-11-22`, or a date-time (`2026-11-22T10:00`, `2026-11-22 10:00:00.5+01:00`), which means
/// the calendar date written in it.
pub(crate) fn read_date(text: &str) -> Option<NaiveDate> {
    let (date, time) = split_date(text)?;
    if !can_be_named(date) {
        return None;
    }
    if !time.is_empty() {
        let (_, offset) = read_time(time.strip_prefix(['T', ' '])?)?;
        if !offset.is_empty() {
            read_offset(offset)?;
        }
    }
    Some(date)
}

/// Reads an instant of R1.1: RFC 3339 with an offset, to the microsecond. The limits of dates are not those of instants:
/// the year 9999 is a year, only no time at which a checkout may expire.
pub(crate) fn read_instant(text: &str) -> Option<DateTime<Utc>> {
    let (date, time) = split_date(text)?;
    let has_seconds = time.get(6..7) == Some(":");
    let (time, offset) = read_time(time.strip_prefix(['T', 't', ' '])?)?;
    let local = date.and_time(time).and_utc();
    local.checked_sub_signed(read_offset(offset)?).filter(|_| has_seconds)
}

fn split_date(text: &str) -> Option<(NaiveDate, &str)> {
    let (year, month, day) = (number_at(text, 0, 4)?, number_at(text, 5, 2)?, number_at(text, 8, 2)?);
    let has_hyphens = [4, 7].map(|at| text.as_bytes().get(at)) == [Some(&b'-'); 2];
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|_| has_hyphens)?;
    Some((date, text.get(10..)?))
}

/// The number that so many digits at a place make.
fn number_at(text: &str, at: usize, length: usize) -> Option<u32> {
    whole(text.get(at..at.checked_add(length)?)?)
}

/// A time of day with optional seconds and fraction, and what follows it. Digits beyond the microsecond are cut off.
fn read_time(text: &str) -> Option<(NaiveTime, &str)> {
    let (hour, minute) = (number_at(text, 0, 2)?, number_at(text, 3, 2)?);
    if text.get(2..3) != Some(":") {
        return None;
    }
    let Some(rest) = text.get(5..)?.strip_prefix(':') else {
        return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, text.get(5..)?));
    };
    let (second, rest) = (number_at(rest, 0, 2)?, rest.get(2..)?);
    let (micros, rest) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(fraction) => {
            let end = fraction.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(fraction.len());
            let (digits, rest) = fraction.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())?;
            let mut padded = digits.bytes().chain(std::iter::repeat(b'0')).take(6);
            (padded.try_fold(0, with_digit)?, rest)
        }
    };
    Some((NaiveTime::from_hms_micro_opt(hour, minute, second, micros)?, rest))
}

/// `Z` or `±hh:mm`.
fn read_offset(text: &str) -> Option<TimeDelta> {
    if matches!(text, "Z" | "z") {
        return Some(TimeDelta::zero());
    }
    let negative = match text.get(..1)? {
        "+" => false,
        "-" => true,
        _ => return None,
    };
    let (time, rest) = read_time(text.get(1..)?)?;
    let short = text.len() == 6 && rest.is_empty();
    let offset = TimeDelta::try_seconds(i64::from(time.num_seconds_from_midnight())).filter(|_| short)?;
    Some(if negative { TimeDelta::zero().checked_sub(&offset)? } else { offset })
}

/// A date as it goes out (R1.1).
pub(crate) fn write_date(date: NaiveDate) -> String {
    let mut text = String::with_capacity(10);
    digits(&mut text, date.year().unsigned_abs(), 4);
    for part in [date.month(), date.day()] {
        text.push('-');
        digits(&mut text, part, 2);
    }
    text
}

/// An instant as it goes out (R1.1): UTC, a fraction only where there is one.
pub(crate) fn write_instant(instant: DateTime<Utc>) -> String {
    let mut text = write_date(instant.date_naive());
    for (separator, part) in [('T', instant.hour()), (':', instant.minute()), (':', instant.second())] {
        text.push(separator);
        digits(&mut text, part, 2);
    }
    let micros = instant.nanosecond().checked_div(1000).unwrap_or(0);
    if micros > 0 {
        text.push('.');
        digits(&mut text, micros, 6);
        text.truncate(text.trim_end_matches('0').len());
    }
    text.push('Z');
    text
}

/// A number with as many digits as are wanted.
fn digits(text: &mut String, number: u32, count: u32) {
    for place in (0..count).rev() {
        let digit = number.checked_div(10_u32.saturating_pow(place)).and_then(|left| left.checked_rem(10));
        text.push(char::from_digit(digit.unwrap_or(0), 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        read_date(text).unwrap()
    }

    #[test]
    fn dates_may_carry_a_time_that_does_not_move_them() {
        for text in [
            "2026-02-28",
            "2026-02-28T23:30",
            "2026-02-28 23:30:59",
            "2026-02-28T23:30:59.5-11:00",
            "2026-02-28T00:00:00Z",
        ] {
            assert_eq!(read_date(text), NaiveDate::from_ymd_opt(2026, 2, 28), "{text}");
        }
        for text in [
            "2026-02-29",
            "2026-2-28",
            "26-02-28",
            "2026/02/28",
            "2026-02-28T",
            "2026-02-28T24:00",
            "2026-02-28T23:60",
            "2026-02-28T23:30:",
            "2026-02-28T23:30:00.",
            "2026-02-28T23:30:00+1",
            "2026-02-28T23:30:00+01",
            "2026-02-28x23:30",
            "1969-12-31",
            "3000-01-01",
            "9999-01-01",
            "+2026-02-28",
            "2026-02-2\u{668}",
            "",
            "2026-02-28Z",
            "2026-02-28T23:30Zx",
        ] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }

    #[test]
    fn instants_are_read_to_the_microsecond_and_written_in_utc() {
        let written = |text| read_instant(text).map(write_instant);
        assert_eq!(written("2026-11-23T10:00:00Z").as_deref(), Some("2026-11-23T10:00:00Z"));
        assert_eq!(written("2026-11-23T10:00:00.1234567+01:30").as_deref(), Some("2026-11-23T08:30:00.123456Z"));
        assert_eq!(written("2026-11-23t10:00:00.500z").as_deref(), Some("2026-11-23T10:00:00.5Z"));
        assert_eq!(written("9999-12-31T23:59:59Z").as_deref(), Some("9999-12-31T23:59:59Z"));
        assert_eq!(written("2026-12-31T23:30:00-01:00").as_deref(), Some("2027-01-01T00:30:00Z"));
        for text in [
            "2026-11-23",
            "2026-11-23T10:00:00",
            "2026-11-23T10:00Z",
            "2026-11-23T10:00:60Z",
            "2026-11-23T10:00:00+0100",
            "2026-11-23T10:00:00+24:00",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_one_unit() {
        assert_eq!(Duration::read("P12M"), Duration::read("P1Y"));
        assert_eq!(Duration::read("P7D"), Duration::read("P1W"));
        assert_eq!(Duration::read("P1200Y"), Some(Duration::Months(14_400)));
        for text in ["", "P", "PM", "P0M", "P1201D", "P-1M", "P+1M", "P1M1D", "PT1H", "p1m", "P1.5M", "1M", "P1\u{e9}"]
        {
            assert_eq!(Duration::read(text), None, "{text}");
        }
        assert_eq!(read_time_to_live("PT24H"), TimeDelta::try_hours(24));
        assert_eq!(read_time_to_live("PT30M"), TimeDelta::try_minutes(30));
        assert_eq!(read_time_to_live("P1D"), None);
    }

    #[test]
    fn boundaries_count_from_the_anchor() {
        let anchor = Anchor { date: day("2026-01-31"), day: None };
        let month = Duration::Months(1);
        let firsts: Vec<String> = (-2..4).map(|k| anchor.boundary(month, k).to_string()).collect();
        assert_eq!(firsts, ["2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
        let kept = Anchor { date: day("2026-02-28"), day: Some(31) };
        let firsts: Vec<String> = (0..3).map(|k| kept.boundary(month, k).to_string()).collect();
        assert_eq!(firsts, ["2026-02-28", "2026-03-31", "2026-04-30"]);
    }

    #[test]
    fn what_lies_after_2999_never_comes() {
        assert_eq!(Duration::Months(1).after(day("2999-12-15")), NEVER);
        assert_eq!(Duration::Months(14_400).after(day("2026-01-01")), NEVER);
        assert_eq!(Duration::Days(1).after(day("2999-12-30")), day("2999-12-31"));
    }
}

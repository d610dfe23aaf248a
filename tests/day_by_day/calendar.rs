//! Days as numbers, so that they can be walked one by one: dates and durations in, days and dates out.

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

/// Days since the beginning of the calendar.
pub type Day = i64;

/// The end of what does not end; later than every day.
pub const NEVER: Day = i64::MAX;

/// 2999-12-31, after which nothing comes (R1.4).
const LAST: Day = 1_095_362;

pub fn read(value: &Value) -> Option<Day> {
    let date: NaiveDate = value.as_str()?.parse().unwrap();
    Some(date.num_days_from_ce().into())
}

/// The end of a range from its inclusive last day (R1.2).
pub fn read_end(value: &Value) -> Day {
    read(value).map_or(NEVER, |last| last + 1)
}

pub fn date(day: Day) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(day).unwrap()).unwrap()
}

pub fn write(day: Day) -> Value {
    json!(date(day).to_string())
}

/// The inclusive last day of a range that ends before `end` (R1.2).
pub fn write_end(end: Day) -> Value {
    if end == NEVER { Value::Null } else { write(end - 1) }
}

/// R3.1. P12M and P1Y are one, and so are P7D and P1W.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duration {
    Days(i64),
    Months(i64),
}

pub fn read_duration(value: &Value) -> Option<Duration> {
    let text = value.as_str()?;
    let (count, unit) = text[1..].split_at(text.len() - 2);
    let count: i64 = count.parse().unwrap();
    Some(match unit {
        "D" => Duration::Days(count),
        "W" => Duration::Days(7 * count),
        "M" => Duration::Months(count),
        _ => Duration::Months(12 * count),
    })
}

/// Where billing periods are counted from (R5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    pub day: Day,
    /// 31 for an anchor on 28 February that stands for the last day of every month.
    pub day_of_month: Option<u32>,
}

impl Anchor {
    /// `anchor + times × duration`: months keep the anchor's day, clamped to the month's last (R5.1).
    pub fn plus(self, duration: Duration, times: i64) -> Day {
        match duration {
            Duration::Days(days) => self.day + days * times,
            Duration::Months(months) => {
                let anchor = date(self.day);
                let month = i64::from(anchor.year()) * 12 + i64::from(anchor.month0()) + months * times;
                day_in_month(month, self.day_of_month.unwrap_or(anchor.day()))
            }
        }
    }
}

/// The day of a month, counted from year 0; the month's last where it is shorter.
fn day_in_month(month: i64, day_of_month: u32) -> Day {
    let year = i32::try_from(month.div_euclid(12)).unwrap();
    let month = u32::try_from(month.rem_euclid(12)).unwrap() + 1;
    let date = (1..=day_of_month).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day));
    date.unwrap().num_days_from_ce().into()
}

/// `start + duration` (R5.3); never, if that is after 2999.
pub fn plus(start: Day, duration: Duration) -> Day {
    let end = Anchor { day: start, day_of_month: None }.plus(duration, 1);
    if end > LAST { NEVER } else { end }
}

pub fn is_last_of_month(day: Day) -> bool {
    date(day + 1).day() == 1
}

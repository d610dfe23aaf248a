//! A calendar that walks from day to day: a day is three numbers, the next one is found by adding one, and a period begins
//! where a walk from the anchor comes to a day that looks like it. Nothing of the engine's arithmetic is used.
#![allow(dead_code, reason = "each runner takes what it needs")]

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    pub year: u32,
    pub month: u32,
    pub day: u32,
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

pub fn length_of_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(400) || (year.is_multiple_of(4) && !year.is_multiple_of(100)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Day {
    pub fn next(self) -> Day {
        let Day { year, month, day } = self;
        if day < length_of_month(year, month) {
            Day { day: day + 1, ..self }
        } else if month < 12 {
            Day { month: month + 1, day: 1, ..self }
        } else {
            Day { year: year + 1, month: 1, day: 1 }
        }
    }
}

/// Consecutive days, far enough before and after the ones that are tried.
pub struct Calendar {
    pub days: Vec<Day>,
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// How long a period is: so many days, or so many months.
#[derive(Debug, Clone, Copy)]
pub enum Cadence {
    Days(usize),
    Months(u32),
}

#[derive(Debug, Clone, Copy)]
pub enum BillingAnchor {
    StartDate,
    DayOfMonth(u32),
    DayOfYear(u32, u32),
    DayOfWeek(usize),
}

impl BillingAnchor {
    pub fn json(self) -> String {
        match self {
            BillingAnchor::StartDate => r#""start_date""#.into(),
            BillingAnchor::DayOfMonth(day) => format!(r#"{{"day_of_month": {day}}}"#),
            BillingAnchor::DayOfYear(month, day) => format!(r#"{{"month_of_year": {month}, "day_of_month": {day}}}"#),
            BillingAnchor::DayOfWeek(weekday) => format!(r#"{{"day_of_week": "{}"}}"#, WEEKDAYS[weekday]),
        }
    }
}

impl Calendar {
    /// 1996-01-01 was a Monday; the calendar ends 48 years after 2032.
    pub fn new() -> Calendar {
        let mut days = vec![Day { year: 1996, month: 1, day: 1 }];
        while days[days.len() - 1].year < 2082 {
            days.push(days[days.len() - 1].next());
        }
        Calendar { days }
    }

    pub fn find(&self, year: u32, month: u32, day: u32) -> usize {
        self.days.iter().position(|one| *one == Day { year, month, day }).unwrap()
    }

    fn weekday(&self, at: usize) -> usize {
        at % 7
    }

    /// R5.2: walks from a day until it comes to one that the plan's anchor means.
    pub fn anchor(&self, from: usize, anchor: BillingAnchor) -> usize {
        let is_day = |at: usize, day: u32| {
            let date = self.days[at];
            date.day == day.min(length_of_month(date.year, date.month))
        };
        let mut at = from;
        loop {
            let is_anchor = match anchor {
                BillingAnchor::StartDate => true,
                BillingAnchor::DayOfMonth(day) => is_day(at, day),
                BillingAnchor::DayOfYear(month, day) => self.days[at].month == month && is_day(at, day),
                BillingAnchor::DayOfWeek(weekday) => self.weekday(at) == weekday,
            };
            if is_anchor {
                return at;
            }
            at += 1;
        }
    }

    /// R5.1: whether a period begins on a day.
    pub fn begins(&self, at: usize, anchor: usize, anchor_day: u32, cadence: Cadence) -> bool {
        match cadence {
            Cadence::Days(days) => at.abs_diff(anchor).is_multiple_of(days),
            Cadence::Months(months) => {
                let (date, first) = (self.days[at], self.days[anchor]);
                let since = (date.year * 12 + date.month).abs_diff(first.year * 12 + first.month);
                since % months == 0 && date.day == anchor_day.min(length_of_month(date.year, date.month))
            }
        }
    }

    /// The first day of the period that holds a day, walking back, and the first day after it, walking on.
    pub fn period(&self, at: usize, anchor: usize, anchor_day: u32, cadence: Cadence) -> (usize, usize) {
        let mut first = at;
        while !self.begins(first, anchor, anchor_day, cadence) {
            first -= 1;
        }
        let mut end = at + 1;
        while !self.begins(end, anchor, anchor_day, cadence) {
            end += 1;
        }
        (first, end)
    }

    /// A day some months later: walks until the month is right, and on to its day or its last one.
    pub fn months_later(&self, from: usize, months: u32) -> usize {
        let start = self.days[from];
        let wanted = start.year * 12 + start.month + months;
        let mut at = from;
        while self.days[at].year * 12 + self.days[at].month < wanted {
            at += 1;
        }
        while self.days[at].day < start.day.min(length_of_month(self.days[at].year, self.days[at].month)) {
            at += 1;
        }
        at
    }
}

//! When a line is charged, and for which days.
//!
//! Input: a [`Line`] in its [`Phase`]. Output: [`Segment`]s, each of which becomes one charge on its due day. Neighbours:
//! `charge` prices them, `invoice` gathers them by due day.
//!
//! Periods are found by arithmetic from the anchor, so nothing here takes longer for a contract of 1970 than for one of
//! yesterday.

use crate::catalog::BillingPeriod;
use crate::contract::{Line, Phase};
use crate::date::{self, Anchor, LAST_DAY, NEVER, Range};
use crate::money::Share;
use chrono::NaiveDate;

/// A line's life: when it lives, and when it changes.
#[derive(Debug)]
pub(crate) struct Schedule<'c, 'a> {
    pub(crate) line: &'c Line<'a>,
    kind: Kind,
    phase_days: Range,
    /// The stretches of days in which the line is enabled.
    alive: Vec<Range>,
    /// The days on which a segment may begin, the phase's first day excepted.
    cuts: Vec<NaiveDate>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Charged once, on the first day the line lives.
    OneTime,
    Recurring {
        period: BillingPeriod,
        anchor: Anchor,
    },
    /// A recurring line in a trial: never charged (R5.4).
    Free,
}

/// A stretch of days in one billing period in which a line does not change, enabled and to be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) days: Range,
    /// The whole billing period; for a one-time charge its one day.
    pub(crate) period: Range,
    /// Which period it is, counted from the anchor.
    pub(crate) k: i64,
    pub(crate) due: NaiveDate,
    /// The part of a whole period's price that it is charged (R5.6, R5.8).
    pub(crate) share: Share,
    /// Its part of the days the line lives in the period.
    pub(crate) share_of_life: Share,
    /// The last day the line lives in the period: what usage is expected then prices it (R2.5).
    pub(crate) last_day_alive: NaiveDate,
}

impl Segment {
    /// Whether the charge is for a whole period in which nothing changes.
    pub(crate) fn is_whole_period(&self) -> bool {
        self.days == self.period
    }
}

impl<'c, 'a> Schedule<'c, 'a> {
    /// The schedule of a line; `cut` is a day on which segments are cut even where nothing changes.
    pub(crate) fn new(phase: &'c Phase<'a>, line: &'c Line<'a>, cut: Option<NaiveDate>) -> Schedule<'c, 'a> {
        let days = phase.days;
        let kind = match line.pricing.billing_period {
            None => Kind::OneTime,
            Some(_) if phase.features.is_trial => Kind::Free,
            Some(period) => Kind::Recurring { period, anchor: phase.anchor },
        };
        let mut changes = line.change_days(days);
        let mut alive: Vec<Range> = Vec::new();
        let mut start = days.start;
        for end in changes.iter().copied().chain([days.end]) {
            if *line.enabled.at(start) && start < end {
                match alive.last_mut() {
                    Some(last) if last.end == start => last.end = end,
                    Some(_) | None => alive.push(Range { start, end }),
                }
            }
            start = end;
        }
        // Equal neighbours join, except where a change is counted from (R7.2).
        changes.retain(|day| !line.is_same(date::day_before(*day), line, *day));
        changes.extend(cut.filter(|day| days.start < *day && *day < days.end));
        changes.sort_unstable();
        changes.dedup();
        Schedule { line, kind, phase_days: days, alive, cuts: changes }
    }

    /// The day after the last one the line lives; [`NEVER`] if it lives on.
    fn end(&self) -> NaiveDate {
        self.alive.last().map_or(self.phase_days.start, |last| last.end)
    }

    fn first_day(&self) -> Option<NaiveDate> {
        self.alive.first().map(|first| first.start)
    }

    pub(crate) fn is_one_time(&self) -> bool {
        matches!(self.kind, Kind::OneTime)
    }

    /// The period that holds a day; `None` for a line without periods.
    pub(crate) fn period_of(&self, day: NaiveDate) -> Option<i64> {
        match self.kind {
            Kind::Recurring { period, anchor } => Some(anchor.period_of(period.cadence, day)),
            Kind::OneTime | Kind::Free => None,
        }
    }

    /// The segments of period `k`, those with share 0 left out (R5.5, R5.6).
    pub(crate) fn segments(&self, k: i64) -> Vec<Segment> {
        let Kind::Recurring { period: billing, anchor } = self.kind else { return Vec::new() };
        let period = anchor.period(billing.cadence, k);
        let lived = |range: Range| {
            self.alive.iter().map(move |alive| alive.intersection(range)).filter(|part| !part.is_empty())
        };
        let days_alive: i64 = lived(period).map(Range::days).fold(0, i64::saturating_add);
        let Some(last_day_alive) = lived(period).next_back().map(|part| date::day_before(part.end)) else {
            return Vec::new();
        };
        let is_prorated = self.line.pricing.is_prorated && !self.line.is_metered();

        let mut segments = Vec::new();
        for part in lived(period) {
            let mut start = part.start;
            let cuts = self.cuts.iter().copied().filter(|cut| part.start < *cut && *cut < part.end);
            for end in cuts.chain([part.end]) {
                let days = Range { start, end };
                start = end;
                let share = if is_prorated {
                    Share { part: days.days(), whole: period.days() }
                } else if segments.is_empty() {
                    Share::WHOLE
                } else {
                    continue;
                };
                let due = if billing.is_prepaid { days.start } else { period.end.min(self.end()) };
                let share_of_life = Share { part: days.days(), whole: days_alive };
                segments.push(Segment { days, period, k, due, share, share_of_life, last_day_alive });
            }
        }
        segments
    }

    /// The one charge of a one-time line (R5.7).
    fn one_time(&self) -> Option<Segment> {
        let day = self.first_day().filter(|_| self.is_one_time())?;
        let days = Range { start: day, end: date::day_after(day) };
        let share = Share::WHOLE;
        Some(Segment { days, period: days, k: 0, due: day, share, share_of_life: share, last_day_alive: day })
    }

    /// Every segment whose due day is after `after` and not after `until`, in order of its days.
    pub(crate) fn due_within(&self, after: NaiveDate, until: NaiveDate) -> Vec<Segment> {
        self.due_within_from(NaiveDate::MIN, after, until)
    }

    /// The same of the periods from the one that holds `day` on.
    pub(crate) fn due_within_from(&self, day: NaiveDate, after: NaiveDate, until: NaiveDate) -> Vec<Segment> {
        let mut due: Vec<Segment> = self.one_time().into_iter().collect();
        if let (Some(first), Some(last)) = (self.first_period_due_after(after.max(day)), self.last_period(until)) {
            for k in first..=last {
                due.append(&mut self.segments(k));
            }
        }
        due.retain(|segment| after < segment.due && segment.due <= until && segment.due <= LAST_DAY);
        due
    }

    /// The first period that may hold a segment due after a day.
    fn first_period_due_after(&self, after: NaiveDate) -> Option<i64> {
        self.period_of(after.max(self.first_day()?))
    }

    /// The last period that begins on or before a day and in which the line may live.
    fn last_period(&self, day: NaiveDate) -> Option<i64> {
        self.period_of(day.min(date::day_before(self.end())))
    }

    /// The earliest due day after `after` and not after `horizon` of a segment that is wanted.
    pub(crate) fn first_due(
        &self,
        after: NaiveDate,
        horizon: NaiveDate,
        mut is_wanted: impl FnMut(&Segment) -> bool,
    ) -> Option<NaiveDate> {
        let in_time = |segment: &Segment| after < segment.due && segment.due <= horizon && segment.due <= LAST_DAY;
        if let Some(segment) = self.one_time().filter(in_time) {
            return is_wanted(&segment).then_some(segment.due);
        }
        let (Some(mut k), Some(last)) = (self.first_period_due_after(after), self.last_period(horizon)) else {
            return None;
        };
        while k <= last {
            let segments = self.segments(k);
            for segment in segments.iter().filter(|segment| in_time(segment)) {
                if is_wanted(segment) {
                    return Some(segment.due);
                }
            }
            // A whole period of which nothing is wanted is followed by others just like it until something changes.
            let is_quiet = match segments.as_slice() {
                [] => true,
                [only] => only.is_whole_period() && in_time(only),
                [_, _, ..] => false,
            };
            let next = if is_quiet { self.next_change(k) } else { None };
            match next {
                // Nothing changes any more.
                None if is_quiet => return None,
                None => k = k.saturating_add(1),
                Some(next) => k = next.max(k.saturating_add(1)),
            }
        }
        None
    }

    /// The first period after `k` that may be unlike `k`: an entry, an end, or a discount whose cycles are over.
    fn next_change(&self, k: i64) -> Option<i64> {
        let Kind::Recurring { period, anchor } = self.kind else { return None };
        let end = anchor.boundary(period.cadence, k.saturating_add(1));
        let lives = self.alive.iter().flat_map(|alive| [alive.start, alive.end]);
        let days = lives.chain(self.cuts.iter().copied()).filter(|day| end <= *day && *day < NEVER);
        let by_day = days.min().map(|day| anchor.period_of(period.cadence, day));
        let cycle = self.cycle(k);
        let cycles = self.line.pricing.discounts.iter().filter_map(|discount| discount.cycles);
        let left = cycles.map(|cycles| i64::from(cycles).saturating_sub(cycle)).filter(|left| *left >= 0).min();
        let by_cycles = left.map(|left| k.saturating_add(left).saturating_add(1));
        by_day.into_iter().chain(by_cycles).min()
    }

    /// The segments that have days from `day` on and are due on or before `due_until`.
    pub(crate) fn reaching(&self, day: NaiveDate, due_until: NaiveDate) -> Vec<Segment> {
        let (Some(first), Some(last)) = (self.first_period_due_after(day), self.last_period(due_until)) else {
            return Vec::new();
        };
        let segments = (first..=last).flat_map(|k| self.segments(k));
        segments.filter(|segment| segment.days.end > day && segment.due <= due_until).collect()
    }

    /// How many billing periods the line has lived in up to and with period `k` (R6.2).
    pub(crate) fn cycle(&self, k: i64) -> i64 {
        let (mut count, mut counted_to) = (0_i64, None::<i64>);
        for alive in &self.alive {
            let (Some(first), Some(last)) = (self.period_of(alive.start), self.period_of(date::day_before(alive.end)))
            else {
                return 1;
            };
            let first = counted_to.map_or(first, |counted| first.max(counted.saturating_add(1)));
            let last = last.min(k);
            if first <= last {
                count = count.saturating_add(last.saturating_sub(first)).saturating_add(1);
                counted_to = Some(last);
            }
        }
        count
    }
}

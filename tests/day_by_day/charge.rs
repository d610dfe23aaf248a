//! Sections 5 and 6: the days of a line, walked one by one, cut into segments and priced. A line in, its charges out.

use super::calendar::Day;
use super::contract::{Line, Phase, State, list};
use super::exact::{self, Exact, Money, fraction, whole};
use super::price::price;
use serde_json::Value;
use std::ops::Range;

/// A stretch of days in one billing period in which a line stays as it is (R5.5).
#[derive(Debug, Clone)]
pub struct Segment<'c> {
    /// Of a one-time charge its one day.
    pub days: Range<Day>,
    /// The whole billing period; none of a one-time charge.
    pub period: Option<Range<Day>>,
    /// R5.7
    pub due: Day,
    pub quantity: Exact,
    pub dimensions: &'c [String],
    /// R5.6
    share: Exact,
    /// Its part of the days the line lives in the period (R6.3).
    part_lived: Exact,
    /// Which of the billing periods in which the line lives it is in (R6.2).
    cycle: u64,
}

/// A segment with what it costs (section 6).
#[derive(Debug, Clone)]
pub struct Charge<'c> {
    pub phase: &'c Phase<'c>,
    pub line: &'c Line<'c>,
    pub segment: Segment<'c>,
    pub subtotal: Exact,
    pub discount: Exact,
    pub commitment: Exact,
    /// R6.4
    pub net: Exact,
}

/// A billing period, and the stretches of days in it in which the line lives and stays as it is.
struct Lived<'c> {
    period: Range<Day>,
    stretches: Vec<(Range<Day>, State<'c>)>,
}

/// Days of a range.
pub fn length(days: &Range<Day>) -> i64 {
    days.end - days.start
}

/// All charges of a line that are due on or before a day. A segment ends before `cut` (R7.2).
pub fn charges<'c>(
    phase: &'c Phase<'c>,
    line: &'c Line<'c>,
    cut: Option<Day>,
    until: Day,
    money: Money,
) -> Vec<Charge<'c>> {
    let mut segments = match line.cadence {
        None => one_time(phase, line, until).into_iter().collect(),
        // R5.4
        Some(_) if phase.is_trial => vec![],
        Some(_) => recurring(phase, line, cut, until),
    };
    segments.retain(|segment| segment.due <= until);
    segments.into_iter().map(|segment| priced(phase, line, segment, money)).collect()
}

/// R5.7: on the first day the line lives in its phase, share 1.
fn one_time<'c>(phase: &Phase, line: &'c Line<'c>, until: Day) -> Option<Segment<'c>> {
    let day = (phase.start..phase.end.min(until + 1)).find(|day| line.on(*day).is_enabled)?;
    let State { quantity, dimensions, .. } = line.on(day);
    let (share, part_lived) = (whole(1), whole(1));
    Some(Segment { days: day..day + 1, period: None, due: day, quantity, dimensions, share, part_lived, cycle: 1 })
}

fn recurring<'c>(phase: &Phase, line: &'c Line<'c>, cut: Option<Day>, until: Day) -> Vec<Segment<'c>> {
    let end_of_life = if line.is_postpaid { line.end_of_life(phase) } else { phase.end };
    let mut segments = Vec::new();
    for (lived, cycle) in walk(phase, line, cut, until).into_iter().zip(1..) {
        let days_lived = lived.stretches.iter().map(|(days, _)| length(days)).sum();
        let last_day = lived.stretches.last().unwrap().0.end - 1;
        // R5.6, R5.8: without proration only the first segment of the period counts, and wholly.
        let counted = if line.is_prorated { lived.stretches.len() } else { 1 };
        for (days, state) in lived.stretches.into_iter().take(counted) {
            let of = |whole: i64| if line.is_prorated { fraction(length(&days), whole) } else { fraction(1, 1) };
            segments.push(Segment {
                period: Some(lived.period.clone()),
                due: if line.is_postpaid { lived.period.end.min(end_of_life) } else { days.start },
                // R2.5
                quantity: if line.is_metered { *line.expected.on(last_day) } else { state.quantity },
                dimensions: state.dimensions,
                share: of(length(&lived.period)),
                part_lived: of(days_lived),
                cycle,
                days,
            });
        }
    }
    segments
}

/// Day by day, the billing periods that begin on or before `until`, without those in which the line is off.
fn walk<'c>(phase: &Phase, line: &'c Line<'c>, cut: Option<Day>, until: Day) -> Vec<Lived<'c>> {
    let mut walked: Vec<Lived> = Vec::new();
    let (mut number, mut period) = period_of(phase, line, phase.start);
    for day in phase.start..phase.end {
        if day >= period.end {
            number += 1;
            period = nth_period(phase, line, number);
        }
        if period.start > until {
            break;
        }
        let state = line.on(day);
        if !state.is_enabled {
            continue;
        }
        if walked.last().is_none_or(|last| last.period != period) {
            walked.push(Lived { period: period.clone(), stretches: vec![] });
        }
        let stretches = &mut walked.last_mut().unwrap().stretches;
        match stretches.last_mut() {
            Some((days, before)) if days.end == day && *before == state && cut != Some(day) => days.end += 1,
            _ => stretches.push((day..day + 1, state)),
        }
    }
    walked
}

/// R5.1: `[b(k), b(k+1))`
fn nth_period(phase: &Phase, line: &Line, number: i64) -> Range<Day> {
    let cadence = line.cadence.unwrap();
    phase.anchor.plus(cadence, number)..phase.anchor.plus(cadence, number + 1)
}

/// The number of the billing period in which a day lies, and its days, found by going there from the anchor.
pub fn period_of(phase: &Phase, line: &Line, day: Day) -> (i64, Range<Day>) {
    let mut number = 0;
    while nth_period(phase, line, number).start > day {
        number -= 1;
    }
    while nth_period(phase, line, number).end <= day {
        number += 1;
    }
    (number, nth_period(phase, line, number))
}

// ---- Section 6 -------------------------------------------------------------------------------------------------

/// The quantity less free units (section 4).
pub fn billable(line: &Line, quantity: Exact) -> Exact {
    (quantity - exact::read(&line.json["free_units"]).unwrap_or(whole(0))).max(whole(0))
}

/// Free units, price, share, round; then the line's discounts and commitments.
fn priced<'c>(phase: &'c Phase<'c>, line: &'c Line<'c>, segment: Segment<'c>, money: Money) -> Charge<'c> {
    let price = price(&line.json["pricing_data"], billable(line, segment.quantity), segment.dimensions);
    let subtotal = money.round(price * segment.share);
    let discounted = discounted(line, subtotal, &segment, money);
    let net = committed(line, discounted, &segment, money);
    let (discount, commitment) = (subtotal - discounted, net - discounted);
    Charge { phase, line, segment, subtotal, discount, commitment, net }
}

/// R6.2: what the line's discounts leave.
fn discounted(line: &Line, subtotal: Exact, segment: &Segment, money: Money) -> Exact {
    let mut left = subtotal;
    for discount in list(line.json, "discounts") {
        if discount["cycles"].as_u64().is_some_and(|cycles| segment.cycle > cycles) {
            continue;
        }
        let value = exact::read(&discount["value"]).unwrap();
        left -= match discount["type"].as_str() {
            Some("percent") => money.round(left * value / whole(100)),
            _ => money.round(money.round(value) * segment.share).min(left),
        };
    }
    left
}

/// R6.3: what is left, raised or lowered by the line's commitments.
fn committed(line: &Line, left: Exact, segment: &Segment, money: Money) -> Exact {
    let mut left = left;
    for commitment in list(line.json, "commitments") {
        let is_full = commitment["charge_full_amount"] != false;
        let part = if is_full { segment.part_lived } else { segment.share };
        let amount = money.round(exact::read(&commitment["amount"]).unwrap() * part);
        left = against(commitment, left, amount);
    }
    left
}

/// A sum held against a minimum or a maximum.
pub fn against(commitment: &Value, sum: Exact, amount: Exact) -> Exact {
    match commitment["type"].as_str() {
        Some("minimum_spend") if sum == whole(0) && commitment["skip_zero_amount"] == true => sum,
        Some("minimum_spend") => sum.max(amount),
        _ => sum.min(amount),
    }
}

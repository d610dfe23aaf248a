//! The contract before a checkout and the contract after it.
//!
//! Input: [`Checkout`]. Output: [`Contracts`]: *before* (none for a new one) and *after* (R7.1), with the day from which
//! each line differs (R7.2). Neighbours: `schedule` cuts the lines of both into segments; `invoice` bills the difference.
//! A new subscription is the step from nothing, so all three types go one way.

use crate::catalog::{BillingAnchor, LineQuantity, PhaseFeatures, Plan, Pricing, StoredContract, StoredLine};
use crate::date::{self, Anchor, Duration, LAST_DAY, NEVER, Range, day_after};
use crate::detect::{Checkout, Subject};
use crate::money::{Currency, Quantity};
use crate::request::{Override, Target};
use chrono::NaiveDate;

/// A contract as it is or as it would be.
#[derive(Debug, Clone)]
pub(crate) struct Contract<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) business_entity_id: Option<&'a str>,
    pub(crate) plan_id: Option<&'a str>,
    pub(crate) currency: Currency,
    pub(crate) days: Range,
    pub(crate) anchor: Anchor,
    pub(crate) version: u32,
    pub(crate) phases: Vec<Phase<'a>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Phase<'a> {
    pub(crate) features: &'a PhaseFeatures,
    pub(crate) days: Range,
    /// The last day as it is written down; `None` for a phase that lasts as long as its contract.
    pub(crate) last_day: Option<NaiveDate>,
    pub(crate) anchor_date: Option<NaiveDate>,
    pub(crate) anchor_day: Option<u32>,
    /// From which day its periods count: its own anchor, or else the contract's.
    pub(crate) anchor: Anchor,
    /// The phase of *before* that this one goes on from.
    pub(crate) origin: Option<usize>,
    pub(crate) lines: Vec<Line<'a>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    pub(crate) pricing: &'a Pricing,
    pub(crate) line_item_id: Option<&'a str>,
    pub(crate) quantity: Timeline<Quantity>,
    pub(crate) enabled: Timeline<bool>,
    pub(crate) dimensions: Timeline<Dimensions<'a>>,
    /// Expected usage of a metered line by overrides; not stored (R2.5).
    pub(crate) expected: Timeline<Quantity>,
    /// A product description of the checkout's.
    pub(crate) description: Option<&'a str>,
    /// D of R7.2: the first day on which the line differs from *before*, if there is one.
    pub(crate) changed_from: Option<NaiveDate>,
}

/// Dimension values, and the override that gave them.
#[derive(Debug, Clone)]
pub(crate) struct Dimensions<'a> {
    pub(crate) values: Vec<&'a str>,
    pub(crate) given_by: Option<usize>,
}

impl<'a> Dimensions<'a> {
    fn of_catalog(values: &'a [String]) -> Dimensions<'a> {
        Dimensions { values: values.iter().map(String::as_str).collect(), given_by: None }
    }
}

/// A value and the days from which it is another: the last entry at or before a day counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timeline<T> {
    pub(crate) first: T,
    /// In ascending order, one for a day.
    pub(crate) entries: Vec<(NaiveDate, T)>,
}

impl<T> Timeline<T> {
    pub(crate) fn new(first: T) -> Timeline<T> {
        Timeline { first, entries: Vec::new() }
    }

    pub(crate) fn at(&self, day: NaiveDate) -> &T {
        let later = self.entries.partition_point(|(from, _)| *from <= day);
        later.checked_sub(1).and_then(|index| self.entries.get(index)).map_or(&self.first, |(_, value)| value)
    }

    /// The values in force on a day of `range`.
    pub(crate) fn within(&self, range: Range) -> impl Iterator<Item = &T> {
        let later = self.entries.iter().filter(move |(from, _)| range.start < *from && *from < range.end);
        std::iter::once(self.at(range.start)).chain(later.map(|(_, value)| value))
    }

    /// Sets the value from a day on, and gives back the one that an entry of that day had.
    fn set(&mut self, day: NaiveDate, value: T) -> Option<T> {
        match self.entries.binary_search_by_key(&day, |(from, _)| *from) {
            Ok(index) => self.entries.get_mut(index).map(|entry| std::mem::replace(&mut entry.1, value)),
            Err(index) => {
                self.entries.insert(index, (day, value));
                None
            }
        }
    }

    fn remove(&mut self, day: NaiveDate) {
        self.entries.retain(|(from, _)| *from != day);
    }

    /// The days of `range`, its first excepted, on which an entry begins.
    fn days_within(&self, range: Range) -> impl Iterator<Item = NaiveDate> {
        self.entries.iter().map(|(from, _)| *from).filter(move |day| range.start < *day && *day < range.end)
    }
}

impl<'a> Line<'a> {
    fn of_pricing(pricing: &'a Pricing) -> Line<'a> {
        let (quantity, expected) = match pricing.quantity {
            LineQuantity::Fixed { value, .. } => (value, Quantity::ZERO),
            LineQuantity::Metered { expected } => (Quantity::ZERO, expected),
        };
        Line {
            pricing,
            line_item_id: None,
            quantity: Timeline::new(quantity),
            enabled: Timeline::new(pricing.is_enabled),
            dimensions: Timeline::new(Dimensions::of_catalog(&pricing.dimension_values)),
            expected: Timeline::new(expected),
            description: None,
            changed_from: None,
        }
    }

    fn of_stored(stored: &'a StoredLine) -> Line<'a> {
        let mut line = Line::of_pricing(&stored.pricing);
        line.line_item_id = Some(&stored.line_item_id);
        line.quantity.entries.clone_from(&stored.quantity_entries);
        line.enabled.entries.clone_from(&stored.enabled_entries);
        let dimensions = stored.dimension_entries.iter();
        line.dimensions.entries = dimensions.map(|(day, values)| (*day, Dimensions::of_catalog(values))).collect();
        line
    }

    pub(crate) fn is_metered(&self) -> bool {
        matches!(self.pricing.quantity, LineQuantity::Metered { .. })
    }

    /// The days of `range` in order, its first excepted, on which the line's quantity, state or dimension values may change.
    pub(crate) fn change_days(&self, range: Range) -> Vec<NaiveDate> {
        let quantity = self.quantity.days_within(range).filter(|_| !self.is_metered());
        let changes = quantity.chain(self.enabled.days_within(range)).chain(self.dimensions.days_within(range));
        in_order(changes.collect())
    }

    /// Whether the line is on two days the same: in quantity, enabled state and dimension values.
    pub(crate) fn is_same(&self, day: NaiveDate, other: &Line, other_day: NaiveDate) -> bool {
        self.enabled.at(day) == other.enabled.at(other_day)
            && (self.is_metered() || self.quantity.at(day) == other.quantity.at(other_day))
            && self.dimensions.at(day).values == other.dimensions.at(other_day).values
    }

    /// The first day of `days` on which two versions of a line differ (R7.2).
    fn first_difference(&self, other: &Line, days: Range) -> Option<NaiveDate> {
        if days.is_empty() {
            return None;
        }
        let mut candidates = self.change_days(days);
        candidates.extend(other.change_days(days));
        candidates.push(days.start);
        in_order(candidates).into_iter().find(|day| !self.is_same(*day, other, *day))
    }
}

/// The step a checkout takes.
#[derive(Debug)]
pub(crate) struct Contracts<'a> {
    pub(crate) before: Option<Contract<'a>>,
    pub(crate) after: Contract<'a>,
    /// Whether an override made a new line other than the plan alone gives (R2.3).
    pub(crate) differs_from_plan: bool,
}

/// Builds the contract before and the contract after (R7.1).
pub(crate) fn contracts<'a>(checkout: &Checkout<'a>) -> Contracts<'a> {
    match checkout.subject {
        Subject::PlanBased { plan } => new_contract(checkout, plan),
        Subject::PlanChange { plan, contract } => changed_plan(checkout, plan, contract),
        Subject::QuantityUpdate { contract } => updated_quantities(checkout, contract),
    }
}

fn new_contract<'a>(checkout: &Checkout<'a>, plan: &'a Plan) -> Contracts<'a> {
    let start = checkout.effective;
    let by_plan = plan.duration.map_or(NEVER, |duration| duration.after(start));
    let end = checkout.request.end_date.value().map_or(by_plan, day_after);
    let days = Range { start, end };
    let anchor = plan_anchor(plan, days);
    let mut phases = lay_out(plan, days, anchor);
    let differs_from_plan = apply_overrides(checkout, &mut phases, Applied::ToNewLines);
    let after = Contract {
        id: None,
        customer_id: checkout.customer.map(|customer| customer.id.as_str()),
        business_entity_id: checkout.business_entity.map(|entity| entity.id.as_str()),
        plan_id: Some(&plan.id),
        currency: plan.currency,
        days,
        anchor,
        version: 0,
        phases,
    };
    Contracts { before: None, after, differs_from_plan }
}

fn updated_quantities<'a>(checkout: &Checkout<'a>, stored: &'a StoredContract) -> Contracts<'a> {
    let mut before = stored_contract(stored);
    let mut after = before.clone();
    apply_overrides(checkout, &mut after.phases, Applied::ToStoredLines);
    for (old, new) in before.phases.iter_mut().zip(&mut after.phases) {
        let days = Range { start: old.days.start.max(checkout.effective), end: old.days.end };
        for (old, new) in old.lines.iter_mut().zip(&mut new.lines) {
            old.changed_from = old.first_difference(new, days);
            new.changed_from = old.changed_from;
        }
    }
    Contracts { before: Some(before), after, differs_from_plan: false }
}

fn changed_plan<'a>(checkout: &Checkout<'a>, plan: &'a Plan, stored: &'a StoredContract) -> Contracts<'a> {
    let effective = checkout.effective;
    let mut before = stored_contract(stored);
    let days = Range { start: effective, end: before.days.end };

    let current = before.phases.iter().find(|phase| phase.days.contains(effective));
    let old_cadences = cadences(current.iter().flat_map(|phase| phase.lines.iter().map(|line| line.pricing)));
    let first_paid = plan.phases.iter().find(|phase| !phase.features.is_trial);
    let new_cadences = cadences(first_paid.iter().flat_map(|phase| phase.pricings.iter()));
    let anchor = if old_cadences == new_cadences { before.anchor } else { plan_anchor(plan, days) };

    let mut after = before.clone();
    after.phases.retain(|phase| phase.days.start < effective);
    for phase in &mut after.phases {
        if phase.days.end > effective {
            phase.days.end = effective;
            phase.last_day = Some(date::day_before(effective));
        }
        if anchor != before.anchor && phase.anchor_date.is_none() {
            // Their periods go on as they were.
            phase.anchor_date = Some(phase.anchor.date);
            phase.anchor_day = phase.anchor.day;
        }
    }
    for phase in &mut before.phases {
        for line in &mut phase.lines {
            line.changed_from = (phase.days.end > effective).then_some(phase.days.start.max(effective));
        }
    }
    for (old, new) in before.phases.iter().filter(|phase| phase.days.start < effective).zip(&mut after.phases) {
        for (old, new) in old.lines.iter().zip(&mut new.lines) {
            new.changed_from = old.changed_from;
        }
    }
    let mut phases = lay_out(plan, days, anchor);
    let differs_from_plan = apply_overrides(checkout, &mut phases, Applied::ToNewLines);
    after.phases.append(&mut phases);
    after.plan_id = Some(&plan.id);
    after.anchor = anchor;
    Contracts { before: Some(before), after, differs_from_plan }
}

/// The set of cadences of some lines.
fn cadences<'a>(pricings: impl Iterator<Item = &'a Pricing>) -> Vec<Duration> {
    in_order(pricings.filter_map(|pricing| pricing.billing_period.map(|period| period.cadence)).collect())
}

/// Each value once, in ascending order.
fn in_order<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

fn stored_contract(stored: &StoredContract) -> Contract<'_> {
    let end = stored.end_date.map_or(NEVER, day_after);
    let days = Range { start: stored.start_date, end };
    let anchor = Anchor { date: stored.anchor_date, day: stored.anchor_day };
    let phases = stored.phases.iter().enumerate().map(|(index, phase)| {
        let own_end = phase.end_date.map_or(NEVER, day_after);
        Phase {
            features: &phase.features,
            days: Range { start: phase.start_date, end: own_end }.intersection(days),
            last_day: phase.end_date,
            anchor_date: phase.anchor_date,
            anchor_day: phase.anchor_day,
            anchor: match phase.anchor_date {
                Some(date) => Anchor { date, day: phase.anchor_day },
                None => Anchor { date: anchor.date, day: phase.anchor_day.or(anchor.day) },
            },
            origin: Some(index),
            lines: phase.lines.iter().map(Line::of_stored).collect(),
        }
    });
    Contract {
        id: Some(&stored.id),
        customer_id: stored.customer_id.as_deref(),
        business_entity_id: stored.business_entity_id.as_deref(),
        plan_id: stored.plan_id.as_deref(),
        currency: stored.currency,
        days,
        anchor,
        version: stored.version,
        phases: phases.collect(),
    }
}

/// The days of a plan's phases from a day on (R5.3), with the phase of the plan each belongs to.
fn phase_days(plan: &Plan, days: Range) -> impl Iterator<Item = (Range, &crate::catalog::PlanPhase)> {
    let mut next = days.start;
    plan.phases.iter().map_while(move |phase| {
        let start = next;
        next = phase.duration.map_or(NEVER, |duration| duration.after(start));
        (start < days.end).then_some((Range { start, end: next.min(days.end) }, phase))
    })
}

/// The anchor of a plan that begins on a day (R5.2).
fn plan_anchor(plan: &Plan, days: Range) -> Anchor {
    let base =
        phase_days(plan, days).find(|(_, phase)| !phase.features.is_trial).map_or(days.start, |(days, _)| days.start);
    let on_the_start = Anchor { date: base, day: None };
    let anchor = match plan.billing_anchor {
        BillingAnchor::StartDate => on_the_start,
        BillingAnchor::DayOfMonth { month_of_year, day } => {
            Anchor { date: date::first_day_of_month_from(base, month_of_year, day), day: Some(day) }
        }
        BillingAnchor::DayOfWeek(weekday) => Anchor { date: date::first_weekday_from(base, weekday), day: None },
    };
    // A day that never comes cannot be written into a contract.
    if anchor.date <= LAST_DAY { anchor } else { on_the_start }
}

fn lay_out<'a>(plan: &'a Plan, days: Range, anchor: Anchor) -> Vec<Phase<'a>> {
    let laid = phase_days(plan, days).map(|(days, phase)| Phase {
        features: &phase.features,
        days,
        last_day: last_day(days),
        anchor_date: None,
        anchor_day: None,
        anchor,
        origin: None,
        lines: phase.pricings.iter().map(Line::of_pricing).collect(),
    });
    laid.collect()
}

/// The last day of a range, as it is written down (R1.2); none where it never comes.
pub(crate) fn last_day(days: Range) -> Option<NaiveDate> {
    (days.end < NEVER).then(|| date::day_before(days.end))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applied {
    /// First values become the line's own; entries are for later days only.
    ToNewLines,
    /// Every change is an entry.
    ToStoredLines,
}

/// Applies the checkout's overrides to the lines they name, and tells whether a line became another by it.
fn apply_overrides<'a>(checkout: &Checkout<'a>, phases: &mut [Phase<'a>], applied: Applied) -> bool {
    let mut overrides: Vec<(NaiveDate, &Override)> = checkout
        .request
        .overrides
        .iter()
        .map(|item| (item.effective_from.value().unwrap_or(checkout.effective), item))
        .collect();
    overrides.sort_unstable_by_key(|(day, item)| (*day, item.index));
    let mut differs = false;
    for phase in phases {
        for line in &mut phase.lines {
            let of_line: Vec<_> = overrides.iter().copied().filter(|(_, item)| names(item, line)).collect();
            if of_line.is_empty() {
                continue;
            }
            let original = line.clone();
            let changes = Changes { days: phase.days, anchor: phase.anchor, applied };
            changes.apply(line, &of_line);
            differs |= original.first_difference(line, phase.days).is_some();
        }
    }
    differs
}

fn names(item: &Override, line: &Line) -> bool {
    item.target.is_some_and(|(target, id)| match target {
        Target::Pricing => line.pricing.id == id,
        Target::Product => line.pricing.product_id == id,
        Target::LineItem => line.line_item_id == Some(id),
    })
}

/// A fall that counts from the next billing period on (R7.7), with what stood on that day.
struct PutOff<T> {
    day: NaiveDate,
    replaced: Option<T>,
}

struct Changes {
    days: Range,
    anchor: Anchor,
    applied: Applied,
}

impl Changes {
    /// Applies the overrides of one line, in the order of their days.
    fn apply<'a>(&self, line: &mut Line<'a>, overrides: &[(NaiveDate, &Override<'a>)]) {
        let cadence = line.pricing.billing_period.map(|period| period.cadence);
        let puts_off = matches!(line.pricing.quantity, LineQuantity::Fixed { allow_mid_cycle_cancellation: false, .. });
        let put_off_by = cadence.filter(|_| puts_off);
        let (mut quantity_put_off, mut enabled_put_off, mut dimensions_put_off) = (None, None, None);
        for (day, item) in overrides {
            if let Some(quantity) = item.quantity.value() {
                if line.is_metered() {
                    line.expected.set(*day, quantity);
                } else {
                    self.change(
                        &mut line.quantity,
                        *day,
                        quantity,
                        put_off_by,
                        |old, new| new < old,
                        &mut quantity_put_off,
                    );
                }
            }
            if let Some(is_enabled) = item.is_enabled.value() {
                self.change(
                    &mut line.enabled,
                    *day,
                    is_enabled,
                    put_off_by,
                    |old, new| *old && !new,
                    &mut enabled_put_off,
                );
            }
            if let Some(values) = &item.dimension_values {
                let dimensions = Dimensions { values: values.clone(), given_by: Some(item.index) };
                self.change(&mut line.dimensions, *day, dimensions, None, |_, _| false, &mut dimensions_put_off);
            }
            if let Some(description) = item.description {
                line.description = Some(description);
            }
        }
    }

    fn change<T: Clone>(
        &self,
        timeline: &mut Timeline<T>,
        day: NaiveDate,
        value: T,
        put_off_by: Option<Duration>,
        is_fall: impl Fn(&T, &T) -> bool,
        put_off: &mut Option<PutOff<T>>,
    ) {
        // A later change cancels a fall that has not yet come.
        if let Some(earlier) = put_off.take_if(|earlier| earlier.day > day) {
            match earlier.replaced {
                Some(value) => {
                    timeline.set(earlier.day, value);
                }
                None => timeline.remove(earlier.day),
            }
        }
        let from_the_first_day = day <= self.days.start;
        if from_the_first_day && self.applied == Applied::ToNewLines {
            timeline.first = value;
            return;
        }
        let fall = put_off_by.filter(|_| !from_the_first_day && is_fall(timeline.at(day), &value));
        let counts_from = fall.map_or(day, |cadence| self.anchor.boundary_from(cadence, day));
        if counts_from == NEVER {
            return;
        }
        let replaced = timeline.set(counts_from, value);
        if counts_from > day {
            *put_off = Some(PutOff { day: counts_from, replaced });
        }
    }
}

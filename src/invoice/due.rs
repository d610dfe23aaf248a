//! What is due on which day (section 7).
//!
//! An invoice holds the charges of *after* that no billed charge of *before* covers, and a credit for each billed charge
//! of *before* that reaches past the change. For a new contract there is no *before*, and so everything due is charged.

use super::feature::{Posted, discount, phase_commitment, sum_left, take_off};
use super::tax::TaxTerms;
use super::{Bill, Credit, DuePhase, Invoice};
use crate::catalog::{BusinessEntity, Customer, LineQuantity, Pricing};
use crate::charge::charge;
use crate::contract::{Contracts, Phase};
use crate::date::{self, Duration, LAST_DAY, NEVER, Range};
use crate::money::{Money, OutOfRange, Rounder, Rounding, Share};
use crate::schedule::{Schedule, Segment};
use chrono::NaiveDate;

/// Where a line stands whose amount is out of range, in the catalog's order.
type LinePlace<'a> = ((bool, usize, usize), &'a str);

/// Everything needed to bill a step from one contract to another.
pub(crate) struct Ledger<'c, 'a> {
    after: Side<'c, 'a>,
    before: Option<Side<'c, 'a>>,
    /// Whether a plan change ends the lines of *before*.
    is_plan_change: bool,
    terms: TaxTerms<'a>,
    rounder: Rounder,
    /// The last day whose charges *before* has billed: `as_of`, or the day before E.
    billed_until: NaiveDate,
    /// C, the later of `as_of` and E.
    current_day: NaiveDate,
}

/// One of the two contracts, with the schedule of each line.
struct Side<'c, 'a> {
    phases: Vec<PhaseSchedule<'c, 'a>>,
}

struct PhaseSchedule<'c, 'a> {
    phase: &'c Phase<'a>,
    schedules: Vec<Schedule<'c, 'a>>,
}

impl<'c, 'a> Side<'c, 'a> {
    /// `is_after`: the segments of a changed line are also cut where it changes (R7.2).
    fn new(phases: &'c [Phase<'a>], is_after: bool) -> Side<'c, 'a> {
        let phases = phases.iter().map(|phase| PhaseSchedule {
            phase,
            schedules: phase
                .lines
                .iter()
                .map(|line| Schedule::new(phase, line, line.changed_from.filter(|_| is_after)))
                .collect(),
        });
        Side { phases: phases.collect() }
    }
}

/// The lines whose amounts are out of range.
#[derive(Debug, Default)]
pub(crate) struct TooLarge<'a> {
    /// In order, each once.
    lines: Vec<LinePlace<'a>>,
}

impl<'a> TooLarge<'a> {
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'a str> {
        self.lines.iter().map(|(_, path)| *path)
    }
}

/// Who buys, from whom, and when.
pub(crate) struct Terms<'a> {
    pub(crate) is_plan_change: bool,
    pub(crate) customer: Option<&'a Customer>,
    pub(crate) business_entity: Option<&'a BusinessEntity>,
    pub(crate) as_of: NaiveDate,
    pub(crate) effective: NaiveDate,
}

/// How far ahead a next invoice is looked for (R7.5).
const HORIZON: Duration = Duration::Months(1200);

impl<'c, 'a> Ledger<'c, 'a> {
    pub(crate) fn new(contracts: &'c Contracts<'a>, terms: &Terms<'a>) -> Ledger<'c, 'a> {
        let rounding = terms.business_entity.map_or(Rounding::HalfUp, |entity| entity.rounding);
        Ledger {
            after: Side::new(&contracts.after.phases, true),
            before: contracts.before.as_ref().map(|before| Side::new(&before.phases, false)),
            is_plan_change: terms.is_plan_change,
            terms: TaxTerms { customer: terms.customer, business_entity: terms.business_entity },
            rounder: Rounder { currency: contracts.after.currency, rounding },
            billed_until: terms.as_of.max(date::day_before(terms.effective)),
            current_day: terms.as_of.max(terms.effective),
        }
    }

    /// The invoice of all that is due today or was before (R7.4), and up to `count` of those after it; `None` if the
    /// current one has an amount out of range.
    pub(crate) fn invoices(&self, count: u8, too_large: &mut TooLarge<'a>) -> Option<(Invoice<'a>, Vec<Invoice<'a>>)> {
        let current = self.invoice(NaiveDate::MIN, self.current_day, true, self.balance(), too_large);
        let available = current.as_ref().map_or(self.rounder.zero(), |invoice| invoice.credit_carried_forward);
        let upcoming = self.upcoming(available, count, too_large);
        current.map(|current| (current, upcoming))
    }

    /// What the customer has to their credit today.
    pub(crate) fn balance(&self) -> Money {
        let balance = self.terms.customer.map(|customer| self.rounder.round(customer.credit_balance));
        balance.and_then(Result::ok).unwrap_or(self.rounder.zero())
    }

    /// The invoices of the days after C, up to `count`, each with the credit that the one before it carries forward
    /// (R7.5, R7.9).
    pub(crate) fn upcoming(&self, available: Money, count: u8, too_large: &mut TooLarge<'a>) -> Vec<Invoice<'a>> {
        let (mut last_day, mut available) = (self.current_day, available);
        let mut invoices = Vec::new();
        for _ in 0..count {
            let day = self.next_day(last_day, too_large);
            let invoice = day.and_then(|day| self.invoice(date::day_before(day), day, false, available, too_large));
            let Some(invoice) = invoice else { break };
            (last_day, available) = (invoice.invoice_date, invoice.credit_carried_forward);
            invoices.push(invoice);
        }
        invoices
    }

    /// The line of *before* that a line of *after* goes on from.
    fn origin(&self, phase: &Phase, line: usize) -> Option<&Schedule<'c, 'a>> {
        self.before.as_ref()?.phases.get(phase.origin?)?.schedules.get(line)
    }

    fn is_billed(&self, segment: &Segment) -> bool {
        segment.due <= self.billed_until
    }

    /// Whether a billed charge of *before* covers a segment of *after* already (R7.3 a).
    fn is_covered(&self, origin: Option<&Schedule>, schedule: &Schedule, segment: &Segment) -> bool {
        let Some(origin) = origin else { return false };
        let Some(changed_from) = schedule.line.changed_from else { return self.is_billed(segment) };
        if schedule.is_one_time() {
            return origin.due_within(NaiveDate::MIN, self.billed_until).iter().any(|before| self.is_billed(before));
        }
        let before = origin.segments(segment.k);
        if schedule.line.is_metered() || !schedule.line.pricing.is_prorated {
            return before.iter().any(|before| self.is_billed(before));
        }
        segment.days.end <= changed_from
            && before.iter().any(|before| before.days.contains(segment.days.start) && self.is_billed(before))
    }

    /// The segments of a line of *after* to be charged, due after one day and not after another.
    fn due_segments(
        &self,
        phase: &Phase,
        index: usize,
        schedule: &Schedule,
        after: NaiveDate,
        until: NaiveDate,
    ) -> Vec<Segment> {
        let origin = self.origin(phase, index);
        // Periods that were billed and lie before the change are covered: no need to walk through them.
        let first_open_day = origin.map(|_| schedule.line.changed_from.unwrap_or(NEVER).min(self.billed_until));
        let mut segments = schedule.due_within_from(first_open_day.unwrap_or(NaiveDate::MIN), after, until);
        segments.retain(|segment| !self.is_covered(origin, schedule, segment));
        segments
    }

    /// The earliest day after `day` on which something is to be paid (R7.5).
    fn next_day(&self, day: NaiveDate, too_large: &mut TooLarge<'a>) -> Option<NaiveDate> {
        let horizon = HORIZON.after(self.current_day).min(LAST_DAY);
        let mut found = None;
        for phase in &self.after.phases {
            for (index, schedule) in phase.schedules.iter().enumerate() {
                let origin = self.origin(phase.phase, index);
                let is_wanted = |segment: &Segment| {
                    // What is out of range is not 0; its invoice will say so.
                    let is_due =
                        || charge(schedule, segment, self.rounder).map_or(true, |charge| !charge.net_amount.is_zero());
                    !self.is_covered(origin, schedule, segment) && (schedule.line.is_metered() || is_due())
                };
                // Only an earlier day is of use: most lines fall due together, and need not be priced for that.
                let until = found.map_or(horizon, date::day_before);
                found = schedule.first_due(day, until, is_wanted).or(found);
            }
        }
        let credited = self.credits(day, found.unwrap_or(horizon), too_large);
        let due =
            credited.iter().filter(|credit| !credit.amount.is_zero()).filter_map(|credit| credit.line.changed_from);
        due.chain(found).min()
    }

    /// The credits due after one day and not after another, in the order of R7.6.
    fn credits(&self, after: NaiveDate, until: NaiveDate, too_large: &mut TooLarge<'a>) -> Vec<Credit<'c, 'a>> {
        let mut credits = Vec::new();
        for (phase, side) in self.before.iter().flat_map(|before| before.phases.iter().enumerate()) {
            // Most lines of a phase are due together: each day's invoice is made up once.
            let mut invoiced: Vec<(NaiveDate, Result<Vec<Posted>, OutOfRange>)> = Vec::new();
            for (index, schedule) in side.schedules.iter().enumerate() {
                let due = schedule.line.changed_from.filter(|due| after < *due && *due <= until);
                let Some(changed_from) = due.filter(|_| self.may_be_credited(schedule)) else { continue };
                for segment in schedule.reaching(changed_from, self.billed_until) {
                    let at = invoiced.binary_search_by_key(&segment.due, |(day, _)| *day).unwrap_or_else(|at| {
                        invoiced.insert(at, (segment.due, self.invoiced_on(side, segment.due)));
                        at
                    });
                    let posted = invoiced.get(at).and_then(|(_, posted)| posted.as_ref().ok());
                    let paid = posted.and_then(|posted| posted.iter().find(|posted| posted.is_of(schedule, &segment)));
                    let days = segment.days.intersection(Range { start: changed_from, end: segment.days.end });
                    let share = Share { part: days.days(), whole: segment.days.days() };
                    let amount = paid.map(|paid| self.rounder.share_of_money(paid.left, share));
                    let (Some(paid), Some(Ok(amount))) = (paid, amount) else {
                        note(too_large, (true, phase, index), schedule.line.pricing);
                        continue;
                    };
                    credits.push(Credit {
                        phase,
                        index,
                        features: side.phase.features,
                        line: schedule.line,
                        quantity: paid.charge.quantity,
                        segment,
                        days,
                        amount: amount.negated(),
                    });
                }
            }
        }
        credits
    }

    fn may_be_credited(&self, schedule: &Schedule) -> bool {
        let pricing = schedule.line.pricing;
        let is_kept = self.is_plan_change
            && matches!(pricing.quantity, LineQuantity::Fixed { allow_mid_cycle_cancellation: false, .. });
        pricing.is_prorated && !schedule.line.is_metered() && !schedule.is_one_time() && !is_kept
    }

    /// The charges that *before* has on a day for one of its phases, with what was paid of each: its net amount less its
    /// part of the phase's discounts and maximum spend (R7.3 b).
    fn invoiced_on(&self, side: &PhaseSchedule<'c, 'a>, day: NaiveDate) -> Result<Vec<Posted<'c, 'a>>, OutOfRange> {
        let mut posted = Vec::new();
        for schedule in &side.schedules {
            for segment in schedule.due_within(date::day_before(day), day) {
                let charge = charge(schedule, &segment, self.rounder)?;
                posted.push(Posted { line: schedule.line, left: charge.net_amount, charge });
            }
        }
        let features = side.phase.features;
        discount(&features.discounts, &mut posted, true, self.rounder)?;
        let mut sum = sum_left(&posted, self.rounder)?;
        for commitment in &features.commitments {
            let difference = phase_commitment(commitment, sum, self.rounder)?;
            sum = sum.plus(difference)?;
            if !commitment.is_minimum {
                let off = difference.negated().min(sum_left(&posted, self.rounder)?);
                take_off(&mut posted, off, self.rounder)?;
            }
        }
        Ok(posted)
    }

    /// The invoice of what is due after one day and not after another; `None` if an amount is out of range.
    fn invoice(
        &self,
        after: NaiveDate,
        day: NaiveDate,
        is_current: bool,
        available: Money,
        too_large: &mut TooLarge<'a>,
    ) -> Option<Invoice<'a>> {
        let credits = self.credits(after, day, too_large);
        let credited: Vec<usize> = credits.iter().map(|credit| credit.phase).collect();
        // The line that a sum is told of: the first of the invoice.
        let mut first = credits.first().map(|credit| ((true, credit.phase, credit.index), credit.line.pricing));
        let mut sum_is_too_large = false;
        let mut phases = Vec::with_capacity(self.after.phases.len());
        for (position, side) in self.after.phases.iter().enumerate() {
            let origin = side.phase.origin;
            let mut posted = Vec::new();
            for (index, schedule) in side.schedules.iter().enumerate() {
                let (place, pricing) = ((origin.is_some(), position, index), schedule.line.pricing);
                for segment in self.due_segments(side.phase, index, schedule, after, day) {
                    first.get_or_insert((place, pricing));
                    match charge(schedule, &segment, self.rounder) {
                        Ok(charge) => posted.push(Posted { line: schedule.line, left: charge.net_amount, charge }),
                        Err(OutOfRange) => {
                            note(too_large, place, pricing);
                            sum_is_too_large |= is_charged_whole(pricing, &segment);
                        }
                    }
                }
            }
            let is_only_percent = origin.is_some_and(|origin| is_current || credited.contains(&origin));
            phases.push(DuePhase { phase: side.phase, posted, in_full: !is_only_percent });
        }
        let bill = Bill { day, credits, phases, available, terms: self.terms, rounder: self.rounder };
        let invoice = bill.invoice();
        if let Some((place, pricing)) = first.filter(|_| sum_is_too_large || invoice.is_err()) {
            note(too_large, place, pricing);
        }
        invoice.ok().filter(|_| too_large.lines.is_empty())
    }
}

fn note<'a>(too_large: &mut TooLarge<'a>, order: (bool, usize, usize), pricing: &'a Pricing) {
    let place = (order, pricing.path.as_str());
    if let Err(at) = too_large.lines.binary_search(&place) {
        too_large.lines.insert(at, place);
    }
}

/// Whether a charge that is out of range makes its invoice's subtotal so too: nothing is taken off its price.
fn is_charged_whole(pricing: &Pricing, segment: &Segment) -> bool {
    let is_whole = segment.share.part == segment.share.whole;
    is_whole && pricing.discounts.is_empty() && pricing.commitments.iter().all(|commitment| commitment.is_minimum)
}

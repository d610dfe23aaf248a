//! From the contracts before and after to invoices (sections 7 and 8).
//!
//! Input: [`Contracts`]. Output: [`Invoice`]s: the current one, and those of the days that follow. Neighbours: `charge`
//! prices the segments; `preview` hands the invoices out.
//!
//! An invoice holds what is due: the charges of *after* that no billed charge of *before* covers, and a credit for each
//! billed charge of *before* that reaches past the change. For a new contract there is no *before*, and so everything
//! due is charged.

use crate::catalog::{
    BusinessEntity, Commitment, Customer, Discount, LineQuantity, PhaseFeatures, Pricing, Reduction, Tax,
};
use crate::charge::{Charge, charge, commit};
use crate::contract::{Contracts, Line, Phase};
use crate::date::{self, Duration, Range};
use crate::money::{Money, OutOfRange, Quantity, Rate, Rounder, Rounding, Share};
use crate::price::TierRow;
use crate::schedule::{Schedule, Segment};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeSet;

/// What is to be paid on one day, or until today (R7.4, R7.5).
#[derive(Debug, Clone, Serialize)]
pub struct Invoice<'a> {
    invoice_date: NaiveDate,
    currency: &'static str,
    line_items: Vec<LineItem<'a>>,
    taxes: Vec<InvoiceTax<'a>>,
    subtotal: Money,
    discount_total: Money,
    tax_total: Money,
    total: Money,
    credit_applied: Money,
    amount_due: Money,
    credit_carried_forward: Money,
}

impl Invoice<'_> {
    /// The day on which it is due; for the current invoice the day on which the checkout takes effect, or today.
    pub fn invoice_date(&self) -> NaiveDate {
        self.invoice_date
    }

    /// What it comes to, taxes included, before credit is applied.
    pub fn total(&self) -> Money {
        self.total
    }

    /// What is left to pay after the customer's credit.
    pub fn amount_due(&self) -> Money {
        self.amount_due
    }

    /// How many lines it has.
    pub fn line_count(&self) -> usize {
        self.line_items.len()
    }
}

/// What a line of an invoice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Charge,
    Credit,
    Commitment,
    ServiceFee,
}

#[derive(Debug, Clone, Serialize)]
struct LineItem<'a> {
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_item_id: Option<&'a str>,
    pricing_id: Option<&'a str>,
    product_id: Option<&'a str>,
    name: Option<&'a str>,
    description: Option<&'a str>,
    phase: Option<&'a str>,
    pricing_type: Option<&'static str>,
    quantity: Option<Quantity>,
    free_units: Option<Quantity>,
    is_estimate: bool,
    period: Option<Period>,
    proration: Option<Proration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tiers: Option<Vec<TierRow>>,
    subtotal: Money,
    discount_amount: Money,
    commitment_amount: Money,
    net_amount: Money,
    phase_discount_amount: Money,
    tax_amount: Money,
    taxes: Vec<LineTax<'a>>,
}

/// First and last day.
#[derive(Debug, Clone, Copy, Serialize)]
struct Period {
    start_date: NaiveDate,
    end_date: NaiveDate,
}

impl From<Range> for Period {
    fn from(days: Range) -> Period {
        Period { start_date: days.start, end_date: date::day_before(days.end) }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Proration {
    days: i64,
    period_days: i64,
}

#[derive(Debug, Clone, Serialize)]
struct LineTax<'a> {
    name: Option<&'a str>,
    amount: Money,
}

#[derive(Debug, Clone, Serialize)]
struct InvoiceTax<'a> {
    name: Option<&'a str>,
    percent: Rate,
    amount: Money,
}

/// Where a line stands whose amount is out of range, in the catalog's order.
type LinePlace<'a> = ((bool, usize, usize), &'a str);

/// Everything needed to bill a step from one contract to another.
pub(crate) struct Ledger<'c, 'a> {
    after: Side<'c, 'a>,
    before: Option<Side<'c, 'a>>,
    /// Whether a plan change ends the lines of *before*.
    is_plan_change: bool,
    customer: Option<&'a Customer>,
    business_entity: Option<&'a BusinessEntity>,
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

/// A charge on its way into an invoice, with what is left of it as the phase's discounts are taken off.
struct Posted<'c, 'a> {
    line: &'c Line<'a>,
    charge: Charge,
    left: Money,
}

/// A billed charge of *before*, or its part, taken back.
struct Credit<'c, 'a> {
    /// The phase of *before*.
    phase: usize,
    line: &'c Line<'a>,
    charge: Charge,
    /// Its days from D on.
    days: Range,
    amount: Money,
}

/// What the charges of one phase come to in one invoice.
struct PhaseBill<'c, 'a> {
    posted: Vec<Posted<'c, 'a>>,
    /// What is left of the charges, commitments included.
    commitments: Vec<Money>,
    fees: Vec<(Option<&'a str>, Money)>,
}

/// The days and lines whose amounts are out of range.
#[derive(Debug, Default)]
pub(crate) struct TooLarge<'a> {
    lines: BTreeSet<LinePlace<'a>>,
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
            customer: terms.customer,
            business_entity: terms.business_entity,
            rounder: Rounder { currency: contracts.after.currency, rounding },
            billed_until: terms.as_of.max(date::day_before(terms.effective)),
            current_day: terms.as_of.max(terms.effective),
        }
    }

    /// The invoice of all that is due today or was before (R7.4).
    pub(crate) fn current(&self, too_large: &mut TooLarge<'a>) -> Option<Invoice<'a>> {
        let available = match self.customer {
            Some(customer) => self.rounder.round(customer.credit_balance),
            None => Ok(self.rounder.zero()),
        };
        let available = available.unwrap_or_else(|OutOfRange| self.rounder.zero());
        self.invoice(NaiveDate::MIN, self.current_day, true, available, too_large)
    }

    /// The first invoice after a day, if one comes within 1,200 months of C (R7.5); `available` is the credit that the
    /// invoice before it carried forward.
    pub(crate) fn following(
        &self,
        day: NaiveDate,
        available: Money,
        too_large: &mut TooLarge<'a>,
    ) -> Option<Invoice<'a>> {
        let day = self.next_day(day, too_large)?;
        self.invoice(date::day_before(day), day, false, available, too_large)
    }

    /// The credit left for the invoice after this one.
    pub(crate) fn credit_after(invoice: &Invoice) -> Money {
        invoice.credit_carried_forward
    }

    pub(crate) fn zero(&self) -> Money {
        self.rounder.zero()
    }

    pub(crate) fn current_day(&self) -> NaiveDate {
        self.current_day
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
        // What was due up to `billed_until` and before the change is covered: no need to walk through it.
        let covered_until = origin.map(|_| {
            let changed = schedule.line.changed_from.map(date::day_before);
            changed.map_or(self.billed_until, |changed| changed.min(self.billed_until))
        });
        let mut segments = schedule.due_within(covered_until.map_or(after, |covered| covered.max(after)), until);
        segments.retain(|segment| !self.is_covered(origin, schedule, segment));
        segments
    }

    /// The earliest day after `day` on which something is to be paid (R7.5).
    fn next_day(&self, day: NaiveDate, too_large: &mut TooLarge<'a>) -> Option<NaiveDate> {
        let horizon = HORIZON.after(self.current_day);
        let mut earliest = horizon;
        let mut found = None;
        for phase in &self.after.phases {
            for (index, schedule) in phase.schedules.iter().enumerate() {
                let origin = self.origin(phase.phase, index);
                let is_wanted = |segment: &Segment| -> Result<bool, std::convert::Infallible> {
                    if self.is_covered(origin, schedule, segment) {
                        return Ok(false);
                    }
                    // What is out of range is not 0; its invoice will say so.
                    let is_due =
                        charge(schedule, segment, self.rounder).map_or(true, |charge| !charge.net_amount.is_zero());
                    Ok(schedule.line.is_metered() || is_due)
                };
                if let Ok(Some(due)) = schedule.first_due(day, earliest, is_wanted) {
                    earliest = due;
                    found = Some(due);
                }
            }
        }
        let credited = self.credits(day, earliest, too_large);
        let due =
            credited.iter().filter(|credit| !credit.amount.is_zero()).filter_map(|credit| credit.line.changed_from);
        due.chain(found).min()
    }

    /// The credits due after one day and not after another, in the order of R7.6.
    fn credits(&self, after: NaiveDate, until: NaiveDate, too_large: &mut TooLarge<'a>) -> Vec<Credit<'c, 'a>> {
        let mut credits = Vec::new();
        for (phase, side) in self.before.iter().flat_map(|before| before.phases.iter().enumerate()) {
            for (index, schedule) in side.schedules.iter().enumerate() {
                let due = schedule.line.changed_from.filter(|due| after < *due && *due <= until);
                let Some(changed_from) = due.filter(|_| self.may_be_credited(schedule)) else { continue };
                for segment in schedule.reaching(changed_from, self.billed_until) {
                    let days = segment.days.intersection(Range { start: changed_from, end: segment.days.end });
                    let share = Share { part: days.days(), whole: segment.days.days() };
                    let credit = self.paid(side, index, &segment).and_then(|(charge, paid)| {
                        let amount = self.rounder.share_of_money(paid, share)?.negated();
                        Ok(Credit { phase, line: schedule.line, charge, days, amount })
                    });
                    match credit {
                        Ok(credit) => credits.push(credit),
                        Err(OutOfRange) => note(too_large, (true, phase, index), schedule.line.pricing),
                    }
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

    /// What was paid for a charge of *before*: its net amount less its part of the phase's discounts and maximum spend
    /// in the invoice of its due day (R7.3 b).
    fn paid(
        &self,
        side: &PhaseSchedule<'c, 'a>,
        line: usize,
        segment: &Segment,
    ) -> Result<(Charge, Money), OutOfRange> {
        let mut posted = Vec::new();
        let mut at = 0;
        for (index, schedule) in side.schedules.iter().enumerate() {
            for other in schedule.due_within(date::day_before(segment.due), segment.due) {
                if index == line && other.days == segment.days {
                    at = posted.len();
                }
                let charge = charge(schedule, &other, self.rounder)?;
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
                take_off(&mut posted, difference.negated(), self.rounder)?;
            }
        }
        let paid = posted.into_iter().nth(at).ok_or(OutOfRange)?;
        Ok((paid.charge, paid.left))
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
        let noted = too_large.lines.len();
        let credits = self.credits(after, day, too_large);
        let mut charged = Vec::new();
        for (position, side) in self.after.phases.iter().enumerate() {
            let mut posted = Vec::new();
            for (index, schedule) in side.schedules.iter().enumerate() {
                for segment in self.due_segments(side.phase, index, schedule, after, day) {
                    match charge(schedule, &segment, self.rounder) {
                        Ok(charge) => posted.push(Posted { line: schedule.line, left: charge.net_amount, charge }),
                        Err(OutOfRange) => {
                            note(too_large, (side.phase.origin.is_some(), position, index), schedule.line.pricing)
                        }
                    }
                }
            }
            charged.push((side.phase, posted));
        }
        if too_large.lines.len() > noted {
            return None;
        }
        let first = credits.first().map(|credit| (true, credit.line.pricing));
        let first = first.or_else(|| {
            charged
                .iter()
                .find_map(|(phase, posted)| posted.first().map(|first| (phase.origin.is_some(), first.line.pricing)))
        });
        match self.assemble(day, is_current, available, credits, charged) {
            Ok(invoice) => Some(invoice),
            Err(OutOfRange) => {
                if let Some((is_stored, pricing)) = first {
                    note(too_large, (is_stored, 0, 0), pricing);
                }
                None
            }
        }
    }

    fn assemble(
        &self,
        day: NaiveDate,
        is_current: bool,
        available: Money,
        credits: Vec<Credit<'c, 'a>>,
        charged: Vec<(&'c Phase<'a>, Vec<Posted<'c, 'a>>)>,
    ) -> Result<Invoice<'a>, OutOfRange> {
        let zero = self.rounder.zero();
        let mut totals =
            Totals { subtotal: zero, discount_total: zero, tax_total: zero, exclusive: zero, taxes: Vec::new() };
        let credited: BTreeSet<usize> = credits.iter().map(|credit| credit.phase).collect();
        let mut line_items = Vec::new();
        for credit in credits {
            let phase =
                self.before.as_ref().and_then(|before| before.phases.get(credit.phase)).map(|side| side.phase.features);
            let taxes = self.taxes_of(credit.line.pricing, phase);
            let mut item = credit_item(&credit, phase, zero);
            totals.add(&mut item, taxes, self.rounder)?;
            line_items.push(item);
        }
        for (phase, posted) in charged {
            let features = phase.features;
            let is_old = is_current && self.before.is_some() && phase.origin.is_some();
            let is_credited = phase.origin.is_some_and(|origin| credited.contains(&origin));
            let bill = phase_bill(features, posted, !(is_old || is_credited), self.rounder)?;
            for posted in bill.posted {
                let taxes = self.taxes_of(posted.line.pricing, Some(features));
                let mut item = charge_item(posted, features, zero)?;
                totals.add(&mut item, taxes, self.rounder)?;
                line_items.push(item);
            }
            let commitments = bill.commitments.into_iter().map(|amount| (Kind::Commitment, None, amount));
            let fees = bill.fees.into_iter().map(|(name, amount)| (Kind::ServiceFee, name, amount));
            for (kind, name, amount) in commitments.chain(fees) {
                let mut item = phase_item(kind, name, amount, features);
                totals.add(&mut item, self.inherited_taxes(Some(features)), self.rounder)?;
                line_items.push(item);
            }
        }

        let total = totals.subtotal.minus(totals.discount_total)?.plus(totals.exclusive)?;
        let credit_applied = if total.is_positive() { available.min(total) } else { zero };
        Ok(Invoice {
            invoice_date: day,
            currency: self.rounder.currency.code,
            line_items,
            taxes: totals.taxes,
            subtotal: totals.subtotal,
            discount_total: totals.discount_total,
            tax_total: totals.tax_total,
            total,
            credit_applied,
            amount_due: total.minus(credit_applied)?.max(zero),
            credit_carried_forward: available.minus(credit_applied)?.plus(total.negated().max(zero))?,
        })
    }

    /// The taxes of a line (R8.1).
    fn taxes_of(&self, pricing: &'a Pricing, phase: Option<&'a PhaseFeatures>) -> &'a [Tax] {
        let is_exempt = self.customer.is_some_and(|customer| customer.tax_exempt);
        pricing.taxes.as_deref().filter(|_| !is_exempt).unwrap_or_else(|| self.inherited_taxes(phase))
    }

    fn inherited_taxes(&self, phase: Option<&'a PhaseFeatures>) -> &'a [Tax] {
        if self.customer.is_some_and(|customer| customer.tax_exempt) {
            return &[];
        }
        let of_phase = phase.and_then(|phase| phase.taxes.as_deref());
        let of_customer = || self.customer.and_then(|customer| customer.taxes.as_deref());
        let of_entity = || self.business_entity.and_then(|entity| entity.taxes.as_deref());
        of_phase.or_else(of_customer).or_else(of_entity).unwrap_or_default()
    }
}

fn note<'a>(too_large: &mut TooLarge<'a>, order: (bool, usize, usize), pricing: &'a Pricing) {
    too_large.lines.insert((order, &pricing.path));
}

fn sum_left(posted: &[Posted], rounder: Rounder) -> Result<Money, OutOfRange> {
    posted.iter().try_fold(rounder.zero(), |sum, posted| sum.plus(posted.left))
}

/// Takes an amount off charges, in proportion to what is left of each.
fn take_off(posted: &mut [Posted], amount: Money, rounder: Rounder) -> Result<(), OutOfRange> {
    let weights: Vec<i128> = posted.iter().map(|posted| posted.left.minor_units()).collect();
    for (posted, part) in posted.iter_mut().zip(rounder.shared(amount, &weights)?) {
        posted.left = posted.left.minus(part)?;
    }
    Ok(())
}

/// Takes a phase's discounts off its charges (R8.2).
fn discount(
    discounts: &[Discount],
    posted: &mut [Posted],
    with_fixed: bool,
    rounder: Rounder,
) -> Result<(), OutOfRange> {
    for discount in discounts {
        match discount.kind {
            Reduction::Percent(percent) => {
                for posted in posted.iter_mut() {
                    posted.left = posted.left.minus(rounder.percent_of(posted.left, percent)?)?;
                }
            }
            Reduction::Fixed(value) if with_fixed => {
                let off = rounder.round(value)?.min(sum_left(posted, rounder)?);
                take_off(posted, off, rounder)?;
            }
            Reduction::Fixed(_) => {}
        }
    }
    Ok(())
}

/// What a phase's commitment adds to the sum of its charges or takes off it; never prorated (R8.2).
fn phase_commitment(commitment: &Commitment, sum: Money, rounder: Rounder) -> Result<Money, OutOfRange> {
    commit(commitment, sum, Share::WHOLE, rounder)
}

/// Applies the features of a phase to its charges in one invoice (R8.2); `in_full` or percentages and taxes only.
fn phase_bill<'c, 'a>(
    features: &'a PhaseFeatures,
    mut posted: Vec<Posted<'c, 'a>>,
    in_full: bool,
    rounder: Rounder,
) -> Result<PhaseBill<'c, 'a>, OutOfRange> {
    discount(&features.discounts, &mut posted, in_full, rounder)?;
    let (mut commitments, mut fees) = (Vec::new(), Vec::new());
    if in_full && !posted.is_empty() {
        let mut sum = sum_left(&posted, rounder)?;
        for commitment in &features.commitments {
            let difference = phase_commitment(commitment, sum, rounder)?;
            sum = sum.plus(difference)?;
            commitments.push(difference);
        }
        for fee in &features.service_fees {
            let amount = match fee.kind {
                Reduction::Percent(percent) => rounder.percent_of(sum, percent)?,
                Reduction::Fixed(value) => rounder.round(value)?,
            };
            fees.push((fee.name.as_deref(), amount));
        }
        commitments.retain(|amount| !amount.is_zero());
        fees.retain(|(_, amount)| !amount.is_zero());
    }
    Ok(PhaseBill { posted, commitments, fees })
}

fn proration(line: &Line, segment: &Segment, days: Range) -> Option<Proration> {
    let is_prorated = line.pricing.billing_period.is_some() && line.pricing.is_prorated && !line.is_metered();
    is_prorated.then(|| Proration { days: days.days(), period_days: segment.period.days() })
}

fn charge_item<'a>(
    posted: Posted<'_, 'a>,
    features: &'a PhaseFeatures,
    zero: Money,
) -> Result<LineItem<'a>, OutOfRange> {
    let Posted { line, charge, left } = posted;
    let pricing = line.pricing;
    Ok(LineItem {
        kind: Kind::Charge,
        line_item_id: line.line_item_id,
        pricing_id: Some(&pricing.id),
        product_id: Some(&pricing.product_id),
        name: pricing.product_name.as_deref(),
        description: line.description.or(pricing.product_description.as_deref()),
        phase: features.name.as_deref(),
        pricing_type: Some(pricing.pricing_type),
        quantity: Some(charge.quantity),
        free_units: Some(pricing.free_units),
        is_estimate: line.is_metered(),
        period: Some(charge.segment.days.into()),
        proration: proration(line, &charge.segment, charge.segment.days),
        tiers: charge.rows,
        subtotal: charge.subtotal,
        discount_amount: charge.discount_amount,
        commitment_amount: charge.commitment_amount,
        net_amount: charge.net_amount,
        phase_discount_amount: charge.net_amount.minus(left)?,
        tax_amount: zero,
        taxes: Vec::new(),
    })
}

fn credit_item<'a>(credit: &Credit<'_, 'a>, features: Option<&'a PhaseFeatures>, zero: Money) -> LineItem<'a> {
    let pricing = credit.line.pricing;
    LineItem {
        kind: Kind::Credit,
        line_item_id: credit.line.line_item_id,
        pricing_id: Some(&pricing.id),
        product_id: Some(&pricing.product_id),
        name: pricing.product_name.as_deref(),
        description: pricing.product_description.as_deref(),
        phase: features.and_then(|features| features.name.as_deref()),
        pricing_type: Some(pricing.pricing_type),
        quantity: Some(credit.charge.quantity),
        free_units: Some(pricing.free_units),
        is_estimate: false,
        period: Some(credit.days.into()),
        proration: proration(credit.line, &credit.charge.segment, credit.days),
        tiers: None,
        subtotal: credit.amount,
        discount_amount: zero,
        commitment_amount: zero,
        net_amount: credit.amount,
        phase_discount_amount: zero,
        tax_amount: zero,
        taxes: Vec::new(),
    }
}

/// A commitment's difference or a service fee: it names no line.
fn phase_item<'a>(kind: Kind, name: Option<&'a str>, amount: Money, features: &'a PhaseFeatures) -> LineItem<'a> {
    let zero = amount.zero();
    LineItem {
        kind,
        line_item_id: None,
        pricing_id: None,
        product_id: None,
        name,
        description: None,
        phase: features.name.as_deref(),
        pricing_type: None,
        quantity: None,
        free_units: None,
        is_estimate: false,
        period: None,
        proration: None,
        tiers: None,
        subtotal: amount,
        discount_amount: zero,
        commitment_amount: zero,
        net_amount: amount,
        phase_discount_amount: zero,
        tax_amount: zero,
        taxes: Vec::new(),
    }
}

/// The sums of an invoice as its items come in.
struct Totals<'a> {
    subtotal: Money,
    discount_total: Money,
    tax_total: Money,
    /// The part of the taxes that comes on top.
    exclusive: Money,
    taxes: Vec<InvoiceTax<'a>>,
}

impl<'a> Totals<'a> {
    /// Taxes an item and adds it up (R8.3, R8.4).
    fn add(&mut self, item: &mut LineItem<'a>, taxes: &'a [Tax], rounder: Rounder) -> Result<(), OutOfRange> {
        let taxable = item.net_amount.minus(item.phase_discount_amount)?;
        let is_inclusive = taxes.first().is_some_and(|tax| tax.is_inclusive);
        let amounts = if is_inclusive {
            inclusive_taxes(taxable, taxes, rounder)?
        } else {
            exclusive_taxes(taxable, taxes, rounder)?
        };
        for (tax, amount) in taxes.iter().zip(amounts) {
            let name = tax.name.as_deref();
            item.tax_amount = item.tax_amount.plus(amount)?;
            item.taxes.push(LineTax { name, amount });
            match self.taxes.iter_mut().find(|sum| sum.name == name && sum.percent == tax.percent) {
                Some(sum) => sum.amount = sum.amount.plus(amount)?,
                None => self.taxes.push(InvoiceTax { name, percent: tax.percent, amount }),
            }
        }
        self.subtotal = self.subtotal.plus(item.net_amount)?;
        self.discount_total = self.discount_total.plus(item.phase_discount_amount)?;
        self.tax_total = self.tax_total.plus(item.tax_amount)?;
        if !is_inclusive {
            self.exclusive = self.exclusive.plus(item.tax_amount)?;
        }
        Ok(())
    }
}

fn exclusive_taxes(taxable: Money, taxes: &[Tax], rounder: Rounder) -> Result<Vec<Money>, OutOfRange> {
    let mut so_far = taxable.zero();
    let mut amounts = Vec::with_capacity(taxes.len());
    for tax in taxes {
        let base = if tax.is_compound { taxable.plus(so_far)? } else { taxable };
        let amount = rounder.percent_of(base, tax.percent)?;
        so_far = so_far.plus(amount)?;
        amounts.push(amount);
    }
    Ok(amounts)
}

/// The tax inside an amount, shared among the rates in proportion to their percentages.
fn inclusive_taxes(taxable: Money, taxes: &[Tax], rounder: Rounder) -> Result<Vec<Money>, OutOfRange> {
    let percent = Rate::sum(taxes.iter().map(|tax| tax.percent));
    let whole = taxable.minus(rounder.without_percent(taxable, percent)?)?;
    let weights: Vec<i128> = taxes.iter().map(|tax| tax.percent.weight()).collect();
    rounder.shared(whole, &weights)
}

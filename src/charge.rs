//! One charge: what a segment of a line costs, before its invoice adds anything (section 6).
//!
//! Input: a [`Segment`]. Output: [`Charge`]. Neighbours: `invoice` adds the phase's discounts and the taxes.
//!
//! The order is free units, pricing model, share, *round*, the line's discounts, the line's commitments. Each step works
//! on the rounded amount that the one before it left.

use crate::catalog::{Commitment, Reduction};
use crate::contract::Line;
use crate::money::{Exact, Money, OutOfRange, Quantity, Rounder, Share};
use crate::price::{self, TierRow};
use crate::schedule::{Schedule, Segment};

/// A charge of one line for one segment.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) segment: Segment,
    pub(crate) quantity: Quantity,
    pub(crate) rows: Option<Vec<TierRow>>,
    pub(crate) subtotal: Money,
    pub(crate) discount_amount: Money,
    pub(crate) commitment_amount: Money,
    pub(crate) net_amount: Money,
}

/// Charges a segment.
pub(crate) fn charge(schedule: &Schedule, segment: &Segment, rounder: Rounder) -> Result<Charge, OutOfRange> {
    let line = schedule.line;
    let pricing = line.pricing;
    let quantity = quantity_of(line, segment);
    let billable = quantity.less(pricing.free_units);
    let dimensions = &line.dimensions.at(segment.days.start).values;
    // Lines without a price have been refused (`matrix_price_not_found`).
    let (amount, rows) = match price::price(&pricing.model, billable, dimensions)? {
        Some(price) => (price.amount, price.rows),
        None => (Exact::ZERO, None),
    };
    let subtotal = rounder.share_of(amount, segment.share)?;

    let mut left = subtotal;
    for discount in &pricing.discounts {
        if discount.cycles.is_some_and(|cycles| schedule.cycle(segment.k) > i64::from(cycles)) {
            continue;
        }
        let off = match discount.kind {
            Reduction::Percent(percent) => rounder.percent_of(left, percent)?,
            Reduction::Fixed(value) => rounder.share_of_money(rounder.round(value)?, segment.share)?.min(left),
        };
        left = left.minus(off)?;
    }
    let discount_amount = subtotal.minus(left)?;

    let after_discounts = left;
    for commitment in &pricing.commitments {
        left = left.plus(commit(commitment, left, commitment_share(line, segment, commitment), rounder)?)?;
    }
    let commitment_amount = left.minus(after_discounts)?;
    Ok(Charge { segment: *segment, quantity, rows, subtotal, discount_amount, commitment_amount, net_amount: left })
}

/// The line's quantity in a segment; for a metered line the usage expected in the period.
fn quantity_of(line: &Line, segment: &Segment) -> Quantity {
    if line.is_metered() { *line.expected.at(segment.last_day_alive) } else { *line.quantity.at(segment.days.start) }
}

/// What a commitment adds to an amount, or takes off it (R6.3).
pub(crate) fn commit(
    commitment: &Commitment,
    left: Money,
    share: Share,
    rounder: Rounder,
) -> Result<Money, OutOfRange> {
    let bound = rounder.share_of(commitment.amount.exact()?, share)?;
    let skipped = left.is_zero() && commitment.skip_zero_amount;
    let applies = if commitment.is_minimum { left.is_less_than(bound) && !skipped } else { bound.is_less_than(left) };
    if applies { bound.minus(left) } else { Ok(left.zero()) }
}

fn commitment_share(line: &Line, segment: &Segment, commitment: &Commitment) -> Share {
    let is_prorated = line.pricing.is_prorated && !line.is_metered();
    if commitment.charge_full_amount && is_prorated { segment.share_of_life } else { segment.share }
}

//! What a phase adds to its charges in one invoice: discounts, commitments, service fees (R8.2).

use crate::catalog::{Commitment, Discount, PhaseFeatures, Reduction};
use crate::charge::{Charge, commit};
use crate::contract::Line;
use crate::money::{Money, OutOfRange, Rounder, Share};
use crate::schedule::{Schedule, Segment};

/// A charge on its way into an invoice, with what is left of it as the phase's discounts are taken off.
pub(super) struct Posted<'c, 'a> {
    pub(super) line: &'c Line<'a>,
    pub(super) charge: Charge,
    pub(super) left: Money,
}

impl Posted<'_, '_> {
    /// Whether it is the charge for a segment of a line.
    pub(super) fn is_of(&self, schedule: &Schedule, segment: &Segment) -> bool {
        std::ptr::eq(self.line, schedule.line) && self.charge.segment.days == segment.days
    }
}

/// What the charges of one phase come to in one invoice.
pub(super) struct PhaseBill<'c, 'a> {
    pub(super) posted: Vec<Posted<'c, 'a>>,
    /// What each commitment adds, or takes off.
    pub(super) commitments: Vec<Money>,
    pub(super) fees: Vec<(Option<&'a str>, Money)>,
}

pub(super) fn sum_left(posted: &[Posted], rounder: Rounder) -> Result<Money, OutOfRange> {
    posted.iter().try_fold(rounder.zero(), |sum, posted| sum.plus(posted.left))
}

/// Takes an amount off charges, in proportion to what is left of each.
pub(super) fn take_off(posted: &mut [Posted], amount: Money, rounder: Rounder) -> Result<(), OutOfRange> {
    let weights: Vec<i128> = posted.iter().map(|posted| posted.left.minor_units()).collect();
    for (posted, part) in posted.iter_mut().zip(rounder.shared(amount, &weights)?) {
        posted.left = posted.left.minus(part)?;
    }
    Ok(())
}

/// Takes a phase's discounts off its charges (R8.2).
pub(super) fn discount(
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
pub(super) fn phase_commitment(commitment: &Commitment, sum: Money, rounder: Rounder) -> Result<Money, OutOfRange> {
    commit(commitment, sum, Share::WHOLE, rounder)
}

/// Applies the features of a phase to its charges in one invoice (R8.2); `in_full` or percentages and taxes only.
pub(super) fn phase_bill<'c, 'a>(
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

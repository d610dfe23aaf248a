//! From the contracts before and after to invoices (sections 7 and 8).
//!
//! Input: [`Contracts`]. Output: [`Invoice`]s: the current one, and those of the days that follow. Neighbours: `charge`
//! prices the segments; `preview` hands the invoices out.
//!
//! | part | what it decides |
//! |---|---|
//! | `due` | what is charged and credited, and on which day (section 7) |
//! | `feature` | a phase's discounts, commitments and fees (R8.2) |
//! | `tax` | taxes and sums (R8.1, R8.3, R8.4) |

mod due;
mod feature;
mod tax;

pub(crate) use due::{Ledger, Terms, TooLarge};

use crate::catalog::PhaseFeatures;
use crate::contract::{Line, Phase};
use crate::date::{self, Range};
use crate::money::{Money, OutOfRange, Quantity, Rate, Rounder};
use crate::price::TierRow;
use crate::schedule::Segment;
use chrono::NaiveDate;
use feature::{Posted, phase_bill};
use serde::Serialize;
use tax::{TaxTerms, Totals};

/// What is to be paid on one day, or until today (R7.4, R7.5).
#[derive(Debug, Clone, Serialize)]
pub struct Invoice<'a> {
    pub(crate) invoice_date: NaiveDate,
    pub(crate) currency: &'static str,
    pub(crate) line_items: Vec<LineItem<'a>>,
    pub(crate) taxes: Vec<InvoiceTax<'a>>,
    pub(crate) subtotal: Money,
    pub(crate) discount_total: Money,
    pub(crate) tax_total: Money,
    pub(crate) total: Money,
    pub(crate) credit_applied: Money,
    pub(crate) amount_due: Money,
    pub(crate) credit_carried_forward: Money,
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
pub(crate) enum Kind {
    Charge,
    Credit,
    Commitment,
    ServiceFee,
}

#[cfg(target_arch = "wasm32")]
impl Kind {
    /// Its place in the list of kinds that `pkg/src/build.js` has.
    pub(crate) fn number(self) -> u8 {
        match self {
            Kind::Charge => 0,
            Kind::Credit => 1,
            Kind::Commitment => 2,
            Kind::ServiceFee => 3,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct LineItem<'a> {
    /// Its pricing's number in the catalog, or for a commitment or a fee its phase's: how the browser door names it.
    #[serde(skip)]
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "natively its texts are written"))]
    pub(crate) number: u32,
    /// The description that the checkout gives it.
    #[serde(skip)]
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "natively it stands in `description`"))]
    pub(crate) own_description: Option<&'a str>,
    pub(crate) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line_item_id: Option<&'a str>,
    pub(crate) pricing_id: Option<&'a str>,
    pub(crate) product_id: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    pub(crate) phase: Option<&'a str>,
    pub(crate) pricing_type: Option<&'static str>,
    pub(crate) quantity: Option<Quantity>,
    pub(crate) free_units: Option<Quantity>,
    pub(crate) is_estimate: bool,
    pub(crate) period: Option<Period>,
    pub(crate) proration: Option<Proration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tiers: Option<Vec<TierRow>>,
    pub(crate) subtotal: Money,
    pub(crate) discount_amount: Money,
    pub(crate) commitment_amount: Money,
    pub(crate) net_amount: Money,
    pub(crate) phase_discount_amount: Money,
    pub(crate) tax_amount: Money,
    pub(crate) taxes: Vec<LineTax<'a>>,
}

/// First and last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Period {
    pub(crate) start_date: NaiveDate,
    pub(crate) end_date: NaiveDate,
}

impl From<Range> for Period {
    fn from(days: Range) -> Period {
        Period { start_date: days.start, end_date: date::day_before(days.end) }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Proration {
    pub(crate) days: i64,
    pub(crate) period_days: i64,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct LineTax<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) amount: Money,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct InvoiceTax<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) percent: Rate,
    pub(crate) amount: Money,
}

/// A billed charge of *before*, or its part, taken back.
struct Credit<'c, 'a> {
    /// The phase of *before*, and which of its lines.
    phase: usize,
    index: usize,
    features: &'a PhaseFeatures,
    line: &'c Line<'a>,
    quantity: Quantity,
    segment: Segment,
    /// Its days from D on.
    days: Range,
    amount: Money,
}

/// What one invoice is made of.
struct Bill<'c, 'a> {
    day: NaiveDate,
    credits: Vec<Credit<'c, 'a>>,
    phases: Vec<DuePhase<'c, 'a>>,
    /// The customer's credit when the invoice is made.
    available: Money,
    terms: TaxTerms<'a>,
    rounder: Rounder,
}

/// The charges of one phase of *after* that are due.
struct DuePhase<'c, 'a> {
    phase: &'c Phase<'a>,
    posted: Vec<Posted<'c, 'a>>,
    /// Whether all of its features apply, or only percentages and taxes (R8.2).
    in_full: bool,
}

impl<'a> Bill<'_, 'a> {
    /// Adds it all up (R7.6, R8.4, R8.5).
    fn invoice(self) -> Result<Invoice<'a>, OutOfRange> {
        let (rounder, terms, available) = (self.rounder, self.terms, self.available);
        let zero = rounder.zero();
        let mut totals = Totals::new(zero);
        let mut line_items = Vec::new();
        for credit in self.credits {
            let mut item = credit_item(&credit, zero);
            totals.add(&mut item, terms.of_line(credit.line.pricing, credit.features), rounder)?;
            line_items.push(item);
        }
        for due in self.phases {
            let features = due.phase.features;
            let bill = phase_bill(features, due.posted, due.in_full, rounder)?;
            for posted in bill.posted {
                let taxes = terms.of_line(posted.line.pricing, features);
                let mut item = charge_item(posted, features, zero)?;
                totals.add(&mut item, taxes, rounder)?;
                line_items.push(item);
            }
            let commitments = bill.commitments.into_iter().map(|amount| (Kind::Commitment, None, amount));
            let fees = bill.fees.into_iter().map(|(name, amount)| (Kind::ServiceFee, name, amount));
            for (kind, name, amount) in commitments.chain(fees) {
                let mut item = phase_item(kind, name, amount, features);
                totals.add(&mut item, terms.of_phase(features), rounder)?;
                line_items.push(item);
            }
        }

        let total = totals.subtotal.minus(totals.discount_total)?.plus(totals.exclusive)?;
        let credit_applied = if total.is_positive() { available.min(total) } else { zero };
        Ok(Invoice {
            invoice_date: self.day,
            currency: rounder.currency.code,
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
        number: pricing.number,
        own_description: line.description,
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

fn credit_item<'a>(credit: &Credit<'_, 'a>, zero: Money) -> LineItem<'a> {
    let pricing = credit.line.pricing;
    LineItem {
        number: pricing.number,
        own_description: None,
        kind: Kind::Credit,
        line_item_id: credit.line.line_item_id,
        pricing_id: Some(&pricing.id),
        product_id: Some(&pricing.product_id),
        name: pricing.product_name.as_deref(),
        description: pricing.product_description.as_deref(),
        phase: credit.features.name.as_deref(),
        pricing_type: Some(pricing.pricing_type),
        quantity: Some(credit.quantity),
        free_units: Some(pricing.free_units),
        is_estimate: false,
        period: Some(credit.days.into()),
        proration: proration(credit.line, &credit.segment, credit.days),
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
        number: features.number,
        own_description: None,
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

//! Taxes of a line item, and the sums of an invoice as its items come in (R8.1, R8.3, R8.4).

use super::{InvoiceTax, LineItem, LineTax};
use crate::catalog::{BusinessEntity, Customer, PhaseFeatures, Pricing, Tax};
use crate::money::{Money, OutOfRange, Rate, Rounder};

/// Whose taxes apply where a line has none of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct TaxTerms<'a> {
    pub(super) customer: Option<&'a Customer>,
    pub(super) business_entity: Option<&'a BusinessEntity>,
}

impl<'a> TaxTerms<'a> {
    /// The taxes of a line: the first list there is of the line's, its phase's, the customer's, the entity's (R8.1).
    pub(super) fn of_line(self, pricing: &'a Pricing, features: &'a PhaseFeatures) -> &'a [Tax] {
        match &pricing.taxes {
            Some(taxes) if !self.is_exempt() => taxes,
            Some(_) | None => self.of_phase(features),
        }
    }

    /// The taxes of a commitment or a fee: the phase's list, or the one it inherits.
    pub(super) fn of_phase(self, features: &'a PhaseFeatures) -> &'a [Tax] {
        if self.is_exempt() {
            return &[];
        }
        let of_customer = || self.customer.and_then(|customer| customer.taxes.as_deref());
        let of_entity = || self.business_entity.and_then(|entity| entity.taxes.as_deref());
        features.taxes.as_deref().or_else(of_customer).or_else(of_entity).unwrap_or_default()
    }

    fn is_exempt(self) -> bool {
        self.customer.is_some_and(|customer| customer.tax_exempt)
    }
}

/// The sums of an invoice as its items come in.
pub(super) struct Totals<'a> {
    pub(super) subtotal: Money,
    pub(super) discount_total: Money,
    pub(super) tax_total: Money,
    /// The part of the taxes that comes on top.
    pub(super) exclusive: Money,
    pub(super) taxes: Vec<InvoiceTax<'a>>,
}

impl<'a> Totals<'a> {
    pub(super) fn new(zero: Money) -> Totals<'a> {
        Totals { subtotal: zero, discount_total: zero, tax_total: zero, exclusive: zero, taxes: Vec::new() }
    }

    /// Taxes an item and adds it up (R8.3, R8.4).
    pub(super) fn add(
        &mut self,
        item: &mut LineItem<'a>,
        taxes: &'a [Tax],
        rounder: Rounder,
    ) -> Result<(), OutOfRange> {
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

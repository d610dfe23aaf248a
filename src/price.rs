//! What a quantity costs: the nine pricing models (section 4).
//!
//! Input: a [`PricingModel`], a billable quantity and a line's dimension values. Output: [`Price`], exact and not yet
//! rounded. Neighbours: `charge` takes a share of it and rounds.
//!
//! A tier holds `lower < q ≤ up_to`, fractions included; the first also holds 0, so that its `flat_amount` is due when
//! nothing is used (R4.1).

use crate::catalog::{MatrixPrice, PricingModel, Tier, matrix_key};
use crate::money::{Exact, OutOfRange, Quantity, Rate};
use serde::Serialize;
use std::collections::BTreeMap;

/// The exact price of a quantity, with the tiers it was made of.
#[derive(Debug)]
pub(crate) struct Price {
    pub(crate) amount: Exact,
    /// The tiers entered, for models that have tiers (R4.2).
    pub(crate) rows: Option<Vec<TierRow>>,
}

/// One tier entered by a quantity (R4.2).
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TierRow {
    pub(crate) from: Quantity,
    /// `None` in the last tier.
    pub(crate) to: Option<Quantity>,
    pub(crate) quantity: Quantity,
    pub(crate) unit_amount: Rate,
    pub(crate) flat_amount: Rate,
    /// Exact, not rounded.
    pub(crate) amount: Exact,
}

/// Prices a quantity exactly; `None` if a matrix has no price for the line's values.
pub(crate) fn price(
    model: &PricingModel,
    quantity: Quantity,
    dimensions: &[&str],
) -> Result<Option<Price>, OutOfRange> {
    let plain = |amount: Exact| Some(Price { amount, rows: None });
    Ok(match model {
        PricingModel::FlatFee { unit_amount } => plain(unit_amount.exact()?),
        PricingModel::PerUnit { unit_amount } => plain(unit_amount.times(quantity.into())?),
        PricingModel::Percent { percent } => plain(percent.percent_of(quantity)?),
        PricingModel::Package { unit_amount, package_size } => {
            plain(unit_amount.times(quantity.packages(*package_size))?)
        }
        PricingModel::Tiered { tiers } => Some(graduated(tiers, quantity, |_, tier| tier.unit_amount)?),
        PricingModel::Volume { tiers } | PricingModel::Step { tiers } => {
            let is_step = matches!(model, PricingModel::Step { .. });
            single(tiers, quantity, is_step)?
        }
        PricingModel::Matrix { prices, by_values, default_unit_amount } => {
            match matrix_price(prices, by_values, dimensions) {
                Some(MatrixPrice::Unit(unit_amount)) => plain(unit_amount.times(quantity.into())?),
                Some(MatrixPrice::Tiers(tiers)) => single(tiers, quantity, false)?,
                None => match default_unit_amount {
                    Some(unit_amount) => plain(unit_amount.times(quantity.into())?),
                    None => None,
                },
            }
        }
        PricingModel::TwoDimensionalTiered { tiers, bands, unit_amounts } => match band(bands, dimensions) {
            Some(band) => {
                let unit_amount = |index: usize, _: &Tier| {
                    unit_amounts.get(index).and_then(|row| row.get(band)).copied().unwrap_or(Rate::ZERO)
                };
                Some(graduated(tiers, quantity, unit_amount)?)
            }
            None => None,
        },
    })
}

/// Whether a model has a price for dimension values, whatever the quantity.
pub(crate) fn has_price(model: &PricingModel, dimensions: &[&str]) -> bool {
    match model {
        PricingModel::Matrix { prices, by_values, default_unit_amount } => {
            default_unit_amount.is_some() || matrix_price(prices, by_values, dimensions).is_some()
        }
        PricingModel::TwoDimensionalTiered { bands, .. } => band(bands, dimensions).is_some(),
        PricingModel::FlatFee { .. }
        | PricingModel::PerUnit { .. }
        | PricingModel::Percent { .. }
        | PricingModel::Package { .. }
        | PricingModel::Tiered { .. }
        | PricingModel::Volume { .. }
        | PricingModel::Step { .. } => true,
    }
}

fn matrix_price<'a>(
    prices: &'a [MatrixPrice],
    by_values: &BTreeMap<String, usize>,
    dimensions: &[&str],
) -> Option<&'a MatrixPrice> {
    prices.get(*by_values.get(&matrix_key(dimensions.iter().copied()))?)
}

/// The band that holds the line's single dimension value.
fn band(bands: &[Tier], dimensions: &[&str]) -> Option<usize> {
    match dimensions {
        [value] => Quantity::read_text(value).map(|value| tier_of(bands, value)),
        [] | [_, _, ..] => None,
    }
}

/// Which tier holds a quantity; the last one is open, so there always is one.
fn tier_of(tiers: &[Tier], quantity: Quantity) -> usize {
    tiers.partition_point(|tier| tier.up_to.is_some_and(|up_to| up_to < quantity))
}

/// Where a tier begins: where the one before it ends.
fn lower_end(tiers: &[Tier], index: usize) -> Quantity {
    index.checked_sub(1).and_then(|before| tiers.get(before)).and_then(|tier| tier.up_to).unwrap_or(Quantity::ZERO)
}

/// All of the quantity at the tier that holds it: `volume`, `step` and matrices with tiers.
fn single(tiers: &[Tier], quantity: Quantity, is_step: bool) -> Result<Option<Price>, OutOfRange> {
    let index = tier_of(tiers, quantity);
    let Some(tier) = tiers.get(index) else { return Ok(None) };
    let units = if is_step { Exact::ZERO } else { units_amount(tier, tier.unit_amount, quantity)? };
    let amount = tier.flat_amount.exact()?.plus(units)?;
    let row = TierRow {
        from: lower_end(tiers, index),
        to: tier.up_to,
        quantity,
        unit_amount: tier.unit_amount,
        flat_amount: tier.flat_amount,
        amount,
    };
    Ok(Some(Price { amount, rows: Some(vec![row]) }))
}

/// Each part of the quantity at the tier it falls into: `tiered` and `two_dimensional_tiered`.
fn graduated(
    tiers: &[Tier],
    quantity: Quantity,
    unit_amount: impl Fn(usize, &Tier) -> Rate,
) -> Result<Price, OutOfRange> {
    let mut rows = Vec::new();
    let mut total = Exact::ZERO;
    let mut from = Quantity::ZERO;
    for (index, tier) in tiers.iter().enumerate().take(tier_of(tiers, quantity).saturating_add(1)) {
        let units = tier.up_to.map_or(quantity, |up_to| up_to.min(quantity)).less(from);
        let unit_amount = unit_amount(index, tier);
        let amount = tier.flat_amount.exact()?.plus(units_amount(tier, unit_amount, units)?)?;
        total = total.plus(amount)?;
        rows.push(TierRow {
            from,
            to: tier.up_to,
            quantity: units,
            unit_amount,
            flat_amount: tier.flat_amount,
            amount,
        });
        from = tier.up_to.unwrap_or(from);
    }
    Ok(Price { amount: total, rows: Some(rows) })
}

fn units_amount(tier: &Tier, unit_amount: Rate, units: Quantity) -> Result<Exact, OutOfRange> {
    let units = tier.package_size.map_or(units.into(), |size| units.packages(size));
    unit_amount.times(units)
}

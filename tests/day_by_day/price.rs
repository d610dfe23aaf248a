//! Section 4: what a quantity costs. A pricing's JSON and a billable quantity in, the exact amount out.

use super::contract::{list, read_texts};
use super::exact::{self, Exact, whole};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The exact price of the billable quantity.
pub fn price(pricing_data: &Value, quantity: Exact, dimensions: &[String]) -> Exact {
    if let Some(rows) = rows(pricing_data, quantity, dimensions) {
        return rows.iter().map(Row::amount).sum();
    }
    let number = |field: &str| exact::read(&pricing_data[field]).unwrap();
    match pricing_data["pricing_type"].as_str() {
        Some("flat_fee") => number("unit_amount"),
        Some("per_unit") => quantity * number("unit_amount"),
        Some("percent") => quantity * number("percent") / whole(100),
        Some("package") => (quantity / number("package_size")).ceil() * number("unit_amount"),
        Some("matrix") => match matrix_price(pricing_data, dimensions) {
            Some(price) => quantity * exact::read(&price["unit_amount"]).unwrap(),
            None => quantity * number("default_unit_amount"),
        },
        other => panic!("{other:?} does not come up"),
    }
}

/// The rows of the tiers entered, for the models that list them (R4.2).
pub fn tiers(pricing_data: &Value, quantity: Exact, dimensions: &[String]) -> Option<Vec<Value>> {
    rows(pricing_data, quantity, dimensions).map(|rows| rows.iter().map(Row::json).collect())
}

/// A tier with what was bought in it.
struct Row<'t> {
    tier: Cow<'t, Value>,
    from: Exact,
    quantity: Exact,
}

impl Row<'_> {
    fn number(&self, field: &str) -> Exact {
        exact::read(&self.tier[field]).unwrap_or(whole(0))
    }

    /// flat_amount + units × unit_amount, or whole packages of units.
    fn amount(&self) -> Exact {
        let units = match exact::read(&self.tier["package_size"]) {
            Some(size) => (self.quantity / size).ceil(),
            None => self.quantity,
        };
        self.number("flat_amount") + units * self.number("unit_amount")
    }

    fn json(&self) -> Value {
        json!({
            "from": exact::write(self.from), "to": exact::read(&self.tier["up_to"]).map(exact::write),
            "quantity": exact::write(self.quantity), "unit_amount": exact::write(self.number("unit_amount")),
            "flat_amount": exact::write(self.number("flat_amount")), "amount": exact::write(self.amount()),
        })
    }
}

fn rows<'t>(pricing_data: &'t Value, quantity: Exact, dimensions: &[String]) -> Option<Vec<Row<'t>>> {
    let tiers = list(pricing_data, "tiers");
    match pricing_data["pricing_type"].as_str() {
        Some("tiered" | "tiered_with_flat_fee" | "custom_tiered") => Some(graduated(tiers, quantity)),
        Some("volume" | "volume_with_flat_fee" | "step") => Some(vec![of_all(tiers, quantity)]),
        Some("matrix") => {
            let price = matrix_price(pricing_data, dimensions).filter(|price| price["tiers"].is_array());
            price.map(|price| vec![of_all(list(price, "tiers"), quantity)])
        }
        Some("two_dimensional_tiered") => {
            let mut rows = graduated(tiers, quantity);
            let band = band(pricing_data, dimensions);
            for (row, unit_amounts) in rows.iter_mut().zip(list(pricing_data, "unit_amounts")) {
                row.tier.to_mut()["unit_amount"] = unit_amounts[band].clone();
            }
            Some(rows)
        }
        _ => None,
    }
}

/// The part of the quantity in every tier entered; the first tier also holds 0 (R4.1).
fn graduated(tiers: &[Value], quantity: Exact) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut from = whole(0);
    for tier in tiers {
        if quantity <= from && !rows.is_empty() {
            break;
        }
        let up_to = exact::read(&tier["up_to"]).unwrap_or(quantity);
        rows.push(Row { tier: Cow::Borrowed(tier), from, quantity: quantity.min(up_to) - from });
        from = up_to;
    }
    rows
}

/// All of the quantity in the tier that holds it.
fn of_all(tiers: &[Value], quantity: Exact) -> Row<'_> {
    let at = holding(tiers, quantity);
    let from = at.checked_sub(1).map_or(whole(0), |below| exact::read(&tiers[below]["up_to"]).unwrap());
    Row { tier: Cow::Borrowed(&tiers[at]), from, quantity }
}

/// Which tier holds a number: `lower < number ≤ up_to` (R4.1).
fn holding(tiers: &[Value], number: Exact) -> usize {
    tiers.iter().position(|tier| exact::read(&tier["up_to"]).is_none_or(|up_to| number <= up_to)).unwrap()
}

fn matrix_price<'p>(pricing_data: &'p Value, dimensions: &[String]) -> Option<&'p Value> {
    list(pricing_data, "prices").iter().find(|price| read_texts(&price["values"]) == dimensions)
}

/// The line's single number picks the band.
fn band(pricing_data: &Value, dimensions: &[String]) -> usize {
    holding(list(pricing_data, "bands"), exact::read(&json!(dimensions[0])).unwrap())
}

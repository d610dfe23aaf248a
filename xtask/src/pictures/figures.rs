//! Writes a story's invoices down: as a table with the arithmetic, and in words.
//!
//! Input: [`Story`]. Output: Markdown, and the sentences a screen reader reads. The arithmetic is put together here and
//! held against the engine's amounts, so that a table cannot say what does not add up.

use super::story::{Amount, Days, Story, days_of, line_of, list, text};
use anyhow::{Context, Result, bail};
use chrono::{Datelike, NaiveDate};
use serde_json::Value;
use std::fmt::Write;

/// What an invoice comes to: its heading, and what more there is to say about its total.
pub(super) fn heading(which: &str, invoice: &Value) -> Result<Vec<String>> {
    if invoice.is_null() {
        return Ok(vec![format!("no {which}")]);
    }
    let amount = |field: &str| Amount::read(text(invoice, field));
    let mut lines = vec![format!("{which} {}: total {}", text(invoice, "invoice_date"), amount("total")?)];
    let mut rest = Vec::new();
    if !amount("discount_total")?.is_zero() {
        rest.push(format!("discount {} taken off", amount("discount_total")?));
    }
    if !amount("tax_total")?.is_zero() {
        rest.push(format!("tax {}", amount("tax_total")?));
    }
    if !amount("credit_applied")?.is_zero() {
        rest.push(format!("credit applied {}, to pay {}", amount("credit_applied")?, amount("amount_due")?));
    }
    if !amount("credit_carried_forward")?.is_zero() {
        rest.push(format!("credit carried forward {}", amount("credit_carried_forward")?));
    }
    if !rest.is_empty() {
        lines.push(rest.join("; "));
    }
    Ok(lines)
}

/// What a line item is for: `14 × Seats`.
pub(super) fn label(item: &Value) -> String {
    match (text(item, "kind"), text(item, "name"), &item["quantity"]) {
        ("commitment", ..) => "commitment".to_owned(),
        (_, name, Value::String(quantity)) => format!("{quantity} × {name}"),
        (_, name, _) => name.to_owned(),
    }
}

impl Story {
    /// The story in words.
    pub(super) fn describe(&self) -> Result<String> {
        let mut words = self.note.clone();
        for (which, invoice) in [("Current invoice", &self.current), ("Next invoice", &self.next)] {
            let mut parts = Vec::new();
            for item in list(&invoice["line_items"]) {
                let day = text(invoice, "invoice_date").parse()?;
                let amount = Amount::read(text(item, "net_amount"))?;
                parts.push(format!(
                    "{} {} for {}, {amount}",
                    text(item, "kind"),
                    label(item),
                    days(days_of(item, day)?)
                ));
            }
            let head = heading(which, invoice)?.join("; ");
            let _ = write!(words, " {}.", std::iter::once(head).chain(parts).collect::<Vec<_>>().join("; "));
        }
        Ok(words)
    }

    /// The invoices as a Markdown table.
    pub(super) fn table(&self) -> Result<String> {
        let mut table = String::from("| invoice | what | days | arithmetic | amount |\n|---|---|---|---|---:|\n");
        for invoice in [&self.current, &self.next] {
            if invoice.is_null() {
                table.push_str("| | no next invoice | | | |\n");
                continue;
            }
            let written = text(invoice, "invoice_date");
            let mut first = written;
            for item in list(&invoice["line_items"]) {
                let days_of_item = days_of(item, written.parse()?)?;
                let what = format!("{}, {}", text(item, "kind").replace('_', " "), label(item));
                let amount = Amount::read(text(item, "net_amount"))?;
                let arithmetic = self.arithmetic(item, days_of_item).with_context(|| what.clone())?;
                row(&mut table, [first, &what, &days(days_of_item), &arithmetic, &amount.to_string()]);
                first = "";
            }
            let amount = |field: &str| Amount::read(text(invoice, field));
            let discount = amount("discount_total")?;
            if !discount.is_zero() {
                row(&mut table, [first, "discount of the phase", "", "", &negated(discount).to_string()]);
            }
            for tax in list(&invoice["taxes"]) {
                let (name, percent) = (text(tax, "name"), text(tax, "percent"));
                let sum = Amount::read(text(tax, "amount"))?;
                let parts = parts_of(invoice, name)?;
                row(&mut table, [first, &format!("{name} {percent} %"), "", &parts, &sum.to_string()]);
            }
            row(&mut table, [first, "**total**", "", "", &format!("**{}**", amount("total")?)]);
            let applied = amount("credit_applied")?;
            if !applied.is_zero() {
                row(&mut table, ["", "credit applied", "", "", &negated(applied).to_string()]);
                row(&mut table, ["", "to pay", "", "", &amount("amount_due")?.to_string()]);
            }
            let carried = amount("credit_carried_forward")?;
            if !carried.is_zero() {
                row(&mut table, ["", "credit carried forward", "", "", &carried.to_string()]);
            }
        }
        Ok(table)
    }

    /// How a line item's net amount comes about.
    fn arithmetic(&self, item: &Value, days: Days) -> Result<String> {
        let net = Amount::read(text(item, "net_amount"))?;
        match text(item, "kind") {
            "credit" => {
                let id = line_of(item);
                let mut charges = self.charges_before.iter();
                let charge = charges.find(|charge| charge.line == id && charge.days.contains(days.start));
                let charge = charge.context("a credit is for a charge of before")?;
                let (paid, whole) = (charge.paid()?, charge.days.count());
                agree(negated(paid).minor * i128::from(days.count()), whole.into(), net)?;
                Ok(product(negated(paid).to_string(), days.count(), whole))
            }
            "charge" => self.charge(item, net),
            _ => Ok(String::new()),
        }
    }

    fn charge(&self, item: &Value, net: Amount) -> Result<String> {
        let line = self.line(line_of(item)).context("a charge is for a line of after")?;
        let (data, quantity) = (&line["pricing_data"], text(item, "quantity"));
        let price = text(data, "unit_amount");
        let (words, (factor, quantity_scale)) = match (text(data, "pricing_type"), text(item, "free_units")) {
            ("flat_fee", _) => (price.to_owned(), (1, 1)),
            ("per_unit", "0") => (format!("{quantity} × {price}"), exact(quantity)?),
            (other, free) => bail!("no arithmetic is known for {other} with {free} free units"),
        };
        let (unit, unit_scale) = exact(price)?;
        let subtotal = Amount::read(text(item, "subtotal"))?;
        let proration = &item["proration"];
        let (part, whole) = (proration["days"].as_i64().unwrap_or(1), proration["period_days"].as_i64().unwrap_or(1));
        let one = 10_i128.pow(subtotal.digits);
        let numerator = factor * unit * one * i128::from(part);
        agree(numerator, quantity_scale * unit_scale * i128::from(whole), subtotal)?;
        let mut words = product(words, part, whole);
        let discount = Amount::read(text(item, "discount_amount"))?;
        if !discount.is_zero() {
            let _ = write!(words, " = {subtotal}; less discount {discount}");
        }
        let commitment = Amount::read(text(item, "commitment_amount"))?;
        if subtotal.less(discount).less(negated(commitment)) != net {
            bail!("{words} is not {net}");
        }
        Ok(words)
    }
}

fn row(table: &mut String, cells: [&str; 5]) {
    let _ = writeln!(table, "| {} |", cells.join(" | "));
}

fn product(words: String, part: i64, whole: i64) -> String {
    if part == whole { words } else { format!("{words} × {part}/{whole}") }
}

/// A tax of each item of an invoice, as rounded (R8.3).
fn parts_of(invoice: &Value, name: &str) -> Result<String> {
    let taxes = list(&invoice["line_items"]).iter().flat_map(|item| list(&item["taxes"]));
    let of_name = taxes.filter(|tax| text(tax, "name") == name);
    let parts: Vec<String> =
        of_name.map(|tax| Ok(Amount::read(text(tax, "amount"))?.to_string())).collect::<Result<_>>()?;
    Ok(if parts.len() > 1 { parts.join(" + ") } else { String::new() })
}

fn negated(amount: Amount) -> Amount {
    Amount { minor: -amount.minor, ..amount }
}

/// A decimal as a whole number and what it is to be divided by.
fn exact(decimal: &str) -> Result<(i128, i128)> {
    let Amount { minor, digits } = Amount::read(decimal)?;
    Ok((minor, 10_i128.pow(digits)))
}

/// Whether a fraction of minor units, rounded half away from zero (R1.6), is an amount.
fn agree(numerator: i128, denominator: i128, amount: Amount) -> Result<()> {
    let rounded = (2 * numerator.abs() + denominator) / (2 * denominator) * numerator.signum();
    if rounded != amount.minor {
        bail!("{numerator}/{denominator} is not {amount}");
    }
    Ok(())
}

/// First and last day: `2026-03-20 to 04-14`.
fn days(days: Days) -> String {
    let last: NaiveDate = days.last();
    match (last == days.start, last.year() == days.start.year()) {
        (true, _) => days.start.to_string(),
        (false, true) => format!("{} to {}", days.start, last.format("%m-%d")),
        (false, false) => format!("{} to {last}", days.start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_that_does_not_come_to_the_amount_is_refused() -> Result<()> {
        let credit = Amount::read("-100.65")?;
        assert!(agree(-12000 * 26, 31, credit).is_ok());
        assert!(agree(-12000 * 25, 31, credit).is_err());
        // Halves go away from zero.
        assert!(agree(-5, 10, Amount::read("-0.01")?).is_ok());
        Ok(())
    }

    #[test]
    fn amounts_are_written_with_all_their_digits() -> Result<()> {
        assert_eq!(Amount::read("-0.05")?.to_string(), "−0.05");
        assert_eq!(Amount::read("500")?.to_string(), "500");
        assert_eq!(Amount::read("1.250")?.to_string(), "1.250");
        Ok(())
    }
}

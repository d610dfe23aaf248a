//! Section 8 and R7.6: what is due in, an invoice as JSON out.

use super::calendar::{self, Day};
use super::charge::{Charge, against, billable, length};
use super::contract::{Line, Phase, list};
use super::due::{Credit, Due};
use super::exact::{self, Exact, Money, whole};
use super::price::tiers;
use serde_json::{Value, json};

/// Who buys, and from whom.
pub struct Parties<'c> {
    /// The customer of the contract; null for a guest.
    pub customer: &'c Value,
    pub business_entity: &'c Value,
}

/// What a phase takes off charges of one invoice and adds to them (R8.2).
pub struct Features {
    /// Of every charge, its part of the phase's discounts.
    pub discounts: Vec<Exact>,
    /// Of every charge, its part of what the maximum spend takes off.
    pub maximum_spend: Vec<Exact>,
    /// Kind, name and amount of the line items of their own.
    added: Vec<(&'static str, Value, Exact)>,
}

/// R8.2; of some phases on some invoices only percent discounts.
pub fn phase_features(phase: &Phase, charges: &[Charge], only_percent: bool, money: Money) -> Features {
    let net: Vec<Exact> = charges.iter().map(|charge| charge.net).collect();
    let left = discounted(phase, &net, only_percent, money);
    let mut features = Features {
        discounts: net.iter().zip(&left).map(|(net, left)| net - left).collect(),
        maximum_spend: vec![whole(0); charges.len()],
        added: vec![],
    };
    if only_percent {
        return features;
    }
    let mut sum: Exact = left.iter().sum();
    for commitment in list(phase.json, "commitments") {
        let amount = money.round(exact::read(&commitment["amount"]).unwrap());
        let difference = against(commitment, sum, amount) - sum;
        if difference < whole(0) {
            take_off_maximum(&mut features.maximum_spend, &left, -difference, money);
        }
        if difference != whole(0) {
            features.added.push(("commitment", Value::Null, difference));
        }
        sum += difference;
    }
    for fee in list(phase.json, "service_fees") {
        let value = exact::read(&fee["value"]).unwrap();
        let is_percent = fee["type"] == "percent";
        let amount = money.round(if is_percent { sum * value / whole(100) } else { value });
        if amount != whole(0) {
            features.added.push(("service_fee", fee["name"].clone(), amount));
        }
    }
    features
}

/// What the phase's discounts leave of every charge.
fn discounted(phase: &Phase, net: &[Exact], only_percent: bool, money: Money) -> Vec<Exact> {
    let mut left = net.to_vec();
    for discount in list(phase.json, "discounts") {
        let value = exact::read(&discount["value"]).unwrap();
        let off = match discount["type"].as_str() {
            Some("percent") => left.iter().map(|left| money.round(left * value / whole(100))).collect(),
            _ if only_percent => continue,
            _ => money.share_out(money.round(value).min(left.iter().sum()), &left),
        };
        left = left.iter().zip(off).map(|(left, off)| left - off).collect();
    }
    left
}

/// What a maximum spend takes off is shared as a fixed discount is (R7.3b).
fn take_off_maximum(taken: &mut [Exact], left: &[Exact], amount: Exact, money: Money) {
    let still: Vec<Exact> = left.iter().zip(taken.iter()).map(|(left, taken)| left - taken).collect();
    let amount = amount.min(still.iter().sum());
    for (taken, more) in taken.iter_mut().zip(money.share_out(amount, &still)) {
        *taken += more;
    }
}

/// A line item before it is written.
struct Item<'c> {
    kind: &'static str,
    phase: &'c Phase<'c>,
    /// The charge it is, or takes back.
    charge: Option<Charge<'c>>,
    /// The name of a fee.
    name: Value,
    net: Exact,
    phase_discount: Exact,
    taxes: Vec<(&'c Value, Exact)>,
}

/// The invoice of a day, and what credit is left after it (R8.5).
pub fn invoice<'c>(
    day: Day,
    due: Due<'c>,
    only_percent: bool,
    parties: &Parties<'c>,
    available: Exact,
    (currency, money): (&str, Money),
) -> (Value, Exact) {
    let mut items = line_items(due, only_percent, money);
    for item in &mut items {
        let list = tax_list(item.charge.as_ref().map(|charge| charge.line), item.phase, parties);
        item.taxes = taxes(list, item.net - item.phase_discount, money);
    }
    let subtotal: Exact = items.iter().map(|item| item.net).sum();
    let discount_total: Exact = items.iter().map(|item| item.phase_discount).sum();
    let all_taxes = || items.iter().flat_map(|item| &item.taxes);
    let tax_total: Exact = all_taxes().map(|(_, amount)| amount).sum();
    let exclusive: Exact = all_taxes().filter(|(tax, _)| tax["is_inclusive"] != true).map(|(_, amount)| amount).sum();
    // R8.4, R8.5
    let total = subtotal - discount_total + exclusive;
    let credit_applied = if total > whole(0) { available.min(total) } else { whole(0) };
    let amount_due = (total - credit_applied).max(whole(0));
    let carried_forward = available - credit_applied + (-total).max(whole(0));
    let write = |amount| money.write(amount);
    let invoice = json!({
        "invoice_date": calendar::write(day), "currency": currency,
        "line_items": items.iter().map(|item| item.write(money)).collect::<Vec<_>>(),
        "taxes": added_up(all_taxes(), money), "subtotal": write(subtotal), "discount_total": write(discount_total),
        "tax_total": write(tax_total), "total": write(total), "credit_applied": write(credit_applied),
        "amount_due": write(amount_due), "credit_carried_forward": write(carried_forward),
    });
    (invoice, carried_forward)
}

/// R7.6: credits first; then by phase, by line, by segment; a phase's commitments and fees after its charges.
fn line_items<'c>(due: Due<'c>, only_percent: bool, money: Money) -> Vec<Item<'c>> {
    let credited: Vec<usize> = due.credits.iter().map(|credit| credit.charge.phase.place).collect();
    let mut items: Vec<Item> = due.credits.into_iter().map(credit_item).collect();
    let mut charges = due.charges;
    while let Some(first) = charges.first() {
        let phase = first.phase;
        let is_of = |charge: &Charge| charge.phase.is_new == phase.is_new && charge.phase.place == phase.place;
        let (of_phase, others): (Vec<Charge>, Vec<Charge>) = charges.into_iter().partition(is_of);
        charges = others;
        // R8.2
        let only_percent = !phase.is_new && (only_percent || credited.contains(&phase.place));
        let features = phase_features(phase, &of_phase, only_percent, money);
        let discounts = features.discounts.into_iter();
        items.extend(of_phase.into_iter().zip(discounts).map(|(charge, off)| charge_item(charge, off)));
        for (kind, name, net) in features.added {
            items.push(Item { kind, phase, charge: None, name, net, phase_discount: whole(0), taxes: vec![] });
        }
    }
    items
}

fn charge_item<'c>(charge: Charge<'c>, phase_discount: Exact) -> Item<'c> {
    let (phase, net, name) = (charge.phase, charge.net, charge.line.json["product"]["name"].clone());
    Item { kind: "charge", phase, net, name, charge: Some(charge), phase_discount, taxes: vec![] }
}

/// A credit's subtotal is its net amount, and it has no tiers (section 9).
fn credit_item<'c>(credit: Credit<'c>) -> Item<'c> {
    let charge =
        Charge { subtotal: credit.net, discount: whole(0), commitment: whole(0), net: credit.net, ..credit.charge };
    Item { kind: "credit", ..charge_item(charge, whole(0)) }
}

impl Item<'_> {
    fn write(&self, money: Money) -> Value {
        let mut item = match &self.charge {
            Some(charge) => write_charge(self.kind, charge, money),
            None => json!({
                "pricing_id": null, "product_id": null, "description": null, "pricing_type": null, "quantity": null,
                "free_units": null, "is_estimate": false, "period": null, "proration": null,
                "subtotal": money.write(self.net), "discount_amount": money.write(whole(0)),
                "commitment_amount": money.write(whole(0)),
            }),
        };
        item["kind"] = self.kind.into();
        item["name"] = self.name.clone();
        item["phase"] = self.phase.json["name"].clone();
        item["net_amount"] = money.write(self.net).into();
        item["phase_discount_amount"] = money.write(self.phase_discount).into();
        item["tax_amount"] = money.write(self.taxes.iter().map(|(_, amount)| amount).sum()).into();
        item["taxes"] = self
            .taxes
            .iter()
            .map(|(tax, amount)| json!({"name": tax["name"], "amount": money.write(*amount)}))
            .collect();
        item
    }
}

fn write_charge(kind: &str, charge: &Charge, money: Money) -> Value {
    let line = charge.line;
    let free_units = exact::read(&line.json["free_units"]).unwrap_or(whole(0));
    let period = charge.segment.period.as_ref().filter(|_| line.is_prorated);
    let mut item = json!({
        "pricing_id": line.json["id"], "product_id": line.json["product"]["id"], "description": line.description,
        "pricing_type": line.json["pricing_data"]["pricing_type"], "quantity": exact::write(charge.segment.quantity),
        "free_units": exact::write(free_units), "is_estimate": line.is_metered,
        "period": {
            "start_date": calendar::write(charge.segment.days.start), "end_date": calendar::write_end(charge.segment.days.end),
        },
        "proration": period.map(|period| json!({"days": length(&charge.segment.days), "period_days": length(period)})),
        "subtotal": money.write(charge.subtotal), "discount_amount": money.write(charge.discount),
        "commitment_amount": money.write(charge.commitment),
    });
    let tiers = tiers(&line.json["pricing_data"], billable(line, charge.segment.quantity), charge.segment.dimensions);
    if let Some(tiers) = tiers.filter(|_| kind == "charge") {
        item["tiers"] = tiers.into();
    }
    if !line.json["line_item_id"].is_null() {
        item["line_item_id"] = line.json["line_item_id"].clone();
    }
    item
}

// ---- Taxes -----------------------------------------------------------------------------------------------------

/// R8.1: the first list present.
fn tax_list<'c>(line: Option<&Line<'c>>, phase: &Phase<'c>, parties: &Parties<'c>) -> &'c [Value] {
    if parties.customer["tax_exempt"] == true {
        return &[];
    }
    let lists = [
        line.and_then(|line| line.json["taxes"].as_array()),
        phase.json["taxes"].as_array(),
        parties.customer["taxes"].as_array(),
        parties.business_entity["taxes"].as_array(),
    ];
    lists.into_iter().flatten().next().map_or(&[], Vec::as_slice)
}

/// R8.3
fn taxes(list: &[Value], taxable: Exact, money: Money) -> Vec<(&Value, Exact)> {
    let percents: Vec<Exact> = list.iter().map(|tax| exact::read(&tax["percent"]).unwrap()).collect();
    if list.first().is_some_and(|tax| tax["is_inclusive"] == true) {
        return list.iter().zip(inclusive(&percents, taxable, money)).collect();
    }
    let mut before = whole(0);
    let mut taxes = Vec::new();
    for (tax, percent) in list.iter().zip(percents) {
        let base = if tax["is_compound"] == true { taxable + before } else { taxable };
        let amount = money.round(base * percent / whole(100));
        before += amount;
        taxes.push((tax, amount));
    }
    taxes
}

/// The tax that is inside an amount, shared among the rates; a negative one as the mirror image of its positive.
fn inclusive(percents: &[Exact], taxable: Exact, money: Money) -> Vec<Exact> {
    if taxable < whole(0) {
        return inclusive(percents, -taxable, money).into_iter().map(|amount| -amount).collect();
    }
    let together: Exact = percents.iter().sum();
    let tax = taxable - money.round(taxable / (whole(1) + together / whole(100)));
    money.share_out(tax, percents)
}

/// By name and percent, in the order of first use (R8.4).
fn added_up<'t>(taxes: impl Iterator<Item = &'t (&'t Value, Exact)>, money: Money) -> Vec<Value> {
    let mut sums: Vec<(Value, String, Exact)> = Vec::new();
    for (tax, amount) in taxes {
        let percent = exact::write(exact::read(&tax["percent"]).unwrap());
        match sums.iter_mut().find(|(name, rate, _)| *name == tax["name"] && *rate == percent) {
            Some((_, _, sum)) => *sum += amount,
            None => sums.push((tax["name"].clone(), percent, *amount)),
        }
    }
    let write = |(name, percent, sum)| json!({"name": name, "percent": percent, "amount": money.write(sum)});
    sums.into_iter().map(write).collect()
}

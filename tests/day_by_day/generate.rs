//! Generated checkouts with what `support/generated.rs` leaves out: a case in, a rarer one out.

use super::super::generated::{self, Case, after, date};
use chrono::Months;
use fastrand::Rng;
use serde_json::{Value, json};

/// The case of a seed. Every other is as the laws have it.
pub fn case(seed: u64) -> Case {
    let mut case = generated::case(seed);
    let mut dice = Rng::with_seed(seed);
    if dice.bool() {
        return case;
    }
    let rarities = [
        own_plan,
        four_digits,
        no_entity,
        products,
        default_prices,
        numbers,
        several_of_one_line,
        by_product,
        falls_wait,
        days_of_phases,
        off_for_a_while,
        entry_taken_back,
        fall_taken_back,
    ];
    for rarity in rarities {
        if dice.u8(..3) == 0 {
            rarity(&mut case, &mut dice);
        }
    }
    case
}

/// A plan change to the plan that the contract already has (R2.3).
fn own_plan(case: &mut Case, _: &mut Rng) {
    for contract in items(&mut case.catalog, "contracts") {
        contract["plan_id"] = "team".into();
    }
}

fn four_digits(case: &mut Case, _: &mut Rng) {
    for list in ["plans", "contracts"] {
        for item in items(&mut case.catalog, list) {
            item["currency"] = "CLF".into();
        }
    }
}

/// Where there is no business entity, rounding is half up and no entity's taxes apply (R2.2).
fn no_entity(case: &mut Case, _: &mut Rng) {
    for list in ["customers", "contracts"] {
        for item in items(&mut case.catalog, list) {
            item["business_entity_id"] = Value::Null;
        }
    }
}

/// Falls that wait (R7.7), perhaps for a day on which the contract has an entry already.
fn falls_wait(case: &mut Case, dice: &mut Rng) {
    for_all_lines(case, |line| {
        if line["quantity"]["type"] == "fixed" {
            line["quantity"]["allow_mid_cycle_cancellation"] = false.into();
        }
    });
    for contract in items(&mut case.catalog, "contracts") {
        let anchor = date(&contract["anchor_date"]).unwrap();
        for line in items(contract, "phases").flat_map(|phase| items(phase, "lines")) {
            let mut months = dice.u32(..10);
            for entry in items(line, "quantity_entries") {
                months += dice.u32(1..4);
                entry["effective_from"] = (anchor + Months::new(months)).to_string().into();
            }
        }
    }
}

/// Lines that were off for some days, perhaps inside one billing period, with a discount for their first periods (R6.2).
fn off_for_a_while(case: &mut Case, dice: &mut Rng) {
    for phase in items(&mut case.catalog, "contracts").flat_map(|contract| items(contract, "phases")) {
        let start = date(&phase["start_date"]).unwrap();
        for line in items(phase, "lines") {
            let off = after(start, dice.i64(1..40));
            let on = after(off, dice.i64(1..20));
            line["enabled_entries"] = json!([
                {"effective_from": off.to_string(), "value": false}, {"effective_from": on.to_string(), "value": true},
            ]);
            line["discounts"] = json!([{"type": "percent", "value": "50", "cycles": dice.u32(1..6)}]);
        }
    }
}

/// An update that takes back what a line was to become on a later day, so that it just goes on (R7.2).
fn entry_taken_back(case: &mut Case, dice: &mut Rng) {
    let start = date(&case.request["start_date"]).unwrap_or(case.as_of);
    let Some(line) = line_to_update(case, dice) else { return };
    let day = after(start, dice.i64(0..60)).to_string();
    line["quantity_entries"] = json!([{"effective_from": day, "value": dice.u32(..60).to_string()}]);
    let quantity = line["quantity"]["value"].clone();
    let change = json!({"line_item_id": line["line_item_id"], "quantity": quantity, "effective_from": day});
    case.request["product_overrides"] = json!([change]);
}

/// A fall that waits for the day of an entry, and a change that cancels it before that day (R7.7).
fn fall_taken_back(case: &mut Case, dice: &mut Rng) {
    let start = date(&case.request["start_date"]).unwrap_or(case.as_of);
    let anchor = date(&case.catalog["contracts"][0]["anchor_date"]);
    let Some(line) = line_to_update(case, dice) else { return };
    let renewal = (0..).map(|months| anchor.unwrap() + Months::new(months)).find(|day| *day > start).unwrap();
    line["quantity"]["allow_mid_cycle_cancellation"] = false.into();
    line["quantity_entries"] = json!([{"effective_from": renewal.to_string(), "value": "7"}]);
    let id = line["line_item_id"].clone();
    let day = after(start, dice.i64(1..20)).to_string();
    case.request["product_overrides"] = json!([
        {"line_item_id": id, "quantity": "0"},
        {"line_item_id": id, "quantity": dice.u32(..60).to_string(), "effective_from": day},
    ]);
}

/// A line of the contract of a quantity update, charged again and again by its quantity.
fn line_to_update<'c>(case: &'c mut Case, dice: &mut Rng) -> Option<&'c mut Value> {
    let is_update = case.request["plan_id"].is_null();
    let contracts = items(&mut case.catalog, "contracts").filter(|_| is_update);
    let lines = contracts.flat_map(|contract| items(contract, "phases")).flat_map(|phase| items(phase, "lines"));
    let has_quantity = |line: &&mut Value| {
        let is_fixed = line["quantity"]["type"] == "fixed" && line["pricing_data"]["pricing_type"] != "flat_fee";
        is_fixed && !line["billing_period"].is_null()
    };
    dice.choice(lines.filter(has_quantity).collect::<Vec<_>>())
}

/// Phases with a day of their own for the contract's anchor.
fn days_of_phases(case: &mut Case, dice: &mut Rng) {
    for contract in items(&mut case.catalog, "contracts") {
        for phase in items(contract, "phases").filter(|phase| phase["anchor_date"].is_null()) {
            phase["anchor_day"] = dice.u32(1..=31).into();
        }
    }
}

/// Products with names and descriptions, each in several lines.
fn products(case: &mut Case, dice: &mut Rng) {
    for_all_lines(case, |line| {
        let id = ["seat", "storage"][usize::from(dice.bool())];
        let description = if dice.bool() { json!("As in the brochure") } else { Value::Null };
        line["product"] = json!({"id": id, "name": format!("A {id}"), "description": description});
    });
}

/// A matrix with a price for one region and a default for the others.
fn default_prices(case: &mut Case, _: &mut Rng) {
    for_all_lines(case, |line| {
        if line["pricing_data"]["pricing_type"] == "matrix" {
            line["pricing_data"]["prices"].as_array_mut().unwrap().truncate(1);
            line["pricing_data"]["default_unit_amount"] = "3.5".into();
        }
    });
}

/// Quantities as JSON numbers (R1.3).
fn numbers(case: &mut Case, _: &mut Rng) {
    for change in items(&mut case.request, "product_overrides") {
        if let Some(whole) = change["quantity"].as_str().and_then(|quantity| quantity.parse::<u32>().ok()) {
            change["quantity"] = whole.into();
        }
    }
}

/// The first override once more on later days, with other quantities, switched off and on again.
fn several_of_one_line(case: &mut Case, dice: &mut Rng) {
    let start = date(&case.request["start_date"]).unwrap_or(case.as_of);
    let Some(Value::Array(overrides)) = case.request.get_mut("product_overrides") else { return };
    let [first] = overrides.as_slice() else { return };
    let mut change = first.clone();
    let start = date(&change["effective_from"]).unwrap_or(start);
    for at in 1..=dice.i64(1..=4) {
        if !change["quantity"].is_null() {
            change["quantity"] = dice.u32(..60).to_string().into();
        }
        if !change["is_enabled"].is_null() {
            change["is_enabled"] = dice.bool().into();
        }
        change["effective_from"] = after(start, at * dice.i64(1..40)).to_string().into();
        if overrides.iter().all(|other| other["effective_from"] != change["effective_from"]) {
            overrides.push(change.clone());
        }
    }
}

/// One override for all lines of a product.
fn by_product(case: &mut Case, dice: &mut Rng) {
    products(case, dice);
    let is_of_plan = case.request["plan_id"].is_string();
    let phases = if is_of_plan { &case.catalog["plans"][1]["phases"] } else { &case.catalog["contracts"][0]["phases"] };
    let phases = phases.as_array().unwrap().iter();
    let lines: Vec<&Value> =
        phases.flat_map(|phase| phase.get("pricings").or(phase.get("lines")).unwrap().as_array().unwrap()).collect();
    if let Some(line) = dice.choice(lines) {
        let change = json!({"product_id": line["product"]["id"], "is_enabled": dice.bool()});
        case.request["product_overrides"] = json!([change]);
    }
}

pub fn items<'v>(object: &'v mut Value, list: &str) -> impl Iterator<Item = &'v mut Value> {
    object.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

/// The pricings of plans and the lines of contracts.
fn for_all_lines(case: &mut Case, mut change: impl FnMut(&mut Value)) {
    for (list, lines) in [("plans", "pricings"), ("contracts", "lines")] {
        for item in items(&mut case.catalog, list) {
            items(item, "phases").flat_map(|phase| items(phase, lines)).for_each(&mut change);
        }
    }
}

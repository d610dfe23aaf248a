//! A whole checkout by the specification: a request and a catalog in, the contract and its estimates out, or a problem.

use super::calendar::{self, Day, Duration};
use super::change::{lay_out, new_contract, plan_change, quantity_update, read_overrides};
use super::charge::Charge;
use super::contract::{Contract, list, read_contract};
use super::due::{Credit, Due, Step, first_difference};
use super::exact::{self, Money, whole};
use super::invoice::{Parties, invoice};
use super::written;
use serde_json::{Value, json};

/// What the engine must answer: contract and estimates of a checkout, or the codes and paths of its problems (of those
/// that come up here).
pub fn answer(request: &Value, catalog: &Value, as_of: &str) -> Value {
    let as_of = calendar::read(&json!(as_of)).unwrap();
    let effective = calendar::read(&request["start_date"]).unwrap_or(as_of);
    let contract = by_id(catalog, "contracts", &request["contract_id"]);
    let plan = by_id(catalog, "plans", &request["plan_id"]);
    let parties = parties(request, catalog, contract);
    let overrides = read_overrides(request, effective);

    let before = (!contract.is_null()).then(|| read_contract(contract));
    let after = match &before {
        None => new_contract(plan, effective, end_of_new(request, plan, effective), &overrides),
        Some(before) if plan.is_null() => quantity_update(before, &overrides),
        Some(before) => plan_change(before, plan, effective, &overrides),
    };
    let currency = if plan.is_null() { &contract["currency"] } else { &plan["currency"] };
    let money = Money::new(currency.as_str().unwrap(), parties.business_entity["rounding"].as_str());
    let is_plan_change = before.is_some() && !plan.is_null();
    let step = Step::new(before.as_ref(), &after, is_plan_change, (as_of, effective), money);

    let outside = outside(request, effective, after.end);
    if !outside.is_empty() {
        return outside.into();
    }
    if before.is_some() && plan.is_null() && step.changes_nothing() {
        return json!([{"code": "nothing_changes", "path": "/product_overrides"}]);
    }
    if is_plan_change && contract["plan_id"] == plan["id"] && is_as_the_plan(&after, plan, effective) {
        return json!([{"code": "plan_unchanged", "path": "/plan_id"}]);
    }
    json!({
        "contract": match before {
            None => written::new_contract(&after, plan, parties.customer, parties.business_entity),
            Some(_) => {
                written::amended(&after, contract, if is_plan_change { &plan["id"] } else { &contract["plan_id"] })
            }
        },
        "estimates": estimates(&step, &parties, currency.as_str().unwrap()),
    })
}

fn by_id<'c>(catalog: &'c Value, list_name: &str, id: &Value) -> &'c Value {
    list(catalog, list_name).iter().find(|item| !id.is_null() && item["id"] == *id).unwrap_or(&Value::Null)
}

/// R2.2
fn parties<'c>(request: &Value, catalog: &'c Value, contract: &Value) -> Parties<'c> {
    let customer = if contract.is_null() { &request["customer_id"] } else { &contract["customer_id"] };
    let customer = by_id(catalog, "customers", customer);
    let ids = [&request["business_entity_id"], &contract["business_entity_id"], &customer["business_entity_id"]];
    let id = ids.into_iter().find(|id| !id.is_null()).unwrap_or(&Value::Null);
    Parties { customer, business_entity: by_id(catalog, "business_entities", id) }
}

/// `end_date`: null is the plan's duration, else the contract is evergreen.
fn end_of_new(request: &Value, plan: &Value, start: Day) -> Day {
    match calendar::read_duration(&plan["duration"]) {
        Some(duration) if request["end_date"].is_null() => calendar::plus(start, duration),
        _ => calendar::read_end(&request["end_date"]),
    }
}

/// R2.4: the overrides that take effect before E or outside the contract.
fn outside(request: &Value, effective: Day, end: Day) -> Vec<Value> {
    let is_outside =
        |change: &Value| calendar::read(&change["effective_from"]).is_some_and(|day| !(effective..end).contains(&day));
    let problem = |(at, _): (usize, &Value)| json!({"code": "effective_from_out_of_range", "path": format!("/product_overrides/{at}/effective_from")});
    let overrides = list(request, "product_overrides").iter().enumerate();
    overrides.filter(|(_, change)| is_outside(change)).map(problem).collect()
}

/// R2.3: whether no new line differs from what the plan alone gives.
fn is_as_the_plan(after: &Contract, plan: &Value, effective: Day) -> bool {
    let alone = lay_out(plan, effective, after.end);
    let new = after.phases.iter().filter(|phase| phase.is_new);
    let mut lines = alone.iter().zip(new).flat_map(|(alone, new)| {
        alone.lines.iter().map(move |line| (alone, line)).zip(new.lines.iter().map(move |line| (new, line)))
    });
    lines.all(|(alone, new)| first_difference(effective, alone, Some(new)).is_none())
}

/// R7.4, R7.5
fn estimates(step: &Step, parties: &Parties, currency: &str) -> Value {
    let money = step.money;
    let current_day = step.current_day();
    let available = exact::read(&parties.customer["credit_balance"]).map_or(whole(0), |balance| money.round(balance));
    let is_amendment = step.before.is_some();
    let current = step.due(current_day);
    let (current, carried) = invoice(current_day, current, is_amendment, parties, available, (currency, money));
    let next = next(step).map(|(day, due)| invoice(day, due, false, parties, carried, (currency, money)).0);
    json!({"current_invoice": current, "next_invoice": next})
}

/// What is due on the earliest day after C that has something. Most have it soon, so the walk is short at first.
fn next<'c>(step: &Step<'c>) -> Option<(Day, Due<'c>)> {
    let current_day = step.current_day();
    for months in [3, 36, 1200] {
        let mut due = step.due(calendar::plus(current_day, Duration::Months(months)));
        let charged = due.charges.iter().filter(|charge| charge.line.is_metered || charge.net != whole(0));
        let credited = due.credits.iter().filter(|credit| credit.net != whole(0));
        let days = charged.map(|charge| charge.segment.due).chain(credited.map(|credit| credit.charge.segment.due));
        if let Some(day) = days.filter(|day| *day > current_day).min() {
            due.charges.retain(|charge: &Charge| charge.segment.due == day);
            due.credits.retain(|credit: &Credit| credit.charge.segment.due == day);
            return Some((day, due));
        }
    }
    None
}

//! Section 9: the contract as it would be, in the shape of the catalog's. A contract in, JSON out.

use super::calendar::{self, Day};
use super::contract::{Contract, Line, Phase, Values};
use super::exact;
use serde_json::{Value, json};

/// A new contract: without an id until it is stored.
pub fn new_contract(contract: &Contract, plan: &Value, customer: &Value, business_entity: &Value) -> Value {
    let mut written = json!({
        "id": null, "customer_id": customer["id"], "business_entity_id": business_entity["id"],
        "plan_id": plan["id"], "currency": plan["currency"], "status": "active",
        "start_date": calendar::write(contract.start), "end_date": calendar::write_end(contract.end), "version": 0,
    });
    write_rest(&mut written, contract);
    written
}

/// An amended contract keeps what is not amended.
pub fn amended(contract: &Contract, json: &Value, plan_id: &Value) -> Value {
    let mut written = json.clone();
    written["plan_id"] = plan_id.clone();
    for (field, default) in [("status", json!("active")), ("version", json!(1))] {
        if written[field].is_null() {
            written[field] = default;
        }
    }
    write_rest(&mut written, contract);
    written
}

fn write_rest(written: &mut Value, contract: &Contract) {
    written["anchor_date"] = calendar::write(contract.anchor.day);
    written["anchor_day"] = contract.anchor.day_of_month.into();
    written["phases"] = contract.phases.iter().map(write_phase).collect();
}

fn write_phase(phase: &Phase) -> Value {
    let mut written = phase.json.clone();
    let fields = written.as_object_mut().unwrap();
    fields.remove("duration");
    fields.remove("pricings");
    if written["phase_type"].is_null() {
        written["phase_type"] = "active".into();
    }
    written["start_date"] = calendar::write(phase.start);
    written["end_date"] = calendar::write_end(phase.end);
    written["anchor_date"] = phase.anchor_date.map(calendar::write).into();
    written["anchor_day"] = phase.anchor_day.into();
    written["lines"] = phase.lines.iter().map(|line| write_line(phase, line)).collect();
    written
}

fn write_line(phase: &Phase, line: &Line) -> Value {
    let mut written = line.json.clone();
    if !line.description.is_null() {
        written["product"]["description"] = line.description.clone();
    }
    if phase.is_new {
        written["line_item_id"] = Value::Null;
        written["is_enabled"] = line.is_enabled.own.into();
        if !line.is_metered {
            written["quantity"]["type"] = "fixed".into();
            written["quantity"]["value"] = exact::write(line.quantity.own).into();
        }
        if !line.dimensions.own.is_empty() {
            written["dimension_values"] = json!(line.dimensions.own);
        }
    }
    written["quantity_entries"] = write_entries(&line.quantity, |value| exact::write(*value).into());
    written["enabled_entries"] = write_entries(&line.is_enabled, |value| json!(value));
    written["dimension_entries"] = write_entries(&line.dimensions, |value| json!(value));
    written
}

fn write_entries<T>(values: &Values<T>, write: impl Fn(&T) -> Value) -> Value {
    let entry = |(day, value): &(Day, T)| json!({"effective_from": calendar::write(*day), "value": write(value)});
    values.entries.iter().map(entry).collect()
}

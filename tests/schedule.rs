//! The invoices to come (R7.9): over every case of the corpus, and where they begin and end.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use checkout_preview::{Catalog, Json, MOST_INVOICES, billing_schedule, json, preview, read_count};
use std::path::Path;
use support::{at, clock, list, noon, parse, text};

/// Every case of the corpus.
fn cases() -> Vec<Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> =
        folder.read_dir().unwrap().flat_map(|stage| stage.unwrap().path().read_dir().unwrap()).collect();
    files.sort_by_key(|file| file.as_ref().unwrap().path());
    files.into_iter().map(|file| parse(&std::fs::read_to_string(file.unwrap().path()).unwrap())).collect()
}

/// The schedule as it goes over the wire, or the codes and paths of its problems.
fn schedule(request: &str, catalog: &str, as_of: &str, count: u8) -> Result<Json, Vec<String>> {
    let (request, catalog) = (parse(request), Catalog::load(parse(catalog)).unwrap());
    let schedule = billing_schedule(&request, &catalog, noon(as_of), Ok(count));
    let said = schedule.map(|schedule| parse(&json::to_text(&schedule)));
    said.map_err(|problems| {
        problems.as_slice().iter().map(|problem| format!("{} {}", problem.code.as_str(), problem.path)).collect()
    })
}

fn days(invoices: &[Json]) -> Vec<&str> {
    invoices.iter().map(|invoice| text(invoice, "invoice_date")).collect()
}

#[test]
fn of_every_case_the_first_is_the_next_invoice() {
    let mut compared = 0;
    for case in cases() {
        let Ok(catalog) = Catalog::load(at(&case, "catalog").clone()) else { continue };
        let (request, clock) = (at(&case, "request"), clock(text(&case, "as_of"), text(&case, "now")));
        let next = match preview(request, &catalog, clock) {
            Ok(preview) => preview.next_invoice().map(json::to_text),
            Err(problems) => {
                assert_eq!(
                    billing_schedule(request, &catalog, clock, Ok(12)).unwrap_err(),
                    problems,
                    "{}",
                    text(&case, "note")
                );
                continue;
            }
        };
        let Ok(schedule) = billing_schedule(request, &catalog, clock, Ok(12)) else { continue };
        let invoices: Vec<String> = schedule.invoices().iter().map(json::to_text).collect();
        assert_eq!(invoices.first(), next.as_ref(), "{}", text(&case, "note"));
        let few = billing_schedule(request, &catalog, clock, Ok(2)).unwrap();
        let few: Vec<String> = few.invoices().iter().map(json::to_text).collect();
        assert_eq!(few, invoices[..invoices.len().min(2)], "asking for fewer gives the first of them");
        let in_order = schedule.invoices().windows(2).all(|pair| pair[0].invoice_date() < pair[1].invoice_date());
        assert!(in_order, "{}", text(&case, "note"));
        compared += 1;
    }
    assert!(compared > 250, "only {compared} cases have a schedule");
}

const TEAM: &str = r#"{
    "customers": [{"id": "cus_1", "credit_balance": "150.00"}],
    "plans": [
        {"id": "team", "currency": "USD", "phases": [
            {"duration": "P2M", "pricings": [{"id": "seats", "product": {"id": "seat"}, "quantity": {"value": "5"},
                "billing_period": {"cadence": "P1M", "offset": "prepaid"},
                "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}}]},
            {"pricings": [{"id": "more", "product": {"id": "seat"}, "quantity": {"value": "5"},
                "billing_period": {"cadence": "P1M", "offset": "prepaid"},
                "pricing_data": {"pricing_type": "per_unit", "unit_amount": "20.00"}}]}]},
        {"id": "century", "currency": "USD", "phases": [{"pricings": [{"id": "lease", "product": {"id": "lease"},
            "billing_period": {"cadence": "P30Y", "offset": "prepaid"},
            "pricing_data": {"pricing_type": "flat_fee", "unit_amount": "1.00"}}]}]}],
    "contracts": [{"id": "con_1", "customer_id": "cus_1", "plan_id": "team", "currency": "USD",
        "start_date": "2026-01-15", "end_date": "2026-07-14", "anchor_date": "2026-01-15", "phases": [{"start_date": "2026-01-15",
        "lines": [{"id": "seats", "line_item_id": "li_1", "product": {"id": "seat"}, "quantity": {"value": "10"},
            "billing_period": {"cadence": "P1M", "offset": "prepaid"},
            "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}}]}]}]
}"#;

#[test]
fn it_goes_through_phases_and_uses_up_credit() {
    let request = r#"{"plan_id": "team", "customer_id": "cus_1"}"#;
    let schedule = schedule(request, TEAM, "2026-01-31", 4).unwrap();
    let invoices = list(&schedule, "invoices");
    // 60.00 of the balance of 150.00 is used today. The second phase begins two months after 31 January.
    assert_eq!(days(invoices), ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]);
    let due: Vec<&str> = invoices.iter().map(|invoice| text(invoice, "amount_due")).collect();
    assert_eq!(due, ["0.00", "70.00", "100.00", "100.00"]);
    assert_eq!(at(&schedule, "without_change"), &Json::Null);
}

#[test]
fn it_ends_with_the_contract() {
    let request = r#"{"contract_id": "con_1", "product_overrides": [{"line_item_id": "li_1", "quantity": "14"}]}"#;
    let schedule = schedule(request, TEAM, "2026-03-20", 12).unwrap();
    assert_eq!(days(list(&schedule, "invoices")), ["2026-04-15", "2026-05-15", "2026-06-15"]);
    assert_eq!(days(list(&schedule, "without_change")), ["2026-04-15", "2026-05-15", "2026-06-15"]);
    assert_eq!(text(list(&schedule, "without_change").first().unwrap(), "total"), "120.00");
}

#[test]
fn a_change_to_come_leaves_what_is_due_before_it_to_the_contract_as_it_is() {
    let request = r#"{"contract_id": "con_1", "start_date": "2026-05-20",
        "product_overrides": [{"line_item_id": "li_1", "quantity": "14"}]}"#;
    let schedule = schedule(request, TEAM, "2026-03-20", 12).unwrap();
    assert_eq!(days(list(&schedule, "invoices")), ["2026-06-15"]);
    assert_eq!(days(list(&schedule, "without_change")), ["2026-04-15", "2026-05-15", "2026-06-15"]);
}

#[test]
fn it_looks_no_further_than_1200_months() {
    let schedule = schedule(r#"{"plan_id": "century", "customer_id": "cus_1"}"#, TEAM, "2026-01-15", 120).unwrap();
    assert_eq!(days(list(&schedule, "invoices")), ["2056-01-15", "2086-01-15", "2116-01-15"]);
}

#[test]
fn it_lists_120_at_most() {
    let request = r#"{"plan_id": "team", "customer_id": "cus_1"}"#;
    assert_eq!(
        list(&schedule(request, TEAM, "2026-01-15", u8::MAX).unwrap(), "invoices").len(),
        usize::from(MOST_INVOICES)
    );
    for (count, read) in [
        ("1", Some(1)),
        ("120", Some(120)),
        ("12.0", Some(12)),
        ("0", None),
        ("121", None),
        ("1.5", None),
        ("\"12\"", None),
    ] {
        assert_eq!(read_count(&parse(count), "/count").ok(), read, "{count}");
    }
}

#[test]
fn an_amount_out_of_range_in_any_of_its_invoices_refuses_it() {
    let steep = TEAM.replace(r#""unit_amount": "20.00""#, r#""unit_amount": "999999999999""#);
    let request = r#"{"plan_id": "team", "customer_id": "cus_1", "product_overrides": [{"pricing_id": "more", "quantity": "1001"}]}"#;
    assert_eq!(list(&schedule(request, &steep, "2026-01-15", 1).unwrap(), "invoices").len(), 1);
    let problems = schedule(request, &steep, "2026-01-15", 2).unwrap_err();
    assert_eq!(problems, ["amount_out_of_range /catalog/plans/0/phases/1/pricings/0"]);
}

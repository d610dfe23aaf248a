//! Rules about many inputs at once, and limits too large for a case that is read by people.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use checkout_preview::{Catalog, CheckoutType, Json, Problems, checkout_type, json, read_instant};
use std::fmt::Write;
use support::{answer, at, noon, parse, text};

const CATALOG: &str = r#"{"customers": [{"id": "cus_1"}], "plans": [{"id": "team", "currency": "USD", "phases": [
    {"pricings": [{"id": "seats", "product": {"id": "seat"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
    "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}}]}]}]}"#;

fn ask(request: &str) -> Result<Json, Problems> {
    answer(&parse(request), parse(CATALOG), noon("2026-11-22")).map(|text| parse(&text))
}

fn codes(problems: &Problems) -> Vec<(&str, &str)> {
    problems.as_slice().iter().map(|problem| (problem.code.as_str(), problem.path.as_str())).collect()
}

fn refused(request: &str) -> Problems {
    ask(request).err().unwrap_or_else(|| panic!("not refused: {request}"))
}

/// R2.6: any of the request's fields may be wrong together with any others: the problems stand in the order of the
/// table, whatever the order in the request, unknown fields last and by name.
#[test]
fn problems_stand_in_the_order_of_the_table() {
    let wrong = [
        ("plan_id", "7", "invalid_type"),
        ("start_date", r#""2026-02-30""#, "invalid_date"),
        ("end_date", "[]", "invalid_type"),
        ("customer_id", r#""cus 1""#, "invalid_id"),
        ("business_entity_id", r#""be_9""#, "business_entity_not_found"),
        ("guest_checkout", r#""yes""#, "invalid_type"),
        ("customer_data", "[]", "invalid_type"),
        ("expires_at", r#""soon""#, "invalid_instant"),
        ("success_url", r#""/thanks""#, "invalid_url"),
        ("cancel_url", "1", "invalid_type"),
        ("product_overrides", r#""seats""#, "invalid_type"),
        ("apple", "1", "unknown_field"),
        ("zebra", "null", "unknown_field"),
    ];
    for chosen in 1_u32..1 << wrong.len() {
        let mut fields = vec![("plan_id", r#""team""#), ("customer_id", r#""cus_1""#)];
        let mut wanted = Vec::new();
        let mut paths = Vec::new();
        for (bit, (name, value, code)) in wrong.iter().enumerate() {
            if chosen & (1 << bit) != 0 {
                fields.retain(|(field, _)| field != name);
                // Some in front, some behind.
                fields.insert(if bit % 3 == 0 { fields.len() } else { 0 }, (name, value));
                paths.push(format!("/{name}"));
                wanted.push(*code);
            }
        }
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!(r#""{name}": {value}"#)).collect();
        let problems = refused(&format!("{{{}}}", fields.join(", ")));
        let wanted: Vec<(&str, &str)> = wanted.into_iter().zip(paths.iter().map(String::as_str)).collect();
        assert_eq!(codes(&problems), wanted, "{fields:?}");
    }
}

/// R2.6: list items in their order, and in each of them by the list of codes.
#[test]
fn problems_of_overrides_stand_in_their_order() {
    let overrides = [
        (r#"{"pricing_id": "seats", "quantity": "x"}"#, "invalid_decimal", "/quantity"),
        (r#"{"quantity": "1"}"#, "override_target_required", ""),
        (r#"{"pricing_id": "chairs", "quantity": "1"}"#, "override_target_not_found", "/pricing_id"),
        (r#"{"pricing_id": "seats"}"#, "override_empty", ""),
        (r#"{"pricing_id": "seats", "quantity": "1", "colour": 1}"#, "unknown_field", "/colour"),
        ("17", "invalid_type", ""),
    ];
    for first in &overrides {
        for second in &overrides {
            let request = format!(
                r#"{{"plan_id": "team", "customer_id": "cus_1", "product_overrides": [{}, {}]}}"#,
                first.0, second.0
            );
            let problems = refused(&request);
            let (one, two) = (format!("/product_overrides/0{}", first.2), format!("/product_overrides/1{}", second.2));
            // Two overrides of one line and day are one too many, whatever else is wrong with them.
            let told = codes(&problems).into_iter().filter(|(code, _)| *code != "override_duplicate");
            assert_eq!(told.collect::<Vec<_>>(), [(first.1, one.as_str()), (second.1, two.as_str())], "{request}");
        }
    }
}

/// Section 2: unknown fields are refused, with a suggestion when one is near.
#[test]
fn unknown_fields_get_a_suggestion() {
    for (sent, meant) in [
        ("plan_ids", "plan_id"),
        ("custmer_id", "customer_id"),
        ("startdate", "start_date"),
        ("product_override", "product_overrides"),
        ("sucess_url", "success_url"),
    ] {
        let problems = refused(&format!(r#"{{"plan_id": "team", "customer_id": "cus_1", "{sent}": "x"}}"#));
        let [problem] = problems.as_slice() else { panic!("{problems}") };
        let said = format!("{} {}", problem.message, problem.help);
        assert!(said.contains(&format!("`{meant}`")), "{sent}: {said}");
    }
    let problems = refused(r#"{"plan_id": "team", "customer_id": "cus_1", "zzzzzzzzzzzz": "x"}"#);
    let said = format!("{} {}", problems.as_slice()[0].message, problems.as_slice()[0].help);
    assert!(!said.contains("did you mean"), "nothing is near: {said}");
}

/// Section 2: ids of 255 characters, URLs of 2083, 1,000 overrides: allowed; one more: refused.
#[test]
fn limits_are_reached_and_passed() {
    let long = "i".repeat(255);
    let catalog = CATALOG.replace("cus_1", &long);
    let request = |id: &str| parse(&format!(r#"{{"plan_id": "team", "customer_id": "{id}"}}"#));
    let asked = |id: &str| answer(&request(id), parse(&catalog), noon("2026-11-22"));
    assert!(asked(&long).is_ok());
    assert_eq!(codes(&asked(&format!("{long}i")).unwrap_err()), [("invalid_id", "/customer_id")]);

    let url = |length: usize| format!("https://shop.example/{}", "a".repeat(length - "https://shop.example/".len()));
    let with = |url: String| format!(r#"{{"plan_id": "team", "customer_id": "cus_1", "success_url": "{url}"}}"#);
    assert_eq!(text(&ask(&with(url(2083))).unwrap(), "success_url"), url(2083));
    assert_eq!(codes(&refused(&with(url(2084)))), [("invalid_url", "/success_url")]);

    let overrides = |number: usize| {
        let mut items = String::new();
        for day in 0..number {
            let date = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).unwrap() + chrono::Days::new(day as u64);
            let comma = if day == 0 { "" } else { "," };
            write!(items, r#"{comma}{{"pricing_id": "seats", "quantity": {day}, "effective_from": "{date}"}}"#)
                .unwrap();
        }
        format!(r#"{{"plan_id": "team", "customer_id": "cus_1", "product_overrides": [{items}]}}"#)
    };
    let preview = ask(&overrides(1000)).unwrap();
    let entries = at(&preview, "contract/phases/0/lines/0/quantity_entries");
    let Json::List(entries) = entries else { panic!("{entries:?}") };
    assert_eq!(entries.len(), 999, "the first value is the line's own");
    assert_eq!(codes(&refused(&overrides(1001))), [("too_many_overrides", "/product_overrides")]);
}

/// R2: customer_data is measured as compact JSON, however it was written.
#[test]
fn customer_data_is_measured_compact() {
    let data = format!(r#"{{ {} "note" : "{}" }}"#, " ".repeat(5000), "x".repeat(16_384 - r#"{"note":""}"#.len()));
    let request = format!(r#"{{"plan_id": "team", "customer_id": "cus_1", "customer_data": {data}}}"#);
    assert!(ask(&request).is_ok());
    // One letter more as an escape: six bytes in the request, one when compact.
    let request = request.replacen("xx", r"x\u0078x", 1);
    assert_eq!(codes(&refused(&request)), [("customer_data_too_large", "/customer_data")]);
}

/// R1.3: minor digits by ISO 4217.
#[test]
fn currencies_have_their_own_digits() {
    for (currency, total) in [
        ("USD", "12.00"),
        ("EUR", "12.00"),
        ("GBP", "12.00"),
        ("CHF", "12.00"),
        ("INR", "12.00"),
        ("BRL", "12.00"),
        ("MXN", "12.00"),
        ("HUF", "12.00"),
        ("JPY", "12"),
        ("KRW", "12"),
        ("VND", "12"),
        ("CLP", "12"),
        ("ISK", "12"),
        ("XAF", "12"),
        ("XOF", "12"),
        ("UGX", "12"),
        ("PYG", "12"),
        ("KWD", "12.000"),
        ("BHD", "12.000"),
        ("JOD", "12.000"),
        ("OMR", "12.000"),
        ("TND", "12.000"),
        ("IQD", "12.000"),
        ("LYD", "12.000"),
        ("CLF", "12.0000"),
        ("UYW", "12.0000"),
    ] {
        let catalog = parse(&CATALOG.replace("USD", currency));
        let request = parse(r#"{"plan_id": "team", "customer_id": "cus_1"}"#);
        let preview = answer(&request, catalog, noon("2026-11-22")).unwrap_or_else(|why| panic!("{currency}: {why}"));
        assert_eq!(text(&parse(&preview), "estimates/current_invoice/total"), total, "{currency}");
    }
}

/// R2.7: a document of a hundred thousand brackets is a wrong value like any other, and exhausts no stack.
#[test]
fn deep_nesting_is_refused_where_it_stands() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let value = json::parse(deep.as_bytes()).unwrap_or_else(|why| panic!("{why}"));
    assert!(Catalog::load(value.clone()).is_err());
    let request = Json::Object(vec![("plan_id".into(), value)]);
    let problems = answer(&request, parse(CATALOG), noon("2026-11-22")).unwrap_err();
    assert_eq!(codes(&problems)[0], ("invalid_type", "/plan_id"));
}

/// R3.2: a catalog with very much wrong is told all of it.
#[test]
fn a_catalog_is_told_everything() {
    let plans: Vec<String> =
        (0..500).map(|at| format!(r#"{{"id": "p{at}", "currency": "dollars", "phases": []}}"#)).collect();
    let catalog = parse(&format!(r#"{{"plans": [{}]}}"#, plans.join(", ")));
    let problems = Catalog::load(catalog).err().unwrap();
    let wanted: Vec<String> = (0..500).map(|at| format!("/catalog/plans/{at}/currency")).collect();
    let paths: Vec<&str> = problems.as_slice().iter().map(|problem| problem.path.as_str()).collect();
    let told: Vec<&str> = paths.into_iter().filter(|path| path.ends_with("/currency")).collect();
    assert_eq!(told, wanted);
}

/// R1.1: an instant means the same moment in every offset.
#[test]
fn instants_are_moments() {
    for written in [
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00+00:00",
        "2026-11-23T15:30:00+05:30",
        "2026-11-22T22:00:00-12:00",
        "2026-11-24T00:00:00+14:00",
        "2026-11-23T10:00:00.000Z",
        "2026-11-23T10:00:00.000000Z",
    ] {
        let request = format!(r#"{{"plan_id": "team", "customer_id": "cus_1", "expires_at": "{written}"}}"#);
        assert_eq!(text(&ask(&request).unwrap(), "expires_at"), "2026-11-23T10:00:00Z", "{written}");
    }
}

/// R1.4: now is on a day that can be named.
#[test]
fn now_is_within_the_calendar() {
    let read = |now: &str| read_instant(&Json::String(now.into()), "/now").map_err(|problems| codes(&problems).len());
    for now in ["1970-01-01T00:00:00Z", "2999-12-31T23:59:59.999999Z", "3000-01-01T00:30:00+01:00"] {
        assert!(read(now).is_ok(), "{now}");
    }
    for now in ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00", "3000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        assert_eq!(read(now), Err(1), "{now}");
    }
}

/// R1.3: a quantity as a JSON number and as its shortest decimal is one quantity.
#[test]
fn numbers_and_strings_agree() {
    for (number, string) in [
        ("1", "1"),
        ("1.0", "1"),
        ("1e0", "1"),
        ("0.1", "0.1"),
        ("1e-6", "0.000001"),
        ("0.30000000000000004e1", "3.0000000000000004"),
        ("999999999999", "999999999999"),
        ("123456.789", "123456.789"),
        ("-0", "0"),
        ("-0.0", "0"),
    ] {
        let request = |quantity: &str| {
            let item = format!(r#"{{"pricing_id": "seats", "quantity": {quantity}}}"#);
            ask(&format!(r#"{{"plan_id": "team", "customer_id": "cus_1", "product_overrides": [{item}]}}"#))
                .map(|preview| json::to_text(at(&preview, "estimates")))
                .map_err(|problems| {
                    codes(&problems).iter().map(|(code, path)| format!("{code} {path}")).collect::<Vec<_>>()
                })
        };
        assert_eq!(request(number), request(&format!(r#""{string}""#)), "{number}");
    }
}

/// R2.1: the type follows from the fields present, null counting as absent, whatever their values are.
#[test]
fn the_type_is_told_by_the_fields_alone() {
    let told = |request: &str| {
        checkout_type(&json::parse(request.as_bytes()).unwrap()).map_err(|problems| {
            codes(&problems).iter().map(|(code, path)| format!("{code} {path}")).collect::<Vec<_>>()
        })
    };
    for (request, wanted) in [
        (r#"{"plan_id": "team"}"#, CheckoutType::PlanBased),
        (r#"{"plan_id": 7, "contract_id": null, "product_overrides": "many"}"#, CheckoutType::PlanBased),
        (r#"{"plan_id": "team", "contract_id": "con_1"}"#, CheckoutType::PlanChange),
        (r#"{"plan_id": [], "contract_id": {}, "product_overrides": [{}]}"#, CheckoutType::PlanChange),
        (r#"{"contract_id": "con_1", "product_overrides": [{}]}"#, CheckoutType::QuantityUpdate),
        (r#"{"contract_id": "con_1", "product_quantities": [5]}"#, CheckoutType::QuantityUpdate),
    ] {
        assert_eq!(told(request), Ok(wanted), "{request}");
    }
    for (request, wanted) in [
        ("{}", "plan_id_required /plan_id"),
        (r#"{"plan_id": null, "product_overrides": [{}], "coupon": 1}"#, "plan_id_required /plan_id"),
        (r#"{"contract_id": "con_1"}"#, "product_overrides_required /product_overrides"),
        (r#"{"contract_id": "con_1", "product_overrides": []}"#, "product_overrides_required /product_overrides"),
        ("[]", "invalid_type "),
        ("null", "invalid_type "),
    ] {
        assert_eq!(told(request), Err(vec![wanted.to_owned()]), "{request}");
    }
}

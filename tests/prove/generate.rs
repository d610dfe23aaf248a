//! Cases of everything that may be asked: those of `day_by_day`, and on top of them every name of a model, currencies of
//! every number of digits, days of ten centuries, addresses and expiries, billing schedules, and about one case in five
//! that is refused.

use crate::day_by_day::generate::{self, items};
use crate::generated::after;
use chrono::{Datelike, NaiveDate};
use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Of 0, 2, 3 and 4 digits.
const CURRENCIES: [&str; 14] =
    ["USD", "EUR", "GBP", "CHF", "JPY", "KRW", "CLP", "VND", "KWD", "BHD", "TND", "CLF", "UYW", "MXN"];

/// The case of a seed, as it goes over the wire: `{request, catalog, as_of, now, schedule}`.
pub fn case(seed: u64) -> Value {
    let mut case = generate::case(seed).to_json();
    let mut dice = Rng::with_seed(seed ^ 0x5bf0_3635);
    other_models(&mut case["catalog"], &mut dice);
    if dice.u8(..3) == 0 {
        currency(&mut case["catalog"], &mut dice);
    }
    if dice.u8(..3) == 0 {
        another_time(&mut case, &mut dice);
    }
    if dice.u8(..8) == 0 {
        let as_of = case["as_of"].as_str().unwrap().to_owned();
        addresses(&mut case["request"], &as_of, &mut dice);
    }
    case["schedule"] = if dice.u8(..4) == 0 { json!(dice.u32(1..=24)) } else { Value::Null };
    // Of the others, one in ten is refused anyway, for a change that changes nothing or a day out of range.
    if dice.u8(..12) == 0 {
        for _ in 0..dice.u8(1..=3) {
            spoil(&mut case, &mut dice);
        }
    }
    case
}

/// The other names of models that are priced the same way.
fn other_models(value: &mut Value, dice: &mut Rng) {
    match value {
        Value::Object(fields) => {
            let other = match fields.get("pricing_type").and_then(Value::as_str) {
                Some("tiered") => dice.choice(["tiered", "tiered_with_flat_fee", "custom_tiered"]),
                Some("volume") => dice.choice(["volume", "volume_with_flat_fee"]),
                _ => None,
            };
            if let Some(other) = other {
                fields.insert("pricing_type".into(), other.into());
            }
            fields.values_mut().for_each(|inner| other_models(inner, dice));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| other_models(inner, dice)),
        _ => {}
    }
}

fn currency(catalog: &mut Value, dice: &mut Rng) {
    let currency = CURRENCIES[dice.usize(..CURRENCIES.len())];
    for list in ["plans", "contracts"] {
        for one in items(catalog, list) {
            one["currency"] = currency.into();
        }
    }
}

/// The whole case some years or days earlier or later, often where the calendar has an edge: the first and the last days
/// there are, centuries with and without a leap day.
fn another_time(case: &mut Value, dice: &mut Rng) {
    let as_of: NaiveDate = case["as_of"].as_str().and_then(|day| day.parse().ok()).unwrap();
    let year = match dice.u8(..4) {
        0 => *dice.choice(&[1971, 1999, 2000, 2100, 2399, 2400, 2900, 2998]).unwrap(),
        _ => dice.i32(1975..2990),
    };
    let wanted = NaiveDate::from_ymd_opt(year, *dice.choice(&[1, 2, 2, 3, 12]).unwrap(), dice.u32(1..=28)).unwrap();
    let days = (wanted - as_of).num_days();
    later(case, days);
    fit_anchors(case);
}

/// A month's last day that stood for a later one may not be the last of its month any more.
fn fit_anchors(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let anchor =
                fields.get("anchor_date").and_then(Value::as_str).and_then(|day| day.parse::<NaiveDate>().ok());
            if anchor.is_some_and(|day| day.succ_opt().is_some_and(|next| next.month() == day.month())) {
                fields.remove("anchor_day");
            }
            fields.values_mut().for_each(fit_anchors);
        }
        Value::Array(items) => items.iter_mut().for_each(fit_anchors),
        _ => {}
    }
}

/// Every date, and every instant's day, so many days later.
fn later(value: &mut Value, days: i64) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|inner| later(inner, days)),
        Value::Array(items) => items.iter_mut().for_each(|inner| later(inner, days)),
        Value::String(text) if text.is_char_boundary(10.min(text.len())) => {
            let (day, rest) = text.split_at(10.min(text.len()));
            if let Ok(day) = day.parse::<NaiveDate>() {
                *text = format!("{}{rest}", after(day, days));
            }
        }
        _ => {}
    }
}

fn addresses(request: &mut Value, as_of: &str, dice: &mut Rng) {
    for field in ["success_url", "cancel_url"] {
        match dice.u8(..4) {
            0 => request[field] = "https://shop.example/thanks?from=checkout".into(),
            1 => request[field] = format!("https://shop.example/{}", "ü".repeat(dice.usize(1900..2070))).into(),
            _ => {}
        }
    }
    // Whether the time is right depends on the moment, which is noon of the day in UTC.
    match dice.u8(..8) {
        0 => request["expires_at"] = format!("{as_of}T23:59:59.999999+02:00").into(),
        1 => request["expires_at"] = format!("{as_of}T12:30:00Z").into(),
        2 => {
            request["expires_at"] =
                (*dice.choice(&["2025-02-30T00:00:00Z", "2026-01-01T00:00:00Z", "2999-12-31T23:59:59Z"]).unwrap())
                    .into()
        }
        _ => {}
    }
}

// ---- What is wrong -------------------------------------------------------------------------------------------------

/// Breaks one thing somewhere in the request or the catalog.
fn spoil(case: &mut Value, dice: &mut Rng) {
    let part = if dice.bool() { "request" } else { "catalog" };
    spoil_value(&mut case[part], dice);
}

/// Breaks one thing somewhere in a value.
pub fn spoil_value(value: &mut Value, dice: &mut Rng) {
    let mut paths = vec![String::new()];
    places(value, String::new(), &mut paths);
    let path = dice.choice(paths).unwrap();
    let Some(place) = value.pointer_mut(&path) else { return };
    // Which time zones there are, a host knows and the engine does not.
    if path.ends_with("/time_zone") {
        return;
    }
    match place {
        Value::Object(fields) if dice.u8(..3) > 0 => spoil_fields(fields, dice),
        Value::Array(items) if !items.is_empty() && dice.bool() => {
            let again = items[dice.usize(..items.len())].clone();
            items.insert(dice.usize(..=items.len()), again);
        }
        Value::Array(items) if dice.bool() => items.clear(),
        Value::String(text) if dice.bool() => spoil_text(text, dice),
        // A case stays one.
        _ if path.is_empty() && dice.u8(..4) > 0 => {}
        other => *other = wrong(dice),
    }
}

fn places(value: &Value, path: String, found: &mut Vec<String>) {
    let mut go = |key: &str, inner: &Value| {
        let path = format!("{path}/{key}");
        found.push(path.clone());
        places(inner, path, found);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, inner)| go(key, inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, inner)| go(&at.to_string(), inner)),
        _ => {}
    }
}

fn spoil_fields(fields: &mut Map<String, Value>, dice: &mut Rng) {
    let keys: Vec<String> = fields.keys().cloned().collect();
    match dice.choice(&keys) {
        Some(key) if dice.bool() => _ = fields.remove(key),
        Some(key) if dice.bool() => {
            // A slip of the keyboard.
            let value = fields.remove(key).unwrap();
            fields.insert(key.chars().skip(1).collect(), value);
        }
        _ => {
            let key = ["__proto__", "constructor", "toString", "length", "Quantity", "", "größe", "a/b~c", "then"];
            fields.insert((*dice.choice(&key).unwrap()).to_owned(), wrong(dice));
        }
    }
}

fn spoil_text(text: &mut String, dice: &mut Rng) {
    match dice.u8(..5) {
        0 => text.push(' '),
        1 => _ = text.pop(),
        2 => text.push('0'),
        3 => *text = text.to_uppercase(),
        _ => {
            let at = dice.usize(..=text.chars().count());
            let byte = text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
            text.insert(byte, *dice.choice(&['-', '.', 'x', '0', '\u{0}', '💶', '\u{661}', '\u{2028}']).unwrap());
        }
    }
}

fn wrong(dice: &mut Rng) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(0.1),
        json!(1e21),
        json!(1e-7),
        json!(123456789012.5),
        json!(-0.0),
        json!(9007199254740991_i64),
        json!(""),
        json!(" "),
        json!("0"),
        json!("-0"),
        json!("-1"),
        json!("007.50"),
        json!("1e3"),
        json!(".5"),
        json!("5."),
        json!("999999999999"),
        json!("1000000000000"),
        json!("0.0000001"),
        json!("0.000000000001"),
        json!("999999999999.999999999999"),
        json!("2026-02-30"),
        json!("2024-02-29"),
        json!("0000-01-01"),
        json!("1969-12-31"),
        json!("2999-12-31"),
        json!("3000-01-01"),
        json!("P1M"),
        json!("P0D"),
        json!("P13M"),
        json!("p1m"),
        json!("P1M1D"),
        json!("P99999Y"),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!({"a": 1}),
        json!("x".repeat(3000)),
        json!("\u{0}"),
        json!("💶".repeat(40)),
        json!("team"),
        json!("customer"),
        json!("half_down"),
        json!("flat_fee"),
        json!("trial"),
        json!("prepaid"),
        json!("monday"),
        json!("EUR"),
        json!("usd"),
        json!("XQX"),
    ];
    dice.choice(values).unwrap()
}

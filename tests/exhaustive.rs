//! Every one of what there are finitely many of: start days, change days, and shares of an amount.
//!
//! The other tests look at chosen values and at random ones; here nothing is left out. What is wanted comes from the slow
//! calendar, and from integers of 128 bits that are divided once.
#![cfg(not(target_arch = "wasm32"))]

mod support;

#[path = "support/slow_calendar.rs"]
mod slow_calendar;

use checkout_preview::{Catalog, json, preview};
use slow_calendar::{Cadence, Calendar};
use support::{noon, on_all_cores, parse};

/// The text of a preview. (Reading it as JSON would take most of the time; what is looked for is found in the text.)
fn previewed(catalog: &Catalog, request: &str, as_of: &str) -> String {
    let request = parse(request);
    let preview = preview(&request, catalog, noon(as_of)).unwrap_or_else(|why| panic!("{why}"));
    json::to_text(&preview)
}

fn loaded(catalog: &str) -> Catalog {
    Catalog::load(parse(catalog)).unwrap_or_else(|why| panic!("{why}"))
}

/// The current invoice of a preview's text.
fn current_invoice(text: &str) -> &str {
    let (_, rest) = text.split_once(r#""current_invoice":"#).unwrap();
    rest.split_once(r#""next_invoice":"#).unwrap().0
}

/// What follows a key, at each place where it stands, up to a character.
fn all_after<'t>(text: &'t str, key: &str, end: char) -> Vec<&'t str> {
    text.split(key).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

/// `2026-01-31..2026-02-27 28/28` of each line item.
fn periods(invoice: &str) -> Vec<String> {
    let part = |item: &str| -> String {
        let find = |key: &str, end: &[char]| item.split_once(key).unwrap().1.split(end).next().unwrap().to_owned();
        let (start, last) = (find(r#""start_date":""#, &['"']), find(r#""end_date":""#, &['"']));
        format!("{start}..{last} {}/{}", find(r#""days":"#, &[',']), find(r#""period_days":"#, &['}']))
    };
    invoice.split(r#""period":{"#).skip(1).map(part).collect()
}

const CADENCES: [(&str, Cadence); 15] = [
    ("P1D", Cadence::Days(1)),
    ("P1W", Cadence::Days(7)),
    ("P10D", Cadence::Days(10)),
    ("P2W", Cadence::Days(14)),
    ("P30D", Cadence::Days(30)),
    ("P45D", Cadence::Days(45)),
    ("P90D", Cadence::Days(90)),
    ("P1M", Cadence::Months(1)),
    ("P2M", Cadence::Months(2)),
    ("P3M", Cadence::Months(3)),
    ("P4M", Cadence::Months(4)),
    ("P6M", Cadence::Months(6)),
    ("P12M", Cadence::Months(12)),
    ("P1Y", Cadence::Months(12)),
    ("P2Y", Cadence::Months(24)),
];

/// How many boundaries after the start are compared.
const BOUNDARIES: usize = 24;

fn line(cadence: &str, unit_amount: &str) -> String {
    format!(
        r#"{{"id": "{cadence}", "product": {{"id": "p"}}, "billing_period": {{"cadence": "{cadence}", "offset": "prepaid"}},
        "quantity": {{"value": "10"}}, "pricing_data": {{"pricing_type": "per_unit", "unit_amount": "{unit_amount}"}}}}"#
    )
}

/// R5.1, R5.2: every start day of 1996 to 2032, every cadence, and the 24 boundaries after it.
#[test]
fn every_start_day_and_cadence() {
    let calendar = Calendar::new();
    let starts: Vec<usize> = (0..=calendar.find(2032, 12, 31)).collect();
    assert_eq!(starts.len(), 13_515);
    for (name, cadence) in CADENCES {
        let catalog = loaded(&format!(
            r#"{{"customers": [{{"id": "cus_1"}}], "plans": [{{"id": "plan", "currency": "USD", "phases": [{{"pricings": [{}]}}]}}]}}"#,
            line(name, "1.00")
        ));
        on_all_cores(starts.iter(), |&start| {
            let anchor_day = calendar.days[start].day;
            let mut wanted = Vec::new();
            let mut day = start;
            for _ in 0..BOUNDARIES {
                let mut end = day + 1;
                while !calendar.begins(end, start, anchor_day, cadence) {
                    end += 1;
                }
                let (from, last) = (calendar.days[day], calendar.days[end - 1]);
                wanted.push(format!("{from}..{last} {}/{}", end - day, end - day));
                day = end;
            }
            // On the last day of the 24th period, so that the 25th has not begun.
            let request =
                format!(r#"{{"plan_id": "plan", "customer_id": "cus_1", "start_date": "{}"}}"#, calendar.days[start]);
            let text = previewed(&catalog, &request, &calendar.days[day - 1].to_string());
            assert_eq!(periods(current_invoice(&text)), wanted, "every {name} from {}", calendar.days[start]);
            let next = format!(r#""next_invoice":{{"invoice_date":"{}""#, calendar.days[day]);
            assert!(
                text.contains(&next),
                "every {name} from {}: the next is not on {}",
                calendar.days[start],
                calendar.days[day]
            );
        });
    }
}

/// R5.5, R7.3: a change on every day of a leap cycle, of a contract with a monthly and an annual line, and what is given back
/// and charged for the rest of each period.
#[test]
fn every_change_day_of_a_leap_cycle() {
    let calendar = Calendar::new();
    let changes: Vec<usize> = (calendar.find(2024, 1, 1)..=calendar.find(2027, 12, 31)).collect();
    assert_eq!(changes.len(), 1461);
    for start in [(2023, 12, 31), (2023, 1, 1), (2020, 2, 29)].map(|(year, month, day)| calendar.find(year, month, day))
    {
        let first = calendar.days[start];
        for (name, cadence) in [("P1M", Cadence::Months(1)), ("P1Y", Cadence::Months(12))] {
            let line = line(name, "97.31").replacen('{', r#"{"line_item_id": "li_1", "#, 1);
            let text = format!(
                r#"{{"customers": [{{"id": "cus_1"}}], "plans": [{{"id": "plan", "currency": "USD", "phases": [{{"pricings": []}}]}}], "contracts": [{{"id": "con_1", "customer_id": "cus_1", "plan_id": "plan",
                "currency": "USD", "start_date": "{first}", "anchor_date": "{first}", "phases": [{{"start_date": "{first}", "lines": [{line}]}}]}}]}}"#
            );
            let catalog = loaded(&text);
            on_all_cores(changes.iter(), |&change| {
                let day = calendar.days[change];
                let request =
                    r#"{"contract_id": "con_1", "product_overrides": [{"line_item_id": "li_1", "quantity": "13"}]}"#;
                let text = previewed(&catalog, request, &day.to_string());
                let (begin, end) = calendar.period(change, start, first.day, cadence);
                let part = format!("{day}..{} {}/{}", calendar.days[end - 1], end - change, end - begin);
                let invoice = current_invoice(&text);
                let context = format!("{name} from {first}, changed on {day}");
                let amount =
                    |quantity: i128| rounded(quantity * 9731 * (end - change) as i128, (end - begin) as i128, false);
                let (credit, charge) = (amount(10), amount(13));
                let subtotals = all_after(invoice, r#""net_amount":""#, '"');
                assert_eq!(periods(invoice), [part.clone(), part], "{context}");
                assert_eq!(subtotals, [cents(-credit), cents(charge)], "{context}");
            });
        }
    }
}

fn cents(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", amount.abs() / 100, amount.abs() % 100)
}

/// R1.6: `top / bottom`, neither negative, to a whole number.
fn rounded(top: i128, bottom: i128, half_even: bool) -> i128 {
    let (whole, rest) = (top / bottom, top % bottom);
    let is_up = match (rest * 2).cmp(&bottom) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => !half_even || whole % 2 == 1,
        std::cmp::Ordering::Greater => true,
    };
    whole + i128::from(is_up)
}

/// R6.1, R1.6: all shares d/n for n of 1 to 366 days, of prices that make ties and of their neighbours, half up and half even,
/// in currencies of 0, 2 and 3 digits; and two parts of a period against the whole of it.
#[test]
fn every_share_of_every_period() {
    /// Millionths of a minor unit.
    const SCALE: i128 = 1_000_000;
    let periods: Vec<i128> = (1..=366).collect();
    for (currency, digits) in [("JPY", 0_u32), ("EUR", 2), ("KWD", 3)] {
        for mode in ["half_up", "half_even"] {
            on_all_cores(periods.iter(), |&n| {
                let half = n * SCALE / 2; // of n days: a share of one day is half a unit
                let prices = [half, 3 * half, 7 * half, half - 1, half + 1, 299_900_000 + half, 123_456_789];
                let written = |price: i128| {
                    let unit = SCALE * 10_i128.pow(digits);
                    format!("{}.{:0width$}", price / unit, price % unit, width = digits as usize + 6)
                };
                let lines: Vec<String> = prices
                    .iter()
                    .enumerate()
                    .map(|(id, price)| {
                        format!(
                            r#"{{"id": "{id}", "product": {{"id": "p"}}, "billing_period": {{"cadence": "P{n}D", "offset": "prepaid"}},
                            "pricing_data": {{"pricing_type": "per_unit", "unit_amount": "{}"}}}}"#,
                            written(*price)
                        )
                    })
                    .collect();
                let text = format!(
                    r#"{{"business_entities": [{{"id": "be", "rounding": "{mode}"}}], "plans": [{{"id": "plan", "currency": "{currency}",
                    "phases": [{{"pricings": [{}]}}]}}]}}"#,
                    lines.join(", ")
                );
                let catalog = loaded(&text);
                let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
                let share = |d: i128| -> Vec<i128> {
                    let last = first + chrono::Days::new(u64::try_from(d - 1).unwrap());
                    let request = format!(r#"{{"plan_id": "plan", "business_entity_id": "be", "end_date": "{last}"}}"#);
                    let text = previewed(&catalog, &request, "2026-01-01");
                    let subtotals = all_after(current_invoice(&text), r#""net_amount":""#, '"');
                    subtotals.iter().map(|amount| amount.replace('.', "").parse().unwrap()).collect()
                };
                let shares: Vec<Vec<i128>> = (1..=n).map(share).collect();
                for (d, got) in (1..=n).zip(&shares) {
                    let wanted: Vec<i128> =
                        prices.iter().map(|price| rounded(price * d, n * SCALE, mode == "half_even")).collect();
                    assert_eq!(*got, wanted, "{d}/{n} of {prices:?} millionths, {currency}, {mode}");
                    // Each part is rounded by itself, so that together they are off by one unit at most.
                    for (at, whole) in shares[shares.len() - 1].iter().enumerate() {
                        let other = if d == n { 0 } else { shares[usize::try_from(n - d - 1).unwrap()][at] };
                        assert!((got[at] + other - whole).abs() <= 1, "{d}/{n} and the rest of {}", prices[at]);
                    }
                }
            });
        }
    }
}

//! Billing periods, anchors and phases against a calendar that walks from day to day.
//!
//! What is compared is what a buyer sees: the line items of a contract that is caught up.
#![cfg(not(target_arch = "wasm32"))]

mod support;

#[path = "support/slow_calendar.rs"]
mod slow_calendar;

use checkout_preview::{Catalog, Json, json, preview};
use slow_calendar::{BillingAnchor, Cadence, Calendar, Day};
use support::{at, list, noon, parse, text};

/// A plan of one phase with a line for every cadence.
fn catalog(cadences: &[(&str, Cadence)], anchor: BillingAnchor, offset: &str) -> Catalog {
    let lines: Vec<String> = cadences
        .iter()
        .map(|(cadence, _)| {
            format!(
                r#"{{"id": "{cadence}", "product": {{"id": "p"}}, "billing_period": {{"cadence": "{cadence}",
                "offset": "{offset}"}}, "pricing_data": {{"pricing_type": "flat_fee", "unit_amount": "1.00"}}}}"#
            )
        })
        .collect();
    let text = format!(
        r#"{{"customers": [{{"id": "cus_1"}}], "plans": [{{"id": "plan", "currency": "USD", "billing_anchor": {},
        "phases": [{{"pricings": [{}]}}]}}]}}"#,
        anchor.json(),
        lines.join(", ")
    );
    Catalog::load(parse(&text)).unwrap_or_else(|why| panic!("{why}"))
}

fn request(rest: &str) -> Json {
    parse(&format!(r#"{{"plan_id": "plan", "customer_id": "cus_1", {rest}}}"#))
}

fn previewed(request: &Json, catalog: &Catalog, as_of: Day) -> Json {
    let preview = preview(request, catalog, noon(&as_of.to_string())).unwrap_or_else(|why| panic!("{why}"));
    parse(&json::to_text(&preview))
}

/// `2026-01-31..2026-02-27 28/28`, as the engine lists them for one line.
fn listed(invoice: &Json, line: &str) -> Vec<String> {
    let of_line = |item: &&Json| text(item, "pricing_id") == line;
    let shown = |item: &Json| {
        let period = (text(item, "period/start_date"), text(item, "period/end_date"));
        let days = json::to_text(at(item, "proration/days"));
        format!("{}..{} {days}/{}", period.0, period.1, json::to_text(at(item, "proration/period_days")))
    };
    list(invoice, "line_items").iter().filter(of_line).map(shown).collect()
}

const BY_MONTHS: [(&str, Cadence); 4] = [
    ("P1M", Cadence::Months(1)),
    ("P2M", Cadence::Months(2)),
    ("P3M", Cadence::Months(3)),
    ("P1Y", Cadence::Months(12)),
];
const BY_DAYS: [(&str, Cadence); 3] =
    [("P1W", Cadence::Days(7)), ("P10D", Cadence::Days(10)), ("P90D", Cadence::Days(90))];

/// Starts a contract on every day of 2023 to 2026, a leap year among them, and compares all periods that have begun
/// `caught_up` days later, the stub before the anchor, and the day of the next invoice.
fn every_start(cadences: &[(&str, Cadence)], anchors: &[BillingAnchor], caught_up: usize) {
    let calendar = Calendar::new();
    for &anchor in anchors {
        let catalog = catalog(cadences, anchor, "prepaid");
        for start in calendar.find(2023, 1, 1)..=calendar.find(2026, 12, 31) {
            let as_of = start + caught_up;
            let sent = request(&format!(r#""start_date": "{}""#, calendar.days[start]));
            let got = previewed(&sent, &catalog, calendar.days[as_of]);
            let first = calendar.anchor(start, anchor);
            let anchor_day = match anchor {
                BillingAnchor::DayOfMonth(day) | BillingAnchor::DayOfYear(_, day) => day,
                BillingAnchor::StartDate | BillingAnchor::DayOfWeek(_) => calendar.days[first].day,
            };
            let context = format!("{anchor:?}, start {}", calendar.days[start]);
            assert_eq!(text(&got, "contract/anchor_date"), calendar.days[first].to_string(), "{context}");

            let mut next = Vec::new();
            for &(line, cadence) in cadences {
                let mut wanted = Vec::new();
                let mut day = start;
                while day <= as_of {
                    let (begin, end) = calendar.period(day, first, anchor_day, cadence);
                    let (from, last) = (calendar.days[day], calendar.days[end - 1]);
                    wanted.push(format!("{from}..{last} {}/{}", end - day, end - begin));
                    day = end;
                }
                next.push(day);
                let current = at(&got, "estimates/current_invoice");
                assert_eq!(listed(current, line), wanted, "{context}, every {line}");
            }
            let next = next.into_iter().min().map(|day| calendar.days[day].to_string());
            assert_eq!(Some(text(&got, "estimates/next_invoice/invoice_date")), next.as_deref(), "{context}");
        }
    }
}

#[test]
fn months_from_the_start_date() {
    every_start(&BY_MONTHS, &[BillingAnchor::StartDate], 430);
}

#[test]
fn months_from_a_day_of_the_month() {
    let days = [1, 15, 28, 29, 30, 31].map(BillingAnchor::DayOfMonth);
    every_start(&BY_MONTHS, &days, 100);
}

#[test]
fn months_from_a_day_of_the_year() {
    let days = [(2, 29), (2, 30), (4, 15), (12, 31)].map(|(month, day)| BillingAnchor::DayOfYear(month, day));
    every_start(&BY_MONTHS, &days, 70);
}

#[test]
fn weeks_and_days() {
    let anchors = [BillingAnchor::StartDate, BillingAnchor::DayOfWeek(0), BillingAnchor::DayOfWeek(6)];
    every_start(&BY_DAYS, &anchors, 25);
}

#[test]
fn months_from_a_weekday_and_weeks_from_a_day_of_the_month() {
    every_start(&BY_MONTHS, &[BillingAnchor::DayOfWeek(4)], 70);
    every_start(&BY_DAYS, &[BillingAnchor::DayOfMonth(31)], 25);
}

/// R5.7: a postpaid period is due on the day after its last one, the contract's own last day included.
#[test]
fn postpaid_lines_are_due_at_the_end() {
    let calendar = Calendar::new();
    let catalog = catalog(&[("P1M", Cadence::Months(1))], BillingAnchor::StartDate, "postpaid");
    let start = calendar.find(2024, 1, 31);
    for last in start..start + 400 {
        let end_date = calendar.days[last];
        let sent = request(&format!(r#""start_date": "2024-01-31", "end_date": "{end_date}""#));
        let got = previewed(&sent, &catalog, calendar.days[start]);
        let (begin, end) = calendar.period(start, start, 31, Cadence::Months(1));
        let due = end.min(last + 1);
        let next = at(&got, "estimates/next_invoice");
        assert_eq!(text(next, "invoice_date"), calendar.days[due].to_string(), "to {end_date}");
        let wanted = format!("{}..{} {}/{}", calendar.days[start], calendar.days[due - 1], due - start, end - begin);
        assert_eq!(listed(next, "P1M"), [wanted], "to {end_date}");
    }
}

/// R5.5: a change on any day cuts the period it falls in, and no other.
#[test]
fn a_change_on_any_day() {
    let calendar = Calendar::new();
    let cadences = [("P1M", Cadence::Months(1)), ("P10D", Cadence::Days(10))];
    let catalog = parse(
        r#"{"customers": [{"id": "cus_1"}], "plans": [{"id": "plan", "currency": "USD",
            "billing_anchor": {"day_of_month": 31}, "phases": [{"pricings": [
            {"id": "P1M", "product": {"id": "p"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
             "pricing_data": {"pricing_type": "per_unit", "unit_amount": "1.00"}},
            {"id": "P10D", "product": {"id": "p"}, "billing_period": {"cadence": "P10D", "offset": "prepaid"},
             "pricing_data": {"pricing_type": "per_unit", "unit_amount": "1.00"}}]}]}]}"#,
    );
    let catalog = Catalog::load(catalog).unwrap_or_else(|why| panic!("{why}"));
    let start = calendar.find(2024, 1, 10);
    let as_of = start + 130;
    let anchor = calendar.find(2024, 1, 31);
    for change in start..=as_of {
        let sent = request(&format!(
            r#""start_date": "2024-01-10", "product_overrides": [
                {{"product_id": "p", "quantity": "2", "effective_from": "{}"}}]"#,
            calendar.days[change]
        ));
        let got = previewed(&sent, &catalog, calendar.days[as_of]);
        for (line, cadence) in cadences {
            let mut wanted = Vec::new();
            let mut day = start;
            while day <= as_of {
                let (begin, end) = calendar.period(day, anchor, 31, cadence);
                let stop = if day < change && change < end { change } else { end };
                let (from, last) = (calendar.days[day], calendar.days[stop - 1]);
                wanted.push(format!("{from}..{last} {}/{}", stop - day, end - begin));
                day = stop;
            }
            let current = at(&got, "estimates/current_invoice");
            assert_eq!(listed(current, line), wanted, "{line}, changed on {}", calendar.days[change]);
        }
    }
}

/// R5.2, R5.3: a trial and three paid phases, each as long as it says from its own start, on every start day.
#[test]
fn phases_follow_one_another() {
    let calendar = Calendar::new();
    let phase = |name: &str, rest: &str| format!(r#"{{"name": "{name}", {rest} "pricings": []}}"#);
    let phases = [
        phase("Trial", r#""phase_type": "trial", "duration": "P45D","#),
        phase("Month", r#""duration": "P1M","#),
        phase("Half a year", r#""duration": "P6M","#),
        phase("Rest", ""),
    ];
    let text_of_catalog = format!(
        r#"{{"customers": [{{"id": "cus_1"}}], "plans": [{{"id": "plan", "currency": "USD", "duration": "P1Y",
        "phases": [{}]}}]}}"#,
        phases.join(", ")
    );
    let catalog = Catalog::load(parse(&text_of_catalog)).unwrap_or_else(|why| panic!("{why}"));
    for start in calendar.find(2023, 1, 1)..=calendar.find(2026, 12, 31) {
        let sent = request(&format!(r#""start_date": "{}""#, calendar.days[start]));
        let got = previewed(&sent, &catalog, calendar.days[start]);
        let paid = start + 45;
        let second = calendar.months_later(paid, 1);
        let third = calendar.months_later(second, 6);
        let end = calendar.months_later(start, 12);
        let wanted: Vec<String> = [(start, paid), (paid, second), (second, third), (third, end)]
            .iter()
            .map(|(from, to)| format!("{}..{}", calendar.days[*from], calendar.days[to - 1]))
            .collect();
        let phase = |phase: &Json| format!("{}..{}", text(phase, "start_date"), text(phase, "end_date"));
        let phases: Vec<String> = list(&got, "contract/phases").iter().map(phase).collect();
        assert_eq!(phases, wanted, "start {}", calendar.days[start]);
        assert_eq!(text(&got, "contract/anchor_date"), calendar.days[paid].to_string());
        assert_eq!(text(&got, "end_date"), calendar.days[end - 1].to_string());
    }
}

/// R5.3: a contract may end on any day: the phase it ends in is cut there, and those after it are not there.
#[test]
fn an_end_on_any_day_cuts_phases() {
    let calendar = Calendar::new();
    let text_of_catalog = r#"{"customers": [{"id": "cus_1"}], "plans": [{"id": "plan", "currency": "USD", "phases": [
        {"name": "A", "duration": "P1M", "pricings": []}, {"name": "B", "duration": "P2W", "pricings": []},
        {"name": "C", "pricings": []}]}]}"#;
    let catalog = Catalog::load(parse(text_of_catalog)).unwrap_or_else(|why| panic!("{why}"));
    let start = calendar.find(2024, 1, 30);
    let second = calendar.find(2024, 2, 29);
    let third = second + 14;
    for last in start..start + 80 {
        let sent = request(&format!(r#""end_date": "{}""#, calendar.days[last]));
        let got = previewed(&sent, &catalog, calendar.days[start]);
        let wanted: Vec<String> = [("A", start, second), ("B", second, third), ("C", third, usize::MAX)]
            .iter()
            .filter(|(_, from, _)| *from <= last)
            .map(|(name, from, to)| format!("{name} {}..{}", calendar.days[*from], calendar.days[last.min(to - 1)]))
            .collect();
        let phase = |phase: &Json| {
            format!("{} {}..{}", text(phase, "name"), text(phase, "start_date"), text(phase, "end_date"))
        };
        let phases: Vec<String> = list(&got, "contract/phases").iter().map(phase).collect();
        assert_eq!(phases, wanted, "to {}", calendar.days[last]);
    }
}

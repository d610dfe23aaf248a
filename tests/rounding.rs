//! Shares, rounding and sharing out against fractions of big whole numbers, worked out as at school.
//!
//! A number is its decimal digits; they are added, subtracted and multiplied one by one, and divided by subtracting
//! again and again. An amount is a fraction `top / bottom` of minor units, and is rounded by looking at the remainder.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use checkout_preview::{Catalog, Json, json, preview};
use std::cmp::Ordering;
use support::{at, list, noon, parse, text};

/// A whole number, not negative: its digits, the last one first, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Whole(Vec<u8>);

impl Whole {
    fn new(digits: &str) -> Whole {
        Whole(digits.bytes().rev().map(|digit| digit - b'0').collect()).trimmed()
    }

    fn of(number: usize) -> Whole {
        Whole::new(&number.to_string())
    }

    /// 1 followed by zeros.
    fn ten_to(zeros: usize) -> Whole {
        Whole::new(&format!("1{}", "0".repeat(zeros)))
    }

    fn trimmed(mut self) -> Whole {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn digit(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    fn is_odd(&self) -> bool {
        self.digit(0) % 2 == 1
    }

    fn compare(&self, other: &Whole) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn plus(&self, other: &Whole) -> Whole {
        let mut digits = Vec::new();
        let mut carry = 0;
        for at in 0..=self.0.len().max(other.0.len()) {
            let sum = self.digit(at) + other.digit(at) + carry;
            digits.push(sum % 10);
            carry = sum / 10;
        }
        Whole(digits).trimmed()
    }

    /// What is left of a number that is not smaller.
    fn minus(&self, other: &Whole) -> Whole {
        let mut digits = Vec::new();
        let mut borrowed = 0;
        for at in 0..self.0.len() {
            let taken = other.digit(at) + borrowed;
            borrowed = u8::from(self.digit(at) < taken);
            digits.push(self.digit(at) + 10 * borrowed - taken);
        }
        assert_eq!(borrowed, 0, "{self:?} is smaller than {other:?}");
        Whole(digits).trimmed()
    }

    fn times(&self, other: &Whole) -> Whole {
        let mut sum = Whole(Vec::new());
        for (at, digit) in self.0.iter().enumerate() {
            let shifted = Whole([vec![0; at], other.0.clone()].concat()).trimmed();
            for _ in 0..*digit {
                sum = sum.plus(&shifted);
            }
        }
        sum
    }

    /// Whole parts and remainder.
    fn divided_by(&self, other: &Whole) -> (Whole, Whole) {
        assert!(!other.0.is_empty(), "division by zero");
        let mut rest = Whole(Vec::new());
        let mut parts = Vec::new();
        for digit in self.0.iter().rev() {
            rest = Whole([vec![*digit], rest.0].concat()).trimmed();
            let mut times = 0;
            while rest.compare(other) != Ordering::Less {
                rest = rest.minus(other);
                times += 1;
            }
            parts.push(times);
        }
        parts.reverse();
        (Whole(parts).trimmed(), rest)
    }

    fn text(&self) -> String {
        if self.0.is_empty() { "0".into() } else { self.0.iter().rev().map(|digit| char::from(b'0' + digit)).collect() }
    }
}

/// `top / bottom`, never brought to lower terms.
#[derive(Debug, Clone)]
struct Fraction {
    top: Whole,
    bottom: Whole,
}

impl Fraction {
    /// `"12.50"` is 1250 / 100.
    fn decimal(text: &str) -> Fraction {
        let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
        Fraction { top: Whole::new(&format!("{integer}{fraction}")), bottom: Whole::ten_to(fraction.len()) }
    }

    fn times(&self, other: &Fraction) -> Fraction {
        Fraction { top: self.top.times(&other.top), bottom: self.bottom.times(&other.bottom) }
    }

    fn per(&self, other: &Fraction) -> Fraction {
        Fraction { top: self.top.times(&other.bottom), bottom: self.bottom.times(&other.top) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    HalfUp,
    HalfEven,
}

/// R1.6: an amount in minor units, and the text of it.
fn rounded(amount: &Fraction, digits: usize, mode: Mode) -> Whole {
    let (parts, rest) = amount.top.times(&Whole::ten_to(digits)).divided_by(&amount.bottom);
    let is_up = match rest.plus(&rest).compare(&amount.bottom) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => mode == Mode::HalfUp || parts.is_odd(),
    };
    if is_up { parts.plus(&Whole::of(1)) } else { parts }
}

fn money(minor_units: &Whole, digits: usize) -> String {
    let text = format!("{:0>1$}", minor_units.text(), digits + 1);
    let (integer, fraction) = text.split_at(text.len() - digits);
    if digits == 0 { text } else { format!("{integer}.{fraction}") }
}

fn share(days: usize, period_days: usize) -> Fraction {
    Fraction { top: Whole::of(days), bottom: Whole::of(period_days) }
}

const CURRENCIES: [(&str, usize); 4] = [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4)];
const MODES: [(&str, Mode); 2] = [("half_up", Mode::HalfUp), ("half_even", Mode::HalfEven)];

/// A catalog of one plan, the lines of its one phase and what else the phase says.
fn catalog(currency: &str, mode: &str, lines: &[String], rest: &str) -> Catalog {
    let text = format!(
        r#"{{"business_entities": [{{"id": "be_1", "rounding": "{mode}"}}],
        "customers": [{{"id": "cus_1", "business_entity_id": "be_1"}}],
        "plans": [{{"id": "plan", "currency": "{currency}", "phases": [{{"pricings": [{}] {rest}}}]}}]}}"#,
        lines.join(", ")
    );
    Catalog::load(parse(&text)).unwrap_or_else(|why| panic!("{why}"))
}

fn line(id: usize, cadence: &str, quantity: &str, price: &str, rest: &str) -> String {
    format!(
        r#"{{"id": "{id}", "product": {{"id": "p"}}, "billing_period": {{"cadence": "{cadence}", "offset": "prepaid"}},
        "quantity": {{"value": "{quantity}"}},
        "pricing_data": {{"pricing_type": "per_unit", "unit_amount": "{price}"}} {rest}}}"#
    )
}

/// The current invoice of a contract of so many days from 2026-01-01.
fn invoice(catalog: &Catalog, days: usize) -> Json {
    let end = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(days as u64 - 1);
    let request = parse(&format!(r#"{{"plan_id": "plan", "customer_id": "cus_1", "end_date": "{end}"}}"#));
    let preview = preview(&request, catalog, noon("2026-01-01")).unwrap_or_else(|why| panic!("{why}"));
    at(&parse(&json::to_text(&preview)), "estimates/current_invoice").clone()
}

fn column(invoice: &Json, name: &str) -> Vec<String> {
    list(invoice, "line_items").iter().map(|item| text(item, name).to_owned()).collect()
}

/// `1234` half minor units with 2 digits are `6.170`.
fn half_units(halves: usize, digits: usize) -> String {
    money(&Whole::of(halves * 5), digits + 1)
}

/// Prices whose shares in a period of `period_days` are halves: an odd number of half units for every `period_days`
/// units; then neighbours of a half, and prices that are nothing in particular.
fn prices(period_days: usize, digits: usize) -> Vec<String> {
    let mut prices: Vec<String> = (1..=9).map(|times| half_units(times * period_days, digits)).collect();
    prices.extend(["0", "0.000000000001", "1", "0.333333333333", "29.9", "1234.565"].map(String::from));
    // Just below and above half a unit of the whole period: 0.004999999999, 0.005, 0.005000000001.
    let half = half_units(1, digits);
    let below = Whole::new(&format!("{}{}", half.replace('.', ""), "0".repeat(12 - digits - 1))).minus(&Whole::of(1));
    prices.push(money(&below, 12));
    prices.push(format!("{half}{}1", "0".repeat(12 - digits - 2)));
    prices
}

/// R6.1: subtotal = round(price × days / period days), for every share of every period up to a month and of a year.
#[test]
fn every_share_of_every_period() {
    let periods: Vec<usize> = (1..=31).chain([90, 91, 92, 365]).collect();
    let mut halves = 0;
    for (currency, digits) in CURRENCIES {
        for (mode_name, mode) in MODES {
            for &period_days in &periods {
                let prices = prices(period_days, digits);
                let cadence = format!("P{period_days}D");
                let lines: Vec<String> =
                    prices.iter().enumerate().map(|(id, price)| line(id, &cadence, "1", price, "")).collect();
                let catalog = catalog(currency, mode_name, &lines, "");
                let step = if period_days > 31 { 7 } else { 1 };
                for days in (1..=period_days).step_by(step) {
                    let got = column(&invoice(&catalog, days), "subtotal");
                    for (price, got) in prices.iter().zip(&got) {
                        let exact = Fraction::decimal(price).times(&share(days, period_days));
                        let wanted = money(&rounded(&exact, digits, mode), digits);
                        let other =
                            rounded(&exact, digits, if mode == Mode::HalfUp { Mode::HalfEven } else { Mode::HalfUp });
                        halves += usize::from(money(&other, digits) != wanted);
                        assert_eq!(*got, wanted, "{price} {currency} x {days}/{period_days}, {mode_name}");
                    }
                }
            }
        }
    }
    assert!(halves > 1000, "only {halves} amounts were halves that the two ways of rounding tell apart");
}

/// R1.5: quantities and prices with all the digits there may be: nothing is rounded on the way.
#[test]
fn long_factors() {
    let factors = [
        ("999999.999999", "999999.999999999999"),
        ("0.000001", "999999999999.999999999999"),
        ("999999999999.999999", "0.000000000001"),
        ("123456.789012", "987654.321098765432"),
        ("333333.333333", "0.333333333333"),
        ("1", "999999999999.995"),
        ("7.000007", "14285714.142857142857"),
    ];
    for (currency, digits) in CURRENCIES {
        for (mode_name, mode) in MODES {
            let lines: Vec<String> = factors
                .iter()
                .enumerate()
                .map(|(id, (quantity, price))| line(id, "P365D", quantity, price, ""))
                .collect();
            let catalog = catalog(currency, mode_name, &lines, "");
            for days in [1, 2, 59, 181, 182, 183, 364, 365] {
                let got = column(&invoice(&catalog, days), "subtotal");
                for ((quantity, price), got) in factors.iter().zip(&got) {
                    let exact = Fraction::decimal(quantity).times(&Fraction::decimal(price)).times(&share(days, 365));
                    let wanted = money(&rounded(&exact, digits, mode), digits);
                    assert_eq!(*got, wanted, "{quantity} x {price} {currency} x {days}/365, {mode_name}");
                }
            }
        }
    }
}

/// R6.2, R8.3: percentages of a discount, of a tax on top and of a tax inside, for amounts that make halves.
#[test]
fn percentages() {
    let percents = ["0", "0.5", "1", "2.5", "5", "7.7", "8.875", "12.5", "19", "25", "33.333", "50", "99.99", "100"];
    let tax = |percent: &str, is_inclusive: bool| {
        format!(r#", "taxes": [{{"name": "VAT", "percent": "{percent}", "is_inclusive": {is_inclusive}}}]"#)
    };
    let hundredth = |percent: &str| Fraction::decimal(percent).times(&share(1, 100));
    for (currency, digits) in CURRENCIES {
        for (mode_name, mode) in MODES {
            for percent in percents {
                let amounts: Vec<String> = (1..=40).map(|units| money(&Whole::of(units * 5), digits)).collect();
                let lines = |rest: &str| -> Vec<String> {
                    amounts.iter().enumerate().map(|(id, amount)| line(id, "P1M", "1", amount, rest)).collect()
                };
                let discount = format!(r#", "discounts": [{{"type": "percent", "value": "{percent}"}}]"#);
                let discounted = invoice(&catalog(currency, mode_name, &lines(&discount), ""), 31);
                let on_top = invoice(&catalog(currency, mode_name, &lines(&tax(percent, false)), ""), 31);
                let inside = invoice(&catalog(currency, mode_name, &lines(&tax(percent, true)), ""), 31);
                for (at, amount) in amounts.iter().enumerate() {
                    let context = format!("{percent} percent of {amount} {currency}, {mode_name}");
                    let exact = Fraction::decimal(amount);
                    let part = money(&rounded(&exact.times(&hundredth(percent)), digits, mode), digits);
                    assert_eq!(column(&discounted, "discount_amount")[at], part, "{context}: discount");
                    assert_eq!(column(&on_top, "tax_amount")[at], part, "{context}: tax");
                    // 100 + percent, over 100.
                    let percent = Fraction::decimal(percent);
                    let gross = Fraction {
                        top: percent.bottom.times(&Whole::of(100)).plus(&percent.top),
                        bottom: percent.bottom.times(&Whole::of(100)),
                    };
                    let net = rounded(&exact.per(&gross), digits, mode);
                    let whole = Whole::of((at + 1) * 5);
                    assert_eq!(
                        column(&inside, "tax_amount")[at],
                        money(&whole.minus(&net), digits),
                        "{context}: inside"
                    );
                }
            }
        }
    }
}

/// R8.2: a fixed discount over three charges, unit by unit: each gets what it is owed rounded down, and of the units
/// that are still missing each goes to whoever is owed most of one, the earliest on a tie.
#[test]
fn a_fixed_discount_over_three_charges() {
    let amounts = [0, 1, 2, 3, 7, 10, 100];
    for first in amounts {
        for second in amounts {
            for third in amounts {
                let charges = [first, second, third];
                let sum: usize = charges.iter().sum();
                let lines: Vec<String> = charges
                    .iter()
                    .enumerate()
                    .map(|(id, amount)| line(id, "P1M", "1", &amount.to_string(), ""))
                    .collect();
                for discount in [1, 2, 3, 5, 8, 50, sum.saturating_sub(1), sum, sum + 1] {
                    let rest = format!(r#", "discounts": [{{"type": "fixed", "value": "{discount}"}}]"#);
                    let got = column(&invoice(&catalog("JPY", "half_up", &lines, &rest), 31), "phase_discount_amount");
                    let wanted = shared_out(discount.min(sum), &charges).map(|part| part.to_string());
                    assert_eq!(got, wanted, "{discount} over {charges:?}");
                }
            }
        }
    }
}

/// `units` in proportion to `weights`, by handing out the missing units one after another.
fn shared_out(units: usize, weights: &[usize; 3]) -> [usize; 3] {
    let sum: usize = weights.iter().sum();
    if sum == 0 {
        return [0; 3];
    }
    let mut parts = weights.map(|weight| units * weight / sum);
    let mut owed = weights.map(|weight| units * weight % sum);
    while parts.iter().sum::<usize>() < units {
        let largest = owed.iter().max().copied().unwrap_or(0);
        let at = owed.iter().position(|rest| *rest == largest).unwrap_or(0);
        parts[at] += 1;
        owed[at] = 0;
    }
    parts
}

#[test]
fn the_school_arithmetic_is_right() {
    let (a, b) = (Whole::new("123456789012345678901234567890"), Whole::new("987654321"));
    assert_eq!(a.times(&b).text(), "121932631124828532112482853211126352690");
    let (parts, rest) = a.divided_by(&b);
    assert_eq!(parts.times(&b).plus(&rest), a);
    assert_eq!(a.plus(&b).minus(&b), a);
    assert_eq!(money(&Whole::of(5), 2), "0.05");
    assert_eq!(money(&rounded(&Fraction::decimal("2.5"), 0, Mode::HalfEven), 0), "2");
    assert_eq!(money(&rounded(&Fraction::decimal("2.5"), 0, Mode::HalfUp), 0), "3");
    assert_eq!(half_units(1, 2), "0.005");
}

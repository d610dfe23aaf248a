//! Amounts as fractions of whole numbers: decimals in, exact results, rounded once, decimals out.

use num_rational::Ratio;
use serde_json::Value;
use std::cmp::Reverse;

/// R1.5. Too long a fraction panics, as all whole numbers do here that overflow.
pub type Exact = Ratio<i128>;

pub fn whole(number: i64) -> Exact {
    Exact::from_integer(number.into())
}

pub fn fraction(top: i64, bottom: i64) -> Exact {
    Exact::new(top.into(), bottom.into())
}

fn ten_to(places: usize) -> Exact {
    Exact::from_integer(10_i128.pow(u32::try_from(places).unwrap()))
}

/// A decimal, as a string or a number (R1.3); null is none.
pub fn read(value: &Value) -> Option<Exact> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    let (integer, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let units: i128 = format!("{integer}{decimals}").parse().unwrap();
    Some(Exact::from_integer(units) / ten_to(decimals.len()))
}

/// A decimal without needless zeros (R1.3).
pub fn write(value: Exact) -> String {
    let places = (0..).find(|places| (value * ten_to(*places)).is_integer()).unwrap();
    with_places(value, places)
}

fn with_places(value: Exact, places: usize) -> String {
    let units = (value * ten_to(places)).to_integer();
    let digits = format!("{:0>width$}", units.abs(), width = places + 1);
    let (integer, decimals) = digits.split_at(digits.len() - places);
    let sign = if units < 0 { "-" } else { "" };
    let point = if places > 0 { "." } else { "" };
    format!("{sign}{integer}{point}{decimals}")
}

/// How a currency's amounts are rounded and written.
#[derive(Debug, Clone, Copy)]
pub struct Money {
    /// The digits of the currency's minor unit.
    places: usize,
    is_half_even: bool,
}

impl Money {
    pub fn new(currency: &str, rounding: Option<&str>) -> Money {
        let places = match currency {
            "JPY" => 0,
            "KWD" => 3,
            "CLF" => 4,
            "EUR" | "USD" => 2,
            _ => panic!("{currency} does not come up"),
        };
        Money { places, is_half_even: rounding == Some("half_even") }
    }

    /// R1.6
    pub fn round(self, amount: Exact) -> Exact {
        if amount < whole(0) {
            return -self.round(-amount);
        }
        let units = amount * ten_to(self.places);
        let (below, half) = (units.floor(), fraction(1, 2));
        let rest = units - below;
        let goes_up = rest > half || rest == half && (!self.is_half_even || below.to_integer() % 2 == 1);
        let rounded = if goes_up { below + whole(1) } else { below };
        rounded / ten_to(self.places)
    }

    pub fn write(self, amount: Exact) -> String {
        with_places(amount, self.places)
    }

    /// Shares an amount in proportion to `parts` (R8.2): each rounded down, the units still missing one each to the
    /// largest remainders, the earlier part first on a tie.
    pub fn share_out(self, amount: Exact, parts: &[Exact]) -> Vec<Exact> {
        let together: Exact = parts.iter().sum();
        if together == whole(0) {
            return vec![whole(0); parts.len()];
        }
        let units: Vec<Exact> = parts.iter().map(|part| amount * part / together * ten_to(self.places)).collect();
        let mut shares: Vec<Exact> = units.iter().map(Exact::floor).collect();
        let missing = amount * ten_to(self.places) - shares.iter().sum::<Exact>();
        let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
        by_remainder.sort_by_key(|part| Reverse(units[*part].fract()));
        for part in by_remainder.into_iter().take(usize::try_from(missing.to_integer()).unwrap()) {
            shares[part] += whole(1);
        }
        shares.into_iter().map(|units| units / ten_to(self.places)).collect()
    }
}

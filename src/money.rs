//! Exact amounts: reading decimals, multiplying without loss, and the only rounding.
//!
//! Input: decimals from the wire. Output: [`Money`] in a currency's minor units. Neighbours: `price` multiplies
//! quantities by rates, `charge` and `invoice` round.
//!
//! Everything is an integer with a fixed scale, wide enough for any amount within R1.4, so that an operation is either
//! exact or answers [`OutOfRange`]:
//!
//! | type | unit | largest |
//! |---|---|---|
//! | [`Quantity`] | 10⁻⁶ | 10¹² |
//! | [`Rate`] (prices, amounts, percentages) | 10⁻¹² | 10¹² |
//! | [`Exact`] (not rounded) | 10⁻²⁰ | 10¹⁵ |
//! | [`Money`] (rounded) | the currency's minor unit | 10¹⁵ |

use crate::json::{Json, parted, whole};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use std::fmt;

/// An amount reached 10¹⁵ (R1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfRange;

const QUANTITY_SCALE: u32 = 6;
const RATE_SCALE: u32 = 12;
const EXACT_SCALE: u32 = 20;

/// 10ⁿ for the scales above; beyond 38 it saturates, which no caller reaches.
const fn ten_to(n: u32) -> i128 {
    10_i128.saturating_pow(n)
}

/// A quantity of units, seats or usage, at most 12 integer and 6 fraction digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity(i64);

impl Quantity {
    pub(crate) const ZERO: Quantity = Quantity(0);
    pub(crate) const ONE: Quantity = Quantity(1_000_000);

    /// A decimal from the wire (R1.3, R1.4); `None` if it is not one, or too long.
    pub(crate) fn read(json: &Json) -> Option<Quantity> {
        read_scaled(json, QUANTITY_SCALE).and_then(Quantity::of)
    }

    /// The same from text alone.
    pub(crate) fn read_text(text: &str) -> Option<Quantity> {
        scaled(text, QUANTITY_SCALE).and_then(Quantity::of)
    }

    fn of(millionths: i128) -> Option<Quantity> {
        i64::try_from(millionths).ok().map(Quantity)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// What is left after taking `other` away, not below 0.
    pub(crate) fn less(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_sub(other.0).max(0))
    }

    pub(crate) fn is_multiple_of(self, step: Quantity) -> bool {
        self.0.checked_rem(step.0) == Some(0)
    }

    /// How many packages of `size` hold the quantity: ⌈q / size⌉.
    pub(crate) fn packages(self, size: Quantity) -> Units {
        let whole = self.0.checked_div(size.0).unwrap_or(0);
        let begun = i64::from(self.0.checked_rem(size.0).unwrap_or(0) > 0);
        Units(i128::from(whole.saturating_add(begun)).saturating_mul(Quantity::ONE.0.into()))
    }
}

/// What a price is multiplied by: a quantity, or so many packages, of which there may be 10¹⁸.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Units(i128);

impl From<Quantity> for Units {
    fn from(quantity: Quantity) -> Units {
        Units(quantity.0.into())
    }
}

/// A price, an amount or a percentage from the wire, at most 12 integer and 12 fraction digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rate(i128);

impl Rate {
    pub(crate) const ZERO: Rate = Rate(0);
    pub(crate) const HUNDRED: Rate = Rate(ten_to(RATE_SCALE + 2));

    /// A decimal from the wire (R1.3, R1.4); `None` if it is not one, or too long.
    pub(crate) fn read(json: &Json) -> Option<Rate> {
        read_scaled(json, RATE_SCALE).map(Rate)
    }

    /// The sum of percentages.
    pub(crate) fn sum(rates: impl Iterator<Item = Rate>) -> Rate {
        Rate(rates.fold(0, |sum, rate| sum.saturating_add(rate.0)))
    }

    /// Not rounded: this amount as an exact one.
    pub(crate) fn exact(self) -> Result<Exact, OutOfRange> {
        const TO_EXACT: i128 = ten_to(EXACT_SCALE - RATE_SCALE);
        Exact::within(product(self.0, TO_EXACT))
    }

    /// `units × rate`, exactly.
    pub(crate) fn times(self, units: Units) -> Result<Exact, OutOfRange> {
        const TO_EXACT: i128 = ten_to(EXACT_SCALE - RATE_SCALE - QUANTITY_SCALE);
        Exact::within(product(self.0, units.0).and_then(|amount| product(amount, TO_EXACT)))
    }

    /// `quantity × rate / 100`, exactly: `rate` per cent of an amount of money.
    pub(crate) fn percent_of(self, quantity: Quantity) -> Result<Exact, OutOfRange> {
        Exact::within(product(self.0, quantity.0.into()))
    }
}

/// An exact amount, not yet rounded; always below 10¹⁵.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact(i128);

impl Exact {
    pub(crate) const ZERO: Exact = Exact(0);

    fn within(value: Option<i128>) -> Result<Exact, OutOfRange> {
        const END: u128 = LIMIT.saturating_mul(ten_to(EXACT_SCALE)).unsigned_abs();
        value.filter(|value| value.unsigned_abs() < END).map(Exact).ok_or(OutOfRange)
    }

    pub(crate) fn plus(self, other: Exact) -> Result<Exact, OutOfRange> {
        Exact::within(self.0.checked_add(other.0))
    }
}

/// Amounts whose absolute value reaches this many major units are refused.
const LIMIT: i128 = ten_to(15);

/// How many of its units [`Exact`] has in a currency's minor unit, by the currency's digits.
const UNITS: [i128; 5] = [
    ten_to(EXACT_SCALE),
    ten_to(EXACT_SCALE - 1),
    ten_to(EXACT_SCALE - 2),
    ten_to(EXACT_SCALE - 3),
    ten_to(EXACT_SCALE - 4),
];
/// [`LIMIT`] in a currency's minor units, by the currency's digits.
const LIMITS: [i128; 5] = [LIMIT, LIMIT * 10, LIMIT * 100, LIMIT * 1000, LIMIT * 10_000];

/// No currency has more than 4 digits.
fn by_digits(digits: u32, values: &[i128; 5]) -> i128 {
    let [.., last] = values;
    usize::try_from(digits).ok().and_then(|digits| values.get(digits)).copied().unwrap_or(*last)
}

/// How halves are rounded (R1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// Away from zero.
    HalfUp,
    /// To the even neighbour.
    HalfEven,
}

/// A fraction of a whole, such as 26 days of 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) part: i64,
    pub(crate) whole: i64,
}

impl Share {
    pub(crate) const WHOLE: Share = Share { part: 1, whole: 1 };
}

/// `a × b`, as far as any amount goes: `None` from 2¹²⁶ at the earliest, which is more than 10¹⁵ in any unit.
fn product(a: i128, b: i128) -> Option<i128> {
    fits(a.unsigned_abs(), b.unsigned_abs(), 1).then(|| a.wrapping_mul(b))
}

/// Whether a product surely leaves so many of 128 bits free. (To multiply and see takes several times as long.)
fn fits(a: u128, b: u128, free: u32) -> bool {
    a.leading_zeros().saturating_add(b.leading_zeros()) >= u128::BITS.saturating_add(free)
}

/// The one rounding: `a × b / divisor` to the nearest integer, the product never cut short.
fn rounded(a: i128, b: i128, divisor: i128, rounding: Rounding) -> Option<i128> {
    let negative = (a < 0) != (b < 0);
    let (quotient, remainder) = multiply_divide(a.unsigned_abs(), b.unsigned_abs(), divisor.unsigned_abs())?;
    let below_half = divisor.unsigned_abs().checked_sub(remainder)?;
    let up = match remainder.cmp(&below_half) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => match rounding {
            Rounding::HalfUp => true,
            Rounding::HalfEven => quotient.checked_rem(2)? == 1,
        },
    };
    let magnitude = i128::try_from(quotient.checked_add(u128::from(up))?).ok()?;
    Some(if negative { magnitude.checked_neg()? } else { magnitude })
}

/// `a × b / divisor` as quotient and remainder; `None` only if the quotient itself exceeds 128 bits.
fn multiply_divide(a: u128, b: u128, divisor: u128) -> Option<(u128, u128)> {
    if fits(a, b, 0) {
        let product = a.wrapping_mul(b);
        // Not divided once more for the remainder.
        let quotient = product.checked_div(divisor)?;
        return Some((quotient, product.wrapping_sub(quotient.wrapping_mul(divisor))));
    }
    // The product may have more than 128 bits: take `a` to the divisor first, then double and add along the bits of `b`,
    // keeping quotient and remainder (divisors stay far below 2¹²⁷, so the sums of two remainders fit).
    let (whole, rest) = (a.checked_div(divisor)?, a.checked_rem(divisor)?);
    let (mut quotient, mut remainder) = (0_u128, 0_u128);
    for bit in (0..u128::BITS).rev() {
        let set = b.checked_shr(bit)? & 1 == 1;
        let (add_whole, add_rest) = if set { (whole, rest) } else { (0, 0) };
        let sum = remainder.checked_mul(2)?.checked_add(add_rest)?;
        quotient = quotient.checked_mul(2)?.checked_add(add_whole)?.checked_add(sum.checked_div(divisor)?)?;
        remainder = sum.checked_rem(divisor)?;
    }
    Some((quotient, remainder))
}

/// A currency of ISO 4217 that has minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Currency {
    pub(crate) code: &'static str,
    digits: u32,
}

/// Every currency by its number of minor digits; the last six have been withdrawn but stand in old contracts.
const CURRENCIES: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW \
         CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF \
         IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK \
         MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP \
         SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER \
         ZAR ZMW ZWG ANG BGN CUC HRK SLL ZWL",
    ),
];

impl Currency {
    /// The currency of a code, `USD`; `None` if there is none of that name.
    pub(crate) fn find(code: &str) -> Option<Currency> {
        CURRENCIES.iter().find_map(|&(digits, codes)| {
            let code = codes.split_ascii_whitespace().find(|known| *known == code)?;
            Some(Currency { code, digits })
        })
    }
}

/// How amounts of one invoice are rounded: to which minor unit, and where halves go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounder {
    pub(crate) currency: Currency,
    pub(crate) rounding: Rounding,
}

impl Rounder {
    pub(crate) fn zero(self) -> Money {
        Money { minor: 0, digits: self.currency.digits }
    }

    fn money(self, minor: Option<i128>) -> Result<Money, OutOfRange> {
        self.zero().within(minor)
    }

    /// round(amount × share).
    pub(crate) fn share_of(self, amount: Exact, share: Share) -> Result<Money, OutOfRange> {
        let unit = by_digits(self.currency.digits, &UNITS);
        let Share { part, whole } = if share.part == share.whole { Share::WHOLE } else { share };
        let divisor = product(whole.into(), unit);
        self.money(divisor.and_then(|divisor| rounded(amount.0, part.into(), divisor, self.rounding)))
    }

    /// round(amount × share) of an amount already rounded.
    pub(crate) fn share_of_money(self, amount: Money, share: Share) -> Result<Money, OutOfRange> {
        self.money(rounded(amount.minor, i128::from(share.part), i128::from(share.whole), self.rounding))
    }

    /// round(amount).
    pub(crate) fn round(self, amount: Rate) -> Result<Money, OutOfRange> {
        self.share_of(amount.exact()?, Share::WHOLE)
    }

    /// round(amount × percent / 100).
    pub(crate) fn percent_of(self, amount: Money, percent: Rate) -> Result<Money, OutOfRange> {
        self.money(rounded(amount.minor, percent.0, Rate::HUNDRED.0, self.rounding))
    }

    /// round(amount / (1 + percent / 100)): what an amount is without the tax inside it.
    pub(crate) fn without_percent(self, amount: Money, percent: Rate) -> Result<Money, OutOfRange> {
        let whole = Rate::HUNDRED.0.checked_add(percent.0);
        self.money(whole.and_then(|whole| rounded(amount.minor, Rate::HUNDRED.0, whole, self.rounding)))
    }

    /// `amount` shared in proportion to `weights`: every part rounded down, the units still missing one each to the
    /// largest remainders, the earlier first on a tie (R8.2). A negative amount is the mirror image of its positive.
    pub(crate) fn shared(self, amount: Money, weights: &[i128]) -> Result<Vec<Money>, OutOfRange> {
        let total = weights.iter().try_fold(0_i128, |sum, weight| sum.checked_add(*weight)).ok_or(OutOfRange)?;
        if total == 0 {
            return Ok(vec![self.zero(); weights.len()]);
        }
        let mut missing = amount.minor.unsigned_abs();
        let mut parts = Vec::with_capacity(weights.len());
        for weight in weights {
            let (part, remainder) =
                multiply_divide(amount.minor.unsigned_abs(), weight.unsigned_abs(), total.unsigned_abs())
                    .ok_or(OutOfRange)?;
            missing = missing.saturating_sub(part);
            parts.push((part, remainder));
        }
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_unstable_by_key(|&index| (std::cmp::Reverse(parts.get(index).map(|part| part.1)), index));
        for index in order.into_iter().take(usize::try_from(missing).map_err(|_| OutOfRange)?) {
            if let Some(part) = parts.get_mut(index) {
                part.0 = part.0.saturating_add(1);
            }
        }
        let sign = amount.minor.signum();
        let signed = |part: u128| i128::try_from(part).ok().and_then(|part| part.checked_mul(sign));
        parts.into_iter().map(|(part, _)| self.money(signed(part))).collect()
    }
}

/// Weights for [`Rounder::shared`].
impl Rate {
    pub(crate) fn weight(self) -> i128 {
        self.0
    }
}

/// A rounded amount: an integer of minor units, printed with the currency's digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    minor: i128,
    digits: u32,
}

impl Money {
    fn within(self, minor: Option<i128>) -> Result<Money, OutOfRange> {
        let end = by_digits(self.digits, &LIMITS);
        let minor = minor.filter(|minor| minor.unsigned_abs() < end.unsigned_abs());
        minor.map(|minor| Money { minor, digits: self.digits }).ok_or(OutOfRange)
    }

    /// The amount in minor units: 1050 for 10.50 USD, 1050 for 1050 JPY.
    pub fn minor_units(self) -> i128 {
        self.minor
    }

    /// The amount as a decimal of major units.
    pub fn to_decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(self.minor, self.digits)
    }

    pub(crate) fn printed(self) -> Printed {
        Printed::of(self.minor, self.digits, self.digits)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub(crate) fn is_positive(self) -> bool {
        self.minor > 0
    }

    pub(crate) fn zero(self) -> Money {
        Money { minor: 0, digits: self.digits }
    }

    pub(crate) fn plus(self, other: Money) -> Result<Money, OutOfRange> {
        self.within(self.minor.checked_add(other.minor))
    }

    pub(crate) fn minus(self, other: Money) -> Result<Money, OutOfRange> {
        self.within(self.minor.checked_sub(other.minor))
    }

    pub(crate) fn negated(self) -> Money {
        Money { minor: self.minor.saturating_neg(), digits: self.digits }
    }

    pub(crate) fn min(self, other: Money) -> Money {
        if other.minor < self.minor { other } else { self }
    }

    pub(crate) fn max(self, other: Money) -> Money {
        if other.minor > self.minor { other } else { self }
    }

    pub(crate) fn is_less_than(self, other: Money) -> bool {
        self.minor < other.minor
    }
}

/// Reads a decimal in units of 10⁻ˢᶜᵃˡᵉ.
fn read_scaled(json: &Json, scale: u32) -> Option<i128> {
    match json {
        Json::String(text) => scaled(text, scale),
        Json::Number(number) if number.is_finite() => scaled(&without_exponent(number.as_str())?, scale),
        Json::Number(_) | Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => None,
    }
}

/// `-?[0-9]+(\.[0-9]+)?`, not negative (`-0` is 0), at most 12 integer digits and `scale` fraction digits, counted on
/// the value: `007.50` has one and one.
fn scaled(text: &str, scale: u32) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (integer, fraction) = match parted(digits, digits.bytes().position(|byte| byte == b'.')) {
        Some((integer, fraction)) if !fraction.is_empty() => (integer, fraction.trim_end_matches('0')),
        Some(_) => return None,
        None => (digits, ""),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if integer.is_empty() || !plain(integer) || !plain(fraction) {
        return None;
    }
    let integer = integer.trim_start_matches('0');
    let missing = scale.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    if integer.len() > 12 {
        return None;
    }
    // At most 24 digits in all, which 81 bits hold.
    let digits = integer.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte.wrapping_sub(b'0')));
    let value = digits.fold(0_i128, |value, digit| value.saturating_mul(10).saturating_add(digit));
    if negative && value != 0 {
        return None;
    }
    value.checked_mul(ten_to(missing))
}

/// A number as JavaScript prints it, without the exponent: `1e-7` is `0.0000001`. `None` if it has more digits than any
/// decimal of R1.4.
fn without_exponent(text: &str) -> Option<String> {
    let Some((mantissa, exponent)) = parted(text, text.bytes().position(|byte| byte == b'e')) else {
        return Some(text.to_owned());
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    // JavaScript writes an exponent from 1e21 on (longer than any decimal of R1.4) and from 1e-7 down.
    let places = usize::try_from(whole(exponent.strip_prefix('-')?)?).ok()?;
    let zeros = places.checked_sub(1).filter(|zeros| *zeros <= 12)?;
    let mut text = [sign, "0."].concat();
    text.extend(std::iter::repeat_n('0', zeros).chain(mantissa.chars().filter(|character| *character != '.')));
    Some(text)
}

/// A number without its last nine digits, and these.
fn split(number: u128) -> (u128, u32) {
    const END: u64 = 1_000_000_000;
    let (rest, last) = match u64::try_from(number) {
        Ok(number) => (u128::from(number / END), number % END),
        Err(_) => {
            let rest = number.checked_div(END.into()).unwrap_or(0);
            let last = number.wrapping_sub(rest.wrapping_mul(END.into()));
            (rest, u64::try_from(last).unwrap_or(0))
        }
    };
    (rest, u32::try_from(last).unwrap_or(0))
}

/// `value × 10⁻ˢᶜᵃˡᵉ` with at least `digits` fraction digits and no zeros beyond them, on the stack and from its last digit
/// on: amounts are short, and a preview prints hundreds of them.
pub(crate) struct Printed {
    bytes: [u8; 48],
    start: usize,
}

impl Printed {
    pub(crate) fn of(value: i128, scale: u32, digits: u32) -> Printed {
        // Nine digits at a time: 32 bits divide many times as fast as 64 or 128, above all in a browser.
        const AT_ONCE: u32 = 9;
        let mut rest = value.unsigned_abs();
        let (mut nine, mut position) = (0_u32, 0_u32);
        let mut decimal = Printed { bytes: [0; 48], start: 48 };
        loop {
            if position.is_multiple_of(AT_ONCE) {
                (rest, nine) = split(rest);
            }
            let is_begun = decimal.start < decimal.bytes.len();
            // Zeros at the end of a fraction, three at once: an exact amount has up to twenty of them.
            if !is_begun
                && position.is_multiple_of(3)
                && position.saturating_add(digits).saturating_add(3) <= scale
                && nine.is_multiple_of(1000)
            {
                nine /= 1000;
                position = position.saturating_add(3);
                continue;
            }
            if position == scale && is_begun {
                decimal.put(b'.');
            }
            let digit = u8::try_from(nine % 10).unwrap_or(0);
            nine /= 10;
            if position >= scale || digit != 0 || is_begun || scale.saturating_sub(position) <= digits {
                decimal.put(digit.saturating_add(b'0'));
            }
            if position >= scale && nine == 0 && rest == 0 {
                break;
            }
            position = position.saturating_add(1);
        }
        if value < 0 {
            decimal.put(b'-');
        }
        decimal
    }

    fn put(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(place) = self.bytes.get_mut(self.start) {
            *place = byte;
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.bytes.get(self.start..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

macro_rules! printed_with_scale {
    ($($name:ident $scale:ident)*) => {$(
        impl $name {
            pub(crate) fn printed(self) -> Printed {
                Printed::of(self.0.into(), $scale, 0)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.printed().as_str())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str(self.printed().as_str())
            }
        }
    )*};
}
printed_with_scale! { Quantity QUANTITY_SCALE Rate RATE_SCALE Exact EXACT_SCALE }

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.printed().as_str())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.printed().as_str())
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Rate::read(&Json::String(text.to_owned())).map(|rate| rate.to_string())
    }

    #[test]
    fn decimals_are_read_on_their_value() {
        assert_eq!(read("007.50").as_deref(), Some("7.5"));
        assert_eq!(read("-0").as_deref(), Some("0"));
        assert_eq!(read("-0.00").as_deref(), Some("0"));
        assert_eq!(
            read("000000000000000000999999999999.999999999999000000").as_deref(),
            Some("999999999999.999999999999")
        );
        for refused in [
            "",
            "-",
            "+1",
            "1.",
            ".5",
            "1,5",
            "12,50",
            "1e3",
            " 1",
            "1 ",
            "0x1",
            "-1",
            "1000000000000",
            "0.0000000000001",
            "\u{664}",
        ] {
            assert_eq!(read(refused), None, "{refused:?}");
        }
        assert_eq!(read(&"9".repeat(60)), None);
        assert_eq!(Quantity::read(&Json::String("0.0000001".to_owned())), None);
    }

    #[test]
    fn numbers_mean_the_shortest_decimal_that_reads_back() {
        let read = |number: f64| Rate::read(&Json::Number(number.into())).map(|rate| rate.to_string());
        assert_eq!(read(0.1).as_deref(), Some("0.1"));
        assert_eq!(read(1e-7).as_deref(), Some("0.0000001"));
        assert_eq!(read(1.5e-11).as_deref(), Some("0.000000000015"));
        assert_eq!(read(-0.0).as_deref(), Some("0"));
        assert_eq!(read(123_456_789_012.0).as_deref(), Some("123456789012"));
        for refused in [1e12, 1e21, 1e-13, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[test]
    fn halves_go_where_the_entity_says() {
        for (a, half_up, half_even) in [(1, 1, 0), (3, 2, 2), (5, 3, 2), (-1, -1, 0), (-3, -2, -2), (-5, -3, -2)] {
            assert_eq!(rounded(a, 1, 2, Rounding::HalfUp), Some(half_up), "{a}/2");
            assert_eq!(rounded(a, 1, 2, Rounding::HalfEven), Some(half_even), "{a}/2");
        }
        assert_eq!(rounded(1, 1, 3, Rounding::HalfUp), Some(0));
        assert_eq!(rounded(2, 1, 3, Rounding::HalfEven), Some(1));
    }

    #[test]
    fn products_beyond_128_bits_divide_like_the_others() {
        // (2¹²⁶ + 5) × (2¹²⁶ + 7) / 2¹²⁶ = 2¹²⁶ + 12, and 35 is left.
        let power = 1_u128 << 126;
        assert_eq!(multiply_divide(power + 5, power + 7, power), Some((power + 12, 35)));
        // The same numbers by both ways: a product that fits, scaled up until it does not.
        for (a, b, divisor) in [(10_u128.pow(19), 10_u128.pow(13), 7), (3, 10_u128.pow(30) + 1, 10_u128.pow(26) - 3)] {
            let (quotient, remainder) = multiply_divide(a, b, divisor).unwrap();
            assert_eq!(quotient * divisor + remainder, a * b);
            let scale = 10_u128.pow(9);
            assert_eq!(multiply_divide(a * scale, b, divisor * scale), Some((quotient, remainder * scale)));
        }
        assert_eq!(multiply_divide(u128::MAX, u128::MAX, 1), None);
        assert_eq!(multiply_divide(1, 1, 0), None);
    }

    #[test]
    fn shares_add_up_and_mirror() {
        let rounder = Rounder { currency: Currency::find("USD").unwrap(), rounding: Rounding::HalfUp };
        let money = |minor| Money { minor, digits: 2 };
        let shared = |minor, weights: &[i128]| -> Vec<i128> {
            rounder.shared(money(minor), weights).unwrap().into_iter().map(Money::minor_units).collect()
        };
        assert_eq!(shared(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(shared(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(shared(5, &[1, 2, 4]), [1, 1, 3]);
        assert_eq!(shared(7, &[0, 0]), [0, 0]);
        assert_eq!(shared(0, &[3, 4]), [0, 0]);
    }

    #[test]
    fn amounts_end_below_ten_to_the_fifteenth() {
        let largest = Rate(999_999_999_999 * ten_to(RATE_SCALE));
        assert!(largest.times(Quantity(1000 * Quantity::ONE.0).into()).is_ok());
        assert_eq!(largest.times(Quantity(1001 * Quantity::ONE.0).into()), Err(OutOfRange));
        assert_eq!(largest.times(Quantity(10_i64.pow(18) - 1).into()), Err(OutOfRange));
        let money = Money { minor: LIMIT * 100 - 1, digits: 2 };
        assert!(money.plus(money.zero()).is_ok());
        assert_eq!(money.plus(Money { minor: 1, digits: 2 }), Err(OutOfRange));
    }

    #[test]
    fn every_currency_stands_once() {
        let all: Vec<&str> = CURRENCIES.iter().flat_map(|(_, codes)| codes.split_ascii_whitespace()).collect();
        let once: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), once.len());
        assert!(all.iter().all(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
        assert_eq!(Currency::find("usd"), None);
        assert_eq!(Currency::find("XXX"), None);
    }
}

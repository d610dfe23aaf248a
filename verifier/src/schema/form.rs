//! The forms of single values: ids, days, instants, decimals, currencies, links.
//!
//! Input: R1.1 to R1.4. Output: schemas that the other files name in their fields. What comes in may be written in more
//! ways than what goes out, so most values have two.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// An id: 1 to 255 printable ASCII characters without spaces.
#[derive(ToSchema)]
#[schema(pattern = "^[!-~]+$", min_length = 1, max_length = 255, examples("team_monthly_usd"))]
pub struct Id(pub String);

/// A calendar date from 1970-01-01 to 2999-12-31. A date-time means the date written in it, whatever its offset (R1.1).
#[derive(ToSchema)]
#[schema(
    pattern = "^(19[7-9][0-9]|2[0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?$",
    examples("2026-11-22", "2026-11-22T23:30:00-05:00")
)]
pub struct Date(pub String);

/// A calendar date as it goes out.
#[derive(ToSchema)]
#[schema(format = Date, examples("2026-11-22"))]
pub struct Day(pub String);

/// An instant with an offset (RFC 3339), read to the microsecond (R1.1).
#[derive(ToSchema)]
#[schema(
    pattern = "^[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
    examples("2026-11-23T10:00:00Z", "2026-11-23T11:00:00.5+01:00")
)]
pub struct Instant(pub String);

/// An instant in UTC as it goes out, with a fraction only where there is one (R1.1).
#[derive(ToSchema)]
#[schema(
    format = DateTime,
    pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,5}[1-9])?Z$",
    examples("2026-11-23T10:00:00Z")
)]
pub struct UtcInstant(pub String);

/// An absolute `http` or `https` URL with a host, 1 to 2083 characters. It is kept as it was sent.
#[derive(ToSchema)]
#[schema(
    min_length = 1,
    max_length = 2083,
    pattern = "^[Hh][Tt][Tt][Pp][Ss]?://([^/?#\\s\\x00-\\x1f\\x7f-\\x9f\\\\<>\"]*@)?(\\[[^/?#@\\s\\x00-\\x1f\\x7f-\\x9f\\\\<>\"]+\\]|[^/?#@:\\[\\]^|`{}\\s\\x00-\\x1f\\x7f-\\x9f\\\\<>\"]+)(:0*([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])?)?([/?#][^\\s\\x00-\\x1f\\x7f-\\x9f\\\\<>\"]*)?$",
    examples("https://shop.example.com/done")
)]
pub struct Url(pub String);

/// A length of time in one unit, 1 to 1200 of it: days, weeks, months or years (R3.1). P12M and P1Y are the same.
#[derive(ToSchema)]
#[schema(pattern = "^P0*([1-9][0-9]{0,2}|1[01][0-9]{2}|1200)[DWMY]$", examples("P1M", "P14D", "P1Y"))]
pub struct Duration(pub String);

/// How long a checkout stays open: 1 to 1200 hours or minutes (R3.1).
#[derive(ToSchema)]
#[schema(pattern = "^PT0*([1-9][0-9]{0,2}|1[01][0-9]{2}|1200)[HM]$", examples("PT24H", "PT30M"))]
pub struct TimeToLive(pub String);

/// Money as it goes out, with the currency's own digits: `"29.90"`, `"500"` in JPY, `"1.250"` in KWD. A credit is
/// negative (R1.3).
#[derive(ToSchema)]
#[schema(pattern = "^-?(0|[1-9][0-9]{0,14})(\\.[0-9]{2,4})?$", examples("29.90", "-100.65"))]
pub struct Money(pub String);

/// A quantity as it goes out, without needless zeros (R1.3).
#[derive(ToSchema)]
#[schema(pattern = "^(0|[1-9][0-9]{0,11})(\\.[0-9]{0,5}[1-9])?$", examples("8", "1.5"))]
pub struct QuantityOut(pub String);

/// A price or a percentage as it goes out, without needless zeros (R1.3).
#[derive(ToSchema)]
#[schema(pattern = "^(0|[1-9][0-9]{0,11})(\\.[0-9]{0,11}[1-9])?$", examples("19", "0.0025"))]
pub struct RateOut(pub String);

/// An amount that is not rounded, without needless zeros (R4.2).
#[derive(ToSchema)]
#[schema(pattern = "^(0|[1-9][0-9]{0,14})(\\.[0-9]{0,19}[1-9])?$", examples("1000", "0.005"))]
pub struct ExactAmount(pub String);

/// A schema that is written out, because it is of more than one type or comes from a list.
macro_rules! written_out {
    ($($name:ident $schema:expr;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Schema::from($schema).into()
            }
        }
        impl ToSchema for $name {}
    )*};
}

/// A quantity that comes in.
pub struct Quantity;

/// A quantity above 0 that comes in.
pub struct QuantityAboveZero;

/// A price, an amount or a percentage that comes in.
pub struct Rate;

/// A currency of ISO 4217.
pub struct Currency;

written_out! {
    Quantity decimal(
        "A quantity: a plain decimal, or a number, which means the shortest decimal that reads back to it. Not negative, \
         at most 12 integer and 6 fraction digits, needless zeros not counted (R1.3, R1.4).",
        "^(-0+(\\.0+)?|0*[0-9]{1,12}(\\.[0-9]{1,6}0*)?)$",
    ).minimum(Some(0)).examples(["8", "1.5"]);

    QuantityAboveZero decimal(
        "A quantity above 0: a plain decimal or a number, at most 12 integer and 6 fraction digits (R1.4, R3.2).",
        "^(0*[1-9][0-9]{0,11}(\\.[0-9]{1,6}0*)?|0+\\.[0-9]{0,5}[1-9]0*)$",
    ).exclusive_minimum(Some(0)).examples(["100"]);

    Rate decimal(
        "A price, an amount in major units or a percentage: a plain decimal, or a number, which means the shortest decimal \
         that reads back to it. Not negative, at most 12 integer and 12 fraction digits, needless zeros not counted \
         (R1.3, R1.4).",
        "^(-0+(\\.0+)?|0*[0-9]{1,12}(\\.[0-9]{1,12}0*)?)$",
    ).minimum(Some(0)).examples(["29.90", "0.0025"]);

    Currency ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("A currency of ISO 4217 that has minor units."))
        .enum_values(Some(CURRENCIES.split_ascii_whitespace()))
        .examples(["USD"]);
}

/// How many fraction digits a number has cannot be said: `multipleOf` 0.000001 is computed with binary fractions by most
/// validators, and refuses 0.1 in some.
fn decimal(description: &str, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Number]))
        .description(Some(description))
        .pattern(Some(pattern))
        .exclusive_maximum(Some(1_000_000_000_000_i64))
}

/// The engine's, and no other: a test asks it about every code of three letters.
const CURRENCIES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP \
    BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
    GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP \
    LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP \
    PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY \
    TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

/// What is not there, or null.
pub(super) fn null() -> Object {
    ObjectBuilder::new().schema_type(Type::Null).build()
}

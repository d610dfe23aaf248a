//! The forms of single values: ids, dates, decimals, URLs.
//!
//! Input: one [`Json`] value. Output: the value it stands for, or a [`Fault`] that says why not. Neighbours: `request`
//! reports faults under their own codes, `catalog` under `catalog_invalid`.

use crate::date;
use crate::json::{Json, parted, whole};
use crate::money::{Printed, Quantity, Rate};
use crate::problem::{Problem, ProblemCode};
use chrono::{DateTime, NaiveDate, Utc};
use std::borrow::Cow;

/// Why a value is refused, wherever it stands.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: ProblemCode,
    pub(crate) message: Cow<'static, str>,
    pub(crate) help: Cow<'static, str>,
}

impl Fault {
    pub(crate) fn new(
        code: ProblemCode,
        message: impl Into<Cow<'static, str>>,
        help: impl Into<Cow<'static, str>>,
    ) -> Fault {
        Fault { code, message: message.into(), help: help.into() }
    }

    pub(crate) fn at(self, path: impl Into<String>) -> Problem {
        Problem { code: self.code, path: path.into(), message: self.message, help: self.help }
    }
}

/// A value or why it is none.
pub(crate) type Read<T> = Result<T, Fault>;

fn wrong_type<T>(json: &Json, wanted: &'static str) -> Read<T> {
    Err(Fault::new(
        ProblemCode::InvalidType,
        filled("expected %, found %", &[wanted, json.kind()]),
        filled("send %, or leave the field out", &[wanted]),
    ))
}

/// The user's own text for a message: in backticks, cut where it gets long.
pub fn quoted(text: &str) -> String {
    filled("`%`", &[text])
}

/// A text with a value in the place of each `%`. What stands in backticks is the user's own, and cut where it gets long.
///
/// (The standard library's formatting is a tenth of what a browser would have to load.)
pub(crate) fn filled(template: &str, values: &[&str]) -> String {
    const LONGEST: usize = 60;
    let mut text = String::with_capacity(template.len());
    let mut values = values.iter();
    for character in template.chars() {
        let value = if character == '%' { values.next() } else { None };
        let Some(value) = value else {
            text.push(character);
            continue;
        };
        match value.char_indices().nth(LONGEST) {
            Some((end, _)) if text.ends_with('`') => {
                text.push_str(value.get(..end).unwrap_or_default());
                text.push('…');
            }
            Some(_) | None => text.push_str(value),
        }
    }
    text
}

/// A number for a message or a path.
pub(crate) fn digits(number: usize) -> String {
    let number = i128::try_from(number).unwrap_or_default();
    Printed::of(number, 0, 0).as_str().to_owned()
}

pub(crate) fn string(json: &Json) -> Read<&str> {
    match json {
        Json::String(text) => Ok(text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => {
            wrong_type(json, "a string")
        }
    }
}

pub(crate) fn boolean(json: &Json) -> Read<bool> {
    match json {
        Json::Bool(value) => Ok(*value),
        Json::Null | Json::String(_) | Json::Number(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => {
            wrong_type(json, "true or false")
        }
    }
}

pub(crate) fn list(json: &Json) -> Read<&[Json]> {
    match json {
        Json::List(items) => Ok(items),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Number(_) | Json::Object(_) | Json::Foreign(_) => {
            wrong_type(json, "a list")
        }
    }
}

pub(crate) fn object(json: &Json) -> Read<&[(String, Json)]> {
    match json {
        Json::Object(fields) => Ok(fields),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Number(_) | Json::List(_) | Json::Foreign(_) => {
            wrong_type(json, "an object")
        }
    }
}

pub(crate) fn id(json: &Json) -> Read<&str> {
    let text = string(json)?;
    if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text);
    }
    let help = "an id has 1 to 255 printable ASCII characters and no spaces";
    Err(Fault::new(ProblemCode::InvalidId, filled("`%` is not an id", &[text]), help))
}

pub(crate) fn date(json: &Json) -> Read<NaiveDate> {
    let text = string(json)?;
    let help = "send a date such as 2026-11-22, from 1970-01-01 to 2999-12-31";
    date::read_date(text)
        .ok_or_else(|| Fault::new(ProblemCode::InvalidDate, filled("`%` is not a date", &[text]), help))
}

pub(crate) fn instant(json: &Json) -> Read<DateTime<Utc>> {
    let text = string(json)?;
    let help = "send an instant with an offset, such as 2026-11-23T10:00:00Z";
    date::read_instant(text)
        .ok_or_else(|| Fault::new(ProblemCode::InvalidInstant, filled("`%` is not an instant", &[text]), help))
}

/// An instant on a day of R1.4, in UTC.
pub(crate) fn moment(json: &Json) -> Read<DateTime<Utc>> {
    instant(json).and_then(|moment| {
        let is_in_time = date::can_be_named(moment.date_naive());
        let help = "send an instant from 1970-01-01 to 2999-12-31";
        is_in_time.then_some(moment).ok_or_else(|| {
            Fault::new(
                ProblemCode::InvalidInstant,
                filled("`%` is too long ago or ahead", &[&date::write_instant(moment)]),
                help,
            )
        })
    })
}

pub(crate) fn quantity(json: &Json) -> Read<Quantity> {
    let help =
        "send a plain decimal such as \"12\" or \"1.5\", not negative, with at most 12 integer and 6 fraction digits";
    Quantity::read(json).ok_or_else(|| not_a_decimal(json, "a quantity", help))
}

pub(crate) fn rate(json: &Json) -> Read<Rate> {
    let help = "send a plain decimal such as \"29.90\", not negative, with at most 12 integer and 12 fraction digits";
    Rate::read(json).ok_or_else(|| not_a_decimal(json, "an amount", help))
}

fn not_a_decimal(json: &Json, wanted: &str, help: &'static str) -> Fault {
    let found = match json {
        Json::String(text) => quoted(text),
        Json::Number(number) => filled("`%`", &[number.as_str()]),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => json.kind().to_owned(),
    };
    Fault::new(ProblemCode::InvalidDecimal, filled("% is not %", &[&found, wanted]), help)
}

/// An absolute `http` or `https` URL with a host: its form is checked, nothing is resolved or normalised.
pub(crate) fn url(json: &Json) -> Read<&str> {
    let text = string(json)?;
    let characters = text.chars().count();
    if !(1..=2083).contains(&characters) {
        let message = filled("a URL of % characters", &[&digits(characters)]);
        return Err(Fault::new(ProblemCode::InvalidUrl, message, "a URL has 1 to 2083 characters"));
    }
    if has_host(text) {
        return Ok(text);
    }
    let help = "send an absolute URL such as https://shop.example.com/done";
    Err(Fault::new(ProblemCode::InvalidUrl, filled("`%` is not an http or https URL with a host", &[text]), help))
}

fn has_host(text: &str) -> bool {
    let Some((scheme, rest)) = parted(text, text.bytes().position(|byte| byte == b':')) else { return false };
    let Some(rest) = rest.strip_prefix("//") else { return false };
    if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
        return false;
    }
    // Characters that browsers and servers read differently have no place in a redirect.
    if text.chars().any(|character| {
        character.is_whitespace() || character.is_control() || matches!(character, '\\' | '<' | '>' | '"')
    }) {
        return false;
    }
    let end = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let user = authority.bytes().rposition(|byte| byte == b'@');
    let host_and_port = parted(authority, user).map_or(authority, |(_, host)| host);
    let colon = host_and_port.bytes().rposition(|byte| byte == b':');
    let (host, port) = match parted(host_and_port, colon) {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        Some(_) | None => (host_and_port, ""),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
    let named = !host.is_empty() && !host.bytes().any(|byte| b"[]:@^|`{}".contains(&byte));
    (bracketed || named) && (port.is_empty() || whole(port).is_some_and(|port| port <= 65535))
}

/// A whole number in a range, as counts such as `cycles` are.
pub(crate) fn count(json: &Json, least: u32, most: u32) -> Read<u32> {
    let whole = match json {
        Json::Number(number) => whole(number.as_str()),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => None,
    };
    whole.filter(|count| (least..=most).contains(count)).ok_or_else(|| {
        let [least_text, most_text] = [least, most].map(|end| Printed::of(end.into(), 0, 0).as_str().to_owned());
        let message = match json {
            Json::Number(number) => {
                filled("`%` is not a whole number from % to %", &[number.as_str(), &least_text, &most_text])
            }
            Json::Null | Json::Bool(_) | Json::String(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => {
                filled("expected a whole number, found %", &[json.kind()])
            }
        };
        Fault::new(
            ProblemCode::InvalidType,
            message,
            filled("send a whole number from % to %", &[&least_text, &most_text]),
        )
    })
}

/// One of a few words; which of them.
pub(crate) fn word(json: &Json, words: &[&str]) -> Read<usize> {
    let text = string(json)?;
    words.iter().position(|word| *word == text).ok_or_else(|| {
        let help = filled("send one of: %", &[&words.join(", ")]);
        Fault::new(ProblemCode::InvalidType, filled("`%` is not known here", &[text]), help)
    })
}

/// What a text stands for, or what `fault` says of it.
pub(crate) fn text_as<T>(json: &Json, read: fn(&str) -> Option<T>, fault: fn(&str) -> Fault) -> Read<T> {
    let text = string(json)?;
    read(text).ok_or_else(|| fault(text))
}

/// A field of an object; null counts as absent.
pub(crate) fn field<'a>(fields: &'a [(String, Json)], name: &str) -> Option<&'a Json> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| !matches!(value, Json::Null))
}

/// The fields of an object that are not among `known`, each with its fault, by name.
pub(crate) fn unknown_fields<'a>(fields: &'a [(String, Json)], known: &[&'static str]) -> Vec<(&'a str, Fault)> {
    let mut unknown: Vec<&str> =
        fields.iter().map(|(key, _)| key.as_str()).filter(|key| !known.contains(key)).collect();
    unknown.sort_unstable();
    unknown
        .into_iter()
        .map(|name| {
            let near = known
                .iter()
                .filter(|known| name.len().abs_diff(known.len()) <= 2)
                .map(|known| (strsim::osa_distance(name, known), *known))
                .min();
            let help: Cow<'static, str> = match near {
                Some((0..=2, near)) => filled("did you mean `%`?", &[near]).into(),
                Some(_) | None => "leave the field out".into(),
            };
            (name, Fault::new(ProblemCode::UnknownField, filled("there is no field `%`", &[name]), help))
        })
        .collect()
}

/// A name as a step of a JSON pointer (RFC 6901).
pub fn pointer_step(name: &str) -> Cow<'_, str> {
    if !name.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        return name.into();
    }
    let mut step = String::new();
    for character in name.chars() {
        match character {
            '~' => step.push_str("~0"),
            '/' => step.push_str("~1"),
            other => step.push(other),
        }
    }
    step.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_absolute_and_have_a_host() {
        let is_url = |text: &str| url(&Json::String(text.to_owned())).is_ok();
        for text in [
            "https://example.com",
            "http://localhost:8080/x?y=1#z",
            "HTTPS://EXAMPLE.COM/",
            "https://user:pass@example.com/",
            "https://[::1]:443/",
            "https://b\u{fc}cher.example/",
            "https://example.com/a b".replace(' ', "%20").as_str(),
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "",
            "example.com",
            "//example.com",
            "/done",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "ftp://example.com",
            "https://",
            "https:///path",
            "https://?x",
            "https://:443/",
            "https://user@/",
            "https://example.com:99999/",
            "https://example.com:+1/",
            "https://a b/",
            "https://example.com/\n",
            "https:\\\\example.com",
            "https://exa<mple.com",
            "https://[]/",
            "data:text/html,x",
        ] {
            assert!(!is_url(text), "{text}");
        }
        assert!(is_url(&format!("https://example.com/{}", "a".repeat(2083 - 20))));
        assert!(!is_url(&format!("https://example.com/{}", "a".repeat(2083 - 19))));
    }

    #[test]
    fn ids_are_printable_ascii() {
        let is_id = |text: &str| id(&Json::String(text.to_owned())).is_ok();
        assert!(is_id("a") && is_id("cus_1/~!") && is_id(&"x".repeat(255)));
        assert!(!is_id("") && !is_id("a b") && !is_id("\u{e9}") && !is_id("a\t") && !is_id(&"x".repeat(256)));
    }

    #[test]
    fn unknown_fields_are_told_which_one_is_near() {
        let fields = [("plan_idd".to_owned(), Json::Null), ("colour".to_owned(), Json::Null)];
        let found = unknown_fields(&fields, &["plan_id", "contract_id"]);
        let said: Vec<(&str, &str)> = found.iter().map(|(name, fault)| (*name, fault.help.as_ref())).collect();
        assert_eq!(said, [("colour", "leave the field out"), ("plan_idd", "did you mean `plan_id`?")]);
    }

    #[test]
    fn long_input_is_cut_in_messages() {
        assert_eq!(quoted("abc"), "`abc`");
        assert!(quoted(&"\u{e9}".repeat(100)).ends_with("\u{e9}\u{2026}`"));
    }
}

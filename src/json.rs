//! Values as they come over the wire, before anything is known about them.
//!
//! Input: JSON text (servers, command lines) or JavaScript objects (`wasm`). Output: [`Json`], the one form that
//! `request` and `catalog` read. Everything that could make two doors read one document differently is settled here:
//! numbers are IEEE doubles as in JavaScript, a key given twice counts as its last value, integer-like keys come first
//! as in a JavaScript object, and nesting beyond [`MAX_DEPTH`] is cut off.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// How deep lists and objects may nest, the outermost counting as one.
///
/// Deeper values become [`Json::Foreign`], so a document of 100,000 brackets is answered like any other wrong value
/// and never exhausts a stack, natively or in WebAssembly.
pub const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`, or `undefined` in a JavaScript list.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Json>),
    /// An object: its fields in JavaScript's order (integer-like keys ascending, then as written), each key once.
    Object(Vec<(String, Json)>),
    /// Something JSON cannot say, named for the message: `a BigInt`, `nesting beyond 64 levels`.
    Foreign(&'static str),
}

/// A number as JavaScript prints it, which is the shortest text that reads back to the same double: `0.1`, `1e-7`, `1e+21`.
///
/// It may be infinite (`1e400` is `Infinity`) or, from JavaScript, `NaN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Box<str>);

impl Number {
    /// What JavaScript printed.
    #[cfg(any(target_arch = "wasm32", fuzzing))]
    pub(crate) fn printed(text: &str) -> Number {
        Number(text.into())
    }

    /// The text: `12`, `0.1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a number that JSON has.
    pub fn is_finite(&self) -> bool {
        self.0.bytes().any(|byte| byte.is_ascii_digit())
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl From<u32> for Number {
    fn from(number: u32) -> Number {
        Number(number.to_string().into())
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl From<f64> for Number {
    fn from(number: f64) -> Number {
        Number(ryu_js::Buffer::new().format(number).into())
    }
}

/// What stands before and after the character of one byte at a place.
pub(crate) fn parted(text: &str, place: Option<usize>) -> Option<(&str, &str)> {
    let place = place?;
    Some((text.get(..place)?, text.get(place.checked_add(1)?..)?))
}

/// The whole number that digits alone make.
///
/// (The standard library's way also takes signs and says what is wrong, and has a copy for each kind of number.)
pub(crate) fn whole(text: &str) -> Option<u32> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.bytes().try_fold(0, with_digit).filter(|_| is_whole)
}

/// A number with one more digit behind it.
pub(crate) fn with_digit(number: u32, digit: u8) -> Option<u32> {
    number.checked_mul(10)?.checked_add(u32::from(digit.checked_sub(b'0')?))
}

impl Json {
    /// The value of `key` in an object; `None` elsewhere.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::List(_) | Json::Foreign(_) => None,
        }
    }

    /// What to call the value in a message: `a string`, `null`.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
            Json::Foreign(what) => what,
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod reading {
    use super::{Json, MAX_DEPTH};
    use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
    use std::cell::Cell;
    use std::fmt;
    /// Puts the fields of an object in JavaScript's order: integer-like keys ascending, the others as written, the last
    /// value of a key given twice.
    fn in_javascript_order(fields: Vec<(String, Json)>) -> Json {
        let mut unique: Vec<(String, Json)> = Vec::with_capacity(fields.len());
        let mut seen = std::collections::BTreeMap::<String, usize>::new();
        for (key, value) in fields {
            match seen.get(&key) {
                Some(&at) => {
                    if let Some(slot) = unique.get_mut(at) {
                        slot.1 = value;
                    }
                }
                None => {
                    seen.insert(key.clone(), unique.len());
                    unique.push((key, value));
                }
            }
        }
        // A stable sort: keys that are no array index all compare equal and stay where they are, behind those that are.
        if unique.iter().any(|(key, _)| array_index(key).is_some()) {
            unique.sort_by_key(|(key, _)| array_index(key).map_or(u64::MAX, u64::from));
        }
        Json::Object(unique)
    }

    /// The key by which serde_json hands over a number's own text (its `arbitrary_precision` feature).
    const NUMBER_KEY: &str = "$serde_json::private::Number";

    /// The array index a key spells in JavaScript: `"0"` to `"4294967294"`, without leading zeros.
    fn array_index(key: &str) -> Option<u32> {
        let canonical = key == "0" || !key.starts_with(['0', '+']);
        key.parse::<u32>().ok().filter(|&index| canonical && index != u32::MAX)
    }

    impl<'de> serde::Deserialize<'de> for Json {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Nested { depth: 0, is_owned: None }.deserialize(deserializer)
        }
    }

    /// Reads a value `depth` levels below the outermost.
    #[derive(Clone, Copy)]
    struct Nested<'o> {
        depth: usize,
        /// Where to note that a string came as one of its own: serde_json hands over numbers so, but never a string of the
        /// document, not even one beside the key `$serde_json::private::Number`.
        is_owned: Option<&'o Cell<bool>>,
    }

    impl Nested<'_> {
        fn deeper(self) -> Option<Nested<'static>> {
            let depth = self.depth.saturating_add(1);
            (depth <= MAX_DEPTH).then_some(Nested { depth, is_owned: None })
        }
    }

    impl<'de> DeserializeSeed<'de> for Nested<'_> {
        type Value = Json;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
            deserializer.deserialize_any(self)
        }
    }

    impl<'de> Visitor<'de> for Nested<'_> {
        type Value = Json;

        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("a JSON value")
        }

        fn visit_unit<E>(self) -> Result<Json, E> {
            Ok(Json::Null)
        }

        fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
            Ok(Json::Bool(value))
        }

        fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
            Ok(Json::Number(value.into()))
        }

        fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Json, E> {
            number(&value.to_string())
        }

        fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Json, E> {
            number(&value.to_string())
        }

        fn visit_str<E>(self, value: &str) -> Result<Json, E> {
            Ok(Json::String(value.to_owned()))
        }

        fn visit_string<E>(self, value: String) -> Result<Json, E> {
            if let Some(is_owned) = self.is_owned {
                is_owned.set(true);
            }
            Ok(Json::String(value))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
            let Some(deeper) = self.deeper() else {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Json::Foreign("nesting beyond 64 levels"));
            };
            let mut items = Vec::new();
            while let Some(item) = list.next_element_seed(deeper)? {
                items.push(item);
            }
            Ok(Json::List(items))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
            let Some(deeper) = self.deeper() else {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Json::Foreign("nesting beyond 64 levels"));
            };
            let mut fields = Vec::new();
            while let Some(key) = map.next_key::<String>()? {
                let is_owned = Cell::new(false);
                let value = map.next_value_seed(Nested { is_owned: Some(&is_owned), ..deeper })?;
                if is_owned.get()
                    && key == NUMBER_KEY
                    && let Json::String(text) = &value
                {
                    return number(text);
                }
                fields.push((key, value));
            }
            Ok(in_javascript_order(fields))
        }
    }

    /// The double nearest to a number as it was written; infinite for `1e400`.
    fn number<E: serde::de::Error>(text: &str) -> Result<Json, E> {
        match text.parse::<f64>() {
            Ok(number) => Ok(Json::Number(number.into())),
            Err(_) => Err(E::custom(format_args!("`{text}` is not a number"))),
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null | Json::Foreign(_) => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(number) => serializer.serialize_f64(number.0.parse().unwrap_or(f64::NAN)),
            Json::String(value) => serializer.serialize_str(value),
            Json::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Json::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use text::{parse, to_text};

/// JSON text in and out: what the server and the command line speak.
#[cfg(not(target_arch = "wasm32"))]
mod text {
    use super::Json;
    use serde::ser::Serialize;
    use std::io;

    /// Reads one JSON document.
    ///
    /// # Errors
    /// The text is not JSON; the error says at which line and column.
    pub fn parse(text: &[u8]) -> Result<Json, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// Writes the very bytes that `JSON.stringify` writes for the same value in JavaScript.
    ///
    /// That is compact JSON with JavaScript's numbers: 5.0 is `5`, and 1e21 is `1e+21`.
    pub fn to_text(value: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, JavaScript);
        // Writing to memory does not fail, and no value of this crate has a key that is not a string.
        match value.serialize(&mut serializer) {
            Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    struct JavaScript;

    impl serde_json::ser::Formatter for JavaScript {
        fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
            writer.write_all(ryu_js::Buffer::new().format_finite(value).as_bytes())
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn objects_are_as_in_javascript() {
        let given = r#"{"b": 1, "10": 2, "2": 3, "a": 4, "b": 5, "02": 6, "4294967295": 7}"#;
        let json = parse(given.as_bytes()).unwrap();
        assert_eq!(to_text(&json), r#"{"2":3,"10":2,"b":5,"a":4,"02":6,"4294967295":7}"#);
    }

    #[test]
    fn numbers_are_as_in_javascript() {
        let given = b"[5.0, -0, 1e21, 1e-7, 123456789012345680000, 0.1, 9007199254740993, 5e-324, 1E2]";
        let json = parse(given).unwrap();
        assert_eq!(to_text(&json), "[5,0,1e+21,1e-7,123456789012345680000,0.1,9007199254740992,5e-324,100]");
        assert_eq!(parse(b"1e400").unwrap(), Json::Number(f64::INFINITY.into()));
    }

    #[test]
    fn a_number_s_private_key_is_a_key_like_any_other() {
        for text in [r#"{"$serde_json::private::Number":"5"}"#, r#"{"$serde_json::private::Number":5,"a":0.5}"#] {
            assert_eq!(to_text(&parse(text.as_bytes()).unwrap()), text);
        }
    }

    #[test]
    fn whole_numbers_are_digits_alone() {
        for (text, number) in [("0", 0), ("7", 7), ("08", 8), ("4294967295", u32::MAX)] {
            assert_eq!(whole(text), Some(number));
        }
        for text in ["", "+1", "-1", "1.0", "1e3", " 1", "4294967296", "99999999999", "1/", "1:"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn nesting_ends() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(to_text(&parse(deep(MAX_DEPTH).as_bytes()).unwrap()), deep(MAX_DEPTH));
        let cut = to_text(&parse(deep(100_000).as_bytes()).unwrap());
        assert_eq!(cut, "[".repeat(MAX_DEPTH) + "null" + &"]".repeat(MAX_DEPTH));
    }
}

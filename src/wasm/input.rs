//! From the text that `pkg/src/read.js` writes to [`Json`].
//!
//! The text is what `JSON.stringify` makes of plain data, so nothing in it has to be checked. What JSON cannot say stands
//! in it as a string that begins with half a character, which no other string there does: `"\ud800a Map"`, `"\ud800NaN"`.

use crate::json::{Json, Number};

/// What `read.js` names so; anything else after half a character is a number that JSON has not.
const FOREIGN: [&str; 13] = [
    "a BigInt",
    "a symbol",
    "a function",
    "undefined",
    "an invalid Date",
    "a Map",
    "a Set",
    "a Promise",
    "a typed array",
    "an object without fields of its own",
    "text with half a character",
    "nesting beyond 64 levels",
    "more JSON than a preview can read",
];

/// Reads one value.
pub fn read(text: &str) -> Json {
    Reader { text, at: 0 }.value()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> u8 {
        let byte = self.text.as_bytes().get(self.at).copied();
        self.at = self.at.saturating_add(1);
        byte.unwrap_or(b']')
    }

    /// What stands before the next of some bytes, which is passed over.
    fn until(&mut self, is_end: fn(u8) -> bool) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        self.at = self.at.saturating_add(length);
        rest.get(..length).unwrap_or_default()
    }

    fn value(&mut self) -> Json {
        match self.next() {
            b'"' => self.string(),
            b'{' => {
                let mut fields = Vec::new();
                while self.next() == b'"' {
                    let (key, _) = self.text();
                    // The colon; after the value a comma, or the end.
                    self.next();
                    fields.push((key, self.value()));
                    if self.next() == b'}' {
                        break;
                    }
                }
                Json::Object(fields)
            }
            b'[' => {
                let mut items = Vec::new();
                if self.text.as_bytes().get(self.at) == Some(&b']') {
                    self.next();
                    return Json::List(items);
                }
                loop {
                    items.push(self.value());
                    if self.next() != b',' {
                        return Json::List(items);
                    }
                }
            }
            first => {
                self.at = self.at.saturating_sub(1);
                let word = self.until(|byte| matches!(byte, b',' | b']' | b'}'));
                match first {
                    b'n' => Json::Null,
                    b't' | b'f' => Json::Bool(first == b't'),
                    _ => Json::Number(Number::printed(word)),
                }
            }
        }
    }

    fn string(&mut self) -> Json {
        let (text, is_foreign) = self.text();
        if !is_foreign {
            return Json::String(text);
        }
        match FOREIGN.iter().find(|foreign| **foreign == text) {
            Some(foreign) => Json::Foreign(foreign),
            None => Json::Number(Number::printed(&text)),
        }
    }

    /// The rest of a string, and whether half a character stood in it.
    fn text(&mut self) -> (String, bool) {
        let (mut text, mut has_half) = (String::new(), false);
        loop {
            text.push_str(self.until(|byte| matches!(byte, b'"' | b'\\')));
            if self.next() != b'\\' {
                return (text, has_half);
            }
            let character = match self.next() {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => {
                    let digits = self.text.get(self.at..self.at.saturating_add(4)).unwrap_or_default();
                    self.at = self.at.saturating_add(4);
                    let code = u32::from_str_radix(digits, 16).unwrap_or_default();
                    match char::from_u32(code) {
                        Some(character) => character,
                        None => {
                            has_half = true;
                            continue;
                        }
                    }
                }
                // A quotation mark or a backslash.
                other => char::from(other),
            };
            text.push(character);
        }
    }
}

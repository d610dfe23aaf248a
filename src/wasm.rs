//! The browser door (wasm32 only): decode, call, encode, and nothing else.
//!
//! Input: any JavaScript values. Output: a plain object, or a thrown `CheckoutPreviewError`. It holds no rule of
//! pricing: what a browser accepts and refuses is what [`preview`] accepts and refuses natively.
//!
//! A value is read as `JSON.stringify` would send it, except that what JSON would silently change is refused: a `NaN`
//! that would become `null`, a function that would vanish, a `Map` that would become `{}`. Every look at a value may
//! run code of the caller (a getter, a proxy, a `toJSON`), so every import that looks is `catch`: an exception that
//! crossed the engine's own frames would leave its stack where it was.

use crate::json::{Json, MAX_DEPTH};
use crate::{
    Catalog, Clock, Problems, TimeZone, billing_schedule, preview, read_count, read_date, read_instant, time_zone,
};
use chrono::{DateTime, NaiveDate, Utc};
use js_sys::{Array, Date, Function, JsString, Object, RangeError, Reflect, TypeError};
use serde::Serialize;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

const SERIALIZER: serde_wasm_bindgen::Serializer = serde_wasm_bindgen::Serializer::json_compatible();

/// How much one argument may hold, about in bytes of memory: room for more than the 16 MiB of JSON that the server takes
/// for a catalog.
///
/// It ends what depth does not end: sixty objects that each hold the next one twice are more values than any memory
/// holds.
const MAX_SIZE: u32 = 96 * 1024 * 1024;

/// What a field takes of [`MAX_SIZE`] beside its texts.
const FIELD_SIZE: u32 = 64;

/// What an item of a list takes of it.
const ITEM_SIZE: u32 = 24;

const TOO_MUCH: &str = "more JSON than a preview can read";

/// Previews a checkout: `createCheckoutPreview(request, catalog, { now, as_of })`.
///
/// `now` defaults to the clock of the browser, `as_of` to the date of `now` in the business entity's time zone, which
/// is the date the server will take: at 23:30 in New York on 30 November it is 1 December in Berlin, and still
/// 30 November here if the entity is in New York.
///
/// # Errors
/// A `CheckoutPreviewError` with every problem found (R2.6), at `/now` and `/as_of` too; a `TypeError` for options that
/// are no object or that do not exist; whatever a getter or `toJSON` of the arguments throws.
#[wasm_bindgen(js_name = preview)]
pub fn create_checkout_preview(request: JsValue, catalog: JsValue, options: JsValue) -> Result<JsValue, JsValue> {
    let Asked { request, catalog, clock } = Asked::decode(request, catalog, options)?;
    let preview = preview(&request, &catalog, clock).map_err(thrown)?;
    let preview = encode(&preview)?;
    // The serializer assigns, and to assign to `__proto__` is to change the prototype. Only here can a key be a
    // buyer's: everything else in a preview has names of its own.
    if let Some(customer_data) = request.get("customer_data")
        && names_proto(customer_data)
    {
        Reflect::set(&preview, &"customer_data".into(), &with_own_keys(customer_data)?)?;
    }
    Ok(preview)
}

/// Lists the invoices to come: `createBillingSchedule(request, catalog, count, { now, as_of })`.
///
/// # Errors
/// As of [`create_checkout_preview`]; also a `CheckoutPreviewError` at `/count`.
#[wasm_bindgen(js_name = schedule)]
pub fn create_billing_schedule(
    request: JsValue,
    catalog: JsValue,
    count: JsValue,
    options: JsValue,
) -> Result<JsValue, JsValue> {
    let Asked { request, catalog, clock } = Asked::decode(request, catalog, options)?;
    let count = read_count(&decode(count)?, "/count");
    encode(&billing_schedule(&request, &catalog, clock, count).map_err(thrown)?)
}

/// What both calls are asked about.
struct Asked {
    request: Json,
    catalog: Catalog,
    clock: Clock,
}

impl Asked {
    fn decode(request: JsValue, catalog: JsValue, options: JsValue) -> Result<Asked, JsValue> {
        let request = decode(request)?;
        let catalog = decode(catalog)?;
        let options = Options::decode(options)?;
        let catalog = Catalog::load(catalog).map_err(thrown)?;
        let clock = options.clock(&request, &catalog)?;
        Ok(Asked { request, catalog, clock })
    }
}

#[wasm_bindgen(inline_js = r#"
/** What is wrong with a checkout: every problem the engine found. */
export class CheckoutPreviewError extends Error {
  constructor(message, problems) {
    super(message);
    this.code = problems[0].code;
    this.problems = problems;
  }
}
Object.defineProperty(CheckoutPreviewError.prototype, "name", {
  value: "CheckoutPreviewError", writable: true, configurable: true,
});
"#)]
extern "C" {
    type CheckoutPreviewError;

    #[wasm_bindgen(constructor, catch)]
    fn new(message: &str, problems: JsValue) -> Result<CheckoutPreviewError, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// `value.toJSON`, on primitives too.
    #[wasm_bindgen(method, getter, structural, catch, js_name = toJSON)]
    fn to_json(this: &Any) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, getter, structural, catch)]
    fn length(this: &Any) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, structural, catch, js_name = valueOf)]
    fn value_of(this: &Any) -> Result<JsValue, JsValue>;

    /// Any value at all, looked at with care.
    type Any;

    /// Throws for a proxy that was revoked.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = isArray)]
    fn is_array(value: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Object, js_name = keys)]
    fn keys(value: &JsValue) -> Result<Array, JsValue>;

    /// `[object Map]`.
    #[wasm_bindgen(catch, js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    fn tag(value: &JsValue) -> Result<String, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &Object) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method, catch, js_name = formatToParts)]
    fn format_to_parts(this: &DateTimeFormat, date: &Date) -> Result<Array, JsValue>;

    #[wasm_bindgen(method, catch, js_name = resolvedOptions)]
    fn resolved_options(this: &DateTimeFormat) -> Result<JsValue, JsValue>;
}

/// What a caller may say about the moment of a preview.
struct Options {
    now: Option<Json>,
    as_of: Option<Json>,
}

impl Options {
    fn decode(options: JsValue) -> Result<Options, JsValue> {
        let fields = match Reader::new().read(options, &|| "".into(), 0)? {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Object(fields)) => fields,
            Some(other) => {
                return Err(type_error(&format!("the options must be an object, not {}", other.kind())));
            }
        };
        let mut options = Options { now: None, as_of: None };
        for (name, value) in fields {
            let value = (value != Json::Null).then_some(value);
            match name.as_str() {
                "now" => options.now = value,
                "as_of" => options.as_of = value,
                _ => {
                    return Err(type_error(&format!("there is no option `{name}`; the options are now and as_of")));
                }
            }
        }
        Ok(options)
    }

    fn clock(&self, request: &Json, catalog: &Catalog) -> Result<Clock, JsValue> {
        let now = match &self.now {
            Some(now) => read_instant(now, "/now"),
            None => read_instant(&decode(Date::new_0().into())?, "/now"),
        };
        let as_of = self.as_of.as_ref().map(|as_of| read_date(as_of, "/as_of")).transpose();
        let (now, as_of) = Problems::together(now, as_of).map_err(thrown)?;
        Ok(match as_of {
            Some(as_of) => Clock { as_of, now },
            None => Clock { as_of: today(now, time_zone(request, catalog))?, now },
        })
    }
}

/// The date of an instant in a time zone, by the time zones the browser itself carries; UTC where there is no zone.
fn today(now: DateTime<Utc>, zone: Option<TimeZone>) -> Result<NaiveDate, JsValue> {
    let Some(zone) = zone else { return Ok(now.date_naive()) };
    let format = format_in(zone.name)?.ok_or_else(|| thrown(zone.unknown()))?;
    let (mut year, mut month, mut day) = (None, None, None);
    for part in format.format_to_parts(&Date::new(&now.to_rfc3339().into()))?.iter() {
        let number = Reflect::get(&part, &"value".into())?.as_string().and_then(|text| text.parse::<u32>().ok());
        match Reflect::get(&part, &"type".into())?.as_string().as_deref() {
            Some("year") => year = number.and_then(|year| i32::try_from(year).ok()),
            Some("month") => month = number,
            Some("day") => day = number,
            Some(_) | None => {}
        }
    }
    let date = year.zip(month).zip(day).and_then(|((year, month), day)| NaiveDate::from_ymd_opt(year, month, day));
    date.ok_or_else(|| type_error("Intl.DateTimeFormat gave no date"))
}

thread_local! {
    /// To make a format takes longer than a preview. A list, for a program knows few business entities.
    static FORMATS: RefCell<Vec<(String, JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// Names that ICU, which browsers ask, has beside those of the time zone database, which the server asks.
const NOT_IN_DATABASE: &str = "ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT \
                               PRT PST SST VST US/Pacific-New";

/// What tells dates in a time zone; `None` where the browser knows no such zone.
fn format_in(zone: &str) -> Result<Option<DateTimeFormat>, JsValue> {
    let known = |formats: &Vec<(String, JsValue)>| formats.iter().find(|(name, _)| name == zone)?.1.clone().into();
    if let Some(format) = FORMATS.with_borrow(known) {
        return Ok(Some(JsCast::unchecked_into(format)));
    }
    // Some browsers take an offset, `+01:00`, for a zone.
    if zone.starts_with(['+', '-'])
        || zone.starts_with("SystemV/")
        || NOT_IN_DATABASE.split(' ').any(|name| name == zone)
    {
        return Ok(None);
    }
    let options = Object::new();
    for (option, value) in [("timeZone", zone), ("year", "numeric"), ("month", "2-digit"), ("day", "2-digit")] {
        Reflect::set(&options, &option.into(), &value.into())?;
    }
    let format = match DateTimeFormat::new("en-u-ca-iso8601-nu-latn", &options) {
        Ok(format) => format,
        Err(error) if error.is_instance_of::<RangeError>() => return Ok(None),
        Err(error) => return Err(error),
    };
    // Browsers take `europe/berlin`, too.
    let resolved = Reflect::get(&format.resolved_options()?, &"timeZone".into())?.as_string().unwrap_or_default();
    if resolved != zone && resolved.eq_ignore_ascii_case(zone) {
        return Ok(None);
    }
    let format: JsValue = format.into();
    FORMATS.with_borrow_mut(|formats| formats.push((zone.to_owned(), format.clone())));
    Ok(Some(format.unchecked_into()))
}

/// Reads an argument; `undefined` is no request and no catalog.
fn decode(value: JsValue) -> Result<Json, JsValue> {
    let json = Reader::new().read(value, &|| "".into(), 0)?;
    Ok(json.unwrap_or(Json::Foreign("undefined")))
}

fn encode(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value.serialize(&SERIALIZER).map_err(JsValue::from)
}

fn thrown(problems: Problems) -> JsValue {
    let error = encode(&problems).and_then(|list| CheckoutPreviewError::new(&problems.to_string(), list));
    error.map_or_else(|other| other, JsValue::from)
}

fn type_error(message: &str) -> JsValue {
    TypeError::new(message).into()
}

/// Walks one JavaScript value.
struct Reader {
    /// What is left of [`MAX_SIZE`].
    left: u32,
    object_prototype: Object,
}

impl Reader {
    fn new() -> Reader {
        Reader { left: MAX_SIZE, object_prototype: Object::get_prototype_of(&Object::new()) }
    }

    /// Reads the value found under `key`, `depth` lists and objects down; `None` for `undefined`.
    fn read(&mut self, value: JsValue, key: &dyn Fn() -> JsValue, depth: usize) -> Result<Option<Json>, JsValue> {
        // The most of any catalog first, for every question is a call into JavaScript.
        if value.is_string() {
            return Ok(self.read_primitive(&value));
        }
        if !value.is_object() && (value.as_f64().is_some() || !(value.is_function() || value.is_bigint())) {
            return Ok(self.read_primitive(&value));
        }
        let to_json = value.unchecked_ref::<Any>().to_json()?;
        let Some(to_json) = to_json.dyn_ref::<Function>() else { return self.read_replaced(value, depth) };
        let replaced = to_json.call1(&value, &key())?;
        if replaced.is_null() && tag(&value)? == "[object Date]" {
            return Ok(Some(Json::Foreign("an invalid Date")));
        }
        self.read_replaced(replaced, depth)
    }

    /// Reads a value after its `toJSON`.
    fn read_replaced(&mut self, value: JsValue, depth: usize) -> Result<Option<Json>, JsValue> {
        match value.is_object() {
            true => self.read_object(value, depth),
            false => Ok(self.read_primitive(&value)),
        }
    }

    fn read_primitive(&mut self, value: &JsValue) -> Option<Json> {
        if value.is_string() {
            return Some(self.read_text(value).map_or_else(Json::Foreign, Json::String));
        }
        let number = value.as_f64().map(Json::Number);
        let json = number.or_else(|| value.as_bool().map(Json::Bool)).unwrap_or_else(|| match () {
            () if value.is_null() => Json::Null,
            () if value.is_bigint() => Json::Foreign("a BigInt"),
            () if value.is_symbol() => Json::Foreign("a symbol"),
            () => Json::Foreign("a function"),
        });
        (!value.is_undefined()).then_some(json)
    }

    fn read_object(&mut self, value: JsValue, depth: usize) -> Result<Option<Json>, JsValue> {
        if is_array(&value)? {
            return self.read_list(&value, depth).map(Some);
        }
        let mut is_built_in = false;
        let prototype = Reflect::get_prototype_of(&value)?;
        if prototype != self.object_prototype {
            match tag(&value)?.as_str() {
                "[object Map]" => return Ok(Some(Json::Foreign("a Map"))),
                "[object Set]" => return Ok(Some(Json::Foreign("a Set"))),
                "[object Promise]" => return Ok(Some(Json::Foreign("a Promise"))),
                "[object Number]" | "[object String]" | "[object Boolean]" | "[object BigInt]" => {
                    let primitive = value.unchecked_ref::<Any>().value_of()?;
                    if !primitive.is_object() {
                        return self.read_replaced(primitive, depth);
                    }
                }
                // JSON would send an object whose fields are numbered.
                name if name.ends_with("Array]") => return Ok(Some(Json::Foreign("a typed array"))),
                name => is_built_in = name != "[object Object]",
            }
        }
        let keys = keys(&value)?;
        if is_built_in && keys.length() == 0 {
            // A regular expression, a form's data, an error: JSON would send `{}`.
            return Ok(Some(Json::Foreign("an object without fields of its own")));
        }
        let Some(depth) = deeper(depth) else {
            return Ok(Some(Json::Foreign(TOO_DEEP)));
        };
        let mut fields = Vec::new();
        for index in 0..keys.length() {
            let key = keys.get(index);
            let Some(field) = self.read(Reflect::get(&value, &key)?, &|| key.clone(), depth)? else {
                continue;
            };
            match self.read_text(&key) {
                Ok(name) => fields.push((name, field)),
                Err(foreign) => return Ok(Some(Json::Foreign(foreign))),
            }
            if !self.spend(FIELD_SIZE) {
                return Ok(Some(Json::Foreign(TOO_MUCH)));
            }
        }
        Ok(Some(Json::Object(fields)))
    }

    fn read_list(&mut self, value: &JsValue, depth: usize) -> Result<Json, JsValue> {
        let Some(depth) = deeper(depth) else {
            return Ok(Json::Foreign(TOO_DEEP));
        };
        let length = value.unchecked_ref::<Any>().length()?.as_f64().unwrap_or_default();
        if length > f64::from(self.left / ITEM_SIZE) {
            return Ok(Json::Foreign(TOO_MUCH));
        }
        let mut items = Vec::new();
        let mut index = 0_u32;
        while f64::from(index) < length {
            let item = self.read(Reflect::get_u32(value, index)?, &|| index.to_string().into(), depth)?;
            items.push(item.unwrap_or(Json::Null));
            if !self.spend(ITEM_SIZE) {
                return Ok(Json::Foreign(TOO_MUCH));
            }
            index = index.saturating_add(1);
        }
        Ok(Json::List(items))
    }

    /// Copies a string, unless it is not what text in UTF-8 can hold.
    fn read_text(&mut self, value: &JsValue) -> Result<String, &'static str> {
        if !self.spend(value.unchecked_ref::<JsString>().length()) {
            return Err(TOO_MUCH);
        }
        let text = value.as_string().unwrap_or_default();
        // Half of a pair of UTF-16 arrives as U+FFFD, which the caller may also have written.
        if text.contains('\u{FFFD}') && JsValue::from_str(&text) != *value {
            return Err("text with half a character");
        }
        Ok(text)
    }

    fn spend(&mut self, characters: u32) -> bool {
        let left = self.left.checked_sub(characters);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

const TOO_DEEP: &str = "nesting beyond 64 levels";

fn deeper(depth: usize) -> Option<usize> {
    depth.checked_add(1).filter(|&depth| depth <= MAX_DEPTH)
}

fn names_proto(json: &Json) -> bool {
    match json {
        Json::Object(fields) => fields.iter().any(|(name, value)| name == "__proto__" || names_proto(value)),
        Json::List(items) => items.iter().any(names_proto),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Foreign(_) => false,
    }
}

/// The value as JavaScript, with a field called `__proto__` as a field like any other.
fn with_own_keys(json: &Json) -> Result<JsValue, JsValue> {
    match json {
        Json::Object(fields) => {
            let entries = Array::new();
            for (name, value) in fields {
                entries.push(&Array::of2(&name.into(), &with_own_keys(value)?));
            }
            Object::from_entries(&entries).map(JsValue::from)
        }
        Json::List(items) => {
            let list = Array::new();
            for item in items {
                list.push(&with_own_keys(item)?);
            }
            Ok(list.into())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Foreign(_) => encode(json),
    }
}

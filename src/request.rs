//! What the buyer asked for, before it is held against a catalog.
//!
//! Input: [`Json`]. Output: [`Request`], each field absent, invalid or valid, and [`Findings`]: what is wrong, kept in
//! the order of R2.6. Neighbours: `detect` adds what only the catalog can tell.

use crate::form::{self, Fault, Read, digits, filled};
use crate::json::Json;
use crate::money::Quantity;
use crate::problem::{Problem, ProblemCode, Problems};
use chrono::{DateTime, NaiveDate, Utc};
use std::borrow::Cow;

/// A field of the request: whether it was sent matters (R2.1) even where its value is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// Not sent, or null.
    Absent,
    /// Sent, and reported.
    Invalid,
    Valid(T),
}

impl<T: Copy> Field<T> {
    pub(crate) fn is_present(self) -> bool {
        !matches!(self, Field::Absent)
    }

    pub(crate) fn value(self) -> Option<T> {
        match self {
            Field::Valid(value) => Some(value),
            Field::Absent | Field::Invalid => None,
        }
    }
}

/// The request's fields in the order of R2's table, by which problems are sorted.
const FIELDS: [&str; 13] = [
    "plan_id",
    "contract_id",
    "start_date",
    "end_date",
    "customer_id",
    "business_entity_id",
    "guest_checkout",
    "customer_data",
    "expires_at",
    "success_url",
    "cancel_url",
    "product_overrides",
    OLDER_OVERRIDES,
];

/// The older name of `product_overrides`.
const OLDER_OVERRIDES: &str = "product_quantities";

/// An override's fields in the order of R2.4.
const OVERRIDE_FIELDS: [&str; 9] = [
    "pricing_id",
    "product_id",
    "line_item_id",
    "quantity",
    OLDER_QUANTITY,
    "is_enabled",
    "effective_from",
    "dimension_values",
    "description",
];

/// The older name of an override's `quantity`.
const OLDER_QUANTITY: &str = "quantity_value";

const MOST_OVERRIDES: usize = 1000;

/// The longest compact JSON of `customer_data`, in bytes.
const MOST_CUSTOMER_DATA: usize = 16 * 1024;

/// A request whose fields have been read one by one.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) plan_id: Field<&'a str>,
    pub(crate) contract_id: Field<&'a str>,
    pub(crate) start_date: Field<NaiveDate>,
    pub(crate) end_date: Field<NaiveDate>,
    pub(crate) customer_id: Field<&'a str>,
    pub(crate) business_entity_id: Field<&'a str>,
    pub(crate) guest_checkout: Field<bool>,
    pub(crate) customer_data: Field<&'a Json>,
    pub(crate) expires_at: Field<DateTime<Utc>>,
    pub(crate) success_url: Field<&'a str>,
    pub(crate) cancel_url: Field<&'a str>,
    /// The list of overrides as it was sent.
    pub(crate) sent_overrides: Field<&'a Json>,
    /// The name under which it was sent.
    pub(crate) overrides_name: &'static str,
    pub(crate) overrides: Vec<Override<'a>>,
}

/// One item of `product_overrides`.
#[derive(Debug)]
pub(crate) struct Override<'a> {
    /// Where it stands in the list.
    pub(crate) index: usize,
    /// The one id that names lines; `None` if there is none, or more than one, or it is no id.
    pub(crate) target: Option<(Target, &'a str)>,
    pub(crate) quantity: Field<Quantity>,
    /// The name under which the quantity was sent.
    pub(crate) quantity_name: &'static str,
    pub(crate) is_enabled: Field<bool>,
    pub(crate) effective_from: Field<NaiveDate>,
    pub(crate) dimension_values: Option<Vec<&'a str>>,
    pub(crate) description: Option<&'a str>,
}

/// Which lines an override's id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Pricing,
    Product,
    LineItem,
}

impl Target {
    pub(crate) fn field(self) -> &'static str {
        match self {
            Target::Pricing => "pricing_id",
            Target::Product => "product_id",
            Target::LineItem => "line_item_id",
        }
    }
}

/// Problems of one request on their way into the order of R2.6.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Each with its place, and how many came before it.
    found: Vec<(Place, usize, Problem)>,
}

/// Where a problem sorts: by field of the request, then by item of the list, then by code, then by field of the item.
type Place = (usize, usize, ProblemCode, usize, String);

/// Sorts behind all fields of the request.
const UNKNOWN: usize = FIELDS.len();
const CATALOG: usize = UNKNOWN + 1;

/// Where a field stands in R2's table; the older name of a field stands where the field does.
fn position(name: &str) -> Option<usize> {
    let name = if name == OLDER_OVERRIDES { "product_overrides" } else { name };
    FIELDS.iter().position(|field| *field == name)
}

impl Findings {
    /// The first of those that are found twice at one place counts; they come to stand beside each other.
    fn note(&mut self, place: Place, path: String, fault: Fault) {
        self.found.push((place, self.found.len(), fault.at(path)));
    }

    /// A problem of a field of the request.
    pub(crate) fn field(&mut self, name: &str, fault: Fault) {
        let position = position(name);
        let name_order = if position.is_none() { name.to_owned() } else { String::new() };
        let path = filled("/%", &[&form::pointer_step(name)]);
        self.note((position.unwrap_or(UNKNOWN), 0, fault.code, 0, name_order), path, fault);
    }

    /// A problem of a field of the request, its message with values filled in.
    ///
    /// Out of line like the next, and with all that a problem is of: there are thirty of them, and in a browser each byte
    /// has to be loaded.
    #[inline(never)]
    pub(crate) fn refuse(
        &mut self,
        name: &str,
        code: ProblemCode,
        message: &'static str,
        values: &[&str],
        help: &'static str,
    ) {
        self.field(name, Fault::new(code, filled(message, values), help));
    }

    /// A problem of an override of a list, of one of its fields or as a whole.
    #[inline(never)]
    pub(crate) fn refuse_item(
        &mut self,
        (list, index): (&str, usize),
        name: Option<&str>,
        code: ProblemCode,
        message: &'static str,
        values: &[&str],
        help: &'static str,
    ) {
        let fault = Fault::new(code, filled(message, values), help);
        match name {
            Some(name) => self.item_field(list, index, name, fault),
            None => self.item(list, index, fault),
        }
    }

    /// A problem of one override as a whole.
    pub(crate) fn item(&mut self, list: &str, index: usize, fault: Fault) {
        let position = position(list).unwrap_or(UNKNOWN);
        self.note(
            (position, index.saturating_add(1), fault.code, 0, String::new()),
            filled("/%/%", &[list, &digits(index)]),
            fault,
        );
    }

    /// A problem of a field of one override.
    pub(crate) fn item_field(&mut self, list: &str, index: usize, name: &str, fault: Fault) {
        let position = position(list).unwrap_or(UNKNOWN);
        let field =
            OVERRIDE_FIELDS.iter().position(|field| *field == name).map_or(OVERRIDE_FIELDS.len(), |field| field);
        let path = filled("/%/%/%", &[list, &digits(index), &form::pointer_step(name)]);
        self.note(
            (position, index.saturating_add(1), fault.code, field.saturating_add(1), name.to_owned()),
            path,
            fault,
        );
    }

    /// A problem of a place in the catalog; such problems stand in the order in which they are noted, those of one place
    /// one after the other.
    pub(crate) fn catalog(&mut self, path: String, fault: Fault) {
        let order = self.found.len();
        self.note((CATALOG, order, fault.code, 0, String::new()), path, fault);
    }

    /// All that was found, in order; `None` if there is nothing.
    pub(crate) fn into_problems(mut self) -> Option<Problems> {
        self.found.sort_unstable_by(|(one, first, _), (other, second, _)| one.cmp(other).then(first.cmp(second)));
        let mut problems: Vec<Problem> = self.found.into_iter().map(|(_, _, problem)| problem).collect();
        problems.dedup_by(|later, earlier| later.code == earlier.code && later.path == earlier.path);
        Problems::new(problems)
    }

    /// Reads a field of the request.
    fn read<'a, T>(
        &mut self,
        fields: &'a [(String, Json)],
        name: &'static str,
        read: fn(&'a Json) -> Read<T>,
    ) -> Field<T> {
        read_field(fields, name, read, |fault| self.field(name, fault))
    }

    /// Reads a field of one override, of the list and at the place in it that are given.
    fn read_item<'a, T>(
        &mut self,
        (list, index): (&str, usize),
        fields: &'a [(String, Json)],
        name: &'static str,
        read: fn(&'a Json) -> Read<T>,
    ) -> Field<T> {
        read_field(fields, name, read, |fault| self.item_field(list, index, name, fault))
    }
}

/// Reads a field, handing a fault to `refuse`.
fn read_field<'a, T>(
    fields: &'a [(String, Json)],
    name: &'static str,
    read: fn(&'a Json) -> Read<T>,
    refuse: impl FnOnce(Fault),
) -> Field<T> {
    match form::field(fields, name).map(read) {
        None => Field::Absent,
        Some(Ok(value)) => Field::Valid(value),
        Some(Err(fault)) => {
            refuse(fault);
            Field::Invalid
        }
    }
}

/// Reads a request, noting every field that is not of its form.
///
/// # Errors
/// The request is not an object at all.
pub(crate) fn read<'a>(json: &'a Json, findings: &mut Findings) -> Result<Request<'a>, Problems> {
    let fields =
        form::object(json).map_err(|fault| Fault { help: "send the request as an object".into(), ..fault }.at(""))?;
    let plan_id = findings.read(fields, "plan_id", form::id);
    let contract_id = findings.read(fields, "contract_id", form::id);
    let start_date = findings.read(fields, "start_date", form::date);
    let end_date = findings.read(fields, "end_date", form::date);
    let customer_id = findings.read(fields, "customer_id", form::id);
    let business_entity_id = findings.read(fields, "business_entity_id", form::id);
    let guest_checkout = findings.read(fields, "guest_checkout", form::boolean);
    let customer_data = findings.read(fields, "customer_data", customer_data);
    let expires_at = findings.read(fields, "expires_at", form::instant);
    let success_url = findings.read(fields, "success_url", form::url);
    let cancel_url = findings.read(fields, "cancel_url", form::url);

    // The newer name is read where both are given.
    let newer = form::field(fields, "product_overrides").is_some();
    let older = form::field(fields, OLDER_OVERRIDES).is_some();
    if newer && older {
        findings.field(OLDER_OVERRIDES, conflict(OLDER_OVERRIDES, "product_overrides"));
    }
    let overrides_name = if older && !newer { OLDER_OVERRIDES } else { "product_overrides" };
    let sent = findings.read(fields, overrides_name, form::list);
    let sent_overrides = match sent {
        Field::Absent => Field::Absent,
        Field::Invalid => Field::Invalid,
        Field::Valid(_) => form::field(fields, overrides_name).map_or(Field::Absent, Field::Valid),
    };
    let items = sent.value().unwrap_or_default();
    let overrides = if items.len() > MOST_OVERRIDES {
        let count = digits(items.len());
        let help = "send at most 1000 overrides";
        findings.refuse(overrides_name, ProblemCode::TooManyOverrides, "% overrides", &[&count], help);
        Vec::new()
    } else {
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| read_override(item, overrides_name, index, findings))
            .collect()
    };

    for (name, fault) in form::unknown_fields(fields, &FIELDS) {
        findings.field(name, fault);
    }
    Ok(Request {
        plan_id,
        contract_id,
        start_date,
        end_date,
        customer_id,
        business_entity_id,
        guest_checkout,
        customer_data,
        expires_at,
        success_url,
        cancel_url,
        sent_overrides,
        overrides_name,
        overrides,
    })
}

fn conflict(older: &str, newer: &str) -> Fault {
    let message = filled("`%` is an older name of `%`", &[older, newer]);
    Fault::new(ProblemCode::ConflictingFields, message, filled("send `%` alone", &[newer]))
}

fn read_override<'a>(
    json: &'a Json,
    list: &'static str,
    index: usize,
    findings: &mut Findings,
) -> Option<Override<'a>> {
    let fields = match form::object(json) {
        Ok(fields) => fields,
        Err(fault) => {
            findings.item(list, index, fault);
            return None;
        }
    };
    let place = (list, index);
    let targets = [Target::Pricing, Target::Product, Target::LineItem]
        .map(|target| (target, findings.read_item(place, fields, target.field(), form::id)));
    let given: Vec<_> = targets.iter().filter(|(_, id)| id.is_present()).collect();
    let target = match given.as_slice() {
        [] => {
            let message = "the override names no line";
            let help = "send one of `pricing_id`, `product_id` and `line_item_id`";
            findings.refuse_item(place, None, ProblemCode::OverrideTargetRequired, message, &[], help);
            None
        }
        [(target, id)] => id.value().map(|id| (*target, id)),
        [_, _, ..] => {
            let message = "the override names lines in more than one way";
            let help = "send exactly one of `pricing_id`, `product_id` and `line_item_id`";
            findings.refuse_item(place, None, ProblemCode::OverrideTargetAmbiguous, message, &[], help);
            None
        }
    };

    let newer = form::field(fields, "quantity").is_some();
    let older = form::field(fields, OLDER_QUANTITY).is_some();
    if newer && older {
        findings.item_field(list, index, OLDER_QUANTITY, conflict(OLDER_QUANTITY, "quantity"));
    }
    let quantity_name = if older && !newer { OLDER_QUANTITY } else { "quantity" };
    let quantity = findings.read_item(place, fields, quantity_name, form::quantity);
    let is_enabled = findings.read_item(place, fields, "is_enabled", form::boolean);
    let effective_from = findings.read_item(place, fields, "effective_from", form::date);
    let dimension_values = match findings.read_item(place, fields, "dimension_values", form::list) {
        Field::Valid(items) => {
            let values: Read<Vec<&str>> = items.iter().map(form::string).collect();
            values.map_err(|fault| findings.item_field(list, index, "dimension_values", fault)).ok()
        }
        Field::Absent | Field::Invalid => None,
    };
    let description = findings.read_item(place, fields, "description", form::string).value();
    if !(quantity.is_present() || is_enabled.is_present() || form::field(fields, "dimension_values").is_some()) {
        let help = "send at least one of `quantity`, `is_enabled` and `dimension_values`";
        findings.refuse_item(place, None, ProblemCode::OverrideEmpty, "the override changes nothing", &[], help);
    }
    for (name, fault) in form::unknown_fields(fields, &OVERRIDE_FIELDS) {
        findings.item_field(list, index, name, fault);
    }
    Some(Override { index, target, quantity, quantity_name, is_enabled, effective_from, dimension_values, description })
}

fn customer_data(json: &Json) -> Read<&Json> {
    form::object(json)?;
    if let Some(what) = foreign(json) {
        let message = filled("% cannot be kept", &[&what]);
        return Err(Fault::new(ProblemCode::InvalidType, message, "send plain JSON, nested at most 64 levels deep"));
    }
    let length = compact_length(json);
    if length > MOST_CUSTOMER_DATA {
        let message = filled("% bytes of customer data", &[&digits(length)]);
        return Err(Fault::new(ProblemCode::CustomerDataTooLarge, message, "send at most 16384 bytes of compact JSON"));
    }
    Ok(json)
}

/// What of a value JSON could not give back.
fn foreign(json: &Json) -> Option<Cow<'static, str>> {
    match json {
        Json::Foreign(what) => Some((*what).into()),
        Json::Number(number) if !number.is_finite() => Some("an infinite number, or none,".into()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
        Json::List(items) => items.iter().find_map(foreign),
        Json::Object(fields) => fields.iter().find_map(|(_, value)| foreign(value)),
    }
}

/// The length in bytes of a value's compact JSON, as `JSON.stringify` writes it.
fn compact_length(json: &Json) -> usize {
    let joined = |lengths: &mut dyn Iterator<Item = usize>| {
        let (count, sum) = lengths
            .fold((0_usize, 0_usize), |(count, sum), length| (count.saturating_add(1), sum.saturating_add(length)));
        sum.saturating_add(count.saturating_sub(1)).saturating_add(2)
    };
    match json {
        Json::Null | Json::Foreign(_) | Json::Bool(true) => 4,
        Json::Bool(false) => 5,
        Json::Number(number) => number.as_str().len(),
        Json::String(text) => text_length(text),
        Json::List(items) => joined(&mut items.iter().map(compact_length)),
        Json::Object(fields) => joined(
            &mut fields
                .iter()
                .map(|(key, value)| text_length(key).saturating_add(1).saturating_add(compact_length(value))),
        ),
    }
}

fn text_length(text: &str) -> usize {
    let escaped = text.chars().map(|character| match character {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' => 6,
        _ => character.len_utf8(),
    });
    escaped.fold(2, usize::saturating_add)
}

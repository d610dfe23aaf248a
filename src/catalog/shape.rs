//! The shape of a catalog: section 3's fields in its order, what each of them holds, and the rules between them (R3.2).
//!
//! Input: [`Json`]. Output: [`Object`]s, whose fields have been read, and every problem found, in the order of the tables
//! below. Neighbour: `load` makes a [`Catalog`](super::Catalog) of them.

use super::{Catalog, Index, matrix_key};
use crate::date::{self, Duration};
use crate::form::{self, Fault, Read, filled};
use crate::json::Json;
use crate::money::{Currency, Quantity, Rate};
use crate::problem::{Problem, ProblemCode};
use chrono::{NaiveDate, TimeDelta};
use std::borrow::Cow;

/// A field of an object.
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    is_required: bool,
    /// Looks at the object as far as it has been read, this field included.
    check: Option<Check>,
}

/// The object's place, and its fields so far.
type Check = for<'j> fn(&mut Reader<'_>, &Object<'j>, &Place<'_>);

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: false, check: None }
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, is_required: true, check: None }
}

impl Field {
    const fn checked(self, check: Check) -> Field {
        Field { name: self.name, kind: self.kind, is_required: self.is_required, check: Some(check) }
    }
}

pub(super) type Shape = &'static [Field];

/// What a field holds.
enum Kind {
    Text,
    Id,
    /// The id of the object itself, which no other in its list has.
    OwnId(List),
    /// The id of an object that has to be there.
    Reference(List),
    Flag,
    Date,
    /// An amount or a percentage.
    Rate,
    Quantity,
    AboveZero,
    Duration,
    TimeToLive,
    Currency,
    /// A whole number from the one to the other.
    Count(u32, u32),
    /// One of a few words.
    Word(&'static [&'static str]),
    Texts,
    /// Rows of amounts.
    Table,
    Object(Shape),
    /// A list of objects.
    List(Shape),
    /// `"start_date"`, or an object.
    BillingAnchor,
    /// An object of one of two shapes, by its `type`.
    LineQuantity,
    /// An object whose shape depends on its `pricing_type`.
    PricingData,
    PricingType,
    /// A list of objects, at least one, each with a larger `up_to` than the one before it, the last one without.
    Tiers(Shape),
}

/// Whose ids are told apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    BusinessEntities,
    Customers,
    Plans,
    Contracts,
    /// Of one plan.
    Pricings,
    /// Of one contract.
    Lines,
}

impl List {
    #[expect(clippy::as_conversions, reason = "the number of a variant")]
    fn place(self) -> usize {
        self as usize
    }
}

pub(super) static CATALOG: [Field; 6] = [
    optional("version", Kind::Text),
    optional("settings", Kind::Object(&[optional("checkout_ttl", Kind::TimeToLive)])),
    optional("business_entities", Kind::List(&BUSINESS_ENTITY)),
    optional("customers", Kind::List(&CUSTOMER)),
    optional("plans", Kind::List(&PLAN)),
    optional("contracts", Kind::List(&CONTRACT)),
];

static BUSINESS_ENTITY: [Field; 5] = [
    required("id", Kind::OwnId(List::BusinessEntities)),
    optional("name", Kind::Text),
    optional("time_zone", Kind::Id),
    optional("rounding", Kind::Word(&["half_up", "half_even"])),
    optional("taxes", Kind::List(&TAX)),
];

pub(super) static CUSTOMER: [Field; 6] = [
    required("id", Kind::OwnId(List::Customers)),
    optional("name", Kind::Text),
    optional("business_entity_id", Kind::Reference(List::BusinessEntities)),
    optional("tax_exempt", Kind::Flag),
    optional("taxes", Kind::List(&TAX)),
    optional("credit_balance", Kind::Rate),
];

static PLAN: [Field; 8] = [
    required("id", Kind::OwnId(List::Plans)).checked(|reader, _, _| reader.begin(List::Pricings)),
    optional("name", Kind::Text),
    optional("description", Kind::Text),
    optional("status", Kind::Word(&["active", "draft", "archived"])),
    required("currency", Kind::Currency).checked(note_currency),
    optional("duration", Kind::Duration),
    optional("billing_anchor", Kind::BillingAnchor),
    optional("phases", Kind::List(&PLAN_PHASE)),
];

static BILLING_ANCHOR: [Field; 3] = [
    optional("month_of_year", Kind::Count(1, 12)),
    optional("day_of_month", Kind::Count(1, 31)),
    optional(
        "day_of_week",
        Kind::Word(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
    ),
];

static PLAN_PHASE: [Field; 8] = [
    optional("name", Kind::Text),
    optional("phase_type", PHASE_TYPE),
    optional("duration", Kind::Duration).checked(has_duration),
    optional("pricings", Kind::List(&PRICING)),
    PHASE_DISCOUNTS,
    COMMITMENTS,
    SERVICE_FEES,
    TAXES,
];

const PHASE_TYPE: Kind = Kind::Word(&["active", "trial"]);
const PHASE_DISCOUNTS: Field = optional("discounts", Kind::List(&PHASE_DISCOUNT));
const COMMITMENTS: Field = optional("commitments", Kind::List(&COMMITMENT));
const SERVICE_FEES: Field = optional("service_fees", Kind::List(&SERVICE_FEE));
const TAXES: Field = optional("taxes", Kind::List(&TAX));

pub(super) static CONTRACT: [Field; 12] = [
    required("id", Kind::OwnId(List::Contracts)).checked(|reader, _, _| {
        reader.begin(List::Lines);
        reader.phases.clear();
    }),
    optional("customer_id", Kind::Reference(List::Customers)),
    optional("business_entity_id", Kind::Reference(List::BusinessEntities)),
    optional("plan_id", Kind::Reference(List::Plans)),
    required("currency", Kind::Currency).checked(has_currency_of_plan),
    optional("status", Kind::Id),
    required("start_date", Kind::Date),
    optional("end_date", Kind::Date).checked(ends_after_start),
    required("anchor_date", Kind::Date),
    optional("anchor_day", Kind::Count(1, 31)),
    optional("version", Kind::Count(0, u32::MAX)),
    optional("phases", Kind::List(&CONTRACT_PHASE)),
];

static CONTRACT_PHASE: [Field; 11] = [
    optional("name", Kind::Text),
    optional("phase_type", PHASE_TYPE),
    required("start_date", Kind::Date),
    optional("end_date", Kind::Date).checked(|reader, object, place| {
        ends_after_start(reader, object, place);
        overlaps_no_other(reader, object, place);
    }),
    optional("anchor_date", Kind::Date),
    optional("anchor_day", Kind::Count(1, 31)),
    optional("lines", Kind::List(&LINE)),
    PHASE_DISCOUNTS,
    COMMITMENTS,
    SERVICE_FEES,
    TAXES,
];

/// The fields of a pricing, the first ones of a line's.
macro_rules! pricing {
    ($id:expr $(, $more:expr)*) => {
        [
            $id,
            required("product", Kind::Object(&PRODUCT)),
            optional("is_enabled", Kind::Flag),
            optional("billing_period", Kind::Object(&BILLING_PERIOD)).checked(recurs_if_metered),
            optional("quantity", Kind::LineQuantity),
            required("pricing_data", Kind::PricingData),
            optional("proration_type", Kind::Word(&["day_based", "none"])),
            optional("free_units", Kind::Quantity),
            optional("discounts", Kind::List(&DISCOUNT)),
            COMMITMENTS,
            TAXES,
            optional("dimension_values", Kind::Texts),
            $($more),*
        ]
    };
}
static PRICING: [Field; 12] = pricing![required("id", Kind::OwnId(List::Pricings)).checked(note_metered)];
static LINE: [Field; 16] = pricing![
    required("id", Kind::Id).checked(note_metered),
    required("line_item_id", Kind::OwnId(List::Lines)),
    optional("quantity_entries", Kind::List(&[FROM, required("value", Kind::Quantity)])),
    optional("enabled_entries", Kind::List(&[FROM, required("value", Kind::Flag)])),
    optional("dimension_entries", Kind::List(&[FROM, required("value", Kind::Texts)]))
];
/// The first day of an entry.
const FROM: Field = required("effective_from", Kind::Date).checked(entries_ascend);

static PRODUCT: [Field; 3] =
    [required("id", Kind::Id), optional("name", Kind::Text), optional("description", Kind::Text)];
static BILLING_PERIOD: [Field; 2] = [
    required("cadence", Kind::Duration),
    required("offset", Kind::Word(&["prepaid", "postpaid"])).checked(follows_if_metered),
];

static FIXED: [Field; 6] = [
    QUANTITY_TYPE,
    optional("value", Kind::Quantity),
    optional("minimum", Kind::Quantity),
    optional("maximum", Kind::Quantity),
    optional("multiple_of", Kind::AboveZero),
    optional("allow_mid_cycle_cancellation", Kind::Flag),
];
static METERED: [Field; 2] = [QUANTITY_TYPE, optional("expected", Kind::Quantity)];
const QUANTITY_TYPE: Field = optional("type", Kind::Word(&["fixed", "metered"]));

static UNIT_AMOUNT: [Field; 2] = [PRICING_TYPE, required("unit_amount", Kind::Rate)];
static PERCENT: [Field; 2] = [PRICING_TYPE, required("percent", Kind::Rate)];
static PACKAGE: [Field; 3] =
    [PRICING_TYPE, required("unit_amount", Kind::Rate), required("package_size", Kind::AboveZero)];
static TIERED: [Field; 2] = [PRICING_TYPE, required("tiers", Kind::Tiers(&TIER))];
static STEPPED: [Field; 2] = [PRICING_TYPE, required("tiers", Kind::Tiers(&STEP))];
static MATRIX: [Field; 4] = [
    PRICING_TYPE,
    required("dimensions", Kind::Texts).checked(note_dimensions),
    optional("prices", Kind::List(&MATRIX_PRICE)),
    optional("default_unit_amount", Kind::Rate),
];
static TWO_DIMENSIONAL: [Field; 4] = [
    PRICING_TYPE,
    required("tiers", Kind::Tiers(&BAND)),
    required("bands", Kind::Tiers(&BAND)),
    required("unit_amounts", Kind::Table).checked(has_the_shape_of_its_tiers),
];
static PRICING_TYPES: [(&str, Shape); 12] = [
    ("flat_fee", &UNIT_AMOUNT),
    ("per_unit", &UNIT_AMOUNT),
    ("percent", &PERCENT),
    ("package", &PACKAGE),
    ("tiered", &TIERED),
    ("tiered_with_flat_fee", &TIERED),
    ("custom_tiered", &TIERED),
    ("volume", &TIERED),
    ("volume_with_flat_fee", &TIERED),
    ("step", &STEPPED),
    ("matrix", &MATRIX),
    ("two_dimensional_tiered", &TWO_DIMENSIONAL),
];
const PRICING_TYPE: Field = required("pricing_type", Kind::PricingType);

const UP_TO: Field = optional("up_to", Kind::Quantity).checked(tiers_ascend);
static TIER: [Field; 4] = [
    UP_TO,
    required("unit_amount", Kind::Rate),
    optional("flat_amount", Kind::Rate),
    optional("package_size", Kind::AboveZero),
];
static STEP: [Field; 2] = [UP_TO, required("flat_amount", Kind::Rate)];
static BAND: [Field; 1] = [UP_TO];
static MATRIX_TIER: [Field; 2] = [UP_TO, required("unit_amount", Kind::Rate)];
static MATRIX_PRICE: [Field; 3] = [
    required("values", Kind::Texts).checked(has_a_value_for_each_dimension),
    optional("unit_amount", Kind::Rate),
    optional("tiers", Kind::Tiers(&MATRIX_TIER)).checked(has_one_price),
];

const REDUCTION: Field = required("type", Kind::Word(&["percent", "fixed"]));
static DISCOUNT: [Field; 4] =
    [REDUCTION, AT_MOST_HUNDRED, optional("cycles", Kind::Count(1, u32::MAX)), optional("name", Kind::Text)];
static PHASE_DISCOUNT: [Field; 4] = [
    REDUCTION,
    AT_MOST_HUNDRED,
    optional("cycles", Kind::Count(1, u32::MAX)).checked(has_no_cycles),
    optional("name", Kind::Text),
];
const AT_MOST_HUNDRED: Field = required("value", Kind::Rate).checked(is_at_most_hundred);
static COMMITMENT: [Field; 4] = [
    required("type", Kind::Word(&["minimum_spend", "maximum_spend"])),
    required("amount", Kind::Rate),
    optional("charge_full_amount", Kind::Flag),
    optional("skip_zero_amount", Kind::Flag),
];
static SERVICE_FEE: [Field; 3] = [REDUCTION, required("value", Kind::Rate), optional("name", Kind::Text)];
pub(super) static TAX: [Field; 4] = [
    optional("name", Kind::Text),
    required("percent", Kind::Rate),
    optional("is_inclusive", Kind::Flag).checked(is_as_the_first_tax),
    optional("is_compound", Kind::Flag).checked(is_not_inclusive),
];

// ── What has been read ───────────────────────────────────────────────────────────────────────────────────────────────

/// An object whose fields have been read.
#[derive(Default)]
pub(super) struct Object<'j> {
    shape: Shape,
    raw: &'j [(String, Json)],
    values: Vec<Value<'j>>,
}

/// What a field holds.
enum Value<'j> {
    /// Not there, or null.
    Absent,
    /// Wrong, and reported.
    Refused,
    Text(&'j str),
    Flag(bool),
    Date(NaiveDate),
    Rate(Rate),
    Quantity(Quantity),
    Duration(Duration),
    TimeToLive(TimeDelta),
    Currency(Currency),
    Count(u32),
    /// Which of its words.
    Word(usize),
    Texts(Vec<&'j str>),
    Table(Vec<Vec<Rate>>),
    Object(Object<'j>),
    Objects(Vec<Object<'j>>),
}

macro_rules! values {
    ($($name:ident $variant:ident $of:ty;)*) => {$(
        pub(super) fn $name(&self, name: &str) -> Option<$of> {
            match self.value(name) {
                Value::$variant(value) => Some(*value),
                _ => None,
            }
        }
    )*};
}

impl<'j> Object<'j> {
    values! {
        text Text &'j str;
        flag Flag bool;
        date Date NaiveDate;
        rate Rate Rate;
        quantity Quantity Quantity;
        duration Duration Duration;
        time_to_live TimeToLive TimeDelta;
        currency Currency Currency;
        count Count u32;
        word Word usize;
    }

    /// A field that has been read already.
    fn value(&self, name: &str) -> &Value<'j> {
        let at = self.shape.iter().position(|field| field.name == name);
        at.and_then(|at| self.values.get(at)).unwrap_or(&Value::Absent)
    }

    fn is_given(&self, name: &str) -> bool {
        !matches!(self.value(name), Value::Absent)
    }

    pub(super) fn texts(&self, name: &str) -> Option<&[&'j str]> {
        if let Value::Texts(texts) = self.value(name) { Some(texts) } else { None }
    }

    pub(super) fn table(&self, name: &str) -> &[Vec<Rate>] {
        if let Value::Table(rows) = self.value(name) { rows } else { &[] }
    }

    pub(super) fn object(&self, name: &str) -> Option<&Object<'j>> {
        if let Value::Object(object) = self.value(name) { Some(object) } else { None }
    }

    /// An object that has to be there.
    pub(super) fn part(&self, name: &str) -> &Object<'j> {
        static NONE: Object<'static> = Object { shape: &[], raw: &[], values: Vec::new() };
        self.object(name).unwrap_or(&NONE)
    }

    /// The objects of a list; `None` where there is none, which counts as empty but for taxes.
    pub(super) fn objects(&self, name: &str) -> Option<&[Object<'j>]> {
        if let Value::Objects(objects) = self.value(name) { Some(objects) } else { None }
    }
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A place in the catalog, written out only when something is wrong there, or when it is a pricing's.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    /// Which item of how many.
    Item(usize, usize),
}

/// Where every path begins.
pub(super) const ROOT: &Place<'static> = &Place { parent: None, step: Step::Field("catalog") };

impl<'a> Place<'a> {
    pub(super) fn field(&'a self, name: &'a str) -> Place<'a> {
        Place { parent: Some(self), step: Step::Field(name) }
    }

    pub(super) fn item(&'a self, index: usize, length: usize) -> Place<'a> {
        Place { parent: Some(self), step: Step::Item(index, length) }
    }

    fn is_last(&self) -> bool {
        matches!(self.step, Step::Item(index, length) if index.saturating_add(1) >= length)
    }

    pub(super) fn path(&self) -> String {
        let mut path = self.parent.map(Place::path).unwrap_or_default();
        path.push('/');
        match self.step {
            Step::Field(name) => path.push_str(&form::pointer_step(name)),
            Step::Item(index, _) => path.push_str(&form::digits(index)),
        }
        path
    }
}

/// Reads objects and notes what is wrong with them.
#[derive(Default)]
pub(super) struct Reader<'c> {
    pub(super) problems: Vec<Problem>,
    /// What is there beside what is read.
    known: Option<&'c Catalog>,
    /// The ids of each list, and which of its items each is of.
    ids: [Index; 6],
    /// Those of the plans.
    currencies: Vec<(usize, Currency)>,
    /// Of the list that is being read: the `up_to` before, the day before, whether the first tax is inclusive.
    below: Option<Quantity>,
    entry_before: Option<NaiveDate>,
    is_inclusive: Option<bool>,
    /// Of the contract that is being read.
    phases: Vec<(NaiveDate, NaiveDate)>,
    is_metered: bool,
    dimensions: Option<usize>,
    prices: Index,
}

/// The name of one of the pricing types.
pub(super) fn pricing_type(word: Option<usize>) -> &'static str {
    word.and_then(|word| PRICING_TYPES.get(word)).map(|(name, _)| *name).unwrap_or_default()
}

impl<'c> Reader<'c> {
    /// Of what stands beside a catalog that has been read.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn beside(catalog: &'c Catalog) -> Reader<'c> {
        Reader { known: Some(catalog), ..Reader::default() }
    }

    /// The ids that were read, and which item of its list each is of.
    pub(super) fn ids_of(&mut self, list: List) -> Index {
        self.ids.get_mut(list.place()).map(std::mem::take).unwrap_or_default()
    }

    /// Notes a problem, one per place.
    fn refuse(&mut self, place: &Place, fault: Fault) {
        let path = place.path();
        if !self.problems.iter().rev().take(8).any(|problem| problem.path == path) {
            self.problems.push(Problem {
                code: ProblemCode::CatalogInvalid,
                path,
                message: fault.message,
                help: fault.help,
            });
        }
    }

    fn say(&mut self, place: &Place, message: impl Into<Cow<'static, str>>, help: &'static str) {
        self.refuse(place, Fault::new(ProblemCode::CatalogInvalid, message, help));
    }

    fn say_at(&mut self, place: &Place, field: &str, message: &'static str, help: &'static str) {
        self.say(&place.field(field), message, help);
    }

    fn say_missing(&mut self, place: &Place, field: &str) {
        self.say(&place.field(field), filled("`%` is missing", &[field]), "the field is required");
    }

    fn begin(&mut self, list: List) {
        if let Some(ids) = self.ids.get_mut(list.place()) {
            ids.clear();
        }
    }

    /// Reads an object; `None` where it is none.
    pub(super) fn object<'j>(&mut self, json: &'j Json, shape: Shape, place: &Place) -> Option<Object<'j>> {
        let fields = form::object(json).map_err(|fault| self.refuse(place, fault)).ok()?;
        Some(self.fields(fields, shape, place))
    }

    fn fields<'j>(&mut self, fields: &'j [(String, Json)], shape: Shape, place: &Place) -> Object<'j> {
        let mut object = Object { shape, raw: fields, values: Vec::with_capacity(shape.len()) };
        for field in shape {
            let place_of_field = place.field(field.name);
            let value = match form::field(fields, field.name) {
                Some(json) => self.value(json, &field.kind, &place_of_field),
                None => {
                    if field.is_required {
                        self.say_missing(place, field.name);
                    }
                    Value::Absent
                }
            };
            object.values.push(value);
            if let Some(check) = field.check {
                check(self, &object, place);
            }
        }
        let known: Vec<&'static str> = shape.iter().map(|field| field.name).collect();
        for (name, fault) in form::unknown_fields(fields, &known) {
            self.refuse(&place.field(name), fault);
        }
        object
    }

    fn value<'j>(&mut self, json: &'j Json, kind: &Kind, place: &Place) -> Value<'j> {
        self.read(json, kind, place).unwrap_or_else(|fault| {
            self.refuse(place, fault);
            Value::Refused
        })
    }

    fn read<'j>(&mut self, json: &'j Json, kind: &Kind, place: &Place) -> Read<Value<'j>> {
        Ok(match kind {
            Kind::Text => Value::Text(form::string(json)?),
            Kind::Id => Value::Text(form::id(json)?),
            Kind::OwnId(list) => {
                let id = form::id(json)?;
                let ids = self.ids.get_mut(list.place());
                // Noted even where something else is wrong with the object, so that references to it are not reported.
                if ids.is_some_and(|ids| ids.insert(id.to_owned(), ids.len()).is_some()) {
                    self.say(place, filled("the id `%` is given twice", &[id]), "give each its own id");
                }
                Value::Text(id)
            }
            Kind::Reference(list) => {
                let id = form::id(json)?;
                if !self.is_there(*list, id) {
                    self.say(place, filled("`%` is not in the catalog", &[id]), "name one that is there");
                }
                Value::Text(id)
            }
            Kind::Flag => Value::Flag(form::boolean(json)?),
            Kind::Date => Value::Date(form::date(json)?),
            Kind::Rate => Value::Rate(form::rate(json)?),
            Kind::Quantity => Value::Quantity(form::quantity(json)?),
            Kind::AboveZero => {
                let quantity = form::quantity(json)?;
                if quantity.is_zero() {
                    return Err(invalid("`0` is not above 0", "send a quantity above 0"));
                }
                Value::Quantity(quantity)
            }
            Kind::Duration => Value::Duration(form::text_as(json, Duration::read, |text| {
                let help = "send one unit of 1 to 1200 days, weeks, months or years, such as P14D or P1M";
                invalid(filled("`%` is not a duration", &[text]), help)
            })?),
            Kind::TimeToLive => Value::TimeToLive(form::text_as(json, date::read_time_to_live, |text| {
                invalid(filled("`%` is not a time to live", &[text]), "send hours or minutes, such as PT24H or PT30M")
            })?),
            Kind::Currency => Value::Currency(form::text_as(json, Currency::find, |text| {
                invalid(filled("there is no currency `%`", &[text]), "use a code of ISO 4217, such as USD")
            })?),
            Kind::Count(least, most) => Value::Count(form::count(json, *least, *most)?),
            Kind::Word(words) => Value::Word(form::word(json, words)?),
            Kind::PricingType => Value::Word(form::word(json, &PRICING_TYPES.map(|(name, _)| name))?),
            Kind::Texts => {
                let mut texts = Vec::new();
                let items = form::list(json)?;
                for (index, item) in items.iter().enumerate() {
                    match form::string(item) {
                        Ok(text) => texts.push(text),
                        Err(fault) => self.refuse(&place.item(index, items.len()), fault),
                    }
                }
                if texts.len() < items.len() { Value::Refused } else { Value::Texts(texts) }
            }
            Kind::Table => {
                let mut rows = Vec::new();
                let list = form::list(json)?;
                for (index, row) in list.iter().enumerate() {
                    let place = place.item(index, list.len());
                    let cells = form::list(row).map_err(|fault| self.refuse(&place, fault)).unwrap_or_default();
                    let mut amounts = Vec::new();
                    for (index, cell) in cells.iter().enumerate() {
                        match form::rate(cell) {
                            Ok(amount) => amounts.push(amount),
                            Err(fault) => {
                                self.refuse(&place.item(index, cells.len()), fault);
                                amounts.push(Rate::ZERO);
                            }
                        }
                    }
                    rows.push(amounts);
                }
                Value::Table(rows)
            }
            Kind::Object(shape) => Value::Object(self.fields(form::object(json)?, shape, place)),
            Kind::List(shape) => Value::Objects(self.objects(form::list(json)?, shape, place)),
            Kind::Tiers(shape) => {
                let items = form::list(json)?;
                if items.is_empty() {
                    let message = "there is none";
                    return Err(invalid(message, "give at least one, the last without `up_to`"));
                }
                Value::Objects(self.objects(items, shape, place))
            }
            Kind::BillingAnchor => match json {
                Json::String(_) => Value::Word(form::word(json, &["start_date"])?),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_) | Json::Foreign(_) => {
                    let object = self.fields(form::object(json)?, &BILLING_ANCHOR, place);
                    is_clear(self, &object, place);
                    Value::Object(object)
                }
            },
            Kind::LineQuantity => {
                let fields = form::object(json)?;
                let shape: Shape = if is_metered(json) { &METERED } else { &FIXED };
                Value::Object(self.fields(fields, shape, place))
            }
            Kind::PricingData => {
                let fields = form::object(json)?;
                let given = form::field(fields, "pricing_type").and_then(|name| form::string(name).ok());
                match PRICING_TYPES.iter().find(|(name, _)| Some(*name) == given) {
                    Some((_, shape)) => Value::Object(self.fields(fields, shape, place)),
                    // Nothing else can be told.
                    None => match form::field(fields, "pricing_type") {
                        Some(json) => self.value(json, &Kind::PricingType, &place.field("pricing_type")),
                        None => {
                            self.say_missing(place, "pricing_type");
                            Value::Refused
                        }
                    },
                }
            }
        })
    }

    fn objects<'j>(&mut self, items: &'j [Json], shape: Shape, place: &Place) -> Vec<Object<'j>> {
        (self.below, self.entry_before, self.is_inclusive) = (None, None, None);
        let numbered = items.iter().enumerate();
        numbered.filter_map(|(index, item)| self.object(item, shape, &place.item(index, items.len()))).collect()
    }

    /// Which of its list the object with an id is.
    fn number(&self, list: List, id: &str) -> Option<usize> {
        self.ids.get(list.place())?.get(id).copied()
    }

    fn is_there(&self, list: List, id: &str) -> bool {
        let known = self.known.and_then(|catalog| match list {
            List::BusinessEntities => Some(&catalog.business_entities.by_id),
            List::Plans => Some(&catalog.plans.by_id),
            // Of a catalog that is known already, customers are read anew.
            List::Customers | List::Contracts | List::Pricings | List::Lines => None,
        });
        let ids = known.or(self.ids.get(list.place()));
        ids.is_some_and(|ids| ids.contains_key(id))
    }
}

fn invalid(message: impl Into<Cow<'static, str>>, help: &'static str) -> Fault {
    Fault::new(ProblemCode::CatalogInvalid, message, help)
}

fn is_metered(quantity: &Json) -> bool {
    matches!(quantity.get("type"), Some(Json::String(r#type)) if r#type == "metered")
}

// ── Rules between fields (R3.2) ──────────────────────────────────────────────────────────────────────────────────────

fn note_currency(reader: &mut Reader, plan: &Object, _: &Place) {
    let number = plan.text("id").and_then(|id| reader.number(List::Plans, id));
    reader.currencies.extend(number.zip(plan.currency("currency")));
}

fn has_currency_of_plan(reader: &mut Reader, contract: &Object, place: &Place) {
    let of_plan = contract.text("plan_id").and_then(|id| match reader.known {
        Some(catalog) => catalog.plan(id).map(|plan| plan.currency),
        None => {
            let number = reader.number(List::Plans, id)?;
            let at = reader.currencies.binary_search_by_key(&number, |(number, _)| *number).ok()?;
            reader.currencies.get(at).map(|(_, currency)| *currency)
        }
    });
    if let (Some(currency), Some(of_plan)) = (contract.currency("currency"), of_plan)
        && currency != of_plan
    {
        let message = filled("the plan's currency is %", &[of_plan.code]);
        reader.say(&place.field("currency"), message, "use the plan's currency");
    }
}

fn note_metered(reader: &mut Reader, pricing: &Object, _: &Place) {
    reader.is_metered = form::field(pricing.raw, "quantity").is_some_and(is_metered);
}

fn recurs_if_metered(reader: &mut Reader, pricing: &Object, place: &Place) {
    if reader.is_metered && !pricing.is_given("billing_period") {
        let help = "give it a postpaid billing period";
        reader.say_at(place, "billing_period", "a metered line that is one-time", help);
    }
}

fn follows_if_metered(reader: &mut Reader, period: &Object, place: &Place) {
    if reader.is_metered && period.word("offset") == Some(0) {
        let help = "make it postpaid: usage is known afterwards";
        reader.say_at(place, "offset", "a metered line that is prepaid", help);
    }
}

fn has_duration(reader: &mut Reader, phase: &Object, place: &Place) {
    if !place.is_last() && !phase.is_given("duration") {
        let help = "give a duration such as P3M";
        reader.say_at(place, "duration", "only the last phase may be without a duration", help);
    }
}

fn is_clear(reader: &mut Reader, anchor: &Object, place: &Place) {
    let [month, day, weekday] = ["month_of_year", "day_of_month", "day_of_week"].map(|name| anchor.is_given(name));
    let is_misread = anchor.values.iter().any(|value| matches!(value, Value::Refused));
    let is_clear = if weekday { !day && !month } else { day };
    if !is_misread && !is_clear {
        let help = "send \"start_date\", {day_of_month}, {month_of_year, day_of_month} or {day_of_week}";
        reader.say(place, "the days of a billing anchor are not clear", help);
    }
}

fn ends_after_start(reader: &mut Reader, object: &Object, place: &Place) {
    if let (Some(start), Some(end)) = (object.date("start_date"), object.date("end_date"))
        && end < start
    {
        let help = "an end date is the last day, on or after the start";
        reader.say(&place.field("end_date"), filled("% is before the start", &[&date::write_date(end)]), help);
    }
}

fn overlaps_no_other(reader: &mut Reader, phase: &Object, place: &Place) {
    // Where the end is wrong it is not known how long the phase lasts, so nothing can be said to overlap it.
    let end = if phase.is_given("end_date") { phase.date("end_date") } else { Some(date::NEVER) };
    let Some((start, end)) = phase.date("start_date").zip(end) else { return };
    if reader.phases.iter().any(|(other_start, other_end)| start <= *other_end && *other_start <= end) {
        let help = "let each phase begin after the one before it has ended";
        reader.say_at(place, "start_date", "the phase overlaps an earlier one", help);
    }
    reader.phases.push((start, end));
}

fn entries_ascend(reader: &mut Reader, entry: &Object, place: &Place) {
    let before = reader.entry_before;
    let day = entry.date("effective_from");
    if let (Some(before), Some(day)) = (before, day)
        && day <= before
    {
        let help = "sort the entries by day, one for each day";
        reader.say_at(place, "effective_from", "the entries do not ascend", help);
    }
    reader.entry_before = day.or(before);
}

fn tiers_ascend(reader: &mut Reader, tier: &Object, place: &Place) {
    let below = reader.below;
    let is_given = tier.is_given("up_to");
    if is_given && place.is_last() {
        reader.say_at(place, "up_to", "the last one is bounded", "leave `up_to` of the last one null");
    } else if !is_given && !place.is_last() {
        reader.say_at(place, "up_to", "one that is not the last is open", "give `up_to` to all but the last");
    }
    let up_to = tier.quantity("up_to");
    if let Some(up_to) = up_to {
        if up_to.is_zero() && below.is_none() {
            reader.say_at(place, "up_to", "`up_to` is 0", "the first one holds 0 already: begin above");
        } else if below.is_some_and(|below| up_to <= below) {
            let help = "give each a larger `up_to` than the one before it";
            reader.say(&place.field("up_to"), filled("% does not ascend", &[up_to.printed().as_str()]), help);
        }
    }
    reader.below = up_to.or(below);
}

fn note_dimensions(reader: &mut Reader, matrix: &Object, _: &Place) {
    reader.dimensions = length(matrix.raw, "dimensions");
    reader.prices.clear();
}

/// How long a list is, whatever is in it.
fn length(fields: &[(String, Json)], name: &str) -> Option<usize> {
    form::field(fields, name).and_then(|json| form::list(json).ok()).map(<[Json]>::len)
}

fn has_a_value_for_each_dimension(reader: &mut Reader, price: &Object, place: &Place) {
    let (count, dimensions) = (length(price.raw, "values"), reader.dimensions);
    if count.is_some() && dimensions.is_some() && count != dimensions {
        let help = "give as many values as there are dimensions";
        reader.say_at(place, "values", "a price needs one value for each dimension", help);
    }
    if let Some(values) = price.texts("values")
        && reader.prices.insert(matrix_key(values.iter().copied()), 0).is_some()
    {
        reader.say_at(place, "values", "two prices for the same values", "give each combination of values once");
    }
}

fn has_one_price(reader: &mut Reader, price: &Object, place: &Place) {
    if price.is_given("tiers") == price.is_given("unit_amount") {
        reader.say(place, "a price has either `unit_amount` or `tiers`", "give one of the two");
    }
}

fn has_the_shape_of_its_tiers(reader: &mut Reader, data: &Object, place: &Place) {
    let place = place.field("unit_amounts");
    let help = "give one row for each tier and in it one amount for each band";
    let count = |name| data.objects(name).map(<[Object]>::len);
    let rows = data.table("unit_amounts");
    if data.is_given("unit_amounts") && count("tiers").is_some_and(|count| count != rows.len()) {
        reader.say(&place, "a table of the wrong shape", help);
    }
    for (index, row) in rows.iter().enumerate() {
        if count("bands").is_some_and(|count| count != row.len()) {
            reader.say(&place.item(index, rows.len()), "a table of the wrong shape", help);
        }
    }
}

fn is_at_most_hundred(reader: &mut Reader, discount: &Object, place: &Place) {
    if let (Some(0), Some(value)) = (discount.word("type"), discount.rate("value"))
        && value > Rate::HUNDRED
    {
        reader.say(
            &place.field("value"),
            filled("a discount of % per cent", &[value.printed().as_str()]),
            "send at most 100",
        );
    }
}

fn has_no_cycles(reader: &mut Reader, discount: &Object, place: &Place) {
    if discount.is_given("cycles") {
        reader.say_at(place, "cycles", "a phase's discount has no cycles", "put the discount on the pricing");
    }
}

fn is_as_the_first_tax(reader: &mut Reader, tax: &Object, place: &Place) {
    let is_inclusive = tax.flag("is_inclusive").unwrap_or(false);
    if *reader.is_inclusive.get_or_insert(is_inclusive) != is_inclusive {
        let help = "make all taxes of a list inclusive, or none";
        reader.say_at(place, "is_inclusive", "an inclusive tax beside an exclusive one", help);
    }
}

fn is_not_inclusive(reader: &mut Reader, tax: &Object, place: &Place) {
    if tax.flag("is_compound") == Some(true) && tax.flag("is_inclusive") == Some(true) {
        let help = "make it exclusive, or not compound";
        reader.say_at(place, "is_compound", "a compound tax that is inclusive", help);
    }
}

//! Reads a catalog and checks it against its own rules (R3.1 to R3.3).
//!
//! Nothing stops at the first problem: what is wrong is noted at its place, in the order of the catalog's fields, and
//! reading goes on with the rest.

use super::{
    BillingAnchor, BillingPeriod, BusinessEntity, Catalog, Commitment, Customer, Discount, Fields, Index, LineQuantity,
    List, MatrixPrice, PhaseFeatures, Plan, PlanPhase, Pricing, PricingModel, Reduction, ServiceFee, StoredContract,
    StoredLine, StoredPhase, Tax, Tier,
};
use crate::date::{self, Duration};
use crate::form::{self, Fault, Read};
use crate::json::Json;
use crate::money::{Currency, Quantity, Rate, Rounding};
use crate::problem::{Problem, ProblemCode, Problems};
use chrono::{NaiveDate, TimeDelta, Weekday};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads a catalog, or says everything that is wrong with it.
pub(super) fn load(json: Json) -> Result<Catalog, Problems> {
    let mut loader = Loader { problems: Vec::new() };
    let catalog = loader.catalog(json);
    loader.done(catalog)
}

/// Reads customers and contracts as those of a catalog that has been read, or says everything that is wrong with them.
pub(super) fn with(
    catalog: &Catalog,
    customers: Vec<(usize, Json)>,
    contracts: Vec<(usize, Json)>,
) -> Result<Catalog, Problems> {
    let mut loader = Loader { problems: Vec::new() };
    let entities = &catalog.business_entities.by_id;
    let customers = loader.customers(customers, entities);
    let references = References {
        entities,
        customers: &customers.by_id,
        plans: &catalog.plans.by_id,
        currency_of: &|id| Some(catalog.plan(id)?.currency),
    };
    let contracts = loader.contracts(contracts, &references);
    loader.done(Catalog {
        version: catalog.version.clone(),
        checkout_ttl: catalog.checkout_ttl,
        business_entities: Arc::clone(&catalog.business_entities),
        customers,
        plans: Arc::clone(&catalog.plans),
        contracts,
    })
}

/// A place in the catalog, written out only when something is wrong there.
#[derive(Clone, Copy)]
struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

/// Where every path begins.
const ROOT: &Place<'static> = &Place { parent: None, step: Step::Field("catalog") };

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    fn field(&'a self, name: &'a str) -> Place<'a> {
        Place { parent: Some(self), step: Step::Field(name) }
    }

    fn item(&'a self, index: usize) -> Place<'a> {
        Place { parent: Some(self), step: Step::Item(index) }
    }

    /// Which item of its list it is, the first being 1.
    fn number(&self) -> usize {
        match self.step {
            Step::Field(_) => 0,
            Step::Item(index) => index.saturating_add(1),
        }
    }

    fn path(&self) -> String {
        let parent = self.parent.map(Place::path).unwrap_or_default();
        match self.step {
            Step::Field(name) => format!("{parent}/{}", form::pointer_step(name)),
            Step::Item(index) => format!("{parent}/{index}"),
        }
    }
}

/// The value of a field, taken out of its object.
fn take(fields: &mut Fields, name: &str) -> Json {
    fields.iter_mut().find(|(key, _)| key == name).map_or(Json::Null, |(_, value)| std::mem::replace(value, Json::Null))
}

struct Loader {
    problems: Vec<Problem>,
}

impl Loader {
    /// What was read, unless something is wrong with it.
    fn done(self, catalog: Catalog) -> Result<Catalog, Problems> {
        match Problems::new(self.problems) {
            Some(problems) => Err(problems),
            None => Ok(catalog),
        }
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

    fn say(&mut self, place: &Place, message: impl Into<String>, help: &'static str) {
        self.refuse(place, Fault::new(ProblemCode::CatalogInvalid, message, help));
    }

    fn read<T>(&mut self, place: &Place, read: Read<T>) -> Option<T> {
        read.map_err(|fault| self.refuse(place, fault)).ok()
    }

    fn optional<'j, T>(
        &mut self,
        fields: &'j [(String, Json)],
        place: &Place,
        name: &'static str,
        read: impl FnOnce(&'j Json) -> Read<T>,
    ) -> Option<T> {
        let json = form::field(fields, name)?;
        self.read(&place.field(name), read(json))
    }

    fn required<'j, T>(
        &mut self,
        fields: &'j [(String, Json)],
        place: &Place,
        name: &'static str,
        read: impl FnOnce(&'j Json) -> Read<T>,
    ) -> Option<T> {
        match form::field(fields, name) {
            Some(json) => self.read(&place.field(name), read(json)),
            None => {
                self.say(&place.field(name), format!("`{name}` is missing"), "the field is required");
                None
            }
        }
    }

    fn text(&mut self, fields: &[(String, Json)], place: &Place, name: &'static str) -> Option<String> {
        self.optional(fields, place, name, form::string).map(str::to_owned)
    }

    fn flag(&mut self, fields: &[(String, Json)], place: &Place, name: &'static str, default: bool) -> bool {
        self.optional(fields, place, name, form::boolean).unwrap_or(default)
    }

    fn unknown(&mut self, fields: &[(String, Json)], place: &Place, known: &[&'static str]) {
        for (name, fault) in form::unknown_fields(fields, known) {
            self.refuse(&place.field(name), fault);
        }
    }

    fn object(&mut self, json: Json, place: &Place) -> Option<Fields> {
        match json {
            Json::Object(fields) => Some(fields),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::List(_) | Json::Foreign(_) => {
                self.say(place, format!("expected an object, found {}", json.kind()), "send an object");
                None
            }
        }
    }

    /// The items of a list with their indices; a missing list is empty (R3.3).
    fn numbered(&mut self, json: Json, place: &Place) -> impl Iterator<Item = (usize, Json)> + use<> {
        let items = match json {
            Json::Null => Vec::new(),
            Json::List(items) => items,
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) | Json::Foreign(_) => {
                self.say(place, format!("expected a list, found {}", json.kind()), "send a list");
                Vec::new()
            }
        };
        items.into_iter().enumerate()
    }

    /// What the items of a list are, without those that cannot be told.
    fn items<T>(
        &mut self,
        json: Json,
        place: &Place,
        mut each: impl FnMut(&mut Loader, Json, &Place) -> Option<T>,
    ) -> Vec<T> {
        self.numbered(json, place).filter_map(|(index, item)| each(self, item, &place.item(index))).collect()
    }

    /// The same for a list of the catalog's own, whose items have ids.
    fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = (usize, Json)>,
        place: &Place,
        mut each: impl FnMut(&mut Loader, Json, &Place, &mut Index) -> Option<T>,
    ) -> List<T> {
        let mut by_id = Index::new();
        let items =
            items.into_iter().filter_map(|(index, item)| each(self, item, &place.item(index), &mut by_id)).collect();
        List { items, by_id }
    }

    /// The same for lists that are kept as they were written.
    fn each<T>(
        &mut self,
        fields: &[(String, Json)],
        place: &Place,
        name: &'static str,
        mut each: impl FnMut(&mut Loader, &[(String, Json)], &Place) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.optional(fields, place, name, form::list)?;
        let place = place.field(name);
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = place.item(index);
            if let Some(item) = self.read(&place, form::object(item)) {
                read.extend(each(self, item, &place));
            }
        }
        Some(read)
    }

    /// Reads a thing's id, which no other in its list may have, and notes it with the number of those before it.
    ///
    /// It is noted even where something else is wrong with the thing, so that references to it are not reported as well.
    fn own_id(
        &mut self,
        fields: &[(String, Json)],
        place: &Place,
        name: &'static str,
        seen: &mut Index,
    ) -> Option<String> {
        let id = self.required(fields, place, name, form::id)?.to_owned();
        if seen.insert(id.clone(), seen.len()).is_some() {
            self.say(
                &place.field(name),
                format!("the id {} is given twice", form::quoted(&id)),
                "give each its own id",
            );
        }
        Some(id)
    }

    /// Reads a reference to a thing that must be there.
    fn reference(
        &mut self,
        fields: &[(String, Json)],
        place: &Place,
        name: &'static str,
        ids: &Index,
    ) -> Option<String> {
        let id = self.optional(fields, place, name, form::id)?;
        if !ids.contains_key(id) {
            self.say(
                &place.field(name),
                format!("{} is not in the catalog", form::quoted(id)),
                "name one that is there",
            );
        }
        Some(id.to_owned())
    }

    fn catalog(&mut self, json: Json) -> Catalog {
        let mut fields = self.object(json, ROOT).unwrap_or_default();
        let version = self.text(&fields, ROOT, "version").map(Arc::from);
        let checkout_ttl = self.settings(&fields);
        let known = ["version", "settings", "business_entities", "customers", "plans", "contracts"];

        let place = ROOT.field("business_entities");
        let entities = self.numbered(take(&mut fields, "business_entities"), &place);
        let business_entities = self.list(entities, &place, Loader::business_entity);
        let customers = self.numbered(take(&mut fields, "customers"), &ROOT.field("customers"));
        let customers = self.customers(customers, &business_entities.by_id);
        let place = ROOT.field("plans");
        let plans = self.numbered(take(&mut fields, "plans"), &place);
        let plans = self.list(plans, &place, Loader::plan);
        // By id and not by index: plans with problems are not among them.
        let mut currencies = BTreeMap::new();
        currencies.extend(plans.items.iter().map(|plan| (plan.id.as_str(), plan.currency)));
        let references = References {
            entities: &business_entities.by_id,
            customers: &customers.by_id,
            plans: &plans.by_id,
            currency_of: &|id| currencies.get(id).copied(),
        };
        let contracts = self.numbered(take(&mut fields, "contracts"), &ROOT.field("contracts"));
        let contracts = self.contracts(contracts, &references);
        self.unknown(&fields, ROOT, &known);
        Catalog {
            version,
            checkout_ttl,
            business_entities: Arc::new(business_entities),
            customers,
            plans: Arc::new(plans),
            contracts,
        }
    }

    fn customers(&mut self, items: impl IntoIterator<Item = (usize, Json)>, entities: &Index) -> List<Customer> {
        self.list(items, &ROOT.field("customers"), |loader, json, place, seen| {
            loader.customer(json, place, seen, entities)
        })
    }

    fn contracts(
        &mut self,
        items: impl IntoIterator<Item = (usize, Json)>,
        references: &References,
    ) -> List<StoredContract> {
        self.list(items, &ROOT.field("contracts"), |loader, json, place, seen| {
            loader.contract(json, place, seen, references)
        })
    }

    fn settings(&mut self, fields: &[(String, Json)]) -> TimeDelta {
        let place = ROOT.field("settings");
        let settings = self.optional(fields, ROOT, "settings", form::object).unwrap_or_default();
        let checkout_ttl = self.optional(settings, &place, "checkout_ttl", |json| {
            let text = form::string(json)?;
            date::read_time_to_live(text).ok_or_else(|| {
                let message = format!("{} is not a time to live", form::quoted(text));
                Fault::new(ProblemCode::CatalogInvalid, message, "send hours or minutes, such as PT24H or PT30M")
            })
        });
        self.unknown(settings, &place, &["checkout_ttl"]);
        checkout_ttl.unwrap_or(TimeDelta::hours(24))
    }

    fn business_entity(&mut self, json: Json, place: &Place, seen: &mut Index) -> Option<BusinessEntity> {
        let fields = self.object(json, place)?;
        let id = self.own_id(&fields, place, "id", seen);
        self.text(&fields, place, "name");
        let time_zone = self.optional(&fields, place, "time_zone", form::id).map(str::to_owned);
        let rounding = self.optional(&fields, place, "rounding", |json| {
            form::word(json, &[("half_up", Rounding::HalfUp), ("half_even", Rounding::HalfEven)])
        });
        let taxes = self.taxes(&fields, place);
        self.unknown(&fields, place, &["id", "name", "time_zone", "rounding", "taxes"]);
        Some(BusinessEntity { id: id?, time_zone, rounding: rounding.unwrap_or(Rounding::HalfUp), taxes })
    }

    fn customer(&mut self, json: Json, place: &Place, seen: &mut Index, entities: &Index) -> Option<Customer> {
        let fields = self.object(json, place)?;
        let id = self.own_id(&fields, place, "id", seen);
        self.text(&fields, place, "name");
        let business_entity_id = self.reference(&fields, place, "business_entity_id", entities);
        let tax_exempt = self.flag(&fields, place, "tax_exempt", false);
        let taxes = self.taxes(&fields, place);
        let credit_balance = self.optional(&fields, place, "credit_balance", form::rate).unwrap_or(Rate::ZERO);
        self.unknown(&fields, place, &["id", "name", "business_entity_id", "tax_exempt", "taxes", "credit_balance"]);
        Some(Customer { id: id?, business_entity_id, tax_exempt, taxes, credit_balance })
    }

    fn currency(&mut self, fields: &[(String, Json)], place: &Place) -> Option<Currency> {
        self.required(fields, place, "currency", |json| {
            let text = form::string(json)?;
            Currency::find(text).ok_or_else(|| {
                let message = format!("there is no currency {}", form::quoted(text));
                Fault::new(ProblemCode::CatalogInvalid, message, "use a code of ISO 4217, such as USD")
            })
        })
    }

    fn plan(&mut self, json: Json, place: &Place, seen: &mut Index) -> Option<Plan> {
        let mut fields = self.object(json, place)?;
        let id = self.own_id(&fields, place, "id", seen);
        self.text(&fields, place, "name");
        self.text(&fields, place, "description");
        let is_active = self.optional(&fields, place, "status", |json| {
            form::word(json, &[("active", true), ("draft", false), ("archived", false)])
        });
        let currency = self.currency(&fields, place);
        let duration = self.duration(&fields, place);
        let billing_anchor = self.billing_anchor(&fields, place);

        let phases = take(&mut fields, "phases");
        let count = form::list(&phases).map_or(0, <[Json]>::len);
        let mut pricing_ids = Index::new();
        let mut at = 0_usize;
        let phases = self.items(phases, &place.field("phases"), |loader, json, place| {
            at = at.saturating_add(1);
            loader.plan_phase(json, place, at == count, &mut pricing_ids)
        });
        self.unknown(
            &fields,
            place,
            &["id", "name", "description", "status", "currency", "duration", "billing_anchor", "phases"],
        );
        Some(Plan {
            id: id?,
            is_active: is_active.unwrap_or(true),
            currency: currency?,
            duration,
            billing_anchor,
            phases,
        })
    }

    fn duration(&mut self, fields: &[(String, Json)], place: &Place) -> Option<Duration> {
        self.optional(fields, place, "duration", read_duration)
    }

    fn billing_anchor(&mut self, fields: &[(String, Json)], place: &Place) -> BillingAnchor {
        let Some(json) = form::field(fields, "billing_anchor") else { return BillingAnchor::StartDate };
        let place = place.field("billing_anchor");
        if let Json::String(_) = json {
            self.read(&place, form::word(json, &[("start_date", ())]));
            return BillingAnchor::StartDate;
        }
        let Some(fields) = self.read(&place, form::object(json)) else { return BillingAnchor::StartDate };
        let month_of_year = self.optional(fields, &place, "month_of_year", |json| form::count(json, 1, 12));
        let day_of_month = self.optional(fields, &place, "day_of_month", |json| form::count(json, 1, 31));
        let day_of_week = self.optional(fields, &place, "day_of_week", |json| form::word(json, &WEEKDAYS));
        self.unknown(fields, &place, &["month_of_year", "day_of_month", "day_of_week"]);
        let given = |name| form::field(fields, name).is_some();
        let is_misread = given("day_of_month") != day_of_month.is_some()
            || given("month_of_year") != month_of_year.is_some()
            || given("day_of_week") != day_of_week.is_some();
        match (day_of_month, day_of_week) {
            (_, _) if is_misread => BillingAnchor::StartDate,
            (Some(day), _) if !given("day_of_week") => BillingAnchor::DayOfMonth { month_of_year, day },
            (_, Some(weekday)) if !given("day_of_month") && !given("month_of_year") => {
                BillingAnchor::DayOfWeek(weekday)
            }
            (_, _) => {
                let help = "send \"start_date\", {day_of_month}, {month_of_year, day_of_month} or {day_of_week}";
                self.say(&place, "the days of a billing anchor are not clear", help);
                BillingAnchor::StartDate
            }
        }
    }

    fn plan_phase(&mut self, json: Json, place: &Place, is_last: bool, pricing_ids: &mut Index) -> Option<PlanPhase> {
        let mut fields = self.object(json, place)?;
        let name = self.text(&fields, place, "name");
        let is_trial = self.is_trial(&fields, place);
        let duration = self.duration(&fields, place);
        if !is_last && form::field(&fields, "duration").is_none() {
            self.say(
                &place.field("duration"),
                "only the last phase may be without a duration",
                "give a duration such as P3M",
            );
        }
        let pricings = take(&mut fields, "pricings");
        let pricings = self.items(pricings, &place.field("pricings"), |loader, json, place| {
            let raw = loader.object(json, place)?;
            let id = loader.own_id(&raw, place, "id", pricing_ids);
            let pricing = loader.pricing(&raw, place, id);
            loader.unknown(&raw, place, &PRICING_FIELDS);
            Some(Pricing { raw, ..pricing? })
        });
        let features = self.phase_features(&fields, place, name, is_trial);
        let known = ["name", "phase_type", "duration", "pricings", "discounts", "commitments", "service_fees", "taxes"];
        self.unknown(&fields, place, &known);
        Some(PlanPhase { features, duration, pricings })
    }

    fn is_trial(&mut self, fields: &[(String, Json)], place: &Place) -> bool {
        self.optional(fields, place, "phase_type", |json| form::word(json, &[("active", false), ("trial", true)]))
            .unwrap_or(false)
    }

    fn phase_features(
        &mut self,
        fields: &[(String, Json)],
        place: &Place,
        name: Option<String>,
        is_trial: bool,
    ) -> PhaseFeatures {
        let discounts = self.discounts(fields, place, false);
        let commitments = self.commitments(fields, place);
        let service_fees = self.each(fields, place, "service_fees", |loader, fields, place| {
            let kind = loader.reduction(fields, place, false);
            let name = loader.text(fields, place, "name");
            loader.unknown(fields, place, &["type", "value", "name"]);
            Some(ServiceFee { kind: kind?, name })
        });
        let taxes = self.taxes(fields, place);
        let kept = ["discounts", "commitments", "service_fees", "taxes"];
        let raw = fields.iter().filter(|(key, _)| kept.contains(&key.as_str())).cloned().collect();
        PhaseFeatures {
            name,
            is_trial,
            discounts,
            commitments,
            service_fees: service_fees.unwrap_or_default(),
            taxes,
            raw,
        }
    }

    /// `{type, value}` of a discount or a fee; only fees may exceed 100 per cent.
    fn reduction(&mut self, fields: &[(String, Json)], place: &Place, at_most_hundred: bool) -> Option<Reduction> {
        let is_percent =
            self.required(fields, place, "type", |json| form::word(json, &[("percent", true), ("fixed", false)]));
        let value = self.required(fields, place, "value", form::rate)?;
        if is_percent? && at_most_hundred && value > Rate::HUNDRED {
            self.say(&place.field("value"), format!("a discount of {value} per cent"), "send at most 100");
        }
        Some(if is_percent? { Reduction::Percent(value) } else { Reduction::Fixed(value) })
    }

    fn discounts(&mut self, fields: &[(String, Json)], place: &Place, with_cycles: bool) -> Vec<Discount> {
        let discounts = self.each(fields, place, "discounts", |loader, fields, place| {
            let kind = loader.reduction(fields, place, true);
            let cycles = loader.optional(fields, place, "cycles", |json| form::count(json, 1, u32::MAX));
            loader.text(fields, place, "name");
            if !with_cycles && form::field(fields, "cycles").is_some() {
                loader.say(
                    &place.field("cycles"),
                    "a phase's discount has no cycles",
                    "put the discount on the pricing",
                );
            }
            loader.unknown(fields, place, &["type", "value", "cycles", "name"]);
            Some(Discount { kind: kind?, cycles })
        });
        discounts.unwrap_or_default()
    }

    fn commitments(&mut self, fields: &[(String, Json)], place: &Place) -> Vec<Commitment> {
        let commitments = self.each(fields, place, "commitments", |loader, fields, place| {
            let words = [("minimum_spend", true), ("maximum_spend", false)];
            let is_minimum = loader.required(fields, place, "type", |json| form::word(json, &words));
            let amount = loader.required(fields, place, "amount", form::rate);
            let charge_full_amount = loader.flag(fields, place, "charge_full_amount", true);
            let skip_zero_amount = loader.flag(fields, place, "skip_zero_amount", false);
            loader.unknown(fields, place, &["type", "amount", "charge_full_amount", "skip_zero_amount"]);
            Some(Commitment { is_minimum: is_minimum?, amount: amount?, charge_full_amount, skip_zero_amount })
        });
        commitments.unwrap_or_default()
    }

    /// A list of taxes; one that is missing is inherited, an empty one is not (R3.3).
    fn taxes(&mut self, fields: &[(String, Json)], place: &Place) -> Option<Vec<Tax>> {
        let mut first_is_inclusive = None;
        self.each(fields, place, "taxes", |loader, fields, place| {
            let name = loader.text(fields, place, "name");
            let percent = loader.required(fields, place, "percent", form::rate);
            let is_inclusive = loader.flag(fields, place, "is_inclusive", false);
            let is_compound = loader.flag(fields, place, "is_compound", false);
            if *first_is_inclusive.get_or_insert(is_inclusive) != is_inclusive {
                loader.say(
                    &place.field("is_inclusive"),
                    "an inclusive tax beside an exclusive one",
                    "make all taxes of a list inclusive, or none",
                );
            }
            if is_inclusive && is_compound {
                loader.say(
                    &place.field("is_compound"),
                    "a compound tax that is inclusive",
                    "make it exclusive, or not compound",
                );
            }
            loader.unknown(fields, place, &["name", "percent", "is_inclusive", "is_compound"]);
            Some(Tax { name, percent: percent?, is_inclusive, is_compound })
        })
    }

    /// A pricing of a plan, or what a line of a contract has of one; `raw` is added when all of it has been read.
    fn pricing(&mut self, fields: &[(String, Json)], place: &Place, id: Option<String>) -> Option<Pricing> {
        let product = self.product(fields, place);
        let is_enabled = self.flag(fields, place, "is_enabled", true);
        let is_metered = fields
            .iter()
            .any(|(key, value)| key == "quantity" && value.get("type") == Some(&Json::String("metered".to_owned())));
        let billing_period = self.billing_period(fields, place, is_metered);
        let quantity = self.quantity(fields, place);
        let model = self.pricing_model(fields, place);
        let is_prorated = self.optional(fields, place, "proration_type", |json| {
            form::word(json, &[("day_based", true), ("none", false)])
        });
        let free_units = self.optional(fields, place, "free_units", form::quantity).unwrap_or(Quantity::ZERO);
        let discounts = self.discounts(fields, place, true);
        let commitments = self.commitments(fields, place);
        let taxes = self.taxes(fields, place);
        let dimension_values = self.strings(fields, place, "dimension_values").unwrap_or_default();
        let (product_id, product_name, product_description) = product?;
        let (pricing_type, model) = model?;
        Some(Pricing {
            id: id?,
            product_id,
            product_name,
            product_description,
            is_enabled,
            billing_period,
            quantity: quantity?,
            pricing_type,
            model,
            is_prorated: is_prorated.unwrap_or(true),
            free_units,
            discounts,
            commitments,
            taxes,
            dimension_values,
            raw: Fields::new(),
            path: place.path(),
        })
    }

    fn product(
        &mut self,
        fields: &[(String, Json)],
        place: &Place,
    ) -> Option<(String, Option<String>, Option<String>)> {
        let product = self.required(fields, place, "product", form::object)?;
        let place = place.field("product");
        let id = self.required(product, &place, "id", form::id).map(str::to_owned);
        let name = self.text(product, &place, "name");
        let description = self.text(product, &place, "description");
        self.unknown(product, &place, &["id", "name", "description"]);
        Some((id?, name, description))
    }

    fn billing_period(&mut self, fields: &[(String, Json)], place: &Place, is_metered: bool) -> Option<BillingPeriod> {
        let Some(period) = self.optional(fields, place, "billing_period", form::object) else {
            if is_metered && form::field(fields, "billing_period").is_none() {
                self.say(
                    &place.field("billing_period"),
                    "a metered line that is one-time",
                    "give it a postpaid billing period",
                );
            }
            return None;
        };
        let place = place.field("billing_period");
        let cadence = self.required(period, &place, "cadence", read_duration);
        let is_prepaid =
            self.required(period, &place, "offset", |json| form::word(json, &[("prepaid", true), ("postpaid", false)]));
        if is_metered && is_prepaid == Some(true) {
            self.say(
                &place.field("offset"),
                "a metered line that is prepaid",
                "make it postpaid: usage is known afterwards",
            );
        }
        self.unknown(period, &place, &["cadence", "offset"]);
        Some(BillingPeriod { cadence: cadence?, is_prepaid: is_prepaid? })
    }

    fn quantity(&mut self, fields: &[(String, Json)], place: &Place) -> Option<LineQuantity> {
        let Some(json) = form::field(fields, "quantity") else {
            return Some(LineQuantity::Fixed {
                value: Quantity::ONE,
                minimum: None,
                maximum: None,
                multiple_of: None,
                allow_mid_cycle_cancellation: true,
            });
        };
        let place = place.field("quantity");
        let fields = self.read(&place, form::object(json))?;
        let is_metered = self
            .optional(fields, &place, "type", |json| form::word(json, &[("fixed", false), ("metered", true)]))
            .unwrap_or(false);
        if is_metered {
            let expected = self.optional(fields, &place, "expected", form::quantity).unwrap_or(Quantity::ZERO);
            self.unknown(fields, &place, &["type", "expected"]);
            return Some(LineQuantity::Metered { expected });
        }
        let value = self.optional(fields, &place, "value", form::quantity).unwrap_or(Quantity::ONE);
        let minimum = self.optional(fields, &place, "minimum", form::quantity);
        let maximum = self.optional(fields, &place, "maximum", form::quantity);
        let multiple_of = self.optional(fields, &place, "multiple_of", above_zero);
        let allow_mid_cycle_cancellation = self.flag(fields, &place, "allow_mid_cycle_cancellation", true);
        self.unknown(
            fields,
            &place,
            &["type", "value", "minimum", "maximum", "multiple_of", "allow_mid_cycle_cancellation"],
        );
        Some(LineQuantity::Fixed { value, minimum, maximum, multiple_of, allow_mid_cycle_cancellation })
    }

    fn pricing_model(&mut self, fields: &[(String, Json)], place: &Place) -> Option<(&'static str, PricingModel)> {
        let data = self.required(fields, place, "pricing_data", form::object)?;
        let place = place.field("pricing_data");
        let words: Vec<(&'static str, &'static str)> = PRICING_TYPES.iter().map(|name| (*name, *name)).collect();
        let pricing_type = self.required(data, &place, "pricing_type", |json| form::word(json, &words))?;
        let unit_amount = |loader: &mut Loader| loader.required(data, &place, "unit_amount", form::rate);
        let (model, known): (_, &[&'static str]) = match pricing_type {
            "flat_fee" => (
                unit_amount(self).map(|unit_amount| PricingModel::FlatFee { unit_amount }),
                &["pricing_type", "unit_amount"],
            ),
            "per_unit" => (
                unit_amount(self).map(|unit_amount| PricingModel::PerUnit { unit_amount }),
                &["pricing_type", "unit_amount"],
            ),
            "percent" => {
                let percent = self.required(data, &place, "percent", form::rate);
                (percent.map(|percent| PricingModel::Percent { percent }), &["pricing_type", "percent"])
            }
            "package" => {
                let unit_amount = unit_amount(self);
                let package_size = self.required(data, &place, "package_size", above_zero);
                let model = unit_amount
                    .zip(package_size)
                    .map(|(unit_amount, package_size)| PricingModel::Package { unit_amount, package_size });
                (model, &["pricing_type", "unit_amount", "package_size"])
            }
            "tiered" | "tiered_with_flat_fee" | "custom_tiered" => {
                let tiers = self.tiers(data, &place, "tiers", &TIER_FIELDS);
                (tiers.map(|tiers| PricingModel::Tiered { tiers }), &["pricing_type", "tiers"])
            }
            "volume" | "volume_with_flat_fee" => {
                let tiers = self.tiers(data, &place, "tiers", &TIER_FIELDS);
                (tiers.map(|tiers| PricingModel::Volume { tiers }), &["pricing_type", "tiers"])
            }
            "step" => {
                let tiers = self.tiers(data, &place, "tiers", &["up_to", "flat_amount"]);
                (tiers.map(|tiers| PricingModel::Step { tiers }), &["pricing_type", "tiers"])
            }
            "matrix" => (self.matrix(data, &place), &["pricing_type", "dimensions", "prices", "default_unit_amount"]),
            // The list of words is closed, so this is `two_dimensional_tiered`.
            _ => (self.two_dimensional(data, &place), &["pricing_type", "tiers", "bands", "unit_amounts"]),
        };
        self.unknown(data, &place, known);
        Some((pricing_type, model?))
    }

    /// Tiers or bands that ascend and of which only the last is open; `known` says which fields they have.
    fn tiers(
        &mut self,
        data: &[(String, Json)],
        place: &Place,
        name: &'static str,
        known: &[&'static str],
    ) -> Option<Vec<Tier>> {
        let count = match form::field(data, name).map(form::list) {
            Some(Ok(items)) if !items.is_empty() => items.len(),
            Some(Ok(_)) | None => {
                self.say(
                    &place.field(name),
                    format!("`{name}` is missing"),
                    "give at least one, the last without `up_to`",
                );
                return None;
            }
            Some(Err(_)) => 0,
        };
        let mut below = None::<Quantity>;
        self.each(data, place, name, |loader, fields, place| {
            let at = place.number();
            let up_to = loader.optional(fields, place, "up_to", form::quantity);
            let is_given = form::field(fields, "up_to").is_some();
            if is_given && at == count {
                loader.say(&place.field("up_to"), "the last one is bounded", "leave `up_to` of the last one null");
            } else if !is_given && at < count {
                loader.say(
                    &place.field("up_to"),
                    "one that is not the last is open",
                    "give `up_to` to all but the last",
                );
            }
            if let Some(up_to) = up_to {
                if up_to.is_zero() && below.is_none() {
                    loader.say(&place.field("up_to"), "`up_to` is 0", "the first one holds 0 already: begin above");
                } else if below.is_some_and(|below| up_to <= below) {
                    loader.say(
                        &place.field("up_to"),
                        format!("{up_to} does not ascend"),
                        "give each a larger `up_to` than the one before it",
                    );
                }
                below = Some(up_to);
            }
            let needs = |name: &'static str| known.contains(&name);
            let unit_amount = if needs("unit_amount") {
                loader.required(fields, place, "unit_amount", form::rate)
            } else {
                Some(Rate::ZERO)
            };
            let flat_amount = match (needs("flat_amount"), needs("unit_amount")) {
                (true, true) => Some(loader.optional(fields, place, "flat_amount", form::rate).unwrap_or(Rate::ZERO)),
                (true, false) => loader.required(fields, place, "flat_amount", form::rate),
                (false, _) => Some(Rate::ZERO),
            };
            let package_size =
                needs("package_size").then(|| loader.optional(fields, place, "package_size", above_zero)).flatten();
            loader.unknown(fields, place, known);
            Some(Tier { up_to, unit_amount: unit_amount?, flat_amount: flat_amount?, package_size })
        })
    }

    /// A list of strings; `None` if it is missing or one of them is none.
    fn strings(&mut self, fields: &[(String, Json)], place: &Place, name: &'static str) -> Option<Vec<String>> {
        let items = self.optional(fields, place, name, form::list)?;
        let place = place.field(name);
        let strings = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.read(&place.item(index), form::string(item)).map(str::to_owned));
        // All of them are read before one that is none ends it.
        strings.collect::<Vec<_>>().into_iter().collect()
    }

    fn matrix(&mut self, data: &[(String, Json)], place: &Place) -> Option<PricingModel> {
        self.required(data, place, "dimensions", form::list);
        self.strings(data, place, "dimensions");
        let dimensions = length(data, "dimensions");
        let mut prices = BTreeMap::new();
        self.each(data, place, "prices", |loader, fields, place| {
            loader.required(fields, place, "values", form::list);
            let values = loader.strings(fields, place, "values");
            let count = length(fields, "values");
            if count.is_some() && dimensions.is_some() && count != dimensions {
                loader.say(
                    &place.field("values"),
                    "a price needs one value for each dimension",
                    "give as many values as there are dimensions",
                );
            }
            let unit_amount = loader.optional(fields, place, "unit_amount", form::rate);
            let is_tiered = form::field(fields, "tiers").is_some();
            let tiers = if is_tiered { loader.tiers(fields, place, "tiers", &["up_to", "unit_amount"]) } else { None };
            if is_tiered == form::field(fields, "unit_amount").is_some() {
                loader.say(place, "a price has either `unit_amount` or `tiers`", "give one of the two");
            }
            loader.unknown(fields, place, &["values", "unit_amount", "tiers"]);
            let price = tiers.map(MatrixPrice::Tiers).or(unit_amount.map(MatrixPrice::Unit))?;
            if prices.insert(values?, price).is_some() {
                loader.say(
                    &place.field("values"),
                    "two prices for the same values",
                    "give each combination of values once",
                );
            }
            Some(())
        });
        let default_unit_amount = self.optional(data, place, "default_unit_amount", form::rate);
        Some(PricingModel::Matrix { prices, default_unit_amount })
    }

    fn two_dimensional(&mut self, data: &[(String, Json)], place: &Place) -> Option<PricingModel> {
        let tiers = self.tiers(data, place, "tiers", &["up_to"]);
        let bands = self.tiers(data, place, "bands", &["up_to"]);
        let rows = self.required(data, place, "unit_amounts", form::list)?;
        let place = place.field("unit_amounts");
        let mut unit_amounts = Vec::with_capacity(rows.len());
        let help = "give one row for each tier and in it one amount for each band";
        if tiers.as_ref().is_some_and(|tiers| tiers.len() != rows.len()) {
            self.say(&place, "a table of the wrong shape", help);
        }
        for (index, row) in rows.iter().enumerate() {
            let place = place.item(index);
            let cells = self.read(&place, form::list(row)).unwrap_or_default();
            if bands.as_ref().is_some_and(|bands| bands.len() != cells.len()) {
                self.say(&place, "a table of the wrong shape", help);
            }
            let mut amounts = Vec::with_capacity(cells.len());
            for (index, cell) in cells.iter().enumerate() {
                amounts.extend(self.read(&place.item(index), form::rate(cell)));
            }
            unit_amounts.push(amounts);
        }
        Some(PricingModel::TwoDimensionalTiered { tiers: tiers?, bands: bands?, unit_amounts })
    }

    fn contract(
        &mut self,
        json: Json,
        place: &Place,
        seen: &mut Index,
        references: &References,
    ) -> Option<StoredContract> {
        let mut fields = self.object(json, place)?;
        let id = self.own_id(&fields, place, "id", seen);
        let customer_id = self.reference(&fields, place, "customer_id", references.customers);
        let business_entity_id = self.reference(&fields, place, "business_entity_id", references.entities);
        let plan_id = self.reference(&fields, place, "plan_id", references.plans);
        let currency = self.currency(&fields, place);
        let plan_currency = plan_id.as_deref().and_then(references.currency_of);
        if let (Some(currency), Some(plan_currency)) = (currency, plan_currency)
            && currency != plan_currency
        {
            let message = format!("the plan's currency is {}", plan_currency.code);
            self.say(&place.field("currency"), message, "use the plan's currency");
        }
        let status = self.optional(&fields, place, "status", form::id).unwrap_or("active").to_owned();
        let start_date = self.required(&fields, place, "start_date", form::date);
        let end_date = self.end_date(&fields, place, start_date);
        let anchor_date = self.required(&fields, place, "anchor_date", form::date);
        let anchor_day = self.optional(&fields, place, "anchor_day", |json| form::count(json, 1, 31));
        let version = self.optional(&fields, place, "version", |json| form::count(json, 0, u32::MAX)).unwrap_or(1);

        let phases = take(&mut fields, "phases");
        let mut line_ids = Index::new();
        let mut earlier: Vec<(NaiveDate, NaiveDate)> = Vec::new();
        let phases = self.items(phases, &place.field("phases"), |loader, json, place| {
            let phase = loader.stored_phase(json, place, &mut line_ids)?;
            let (start, end) = (phase.start_date, phase.end_date.unwrap_or(date::NEVER));
            if earlier.iter().any(|(other_start, other_end)| start <= *other_end && *other_start <= end) {
                loader.say(
                    &place.field("start_date"),
                    "the phase overlaps an earlier one",
                    "let each phase begin after the one before it has ended",
                );
            }
            earlier.push((start, end));
            Some(phase)
        });
        let known = [
            "id",
            "customer_id",
            "business_entity_id",
            "plan_id",
            "currency",
            "status",
            "start_date",
            "end_date",
            "anchor_date",
            "anchor_day",
            "version",
            "phases",
        ];
        self.unknown(&fields, place, &known);
        Some(StoredContract {
            id: id?,
            customer_id,
            business_entity_id,
            plan_id,
            currency: currency?,
            status,
            start_date: start_date?,
            end_date,
            anchor_date: anchor_date?,
            anchor_day,
            version,
            phases,
        })
    }

    fn end_date(
        &mut self,
        fields: &[(String, Json)],
        place: &Place,
        start_date: Option<NaiveDate>,
    ) -> Option<NaiveDate> {
        let end_date = self.optional(fields, place, "end_date", form::date)?;
        if start_date.is_some_and(|start_date| end_date < start_date) {
            self.say(
                &place.field("end_date"),
                format!("{end_date} is before the start"),
                "an end date is the last day, on or after the start",
            );
        }
        Some(end_date)
    }

    fn stored_phase(&mut self, json: Json, place: &Place, line_ids: &mut Index) -> Option<StoredPhase> {
        let mut fields = self.object(json, place)?;
        let name = self.text(&fields, place, "name");
        let is_trial = self.is_trial(&fields, place);
        let start_date = self.required(&fields, place, "start_date", form::date);
        let end_date = self.end_date(&fields, place, start_date);
        let anchor_date = self.optional(&fields, place, "anchor_date", form::date);
        let anchor_day = self.optional(&fields, place, "anchor_day", |json| form::count(json, 1, 31));
        let lines = take(&mut fields, "lines");
        let lines =
            self.items(lines, &place.field("lines"), |loader, json, place| loader.stored_line(json, place, line_ids));
        let features = self.phase_features(&fields, place, name, is_trial);
        let known = [
            "name",
            "phase_type",
            "start_date",
            "end_date",
            "anchor_date",
            "anchor_day",
            "lines",
            "discounts",
            "commitments",
            "service_fees",
            "taxes",
        ];
        self.unknown(&fields, place, &known);
        if end_date.is_none() && form::field(&fields, "end_date").is_some() {
            // It is not known how long the phase lasts, so nothing can be said to overlap it.
            return None;
        }
        Some(StoredPhase { features, start_date: start_date?, end_date, anchor_date, anchor_day, lines })
    }

    fn stored_line(&mut self, json: Json, place: &Place, line_ids: &mut Index) -> Option<StoredLine> {
        let raw = self.object(json, place)?;
        let id = self.required(&raw, place, "id", form::id).map(str::to_owned);
        let pricing = self.pricing(&raw, place, id);
        let line_item_id = self.own_id(&raw, place, "line_item_id", line_ids);
        let quantity_entries = self.entries(&raw, place, "quantity_entries", form::quantity);
        let enabled_entries = self.entries(&raw, place, "enabled_entries", form::boolean);
        let dimension_entries = self.entries(&raw, place, "dimension_entries", |json| {
            form::list(json)?.iter().map(|item| form::string(item).map(str::to_owned)).collect()
        });
        let mut known = PRICING_FIELDS.to_vec();
        known.extend(["line_item_id", "quantity_entries", "enabled_entries", "dimension_entries"]);
        self.unknown(&raw, place, &known);
        let pricing = Pricing { raw, ..pricing? };
        Some(StoredLine { pricing, line_item_id: line_item_id?, quantity_entries, enabled_entries, dimension_entries })
    }

    fn entries<T>(
        &mut self,
        fields: &[(String, Json)],
        place: &Place,
        name: &'static str,
        read: impl Fn(&Json) -> Read<T>,
    ) -> Vec<(NaiveDate, T)> {
        let mut last = None::<NaiveDate>;
        let entries = self.each(fields, place, name, |loader, fields, place| {
            let effective_from = loader.required(fields, place, "effective_from", form::date);
            if effective_from.is_some_and(|day| last.is_some_and(|last| day <= last)) {
                loader.say(
                    &place.field("effective_from"),
                    "the entries do not ascend",
                    "sort the entries by day, one for each day",
                );
            }
            last = effective_from.or(last);
            let value = loader.required(fields, place, "value", &read);
            loader.unknown(fields, place, &["effective_from", "value"]);
            effective_from.zip(value)
        });
        entries.unwrap_or_default()
    }
}

/// How long a list is, whatever is in it.
fn length(fields: &[(String, Json)], name: &str) -> Option<usize> {
    form::field(fields, name).and_then(|json| form::list(json).ok()).map(<[Json]>::len)
}

/// What a contract may refer to.
struct References<'a> {
    entities: &'a Index,
    customers: &'a Index,
    plans: &'a Index,
    currency_of: &'a dyn Fn(&str) -> Option<Currency>,
}

fn read_duration(json: &Json) -> Read<Duration> {
    let text = form::string(json)?;
    Duration::read(text).ok_or_else(|| {
        let message = format!("{} is not a duration", form::quoted(text));
        Fault::new(
            ProblemCode::CatalogInvalid,
            message,
            "send one unit of 1 to 1200 days, weeks, months or years, such as P14D or P1M",
        )
    })
}

fn above_zero(json: &Json) -> Read<Quantity> {
    let quantity = form::quantity(json)?;
    if quantity.is_zero() {
        return Err(Fault::new(ProblemCode::CatalogInvalid, "`0` is not above 0", "send a quantity above 0"));
    }
    Ok(quantity)
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

const PRICING_TYPES: [&str; 12] = [
    "flat_fee",
    "per_unit",
    "percent",
    "package",
    "tiered",
    "tiered_with_flat_fee",
    "custom_tiered",
    "volume",
    "volume_with_flat_fee",
    "step",
    "matrix",
    "two_dimensional_tiered",
];

const TIER_FIELDS: [&str; 4] = ["up_to", "unit_amount", "flat_amount", "package_size"];

const PRICING_FIELDS: [&str; 12] = [
    "id",
    "product",
    "is_enabled",
    "billing_period",
    "quantity",
    "pricing_data",
    "proration_type",
    "free_units",
    "discounts",
    "commitments",
    "taxes",
    "dimension_values",
];

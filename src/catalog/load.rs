//! Makes a catalog of what has been read of it.
//!
//! Input: [`Object`]s in which nothing is wrong (`shape`). Output: [`Catalog`]. What a field that is not there means (R3.3)
//! is decided here.

use super::shape::{self, List as Ids, Object, ROOT, Reader};
use super::{
    BillingAnchor, BillingPeriod, BusinessEntity, Catalog, Commitment, Customer, Discount, Fields, Index, LineQuantity,
    List, MatrixPrice, PhaseFeatures, Plan, PlanPhase, Pricing, PricingModel, Reduction, ServiceFee, StoredContract,
    StoredLine, StoredPhase, Tax, Tier, matrix_key,
};
use crate::date::Duration;
use crate::form::{digits, filled};
use crate::json::Json;
use crate::money::{Quantity, Rounding};
use crate::problem::Problems;
use chrono::{NaiveDate, TimeDelta, Weekday};
use std::sync::Arc;

/// Reads a catalog, or says everything that is wrong with it.
pub(super) fn load(json: Json) -> Result<Catalog, Problems> {
    let mut reader = Reader::default();
    let object = reader.object(&json, &shape::CATALOG, ROOT);
    check(&mut reader)?;
    let object = object.unwrap_or_default();
    let mut builder = Builder::default();
    let checkout_ttl = object.object("settings").and_then(|settings| settings.time_to_live("checkout_ttl"));
    let version = object.text("version").map(Arc::from);
    let business_entities = all(&object, "business_entities", business_entity);
    let customers = all(&object, "customers", customer);
    let mut plans = numbered(&object, "plans", |plan, index| builder.plan(plan, index));
    let mut contracts = numbered(&object, "contracts", |contract, index| builder.contract(contract, index));
    drop(object);
    keep_what_was_written(json, &mut plans, &mut contracts);
    Ok(Catalog {
        version,
        checkout_ttl: checkout_ttl.unwrap_or(TimeDelta::hours(24)),
        business_entities: Arc::new(List { items: business_entities, by_id: reader.ids_of(Ids::BusinessEntities) }),
        customers: List { items: customers, by_id: reader.ids_of(Ids::Customers) },
        plans: Arc::new(List { items: plans, by_id: reader.ids_of(Ids::Plans) }),
        contracts: List { items: contracts, by_id: reader.ids_of(Ids::Contracts) },
    })
}

/// Reads customers and contracts as those of a catalog that has been read, or says everything that is wrong with them.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn with(
    catalog: &Catalog,
    customers: Vec<(usize, Json)>,
    contracts: Vec<(usize, Json)>,
) -> Result<Catalog, Problems> {
    let mut reader = Reader::beside(catalog);
    let customers = read_entries(&mut reader, &customers, "customers", &shape::CUSTOMER);
    let read_contracts = read_entries(&mut reader, &contracts, "contracts", &shape::CONTRACT);
    check(&mut reader)?;
    let mut builder = Builder::default();
    let customers = customers.iter().flatten().map(|(_, object)| customer(object)).collect();
    let built = read_contracts.iter().flatten().map(|(index, object)| builder.contract(object, *index));
    let mut built: Vec<StoredContract> = built.collect();
    drop(read_contracts);
    for (contract, (_, json)) in built.iter_mut().zip(contracts) {
        keep_contract(contract, json);
    }
    Ok(Catalog {
        version: catalog.version.clone(),
        checkout_ttl: catalog.checkout_ttl,
        business_entities: Arc::clone(&catalog.business_entities),
        customers: List { items: customers, by_id: reader.ids_of(Ids::Customers) },
        plans: Arc::clone(&catalog.plans),
        contracts: List { items: built, by_id: reader.ids_of(Ids::Contracts) },
    })
}

/// Reads entries of a list, each at its place in it.
#[cfg(not(target_arch = "wasm32"))]
fn read_entries<'j>(
    reader: &mut Reader,
    entries: &'j [(usize, Json)],
    list: &'static str,
    shape: shape::Shape,
) -> Vec<Option<(usize, Object<'j>)>> {
    let place = ROOT.field(list);
    let read = entries.iter().map(|(index, json)| {
        let object = reader.object(json, shape, &place.item(*index, entries.len()))?;
        Some((*index, object))
    });
    read.collect()
}

fn check(reader: &mut Reader) -> Result<(), Problems> {
    Problems::new(std::mem::take(&mut reader.problems)).map_or(Ok(()), Err)
}

/// What the objects of a list are; a missing list is empty.
fn all<'j, T>(object: &Object<'j>, name: &str, each: impl Fn(&Object<'j>) -> T) -> Vec<T> {
    object.objects(name).unwrap_or_default().iter().map(each).collect()
}

/// The same, each with its index.
fn numbered<'j, T>(object: &Object<'j>, name: &str, mut each: impl FnMut(&Object<'j>, usize) -> T) -> Vec<T> {
    object.objects(name).unwrap_or_default().iter().enumerate().map(|(index, item)| each(item, index)).collect()
}

fn own(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

/// Of an object in which nothing is wrong what is required is there.
fn required(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn business_entity(object: &Object) -> BusinessEntity {
    let rounding = if object.word("rounding") == Some(1) { Rounding::HalfEven } else { Rounding::HalfUp };
    BusinessEntity {
        id: required(object.text("id")),
        time_zone: own(object.text("time_zone")),
        rounding,
        taxes: taxes(object),
    }
}

fn customer(object: &Object) -> Customer {
    Customer {
        id: required(object.text("id")),
        business_entity_id: own(object.text("business_entity_id")),
        tax_exempt: object.flag("tax_exempt").unwrap_or(false),
        taxes: taxes(object),
        credit_balance: object.rate("credit_balance").unwrap_or_default(),
    }
}

/// A list of taxes; one that is missing is inherited, an empty one is not (R3.3).
fn taxes(object: &Object) -> Option<Vec<Tax>> {
    object.objects("taxes")?;
    Some(all(object, "taxes", |tax| Tax {
        name: own(tax.text("name")),
        percent: tax.rate("percent").unwrap_or_default(),
        is_inclusive: tax.flag("is_inclusive").unwrap_or(false),
        is_compound: tax.flag("is_compound").unwrap_or(false),
    }))
}

fn reduction(object: &Object) -> Reduction {
    let value = object.rate("value").unwrap_or_default();
    if object.word("type") == Some(0) { Reduction::Percent(value) } else { Reduction::Fixed(value) }
}

fn discounts(object: &Object) -> Vec<Discount> {
    all(object, "discounts", |discount| Discount { kind: reduction(discount), cycles: discount.count("cycles") })
}

fn commitments(object: &Object) -> Vec<Commitment> {
    all(object, "commitments", |commitment| Commitment {
        is_minimum: commitment.word("type") == Some(0),
        amount: commitment.rate("amount").unwrap_or_default(),
        charge_full_amount: commitment.flag("charge_full_amount").unwrap_or(true),
        skip_zero_amount: commitment.flag("skip_zero_amount").unwrap_or(false),
    })
}

fn billing_anchor(plan: &Object) -> BillingAnchor {
    const WEEKDAYS: [Weekday; 7] =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    let Some(anchor) = plan.object("billing_anchor") else { return BillingAnchor::StartDate };
    let weekday = anchor.word("day_of_week").and_then(|word| WEEKDAYS.get(word).copied());
    match (anchor.count("day_of_month"), weekday) {
        (Some(day), _) => BillingAnchor::DayOfMonth { month_of_year: anchor.count("month_of_year"), day },
        (None, Some(weekday)) => BillingAnchor::DayOfWeek(weekday),
        (None, None) => BillingAnchor::StartDate,
    }
}

/// Counts what it builds.
#[derive(Default)]
struct Builder {
    phases: u32,
    pricings: u32,
}

impl Builder {
    fn plan(&mut self, object: &Object, index: usize) -> Plan {
        let path = filled("/catalog/plans/%/phases", &[&digits(index)]);
        Plan {
            id: required(object.text("id")),
            is_active: object.word("status").unwrap_or(0) == 0,
            currency: object.currency("currency").unwrap_or_default(),
            duration: object.duration("duration"),
            billing_anchor: billing_anchor(object),
            phases: numbered(object, "phases", |phase, index| {
                let path = filled("%/%/pricings", &[&path, &digits(index)]);
                let pricings = numbered(phase, "pricings", |pricing, index| {
                    self.pricing(pricing, filled("%/%", &[&path, &digits(index)]))
                });
                PlanPhase { pricings, features: self.features(phase), duration: phase.duration("duration") }
            }),
        }
    }

    fn contract(&mut self, object: &Object, index: usize) -> StoredContract {
        let path = filled("/catalog/contracts/%/phases", &[&digits(index)]);
        StoredContract {
            id: required(object.text("id")),
            customer_id: own(object.text("customer_id")),
            business_entity_id: own(object.text("business_entity_id")),
            plan_id: own(object.text("plan_id")),
            currency: object.currency("currency").unwrap_or_default(),
            status: object.text("status").unwrap_or("active").to_owned(),
            start_date: object.date("start_date").unwrap_or_default(),
            end_date: object.date("end_date"),
            anchor_date: object.date("anchor_date").unwrap_or_default(),
            anchor_day: object.count("anchor_day"),
            version: object.count("version").unwrap_or(1),
            phases: numbered(object, "phases", |phase, index| {
                let path = filled("%/%/lines", &[&path, &digits(index)]);
                let lines =
                    numbered(phase, "lines", |line, index| self.line(line, filled("%/%", &[&path, &digits(index)])));
                StoredPhase {
                    lines,
                    features: self.features(phase),
                    start_date: phase.date("start_date").unwrap_or_default(),
                    end_date: phase.date("end_date"),
                    anchor_date: phase.date("anchor_date"),
                    anchor_day: phase.count("anchor_day"),
                }
            }),
        }
    }

    fn features(&mut self, phase: &Object) -> PhaseFeatures {
        let number = self.phases;
        self.phases = number.saturating_add(1);
        PhaseFeatures {
            number,
            name: own(phase.text("name")),
            is_trial: phase.word("phase_type") == Some(1),
            discounts: discounts(phase),
            commitments: commitments(phase),
            service_fees: all(phase, "service_fees", |fee| ServiceFee {
                kind: reduction(fee),
                name: own(fee.text("name")),
            }),
            taxes: taxes(phase),
            raw: Fields::new(),
        }
    }

    fn line(&mut self, object: &Object, path: String) -> StoredLine {
        StoredLine {
            pricing: self.pricing(object, path),
            line_item_id: required(object.text("line_item_id")),
            quantity_entries: entries(object, "quantity_entries", |entry| entry.quantity("value").unwrap_or_default()),
            enabled_entries: entries(object, "enabled_entries", |entry| entry.flag("value").unwrap_or_default()),
            dimension_entries: entries(object, "dimension_entries", |entry| texts(entry, "value")),
        }
    }

    fn pricing(&mut self, object: &Object, path: String) -> Pricing {
        let number = self.pricings;
        self.pricings = number.saturating_add(1);
        let (product, data) = (object.part("product"), object.part("pricing_data"));
        let pricing_type = shape::pricing_type(data.word("pricing_type"));
        let billing_period = object.object("billing_period").map(|period| BillingPeriod {
            cadence: period.duration("cadence").unwrap_or(Duration::Days(1)),
            is_prepaid: period.word("offset") == Some(0),
        });
        Pricing {
            number,
            id: required(object.text("id")),
            product_id: required(product.text("id")),
            product_name: own(product.text("name")),
            product_description: own(product.text("description")),
            is_enabled: object.flag("is_enabled").unwrap_or(true),
            billing_period,
            quantity: line_quantity(object.object("quantity")),
            pricing_type,
            model: model(pricing_type, data),
            is_prorated: object.word("proration_type").unwrap_or(0) == 0,
            free_units: object.quantity("free_units").unwrap_or(Quantity::ZERO),
            discounts: discounts(object),
            commitments: commitments(object),
            taxes: taxes(object),
            dimension_values: texts(object, "dimension_values"),
            raw: Fields::new(),
            path,
        }
    }
}

fn texts(object: &Object, name: &str) -> Vec<String> {
    object.texts(name).unwrap_or_default().iter().map(|text| (*text).to_owned()).collect()
}

fn entries<'j, T>(line: &Object<'j>, name: &str, value: fn(&Object<'j>) -> T) -> Vec<(NaiveDate, T)> {
    all(line, name, |entry| (entry.date("effective_from").unwrap_or_default(), value(entry)))
}

fn line_quantity(quantity: Option<&Object>) -> LineQuantity {
    let decimal = |name| quantity.and_then(|quantity| quantity.quantity(name));
    if quantity.and_then(|quantity| quantity.word("type")) == Some(1) {
        return LineQuantity::Metered { expected: decimal("expected").unwrap_or(Quantity::ZERO) };
    }
    let may_fall = quantity.and_then(|quantity| quantity.flag("allow_mid_cycle_cancellation"));
    LineQuantity::Fixed {
        value: decimal("value").unwrap_or(Quantity::ONE),
        minimum: decimal("minimum"),
        maximum: decimal("maximum"),
        multiple_of: decimal("multiple_of"),
        allow_mid_cycle_cancellation: may_fall.unwrap_or(true),
    }
}

fn model(pricing_type: &str, data: &Object) -> PricingModel {
    let rate = |name| data.rate(name).unwrap_or_default();
    match pricing_type {
        "flat_fee" => PricingModel::FlatFee { unit_amount: rate("unit_amount") },
        "per_unit" => PricingModel::PerUnit { unit_amount: rate("unit_amount") },
        "percent" => PricingModel::Percent { percent: rate("percent") },
        "package" => PricingModel::Package {
            unit_amount: rate("unit_amount"),
            package_size: data.quantity("package_size").unwrap_or_default(),
        },
        "tiered" | "tiered_with_flat_fee" | "custom_tiered" => PricingModel::Tiered { tiers: tiers(data, "tiers") },
        "volume" | "volume_with_flat_fee" => PricingModel::Volume { tiers: tiers(data, "tiers") },
        "step" => PricingModel::Step { tiers: tiers(data, "tiers") },
        "matrix" => {
            let mut by_values = Index::new();
            for (index, price) in data.objects("prices").unwrap_or_default().iter().enumerate() {
                by_values.insert(matrix_key(price.texts("values").unwrap_or_default().iter().copied()), index);
            }
            PricingModel::Matrix {
                prices: all(data, "prices", |price| match price.rate("unit_amount") {
                    Some(unit_amount) => MatrixPrice::Unit(unit_amount),
                    None => MatrixPrice::Tiers(tiers(price, "tiers")),
                }),
                by_values,
                default_unit_amount: data.rate("default_unit_amount"),
            }
        }
        // The list of words is closed, so this is `two_dimensional_tiered`.
        _ => PricingModel::TwoDimensionalTiered {
            tiers: tiers(data, "tiers"),
            bands: tiers(data, "bands"),
            unit_amounts: data.table("unit_amounts").to_vec(),
        },
    }
}

fn tiers(object: &Object, name: &str) -> Vec<Tier> {
    all(object, name, |tier| Tier {
        up_to: tier.quantity("up_to"),
        unit_amount: tier.rate("unit_amount").unwrap_or_default(),
        flat_amount: tier.rate("flat_amount").unwrap_or_default(),
        package_size: tier.quantity("package_size"),
    })
}

// ── What previews give back as it was written. In a browser JavaScript has it. ───────────────────────────────────────

#[cfg(target_arch = "wasm32")]
fn keep_what_was_written(_: Json, _: &mut [Plan], _: &mut [StoredContract]) {}

#[cfg(not(target_arch = "wasm32"))]
fn keep_what_was_written(mut json: Json, plans: &mut [Plan], contracts: &mut [StoredContract]) {
    for (plan, mut written) in plans.iter_mut().zip(take(&mut json, "plans")) {
        for (phase, mut written) in plan.phases.iter_mut().zip(take(&mut written, "phases")) {
            for (pricing, written) in phase.pricings.iter_mut().zip(take(&mut written, "pricings")) {
                pricing.raw = fields(written);
            }
            keep_features(&mut phase.features, written);
        }
    }
    for (contract, written) in contracts.iter_mut().zip(take(&mut json, "contracts")) {
        keep_contract(contract, written);
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn keep_contract(contract: &mut StoredContract, mut written: Json) {
    for (phase, mut written) in contract.phases.iter_mut().zip(take(&mut written, "phases")) {
        for (line, written) in phase.lines.iter_mut().zip(take(&mut written, "lines")) {
            line.pricing.raw = fields(written);
        }
        keep_features(&mut phase.features, written);
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn keep_features(features: &mut PhaseFeatures, written: Json) {
    let kept = ["discounts", "commitments", "service_fees", "taxes"];
    features.raw = fields(written);
    features.raw.retain(|(name, _)| kept.contains(&name.as_str()));
}

#[cfg(not(target_arch = "wasm32"))]
fn fields(json: Json) -> Fields {
    if let Json::Object(fields) = json { fields } else { Fields::new() }
}

/// The items of a list, taken out of their object.
#[cfg(not(target_arch = "wasm32"))]
fn take(json: &mut Json, name: &str) -> Vec<Json> {
    let Json::Object(fields) = json else { return Vec::new() };
    let list = fields.iter_mut().find(|(key, _)| key == name).map(|(_, value)| std::mem::replace(value, Json::Null));
    if let Some(Json::List(items)) = list { items } else { Vec::new() }
}

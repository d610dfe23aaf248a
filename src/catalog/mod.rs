//! The snapshot the engine prices from: plans, contracts, customers, business entities.
//!
//! Input: [`Json`]. Output: [`Catalog`], checked against R3.1 to R3.3 with every problem found, and indexed. Neighbours:
//! `detect` looks things up here; what previews give back of a plan or contract is kept as it was written (`raw`).

mod load;
mod shape;

use crate::date::Duration;
use crate::form::{digits, filled};
use crate::json::Json;
use crate::money::{Currency, Quantity, Rate, Rounding};
use crate::problem::Problems;
use chrono::{NaiveDate, TimeDelta, Weekday};
use std::collections::BTreeMap;
use std::sync::Arc;

type Fields = Vec<(String, Json)>;

/// A validated catalog, ready to price from.
///
/// Loading it is the costly part: load once, preview many times.
#[derive(Debug)]
pub struct Catalog {
    version: Option<Arc<str>>,
    pub(crate) checkout_ttl: TimeDelta,
    pub(crate) business_entities: Arc<List<BusinessEntity>>,
    customers: List<Customer>,
    plans: Arc<List<Plan>>,
    contracts: List<StoredContract>,
}

/// What one list of the catalog holds, in its order and by id.
#[derive(Debug)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    by_id: Index,
}

/// Ids, and which item of its list each is of.
type Index = BTreeMap<String, usize>;

impl<T> List<T> {
    fn get(&self, id: &str) -> Option<&T> {
        self.items.get(*self.by_id.get(id)?)
    }
}

#[derive(Debug)]
pub(crate) struct BusinessEntity {
    pub(crate) id: String,
    pub(crate) time_zone: Option<String>,
    pub(crate) rounding: Rounding,
    pub(crate) taxes: Option<Vec<Tax>>,
}

#[derive(Debug)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) business_entity_id: Option<String>,
    pub(crate) tax_exempt: bool,
    pub(crate) taxes: Option<Vec<Tax>>,
    pub(crate) credit_balance: Rate,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) is_active: bool,
    pub(crate) currency: Currency,
    pub(crate) duration: Option<Duration>,
    pub(crate) billing_anchor: BillingAnchor,
    pub(crate) phases: Vec<PlanPhase>,
}

/// On which days a new contract's periods begin (R5.2).
#[derive(Debug, Clone, Copy)]
pub(crate) enum BillingAnchor {
    StartDate,
    DayOfMonth { month_of_year: Option<u32>, day: u32 },
    DayOfWeek(Weekday),
}

#[derive(Debug)]
pub(crate) struct PlanPhase {
    pub(crate) features: PhaseFeatures,
    pub(crate) duration: Option<Duration>,
    pub(crate) pricings: Vec<Pricing>,
}

/// What a phase of a plan and a phase of a contract have in common.
#[derive(Debug)]
pub(crate) struct PhaseFeatures {
    pub(crate) name: Option<String>,
    pub(crate) is_trial: bool,
    pub(crate) discounts: Vec<Discount>,
    pub(crate) commitments: Vec<Commitment>,
    pub(crate) service_fees: Vec<ServiceFee>,
    pub(crate) taxes: Option<Vec<Tax>>,
    /// Which phase of the catalog it is, counted over all its lists.
    pub(crate) number: u32,
    /// The features as they were written.
    pub(crate) raw: Fields,
}

#[derive(Debug)]
pub(crate) struct StoredContract {
    pub(crate) id: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) business_entity_id: Option<String>,
    pub(crate) plan_id: Option<String>,
    pub(crate) currency: Currency,
    pub(crate) status: String,
    pub(crate) start_date: NaiveDate,
    /// Its last day.
    pub(crate) end_date: Option<NaiveDate>,
    pub(crate) anchor_date: NaiveDate,
    pub(crate) anchor_day: Option<u32>,
    pub(crate) version: u32,
    pub(crate) phases: Vec<StoredPhase>,
}

#[derive(Debug)]
pub(crate) struct StoredPhase {
    pub(crate) features: PhaseFeatures,
    pub(crate) start_date: NaiveDate,
    /// Its last day.
    pub(crate) end_date: Option<NaiveDate>,
    pub(crate) anchor_date: Option<NaiveDate>,
    pub(crate) anchor_day: Option<u32>,
    pub(crate) lines: Vec<StoredLine>,
}

#[derive(Debug)]
pub(crate) struct StoredLine {
    pub(crate) pricing: Pricing,
    pub(crate) line_item_id: String,
    pub(crate) quantity_entries: Vec<(NaiveDate, Quantity)>,
    pub(crate) enabled_entries: Vec<(NaiveDate, bool)>,
    pub(crate) dimension_entries: Vec<(NaiveDate, Vec<String>)>,
}

/// One product with its pricing model, billing period and quantity.
#[derive(Debug)]
pub(crate) struct Pricing {
    pub(crate) id: String,
    pub(crate) product_id: String,
    pub(crate) product_name: Option<String>,
    pub(crate) product_description: Option<String>,
    pub(crate) is_enabled: bool,
    pub(crate) billing_period: Option<BillingPeriod>,
    pub(crate) quantity: LineQuantity,
    pub(crate) pricing_type: &'static str,
    pub(crate) model: PricingModel,
    pub(crate) is_prorated: bool,
    pub(crate) free_units: Quantity,
    pub(crate) discounts: Vec<Discount>,
    pub(crate) commitments: Vec<Commitment>,
    pub(crate) taxes: Option<Vec<Tax>>,
    pub(crate) dimension_values: Vec<String>,
    /// Which pricing or line of the catalog it is, counted over all its lists.
    pub(crate) number: u32,
    /// The pricing or line as it was written.
    pub(crate) raw: Fields,
    /// Where it stands: `/catalog/plans/0/phases/0/pricings/1`.
    pub(crate) path: String,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BillingPeriod {
    pub(crate) cadence: Duration,
    pub(crate) is_prepaid: bool,
}

#[derive(Debug)]
pub(crate) enum LineQuantity {
    Fixed {
        value: Quantity,
        minimum: Option<Quantity>,
        maximum: Option<Quantity>,
        multiple_of: Option<Quantity>,
        allow_mid_cycle_cancellation: bool,
    },
    Metered {
        expected: Quantity,
    },
}

/// The nine pricing models (section 4).
#[derive(Debug)]
pub(crate) enum PricingModel {
    FlatFee { unit_amount: Rate },
    PerUnit { unit_amount: Rate },
    Percent { percent: Rate },
    Package { unit_amount: Rate, package_size: Quantity },
    Tiered { tiers: Vec<Tier> },
    Volume { tiers: Vec<Tier> },
    Step { tiers: Vec<Tier> },
    Matrix { prices: Vec<MatrixPrice>, by_values: Index, default_unit_amount: Option<Rate> },
    TwoDimensionalTiered { tiers: Vec<Tier>, bands: Vec<Tier>, unit_amounts: Vec<Vec<Rate>> },
}

/// Dimension values as one text, by which a matrix finds its price; other values have another text.
pub(crate) fn matrix_key<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let mut key = String::new();
    for value in values {
        key.push_str(&digits(value.len()));
        key.push(' ');
        key.push_str(value);
    }
    key
}

#[derive(Debug)]
pub(crate) enum MatrixPrice {
    Unit(Rate),
    Tiers(Vec<Tier>),
}

/// Holds quantities above the tier before it, up to and with `up_to`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tier {
    pub(crate) up_to: Option<Quantity>,
    pub(crate) unit_amount: Rate,
    pub(crate) flat_amount: Rate,
    pub(crate) package_size: Option<Quantity>,
}

#[derive(Debug)]
pub(crate) struct Discount {
    pub(crate) kind: Reduction,
    pub(crate) cycles: Option<u32>,
}

/// A percentage or a fixed amount.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reduction {
    Percent(Rate),
    Fixed(Rate),
}

#[derive(Debug)]
pub(crate) struct Commitment {
    pub(crate) is_minimum: bool,
    pub(crate) amount: Rate,
    pub(crate) charge_full_amount: bool,
    pub(crate) skip_zero_amount: bool,
}

#[derive(Debug)]
pub(crate) struct ServiceFee {
    pub(crate) kind: Reduction,
    pub(crate) name: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Tax {
    pub(crate) name: Option<String>,
    pub(crate) percent: Rate,
    pub(crate) is_inclusive: bool,
    pub(crate) is_compound: bool,
}

impl Catalog {
    /// Checks a catalog against every rule of its own and indexes it.
    ///
    /// # Errors
    /// All that is wrong with it, each as `catalog_invalid` at its place: `/catalog/plans/0/currency`.
    pub fn load(catalog: Json) -> Result<Catalog, Problems> {
        load::load(catalog)
    }

    /// The same version, settings, business entities and plans, with these customers and contracts and no others.
    ///
    /// It answers a caller who sees the whole catalog as if the rest of its customers and contracts were there, too, as
    /// long as the caller names none of them. Each comes with the index at which it stands in the caller's list, so that
    /// what is wrong with it is told at the caller's place; ids are unique and references lead somewhere among what is
    /// given here and the business entities and plans that stay. So a contract comes with its customer, even where that
    /// one is in the catalog already, and the entries of each list in the order of their indices.
    ///
    /// What stays is shared and not copied: this takes the time and memory of the entries, whatever the catalog holds.
    ///
    /// ```
    /// use checkout_preview::{Catalog, Clock, Json, json, preview, read_date, read_instant};
    ///
    /// // What everyone may see. The shop has 12 customers and 40 contracts beside it.
    /// let catalog = Catalog::load(json::parse(br#"{"plans": [{"id": "team", "currency": "EUR", "phases": []}]}"#)?)?;
    /// let customer = json::parse(br#"{"id": "cus_4", "taxes": [{"name": "VAT", "percent": "19"}]}"#)?;
    /// let contract = |currency: &str| json::parse(format!(r#"{{
    ///     "id": "con_8", "customer_id": "cus_4", "plan_id": "team", "currency": "{currency}",
    ///     "start_date": "2026-01-22", "anchor_date": "2026-01-22",
    ///     "phases": [{{"start_date": "2026-01-22", "lines": [{{
    ///         "id": "seats", "line_item_id": "li_1",
    ///         "product": {{"id": "seat"}},
    ///         "billing_period": {{"cadence": "P1M", "offset": "prepaid"}},
    ///         "quantity": {{"value": "8"}},
    ///         "pricing_data": {{"pricing_type": "per_unit", "unit_amount": "12.00"}}
    ///     }}]}}]
    /// }}"#).as_bytes());
    ///
    /// // The fourth customer and the eighth contract of the shop.
    /// let seen = catalog.with(vec![(3, customer.clone())], vec![(7, contract("EUR")?)])?;
    /// let request = json::parse(br#"{
    ///     "contract_id": "con_8", "product_overrides": [{"line_item_id": "li_1", "quantity": "10"}]
    /// }"#)?;
    /// let clock = Clock {
    ///     as_of: read_date(&Json::String("2026-11-22".into()), "/as_of")?,
    ///     now: read_instant(&Json::String("2026-11-22T10:00:00Z".into()), "/now")?,
    /// };
    /// let preview = preview(&request, &seen, clock)?;
    /// assert_eq!(preview.current_invoice().total().to_string(), "28.56"); // 2 more seats: 24.00 and 4.56 VAT
    ///
    /// let refused = catalog.with(vec![(3, customer)], vec![(7, contract("USD")?)]).unwrap_err();
    /// assert_eq!(refused.to_string(), "/catalog/contracts/7/currency: the plan's currency is EUR (catalog_invalid)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// What [`Catalog::load`] says of these entries in the whole, at the same places and in the same order: for a
    /// contract whose customer is not among those given, `/catalog/contracts/7/customer_id`.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn with(&self, customers: Vec<(usize, Json)>, contracts: Vec<(usize, Json)>) -> Result<Catalog, Problems> {
        load::with(self, customers, contracts)
    }

    /// The catalog's own `version`.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub(crate) fn business_entity(&self, id: &str) -> Option<&BusinessEntity> {
        self.business_entities.get(id)
    }

    pub(crate) fn customer(&self, id: &str) -> Option<&Customer> {
        self.customers.get(id)
    }

    pub(crate) fn plan(&self, id: &str) -> Option<&Plan> {
        self.plans.get(id)
    }

    pub(crate) fn contract(&self, id: &str) -> Option<&StoredContract> {
        self.contracts.get(id)
    }

    /// Where a business entity's time zone stands.
    pub(crate) fn time_zone_path(&self, entity: &BusinessEntity) -> String {
        let position = self.business_entities.by_id.get(&entity.id).copied().unwrap_or_default();
        filled("/catalog/business_entities/%/time_zone", &[&digits(position)])
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn what_everyone_may_see_is_shared() {
        let read = |text: &str| json::parse(text.as_bytes()).unwrap();
        let catalog = r#"{"version": "7", "settings": {"checkout_ttl": "PT2H"}, "business_entities": [{"id": "shop"}],
            "customers": [{"id": "ann"}, {"id": "bob"}], "plans": [{"id": "team", "currency": "EUR"}],
            "contracts": [{"id": "one", "customer_id": "ann", "currency": "EUR", "start_date": "2026-01-22",
                "anchor_date": "2026-01-22"}]}"#;
        let catalog = Catalog::load(read(catalog)).unwrap();
        let seen = catalog.with(vec![(1, read(r#"{"id": "bob", "business_entity_id": "shop"}"#))], Vec::new()).unwrap();

        assert!(Arc::ptr_eq(&seen.plans, &catalog.plans));
        assert!(Arc::ptr_eq(&seen.business_entities, &catalog.business_entities));
        assert_eq!((seen.version(), seen.checkout_ttl), (Some("7"), TimeDelta::hours(2)));
        assert!(seen.customer("ann").is_none() && seen.contract("one").is_none());
        assert!(seen.customer("bob").is_some_and(|bob| bob.business_entity_id.as_deref() == Some("shop")));
        assert!(catalog.customer("ann").is_some() && catalog.contract("one").is_some());
    }
}

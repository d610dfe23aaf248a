//! What the buyer is shown: the stages in order, and the object they make (section 9).
//!
//! Input: a request, a catalog, a clock. Output: [`Preview`], which borrows what it can from both, so that a preview
//! costs little more than the arithmetic in it.

use crate::catalog::{Catalog, LineQuantity};
use crate::contract::{self, Contract, Contracts, Dimensions, Line, Phase, Timeline, last_day};
use crate::date::{Range, write_date, write_instant};
use crate::detect::{self, Checkout, CheckoutType, Subject};
use crate::form::{Fault, filled};
use crate::invoice::{Invoice, Ledger, Terms, TooLarge};
use crate::json::Json;
use crate::price;
use crate::problem::{Problem, ProblemCode, Problems};
use crate::request::Findings;
use crate::{Clock, ENGINE_VERSION};
use chrono::NaiveDate;
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// What a checkout would do and cost; serialises to the object of SPEC section 9.
///
/// Its dates are inclusive and its amounts decimal strings with the currency's own digits: `"29.90"`, `"500"` in JPY.
#[derive(Debug)]
pub struct Preview<'a> {
    pub(crate) checkout: Checkout<'a>,
    pub(crate) contract: Contract<'a>,
    pub(crate) current_invoice: Invoice<'a>,
    pub(crate) next_invoice: Option<Invoice<'a>>,
    pub(crate) as_of: NaiveDate,
    pub(crate) catalog_version: Option<&'a str>,
}

impl<'a> Preview<'a> {
    /// What the checkout does.
    pub fn checkout_type(&self) -> CheckoutType {
        self.checkout.checkout_type()
    }

    /// What is due when the checkout is confirmed.
    pub fn current_invoice(&self) -> &Invoice<'a> {
        &self.current_invoice
    }

    /// What will be due next; `None` if nothing more will be charged.
    pub fn next_invoice(&self) -> Option<&Invoice<'a>> {
        self.next_invoice.as_ref()
    }
}

/// Previews a checkout: what it would make of the contract, and what it would cost.
///
/// A problem on one field does not hide one on another: all are reported together, in the order of the request's
/// fields. The same input gives the same output on every target, byte for byte.
///
/// # Errors
/// Every problem of the request (R2.7), such as `plan_not_found` at `/plan_id`.
///
/// # Examples
/// ```
/// use checkout_preview::{Catalog, Clock, json, preview, read_date, read_instant, Json};
///
/// let catalog = Catalog::load(json::parse(br#"{
///     "customers": [{"id": "cus_1"}],
///     "plans": [{"id": "team", "currency": "USD", "phases": [{"pricings": [{
///         "id": "seats", "product": {"id": "seat"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
///         "quantity": {"value": "10"}, "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}
///     }]}]}]
/// }"#)?)?;
/// let request = json::parse(br#"{"plan_id": "team", "customer_id": "cus_1"}"#)?;
/// let clock = Clock {
///     as_of: read_date(&Json::String("2026-11-22".into()), "/as_of")?,
///     now: read_instant(&Json::String("2026-11-22T10:00:00Z".into()), "/now")?,
/// };
/// let preview = preview(&request, &catalog, clock)?;
/// assert_eq!(preview.current_invoice().total().to_string(), "120.00");
/// assert_eq!(preview.next_invoice().unwrap().invoice_date().to_string(), "2026-12-22");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn preview<'a>(request: &'a Json, catalog: &'a Catalog, clock: Clock) -> Result<Preview<'a>, Problems> {
    let step = Step::of(detect::detect(request, catalog, clock)?)?;
    let mut too_large = TooLarge::default();
    let invoices = Ledger::new(&step.contracts, &step.terms(clock)).invoices(1, &mut too_large);
    check_range(&too_large)?;
    // An invoice is missing only where a line has been noted.
    let (current_invoice, next) = invoices.ok_or_else(|| out_of_range("/catalog"))?;
    Ok(Preview {
        contract: step.contracts.after,
        checkout: step.checkout,
        current_invoice,
        next_invoice: next.into_iter().next(),
        as_of: clock.as_of,
        catalog_version: catalog.version(),
    })
}

/// A checkout in which nothing is wrong, and what it does to the contract.
pub(crate) struct Step<'a> {
    pub(crate) checkout: Checkout<'a>,
    pub(crate) contracts: Contracts<'a>,
}

impl<'a> Step<'a> {
    /// The step a checkout takes, or the late problems but amounts out of range.
    pub(crate) fn of(checkout: Checkout<'a>) -> Result<Step<'a>, Problems> {
        let contracts = contract::contracts(&checkout);
        check_late(&checkout, &contracts)?;
        Ok(Step { checkout, contracts })
    }

    /// Who buys, from whom, and when.
    pub(crate) fn terms(&self, clock: Clock) -> Terms<'a> {
        Terms {
            is_plan_change: matches!(self.checkout.subject, Subject::PlanChange { .. }),
            customer: self.checkout.customer,
            business_entity: self.checkout.business_entity,
            as_of: clock.as_of,
            effective: self.checkout.effective,
        }
    }
}

/// The lines whose amounts are out of range, if there are any.
pub(crate) fn check_range(too_large: &TooLarge) -> Result<(), Problems> {
    Problems::new(too_large.paths().map(out_of_range).collect()).map_or(Ok(()), Err)
}

fn out_of_range(path: &str) -> Problem {
    let help = "lower its price, its quantity or its percentages";
    Fault::new(ProblemCode::AmountOutOfRange, "an amount of this line reaches 10^15", help).at(path)
}

/// The late problems (R2.6) but `amount_out_of_range`.
fn check_late(checkout: &Checkout, contracts: &Contracts) -> Result<(), Problems> {
    let mut findings = Findings::default();
    let list = checkout.request.overrides_name;
    match checkout.subject {
        Subject::PlanBased { .. } => {}
        Subject::PlanChange { plan, contract } => {
            if contract.plan_id.as_deref() == Some(&plan.id) && !contracts.differs_from_plan {
                let help = "choose another plan, or send an override that changes a line";
                let message = "the contract has this plan already";
                findings.refuse("plan_id", ProblemCode::PlanUnchanged, message, &[], help);
            }
        }
        Subject::QuantityUpdate { .. } => {
            let mut lines = contracts.after.phases.iter().flat_map(|phase| &phase.lines);
            if !lines.any(|line| line.changed_from.is_some()) {
                let (message, day) = ("no line would change on % or later", write_date(checkout.effective));
                let help = "send another quantity, state or dimension values of a line that lives then; expected usage, \
                            descriptions, and a fall that waits for a period that never comes, change nothing";
                findings.refuse(list, ProblemCode::NothingChanges, message, &[&day], help);
            }
        }
    }
    for phase in &contracts.after.phases {
        let days = Range { start: phase.days.start.max(checkout.effective), end: phase.days.end };
        for line in phase.lines.iter().filter(|_| !days.is_empty()) {
            let in_force = line.dimensions.within(days);
            for dimensions in in_force.filter(|given| !price::has_price(&line.pricing.model, &given.values)) {
                let message = filled("no price for [%]", &[&dimensions.values.join(", ")]);
                let help = "send dimension values that the matrix has, or give it a default";
                let fault = Fault::new(ProblemCode::MatrixPriceNotFound, message, help);
                match dimensions.given_by {
                    Some(index) => findings.item_field(list, index, "dimension_values", fault),
                    None => findings.catalog(filled("%/dimension_values", &[&line.pricing.path]), fault),
                }
            }
        }
    }
    findings.into_problems().map_or(Ok(()), Err)
}

impl Serialize for Preview<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (checkout, contract) = (&self.checkout, &self.contract);
        let request = &checkout.request;
        let mut map = serializer.serialize_struct("Preview", 19)?;
        map.serialize_field("checkout_type", &checkout.checkout_type())?;
        map.serialize_field("plan_id", &contract.plan_id)?;
        map.serialize_field("contract_id", &contract.id)?;
        map.serialize_field("customer_id", &contract.customer_id)?;
        map.serialize_field("business_entity_id", &checkout.business_entity.map(|entity| &entity.id))?;
        map.serialize_field("guest_checkout", &checkout.is_guest)?;
        map.serialize_field("customer_data", &request.customer_data.value())?;
        map.serialize_field("start_date", &checkout.effective)?;
        map.serialize_field("end_date", &last_day(contract.days))?;
        map.serialize_field("expires_at", &write_instant(checkout.expires_at))?;
        map.serialize_field("success_url", &request.success_url.value())?;
        map.serialize_field("cancel_url", &request.cancel_url.value())?;
        map.serialize_field("product_overrides", &request.sent_overrides.value())?;
        map.serialize_field("currency", contract.currency.code)?;
        map.serialize_field("contract", contract)?;
        map.serialize_field(
            "estimates",
            &Estimates { current_invoice: &self.current_invoice, next_invoice: self.next_invoice.as_ref() },
        )?;
        map.serialize_field("as_of", &self.as_of)?;
        map.serialize_field("catalog_version", &self.catalog_version)?;
        map.serialize_field("engine_version", ENGINE_VERSION)?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Estimates<'p, 'a> {
    current_invoice: &'p Invoice<'a>,
    next_invoice: Option<&'p Invoice<'a>>,
}

/// The shape of a catalog contract, so that what is confirmed can be stored as it is.
impl Serialize for Contract<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Contract", 12)?;
        map.serialize_field("id", &self.id)?;
        map.serialize_field("customer_id", &self.customer_id)?;
        map.serialize_field("business_entity_id", &self.business_entity_id)?;
        map.serialize_field("plan_id", &self.plan_id)?;
        map.serialize_field("currency", self.currency.code)?;
        map.serialize_field("status", "active")?;
        map.serialize_field("start_date", &self.days.start)?;
        map.serialize_field("end_date", &last_day(self.days))?;
        map.serialize_field("anchor_date", &self.anchor.date)?;
        map.serialize_field("anchor_day", &self.anchor.day)?;
        map.serialize_field("version", &self.version)?;
        map.serialize_field("phases", &self.phases)?;
        map.end()
    }
}

impl Serialize for Phase<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.features.name)?;
        map.serialize_entry("phase_type", if self.features.is_trial { "trial" } else { "active" })?;
        map.serialize_entry("start_date", &self.days.start)?;
        map.serialize_entry("end_date", &self.last_day)?;
        map.serialize_entry("anchor_date", &self.anchor_date)?;
        map.serialize_entry("anchor_day", &self.anchor_day)?;
        map.serialize_entry("lines", &self.lines)?;
        for (key, value) in &self.features.raw {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A line as it was written, with what the checkout makes of it.
impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const OWN: [&str; 8] = [
            "product",
            "is_enabled",
            "quantity",
            "dimension_values",
            "line_item_id",
            "quantity_entries",
            "enabled_entries",
            "dimension_entries",
        ];
        let raw = &self.pricing.raw;
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in raw.iter().filter(|(key, _)| !OWN.contains(&key.as_str())) {
            map.serialize_entry(key, value)?;
            if key == "id" {
                map.serialize_entry(
                    "product",
                    &Replaced { raw: crate::form::field(raw, "product"), key: "description", value: self.description },
                )?;
            }
        }
        let is_new = self.line_item_id.is_none();
        let written = |name: &str| raw.iter().any(|(key, _)| key == name);
        if is_new || written("is_enabled") {
            map.serialize_entry("is_enabled", &self.enabled.first)?;
        }
        if is_new || written("quantity") {
            let own = matches!(self.pricing.quantity, LineQuantity::Fixed { .. }).then_some(self.quantity.first);
            match crate::form::field(raw, "quantity") {
                Some(quantity) => map.serialize_entry(
                    "quantity",
                    &Replaced { raw: Some(quantity), key: "value", value: own.filter(|_| is_new) },
                )?,
                None => {
                    map.serialize_entry("quantity", &FixedQuantity { r#type: "fixed", value: self.quantity.first })?
                }
            }
        }
        if written("dimension_values") || !self.dimensions.first.values.is_empty() {
            map.serialize_entry("dimension_values", &self.dimensions.first)?;
        }
        map.serialize_entry("line_item_id", &self.line_item_id)?;
        map.serialize_entry("quantity_entries", &Entries(&self.quantity))?;
        map.serialize_entry("enabled_entries", &Entries(&self.enabled))?;
        map.serialize_entry("dimension_entries", &Entries(&self.dimensions))?;
        map.end()
    }
}

impl Serialize for Dimensions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

#[derive(serde::Serialize)]
struct FixedQuantity {
    r#type: &'static str,
    value: crate::money::Quantity,
}

/// An object as it was written, one of its fields replaced or added.
struct Replaced<'r, T> {
    raw: Option<&'r Json>,
    key: &'static str,
    value: Option<T>,
}

impl<T: Serialize> Serialize for Replaced<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.raw.and_then(|raw| crate::form::object(raw).ok()).unwrap_or_default();
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in fields {
            match &self.value {
                Some(replacement) if key == self.key => map.serialize_entry(key, replacement)?,
                Some(_) | None => map.serialize_entry(key, value)?,
            }
        }
        if let Some(value) = self.value.as_ref().filter(|_| !fields.iter().any(|(key, _)| key == self.key)) {
            map.serialize_entry(self.key, value)?;
        }
        map.end()
    }
}

struct Entries<'r, T>(&'r Timeline<T>);

impl<T: Serialize> Serialize for Entries<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Entry<'r, T> {
            effective_from: NaiveDate,
            value: &'r T,
        }
        serializer.collect_seq(
            self.0.entries.iter().map(|(effective_from, value)| Entry { effective_from: *effective_from, value }),
        )
    }
}

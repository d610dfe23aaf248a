//! The catalog: what can be bought, who sells, who buys, and the contracts there are.
//!
//! Input: section 3. Output: the body of `PUT` and `GET /catalog`, and a contract as `GET /contracts` lists it. A field that
//! is null counts as left out; a field that is not named here is refused. Neighbours: `pricing` has the pricing models;
//! `preview` the contract as it would be.

use super::form::{Currency, Date, Duration, Id, Quantity, QuantityAboveZero, Rate, TimeToLive};
use super::pricing::PricingData;
use utoipa::ToSchema;

/// A snapshot of everything that prices are computed from.
///
/// What JSON Schema cannot say is checked as well (R3.2): one id twice in a list, references to what is not there, tiers and
/// entries that do not ascend, phases that overlap, a contract's currency that is not its plan's. All that is wrong is told
/// at once, each as `catalog_invalid` at its place.
#[derive(ToSchema)]
#[schema(examples(json!({
    "version": "2026-11-01.3",
    "business_entities": [{"id": "be_de", "name": "Ternwell GmbH", "time_zone": "Europe/Berlin"}],
    "customers": [{"id": "cus_1", "business_entity_id": "be_de", "taxes": [{"name": "VAT", "percent": "19"}]}],
    "plans": [{"id": "team", "currency": "EUR", "phases": [{"pricings": [{
        "id": "seats", "product": {"id": "seat", "name": "Seats"},
        "billing_period": {"cadence": "P1M", "offset": "prepaid"},
        "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}}]}]}]
})))]
pub struct Catalog {
    /// What its author calls it. Previews name it.
    pub version: Option<String>,
    /// What holds for every checkout.
    pub settings: Option<Settings>,
    /// Who sells.
    pub business_entities: Option<Vec<BusinessEntity>>,
    /// Who buys.
    pub customers: Option<Vec<Customer>>,
    /// What can be bought.
    pub plans: Option<Vec<Plan>>,
    /// What customers have.
    pub contracts: Option<Vec<Contract>>,
}

/// What holds for every checkout.
#[derive(ToSchema)]
pub struct Settings {
    /// How long a checkout stays open that does not say; PT24H if left out.
    pub checkout_ttl: Option<TimeToLive>,
}

/// Who sells.
#[derive(ToSchema)]
pub struct BusinessEntity {
    /// Its id, once in the list.
    pub id: Id,
    /// Its name.
    pub name: Option<String>,
    /// A time zone of the IANA database, in which today is today: `America/New_York`. UTC if left out.
    pub time_zone: Option<Id>,
    /// Where halves go when amounts are rounded to the minor unit: away from zero, or to the even neighbour (R1.6);
    /// `half_up` if left out.
    pub rounding: Option<Rounding>,
    /// Its taxes, which count where no line, phase or customer has a list (R8.1).
    pub taxes: Option<Vec<Tax>>,
}

/// Who buys.
#[derive(ToSchema)]
pub struct Customer {
    /// Their id, once in the list.
    pub id: Id,
    /// Their name.
    pub name: Option<String>,
    /// Who sells to them where a request does not say (R2.2).
    pub business_entity_id: Option<Id>,
    /// Whether no tax is charged; false if left out (R8.1).
    pub tax_exempt: Option<bool>,
    /// Their taxes, which count before the business entity's (R8.1).
    pub taxes: Option<Vec<Tax>>,
    /// Credit that invoices use up, in major units; 0 if left out (R8.5).
    pub credit_balance: Option<Rate>,
}

/// A tax. The taxes of a list are all inclusive or all exclusive, and an inclusive one is not compound (R3.2).
#[derive(ToSchema)]
#[schema(examples(json!({"name": "VAT", "percent": "19"})))]
pub struct Tax {
    /// What invoices call it.
    pub name: Option<String>,
    /// Per cent of the taxable amount.
    pub percent: Rate,
    /// Whether it is inside the price already; false if left out (R8.3).
    pub is_inclusive: Option<bool>,
    /// Whether it is charged on the taxes before it, too; false if left out (R8.3).
    pub is_compound: Option<bool>,
}

/// A template of what a customer gets.
#[derive(ToSchema)]
pub struct Plan {
    /// Its id, once in the list.
    pub id: Id,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Whether it can be bought; `active` if left out.
    pub status: Option<PlanStatus>,
    /// The currency of all its prices.
    pub currency: Currency,
    /// How long a contract lasts; without end if left out.
    pub duration: Option<Duration>,
    /// From which day billing periods count; `start_date` if left out (R5.2).
    pub billing_anchor: Option<BillingAnchor>,
    /// What follows on what (R5.3).
    pub phases: Option<Vec<PlanPhase>>,
}

/// From which day billing periods count: the first paid day, or the first such day from it on. A day that a month does not
/// have is its last (R5.2).
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(examples("start_date", json!({"day_of_month": 31}), json!({"day_of_week": "monday"})))]
pub enum BillingAnchor {
    /// The first paid day.
    FirstDay(FirstDay),
    /// A day of the month, in every month or in one.
    DayOfMonth(AnchorInMonth),
    /// A day of the week.
    DayOfWeek(AnchorInWeek),
}

/// A day of the month, in every month or in one.
#[derive(ToSchema)]
pub struct AnchorInMonth {
    /// 1 to 31.
    #[schema(minimum = 1, maximum = 31)]
    pub day_of_month: u32,
    /// 1 to 12; every month if left out.
    #[schema(minimum = 1, maximum = 12)]
    pub month_of_year: Option<u32>,
    /// Not with a day of the month.
    #[schema(schema_with = super::form::null)]
    pub day_of_week: Option<()>,
}

/// A day of the week.
#[derive(ToSchema)]
pub struct AnchorInWeek {
    /// Which.
    pub day_of_week: Weekday,
    /// Not with a day of the week.
    #[schema(schema_with = super::form::null)]
    pub day_of_month: Option<()>,
    /// Not with a day of the week.
    #[schema(schema_with = super::form::null)]
    pub month_of_year: Option<()>,
}

super::words! {
    /// The first paid day.
    FirstDay: StartDate;
    /// A day of the week.
    Weekday: Monday Tuesday Wednesday Thursday Friday Saturday Sunday;
    /// Where halves go.
    Rounding: HalfUp HalfEven;
    /// Whether a plan can be bought.
    PlanStatus: Active Draft Archived;
    /// Whether a phase is paid for.
    PhaseType: Active Trial;
    /// When a billing period is charged.
    Offset: Prepaid Postpaid;
    /// Whether a part of a billing period is charged in part.
    ProrationType: DayBased None;
    /// What a reduction's value is.
    ReductionType: Percent Fixed;
    /// Which way a commitment goes.
    CommitmentType: MinimumSpend MaximumSpend;
    /// How many there are is agreed.
    FixedType: Fixed;
    /// How many there are is measured.
    MeteredType: Metered;
}

/// What phases of plans and of contracts have in common. Each applies once an invoice (R8.2).
#[derive(ToSchema)]
pub struct PhaseFeatures {
    /// Taken off what the phase's lines come to.
    pub discounts: Option<Vec<PhaseDiscount>>,
    /// What the phase has to come to at least or at most, never prorated.
    pub commitments: Option<Vec<Commitment>>,
    /// Charged on top.
    pub service_fees: Option<Vec<ServiceFee>>,
    /// Taxes of lines that have no list of their own. An empty list is no tax, a missing one is inherited (R8.1).
    pub taxes: Option<Vec<Tax>>,
}

/// A stretch of a plan.
#[derive(ToSchema)]
pub struct PlanPhase {
    /// Its name.
    pub name: Option<String>,
    /// A trial charges one-time lines and nothing else (R5.4); `active` if left out.
    pub phase_type: Option<PhaseType>,
    /// How long it lasts. Only the last phase may go without.
    pub duration: Option<Duration>,
    /// What a customer gets.
    pub pricings: Option<Vec<Pricing>>,
    /// What all phases have in common.
    #[serde(flatten)]
    pub features: PhaseFeatures,
}

/// A discount of a pricing.
#[derive(ToSchema)]
#[schema(examples(json!({"type": "percent", "value": "20", "cycles": 3})))]
pub struct Discount {
    /// Whether the value is per cent, at most 100, or an amount.
    pub r#type: ReductionType,
    /// Per cent, or major units a whole billing period (R6.2).
    pub value: Rate,
    /// In how many of the line's billing periods, a stub counting as one; in all if left out.
    #[schema(minimum = 1, maximum = 4294967295_u32, format = Int64)]
    pub cycles: Option<u32>,
    /// What it is called.
    pub name: Option<String>,
}

/// A discount of a phase (R8.2).
#[derive(ToSchema)]
#[schema(examples(json!({"type": "fixed", "value": "10.00"})))]
pub struct PhaseDiscount {
    /// Whether the value is per cent, at most 100, or an amount.
    pub r#type: ReductionType,
    /// Per cent, or major units an invoice.
    pub value: Rate,
    /// Only a pricing's discount has cycles.
    #[schema(schema_with = super::form::null)]
    pub cycles: Option<()>,
    /// What it is called.
    pub name: Option<String>,
}

/// What a line or a phase has to come to (R6.3, R8.2).
#[derive(ToSchema)]
#[schema(examples(json!({"type": "minimum_spend", "amount": "100.00"})))]
pub struct Commitment {
    /// At least, or at most.
    pub r#type: CommitmentType,
    /// In major units, a whole billing period.
    pub amount: Rate,
    /// Whether a line's amount is shared among the days the line lives in the period, and not among those of the whole
    /// period; true if left out.
    pub charge_full_amount: Option<bool>,
    /// Whether nothing is added where the line comes to 0; false if left out.
    pub skip_zero_amount: Option<bool>,
}

/// Charged on top of a phase (R8.2).
#[derive(ToSchema)]
#[schema(examples(json!({"type": "percent", "value": "2.5", "name": "Handling"})))]
pub struct ServiceFee {
    /// Whether the value is per cent of the phase's sum, or an amount.
    pub r#type: ReductionType,
    /// Per cent, or major units an invoice.
    pub value: Rate,
    /// What invoices call it.
    pub name: Option<String>,
}

/// One product with its price, its billing period and its quantity.
#[derive(ToSchema)]
pub struct Pricing {
    /// Its id, once in the plan.
    pub id: Id,
    /// What is sold.
    pub product: Product,
    /// Whether it is charged; true if left out.
    pub is_enabled: Option<bool>,
    /// How often it is charged; once if left out. A metered line is postpaid.
    pub billing_period: Option<BillingPeriod>,
    /// How many; fixed, 1, if left out.
    pub quantity: Option<LineQuantity>,
    /// What it costs.
    pub pricing_data: PricingData,
    /// Whether a part of a billing period is charged by its days, or as a whole (R5.6); `day_based` if left out.
    pub proration_type: Option<ProrationType>,
    /// How many units cost nothing; 0 if left out.
    pub free_units: Option<Quantity>,
    /// Taken off the line, each off what is left (R6.2).
    pub discounts: Option<Vec<Discount>>,
    /// What the line has to come to (R6.3).
    pub commitments: Option<Vec<Commitment>>,
    /// The line's own taxes. An empty list is no tax, a missing one is inherited (R8.1).
    pub taxes: Option<Vec<Tax>>,
    /// Which price of a matrix counts, a value for each of its dimensions; for a table of two dimensions one number, by
    /// which the band is found (section 4).
    pub dimension_values: Option<Vec<String>>,
}

/// What is sold. It may stand in several pricings.
#[derive(ToSchema)]
pub struct Product {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
}

/// How often something is charged.
#[derive(ToSchema)]
#[schema(examples(json!({"cadence": "P1M", "offset": "prepaid"})))]
pub struct BillingPeriod {
    /// How long a period is. Periods are counted from the contract's anchor (R5.1).
    pub cadence: Duration,
    /// Whether it is charged at the beginning of a period or at its end (R5.7).
    pub offset: Offset,
}

/// How many there are.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum LineQuantity {
    /// Agreed.
    Fixed(FixedQuantity),
    /// Measured.
    Metered(MeteredQuantity),
}

/// How many there are is agreed.
#[derive(ToSchema)]
#[schema(examples(json!({"type": "fixed", "value": "10", "minimum": "1", "maximum": "500"})))]
pub struct FixedQuantity {
    /// `fixed` if left out.
    pub r#type: Option<FixedType>,
    /// How many; 1 if left out.
    pub value: Option<Quantity>,
    /// The fewest an override may ask for.
    pub minimum: Option<Quantity>,
    /// The most an override may ask for.
    pub maximum: Option<Quantity>,
    /// Of what an override's quantity has to be a multiple.
    pub multiple_of: Option<QuantityAboveZero>,
    /// Whether a fall counts at once, and not from the next billing period on (R7.7); true if left out.
    pub allow_mid_cycle_cancellation: Option<bool>,
}

/// How many there are is measured.
#[derive(ToSchema)]
#[schema(examples(json!({"type": "metered", "expected": "2500"})))]
pub struct MeteredQuantity {
    /// `metered`.
    pub r#type: MeteredType,
    /// The usage that an estimate takes for a billing period; 0 if left out.
    pub expected: Option<Quantity>,
}

/// What a customer has.
#[derive(ToSchema)]
#[schema(examples(json!({
    "id": "con_1", "customer_id": "cus_1", "plan_id": "team", "currency": "EUR", "start_date": "2026-01-15",
    "anchor_date": "2026-01-15", "version": 3,
    "phases": [{"start_date": "2026-01-15", "lines": [{
        "id": "seats", "line_item_id": "li_1", "product": {"id": "seat", "name": "Seats"},
        "billing_period": {"cadence": "P1M", "offset": "prepaid"}, "quantity": {"type": "fixed", "value": "10"},
        "quantity_entries": [{"effective_from": "2026-03-20", "value": "14"}],
        "pricing_data": {"pricing_type": "per_unit", "unit_amount": "12.00"}}]}]
})))]
pub struct Contract {
    /// Its id, once in the list.
    pub id: Id,
    /// Who bought.
    pub customer_id: Option<Id>,
    /// Who sold.
    pub business_entity_id: Option<Id>,
    /// What was bought last.
    pub plan_id: Option<Id>,
    /// The currency of all its prices; the plan's.
    pub currency: Currency,
    /// Only a contract that is `active` can be amended; `active` if left out.
    pub status: Option<Id>,
    /// Its first day.
    pub start_date: Date,
    /// Its last day; without end if left out.
    pub end_date: Option<Date>,
    /// The day from which all billing periods count (R5.1).
    pub anchor_date: Date,
    /// The day of the month that months keep; `anchor_date`'s if left out. From 2026-02-28 with 31: 02-28, 03-31, 04-30.
    #[schema(minimum = 1, maximum = 31)]
    pub anchor_day: Option<u32>,
    /// How often it was made or amended; 1 if left out.
    #[schema(minimum = 0, maximum = 4294967295_u32, format = Int64)]
    pub version: Option<u32>,
    /// What follows on what, without overlap.
    pub phases: Option<Vec<ContractPhase>>,
}

/// A stretch of a contract.
#[derive(ToSchema)]
pub struct ContractPhase {
    /// Its name.
    pub name: Option<String>,
    /// A trial charges one-time lines and nothing else (R5.4); `active` if left out.
    pub phase_type: Option<PhaseType>,
    /// Its first day.
    pub start_date: Date,
    /// Its last day; the contract's if left out.
    pub end_date: Option<Date>,
    /// The day from which its billing periods count; the contract's if left out.
    pub anchor_date: Option<Date>,
    /// The day of the month that months keep.
    #[schema(minimum = 1, maximum = 31)]
    pub anchor_day: Option<u32>,
    /// What the customer has.
    pub lines: Option<Vec<Line>>,
    /// What all phases have in common.
    #[serde(flatten)]
    pub features: PhaseFeatures,
}

/// A pricing on a contract.
#[derive(ToSchema)]
pub struct Line {
    /// What the pricing was.
    #[serde(flatten)]
    pub pricing: Pricing,
    /// Its id, once in the contract.
    pub line_item_id: Id,
    /// From which days on how many; before the first, `quantity` counts. Ascending, one a day.
    pub quantity_entries: Option<Vec<QuantityEntry>>,
    /// From which days on it is charged, and from which not.
    pub enabled_entries: Option<Vec<EnabledEntry>>,
    /// From which days on which dimension values count.
    pub dimension_entries: Option<Vec<DimensionEntry>>,
}

/// How many from a day on.
#[derive(ToSchema)]
pub struct QuantityEntry {
    /// The first day.
    pub effective_from: Date,
    /// How many.
    pub value: Quantity,
}

/// Whether a line is charged from a day on.
#[derive(ToSchema)]
pub struct EnabledEntry {
    /// The first day.
    pub effective_from: Date,
    /// Whether it is charged.
    pub value: bool,
}

/// Which dimension values count from a day on.
#[derive(ToSchema)]
pub struct DimensionEntry {
    /// The first day.
    pub effective_from: Date,
    /// A value for each dimension.
    pub value: Vec<String>,
}

/// What `PUT /catalog` answers.
#[derive(ToSchema)]
#[schema(examples(json!({"catalog_id": "01a20418-8c68-760c-a089-acb03ee521fd", "catalog_version": "2026-11-20.1"})))]
pub struct StoredCatalog {
    /// The snapshot's id, which is also its `ETag`.
    #[schema(format = "uuid")]
    pub catalog_id: String,
    /// The catalog's own version.
    #[schema(required)]
    pub catalog_version: Option<String>,
}

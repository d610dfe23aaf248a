//! The preview: what a checkout would do and cost.
//!
//! Input: section 9. Output: what `POST /checkouts/preview` answers. Every field is always there. Neighbours: `invoice` has
//! the estimates, `catalog` what a contract keeps of its plan.

use super::catalog::{PhaseFeatures, PhaseType, Pricing};
use super::form::{Currency, Day, Id, QuantityOut, Url, UtcInstant};
use super::invoice::Invoice;
use super::request::Override;
use utoipa::ToSchema;

/// What a checkout would do and cost. The same request, catalog, day and instant give the same bytes, here and in a browser
/// (R1.7).
#[derive(ToSchema)]
pub struct Preview {
    /// What the checkout does (R2.1).
    pub checkout_type: CheckoutType,
    /// The plan of the contract as it would be.
    #[schema(required)]
    pub plan_id: Option<Id>,
    /// The contract that is amended; null for a new one.
    #[schema(required)]
    pub contract_id: Option<Id>,
    /// Who buys; null for a guest.
    #[schema(required)]
    pub customer_id: Option<Id>,
    /// Who sells (R2.2).
    #[schema(required)]
    pub business_entity_id: Option<Id>,
    /// Whether a guest buys (R2.2).
    pub guest_checkout: bool,
    /// As it was sent.
    #[schema(required, value_type = Option<Object>)]
    pub customer_data: Option<serde_json::Value>,
    /// The day on which the checkout takes effect.
    pub start_date: Day,
    /// The contract's last day; null where it has no end.
    #[schema(required)]
    pub end_date: Option<Day>,
    /// From this instant on the checkout is expired.
    pub expires_at: UtcInstant,
    /// As it was sent.
    #[schema(required)]
    pub success_url: Option<Url>,
    /// As it was sent.
    #[schema(required)]
    pub cancel_url: Option<Url>,
    /// As they were sent, under either name.
    #[schema(required)]
    pub product_overrides: Option<Vec<Override>>,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The contract as it would be.
    pub contract: PreviewContract,
    /// What it costs.
    pub estimates: Estimates,
    /// Today in the business entity's time zone.
    pub as_of: Day,
    /// The catalog's own version.
    #[schema(required)]
    pub catalog_version: Option<String>,
    /// The version of the engine that made the preview.
    #[schema(examples("0.1.0"))]
    pub engine_version: String,
}

super::words! {
    /// What a checkout does: makes a contract, moves one to another plan, or changes quantities on one (R2.1).
    CheckoutType: PlanBased PlanChange QuantityUpdate;
    /// Only what is `active` can be amended.
    ActiveStatus: Active;
}

/// What it costs now and next.
#[derive(ToSchema)]
pub struct Estimates {
    /// All that is due when the checkout takes effect; it is there even when it is empty (R7.4).
    pub current_invoice: Invoice,
    /// All that is due on the next day on which something is; null if nothing is within 1,200 months (R7.5).
    #[schema(required)]
    pub next_invoice: Option<Invoice>,
}

/// A contract as a checkout would make it, in the shape of a catalog's. A new one has no id and version 0, and new lines have
/// no `line_item_id`: whoever stores it gives them, and raises the version.
#[derive(ToSchema)]
pub struct PreviewContract {
    /// Null for a new contract.
    #[schema(required)]
    pub id: Option<Id>,
    /// Null for a guest's new contract.
    #[schema(required)]
    pub customer_id: Option<Id>,
    /// Who sells.
    #[schema(required)]
    pub business_entity_id: Option<Id>,
    /// The plan.
    #[schema(required)]
    pub plan_id: Option<Id>,
    /// The currency of all its prices.
    pub currency: Currency,
    /// `active`.
    pub status: ActiveStatus,
    /// Its first day.
    pub start_date: Day,
    /// Its last day; null where it has no end.
    #[schema(required)]
    pub end_date: Option<Day>,
    /// The day from which all billing periods count (R5.1).
    pub anchor_date: Day,
    /// The day of the month that months keep, where it is not `anchor_date`'s.
    #[schema(required, minimum = 1, maximum = 31)]
    pub anchor_day: Option<u32>,
    /// 0 for a new contract; an amended one keeps its own.
    #[schema(minimum = 0, maximum = 4294967295_u32, format = Int64)]
    pub version: u32,
    /// What follows on what.
    pub phases: Vec<PreviewPhase>,
}

/// A stretch of a contract as it would be.
#[derive(ToSchema)]
pub struct PreviewPhase {
    /// Its name.
    #[schema(required)]
    pub name: Option<String>,
    /// A trial charges one-time lines and nothing else (R5.4).
    pub phase_type: PhaseType,
    /// Its first day.
    pub start_date: Day,
    /// Its last day; null where it lasts as long as the contract.
    #[schema(required)]
    pub end_date: Option<Day>,
    /// The day from which its billing periods count; null for the contract's.
    #[schema(required)]
    pub anchor_date: Option<Day>,
    /// The day of the month that months keep.
    #[schema(required, minimum = 1, maximum = 31)]
    pub anchor_day: Option<u32>,
    /// What the customer has.
    pub lines: Vec<PreviewLine>,
    /// As the plan or the contract has them.
    #[serde(flatten)]
    pub features: PhaseFeatures,
}

/// A line as it would be: as the catalog writes it, with what the checkout makes of it.
#[derive(ToSchema)]
pub struct PreviewLine {
    /// As the catalog writes it.
    #[serde(flatten)]
    pub pricing: Pricing,
    /// Null for a new line.
    #[schema(required)]
    pub line_item_id: Option<Id>,
    /// From which days on how many; ascending, one a day.
    pub quantity_entries: Vec<PreviewQuantityEntry>,
    /// From which days on it is charged, and from which not.
    pub enabled_entries: Vec<PreviewEnabledEntry>,
    /// From which days on which dimension values count.
    pub dimension_entries: Vec<PreviewDimensionEntry>,
}

/// How many from a day on.
#[derive(ToSchema)]
pub struct PreviewQuantityEntry {
    /// The first day.
    pub effective_from: Day,
    /// How many.
    pub value: QuantityOut,
}

/// Whether a line is charged from a day on.
#[derive(ToSchema)]
pub struct PreviewEnabledEntry {
    /// The first day.
    pub effective_from: Day,
    /// Whether it is charged.
    pub value: bool,
}

/// Which dimension values count from a day on.
#[derive(ToSchema)]
pub struct PreviewDimensionEntry {
    /// The first day.
    pub effective_from: Day,
    /// A value for each dimension.
    pub value: Vec<String>,
}

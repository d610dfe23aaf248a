//! Invoices, their lines, and the list of those to come.
//!
//! Input: sections 7 to 9. Output: the invoices of previews and billing schedules. Money has the currency's own digits.

use super::form::{Currency, Day, ExactAmount, Id, Money, QuantityOut, RateOut};
use super::preview::CheckoutType;
use utoipa::ToSchema;

/// What is to be paid on one day, or until today (R7.4, R7.5).
#[derive(ToSchema)]
#[schema(examples(json!({
    "invoice_date": "2026-11-22", "currency": "EUR",
    "line_items": [{"kind": "charge", "pricing_id": "seats", "product_id": "seat", "name": "Seats", "description": null,
        "phase": null, "pricing_type": "per_unit", "quantity": "8", "free_units": "0", "is_estimate": false,
        "period": {"start_date": "2026-11-22", "end_date": "2026-12-21"}, "proration": {"days": 30, "period_days": 30},
        "subtotal": "96.00", "discount_amount": "0.00", "commitment_amount": "0.00", "net_amount": "96.00",
        "phase_discount_amount": "0.00", "tax_amount": "18.24", "taxes": [{"name": "VAT", "amount": "18.24"}]}],
    "taxes": [{"name": "VAT", "percent": "19", "amount": "18.24"}],
    "subtotal": "96.00", "discount_total": "0.00", "tax_total": "18.24", "total": "114.24",
    "credit_applied": "0.00", "amount_due": "114.24", "credit_carried_forward": "0.00"
})))]
pub struct Invoice {
    /// The day on which it is due; of a current invoice the later of today and the day of effect (R7.6).
    pub invoice_date: Day,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Credits first, then by phase, line and day (R7.6).
    pub line_items: Vec<LineItem>,
    /// All taxes by name and percent, in the order of first use (R8.4).
    pub taxes: Vec<InvoiceTax>,
    /// The sum of what the line items come to (R8.4).
    pub subtotal: Money,
    /// What discounts of phases take off: a positive number (R8.4).
    pub discount_total: Money,
    /// All tax, that inside prices included (R8.4).
    pub tax_total: Money,
    /// `subtotal` − `discount_total` + taxes that are not inside prices. Negative where credits are larger (R8.4).
    pub total: Money,
    /// What of the customer's credit is used up (R8.5).
    pub credit_applied: Money,
    /// What is left to pay, not below 0 (R8.5).
    pub amount_due: Money,
    /// The credit that is left for the next invoice (R8.5).
    pub credit_carried_forward: Money,
}

/// One charge, credit, commitment or fee. A commitment or a fee belongs to a phase: where a line would be named, it has null.
#[derive(ToSchema)]
pub struct LineItem {
    /// What it is.
    pub kind: Kind,
    /// The line of the contract; not there for a line that is new.
    #[schema(nullable = false)]
    pub line_item_id: Option<Id>,
    /// The pricing.
    #[schema(required)]
    pub pricing_id: Option<Id>,
    /// What is sold.
    #[schema(required)]
    pub product_id: Option<Id>,
    /// The product's name, or the fee's.
    #[schema(required)]
    pub name: Option<String>,
    /// The product's description. A credit keeps that of the charge it takes back.
    #[schema(required)]
    pub description: Option<String>,
    /// The name of the phase.
    #[schema(required)]
    pub phase: Option<String>,
    /// The pricing model, by the name the catalog has for it.
    #[schema(required)]
    pub pricing_type: Option<PricingType>,
    /// How many; of a credit, how many the charge was for that it takes back.
    #[schema(required)]
    pub quantity: Option<QuantityOut>,
    /// How many of them cost nothing.
    #[schema(required)]
    pub free_units: Option<QuantityOut>,
    /// Whether the quantity is expected and not yet measured (R2.5).
    pub is_estimate: bool,
    /// The days it is for: of a credit those from the change on, of a one-time charge its one day.
    #[schema(required)]
    pub period: Option<Period>,
    /// Its part of the billing period; null where nothing is prorated.
    #[schema(required)]
    pub proration: Option<Proration>,
    /// The tiers entered, for the full period; only for charges of models that have tiers (R4.2).
    #[schema(nullable = false)]
    pub tiers: Option<Vec<TierRow>>,
    /// What it costs before discounts; negative for a credit (R6.1).
    pub subtotal: Money,
    /// What the line's own discounts take off (R6.2).
    pub discount_amount: Money,
    /// What the line's own commitments add, or take off where negative (R6.3).
    pub commitment_amount: Money,
    /// What it comes to (R6.4).
    pub net_amount: Money,
    /// Its part of the phase's discounts (R8.2).
    pub phase_discount_amount: Money,
    /// Its tax (R8.3).
    pub tax_amount: Money,
    /// Its taxes, in the order of the list that counts (R8.1).
    pub taxes: Vec<LineTax>,
}

super::words! {
    /// What a line item is.
    Kind: Charge Credit Commitment ServiceFee;
    /// The pricing models by all their names.
    PricingType: FlatFee PerUnit Percent Package Tiered TieredWithFlatFee CustomTiered Volume VolumeWithFlatFee Step Matrix
        TwoDimensionalTiered;
}

/// A first and a last day.
#[derive(ToSchema)]
pub struct Period {
    /// The first day.
    pub start_date: Day,
    /// The last day.
    pub end_date: Day,
}

/// How many days of how many (R5.6).
#[derive(ToSchema)]
pub struct Proration {
    /// How many days are charged.
    #[schema(minimum = 0)]
    pub days: i64,
    /// How many days the billing period has.
    #[schema(minimum = 1)]
    pub period_days: i64,
}

/// What of a quantity one tier prices (R4.2).
#[derive(ToSchema)]
pub struct TierRow {
    /// Above how many the tier begins.
    pub from: QuantityOut,
    /// The most it holds; null in the last tier.
    #[schema(required)]
    pub to: Option<QuantityOut>,
    /// How many it prices.
    pub quantity: QuantityOut,
    /// What one costs, in major units.
    pub unit_amount: RateOut,
    /// What entering the tier costs, in major units.
    pub flat_amount: RateOut,
    /// What they come to, exact and not rounded.
    pub amount: ExactAmount,
}

/// A tax of a line item.
#[derive(ToSchema)]
pub struct LineTax {
    /// What the catalog calls it.
    #[schema(required)]
    pub name: Option<String>,
    /// How much.
    pub amount: Money,
}

/// A tax of an invoice.
#[derive(ToSchema)]
pub struct InvoiceTax {
    /// What the catalog calls it.
    #[schema(required)]
    pub name: Option<String>,
    /// Per cent.
    pub percent: RateOut,
    /// How much.
    pub amount: Money,
}

/// The invoices after the current one (R7.9).
#[derive(ToSchema)]
pub struct BillingSchedule {
    /// What the checkout does (R2.1).
    pub checkout_type: CheckoutType,
    /// The plan of the contract as it would be.
    #[schema(required)]
    pub plan_id: Option<Id>,
    /// The contract that is amended; null for a new one.
    #[schema(required)]
    pub contract_id: Option<Id>,
    /// The day on which the checkout takes effect.
    pub start_date: Day,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Earliest first. The first is the preview's `next_invoice`; there may be fewer than asked for.
    #[schema(max_items = 120)]
    pub invoices: Vec<Invoice>,
    /// What the contract would be invoiced after today if it stayed as it is; null for a new one.
    #[schema(required, max_items = 120)]
    pub without_change: Option<Vec<Invoice>>,
    /// Today in the business entity's time zone.
    pub as_of: Day,
    /// The catalog's own version.
    #[schema(required)]
    pub catalog_version: Option<String>,
    /// The version of the engine that made it.
    #[schema(examples("0.1.0"))]
    pub engine_version: String,
}

//! The nine pricing models, as `pricing_data` says them (section 4).
//!
//! Neighbour: `catalog` has the pricings. In every list of tiers `up_to` ascends, and the last, and only the last, has none;
//! a first `up_to` is above 0 (R3.2).

use super::form::{Quantity, QuantityAboveZero, Rate};
use utoipa::ToSchema;

/// What a quantity costs; `q` is the line's quantity less its free units, not below 0.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum PricingData {
    /// One amount, whatever the quantity.
    FlatFee(FlatFee),
    /// An amount a unit.
    PerUnit(PerUnit),
    /// Per cent of an amount of money.
    Percent(Percent),
    /// An amount a package.
    Package(Package),
    /// Each tier prices the units in it.
    Tiered(Tiered),
    /// One tier prices all units.
    Volume(Volume),
    /// One tier has one amount.
    Step(Step),
    /// A price for each combination of values.
    Matrix(Matrix),
    /// A table of tiers and bands.
    TwoDimensionalTiered(TwoDimensionalTiered),
}

super::words! {
    /// `flat_fee`.
    FlatFeeType: FlatFee;
    /// `per_unit`.
    PerUnitType: PerUnit;
    /// `percent`.
    PercentType: Percent;
    /// `package`.
    PackageType: Package;
    /// Three names of one model.
    TieredType: Tiered TieredWithFlatFee CustomTiered;
    /// Two names of one model.
    VolumeType: Volume VolumeWithFlatFee;
    /// `step`.
    StepType: Step;
    /// `matrix`.
    MatrixType: Matrix;
    /// `two_dimensional_tiered`.
    TwoDimensionalTieredType: TwoDimensionalTiered;
}

/// `unit_amount`, whatever the quantity.
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "flat_fee", "unit_amount": "30.00"})))]
pub struct FlatFee {
    /// The model.
    pub pricing_type: FlatFeeType,
    /// In major units, a billing period.
    pub unit_amount: Rate,
}

/// q × `unit_amount`.
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "per_unit", "unit_amount": "12.00"})))]
pub struct PerUnit {
    /// The model.
    pub pricing_type: PerUnitType,
    /// In major units, a unit and billing period.
    pub unit_amount: Rate,
}

/// q × `percent` / 100, q being an amount of money.
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "percent", "percent": "1.4"})))]
pub struct Percent {
    /// The model.
    pub pricing_type: PercentType,
    /// Per cent of the quantity.
    pub percent: Rate,
}

/// ⌈q / `package_size`⌉ × `unit_amount`: packages of 100 for 8.00 make 301 cost 32.00 (R4.3).
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "package", "unit_amount": "8.00", "package_size": "100"})))]
pub struct Package {
    /// The model.
    pub pricing_type: PackageType,
    /// In major units, a package.
    pub unit_amount: Rate,
    /// How many units a package has.
    pub package_size: QuantityAboveZero,
}

/// For every tier entered its `flat_amount` + the units in it × its `unit_amount`. 2.00, 1.50 and 1.00 at 500, 2000 and
/// beyond make 1,500 cost 2,500.00 (R4.3).
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "tiered", "tiers": [
    {"up_to": "500", "unit_amount": "2.00"}, {"up_to": "2000", "unit_amount": "1.50"}, {"up_to": null, "unit_amount": "1.00"}]})))]
pub struct Tiered {
    /// The model, by any of its names.
    pub pricing_type: TieredType,
    /// At least one.
    #[schema(min_items = 1)]
    pub tiers: Vec<Tier>,
}

/// The tier that holds q prices all of it: its `flat_amount` + q × its `unit_amount`. 2.00, 1.50 and 1.00 at 500, 2000 and
/// beyond make 1,500 cost 2,250.00 (R4.3).
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "volume", "tiers": [
    {"up_to": "500", "unit_amount": "2.00"}, {"up_to": "2000", "unit_amount": "1.50"}, {"unit_amount": "1.00"}]})))]
pub struct Volume {
    /// The model, by any of its names.
    pub pricing_type: VolumeType,
    /// At least one.
    #[schema(min_items = 1)]
    pub tiers: Vec<Tier>,
}

/// The `flat_amount` of the tier that holds q.
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "step", "tiers": [
    {"up_to": "10", "flat_amount": "50.00"}, {"flat_amount": "90.00"}]})))]
pub struct Step {
    /// The model.
    pub pricing_type: StepType,
    /// At least one.
    #[schema(min_items = 1)]
    pub tiers: Vec<StepTier>,
}

/// q × the price whose values are the line's `dimension_values`, or else × `default_unit_amount`.
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "matrix", "dimensions": ["region"],
    "prices": [{"values": ["eu"], "unit_amount": "4.00"}], "default_unit_amount": "5.00"})))]
pub struct Matrix {
    /// The model.
    pub pricing_type: MatrixType,
    /// What the values are of.
    pub dimensions: Vec<String>,
    /// Each combination of values once.
    pub prices: Option<Vec<MatrixPrice>>,
    /// What any other combination costs, in major units a unit; without it they are `matrix_price_not_found`.
    pub default_unit_amount: Option<Rate>,
}

/// What a combination of values costs.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum MatrixPrice {
    /// The same for every unit.
    Unit(MatrixUnitPrice),
    /// By the tier that holds q.
    Tiers(MatrixTierPrice),
}

/// What a combination of values costs a unit.
#[derive(ToSchema)]
pub struct MatrixUnitPrice {
    /// One for each dimension.
    pub values: Vec<String>,
    /// In major units, a unit.
    pub unit_amount: Rate,
    /// Not beside `unit_amount`.
    #[schema(schema_with = super::form::null)]
    pub tiers: Option<()>,
}

/// What a combination of values costs, by the tier that holds q.
#[derive(ToSchema)]
pub struct MatrixTierPrice {
    /// One for each dimension.
    pub values: Vec<String>,
    /// At least one.
    #[schema(min_items = 1)]
    pub tiers: Vec<UnitTier>,
    /// Not beside `tiers`.
    #[schema(schema_with = super::form::null)]
    pub unit_amount: Option<()>,
}

/// q graduated over the tiers, at the amounts of the band that holds the line's one dimension value.
#[derive(ToSchema)]
#[schema(examples(json!({"pricing_type": "two_dimensional_tiered", "tiers": [{"up_to": "10"}, {}],
    "bands": [{"up_to": "100"}, {}], "unit_amounts": [["5.00", "4.00"], ["4.50", "3.50"]]})))]
pub struct TwoDimensionalTiered {
    /// The model.
    pub pricing_type: TwoDimensionalTieredType,
    /// What q is graduated over; at least one.
    #[schema(min_items = 1)]
    pub tiers: Vec<Bound>,
    /// What the dimension value picks; at least one.
    #[schema(min_items = 1)]
    pub bands: Vec<Bound>,
    /// A row for each tier, and in it an amount for each band, in major units a unit.
    pub unit_amounts: Vec<Vec<Rate>>,
}

/// A tier holds what is above the one before it, up to and with `up_to`, fractions included; the first holds 0, too (R4.1).
#[derive(ToSchema)]
pub struct Tier {
    /// The most it holds; left out in the last.
    pub up_to: Option<Quantity>,
    /// In major units, a unit; a package, if there is a `package_size`.
    pub unit_amount: Rate,
    /// Charged once when the tier is entered; 0 if left out.
    pub flat_amount: Option<Rate>,
    /// How many units are charged together.
    pub package_size: Option<QuantityAboveZero>,
}

/// A tier with one amount (R4.1).
#[derive(ToSchema)]
pub struct StepTier {
    /// The most it holds; left out in the last.
    pub up_to: Option<Quantity>,
    /// In major units.
    pub flat_amount: Rate,
}

/// A tier with an amount a unit (R4.1).
#[derive(ToSchema)]
pub struct UnitTier {
    /// The most it holds; left out in the last.
    pub up_to: Option<Quantity>,
    /// In major units, a unit.
    pub unit_amount: Rate,
}

/// A tier or a band of a table (R4.1).
#[derive(ToSchema)]
pub struct Bound {
    /// The most it holds; left out in the last.
    pub up_to: Option<Quantity>,
}

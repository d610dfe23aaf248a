//! What is wrong with an input, said so that its author can mend it.
//!
//! Input: what `request`, `catalog` and `detect` find. Output: [`Problems`], which every door hands on unchanged.

use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

/// The closed list of codes (R2.7), in the order in which problems of one place stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each code is its own name; R2.7 says when it is given")]
pub enum ProblemCode {
    InvalidType,
    InvalidId,
    InvalidDate,
    InvalidInstant,
    InvalidDecimal,
    InvalidUrl,
    CustomerDataTooLarge,
    TooManyOverrides,
    UnknownField,
    ConflictingFields,
    PlanIdRequired,
    ProductOverridesRequired,
    PlanNotFound,
    PlanNotActive,
    CurrencyMismatch,
    ContractNotFound,
    ContractNotActive,
    CustomerNotFound,
    CustomerMismatch,
    CustomerIdRequired,
    BusinessEntityNotFound,
    BusinessEntityMismatch,
    BusinessEntityIdRequired,
    GuestWithCustomer,
    GuestCannotAmend,
    StartDateOutsideContract,
    EndDateNotAllowed,
    EndDateBeforeStartDate,
    ExpiresAtOutOfRange,
    OverrideTargetRequired,
    OverrideTargetAmbiguous,
    OverrideTargetNotFound,
    OverrideEmpty,
    OverrideDuplicate,
    EffectiveFromOutOfRange,
    QuantityBelowMinimum,
    QuantityAboveMaximum,
    QuantityNotAMultiple,
    QuantityNotApplicable,
    CatalogInvalid,
    NothingChanges,
    PlanUnchanged,
    MatrixPriceNotFound,
    AmountOutOfRange,
}

impl ProblemCode {
    /// The code as it goes over the wire: `plan_not_found`.
    pub fn as_str(self) -> &'static str {
        use ProblemCode::*;
        match self {
            InvalidType => "invalid_type",
            InvalidId => "invalid_id",
            InvalidDate => "invalid_date",
            InvalidInstant => "invalid_instant",
            InvalidDecimal => "invalid_decimal",
            InvalidUrl => "invalid_url",
            CustomerDataTooLarge => "customer_data_too_large",
            TooManyOverrides => "too_many_overrides",
            UnknownField => "unknown_field",
            ConflictingFields => "conflicting_fields",
            PlanIdRequired => "plan_id_required",
            ProductOverridesRequired => "product_overrides_required",
            PlanNotFound => "plan_not_found",
            PlanNotActive => "plan_not_active",
            CurrencyMismatch => "currency_mismatch",
            ContractNotFound => "contract_not_found",
            ContractNotActive => "contract_not_active",
            CustomerNotFound => "customer_not_found",
            CustomerMismatch => "customer_mismatch",
            CustomerIdRequired => "customer_id_required",
            BusinessEntityNotFound => "business_entity_not_found",
            BusinessEntityMismatch => "business_entity_mismatch",
            BusinessEntityIdRequired => "business_entity_id_required",
            GuestWithCustomer => "guest_with_customer",
            GuestCannotAmend => "guest_cannot_amend",
            StartDateOutsideContract => "start_date_outside_contract",
            EndDateNotAllowed => "end_date_not_allowed",
            EndDateBeforeStartDate => "end_date_before_start_date",
            ExpiresAtOutOfRange => "expires_at_out_of_range",
            OverrideTargetRequired => "override_target_required",
            OverrideTargetAmbiguous => "override_target_ambiguous",
            OverrideTargetNotFound => "override_target_not_found",
            OverrideEmpty => "override_empty",
            OverrideDuplicate => "override_duplicate",
            EffectiveFromOutOfRange => "effective_from_out_of_range",
            QuantityBelowMinimum => "quantity_below_minimum",
            QuantityAboveMaximum => "quantity_above_maximum",
            QuantityNotAMultiple => "quantity_not_a_multiple",
            QuantityNotApplicable => "quantity_not_applicable",
            CatalogInvalid => "catalog_invalid",
            NothingChanges => "nothing_changes",
            PlanUnchanged => "plan_unchanged",
            MatrixPriceNotFound => "matrix_price_not_found",
            AmountOutOfRange => "amount_out_of_range",
        }
    }
}

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which rule was broken.
    pub code: ProblemCode,
    /// A JSON pointer into the request, or `/catalog/…`.
    pub path: String,
    /// What is wrong: lower case, no full stop, the input in backticks.
    pub message: Cow<'static, str>,
    /// What to do about it.
    pub help: Cow<'static, str>,
}

/// Everything that is wrong with an input, in the order of R2.6; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, or `None` where there are none.
    pub fn new(problems: Vec<Problem>) -> Option<Problems> {
        (!problems.is_empty()).then_some(Problems(problems))
    }

    /// Both results, or what is wrong with either, first to last.
    ///
    /// # Errors
    /// The problems of both.
    pub fn together<A, B>(first: Result<A, Problems>, second: Result<B, Problems>) -> Result<(A, B), Problems> {
        match (first, second) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
            (Err(Problems(mut first)), Err(Problems(second))) => {
                first.extend(second);
                Err(Problems(first))
            }
        }
    }

    /// The problems, first to last.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            let path = if problem.path.is_empty() { "the request" } else { &problem.path };
            write!(formatter, "{separator}{path}: {} ({})", problem.message, problem.code.as_str())?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

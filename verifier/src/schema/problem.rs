//! What is said of a request that is not answered as asked.
//!
//! Input: RFC 9457 and R2.6, R2.7. Output: the body of every error. Neighbours: `error`, which writes them, and `endpoint`,
//! which says which endpoint answers which.

use super::preview::Preview;
use super::session::CheckoutStatus;
use checkout_preview::ProblemCode;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Why a request was not answered as asked (RFC 9457), as `application/problem+json`.
#[derive(ToSchema)]
#[schema(examples(json!({
    "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "rejected",
    "detail": "what was sent breaks the rules named in `problems`", "request_id": "01a2037c-c2a5-76b3-8a09-014b88eb8d14",
    "problems": [{"code": "plan_not_found", "path": "/plan_id", "message": "there is no plan `team_monthly_usb`",
        "help": "send the id of a plan in the catalog"}]})))]
pub struct ProblemDetails {
    /// `about:blank`: `code` says which problem it is.
    #[schema(examples("about:blank"))]
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// Which problem it is; the endpoint's answers say which there are.
    #[schema(pattern = "^[a-z]+(_[a-z]+)*$")]
    pub code: String,
    /// What is wrong, and what to do.
    pub detail: String,
    /// Also the header `x-request-id`, but where this is the answer of an earlier call, again: that call's. The server's
    /// log has it.
    pub request_id: String,
    /// With `rejected`: everything that is wrong with what was sent (R2.6), or the first 1000 things.
    #[schema(nullable = false, min_items = 1, max_items = 1000)]
    pub problems: Option<Vec<Problem>>,
    /// With `preview_mismatch`: every place where what the buyer was shown is not what it costs, or the first 1000.
    #[schema(nullable = false, min_items = 1, max_items = 1000)]
    pub differences: Option<Vec<Difference>>,
    /// With `preview_mismatch`: what it costs, to be shown to the buyer.
    #[schema(nullable = false)]
    pub preview: Option<Preview>,
    /// With `checkout_not_confirmable`, and wherever else the status forbids it: the session's status.
    #[schema(nullable = false)]
    pub current_status: Option<CheckoutStatus>,
    /// Beside `current_status`: the statuses that would allow it.
    #[schema(nullable = false)]
    pub valid_statuses: Option<Vec<CheckoutStatus>>,
}

/// One thing that is wrong, where it is, and what to do about it. The browser says the same in the same bytes.
#[derive(ToSchema)]
#[schema(examples(json!({"code": "unknown_field", "path": "/quantity", "message": "there is no field `quantity`",
    "help": "leave the field out"})))]
pub struct Problem {
    /// Which rule was broken.
    pub code: Code,
    /// A JSON pointer into the request, or `/catalog/…`.
    #[schema(format = JsonPointer)]
    pub path: String,
    /// What is wrong: lower case, no full stop, the input in backticks.
    #[schema(min_length = 1)]
    pub message: String,
    /// What to do about it.
    #[schema(min_length = 1)]
    pub help: String,
}

/// One place where two documents differ.
#[derive(ToSchema)]
#[schema(examples(json!({"path": "/estimates/current_invoice/total", "expected": "1.00", "actual": "14.64"})))]
pub struct Difference {
    /// A JSON pointer into the preview.
    #[schema(format = JsonPointer)]
    pub path: String,
    /// What the buyer was shown; not there where there was nothing.
    #[schema(nullable = false)]
    pub expected: Option<serde_json::Value>,
    /// What it is; not there where there is nothing.
    #[schema(nullable = false)]
    pub actual: Option<serde_json::Value>,
}

/// The engine's list of codes: it does not compile without one of them.
macro_rules! codes {
    ($($code:ident)*) => {
        const CODES: &[ProblemCode] = &[$(ProblemCode::$code),*];
        const _: fn(ProblemCode) = |code| match code { $(ProblemCode::$code => {})* };
    };
}
codes! {
    InvalidType InvalidId InvalidDate InvalidInstant InvalidDecimal InvalidUrl CustomerDataTooLarge TooManyOverrides
    UnknownField ConflictingFields PlanIdRequired ProductOverridesRequired PlanNotFound PlanNotActive CurrencyMismatch
    ContractNotFound ContractNotActive CustomerNotFound CustomerMismatch CustomerIdRequired BusinessEntityNotFound
    BusinessEntityMismatch BusinessEntityIdRequired GuestWithCustomer GuestCannotAmend StartDateOutsideContract
    EndDateNotAllowed EndDateBeforeStartDate ExpiresAtOutOfRange OverrideTargetRequired OverrideTargetAmbiguous
    OverrideTargetNotFound OverrideEmpty OverrideDuplicate EffectiveFromOutOfRange QuantityBelowMinimum QuantityAboveMaximum
    QuantityNotAMultiple QuantityNotApplicable CatalogInvalid NothingChanges PlanUnchanged MatrixPriceNotFound
    AmountOutOfRange
}

/// Which rule was broken (R2.7).
pub struct Code;

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        let codes = CODES.iter().map(|code| code.as_str());
        let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
        Schema::from(schema.description(Some("Which rule was broken (R2.7). The list is closed."))).into()
    }
}

impl ToSchema for Code {}

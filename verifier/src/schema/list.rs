//! Lists, a page at a time, and what may be asked of them.
//!
//! Input: `page`. Output: what `GET /contracts` and `GET /checkouts` take and answer. A parameter that is not named here, and
//! one given twice, is refused.

use super::catalog::Contract;
use super::form::{Id, Instant};
use super::session::{CheckoutStatus, Session};
use utoipa::{IntoParams, ToSchema};

/// Contracts, each as it is now.
#[derive(ToSchema)]
pub struct ContractList {
    /// At most `limit` of them.
    #[schema(max_items = 100)]
    pub data: Vec<Contract>,
    /// What to send as `cursor` for the next page; null on the last.
    #[schema(required, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
}

/// Checkouts, newest first.
#[derive(ToSchema)]
pub struct SessionList {
    /// At most `limit` of them.
    #[schema(max_items = 100)]
    pub data: Vec<Session>,
    /// What to send as `cursor` for the next page; null on the last.
    #[schema(required, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
}

/// What may be asked of `GET /contracts`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContractListQuery {
    /// How many a page has; 20 if left out.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// Only this customer's.
    pub customer_id: Option<Id>,
}

/// What may be asked of `GET /checkouts`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionListQuery {
    /// How many a page has; 20 if left out.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// Only those that stand here.
    pub checkout_status: Option<CheckoutStatus>,
    /// Only this customer's.
    pub customer_id: Option<Id>,
    /// Only those of this contract.
    pub contract_id: Option<Id>,
    /// Only those made after this instant.
    pub created_after: Option<Instant>,
    /// Only those made before this instant.
    pub created_before: Option<Instant>,
}

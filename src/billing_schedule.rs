//! The invoices to come, with the checkout and without it (R7.9).
//!
//! Input: what a preview takes, and how many invoices. Output: [`BillingSchedule`], whose first invoice is the preview's
//! `next_invoice`. Neighbour: `preview` makes the step from *before* to *after*.

use crate::catalog::Catalog;
use crate::contract::{Contract, Contracts};
use crate::detect::{self, CheckoutType};
use crate::invoice::{Invoice, Ledger, Terms, TooLarge};
use crate::json::Json;
use crate::preview::{Step, check_range};
use crate::problem::Problems;
use crate::{Clock, ENGINE_VERSION};
use chrono::NaiveDate;
use serde::Serialize;

/// The most invoices a [`BillingSchedule`] lists (R7.9).
pub const MOST_INVOICES: u8 = 120;

/// The invoices that follow a checkout's `current_invoice`, and those there would be without it.
///
/// The current invoice itself is not in it: a monthly plan bought on 2026-11-22 has `invoices` from 2026-12-22 on.
#[derive(Debug, Serialize)]
pub struct BillingSchedule<'a> {
    pub(crate) checkout_type: CheckoutType,
    pub(crate) plan_id: Option<&'a str>,
    pub(crate) contract_id: Option<&'a str>,
    pub(crate) start_date: NaiveDate,
    pub(crate) currency: &'static str,
    pub(crate) invoices: Vec<Invoice<'a>>,
    pub(crate) without_change: Option<Vec<Invoice<'a>>>,
    pub(crate) as_of: NaiveDate,
    pub(crate) catalog_version: Option<&'a str>,
    pub(crate) engine_version: &'static str,
}

impl<'a> BillingSchedule<'a> {
    /// The invoices after the current one, earliest first; the first is the preview's `next_invoice`.
    pub fn invoices(&self) -> &[Invoice<'a>] {
        &self.invoices
    }

    /// What the contract would be invoiced after `as_of` if it stayed as it is; `None` for a new contract.
    pub fn without_change(&self) -> Option<&[Invoice<'a>]> {
        self.without_change.as_deref()
    }
}

/// Lists the invoices after the current one, at most `count` of them and never more than [`MOST_INVOICES`] (R7.9).
///
/// A contract with an end has only so many, none comes later than 1,200 months after today or the day of effect (R7.5),
/// and a day on which nothing is charged has no invoice: of a yearly fee and `count` 12 come twelve years. For an
/// amendment `without_change` lists as many invoices of the contract as it is, so that a buyer can be shown both. It
/// counts from `as_of`, `invoices` from the later of that and `start_date`: for a change on 2027-03-01 that is asked
/// about on 2026-11-22, what is due between the two is in `without_change` alone.
///
/// `count` is what [`read_count`](crate::read_count) says, so that a wrong one is told with the request's problems.
///
/// # Errors
/// What [`preview`](crate::preview()) reports, and after it what is wrong with `count`; `amount_out_of_range` for a line of
/// any of the invoices listed.
///
/// # Examples
/// ```
/// use checkout_preview::{Catalog, Clock, Json, billing_schedule, json, read_date, read_instant};
///
/// let catalog = Catalog::load(json::parse(br#"{
///     "customers": [{"id": "cus_1"}],
///     "plans": [{"id": "team", "currency": "USD", "duration": "P1Y", "phases": [{"pricings": [{
///         "id": "seats", "product": {"id": "seat"}, "billing_period": {"cadence": "P3M", "offset": "prepaid"},
///         "pricing_data": {"pricing_type": "per_unit", "unit_amount": "36.00"}
///     }]}]}]
/// }"#)?)?;
/// let request = json::parse(br#"{"plan_id": "team", "customer_id": "cus_1"}"#)?;
/// let clock = Clock {
///     as_of: read_date(&Json::String("2026-11-30".into()), "/as_of")?,
///     now: read_instant(&Json::String("2026-11-30T10:00:00Z".into()), "/now")?,
/// };
/// let schedule = billing_schedule(&request, &catalog, clock, Ok(12))?;
/// let days: Vec<String> = schedule.invoices().iter().map(|invoice| invoice.invoice_date().to_string()).collect();
/// // Every one counted from 30 November, so that February does not move those after it; the year ends before a fifth.
/// assert_eq!(days, ["2027-02-28", "2027-05-30", "2027-08-30"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn billing_schedule<'a>(
    request: &'a Json,
    catalog: &'a Catalog,
    clock: Clock,
    count: Result<u8, Problems>,
) -> Result<BillingSchedule<'a>, Problems> {
    let (checkout, count) = Problems::together(detect::detect(request, catalog, clock), count)?;
    let count = count.min(MOST_INVOICES);
    let mut step = Step::of(checkout)?;
    let terms = step.terms(clock);
    let mut too_large = TooLarge::default();
    let invoices = Ledger::new(&step.contracts, &terms).invoices(count, &mut too_large);
    let before = step.contracts.before.take();
    let without_change = before.map(|contract| unchanged(contract, &terms, count, &mut too_large));
    check_range(&too_large)?;
    let (checkout, contract) = (step.checkout, step.contracts.after);
    Ok(BillingSchedule {
        checkout_type: checkout.checkout_type(),
        plan_id: contract.plan_id,
        contract_id: contract.id,
        start_date: checkout.effective,
        currency: contract.currency.code,
        invoices: invoices.map(|(_, upcoming)| upcoming).unwrap_or_default(),
        without_change,
        as_of: clock.as_of,
        catalog_version: catalog.version(),
        engine_version: ENGINE_VERSION,
    })
}

/// What a contract is invoiced after `as_of` if it stays as it is.
fn unchanged<'a>(
    mut contract: Contract<'a>,
    terms: &Terms<'a>,
    count: u8,
    too_large: &mut TooLarge<'a>,
) -> Vec<Invoice<'a>> {
    for line in contract.phases.iter_mut().flat_map(|phase| &mut phase.lines) {
        line.changed_from = None;
    }
    let contracts = Contracts { before: None, after: contract, differs_from_plan: false };
    let ledger = Ledger::new(&contracts, &Terms { effective: terms.as_of, ..*terms });
    ledger.upcoming(ledger.balance(), count, too_large)
}

//! From a request and a catalog to a checkout that can be priced.
//!
//! Input: [`Request`], [`Catalog`], [`Clock`](crate::Clock). Output: [`Checkout`]: its type, the things its ids name,
//! its days; or every problem there is (R2.6). Neighbours: `contract` builds what the checkout asks for and never
//! refuses.

use crate::Clock;
use crate::catalog::{BusinessEntity, Catalog, Customer, LineQuantity, Plan, Pricing, PricingModel, StoredContract};
use crate::date::{self, write_date};
use crate::form::{Fault, filled};
use crate::json::Json;
use crate::money::Quantity;
use crate::problem::{ProblemCode, Problems};
use crate::request::{self, Field, Findings, Override, Request, Target};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

/// What a checkout does, by the fields of its request (R2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutType {
    /// A new subscription: `plan_id` without `contract_id`.
    PlanBased,
    /// Another plan for a contract: both ids.
    PlanChange,
    /// Other quantities on a contract: `contract_id` with `product_overrides`.
    QuantityUpdate,
}

#[cfg(target_arch = "wasm32")]
impl CheckoutType {
    /// Its place in the list of types that `pkg/src/build.js` has.
    pub(crate) fn number(self) -> u8 {
        match self {
            CheckoutType::PlanBased => 0,
            CheckoutType::PlanChange => 1,
            CheckoutType::QuantityUpdate => 2,
        }
    }
}

/// What is bought or changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    PlanBased { plan: &'a Plan },
    PlanChange { plan: &'a Plan, contract: &'a StoredContract },
    QuantityUpdate { contract: &'a StoredContract },
}

/// A valid request: everything it names is there.
#[derive(Debug)]
pub(crate) struct Checkout<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) request: Request<'a>,
    pub(crate) customer: Option<&'a Customer>,
    pub(crate) business_entity: Option<&'a BusinessEntity>,
    pub(crate) is_guest: bool,
    /// E, the day the checkout takes effect.
    pub(crate) effective: NaiveDate,
    pub(crate) expires_at: DateTime<Utc>,
}

impl Checkout<'_> {
    pub(crate) fn checkout_type(&self) -> CheckoutType {
        match self.subject {
            Subject::PlanBased { .. } => CheckoutType::PlanBased,
            Subject::PlanChange { .. } => CheckoutType::PlanChange,
            Subject::QuantityUpdate { .. } => CheckoutType::QuantityUpdate,
        }
    }
}

/// A line an override may name, of a plan or of a contract.
struct Candidate<'a> {
    pricing: &'a Pricing,
    line_item_id: Option<&'a str>,
    /// The first day of its phase, on a contract.
    phase_start: Option<NaiveDate>,
    /// Which line it is.
    position: (usize, usize),
}

impl Candidate<'_> {
    fn is_named(&self, (target, id): (Target, &str)) -> bool {
        match target {
            Target::Pricing => self.pricing.id == id,
            Target::Product => self.pricing.product_id == id,
            Target::LineItem => self.line_item_id == Some(id),
        }
    }
}

/// Whose time zone decides what day it is, as far as a request tells without being checked.
pub(crate) fn business_entity_of<'a>(json: &Json, catalog: &'a Catalog) -> Option<&'a BusinessEntity> {
    let request = request::read(json, &mut Findings::default()).ok()?;
    let contract = request.contract_id.value().and_then(|id| catalog.contract(id));
    let customer_id = contract.map_or(request.customer_id.value(), |contract| contract.customer_id.as_deref());
    let customer = customer_id.and_then(|id| catalog.customer(id));
    business_entity(&request, catalog, contract, customer)
}

/// The request's business entity, else the contract's, else the customer's (R2.2).
fn business_entity<'a>(
    request: &Request,
    catalog: &'a Catalog,
    contract: Option<&'a StoredContract>,
    customer: Option<&'a Customer>,
) -> Option<&'a BusinessEntity> {
    let id = request.business_entity_id.value();
    let id = id.or_else(|| contract.and_then(|contract| contract.business_entity_id.as_deref()));
    let id = id.or_else(|| customer.and_then(|customer| customer.business_entity_id.as_deref()));
    id.and_then(|id| catalog.business_entity(id))
}

/// Checks a request against the catalog.
///
/// # Errors
/// Every problem but the late ones (R2.6).
pub(crate) fn detect<'a>(json: &'a Json, catalog: &'a Catalog, clock: Clock) -> Result<Checkout<'a>, Problems> {
    let mut findings = Findings::default();
    let request = request::read(json, &mut findings)?;
    let (plan, contract) = find_plan_and_contract(&request, catalog, &mut findings);
    let effective = if request.start_date.is_present() { request.start_date.value() } else { Some(clock.as_of) };

    check_dates(&request, contract, effective, &mut findings);
    let is_guest = is_guest(&request);
    let customer = check_buyer(&request, catalog, contract, is_guest, &mut findings);
    let expires_at = expires_at(&request, catalog, clock, &mut findings);
    check_overrides(&request, plan, contract, effective, clock, &mut findings);

    if let Some(problems) = findings.into_problems() {
        return Err(problems);
    }
    let subject = match (plan, contract) {
        (Some(plan), None) => Subject::PlanBased { plan },
        (Some(plan), Some(contract)) => Subject::PlanChange { plan, contract },
        (None, Some(contract)) => Subject::QuantityUpdate { contract },
        // Without either there has been a problem; said again for the compiler.
        (None, None) => return Err(Fault::new(ProblemCode::PlanIdRequired, NO_PLAN, SEND_PLAN).at("/plan_id").into()),
    };
    let business_entity = business_entity(&request, catalog, contract, customer);
    Ok(Checkout {
        subject,
        customer,
        business_entity,
        is_guest,
        effective: effective.unwrap_or(clock.as_of),
        expires_at,
        request,
    })
}

const NO_PLAN: &str = "the checkout names neither a plan nor a contract";
const SEND_PLAN: &str = "send `plan_id`, `contract_id` or both";

/// What a checkout does, by the fields of its request alone (R2.1).
///
/// Whether their values are any good, a preview tells.
///
/// # Errors
/// `plan_id_required`, `product_overrides_required`, or `invalid_type` for a request that is no object.
pub fn checkout_type(request: &Json) -> Result<CheckoutType, Problems> {
    let request = request::read(request, &mut Findings::default())?;
    let mut findings = Findings::default();
    check_type(&request, &mut findings);
    match findings.into_problems() {
        Some(problems) => Err(problems),
        None if !request.contract_id.is_present() => Ok(CheckoutType::PlanBased),
        None if request.plan_id.is_present() => Ok(CheckoutType::PlanChange),
        None => Ok(CheckoutType::QuantityUpdate),
    }
}

/// Whether the fields of a request make a type.
fn check_type(request: &Request, findings: &mut Findings) {
    let (has_plan, has_contract) = (request.plan_id.is_present(), request.contract_id.is_present());
    if !has_plan && !has_contract {
        findings.refuse("plan_id", ProblemCode::PlanIdRequired, NO_PLAN, &[], SEND_PLAN);
    }
    let no_override = match request.sent_overrides.value() {
        Some(Json::List(items)) => items.is_empty(),
        Some(_) => false,
        None => !request.sent_overrides.is_present(),
    };
    if !has_plan && has_contract && no_override {
        findings.refuse(
            "product_overrides",
            ProblemCode::ProductOverridesRequired,
            "a contract without a plan or an override",
            &[],
            "send what changes on the contract, or a `plan_id` to move it to",
        );
    }
}

/// The two things that a request's type goes by.
fn find_plan_and_contract<'a>(
    request: &Request,
    catalog: &'a Catalog,
    findings: &mut Findings,
) -> (Option<&'a Plan>, Option<&'a StoredContract>) {
    check_type(request, findings);
    let contract = request.contract_id.value().and_then(|id| {
        let contract = catalog.contract(id);
        match contract {
            None => {
                findings.refuse(
                    "contract_id",
                    ProblemCode::ContractNotFound,
                    "there is no contract `%`",
                    &[id],
                    "send the id of a contract in the catalog",
                );
            }
            Some(contract) if contract.status != "active" => {
                findings.refuse(
                    "contract_id",
                    ProblemCode::ContractNotActive,
                    "the contract `%` is %",
                    &[id, &contract.status],
                    "only an active contract can be amended",
                );
            }
            Some(_) => {}
        }
        contract
    });
    let plan = request.plan_id.value().and_then(|id| {
        let plan = catalog.plan(id);
        match plan {
            None => {
                findings.refuse(
                    "plan_id",
                    ProblemCode::PlanNotFound,
                    "there is no plan `%`",
                    &[id],
                    "send the id of a plan in the catalog",
                );
            }
            Some(plan) if !plan.is_active => {
                findings.refuse(
                    "plan_id",
                    ProblemCode::PlanNotActive,
                    "the plan `%` is not active",
                    &[id],
                    "choose an active plan",
                );
            }
            Some(_) => {}
        }
        plan
    });
    if let (Some(plan), Some(contract)) = (plan, contract)
        && plan.currency != contract.currency
    {
        findings.refuse(
            "plan_id",
            ProblemCode::CurrencyMismatch,
            "the plan is in %, the contract in %",
            &[plan.currency.code, contract.currency.code],
            "choose a plan in the contract's currency",
        );
    }
    (plan, contract)
}

fn check_dates(
    request: &Request,
    contract: Option<&StoredContract>,
    effective: Option<NaiveDate>,
    findings: &mut Findings,
) {
    if let (Some(contract), Some(effective)) = (contract, effective)
        && (effective < contract.start_date || contract.end_date.is_some_and(|end| effective > end))
    {
        let help = if request.start_date.is_present() {
            "send a day of the contract"
        } else {
            "send a `start_date` within the contract"
        };
        findings.refuse(
            "start_date",
            ProblemCode::StartDateOutsideContract,
            "% is not a day of the contract, %",
            &[&write_date(effective), &days_of(contract)],
            help,
        );
    }
    if request.contract_id.is_present() {
        if request.end_date.is_present() {
            findings.refuse(
                "end_date",
                ProblemCode::EndDateNotAllowed,
                "the end of a running contract cannot be set here",
                &[],
                "leave `end_date` out: the contract keeps its own",
            );
        }
    } else if let (Some(end_date), Some(effective)) = (request.end_date.value(), effective)
        && end_date < effective
    {
        findings.refuse(
            "end_date",
            ProblemCode::EndDateBeforeStartDate,
            "% is before the start, %",
            &[&write_date(end_date), &write_date(effective)],
            "the end date is the last day: send the start date or a later one",
        );
    }
}

fn days_of(contract: &StoredContract) -> String {
    match contract.end_date {
        Some(end) => filled("which runs from % to %", &[&write_date(contract.start_date), &write_date(end)]),
        None => filled("which runs from % on", &[&write_date(contract.start_date)]),
    }
}

/// Whether nobody known buys: stated, or implied by a business entity without a customer (R2.2).
fn is_guest(request: &Request) -> bool {
    if request.contract_id.is_present() {
        return false;
    }
    let implied = request.business_entity_id.is_present() && !request.customer_id.is_present();
    request.guest_checkout.value().unwrap_or(implied)
}

fn check_buyer<'a>(
    request: &Request,
    catalog: &'a Catalog,
    contract: Option<&'a StoredContract>,
    is_guest: bool,
    findings: &mut Findings,
) -> Option<&'a Customer> {
    let stated_guest = request.guest_checkout.value() == Some(true);
    let named = request.customer_id.value().and_then(|id| {
        let customer = catalog.customer(id);
        if customer.is_none() {
            findings.refuse(
                "customer_id",
                ProblemCode::CustomerNotFound,
                "there is no customer `%`",
                &[id],
                "send the id of a customer in the catalog",
            );
        }
        customer
    });
    let customer = match contract {
        Some(contract) => contract.customer_id.as_deref().and_then(|id| catalog.customer(id)),
        None => named,
    };
    if let (Some(contract), Some(named)) = (contract, named)
        && contract.customer_id.as_deref() != Some(&named.id)
    {
        findings.refuse(
            "customer_id",
            ProblemCode::CustomerMismatch,
            "the contract does not belong to `%`",
            &[&named.id],
            "send the contract's customer, or leave `customer_id` out",
        );
    }

    let entity = request.business_entity_id.value().and_then(|id| {
        let entity = catalog.business_entity(id);
        if entity.is_none() {
            findings.refuse(
                "business_entity_id",
                ProblemCode::BusinessEntityNotFound,
                "there is no business entity `%`",
                &[id],
                "send the id of a business entity in the catalog",
            );
        }
        entity
    });
    let owner = contract.and_then(|contract| contract.business_entity_id.as_deref());
    let owner = owner.or_else(|| customer.and_then(|customer| customer.business_entity_id.as_deref()));
    if let (Some(entity), Some(owner)) = (entity, owner)
        && entity.id != owner
    {
        findings.refuse(
            "business_entity_id",
            ProblemCode::BusinessEntityMismatch,
            "the customer or contract belongs to `%`",
            &[owner],
            "send that business entity, or leave the field out",
        );
    }

    if stated_guest && request.customer_id.is_present() {
        findings.refuse(
            "guest_checkout",
            ProblemCode::GuestWithCustomer,
            "a guest checkout with a customer",
            &[],
            "leave `customer_id` out, or `guest_checkout`",
        );
    }
    if request.contract_id.is_present() {
        if stated_guest {
            findings.refuse(
                "guest_checkout",
                ProblemCode::GuestCannotAmend,
                "a guest has no contract to amend",
                &[],
                "leave `guest_checkout` out",
            );
        }
    } else if !request.customer_id.is_present() {
        if is_guest && !request.business_entity_id.is_present() {
            findings.refuse(
                "business_entity_id",
                ProblemCode::BusinessEntityIdRequired,
                "a guest checkout without a business entity",
                &[],
                "send the `business_entity_id` that sells",
            );
        } else if !is_guest {
            findings.refuse(
                "customer_id",
                ProblemCode::CustomerIdRequired,
                "nobody to sell to",
                &[],
                "send `customer_id`, or for a guest `business_entity_id`",
            );
        }
    }
    customer
}

fn expires_at(request: &Request, catalog: &Catalog, clock: Clock, findings: &mut Findings) -> DateTime<Utc> {
    let Some(expires_at) = request.expires_at.value() else {
        return clock.now.checked_add_signed(catalog.checkout_ttl).unwrap_or(clock.now);
    };
    let latest = clock.now.checked_add_signed(TimeDelta::days(30)).unwrap_or(clock.now);
    if expires_at <= clock.now || expires_at > latest {
        let (given, now) = (date::write_instant(expires_at), date::write_instant(clock.now));
        findings.refuse(
            "expires_at",
            ProblemCode::ExpiresAtOutOfRange,
            "% is not within 30 days from now, %",
            &[&given, &now],
            "send an instant after now and at most 30 days ahead",
        );
    }
    expires_at
}

/// The lines overrides may name; `None` where the plan or contract is not known, and so nothing can be looked up.
fn candidates<'a>(
    request: &Request,
    plan: Option<&'a Plan>,
    contract: Option<&'a StoredContract>,
) -> Option<Vec<Candidate<'a>>> {
    if request.plan_id.is_present() {
        let lines = plan?.phases.iter().enumerate().flat_map(|(phase, phase_of_plan)| {
            phase_of_plan.pricings.iter().enumerate().map(move |(line, pricing)| Candidate {
                pricing,
                line_item_id: None,
                phase_start: None,
                position: (phase, line),
            })
        });
        return Some(lines.collect());
    }
    let lines = contract?.phases.iter().enumerate().flat_map(|(phase, stored)| {
        stored.lines.iter().enumerate().map(move |(line, stored_line)| Candidate {
            pricing: &stored_line.pricing,
            line_item_id: Some(&stored_line.line_item_id),
            phase_start: Some(stored.start_date),
            position: (phase, line),
        })
    });
    Some(lines.collect())
}

fn check_overrides(
    request: &Request,
    plan: Option<&Plan>,
    contract: Option<&StoredContract>,
    effective: Option<NaiveDate>,
    clock: Clock,
    findings: &mut Findings,
) {
    let list = request.overrides_name;
    let days = override_days(request, plan, contract, effective);
    let candidates = candidates(request, plan, contract);
    // Which line and day an override takes, and which override it is.
    let mut taken = Vec::new();
    for item in &request.overrides {
        let place = (list, item.index);
        if let Some((day, (message, limit))) =
            item.effective_from.value().and_then(|day| Some((day, days.refuse(day)?)))
        {
            findings.refuse_item(
                place,
                Some("effective_from"),
                ProblemCode::EffectiveFromOutOfRange,
                message,
                &[&write_date(day), &write_date(limit)],
                "send a day of the contract, not before `start_date` (today if it is left out)",
            );
        }
        let Some(target) = item.target else { continue };
        if target.0 == Target::LineItem && request.plan_id.is_present() {
            findings.refuse_item(
                place,
                Some(target.0.field()),
                ProblemCode::OverrideTargetNotFound,
                "a line item of a contract cannot be named together with a plan",
                &[],
                "name the plan's pricing by `pricing_id` or `product_id`",
            );
            continue;
        }
        let Some(candidates) = &candidates else { continue };
        let named: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.is_named(target)).collect();
        if named.is_empty() {
            let (whose, help) = match (request.plan_id.is_present(), request.contract_id.is_present()) {
                (true, true) => ("new plan", "send the id of a pricing of the plan: the contract's lines end"),
                (true, false) => ("plan", "send the id of a pricing or product of the plan"),
                (false, _) => ("contract", "send the id of a line of the contract"),
            };
            findings.refuse_item(
                place,
                Some(target.0.field()),
                ProblemCode::OverrideTargetNotFound,
                "no line of the % has the % `%`",
                &[whose, target.0.field(), target.1],
                help,
            );
        }
        let day = if item.effective_from.is_present() { item.effective_from.value() } else { effective };
        for candidate in &named {
            if item.effective_from != Field::Invalid {
                taken.push((candidate.position, day, item.index));
            }
            if let Some(quantity) = item.quantity.value() {
                check_quantity(candidate, quantity, item, list, effective, clock, findings);
            }
        }
    }
    taken.sort_unstable();
    for pair in taken.windows(2) {
        if let [(line, day, _), (same_line, same_day, index)] = pair
            && (line, day) == (same_line, same_day)
        {
            findings.refuse_item(
                (list, *index),
                None,
                ProblemCode::OverrideDuplicate,
                "an earlier override changes the same line on the same day",
                &[],
                "put both changes into one override",
            );
        }
    }
}

/// The days on which an override may take effect, as far as they are known.
struct OverrideDays {
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
}

impl OverrideDays {
    /// Why not on a day, and the day that is passed.
    fn refuse(&self, day: NaiveDate) -> Option<(&'static str, NaiveDate)> {
        let first = self.first.filter(|first| day < *first);
        let last = self.last.filter(|last| day > *last);
        let too_early = first.map(|first| ("% is before %, the first day it may take effect", first));
        too_early.or_else(|| last.map(|last| ("% is after %, the contract's last day", last)))
    }
}

fn override_days(
    request: &Request,
    plan: Option<&Plan>,
    contract: Option<&StoredContract>,
    effective: Option<NaiveDate>,
) -> OverrideDays {
    if request.contract_id.is_present() {
        let start = contract.map(|contract| contract.start_date);
        return OverrideDays { first: effective.max(start), last: contract.and_then(|contract| contract.end_date) };
    }
    let last = if request.end_date.is_present() {
        request.end_date.value().filter(|end| effective.is_none_or(|effective| *end >= effective))
    } else {
        let duration = plan.and_then(|plan| plan.duration);
        duration.zip(effective).map(|(duration, effective)| date::day_before(duration.after(effective)))
    };
    OverrideDays { first: effective, last }
}

fn check_quantity(
    candidate: &Candidate,
    quantity: Quantity,
    item: &Override,
    list: &str,
    effective: Option<NaiveDate>,
    clock: Clock,
    findings: &mut Findings,
) {
    let mut refuse = |code, message, values: &[&str], help| {
        findings.refuse_item((list, item.index), Some(item.quantity_name), code, message, values, help);
    };
    // An override may name several lines: which of them refuses it?
    let line = candidate.line_item_id.unwrap_or(&candidate.pricing.id);
    let is_one_time = candidate.pricing.billing_period.is_none();
    let has_begun = candidate.phase_start.is_some_and(|start| start <= clock.as_of);
    let will_have_begun = effective.filter(|effective| candidate.phase_start.is_some_and(|start| start < *effective));
    let help = "leave the quantity out, or name other lines";
    if let PricingModel::FlatFee { .. } = candidate.pricing.model {
        let message = "`%` is a flat fee, which has no quantity";
        refuse(ProblemCode::QuantityNotApplicable, message, &[line], help);
    } else if is_one_time && has_begun {
        let message = "the phase of the one-time line `%` has begun";
        refuse(ProblemCode::QuantityNotApplicable, message, &[line], help);
    } else if let Some(effective) = will_have_begun.filter(|_| is_one_time) {
        let message = "the phase of the one-time line `%` will have begun by %";
        refuse(ProblemCode::QuantityNotApplicable, message, &[line, &write_date(effective)], help);
    }
    let LineQuantity::Fixed { minimum, maximum, multiple_of, .. } = &candidate.pricing.quantity else { return };
    let given = quantity.printed();
    if let Some(minimum) = minimum.filter(|minimum| quantity < *minimum) {
        refuse(
            ProblemCode::QuantityBelowMinimum,
            "% is less than the minimum of `%`, %",
            &[given.as_str(), line, minimum.printed().as_str()],
            "send at least the minimum",
        );
    }
    if let Some(maximum) = maximum.filter(|maximum| quantity > *maximum) {
        refuse(
            ProblemCode::QuantityAboveMaximum,
            "% is more than the maximum of `%`, %",
            &[given.as_str(), line, maximum.printed().as_str()],
            "send at most the maximum",
        );
    }
    if let Some(step) = multiple_of.filter(|step| !quantity.is_multiple_of(*step)) {
        refuse(
            ProblemCode::QuantityNotAMultiple,
            "% is not a multiple of %, in which `%` is sold",
            &[given.as_str(), step.printed().as_str(), line],
            "send such a multiple",
        );
    }
}

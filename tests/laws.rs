//! The laws of amendments, over generated contracts and changes: natively and, for the first seeds, in a browser.
//!
//! What an amendment ought to cost is never worked out here. It comes from other questions to the same engine: what a
//! contract is invoiced from its first day on, if it stays as it is, is what it is worth. Each law says for what it holds.
//!
//! A failure names its seed. `LAWS_SEEDS=20000 cargo test --test laws` looks at more.

#[path = "support/generated.rs"]
mod generated;

use checkout_preview::{Catalog, Clock, Json, MOST_INVOICES, ProblemCode, Problems, billing_schedule};
use chrono::NaiveDate;
use generated::{Case, EVERYTHING, Scope, after, date};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

// One list of tests, for both targets.
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Holds the cases of the first seeds to a law, which says which of them it is about: enough must be.
fn hold(scope: Scope, law: impl Fn(&Case, u64) -> Option<()>) {
    let few = if cfg!(target_arch = "wasm32") { 50 } else { 300 };
    let seeds: u64 = std::env::var("LAWS_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(few);
    let held = (0..seeds).filter_map(|seed| law(&scope.case(seed), seed)).fold(0, |count, ()| count + 1);
    assert!(held > seeds / 4, "only {held} of {seeds} cases were held to the law");
}

const UPDATES: Scope = Scope { checkouts: &["quantity_update"], ..EVERYTHING };

/// Contracts that end, and of which only shares are rounded.
const PLAIN: Scope = Scope {
    discounts: false,
    minimum_spend: false,
    maximum_spend: false,
    phase_sums: false,
    small_amounts: false,
    evergreen: false,
    ..EVERYTHING
};

// ---- Asking the engine -----------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Invoice {
    /// As it goes over the wire, but without the ids of lines: new lines get theirs when they are stored.
    #[serde(skip)]
    text: String,
    invoice_date: NaiveDate,
    line_items: Vec<Item>,
    subtotal: String,
    total: String,
    credit_carried_forward: String,
}

#[derive(Debug, Deserialize)]
struct Item {
    kind: String,
    pricing_id: Option<String>,
    period: Option<Period>,
    proration: Option<Proration>,
    net_amount: String,
    phase_discount_amount: String,
    taxes: Vec<Value>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Period {
    start_date: NaiveDate,
    end_date: NaiveDate,
}

#[derive(Debug, Deserialize)]
struct Proration {
    days: i64,
    period_days: i64,
}

impl Item {
    fn is_of(&self, pricing: &str) -> bool {
        self.pricing_id.as_deref() == Some(pricing)
    }

    fn is_credit(&self) -> bool {
        self.kind == "credit"
    }

    /// What it comes to before taxes.
    fn paid(&self) -> i128 {
        minor(&self.net_amount) - minor(&self.phase_discount_amount)
    }

    /// Whether it is for less than a whole billing period.
    fn is_part(&self) -> bool {
        self.proration.as_ref().is_some_and(|share| share.days != share.period_days)
    }

    fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let Period { start_date, end_date } = self.period.unwrap();
        start_date.iter_days().take_while(move |day| *day <= end_date)
    }
}

/// An amount in minor units.
fn minor(amount: &str) -> i128 {
    amount.replace('.', "").parse().unwrap()
}

fn items<'i>(invoices: &'i [Invoice], pricing: &'i str) -> impl Iterator<Item = &'i Item> {
    invoices.iter().flat_map(|invoice| &invoice.line_items).filter(|item| item.is_of(pricing))
}

struct Preview {
    contract: Value,
    current: Invoice,
    next: Option<Invoice>,
}

#[cfg(not(target_arch = "wasm32"))]
fn read(value: &Value) -> Json {
    serde_json::from_str(&value.to_string()).unwrap()
}

#[cfg(target_arch = "wasm32")]
fn read(value: &Value) -> Json {
    checkout_preview::wasm::read(&value.to_string())
}

fn clock(as_of: NaiveDate) -> Clock {
    Clock { as_of, now: as_of.and_hms_opt(12, 0, 0).unwrap().and_utc() }
}

fn invoice(given: &checkout_preview::Invoice) -> Invoice {
    let text = serde_json::to_string(given).unwrap();
    let mut pieces = text.split(r#""line_item_id":""#);
    let first = pieces.next().unwrap().to_owned();
    let without_ids = pieces.fold(first, |text, piece| text + piece.split_once("\",").unwrap().1);
    Invoice { text: without_ids, ..serde_json::from_str(&text).unwrap() }
}

/// The contract of a preview as JSON.
#[cfg(not(target_arch = "wasm32"))]
fn contract_of(preview: &checkout_preview::Preview, _: &Value, _: &Value) -> Value {
    serde_json::to_value(preview).unwrap()["contract"].take()
}

/// The same as the package makes it: there the engine gives back only what JavaScript does not have yet.
#[cfg(target_arch = "wasm32")]
fn contract_of(preview: &checkout_preview::Preview, request: &Value, catalog: &Value) -> Value {
    use js_sys::JSON;
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen(module = "/pkg/src/build.js")]
    extern "C" {
        fn numbered(catalog: &JsValue) -> JsValue;
        #[wasm_bindgen(js_name = previewOf)]
        fn preview_of(answer: &str, catalog: &JsValue, request: &JsValue, version: &str) -> JsValue;
    }

    let as_of = serde_json::to_value(preview).unwrap()["as_of"].take();
    let place = checkout_preview::wasm::load(&catalog.to_string()).parse().unwrap();
    let asked = json!([request, "2026-01-01T12:00:00Z", as_of, null, null, null]).to_string();
    let answer = checkout_preview::wasm::preview_checkout(place, &asked);
    checkout_preview::wasm::unload(place);
    let parsed = |value: &Value| JSON::parse(&value.to_string()).unwrap();
    let made = preview_of(&answer, &numbered(&parsed(catalog)), &parsed(request), "");
    let text = String::from(JSON::stringify(&made).unwrap());
    serde_json::from_str::<Value>(&text).unwrap()["contract"].take()
}

fn preview(request: &Value, catalog: &Value, as_of: NaiveDate) -> Result<Preview, Problems> {
    let (request_json, loaded) = (read(request), Catalog::load(read(catalog))?);
    let preview = checkout_preview::preview(&request_json, &loaded, clock(as_of))?;
    Ok(Preview {
        contract: contract_of(&preview, request, catalog),
        current: invoice(preview.current_invoice()),
        next: preview.next_invoice().map(invoice),
    })
}

/// How many invoices to look at where not all are needed.
const A_FEW: u8 = 12;

/// The invoices after the current one, up to so many.
fn to_come(count: u8, request: &Value, catalog: &Value, as_of: NaiveDate) -> Vec<Invoice> {
    let (request, catalog) = (read(request), Catalog::load(read(catalog)).unwrap());
    let schedule = billing_schedule(&request, &catalog, clock(as_of), Ok(count)).unwrap();
    schedule.invoices().iter().map(invoice).collect()
}

/// What the contract of a catalog is invoiced after a day if it stays as it is: up to so many invoices.
fn if_it_stays(count: u8, catalog: &Value, as_of: NaiveDate) -> Vec<Invoice> {
    let contract = &catalog["contracts"][0];
    // Any change will do to be told what there would be without it; a move to another plan is always one.
    let request = json!({"contract_id": "contract", "plan_id": "other", "start_date": contract["start_date"]});
    let mut catalog = catalog.clone();
    let other = json!({"id": "other", "currency": contract["currency"], "phases": [{}]});
    catalog["plans"].as_array_mut().unwrap().push(other);
    let (request, catalog) = (read(&request), Catalog::load(read(&catalog)).unwrap());
    let schedule = billing_schedule(&request, &catalog, clock(as_of), Ok(count)).unwrap();
    schedule.without_change().unwrap().iter().map(invoice).collect()
}

/// All that the contract of a catalog is ever invoiced if it stays as it is; `None` if that is too much to list.
fn from_its_first_day(catalog: &Value) -> Option<Vec<Invoice>> {
    let start = date(&catalog["contracts"][0]["start_date"]).unwrap();
    all(if_it_stays(MOST_INVOICES, catalog, after(start, -1)))
}

fn all(invoices: Vec<Invoice>) -> Option<Vec<Invoice>> {
    (invoices.len() < usize::from(MOST_INVOICES)).then_some(invoices)
}

// ---- What is in a case -----------------------------------------------------------------------------------------

/// E.
fn effective(case: &Case) -> NaiveDate {
    date(&case.request["start_date"]).unwrap_or(case.as_of)
}

fn overrides(request: &Value) -> &[Value] {
    request["product_overrides"].as_array().map_or(&[], Vec::as_slice)
}

fn with_overrides(request: &Value, overrides: &[Value]) -> Value {
    let mut request = request.clone();
    request["product_overrides"] = json!(overrides);
    request
}

/// The contract that is amended.
fn contract(case: &Case) -> &Value {
    &case.catalog["contracts"][0]
}

fn lines(contract: &Value) -> impl Iterator<Item = &Value> {
    contract["phases"].as_array().into_iter().flatten().flat_map(|phase| phase["lines"].as_array().unwrap())
}

fn id(line: &Value) -> &str {
    line["id"].as_str().unwrap()
}

/// Whether an override is of a line.
fn is_of(change: &Value, line: &Value) -> bool {
    let names = [("line_item_id", "line_item_id"), ("pricing_id", "id")];
    names.iter().any(|(by, of)| !change[by].is_null() && change[by] == line[of])
}

fn is_prorated(line: &Value) -> bool {
    line["proration_type"] == "day_based" && line["quantity"]["type"] == "fixed" && !line["billing_period"].is_null()
}

/// Whether what was billed of a line can be told from its contract after a change. Not where a line is switched off or on
/// that is postpaid (what was used is due at once) or not prorated (nothing is given back).
fn keeps_its_bills(line: &Value, change: &Value) -> bool {
    change["is_enabled"].is_null() || is_prorated(line) && line["billing_period"]["offset"] == "prepaid"
}

/// What is in force on a day: the last entry at or before it, or else the line's own value.
fn in_force(own: &Value, entries: &Value, day: NaiveDate) -> Value {
    let entries = entries.as_array().into_iter().flatten();
    let last = entries.take_while(|entry| date(&entry["effective_from"]).unwrap() <= day).last();
    last.map_or(own, |entry| &entry["value"]).clone()
}

/// The override that gives a line what it has on a day.
fn as_it_is(line: &Value, day: NaiveDate) -> Value {
    let is_enabled = in_force(&line["is_enabled"], &line["enabled_entries"], day);
    let mut change = json!({"line_item_id": line["line_item_id"], "is_enabled": is_enabled});
    let has_quantity = line["pricing_data"]["pricing_type"] != "flat_fee" && !line["billing_period"].is_null();
    if has_quantity && line["quantity"]["type"] == "fixed" {
        change["quantity"] = in_force(&line["quantity"]["value"], &line["quantity_entries"], day);
    }
    if !line["dimension_values"].is_null() {
        change["dimension_values"] = in_force(&line["dimension_values"], &line["dimension_entries"], day);
    }
    change
}

/// The catalog once a preview is confirmed: its contract stored, and the customer's credit as it was left.
fn stored(catalog: &Value, preview: &Preview) -> Value {
    let mut contract = preview.contract.clone();
    contract["id"] = json!("contract");
    contract["version"] = json!(contract["version"].as_u64().unwrap() + 1);
    let phases = contract["phases"].as_array_mut().unwrap().iter_mut();
    let lines = phases.flat_map(|phase| phase["lines"].as_array_mut().unwrap()).enumerate();
    for (number, line) in lines.filter(|(_, line)| line["line_item_id"].is_null()) {
        line["line_item_id"] = json!(format!("new_{number}"));
    }
    let mut catalog = catalog.clone();
    catalog["customers"][0]["credit_balance"] = json!(preview.current.credit_carried_forward);
    catalog["contracts"] = json!([contract]);
    catalog
}

// ---- 1. What was invoiced and adjusted is what the contract is worth -------------------------------------------

/// A change, with every invoice there ever is.
struct Told {
    /// What was billed before, what is due now, and all that follows.
    invoices: Vec<Invoice>,
    /// What the changed contract would have been invoiced, had it always been so.
    worth: Vec<Invoice>,
    contract: Value,
    /// The lines whose credits and charges make up for one another, and how often each amount of theirs is rounded.
    lines: BTreeMap<String, usize>,
}

/// `None` where a change is refused or has too many invoices.
fn told(case: &Case) -> Option<Told> {
    let preview = preview(&case.request, &case.catalog, case.as_of).ok()?;
    let mut invoices = Vec::new();
    if contract(case).is_object() {
        let is_billed = |invoice: &Invoice| invoice.invoice_date <= case.as_of.max(after(effective(case), -1));
        invoices.extend(from_its_first_day(&case.catalog)?.into_iter().filter(is_billed));
    }
    let worth = from_its_first_day(&stored(&case.catalog, &preview))?;
    invoices.push(preview.current);
    invoices.extend(all(to_come(MOST_INVOICES, &case.request, &case.catalog, case.as_of))?);

    // The lines that a plan change ends are of the contract that was; of all others both contracts say the same.
    let ended = if case.request["plan_id"].is_null() { &Value::Null } else { contract(case) };
    let mut times = roundings(&preview.contract);
    times.extend(roundings(ended));
    for line in lines(ended).filter(|line| line["quantity"]["allow_mid_cycle_cancellation"] == false) {
        // What such a line has been paid for is kept (R7.3 b).
        times.remove(id(line));
    }
    Some(Told { invoices, worth, contract: preview.contract, lines: times })
}

/// How often an amount of each prorated line is rounded: for its share, for a discount, for a commitment.
fn roundings(contract: &Value) -> BTreeMap<String, usize> {
    let number = |list: &Value| list.as_array().map_or(0, Vec::len);
    let mut times = BTreeMap::new();
    for phase in contract["phases"].as_array().into_iter().flatten() {
        for line in phase["lines"].as_array().unwrap().iter().filter(|line| is_prorated(line)) {
            let features = [&line["discounts"], &line["commitments"], &phase["discounts"]];
            times.insert(id(line).to_owned(), 1 + features.map(number).iter().sum::<usize>());
        }
    }
    times
}

/// Exact where shares are whole; else to within one minor unit for each amount that is rounded.
#[test]
fn what_is_invoiced_is_what_the_contract_is_worth() {
    hold(PLAIN, is_invoiced_what_it_is_worth);
}

/// Where those are worked out line by line. (Of what a phase takes off a sum, parts are not the sum's parts.)
#[test]
fn so_it_is_with_discounts_and_commitments() {
    let scope = Scope { charge_full_amount: false, phase_sums: false, evergreen: false, ..EVERYTHING };
    hold(scope, is_invoiced_what_it_is_worth);
}

fn is_invoiced_what_it_is_worth(case: &Case, seed: u64) -> Option<()> {
    let told = told(case)?;
    for (line, times) in &told.lines {
        let sum = |invoices| items(invoices, line).map(Item::paid).sum::<i128>();
        let (invoiced, worth) = (sum(&told.invoices), sum(&told.worth));
        let parts = items(&told.invoices, line).chain(items(&told.worth, line)).filter(|item| item.is_part());
        let most = parts.count() * times;
        let off = (invoiced - worth).unsigned_abs();
        assert!(
            off <= most as u128,
            "seed {seed}: {line} is invoiced {invoiced} and worth {worth}, of {most} roundings"
        );
    }
    Some(())
}

// ---- 2. What does not change costs nothing ---------------------------------------------------------------------

#[test]
fn a_change_to_what_already_is_changes_nothing() {
    hold(UPDATES, |case, seed| {
        let changes: Vec<Value> = lines(contract(case)).map(|line| as_it_is(line, effective(case))).collect();
        let problems = preview(&with_overrides(&case.request, &changes), &case.catalog, case.as_of).err();
        let problems = problems.as_ref().map_or(&[][..], Problems::as_slice);
        let codes: Vec<ProblemCode> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [ProblemCode::NothingChanges], "seed {seed}");
        Some(())
    });
}

#[test]
fn beside_a_change_what_already_is_costs_nothing() {
    hold(UPDATES, |case, seed| {
        let alone = preview(&case.request, &case.catalog, case.as_of).ok()?;
        let mut changes = overrides(&case.request).to_vec();
        let others = lines(contract(case)).filter(|line| !overrides(&case.request).iter().any(|one| is_of(one, line)));
        changes.extend(others.map(|line| as_it_is(line, effective(case))));
        let beside = preview(&with_overrides(&case.request, &changes), &case.catalog, case.as_of).unwrap();
        assert_eq!(beside.current.text, alone.current.text, "seed {seed}");
        assert_eq!(beside.next.map(|next| next.text), alone.next.map(|next| next.text), "seed {seed}");
        Some(())
    });
}

/// Where no phase shares out among its lines what it takes off their sum.
#[test]
fn a_line_that_does_not_change_is_invoiced_as_it_would_have_been() {
    hold(Scope { phase_sums: false, ..UPDATES }, |case, seed| {
        let mut with = vec![preview(&case.request, &case.catalog, case.as_of).ok()?.current];
        with.extend(to_come(A_FEW, &case.request, &case.catalog, case.as_of));
        // If E is still to come, what is due on E is in the current invoice.
        let without = if_it_stays(A_FEW, &case.catalog, case.as_of.max(after(effective(case), -1)));
        // Twelve invoices may be all there are, or not.
        let last = |invoices: &[Invoice]| invoices.get(usize::from(A_FEW) - 1).map(|last| last.invoice_date);
        let until = last(&with).into_iter().chain(last(&without)).min().unwrap_or(NaiveDate::MAX);
        for line in lines(contract(case)).filter(|line| !overrides(&case.request).iter().any(|one| is_of(one, line))) {
            let of_line = |invoices: &[Invoice]| -> Vec<String> {
                let due = invoices.iter().filter(|invoice| invoice.invoice_date < until);
                let items = due.flat_map(|invoice| invoice.line_items.iter().map(|item| (invoice.invoice_date, item)));
                let items = items.filter(|(_, item)| item.is_of(id(line)) && minor(&item.net_amount) != 0);
                items.map(|(day, item)| format!("{day} {item:?}")).collect()
            };
            assert_eq!(of_line(&with), of_line(&without), "seed {seed}: {}", id(line));
        }
        Some(())
    });
}

/// On the same day, if that is E or later: of one day still to come only one of the two invoices will be sent.
///
/// Of lines that are prorated, keep their bills, and whose falls do not wait.
#[test]
fn a_change_and_its_reversal_come_to_zero() {
    hold(Scope { falls_wait: false, checkouts: UPDATES.checkouts, ..PLAIN }, |case, seed| {
        let (sum, most, is_exact) = there_and_back(case)?;
        assert!(sum <= if is_exact { 0 } else { most }, "seed {seed}: {sum} is left, of {most} roundings");
        Some(())
    });
}

/// To within one minor unit for each amount that is rounded.
#[test]
fn so_they_do_with_discounts_and_commitments() {
    hold(Scope { falls_wait: false, phase_sums: false, ..UPDATES }, |case, seed| {
        let (sum, most, _) = there_and_back(case)?;
        assert!(sum <= most, "seed {seed}: {sum} is left, of {most} roundings");
        Some(())
    });
}

/// What is left when a change is taken back, how many amounts were rounded, and whether none was but for its share.
fn there_and_back(case: &Case) -> Option<(u128, u128, bool)> {
    let line_of = |change: &Value| lines(contract(case)).find(|line| is_of(change, line)).unwrap();
    let is_about = |change: &&Value| is_prorated(line_of(change)) && keeps_its_bills(line_of(change), change);
    let there: Vec<Value> = overrides(&case.request).iter().filter(is_about).cloned().collect();
    let mut back = there.clone();
    for change in &mut back {
        let day = date(&change["effective_from"]).unwrap_or(effective(case));
        let was = as_it_is(line_of(change), day);
        for field in ["quantity", "is_enabled", "dimension_values"].into_iter().filter(|field| !was[field].is_null()) {
            change[field] = was[field].clone();
        }
    }
    if effective(case) > case.as_of {
        return None;
    }
    let changed = preview(&with_overrides(&case.request, &there), &case.catalog, case.as_of).ok()?;
    let catalog = stored(&case.catalog, &changed);
    let reversed = preview(&with_overrides(&case.request, &back), &catalog, case.as_of).unwrap();

    let sum = minor(&changed.current.total) + minor(&reversed.current.total);
    let items = changed.current.line_items.iter().chain(&reversed.current.line_items);
    let times = roundings(contract(case));
    let most: usize = items.map(|item| times[item.pricing_id.as_deref().unwrap()] + item.taxes.len()).sum();
    let is_exact = takes_back_whole(&changed, &case.catalog) && takes_back_whole(&reversed, &catalog);
    Some((sum.unsigned_abs(), most as u128, is_exact))
}

/// Whether each credit is of all of a charge, or of part of one that is for a whole billing period.
fn takes_back_whole(preview: &Preview, catalog: &Value) -> bool {
    let Some(billed) = from_its_first_day(catalog) else { return false };
    preview.current.line_items.iter().filter(|item| item.is_credit()).all(|credit| {
        let first = credit.period.unwrap().start_date;
        let charge =
            items(&billed, credit.pricing_id.as_deref().unwrap()).find(|item| item.days().any(|day| day == first));
        charge.is_some_and(|charge| !charge.is_part() || charge.period.unwrap().start_date == first)
    })
}

// ---- 3. Time passes --------------------------------------------------------------------------------------------

/// Once a change is stored, its contract is invoiced what was foretold, on whichever day one asks, and when the next
/// invoice has been sent, what was foretold after it.
///
/// A stored contract knows neither what was paid for what it replaced nor which usage is expected (R2.5): it holds where
/// nothing is credited later, and each line keeps its bills.
#[test]
fn what_is_foretold_comes() {
    hold(Scope { falls_wait: false, ..EVERYTHING }, |case, seed| {
        let preview = preview(&case.request, &case.catalog, case.as_of).ok()?;
        let foretold = to_come(A_FEW, &case.request, &case.catalog, case.as_of);
        let is_about = |change: &Value| {
            let mut lines = lines(&preview.contract).filter(|line| is_of(change, line));
            let is_estimate = |line: &Value| line["quantity"]["type"] == "metered" && !change["quantity"].is_null();
            lines.all(|line| keeps_its_bills(line, change) && !is_estimate(line))
        };
        let mut later = foretold.iter().flat_map(|invoice| &invoice.line_items);
        if !overrides(&case.request).iter().all(is_about) || later.any(Item::is_credit) {
            return None;
        }
        let texts = |invoices: &[Invoice]| invoices.iter().map(|invoice| invoice.text.clone()).collect::<Vec<_>>();
        assert_eq!(preview.next.as_ref().map(|next| &next.text), texts(&foretold).first(), "seed {seed}");
        let mut catalog = stored(&case.catalog, &preview);
        let mut today = preview.current.invoice_date;
        for sent in 0..foretold.len().clamp(1, 3) {
            let next = foretold.get(sent);
            let eve = next.map_or(after(today, 40), |next| after(next.invoice_date, -1));
            for day in [today, after(today, (eve - today).num_days() / 2), eve] {
                let came = if_it_stays(A_FEW - u8::try_from(sent).unwrap(), &catalog, day);
                assert_eq!(texts(&came), texts(&foretold[sent..]), "seed {seed}, on {day}");
            }
            if let Some(next) = next {
                catalog["customers"][0]["credit_balance"] = json!(next.credit_carried_forward);
                today = next.invoice_date;
            }
        }
        Some(())
    });
}

/// Of a contract, on any day before E; a new one was not billed on E itself before either.
#[test]
fn a_fixed_day_costs_the_same_whenever_it_is_asked_about() {
    hold(EVERYTHING, |case, seed| {
        let mut request = case.request.clone();
        request["start_date"] = json!(effective(case).to_string());
        let asked = |days: i64| {
            let preview = preview(&request, &case.catalog, after(effective(case), days));
            preview.map(|preview| (preview.current.text, preview.next.map(|next| next.text)))
        };
        let on_the_eve = asked(-1).ok()?;
        let days = if contract(case).is_null() { &[-500, -30, 0][..] } else { &[-500, -30] };
        for days in days {
            assert_eq!(asked(*days).as_ref(), Ok(&on_the_eve), "seed {seed}, {days} days from E");
        }
        Some(())
    });
}

/// On the next invoice's day the current one holds what was due today and what was to be due then, line by line.
#[test]
fn a_new_contract_that_is_asked_about_later_catches_up() {
    hold(Scope { checkouts: &["plan_based"], phase_sums: false, ..EVERYTHING }, |case, seed| {
        let mut request = case.request.clone();
        request["start_date"] = json!(effective(case).to_string());
        let today = preview(&request, &case.catalog, case.as_of).ok()?;
        let next = today.next?;
        let then = preview(&request, &case.catalog, next.invoice_date).unwrap();
        let charged = |invoices: &[&Invoice]| -> BTreeSet<String> {
            let items = invoices.iter().flat_map(|invoice| &invoice.line_items);
            // A day on which nothing is to be paid has no invoice.
            items.filter(|item| minor(&item.net_amount) != 0).map(|item| format!("{item:?}")).collect()
        };
        assert_eq!(charged(&[&then.current]), charged(&[&today.current, &next]), "seed {seed}");
        Some(())
    });
}

// ---- 4. Two steps make one -------------------------------------------------------------------------------------

/// Where no fall waits: a later override of the same request takes such a fall back, one of a later request does not.
#[test]
fn a_change_in_two_steps_is_the_change_in_one() {
    hold(Scope { falls_wait: false, ..UPDATES }, |case, seed| {
        let contract_after = |steps: &[&[Value]]| {
            let mut catalog = case.catalog.clone();
            for changes in steps {
                let preview = preview(&with_overrides(&case.request, changes), &catalog, case.as_of).ok()?;
                catalog = stored(&catalog, &preview);
            }
            let mut contract = catalog["contracts"][0].take();
            contract["version"].take();
            Some(contract)
        };
        let changes = overrides(&case.request);
        let in_one = contract_after(&[changes])?;
        let mut elsewhere = changes.to_vec();
        elsewhere
            .iter_mut()
            .filter(|change| !change["quantity"].is_null())
            .for_each(|one| one["quantity"] = json!("61"));
        let steps: [&[&[Value]]; 2] = [&[&changes[..1], &changes[1..]], &[&elsewhere, changes]];
        let in_two: Vec<Value> = steps.into_iter().filter_map(contract_after).collect();
        for contract in &in_two {
            assert_eq!(*contract, in_one, "seed {seed}");
        }
        (!in_two.is_empty()).then_some(())
    });
}

// ---- 5. Every day once -----------------------------------------------------------------------------------------

/// Charges less credits: of a prorated line every day it lives, of the others no day twice.
#[test]
fn every_day_a_line_lives_is_charged_once() {
    hold(PLAIN, |case, seed| {
        let told = told(case)?;
        let named =
            told.invoices.iter().flat_map(|invoice| &invoice.line_items).filter_map(|item| item.pricing_id.clone());
        for line in named.chain(told.lines.keys().cloned()).collect::<BTreeSet<_>>() {
            let mut times = BTreeMap::<NaiveDate, i32>::new();
            for item in items(&told.invoices, &line) {
                item.days().for_each(|day| *times.entry(day).or_default() += if item.is_credit() { -1 } else { 1 });
            }
            times.retain(|_, times| *times != 0);
            assert!(times.values().all(|times| *times == 1), "seed {seed}: {line} is charged {times:?}");
            if told.lines.contains_key(&line) {
                let charged: Vec<NaiveDate> = times.into_keys().collect();
                assert_eq!(charged, days_alive(&told.contract, &line), "seed {seed}: {line}");
            }
        }
        Some(())
    });
}

/// The days on which a line is to be paid for, one by one.
fn days_alive(contract: &Value, pricing: &str) -> Vec<NaiveDate> {
    let mut days = Vec::new();
    for phase in contract["phases"].as_array().unwrap().iter().filter(|phase| phase["phase_type"] != "trial") {
        let Some(line) = phase["lines"].as_array().unwrap().iter().find(|line| id(line) == pricing) else { continue };
        let last = date(&phase["end_date"]).into_iter().chain(date(&contract["end_date"])).min().unwrap();
        let first = date(&phase["start_date"]).unwrap();
        let is_alive = |day: &NaiveDate| in_force(&line["is_enabled"], &line["enabled_entries"], *day) == true;
        days.extend(first.iter_days().take_while(|day| *day <= last).filter(is_alive));
    }
    days
}

// ---- 6. More costs no less -------------------------------------------------------------------------------------

const UNTIERED: Scope = Scope { tiers: false, discounts: false, maximum_spend: false, falls_wait: false, ..EVERYTHING };

#[test]
fn raising_a_quantity_never_lowers_a_subtotal() {
    hold(UNTIERED, |case, seed| costs_no_less(case, seed, |invoice| &invoice.subtotal));
}

/// Nor the total, where a phase works out no sums: those are taxed as the phase is, and not as the line that takes their
/// place.
#[test]
fn raising_a_quantity_never_lowers_a_total() {
    hold(Scope { phase_sums: false, ..UNTIERED }, |case, seed| costs_no_less(case, seed, |invoice| &invoice.total));
}

fn costs_no_less(case: &Case, seed: u64, amount: fn(&Invoice) -> &str) -> Option<()> {
    let changes = overrides(&case.request);
    let which = changes.iter().position(|change| !change["quantity"].is_null())?;
    let whole: u64 = changes[which]["quantity"].as_str()?.split('.').next()?.parse().unwrap();
    let amounts = |quantity: u64| {
        let mut request = case.request.clone();
        // Like no other quantity, so that the segments are always the same.
        request["product_overrides"][which]["quantity"] = json!(format!("{quantity}.000001"));
        let mut invoices = vec![preview(&request, &case.catalog, case.as_of).ok()?.current];
        invoices.extend(to_come(A_FEW, &request, &case.catalog, case.as_of));
        let amounts = invoices.into_iter().map(|invoice| (invoice.invoice_date, minor(amount(&invoice))));
        Some(amounts.collect::<BTreeMap<NaiveDate, i128>>())
    };
    let (less, more) = (amounts(whole)?, amounts(whole + [1, 5, 40, 1000][usize::try_from(seed % 4).unwrap()])?);
    let until = *less.keys().last()?.min(more.keys().last()?);
    for day in less.keys().chain(more.keys()).filter(|day| **day <= until) {
        let [less, more] = [&less, &more].map(|amounts| amounts.get(day).copied().unwrap_or(0));
        assert!(less <= more, "seed {seed}: less comes to {less} on {day}, more to {more}");
    }
    Some(())
}

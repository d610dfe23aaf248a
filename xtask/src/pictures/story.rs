//! One case file, told by the engine: the contract before and after, segment by segment, and the invoices.
//!
//! Input: `docs/proration/<name>.json`. Output: [`Story`], which `svg` draws and `figures` writes down. Nothing here
//! computes an amount: every one is taken from what the engine says.

use anyhow::{Context, Result, anyhow, bail};
use checkout_preview::{Catalog, Clock, Json, billing_schedule, json, preview, read_date, read_instant};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::fmt;

/// Days from `start` up to, and not with, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Days {
    pub(super) start: NaiveDate,
    pub(super) end: NaiveDate,
}

impl Days {
    pub(super) fn count(self) -> i64 {
        (self.end - self.start).num_days()
    }

    pub(super) fn contains(self, day: NaiveDate) -> bool {
        self.start <= day && day < self.end
    }

    pub(super) fn overlaps(self, other: Days) -> bool {
        self.start < other.end && other.start < self.end
    }

    pub(super) fn last(self) -> NaiveDate {
        self.end.pred_opt().unwrap_or(self.end)
    }

    /// Reads the first and the last day that an object gives; one without a last day goes on to `until`.
    fn of(object: &Value, until: NaiveDate) -> Result<Days> {
        let end = match text(object, "end_date") {
            "" => until,
            last => date(last)?.succ_opt().context("there is a day after")?,
        };
        Ok(Days { start: date(text(object, "start_date"))?, end })
    }
}

/// A contract line between two days on which nothing about it changes.
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) days: Days,
    pub(super) quantity: String,
    pub(super) is_metered: bool,
    pub(super) is_one_time: bool,
    pub(super) is_trial: bool,
    /// What it is charged, which is nothing in a trial and where another segment has paid for the period already.
    pub(super) charge: Option<Charge>,
}

/// A charge of a contract that is left as it is, and the day it is due.
#[derive(Clone)]
pub(super) struct Charge {
    pub(super) line: String,
    pub(super) due: NaiveDate,
    pub(super) days: Days,
    pub(super) item: Value,
}

impl Charge {
    /// What is paid for it: its net amount less the phase's discounts.
    pub(super) fn paid(&self) -> Result<Amount> {
        let discount = Amount::read(text(&self.item, "phase_discount_amount"))?;
        Ok(Amount::read(text(&self.item, "net_amount"))?.less(discount))
    }
}

/// A sum of money as the engine wrote it, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) minor: i128,
    pub(super) digits: u32,
}

impl Amount {
    pub(super) fn read(written: &str) -> Result<Amount> {
        let digits = written.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let minor = written.replace('.', "").parse().with_context(|| format!("`{written}` is no amount"))?;
        Ok(Amount { minor, digits: digits.try_into()? })
    }

    pub(super) fn less(self, other: Amount) -> Amount {
        Amount { minor: self.minor - other.minor, ..self }
    }

    pub(super) fn is_zero(self) -> bool {
        self.minor == 0
    }
}

/// With a true minus sign.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sign = if self.minor < 0 { "−" } else { "" };
        let one = 10_i128.pow(self.digits);
        let (whole, rest) = (self.minor.abs() / one, self.minor.abs() % one);
        match usize::try_from(self.digits).unwrap_or_default() {
            0 => write!(f, "{sign}{whole}"),
            digits => write!(f, "{sign}{whole}.{rest:0digits$}"),
        }
    }
}

/// A case and all that the engine says about it.
pub(super) struct Story {
    pub(super) title: String,
    pub(super) note: String,
    /// The days of the picture.
    pub(super) window: Days,
    pub(super) as_of: NaiveDate,
    /// E.
    pub(super) effective: NaiveDate,
    /// The first day on which the contracts differ.
    pub(super) changed_from: Option<NaiveDate>,
    /// `None` for a new contract.
    pub(super) before: Option<Vec<Segment>>,
    pub(super) after: Vec<Segment>,
    /// What the contract before is charged.
    pub(super) charges_before: Vec<Charge>,
    /// The contract after, as it would be stored.
    pub(super) stored: Value,
    pub(super) current: Value,
    /// `null` if nothing more will be charged.
    pub(super) next: Value,
}

/// The most invoices the engine lists.
const COUNT: u8 = checkout_preview::MOST_INVOICES;

impl Story {
    /// Reads a case and asks the engine.
    pub(super) fn tell(case: &str) -> Result<Story> {
        let case: Value = serde_json::from_str(case)?;
        let as_of = text(&case, "as_of");
        let answer = {
            let (request, catalog) = (read(&case["request"])?, load(&case["catalog"])?);
            let preview = preview(&request, &catalog, clock(as_of, text(&case, "now"))?);
            json::to_text(&preview.map_err(|problems| anyhow!("{}", json::to_text(&problems)))?)
        };
        let preview: Value = serde_json::from_str(&answer)?;
        let window = Days { start: date(text(&case, "from"))?, end: date(text(&case, "to"))? };
        let effective = date(text(&preview, "start_date"))?;

        let stored = list(&case["catalog"]["contracts"])
            .iter()
            .find(|contract| contract["id"].is_string() && contract["id"] == case["request"]["contract_id"]);
        let charges_before = stored.map(|contract| charges(&case["catalog"], contract)).transpose()?;
        let after = as_stored(&preview["contract"]);
        let charges_after = charges(&case["catalog"], &after)?;
        let changed_from = stored.and_then(|before| {
            let mut days = effective.max(window.start).iter_days().take_while(|day| *day < window.end);
            days.find(|day| state(before, *day) != state(&after, *day))
        });
        Ok(Story {
            title: text(&case, "title").to_owned(),
            note: text(&case, "note").to_owned(),
            window,
            as_of: date(as_of)?,
            effective,
            changed_from,
            before: stored
                .map(|contract| segments(contract, charges_before.as_deref().unwrap_or_default(), window))
                .transpose()?,
            after: segments(&after, &charges_after, window)?,
            charges_before: charges_before.unwrap_or_default(),
            current: preview["estimates"]["current_invoice"].clone(),
            next: preview["estimates"]["next_invoice"].clone(),
            stored: after,
        })
    }

    /// The line of the contract after that has an id.
    pub(super) fn line(&self, id: &str) -> Option<&Value> {
        let mut lines = list(&self.stored["phases"]).iter().flat_map(|phase| list(&phase["lines"]));
        lines.find(|line| text(line, "line_item_id") == id)
    }

    /// The last day whose charges the contract before has billed (R7.2).
    pub(super) fn billed_until(&self) -> NaiveDate {
        self.as_of.max(self.effective.pred_opt().unwrap_or(self.effective))
    }
}

/// The field of an object as text; empty where it is none.
pub(super) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().unwrap_or_default()
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn date(written: &str) -> Result<NaiveDate> {
    written.parse().with_context(|| format!("`{written}` is no date"))
}

/// The days of a line item; those of a fee or a commitment, which has none, are `day`.
pub(super) fn days_of(item: &Value, day: NaiveDate) -> Result<Days> {
    match &item["period"] {
        Value::Null => Ok(Days { start: day, end: day.succ_opt().unwrap_or(day) }),
        period => Days::of(period, NaiveDate::MAX),
    }
}

/// The line of a line item: new lines have no id yet.
pub(super) fn line_of(item: &Value) -> &str {
    match text(item, "line_item_id") {
        "" => text(item, "pricing_id"),
        id => id,
    }
}

fn read(value: &Value) -> Result<Json> {
    Ok(json::parse(value.to_string().as_bytes())?)
}

fn load(catalog: &Value) -> Result<Catalog> {
    Catalog::load(read(catalog)?).map_err(|problems| anyhow!("{}", json::to_text(&problems)))
}

fn clock(as_of: &str, now: &str) -> Result<Clock> {
    let as_of = read_date(&Json::String(as_of.into()), "/as_of");
    let now = read_instant(&Json::String(now.into()), "/now");
    match (as_of, now) {
        (Ok(as_of), Ok(now)) => Ok(Clock { as_of, now }),
        (Err(problems), _) | (_, Err(problems)) => bail!("{}", json::to_text(&problems)),
    }
}

/// A previewed contract as it would be stored: with ids, a new line's that of its pricing.
fn as_stored(contract: &Value) -> Value {
    let mut contract = contract.clone();
    if contract["id"].is_null() {
        contract["id"] = json!("new");
    }
    for phase in contract["phases"].as_array_mut().into_iter().flatten() {
        for line in phase["lines"].as_array_mut().into_iter().flatten() {
            if line["line_item_id"].is_null() {
                line["line_item_id"] = line["id"].clone();
            }
        }
    }
    contract
}

/// What a contract is charged from its first day on, if it is left as it is.
///
/// The engine lists it as `without_change`, beside any change at all: here, of the contract's first line.
fn charges(catalog: &Value, contract: &Value) -> Result<Vec<Charge>> {
    let mut catalog = catalog.clone();
    catalog["contracts"] = json!([contract]);
    let start = date(text(contract, "start_date"))?;
    let line = &contract["phases"][0]["lines"][0];
    let request = json!({
        "contract_id": contract["id"], "start_date": contract["start_date"],
        "product_overrides": [{ "line_item_id": line["line_item_id"], "is_enabled": !is_enabled(line, start) }],
    });
    let day_before = start.pred_opt().context("there is a day before")?.to_string();
    let answer = {
        let (request, catalog) = (read(&request)?, load(&catalog)?);
        let schedule = billing_schedule(&request, &catalog, clock(&day_before, "1970-01-01T00:00:00Z")?, Ok(COUNT));
        json::to_text(&schedule.map_err(|problems| anyhow!("{}", json::to_text(&problems)))?)
    };
    let schedule: Value = serde_json::from_str(&answer)?;
    let mut charges = Vec::new();
    for invoice in list(&schedule["without_change"]) {
        let due = date(text(invoice, "invoice_date"))?;
        for item in list(&invoice["line_items"]).iter().filter(|item| text(item, "kind") == "charge") {
            charges.push(Charge { line: line_of(item).to_owned(), due, days: days_of(item, due)?, item: item.clone() });
        }
    }
    Ok(charges)
}

/// The value in force on a day: of the last entry on or before it, else the line's own.
fn value_at(line: &Value, entries: &str, own: &Value, day: NaiveDate) -> Value {
    let last =
        list(&line[entries]).iter().rfind(|entry| date(text(entry, "effective_from")).is_ok_and(|from| from <= day));
    last.map_or(own, |entry| &entry["value"]).clone()
}

fn is_enabled(line: &Value, day: NaiveDate) -> bool {
    value_at(line, "enabled_entries", &line["is_enabled"], day) != json!(false)
}

fn quantity(line: &Value, day: NaiveDate) -> String {
    let own = match text(&line["quantity"], "type") {
        "metered" => return text(&line["quantity"], "expected").to_owned(),
        _ => &line["quantity"]["value"],
    };
    let value = value_at(line, "quantity_entries", own, day);
    value.as_str().unwrap_or("1").to_owned()
}

/// What every line is on a day, which is what a change is seen by (R7.2).
fn state(contract: &Value, day: NaiveDate) -> Vec<(String, bool, String)> {
    let phases = list(&contract["phases"]).iter();
    let lives = |phase: &&Value| Days::of(phase, NaiveDate::MAX).is_ok_and(|days| days.contains(day));
    let lines = phases.filter(lives).flat_map(|phase| list(&phase["lines"]));
    lines.map(|line| (text(line, "line_item_id").to_owned(), is_enabled(line, day), quantity(line, day))).collect()
}

/// A contract's lines in the window, cut where a charge begins or ends and where the line changes.
fn segments(contract: &Value, charges: &[Charge], window: Days) -> Result<Vec<Segment>> {
    let contract_days = Days::of(contract, NaiveDate::MAX)?;
    let mut segments = Vec::new();
    for phase in list(&contract["phases"]) {
        let phase_days = Days::of(phase, contract_days.end)?;
        for line in list(&phase["lines"]) {
            let own: Vec<&Charge> = charges.iter().filter(|charge| charge.line == text(line, "line_item_id")).collect();
            let days =
                if line["billing_period"].is_null() { own.first().map(|charge| charge.days) } else { Some(phase_days) };
            let Some(days) = days.filter(|days| days.overlaps(window)) else { continue };
            let entries = ["quantity_entries", "enabled_entries"].into_iter().flat_map(|name| list(&line[name]));
            let mut cuts: Vec<NaiveDate> = own.iter().flat_map(|charge| [charge.days.start, charge.days.end]).collect();
            cuts.extend(entries.flat_map(|entry| date(text(entry, "effective_from"))));
            cuts.extend([days.start, days.end]);
            cuts.retain(|cut| days.start <= *cut && *cut <= days.end);
            cuts.sort_unstable();
            cuts.dedup();
            for (start, end) in cuts.iter().copied().zip(cuts.iter().copied().skip(1)) {
                let part = Days { start, end };
                if part.overlaps(window) && is_enabled(line, start) {
                    segments.push(Segment {
                        name: text(&line["product"], "name").to_owned(),
                        days: part,
                        quantity: quantity(line, start),
                        is_metered: text(&line["quantity"], "type") == "metered",
                        is_one_time: line["billing_period"].is_null(),
                        is_trial: text(phase, "phase_type") == "trial",
                        charge: own.iter().find(|charge| charge.days == part).map(|charge| (*charge).clone()),
                    });
                }
            }
        }
    }
    Ok(segments)
}

//! R7.1: what a checkout makes of a contract. The contract before, a plan and overrides in; the contract after out.

use super::calendar::{self, Anchor, Day, Duration, NEVER};
use super::charge::period_of;
use super::contract::{Contract, Line, Phase, Values, list, read_lines, read_texts};
use super::exact;
use chrono::Datelike;
use serde_json::Value;

/// R2.4
#[derive(Debug, Clone)]
pub struct Override<'r> {
    json: &'r Value,
    effective: Day,
}

/// The overrides of a request, in the order of their days.
pub fn read_overrides(request: &Value, effective: Day) -> Vec<Override<'_>> {
    let read = |json: &'_ Value| calendar::read(&json["effective_from"]).unwrap_or(effective);
    let mut overrides: Vec<Override> =
        list(request, "product_overrides").iter().map(|json| Override { json, effective: read(json) }).collect();
    overrides.sort_by_key(|change| change.effective);
    overrides
}

impl Override<'_> {
    fn names(&self, line: &Line) -> bool {
        let names = |field: &str, id: &Value| !self.json[field].is_null() && self.json[field] == *id;
        names("pricing_id", &line.json["id"])
            || names("product_id", &line.json["product"]["id"])
            || names("line_item_id", &line.json["line_item_id"])
    }
}

/// A plan's phases from a day on, cut at the contract's end (R5.3). The anchor is still to be found.
pub fn lay_out(plan: &Value, start: Day, end: Day) -> Vec<Phase<'_>> {
    let mut phases = Vec::new();
    let mut start = start;
    for (place, json) in list(plan, "phases").iter().enumerate() {
        if start >= end {
            break;
        }
        let own_end = calendar::read_duration(&json["duration"]).map_or(NEVER, |length| calendar::plus(start, length));
        phases.push(Phase {
            json,
            place,
            is_new: true,
            start,
            end: own_end.min(end),
            anchor_date: None,
            anchor_day: None,
            anchor: Anchor { day: start, day_of_month: None },
            is_trial: json["phase_type"] == "trial",
            lines: read_lines(json, "pricings"),
        });
        start = own_end;
    }
    phases
}

/// R5.2: the first day of the first phase that is no trial, or the first day on or after it that is as the plan says.
pub fn new_anchor(plan: &Value, phases: &[Phase]) -> Anchor {
    let first_paid = phases.iter().find(|phase| !phase.is_trial).unwrap_or(&phases[0]).start;
    let wanted = &plan["billing_anchor"];
    let day_of_month = wanted["day_of_month"].as_u64().map(|day| u32::try_from(day).unwrap());
    let day = (first_paid..).find(|day| is_anchor(wanted, day_of_month, *day)).unwrap();
    Anchor { day, day_of_month }
}

fn is_anchor(wanted: &Value, day_of_month: Option<u32>, day: Day) -> bool {
    let date = calendar::date(day);
    let is_day = day_of_month
        .is_none_or(|wanted| date.day() == wanted || date.day() < wanted && calendar::is_last_of_month(day));
    let is_month = wanted["month_of_year"].as_u64().is_none_or(|month| u64::from(date.month()) == month);
    let weekday = wanted["day_of_week"].as_str();
    let is_weekday = weekday.is_none_or(|weekday| date.format("%A").to_string().to_lowercase() == weekday);
    is_day && is_month && is_weekday
}

pub fn new_contract<'c>(plan: &'c Value, start: Day, end: Day, overrides: &[Override]) -> Contract<'c> {
    let mut phases = lay_out(plan, start, end);
    let anchor = new_anchor(plan, &phases);
    phases.iter_mut().for_each(|phase| phase.anchor = anchor);
    apply(overrides, &mut phases);
    Contract { start, end, anchor, phases }
}

pub fn quantity_update<'c>(before: &Contract<'c>, overrides: &[Override]) -> Contract<'c> {
    let mut after = before.clone();
    apply(overrides, &mut after.phases);
    after
}

/// Old lines end at the effective day, and the new plan's phases start.
pub fn plan_change<'c>(before: &Contract<'c>, plan: &'c Value, effective: Day, overrides: &[Override]) -> Contract<'c> {
    let mut added = lay_out(plan, effective, before.end);
    let keeps_anchor = old_cadences(before, effective) == new_cadences(plan);
    let anchor = if keeps_anchor { before.anchor } else { new_anchor(plan, &added) };
    added.iter_mut().for_each(|phase| phase.anchor = anchor);
    apply(overrides, &mut added);

    let mut kept: Vec<Phase> = before.phases.iter().filter(|phase| phase.start < effective).cloned().collect();
    for phase in &mut kept {
        phase.end = phase.end.min(effective);
        if anchor != before.anchor && phase.anchor_date.is_none() {
            phase.anchor_date = Some(phase.anchor.day);
            phase.anchor_day = phase.anchor.day_of_month;
        }
    }
    Contract { phases: [kept, added].concat(), anchor, ..before.clone() }
}

fn old_cadences(before: &Contract, effective: Day) -> Vec<Duration> {
    let holds = |phase: &&Phase| (phase.start..phase.end).contains(&effective);
    cadences(before.phases.iter().find(holds).map_or(&[], |phase| &phase.lines))
}

fn new_cadences(plan: &Value) -> Vec<Duration> {
    let paid = list(plan, "phases").iter().find(|phase| phase["phase_type"] != "trial");
    cadences(&paid.map_or(vec![], |phase| read_lines(phase, "pricings")))
}

fn cadences(lines: &[Line]) -> Vec<Duration> {
    let mut cadences: Vec<Duration> = lines.iter().filter_map(|line| line.cadence).collect();
    cadences.sort();
    cadences.dedup();
    cadences
}

// ---- Overrides -------------------------------------------------------------------------------------------------

fn apply(overrides: &[Override], phases: &mut [Phase]) {
    for phase in phases {
        let of = phase.clone();
        for line in &mut phase.lines {
            let overrides: Vec<&Override> = overrides.iter().filter(|change| change.names(line)).collect();
            change_line(&of, line, &overrides);
            if phase.is_new {
                line.quantity.begin_on(phase.start);
                line.is_enabled.begin_on(phase.start);
                line.dimensions.begin_on(phase.start);
            }
        }
    }
}

fn change_line(phase: &Phase, line: &mut Line, overrides: &[&Override]) {
    let of = line.clone();
    // R7.7: a fall may have to wait; one-time lines have none, and what counts from the first day on is none.
    let waits = |day: Day| !of.may_fall_at_once && of.cadence.is_some() && day > phase.start;
    let mut quantities = Entries::of(&line.quantity);
    let mut enabled = Entries::of(&line.is_enabled);
    let mut dimensions = Entries::of(&line.dimensions);
    for change in overrides {
        let day = change.effective;
        if let Some(quantity) = exact::read(&change.json["quantity"]) {
            if line.is_metered {
                line.expected.entries.push((day, quantity));
            } else {
                quantities.cancel_put_off(day);
                let is_fall = waits(day) && quantity < quantities.on(day);
                quantities.add(day, quantity, is_fall.then(|| next_period(phase, &of, day)));
            }
        }
        if let Some(is_enabled) = change.json["is_enabled"].as_bool() {
            enabled.cancel_put_off(day);
            let is_fall = waits(day) && !is_enabled && enabled.on(day);
            enabled.add(day, is_enabled, is_fall.then(|| next_period(phase, &of, day)));
        }
        if change.json["dimension_values"].is_array() {
            dimensions.add(day, read_texts(&change.json["dimension_values"]), None);
        }
        if change.json["description"].is_string() {
            line.description = change.json["description"].clone();
        }
    }
    line.quantity = quantities.all();
    line.is_enabled = enabled.all();
    line.dimensions = dimensions.all();
}

/// R7.7: the first day of a billing period on or after a day.
fn next_period(phase: &Phase, line: &Line, day: Day) -> Day {
    (day..).find(|day| period_of(phase, line, *day).1.start == *day).unwrap()
}

/// The entries of a line while overrides come in.
struct Entries<'l, T> {
    given: &'l Values<T>,
    added: Vec<Added<T>>,
}

struct Added<T> {
    day: Day,
    value: T,
    is_put_off: bool,
}

impl<'l, T: Clone> Entries<'l, T> {
    fn of(given: &'l Values<T>) -> Entries<'l, T> {
        Entries { given, added: vec![] }
    }

    /// An entry replaces one of the same day.
    fn add(&mut self, day: Day, value: T, put_off_to: Option<Day>) {
        let from = put_off_to.unwrap_or(day);
        self.added.retain(|added| added.day != from);
        self.added.push(Added { day: from, value, is_put_off: from > day });
    }

    /// A later override cancels a fall that is still put off on its day.
    fn cancel_put_off(&mut self, day: Day) {
        self.added.retain(|added| !added.is_put_off || added.day <= day);
    }

    fn all(&self) -> Values<T> {
        let is_replaced = |day: Day| self.added.iter().any(|added| added.day == day);
        let stays = self.given.entries.iter().filter(|(day, _)| !is_replaced(*day)).cloned();
        let added = self.added.iter().map(|added| (added.day, added.value.clone()));
        let mut entries: Vec<(Day, T)> = stays.chain(added).collect();
        entries.sort_by_key(|(day, _)| *day);
        Values { own: self.given.own.clone(), entries }
    }

    fn on(&self, day: Day) -> T {
        self.all().on(day).clone()
    }
}

impl<T: Clone> Values<T> {
    /// A new line has its first values as its own, and entries only for later days (section 9).
    fn begin_on(&mut self, start: Day) {
        self.own = self.on(start).clone();
        self.entries.retain(|(day, _)| *day > start);
    }
}

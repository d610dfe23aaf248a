//! A contract as the catalog has it: JSON in; phases, lines, and what a line is on each day out.

use super::calendar::{self, Anchor, Day, Duration, NEVER};
use super::exact::{self, Exact, whole};
use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Contract<'c> {
    pub start: Day,
    pub end: Day,
    pub anchor: Anchor,
    pub phases: Vec<Phase<'c>>,
}

#[derive(Debug, Clone)]
pub struct Phase<'c> {
    pub json: &'c Value,
    /// Which of the phases of *before* it is; of a phase that the checkout adds, which of the plan's.
    pub place: usize,
    pub is_new: bool,
    pub start: Day,
    pub end: Day,
    /// Its own, as far as it has some.
    pub anchor_date: Option<Day>,
    pub anchor_day: Option<u32>,
    /// Its own or the contract's.
    pub anchor: Anchor,
    pub is_trial: bool,
    pub lines: Vec<Line<'c>>,
}

#[derive(Debug, Clone)]
pub struct Line<'c> {
    pub json: &'c Value,
    /// Which of its phase's lines it is.
    pub place: usize,
    /// None for a one-time line.
    pub cadence: Option<Duration>,
    pub is_postpaid: bool,
    pub is_metered: bool,
    /// Whether segments have shares: not so for metered lines (R5.8) and without proration (R5.6).
    pub is_prorated: bool,
    /// `allow_mid_cycle_cancellation`
    pub may_fall_at_once: bool,
    pub quantity: Values<Exact>,
    pub is_enabled: Values<bool>,
    pub dimensions: Values<Vec<String>>,
    /// The expected usage of a metered line, by the overrides that state it (R2.5).
    pub expected: Values<Exact>,
    pub description: Value,
}

/// A value, and others from later days on.
#[derive(Debug, Clone)]
pub struct Values<T> {
    pub own: T,
    pub entries: Vec<(Day, T)>,
}

impl<T> Values<T> {
    /// The last entry at or before a day counts; before the first, the line's own value.
    pub fn on(&self, day: Day) -> &T {
        self.entries.iter().rev().find(|(from, _)| *from <= day).map_or(&self.own, |(_, value)| value)
    }

    fn last_change(&self) -> Day {
        self.entries.last().map_or(0, |(from, _)| *from)
    }
}

/// What a line is on a day. Expected usage is no part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State<'l> {
    pub quantity: Exact,
    pub is_enabled: bool,
    pub dimensions: &'l [String],
}

/// The items of a list that may be missing or null.
pub fn list<'v>(object: &'v Value, field: &str) -> &'v [Value] {
    object[field].as_array().map_or(&[], Vec::as_slice)
}

pub fn read_contract(json: &Value) -> Contract<'_> {
    let anchor = Anchor { day: calendar::read(&json["anchor_date"]).unwrap(), day_of_month: read_anchor_day(json) };
    let end = calendar::read_end(&json["end_date"]);
    let phase = |(place, json)| read_phase(json, place, anchor, end);
    let phases = list(json, "phases").iter().enumerate().map(phase).collect();
    Contract { start: calendar::read(&json["start_date"]).unwrap(), end, anchor, phases }
}

fn read_anchor_day(json: &Value) -> Option<u32> {
    json["anchor_day"].as_u64().map(|day| u32::try_from(day).unwrap())
}

fn read_phase(json: &Value, place: usize, anchor: Anchor, end: Day) -> Phase<'_> {
    let (anchor_date, anchor_day) = (calendar::read(&json["anchor_date"]), read_anchor_day(json));
    Phase {
        json,
        place,
        is_new: false,
        start: calendar::read(&json["start_date"]).unwrap(),
        end: calendar::read_end(&json["end_date"]).min(end),
        anchor_date,
        anchor_day,
        anchor: match anchor_date {
            Some(day) => Anchor { day, day_of_month: anchor_day },
            None => Anchor { day_of_month: anchor_day.or(anchor.day_of_month), ..anchor },
        },
        is_trial: json["phase_type"] == "trial",
        lines: read_lines(json, "lines"),
    }
}

/// The lines of a phase, or a plan's pricings as lines.
pub fn read_lines<'c>(phase: &'c Value, field: &str) -> Vec<Line<'c>> {
    list(phase, field).iter().enumerate().map(|(place, json)| read_line(json, place)).collect()
}

fn read_line(json: &Value, place: usize) -> Line<'_> {
    let quantity = &json["quantity"];
    let decimal = |value: &Value| exact::read(value).unwrap();
    let is_metered = quantity["type"] == "metered";
    let boolean = |value: &Value| value.as_bool().unwrap();
    Line {
        json,
        place,
        cadence: calendar::read_duration(&json["billing_period"]["cadence"]),
        is_postpaid: json["billing_period"]["offset"] == "postpaid",
        is_metered,
        is_prorated: !is_metered && json["proration_type"] != "none",
        may_fall_at_once: quantity["allow_mid_cycle_cancellation"] != false,
        quantity: Values {
            own: exact::read(&quantity["value"]).unwrap_or(whole(1)),
            entries: read_entries(json, "quantity_entries", decimal),
        },
        is_enabled: Values {
            own: json["is_enabled"].as_bool().unwrap_or(true),
            entries: read_entries(json, "enabled_entries", boolean),
        },
        dimensions: Values {
            own: read_texts(&json["dimension_values"]),
            entries: read_entries(json, "dimension_entries", read_texts),
        },
        expected: Values { own: exact::read(&quantity["expected"]).unwrap_or(whole(0)), entries: vec![] },
        description: json["product"]["description"].clone(),
    }
}

fn read_entries<T>(line: &Value, field: &str, read: impl Fn(&Value) -> T) -> Vec<(Day, T)> {
    let entry = |entry: &Value| (calendar::read(&entry["effective_from"]).unwrap(), read(&entry["value"]));
    list(line, field).iter().map(entry).collect()
}

pub fn read_texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

impl Line<'_> {
    pub fn on(&self, day: Day) -> State<'_> {
        State {
            quantity: *self.quantity.on(day),
            is_enabled: *self.is_enabled.on(day),
            dimensions: self.dimensions.on(day),
        }
    }

    /// From this day on the line stays as it is.
    pub fn last_change(&self) -> Day {
        let changes = [self.quantity.last_change(), self.is_enabled.last_change(), self.dimensions.last_change()];
        changes.into_iter().max().unwrap()
    }

    /// The day after its last day overall (R5.7); it lives where its phase lives, and where it is enabled (R5.3).
    pub fn end_of_life(&self, phase: &Phase) -> Day {
        if phase.end == NEVER && self.on(NEVER).is_enabled {
            return NEVER;
        }
        let end = if phase.end == NEVER { self.last_change() } else { phase.end };
        let last = (phase.start..end).rev().find(|day| self.on(*day).is_enabled);
        last.map_or(phase.start, |last| last + 1)
    }
}

//! Checkouts as they might come, each made from a number.
//!
//! Input: a seed, and a [`Scope`] that says what may occur. Output: [`Case`]: what a runner asks the engine. The same
//! seed gives the same case on every target, so that a failure is told by its seed, and so that what a browser answers
//! can be compared with what a server does. (Hence no `usize` is drawn: in a browser it is another number.)
//!
//! Most cases are priced; some are refused, for an override of another line's kind or one that changes nothing.
#![allow(dead_code, reason = "each runner takes what it needs")]

use chrono::{Datelike, Days, Months, NaiveDate};
use fastrand::Rng;
use serde_json::{Value, json};

/// What is asked, of which catalog, and when.
#[derive(Debug, Clone)]
pub struct Case {
    pub request: Value,
    pub catalog: Value,
    pub as_of: NaiveDate,
    pub now: String,
}

impl Case {
    /// The form in which a case goes over a wire: `{request, catalog, as_of, now}`.
    pub fn to_json(&self) -> Value {
        json!({"request": self.request, "catalog": self.catalog, "as_of": self.as_of.to_string(), "now": self.now})
    }
}

/// What may occur in a case. A law that holds only without some of it takes that away.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// Of `plan_based`, `plan_change` and `quantity_update`; each as likely as the others.
    pub checkouts: &'static [&'static str],
    /// Pricing models whose price of a unit depends on the quantity.
    pub tiers: bool,
    pub discounts: bool,
    pub minimum_spend: bool,
    pub maximum_spend: bool,
    /// Line commitments that count from the days lived and not from the share (R6.3).
    pub charge_full_amount: bool,
    /// What a phase works out from the sum of an invoice: fixed discounts, commitments, service fees.
    pub phase_sums: bool,
    /// Lines whose falls wait for the next billing period (R7.7).
    pub falls_wait: bool,
    /// Where not, prices are whole and of 1,000 or more, quantities whole and of 1 or more, and no unit is free: then
    /// only shares are rounded, and no share of a price is 0.
    pub small_amounts: bool,
    /// Contracts without an end, or with one years away.
    pub evergreen: bool,
}

/// All there is.
pub const EVERYTHING: Scope = Scope {
    checkouts: &["plan_based", "plan_change", "quantity_update"],
    tiers: true,
    discounts: true,
    minimum_spend: true,
    maximum_spend: true,
    charge_full_amount: true,
    phase_sums: true,
    falls_wait: true,
    small_amounts: true,
    evergreen: true,
};

/// A case in which anything may occur.
pub fn case(seed: u64) -> Case {
    EVERYTHING.case(seed)
}

impl Scope {
    /// The case of a seed.
    pub fn case(self, seed: u64) -> Case {
        Maker { rng: Rng::with_seed(seed), scope: self, lines: 0 }.case()
    }
}

struct Maker {
    rng: Rng,
    scope: Scope,
    /// How many pricings there are so far: their ids.
    lines: u32,
}

const CADENCES: [&str; 16] = [
    "P1M", "P1M", "P1M", "P1M", "P2M", "P3M", "P6M", "P1Y", "P12M", "P2Y", "P1W", "P2W", "P1D", "P10D", "P30D", "P45D",
];
const PHASES: [&str; 9] = ["P7D", "P14D", "P2W", "P45D", "P1M", "P2M", "P3M", "P6M", "P1Y"];
const PERCENTS: [&str; 9] = ["0", "1", "2.5", "7.7", "10", "19", "33.333", "50", "100"];

impl Maker {
    fn below(&mut self, number: u32) -> u32 {
        self.rng.u32(..number)
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        self.rng.i64(least..=most)
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        let index = self.below(u32::try_from(list.len()).unwrap());
        list[usize::try_from(index).unwrap()].clone()
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn maybe<T>(&mut self, percent: u32, make: impl FnOnce(&mut Maker) -> T) -> Option<T> {
        self.chance(percent).then(|| make(self))
    }

    fn some<T>(&mut self, numbers: &[u32], mut make: impl FnMut(&mut Maker) -> T) -> Vec<T> {
        (0..self.pick(numbers)).map(|_| make(self)).collect()
    }

    fn case(mut self) -> Case {
        let kind = self.pick(self.scope.checkouts);
        let currency = self.pick(&["USD", "EUR", "EUR", "JPY", "KWD"]);
        let as_of = self.day();
        let plans = [self.plan("starter", currency), self.plan("team", currency)];
        let mut catalog = json!({
            "version": "7",
            "business_entities": [{"id": "entity", "rounding": self.pick(&["half_up", "half_up", "half_even"]),
                "taxes": self.maybe(50, Maker::taxes)}],
            "customers": [{"id": "customer", "business_entity_id": "entity", "taxes": self.maybe(20, Maker::taxes),
                "tax_exempt": self.chance(10), "credit_balance": self.maybe(40, Maker::amount)}],
            "plans": plans,
        });
        let request = if kind == "plan_based" {
            self.new_subscription(&plans[1], as_of)
        } else {
            let contract = self.contract(&plans[0], as_of);
            let request = self.amendment(kind, &contract, &plans[1], as_of);
            catalog["contracts"] = json!([contract]);
            request
        };
        Case { request, catalog, as_of, now: format!("{as_of}T12:00:00Z") }
    }

    // ---- Requests ----------------------------------------------------------------------------------------------

    fn new_subscription(&mut self, plan: &Value, as_of: NaiveDate) -> Value {
        let start = self.effective(as_of);
        let end = if self.scope.evergreen { self.maybe(30, Maker::length) } else { Some(self.length()) };
        let overrides = self.overrides(&pricings(plan, "pricings"), "pricing_id", start, None);
        let mut request = json!({"plan_id": plan["id"], "end_date": end.map(|days| after(start, days).to_string()),
            "product_overrides": overrides});
        if start != as_of {
            request["start_date"] = json!(start.to_string());
        }
        let buyer = if self.chance(15) { "business_entity_id" } else { "customer_id" };
        request[buyer] = json!(if buyer == "customer_id" { "customer" } else { "entity" });
        request
    }

    fn amendment(&mut self, kind: &str, contract: &Value, plan: &Value, as_of: NaiveDate) -> Value {
        let first = date(&contract["start_date"]).unwrap();
        let last = date(&contract["end_date"]);
        let start = self.effective(as_of).max(first).min(last.unwrap_or(NaiveDate::MAX));
        let mut request = json!({"contract_id": "contract"});
        if start != as_of || self.chance(20) {
            request["start_date"] = json!(start.to_string());
        }
        if kind == "plan_change" {
            request["plan_id"] = plan["id"].clone();
            request["product_overrides"] =
                json!(self.overrides(&pricings(plan, "pricings"), "pricing_id", start, last));
            return request;
        }
        // Mostly of lines that still live.
        let mut lines = pricings(contract, "lines");
        let lives = |line: &Value| line["last_day"].is_null() || date(&line["last_day"]).unwrap() >= start;
        if lines.iter().any(lives) && self.chance(95) {
            lines.retain(lives);
        }
        let id = self.pick(&["line_item_id", "line_item_id", "pricing_id"]);
        let mut overrides = self.overrides(&lines, id, start, last);
        if overrides.is_empty() {
            overrides.push(self.change(&lines, id, start, last));
        }
        request["product_overrides"] = json!(overrides);
        request
    }

    fn effective(&mut self, as_of: NaiveDate) -> NaiveDate {
        let days = match self.below(10) {
            0..=4 => 0,
            5 => self.pick(&[-1, 1, -30, 30, -31, 31, -60, 60, -365, 365]),
            6..=7 => self.between(-150, -1),
            _ => self.between(1, 100),
        };
        after(as_of, days)
    }

    fn overrides(
        &mut self,
        lines: &[Value],
        id: &'static str,
        start: NaiveDate,
        last: Option<NaiveDate>,
    ) -> Vec<Value> {
        if lines.is_empty() {
            return Vec::new();
        }
        let mut overrides = self.some(&[0, 1, 1, 1, 2, 2, 3], |maker| maker.change(lines, id, start, last));
        let place = |change: &Value| {
            let day = change["effective_from"].as_str().map_or(start.to_string(), str::to_owned);
            (change[id].to_string(), day)
        };
        overrides.sort_by_key(place);
        overrides.dedup_by_key(|change| place(change));
        overrides
    }

    /// An override of one of the lines.
    fn change(&mut self, lines: &[Value], id: &str, start: NaiveDate, last: Option<NaiveDate>) -> Value {
        let line = self.pick(lines);
        let by = if id == "line_item_id" { "line_item_id" } else { "id" };
        let mut change = json!({id: line[by]});
        let dimensions = self.dimension_values(&line["pricing_data"]);
        let has_quantity = line["pricing_data"]["pricing_type"] != "flat_fee" && !line["billing_period"].is_null();
        match self.below(10) {
            0..=6 if has_quantity => change["quantity"] = json!(self.quantity()),
            7 if !dimensions.is_null() => change["dimension_values"] = dimensions,
            8 if has_quantity => {
                change["quantity"] = json!(self.quantity());
                change["is_enabled"] = json!(self.chance(60));
            }
            _ => change["is_enabled"] = json!(self.chance(20)),
        }
        if self.chance(5) {
            change["description"] = json!("As agreed");
        }
        if self.chance(30) {
            let days = self.pick(&[0, 1, 5, 14, 28, 30, 31, 60, 90, 180]) + self.between(0, 3);
            let day = after(start, days).min(last.unwrap_or(NaiveDate::MAX));
            change["effective_from"] = json!(day.to_string());
        }
        change
    }

    // ---- Plans -------------------------------------------------------------------------------------------------

    fn plan(&mut self, id: &str, currency: &str) -> Value {
        let mut phases = self.some(&[1, 1, 1, 2, 2, 3], |maker| {
            let mut phase = maker.phase("pricings", &[0, 1, 1, 2, 2, 2, 3, 3, 4]);
            phase["duration"] = json!(maker.pick(&PHASES));
            phase
        });
        if self.chance(85) {
            phases.last_mut().unwrap()["duration"] = Value::Null;
        }
        let anchor = match self.below(8) {
            0..=3 => json!("start_date"),
            4 => json!({"day_of_month": self.between(1, 28)}),
            5 => json!({"day_of_month": self.between(29, 31)}),
            6 => json!({"month_of_year": self.between(1, 12), "day_of_month": self.between(1, 31)}),
            _ => json!({"day_of_week": self.pick(&["monday", "thursday", "sunday"])}),
        };
        let duration =
            if self.scope.evergreen { self.maybe(40, |maker| maker.pick(&["P1Y", "P6M", "P90D"])) } else { None };
        json!({"id": id, "name": id, "currency": currency, "duration": duration, "billing_anchor": anchor, "phases": phases})
    }

    /// A phase without its days; its lines are called so in a plan and otherwise in a contract.
    fn phase(&mut self, lines: &'static str, numbers: &[u32]) -> Value {
        let trial = self.chance(15);
        let sums = self.scope.phase_sums;
        json!({
            "name": format!("Phase {}", self.lines), "phase_type": if trial { "trial" } else { "active" },
            lines: self.some(numbers, Maker::pricing),
            "discounts": self.maybe(25, |maker| maker.discounts(sums, false)),
            "commitments": if sums { self.maybe(20, |maker| maker.commitments(false)) } else { None },
            "service_fees": if sums { self.maybe(20, Maker::fees) } else { None },
            "taxes": self.maybe(20, Maker::taxes),
        })
    }

    fn pricing(&mut self) -> Value {
        let pricing_data = self.pricing_data();
        let offset = self.pick(&["prepaid", "prepaid", "prepaid", "postpaid"]);
        let cadence = self.pick(&CADENCES);
        let may_fall = !self.scope.falls_wait || self.chance(75);
        let fixed = json!({"type": "fixed", "value": self.quantity(), "allow_mid_cycle_cancellation": may_fall});
        let (billing_period, quantity) = match self.below(10) {
            0 => (Value::Null, fixed),
            1 => (
                json!({"cadence": cadence, "offset": "postpaid"}),
                json!({"type": "metered", "expected": self.quantity()}),
            ),
            _ => (json!({"cadence": cadence, "offset": offset}), fixed),
        };
        self.lines += 1;
        json!({
            "id": format!("pricing_{}", self.lines), "product": {"id": format!("product_{}", self.lines)},
            "is_enabled": self.chance(92), "billing_period": billing_period, "quantity": quantity,
            "dimension_values": self.dimension_values(&pricing_data), "pricing_data": pricing_data,
            "proration_type": self.pick(&["day_based", "day_based", "day_based", "day_based", "none"]),
            "free_units": if self.scope.small_amounts { self.pick(&["0", "0", "0", "0", "3", "2.5"]) } else { "0" },
            "discounts": self.maybe(25, |maker| maker.discounts(true, true)),
            "commitments": self.maybe(20, |maker| maker.commitments(true)),
            "taxes": self.maybe(15, Maker::taxes),
        })
    }

    fn pricing_data(&mut self) -> Value {
        let models: &[&str] = if self.scope.tiers {
            &[
                "flat_fee",
                "per_unit",
                "per_unit",
                "per_unit",
                "percent",
                "package",
                "tiered",
                "volume",
                "step",
                "matrix",
                "matrix_with_tiers",
                "two_dimensional_tiered",
            ]
        } else {
            &["flat_fee", "per_unit", "per_unit", "per_unit", "percent", "package", "matrix"]
        };
        let model = self.pick(models);
        match model {
            "percent" => json!({"pricing_type": model, "percent": self.rate()}),
            "package" => {
                json!({"pricing_type": model, "unit_amount": self.amount(), "package_size": self.pick(&["1", "2.5", "10"])})
            }
            "tiered" | "volume" | "step" => {
                json!({"pricing_type": model, "tiers": self.tiers(model)})
            }
            "matrix" | "matrix_with_tiers" => {
                let regions = ["eu", "us"].map(|region| {
                    let price = if model == "matrix" {
                        json!({"unit_amount": self.amount()})
                    } else {
                        json!({"tiers": self.tiers("unit")})
                    };
                    with(price, "values", json!([region]))
                });
                json!({"pricing_type": "matrix", "dimensions": ["region"], "prices": regions})
            }
            "two_dimensional_tiered" => {
                let (tiers, bands) = (self.tiers("bound"), self.tiers("bound"));
                let row = |maker: &mut Maker| bands.iter().map(|_| maker.amount()).collect::<Vec<_>>();
                let unit_amounts: Vec<_> = tiers.iter().map(|_| row(self)).collect();
                json!({"pricing_type": model, "tiers": tiers, "bands": bands, "unit_amounts": unit_amounts})
            }
            _ => json!({"pricing_type": model, "unit_amount": self.amount()}),
        }
    }

    fn tiers(&mut self, model: &str) -> Vec<Value> {
        let mut bounds = self.some(&[0, 1, 1, 2, 3], |maker| maker.between(1, 60));
        bounds.sort_unstable();
        bounds.dedup();
        let mut bounds: Vec<Value> = bounds.into_iter().map(|bound| json!(bound.to_string())).collect();
        bounds.push(Value::Null);
        let tier = |up_to| match model {
            "bound" => json!({"up_to": up_to}),
            "unit" => json!({"up_to": up_to, "unit_amount": self.amount()}),
            "step" => json!({"up_to": up_to, "flat_amount": self.amount()}),
            _ => json!({"up_to": up_to, "unit_amount": self.amount(), "flat_amount": self.maybe(40, Maker::amount),
                "package_size": self.maybe(20, |maker| maker.pick(&["2", "10"]))}),
        };
        bounds.into_iter().map(tier).collect()
    }

    fn dimension_values(&mut self, pricing_data: &Value) -> Value {
        match pricing_data["pricing_type"].as_str() {
            Some("matrix") => json!([self.pick(&["eu", "us"])]),
            Some("two_dimensional_tiered") => json!([self.pick(&["1", "20", "99.5"])]),
            _ => Value::Null,
        }
    }

    // ---- Contracts ---------------------------------------------------------------------------------------------

    /// A contract of some time ago, which may have gone its own way since: ramps, entries, anchors.
    fn contract(&mut self, plan: &Value, as_of: NaiveDate) -> Value {
        let age = self.pick(&[0, 1, 14, 30, 31, 45, 59, 90, 180, 365, 400]) + self.between(0, 30);
        let start = after(as_of, -age);
        let length = if self.scope.evergreen { self.maybe(40, Maker::length) } else { Some(self.length()) };
        // Some are over already.
        let already = if self.chance(90) { age } else { 0 };
        let end = length.map(|days| after(start, days + already));
        let mut phases = Vec::new();
        let mut next = start;
        let number = self.pick(&[1, 1, 1, 2, 2, 3]);
        for index in 1..=number {
            let length = self.pick(&[7, 14, 30, 31, 45, 90, 180]);
            let gap = if self.chance(8) { 5 } else { 0 };
            let is_last = index == number || end.is_some_and(|end| after(next, length + gap) > end);
            let last = if is_last { end } else { Some(after(next, length - 1)) };
            let mut phase = self.phase("lines", &[1, 1, 2, 2, 3, 4]);
            phase["start_date"] = json!(next.to_string());
            phase["end_date"] = json!(last.map(|last| last.to_string()));
            if self.chance(12) {
                let (anchor_date, anchor_day) = self.anchor(next);
                phase["anchor_date"] = json!(anchor_date.to_string());
                phase["anchor_day"] = json!(anchor_day);
            }
            for line in phase["lines"].as_array_mut().unwrap() {
                self.line(line, next);
            }
            phases.push(phase);
            if is_last {
                break;
            }
            next = after(next, length + gap);
        }
        let (anchor_date, anchor_day) = self.anchor(start);
        json!({"id": "contract", "customer_id": "customer", "business_entity_id": "entity", "plan_id": plan["id"],
            "currency": plan["currency"], "start_date": start.to_string(), "end_date": end.map(|end| end.to_string()),
            "anchor_date": anchor_date.to_string(), "anchor_day": anchor_day, "version": self.between(1, 9),
            "phases": phases})
    }

    /// The phase's first day, a day near it, or a month's last day that stands for a later one.
    fn anchor(&mut self, start: NaiveDate) -> (NaiveDate, Option<u32>) {
        match self.below(10) {
            0..=5 => (start, None),
            6..=7 => (after(start, self.between(-40, 40)), None),
            _ => {
                let next_month = start.with_day(1).unwrap() + Months::new(1);
                let last = next_month.pred_opt().unwrap();
                (last, self.pick(&[29, 30, 31]).max(last.day()).into())
            }
        }
    }

    /// Makes a pricing a line that lives from a day on.
    fn line(&mut self, line: &mut Value, start: NaiveDate) {
        line["line_item_id"] = json!(format!("line_{}", line["id"].as_str().unwrap().trim_start_matches("pricing_")));
        if self.chance(35) && line["quantity"]["type"] == "fixed" {
            line["quantity_entries"] = self.entries(start, |maker| json!(maker.quantity()));
        }
        if self.chance(15) {
            line["enabled_entries"] = self.entries(start, |maker| json!(maker.chance(50)));
        }
        if self.chance(30) && !line["dimension_values"].is_null() {
            let pricing_data = line["pricing_data"].clone();
            line["dimension_entries"] = self.entries(start, |maker| maker.dimension_values(&pricing_data));
        }
    }

    fn entries(&mut self, start: NaiveDate, mut value: impl FnMut(&mut Maker) -> Value) -> Value {
        let mut days = self.some(&[1, 1, 2, 3], |maker| maker.between(-5, 400));
        days.sort_unstable();
        days.dedup();
        let entry = |days| json!({"effective_from": after(start, days).to_string(), "value": value(self)});
        days.into_iter().map(entry).collect()
    }

    // ---- Features ----------------------------------------------------------------------------------------------

    fn discounts(&mut self, with_fixed: bool, of_line: bool) -> Vec<Value> {
        if !self.scope.discounts {
            return Vec::new();
        }
        self.some(&[1, 1, 2], |maker| {
            let mut discount = if with_fixed && maker.chance(50) {
                json!({"type": "fixed", "value": maker.amount()})
            } else {
                json!({"type": "percent", "value": maker.pick(&PERCENTS)})
            };
            if of_line {
                discount["cycles"] = json!(maker.maybe(40, |maker| maker.between(1, 4)));
            }
            discount
        })
    }

    fn commitments(&mut self, of_line: bool) -> Vec<Value> {
        let scope = self.scope;
        let kinds = [("minimum_spend", scope.minimum_spend), ("maximum_spend", scope.maximum_spend)];
        let kinds: Vec<&str> = kinds.into_iter().filter(|(_, may)| *may).map(|(kind, _)| kind).collect();
        if kinds.is_empty() {
            return Vec::new();
        }
        self.some(&[1, 1, 2], |maker| {
            let is_full = of_line && scope.charge_full_amount && maker.chance(50);
            json!({"type": maker.pick(&kinds), "amount": maker.amount(), "charge_full_amount": is_full,
                "skip_zero_amount": maker.chance(30)})
        })
    }

    fn fees(&mut self) -> Vec<Value> {
        self.some(&[1, 2], |maker| {
            json!({"type": maker.pick(&["percent", "fixed"]), "value": maker.pick(&["0", "2.5", "3.333"]), "name": "Fee"})
        })
    }

    fn taxes(&mut self) -> Vec<Value> {
        let is_inclusive = self.chance(30);
        self.some(&[0, 1, 1, 2], |maker| {
            json!({"name": maker.pick(&["VAT", "City"]), "percent": maker.pick(&PERCENTS), "is_inclusive": is_inclusive,
                "is_compound": !is_inclusive && maker.chance(30)})
        })
    }

    // ---- Numbers -----------------------------------------------------------------------------------------------

    /// A day of four years, often a month's last.
    fn day(&mut self) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        match self.chance(25) {
            true => (first + Months::new(self.below(48) + 1)).pred_opt().unwrap(),
            false => after(first, self.between(0, 1460)),
        }
    }

    /// How many days a contract lasts after its first.
    fn length(&mut self) -> i64 {
        self.pick(&[0, 29, 30, 89, 180, 364, 365, 500, 700]) + self.between(0, 60)
    }

    fn amount(&mut self) -> String {
        if !self.scope.small_amounts {
            return self.between(1000, 20_000).to_string();
        }
        let digits = self.pick(&[0, 1, 2, 2, 2, 3, 4]);
        let units = self.pick(&[0, 5, 100, 100, 5000]);
        decimal(self.between(0, units * 10_i64.pow(digits) + 9), digits)
    }

    fn rate(&mut self) -> String {
        if self.scope.small_amounts { self.pick(&["0", "1.5", "12.972", "250"]).into() } else { "150000".into() }
    }

    fn quantity(&mut self) -> String {
        match self.below(20) {
            0 if self.scope.small_amounts => "0".into(),
            1..=3 if self.scope.small_amounts => decimal(self.between(1, 60_000), 3),
            4 => self.between(1, 3000).to_string(),
            _ => self.between(1, 60).to_string(),
        }
    }
}

/// `12.345` of 12345 and 3 digits.
fn decimal(units: i64, digits: u32) -> String {
    if digits == 0 {
        return units.to_string();
    }
    let whole = 10_i64.pow(digits);
    format!("{}.{:0width$}", units / whole, units % whole, width = usize::try_from(digits).unwrap())
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

/// The day so many days later.
pub fn after(day: NaiveDate, days: i64) -> NaiveDate {
    let span = Days::new(days.unsigned_abs());
    if days < 0 { day - span } else { day + span }
}

/// The date in a field, if there is one.
pub fn date(value: &Value) -> Option<NaiveDate> {
    value.as_str().map(|text| text.parse().unwrap())
}

/// The lines of all phases, each with the last day of its phase.
fn pricings(phases: &Value, lines: &str) -> Vec<Value> {
    let of = |phase: &Value| {
        let last = phase["end_date"].clone();
        phase[lines].as_array().unwrap().clone().into_iter().map(move |line| with(line, "last_day", last.clone()))
    };
    phases["phases"].as_array().unwrap().iter().flat_map(of).collect()
}

//! From what the engine has found out to the text that `pkg/src/build.js` makes objects of.
//!
//! The text is JSON, but only of what JavaScript does not have yet: what the catalog and the request say stays there, and a
//! line is named by its number in the catalog. Objects are lists, in the order in which `build.js` takes them apart. What is
//! usual is `0`, and left out at the end of a list.

use crate::billing_schedule::BillingSchedule;
use crate::contract::{Contract, Line, Phase, Timeline, last_day};
use crate::date;
use crate::detect::CheckoutType;
use crate::invoice::{Invoice, LineItem, Period};
use crate::money::{Money, Printed, Quantity};
use crate::preview::Preview;
use crate::price::TierRow;
use crate::problem::Problems;
use chrono::{DateTime, NaiveDate, Utc};

pub(super) fn preview(preview: &Preview) -> String {
    let mut out = Writer::default();
    let (checkout, contract) = (&preview.checkout, &preview.contract);
    out.open();
    head(&mut out, checkout.checkout_type(), contract.plan_id, contract.id, contract.currency.code);
    out.date(preview.as_of).text_or_usual(contract.customer_id);
    out.text_or_usual(checkout.business_entity.map(|entity| entity.id.as_str())).flag(checkout.is_guest);
    out.date(checkout.effective).date_or_usual(last_day(contract.days)).text(&date::write_instant(checkout.expires_at));
    invoice(&mut out, &preview.current_invoice);
    match &preview.next_invoice {
        Some(next) => invoice(&mut out, next),
        None => {
            out.usual();
        }
    }
    write_contract(&mut out, contract);
    out.close();
    out.done()
}

pub(super) fn schedule(schedule: &BillingSchedule) -> String {
    let mut out = Writer::default();
    out.open();
    head(&mut out, schedule.checkout_type, schedule.plan_id, schedule.contract_id, schedule.currency);
    out.date(schedule.as_of).date(schedule.start_date);
    for invoices in [Some(&schedule.invoices), schedule.without_change.as_ref()] {
        let Some(invoices) = invoices else { continue };
        out.open();
        for each in invoices {
            invoice(&mut out, each);
        }
        out.close();
    }
    out.close();
    out.done()
}

fn head(
    out: &mut Writer,
    checkout_type: CheckoutType,
    plan_id: Option<&str>,
    contract_id: Option<&str>,
    currency: &str,
) {
    out.number(checkout_type.number().into()).text_or_usual(plan_id).text_or_usual(contract_id).text(currency);
}

fn write_contract(out: &mut Writer, contract: &Contract) {
    out.open();
    out.text_or_usual(contract.business_entity_id).date(contract.days.start).date(contract.anchor.date);
    out.count_or_usual(contract.anchor.day).number(contract.version.into());
    out.open();
    for phase in &contract.phases {
        write_phase(out, phase);
    }
    out.close();
    out.close();
}

fn write_phase(out: &mut Writer, phase: &Phase) {
    out.open();
    out.number(phase.features.number.into()).date(phase.days.start).date_or_usual(phase.last_day);
    out.flag(phase.features.is_trial).date_or_usual(phase.anchor_date).count_or_usual(phase.anchor_day);
    out.open();
    for line in &phase.lines {
        write_line(out, line);
    }
    out.close();
    out.close();
}

fn write_line(out: &mut Writer, line: &Line) {
    out.open();
    out.number(line.pricing.number.into()).flag(line.enabled.first);
    match line.is_metered() {
        true => out.usual(),
        false => out.quantity(line.quantity.first),
    };
    let dimensions = &line.dimensions.first.values;
    if line.pricing.dimension_values == *dimensions {
        out.usual();
    } else {
        texts(out, dimensions);
    }
    out.text_or_usual(line.description);
    entries(out, &line.quantity, |out, quantity| {
        out.quantity(*quantity);
    });
    entries(out, &line.enabled, |out, is_enabled| {
        out.flag(*is_enabled);
    });
    entries(out, &line.dimensions, |out, dimensions| texts(out, &dimensions.values));
    out.close();
}

fn texts(out: &mut Writer, texts: &[&str]) {
    out.open();
    for text in texts {
        out.text(text);
    }
    out.close();
}

fn entries<T>(out: &mut Writer, timeline: &Timeline<T>, write: impl Fn(&mut Writer, &T)) {
    if timeline.entries.is_empty() {
        out.usual();
        return;
    }
    out.open();
    for (day, value) in &timeline.entries {
        out.open();
        out.date(*day);
        write(out, value);
        out.close();
    }
    out.close();
}

fn invoice(out: &mut Writer, invoice: &Invoice) {
    out.open();
    out.date(invoice.invoice_date).money(invoice.subtotal.zero()).money(invoice.subtotal);
    out.money(invoice.total).money(invoice.amount_due).money_or_usual(invoice.tax_total);
    out.open();
    let mut last_period = None;
    for item in &invoice.line_items {
        let period = item.period.filter(|_| item.period != last_period);
        line_item(out, item, period);
        last_period = item.period;
    }
    out.close();
    out.open();
    for tax in &invoice.taxes {
        out.text_or_usual(tax.name).plain(tax.percent.printed().as_str()).money(tax.amount);
    }
    out.close();
    out.money_or_usual(invoice.discount_total).money_or_usual(invoice.credit_applied);
    out.money_or_usual(invoice.credit_carried_forward);
    out.close();
}

/// `period`: where it is another than that of the item before it.
fn line_item(out: &mut Writer, item: &LineItem, period: Option<Period>) {
    out.open();
    let estimate = if item.is_estimate { 4 } else { 0 };
    out.number((item.kind.number() | estimate).into()).number(item.number.into()).money(item.subtotal);
    match item.quantity {
        Some(quantity) => out.quantity(quantity),
        // Of a fee or a commitment.
        None => out.text_or_usual(item.name),
    };
    out.date_or_usual(period.map(|period| period.start_date)).date_or_usual(period.map(|period| period.end_date));
    let (days, period_days) = item.proration.map_or((0, 0), |proration| (proration.days, proration.period_days));
    out.number(days).number(period_days).money_or_usual(item.tax_amount);
    if item.taxes.is_empty() {
        out.usual();
    } else {
        out.open();
        for tax in &item.taxes {
            out.text_or_usual(tax.name).money(tax.amount);
        }
        out.close();
    }
    match item.net_amount == item.subtotal {
        true => out.usual(),
        false => out.money(item.net_amount),
    };
    out.money_or_usual(item.discount_amount).money_or_usual(item.commitment_amount);
    out.money_or_usual(item.phase_discount_amount);
    match item.free_units {
        Some(free_units) if free_units != Quantity::ZERO => out.quantity(free_units),
        Some(_) | None => out.usual(),
    };
    match &item.tiers {
        Some(rows) => {
            out.open();
            for row in rows {
                tier(out, row);
            }
            out.close();
        }
        None => {
            out.usual();
        }
    }
    out.text_or_usual(item.own_description);
    out.close();
}

fn tier(out: &mut Writer, row: &TierRow) {
    out.quantity(row.from);
    match row.to {
        Some(to) => out.quantity(to),
        None => out.usual(),
    };
    out.quantity(row.quantity).plain(row.unit_amount.printed().as_str()).plain(row.flat_amount.printed().as_str());
    out.plain(row.amount.printed().as_str());
}

/// A bare number.
pub(super) fn number(number: usize) -> String {
    Printed::of(i128::try_from(number).unwrap_or_default(), 0, 0).as_str().to_owned()
}

/// What day it is at an instant in a time zone, behind a mark that no list begins with.
pub(super) fn question(now: DateTime<Utc>, zone: &str) -> String {
    let mut out = Writer { text: "?".into(), ..Writer::default() };
    out.open();
    out.plain(&date::write_instant(now)).text(zone);
    out.close();
    out.done()
}

/// What was thrown, behind a mark that no list begins with.
pub(super) fn problems(problems: &Problems) -> String {
    let mut out = Writer { text: "!".into(), ..Writer::default() };
    out.open();
    for problem in problems.as_slice() {
        out.text(problem.code.as_str()).text(&problem.path).text(&problem.message).text(&problem.help);
    }
    out.close();
    out.done()
}

/// JSON text as it grows: lists of texts, numbers and lists.
#[derive(Default)]
struct Writer {
    text: String,
    /// Whether something stands in this list already.
    is_begun: bool,
    /// How many items that are `0` came last and are not written yet.
    usual: usize,
}

impl Writer {
    fn done(self) -> String {
        self.text
    }

    fn open(&mut self) {
        self.begin();
        self.text.push('[');
        self.is_begun = false;
    }

    fn close(&mut self) {
        self.usual = 0;
        self.text.push(']');
        self.is_begun = true;
    }

    /// Separates an item from those before it.
    fn begin(&mut self) {
        for _ in 0..std::mem::take(&mut self.usual) {
            self.separate();
            self.text.push('0');
        }
        self.separate();
    }

    fn separate(&mut self) {
        if self.is_begun {
            self.text.push(',');
        }
        self.is_begun = true;
    }

    fn usual(&mut self) -> &mut Writer {
        self.usual = self.usual.saturating_add(1);
        self
    }

    /// A text without anything in it that JSON escapes.
    fn plain(&mut self, text: &str) -> &mut Writer {
        self.begin();
        self.text.push('"');
        self.text.push_str(text);
        self.text.push('"');
        self
    }

    fn text(&mut self, text: &str) -> &mut Writer {
        if !text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
            return self.plain(text);
        }
        self.begin();
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' => self.text.extend(['\\', character]),
                '\0'..' ' => {
                    self.text.push_str("\\u00");
                    let code = u32::from(character);
                    self.text.extend([code >> 4, code & 15].iter().filter_map(|digit| char::from_digit(*digit, 16)));
                }
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
        self
    }

    fn text_or_usual(&mut self, text: Option<&str>) -> &mut Writer {
        match text {
            Some(text) => self.text(text),
            None => self.usual(),
        }
    }

    fn number(&mut self, number: i64) -> &mut Writer {
        if number == 0 {
            return self.usual();
        }
        self.begin();
        self.text.push_str(Printed::of(number.into(), 0, 0).as_str());
        self
    }

    fn count_or_usual(&mut self, count: Option<u32>) -> &mut Writer {
        self.number(count.unwrap_or(0).into())
    }

    fn flag(&mut self, is_so: bool) -> &mut Writer {
        self.number(is_so.into())
    }

    fn date(&mut self, date: NaiveDate) -> &mut Writer {
        self.plain(&date::write_date(date))
    }

    fn date_or_usual(&mut self, date: Option<NaiveDate>) -> &mut Writer {
        match date {
            Some(date) => self.date(date),
            None => self.usual(),
        }
    }

    fn quantity(&mut self, quantity: Quantity) -> &mut Writer {
        self.plain(quantity.printed().as_str())
    }

    fn money(&mut self, money: Money) -> &mut Writer {
        self.plain(money.printed().as_str())
    }

    fn money_or_usual(&mut self, money: Money) -> &mut Writer {
        if money.is_zero() { self.usual() } else { self.money(money) }
    }
}

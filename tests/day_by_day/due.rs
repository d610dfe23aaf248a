//! R7.2 to R7.5: what is to be invoiced, and when. The contracts before and after in, what is due out.

use super::calendar::{Day, NEVER};
use super::charge::{Charge, charges, length};
use super::contract::{Contract, Line, Phase};
use super::exact::{Exact, Money, fraction};
use super::invoice::phase_features;

/// A step from a contract before, if there is one, to a contract after.
pub struct Step<'c> {
    pub before: Option<&'c Contract<'c>>,
    after: &'c Contract<'c>,
    is_plan_change: bool,
    /// Today.
    as_of: Day,
    /// E
    effective: Day,
    pub money: Money,
    /// The charges of *before* until C.
    charges_before: Vec<Charge<'c>>,
}

/// Days of a billed charge that are taken back (R7.3b).
#[derive(Debug, Clone)]
pub struct Credit<'c> {
    pub charge: Charge<'c>,
    pub net: Exact,
}

/// What is due until a day, or on one.
#[derive(Debug, Default)]
pub struct Due<'c> {
    pub credits: Vec<Credit<'c>>,
    pub charges: Vec<Charge<'c>>,
}

/// R7.2: the first day from `start` on, on which a line differs from what it was, or has ended.
pub fn first_difference(start: Day, was: (&Phase, &Line), is: Option<(&Phase, &Line)>) -> Option<Day> {
    let start = start.max(was.0.start);
    let Some(is) = is else { return (start < was.0.end).then_some(start) };
    // From there on nothing changes any more.
    let last_change = was.1.last_change().max(is.1.last_change());
    let last_day = if is.0.end == NEVER { last_change.max(start) } else { is.0.end };
    (start..was.0.end.min(last_day + 1)).find(|day| *day >= is.0.end || was.1.on(*day) != is.1.on(*day))
}

fn lines<'c>(contract: &'c Contract<'c>) -> impl Iterator<Item = (&'c Phase<'c>, &'c Line<'c>)> {
    contract.phases.iter().flat_map(|phase| phase.lines.iter().map(move |line| (phase, line)))
}

impl<'c> Step<'c> {
    pub fn new(
        before: Option<&'c Contract<'c>>,
        after: &'c Contract<'c>,
        is_plan_change: bool,
        (as_of, effective): (Day, Day),
        money: Money,
    ) -> Step<'c> {
        let until = as_of.max(effective);
        let of_line = |(phase, line)| charges(phase, line, None, until, money);
        let charges_before = before.into_iter().flat_map(lines).flat_map(of_line).collect();
        Step { before, after, is_plan_change, as_of, effective, money, charges_before }
    }

    /// C
    pub fn current_day(&self) -> Day {
        self.as_of.max(self.effective)
    }

    fn lines_before(&self) -> impl Iterator<Item = (&'c Phase<'c>, &'c Line<'c>)> + use<'c> {
        self.before.into_iter().flat_map(lines)
    }

    /// The line of *before* that a line of *after* was.
    fn was(&self, phase: &Phase, line: &Line) -> Option<(&'c Phase<'c>, &'c Line<'c>)> {
        let is_same = |was: &(&Phase, &Line)| was.0.place == phase.place && was.1.place == line.place;
        self.lines_before().filter(|_| !phase.is_new).find(is_same)
    }

    /// D: when a line of *before* changes (R7.2).
    fn changes_on(&self, was: (&Phase, &Line)) -> Option<Day> {
        let is_same = |is: &(&Phase, &Line)| !is.0.is_new && is.0.place == was.0.place && is.1.place == was.1.place;
        first_difference(self.effective, was, lines(self.after).find(is_same))
    }

    pub fn changes_nothing(&self) -> bool {
        self.lines_before().all(|line| self.changes_on(line).is_none())
    }

    /// The charges of a line of *before* that are billed (R7.2).
    fn billed(&self, (phase, line): (&Phase, &Line)) -> impl Iterator<Item = &Charge<'c>> {
        let of_line = self.charges_before.iter().filter(move |charge| is_of(charge, phase, line));
        of_line.filter(|charge| charge.segment.due <= self.as_of || charge.segment.due < self.effective)
    }

    /// R7.3: all that is due until a day.
    pub fn due(&self, until: Day) -> Due<'c> {
        let mut credits = self.credits();
        credits.retain(|credit| credit.charge.segment.due <= until);
        Due { credits, charges: self.charges(until) }
    }

    /// R7.3a
    fn charges(&self, until: Day) -> Vec<Charge<'c>> {
        let of_line = |(phase, line): (&'c Phase<'c>, &'c Line<'c>)| {
            let was = self.was(phase, line);
            let changes_on = was.and_then(|was| self.changes_on(was));
            let billed: Vec<&Charge> = was.into_iter().flat_map(|was| self.billed(was)).collect();
            let mut charges = charges(phase, line, changes_on, until, self.money);
            charges.retain(|charge| !billed.iter().any(|billed| covers(billed, charge, changes_on)));
            charges
        };
        lines(self.after).flat_map(of_line).collect()
    }

    /// R7.3b
    fn credits(&self) -> Vec<Credit<'c>> {
        self.lines_before().flat_map(|line| self.credits_of(line)).collect()
    }

    fn credits_of(&self, was: (&'c Phase<'c>, &'c Line<'c>)) -> Vec<Credit<'c>> {
        let line = was.1;
        let has_none = line.cadence.is_none() || !line.is_prorated || self.is_plan_change && !line.may_fall_at_once;
        let Some(changes_on) = self.changes_on(was).filter(|_| !has_none) else { return vec![] };
        let reaches_past = |charge: &Charge| charge.segment.days.end > changes_on;
        self.billed(was).filter(|charge| reaches_past(charge)).map(|charge| self.credit(charge, changes_on)).collect()
    }

    /// −round(paid × days from D on / segment days), due on D.
    fn credit(&self, charge: &Charge<'c>, changes_on: Day) -> Credit<'c> {
        let days = changes_on.max(charge.segment.days.start)..charge.segment.days.end;
        let share = fraction(length(&days), length(&charge.segment.days));
        let net = -self.money.round(self.paid(charge) * share);
        let mut charge = charge.clone();
        charge.segment.days = days;
        charge.segment.due = changes_on;
        Credit { charge, net }
    }

    /// The net amount of a charge less its part of what its phase took off the invoice it was in.
    fn paid(&self, charge: &Charge<'c>) -> Exact {
        let phase = charge.phase;
        let is_beside = |other: &&Charge| other.phase.place == phase.place && other.segment.due == charge.segment.due;
        let invoice: Vec<Charge> = self.charges_before.iter().filter(is_beside).cloned().collect();
        let features = phase_features(phase, &invoice, false, self.money);
        let is_same =
            |other: &Charge| other.line.place == charge.line.place && other.segment.days == charge.segment.days;
        let at = invoice.iter().position(is_same).unwrap();
        charge.net - features.discounts[at] - features.maximum_spend[at]
    }
}

fn is_of(charge: &Charge, phase: &Phase, line: &Line) -> bool {
    charge.phase.place == phase.place && charge.line.place == line.place
}

/// Whether a billed charge covers a charge of *after* already (R7.3a).
fn covers(billed: &Charge, charge: &Charge, changes_on: Option<Day>) -> bool {
    if charge.line.cadence.is_none() {
        return true;
    }
    if !charge.line.is_prorated {
        return billed.segment.period == charge.segment.period;
    }
    let is_before_change = changes_on.is_none_or(|changes_on| charge.segment.days.end <= changes_on);
    is_before_change
        && billed.segment.days.start <= charge.segment.days.start
        && charge.segment.days.end <= billed.segment.days.end
}

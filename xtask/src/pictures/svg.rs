//! Draws a story: a time axis, the contract before and after, and what is invoiced for which days.
//!
//! Input: [`Story`]. Output: SVG text. Coordinates are whole numbers, so that every machine writes the same bytes.

use super::figures::{heading, label};
use super::story::{Amount, Days, Segment, Story, days_of, line_of, list, text};
use anyhow::{Result, bail};
use chrono::{Datelike, Duration, NaiveDate};
use serde_json::Value;
use std::fmt::Write;

/// Narrow, so that text is still large enough where a phone shows the picture at 350 pixels.
const WIDTH: i64 = 480;
/// Between these lie the days of the picture; what goes on before or after runs to its edge.
const LEFT: i64 = 14;
const RIGHT: i64 = 466;
/// What a browser shows it at where there is room.
const SHOWN_AT: i64 = 640;

/// Both themes, each on its own ground: an image does not see the page it stands on.
const STYLE: &str = "\
text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,Ubuntu,sans-serif;fill:#1f2328}\
.ground{fill:#fff}.halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}\
.head{font-weight:600}.soft{fill:#59636e}\
.grid{stroke:#d1d9e0}.axis{stroke:#59636e}\
.today{stroke:#59636e;stroke-dasharray:2 3}.change{stroke:#8250df;stroke-width:1.5}\
.now{fill:#59636e}.turn{fill:#8250df;font-weight:600}\
.done{fill:#dde3e9;stroke:#818b98}.later{fill:#fff;stroke:#818b98;stroke-dasharray:4 3}\
.charge{fill:#0969da;stroke:#fff}.on{fill:#fff}\
.credit{fill:url(#credit);stroke:#bc4c00}.hatch{stroke:#bc4c00;stroke-width:2;stroke-opacity:.45}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.halo{stroke:#0d1117}.soft{fill:#9198a1}\
.grid{stroke:#30363d}.axis{stroke:#9198a1}.today{stroke:#9198a1}.change{stroke:#ab7df8}.now{fill:#9198a1}\
.turn{fill:#ab7df8}.done{fill:#30363d;stroke:#767e89}.later{fill:#0d1117;stroke:#767e89}\
.charge{fill:#1f6feb;stroke:#0d1117}.on{fill:#fff}.credit{stroke:#f0883e}.hatch{stroke:#f0883e}}";

/// Draws the picture of a story.
pub(super) fn draw(story: &Story) -> Result<String> {
    let mut picture = Picture { window: story.window, body: String::new(), y: 0 };
    picture.top(story)?;
    let lines_from = picture.y;
    let billed = story.billed_until();
    if let Some(before) = &story.before {
        picture.lanes("before", before, |segment| match &segment.charge {
            Some(charge) if charge.due <= billed => "done",
            _ => "later",
        })?;
    }
    let on_current = |segment: &Segment| {
        segment.charge.as_ref().is_some_and(|charge| {
            list(&story.current["line_items"]).iter().any(|item| {
                text(item, "kind") == "charge"
                    && line_of(item) == charge.line
                    && item["period"] == charge.item["period"]
            })
        })
    };
    let after = if story.before.is_some() { "after" } else { "contract" };
    picture.lanes(after, &story.after, |segment| match &segment.charge {
        Some(_) if on_current(segment) => "charge",
        Some(charge) if charge.due <= billed => "done",
        _ => "later",
    })?;
    picture.invoice("current invoice", &story.current)?;
    picture.invoice("next invoice", &story.next)?;
    let lines_to = picture.y;
    picture.legend();

    let height = picture.y + 6;
    let verticals = picture.verticals(story, lines_from, lines_to);
    let (title, description) = (escaped(&story.title), escaped(&story.describe()?));
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{SHOWN_AT}\" \
         height=\"{}\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{title}</title>\n<desc id=\"description\">{description}</desc>\n\
         <style>{STYLE}</style>\n\
         <defs><pattern id=\"credit\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><line class=\"hatch\" y2=\"7\"/></pattern></defs>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n{verticals}{}</svg>\n",
        height * SHOWN_AT / WIDTH,
        picture.body,
    ))
}

struct Picture {
    window: Days,
    body: String,
    /// Where the next thing goes.
    y: i64,
}

/// Something that is invoiced for some days, with its label.
struct Bar {
    days: Days,
    amount: String,
    label: String,
    class: &'static str,
}

#[derive(Clone, Copy)]
enum Place {
    Inside,
    Right,
    Left,
}

impl Picture {
    /// Where a day begins; a day outside the picture is at its edge.
    fn x(&self, day: NaiveDate) -> i64 {
        if day < self.window.start {
            0
        } else if day > self.window.end {
            WIDTH
        } else {
            LEFT + Days { start: self.window.start, end: day }.count() * (RIGHT - LEFT) / self.window.count().max(1)
        }
    }

    fn write(&mut self, x: i64, y: i64, class: &str, anchor: &str, words: &str) {
        let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\" class=\"{class}\"{anchor}>{}</text>", escaped(words));
    }

    fn rect(&mut self, from: i64, to: i64, y: i64, height: i64, class: &str) {
        let width = (to - from).max(2);
        let _ = writeln!(
            self.body,
            "<rect x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"3\" class=\"{class}\"/>"
        );
    }

    /// What the days are called: today and the change, and below them the ends of billing periods.
    fn top(&mut self, story: &Story) -> Result<()> {
        self.y = 6;
        let mut last = i64::MIN;
        let mut row = self.y + 11;
        for (day, words, class) in marks(story) {
            if !(self.window.start <= day && day <= self.window.end) {
                bail!("{words} lies outside the days of the picture");
            }
            let half = width(&words) / 2;
            let middle = self.x(day).clamp(half + 4, WIDTH - half - 4);
            if middle - half < last.saturating_add(5) {
                row += 15;
            }
            last = middle + half;
            self.write(middle, row, class, "middle", &words);
        }
        row += 17;
        let mut last = i64::MIN;
        // A year is written where there are two.
        let is_one_year = self.window.start.year() == self.window.last().year();
        let mut year = Some(self.window.start.year()).filter(|_| is_one_year);
        for day in period_ends(story) {
            let form = if year == Some(day.year()) { "%m-%d" } else { "%Y-%m-%d" };
            let written = day.format(form).to_string();
            let half = width(&written) / 2;
            let middle = self.x(day).clamp(half + 4, WIDTH - half - 4);
            if middle - half >= last.saturating_add(6) {
                self.write(middle, row, "soft halo", "middle", &written);
                last = middle + half;
                year = Some(day.year());
            }
        }
        self.y = row + 6;
        let _ = writeln!(self.body, "<line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{0}\" y2=\"{0}\"/>", self.y);
        Ok(())
    }

    /// The lines of a contract, those that do not overlap on one lane.
    fn lanes(&mut self, which: &str, segments: &[Segment], class: impl Fn(&Segment) -> &'static str) -> Result<()> {
        let mut names: Vec<&str> = Vec::new();
        for segment in segments {
            if !names.contains(&segment.name.as_str()) {
                names.push(&segment.name);
            }
        }
        for name in names {
            self.y += 16;
            self.write(LEFT, self.y, "halo", "start", &format!("{which}: {name}"));
            self.y += 5;
            for segment in segments.iter().filter(|segment| segment.name == name) {
                let (from, to) = (self.x(segment.days.start), self.x(segment.days.end));
                let class = class(segment);
                self.rect(from, to, self.y, 36, class);
                let amount = match &segment.charge {
                    Some(charge) => charge.paid()?.to_string(),
                    None if segment.is_trial => "trial".to_owned(),
                    None => "no charge".to_owned(),
                };
                let quantity = match (segment.is_metered, segment.is_one_time) {
                    (true, _) => format!("{} expected", segment.quantity),
                    (false, true) => "once".to_owned(),
                    (false, false) => format!("{} × {name}", segment.quantity),
                };
                let ink = if class == "charge" { "on" } else { "ink" };
                // What does not fit is told by the invoices below.
                let fits = |words: &String| width(words) <= to - from - 4;
                let quantity = [quantity, segment.quantity.clone()].into_iter().find(fits).unwrap_or_default();
                let lines: Vec<String> =
                    [quantity, amount].into_iter().filter(|words| !words.is_empty() && fits(words)).collect();
                let first = if lines.len() == 1 { self.y + 22 } else { self.y + 15 };
                for (words, y) in lines.iter().zip([first, self.y + 30]) {
                    self.write((from + to) / 2, y, ink, "middle", words);
                }
            }
            self.y += 36;
        }
        Ok(())
    }

    /// An invoice: charges above its line, credits below it, each over the days it is for.
    fn invoice(&mut self, which: &str, invoice: &Value) -> Result<()> {
        self.y += 20;
        for (index, words) in heading(which, invoice)?.iter().enumerate() {
            if index > 0 {
                self.y += 15;
            }
            self.write(LEFT, self.y, if index == 0 { "head halo" } else { "halo" }, "start", words);
        }
        if invoice.is_null() {
            return Ok(());
        }
        let day = text(invoice, "invoice_date").parse()?;
        let (mut charges, mut credits) = (Vec::new(), Vec::new());
        for item in list(&invoice["line_items"]) {
            let amount = Amount::read(text(item, "net_amount"))?;
            let is_credit = amount.minor < 0;
            let bar = Bar {
                days: days_of(item, day)?,
                amount: amount.to_string(),
                label: format!("{} {amount}", label(item)),
                class: if is_credit { "credit" } else { "charge" },
            };
            if is_credit { credits.push(bar) } else { charges.push(bar) }
        }
        self.y += 5;
        self.pack(charges);
        let line = self.y + 2;
        let _ = writeln!(self.body, "<line class=\"axis\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{line}\" y2=\"{line}\"/>");
        if self.window.start <= day && day <= self.window.end {
            let x = self.x(day);
            let _ = writeln!(self.body, "<circle cx=\"{x}\" cy=\"{line}\" r=\"4\" class=\"now\"/>");
        }
        self.y += 5;
        self.pack(credits);
        Ok(())
    }

    /// Puts each bar into the first row in which it and its label have room.
    fn pack(&mut self, bars: Vec<Bar>) {
        let mut rows: Vec<Vec<(i64, i64)>> = Vec::new();
        let (top, window) = (self.y, self.window);
        for bar in bars.into_iter().filter(|bar| bar.days.overlaps(window)) {
            let (from, to) = (self.x(bar.days.start), self.x(bar.days.end).max(self.x(bar.days.start) + 2));
            let room = to - from - 6;
            let (words, place) = if width(&bar.label) <= room {
                (&bar.label, Place::Inside)
            } else if width(&bar.amount) <= room {
                (&bar.amount, Place::Inside)
            } else if to + width(&bar.label) + 6 <= WIDTH {
                (&bar.label, Place::Right)
            } else {
                (&bar.label, Place::Left)
            };
            let (first, last) = match place {
                Place::Inside => (from, to),
                Place::Right => (from, to + width(words) + 6),
                Place::Left => (from - width(words) - 6, to),
            };
            let is_free = |row: &Vec<(i64, i64)>| row.iter().all(|(start, end)| last <= *start || *end <= first);
            let index = rows.iter().position(is_free).unwrap_or_else(|| {
                rows.push(Vec::new());
                rows.len() - 1
            });
            if let Some(row) = rows.get_mut(index) {
                row.push((first, last));
            }
            let y = top + 24 * i64::try_from(index).unwrap_or_default();
            self.rect(from, to, y, 21, bar.class);
            let (x, anchor, class) = match place {
                Place::Inside if bar.class == "charge" => ((from + to) / 2, "middle", "on"),
                Place::Inside => ((from + to) / 2, "middle", "halo"),
                Place::Right => (to + 4, "start", "halo"),
                Place::Left => (from - 4, "end", "halo"),
            };
            self.write(x, y + 15, class, anchor, words);
        }
        self.y = top + 24 * i64::try_from(rows.len()).unwrap_or_default();
    }

    /// What the bars mean, of those there are.
    fn legend(&mut self) {
        self.y += 24;
        let mut x = LEFT;
        let all = [("done", "invoiced before"), ("later", "not invoiced"), ("charge", "charge"), ("credit", "credit")];
        for (class, words) in all {
            if self.body.contains(&format!("class=\"{class}\"")) {
                self.rect(x, x + 16, self.y - 10, 12, class);
                self.write(x + 21, self.y, "soft", "start", words);
                x += 21 + width(words) + 14;
            }
        }
    }

    /// The lines down from the days at the top.
    fn verticals(&self, story: &Story, from: i64, to: i64) -> String {
        let mut lines = String::new();
        let periods = period_ends(story).into_iter().map(|day| (day, "grid"));
        for (day, class) in periods.chain(marks(story).into_iter().map(|(day, _, class)| (day, line_class(class)))) {
            let x = self.x(day);
            let _ = writeln!(lines, "<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"{from}\" y2=\"{to}\"/>");
        }
        lines
    }
}

fn line_class(class: &str) -> &'static str {
    if class.starts_with("turn") { "change" } else { "today" }
}

/// The days that are named, in order: today, the day the checkout takes effect, the day the contract changes.
fn marks(story: &Story) -> Vec<(NaiveDate, String, &'static str)> {
    let turn = story.changed_from.unwrap_or(story.effective);
    let mut marks: Vec<(NaiveDate, String, &'static str)> = Vec::new();
    for (day, words) in [
        (story.as_of, "today"),
        (story.effective, "E"),
        (turn, if story.before.is_some() { "change" } else { "start" }),
    ] {
        let is_named = marks.iter().any(|(named, ..)| *named == day);
        match marks.iter_mut().find(|(named, ..)| *named == day) {
            Some((_, known, class)) if words != "E" => {
                *known = format!("{known} and {words}");
                *class = "turn halo";
            }
            _ if is_named || (words == "E" && day == turn) => {}
            _ => marks.push((day, words.to_owned(), if words == "today" { "now halo" } else { "turn halo" })),
        }
    }
    marks.sort();
    for (day, words, _) in &mut marks {
        *words = format!("{words} {}", day.format("%m-%d"));
    }
    marks
}

/// The days on which billing periods begin or end, and trials.
fn period_ends(story: &Story) -> Vec<NaiveDate> {
    let is_whole = |segment: &Segment| match segment.charge.as_ref().map(|charge| &charge.item["proration"]) {
        Some(Value::Null) => story.before.is_none(),
        Some(proration) => proration["days"] == proration["period_days"],
        None => false,
    };
    let after = story.after.iter().filter(|segment| is_whole(segment));
    let before = story.before.iter().flatten().filter(|segment| {
        is_whole(segment)
            || segment.is_trial
            || segment.charge.as_ref().is_some_and(|charge| charge.item["proration"].is_null())
    });
    let recurring = before.chain(after).filter(|segment| !segment.is_one_time);
    let mut days: Vec<NaiveDate> = recurring.flat_map(|segment| [segment.days.start, segment.days.end]).collect();
    // The whole period of a stub.
    for segment in &story.after {
        let proration = segment.charge.as_ref().map(|charge| &charge.item["proration"]);
        if let Some(length) = proration.and_then(|proration| proration["period_days"].as_i64())
            && days.contains(&segment.days.end)
        {
            days.push(segment.days.end - Duration::days(length));
        }
    }
    days.retain(|day| story.window.start <= *day && *day <= story.window.end);
    days.sort_unstable();
    days.dedup();
    days
}

/// How wide words are at most, in a wide system font.
fn width(words: &str) -> i64 {
    i64::try_from(words.chars().count()).unwrap_or_default() * 72 / 10
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    /// Where a text of a picture stands: its line, and from where to where.
    fn place(element: &str) -> Result<(i64, i64, i64)> {
        let attribute = |name: &str| {
            let (_, rest) = element.split_once(&format!(" {name}=\"")).context("no such attribute")?;
            rest.split('"').next().context("an attribute ends")
        };
        let (_, words) = element.split_once('>').context("an element opens")?;
        let (x, y): (i64, i64) = (attribute("x")?.parse()?, attribute("y")?.parse()?);
        let wide = width(words.split("</text>").next().unwrap_or_default());
        let from = match attribute("text-anchor").unwrap_or("start") {
            "middle" => x - wide / 2,
            "end" => x - wide,
            _ => x,
        };
        Ok((y, from, from + wide))
    }

    #[test]
    fn no_words_of_a_picture_overlap_or_are_cut_off() -> Result<()> {
        for name in crate::pictures::names()? {
            let case = crate::shell::root().join(format!("docs/proration/{name}.json"));
            let picture = draw(&Story::tell(&std::fs::read_to_string(case)?)?)?;
            let mut places = picture.split("<text").skip(1).map(place).collect::<Result<Vec<_>>>()?;
            assert!(places.len() > 5, "{name} says nothing");
            places.sort_unstable();
            for (y, from, to) in &places {
                assert!(0 <= *from && *to <= WIDTH, "{name}: words at {from}..{to} in line {y} are cut off");
            }
            for ((y, _, to), (next_y, from, _)) in places.iter().zip(places.iter().skip(1)) {
                assert!(y != next_y || to <= from, "{name}: words overlap at {from} in line {y}");
            }
        }
        Ok(())
    }
}

//! Previews and billing schedules without a server: one from files, or any number from lines.

use crate::clock::Moment;
use checkout_preview::{Catalog, Json, Problem, ProblemCode, Problems};
use checkout_preview::{billing_schedule, json, preview, read_count, read_date, read_instant};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use std::io::{self, BufRead, Read, Write};

/// What a preview is made from, or a billing schedule.
#[derive(Debug)]
pub struct Given {
    /// The request.
    pub request: Json,
    /// The catalog.
    pub catalog: Json,
    /// Today; null is the date of `now` in the business entity's time zone.
    pub as_of: Json,
    /// This instant; null is the system's clock.
    pub now: Json,
    /// How many invoices to list; null asks for a preview.
    pub schedule: Json,
}

/// What was asked for.
#[derive(Debug)]
pub struct Answer {
    /// `preview` or `schedule`.
    pub name: &'static str,
    /// The bytes `JSON.stringify` would write.
    pub text: String,
}

impl Given {
    /// The preview; the billing schedule where `schedule` says how many invoices.
    ///
    /// # Errors
    /// What is wrong with the catalog; else with `now` and `as_of`; else with the request and `schedule`.
    pub fn answer(self) -> Result<Answer, Problems> {
        let catalog = Catalog::load(self.catalog)?;
        let now = match self.now {
            Json::Null => Ok(Moment::system().now),
            now => read_instant(&now, "/now"),
        };
        let as_of = match self.as_of {
            Json::Null => Ok(None),
            as_of => read_date(&as_of, "/as_of").map(Some),
        };
        let (now, as_of) = Problems::together(now, as_of)?;
        let clock = Moment { now, as_of }.clock(&self.request, &catalog)?;
        Ok(match self.schedule {
            Json::Null => Answer { name: "preview", text: json::to_text(&preview(&self.request, &catalog, clock)?) },
            count => {
                let count = read_count(&count, "/schedule");
                let schedule = billing_schedule(&self.request, &catalog, clock, count)?;
                Answer { name: "schedule", text: json::to_text(&schedule) }
            }
        })
    }
}

/// Read field by field and not as one `Json`, so that the request nests as deep as it may anywhere else.
impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Given;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object {request, catalog, as_of, now, schedule}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let mut given = Given {
                    request: Json::Null,
                    catalog: Json::Null,
                    as_of: Json::Null,
                    now: Json::Null,
                    schedule: Json::Null,
                };
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "request" => given.request = map.next_value()?,
                        "catalog" => given.catalog = map.next_value()?,
                        "as_of" => given.as_of = map.next_value()?,
                        "now" => given.now = map.next_value()?,
                        "schedule" => given.schedule = map.next_value()?,
                        _ => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(given)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// The longest line that is looked at.
const LINE_LIMIT: u64 = 64 * 1024 * 1024;
/// What a line's memory may keep for the next one.
const LINE_KEPT: usize = 1024 * 1024;

/// Answers every line of `input` with one line on `output`, in order, until the input ends.
///
/// The nth answer belongs to the nth line: a line that cannot be read, an empty one too, is answered by a rejection.
/// Nothing is kept from line to line, and answers wait only while further lines are already there to be read.
///
/// # Errors
/// Reading or writing fails.
pub fn answer_lines(mut input: io::BufReader<impl Read>, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        if input.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        let whole = line.ends_with(b"\n") || !skip_line(&mut input)?;
        writeln!(output, "{}", answer(whole.then_some(&line)))?;
        if !input.buffer().contains(&b'\n') {
            output.flush()?;
        }
        line.clear();
        line.shrink_to(LINE_KEPT);
    }
}

/// Reads on to the end of a line; whether there was anything left of it.
fn skip_line(input: &mut impl BufRead) -> io::Result<bool> {
    let mut skipped = false;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end.saturating_add(1));
        skipped = skipped || length > 0;
        input.consume(length);
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

#[derive(Serialize)]
struct Rejected {
    status: &'static str,
    problems: Problems,
}

fn answer(line: Option<&Vec<u8>>) -> String {
    let given = match line {
        None => Err("the line is longer than 64 MiB".into()),
        Some(line) => serde_json::from_slice::<Given>(line).map_err(|why| format!("the line cannot be read: {why}")),
    };
    let answer = given.map_err(|message| {
        Problem {
            code: ProblemCode::InvalidType,
            path: String::new(),
            message: message.into(),
            help: "write one JSON object {request, catalog, as_of, now, schedule} a line".into(),
        }
        .into()
    });
    match answer.and_then(Given::answer) {
        Ok(Answer { name, text }) => format!(r#"{{"status":"ok","{name}":{text}}}"#),
        Err(problems) => json::to_text(&Rejected { status: "rejected", problems }),
    }
}

/// Problems for people: a line for what is wrong, a line for what to do.
pub fn readable(problems: &Problems) -> String {
    let mut text = String::new();
    for problem in problems.as_slice() {
        let path = if problem.path.is_empty() { "(whole document)" } else { &problem.path };
        text.push_str(&format!("{path}: {} ({})\n  help: {}\n", problem.message, problem.code.as_str(), problem.help));
    }
    text
}

/// The same JSON text over several lines. Only space is added: every number and string keeps its bytes.
pub fn indented(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut characters = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    while let Some(character) = characters.next() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            out.push(character);
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(character);
                if matches!(characters.peek(), Some('}' | ']')) {
                    out.extend(characters.next());
                } else {
                    depth = depth.saturating_add(1);
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(character);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                in_string = true;
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    out
}

//! Small bodies: an object whose every field is known, read with everything that is wrong with it.

use checkout_preview::{Json, Problem, ProblemCode, Problems, pointer_step, quoted, read_id};
use std::ops::RangeInclusive;

/// The fields of a body that have not been read yet, and the problems found so far.
pub(crate) struct Fields {
    fields: Vec<(String, Json)>,
    known: &'static [&'static str],
    problems: Vec<Problem>,
}

impl Fields {
    /// No body is an object without fields.
    pub(crate) fn of(body: Option<Json>, known: &'static [&'static str]) -> Result<Fields, Problems> {
        match body {
            None => Ok(Fields { fields: Vec::new(), known, problems: Vec::new() }),
            Some(Json::Object(fields)) => Ok(Fields { fields, known, problems: Vec::new() }),
            Some(other) => {
                let message = format!("expected an object, found {}", other.kind());
                let path = String::new();
                Err(Problem {
                    code: ProblemCode::InvalidType,
                    path,
                    message: message.into(),
                    help: "send an object".into(),
                }
                .into())
            }
        }
    }

    /// A field that is missing or null is not there.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.fields.iter().position(|(known, _)| known == name)?;
        Some(self.fields.remove(at).1).filter(|value| *value != Json::Null)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, value)| known == name && *value != Json::Null)
    }

    pub(crate) fn refuse(&mut self, code: ProblemCode, name: &str, message: String, help: impl Into<String>) {
        let help = help.into().into();
        self.problems.push(Problem { code, path: format!("/{name}"), message: message.into(), help });
    }

    pub(crate) fn id(&mut self, name: &str) -> Option<String> {
        match read_id(&self.take(name)?, &format!("/{name}")) {
            Ok(id) => Some(id.to_owned()),
            Err(wrong) => {
                self.problems.extend_from_slice(wrong.as_slice());
                None
            }
        }
    }

    /// A text of at most so many characters.
    pub(crate) fn text(&mut self, name: &str, most: usize) -> Option<String> {
        let value = self.take(name)?;
        match value {
            Json::String(text) if text.chars().count() <= most => return Some(text),
            Json::String(_) => self.refuse(
                ProblemCode::InvalidType,
                name,
                format!("longer than {most} characters"),
                format!("send at most {most} characters"),
            ),
            other => {
                let message = format!("expected a text, found {}", other.kind());
                self.refuse(ProblemCode::InvalidType, name, message, format!("send at most {most} characters"));
            }
        }
        None
    }

    pub(crate) fn whole_number(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.take(name)?;
        let number = match value {
            Json::Number(_) => checkout_preview::json::to_text(&value).parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            let help = format!("send {expected}, or leave it out");
            self.refuse(ProblemCode::InvalidType, name, format!("expected {expected}"), help);
        }
        number
    }

    /// # Errors
    /// Everything that is wrong, in the order of the known fields; unknown ones come last.
    pub(crate) fn finish(mut self) -> Result<(), Problems> {
        for (name, _) in std::mem::take(&mut self.fields) {
            self.problems.push(Problem {
                code: ProblemCode::UnknownField,
                path: format!("/{}", pointer_step(&name)),
                message: format!("there is no field {}", quoted(&name)).into(),
                help: "leave the field out".into(),
            });
        }
        let place = |problem: &Problem| {
            self.known.iter().position(|known| problem.path[1..] == **known).unwrap_or(self.known.len())
        };
        self.problems
            .sort_by(|one, other| (place(one), one.code, &one.path).cmp(&(place(other), other.code, &other.path)));
        Problems::new(self.problems).map_or(Ok(()), Err)
    }
}

//! Which page of a list is asked for.
//!
//! Input: the parameters of an address. Output: [`Page`], or everything that is wrong with them. Neighbour: `contracts`
//! makes the list.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use checkout_preview::{Json, Problem, ProblemCode, Problems, pointer_step, quoted, read_id};

/// How many to list, from where on, and of whom.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) after: Option<Cursor>,
    pub(crate) customer_id: Option<String>,
}

/// The last contract of the page before.
#[derive(Debug, PartialEq)]
pub(crate) enum Cursor {
    MadeHere { created_at: i64, id: String },
    Listed { id: String },
}

impl Cursor {
    /// Opaque and safe in an address, which not every id is.
    pub(crate) fn write(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(match self {
            Cursor::MadeHere { created_at, id } => format!("{created_at} {id}"),
            Cursor::Listed { id } => format!(" {id}"),
        })
    }

    fn read(text: &str) -> Option<Cursor> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (created_at, id) = text.split_once(' ')?;
        let id = read_id(&Json::String(id.into()), "").ok()?.to_owned();
        match created_at {
            "" => Some(Cursor::Listed { id }),
            created_at => Some(Cursor::MadeHere { created_at: created_at.parse().ok()?, id }),
        }
    }
}

impl Page {
    const DEFAULT: usize = 20;
    const MOST: usize = 100;

    /// Reads `limit`, `cursor` and `customer_id`, each at most once.
    pub(crate) fn read(parameters: Vec<(String, String)>) -> Result<Page, Problems> {
        let mut page = Page { limit: Page::DEFAULT, after: None, customer_id: None };
        // Where each problem stands among the others, and the problem.
        let mut problems = Vec::new();
        let mut seen = Vec::new();
        for (name, value) in parameters {
            let place = ["limit", "cursor", "customer_id"].iter().position(|known| *known == name);
            let mut refuse = |code, message, help: &'static str| {
                let path = format!("/{}", pointer_step(&name));
                problems.push((place.is_none(), place, Problem { code, path, message, help: help.into() }));
            };
            if seen.contains(&name) {
                if place.is_some() {
                    refuse(ProblemCode::ConflictingFields, format!("`{name}` is given twice"), "give it once");
                }
                continue;
            }
            let value_text = quoted(&value);
            match name.as_str() {
                "limit" => match value.parse().ok().filter(|limit| (1..=Page::MOST).contains(limit)) {
                    Some(limit) => page.limit = limit,
                    None => refuse(
                        ProblemCode::InvalidType,
                        format!("{value_text} is not a whole number from 1 to 100"),
                        "send a whole number from 1 to 100, or leave it out for 20",
                    ),
                },
                "cursor" => match Cursor::read(&value) {
                    Some(cursor) => page.after = Some(cursor),
                    None => refuse(
                        ProblemCode::InvalidType,
                        format!("{value_text} is no cursor"),
                        "send the `next_cursor` of the page before",
                    ),
                },
                "customer_id" => match read_id(&Json::String(value), "/customer_id") {
                    Ok(id) => page.customer_id = Some(id.to_owned()),
                    Err(wrong) => problems.extend(wrong.as_slice().iter().map(|one| (false, place, one.clone()))),
                },
                _ => refuse(
                    ProblemCode::UnknownField,
                    format!("there is no parameter {}", quoted(&name)),
                    "leave it out: there are `limit`, `cursor` and `customer_id`",
                ),
            }
            seen.push(name);
        }
        problems.sort_by(|one, other| {
            (one.0, one.1, &one.2.path, one.2.code).cmp(&(other.0, other.1, &other.2.path, other.2.code))
        });
        problems.dedup_by(|one, other| one.2.path == other.2.path && one.2.code == other.2.code);
        Problems::new(problems.into_iter().map(|(_, _, problem)| problem).collect()).map_or(Ok(page), Err)
    }
}

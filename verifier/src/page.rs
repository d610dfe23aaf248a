//! Which part of a list is asked for.
//!
//! Input: the parameters of an address. Output: [`Page`], or everything that is wrong with them. Neighbours: `contracts`
//! and `listing` make the lists.

use crate::error::Error;
use crate::http::json_text;
use crate::status::Status;
use crate::store::{micros, raw};
use axum::http::StatusCode;
use axum::response::Response;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use checkout_preview::{Json, Problem, ProblemCode, Problems, pointer_step, quoted, read_id, read_instant};
use serde::Serialize;
use serde_json::value::RawValue;

/// How many to list, from where on, and of what.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) after: Option<Cursor>,
    pub(crate) customer_id: Option<String>,
    pub(crate) contract_id: Option<String>,
    pub(crate) checkout_status: Option<Status>,
    pub(crate) created_after: Option<i64>,
    pub(crate) created_before: Option<i64>,
}

/// The last entry of the page before.
#[derive(Debug, PartialEq)]
pub(crate) enum Cursor {
    Checkout { id: String },
    MadeHere { created_at: i64, id: String },
    Listed { id: String },
}

impl Cursor {
    /// Opaque and safe in an address, which not every id is. It says of which list it is, and is refused by the other.
    pub(crate) fn write(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(match self {
            Cursor::Checkout { id } => format!("checkout {id}"),
            Cursor::MadeHere { created_at, id } => format!("contract {created_at} {id}"),
            Cursor::Listed { id } => format!("listed {id}"),
        })
    }

    fn read(text: &str) -> Option<Cursor> {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (list, rest) = text.split_once(' ')?;
        let (created_at, id) = if list == "contract" { rest.split_once(' ')? } else { ("", rest) };
        let id = read_id(&Json::String(id.into()), "").ok()?.to_owned();
        Some(match list {
            "checkout" => Cursor::Checkout { id },
            "contract" => Cursor::MadeHere { created_at: created_at.parse().ok()?, id },
            "listed" => Cursor::Listed { id },
            _ => return None,
        })
    }
}

#[derive(Serialize)]
struct List<'a> {
    data: Vec<&'a RawValue>,
    next_cursor: Option<String>,
}

type Parameters = Vec<(String, String)>;

const OF_CONTRACTS: [&str; 3] = ["limit", "cursor", "customer_id"];
const OF_CHECKOUTS: [&str; 7] =
    ["limit", "cursor", "checkout_status", "customer_id", "contract_id", "created_after", "created_before"];

impl Page {
    const DEFAULT: usize = 20;
    const MOST: usize = 100;
    /// A page of large entries has fewer of them.
    const BYTES: usize = 8 * 1024 * 1024;

    /// Reads the parameters of a list of contracts.
    pub(crate) fn of_contracts(parameters: Parameters) -> Result<Page, Problems> {
        Page::read(parameters, &OF_CONTRACTS)
    }

    /// Reads the parameters of a list of checkouts.
    pub(crate) fn of_checkouts(parameters: Parameters) -> Result<Page, Problems> {
        Page::read(parameters, &OF_CHECKOUTS)
    }

    /// Whether the page is not full yet. It takes one entry more than it shows, to know whether there are any.
    pub(crate) fn takes_more(&self, found: &[(Cursor, String)]) -> bool {
        self.holds(found) == found.len()
    }

    /// How many of some entries it holds: its limit, or as many as [`Page::BYTES`] hold.
    fn holds(&self, found: &[(Cursor, String)]) -> usize {
        let mut bytes = 0_usize;
        let fit = found.iter().take_while(|(_, body)| {
            let is_first = bytes == 0;
            bytes = bytes.saturating_add(body.len());
            is_first || bytes <= Page::BYTES
        });
        fit.take(self.limit).count()
    }

    /// The page as it goes over the wire; `found` are its entries, each with its cursor, and one more if there is one.
    pub(crate) fn answer(&self, mut found: Vec<(Cursor, String)>) -> Result<Response, Error> {
        let holds = self.holds(&found);
        let more = found.len() > holds;
        found.truncate(holds);
        let next_cursor = found.last().filter(|_| more).map(|(cursor, _)| cursor.write());
        let data = found.iter().map(|(_, body)| raw(body)).collect::<Result<_, _>>()?;
        let list = serde_json::to_string(&List { data, next_cursor });
        Ok(json_text(StatusCode::OK, list.map_err(|_| Error::Internal("a list cannot be written"))?))
    }

    /// Each of the known parameters at most once.
    fn read(parameters: Parameters, known: &[&'static str]) -> Result<Page, Problems> {
        let mut page = Page { limit: Page::DEFAULT, ..Page::default() };
        let of_checkouts = known == OF_CHECKOUTS;
        // Where each problem stands among the others, and the problem.
        let mut problems = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in parameters {
            let place = known.iter().position(|known| *known == name);
            let path = format!("/{}", pointer_step(&name));
            let found = match place {
                None if seen.contains(&name) => Ok(()),
                None => Err(problem(
                    ProblemCode::UnknownField,
                    &path,
                    format!("there is no parameter {}", quoted(&name)),
                    format!("leave it out: there are {}", listed(known)),
                )),
                Some(_) if seen.contains(&name) => Err(problem(
                    ProblemCode::ConflictingFields,
                    &path,
                    format!("`{name}` is given twice"),
                    "give it once".into(),
                )),
                Some(_) => page.take(&name, value, &path, of_checkouts),
            };
            if let Err(found) = found {
                problems.extend(found.as_slice().iter().map(|one| (place.is_none(), place, one.clone())));
            }
            seen.push(name);
        }
        problems.sort_by(|one, other| {
            (one.0, one.1, &one.2.path, one.2.code).cmp(&(other.0, other.1, &other.2.path, other.2.code))
        });
        problems.dedup_by(|one, other| one.2.path == other.2.path && one.2.code == other.2.code);
        Problems::new(problems.into_iter().map(|(_, _, problem)| problem).collect()).map_or(Ok(page), Err)
    }

    fn take(&mut self, name: &str, value: String, path: &str, of_checkouts: bool) -> Result<(), Problems> {
        let refuse = |what: &str, help: &str| {
            problem(ProblemCode::InvalidType, path, format!("{} is {what}", quoted(&value)), help.into())
        };
        match name {
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=Page::MOST).contains(limit));
                self.limit = limit.ok_or_else(|| {
                    let help = "send a whole number from 1 to 100, or leave it out for 20";
                    refuse("not a whole number from 1 to 100", help)
                })?;
            }
            "cursor" => {
                let cursor =
                    Cursor::read(&value).filter(|cursor| of_checkouts == matches!(cursor, Cursor::Checkout { .. }));
                let help = "send the `next_cursor` of the page before";
                self.after = Some(cursor.ok_or_else(|| refuse("no cursor", help))?);
            }
            "checkout_status" => {
                let status = Status::named(&value);
                let help = format!("send {}", listed(&Status::ALL.map(Status::as_str)));
                self.checkout_status = Some(status.ok_or_else(|| refuse("no status of a checkout", &help))?);
            }
            "customer_id" => self.customer_id = Some(read_id(&Json::String(value), path)?.to_owned()),
            "contract_id" => self.contract_id = Some(read_id(&Json::String(value), path)?.to_owned()),
            "created_after" => self.created_after = Some(micros(read_instant(&Json::String(value), path)?)),
            _ => self.created_before = Some(micros(read_instant(&Json::String(value), path)?)),
        }
        Ok(())
    }
}

fn problem(code: ProblemCode, path: &str, message: String, help: String) -> Problems {
    Problem { code, path: path.into(), message: message.into(), help: help.into() }.into()
}

/// `limit`, `cursor` and `customer_id`
fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

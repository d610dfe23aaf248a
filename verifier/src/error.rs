//! Everything that can go wrong over HTTP, as `application/problem+json` (RFC 9457).
//!
//! An [`Error`] becomes a response that carries a [`Problem`]; `http::finish` adds the request id and writes it. The cause
//! of a failure on this side is logged and never sent.

use crate::status::{Action, Status};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use checkout_preview::{Json, ProblemCode, Problems};
use serde::Serialize;
use std::borrow::Cow;
use std::time::Duration;

/// Why a request was not answered as asked.
#[derive(Debug)]
pub enum Error {
    /// The body is not JSON; where, and why.
    NotJson(String),
    /// The body did not arrive.
    Unreadable,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The body is larger than the endpoint takes.
    TooLarge,
    /// The body is not sent as JSON.
    NotSentAsJson,
    /// No key, token or secret that is known and valid, or none of the organisation that is named.
    Unauthorized,
    /// Who calls may not do this.
    Forbidden(&'static str),
    /// The page's origin is none of those the organisation allows.
    OriginNotAllowed,
    /// More requests a second than a key may make.
    RateLimited {
        /// After how long the next one is answered.
        retry_after: Duration,
    },
    /// Nothing is there, or nothing of this organisation.
    NotFound,
    /// The engine refuses the request or the catalog.
    Rejected(Problems),
    /// The answer would be larger than any buyer's is.
    AnswerTooLarge,
    /// The organisation has no catalog yet.
    CatalogMissing,
    /// `If-Match` names another catalog than the current one.
    CatalogChanged,
    /// A browser does not say what the buyer was shown.
    ExpectedEstimatesRequired,
    /// `Idempotency-Key` is not 1 to 255 printable ASCII characters.
    IdempotencyKeyInvalid,
    /// The key was used for another request.
    IdempotencyKeyReused,
    /// The request with this key still runs.
    IdempotencyInProgress,
    /// The buyer was shown something else than what it costs.
    PreviewMismatch {
        /// Where, and what on either side.
        differences: Vec<Difference>,
        /// What it costs.
        preview: Box<Json>,
    },
    /// The engine does not arrive at the stored preview again.
    NotReproducible,
    /// The contract is not what the checkout amends any more.
    ContractChanged,
    /// The checkout's status does not allow it.
    NotPossible {
        /// What was to be done.
        action: Action,
        /// The checkout's status.
        current_status: Status,
    },
    /// A change came in between; [`repeated`](crate::store::repeated) tries again.
    Overtaken,
    /// The request took too long.
    TimedOut,
    /// The database does not do what it should.
    Database(sqlx::Error),
    /// A mistake in this program.
    Internal(&'static str),
}

/// One place where two documents differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// A JSON pointer into the preview.
    pub path: String,
    /// What the buyer was shown; left out where there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Json>,
    /// What it is; left out where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<Json>,
}

/// One error of each kind: it does not compile without one of them.
macro_rules! kinds {
    ($($kind:ident $(($($value:expr),*))? $({$($field:tt)*})?;)*) => {
        fn kinds() -> Vec<Error> {
            let _: fn(&Error) = |error| match error { $(Error::$kind { .. } => {})* };
            vec![$(Error::$kind $(($($value),*))? $({$($field)*})?),*]
        }
    };
}
kinds! {
    NotJson ("where, and why".into());
    Unreadable;
    BodyTooSlow;
    TooLarge;
    NotSentAsJson;
    Unauthorized;
    Forbidden ("who calls may not do this");
    OriginNotAllowed;
    RateLimited { retry_after: MOMENT };
    NotFound;
    Rejected (unknown_field());
    AnswerTooLarge;
    CatalogMissing;
    CatalogChanged;
    ExpectedEstimatesRequired;
    IdempotencyKeyInvalid;
    IdempotencyKeyReused;
    IdempotencyInProgress;
    PreviewMismatch { differences: Vec::new(), preview: Box::new(Json::Null) };
    NotReproducible;
    ContractChanged;
    NotPossible { action: Action::Change, current_status: Status::Cancelled };
    Overtaken;
    TimedOut;
    Database (sqlx::Error::PoolClosed);
    Internal ("");
}

fn unknown_field() -> Problems {
    let (message, help) = ("there is no field `quantity`".into(), "leave the field out".into());
    checkout_preview::Problem { code: ProblemCode::UnknownField, path: "/quantity".into(), message, help }.into()
}

/// What is said of an error, whatever it is about.
pub(crate) struct Known {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) may_be_retried: bool,
}

/// Every code, by status.
pub(crate) fn known() -> Vec<Known> {
    let refusals = Action::ALL.map(|action| Error::NotPossible { action, current_status: Status::Expired });
    let mut known: Vec<Known> = kinds()
        .into_iter()
        .chain(refusals)
        .map(|error| {
            let Problem { status, code, detail, retry_after, .. } = error.problem();
            Known { status, code, detail, may_be_retried: retry_after.is_some() }
        })
        .collect();
    known.sort_by(|one, other| (one.status, &one.code).cmp(&(other.status, &other.code)));
    known.dedup_by(|one, other| one.code == other.code);
    known
}

/// The body of every answer that is an error.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    pub(crate) code: String,
    detail: String,
    pub(crate) request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<Problems>,
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<Difference>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_statuses: Option<&'static [Status]>,
    #[serde(skip)]
    pub(crate) retry_after: Option<Duration>,
}

impl Problem {
    fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Problem {
        Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code: code.into(),
            detail: detail.into(),
            request_id: String::new(),
            problems: None,
            differences: None,
            preview: None,
            current_status: None,
            valid_statuses: None,
            retry_after: None,
        }
    }

    /// What to say of an error status that somebody else set: the router, or the file server.
    pub(crate) fn of(status: StatusCode) -> Problem {
        let title = status.canonical_reason().unwrap_or("Error");
        let detail = match status {
            StatusCode::NOT_FOUND => "there is nothing here",
            StatusCode::METHOD_NOT_ALLOWED => "this address takes other methods, named in the Allow header",
            _ => "the request cannot be answered",
        };
        Problem::new(status, &title.to_ascii_lowercase().replace(' ', "_"), detail)
    }
}

/// After how long what failed for the moment is worth trying again.
const MOMENT: Duration = Duration::from_secs(1);

impl Error {
    /// Tells the log what the answer does not say. Where there is no answer, in the background, it is all that is told.
    pub(crate) fn log(&self) {
        match self {
            Error::Database(cause) => tracing::error!(%cause, "the database failed"),
            Error::Internal(cause) => tracing::error!(cause, "a mistake in this program"),
            _ => {}
        }
    }

    pub(crate) fn problem(self) -> Problem {
        use StatusCode as S;
        match self {
            Error::NotJson(why) => Problem::new(S::BAD_REQUEST, "not_json", format!("the body is not JSON: {why}")),
            Error::Unreadable => Problem::new(S::BAD_REQUEST, "unreadable_body", "the body did not arrive whole"),
            Error::BodyTooSlow => {
                Problem::new(S::REQUEST_TIMEOUT, "request_timeout", "the body did not arrive in time: send it again")
            }
            Error::TooLarge => {
                Problem::new(S::PAYLOAD_TOO_LARGE, "payload_too_large", "the body is larger than this address takes")
            }
            Error::NotSentAsJson => Problem::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send the body as `content-type: application/json`, not compressed",
            ),
            Error::Unauthorized => Problem::new(
                S::UNAUTHORIZED,
                "unauthorized",
                "send `organisation` with its key in `x-api-key`, or with a customer's token in `session-id`",
            ),
            Error::Forbidden(detail) => Problem::new(S::FORBIDDEN, "forbidden", detail),
            Error::OriginNotAllowed => Problem::new(
                S::FORBIDDEN,
                "origin_not_allowed",
                "pages of this origin may not call: allow it with `checkout-verifier organisation update`",
            ),
            Error::RateLimited { retry_after } => Problem {
                retry_after: Some(retry_after),
                ..Problem::new(S::TOO_MANY_REQUESTS, "rate_limited", "too many requests: wait for Retry-After seconds")
            },
            Error::NotFound => Problem::of(S::NOT_FOUND),
            Error::ExpectedEstimatesRequired => Problem::new(
                S::PRECONDITION_REQUIRED,
                "expected_estimates_required",
                "send `expected_estimates`, the `estimates` of the preview the buyer saw",
            ),
            Error::IdempotencyKeyInvalid => Problem::new(
                S::BAD_REQUEST,
                "idempotency_key_invalid",
                "Idempotency-Key has 1 to 255 printable ASCII characters, and is sent once",
            ),
            Error::IdempotencyKeyReused => Problem::new(
                S::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was sent with another request: use a new one for each",
            ),
            Error::IdempotencyInProgress => Problem {
                retry_after: Some(MOMENT),
                ..Problem::new(
                    S::CONFLICT,
                    "idempotency_in_progress",
                    "the first request with this Idempotency-Key is still running: ask again in a moment",
                )
            },
            Error::Rejected(problems) => {
                let (problems, detail) = first_of(problems);
                Problem { problems: Some(problems), ..Problem::new(S::UNPROCESSABLE_ENTITY, "rejected", detail) }
            }
            Error::AnswerTooLarge => Problem::new(
                S::UNPROCESSABLE_ENTITY,
                "answer_too_large",
                "there is more to pay than an answer holds (4 MiB): begin later, or ask for fewer lines or invoices",
            ),
            Error::CatalogMissing => {
                Problem::new(S::CONFLICT, "catalog_missing", "there is no catalog yet: send one to PUT /catalog")
            }
            Error::CatalogChanged => Problem::new(
                S::PRECONDITION_FAILED,
                "catalog_changed",
                "the current catalog is not the one named in If-Match: read it again",
            ),
            Error::PreviewMismatch { mut differences, preview } => {
                // Of a small text made for it, they are many times as long.
                differences.truncate(MOST);
                Problem {
                    differences: Some(differences),
                    preview: Some(*preview),
                    ..Problem::new(
                        S::CONFLICT,
                        "preview_mismatch",
                        "expected_estimates are not what the checkout costs: show the buyer `preview` and ask again",
                    )
                }
            }
            Error::NotReproducible => Problem::new(
                S::CONFLICT,
                "estimates_not_reproducible",
                "the stored preview can no longer be reproduced exactly: create a new checkout",
            ),
            Error::ContractChanged => Problem::new(
                S::CONFLICT,
                "contract_changed",
                "the contract is no longer the one that was previewed: make a new preview and create a new checkout",
            ),
            Error::NotPossible { action, current_status } => Problem {
                current_status: Some(current_status),
                valid_statuses: Some(action.possible_from()),
                ..Problem::new(
                    S::CONFLICT,
                    action.refusal(),
                    format!("a checkout whose status is {} cannot be {}", current_status.as_str(), action.participle()),
                )
            },
            Error::Overtaken => Problem {
                retry_after: Some(MOMENT),
                ..Problem::new(S::SERVICE_UNAVAILABLE, "busy", "too many changes at once: try again in a moment")
            },
            Error::TimedOut => Problem {
                retry_after: Some(MOMENT),
                ..Problem::new(S::SERVICE_UNAVAILABLE, "timed_out", "the request took too long")
            },
            Error::Database(_) => Problem {
                retry_after: Some(MOMENT),
                ..Problem::new(S::SERVICE_UNAVAILABLE, "service_unavailable", "try again in a moment")
            },
            Error::Internal(_) => {
                Problem::new(S::INTERNAL_SERVER_ERROR, "internal_server_error", "this is a mistake of the server")
            }
        }
    }
}

/// How many problems or differences are told: of a body that has as many of them as fit, they would be many times as long
/// as it is.
const MOST: usize = 1000;

/// The problems that are told, and what is said of them.
fn first_of(problems: Problems) -> (Problems, Cow<'static, str>) {
    let count = problems.as_slice().len();
    match problems.as_slice().get(..MOST).filter(|_| count > MOST).and_then(|first| Problems::new(first.to_vec())) {
        Some(first) => {
            (first, format!("what was sent breaks rules in {count} places: `problems` are the first {MOST}").into())
        }
        None => (problems, "what was sent breaks the rules named in `problems`".into()),
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Error {
        Error::Rejected(problems)
    }
}

/// A failure of the database, which passes, or a mistake in a query, which does not.
impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Error {
        if is_mistake(&cause) {
            tracing::error!(%cause, "a query is wrong");
            return Error::Internal("a query is wrong");
        }
        Error::Database(cause)
    }
}

fn is_mistake(cause: &sqlx::Error) -> bool {
    match cause {
        // SQLite's codes are numbers, of which the last byte tells the kind: 1 an error of the query, 19 a constraint, 20 a
        // type. PostgreSQL's begin with their class: 22 data, 23 a constraint, 42 an error of the query.
        sqlx::Error::Database(cause) => match cause.code() {
            Some(code) if code.len() == 5 => ["22", "23", "42"].iter().any(|class| code.starts_with(class)),
            Some(code) => code.parse().is_ok_and(|code: u32| matches!(code & 0xFF, 1 | 19 | 20)),
            None => false,
        },
        sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
        _ => false,
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(_: tokio::task::JoinError) -> Error {
        Error::Internal("a task did not finish")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// How many lines the log has after some work.
    fn lines(work: impl FnOnce()) -> usize {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, work);
        log.0.lock().unwrap().iter().filter(|byte| **byte == b'\n').count()
    }

    #[test]
    fn what_failed_on_this_side_is_logged_once_with_an_answer_and_without() {
        assert_eq!(lines(|| Error::Database(sqlx::Error::PoolClosed).log()), 1);
        assert_eq!(lines(|| Error::Internal("why").log()), 1);
        assert_eq!(lines(|| drop(Error::Database(sqlx::Error::PoolClosed).into_response())), 1);
        assert_eq!(lines(|| drop(Error::NotFound.into_response())), 0);
        assert_eq!(lines(|| drop(known())), 0, "what is described has not happened");
    }
}

//! Who calls: a key, a customer's session, or the holder of a checkout's client secret; and what each may do.

use crate::Verifier;
use crate::error::Error;
use crate::secret::{self, Kind};
use crate::store::micros;
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever makes a request, and for which organisation.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) access: Access,
}

/// An organisation as a request needs it.
pub(crate) struct Organisation {
    pub(crate) id: String,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) client_confirms: bool,
    /// The current catalog's.
    pub(crate) catalog_id: Option<String>,
}

/// By what a caller is known.
#[derive(Clone)]
pub(crate) enum Access {
    /// The merchant's server: everything of its organisation.
    Secret { key_id: String },
    /// A page of the merchant's: what everybody may see.
    Publishable { key_id: String },
    /// A customer, on a page of the merchant's.
    Session { session_id: String, customer_id: String },
    /// Whoever created a checkout; not compared yet, for only the checkout says what it is.
    Client { secret: String },
}

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Secret,
    Publishable,
    Session,
    Client,
}

/// What `x-api-key` is for.
const KEYS: [Kind; 2] = [Kind::SecretKey, Kind::PublishableKey];

pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
pub(crate) const ORGANISATION: HeaderName = HeaderName::from_static("organisation");
pub(crate) const SESSION: HeaderName = HeaderName::from_static("session-id");
pub(crate) const CLIENT_SECRET: HeaderName = HeaderName::from_static("client-secret");

/// Who may make which call; nobody needs to be known for a path that is not here.
pub(crate) fn allowed(method: &Method, route: &str) -> Option<&'static [Who]> {
    use Who::{Client, Publishable, Secret, Session};
    Some(match (method.as_str(), route) {
        ("POST", "/checkouts/preview" | "/checkouts/schedule" | "/checkouts") => &[Secret, Publishable, Session],
        ("GET", "/checkouts") => &[Secret],
        ("GET" | "PATCH", "/checkouts/{id}") => &[Secret, Client],
        ("POST", "/checkouts/{id}/confirm" | "/checkouts/{id}/cancel") => &[Secret, Client],
        ("POST", "/checkouts/{id}/payment" | "/sessions") => &[Secret],
        ("PUT", "/catalog") => &[Secret],
        ("GET", "/catalog") => &[Secret, Publishable, Session],
        ("GET", "/contracts" | "/contracts/{id}") => &[Secret, Session],
        ("HEAD", _) => return allowed(&Method::GET, route),
        _ => return None,
    })
}

/// Who may make this request; `None` if everybody.
pub(crate) fn who_may(method: &Method, route: Option<&MatchedPath>) -> Option<&'static [Who]> {
    allowed(method, route?.as_str())
}

impl Caller {
    /// Whoever runs the verifier, on the command line.
    pub(crate) fn operator(organisation: &str, catalog_id: Option<String>) -> Caller {
        let id = organisation.to_owned();
        let organisation = Organisation { id, allowed_origins: Vec::new(), client_confirms: false, catalog_id };
        Caller { organisation: Arc::new(organisation), access: Access::Secret { key_id: String::new() } }
    }

    fn who(&self) -> Who {
        match self.access {
            Access::Secret { .. } => Who::Secret,
            Access::Publishable { .. } => Who::Publishable,
            Access::Session { .. } => Who::Session,
            Access::Client { .. } => Who::Client,
        }
    }

    pub(crate) fn check(&self, who: &[Who]) -> Result<(), Error> {
        if who.contains(&self.who()) {
            return Ok(());
        }
        Err(Error::Forbidden(match who {
            [Who::Secret] => "this takes the organisation's secret key",
            [Who::Secret, Who::Client] => "this takes the checkout's `client-secret`, or the organisation's secret key",
            [Who::Secret, Who::Session] => "this takes a customer's `session-id`, or the organisation's secret key",
            _ => "this takes a key, or a customer's `session-id`",
        }))
    }

    /// What requests are counted by.
    pub(crate) fn counted_as(&self) -> String {
        match &self.access {
            Access::Secret { key_id } | Access::Publishable { key_id } => key_id.clone(),
            Access::Session { session_id, .. } => session_id.clone(),
            Access::Client { secret } => secret::hash(secret),
        }
    }

    /// By what the log names it.
    pub(crate) fn logged_as(&self) -> &str {
        match &self.access {
            Access::Secret { key_id } | Access::Publishable { key_id } => key_id,
            Access::Session { session_id, .. } => session_id,
            Access::Client { .. } => "client",
        }
    }

    /// Who sends a request with an `Idempotency-Key`: what one may ask again, no other may be answered.
    pub(crate) fn asks_as(&self) -> String {
        match &self.access {
            Access::Secret { .. } => "secret".into(),
            Access::Publishable { .. } => "publishable".into(),
            Access::Session { customer_id, .. } => format!("session of {customer_id}"),
            Access::Client { secret } => secret::hash(secret),
        }
    }

    /// Whether it is a browser, which has to say what the buyer was shown.
    pub(crate) fn is_browser(&self) -> bool {
        !matches!(self.access, Access::Secret { .. })
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Error> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or(Error::Internal("an endpoint is missing from the list of who may call it"))
    }
}

/// A [`Row`]: what a request needs to know of an organisation, beside what says who asks and until when that holds.
macro_rules! organisation_with {
    ($columns:literal, $join:literal) => {
        concat!(
            "SELECT o.allowed_origins, o.client_confirms, c.catalog_id, ",
            $columns,
            " FROM organisations o ",
            $join,
            " LEFT JOIN current_catalogs c ON c.organisation_id = o.id WHERE o.id = $1"
        )
    };
}

impl Verifier {
    /// Who sends these headers.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let Credentials { organisation, key, session, client } = Credentials::of(headers)?;
        let client = client.map(|secret| Access::Client { secret: secret.to_owned() });
        let caller = match (key, session) {
            (None, None) => match client {
                Some(_) => self.known(&organisation, None).await?,
                None => return Err(Error::Unauthorized),
            },
            (key, session) => {
                let by_key = match key {
                    Some(key) => Some(self.known(&organisation, Some((key, &KEYS))).await?),
                    None => None,
                };
                match session {
                    // The merchant's server needs no customer's token, and is not held to one.
                    Some(session) if !by_key.as_ref().is_some_and(|caller| caller.who() == Who::Secret) => {
                        self.known(&organisation, Some((session, &[Kind::SessionToken]))).await?
                    }
                    _ => by_key.ok_or(Error::Unauthorized)?,
                }
            }
        };
        match client {
            Some(access) if caller.who() != Who::Secret => Ok(Caller { access, ..caller }),
            _ => Ok(caller),
        }
    }

    /// The caller whose key or token this is; without one, whoever holds a client secret of the organisation.
    ///
    /// One of another kind than its header is for opens nothing.
    async fn known(&self, organisation: &str, given: Option<(&str, &[Kind])>) -> Result<Caller, Error> {
        let now = self.moment().now;
        let named = match given {
            None => None,
            Some((text, kinds)) => match secret::named(text) {
                Some((kind, id)) if kinds.contains(&kind) => Some((text, kind, id)),
                _ => return Err(Error::Unauthorized),
            },
        };
        let key = secret::hash([organisation, given.map_or("", |(text, _)| text)].join("\n"));
        if let Some((caller, valid_until)) = self.callers.get(&key)
            && valid_until > micros(now)
        {
            return Ok(caller);
        }
        let known_before = self.callers.generation();
        let row = match &named {
            None => sqlx::query_as(organisation_with!(
                "'' AS hash, '' AS kind, '' AS customer_id, 9223372036854775807 AS valid_until",
                ""
            ))
            .bind(organisation),
            Some((_, Kind::SecretKey | Kind::PublishableKey, id)) => sqlx::query_as(organisation_with!(
                "k.hash, k.kind, '' AS customer_id, 9223372036854775807 AS valid_until",
                "JOIN api_keys k ON k.organisation_id = o.id AND k.id = $2 AND k.revoked_at IS NULL"
            ))
            .bind(organisation)
            .bind(id),
            Some((_, Kind::SessionToken, id)) => sqlx::query_as(organisation_with!(
                "s.hash, 'session' AS kind, s.customer_id, s.expires_at AS valid_until",
                "JOIN sessions s ON s.organisation_id = o.id AND s.id = $2"
            ))
            .bind(organisation)
            .bind(id),
        };
        let row = row.fetch_optional(&self.store.reads).await?;
        let row: Row = match (row, &named) {
            (Some(row), _) => row,
            (None, Some(_)) => return Err(Error::Unauthorized),
            // An organisation that has nothing: a stranger learns of none whether there is one.
            (None, None) => Row::default(),
        };
        let access = match named {
            None => Access::Client { secret: String::new() },
            Some((text, kind, id)) => {
                if !secret::is(text, &row.hash) || row.kind != kind.as_str() || row.valid_until <= micros(now) {
                    return Err(Error::Unauthorized);
                }
                match kind {
                    Kind::SecretKey => Access::Secret { key_id: id },
                    Kind::PublishableKey => Access::Publishable { key_id: id },
                    Kind::SessionToken => Access::Session { session_id: id, customer_id: row.customer_id },
                }
            }
        };
        let organisation = Organisation {
            id: organisation.to_owned(),
            allowed_origins: row.allowed_origins.lines().map(str::to_owned).collect(),
            client_confirms: row.client_confirms == 1,
            catalog_id: row.catalog_id,
        };
        let caller = Caller { organisation: Arc::new(organisation), access };
        // Of organisations that are none there are many.
        if row.valid_until > 0 {
            self.callers.keep(known_before, key, caller.clone(), row.valid_until);
        }
        Ok(caller)
    }
}

#[derive(Default, sqlx::FromRow)]
struct Row {
    allowed_origins: String,
    client_confirms: i64,
    catalog_id: Option<String>,
    hash: String,
    kind: String,
    customer_id: String,
    valid_until: i64,
}

/// What the headers say; each of them at most once, and a key only with the organisation it is of.
struct Credentials<'h> {
    organisation: String,
    key: Option<&'h str>,
    session: Option<&'h str>,
    client: Option<&'h str>,
}

impl Credentials<'_> {
    fn of(headers: &HeaderMap) -> Result<Credentials<'_>, Error> {
        let organisation = one(headers, &ORGANISATION)?.ok_or(Error::Unauthorized)?;
        Ok(Credentials {
            // The id in the form in which it is stored; what is no id is none of an organisation.
            organisation: uuid::Uuid::parse_str(organisation).map_err(|_| Error::Unauthorized)?.to_string(),
            key: one(headers, &API_KEY)?,
            session: one(headers, &SESSION)?,
            client: one(headers, &CLIENT_SECRET)?,
        })
    }
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Error::Unauthorized),
        (Some(_), Some(_)) => Err(Error::Unauthorized),
    }
}

/// Callers seen a moment ago: under load, not every request asks the database who it is.
///
/// What is remembered is forgotten before anyone could notice: a key that is revoked, or a catalog that is put elsewhere,
/// counts from 50 ms later on. (What is put here counts at once.)
#[derive(Default)]
pub(crate) struct Callers(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    callers: HashMap<String, (Instant, Caller, i64)>,
    /// How often they were forgotten: what was read before is not remembered after.
    generation: u64,
}

impl Callers {
    const KEPT_FOR: Duration = Duration::from_millis(50);
    const MOST: usize = 1000;

    fn get(&self, key: &str) -> Option<(Caller, i64)> {
        let remembered = self.remembered();
        let (since, caller, valid_until) = remembered.callers.get(key)?;
        (since.elapsed() < Self::KEPT_FOR).then(|| (caller.clone(), *valid_until))
    }

    fn generation(&self) -> u64 {
        self.remembered().generation
    }

    /// Remembers a caller, unless what it was read from may have changed since `generation`.
    fn keep(&self, generation: u64, key: String, caller: Caller, valid_until: i64) {
        let mut remembered = self.remembered();
        if remembered.generation != generation {
            return;
        }
        if remembered.callers.len() >= Self::MOST {
            remembered.callers.clear();
        }
        remembered.callers.insert(key, (Instant::now(), caller, valid_until));
    }

    pub(crate) fn forget(&self) {
        let mut remembered = self.remembered();
        remembered.callers.clear();
        remembered.generation = remembered.generation.wrapping_add(1);
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_it_changed_is_not_remembered() {
        let callers = Callers::default();
        let caller = Caller::operator("organisation", None);
        let before = callers.generation();
        callers.forget();
        callers.keep(before, "key".into(), caller.clone(), i64::MAX);
        assert!(callers.get("key").is_none());
        callers.keep(callers.generation(), "key".into(), caller, i64::MAX);
        assert!(callers.get("key").is_some());
    }
}

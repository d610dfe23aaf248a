//! Catalogs: immutable snapshots, of which one is current.
//!
//! `PUT /catalog` stores what the engine accepts and nothing else, as the text that was sent. A checkout pins the snapshot
//! it was made on, so snapshots stay.

use crate::Verifier;
use crate::clock::load_catalog;
use crate::error::Error;
use crate::http::{JsonText, Organisation, json_text};
use crate::store::{micros, new_id};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use checkout_preview::{Catalog, Json, Problems, json};
use serde::Serialize;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// A snapshot, loaded.
pub(crate) struct Snapshot {
    pub(crate) id: String,
    pub(crate) catalog: Catalog,
    customers: BTreeSet<String>,
}

impl Snapshot {
    fn load(id: String, json: Json) -> Result<Snapshot, Problems> {
        let customers = match json.get("customers") {
            Some(Json::List(customers)) => customers.iter().filter_map(id_of).map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        };
        Ok(Snapshot { id, catalog: load_catalog(json)?, customers })
    }
}

fn id_of(entry: &Json) -> Option<&str> {
    match entry.get("id") {
        Some(Json::String(id)) => Some(id),
        _ => None,
    }
}

/// The snapshots used last, so that a request does not load its catalog again. Snapshots never change: none is stale.
#[derive(Default)]
pub(crate) struct Loaded {
    recent: Mutex<VecDeque<Arc<Snapshot>>>,
    /// Held while one is loaded: a catalog of 16 MiB is worth loading once only, and not many at a time.
    loading: tokio::sync::Mutex<()>,
}

impl Loaded {
    const KEPT: usize = 4;

    fn get(&self, id: &str) -> Option<Arc<Snapshot>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.iter().position(|snapshot| snapshot.id == id)?;
        let snapshot = recent.remove(at)?;
        recent.push_front(Arc::clone(&snapshot));
        Some(snapshot)
    }

    fn keep(&self, snapshot: Arc<Snapshot>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_front(snapshot);
        recent.truncate(Loaded::KEPT);
    }
}

/// What `PUT /catalog` answers.
#[derive(Serialize)]
pub struct Stored {
    /// The snapshot's id, which is also the catalog's `ETag`.
    pub catalog_id: String,
    /// The catalog's own version.
    pub catalog_version: Option<String>,
}

impl Verifier {
    /// Makes a catalog the current one; `if_match` lists the ids of which the current one must be one, `*` being any.
    ///
    /// A catalog whose text is that of the current one is the current one: nothing is stored.
    ///
    /// # Errors
    /// The text is not JSON, the engine refuses the catalog, or the current one is none of `if_match`.
    pub async fn put_catalog(&self, organisation: &str, text: String, if_match: Option<&str>) -> Result<Stored, Error> {
        let current = self.current_catalog_id(organisation).await?;
        if if_match.is_some_and(|tags| !names(tags, current.as_deref())) {
            return Err(Error::CatalogChanged);
        }
        let loading = self.catalogs.loading.lock().await;
        let (snapshot, text) = tokio::task::spawn_blocking(move || {
            let json = json::parse(text.as_bytes()).map_err(|why| Error::NotJson(why.to_string()))?;
            Ok::<_, Error>((Snapshot::load(new_id(), json)?, text))
        })
        .await??;
        drop(loading);
        let catalog_version = snapshot.catalog.version().map(str::to_owned);

        if let Some(current) = &current {
            let same = "SELECT id FROM catalogs WHERE organisation_id = $1 AND id = $2 AND body = $3";
            let same: Option<String> =
                sqlx::query_scalar(same).bind(organisation).bind(current).bind(&text).fetch_optional(&self.db).await?;
            if let Some(catalog_id) = same {
                return Ok(Stored { catalog_id, catalog_version });
            }
        }

        let mut transaction = self.db.begin().await?;
        sqlx::query("INSERT INTO catalogs (organisation_id, id, body, created_at) VALUES ($1, $2, $3, $4)")
            .bind(organisation)
            .bind(&snapshot.id)
            .bind(text)
            .bind(micros(self.moment().now))
            .execute(&mut *transaction)
            .await?;
        // With If-Match, only in the place of the catalog that was compared: of two writers one is refused.
        let replace = match if_match {
            Some(_) => "UPDATE current_catalogs SET catalog_id = $2 WHERE organisation_id = $1 AND catalog_id = $3",
            None => {
                "INSERT INTO current_catalogs (organisation_id, catalog_id) VALUES ($1, $2)
                 ON CONFLICT (organisation_id) DO UPDATE SET catalog_id = excluded.catalog_id"
            }
        };
        let replace = sqlx::query(replace).bind(organisation).bind(&snapshot.id);
        let replace = if if_match.is_some() { replace.bind(&current) } else { replace };
        if replace.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Err(Error::CatalogChanged);
        }
        transaction.commit().await?;

        let catalog_id = snapshot.id.clone();
        self.catalogs.keep(Arc::new(snapshot));
        Ok(Stored { catalog_id, catalog_version })
    }

    /// The current catalog's id and text.
    ///
    /// # Errors
    /// The database fails.
    pub async fn current_catalog(&self, organisation: &str) -> Result<Option<(String, String)>, Error> {
        let current = "SELECT id, body FROM catalogs JOIN current_catalogs
             ON current_catalogs.organisation_id = catalogs.organisation_id AND catalog_id = id
             WHERE catalogs.organisation_id = $1";
        Ok(sqlx::query_as(current).bind(organisation).fetch_optional(&self.db).await?)
    }

    async fn current_catalog_id(&self, organisation: &str) -> Result<Option<String>, Error> {
        let current = "SELECT catalog_id FROM current_catalogs WHERE organisation_id = $1";
        Ok(sqlx::query_scalar(current).bind(organisation).fetch_optional(&self.db).await?)
    }

    /// The current catalog as `request` is to see it.
    pub(crate) async fn catalog_for(&self, organisation: &str, request: &Json) -> Result<Arc<Snapshot>, Error> {
        let id = self.current_catalog_id(organisation).await?.ok_or(Error::CatalogMissing)?;
        self.pinned_catalog_for(organisation, &id, request).await
    }

    /// A snapshot as `request` is to see it: with the customer it names, where that is a guest who bought before.
    ///
    /// The snapshot's own customers win. Neither snapshots nor stored customers change, so this is the same catalog
    /// whenever it is asked for.
    pub(crate) async fn pinned_catalog_for(
        &self,
        organisation: &str,
        id: &str,
        request: &Json,
    ) -> Result<Arc<Snapshot>, Error> {
        let snapshot = self.snapshot(organisation, id).await?;
        let Some(Json::String(customer_id)) = request.get("customer_id") else { return Ok(snapshot) };
        if snapshot.customers.contains(customer_id) {
            return Ok(snapshot);
        }
        let customer = "SELECT body FROM customers WHERE organisation_id = $1 AND id = $2";
        let customer: Option<String> =
            sqlx::query_scalar(customer).bind(organisation).bind(customer_id).fetch_optional(&self.db).await?;
        match customer {
            None => Ok(snapshot),
            Some(customer) => Ok(Arc::new(self.load(organisation, id, Some(customer)).await?)),
        }
    }

    async fn snapshot(&self, organisation: &str, id: &str) -> Result<Arc<Snapshot>, Error> {
        if let Some(snapshot) = self.catalogs.get(id) {
            return Ok(snapshot);
        }
        let _loading = self.catalogs.loading.lock().await;
        if let Some(snapshot) = self.catalogs.get(id) {
            return Ok(snapshot);
        }
        let snapshot = Arc::new(self.load(organisation, id, None).await?);
        self.catalogs.keep(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    async fn load(&self, organisation: &str, id: &str, customer: Option<String>) -> Result<Snapshot, Error> {
        let body = "SELECT body FROM catalogs WHERE organisation_id = $1 AND id = $2";
        let body: String = sqlx::query_scalar(body).bind(organisation).bind(id).fetch_one(&self.db).await?;
        let id = id.to_owned();
        tokio::task::spawn_blocking(move || {
            let parse = |text: &str| json::parse(text.as_bytes()).map_err(|_| Error::Internal("a catalog is not JSON"));
            let mut catalog = parse(&body)?;
            if let Some(customer) = customer {
                add_customer(&mut catalog, parse(&customer)?);
            }
            Ok(Snapshot::load(id, catalog)?)
        })
        .await?
    }
}

fn add_customer(catalog: &mut Json, customer: Json) {
    let Json::Object(fields) = catalog else { return };
    match fields.iter_mut().find(|(name, _)| name == "customers") {
        Some((_, Json::List(customers))) => customers.push(customer),
        Some((_, customers)) => *customers = Json::List(vec![customer]),
        None => fields.push(("customers".into(), Json::List(vec![customer]))),
    }
}

/// `PUT /catalog`
pub(crate) async fn put(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    headers: HeaderMap,
    JsonText(text): JsonText,
) -> Result<Response, Error> {
    let if_match = header(&headers, IF_MATCH);
    let stored = verifier.put_catalog(&organisation, text, if_match.as_deref()).await?;
    let tag = tag(&stored.catalog_id);
    Ok(([(ETAG, tag)], json_text(StatusCode::OK, json::to_text(&stored))).into_response())
}

/// `GET /catalog`
pub(crate) async fn get(
    State(verifier): State<Arc<Verifier>>,
    Organisation(organisation): Organisation,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let current = verifier.current_catalog_id(&organisation).await?.ok_or(Error::NotFound)?;
    if header(&headers, IF_NONE_MATCH).is_some_and(|tags| names(&tags.replace("W/", ""), Some(&current))) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag(&current)), (CACHE_CONTROL, NO_CACHE)]).into_response());
    }
    let (id, body) = verifier.current_catalog(&organisation).await?.ok_or(Error::NotFound)?;
    Ok(([(ETAG, tag(&id)), (CACHE_CONTROL, NO_CACHE)], json_text(StatusCode::OK, body)).into_response())
}

const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

fn tag(id: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{id}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether a list of entity tags names the current catalog.
fn names(tags: &str, current: Option<&str>) -> bool {
    let Some(current) = current else { return false };
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_matches('"') == current)
}

/// All values of a header, as one list.
fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("")).collect();
    (!values.is_empty()).then(|| values.join(","))
}

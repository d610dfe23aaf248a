//! Catalogs: immutable snapshots, of which one is current.
//!
//! `PUT /catalog` stores what the engine accepts and nothing else, as the text that was sent. A checkout pins the snapshot
//! it was made on, so snapshots stay.

use crate::Verifier;
use crate::clock::load_catalog;
use crate::contracts::Listed;
use crate::error::Error;
use crate::http::{JsonText, Organisation, json_text};
use crate::recent::Recent;
use crate::store::{micros, new_id, stored_json, text_of};
use crate::view::Additions;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use checkout_preview::{Catalog, Json, Problems, json};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A snapshot, loaded.
pub(crate) struct Snapshot {
    pub(crate) id: String,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) customers: BTreeSet<String>,
    pub(crate) contracts: BTreeMap<String, Listed>,
}

impl Snapshot {
    fn load(id: String, json: Json) -> Result<Snapshot, Problems> {
        let customers = entries(&json, "customers").filter_map(|customer| text_of(customer, "id"));
        let customers = customers.map(str::to_owned).collect();
        let contracts = entries(&json, "contracts")
            .filter_map(|contract| text_of(contract, "id").map(|id| (id.to_owned(), Listed::of(contract))));
        let contracts = contracts.collect();
        Ok(Snapshot { id, catalog: Arc::new(load_catalog(json)?), customers, contracts })
    }
}

fn entries<'a>(catalog: &'a Json, list: &str) -> impl Iterator<Item = &'a Json> {
    match catalog.get(list) {
        Some(Json::List(entries)) => entries.iter(),
        _ => [].iter(),
    }
}

/// The catalogs used last, so that a request does not load its own again.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) snapshots: Recent<String, Snapshot>,
    pub(crate) views: Recent<Additions, Catalog>,
    /// Held while one is loaded: a catalog of 16 MiB is worth loading once only, and not many at a time.
    pub(crate) loading: tokio::sync::Mutex<()>,
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
        self.catalogs.snapshots.keep(catalog_id.clone(), Arc::new(snapshot));
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

    pub(crate) async fn current_catalog_id(&self, organisation: &str) -> Result<Option<String>, Error> {
        let current = "SELECT catalog_id FROM current_catalogs WHERE organisation_id = $1";
        Ok(sqlx::query_scalar(current).bind(organisation).fetch_optional(&self.db).await?)
    }

    /// The current catalog, loaded.
    pub(crate) async fn current_snapshot(&self, organisation: &str) -> Result<Option<Arc<Snapshot>>, Error> {
        match self.current_catalog_id(organisation).await? {
            Some(id) => self.snapshot(organisation, &id).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn snapshot(&self, organisation: &str, id: &str) -> Result<Arc<Snapshot>, Error> {
        let key = id.to_owned();
        if let Some(snapshot) = self.catalogs.snapshots.get(&key) {
            return Ok(snapshot);
        }
        let _loading = self.catalogs.loading.lock().await;
        if let Some(snapshot) = self.catalogs.snapshots.get(&key) {
            return Ok(snapshot);
        }
        let body = self.catalog_text(organisation, id).await?;
        let id = key.clone();
        let snapshot = tokio::task::spawn_blocking(move || Ok::<_, Error>(Snapshot::load(id, stored_json(&body)?)?));
        let snapshot = Arc::new(snapshot.await??);
        self.catalogs.snapshots.keep(key, Arc::clone(&snapshot));
        Ok(snapshot)
    }

    pub(crate) async fn catalog_text(&self, organisation: &str, id: &str) -> Result<String, Error> {
        let body = "SELECT body FROM catalogs WHERE organisation_id = $1 AND id = $2";
        Ok(sqlx::query_scalar(body).bind(organisation).bind(id).fetch_one(&self.db).await?)
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

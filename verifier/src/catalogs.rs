//! Catalogs: immutable snapshots, of which one is current.
//!
//! `PUT /catalog` stores what the engine accepts and nothing else, as the text that was sent. A checkout pins the snapshot
//! it was made on, so snapshots stay.

use crate::Verifier;
use crate::caller::{Access, Caller};
use crate::clock::load_catalog;
use crate::contracts::Listed;
use crate::error::Error;
use crate::http::{CatalogText, json_text};
use crate::recent::Recent;
use crate::schema::{self, catalog::StoredCatalog};
use crate::secret::hash;
use crate::store::{micros, new_id, repeated, text_of};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_MATCH, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use checkout_preview::{Catalog, Json, json};
use serde::Serialize;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A snapshot, loaded.
pub(crate) struct Snapshot {
    pub(crate) id: String,
    /// All of it but customers and contracts: what everybody may see.
    pub(crate) offer: Catalog,
    /// The same as text.
    offer_text: Bytes,
    pub(crate) customers: BTreeMap<String, Entry>,
    pub(crate) contracts: BTreeMap<String, Listed>,
    /// The ids of the contracts of each customer, in order.
    pub(crate) contracts_of: HashMap<String, Vec<String>>,
    plan_ids: HashSet<String>,
    business_entity_ids: HashSet<String>,
    /// The memory it takes, about, for what is remembered has its limits.
    size: usize,
}

/// An entry of one of a snapshot's lists: where it stands, and its text.
pub(crate) struct Entry {
    pub(crate) index: usize,
    pub(crate) body: String,
}

impl Snapshot {
    fn load(id: String, text: &str) -> Result<Snapshot, Error> {
        let mut json = json::parse(text.as_bytes()).map_err(|why| Error::NotJson(why.to_string()))?;
        let customers = entries(&json, "customers").enumerate().filter_map(|(index, customer)| {
            Some((text_of(customer, "id")?.to_owned(), Entry { index, body: json::to_text(customer) }))
        });
        let customers = customers.collect();
        let contracts = entries(&json, "contracts")
            .enumerate()
            .filter_map(|(index, contract)| Some((text_of(contract, "id")?.to_owned(), Listed::of(index, contract))));
        let contracts: BTreeMap<String, Listed> = contracts.collect();
        let mut contracts_of = HashMap::<String, Vec<String>>::new();
        for (id, listed) in &contracts {
            if let Some(customer_id) = &listed.customer_id {
                contracts_of.entry(customer_id.clone()).or_default().push(id.clone());
            }
        }
        let ids = |list| entries(&json, list).filter_map(|entry| Some(text_of(entry, "id")?.to_owned())).collect();
        let (plan_ids, business_entity_ids) = (ids("plans"), ids("business_entities"));
        let offer = load_catalog(json.clone())?.with(Vec::new(), Vec::new())?;
        if let Json::Object(fields) = &mut json {
            fields.retain(|(name, _)| !matches!(name.as_str(), "customers" | "contracts"));
        }
        let offer_text = Bytes::from(json::to_text(&json));
        let size = text.len().saturating_mul(MEMORY);
        Ok(Snapshot { id, offer, offer_text, customers, contracts, contracts_of, plan_ids, business_entity_ids, size })
    }

    /// Whether it has the plan and the business entity of a contract that was made from another snapshot.
    pub(crate) fn has_what_it_names(&self, contract: &Json) -> bool {
        let has = |ids: &HashSet<String>, name| text_of(contract, name).is_none_or(|id| ids.contains(id));
        has(&self.plan_ids, "plan_id") && has(&self.business_entity_ids, "business_entity_id")
    }

    /// The plans, business entities and settings, with these customers and contracts.
    fn with(&self, customers: &[String], contracts: &[String]) -> String {
        // It is an object, or the engine would have refused it.
        let offer = std::str::from_utf8(&self.offer_text).ok().and_then(|offer| offer.strip_suffix('}'));
        let offer = offer.unwrap_or_default();
        let comma = if offer == "{" { "" } else { "," };
        format!(r#"{offer}{comma}"customers":[{}],"contracts":[{}]}}"#, customers.join(","), contracts.join(","))
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
    snapshots: Recent<String, Snapshot>,
}

/// How many times its text a snapshot takes, about, loaded. (14 versions of one of 4.85 MB took 1.13 GB.)
const MEMORY: usize = 16;

const CURRENT: &str = "SELECT catalog_id FROM current_catalogs WHERE organisation_id = $1";

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
        let (snapshot, text) = self.apart(move || Ok((Snapshot::load(new_id(), &text)?, text))).await?;
        let catalog_version = snapshot.offer.version().map(str::to_owned);

        if let Some(current) = &current {
            let same = "SELECT id FROM catalogs WHERE organisation_id = $1 AND id = $2 AND body = $3";
            let same: Option<String> = sqlx::query_scalar(same)
                .bind(organisation)
                .bind(current)
                .bind(&text)
                .fetch_optional(&self.store.reads)
                .await?;
            if let Some(catalog_id) = same {
                return Ok(Stored { catalog_id, catalog_version });
            }
        }

        repeated(|| self.make_current(organisation, &snapshot.id, &text, current.as_deref(), if_match)).await?;

        let catalog_id = snapshot.id.clone();
        let size = snapshot.size;
        self.catalogs.snapshots.keep(catalog_id.clone(), Arc::new(snapshot), size);
        self.callers.forget();
        Ok(Stored { catalog_id, catalog_version })
    }

    async fn make_current(
        &self,
        organisation: &str,
        id: &str,
        text: &str,
        current: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        let mut transaction = self.store.begin().await?;
        sqlx::query("INSERT INTO catalogs (organisation_id, id, body, created_at) VALUES ($1, $2, $3, $4)")
            .bind(organisation)
            .bind(id)
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
        let replace = sqlx::query(replace).bind(organisation).bind(id);
        let replace = if if_match.is_some() { replace.bind(current) } else { replace };
        if replace.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Err(Error::CatalogChanged);
        }
        Ok(transaction.commit().await?)
    }

    /// The current catalog's id and text.
    ///
    /// # Errors
    /// The database fails.
    pub async fn current_catalog(&self, organisation: &str) -> Result<Option<(String, String)>, Error> {
        let current = "SELECT id, body FROM catalogs JOIN current_catalogs
             ON current_catalogs.organisation_id = catalogs.organisation_id AND catalog_id = id
             WHERE catalogs.organisation_id = $1";
        Ok(sqlx::query_as(current).bind(organisation).fetch_optional(&self.store.reads).await?)
    }

    pub(crate) async fn current_catalog_id(&self, organisation: &str) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(CURRENT).bind(organisation).fetch_optional(&self.store.reads).await?)
    }

    /// The same within a transaction.
    pub(crate) async fn current_catalog_id_in(
        &self,
        connection: &mut AnyConnection,
        organisation: &str,
    ) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(CURRENT).bind(organisation).fetch_optional(connection).await?)
    }

    /// The current catalog, loaded.
    pub(crate) async fn current_snapshot(&self, caller: &Caller) -> Result<Option<Arc<Snapshot>>, Error> {
        match &caller.organisation.catalog_id {
            Some(id) => self.snapshot(&caller.organisation.id, id).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn snapshot(&self, organisation: &str, id: &str) -> Result<Arc<Snapshot>, Error> {
        let key = id.to_owned();
        if let Some(snapshot) = self.catalogs.snapshots.get(&key) {
            return Ok(snapshot);
        }
        // Whoever waited may find it loaded.
        let place = self.place_apart().await;
        if let Some(snapshot) = self.catalogs.snapshots.get(&key) {
            return Ok(snapshot);
        }
        let body = self.catalog_text(organisation, id).await?;
        let id = key.clone();
        let snapshot = tokio::task::spawn_blocking(move || {
            let _place = place;
            Snapshot::load(id, &body)
        });
        let snapshot = Arc::new(snapshot.await??);
        self.catalogs.snapshots.keep(key, Arc::clone(&snapshot), snapshot.size);
        Ok(snapshot)
    }

    pub(crate) async fn catalog_text(&self, organisation: &str, id: &str) -> Result<String, Error> {
        let body = "SELECT body FROM catalogs WHERE organisation_id = $1 AND id = $2";
        Ok(sqlx::query_scalar(body).bind(organisation).bind(id).fetch_one(&self.store.reads).await?)
    }
}

/// Replace the catalog
///
/// The whole catalog, which becomes the current one if nothing is wrong with it; checkouts that were created before keep
/// theirs. With `If-Match` only in the place of the catalog that was read: of two who change it at once, one is answered
/// 412.
#[utoipa::path(
    put, path = "/catalog", operation_id = "putCatalog", tag = "Catalog",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the catalog to be replaced, or several; `*` is any.")),
    request_body = schema::catalog::Catalog,
    responses((status = 200, description = "It is the current catalog.", body = StoredCatalog,
        headers(("etag" = String, description = "The catalog's tag, for `If-Match` and `If-None-Match`.")))),
    extensions(("x-errors" = json!(["rejected", "catalog_changed"]))),
)]
pub(crate) async fn put(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    headers: HeaderMap,
    CatalogText(text, _place): CatalogText,
) -> Result<Response, Error> {
    let if_match = header(&headers, IF_MATCH);
    let stored = verifier.put_catalog(&caller.organisation.id, text, if_match.as_deref()).await?;
    let tag = tag(&stored.catalog_id);
    Ok(([(ETAG, tag)], json_text(StatusCode::OK, json::to_text(&stored))).into_response())
}

/// Read the catalog
///
/// What the caller may see of it: everything with a secret key, as it was put; plans, business entities and settings with
/// a publishable key; and with a customer's session these with the customer and its contracts as they are now. It is
/// what the engine in the browser computes with.
#[utoipa::path(
    get, path = "/catalog", operation_id = "readCatalog", tag = "Catalog",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the catalog that the caller has, or several.")),
    responses(
        (status = 200, description = "The catalog.", body = schema::catalog::Catalog,
            headers(("etag" = String, description = "Its tag, for `If-None-Match`; with a secret key for `If-Match`, too."))),
        (status = 304, description = "It is the catalog that the caller has.",
            headers(("etag" = String, description = "Its tag."))),
    ),
)]
pub(crate) async fn get(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let id = caller.organisation.catalog_id.clone().ok_or(Error::NotFound)?;
    // What a customer sees changes with its contracts, too.
    let (name, body) = match &caller.access {
        Access::Secret { .. } => (id.clone(), None),
        Access::Publishable { .. } | Access::Client { .. } => (format!("{id}.offer"), None),
        Access::Session { customer_id, .. } => {
            let body = verifier.catalog_of_customer(&caller, customer_id).await?;
            (format!("{id}.{:.16}", hash(&body)), Some(body))
        }
    };
    let headers_of = |tag| [(ETAG, tag), (CACHE_CONTROL, NO_CACHE), (VARY, BY_CALLER)];
    if header(&headers, IF_NONE_MATCH).is_some_and(|tags| names(&tags.replace("W/", ""), Some(&name))) {
        return Ok((StatusCode::NOT_MODIFIED, headers_of(tag(&name))).into_response());
    }
    let body = match (body, &caller.access) {
        (Some(body), _) => Bytes::from(body),
        (None, Access::Secret { .. }) => verifier.catalog_text(&caller.organisation.id, &id).await?.into(),
        (None, _) => verifier.snapshot(&caller.organisation.id, &id).await?.offer_text.clone(),
    };
    Ok((headers_of(tag(&name)), json_text(StatusCode::OK, body)).into_response())
}

impl Verifier {
    /// The catalog as a customer sees it.
    async fn catalog_of_customer(&self, caller: &Caller, customer_id: &str) -> Result<String, Error> {
        let snapshot = self.current_snapshot(caller).await?.ok_or(Error::NotFound)?;
        let Some((_, customer)) = self.customer(&caller.organisation.id, &snapshot, customer_id).await? else {
            return Ok(snapshot.with(&[], &[]));
        };
        let customers = [customer];
        let contracts = self.contracts_of(&caller.organisation.id, &snapshot, customer_id).await?;
        let contracts: Vec<String> = contracts.into_iter().map(|(_, body)| body).collect();
        Ok(snapshot.with(&customers, &contracts))
    }
}

const BY_CALLER: HeaderValue = HeaderValue::from_static("organisation, x-api-key, session-id");
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

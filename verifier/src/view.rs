//! The catalog as one request sees it.
//!
//! That is a snapshot, and in it the contract the request amends, where it is stored here, and the customers it concerns,
//! where they were guests who bought before. What the snapshot lists itself keeps its place; what it does not list comes
//! after what it does.

use crate::Verifier;
use crate::clock::load_catalog;
use crate::contracts::Current;
use crate::error::Error;
use crate::store::{stored_json, text_of};
use checkout_preview::{Catalog, Json};
use std::sync::Arc;

/// A catalog to answer a request from, and what has to be pinned for it to be the same again.
pub(crate) struct View {
    pub(crate) catalog_id: String,
    pub(crate) catalog: Arc<Catalog>,
    /// The stored version of the contract that the request amends; `None` is the snapshot's own, or no contract.
    pub(crate) contract_version: Option<i64>,
}

/// What is added to which snapshot. None of it ever changes.
#[derive(Clone, PartialEq)]
pub(crate) struct Additions {
    catalog_id: String,
    contract: Option<(String, i64)>,
    customer_id: Option<String>,
}

impl Verifier {
    /// The current catalog as a request sees it, with the contract as it is now.
    pub(crate) async fn view(&self, organisation: &str, request: &Json) -> Result<View, Error> {
        let snapshot = self.current_snapshot(organisation).await?.ok_or(Error::CatalogMissing)?;
        let mut version = None;
        if let Some(id) = text_of(request, "contract_id")
            && let Some(Current::Stored(stored)) = self.current_contract(organisation, &snapshot, id).await?
        {
            version = Some(stored);
        }
        self.pinned_view(organisation, &snapshot.id, version, request).await
    }

    /// A snapshot as a request sees it, with a stored version of the contract or the snapshot's own.
    pub(crate) async fn pinned_view(
        &self,
        organisation: &str,
        catalog_id: &str,
        contract_version: Option<i64>,
        request: &Json,
    ) -> Result<View, Error> {
        let snapshot = self.snapshot(organisation, catalog_id).await?;
        let view = |catalog| View { catalog_id: catalog_id.into(), catalog, contract_version };

        let contract = text_of(request, "contract_id").map(str::to_owned).zip(contract_version);
        let mut customers = Vec::new();
        let mut customer_id = None;
        if let Some(id) = text_of(request, "customer_id").filter(|id| !snapshot.customers.contains(*id))
            && let Some(customer) = self.customer(organisation, id).await?
        {
            customers.push(customer);
            customer_id = Some(id.to_owned());
        }
        if contract.is_none() && customer_id.is_none() {
            return Ok(view(Arc::clone(&snapshot.catalog)));
        }

        let additions = Additions { catalog_id: catalog_id.into(), contract, customer_id };
        if let Some(catalog) = self.catalogs.views.get(&additions) {
            return Ok(view(catalog));
        }
        let _loading = self.catalogs.loading.lock().await;
        if let Some(catalog) = self.catalogs.views.get(&additions) {
            return Ok(view(catalog));
        }
        let mut contract = None;
        if let Some((id, version)) = &additions.contract {
            let stored = stored_json(&self.contract_version(organisation, id, *version).await?)?;
            let known = |id: &&str| snapshot.customers.contains(*id) || additions.customer_id.as_deref() == Some(*id);
            if let Some(id) = text_of(&stored, "customer_id").filter(|id| !known(id)) {
                customers.extend(self.customer(organisation, id).await?);
            }
            contract = Some(stored);
        }
        let body = self.catalog_text(organisation, catalog_id).await?;
        let catalog = tokio::task::spawn_blocking(move || {
            let mut catalog = stored_json(&body)?;
            for customer in customers {
                put(&mut catalog, "customers", stored_json(&customer)?);
            }
            if let Some(contract) = contract {
                put(&mut catalog, "contracts", contract);
            }
            Ok::<_, Error>(Arc::new(load_catalog(catalog)?))
        });
        let catalog = catalog.await??;
        self.catalogs.views.keep(additions, Arc::clone(&catalog));
        Ok(view(catalog))
    }

    /// A guest who bought before.
    async fn customer(&self, organisation: &str, id: &str) -> Result<Option<String>, Error> {
        let customer = "SELECT body FROM customers WHERE organisation_id = $1 AND id = $2";
        Ok(sqlx::query_scalar(customer).bind(organisation).bind(id).fetch_optional(&self.db).await?)
    }
}

/// Puts an entry into one of the catalog's lists: in the place of the one with its id, or at the end.
fn put(catalog: &mut Json, list: &str, entry: Json) {
    let Json::Object(fields) = catalog else { return };
    match fields.iter_mut().find(|(name, _)| name == list) {
        Some((_, Json::List(entries))) => match entries.iter_mut().find(|old| old.get("id") == entry.get("id")) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        },
        Some((_, entries)) => *entries = Json::List(vec![entry]),
        None => fields.push((list.into(), Json::List(vec![entry]))),
    }
}

//! The catalog as one request sees it.
//!
//! That is a snapshot's offer, with the customer and the contract the request concerns, as far as the caller may see them.
//! Each stands where it stands in the catalog that `GET /catalog` gives the same caller, so that a browser's problems and
//! the server's name the same places; what the snapshot does not list stands behind what it does.

use crate::Verifier;
use crate::caller::Access;
use crate::catalogs::Snapshot;
use crate::contracts::Current;
use crate::error::Error;
use crate::store::{stored_json, text_of};
use checkout_preview::{Catalog, Json, read_id};
use std::sync::Arc;

/// Whose customers and contracts are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Everybody's.
    All,
    /// Nobody's.
    Offer,
    /// This customer's.
    Customer(String),
}

impl Sight {
    pub(crate) fn of(access: &Access) -> Sight {
        match access {
            Access::Secret { .. } => Sight::All,
            Access::Publishable { .. } | Access::Client { .. } => Sight::Offer,
            Access::Session { customer_id, .. } => Sight::Customer(customer_id.clone()),
        }
    }

    fn includes(&self, customer_id: Option<&str>) -> bool {
        match self {
            Sight::All => true,
            Sight::Offer => false,
            Sight::Customer(own) => customer_id == Some(own),
        }
    }
}

/// A catalog to answer a request from, and what has to be pinned for it to be the same again.
pub(crate) struct View {
    pub(crate) catalog_id: String,
    pub(crate) catalog: Arc<Catalog>,
    /// The stored version of the contract that the request amends; `None` is the snapshot's own, or no contract.
    pub(crate) contract_version: Option<i64>,
}

/// An id that a request names. What is none names nothing, and no database is asked for it: not each takes every text.
fn id_of<'r>(request: &'r Json, field: &str) -> Option<&'r str> {
    read_id(request.get(field)?, "").ok()
}

impl Verifier {
    /// A snapshot as a request sees it, with the contract as it is now.
    pub(crate) async fn view(
        &self,
        organisation: &str,
        snapshot: &Snapshot,
        sight: &Sight,
        request: &Json,
    ) -> Result<View, Error> {
        let mut version = None;
        if let Some(id) = id_of(request, "contract_id")
            && let Some(Current::Stored(stored)) = self.current_contract(organisation, snapshot, id).await?
        {
            version = Some(stored);
        }
        self.pinned_view(organisation, snapshot, sight, version, request).await
    }

    /// The same with a stored version of the contract, or the snapshot's own.
    pub(crate) async fn pinned_view(
        &self,
        organisation: &str,
        snapshot: &Snapshot,
        sight: &Sight,
        contract_version: Option<i64>,
        request: &Json,
    ) -> Result<View, Error> {
        let mut contracts = Vec::new();
        let mut customer_ids = Vec::new();
        if let Some(id) = id_of(request, "contract_id") {
            let listed = snapshot.contracts.get(id);
            let contract = match contract_version {
                Some(version) => Some(stored_json(&self.contract_version(organisation, id, version).await?)?),
                None => listed.map(|listed| stored_json(&listed.body)).transpose()?,
            };
            if let Some(contract) = contract.filter(|contract| sight.includes(text_of(contract, "customer_id"))) {
                customer_ids.extend(text_of(&contract, "customer_id").map(str::to_owned));
                let index = match sight {
                    Sight::Customer(own) => {
                        let own = self.contracts_of(organisation, snapshot, own).await?;
                        own.iter().position(|(own, _)| own == id).unwrap_or(own.len())
                    }
                    Sight::All | Sight::Offer => listed.map_or(snapshot.contracts.len(), |listed| listed.index),
                };
                contracts.push((index, contract));
            }
        }
        if let Some(id) = id_of(request, "customer_id")
            && sight.includes(Some(id))
            && !customer_ids.iter().any(|known| known == id)
        {
            customer_ids.push(id.to_owned());
        }
        let mut customers = Vec::new();
        for id in customer_ids {
            if let Some((index, body)) = self.customer(organisation, snapshot, &id).await? {
                let index = match sight {
                    Sight::Customer(_) => 0,
                    // One behind the other, where the snapshot has neither.
                    Sight::All | Sight::Offer => {
                        index.unwrap_or_else(|| snapshot.customers.len().saturating_add(customers.len()))
                    }
                };
                customers.push((index, stored_json(&body)?));
            }
        }
        customers.sort_by_key(|(index, _)| *index);
        let catalog = Arc::new(snapshot.offer.with(customers, contracts)?);
        Ok(View { catalog_id: snapshot.id.clone(), catalog, contract_version })
    }

    /// A customer: where the snapshot lists it and its text, or a guest who bought before.
    pub(crate) async fn customer(
        &self,
        organisation: &str,
        snapshot: &Snapshot,
        id: &str,
    ) -> Result<Option<(Option<usize>, String)>, Error> {
        if let Some(customer) = snapshot.customers.get(id) {
            return Ok(Some((Some(customer.index), customer.body.clone())));
        }
        let customer = "SELECT body FROM customers WHERE organisation_id = $1 AND id = $2";
        let customer = sqlx::query_scalar(customer).bind(organisation).bind(id);
        Ok(customer.fetch_optional(&self.store.reads).await?.map(|body| (None, body)))
    }
}

//! Contracts: what confirmed checkouts made of them, and those of the catalog.
//!
//! A contract that was confirmed here is stored, every version of it, and the stored one is the contract unless the
//! catalog has a higher version.

use crate::Verifier;
use crate::caller::{Access, Caller};
use crate::catalogs::Snapshot;
use crate::error::Error;
use crate::http::{ContractId, json_text};
use crate::page::{Cursor, Page};
use crate::schema::catalog::Contract;
use crate::schema::form::Id;
use crate::schema::list::{ContractList, ContractListQuery};
use crate::store::{Query, stored_json, text_of};
use axum::extract::{Query as Parameters, State};
use axum::http::StatusCode;
use axum::response::Response;
use checkout_preview::{Json, json};
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// A contract as a catalog lists it.
pub(crate) struct Listed {
    pub(crate) index: usize,
    pub(crate) version: i64,
    pub(crate) customer_id: Option<String>,
    pub(crate) body: String,
}

impl Listed {
    pub(crate) fn of(index: usize, contract: &Json) -> Listed {
        Listed {
            index,
            version: version(contract).unwrap_or(1),
            customer_id: text_of(contract, "customer_id").map(str::to_owned),
            body: json::to_text(contract),
        }
    }
}

/// Where a contract is, as it is now.
pub(crate) enum Current<'s> {
    Stored(i64),
    Listed(&'s Listed),
}

/// The stored version, unless the catalog's is higher.
fn current<'s>(stored: Option<i64>, listed: Option<&'s Listed>) -> Option<Current<'s>> {
    match (stored, listed) {
        (Some(stored), Some(listed)) if listed.version > stored => Some(Current::Listed(listed)),
        (Some(stored), _) => Some(Current::Stored(stored)),
        (None, listed) => listed.map(Current::Listed),
    }
}

impl Verifier {
    pub(crate) async fn current_contract<'s>(
        &self,
        organisation: &str,
        snapshot: &'s Snapshot,
        id: &str,
    ) -> Result<Option<Current<'s>>, Error> {
        let stored = "SELECT version FROM contracts WHERE organisation_id = $1 AND id = $2";
        let stored = sqlx::query_scalar(stored).bind(organisation).bind(id).fetch_optional(&self.store.reads).await?;
        Ok(current(stored, snapshot.contracts.get(id)))
    }

    /// A stored version of a contract.
    pub(crate) async fn contract_version(&self, organisation: &str, id: &str, version: i64) -> Result<String, Error> {
        let body = "SELECT body FROM contract_versions WHERE organisation_id = $1 AND id = $2 AND version = $3";
        Ok(sqlx::query_scalar(body).bind(organisation).bind(id).bind(version).fetch_one(&self.store.reads).await?)
    }
}

/// Read a contract
///
/// As it is now: as the last checkout left it, or as the catalog has it if that is newer.
#[utoipa::path(
    get, path = "/contracts/{id}", operation_id = "readContract", tag = "Contracts",
    params(("id" = Id, Path, description = "The contract's id.")),
    responses((status = 200, description = "The contract.", body = Contract)),
)]
pub(crate) async fn read(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    ContractId(id): ContractId,
) -> Result<Response, Error> {
    let snapshot = verifier.current_snapshot(&caller).await?;
    let stored = verifier.stored(&caller.organisation.id, &[&id]).await?.into_iter().next();
    let listed = snapshot.as_ref().and_then(|snapshot| snapshot.contracts.get(&id));
    let (customer_id, body) = match (current(stored.as_ref().map(|stored| stored.version), listed), stored) {
        (Some(Current::Listed(listed)), _) => (listed.customer_id.clone(), listed.body.clone()),
        (_, Some(stored)) => (stored.customer_id, stored.body),
        (_, None) => return Err(Error::NotFound),
    };
    match &caller.access {
        Access::Session { customer_id: own, .. } if customer_id.as_ref() != Some(own) => Err(Error::NotFound),
        _ => Ok(json_text(StatusCode::OK, body)),
    }
}

/// List contracts
///
/// Those that checkouts made, newest first, then the catalog's by id, each as it is now; a page at a time: send
/// `next_cursor` as `cursor` for the next one. A customer's session lists its own.
#[utoipa::path(
    get, path = "/contracts", operation_id = "listContracts", tag = "Contracts",
    params(ContractListQuery),
    responses((status = 200, description = "A page of contracts.", body = ContractList)),
    extensions(("x-errors" = json!(["rejected"]))),
)]
// What is in the catalog and what is not does not change when a contract is amended, so a page neither skips nor repeats
// one that was amended after the page before.
pub(crate) async fn list(
    State(verifier): State<Arc<Verifier>>,
    caller: Caller,
    Parameters(parameters): Parameters<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let mut page = Page::of_contracts(parameters)?;
    if let Access::Session { customer_id: own, .. } = &caller.access {
        if page.customer_id.as_ref().is_some_and(|asked| asked != own) {
            return page.answer(Vec::new());
        }
        page.customer_id = Some(own.clone());
    }
    let organisation = &caller.organisation.id;
    let snapshot = verifier.current_snapshot(&caller).await?;
    let mut found = verifier.made_here(organisation, snapshot.as_deref(), &page).await?;
    if let Some(snapshot) = &snapshot {
        verifier.listed(organisation, snapshot, &page, &mut found).await?;
    }
    page.answer(found)
}

/// How many contracts are read from the database at a time.
const CHUNK: usize = 100;

/// A stored contract, as it is now.
#[derive(sqlx::FromRow)]
struct Stored {
    id: String,
    version: i64,
    customer_id: Option<String>,
    created_at: i64,
    body: String,
}

const STORED: &str = "SELECT contracts.id, contracts.version, contracts.customer_id, contracts.created_at, body
     FROM contracts JOIN contract_versions ON contract_versions.organisation_id = contracts.organisation_id
     AND contract_versions.id = contracts.id AND contract_versions.version = contracts.version
     WHERE contracts.organisation_id = ";

impl Verifier {
    /// The contracts of a page that the catalog does not list, and one more if there is one.
    async fn made_here(
        &self,
        organisation: &str,
        snapshot: Option<&Snapshot>,
        page: &Page,
    ) -> Result<Vec<(Cursor, String)>, Error> {
        let mut found = Vec::new();
        let mut after = match &page.after {
            Some(Cursor::Listed { .. }) => return Ok(found),
            Some(Cursor::MadeHere { created_at, id }) => Some((*created_at, id.clone())),
            Some(Cursor::Checkout { .. }) | None => None,
        };
        let is_listed = |id: &str| snapshot.is_some_and(|snapshot| snapshot.contracts.contains_key(id));
        loop {
            let mut query = Query::new(STORED).bind(organisation);
            if let Some(customer_id) = &page.customer_id {
                query = query.push(" AND contracts.customer_id = ").bind(customer_id);
            }
            if let Some((created_at, id)) = &after {
                query = query.push(" AND (contracts.created_at, contracts.id) < (").bind(*created_at);
                query = query.push(", ").bind(id).push(")");
            }
            let query = query.push(" ORDER BY contracts.created_at DESC, contracts.id DESC LIMIT ").bind(CHUNK);
            let rows: Vec<Stored> = query.fetch_all(&self.store.reads).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = Some((last.created_at, last.id.clone()));
            for Stored { id, created_at, body, .. } in rows.into_iter().filter(|row| !is_listed(&row.id)) {
                if found.len() > page.limit {
                    return Ok(found);
                }
                found.push((Cursor::MadeHere { created_at, id }, body));
            }
        }
    }

    /// The contracts of a page that the catalog lists, as they are now, and one more if there is one.
    async fn listed(
        &self,
        organisation: &str,
        snapshot: &Snapshot,
        page: &Page,
        found: &mut Vec<(Cursor, String)>,
    ) -> Result<(), Error> {
        let after = match &page.after {
            Some(Cursor::Listed { id }) => Bound::Excluded(id.as_str()),
            Some(Cursor::MadeHere { .. } | Cursor::Checkout { .. }) | None => Bound::Unbounded,
        };
        let range = (after, Bound::Unbounded);
        let contracts: Vec<(&String, &Listed)> = match &page.customer_id {
            Some(customer_id) => {
                let stored = self.stored_of(organisation, customer_id).await?;
                let mut own = listed_of(snapshot, customer_id, &stored);
                own.retain(|(id, _)| RangeBounds::<str>::contains(&range, id.as_str()));
                own.sort_unstable_by_key(|(id, _)| *id);
                own
            }
            None => snapshot.contracts.range::<str, _>(range).take(page.limit.saturating_add(1)).collect(),
        };
        let mut contracts = contracts.into_iter().peekable();
        while found.len() <= page.limit && contracts.peek().is_some() {
            let chunk: Vec<(&String, &Listed)> = contracts.by_ref().take(CHUNK).collect();
            let ids: Vec<&str> = chunk.iter().map(|(id, _)| id.as_str()).collect();
            let stored = self.stored(organisation, &ids).await?;
            for (id, listed) in chunk {
                let stored = stored.iter().find(|stored| stored.id == *id);
                let (customer_id, body) = match (current(stored.map(|stored| stored.version), Some(listed)), stored) {
                    (Some(Current::Stored(_)), Some(stored)) => (stored.customer_id.as_deref(), &stored.body),
                    _ => (listed.customer_id.as_deref(), &listed.body),
                };
                if page.customer_id.is_none() || page.customer_id.as_deref() == customer_id {
                    found.push((Cursor::Listed { id: id.clone() }, body.clone()));
                }
            }
        }
        Ok(())
    }

    /// Those of a customer that are stored, oldest first.
    async fn stored_of(&self, organisation: &str, customer_id: &str) -> Result<Vec<Stored>, Error> {
        let query = Query::new(STORED).bind(organisation).push(" AND contracts.customer_id = ").bind(customer_id);
        query.push(" ORDER BY contracts.created_at, contracts.id").fetch_all(&self.store.reads).await
    }

    /// Those of some contracts that are stored, as they are now.
    async fn stored(&self, organisation: &str, ids: &[&str]) -> Result<Vec<Stored>, Error> {
        let mut query = Query::new(STORED).bind(organisation).push(" AND contracts.id IN (");
        for (index, id) in ids.iter().enumerate() {
            query = query.push(if index == 0 { "" } else { ", " }).bind(*id);
        }
        query.push(")").fetch_all(&self.store.reads).await
    }

    /// A customer's contracts as they are now: those that the snapshot lists, in its order, then the others, oldest first.
    ///
    /// Without those whose plan or business entity the snapshot has no more: with one of them the engine would refuse the
    /// whole catalog, and the customer could not be shown a price of anything.
    pub(crate) async fn contracts_of(
        &self,
        organisation: &str,
        snapshot: &Snapshot,
        customer_id: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        let stored = self.stored_of(organisation, customer_id).await?;
        let mut listed = listed_of(snapshot, customer_id, &stored);
        listed.sort_by_key(|(_, listed)| listed.index);
        let mut found = Vec::new();
        for (id, listed) in listed {
            let stored = stored.iter().find(|stored| stored.id == *id);
            match (current(stored.map(|stored| stored.version), Some(listed)), stored) {
                (Some(Current::Stored(_)), Some(stored)) => found.push((id.clone(), stored.body.clone())),
                (Some(Current::Listed(_)), _) if listed.customer_id.as_deref() == Some(customer_id) => {
                    found.push((id.clone(), listed.body.clone()));
                }
                _ => {}
            }
        }
        let others = stored.into_iter().filter(|stored| !snapshot.contracts.contains_key(&stored.id));
        found.extend(others.map(|stored| (stored.id, stored.body)));
        let mut in_sight = Vec::with_capacity(found.len());
        for (id, body) in found {
            if snapshot.has_what_it_names(&stored_json(&body)?) {
                in_sight.push((id, body));
            }
        }
        Ok(in_sight)
    }
}

/// The contracts of a snapshot that are a customer's, by it or by what is stored of them.
fn listed_of<'s>(snapshot: &'s Snapshot, customer_id: &str, stored: &[Stored]) -> Vec<(&'s String, &'s Listed)> {
    let own = snapshot.contracts_of.get(customer_id).map(Vec::as_slice).unwrap_or_default();
    let others = stored.iter().map(|stored| &stored.id).filter(|id| own.binary_search(id).is_err());
    own.iter().chain(others).filter_map(|id| snapshot.contracts.get_key_value(id)).collect()
}

/// A contract's version; `None` where it has none.
pub(crate) fn version(contract: &Json) -> Option<i64> {
    contract.get("version").and_then(|version| json::to_text(version).parse().ok())
}

/// The contract of a preview as it is stored: one version on, with ids for itself and its new lines, and a guest's
/// customer.
pub(crate) fn confirmed(contract: &Json, id: &str, customer_id: Option<&str>, new_id: impl Fn() -> String) -> Json {
    let mut contract = contract.clone();
    set(&mut contract, "id", Json::String(id.into()));
    if let Some(version) = version(&contract).and_then(|version| u32::try_from(version).ok()) {
        // Beyond the last version, too: `confirm` refuses that.
        set(&mut contract, "version", Json::Number((f64::from(version) + 1.0).into()));
    }
    if let Some(customer_id) = customer_id {
        set(&mut contract, "customer_id", Json::String(customer_id.into()));
    }
    for phase in items(&mut contract, "phases") {
        for line in items(phase, "lines") {
            if line.get("line_item_id").is_none_or(|id| *id == Json::Null) {
                set(line, "line_item_id", Json::String(new_id()));
            }
        }
    }
    contract
}

fn field<'a>(object: &'a mut Json, key: &str) -> Option<&'a mut Json> {
    match object {
        Json::Object(fields) => fields.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::List(_) | Json::Foreign(_) => None,
    }
}

fn set(object: &mut Json, key: &str, value: Json) {
    if let Some(slot) = field(object, key) {
        *slot = value;
    } else if let Json::Object(fields) = object {
        fields.push((key.into(), value));
    }
}

fn items<'a>(object: &'a mut Json, key: &str) -> impl Iterator<Item = &'a mut Json> {
    match field(object, key) {
        Some(Json::List(items)) => items.iter_mut(),
        _ => [].iter_mut(),
    }
}

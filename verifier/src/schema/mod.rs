//! What goes over the wire, for `/openapi.json`: the schemas, and what every endpoint's description shares.
//!
//! Nothing is read or written with these types. They say in OpenAPI 3.1 what the engine and the handlers do, and
//! `tests/schema.rs` holds them to it: what the engine accepts they accept, and what it answers they describe to the last
//! field. In reading order:
//!
//! - [`form`]: single values
//! - [`request`]: what is sent to make, change and finish a checkout
//! - [`catalog`], [`pricing`]: what prices are computed from
//! - [`preview`], [`invoice`]: what a checkout would do and cost
//! - [`session`], [`list`]: what is stored
//! - [`problem`]: what is said of a request that is not answered as asked
//! - `examples`: answers and problems, shown
//! - `endpoint`: what all endpoints have in common
//!
//! An endpoint names its bodies, and in `x-errors` the codes of its own errors. What it answers before its handler runs,
//! and who may call it, `endpoint` adds:
//!
//! ```
//! use checkout_verifier::schema::{document, preview::Preview, request::Request};
//! use utoipa::OpenApi;
//!
//! /// Prices a checkout and stores nothing.
//! #[utoipa::path(
//!     post,
//!     path = "/checkouts/preview",
//!     request_body = Request,
//!     responses((status = 200, description = "The preview.", body = Preview)),
//!     extensions(("x-errors" = json!(["catalog_missing", "rejected"]))),
//! )]
//! async fn show() {}
//!
//! #[derive(OpenApi)]
//! #[openapi(paths(show))]
//! struct Endpoints;
//!
//! let document = document(Endpoints::openapi());
//! let show = document.paths.paths["/checkouts/preview"].post.as_ref().unwrap();
//! assert!(["401", "409", "415", "422"].into_iter().all(|status| show.responses.responses.contains_key(status)));
//! ```

pub mod catalog;
mod endpoint;
mod examples;
pub mod form;
pub mod invoice;
pub mod list;
pub mod preview;
pub mod pricing;
pub mod problem;
pub mod request;
pub mod session;

use std::collections::BTreeMap;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, AllOf, ArrayItems, Object, Schema, SchemaType};

/// Words of which one is sent.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $($word:ident)+;)*) => {$(
        $(#[$doc])*
        #[derive(utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "a word is its own name")]
        pub enum $name { $($word),+ }
    )*};
}
use words;

/// Every schema, whether an endpoint names it or not.
#[derive(OpenApi)]
#[openapi(components(schemas(
    catalog::Catalog,
    catalog::StoredCatalog,
    invoice::BillingSchedule,
    list::ContractList,
    list::SessionList,
    preview::Preview,
    problem::ProblemDetails,
    request::CancelRequest,
    request::ConfirmRequest,
    request::CreateRequest,
    request::PaymentRequest,
    request::Request,
    request::ScheduleRequest,
    request::SessionTokenRequest,
    session::CreatedSession,
    session::Health,
    session::SessionToken,
)))]
struct Schemas;

/// The whole document: the endpoints with what they have in common, every schema, and the closing of all objects.
pub fn document(endpoints: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let mut document = Schemas::openapi();
    document.merge(endpoints);
    endpoint::complete(&mut document);
    if let Some(components) = &mut document.components {
        close(&mut components.schemas);
    }
    document
}

/// Makes one object of each that is put together from several, and refuses fields that it does not name.
///
/// An object is put together (`#[serde(flatten)]`) as `allOf`, whose parts cannot be closed one by one: each would refuse
/// the fields of the other.
fn close(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in names {
        if let Some(RefOr::T(Schema::AllOf(parts))) = schemas.get(&name)
            && let Some(object) = joined(parts, schemas)
        {
            schemas.insert(name, Schema::Object(object).into());
        }
    }
    schemas.values_mut().for_each(close_one);
}

/// The one object that has the fields of all parts; `None` where a part is no object.
fn joined(parts: &AllOf, schemas: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    let mut whole = Object::new();
    whole.description.clone_from(&parts.description);
    whole.examples.clone_from(&parts.examples);
    for part in &parts.items {
        let part = match part {
            RefOr::T(part) => part,
            RefOr::Ref(reference) => match schemas.get(reference.ref_location.rsplit('/').next()?)? {
                RefOr::T(part) => part,
                RefOr::Ref(_) => return None,
            },
        };
        let part = match part {
            Schema::Object(object) => object.clone(),
            Schema::AllOf(parts) => joined(parts, schemas)?,
            _ => return None,
        };
        whole.properties.extend(part.properties);
        whole.required.extend(part.required);
    }
    Some(whole)
}

fn close_one(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            // What only says something about a few fields of another object has no type.
            if !object.properties.is_empty() && object.schema_type != SchemaType::AnyValue {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
            object.properties.values_mut().for_each(close_one);
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                close_one(items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(close_one),
        Schema::AllOf(all) => all.items.iter_mut().for_each(close_one),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(close_one),
        _ => {}
    }
}

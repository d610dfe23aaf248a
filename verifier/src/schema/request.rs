//! What is sent to make, change and finish a checkout.
//!
//! Input: section 2, R2.1 to R2.5. Output: the bodies of every `POST` and `PATCH` of a checkout. A field that is null counts
//! as not sent; a field that is not named here is refused (`unknown_field`, with null too). Neighbour: `form` has the single
//! values.

use super::form::{Date, Id, Instant, Quantity, Url};
use serde_json::json;
use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, ArrayBuilder, ArrayItems, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// What a buyer asks for, whichever the checkout's type.
#[derive(ToSchema)]
#[schema(examples(json!({"plan_id": "team_monthly_usd", "customer_id": "cus_1",
    "product_overrides": [{"pricing_id": "seats", "quantity": "8"}]})))]
pub struct RequestFields {
    /// The plan of a new contract, or the one to move `contract_id` to (R2.1).
    pub plan_id: Option<Id>,
    /// The contract to be amended (R2.1). Its customer and business entity count, too (R2.2).
    pub contract_id: Option<Id>,
    /// The day on which the checkout takes effect; today if left out. For an amendment a day of the contract (R2.3).
    pub start_date: Option<Date>,
    /// The last day of a new contract; the plan's duration if left out, and no end if it has none either. Not with
    /// `contract_id`, and not before `start_date`.
    pub end_date: Option<Date>,
    /// Who buys. A new contract needs it, or is for a guest (R2.2).
    pub customer_id: Option<Id>,
    /// Who sells. A guest needs it; else the customer's or the contract's counts where it is left out (R2.2).
    pub business_entity_id: Option<Id>,
    /// Whether a guest buys. It follows from `business_entity_id` without `customer_id`, and may be stated (R2.2).
    pub guest_checkout: Option<bool>,
    /// What is to be kept of the buyer: any JSON object of at most 16384 bytes of compact JSON, nested at most 64 deep. It
    /// comes back as it was sent.
    #[schema(value_type = Option<Object>, examples(json!({"name": "Grace Hopper", "email": "grace@example.com"})))]
    pub customer_data: Option<serde_json::Value>,
    /// When the checkout expires: later than now and at most 30 days ahead; the catalog's `checkout_ttl` from now on if
    /// left out.
    pub expires_at: Option<Instant>,
    /// Where to send the buyer after success.
    pub success_url: Option<Url>,
    /// Where to send the buyer who gives up.
    pub cancel_url: Option<Url>,
    /// What is to be other than the plan or the contract says (R2.4).
    #[schema(max_items = 1000)]
    pub product_overrides: Option<Vec<Override>>,
    /// The older name of `product_overrides`; not beside it.
    #[schema(max_items = 1000)]
    #[deprecated]
    pub product_quantities: Option<Vec<Override>>,
}

/// What `POST /checkouts` takes: a request, and what its buyer was shown.
#[derive(ToSchema)]
pub struct CreateFields {
    /// The request's own fields.
    #[serde(flatten)]
    pub request: RequestFields,
    /// The `estimates` of the preview that the buyer was shown. A browser has to send them. They are compared by value,
    /// every digit counting: where they differ, the answer is 409 `preview_mismatch`.
    #[schema(value_type = Option<Object>)]
    pub expected_estimates: Option<serde_json::Value>,
}

/// What `POST /checkouts/schedule` takes: a request, and how many invoices to list.
#[derive(ToSchema)]
pub struct ScheduleFields {
    /// The request's own fields.
    #[serde(flatten)]
    pub request: RequestFields,
    /// How many invoices after the current one, 1 to 120 (R7.9); 12 if left out.
    #[schema(minimum = 1, maximum = 120)]
    pub count: Option<u8>,
}

/// Fields whose combination has to be one of R2.1 and R2.2 as well.
macro_rules! of_a_form {
    ($($name:ident: $fields:ident, $description:literal;)*) => {$(
        #[doc = $description]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let fields = Ref::from_schema_name($fields::name());
                let form = Ref::from_schema_name(RequestForm::name());
                Schema::from(AllOfBuilder::new().description(Some($description)).item(fields).item(form)).into()
            }
        }

        impl ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push(($fields::name().into(), $fields::schema()));
                $fields::schemas(schemas);
                schemas.push((RequestForm::name().into(), RequestForm::schema()));
            }
        }
    )*};
}
of_a_form! {
    Request: RequestFields, "A checkout: a new contract, another plan, or other quantities (R2.1).";
    CreateRequest: CreateFields, "A checkout to be stored (R2.1), and what its buyer was shown.";
    ScheduleRequest: ScheduleFields, "A checkout (R2.1), and how many of its invoices to list.";
}

/// Which of a request's fields go together (R2.1, R2.2).
pub struct RequestForm;

impl ToSchema for RequestForm {}

impl PartialSchema for RequestForm {
    fn schema() -> RefOr<Schema> {
        let id = || Schema::from(ObjectBuilder::new().schema_type(Type::String));
        let some = || Schema::from(ArrayBuilder::new().min_items(Some(1)).items(ArrayItems::default()));
        let for_customer = form("a new contract for a customer", false)
            .given("plan_id", id())
            .given("customer_id", id())
            .absent("contract_id");
        let for_guest = form("a new contract for a guest", true)
            .given("plan_id", id())
            .given("business_entity_id", id())
            .absent("customer_id")
            .absent("contract_id");
        let plan_change = form("another plan for a contract", false)
            .given("plan_id", id())
            .given("contract_id", id())
            .absent("end_date");
        let quantity_update = |overrides| {
            let form = form("other quantities on a contract", false);
            form.given("contract_id", id()).given(overrides, some()).absent("plan_id").absent("end_date")
        };
        let forms = [
            for_customer,
            for_guest,
            plan_change,
            quantity_update("product_overrides"),
            quantity_update("product_quantities"),
        ];
        let forms = forms.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item);
        Schema::from(AllOfBuilder::new().item(forms).item(not_both("product_overrides", "product_quantities"))).into()
    }
}

fn form(title: &str, is_guest: bool) -> ObjectBuilder {
    let stated =
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some([json!(is_guest), json!(null)]));
    part().title(Some(title)).property("guest_checkout", stated)
}

/// Says something about a few fields of an object whose fields are named elsewhere.
fn part() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

trait Part {
    fn given(self, name: &str, value: Schema) -> Self;
    fn absent(self, name: &str) -> Self;
}

impl Part for ObjectBuilder {
    fn given(self, name: &str, value: Schema) -> ObjectBuilder {
        self.property(name, value).required(name)
    }

    fn absent(self, name: &str) -> ObjectBuilder {
        self.property(name, ObjectBuilder::new().schema_type(Type::Null))
    }
}

/// Of two names of one field at most one is sent.
fn not_both(newer: &str, older: &str) -> AnyOfBuilder {
    AnyOfBuilder::new().item(part().absent(newer)).item(part().absent(older))
}

/// What an override says of the lines it names (R2.4).
#[derive(ToSchema)]
pub struct OverrideFields {
    /// Every pricing or line of this id, in any phase.
    pub pricing_id: Option<Id>,
    /// Every pricing or line of this product, in any phase.
    pub product_id: Option<Id>,
    /// One line of the contract; for quantity updates only.
    pub line_item_id: Option<Id>,
    /// How many from `effective_from` on. Of a metered line the usage expected in a billing period, which prices the
    /// estimate and is not stored (R2.5).
    pub quantity: Option<Quantity>,
    /// The older name of `quantity`; not beside it.
    #[deprecated]
    pub quantity_value: Option<Quantity>,
    /// Whether the line is charged from `effective_from` on.
    pub is_enabled: Option<bool>,
    /// From which day on: a day of the contract, not before the checkout's `start_date`, which it is if left out.
    pub effective_from: Option<Date>,
    /// Which price of a matrix, or which band, counts from `effective_from` on.
    pub dimension_values: Option<Vec<String>>,
    /// Becomes the description of the line's product, at once.
    pub description: Option<String>,
}

/// Names lines by exactly one of three ids, and changes at least one thing about them (R2.4).
pub struct Override;

impl ToSchema for Override {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((OverrideFields::name().into(), OverrideFields::schema()));
        OverrideFields::schemas(schemas);
    }
}

impl PartialSchema for Override {
    fn schema() -> RefOr<Schema> {
        const IDS: [&str; 3] = ["pricing_id", "product_id", "line_item_id"];
        const CHANGES: [&str; 4] = ["quantity", "quantity_value", "is_enabled", "dimension_values"];
        let not_null = SchemaType::from_iter([Type::String, Type::Number, Type::Boolean, Type::Array]);
        let given = |name| part().given(name, ObjectBuilder::new().schema_type(not_null.clone()).into());
        let one_id = IDS.into_iter().fold(OneOfBuilder::new(), |ids, name| ids.item(given(name)));
        let a_change = CHANGES.into_iter().fold(AnyOfBuilder::new(), |changes, name| changes.item(given(name)));
        let all = AllOfBuilder::new()
            .description(Some(
                "Names lines by exactly one of three ids, and changes at least one thing about them (R2.4).",
            ))
            .item(Ref::from_schema_name(OverrideFields::name()))
            .item(one_id)
            .item(a_change)
            .item(not_both("quantity", "quantity_value"))
            .examples([json!({"product_id": "seats", "quantity": "8", "effective_from": "2026-12-01"})]);
        Schema::from(all).into()
    }
}

/// What `POST /checkouts/{id}/confirm` takes; or no body at all.
#[derive(ToSchema)]
#[schema(examples(json!({"payment_method_id": "pm_1"})))]
pub struct ConfirmRequest {
    /// What the merchant's payment provider calls the way of paying. It is kept with the session.
    pub payment_method_id: Option<Id>,
}

/// What `POST /checkouts/{id}/cancel` takes; or no body at all.
#[derive(ToSchema)]
#[schema(examples(json!({"reason": "chose another shop"})))]
pub struct CancelRequest {
    /// Why, in at most 500 characters.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// What `POST /checkouts/{id}/payment` takes: what the merchant's payment provider reported.
#[derive(ToSchema)]
#[schema(examples(json!({"status": "succeeded", "reference": "pi_1"})))]
pub struct PaymentRequest {
    /// What became of the payment.
    pub status: PaymentStatus,
    /// What the provider calls the payment, in at most 255 characters. It is in the event, and not in the session.
    #[schema(max_length = 255)]
    pub reference: Option<String>,
}

super::words! {
    /// What became of a payment.
    PaymentStatus: Initiated Succeeded Failed;
}

/// What `POST /sessions` takes.
#[derive(ToSchema)]
#[schema(examples(json!({"customer_id": "cus_1", "ttl_seconds": 3600})))]
pub struct SessionTokenRequest {
    /// Whose session it is.
    pub customer_id: Id,
    /// For how many seconds, at most a day; 3600 if left out.
    #[schema(minimum = 1, maximum = 86400)]
    pub ttl_seconds: Option<u32>,
}

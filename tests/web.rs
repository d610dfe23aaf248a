//! The browser door in a real browser: what JavaScript hands over, and what it gets back.
//!
//! Run by `wasm-pack test --headless --chrome -- --test web`. What the answers come to is the corpus' concern; here it
//! is how values are read, how answers look, and that no input leaves the engine unable to answer the next one. The two
//! halves of the door that are JavaScript are the package's own files; what holds them together there is tested in
//! `tests/js`.
#![cfg(target_arch = "wasm32")]

use checkout_preview::wasm::{detect, load, preview_checkout, unload};
use js_sys::{Array, Function, JSON, Object, Promise, Reflect, TypeError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/pkg/src/read.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn read(value: &JsValue) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/pkg/src/build.js")]
extern "C" {
    fn numbered(catalog: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = previewOf)]
    fn preview_of(answer: &str, catalog: &JsValue, request: &JsValue, version: &str) -> JsValue;
    #[wasm_bindgen(js_name = problemsOf)]
    fn problems_of(answer: &str) -> Array;
}

#[wasm_bindgen(module = "/pkg/src/zone.js")]
extern "C" {
    /// A text, or null.
    #[wasm_bindgen(js_name = dayIn)]
    fn day_in(zone: &str, instant: &str) -> JsValue;
}

/// Why there is no preview.
#[derive(Debug)]
enum Refusal {
    /// What the engine found.
    Problems(Array),
    /// What reading an argument threw.
    Thrown(JsValue),
}

impl From<JsValue> for Refusal {
    fn from(thrown: JsValue) -> Refusal {
        Refusal::Thrown(thrown)
    }
}

/// What an expression of JavaScript comes to.
fn js(expression: &str) -> JsValue {
    let function = Function::new_no_args(&format!("return ({expression});"));
    function.call0(&JsValue::UNDEFINED).unwrap_or_else(|error| panic!("`{expression}` throws {error:?}"))
}

const CATALOG: &str = r#"{
    version: "7",
    business_entities: [{ id: "be", name: "Entity", time_zone: "America/New_York" }],
    customers: [{ id: "cus", name: "Customer", business_entity_id: "be" }],
    plans: [{
        id: "pro", name: "Pro", status: "active", currency: "USD", duration: "P1Y",
        phases: [{ name: "Paid", phase_type: "active", duration: null, pricings: [{
            id: "seats", product: { id: "seat", name: "Seat" }, is_enabled: true,
            billing_period: { cadence: "P1M", offset: "prepaid" },
            quantity: { type: "fixed", value: "10" },
            pricing_data: { pricing_type: "per_unit", unit_amount: "12.00" },
        }] }],
    }],
}"#;

const NOW: &str = r#"{ now: "2026-03-01T02:00:00Z" }"#;

fn preview(request: &str) -> Result<JsValue, Refusal> {
    preview_at(request, NOW)
}

fn preview_at(request: &str, options: &str) -> Result<JsValue, Refusal> {
    preview_of_values(&js(request), &js(CATALOG), &js(options))
}

/// What the package does with its arguments.
fn preview_of_values(request: &JsValue, catalog: &JsValue, options: &JsValue) -> Result<JsValue, Refusal> {
    let (request, catalog, options) = (read(request)?, read(catalog)?, read(options)?);
    let loaded = load(&text(&catalog));
    let place = loaded.parse().map_err(|_| Refusal::Problems(problems_of(&loaded)))?;
    let field = |name: &str| Some(get(&options, name)).filter(|value| !value.is_undefined()).unwrap_or(JsValue::NULL);
    let mut asked = [request.clone(), field("now"), field("as_of"), JsValue::NULL, JsValue::NULL, JsValue::NULL];
    let mut answer = preview_checkout(place, &text(&asked.iter().collect::<Array>()));
    if let Some(question) = answer.strip_prefix('?') {
        let question: Array = JSON::parse(question).unwrap_or_default().unchecked_into();
        let [instant, zone] = [0, 1].map(|item| question.get(item).as_string().unwrap_or_default());
        asked[3] = zone.as_str().into();
        asked[4] = day_in(&zone, &instant);
        answer = preview_checkout(place, &text(&asked.iter().collect::<Array>()));
    }
    unload(place);
    match answer.starts_with('!') {
        true => Err(Refusal::Problems(problems_of(&answer))),
        false => Ok(preview_of(&answer, &numbered(&catalog), &request, "1.2.3")),
    }
}

fn text(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}

fn get(value: &JsValue, path: &str) -> JsValue {
    let field = |value, key: &str| Reflect::get(&value, &key.into()).unwrap_or_default();
    path.split('.').fold(value.clone(), field)
}

/// `code at path` of each problem found.
fn problems(result: Result<JsValue, Refusal>) -> Vec<String> {
    let Err(Refusal::Problems(list)) = result else { panic!("no problem was found: {result:?}") };
    let text = |problem: &JsValue, key| get(problem, key).as_string().unwrap_or_default();
    let line = |problem| {
        assert_ne!(text(&problem, "message"), "");
        assert_ne!(text(&problem, "help"), "");
        format!("{} at {}", text(&problem, "code"), text(&problem, "path"))
    };
    list.iter().map(line).collect()
}

/// What reading the arguments threw.
fn thrown(result: Result<JsValue, Refusal>) -> JsValue {
    match result {
        Err(Refusal::Thrown(thrown)) => thrown,
        other => panic!("nothing was thrown: {other:?}"),
    }
}

/// The engine still answers.
fn assert_alive() {
    let preview = preview(REQUEST).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(get(&preview, "estimates.current_invoice.total").as_string().as_deref(), Some("120.00"));
}

const REQUEST: &str = r#"{ plan_id: "pro", customer_id: "cus" }"#;

#[wasm_bindgen_test]
fn a_preview_is_a_plain_object() {
    let preview = preview(REQUEST).unwrap_or_else(|error| panic!("{error:?}"));
    let prototype = Object::get_prototype_of(&preview);
    assert_eq!(prototype, Object::get_prototype_of(&Object::new()));
    assert_eq!(get(&preview, "checkout_type"), "plan_based");
    assert_eq!(get(&preview, "contract_id"), JsValue::NULL);
    assert_eq!(get(&preview, "estimates.current_invoice.line_items.0.proration.days"), 28);
    assert!(get(&preview, "estimates.current_invoice.line_items").is_array());
}

#[wasm_bindgen_test]
fn today_is_the_day_in_the_time_zone_of_the_business_entity() {
    let preview = |options| preview_at(REQUEST, options).unwrap_or_else(|error| panic!("{error:?}"));
    let as_of = |options| get(&preview(options), "as_of").as_string();
    // Two in the morning in London, nine in the evening of the day before in New York.
    assert_eq!(as_of(r#"{ now: "2026-03-01T02:00:00Z" }"#).as_deref(), Some("2026-02-28"));
    assert_eq!(as_of(r#"{ now: "2026-03-01T05:00:00Z" }"#).as_deref(), Some("2026-03-01"));
    assert_eq!(as_of(r#"{ now: new Date(Date.UTC(2026, 2, 1, 4, 59)) }"#).as_deref(), Some("2026-02-28"));
    assert_eq!(as_of(r#"{ now: new Date(0), as_of: "2026-07-04" }"#).as_deref(), Some("2026-07-04"));
}

#[wasm_bindgen_test]
fn a_time_zone_that_nobody_knows_is_a_problem_of_the_catalog() {
    for zone in ["Mars/Olympus", "america/new_york", "IST", "+01:00", "SystemV/PST8PDT"] {
        let catalog = js(&CATALOG.replace("America/New_York", zone));
        let result = preview_of_values(&js(REQUEST), &catalog, &js(NOW));
        assert_eq!(problems(result), ["catalog_invalid at /catalog/business_entities/0/time_zone"], "{zone}");
        // Only the date of today depends on it.
        let on_a_day = js(r#"{ now: "2026-03-01T02:00:00Z", as_of: "2026-07-04" }"#);
        assert!(preview_of_values(&js(REQUEST), &catalog, &on_a_day).is_ok(), "{zone}");
    }
    assert_alive();
}

#[wasm_bindgen_test]
fn problems_are_thrown_together() {
    let wrong = r#"{ plan_id: 5, customer_id: "cus", start_date: "soon", coupon: "X" }"#;
    assert_eq!(
        problems(preview(wrong)),
        ["invalid_type at /plan_id", "invalid_date at /start_date", "unknown_field at /coupon"]
    );
    assert_eq!(problems(preview("undefined")), ["invalid_type at "]);
    assert_eq!(problems(preview("[]")), ["invalid_type at "]);
    assert_eq!(problems(preview_at(REQUEST, "{ now: 5 }")), ["invalid_type at /now"]);
    assert_eq!(problems(preview_at(REQUEST, "{ now: new Date(0), as_of: 5 }")), ["invalid_type at /as_of"]);
    assert_alive();
}

#[wasm_bindgen_test]
fn catalogs_are_kept_until_they_are_unloaded() {
    let catalog = text(&read(&js(CATALOG)).unwrap_or_default());
    let places = [load(&catalog), load(&catalog)].map(|place| place.parse().unwrap_or(usize::MAX));
    assert_ne!(places[0], places[1]);
    let asked = r#"[{"plan_id":"pro","customer_id":"cus"},"2026-03-01T02:00:00Z","2026-03-01",null,null,null]"#;
    let answer = preview_checkout(places[0], asked);
    assert!(answer.starts_with('['), "{answer}");
    unload(places[0]);
    assert_eq!(preview_checkout(places[0], asked), "", "there is no such catalog");
    assert_eq!(preview_checkout(places[1], asked), answer);
    assert_eq!(load(&catalog), places[0].to_string(), "a place that became free is taken again");
    unload(places[0]);
    unload(places[1]);
}

#[wasm_bindgen_test]
fn the_type_is_told_by_the_fields_alone() {
    assert_eq!(detect(r#"{"plan_id":5,"customer_data":[]}"#), "0");
    assert_eq!(detect(r#"{"plan_id":"pro","contract_id":"con"}"#), "1");
    assert_eq!(detect(r#"{"contract_id":"con","product_overrides":[{}]}"#), "2");
    let codes = |request| problems(Err(Refusal::Problems(problems_of(&detect(request)))));
    assert_eq!(codes(r#"{"plan_id":null}"#), ["plan_id_required at /plan_id"]);
    assert_eq!(codes(r#"{"contract_id":"con"}"#), ["product_overrides_required at /product_overrides"]);
    assert_eq!(codes("[]"), ["invalid_type at "]);
}

/// Each is put for `$` into a quantity, and must be refused there.
const NO_QUANTITIES: [&str; 22] = [
    "NaN",
    "Infinity",
    "-Infinity",
    "10n",
    "Object(10n)",
    "Symbol('ten')",
    "() => 10",
    "class Ten {}",
    "new Map()",
    "new Set([10])",
    "Promise.resolve(10)",
    "new Date(NaN)",
    "new Number(NaN)",
    "/10/",
    "new Error('10')",
    "new Uint8Array([10])",
    "new ArrayBuffer(10)",
    "{}",
    "[10]",
    "new Boolean(true)",
    r"'\ud800'",
    "''",
];

/// Each is put for `$` into a quantity, and must be read as 10.
const TENS: [&str; 10] = [
    "10",
    "'10'",
    "10.0",
    "new Number(10)",
    "new String('10')",
    "{ toJSON: () => '10' }",
    "{ toJSON: (key) => key === 'quantity' ? 10 : 0 }",
    "new (class Decimal { #value = '10'; toJSON() { return this.#value; } })",
    "new Proxy(new String('10'), { get: (string, key) => key === 'toJSON' ? () => '10' : string[key] })",
    "Object.assign(() => {}, { toJSON: () => 10 })",
];

fn with_quantity(quantity: &str) -> String {
    format!(
        r#"{{ plan_id: "pro", customer_id: "cus", product_overrides: [{{ pricing_id: "seats", quantity: {quantity} }}] }}"#
    )
}

#[wasm_bindgen_test]
fn what_json_would_change_is_refused_at_its_field() {
    for quantity in NO_QUANTITIES {
        let found = problems(preview(&with_quantity(quantity)));
        assert_eq!(found, ["invalid_decimal at /product_overrides/0/quantity"], "{quantity}");
        assert_alive();
    }
}

#[wasm_bindgen_test]
fn what_stands_for_a_number_in_json_is_read_as_one() {
    for quantity in TENS {
        let preview = preview(&with_quantity(quantity)).unwrap_or_else(|error| panic!("{quantity}: {error:?}"));
        assert_eq!(get(&preview, "estimates.current_invoice.line_items.0.quantity"), "10", "{quantity}");
    }
}

#[wasm_bindgen_test]
fn undefined_is_absent_in_an_object_and_null_in_a_list() {
    let request = r#"{ plan_id: "pro", customer_id: "cus", contract_id: undefined, coupon: undefined,
        customer_data: { a: undefined, b: [undefined], c: { toJSON: () => undefined } } }"#;
    let preview = preview(request).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(text(&get(&preview, "customer_data")), r#"{"b":[null]}"#);
}

#[wasm_bindgen_test]
fn what_cannot_be_sent_is_refused_and_never_traps() {
    let cycle = "(() => { const a = {}; a.a = a; return a; })()";
    let cyclic_list = "(() => { const a = []; a.push(a); return { a }; })()";
    let shared = "(() => { let a = {}; for (let i = 0; i < 60; i++) a = { a, b: a }; return a; })()";
    let deep = "(() => { let a = 1; for (let i = 0; i < 100000; i++) a = [a]; return { a }; })()";
    let long_list = "{ a: new Array(4294967295) }";
    let half_key = r"{ '\udfff': 1 }";
    let lying_length = "{ a: new Proxy([], { get: (list, key) => key === 'length' ? 1e300 : list[key] }) }";
    let silent = "{ a: { toJSON() { return Symbol('s'); } } }";
    for value in [cycle, cyclic_list, shared, deep, long_list, half_key, lying_length, silent] {
        let request = format!(r#"{{ plan_id: "pro", customer_id: "cus", customer_data: {value} }}"#);
        let found = problems(preview(&request));
        assert_eq!(found.len(), 1, "{value}: {found:?}");
        assert_alive();
    }
}

#[wasm_bindgen_test]
fn what_an_argument_throws_is_thrown_on() {
    let throwing = [
        "{ get plan_id() { throw new EvalError('mine'); } }",
        "{ plan_id: { toJSON() { throw new EvalError('mine'); } } }",
        "{ plan_id: { get toJSON() { throw new EvalError('mine'); } } }",
        "new Proxy({}, { ownKeys() { throw new EvalError('mine'); } })",
        "new Proxy({}, { get() { throw new EvalError('mine'); } })",
        "new Proxy({}, { getPrototypeOf() { throw new EvalError('mine'); } })",
        "new Proxy([], { get(list, key) { if (key === 'length') throw new EvalError('mine'); } })",
        "[{ get [Symbol.toStringTag]() { throw new EvalError('mine'); }, __proto__: class {}.prototype }]",
        "Object.assign(Object.create({ get [Symbol.toStringTag]() { return 'Number'; } }), { valueOf() { throw new EvalError('mine'); } })",
    ];
    for request in throwing {
        let error = thrown(preview(request));
        assert_eq!(get(&error, "message"), "mine", "{request}: {error:?}");
        assert_alive();
    }
    let revoked = "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()";
    let error = thrown(preview(revoked));
    assert!(error.is_instance_of::<TypeError>(), "{error:?}");
    assert_alive();
}

#[wasm_bindgen_test]
fn host_objects_are_read_or_refused() {
    for value in [
        "window",
        "document.body",
        "document.all",
        "navigator",
        "new FormData()",
        "crypto",
        "WebAssembly",
        "globalThis.Intl",
    ] {
        let request = format!(r#"{{ plan_id: "pro", customer_id: "cus", customer_data: {{ value: {value} }} }}"#);
        // Which of the two depends on the browser's own objects; a trap would be neither.
        let _ = preview(&request);
        assert_alive();
    }
}

#[wasm_bindgen_test]
fn a_field_called_proto_is_a_field() {
    let request = r#"{ plan_id: "pro", customer_id: "cus", customer_data:
        JSON.parse('{"b":1,"__proto__":{"polluted":true},"7":[{"__proto__":null}]}') }"#;
    let preview = preview(request).unwrap_or_else(|error| panic!("{error:?}"));
    let data = get(&preview, "customer_data");
    assert_eq!(text(&data), r#"{"7":[{"__proto__":null}],"b":1,"__proto__":{"polluted":true}}"#);
    assert_eq!(Object::get_prototype_of(&data), Object::get_prototype_of(&Object::new()));
    assert!(get(&data, "polluted").is_undefined());
    assert!(js("({}).polluted").is_undefined());
}

#[wasm_bindgen_test]
fn customer_data_comes_back_as_it_went() {
    let data = r#"{"2":[],"10":{},"name":"Zoë 🦆","n":[0,-1.5,1e-7,1e+21,5e-324,1.7976931348623157e+308,123456789012345680000],"t":true,"x":null,"":{"�":"\u0000\u2028"}}"#;
    let request = format!(r#"{{ plan_id: "pro", customer_id: "cus", customer_data: {data} }}"#);
    let preview = preview(&request).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(text(&get(&preview, "customer_data")), text(&js(data)));
}

#[wasm_bindgen_test]
fn a_promise_is_told_apart_from_its_value() {
    let request = Object::new();
    let promise = Promise::resolve(&JsValue::from_str("pro"));
    assert_eq!(Reflect::set(&request, &"plan_id".into(), &promise), Ok(true));
    let found = problems(preview_of_values(&request.into(), &js(CATALOG), &js(NOW)));
    assert!(found.contains(&"invalid_type at /plan_id".to_owned()), "{found:?}");
}

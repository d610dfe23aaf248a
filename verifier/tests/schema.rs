//! The schemas of `/openapi.json` beside the engine: what it accepts they accept, and what it answers they describe to the
//! last field.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use checkout_preview::{
    Catalog, Clock, Json, Problem, billing_schedule, json, pointer_step, preview, read_count, read_date, read_instant,
};
use checkout_verifier::schema::document;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use utoipa::openapi::OpenApi;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document(OpenApi::default())).unwrap());

/// A schema of the document, or one that names some of them.
fn validator(schema: Value) -> Validator {
    let mut whole = json!({"$schema": "https://json-schema.org/draft/2020-12/schema"});
    whole["components"] = DOCUMENT["components"].clone();
    whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

fn named(name: &str) -> Validator {
    assert!(DOCUMENT["components"]["schemas"].get(name).is_some(), "there is no schema {name}");
    validator(json!({"$ref": format!("#/components/schemas/{name}")}))
}

fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}:\n{}", errors.join("\n"));
}

/// What the engine writes, as the validator reads it.
fn written(value: &impl serde::Serialize) -> Value {
    serde_json::from_str(&json::to_text(value)).unwrap()
}

struct Case {
    name: String,
    request: Json,
    catalog: Json,
    clock: Clock,
}

/// The corpus, and the demo's and the README's inputs.
fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut cases = Vec::new();
    for stage in std::fs::read_dir(root.join("tests/cases")).unwrap() {
        for file in std::fs::read_dir(stage.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            let case = json::parse(&std::fs::read(&file).unwrap()).unwrap();
            let field = |name| case.get(name).unwrap().clone();
            cases.push(Case {
                name: file.strip_prefix(root).unwrap().display().to_string(),
                request: field("request"),
                catalog: field("catalog"),
                clock: clock(&field("as_of"), &field("now")),
            });
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(cases.len() > 700, "{} cases", cases.len());

    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let quoted: Vec<&str> = readme.split("br#\"").skip(1).map(|rest| rest.split("\"#").next().unwrap()).collect();
    let [catalog, request] = quoted[..] else { panic!("the README has a catalog and a request: {quoted:?}") };
    cases.push(Case {
        name: "README.md".into(),
        request: json::parse(request.as_bytes()).unwrap(),
        catalog: json::parse(catalog.as_bytes()).unwrap(),
        clock: noon(),
    });
    cases.push(Case {
        name: "www/catalog.json".into(),
        request: json::parse(
            br#"{"plan_id": "team_monthly_usd", "business_entity_id": "ternwell_us",
                "product_overrides": [{"product_id": "seats", "quantity": "4"}]}"#,
        )
        .unwrap(),
        catalog: json::parse(&std::fs::read(root.join("www/catalog.json")).unwrap()).unwrap(),
        clock: noon(),
    });
    cases
}

fn clock(as_of: &Json, now: &Json) -> Clock {
    Clock { as_of: read_date(as_of, "/as_of").unwrap(), now: read_instant(now, "/now").unwrap() }
}

fn noon() -> Clock {
    clock(&Json::String("2026-11-22".into()), &Json::String("2026-11-22T12:00:00Z".into()))
}

#[test]
fn what_the_engine_accepts_and_answers_is_valid() {
    let (catalogs, requests, fields) = (named("Catalog"), named("Request"), named("RequestFields"));
    let (creations, schedules) = (named("CreateRequest"), named("ScheduleRequest"));
    let (previews, billing_schedules) = (named("Preview"), named("BillingSchedule"));
    let problems =
        validator(json!({"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Problem"}}));
    let (mut accepted, mut refused) = (0, 0);
    for Case { name, request, catalog, clock } in cases() {
        let sent = written(&catalog);
        let catalog = match Catalog::load(catalog) {
            Ok(catalog) => catalog,
            Err(found) => {
                assert_valid(&problems, &written(&found), &name);
                refused += 1;
                continue;
            }
        };
        assert_valid(&catalogs, &sent, &format!("{name}: the catalog"));
        let preview = match preview(&request, &catalog, clock) {
            Ok(preview) => written(&preview),
            Err(found) => {
                assert_valid(&problems, &written(&found), &name);
                refused += 1;
                continue;
            }
        };
        accepted += 1;
        let sent = written(&request);
        assert_valid(&requests, &sent, &format!("{name}: the request"));
        assert_valid(&fields, &sent, &format!("{name}: the request's fields"));
        assert_valid(&previews, &preview, &format!("{name}: the preview"));
        let mut creation = sent.clone();
        creation["expected_estimates"] = preview["estimates"].clone();
        assert_valid(&creations, &creation, &format!("{name}: a request to be stored"));
        let mut counted = sent;
        counted["count"] = 12.into();
        assert_valid(&schedules, &counted, &format!("{name}: a request for a schedule"));
        match billing_schedule(&request, &catalog, clock, read_count(&Json::Number(12.0.into()), "/count")) {
            Ok(schedule) => assert_valid(&billing_schedules, &written(&schedule), &format!("{name}: the schedule")),
            Err(found) => assert_valid(&problems, &written(&found), &name),
        }
    }
    assert!(accepted > 400 && refused > 200, "{accepted} accepted, {refused} refused");
}

/// What is wrong with a request by itself, whatever the catalog has.
const OF_THE_REQUEST: [&str; 20] = [
    "invalid_type",
    "invalid_id",
    "invalid_date",
    "invalid_instant",
    "invalid_decimal",
    "invalid_url",
    "customer_data_too_large",
    "too_many_overrides",
    "unknown_field",
    "conflicting_fields",
    "plan_id_required",
    "product_overrides_required",
    "customer_id_required",
    "business_entity_id_required",
    "guest_with_customer",
    "guest_cannot_amend",
    "end_date_not_allowed",
    "override_target_required",
    "override_target_ambiguous",
    "override_empty",
];

/// What JSON Schema cannot say of a request: which years have a 29 February, how many fraction digits a number has, and how
/// long an object is.
const NOT_OF_A_SCHEMA: [&str; 3] =
    ["`2026-02-29` is not a date", "`1e-7` is not a quantity", "16385 bytes of customer data"];

/// What it cannot say of a catalog, or not within reason: what one place has to do with another.
const BETWEEN_PLACES: [&str; 18] = [
    "is given twice",
    "is not in the catalog",
    "is before the start",
    "the plan's currency is",
    "only the last phase may be without a duration",
    "the phase overlaps an earlier one",
    "the entries do not ascend",
    "does not ascend",
    "the last one is bounded",
    "one that is not the last is open",
    "`up_to` is 0",
    "a table of the wrong shape",
    "one value for each dimension",
    "two prices for the same values",
    "a metered line that is",
    "a discount of",
    "an inclusive tax beside an exclusive one",
    "a compound tax that is inclusive",
];

fn is_of_one_place(problem: &Problem) -> bool {
    !BETWEEN_PLACES.iter().any(|told| problem.message.contains(told))
}

fn is_of_the_request(problem: &Problem) -> bool {
    OF_THE_REQUEST.contains(&problem.code.as_str()) && !NOT_OF_A_SCHEMA.contains(&&*problem.message)
}

#[test]
fn what_the_engine_refuses_by_its_form_is_invalid() {
    let (catalogs, requests) = (named("Catalog"), named("Request"));
    let (mut refused_requests, mut refused_catalogs) = (0, 0);
    for Case { name, request, catalog, clock } in cases() {
        let sent = written(&catalog);
        let catalog = match Catalog::load(catalog) {
            Ok(catalog) => catalog,
            Err(found) => {
                if found.as_slice().iter().any(is_of_one_place) {
                    assert!(!catalogs.is_valid(&sent), "{name}: {found}");
                    refused_catalogs += 1;
                }
                continue;
            }
        };
        let Err(found) = preview(&request, &catalog, clock) else { continue };
        if found.as_slice().iter().any(is_of_the_request) {
            assert!(!requests.is_valid(&written(&request)), "{name}: {found}");
            refused_requests += 1;
        }
    }
    assert!(
        refused_requests >= 88 && refused_catalogs >= 35,
        "{refused_requests} requests, {refused_catalogs} catalogs"
    );
}

/// Every field of every kind of request and catalog, replaced in turn by what it is not: both ways, one refuses what the
/// other does.
#[test]
fn the_schemas_and_the_engine_refuse_the_same() {
    let (catalogs, requests) = (named("Catalog"), named("Request"));
    let (mut tried, mut seen) = (0, BTreeSet::new());
    for Case { name, request, catalog, clock } in cases() {
        let Ok(loaded) = Catalog::load(catalog.clone()) else { continue };
        let kinds = |value: &Value, what: &str| {
            let places = fields(value, String::new()).into_iter();
            // Where it stands in a list is of no account, and neither is which case it is from.
            let kind = |place: &String| place.split('/').filter(|step| step.parse::<u8>().is_err()).collect::<String>();
            places.map(|place| (format!("{what}{}{}", kind(&place), model(value, &place)), place)).collect::<Vec<_>>()
        };
        let (sent, asked) = (written(&catalog), written(&request));
        for (_, place) in kinds(&sent, "catalog").into_iter().filter(|(kind, _)| seen.insert(kind.clone())) {
            for changed in changes(&sent, &place) {
                let told = Catalog::load(json::parse(changed.to_string().as_bytes()).unwrap()).err();
                let is_form = told.as_ref().is_some_and(|told| told.as_slice().iter().any(is_of_one_place));
                let why = told.as_ref().map(ToString::to_string);
                if catalogs.is_valid(&changed) {
                    assert!(!is_form, "{name}: the schema takes {place}: {:?} {why:?}", changed.pointer(&place));
                } else {
                    assert!(why.is_some(), "{name}: the schema refuses {place}: {:?}", changed.pointer(&place));
                }
                tried += 1;
            }
        }
        for (_, place) in kinds(&asked, "request").into_iter().filter(|(kind, _)| seen.insert(kind.clone())) {
            for changed in changes(&asked, &place) {
                let json = json::parse(changed.to_string().as_bytes()).unwrap();
                let told = preview(&json, &loaded, clock).err();
                let is_form = told.as_ref().is_some_and(|told| told.as_slice().iter().any(is_of_the_request));
                let why = told.as_ref().map(ToString::to_string);
                if requests.is_valid(&changed) {
                    assert!(!is_form, "{name}: the schema takes {place}: {:?} {why:?}", changed.pointer(&place));
                } else {
                    assert!(why.is_some(), "{name}: the schema refuses {place}: {:?}", changed.pointer(&place));
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 8000, "{tried} tried");
}

/// The pricing model around a place, for `tiers` are not the same in all of them.
fn model(value: &Value, place: &str) -> String {
    let Some((before, _)) = place.split_once("/pricing_data/") else { return String::new() };
    value.pointer(&format!("{before}/pricing_data/pricing_type")).map(Value::to_string).unwrap_or_default()
}

/// The places of all fields of all objects in a value, with one more in each that there is not.
fn fields(value: &Value, place: String) -> Vec<String> {
    let is_free = |place: &String| place.contains("/customer_data/");
    let places = objects(value, place).into_iter().flat_map(|place| {
        let fields = value.pointer(&place).unwrap().as_object().unwrap();
        fields
            .keys()
            .map(|name| format!("{place}/{}", pointer_step(name)))
            .chain([format!("{place}/more")])
            .collect::<Vec<_>>()
    });
    places.filter(|place| !is_free(place)).collect()
}

/// The value with one place left out, or with something else there.
fn changes(value: &Value, place: &str) -> Vec<Value> {
    let (parent, name) = place.rsplit_once('/').unwrap();
    let name = &name.replace("~1", "/").replace("~0", "~");
    let others = [
        json!(null),
        json!(true),
        json!(5),
        json!(0),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!(""),
        json!("0"),
        json!("1.5"),
        json!("USD"),
        json!("P1M"),
        json!("2026-11-22"),
        json!("active"),
        json!("percent"),
        json!([]),
        json!([5]),
        json!(["x"]),
        json!([{}]),
        json!({}),
        json!({"id": "x"}),
        json!("é"),
        json!([null]),
    ];
    let mut changed: Vec<Value> = vec![value.clone()];
    changed[0].pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    for other in others {
        let mut one = value.clone();
        one.pointer_mut(parent).unwrap()[name] = other;
        changed.push(one);
    }
    changed
}

#[test]
fn an_answer_with_a_field_more_or_less_is_invalid() {
    let catalog = r#"{"version": "1", "plans": [{"id": "api", "currency": "USD", "phases": [{"name": "Paid", "pricings": [{
        "id": "calls", "product": {"id": "call"}, "billing_period": {"cadence": "P1M", "offset": "prepaid"},
        "pricing_data": {"pricing_type": "tiered", "tiers": [{"up_to": "10", "unit_amount": "2"}, {"unit_amount": "1"}]},
        "taxes": [{"name": "VAT", "percent": "19"}]}]}]}],
        "contracts": [{"id": "con_1", "plan_id": "api", "currency": "USD", "start_date": "2026-11-01",
        "anchor_date": "2026-11-01", "phases": [{"name": "Paid", "start_date": "2026-11-01", "lines": [{"id": "calls",
        "line_item_id": "li_1", "product": {"id": "call"}, "quantity": {"value": "5"},
        "billing_period": {"cadence": "P1M", "offset": "prepaid"},
        "pricing_data": {"pricing_type": "tiered", "tiers": [{"up_to": "10", "unit_amount": "2"}, {"unit_amount": "1"}]},
        "taxes": [{"name": "VAT", "percent": "19"}]}]}]}]}"#;
    let request = r#"{"contract_id": "con_1", "customer_data": {"a": 1},
        "product_overrides": [{"pricing_id": "calls", "quantity": "20"}]}"#;
    let catalog = Catalog::load(json::parse(catalog.as_bytes()).unwrap()).unwrap();
    let request = json::parse(request.as_bytes()).unwrap();
    let clock = noon();
    let preview = written(&preview(&request, &catalog, clock).unwrap());
    let schedule = written(&billing_schedule(&request, &catalog, clock, Ok(3)).unwrap());
    let mut optional = BTreeSet::new();
    for (name, answer) in [("Preview", preview), ("BillingSchedule", schedule)] {
        let validator = named(name);
        assert_valid(&validator, &answer, name);
        for place in objects(&answer, String::new()) {
            if place.starts_with("/customer_data") || place.starts_with("/product_overrides") {
                continue;
            }
            let mut more = answer.clone();
            more.pointer_mut(&place).unwrap()["more"] = true.into();
            assert!(!validator.is_valid(&more), "{name}: a field more at {place}");
            for field in answer.pointer(&place).unwrap().as_object().unwrap().keys() {
                let mut less = answer.clone();
                less.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(field);
                if validator.is_valid(&less) {
                    let steps = place.split('/').chain([field.as_str()]).filter(|step| step.parse::<u8>().is_err());
                    optional.insert(steps.collect::<Vec<_>>().join("/"));
                }
            }
        }
    }
    // What only some lines have, and what a contract keeps as its catalog writes it.
    let expected = [
        "/contract/phases/lines/billing_period",
        "/contract/phases/lines/pricing_data/tiers/up_to",
        "/contract/phases/lines/quantity",
        "/contract/phases/lines/quantity/value",
        "/contract/phases/lines/taxes",
        "/contract/phases/lines/taxes/name",
        "/estimates/current_invoice/line_items/line_item_id",
        "/estimates/current_invoice/line_items/tiers",
        "/estimates/next_invoice/line_items/line_item_id",
        "/estimates/next_invoice/line_items/tiers",
        "/invoices/line_items/line_item_id",
        "/invoices/line_items/tiers",
        "/without_change/line_items/line_item_id",
        "/without_change/line_items/tiers",
    ];
    assert_eq!(optional, expected.map(str::to_owned).into());
}

/// The places of all objects in a value.
fn objects(value: &Value, place: String) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (format!("{place}/{}", pointer_step(name)), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (format!("{place}/{at}"), value)).collect(),
        _ => Vec::new(),
    };
    let own = value.is_object().then_some(place);
    own.into_iter().chain(inner.into_iter().flat_map(|(place, value)| objects(value, place))).collect()
}

#[test]
fn every_example_is_valid() {
    let schemas = &DOCUMENT["components"]["schemas"];
    let mut count = 0;
    for place in objects(schemas, String::new()) {
        let schema = schemas.pointer(&place).unwrap();
        // A field may be called `examples`; a list of them is a keyword.
        let Some(examples) = schema["examples"].as_array() else { continue };
        let validator = validator(json!({"$ref": format!("#/components/schemas{place}")}));
        for example in examples {
            assert_valid(&validator, example, &format!("the example of {place}"));
            count += 1;
        }
    }
    assert!(count > 60, "{count} examples");
}

#[test]
fn every_object_is_closed() {
    let schemas = &DOCUMENT["components"]["schemas"];
    for place in objects(schemas, String::new()) {
        let schema = schemas.pointer(&place).unwrap();
        if schema["type"] == "object" && schema["properties"].is_object() {
            assert_eq!(schema["additionalProperties"], false, "{place}");
        }
    }
    for (name, schema) in schemas.as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
}

#[test]
fn currencies_are_the_engine_s() {
    let currencies = named("Currency");
    let letters = || b'A'..=b'Z';
    for code in letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| vec![a, b, c]))) {
        let code = String::from_utf8(code).unwrap();
        let catalog = format!(r#"{{"plans": [{{"id": "p", "currency": "{code}"}}]}}"#);
        let is_known = Catalog::load(json::parse(catalog.as_bytes()).unwrap()).is_ok();
        assert_eq!(currencies.is_valid(&code.into()), is_known, "{catalog}");
    }
}

/// Each form beside what the engine says of the value, through a request or a catalog that is right but for it.
#[test]
fn forms_are_the_engine_s() {
    let long = "x".repeat(256);
    let url = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    let (longest, too_long) = (url(2083), url(2084));
    let ids = ["a", "cus_1/~!", &long[1..], "", "a b", "é", "a\t", &long];
    let dates = [
        "2026-11-22",
        "1970-01-01",
        "2999-12-31",
        "2026-02-28T23:30",
        "2026-02-28 23:30:59",
        "2026-02-28T23:30:59.5-11:00",
        "2026-02-28T00:00:00Z",
        "2026-02-28t00:00",
        "2026-2-28",
        "1969-12-31",
        "3000-01-01",
        "2026-02-30",
        "2026-04-31",
        "2026-02-28T24:00",
        "2026-02-28T23:60",
        "2026-02-28T23:30:",
        "2026-02-28T23:30:00.",
        "2026-02-28Z",
        "2026-02-28T23:30:00+01",
        "2026-02-28T23:30:00+24:00",
        "2026-02-28T23:30z",
        "2026/02/28",
        " 2026-02-28",
        "",
    ];
    let instants = [
        "2026-11-23T10:00:00Z",
        "2026-11-23t10:00:00.1234567z",
        "2026-11-23 10:00:00+01:30",
        "2026-11-23T10:00Z",
        "2026-11-23T10:00:00",
        "2026-11-23T10:00:60Z",
        "2026-11-23T10:00:00+0100",
        "2026-11-23",
        "2026-02-30T10:00:00Z",
    ];
    let urls = [
        "https://example.com",
        "http://localhost:8080/x?y=1#z",
        "HTTPS://EXAMPLE.COM/",
        "https://user:pass@example.com/",
        "https://[::1]:443/",
        "https://bücher.example/",
        "https://example.com:/",
        "https://a@b@c/",
        "example.com",
        "//x",
        "javascript://example.com/%0aalert(1)",
        "ftp://example.com",
        "https://",
        "https:///path",
        "https://?x",
        "https://:443/",
        "https://user@/",
        "https://example.com:+1/",
        "https://a b/",
        "https://example.com/\n",
        "https:\\\\example.com",
        "https://exa<mple.com",
        "https://[]/",
        "https://a:b:c/",
        "https://x:65535/",
        "https://x:65536/",
        "https://x:00080/",
        "https://x\u{85}/",
        "https://\u{99}/",
        "https://x/\"",
        &longest,
        &too_long,
    ];
    let decimals = [
        json!("0"),
        json!("12"),
        json!("007.50"),
        json!("-0"),
        json!("-0.00"),
        json!("999999999999.999999"),
        json!("1.0000000"),
        json!("1000000000000"),
        json!("1.0000001"),
        json!("-1"),
        json!("+1"),
        json!("1."),
        json!(".5"),
        json!("1e3"),
        json!(""),
        json!(" 1"),
        json!("1\n"),
        json!(8),
        json!(1.5),
        json!(0),
        json!(-1),
        json!(1e12),
        json!(999999999999_u64),
        json!(true),
        json!([]),
        json!({}),
        json!("0.000001"),
        json!("0.0000010"),
        json!("0.0000001"),
        json!("00"),
    ];
    let durations = [
        "P1M", "P14D", "P2W", "P1Y", "P1200D", "P01M", "P0M", "P1201D", "P-1M", "P1M1D", "PT1H", "p1m", "P1.5M", "1M",
        "P",
    ];
    let times = ["PT24H", "PT30M", "PT1200H", "PT0H", "PT1201M", "PT1S", "P1D", "PT24", "24H"];
    let of_text = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect::<Vec<_>>();
    let in_request =
        |field: &str, value: &Value| request_problems(json!({field: value})).contains(&format!("/{field}"));
    let in_override = |value: &Value| {
        let overrides = json!([{"product_id": "a", "quantity": value}]);
        request_problems(json!({"product_overrides": overrides})).contains(&"/product_overrides/0/quantity".to_owned())
    };
    let in_catalog = |catalog: Value| Catalog::load(json::parse(catalog.to_string().as_bytes()).unwrap()).is_err();
    let check = |name: &str, values: Vec<Value>, is_refused: &dyn Fn(&Value) -> bool| {
        let validator = named(name);
        for value in values {
            assert_eq!(validator.is_valid(&value), !is_refused(&value), "{name}: {value}");
        }
    };
    check("Id", of_text(&ids), &|value| in_request("customer_id", value));
    check("Date", of_text(&dates), &|value| in_request("start_date", value));
    check("Instant", of_text(&instants), &|value| {
        // One that is read but lies too far away is told with another code, at the same place.
        read_instant(&json::parse(value.to_string().as_bytes()).unwrap(), "").is_err()
    });
    check("Url", of_text(&urls), &|value| in_request("success_url", value));
    check("Quantity", decimals.to_vec(), &in_override);
    check("Rate", decimals.to_vec(), &|value| {
        // Seven fraction digits are too many for a quantity alone.
        in_catalog(json!({"customers": [{"id": "c", "credit_balance": value}]}))
    });
    check("QuantityAboveZero", decimals.to_vec(), &|value| {
        let pricing = json!({"id": "s", "product": {"id": "s"}, "quantity": {"multiple_of": value},
            "pricing_data": {"pricing_type": "flat_fee", "unit_amount": "1"}});
        in_catalog(json!({"plans": [{"id": "p", "currency": "USD", "phases": [{"pricings": [pricing]}]}]}))
    });
    check("Duration", of_text(&durations), &|value| {
        in_catalog(json!({"plans": [{"id": "p", "currency": "USD", "duration": value}]}))
    });
    check("TimeToLive", of_text(&times), &|value| in_catalog(json!({"settings": {"checkout_ttl": value}})));
}

/// Where the engine finds something wrong in a request.
fn request_problems(request: Value) -> Vec<String> {
    let catalog = Catalog::load(json::parse(b"{}").unwrap()).unwrap();
    let request = json::parse(request.to_string().as_bytes()).unwrap();
    let Err(found) = preview(&request, &catalog, noon()) else { panic!("nothing can be bought from an empty catalog") };
    // That there is no such customer is not a matter of form.
    let formal = found.as_slice().iter().filter(|problem| problem.code.as_str().starts_with("invalid_"));
    formal.map(|problem| problem.path.clone()).collect()
}

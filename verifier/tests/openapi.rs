//! `/openapi.json` beside the server: every endpoint, who may call it, and examples that are what they are examples of.
//! (That every answer is one it describes, every test asserts: `support::documented`.)
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::body::Body;
use checkout_verifier::http::document;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::Server;
use support::documented::{DOCUMENT, validator};

/// Every endpoint: path, method, and what describes it.
fn endpoints() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[tokio::test]
async fn the_document_is_served_and_printed_and_needs_no_key() {
    let server = Server::empty().await;
    let answer = server.call_plainly("GET", "/openapi.json", &[], Body::empty()).await;
    assert_eq!((answer.status.as_u16(), &answer.text), (200, &document()));
    let page = server.call_plainly("GET", "/docs/swagger-initializer.js", &[], Body::empty()).await;
    assert_eq!(page.status, 200);
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self';"));
}

#[test]
fn every_endpoint_of_the_specification_is_in_it() {
    let found: Vec<String> = endpoints().map(|(path, method, _)| format!("{} {path}", method.to_uppercase())).collect();
    let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
    found.sort_unstable();
    let mut named = [
        "POST /checkouts/preview",
        "POST /checkouts/schedule",
        "POST /checkouts",
        "GET /checkouts",
        "GET /checkouts/{id}",
        "PATCH /checkouts/{id}",
        "POST /checkouts/{id}/confirm",
        "POST /checkouts/{id}/cancel",
        "POST /checkouts/{id}/payment",
        "PUT /catalog",
        "GET /catalog",
        "GET /contracts",
        "GET /contracts/{id}",
        "POST /sessions",
        "GET /healthz",
        "GET /readyz",
    ];
    named.sort_unstable();
    assert_eq!(found, named);
}

#[test]
fn every_endpoint_says_all_that_a_reader_needs() {
    let mut ids = std::collections::BTreeSet::new();
    for (path, method, operation) in endpoints() {
        let place = format!("{method} {path}");
        for field in ["summary", "operationId", "tags"] {
            assert!(operation.get(field).is_some(), "{place} has no {field}");
        }
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{place}: its id is another's, too");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert!(answer["headers"].get("x-request-id").is_some(), "{place} {status}");
            let is_error = status.as_str() >= "400";
            assert_eq!(answer.pointer("/content/application~1problem+json").is_some(), is_error, "{place} {status}");
        }
        for parameter in operation.get("parameters").and_then(Value::as_array).unwrap_or(&Vec::new()) {
            let says = parameter.get("description").is_some();
            assert!(says, "{place}: {} is not described", parameter["name"]);
        }
        assert!(operation.get("x-errors").is_none(), "{place}");
    }
}

/// Every code that an endpoint's own description names is one that there is, under its status.
#[test]
fn every_named_error_is_described() {
    let codes = |path: &str, method: &str, status: u16| {
        let schema =
            format!("/responses/{status}/content/application~1problem+json/schema/allOf/1/properties/code/enum");
        DOCUMENT["paths"][path][method].pointer(&schema).cloned().unwrap_or_default()
    };
    assert_eq!(
        codes("/checkouts", "post", 409),
        json!(["catalog_missing", "idempotency_in_progress", "preview_mismatch"])
    );
    assert_eq!(codes("/checkouts", "post", 428), json!(["expected_estimates_required"]));
    assert_eq!(codes("/catalog", "put", 412), json!(["catalog_changed"]));
    assert_eq!(codes("/checkouts/{id}/confirm", "post", 403), json!(["forbidden", "origin_not_allowed"]));
    assert_eq!(codes("/checkouts/{id}", "patch", 408), json!(["request_timeout"]));
    assert_eq!(codes("/readyz", "get", 503), json!(["service_unavailable", "timed_out"]));
    assert_eq!(codes("/healthz", "get", 401), json!(null));
}

/// Each credential is tried at each endpoint: it is let in where the document says so, and nowhere else.
#[tokio::test]
async fn who_may_call_is_what_the_document_says() {
    let server = Server::start().await;
    let created = server.post("/checkouts", support::REQUEST).await;
    let (secret_key, publishable_key) = (&server.organisation.secret_key, &server.organisation.publishable_key);
    let (session, client_secret) = (server.session("cus_1").await, created.string("client_secret"));
    let credentials = [
        ("secret_key", "x-api-key", secret_key),
        ("publishable_key", "x-api-key", publishable_key),
        ("session_token", "session-id", &session),
        ("client_secret", "client-secret", &client_secret),
    ];
    let mut tried = 0;
    for (path, method, operation) in endpoints() {
        let path = path.replace("{id}", &created.string("id"));
        let method = method.to_uppercase();
        let Some(security) = operation.get("security").and_then(Value::as_array) else {
            assert_eq!(server.call_plainly(&method, &path, &[], Body::empty()).await.status, 200, "{path}");
            continue;
        };
        server.call_plainly(&method, &path, &[], Body::empty()).await.refused(401, "unauthorized");
        for (scheme, header, value) in credentials {
            let is_named = security.contains(&json!({"organisation": [], scheme: []}));
            // Not JSON, so that whoever is let in changes nothing; no body is one that confirms.
            let headers = [("content-type", "application/json")];
            let answer = server.call_as(&[(header, value)], &method, &path, &headers, "{").await;
            // Whether a client secret confirms is for the organisation to say.
            let confirms = scheme == "client_secret" && path.ends_with("/confirm");
            let is_let_in = answer.status != 403 || confirms;
            assert_eq!(is_let_in, is_named, "{method} {path} with a {scheme}: {}", answer.text);
            tried += 1;
        }
    }
    assert_eq!(tried, 14 * 4);
}

/// The codes of what is wrong with one field by itself, whatever is stored.
const OF_ONE_FIELD: [&str; 6] =
    ["invalid_type", "invalid_id", "invalid_date", "invalid_instant", "invalid_decimal", "customer_id_required"];

/// Whether the server finds something wrong with this field itself.
fn refuses(answer: &support::Answer, field: &str) -> bool {
    let body: Value = serde_json::from_str(&answer.text).unwrap();
    let problems = body["problems"].as_array().cloned().unwrap_or_default();
    let is_here = |problem: &Value| problem["path"] == format!("/{field}");
    problems.iter().any(|problem| is_here(problem) && OF_ONE_FIELD.contains(&problem["code"].as_str().unwrap()))
}

/// Every field of the bodies that are the handlers' own (the engine's are in `schema.rs`), with what stands just inside and
/// just outside every limit that there is: one refuses what the other does. (Form comes before status, so it is of no account
/// what becomes of the checkout.)
#[tokio::test]
async fn the_document_and_the_handlers_refuse_the_same() {
    let server = Server::start().await;
    let id = server.create(support::REQUEST).await;
    let [confirm, cancel, payment] = ["confirm", "cancel", "payment"].map(|call| format!("/checkouts/{id}/{call}"));
    let mut values = vec![json!(null), json!(true), json!([]), json!({}), json!(""), json!("a b"), json!("nobody")];
    values.extend(["initiated", "succeeded", "failed", "pending"].map(Value::from));
    for number in [-1, 0, 1, 119, 120, 121, 3600, 86_399, 86_400, 86_401, 4_294_967_296_i64] {
        values.push(number.into());
    }
    values.push(json!(1.5));
    for length in [254, 255, 256, 499, 500, 501] {
        values.extend(["x", "ü"].map(|letter| json!(letter.repeat(length))));
    }
    let request: Value = serde_json::from_str(support::REQUEST).unwrap();
    let mut differ = Vec::new();
    for (path, fields, rest) in [
        ("/sessions", &["customer_id", "ttl_seconds"][..], json!({"customer_id": "nobody"})),
        (&payment, &["status", "reference"], json!({"status": "initiated"})),
        (&cancel, &["reason"], json!({})),
        (&confirm, &["payment_method_id"], json!({})),
        ("/checkouts/schedule", &["count"], request.clone()),
    ] {
        let described = &DOCUMENT["paths"][path.replace(&id, "{id}")]["post"]["requestBody"]["content"];
        let schema = validator(&described["application/json"]["schema"]);
        for field in fields {
            for value in &values {
                let mut body = rest.clone();
                body[*field] = value.clone();
                let answer = server.post(path, body.to_string()).await;
                if schema.is_valid(&body) == refuses(&answer, field) {
                    differ.push(format!("{path} {field}: {value:.40} {}", answer.status));
                }
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The same of what an address may ask for.
#[tokio::test]
async fn the_document_and_the_lists_refuse_the_same() {
    let server = Server::start().await;
    let long = "x".repeat(256);
    let texts = ["", "0", "1", "100", "101", "-1", "1.5", "x", "a%20b", "%C3%BC", "pending", "2026-11-22T12:00:00Z"];
    let mut differ = Vec::new();
    for path in ["/checkouts", "/contracts"] {
        for parameter in DOCUMENT["paths"][path]["get"]["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            // What is a cursor cannot be told from its letters.
            if name == "cursor" {
                continue;
            }
            let schema = validator(&parameter["schema"]);
            for text in texts.iter().copied().chain([&long[1..], &long]) {
                let decoded = text.replace("%20", " ").replace("%C3%BC", "ü");
                let value = match decoded.parse() {
                    Ok(number) if name == "limit" => Value::Number(number),
                    _ => decoded.into(),
                };
                let answer = server.get(&format!("{path}?{name}={text}")).await;
                if schema.is_valid(&value) == refuses(&answer, name) {
                    differ.push(format!("{path} {name}: {text:.40} {}", answer.status));
                }
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn every_example_is_valid() {
    let mut tried = 0;
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        let this = json!({"$ref": format!("#/components/schemas/{name}")});
        for example in schema.get("examples").and_then(Value::as_array).unwrap_or(&Vec::new()) {
            assert!(validator(&this).is_valid(example), "{name}: {example}");
            tried += 1;
        }
        for (field, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            for example in schema.get("examples").and_then(Value::as_array).unwrap_or(&Vec::new()) {
                assert!(validator(schema).is_valid(example), "{name}.{field}: {example}");
                tried += 1;
            }
        }
    }
    for (path, method, operation) in endpoints() {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            for content in answer.get("content").and_then(Value::as_object).into_iter().flat_map(|kinds| kinds.values())
            {
                let schema = validator(&content["schema"]);
                let shown = content.get("examples").and_then(Value::as_object).into_iter().flatten();
                let mut codes = Vec::new();
                for (name, reference) in shown {
                    let place = reference["$ref"].as_str().unwrap().trim_start_matches('#');
                    let example = &DOCUMENT.pointer(place).unwrap()["value"];
                    let wrong = schema.iter_errors(example).map(|error| error.to_string()).collect::<Vec<_>>();
                    assert!(wrong.is_empty(), "{method} {path} {status} {name}: {example} {wrong:?}");
                    codes.push(json!(name));
                    tried += 1;
                }
                // Every answer is shown, and an error for each of its reasons; the catalog's schema has an example itself.
                assert!(!codes.is_empty() || (path, method) == ("/catalog", "get"), "{method} {path} {status}");
                if let Some(reasons) = content.pointer("/schema/allOf/1/properties/code/enum") {
                    assert_eq!(&json!(codes), reasons, "{method} {path} {status}");
                }
            }
        }
        if let Some(content) = operation.pointer("/requestBody/content/application~1json")
            && let Some(example) = content.get("example")
        {
            assert!(validator(&content["schema"]).is_valid(example), "{method} {path}: {example}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried} examples");
}

const ANSWERS: &str = include_str!("../src/schema/answers.json");

/// Whether two answers are the same but for what a verifier makes up: ids, secrets, cursors. What was made up once has to be
/// the same wherever it stands again.
fn is_like(shown: &Value, answered: &Value, made_up: &mut BTreeMap<String, String>) -> bool {
    // The last two are cursors, `checkout …` and `contract …`.
    const BEGINNINGS: [&str; 4] = ["cs_", "st_", "Y2hlY2tvdXQg", "Y29udHJhY3Qg"];
    let is_made_up = |text: &str| {
        uuid::Uuid::parse_str(text).is_ok() || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
    };
    match (shown, answered) {
        (Value::Object(shown), Value::Object(answered)) => {
            shown.keys().eq(answered.keys())
                && shown.values().zip(answered.values()).all(|(shown, answered)| is_like(shown, answered, made_up))
        }
        (Value::Array(shown), Value::Array(answered)) => {
            shown.len() == answered.len()
                && shown.iter().zip(answered).all(|(shown, answered)| is_like(shown, answered, made_up))
        }
        (Value::String(shown), Value::String(answered)) if is_made_up(shown) && is_made_up(answered) => {
            made_up.entry(shown.clone()).or_insert_with(|| answered.clone()) == answered
        }
        (shown, answered) => shown == answered,
    }
}

/// The story that the examples tell, told again.
#[tokio::test]
async fn the_answers_shown_are_those_of_the_server() {
    let server = Server::empty().await;
    let mut told = Vec::new();
    let mut tell = |name: &str, answer: support::Answer| {
        assert!(answer.status.is_success(), "{}", answer.text);
        told.push(format!("\"{name}\": {}", answer.text));
        answer
    };
    let request = r#"{"plan_id":"team_monthly_usd","business_entity_id":"ternwell_us",
        "product_overrides":[{"product_id":"seats","quantity":"4"}],"customer_data":{"name":"Ada"}}"#;
    tell("health", server.get("/healthz").await);
    tell("stored_catalog", server.put("/catalog", include_str!("../../www/catalog.json")).await);
    let preview = tell("preview", server.post("/checkouts/preview", request).await);
    let counted = request.replace("\"plan_id\"", "\"count\":2,\"plan_id\"");
    tell("schedule", server.post("/checkouts/schedule", counted).await);
    let given_up = server.create(request).await;
    server.set_now("2026-11-22T12:00:05Z");
    let created = tell("created_checkout", server.post("/checkouts", support::expecting(request, &preview)).await);
    let id = created.string("id");
    let path = format!("/checkouts/{id}");
    tell("checkout", server.get(&path).await);
    tell("checkouts", server.get("/checkouts?limit=1").await);
    server.set_now("2026-11-22T12:01:00Z");
    tell("cancelled_checkout", server.post(&format!("/checkouts/{given_up}/cancel"), "").await);
    server.set_now("2026-11-22T12:02:00Z");
    let payment = format!("{path}/payment");
    tell("paid_checkout", server.post(&payment, r#"{"status":"initiated","reference":"pi_1"}"#).await);
    server.set_now("2026-11-22T12:03:00Z");
    assert_eq!(server.post(&payment, r#"{"status":"succeeded","reference":"pi_1"}"#).await.status, 200);
    let confirm = server.post(&format!("{path}/confirm"), r#"{"payment_method_id":"pm_1"}"#).await;
    let confirmed = tell("confirmed_checkout", confirm);
    tell("contract", server.get(&format!("/contracts/{}", confirmed.string("contract_id"))).await);
    tell("contracts", server.get("/contracts?limit=1").await);
    let whose = format!(r#"{{"customer_id":"{}"}}"#, confirmed.string("customer_id"));
    let token = tell("session_token", server.post("/sessions", whose).await);

    let text = format!("{{\n{}\n}}\n", told.join(",\n"));
    let (shown, answered) = (serde_json::from_str(ANSWERS).unwrap(), serde_json::from_str(&text).unwrap());
    // Its secrets are not shown: whoever looks for those that lie about finds none.
    let text = text.replace(&created.string("client_secret"), "cs_…").replace(&token.string("session_token"), "st_…");
    let is_like = is_like(&shown, &answered, &mut BTreeMap::new());
    assert!(is_like, "verifier/src/schema/answers.json has to be\n{text}");
}

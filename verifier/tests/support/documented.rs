//! Whether an answer is one that `/openapi.json` describes: its status, its headers' names and its body, to the last field.

use super::Answer;
use axum::http::Method;
use checkout_verifier::http::document;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&document()).unwrap());

/// The operation that a path and a method name, and its path in the document.
fn operation(method: &str, path: &str) -> Option<(String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let steps: Vec<&str> = path.split('/').collect();
    let matches = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == steps.len()
            && template.iter().zip(&steps).all(|(name, step)| name == step || name.starts_with('{') && !step.is_empty())
    };
    let literal = paths.get_key_value(path);
    let (template, item) = literal.or_else(|| paths.iter().find(|(template, _)| matches(template)))?;
    item.get(method.to_lowercase()).map(|operation| (template.clone(), operation))
}

/// A validator of one of the document's schemas.
pub fn validator(schema: &Value) -> Validator {
    let mut whole = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema]});
    whole["components"] = DOCUMENT["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

/// Each is made once: the preview's is large.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

#[track_caller]
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    let asked = if method == Method::HEAD { "get" } else { method.as_str() };
    let Some((template, operation)) = operation(asked, path) else { return };
    let named = format!("{method} {template} {status}");
    let Some(described) = operation["responses"].get(status.to_string()) else {
        panic!("the document has no answer {named}: {}", answer.text)
    };
    for name in ["etag", "location", "retry-after", "idempotent-replayed", "x-request-id", "www-authenticate"] {
        let is_described = described["headers"].get(name).is_some();
        assert!(is_described || !answer.headers.contains_key(name), "the document has no header {name}: {named}");
    }
    let Some(content) = described.get("content") else {
        assert!(answer.text.is_empty(), "the document has no body: {named}");
        return;
    };
    if method == Method::HEAD {
        return;
    }
    let kind = answer.headers["content-type"].to_str().unwrap();
    let Some(content) = content.get(kind) else { panic!("the document has no {kind}: {named}") };
    let body: Value = serde_json::from_str(&answer.text).unwrap();
    if let Some(code) = body.get("code").and_then(Value::as_str) {
        check_shown(code, &body);
    }
    let validator = Arc::clone(
        VALIDATORS.lock().unwrap().entry(named.clone()).or_insert_with(|| Arc::new(validator(&content["schema"]))),
    );
    let errors: Vec<String> =
        validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{named}: {}\n{}", errors.join("\n"), answer.text);
}

/// A problem has the fields of the one that is shown for its code, and says the same in words where it always does.
#[track_caller]
fn check_shown(code: &str, body: &Value) {
    let shown = &DOCUMENT["components"]["examples"][code]["value"];
    let fields = |problem: &Value| problem.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(shown.is_object(), "no {code} is shown");
    assert_eq!(fields(body), fields(shown), "{code}");
    // Which of several it is, where, and how many there are.
    let says_more = ["not_json", "forbidden", "rejected"].contains(&code) || code.starts_with("checkout_not_");
    for field in ["type", "title", "status", "detail"] {
        assert!(body[field] == shown[field] || field == "detail" && says_more, "{code}: {body}");
    }
}

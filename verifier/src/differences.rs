//! What the buyer was shown beside what it costs.
//!
//! Two documents are equal when they hold the same values: the order of an object's keys does not count, every digit of
//! an amount does (`"29.9"` is not `"29.90"`).

use crate::error::Difference;
use checkout_preview::Json;

/// Every place where `actual` is not what was `expected`, in the order of `actual`; empty when they are equal.
///
/// `path` is where the two documents stand: `/estimates` gives `/estimates/current_invoice/total`.
pub fn differences(path: &str, expected: &Json, actual: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(path, Some(expected), Some(actual), &mut found);
    found
}

fn compare(path: &str, expected: Option<&Json>, actual: Option<&Json>, found: &mut Vec<Difference>) {
    match (expected, actual) {
        (Some(Json::Object(before)), Some(Json::Object(after))) => {
            for (key, value) in after {
                compare(&child(path, key), expected.and_then(|object| object.get(key)), Some(value), found);
            }
            for (key, value) in before {
                if actual.and_then(|object| object.get(key)).is_none() {
                    compare(&child(path, key), Some(value), None, found);
                }
            }
        }
        (Some(Json::List(before)), Some(Json::List(after))) => {
            for index in 0..before.len().max(after.len()) {
                compare(&format!("{path}/{index}"), before.get(index), after.get(index), found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(Difference { path: path.into(), expected: expected.cloned(), actual: actual.cloned() }),
    }
}

fn child(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use checkout_preview::json;

    fn found(expected: &str, actual: &str) -> String {
        let [expected, actual] = [expected, actual].map(|text| json::parse(text.as_bytes()).unwrap());
        json::to_text(&differences("/estimates", &expected, &actual))
    }

    #[test]
    fn the_order_of_keys_is_no_difference() {
        assert_eq!(found(r#"{"a":1,"b":[{"c":"2","d":null}]}"#, r#"{"b":[{"d":null,"c":"2"}],"a":1.0}"#), "[]");
    }

    #[test]
    fn every_digit_is() {
        assert_eq!(
            found(r#"{"total":"29.9"}"#, r#"{"total":"29.90"}"#),
            r#"[{"path":"/estimates/total","expected":"29.9","actual":"29.90"}]"#
        );
    }

    #[test]
    fn what_one_side_lacks_is_left_out() {
        assert_eq!(
            found(r#"{"a/b":[1],"x":null}"#, r#"{"a/b":[1,2]}"#),
            r#"[{"path":"/estimates/a~1b/1","actual":2},{"path":"/estimates/x","expected":null}]"#
        );
    }

    #[test]
    fn another_kind_of_value_is_one_difference() {
        assert_eq!(found("7", r#"{"a":1}"#), r#"[{"path":"/estimates","expected":7,"actual":{"a":1}}]"#);
    }
}

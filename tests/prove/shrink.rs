//! Makes a case small while something still holds of it: takes away what it can, and simplifies the rest.

use serde_json::{Value, json};

/// How often it asks whether it still holds.
const TRIES: u32 = 3000;

/// The smallest case found of which it holds.
pub fn shrink(case: Value, holds: &mut impl FnMut(&Value) -> bool) -> Value {
    let mut smallest = case;
    let mut tries = 0;
    'again: loop {
        for smaller in candidates(&smallest) {
            tries += 1;
            if tries > TRIES {
                return smallest;
            }
            if holds(&smaller) {
                smallest = smaller;
                continue 'again;
            }
        }
        return smallest;
    }
}

/// Everything that is a little less: the largest steps first.
fn candidates(value: &Value) -> Vec<Value> {
    let mut paths = Vec::new();
    pointers(value, String::new(), &mut paths);
    let without = paths.iter().filter_map(|path| removed(value, path));
    let simpler = paths.iter().flat_map(|path| simpler(value, path));
    without.chain(simpler).collect()
}

fn pointers(value: &Value, path: String, found: &mut Vec<String>) {
    let mut go = |key: String, inner: &Value| {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(path.clone());
        pointers(inner, path, found);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, inner)| go(key.clone(), inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, inner)| go(at.to_string(), inner)),
        _ => {}
    }
}

/// Without what stands at a path; the case's own fields stay.
fn removed(value: &Value, path: &str) -> Option<Value> {
    let (parent, key) = path.rsplit_once('/')?;
    if parent.is_empty() {
        return None;
    }
    let mut value = value.clone();
    match value.pointer_mut(parent)? {
        Value::Object(fields) => _ = fields.remove(&key.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => _ = items.remove(key.parse().ok()?),
        _ => return None,
    }
    Some(value)
}

/// With something plain at a path.
fn simpler(value: &Value, path: &str) -> Vec<Value> {
    let Some(now) = value.pointer(path) else { return Vec::new() };
    let plain: &[Value] = match now {
        Value::String(text) if text.len() > 1 && !text.starts_with(|first: char| first.is_ascii_digit()) => {
            &[json!("a")]
        }
        Value::String(text) if text.parse::<f64>().is_ok_and(|number| number != 0.0 && number != 1.0) => {
            &[json!("0"), json!("1")]
        }
        _ => &[],
    };
    plain
        .iter()
        .map(|plain| {
            let mut value = value.clone();
            *value.pointer_mut(path).unwrap() = plain.clone();
            value
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::shrink;
    use serde_json::json;

    #[test]
    fn what_is_not_needed_goes() {
        let case = json!({"request": {"plan_id": "team", "start_date": "2026-01-01", "more": [1, 2, {"bad": "17.25"}]}, "catalog": {"plans": [1, 2, 3]}});
        let small = shrink(case, &mut |case| {
            case.pointer("/request/more").is_some_and(|more| more.to_string().contains("bad"))
        });
        assert_eq!(small, json!({"request": {"more": [{"bad": "0"}]}, "catalog": {}}));
    }
}

//! Every case of `tests/cases` against the engine, field by field; `tests/README.md` says how to add one.
#![cfg(not(target_arch = "wasm32"))]

mod support;

use checkout_preview::{Catalog, Json, Problems, json, preview, time_zone};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use support::{citations, clock, rules};

/// The codes of R2.7.
const CODES: [&str; 44] = [
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
    "plan_not_found",
    "plan_not_active",
    "currency_mismatch",
    "contract_not_found",
    "contract_not_active",
    "customer_not_found",
    "customer_mismatch",
    "customer_id_required",
    "business_entity_not_found",
    "business_entity_mismatch",
    "business_entity_id_required",
    "guest_with_customer",
    "guest_cannot_amend",
    "start_date_outside_contract",
    "end_date_not_allowed",
    "end_date_before_start_date",
    "expires_at_out_of_range",
    "override_target_required",
    "override_target_ambiguous",
    "override_target_not_found",
    "override_empty",
    "override_duplicate",
    "effective_from_out_of_range",
    "quantity_below_minimum",
    "quantity_above_maximum",
    "quantity_not_a_multiple",
    "quantity_not_applicable",
    "catalog_invalid",
    "nothing_changes",
    "plan_unchanged",
    "matrix_price_not_found",
    "amount_out_of_range",
];

const STAGES: [&str; 13] = [
    "request",
    "catalog",
    "detect",
    "phases",
    "periods",
    "price",
    "charge",
    "invoice",
    "taxes",
    "credit",
    "amendment",
    "preview",
    "bad-input",
];

struct Case {
    /// `price/package-301`.
    name: String,
    note: String,
    request: Json,
    catalog: Json,
    as_of: String,
    now: String,
    want: Want,
}

enum Want {
    Preview(Json),
    /// Codes and paths.
    Problems(Vec<(String, String)>),
}

#[test]
fn every_case_gets_the_answer_it_wants() {
    let mut report = String::new();
    let mut failed = 0;
    let cases = cases();
    for case in &cases {
        let differences = run(case);
        if !differences.is_empty() {
            failed += 1;
            writeln!(report, "\n{}\n  {}", case.name, case.note).unwrap();
            for difference in differences {
                writeln!(report, "    {difference}").unwrap();
            }
        }
    }
    assert!(failed == 0, "{failed} of {} cases differ:\n{report}", cases.len());
}

#[test]
fn every_stage_has_cases() {
    // What `cargo xtask prove` has found, if it has, is of any stage.
    let stages = cases().into_iter().map(|case| case.name.split('/').next().unwrap_or_default().to_owned());
    let found: BTreeSet<String> = stages.filter(|stage| stage != "crashers").collect();
    assert_eq!(found, STAGES.map(String::from).into());
}

#[test]
fn every_rule_is_cited_by_a_case() {
    let known: BTreeSet<String> = rules().into_iter().collect();
    let mut cited = BTreeSet::new();
    for case in cases() {
        let rules = citations(&case.note);
        let is_named = case.note.starts_with("Section ") || rules.iter().any(|rule| case.note.starts_with(rule));
        assert!(is_named, "{}: the note begins with the rule it is about: {}", case.name, case.note);
        for rule in rules {
            // A note may name a whole section: `R4: per_unit is q x unit_amount`.
            let is_section = rule.len() == 2;
            assert!(is_section || known.contains(&rule), "{}: the specification has no {rule}", case.name);
            cited.insert(rule);
        }
    }
    let missing: Vec<&String> = known.difference(&cited).collect();
    assert!(missing.is_empty(), "no case cites {missing:?}");
}

#[test]
fn every_code_is_wanted_by_a_case() {
    let known: BTreeSet<&str> = CODES.into();
    let cases = cases();
    let mut wanted = BTreeSet::new();
    for case in &cases {
        if let Want::Problems(problems) = &case.want {
            for (code, _) in problems {
                assert!(known.contains(code.as_str()), "{}: there is no code {code}", case.name);
                wanted.insert(code.as_str());
            }
        }
    }
    let missing: Vec<&&str> = known.difference(&wanted).collect();
    assert!(missing.is_empty(), "no case wants {missing:?}");
}

/// What a request names is enough to answer it, to the byte, wherever in the whole catalog that stands.
#[test]
fn a_catalog_with_what_the_request_names_answers_as_the_whole_does() {
    let (mut alone, mut amended, mut told_at_a_contract) = (0, 0, 0);
    for case in cases() {
        let clock = clock(&case.as_of, &case.now);
        for json in [case.catalog.clone(), in_a_crowd(&case.catalog)] {
            let Ok(whole) = Catalog::load(json.clone()) else { continue };
            let is = |entry: &Json, id: Option<&Json>| id.is_some() && entry.get("id") == id;
            let mut contracts = numbered(&json, "contracts");
            contracts.retain(|(_, contract)| is(contract, case.request.get("contract_id")));
            let mut customers = numbered(&json, "customers");
            customers.retain(|(_, customer)| {
                is(customer, case.request.get("customer_id"))
                    || contracts.iter().any(|(_, contract)| is(customer, contract.get("customer_id")))
            });
            (alone, amended) = (alone + 1, amended + contracts.len());

            let seen = Catalog::load(for_everyone(&json)).unwrap().with(customers, contracts);
            let seen = seen.unwrap_or_else(|why| panic!("{}: {why}", case.name));
            let answer = |catalog| preview(&case.request, catalog, clock).map(|preview| json::to_text(&preview));
            let wanted = answer(&whole);
            if let Err(problems) = &wanted {
                let is_there = |path: &str| path.starts_with("/catalog/contracts/7/");
                told_at_a_contract += problems.as_slice().iter().filter(|problem| is_there(&problem.path)).count();
            }
            assert_eq!(answer(&seen), wanted, "{}", case.name);
            assert_eq!(time_zone(&case.request, &seen), time_zone(&case.request, &whole), "{}", case.name);
            assert_eq!(seen.version(), whole.version(), "{}", case.name);
        }
    }
    assert!(alone > 1000 && amended > 400, "only {alone} catalogs were compared, {amended} of them with a contract");
    assert!(told_at_a_contract > 0, "no case has a problem at the eighth contract");
}

/// Customers and contracts that the whole catalog is refused for are refused alone, in the same words and order.
#[test]
fn customers_and_contracts_are_refused_as_in_the_whole() {
    let (mut refused, mut refused_alone) = (0, 0);
    for case in cases() {
        let Ok(everyone) = Catalog::load(for_everyone(&case.catalog)) else { continue };
        let crowd = in_a_crowd(&case.catalog);
        let mut wholes = vec![case.catalog.clone()];
        wholes.extend(["customers", "contracts"].iter().flat_map(|list| with_a_mistake(&crowd, list)));
        for json in wholes {
            let whole = Catalog::load(json.clone()).err();
            let (customers, contracts) = (numbered(&json, "customers"), numbered(&json, "contracts"));
            let text = || format!("{}: {}", case.name, json::to_text(&json));
            assert_eq!(everyone.with(customers.clone(), contracts.clone()).err(), whole, "{}", text());
            let Some(whole) = whole else { continue };
            refused += 1;

            // Where all of it is in the last of a list, that one is refused beside none of the others, too.
            let is_in_last = |list: &str, entries: &[(usize, Json)]| {
                let at = format!("/catalog/{list}/{}/", entries.len().saturating_sub(1));
                let mut problems = whole.as_slice().iter();
                problems.all(|problem| problem.path.starts_with(&at) && !problem.message.contains("twice"))
            };
            let last = |entries: &[(usize, Json)]| entries.last().cloned().into_iter().collect();
            let alone = if is_in_last("contracts", &contracts) {
                everyone.with(customers, last(&contracts))
            } else if is_in_last("customers", &customers) {
                everyone.with(last(&customers), Vec::new())
            } else {
                continue;
            };
            refused_alone += 1;
            assert_eq!(alone.err(), Some(whole), "{}", text());
        }
    }
    assert!(refused > 4000 && refused_alone > 3000, "only {refused} catalogs were refused, {refused_alone} for one");
}

/// The catalog without its customers and contracts.
fn for_everyone(catalog: &Json) -> Json {
    let Json::Object(fields) = catalog else { return catalog.clone() };
    let is_for_everyone = |name: &str| !["customers", "contracts"].contains(&name);
    Json::Object(fields.iter().filter(|(name, _)| is_for_everyone(name)).cloned().collect())
}

/// A list of the catalog, each entry with its index.
fn numbered(catalog: &Json, list: &str) -> Vec<(usize, Json)> {
    match catalog.get(list) {
        Some(Json::List(entries)) => entries.iter().cloned().enumerate().collect(),
        _ => Vec::new(),
    }
}

/// The catalog with three other customers and seven other contracts before its own.
fn in_a_crowd(catalog: &Json) -> Json {
    let mut catalog = catalog.clone();
    let Json::Object(fields) = &mut catalog else { return catalog };
    for (name, value) in fields {
        let others = if name == "customers" { 3 } else { 7 };
        let Json::List(entries) = value else { continue };
        let Some(first) = entries.first().filter(|_| name == "customers" || name == "contracts") else { continue };
        let other = |number| with_field(first, "id", Some(Json::String(format!("other-{number}"))));
        let before: Vec<Json> = (0..others).map(other).collect();
        entries.splice(0..0, before);
    }
    catalog
}

/// The object with a field of another value, or without it.
fn with_field(object: &Json, name: &str, value: Option<Json>) -> Json {
    let Json::Object(fields) = object else { return object.clone() };
    let mut fields: Vec<_> = fields.iter().filter(|(other, _)| other != name).cloned().collect();
    fields.extend(value.map(|value| (name.to_owned(), value)));
    Json::Object(fields)
}

/// The catalog in many ways, each with one thing changed in the last entry of a list; most are mistakes.
fn with_a_mistake(catalog: &Json, list: &str) -> Vec<Json> {
    let mut entries: Vec<Json> = numbered(catalog, list).into_iter().map(|(_, entry)| entry).collect();
    let Some(last) = entries.pop() else { return Vec::new() };
    let mut changed = vec![
        vec![last.clone(), last.clone()],
        vec![Json::Number(42.0.into())],
        vec![with_field(&last, "colour", Some(Json::String("red".into())))],
    ];
    for name in keys(&last) {
        let values = [None, Some(Json::Number(42.0.into())), Some(Json::String("nowhere".into()))];
        changed.extend(values.map(|value| vec![with_field(&last, name, value)]));
    }
    let put = |last: Vec<Json>| with_field(catalog, list, Some(Json::List([entries.clone(), last].concat())));
    changed.into_iter().map(put).collect()
}

/// What differs between the answer and the wanted one; nothing if the case holds.
fn run(case: &Case) -> Vec<String> {
    let clock = clock(&case.as_of, &case.now);
    let catalog = match Catalog::load(case.catalog.clone()) {
        Ok(catalog) => catalog,
        Err(problems) => return compare_problems(&case.want, &problems),
    };
    match preview(&case.request, &catalog, clock) {
        Ok(preview) => {
            let text = json::to_text(&preview);
            let again = checkout_preview::preview(&case.request, &catalog, clock).map(|again| json::to_text(&again));
            let mut differences = compare_previews(&case.want, &text);
            if again.as_ref() != Ok(&text) {
                differences.push("the same input gave other bytes the second time (R1.7)".into());
            }
            differences
        }
        Err(problems) => compare_problems(&case.want, &problems),
    }
}

fn compare_previews(want: &Want, text: &str) -> Vec<String> {
    let Json::Object(mut fields) = json::parse(text.as_bytes()).unwrap() else {
        return vec![format!("the preview is no object: {text}")];
    };
    match fields.pop() {
        Some((name, Json::String(_))) if name == "engine_version" => {}
        other => return vec![format!("the last field is not the engine's version: {other:?}")],
    }
    let got = Json::Object(fields);
    match want {
        Want::Preview(want) => {
            let mut differences = Vec::new();
            compare("", want, &got, &mut differences);
            differences
        }
        Want::Problems(problems) => {
            let total = got.get("estimates").and_then(|estimates| estimates.get("current_invoice")?.get("total"));
            vec![format!("wanted {problems:?}, got a preview whose current total is {}", shown(total))]
        }
    }
}

fn compare_problems(want: &Want, problems: &Problems) -> Vec<String> {
    let mut differences = Vec::new();
    let mut got = Vec::new();
    for problem in problems.as_slice() {
        got.push((problem.code.as_str().to_owned(), problem.path.clone()));
        let (message, help) = (&problem.message, &problem.help);
        if message.is_empty() || message.starts_with(char::is_uppercase) || message.ends_with('.') {
            differences.push(format!("{}: a message is lower case without a full stop: {message:?}", problem.path));
        }
        if help.trim().is_empty() {
            differences.push(format!("{}: help says what to do: {help:?}", problem.path));
        }
    }
    match want {
        Want::Problems(want) if *want == got => {}
        Want::Problems(want) => {
            let line = |problems: &[(String, String)]| {
                let all: Vec<String> = problems.iter().map(|(code, path)| format!("{code} at {path:?}")).collect();
                all.join(", ")
            };
            differences.push(format!("wanted {}", line(want)));
            differences.push(format!("got    {}", line(&got)));
        }
        Want::Preview(_) => differences.push(format!("wanted a preview, got {problems}")),
    }
    differences
}

/// Notes every place where two values differ. The order of an object's fields is compared elsewhere, as bytes.
fn compare(path: &str, want: &Json, got: &Json, differences: &mut Vec<String>) {
    match (want, got) {
        (Json::Object(wanted), Json::Object(_)) => {
            for (key, value) in wanted {
                match got.get(key) {
                    Some(got) => compare(&format!("{path}/{key}"), value, got, differences),
                    None => differences.push(format!("{path}/{key}: wanted {}, got nothing", shown(Some(value)))),
                }
            }
            if let Json::Object(fields) = got {
                for (key, value) in fields.iter().filter(|(key, _)| want.get(key).is_none()) {
                    differences.push(format!("{path}/{key}: wanted nothing, got {}", shown(Some(value))));
                }
            }
        }
        (Json::List(wanted), Json::List(items)) => {
            if wanted.len() != items.len() {
                differences.push(format!("{path}: wanted {} items, got {}", wanted.len(), items.len()));
            }
            for (index, (want, got)) in wanted.iter().zip(items).enumerate() {
                compare(&format!("{path}/{index}"), want, got, differences);
            }
        }
        (want, got) if want == got => {}
        (want, got) => {
            differences.push(format!("{path}: wanted {}, got {}", shown(Some(want)), shown(Some(got))));
        }
    }
}

fn shown(value: Option<&Json>) -> String {
    value.map_or("nothing".into(), json::to_text)
}

/// The cases, in the order of their names.
///
/// # Panics
/// The folder is empty, or a file is not a case.
fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    assert!(!files.is_empty(), "there are no cases in {}", folder.display());
    files.iter().map(|file| read(&folder, file)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn read(folder: &Path, file: &Path) -> Case {
    let relative = file.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
    let Some(name) = relative.strip_suffix(".json") else { panic!("{relative}: only .json files are cases") };
    assert_eq!(name.matches('/').count(), 1, "{name}: a case is a file in the folder of its stage");
    let text = std::fs::read(file).unwrap();
    let case = json::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_eq!(keys(&case), ["note", "request", "catalog", "as_of", "now", "want"], "{name}: the fields of a case");
    let text = |key: &str| match case.get(key) {
        Some(Json::String(text)) => text.clone(),
        _ => panic!("{name}: {key} is not a string"),
    };
    Case {
        note: text("note"),
        request: case.get("request").unwrap().clone(),
        catalog: case.get("catalog").unwrap().clone(),
        as_of: text("as_of"),
        now: text("now"),
        want: want(name, case.get("want").unwrap()),
        name: name.to_owned(),
    }
}

fn want(name: &str, want: &Json) -> Want {
    match (want.get("status"), keys(want)[..].get(1)) {
        (Some(Json::String(status)), Some(&"preview")) if status == "ok" => {
            let preview = want.get("preview").unwrap();
            assert!(preview.get("engine_version").is_none(), "{name}: a wanted preview names no engine version");
            Want::Preview(preview.clone())
        }
        (Some(Json::String(status)), Some(&"problems")) if status == "rejected" => {
            let Some(Json::List(problems)) = want.get("problems") else { panic!("{name}: problems are a list") };
            assert!(!problems.is_empty(), "{name}: no problem is wanted");
            let text = |problem: &Json, key| match problem.get(key) {
                Some(Json::String(text)) => text.clone(),
                _ => panic!("{name}: a problem has a {key}"),
            };
            Want::Problems(
                problems
                    .iter()
                    .map(|problem| {
                        assert_eq!(keys(problem), ["code", "path"], "{name}: a wanted problem");
                        (text(problem, "code"), text(problem, "path"))
                    })
                    .collect(),
            )
        }
        _ => panic!("{name}: want is {{status: ok, preview}} or {{status: rejected, problems}}"),
    }
}

fn keys(value: &Json) -> Vec<&str> {
    match value {
        Json::Object(fields) => fields.iter().map(|(key, _)| key.as_str()).collect(),
        _ => Vec::new(),
    }
}

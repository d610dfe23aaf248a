//! How long a preview takes, measured against writing the same preview out as JSON; and how long a contract takes to be
//! put into a catalog that is loaded, whatever the size of that.
//!
//! Times differ from machine to machine; the ratios of one run are what to look at. `cargo xtask bench` runs this.

use checkout_preview::{Catalog, Clock, Json, json, preview, read_date, read_instant};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use std::path::{Path, PathBuf};

/// One thing to preview, and the row of the table it belongs to.
struct Case {
    group: &'static str,
    size: u32,
    request: Json,
    catalog: Catalog,
}

fn read(text: &str) -> Json {
    json::parse(text.as_bytes()).expect("the benchmark's own JSON")
}

/// A plan of `lines` pricings in turns per unit, tiered, volume and package, each with `tiers` tiers.
fn catalog(lines: u32, tiers: u32, cadence: &str, enabled: bool) -> Catalog {
    Catalog::load(read(&catalog_text(lines, tiers, cadence, enabled, ""))).expect("the benchmark's own catalog")
}

fn catalog_text(lines: u32, tiers: u32, cadence: &str, enabled: bool, features: &str) -> String {
    let tier_list: Vec<String> = (1..=tiers)
        .map(|tier| {
            let up_to = if tier == tiers { "null".to_owned() } else { format!("\"{}\"", tier * 10) };
            format!(r#"{{"up_to": {up_to}, "unit_amount": "{}.{:02}"}}"#, 100 - tier % 90, tier % 100)
        })
        .collect();
    let tier_list = tier_list.join(",");
    let pricings: Vec<String> = (0..lines)
        .map(|line| {
            let data = match line % 4 {
                0 => r#"{"pricing_type": "per_unit", "unit_amount": "12.50"}"#.to_owned(),
                1 => format!(r#"{{"pricing_type": "tiered", "tiers": [{tier_list}]}}"#),
                2 => format!(r#"{{"pricing_type": "volume", "tiers": [{tier_list}]}}"#),
                _ => r#"{"pricing_type": "package", "unit_amount": "8.00", "package_size": "100"}"#.to_owned(),
            };
            format!(
                r#"{{"id": "pri_{line}", "product": {{"id": "prod_{line}", "name": "Product {line}", "description": "As agreed"}},
                "is_enabled": {enabled}, "billing_period": {{"cadence": "{cadence}", "offset": "prepaid"}},
                "quantity": {{"type": "fixed", "value": "{}"}}, "pricing_data": {data},
                "discounts": [{{"type": "percent", "value": "7.5", "cycles": 3}}]}}"#,
                25 + line
            )
        })
        .collect();
    format!(
        r#"{{"version": "bench", "business_entities": [{{"id": "be_1", "time_zone": "UTC", "taxes": [{{"name": "VAT", "percent": "19"}}]}}],
        "customers": [{{"id": "cus_1", "business_entity_id": "be_1"}}],
        "plans": [{{"id": "plan", "currency": "USD", "phases": [{{"name": "Regular", {features} "pricings": [{}]}}]}}]}}"#,
        pricings.join(",")
    )
}

/// What a credit has to be told of: its part of what the phase takes off.
const PHASE_FEATURES: &str = r#""discounts": [{"type": "percent", "value": "10"}, {"type": "fixed", "value": "5"}],
    "commitments": [{"type": "maximum_spend", "amount": "100000"}],"#;

/// A contract of 20 lines that began on 15 January, some of which are changed in the middle of a period; with none
/// changed, a new subscription of the same 20 lines.
fn amendment(group: &'static str, changed: u32, features: &str) -> Case {
    let plan = catalog_text(20, 3, "P1M", true, features);
    if changed == 0 {
        let request = read(r#"{"plan_id": "plan", "customer_id": "cus_1"}"#);
        return Case { group, size: 0, request, catalog: Catalog::load(read(&plan)).expect("a catalog") };
    }
    let mut stored: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    stored["contracts"] = serde_json::json!([contract(&plan)]);
    let overrides: Vec<String> =
        (0..changed).map(|line| format!(r#"{{"line_item_id": "li_{line}", "quantity": "20"}}"#)).collect();
    Case {
        group,
        size: changed,
        request: read(&format!(r#"{{"contract_id": "con_1", "product_overrides": [{}]}}"#, overrides.join(","))),
        catalog: Catalog::load(read(&stored.to_string())).expect("the benchmark's own contract"),
    }
}

/// The contract of a catalog's plan and customer that began on 15 January.
fn contract(catalog: &str) -> serde_json::Value {
    let new = read(r#"{"plan_id": "plan", "customer_id": "cus_1", "start_date": "2026-01-15"}"#);
    let loaded = Catalog::load(read(catalog)).expect("the benchmark's own catalog");
    let made = preview(&new, &loaded, clock()).expect("a preview");
    let mut contract = serde_json::to_value(&made).expect("JSON")["contract"].take();
    contract["id"] = "con_1".into();
    contract["version"] = 1.into();
    for (index, line) in contract["phases"][0]["lines"].as_array_mut().expect("lines").iter_mut().enumerate() {
        line["line_item_id"] = format!("li_{index}").into();
    }
    contract
}

/// How many plans there are in the catalogs that a contract is put into.
const PLANS: [u32; 3] = [5, 500, 5000];

/// A customer and a contract of 5 lines put into catalogs with that many plans of 5 lines, beside loading them.
fn views(criterion: &mut Criterion) {
    let text = catalog_text(5, 3, "P1M", true, "");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let plan = json["plans"][0].clone();
    let entry = |value: &serde_json::Value| (0, read(&value.to_string()));
    let (customer, contract) = (entry(&json["customers"][0]), entry(&contract(&text)));
    for count in PLANS {
        let mut plans = vec![plan.clone(); count.try_into().expect("a few")];
        for (index, plan) in plans.iter_mut().enumerate().skip(1) {
            plan["id"] = format!("plan_{index}").into();
        }
        json["plans"] = plans.into();
        let whole = read(&json.to_string());
        let catalog = Catalog::load(whole.clone()).expect("the benchmark's own catalog");
        let mut group = criterion.benchmark_group("plans");
        group.bench_function(BenchmarkId::new("with", count), |bencher| {
            let entries = || (vec![customer.clone()], vec![contract.clone()]);
            bencher.iter_batched(entries, |(one, other)| catalog.with(one, other), BatchSize::SmallInput);
        });
        group.sample_size(10);
        group.bench_function(BenchmarkId::new("load", count), |bencher| {
            bencher.iter_batched(|| whole.clone(), Catalog::load, BatchSize::PerIteration);
        });
        group.finish();
    }
}

fn cases() -> Vec<Case> {
    let plain = r#"{"plan_id": "plan", "customer_id": "cus_1", "start_date": "2026-11-22"}"#;
    let by_lines = [1, 5, 20, 200].map(|lines| Case {
        group: "lines",
        size: lines,
        request: read(plain),
        catalog: catalog(lines, 3, "P1M", true),
    });
    let by_tiers = [3, 30, 300].map(|tiers| Case {
        group: "tiers",
        size: tiers,
        request: read(plain),
        catalog: catalog(20, tiers, "P1M", true),
    });
    // A daily contract whose lines were switched on two days ago: what is charged is the same whatever its age.
    let by_age = [("2026-11-20", 0), ("2016-11-20", 10), ("1970-01-01", 56)].map(|(start, years)| {
        let switched_on: Vec<String> = (0..20)
            .map(|line| {
                format!(r#"{{"pricing_id": "pri_{line}", "is_enabled": true, "effective_from": "2026-11-20"}}"#)
            })
            .collect();
        let request = format!(
            r#"{{"plan_id": "plan", "customer_id": "cus_1", "start_date": "{start}", "product_overrides": [{}]}}"#,
            switched_on.join(",")
        );
        Case { group: "years of age", size: years, request: read(&request), catalog: catalog(20, 3, "P1D", false) }
    });
    let amended = [0, 1, 5, 20].map(|changed| amendment("lines changed", changed, ""));
    let discounted = [0, 1, 5, 20].map(|changed| amendment("discounted", changed, PHASE_FEATURES));
    by_lines.into_iter().chain(by_tiers).chain(by_age).chain(amended).chain(discounted).collect()
}

/// The mean that criterion wrote down, in microseconds.
fn mean(folder: &Path, group: &str, what: &str, size: u32) -> f64 {
    let file = folder.join(group.replace(' ', "_")).join(what).join(size.to_string()).join("new/estimates.json");
    let estimates: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("criterion's estimates")).expect("JSON");
    estimates["median"]["point_estimate"].as_f64().expect("a number") / 1000.0
}

fn clock() -> Clock {
    Clock {
        as_of: read_date(&Json::String("2026-11-22".to_owned()), "").expect("a date"),
        now: read_instant(&Json::String("2026-11-22T10:00:00Z".to_owned()), "").expect("an instant"),
    }
}

fn main() {
    let clock = clock();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/criterion");
    let mut criterion = Criterion::default()
        .output_directory(&folder)
        .without_plots()
        .sample_size(30)
        .measurement_time(std::time::Duration::from_millis(1500))
        .warm_up_time(std::time::Duration::from_millis(300))
        .configure_from_args();
    let cases = cases();
    for case in &cases {
        let mut group = criterion.benchmark_group(case.group.replace(' ', "_"));
        let made = preview(&case.request, &case.catalog, clock).expect("a preview");
        group.throughput(Throughput::Elements(u64::from(case.size.max(1))));
        group.bench_function(BenchmarkId::new("preview", case.size), |bencher| {
            bencher.iter(|| preview(black_box(&case.request), black_box(&case.catalog), clock));
        });
        group.bench_function(BenchmarkId::new("serialise", case.size), |bencher| {
            bencher.iter(|| serde_json::to_vec(black_box(&made)));
        });
        group.finish();
    }
    views(&mut criterion);

    println!(
        "\n{:>14} {:>6} {:>12} {:>14} {:>7} {:>14}",
        "by", "size", "preview µs", "serialise µs", "ratio", "against first"
    );
    let mut first = (0.0, "");
    for case in &cases {
        let (made, written) =
            (mean(&folder, case.group, "preview", case.size), mean(&folder, case.group, "serialise", case.size));
        if first.1 != case.group {
            first = (made, case.group);
        }
        println!(
            "{:>14} {:>6} {:>12.2} {:>14.2} {:>7.2} {:>14.2}",
            case.group,
            case.size,
            made,
            written,
            made / written,
            made / first.0
        );
    }
    println!(
        "\nratio: preview / serialise, to stay below 2. Against first: growth within one group; where lines of 20 are changed,"
    );
    println!("against a new subscription of 20 lines (size 0), to stay below 3.");

    println!("\n{:>14} {:>12} {:>14}", "plans", "with µs", "load µs");
    for count in PLANS {
        let (with, load) = (mean(&folder, "plans", "with", count), mean(&folder, "plans", "load", count));
        println!("{count:>14} {with:>12.2} {load:>14.2}");
    }
    println!(
        "\nwith: a contract of 5 lines and its customer put into a loaded catalog, to cost the same for every size."
    );
}

//! A request of any bytes, to a shop with everything in it.
#![no_main]

use checkout_preview::{Catalog, Clock, Json, checkout_type, preview};
use checkout_preview_fuzz::{generate, mutate, parse};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::sync::LazyLock;

/// A generated case with a contract, and the moment it is for.
static SHOP: LazyLock<(Catalog, Clock)> = LazyLock::new(|| {
    let case = (0..).map(generate::case).find(|case| {
        case["catalog"]["contracts"].is_array()
            && parse(case["catalog"].to_string().as_bytes()).is_some_and(|json| Catalog::load(json).is_ok())
    });
    let case = case.expect("some case has a contract");
    let catalog = Catalog::load(parse(case["catalog"].to_string().as_bytes()).expect("it is JSON")).expect("it loads");
    let as_of =
        checkout_preview::read_date(&Json::String(case["as_of"].as_str().expect("a day").into()), "").expect("a day");
    let now = checkout_preview::read_instant(&Json::String(case["now"].as_str().expect("an instant").into()), "")
        .expect("an instant");
    (catalog, Clock { as_of, now })
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate(data, size, max_size, seed) });

fuzz_target!(|data: &[u8]| {
    let Some(request) = parse(data) else { return };
    let _ = checkout_type(&request);
    let (catalog, clock) = &*SHOP;
    let _ = preview(&request, catalog, *clock);
});

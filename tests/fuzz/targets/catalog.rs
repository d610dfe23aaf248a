//! A catalog of any bytes.
#![no_main]

use checkout_preview::{Catalog, json};
use checkout_preview_fuzz::{mutate, parse};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate(data, size, max_size, seed) });

fuzz_target!(|data: &[u8]| {
    let Some(catalog) = parse(data) else { return };
    if let Err(problems) = Catalog::load(catalog) {
        // What is wrong can be said, and each problem is in a place that a reader can find.
        assert!(!problems.as_slice().is_empty());
        assert!(problems.as_slice().iter().all(|problem| problem.path.starts_with("/catalog")));
        let _ = json::to_text(&problems);
    }
});

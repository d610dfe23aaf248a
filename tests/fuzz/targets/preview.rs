//! A whole case of any bytes: catalog, request and moment; the preview, or the invoices to come.
#![no_main]

use checkout_preview::json;
use checkout_preview_fuzz::{answer, mutate, parse};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate(data, size, max_size, seed) });

fuzz_target!(|data: &[u8]| {
    let Some(case) = parse(data) else { return };
    if let Ok(text) = answer(&case) {
        // What goes over the wire is JSON, and the same each time.
        assert!(json::parse(text.as_bytes()).is_ok());
        assert_eq!(answer(&case).ok(), Some(text));
    }
});

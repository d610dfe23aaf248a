//! The browser door's text: of any bytes it reads something; of JSON, what the native reader reads.
#![no_main]

use checkout_preview::json;
use checkout_preview::wasm;
use checkout_preview_fuzz::{mutate, parse};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

/// As deep as `pkg/src/read.js` writes: what is deeper it names so, and goes no further.
const DEPTH: usize = 66;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate(data, size, max_size, seed) });

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > DEPTH {
        return;
    }
    let _ = wasm::read(text);
    let Some(value) = parse(data) else { return };
    // As `JSON.stringify` writes it: without spaces, and each number as a double prints.
    let written = json::to_text(&value);
    assert_eq!(json::to_text(&wasm::read(&written)), written);
});

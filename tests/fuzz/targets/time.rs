//! Time against size: of an input and its answer together, no more than so much for each byte, however it is built.
#![no_main]

use checkout_preview_fuzz::{answer, mutate, parse};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::time::{Duration, Instant};

/// What anything may take: a busy machine looks away for as long.
const ALWAYS: Duration = Duration::from_millis(50);
/// What a byte may take: some hundred times what it does take, in a build for fuzzing.
const A_BYTE: Duration = Duration::from_micros(10);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { mutate(data, size, max_size, seed) });

fuzz_target!(|data: &[u8]| {
    let Some(case) = parse(data) else { return };
    let took = |_| {
        let start = Instant::now();
        let length = answer(&case).map_or(0, |text| text.len());
        (start.elapsed(), length)
    };
    let (first, length) = took(0);
    let bytes = u32::try_from(data.len() + length).unwrap_or(u32::MAX);
    let most = ALWAYS + A_BYTE * bytes;
    if first > most {
        // The best of three, for what is slow is slow each time.
        let least = (0..3).map(took).map(|(time, _)| time).min().unwrap_or(first);
        assert!(least <= most, "{least:?} for {bytes} bytes");
    }
});

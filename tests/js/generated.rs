//! Prints the generated checkouts of the first seeds, one a line, for runners that are not written in Rust.
//!
//! `cargo run --example generated -- 100`

#[path = "../support/generated.rs"]
mod generated;

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let seeds = std::env::args().nth(1).and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    let mut output = io::BufWriter::new(io::stdout().lock());
    for seed in 0..seeds {
        writeln!(output, "{}", generated::case(seed).to_json())?;
    }
    output.flush()
}

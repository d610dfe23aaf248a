//! Microseconds that a native preview takes, for each line of `{catalog, requests, as_of, now}` on standard input: what
//! `bench.mjs` measures the package against.

#![expect(clippy::disallowed_methods, reason = "it reads the clock to measure by")]

use checkout_preview::{Catalog, Clock, Json, json, preview, read_date, read_instant};
use std::error::Error;
use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lines() {
        let case = json::parse(line?.as_bytes())?;
        let field = |name| case.get(name).ok_or(format!("{name} is missing"));
        let Json::List(requests) = field("requests")? else { return Err("requests is no list".into()) };
        let catalog = Catalog::load(field("catalog")?.clone()).map_err(|problems| problems.to_string())?;
        let now = read_instant(field("now")?, "/now").map_err(|problems| problems.to_string())?;
        let as_of = read_date(field("as_of")?, "/as_of").map_err(|problems| problems.to_string())?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let (start, mut calls) = (Instant::now(), 0_u32);
            while start.elapsed() < ROUND {
                for request in requests {
                    let made =
                        preview(request, &catalog, Clock { as_of, now }).map_err(|problems| problems.to_string())?;
                    black_box(made);
                    calls += 1;
                }
            }
            rounds.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
        }
        rounds.sort_by(f64::total_cmp);
        println!("{}", rounds[ROUNDS / 2]);
    }
    Ok(())
}

//! Measurements: of the engine, and of the verifier as a server.

use crate::shell::{cargo, program, run, target};
use crate::{package, setup};
use anyhow::Result;

pub(crate) const HELP: &str = "\
Measure the engine (benches/preview.rs), the package (benches/js) or the verifier (verifier/benches/server).

Usage: cargo xtask bench [ARGUMENTS]
       cargo xtask bench --js
       cargo xtask bench server [OPTIONS]

The engine: arguments go to the benchmark; a word picks the measurements whose names hold it.

The package: a preview with a kept catalog, in Node and in Chromium, against the same rules in JavaScript with big.js and
with decimal.js, against JSON.parse of its own output, and against the native engine; the first preview of a page; and the
element while a slider moves.

The server: the verifier's release build against a bare server on both stores, its memory, and what many sessions in the
store cost. PostgreSQL is a throw-away one, as durable as a real one; both stores live in TMPDIR.

Options:
  --store STORE     sqlite or postgres [default: both]
  --rounds N        turns that each comparison takes; 0 leaves the bare server out [default: 5]
  --seconds N       how long a turn is [default: 2]
  --created N       sessions created while memory is watched; 0 for none [default: 20000]
  --sessions N      sessions in the store that is full; 0 for none [default: 20000]

The goals are for `--created 100000 --sessions 1000000`; a million sessions are 6 GB in SQLite.";

pub(crate) fn bench(rest: &[String]) -> Result<()> {
    if let [flag] = rest
        && flag == "--js"
    {
        return bench_js();
    }
    let (package, bench, rest) = match rest {
        [server, rest @ ..] if server == "server" => ("checkout-verifier", "server", rest),
        rest => ("checkout-preview", "preview", rest),
    };
    run(cargo(["bench", "--package", package, "--bench", bench, "--"]).args(rest))
}

fn bench_js() -> Result<()> {
    package::build()?;
    let browser = setup::browser()?;
    setup::npm_packages()?;
    setup::npm_packages_of("benches/js")?;
    run(&mut cargo(["build", "--release", "--example", "native"]))?;
    let native = target().join("release/examples/native").with_extension(std::env::consts::EXE_EXTENSION);
    run(program("node", ["benches/js/bench.mjs"]).arg(native).arg(&browser.chromium))
}

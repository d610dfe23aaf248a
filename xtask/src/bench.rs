//! Measurements: of the engine, and of the verifier as a server.

use crate::shell::{cargo, run};
use anyhow::Result;

pub(crate) const HELP: &str = "\
Measure the engine (benches/preview.rs) or the verifier (verifier/benches/server).

Usage: cargo xtask bench [ARGUMENTS]
       cargo xtask bench server [OPTIONS]

The engine: arguments go to the benchmark; a word picks the measurements whose names hold it.

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
    let (package, bench, rest) = match rest {
        [server, rest @ ..] if server == "server" => ("checkout-verifier", "server", rest),
        rest => ("checkout-preview", "preview", rest),
    };
    run(cargo(["bench", "--package", package, "--bench", bench, "--"]).args(rest))
}

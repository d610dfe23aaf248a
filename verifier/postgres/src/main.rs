//! `cargo run --package throwaway-postgres`: a cluster to try things on, until its standard input ends or it is stopped.

use std::io::{self, Read};
use throwaway_postgres::{Cluster, Programs, Settings};

fn main() -> Result<(), String> {
    let cluster = Cluster::start(&Programs::find()?, Settings::default())?;
    println!("{}\n{}", cluster.url(), cluster.folder().display());
    let _ = io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}

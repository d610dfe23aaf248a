//! The server door.
fn main() {}

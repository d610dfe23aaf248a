//! PostgreSQL clusters for tests and measurements: made in a temporary folder in a second or two, as durable as real
//! ones, killed and started again at will, and gone with the process that started them, however that ends.
//!
//! [`Programs`] finds what is installed; [`Cluster`] makes a cluster with it; [`Settings`] say how durable. Nothing
//! here connects by itself: [`Cluster::url`] is for the driver of whoever asks, and [`Cluster::psql`] for preparing.
//!
//! ```
//! use throwaway_postgres::{Cluster, Programs, Settings};
//!
//! let Some(programs) = Programs::find_or_tell("the example") else { return Ok(()) };
//! let cluster = Cluster::start(&programs, Settings::default())?;
//! cluster.psql("create table checkouts (id int primary key)")?;
//! assert!(cluster.url().starts_with("postgres://postgres@127.0.0.1:"));
//! # Ok::<(), String>(())
//! ```

mod cluster;
mod processes;
mod programs;

pub use cluster::{Cluster, Settings, StopMode};
pub use programs::Programs;

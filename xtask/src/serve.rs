//! The demo.
use anyhow::Result;
pub(crate) const HELP: &str = "";
pub(crate) fn serve(_: &[String]) -> Result<()> {
    Ok(())
}

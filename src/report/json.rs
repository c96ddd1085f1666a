//! `report -o json`: the report itself, `undock.report/v1`; `docs/report.schema.json` describes it.

use std::io::{self, Write};

use super::model::{Report, SCHEMA};

/// Writes `report` as one JSON object.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// Where it is something else.
pub fn read(bytes: &[u8]) -> Result<Report, String> {
    let report: Report = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if report.schema == SCHEMA { Ok(report) } else { Err(format!("its schema is {:?}, not {SCHEMA:?}", report.schema)) }
}

//! `report -o json`: the report itself, `undock.report/v1`; `docs/report.schema.json` describes it.

use std::io::{self, Write};

use serde::Deserialize;

use super::model::{Report, SCHEMA};
use crate::finding::text::clip;

/// Writes `report` as one JSON object.
///
/// # Errors
/// If writing to `out` fails.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// Where it is something else.
pub fn read(bytes: &[u8]) -> Result<Report, String> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        schema: String,
    }
    // What it is comes before what is wrong with it.
    let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if head.schema != SCHEMA {
        return Err(format!(
            "its schema is {:?}, not {SCHEMA:?}",
            clip(&head.schema, 60)
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

//! Tables whose rows hold entries: columns and rows of a query's answer, and CSV exports; each row
//! becomes an object.

use std::io::Read;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::report::fields::Fields;

#[derive(Deserialize)]
struct Column {
    #[serde(alias = "ColumnName")]
    name: String,
}

/// The rows of `{"columns": [{"name": ...}], "rows": [[...]]}` as objects; Kusto writes the keys in
/// capitals, Elasticsearch and OpenSearch have names of their own.
pub(super) fn rows(fields: &Fields<'_>) -> Option<Vec<String>> {
    let columns = fields.raw(&["columns", "Columns", "schema"])?.get();
    let columns: Vec<Column> = serde_json::from_str(columns).ok()?;
    let rows = fields.raw(&["rows", "Rows", "values", "datarows"])?.get();
    let rows: Vec<Vec<&RawValue>> = serde_json::from_str(rows).ok()?;
    let object = |row: &Vec<&RawValue>| {
        let pairs = columns.iter().zip(row).map(|(column, value)| {
            format!("{}:{}", Value::from(column.name.as_str()), value.get())
        });
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
    };
    Some(rows.iter().map(object).collect())
}

/// Gives each row of a CSV file to `take` with its line, as an object in JSON.
///
/// # Errors
/// If a row cannot be read.
pub(in crate::report) fn csv_rows(
    input: impl Read,
    take: &mut dyn FnMut(usize, &[u8]),
) -> Result<(), csv::Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let titles = reader.headers()?.clone();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map_or(0, |position| position.line());
        let object: Map<String, Value> = titles
            .iter()
            .zip(&row)
            .map(|(title, cell)| (title.trim().to_owned(), Value::from(cell)))
            .collect();
        take(
            usize::try_from(line).unwrap_or_default(),
            Value::Object(object).to_string().as_bytes(),
        );
    }
    Ok(())
}

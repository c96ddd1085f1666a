//! Tables whose rows hold entries: columns and rows of a query's answer, and CSV exports; each row
//! becomes an object.

use std::io::Read;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::report::csv_layout::CsvLayout;
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

/// Gives each row of a CSV file to `take` with its line, as an object in JSON; a cell without a
/// title has its number.
///
/// # Errors
/// If a row cannot be read.
pub(in crate::report) fn csv_rows(
    mut input: impl Read,
    layout: CsvLayout,
    take: &mut dyn FnMut(usize, &[u8]),
) -> Result<(), csv::Error> {
    let mut before = Vec::new();
    let start = u64::try_from(layout.start).unwrap_or_default();
    input.by_ref().take(start).read_to_end(&mut before)?;
    let lines_before = memchr::memchr_iter(b'\n', &before).count();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(layout.delimiter)
        .has_headers(layout.has_titles)
        .from_reader(input);
    let titles = reader.headers()?.clone();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map_or(0, |position| position.line());
        let title = |column: usize| match titles.get(column) {
            Some(title) if layout.has_titles => title.trim().to_owned(),
            _ => column.to_string(),
        };
        // What a row does not have stands in some exports as a dash.
        let cells = row.iter().enumerate();
        let cells = cells.filter(|(_, cell)| !matches!(*cell, "" | "-"));
        let object: Map<String, Value> = cells
            .map(|(column, cell)| (title(column), Value::from(cell)))
            .collect();
        take(
            lines_before + usize::try_from(line).unwrap_or_default(),
            Value::Object(object).to_string().as_bytes(),
        );
    }
    Ok(())
}

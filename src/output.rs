//! The output formats of `check` and `scan`, one file for each.

mod chart;
pub mod check_json;
pub mod check_table;
pub mod github;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub mod scan_json;
pub mod scan_table;
pub(crate) mod style;

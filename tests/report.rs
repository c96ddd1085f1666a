//! `undock report`: inputs of every form, the fate of findings, exemptions, verdicts, outputs; driven through the binary.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a test that fails is a test that panics")]

#[path = "report/captures.rs"]
mod captures;
#[path = "report/example.rs"]
mod example;
#[path = "report/exemptions.rs"]
mod exemptions;
#[path = "report/fates.rs"]
mod fates;
#[path = "report/formats.rs"]
mod formats;
#[path = "support/json_schema.rs"]
mod json_schema;
#[path = "report/outputs.rs"]
mod outputs;
#[path = "report/scans.rs"]
mod scans;
#[path = "report/schema.rs"]
mod schema;
#[path = "report/support.rs"]
mod support;

//! `undock report`: inputs of every form, the fate of findings, exemptions, verdicts, outputs; driven through the binary.

#![allow(
    clippy::unwrap_used,
    reason = "a test that fails is a test that panics"
)]

mod captures;
mod coverage;
mod example;
mod exemptions;
mod fates;
mod field;
mod formats;
mod history;
mod outputs;
mod pages;
mod scans;
mod schema;
mod support;
mod wrappings;

//! The tests that need no cluster and no network: one program, a module for each part of undock.

#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what is skipped is said, and figures are for people"
)]

mod bounds;
mod catalogue;
mod certs_script;
mod check;
mod check_places;
mod check_repository;
mod command_line;
mod controller;
mod corpus;
mod cpu_time;
mod decisions;
mod doctor;
mod exemptions;
mod forged_exemptions;
mod image_oracle;
mod known_faults;
mod large_objects;
mod manifests;
mod manifests_input;
mod one_engine;
mod one_truth;
mod owner_exemptions;
mod product_scripts;
mod properties;
mod protocol;
mod records;
mod rehearsal;
mod report;
mod report_page;
mod rules;
mod scan;
mod scan_command;
mod series;
mod serve;
mod shell_oracle;
mod sockets_in_scripts;
mod support;
mod tidy;

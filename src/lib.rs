//! undock: a validating admission webhook that moves Kubernetes clusters off Docker Engine.
//!
//! The modules in the order in which a review passes through them; each imports only from those
//! before it.

pub mod kinds;

pub mod embedded;

pub mod workload;

pub mod analysis;

pub mod finding;

pub mod rules;

pub mod decision;

pub mod record;

pub mod registration;

pub mod review;

pub mod admission;

pub mod manifest;

pub mod check;

pub mod explain;

pub mod api;

pub mod scan;

pub mod output;

pub mod report;

pub mod config;

pub mod metrics;

pub mod telemetry;

pub mod cluster;

pub mod server;

pub mod doctor;

pub mod controller;

pub mod commands;

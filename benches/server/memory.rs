//! Resident memory, and the time from start to ready.

use std::time::Instant;

use super::bodies::Body;
use super::process::{Load, Server, write_certificates};
use super::{Gates, Outcome};

const CONNECTIONS: usize = 64;

/// Prints the figures and holds them against their gates.
pub(crate) fn measure(gates: &mut Gates) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    write_certificates(folder)?;
    // Started a few times, because the first finds the executable's pages cold.
    let mut starts = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        let server = Server::start_undock(folder, &folder.join("records"))?;
        server.wait_ready()?;
        starts.push(started.elapsed().as_secs_f64() * 1e3);
    }
    starts.sort_by(f64::total_cmp);
    gates.at_most("start to ready", starts[starts.len() / 2], 100.0, "ms");

    let server = Server::start_undock(folder, &folder.join("records"))?;
    server.wait_ready()?;
    gates.at_most("resident memory, idle", server.memory("VmRSS")?, 16.0, "MB");
    let mut load = Load::connect(&server, folder, Body::Clean, CONNECTIONS, 0)?;
    load.send(CONNECTIONS * 50)?;
    gates.at_most(
        "resident memory, most at 64 connections x 10 KB",
        server.memory("VmHWM")?,
        24.0,
        "MB",
    );
    load.end()?;
    println!();
    Ok(())
}

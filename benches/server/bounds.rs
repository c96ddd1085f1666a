//! CPU and memory of the dearest reviews that kube-apiserver can send, each through a server of its own.

use std::path::Path;

use super::bodies::Body;
use super::process::{Load, Server, write_certificates};
use super::{Gates, Outcome};

/// Requests of each kind, one after the other; the first one warms nothing up.
const REQUESTS: usize = 3;

/// As many clients as send the largest bodies at once.
const AT_ONCE: usize = 100;

/// `resources.limits.memory` of `manifests/base/deployment.yaml`, in MB of 10^6 bytes.
const MEMORY_LIMIT: f64 = 256.0 * 1.048_576;

/// Prints the figures and holds them against their gates.
pub(crate) fn measure(gates: &mut Gates) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    write_certificates(folder)?;
    let start = || -> Outcome<(Server, f64)> {
        let server = Server::start_undock(folder, &folder.join("records"))?;
        server.wait_ready()?;
        let idle = server.memory("VmRSS")?;
        Ok((server, idle))
    };
    Body::write_dear(folder)?;
    for body in Body::dear() {
        let (server, idle) = start()?;
        let size = body.review_in(folder).len() as f64 / 1e6;
        let name = format!("{} ({size:.1} MB)", body.name());
        let cpu = cpu_of_each(&server, folder, body)?;
        gates.at_most(&format!("CPU, {name}"), cpu, 50.0, "ms");
        let taken = server.memory("VmHWM")? - idle;
        gates.at_most(&format!("memory, {name}"), taken, 64.0 * 1.048_576, "MB");
        if body == Body::Escaped {
            let floor = Server::start_role("floor", folder)?;
            let cpu = cpu_of_each(&floor, folder, body)?;
            let name = "CPU to receive it, floor";
            println!("{name:<52} {cpu:>9.2} ms");
        }
    }
    let (server, _) = start()?;
    let mut load = Load::connect(&server, folder, Body::Padded, AT_ONCE, 0)?;
    load.send(AT_ONCE)?;
    let name = format!("memory, {AT_ONCE} bodies of 8 MiB at once, all answered");
    gates.at_most(&name, server.memory("VmHWM")?, MEMORY_LIMIT, "MB");
    load.end()?;
    println!();
    Ok(())
}

/// CPU time in milliseconds that `server` takes for each of a few `body`.
fn cpu_of_each(server: &Server, folder: &Path, body: Body) -> Outcome<f64> {
    let mut load = Load::connect(server, folder, body, 1, 0)?;
    let before = server.cpu()?;
    load.send(REQUESTS)?;
    let cpu = server.cpu()? - before;
    load.end()?;
    Ok(cpu.as_secs_f64() * 1e3 / REQUESTS as f64)
}

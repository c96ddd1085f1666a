//! Server CPU per request: undock between the floor and kube's `DynamicObject`, in interleaved rounds.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::bodies::Body;
use super::process::{Load, Server, check_processors, write_certificates};
use super::{Gates, Outcome};

/// As kube-apiserver keeps under load; it has 25 idle connections at most.
const CONNECTIONS: usize = 16;

/// No round is begun after this, on a machine that is busy with other work.
const MOST_TIME: Duration = Duration::from_secs(120);

/// The servers, in the order of columns.
const NAMES: [&str; 3] = ["floor", "undock", "DynamicObject"];
const FLOOR: usize = 0;
const UNDOCK: usize = 1;
const DYNAMIC: usize = 2;

/// Prints the table and holds the ratios against their gates.
pub(crate) fn measure(smoke: bool, gates: &mut Gates) -> Outcome<()> {
    check_processors()?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    write_certificates(folder)?;
    let records = folder.join("records");
    let servers = [
        Server::start_role("floor", folder)?,
        Server::start_undock(folder, &records)?,
        Server::start_role("dynamic", folder)?,
    ];
    let (most_rounds, end) = (if smoke { 3 } else { 15 }, Instant::now() + MOST_TIME);
    let mut rounds = 0;
    // samples[body][server][round], in microseconds per request.
    let mut samples = vec![vec![Vec::new(); servers.len()]; Body::ALL.len()];
    let (mut sent, mut first) = (0, 0);
    while rounds < most_rounds && (rounds < 3 || Instant::now() < end) {
        for (b, body) in Body::ALL.into_iter().enumerate() {
            let requests = match (smoke, body) {
                (true, Body::Large) => 200,
                (true, _) => 600,
                (false, Body::Large) => 600,
                (false, _) => 2400,
            };
            for turn in 0..servers.len() {
                let s = (rounds + turn) % servers.len();
                let cost = cost(&servers[s], folder, body, requests, first)?;
                samples[b][s].push(cost.as_secs_f64() * 1e6 / requests as f64);
                first += 2 * requests;
                if s == UNDOCK && body == Body::Finding {
                    sent += requests;
                }
            }
        }
        rounds += 1;
    }
    print(&samples, rounds);
    let (clean, finding, large) = (&samples[0], &samples[1], &samples[2]);
    gates.at_most(
        "clean Pod of 10 KB against the floor",
        ratio(&clean[UNDOCK], &clean[FLOOR]),
        1.9,
        "x",
    );
    gates.at_most(
        "the same with a finding and its record",
        ratio(&finding[UNDOCK], &finding[FLOOR]),
        2.5,
        "x",
    );
    gates.at_most(
        "Pod of 68 KB against the floor",
        ratio(&large[UNDOCK], &large[FLOOR]),
        3.0,
        "x",
    );
    gates.at_least(
        "10 KB: DynamicObject against undock",
        ratio(&clean[DYNAMIC], &clean[UNDOCK]),
        2.5,
        "x",
    );
    gates.at_least(
        "68 KB: DynamicObject against undock",
        ratio(&large[DYNAMIC], &large[UNDOCK]),
        3.5,
        "x",
    );
    drop(servers);
    let written = memchr::memchr_iter(b'\n', &fs::read(&records)?).count();
    gates.at_least(
        "records written, per review with a finding",
        (written as f64 / f64::from(sent)).min(1.0),
        1.0,
        "",
    );
    println!();
    Ok(())
}

/// The processor time that `server` takes for `requests`, handshakes aside.
fn cost(
    server: &Server,
    certificates: &Path,
    body: Body,
    requests: i32,
    first: i32,
) -> Outcome<Duration> {
    let mut load = Load::connect(server, certificates, body, CONNECTIONS, first.try_into()?)?;
    // What is still being done for the requests before, or for these, is done by then.
    let settle = || std::thread::sleep(Duration::from_millis(20));
    settle();
    let before = server.cpu()?;
    load.send(requests.try_into()?)?;
    settle();
    let cost = server.cpu()? - before;
    load.end()?;
    Ok(cost)
}

fn print(samples: &[Vec<Vec<f64>>], rounds: usize) {
    println!(
        "server CPU in microseconds per request: HTTP/1.1 over TLS 1.3, {CONNECTIONS} connections; median of {rounds} rounds (least)"
    );
    println!(
        "{:<22} {:>16} {:>16} {:>16}",
        "body", NAMES[0], NAMES[1], NAMES[2]
    );
    for (body, servers) in Body::ALL.into_iter().zip(samples) {
        let cell = |s: usize| {
            let least = servers[s].iter().copied().fold(f64::INFINITY, f64::min);
            format!("{:.1} ({least:.1})", median(servers[s].clone()))
        };
        let name = format!("{}, {} bytes", body.name(), body.review().len());
        println!("{name:<22} {:>16} {:>16} {:>16}", cell(0), cell(1), cell(2));
    }
    println!();
}

/// The median over the rounds of `a` against `b`: what disturbs a round disturbs both.
fn ratio(a: &[f64], b: &[f64]) -> f64 {
    median(a.iter().zip(b).map(|(a, b)| a / b).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

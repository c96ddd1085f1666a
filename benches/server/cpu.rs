//! Server CPU per request and p99: undock between the floor and kube's `DynamicObject`, in
//! interleaved rounds. With `UNDOCK_BEFORE=PATH` also another build of undock.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::bodies::Body;
use super::process::{Load, Server, check_processors, write_certificates};
use super::{Gates, Outcome};

/// As kube-apiserver keeps under load; it has 25 idle connections at most.
const CONNECTIONS: usize = 16;

/// No round is begun after this, on a machine that is busy with other work.
const MOST_TIME: Duration = Duration::from_secs(150);

/// Another build of undock, measured in the same rounds.
const BEFORE: &str = "UNDOCK_BEFORE";

/// The servers, in the order of columns; the last is there if [`BEFORE`] names it.
const NAMES: [&str; 4] = ["floor", "undock", "DynamicObject", "before"];
const FLOOR: usize = 0;
const UNDOCK: usize = 1;
const DYNAMIC: usize = 2;
const OLDER: usize = 3;

/// What is posted, on how many connections. What an operator feels is the lone request.
const CASES: [(Body, usize); 4] = [
    (Body::Clean, 1),
    (Body::Clean, CONNECTIONS),
    (Body::Finding, CONNECTIONS),
    (Body::Large, CONNECTIONS),
];

/// Of one server in one round.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Processor time for each request, in microseconds.
    cpu: f64,
    /// The time that one of a hundred requests exceeds, in microseconds.
    p99: f64,
}

/// Prints the table and holds the ratios against their gates.
pub(crate) fn measure(smoke: bool, gates: &mut Gates) -> Outcome<()> {
    check_processors()?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    write_certificates(folder)?;
    let records = folder.join("records");
    let mut servers = vec![
        Server::start_role("floor", folder)?,
        Server::start_undock(folder, &records)?,
        Server::start_role("dynamic", folder)?,
    ];
    if let Some(before) = std::env::var_os(BEFORE) {
        servers.push(Server::start(
            Path::new(&before),
            folder,
            &folder.join("records-before"),
        )?);
    }
    let (most_rounds, end) = (if smoke { 3 } else { 15 }, Instant::now() + MOST_TIME);
    let mut rounds = 0;
    // samples[case][server][round]
    let mut samples = vec![vec![Vec::new(); servers.len()]; CASES.len()];
    let (mut sent, mut first) = (0, 0);
    while rounds < most_rounds && (rounds < 3 || Instant::now() < end) {
        for (c, (body, connections)) in CASES.into_iter().enumerate() {
            let requests = match (smoke, body) {
                (true, Body::Large) => 200,
                (true, _) => 600,
                (false, Body::Large) => 600,
                (false, _) => 2400,
            };
            for turn in 0..servers.len() {
                let s = (rounds + turn) % servers.len();
                let load = Load::connect(&servers[s], folder, body, connections, first)?;
                samples[c][s].push(sample(&servers[s], load, requests)?);
                first += 2 * requests;
                if s == UNDOCK && body == Body::Finding {
                    sent += requests;
                }
            }
        }
        rounds += 1;
    }
    print(&samples, rounds);
    judge(&samples, gates);
    drop(servers);
    let written = memchr::memchr_iter(b'\n', &fs::read(&records)?).count();
    gates.at_least(
        "records written, per review with a finding",
        (written as f64 / sent as f64).min(1.0),
        1.0,
        "",
    );
    println!();
    Ok(())
}

fn judge(samples: &[Vec<Vec<Sample>>], gates: &mut Gates) {
    let cpu = |c: usize, a: usize, b: usize| ratio(&samples[c][a], &samples[c][b], |s| s.cpu);
    let tail = |c: usize| ratio(&samples[c][UNDOCK], &samples[c][FLOOR], |s| s.p99);
    gates.at_most(
        "lone request: CPU against the floor",
        cpu(0, UNDOCK, FLOOR),
        1.4,
        "x",
    );
    gates.at_most("lone request: p99 against the floor", tail(0), 1.3, "x");
    gates.at_most(
        "clean Pod of 10 KB against the floor",
        cpu(1, UNDOCK, FLOOR),
        1.7,
        "x",
    );
    gates.at_most("the same: p99 against the floor", tail(1), 2.0, "x");
    gates.at_most(
        "the same with a finding and its record",
        cpu(2, UNDOCK, FLOOR),
        2.2,
        "x",
    );
    gates.at_most(
        "Pod of 68 KB against the floor",
        cpu(3, UNDOCK, FLOOR),
        3.0,
        "x",
    );
    gates.at_least(
        "10 KB: DynamicObject against undock",
        cpu(1, DYNAMIC, UNDOCK),
        4.0,
        "x",
    );
    gates.at_least(
        "68 KB: DynamicObject against undock",
        cpu(3, DYNAMIC, UNDOCK),
        5.5,
        "x",
    );
    if samples[0].len() > OLDER {
        for (c, case) in CASES.into_iter().enumerate() {
            let name = format!("{}: undock against the build before", name(case));
            gates.at_most(&name, cpu(c, UNDOCK, OLDER), 1.05, "x");
        }
    }
}

/// What `server` takes for `requests`, handshakes aside.
fn sample(server: &Server, mut load: Load, requests: usize) -> Outcome<Sample> {
    // What is still being done for the requests before, or for these, is done by then.
    let settle = || std::thread::sleep(Duration::from_millis(20));
    settle();
    let before = server.cpu()?;
    let p99 = load.send(requests)?;
    settle();
    let cpu = (server.cpu()? - before).as_secs_f64() * 1e6 / requests as f64;
    load.end()?;
    Ok(Sample { cpu, p99 })
}

fn name((body, connections): (Body, usize)) -> String {
    format!("{} x {connections}", body.name())
}

fn print(samples: &[Vec<Vec<Sample>>], rounds: usize) {
    println!(
        "server CPU in microseconds per request, median of {rounds} rounds (least), and p99:\n\
         HTTP/1.1 over TLS 1.3, body x connections"
    );
    print!("{:<22}", "");
    for server in &NAMES[..samples[0].len()] {
        print!(" {server:>23}");
    }
    println!();
    for (case, servers) in CASES.into_iter().zip(samples) {
        print!(
            "{:<22}",
            format!("{}, {} bytes", name(case), case.0.review().len())
        );
        for rounds in servers {
            let least = rounds.iter().map(|s| s.cpu).fold(f64::INFINITY, f64::min);
            let cpu = median(rounds.iter().map(|s| s.cpu).collect());
            let p99 = median(rounds.iter().map(|s| s.p99).collect());
            print!(" {:>23}", format!("{cpu:.1} ({least:.1}) {p99:.0}"));
        }
        println!();
    }
    println!();
}

/// The median over the rounds of `a` against `b`: what disturbs a round disturbs both.
fn ratio(a: &[Sample], b: &[Sample], figure: impl Fn(&Sample) -> f64) -> f64 {
    let ratios = a.iter().zip(b).map(|(a, b)| figure(a) / figure(b));
    median(ratios.collect())
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

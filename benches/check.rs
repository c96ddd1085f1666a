//! Throughput of `undock check` over 10,000 objects in one process, in CPU time of all threads.
//!
//!     cargo bench --bench check [-- --once]
//!
//! With `--once` every input is read and checked one time only, which is what a profiler wants.
//!
//! Reads `../shared/corpus/manifests` (or `UNDOCK_TEST_SHARED`) again and again until it has 10,000 objects; without the
//! corpus, manifests that it makes. Prints MB/s of the reading of YAML alone and of the whole check, and the memory at
//! the start and at the end. The gate is 60 MB/s.

#![allow(clippy::print_stdout, reason = "the figures are for people")]

use std::fs;
use std::path::PathBuf;

use undock::check::{Input, check};
use undock::decision::{Mode, Policy};
use undock::manifest::{Manifest, documents};

const OBJECTS: usize = 10_000;

fn main() {
    let inputs = inputs();
    let bytes: usize = inputs.iter().map(|(_, text)| text.len()).sum();
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    println!("{} files, {:.2} MB", inputs.len(), bytes as f64 / 1e6);
    let (rounds, wanted) = if std::env::args().any(|argument| argument == "--once") {
        (1, 1)
    } else {
        (3, OBJECTS)
    };
    for round in 1..=rounds {
        let started = cpu_nanoseconds();
        for (_, text) in &inputs {
            for document in documents(text) {
                std::hint::black_box(Manifest::parse(&document).is_ok());
            }
        }
        let parse = megabytes_per_second(bytes, cpu_nanoseconds() - started);

        let before = resident_kilobytes();
        let (mut read, mut objects) = (0, 0);
        let started = cpu_nanoseconds();
        let files: Vec<_> = inputs
            .iter()
            .map(|(name, text)| Input::new(name, text.as_str()))
            .collect();
        while objects < wanted {
            objects += check(&files, "", &policy).objects.len();
            read += bytes;
        }
        let whole = megabytes_per_second(read, cpu_nanoseconds() - started);
        let after = resident_kilobytes();
        println!(
            "round {round}: {objects} objects, {:.1} MB: {whole:.1} MB/s (reading alone {parse:.1} MB/s), {before} kB before, {after} kB after",
            read as f64 / 1e6
        );
    }
}

fn megabytes_per_second(bytes: usize, nanoseconds: u64) -> f64 {
    bytes as f64 * 1e3 / nanoseconds as f64
}

fn inputs() -> Vec<(String, String)> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let mut found = Vec::new();
    for entry in fs::read_dir(shared.join("corpus/manifests"))
        .into_iter()
        .flatten()
        .flatten()
    {
        if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push((entry.path().display().to_string(), text));
        }
    }
    if found.is_empty() {
        println!("no corpus at {}: made manifests instead", shared.display());
        found = (0..300).map(|i| (format!("{i}.yaml"), made(i))).collect();
    }
    found.sort();
    found
}

/// A Deployment of three containers; every tenth mounts the Docker socket.
fn made(number: usize) -> String {
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\n  labels: {{app: app-{number}}}\nspec:\n  template:\n    spec:\n      containers:\n"
    );
    for container in 0..3 {
        text.push_str(&format!("      - name: c{container}\n        image: registry.example/team/app:{number}\n        env:\n"));
        for variable in 0..20 {
            text.push_str(&format!("        - name: SETTING_{variable}\n          value: \"some value of {variable}\"\n"));
        }
        text.push_str("        volumeMounts:\n        - {name: data, mountPath: /data}\n");
    }
    let path = if number.is_multiple_of(10) {
        "/var/run/docker.sock"
    } else {
        "/srv/data"
    };
    text.push_str(&format!(
        "      volumes:\n      - name: data\n        hostPath:\n          path: {path}\n"
    ));
    text
}

/// CPU time of all threads of this process, in steps of 10 ms: a busy neighbour does not count.
fn cpu_nanoseconds() -> u64 {
    let text = fs::read_to_string("/proc/self/stat").expect("Linux keeps the CPU time there");
    let (_, fields) = text
        .rsplit_once(')')
        .expect("the name of the process ends there");
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|field| field.parse::<u64>().expect("it is a number of ticks"))
        .sum::<u64>()
        * 10_000_000
}

fn resident_kilobytes() -> u64 {
    let text =
        fs::read_to_string("/proc/self/status").expect("Linux keeps the process's memory there");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("resident memory is listed");
    line.split_whitespace()
        .next()
        .and_then(|first| first.parse().ok())
        .expect("it is a number of kB")
}

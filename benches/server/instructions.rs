//! Instructions of one evaluation, bytes in and bytes out, counted by callgrind: the same on every quiet or busy machine.

use std::hint::black_box;
use std::process::Command;

use undock::admission;
use undock::decision::Policy;

use super::bodies::Body;
use super::{Gates, Outcome};

/// Evaluates a body a number of times.
pub(crate) fn evaluate(arguments: &[&str]) -> Outcome<()> {
    let [body, times] = arguments else {
        return Err("usage: BODY TIMES".into());
    };
    let (body, policy) = (
        Body::parse(body).ok_or("no such body")?.review(),
        Policy::default(),
    );
    for _ in 0..times.parse()? {
        black_box(admission::review(black_box(body.as_bytes()), &policy)?);
    }
    Ok(())
}

/// Prints the figures and holds that of the clean body against its gate.
pub(crate) fn measure(gates: &mut Gates) -> Outcome<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!(
            "WARNING: valgrind is not installed: instructions are NOT counted (apt-get install valgrind)\n"
        );
        return Ok(());
    }
    for body in Body::ALL {
        // What a longer run takes more is the evaluations alone.
        let (short, long) = (count(body, 10)?, count(body, 30)?);
        let each = (long - short) as f64 / 20.0;
        let name = format!(
            "instructions per evaluation, {} ({} bytes)",
            body.name(),
            body.review().len()
        );
        match body {
            Body::Clean => gates.at_most(&name, each, 110_000.0, ""),
            _ => println!("{name:<52} {each:>9.0}"),
        }
    }
    println!();
    Ok(())
}

/// Instructions of a whole process that evaluates `body` `times` times.
fn count(body: Body, times: usize) -> Outcome<u64> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?);
    let output = command
        .args(["role", "evaluate", body.name(), &times.to_string()])
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    let collected = log
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.ok_or_else(|| format!("valgrind counted nothing:\n{log}").into())
}

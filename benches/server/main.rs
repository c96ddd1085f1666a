//! What a review costs, against the gates. Linux only.
//!
//! ```text
//! cargo bench --bench server                   everything
//! cargo bench --bench server -- --smoke        everything in a minute or two; fails only on four times a gate, because machines of
//!                                              CI are noisy and build it with less optimisation (`--profile smoke`)
//! cargo bench --bench server -- cpu            server CPU per request and p99, against the floor and kube's DynamicObject
//! cargo bench --bench server -- instructions   instructions of one evaluation (needs valgrind)
//! cargo bench --bench server -- memory         resident memory, and the time from start to ready
//! cargo bench --bench server -- bounds         CPU and memory of the dearest reviews of the size that kube-apiserver stores
//! ```
//!
//! Times depend on the machine and on its other work, so only ratios within one run have gates; where the
//! machine is busy they shrink. Instructions have no such noise. The exit code is 1 if a gate is missed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints")]

mod bodies;
mod bounds;
mod cpu;
mod instructions;
mod load;
mod memory;
mod process;
mod servers;

use std::error::Error;
use std::process::ExitCode;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Figures against gates, as they are printed; remembers whether all were met.
struct Gates {
    /// How far beyond its gate a figure may lie.
    slack: f64,
    missed: usize,
}

impl Gates {
    /// `figure` must be at most `gate`.
    fn at_most(&mut self, name: &str, figure: f64, gate: f64, unit: &str) {
        self.judge(
            name,
            figure,
            gate,
            unit,
            "at most",
            figure <= gate,
            figure <= gate * self.slack,
        );
    }

    /// `figure` must be at least `gate`.
    fn at_least(&mut self, name: &str, figure: f64, gate: f64, unit: &str) {
        self.judge(
            name,
            figure,
            gate,
            unit,
            "at least",
            figure >= gate,
            figure >= gate / self.slack,
        );
    }

    #[expect(clippy::too_many_arguments, reason = "one line of a table")]
    fn judge(
        &mut self,
        name: &str,
        figure: f64,
        gate: f64,
        unit: &str,
        bound: &str,
        is_met: bool,
        is_tolerated: bool,
    ) {
        let verdict = match (is_met, is_tolerated) {
            (true, _) => "PASS",
            (false, true) => "over the gate, tolerated",
            (false, false) => "FAIL",
        };
        self.missed += usize::from(!is_tolerated);
        println!(
            "{name:<52} {:>9} {unit:<2}  {bound:<8} {:>9}  {verdict}",
            number(figure),
            number(gate)
        );
    }
}

fn number(figure: f64) -> String {
    if figure >= 1000.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.2}")
    }
}

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Outcome<bool> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| "a crypto provider is installed already")?;
    // The other processes of a run are this executable again, in a role.
    let words: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "--bench")
        .collect();
    match words.as_slice() {
        ["role", "floor", rest @ ..] => {
            return servers::run(servers::Kind::Floor, rest).map(|()| true);
        }
        ["role", "dynamic", rest @ ..] => {
            return servers::run(servers::Kind::Dynamic, rest).map(|()| true);
        }
        ["role", "load", rest @ ..] => return load::run(rest).map(|()| true),
        ["role", "evaluate", rest @ ..] => return instructions::evaluate(rest).map(|()| true),
        _ => {}
    }
    let smoke = words.contains(&"--smoke");
    let parts: Vec<&str> = words
        .into_iter()
        .filter(|word| *word != "--smoke")
        .collect();
    if let Some(unknown) = parts
        .iter()
        .find(|part| !["bounds", "cpu", "instructions", "memory"].contains(part))
    {
        return Err(
            format!("there is no part {unknown}: bounds, cpu, instructions, memory").into(),
        );
    }
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    let mut gates = Gates {
        slack: if smoke { 4.0 } else { 1.0 },
        missed: 0,
    };
    if wanted("instructions") {
        instructions::measure(&mut gates)?;
    }
    if wanted("memory") {
        memory::measure(&mut gates)?;
    }
    if wanted("bounds") {
        bounds::measure(&mut gates)?;
    }
    if wanted("cpu") {
        cpu::measure(smoke, &mut gates)?;
    }
    Ok(gates.missed == 0)
}

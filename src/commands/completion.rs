//! `undock completion`: what a shell needs to complete the command line.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Exit, Failure, failed};

/// For `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 written, 2 wrong usage, 4 could not write";

/// Flags of `undock completion`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.set_bin_name("undock");
    command.build();
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, "undock", &mut script);
    match io::Write::write_all(&mut io::stdout(), &script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(failed(format!("cannot write standard output: {error}")))
        }
        _ => Ok(Exit::Clean),
    }
}

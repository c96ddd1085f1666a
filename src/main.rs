//! The `undock` binary: crypto provider, arguments, verb, exit code.

use std::process::ExitCode;

use undock::commands::Cli;

fn main() -> ExitCode {
    // Only one provider is compiled in; naming it keeps a second one from turning every client into
    // a panic.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::from(4);
    }
    ExitCode::from(Cli::from_arguments().run() as u8)
}

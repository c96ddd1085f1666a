//! Writes the man pages, one for each verb, into a folder: `cargo run --example man -- FOLDER`.

use std::path::PathBuf;

use clap::CommandFactory;
use undock::commands::Cli;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| "target/man".into(), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}

//! The command line describes itself: `--help`, completions of shells, man pages.

use std::process::{Command, Output};

use clap::CommandFactory;
use undock::commands::Cli;

const VERBS: [&str; 8] = [
    "serve",
    "controller",
    "check",
    "scan",
    "report",
    "explain",
    "doctor",
    "completion",
];

fn undock(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_undock"))
        .env_clear()
        .args(arguments)
        .output()
        .unwrap()
}

fn text(arguments: &[&str]) -> String {
    let output = undock(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn these_are_the_verbs() {
    let command = Cli::command();
    let verbs: Vec<_> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    assert_eq!(verbs, VERBS);
}

#[test]
fn every_help_names_its_output_formats_and_exit_codes() {
    for verb in VERBS {
        let help = text(&[verb, "--help"]);
        assert!(help.contains("\nExit codes: 0 "), "{verb}: {help}");
        assert!(help.contains(" 2 wrong usage"), "{verb}: {help}");
    }
    let check = ["table", "json", "sarif", "junit", "github", "markdown"];
    let report = ["table", "json", "csv", "csv-exemptions", "markdown", "html"];
    for (verb, formats) in [
        (&["check"][..], &check[..]),
        (&["scan"], &check),
        (&["report"], &report),
        (&["report", "diff"], &["table", "json", "markdown"]),
        (&["explain"], &["table", "json", "markdown"]),
        (&["doctor"], &["table", "json"]),
    ] {
        let help = text(&[verb, &["--help"]].concat());
        let (_, output) = help.split_once("--output <FORMAT[=FILE]>").unwrap();
        let output = output.split("UNDOCK_OUTPUT").next().unwrap();
        for format in formats {
            let line = format!("- {format}:");
            assert!(output.contains(&line), "{verb:?}: {format}: {output}");
        }
        assert_eq!(
            output.matches("\n          - ").count(),
            formats.len(),
            "{output}"
        );
    }
}

#[test]
fn shells_complete_verbs_flags_and_formats() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = text(&["completion", shell]);
        // PowerShell gets no values.
        let format = (shell != "powershell").then_some(&"sarif");
        for word in VERBS.iter().chain(&["fail-on"]).chain(format) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(undock(&["completion", "csh"]).status.code(), Some(2));
}

#[test]
fn there_is_a_man_page_for_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(Cli::command(), folder.path()).unwrap();
    for verb in VERBS {
        let page = folder.path().join(format!("undock-{verb}.1"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains("Exit codes: 0 "), "{verb}: {page}");
    }
}

//! Inputs that undock once judged wrong, when they lie beside the repository: each file's findings,
//! whole.
//!
//! Objects of the same kinds in our own words are fixtures of the rules and other tests; the files
//! are `../shared/field` (or `UNDOCK_TEST_SHARED`).

use std::fs;
use std::path::PathBuf;

use undock::check::{Input, check};
use undock::decision::{Mode, Policy};

/// Every file with its findings in the order of lines: object, action, rule, line.
const EXPECTED: &str = include_str!("known_faults.txt");

fn field() -> Option<PathBuf> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let field = shared.join("field");
    field.join("detection").exists().then_some(field)
}

fn findings(text: Vec<u8>) -> Vec<String> {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    let checked = check(&[Input::new("file", text)], "default", &policy);
    let mut found = Vec::new();
    for object in &checked.objects {
        let name = format!("{}/{}", object.kind, object.name);
        let mut lines: Vec<_> = object
            .findings
            .iter()
            .map(|placed| {
                (
                    placed.line,
                    placed.judged.action,
                    placed.judged.finding.rule.code,
                )
            })
            .collect();
        lines.sort_unstable();
        let lines = lines
            .iter()
            .map(|(line, action, rule)| format!("{name} {action} {rule} {line}"));
        found.extend(lines);
        if object.findings.is_empty() {
            found.push(format!("{name} {}", object.decision()));
        }
    }
    found.extend(
        checked
            .errors
            .iter()
            .map(|error| format!("error {}", error.line)),
    );
    found
}

#[test]
fn inputs_that_were_judged_wrong_are_judged_right() {
    let Some(field) = field() else { return };
    let mut wrong = Vec::new();
    for block in EXPECTED.split("\n\n") {
        let mut lines = block.lines().filter(|line| !line.starts_with('#'));
        let file = lines.next().unwrap();
        let expected: Vec<&str> = lines.collect();
        let found = findings(fs::read(field.join(file)).unwrap());
        if found != expected {
            wrong.push(format!("{file}:\n{}", found.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

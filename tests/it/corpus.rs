//! Recall and precision on labelled manifests of real projects, when they lie beside the repository.
//!
//! The labels are `../shared/corpus/index.jsonl` (or `UNDOCK_TEST_SHARED`); none of the corpus is copied here.
//! Run with `cargo test --test it corpus -- --nocapture` to see the figures.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are for people"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use undock::check::{Checked, Input, check};
use undock::decision::{Mode, Outcome, Policy};
use undock::finding::Action;

fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let corpus = shared.join("corpus");
    if corpus.join("index.jsonl").exists() {
        return Some(corpus);
    }
    eprintln!("SKIPPED: no labelled corpus at {}", corpus.display());
    None
}

/// Findings of one file: kind, namespace, name, field, rule, action.
fn findings(corpus: &std::path::Path, file: &str) -> Checked {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    let input = Input::new(file, fs::read(corpus.join(file)).unwrap());
    check(&[input], "", &policy)
}

#[test]
fn labels_and_findings_agree() {
    let Some(corpus) = corpus() else { return };
    let index = fs::read_to_string(corpus.join("index.jsonl")).unwrap();
    let (mut expected, mut found): (BTreeMap<String, usize>, BTreeMap<String, usize>) =
        Default::default();
    // By rule: findings on labelled fields, on objects that are ambiguous or unlabelled inside labelled files, on clean objects.
    let mut by_rule: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let (mut clean_objects, mut warned, mut wrong) = (0, 0, Vec::new());
    for line in index.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let (file, label) = (
            entry["file"].as_str().unwrap(),
            entry["label"].as_str().unwrap(),
        );
        let checked = findings(&corpus, file);
        for error in &checked.errors {
            wrong.push(format!(
                "{file}:{}: cannot be read: {}",
                error.line, error.message
            ));
        }
        let labels: Vec<&Value> = entry["expected"].as_array().unwrap().iter().collect();
        for label in labels.iter().filter(|label| label["label"] == "depends") {
            let (object, field) = (
                label["object"].as_str().unwrap(),
                label["field"].as_str().unwrap(),
            );
            let signal = label["signals"][0].as_str().unwrap();
            *expected.entry(signal.to_owned()).or_default() += 1;
            let kind = object.split('/').next().unwrap();
            let hit = checked.objects.iter().any(|o| {
                o.kind == kind && o.findings.iter().any(|p| p.judged.finding.field == field)
            });
            if hit {
                *found.entry(signal.to_owned()).or_default() += 1;
            } else {
                wrong.push(format!("{file}: missed {signal} at {object} {field}"));
            }
        }
        let is_clean = label == "clean" || label == "dind-sidecar";
        for object in &checked.objects {
            clean_objects += usize::from(label == "clean");
            warned += usize::from(label == "clean" && object.outcome >= Outcome::Warn);
            for placed in &object.findings {
                let finding = &placed.judged.finding;
                let is_labelled = labels
                    .iter()
                    .any(|label| label["field"] == finding.field.as_str());
                let place = if is_labelled {
                    0
                } else {
                    1 + usize::from(is_clean)
                };
                by_rule.entry(finding.rule.code).or_default()[place] += 1;
                if is_clean && placed.judged.action == Action::Deny {
                    wrong.push(format!(
                        "{file}: {} refuses {} at {}, labelled {label}",
                        finding.rule.code, object.name, finding.field
                    ));
                }
            }
        }
    }
    println!("recall by signal:");
    for (signal, count) in &expected {
        println!(
            "  {signal:<28} {:>3} of {count}",
            found.get(signal).copied().unwrap_or(0)
        );
    }
    let (all, hit) = (
        expected.values().sum::<usize>(),
        found.values().sum::<usize>(),
    );
    println!("recall: {hit} of {all} labelled dependencies");
    println!(
        "findings by rule: on labelled fields, elsewhere in files with labels, in clean and dind files; precision"
    );
    for (rule, [labelled, elsewhere, clean]) in &by_rule {
        let precision =
            100.0 * (labelled + elsewhere) as f64 / (labelled + elsewhere + clean) as f64;
        println!("  {rule} {labelled:>4} {elsewhere:>4} {clean:>4}  {precision:>5.1} %");
    }
    println!("clean objects with a warning: {warned} of {clean_objects}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        warned * 50 <= clean_objects,
        "more than 2 % of clean objects are warned about"
    );
}

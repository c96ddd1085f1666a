//! Scripts of people who tried undock with public reports of this job: each run as it is, where
//! they lie beside the repository, with what is right.
//!
//! They ask a server of their own, so each has a network namespace to itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What each script must print, and must not.
const RIGHT: [(&str, &[&str], &[&str]); 10] = [
    (
        "01-clean-without-looking.sh",
        &[
            r#"mode-off: {"decision":"skipped","mode":"off"}"#,
            r#"rule-off: {"decision":"clean","mode":"warn","rules":"DKR101=off"}"#,
            r#"being-deleted: {"decision":"skipped","mode":"warn"}"#,
            "DKR101  breaks    open    ci/Deployment/builder",
        ],
        &["fixed", "nothing open"],
    ),
    // The count of dry runs is right, "1 dry run": the script looks for the plural.
    (
        "03-gke-dry-run.sh",
        &[
            "DKR101  breaks    open    ci/Deployment/builder",
            "1 review: 0 recorded, 1 in audit logs; 0 writes unreviewed, 0 missed, 0 dry runs",
        ],
        &["fixed"],
    ),
    (
        "04-update-passes-pods-refused.sh",
        &["[its new Pods are refused]", r#""wouldDeny":"true""#],
        &[],
    ),
    // The script logs a refusal, code 403, of what undock let through: so the report says blocked.
    (
        "05-mirror-pod.sh",
        &[r#"{"allowed":true,"code":null}"#],
        &[],
    ),
    (
        "08-chart-in-repo.sh",
        &[
            "undock check -\n",
            "1 chart not rendered.\nrc=0",
            "2 files excluded.",
        ],
        &["error"],
    ),
    (
        "11-linked-folder.sh",
        &["error[DKR101]", "Checked 2 objects in 2 files: 1 denied"],
        &[],
    ),
    (
        "12-sarif-of-a-chart.sh",
        &[
            r#"{"artifactLocation":{"uri":"app/templates/builder.yaml"}}"#,
            "::error file=app/templates/builder.yaml,",
        ],
        &[],
    ),
    (
        "13-no-baseline.sh",
        &["1 finding in the baseline, 0 of the baseline gone."],
        &[],
    ),
    (
        "16-silent-inputs.sh",
        &[
            "elasticsearch.json: rc=1 two=3",
            "loki.json: rc=1 two=3",
            "splunk.json: rc=1 two=3",
            "empty.log: rc=1 two=0 said=1",
            "none: rc=1 two=0 said=1",
            "other.json: rc=1 two=0 said=1",
            "check of an empty stdin and a file: rc=3",
        ],
        &[],
    ),
    (
        "19-split-lines.sh",
        &["1 review: 0 recorded, 1 in audit logs;", "rc=0"],
        &["could not be read"],
    ),
];

/// Take minutes: series.rs and the bench of the report have the same inputs.
const SLOW: [&str; 2] = ["02-generated-names.sh", "21-one-review-uid.sh"];

fn scripts() -> Option<PathBuf> {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    Some(shared.join("field/product")).filter(|path| path.exists())
}

/// Runs the script where nobody else listens; nothing where this machine cannot do it.
fn run(script: &Path) -> Option<Output> {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "bash", "-c"]);
    command.arg("command -v jq curl ip >/dev/null || exit 99; ip link set lo up; . \"$0\"");
    command
        .arg(script)
        .env("UNDOCK", env!("CARGO_BIN_EXE_undock"));
    let output = command.output().ok()?;
    let is_lacking = output.status.code() == Some(99) || output.stderr.starts_with(b"unshare:");
    (!is_lacking).then_some(output)
}

#[test]
fn scripts_of_users_show_what_is_right() {
    let Some(folder) = scripts() else { return };
    for (name, right, wrong) in RIGHT {
        let Some(output) = run(&folder.join(name)) else {
            return;
        };
        let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(out);
        for part in right {
            assert!(text.contains(part), "{name}: {part:?} in {text}\n{err}");
        }
        for part in wrong {
            assert!(!text.contains(part), "{name}: {part:?} in {text}\n{err}");
        }
    }
}

#[test]
fn what_newcomers_have_at_hand_is_told_what_to_do() {
    let Some(folder) = scripts().map(|folder| folder.with_file_name("newcomer")) else {
        return;
    };
    for (input, exit, told) in [
        ("chart", 0, "not rendered: helm template "),
        (
            "dep-ex.yaml",
            1,
            "note: exemptions on workloads count only where the namespace has the label",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
        let output = command.arg("check").arg(folder.join(input)).output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(exit), "{input}: {text}");
        assert!(text.contains(told), "{input}: {text}");
    }
}

#[test]
fn every_script_is_known() {
    let Some(folder) = scripts() else { return };
    let mut names: Vec<String> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".sh") && name != "lib.sh")
        .collect();
    names.sort();
    let tried = RIGHT.iter().map(|(name, ..)| *name);
    let mut known: Vec<&str> = tried.chain(SLOW).collect();
    known.sort_unstable();
    assert_eq!(names, known);
}

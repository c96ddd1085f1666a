//! What one review may cost, and what happens to a write that cannot be evaluated as a whole.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use undock::admission::{self, Failure, Reviewed};
use undock::decision::cluster_state::ClusterState;
use undock::decision::namespace::NamespaceSettings;
use undock::decision::{Mode, Policy};
use undock::workload::Workload;
use undock::workload::budget::{Budget, Spent, within};
use undock::workload::object::Object;

use crate::cpu_time::cpu_time_of;
use crate::support::answer::Answer;
use crate::support::dear;
use crate::support::reviews::{bytes, clean_pod, create, socket_pod, update, with};

/// Everything is `audit` except where a namespace says otherwise.
fn policy(label: Option<&str>, annotations: &[(&str, &str)]) -> Policy {
    let cluster_state = ClusterState::default();
    cluster_state.set_watching();
    let labels = label.map(|mode| ("undock.dev/mode", mode)).into_iter();
    let settings = NamespaceSettings::read(labels, annotations.iter().copied());
    cluster_state.set_namespace("ci", Some(settings));
    cluster_state.set_warm();
    Policy {
        mode: Mode::Audit,
        cluster_state: Arc::new(cluster_state),
        today: || "2026-11-28".parse().unwrap(),
        ..Policy::default()
    }
}

fn reviewed(review: &Value, policy: &Policy) -> (Reviewed, Answer) {
    let reviewed = admission::review(&go(review), policy).unwrap();
    let answer = Answer::parse(&reviewed.response);
    (reviewed, answer)
}

/// The bytes of `review` with the escapes that Go writes.
fn go(review: &Value) -> Vec<u8> {
    let text = String::from_utf8(bytes(review)).unwrap();
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .into_bytes()
}

fn pad(mut pod: Value, field: &str, value: Value) -> Value {
    pod["spec"]["containers"][0][field] = value;
    pod
}

/// A script that costs more than any review may, of `size` bytes.
fn dear(size: usize) -> Value {
    pad(
        clean_pod(),
        "command",
        json!(["sh", "-c", format!("D=docker;{}", "$D;".repeat(size / 3))]),
    )
}

/// What stands deeper than scripts are followed is not called clean.
#[test]
fn nesting_hides_nothing() {
    let policy = policy(Some("enforce"), &[]);
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(80), close.repeat(80));
        format!("{open}docker ps{close}")
    };
    let mut quoted = "docker ps".to_owned();
    for _ in 0..14 {
        quoted = format!("sh -c '{}'", quoted.replace('\'', "'\\''"));
    }
    for script in [
        deep("( ", " )"),
        deep("$(echo ", ")"),
        deep("${a:-", "}"),
        format!("{}eval 'docker ps'", "command ".repeat(20)),
        quoted,
    ] {
        let pod = pad(clean_pod(), "command", json!(["sh", "-c", script]));
        let (reviewed, answer) = reviewed(&create(pod), &policy);
        let start: String = script.chars().take(60).collect();
        assert_eq!(reviewed.failure, Some(Failure::OverBudget), "{start}");
        assert!(!answer.allowed, "{start}");
    }
}

#[test]
fn padding_hides_nothing() {
    let labels: Value = (0..12_000).map(|i| (format!("l{i}"), json!(""))).collect();
    let mut labelled = socket_pod();
    labelled["metadata"]["labels"] = labels.clone();
    let mut annotated = socket_pod();
    annotated["metadata"]["annotations"] = json!({"note": "<".repeat(250_000)});
    let mut managed = socket_pod();
    managed["metadata"]["managedFields"] = json!([{"fieldsV1": labels}]);
    let variables: Value = (0..8_000)
        .map(|i| json!({"name": format!("v{i}")}))
        .collect();
    let paths: Value = (0..9_000)
        .map(|i| json!({"name": format!("v{i}"), "emptyDir": {}}))
        .chain([socket_pod()["spec"]["volumes"][0].clone()])
        .collect();
    let mut many_volumes = socket_pod();
    many_volumes["spec"]["volumes"] = paths;
    let mut ephemeral = clean_pod();
    ephemeral["spec"]["volumes"] = socket_pod()["spec"]["volumes"].clone();
    ephemeral["spec"]["ephemeralContainers"] = socket_pod()["spec"]["containers"].clone();
    ephemeral["metadata"]["labels"] = labels;
    for (name, pod) in [
        ("labels", labelled),
        ("annotations", annotated),
        ("managed fields", managed),
        ("variables", pad(socket_pod(), "env", variables)),
        (
            "empty arguments",
            pad(socket_pod(), "args", vec![""; 40_000].into()),
        ),
        (
            "escapes",
            pad(socket_pod(), "args", vec!["<".repeat(120_000); 12].into()),
        ),
        (
            "three MiB of text",
            pad(socket_pod(), "args", json!(["<".repeat(3 << 20)])),
        ),
        (
            "unknown fields",
            pad(
                socket_pod(),
                "unknown",
                vec![json!({"a": [1]}); 50_000].into(),
            ),
        ),
        ("volumes", many_volumes),
        ("ephemeral container", ephemeral),
    ] {
        let (reviewed, answer) = reviewed(&create(pod), &policy(Some("enforce"), &[]));
        assert!(
            !answer.allowed && answer.rules().contains("DKR101="),
            "{name}: {:?}",
            answer.raw
        );
        assert_eq!(reviewed.failure, None, "{name}: all of it is evaluated");
    }
}

#[test]
fn what_cannot_be_evaluated_is_decided_by_its_namespace() {
    let review = create(dear(900_000));
    for (label, decision, allowed, warnings) in [
        (Some("enforce"), "error", false, 0),
        (Some("warn"), "error", true, 1),
        (Some("audit"), "error", true, 0),
        (None, "error", true, 0),
    ] {
        let (reviewed, answer) = reviewed(&review, &policy(label, &[]));
        let found = (
            answer.decision(),
            answer.allowed,
            answer.warnings.is_empty(),
        );
        assert_eq!(
            found,
            (decision, allowed, warnings == 0),
            "{label:?}: {:?}",
            answer.raw
        );
        assert_eq!(reviewed.failure, Some(Failure::OverBudget));
        assert!(reviewed.record.is_some());
    }
    let (reviewed, answer) = reviewed(&review, &policy(Some("off"), &[]));
    assert!(
        answer.allowed && reviewed.record.is_none(),
        "nothing is evaluated there"
    );
}

#[test]
fn the_same_holds_for_bodies_that_cannot_be_read() {
    let mut review = create(clean_pod());
    review["request"]["object"]["spec"] = json!([]);
    for (label, allowed) in [("enforce", false), ("warn", true), ("off", true)] {
        for failure in [Failure::TooLarge, Failure::Deadline, Failure::Panic] {
            let policy = policy(Some(label), &[]);
            let reviewed = admission::fail(&bytes(&review), failure, "put here", &policy).unwrap();
            let answer = Answer::parse(&reviewed.response);
            assert_eq!(
                (answer.decision(), answer.allowed),
                ("error", allowed),
                "{label}"
            );
        }
        let (_, answer) = reviewed(&review, &policy(Some(label), &[]));
        assert_eq!(
            (answer.decision(), answer.allowed),
            ("error", allowed),
            "{label}"
        );
    }
}

#[test]
fn an_exemption_from_every_rule_lets_it_through() {
    let mut unreadable = create(clean_pod());
    unreadable["request"]["object"]["spec"] = json!([]);
    let terms = "until=2026-12-31; reason=x";
    for review in [create(dear(900_000)), unreadable] {
        for (annotation, allowed) in [
            (("exempt.undock.dev/all", terms), true),
            (
                ("exempt.undock.dev/all", "until=2026-01-01; reason=x"),
                false,
            ),
            (("exempt.undock.dev/DKR401", terms), false),
        ] {
            let (_, answer) = reviewed(&review, &policy(Some("enforce"), &[annotation]));
            assert_eq!(answer.allowed, allowed, "{annotation:?}");
            assert_eq!(answer.decision(), "error", "it is not called clean");
        }
        for (users, groups, allowed) in [
            (vec![], vec!["system:authenticated"], true),
            (vec!["admin"], vec![], true),
            (vec!["other"], vec![], false),
            (vec![], vec!["other"], false),
        ] {
            let mut policy = policy(Some("enforce"), &[]);
            let exemption = undock::decision::exemption::Exemption::from_annotation(
                "exempt.undock.dev/all",
                terms,
                undock::decision::exemption::Scope::Configuration,
            );
            policy.exemptions = vec![undock::decision::ConfiguredExemption {
                exemption: exemption.unwrap(),
                namespaces: vec!["c*".to_owned()],
                owners: Vec::new(),
                users: users.iter().map(ToString::to_string).collect(),
                groups: groups.iter().map(ToString::to_string).collect(),
                images: Vec::new(),
            }];
            let (_, answer) = reviewed(&review, &policy);
            assert_eq!(answer.allowed, allowed, "{users:?} {groups:?}");
        }
    }
}

#[test]
fn deletions_and_old_state_pass() {
    let enforce = policy(Some("enforce"), &[]);
    let delete = with(create(dear(900_000)), "operation", json!("DELETE"));
    assert!(reviewed(&delete, &enforce).1.allowed);
    let mut deleted = dear(900_000);
    deleted["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
    assert!(
        reviewed(&update(deleted.clone(), deleted.clone()), &enforce)
            .1
            .allowed
    );
    deleted["spec"] = json!([]);
    assert!(
        reviewed(&update(deleted.clone(), deleted), &enforce)
            .1
            .allowed,
        "a finalizer goes"
    );
    let (_, answer) = reviewed(&update(dear(900_000), dear(900_000)), &enforce);
    assert!(answer.allowed && answer.decision() == "error");
    assert!(
        !reviewed(&update(clean_pod(), dear(900_000)), &enforce)
            .1
            .allowed
    );
    let mut worse = dear(900_000);
    worse["spec"]["volumes"] = socket_pod()["spec"]["volumes"].clone();
    worse["spec"]["containers"][0]["volumeMounts"] =
        socket_pod()["spec"]["containers"][0]["volumeMounts"].clone();
    let (_, answer) = reviewed(&update(dear(900_000), worse), &enforce);
    assert_eq!(
        (answer.decision(), answer.allowed),
        ("deny", false),
        "what is new is found"
    );
    assert!(answer.message().contains("DKR101"), "{}", answer.message());
}

/// What the evaluation of `pod` costs where nothing limits it.
fn cost(pod: &Value) -> Spent {
    let text = pod.to_string();
    let object: Object<'_> = serde_json::from_str(&text).unwrap();
    let enforce_action = Budget {
        steps: u64::MAX,
        bytes: u64::MAX,
    };
    within(enforce_action, || evaluate(&object)).1
}

fn evaluate(object: &Object<'_>) -> usize {
    let workload = Workload::new(object, "ci");
    undock::rules::evaluate(&workload, undock::finding::Context::default()).len()
}

/// Repeats `part` in each of the places that a writer can fill.
fn filled(part: &str, times: usize) -> Vec<(&'static str, Value)> {
    let text = part.repeat(times);
    let script = format!("docker;{text}");
    let variables: Value = (0..times)
        .map(|i| json!({"name": format!("z{i}"), "value": part}))
        .collect();
    let mut mounts = socket_pod();
    mounts["spec"]["containers"][0]["volumeMounts"] = (0..times)
        .map(|i| json!({"name": "sock", "mountPath": format!("/{i}"), "subPath": part}))
        .collect();
    vec![
        (
            "script",
            pad(clean_pod(), "command", json!(["sh", "-c", script])),
        ),
        (
            "words",
            pad(
                clean_pod(),
                "command",
                json!(vec![format!("docker {part}"); times]),
            ),
        ),
        (
            "argument",
            pad(
                clean_pod(),
                "args",
                json!([format!("$(z){text}/docker.sock")]),
            ),
        ),
        ("variables", pad(socket_pod(), "env", variables)),
        ("mounts", mounts),
    ]
}

/// Pieces that cost parsers most.
const PIECES: &[&str] = &[
    "$D;",
    "D=docker;",
    "((",
    "))",
    "(",
    ")",
    "$(",
    "`",
    "<<A\n",
    "A\n",
    "if a;",
    "fi;",
    "||",
    "&&",
    ";",
    "|",
    "{",
    "}",
    "sh -c ",
    "'",
    "\"",
    "eval ",
    "sudo ",
    "/proc/1/root",
    "../",
    "./",
    "$(z)",
    "${z}",
    "case x in ",
    ";;",
    "esac\n",
    "\n",
    "docker ",
    " ",
    "a",
    "$((",
    "export DOCKER_HOST=a;",
    "alias d=docker;",
    "f() ",
    "echo ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cost_grows_with_size_and_no_faster(
        parts in prop::collection::vec(prop::sample::select(PIECES), 1..5),
    ) {
        let part = parts.concat();
        for ((place, small), (_, large)) in filled(&part, 50).into_iter().zip(filled(&part, 200)) {
            let (less, more) = (cost(&small), cost(&large));
            prop_assert!(more.steps <= 6 * less.steps + 40_000, "{place} {part:?}: {less:?}, {more:?}");
            prop_assert!(more.bytes <= 6 * less.bytes + 400_000, "{place} {part:?}: {less:?}, {more:?}");
        }
    }
}

#[test]
fn the_dearest_inputs() {
    let mut worst = Vec::new();
    for first in PIECES {
        for second in PIECES.iter().step_by(3) {
            for (place, pod) in filled(&format!("{first}{second}"), 60) {
                let size = pod.to_string().len() as u64;
                let spent = cost(&pod);
                worst.push((spent.steps / size, spent.bytes / size, place, first, second));
            }
        }
    }
    worst.sort_unstable();
    let (steps, _, place, first, second) = worst[worst.len() - 1];
    println!("dearest: {steps} steps per byte, {place} of {first:?} {second:?}");
    let (_, kept, place, first, second) = worst.iter().max_by_key(|entry| entry.1).unwrap();
    println!("largest: {kept} bytes kept per byte, {place} of {first:?} {second:?}");
    assert!(
        steps <= 200 && *kept <= 400,
        "{steps} steps, {kept} bytes per byte"
    );
}

#[test]
fn no_review_takes_long() {
    let chain = format!("/{}/docker.sock", "$(z)".repeat(4_090));
    let mut expansions = socket_pod();
    expansions["spec"]["containers"][0]["args"] = json!(vec![chain; 60]);
    expansions["spec"]["containers"][0]["env"] =
        json!(vec![json!({"name": "n", "value": ""}); 4_000]);
    let mut links = socket_pod();
    links["spec"]["volumes"][0]["hostPath"]["path"] = json!("/proc/1/root".repeat(40_000));
    let mut host = socket_pod();
    host["spec"]["containers"][0]["command"] = json!(["docker", "-H", "$z".repeat(400_000), "ps"]);
    let mut expression = socket_pod();
    expression["spec"]["containers"][0]["volumeMounts"][0]["subPathExpr"] =
        json!("$(z)".repeat(300_000));
    for (name, pod) in [
        ("arguments with variables", expansions),
        ("links to the root", links),
        ("address with variables", host),
        ("subPathExpr", expression),
        ("a script of 2.9 MB", dear(2_900_000)),
        (
            "semicolons",
            pad(
                clean_pod(),
                "command",
                json!(["sh", "-c", format!("docker{}", ";".repeat(2_900_000))]),
            ),
        ),
        (
            "arithmetic",
            pad(
                clean_pod(),
                "command",
                json!(["sh", "-c", format!("docker {}", "((a) ".repeat(500_000))]),
            ),
        ),
    ] {
        let body = go(&create(pod));
        let policy = policy(Some("enforce"), &[]);
        let (reviewed, took) = cpu_time_of(|| admission::review(&body, &policy).unwrap());
        println!(
            "{name}: {} bytes, {took:?}, {:?}",
            body.len(),
            reviewed.failure
        );
        // Without optimisation; benches/server measures the release build.
        assert!(took < Duration::from_secs(3), "{name}: {took:?}");
    }
}

/// What `pod` costs, whatever the budget says of it.
fn took(pod: &Value) -> (Duration, Option<Failure>) {
    let body = go(&create(pod.clone()));
    let policy = policy(Some("enforce"), &[]);
    let (reviewed, took) = cpu_time_of(|| admission::review(&body, &policy).unwrap());
    (took, reviewed.failure)
}

#[test]
fn no_kind_of_work_takes_long() {
    // The clock of a thread goes on in steps of some milliseconds.
    let grain = Duration::from_millis(40);
    for ((name, small), (_, large)) in dear::pods(50_000).iter().zip(dear::pods(200_000)) {
        let (less, more) = (took(small).0, took(&large).0);
        assert!(more <= 8 * less + grain, "{name}: {less:?}, {more:?}");
    }
    for (name, pod) in dear::pods(2_900_000) {
        let (took, failure) = took(&pod);
        println!("{name}: {took:?}, {failure:?}");
        // Without optimisation; `cargo bench --bench server -- bounds` measures the release build.
        assert!(took < Duration::from_secs(3), "{name}: {took:?}");
    }
}

#[test]
fn what_costs_much_hides_no_mount_of_an_update() {
    for (name, mut old) in dear::pods(2_900_000) {
        old["spec"]["volumes"] = json!([]);
        let mut new = old.clone();
        new["spec"]["volumes"] =
            json!([{"name": "x", "hostPath": {"path": "/var/run/docker.sock"}}]);
        let mount = json!({"name": "x", "mountPath": "/x"});
        let containers = new["spec"]["containers"].as_array().map_or(0, Vec::len);
        match new["spec"]["containers"][0]["volumeMounts"].as_array_mut() {
            Some(mounts) => mounts.push(mount),
            None => new["spec"]["containers"][0]["volumeMounts"] = json!([mount]),
        }
        let (_, answer) = reviewed(&update(old, new), &policy(Some("enforce"), &[]));
        // Of so many containers not all are looked at, and what is not seen is refused.
        let is_seen = answer.rules().contains("DKR101=") || containers > 4_000;
        assert!(!answer.allowed && is_seen, "{name}: {:?}", answer.raw);
    }
}

#[test]
fn the_corpus_needs_a_tenth_at_most() {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED").unwrap_or_else(|| "../shared".into());
    let folder = std::path::PathBuf::from(shared).join("corpus/manifests");
    let Ok(files) = std::fs::read_dir(&folder) else {
        return println!("skipped: {} is not there", folder.display());
    };
    let mut largest = (0, 0);
    for file in files {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for document in undock::manifest::documents(&text) {
            let Ok(manifest) = undock::manifest::Manifest::parse(&document) else {
                continue;
            };
            for item in manifest.items() {
                let Ok(object) = manifest.object(item) else {
                    continue;
                };
                let (_, spent) = within(Budget::OBJECT, || evaluate(&object));
                largest = (largest.0.max(spent.steps), largest.1.max(spent.bytes));
                assert!(
                    spent.steps <= Budget::OBJECT.steps / 10
                        && spent.bytes <= Budget::OBJECT.bytes / 10,
                    "{}: {spent:?}",
                    path.display()
                );
            }
        }
    }
    println!(
        "the dearest object of the corpus: {largest:?} of {:?}",
        Budget::OBJECT
    );
    assert!(largest.0 > 0 && largest.1 > 0, "it is counted at all");
}

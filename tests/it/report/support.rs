//! Records and audit events to order, and a way to ask the binary about them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// What was sent in, as files of a folder that goes away.
pub(crate) struct Inputs {
    folder: tempfile::TempDir,
}

impl Inputs {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

pub(crate) fn undock(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
    // Settings of whoever runs the tests are not theirs.
    std::env::vars()
        .filter(|(name, _)| name.starts_with("UNDOCK_"))
        .for_each(|(name, _)| _ = command.env_remove(name));
    // The story of the tests is told in days that may lie ahead of the clock of this machine.
    command
        .env("UNDOCK_AS_OF", "2040-01-01")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The report on `lines`, and how it ended.
pub(crate) fn report_with(lines: &[Value], flags: &[&str]) -> (Value, i32) {
    let inputs = Inputs::new();
    let path = inputs.write("input.log", &text(lines));
    report_on(&path, flags)
}

pub(crate) fn report_on(path: &Path, flags: &[&str]) -> (Value, i32) {
    let path = path.to_str().unwrap();
    let output = undock(&[&["report", "-o", "json", path], flags].concat());
    let told = String::from_utf8_lossy(&output.stderr);
    let report =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    (report, output.status.code().unwrap())
}

pub(crate) fn report(lines: &[Value]) -> Value {
    report_with(lines, &[]).0
}

pub(crate) fn text(lines: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    lines
        .iter()
        .for_each(|line| writeln!(bytes, "{line}").unwrap());
    bytes
}

pub(crate) const FINGERPRINT: &str = "9f31c0d27be4a610";

pub(crate) fn uid(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// The moment `HH:MM` of a November day.
pub(crate) fn at(day: u32, clock: &str) -> String {
    format!("2026-11-{day:02}T{clock}:00.000000Z")
}

/// An audit event of a write to Deployment ci/runner, as yet unreviewed.
pub(crate) fn event(number: u32, time: &str, verb: &str) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": uid(number), "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/ci/deployments/runner", "verb": verb, "user": {"username": "alice"},
        "objectRef": {"resource": "deployments", "namespace": "ci", "name": "runner", "apiGroup": "apps", "apiVersion": "v1"},
        "responseStatus": {"code": 200}, "stageTimestamp": time,
        "annotations": {"authorization.k8s.io/decision": "allow"},
    })
}

/// The same, reviewed: DKR101 was found and the writer warned.
pub(crate) fn flagged(number: u32, time: &str) -> Value {
    let mut event = event(number, time, "update");
    for (key, value) in [
        ("decision", "warn".to_owned()),
        ("mode", "warn".to_owned()),
        ("would-deny", "true".to_owned()),
        ("rules", "DKR101=1".to_owned()),
        (
            "findings",
            format!("DKR101 {FINGERPRINT} spec.template.spec.volumes[0].hostPath.path"),
        ),
        ("owner", "apps/Deployment/ci/runner self".to_owned()),
        ("review-uid", uid(1000 + number)),
    ] {
        event["annotations"][format!("workloads.undock.dev/{key}")] = json!(value);
    }
    event
}

/// The same, reviewed and clean.
pub(crate) fn clean(number: u32, time: &str) -> Value {
    let mut event = event(number, time, "update");
    event["annotations"]["workloads.undock.dev/decision"] = json!("clean");
    event["annotations"]["workloads.undock.dev/mode"] = json!("warn");
    event
}

/// The record of the review that [`flagged`] with the same number shows.
pub(crate) fn record(number: u32, time: &str) -> Value {
    json!({
        "@timestamp": time, "log.level": "warn", "message": "warn Deployment ci/runner: DKR101", "event.name": "undock.review.flagged",
        "schema.version": "1", "service.name": "undock", "service.version": "0.1.0", "review.uid": uid(1000 + number),
        "review.operation": "UPDATE", "review.dry_run": false, "review.duration_us": 90, "mode": "warn", "decision": "warn",
        "would_deny": true, "k8s.namespace.name": "ci", "k8s.object.group": "apps", "k8s.object.version": "v1",
        "k8s.object.kind": "Deployment", "k8s.object.name": "runner", "owner.group": "apps", "owner.kind": "Deployment",
        "owner.name": "runner", "owner.source": "self", "owner.team": "build", "owner.managed_by": "helm", "owner.release": "gitlab-runner",
        "user.name": "alice", "user.kind": "user", "findings.count": 1, "dedupe.suppressed": 0,
        "findings": [{"rule.id": "DKR101", "rule.name": "docker-socket-mount", "severity": "breaks", "certainty": "certain",
            "action": "warn", "container.name": "build", "field": "spec.template.spec.volumes[0].hostPath.path",
            "evidence": "/var/run/docker.sock", "fingerprint": FINGERPRINT, "status": "open"}],
    })
}

/// A whole scan at `time` of the namespace ci and of what is in it.
pub(crate) fn scan(time: &str, objects: &[Value]) -> Value {
    let parts = [
        "nodes",
        "namespaces",
        "persistentvolumes",
        "persistentvolumeclaims",
        "deployments.apps",
        "daemonsets.apps",
        "statefulsets.apps",
        "cronjobs.batch",
        "replicasets.apps",
        "replicationcontrollers",
        "jobs.batch",
        "podtemplates",
        "pods",
        "configmaps",
    ];
    json!({
        "schema": "undock.scan/v1", "version": "0.1.0", "time": time, "cluster": "", "mode": "enforce",
        "scope": {"namespaces": [], "selector": ""}, "summary": {}, "nodes": [], "namespaces": [{"name": "ci", "mode": null}], "checks": [],
        "objects": objects, "exemptions": [],
        "parts": parts.map(|part| json!({"part": part, "objects": 1, "complete": true})), "manual": [], "errors": [],
    })
}

/// Deployment ci/runner in a scan, clean.
pub(crate) fn scanned_clean() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "ci", "name": "runner",
        "owner": {"group": "apps", "kind": "Deployment", "name": "runner"}, "decision": "clean", "pods": 1, "privileged": false,
        "findings": [], "notes": [], "team": "build"})
}

/// The same with the finding of [`flagged`].
pub(crate) fn scanned_flagged() -> Value {
    let mut object = scanned_clean();
    object["decision"] = json!("deny");
    object["manager"] = json!("helm");
    object["findings"] = json!([{"rule": "DKR101", "name": "docker-socket-mount", "certainty": "certain", "impact": "breaks", "action": "deny",
        "denies": true, "container": "build", "field": "spec.template.spec.volumes[0].hostPath.path", "evidence": "/var/run/docker.sock",
        "message": "", "fix": "", "fingerprint": FINGERPRINT}]);
    object
}

/// Lines of a quiet log from `first` to `last`, one each day.
pub(crate) fn every_day(first: u32, last: u32) -> Vec<Value> {
    (first..=last)
        .map(|day| quiet(9000 + day, &at(day, "00:30")))
        .collect()
}

/// A quiet audit line at `time`, which moves the report's clock.
pub(crate) fn quiet(number: u32, time: &str) -> Value {
    let mut event = event(number, time, "get");
    event["objectRef"]["resource"] = json!("leases");
    event
}

pub(crate) fn finding(report: &Value) -> &Value {
    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        1,
        "{report:#}"
    );
    &report["findings"][0]
}

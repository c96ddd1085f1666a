//! The objects, each with what is right about it.

use serde_json::{Value, json};
use undock::decision::Mode;

use crate::support::reviews::{clean_pod, deployment, socket_pod};

/// Rule and action of each finding.
type Actions = &'static [(&'static str, &'static str)];

/// One object and what is right about it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) object: Value,
    /// The object before an UPDATE.
    pub(super) old: Value,
    pub(super) sub_resource: &'static str,
    pub(super) user: &'static str,
    pub(super) mode: Mode,
    pub(super) config: String,
    /// Of the Namespace.
    pub(super) labels: Value,
    /// Of the Namespace.
    pub(super) annotations: Value,
    /// Annotations of the Deployment or the like that the object is made for; null where it is not asked.
    pub(super) owner_annotations: Value,
    /// What the cluster of the scan holds besides.
    pub(super) beside: Vec<Value>,
    pub(super) owner: &'static str,
    pub(super) decision: &'static str,
    pub(super) actions: Actions,
    /// What check and scan say in mode `enforce`.
    pub(super) asked: Actions,
    /// In a report on the review.
    pub(super) status: &'static str,
}

impl Case {
    fn new(name: &'static str, object: Value, mode: Mode) -> Self {
        let is_pod = object["kind"] == "Pod";
        Self {
            name,
            object,
            old: Value::Null,
            sub_resource: "",
            user: "ann",
            mode,
            config: String::new(),
            labels: json!({}),
            annotations: json!({}),
            owner_annotations: Value::Null,
            beside: Vec::new(),
            owner: if is_pod {
                "Pod/builder"
            } else {
                "Deployment/runner"
            },
            decision: "deny",
            actions: &[("DKR101", "deny")],
            asked: &[("DKR101", "deny")],
            status: "blocked",
        }
    }

    /// What happens to it: decision, actions, and the status in a report.
    fn gets(self, decision: &'static str, actions: Actions, status: &'static str) -> Self {
        Self {
            decision,
            actions,
            status,
            ..self
        }
    }

    /// Exempt, whoever judges it.
    fn exempt(self) -> Self {
        let exempt: Actions = &[("DKR101", "record")];
        self.gets("exempt", exempt, "exempt").asked(exempt)
    }

    fn asked(self, asked: Actions) -> Self {
        Self { asked, ..self }
    }

    fn owned_by(self, owner: &'static str) -> Self {
        Self { owner, ..self }
    }

    fn written_by(self, user: &'static str) -> Self {
        Self { user, ..self }
    }

    fn config(self, config: &str) -> Self {
        let config = config.to_owned();
        Self { config, ..self }
    }

    fn namespace_has(self, labels: Value, annotations: Value) -> Self {
        Self {
            labels,
            annotations,
            ..self
        }
    }

    fn updates(self, old: Value) -> Self {
        Self { old, ..self }
    }

    pub(super) fn resource(&self) -> &'static str {
        match self.object["kind"].as_str() {
            Some("Deployment") => "deployments",
            Some("CronJob") => "cronjobs",
            Some("Job") => "jobs",
            _ => "pods",
        }
    }

    pub(super) fn group(&self) -> &'static str {
        match self.resource() {
            "deployments" => "apps",
            "pods" => "",
            _ => "batch",
        }
    }

    /// Where a scan lists an object of its kind.
    pub(super) fn path_of(object: &Value) -> String {
        let group = match object["apiVersion"].as_str() {
            Some("v1") => "/api/v1",
            Some("apps/v1") => "/apis/apps/v1",
            _ => "/apis/batch/v1",
        };
        let kind = object["kind"].as_str().unwrap().to_lowercase();
        format!("{group}/{kind}s")
    }

    pub(super) fn namespace(&self) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "ci", "labels": self.labels, "annotations": self.annotations},
        })
    }
}

const TERMS: &str = "until=2026-12-31; reason=moving; ref=PLAT-412";
const RECORD: Actions = &[("DKR101", "record")];
const WARN: Actions = &[("DKR101", "warn")];
const DENY: Actions = &[("DKR101", "deny")];

fn allow() -> Value {
    json!({"undock.dev/workload-exemptions": "allow"})
}

fn with_annotation(mut object: Value, pointer: &str, key: &str) -> Value {
    let metadata = object.pointer_mut(pointer).unwrap();
    metadata["annotations"] = json!({key: TERMS});
    object
}

/// A Pod that the ReplicaSet of Deployment `runner` makes.
fn made(mut pod: Value) -> Value {
    pod["metadata"]["name"] = json!("runner-7c9f-x2x4z");
    pod["metadata"]["labels"] = json!({"app": "runner", "pod-template-hash": "7c9f"});
    pod["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "runner-7c9f", "uid": "u", "controller": true,
    }]);
    pod
}

fn mirror() -> Value {
    let mut pod = socket_pod();
    pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "0123"});
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "Node", "name": "a", "uid": "n", "controller": true}]);
    pod
}

fn cron_job() -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "ci"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"metadata": {}, "spec": {"template": {
            "metadata": {}, "spec": socket_pod()["spec"],
        }}}},
    })
}

fn job() -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "namespace": "ci"},
        "spec": {"template": {"metadata": {}, "spec": socket_pod()["spec"]}},
    })
}

/// A Pod with these containers.
fn pod_of(containers: Value) -> Value {
    let mut pod = socket_pod();
    pod["spec"] = json!({"containers": containers});
    pod
}

fn debugged() -> Value {
    let mut pod = made(clean_pod());
    pod["spec"]["ephemeralContainers"] = json!([{"name": "debug", "image": "docker:27-cli"}]);
    pod
}

fn injected() -> Value {
    let mut pod = made(clean_pod());
    let socket = socket_pod();
    let mut sidecar = socket["spec"]["containers"][0].clone();
    sidecar["name"] = json!("sidecar");
    pod["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(sidecar);
    pod["spec"]["volumes"] = socket["spec"]["volumes"].clone();
    pod
}

/// A Pod in whose container something has mounted the socket on its way.
fn injected_volume() -> Value {
    let mut pod = made(clean_pod());
    let socket = socket_pod();
    let mounts = &socket["spec"]["containers"][0]["volumeMounts"];
    pod["spec"]["containers"][0]["volumeMounts"] = mounts.clone();
    pod["spec"]["volumes"] = socket["spec"]["volumes"].clone();
    pod
}

const REPLICA_SETS: &str = "system:serviceaccount:kube-system:replicaset-controller";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = by_mode();
    cases.extend(by_exemption());
    cases.extend(by_kind());
    cases
}

fn by_mode() -> Vec<Case> {
    use Mode::{Audit, Enforce, Freeze, Off, Warn};
    let flagged = || deployment(&socket_pod());
    let mut deleted = flagged();
    deleted["metadata"]["deletionTimestamp"] = json!("2026-11-22T00:00:00Z");
    vec![
        Case::new("a clean Pod", clean_pod(), Enforce)
            .gets("clean", &[], "")
            .asked(&[])
            .owned_by("Pod/web"),
        Case::new("enforce, a Pod", socket_pod(), Enforce),
        Case::new("enforce, a Deployment", flagged(), Enforce),
        Case::new("warn, a Pod", socket_pod(), Warn).gets("warn", WARN, "open"),
        Case::new("warn, a Deployment", flagged(), Warn).gets("warn", WARN, "open"),
        Case::new("audit", socket_pod(), Audit).gets("record", RECORD, "open"),
        Case::new("off", socket_pod(), Off).gets("skipped", &[], ""),
        Case::new("freeze, a new Pod", socket_pod(), Freeze),
        Case::new("freeze, a new Deployment", flagged(), Freeze),
        Case::new(
            "freeze, a Pod of an old Deployment",
            made(socket_pod()),
            Freeze,
        )
        .written_by(REPLICA_SETS)
        .owned_by("Deployment/runner")
        .gets("record", RECORD, "open"),
        Case::new("freeze, a spoofed reference", made(socket_pod()), Freeze)
            .owned_by("Deployment/runner"),
        Case::new("freeze, an update of what was there", flagged(), Freeze)
            .updates(flagged())
            .gets("warn", WARN, "open"),
        Case::new("enforce, an update of what was there", flagged(), Enforce)
            .updates(flagged())
            .gets("warn", WARN, "open"),
        Case::new("enforce, an update that adds", flagged(), Enforce)
            .updates(deployment(&clean_pod())),
        Case::new("in deletion", deleted, Enforce)
            .updates(flagged())
            .gets("skipped", &[], ""),
        Case::new("the rule is off", socket_pod(), Enforce)
            .config("rules: {DKR101: off}")
            .gets("clean", &[], "")
            .asked(&[]),
        Case::new("the rule warns", socket_pod(), Enforce)
            .config("rules: {docker-socket-mount: warn}")
            .gets("warn", WARN, "open")
            .asked(WARN),
        Case::new("only what is certain is refused", doubtful(), Enforce)
            .gets("warn", &[("DKR401", "warn")], "open")
            .asked(&[("DKR401", "warn")]),
    ]
}

fn doubtful() -> Value {
    pod_of(
        json!([{"name": "a", "image": "registry.example/app:1", "command": ["sh", "-c", "docker ps"]}]),
    )
}

fn by_exemption() -> Vec<Case> {
    use Mode::{Enforce, Warn};
    let none = || json!({});
    let namespace = |name, key: &str, value: &str| {
        Case::new(name, socket_pod(), Enforce).namespace_has(none(), json!({key: value}))
    };
    let (code, by_name) = (
        "exempt.undock.dev/DKR101",
        "exempt.undock.dev/docker-socket-mount",
    );
    let flagged = || deployment(&socket_pod());
    let entry = |who: &str| {
        format!(
            "exemptions:\n- {{rules: [DKR101], until: 2026-12-31, reason: moving, ref: PLAT-412, {who}}}\n"
        )
    };
    vec![
        namespace("the Namespace, by code", code, TERMS).exempt(),
        namespace("the Namespace, by name", by_name, TERMS).exempt(),
        namespace("the Namespace, all", "exempt.undock.dev/all", TERMS).exempt(),
        namespace(
            "an exemption that has ended",
            code,
            "until=2026-11-22; reason=x",
        ),
        namespace("an exemption without a reason", code, "until=2026-12-31"),
        namespace("an exemption of no rule", "exempt.undock.dev/DKR1O1", TERMS),
        Case::new(
            "the Pod, by name",
            with_annotation(socket_pod(), "/metadata", by_name),
            Enforce,
        )
        .namespace_has(allow(), none())
        .exempt(),
        Case::new(
            "a Deployment",
            with_annotation(flagged(), "/metadata", code),
            Enforce,
        )
        .namespace_has(allow(), none())
        .exempt(),
        Case::new(
            "a pod template",
            with_annotation(flagged(), "/spec/template/metadata", code),
            Warn,
        )
        .namespace_has(allow(), none())
        .exempt(),
        Case::new(
            "a Deployment that may not",
            with_annotation(flagged(), "/metadata", code),
            Enforce,
        ),
        Case {
            owner_annotations: json!({by_name: TERMS}),
            ..Case::new("a Pod of an exempt Deployment", made(socket_pod()), Enforce)
        }
        .written_by(REPLICA_SETS)
        .owned_by("Deployment/runner")
        .namespace_has(allow(), none())
        .exempt()
        .asked(DENY),
        Case {
            owner_annotations: json!({"team": "build"}),
            ..Case::new(
                "a Pod of a Deployment that is not exempt",
                made(socket_pod()),
                Enforce,
            )
        }
        .written_by(REPLICA_SETS)
        .owned_by("Deployment/runner")
        .namespace_has(allow(), none()),
        Case::new(
            "a Pod that names an exempt Deployment",
            made(socket_pod()),
            Enforce,
        )
        .owned_by("Deployment/runner")
        .namespace_has(allow(), none()),
        Case::new(
            "a CronJob",
            with_annotation(cron_job(), "/metadata", code),
            Enforce,
        )
        .owned_by("CronJob/nightly")
        .namespace_has(allow(), none())
        .exempt(),
        Case::new(
            "a job template",
            with_annotation(cron_job(), "/spec/jobTemplate/metadata", code),
            Enforce,
        )
        .owned_by("CronJob/nightly")
        .namespace_has(allow(), none()),
        Case::new("the configuration, namespaces", socket_pod(), Enforce)
            .config(&entry("namespaces: [c*]"))
            .exempt(),
        Case::new("the configuration, owners", flagged(), Enforce)
            .config(&entry("owners: [Deployment/run*]"))
            .exempt(),
        Case::new("the configuration, images", socket_pod(), Enforce)
            .config(&entry("images: ['nginx:*']"))
            .exempt(),
        Case::new("the configuration, users", socket_pod(), Enforce)
            .config(&entry("users: [ann]"))
            .exempt()
            .asked(DENY),
        Case::new("the configuration, groups", socket_pod(), Enforce)
            .config(&entry("groups: [builders]"))
            .exempt()
            .asked(DENY),
    ]
}

fn by_kind() -> Vec<Case> {
    use Mode::{Enforce, Warn};
    let dind = json!([
        {"name": "daemon", "image": "docker:27-dind", "securityContext": {"privileged": true}},
        {"name": "build", "image": "docker:27-cli",
         "env": [{"name": "DOCKER_HOST", "value": "tcp://localhost:2375"}]},
    ]);
    let dind_actions: Actions = &[("DKR201", "record"), ("DKR203", "warn")];
    let mut unmounted = clean_pod();
    unmounted["spec"]["volumes"] = socket_pod()["spec"]["volumes"].clone();
    vec![
        Case::new("Docker-in-Docker", pod_of(dind), Enforce)
            .gets("warn", dind_actions, "open")
            .asked(dind_actions),
        Case::new("a volume that nothing mounts", unmounted, Enforce)
            .owned_by("Pod/web")
            .gets("record", RECORD, "open")
            .asked(RECORD),
        Case::new("a Job", job(), Enforce).owned_by("Job/once"),
        Case::new("a CronJob, warned", cron_job(), Warn)
            .owned_by("CronJob/nightly")
            .gets("warn", WARN, "open"),
        Case::new("a mirror Pod of its node", mirror(), Enforce)
            .written_by("system:node:a")
            .gets("record", RECORD, "open")
            .asked(RECORD),
        Case::new("a mirror Pod of somebody else", mirror(), Enforce).asked(RECORD),
        Case {
            sub_resource: "ephemeralcontainers",
            ..Case::new("an ephemeral container", debugged(), Warn)
        }
        .updates(made(clean_pod()))
        .owned_by("Pod/runner-7c9f-x2x4z")
        .gets("warn", &[("DKR201", "warn")], "open")
        .asked(&[("DKR201", "deny")]),
        Case::new("a Pod that has been debugged", debugged(), Warn)
            .updates(debugged())
            .owned_by("Pod/runner-7c9f-x2x4z")
            .gets("clean", &[], "")
            .asked(&[("DKR201", "deny")]),
        Case {
            beside: vec![deployment(&clean_pod())],
            ..Case::new("a sidecar that was put in", injected(), Warn)
        }
        .written_by(REPLICA_SETS)
        .owned_by("Deployment/runner")
        .gets("warn", WARN, "open"),
        Case {
            beside: vec![deployment(&clean_pod())],
            ..Case::new("a volume that was put in", injected_volume(), Warn)
        }
        .written_by(REPLICA_SETS)
        .owned_by("Deployment/runner")
        .gets("warn", WARN, "open"),
    ]
}

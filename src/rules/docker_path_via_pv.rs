//! DKR112 docker-path-via-pv: a path of Docker behind a PersistentVolumeClaim.

use super::{host_paths, signals};
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::pod::HostMount;
use crate::workload::{Match, Workload};

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR112",
    name: "docker-path-via-pv",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a claim leads to a PersistentVolume on a path of Docker",
    reason: "Docker's path is absent on {nodes}",
    consequence: "",
    short_fix: "see the rule of the path",
    fix: "Treat it like the path itself: the message names the rule that explains it.",
    why: "A Pod names only its claim. The PersistentVolume behind it names the node's path, by hostPath or local, and that path leaves with Docker as if the Pod had mounted it by itself.",
    before: r#"apiVersion: v1
kind: PersistentVolume
metadata:
  name: socket
spec:
  claimRef:
    namespace: ci
    name: socket
  hostPath:
    path: /var/run/docker.sock
---
apiVersion: v1
kind: Pod
metadata:
  name: example
  namespace: ci
spec:
  containers:
  - name: app
    image: registry.example/tool:1
    volumeMounts:
    - name: sock
      mountPath: /var/run/docker.sock
  volumes:
  - name: sock
    persistentVolumeClaim:
      claimName: socket
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/tool:1
"#,
    not_flagged: "Volumes that merely have docker in their name, and claims whose volume is not known: nothing is guessed.",
    references: &["IBM/blockchain-network-on-kubernetes: configFiles/docker-volume.yaml"],
    host_path: None,
    reads: Reads::HostPaths,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for mount in host_paths::first_uses(workload, |mount| mount.claimed.is_some()) {
        let targets = super::RULES
            .iter()
            .filter_map(|rule| Some((rule, rule.host_path.as_ref()?)));
        for (target, about) in targets.filter(|(_, about)| (about.matches)(&mount.path)) {
            let mut finding = host_paths::finding(&RULE, about.thing, workload, mount);
            let volume = mount.claimed.as_deref().unwrap_or_default();
            finding.what = format!("reaches {} by PV {volume}", finding.evidence);
            finding.certainty = target.certainty.min(finding.certainty);
            finding.impact = target.impact.min(finding.impact);
            finding.action = finding.action.or(target.action);
            soften(&mut finding, mount, volume);
            if finding.reason == RULE.reason {
                finding.reason = target.reason.to_owned();
            }
            if signals::is_guessed_data_root(&mount.path) {
                finding.certainty = Certainty::Possible;
                finding.action = Some(Action::Record);
            }
            finding.short_fix = target.short_fix;
            finding.consequence = format!("see {}", target.code);
            findings.push(finding);
        }
    }
}

/// A claim that has no volume yet can get `volume`. With a `subPath` the Pod says itself what it wants of it.
fn soften(finding: &mut Finding, mount: &HostMount<'_>, volume: &str) {
    let is_unknown = mount.claim_match == Match::Unknown && !mount.field.contains(".subPath");
    match mount.claim_match {
        Match::Bound => return,
        Match::Unknown if is_unknown => {
            finding.certainty = Certainty::Possible;
            finding.action = finding.action.map(|action| action.min(Action::Warn));
        }
        _ => finding.certainty = finding.certainty.min(Certainty::Likely),
    }
    finding.what = format!("can reach {} by PV {volume}", finding.evidence);
}

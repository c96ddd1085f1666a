//! What the rules about host paths share: one finding per volume and path, and the failure mode of `hostPath.type`.

use std::collections::HashSet;

use super::signals;
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Rule, Thing};
use crate::workload::Workload;
use crate::workload::host_path::HostPath;
use crate::workload::pod::{HostMount, MountUser};

/// Adds a finding for each volume and path that the rule is about. Paths behind a claim are DKR112's.
pub(super) fn check(rule: &'static Rule, workload: &Workload<'_>, findings: &mut Findings) {
    let Some(about) = &rule.host_path else { return };
    // What a container does without is DKR602's.
    let is_leftover = |mount: &HostMount<'_>| {
        workload
            .pod
            .as_ref()
            .is_some_and(|pod| signals::is_leftover_beside_cri(pod, mount))
    };
    for mount in first_uses(workload, |mount| {
        mount.claimed.is_none() && (about.matches)(&mount.path) && !is_leftover(mount)
    }) {
        findings.push(finding(rule, about.thing, workload, mount));
    }
}

/// The mounts that `matches`, one for each volume and path.
pub(super) fn first_uses<'w, 'a>(
    workload: &'w Workload<'a>,
    matches: impl Fn(&HostMount<'_>) -> bool,
) -> Vec<&'w HostMount<'a>> {
    let mut seen = HashSet::new();
    let mounts = workload.host_mounts().iter().filter(|mount| matches(mount));
    mounts
        .filter(|mount| seen.insert((mount.volume, mount.path.as_str())))
        .collect()
}

/// The finding of `rule` for `mount`.
pub(super) fn finding(
    rule: &'static Rule,
    thing: Thing,
    workload: &Workload<'_>,
    mount: &HostMount<'_>,
) -> Finding {
    let verb = match mount.user {
        MountUser::Container(_) => "mounts",
        MountUser::Nobody | MountUser::Unseen => "names",
        MountUser::Claims => "offers",
    };
    let noun = if mount.user == MountUser::Claims {
        "PV"
    } else {
        "volume"
    };
    let mut finding = Finding::new(
        rule,
        noun,
        mount.volume,
        format!("{verb} {}", shown_path(mount)),
        mount.field.clone(),
        mount.path.as_str(),
    );
    finding.evidence = shown_path(mount);
    if let MountUser::Container(index) = mount.user {
        finding.container = workload
            .containers()
            .get(index)
            .map(|container| container.name().to_owned());
    }
    if mount.user == MountUser::Nobody {
        finding.certainty = Certainty::Possible;
        finding.impact = Impact::Advisory;
        finding.action = Some(Action::Record);
        finding.reason = "no container mounts it".to_owned();
        finding.consequence = "kubelet skips the volume; remove it".to_owned();
    } else {
        explain(&mut finding, rule, mount, thing);
    }
    finding
}

/// Says how the absence of what `mount` reaches shows.
fn explain(finding: &mut Finding, rule: &Rule, mount: &HostMount<'_>, thing: Thing) {
    if mount.user == MountUser::Unseen {
        finding.certainty = finding.certainty.min(Certainty::Likely);
    }
    if let Some((reason, consequence)) = failure_mode(&mount.kind, thing) {
        // A Pod that never starts is broken, however little it needed the path.
        if reason.is_some() {
            finding.impact = Impact::Breaks;
        }
        finding.reason = reason.unwrap_or(rule.reason).to_owned();
        finding.consequence = consequence.to_owned();
    }
}

/// How kubelet and the runtime treat a missing path, by `hostPath.type`
/// (kubelet: pkg/volume/hostpath/host_path.go; containerd: internal/cri/opts/spec_linux_opts.go).
fn failure_mode(kind: &str, thing: Thing) -> Option<(Option<&'static str>, &'static str)> {
    Some(match (kind, thing) {
        ("Socket" | "File" | "Directory" | "CharDevice" | "BlockDevice", _) => (
            Some("Pod stuck on {nodes}"),
            "its hostPath type makes kubelet check for the path, so the Pod stays in ContainerCreating with FailedMount",
        ),
        ("DirectoryOrCreate", Thing::Socket | Thing::File) => (
            None,
            "kubelet creates an empty directory of that name, so the Pod starts and fails at its first call",
        ),
        ("FileOrCreate", Thing::Socket) => (
            None,
            "kubelet creates an empty file of that name, so the Pod starts and fails at its first call",
        ),
        ("", Thing::Socket) => (
            None,
            "no hostPath type, so the Pod starts with an empty directory there and fails at its first call",
        ),
        ("", Thing::File) => (
            None,
            "no hostPath type, so the Pod starts with an empty directory there",
        ),
        (_, Thing::Directory) => (None, "the Pod starts with an empty directory there"),
        _ => return None,
    })
}

/// The host path of `mount` for people.
fn shown_path(mount: &HostMount<'_>) -> String {
    let shown = shown(&mount.path);
    if mount.open_below {
        format!("{}/…", shown.trim_end_matches('/'))
    } else {
        shown
    }
}

/// A path for people: `/var/run` as manifests write it, because that is what they will search for.
pub(super) fn shown(path: &HostPath) -> String {
    let path = path.as_str();
    match path.strip_prefix("/run/") {
        Some(rest) => format!("/var/run/{rest}"),
        None if path == "/run" => "/var/run".to_owned(),
        None if path.starts_with("/pipe/") => format!(r"\\.{}", path.replace('/', r"\")),
        None => path.to_owned(),
    }
}

/// True for a directory above Docker's socket. Below it anything may be reached where a variable decides.
pub(super) fn is_socket_parent(mount: &HostMount<'_>) -> bool {
    mount.is_socket_parent || mount.open_below
}

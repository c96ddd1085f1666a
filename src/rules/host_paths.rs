//! What the rules about host paths share: the finding for a mount, and what happens on a node that
//! lacks the path, by `hostPath.type`.

use super::findings;
use crate::analysis::{Workload, docker_usage, sockets};
use crate::finding::{Action, Certainty, Finding, Impact, Rule, Thing};
use crate::workload::host_path::HostPath;
use crate::workload::pod::{HostMount, MountUser, Named};

/// The finding of `rule` for `mount`, if the rule's `host_path` is about it. Paths behind a claim
/// are DKR112's, and what a container does without is DKR602's.
pub(super) fn find(
    rule: &'static Rule,
    workload: &Workload<'_>,
    mount: &HostMount<'_>,
) -> Option<Finding> {
    let about = rule.host_path.as_ref()?;
    let is_leftover = || {
        let pod = workload.pod.as_ref();
        pod.is_some_and(|pod| sockets::is_leftover_beside_cri(pod, mount))
    };
    if mount.claimed.is_some() || !about.matches(mount.judged_path()) || is_leftover() {
        return None;
    }
    Some(finding(rule, about.0, workload, mount))
}

/// The finding of `rule` for `mount`.
pub(super) fn finding(
    rule: &'static Rule,
    thing: Thing,
    workload: &Workload<'_>,
    mount: &HostMount<'_>,
) -> Finding {
    if let Some(named) = &mount.named {
        return named_finding(rule, workload, mount, named);
    }
    let (noun, verb) = match mount.user {
        MountUser::Container(_) => ("volume", "mounts"),
        MountUser::Nobody | MountUser::Unseen => ("volume", "names"),
        MountUser::Claims => ("PV", "offers"),
    };
    let shown = shown_path(mount);
    let mut finding = Finding::new(rule)
        .on(noun, mount.volume)
        .field(mount.field.as_str())
        .what(format!("{verb} {shown}"))
        .evidence(&shown)
        .identity(mount.path.as_str());
    if let MountUser::Container(index) = mount.user {
        let container = workload.containers().get(index);
        finding.container = container.map(|container| container.name().to_owned());
    }
    if mount.user == MountUser::Nobody {
        return finding
            .advisory("no container mounts it")
            .consequence("kubelet skips the volume; remove it");
    }
    if mount.user == MountUser::Unseen {
        finding.certainty = finding.certainty.min(Certainty::Likely);
    }
    if let Some((reason, consequence)) = failure_mode(&mount.kind, thing) {
        // A Pod that never starts is broken, however little it needed the path.
        if let Some(reason) = reason {
            finding.impact = Impact::Breaks;
            finding = finding.reason(reason);
        }
        finding = finding.consequence(consequence);
    }
    finding
}

/// The finding of `rule` for a path that a text names: the directory above it is on every node, so
/// nothing but the use of the path fails.
fn named_finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    mount: &HostMount<'_>,
    named: &Named,
) -> Finding {
    let finding = Finding::new(rule);
    let (Some(pod), MountUser::Container(index)) = (&workload.pod, mount.user) else {
        return finding;
    };
    let container = &pod.containers[index];
    let certainty = finding.certainty.min(Certainty::Likely);
    let action = rule.default_action(certainty).min(Action::Warn);
    let finding = finding
        .in_container(pod, container, &named.field)
        .what(match mount.volume {
            "" => format!("names {} on the node", shown(&mount.path)),
            volume => format!("names {} through volume \"{volume}\"", shown(&mount.path)),
        })
        .evidence(&named.text)
        .identity(mount.path.as_str())
        .certainty(certainty)
        .action(action);
    let is_agent_of_several = sockets::is_agent(container) && sockets::names_cri_socket(container);
    if is_agent_of_several || docker_usage::handles_other_runtimes(container) {
        findings::for_several_runtimes(finding)
    } else {
        finding
    }
}

/// How kubelet and the runtime treat a missing path, by `hostPath.type`
/// (kubelet: pkg/volume/hostpath/host_path.go; containerd: internal/cri/opts/spec_linux_opts.go).
fn failure_mode(kind: &str, thing: Thing) -> Option<(Option<&'static str>, &'static str)> {
    Some(match (kind, thing) {
        ("Socket" | "File" | "Directory" | "CharDevice" | "BlockDevice", _) => (
            Some("Pod stuck on {nodes}"),
            "its hostPath type makes kubelet check for the path, so the Pod stays in \
             ContainerCreating with FailedMount",
        ),
        ("DirectoryOrCreate", Thing::Socket | Thing::File) => (
            None,
            "kubelet creates an empty directory of that name, so the Pod starts and fails \
             at its first call",
        ),
        ("FileOrCreate", Thing::Socket) => (
            None,
            "kubelet creates an empty file of that name, so the Pod starts and fails at \
             its first call",
        ),
        ("", Thing::Socket) => (
            None,
            "no hostPath type, so the Pod starts with an empty directory there and fails \
             at its first call",
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

//! What the rules about host paths share: the finding for a mount, and what happens on a node that
//! lacks the path, by `hostPath.type`.

use super::findings;
use crate::analysis::{Workload, docker_usage, sockets};
use crate::finding::{Action, Certainty, Finding, Impact, Rule, Thing, missing_path};
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
        finding.uses = 0;
        return finding
            .advisory("no container mounts it")
            .consequence("kubelet skips the volume; remove it");
    }
    if mount.user == MountUser::Unseen {
        finding.certainty = finding.certainty.min(Certainty::Likely);
    }
    if let Some((reason, consequence)) = missing_path(&mount.kind, thing) {
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
            "" => format!("names {} on the node", mount.path.shown()),
            volume => format!("names {} through volume \"{volume}\"", mount.path.shown()),
        })
        .evidence(&named.text)
        .identity(mount.path.as_str())
        .certainty(certainty)
        .action(action);
    if sockets::is_agent_of_several(container) || docker_usage::handles_other_runtimes(container) {
        findings::for_several_runtimes(finding)
    } else {
        finding
    }
}

/// The host path of `mount` for people.
fn shown_path(mount: &HostMount<'_>) -> String {
    let shown = mount.path.shown();
    if mount.open_below {
        format!("{}/…", shown.trim_end_matches('/'))
    } else {
        shown
    }
}

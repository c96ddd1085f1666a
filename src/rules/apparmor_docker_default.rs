//! DKR807 apparmor-docker-default: the AppArmor profile that dockerd loads.

use crate::analysis::Workload;
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};

pub(super) static RULE: Rule = Rule {
    code: "DKR807",
    name: "apparmor-docker-default",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: Some(Action::Warn),
    summary: "a container asks for the AppArmor profile docker-default",
    reason: "not loaded on {nodes}",
    consequence: "dockerd loads the profile when it starts; without it the container is not \
        started",
    short_fix: "use RuntimeDefault",
    page: include_str!("../../docs/rules/apparmor-docker-default.md"),
    check: Check::Object(check),
    ..Rule::BASE
};

/// The name under which dockerd loads its profile. Source: moby/moby: daemon/apparmor_default.go.
const PROFILE: &str = "docker-default";

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    for (metadata, annotations) in workload.annotations() {
        for (key, value) in annotations.iter() {
            // Comparing comes first: a search costs a clean object hundreds of instructions.
            if value == "localhost/docker-default"
                && key.starts_with("container.apparmor.security.beta.kubernetes.io/")
            {
                findings.push(
                    Finding::new(&RULE)
                        .on("annotation", key)
                        .field(format!("{metadata}.annotations['{key}']"))
                        .what(format!("is {value}"))
                        .evidence(value),
                );
            }
        }
    }
    let Some(pod) = &workload.pod else { return };
    let field = "securityContext.appArmorProfile.localhostProfile";
    let shared = pod.spec.security_context.as_ref();
    let shared = shared.and_then(|context| context.app_armor_profile.as_ref());
    if shared.is_some_and(|profile| *profile.localhost_profile == *PROFILE) {
        findings.push(
            Finding::new(&RULE)
                .on("object", workload.name)
                .field(format!("{}.{field}", pod.path))
                .what(format!("has the AppArmor profile {PROFILE}"))
                .evidence(PROFILE),
        );
    }
    for container in &pod.containers {
        let own = container.raw.security_context.as_ref();
        let own = own.and_then(|context| context.app_armor_profile.as_ref());
        if own.is_some_and(|profile| *profile.localhost_profile == *PROFILE) {
            findings.push(
                Finding::new(&RULE)
                    .in_container(pod, container, field)
                    .what(format!("has the AppArmor profile {PROFILE}"))
                    .evidence(PROFILE),
            );
        }
    }
}

//! DKR112 docker-path-via-pv: a path of Docker behind a PersistentVolumeClaim.

use super::host_paths;
use crate::analysis::{Workload, data_root};
use crate::finding::{Action, Certainty, Check, Finding, Impact, Rule};
use crate::workload::Match;
use crate::workload::pod::HostMount;

pub(super) static RULE: Rule = Rule {
    code: "DKR112",
    name: "docker-path-via-pv",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Breaks,
    summary: "a claim leads to a PersistentVolume on a path of Docker",
    reason: "Docker's path is absent on {nodes}",
    short_fix: "see the rule of the path",
    page: include_str!("../../docs/rules/docker-path-via-pv.md"),
    check: Check::HostPath(check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, mount: &HostMount<'_>) -> Option<Finding> {
    let volume = mount.claimed.as_deref()?;
    let mut targets = super::RULES
        .iter()
        .filter_map(|rule| Some((rule, rule.host_path.as_ref()?)));
    let (target, about) = targets.find(|(_, about)| about.matches(mount.judged_path()))?;
    let mut finding = host_paths::finding(&RULE, about.0, workload, mount);
    finding.what = format!("reaches {} by PV {volume}", finding.evidence);
    finding.certainty = target.certainty.min(finding.certainty);
    finding.impact = target.impact.min(finding.impact);
    finding.action = finding.action.or(target.action);
    finding = by_match(finding, mount, volume);
    if finding.reason == RULE.reason {
        finding = finding.reason(target.reason);
    }
    if data_root::is_guessed_data_root(mount.judged_path()) {
        finding = finding
            .certainty(Certainty::Possible)
            .action(Action::Record);
    }
    finding.short_fix = target.short_fix;
    Some(finding.consequence(format!("see {}", target.code)))
}

/// A claim that has no volume yet can get `volume`. With a `subPath` the Pod says itself what it
/// wants of it.
fn by_match(mut finding: Finding, mount: &HostMount<'_>, volume: &str) -> Finding {
    let names_sub_path = mount.field.contains(".subPath");
    match mount.claim_match {
        Match::Bound => return finding,
        Match::Unknown if !names_sub_path => {
            finding.certainty = Certainty::Possible;
            finding.action = finding.action.map(|action| action.min(Action::Warn));
        }
        Match::Unknown | Match::Class => {
            finding.certainty = finding.certainty.min(Certainty::Likely);
        }
    }
    let what = format!("can reach {} by PV {volume}", finding.evidence);
    finding.what(what)
}

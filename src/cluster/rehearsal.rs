//! What the workloads of a namespace would meet under a stricter mode: the answer to
//! `kubectl label namespace NAME undock.dev/mode=enforce --dry-run=server`.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::time::Duration;

use kube::Client;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::api::list::{List, Step, list};
use crate::api::path::{is_dns_label, list_path};
use crate::decision::cluster_state::ClusterState;
use crate::decision::namespace::NamespaceSettings;
use crate::decision::{self, Judged, Mode, Policy, Requester, controllers};
use crate::finding::Action;
use crate::finding::text::{clip, count, escape_controls};
use crate::kinds::KINDS;
use crate::workload::Workload;
use crate::workload::object::Object;

/// Objects that are looked at (as Pod Security Admission does for its labels).
const MAX_OBJECTS: usize = 3_000;
/// Time that is taken at most; half of the API server's timeout if that is less.
const MAX_TIME: Duration = Duration::from_secs(1);
/// Bytes of an object that is looked at. Ordinary ones have some kilobytes; users decide how many
/// large ones there are, and the webhook must keep its memory for reviews.
const MAX_OBJECT: usize = 4 << 20;
/// Rehearsals at the same time, for the same reason.
static ROOM: Semaphore = Semaphore::const_new(2);
/// Lines of warning; the rest is counted.
const MAX_LINES: usize = 5;

/// Looks at the workloads of `namespace` as `mode` would, and says what it would refuse or warn
/// about, grouped by owner. `settings` are those that the Namespace is to have: an exemption that
/// comes with the mode counts.
pub async fn rehearse(
    client: &Client,
    namespace: &str,
    mode: Mode,
    settings: &NamespaceSettings,
    policy: &Policy,
    timeout: Duration,
) -> Vec<String> {
    // The name is that of a review, which need not come from the API server.
    if !is_dns_label(namespace) {
        return Vec::new();
    }
    let deadline = Instant::now() + MAX_TIME.min(timeout / 2);
    let policy = Policy {
        mode,
        cluster_state: cluster_state(policy, namespace, settings),
        ..policy.clone()
    };
    let mut seen = Seen::default();
    let looking = async {
        let _room = ROOM.acquire().await;
        for kind in KINDS.iter().filter(|kind| kind.is_rehearsed) {
            let path = list_path(kind, namespace);
            let objects = List {
                max_item: MAX_OBJECT,
                ..List::of(&path)
            };
            let take = |step: Step<'_>| seen.take(step, kind.name, namespace, &policy);
            if let Err(error) = list(client, &objects, take).await {
                seen.problem
                    .get_or_insert_with(|| format!("cannot list {} objects: {error}", kind.name));
            }
            if seen.is_full {
                break;
            }
        }
    };
    if timeout_at(deadline, looking).await.is_err() {
        seen.problem
            .get_or_insert_with(|| "time ran out".to_owned());
    }
    lines(&seen.owners, mode, seen.looked, seen.problem.as_deref())
}

/// What was seen of the namespace.
#[derive(Default)]
struct Seen {
    owners: BTreeMap<String, Affected>,
    looked: usize,
    is_full: bool,
    /// The first reason why not everything was looked at.
    problem: Option<String>,
}

/// An owner, and what its objects would meet.
#[derive(Default)]
struct Affected {
    findings: Vec<Judged>,
    /// Fingerprints of what is exempt. An exemption on a workload holds for the Pods that are made
    /// from it.
    exempt: HashSet<String>,
    /// No built-in controller makes its objects, so a new one is like any other that is new.
    is_foreign: bool,
}

/// What happens to an owner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Refused,
    /// In mode `freeze`: what exists is served by the built-in controllers.
    Kept,
    Warned,
}

impl Affected {
    fn effect(&self, mode: Mode) -> Effect {
        let is_refused = |judged: &Judged| judged.action == Action::Deny;
        match self.findings.iter().any(is_refused) {
            false => Effect::Warned,
            true if mode == Mode::Freeze && !self.is_foreign => Effect::Kept,
            true => Effect::Refused,
        }
    }
}

impl Effect {
    fn words(self) -> &'static str {
        match self {
            Self::Refused => "would be refused",
            Self::Kept => "would be kept, and refused if it were new",
            Self::Warned => "would be warned about",
        }
    }
}

impl Seen {
    fn take(
        &mut self,
        step: Step<'_>,
        kind: &str,
        namespace: &str,
        policy: &Policy,
    ) -> ControlFlow<()> {
        match step {
            Step::Item(_) if self.looked == MAX_OBJECTS => {
                self.is_full = true;
                self.problem
                    .get_or_insert_with(|| "there are more".to_owned());
                return ControlFlow::Break(());
            }
            Step::Item(item) => {
                self.looked += 1;
                look(item.get(), kind, namespace, policy, &mut self.owners);
            }
            Step::TooLarge(name) => {
                let size = MAX_OBJECT >> 20;
                self.problem
                    .get_or_insert_with(|| format!("{kind} {name} is larger than {size} MiB"));
            }
            // Findings of the same owner count once, however often its objects are seen.
            Step::Restart => {}
        }
        ControlFlow::Continue(())
    }
}

/// Adds the findings of one object to those of its owner.
fn look(
    json: &str,
    kind: &str,
    namespace: &str,
    policy: &Policy,
    owners: &mut BTreeMap<String, Affected>,
) {
    let Ok(mut object) = serde_json::from_str::<Object<'_>>(json) else {
        return;
    };
    // Items of a list do not name their kind.
    object.set_type("".into(), kind.into());
    let mut workload = Workload::with_overrides(&object, namespace, &policy.overrides);
    workload.relate_to(&policy.cluster_state.related_objects());
    let decision = decision::decide(&workload, None, policy, Requester::default());
    let controller = workload.controller();
    let is_foreign =
        controller.is_some_and(|reference| controllers::of(workload.kind(), reference).is_none());
    for judged in decision.findings {
        let (kind, name) = match judged.is_ephemeral {
            true => (workload.kind(), workload.name),
            false => (&*workload.owner.kind, &*workload.owner.name),
        };
        let is_exempt = judged.exempt.is_some();
        if !is_exempt && judged.action < Action::Warn {
            continue;
        }
        let owner = owners.entry(format!("{kind}/{name}")).or_default();
        owner.is_foreign |= is_foreign;
        let is_same = |other: &Judged| other.fingerprint == judged.fingerprint;
        if is_exempt {
            owner.exempt.insert(judged.fingerprint);
        } else if !owner.exempt.contains(&judged.fingerprint) && !owner.findings.iter().any(is_same)
        {
            owner.findings.push(judged);
        }
    }
}

/// One line for each set of rules and what follows from it: the first owner, and how many others.
/// Then what a refusal means for what runs.
fn lines(
    owners: &BTreeMap<String, Affected>,
    mode: Mode,
    looked: usize,
    problem: Option<&str>,
) -> Vec<String> {
    let mut groups: BTreeMap<(Effect, Vec<&str>), Vec<&str>> = BTreeMap::new();
    for (owner, affected) in owners {
        if affected.findings.is_empty() {
            continue;
        }
        let mut codes: Vec<&str> = affected
            .findings
            .iter()
            .map(|judged| judged.finding.rule.code)
            .collect();
        codes.sort_unstable();
        codes.dedup();
        let group = groups.entry((affected.effect(mode), codes)).or_default();
        group.push(owner);
    }
    let meaning = groups
        .keys()
        .next()
        .and_then(|(effect, _)| match (*effect, mode) {
            (Effect::Refused, Mode::Enforce) => {
                Some("undock: running Pods stay, and no new one of these starts")
            }
            (Effect::Refused | Effect::Kept, Mode::Freeze) => Some(
                "undock: what runs stays, and Deployments and the like get new Pods; what is new \
                 is refused",
            ),
            _ => None,
        });
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    let hidden = groups.len().saturating_sub(MAX_LINES);
    let mut lines: Vec<String> = groups
        .into_iter()
        .take(MAX_LINES)
        .map(|((effect, codes), members)| {
            let owner = members[0];
            let others = match members.len() - 1 {
                0 => String::new(),
                others => format!(" (and {})", count(others, "other")),
            };
            let (effect, codes) = (effect.words(), codes.join(", "));
            let line = format!("undock: {owner}{others} {effect}: {codes}");
            clip(&escape_controls(&line), 120)
        })
        .collect();
    lines.extend(meaning.map(str::to_owned));
    if hidden > 0 {
        lines.push(format!(
            "undock: {}; see them all: undock scan",
            count(hidden, "more kind of finding")
        ));
    }
    match problem {
        Some(problem) => lines.push(clip(
            &format!(
                "undock: only {} checked: {problem}",
                count(looked, "object")
            ),
            120,
        )),
        None if lines.is_empty() => lines.push(format!(
            "undock: {} checked, none has findings under {}",
            count(looked, "object"),
            mode.as_str()
        )),
        None => {}
    }
    lines
}

/// The cluster state with only this namespace in it, whose mode is that of the policy.
fn cluster_state(
    policy: &Policy,
    namespace: &str,
    settings: &NamespaceSettings,
) -> std::sync::Arc<ClusterState> {
    let cluster_state = ClusterState::default();
    cluster_state.set_watching();
    cluster_state.set_warm();
    cluster_state.set_namespace(namespace, Some(settings.clone().without_mode()));
    cluster_state.set_related_objects((*policy.cluster_state.related_objects()).clone());
    std::sync::Arc::new(cluster_state)
}

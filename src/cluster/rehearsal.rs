//! What the workloads of a namespace would meet under a stricter mode: the answer to
//! `kubectl label namespace NAME undock.dev/mode=enforce --dry-run=server`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use kube::Client;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::api::list::{List, Step, list};
use crate::api::path::{is_dns_label, list_path};
use crate::decision::facts::ClusterFacts;
use crate::decision::namespace::NamespaceSettings;
use crate::decision::{self, Judged, Mode, Policy, Writer};
use crate::finding::Action;
use crate::finding::text::{clip, count, escape_controls};
use crate::kinds::KINDS;
use crate::workload::Workload;
use crate::workload::object::Object;

/// Objects that are looked at (as Pod Security Admission does for its labels).
const MAX_OBJECTS: usize = 3_000;
/// Time that is taken at most; half of the API server's timeout if that is less.
const MAX_TIME: Duration = Duration::from_secs(1);
/// Bytes of an object that is looked at. Ordinary ones have some kilobytes; users decide how many large ones there are, and
/// the webhook must keep its memory for reviews.
const MAX_OBJECT: usize = 4 << 20;
/// Rehearsals at the same time, for the same reason.
static ROOM: Semaphore = Semaphore::const_new(2);
/// Lines of warning; the rest is counted.
const MAX_LINES: usize = 5;

/// Looks at the workloads of `namespace` as `mode` would, and says what it would refuse or warn about, grouped by owner.
/// `settings` are those that the Namespace is to have: an exemption that comes with the mode counts.
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
        facts: facts(policy, namespace, settings),
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
    owners: BTreeMap<String, Vec<Judged>>,
    looked: usize,
    is_full: bool,
    /// The first reason why not everything was looked at.
    problem: Option<String>,
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
    owners: &mut BTreeMap<String, Vec<Judged>>,
) {
    let Ok(mut object) = serde_json::from_str::<Object<'_>>(json) else {
        return;
    };
    // Items of a list do not name their kind.
    object.set_type("".into(), kind.into());
    let mut workload = Workload::with_knowledge(&object, namespace, &policy.knowledge);
    workload.place_in(&policy.facts.surroundings());
    let decision = decision::decide(&workload, None, policy, Writer::default());
    let told = decision
        .findings
        .into_iter()
        .filter(|judged| judged.action >= Action::Warn);
    let owner = format!("{}/{}", workload.owner.kind, workload.owner.name);
    for judged in told {
        let known = owners.entry(owner.clone()).or_default();
        if !known
            .iter()
            .any(|other| other.fingerprint == judged.fingerprint)
        {
            known.push(judged);
        }
    }
}

/// One line for each set of rules: the first owner, how many others, and the first finding.
fn lines(
    owners: &BTreeMap<String, Vec<Judged>>,
    mode: Mode,
    looked: usize,
    problem: Option<&str>,
) -> Vec<String> {
    let mut groups: BTreeMap<Vec<&str>, Vec<(&String, &Vec<Judged>)>> = BTreeMap::new();
    for (owner, findings) in owners {
        let mut codes: Vec<&str> = findings
            .iter()
            .map(|judged| judged.finding.rule.code)
            .collect();
        codes.sort_unstable();
        codes.dedup();
        groups.entry(codes).or_default().push((owner, findings));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    let hidden = groups.len().saturating_sub(MAX_LINES);
    let mut lines: Vec<String> = groups
        .into_iter()
        .take(MAX_LINES)
        .map(|(codes, members)| {
            let (owner, findings) = members[0];
            let refused = findings.iter().any(|judged| judged.action == Action::Deny);
            let others = match members.len() - 1 {
                0 => String::new(),
                others => format!(" (and {})", count(others, "other")),
            };
            let verb = if refused {
                "would be refused"
            } else {
                "would be warned about"
            };
            clip(
                &escape_controls(&format!(
                    "undock: {owner}{others} {verb}: {}",
                    codes.join(", ")
                )),
                120,
            )
        })
        .collect();
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

/// The facts with only this namespace in it, whose mode is that of the policy.
fn facts(
    policy: &Policy,
    namespace: &str,
    settings: &NamespaceSettings,
) -> std::sync::Arc<ClusterFacts> {
    let facts = ClusterFacts::default();
    facts.set_watching();
    facts.set_warm();
    facts.set_namespace(
        namespace,
        Some(NamespaceSettings {
            mode: None,
            ..settings.clone()
        }),
    );
    facts.set_surroundings((*policy.facts.surroundings()).clone());
    std::sync::Arc::new(facts)
}

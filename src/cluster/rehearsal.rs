//! What the workloads of a namespace would meet under a stricter mode: the answer to
//! `kubectl label namespace NAME undock.dev/mode=enforce --dry-run=server`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use kube::Client;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::decision::facts::ClusterFacts;
use crate::decision::namespace::NamespaceSettings;
use crate::decision::{self, Judged, Mode, Policy, Writer};
use crate::finding::Action;
use crate::finding::text::{clip, escape_controls};
use crate::workload::Workload;
use crate::workload::object::Object;

/// Objects that are looked at (as Pod Security Admission does for its labels).
const MAX_OBJECTS: usize = 3_000;
/// Time that is taken at most; half of the API server's timeout if that is less.
const MAX_TIME: Duration = Duration::from_secs(1);
/// Objects of one request.
const PAGE: usize = 500;
/// Lines of warning; the rest is counted.
const MAX_LINES: usize = 5;

/// Templates first: they stand for their Pods, and a CronJob between two runs has none.
const SOURCES: [(&str, &str); 6] = [
    ("Deployment", "/apis/apps/v1/namespaces/{}/deployments"),
    ("DaemonSet", "/apis/apps/v1/namespaces/{}/daemonsets"),
    ("StatefulSet", "/apis/apps/v1/namespaces/{}/statefulsets"),
    ("CronJob", "/apis/batch/v1/namespaces/{}/cronjobs"),
    ("Job", "/apis/batch/v1/namespaces/{}/jobs"),
    ("Pod", "/api/v1/namespaces/{}/pods"),
];

/// A page of a list; items stay unread until their turn.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    metadata: PageMetadata,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

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
    let deadline = Instant::now() + MAX_TIME.min(timeout / 2);
    let policy = Policy {
        mode,
        facts: facts(policy, namespace, settings),
        ..policy.clone()
    };
    let mut owners: BTreeMap<String, Vec<Judged>> = BTreeMap::new();
    let (mut looked, mut problem) = (0, None);
    'sources: for (kind, path) in SOURCES {
        let mut next = String::new();
        loop {
            let uri = format!(
                "{}?limit={PAGE}&continue={next}",
                path.replace("{}", namespace)
            );
            let body = match timeout_at(deadline, get(client, &uri)).await {
                Ok(Ok(body)) => body,
                Ok(Err(error)) => {
                    problem = Some(format!("cannot list {kind} objects: {error}"));
                    continue 'sources;
                }
                Err(_) => {
                    problem = Some("time ran out".to_owned());
                    break 'sources;
                }
            };
            let Ok(page) = serde_json::from_slice::<Page<'_>>(&body) else {
                problem = Some(format!("cannot read the list of {kind} objects"));
                continue 'sources;
            };
            for item in page.items.unwrap_or_default() {
                if looked == MAX_OBJECTS {
                    problem = Some("there are more".to_owned());
                    break 'sources;
                }
                looked += 1;
                look(item.get(), kind, namespace, &policy, &mut owners);
            }
            match page.metadata.next.filter(|next| !next.is_empty()) {
                Some(token) => next = token,
                None => break,
            }
        }
    }
    lines(&owners, mode, looked, problem.as_deref())
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
                1 => " (and 1 other)".to_owned(),
                count => format!(" (and {count} others)"),
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
            "undock: {hidden} more kinds of findings; see them all: undock scan"
        ));
    }
    match problem {
        Some(problem) => lines.push(clip(
            &format!("undock: only the first {looked} objects were checked: {problem}"),
            120,
        )),
        None if lines.is_empty() => lines.push(format!(
            "undock: {looked} objects checked, none has findings under {}",
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

async fn get(client: &Client, uri: &str) -> Result<Bytes, String> {
    let request = axum::http::Request::get(uri)
        .body(Vec::new())
        .map_err(|error| error.to_string())?;
    client
        .request_text(request)
        .await
        .map(Bytes::from)
        .map_err(|error| error.to_string())
}

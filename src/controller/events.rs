//! Events: what is new since the scan before, on the object that a person edits.
//!
//! The first scan of a holder tells nothing: what stands already is in the reports, and every
//! change of the holder would say it again. The name of an Event is made from what it tells, so the
//! API server refuses to take the same notice twice while it keeps the first.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use kube::Client;
use serde_json::{Value, json};

use super::namespaces::LostMode;
use super::notices::{OwnerFindings, Standing};
use super::{Failure, LeaderGuard, write_outcome};
use crate::api::ApiError;
use crate::api::path::resource;
use crate::api::request::write;
use crate::finding::short_digest;
use crate::finding::text::{clip, escape_controls};
use crate::scan::{SERIES_UID, Scanned, ScannedOwner};

/// Between two Events: five in a second.
const PACE: Duration = Duration::from_millis(200);
/// Events of one scan, a minute's worth. What is more is counted, and stands in the reports.
const MAX_EVENTS: usize = 300;
/// Days before the end of an exemption from which its end is a warning.
const LAST_DAYS: i32 = 3;

/// Bytes of a note, of which the API server takes 1,024.
const MAX_NOTE: usize = 900;

/// How a rule stands with an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Blocked,
    /// With how soon the exemption ends: 0 not soon, 1 in two weeks, 2 in three days.
    Exempt(u8),
}

/// States by code of the rule.
type States = BTreeMap<&'static str, State>;

/// What the scan before found, by uid of the owner; nothing before the first one.
#[derive(Default)]
pub(super) struct EventState(Option<BTreeMap<Box<str>, States>>);

/// Something to tell.
pub(super) struct Notice<'s> {
    about: Regarding<'s>,
    /// Code of the rule, or the verb in `action`.
    code: &'static str,
    reason: &'static str,
    is_warning: bool,
    note: String,
}

/// The object that an Event is about.
struct Regarding<'s> {
    api_version: &'s str,
    kind: &'s str,
    /// Empty for cluster-scoped objects.
    namespace: &'s str,
    name: &'s str,
    uid: &'s str,
}

impl<'s> From<&'s ScannedOwner> for Regarding<'s> {
    fn from(owner: &'s ScannedOwner) -> Self {
        Self {
            api_version: &owner.api_version,
            kind: &owner.kind,
            namespace: &owner.namespace,
            name: &owner.name,
            uid: &owner.uid,
        }
    }
}

/// The notices about namespaces that lost their mode.
pub(super) fn lost_modes(lost: &[LostMode]) -> Vec<Notice<'_>> {
    let notices = lost.iter().map(|lost| Notice {
        about: Regarding {
            api_version: "v1",
            kind: "Namespace",
            namespace: "",
            name: &lost.namespace,
            uid: &lost.uid,
        },
        code: "ModeLost",
        reason: "DockerModeLost",
        is_warning: true,
        note: lost.note(),
    });
    notices.collect()
}

impl EventState {
    /// What is new in this scan, which is remembered. Only a scan that `is_whole` tells that
    /// something is gone.
    pub(super) fn notices<'s>(
        &mut self,
        scanned: &'s Scanned,
        owners: &[OwnerFindings<'s>],
        is_whole: bool,
        today: Date,
    ) -> Vec<Notice<'s>> {
        let mut now: BTreeMap<Box<str>, States> = BTreeMap::new();
        let mut notices = Vec::new();
        let before = self.0.take();
        for flagged in owners {
            let states = states(flagged, today);
            if let Some(before) = &before {
                let before = before.get(&flagged.owner.uid);
                let new = states.iter().filter_map(|(code, state)| {
                    tell(
                        flagged,
                        code,
                        before.and_then(|states| states.get(code)),
                        *state,
                    )
                });
                notices.extend(new);
            }
            now.insert(flagged.owner.uid.clone(), states);
        }
        // Between two runs of a series, and while another job runs, there is nothing to see of it.
        for owner in scanned.owners.iter().filter(|owner| !owner.is_series) {
            let Some(known) = before.as_ref().and_then(|before| before.get(&owner.uid)) else {
                continue;
            };
            let found = owner.codes();
            for code in known
                .keys()
                .filter(|code| is_whole && !found.contains(*code))
            {
                let note = clip(
                    &escape_controls(&format!(
                        "{code} is gone from {}/{}",
                        owner.kind, owner.name
                    )),
                    MAX_NOTE,
                );
                notices.push(Notice {
                    about: owner.into(),
                    code,
                    reason: "DockerDependencyFixed",
                    is_warning: false,
                    note,
                });
            }
        }
        let before = before.into_iter().flatten();
        for (uid, states) in before.filter(|(uid, _)| !is_whole || uid.starts_with(SERIES_UID)) {
            now.entry(uid).or_insert(states);
        }
        self.0 = Some(now);
        notices
    }
}

/// How each rule stands with an owner: as its most urgent finding does.
fn states(flagged: &OwnerFindings<'_>, today: Date) -> States {
    let mut states = States::new();
    for found in &flagged.findings {
        let urgency = |state: &State| match state {
            State::Exempt(soon) => *soon,
            State::Open => 3,
            State::Blocked => 4,
        };
        let state = match (flagged.standing(found), &found.judged.exempt) {
            (Standing::Blocked, _) => State::Blocked,
            (Standing::Exempt, Some(granted)) => {
                State::Exempt(match granted.terms.ends_soon(today) {
                    Some(days) if days <= LAST_DAYS => 2,
                    Some(_) => 1,
                    None => 0,
                })
            }
            _ => State::Open,
        };
        let known = states
            .entry(found.judged.finding.rule.code)
            .or_insert(state);
        if urgency(&state) > urgency(known) {
            *known = state;
        }
    }
    states
}

/// The notice, if the change from `before` to `now` is any.
fn tell<'s>(
    flagged: &OwnerFindings<'s>,
    code: &'static str,
    before: Option<&State>,
    now: State,
) -> Option<Notice<'s>> {
    let (reason, is_warning) = match (before, now) {
        (Some(before), now) if *before == now => return None,
        (Some(State::Exempt(_)), State::Open | State::Blocked) => ("DockerExemptionExpired", true),
        (_, State::Blocked) => ("DockerDependencyBlocked", true),
        (None, State::Open) => ("DockerDependencyFound", false),
        (Some(State::Exempt(before)), State::Exempt(now)) if now <= *before => return None,
        (_, State::Exempt(0)) => return None,
        (_, State::Exempt(soon)) => ("DockerExemptionExpiring", soon == 2),
        // A mode was lowered: that says nothing new about the workload.
        (Some(_), State::Open) => return None,
    };
    let mut found = flagged
        .findings
        .iter()
        .filter(|found| found.judged.finding.rule.code == code);
    let first = found.next()?;
    let more = match found.count() {
        0 => String::new(),
        count => format!(" (and {count} more of {code})"),
    };
    let terms = first.judged.exempt.as_ref().map(|granted| &granted.terms);
    let until = terms.map_or_else(String::new, |terms| {
        format!("exempt until {}: ", terms.until)
    });
    let note = format!(
        "{until}{}{more}. Details: undock explain {code}",
        flagged.sentence(first)
    );
    Some(Notice {
        about: flagged.owner.into(),
        code,
        reason,
        is_warning,
        note,
    })
}

/// Writes the notices as Events.
pub(super) async fn publish(
    client: &Client,
    notices: Vec<Notice<'_>>,
    guard: &LeaderGuard<'_>,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (place, notice) in notices.into_iter().enumerate() {
        if place >= MAX_EVENTS {
            guard.count("event", "dropped");
            continue;
        }
        if !guard.is_held() {
            break;
        }
        let namespace = namespace(&notice.about);
        let path = resource("events.k8s.io", "v1", namespace, "events", "");
        let written = write(
            client,
            Method::POST,
            &path,
            Some(&event(&notice, guard.holder, Timestamp::now())),
        )
        .await;
        match written {
            Ok(()) => guard.count("event", "created"),
            Err(ApiError::Conflict(_)) => guard.count("event", "repeated"),
            Err(error) => {
                guard.count("event", write_outcome(&error));
                if !matches!(error, ApiError::Terminating | ApiError::NotFound(_)) {
                    failures.push(Failure::new(
                        "event",
                        error.reason(),
                        format!("cannot write events: {error}"),
                    ));
                }
                if matches!(error, ApiError::Forbidden(_) | ApiError::Unauthorized(_)) {
                    break;
                }
            }
        }
        tokio::time::sleep(PACE).await;
    }
    failures
}

/// Events about cluster-scoped objects live in `default`.
fn namespace<'s>(about: &Regarding<'s>) -> &'s str {
    if about.namespace.is_empty() {
        "default"
    } else {
        about.namespace
    }
}

fn event(notice: &Notice<'_>, holder: &str, now: Timestamp) -> Value {
    let Notice {
        about,
        code,
        reason,
        is_warning,
        note,
    } = notice;
    let mut regarding = json!({
        "apiVersion": about.api_version, "kind": about.kind, "name": about.name, "uid": about.uid,
    });
    if !about.namespace.is_empty() {
        regarding["namespace"] = about.namespace.into();
    }
    let digest = short_digest(&format!("{}/{code}/{reason}/{is_warning}", about.uid));
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": format!("undock.{digest}"), "namespace": namespace(about)},
        "eventTime": format!("{now:.6}"), "reportingController": "undock.dev/controller",
        "reportingInstance": holder, "action": code, "reason": reason,
        "type": if *is_warning { "Warning" } else { "Normal" }, "regarding": regarding,
        "note": note,
    })
}

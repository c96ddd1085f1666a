//! Events: what is new since the scan before, on the object that a person edits.
//!
//! The first scan of a holder tells nothing: what stands already is in the reports, and every change of the holder would say it again.
//! The name of an Event is made from what it tells, so the API server refuses to take the same news twice while it keeps the first.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use kube::Client;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::told::{Standing, Told};
use super::write::{WriteError, send};
use super::{Pen, Trouble};
use crate::finding::text::{clip, escape_controls};
use crate::scan::{Scanned, ScannedOwner};

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

/// What the scan before told, by uid of the owner; nothing before the first one.
#[derive(Default)]
pub(super) struct Memory(Option<BTreeMap<Box<str>, States>>);

/// Something to tell.
struct News<'s> {
    owner: &'s ScannedOwner,
    code: &'static str,
    reason: &'static str,
    is_warning: bool,
    note: String,
}

impl Memory {
    /// What is new in this scan, which is remembered. Only a scan that `is_whole` tells that something is gone.
    fn news<'s>(
        &mut self,
        scanned: &'s Scanned,
        told: &[Told<'s>],
        is_whole: bool,
        today: Date,
    ) -> Vec<News<'s>> {
        let mut now: BTreeMap<Box<str>, States> = BTreeMap::new();
        let mut news = Vec::new();
        let before = self.0.take();
        for told in told {
            let states = states(told, today);
            if let Some(before) = &before {
                let before = before.get(&told.owner.uid);
                let told = states.iter().filter_map(|(code, state)| {
                    tell(
                        told,
                        code,
                        before.and_then(|states| states.get(code)),
                        *state,
                    )
                });
                news.extend(told);
            }
            now.insert(told.owner.uid.clone(), states);
        }
        for owner in &scanned.owners {
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
                news.push(News {
                    owner,
                    code,
                    reason: "DockerDependencyFixed",
                    is_warning: false,
                    note,
                });
            }
        }
        for (uid, states) in before.into_iter().flatten().filter(|_| !is_whole) {
            now.entry(uid).or_insert(states);
        }
        self.0 = Some(now);
        news
    }
}

/// How each rule stands with an owner: as its most urgent finding does.
fn states(told: &Told<'_>, today: Date) -> States {
    let mut states = States::new();
    for found in &told.findings {
        let urgency = |state: &State| match state {
            State::Exempt(soon) => *soon,
            State::Open => 3,
            State::Blocked => 4,
        };
        let state = match (told.standing(found), &found.judged.exempt) {
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

/// The news, if the change from `before` to `now` is any.
fn tell<'s>(
    told: &Told<'s>,
    code: &'static str,
    before: Option<&State>,
    now: State,
) -> Option<News<'s>> {
    let (reason, is_warning) = match (before, now) {
        (Some(before), now) if *before == now => return None,
        (Some(State::Exempt(_)), State::Open | State::Blocked) => ("DockerExemptionExpired", true),
        (_, State::Blocked) => ("DockerDependencyBlocked", true),
        (None, State::Open) => ("DockerDependencyFound", false),
        (Some(State::Exempt(before)), State::Exempt(now)) if now <= *before => return None,
        (_, State::Exempt(0)) => return None,
        (_, State::Exempt(soon)) => ("DockerExemptionExpiring", soon == 2),
        // A mode was lowered: that is no news about the workload.
        (Some(_), State::Open) => return None,
    };
    let mut found = told
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
        told.sentence(first)
    );
    Some(News {
        owner: told.owner,
        code,
        reason,
        is_warning,
        note,
    })
}

/// Writes what is new as Events.
pub(super) async fn publish(
    client: &Client,
    memory: &mut Memory,
    scanned: &Scanned,
    told: &[Told<'_>],
    is_whole: bool,
    pen: &Pen<'_>,
) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for (place, news) in memory
        .news(scanned, told, is_whole, crate::decision::today())
        .into_iter()
        .enumerate()
    {
        if place >= MAX_EVENTS {
            pen.count("event", "dropped");
            continue;
        }
        if !pen.is_held() {
            break;
        }
        let namespace = namespace(news.owner);
        let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
        let written = send(
            client,
            Method::POST,
            &path,
            Some(&event(&news, pen.holder, Timestamp::now())),
        )
        .await;
        match written {
            Ok(()) => pen.count("event", "created"),
            Err(WriteError::Conflict(_)) => pen.count("event", "repeated"),
            Err(error) => {
                pen.count("event", error.reason());
                if !matches!(error, WriteError::Terminating | WriteError::NotFound(_)) {
                    troubles.push(Trouble::new(
                        "event",
                        error.reason(),
                        format!("cannot write events: {error}"),
                    ));
                }
                if matches!(error, WriteError::Forbidden(_)) {
                    break;
                }
            }
        }
        tokio::time::sleep(PACE).await;
    }
    troubles
}

/// Events about cluster-scoped objects live in `default`.
fn namespace(owner: &ScannedOwner) -> &str {
    if owner.namespace.is_empty() {
        "default"
    } else {
        &owner.namespace
    }
}

fn event(news: &News<'_>, holder: &str, now: Timestamp) -> Value {
    let News {
        owner,
        code,
        reason,
        is_warning,
        note,
    } = news;
    let mut regarding = json!({"apiVersion": &*owner.api_version, "kind": &*owner.kind, "name": &*owner.name, "uid": &*owner.uid});
    if !owner.namespace.is_empty() {
        regarding["namespace"] = (*owner.namespace).into();
    }
    let digest = Sha256::digest(format!("{}/{code}/{reason}/{is_warning}", owner.uid));
    let digest: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": {"name": format!("undock.{digest}"), "namespace": namespace(owner)},
        "eventTime": format!("{now:.6}"), "reportingController": "undock.dev/scanner", "reportingInstance": holder,
        "action": code, "reason": reason, "type": if *is_warning { "Warning" } else { "Normal" }, "regarding": regarding, "note": note,
    })
}

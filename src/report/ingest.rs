//! Records, audit events and scans into reviews, deletions and missed writes; replays objects.

mod history;
mod records;
mod scans;
mod seen;

use super::audit::{Annotations, Event, missed, whole_object};
use super::decode::Input;
use super::evidence::{
    Cause, Deletion, Flags, OwnerKey, Review, UnreviewedWrite, id, millis, project_mark, rfc3339,
};
use super::evidence_store::EvidenceStore;
use super::model::Missed;
use seen::{ReviewTells, Seen};

use crate::decision::{self, Decision, Policy, Requester};
use crate::kinds;
use crate::record::OwnerFields;
use crate::workload::Workload;
use crate::workload::object::Object;
use crate::workload::series::{GITLAB_RUNNER, gitlab_project};

/// The last moment that counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Horizon {
    /// As asked for: what is later is left out.
    AsOf(i64),
    /// The clock of this machine with some room: what is later is wrong.
    Now(i64),
    /// Every moment counts.
    None,
}

/// Gathers what inputs tell.
#[derive(Debug)]
pub(super) struct Gatherer {
    pub(super) store: EvidenceStore,
    /// The cluster of inputs that name none.
    pub(super) cluster: String,
    pub(super) horizon: Horizon,
    /// Evaluates logged objects, if set.
    pub(super) replay: Option<Policy>,
}

impl Gatherer {
    /// Takes what an input tells.
    ///
    /// # Errors
    /// If it does not say when.
    pub(super) fn take(&mut self, input: Input<'_>) -> Result<(), String> {
        match input {
            Input::Record(record) => self.record(&record),
            Input::Event(event) => self.event(&event),
            Input::Scan(scan) => self.scan(&scan),
        }
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), String> {
        let Some(time) = self.moment(&event.time, "audit event")? else {
            return Ok(());
        };
        let cluster = self.cluster(&event.cluster);
        let annotations = Annotations::of(event);
        let logs = self.store.see(&cluster, time);
        logs.has_audit = true;
        logs.has_reviews |= annotations.is_some();
        logs.has_objects |= event.request.or(event.response).is_some();
        let is_stored = event.code < 400;
        let is_known_dry_run = annotations.as_ref().is_some_and(|own| {
            own.is_dry_run || self.store.dry_runs.contains(&id(own.review_uid, ""))
        });
        if event.is_dry_run || is_known_dry_run {
            if let Some(own) = &annotations {
                self.store.dry_runs.insert(match own.review_uid {
                    "" => id(&event.id, "dry"),
                    uid => id(uid, ""),
                });
            }
            return Ok(());
        }
        if is_stored {
            for webhook in missed(event) {
                let missed = self.missed(event, webhook);
                let write = self.unreviewed(event, time, Cause::FailedOpen);
                self.store.missed.insert((time, missed), write);
            }
        }
        match event.verb.as_str() {
            "delete" if is_stored && event.object.subresource.is_empty() => {
                self.deletion(event, time, event.object.name.as_str())
            }
            // Which ones a selector took, the log does not tell.
            "deletecollection" if is_stored && !event.has_selector => {
                self.deletion(event, time, "")
            }
            "create" | "update" | "patch" => {
                self.write(event, annotations.as_ref(), time, is_stored)
            }
            _ => {}
        }
        Ok(())
    }

    /// The moment that `text` tells; none if it is later than the report is asked about.
    ///
    /// # Errors
    /// If it is not a valid timestamp, or in the future.
    pub(super) fn moment(&self, text: &str, what: &str) -> Result<Option<i64>, String> {
        let time = millis(text).ok_or_else(|| {
            let a = article(what);
            format!("invalid RFC 3339 timestamp in {a} {what}: export as JSON, with times in UTC")
        })?;
        match self.horizon {
            Horizon::AsOf(last) if time > last => Ok(None),
            Horizon::Now(last) if time > last => Err(format!(
                "{} {what} is dated {text}, in the future: it is left out; correct the clock that \
                 wrote it, or use --as-of",
                article(what)
            )),
            _ => Ok(Some(time)),
        }
    }

    pub(super) fn cluster<'c>(&'c self, named: &'c str) -> String {
        if named.is_empty() {
            self.cluster.clone()
        } else {
            named.to_owned()
        }
    }

    pub(super) fn owner(&mut self, cluster: &str, namespace: &str, kind: &str, name: &str) -> u32 {
        let cluster = self.cluster(cluster);
        if !cluster.is_empty() && !self.store.clusters.contains(&cluster) {
            self.store.clusters.insert(cluster.clone());
        }
        let owner = OwnerKey::new(cluster, namespace, kind, name);
        self.store.owners.number(&owner)
    }

    pub(super) fn about(&mut self, owner: u32, time: i64, fields: &OwnerFields) {
        let about = self.store.about.entry(owner).or_default();
        for (latest, text) in [
            (&mut about.team, &fields.team),
            (&mut about.managed_by, &fields.managed_by),
            (&mut about.release, &fields.release),
        ] {
            latest.tell(time, text.as_deref().unwrap_or_default());
        }
    }

    pub(super) fn mode(&mut self, cluster: &str, namespace: &str, time: i64, mode: &str) {
        let key = (self.cluster(cluster), namespace.to_owned());
        self.store.modes.entry(key).or_default().add(time, mode);
    }

    fn findings(&mut self, owner: u32, time: i64, first: Option<i64>, seen: &[Seen<'_>]) -> u32 {
        let mut set = Vec::new();
        for finding in seen {
            let details = self
                .store
                .finding(&mut set, owner, finding.rule, finding.fingerprint);
            details.impact.tell(time, finding.impact);
            details.certainty.tell(time, finding.certainty);
            details.container.tell(time, finding.container);
            details.field.tell(time, finding.field);
            details.evidence.tell(time, finding.evidence);
            if let Some(exempt) = &finding.exempt {
                details.exempt.put(time, exempt.clone());
            }
            if let Some(denies) = finding.denies {
                details.denies.put(time, denies);
            }
            details.first_seen = [details.first_seen, first].into_iter().flatten().min();
        }
        self.store.sets.number(&set)
    }

    /// Notes in the jobs of which project a GitLab Runner showed the findings of `set`.
    fn project(&mut self, owner: u32, set: u32, pod_name: &str) {
        let Some(project) = gitlab_project(pod_name) else {
            return;
        };
        if self.store.owners.get(owner).kind != GITLAB_RUNNER {
            return;
        }
        for finding in self.store.sets.get(set) {
            let details = self.store.details.entry(*finding).or_default();
            details.projects.insert(project);
        }
    }

    fn missed(&self, event: &Event<'_>, webhook: &str) -> Missed {
        let object = &event.object;
        let resource = match object.subresource.as_str() {
            "" => object.resource.to_string(),
            sub => format!("{}/{sub}", object.resource),
        };
        Missed {
            time: rfc3339(&event.time),
            cluster: self.cluster(&event.cluster),
            namespace: object.namespace.to_string(),
            verb: event.verb.to_string(),
            resource,
            name: object.name.to_string(),
            user: event.user.to_string(),
            webhook: webhook.to_owned(),
        }
    }

    /// Notes that the object `name` was deleted; without a name, all of its kind.
    fn deletion(&mut self, event: &Event<'_>, time: i64, name: &str) {
        let object = &event.object;
        let is_namespace = object.resource.as_str() == "namespaces";
        let kind = if is_namespace {
            Some("Namespace")
        } else {
            object.kind()
        };
        let is_all = event.verb.as_str() == "deletecollection";
        let Some(kind) = kind.filter(|_| name.is_empty() == is_all) else {
            return;
        };
        let owner = OwnerKey {
            cluster: self.cluster(&event.cluster),
            namespace: if is_namespace {
                name
            } else {
                &object.namespace
            }
            .to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        self.store.deletions.insert(Deletion {
            time,
            owner,
            user: event.user.to_string(),
        });
    }

    /// A write that nobody evaluated.
    fn unreviewed(&mut self, event: &Event<'_>, time: i64, cause: Cause) -> UnreviewedWrite {
        let object = &event.object;
        let kind = object.kind().unwrap_or_default();
        UnreviewedWrite {
            time,
            owner: self.owner(&event.cluster, &object.namespace, kind, &object.name),
            by_controller: event.is_by_controller(),
            cause,
        }
    }

    fn write(
        &mut self,
        event: &Event<'_>,
        annotations: Option<&Annotations<'_>>,
        time: i64,
        is_stored: bool,
    ) {
        let namespace = event.object.namespace.as_str();
        if let Some(annotations) = annotations {
            let place = if event.object.resource.as_str() == "namespaces" {
                event.object.name.as_str()
            } else {
                namespace
            };
            self.mode(&event.cluster, place, time, annotations.mode);
        }
        let Some(kind) = event.object.kind() else {
            return;
        };
        if !event.object.is_reviewed() {
            return;
        }
        // Annotations tell enough of clean reviews, but not the owner of a Pod named later.
        let is_whole_needed = self.replay.is_some()
            || annotations.is_some_and(|own| {
                own.owner.is_none() && (!own.findings.is_empty() || event.object.name.is_empty())
            });
        let text = is_whole_needed.then(|| whole_object(event)).flatten();
        let object: Option<Object<'_>> = text.and_then(|text| serde_json::from_str(text).ok());
        let policy = self.replay.take();
        let cause = match annotations {
            None if policy.is_some() && object.is_none() => Some(Cause::NoObject),
            None if policy.is_none() => Some(Cause::NoReview),
            Some(own) if policy.is_none() && own.mode == "off" => Some(Cause::ModeOff),
            _ => None,
        };
        let is_missed = missed(event).next().is_some();
        if let Some(cause) = cause.filter(|_| is_stored && !is_missed) {
            let write = self.unreviewed(event, time, cause);
            self.store.unreviewed.insert(id(&event.id, "write"), write);
        }
        // What was not evaluated is no evidence.
        let annotations = annotations.filter(|own| own.decision != "skipped" && own.mode != "off");
        if annotations.is_some() || policy.is_some() {
            let workload = object.as_ref().map(|object| match &policy {
                Some(policy) => Workload::with_overrides(object, namespace, &policy.overrides),
                None => Workload::new(object, namespace),
            });
            if workload.is_none() && policy.is_some() && is_stored {
                self.store.without_object.insert(id(&event.id, "object"));
            }
            let replayed = workload.as_ref().zip(policy.as_ref());
            let decided = replayed.map(|(workload, policy)| {
                decision::decide(workload, None, policy, Requester::default())
            });
            if decided.is_some() || annotations.is_some() {
                self.review(
                    event,
                    time,
                    kind,
                    annotations,
                    workload.as_ref(),
                    decided.as_ref(),
                );
            }
            if let (Some(workload), true) = (&workload, kind == "CronJob") {
                let owner = self.owner(
                    &event.cluster,
                    namespace,
                    &workload.owner.kind,
                    &workload.owner.name,
                );
                let schedule = super::schedule::of(text.unwrap_or_default());
                self.store
                    .about
                    .entry(owner)
                    .or_default()
                    .schedule
                    .tell(time, &schedule);
            }
        }
        self.replay = policy;
    }

    fn review(
        &mut self,
        event: &Event<'_>,
        time: i64,
        kind: &str,
        annotations: Option<&Annotations<'_>>,
        workload: Option<&Workload<'_>>,
        decided: Option<&Decision>,
    ) {
        let object = &event.object;
        let by_controller =
            event.is_by_controller() && kinds::find(kind).is_some_and(|kind| kind.is_made);
        let (owner_kind, owner_name, is_own) =
            match (workload, annotations.and_then(|own| own.owner)) {
                (_, Some(named)) => named,
                (Some(workload), None) => (
                    workload.owner.kind.as_ref(),
                    workload.owner.name.as_ref(),
                    workload.owner.source.as_str() == "self",
                ),
                // Only a log that another endpoint annotated has findings without an owner.
                (None, None) if annotations.is_some_and(|own| !own.findings.is_empty()) => {
                    match object.name.as_str() {
                        "" => (kind, "(unnamed)", false),
                        name => (kind, name, true),
                    }
                }
                (None, None) if object.name.is_empty() || by_controller => ("", "", false),
                (None, None) => (kind, object.name.as_str(), true),
            };
        let owner = self.owner(
            &event.cluster,
            object.namespace.as_str(),
            owner_kind,
            owner_name,
        );
        if let Some(workload) = workload {
            self.about(owner, time, &OwnerFields::from(workload));
        }
        let mut flags = Flags::AUDIT;
        let seen: Vec<Seen<'_>> = match (decided, annotations) {
            (Some(decided), _) => {
                flags.set(Flags::REPLAY, true);
                decided.findings.iter().map(Seen::from).collect()
            }
            (None, Some(own)) => {
                let review = ReviewTells {
                    is_create: event.verb.as_str() == "create",
                    is_refusable: own.would_deny || own.decision == "deny",
                    candidates: own.unexempt(),
                };
                own.findings
                    .iter()
                    .map(|finding| Seen::annotated(own, finding, &review))
                    .collect()
            }
            (None, None) => Vec::new(),
        };
        let set = self.findings(owner, time, None, &seen);
        self.project(owner, set, &object.name);
        let is_denied = annotations.is_some_and(|own| own.decision == "deny");
        let is_partial = decided.is_none() && annotations.is_some_and(Annotations::is_partial);
        let is_create =
            event.verb.as_str() == "create" && object.subresource.is_empty() || event.code == 201;
        let would_deny = decided.map_or_else(
            || annotations.is_some_and(|own| own.would_deny),
            Decision::would_deny,
        );
        flags.set(Flags::OWN, is_own);
        flags.set(Flags::CREATE, is_create);
        flags.set(Flags::POD, kind == "Pod");
        flags.set(Flags::STORED, event.code < 400 && !is_denied);
        flags.set(Flags::DENIED, is_denied);
        flags.set(Flags::WOULD_DENY, would_deny);
        flags.set(Flags::PARTIAL, is_partial);
        if decided.is_some() {
            self.store
                .see(&self.cluster(&event.cluster), time)
                .has_reviews = true;
        }
        flags.set(
            Flags::ERROR,
            decided.is_none() && annotations.is_some_and(|own| own.decision == "error"),
        );
        let review_id = match annotations.map_or("", |own| own.review_uid) {
            "" => id(&event.id, "audit"),
            uid => review_id(uid, &object.namespace, owner_kind, owner_name),
        };
        let user = self.store.texts.number(&event.user.to_string());
        let rules_off = decided
            .map(|decided| decided.rules_off.join(","))
            .or_else(|| Some(annotations?.rules_off.join(",")))
            .unwrap_or_default();
        let rules_off = self.store.rules_off.number(&rules_off);
        self.store.add(
            review_id,
            Review {
                time,
                owner,
                user,
                set,
                suppressed: 0,
                rules_off,
                project: project_mark(&object.name),
                flags,
            },
        );
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with('a') { "an" } else { "a" }
}

/// The number of a review: one uid can stand behind many objects if somebody plays with the log.
fn review_id(uid: &str, namespace: &str, owner_kind: &str, owner_name: &str) -> u128 {
    id(uid, &[namespace, owner_kind, owner_name].join("/"))
}

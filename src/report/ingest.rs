//! Records and audit events into reviews, deletions and missed writes; with `--replay`, evaluates the logged objects.

use super::audit::{Annotations, Event, missed, whole_object};
use super::decode::Input;
use super::evidence::{Deletion, ExemptTerms, Flags, OwnerKey, Review, id, millis};
use super::evidence_store::EvidenceStore;
use super::model::Missed;
use super::reach::Reach;
use crate::decision::{self, Decision, Policy, Writer};
use crate::finding::{Action, Certainty, Impact};
use crate::record::{OwnerFields, Record, user_kind};
use crate::rules::RULES;
use crate::scan::document::{ObjectEntry, ScanDocument};
use crate::workload::Workload;
use crate::workload::object::Object;
use crate::workload::text::Text;

/// Gathers what inputs tell.
#[derive(Debug)]
pub(super) struct Gatherer {
    pub(super) store: EvidenceStore,
    /// The cluster of inputs that name none.
    pub(super) cluster: String,
    /// Evaluates logged objects, if set.
    pub(super) replay: Option<Policy>,
}

/// A finding as any source tells it.
pub(super) struct Seen<'s> {
    pub(super) rule: &'s str,
    pub(super) fingerprint: &'s str,
    pub(super) severity: &'s str,
    pub(super) certainty: &'s str,
    pub(super) container: &'s str,
    pub(super) field: &'s str,
    pub(super) evidence: &'s str,
    /// By what it is exempt, if by anything; `None` if the source does not know.
    pub(super) exempt: Option<Option<ExemptTerms>>,
    pub(super) denies: bool,
}

impl Gatherer {
    /// Takes what an input tells.
    ///
    /// # Errors
    /// If it does not say when.
    pub(super) fn take(&mut self, input: Input<'_>) -> Result<(), String> {
        match input {
            Input::Record(record) => self.record(record),
            Input::Event(event) => self.event(&event),
            Input::Scan(scan) => self.scan(&scan),
        }
    }

    fn record(&mut self, record: Record) -> Result<(), String> {
        let time = millis(&record.timestamp)
            .ok_or("a record of undock whose time is no moment as RFC 3339 has them")?;
        let review_id = id(&record.review_uid, "");
        if record.dry_run {
            self.store.see(time);
            self.store.dry_runs.insert(review_id);
            return Ok(());
        }
        let owner = self.owner(
            &record.cluster,
            &record.namespace,
            &record.owner.kind,
            &record.owner.name,
        );
        self.about(owner, time, &record.owner);
        self.mode(&record.cluster, &record.namespace, time, &record.mode);
        fn told(text: &Option<String>) -> &str {
            text.as_deref().unwrap_or_default()
        }
        let seen: Vec<Seen<'_>> = record
            .findings
            .iter()
            .map(|finding| Seen {
                rule: &finding.rule,
                fingerprint: &finding.fingerprint,
                severity: &finding.severity,
                certainty: &finding.certainty,
                container: told(&finding.container),
                field: &finding.field,
                evidence: &finding.evidence,
                exempt: Some((finding.status == "exempt").then(|| {
                    let [until, reference, scope] = [
                        &finding.exempt_until,
                        &finding.exempt_ref,
                        &finding.exempt_scope,
                    ];
                    ExemptTerms::new(told(until), told(reference), told(scope))
                })),
                denies: denies(&finding.rule, &finding.severity, &finding.certainty),
            })
            .collect();
        let first = record.first_seen.as_deref().and_then(millis);
        let set = self.findings(owner, time, first, &seen);
        let mut flags = Flags::RECORD;
        flags.set(Flags::OWN, record.owner.source == "self");
        flags.set(Flags::CREATE, record.operation == "CREATE");
        flags.set(Flags::STORED, record.decision != "deny");
        flags.set(Flags::DENIED, record.decision == "deny");
        flags.set(Flags::WOULD_DENY, record.would_deny);
        flags.set(Flags::PARTIAL, record.findings_truncated > 0);
        flags.set(Flags::ERROR, record.decision == "error");
        let user = self.store.texts.number(&record.user);
        self.store.add(
            review_id,
            Review {
                time,
                owner,
                user,
                set,
                suppressed: record.suppressed,
                flags,
            },
        );
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>) -> Result<(), String> {
        if !event.is_complete {
            return Ok(());
        }
        let time = millis(&event.time)
            .ok_or("an audit event whose time is no moment as RFC 3339 has them")?;
        self.store.see(time);
        self.store.has_audit = true;
        let is_stored = event.code < 400;
        if event.is_dry_run {
            if Annotations::of(event).is_some() {
                self.store.dry_runs.insert(id(&event.id, "dry"));
            }
            return Ok(());
        }
        if is_stored {
            for webhook in missed(event) {
                let missed = self.missed(event, webhook);
                self.store.missed.insert((time, missed));
            }
        }
        match event.verb.as_str() {
            "delete" if is_stored && event.object.subresource.is_empty() => {
                self.deletion(event, time)
            }
            "create" | "update" | "patch" => self.write(event, time, is_stored),
            _ => {}
        }
        Ok(())
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
        self.store.owners.number(&OwnerKey {
            cluster,
            namespace: namespace.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        })
    }

    pub(super) fn about(&mut self, owner: u32, time: i64, fields: &OwnerFields) {
        let about = self.store.about.entry(owner).or_default();
        about
            .team
            .tell(time, fields.team.as_deref().unwrap_or_default());
        about
            .managed_by
            .tell(time, fields.managed_by.as_deref().unwrap_or_default());
        about
            .release
            .tell(time, fields.release.as_deref().unwrap_or_default());
    }

    pub(super) fn mode(&mut self, cluster: &str, namespace: &str, time: i64, mode: &str) {
        let key = (self.cluster(cluster), namespace.to_owned());
        self.store.modes.entry(key).or_default().tell(time, mode);
    }

    pub(super) fn findings(
        &mut self,
        owner: u32,
        time: i64,
        first: Option<i64>,
        seen: &[Seen<'_>],
    ) -> u32 {
        let mut set = Vec::new();
        for finding in seen {
            let details = self
                .store
                .finding(&mut set, owner, finding.rule, finding.fingerprint);
            details.severity.tell(time, finding.severity);
            details.certainty.tell(time, finding.certainty);
            details.container.tell(time, finding.container);
            details.field.tell(time, finding.field);
            details.evidence.tell(time, finding.evidence);
            if let Some(exempt) = &finding.exempt {
                details.exempt.put(time, exempt.clone());
            }
            details.denies |= finding.denies;
            details.first_seen = [details.first_seen, first].into_iter().flatten().min();
        }
        self.store.sets.number(&set)
    }

    fn missed(&self, event: &Event<'_>, webhook: &str) -> Missed {
        let object = &event.object;
        let resource = match object.subresource.as_str() {
            "" => object.resource.to_string(),
            sub => format!("{}/{sub}", object.resource),
        };
        Missed {
            time: event.time.to_string(),
            cluster: self.cluster(&event.cluster),
            namespace: object.namespace.to_string(),
            verb: event.verb.to_string(),
            resource,
            name: object.name.to_string(),
            user: event.user.to_string(),
            webhook: webhook.to_owned(),
        }
    }

    fn deletion(&mut self, event: &Event<'_>, time: i64) {
        let kind = if event.object.resource.as_str() == "namespaces" {
            Some("Namespace")
        } else {
            event.object.kind()
        };
        let Some(kind) = kind.filter(|_| !event.object.name.is_empty()) else {
            return;
        };
        let owner = OwnerKey {
            cluster: self.cluster(&event.cluster),
            namespace: if kind == "Namespace" {
                event.object.name.to_string()
            } else {
                event.object.namespace.to_string()
            },
            kind: kind.to_owned(),
            name: event.object.name.to_string(),
        };
        self.store.deletions.insert(Deletion {
            time,
            owner,
            user: event.user.to_string(),
        });
    }

    fn write(&mut self, event: &Event<'_>, time: i64, is_stored: bool) {
        let annotations = Annotations::of(event);
        let namespace = event.object.namespace.as_str();
        if let Some(annotations) = &annotations {
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
        // Of clean reviews with a name the annotations tell enough; a Pod that a controller names later tells its owner only itself.
        let is_whole_needed = self.replay.is_some()
            || annotations.as_ref().is_some_and(|own| {
                own.owner.is_none() && (!own.findings.is_empty() || event.object.name.is_empty())
            });
        let text = if is_whole_needed {
            whole_object(event)
        } else {
            None
        };
        let object: Option<Object<'_>> = text
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        let policy = self.replay.take();
        if annotations.is_some() || policy.is_some() && is_reviewed(event) {
            let workload = object.as_ref().map(|object| match &policy {
                Some(policy) => Workload::with_knowledge(object, namespace, &policy.knowledge),
                None => Workload::new(object, namespace),
            });
            if workload.is_none() && policy.is_some() && is_stored {
                self.store.without_object.insert(id(&event.id, "object"));
            }
            let replayed = workload.as_ref().zip(policy.as_ref());
            let decided = replayed.map(|(workload, policy)| {
                decision::decide(workload, None, policy, Writer::default())
            });
            if decided.is_some() || annotations.is_some() {
                self.review(
                    event,
                    time,
                    kind,
                    annotations.as_ref(),
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
                let schedule = super::schedule::of(text.as_deref().unwrap_or_default());
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
            user_kind(&event.user) == "controller" && matches!(kind, "Pod" | "ReplicaSet" | "Job");
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
            (None, Some(own)) => own
                .findings
                .iter()
                .map(|finding| annotated(own, finding))
                .collect(),
            (None, None) => Vec::new(),
        };
        let set = self.findings(owner, time, None, &seen);
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
        flags.set(Flags::STORED, event.code < 400 && !is_denied);
        flags.set(Flags::DENIED, is_denied);
        flags.set(Flags::WOULD_DENY, would_deny);
        flags.set(Flags::PARTIAL, is_partial);
        flags.set(
            Flags::ERROR,
            decided.is_none() && annotations.is_some_and(|own| own.decision == "error"),
        );
        let review_id = match annotations.map_or("", |own| own.review_uid) {
            "" => id(&event.id, "audit"),
            uid => id(uid, ""),
        };
        let user = self.store.texts.number(&event.user.to_string());
        self.store.add(
            review_id,
            Review {
                time,
                owner,
                user,
                set,
                suppressed: 0,
                flags,
            },
        );
    }

    /// Takes a scan.
    ///
    /// # Errors
    /// Where it does not say when it was made.
    fn scan(&mut self, scan: &ScanDocument<'_>) -> Result<(), String> {
        let time =
            millis(&scan.time).ok_or("a scan whose time is no moment as RFC 3339 has them")?;
        let cluster = self.cluster(&scan.cluster);
        if !cluster.is_empty() {
            self.store.clusters.insert(cluster.clone());
        }
        self.store.see_scan(time);
        let mut reach = Reach::new(scan, time, cluster);
        let scan_id = id(&reach.identity(), "scan");
        for namespace in &scan.namespaces {
            let mode = namespace.mode.as_deref().unwrap_or_default();
            self.mode(&scan.cluster, &namespace.name, time, mode);
        }
        for object in &scan.objects {
            let owner = self.scanned(&reach, object, &scan.cluster);
            reach.owners.insert(owner);
        }
        self.store.add_scan(scan_id, reach);
        Ok(())
    }

    fn scanned(&mut self, reach: &Reach, object: &ObjectEntry<'_>, cluster: &str) -> u32 {
        let ObjectEntry {
            kind,
            namespace,
            name,
            findings,
            team,
            managed_by,
            release,
            manager,
            schedule,
            ..
        } = object;
        let owner = self.owner(cluster, namespace, kind, name);
        let some = |text: &Text<'_>| Some(text.to_string());
        let fields = OwnerFields {
            team: some(team),
            managed_by: some(managed_by),
            release: some(release),
            ..OwnerFields::default()
        };
        self.about(owner, reach.time, &fields);
        let about = self.store.about.entry(owner).or_default();
        about.manager.tell(reach.time, manager);
        about.schedule.tell(reach.time, schedule);
        // Without the Namespaces, a scan does not know what is exempt.
        let knows_exemptions = reach.has_read("namespaces", namespace);
        let seen: Vec<Seen<'_>> = findings
            .iter()
            .map(|finding| Seen {
                rule: &finding.rule,
                fingerprint: &finding.fingerprint,
                severity: &finding.impact,
                certainty: &finding.certainty,
                container: &finding.container,
                field: &finding.field,
                evidence: &finding.evidence,
                exempt: match &finding.exempt {
                    Some(terms) => Some(Some(ExemptTerms::new(
                        &terms.until,
                        &terms.reference,
                        &terms.scope,
                    ))),
                    None => knows_exemptions.then_some(None),
                },
                denies: finding
                    .denies
                    .unwrap_or_else(|| denies(&finding.rule, &finding.impact, &finding.certainty)),
            })
            .collect();
        let set = self.findings(owner, reach.time, None, &seen);
        let mut flags = Flags::SCAN;
        flags.set(Flags::OWN, true);
        flags.set(Flags::STORED, true);
        flags.set(Flags::PARTIAL, !reach.covers(kind, namespace));
        let review_id = id(
            &format!("{} {} {namespace}/{kind}/{name}", reach.time, reach.cluster),
            "scan",
        );
        let user = self.store.texts.number(&String::new());
        self.store.add(
            review_id,
            Review {
                time: reach.time,
                owner,
                user,
                set,
                suppressed: 0,
                flags,
            },
        );
        owner
    }
}

fn is_reviewed(event: &Event<'_>) -> bool {
    matches!(
        event.object.subresource.as_str(),
        "" | "ephemeralcontainers" | "resize"
    )
}

fn annotated<'s>(own: &Annotations<'s>, finding: &super::audit::AnnotatedFinding<'s>) -> Seen<'s> {
    let rule = RULES.iter().find(|rule| rule.code == finding.rule);
    let (severity, certainty) = rule.map_or(("", ""), |rule| {
        (rule.impact.as_str(), rule.certainty.as_str())
    });
    Seen {
        rule: finding.rule,
        fingerprint: finding.fingerprint,
        severity,
        certainty,
        container: "",
        field: finding.field,
        evidence: "",
        exempt: Some(own.exemption(finding.rule)),
        denies: denies(finding.rule, severity, certainty),
    }
}

impl<'s> From<&'s decision::Judged> for Seen<'s> {
    fn from(judged: &'s decision::Judged) -> Self {
        let finding = &judged.finding;
        Self {
            rule: finding.rule.code,
            fingerprint: &judged.fingerprint,
            severity: finding.impact.as_str(),
            certainty: finding.certainty.as_str(),
            container: finding.container.as_deref().unwrap_or_default(),
            field: &finding.field,
            evidence: &finding.evidence,
            exempt: Some(judged.exempt.as_ref().map(|granted| {
                ExemptTerms::new(
                    &granted.terms.until.to_string(),
                    &granted.terms.reference,
                    granted.scope.as_str(),
                )
            })),
            denies: judged.unlimited == Action::Deny,
        }
    }
}

/// True if a finding of `rule` is one that `enforce` refuses, so far as the rule itself decides.
pub(super) fn denies(rule: &str, severity: &str, certainty: &str) -> bool {
    // A rule that this version does not know was refused by one that did.
    let Some(rule) = RULES.iter().find(|known| known.code == rule) else {
        return true;
    };
    let by_nature =
        severity == Impact::Breaks.as_str() && certainty != Certainty::Possible.as_str();
    rule.action
        .map_or(by_nature, |action| action == Action::Deny)
}

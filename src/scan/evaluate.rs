//! Judging items, and gathering what is found under the object that a person edits.

mod exemptions;
mod injected;
mod owners;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::exemptions::Ledger;
use super::nodes::Nodes;
use super::origin::origin;
use super::{Origin, PartEntry, ScanError, Scanned, ScannedFinding, ScannedOwner, item};
use crate::api::MAX_OBJECT;
use crate::decision::cluster_state::ClusterState;
use crate::decision::namespace::NamespaceSettings;
use crate::decision::{self, Decision, Judged, Mode, Outcome, Policy, Requester};
use crate::kinds::{self, Handling, Kind};
use crate::workload::{Owner, RelatedObjects, Share, Workload};
use injected::TemplateParts;

/// A scan in the making.
#[derive(Default)]
pub(super) struct Evaluation {
    policy: Policy,
    related_objects: RelatedObjects,
    nodes: Nodes,
    namespaces: BTreeMap<String, Option<Mode>>,
    namespace_uids: BTreeMap<String, Box<str>>,
    label_flaws: BTreeMap<String, Vec<String>>,
    ledger: Ledger,
    owners: Vec<ScannedOwner>,
    /// Places in `owners`, by key.
    places: HashMap<String, usize>,
    /// Owners whose name does not tell what a person edits, with what does.
    above: HashMap<String, (String, String, String)>,
    /// Templates that were judged, by key: what they make is only counted.
    templates: HashSet<String>,
    /// What is in those templates.
    template_parts: HashMap<String, TemplateParts>,
    words: HashSet<Arc<str>>,
    parts: Vec<PartEntry>,
    errors: Vec<ScanError>,
    /// Pods by place of their owner.
    pods: HashMap<usize, usize>,
    pods_seen: usize,
    /// Where the list that is being read began.
    mark: Mark,
}

#[derive(Default)]
struct Mark {
    objects: usize,
    errors: usize,
    pods: HashMap<usize, usize>,
    pods_seen: usize,
}

fn key(namespace: &str, kind: &str, name: &str) -> String {
    format!("{namespace}/{kind}/{name}")
}

impl Evaluation {
    pub(super) fn new(policy: &Policy) -> Self {
        let cluster_state = Arc::new(ClusterState::default());
        let mut ledger = Ledger::default();
        for entry in &policy.exemptions {
            ledger.list(&entry.exemption, "", "", true);
        }
        Self {
            policy: Policy {
                cluster_state,
                ..policy.clone()
            },
            ledger,
            ..Self::default()
        }
    }

    /// A part begins.
    pub(super) fn begin(&mut self, kind: &Kind) {
        if kind.handling == Handling::Node
            && self.parts.iter().any(|read| read.part == kind.resource())
        {
            self.nodes.are_known = true;
            self.parts.retain(|read| read.part != kind.resource());
        }
        self.parts.push(PartEntry {
            part: kind.resource(),
            objects: 0,
            complete: true,
        });
    }

    /// A list of the part begins.
    pub(super) fn begin_list(&mut self) {
        let (objects, errors) = (self.objects_of_part(), self.errors.len());
        // Only one part has Pods, so the copy is empty but for scans of several namespaces.
        self.mark = Mark {
            objects,
            errors,
            pods: self.pods.clone(),
            pods_seen: self.pods_seen,
        };
    }

    /// The list begins again. Findings stay: the same ones are gathered only once.
    pub(super) fn restart(&mut self) {
        let Mark {
            objects,
            errors,
            pods,
            pods_seen,
        } = std::mem::take(&mut self.mark);
        self.errors.truncate(errors);
        if let Some(read) = self.parts.last_mut() {
            read.objects = objects;
        }
        (self.pods, self.pods_seen) = (pods, pods_seen);
        self.begin_list();
    }

    /// The part ends.
    pub(super) fn end(&mut self, kind: &Kind) {
        if kind.handling == Handling::Namespace {
            self.policy.cluster_state.set_warm();
        }
        // The first reading of the nodes is for their runtimes; what is wrong with it is said at
        // the second.
        if kind.handling == Handling::Node && !self.nodes.are_known {
            self.errors.clear();
        }
    }

    pub(super) fn objects_of_part(&self) -> usize {
        self.parts.last().map_or(0, |read| read.objects)
    }

    /// Something of the part could not be read.
    pub(super) fn fail(
        &mut self,
        kind: &Kind,
        namespace: &str,
        reason: &'static str,
        message: String,
    ) {
        if let Some(read) = self.parts.last_mut() {
            read.complete = false;
        }
        self.errors.push(ScanError {
            part: kind.resource(),
            namespace: namespace.to_owned(),
            reason,
            message,
        });
    }

    /// Takes one item.
    pub(super) fn add(&mut self, kind: &Kind, item: &RawValue) {
        if let Some(read) = self.parts.last_mut() {
            read.objects += 1;
        }
        if let Err(error) = self.try_add(kind, item) {
            let (namespace, name) = item::head(item).map_or_else(
                |_| (String::new(), "an object without a name".to_owned()),
                |(object, _)| {
                    let metadata = object.metadata;
                    (metadata.namespace.to_string(), metadata.name.to_string())
                },
            );
            self.fail(
                kind,
                &namespace,
                "unreadable",
                format!("{} {name}: {error}", kind.name),
            );
        }
    }

    /// Counts an item that is too large to be read.
    pub(super) fn add_too_large(&mut self, kind: &Kind, name: &str) {
        if let Some(read) = self.parts.last_mut() {
            read.objects += 1;
        }
        let message = format!(
            "{} {name} is larger than {} MiB and was not read",
            kind.name,
            MAX_OBJECT >> 20
        );
        self.fail(kind, "", "too-large", message);
    }

    fn try_add(&mut self, kind: &Kind, item: &RawValue) -> Result<(), serde_json::Error> {
        if kind.is_made {
            let (mut head, node) = item::head(item)?;
            let api_version = kind.api_version();
            head.set_type(api_version.as_str().into(), kind.name.into());
            let workload = Workload::new(&head, "");
            let (owner, has_template) = self.resolved(&workload);
            let place = self
                .places
                .get(&key(workload.namespace, &owner.kind, &owner.name))
                .copied();
            let is_pod = kind.handling == Handling::Pod;
            if is_pod {
                self.pods_seen += 1;
                self.nodes.count_pod(&node);
            }
            let behind = place.filter(|_| workload.has_controller() && has_template);
            // Somebody may be debugging with Docker in a Pod whose template is clean, or a sidecar
            // or a volume was put in.
            let is_told_by_template =
                behind.filter(|_| !is_pod || self.is_as_template(&workload, &owner, item));
            if let Some(place) = is_told_by_template {
                if is_pod {
                    *self.pods.entry(place).or_default() += 1;
                } else {
                    self.note_above(&workload, &owner);
                    self.note_made_parts(&workload, item);
                }
                return Ok(());
            }
        }
        let api_version = kind.api_version();
        let object = item::object(item, kind, &api_version)?;
        let overrides = Arc::clone(&self.policy.overrides);
        let mut workload = Workload::with_overrides(&object, "", &overrides);
        if kinds::has_texts(kind.name) {
            workload.read_texts(item::string_fields(item));
        }
        match kind.handling {
            Handling::Namespace => self.take_settings(&workload),
            Handling::Claim => {
                let volume = object.spec.as_ref().map_or("", |spec| &spec.volume_name);
                if self.related_objects.has_volume(volume) {
                    self.related_objects.note(&workload);
                }
            }
            Handling::Node if !self.nodes.are_known => self.related_objects.note(&workload),
            Handling::Node => {
                self.nodes.take(&workload);
                self.judge(kind, workload, item);
            }
            Handling::Volume => {
                self.related_objects.note(&workload);
                self.judge(kind, workload, item);
            }
            Handling::Template | Handling::Pod | Handling::Text => self.judge(kind, workload, item),
        }
        Ok(())
    }

    fn take_settings(&mut self, workload: &Workload<'_>) {
        let settings = NamespaceSettings::of(workload);
        for exemption in &settings.exemptions {
            self.ledger.list(exemption, workload.name, "", true);
        }
        self.namespaces
            .insert(workload.name.to_owned(), settings.mode);
        let flaws = settings.label_flaws();
        if !flaws.is_empty() {
            self.label_flaws.insert(workload.name.to_owned(), flaws);
        }
        self.namespace_uids.insert(
            workload.name.to_owned(),
            workload.object.metadata.uid.as_str().into(),
        );
        let cluster_state = &self.policy.cluster_state;
        cluster_state.set_watching();
        cluster_state.set_namespace(workload.name, Some(settings.without_mode()));
    }

    fn judge(&mut self, kind: &Kind, mut workload: Workload<'_>, item: &RawValue) {
        workload.relate_to(&self.related_objects);
        workload.owner = self.resolved(&workload).0;
        if kind.handling == Handling::Template {
            self.note_above(&workload, &workload.owner.clone());
            self.note_parts(&workload);
            // ReplicaSets and Jobs of a controller that was not read come and go with it: their
            // Pods are judged, too.
            if !workload.has_controller() || !kind.is_made {
                self.templates
                    .insert(key(workload.namespace, kind.name, workload.name));
            }
        }
        let decision = decision::decide(&workload, None, &self.policy, Requester::default());
        self.list_exemptions(&workload, &decision);
        if let Some(error) = &decision.error {
            let message = format!("{} {}: {error}", kind.name, workload.name);
            self.fail(kind, workload.namespace, "too_large", message);
        }
        if matches!(kind.handling, Handling::Text | Handling::Volume)
            && decision.findings.is_empty()
        {
            return;
        }
        let Decision {
            findings, notes, ..
        } = decision;
        let (of_pod, findings): (Vec<_>, Vec<_>) = findings
            .into_iter()
            .partition(|judged| judged.is_ephemeral && !workload.is_own_owner());
        let place = self.gather(&workload, item, findings);
        self.owners[place].notes.extend(notes);
        if kind.handling == Handling::Pod {
            *self.pods.entry(place).or_default() += 1;
        }
        if !of_pod.is_empty() {
            workload.limit_to(Share::Ephemeral);
            self.gather(&workload, item, of_pod);
        }
    }

    /// Adds `findings` to those of the workload's owner, whose place it tells.
    fn gather(&mut self, workload: &Workload<'_>, item: &RawValue, findings: Vec<Judged>) -> usize {
        let place = self.place_of(workload);
        let is_owner = workload.is_own_owner();
        self.identify(place, workload, is_owner);
        let title =
            (!is_owner).then(|| format!("{}/{}", workload.kind(), workload.name).into_boxed_str());
        let owner = &mut self.owners[place];
        let mut containers = workload.containers().iter();
        owner.privileged |= containers.any(|container| container.is_privileged());
        if is_owner || owner.origin == Origin::default() {
            owner.origin = origin(workload, item, !findings.is_empty());
        }
        for judged in findings {
            if !owner
                .findings
                .iter()
                .any(|other| other.judged.fingerprint == judged.fingerprint)
            {
                owner.findings.push(ScannedFinding {
                    judged,
                    object: title.clone(),
                });
            }
        }
        place
    }

    /// The place of the workload's owner, made if it is new.
    fn place_of(&mut self, workload: &Workload<'_>) -> usize {
        let Owner {
            group, kind, name, ..
        } = &workload.owner;
        let place = match self.places.entry(key(workload.namespace, kind, name)) {
            Entry::Occupied(entry) => return *entry.get(),
            Entry::Vacant(entry) => *entry.insert(self.owners.len()),
        };
        let owner = ScannedOwner {
            namespace: word(&mut self.words, workload.namespace),
            group: word(&mut self.words, group),
            kind: word(&mut self.words, kind),
            name: name.as_ref().into(),
            api_version: word(&mut self.words, workload.api_version()),
            uid: Box::default(),
            is_series: false,
            outcome: Outcome::Clean,
            findings: Vec::new(),
            privileged: false,
            pods: 0,
            origin: Origin::default(),
            notes: Vec::new(),
        };
        self.owners.push(owner);
        place
    }

    /// Notes who the owner is: from itself, else from a reference to it.
    fn identify(&mut self, place: usize, workload: &Workload<'_>, is_owner: bool) {
        let metadata = &workload.object.metadata;
        let owner = &mut self.owners[place];
        if is_owner {
            owner.api_version = word(&mut self.words, workload.api_version());
            owner.uid = metadata.uid.as_str().into();
        } else if owner.uid.is_empty() {
            let (kind, name) = (&*workload.owner.kind, &*workload.owner.name);
            if let Some(reference) = workload.controller()
                && *reference.kind == *kind
                && *reference.name == *name
            {
                owner.api_version = word(&mut self.words, &reference.api_version);
                owner.uid = reference.uid.as_str().into();
            }
        }
    }

    /// What was found, in its final order.
    pub(super) fn finish(self) -> Scanned {
        let Self {
            policy,
            nodes,
            namespaces,
            namespace_uids,
            label_flaws,
            ledger,
            mut owners,
            parts,
            errors,
            pods,
            pods_seen,
            mut words,
            ..
        } = self;
        for (place, count) in pods {
            owners[place].pods = count;
        }
        for owner in &mut owners {
            owners::identify_series(owner, &mut words);
            owner.findings.sort_by(|a, b| {
                let of = |found: &ScannedFinding| {
                    (
                        found.judged.finding.rule.code,
                        found.judged.finding.field.clone(),
                    )
                };
                of(a).cmp(&of(b))
            });
            owner.outcome = Outcome::of(owner.findings.iter().map(|found| &found.judged));
            owner.notes.sort_unstable();
            owner.notes.dedup();
        }
        owners.sort_by(|a, b| {
            (&a.namespace, &a.kind, &a.name).cmp(&(&b.namespace, &b.kind, &b.name))
        });
        let exemptions = ledger.finish(policy.period());
        Scanned {
            owners,
            nodes: nodes.groups(),
            namespaces,
            namespace_uids,
            label_flaws,
            exemptions,
            parts,
            errors,
            pods: pods_seen,
        }
    }
}

/// One copy of each word for all owners that have it.
fn word(words: &mut HashSet<Arc<str>>, text: &str) -> Arc<str> {
    match words.get(text) {
        Some(word) => Arc::clone(word),
        None => {
            let word: Arc<str> = text.into();
            words.insert(Arc::clone(&word));
            word
        }
    }
}

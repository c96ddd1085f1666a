//! A scan, as `undock scan -o json` writes it, taken as evidence: what it read whole at its time, and what it saw there.
//!
//! What a whole scan does not show is not there: a finding that its owner lacks is fixed, an owner that it lacks is removed.
//! What it could not read, or was told to leave out, proves nothing.

use std::collections::HashSet;

use serde::Deserialize;

use super::collect::{ExemptTerms, Flags, Review, id};
use super::gather::{Gatherer, Seen, denies, millis};
use crate::record::OwnerFields;
use crate::scan::parts::{PARTS, Part, Role};
use crate::workload::text::{Text, null_default};

/// The form that is read.
pub(super) const SCHEMA: &str = "undock.scan/v1";

/// The parts in which findings of any workload can come to light: Pods and what makes them, volumes behind claims.
const BEHIND_WORKLOADS: [(&str, &str); 5] = [
    ("", "pods"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("", "persistentvolumes"),
    ("", "persistentvolumeclaims"),
];

/// What the report needs of `undock.scan/v1`.
#[derive(Debug, Deserialize)]
pub(super) struct Scan<'a> {
    #[serde(borrow)]
    time: Text<'a>,
    #[serde(default)]
    cluster: Text<'a>,
    #[serde(default, deserialize_with = "null_default")]
    scope: Scope,
    #[serde(default)]
    namespaces: Vec<Namespace<'a>>,
    objects: Vec<Owner<'a>>,
    #[serde(default)]
    exemptions: Vec<Listed<'a>>,
    parts: Vec<PartRead>,
    errors: Vec<PartError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Scope {
    namespaces: Vec<String>,
    selector: String,
}

#[derive(Debug, Deserialize)]
struct Namespace<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(default)]
    mode: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    namespace: Text<'a>,
    name: Text<'a>,
    findings: Vec<Finding<'a>>,
    #[serde(default)]
    team: Text<'a>,
    #[serde(default)]
    managed_by: Text<'a>,
    #[serde(default)]
    release: Text<'a>,
    #[serde(default)]
    manager: Text<'a>,
    #[serde(default)]
    schedule: Text<'a>,
}

#[derive(Debug, Deserialize)]
struct Finding<'a> {
    #[serde(borrow)]
    rule: Text<'a>,
    fingerprint: Text<'a>,
    #[serde(default)]
    certainty: Text<'a>,
    #[serde(default)]
    impact: Text<'a>,
    #[serde(default)]
    container: Text<'a>,
    #[serde(default)]
    field: Text<'a>,
    #[serde(default)]
    evidence: Text<'a>,
    /// Scans of older versions do not tell.
    #[serde(default)]
    denies: Option<bool>,
    #[serde(default)]
    exempt: Option<Terms<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Terms<'a> {
    #[serde(borrow)]
    scope: Text<'a>,
    until: Text<'a>,
    #[serde(rename = "ref")]
    reference: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed<'a> {
    #[serde(borrow)]
    scope: Text<'a>,
    namespace: Text<'a>,
    holder: Text<'a>,
    rules: Text<'a>,
    status: Text<'a>,
    until: Text<'a>,
    reason: Text<'a>,
    #[serde(rename = "ref")]
    reference: Text<'a>,
    error: Text<'a>,
}

#[derive(Clone, Debug, Deserialize)]
struct PartRead {
    part: String,
    complete: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct PartError {
    part: String,
    #[serde(default)]
    namespace: String,
}

/// How far a scan reached, and whom it saw.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) time: i64,
    pub(super) cluster: String,
    namespaces: Vec<String>,
    is_selective: bool,
    parts: Vec<PartRead>,
    errors: Vec<PartError>,
    /// Numbers of the owners that it lists.
    pub(super) owners: HashSet<u32>,
    /// Namespaces that it lists.
    pub(super) listed: HashSet<String>,
    /// Exemptions that it lists.
    pub(super) exemptions: Vec<ListedExemption>,
}

/// An exemption as a scan lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ListedExemption {
    /// Empty for the configuration file's.
    pub(super) namespace: String,
    /// `KIND/NAME` of the workload that carries it.
    pub(super) holder: String,
    pub(super) scope: String,
    pub(super) rules: String,
    pub(super) until: String,
    pub(super) reference: String,
    pub(super) reason: String,
    /// What is wrong with it.
    pub(super) error: String,
    pub(super) is_allowed: bool,
}

impl Reach {
    /// True if the scan would have shown every owner of `kind` in `namespace` with everything that is to be found in it.
    pub(super) fn covers(&self, kind: &str, namespace: &str) -> bool {
        let own = PARTS.iter().find(|part| part.kind == kind);
        let is_workload = own.is_none_or(|part| matches!(part.role, Role::Template | Role::Pod));
        self.is_in_scope(namespace)
            && own.is_none_or(|part| self.has_read(&part.name(), namespace))
            && (!is_workload || self.behind_workloads(namespace).next().is_none())
    }

    /// The parts that the scan would have had to read for a whole picture of the workloads of `namespace`, and did not.
    /// For the cluster itself, which has no name: of its volumes.
    pub(super) fn missing(&self, namespace: &str) -> Vec<String> {
        if namespace.is_empty() {
            return Some("persistentvolumes".to_owned())
                .filter(|part| !self.has_read(part, ""))
                .into_iter()
                .collect();
        }
        let has_templates = |part: &&Part| {
            part.role == Role::Template && (part.is_built_in() || self.lists(&part.name()))
        };
        let templates = PARTS
            .iter()
            .filter(has_templates)
            .map(Part::name)
            .filter(|part| !self.has_read(part, namespace));
        let mut missing: Vec<String> = templates.chain(self.behind_workloads(namespace)).collect();
        missing.sort();
        missing.dedup();
        missing
    }

    /// True if the scan looked at `namespace` and left nothing out by labels.
    pub(super) fn is_in_scope(&self, namespace: &str) -> bool {
        let is_named = |name: &String| name == namespace;
        !self.is_selective
            && (namespace.is_empty()
                || self.namespaces.is_empty()
                || self.namespaces.iter().any(is_named))
    }

    /// True if the scan would list `namespace` if it were there.
    pub(super) fn knows_namespace(&self, namespace: &str) -> bool {
        self.is_in_scope(namespace) && self.has_read("namespaces", namespace)
    }

    fn behind_workloads<'r>(&'r self, namespace: &'r str) -> impl Iterator<Item = String> + 'r {
        let is_behind = |part: &&Part| BEHIND_WORKLOADS.contains(&(part.group, part.resource));
        PARTS
            .iter()
            .filter(is_behind)
            .map(Part::name)
            .filter(|part| !self.has_read(part, namespace))
    }

    fn lists(&self, part: &str) -> bool {
        self.parts.iter().any(|read| read.part == part)
    }

    /// True if all of `part` in `namespace` was read.
    fn has_read(&self, part: &str, namespace: &str) -> bool {
        let Some(read) = self.parts.iter().find(|read| read.part == part) else {
            return false;
        };
        let mut errors = self
            .errors
            .iter()
            .filter(|error| error.part == part)
            .peekable();
        // One that is incomplete without an error that says where is so everywhere.
        (read.complete || errors.peek().is_some())
            && errors.all(|error| !error.namespace.is_empty() && error.namespace != namespace)
    }
}

impl Gatherer {
    /// Takes a scan.
    ///
    /// # Errors
    /// Where it does not say when it was made.
    pub(super) fn take_scan(&mut self, scan: &Scan<'_>) -> Result<(), String> {
        let time =
            millis(&scan.time).ok_or("a scan whose time is no moment as RFC 3339 has them")?;
        let cluster = self.cluster(&scan.cluster);
        if !cluster.is_empty() {
            self.collected.clusters.insert(cluster.clone());
        }
        self.collected.see_scan(time);
        let mut reach = Reach {
            time,
            cluster,
            namespaces: scan.scope.namespaces.clone(),
            is_selective: !scan.scope.selector.is_empty(),
            parts: scan.parts.clone(),
            errors: scan.errors.clone(),
            owners: HashSet::new(),
            listed: scan
                .namespaces
                .iter()
                .map(|namespace| namespace.name.to_string())
                .collect(),
            exemptions: scan.exemptions.iter().map(ListedExemption::from).collect(),
        };
        let told = |reach: &Reach| {
            format!(
                "{time} {} {:?} {:?} {:?}",
                reach.cluster, scan.scope, reach.parts, reach.errors
            )
        };
        let scan_id = id(&told(&reach), "scan");
        for namespace in &scan.namespaces {
            self.mode(&scan.cluster, &namespace.name, time, &namespace.mode);
        }
        for object in &scan.objects {
            let owner = self.scanned(&reach, object, &scan.cluster);
            reach.owners.insert(owner);
        }
        self.collected.add_scan(scan_id, reach);
        Ok(())
    }

    fn scanned(&mut self, reach: &Reach, object: &Owner<'_>, cluster: &str) -> u32 {
        let Owner {
            kind,
            namespace,
            name,
            findings,
            team,
            managed_by,
            release,
            manager,
            schedule,
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
        let about = self.collected.about.entry(owner).or_default();
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
        let user = self.collected.texts.number(&String::new());
        self.collected.add(
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

impl From<&Listed<'_>> for ListedExemption {
    fn from(listed: &Listed<'_>) -> Self {
        let text = |text: &Text<'_>| text.to_string();
        Self {
            namespace: text(&listed.namespace),
            holder: text(&listed.holder),
            scope: text(&listed.scope),
            rules: text(&listed.rules),
            until: text(&listed.until),
            reference: text(&listed.reference),
            reason: text(&listed.reason),
            error: text(&listed.error),
            is_allowed: listed.status.as_str() != "not-allowed",
        }
    }
}

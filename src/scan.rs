//! The scan of a live cluster: what was written before anybody watched, read page by page and
//! judged as the webhook judges it.
//!
//! Reading (`api`) and judging (`evaluate`) are apart, and nothing prints: the command line and the
//! controller call the same [`scan`]. Memory holds one object, the owners, and their findings.

pub mod document;
mod evaluate;
mod exemptions;
mod item;
mod manual;
mod nodes;
mod origin;
pub mod questions;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use document::{PartEntry, Scope};
pub use exemptions::{ExemptionStatus, ListedExemption};
use hyper::Request;
use hyper::header::DATE;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIGroupList};
use kube::Client;
use kube::client::Body;
pub use manual::MANUAL;
pub use nodes::NodeGroup;
use serde_json::value::RawValue;

use crate::api::list::{List, Step, list};
use crate::api::path::list_path;
use crate::api::{ApiError, request};
use crate::check::{CheckError, Checked, CheckedObject, Placed};
use crate::decision::{Judged, Mode, Outcome, Policy};
use crate::kinds::{Handling, KINDS, Kind};
use crate::workload::series;
use evaluate::Evaluation;

/// What the identity of a series begins with. Identities of objects are UUIDs.
pub(crate) const SERIES_UID: &str = "series-";

/// Objects between two reports of the progress.
const PROGRESS: usize = 500;

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Every owner with a pod template or a Pod, and other objects with findings, by namespace,
    /// kind and name.
    pub owners: Vec<ScannedOwner>,
    /// Nodes by runtime.
    pub nodes: Vec<NodeGroup>,
    /// Modes that namespaces ask for.
    pub namespaces: BTreeMap<String, Option<Mode>>,
    /// Identities of the namespaces.
    pub namespace_uids: BTreeMap<String, Box<str>>,
    /// Of namespaces with labels without meaning: what is wrong with them.
    pub label_flaws: BTreeMap<String, Vec<String>>,
    /// Exemptions, used and unused.
    pub exemptions: Vec<ListedExemption>,
    /// What was read.
    pub parts: Vec<PartEntry>,
    /// What could not be read.
    pub errors: Vec<ScanError>,
    /// Pods, those of controllers included.
    pub pods: usize,
}

/// What a person edits, with its findings.
#[derive(Debug)]
pub struct ScannedOwner {
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: Arc<str>,
    /// API group.
    pub group: Arc<str>,
    /// Kind.
    pub kind: Arc<str>,
    /// Name.
    pub name: Box<str>,
    /// `apiVersion`; that of the object that was read first where the owner itself could not be
    /// read.
    pub api_version: Arc<str>,
    /// Identity; empty where neither the owner nor what it controls could be read. Of a series,
    /// made from its name.
    pub uid: Box<str>,
    /// True for a series that is no object of the API, or none that was read: `api_version` may be
    /// its group only.
    pub is_series: bool,
    /// The strongest action.
    pub outcome: Outcome,
    /// Its findings, in the order of codes, then fields.
    pub findings: Vec<ScannedFinding>,
    /// True if one of its containers is privileged.
    pub privileged: bool,
    /// Its Pods.
    pub pods: usize,
    /// Whose it is, as far as it tells.
    pub origin: Origin,
    /// What was wrong besides: exemptions that ended, unknown labels.
    pub notes: Vec<String>,
}

/// What an owner tells about who keeps it; empty where it tells nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Value of the label `team`.
    pub team: Box<str>,
    /// See [`crate::record::OwnerFields`].
    pub managed_by: Box<str>,
    /// Name of the release.
    pub release: Box<str>,
    /// The field manager that wrote it last. A tool, not an identity; only of owners with findings.
    pub manager: Box<str>,
    /// `spec.schedule` of a CronJob.
    pub schedule: Box<str>,
}

/// A finding of an owner.
#[derive(Debug)]
pub struct ScannedFinding {
    /// The finding.
    pub judged: Judged,
    /// `KIND/NAME` of the object that has it, if that is not the owner.
    pub object: Option<Box<str>>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanError {
    /// `RESOURCE.GROUP`.
    pub part: String,
    /// Namespace; empty for all of them.
    pub namespace: String,
    /// One word.
    pub reason: &'static str,
    /// What is wrong.
    pub message: String,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// What is being read.
    pub part: &'p str,
    /// Objects of it so far.
    pub objects: usize,
}

impl ScannedOwner {
    /// The codes of its findings, each once.
    pub fn codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<_> = self
            .findings
            .iter()
            .map(|found| found.judged.finding.rule.code)
            .collect();
        codes.dedup();
        codes
    }

    /// What to edit to change a series; empty for other owners.
    pub fn edit(&self) -> &'static str {
        series::edit(&self.kind, &self.name)
    }

    /// `KIND/NAME`, behind its namespace if it has one.
    pub fn title(&self) -> String {
        let Self {
            namespace,
            kind,
            name,
            ..
        } = self;
        if namespace.is_empty() {
            format!("{kind}/{name}")
        } else {
            format!("{namespace} {kind}/{name}")
        }
    }
}

impl Scanned {
    /// Owners with this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.owners
            .iter()
            .filter(|owner| owner.outcome == outcome)
            .count()
    }

    /// Owners with a finding of any action.
    pub fn flagged(&self) -> usize {
        self.owners
            .iter()
            .filter(|owner| !owner.findings.is_empty())
            .count()
    }

    /// The strongest outcome of all.
    pub fn worst(&self) -> Outcome {
        self.owners
            .iter()
            .map(|owner| owner.outcome)
            .max()
            .unwrap_or(Outcome::Clean)
    }

    /// The same for the outputs of `check`, which point at files: an object's path in the API takes
    /// the file's place.
    pub fn to_checked(&self) -> Checked {
        let errors = self.errors.iter().map(|error| {
            let file = if error.namespace.is_empty() {
                error.part.clone()
            } else {
                format!("{}/{}", error.namespace, error.part)
            };
            CheckError {
                file,
                line: 0,
                column: 0,
                message: error.message.clone(),
            }
        });
        Checked {
            files: self.parts.len(),
            objects: self.owners.iter().map(to_checked).collect(),
            errors: errors.collect(),
            ..Checked::default()
        }
    }
}

fn to_checked(owner: &ScannedOwner) -> CheckedObject {
    let place = if owner.namespace.is_empty() {
        String::new()
    } else {
        format!("{}/", owner.namespace)
    };
    let findings = owner.findings.iter().map(|found| Placed {
        judged: found.judged.clone(),
        line: 1,
        column: 1,
        text: String::new(),
        width: None,
    });
    CheckedObject {
        file: format!("{place}{}/{}", owner.kind, owner.name),
        source: None,
        line: 1,
        api_version: owner.api_version.to_string(),
        kind: owner.kind.to_string(),
        namespace: owner.namespace.to_string(),
        name: owner.name.to_string(),
        owner_kind: owner.kind.to_string(),
        owner_name: owner.name.to_string(),
        outcome: owner.outcome,
        findings: findings.collect(),
        // A scan lists the exemptions of the whole cluster by themselves.
        notes: Vec::new(),
        not_judged: None,
    }
}

/// Reads the cluster behind `client` and judges what is in `scope`. Only reads.
///
/// The mode of `policy` is the question that is asked of every namespace: what would that mode do?
/// Their own modes are listed.
///
/// # Errors
/// Where the API server does not answer at all, or does not know who asks. What else cannot be read
/// is listed in the result.
pub async fn scan(
    client: &Client,
    scope: &Scope,
    policy: &Policy,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Scanned, ApiError> {
    // Every cluster answers this to everybody it knows: what fails here fails everywhere.
    let groups = groups(client).await?;
    let mut evaluation = Evaluation::new(policy);
    let nowhere = [String::new()];
    // The nodes again, now that the runtimes of all are known.
    let nodes = KINDS.iter().filter(|kind| kind.handling == Handling::Node);
    for kind in KINDS.iter().chain(nodes) {
        let version = match groups.get(kind.group) {
            Some(version) if !kind.is_built_in() => version.clone().into(),
            None if !kind.is_built_in() => continue,
            _ => kind.version.clone(),
        };
        let kind = Kind {
            version,
            ..kind.clone()
        };
        let is_spread = kind.is_namespaced || kind.handling == Handling::Namespace;
        let namespaces = if is_spread && !scope.namespaces.is_empty() {
            scope.namespaces.as_slice()
        } else {
            &nowhere
        };
        let is_selected = matches!(
            kind.handling,
            Handling::Template | Handling::Pod | Handling::Text
        );
        let selector = if is_selected {
            scope.selector.as_str()
        } else {
            ""
        };
        evaluation.begin(&kind);
        for namespace in namespaces {
            let (name, path) = (kind.resource(), list_path(&kind, namespace));
            evaluation.begin_list();
            let mut show = |objects| {
                progress(Progress {
                    part: &name,
                    objects,
                });
            };
            let read = if kind.handling == Handling::Namespace && !namespace.is_empty() {
                read_one(client, &path, |item| evaluation.add(&kind, item)).await
            } else {
                let objects = List {
                    labels: selector,
                    ..List::of(&path)
                };
                let take = |step: Step<'_>| {
                    match step {
                        Step::Item(item) => evaluation.add(&kind, item),
                        Step::TooLarge(name) => evaluation.add_too_large(&kind, &name),
                        Step::Restart => evaluation.restart(),
                    }
                    match evaluation.objects_of_part() {
                        count if count % PROGRESS == 0 => show(count),
                        _ => {}
                    }
                    ControlFlow::Continue(())
                };
                list(client, &objects, take).await.map(drop)
            };
            show(evaluation.objects_of_part());
            match read {
                Ok(()) => {}
                // The group is there without this resource, or a namespace that was named is not.
                Err(ApiError::NotFound(_)) if !kind.is_built_in() => {}
                Err(error) => evaluation.fail(&kind, namespace, error.reason(), error.to_string()),
            }
        }
        evaluation.end(&kind);
    }
    Ok(evaluation.finish())
}

async fn read_one(
    client: &Client,
    path: &str,
    take: impl FnOnce(&RawValue),
) -> Result<(), ApiError> {
    let body = request::get(client, path).await?;
    let item = serde_json::from_slice(&body);
    take(item.map_err(|error| ApiError::Unreadable(error.to_string()))?);
    Ok(())
}

/// The moment by the clock of the API server: that of the audit log, with which the report puts a
/// scan in order. The clock of the machine that scans may be wrong.
pub async fn server_time(client: &Client) -> Option<Timestamp> {
    let request = Request::get("/version").body(Body::empty()).ok()?;
    let response = request::send(client, request).await.ok()?;
    let date = response.headers().get(DATE)?.to_str().ok()?;
    rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

/// The API groups of the cluster, with the version that each prefers.
pub(crate) async fn groups(client: &Client) -> Result<BTreeMap<String, String>, ApiError> {
    let body = match request::get(client, "/apis").await {
        Ok(body) => body,
        // Discovery can be closed to some; what is built in can still be tried.
        Err(ApiError::Forbidden(_) | ApiError::NotFound(_)) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let list: APIGroupList =
        serde_json::from_slice(&body).map_err(|error| ApiError::Unreadable(error.to_string()))?;
    let preferred = |group: APIGroup| Some((group.name, group.preferred_version?.version));
    Ok(list.groups.into_iter().filter_map(preferred).collect())
}

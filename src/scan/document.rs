//! The form of a scan, `undock.scan/v1`: `undock scan -o json` writes it, `undock report` reads it.
//!
//! `docs/scan.schema.json` describes it for others. Fields are only ever added, so a reader takes
//! the default for those that an older version did not write.

use serde::{Deserialize, Serialize};

use crate::workload::text::{LenientStr, null_default};

/// Name and version of the form.
pub const SCHEMA: &str = "undock.scan/v1";

/// A scan. The writer gives its objects one by one, so `Objects` can be something that is no list
/// yet.
#[derive(Debug, Deserialize, Serialize)]
pub struct ScanDocument<'a, Objects = Vec<ObjectEntry<'a>>> {
    /// [`SCHEMA`]
    #[serde(borrow)]
    pub schema: LenientStr<'a>,
    /// Version of undock.
    #[serde(default)]
    pub version: LenientStr<'a>,
    /// When the scan began, RFC 3339.
    pub time: LenientStr<'a>,
    /// The cluster's name in records; may be empty.
    #[serde(default)]
    pub cluster: LenientStr<'a>,
    /// The mode that was asked about.
    #[serde(default)]
    pub mode: LenientStr<'a>,
    /// Codes of rules that the configuration switches off: nothing is told of their findings.
    #[serde(rename = "rulesOff", default, skip_serializing_if = "Vec::is_empty")]
    pub rules_off: Vec<String>,
    /// What was scanned.
    #[serde(default, deserialize_with = "null_default")]
    pub scope: Scope,
    /// Totals.
    #[serde(default)]
    pub summary: Summary,
    /// Nodes by runtime.
    #[serde(default)]
    pub nodes: Vec<NodeGroupEntry<'a>>,
    /// Namespaces with the mode that they ask for.
    #[serde(default)]
    pub namespaces: Vec<NamespaceEntry<'a>>,
    /// The questions of the migration guide.
    #[serde(default)]
    pub checks: Vec<CheckEntry<'a>>,
    /// Owners, those without findings included.
    pub objects: Objects,
    /// Exemptions, used and unused.
    #[serde(default)]
    pub exemptions: Vec<ExemptionEntry<'a>>,
    /// What was read.
    pub parts: Vec<PartEntry>,
    /// What is left to do by hand.
    #[serde(default)]
    pub manual: Vec<ManualEntry<'a>>,
    /// What could not be read.
    pub errors: Vec<ErrorEntry<'a>>,
}

/// What is scanned.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Scope {
    /// Namespaces; empty for all.
    pub namespaces: Vec<String>,
    /// Label selector; empty for everything.
    pub selector: String,
}

/// Totals of owners by decision, of Pods, nodes and errors.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "named after decisions and kinds")]
pub struct Summary {
    pub clean: usize,
    pub denied: usize,
    pub errors: usize,
    pub exempt: usize,
    pub flagged: usize,
    pub nodes: usize,
    pub objects: usize,
    pub pods: usize,
    pub recorded: usize,
    pub warned: usize,
}

/// Nodes that run the same runtime.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "named after fields of nodes")]
pub struct NodeGroupEntry<'a> {
    pub count: usize,
    #[serde(borrow)]
    pub family: LenientStr<'a>,
    pub kubelets: Vec<LenientStr<'a>>,
    pub names: Vec<LenientStr<'a>>,
    pub pods: usize,
    pub runtime: LenientStr<'a>,
    pub systems: Vec<LenientStr<'a>>,
}

/// A namespace.
#[derive(Debug, Deserialize, Serialize)]
pub struct NamespaceEntry<'a> {
    /// The mode that its label asks for; null if it has none.
    #[serde(borrow, default)]
    pub mode: Option<LenientStr<'a>>,
    /// Its name.
    pub name: LenientStr<'a>,
    /// Labels that mean nothing, and what to write.
    #[serde(rename = "labelFlaws", default, skip_serializing_if = "Vec::is_empty")]
    pub label_flaws: Vec<String>,
}

/// A question of the migration guide and its answer.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "documented in docs/scan.schema.json")]
pub struct CheckEntry<'a> {
    #[serde(borrow)]
    pub by_hand: LenientStr<'a>,
    pub findings: usize,
    pub id: LenientStr<'a>,
    pub objects: Vec<CheckedObject<'a>>,
    pub owners: usize,
    pub privileged: usize,
    pub title: LenientStr<'a>,
}

/// An owner in the answer to a question.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "named after fields of objects")]
pub struct CheckedObject<'a> {
    #[serde(borrow)]
    pub kind: LenientStr<'a>,
    pub name: LenientStr<'a>,
    pub namespace: LenientStr<'a>,
    pub privileged: bool,
    pub rules: Vec<LenientStr<'a>>,
}

/// An owner.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named after fields of objects and records")]
pub struct ObjectEntry<'a> {
    #[serde(borrow, default)]
    pub api_version: LenientStr<'a>,
    #[serde(default)]
    pub decision: LenientStr<'a>,
    /// Of a series: what to edit to change its objects.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub edit: LenientStr<'a>,
    pub findings: Vec<FindingEntry<'a>>,
    pub kind: LenientStr<'a>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub managed_by: LenientStr<'a>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub manager: LenientStr<'a>,
    pub name: LenientStr<'a>,
    pub namespace: LenientStr<'a>,
    #[serde(default)]
    pub notes: Vec<LenientStr<'a>>,
    #[serde(default)]
    pub owner: OwnerEntry<'a>,
    #[serde(default)]
    pub pods: usize,
    #[serde(default)]
    pub privileged: bool,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub release: LenientStr<'a>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub schedule: LenientStr<'a>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub team: LenientStr<'a>,
}

/// Group, kind and name of an owner.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "named after fields of objects")]
pub struct OwnerEntry<'a> {
    #[serde(borrow)]
    pub group: LenientStr<'a>,
    pub kind: LenientStr<'a>,
    pub name: LenientStr<'a>,
}

/// A finding.
#[derive(Debug, Deserialize, Serialize)]
#[expect(missing_docs, reason = "named after fields of records")]
pub struct FindingEntry<'a> {
    #[serde(borrow, default)]
    pub action: LenientStr<'a>,
    #[serde(default)]
    pub certainty: LenientStr<'a>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub container: LenientStr<'a>,
    /// True if `enforce` refuses it; absent in scans of versions that did not tell.
    #[serde(default)]
    pub denies: Option<bool>,
    #[serde(default)]
    pub evidence: LenientStr<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt: Option<TermsEntry<'a>>,
    #[serde(default)]
    pub field: LenientStr<'a>,
    pub fingerprint: LenientStr<'a>,
    #[serde(default)]
    pub fix: LenientStr<'a>,
    #[serde(default)]
    pub impact: LenientStr<'a>,
    #[serde(default)]
    pub message: LenientStr<'a>,
    #[serde(default)]
    pub name: LenientStr<'a>,
    /// `KIND/NAME` of the object that has it, if that is not the owner.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub object: LenientStr<'a>,
    pub rule: LenientStr<'a>,
}

/// The exemption that a finding falls under.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "named after the parts of an exemption")]
pub struct TermsEntry<'a> {
    #[serde(borrow)]
    pub reason: LenientStr<'a>,
    #[serde(rename = "ref")]
    pub reference: LenientStr<'a>,
    pub scope: LenientStr<'a>,
    pub until: LenientStr<'a>,
}

/// An exemption, used or not. `error` says what is wrong with one that cannot be read.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "named after the parts of an exemption")]
pub struct ExemptionEntry<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub error: Option<LenientStr<'a>>,
    pub holder: LenientStr<'a>,
    pub namespace: LenientStr<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<LenientStr<'a>>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<LenientStr<'a>>,
    pub rules: LenientStr<'a>,
    pub scope: LenientStr<'a>,
    pub status: LenientStr<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<LenientStr<'a>>,
    pub uses: usize,
}

/// A list of the API server that was read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PartEntry {
    /// False if some of it could not be read.
    pub complete: bool,
    /// Objects.
    #[serde(default)]
    pub objects: usize,
    /// `RESOURCE.GROUP`
    pub part: String,
}

/// A task that no scan can do.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
#[expect(missing_docs, reason = "what to do, and how")]
pub struct ManualEntry<'a> {
    #[serde(borrow)]
    pub how: LenientStr<'a>,
    pub what: LenientStr<'a>,
}

/// Something that could not be read.
#[derive(Debug, Deserialize, Serialize)]
pub struct ErrorEntry<'a> {
    /// What is wrong.
    #[serde(borrow, default)]
    pub message: LenientStr<'a>,
    /// Namespace; empty for all of them.
    #[serde(default)]
    pub namespace: LenientStr<'a>,
    /// `RESOURCE.GROUP`
    pub part: LenientStr<'a>,
    /// One word.
    #[serde(default)]
    pub reason: LenientStr<'a>,
}

fn is_empty(text: &LenientStr<'_>) -> bool {
    text.as_str().is_empty()
}

//! What a report says: `undock.report/v1`. Every output is made from this; fields are only ever
//! added.

use serde::{Deserialize, Serialize};

use crate::finding::text::elide;

/// Name and version of the JSON form.
pub const SCHEMA: &str = "undock.report/v1";

/// A migration report. Lists are sorted, so that the same inputs give the same bytes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`SCHEMA`]
    pub schema: String,
    /// The newest moment in the inputs: the report's clock. Empty without inputs.
    pub as_of: String,
    /// Clusters that the inputs name.
    pub clusters: Vec<String>,
    /// What the inputs as a whole cannot tell, and what to do about it.
    #[serde(default)]
    pub notices: Vec<String>,
    /// The time that the inputs cover.
    pub window: Window,
    /// What was read.
    pub coverage: Coverage,
    /// Totals.
    pub summary: Summary,
    /// By cluster and name.
    pub namespaces: Vec<Namespace>,
    /// Open ones first.
    pub findings: Vec<Finding>,
    /// The most urgent first.
    #[serde(default)]
    pub exemptions: Vec<Exemption>,
    /// Writes that undock did not see.
    pub missed_writes: Vec<Missed>,
    /// Writes in the window that nobody evaluated, failed-open ones included, by namespace and day.
    #[serde(default)]
    pub unreviewed_writes: Vec<UnreviewedDay>,
    /// Open findings at the end of each day.
    pub burn_down: BurnDown,
    /// What could not be read.
    pub errors: Vec<ReadError>,
}

/// The time that the inputs cover.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// The oldest moment in the inputs.
    pub from: String,
    /// The newest.
    pub to: String,
    /// Would-deny and missed writes count from here on.
    pub since: String,
    /// Days from `since` on that logs cover, started ones whole. A scan tells one moment and covers
    /// none.
    pub days: u32,
}

/// What was read. Repeats count once.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Reviews, by any evidence.
    pub reviews: u64,
    /// Reviews that left a record.
    pub records: u64,
    /// Reviews that the audit log shows.
    pub audited: u64,
    /// Objects that this report evaluated itself.
    pub replayed: u64,
    /// Scans.
    #[serde(default)]
    pub scans: u64,
    /// Writes that could not be evaluated, as their log line holds no whole object. Counted with
    /// `--replay`.
    pub without_object: u64,
    /// Stored writes that the API server let through unreviewed.
    pub missed: u64,
    /// Stored writes of reviewed kinds in the window that nobody evaluated, those included.
    #[serde(default)]
    pub unreviewed: u64,
    /// Dry runs, which count nowhere else.
    pub dry_runs: u64,
    /// Objects that undock could not evaluate.
    pub review_errors: u64,
    /// Lines that could not be read.
    pub unreadable: u64,
    /// Lines of other programs, which were passed over.
    #[serde(default)]
    pub other_lines: u64,
}

/// Totals.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named after verdicts and statuses")]
pub struct Summary {
    pub ready: usize,
    pub blocked_namespaces: usize,
    pub unknown: usize,
    pub owners: usize,
    pub findings: usize,
    pub open: usize,
    /// Open ones that `enforce` would refuse.
    pub open_denied: usize,
    pub exempt: usize,
    pub fixed: usize,
    pub removed: usize,
    pub blocked: usize,
    pub stale: usize,
}

/// Whether a namespace may be switched to `enforce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Something would be refused.
    Blocked,
    /// Too little is known.
    Unknown,
    /// Nothing would be refused.
    Ready,
}

impl Verdict {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "BLOCKED",
            Self::Unknown => "UNKNOWN",
            Self::Ready => "READY",
        }
    }
}

/// A namespace.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named after statuses")]
pub struct Namespace {
    pub cluster: String,
    /// Empty for cluster-scoped objects.
    pub name: String,
    /// The mode of the last review; empty if nothing tells it.
    pub mode: String,
    pub verdict: Verdict,
    /// Why it is not READY, and what else is to be known.
    pub reasons: Vec<String>,
    /// Owners that were reviewed or scanned.
    pub owners: usize,
    pub reviews: u64,
    /// When a scan read all of it last; empty if none did.
    #[serde(default)]
    pub scanned_at: String,
    pub open: usize,
    pub exempt: usize,
    pub fixed: usize,
    pub removed: usize,
    pub blocked: usize,
    pub stale: usize,
    /// Reviews in the window that `enforce` would have refused.
    pub would_deny: u64,
    /// Missed writes in the window.
    pub missed: u64,
    /// Writes in the window that nobody evaluated, and that no later review or whole scan makes up
    /// for.
    #[serde(default)]
    pub unreviewed: u64,
}

impl Namespace {
    /// What stands beside the verdict in every output.
    pub fn why(&self) -> Vec<String> {
        let verdict = match (self.verdict, self.mode.as_str()) {
            (Verdict::Ready, "enforce") => Some("enforced"),
            (Verdict::Ready, _) => Some("nothing here would be refused"),
            _ => None,
        };
        let verdict = verdict.map(str::to_owned).into_iter();
        verdict.chain(self.reasons.iter().cloned()).collect()
    }
}

/// What became of a finding.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The latest evidence about the owner contains it.
    Open,
    /// Open, and covered by an exemption that has not ended.
    Exempt,
    /// Not seen for 30 days and no evidence either way; never counted as fixed.
    Stale,
    /// Only ever seen in writes that were refused.
    Blocked,
    /// A later review or scan of the same owner lacks it.
    Fixed,
    /// The owner is gone.
    Removed,
}

impl Status {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Exempt => "exempt",
            Self::Stale => "stale",
            Self::Blocked => "blocked",
            Self::Fixed => "fixed",
            Self::Removed => "removed",
        }
    }

    /// True while it may still break something.
    pub fn is_present(self) -> bool {
        matches!(self, Self::Open | Self::Exempt | Self::Stale)
    }
}

/// The object that a person edits.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[expect(missing_docs, reason = "named after fields of objects")]
pub struct OwnerName {
    pub kind: String,
    pub name: String,
}

/// A finding over time.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named after fields of records")]
pub struct Finding {
    pub cluster: String,
    pub namespace: String,
    pub owner: OwnerName,
    pub team: String,
    pub managed_by: String,
    pub release: String,
    pub rule: String,
    pub rule_name: String,
    #[serde(rename = "severity")]
    pub impact: String,
    pub certainty: String,
    pub status: Status,
    /// True if `enforce` refuses writes that hold it.
    pub denies: bool,
    pub container: String,
    pub field: String,
    pub evidence: String,
    pub fingerprint: String,
    pub first_seen: String,
    pub last_seen: String,
    /// Reviews and scans that showed it.
    pub observations: u64,
    /// Of a series: its objects that were made with it; 0 for other owners.
    #[serde(default)]
    pub objects: u64,
    /// Of a series: what to edit, as in `edit …`.
    #[serde(default)]
    pub edit: String,
    /// Of those: the owner itself was made.
    #[serde(default)]
    pub created: u64,
    /// Of those: refused.
    pub denied: u64,
    /// Of those: refused had the mode been `enforce`.
    pub would_deny: u64,
    /// `audit`, `record`, `replay`, `scan`
    pub sources: Vec<String>,
    /// Who wrote the owner last, as far as the inputs tell; `TOOL (tool)` where only a scan tells,
    /// which sees no identities.
    pub last_writer: String,
    /// Last day of the exemption.
    pub exempt_until: String,
    pub exempt_ref: String,
    /// Where the exemption is written: `namespace`, `workload`, `configuration`; empty where the
    /// inputs do not tell.
    #[serde(default)]
    pub exempt_scope: String,
    /// When it was fixed or removed, or seen to be so; empty otherwise.
    pub ended_at: String,
    /// Who did that; empty where a scan tells, which sees no identities.
    pub ended_by: String,
    /// True if every write that held it was refused.
    #[serde(default)]
    pub never_stored: bool,
    /// Where it was seen, the nearest to what a person edits: what shows that it is gone must be as
    /// near.
    #[serde(default)]
    pub seen_at: SeenAt,
    /// The fingerprint that it had before its container or volume was renamed; empty if it was not.
    #[serde(default)]
    pub moved_from: String,
}

/// What showed a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SeenAt {
    /// A write of the owner itself.
    Owner,
    /// Something that the owner makes and that makes Pods: a ReplicaSet, a Job.
    Part,
    /// Nothing but Pods.
    #[default]
    Pod,
    /// Nothing but scans.
    Scan,
}

impl Finding {
    /// What tells its owner from all others: cluster, namespace, kind, name.
    pub(super) fn owner_key(&self) -> [&str; 4] {
        [
            &self.cluster,
            &self.namespace,
            &self.owner.kind,
            &self.owner.name,
        ]
        .map(String::as_str)
    }

    /// How it is known to have ended, for people: `by USER`, with the name cut to `limit`.
    pub(super) fn ended_how(&self, limit: usize) -> String {
        if self.never_stored && self.status == Status::Removed {
            "refused, and not tried again".to_owned()
        } else if self.ended_by.is_empty() {
            "seen in a scan".to_owned()
        } else {
            format!("by {}", elide(&self.ended_by, limit))
        }
    }
}

/// How an exemption stands at the report's clock, the most urgent first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExemptionStatus {
    /// Its last day is over.
    Expired,
    /// It cannot be read, and exempts nothing.
    Malformed,
    /// In use, and it ends within 14 days.
    Ending,
    /// The namespace does not let workloads exempt themselves.
    NotAllowed,
    /// Nothing needs it.
    #[default]
    Unused,
    /// It lets findings through.
    InUse,
}

impl ExemptionStatus {
    /// The word in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Malformed => "malformed",
            Self::Ending => "ending",
            Self::NotAllowed => "not-allowed",
            Self::Unused => "unused",
            Self::InUse => "in-use",
        }
    }
}

/// An exemption. Scans list all; without one, only those are known that reviews used.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemption {
    /// Its cluster.
    pub cluster: String,
    /// Its namespace; empty for the configuration file's.
    pub namespace: String,
    /// `KIND/NAME` of the workload that carries it; empty for others.
    pub holder: String,
    /// `namespace`, `workload`, `configuration`; empty where the inputs do not tell.
    pub scope: String,
    /// A code, or `all`.
    pub rules: String,
    /// How it stands.
    pub status: ExemptionStatus,
    /// The last day.
    pub until: String,
    /// Days from the report's day to the last one; negative when it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
    /// Why; only scans tell.
    pub reason: String,
    /// A ticket or a page.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Findings that it lets through; where it has ended, those that are open again.
    pub findings: usize,
    /// What is wrong with it.
    pub error: String,
}

impl Exemption {
    /// What it is written on, for people.
    pub fn place(&self) -> String {
        match (self.namespace.as_str(), self.holder.as_str()) {
            ("", _) => "configuration file".to_owned(),
            (namespace, "") => format!("namespace {namespace}"),
            (namespace, holder) => format!("{namespace}/{holder}"),
        }
    }

    /// What is wrong with it, else why it is there.
    pub(super) fn why(&self) -> &str {
        if self.error.is_empty() {
            &self.reason
        } else {
            &self.error
        }
    }
}

/// A write that undock did not see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[expect(missing_docs, reason = "named after fields of audit events")]
pub struct Missed {
    pub time: String,
    pub cluster: String,
    pub namespace: String,
    pub verb: String,
    pub resource: String,
    pub name: String,
    pub user: String,
    /// The webhook that did not answer.
    pub webhook: String,
}

/// Writes of reviewed kinds in one namespace on one day that nobody evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct UnreviewedDay {
    /// Its cluster.
    pub cluster: String,
    /// Its namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// In UTC.
    pub day: String,
    /// `no-review`, `failed-open`, `mode-off`, `no-object`.
    pub cause: String,
    /// How many.
    pub writes: u64,
    /// Those that no later review or whole scan makes up for.
    pub unresolved: u64,
}

/// Open findings over time.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BurnDown {
    /// One value for each day, at most 366.
    pub days: Vec<Day>,
    /// As given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Change for each day, by least squares over the last 14 values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope: Option<f64>,
    /// The day on which that line meets zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected_zero: Option<String>,
    /// Why there is no projection.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A day of the burn-down.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Day {
    /// In UTC.
    pub date: String,
    /// Findings that were there at its end, exempt ones left out.
    pub open: usize,
    /// Reviews of that day that `enforce` would have refused.
    #[serde(rename = "wouldDeny")]
    pub would_deny: u64,
}

/// A part of an input that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct ReadError {
    /// The input.
    pub file: String,
    /// Line, from 1; 0 where the whole input could not be read.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

//! The exemptions: which let something through, which end soon, which are of no use any more, which are wrong.
//!
//! Scans list those that are written down; reviews tell of those that were used. What a later scan of the same place does not
//! list is gone.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::disappearance::Disappearances;
use super::evidence::ListedExemption;
use super::evidence_store::EvidenceStore;
use super::model::{Exemption, ExemptionStatus, Finding, Status};
use crate::decision::exemption::{NOTICE_DAYS, Rules};

/// Where an exemption stands, and its terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    cluster: String,
    listed: ListedExemption,
}

/// All exemptions as they stand on `today`, the most urgent first. Of `findings`, each is counted with the one that covers it.
pub(super) fn exemptions(
    store: &EvidenceStore,
    ends: &Disappearances<'_>,
    findings: &[Finding],
    today: Option<Date>,
) -> Vec<Exemption> {
    let mut all: BTreeMap<Key, i64> = BTreeMap::new();
    for scan in store.scans.values() {
        for listed in &scan.exemptions {
            let seen = all
                .entry(Key {
                    cluster: scan.cluster.clone(),
                    listed: listed.clone(),
                })
                .or_insert(scan.time);
            *seen = scan.time.max(*seen);
        }
    }
    // The newest scan that would list it has the last word.
    all.retain(|Key { cluster, listed }, seen| {
        let would_list = |time: i64| time > *seen;
        let scans = ends
            .scans(cluster)
            .iter()
            .filter(|scan| scan.knows_namespace(&listed.namespace));
        let holder_kind = listed.holder.split('/').next().unwrap_or_default();
        let mut scans = scans
            .filter(|scan| listed.holder.is_empty() || scan.covers(holder_kind, &listed.namespace));
        !scans.any(|scan| would_list(scan.time))
    });
    let mut exemptions: Vec<Exemption> = all.into_keys().map(|key| key.exemption(today)).collect();
    let mut index = Index::default();
    for (at, exemption) in exemptions.iter().enumerate() {
        index.add(at, exemption);
    }
    for finding in findings {
        match (index.covering(finding), finding.status) {
            (Some(at), Status::Exempt | Status::Open) => exemptions[at].findings += 1,
            (None, Status::Exempt) => {
                let exemption = used(finding, today);
                index.add(exemptions.len(), &exemption);
                exemptions.push(exemption);
            }
            _ => {}
        }
    }
    for exemption in exemptions
        .iter_mut()
        .filter(|exemption| exemption.status == ExemptionStatus::Unused && exemption.findings > 0)
    {
        exemption.status = if is_soon(exemption.days_left) {
            ExemptionStatus::Ending
        } else {
            ExemptionStatus::InUse
        };
    }
    exemptions.sort_by(|a, b| order(a).cmp(&order(b)));
    exemptions
}

impl Key {
    /// As it stands before anything is known to use it.
    fn exemption(self, today: Option<Date>) -> Exemption {
        let Self { cluster, listed } = self;
        let ListedExemption {
            namespace,
            holder,
            scope,
            rules,
            until,
            reference,
            reason,
            error,
            is_allowed,
        } = listed;
        let days_left = days_left(&until, today);
        let status = match (error.is_empty(), days_left) {
            (false, _) => ExemptionStatus::Malformed,
            (true, Some(days)) if days < 0 => ExemptionStatus::Expired,
            _ if !is_allowed => ExemptionStatus::NotAllowed,
            _ => ExemptionStatus::Unused,
        };
        Exemption {
            cluster,
            namespace,
            holder,
            scope,
            rules,
            status,
            until,
            days_left,
            reason,
            reference,
            findings: 0,
            error,
        }
    }
}

/// One that no scan lists, told by the finding that it lets through.
fn used(finding: &Finding, today: Option<Date>) -> Exemption {
    let days_left = days_left(&finding.exempt_until, today);
    let is_of_workload = finding.exempt_scope == "workload";
    let is_configured = finding.exempt_scope == "configuration";
    Exemption {
        cluster: finding.cluster.clone(),
        namespace: if is_configured {
            String::new()
        } else {
            finding.namespace.clone()
        },
        holder: if is_of_workload {
            holder(finding)
        } else {
            String::new()
        },
        scope: finding.exempt_scope.clone(),
        rules: finding.rule.clone(),
        status: if is_soon(days_left) {
            ExemptionStatus::Ending
        } else {
            ExemptionStatus::InUse
        },
        until: finding.exempt_until.clone(),
        days_left,
        reason: String::new(),
        reference: finding.exempt_ref.clone(),
        findings: 1,
        error: String::new(),
    }
}

/// Where an exemption holds, and for what: its scope, cluster, place, rules and terms.
type Target = [String; 6];

/// Exemptions by what they cover; the first in order where several do.
#[derive(Default)]
struct Index {
    granted: HashMap<Target, usize>,
    /// Of those that have ended, whatever their terms were.
    expired: HashMap<Target, usize>,
}

impl Index {
    fn add(&mut self, at: usize, exemption: &Exemption) {
        let place = match exemption.scope.as_str() {
            "configuration" => String::new(),
            "workload" => [exemption.namespace.as_str(), &exemption.holder].join("/"),
            _ => exemption.namespace.clone(),
        };
        let rules = match Rules::parse(&exemption.rules) {
            Rules::All => "all".to_owned(),
            Rules::Code(text) | Rules::Unknown(text) => text,
        };
        let (until, reference) = (exemption.until.clone(), exemption.reference.clone());
        let (scope, cluster) = (exemption.scope.clone(), exemption.cluster.clone());
        // The configuration's are for some only: who wrote the others should hear that they ended.
        if exemption.status == ExemptionStatus::Expired && scope != "configuration" {
            let target = [scope.clone(), cluster.clone(), place.clone(), rules.clone()];
            let [scope, cluster, place, rules] = target;
            let ended = [scope, cluster, place, rules, String::new(), String::new()];
            self.expired.entry(ended).or_insert(at);
        }
        let target = [scope, cluster, place, rules, until, reference];
        self.granted.entry(target).or_insert(at);
    }

    /// The one that lets `finding` through, or did so until it ended.
    fn covering(&self, finding: &Finding) -> Option<usize> {
        let (index, until, reference) = match finding.status {
            Status::Exempt => (
                &self.granted,
                finding.exempt_until.as_str(),
                finding.exempt_ref.as_str(),
            ),
            Status::Open => (&self.expired, "", ""),
            _ => return None,
        };
        let places = [
            ("configuration", String::new()),
            (
                "workload",
                [finding.namespace.as_str(), &holder(finding)].join("/"),
            ),
            ("namespace", finding.namespace.clone()),
            ("", finding.namespace.clone()),
        ];
        let is_asked = |scope: &str| {
            finding.status == Status::Open
                || finding.exempt_scope.is_empty()
                || finding.exempt_scope == scope
        };
        let targets =
            places
                .iter()
                .filter(|(scope, _)| is_asked(scope))
                .flat_map(|(scope, place)| {
                    [finding.rule.as_str(), "all"].map(|rules| {
                        [*scope, &finding.cluster, place, rules, until, reference]
                            .map(str::to_owned)
                    })
                });
        targets
            .filter_map(|target| index.get(&target).copied())
            .min()
    }
}

fn holder(finding: &Finding) -> String {
    format!("{}/{}", finding.owner.kind, finding.owner.name)
}

fn days_left(until: &str, today: Option<Date>) -> Option<i64> {
    Some(i64::from(
        today?.until(until.parse::<Date>().ok()?).ok()?.get_days(),
    ))
}

fn is_soon(days_left: Option<i64>) -> bool {
    days_left.is_some_and(|days| days <= i64::from(NOTICE_DAYS))
}

fn order(exemption: &Exemption) -> (ExemptionStatus, &str, &str, &str, &str, &str, &str, &str) {
    let Exemption {
        status,
        until,
        cluster,
        namespace,
        holder,
        rules,
        reason,
        reference,
        ..
    } = exemption;
    (
        *status, until, cluster, namespace, holder, rules, reason, reference,
    )
}

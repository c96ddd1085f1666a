//! The exemptions: which let something through, which end soon, which are of no use any more, which
//! are wrong.
//!
//! Scans list those that are written down; reviews tell of those that were used. What a later scan
//! of the same place does not list is gone.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::disappearance::Disappearances;
use super::evidence_store::EvidenceStore;
use super::model::{Exemption, ExemptionStatus, Finding, Status};
use crate::decision::exemption::{NOTICE_DAYS, Rules};

/// All exemptions as they stand on `today`, the most urgent first. Of `findings`, each is counted
/// with the one that covers it.
pub(super) fn exemptions(
    store: &EvidenceStore,
    disappearances: &Disappearances<'_>,
    findings: &[Finding],
    today: Option<Date>,
) -> Vec<Exemption> {
    // With the time of the last scan that lists it.
    let mut all: BTreeMap<Exemption, i64> = BTreeMap::new();
    for scan in store.scans.values() {
        for listed in &scan.exemptions {
            let cluster = scan.cluster.clone();
            let listed = Exemption {
                cluster,
                ..listed.clone()
            };
            let seen = all.entry(listed).or_insert(scan.time);
            *seen = scan.time.max(*seen);
        }
    }
    // The newest scan that would list it has the last word.
    all.retain(|own, seen| {
        let holder_kind = own.holder.split('/').next().unwrap_or_default();
        !disappearances.scans(&own.cluster).iter().any(|scan| {
            scan.time > *seen
                && scan.knows_namespace(&own.namespace)
                && (own.holder.is_empty() || scan.covers(holder_kind, &own.namespace))
        })
    });
    let mut exemptions: Vec<Exemption> = all.into_keys().collect();
    for own in &mut exemptions {
        own.days_left = days_left(&own.until, today);
        let is_over = own.days_left.is_some_and(|days| days < 0);
        if is_over && own.status != ExemptionStatus::Malformed {
            own.status = ExemptionStatus::Expired;
        }
    }
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
        exemption.status = in_use(exemption.days_left);
    }
    exemptions.sort_by(|a, b| order(a).cmp(&order(b)));
    exemptions
}

/// One that no scan lists, told by the finding that it lets through.
fn used(finding: &Finding, today: Option<Date>) -> Exemption {
    let days_left = days_left(&finding.exempt_until, today);
    let (mut namespace, mut holder) = (finding.namespace.clone(), String::new());
    match finding.exempt_scope.as_str() {
        "configuration" => namespace.clear(),
        "workload" => holder = owner_of(finding),
        _ => {}
    }
    Exemption {
        cluster: finding.cluster.clone(),
        namespace,
        holder,
        scope: finding.exempt_scope.clone(),
        rules: finding.rule.clone(),
        status: in_use(days_left),
        until: finding.exempt_until.clone(),
        days_left,
        reference: finding.exempt_ref.clone(),
        findings: 1,
        ..Exemption::default()
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
        let is_configured = scope == "configuration";
        let mut target = [scope, cluster, place, rules, until, reference];
        self.granted.entry(target.clone()).or_insert(at);
        // The configuration's are for some only: who wrote the others should hear that they ended.
        if exemption.status == ExemptionStatus::Expired && !is_configured {
            target[4..].iter_mut().for_each(String::clear);
            self.expired.entry(target).or_insert(at);
        }
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
                [finding.namespace.as_str(), &owner_of(finding)].join("/"),
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

fn owner_of(finding: &Finding) -> String {
    format!("{}/{}", finding.owner.kind, finding.owner.name)
}

fn days_left(until: &str, today: Option<Date>) -> Option<i64> {
    Some(i64::from(
        today?.until(until.parse::<Date>().ok()?).ok()?.get_days(),
    ))
}

fn in_use(days_left: Option<i64>) -> ExemptionStatus {
    match days_left {
        Some(days) if days <= i64::from(NOTICE_DAYS) => ExemptionStatus::Ending,
        _ => ExemptionStatus::InUse,
    }
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

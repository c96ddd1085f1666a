//! Reports: one object of OpenReports for each owner with findings, kept as the last scan says and
//! written only where it differs.

mod series;

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use hyper::Method;
use kube::Client;
use serde_json::{Map, Value, json};

use super::notices::{OwnerFindings, Standing};
use super::{Failure, LeaderGuard, write_outcome};
use crate::api::ApiError;
use crate::api::list::{List, Step, list};
use crate::api::path::resource;
use crate::api::request;
use crate::finding::Impact;
use crate::finding::text::{clip, escape_controls};

/// What all reports of undock carry, and what they are found by.
const LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "undock");
/// What the name of a report begins with; the owner's uid follows. Others name reports by the uid
/// alone.
const PREFIX: &str = "undock-";
/// Results of one report; the summary counts all.
const MAX_RESULTS: usize = 50;
/// Bytes of a text that somebody else wrote.
const MAX_TEXT: usize = 500;

/// An API for reports.
#[derive(Debug)]
pub struct Flavour {
    /// API group.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// Plural and kind of reports in a namespace, and of those about cluster-scoped objects.
    pub resources: [(&'static str, &'static str); 2],
    /// True if the report itself names its source, not only its results.
    has_source: bool,
}

/// The APIs for reports; the first that the cluster has is written to.
pub static FLAVOURS: [Flavour; 2] = [
    Flavour {
        group: "openreports.io",
        version: "v1alpha1",
        resources: [("reports", "Report"), ("clusterreports", "ClusterReport")],
        has_source: true,
    },
    Flavour {
        group: "wgpolicyk8s.io",
        version: "v1alpha2",
        resources: [
            ("policyreports", "PolicyReport"),
            ("clusterpolicyreports", "ClusterPolicyReport"),
        ],
        has_source: false,
    },
];

/// A report as it stands in the cluster.
struct Standard {
    resource_version: String,
    /// When each finding was reported first, in seconds since 1970, by fingerprint.
    since: HashMap<String, i64>,
    is_right: bool,
}

/// What is to be done, by what stands in the cluster.
#[derive(Default)]
struct Plan {
    standing: HashMap<usize, Standard>,
    /// Namespace and name of reports whose owner has no findings any more.
    surplus: Vec<(String, String)>,
}

/// Makes the reports of the cluster say what `owners` says. Reports of owners that are not in it
/// are removed, if the scan `is_whole`; those of a series stay while it may come back. `seen` are
/// the series of which the scan saw objects, by uid.
pub(super) async fn publish(
    client: &Client,
    flavour: &Flavour,
    owners: &[OwnerFindings<'_>],
    seen: &HashSet<&str>,
    is_whole: bool,
    guard: &LeaderGuard<'_>,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (place, &(plural, kind)) in flavour.resources.iter().enumerate() {
        let is_here =
            |flagged: &OwnerFindings<'_>| flagged.owner.namespace.is_empty() == (place == 1);
        let owners = owners.iter().filter(|flagged| is_here(flagged)).collect();
        let publisher = Publisher {
            client,
            flavour,
            plural,
            kind,
            owners,
            seen,
            now: jiff::Timestamp::now().as_second(),
            guard,
        };
        publisher.publish(is_whole, &mut failures).await;
    }
    failures
}

struct Publisher<'p> {
    client: &'p Client,
    flavour: &'p Flavour,
    plural: &'static str,
    kind: &'static str,
    owners: Vec<&'p OwnerFindings<'p>>,
    /// Series of which the scan saw objects, by uid.
    seen: &'p HashSet<&'p str>,
    now: i64,
    guard: &'p LeaderGuard<'p>,
}

impl Publisher<'_> {
    async fn publish(&self, is_whole: bool, failures: &mut Vec<Failure>) {
        let plan = match self.plan().await {
            Ok(plan) => plan,
            // A cluster need not have both kinds.
            Err(ApiError::NotFound(_)) => return,
            Err(error) => {
                return failures.push(Failure::new(
                    "report",
                    error.reason(),
                    format!("cannot list {}: {error}", self.plural),
                ));
            }
        };
        for (place, flagged) in self.owners.iter().enumerate() {
            let written = match plan.standing.get(&place) {
                Some(Standard { is_right: true, .. }) => continue,
                Some(standard) => {
                    let mut report = self.report(flagged, &standard.since);
                    report["metadata"]["resourceVersion"] =
                        standard.resource_version.as_str().into();
                    let path = self.path(&flagged.owner.namespace, &name(flagged));
                    self.write("updated", Method::PUT, &path, Some(&report))
                        .await
                }
                None => {
                    let path = self.path(&flagged.owner.namespace, "");
                    self.write(
                        "created",
                        Method::POST,
                        &path,
                        Some(&self.report(flagged, &HashMap::new())),
                    )
                    .await
                }
            };
            if self.must_stop(written, failures) {
                return;
            }
        }
        for (namespace, name) in plan.surplus.iter().filter(|_| is_whole) {
            let written = self
                .write("deleted", Method::DELETE, &self.path(namespace, name), None)
                .await;
            if self.must_stop(written, failures) {
                return;
            }
        }
    }

    async fn write(
        &self,
        done: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Result<(), ApiError>> {
        if !self.guard.is_held() {
            return None;
        }
        let written = request::write(self.client, method, path, body).await;
        self.guard.count(
            "report",
            written.as_ref().map_or_else(write_outcome, |()| done),
        );
        Some(written)
    }

    /// Notes what went wrong. True if it would go wrong with every other report.
    fn must_stop(
        &self,
        written: Option<Result<(), ApiError>>,
        failures: &mut Vec<Failure>,
    ) -> bool {
        match written {
            // The Lease is lost.
            None => true,
            Some(Ok(()) | Err(ApiError::Terminating | ApiError::NotFound(_))) => false,
            Some(Err(error)) => {
                failures.push(Failure::new(
                    "report",
                    error.reason(),
                    format!("cannot write {}: {error}", self.plural),
                ));
                matches!(error, ApiError::Forbidden(_) | ApiError::Unauthorized(_))
            }
        }
    }

    async fn plan(&self) -> Result<Plan, ApiError> {
        let places: HashMap<_, _> = self
            .owners
            .iter()
            .enumerate()
            .map(|(place, flagged)| ((flagged.owner.namespace.to_string(), name(flagged)), place))
            .collect();
        let mut plan = Plan::default();
        let (path, labels) = (self.path("", ""), format!("{}={}", LABEL.0, LABEL.1));
        let reports = List {
            labels: &labels,
            ..List::of(&path)
        };
        let take = |step: Step<'_>| {
            match step {
                Step::Restart => plan = Plan::default(),
                // Undock writes none of that size, and what it cannot read it leaves alone.
                Step::TooLarge(_) => {}
                Step::Item(item) => {
                    if let Ok(report) = serde_json::from_str(item.get()) {
                        self.place(&mut plan, &places, &report);
                    }
                }
            }
            ControlFlow::Continue(())
        };
        list(self.client, &reports, take).await?;
        Ok(plan)
    }

    /// Notes `report` in the plan.
    fn place(&self, plan: &mut Plan, places: &HashMap<(String, String), usize>, report: &Value) {
        let text = |field: &str| {
            report["metadata"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let key = (text("namespace"), text("name"));
        match places.get(&key) {
            Some(place) => {
                let since = since(report);
                let is_right = contains(report, &self.report(self.owners[*place], &since));
                let standard = Standard {
                    resource_version: text("resourceVersion"),
                    since,
                    is_right,
                };
                plan.standing.insert(*place, standard);
            }
            None if key.1.starts_with(PREFIX) => {
                let is_kept = series::is_kept(report, &key.1, self.seen, self.now);
                plan.surplus.extend((!is_kept).then_some(key));
            }
            None => {}
        }
    }

    fn path(&self, namespace: &str, name: &str) -> String {
        let Flavour { group, version, .. } = self.flavour;
        resource(group, version, namespace, self.plural, name)
    }

    /// The report about `flagged`. The same scan gives the same report; `since` is when its
    /// findings were reported first.
    fn report(&self, flagged: &OwnerFindings<'_>, since: &HashMap<String, i64>) -> Value {
        let owner = flagged.owner;
        let count = |standing| {
            flagged
                .findings
                .iter()
                .filter(|found| flagged.standing(found) == standing)
                .count()
        };
        let results = flagged.findings.iter().take(MAX_RESULTS).map(|found| {
            let judged = &found.judged;
            let seconds = since.get(&judged.fingerprint).copied().unwrap_or(self.now);
            json!({
                "source": "undock", "policy": "docker-dependencies",
                "rule": judged.finding.rule.code,
                "category": "Container runtime migration",
                "severity": severity(judged.finding.impact), "scored": true,
                "result": result(flagged.standing(found)), "message": flagged.sentence(found),
                "timestamp": {"seconds": seconds, "nanos": 0},
                "properties": properties(flagged, found),
            })
        });
        let mut scope = json!({"apiVersion": &*owner.api_version, "kind": &*owner.kind,
            "name": &*owner.name, "uid": &*owner.uid});
        let mut metadata = json!({"name": name(flagged), "labels": {LABEL.0: LABEL.1}});
        if owner.is_series {
            series::mark(&mut metadata, flagged, self.now);
        } else {
            metadata["ownerReferences"] = json!([scope]);
        }
        if !owner.namespace.is_empty() {
            scope["namespace"] = (*owner.namespace).into();
            metadata["namespace"] = (*owner.namespace).into();
        }
        let Flavour {
            group,
            version,
            has_source,
            ..
        } = self.flavour;
        let mut report = json!({
            "apiVersion": format!("{group}/{version}"), "kind": self.kind, "metadata": metadata,
            "scope": scope,
            "results": results.collect::<Vec<_>>(),
            "summary": {"pass": 0, "fail": count(Standing::Blocked),
            "warn": count(Standing::Open), "error": 0, "skip": count(Standing::Exempt)},
        });
        if *has_source {
            report["source"] = "undock".into();
        }
        report
    }
}

fn name(flagged: &OwnerFindings<'_>) -> String {
    format!("{PREFIX}{}", flagged.owner.uid)
}

fn severity(impact: Impact) -> &'static str {
    match impact {
        Impact::Breaks => "high",
        Impact::Security | Impact::Degrades => "medium",
        Impact::Advisory => "info",
    }
}

fn result(standing: Standing) -> &'static str {
    match standing {
        Standing::Exempt => "skip",
        Standing::Open => "warn",
        Standing::Blocked => "fail",
    }
}

fn properties(
    flagged: &OwnerFindings<'_>,
    found: &crate::scan::ScannedFinding,
) -> Map<String, Value> {
    let (judged, finding, owner) = (&found.judged, &found.judged.finding, flagged.owner);
    let until = judged
        .exempt
        .as_ref()
        .map(|granted| granted.terms.until.to_string());
    let exempt = judged.exempt.as_ref().map(|granted| &granted.terms);
    fn told_by(text: &str) -> Option<&str> {
        Some(text).filter(|text| !text.is_empty())
    }
    let fix = finding.fix();
    let properties = [
        ("fingerprint", Some(judged.fingerprint.as_str())),
        ("certainty", Some(finding.certainty.as_str())),
        ("impact", Some(finding.impact.as_str())),
        ("mode", Some(flagged.mode.as_str())),
        ("field", Some(finding.field.as_str())),
        ("container", finding.container.as_deref()),
        ("object", found.object.as_deref()),
        ("fix", Some(fix.as_str())),
        ("edit", told_by(owner.edit())),
        ("team", told_by(&owner.origin.team)),
        ("managedBy", told_by(&owner.origin.managed_by)),
        ("release", told_by(&owner.origin.release)),
        ("exemptUntil", until.as_deref()),
        ("exemptReason", exempt.map(|terms| terms.reason.as_str())),
        (
            "exemptRef",
            exempt.and_then(|terms| told_by(&terms.reference)),
        ),
    ];
    properties
        .into_iter()
        .filter_map(|(name, text)| {
            Some((
                name.to_owned(),
                clip(&escape_controls(text?), MAX_TEXT).into(),
            ))
        })
        .collect()
}

/// When the results of a report were reported first, by fingerprint.
fn since(report: &Value) -> HashMap<String, i64> {
    let results = report["results"].as_array().into_iter().flatten();
    results
        .filter_map(|result| {
            Some((
                result["properties"]["fingerprint"].as_str()?.to_owned(),
                result["timestamp"]["seconds"].as_i64()?,
            ))
        })
        .collect()
}

/// True if `report` says all that `wanted` says. What the API server and others add to an object is
/// theirs; lists must be equal.
fn contains(report: &Value, wanted: &Value) -> bool {
    match (report, wanted) {
        (Value::Object(report), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            report
                .get(key)
                .is_some_and(|report| contains(report, wanted))
        }),
        (Value::Array(report), Value::Array(wanted)) => {
            report.len() == wanted.len()
                && report
                    .iter()
                    .zip(wanted)
                    .all(|(report, wanted)| contains(report, wanted))
        }
        _ => report == wanted,
    }
}

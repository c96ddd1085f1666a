//! Metrics of the controller. Only the replica that leads shows figures of the cluster; the others
//! show zero or nothing.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::{Label, add, add_process};
use crate::decision::Outcome;
use crate::scan::Scanned;

/// What the controller tells about itself and the cluster.
#[derive(Debug)]
pub struct ControllerMetrics {
    /// 1 on the replica that leads.
    pub leads: Gauge,
    last: Gauge,
    duration: Gauge<f64, AtomicU64>,
    owners: Family<Label, Gauge>,
    findings: Family<RuleLabels, Gauge>,
    nodes: Family<Label, Gauge>,
    errors: Family<Label, Counter>,
    writes: Family<WriteLabels, Counter>,
    /// Interruptions of the watches.
    pub watch_errors: Counter,
    /// Reloads of the configuration that failed; the old one is kept.
    pub configuration_errors: Counter,
    registry: Registry,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabels {
    rule: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    object: &'static str,
    outcome: &'static str,
}

impl Default for ControllerMetrics {
    /// All at zero.
    fn default() -> Self {
        let mut registry = Registry::with_prefix("undock");
        let all = &mut registry;
        let (watch_errors, configuration_errors) = add_process(all);
        let leads = "1 on the replica that scans the cluster";
        let leads = add(all, "controller_leads", leads);
        let last = "Begin of the last scan, since 1970";
        let last = add(all, "last_scan_timestamp_seconds", last);
        let duration = Gauge::default();
        all.register_with_unit(
            "scan_duration",
            "Time that the last scan took",
            Unit::Seconds,
            duration.clone(),
        );
        let owners = "Owners of the last scan, by what enforce mode would do";
        let owners = add(all, "owners", owners);
        let findings = add(all, "open_findings", "Findings of the last scan, by rule");
        let nodes = add(all, "nodes", "Nodes of the last scan, by runtime");
        let errors = "Parts and objects that a scan could not read";
        let errors = add(all, "scan_errors", errors);
        let writes = "What the controller wrote, and what became of it";
        let writes = add(all, "controller_writes", writes);
        Self {
            leads,
            last,
            duration,
            owners,
            findings,
            nodes,
            errors,
            writes,
            watch_errors,
            configuration_errors,
            registry,
        }
    }
}

impl ControllerMetrics {
    /// The metrics in OpenMetrics text.
    pub fn encode(&self) -> String {
        super::encode(&self.registry)
    }

    /// Takes the figures of a scan that began at `time`.
    pub fn take(&self, scanned: &Scanned, time: Timestamp, duration: Duration) {
        self.last.set(time.as_second());
        self.duration.set(duration.as_secs_f64());
        for outcome in [
            Outcome::Clean,
            Outcome::Record,
            Outcome::Exempt,
            Outcome::Warn,
            Outcome::Deny,
        ] {
            self.owners
                .get_or_create(&[("decision", outcome.as_str())])
                .set(count(scanned.count(outcome)));
        }
        let mut findings: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for found in scanned.owners.iter().flat_map(|owner| &owner.findings) {
            let status = if found.judged.exempt.is_some() {
                "exempt"
            } else {
                "open"
            };
            *findings
                .entry((found.judged.finding.rule.code, status))
                .or_default() += 1;
        }
        self.findings.clear();
        for ((rule, status), number) in findings {
            self.findings
                .get_or_create(&RuleLabels { rule, status })
                .set(count(number));
        }
        self.nodes.clear();
        for group in &scanned.nodes {
            let family = group
                .runtime
                .split_once("://")
                .map_or("", |(family, _)| family);
            let runtime = ["docker", "containerd", "cri-o"]
                .into_iter()
                .find(|known| *known == family)
                .unwrap_or("other");
            self.nodes
                .get_or_create(&[("runtime", runtime)])
                .inc_by(count(group.names.len()));
        }
    }

    /// This replica does not lead any more.
    pub fn forget(&self) {
        self.leads.set(0);
        self.last.set(0);
        self.duration.set(0.0);
        self.owners.clear();
        self.findings.clear();
        self.nodes.clear();
    }

    /// Counts something that could not be read.
    pub fn count_error(&self, reason: &'static str) {
        self.errors.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts a write of `object` (`lease`, `report`, `event`, `configmap`).
    pub fn count_write(&self, object: &'static str, outcome: &'static str) {
        self.writes
            .get_or_create(&WriteLabels { object, outcome })
            .inc();
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

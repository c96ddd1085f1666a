//! Every metric, with closed label sets: no user, owner, image or path is ever a label.

mod controller;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::admission::Reviewed;
use crate::record::queue::Counts;

pub use controller::ControllerMetrics;

/// A label alone, with its name.
type Label<V = &'static str> = [(&'static str, V); 1];

/// All metrics of the server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reviews: Family<ReviewLabels, Counter>,
    findings: Family<FindingLabels, Counter>,
    would_deny: Counter,
    duration: Family<Label, Histogram, fn() -> Histogram>,
    errors: Family<Label, Counter>,
    /// Requests that were no reviews, by HTTP status.
    refused: Family<Label<u16>, Counter>,
    /// Open TLS connections.
    pub connections: Gauge,
    /// Connections that were closed to make room for new ones.
    pub evicted_connections: Counter,
    /// Handshakes that failed or took too long.
    pub handshake_failures: Counter,
    /// Interruptions of the watches.
    pub watch_errors: Counter,
    /// Reloads of the configuration that failed; the old one is kept.
    pub configuration_errors: Counter,
    /// Certificate reloads that failed; the old certificate is kept.
    pub certificate_errors: Counter,
    /// When the serving certificate ends, in seconds since 1970.
    pub certificate_expiry: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    operation: &'static str,
    resource: &'static str,
    mode: &'static str,
    decision: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    rule: &'static str,
    impact: &'static str,
    mode: &'static str,
    action: &'static str,
}

/// From 50 microseconds: an evaluation takes tens of them.
const BUCKETS: [f64; 12] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0,
];

impl Metrics {
    /// All metrics at zero; `records` are the counters of the record queue.
    pub fn new(records: &Counts) -> Self {
        let mut registry = Registry::with_prefix("undock");
        let all = &mut registry;
        let reviews = add(all, "reviews", "Answered reviews");
        let findings = add(all, "findings", "Findings of answered reviews");
        let would_deny = "Reviews that enforce mode would have refused";
        let would_deny = add(all, "would_deny", would_deny);
        let duration: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        all.register_with_unit(
            "review_duration",
            "Time from the whole body to the answer",
            Unit::Seconds,
            duration.clone(),
        );
        let errors = "Reviews whose object could not be evaluated";
        let errors = add(all, "review_errors", errors);
        let refused = add(all, "refused_requests", "Requests that were no reviews");
        let connections = add(all, "connections", "Open TLS connections");
        let evicted = "TLS connections that were closed to make room for new ones";
        let evicted_connections = add(all, "evicted_connections", evicted);
        let handshakes = "TLS handshakes that failed or took too long";
        let handshake_failures = add(all, "tls_handshake_failures", handshakes);
        let certificate_errors = "Certificate reloads that failed";
        let certificate_errors = add(all, "certificate_errors", certificate_errors);
        let expiry = "End of the serving certificate, since 1970";
        let certificate_expiry = add(all, "certificate_expiry_timestamp", expiry);
        let by_outcome = records.by_outcome.clone();
        all.register("report_records", "Records of flagged reviews", by_outcome);
        let (watch_errors, configuration_errors) = add_process(all);
        Self {
            reviews,
            findings,
            would_deny,
            duration,
            errors,
            refused,
            connections,
            evicted_connections,
            handshake_failures,
            watch_errors,
            configuration_errors,
            certificate_errors,
            certificate_expiry,
            registry,
        }
    }

    /// Counts an answered review.
    pub fn count(&self, reviewed: &Reviewed, duration: std::time::Duration) {
        let decision = &reviewed.decision;
        let mode = decision.mode.as_str();
        let labels = ReviewLabels {
            operation: reviewed.operation,
            resource: reviewed.resource,
            mode,
            decision: decision.outcome.as_str(),
        };
        self.reviews.get_or_create(&labels).inc();
        self.duration
            .get_or_create(&[("resource", reviewed.resource)])
            .observe(duration.as_secs_f64());
        for judged in &decision.findings {
            let finding = &judged.finding;
            let labels = FindingLabels {
                rule: finding.rule.code,
                impact: finding.impact.as_str(),
                mode,
                action: judged.action.as_str(),
            };
            self.findings.get_or_create(&labels).inc();
        }
        if decision.would_deny() {
            self.would_deny.inc();
        }
        if let Some(failure) = reviewed.failure {
            self.errors
                .get_or_create(&[("reason", failure.as_str())])
                .inc();
        }
    }

    /// Counts a request that was no review.
    pub fn refuse(&self, status: u16) {
        self.refused.get_or_create(&[("status", status)]).inc();
    }

    /// The metrics in OpenMetrics text.
    pub fn encode(&self) -> String {
        encode(&self.registry)
    }
}

/// A new metric of this name.
fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// What every process tells about itself: interruptions of watches, failed reloads, its version.
fn add_process(registry: &mut Registry) -> (Counter, Counter) {
    let watch_errors = add(registry, "watch_errors", "Interruptions of the watches");
    let configuration_errors = "Configuration reloads that failed";
    let configuration_errors = add(registry, "configuration_errors", configuration_errors);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "Version of undock", version);
    (watch_errors, configuration_errors)
}

fn encode(registry: &Registry) -> String {
    let mut out = String::new();
    text::encode(&mut out, registry).expect("writing to a string cannot fail");
    out
}

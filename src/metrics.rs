//! Every metric, with closed label sets: no user, owner, image or path is ever a label.

mod controller;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::admission::Reviewed;
use crate::record::queue::Counts;

pub use controller::ControllerMetrics;

/// All metrics of the server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reviews: Family<ReviewLabels, Counter>,
    findings: Family<FindingLabels, Counter>,
    would_deny: Counter,
    duration: Family<ResourceLabels, Histogram, fn() -> Histogram>,
    errors: Family<ReasonLabels, Counter>,
    /// Requests that were no reviews, by HTTP status.
    refused: Family<StatusLabels, Counter>,
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResourceLabels {
    resource: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: u16,
}

/// From 50 microseconds: an evaluation takes tens of them.
const BUCKETS: [f64; 12] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0,
];

impl Metrics {
    /// All metrics at zero; `records` are the counters of the record queue.
    pub fn new(records: &Counts) -> Self {
        let mut registry = Registry::with_prefix("undock");
        let metrics = Self {
            reviews: Family::default(),
            findings: Family::default(),
            would_deny: Counter::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            errors: Family::default(),
            refused: Family::default(),
            connections: Gauge::default(),
            evicted_connections: Counter::default(),
            handshake_failures: Counter::default(),
            watch_errors: Counter::default(),
            configuration_errors: Counter::default(),
            certificate_errors: Counter::default(),
            certificate_expiry: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("reviews", "Answered reviews", metrics.reviews.clone());
        registry.register(
            "findings",
            "Findings of answered reviews",
            metrics.findings.clone(),
        );
        registry.register(
            "would_deny",
            "Reviews that enforce mode would have refused",
            metrics.would_deny.clone(),
        );
        registry.register_with_unit(
            "review_duration",
            "Time from the whole body to the answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register(
            "review_errors",
            "Reviews whose object could not be evaluated",
            metrics.errors.clone(),
        );
        registry.register(
            "refused_requests",
            "Requests that were no reviews",
            metrics.refused.clone(),
        );
        registry.register(
            "connections",
            "Open TLS connections",
            metrics.connections.clone(),
        );
        registry.register(
            "evicted_connections",
            "TLS connections that were closed to make room for new ones",
            metrics.evicted_connections.clone(),
        );
        registry.register(
            "tls_handshake_failures",
            "TLS handshakes that failed or took too long",
            metrics.handshake_failures.clone(),
        );
        registry.register(
            "certificate_errors",
            "Certificate reloads that failed",
            metrics.certificate_errors.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp",
            "End of the serving certificate, since 1970",
            metrics.certificate_expiry.clone(),
        );
        registry.register(
            "report_records",
            "Records of flagged reviews",
            records.by_outcome.clone(),
        );
        register_process(
            &mut registry,
            &metrics.watch_errors,
            &metrics.configuration_errors,
        );
        Self {
            registry,
            ..metrics
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
            .get_or_create(&ResourceLabels {
                resource: reviewed.resource,
            })
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
                .get_or_create(&ReasonLabels {
                    reason: failure.as_str(),
                })
                .inc();
        }
    }

    /// Counts a request that was no review.
    pub fn refuse(&self, status: u16) {
        self.refused.get_or_create(&StatusLabels { status }).inc();
    }

    /// The metrics in OpenMetrics text.
    pub fn encode(&self) -> String {
        encode(&self.registry)
    }
}

/// What every process tells about itself.
fn register_process(
    registry: &mut Registry,
    watch_errors: &Counter,
    configuration_errors: &Counter,
) {
    registry.register(
        "watch_errors",
        "Interruptions of the watches",
        watch_errors.clone(),
    );
    registry.register(
        "configuration_errors",
        "Configuration reloads that failed",
        configuration_errors.clone(),
    );
    registry.register(
        "build",
        "Version of undock",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
}

fn encode(registry: &Registry) -> String {
    let mut out = String::new();
    text::encode(&mut out, registry).expect("writing to a string cannot fail");
    out
}

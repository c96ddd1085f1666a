//! DKR702 docker-metric-names: rules and dashboards that rely on metrics as Docker gave them.

use super::objects;
use crate::finding::{Certainty, Check, Finding, Impact, Rule};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;
use crate::workload::mentions::mentions;

pub(super) static RULE: Rule = Rule {
    code: "DKR702",
    name: "docker-metric-names",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "rules or dashboards query metrics that change or vanish without Docker",
    reason: "the series differ on {nodes}",
    consequence: "the query returns nothing, so alerts stay silent and panels empty",
    short_fix: "query by container and pod",
    page: include_str!("../../docs/rules/docker-metric-names.md"),
    host_path: None,
    target: None,
    check: Check::Text(&["ConfigMap", "PrometheusRule"], check),
};

fn check(workload: &Workload<'_>, leaf: &Leaf) -> Option<Finding> {
    let series = docker_series(&leaf.text)?;
    let finding = objects::finding(&RULE, workload, leaf)
        .what(format!("queries {series}"))
        .evidence(series)
        .within(&leaf.text);
    Some(finding)
}

/// Series that do not survive; the list of file system series is that of the page's references.
const SERIES: [&str; 11] = [
    "kubelet_docker_",
    "engine_daemon_",
    "container_fs_inodes_free",
    "container_fs_inodes_total",
    "container_fs_io_current",
    "container_fs_io_time_seconds_total",
    "container_fs_io_time_weighted_seconds_total",
    "container_fs_limit_bytes",
    "container_fs_read_seconds_total",
    "container_fs_reads_merged_total",
    "container_fs_usage_bytes",
];

fn docker_series(text: &str) -> Option<&'static str> {
    // In a dashboard's JSON the quotes are escaped once more.
    let by_name = [
        "name=~\"k8s_",
        "name=~\"^k8s_",
        "name=~\\\"k8s_",
        "name=~\\\"^k8s_",
    ];
    if by_name.iter().any(|selector| mentions(text, selector)) {
        return Some("name=~k8s_");
    }
    SERIES.into_iter().find(|series| mentions(text, series))
}

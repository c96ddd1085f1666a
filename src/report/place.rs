//! Places and days in the outputs.

use super::model::{Exemption, Report};

/// A namespace, with its cluster where there are several.
pub(super) fn place(report: &Report, cluster: &str, namespace: &str) -> String {
    let name = if namespace.is_empty() {
        "(cluster)"
    } else {
        namespace
    };
    of_cluster(report, cluster, name)
}

/// `name`, behind its cluster where there are several.
pub(super) fn of_cluster(report: &Report, cluster: &str, name: &str) -> String {
    match (report.clusters.len(), cluster) {
        (0 | 1, _) => name.to_owned(),
        (_, "") => format!("-/{name}"),
        _ => format!("{cluster}/{name}"),
    }
}

/// Where an exemption is written, with its cluster where there are several.
pub(super) fn exemption_place(report: &Report, exemption: &Exemption) -> String {
    match report.clusters.len() {
        0 | 1 => exemption.place(),
        _ => format!("{}: {}", exemption.cluster, exemption.place()),
    }
}

/// The day of a moment.
pub(super) fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

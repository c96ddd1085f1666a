//! Places in the outputs: namespaces with their cluster.

use super::model::Report;

/// A namespace, with its cluster where there are several.
pub(super) fn place(report: &Report, cluster: &str, namespace: &str) -> String {
    let name = if namespace.is_empty() {
        "(cluster)"
    } else {
        namespace
    };
    match (report.clusters.len(), cluster) {
        (0 | 1, _) => name.to_owned(),
        (_, "") => format!("-/{name}"),
        _ => format!("{cluster}/{name}"),
    }
}

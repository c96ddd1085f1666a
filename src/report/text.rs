//! Words of verdicts and outputs: counts with the right plural, places with their cluster.

use super::model::Report;

/// `1 scan`, `2 scans`
pub(super) fn count(number: u64, noun: &str) -> String {
    let (word, rest) = noun.split_once(' ').unwrap_or((noun, ""));
    let plural = if number == 1 { "" } else { "s" };
    // The first word is the one that is counted: `writes of a reviewed kind`; of `open finding`, the last.
    match rest.split_once(' ') {
        Some(_) => format!("{number} {word}{plural} {rest}"),
        None => format!("{number} {noun}{plural}"),
    }
}

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

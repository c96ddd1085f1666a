//! Helm charts that were not rendered: the command that does it.

use crate::finding::text::shell_word;

/// The command that renders and checks the chart in the folder `chart`, as a shell reads it.
pub(super) fn render_command(chart: &str) -> String {
    format!("helm template {} | undock check -", shell_word(chart))
}

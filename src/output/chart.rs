//! Helm charts that were not rendered: the command that does it.

/// The command that renders and checks the chart in the folder `chart`, as a shell reads it.
pub(super) fn render_command(chart: &str) -> String {
    format!("helm template {} | undock check -", quoted(chart))
}

fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) && !path.starts_with('-') {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

//! Files that are no Kubernetes objects and whose queries rules read: rule files of Prometheus and Loki, dashboards.

use super::tree::{NodeId, Tree};

/// Kind and name of the file whose root is `node`, for the outputs of a check; `None` for any other.
pub(super) fn kind_of(tree: &Tree<'_>, node: NodeId) -> Option<(&'static str, String)> {
    let list = |node: NodeId, key: &str| tree.get(node, key).filter(|list| tree.is_list(*list));
    let text = |node: NodeId, key: &str| {
        let text = tree.get(node, key).and_then(|value| tree.text(value));
        text.unwrap_or_default().to_owned()
    };
    if let Some(group) = list(node, "groups").and_then(|groups| first(tree, groups)) {
        list(group, "rules")?;
        return Some(("RuleFile", text(group, "name")));
    }
    // Grafana's API wraps a dashboard.
    let node = tree.get(node, "dashboard").unwrap_or(node);
    let has_panels = list(node, "panels").or(list(node, "rows")).is_some();
    let is_grafana = has_panels && tree.get(node, "title").is_some();
    let is_datadog = list(node, "widgets").is_some() && tree.get(node, "layout_type").is_some();
    (is_grafana || is_datadog).then(|| ("Dashboard", text(node, "title")))
}

fn first(tree: &Tree<'_>, list: NodeId) -> Option<NodeId> {
    tree.elements(list).into_iter().next()
}

/// False for a text that can be no such file.
pub(crate) fn may_be_file(text: &str) -> bool {
    let has = |name: &str| text.contains(name);
    has("groups") && has("rules") || has("\"panels\"") || has("\"rows\"") || has("\"widgets\"")
}

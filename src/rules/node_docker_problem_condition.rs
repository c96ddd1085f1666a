//! NOD905 node-docker-problem-condition: a node condition about Docker.

use super::nodes;
use crate::analysis::Workload;
use crate::finding::{Certainty, Check, Finding, Impact, Rule};
use crate::workload::search::mentions;
use crate::workload::string_fields::StringField;

pub(super) static RULE: Rule = Rule {
    code: "NOD905",
    name: "node-docker-problem-condition",
    since: "0.1.0",
    certainty: Certainty::Certain,
    impact: Impact::Advisory,
    needs_docker_absent: false,
    summary: "a node condition or reason names Docker",
    reason: "node-problem-detector watches Docker",
    consequence: "on a node without Docker it is always quiet or always wrong",
    short_fix: "use the containerd monitors",
    page: include_str!("../../docs/rules/node-docker-problem-condition.md"),
    check: Check::Text(&["Node"], check),
    ..Rule::BASE
};

fn check(workload: &Workload<'_>, string_field: &StringField) -> Option<Finding> {
    let is_name = string_field.path.starts_with("status.conditions[")
        && (string_field.path.ends_with(".type") || string_field.path.ends_with(".reason"));
    (is_name && mentions(&string_field.text, "Docker")).then(|| {
        nodes::finding(&RULE, workload, &string_field.path, &string_field.text)
            .what(format!("has {}", string_field.text))
    })
}

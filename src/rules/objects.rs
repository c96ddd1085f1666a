//! What the rules about objects without a pod spec share: configuration, installers' objects.

use crate::analysis::Workload;
use crate::finding::{Finding, Rule};
use crate::workload::string_fields::StringField;

/// The finding of `rule` at `string_field` of the object.
pub(super) fn finding(
    rule: &'static Rule,
    workload: &Workload<'_>,
    string_field: &StringField,
) -> Finding {
    // A file of kubeadm has no name.
    let name = if workload.name.is_empty() {
        workload.kind()
    } else {
        workload.name
    };
    Finding::new(rule)
        .on("object", name)
        .field(string_field.path.as_str())
}

/// The lines of `text`, trimmed, with the byte at which each begins; comments are left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let start = next + line.len() - line.trim_start().len();
        next += line.len();
        (start, line.trim())
    });
    lines.filter(|(_, line)| !line.starts_with('#'))
}

//! Docker's log directory in texts whose language is not read here: rsyslog, syslog-ng and the
//! like.

use crate::analysis::scripts::code_lines;
use crate::workload::search::mentions;
use crate::workload::string_fields::StringField;

/// The directory, below any data root.
pub(crate) const DIRECTORY: &str = "/docker/containers/";

/// How rsyslog and syslog-ng name the files that they read.
const STATEMENTS: [&str; 5] = [
    "$InputFileName ",
    "File=\"",
    "base-dir(",
    "wildcard-file(",
    "file(\"",
];

/// Where a text names the directory.
pub(crate) struct NamedDirectory {
    /// The byte at which the line begins.
    pub(crate) line: usize,
    /// A statement of rsyslog or syslog-ng reads it, and nothing reads kubelet's.
    pub(crate) is_read_alone: bool,
}

/// The first place where `string_field` names the directory. In a text of another language only a
/// statement counts.
pub(crate) fn named_directory(string_field: &StringField) -> Option<NamedDirectory> {
    let text = &string_field.text;
    let (start, line) =
        code_lines(text).find(|(_, line)| !line.starts_with(';') && mentions(line, DIRECTORY))?;
    let front = &line[..line.find(DIRECTORY)?];
    let is_statement = STATEMENTS.iter().any(|statement| front.contains(statement));
    let reads_pods = text.contains("/log/pods") || text.contains("/log/containers");
    // The rotation of its files, `/…/*.log { … }`, has the form of a block.
    let is_rotation = front.starts_with('/') && line.ends_with('{');
    (is_statement || is_rotation || string_field.document().is_none()).then_some(NamedDirectory {
        line: start,
        is_read_alone: is_statement && !reads_pods,
    })
}

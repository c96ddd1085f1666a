//! Which language a text is in: by the name under which it stands, by its first line, by what its
//! lines look like.

use super::{Language, sections};

/// Settings whose text is a query or a message: braces and colons in it are no document's.
const QUERIES: [&str; 6] = [
    "description",
    "expr",
    "expression",
    "message",
    "query",
    "summary",
];

/// Endings of the names of texts for people.
const PROSE: [&str; 6] = [".adoc", ".htm", ".html", ".markdown", ".md", ".rst"];

/// True for the name of a text for people: what it shows is no setting.
pub(crate) fn is_prose(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PROSE.iter().any(|ending| name.ends_with(ending)) || name == "notes.txt" || name == "readme"
}

/// True for the name of a text that holds no settings.
pub(super) fn is_other_text(name: &str) -> bool {
    QUERIES.contains(&name) || is_prose(name)
}

/// The languages that `text` can be, the likeliest first.
pub(super) fn candidates(name: &str, text: &str) -> Vec<Language> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    match extension {
        Some("json") => return vec![Language::Json],
        Some("toml") => return vec![Language::Toml],
        Some("yaml" | "yml") => return vec![Language::Yaml],
        Some("env" | "ini" | "service" | "socket" | "timer") => return vec![Language::Sections],
        Some("alloy" | "river" | "hcl") => return vec![Language::Blocks],
        _ => {}
    }
    let line = |wanted: fn(&str) -> bool| text.lines().map(str::trim).any(wanted);
    let first = text.trim_start();
    if first.starts_with('{') || first.starts_with("[{") {
        return vec![Language::Json, Language::Yaml];
    }
    let mut found = Vec::new();
    // What follows can be inside of its strings.
    if begins_as_yaml(text) {
        found.push(Language::Yaml);
    }
    if line(|line| line.starts_with('<') && line.ends_with('>')) {
        found.push(Language::Tags);
    }
    if line(|line| line.starts_with('[') && line.ends_with(']')) {
        // TOML is strict: what it does not take is looser sections.
        found.extend([Language::Toml, Language::Sections]);
    }
    if line(|line| line.ends_with('{') || line.contains(" => ")) {
        found.push(Language::Blocks);
    }
    found.extend([Language::Yaml, Language::Toml]);
    // One line is a value.
    if text.trim().contains('\n') && sections::is_body(text) {
        found.push(Language::Sections);
    }
    found
}

/// True if the first line of `text` is one of YAML: `---`, an element of a list, a key.
fn begins_as_yaml(text: &str) -> bool {
    let Some((_, first)) = sections::lines(text).next() else {
        return false;
    };
    let is_key = |key: &str| !key.is_empty() && !key.contains([' ', '=', '{', '(', '<', '[']);
    let key = first
        .strip_suffix(':')
        .or_else(|| first.split_once(": ").map(|(key, _)| key));
    first == "---" || first.starts_with("- ") || key.is_some_and(is_key)
}

//! The page of a rule, `docs/rules/<name>.md`: the parts of it that outputs show.
//!
//! People edit the page; its form is fixed by `tests/it/catalogue.rs`. An output shows the first
//! paragraph of a section, in one line. What follows there is for readers of the page alone.

use super::Rule;

impl Rule {
    /// Why it breaks, in one paragraph.
    pub fn why(&self) -> String {
        first_paragraph(self.section("Why it breaks"))
    }

    /// What to do, in one paragraph.
    pub fn fix(&self) -> String {
        first_paragraph(self.section("How to fix it"))
    }

    /// YAML that the rule flags.
    pub fn before(&self) -> &'static str {
        self.example("Before:")
    }

    /// The same object after the fix.
    pub fn after(&self) -> &'static str {
        self.example("After:")
    }

    /// What looks similar and is not flagged, in one paragraph.
    pub fn not_flagged(&self) -> String {
        first_paragraph(self.section("What is not flagged"))
    }

    /// Where the facts come from: addresses, or `owner/repository: path`.
    pub fn references(&self) -> impl Iterator<Item = &'static str> {
        self.section("References")
            .lines()
            .filter_map(|line| line.strip_prefix("- "))
    }

    /// The text below the heading `## {heading}`; empty if the page has none.
    fn section(&self, heading: &str) -> &'static str {
        let sections = self.page.split("\n## ").skip(1);
        sections
            .filter_map(|section| section.split_once('\n'))
            .find(|(title, _)| *title == heading)
            .map_or("", |(_, text)| text.trim())
    }

    /// The YAML block below the line `label`; empty if the page has none.
    fn example(&self, label: &str) -> &'static str {
        let start = format!("{label}\n\n```yaml\n");
        let block = self
            .section("How to fix it")
            .split_once(&start)
            .and_then(|(_, rest)| rest.split_once("```"));
        block.map_or("", |(yaml, _)| yaml)
    }
}

/// The first paragraph of `section`, its lines joined.
fn first_paragraph(section: &str) -> String {
    let lines: Vec<&str> = section
        .lines()
        .take_while(|line| !line.is_empty())
        .collect();
    lines.join(" ")
}

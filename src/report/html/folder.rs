//! `-o html=DIR/`: an index, and a page for each team with its findings and their namespaces.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use super::{Kind, write_page};
use crate::finding::short_digest;
use crate::report::model::{Finding, Report};
use crate::report::selection::of_findings;

/// Bytes of a team in the name of a file; file systems allow 255 in all.
const MAX_NAME: usize = 120;

/// Writes `index.html` and the pages of the teams into `folder`, which is made if it is not there.
///
/// # Errors
/// If a file cannot be written.
pub fn write_folder(folder: &Path, report: &Report) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    page(&folder.join("index.html"), report, &Kind::Index)?;
    let mut teams: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    for finding in &report.findings {
        teams
            .entry(&finding.team)
            .or_default()
            .push(finding.clone());
    }
    let has_teams = teams.keys().any(|team| !team.is_empty());
    for (team, findings) in teams.into_iter().filter(|_| has_teams) {
        let own = of_findings(report, findings);
        page(&folder.join(file_name(team)), &own, &Kind::Team(team))?;
    }
    Ok(())
}

fn page(path: &Path, report: &Report, kind: &Kind<'_>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write_page(&mut out, report, kind)?;
    out.flush()
}

/// The file of a team: nothing in its name means anything to a file system, and no two are the
/// same, not even where upper and lower case are.
pub(super) fn file_name(team: &str) -> String {
    if team.is_empty() {
        return "no-team.html".to_owned();
    }
    let mut name = String::from("team-");
    for byte in team.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => name.push(char::from(byte)),
            _ => name.push_str(&format!("_{byte:02x}")),
        }
    }
    if name.len() > MAX_NAME {
        name.truncate(MAX_NAME);
        name.push_str(&short_digest(team));
    }
    name + ".html"
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_of_files_are_plain_and_differ() {
        let long = "x".repeat(4_000);
        for (team, expected) in [
            ("build", "team-build.html"),
            ("Build", "team-_42uild.html"),
            ("../etc", "team-_2e_2e_2fetc.html"),
            ("", "no-team.html"),
        ] {
            assert_eq!(file_name(team), expected);
        }
        assert!(file_name(&long).len() < 255);
        assert_ne!(file_name(&long), file_name(&format!("{long}y")));
    }
}

//! Helm charts among the files of a check: which files are theirs, and what `helm` makes of them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The folder of the chart to which `path` belongs: as its Chart.yaml, or as one of its templates.
/// For a chart inside another it is the outer one, with which it is rendered.
pub(super) fn of(path: &Path) -> Option<PathBuf> {
    if path.file_name() == Some(OsStr::new(CHART_FILE)) {
        return Some(outermost(parent(path)));
    }
    let templates = path
        .ancestors()
        .skip(1)
        .filter(|folder| folder.file_name() == Some(OsStr::new("templates")));
    templates
        .map(parent)
        .find(|folder| folder.join(CHART_FILE).is_file())
        .map(outermost)
}

const CHART_FILE: &str = "Chart.yaml";

/// The folder around `path`; the current one has a name, too.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn outermost(chart: &Path) -> PathBuf {
    let around = chart
        .parent()
        .filter(|folder| folder.file_name() == Some(OsStr::new("charts")))
        .and_then(Path::parent)
        .filter(|folder| folder.join(CHART_FILE).is_file());
    around.map_or_else(|| chart.to_owned(), outermost)
}

/// The field of Chart.yaml that matters here.
#[derive(Deserialize)]
struct ChartFile {
    #[serde(default)]
    r#type: String,
}

/// True for a chart that only other charts use: it holds no object.
pub(super) fn is_library(chart: &Path) -> bool {
    fs::read_to_string(chart.join(CHART_FILE))
        .ok()
        .and_then(|text| serde_saphyr::from_str::<ChartFile>(&text).ok())
        .is_some_and(|chart| chart.r#type == "library")
}

/// What `helm template` makes of `chart`, with the values of the chart itself.
///
/// # Errors
/// Where there is no helm, or it fails; what it says is part of the message.
pub(super) fn render(chart: &Path) -> Result<Vec<u8>, String> {
    // A folder whose name begins with a dash is no flag.
    let folder = Path::new(".").join(chart.strip_prefix("./").unwrap_or(chart));
    let output = Command::new("helm")
        .arg("template")
        .arg(folder)
        .output()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                "cannot render the chart: there is no helm on PATH; install it, or leave out --helm"
                    .to_owned()
            }
            _ => format!("cannot render the chart: cannot run helm: {error}"),
        })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let status = output.status;
    Err(if said.is_empty() {
        format!("cannot render the chart: helm template ended with {status}")
    } else {
        format!("cannot render the chart: helm template says: {said}")
    })
}

//! Which files a check reads: those that are named, and the manifests below the folders that are
//! named.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{Error, WalkBuilder};

use super::chart;

/// What there is to check, in the order of the arguments and then of the names.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) files: Vec<Found>,
    /// Folders of Helm charts, whose templates are no manifests before they are rendered.
    pub(super) charts: BTreeSet<PathBuf>,
    /// Files that `--exclude` leaves out.
    pub(super) excluded: usize,
    /// Folders that are named and hold nothing to check.
    pub(super) empty: Vec<PathBuf>,
}

/// A file that is there, or could not be looked at.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// False for a file that lies in a folder that is named.
    pub(super) is_named: bool,
    /// Why the file or folder cannot be read, where that is known already.
    pub(super) error: Option<String>,
}

/// Finds what `paths` name. Hidden files and folders and what `.gitignore` names are left out below
/// a folder; links are followed, and a file that is reached twice is read once.
///
/// # Errors
/// Where a pattern of `exclude` is none.
pub(super) fn find(paths: &[PathBuf], exclude: &[String]) -> Result<Files, String> {
    let excluded = patterns(exclude)?;
    let mut files = Files::default();
    for path in paths {
        let mut found = Vec::new();
        if path.is_dir() {
            walk(path, &mut found);
        } else {
            found.push(Found {
                path: path.clone(),
                is_named: true,
                error: None,
            });
        }
        let before = found.len();
        found.retain(|file| !is_excluded(&excluded, path, &file.path));
        files.excluded += before - found.len();
        if path.is_dir() && found.is_empty() {
            files.empty.push(path.clone());
        }
        for file in found {
            match chart::of(&file.path) {
                Some(chart) => {
                    files.charts.insert(chart);
                }
                None => files.files.push(file),
            }
        }
    }
    files.charts.retain(|chart| !chart::is_library(chart));
    read_once(&mut files.files);
    Ok(files)
}

fn walk(folder: &Path, found: &mut Vec<Found>) {
    // What is checked depends on the folder alone, not on the settings of the person who checks it.
    let walk = WalkBuilder::new(folder)
        .follow_links(true)
        .require_git(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .sort_by_file_name(|a, b| a.cmp(b))
        .build();
    for entry in walk {
        match entry {
            Ok(entry) => {
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                if !is_folder && is_manifest(entry.path()) {
                    found.push(Found {
                        path: entry.into_path(),
                        is_named: false,
                        error: None,
                    });
                }
            }
            Err(error) => found.extend(unreadable(&error)),
        }
    }
}

/// A folder that may not be listed, or a manifest behind a broken link. A link back to a folder
/// around it is no fault.
fn unreadable(error: &Error) -> Option<Found> {
    let path = path_of(error)?;
    let cause = error.io_error()?;
    let is_file = is_manifest(path);
    (is_file || !path.is_symlink()).then(|| Found {
        path: path.to_owned(),
        is_named: false,
        // What is wrong with a file comes out when it is read.
        error: (!is_file).then(|| cause.kind().to_string()),
    })
}

fn path_of(error: &Error) -> Option<&Path> {
    match error {
        Error::WithDepth { err, .. } | Error::WithLineNumber { err, .. } => path_of(err),
        Error::WithPath { path, .. } => Some(path),
        _ => None,
    }
}

fn patterns(exclude: &[String]) -> Result<Gitignore, String> {
    let mut builder = GitignoreBuilder::new("");
    for pattern in exclude {
        let plain = pattern.strip_prefix("./").unwrap_or(pattern);
        builder
            .add_line(None, plain)
            .map_err(|error| format!("invalid pattern {pattern:?} in --exclude: {error}"))?;
    }
    builder.build().map_err(|error| error.to_string())
}

/// Patterns count from the folder that is named, and from where the command is run.
fn is_excluded(patterns: &Gitignore, root: &Path, path: &Path) -> bool {
    let here = std::env::current_dir().unwrap_or_default();
    let inside = path.strip_prefix(root).ok();
    let given = path.strip_prefix(&here).unwrap_or(path);
    let given = given.strip_prefix("./").unwrap_or(given);
    [inside, Some(given)].into_iter().flatten().any(|path| {
        let is_below = !path.has_root() && !path.as_os_str().is_empty();
        is_below
            && patterns
                .matched_path_or_any_parents(path, false)
                .is_ignore()
    })
}

/// Leaves each file once, by its own path where a link leads to it as well.
fn read_once(files: &mut Vec<Found>) {
    let target = |file: &Found| {
        let is_file = file.error.is_none() && file.path.is_file();
        is_file.then(|| file.path.canonicalize().ok()).flatten()
    };
    let targets: Vec<_> = files.iter().map(target).collect();
    let direct: HashSet<PathBuf> = files
        .iter()
        .filter_map(|file| std::path::absolute(&file.path).ok())
        .collect();
    let mut seen = HashSet::new();
    let mut targets = targets.into_iter();
    files.retain(|file| {
        let Some(target) = targets.next().flatten() else {
            return true;
        };
        let is_direct = std::path::absolute(&file.path).is_ok_and(|path| path == target);
        (is_direct || !direct.contains(&target)) && seen.insert(target)
    });
}

fn is_manifest(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    ["yaml", "yml", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

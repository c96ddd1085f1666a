//! The files that a script writes, and may run.

use std::collections::HashMap;

use super::cron;
use super::fields::VALUE_BYTES;
use crate::workload::budget::{keep, spend};

/// What it costs to look at the name of a file.
const NAME_STEPS: usize = 8;

/// Files by their paths.
#[derive(Default)]
pub(super) struct Files(HashMap<String, File>);

/// One that a script writes.
#[derive(Default)]
pub(super) struct File {
    /// All that is known of it: what replaces it and what is added to it, line after line.
    pub(super) text: String,
    /// Something is written to it that nothing shows.
    pub(super) is_open: bool,
}

impl Files {
    /// Notes that one of `texts` is written to the file at `path`; none if nothing shows them.
    pub(super) fn write(&mut self, path: &str, texts: &[String]) {
        let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
        if path.starts_with("/dev/") || !keep(2 * VALUE_BYTES + path.len() + bytes) {
            return;
        }
        let path = path.trim_start_matches("./").to_owned();
        let file = self.0.entry(path).or_default();
        file.is_open |= texts.is_empty();
        for text in texts {
            file.text.push_str(text);
            file.text.push('\n');
        }
    }

    /// The file at `path`.
    pub(super) fn at(&self, path: &str) -> Option<&File> {
        self.0.get(path.trim_start_matches("./"))
    }

    /// The file at `path` of the node, which is written below a mount of the node's root directory.
    pub(super) fn on_host(&self, path: &str) -> Option<&File> {
        let is_there = |written: &str| path.starts_with('/') && written.ends_with(path);
        let files = self.0.iter().take_while(|_| spend(NAME_STEPS));
        let files = files.filter(|(written, _)| is_there(written));
        let first = files.min_by_key(|(written, _)| *written);
        first.map(|(_, file)| file)
    }

    /// What is written into tables of cron.
    pub(super) fn cron_tables(&self) -> Vec<String> {
        let files = self.0.iter();
        let mut tables: Vec<_> = files.filter(|(path, _)| cron::is_table(path)).collect();
        tables.sort_by_key(|(path, _)| *path);
        let tables = tables.into_iter().map(|(_, file)| file.text.clone());
        tables.take_while(|text| keep(text.len())).collect()
    }
}

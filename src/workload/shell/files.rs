//! The files that a script writes, and may run.

use super::cron;
use super::values::{NAME_STEPS, VALUE_BYTES, Values};
use crate::workload::budget::{keep, spend};

/// A file that a script writes.
#[derive(Default)]
pub(super) struct File {
    /// All that is known of it: what replaces it and what is added to it, line after line.
    pub(super) text: String,
    /// Something is written to it that nothing shows.
    pub(super) is_open: bool,
}

impl Values<'_> {
    /// Notes that the script writes one of `texts` to the file at `path`; none if nothing shows
    /// them.
    pub(super) fn write(&mut self, path: &str, texts: &[String]) {
        let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
        if path.starts_with("/dev/") || !keep(2 * VALUE_BYTES + path.len() + bytes) {
            return;
        }
        let path = path.trim_start_matches("./").to_owned();
        let file = self.files.entry(path).or_default();
        file.is_open |= texts.is_empty();
        for text in texts {
            file.text.push_str(text);
            file.text.push('\n');
        }
    }

    /// The file at `path`, if the script or one around it writes it.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        let own = self.files.get(path.trim_start_matches("./"));
        own.or_else(|| self.outer?.file(path))
    }

    /// The file at `path` of the node, if the script or one around it writes it below a mount of
    /// the node's root directory.
    pub(super) fn file_on_host(&self, path: &str) -> Option<&File> {
        let is_there = |written: &str| path.starts_with('/') && written.ends_with(path);
        let files = self.files.iter().take_while(|_| spend(NAME_STEPS));
        let own = files.filter(|(written, _)| is_there(written));
        let own = own.min_by_key(|(written, _)| *written);
        let own = own.map(|(_, file)| file);
        own.or_else(|| self.outer?.file_on_host(path))
    }

    /// What the script writes into tables of cron.
    pub(super) fn cron_tables(&self) -> Vec<String> {
        let files = self.files.iter();
        let mut tables: Vec<_> = files.filter(|(path, _)| cron::is_table(path)).collect();
        tables.sort_by_key(|(path, _)| *path);
        let tables = tables.into_iter().map(|(_, file)| file.text.clone());
        tables.take_while(|text| keep(text.len())).collect()
    }
}

//! The configuration file, checked: what is wrong with it is said with line and column, before
//! anything starts.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use crate::decision::exemption::{Exemption, Rules, Scope, Terms, TermsError};
use crate::decision::{ConfiguredExemption, Mode, Policy};
use crate::finding::{Action, Certainty, Context, Target};
use crate::rules;
use crate::workload::Overrides;
use crate::workload::host_path::HostPath;
use crate::workload::image::ImageReference;

/// The configuration file. Every field may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Mode where neither a flag nor the namespace says otherwise.
    pub mode: Option<Mode>,
    /// The runtime that the cluster moves to.
    pub target: Target,
    /// `breaks` findings of at least this certainty are denied.
    pub deny_at: Option<Certainty>,
    /// Name of the cluster in records.
    pub cluster: String,
    /// Actions by rule code or name.
    pub rules: BTreeMap<String, Action>,
    /// Additions to the built-in tables.
    pub tables: Tables,
    /// Exemptions that the platform gives.
    pub exemptions: Vec<ExemptionEntry>,
    /// What `undock check` leaves out, in patterns as in .gitignore.
    pub exclude: Vec<String>,
    /// Days from today within which every exemption must end; without it any day will do.
    pub max_exemption_days: Option<NonZeroU16>,
    /// Who may lower a mode or add an exemption.
    pub weakening: Weakening,
}

/// Who may lower a mode or add an exemption.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Weakening {
    /// Groups of the API server; none for everybody that may write the Namespace.
    pub groups: Vec<String>,
}

/// An exemption and whom it is for. Lists are patterns with `*`; a list that is left out is for
/// everybody.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExemptionEntry {
    /// Rules by code or name, or `all`.
    pub rules: Vec<String>,
    /// Namespaces.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Owners as `KIND/NAME`.
    #[serde(default)]
    pub owners: Vec<String>,
    /// User names.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Images.
    #[serde(default)]
    pub images: Vec<String>,
    /// Last day, YYYY-MM-DD.
    pub until: String,
    /// Why.
    pub reason: String,
    /// Ticket or page.
    #[serde(default)]
    pub r#ref: String,
}

/// Additions to the built-in tables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Tables {
    /// Image prefixes behind which Docker Hub's paths follow, such as `registry.corp/hub/`.
    pub mirrors: Vec<String>,
    /// Host paths of further Docker sockets.
    pub sockets: Vec<String>,
    /// Repositories of further Docker client images, without a tag.
    pub cli_images: Vec<String>,
    /// Data directories of the nodes' Docker besides `/var/lib/docker`.
    pub data_roots: Vec<String>,
}

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Read {
        /// Path as given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no YAML, or has a key or value that does not exist.
    #[error("{path}:{line}:{column}: {message}")]
    Syntax {
        /// Path as given.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong, with the values that are possible.
        message: String,
    },
    /// An exemption is not complete.
    #[error("{path}: exemptions[{index}]: {reason}")]
    Exemption {
        /// Path as given.
        path: PathBuf,
        /// Place in the list, from 0.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// `rules` names a rule that does not exist.
    #[error("{path}: rules: there is no rule {rule}; `undock explain` lists them")]
    UnknownRule {
        /// Path as given.
        path: PathBuf,
        /// As written.
        rule: String,
    },
}

impl Config {
    /// Reads and checks the file at `path`. An empty file is the default configuration.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Checks `text`, the content of `path`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Option<Self> =
            serde_saphyr::from_str(text).map_err(|error| syntax_error(&error, path))?;
        let mut config = config.unwrap_or_default();
        let written = std::mem::take(&mut config.rules);
        for (name, action) in written {
            let rule = rules::find(&name).ok_or_else(|| ConfigError::UnknownRule {
                path: path.to_owned(),
                rule: name,
            })?;
            config.rules.insert(rule.code.to_owned(), action);
        }
        for (index, entry) in config.exemptions.iter().enumerate() {
            let problem = |reason: String| ConfigError::Exemption {
                path: path.to_owned(),
                index,
                reason,
            };
            entry.terms().map_err(|error| problem(error.to_string()))?;
            if entry.rules.is_empty() {
                return Err(problem("rules is empty; name rules, or all".to_owned()));
            }
            let unknown = entry
                .rules
                .iter()
                .find(|name| !name.eq_ignore_ascii_case("all") && rules::find(name).is_none());
            if let Some(rule) = unknown {
                return Err(ConfigError::UnknownRule {
                    path: path.to_owned(),
                    rule: rule.clone(),
                });
            }
        }
        Ok(config)
    }

    /// The policy; `mode` from the command line overrides the file's.
    pub fn policy(&self, mode: Option<Mode>) -> Policy {
        let defaults = Policy::default();
        Policy {
            mode: mode.or(self.mode).unwrap_or(defaults.mode),
            context: Context {
                target: self.target,
            },
            deny_at: self.deny_at.unwrap_or(defaults.deny_at),
            actions: self.rules.clone(),
            overrides: Arc::new(self.tables.overrides()),
            exemptions: self
                .exemptions
                .iter()
                .flat_map(ExemptionEntry::exemptions)
                .collect(),
            max_exemption_days: self.max_exemption_days,
            weakening_groups: self.weakening.groups.clone(),
            ..defaults
        }
    }
}

impl ExemptionEntry {
    fn terms(&self) -> Result<Terms, TermsError> {
        Terms::new(&self.until, &self.reason, &self.r#ref)
    }

    /// One exemption for each rule that is named.
    fn exemptions(&self) -> impl Iterator<Item = ConfiguredExemption> {
        self.rules.iter().map(|name| ConfiguredExemption {
            exemption: Exemption {
                rules: Rules::parse(name),
                scope: Scope::Configuration,
                terms: self.terms(),
            },
            namespaces: self.namespaces.clone(),
            owners: self.owners.clone(),
            users: self.users.clone(),
            groups: self.groups.clone(),
            images: self.images.clone(),
        })
    }
}

impl Tables {
    fn overrides(&self) -> Overrides {
        Overrides {
            // `registry.corp/hub` must not match `registry.corp/hubble/app`.
            mirrors: self
                .mirrors
                .iter()
                .map(|prefix| format!("{}/", prefix.trim_end_matches('/')))
                .collect(),
            sockets: self
                .sockets
                .iter()
                .map(|path| HostPath::new(path))
                .collect(),
            cli_images: self
                .cli_images
                .iter()
                .map(|name| ImageReference::parse(name).repository())
                .collect(),
            data_roots: self
                .data_roots
                .iter()
                .map(|path| HostPath::new(path))
                .collect(),
        }
    }
}

fn syntax_error(error: &serde_saphyr::Error, path: &Path) -> ConfigError {
    let location = error.location();
    // The text repeats the place, and on further lines shows a snippet; one line is enough here.
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let message = first
        .rsplit_once(" at line ")
        .map_or(first, |(message, _)| message);
    ConfigError::Syntax {
        path: path.to_owned(),
        line: location.map_or(1, |location| location.line()),
        column: location.map_or(1, |location| location.column()),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("undock.yaml")).map_err(|error| error.to_string())
    }

    #[test]
    fn all_keys_are_read() {
        let text = "mode: enforce\ntarget: cri-o\ndenyAt: certain\ncluster: prod\n\
            rules:\n  DKR203: off\n  docker-log-dir: deny\nmaxExemptionDays: 90\n";
        let policy = parse(text).unwrap().policy(None);
        assert_eq!(
            (policy.mode, policy.context.target, policy.deny_at),
            (Mode::Enforce, Target::CriO, Certainty::Certain)
        );
        assert_eq!(policy.max_exemption_days, NonZeroU16::new(90));
        assert_eq!(policy.actions["DKR203"], Action::Off);
        assert_eq!(policy.actions["DKR502"], Action::Deny);
    }

    #[test]
    fn nothing_is_the_default() {
        for text in ["", "# only a comment\n", "{}"] {
            assert_eq!(
                parse(text).unwrap().policy(None).mode,
                Mode::Warn,
                "{text:?}"
            );
        }
        assert_eq!(
            parse("mode: audit").unwrap().policy(Some(Mode::Off)).mode,
            Mode::Off
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, place, word) in [
            ("mode: warn\nmodes: x\n", "undock.yaml:2:1", "modes"),
            ("mode: loud\n", "undock.yaml:1:7", "enforce"),
            ("maxExemptionDays: 0\n", "undock.yaml:1:", "nonzero"),
            ("rules:\n  DKR101: [deny]\n", "undock.yaml:2:11", ""),
            ("mode: [\n", "undock.yaml:", ""),
            ("rules: {DKR999: off}\n", "undock.yaml", "DKR999"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.starts_with(place) && error.contains(word),
                "{text:?} gave {error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
    }
}

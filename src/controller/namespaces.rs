//! Namespaces that were deleted and made again without the mode that they had. Whoever may delete a
//! namespace can lower its mode in this way, so the modes that namespaces ask for are kept in a
//! ConfigMap, and what is lost is told by an Event.

use std::collections::BTreeMap;

use kube::Client;

use super::{Failure, LeaderGuard, config_maps};
use crate::decision::Mode;
use crate::scan::Scanned;

/// Name of the ConfigMap.
pub(super) const CONFIG_MAP: &str = "undock-namespaces";

/// A namespace that lost its mode.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LostMode {
    pub(super) namespace: String,
    /// Identity of the namespace as it is now.
    pub(super) uid: String,
    /// The mode that its predecessor asked for.
    pub(super) before: Mode,
    /// The mode in force now.
    pub(super) now: Mode,
}

impl LostMode {
    /// The note of the Event.
    pub(super) fn note(&self) -> String {
        let (name, before, now) = (&self.namespace, self.before.as_str(), self.now.as_str());
        format!(
            "namespace {name} was deleted and made again: it was in mode {before} and is in mode \
             {now} now. To restore it: kubectl label namespace {name} --overwrite \
             undock.dev/mode={before}"
        )
    }
}

/// What was known of a namespace: its uid, and the mode it asked for.
type Before = BTreeMap<String, (String, Mode)>;

/// Compares the scan with what the scan before saw, and keeps what is seen now. `default` is the
/// mode of namespaces that ask for none.
pub(super) async fn compare(
    client: &Client,
    scanned: &Scanned,
    default: Mode,
    guard: &LeaderGuard<'_>,
) -> Result<Vec<LostMode>, Failure> {
    let failure = |error: crate::api::ApiError| {
        let message = format!("cannot keep the modes of namespaces: {error}");
        Failure::new("namespaces", error.reason(), message)
    };
    let lines = config_maps::lines(client, CONFIG_MAP)
        .await
        .map_err(failure)?;
    let before = parse(&lines);
    let lost = lost(&before, scanned, default);
    let lines = remembered(before, scanned);
    config_maps::keep(client, CONFIG_MAP, lines.into_iter(), guard)
        .await
        .map_err(failure)?;
    Ok(lost)
}

fn parse(lines: &[String]) -> Before {
    let parsed = lines.iter().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, uid, mode) = (words.next()?, words.next()?, words.next()?);
        Some((name.to_owned(), (uid.to_owned(), Mode::parse(mode)?)))
    });
    parsed.collect()
}

fn lost(before: &Before, scanned: &Scanned, default: Mode) -> Vec<LostMode> {
    let lost = before.iter().filter_map(|(namespace, (uid, before))| {
        let now = scanned.namespaces.get(namespace)?.unwrap_or(default);
        let now_uid = scanned.namespace_uids.get(namespace)?;
        (**now_uid != **uid && now < *before).then(|| LostMode {
            namespace: namespace.clone(),
            uid: now_uid.to_string(),
            before: *before,
            now,
        })
    });
    lost.collect()
}

/// The lines to keep. A namespace that does not exist is remembered: it may be made again.
fn remembered(mut before: Before, scanned: &Scanned) -> Vec<String> {
    for (name, mode) in &scanned.namespaces {
        before.remove(name);
        if let (Some(mode), Some(uid)) = (mode, scanned.namespace_uids.get(name)) {
            before.insert(name.clone(), (uid.to_string(), *mode));
        }
    }
    let lines = before
        .into_iter()
        .map(|(name, (uid, mode))| format!("{name} {uid} {}", mode.as_str()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(namespaces: &[(&str, &str, Option<Mode>)]) -> Scanned {
        let mut scanned = Scanned::default();
        for (name, uid, mode) in namespaces {
            scanned.namespaces.insert((*name).to_owned(), *mode);
            scanned
                .namespace_uids
                .insert((*name).to_owned(), (*uid).into());
        }
        scanned
    }

    #[test]
    fn a_mode_is_lost_with_its_namespace_and_told_once() {
        let lines = ["ci u1 enforce", "web u2 warn"].map(str::to_owned);
        let gone = scanned(&[("web", "u2", Some(Mode::Warn))]);
        let kept = remembered(parse(&lines), &gone);
        assert_eq!(kept, lines, "a namespace that may come back");
        let back = scanned(&[("ci", "u3", None), ("web", "u2", None)]);
        let found = lost(&parse(&kept), &back, Mode::Warn);
        assert_eq!(found.len(), 1, "an ordinary change of a label is reviewed");
        assert_eq!(
            (found[0].namespace.as_str(), found[0].before, found[0].now),
            ("ci", Mode::Enforce, Mode::Warn)
        );
        assert!(found[0].note().contains("undock.dev/mode=enforce"));
        let kept = remembered(parse(&kept), &back);
        assert_eq!(lost(&parse(&kept), &back, Mode::Warn), []);
    }

    #[test]
    fn a_mode_that_is_as_strict_is_not_lost() {
        let before = parse(&["ci u1 enforce".to_owned()]);
        let back = scanned(&[("ci", "u3", Some(Mode::Enforce))]);
        assert_eq!(lost(&before, &back, Mode::Warn), []);
        assert_eq!(
            lost(&before, &scanned(&[("ci", "u3", None)]), Mode::Enforce),
            []
        );
    }
}

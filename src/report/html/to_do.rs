//! What to do, first on the page: namespaces to switch with their commands, then one row for each
//! owner with something to fix.

use std::collections::HashSet;

use super::view::{anchor, short};
use crate::finding::text::count;
use crate::report::model::Report;
use crate::report::place::{day, place};
use crate::report::work::{OwnerWork, switch_commands, switchable};
use crate::rules::RULES;

/// Rows of owners; `-o csv` has them all.
const MAX_OWNERS: usize = 300;
/// Owners that are seen at once, so that the teams follow soon.
const SHOWN_OWNERS: usize = 25;
const FEW_OWNERS: usize = 5;
/// Commands that are seen at once; more of them fold away, but for the first few.
const SHOWN_COMMANDS: usize = 12;
const FIRST_COMMANDS: usize = 3;

/// The commands that switch what is READY.
pub(super) struct Switch {
    pub(super) what: String,
    pub(super) shown: Vec<String>,
    pub(super) folded: Vec<String>,
}

impl Switch {
    pub(super) fn of(report: &Report) -> Self {
        let ready = switchable(report);
        let mut shown = switch_commands(&ready, report);
        let folded = if shown.len() > SHOWN_COMMANDS {
            shown.split_off(FIRST_COMMANDS)
        } else {
            Vec::new()
        };
        Self {
            what: count(ready.len() as u64, "namespace"),
            shown,
            folded,
        }
    }
}

/// Owners with something to fix.
pub(super) struct Owners {
    pub(super) what: String,
    pub(super) rows: Vec<OwnerRow>,
    pub(super) folded: Vec<OwnerRow>,
    pub(super) more: usize,
}

pub(super) struct OwnerRow {
    pub(super) anchor: String,
    pub(super) place: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) rules: Vec<RuleLink>,
    pub(super) is_refused: bool,
    pub(super) fix: String,
    pub(super) team: String,
    /// Where the page shows the team.
    pub(super) team_anchor: Option<String>,
    pub(super) last_seen: String,
}

/// A rule, which is explained below where this version knows it.
pub(super) struct RuleLink {
    pub(super) code: String,
    pub(super) is_known: bool,
}

impl Owners {
    /// `teams` are the anchors of teams that the page shows.
    pub(super) fn of(report: &Report, owners: &[OwnerWork<'_>], teams: &HashSet<&str>) -> Self {
        let refused = owners.iter().filter(|work| work.is_refused).count();
        let rows = owners.iter().take(MAX_OWNERS);
        let mut rows: Vec<_> = rows.map(|work| row(report, work, teams)).collect();
        // What is folded away must be worth the click.
        let folded = if rows.len() > SHOWN_OWNERS + FEW_OWNERS {
            rows.split_off(SHOWN_OWNERS)
        } else {
            Vec::new()
        };
        Self {
            what: format!(
                "{} of {} would be refused.",
                count(refused as u64, "owner"),
                owners.len()
            ),
            rows,
            folded,
            more: owners.len().saturating_sub(MAX_OWNERS),
        }
    }
}

fn row(report: &Report, work: &OwnerWork<'_>, teams: &HashSet<&str>) -> OwnerRow {
    let own = work.finding;
    let link = |code: &&str| RuleLink {
        code: (*code).to_owned(),
        is_known: RULES.iter().any(|rule| rule.code == *code),
    };
    OwnerRow {
        anchor: anchor("owner", &own.owner_key()),
        place: short(&place(report, &own.cluster, &own.namespace)),
        kind: short(&own.owner.kind),
        name: short(&own.owner.name),
        rules: work.rules.iter().map(link).collect(),
        is_refused: work.is_refused,
        fix: work.fix.clone(),
        team: short(&own.team),
        team_anchor: Some(anchor("team", &[&own.team]))
            .filter(|anchor| !own.team.is_empty() && teams.contains(anchor.as_str())),
        last_seen: day(work.last_seen).to_owned(),
    }
}

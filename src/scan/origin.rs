//! Whose an object is: team, release, manager, schedule.

use serde_json::value::RawValue;

use super::{Origin, item};
use crate::record::OwnerFields;
use crate::workload::Workload;

/// Whose `workload` is. What nobody asks of a clean one is not kept: there are many.
pub(super) fn origin(workload: &Workload<'_>, item: &RawValue, is_flagged: bool) -> Origin {
    let OwnerFields {
        team,
        managed_by,
        release,
        ..
    } = OwnerFields::from(workload);
    let kept = |text: Option<String>| text.unwrap_or_default().into_boxed_str();
    let aside = if is_flagged || workload.kind() == "CronJob" {
        item::Aside::of(item)
    } else {
        item::Aside::default()
    };
    let manager = if is_flagged { aside.manager() } else { "" };
    Origin {
        team: kept(team),
        managed_by: kept(managed_by),
        release: kept(release),
        manager: manager.into(),
        schedule: aside.schedule().into(),
    }
}

//! Reports about series, which are no objects of the API: they belong to their namespace, and stay
//! while the series may come back.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::PREFIX;
use crate::controller::notices::OwnerFindings;
use crate::report::STALE_DAYS;
use crate::scan::SERIES_UID;

/// The day on which a scan saw the findings last; written once a day.
const LAST_SEEN: &str = "undock.dev/last-seen";

/// Adds to the metadata of a report what keeps it while its series comes back. `now` is in seconds
/// since 1970.
pub(super) fn mark(metadata: &mut Value, flagged: &OwnerFindings<'_>, now: i64) {
    metadata["annotations"] = json!({LAST_SEEN: day(now)});
    if !flagged.namespace_uid.is_empty() {
        metadata["ownerReferences"] = json!([{
            "apiVersion": "v1", "kind": "Namespace",
            "name": &*flagged.owner.namespace, "uid": flagged.namespace_uid,
        }]);
    }
}

/// True if `report`, of which the scan found nothing, is about a series that may come back: no
/// object of it was there, or objects without findings on the very day on which it had some.
pub(super) fn is_kept(report: &Value, name: &str, seen: &HashSet<&str>, now: i64) -> bool {
    let Some(uid) = name
        .strip_prefix(PREFIX)
        .filter(|uid| uid.starts_with(SERIES_UID))
    else {
        return false;
    };
    let last_seen = report["metadata"]["annotations"][LAST_SEEN].as_str();
    let last_seen = last_seen.unwrap_or_default();
    // A series that no scan sees any more is over as in the migration report. Days as text are in
    // order.
    if seen.contains(uid) {
        last_seen >= day(now).as_str()
    } else {
        last_seen >= day(now - STALE_DAYS * 86_400).as_str()
    }
}

/// `2026-11-28`, in UTC.
fn day(seconds: i64) -> String {
    let moment = Timestamp::from_second(seconds).unwrap_or_default();
    moment.to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_stays_while_its_series_may_come_back() {
        let now = 1_795_860_000;
        let report =
            |age: i64| json!({"metadata": {"annotations": {LAST_SEEN: day(now - age * 86_400)}}});
        let seen = HashSet::from(["series-0123456789abcdef"]);
        let (name, nobody) = ("undock-series-0123456789abcdef", HashSet::new());
        assert!(is_kept(&report(0), name, &seen, now));
        assert!(!is_kept(&report(1), name, &seen, now), "clean since then");
        assert!(is_kept(&report(30), name, &nobody, now));
        assert!(!is_kept(&report(31), name, &nobody, now));
        let own = "undock-60d20c51-b091-4f08-a24a-2f6c384bdf8e";
        assert!(!is_kept(&report(0), own, &nobody, now));
    }
}

//! Records of undock as evidence.

use super::seen::Seen;
use super::{Gatherer, review_id};
use crate::record::{OwnerFields, Record};
use crate::report::evidence::{Flags, Review, id, millis, project_mark};

impl Gatherer {
    /// Takes a record of undock.
    ///
    /// # Errors
    /// Where it does not say when it was made.
    pub(super) fn record(&mut self, record: &Record) -> Result<(), String> {
        let Some(time) = self.moment(&record.timestamp, "record of undock")? else {
            return Ok(());
        };
        let cluster = self.cluster(&record.cluster);
        self.store.see(&cluster, time);
        let OwnerFields { kind, name, .. } = &record.owner;
        let review_id = review_id(&record.review_uid, &record.namespace, kind, name);
        if record.dry_run {
            // The audit log may not show that it was one.
            self.store.dry_runs.insert(id(&record.review_uid, ""));
            self.store.reviews.remove(&review_id);
            return Ok(());
        }
        let owner = self.owner(
            &record.cluster,
            &record.namespace,
            &record.owner.kind,
            &record.owner.name,
        );
        self.about(owner, time, &record.owner);
        self.mode(&record.cluster, &record.namespace, time, &record.mode);
        let seen: Vec<Seen<'_>> = record
            .findings
            .iter()
            .map(|finding| Seen::recorded(finding, record))
            .collect();
        let first = record.first_seen.as_deref().and_then(millis);
        let set = self.findings(owner, time, first, &seen);
        self.project(owner, set, &record.object.name);
        let mut flags = Flags::RECORD;
        flags.set(Flags::OWN, record.owner.source == "self");
        flags.set(Flags::CREATE, record.operation == "CREATE");
        flags.set(Flags::POD, record.object.kind == "Pod");
        flags.set(Flags::STORED, record.decision != "deny");
        flags.set(Flags::DENIED, record.decision == "deny");
        flags.set(Flags::WOULD_DENY, record.would_deny);
        flags.set(Flags::PARTIAL, record.findings_truncated > 0);
        flags.set(Flags::ERROR, record.decision == "error");
        let user = self.store.texts.number(&record.user);
        let rules_off = self.store.rules_off.number(&record.rules_off.join(","));
        self.store.add(
            review_id,
            Review {
                time,
                owner,
                user,
                set,
                suppressed: record.suppressed,
                rules_off,
                project: project_mark(&record.object.name),
                flags,
            },
        );
        Ok(())
    }
}

//! Scans as evidence: what was whole proves that the rest is gone.

use super::{Gatherer, Seen};
use crate::record::OwnerFields;
use crate::report::evidence::{Flags, Review, id};
use crate::report::reach::Reach;
use crate::scan::document::{ObjectEntry, ScanDocument};
use crate::workload::text::LenientStr;

impl Gatherer {
    /// Takes a scan.
    ///
    /// # Errors
    /// Where it does not say when it was made.
    pub(super) fn scan(&mut self, scan: &ScanDocument<'_>) -> Result<(), String> {
        let Some(time) = self.moment(&scan.time, "scan")? else {
            return Ok(());
        };
        let cluster = self.cluster(&scan.cluster);
        if !cluster.is_empty() {
            self.store.clusters.insert(cluster.clone());
        }
        self.store.see_scan(time);
        let mut reach = Reach::new(scan, time, cluster);
        let scan_id = id(&reach.identity(), "scan");
        for namespace in &scan.namespaces {
            let mode = namespace.mode.as_deref().unwrap_or_default();
            self.mode(&scan.cluster, &namespace.name, time, mode);
        }
        let rules_off = self.store.rules_off.number(&scan.rules_off.join(","));
        for object in &scan.objects {
            let owner = self.scanned(&reach, object, &scan.cluster, rules_off);
            reach.owners.insert(owner);
        }
        self.store.add_scan(scan_id, reach);
        Ok(())
    }

    fn scanned(
        &mut self,
        reach: &Reach,
        object: &ObjectEntry<'_>,
        cluster: &str,
        rules_off: u32,
    ) -> u32 {
        let ObjectEntry {
            kind,
            namespace,
            name,
            findings,
            team,
            managed_by,
            release,
            manager,
            schedule,
            pods,
            ..
        } = object;
        let owner = self.owner(cluster, namespace, kind, name);
        let some = |text: &LenientStr<'_>| Some(text.to_string());
        let fields = OwnerFields {
            team: some(team),
            managed_by: some(managed_by),
            release: some(release),
            ..OwnerFields::default()
        };
        self.about(owner, reach.time, &fields);
        let about = self.store.about.entry(owner).or_default();
        about.manager.tell(reach.time, manager);
        about.schedule.tell(reach.time, schedule);
        about.pods.put(reach.time, *pods as u64);
        // Without the Namespaces, a scan does not know what is exempt.
        let knows_exemptions = reach.has_read("namespaces", namespace);
        let seen: Vec<Seen<'_>> = findings
            .iter()
            .map(|finding| Seen::scanned(finding, knows_exemptions))
            .collect();
        let set = self.findings(owner, reach.time, None, &seen);
        let mut flags = Flags::SCAN;
        flags.set(Flags::OWN, true);
        flags.set(Flags::STORED, true);
        flags.set(Flags::PARTIAL, !reach.covers(kind, namespace));
        let review_id = id(
            &format!("{} {} {namespace}/{kind}/{name}", reach.time, reach.cluster),
            "scan",
        );
        let user = self.store.texts.number(&String::new());
        self.store.add(
            review_id,
            Review {
                time: reach.time,
                owner,
                user,
                set,
                suppressed: 0,
                rules_off,
                project: 0,
                flags,
            },
        );
        owner
    }
}

//! An earlier report as evidence: when findings were first seen, how they ended, and the days of
//! the burn-down.
//!
//! It keeps what logs that were rotated away said. It covers no day: what it saw is no proof that
//! the webhook answered.

use super::Gatherer;
use crate::record::OwnerFields;
use crate::report::evidence::{
    AboutOwner, Details, ExemptTerms, Flags, Past, PastDays, PastEnd, Review, id, millis,
};
use crate::report::model::{Finding, Report, SeenAt, Status};

/// Behind the name of a tool that wrote an owner, where only a scan tells.
const TOOL: &str = " (tool)";

impl Gatherer {
    /// Takes an earlier report. Comes after all other inputs.
    ///
    /// # Errors
    /// If it is later than what is asked for.
    pub(in crate::report) fn history(&mut self, report: &Report) -> Result<(), String> {
        let Some(as_of) = self.moment(&report.as_of, "earlier report")? else {
            return Err(format!(
                "the earlier report is as of {}, later than --as-of",
                report.as_of
            ));
        };
        let own_start = self.store.span.map_or(as_of, |(from, _)| from);
        let days = report.burn_down.days.iter();
        self.store.past_days = PastDays {
            until: own_start,
            days: days
                .map(|day| (day.date.clone(), (day.open, day.would_deny)))
                .collect(),
        };
        self.store.see_scan(as_of);
        if let Some(from) = millis(&report.window.from) {
            self.store.see_scan(from);
        }
        for cluster in &report.clusters {
            self.store.clusters.insert(cluster.clone());
        }
        for own in &report.namespaces {
            self.mode(&own.cluster, &own.name, as_of, &own.mode);
        }
        for finding in &report.findings {
            self.past_finding(finding, as_of);
        }
        Ok(())
    }

    fn past_finding(&mut self, own: &Finding, as_of: i64) {
        let (Some(first_seen), Some(last_seen)) = (millis(&own.first_seen), millis(&own.last_seen))
        else {
            return;
        };
        let owner = self.owner(
            &own.cluster,
            &own.namespace,
            &own.owner.kind,
            &own.owner.name,
        );
        let fields = OwnerFields {
            team: Some(own.team.clone()),
            managed_by: Some(own.managed_by.clone()),
            release: Some(own.release.clone()),
            ..OwnerFields::default()
        };
        self.about(owner, last_seen, &fields);
        let tool = own.last_writer.strip_suffix(TOOL);
        if let Some(tool) = tool {
            let about: &mut AboutOwner = self.store.about.entry(owner).or_default();
            about.manager.tell(last_seen, tool);
        }
        let mut set = Vec::new();
        let details = self
            .store
            .finding(&mut set, owner, &own.rule, &own.fingerprint);
        tell(details, own, last_seen);
        // Of a write that was refused, the end follows from its day.
        let end = millis(&own.ended_at).filter(|_| !own.never_stored);
        details.past = Some(Past {
            as_of,
            first_seen,
            last_seen,
            end: end.map(|time| PastEnd {
                time,
                status: own.status,
                by: own.ended_by.clone(),
            }),
            observations: own.observations,
            created: own.created,
            objects: own.objects,
            denied: own.denied,
            would_deny: own.would_deny,
            sources: own.sources.clone(),
        });
        let user = match tool {
            Some(_) => String::new(),
            None => own.last_writer.clone(),
        };
        let key = own.owner_key().join("/");
        let key = format!("{key}/{}/{}/{as_of}", own.rule, own.fingerprint);
        let review = Review {
            // Evidence that it is there, never later than its end.
            time: end.map_or(last_seen, |end| end.min(last_seen)),
            owner,
            user: self.store.texts.number(&user),
            set: self.store.sets.number(&set),
            rules_off: self.store.rules_off.number(&String::new()),
            project: 0,
            suppressed: 0,
            flags: flags(own),
        };
        self.store.add(id(&key, "history"), review);
    }
}

fn tell(details: &mut Details, own: &Finding, time: i64) {
    details.impact.tell(time, &own.impact);
    details.certainty.tell(time, &own.certainty);
    details.container.tell(time, &own.container);
    details.field.tell(time, &own.field);
    details.evidence.tell(time, &own.evidence);
    details.denies.put(time, own.denies);
    let exempt = (own.status == Status::Exempt)
        .then(|| ExemptTerms::new(&own.exempt_until, &own.exempt_ref, &own.exempt_scope));
    details.exempt.put(time, exempt);
    let first = millis(&own.first_seen);
    details.first_seen = [details.first_seen, first].into_iter().flatten().min();
}

/// What the earlier report's evidence was of; where it does not tell, of what proves the least.
fn flags(own: &Finding) -> Flags {
    let mut flags = Flags::HISTORY;
    flags.set(Flags::STORED, !own.never_stored);
    flags.set(Flags::DENIED, own.never_stored);
    flags.set(
        Flags::OWN,
        matches!(own.seen_at, SeenAt::Owner | SeenAt::Scan),
    );
    flags.set(Flags::SCAN, own.seen_at == SeenAt::Scan);
    flags.set(Flags::POD, own.seen_at == SeenAt::Pod);
    flags.set(
        Flags::CREATE,
        matches!(own.seen_at, SeenAt::Part | SeenAt::Pod),
    );
    flags
}

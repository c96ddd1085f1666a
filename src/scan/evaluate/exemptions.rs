//! Which exemptions a workload carries, and which of all let its findings through.

use super::Evaluation;
use crate::decision::exemption::{Exemption, Scope};
use crate::decision::{self, Decision};
use crate::workload::Workload;

impl Evaluation {
    /// Lists the exemptions of `workload`, and counts the use of those that `decision` granted.
    pub(super) fn list_exemptions(&mut self, workload: &Workload<'_>, decision: &Decision) {
        let holder = format!("{}/{}", workload.owner.kind, workload.owner.name);
        let annotations = workload
            .annotations()
            .flat_map(|(_, annotations)| annotations.iter());
        for exemption in Exemption::of(annotations, Scope::Workload) {
            let is_allowed = match self.policy.cluster_state.namespace(workload.namespace) {
                decision::cluster_state::Known::Settings(settings) => {
                    settings.allows_workload_exemptions
                }
                _ => false,
            };
            self.ledger
                .list(&exemption, workload.namespace, &holder, is_allowed);
        }
        for judged in &decision.findings {
            if let Some(granted) = &judged.exempt {
                self.ledger.used(
                    granted,
                    judged.finding.rule.code,
                    workload.namespace,
                    &holder,
                );
            }
        }
    }
}

//! The right to write, which ends with the Lease, and the count of what was written.

use super::lease::Election;
use crate::metrics::ControllerMetrics;

/// Held by whatever writes.
pub(super) struct LeaderGuard<'g> {
    election: &'g Election,
    metrics: &'g ControllerMetrics,
    /// The identity of this replica.
    pub(super) holder: &'g str,
}

impl<'g> LeaderGuard<'g> {
    pub(super) fn new(
        election: &'g Election,
        metrics: &'g ControllerMetrics,
        holder: &'g str,
    ) -> Self {
        Self {
            election,
            metrics,
            holder,
        }
    }

    /// True while a write that begins now ends before another replica may lead.
    pub(super) fn is_held(&self) -> bool {
        self.election.is_held()
    }

    /// Counts a write of `object`.
    pub(super) fn count(&self, object: &'static str, outcome: &'static str) {
        self.metrics.count_write(object, outcome);
    }
}

//! The totals of a report.

use super::model::{Finding, Namespace, Status, Summary, Verdict};

/// Of namespaces by verdict and findings by status.
pub(super) fn summary(namespaces: &[Namespace], findings: &[Finding]) -> Summary {
    let with = |status: Status| {
        findings
            .iter()
            .filter(|finding| finding.status == status)
            .count()
    };
    let with_verdict = |verdict: Verdict| {
        namespaces
            .iter()
            .filter(|namespace| namespace.verdict == verdict)
            .count()
    };
    Summary {
        ready: with_verdict(Verdict::Ready),
        blocked_namespaces: with_verdict(Verdict::Blocked),
        unknown: with_verdict(Verdict::Unknown),
        owners: namespaces.iter().map(|namespace| namespace.owners).sum(),
        findings: findings.len(),
        open: with(Status::Open),
        open_denied: findings
            .iter()
            .filter(|finding| finding.status == Status::Open && finding.denies)
            .count(),
        exempt: with(Status::Exempt),
        fixed: with(Status::Fixed),
        removed: with(Status::Removed),
        blocked: with(Status::Blocked),
        stale: with(Status::Stale),
    }
}

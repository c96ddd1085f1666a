//! Exemptions of the cluster: which let something through, which are of no use any more, which are wrong.

use crate::decision::exemption::{Exemption, Granted, NO_SUCH_RULE, Period, Rules, Scope, TooLong};

/// How an exemption stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExemptionStatus {
    /// It lets findings through.
    InUse,
    /// Nothing needs it.
    Unused,
    /// Its last day is over.
    Expired,
    /// It cannot be read, with what is wrong.
    Malformed(String),
    /// The namespace does not let workloads exempt themselves.
    NotAllowed,
}

impl ExemptionStatus {
    /// The word used in outputs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::InUse => "in-use",
            Self::Unused => "unused",
            Self::Expired => "expired",
            Self::Malformed(_) => "malformed",
            Self::NotAllowed => "not-allowed",
        }
    }
}

/// An exemption with its use.
#[derive(Clone, Debug)]
pub struct ListedExemption {
    /// Where it stands, its rules and its terms.
    pub exemption: Exemption,
    /// Namespace; empty for the configuration file's.
    pub namespace: String,
    /// `KIND/NAME` of the workload that carries it; empty for others.
    pub holder: String,
    /// How it stands.
    pub status: ExemptionStatus,
    /// Findings that it lets through.
    pub uses: usize,
}

/// All exemptions that were met.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    listed: Vec<ListedExemption>,
}

impl Ledger {
    /// Notes an exemption, once however often it is met: lists can begin again, and templates repeat what their owners say.
    pub(super) fn list(
        &mut self,
        exemption: &Exemption,
        namespace: &str,
        holder: &str,
        is_allowed: bool,
    ) {
        let is_listed = self.listed.iter().any(|other| {
            let (a, b) = (&other.exemption, exemption);
            (a.scope, &a.rules, &a.terms) == (b.scope, &b.rules, &b.terms)
                && other.namespace == namespace
                && other.holder == holder
        });
        if !is_listed {
            let status = if is_allowed {
                ExemptionStatus::Unused
            } else {
                ExemptionStatus::NotAllowed
            };
            let (namespace, holder) = (namespace.to_owned(), holder.to_owned());
            self.listed.push(ListedExemption {
                exemption: exemption.clone(),
                namespace,
                holder,
                status,
                uses: 0,
            });
        }
    }

    /// Notes that a finding of `code` was let through.
    pub(super) fn used(&mut self, granted: &Granted, code: &str, namespace: &str, holder: &str) {
        let used = self.listed.iter_mut().find(|listed| {
            let is_here = match granted.scope {
                Scope::Configuration => true,
                Scope::Namespace => listed.namespace == namespace,
                Scope::Workload => listed.namespace == namespace && listed.holder == holder,
            };
            let Exemption {
                rules,
                scope,
                terms,
            } = &listed.exemption;
            is_here
                && *scope == granted.scope
                && rules.covers(code)
                && terms.as_ref() == Ok(&granted.terms)
        });
        if let Some(listed) = used {
            listed.uses += 1;
        }
    }

    /// All of them as they stand today, by namespace and holder.
    pub(super) fn finish(self, period: Period) -> Vec<ListedExemption> {
        let mut listed = self.listed;
        for entry in &mut listed {
            match &entry.exemption.terms {
                Err(error) => entry.status = ExemptionStatus::Malformed(error.to_string()),
                Ok(_) if matches!(entry.exemption.rules, Rules::Unknown(_)) => {
                    entry.status = ExemptionStatus::Malformed(NO_SUCH_RULE.to_owned());
                }
                Ok(terms) if terms.is_too_long(period) => {
                    entry.status = ExemptionStatus::Malformed(TooLong(period).to_string());
                }
                Ok(terms) if !terms.holds(period) => entry.status = ExemptionStatus::Expired,
                Ok(_) if entry.uses > 0 => entry.status = ExemptionStatus::InUse,
                Ok(_) => {}
            }
        }
        listed.sort_by(|a, b| {
            (&a.namespace, &a.holder, a.exemption.rules.to_string()).cmp(&(
                &b.namespace,
                &b.holder,
                b.exemption.rules.to_string(),
            ))
        });
        listed
    }
}

//! The built-in controllers that make Pods, or what makes Pods: which kind for which owner, and as
//! whom they write.

use super::Requester;
use crate::kinds::{self, Kind};
use crate::workload::object::OwnerReference;
use crate::workload::{Workload, owner};

/// What one built-in controller makes for one kind of owner.
#[derive(Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Kind that it makes.
    pub makes: &'static str,
    /// Kind of the owner.
    pub owner: &'static str,
    /// Service account in `kube-system` (kubernetes:
    /// plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go).
    account: &'static str,
}

/// Every way from a workload to its Pods.
pub static BUILT_IN: [BuiltIn; 7] = [
    built_in("ReplicaSet", "Deployment", "deployment-controller"),
    built_in("Pod", "ReplicaSet", "replicaset-controller"),
    built_in("Pod", "ReplicationController", "replication-controller"),
    built_in("Pod", "DaemonSet", "daemon-set-controller"),
    built_in("Pod", "StatefulSet", "statefulset-controller"),
    built_in("Job", "CronJob", "cronjob-controller"),
    built_in("Pod", "Job", "job-controller"),
];

const fn built_in(makes: &'static str, owner: &'static str, account: &'static str) -> BuiltIn {
    BuiltIn {
        makes,
        owner,
        account,
    }
}

impl BuiltIn {
    /// The kind of the owner.
    pub fn kind(&self) -> &'static Kind {
        kinds::find(self.owner).expect("what built-in controllers make something for is known")
    }
}

/// The built-in controller that makes objects of the kind `makes` for the owner that `reference`
/// names, if there is one.
pub(crate) fn of(makes: &str, reference: &OwnerReference<'_>) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|known| {
        known.makes == makes
            && *known.owner == *reference.kind
            && known.kind().group == owner::group_of(&reference.api_version)
    })
}

/// True for a kind for which a built-in controller makes something.
pub(super) fn is_owner(kind: &str) -> bool {
    BUILT_IN.iter().any(|known| known.owner == kind)
}

/// The owner for which a built-in controller writes `workload`, and that controller.
///
/// Anybody can write an owner reference, so it counts only where the very controller that makes
/// objects for this kind of owner is who writes. It makes them only for owners that exist.
pub(super) fn owner_of<'w>(
    workload: &'w Workload<'_>,
    requester: Requester<'_>,
) -> Option<(&'static BuiltIn, &'w OwnerReference<'w>)> {
    let account = requester
        .user
        .strip_prefix("system:serviceaccount:kube-system:")?;
    let reference = workload.controller()?;
    let built_in = of(workload.kind(), reference)?;
    (built_in.account == account).then_some((built_in, reference))
}

#[cfg(test)]
mod tests {
    use super::BUILT_IN;

    #[test]
    fn every_owner_is_a_built_in_kind() {
        assert!(BUILT_IN.iter().all(|known| known.kind().is_built_in()));
    }
}

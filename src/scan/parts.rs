//! What a scan reads, in its order: each part is one list of the API server.

use std::borrow::Cow;

use crate::api::path::resource;

/// One list.
#[derive(Clone, Debug)]
pub struct Part {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version; for optional groups the one that the API server prefers.
    pub version: Cow<'static, str>,
    /// Plural name.
    pub resource: &'static str,
    /// Kind of the items, which lists do not repeat.
    pub kind: &'static str,
    /// False for cluster-scoped objects.
    pub namespaced: bool,
    /// What is done with the items.
    pub role: Role,
}

/// What a scan does with the items of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runtimes are noted at the first reading and judged at the second, when all are known.
    Node,
    /// Settings.
    Namespace,
    /// Judged, and noted for the claims.
    Volume,
    /// Noted where it names a volume of a host path.
    Claim,
    /// Judged by its pod template.
    Template,
    /// Judged where no template stands behind it, else counted.
    Pod,
    /// Judged by its texts; kept only with findings.
    Text,
}

impl Part {
    const fn new(
        group: &'static str,
        resource: &'static str,
        kind: &'static str,
        namespaced: bool,
        role: Role,
    ) -> Self {
        Self {
            group,
            version: Cow::Borrowed("v1"),
            resource,
            kind,
            namespaced,
            role,
        }
    }

    /// `apiVersion` of the items.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `RESOURCE` or `RESOURCE.GROUP`, as kubectl and RBAC messages name it.
    pub fn name(&self) -> String {
        if self.group.is_empty() {
            self.resource.to_owned()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// Path of the list, in `namespace` unless that is empty; for namespaces the path of that one.
    pub(crate) fn path(&self, namespace: &str) -> String {
        let (namespace, name) = match self.role {
            Role::Namespace => ("", namespace),
            _ if self.namespaced => (namespace, ""),
            _ => ("", ""),
        };
        resource(self.group, &self.version, namespace, self.resource, name)
    }

    /// True where a selector of labels is for these objects too.
    pub(super) fn is_selected(&self) -> bool {
        matches!(self.role, Role::Template | Role::Pod | Role::Text)
    }

    /// True if every cluster has it.
    pub(crate) fn is_built_in(&self) -> bool {
        matches!(self.group, "" | "apps" | "batch")
    }
}

/// Every part. What says something about others comes before them.
pub static PARTS: [Part; 32] = [
    Part::new("", "nodes", "Node", false, Role::Node),
    Part::new("", "namespaces", "Namespace", false, Role::Namespace),
    Part::new(
        "",
        "persistentvolumes",
        "PersistentVolume",
        false,
        Role::Volume,
    ),
    Part::new(
        "",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        true,
        Role::Claim,
    ),
    // Controllers of others' making, before the ReplicaSets and Pods that they make.
    Part::new("argoproj.io", "rollouts", "Rollout", true, Role::Template),
    Part::new(
        "apps.openshift.io",
        "deploymentconfigs",
        "DeploymentConfig",
        true,
        Role::Template,
    ),
    Part::new(
        "serving.knative.dev",
        "services",
        "Service",
        true,
        Role::Template,
    ),
    Part::new(
        "apps.kruise.io",
        "clonesets",
        "CloneSet",
        true,
        Role::Template,
    ),
    Part::new("apps", "deployments", "Deployment", true, Role::Template),
    Part::new("apps", "daemonsets", "DaemonSet", true, Role::Template),
    Part::new("apps", "statefulsets", "StatefulSet", true, Role::Template),
    Part::new("batch", "cronjobs", "CronJob", true, Role::Template),
    Part::new("apps", "replicasets", "ReplicaSet", true, Role::Template),
    Part::new(
        "",
        "replicationcontrollers",
        "ReplicationController",
        true,
        Role::Template,
    ),
    Part::new("batch", "jobs", "Job", true, Role::Template),
    Part::new("", "podtemplates", "PodTemplate", true, Role::Template),
    Part::new("", "pods", "Pod", true, Role::Pod),
    Part::new("", "configmaps", "ConfigMap", true, Role::Text),
    Part::new(
        "monitoring.coreos.com",
        "prometheusrules",
        "PrometheusRule",
        true,
        Role::Text,
    ),
    Part::new(
        "actions.summerwind.dev",
        "runnerdeployments",
        "RunnerDeployment",
        true,
        Role::Text,
    ),
    Part::new(
        "actions.summerwind.dev",
        "runnersets",
        "RunnerSet",
        true,
        Role::Text,
    ),
    Part::new(
        "bootstrap.cluster.x-k8s.io",
        "kubeadmconfigs",
        "KubeadmConfig",
        true,
        Role::Text,
    ),
    Part::new(
        "bootstrap.cluster.x-k8s.io",
        "kubeadmconfigtemplates",
        "KubeadmConfigTemplate",
        true,
        Role::Text,
    ),
    Part::new(
        "controlplane.cluster.x-k8s.io",
        "kubeadmcontrolplanes",
        "KubeadmControlPlane",
        true,
        Role::Text,
    ),
    Part::new("core.gardener.cloud", "shoots", "Shoot", true, Role::Text),
    Part::new(
        "karpenter.sh",
        "provisioners",
        "Provisioner",
        false,
        Role::Text,
    ),
    Part::new("kops.k8s.io", "clusters", "Cluster", true, Role::Text),
    Part::new(
        "kyverno.io",
        "clusterpolicies",
        "ClusterPolicy",
        false,
        Role::Text,
    ),
    Part::new(
        "kyverno.io",
        "policyexceptions",
        "PolicyException",
        true,
        Role::Text,
    ),
    Part::new(
        "policy",
        "podsecuritypolicies",
        "PodSecurityPolicy",
        false,
        Role::Text,
    ),
    Part::new(
        "security.openshift.io",
        "securitycontextconstraints",
        "SecurityContextConstraints",
        false,
        Role::Text,
    ),
    // Again, now that the runtimes of all nodes are known.
    Part::new("", "nodes", "Node", false, Role::Node),
];

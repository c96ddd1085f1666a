//! The kinds that undock knows: one table for the webhooks, the scan, the rehearsal and the report.
//!
//! Where a pod template lies is not in it: `workload` finds it by shape in any kind, known or not.

use std::borrow::Cow;

/// The webhook for Pods. Its name is public, as those of the others: audit annotations carry it.
pub const PODS_WEBHOOK: &str = "pods.undock.dev";
/// The webhook for what makes Pods, and for volumes.
pub const WORKLOADS_WEBHOOK: &str = "workloads.undock.dev";
/// The webhook for the settings of namespaces.
pub const NAMESPACES_WEBHOOK: &str = "namespaces.undock.dev";

/// A kind of the Kubernetes API.
#[derive(Clone, Debug)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version; a scan takes the one that the API server prefers for kinds that are not built in.
    pub version: Cow<'static, str>,
    /// Plural name, as in paths.
    pub plural: &'static str,
    /// Name, which the items of a list do not repeat.
    pub name: &'static str,
    /// False for cluster-scoped objects.
    pub is_namespaced: bool,
    /// What a scan does with its objects.
    pub handling: Handling,
    /// The webhook that reviews its writes.
    pub webhook: Option<&'static str>,
    /// The subresources that are reviewed as well, `PLURAL/SUBRESOURCE`. They are only ever updated.
    pub subresources: &'static [&'static str],
    /// True if the rehearsal of a stricter mode looks at it. Templates stand for what is made of them.
    pub is_rehearsed: bool,
    /// True if a controller of Kubernetes usually makes its objects for another object.
    pub is_made: bool,
}

/// What a scan does with the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// Runtimes are noted at the first reading and evaluated at the second, when all are known.
    Node,
    /// Settings.
    Namespace,
    /// Evaluated, and noted for the claims.
    Volume,
    /// Noted where it names a volume of a host path.
    Claim,
    /// Evaluated by its pod template.
    Template,
    /// Evaluated where no template stands behind it, else counted.
    Pod,
    /// Evaluated by its texts; kept only with findings.
    Text,
}

impl Kind {
    const fn new(
        group: &'static str,
        plural: &'static str,
        name: &'static str,
        handling: Handling,
    ) -> Self {
        Self {
            group,
            version: Cow::Borrowed("v1"),
            plural,
            name,
            is_namespaced: true,
            handling,
            webhook: None,
            subresources: &[],
            is_rehearsed: false,
            is_made: false,
        }
    }

    const fn cluster_scoped(mut self) -> Self {
        self.is_namespaced = false;
        self
    }

    const fn reviewed(mut self, webhook: &'static str) -> Self {
        self.webhook = Some(webhook);
        self
    }

    const fn with(mut self, subresources: &'static [&'static str]) -> Self {
        self.subresources = subresources;
        self
    }

    const fn rehearsed(mut self) -> Self {
        self.is_rehearsed = true;
        self
    }

    const fn made(mut self) -> Self {
        self.is_made = true;
        self
    }

    /// `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `PLURAL` or `PLURAL.GROUP`, as kubectl and RBAC messages name it.
    pub fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// True if every cluster has it.
    pub fn is_built_in(&self) -> bool {
        matches!(self.group, "" | "apps" | "batch")
    }

    /// True if undock reviews writes of its objects, or of this subresource of them.
    pub fn is_reviewed(&self, subresource: &str) -> bool {
        let is_this = |known: &&str| known.rsplit('/').next() == Some(subresource);
        self.webhook.is_some() && (subresource.is_empty() || self.subresources.iter().any(is_this))
    }

    /// True for a kind whose shape Kubernetes itself fixes and which has, makes or holds what Pods mount.
    pub fn is_workload(&self) -> bool {
        use Handling::{Pod, Template, Volume};
        self.is_built_in() && matches!(self.handling, Pod | Template | Volume)
    }

    /// True if rules read its strings: a built-in kind has a view of its own instead.
    fn has_texts(&self) -> bool {
        !self.is_built_in() || matches!(self.handling, Handling::Node | Handling::Text)
    }
}

/// Every kind, in the order in which a scan reads them: what says something about others comes before them.
pub static KINDS: [Kind; 31] = {
    use Handling::{Claim, Namespace, Node, Pod, Template, Text, Volume};
    [
        Kind::new("", "nodes", "Node", Node).cluster_scoped(),
        Kind::new("", "namespaces", "Namespace", Namespace)
            .cluster_scoped()
            .reviewed(NAMESPACES_WEBHOOK)
            // Both take the labels of the object that is sent.
            .with(&["namespaces/status", "namespaces/finalize"]),
        Kind::new("", "persistentvolumes", "PersistentVolume", Volume)
            .cluster_scoped()
            .reviewed(WORKLOADS_WEBHOOK),
        Kind::new("", "persistentvolumeclaims", "PersistentVolumeClaim", Claim),
        // Controllers of others' making, before the ReplicaSets and Pods that they make.
        Kind::new("argoproj.io", "rollouts", "Rollout", Template),
        Kind::new(
            "apps.openshift.io",
            "deploymentconfigs",
            "DeploymentConfig",
            Template,
        ),
        Kind::new("serving.knative.dev", "services", "Service", Template),
        Kind::new("apps.kruise.io", "clonesets", "CloneSet", Template),
        Kind::new("apps", "deployments", "Deployment", Template)
            .reviewed(WORKLOADS_WEBHOOK)
            .rehearsed(),
        Kind::new("apps", "daemonsets", "DaemonSet", Template)
            .reviewed(WORKLOADS_WEBHOOK)
            .rehearsed(),
        Kind::new("apps", "statefulsets", "StatefulSet", Template)
            .reviewed(WORKLOADS_WEBHOOK)
            .rehearsed(),
        Kind::new("batch", "cronjobs", "CronJob", Template)
            .reviewed(WORKLOADS_WEBHOOK)
            .rehearsed(),
        Kind::new("apps", "replicasets", "ReplicaSet", Template)
            .reviewed(WORKLOADS_WEBHOOK)
            .made(),
        Kind::new(
            "",
            "replicationcontrollers",
            "ReplicationController",
            Template,
        )
        .reviewed(WORKLOADS_WEBHOOK),
        Kind::new("batch", "jobs", "Job", Template)
            .reviewed(WORKLOADS_WEBHOOK)
            .rehearsed()
            .made(),
        Kind::new("", "podtemplates", "PodTemplate", Template).reviewed(WORKLOADS_WEBHOOK),
        Kind::new("", "pods", "Pod", Pod)
            .reviewed(PODS_WEBHOOK)
            .with(&["pods/ephemeralcontainers", "pods/resize"])
            .rehearsed()
            .made(),
        Kind::new("", "configmaps", "ConfigMap", Text),
        Kind::new(
            "monitoring.coreos.com",
            "prometheusrules",
            "PrometheusRule",
            Text,
        ),
        Kind::new(
            "actions.summerwind.dev",
            "runnerdeployments",
            "RunnerDeployment",
            Text,
        ),
        Kind::new("actions.summerwind.dev", "runnersets", "RunnerSet", Text),
        Kind::new(
            "bootstrap.cluster.x-k8s.io",
            "kubeadmconfigs",
            "KubeadmConfig",
            Text,
        ),
        Kind::new(
            "bootstrap.cluster.x-k8s.io",
            "kubeadmconfigtemplates",
            "KubeadmConfigTemplate",
            Text,
        ),
        Kind::new(
            "controlplane.cluster.x-k8s.io",
            "kubeadmcontrolplanes",
            "KubeadmControlPlane",
            Text,
        ),
        Kind::new("core.gardener.cloud", "shoots", "Shoot", Text),
        Kind::new("karpenter.sh", "provisioners", "Provisioner", Text).cluster_scoped(),
        Kind::new("kops.k8s.io", "clusters", "Cluster", Text),
        Kind::new("kyverno.io", "clusterpolicies", "ClusterPolicy", Text).cluster_scoped(),
        Kind::new("kyverno.io", "policyexceptions", "PolicyException", Text),
        Kind::new("policy", "podsecuritypolicies", "PodSecurityPolicy", Text).cluster_scoped(),
        Kind::new(
            "security.openshift.io",
            "securitycontextconstraints",
            "SecurityContextConstraints",
            Text,
        )
        .cluster_scoped(),
    ]
};

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// True for a kind whose strings rules read. Any kind that is not known can be the configuration of something.
pub fn has_texts(name: &str) -> bool {
    !WITHOUT_TEXTS.contains(&name) && find(name).is_none_or(Kind::has_texts)
}

/// Kinds that undock has no use for, and that hold no configuration of a program.
const WITHOUT_TEXTS: [&str; 19] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "ControllerRevision",
    "CustomResourceDefinition",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "Ingress",
    "Lease",
    "LimitRange",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
    "StorageClass",
];

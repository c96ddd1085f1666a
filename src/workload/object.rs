//! The parts of Kubernetes objects that rules read, borrowed from the input. Unknown fields are skipped unparsed.
//!
//! One set of shapes serves every kind: a field that a kind does not have is simply absent. Which of them
//! is the pod template is decided in `extract`. Names follow the API; `managedFields` and `status` are never read.

use serde::Deserialize;

use super::text::{Annotations, Flag, Int, List, Text, TextMap, null_default};

/// Any object: the envelope, and the places in which a pod template or a volume source can be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Object<'a> {
    #[serde(borrow)]
    pub(crate) api_version: Text<'a>,
    pub(crate) kind: Text<'a>,
    #[serde(deserialize_with = "null_default")]
    pub(crate) metadata: Metadata<'a>,
    pub(crate) spec: Option<Spec<'a>>,
    /// `PodTemplate` has its template at the top.
    pub(crate) template: Option<Template<'a>>,
    /// RuntimeClass.
    pub(crate) handler: Text<'a>,
}

impl<'a> Object<'a> {
    /// Sets what a list implies for an item that does not say it.
    pub(crate) fn set_type(&mut self, api_version: Text<'a>, kind: Text<'a>) {
        (self.api_version, self.kind) = (api_version, kind);
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    pub(crate) generate_name: Text<'a>,
    pub(crate) namespace: Text<'a>,
    pub(crate) uid: Text<'a>,
    pub(crate) deletion_timestamp: Option<Text<'a>>,
    pub(crate) labels: TextMap<'a>,
    pub(crate) annotations: Annotations<'a>,
    pub(crate) owner_references: List<OwnerReference<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OwnerReference<'a> {
    #[serde(borrow)]
    pub(crate) api_version: Text<'a>,
    pub(crate) kind: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) uid: Text<'a>,
    pub(crate) controller: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Template<'a> {
    #[serde(borrow, deserialize_with = "null_default")]
    pub(crate) metadata: Metadata<'a>,
    pub(crate) spec: Option<Box<Spec<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JobTemplate<'a> {
    #[serde(borrow)]
    pub(crate) spec: Option<Box<Spec<'a>>>,
}

/// A pod spec, a workload's spec, or a PersistentVolume's spec.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec<'a> {
    #[serde(borrow)]
    pub(crate) init_containers: List<Container<'a>>,
    pub(crate) containers: List<Container<'a>>,
    pub(crate) ephemeral_containers: List<Container<'a>>,
    pub(crate) volumes: List<Volume<'a>>,
    pub(crate) host_network: Flag,
    #[serde(rename = "hostPID")]
    pub(crate) host_pid: Flag,
    pub(crate) template: Option<Template<'a>>,
    pub(crate) job_template: Option<JobTemplate<'a>>,
    pub(crate) runtime_class_name: Text<'a>,
    pub(crate) node_selector: TextMap<'a>,
    pub(crate) tolerations: List<Toleration<'a>>,
    pub(crate) affinity: Option<Affinity<'a>>,
    pub(crate) host_aliases: List<HostAlias<'a>>,
    pub(crate) security_context: Option<PodSecurityContext<'a>>,
    /// PersistentVolume.
    pub(crate) host_path: Option<HostPathSource<'a>>,
    /// PersistentVolume.
    pub(crate) local: Option<HostPathSource<'a>>,
    /// PersistentVolume: the claim that it is bound to.
    pub(crate) claim_ref: Option<ClaimRef<'a>>,
    /// PersistentVolumeClaim: the volume that it asks for or has.
    pub(crate) volume_name: Text<'a>,
    /// Where each of `containers` lies, for custom resources that keep them in other places.
    #[serde(skip)]
    pub(crate) places: Vec<String>,
}

/// Which nodes a Pod must have; what it merely prefers is not read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Affinity<'a> {
    #[serde(borrow)]
    pub(crate) node_affinity: Option<NodeAffinity<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeAffinity<'a> {
    #[serde(borrow, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub(crate) required: Option<NodeSelector<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeSelector<'a> {
    #[serde(borrow)]
    pub(crate) node_selector_terms: List<NodeSelectorTerm<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeSelectorTerm<'a> {
    #[serde(borrow)]
    pub(crate) match_expressions: List<NodeRequirement<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeRequirement<'a> {
    #[serde(borrow)]
    pub(crate) key: Text<'a>,
    pub(crate) operator: Text<'a>,
    pub(crate) values: List<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClaimRef<'a> {
    #[serde(borrow)]
    pub(crate) namespace: Text<'a>,
    pub(crate) name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Toleration<'a> {
    #[serde(borrow)]
    pub(crate) key: Text<'a>,
    pub(crate) value: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostAlias<'a> {
    #[serde(borrow)]
    pub(crate) ip: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodSecurityContext<'a> {
    pub(crate) run_as_non_root: Option<Flag>,
    pub(crate) run_as_user: Option<Int>,
    #[serde(borrow)]
    pub(crate) sysctls: List<Sysctl<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sysctl<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Container<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    pub(crate) image: Text<'a>,
    pub(crate) image_pull_policy: Text<'a>,
    pub(crate) ports: List<Port>,
    pub(crate) command: List<Text<'a>>,
    pub(crate) args: List<Text<'a>>,
    pub(crate) env: List<EnvVar<'a>>,
    pub(crate) env_from: List<serde::de::IgnoredAny>,
    pub(crate) volume_mounts: List<VolumeMount<'a>>,
    pub(crate) security_context: Option<SecurityContext<'a>>,
    pub(crate) lifecycle: Option<Lifecycle<'a>>,
    pub(crate) liveness_probe: Option<Handler<'a>>,
    pub(crate) readiness_probe: Option<Handler<'a>>,
    pub(crate) startup_probe: Option<Handler<'a>>,
    /// Tekton: a script that takes the place of the command.
    pub(crate) script: Text<'a>,
    /// Argo Workflows: a script that the command is given as a file.
    pub(crate) source: Text<'a>,
}

impl<'a> Container<'a> {
    /// The commands of lifecycle hooks and probes, with the field of each.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (&'static str, &[Text<'a>])> {
        let lifecycle = self.lifecycle.as_ref();
        let hooks = [
            ("lifecycle.postStart.exec.command", lifecycle.and_then(|lifecycle| lifecycle.post_start.as_ref())),
            ("lifecycle.preStop.exec.command", lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref())),
            ("livenessProbe.exec.command", self.liveness_probe.as_ref()),
            ("readinessProbe.exec.command", self.readiness_probe.as_ref()),
            ("startupProbe.exec.command", self.startup_probe.as_ref()),
        ];
        hooks.into_iter().filter_map(|(place, hook)| Some((place, &*hook?.exec.as_ref()?.command)))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EnvVar<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    pub(crate) value: Text<'a>,
    pub(crate) value_from: Option<ValueFrom<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ValueFrom<'a> {
    #[serde(borrow)]
    pub(crate) field_ref: Option<FieldRef<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FieldRef<'a> {
    #[serde(borrow)]
    pub(crate) field_path: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VolumeMount<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    pub(crate) mount_path: Text<'a>,
    pub(crate) sub_path: Text<'a>,
    pub(crate) sub_path_expr: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecurityContext<'a> {
    pub(crate) privileged: Flag,
    pub(crate) run_as_non_root: Option<Flag>,
    pub(crate) run_as_user: Option<Int>,
    #[serde(borrow)]
    pub(crate) capabilities: Option<Capabilities<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Capabilities<'a> {
    #[serde(borrow)]
    pub(crate) add: List<Text<'a>>,
    pub(crate) drop: List<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Port {
    pub(crate) container_port: Int,
    pub(crate) host_port: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Lifecycle<'a> {
    #[serde(borrow)]
    pub(crate) post_start: Option<Handler<'a>>,
    pub(crate) pre_stop: Option<Handler<'a>>,
}

/// A probe or a lifecycle hook.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Handler<'a> {
    #[serde(borrow)]
    pub(crate) exec: Option<Exec<'a>>,
    pub(crate) http_get: Option<ProbePort>,
    pub(crate) tcp_socket: Option<ProbePort>,
}

/// What a probe connects to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProbePort {
    pub(crate) port: Int,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Exec<'a> {
    #[serde(borrow)]
    pub(crate) command: List<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Volume<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    pub(crate) host_path: Option<HostPathSource<'a>>,
    pub(crate) empty_dir: Option<serde::de::IgnoredAny>,
    pub(crate) persistent_volume_claim: Option<ClaimSource<'a>>,
}

/// `hostPath`, or `local` of a PersistentVolume (which has no `type`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostPathSource<'a> {
    #[serde(borrow)]
    pub(crate) path: Text<'a>,
    #[serde(rename = "type")]
    pub(crate) kind: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClaimSource<'a> {
    #[serde(borrow)]
    pub(crate) claim_name: Text<'a>,
}

//! The parts of Kubernetes objects that rules read, borrowed from the input. Unknown fields are
//! skipped unparsed.
//!
//! One set of shapes serves every kind: a field that a kind does not have is simply absent. Which
//! of them is the pod template is decided in `workload`. Names follow the API; `managedFields` and
//! `status` are never read.

use super::shape::shape;
use super::text::{Annotations, IsSet, LenientBool, LenientInt, LenientStr, List, TextMap};

shape! {
    /// Any object: the envelope, and the places in which a pod template or a volume source can be.
    pub struct Object<'a> {
        pub(crate) api_version: LenientStr<'a> = "apiVersion",
        pub(crate) kind: LenientStr<'a> = "kind",
        pub(crate) metadata: Metadata<'a> = "metadata",
        pub(crate) spec: Option<Box<Spec<'a>>> = "spec",
        /// `PodTemplate` has its template at the top.
        pub(crate) template: Option<Box<Template<'a>>> = "template",
        /// RuntimeClass.
        pub(crate) handler: LenientStr<'a> = "handler",
    }
}

impl<'a> Object<'a> {
    /// Sets what a list implies for an item that does not say it.
    pub(crate) fn set_type(&mut self, api_version: LenientStr<'a>, kind: LenientStr<'a>) {
        (self.api_version, self.kind) = (api_version, kind);
    }

    /// The reference to the object's controller.
    pub(crate) fn controller(&self) -> Option<&OwnerReference<'a>> {
        let mut references = self.metadata.owner_references.iter();
        references.find(|reference| reference.controller.0)
    }
}

shape! {
    pub(crate) struct Metadata<'a> {
        pub(crate) name: LenientStr<'a> = "name",
        pub(crate) generate_name: LenientStr<'a> = "generateName",
        pub(crate) namespace: LenientStr<'a> = "namespace",
        pub(crate) uid: LenientStr<'a> = "uid",
        pub(crate) deletion_timestamp: Option<LenientStr<'a>> = "deletionTimestamp",
        pub(crate) labels: TextMap<'a> = "labels",
        pub(crate) annotations: Annotations<'a> = "annotations",
        pub(crate) owner_references: List<OwnerReference<'a>> = "ownerReferences",
    }

    pub(crate) struct OwnerReference<'a> {
        pub(crate) api_version: LenientStr<'a> = "apiVersion",
        pub(crate) kind: LenientStr<'a> = "kind",
        pub(crate) name: LenientStr<'a> = "name",
        pub(crate) uid: LenientStr<'a> = "uid",
        pub(crate) controller: LenientBool = "controller",
    }

    pub(crate) struct Template<'a> {
        pub(crate) metadata: Metadata<'a> = "metadata",
        pub(crate) spec: Option<Box<Spec<'a>>> = "spec",
    }

    pub(crate) struct JobTemplate<'a> {
        pub(crate) metadata: Metadata<'a> = "metadata",
        pub(crate) spec: Option<Box<Spec<'a>>> = "spec",
    }

    /// A pod spec, a workload's spec, or a PersistentVolume's spec.
    pub(crate) struct Spec<'a> {
        pub(crate) init_containers: List<Container<'a>> = "initContainers",
        pub(crate) containers: List<Container<'a>> = "containers",
        pub(crate) ephemeral_containers: List<Container<'a>> = "ephemeralContainers",
        pub(crate) volumes: List<Volume<'a>> = "volumes",
        pub(crate) host_network: LenientBool = "hostNetwork",
        pub(crate) service_account_name: LenientStr<'a> = "serviceAccountName",
        pub(crate) host_pid: LenientBool = "hostPID",
        pub(crate) share_process_namespace: LenientBool = "shareProcessNamespace",
        pub(crate) host_users: Option<LenientBool> = "hostUsers",
        pub(crate) template: Option<Box<Template<'a>>> = "template",
        pub(crate) job_template: Option<Box<JobTemplate<'a>>> = "jobTemplate",
        pub(crate) runtime_class_name: LenientStr<'a> = "runtimeClassName",
        pub(crate) node_selector: TextMap<'a> = "nodeSelector",
        pub(crate) tolerations: List<Toleration<'a>> = "tolerations",
        pub(crate) affinity: Option<Box<Affinity<'a>>> = "affinity",
        pub(crate) host_aliases: List<HostAlias<'a>> = "hostAliases",
        pub(crate) scheduling_gates: List<SchedulingGate<'a>> = "schedulingGates",
        pub(crate) security_context: Option<Box<PodSecurityContext<'a>>> = "securityContext",
        /// PersistentVolume.
        pub(crate) host_path: Option<HostPathSource<'a>> = "hostPath",
        /// PersistentVolume.
        pub(crate) local: Option<HostPathSource<'a>> = "local",
        /// PersistentVolume: the claim that it is bound to.
        pub(crate) claim_ref: Option<ClaimRef<'a>> = "claimRef",
        /// PersistentVolumeClaim: the volume that it asks for or has.
        pub(crate) volume_name: LenientStr<'a> = "volumeName",
        /// PersistentVolume and PersistentVolumeClaim; empty is a class, too.
        pub(crate) storage_class_name: Option<LenientStr<'a>> = "storageClassName",
        /// StatefulSet.
        pub(crate) volume_claim_templates: List<ClaimTemplate<'a>> = "volumeClaimTemplates",
        /// Where each of `containers` lies, for custom resources that keep them in other places.
        pub(crate) places: Vec<String>,
    }

    /// While a Pod has one, it is not given to a node.
    pub(crate) struct SchedulingGate<'a> {
        name: LenientStr<'a> = "name",
    }

    /// Which nodes a Pod must have; what it merely prefers is not read.
    pub(crate) struct Affinity<'a> {
        pub(crate) node_affinity: Option<NodeAffinity<'a>> = "nodeAffinity",
    }

    pub(crate) struct NodeAffinity<'a> {
        pub(crate) required: Option<NodeSelector<'a>> =
            "requiredDuringSchedulingIgnoredDuringExecution",
    }

    pub(crate) struct NodeSelector<'a> {
        pub(crate) node_selector_terms: List<NodeSelectorTerm<'a>> = "nodeSelectorTerms",
    }

    pub(crate) struct NodeSelectorTerm<'a> {
        pub(crate) match_expressions: List<NodeRequirement<'a>> = "matchExpressions",
    }

    pub(crate) struct NodeRequirement<'a> {
        pub(crate) key: LenientStr<'a> = "key",
        pub(crate) operator: LenientStr<'a> = "operator",
        pub(crate) values: List<LenientStr<'a>> = "values",
    }

    pub(crate) struct ClaimRef<'a> {
        pub(crate) namespace: LenientStr<'a> = "namespace",
        pub(crate) name: LenientStr<'a> = "name",
    }

    /// A claim that a controller makes from this.
    pub(crate) struct ClaimTemplate<'a> {
        pub(crate) metadata: Metadata<'a> = "metadata",
        pub(crate) spec: Option<Box<ClaimSpec<'a>>> = "spec",
    }

    pub(crate) struct ClaimSpec<'a> {
        pub(crate) volume_name: LenientStr<'a> = "volumeName",
        pub(crate) storage_class_name: Option<LenientStr<'a>> = "storageClassName",
    }

    /// A generic ephemeral volume.
    pub(crate) struct EphemeralSource<'a> {
        pub(crate) template: Option<ClaimTemplate<'a>> = "volumeClaimTemplate",
    }

    pub(crate) struct Toleration<'a> {
        pub(crate) key: LenientStr<'a> = "key",
        pub(crate) value: LenientStr<'a> = "value",
    }

    pub(crate) struct HostAlias<'a> {
        pub(crate) ip: LenientStr<'a> = "ip",
        pub(crate) hostnames: List<LenientStr<'a>> = "hostnames",
    }

    pub(crate) struct PodSecurityContext<'a> {
        pub(crate) run_as_non_root: Option<LenientBool> = "runAsNonRoot",
        pub(crate) run_as_user: Option<LenientInt> = "runAsUser",
        pub(crate) sysctls: List<Sysctl<'a>> = "sysctls",
        pub(crate) app_armor_profile: Option<Profile<'a>> = "appArmorProfile",
        pub(crate) windows_options: Option<WindowsOptions> = "windowsOptions",
    }

    pub(crate) struct Sysctl<'a> {
        pub(crate) name: LenientStr<'a> = "name",
    }

    pub(crate) struct Container<'a> {
        pub(crate) name: LenientStr<'a> = "name",
        pub(crate) image: LenientStr<'a> = "image",
        pub(crate) image_pull_policy: LenientStr<'a> = "imagePullPolicy",
        pub(crate) ports: List<Port<'a>> = "ports",
        pub(crate) command: List<LenientStr<'a>> = "command",
        pub(crate) args: List<LenientStr<'a>> = "args",
        pub(crate) working_dir: LenientStr<'a> = "workingDir",
        pub(crate) env: List<EnvVar<'a>> = "env",
        pub(crate) env_from: IsSet = "envFrom",
        pub(crate) volume_mounts: List<VolumeMount<'a>> = "volumeMounts",
        pub(crate) security_context: Option<Box<SecurityContext<'a>>> = "securityContext",
        pub(crate) lifecycle: Option<Box<Lifecycle<'a>>> = "lifecycle",
        pub(crate) liveness_probe: Option<Box<Handler<'a>>> = "livenessProbe",
        pub(crate) readiness_probe: Option<Box<Handler<'a>>> = "readinessProbe",
        pub(crate) startup_probe: Option<Box<Handler<'a>>> = "startupProbe",
        /// Tekton: a script that takes the place of the command.
        pub(crate) script: LenientStr<'a> = "script",
        /// Argo Workflows: a script that the command is given as a file.
        pub(crate) source: LenientStr<'a> = "source",
    }
}

impl<'a> Container<'a> {
    /// Lifecycle hooks and probes, each with its field.
    fn handlers(&self) -> impl Iterator<Item = (&'static str, &Handler<'a>)> {
        let lifecycle = self.lifecycle.as_deref();
        let handlers = [
            (
                "lifecycle.postStart",
                lifecycle.and_then(|lifecycle| lifecycle.post_start.as_deref()),
            ),
            (
                "lifecycle.preStop",
                lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_deref()),
            ),
            ("livenessProbe", self.liveness_probe.as_deref()),
            ("readinessProbe", self.readiness_probe.as_deref()),
            ("startupProbe", self.startup_probe.as_deref()),
        ];
        handlers
            .into_iter()
            .filter_map(|(place, handler)| Some((place, handler?)))
    }

    /// The ways in which kubelet connects to something for lifecycle hooks and probes: the field of
    /// each hook or probe, the way's below it, and what it connects to.
    pub(crate) fn probed(
        &self,
    ) -> impl Iterator<Item = (&'static str, &'static str, &ProbePort<'a>)> {
        self.handlers().flat_map(|(place, handler)| {
            let ways = [
                ("httpGet", &handler.http_get),
                ("tcpSocket", &handler.tcp_socket),
                ("grpc", &handler.grpc),
            ];
            ways.into_iter()
                .filter_map(move |(way, port)| Some((place, way, port.as_ref()?)))
        })
    }

    /// The commands of lifecycle hooks and probes, with the field of each hook or probe.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (&'static str, &[LenientStr<'a>])> {
        self.handlers()
            .filter_map(|(place, handler)| Some((place, &*handler.exec.as_ref()?.command)))
    }

    /// The number of the port that `text` gives or names; `None` for a name that no port has.
    pub(crate) fn port_number(&self, text: &str) -> Option<i64> {
        let named = || self.ports.iter().find(|port| *port.name == *text);
        text.parse().ok().or_else(|| named()?.container_port.0)
    }
}

shape! {
    pub(crate) struct EnvVar<'a> {
        pub(crate) name: LenientStr<'a> = "name",
        pub(crate) value: LenientStr<'a> = "value",
        pub(crate) value_from: Option<ValueFrom<'a>> = "valueFrom",
    }
}

impl EnvVar<'_> {
    /// True for a value that is a label or an annotation of the Pod: these can change after the
    /// Pod was reviewed, through its status or when it is bound to a node.
    pub(crate) fn can_change(&self) -> bool {
        let field = self.value_from.as_ref();
        let field = field.and_then(|source| source.field_ref.as_ref());
        field.is_some_and(|field| {
            let path = &field.field_path;
            path.starts_with("metadata.labels") || path.starts_with("metadata.annotations")
        })
    }
}

shape! {
    pub(crate) struct ValueFrom<'a> {
        pub(crate) field_ref: Option<FieldRef<'a>> = "fieldRef",
    }

    pub(crate) struct FieldRef<'a> {
        pub(crate) field_path: LenientStr<'a> = "fieldPath",
    }

    pub(crate) struct VolumeMount<'a> {
        pub(crate) name: LenientStr<'a> = "name",
        pub(crate) mount_path: LenientStr<'a> = "mountPath",
        pub(crate) sub_path: LenientStr<'a> = "subPath",
        pub(crate) sub_path_expr: LenientStr<'a> = "subPathExpr",
    }

    pub(crate) struct SecurityContext<'a> {
        pub(crate) privileged: LenientBool = "privileged",
        pub(crate) run_as_non_root: Option<LenientBool> = "runAsNonRoot",
        pub(crate) run_as_user: Option<LenientInt> = "runAsUser",
        pub(crate) capabilities: Option<Capabilities<'a>> = "capabilities",
        pub(crate) app_armor_profile: Option<Profile<'a>> = "appArmorProfile",
        pub(crate) windows_options: Option<WindowsOptions> = "windowsOptions",
    }

    pub(crate) struct WindowsOptions {
        pub(crate) host_process: Option<LenientBool> = "hostProcess",
    }

    /// An AppArmor profile.
    pub(crate) struct Profile<'a> {
        pub(crate) localhost_profile: LenientStr<'a> = "localhostProfile",
    }

    pub(crate) struct Capabilities<'a> {
        pub(crate) add: List<LenientStr<'a>> = "add",
        pub(crate) drop: List<LenientStr<'a>> = "drop",
    }

    pub(crate) struct Port<'a> {
        pub(crate) name: LenientStr<'a> = "name",
        pub(crate) container_port: LenientInt = "containerPort",
        pub(crate) host_port: LenientInt = "hostPort",
    }

    pub(crate) struct Lifecycle<'a> {
        pub(crate) post_start: Option<Box<Handler<'a>>> = "postStart",
        pub(crate) pre_stop: Option<Box<Handler<'a>>> = "preStop",
    }

    /// A probe or a lifecycle hook.
    pub(crate) struct Handler<'a> {
        pub(crate) exec: Option<Exec<'a>> = "exec",
        pub(crate) http_get: Option<ProbePort<'a>> = "httpGet",
        pub(crate) tcp_socket: Option<ProbePort<'a>> = "tcpSocket",
        pub(crate) grpc: Option<ProbePort<'a>> = "grpc",
    }

    /// What a probe connects to.
    pub(crate) struct ProbePort<'a> {
        /// Empty for the Pod's own address.
        pub(crate) host: LenientStr<'a> = "host",
        /// A number, or the name of one of the container's ports.
        pub(crate) port: LenientStr<'a> = "port",
    }

    pub(crate) struct Exec<'a> {
        pub(crate) command: List<LenientStr<'a>> = "command",
    }

    pub(crate) struct Volume<'a> {
        pub(crate) name: LenientStr<'a> = "name",
        pub(crate) host_path: Option<HostPathSource<'a>> = "hostPath",
        pub(crate) empty_dir: IsSet = "emptyDir",
        pub(crate) persistent_volume_claim: Option<ClaimSource<'a>> = "persistentVolumeClaim",
        pub(crate) ephemeral: Option<Box<EphemeralSource<'a>>> = "ephemeral",
        pub(crate) image: Option<ImageSource<'a>> = "image",
    }

    /// An image as a volume.
    pub(crate) struct ImageSource<'a> {
        pub(crate) reference: LenientStr<'a> = "reference",
    }

    /// `hostPath`, or `local` of a PersistentVolume (which has no `type`).
    pub(crate) struct HostPathSource<'a> {
        pub(crate) path: LenientStr<'a> = "path",
        pub(crate) kind: LenientStr<'a> = "type",
    }

    pub(crate) struct ClaimSource<'a> {
        pub(crate) claim_name: LenientStr<'a> = "claimName",
    }
}

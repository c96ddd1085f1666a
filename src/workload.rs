//! The normalised view of an object that rules see, whatever it came from: a review, a manifest, a
//! list, a log.

pub(crate) mod address;
pub mod budget;
pub(crate) mod catalog;
mod container;
pub(crate) mod derived_owner;
pub mod host_path;
pub mod image;
pub mod inner_pod;
pub(crate) mod lenient_str;
pub mod object;
mod overrides;
pub(crate) mod owner;
pub mod pod;
mod related_objects;
pub(crate) mod rendered;
pub(crate) mod search;
pub(crate) mod series;
pub(crate) mod shape;
pub mod shell;
pub mod string_fields;
pub mod text;
pub(crate) mod variables;

pub use overrides::Overrides;
pub use owner::{Owner, OwnerSource};
pub(crate) use related_objects::Match;
pub use related_objects::{ClaimedPath, DATA_ROOT_SETTINGS, NodeNames, RelatedObjects};

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::kinds;
use budget::Budget;
use host_path::HostPath;
use inner_pod::InnerPod;
use object::{Metadata, Object, OwnerReference, Spec};
use pod::{HostMount, MountUser, Pod};
use string_fields::StringFields;
use text::{Annotations, TextMap};
use variables::Identity;

/// An object as rules see it.
#[derive(Debug)]
pub struct Workload<'a> {
    pub(crate) object: &'a Object<'a>,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: &'a str,
    /// Name, or `generateName` where there is no name yet.
    pub name: &'a str,
    /// The object that a person edits.
    pub owner: Owner<'a>,
    /// The pod spec, if the kind has one.
    pub pod: Option<Pod<'a>>,
    /// All texts, for kinds that are judged by them.
    pub string_fields: StringFields,
    /// For a node: the runtime families of all nodes.
    pub(crate) runtimes: BTreeSet<String>,
    /// Another object says that the handler of the Pod's runtime class is Docker.
    pub(crate) has_docker_class: bool,
    volume: Vec<HostMount<'a>>,
    /// Something of the object is left out, because the budget did not suffice.
    pub is_cut: bool,
    /// What of a Pod is judged.
    pub(crate) share: Share,
    /// What its evaluation may cost.
    pub budget: Budget,
    /// The pods inside a custom resource, each as a workload of its own under the same name.
    pub(crate) parts: Vec<Self>,
    /// See [`InnerPod::moved`].
    pub(crate) moved: &'a [(String, String)],
}

/// What of a Pod is judged. A Pod that something else owns has two owners: what lies in its
/// ephemeral containers is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// All of it.
    All,
    /// What its owner's template can hold.
    Template,
    /// Its ephemeral containers.
    Ephemeral,
}

impl Share {
    /// True if a finding in an ephemeral container, or one outside of it, belongs to it.
    pub(crate) fn holds(self, is_ephemeral: bool) -> bool {
        match self {
            Self::All => true,
            Self::Template => !is_ephemeral,
            Self::Ephemeral => is_ephemeral,
        }
    }
}

impl<'a> Workload<'a> {
    /// Adds the texts by which objects without a pod are judged.
    pub fn read_texts(&mut self, mut string_fields: StringFields) {
        match self.kind() {
            "ConfigMap" => string_fields.decode("binaryData"),
            "Secret" => string_fields.decode("data"),
            _ => {}
        }
        self.is_cut |= string_fields.is_cut();
        self.budget = Budget::TEXTS;
        self.string_fields = string_fields;
    }

    /// The view of `object`, by the built-in tables alone.
    pub fn new(object: &'a Object<'a>, namespace: &'a str) -> Self {
        Self::with_overrides(object, namespace, &overrides::NOTHING)
    }

    /// The view of `object`. `namespace` is used where the object names none, as the API server
    /// does.
    pub fn with_overrides(
        object: &'a Object<'a>,
        namespace: &'a str,
        overrides: &'a Overrides,
    ) -> Self {
        let own = object.metadata.namespace.as_str();
        let namespace = if !own.is_empty() {
            own
        } else if kinds::find(&object.kind).is_some_and(|kind| !kind.is_namespaced) {
            ""
        } else {
            namespace
        };
        let pod = pod_spec(object)
            .map(|(spec, path)| Pod::new(spec, path, overrides, identity(object, path, namespace)));
        Self {
            volume: persistent_volume(object, overrides),
            ..Self::of_pod(object, namespace, derived_owner::of(object), pod)
        }
    }

    /// The view of `object` with nothing but `pod`.
    fn of_pod(
        object: &'a Object<'a>,
        namespace: &'a str,
        owner: Owner<'a>,
        pod: Option<Pod<'a>>,
    ) -> Self {
        Self {
            object,
            namespace,
            name: owner::own_name(object),
            owner,
            pod,
            string_fields: StringFields::default(),
            runtimes: BTreeSet::new(),
            has_docker_class: false,
            volume: Vec::new(),
            is_cut: false,
            share: Share::All,
            budget: Budget::OBJECT,
            parts: Vec::new(),
            moved: &[],
        }
    }

    /// Adds the pods inside a custom resource, those that are no pod template of the object itself.
    pub fn add_pods(&mut self, inner: &'a [InnerPod<'a>], overrides: &'a Overrides) {
        let own = self.pod.as_ref().map(|pod| pod.path);
        let identity = Identity {
            name: "",
            namespace: self.namespace,
            metadata: None,
        };
        for inner in inner.iter().filter(|pod| own != Some(&pod.path)) {
            let pod = Pod::new(&inner.spec, &inner.path, overrides, identity);
            self.parts.push(Self {
                moved: &inner.moved,
                ..Self::of_pod(self.object, self.namespace, self.owner.clone(), Some(pod))
            });
        }
    }

    /// Adds what other objects say: the host paths behind the claims of its Pod, the runtimes of
    /// its fellow nodes.
    pub fn relate_to(&mut self, related_objects: &RelatedObjects) {
        let templates = (self.object.spec.as_ref()).map(|spec| &*spec.volume_claim_templates);
        if let Some(pod) = &mut self.pod {
            pod.relate_to(related_objects, templates.unwrap_or_default());
            self.has_docker_class = related_objects.is_docker_class(&pod.spec.runtime_class_name);
        }
        if self.kind() == "Node" {
            self.runtimes.clone_from(related_objects.runtimes());
        }
        self.parts
            .iter_mut()
            .for_each(|part| part.relate_to(related_objects));
    }

    /// What a node says runs its containers, such as `containerd://2.1.4`.
    pub(crate) fn node_runtime(&self) -> Option<&str> {
        self.string_fields
            .get("status.nodeInfo.containerRuntimeVersion")
            .filter(|_| self.kind() == "Node")
    }

    /// Kind of the object itself.
    pub fn kind(&self) -> &'a str {
        self.object.kind.as_str()
    }

    /// `apiVersion` of the object itself.
    pub fn api_version(&self) -> &'a str {
        self.object.api_version.as_str()
    }

    /// True for an object that is marked for deletion.
    pub fn is_being_deleted(&self) -> bool {
        self.object
            .metadata
            .deletion_timestamp
            .as_ref()
            .is_some_and(|time| !time.is_empty())
    }

    /// True for the Pod that the kubelet of `node` shows in the API for a file on its node. The
    /// node decides about it: what the API server refuses runs all the same, and is then seen by
    /// nobody.
    pub fn is_mirror_of(&self, node: &str) -> bool {
        let metadata = &self.object.metadata;
        let is_of_node = metadata
            .owner_references
            .iter()
            .any(|owner| *owner.kind == *"Node" && *owner.name == *node);
        let mark = metadata.annotations.get("kubernetes.io/config.mirror");
        self.kind() == "Pod" && is_of_node && mark.is_some()
    }

    /// The reference to the controller of the object.
    pub(crate) fn controller(&self) -> Option<&'a OwnerReference<'a>> {
        self.object.controller()
    }

    /// True if a controller made the object.
    pub fn has_controller(&self) -> bool {
        self.controller().is_some()
    }

    /// True for what controllers make Pods from.
    pub fn makes_pods(&self) -> bool {
        self.pod.as_ref().is_some_and(|pod| pod.path != "spec")
    }

    /// True if the Pod has an ephemeral container of this name.
    pub(crate) fn has_ephemeral(&self, container: Option<&str>) -> bool {
        let spec = self.pod.as_ref().map(|pod| pod.spec);
        let mut ephemeral = spec
            .iter()
            .flat_map(|spec| spec.ephemeral_containers.iter());
        container.is_some_and(|name| ephemeral.any(|container| *container.name == *name))
    }

    /// True if the object is what a person edits.
    pub(crate) fn is_own_owner(&self) -> bool {
        *self.kind() == *self.owner.kind && *self.name == *self.owner.name
    }

    /// Limits the view of a Pod to its ephemeral containers, of which it is the owner itself, or to
    /// all else. A Pod that nothing owns is seen as a whole.
    pub(crate) fn limit_to(&mut self, share: Share) {
        if self.kind() != "Pod" || self.is_own_owner() {
            return;
        }
        self.share = share;
        if share == Share::Ephemeral {
            self.owner = owner::own(self.object);
        }
    }

    /// The annotations of a CronJob's `jobTemplate.metadata`.
    pub(crate) fn job_template_annotations(&self) -> Option<&'a Annotations<'a>> {
        let job = self.object.spec.as_ref()?.job_template.as_ref()?;
        Some(&job.metadata.annotations)
    }

    /// The annotations of the object and of its pod template, with the field path of their
    /// metadata.
    pub fn annotations(&self) -> impl Iterator<Item = (Cow<'static, str>, &'a Annotations<'a>)> {
        let own = std::iter::once(("metadata".into(), &self.object.metadata.annotations));
        let path = self
            .pod
            .as_ref()
            .and_then(|pod| pod.path.strip_suffix(".spec"));
        let template = template_metadata(self.object).zip(path);
        own.chain(
            template
                .map(|(metadata, path)| (format!("{path}.metadata").into(), &metadata.annotations)),
        )
    }

    /// The labels of the object itself.
    pub fn labels(&self) -> &'a TextMap<'a> {
        &self.object.metadata.labels
    }

    /// True for a Pod that waits for somebody to take a gate away.
    pub(crate) fn is_gated(&self) -> bool {
        let spec = self.pod.as_ref().map(|pod| pod.spec);
        self.kind() == "Pod" && spec.is_some_and(|spec| !spec.scheduling_gates.is_empty())
    }

    /// The images of all containers and image volumes, as written.
    pub fn images(&self) -> impl Iterator<Item = &'a str> {
        let pods = self
            .pod
            .iter()
            .chain(self.parts.iter().filter_map(|part| part.pod.as_ref()));
        pods.flat_map(|pod| {
            let containers = pod.containers.iter();
            let volumes = pod.spec.volumes.iter();
            let volumes = volumes.filter_map(|volume| volume.image.as_ref());
            containers
                .map(|container| container.raw.image.as_str())
                .chain(volumes.map(|image| image.reference.as_str()))
        })
    }

    /// Every host path that the object mounts or offers.
    pub(crate) fn host_mounts(&self) -> &[HostMount<'a>] {
        self.pod
            .as_ref()
            .map_or(&self.volume, |pod| &pod.host_mounts)
    }

    /// The containers, none for kinds without a pod spec.
    pub(crate) fn containers(&self) -> &[pod::Container<'a>] {
        self.pod.as_ref().map_or(&[], |pod| &pod.containers)
    }
}

/// Where the pod spec lies. Kinds are not listed: any object with a template at one of the places
/// has one, whatever its API version, which is how Rollouts, DeploymentConfigs and Knative Services
/// are understood.
fn pod_spec<'a>(object: &'a Object<'a>) -> Option<(&'a Spec<'a>, &'static str)> {
    if let Some(template) = object
        .template
        .as_ref()
        .filter(|_| object.kind.as_str() == "PodTemplate")
    {
        return template.spec.as_deref().map(|spec| (spec, "template.spec"));
    }
    let spec = object.spec.as_ref()?;
    // The template of an ApplicationSet is one of Applications.
    let (group, _) = object.api_version.split_once('/').unwrap_or_default();
    if rendered::is_rendered(group, &object.kind) {
        return None;
    }
    if let Some(template) = spec
        .job_template
        .as_ref()
        .and_then(|job| job.spec.as_deref()?.template.as_ref())
    {
        return template
            .spec
            .as_deref()
            .map(|spec| (spec, "spec.jobTemplate.spec.template.spec"));
    }
    if let Some(template) = &spec.template {
        return template
            .spec
            .as_deref()
            .map(|spec| (spec, "spec.template.spec"));
    }
    let has_containers = !(spec.containers.is_empty()
        && spec.init_containers.is_empty()
        && spec.ephemeral_containers.is_empty());
    (object.kind.as_str() == "Pod" || has_containers).then_some((spec, "spec"))
}

/// What is known of the Pod whose spec lies at `path` of `object`.
fn identity<'a>(object: &'a Object<'a>, path: &str, namespace: &'a str) -> Identity<'a> {
    let is_pod = path == "spec" && object.kind.as_str() == "Pod";
    Identity {
        name: if is_pod { &object.metadata.name } else { "" },
        namespace,
        metadata: if is_pod {
            Some(&object.metadata)
        } else {
            template_metadata(object)
        },
    }
}

/// The metadata of the pod template.
fn template_metadata<'a>(object: &'a Object<'a>) -> Option<&'a Metadata<'a>> {
    let spec = object.spec.as_ref();
    let job = spec.and_then(|spec| {
        spec.job_template
            .as_ref()?
            .spec
            .as_deref()?
            .template
            .as_ref()
    });
    let template = object
        .template
        .as_ref()
        .or(job)
        .or(spec.and_then(|spec| spec.template.as_ref()))?;
    Some(&template.metadata)
}

/// The host path that a PersistentVolume offers: `hostPath`, or `local` on nodes that it names.
fn persistent_volume<'a>(object: &'a Object<'a>, overrides: &Overrides) -> Vec<HostMount<'a>> {
    let Some(spec) = object
        .spec
        .as_ref()
        .filter(|_| object.kind.as_str() == "PersistentVolume")
    else {
        return Vec::new();
    };
    let sources = [
        (spec.host_path.as_ref(), "spec.hostPath.path"),
        (spec.local.as_ref(), "spec.local.path"),
    ];
    let offered = sources
        .into_iter()
        .filter_map(|(source, field)| Some((source?, field)));
    offered
        .map(|(source, field)| {
            let path = HostPath::new(&source.path);
            HostMount {
                kind: source.kind.as_str().into(),
                is_named_socket: overrides.is_socket(&path),
                is_socket_parent: overrides.is_socket_parent(&path),
                field: field.to_owned(),
                usual_path: overrides.usual_path(&path),
                ..HostMount::new(owner::own_name(object), path, MountUser::Claims)
            }
        })
        .collect()
}

//! One item of a list, read without copying into the shapes that rules see: a broken one costs only
//! itself.

use serde_json::value::RawValue;

use crate::kinds::{Handling, Kind};
use crate::workload::object::{Metadata, Object};
use crate::workload::shape::shape;
use crate::workload::string_fields::StringFields;
use crate::workload::text::{LenientInt, LenientStr, List};

shape! {
    /// The parts of a controlled object that tell its owner.
    struct Head<'a> {
        metadata: Metadata<'a> = "metadata",
        spec: HeadSpec<'a> = "spec",
    }

    struct HeadSpec<'a> {
        node_name: LenientStr<'a> = "nodeName",
    }
}

/// Reads an item into the shapes that rules see.
///
/// # Errors
/// Where a workload has another shape than the API gives it. What is judged by its texts needs only
/// its metadata.
pub(super) fn object<'a>(
    item: &'a RawValue,
    kind: &'a Kind,
    api_version: &'a str,
) -> Result<Object<'a>, serde_json::Error> {
    let mut object: Object<'a> = match serde_json::from_str(item.get()) {
        Ok(object) => object,
        Err(_) if matches!(kind.handling, Handling::Text) || !kind.is_built_in() => head(item)?.0,
        Err(error) => return Err(error),
    };
    object.set_type(LenientStr::from(api_version), LenientStr::from(kind.name));
    Ok(object)
}

/// Reads the metadata of an item, and the node that it is bound to.
///
/// # Errors
/// Where there is no metadata as the API gives it.
pub(super) fn head<'a>(
    item: &'a RawValue,
) -> Result<(Object<'a>, LenientStr<'a>), serde_json::Error> {
    let Head { metadata, spec } = serde_json::from_str(item.get())?;
    Ok((
        Object {
            metadata,
            ..Object::default()
        },
        spec.node_name,
    ))
}

shape! {
    /// The containers and host paths of a Pod, by name and path.
    pub(super) struct Parts<'a> {
        spec: PartsSpec<'a> = "spec",
    }

    struct PartsSpec<'a> {
        init_containers: List<Named<'a>> = "initContainers",
        containers: List<Named<'a>> = "containers",
        ephemeral_containers: List<Named<'a>> = "ephemeralContainers",
        volumes: List<HostVolume<'a>> = "volumes",
    }

    struct Named<'a> {
        name: LenientStr<'a> = "name",
    }

    struct HostVolume<'a> {
        host_path: Option<HostSource<'a>> = "hostPath",
    }

    struct HostSource<'a> {
        path: LenientStr<'a> = "path",
    }

    struct Replicated<'a> {
        spec: ReplicatedSpec<'a> = "spec",
    }

    struct ReplicatedSpec<'a> {
        replicas: LenientInt = "replicas",
        template: Parts<'a> = "template",
    }
}

impl<'a> Parts<'a> {
    /// Reads `item`; what has another shape has none.
    pub(super) fn of(item: &'a RawValue) -> Self {
        serde_json::from_str(item.get()).unwrap_or_default()
    }

    /// Those of the template of a ReplicaSet or a Job; none if it has no Pods any more.
    pub(super) fn of_template(item: &'a RawValue) -> Option<Self> {
        let Replicated { spec } = serde_json::from_str(item.get()).unwrap_or_default();
        let is_old = spec.replicas.0 == Some(0);
        (!is_old).then_some(spec.template)
    }

    /// Names of all containers.
    pub(super) fn containers(&self) -> impl Iterator<Item = &str> {
        let spec = &self.spec;
        let lists = [
            &spec.init_containers,
            &spec.containers,
            &spec.ephemeral_containers,
        ];
        let names = lists.into_iter().flat_map(|list| list.iter());
        names.map(|container| container.name.as_str())
    }

    /// Paths of the volumes that lie on the node.
    pub(super) fn host_paths(&self) -> impl Iterator<Item = &str> {
        let volumes = self.spec.volumes.iter();
        let sources = volumes.filter_map(|volume| volume.host_path.as_ref());
        sources.map(|source| source.path.as_str())
    }
}

shape! {
    /// What an item tells besides what rules see.
    pub(super) struct Aside<'a> {
        metadata: AsideMetadata<'a> = "metadata",
        spec: AsideSpec<'a> = "spec",
    }

    struct AsideMetadata<'a> {
        managed_fields: List<ManagedFields<'a>> = "managedFields",
    }

    struct ManagedFields<'a> {
        manager: LenientStr<'a> = "manager",
        subresource: LenientStr<'a> = "subresource",
        time: LenientStr<'a> = "time",
    }

    struct AsideSpec<'a> {
        schedule: LenientStr<'a> = "schedule",
    }
}

impl<'a> Aside<'a> {
    /// Reads `item`; what has another shape tells nothing.
    pub(super) fn of(item: &'a RawValue) -> Self {
        serde_json::from_str(item.get()).unwrap_or_default()
    }

    /// The field manager that wrote the object itself last.
    pub(super) fn manager(&self) -> &str {
        let own = self
            .metadata
            .managed_fields
            .iter()
            .filter(|fields| fields.subresource.is_empty());
        own.max_by_key(|fields| fields.time.as_str())
            .map_or("", |fields| fields.manager.as_str())
    }

    /// `spec.schedule`.
    pub(super) fn schedule(&self) -> &str {
        &self.spec.schedule
    }
}

/// All texts of an item.
pub(super) fn string_fields(item: &RawValue) -> StringFields {
    serde_json::from_str(item.get()).unwrap_or_default()
}

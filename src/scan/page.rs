//! One item of a list, read without copying into the shapes that rules see: a broken one costs only itself.

use serde_json::value::RawValue;

use crate::kinds::{Handling, Kind};
use crate::workload::leaves::Leaves;
use crate::workload::object::{Metadata, Object};
use crate::workload::shape::shape;
use crate::workload::text::{List, Text};

shape! {
    /// The parts of a controlled object that tell its owner.
    struct Head<'a> {
        metadata: Metadata<'a> = "metadata",
        spec: HeadSpec<'a> = "spec",
    }
}

shape! {
    struct HeadSpec<'a> {
        node_name: Text<'a> = "nodeName",
    }
}

/// Reads an item into the shapes that rules see.
///
/// # Errors
/// Where a workload has another shape than the API gives it. What is judged by its texts needs only its metadata.
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
    object.set_type(Text::from(api_version), Text::from(kind.name));
    Ok(object)
}

/// Reads the metadata of an item, and the node that it is bound to.
///
/// # Errors
/// Where there is no metadata as the API gives it.
pub(super) fn head<'a>(item: &'a RawValue) -> Result<(Object<'a>, Text<'a>), serde_json::Error> {
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
    struct PodNames<'a> {
        spec: PodSpecNames<'a> = "spec",
    }
}

shape! {
    struct PodSpecNames<'a> {
        init_containers: List<Named<'a>> = "initContainers",
        containers: List<Named<'a>> = "containers",
        ephemeral_containers: List<Named<'a>> = "ephemeralContainers",
    }
}

shape! {
    struct Named<'a> {
        name: Text<'a> = "name",
    }
}

/// The names of all containers of a Pod; of what has another shape none.
pub(super) fn containers(item: &RawValue) -> Vec<Text<'_>> {
    let PodNames { spec } = serde_json::from_str(item.get()).unwrap_or_default();
    let lists = [
        spec.init_containers,
        spec.containers,
        spec.ephemeral_containers,
    ];
    let names = lists.iter().flat_map(|list| list.iter());
    names.map(|container| container.name.clone()).collect()
}

shape! {
    /// What an item tells besides what rules see.
    pub(super) struct Aside<'a> {
        metadata: AsideMetadata<'a> = "metadata",
        spec: AsideSpec<'a> = "spec",
    }
}

shape! {
    struct AsideMetadata<'a> {
        managed_fields: List<ManagedFields<'a>> = "managedFields",
    }
}

shape! {
    struct ManagedFields<'a> {
        manager: Text<'a> = "manager",
        subresource: Text<'a> = "subresource",
        time: Text<'a> = "time",
    }
}

shape! {
    struct AsideSpec<'a> {
        schedule: Text<'a> = "schedule",
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
pub(super) fn leaves(item: &RawValue) -> Leaves {
    serde_json::from_str(item.get()).unwrap_or_default()
}

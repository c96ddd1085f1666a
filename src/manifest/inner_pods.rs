//! Pods inside custom resources: pod specs wherever they lie, the templates of Argo Workflows, the
//! steps of Tekton.

use std::borrow::Cow;

use super::tree::{NodeId, Tree};
use crate::workload::inner_pod::InnerPod;
use crate::workload::object::{Container, Spec};
use crate::workload::text::List;

/// Custom resources hold pod specs at most this deep.
const MAX_DEPTH: usize = 24;
/// Templates of one object that are read; a workflow has dozens.
const MAX_TEMPLATES: usize = 1000;
/// Nodes that are looked at: aliases can make a small document look endless.
const MAX_NODES: usize = 200_000;

/// Finds the templates below `root`, the object itself aside, in the order of the document.
pub(super) fn find<'a>(tree: &'a Tree<'_>, root: NodeId) -> Vec<InnerPod<'a>> {
    let mut search = Search {
        tree,
        found: Vec::new(),
        nodes: 0,
    };
    // A step on its own is the spec of its object.
    if tree.get(root, "kind").and_then(|kind| tree.text(kind)) == Some("StepAction") {
        let step = tree.get(root, "spec");
        let step = step.and_then(|step| tree.read::<Container<'_>>(step).ok());
        let step = step.map(|step| pod_of("spec".to_owned(), "step", step));
        return step.into_iter().collect();
    }
    for (key, value) in tree.entries(root).iter() {
        // What others wrote about the object, and its state, are not the object.
        if let Some(key) = tree
            .text(*key)
            .filter(|key| !matches!(*key, "metadata" | "status"))
        {
            search.visit(*value, key.to_owned(), &Around::default(), 0);
        }
    }
    search.found
}

/// The pod of `container`, which is all that stands at `path`, and has this name if it has none.
fn pod_of<'a>(path: String, name: &str, mut container: Container<'a>) -> InnerPod<'a> {
    if container.name.is_empty() {
        container.name = name.to_owned().into();
    }
    let mut spec = Spec::default();
    spec.add_containers(vec![("step".into(), container)]);
    let moved = vec![(format!("{path}.step"), path.clone())];
    InnerPod { path, spec, moved }
}

/// What a workflow gives all of its templates.
#[derive(Clone, Default)]
struct Around {
    /// Its volumes, and the path of the map that holds them.
    volumes: Option<(NodeId, String)>,
    /// Argo's `templateDefaults`, and their path.
    defaults: Option<(NodeId, String)>,
}

struct Search<'a, 't> {
    tree: &'a Tree<'t>,
    found: Vec<InnerPod<'a>>,
    nodes: usize,
}

impl<'a> Search<'a, '_> {
    /// Looks at `node`, which lies at `path`.
    fn visit(&mut self, node: NodeId, path: String, around: &Around, depth: usize) {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES || self.found.len() >= MAX_TEMPLATES {
            return;
        }
        let tree = self.tree;
        for (at, element) in tree.elements(node).into_iter().enumerate() {
            self.visit(element, format!("{path}[{at}]"), around, depth + 1);
        }
        if !tree.is_map(node) {
            return;
        }
        if let Some((spec, moved)) = self.spec_at(node, &path, around) {
            self.found.push(InnerPod { path, spec, moved });
            return;
        }
        // A container under a name of the operator's own: `upgrade: {image: …, command: [...]}`.
        let has = |key: &str| tree.get(node, key);
        let is_called = ["command", "args"]
            .iter()
            .any(|key| has(key).is_some_and(|list| tree.is_list(list)));
        let is_container = has("image").is_some_and(|image| tree.text(image).is_some());
        if is_container && is_called && !path.ends_with(']') {
            let container = tree.read::<Container<'_>>(node).ok();
            self.found.extend(container.map(|container| {
                let name = path.rsplit('.').next().unwrap_or_default().to_owned();
                pod_of(path, &name, container)
            }));
            return;
        }
        // The templates of a workflow mount its volumes and have its defaults.
        let given = |key: &str| Some((tree.get(node, key)?, path.clone()));
        let around = match tree.get(node, "templates") {
            Some(_) => &Around {
                volumes: given("volumes"),
                defaults: given("templateDefaults"),
            },
            None => around,
        };
        for (key, value) in tree.entries(node).iter() {
            if let Some(key) = tree.text(*key) {
                let path = if key.contains('.') {
                    format!("{path}['{key}']")
                } else {
                    format!("{path}.{key}")
                };
                // Defaults are no pod of their own.
                if key != "templateDefaults" && key != "stepTemplate" {
                    self.visit(*value, path, around, depth + 1);
                }
            }
        }
    }

    /// The pod that the map at `node` describes, if it does, and what of it stands elsewhere.
    fn spec_at(
        &self,
        node: NodeId,
        path: &str,
        around: &Around,
    ) -> Option<(Spec<'a>, Vec<(String, String)>)> {
        let tree = self.tree;
        let is_container = |node: NodeId| {
            ["image", "command", "script", "source"]
                .iter()
                .any(|key| tree.get(node, key).is_some())
        };
        let lists_containers = |key: &str| {
            let list = tree.get(node, key).filter(|list| tree.is_list(*list));
            list.is_some_and(|list| {
                tree.elements(list)
                    .first()
                    .is_some_and(|first| is_container(*first))
            })
        };
        // An operator may bring the image, and a template may leave the containers to it
        // altogether.
        let is_extended = |node: NodeId| {
            ["volumeMounts", "env", "securityContext"]
                .iter()
                .any(|key| tree.get(node, key).is_some())
        };
        let extends = tree
            .get(node, "containers")
            .is_some_and(|list| tree.elements(list).into_iter().any(is_extended));
        let is_workflow = tree.get(node, "templates").is_some();
        let has_pod = lists_containers("containers")
            || lists_containers("initContainers")
            || extends
            || !is_workflow && self.has_host_path(node);
        let single = ["container", "script"]
            .into_iter()
            .filter(|key| tree.get(node, key).is_some_and(is_container));
        // Argo's `containerSet` gives its mounts to all of its containers.
        let mounts = tree.get(node, "volumeMounts");
        let shares_mounts = mounts.is_some_and(|mounts| tree.is_list(mounts));
        let listed = ["containers", "steps", "sidecars"]
            .into_iter()
            .filter(|key| lists_containers(key) && (*key != "containers" || shares_mounts));
        let (single, listed): (Vec<&str>, Vec<&str>) = (single.collect(), listed.collect());
        if !has_pod && single.is_empty() && listed.is_empty() {
            return None;
        }
        // Fields of another shape than a pod's are another thing.
        let mut spec: Spec<'_> = tree.read(node).ok()?;
        if listed.contains(&"containers") {
            spec.containers = List::default();
        }
        let mut moved = Vec::new();
        if let Some((volumes, place)) = &around.volumes {
            let volumes: List<_> = tree.read(*volumes).ok()?;
            let own = spec.volumes.len();
            moved.extend((0..volumes.len()).map(|at| {
                let here = format!("{path}.volumes[{}]", own + at);
                (here, format!("{place}.volumes[{at}]"))
            }));
            spec.volumes.append(volumes);
        }
        let mut extra: Vec<(Cow<'static, str>, Container<'_>)> = Vec::new();
        for key in single {
            extra.extend(
                tree.get(node, key)
                    .and_then(|node| tree.read(node).ok())
                    .map(|container| (key.into(), container)),
            );
        }
        for key in listed {
            let elements = tree
                .get(node, key)
                .map(|list| tree.elements(list))
                .unwrap_or_default();
            let read = elements
                .into_iter()
                .enumerate()
                .filter_map(|(at, node)| Some((at, tree.read(node).ok()?)));
            extra.extend(read.map(|(at, container)| (format!("{key}[{at}]").into(), container)));
        }
        for (place, container) in &mut extra {
            let defaults = match place.split('[').next() {
                Some("steps") => tree
                    .get(node, "stepTemplate")
                    .map(|node| (node, path, "stepTemplate")),
                Some(key @ "containers") => Some((node, path, key)),
                Some(key @ ("container" | "script")) => {
                    around.defaults.as_ref().and_then(|(defaults, place)| {
                        Some((tree.get(*defaults, key)?, place.as_str(), key))
                    })
                }
                _ => None,
            };
            let Some((defaults, above, key)) = defaults else {
                continue;
            };
            let Ok(defaults) = tree.read::<Container<'_>>(defaults) else {
                continue;
            };
            let above = match key {
                "containers" => above.to_owned(),
                "stepTemplate" => format!("{above}.stepTemplate"),
                key => format!("{above}.templateDefaults.{key}"),
            };
            let own = (container.env.len(), container.volume_mounts.len());
            let added = container.fill_in(defaults);
            for (list, own, added) in [("env", own.0, added.0), ("volumeMounts", own.1, added.1)] {
                let here = |at: usize| format!("{path}.{place}.{list}[{at}]");
                moved.extend((0..added).map(|at| (here(at), format!("{above}.{list}[{at}]"))));
                moved.extend(
                    (0..own)
                        .filter(|_| added > 0)
                        .map(|at| (here(added + at), here(at))),
                );
            }
        }
        spec.add_containers(extra);
        Some((spec, moved))
    }

    /// True for a map with a volume on a path of the node.
    fn has_host_path(&self, node: NodeId) -> bool {
        let tree = self.tree;
        let path = |volume: NodeId| {
            tree.get(volume, "hostPath")
                .and_then(|source| tree.get(source, "path"))
        };
        tree.get(node, "volumes").is_some_and(|volumes| {
            tree.elements(volumes)
                .into_iter()
                .any(|volume| path(volume).is_some())
        })
    }
}

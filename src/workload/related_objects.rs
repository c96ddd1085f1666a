//! What other objects say about an object: the PersistentVolume behind a claim, the runtimes and
//! names of the nodes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Workload;
use super::address;
use super::budget::spend;
use super::host_path::HostPath;
use super::object::{ClaimSpec, Spec};
use super::search::occurrences;
use super::string_fields::StringField;
use super::text::LenientStr;

/// Facts of other objects. Volumes without a host path are not kept.
#[derive(Clone, Debug, Default)]
pub struct RelatedObjects {
    /// By name.
    volumes: HashMap<String, Volume>,
    /// The volume that a claim is bound to, by namespace and claim, from the volume's `claimRef`.
    bound: HashMap<(String, String), String>,
    claims: HashMap<(String, String), ClaimState>,
    nodes: Arc<NodeNames>,
    /// Runtime families of the nodes: `docker`, `containerd`, `cri-o`.
    runtimes: BTreeSet<String>,
    /// Names of the RuntimeClasses whose handler is Docker.
    docker_classes: BTreeSet<String>,
    /// Data directories that configuration files of dockerd name.
    data_roots: Arc<[HostPath]>,
}

/// Addresses and names of the cluster's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeNames(BTreeSet<String>);

impl NodeNames {
    /// True for an address or a name of a node, in any spelling.
    pub(super) fn contains(&self, host: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&address::canonical(host))
    }
}

impl<T: AsRef<str>> FromIterator<T> for NodeNames {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        let names = names
            .into_iter()
            .map(|name| address::canonical(name.as_ref()));
        Self(names.filter(|name| !name.is_empty()).collect())
    }
}

/// What it costs to look at a volume, and to bring those that are free in order.
const FREE_STEPS: usize = 8;

#[derive(Clone, Debug)]
struct Volume {
    class: String,
    is_bound: bool,
    paths: Vec<ClaimedPath>,
}

/// What a claim asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ClaimState {
    /// The volume that it asks for or has; empty where it has none.
    pub volume: String,
    /// `None` where the claim names no class, which then is the cluster's default.
    pub class: Option<String>,
}

/// A host path of a PersistentVolume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedPath {
    /// The volume's name.
    pub volume: String,
    /// The path as written.
    pub path: String,
    /// `hostPath.type`; empty where none is set.
    pub kind: String,
}

/// A claim that a Pod uses.
pub(super) enum Claim<'c> {
    /// Namespace and name.
    Named(&'c str, &'c str),
    /// It is made from this for the Pod, in this namespace and under this name, if that is known.
    Template(&'c ClaimSpec<'c>, Option<(&'c str, String)>),
}

/// How sure it is that a claim gets a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// It has it, or asks for it by name.
    Bound,
    /// It has none yet and asks for its class.
    Class,
    /// Nothing is known of the claim.
    Unknown,
}

impl RelatedObjects {
    /// Notes `workload` if it is a PersistentVolume with a host path, a claim, or a node.
    pub fn note(&mut self, workload: &Workload<'_>) {
        if let Some((family, _)) = workload
            .node_runtime()
            .and_then(|runtime| runtime.split_once("://"))
        {
            self.runtimes.insert(family.to_owned());
        }
        if workload.kind() == "RuntimeClass" && *workload.object.handler == *"docker" {
            self.docker_classes.insert(workload.name.to_owned());
        }
        for root in workload.string_fields.iter().flat_map(data_roots_in) {
            self.add_data_root(root);
        }
        let Some(spec) = &workload.object.spec else {
            return;
        };
        match workload.kind() {
            "PersistentVolume" => self.note_volume(workload.name, spec),
            "PersistentVolumeClaim" => {
                let claim = ClaimState {
                    volume: spec.volume_name.to_string(),
                    class: spec.storage_class_name.as_ref().map(LenientStr::to_string),
                };
                self.set_claim(workload.namespace, workload.name, Some(claim));
            }
            _ => {}
        }
    }

    fn note_volume(&mut self, name: &str, spec: &Spec<'_>) {
        let sources = [&spec.host_path, &spec.local].into_iter().flatten();
        let paths: Vec<_> = sources
            .map(|source| ClaimedPath {
                volume: name.to_owned(),
                path: source.path.to_string(),
                kind: source.kind.to_string(),
            })
            .collect();
        self.remove_volume(name);
        if paths.is_empty() {
            return;
        }
        if let Some(claim) = &spec.claim_ref {
            let claim = (claim.namespace.to_string(), claim.name.to_string());
            self.bound.insert(claim, name.to_owned());
        }
        let class = spec.storage_class_name.as_ref();
        let volume = Volume {
            class: class.map(LenientStr::to_string).unwrap_or_default(),
            is_bound: spec.claim_ref.is_some(),
            paths,
        };
        self.volumes.insert(name.to_owned(), volume);
    }

    /// Forgets what [`Self::note`] noted of a volume or a claim.
    pub fn forget(&mut self, workload: &Workload<'_>) {
        match workload.kind() {
            "PersistentVolume" => self.remove_volume(workload.name),
            "PersistentVolumeClaim" => self.set_claim(workload.namespace, workload.name, None),
            _ => {}
        }
    }

    /// Forgets the volume `name`.
    fn remove_volume(&mut self, name: &str) {
        if self.volumes.remove(name).is_some() {
            self.bound.retain(|_, volume| volume != name);
        }
    }

    /// Forgets all volumes but those whose name is to be kept.
    pub fn retain_volumes(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.volumes.retain(|name, _| is_kept(name));
        self.bound.retain(|_, name| is_kept(name));
    }

    /// Forgets all claims but those whose namespace and name are to be kept.
    pub fn retain_claims(&mut self, is_kept: impl Fn(&(String, String)) -> bool) {
        self.claims.retain(|claim, _| is_kept(claim));
    }

    /// Notes what the claim `name` asks for; `None` if there is no such claim any more.
    fn set_claim(&mut self, namespace: &str, name: &str, claim: Option<ClaimState>) {
        let key = (namespace.to_owned(), name.to_owned());
        match claim {
            Some(claim) => self.claims.insert(key, claim),
            None => self.claims.remove(&key),
        };
    }

    /// Notes the addresses and names of all nodes.
    pub fn set_nodes(&mut self, nodes: NodeNames) {
        self.nodes = Arc::new(nodes);
    }

    /// Notes a data directory that a configuration of the nodes' dockerd names.
    fn add_data_root(&mut self, path: &str) {
        let path = HostPath::new(path);
        if path.as_str() != "/" && !self.data_roots.contains(&path) {
            let known = self.data_roots.iter().cloned();
            self.data_roots = known.chain([path]).collect();
        }
    }

    /// The data directories of the nodes' Docker besides the usual one.
    pub(super) fn data_roots(&self) -> Arc<[HostPath]> {
        Arc::clone(&self.data_roots)
    }

    /// The addresses and names of the nodes.
    pub(super) fn nodes(&self) -> Arc<NodeNames> {
        Arc::clone(&self.nodes)
    }

    /// True if `volume` was noted, which is so only where it has a host path.
    pub fn has_volume(&self, volume: &str) -> bool {
        self.volumes.contains_key(volume)
    }

    /// True for a RuntimeClass that was noted, which is so only where its handler is Docker.
    pub(super) fn is_docker_class(&self, name: &str) -> bool {
        self.docker_classes.contains(name)
    }

    /// The runtime families of the nodes that were noted.
    pub fn runtimes(&self) -> &BTreeSet<String> {
        &self.runtimes
    }

    /// The host paths that `claim` has or can get, as far as they are known.
    ///
    /// A claim that waits for its first Pod, or comes after it, is bound when the Pod is already
    /// admitted. So each free volume of its class is one that it can get, whatever its size or
    /// selector.
    pub(super) fn paths(&self, claim: &Claim<'_>) -> (Match, Vec<&ClaimedPath>) {
        let (volume, class) = match claim {
            Claim::Named(namespace, name) => {
                let key = ((*namespace).to_owned(), (*name).to_owned());
                let claim = self.claims.get(&key);
                // A volume that was released still names the claim that had it, so what the claim
                // says itself counts first.
                let named = claim.map(|claim| &claim.volume);
                let named = named.filter(|volume| !volume.is_empty());
                match (named.or_else(|| self.bound.get(&key)), claim) {
                    (Some(volume), _) => (volume.as_str(), None),
                    (None, Some(claim)) => ("", claim.class.as_deref()),
                    (None, None) => return (Match::Unknown, self.free(None)),
                }
            }
            Claim::Template(spec, name) => {
                let key = name
                    .as_ref()
                    .map(|(namespace, name)| ((*namespace).to_owned(), name.clone()));
                // A volume can be reserved for a claim that is still to be made.
                let reserved = key.and_then(|key| self.bound.get(&key));
                let volume = match reserved {
                    Some(volume) if spec.volume_name.is_empty() => volume.as_str(),
                    _ => spec.volume_name.as_str(),
                };
                let class = spec.storage_class_name.as_ref();
                (volume, class.map(LenientStr::as_str))
            }
        };
        if !volume.is_empty() {
            let volume = self.volumes.get(volume);
            let paths = volume.map(|volume| volume.paths.iter().collect());
            return (Match::Bound, paths.unwrap_or_default());
        }
        let how = if class.is_some() {
            Match::Class
        } else {
            Match::Unknown
        };
        (how, self.free(class))
    }

    /// The host paths of the volumes of `class`, or of any, that no claim has.
    fn free(&self, class: Option<&str>) -> Vec<&ClaimedPath> {
        let is_free = |volume: &&Volume| {
            !volume.is_bound && class.is_none_or(|class| *volume.class == *class)
        };
        // One claim can get any of them; where many ask for one, the budget ends it.
        if !spend(self.volumes.len() * FREE_STEPS) {
            return Vec::new();
        }
        let mut paths: Vec<_> = (self.volumes.values().filter(is_free))
            .flat_map(|volume| &volume.paths)
            .collect();
        paths.sort_by(|a, b| (&a.volume, &a.path).cmp(&(&b.volume, &b.path)));
        paths
    }
}

/// The settings of dockerd that name its data directory; the last one is older than 17.05.
pub const DATA_ROOT_SETTINGS: [&str; 3] = ["data-root", "dataRoot", "\"graph\""];

/// The data directories that dockerd is given in `string_field`: in daemon.json, as a flag, in an
/// installer's object.
fn data_roots_in(string_field: &StringField) -> impl Iterator<Item = &str> {
    let text = string_field.text.as_str();
    let own = Some(text).filter(|_| DATA_ROOT_SETTINGS.contains(&string_field.key()));
    let settings = DATA_ROOT_SETTINGS.into_iter();
    let places =
        settings.flat_map(move |name| occurrences(text, name).map(move |at| at + name.len()));
    let named = places.map(|at| text[at..].trim_start_matches(['"', '\'', ':', '=', ' ', '\t']));
    let is_end = |c: char| c.is_whitespace() || "\"',;}\\".contains(c);
    own.into_iter()
        .chain(named)
        .filter(|path| path.starts_with('/'))
        .map(move |path| &path[..path.find(is_end).unwrap_or(path.len())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Context;
    use crate::rules;
    use crate::workload::Overrides;
    use crate::workload::host_path::HostPath;
    use crate::workload::object::Object;

    fn note(related_objects: &mut RelatedObjects, json: &str) {
        let object: Object<'_> = serde_json::from_str(json).unwrap();
        related_objects.note(&Workload::new(&object, ""));
    }

    fn codes(
        json: &str,
        overrides: &Overrides,
        related_objects: &RelatedObjects,
    ) -> Vec<&'static str> {
        let object: Object<'_> = serde_json::from_str(json).unwrap();
        let mut workload = Workload::with_overrides(&object, "ci", overrides);
        workload.relate_to(related_objects);
        let findings = rules::evaluate(&workload, Context::default());
        findings.iter().map(|finding| finding.rule.code).collect()
    }

    #[test]
    fn the_address_and_name_of_a_node_lead_to_the_node() {
        let mut related_objects = RelatedObjects::default();
        related_objects.set_nodes(["node-1", "10.0.0.7", "fd00::7"].into_iter().collect());
        let pod = |host: &str| {
            format!(
                r#"{{"kind":"Pod","spec":{{"containers":[{{"name":"c","image":"x",
                "env":[{{"name":"DOCKER_HOST","value":"tcp://{host}:2375"}}]}}]}}}}"#
            )
        };
        let found = |host| codes(&pod(host), &Overrides::default(), &related_objects);
        for host in [
            "node-1",
            "NODE-1.",
            "10.0.0.7",
            "0xa.7",
            "[fd00:0::7]",
            "[::ffff:10.0.0.7]",
        ] {
            assert!(found(host).contains(&"DKR301"), "{host}: {:?}", found(host));
        }
        for host in ["node-2", "10.0.0.8", "[fd00::8]"] {
            assert!(!found(host).contains(&"DKR301"), "{host}");
        }
    }

    const VOLUME: &str = r#"{"kind":"PersistentVolume","metadata":{"name":"engine"},
        "spec":{"storageClassName":"s","claimRef":{"namespace":"ci","name":"c"},
        "hostPath":{"path":"/opt/run/engine.sock"}}}"#;
    const POD: &str = r#"{"kind":"Pod","spec":{"containers":[{"name":"c","image":"x",
        "volumeMounts":[{"name":"v","mountPath":"/s"}]}],
        "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}]}}"#;

    #[test]
    fn a_socket_that_the_operator_names_counts_behind_a_claim() {
        let mut related_objects = RelatedObjects::default();
        note(&mut related_objects, VOLUME);
        let overrides = Overrides {
            sockets: vec![HostPath::new("/opt/run/engine.sock")],
            ..Overrides::default()
        };
        assert_eq!(codes(POD, &overrides, &related_objects), ["DKR108"]);
        assert!(codes(POD, &Overrides::default(), &related_objects).is_empty());
        let parent = VOLUME.replace("/engine.sock", "");
        note(&mut related_objects, &parent);
        let pod = POD.replace(r#""/s""#, r#""/s","subPath":"engine.sock""#);
        assert_eq!(codes(&pod, &overrides, &related_objects), ["DKR108"]);
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let mut related_objects = RelatedObjects::default();
        let socket = VOLUME.replace("/opt/run/engine.sock", "/run/docker.sock");
        note(&mut related_objects, &socket);
        let nothing = Overrides::default();
        assert_eq!(codes(POD, &nothing, &related_objects), ["DKR112"]);
        related_objects.remove_volume("engine");
        assert!(codes(POD, &nothing, &related_objects).is_empty());
        note(&mut related_objects, &socket);
        related_objects.retain_volumes(|name| name != "engine");
        assert!(codes(POD, &nothing, &related_objects).is_empty());
    }

    #[test]
    fn a_volume_that_was_released_does_not_hide_the_one_that_the_claim_has() {
        let mut related_objects = RelatedObjects::default();
        note(
            &mut related_objects,
            &VOLUME.replace("/opt/run/engine.sock", "/srv/data"),
        );
        let evil = VOLUME.replace("/opt/run/engine.sock", "/run/docker.sock");
        let evil = evil
            .replace(r#""engine""#, r#""evil""#)
            .replace(r#""name":"c""#, r#""name":"d""#);
        note(&mut related_objects, &evil);
        let claim = ClaimState {
            volume: "evil".to_owned(),
            class: None,
        };
        assert!(codes(POD, &Overrides::default(), &related_objects).is_empty());
        // POD is read in the namespace of the claim.
        related_objects.set_claim("ci", "c", Some(claim));
        assert_eq!(
            codes(POD, &Overrides::default(), &related_objects),
            ["DKR112"]
        );
    }
}

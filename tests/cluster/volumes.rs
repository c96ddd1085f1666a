//! Secret and ConfigMap volumes on disk, laid out and replaced as a kubelet does it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::kubectl::Kubectl;

/// Where a container sees a volume, and where it is here.
pub(crate) struct Mount {
    inside: String,
    folder: PathBuf,
    source: Source,
}

enum Source {
    ConfigMap(String),
    Secret(String),
}

impl Mount {
    /// The mounts of a Pod's first container, under `folder`. Kinds that undock does not use are a mistake to notice.
    pub(crate) fn all_of(pod: &Value, folder: &Path) -> Vec<Self> {
        let mounts = pod
            .pointer("/spec/containers/0/volumeMounts")
            .and_then(Value::as_array);
        let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
        let mount = |mount: &Value| {
            let name = mount["name"].as_str().expect("a mount has a name");
            let volume = volumes
                .into_iter()
                .flatten()
                .find(|volume| volume["name"] == name);
            let volume = volume.unwrap_or_else(|| panic!("no volume {name} in the Pod"));
            if volume["projected"]["sources"][0]["serviceAccountToken"].is_object() {
                // The token reaches the process in a kubeconfig of its own.
                return None;
            }
            let source = match (
                volume["secret"]["secretName"].as_str(),
                volume["configMap"]["name"].as_str(),
            ) {
                (Some(secret), _) => Source::Secret(secret.to_owned()),
                (_, Some(config)) => Source::ConfigMap(config.to_owned()),
                _ => panic!("the kubelet of the tests knows no volume like {volume}"),
            };
            let inside = mount["mountPath"]
                .as_str()
                .expect("a mount has a path")
                .to_owned();
            Some(Self {
                inside,
                folder: folder.join(name),
                source,
            })
        };
        mounts.into_iter().flatten().filter_map(mount).collect()
    }

    /// The same text with the container's path replaced by the real one.
    pub(crate) fn translate(&self, text: &str) -> String {
        text.replace(&self.inside, &self.folder.to_string_lossy())
    }

    /// Writes what the cluster holds now, or says why it cannot yet: Pods wait for their Secrets.
    pub(crate) fn refresh(&self, kubectl: &Kubectl, namespace: &str) -> Result<(), String> {
        let files = self.source.read(kubectl, namespace)?;
        swap_in(&self.folder, &files).map_err(|error| format!("{}: {error}", self.folder.display()))
    }
}

impl Source {
    fn read(&self, kubectl: &Kubectl, namespace: &str) -> Result<BTreeMap<String, String>, String> {
        let (object, decode) = match self {
            Self::ConfigMap(name) => (format!("configmap/{name}"), ""),
            Self::Secret(name) => (format!("secret/{name}"), " | base64decode"),
        };
        let listed = kubectl
            .run(&format!("get {object} -n {namespace} -o json"))
            .accepted()?;
        let listed: Value = serde_json::from_str(&listed.out).map_err(|error| error.to_string())?;
        let keys = listed["data"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key);
        keys.map(|key| {
            let template = format!("--template={{{{index .data {key:?}{decode}}}}}");
            let mut command = kubectl.command(["get", &object, "-n", namespace, &template]);
            let output = command.output().map_err(|error| error.to_string())?;
            Ok((
                key.clone(),
                String::from_utf8_lossy(&output.stdout).into_owned(),
            ))
        })
        .collect()
    }
}

/// Writes the files into a new hidden folder and points the link `..data` at it in one step: what the container
/// sees is `tls.crt -> ..data/tls.crt`, and all files change at once.
fn swap_in(folder: &Path, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let data = folder.join("..data");
    let old = fs::read_link(&data).ok();
    let new = tempfile::Builder::new()
        .prefix("..")
        .tempdir_in(folder)?
        .keep();
    for (name, text) in files {
        fs::write(new.join(name), text)?;
        let link = folder.join(name);
        if fs::symlink_metadata(&link).is_err() {
            symlink(Path::new("..data").join(name), link)?;
        }
    }
    let next = folder.join("..data_tmp");
    symlink(
        new.file_name().expect("the folder was made with a name"),
        &next,
    )?;
    fs::rename(next, data)?;
    match old {
        Some(old) => fs::remove_dir_all(folder.join(old)),
        None => Ok(()),
    }
}

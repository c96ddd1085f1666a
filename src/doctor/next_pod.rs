//! What the next Pod will read: its configuration and its certificate, as they are in the cluster
//! now. A running Pod keeps what was right before, so what would stop a restart shows nowhere else.

use std::path::Path;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Container, PodSpec, Secret, Volume};
use kube::Client;

use super::{Check, GENERATE, Installation};
use crate::api::ApiError;
use crate::api::path::resource;
use crate::api::request::read;
use crate::config::Config;
use crate::registration::{CONTROLLER, SERVICE};
use crate::server::certificates::check_pair;

const APPLY: &str = "apply the manifests again: kubectl apply -k manifests/overlays/warn";

/// Examines what the next Pod of the webhook and of the controller will read, and whether a
/// controller is there.
pub async fn examine(client: &Client, installation: &Installation) -> Vec<Check> {
    let mut checks = Vec::new();
    let deployment = |name| {
        let path = resource("apps", "v1", &installation.namespace, "deployments", name);
        async move { read::<Deployment>(client, &path).await }
    };
    if let Ok(webhook) = deployment(SERVICE).await {
        checks.push(configuration(client, installation, "next-configuration", &webhook).await);
        checks.push(certificate(client, installation, &webhook).await);
    }
    let controller = deployment(CONTROLLER).await;
    checks.push(controller_check(&controller));
    if let Ok(controller) = controller {
        let id = "next-controller-configuration";
        checks.push(configuration(client, installation, id, &controller).await);
    }
    checks
}

fn controller_check(controller: &Result<Deployment, ApiError>) -> Check {
    let id = "controller";
    let ready = |deployment: &Deployment| {
        let status = deployment.status.as_ref();
        status.and_then(|status| status.ready_replicas).unwrap_or(0)
    };
    match controller {
        Ok(deployment) if ready(deployment) > 0 => {
            Check::ok(id, "a Pod of the controller is ready")
        }
        Ok(_) => Check::warn(
            id,
            "no Pod of the controller is ready: nothing scans the cluster",
            format!("look at kubectl get pods and kubectl logs deployment/{CONTROLLER}"),
        ),
        Err(ApiError::NotFound(_)) => Check::warn(
            id,
            format!("there is no Deployment {CONTROLLER}: nothing scans the cluster"),
            APPLY,
        ),
        Err(error) => Check::unread(id, error),
    }
}

async fn configuration(
    client: &Client,
    installation: &Installation,
    id: &'static str,
    deployment: &Deployment,
) -> Check {
    let Some(file) = File::of_flag(deployment, "--config") else {
        return Check::skipped(id, "the Deployment names no configuration file", "");
    };
    let Some(name) = file
        .volume
        .config_map
        .as_ref()
        .map(|source| source.name.as_str())
    else {
        return Check::skipped(id, "the configuration is in no ConfigMap", "");
    };
    let path = resource("", "v1", &installation.namespace, "configmaps", name);
    let map = match read::<ConfigMap>(client, &path).await {
        Ok(map) => map,
        Err(ApiError::NotFound(_)) => {
            return Check::fail(
                id,
                format!("there is no ConfigMap {name}, so the next Pod will not start"),
                APPLY,
            );
        }
        Err(error) => return Check::unread(id, &error),
    };
    let text = map.data.unwrap_or_default().remove(&file.key);
    let problem = match &text {
        None => Some(format!("it has no key {}", file.key)),
        Some(text) => Config::parse(text, Path::new(&file.key))
            .err()
            .map(|error| error.to_string()),
    };
    match problem {
        None => Check::ok(id, format!("the next Pod can read ConfigMap {name}")),
        Some(problem) => Check::fail(
            id,
            format!("ConfigMap {name} is wrong, so the next Pod will not start: {problem}"),
            format!(
                "kubectl edit configmap {name} -n {}",
                installation.namespace
            ),
        ),
    }
}

async fn certificate(
    client: &Client,
    installation: &Installation,
    deployment: &Deployment,
) -> Check {
    let id = "next-certificate";
    let files = ["--tls-cert", "--tls-key"].map(|flag| File::of_flag(deployment, flag));
    let [Some(certificate), Some(key)] = files else {
        return Check::skipped(id, "the Deployment names no certificate files", "");
    };
    let secret_of = |file: &File<'_>| file.volume.secret.as_ref()?.secret_name.clone();
    let Some(name) = secret_of(&certificate).filter(|name| secret_of(&key).as_ref() == Some(name))
    else {
        return Check::skipped(id, "certificate and key are not in one Secret", "");
    };
    let path = resource("", "v1", &installation.namespace, "secrets", &name);
    let data = match read::<Secret>(client, &path).await {
        Ok(secret) => secret.data.unwrap_or_default(),
        Err(ApiError::NotFound(_)) => {
            return Check::fail(
                id,
                format!("there is no Secret {name}, so the next Pod will not start"),
                GENERATE,
            );
        }
        // Few may read Secrets; that is no reason to call the examination incomplete.
        Err(error) => {
            let message = format!("Secret {name} could not be read: {error}");
            return Check::skipped(id, message, "run it as somebody who may read it");
        }
    };
    let part = |file: &File<'_>| data.get(&file.key).map_or(&[][..], |bytes| &bytes.0);
    match check_pair(
        (Path::new(&certificate.key), part(&certificate)),
        (Path::new(&key.key), part(&key)),
    ) {
        Ok(()) => Check::ok(id, format!("the next Pod can serve Secret {name}")),
        Err(error) => Check::fail(
            id,
            format!("Secret {name} is wrong, so the next Pod will not start: {error}"),
            GENERATE,
        ),
    }
}

/// A file that a flag of the first container names, in the volume that is mounted there.
struct File<'d> {
    volume: &'d Volume,
    /// Key in the ConfigMap or Secret.
    key: String,
}

impl<'d> File<'d> {
    fn of_flag(deployment: &'d Deployment, flag: &str) -> Option<Self> {
        let pod: &PodSpec = deployment.spec.template.spec.as_ref()?;
        let container: &Container = pod.containers.first()?;
        let arguments = container.args.as_deref().unwrap_or_default();
        let path = arguments.iter().enumerate().find_map(|(at, argument)| {
            match argument.strip_prefix(flag)? {
                "" => arguments.get(at + 1).map(String::as_str),
                value => value.strip_prefix('='),
            }
        })?;
        let mounts = container.volume_mounts.as_deref().unwrap_or_default();
        let (mount, rest) = mounts.iter().find_map(|mount| {
            let rest = Path::new(path).strip_prefix(&mount.mount_path).ok()?;
            Some((mount, rest))
        })?;
        let volumes = pod.volumes.as_deref().unwrap_or_default();
        Some(Self {
            volume: volumes.iter().find(|volume| volume.name == mount.name)?,
            key: rest.to_str()?.to_owned(),
        })
    }
}

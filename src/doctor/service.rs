//! The way to the Pods of undock: Service, endpoints, certificate, and which version runs there.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Client;
use serde::Deserialize;

use super::connection::{ConnectError, connect, verify};
use super::{Check, GENERATE, Installation, read, server_name};
use crate::api::ApiError;
use crate::api::path::resource;
use crate::finding::text::count;
use crate::registration::SERVICE;

/// Time before the end of a certificate from which it is said.
const NOTICE: SignedDuration = SignedDuration::from_hours(14 * 24);
const INSTALL: &str = "install it: kubectl apply -k manifests/overlays/warn";

#[derive(Deserialize)]
struct Slices {
    items: Vec<EndpointSlice>,
}

/// Service, endpoints, certificate and version.
pub(super) async fn examine(
    client: &Client,
    installation: &Installation,
    configuration: Option<&ValidatingWebhookConfiguration>,
) -> Vec<Check> {
    let namespace = &installation.namespace;
    let path = resource("", "v1", namespace, "services", SERVICE);
    let service = read::<Service>(client, &path).await;
    let path = resource("discovery.k8s.io", "v1", namespace, "endpointslices", "");
    let selector = format!("kubernetes.io%2Fservice-name%3D{SERVICE}");
    let slices = read::<Slices>(client, &format!("{path}?labelSelector={selector}")).await;
    let slices = slices.map(|slices| slices.items);
    let path = resource("apps", "v1", namespace, "deployments", SERVICE);
    let deployment = read::<Deployment>(client, &path).await;
    let mut addresses = slices
        .as_ref()
        .map_or_else(|_| Vec::new(), |slices| ready_addresses(slices));
    let mut checks = vec![
        service_check(&service, namespace),
        endpoints_check(&slices, addresses.len()),
    ];
    let ip = service
        .as_ref()
        .ok()
        .and_then(|service| service.spec.as_ref())
        .and_then(|spec| {
            let port = spec.ports.as_ref()?.first()?.port;
            Some(format!(
                "{}:{port}",
                spec.cluster_ip.as_deref().filter(|ip| *ip != "None")?
            ))
        });
    addresses.extend(ip);
    checks.push(
        certificate_check(
            client,
            installation,
            configuration,
            &addresses,
            deployment.as_ref().ok(),
        )
        .await,
    );
    checks.push(version_check(&deployment));
    checks
}

fn service_check(service: &Result<Service, ApiError>, namespace: &str) -> Check {
    match service {
        Ok(_) => Check::ok("service", format!("Service {namespace}/{SERVICE} is there")),
        Err(ApiError::NotFound(_)) => Check::fail(
            "service",
            format!("there is no Service {namespace}/{SERVICE}"),
            INSTALL,
        ),
        Err(error) => Check::unread("service", error),
    }
}

fn endpoints_check(slices: &Result<Vec<EndpointSlice>, ApiError>, ready: usize) -> Check {
    let id = "endpoints";
    match (slices, ready) {
        (Err(error), _) => Check::unread(id, error),
        (Ok(_), 0) => Check::fail(
            id,
            "no Pod of undock is ready",
            "look at kubectl get pods and kubectl logs in its namespace",
        ),
        (Ok(_), 1) => Check::warn(
            id,
            "one Pod of undock is ready: while it restarts, nothing is reviewed",
            "run two replicas",
        ),
        (Ok(_), ready) => Check::ok(id, format!("{} of undock ready", count(ready, "Pod"))),
    }
}

fn ready_addresses(slices: &[EndpointSlice]) -> Vec<String> {
    let mut addresses = Vec::new();
    for slice in slices {
        let Some(port) = slice.ports.iter().flatten().find_map(|port| port.port) else {
            continue;
        };
        for endpoint in slice.endpoints.iter().flatten() {
            if endpoint
                .conditions
                .as_ref()
                .is_none_or(|conditions| conditions.ready != Some(false))
            {
                addresses.extend(endpoint.addresses.iter().map(|address| {
                    if address.contains(':') {
                        format!("[{address}]:{port}")
                    } else {
                        format!("{address}:{port}")
                    }
                }));
            }
        }
    }
    addresses.sort();
    addresses.dedup();
    addresses
}

async fn certificate_check(
    client: &Client,
    installation: &Installation,
    configuration: Option<&ValidatingWebhookConfiguration>,
    addresses: &[String],
    deployment: Option<&Deployment>,
) -> Check {
    let id = "certificate";
    let webhook = configuration.and_then(|configuration| configuration.webhooks.as_ref()?.first());
    let Some(bundle) = webhook.and_then(|webhook| webhook.client_config.ca_bundle.as_ref()) else {
        return Check::skipped(id, "there is no caBundle to hold it against", "");
    };
    let name = server_name(&installation.namespace);
    for address in addresses {
        match connect(address, &name, &bundle.0).await {
            Ok(end) => {
                return judge_end(
                    end,
                    &format!("{address} shows a certificate that the caBundle verifies"),
                );
            }
            Err(ConnectError::Untrusted(error)) => {
                return Check::fail(
                    id,
                    format!("the caBundle does not verify what is served: {error}"),
                    GENERATE,
                );
            }
            Err(ConnectError::Unreachable(_)) => {}
        }
    }
    // The network of Pods is rarely reachable from outside; the Secret says the same to those who
    // may read it.
    let secret_name = deployment.and_then(secret_of);
    if let Some(secret_name) = secret_name {
        let path = resource("", "v1", &installation.namespace, "secrets", &secret_name);
        if let Ok(secret) = read::<Secret>(client, &path).await {
            let certificate = secret
                .data
                .unwrap_or_default()
                .remove("tls.crt")
                .unwrap_or_default();
            return match verify(&certificate.0, &name, &bundle.0) {
                Ok(end) => judge_end(
                    end,
                    &format!("the caBundle verifies the certificate in Secret {secret_name}"),
                ),
                Err(error) => Check::fail(
                    id,
                    format!(
                        "the caBundle does not verify the certificate in Secret {secret_name}: \
                         {error}"
                    ),
                    GENERATE,
                ),
            };
        }
    }
    Check::skipped(
        id,
        "the Pods cannot be reached from here, and the Secret may not be read; the probe covers \
         the rest",
        "",
    )
}

fn judge_end(end: Timestamp, what: &str) -> Check {
    let id = "certificate";
    let now = Timestamp::now();
    if end <= now {
        Check::fail(id, format!("the certificate ended on {end}"), GENERATE)
    } else if end.duration_since(now) < NOTICE {
        Check::warn(id, format!("{what}, but only until {end}"), GENERATE)
    } else {
        Check::ok(id, format!("{what}, until {end}"))
    }
}

fn secret_of(deployment: &Deployment) -> Option<String> {
    let volumes = deployment.spec.template.spec.as_ref()?.volumes.as_ref()?;
    volumes
        .iter()
        .find_map(|volume| volume.secret.as_ref()?.secret_name.clone())
}

fn version_check(deployment: &Result<Deployment, ApiError>) -> Check {
    let id = "version";
    let own = env!("CARGO_PKG_VERSION");
    let deployment = match deployment {
        Ok(deployment) => deployment,
        Err(ApiError::NotFound(_)) => {
            return Check::skipped(id, format!("there is no Deployment {SERVICE}"), "");
        }
        Err(error) => return Check::unread(id, error),
    };
    let containers = deployment
        .spec
        .template
        .spec
        .as_ref()
        .map(|spec| &spec.containers);
    let image = containers
        .into_iter()
        .flatten()
        .find_map(|container| container.image.as_deref())
        .unwrap_or_default();
    let tag = image
        .split('@')
        .next()
        .and_then(|name| {
            name.rsplit_once('/')
                .map_or(name, |(_, last)| last)
                .split_once(':')
        })
        .map(|(_, tag)| tag);
    match tag {
        Some(tag) if tag.trim_start_matches('v') == own => Check::ok(
            id,
            format!("image {image} is the version of this binary, {own}"),
        ),
        Some(_) => Check::warn(
            id,
            format!("this binary is {own}, the cluster runs {image}"),
            "use the same version in both places",
        ),
        None => Check::skipped(
            id,
            format!("image {image} has no tag that tells its version; this binary is {own}"),
            "",
        ),
    }
}

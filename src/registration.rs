//! What undock registers for: webhook names, path, resources, operations. The manifests are tested
//! against it.

use crate::kinds::{KINDS, NAMESPACES_WEBHOOK, PODS_WEBHOOK, WORKLOADS_WEBHOOK};

/// Where reviews are posted.
pub const PATH: &str = "/validate";
/// Name of the Service in the shipped manifests.
pub const SERVICE: &str = "undock";
/// Namespace of the shipped manifests.
pub const NAMESPACE: &str = "undock";
/// Name of the controller's Deployment in the shipped manifests, and of its Lease in the namespace
/// that it runs in.
pub const CONTROLLER: &str = "undock-controller";
/// ConfigMap in undock's namespace by which the controller tells the webhook names and addresses of
/// the nodes.
pub const NODES_CONFIG_MAP: &str = "undock-nodes";
/// Port of the webhook in the container.
pub const TLS_PORT: u16 = 8443;
/// Port of health and metrics in the container.
pub const ADMIN_PORT: u16 = 9443;

/// The webhooks, in the order of the shipped configuration.
pub const WEBHOOKS: [&str; 3] = [PODS_WEBHOOK, WORKLOADS_WEBHOOK, NAMESPACES_WEBHOOK];

/// A resource that a webhook is called for.
#[derive(Debug)]
pub struct ReviewedResource {
    /// Name of the webhook.
    pub webhook: &'static str,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version; the API server converts others to it.
    pub version: &'static str,
    /// Plural name, a subresource behind a slash.
    pub resource: &'static str,
    /// Operations.
    pub operations: &'static [&'static str],
}

/// Every resource that undock registers for.
pub fn reviewed() -> impl Iterator<Item = ReviewedResource> {
    KINDS.iter().flat_map(|kind| {
        let whole = (kind.plural, &["CREATE", "UPDATE"][..]);
        let parts = kind.subresources.iter();
        let resources = std::iter::once(whole).chain(parts.map(|part| (*part, &["UPDATE"][..])));
        let webhook = kind.webhook.into_iter();
        webhook.flat_map(move |webhook| {
            (resources.clone()).map(move |(resource, operations)| ReviewedResource {
                webhook,
                group: kind.group,
                version: &kind.version,
                resource,
                operations,
            })
        })
    })
}

/// `resource` as a metric label: one of those that undock registers for, else `other`.
pub fn resource_label(resource: &str) -> &'static str {
    let reviewed = KINDS.iter().filter(|kind| kind.webhook.is_some());
    reviewed
        .flat_map(|kind| std::iter::once(&kind.plural).chain(kind.subresources))
        .find(|name| **name == resource)
        .map_or("other", |name| name)
}

/// `operation` as a metric label.
pub fn operation_label(operation: &str) -> &'static str {
    ["CREATE", "UPDATE", "DELETE", "CONNECT"]
        .into_iter()
        .find(|name| *name == operation)
        .unwrap_or("other")
}

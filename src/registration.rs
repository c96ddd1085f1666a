//! What undock registers for: webhook names, path, resources, operations. The manifests are tested against it.

/// Where reviews are posted.
pub const PATH: &str = "/validate";
/// Name of the Service in the shipped manifests.
pub const SERVICE: &str = "undock";
/// Namespace of the shipped manifests.
pub const NAMESPACE: &str = "undock";
/// Name of the controller's Deployment in the shipped manifests.
pub const CONTROLLER: &str = "undock-controller";
/// ConfigMap in undock's namespace by which the controller tells the webhook names and addresses of the nodes.
pub const NODES_CONFIG_MAP: &str = "undock-nodes";
/// Port of the webhook in the container.
pub const TLS_PORT: u16 = 8443;
/// Port of health and metrics in the container.
pub const ADMIN_PORT: u16 = 9443;

/// One webhook of the configuration. Its name is public: the audit log's annotations carry it.
#[derive(Debug)]
pub struct Webhook {
    /// Fully qualified name.
    pub name: &'static str,
    /// What it is called for.
    pub rules: &'static [Resources],
}

/// Resources of one API version.
#[derive(Debug)]
pub struct Resources {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version; the API server converts others to it.
    pub version: &'static str,
    /// Plural names, subresources behind a slash.
    pub resources: &'static [&'static str],
    /// Operations.
    pub operations: &'static [&'static str],
}

const WRITES: &[&str] = &["CREATE", "UPDATE"];

/// The webhooks, in the order of the shipped configuration.
pub const WEBHOOKS: [Webhook; 3] = [
    Webhook {
        name: "pods.undock.dev",
        rules: &[
            Resources {
                group: "",
                version: "v1",
                resources: &["pods"],
                operations: WRITES,
            },
            Resources {
                group: "",
                version: "v1",
                resources: &["pods/ephemeralcontainers", "pods/resize"],
                operations: &["UPDATE"],
            },
        ],
    },
    Webhook {
        name: "workloads.undock.dev",
        rules: &[
            Resources {
                group: "apps",
                version: "v1",
                resources: &["deployments", "daemonsets", "statefulsets", "replicasets"],
                operations: WRITES,
            },
            Resources {
                group: "",
                version: "v1",
                resources: &[
                    "replicationcontrollers",
                    "podtemplates",
                    "persistentvolumes",
                ],
                operations: WRITES,
            },
            Resources {
                group: "batch",
                version: "v1",
                resources: &["jobs", "cronjobs"],
                operations: WRITES,
            },
        ],
    },
    Webhook {
        name: "namespaces.undock.dev",
        rules: &[
            Resources {
                group: "",
                version: "v1",
                resources: &["namespaces"],
                operations: WRITES,
            },
            // Both take the labels of the object that is sent, and are only ever updated.
            Resources {
                group: "",
                version: "v1",
                resources: &["namespaces/status", "namespaces/finalize"],
                operations: &["UPDATE"],
            },
        ],
    },
];

/// `resource` as a metric label: one of those that undock registers for, else `other`.
pub fn resource_label(resource: &str) -> &'static str {
    let known = WEBHOOKS
        .iter()
        .flat_map(|webhook| webhook.rules)
        .flat_map(|rules| rules.resources);
    known
        .copied()
        .find(|name| *name == resource)
        .unwrap_or("other")
}

/// `operation` as a metric label.
pub fn operation_label(operation: &str) -> &'static str {
    ["CREATE", "UPDATE", "DELETE", "CONNECT"]
        .into_iter()
        .find(|name| *name == operation)
        .unwrap_or("other")
}

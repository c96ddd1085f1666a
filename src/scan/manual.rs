//! What no API shows: the list to go through by hand on the nodes and beside them.

/// What to look at by hand, with how.
pub const MANUAL: [(&str, &str); 7] = [
    (
        "Node images and init scripts",
        "search cloud-init, user data, Packer and Ansible for docker, dockerd and \
         /var/run/docker.sock",
    ),
    (
        "Agents installed on hosts",
        "on each node: ps aux and systemctl list-units; look for monitoring, security and log \
         agents that use Docker",
    ),
    (
        "Docker's own configuration",
        "copy what matters of /etc/docker/daemon.json: log size, mirrors, insecure registries, \
         proxies, data root",
    ),
    (
        "Log shippers on hosts",
        "paths below /var/lib/docker/containers, and parsers of Docker's JSON lines",
    ),
    (
        "Scripts and runbooks of people",
        "docker ps, exec, logs and inspect become kubectl, and crictl on the node",
    ),
    (
        "CI runners and build hosts outside the cluster",
        "whatever builds against a node's Docker over TCP or SSH",
    ),
    (
        "Dashboards and alerts outside the cluster",
        "labels of cAdvisor's metrics change: name=\"k8s_…\" and id=\"/docker/…\" match nothing \
         any more",
    ),
];

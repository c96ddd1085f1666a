//! What is known about images, registries and paths, as data. Each line ends with its source.
//!
//! `(docs)` is the tool's own documentation. The tables are sorted by what they are looked up by.

mod agents;
pub(crate) mod mirrors;
mod paths;
mod runtime_settings;

pub(crate) use agents::agent;
pub(crate) use paths::*;
pub(crate) use runtime_settings::*;

use super::image::ImageReference;
use super::search::mentions;

/// What an image has to do with Docker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageRole {
    /// The official image: client or daemon, by tag and command.
    Docker,
    /// A Docker client.
    Client,
    /// Runs a daemon of its own.
    DockerInDocker,
    /// Speaks only the Docker API.
    DockerOnly,
}

use ImageRole::{Client, Docker, DockerInDocker, DockerOnly};

/// Repositories by host and path after mirror folding.
const IMAGES: &[(&str, &str, ImageRole)] = &[
    // docker-library/official-images: the same by architecture
    ("docker.io", "amd64/docker", Docker),
    ("docker.io", "arm32v6/docker", Docker), // docker-library/official-images
    ("docker.io", "arm32v7/docker", Docker), // docker-library/official-images
    ("docker.io", "arm64v8/docker", Docker), // docker-library/official-images
    ("docker.io", "containrrr/watchtower", DockerOnly), // its README: not for Kubernetes
    ("docker.io", "cruizba/ubuntu-dind", DockerInDocker), // (docs)
    ("docker.io", "docker/buildx-bin", Client), // docker/buildx (docs)
    ("docker.io", "docker/compose", Client), // docker/compose (docs)
    ("docker.io", "docker/compose-bin", Client), // docker/compose (docs)
    // madhuakula/kubernetes-goat: scenarios/docker-bench-security
    ("docker.io", "docker/docker-bench-security", DockerOnly),
    // falcosecurity/rules: rules/falco-sandbox_rules.yaml
    ("docker.io", "gliderlabs/logspout", DockerOnly),
    ("docker.io", "gocd/gocd-agent-docker-dind", DockerInDocker), // helm/charts: stable/gocd
    ("docker.io", "jpetazzo/dind", DockerInDocker), // its README: the image before docker:dind
    ("docker.io", "jwilder/docker-gen", DockerOnly), // nginx-proxy/docker-gen, before it moved
    ("docker.io", "jwilder/nginx-proxy", DockerOnly), // nginx-proxy/nginx-proxy, before it moved
    ("docker.io", "library/docker", Docker),        // docker-library/official-images
    ("docker.io", "linuxserver/socket-proxy", DockerOnly), // (docs)
    ("docker.io", "meltwater/docker-cleanup", DockerOnly), // its README
    // actions/actions-runner-controller: testdata
    ("docker.io", "mumoshu/actions-runner-dind", DockerInDocker),
    ("docker.io", "nginxproxy/docker-gen", DockerOnly), // nginx-proxy/docker-gen
    ("docker.io", "nginxproxy/nginx-proxy", DockerOnly), // nginx-proxy/nginx-proxy
    ("docker.io", "progrium/logspout", DockerOnly),     // gliderlabs/logspout, before it moved
    ("docker.io", "pyouroboros/ouroboros", DockerOnly), // its README
    // helm/charts: stable/sematext-docker-agent
    ("docker.io", "sematext/sematext-agent-docker", DockerOnly),
    ("docker.io", "spotify/docker-gc", DockerOnly), // helm/charts: stable/spotify-docker-gc
    (
        "docker.io",
        "summerwind/actions-runner-dind",
        DockerInDocker,
    ), // actions/actions-runner-controller
    ("docker.io", "tecnativa/docker-socket-proxy", DockerOnly), // its README
    ("docker.io", "v2tec/watchtower", DockerOnly),  // containrrr/watchtower, before it moved
    ("docker.io", "willfarrell/autoheal", DockerOnly), // its README
    ("docker.io", "wollomatic/socket-proxy", DockerOnly), // its README
    ("gcr.io", "cloud-builders/docker", Client),    // Google Cloud Build (docs)
    ("ghcr.io", "containrrr/watchtower", DockerOnly), // its README
    ("ghcr.io", "tecnativa/docker-socket-proxy", DockerOnly), // its README
    ("lscr.io", "linuxserver/socket-proxy", DockerOnly), // (docs)
];

/// The role of `image`, if it has one.
pub(crate) fn image_role(image: &ImageReference<'_>) -> Option<ImageRole> {
    // Few paths are as long as this one, so almost none of the texts are compared.
    let known = IMAGES
        .iter()
        .find(|(host, path, _)| *path == image.path && *host == image.host);
    let is_enterprise = || {
        image.host == "docker.io" && ENTERPRISE.iter().any(|start| image.path.starts_with(start))
    };
    known
        .map(|(_, _, role)| *role)
        .or_else(|| is_enterprise().then_some(DockerOnly))
}

/// Docker Hub repositories of Docker Enterprise's control plane begin so. Source:
/// falcosecurity/rules (ucp-agent), its documentation.
const ENTERPRISE: [&str; 3] = ["docker/dtr", "docker/ucp", "mirantis/ucp"];

/// True for an image that says that it brings a daemon: `dind` as a word of its name or its tag.
pub(crate) fn names_dind(image: &ImageReference<'_>) -> bool {
    [image.name(), image.tag.unwrap_or_default()]
        .iter()
        .any(|text| {
            mentions(text, "dind") && text.split(['-', '_', '.']).any(|word| word == "dind")
        })
}

/// True for a repository named `docker` that is not one of Docker's own: most likely a copy in a
/// private registry.
pub(crate) fn resembles_docker(image: &ImageReference<'_>) -> bool {
    image.name() == "docker" && image_role(image).is_none()
}

/// Images that carry the Docker client for use in CI and do without it elsewhere, by host and path;
/// a trailing `*` stands for any name.
const BUNDLED: [(&str, &str); 26] = [
    ("docker.io", "anchore/grype"),             // (docs)
    ("docker.io", "aquasec/trivy"),             // (docs)
    ("docker.io", "buildkite/agent"),           // helm/charts: stable/buildkite
    ("docker.io", "circleci/*"),                // (docs)
    ("docker.io", "cimg/*"),                    // (docs)
    ("docker.io", "drone/drone-runner-docker"), // drone/charts: charts/drone-runner-docker
    ("docker.io", "gitlab/gitlab-runner"),      // gitlab-org/gitlab-runner (docs)
    ("docker.io", "google/cloud-sdk"),          // (docs)
    ("docker.io", "jenkins/jnlp-agent-docker"), // (docs)
    ("docker.io", "jenkinsci/blueocean"),       // (docs)
    ("docker.io", "lazyteam/lazydocker"),       // (docs)
    ("docker.io", "library/traefik"),           // its docker provider
    ("docker.io", "localstack/localstack"),     // (docs)
    // apache/openwhisk-deploy-kube: docs/configurationChoices.md
    ("docker.io", "openwhisk/invoker"),
    ("docker.io", "plugins/docker"),                        // (docs)
    ("docker.io", "plugins/ecr"),                           // (docs)
    ("docker.io", "portainer/portainer"),                   // (docs)
    ("docker.io", "portainer/portainer-ce"),                // (docs)
    ("docker.io", "testcontainers/ryuk"),                   // (docs)
    ("docker.io", "wagoodman/dive"),                        // (docs)
    ("docker.io", "woodpeckerci/woodpecker-agent"),         // (docs)
    ("gcr.io", "google.com/cloudsdktool/cloud-sdk"),        // (docs)
    ("gcr.io", "k8s-staging-test-infra/gcb-docker-gcloud"), // kubernetes/test-infra: config/jobs
    ("gcr.io", "k8s-staging-test-infra/kubekins-e2e"),      // kubernetes/test-infra: config/jobs
    ("gcr.io", "k8s-testimages/kubekins-e2e"),              // kubernetes/test-infra: config/jobs
    ("ghcr.io", "actions/actions-runner"),                  // actions/actions-runner-controller
];

/// True for an image that bundles the Docker client.
pub(crate) fn bundles_docker_client(image: &ImageReference<'_>) -> bool {
    let is_named = |name: &str| match name.strip_suffix('*') {
        Some(start) => image.path.starts_with(start),
        None => image.path == name,
    };
    BUNDLED
        .iter()
        .any(|(host, name)| *host == image.host && is_named(name))
}

/// Tools that inject faults through the runtime's API.
const CHAOS_TOOLS: [&str; 6] = [
    "alexei-led/pumba",             // its README
    "chaosbladeio/chaosblade-tool", // chaosblade-io/chaosblade-operator: deploy/helm
    "gaiaadm/pumba",                // alexei-led/pumba: README.md
    "litmuschaos/go-runner",        // litmuschaos/chaos-charts
    "pingcap/chaos-daemon",         // chaos-mesh/chaos-mesh, before it moved
    "chaos-mesh/chaos-daemon",      // chaos-mesh/chaos-mesh: helm/chaos-mesh
];

/// True for a chaos tool, whatever registry it comes from.
pub(crate) fn is_chaos_tool(image: &ImageReference<'_>) -> bool {
    CHAOS_TOOLS
        .iter()
        .any(|path| has_path_end(&image.path, path))
}

/// True if `path` ends with `end` at a component.
fn has_path_end(path: &str, end: &str) -> bool {
    // The byte before is looked at first: it is at hand, and seldom a slash.
    let is_component = match path.len().checked_sub(end.len()) {
        None => false,
        Some(0) => true,
        Some(start) => path.as_bytes()[start - 1] == b'/',
    };
    is_component && path.ends_with(end)
}

/// Words in the names of images that need `/run` for network namespaces, BPF programs and their own
/// sockets.
const NETWORK_PLUGINS: [&str; 9] = [
    "antrea",     // antrea-io/antrea
    "calico",     // projectcalico/calico
    "cilium",     // cilium/cilium
    "cni",        // k8snetworkplumbingwg/multus-cni and others
    "flannel",    // flannel-io/flannel
    "gadget",     // inspektor-gadget/inspektor-gadget
    "kube-ovn",   // kubeovn/kube-ovn
    "multus",     // k8snetworkplumbingwg/multus-cni
    "weave-kube", // weaveworks/weave
];

/// True for a network plugin by the name of its image.
pub(crate) fn is_network_plugin(image: &ImageReference<'_>) -> bool {
    NETWORK_PLUGINS
        .iter()
        .any(|name| mentions(&image.path, name))
}

/// What images of these names start, before their arguments.
const ENTRYPOINTS: [(&str, &[&str]); 4] = [
    ("curl", &["curl"]),       // curl/curl-container: Dockerfile; alpine/curl
    ("nsenter", &["nsenter"]), // jpetazzo/nsenter: its README
    // justincormack/nsenter1: nsenter1.c, which enters all namespaces of process 1
    ("nsenter1", &["nsenter", "-t", "1", "-a"]),
    ("socat", &["socat"]), // alpine-docker/socat: Dockerfile
];

/// The program, with its first words, that an image of this name starts.
pub(crate) fn entrypoint(name: &str) -> &'static [&'static str] {
    let known = ENTRYPOINTS.iter().find(|(image, _)| *image == name);
    known.map_or(&[], |(_, words)| words)
}

/// True if `image` runs the script in its variable `name`, in the namespaces of the node.
pub(crate) fn runs_on_node(image: &ImageReference<'_>, name: &str) -> bool {
    // kubernetes-retired/contrib: startup-script/manage-startup-script.sh
    name == "STARTUP_SCRIPT" && has_path_end(&image.path, "startup-script")
}

/// The variable that selects the log format of `image`, and the directory of its configuration, for
/// an agent that reads Docker's JSON lines by default. A volume in the directory brings another
/// configuration.
pub(crate) fn json_log_settings(
    image: &ImageReference<'_>,
) -> Option<(&'static str, &'static str)> {
    // fluent/fluentd-kubernetes-daemonset: templates/conf/kubernetes.conf.erb, README.md
    has_path_end(&image.path, "fluentd-kubernetes-daemonset")
        .then_some(("FLUENT_CONTAINER_TAIL_PARSER_TYPE", "/fluentd/etc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_sorted_and_found() {
        assert!(IMAGES.is_sorted_by_key(|(host, path, _)| (host, path)));
        for (host, path, role) in IMAGES {
            assert_eq!(
                image_role(&ImageReference::parse(&format!("{host}/{path}"))),
                Some(*role),
                "{host}/{path}"
            );
        }
        assert_eq!(image_role(&ImageReference::parse("nginx")), None);
    }
}

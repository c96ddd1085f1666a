//! What is known about images, registries and paths, as data. Each line ends with its source.
//!
//! `(docs)` is the tool's own documentation. The tables are sorted by what they are looked up by.

use super::image::ImageReference;

/// A registry that serves Docker Hub's images under a prefix.
#[derive(Debug)]
pub(crate) struct Mirror {
    /// Registry host; a leading `*` stands for any text in front.
    pub(crate) host: &'static str,
    /// What comes before the Docker Hub path.
    pub(crate) prefix: &'static str,
}

const fn mirror(host: &'static str, prefix: &'static str) -> Mirror {
    Mirror { host, prefix }
}

/// Hub spellings that the reference library does not fold, and pull-through mirrors.
pub(crate) const MIRRORS: &[Mirror] = &[
    mirror("*.docker.scarf.sh", ""),          // litmuschaos/chaos-charts: faults/kubernetes/experiments.yaml
    mirror("*.mirror.aliyuncs.com", ""),      // Alibaba Cloud (docs)
    mirror("docker.com", ""),                 // seen in manifests
    mirror("docker.m.daocloud.io", ""),       // DaoCloud/public-image-mirror
    mirror("docker.mirrors.ustc.edu.cn", ""), // USTC (docs)
    mirror("dockerproxy.com", ""),            // (docs)
    mirror("hub.docker.com", ""),             // seen in manifests
    mirror("index.docker.io", ""),            // distribution/reference: normalize.go
    mirror("mirror.gcr.io", ""),              // tektoncd/pipeline: examples/v1/taskruns/dind-sidecar.yaml
    mirror("public.ecr.aws", "docker/"),      // Amazon ECR Public (docs)
    mirror("registry-1.docker.io", ""),       // Docker Hub (docs)
    mirror("registry.docker-cn.com", ""),     // Docker (docs)
    mirror("registry.hub.docker.com", ""),    // gitlab-org/gitlab-runner: .gitlab/ci/release.gitlab-ci.yml
];

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

/// Repositories by `host/path` after mirror folding.
const IMAGES: &[(&str, ImageRole)] = &[
    ("docker.io/containrrr/watchtower", DockerOnly),           // its README: not for Kubernetes
    ("docker.io/cruizba/ubuntu-dind", DockerInDocker),         // (docs)
    ("docker.io/docker/buildx-bin", Client),                   // docker/buildx (docs)
    ("docker.io/docker/compose", Client),                      // docker/compose (docs)
    ("docker.io/docker/compose-bin", Client),                  // docker/compose (docs)
    ("docker.io/docker/docker-bench-security", DockerOnly),    // madhuakula/kubernetes-goat: scenarios/docker-bench-security
    ("docker.io/docker/ucp-agent", DockerOnly),                // falcosecurity/rules: rules/falco-sandbox_rules.yaml
    ("docker.io/gliderlabs/logspout", DockerOnly),             // falcosecurity/rules: rules/falco-sandbox_rules.yaml
    ("docker.io/gocd/gocd-agent-docker-dind", DockerInDocker), // helm/charts: stable/gocd
    ("docker.io/library/docker", Docker),                      // docker-library/official-images
    ("docker.io/mumoshu/actions-runner-dind", DockerInDocker), // actions/actions-runner-controller: testdata
    ("docker.io/sematext/sematext-agent-docker", DockerOnly),  // helm/charts: stable/sematext-docker-agent
    ("docker.io/spotify/docker-gc", DockerOnly),               // helm/charts: stable/spotify-docker-gc
    ("docker.io/summerwind/actions-runner-dind", DockerInDocker), // actions/actions-runner-controller
    ("gcr.io/cloud-builders/docker", Client),                  // Google Cloud Build (docs)
];

/// The role of `image`, if it has one.
pub(crate) fn image_role(image: &ImageReference<'_>) -> Option<ImageRole> {
    // Nearly every image has none of these words: no comparison, no allocation.
    let at = IMAGES.binary_search_by(|(name, _)| {
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        (host, path).cmp(&(image.host, &image.path))
    });
    at.ok().map(|at| IMAGES[at].1)
}

/// Directories that hold programs: a host file `docker` below one of them is Docker's client.
pub(crate) const BINARY_DIRECTORIES: [&str; 8] =
    ["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/bin", "/snap/bin"];

/// Docker's data directories. The custom ones are seen in manifests and stay a guess.
pub(crate) const DATA_ROOTS: [&str; 3] = [
    "/mnt/sda1/var/lib/docker", // minikube's virtual machine
    "/var/lib/docker",          // dockerd's default
    "c:/programdata/docker",    // Windows default
];

/// Configuration of dockerd and its units.
pub(crate) const CONFIG_PATHS: [&str; 8] = [
    "/etc/default/docker",
    "/etc/docker",
    "/etc/sysconfig/docker",
    "/etc/systemd/system/docker.service",
    "/etc/systemd/system/docker.service.d",
    "/lib/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.service",
    "c:/programdata/docker/config",
];

/// Sockets of other runtimes, by file name: the target state, never a finding by themselves.
pub(crate) const OTHER_RUNTIME_SOCKETS: [&str; 3] = ["containerd.sock", "crio.sock", "podman.sock"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_sorted_and_found() {
        assert!(IMAGES.is_sorted_by_key(|(name, _)| name.split_once('/')));
        for (name, role) in IMAGES {
            assert_eq!(image_role(&ImageReference::parse(name)), Some(*role), "{name}");
        }
        assert_eq!(image_role(&ImageReference::parse("nginx")), None);
    }

    #[test]
    fn mirrors_are_sorted() {
        assert!(MIRRORS.is_sorted_by_key(|mirror| mirror.host));
    }
}

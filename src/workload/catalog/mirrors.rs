//! Registries that serve the images of Docker Hub, each with its source.

/// A registry that serves Docker Hub's images under a prefix.
struct Mirror {
    /// Registry host; a leading `*` stands for any text in front.
    host: &'static str,
    /// What comes before the Docker Hub path.
    prefix: &'static str,
}

const fn mirror(host: &'static str, prefix: &'static str) -> Mirror {
    Mirror { host, prefix }
}

/// Hub spellings that the reference library does not fold, and pull-through mirrors.
const MIRRORS: &[Mirror] = &[
    mirror("*.docker.scarf.sh", ""), // litmuschaos/chaos-charts: faults/kubernetes/experiments.yaml
    mirror("*.mirror.aliyuncs.com", ""), // Alibaba Cloud (docs)
    mirror("docker.com", ""),        // seen in manifests
    mirror("docker.m.daocloud.io", ""), // DaoCloud/public-image-mirror
    mirror("docker.mirrors.ustc.edu.cn", ""), // USTC (docs)
    mirror("dockerproxy.com", ""),   // (docs)
    mirror("hub.docker.com", ""),    // seen in manifests
    mirror("index.docker.io", ""),   // distribution/reference: normalize.go
    mirror("mirror.gcr.io", ""),     // tektoncd/pipeline: examples/v1/taskruns/dind-sidecar.yaml
    mirror("public.ecr.aws", "docker/"), // Amazon ECR Public (docs)
    mirror("registry-1.docker.io", ""), // Docker Hub (docs)
    mirror("registry.docker-cn.com", ""), // Docker (docs)
    // gitlab-org/gitlab-runner: .gitlab/ci/release.gitlab-ci.yml
    mirror("registry.hub.docker.com", ""),
];

/// What stands before Docker Hub's paths on `host`, if it is a mirror.
pub(crate) fn mirror_prefix(host: &str) -> Option<&'static str> {
    let is_mirror = |mirror: &&Mirror| match mirror.host.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => host == mirror.host,
    };
    MIRRORS.iter().find(is_mirror).map(|mirror| mirror.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_sorted() {
        assert!(MIRRORS.is_sorted_by_key(|mirror| mirror.host));
    }
}

//! Registries that serve the images of Docker Hub, each with its source.

/// Hub spellings that the reference library does not fold, and pull-through mirrors: the host, in
/// which a leading `*` stands for any text in front, and what comes before the Docker Hub path.
const MIRRORS: &[(&str, &str)] = &[
    ("*.docker.scarf.sh", ""), // litmuschaos/chaos-charts: faults/kubernetes/experiments.yaml
    ("*.mirror.aliyuncs.com", ""), // Alibaba Cloud (docs)
    ("docker.com", ""),        // seen in manifests
    ("docker.m.daocloud.io", ""), // DaoCloud/public-image-mirror
    ("docker.mirrors.ustc.edu.cn", ""), // USTC (docs)
    ("dockerproxy.com", ""),   // (docs)
    ("hub.docker.com", ""),    // seen in manifests
    ("index.docker.io", ""),   // distribution/reference: normalize.go
    ("mirror.gcr.io", ""),     // tektoncd/pipeline: examples/v1/taskruns/dind-sidecar.yaml
    ("public.ecr.aws", "docker/"), // Amazon ECR Public (docs)
    ("registry-1.docker.io", ""), // Docker Hub (docs)
    ("registry.docker-cn.com", ""), // Docker (docs)
    // gitlab-org/gitlab-runner: .gitlab/ci/release.gitlab-ci.yml
    ("registry.hub.docker.com", ""),
];

/// What stands before Docker Hub's paths on `host`, if it is a mirror.
pub(crate) fn mirror_prefix(host: &str) -> Option<&'static str> {
    let is_mirror = |known: &str| match known.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => host == known,
    };
    let mut mirrors = MIRRORS.iter();
    Some(mirrors.find(|(known, _)| is_mirror(known))?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_sorted() {
        assert!(MIRRORS.is_sorted_by_key(|(host, _)| host));
    }
}

//! What happens on a node that lacks a path, by `hostPath.type`.

use super::Thing;

/// The reason, where the Pod does not start, and the consequence of a missing path
/// (kubelet: pkg/volume/hostpath/host_path.go; containerd: internal/cri/opts/spec_linux_opts.go).
pub(crate) fn missing_path(
    kind: &str,
    thing: Thing,
) -> Option<(Option<&'static str>, &'static str)> {
    Some(match (kind, thing) {
        ("Socket" | "File" | "Directory" | "CharDevice" | "BlockDevice", _) => (
            Some("Pod stuck on {nodes}"),
            "its hostPath type makes kubelet check for the path, so the Pod stays in \
             ContainerCreating with FailedMount",
        ),
        ("DirectoryOrCreate", Thing::Socket | Thing::File) => (
            None,
            "kubelet creates an empty directory of that name, so the Pod starts and fails \
             at its first call",
        ),
        ("FileOrCreate", Thing::Socket) => (
            None,
            "kubelet creates an empty file of that name, so the Pod starts and fails at \
             its first call",
        ),
        ("", Thing::Socket) => (
            None,
            "no hostPath type, so the Pod starts with an empty directory there and fails \
             at its first call",
        ),
        ("", Thing::File) => (
            None,
            "no hostPath type, so the Pod starts with an empty directory there",
        ),
        (_, Thing::Directory) => (None, "the Pod starts with an empty directory there"),
        _ => return None,
    })
}

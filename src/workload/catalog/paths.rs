//! Paths of the node that are Docker's: programs, data, configuration, and those of other runtimes.

use crate::workload::host_path::HostPath;
use crate::workload::search::mentions;

/// Programs of Docker's packages. Source: docker/docker-ce-packaging; the second line holds those
/// before 18.09, the third those of Red Hat's package (projectatomic/docker).
pub(crate) const DOCKER_PROGRAMS: [&str; 14] = [
    "docker",
    "docker-buildx",
    "docker-compose",
    "docker-init",
    "docker-proxy",
    "dockerd",
    "docker-containerd",
    "docker-containerd-ctr",
    "docker-containerd-shim",
    "docker-runc",
    "docker-current",
    "dockerd-current",
    "docker-containerd-current",
    "docker-runc-current",
];

/// Directories that hold nothing but programs of Docker's packages.
pub(crate) const PROGRAM_DIRECTORIES: [&str; 4] = [
    "/usr/lib/docker",         // docker/docker-ce-packaging: cli-plugins
    "/usr/libexec/docker",     // docker/docker-ce-packaging: cli-plugins
    "/usr/local/lib/docker",   // docker/compose (docs)
    "c:/program files/docker", // Windows default
];

/// Docker's data directories. The first is Docker's wherever in a path it stands:
/// `/mnt/sda1/var/lib/docker` of minikube's virtual machine, disks that are mounted for it.
pub(crate) const DATA_ROOTS: [&str; 3] = [
    "/var/lib/docker",                        // dockerd's default
    "/var/snap/docker/common/var-lib-docker", // the snap package (docs)
    "c:/programdata/docker",                  // Windows default
];

/// Directories that are seen to hold Docker's data and could hold anything.
pub(crate) const GUESSED_DATA_ROOTS: [&str; 2] = [
    "/data/docker", // seen in manifests
    "/mnt/docker",  // microsoft/Docker-Provider: kubernetes/ama-logs.yaml
];

/// What dockerd keeps in its data directory. Source: moby/moby: daemon/, the storage drivers.
pub(crate) const DATA_DIRECTORIES: [&str; 9] = [
    "aufs",
    "buildkit",
    "containers",
    "devicemapper",
    "image",
    "overlay2",
    "swarm",
    "vfs",
    "volumes",
];

/// Directories of kubelet's logs and of other runtimes' data.
pub(crate) const OTHER_RUNTIME_DIRECTORIES: [&str; 6] = [
    "/var/log",
    "/var/lib/containerd",
    "/var/lib/containers", // CRI-O (docs)
    "/var/lib/kubelet",
    "/var/lib/rancher", // k3s, RKE2 (docs)
    "/run",
];

/// Configuration of dockerd. The longer names are those of Red Hat's package
/// (projectatomic/docker); the scripts are those of docker/docker-ce-packaging.
pub(crate) const CONFIG_PATHS: [&str; 12] = [
    "/etc/conf.d/docker",
    "/etc/default/docker",
    "/etc/docker",
    "/etc/init.d/docker",
    "/etc/init/docker.conf",
    "/etc/rc.d/init.d/docker",
    "/etc/sysconfig/docker",
    "/etc/sysconfig/docker-network",
    "/etc/sysconfig/docker-storage",
    "/etc/sysconfig/docker-storage-setup",
    "/etc/sysconfig/docker-registry",
    "c:/programdata/docker/config",
];

/// Directories of systemd's units. Source: systemd.unit(5).
pub(crate) const UNIT_DIRECTORIES: [&str; 5] = [
    "/etc/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/usr/local/lib/systemd/system",
];

/// Docker's units. Source: docker/docker-ce-packaging: systemd; the last one is Red Hat's.
const UNITS: [&str; 3] = [
    "docker.service",
    "docker.socket",
    "docker-storage-setup.service",
];

/// True for a path of dockerd's configuration: its files, its units, their drop-ins, and the links
/// that enable them.
pub(crate) fn is_docker_configuration(path: &HostPath) -> bool {
    let is_unit = |name: &str| UNITS.contains(&name.strip_suffix(".d").unwrap_or(name));
    CONFIG_PATHS.iter().any(|file| path.is_within(file))
        || mentions(path.as_str(), "docker")
            && (UNIT_DIRECTORIES.iter()).any(|directory| path.is_within(directory))
            && path.as_str().split('/').any(is_unit)
}

/// Sockets of other runtimes, by file name: the target state, never a finding by themselves.
pub(crate) const OTHER_RUNTIME_SOCKETS: [&str; 3] = ["containerd.sock", "crio.sock", "podman.sock"];

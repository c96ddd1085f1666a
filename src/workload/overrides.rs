//! Site-specific additions to the built-in tables: mirrors of Docker Hub, sockets, client images.

use super::catalog::{self, ImageRole};
use super::host_path::{self, HostPath, is_rootless_directory};
use super::image::ImageReference;

/// Additions to the built-in tables.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Image prefixes (`registry.corp/hub/`) behind which Docker Hub's paths follow.
    pub mirrors: Vec<String>,
    /// Host paths at which a Docker socket lies, cleaned.
    pub sockets: Vec<HostPath>,
    /// Repositories (`registry.corp/ci/docker`) that are Docker clients.
    pub cli_images: Vec<String>,
    /// Data directories of the nodes' Docker besides the usual ones, cleaned.
    pub data_roots: Vec<HostPath>,
}

/// No additions.
pub(super) static NOTHING: Overrides = Overrides {
    mirrors: Vec::new(),
    sockets: Vec::new(),
    cli_images: Vec::new(),
    data_roots: Vec::new(),
};

impl Overrides {
    /// Takes an image reference apart, with the operator's mirrors read as Docker Hub.
    pub(crate) fn parse_image<'a>(&self, text: &'a str) -> ImageReference<'a> {
        let hub_path = self
            .mirrors
            .iter()
            .find_map(|mirror| text.strip_prefix(mirror.as_str()));
        ImageReference::parse(hub_path.unwrap_or(text))
    }

    /// The role of `image`, if it has one.
    pub(crate) fn image_role(&self, image: &ImageReference<'_>) -> Option<ImageRole> {
        let is_client = || {
            self.cli_images
                .iter()
                .any(|name| *name == image.repository())
        };
        catalog::image_role(image)
            .or_else(|| (!self.cli_images.is_empty() && is_client()).then_some(ImageRole::Client))
    }

    /// True for a directory in which Docker's socket lies, or one that the operator says to be a
    /// Docker socket; `/var` holds it where `/var/run` is no link, `/run/user/UID` a rootless one.
    pub(super) fn is_socket_parent(&self, path: &HostPath) -> bool {
        matches!(path.as_str(), "/" | "/var" | "/run")
            || is_rootless_directory(path.as_str())
            || self
                .sockets
                .iter()
                .any(|socket| path.is_above(socket.as_str()))
    }

    /// True if the path of a Docker socket begins with the text `start`.
    pub(super) fn leads_to_socket(&self, start: &str) -> bool {
        host_path::SOCKETS
            .into_iter()
            .chain(self.sockets.iter().map(HostPath::as_str))
            .any(|socket| socket.starts_with(start))
    }

    /// The path in Docker's usual data directory that `path` stands for, if it lies in one that the
    /// operator names.
    pub(super) fn usual_path(&self, path: &HostPath) -> Option<HostPath> {
        Self::below_usual_root(&self.data_roots, path)
    }

    /// The same for the data directories `roots`.
    fn below_usual_root(roots: &[HostPath], path: &HostPath) -> Option<HostPath> {
        let root = roots.iter().find(|root| path.is_within(root.as_str()))?;
        let below = &path.as_str()[root.as_str().len()..];
        Some(HostPath::new(catalog::DATA_ROOTS[0]).join(below))
    }

    /// The same for directories that other objects show: a daemon in a Pod may have them as well,
    /// so only what has the name of one of Docker's own directories counts.
    pub(super) fn below_shown_root(roots: &[HostPath], path: &HostPath) -> Option<HostPath> {
        let usual = Self::below_usual_root(roots, path)?;
        let below = usual.as_str().strip_prefix(catalog::DATA_ROOTS[0])?;
        let first = below.split('/').nth(1).unwrap_or_default();
        let is_docker = catalog::DATA_DIRECTORIES.contains(&first)
            || first.is_empty() && path.as_str().matches('/').count() > 1;
        is_docker.then_some(usual)
    }

    /// True for a host path at which the operator says that a Docker socket lies.
    pub(super) fn is_socket(&self, path: &HostPath) -> bool {
        self.sockets.contains(path)
    }

    /// True for a Docker socket by its name, or as the operator says.
    pub(crate) fn is_any_socket(&self, path: &HostPath) -> bool {
        path.file_name() == "docker.sock" || self.is_socket(path)
    }
}

//! The connection to the cluster that undock runs in: what it watches, and what it asks when a mode changes.
//!
//! Reviews never wait for it, one case aside: a Namespace whose mode becomes stricter is answered with what its
//! workloads would meet, within half of the time that the API server gives.

pub mod rehearsal;
pub mod watch;

use std::path::Path;

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A kubeconfig that cannot be used.
    #[error("cannot use the kubeconfig {path}: {reason}")]
    Kubeconfig {
        /// Path as given.
        path: String,
        /// Why.
        reason: String,
    },
    /// The Pod's service account cannot be used.
    #[error("cannot use the Pod's service account: {0}; is automountServiceAccountToken off?")]
    InCluster(String),
}

/// A client for the cluster: by `kubeconfig`, else by the service account of the Pod; `None` outside of a cluster.
///
/// # Errors
/// Where there should be a connection and its configuration cannot be used. Nothing is sent yet.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<Option<Client>, ConnectError> {
    let config = match kubeconfig {
        Some(path) => {
            let problem = |reason: String| ConnectError::Kubeconfig {
                path: path.display().to_string(),
                reason,
            };
            let kubeconfig =
                Kubeconfig::read_from(path).map_err(|error| problem(error.to_string()))?;
            let options = KubeConfigOptions::default();
            kube::Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|error| problem(error.to_string()))?
        }
        None if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() => return Ok(None),
        None => {
            kube::Config::incluster().map_err(|error| ConnectError::InCluster(error.to_string()))?
        }
    };
    Client::try_from(config)
        .map(Some)
        .map_err(|error| ConnectError::InCluster(error.to_string()))
}

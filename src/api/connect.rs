//! Connecting to the API server: by a kubeconfig, or by the service account of the Pod.

use std::path::Path;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// For a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two reads of an answer that somebody waits for.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

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
    /// Neither a kubeconfig nor a service account leads to a cluster.
    #[error("no cluster: {0}")]
    NoCluster(String),
}

/// A client of the cluster that undock runs in: by `kubeconfig`, else by the service account of the
/// Pod; `None` outside of a cluster.
///
/// # Errors
/// If there should be a connection and its configuration cannot be used. Nothing is sent yet.
pub async fn own_cluster(kubeconfig: Option<&Path>) -> Result<Option<Client>, ConnectError> {
    let config = match kubeconfig {
        Some(path) => from_file(path, &KubeConfigOptions::default()).await?,
        None if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() => return Ok(None),
        None => Config::incluster().map_err(|error| ConnectError::InCluster(error.to_string()))?,
    };
    Client::try_from(config)
        .map(Some)
        .map_err(|error| ConnectError::InCluster(error.to_string()))
}

/// A client of the cluster that a person means, as kubectl finds it: `kubeconfig`, else
/// `$KUBECONFIG`, `~/.kube/config`, or the Pod's service account; `context` instead of the current
/// one.
///
/// # Errors
/// If no configuration is found or it cannot be used. Nothing is sent yet.
pub async fn as_kubectl(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Client, ConnectError> {
    let no_cluster = |error: &dyn std::fmt::Display| ConnectError::NoCluster(error.to_string());
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let mut config = match kubeconfig {
        Some(path) => from_file(path, &options).await?,
        None if context.is_some() => Config::from_kubeconfig(&options)
            .await
            .map_err(|error| no_cluster(&error))?,
        None => Config::infer().await.map_err(|error| no_cluster(&error))?,
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    Client::try_from(config).map_err(|error| no_cluster(&error))
}

async fn from_file(path: &Path, options: &KubeConfigOptions) -> Result<Config, ConnectError> {
    let problem = |reason: String| ConnectError::Kubeconfig {
        path: path.display().to_string(),
        reason,
    };
    let kubeconfig = Kubeconfig::read_from(path).map_err(|error| problem(error.to_string()))?;
    Config::from_custom_kubeconfig(kubeconfig, options)
        .await
        .map_err(|error| problem(error.to_string()))
}

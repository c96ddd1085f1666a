//! Which cluster: the flags that every verb with a cluster shares, named as kubectl names them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// Flags of the connection.
#[derive(Clone, Debug, Args)]
pub struct ClusterOptions {
    /// Context of the kubeconfig [default: the current one]
    #[arg(long, env = "UNDOCK_CONTEXT", value_name = "NAME")]
    context: Option<String>,
    /// Kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the Pod's service account]
    #[arg(long, env = "UNDOCK_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

impl ClusterOptions {
    /// A client of the cluster that is meant. Nothing is sent yet.
    ///
    /// # Errors
    /// Says in one line why there is none.
    pub(super) async fn client(&self) -> Result<Client, String> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let config = match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path).map_err(|error| error.to_string())?;
                Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .map_err(|error| error.to_string())
            }
            None if self.context.is_some() => Config::from_kubeconfig(&options)
                .await
                .map_err(|error| error.to_string()),
            None => Config::infer().await.map_err(|error| error.to_string()),
        };
        let mut config = config.map_err(|error| format!("no cluster: {error}"))?;
        config.connect_timeout = Some(Duration::from_secs(10));
        config.read_timeout = Some(Duration::from_secs(60));
        Client::try_from(config).map_err(|error| format!("no cluster: {error}"))
    }
}

/// The runtime of a verb that talks to a cluster: one thread is plenty.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work))
}

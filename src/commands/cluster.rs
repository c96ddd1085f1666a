//! Which cluster: the flags that every verb with a cluster shares, named as kubectl names them.

use std::path::PathBuf;

use clap::Args;
use kube::Client;

use crate::api::connect;

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
        connect::as_kubectl(self.kubeconfig.as_deref(), self.context.as_deref())
            .await
            .map_err(|error| error.to_string())
    }
}

/// The runtime of a verb that talks to a cluster: one thread is plenty.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work))
}

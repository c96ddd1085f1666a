//! `undock controller`: scans, reports and Events, from its flags to its end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::process::{self, Signals, bind};
use super::{Exit, Failure, config_file, usage};
use crate::api::connect;
use crate::controller::{self, Controller, admin};
use crate::decision::Mode;
use crate::registration;
use crate::server::access::Access;
use crate::server::admin::serve;

/// Flags of `undock controller`.
#[derive(Debug, Args)]
pub struct Options {
    /// Address of health checks, metrics and the report, plain HTTP
    #[arg(long, env = "UNDOCK_ADMIN_LISTEN", value_name = "ADDR:PORT",
        default_value_t = SocketAddr::from(([127, 0, 0, 1], registration::ADMIN_PORT)))]
    admin_listen: SocketAddr,
    /// Mode of namespaces that ask for none; overrides the configuration file [default: warn]
    #[arg(long, env = "UNDOCK_MODE", value_name = "MODE", value_enum)]
    mode: Option<Mode>,
    /// Configuration file (YAML), read again when its content changes
    #[arg(long, env = "UNDOCK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Scan the cluster of this kubeconfig; inside a cluster the Pod's service account is used
    #[arg(long, env = "UNDOCK_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Keep a Report (or PolicyReport) for each owner with findings, where that API is installed
    #[arg(long, env = "UNDOCK_POLICY_REPORTS")]
    policy_reports: bool,
    /// Write an Event on an owner when something about it is new
    #[arg(long, env = "UNDOCK_EVENTS")]
    events: bool,
}

/// Runs the controller until a signal ends it.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
    // The scans run on this thread, the admin port on another.
    process::run(1, control(options))
}

async fn control(options: Options) -> Result<Exit, Failure> {
    let Options {
        admin_listen,
        mode,
        config: path,
        kubeconfig,
        policy_reports,
        events,
    } = options;
    let config = config_file::read(path.as_deref()).map_err(usage)?;
    let client = connect::own_cluster(kubeconfig.as_deref())
        .await
        .map_err(usage)?
        .ok_or_else(|| usage("no cluster: run inside of one, or name it with --kubeconfig"))?;
    let mut signals = Signals::new()?;
    let listener = bind(admin_listen, "--admin-listen").await?;
    let controller = Arc::new(Controller::new(config.policy(mode), config.cluster));
    tokio::spawn(serve(
        listener,
        admin::health(),
        admin::protected(Arc::clone(&controller)),
        Access::new(Some(client.clone())),
    ));
    tracing::info!(%admin_listen, version = env!("CARGO_PKG_VERSION"),
        "the controller has started");

    let options = controller::Options {
        events,
        reports: policy_reports,
    };
    let stop = async {
        signals.next().await;
    };
    let configuration = async {
        match path {
            Some(path) => follow_config(&path, mode, &controller).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = Arc::clone(&controller).run(&client, options, stop) => {}
        () = configuration => {}
    }
    Ok(Exit::Clean)
}

/// Applies a changed configuration file; keeps the old one if the new one is wrong.
async fn follow_config(path: &std::path::Path, mode: Option<Mode>, controller: &Controller) {
    config_file::watch(path, |read| match read {
        Ok(config) => {
            controller.policy.store(Arc::new(config.policy(mode)));
            controller.changed.notify_one();
            config_file::tell_new_name(&controller.cluster, &config.cluster);
        }
        Err(_) => {
            controller.metrics.configuration_errors.inc();
        }
    })
    .await;
}

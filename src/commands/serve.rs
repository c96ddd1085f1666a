//! `undock serve`: the webhook, from its flags to its end.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::process::{self, Signals, bind, cannot_listen};
use super::{Exit, Failure, config_file, failed, usage};
use crate::admission;
use crate::api::connect;
use crate::cluster;
use crate::decision::{Mode, Policy};
use crate::metrics::Metrics;
use crate::record::queue::Queue;
use crate::registration;
use crate::server::access::Access;
use crate::server::admin::{self, Admin};
use crate::server::callers::{Callers, Tokens};
use crate::server::certificates::{Certificates, Pair, tls_config};
use crate::server::client_certificate::ClientCertificates;
use crate::server::self_check::SelfCheck;
use crate::server::{App, State, listener};

/// Flags of `undock serve`.
#[derive(Debug, Args)]
pub struct Options {
    /// Address of the webhook
    #[arg(long, env = "UNDOCK_LISTEN", value_name = "ADDR:PORT",
        default_value_t = SocketAddr::from(([127, 0, 0, 1], registration::TLS_PORT)))]
    listen: SocketAddr,
    /// Address of health checks and metrics, plain HTTP
    #[arg(long, env = "UNDOCK_ADMIN_LISTEN", value_name = "ADDR:PORT",
        default_value_t = SocketAddr::from(([127, 0, 0, 1], registration::ADMIN_PORT)))]
    admin_listen: SocketAddr,
    /// Serving certificate in PEM, read again when its content changes
    #[arg(
        long,
        env = "UNDOCK_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM
    #[arg(
        long,
        env = "UNDOCK_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// Oldest TLS version that is spoken
    #[arg(long, env = "UNDOCK_TLS_MIN_VERSION", value_name = "VERSION",
        value_parser = ["1.2", "1.3"], default_value = "1.3")]
    tls_min_version: String,
    /// CA in PEM; callers must then show a client certificate of it
    #[arg(long, env = "UNDOCK_CLIENT_CA", value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Name that a client certificate must have (common name, DNS name or URI); repeat it for more
    /// [default: any]
    #[arg(
        long,
        env = "UNDOCK_CLIENT_NAME",
        value_name = "NAME",
        value_delimiter = ',',
        requires = "client_ca"
    )]
    client_name: Vec<String>,
    /// File with bearer tokens, one a line; callers must then send one of them
    #[arg(long, env = "UNDOCK_CLIENT_TOKEN_FILE", value_name = "FILE")]
    client_token_file: Option<PathBuf>,
    /// Strictest action to take; overrides the configuration file [default: warn]
    #[arg(long, env = "UNDOCK_MODE", value_name = "MODE", value_enum)]
    mode: Option<Mode>,
    /// Configuration file (YAML), read again when its content changes
    #[arg(long, env = "UNDOCK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Watch the cluster of this kubeconfig; inside a cluster the Pod's service account is used
    #[arg(long, env = "UNDOCK_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// Endpoints are told of a stop after the process is; until they are, reviews keep coming
/// (gatekeeper#3776).
const ENDPOINT_DELAY: Duration = Duration::from_secs(10);

/// A review takes tens of microseconds: four threads answer more than any API server asks, and each
/// further one costs memory and wake-ups on a node with many cores.
const MAX_WORKER_THREADS: usize = 4;

/// One for each processor that the process may use, up to [`MAX_WORKER_THREADS`].
fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(MAX_WORKER_THREADS))
}

/// Runs the webhook until a signal ends it.
pub(super) fn run(options: Options) -> Result<Exit, Failure> {
    process::run(worker_threads(), serve(options))
}

async fn serve(options: Options) -> Result<Exit, Failure> {
    let Options {
        listen,
        admin_listen,
        tls_cert,
        tls_key,
        tls_min_version,
        client_ca,
        client_name,
        client_token_file,
        mode,
        config: config_path,
        kubeconfig,
    } = options;
    let config = config_file::read(config_path.as_deref()).map_err(usage)?;

    let (certificates, pair, ca) = certificates(tls_cert.zip(tls_key))?;
    let client_certificates = client_ca
        .map(|path| ClientCertificates::read(&path, client_name).map(Arc::new))
        .transpose()
        .map_err(usage)?;
    let tokens = client_token_file.as_deref().map(Tokens::read).transpose();
    let callers = Callers {
        certificates: client_certificates.is_some(),
        tokens: tokens.map_err(usage)?,
    };
    let tls = tls_config(
        Arc::clone(&certificates),
        client_certificates.clone(),
        tls_min_version == "1.2",
    );

    // From here on a signal is a request to end, not the end.
    let mut signals = Signals::new()?;
    let listener =
        listener::listen(listen).map_err(|error| cannot_listen(listen, &error, "--listen"))?;
    let admin_listener = bind(admin_listen, "--admin-listen").await?;
    let address = |listener: &TcpListener| listener.local_addr().map_err(failed);
    let (listen, admin_listen) = (address(&listener)?, address(&admin_listener)?);

    let (records, writer) = Queue::start(std::io::stdout())
        .map_err(|error| failed(format!("cannot start the writer of records: {error}")))?;
    let metrics = Metrics::new(records.counts());
    metrics
        .certificate_expiry
        .set(certificates.expiry().unwrap_or_default());
    let client = connect::own_cluster(kubeconfig.as_deref())
        .await
        .map_err(usage)?;
    let policy = config.policy(mode);
    let default_mode = policy.mode;
    let app = Arc::new(App {
        policy: ArcSwap::from_pointee(policy),
        client,
        cluster: config.cluster,
        records,
        metrics,
        review: admission::review_within,
        callers,
        state: State::default(),
    });
    let mut background = JoinSet::new();
    watch_cluster(&mut background, &app);
    if let Some(path) = config_path {
        background.spawn(watch_config(path, mode, Arc::clone(&app)));
    }
    background.spawn(Arc::clone(&certificates).watch(pair, Arc::clone(&app)));
    watch_callers(&mut background, client_certificates, &app);
    let admin = Admin {
        app: Arc::clone(&app),
        certificates,
        self_check: Arc::new(SelfCheck::new(listen)),
    };
    let admin = tokio::spawn(admin::serve(
        admin_listener,
        admin::health(admin.clone()),
        admin::protected(admin),
        Access::new(app.client.clone()),
    ));
    let (stop, stopping) = watch::channel(false);
    let serving = tokio::spawn(listener::serve(
        listener,
        Arc::new(tls),
        Arc::clone(&app),
        stopping,
    ));
    app.state.set_listening();
    tracing::info!(%listen, %admin_listen, mode = default_mode.as_str(),
        version = env!("CARGO_PKG_VERSION"), "undock is ready");
    let ca_file = ca
        .map(|ca| introduce(listen, &ca))
        .transpose()
        .map_err(failed)?;

    until_end(&mut signals, &app.state).await;
    // The listener holds the other end; that it is gone means that it has stopped.
    let _ = stop.send(true);
    let _ = serving.await;
    admin.abort();
    let _ = admin.await;
    // Their share of the app holds the record queue open.
    background.shutdown().await;
    if let Some(path) = ca_file {
        let _ = fs::remove_file(path);
    }
    drop(app);
    tokio::task::spawn_blocking(move || writer.stop())
        .await
        .map_err(failed)?;
    Ok(Exit::Clean)
}

/// The certificate of the two files and what they hold, or one that is made here, with its CA.
fn certificates(
    files: Option<(PathBuf, PathBuf)>,
) -> Result<(Arc<Certificates>, Pair, Option<String>), Failure> {
    match files {
        Some((certificate, key)) => {
            let (certificates, pair) =
                Certificates::from_files(&certificate, &key).map_err(usage)?;
            Ok((Arc::new(certificates), pair, None))
        }
        None => {
            let made = Certificates::ephemeral().map_err(failed)?;
            Ok((Arc::new(made.certificates), Pair::default(), Some(made.ca)))
        }
    }
}

/// Waits for a signal to end, and for as long as reviews keep coming after it.
async fn until_end(signals: &mut Signals, state: &State) {
    let was_asked_by_kubelet = signals.next().await;
    state.set_draining();
    if was_asked_by_kubelet {
        tracing::info!("stopping: not ready any more, still answering for {ENDPOINT_DELAY:?}");
        tokio::select! {
            () = tokio::time::sleep(ENDPOINT_DELAY) => {}
            // Asked twice: whoever asks knows that no endpoint leads here.
            _ = signals.next() => {}
        }
    }
}

/// Keeps what is known of the cluster up to date, where there is one.
fn watch_cluster(background: &mut JoinSet<()>, app: &App) {
    if let Some(client) = app.client.clone() {
        let cluster_state = Arc::clone(&app.policy.load().cluster_state);
        cluster_state.set_watching();
        let errors = app.metrics.watch_errors.clone();
        background.spawn(cluster::watch::run(client, cluster_state, errors));
    }
}

/// Applies a changed configuration file; keeps the old one if the new one is wrong.
async fn watch_config(path: PathBuf, mode: Option<Mode>, app: Arc<App>) {
    config_file::watch(&path, |read| match read {
        Ok(config) => {
            let cluster_state = Arc::clone(&app.policy.load().cluster_state);
            app.policy.store(Arc::new(Policy {
                cluster_state,
                ..config.policy(mode)
            }));
            config_file::tell_new_name(&app.cluster, &config.cluster);
        }
        Err(_) => {
            app.metrics.configuration_errors.inc();
        }
    })
    .await;
}

/// Takes changed client CAs and tokens; keeps the old ones if the new ones are wrong.
fn watch_callers(
    background: &mut JoinSet<()>,
    client_certificates: Option<Arc<ClientCertificates>>,
    app: &Arc<App>,
) {
    if let Some(clients) = client_certificates {
        let errors = app.metrics.certificate_errors.clone();
        background.spawn(clients.watch(move || {
            errors.inc();
        }));
    }
    if app.callers.tokens.is_some() {
        let app = Arc::clone(app);
        background.spawn(async move {
            if let Some(tokens) = &app.callers.tokens {
                let failed = || {
                    app.metrics.certificate_errors.inc();
                };
                tokens.watch(failed).await;
            }
        });
    }
}

/// A Pod that mounts the Docker socket, as a review; what the printed `curl` posts.
const SAMPLE: &str = concat!(
    r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"sample","#,
    r#""resource":{"group":"","version":"v1","resource":"pods"},"namespace":"ci","#,
    r#""operation":"CREATE","userInfo":{"username":"you"},"#,
    r#""object":{"apiVersion":"v1","kind":"Pod","#,
    r#""metadata":{"name":"builder","namespace":"ci"},"#,
    r#""spec":{"containers":[{"name":"build","image":"docker:27-cli","#,
    r#""volumeMounts":[{"name":"sock","mountPath":"/var/run/docker.sock"}]}],"#,
    r#""volumes":[{"name":"sock","hostPath":{"path":"/var/run/docker.sock"}}]}}}}"#,
);

/// Tells a person how to try the webhook. Writes the CA to a file for them and returns its path.
fn introduce(listen: SocketAddr, ca: &str) -> Result<PathBuf, String> {
    let path = write_ca(&std::env::temp_dir(), listen.port(), ca)?;
    let host = if listen.ip().is_unspecified() {
        SocketAddr::from(([127, 0, 0, 1], listen.port()))
    } else {
        listen
    };
    let ca = path.display();
    #[expect(
        clippy::print_stderr,
        reason = "a person started this by hand and reads it here"
    )]
    {
        eprintln!(
            "\nundock answers at https://{host}{} with a certificate of its own.",
            registration::PATH
        );
        eprintln!("CA: {ca}\nTry it from a second terminal; the record appears here:\n");
        eprintln!(
            "curl --cacert '{ca}' -H 'Content-Type: application/json' --data '{SAMPLE}' \
             'https://{host}{}?timeout=5s'\n",
            registration::PATH
        );
    }
    Ok(path)
}

/// Writes the CA to a new file in `folder`. A name may be taken by a run that was killed: in a
/// container, where every process has the same number, by each one before this.
fn write_ca(folder: &Path, port: u16, ca: &str) -> Result<PathBuf, String> {
    let mut attempt = 0;
    loop {
        let path = folder.join(format!(
            "undock-ca-{port}-{}-{attempt}.crt",
            std::process::id()
        ));
        // `create_new` follows no link that somebody else has put there.
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(ca.as_bytes()))
        {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && attempt < 1_000 => {
                attempt += 1
            }
            Err(error) => {
                return Err(format!(
                    "cannot write the CA to {}: {error}; set TMPDIR to a folder that can be \
                     written",
                    path.display()
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_that_a_killed_run_left_behind_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let first = write_ca(folder.path(), 8443, "one").unwrap();
        let second = write_ca(folder.path(), 8443, "two").unwrap();
        assert_ne!(first, second);
        assert_eq!(
            (
                fs::read_to_string(first).unwrap(),
                fs::read_to_string(second).unwrap()
            ),
            ("one".to_owned(), "two".to_owned())
        );
        assert!(
            write_ca(&folder.path().join("nowhere"), 8443, "x")
                .unwrap_err()
                .contains("TMPDIR")
        );
    }
}

//! etcd, kube-apiserver and kube-controller-manager, alone in their network namespace.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use crate::example;
use crate::kubectl::Kubectl;
use crate::process::{Process, eventually, run, tail};

/// In a namespace of its own every port is free, so the usual one is used.
pub(crate) const PORT: u16 = 6443;

/// The administrator's token: good for nothing outside the namespace.
pub(crate) const TOKEN: &str = "cluster-tests";

/// What the API server shows to undock: see `docs/how-to/who-may-ask.md`.
pub(crate) const WEBHOOK_TOKEN: &str = "the-token-of-the-api-server-of-the-cluster-tests";

const ETCD: &str = "http://127.0.0.1:2379";
const ETCD_PEER: &str = "http://127.0.0.1:2380";

/// The folder with the binaries, as envtest lays it out.
#[derive(Clone)]
pub(crate) struct Assets(PathBuf);

/// The running control plane; dropping it stops it.
pub(crate) struct ControlPlane {
    /// A kubectl that is the cluster's administrator.
    pub(crate) kubectl: Kubectl,
    assets: Assets,
    root: PathBuf,
    // Dropped in this order: a server that loses its database first only fills its log.
    _controller_manager: Process,
    api_server: Mutex<Option<Process>>,
    _etcd: Process,
}

impl Assets {
    /// Takes a folder only when all four binaries are in it.
    pub(crate) fn at(folder: OsString) -> Result<Self, String> {
        let folder = PathBuf::from(folder);
        for binary in [
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kubectl",
        ] {
            if !folder.join(binary).is_file() {
                return Err(format!(
                    "no {binary} in {folder:?}; build the folder with tests/cluster/control-plane.sh"
                ));
            }
        }
        Ok(Self(folder))
    }

    /// The folder itself, to be put first in `PATH`.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    fn command(&self, binary: &str) -> Command {
        Command::new(self.0.join(binary))
    }
}

impl ControlPlane {
    /// Starts all three and returns when the API server is ready.
    pub(crate) fn start(assets: &Assets, root: &Path) -> Self {
        let etcd = start_etcd(assets, root);
        prepare_api_server(root);
        let api_server = Mutex::new(Some(start_api_server(assets, root)));
        let kubeconfig = root.join("kubeconfig");
        write_kubeconfig(root, &kubeconfig, PORT);
        let kubectl = Kubectl::new(assets.0.join("kubectl"), kubeconfig.clone());
        wait_for_api_server(&kubectl, root);
        let controller_manager = start_controller_manager(assets, root, &kubeconfig);
        let (assets, root) = (assets.clone(), root.to_owned());
        Self {
            kubectl,
            assets,
            root,
            _controller_manager: controller_manager,
            api_server,
            _etcd: etcd,
        }
    }

    /// Kills the API server.
    pub(crate) fn stop_api_server(&self) {
        *self
            .api_server
            .lock()
            .expect("no scenario runs beside this one") = None;
    }

    /// Starts it again over the same database.
    pub(crate) fn start_api_server(&self) {
        let server = start_api_server(&self.assets, &self.root);
        *self
            .api_server
            .lock()
            .expect("no scenario runs beside this one") = Some(server);
        wait_for_api_server(&self.kubectl, &self.root);
    }
}

fn wait_for_api_server(kubectl: &Kubectl, root: &Path) {
    eventually("kube-apiserver is ready", Duration::from_secs(60), || {
        kubectl
            .run("get --raw /readyz")
            .accepted()
            .map_err(|error| format!("{error}\n{}", tail(&root.join("kube-apiserver.log"), 5)))
    });
}

/// Where the API server writes its audit log.
pub(crate) fn audit_log(root: &Path) -> PathBuf {
    root.join("audit.log")
}

/// Writes a kubeconfig for the administrator; JSON is YAML.
pub(crate) fn write_kubeconfig(root: &Path, path: &Path, port: u16) {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "undock-tests",
        "clusters": [{"name": "undock-tests", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            // The API server made this certificate itself; it names neither 127.0.0.1 nor localhost.
            "certificate-authority": root.join("api-server/apiserver.crt"), "tls-server-name": "kubernetes"}}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "undock-tests", "context": {"cluster": "undock-tests", "user": "admin"}}],
    });
    write(path, &config.to_string());
}

fn start_etcd(assets: &Assets, root: &Path) -> Process {
    let mut etcd = assets.command("etcd");
    etcd.arg("--data-dir").arg(root.join("etcd"));
    etcd.args([
        "--listen-client-urls",
        ETCD,
        "--advertise-client-urls",
        ETCD,
    ]);
    etcd.args([
        "--listen-peer-urls",
        ETCD_PEER,
        "--initial-advertise-peer-urls",
        ETCD_PEER,
    ]);
    etcd.args([
        "--initial-cluster",
        &format!("default={ETCD_PEER}"),
        "--unsafe-no-fsync",
    ]);
    // The usual 1.5 MiB is less than an API server accepts; large updates must get as far as the webhook.
    etcd.arg("--max-request-bytes=16777216");
    start("etcd", &mut etcd, root)
}

/// The files that it reads.
fn prepare_api_server(root: &Path) {
    let (key, public_key) = service_account_keys(root);
    run(Command::new("openssl")
        .args([
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
        ])
        .arg(&key));
    run(Command::new("openssl")
        .args(["ec", "-pubout", "-in"])
        .arg(&key)
        .arg("-out")
        .arg(&public_key));
    write(
        &root.join("tokens.csv"),
        &format!("{TOKEN},admin,admin,\"system:masters\"\n"),
    );
    write(&root.join("audit-policy.json"), &audit_policy());
    write_admission_configuration(root);
}

/// The files of docs/how-to/who-may-ask.md; JSON is YAML.
fn write_admission_configuration(root: &Path) {
    let kubeconfig = root.join("webhook-kubeconfig.json");
    let users = json!([{"name": "undock.undock.svc", "user": {"token": WEBHOOK_TOKEN}}]);
    write(
        &kubeconfig,
        &json!({"apiVersion": "v1", "kind": "Config", "users": users}).to_string(),
    );
    let plugin = json!({
        "name": "ValidatingAdmissionWebhook",
        "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": kubeconfig,
        },
    });
    let configuration = json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [plugin],
    });
    write(&root.join("admission.json"), &configuration.to_string());
}

fn service_account_keys(root: &Path) -> (PathBuf, PathBuf) {
    (
        root.join("service-account.key"),
        root.join("service-account.pub"),
    )
}

fn start_api_server(assets: &Assets, root: &Path) -> Process {
    let (key, public_key) = service_account_keys(root);
    let mut server = assets.command("kube-apiserver");
    server
        .arg(format!("--etcd-servers={ETCD}"))
        .arg(format!("--secure-port={PORT}"));
    server.args([
        "--bind-address=127.0.0.1",
        "--advertise-address=192.0.2.1",
        "--endpoint-reconciler-type=none",
    ]);
    server.arg("--cert-dir").arg(root.join("api-server"));
    server.arg("--service-account-signing-key-file").arg(&key);
    server.arg("--service-account-key-file").arg(&public_key);
    server.arg("--service-account-issuer=https://kubernetes.default.svc");
    server.arg("--token-auth-file").arg(root.join("tokens.csv"));
    server.args([
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--allow-privileged=true",
    ]);
    server.arg("--audit-log-path").arg(audit_log(root));
    server
        .arg("--audit-policy-file")
        .arg(root.join("audit-policy.json"));
    server
        .arg("--admission-control-config-file")
        .arg(root.join("admission.json"));
    // No kube-proxy runs here: the API server picks a ready endpoint of the webhook's Service itself.
    server.arg("--enable-aggregator-routing=true");
    start("kube-apiserver", &mut server, root)
}

fn start_controller_manager(assets: &Assets, root: &Path, kubeconfig: &Path) -> Process {
    let mut manager = assets.command("kube-controller-manager");
    manager.arg("--kubeconfig").arg(kubeconfig);
    manager
        .arg("--service-account-private-key-file")
        .arg(root.join("service-account.key"));
    manager
        .arg("--root-ca-file")
        .arg(root.join("api-server/apiserver.crt"));
    manager.args([
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
    ]);
    // The node of the tests sends no heartbeats; without this its Pods would soon be taken for lost.
    manager.arg("--controllers=*,-node-lifecycle-controller,-taint-eviction-controller");
    // As long as on a busy cluster: calls go on to Pods that have been told to stop.
    manager.arg("--endpointslice-updates-batch-period=1s");
    start("kube-controller-manager", &mut manager, root)
}

fn start(name: &str, command: &mut Command, root: &Path) -> Process {
    let log = root.join(format!("{name}.log"));
    Process::start(name, command, &log, &log)
}

/// Every write at the level that clusters usually keep; reads and the chatter of controllers would bury them.
fn audit_policy() -> String {
    // An example can be replayed only with the objects.
    let level = if example::folder().is_some() {
        "Request"
    } else {
        "Metadata"
    };
    json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "verbs": ["get", "list", "watch"]},
            {"level": "None", "resources": [
                {"group": "", "resources": ["events", "serviceaccounts/token"]},
                {"group": "events.k8s.io"}, {"group": "coordination.k8s.io"}, {"group": "authorization.k8s.io"}]},
            {"level": level},
        ],
    })
    .to_string()
}

fn write(path: &Path, text: &str) {
    fs::write(path, text)
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

//! The cluster with undock installed in it: what every scenario is given.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::audit_log::AuditLog;
use crate::control_plane::{Assets, ControlPlane};
use crate::kubectl::Kubectl;
use crate::kubelet::{Kubelet, NAMESPACE};
use crate::objects;
use crate::pod_process::first_certificate;
use crate::process::{eventually, run};
use crate::scenarios_scan::{Run, undock};

/// A control plane that asks undock about every write.
pub(crate) struct World {
    pub(crate) kubectl: Kubectl,
    pub(crate) kubelet: Kubelet,
    pub(crate) audit_log: AuditLog,
    doctor_before: Run,
    root: PathBuf,
    kubeconfig: PathBuf,
    path: OsString,
    control_plane: ControlPlane,
}

impl World {
    /// Starts the control plane and installs undock in mode `warn`, with the commands that the README gives.
    pub(crate) fn start(assets: &Assets, root: &Path) -> Self {
        let control_plane = ControlPlane::start(assets, root);
        let kubectl = control_plane.kubectl.clone();
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(assets.folder().to_owned()).chain(env::split_paths(&path));
        let world = Self {
            kubelet: Kubelet::start(kubectl.clone(), root),
            audit_log: AuditLog::of(root),
            doctor_before: undock(&root.join("kubeconfig"), "doctor -o json"),
            root: root.to_owned(),
            kubeconfig: root.join("kubeconfig"),
            path: env::join_paths(folders).expect("it was a PATH before"),
            kubectl,
            control_plane,
        };
        world.apply_overlay("warn");
        world.generate_certificates(&["--apply"]);
        world.wait_until_answered_by("warn");
        world
    }

    /// Goes from mode `warn` to mode `enforce`, as an operator does.
    pub(crate) fn enforce(&self) {
        self.apply_overlay("enforce");
        self.wait_until_answered_by("enforce");
    }

    /// Runs the shipped script, which keeps its files from one call to the next.
    pub(crate) fn generate_certificates(&self, options: &[&str]) {
        let script = shipped("certs-script/generate.sh");
        let mut command = Command::new(script);
        command
            .arg("--out")
            .arg(self.root.join("certs"))
            .args(options);
        command
            .env("KUBECONFIG", self.root.join("kubeconfig"))
            .env("HOME", &self.root)
            .env("PATH", &self.path);
        run(&mut command);
    }

    /// What `undock doctor` said before anything was installed.
    pub(crate) fn doctor_before(&self) -> &Run {
        &self.doctor_before
    }

    /// Does something while the API server is down, and starts it again.
    pub(crate) fn without_api_server(&self, action: impl FnOnce()) {
        self.control_plane.stop_api_server();
        action();
        self.control_plane.start_api_server();
    }

    /// A file for a scenario, in the folder of the run.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(name);
        fs::write(&path, text).expect("the folder of the run can be written");
        path
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Puts the registration of mode `warn` back as it is shipped, with its caBundle.
    pub(crate) fn install_registration_again(&self) {
        self.apply_overlay("warn");
        self.generate_certificates(&["--apply"]);
        self.wait_until_answered_by("warn");
    }

    /// The kubeconfig of somebody who has the role that a folder of the manifests holds, and nothing else; without a folder, nothing.
    pub(crate) fn person_with(&self, folder: &str, role: &str) -> PathBuf {
        let name = if role.is_empty() { "nobody" } else { role };
        self.kubectl
            .run(&format!("create serviceaccount {name} -n default"))
            .assert_accepted();
        if !role.is_empty() {
            self.kubectl
                .run(&format!("apply -k {}", shipped(folder).display()))
                .assert_accepted();
            let binding = format!(
                "create clusterrolebinding {name} --clusterrole={role} --serviceaccount=default:{name}"
            );
            self.kubectl.run(&binding).assert_accepted();
        }
        let token = self.kubectl.run(&format!("create token {name} -n default"));
        let token = token.assert_accepted().out.trim();
        let text = fs::read_to_string(&self.kubeconfig).expect("the control plane has written it");
        let mut config: Value = serde_json::from_str(&text).expect("it is written as JSON");
        config["users"][0]["user"]["token"] = token.into();
        let path = self.root.join(format!("kubeconfig-{name}"));
        fs::write(&path, config.to_string()).expect("the folder of the run can be written");
        path
    }

    /// The `caBundle` of the registration.
    pub(crate) fn ca_bundle(&self) -> Value {
        self.kubectl.json("get validatingwebhookconfiguration undock")["webhooks"][0]["clientConfig"]["caBundle"].clone()
    }

    /// The server certificate that the script made last.
    pub(crate) fn certificate(&self) -> String {
        let text =
            fs::read_to_string(self.root.join("certs/tls.crt")).expect("the script has written it");
        first_certificate(&text).expect("a certificate in PEM")
    }

    /// Waits for the record about an object.
    #[track_caller]
    pub(crate) fn record_of(&self, kind: &str, namespace: &str, name: &str) -> Value {
        eventually(
            &format!("a record of {kind} {namespace}/{name}"),
            Duration::from_secs(10),
            || {
                let records = self.kubelet.records();
                let about = |record: &&Value| {
                    record["k8s.object.kind"] == kind
                        && record["k8s.object.name"] == name
                        && record["k8s.namespace.name"].as_str().unwrap_or_default() == namespace
                };
                records
                    .iter()
                    .rev()
                    .find(about)
                    .cloned()
                    .ok_or_else(|| format!("{} other records", records.len()))
            },
        )
    }

    fn apply_overlay(&self, mode: &str) {
        let overlay = shipped(&format!("manifests/overlays/{mode}"));
        self.kubectl
            .run(&format!("apply -k {}", overlay.display()))
            .assert_accepted();
    }

    /// The addresses of undock's Pods that are meant to stay.
    fn addresses_of_pods(&self) -> BTreeSet<String> {
        let pods = self.kubectl.json(&format!(
            "get pods -n {NAMESPACE} -l app.kubernetes.io/name=undock"
        ));
        let pods = pods["items"].as_array().into_iter().flatten();
        let staying = pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        staying
            .filter_map(|pod| pod["status"]["podIP"].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// The addresses that the API server chooses from.
    fn addresses_of_the_service(&self) -> BTreeSet<String> {
        let slices = self.kubectl.json(&format!(
            "get endpointslices -n {NAMESPACE} -l kubernetes.io/service-name=undock"
        ));
        let endpoints = slices["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|slice| slice["endpoints"].as_array())
            .flatten();
        let ready = endpoints.filter(|endpoint| endpoint["conditions"]["ready"] == true);
        ready
            .filter_map(|endpoint| endpoint["addresses"][0].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// Waits for the rollout, and until the API server acts on the registration in this mode.
    fn wait_until_answered_by(&self, mode: &str) {
        let rollout = format!("rollout status deployment/undock -n {NAMESPACE} --timeout=120s");
        let rollout = self.kubectl.run(&rollout).accepted();
        rollout.unwrap_or_else(|reason| {
            panic!(
                "undock was not rolled out: {reason}\n{}",
                self.kubelet.logs()
            )
        });
        // Until then, Pods of the mode before may be asked.
        eventually(
            "the Service leads to the new Pods alone",
            Duration::from_secs(30),
            || {
                let (pods, endpoints) = (self.addresses_of_pods(), self.addresses_of_the_service());
                if pods.len() == 2 && pods == endpoints {
                    Ok(())
                } else {
                    Err(format!("Pods {pods:?}, endpoints {endpoints:?}"))
                }
            },
        );
        let pod = objects::pod_on_docker_socket("are-you-there");
        // A dry run leaves nothing behind, and the scenarios tell its records from theirs by the name.
        eventually(
            &format!("undock answers in mode {mode}"),
            Duration::from_secs(30),
            || {
                let answer = self
                    .kubectl
                    .run_with("create -n default --dry-run=server -f -", &pod);
                let shown = match mode {
                    "enforce" => answer.err.contains("denied the request"),
                    _ => !answer.warnings().is_empty(),
                };
                if shown {
                    Ok(())
                } else {
                    Err(format!("{answer:?}\n{}", self.kubelet.logs()))
                }
            },
        );
    }
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

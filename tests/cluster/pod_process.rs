//! One Pod of undock as a process: the shipped arguments, its own address, its own log files.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::control_plane::{TOKEN, WEBHOOK_TOKEN};
use crate::kubectl::Kubectl;
use crate::process::Process;
use crate::volumes::Mount;

/// What a Pod needs to run here, taken from its spec.
pub(crate) struct PodProcess {
    /// The Pod's address.
    pub(crate) address: String,
    namespace: String,
    service_account: String,
    folder: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    mounts: Vec<Mount>,
    /// Where the Service sends what it gets; only the webhook has it.
    port: Option<u64>,
    readiness: Probe,
    process: Option<Process>,
}

/// A GET over plain HTTP.
struct Probe {
    port: u64,
    path: String,
}

impl PodProcess {
    /// Reads the Pod's first container. Nothing runs yet.
    pub(crate) fn of(pod: &Value, address: String, folder: PathBuf) -> Self {
        let container = &pod["spec"]["containers"][0];
        let mounts = Mount::all_of(pod, &folder.join("volumes"));
        let arguments = container["args"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let arguments = arguments.map(|argument| {
            let argument = mounts
                .iter()
                .fold(argument.to_owned(), |text, mount| mount.translate(&text));
            // All Pods share one network namespace here, so "all addresses" has to mean the Pod's only one.
            argument.replace("0.0.0.0:", &format!("{address}:"))
        });
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let environment = container["env"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| (text(&entry["name"]), text(&entry["value"])));
        Self {
            arguments: arguments.collect(),
            environment: environment.collect(),
            namespace: pod["metadata"]["namespace"]
                .as_str()
                .expect("a Pod has a namespace")
                .to_owned(),
            service_account: pod["spec"]["serviceAccountName"]
                .as_str()
                .expect("undock has an account")
                .to_owned(),
            port: port_named(container, "https"),
            readiness: Probe::of(container, "readinessProbe"),
            process: None,
            mounts,
            address,
            folder,
        }
    }

    /// Writes the volumes; fails while a Secret or ConfigMap is missing.
    pub(crate) fn refresh_volumes(&self, kubectl: &Kubectl) -> Result<(), String> {
        self.mounts
            .iter()
            .try_for_each(|mount| mount.refresh(kubectl, &self.namespace))
    }

    /// Writes the way to the API server, with a token of the Pod's own service account.
    pub(crate) fn write_kubeconfig(&self, kubectl: &Kubectl) {
        let token = kubectl.run(&format!(
            "create token {} -n {} --duration=24h",
            self.service_account, self.namespace
        ));
        let mut config = kubectl.json("config view --raw");
        config["users"][0]["user"] =
            serde_json::json!({"token": token.assert_accepted().out.trim()});
        // As the files of a service account do in a container.
        config["contexts"][0]["context"]["namespace"] = self.namespace.as_str().into();
        std::fs::write(self.kubeconfig(), config.to_string())
            .expect("the folder of the Pod is writable");
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Starts the binary under test.
    pub(crate) fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
        // Nothing of the caller's environment: a container has none of it, and UNDOCK_* would be read as flags.
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().cloned());
        // In a container the token lies at a fixed path, which these processes share; the identity is the same.
        command.env("UNDOCK_KUBECONFIG", self.kubeconfig());
        // A Secret of its own in a cluster whose API server proves itself; the scenarios prove that it does.
        let token = self.folder.join("client-token");
        std::fs::write(&token, WEBHOOK_TOKEN).expect("the folder of the Pod is writable");
        command.env("UNDOCK_CLIENT_TOKEN_FILE", token);
        self.process = Some(Process::start(
            "undock",
            &mut command,
            &self.stdout(),
            &self.stderr(),
        ));
    }

    /// True for a Pod of the webhook, false for one of the controller.
    pub(crate) fn is_webhook(&self) -> bool {
        self.port.is_some()
    }

    fn webhook_port(&self) -> u64 {
        self.port.expect("the container has a port named https")
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        if let Some(process) = &self.process {
            process.terminate();
        }
    }

    /// Kills the process at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Tells whether a process is there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.ended().is_none())
    }

    /// Asks the readiness probe of the Pod.
    pub(crate) fn ready(&self) -> Result<(), String> {
        let answer = self.get(self.readiness.port, &self.readiness.path)?;
        let status = answer.lines().next().unwrap_or_default();
        if status.contains(" 200 ") {
            Ok(())
        } else {
            Err(format!("readiness answered {status:?}"))
        }
    }

    /// The sum over all series of a counter, from the admin port.
    pub(crate) fn counter(&self, name: &str) -> Result<f64, String> {
        let answer = self.get(self.readiness.port, "/metrics")?;
        let series = answer.lines().filter(|line| line.starts_with(name));
        Ok(series
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum())
    }

    /// Posts a review to the webhook's port, as the API server does, and gives what came back.
    pub(crate) fn review(&self, review: &Value) -> Result<Value, String> {
        let mut client = Command::new("curl");
        // Who answers is another scenario's question.
        client.args([
            "--silent",
            "--show-error",
            "--insecure",
            "--max-time",
            "5",
            "-H",
            "Content-Type: application/json",
            "-H",
            &format!("Authorization: Bearer {WEBHOOK_TOKEN}"),
            "--data",
        ]);
        client.arg(review.to_string()).arg(format!(
            "https://{}:{}/validate?timeout=5s",
            self.address,
            self.webhook_port()
        ));
        let output = client.output().expect("curl starts");
        serde_json::from_slice(&output.stdout)
            .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The most memory that the process has had, in MB.
    pub(crate) fn peak_memory(&self) -> f64 {
        self.process.as_ref().expect("it runs").peak_memory()
    }

    /// The certificate that the webhook's port shows.
    pub(crate) fn certificate(&self) -> Option<String> {
        let mut client = Command::new("openssl");
        client.args([
            "s_client",
            "-connect",
            &format!("{}:{}", self.address, self.webhook_port()),
        ]);
        let output = client
            .stdin(Stdio::null())
            .output()
            .expect("openssl starts");
        first_certificate(&String::from_utf8_lossy(&output.stdout))
    }

    /// The file with the records.
    pub(crate) fn stdout(&self) -> PathBuf {
        self.folder.join("stdout")
    }

    /// The file with the logs.
    pub(crate) fn stderr(&self) -> PathBuf {
        self.folder.join("stderr")
    }

    /// The folder of the Pod.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn get(&self, port: u64, path: &str) -> Result<String, String> {
        let target = format!("{}:{port}", self.address);
        let exchange = || {
            let mut stream = TcpStream::connect(&target)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: {target}\r\nAuthorization: Bearer {TOKEN}\r\n\
                 Connection: close\r\n\r\n"
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        exchange().map_err(|error: std::io::Error| format!("http://{target}{path}: {error}"))
    }
}

impl Probe {
    fn of(container: &Value, kind: &str) -> Self {
        let get = &container[kind]["httpGet"];
        let port = get["port"]
            .as_u64()
            .or_else(|| port_named(container, get["port"].as_str()?));
        Self {
            port: port
                .unwrap_or_else(|| panic!("the {kind} names no port of the container: {get}")),
            path: get["path"].as_str().unwrap_or("/").to_owned(),
        }
    }
}

/// The first certificate in a text, without what programs print around it.
pub(crate) fn first_certificate(text: &str) -> Option<String> {
    const END: &str = "-----END CERTIFICATE-----";
    let begin = text.find("-----BEGIN CERTIFICATE-----")?;
    let end = begin + text[begin..].find(END)? + END.len();
    Some(text[begin..end].to_owned())
}

fn port_named(container: &Value, name: &str) -> Option<u64> {
    let mut ports = container["ports"].as_array()?.iter();
    ports.find(|port| port["name"] == name)?["containerPort"].as_u64()
}

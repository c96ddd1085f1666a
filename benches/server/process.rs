//! The processes of a run: started on a processor of their own, and what the kernel knows of them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::Outcome;
use super::bodies::Body;

/// A processor for the servers and another one for the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Load,
}

/// The first and the last processor that this process may use.
fn processors() -> Outcome<(String, String)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .ok_or("no Cpus_allowed_list")?
        .trim();
    let first = list.split([',', '-']).next().unwrap_or_default().to_owned();
    let last = list
        .rsplit([',', '-'])
        .next()
        .unwrap_or_default()
        .to_owned();
    Ok((first, last))
}

/// Says it aloud if servers and load cannot be kept apart.
pub(crate) fn check_processors() -> Outcome<()> {
    let (first, last) = processors()?;
    if first == last {
        println!("WARNING: one processor only: servers and load disturb each other\n");
    }
    Ok(())
}

/// A command that runs `program` on the processor of `side`; a server has the environment of the
/// shipped manifests.
pub(crate) fn pinned(side: Side, program: &Path) -> Outcome<Command> {
    let (first, last) = processors()?;
    let mut command = Command::new("taskset");
    let (processor, variables) = match side {
        Side::Server => (first, shipped_environment()?),
        Side::Load => (last, Vec::new()),
    };
    command
        .arg("-c")
        .arg(processor)
        .arg(program)
        .envs(variables);
    Ok(command)
}

/// The variables of `manifests/base`: they set the limits at which glibc gives memory back.
fn shipped_environment() -> Outcome<Vec<(String, String)>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/manifests/base/deployment.yaml"
    );
    let deployment: Deployment = serde_saphyr::from_str(&fs::read_to_string(path)?)?;
    let pod = deployment.spec.template.spec;
    let containers = pod
        .ok_or("a Deployment without a Pod")?
        .containers
        .into_iter();
    let variables = containers.flat_map(|container| container.env.unwrap_or_default());
    Ok(variables
        .filter_map(|variable| Some((variable.name, variable.value?)))
        .collect())
}

/// A server; dropped, it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where reviews are posted.
    pub(crate) address: SocketAddr,
    /// Port of undock's health checks.
    pub(crate) admin: Option<SocketAddr>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// This executable as a server of another kind.
    pub(crate) fn start_role(role: &str, certificates: &Path) -> Outcome<Self> {
        let mut command = pinned(Side::Server, &std::env::current_exe()?)?;
        let mut child = command
            .args(["role", role])
            .arg(certificates)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
        Ok(Self {
            child,
            address: line
                .trim()
                .parse()
                .map_err(|_| format!("the {role} server did not start"))?,
            admin: None,
        })
    }

    /// undock itself; its records go to `records`.
    pub(crate) fn start_undock(certificates: &Path, records: &Path) -> Outcome<Self> {
        Self::start(
            Path::new(env!("CARGO_BIN_EXE_undock")),
            certificates,
            records,
        )
    }

    /// `undock`, of any version.
    pub(crate) fn start(undock: &Path, certificates: &Path, records: &Path) -> Outcome<Self> {
        let mut command = pinned(Side::Server, undock)?;
        let admin = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            &admin.to_string(),
        ]);
        command
            .arg("--tls-cert")
            .arg(certificates.join("tls.crt"))
            .arg("--tls-key")
            .arg(certificates.join("tls.key"));
        let mut child = command
            .stdout(fs::File::create(records)?)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut log = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        let mut line = String::new();
        while !line.contains("undock is ready") {
            line.clear();
            if log.read_line(&mut line)? == 0 {
                return Err("undock did not start".into());
            }
        }
        let ready: serde_json::Value = serde_json::from_str(&line)?;
        let address = ready["listen"]
            .as_str()
            .ok_or("undock says no address")?
            .parse()?;
        // The log is read on, so that a full pipe never stops the server.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
        Ok(Self {
            child,
            address,
            admin: Some(admin),
        })
    }

    /// Processor time of all threads so far, from the scheduler's own clock.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// `VmRSS` or `VmHWM`, in MB of 10^6 bytes.
    pub(crate) fn memory(&self, field: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .ok_or("no such field")?;
        let kibibytes: f64 = line
            .trim_start_matches(':')
            .trim()
            .trim_end_matches(" kB")
            .parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    /// Asks `/readyz` until it says yes.
    pub(crate) fn wait_ready(&self) -> Outcome<()> {
        let admin = self.admin.ok_or("no admin port")?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            let mut answer = String::new();
            let mut stream = TcpStream::connect(admin)?;
            stream.write_all(
                b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )?;
            stream.read_to_string(&mut answer)?;
            if answer.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("undock did not become ready".into())
    }
}

/// Connections that are open and warm, and send when told to.
#[derive(Debug)]
pub(crate) struct Load {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Load {
    /// Connects. `first` is the number of the first request, where requests are told apart.
    pub(crate) fn connect(
        server: &Server,
        certificates: &Path,
        body: Body,
        connections: usize,
        first: usize,
    ) -> Outcome<Self> {
        let mut command = pinned(Side::Load, &std::env::current_exe()?)?;
        command
            .args(["role", "load", &server.address.to_string()])
            .arg(certificates);
        command.args([body.name(), &connections.to_string(), &first.to_string()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut load = Self {
            child,
            orders,
            answers,
        };
        load.expect("ready")?;
        Ok(load)
    }

    /// Sends `requests` and waits for their answers; the p99 of their times, in microseconds.
    pub(crate) fn send(&mut self, requests: usize) -> Outcome<f64> {
        writeln!(self.orders.as_mut().ok_or("ended")?, "{requests}")?;
        Ok(self.expect("done")?.parse()?)
    }

    /// Closes the connections.
    pub(crate) fn end(mut self) -> Outcome<()> {
        drop(self.orders.take());
        if self.child.wait()?.success() {
            Ok(())
        } else {
            Err("the load generator failed".into())
        }
    }

    /// What follows `word` on the next line.
    fn expect(&mut self, word: &str) -> Outcome<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        match line.trim().strip_prefix(word) {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => Err(format!("the load generator failed: no {word}").into()),
        }
    }
}

/// Writes a CA and a P-256 certificate for `localhost` into `folder`: `ca.crt`, `tls.crt`, `tls.key`.
pub(crate) fn write_certificates(folder: &Path) -> Outcome<()> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca_key = KeyPair::generate()?;
    let key = KeyPair::generate()?;
    let string_field = CertificateParams::new(["localhost".to_owned()])?
        .signed_by(&key, &Issuer::from_params(&ca, &ca_key))?;
    fs::write(folder.join("ca.crt"), ca.self_signed(&ca_key)?.pem())?;
    fs::write(folder.join("tls.crt"), string_field.pem())?;
    fs::write(folder.join("tls.key"), key.serialize_pem())?;
    Ok(())
}

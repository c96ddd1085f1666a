//! The binary as a process: its two outputs as lines, its addresses, signals, and its end.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::{Client, Tls, get};
use super::{eventually, server};

/// Lines that a thread collects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<String>>>);

impl Output {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let output = Self::default();
        let shared = output.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                shared
                    .0
                    .lock()
                    .expect("no panic while a line is added")
                    .push(line);
            }
        });
        output
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .expect("no panic while a line is added")
            .clone()
    }
}

/// A running `undock serve`; it is killed with the value.
#[derive(Debug)]
pub(crate) struct Undock {
    child: Child,
    pub(crate) out: Output,
    pub(crate) err: Output,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// `undock` with ports of its own, and nothing from the environment of the tests.
pub(crate) fn undock() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("UNDOCK_") {
            command.env_remove(name);
        }
    }
    command
        .env("UNDOCK_LISTEN", "127.0.0.1:0")
        .env("UNDOCK_ADMIN_LISTEN", "127.0.0.1:0");
    command
}

impl Undock {
    /// Starts `undock serve` with `arguments` and waits until it is ready.
    pub(crate) fn serve(arguments: &[&str]) -> Self {
        let (mut undock, stdout) = Self::serve_unread(arguments);
        undock.out = Output::of(stdout);
        undock
    }

    /// As [`Undock::serve`], but nobody reads the standard output.
    pub(crate) fn serve_unread(arguments: &[&str]) -> (Self, ChildStdout) {
        server::crypto();
        let mut command = undock();
        command
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("undock starts");
        let stdout = child.stdout.take().expect("a pipe");
        let err = Output::of(child.stderr.take().expect("a pipe"));
        let ready = eventually("the line that says ready", || {
            if let Some(status) = child.try_wait().expect("a child") {
                panic!("ended with {status}: {:?}", err.lines());
            }
            let logs = err
                .lines()
                .into_iter()
                .filter_map(|line| serde_json::from_str::<Value>(&line).ok());
            logs.into_iter().find(|log| {
                log["message"]
                    .as_str()
                    .is_some_and(|message| message.contains("is ready"))
            })
        });
        let address = |key: &str| {
            ready[key]
                .as_str()
                .and_then(|text| text.parse().ok())
                .expect("an address")
        };
        let (listen, admin) = (address("listen"), address("admin_listen"));
        (
            Self {
                child,
                out: Output::default(),
                err,
                address: listen,
                admin,
            },
            stdout,
        )
    }

    /// The CA that was made at the start, as printed.
    pub(crate) fn ca_path(&self) -> String {
        eventually("the path of the CA", || {
            self.err
                .lines()
                .iter()
                .find_map(|line| line.strip_prefix("CA: ").map(str::to_owned))
        })
    }

    /// A connection that trusts the CA made at the start.
    pub(crate) fn connect(&self) -> Client {
        let ca = std::fs::read_to_string(self.ca_path()).expect("the CA");
        Tls::new(&ca).connect(self.address).expect("a connection")
    }

    /// The status and text of a path on the admin port.
    pub(crate) fn admin(&self, path: &str) -> (u16, String) {
        let reply = get(self.admin, path).expect("the admin port answers");
        (reply.status, reply.text())
    }

    /// The value of a metric, written as in the exposition; 0 where it is absent.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        server::metric(&self.admin("/metrics").1, name)
    }

    /// The first `count` records; a line that is no record fails the test.
    pub(crate) fn records(&self, count: usize) -> Vec<Value> {
        let lines = eventually(&format!("{count} records"), || {
            Some(self.out.lines()).filter(|lines| lines.len() >= count)
        });
        lines
            .iter()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|_| panic!("not a record: {line}"))
            })
            .collect()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "still running after {limit:?}: {:?}",
                self.err.lines()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB; `None` where the system does not tell.
    pub(crate) fn resident_kib(&self) -> Option<u64> {
        self.memory("VmRSS:")
    }

    /// The most resident memory so far, in KiB; `None` where the system does not tell.
    pub(crate) fn peak_kib(&self) -> Option<u64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Undock {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `undock serve` with `arguments`, which must not start: its exit code and what it says on stderr.
pub(crate) fn refused(arguments: &[&str]) -> (i32, String) {
    let mut child = undock();
    child
        .arg("serve")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = child.output().expect("undock runs");
    assert!(
        output.stdout.is_empty(),
        "stdout is for records: {:?}",
        String::from_utf8_lossy(&output.stdout)
    );
    (
        output.status.code().expect("an exit code"),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

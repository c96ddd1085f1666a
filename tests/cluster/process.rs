//! Child processes that end with their owner, and waiting that polls instead of sleeping.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running child. Dropping it kills it, also while a test panics.
pub(crate) struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts `command` with its stdout and stderr appended to files, so that nothing can block on a full pipe.
    pub(crate) fn start(name: &str, command: &mut Command, stdout: &Path, stderr: &Path) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(append_to(stdout))
            .stderr(append_to(stderr))
            .spawn()
            .unwrap_or_else(|error| panic!("{name} could not be started: {error}"));
        Self {
            name: name.to_owned(),
            child,
        }
    }

    /// The status with which the process ended, or nothing while it runs.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .unwrap_or_else(|error| panic!("{} cannot be waited for: {error}", self.name))
    }

    /// The most memory that the process has had, in MB. `/proc` numbers processes as the outer namespace does.
    pub(crate) fn peak_memory(&self) -> f64 {
        let own = fs::read_link("/proc/self/ns/pid").expect("/proc is mounted");
        let folders = fs::read_dir("/proc")
            .expect("/proc is mounted")
            .filter_map(|entry| Some(entry.ok()?.path()));
        let mut ours = folders.filter(|folder| {
            fs::read_link(folder.join("ns/pid")).is_ok_and(|namespace| namespace == own)
        });
        let found = ours.find_map(|folder| {
            let status = fs::read_to_string(folder.join("status")).ok()?;
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
            let is_child =
                field("NSpid:")?.split_whitespace().next_back()? == self.child.id().to_string();
            is_child.then(|| {
                field("VmHWM:")?
                    .split_whitespace()
                    .next()?
                    .parse::<f64>()
                    .ok()
            })?
        });
        found.unwrap_or_else(|| panic!("{} is not in /proc", self.name)) / 1024.0
    }

    /// Asks the process to stop, as a kubelet does first.
    pub(crate) fn terminate(&self) {
        // The standard library can only send SIGKILL.
        let sent = Command::new("kill")
            .arg("-TERM")
            .arg(self.child.id().to_string())
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "{} could not be sent SIGTERM",
            self.name
        );
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the process has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls `probe` until it gives a value, and panics with its last reason when `patience` runs out.
#[track_caller]
pub(crate) fn eventually<T>(
    what: &str,
    patience: Duration,
    mut probe: impl FnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match probe() {
            Ok(value) => return value,
            Err(reason) => {
                assert!(
                    Instant::now() < deadline,
                    "not within {patience:?}: {what}. Last seen: {reason}"
                );
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a short command and panics with its output when it fails.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// The last `count` lines of a file, for a failure message.
pub(crate) fn tail(path: &Path, count: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// One line on the real stderr: the test runner captures what the print macros write, and a skipped test
/// or a slow start must be seen.
pub(crate) fn say(line: &str) {
    // Nothing sensible is left to do when stderr itself is closed.
    let _ = writeln!(io::stderr(), "cluster: {line}");
}

fn append_to(path: &Path) -> File {
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()))
}

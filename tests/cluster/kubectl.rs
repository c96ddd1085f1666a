//! The real kubectl, and what it answered.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::process::eventually;

/// How kubectl is called against the control plane of the tests.
#[derive(Clone)]
pub(crate) struct Kubectl {
    binary: PathBuf,
    kubeconfig: PathBuf,
}

/// What one call of kubectl said.
#[derive(Debug)]
pub(crate) struct Answer {
    succeeded: bool,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error: warnings and refusals are here.
    pub(crate) err: String,
}

impl Kubectl {
    /// A kubectl that uses this kubeconfig and nothing of the caller's.
    pub(crate) fn new(binary: PathBuf, kubeconfig: PathBuf) -> Self {
        Self { binary, kubeconfig }
    }

    /// The command with its environment, for calls that need more than an answer.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(&self.binary);
        // kubectl keeps its discovery cache under HOME; the caller's is none of the tests' business.
        command
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.folder());
        command
    }

    /// Runs kubectl with words separated by spaces, as on a command line.
    pub(crate) fn run(&self, words: &str) -> Answer {
        self.call(self.command(words.split_whitespace()), None)
    }

    /// The same with an object on standard input.
    pub(crate) fn run_with(&self, words: &str, object: &Value) -> Answer {
        self.call(self.command(words.split_whitespace()), Some(object))
    }

    /// Sends a patch as a strategic merge.
    pub(crate) fn patch(&self, words: &str, patch: &Value) -> Answer {
        let mut command = self.command(words.split_whitespace());
        command.arg("--patch").arg(patch.to_string());
        self.call(command, None)
    }

    /// Reads something as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &str) -> Value {
        let answer = self.run(&format!("{words} -o json"));
        answer.assert_accepted();
        serde_json::from_str(&answer.out).expect("kubectl -o json prints JSON")
    }

    /// Creates a namespace that Pods can be written to.
    #[track_caller]
    pub(crate) fn create_namespace(&self, name: &str) {
        self.run(&format!("create namespace {name}"))
            .assert_accepted();
        self.wait_for_service_account(name);
    }

    /// Waits until Pods can be written to a namespace.
    #[track_caller]
    pub(crate) fn wait_for_service_account(&self, name: &str) {
        // Pods are refused until the controller manager has made the default service account.
        eventually(
            "the namespace has its service account",
            Duration::from_secs(30),
            || {
                self.run(&format!("get serviceaccount default -n {name}"))
                    .accepted()
            },
        );
    }

    fn call(&self, mut command: Command, object: Option<&Value>) -> Answer {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if object.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = command.spawn().expect("kubectl starts");
        if let (Some(mut stdin), Some(object)) = (child.stdin.take(), object) {
            // kubectl may answer without reading all of it; what it says then is more useful than this error.
            let _ = stdin.write_all(object.to_string().as_bytes());
        }
        let output = child.wait_with_output().expect("kubectl ends");
        Answer {
            succeeded: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn folder(&self) -> &Path {
        self.kubeconfig
            .parent()
            .expect("the kubeconfig is in the folder of the run")
    }
}

impl Answer {
    /// The answer when the call succeeded, what kubectl complained about otherwise.
    pub(crate) fn accepted(self) -> Result<Self, String> {
        if self.succeeded {
            Ok(self)
        } else {
            Err(self.err)
        }
    }

    /// The lines that kubectl prints for warnings, without the prefix.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.err
            .lines()
            .filter_map(|line| line.strip_prefix("Warning: "))
            .collect()
    }

    /// Panics unless the write went through.
    #[track_caller]
    pub(crate) fn assert_accepted(&self) -> &Self {
        assert!(self.succeeded, "kubectl was refused: {}", self.err);
        self
    }

    /// Panics unless the write was refused.
    #[track_caller]
    pub(crate) fn assert_refused(&self) -> &Self {
        assert!(
            !self.succeeded,
            "kubectl was not refused. Standard error: {}",
            self.err
        );
        self
    }

    /// Panics unless exactly one warning was shown, and gives it.
    #[track_caller]
    pub(crate) fn only_warning(&self) -> &str {
        let warnings = self.warnings();
        assert_eq!(
            warnings.len(),
            1,
            "one warning expected. Standard error: {}",
            self.err
        );
        warnings[0]
    }

    /// Panics if a warning was shown.
    #[track_caller]
    pub(crate) fn assert_no_warning(&self) -> &Self {
        assert!(
            self.warnings().is_empty(),
            "no warning expected. Standard error: {}",
            self.err
        );
        self
    }
}

//! Runs this test binary a second time inside a network and process namespace of its own.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::thread;

use crate::for_people;
use crate::process::{run, say};

/// Holds the folder of the run; that it is set means: this process is the inner one.
const INSIDE: &str = "UNDOCK_CLUSTER_INSIDE";

/// Keeps the folder of the run, with every log in it, when set.
const KEEP: &str = "UNDOCK_CLUSTER_KEEP";

/// Where this process runs.
pub(crate) enum Place {
    /// As `cargo test` started it.
    Outside,
    /// In the namespace, with the folder that everything may be written to.
    Inside(PathBuf),
}

/// Tells the two apart. The inner process also gets its loopback device and its tie to the outer one here.
pub(crate) fn place() -> Place {
    let Some(root) = env::var_os(INSIDE).map(PathBuf::from) else {
        return Place::Outside;
    };
    end_with_the_outer_process(root.clone());
    run(Command::new("ip").args(["link", "set", "lo", "up"]));
    // On the loopback device a whole prefix is local: every Pod address answers without being added one by one.
    run(Command::new("ip").args(["address", "add", "10.244.0.1/24", "dev", "lo"]));
    Place::Inside(root)
}

/// Runs the named test inside, and panics when it fails there.
pub(crate) fn run_inside(test: &str) {
    require("unshare", "util-linux");
    require("ip", "iproute2");
    require("openssl", "openssl");
    require_namespaces();
    let folder = tempfile::Builder::new()
        .prefix("undock-cluster-")
        .tempdir()
        .expect("a folder for the run");
    let root = folder.path().to_owned();
    let for_people = for_people::Door::open_if_asked(&root);

    let mut inner = unshare()
        .arg(env::current_exe().expect("the path of this test binary"))
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, &root)
        .envs(
            for_people
                .as_ref()
                .map(for_people::Door::for_the_inner_process),
        )
        // Held open by this process and read by the inner one: it closes however this process ends.
        .stdin(Stdio::piped())
        // The inner test runner would report a second time; everything worth reading goes to stderr.
        .stdout(Stdio::null())
        // Ctrl-C reaches the outer process alone; the inner one then ends by itself and cleans up.
        .process_group(0)
        .spawn()
        .expect("unshare starts");
    // Waiting would close it.
    let tie = inner.stdin.take();
    let status = inner.wait().expect("the inner process can be waited for");
    drop(tie);

    if env::var_os(KEEP).is_some() {
        say(&format!("logs are kept in {}", folder.keep().display()));
    } else if !status.success() {
        say(&format!(
            "set {KEEP}=1 to keep the logs of the control plane and of undock"
        ));
    }
    assert!(
        status.success(),
        "the cluster tests failed inside their namespace: {status}"
    );
}

/// The first process of a process namespace takes all others with it, so leaving is all the cleaning there is
/// beside the folder. The outer process removes that too, unless it was killed.
fn end_with_the_outer_process(root: PathBuf) {
    thread::spawn(move || {
        // Nothing is ever written: reading ends when the outer process has.
        let _ = io::stdin().read(&mut [0]);
        let _ = fs::remove_dir_all(root);
        process::exit(1);
    });
}

/// `unshare` with all that the inner process is to have alone.
fn unshare() -> Command {
    let mut unshare = Command::new("unshare");
    if !is_root() {
        unshare.arg("--map-root-user");
    }
    unshare.args(["--net", "--pid", "--fork", "--kill-child"]);
    unshare
}

/// Containers and hardened systems may forbid what the tests live in.
fn require_namespaces() {
    let output = unshare()
        .args(["ip", "link", "set", "lo", "up"])
        .output()
        .expect("unshare starts");
    assert!(
        output.status.success(),
        "the cluster tests need a network namespace of their own, which this system does not give them: {}. \
         Run them as root, in a container with --privileged, or where unprivileged user namespaces are allowed",
        String::from_utf8_lossy(&output.stderr).trim()
    );
}

fn require(program: &str, package: &str) {
    let path =
        env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/sbin:/usr/bin:/sbin:/bin"));
    let found = env::split_paths(&path).any(|folder| folder.join(program).is_file());
    assert!(
        found,
        "the cluster tests need `{program}` in PATH (package {package})"
    );
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).trim() == "0"
}

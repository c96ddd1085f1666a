//! The same cluster for people: it stays, and its API server can be reached from outside the namespace.
//!
//! A network namespace does not separate sockets in the file system. So the outer process listens on
//! 127.0.0.1, the inner one on a socket in the folder of the run, and both only copy bytes.

use std::env;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use crate::control_plane::{self, Assets};
use crate::process::say;
use crate::world::World;

/// Set by `up.sh`.
const STAY: &str = "UNDOCK_CLUSTER_STAY";

/// The port outside, as the inner process is told it.
const PORT: &str = "UNDOCK_CLUSTER_PORT";

/// The listener outside.
pub(crate) struct Door {
    port: u16,
}

impl Door {
    /// Listens, and copies what comes to the inner process, when the cluster is meant to stay.
    pub(crate) fn open_if_asked(root: &Path) -> Option<Self> {
        env::var_os(STAY)?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on 127.0.0.1");
        let port = listener
            .local_addr()
            .expect("a bound listener has an address")
            .port();
        let socket = socket(root);
        thread::spawn(move || {
            for outside in listener.incoming().flatten() {
                // Refused until the API server is there; clients see a closed connection.
                if let Ok(inside) = UnixStream::connect(&socket) {
                    join(outside, inside);
                }
            }
        });
        Some(Self { port })
    }

    /// The variables that tell the inner process.
    pub(crate) fn for_the_inner_process(&self) -> (&'static str, String) {
        (PORT, self.port.to_string())
    }
}

/// The port outside, when the cluster is meant to stay.
pub(crate) fn port() -> Option<u16> {
    env::var(PORT).ok()?.parse().ok()
}

/// Starts everything, says how to use it and stays until the outer process ends.
pub(crate) fn stay(root: &Path, assets: Assets, port: u16) {
    say("starting etcd, kube-apiserver, kube-controller-manager and undock");
    let world = World::start(&assets, root);
    let listener = UnixListener::bind(socket(root)).expect("a socket in the folder of the run");
    let kubeconfig = root.join("kubeconfig-outside");
    control_plane::write_kubeconfig(root, &kubeconfig, port);
    say(&format!(
        "ready: undock is registered with manifests/overlays/warn. In another shell:\n\n\
         export KUBECONFIG={}\nexport PATH={}:$PATH\n",
        kubeconfig.display(),
        assets.folder().display()
    ));
    say(&format!(
        "records of undock: tail -f {}/pods/*/stdout   (logs: stderr beside them)",
        root.display()
    ));
    say("no node runs Pods here: they stay Pending. Ctrl-C ends everything and removes it.");
    for outside in listener.incoming().flatten() {
        if let Ok(inside) = TcpStream::connect(("127.0.0.1", control_plane::PORT)) {
            join(inside, outside);
        }
    }
    drop(world);
}

fn socket(root: &Path) -> PathBuf {
    root.join("api-server.sock")
}

/// Copies both ways until both have ended. kubectl keeps a connection open while it watches, hence threads.
fn join(tcp: TcpStream, unix: UnixStream) {
    let (Ok(mut tcp_in), Ok(mut unix_in)) = (tcp.try_clone(), unix.try_clone()) else {
        return;
    };
    let (mut tcp_out, mut unix_out) = (tcp, unix);
    // An error is one side hanging up, which is passed on to the other and needs no words.
    thread::spawn(move || {
        let _ = io::copy(&mut tcp_in, &mut unix_out);
        let _ = unix_out.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let _ = io::copy(&mut unix_in, &mut tcp_out);
        let _ = tcp_out.shutdown(Shutdown::Write);
    });
}

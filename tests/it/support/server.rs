//! A server in this process, on a port of its own, with a policy and limits of the test's choice.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustls::crypto::aws_lc_rs;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use undock::admission;
use undock::decision::{Mode, Policy};
use undock::metrics::Metrics;
use undock::record::queue::{Queue, Writer};
use undock::server::callers::{Callers, Tokens};
use undock::server::certificates::{Certificates, tls_config};
use undock::server::client_certificate::ClientCertificates;
use undock::server::listener::{self, Limits};
use undock::server::{App, Evaluate, SharedApp, State};

use super::answer::Answer;
use super::client::{Client, Tls};
use super::fake_api::FakeApi;
use super::{eventually, reviews};

/// How a server is set up.
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) review: Evaluate,
    pub(crate) limits: Limits,
    pub(crate) client_ca: Option<PathBuf>,
    pub(crate) client_names: Vec<String>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) tls12: bool,
    /// The cluster that it is connected to.
    pub(crate) api: Option<FakeApi>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Warn,
            review: admission::review_within,
            limits: Limits::default(),
            client_ca: None,
            client_names: Vec::new(),
            tokens: None,
            tls12: false,
            api: None,
        }
    }
}

/// A running server; it ends with the value.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) ca: String,
    pub(crate) app: SharedApp,
    pub(crate) stop: watch::Sender<bool>,
    records: Lines,
    // Last, so that everything else is told first.
    _writer: Writer,
    runtime: Runtime,
}

/// A sink for records that can be looked into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("no test panics while it writes")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The whole lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self
            .0
            .lock()
            .expect("no test panics while it reads")
            .clone();
        let text = String::from_utf8(bytes).expect("records are UTF-8");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }
}

/// Names the crypto provider, as `main` does.
pub(crate) fn crypto() {
    // An error says that another test was first.
    let _ = aws_lc_rs::default_provider().install_default();
}

impl Server {
    /// A server in `mode`.
    pub(crate) fn start(mode: Mode) -> Self {
        Self::with(Settings {
            mode,
            ..Settings::default()
        })
    }

    /// A server as `settings` say.
    pub(crate) fn with(settings: Settings) -> Self {
        crypto();
        let Settings {
            mode,
            review,
            limits,
            client_ca,
            client_names,
            tokens,
            tls12,
            api,
        } = settings;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let client = {
            let _context = runtime.enter();
            api.map(|api| api.client())
        };
        let ephemeral = Certificates::ephemeral().expect("a certificate");
        let clients = client_ca.map(|path| {
            Arc::new(ClientCertificates::read(&path, client_names).expect("a client CA"))
        });
        let tls = tls_config(Arc::new(ephemeral.certificates), clients.clone(), tls12);
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let records = Lines::default();
        let (queue, writer) = Queue::start(records.clone()).expect("a thread");
        let metrics = Metrics::new(queue.counts());
        let policy = Policy {
            mode,
            ..Policy::default()
        };
        let app = Arc::new(App {
            policy: arc_swap::ArcSwap::from_pointee(policy),
            client,
            cluster: String::new(),
            records: queue,
            metrics,
            review,
            callers: Callers {
                certificates: clients.is_some(),
                tokens,
            },
            state: State::default(),
        });
        if let Some(clients) = clients {
            runtime.spawn(clients.watch(|| ()));
        }
        let watched = Arc::clone(&app);
        runtime.spawn(async move {
            if let Some(tokens) = &watched.callers.tokens {
                tokens.watch(|| ()).await;
            }
        });
        let (stop, stopping) = watch::channel(false);
        runtime.spawn(listener::serve_within(
            limits,
            listener,
            Arc::new(tls),
            Arc::clone(&app),
            stopping,
        ));
        app.state.set_listening();
        Self {
            address,
            ca: ephemeral.ca,
            app,
            stop,
            records,
            _writer: writer,
            runtime,
        }
    }

    /// A connection as kube-apiserver makes it.
    pub(crate) fn connect(&self) -> Client {
        Tls::new(&self.ca)
            .connect(self.address)
            .expect("a connection")
    }

    /// Posts a body over a connection of its own and checks the answer.
    pub(crate) fn ask(&self, body: &[u8]) -> Answer {
        Answer::of(&self.connect().post(body))
    }

    /// Posts a review and checks the answer; its uid is the review's.
    pub(crate) fn review(&self, review: &Value) -> Answer {
        let answer = self.ask(&reviews::bytes(review));
        assert_eq!(
            answer.uid,
            review["request"]["uid"].as_str().expect("a uid")
        );
        assert_eq!(answer.raw["apiVersion"], review["apiVersion"]);
        answer
    }

    /// The first `count` records.
    pub(crate) fn records(&self, count: usize) -> Vec<Value> {
        let lines = eventually(&format!("{count} records"), || {
            Some(self.records.lines()).filter(|lines| lines.len() >= count)
        });
        lines
            .iter()
            .map(|line| serde_json::from_str(line).expect("a record is JSON"))
            .collect()
    }

    /// The value of a metric, written as in the exposition; 0 where it is absent.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        metric(&self.app.metrics.encode(), name)
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// The value of the metric `name`, labels included, in an exposition; 0 where it is absent.
pub(crate) fn metric(exposition: &str, name: &str) -> u64 {
    let value = exposition
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().expect("a whole number"))
}

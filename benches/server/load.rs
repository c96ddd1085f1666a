//! The load generator: HTTP/1.1 over TLS with kept-alive connections, as kube-apiserver calls.
//!
//! It connects, sends a few requests to warm everything up and says `ready`. Then each line on stdin is a number
//! of requests; when they are answered it says `done` and the p99 of their times in microseconds. It ends with stdin.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CipherSuite, ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use undock::registration;

use super::Outcome;
use super::bodies::{Body, SEQUENCE};

/// Requests on each connection before anything counts, of bodies of an ordinary size.
const WARM_UP: usize = 20;
/// No order may take longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs the role.
pub(crate) fn run(arguments: &[&str]) -> Outcome<()> {
    let [address, certificates, body, connections, first] = arguments else {
        return Err("usage: ADDRESS CERTIFICATES BODY CONNECTIONS FIRST".into());
    };
    let body = Body::parse(body).ok_or("no such body")?;
    let numbers = Arc::new(AtomicUsize::new(first.parse()?));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Waking a thread that sleeps costs the one who wakes it several microseconds on a virtual machine, as much as
        // a third of the floor: a server that outruns the load generator would be spared that, and others would not.
        // So this one never sleeps, and all servers are the same to it.
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        let connector = connector(Path::new(certificates))?;
        let request = Arc::new(request(&body.review_in(Path::new(certificates))));
        let mut open = Vec::new();
        for _ in 0..connections.parse()? {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let stream = connector
                .connect(ServerName::try_from("localhost")?, stream)
                .await?;
            let request = Arc::clone(&request);
            let digits = memchr::memmem::find(&request, SEQUENCE.as_bytes())
                .filter(|_| body == Body::Finding);
            open.push(Connection {
                stream,
                request,
                digits,
                numbers: Arc::clone(&numbers),
                answer: Vec::new(),
                times: Vec::new(),
            });
        }
        if Body::ALL.contains(&body) {
            open = send(open, WARM_UP * connections.parse::<usize>()?).await?;
            p99(&mut open);
        }
        println!("ready");
        for order in std::io::stdin().lines() {
            open = tokio::time::timeout(DEADLINE, send(open, order?.parse()?)).await??;
            println!("done {}", p99(&mut open).as_secs_f64() * 1e6);
        }
        Ok(())
    })
}

fn connector(certificates: &Path) -> Outcome<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificates.join("ca.crt"))?)?;
    // The order in which Go's crypto/tls offers them, from which the server takes the first.
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let suites = &mut provider.cipher_suites;
    suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn request(body: &str) -> Vec<u8> {
    let head = format!(
        "POST {}?timeout=10s HTTP/1.1\r\nHost: undock.undock.svc:443\r\nUser-Agent: kube-apiserver-admission\r\nContent-Length: {}\r\n\
         Accept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
        registration::PATH,
        body.len(),
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

struct Connection {
    stream: TlsStream<TcpStream>,
    request: Arc<Vec<u8>>,
    /// Where the number of the request stands in it.
    digits: Option<usize>,
    numbers: Arc<AtomicUsize>,
    answer: Vec<u8>,
    /// From request to answer, since the last order.
    times: Vec<Duration>,
}

/// The time that one request of a hundred exceeds; the next order begins anew.
fn p99(connections: &mut [Connection]) -> Duration {
    let times = connections
        .iter_mut()
        .flat_map(|connection| connection.times.drain(..));
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or_default()
}

/// Sends `requests`, shared out by who is free first.
async fn send(connections: Vec<Connection>, requests: usize) -> Outcome<Vec<Connection>> {
    let left = Arc::new(AtomicUsize::new(requests));
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|mut connection| {
            let left = Arc::clone(&left);
            tokio::spawn(async move {
                while left
                    .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                        left.checked_sub(1)
                    })
                    .is_ok()
                {
                    connection
                        .exchange()
                        .await
                        .map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(connection)
            })
        })
        .collect();
    let mut connections = Vec::new();
    for task in tasks {
        connections.push(task.await??);
    }
    Ok(connections)
}

impl Connection {
    /// One request and its answer, which must allow.
    async fn exchange(&mut self) -> Outcome<()> {
        if let Some(at) = self.digits {
            let number = format!(
                "{:08}",
                self.numbers.fetch_add(1, Ordering::Relaxed) % 100_000_000
            );
            Arc::make_mut(&mut self.request)[at..at + SEQUENCE.len()]
                .copy_from_slice(number.as_bytes());
        }
        let started = Instant::now();
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(whole) = is_whole(&self.answer)? {
                self.times.push(started.elapsed());
                return if whole {
                    Ok(())
                } else {
                    Err(String::from_utf8_lossy(&self.answer).into())
                };
            }
        }
    }
}

/// `None` until `answer` is whole; then whether it is a 200 that allows.
fn is_whole(answer: &[u8]) -> Outcome<Option<bool>> {
    let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&answer[..end])?;
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    if answer.len() < end + 4 + length.ok_or("an answer without content-length")? {
        return Ok(None);
    }
    Ok(Some(
        head.starts_with("HTTP/1.1 200")
            && memchr::memmem::find(answer, b"\"allowed\":true").is_some(),
    ))
}

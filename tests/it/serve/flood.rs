//! A flood of strangers against `undock serve` on loopback, while an API server goes on asking: every review is answered,
//! and memory stays far below the limit of the manifests.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::support::answer::Answer;
use crate::support::client::{Client, JSON, Tls, connect, request};
use crate::support::process::Undock;
use crate::support::reviews::{bytes, clean_pod, create};

/// `resources.limits.memory` of manifests/base, in KiB.
const MEMORY_LIMIT: u64 = 256 * 1024;

/// Reviews each second of the API server beside the flood.
const REVIEWS_PER_SECOND: u64 = 60;

struct Flood {
    undock: Undock,
    ca: String,
}

impl Flood {
    fn new() -> Self {
        let undock = Undock::serve(&[]);
        let ca = std::fs::read_to_string(undock.ca_path()).expect("the CA");
        Self { undock, ca }
    }

    fn config(&self, protocol: &'static str) -> Arc<ClientConfig> {
        let mut tls = Tls::new(&self.ca);
        tls.alpn = vec![protocol];
        tls.config()
    }

    /// Runs `attack` while reviews go on: on a connection that is kept, and every tenth on a new one. Prints how it went.
    fn beside_reviews(&self, what: &str, attack: impl FnOnce() + Send) {
        let body = bytes(&create(clean_pod()));
        let config = self.config("http/1.1");
        let is_over = AtomicBool::new(false);
        let (answered, slowest) = std::thread::scope(|scope| {
            let reviews = scope.spawn(|| {
                let mut kept = connect(self.undock.address, Arc::clone(&config)).expect("a place");
                let (mut answered, mut slowest) = (0_u64, Duration::ZERO);
                while !is_over.load(Ordering::Relaxed) {
                    let started = Instant::now();
                    Answer::of(&kept.post(&body));
                    if answered.is_multiple_of(10) {
                        let new = connect(self.undock.address, Arc::clone(&config));
                        Answer::of(&new.expect("a place").post(&body));
                    }
                    slowest = slowest.max(started.elapsed());
                    answered += 1;
                    std::thread::sleep(Duration::from_millis(1_000 / REVIEWS_PER_SECOND));
                }
                (answered, slowest)
            });
            attack();
            is_over.store(true, Ordering::Relaxed);
            reviews.join().expect("every review is answered")
        });
        assert!(
            answered > REVIEWS_PER_SECOND,
            "only {answered} reviews were sent"
        );
        let Some(peak) = self.undock.peak_kib() else {
            println!("SKIPPED: this system does not tell a process's memory");
            return;
        };
        println!(
            "{what}: {answered} reviews answered, the slowest in {slowest:?}, peak {peak} KiB"
        );
        assert!(peak < MEMORY_LIMIT * 3 / 4, "{what}: {peak} KiB");
    }

    /// As many connections as there are, each prepared by `prepare`; those that are closed are opened again once.
    fn strangers(&self, count: usize, prepare: impl Fn(&mut Client) + Sync) {
        let config = self.config("http/1.1");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut held = Vec::new();
                    for _ in 0..count / 4 {
                        // A stranger may be pushed out in its handshake, which is the point.
                        if let Ok(mut client) = connect(self.undock.address, Arc::clone(&config)) {
                            prepare(&mut client);
                            held.push(client);
                        }
                    }
                    std::thread::sleep(Duration::from_secs(2));
                });
            }
        });
    }
}

#[test]
fn idle_connections_of_strangers_keep_nobody_out() {
    let flood = Flood::new();
    flood.beside_reviews("1,200 idle connections", || flood.strangers(1_200, |_| ()));
    assert!(flood.undock.metric("undock_connections") <= 512);
}

#[test]
fn stalled_bodies_of_strangers_keep_nobody_out() {
    let flood = Flood::new();
    let body = vec![b' '; 60_000];
    let whole = request("POST", "/validate?timeout=30s", JSON, &body);
    flood.beside_reviews("1,200 stalled bodies of 60 KB", || {
        flood.strangers(1_200, |client| {
            let _ = client.send(&whole[..whole.len() - 1]);
        });
    });
}

#[test]
fn announced_bodies_of_strangers_hold_little_memory() {
    let flood = Flood::new();
    let head = request("POST", "/validate?timeout=30s", JSON, &[]);
    let head = String::from_utf8(head).expect("headers are text");
    let announced = head.replace("Length: 0", "Length: 36700160") + &" ".repeat(100);
    flood.beside_reviews("1,200 bodies of 35 MB that are only announced", || {
        flood.strangers(1_200, |client| {
            let _ = client.send(announced.as_bytes());
        });
    });
}

#[test]
fn stalled_http2_streams_hold_little_memory() {
    let flood = Flood::new();
    let config = flood.config("h2");
    flood.beside_reviews("300 HTTP/2 connections of 100 stalled streams", || {
        let mut held = Vec::new();
        for _ in 0..300 {
            if let Ok(mut client) = connect(flood.undock.address, Arc::clone(&config)) {
                // Not more than the server lets in at once: the rest would wait here, not there.
                let _ = client.stream.write_all(&stalled_streams());
                let _ = client.stream.flush();
                held.push(client);
            }
        }
        std::thread::sleep(Duration::from_secs(2));
    });
}

/// The bytes of an HTTP/2 client that opens 100 streams and sends as much of their bodies as a new connection lets it:
/// 65,535 bytes (RFC 9113, section 6.9.2).
fn stalled_streams() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frame(&mut bytes, 4, 0, 0, &[]);
    let mut left = 65_535_usize;
    for stream in (1..200).step_by(2) {
        frame(&mut bytes, 1, 4, stream, &headers());
        let length = left.min(8_000);
        if length > 0 {
            frame(&mut bytes, 0, 0, stream, &vec![b' '; length]);
            left -= length;
        }
    }
    bytes
}

fn frame(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a frame is small");
    bytes.extend(&length.to_be_bytes()[1..]);
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
}

/// Headers of a review with a body of 60,500 bytes, in HPACK without compression.
fn headers() -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "x"),
        (":path", "/validate?timeout=30s"),
        ("content-type", "application/json"),
        ("content-length", "60500"),
    ] {
        bytes.push(0);
        for text in [name, value] {
            bytes.push(u8::try_from(text.len()).expect("short"));
            bytes.extend(text.as_bytes());
        }
    }
    bytes
}

//! TLS: what is offered, and what is refused.

use std::io::Read as _;
use std::time::{Duration, Instant};

use rustls::{HandshakeKind, ProtocolVersion};
use undock::decision::Mode;
use undock::server::listener::Limits;

use crate::support::answer::Answer;
use crate::support::client::{Tls, tcp};
use crate::support::eventually;
use crate::support::reviews::{bytes, clean_pod, create};
use crate::support::server::{Server, Settings};

#[test]
fn every_usual_offer_of_protocols_is_taken() {
    let server = Server::start(Mode::Warn);
    let offers: [(&[&'static str], Option<&[u8]>); 5] = [
        (&["http/1.1"], Some(b"http/1.1")),
        (&["h2"], Some(b"h2")),
        (&["h2", "http/1.1"], Some(b"h2")),
        (&["http/1.1", "h2"], Some(b"h2")),
        (&[], None),
    ];
    for (offer, chosen) in offers {
        let mut tls = Tls::new(&server.ca);
        tls.alpn = offer.to_vec();
        let mut client = tls
            .connect(server.address)
            .unwrap_or_else(|error| panic!("{offer:?}: {error}"));
        assert_eq!(client.stream.conn.alpn_protocol(), chosen, "{offer:?}");
        if chosen != Some(b"h2") {
            Answer::of(&client.post(&bytes(&create(clean_pod()))));
        }
    }
}

#[test]
fn tls_1_2_is_refused_unless_asked_for() {
    for (tls12, answered) in [(false, false), (true, true)] {
        let server = Server::with(Settings {
            tls12,
            ..Settings::default()
        });
        let mut tls = Tls::new(&server.ca);
        tls.versions = vec![&rustls::version::TLS12];
        let outcome = tls.connect(server.address);
        assert_eq!(outcome.is_ok(), answered, "allowed: {tls12}");
        if let Ok(mut client) = outcome {
            assert_eq!(
                client.stream.conn.protocol_version(),
                Some(ProtocolVersion::TLSv1_2)
            );
            Answer::of(&client.post(&bytes(&create(clean_pod()))));
        } else {
            eventually("the failed handshake in the metrics", || {
                (server.metric("undock_tls_handshake_failures_total") == 1).then_some(())
            });
        }
        let mut client = server.connect();
        Answer::of(&client.post(&bytes(&create(clean_pod()))));
        assert_eq!(
            client.stream.conn.protocol_version(),
            Some(ProtocolVersion::TLSv1_3)
        );
    }
}

#[test]
fn sessions_are_not_resumed() {
    let server = Server::with(Settings {
        tls12: true,
        ..Settings::default()
    });
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut tls = Tls::new(&server.ca);
        tls.versions = vec![version];
        let config = tls.config();
        for _ in 0..2 {
            let mut client =
                crate::support::client::connect(server.address, config.clone()).unwrap();
            Answer::of(&client.post(&bytes(&create(clean_pod()))));
            assert_eq!(
                client.stream.conn.handshake_kind(),
                Some(HandshakeKind::Full)
            );
        }
    }
}

#[test]
fn a_handshake_that_stalls_is_ended() {
    let limits = Limits {
        handshake: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(Settings {
        limits,
        ..Settings::default()
    });
    let started = Instant::now();
    let mut silent = tcp(server.address).unwrap();
    let mut halfway = tcp(server.address).unwrap();
    std::io::Write::write_all(&mut halfway, &[0x16, 0x03, 0x01, 0x02]).unwrap();
    for socket in [&mut silent, &mut halfway] {
        // An error (reset) is an end too; a timeout of the read is not.
        let end = socket.read(&mut [0; 64]);
        assert!(
            !matches!(&end, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
            "{end:?}"
        );
    }
    assert!(started.elapsed() >= Duration::from_millis(250));
    eventually("both in the metrics", || {
        (server.metric("undock_tls_handshake_failures_total") == 2).then_some(())
    });
    Answer::of(&server.connect().post(&bytes(&create(clean_pod()))));
}

#[test]
fn plain_http_on_the_tls_port_harms_nobody() {
    let server = Server::start(Mode::Warn);
    let mut socket = tcp(server.address).unwrap();
    std::io::Write::write_all(&mut socket, b"GET /validate HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // The server may reset instead of closing.
    let _ = socket.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    Answer::of(&server.connect().post(&bytes(&create(clean_pod()))));
}

//! The end of `undock serve`: endpoints are told first, requests are answered, records are written.

use std::time::{Duration, Instant};

use crate::support::answer::Answer;
use crate::support::client::{JSON, get, request, tcp};
use crate::support::process::Undock;
use crate::support::reviews::{bytes, clean_pod, create, socket_pod};
use crate::support::{PATIENCE, eventually};

#[test]
fn sigterm_answers_until_endpoints_know_and_then_ends() {
    let mut undock = Undock::serve(&[]);
    let body = bytes(&create(clean_pod()));
    let ca = undock.ca_path();
    let mut kept_alive = undock.connect();
    assert_eq!(kept_alive.post(&body).header("connection"), None);
    let started = Instant::now();
    undock.signal("TERM");
    eventually("readyz says so", || {
        (undock.admin("/readyz").0 == 503).then_some(())
    });
    assert_eq!(
        undock.admin("/livez").0,
        200,
        "a restart would mend nothing"
    );
    let reply = kept_alive.post(&body);
    Answer::of(&reply);
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(kept_alive.is_closed());
    // New connections are taken, for as long as endpoints may still lead here.
    let mut answered = 0;
    while started.elapsed() < Duration::from_secs(8) {
        let reply = undock.connect().post(&body);
        Answer::of(&reply);
        assert_eq!(reply.header("connection"), Some("close"));
        answered += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(answered > 20, "{answered}");
    // A request that is half sent when the door closes is answered all the same.
    let mut in_flight = undock.connect();
    let whole = request(
        "POST",
        "/validate?timeout=10s",
        JSON,
        &bytes(&create(socket_pod())),
    );
    in_flight.send(&whole[..whole.len() - 5]).unwrap();
    eventually("the port is closed", || {
        tcp(undock.address).is_err().then_some(())
    });
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_secs(9),
        "stopped accepting after {waited:?}"
    );
    in_flight.send(&whole[whole.len() - 5..]).unwrap();
    assert_eq!(Answer::of(&in_flight.receive().unwrap()).warnings.len(), 1);
    assert_eq!(undock.wait(PATIENCE).code(), Some(0));
    assert_eq!(undock.records(1).len(), 1, "the last record is written");
    assert!(
        !std::path::Path::new(&ca).exists(),
        "nothing is left behind"
    );
}

#[test]
fn sigint_ends_at_once() {
    let mut undock = Undock::serve(&[]);
    let mut idle = undock.connect();
    Answer::of(&idle.post(&bytes(&create(clean_pod()))));
    undock.signal("INT");
    assert_eq!(undock.wait(Duration::from_secs(8)).code(), Some(0));
    assert!(idle.is_closed());
    assert!(get(undock.admin, "/livez").is_err());
}

#[test]
fn a_second_sigterm_does_not_wait_for_endpoints() {
    let mut undock = Undock::serve(&[]);
    undock.signal("TERM");
    eventually("readyz says so", || {
        (undock.admin("/readyz").0 == 503).then_some(())
    });
    undock.signal("TERM");
    assert_eq!(undock.wait(Duration::from_secs(8)).code(), Some(0));
}

#[test]
fn a_signal_right_after_the_start_is_no_crash() {
    for name in ["TERM", "INT"] {
        let mut undock = Undock::serve(&[]);
        let ca = undock.ca_path();
        undock.signal(name);
        if name == "TERM" {
            eventually("readyz says so", || {
                (undock.admin("/readyz").0 == 503).then_some(())
            });
            undock.signal("INT");
        }
        assert_eq!(
            undock.wait(Duration::from_secs(8)).code(),
            Some(0),
            "{name}: {:?}",
            undock.err.lines()
        );
        assert!(!std::path::Path::new(&ca).exists(), "{name}");
    }
}

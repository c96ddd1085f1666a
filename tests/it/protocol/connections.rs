//! Clients that are slow, silent or too many: each is bounded in time and memory, and the others are answered.

use std::time::{Duration, Instant};

use serde_json::json;
use undock::decision::Mode;
use undock::server::listener::Limits;

use crate::support::answer::Answer;
use crate::support::client::{Client, JSON, Tls, request, tcp};
use crate::support::reviews::{bytes, clean_pod, create};
use crate::support::server::{Server, Settings};

fn answered(client: &mut Client) {
    Answer::of(&client.post(&bytes(&create(clean_pod()))));
}

#[test]
fn slow_headers_are_cut_off() {
    let server = Server::start(Mode::Warn);
    let mut after_one_request = server.connect();
    answered(&mut after_one_request);
    let mut drop_by_drop = server.connect();
    let started = Instant::now();
    for client in [&mut after_one_request, &mut drop_by_drop] {
        client
            .send(b"POST /validate HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            .unwrap();
    }
    let cut_off = loop {
        let waited = started.elapsed();
        assert!(
            waited < Duration::from_secs(15),
            "headers may take as long as they like"
        );
        if drop_by_drop.send(b"a").is_err() {
            break waited;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(
        cut_off > Duration::from_millis(4_500),
        "{cut_off:?} is too early"
    );
    assert!(after_one_request.is_closed());
}

#[test]
fn an_idle_connection_outlives_the_deadline_on_headers() {
    let limits = Limits {
        headers: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(Settings {
        limits,
        ..Settings::default()
    });
    let mut used = server.connect();
    let mut used_in_pieces = server.connect();
    answered(&mut used);
    let mut refused = server.connect();
    assert_eq!(
        refused.call("GET", "/nowhere", &[], b"").unwrap().status,
        404
    );
    // Headers and body in one piece, in two, and byte by byte at the seam.
    let whole = request("POST", "/validate", JSON, &bytes(&create(clean_pod())));
    let seam = whole
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap()
        + 4;
    for end in [seam - 1, seam, seam + 1] {
        used_in_pieces.send(&whole[..end]).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        used_in_pieces.send(&whole[end..]).unwrap();
        Answer::of(&used_in_pieces.receive().unwrap());
    }
    std::thread::sleep(Duration::from_millis(900));
    for client in [&mut used, &mut refused, &mut used_in_pieces] {
        answered(client);
    }
}

#[test]
fn who_sends_nothing_after_the_handshake_is_closed_soon() {
    let limits = Limits {
        headers: Duration::from_millis(300),
        ..Limits::default()
    };
    assert_eq!(Limits::default().headers, Duration::from_secs(5));
    let server = Server::with(Settings {
        limits,
        ..Settings::default()
    });
    let mut http1 = server.connect();
    let mut http2 = {
        let mut tls = Tls::new(&server.ca);
        tls.alpn = vec!["h2"];
        tls.connect(server.address).unwrap()
    };
    let started = Instant::now();
    assert!(http1.is_closed());
    // HTTP/2 servers send their settings unasked.
    while !http2.is_closed() {}
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_time_of_a_body_does_not_count_as_headers() {
    let limits = Limits {
        headers: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::with(Settings {
        limits,
        ..Settings::default()
    });
    let mut client = server.connect();
    let whole = request("POST", "/validate", JSON, &bytes(&create(clean_pod())));
    for _ in 0..2 {
        client.send(&whole[..whole.len() - 9]).unwrap();
        std::thread::sleep(Duration::from_millis(600));
        client.send(&whole[whole.len() - 9..]).unwrap();
        assert_eq!(Answer::of(&client.receive().unwrap()).decision(), "clean");
    }
}

#[test]
fn a_connection_that_nobody_uses_is_closed_in_the_end() {
    let limits = Limits {
        idle: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(Settings {
        limits,
        ..Settings::default()
    });
    let (mut silent, mut used) = (server.connect(), server.connect());
    answered(&mut used);
    assert!(silent.is_closed() && used.is_closed());
}

#[test]
fn two_hundred_idle_connections_leave_room_for_others() {
    let server = Server::start(Mode::Warn);
    let mut idle: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    // Sockets that never begin a handshake count as well.
    let silent: Vec<_> = (0..100).map(|_| tcp(server.address).unwrap()).collect();
    answered(&mut server.connect());
    for client in idle.iter_mut().step_by(10) {
        answered(client);
    }
    drop(silent);
}

#[test]
fn when_all_places_are_taken_the_oldest_stranger_makes_room() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let server = Server::with(Settings {
        limits,
        ..Settings::default()
    });
    let mut reviewer = server.connect();
    answered(&mut reviewer);
    let (mut oldest, mut newer) = (server.connect(), server.connect());
    std::thread::sleep(Duration::from_millis(300));
    // Strangers that come and stay: each pushes out the one before it.
    let mut strangers: Vec<Client> = (0..5).map(|_| server.connect()).collect();
    assert!(oldest.is_closed() && newer.is_closed() && strangers[0].is_closed());
    answered(&mut reviewer);
    assert_eq!(server.metric("undock_evicted_connections_total"), 5);
    // Also those that stall in the middle of a request.
    let whole = request("POST", "/validate", JSON, &bytes(&create(clean_pod())));
    for _ in 0..4 {
        let mut stalled = server.connect();
        stalled.send(&whole[..whole.len() - 1]).unwrap();
        strangers.push(stalled);
    }
    answered(&mut reviewer);
    answered(&mut server.connect());
    answered(&mut reviewer);
}

#[test]
fn a_burst_of_callers_pushes_nobody_out() {
    let limits = Limits {
        connections: 8,
        ..Limits::default()
    };
    let server = Server::with(Settings {
        limits,
        ..Settings::default()
    });
    // More at once than there are places: they wait for one another.
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| answered(&mut server.connect()));
        }
    });
}

#[test]
fn large_bodies_that_are_only_announced_hold_no_room() {
    let server = Server::start(Mode::Enforce);
    let head = request("POST", "/validate?timeout=10s", JSON, b"");
    let head = String::from_utf8(head).unwrap();
    let head = head.replace("Length: 0", &format!("Length: {}", 35 << 20));
    let mut announced: Vec<Client> = (0..8).map(|_| server.connect()).collect();
    for client in &mut announced {
        client
            .send(&[head.as_bytes(), &[b' '; 100]].concat())
            .unwrap();
    }
    let started = Instant::now();
    Answer::of(&server.connect().post(&large_review()));
    assert!(started.elapsed() < Duration::from_secs(5), "it waited");
    assert_eq!(server.app.state.large_bodies_taken(), 0);
}

#[test]
fn large_bodies_that_stall_hold_no_more_than_their_share_of_memory() {
    let server = Server::start(Mode::Enforce);
    let mut review = create(clean_pod());
    review["request"]["object"]["metadata"]["annotations"] =
        json!({"big": "x".repeat(7 * 1024 * 1024)});
    let whole = request("POST", "/validate?timeout=1s", JSON, &bytes(&review));
    let mut stalled: Vec<Client> = (0..16).map(|_| server.connect()).collect();
    std::thread::scope(|scope| {
        for client in &mut stalled {
            // What finds no room is not taken from the socket, so the write may block until the answer comes.
            scope.spawn(|| {
                client
                    .send(&whole[..whole.len() - 1])
                    .and_then(|()| client.receive())
            });
        }
        let held = crate::support::eventually("all room is taken", || {
            Some(server.app.state.large_bodies_taken()).filter(|taken| *taken > 32 * 1024 * 1024)
        });
        assert!(
            held <= 40 * 1024 * 1024,
            "{held} bytes are held by bodies that are not whole"
        );
        // An ordinary review asks for none of that room.
        answered(&mut server.connect());
    });
    assert_eq!(
        server.app.state.large_bodies_taken(),
        0,
        "the room is free again"
    );
}

/// A review that takes a share of the room for large bodies.
fn large_review() -> Vec<u8> {
    let mut review = create(clean_pod());
    review["request"]["object"]["metadata"]["annotations"] = json!({"big": "x".repeat(300_000)});
    bytes(&review)
}

/// Clients that begin to send a body of so many MiB and then stall.
fn stall(server: &Server, clients: usize, length: usize) -> Vec<Client> {
    let head = request("POST", "/validate?timeout=30s", JSON, b"");
    let head = String::from_utf8(head).unwrap();
    let head = head.replace("Length: 0", &format!("Length: {}", length << 20));
    let begun = [head.as_bytes(), &large_review()[..100_000]].concat();
    let mut stalled: Vec<Client> = (0..clients).map(|_| server.connect()).collect();
    for client in &mut stalled {
        client.send(&begun).unwrap();
    }
    crate::support::eventually("a share is taken", || {
        (server.app.state.large_bodies_taken() >= length << 20).then_some(())
    });
    stalled
}

#[test]
fn large_bodies_of_strangers_that_stall_keep_no_api_server_waiting() {
    let server = Server::start(Mode::Enforce);
    let mut api_server = server.connect();
    answered(&mut api_server);
    let _large = stall(&server, 8, 21);
    let _small = stall(&server, 16, 1);
    let started = Instant::now();
    Answer::of(&api_server.post(&large_review()));
    assert!(started.elapsed() < Duration::from_millis(400), "it waited");
}

#[test]
fn a_large_body_that_stalls_makes_room_for_the_next() {
    let server = Server::start(Mode::Enforce);
    // Two of these find no room.
    let mut stalled = stall(&server, 2, 21);
    // Which of them came first is not known.
    let (first, second) = stalled.split_at_mut(1);
    let answer = std::thread::scope(|scope| {
        let (sender, answers) = std::sync::mpsc::channel();
        for client in [&mut first[0], &mut second[0]] {
            let sender = sender.clone();
            scope.spawn(move || sender.send(client.receive()));
        }
        answers.recv().unwrap().unwrap()
    });
    let answer = Answer::of(&answer);
    assert!(answer.message().contains("too slowly"), "{answer:?}");
}

#[test]
fn bodies_that_trickle_keep_new_callers_waiting_for_moments_only() {
    let server = Server::start(Mode::Enforce);
    let mut trickling = stall(&server, 24, 1);
    std::thread::scope(|scope| {
        for client in &mut trickling {
            // Until it is cut off.
            scope.spawn(|| {
                while client.send(b"    ").is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        let started = Instant::now();
        Answer::of(&server.connect().post(&large_review()));
        assert!(started.elapsed() < Duration::from_secs(5), "it waited");
    });
}

#[test]
fn stopping_answers_what_is_in_flight_and_closes_the_rest() {
    let server = Server::start(Mode::Warn);
    let mut idle = server.connect();
    answered(&mut idle);
    let mut in_flight = server.connect();
    let whole = request("POST", "/validate", JSON, &bytes(&create(clean_pod())));
    in_flight.send(&whole[..whole.len() - 5]).unwrap();
    // Nothing shows when the server has read the headers; it had this long.
    std::thread::sleep(Duration::from_millis(300));
    server.stop.send(true).unwrap();
    assert!(idle.is_closed());
    in_flight.send(&whole[whole.len() - 5..]).unwrap();
    Answer::of(&in_flight.receive().unwrap());
    assert!(in_flight.is_closed());
    assert!(tcp(server.address).is_err(), "nothing listens any more");
}

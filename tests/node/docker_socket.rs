//! The two ends of Docker's socket for the node tests, in one static program without dependencies.
//!
//!   docker-socket serve FILE    the daemon: listens where Docker Engine would, on the node, and
//!                               appends the row that each caller names to FILE
//!   dial TARGET | docker ...    the client: calls TARGET (a path, or tcp://HOST:PORT), or what
//!                               DOCKER_HOST says, or /var/run/docker.sock; names the row in $ROW
//!   pause                       what holds the namespaces of a Pod
//!
//! What it was called by decides, as with busybox. Whether an attack reached the daemon is read from
//! the daemon's FILE, so that no claim of a container is trusted.

use std::fs::{File, OpenOptions, create_dir_all, remove_file};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, io, process, thread};

/// Docker's own path, and the one that the tests' configuration names (`tables.sockets`).
const SOCKETS: [&str; 2] = ["/run/docker.sock", "/run/engine/engine.sock"];

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments[0].ends_with("pause") {
        loop {
            thread::park();
        }
    }
    let result = match arguments.get(1).map(String::as_str) {
        Some("serve") if arguments.len() == 3 => serve(&arguments[2]),
        _ => dial(&arguments),
    };
    if let Err(error) = result {
        eprintln!("docker-socket: {error}");
        process::exit(1);
    }
}

fn serve(file: &str) -> io::Result<()> {
    let log = OpenOptions::new().create(true).append(true).open(file)?;
    let log = Arc::new(Mutex::new(log));
    for socket in SOCKETS {
        create_dir_all(Path::new(socket).parent().unwrap_or(Path::new("/")))?;
        let _ = remove_file(socket);
        let listener = UnixListener::bind(socket)?;
        let log = Arc::clone(&log);
        thread::spawn(move || {
            listener
                .incoming()
                .flatten()
                .for_each(|call| answer(call, &log))
        });
    }
    // IPv6 sockets take IPv4 callers as well.
    let listener = TcpListener::bind("[::]:2375").or_else(|_| TcpListener::bind("0.0.0.0:2375"))?;
    listener
        .incoming()
        .flatten()
        .for_each(|call| answer(call, &log));
    Ok(())
}

fn answer(call: impl Read + Write, log: &Mutex<File>) {
    let mut call = BufReader::new(call);
    let mut request = String::new();
    let line = call.by_ref().take(4096).read_line(&mut request);
    if let (Ok(_), Some(row)) = (line, request.split_whitespace().nth(1)) {
        if let Ok(mut log) = log.lock() {
            let _ = writeln!(log, "{}", row.trim_start_matches('/'));
        }
    }
    let _ = call
        .get_mut()
        .write_all(b"HTTP/1.0 200 OK\r\n\r\n{\"ApiVersion\":\"1.24\"}\n");
}

fn dial(arguments: &[String]) -> io::Result<()> {
    let row = env::var("ROW").unwrap_or_else(|_| "unnamed".into());
    let is_docker = arguments[0].ends_with("docker");
    let given = arguments.get(1).filter(|_| !is_docker).cloned();
    let target = given
        .or_else(|| env::var("DOCKER_HOST").ok())
        .unwrap_or_else(|| "/var/run/docker.sock".into());
    let request = format!("GET /{row} HTTP/1.0\r\n\r\n");
    match target.strip_prefix("tcp://") {
        // A name server is not at hand; it would take `localhost.` as `localhost`.
        Some(address) => call(TcpStream::connect(address.replace(".:", ":"))?, &request),
        None => {
            let stream = UnixStream::connect(target.trim_start_matches("unix://"))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            call(stream, &request)
        }
    }
}

fn call(mut stream: impl Read + Write, request: &str) -> io::Result<()> {
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    print!("{answer}");
    Ok(())
}

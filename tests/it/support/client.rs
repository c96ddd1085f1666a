//! An HTTP/1.1 client on a blocking socket, with or without TLS, that sends whatever bytes it is given.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::PATIENCE;

/// An answer of a server.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Http<S> {
    pub(crate) stream: S,
    received: Vec<u8>,
}

/// A connection over TLS.
pub(crate) type Client = Http<StreamOwned<ClientConnection, TcpStream>>;

/// What a client offers in the handshake.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) ca: String,
    pub(crate) alpn: Vec<&'static str>,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    /// Certificate and key in PEM.
    pub(crate) identity: Option<(String, String)>,
}

impl Tls {
    /// What kube-apiserver offers.
    pub(crate) fn new(ca: &str) -> Self {
        Self {
            ca: ca.to_owned(),
            alpn: vec!["http/1.1"],
            versions: rustls::ALL_VERSIONS.to_vec(),
            identity: None,
        }
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.ca.as_bytes()) {
            roots
                .add(certificate.expect("a CA in PEM"))
                .expect("a usable CA");
        }
        let builder = ClientConfig::builder_with_protocol_versions(&self.versions)
            .with_root_certificates(roots);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
                    .collect::<Result<_, _>>()
                    .expect("a certificate");
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
                builder.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        config.alpn_protocols = self
            .alpn
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Arc::new(config)
    }

    /// Connects and finishes the handshake.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<Client> {
        connect(address, self.config())
    }
}

/// Connects and finishes the handshake.
pub(crate) fn connect(address: SocketAddr, config: Arc<ClientConfig>) -> io::Result<Client> {
    let name = ServerName::from(address.ip());
    let mut socket = tcp(address)?;
    let mut session = ClientConnection::new(config, name).map_err(io::Error::other)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    Ok(Http::new(StreamOwned::new(session, socket)))
}

/// A socket that gives up rather than hang.
pub(crate) fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// `GET path` over plain HTTP, on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str) -> io::Result<Reply> {
    let mut http = Http::new(tcp(address)?);
    http.send(
        format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    http.receive()
}

/// A request as bytes.
pub(crate) fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nHost: undock\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str("\r\n");
    [bytes.as_bytes(), body].concat()
}

/// The header of every review.
pub(crate) const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

impl<S: Read + Write> Http<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends a request and takes the answer.
    pub(crate) fn call(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        self.send(&request(method, target, headers, body))?;
        if method == "HEAD" {
            self.receive_head()
        } else {
            self.receive()
        }
    }

    /// Posts a review with the timeout that API servers use.
    pub(crate) fn post(&mut self, body: &[u8]) -> Reply {
        self.call("POST", "/validate?timeout=10s", JSON, body)
            .expect("an answer")
    }

    /// Takes one answer; interim answers (1xx) are skipped.
    pub(crate) fn receive(&mut self) -> io::Result<Reply> {
        let mut reply = self.receive_head()?;
        let length = reply
            .header("content-length")
            .and_then(|value| value.parse().ok())
            .unwrap_or(0);
        while self.received.len() < length {
            self.fill()?;
        }
        reply.body = self.received.drain(..length).collect();
        Ok(reply)
    }

    fn receive_head(&mut self) -> io::Result<Reply> {
        loop {
            let end = loop {
                if let Some(at) = self
                    .received
                    .windows(4)
                    .position(|window| window == b"\r\n\r\n")
                {
                    break at;
                }
                self.fill()?;
            };
            let head = String::from_utf8_lossy(&self.received[..end]).into_owned();
            self.received.drain(..end + 4);
            let mut lines = head.split("\r\n");
            let status = lines
                .next()
                .and_then(|line| line.split(' ').nth(1)?.parse().ok());
            let status =
                status.ok_or_else(|| io::Error::other(format!("no status line: {head:?}")))?;
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
                .collect();
            if !(100..200).contains(&status) {
                return Ok(Reply {
                    status,
                    headers,
                    body: Vec::new(),
                });
            }
        }
    }

    /// True once the server has closed the connection without another answer.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.fill() {
            Ok(()) => false,
            Err(error) => {
                let waiting = matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                );
                assert!(!waiting, "the server neither answers nor closes");
                true
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.received.extend_from_slice(&buffer[..length]);
                Ok(())
            }
        }
    }
}

impl Client {
    /// The certificate that the server showed.
    pub(crate) fn server_certificate(&self) -> Vec<u8> {
        self.stream.conn.peer_certificates().expect("a certificate")[0].to_vec()
    }
}

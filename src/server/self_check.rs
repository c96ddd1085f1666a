//! Whether the TLS port answers: undock connects to itself, as far as the server's half of a
//! handshake.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// Less than the second that kubelet waits for a probe by default.
const PATIENCE: Duration = Duration::from_millis(800);

/// An answer counts for this long, so that asking often costs nothing.
const FRESH: Duration = Duration::from_secs(1);

/// First byte of a TLS record that belongs to a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// Asks the TLS port.
#[derive(Debug)]
pub struct SelfCheck {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    last: Mutex<Option<(Instant, bool)>>,
}

impl SelfCheck {
    /// For a server that listens on `address`.
    pub fn new(address: SocketAddr) -> Self {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        // Nothing is sent that needs trust: the check ends before it would look at the certificate.
        let config = ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Self {
            address: SocketAddr::new(ip, address.port()),
            config: Arc::new(config),
            last: Mutex::default(),
        }
    }

    /// True if the port answers in time. Whoever asks meanwhile waits for the same answer.
    pub(super) async fn answers(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((when, answered)) = *last
            && when.elapsed() < FRESH
        {
            return answered;
        }
        let answered = matches!(timeout(PATIENCE, self.ask()).await, Ok(Ok(HANDSHAKE)));
        *last = Some((Instant::now(), answered));
        answered
    }

    /// Sends a ClientHello; the first byte of the answer.
    async fn ask(&self) -> io::Result<u8> {
        let name = ServerName::from(self.address.ip());
        let mut session =
            ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        let mut hello = Vec::new();
        session.write_tls(&mut hello)?;
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(&hello).await?;
        stream.read_u8().await
    }
}

//! Certificates: what a bundle holds, what a server shows, and whether one verifies the other.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::api::request::causes;

/// How long one address is tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why no certificate was seen.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// From here nothing can be said about it.
    #[error("{0}")]
    Unreachable(String),
    /// It answers, and the API server would not trust it.
    #[error("{0}")]
    Untrusted(String),
}

/// The certificates of a PEM text with the end of each.
pub(super) fn certificates_of(
    pem: &[u8],
) -> Result<Vec<(CertificateDer<'static>, Timestamp)>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| error.to_string())?;
    certificates
        .into_iter()
        .map(|certificate| end_of(&certificate).map(|end| (certificate, end)))
        .collect()
}

fn end_of(certificate: &CertificateDer<'_>) -> Result<Timestamp, String> {
    let (_, read) =
        x509_parser::parse_x509_certificate(certificate).map_err(|error| error.to_string())?;
    Timestamp::from_second(read.validity().not_after.timestamp()).map_err(|error| error.to_string())
}

fn roots(bundle: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (certificate, _) in certificates_of(bundle)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

/// Connects as the API server does; gives the end of the certificate that is shown.
pub(super) async fn connect(
    address: &str,
    name: &str,
    bundle: &[u8],
) -> Result<Timestamp, ConnectError> {
    let untrusted = |error: String| ConnectError::Untrusted(error);
    let roots = roots(bundle).map_err(untrusted)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions();
    let config = builder
        .map_err(|error| untrusted(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server =
        ServerName::try_from(name.to_owned()).map_err(|error| untrusted(error.to_string()))?;
    let unreachable = |error: &str| ConnectError::Unreachable(format!("{address}: {error}"));
    let stream = tokio::time::timeout(PATIENCE, TcpStream::connect(address))
        .await
        .map_err(|_| unreachable("no connection in time"))?;
    let stream = stream.map_err(|error| unreachable(&error.to_string()))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(server, stream);
    let handshake = tokio::time::timeout(PATIENCE, handshake)
        .await
        .map_err(|_| unreachable("no handshake in time"))?;
    let stream = handshake.map_err(|error| untrusted(format!("{address}: {}", causes(&error))))?;
    let shown = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first());
    shown
        .ok_or_else(|| untrusted(format!("{address} shows no certificate")))
        .and_then(|shown| end_of(shown).map_err(untrusted))
}

/// Verifies the certificate of a Secret as the API server will.
pub(super) fn verify(pem: &[u8], name: &str, bundle: &[u8]) -> Result<Timestamp, String> {
    let chain = certificates_of(pem)?;
    let (leaf, end) = chain.first().ok_or("no certificate in it")?;
    let intermediates: Vec<_> = chain[1..]
        .iter()
        .map(|(certificate, _)| certificate.clone())
        .collect();
    let verifier = WebPkiServerVerifier::builder_with_provider(
        Arc::new(roots(bundle)?),
        Arc::new(default_provider()),
    );
    let verifier = verifier.build().map_err(|error| error.to_string())?;
    let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
    verifier
        .verify_server_cert(leaf, &intermediates, &name, &[], UnixTime::now())
        .map_err(|error| error.to_string())?;
    Ok(*end)
}

//! The serving certificate: from files that are read again when their content changes, or made on
//! the spot.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::SharedApp;
pub use super::certificate_error::CertificateError;
use super::client_certificate::ClientCertificates;
use super::file_watch::POLL;

/// The certificate in use; new connections see a change at once.
#[derive(Debug)]
pub struct Certificates {
    current: ArcSwap<CertifiedKey>,
    /// The files as they were read last, `None` for a certificate that was made here.
    files: Option<Files>,
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Bytes of a certificate and its key, in PEM.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A certificate for this machine alone, and the CA that signed it.
#[derive(Debug)]
pub struct Ephemeral {
    /// The certificate, ready to serve.
    pub certificates: Certificates,
    /// The CA, in PEM, for clients.
    pub ca: String,
}

impl Certificates {
    /// Reads the pair from files.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<(Self, Pair), CertificateError> {
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let pair = files.read()?;
        let current = ArcSwap::from_pointee(files.certified(&pair)?);
        Ok((
            Self {
                current,
                files: Some(files),
            },
            pair,
        ))
    }

    /// Makes a CA and a certificate for `localhost` and the loopback addresses, P-256, for 30 days.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub fn ephemeral() -> Result<Ephemeral, CertificateError> {
        use rcgen::{
            BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
            KeyPair, KeyUsagePurpose,
        };
        let lifetime = |params: &mut CertificateParams| {
            let now = std::time::SystemTime::now();
            params.not_before = (now - Duration::from_secs(3600)).into();
            params.not_after = (now + Duration::from_secs(30 * 86_400)).into();
        };
        let mut ca = CertificateParams::default();
        ca.distinguished_name
            .push(DnType::CommonName, "undock ephemeral CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        lifetime(&mut ca);
        let ca_key = KeyPair::generate()?;
        let ca_certificate = ca.self_signed(&ca_key)?;

        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "undock");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        lifetime(&mut leaf);
        let leaf_key = KeyPair::generate()?;
        let certificate = leaf.signed_by(&leaf_key, &Issuer::from_params(&ca, &ca_key))?;

        let files = Files {
            certificate: "the new certificate".into(),
            key: "the new key".into(),
        };
        let pair = (
            certificate.pem().into_bytes(),
            leaf_key.serialize_pem().into_bytes(),
        );
        let certified = files.certified(&pair)?;
        Ok(Ephemeral {
            certificates: Self {
                current: ArcSwap::from_pointee(certified),
                files: None,
            },
            ca: ca_certificate.pem(),
        })
    }

    /// End of the certificate in use, in seconds since 1970.
    pub fn expiry(&self) -> Option<i64> {
        let current = self.current.load();
        let (_, certificate) = x509_parser::parse_x509_certificate(current.cert.first()?).ok()?;
        Some(certificate.validity().not_after.timestamp())
    }

    /// Reads the files again and again, and takes a new pair when it is whole. Never returns; does
    /// nothing without files.
    pub async fn watch(self: Arc<Self>, mut last: Pair, app: SharedApp) {
        let Some(files) = &self.files else { return };
        let mut refused: Option<Pair> = None;
        loop {
            tokio::time::sleep(POLL).await;
            let pair = match files.read() {
                Ok(pair) => pair,
                Err(error) => {
                    tracing::warn!(%error, "keeping the old certificate");
                    app.metrics.certificate_errors.inc();
                    continue;
                }
            };
            if pair == last || refused.as_ref() == Some(&pair) {
                continue;
            }
            match files.certified(&pair) {
                Ok(certified) => {
                    self.current.store(Arc::new(certified));
                    app.metrics
                        .certificate_expiry
                        .set(self.expiry().unwrap_or_default());
                    tracing::info!(certificate = %files.certificate.display(), "reloaded \
                        certificate");
                    (last, refused) = (pair, None);
                }
                // One of the two is newer, or half written: the next reading tells.
                Err(error) => {
                    tracing::warn!(%error, "keeping the old certificate");
                    app.metrics.certificate_errors.inc();
                    refused = Some(pair);
                }
            }
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Files {
    fn read(&self) -> Result<Pair, CertificateError> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| CertificateError::Read {
                path: path.clone(),
                source,
            })
        };
        Ok((read(&self.certificate)?, read(&self.key)?))
    }

    fn certified(&self, (certificate, key): &Pair) -> Result<CertifiedKey, CertificateError> {
        let no_certificate = || CertificateError::Pem {
            path: self.certificate.clone(),
            what: "certificate",
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| no_certificate())?;
        if chain.is_empty() {
            return Err(no_certificate());
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::Pem {
            path: self.key.clone(),
            what: "private key",
        })?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let mismatch = |reason| CertificateError::Pair {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            reason,
        };
        CertifiedKey::from_der(chain, key, &provider).map_err(mismatch)
    }
}

/// Checks a certificate and its key in PEM as [`Certificates::from_files`] reads them; each with
/// the path that errors name.
///
/// # Errors
/// See [`CertificateError`].
pub fn check_pair(
    (certificate, certificate_pem): (&Path, &[u8]),
    (key, key_pem): (&Path, &[u8]),
) -> Result<(), CertificateError> {
    let files = Files {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    };
    let pair = (certificate_pem.to_owned(), key_pem.to_owned());
    files.certified(&pair).map(drop)
}

/// The TLS settings: no tickets, because the API server resumes nothing; HTTP/1.1 must be offered,
/// because it speaks nothing else.
pub fn tls_config(
    certificates: Arc<Certificates>,
    clients: Option<Arc<ClientCertificates>>,
    allow_tls12: bool,
) -> ServerConfig {
    let versions: &[&rustls::SupportedProtocolVersion] = if allow_tls12 {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    } else {
        &[&rustls::version::TLS13]
    };
    let builder = ServerConfig::builder_with_protocol_versions(versions);
    let mut config = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    }
    .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config
}

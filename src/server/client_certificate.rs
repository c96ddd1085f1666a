//! Client certificates: of a CA that the operator names, and by one of the names that they allow.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError as Rejection, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use super::certificate_error::CertificateError;
use super::file_watch;

type Verifier = Arc<dyn ClientCertVerifier>;

/// Which client certificates are accepted: the chain is checked as rustls does, then the name.
#[derive(Debug)]
pub struct ClientCertificates {
    path: PathBuf,
    names: Vec<String>,
    chain: ArcSwap<Verifier>,
}

impl ClientCertificates {
    /// Accepts the certificates of the CA at `path`: PEM, several CAs while one is being replaced.
    /// `names` are the allowed names (common name, DNS name or URI); every certificate of the CA
    /// is accepted where it is empty.
    ///
    /// # Errors
    /// Where the CA cannot be read or used.
    pub fn read(path: &Path, names: Vec<String>) -> Result<Self, CertificateError> {
        let pem = fs::read(path).map_err(|source| CertificateError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            names,
            chain: ArcSwap::from_pointee(verifier(path, &pem)?),
        })
    }

    /// Takes a new CA for new connections when the content of the file changes, and keeps the old
    /// one if the new one cannot be used, which `failed` hears of. Never returns.
    pub async fn watch(self: Arc<Self>, failed: impl Fn()) {
        file_watch::watch(&self.path, |pem| match verifier(&self.path, pem) {
            Ok(chain) => {
                self.chain.store(Arc::new(chain));
                tracing::info!(path = %self.path.display(), "reloaded client CA");
            }
            Err(error) => {
                tracing::warn!(%error, "keeping the old client CA");
                failed();
            }
        })
        .await;
    }

    fn allows(&self, certificate: &X509Certificate<'_>) -> bool {
        let is_allowed = |name: &str| self.names.iter().any(|allowed| allowed == name);
        let mut common_names = certificate.subject().iter_common_name();
        if common_names.any(|name| name.as_str().is_ok_and(is_allowed)) {
            return true;
        }
        let alternatives = certificate.subject_alternative_name().ok().flatten();
        alternatives.is_some_and(|alternatives| {
            let mut names = alternatives.value.general_names.iter();
            names.any(|name| match name {
                GeneralName::DNSName(name) | GeneralName::URI(name) => is_allowed(name),
                _ => false,
            })
        })
    }
}

/// Checks chains that end in one of the CAs in `pem`.
fn verifier(path: &Path, pem: &[u8]) -> Result<Verifier, CertificateError> {
    let unusable = |reason: String| CertificateError::ClientCa {
        path: path.to_owned(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(CertificateError::Pem {
            path: path.to_owned(),
            what: "certificate",
        });
    }
    WebPkiClientVerifier::builder(Arc::new(roots))
        .build()
        .map_err(|error| unusable(error.to_string()))
}

impl ClientCertVerifier for ClientCertificates {
    /// None: hints are borrowed, and the CA may change. A client without hints shows what it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .chain
            .load()
            .verify_client_cert(end_entity, intermediates, now)?;
        if self.names.is_empty() {
            return Ok(verified);
        }
        let (_, certificate) = x509_parser::parse_x509_certificate(end_entity)
            .map_err(|_| Error::InvalidCertificate(Rejection::BadEncoding))?;
        if self.allows(&certificate) {
            Ok(verified)
        } else {
            let subject = certificate.subject().to_string();
            tracing::warn!(
                subject,
                "refused a client certificate: its name is not allowed"
            );
            Err(Rejection::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .load()
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .load()
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.load().supported_verify_schemes()
    }
}

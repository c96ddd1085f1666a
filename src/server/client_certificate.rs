//! Client certificates: of a CA that the operator names, and by one of the names that they allow.

use std::fs;
use std::path::Path;
use std::sync::Arc;

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

/// Which client certificates are accepted.
#[derive(Clone, Copy, Debug)]
pub struct ClientCertificates<'a> {
    /// The CA, or several while one is being replaced, in PEM.
    pub ca: &'a Path,
    /// Allowed names: common name, DNS name or URI. Every certificate of the CA where this is empty.
    pub names: &'a [String],
}

impl ClientCertificates<'_> {
    /// The verifier for handshakes.
    pub(super) fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
        let unusable = |reason: String| CertificateError::ClientCa {
            path: self.ca.to_owned(),
            reason,
        };
        let pem = fs::read(self.ca).map_err(|source| CertificateError::Read {
            path: self.ca.to_owned(),
            source,
        })?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(CertificateError::Pem {
                path: self.ca.to_owned(),
                what: "certificate",
            });
        }
        let chain = WebPkiClientVerifier::builder(Arc::new(roots))
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        if self.names.is_empty() {
            return Ok(chain);
        }
        let names = self.names.to_vec();
        Ok(Arc::new(NamedClients { chain, names }))
    }
}

/// Checks the chain as rustls does, and then the name.
#[derive(Debug)]
struct NamedClients {
    chain: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl NamedClients {
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

impl ClientCertVerifier for NamedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .chain
            .verify_client_cert(end_entity, intermediates, now)?;
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
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

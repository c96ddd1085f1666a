//! What can be wrong with a certificate, a key or a CA.

use std::path::PathBuf;

/// What is wrong with a certificate, a key or a CA.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}; give the path of a PEM file that this user may read")]
    Read {
        /// Path as given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no PEM of the expected kind.
    #[error(
        "{path} holds no {what} in PEM: write it with certs-script/generate.sh, or take it from your own CA"
    )]
    Pem {
        /// Path as given.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key are of different pairs, or of a kind that rustls does not take.
    #[error(
        "the key {key} does not match the certificate {certificate} ({reason}): give both files of one pair"
    )]
    Pair {
        /// Path as given.
        certificate: PathBuf,
        /// Path as given.
        key: PathBuf,
        /// What rustls says.
        reason: rustls::Error,
    },
    /// The client CA cannot be used.
    #[error("the client CA {path} cannot be used: {reason}")]
    ClientCa {
        /// Path as given.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

//! Who may ask for reviews: callers with a client certificate of the API server, or with its bearer
//! token.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

use super::file_watch;
use crate::record::Caller;

/// Shortest token, in bytes: 32 hexadecimal digits.
const MIN_TOKEN: usize = 32;

/// What is wrong with the file of tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; give the path of a file that this user may read")]
    Read {
        /// Path as given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds no token, or one that can be guessed.
    #[error(
        "{path} must hold one token a line, each of at least {MIN_TOKEN} bytes: make one with \
         `openssl rand -hex 32`"
    )]
    Weak {
        /// Path as given.
        path: PathBuf,
    },
}

/// How callers prove that they are the API server. Who does not prove it is not answered.
#[derive(Debug, Default)]
pub struct Callers {
    /// The TLS handshake demands a client certificate.
    pub certificates: bool,
    /// Each request must bring one of these.
    pub tokens: Option<Tokens>,
}

impl Callers {
    /// What is known of every caller that is answered.
    pub fn caller(&self) -> Caller {
        if self.certificates || self.tokens.is_some() {
            Caller::ApiServer
        } else {
            Caller::Unproven
        }
    }
}

/// The accepted bearer tokens, one on each line of a file: more than one while a token is being
/// replaced.
pub struct Tokens {
    path: PathBuf,
    current: ArcSwap<Vec<String>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.current.load().len())
    }
}

impl Tokens {
    /// Reads a file with one token on each line.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let text = fs::read_to_string(path).map_err(|source| TokenError::Read {
            path: path.to_owned(),
            source,
        })?;
        let tokens = parse(&text).ok_or_else(|| TokenError::Weak {
            path: path.to_owned(),
        })?;
        Ok(Self {
            path: path.to_owned(),
            current: ArcSwap::from_pointee(tokens),
        })
    }

    /// Takes new tokens when the content of the file changes, and keeps the old ones if one of the
    /// new ones is too short, which `failed` hears of. Never returns.
    pub async fn watch(&self, failed: impl Fn()) {
        file_watch::watch(&self.path, |text| {
            let path = self.path.display();
            match parse(&String::from_utf8_lossy(text)) {
                Some(tokens) => {
                    self.current.store(Arc::new(tokens));
                    tracing::info!(%path, "reloaded client tokens");
                }
                None => {
                    let error = TokenError::Weak {
                        path: self.path.clone(),
                    };
                    tracing::warn!(%error, "keeping the old client tokens");
                    failed();
                }
            }
        })
        .await;
    }

    /// True if the request brings one of the tokens. The time it takes tells nothing about them but
    /// their length.
    pub(super) fn admit(&self, headers: &HeaderMap) -> bool {
        let Some(shown) = bearer_token(headers) else {
            return false;
        };
        let is_equal = |token: &String| bool::from(token.as_bytes().ct_eq(shown.as_bytes()));
        self.current.load().iter().any(is_equal)
    }
}

/// The tokens of a file; `None` where there is none or one is too short.
fn parse(text: &str) -> Option<Vec<String>> {
    let lines = text.lines().map(str::trim);
    let tokens: Vec<_> = lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    let is_weak = tokens.is_empty() || tokens.iter().any(|token| token.len() < MIN_TOKEN);
    (!is_weak).then_some(tokens)
}

/// The token of an `Authorization: Bearer` header (RFC 6750; the scheme is in any case).
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tokens, TokenError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, text).unwrap();
        Tokens::read(&path)
    }

    #[test]
    fn each_line_is_a_token() {
        let (old, new) = ("o".repeat(32), "n".repeat(40));
        let tokens = read(&format!("{old}\n\n  {new}  \n")).unwrap();
        let long = format!("{old}x");
        for (header, admitted) in [
            (format!("Bearer {old}"), true),
            (format!("bearer  {new}"), true),
            (format!("Basic {old}"), false),
            (format!("Bearer {}", &old[1..]), false),
            (format!("Bearer {long}"), false),
            ("Bearer ".to_owned(), false),
            (old.clone(), false),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]);
            assert_eq!(tokens.admit(&headers), admitted, "{header}");
        }
        assert!(!tokens.admit(&HeaderMap::new()));
        assert_eq!(format!("{tokens:?}"), "Tokens(2)", "no token in a log");
    }

    #[test]
    fn a_token_that_can_be_guessed_is_refused() {
        for text in ["", "\n \n", "secret\n"] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("openssl rand"), "{error}");
        }
    }
}

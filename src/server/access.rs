//! Who may read metrics and reports: callers whose token the API server knows and lets read that
//! path.
//!
//! As kube-rbac-proxy and controller-runtime do it: a TokenReview tells who the caller is, a
//! SubjectAccessReview whether they may `get` the non-resource URL. Where the API server cannot be
//! asked, nobody may.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::callers::bearer_token;

/// For how long a decision holds: after that a revoked token no longer works.
const ALLOWED_FOR: Duration = Duration::from_secs(60);
/// A role may just have been given.
const DENIED_FOR: Duration = Duration::from_secs(10);
/// Decisions that are remembered.
const MAX_DECISIONS: usize = 256;
/// The API server is asked for this many callers at a time, whoever floods the port.
const MAX_QUESTIONS: usize = 2;
/// For both questions together.
const PATIENCE: Duration = Duration::from_secs(5);

/// Decides who may read what is not for everybody.
pub struct Access {
    client: Option<Client>,
    questions: Semaphore,
    /// By the hash of token and path: a token is not kept.
    decisions: Mutex<HashMap<[u8; 32], (Instant, Decision)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Allowed,
    /// The API server does not know the token.
    Unknown,
    /// It knows the caller, who may not.
    Forbidden,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // kube's client has no debug form.
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

impl Access {
    /// Asks through `client`; without one nobody may.
    pub fn new(client: Option<Client>) -> Self {
        Self {
            client,
            questions: Semaphore::new(MAX_QUESTIONS),
            decisions: Mutex::default(),
        }
    }

    /// Nothing where the caller may `get` this path, else the answer to send.
    pub(super) async fn refuse(&self, headers: &HeaderMap, path: &str) -> Option<Response> {
        let Some(client) = &self.client else {
            let why = "undock is not connected to a cluster and cannot check a token: \
                ask on the loopback address\n";
            return Some((StatusCode::FORBIDDEN, why).into_response());
        };
        let Some(token) = bearer_token(headers) else {
            return Some(unauthorized("send a bearer token\n"));
        };
        let key: [u8; 32] = Sha256::new()
            .chain_update(token)
            .chain_update([0])
            .chain_update(path)
            .finalize()
            .into();
        let decision = match self.known(&key) {
            Some(decision) => decision,
            None => match timeout(PATIENCE, self.ask(client, token, path)).await {
                Ok(Ok(decision)) => {
                    self.remember(key, decision);
                    decision
                }
                Ok(Err(error)) => return Some(unavailable(&error.to_string())),
                Err(_) => return Some(unavailable("no answer in time")),
            },
        };
        match decision {
            Decision::Allowed => None,
            Decision::Unknown => Some(unauthorized("the API server does not know this token\n")),
            Decision::Forbidden => {
                let why = format!(
                    "this token may not get {path}: bind ClusterRole undock-metrics-reader or \
                    undock-report-reader to it\n"
                );
                Some((StatusCode::FORBIDDEN, why).into_response())
            }
        }
    }

    async fn ask(&self, client: &Client, token: &str, path: &str) -> kube::Result<Decision> {
        // The semaphore is never closed; without a permit it would be asked one time more.
        let _turn = self.questions.acquire().await.ok();
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: token.to_owned(),
                ..Default::default()
            },
            ..Default::default()
        };
        let reviews: Api<TokenReview> = Api::all(client.clone());
        let status = reviews
            .create(&PostParams::default(), &review)
            .await?
            .status;
        let user = status
            .filter(|status| status.authenticated == Some(true))
            .and_then(|status| status.user);
        let Some(user) = user else {
            return Ok(Decision::Unknown);
        };
        let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
        let review = access_review(user, path);
        let status = reviews
            .create(&PostParams::default(), &review)
            .await?
            .status;
        let is_allowed = status.is_some_and(|status| status.allowed && status.denied != Some(true));
        Ok(if is_allowed {
            Decision::Allowed
        } else {
            Decision::Forbidden
        })
    }

    fn known(&self, key: &[u8; 32]) -> Option<Decision> {
        let decisions = self.decisions.lock();
        let decisions = decisions.unwrap_or_else(PoisonError::into_inner);
        let (until, decision) = decisions.get(key)?;
        (Instant::now() < *until).then_some(*decision)
    }

    fn remember(&self, key: [u8; 32], decision: Decision) {
        let now = Instant::now();
        let holds = if decision == Decision::Allowed {
            ALLOWED_FOR
        } else {
            DENIED_FOR
        };
        let decisions = self.decisions.lock();
        let mut decisions = decisions.unwrap_or_else(PoisonError::into_inner);
        if decisions.len() >= MAX_DECISIONS {
            decisions.retain(|_, (until, _)| now < *until);
        }
        // Of a flood of wrong tokens nothing needs to be remembered.
        if decisions.len() >= MAX_DECISIONS {
            decisions.retain(|_, (_, decision)| *decision == Decision::Allowed);
        }
        if decisions.len() < MAX_DECISIONS {
            decisions.insert(key, (now + holds, decision));
        }
    }
}

fn access_review(user: UserInfo, path: &str) -> SubjectAccessReview {
    SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: user.username,
            uid: user.uid,
            groups: user.groups,
            extra: user.extra,
            non_resource_attributes: Some(NonResourceAttributes {
                path: Some(path.to_owned()),
                verb: Some("get".to_owned()),
            }),
            resource_attributes: None,
        },
        ..Default::default()
    }
}

pub(super) fn unauthorized(why: &'static str) -> Response {
    let challenge = [(WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, why).into_response()
}

fn unavailable(why: &str) -> Response {
    tracing::warn!(why, "cannot check the token of a caller of the admin port");
    let text = "the API server cannot be asked about this token; try again\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

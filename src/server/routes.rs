//! The TLS port. `POST /validate` answers reviews; everything else is 404, 405 or 415, and nothing
//! ever redirects.
//!
//! - a review, whatever became of it: 200 with an AdmissionReview
//! - a body that is no review at all: 400
//! - another content type than JSON: 415

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::SharedApp;
use super::body::{self, End};
use super::connections::is_from_stranger;
use crate::admission::{self, Failure, ModeTightened, NotAReview, Reviewed};
use crate::cluster::{owner, rehearsal};
use crate::decision::{OwnerExemptions, Policy};
use crate::record::Caller;
use crate::registration;
use crate::workload::budget::Budget;

/// Answered this long before the API server gives up, for the way back.
const MARGIN: Duration = Duration::from_millis(100);
/// What API servers wait where the URL does not say (`timeoutSeconds` of
/// admissionregistration.k8s.io/v1).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// `timeoutSeconds` goes no higher.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// In the place of a rehearsal that undock would do with its own rights for somebody it does not
/// know.
const NO_REHEARSAL: &str = "undock cannot tell what this mode would refuse: it does not know its \
    callers (--client-ca). Use undock scan";

/// The routes of the TLS port.
pub fn router(app: SharedApp) -> Router {
    let not_found = |State(app): State<SharedApp>| async move {
        app.metrics.refuse(404);
        (StatusCode::NOT_FOUND, "undock answers POST /validate\n")
    };
    let not_allowed = |State(app): State<SharedApp>| async move {
        app.metrics.refuse(405);
        (
            StatusCode::METHOD_NOT_ALLOWED,
            [("allow", "POST")],
            "undock answers POST /validate\n",
        )
    };
    Router::new()
        .route(registration::PATH, post(validate))
        .method_not_allowed_fallback(not_allowed)
        .fallback(not_found)
        .with_state(app)
}

async fn validate(State(app): State<SharedApp>, request: Request) -> Response {
    let answered = answer(&app, request).await;
    match answered {
        Ok(body) => (
            [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body,
        )
            .into_response(),
        Err((status, message)) => {
            app.metrics.refuse(status.as_u16());
            (status, message).into_response()
        }
    }
}

async fn answer(app: &SharedApp, request: Request) -> Result<Vec<u8>, (StatusCode, String)> {
    if !is_json(request.headers()) {
        return Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json\n".to_owned(),
        ));
    }
    let deadline = Instant::now() + timeout(request.uri()).saturating_sub(MARGIN);
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let rooms = app.state.large_bodies();
    let room = rooms.of(is_from_stranger(&request), length);
    let body: Body = request.into_body();
    let mut body = body::read(body, length, deadline, room).await;

    let started = Instant::now();
    let policy = app.policy.load();
    let mut reviewed = evaluate_body(app, &mut body, &policy, None, deadline).await?;
    // The one case in which a review waits for the cluster: see `cluster::owner`.
    if let (Some(unread), Some(client)) = (&reviewed.decision.unread_owner, &app.client) {
        let left = deadline.saturating_duration_since(Instant::now());
        let owner = Arc::new(owner::exemptions(client, unread, left).await);
        if !owner.is_empty() {
            reviewed = evaluate_body(app, &mut body, &policy, Some(owner), deadline).await?;
        }
    }

    let duration = started.elapsed();
    app.metrics.count(&reviewed, duration);
    if let Some(mut record) = reviewed.record.take() {
        record.stamp(
            jiff::Timestamp::now(),
            duration,
            &app.cluster,
            app.callers.caller(),
        );
        app.records.push(record);
    }
    let (Some(stricter), Some(client)) = (reviewed.stricter, &app.client) else {
        return Ok(reviewed.response);
    };
    let lines = if app.callers.caller() == Caller::ApiServer {
        let ModeTightened {
            namespace,
            mode,
            settings,
        } = stricter;
        let left = deadline.saturating_duration_since(Instant::now());
        rehearsal::rehearse(client, &namespace, mode, &settings, &policy, left).await
    } else {
        vec![NO_REHEARSAL.to_owned()]
    };
    // A Namespace is small: it is judged again instead of keeping what its answer was made from.
    let answered = admission::review_with_warnings(&body.bytes, &policy, &lines);
    Ok(answered.map_or(reviewed.response, |answered| answered.response))
}

/// Evaluates what was read of a request; what is not whole is decided from what there is.
async fn evaluate_body(
    app: &SharedApp,
    body: &mut body::Body,
    policy: &Arc<Policy>,
    owner: Option<Arc<OwnerExemptions>>,
    deadline: Instant,
) -> Result<Reviewed, (StatusCode, String)> {
    let reviewed = match body.end {
        End::Whole if body.bytes.len() <= EVALUATED_AT_ONCE && Instant::now() < deadline => {
            // Others wait meanwhile, so what takes long here is done again where nobody does.
            let reviewed = evaluate(app, &body.bytes, policy, Budget::SHORT, owner.as_deref());
            match reviewed {
                Ok(Reviewed {
                    failure: Some(Failure::OverBudget),
                    ..
                }) => evaluate_aside(app, body, policy, owner, deadline).await,
                reviewed => reviewed,
            }
        }
        End::Whole => evaluate_aside(app, body, policy, owner, deadline).await,
        End::Deadline => admission::fail(
            &body.bytes,
            Failure::Deadline,
            "the API server's timeout is near and the request is not whole",
            policy,
        ),
        End::TooSlow => admission::fail(
            &body.bytes,
            Failure::Deadline,
            "the request arrives too slowly, and others wait for the memory that it holds",
            policy,
        ),
        End::TooLarge => {
            let reason = format!(
                "the request is larger than {} MiB",
                body::MAX_BODY / 1024 / 1024
            );
            admission::fail(&body.bytes, Failure::TooLarge, &reason, policy)
        }
        End::Broken => admission::fail(
            &body.bytes,
            Failure::Unreadable,
            "the request broke off",
            policy,
        ),
    };
    reviewed.map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))
}

/// Evaluates, and answers by the mode if undock itself fails.
fn evaluate(
    app: &SharedApp,
    body: &[u8],
    policy: &Policy,
    budget: Budget,
    owner: Option<&OwnerExemptions>,
) -> Result<Reviewed, NotAReview> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        (app.review)(body, policy, budget, owner)
    }));
    outcome.unwrap_or_else(|_| {
        admission::fail(
            body,
            Failure::Panic,
            "a defect of undock stopped the evaluation; please report it",
            policy,
        )
    })
}

/// Bodies up to this size are evaluated on the thread that read them: that saves the way to another
/// one and back, reading them takes a millisecond at most, and the evaluation has
/// [`Budget::SHORT`].
const EVALUATED_AT_ONCE: usize = 128 * 1024;

/// Requests that are evaluated aside at a time: they may take all of a processor and some memory
/// each.
pub(super) const LARGE_AT_ONCE: usize = 2;

/// Evaluates on a thread of its own, so that the connections served by this one do not wait for it;
/// answers by the mode if that would be too late.
async fn evaluate_aside(
    app: &SharedApp,
    body: &mut body::Body,
    policy: &Arc<Policy>,
    owner: Option<Arc<OwnerExemptions>>,
    deadline: Instant,
) -> Result<Reviewed, NotAReview> {
    let evaluated = timeout_at(deadline, async {
        let permit = app.state.large_reviews().acquire_owned().await.ok()?;
        let (app, bytes, policy) = (Arc::clone(app), body.bytes.clone(), Arc::clone(policy));
        // An evaluation that is late goes on after its answer, and the body with it.
        let room = body.room.take();
        let evaluation = spawn_blocking(move || {
            let _held = (permit, room);
            evaluate(&app, &bytes, &policy, Budget::OBJECT, owner.as_deref())
        });
        evaluation.await.ok()
    });
    match evaluated.await {
        Ok(Some(reviewed)) => reviewed,
        // The runtime ends, or time did.
        Ok(None) | Err(_) => admission::fail(
            &body.bytes,
            Failure::Deadline,
            "the API server's timeout is near and the request could not be evaluated before",
            policy,
        ),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/json")
}

/// The time that the API server allows: it appends `?timeout=5s` to the URL, as a Go duration of
/// whole seconds.
fn timeout(uri: &Uri) -> Duration {
    let query = uri.query().unwrap_or_default();
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("timeout="));
    let parsed = value.and_then(|value| {
        if let Some(milliseconds) = value.strip_suffix("ms") {
            return milliseconds.parse().ok().map(Duration::from_millis);
        }
        value
            .strip_suffix('s')?
            .parse()
            .ok()
            .map(Duration::from_secs)
    });
    parsed.unwrap_or(DEFAULT_TIMEOUT).min(MAX_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_of_the_url_is_read() {
        for (uri, expected) in [
            ("/validate?timeout=5s", 5_000),
            ("/validate?x=1&timeout=250ms", 250),
            ("/validate", 10_000),
            ("/validate?timeout=", 10_000),
            ("/validate?timeout=-1s", 10_000),
            ("/validate?timeout=99999s", 30_000),
        ] {
            assert_eq!(
                timeout(&uri.parse().unwrap()),
                Duration::from_millis(expected),
                "{uri}"
            );
        }
    }
}

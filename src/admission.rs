//! One review from bytes to answer: read, evaluate, decide, respond, record. Pure, so that tests
//! and replay call it too.

use crate::decision::namespace::{self, NamespaceSettings};
use crate::decision::{self, Decision, Mode, Outcome, OwnerExemptions, Policy, Requester};
use crate::finding::{Action, text};
use crate::record::{Record, Source, user_kind};
use crate::registration;
use crate::review::{self, Answer, PartialReview, Request, Review, Version, respond};
use crate::workload::budget::{self, Budget};
use crate::workload::object::Object;
use crate::workload::{Share, Workload};

/// An answered review.
#[derive(Debug)]
pub struct Reviewed {
    /// The AdmissionReview to send back.
    pub response: Vec<u8>,
    /// What was decided.
    pub decision: Decision,
    /// The record, where something was found or went wrong.
    pub record: Option<Box<Record>>,
    /// Operation, as a metric label.
    pub operation: &'static str,
    /// Resource, as a metric label.
    pub resource: &'static str,
    /// What kept the object from being evaluated.
    pub failure: Option<Failure>,
    /// The Namespace whose mode becomes stricter: its workloads are worth a look before it is so.
    pub stricter: Option<ModeTightened>,
}

/// A Namespace whose mode becomes stricter.
#[derive(Debug)]
pub struct ModeTightened {
    /// Its name.
    pub namespace: String,
    /// The mode to come.
    pub mode: Mode,
    /// The settings to come.
    pub settings: NamespaceSettings,
}

/// Why a review is answered without an evaluation of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The body is larger than the limit.
    TooLarge,
    /// The object has a form that no API server sends.
    Unreadable,
    /// The budget of a review did not suffice for all of the object.
    OverBudget,
    /// The API server stops waiting before the body is whole.
    Deadline,
    /// A defect of undock.
    Panic,
}

impl Failure {
    /// The metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
            Self::OverBudget => "over_budget",
            Self::Deadline => "deadline",
            Self::Panic => "panic",
        }
    }
}

/// Longest reason, in bytes; the reader's words come from the object's own strings.
const MAX_REASON: usize = 200;

/// The body is no review that could be answered: no uid to answer to, or another kind.
#[derive(Debug, thiserror::Error)]
#[error("not an AdmissionReview of admission.k8s.io/v1 or v1beta1 with a request.uid: {0}")]
pub struct NotAReview(String);

/// Answers the review in `body`.
///
/// # Errors
/// Where there is no review to answer. Everything else is an answer.
pub fn review(body: &[u8], policy: &Policy) -> Result<Reviewed, NotAReview> {
    review_within(body, policy, Budget::OBJECT, None)
}

/// The same with `budget` for each of its objects. `owner` are the exemptions of the owner that a
/// first answer asked for.
///
/// # Errors
/// As for [`review()`].
pub fn review_within(
    body: &[u8],
    policy: &Policy,
    budget: Budget,
    owner: Option<&OwnerExemptions>,
) -> Result<Reviewed, NotAReview> {
    let decider = Decider {
        policy,
        budget,
        owner,
        more_warnings: &[],
    };
    decider.review(body)
}

/// The same as [`review()`], with `warnings` for the writer if the write is allowed.
///
/// # Errors
/// As for [`review()`].
pub fn review_with_warnings(
    body: &[u8],
    policy: &Policy,
    warnings: &[String],
) -> Result<Reviewed, NotAReview> {
    let decider = Decider {
        policy,
        budget: Budget::OBJECT,
        owner: None,
        more_warnings: warnings,
    };
    decider.review(body)
}

/// Answers a review that could not be evaluated, from what can be read of it.
///
/// # Errors
/// As for [`review()`].
pub fn fail(
    body: &[u8],
    failure: Failure,
    reason: &str,
    policy: &Policy,
) -> Result<Reviewed, NotAReview> {
    let partial = PartialReview::read(body);
    let Some(version) = partial.version() else {
        return Err(NotAReview(reason.to_owned()));
    };
    let passes = !is_write(&partial.operation) && !partial.operation.is_empty()
        || partial.operation == "UPDATE" && partial.is_being_deleted;
    let decision = if passes {
        // It brings nothing in, so there was nothing to evaluate.
        decision::skip(&partial.namespace, policy)
    } else {
        // A Namespace is never refused for its form: that would lock the cluster's administrators
        // out.
        let most = if partial.resource == "namespaces" {
            Action::Warn
        } else {
            Action::Deny
        };
        let requester = Requester {
            user: &partial.user,
            groups: &partial.groups,
            owner: None,
        };
        let reason = text::clip(reason, MAX_REASON);
        decision::decide_unevaluated(&partial.namespace, reason, most, policy, requester)
    };
    let source = Source {
        review_uid: &partial.uid,
        operation: &partial.operation,
        namespace: &partial.namespace,
        dry_run: partial.dry_run,
        user: &partial.user,
    };
    let is_recorded = decision.outcome == Outcome::Error && decision.mode != Mode::Off;
    let answer = Answer {
        version,
        source: &source,
        group: &partial.group,
        resource: &partial.resource,
        name: &partial.name,
        owner: None,
        warn: true,
        more_warnings: &[],
    };
    Ok(Reviewed {
        response: respond(&answer, &decision),
        record: is_recorded.then(|| Box::new(Record::new(&source, None, &decision))),
        operation: registration::operation_label(&partial.operation),
        resource: resource_label(&partial.resource, &partial.sub_resource),
        failure: Some(failure),
        stricter: None,
        decision,
    })
}

/// With what a review is decided.
#[derive(Clone, Copy)]
struct Decider<'p> {
    policy: &'p Policy,
    /// For each object of it.
    budget: Budget,
    owner: Option<&'p OwnerExemptions>,
    more_warnings: &'p [String],
}

impl Decider<'_> {
    fn review(self, body: &[u8]) -> Result<Reviewed, NotAReview> {
        match review::text(body).and_then(Review::parse) {
            Ok((_, request)) if is_write(&request.operation) && request.object.is_none() => fail(
                body,
                Failure::Unreadable,
                "the request holds no object",
                self.policy,
            ),
            Ok((version, request)) => Ok(answer(version, &request, self)),
            Err(error) => fail(body, Failure::Unreadable, &error, self.policy),
        }
    }
}

fn answer(version: Version, request: &Request<'_>, decider: Decider<'_>) -> Reviewed {
    let policy = decider.policy;
    let namespace = request.namespace.as_str();
    let workload = request
        .object
        .as_ref()
        .map(|object| view(object, request, request.is_cut, decider));
    let is_namespace =
        *request.resource.resource == *"namespaces" && request.resource.group.is_empty();
    let (decision, stricter) = match &workload {
        Some(workload) if is_namespace && is_write(&request.operation) => {
            decide_namespace(request, workload, policy)
        }
        Some(workload) => (decide(request, workload, decider), None),
        None => (decision::skip(namespace, policy), None),
    };
    let by_controller = workload
        .as_ref()
        .is_some_and(|workload| workload.has_controller())
        && user_kind(&request.user_info.username) != "user";
    let source = Source {
        review_uid: &request.uid,
        operation: &request.operation,
        namespace,
        dry_run: request.dry_run.0,
        user: &request.user_info.username,
    };
    let answer = Answer {
        version,
        source: &source,
        group: &request.resource.group,
        resource: &request.resource.resource,
        name: &request.name,
        owner: workload.as_ref().map(|workload| &workload.owner),
        warn: !by_controller,
        more_warnings: decider.more_warnings,
    };
    Reviewed {
        response: respond(&answer, &decision),
        record: (decision.outcome > Outcome::Clean)
            .then(|| Box::new(Record::new(&source, workload.as_ref(), &decision))),
        operation: registration::operation_label(&request.operation),
        resource: resource_label(&request.resource.resource, &request.sub_resource),
        failure: decision.error.as_ref().map(|_| Failure::OverBudget),
        stricter,
        decision,
    }
}

fn is_write(operation: &str) -> bool {
    matches!(operation, "CREATE" | "UPDATE")
}

fn decide(request: &Request<'_>, workload: &Workload<'_>, decider: Decider<'_>) -> Decision {
    let policy = decider.policy;
    let operation = request.operation.as_str();
    // What is being deleted must be able to lose its finalizers. Nothing is created in deletion.
    if !is_write(operation) || (operation == "UPDATE" && workload.is_being_deleted()) {
        return decision::skip(&request.namespace, policy);
    }
    // An old object that cannot be read had nothing that is known, so all that is found counts as
    // new.
    let old_object = request.old_object();
    let old = old_object
        .as_ref()
        .map(|(object, is_whole)| view(object, request, !is_whole, decider));
    let requester = Requester {
        user: &request.user_info.username,
        groups: &request.user_info.groups,
        owner: decider.owner,
    };
    decision::decide(workload, old.as_ref(), policy, requester)
}

/// `object` as rules see it within `budget`; `is_cut` if not all of it was read.
fn view<'a>(
    object: &'a Object<'a>,
    request: &'a Request<'a>,
    is_cut: bool,
    decider: Decider<'a>,
) -> Workload<'a> {
    let policy = decider.policy;
    let view = || {
        let mut workload = Workload::with_overrides(object, &request.namespace, &policy.overrides);
        workload.relate_to(&policy.cluster_state.related_objects());
        workload
    };
    let (mut workload, spent) = budget::within(decider.budget, view);
    workload.limit_to(match request.sub_resource.as_str() {
        "ephemeralcontainers" => Share::Ephemeral,
        _ => Share::Template,
    });
    workload.is_cut = is_cut || spent.is_exceeded();
    workload.budget = decider.budget.after(spent);
    workload
}

/// Labels and exemptions of a Namespace. The `Namespace` in a review is its own: its name and its
/// settings.
fn decide_namespace(
    request: &Request<'_>,
    workload: &Workload<'_>,
    policy: &Policy,
) -> (Decision, Option<ModeTightened>) {
    let old_object = request.old_object();
    let old = old_object
        .as_ref()
        .map(|(object, _)| NamespaceSettings::of(&Workload::new(object, "")));
    // By the stored object: what is sent to namespaces/finalize may say anything.
    let is_being_deleted = old_object
        .as_ref()
        .is_some_and(|(object, _)| Workload::new(object, "").is_being_deleted());
    if is_being_deleted {
        return (decision::skip(&request.namespace, policy), None);
    }
    let new = NamespaceSettings::of(workload);
    let requester = Requester {
        user: &request.user_info.username,
        groups: &request.user_info.groups,
        owner: None,
    };
    let change = namespace::judge_change(old.as_ref(), &new, policy, requester);
    let decision = decision::decide_namespace(&change, new.mode.unwrap_or(policy.mode));
    // A new one has no workloads yet.
    let stricter = change.stricter.filter(|_| old.is_some());
    (
        decision,
        stricter.map(|mode| ModeTightened {
            namespace: workload.name.to_owned(),
            mode,
            settings: new,
        }),
    )
}

fn resource_label(resource: &str, sub_resource: &str) -> &'static str {
    if sub_resource.is_empty() {
        registration::resource_label(resource)
    } else {
        registration::resource_label(&format!("{resource}/{sub_resource}"))
    }
}

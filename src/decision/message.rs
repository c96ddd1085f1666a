//! The words that people meet: warnings under `kubectl apply`, and the one line of a denial.
//!
//! Both are one line without control characters, hold no generated name, and are the same at every
//! retry, so that clients and the event recorder can fold repeats.

use super::{Decision, Judged, Mode, Outcome};
use crate::finding::Action;
use crate::finding::text::{clip, count, elide, escape_controls};
use crate::workload::{Owner, OwnerSource};

/// kubectl shows warnings of this length on one line; longer ones risk being cut (kube-apiserver:
/// warning.go).
const MAX_WARNING: usize = 120;
/// Warnings of one review; the API server shares 4096 characters among all webhooks.
const MAX_WARNINGS: usize = 5;
/// Names of volumes and containers are cut in the middle to this many characters.
const MAX_NAME: usize = 24;
/// To this many where the fix would be lost otherwise.
const SHORT_NAME: usize = 16;
/// And what is found to this many.
const SHORT_WHAT: usize = 44;
/// Of what is found, at least this many characters are shown.
const MIN_WHAT: usize = 16;
/// A namespace's name has at most 63 characters; only a request that no API server sends has more.
const MAX_NAMESPACE: usize = 63;
/// Kind and name of an owner; references to owners are written by people.
const MAX_OWNER: usize = 120;
/// An event's note holds 1 kB, and the API server puts its own words in front.
const MAX_DENIAL: usize = 900;

/// The warnings of `decision`, most severe first.
pub fn warnings(decision: &Decision) -> Vec<String> {
    let mut shown: Vec<&Judged> = decision
        .findings
        .iter()
        .filter(|judged| judged.action >= Action::Warn)
        .collect();
    shown.sort_by_key(|judged| std::cmp::Reverse(judged.enforce_action));
    let mut lines: Vec<String> = shown
        .iter()
        .map(|judged| warning(judged, decision.mode))
        .collect();
    dedup(&mut lines);
    if let Some(error) = &decision.error {
        let line = format!("undock could not check all of this object: {error}");
        lines.insert(0, cut(&escape_controls(&line), MAX_WARNING));
    }
    if lines.len() > MAX_WARNINGS {
        let hidden = lines.len() - MAX_WARNINGS;
        lines.truncate(MAX_WARNINGS);
        lines.push(format!(
            "undock: {} not shown. See them all: undock check FILE",
            count(hidden, "more finding")
        ));
    }
    let room = (MAX_WARNINGS + 1).saturating_sub(lines.len());
    lines.extend(notes(decision).into_iter().take(room));
    lines
}

/// What the writer should know besides the findings, as warnings.
pub fn notes(decision: &Decision) -> Vec<String> {
    let notes = decision.notes.iter().take(MAX_WARNINGS);
    notes
        .map(|note| cut(&escape_controls(&format!("undock: {note}")), MAX_WARNING))
        .collect()
}

/// One finding as a warning: `CODE NOUN "NAME" WHAT: REASON; FIX [would deny]`, the first of ever
/// shorter forms that keeps to the limit: few words are lost before the middle of WHAT, and that
/// before the fix.
pub fn warning(judged: &Judged, mode: Mode) -> String {
    let finding = &judged.finding;
    let would_deny = judged.enforce_action == Action::Deny && mode != Mode::Enforce;
    let suffix = match (judged.refuses_pods, would_deny) {
        (true, _) => " [its new Pods are refused]",
        (false, true) => " [would deny]",
        (false, false) => "",
    };
    let head = |name| {
        [
            finding.rule.code,
            " ",
            finding.noun,
            " \"",
            &elide(&finding.name, name),
            "\"",
        ]
        .concat()
    };
    let line = |name, what: usize, reason: &str, fix: &str| {
        escape_controls(
            &[
                &head(name),
                " ",
                &elide(&finding.what, what),
                ": ",
                reason,
                fix,
                suffix,
            ]
            .concat(),
        )
    };
    let fix = ["; ", finding.short_fix].concat();
    let whole = finding.what.chars().count();
    let form = line(MAX_NAME, whole, &finding.reason, &fix);
    if form.chars().count() <= MAX_WARNING {
        return form;
    }
    // One of two tools is enough to go on with.
    let shorter_fix = fix.replace("BuildKit/Buildah", "BuildKit");
    let short_reason = finding.reason.replace(" nodes", "");
    let reason = short_reason.as_str();
    let forms = [
        (MAX_NAME, whole, reason, fix.as_str()),
        (MAX_NAME, whole, reason, &shorter_fix),
        (SHORT_NAME, whole, reason, &shorter_fix),
        (SHORT_NAME, SHORT_WHAT, reason, &shorter_fix),
        (MAX_NAME, whole, &*finding.reason, ""),
    ];
    let mut forms = forms
        .into_iter()
        .map(|(name, what, reason, fix)| line(name, what, reason, fix));
    if let Some(form) = forms.find(|form| form.chars().count() <= MAX_WARNING) {
        return form;
    }
    let rest = format!(": {}", finding.reason);
    let room = MAX_WARNING - suffix.len();
    let room_of_what =
        room.saturating_sub(head(MAX_NAME).chars().count() + 1 + rest.chars().count());
    let line = escape_controls(&format!(
        "{} {}{rest}",
        head(MAX_NAME),
        elide(&finding.what, room_of_what.max(MIN_WHAT))
    ));
    format!("{}{suffix}", cut(&line, room))
}

/// The message of a denial: all findings that refuse the write, at most 900 bytes. `owner` is what
/// a person has to edit.
pub fn denial(decision: &Decision, namespace: &str, owner: Option<&Owner<'_>>) -> String {
    if let Some(error) = decision
        .error
        .as_ref()
        .filter(|_| decision.outcome == Outcome::Error)
    {
        let cure = "Write the object in a form that the API accepts, or ask the platform team";
        return clip_line(
            &format!(
                "undock could not check this object, and {}: {error}. {cure}",
                scope(decision.mode, namespace)
            ),
            MAX_DENIAL,
        );
    }
    if !decision.refusals.is_empty() {
        let refusals: Vec<String> = decision
            .refusals
            .iter()
            .map(|refusal| format!("{}: {}", refusal.field, refusal.message))
            .collect();
        return clip_line(&refusals.join("; "), MAX_DENIAL);
    }
    let denied: Vec<&Judged> = decision
        .findings
        .iter()
        .filter(|judged| judged.action == Action::Deny)
        .collect();
    let count = denied.len();
    let nodes = if namespace.is_empty() {
        "the cluster's nodes"
    } else {
        "this namespace's nodes"
    };
    let head = match count {
        1 => format!("1 Docker dependency must go before {nodes} drop Docker."),
        _ => format!("{count} Docker dependencies must go before {nodes} drop Docker."),
    };
    let first = denied.first().map_or("", |judged| judged.finding.rule.code);
    let scope = scope(decision.mode, namespace);
    let edit = owner
        .filter(|owner| owner.source != OwnerSource::Own)
        .map_or_else(String::new, edit);
    let tail = format!(
        " {}{}.{edit} Details: undock explain {first}",
        scope[..1].to_uppercase(),
        &scope[1..]
    );
    let room = MAX_DENIAL - head.len() - tail.len();
    format!("{head}{}{tail}", escape_controls(&entries(&denied, room)))
}

/// `[1/2] CODE FIELD …` for each finding while there is room, then codes and fields alone, then
/// `and N more`.
fn entries(denied: &[&Judged], room: usize) -> String {
    let count = denied.len();
    let reserve_of_rest = format!(" and {count} more.").len();
    let mut text = String::new();
    for (at, judged) in denied.iter().enumerate() {
        let finding = &judged.finding;
        let field = finding
            .field
            .strip_suffix(".hostPath.path")
            .unwrap_or(&finding.field);
        let short = format!(" [{}/{count}] {} {field}", at + 1, finding.rule.code);
        let name = elide(&finding.name, MAX_NAME);
        let what = elide(&finding.what, 100);
        let full = format!(
            "{short} {} \"{name}\" {what}: {}; fix: {}.",
            finding.noun, finding.reason, finding.short_fix
        );
        let reserve = if at + 1 < count { reserve_of_rest } else { 0 };
        if text.len() + full.len() + reserve <= room {
            text.push_str(&full);
        } else if text.len() + short.len() + 1 + reserve <= room {
            text.push_str(&short);
            text.push('.');
        } else {
            text.push_str(&format!(" and {} more.", count - at));
            break;
        }
    }
    text
}

/// ` Edit Deployment/runner.`: what is refused here is only made from it. For a series, what its
/// maker is told by.
fn edit(owner: &Owner<'_>) -> String {
    let name = clip_line(&format!("{}/{}", owner.kind, owner.name), MAX_OWNER);
    match owner.edit() {
        "" => format!(" Edit {name}."),
        edit => format!(" Made by {name}: edit {edit}."),
    }
}

/// `namespace ci is in enforce mode`.
fn scope(mode: Mode, namespace: &str) -> String {
    let namespace = escape_controls(&clip(namespace, MAX_NAMESPACE));
    if namespace.is_empty() {
        format!("the cluster is in {} mode", mode.as_str())
    } else {
        format!("namespace {namespace} is in {} mode", mode.as_str())
    }
}

/// `text` cut to `limit` characters, with `…` where it was cut.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit - 1).chain(['…']).collect(),
    }
}

fn clip_line(text: &str, limit: usize) -> String {
    clip(&escape_controls(text), limit)
}

/// Drops later repeats; the API server would, and "5 shown" must count different ones.
fn dedup(lines: &mut Vec<String>) {
    if lines.len() < 2 {
        return;
    }
    let mut seen = std::collections::HashSet::new();
    lines.retain(|line| seen.insert(line.clone()));
}

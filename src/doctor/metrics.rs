//! What the API server counted: writes that passed because undock did not answer, and whether it
//! audits at all.

use kube::Client;

use super::Check;
use crate::api::{ApiError, request};
use crate::finding::text::count;
use crate::registration::WEBHOOKS;

/// The checks that need the API server's metrics, which not everybody may read.
pub(super) async fn examine(client: &Client) -> Vec<Check> {
    let text = match request::get_once(client, "/metrics").await {
        Ok(body) => String::from_utf8_lossy(&body).into_owned(),
        Err(error) => {
            let why = match error {
                ApiError::Forbidden(_) => "the API server's metrics may not be read".to_owned(),
                error => format!("the API server's metrics could not be read: {error}"),
            };
            let cure = "allow get on the nonResourceURL /metrics";
            return vec![
                Check::skipped("failed-open", why.clone(), cure),
                Check::skipped("audit-policy", why, cure),
            ];
        }
    };
    vec![failed_open(&text), audit_policy(&text)]
}

fn failed_open(text: &str) -> Check {
    let id = "failed-open";
    let is_ours = |line: &str| {
        WEBHOOKS
            .iter()
            .any(|webhook| line.contains(&format!("name=\"{webhook}\"")))
    };
    let passed = sum(text, "apiserver_admission_webhook_fail_open_count", is_ours);
    let cure =
        "scan for what they brought (undock scan), and look at undock's logs and at timeouts";
    if passed > 0.0 {
        Check::warn(
            id,
            format!(
                "{} passed unreviewed since this API server started, because undock did not answer",
                count(passed, "write")
            ),
            cure,
        )
    } else {
        Check::ok(
            id,
            "this API server let no write pass unreviewed; others count for themselves",
        )
    }
}

fn audit_policy(text: &str) -> Check {
    let id = "audit-policy";
    let cure = "log at least level Metadata for pods and workloads: undock's annotations are then \
        in the audit log, for undock report";
    if sum(text, "apiserver_audit_event_total", |_| true) > 0.0 {
        Check::ok(
            id,
            "the API server writes audit events; undock's annotations are in those of level \
             Metadata and above",
        )
    } else {
        Check::warn(id, "the API server writes no audit events", cure)
    }
}

/// The sum of the samples of `name` that are wanted.
fn sum(text: &str, name: &str, is_wanted: impl Fn(&str) -> bool) -> f64 {
    let samples = text.lines().filter(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    samples
        .filter(|line| is_wanted(line))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Health;

    #[test]
    fn only_our_webhooks_are_counted() {
        let count = "apiserver_admission_webhook_fail_open_count";
        let text = format!(
            "# HELP {count} [ALPHA]\n\
             {count}{{name=\"pods.undock.dev\",type=\"validating\"}} 3\n\
             {count}{{name=\"other.dev\",type=\"validating\"}} 5\n\
             apiserver_audit_event_total 7\n"
        );
        let check = failed_open(&text);
        assert_eq!(check.result, Health::Warn);
        assert!(check.message.starts_with("3 writes"), "{}", check.message);
        assert_eq!(audit_policy(&text).result, Health::Ok);
        assert_eq!(audit_policy("").result, Health::Warn);
        assert_eq!(failed_open("").result, Health::Ok);
    }
}

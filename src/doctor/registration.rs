//! Does the registration ask undock about what this binary answers?

use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    RuleWithOperations, ValidatingWebhook, ValidatingWebhookConfiguration,
};

use super::connection::certificates_of;
use super::{Check, GENERATE, Installation};
use crate::kinds::NAMESPACES_WEBHOOK;
use crate::registration::{PATH, ReviewedResource, SERVICE, WEBHOOKS, reviewed};

const APPLY: &str =
    "apply the registration of this version: kubectl apply -k manifests/overlays/warn (or enforce)";

/// Everything that the registration itself tells.
pub(super) fn examine(
    configuration: &ValidatingWebhookConfiguration,
    installation: &Installation,
) -> Vec<Check> {
    let webhooks = configuration.webhooks.as_deref().unwrap_or_default();
    vec![
        names(webhooks),
        rules(webhooks),
        target(webhooks, installation),
        ca_bundle(webhooks),
        settings(webhooks),
        failure_policy(webhooks),
    ]
}

fn names(webhooks: &[ValidatingWebhook]) -> Check {
    let missing: Vec<_> = WEBHOOKS
        .into_iter()
        .filter(|name| !webhooks.iter().any(|other| other.name == *name))
        .collect();
    if missing.is_empty() {
        Check::ok(
            "registration",
            format!("all {} webhooks are registered", WEBHOOKS.len()),
        )
    } else {
        Check::fail(
            "registration",
            format!("the registration lacks {}", missing.join(", ")),
            APPLY,
        )
    }
}

fn rules(webhooks: &[ValidatingWebhook]) -> Check {
    let mut missing = Vec::new();
    for expected in reviewed() {
        let rules = webhooks
            .iter()
            .find(|webhook| webhook.name == expected.webhook)
            .and_then(|webhook| webhook.rules.as_deref())
            .unwrap_or_default();
        for operation in expected.operations {
            if !rules.iter().any(|rule| covers(rule, &expected, operation)) {
                missing.push(format!("{operation} {}", expected.resource));
            }
        }
    }
    if missing.is_empty() {
        Check::ok(
            "registration-rules",
            "undock is asked about every resource and operation that it knows",
        )
    } else {
        Check::fail(
            "registration-rules",
            format!("undock is not asked about {}", missing.join(", ")),
            APPLY,
        )
    }
}

fn covers(rule: &RuleWithOperations, expected: &ReviewedResource, operation: &str) -> bool {
    let resource = expected.resource;
    let has = |list: &Option<Vec<String>>, wanted: &str| {
        list.iter()
            .flatten()
            .any(|text| text == wanted || text == "*")
    };
    let main = resource.split_once('/').map(|(main, _)| main);
    let has_resource = rule
        .resources
        .iter()
        .flatten()
        .any(|text| match (text.as_str(), main) {
            ("*/*", _) => true,
            ("*", None) => true,
            (text, Some(main)) if text.strip_suffix("/*") == Some(main) => true,
            (text, _) => text == resource,
        });
    has(&rule.api_groups, expected.group)
        && has(&rule.api_versions, expected.version)
        && has_resource
        && has(&rule.operations, operation)
}

fn target(webhooks: &[ValidatingWebhook], installation: &Installation) -> Check {
    let id = "registration-target";
    for webhook in webhooks {
        let client = &webhook.client_config;
        let wrong = match (&client.service, &client.url) {
            (Some(service), _) => {
                let path = service.path.as_deref().unwrap_or("/");
                let is_ours =
                    service.name == SERVICE && service.namespace == installation.namespace;
                (!is_ours || path != PATH)
                    .then(|| format!("Service {}/{}{path}", service.namespace, service.name))
            }
            (None, Some(url)) => {
                (!url.split('?').next().unwrap_or_default().ends_with(PATH)).then(|| url.clone())
            }
            (None, None) => Some("nothing".to_owned()),
        };
        if let Some(wrong) = wrong {
            let expected = format!("Service {}/{SERVICE}{PATH}", installation.namespace);
            let cure = format!(
                "{APPLY}; for an installation elsewhere name its namespace with --namespace"
            );
            return Check::fail(
                id,
                format!("{} calls {wrong}, not {expected}", webhook.name),
                cure,
            );
        }
    }
    Check::ok(
        id,
        format!(
            "reviews go to {}",
            webhooks.first().map_or_else(String::new, address)
        ),
    )
}

fn address(webhook: &ValidatingWebhook) -> String {
    match (&webhook.client_config.service, &webhook.client_config.url) {
        (Some(service), _) => {
            format!(
                "Service {}/{}:{}{PATH}",
                service.namespace,
                service.name,
                service.port.unwrap_or(443)
            )
        }
        (None, url) => url.clone().unwrap_or_default(),
    }
}

fn ca_bundle(webhooks: &[ValidatingWebhook]) -> Check {
    let id = "ca-bundle";
    let mut ends = Vec::new();
    for webhook in webhooks {
        let Some(bundle) = webhook
            .client_config
            .ca_bundle
            .as_ref()
            .filter(|bundle| !bundle.0.is_empty())
        else {
            return Check::fail(
                id,
                format!(
                    "{} has no caBundle, so the API server trusts no answer",
                    webhook.name
                ),
                GENERATE,
            );
        };
        match certificates_of(&bundle.0) {
            Ok(found) if !found.is_empty() => ends.extend(found.iter().map(|(_, end)| *end)),
            _ => {
                return Check::fail(
                    id,
                    format!("the caBundle of {} holds no certificate", webhook.name),
                    GENERATE,
                );
            }
        }
    }
    // While certificates rotate the old CA is in the bundle too; one that holds is enough.
    match ends.into_iter().max() {
        Some(end) if end <= Timestamp::now() => {
            Check::fail(id, format!("the CA ended on {end}"), GENERATE)
        }
        Some(end) => Check::ok(
            id,
            format!("every webhook has a caBundle; its CA holds until {end}"),
        ),
        None => Check::fail(id, "no webhook has a caBundle", GENERATE),
    }
}

fn settings(webhooks: &[ValidatingWebhook]) -> Check {
    let id = "registration-settings";
    let mut wrong = Vec::new();
    for webhook in webhooks {
        let name = &webhook.name;
        if !matches!(webhook.side_effects.as_str(), "None" | "NoneOnDryRun") {
            wrong.push(format!(
                "{name} has sideEffects {}, so dry runs are refused",
                webhook.side_effects
            ));
        }
        if !webhook
            .admission_review_versions
            .iter()
            .any(|version| version == "v1")
        {
            wrong.push(format!("{name} does not name AdmissionReview v1"));
        }
        if webhook.match_policy.as_deref() == Some("Exact") {
            wrong.push(format!(
                "{name} has matchPolicy Exact: writes through other versions pass unseen"
            ));
        }
        if webhook.timeout_seconds.is_some_and(|seconds| seconds > 10) {
            wrong.push(format!("{name} may hold up a write for more than 10 s"));
        }
        let has_selector = webhook
            .object_selector
            .as_ref()
            .is_some_and(|selector| *selector != Default::default());
        if has_selector
            || webhook
                .match_conditions
                .as_ref()
                .is_some_and(|conditions| !conditions.is_empty())
        {
            wrong.push(format!(
                "{name} leaves objects out by a selector or a condition, which \
                their writers can choose"
            ));
        }
    }
    if wrong.is_empty() {
        Check::ok(id, "dry runs, versions and timeouts are as shipped")
    } else {
        Check::warn(id, wrong.join("; "), APPLY)
    }
}

fn failure_policy(webhooks: &[ValidatingWebhook]) -> Check {
    let id = "failure-policy";
    let policy_of = |webhook: &ValidatingWebhook| {
        webhook
            .failure_policy
            .clone()
            .unwrap_or_else(|| "Fail".to_owned())
    };
    let said: Vec<_> = webhooks
        .iter()
        .map(|webhook| format!("{} {}", webhook.name, policy_of(webhook)))
        .collect();
    let said = said.join(", ");
    let locks = webhooks
        .iter()
        .any(|webhook| webhook.name == NAMESPACES_WEBHOOK && policy_of(webhook) == "Fail");
    if locks {
        let cure = format!(
            "set failurePolicy Ignore for {NAMESPACES_WEBHOOK}: with undock down nobody could \
             label a namespace"
        );
        Check::warn(id, said, cure)
    } else {
        Check::ok(
            id,
            format!(
                "while undock does not answer: {said} (Ignore lets writes pass, Fail refuses them)"
            ),
        )
    }
}

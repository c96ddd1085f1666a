//! An answer, checked against everything that the API server and the contract ask of every answer.

use std::collections::BTreeMap;

use kube::core::DynamicObject;
use kube::core::admission::AdmissionReview;
use serde_json::{Value, json};

use super::client::Reply;

/// A valid AdmissionReview that came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) raw: Value,
    pub(crate) uid: String,
    pub(crate) allowed: bool,
    pub(crate) warnings: Vec<String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Answer {
    /// Reads and checks the answer in `reply`.
    pub(crate) fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/json"));
        Self::parse(&reply.body)
    }

    /// Reads and checks the AdmissionReview in `body`.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let raw: Value = serde_json::from_slice(body).expect("an answer is JSON");
        let keys: Vec<_> = raw
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys.len(), 3, "{keys:?}");
        assert_eq!(raw["kind"], "AdmissionReview");
        assert!(
            matches!(
                raw["apiVersion"].as_str(),
                Some("admission.k8s.io/v1" | "admission.k8s.io/v1beta1")
            ),
            "{raw}"
        );
        let response = &raw["response"];
        let strings = |value: &Value| {
            value
                .as_array()
                .into_iter()
                .flatten()
                .map(|v| v.as_str().expect("a string").to_owned())
                .collect()
        };
        let annotations = response["auditAnnotations"]
            .as_object()
            .expect("annotations on every answer");
        let answer = Self {
            uid: response["uid"].as_str().expect("a uid").to_owned(),
            allowed: response["allowed"].as_bool().expect("a decision"),
            warnings: strings(&response["warnings"]),
            annotations: annotations
                .iter()
                .map(|(k, v)| (k.clone(), v.as_str().expect("a string").to_owned()))
                .collect(),
            raw,
        };
        answer.check_against_kube();
        answer.check_warnings();
        answer.check_annotations();
        answer.check_status();
        answer
    }

    /// The decision in the audit log.
    pub(crate) fn decision(&self) -> &str {
        &self.annotations["decision"]
    }

    /// The message of a denial.
    pub(crate) fn message(&self) -> &str {
        self.raw["response"]["status"]["message"]
            .as_str()
            .expect("a message")
    }

    /// `reason` and `field` of every cause.
    pub(crate) fn causes(&self) -> Vec<(String, String)> {
        let causes = self.raw["response"]["status"]["details"]["causes"]
            .as_array()
            .expect("causes");
        let text = |cause: &Value, key: &str| cause[key].as_str().expect("a string").to_owned();
        causes
            .iter()
            .map(|cause| (text(cause, "reason"), text(cause, "field")))
            .collect()
    }

    /// The codes of the findings, in their order.
    pub(crate) fn rules(&self) -> &str {
        self.annotations.get("rules").map_or("", String::as_str)
    }

    /// Another implementation reads the same. It asks for a `status`, which the API leaves out of an allowing answer.
    fn check_against_kube(&self) {
        let mut whole = self.raw.clone();
        if whole["response"]["status"].is_null() {
            whole["response"]["status"] = json!({});
        }
        let review: AdmissionReview<DynamicObject> =
            serde_json::from_value(whole).expect("kube reads the answer");
        let response = review.response.expect("a response");
        assert_eq!(
            (response.uid.as_str(), response.allowed),
            (self.uid.as_str(), self.allowed)
        );
        assert_eq!(response.warnings.unwrap_or_default(), self.warnings);
        assert!(
            response.patch.is_none() && self.raw["response"].get("patchType").is_none(),
            "a validating webhook patches nothing"
        );
        assert_eq!(response.audit_annotations.len(), self.annotations.len());
    }

    fn check_warnings(&self) {
        assert!(self.warnings.len() <= 6, "{:?}", self.warnings);
        assert!(
            self.allowed || self.warnings.is_empty(),
            "warnings beside a denial: {:?}",
            self.warnings
        );
        for (at, warning) in self.warnings.iter().enumerate() {
            assert!(
                is_warning_header(warning),
                "the API server would drop {warning:?}"
            );
            assert!(
                warning.chars().count() <= 120,
                "{} characters: {warning}",
                warning.chars().count()
            );
            assert!(
                !warning.starts_with("Warning"),
                "kubectl says so itself: {warning}"
            );
            assert!(at < 5 || warning.contains(" more finding"), "{warning}");
            assert!(!self.warnings[..at].contains(warning), "twice: {warning}");
        }
    }

    fn check_annotations(&self) {
        for key in ["decision", "mode"] {
            assert!(
                self.annotations.contains_key(key),
                "no {key}: {:?}",
                self.annotations
            );
        }
        for key in self.annotations.keys() {
            // The API server puts the webhook's name and a slash in front, and wants a qualified name.
            assert!(
                key.len() <= 63
                    && key
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
                "{key}"
            );
        }
        let size: usize = self
            .annotations
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        assert!(
            size <= 2048,
            "{size} bytes of annotations: {:?}",
            self.annotations
        );
    }

    fn check_status(&self) {
        let status = &self.raw["response"]["status"];
        if self.allowed {
            assert!(status.is_null(), "{status}");
            return;
        }
        assert_eq!(
            (&status["code"], &status["reason"], &status["status"]),
            (&json!(403), &json!("Forbidden"), &json!("Failure"))
        );
        let message = self.message();
        assert!(message.len() <= 900, "{} bytes: {message}", message.len());
        assert!(!message.chars().any(char::is_control), "{message:?}");
        assert!(status["details"]["causes"].is_array(), "{status}");
    }
}

/// True if the API server passes the text on: `NewWarningHeader` in apimachinery, pkg/util/net/http.go, refuses
/// invalid UTF-8, which a `str` cannot hold, and whatever Go's `unicode.IsControl` knows, which is category Cc.
fn is_warning_header(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

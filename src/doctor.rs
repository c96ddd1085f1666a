//! The checks of an installation, before and after: each with an id, a result, one sentence, and
//! what to do.

mod connection;
mod metrics;
pub mod next_pod;
mod probe;
mod registration;
mod service;

use std::io::{self, Write};

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kube::Client;
use serde::Serialize;

use crate::api::ApiError;
use crate::api::request::{self, read};
use crate::finding::text::escape_controls;
use crate::output::style::Style;
use crate::registration::{NAMESPACE, SERVICE};

/// Name of the ValidatingWebhookConfiguration.
const CONFIGURATION: &str = "undock";
/// What to do about certificates.
const GENERATE: &str = "run certs-script/generate.sh --apply";

/// Where undock is, and where it may be tried.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Namespace of the installation.
    pub namespace: String,
    /// Namespace of the probe.
    pub probe_namespace: String,
}

impl Default for Installation {
    fn default() -> Self {
        Self {
            namespace: NAMESPACE.to_owned(),
            probe_namespace: "default".to_owned(),
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// Works, and should be looked at.
    Warn,
    /// Does not work.
    Fail,
    /// Could not be, or need not be, looked at.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Permanent id.
    pub id: &'static str,
    /// How it ended.
    pub result: Health,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do; empty where nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cure: String,
    /// True where something that matters was not allowed to be read.
    #[serde(skip)]
    pub is_incomplete: bool,
}

impl Check {
    fn new(
        id: &'static str,
        result: Health,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            id,
            result,
            message: message.into(),
            cure: cure.into(),
            is_incomplete: false,
        }
    }

    fn ok(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Health::Ok, message, "")
    }

    fn warn(id: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(id, Health::Warn, message, cure)
    }

    fn fail(id: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(id, Health::Fail, message, cure)
    }

    fn skipped(id: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(id, Health::Skipped, message, cure)
    }

    /// What could not be read, and matters.
    fn unread(id: &'static str, error: &ApiError) -> Self {
        let cure = "run it as somebody who may read this, such as an administrator of the cluster";
        Self {
            is_incomplete: true,
            ..Self::skipped(id, format!("could not be read: {error}"), cure)
        }
    }
}

/// The result of all checks.
#[derive(Debug, Default)]
pub struct Examined {
    /// The checks, in their order.
    pub checks: Vec<Check>,
}

impl Examined {
    /// Checks that ended so.
    pub fn count(&self, result: Health) -> usize {
        self.checks
            .iter()
            .filter(|check| check.result == result)
            .count()
    }

    /// The check with this id.
    pub fn get(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }
}

/// Examines the installation in the cluster behind `client`. Writes nothing: the probe is a dry
/// run.
///
/// # Errors
/// Where the API server does not answer, or does not know who asks.
pub async fn examine(client: &Client, installation: &Installation) -> Result<Examined, ApiError> {
    let mut checks = vec![api_server(client).await?];
    let configuration = format!(
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{CONFIGURATION}"
    );
    match read::<ValidatingWebhookConfiguration>(client, &configuration).await {
        Ok(configuration) => {
            checks.extend(registration::examine(&configuration, installation));
            checks.extend(service::examine(client, installation, Some(&configuration)).await);
        }
        Err(ApiError::NotFound(_)) => {
            let cure = "install it: kubectl apply -k manifests/overlays/warn, then \
                certs-script/generate.sh --apply";
            checks.push(Check::fail(
                "registration",
                format!("there is no ValidatingWebhookConfiguration {CONFIGURATION}"),
                cure,
            ));
            checks.extend(service::examine(client, installation, None).await);
        }
        Err(error) => {
            checks.push(Check::unread("registration", &error));
            checks.extend(service::examine(client, installation, None).await);
        }
    }
    checks.extend(next_pod::examine(client, installation).await);
    let is_registered = checks
        .iter()
        .any(|check| check.id == "registration" && check.result != Health::Fail);
    checks.push(if is_registered {
        probe::examine(client, installation).await
    } else {
        Check::skipped("probe", "nothing is registered yet", "")
    });
    checks.extend(metrics::examine(client).await);
    Ok(Examined { checks })
}

async fn api_server(client: &Client) -> Result<Check, ApiError> {
    let body = request::get_once(client, "/version").await?;
    let info: k8s_openapi::apimachinery::pkg::version::Info =
        serde_json::from_slice(&body).map_err(|error| ApiError::Unreadable(error.to_string()))?;
    Ok(Check::ok(
        "api-server",
        format!("the API server is {}", info.git_version),
    ))
}

/// Name under which the webhook's certificate must be good.
fn server_name(namespace: &str) -> String {
    format!("{SERVICE}.{namespace}.svc")
}

/// Writes the checks for people.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_table(out: &mut dyn Write, examined: &Examined, colour: bool) -> io::Result<()> {
    let width = examined
        .checks
        .iter()
        .map(|check| check.id.len())
        .max()
        .unwrap_or(0);
    for check in &examined.checks {
        let (word, code) = match check.result {
            Health::Ok => ("ok     ", "32"),
            Health::Warn => ("warn   ", "33;1"),
            Health::Fail => ("FAIL   ", "31;1"),
            Health::Skipped => ("skipped", "36"),
        };
        let word = Style { colour }.paint(code, word);
        writeln!(
            out,
            "{word}  {:width$}  {}",
            check.id,
            escape_controls(&check.message)
        )?;
        if !check.cure.is_empty() {
            writeln!(
                out,
                "{:9}{:width$}  -> {}",
                "",
                "",
                escape_controls(&check.cure)
            )?;
        }
    }
    let count = |result| examined.count(result);
    let (ok, warn, fail, skipped) = (
        count(Health::Ok),
        count(Health::Warn),
        count(Health::Fail),
        count(Health::Skipped),
    );
    writeln!(
        out,
        "\n{ok} ok, {warn} to look at, {fail} failed, {skipped} skipped."
    )
}

/// Writes the checks as `undock.doctor/v1`.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_json(out: &mut dyn Write, examined: &Examined) -> io::Result<()> {
    let count = |result| examined.count(result);
    let report = serde_json::json!({
        "schema": "undock.doctor/v1",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": {
            "ok": count(Health::Ok), "warn": count(Health::Warn), "fail": count(Health::Fail),
            "skipped": count(Health::Skipped),
        },
        "checks": examined.checks,
    });
    serde_json::to_writer_pretty(&mut *out, &report)?;
    out.write_all(b"\n")
}

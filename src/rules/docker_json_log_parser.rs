//! DKR701 docker-json-log-parser: a log agent that only parses Docker's log format.

use super::configuration::log_inputs::{self, Unit};
use super::objects;
use crate::embedded::{Language, is_prose};
use crate::finding::{Action, Certainty, Check, Finding, Findings, Impact, Rule};
use crate::workload::Workload;
use crate::workload::leaves::Leaf;
use crate::workload::mentions::mentions;
use crate::workload::pod::{Container, Pod};
use crate::workload::settings::{Settings, settings};

pub(super) static RULE: Rule = Rule {
    code: "DKR701",
    name: "docker-json-log-parser",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Degrades,
    action: None,
    needs_docker_absent: true,
    summary: "a log agent's configuration parses only Docker's JSON log format",
    reason: "the log format differs on {nodes}",
    consequence: "lines arrive with time, stream and tag as text, timestamps are lost and \
        multi-line records break",
    short_fix: "parse the CRI format",
    page: include_str!("../../docs/rules/docker-json-log-parser.md"),
    host_path: None,
    target: None,
    check: Check::Object(check),
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    if let Some(pod) = &workload.pod {
        let containers = pod
            .containers
            .iter()
            .filter(|_| !pod.host_mounts.is_empty());
        findings.extend(containers.filter_map(|container| json_image(pod, container)));
    }
    let documents = settings(workload);
    for (document, (node, input)) in log_inputs::docker_only(&documents) {
        findings.push(
            Finding::new(&RULE)
                .in_settings(document, node)
                .what(format!("reads logs with {input}"))
                .evidence(input),
        );
    }
    for document in &documents {
        let units = log_inputs::docker_units(document).into_iter();
        findings.extend(units.map(|unit| journal(document, &unit)));
    }
    let is_unread = |leaf: &&Leaf| match leaf.document() {
        Some(document) => document.language == Language::Blocks,
        None => true,
    };
    let unread = workload.leaves.iter().filter(|leaf| {
        leaf.text.contains('\n') && !leaf.text.starts_with("#!") && !is_prose(leaf.key())
    });
    let unread = unread.filter(is_unread);
    findings.extend(unread.filter_map(|leaf| named_directory(workload, leaf)));
}

/// Fluentd's image for Kubernetes, which parses JSON unless its environment says otherwise.
/// Source: fluent/fluentd-kubernetes-daemonset: templates/conf/tail_container_parse.conf.erb.
fn json_image(pod: &Pod<'_>, container: &Container<'_>) -> Option<Finding> {
    const PARSER: &str = "FLUENT_CONTAINER_TAIL_PARSER_TYPE";
    let is_image = container.image().name() == "fluentd-kubernetes-daemonset";
    let mut mounts = pod.mounts_of(container);
    let reads_logs = mounts.any(|mount| matches!(mount.path.as_str(), "/var" | "/var/log"));
    // Its configuration may be another one.
    let mut mounted = container.raw.volume_mounts.iter();
    let is_configured = container.raw.env_from.0
        || mounted.any(|mount| mount.mount_path.starts_with("/fluentd/etc"));
    if !is_image || !reads_logs || is_configured {
        return None;
    }
    let at = container
        .raw
        .env
        .iter()
        .position(|variable| variable.name.as_str() == PARSER);
    let finding = match at {
        Some(at) if container.raw.env[at].value.as_str() == "json" => Finding::new(&RULE)
            .in_container(pod, container, format!("env[{at}].value"))
            .what(format!("sets {PARSER} to json")),
        Some(_) => return None,
        None => Finding::new(&RULE)
            .in_container(pod, container, "image")
            .what(format!("parses JSON: {PARSER} is not set")),
    };
    Some(finding.evidence(PARSER))
}

/// The journal of Docker's unit, which is empty without Docker.
fn journal(document: &Settings<'_>, unit: &Unit<'_>) -> Finding {
    let finding = Finding::new(&RULE)
        .in_settings(document, unit.node)
        .what("reads the journal of docker.service")
        .evidence("docker.service")
        .consequence("no unit of that name writes there, so nothing arrives from it");
    match unit.is_one_of_many {
        true => finding.advisory("the journal has no such unit"),
        false => finding.reason("the journal has no such unit"),
    }
}

/// How rsyslog and syslog-ng name the files that they read.
const STATEMENTS: [&str; 5] = [
    "$InputFileName ",
    "File=\"",
    "base-dir(",
    "wildcard-file(",
    "file(\"",
];

/// A text in no language that is read here, which names the directory. In a statement of rsyslog or syslog-ng it is what
/// they read; anywhere else nothing shows what reads it.
fn named_directory(workload: &Workload<'_>, leaf: &Leaf) -> Option<Finding> {
    const DIRECTORY: &str = "/docker/containers/";
    let mut lines = objects::lines(&leaf.text);
    let (start, line) =
        lines.find(|(_, line)| !line.starts_with(';') && mentions(line, DIRECTORY))?;
    let finding = objects::finding(&RULE, workload, leaf)
        .offset(start)
        .what("names Docker's log directory")
        .evidence(DIRECTORY);
    let front = &line[..line.find(DIRECTORY)?];
    let is_statement = STATEMENTS.iter().any(|statement| front.contains(statement));
    if leaf.document().is_some() && !is_statement {
        return None;
    }
    let reads_pods = leaf.text.contains("/log/pods") || leaf.text.contains("/log/containers");
    Some(match is_statement && !reads_pods {
        true => finding.what("reads files of Docker's log directory only"),
        false => finding
            .certainty(Certainty::Possible)
            .action(Action::Record),
    })
}

//! Selectors of PromQL in any text: queries hold variables of dashboards, which no parser of the
//! language takes.
//!
//! What changes without Docker: series of kubelet's Docker client and of the engine, the labels
//! that cAdvisor takes from Docker (`name=k8s_…`, `container_label_*`), the file system series of
//! containers, the cgroup of `docker.service`, and identifiers that begin with `docker://`. What
//! stays: series of the root cgroup (`id="/"`). Sources: kubernetes/website#30681,
//! google/cadvisor#2666, containerd/containerd#4541, containerd/containerd#5882.

use crate::analysis::data_root;
use crate::workload::host_path::HostPath;
use crate::workload::search::{mentions, occurrences};

/// A selector that changes, and where it stands in the text.
pub(crate) struct Selector {
    pub(crate) offset: usize,
    /// What it selects, in a stable spelling.
    pub(crate) name: String,
}

/// Series that vanish, by the beginning of their name.
const GONE: [&str; 2] = ["kubelet_docker_", "engine_daemon_"];

/// Series of a container's file system, which only the root cgroup keeps.
const FILE_SYSTEM: [&str; 9] = [
    "container_fs_inodes_free",
    "container_fs_inodes_total",
    "container_fs_io_current",
    "container_fs_io_time_seconds_total",
    "container_fs_io_time_weighted_seconds_total",
    "container_fs_limit_bytes",
    "container_fs_read_seconds_total",
    "container_fs_reads_merged_total",
    "container_fs_usage_bytes",
];

/// Longest text that is searched, in bytes.
const MAX_TEXT: usize = 1024 * 1024;

/// The selectors of `text` that change without Docker. `keeps_docker` says that cri-dockerd keeps
/// it.
pub(crate) fn docker_selectors(text: &str, keeps_docker: bool) -> Vec<Selector> {
    const WORDS: [&str; 7] = [
        "docker",
        "k8s_",
        "engine_daemon_",
        "container_fs_",
        "container_label_",
        "POD",
        "image",
    ];
    if text.len() > MAX_TEXT || !WORDS.iter().any(|word| mentions(text, word)) {
        return Vec::new();
    }
    let mut found: Vec<Selector> = Vec::new();
    if !keeps_docker {
        found.extend(datadog_metrics(text));
    }
    for (offset, name, matchers) in selectors(text) {
        let changed = match keeps_docker {
            true => changed_by_dockershim(name, &matchers).into_iter().collect(),
            false if name.starts_with(['"', '\'']) => vec!["docker://".to_owned()],
            false => changed(name, &matchers),
        };
        found.extend(changed.into_iter().map(|name| Selector { offset, name }));
    }
    found.sort_by_key(|selector| selector.offset);
    found
}

/// Metrics of Datadog's Docker check, which Kubernetes gives under other names
/// (`kubernetes.cpu.usage.total`). Source: DataDog/integrations-core: docker_daemon/metadata.csv.
const DATADOG: [&str; 15] = [
    "docker.container.open_fds",
    "docker.container.size_r",
    "docker.containers.",
    "docker.cpu.",
    "docker.data.",
    "docker.images.",
    "docker.io.read_",
    "docker.io.write_",
    "docker.kmem.",
    "docker.mem.",
    "docker.metadata.",
    "docker.net.bytes_",
    "docker.service_up",
    "docker.thread.",
    "docker.uptime",
];

fn datadog_metrics(text: &str) -> Vec<Selector> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let found = occurrences(text, "docker.").filter_map(|offset| {
        let name = &text[offset..];
        let name = &name[..name.find(|c| !is_part(c)).unwrap_or(name.len())];
        let is_metric = DATADOG.iter().any(|start| name.starts_with(start));
        let is_whole = !text[..offset].ends_with(|c: char| is_part(c) || c == '-' || c == '/');
        (is_metric && is_whole).then(|| Selector {
            offset,
            name: name.to_owned(),
        })
    });
    found.collect()
}

/// True where the series of a name are left out.
fn is_left_out(matchers: &[Matcher<'_>]) -> bool {
    let mut names = matchers
        .iter()
        .filter(|matcher| matcher.label == "__name__");
    names.any(Matcher::is_negative)
}

/// A condition on a label.
#[derive(Clone, Copy)]
struct Matcher<'t> {
    label: &'t str,
    operator: &'t str,
    value: &'t str,
}

impl<'t> Matcher<'t> {
    fn is_negative(&self) -> bool {
        self.operator.starts_with('!')
    }

    /// The expression in quotes at the start of `text`, for the label `name`.
    fn of_name(text: &'t str) -> Option<Self> {
        let (value, _) = quoted(text)?;
        Some(Self {
            label: "name",
            operator: "=~",
            value,
        })
    }
}

/// What of a selector changes when Docker is gone: the series itself, and each label that it
/// selects by.
fn changed(name: &str, matchers: &[Matcher<'_>]) -> Vec<String> {
    // `{__name__=~"a|b.*"}` selects by the name, too.
    if let Some(names) = matchers.iter().find(|matcher| matcher.label == "__name__") {
        let rest = matchers
            .iter()
            .filter(|matcher| matcher.label != "__name__");
        let rest: Vec<Matcher<'_>> = rest.copied().collect();
        let names = names.value.split(['|', '(', ')', '^']);
        let names = names.filter(|name| !name.is_empty() && !is_left_out(matchers));
        return names.flat_map(|name| changed(name, &rest)).collect();
    }
    let is_root = |matcher: &Matcher<'_>| {
        matcher.label == "id" && matcher.operator == "=" && matcher.value == "/"
    };
    let is_gone = GONE.iter().any(|gone| name.starts_with(gone))
        || name.starts_with("container_label_")
        || FILE_SYSTEM.contains(&name) && !matchers.iter().any(is_root);
    // Leaving out by another label keeps what leaving out by name kept.
    let is_replaced = matchers.iter().any(|matcher| {
        matches!(matcher.label, "container" | "container_name") && matcher.is_negative()
    });
    let mut found: Vec<String> = is_gone.then(|| name.to_owned()).into_iter().collect();
    let labels = matchers
        .iter()
        .filter(|matcher| !(is_replaced && matcher.label == "name" && matcher.is_negative()))
        .filter_map(|matcher| changed_label(name, matcher));
    found.extend(labels);
    found.dedup();
    found
}

fn changed_label(name: &str, matcher: &Matcher<'_>) -> Option<String> {
    let Matcher { label, value, .. } = matcher;
    let of_cadvisor = name.is_empty() || name.starts_with("container_");
    let is_changed = match *label {
        // As a negative it leaves out nothing any more.
        "name" if of_cadvisor => names_container(value),
        "id" => mentions(value, "docker.service") || mentions(value, "/docker/"),
        "container_runtime_version" | "container_id" => mentions(value, "docker://"),
        "mountpoint" => {
            !matcher.is_negative() && data_root::below_data_root(&HostPath::new(value)).is_some()
        }
        label if label.starts_with("container_label_") => true,
        _ => *value == "docker.service" && !matcher.is_negative(),
    };
    is_changed.then(|| match mentions(value, "k8s_") {
        true if matcher.is_negative() => "name!~k8s_".to_owned(),
        true => "name=~k8s_".to_owned(),
        false if label.starts_with("container_label_") => (*label).to_owned(),
        false => format!("{label}={value}"),
    })
}

/// True for an expression of Docker's names of containers, `k8s_CONTAINER_POD_NAMESPACE_…`.
pub(crate) fn names_container(expression: &str) -> bool {
    let mut found = occurrences(expression, "k8s_");
    found.any(|at| !expression[..at].ends_with(|c: char| c.is_alphanumeric() || "_-".contains(c)))
}

/// What of a selector changes under cri-dockerd, which leaves cAdvisor without the containers'
/// images.
fn changed_by_dockershim(name: &str, matchers: &[Matcher<'_>]) -> Option<String> {
    let is_image = |matcher: &&Matcher<'_>| {
        matcher.label == "image" && matcher.operator == "!=" && matcher.value.is_empty()
    };
    let of_cadvisor = name.starts_with("container_");
    let found = matchers.iter().find(is_image).filter(|_| of_cadvisor);
    found.map(|_| "image!=\"\"".to_owned())
}

/// Names and their conditions: `name{label="value"}`, a name alone, conditions alone, and a quoted
/// `docker://` that `label_replace` cuts off, with its quote. Comments are left out.
fn selectors(text: &str) -> Vec<(usize, &str, Vec<Matcher<'_>>)> {
    let bytes = text.as_bytes();
    let replaces = mentions(text, "label_replace");
    let is_one_query = !mentions(text, "\"expr\"");
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if is_name_byte(byte) && !byte.is_ascii_digit() {
            let end = name_end(bytes, at);
            let (matchers, behind) = conditions(text, end);
            found.push((at, &text[at..end], matchers));
            at = behind;
        } else if byte == b'{' {
            let (matchers, behind) = conditions(text, at);
            if !matchers.is_empty() {
                found.push((at, "", matchers));
            }
            at = behind.max(at + 1);
        } else if byte == b'#' && is_one_query && is_comment(&bytes[..at]) {
            let end = memchr::memchr(b'\n', &bytes[at..]);
            at = end.map_or(bytes.len(), |end| at + end);
        } else {
            let is_quote = replaces && matches!(byte, b'"' | b'\'');
            if is_quote && cuts_docker(&text[at + 1..]) {
                found.push((at, &text[at..=at], Vec::new()));
            }
            let name = Some(at).filter(|at| is_quote && reads_name(&text[..*at]));
            let matcher = name.and_then(|at| Matcher::of_name(&text[at..]));
            found.extend(matcher.map(|matcher| (at, "", vec![matcher])));
            at += 1;
        }
    }
    found
}

/// True if a comment can begin behind `before`: at the start, or after white space.
fn is_comment(before: &[u8]) -> bool {
    before.last().is_none_or(u8::is_ascii_whitespace)
}

/// True if `before` ends with the label `name` as the one that `label_replace` reads.
fn reads_name(before: &str) -> bool {
    let argument = before.trim_end_matches(|c: char| c.is_whitespace() || c == '\\');
    let label = argument
        .strip_suffix(',')
        .map(str::trim_end)
        .unwrap_or_default();
    ["\"name\"", "'name'", "\"name\\\""]
        .iter()
        .any(|name| label.ends_with(name))
}

/// True for the expression of `label_replace` that takes the prefix off an id.
fn cuts_docker(expression: &str) -> bool {
    let expression = expression.trim_start_matches('^');
    ["docker://", "docker-pullable://"]
        .iter()
        .any(|prefix| expression.starts_with(prefix))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':'
}

fn name_end(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    let length = rest.iter().position(|byte| !is_name_byte(*byte));
    start + length.unwrap_or(rest.len())
}

/// The conditions in braces at `start`, and where they end; none where there are no braces.
fn conditions(text: &str, start: usize) -> (Vec<Matcher<'_>>, usize) {
    let mut found = Vec::new();
    let Some(mut rest) = text[start..].strip_prefix('{') else {
        return (found, start);
    };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if let Some(comment) = rest.strip_prefix('#') {
            let end = comment.find('\n').unwrap_or(comment.len());
            rest = &comment[end..];
            continue;
        }
        let label = &rest[..name_end(rest.as_bytes(), 0)];
        let behind = rest[label.len()..].trim_start();
        let operator = ["=~", "!~", "!=", "="]
            .into_iter()
            .find(|operator| behind.starts_with(operator));
        let Some(operator) = operator.filter(|_| !label.is_empty()) else {
            break;
        };
        let Some((value, behind)) = quoted(behind[operator.len()..].trim_start()) else {
            break;
        };
        found.push(Matcher {
            label,
            operator,
            value,
        });
        rest = behind;
    }
    (found, text.len() - rest.len())
}

/// The text in quotes at the start of `text`, and what follows; in the JSON of a dashboard the
/// quotes are escaped.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = ["\\\"", "\"", "'", "`"]
        .into_iter()
        .find(|quote| text.starts_with(quote))?;
    let rest = &text[quote.len()..];
    let end = rest.find(quote)?;
    Some((&rest[..end], &rest[end + quote.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, keeps_docker: bool) -> Vec<String> {
        let found = docker_selectors(text, keeps_docker).into_iter();
        found.map(|selector| selector.name).collect()
    }

    #[test]
    fn every_spelling_of_a_selector_is_seen() {
        for text in [
            r#"sum(rate(container_cpu_usage_seconds_total{name=~"^k8s_web.*"}[5m]))"#,
            r#"sum(rate(container_cpu_usage_seconds_total{ job="x", name =~ "k8s_web.*"}[5m]))"#,
            r#"sum(rate(container_cpu_usage_seconds_total{name=~'.*k8s_web.*'}[$__interval]))"#,
            r#"{"expr": "container_cpu_usage_seconds_total{name=~\"k8s_$x\"}"}"#,
        ] {
            assert_eq!(names(text, false), ["name=~k8s_"], "{text}");
        }
        for (text, name) in [
            (
                "rate(kubelet_docker_operations_errors[5m])",
                "kubelet_docker_operations_errors",
            ),
            (
                r#"x{id="/system.slice/docker.service"}"#,
                "id=/system.slice/docker.service",
            ),
            (
                r#"node_systemd_unit_state{name="docker.service"}"#,
                "name=docker.service",
            ),
            (
                r#"kube_node_info{container_runtime_version=~"docker://.*"}"#,
                "container_runtime_version=docker://.*",
            ),
            (
                r#"label_replace(x, "id", "$1", "container_id", "^docker://(.+)")"#,
                "docker://",
            ),
            (
                r#"sum(container_memory_rss{name!~"k8s_POD_.*", namespace="x"})"#,
                "name!~k8s_",
            ),
            (
                "avg(last_5m):avg:docker.mem.rss{kube_namespace:x} by {pod_name} > 80",
                "docker.mem.rss",
            ),
            (
                "sum by (container_label_io_kubernetes_pod_name) (x)",
                "container_label_io_kubernetes_pod_name",
            ),
        ] {
            assert_eq!(names(text, false), [name], "{text}");
        }
    }

    #[test]
    fn what_stays_is_no_finding() {
        for text in [
            r#"sum(container_fs_usage_bytes{id="/"}) / sum(container_fs_limit_bytes{id="/"})"#,
            r#"container_memory_rss{container!="",image!=""}"#,
            r#"node_systemd_unit_state{name="containerd.service"}"#,
            r#"x{name!~"k8s_POD_.*"}"#,
            "docker pull registry/image",
            "# was kubelet_docker_operations\nkubelet_runtime_operations",
            "up > 0 # not engine_daemon_network_actions_seconds_count",
            r#"container_memory_rss{name!~"k8s_POD_.*", container!="POD"}"#,
            "pulled from docker.io and docker.network.example.com",
        ] {
            assert!(
                names(text, false).is_empty(),
                "{text}: {:?}",
                names(text, false)
            );
        }
        let image = r#"absent(container_cpu_usage_seconds_total{image!=""})"#;
        assert!(names(image, false).is_empty());
        assert_eq!(names(image, true), ["image!=\"\""]);
    }
}

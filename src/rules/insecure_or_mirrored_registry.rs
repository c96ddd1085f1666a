//! DKR206 insecure-or-mirrored-registry: a registry that the runtime may need settings for.

use super::docker_cli_image::image_finding;
use crate::finding::{Certainty, Findings, Impact, Reads, Rule};
use crate::workload::Workload;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR206",
    name: "insecure-or-mirrored-registry",
    since: "0.1.0",
    certainty: Certainty::Possible,
    impact: Impact::Advisory,
    action: None,
    needs_docker_absent: false,
    summary: "the image's registry is a private address or a local name with a port",
    reason: "registry settings move with the runtime",
    consequence: "insecure-registries and registry-mirrors of daemon.json must be set again for the new runtime",
    short_fix: "configure it in the runtime",
    fix: "Configure the registry in containerd's certs.d/HOST/hosts.toml, or in CRI-O's registries.conf, before the nodes change.",
    why: "Docker reads insecure registries and mirrors from /etc/docker/daemon.json, which no API shows. A registry on a private address or a local name with a port is the only hint that there is such a setting.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: 10.0.0.5:5000/app:1
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example.com/app:1
"#,
    not_flagged: "Public registries, and port 443.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/check-if-dockershim-removal-affects-you/",
        "https://kubernetes.io/blog/2022/02/17/dockershim-faq/",
    ],
    host_path: None,
    reads: Reads::Object,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| is_local_registry(container.image().host))
    {
        findings.push(image_finding(&RULE, pod, container, "pulls"));
    }
}

/// A host that a public certificate cannot be for, with a port of its own.
fn is_local_registry(host: &str) -> bool {
    let Some((name, _)) = host
        .rsplit_once(':')
        .filter(|(_, port)| !matches!(*port, "" | "443"))
    else {
        return false;
    };
    match name.parse::<std::net::Ipv4Addr>() {
        Ok(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Err(_) => {
            name == "localhost"
                || [".local", ".internal", ".svc", ".lan"]
                    .iter()
                    .any(|suffix| name.ends_with(suffix))
        }
    }
}

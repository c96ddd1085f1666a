//! DKR401 docker-command: a call of the Docker client.

use super::signals;
use crate::finding::{Action, Certainty, Finding, Findings, Impact, Reads, Rule};
use crate::workload::Workload;
use crate::workload::endpoint;
use crate::workload::shell::Invocation;

/// The declaration; messages, pages and metrics come from it.
pub(super) static RULE: Rule = Rule {
    code: "DKR401",
    name: "docker-command",
    since: "0.1.0",
    certainty: Certainty::Likely,
    impact: Impact::Breaks,
    action: None,
    needs_docker_absent: true,
    summary: "a container runs docker or docker-compose against the node's daemon",
    reason: "no daemon to answer on {nodes}",
    consequence: "the call fails with \"Cannot connect to the Docker daemon\"",
    short_fix: "use kubectl, crictl or BuildKit",
    fix: "Replace it: builds with BuildKit or Buildah; ps, logs, exec and inspect with kubectl; the rest on the node with crictl.",
    why: "docker ps is kubectl get pods or crictl ps; docker logs, exec, cp and stats are kubectl logs, exec, cp and top; docker images and rmi are crictl images and rmi; docker build, push and save need a builder such as BuildKit or Buildah; docker system prune is kubelet's own garbage collection.",
    before: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.example/ci:1
    command: ["sh", "-c", "docker ps -q | xargs docker inspect"]
    volumeMounts:
    - name: sock
      mountPath: /var/run/docker.sock
  volumes:
  - name: sock
    hostPath:
      path: /var/run/docker.sock
"#,
    after: r#"apiVersion: v1
kind: Pod
metadata:
  name: example
spec:
  containers:
  - name: app
    image: registry.k8s.io/kubectl:v1.34.0
    command: ["kubectl", "get", "pods", "-o", "wide"]
"#,
    not_flagged: "docker in comments, strings, echo arguments, image and registry names; docker:// of skopeo; docker-entrypoint.sh; calls whose daemon is in the Pod or remote, or that need none (docker buildx with a kubernetes or remote driver). Scripts that also handle crictl, ctr, nerdctl or podman are only recorded.",
    references: &[
        "https://kubernetes.io/docs/tasks/administer-cluster/migrating-from-dockershim/check-if-dockershim-removal-affects-you/",
        "https://kubernetes.io/blog/2022/02/17/dockershim-faq/",
        "https://kubernetes.io/docs/tasks/debug/debug-cluster/crictl/",
    ],
    host_path: None,
    reads: Reads::Words,
    check,
};

fn check(workload: &Workload<'_>, findings: &mut Findings) {
    let Some(pod) = &workload.pod else { return };
    for container in pod
        .containers
        .iter()
        .filter(|container| container.mentions_docker())
    {
        let handles_others =
            signals::is_agent(container) && signals::handles_other_runtimes(container);
        let builds_elsewhere = signals::has_remote_builder(container);
        let mut seen: Vec<String> = Vec::new();
        let in_container =
            |invocation: &Invocation| signals::way_to_node(pod, container, invocation).is_none();
        for command in container
            .commands()
            .iter()
            .filter(|command| in_container(&command.invocation))
        {
            let Some(verb) = signals::docker_verb(&command.invocation) else {
                continue;
            };
            if verb == "buildx" && builds_elsewhere {
                continue;
            }
            let is_compose = command.invocation.program() == "docker-compose";
            let call = if is_compose {
                "docker-compose".to_owned()
            } else {
                format!("docker {verb}")
            };
            let endpoint = endpoint::of_invocation(pod, container, &command.invocation);
            if endpoint.is_elsewhere() || seen.contains(&call) {
                continue;
            }
            let field = format!("{}.{}", pod.container_path(container), command.field);
            let mut finding =
                Finding::in_container(&RULE, container, format!("runs \"{call}\""), field, &call);
            finding.short_fix = replacement(verb);
            if handles_others {
                signals::soften_for_other_runtimes(&mut finding);
            } else if !endpoint.is_node() {
                finding.certainty = Certainty::Possible;
                finding.action = Some(Action::Warn);
                finding.reason = "no Docker endpoint is visible".to_owned();
            }
            seen.push(call);
            findings.push(finding);
        }
    }
}

/// What does the work of `docker VERB` in Kubernetes, or on a node without Docker.
fn replacement(verb: &str) -> &'static str {
    match verb {
        "build" | "builder" | "buildx" | "commit" | "import" | "load" | "push" | "save" | "tag" => {
            "build with BuildKit/Buildah"
        }
        "attach" | "exec" => "use kubectl exec",
        "compose" | "service" | "stack" | "swarm" => "write Deployments and Services",
        "container" | "node" | "ps" => "use kubectl get",
        "cp" | "export" => "use kubectl cp",
        "create" | "run" | "start" => "create a Pod or a Job",
        "events" => "use kubectl events",
        "inspect" | "port" => "use kubectl describe",
        "kill" | "restart" | "rm" | "stop" => "use kubectl delete pod",
        "login" | "logout" | "search" => "use crane or skopeo",
        "logs" => "use kubectl logs",
        "stats" | "top" => "use kubectl top",
        "network" | "plugin" | "system" | "volume" => "leave it to kubelet",
        _ => "use crictl on the node",
    }
}

//! Agents that run on every node and have a mode without Docker, each with its source.

use super::has_path_end;
use crate::workload::image::ImageReference;

/// An agent that has a mode without Docker.
#[derive(Debug)]
pub(crate) struct Agent {
    /// How messages call it.
    pub(crate) name: &'static str,
    /// The end of its repository paths, registries and re-tags aside.
    path: &'static str,
    /// What to set.
    pub(crate) remedy: &'static str,
}

const fn agent_entry(path: &'static str, name: &'static str, remedy: &'static str) -> Agent {
    Agent { name, path, remedy }
}

/// Agents by repository. No version thresholds where no source gives one: the mode decides.
const AGENTS: [Agent; 28] = [
    agent_entry(
        "amazon/cloudwatch-agent",
        "the CloudWatch agent",
        "mount the containerd socket",
    ), // aws-samples/amazon-cloudwatch-container-insights
    // aquasecurity/tracee: deploy/kubernetes
    agent_entry("aquasec/tracee", "Tracee", "mount the containerd socket"),
    agent_entry(
        "beats/filebeat",
        "Filebeat",
        "use its container or filestream input",
    ), // elastic/examples
    agent_entry(
        "beats/metricbeat",
        "Metricbeat",
        "use its kubernetes module",
    ), // helm/charts: stable/metricbeat
    agent_entry(
        "cadvisor/cadvisor",
        "cAdvisor",
        "upgrade it and mount the containerd socket",
    ), // google/cadvisor: CHANGELOG.md
    agent_entry(
        "coscale/coscale-agent",
        "the CoScale agent",
        "it has no successor; remove it",
    ), // helm/charts: stable/coscale
    agent_entry(
        "datadog/agent",
        "the Datadog agent",
        "upgrade, or set DD_CRI_SOCKET_PATH",
    ), // docs.datadoghq.com/agent/guide/docker-deprecation
    agent_entry(
        "datadoghq/agent",
        "the Datadog agent",
        "upgrade, or set DD_CRI_SOCKET_PATH",
    ), // the same in its own registry
    agent_entry(
        "datadog/docker-dd-agent",
        "the Datadog agent 5",
        "move to the Datadog agent 7",
    ), // docs.datadoghq.com/agent/guide/docker-deprecation
    agent_entry(
        "deepfenceio/deepfence_agent",
        "the Deepfence agent",
        "select the runtime in its chart",
    ), // deepfence/ThreatMapper
    agent_entry(
        "elastic/filebeat",
        "Filebeat",
        "use its container or filestream input",
    ), // elastic/examples
    agent_entry(
        "elastic/metricbeat",
        "Metricbeat",
        "use its kubernetes module",
    ), // helm/charts: stable/metricbeat
    agent_entry(
        "falcosecurity/falco",
        "Falco",
        "set collectors.containerEngine to CRI",
    ), // falcosecurity/charts: charts/falco
    agent_entry(
        "google/cadvisor",
        "cAdvisor",
        "upgrade it and mount the containerd socket",
    ), // google/cadvisor: CHANGELOG.md
    agent_entry(
        "hyperledger/fabric-peer",
        "the Fabric peer",
        "run chaincode as an external service",
    ), // helm/charts: stable/hlf-peer
    agent_entry(
        "instana/agent",
        "the Instana agent",
        "drop the Docker mounts",
    ), // helm/charts: stable/instana-agent
    agent_entry(
        "library/traefik",
        "Traefik",
        "use its providers for Kubernetes",
    ), // traefik (docs)
    agent_entry("logdna/logdna-agent", "the LogDNA agent", "upgrade it"), // logdna/logdna-agent
    agent_entry(
        "microsoft/oms",
        "the OMS agent",
        "take the Azure Monitor agent",
    ), // helm/charts: stable/msoms
    agent_entry(
        "neuvector/enforcer",
        "NeuVector",
        "select the runtime in its chart",
    ), // neuvector/neuvector
    agent_entry(
        "newrelic/infrastructure-k8s",
        "the New Relic infrastructure agent",
        "take the current chart",
    ), // newrelic/helm-charts
    agent_entry(
        "scalyr/scalyr-k8s-agent",
        "the Scalyr agent",
        "set SCALYR_K8S_CRI or upgrade it",
    ), // scalyr/scalyr-agent-2
    agent_entry(
        "signalfx/signalfx-agent",
        "the SignalFx Smart Agent",
        "use kubelet-metrics for docker-container-stats",
    ), // kubernetes.io, migrating-telemetry-and-security-agents
    agent_entry(
        "sysdig/agent",
        "the Sysdig agent",
        "set its CRI socket path",
    ), // sysdiglabs/charts
    agent_entry(
        "sysdig/node-image-analyzer",
        "the Sysdig image analyzer",
        "set CRI_SOCKET_PATH",
    ), // sysdiglabs/charts: charts/node-analyzer
    agent_entry(
        "twistlock/defender",
        "the Prisma Cloud defender",
        "deploy it again with --cri",
    ), // kubernetes.io, migrating-telemetry-and-security-agents
    agent_entry(
        "verizondigital/kubectl-flame",
        "kubectl-flame",
        "set --docker-path /run/containerd",
    ), // yahoo/kubectl-flame: README.md
    agent_entry(
        "weaveworks/scope",
        "Weave Scope",
        "replace it, or use --probe.cri",
    ), // weaveworks/scope: examples/k8s
];

/// The agent that `image` is, whatever registry it comes from.
pub(crate) fn agent(image: &ImageReference<'_>) -> Option<&'static Agent> {
    AGENTS
        .iter()
        .find(|agent| has_path_end(&image.path, agent.path))
}

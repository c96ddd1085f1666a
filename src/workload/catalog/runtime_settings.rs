//! Variables and flags that select Docker as the container runtime. Each line ends with its source.

/// Variables that select the runtime when their value is `docker`, by the end of their name.
const RUNTIME_VARIABLES: [&str; 5] = [
    "CONTAINER_ENGINE",           // seen in security agents
    "CONTAINER_RUNTIME",          // litmuschaos/chaos-charts: faults/kubernetes
    "CONTAINER_RUNTIME_EXECUTOR", // argoproj/argo-workflows: docs/workflow-executors.md
    "CRI_RUNTIME",                // seen in installers
    "RUNTIME_TYPE",               // seen in agents
];

/// True for a variable that selects the container runtime.
pub(crate) fn selects_runtime(variable: &str) -> bool {
    // Alone it is the GPU operator's (controllers/object_controls.go); as an ending it is any
    // program's.
    variable == "RUNTIME" || RUNTIME_VARIABLES.iter().any(|end| variable.ends_with(end))
}

/// A flag that selects the runtime.
pub(crate) struct RuntimeFlag {
    /// Its name; Go's flags take one hyphen or two, so there is none here.
    pub(crate) name: &'static str,
    /// The value that means Docker; `true` is also meant where none is given.
    pub(crate) value: &'static str,
    /// The programs in which it does, where its name is used by many: a part of the image's or the
    /// program's name.
    pub(crate) programs: &'static [&'static str],
}

const fn flag(name: &'static str, value: &'static str) -> RuntimeFlag {
    flag_of(name, value, &[])
}

const fn flag_of(
    name: &'static str,
    value: &'static str,
    programs: &'static [&'static str],
) -> RuntimeFlag {
    RuntimeFlag {
        name,
        value,
        programs,
    }
}

/// Flags that select the runtime.
pub(crate) const RUNTIME_FLAGS: [RuntimeFlag; 10] = [
    flag_of(
        "component",
        "docker",
        &["node-problem-detector", "health-checker", "npd"],
    ), // kubernetes/node-problem-detector: cmd/healthchecker
    flag("container-runtime", "docker"), // kubelet before 1.24
    // argoproj/argo-workflows: docs/workflow-executors.md
    flag("container-runtime-executor", "docker"),
    flag("containerRuntimeExecutor", "docker"), // argoproj/argo-workflows, older spelling
    flag("docker_only", "true"),                // google/cadvisor: docs/runtime_options.md
    flag("force-docker-metadata", "true"), // signalfx/splunk-otel-collector-chart: kernel collector
    flag("probe.docker", "true"),          // weaveworks/scope: examples/k8s/ds.yaml
    flag("probe.docker.bridge", "docker0"), // weaveworks/scope: examples/k8s/ds.yaml
    flag("providers.docker", "true"),      // traefik (docs)
    flag_of(
        "runtime",
        "docker",
        &["chaos", "nvidia-ctk", "nvidia-toolkit"],
    ), // chaos-mesh/chaos-mesh: helm/chaos-mesh/values.yaml, NVIDIA/nvidia-container-toolkit
];

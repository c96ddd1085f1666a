//! Variables and flags that select Docker as the container runtime. Each line ends with its source.

use crate::workload::object::EnvVar;

/// Variables that select the runtime when their value is `docker`, by the end of their name.
const RUNTIME_VARIABLES: [&str; 8] = [
    "CONTAINER_ENGINE",              // seen in security agents
    "CONTAINER_RUNTIME",             // litmuschaos/chaos-charts: faults/kubernetes
    "CONTAINER_RUNTIME_EXECUTOR",    // argoproj/argo-workflows: docs/workflow-executors.md
    "CRI_RUNTIME",                   // seen in installers
    "NUCLIO_CONTAINER_BUILDER_KIND", // nuclio/nuclio: pkg/containerimagebuilderpusher
    "RUNNER_EXECUTOR",               // gitlab-org/gitlab-runner: docs/commands
    "RUNTIME_TYPE",                  // seen in agents
    "WOODPECKER_BACKEND",            // woodpecker-ci/woodpecker: docs, agent configuration
];

/// True for a variable that selects the container runtime.
pub(crate) fn selects_runtime(variable: &str) -> bool {
    // Alone it is the GPU operator's (controllers/object_controls.go); as an ending it is any
    // program's.
    variable == "RUNTIME" || RUNTIME_VARIABLES.iter().any(|end| variable.ends_with(end))
}

/// Variables with a list, in which the word `docker` switches on what asks Docker.
/// Source: docs.datadoghq.com, containers/docker (Autodiscovery).
const LIST_VARIABLES: [&str; 4] = [
    "DD_CONFIG_PROVIDERS",
    "DD_EXTRA_CONFIG_PROVIDERS",
    "DD_EXTRA_LISTENERS",
    "DD_LISTENERS",
];

/// Providers that ask Docker, by the variable that switches each on; so does any variable of its
/// options, `NAME_OPTION`. Sources: crazymax.dev/diun/config, doc.traefik.io (environment
/// variables).
const PROVIDER_VARIABLES: [Provider; 4] = [
    ("DIUN_PROVIDERS_DOCKER", "Diun's docker provider"),
    ("DIUN_PROVIDERS_SWARM", "Diun's swarm provider"),
    ("TRAEFIK_PROVIDERS_DOCKER", "Traefik's docker provider"),
    ("TRAEFIK_PROVIDERS_SWARM", "Traefik's swarm provider"),
];

/// The same of flags. Source: doc.traefik.io.
const PROVIDER_FLAGS: [Provider; 2] = [
    ("providers.docker", "Traefik's docker provider"),
    ("providers.swarm", "Traefik's swarm provider"),
];

/// What switches a provider on, and the provider as messages call it.
type Provider = (&'static str, &'static str);

/// True for a variable whose value selects Docker.
pub(crate) fn selects_docker(variable: &str, value: &str) -> bool {
    // Programs read such values in any case.
    let is_docker = |word: &str| word.trim().eq_ignore_ascii_case("docker");
    let in_list = || LIST_VARIABLES.contains(&variable) && value.split([' ', ',']).any(is_docker);
    is_docker(value) && selects_runtime(variable) || in_list()
}

/// A setting of a provider that asks Docker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProviderSetting<'t> {
    /// The provider, as messages call it.
    pub(crate) provider: &'static str,
    /// The option; empty for the switch.
    pub(crate) option: &'t str,
}

impl ProviderSetting<'_> {
    /// True for the address of the daemon that is asked.
    pub(crate) fn is_endpoint(&self) -> bool {
        self.option.eq_ignore_ascii_case("endpoint")
    }
}

/// True if one of `variables` is of a provider that asks Docker: its name says so, not its value.
pub(crate) fn sets_provider(variables: &[EnvVar<'_>]) -> bool {
    // Most names are shorter.
    let shortest = PROVIDER_VARIABLES[1].0.len();
    let mut names = variables.iter().map(|variable| variable.name.as_str());
    names.any(|name| name.len() >= shortest && provider_variable(name).is_some())
}

/// The setting that `variable` is, if it is one of a provider that asks Docker.
pub(crate) fn provider_variable(variable: &str) -> Option<ProviderSetting<'_>> {
    provider_setting(&PROVIDER_VARIABLES, variable, '_')
}

/// The setting that the flag `name`, without its hyphens, is.
pub(crate) fn provider_flag(name: &str) -> Option<ProviderSetting<'_>> {
    provider_setting(&PROVIDER_FLAGS, name, '.')
}

/// `name`, as one of `providers` or an option of one behind `separator`.
fn provider_setting<'t>(
    providers: &[Provider],
    name: &'t str,
    separator: char,
) -> Option<ProviderSetting<'t>> {
    providers.iter().find_map(|(switch, provider)| {
        let start = name.get(..switch.len())?;
        let rest = &name[switch.len()..];
        let option = rest.strip_prefix(separator);
        let is_meant = start.eq_ignore_ascii_case(switch) && (rest.is_empty() || option.is_some());
        is_meant.then(|| ProviderSetting {
            provider,
            option: option.unwrap_or_default(),
        })
    })
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
pub(crate) const RUNTIME_FLAGS: [RuntimeFlag; 9] = [
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
    flag_of(
        "runtime",
        "docker",
        &["chaos", "nvidia-ctk", "nvidia-toolkit"],
    ), // chaos-mesh/chaos-mesh: helm/chaos-mesh/values.yaml, NVIDIA/nvidia-container-toolkit
];

//! What configuration says of Docker: inputs of agents, templates of Pods, queries.

pub(super) mod docker_inputs;
pub(super) mod log_inputs;
pub(super) mod node_files;
pub(super) mod node_scripts;
pub(super) mod pod_sources;
pub(super) mod promql;
pub(super) mod scripts;

//! What configuration says of Docker: inputs of agents, templates of Pods, queries.

pub(crate) mod docker_inputs;
pub(crate) mod expressions;
pub(crate) mod installers;
pub(crate) mod log_inputs;
mod node_files;
pub(crate) mod node_scripts;
pub(crate) mod pod_sources;
pub(crate) mod promql;

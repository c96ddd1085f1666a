//! Cluster tests: undock, installed from the shipped manifests, answers a real kube-apiserver.
//!
//! They need the binaries that `tests/cluster/control-plane.sh` builds, named by `KUBEBUILDER_ASSETS`;
//! without them the tests are skipped and say so. `tests/cluster/up.sh` starts the same cluster for people, and
//! `UNDOCK_CLUSTER_EXAMPLE=examples cargo test --test cluster` makes the files of `examples/` anew.
//!
//! The process starts itself a second time inside a network and process namespace of its own. In there
//! every port is free, Pod addresses can be real, and everything ends with the test, however it ends.

mod audit_log;
mod control_plane;
mod example;
mod for_people;
mod kubectl;
mod kubelet;
mod many;
mod namespace;
mod objects;
mod pod_process;
mod process;
mod reports;
mod scenarios;
mod scenarios_availability;
mod scenarios_controller;
mod scenarios_coverage;
mod scenarios_enforce;
mod scenarios_many;
mod scenarios_namespaces;
mod scenarios_outage;
mod scenarios_policy;
mod scenarios_scan;
mod scenarios_series;
mod scenarios_v1beta1;
mod scenarios_warn;
mod volumes;
mod world;

use std::env;

use control_plane::Assets;
use namespace::Place;
use process::say;

/// One test, because all scenarios share one control plane; each reports its own name and result.
#[test]
fn cluster() {
    match namespace::place() {
        Place::Outside => {
            let Some(assets) = env::var_os("KUBEBUILDER_ASSETS") else {
                say(
                    "SKIPPED: the cluster tests did not run, because KUBEBUILDER_ASSETS is not set.",
                );
                say("To run them: KUBEBUILDER_ASSETS=$(tests/cluster/control-plane.sh) cargo test");
                return;
            };
            if let Err(problem) = Assets::at(assets) {
                panic!("KUBEBUILDER_ASSETS holds no control plane: {problem}");
            }
            namespace::run_inside("cluster");
        }
        Place::Inside(root) => {
            let assets =
                env::var_os("KUBEBUILDER_ASSETS").expect("the outer process has checked it");
            let assets = Assets::at(assets).expect("the outer process has checked it");
            match (for_people::port(), example::folder()) {
                (Some(port), _) => for_people::stay(&root, assets, port),
                (None, Some(folder)) => example::play(&root, &assets, &folder),
                (None, None) => scenarios::run(&root, assets),
            }
        }
    }
}

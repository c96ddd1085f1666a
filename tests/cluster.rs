//! Cluster tests: undock, installed from the shipped manifests, answers a real kube-apiserver.
//!
//! They need the binaries that `tests/cluster/control-plane.sh` builds, named by `KUBEBUILDER_ASSETS`;
//! without them the tests are skipped and say so. `tests/cluster/up.sh` starts the same cluster for people, and
//! `UNDOCK_CLUSTER_EXAMPLE=examples cargo test --test cluster` makes the files of `examples/` anew.
//!
//! The process starts itself a second time inside a network and process namespace of its own. In there
//! every port is free, Pod addresses can be real, and everything ends with the test, however it ends.

#[path = "cluster/audit_log.rs"]
mod audit_log;
#[path = "cluster/control_plane.rs"]
mod control_plane;
#[path = "cluster/example.rs"]
mod example;
#[path = "cluster/for_people.rs"]
mod for_people;
#[path = "cluster/kubectl.rs"]
mod kubectl;
#[path = "cluster/kubelet.rs"]
mod kubelet;
#[path = "cluster/many.rs"]
mod many;
#[path = "cluster/namespace.rs"]
mod namespace;
#[path = "cluster/objects.rs"]
mod objects;
#[path = "cluster/pod_process.rs"]
mod pod_process;
#[path = "cluster/process.rs"]
mod process;
#[path = "cluster/reports.rs"]
mod reports;
#[path = "cluster/scenarios.rs"]
mod scenarios;
#[path = "cluster/scenarios_availability.rs"]
mod scenarios_availability;
#[path = "cluster/scenarios_enforce.rs"]
mod scenarios_enforce;
#[path = "cluster/scenarios_many.rs"]
mod scenarios_many;
#[path = "cluster/scenarios_namespaces.rs"]
mod scenarios_namespaces;
#[path = "cluster/scenarios_outage.rs"]
mod scenarios_outage;
#[path = "cluster/scenarios_scan.rs"]
mod scenarios_scan;
#[path = "cluster/scenarios_scanner.rs"]
mod scenarios_scanner;
#[path = "cluster/scenarios_v1beta1.rs"]
mod scenarios_v1beta1;
#[path = "cluster/scenarios_warn.rs"]
mod scenarios_warn;
#[path = "cluster/volumes.rs"]
mod volumes;
#[path = "cluster/world.rs"]
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
                say("SKIPPED: the cluster tests did not run, because KUBEBUILDER_ASSETS is not set.");
                say("To run them: KUBEBUILDER_ASSETS=$(tests/cluster/control-plane.sh) cargo test");
                return;
            };
            if let Err(problem) = Assets::at(assets) {
                panic!("KUBEBUILDER_ASSETS holds no control plane: {problem}");
            }
            namespace::run_inside("cluster");
        }
        Place::Inside(root) => {
            let assets = env::var_os("KUBEBUILDER_ASSETS").expect("the outer process has checked it");
            let assets = Assets::at(assets).expect("the outer process has checked it");
            match (for_people::port(), example::folder()) {
                (Some(port), _) => for_people::stay(&root, assets, port),
                (None, Some(folder)) => example::play(&root, &assets, &folder),
                (None, None) => scenarios::run(&root, assets),
            }
        }
    }
}

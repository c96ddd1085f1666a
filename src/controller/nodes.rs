//! Names and addresses of the nodes, in one ConfigMap that the webhook watches: it may not list
//! nodes itself.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::{Client, ResourceExt};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{LeaderGuard, config_maps};
use crate::api::list::List;
use crate::api::path::resource;
use crate::api::watch::{Event, watch};
use crate::registration::NODES_CONFIG_MAP;

/// From a change to the write: what follows it closely is written together.
const SETTLE: Duration = Duration::from_secs(2);
/// From a write that failed to the next attempt.
const RETRY: Duration = Duration::from_secs(30);

/// The nodes that are known: each with its name and addresses on one line.
#[derive(Default)]
struct Nodes {
    lines: BTreeMap<String, String>,
    /// Names of the list that is being read.
    listed: Option<BTreeSet<String>>,
}

impl Nodes {
    /// True if the event changes what is known, and a whole list has been read.
    fn take(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Listing => {
                self.listed = Some(BTreeSet::new());
                false
            }
            Event::Listed => {
                let listed = self.listed.take().unwrap_or_default();
                self.lines.retain(|name, _| listed.contains(name));
                true
            }
            Event::Applied(object) => {
                let Ok(node) = serde_json::from_str::<Node>(object.get()) else {
                    return false;
                };
                let addresses = node.status.and_then(|status| status.addresses);
                let addresses = addresses.into_iter().flatten().map(|node| node.address);
                let ranges = node.spec.and_then(|spec| spec.pod_cidrs);
                let gateways = ranges.iter().flatten().filter_map(|range| gateway(range));
                let words: BTreeSet<String> = addresses
                    .chain(gateways)
                    .filter(|address| !address.contains(char::is_whitespace))
                    .collect();
                let name = node.metadata.name.unwrap_or_default();
                let words = words
                    .iter()
                    .map(String::as_str)
                    .filter(|word| *word != name);
                let line: Vec<&str> = std::iter::once(name.as_str()).chain(words).collect();
                let line = line.join(" ");
                if let Some(listed) = &mut self.listed {
                    listed.insert(name.clone());
                }
                let is_new = self.lines.get(&name) != Some(&line);
                self.lines.insert(name, line);
                is_new && self.listed.is_none()
            }
            Event::Deleted(object) => serde_json::from_str::<Node>(object.get())
                .is_ok_and(|node| self.lines.remove(&node.name_any()).is_some()),
            Event::TooLarge(_) | Event::Interrupted(_) => false,
        }
    }
}

/// The first address of a range of Pods: the node's own on their bridge, with the usual network
/// plug-ins.
fn gateway(range: &str) -> Option<String> {
    let (network, _) = range.split_once('/')?;
    Some(match network.parse().ok()? {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits().checked_add(1)?).to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits().checked_add(1)?).to_string(),
    })
}

/// Keeps the ConfigMap as the nodes are, until it is dropped. `errors` counts interruptions of the
/// watch.
pub(super) async fn publish(client: &Client, errors: &Counter, guard: &LeaderGuard<'_>) {
    let (nodes, changed) = (RefCell::new(Nodes::default()), Notify::new());
    let path = resource("", "v1", "", "nodes", "");
    let objects = List::of(&path);
    let watching = watch(client, &objects, |event| {
        if let Event::Interrupted(error) = event {
            errors.inc();
            tracing::warn!(%error, "the watch of nodes was interrupted");
        }
        if nodes.borrow_mut().take(&event) {
            changed.notify_one();
        }
    });
    let writing = async {
        loop {
            changed.notified().await;
            sleep(SETTLE).await;
            let lines: Vec<String> = nodes.borrow().lines.values().cloned().collect();
            if let Err(error) =
                config_maps::keep(client, NODES_CONFIG_MAP, lines.into_iter(), guard).await
            {
                tracing::warn!(%error, name = NODES_CONFIG_MAP, "cannot publish the nodes");
                sleep(RETRY).await;
                changed.notify_one();
            }
        }
    };
    tokio::join!(watching, writing);
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn node(name: &str, addresses: &[&str]) -> Box<RawValue> {
        let addresses: Vec<_> = addresses
            .iter()
            .map(|address| serde_json::json!({"type": "InternalIP", "address": address}))
            .collect();
        let node =
            serde_json::json!({"metadata": {"name": name}, "status": {"addresses": addresses}});
        serde_json::value::to_raw_value(&node).unwrap()
    }

    #[test]
    fn the_gateway_of_a_nodes_pods_is_an_address_of_the_node() {
        let mut nodes = Nodes::default();
        let json = serde_json::json!({"metadata": {"name": "a"},
            "spec": {"podCIDRs": ["10.244.3.0/24", "fd00:3::/64", "x"]},
            "status": {"addresses": [{"address": "10.0.0.1"}]}});
        nodes.take(&Event::Applied(
            &serde_json::value::to_raw_value(&json).unwrap(),
        ));
        let lines: Vec<_> = nodes.lines.values().cloned().collect();
        assert_eq!(lines, ["a 10.0.0.1 10.244.3.1 fd00:3::1"]);
    }

    #[test]
    fn only_what_changes_is_written() {
        let mut nodes = Nodes::default();
        let (a, b) = (node("a", &["10.0.0.1", "a", "fd00::1"]), node("b", &[]));
        let moved = node("a", &["10.0.0.2"]);
        assert!(!nodes.take(&Event::Listing));
        assert!(!nodes.take(&Event::Applied(&a)));
        assert!(!nodes.take(&Event::Applied(&b)));
        assert!(nodes.take(&Event::Listed));
        let lines: Vec<_> = nodes.lines.values().cloned().collect();
        assert_eq!(lines, ["a 10.0.0.1 fd00::1", "b"]);
        assert!(!nodes.take(&Event::Applied(&a)), "a heartbeat");
        assert!(nodes.take(&Event::Applied(&moved)));
        assert!(nodes.take(&Event::Deleted(&b)));
        assert!(!nodes.take(&Event::Listing));
        assert!(nodes.take(&Event::Listed), "all are gone");
        assert!(nodes.lines.is_empty());
    }
}

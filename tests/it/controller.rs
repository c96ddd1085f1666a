//! The controller against an API server of the test's own: who leads, what is written, and what is left alone.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::store::Store;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use undock::api::connect::own_cluster;
use undock::controller::{Controller, Options};
use undock::decision::{Mode, Policy};

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/undock/leases/undock-controller";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/ci/deployments/runner";
const REPORT: &str = "/apis/openreports.io/v1alpha1/namespaces/ci/reports/undock-uid-of-runner";
const NODES: &str = "/api/v1/namespaces/undock/configmaps/undock-nodes";

/// One replica.
struct Replica {
    controller: Arc<Controller>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Replica {
    fn start(store: &Store, mode: Mode) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = store.kubeconfig(&folder);
        let policy = Policy {
            mode,
            ..Policy::default()
        };
        let controller = Arc::new(Controller::new(policy, "test".to_owned()));
        let (stop, stopping) = oneshot::channel();
        let options = Options {
            events: true,
            reports: true,
        };
        let running = Arc::clone(&controller);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let client = own_cluster(Some(&kubeconfig)).await.unwrap().unwrap();
                let stop = async {
                    let _ = stopping.await;
                };
                running.run(&client, options, stop).await;
            });
            drop(folder);
        });
        Self {
            controller,
            running: Some((stop, thread)),
        }
    }

    /// The sum of the series that begin with `name`.
    fn metric(&self, name: &str) -> f64 {
        let exposition = self.controller.metrics.encode();
        let series = exposition.lines().filter(|line| line.starts_with(name));
        series
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    fn leads(&self) -> bool {
        self.metric("undock_controller_leads ") > 0.0
    }

    fn scan(&self) -> Option<Value> {
        self.controller
            .last_scan
            .load()
            .as_ref()
            .map(|bytes| serde_json::from_slice(bytes).unwrap())
    }

    /// Tells of a change, and waits until the scan of it is over.
    fn scan_again(&self) {
        let before = self.controller.last_scan.load_full();
        self.controller.changed.notify_one();
        eventually("another scan", || {
            let now = self.controller.last_scan.load_full();
            match (&before, &now) {
                (Some(before), Some(now)) if Arc::ptr_eq(before, now) => None,
                (_, now) => now.as_ref().map(|_| ()),
            }
        });
        // What it writes follows.
        std::thread::sleep(Duration::from_secs(1));
    }

    fn stop(&mut self) {
        let (stop, thread) = self.running.take().unwrap();
        stop.send(()).unwrap();
        thread.join().unwrap();
    }
}

#[track_caller]
fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "not within a minute: {what}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn deployment(spec: Value) -> Value {
    json!({"metadata": {"generation": 1, "labels": {"team": "build"}}, "spec": {"template": {"spec": spec}}})
}

fn socket() -> Value {
    json!({"volumes": [{"name": "sock", "hostPath": {"path": "/var/run/docker.sock"}}],
           "containers": [{"name": "app", "image": "registry.example/app:1", "volumeMounts": [{"name": "sock", "mountPath": "/sock"}]}]})
}

fn clean() -> Value {
    json!({"containers": [{"name": "app", "image": "registry.example/app:1"}]})
}

/// A cluster with one Deployment on the Docker socket, in a namespace with these labels and annotations.
fn cluster(groups: &[&'static str], labels: Value, annotations: Value) -> Store {
    let store = Store::start(groups);
    store.put(
        "/api/v1/namespaces/ci",
        json!({"metadata": {"labels": labels, "annotations": annotations}}),
    );
    store.put(DEPLOYMENT, deployment(socket()));
    store
}

fn reasons(store: &Store) -> Vec<String> {
    store
        .all("/events/")
        .iter()
        .map(|event| event["reason"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_report_is_written_once_and_goes_with_the_finding() {
    let store = cluster(&["openreports.io", "wgpolicyk8s.io"], json!({}), json!({}));
    let replica = Replica::start(&store, Mode::Warn);
    let report = eventually("a report", || store.get(REPORT));
    assert_eq!(report["kind"], "Report");
    let owner = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "runner", "uid": "uid-of-runner"});
    assert_eq!(report["metadata"]["ownerReferences"], json!([owner]));
    assert_eq!(
        report["summary"],
        json!({"pass": 0, "fail": 0, "warn": 1, "error": 0, "skip": 0})
    );
    let result = &report["results"][0];
    assert_eq!(
        json!([result["rule"], result["result"], result["severity"]]),
        json!(["DKR101", "warn", "high"])
    );
    assert_eq!(
        (&result["properties"]["team"], &result["properties"]["mode"]),
        (&json!("build"), &json!("warn"))
    );
    assert!(
        result["message"]
            .as_str()
            .unwrap()
            .ends_with("[would deny]"),
        "{result}"
    );
    let scan = eventually("the scan is kept", || replica.scan());
    assert_eq!(
        (&scan["schema"], &scan["summary"]["denied"], &scan["mode"]),
        (&json!("undock.scan/v1"), &json!(1), &json!("enforce"))
    );

    replica.scan_again();
    assert_eq!(
        store.writes("reports").len(),
        1,
        "{:?}",
        store.writes("reports")
    );
    // Somebody edits it: it is put right, with the version that was read.
    let mut edited = report.clone();
    edited["results"] = json!([]);
    store.put(REPORT, edited);
    replica.scan_again();
    assert_eq!(store.get(REPORT).unwrap()["results"][0]["rule"], "DKR101");
    store.put(DEPLOYMENT, deployment(clean()));
    replica.scan_again();
    assert_eq!(store.get(REPORT), None);
    let verbs: Vec<_> = store
        .writes("reports")
        .iter()
        .map(|write| write.split_once(' ').unwrap().0.to_owned())
        .collect();
    assert_eq!(verbs, ["POST", "PUT", "DELETE"]);
    assert_eq!(replica.metric("undock_owners{decision=\"clean\"}"), 1.0);
}

#[test]
fn the_mode_of_the_namespace_and_exemptions_are_in_the_result() {
    let until =
        json!({"exempt.undock.dev/DKR101": "until=2999-12-31; reason=moving; ref=PLAT-412"});
    let hostile = json!({"exempt.undock.dev/DKR101": "until=2999-12-31; reason=a\u{1b}[31m\nb"});
    for (mode, annotations, expected) in [
        ("enforce", json!({}), Some("fail")),
        ("warn", json!({}), Some("warn")),
        ("audit", json!({}), Some("warn")),
        ("enforce", until, Some("skip")),
        ("enforce", hostile, Some("skip")),
        ("off", json!({}), None),
    ] {
        let store = cluster(
            &["openreports.io"],
            json!({"undock.dev/mode": mode}),
            annotations,
        );
        let replica = Replica::start(&store, Mode::Warn);
        eventually("a scan", || replica.scan());
        std::thread::sleep(Duration::from_millis(500));
        let report = store.get(REPORT);
        let result = report
            .as_ref()
            .map(|report| report["results"][0]["result"].as_str().unwrap());
        assert_eq!(result, expected, "{mode}");
        let text = report.map_or_else(String::new, |report| report["results"].to_string());
        assert!(!text.contains("\\u001b") && !text.contains("\\n"), "{text}");
    }
}

#[test]
fn the_older_api_is_used_where_it_is_the_only_one() {
    let store = cluster(&["wgpolicyk8s.io"], json!({}), json!({}));
    let replica = Replica::start(&store, Mode::Warn);
    let path = "/apis/wgpolicyk8s.io/v1alpha2/namespaces/ci/policyreports/undock-uid-of-runner";
    let report = eventually("a report", || store.get(path));
    assert_eq!(
        (&report["kind"], &report["source"]),
        (&json!("PolicyReport"), &Value::Null)
    );
    replica.scan_again();
    assert_eq!(store.writes("reports").len(), 1);
}

#[test]
fn nothing_is_written_where_no_api_for_reports_is() {
    let store = cluster(&[], json!({}), json!({}));
    let replica = Replica::start(&store, Mode::Warn);
    eventually("a scan", || replica.scan());
    replica.scan_again();
    assert!(
        store
            .writes("")
            .iter()
            .all(|write| write.contains("/leases") || write.contains("/configmaps")),
        "{:?}",
        store.writes("")
    );
    assert_eq!(replica.metric("undock_scan_errors_total"), 0.0);
    assert_eq!(
        replica
            .metric("undock_controller_writes_total{object=\"report\",outcome=\"not-installed\"}"),
        2.0
    );
}

#[test]
fn events_tell_what_changes_and_not_what_stands() {
    let store = cluster(
        &["openreports.io"],
        json!({"undock.dev/mode": "warn"}),
        json!({}),
    );
    let replica = Replica::start(&store, Mode::Warn);
    eventually("a report", || store.get(REPORT));
    replica.scan_again();
    assert_eq!(
        reasons(&store),
        [""; 0],
        "what stood there is in the report"
    );
    store.put(
        "/api/v1/namespaces/ci",
        json!({"metadata": {"labels": {"undock.dev/mode": "enforce"}}}),
    );
    replica.scan_again();
    assert_eq!(reasons(&store), ["DockerDependencyBlocked"]);
    let event = &store.all("/events/")[0];
    assert_eq!(
        (
            &event["type"],
            &event["action"],
            &event["regarding"]["kind"]
        ),
        (&json!("Warning"), &json!("DKR101"), &json!("Deployment"))
    );
    assert_eq!(event["regarding"]["uid"], "uid-of-runner");
    replica.scan_again();
    assert_eq!(store.writes("/events/").len(), 1);
    store.put(DEPLOYMENT, deployment(clean()));
    replica.scan_again();
    let mut told = reasons(&store);
    told.sort();
    assert_eq!(told, ["DockerDependencyBlocked", "DockerDependencyFixed"]);
}

#[test]
fn events_tell_how_exemptions_end() {
    let day = |days: i64| {
        jiff::Zoned::now()
            .date()
            .saturating_add(jiff::Span::new().days(days))
    };
    let namespace = |until: jiff::civil::Date| {
        let terms = format!("until={until}; reason=moving");
        json!({"metadata": {"labels": {"undock.dev/mode": "enforce"}, "annotations": {"exempt.undock.dev/DKR101": terms}}})
    };
    let store = cluster(&[], json!({}), json!({}));
    store.put("/api/v1/namespaces/ci", namespace(day(100)));
    let replica = Replica::start(&store, Mode::Warn);
    eventually("a scan", || replica.scan());
    let mut told = Vec::new();
    for (days, expected) in [
        (60, None),
        (10, Some("DockerExemptionExpiring Normal exempt until ")),
        (9, None),
        (2, Some("DockerExemptionExpiring Warning")),
        (
            -2,
            Some("DockerExemptionExpired Warning DKR101 volume \"sock\" mounts "),
        ),
    ] {
        store.put("/api/v1/namespaces/ci", namespace(day(days)));
        replica.scan_again();
        let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        let events = store.all("/events/").into_iter();
        let events = events.map(|event| {
            format!(
                "{} {} {}",
                text(&event, "reason"),
                text(&event, "type"),
                text(&event, "note")
            )
        });
        let new: Vec<_> = events.filter(|event| !told.contains(event)).collect();
        match expected {
            None => assert!(new.is_empty(), "{days}: {new:?}"),
            Some(words) => assert!(
                new.len() == 1 && new[0].starts_with(words),
                "{days}: {new:?}"
            ),
        }
        told.extend(new);
    }
}

#[test]
fn one_replica_leads_and_the_next_one_follows_at_once_when_it_stops() {
    let store = cluster(&["openreports.io"], json!({}), json!({}));
    let mut first = Replica::start(&store, Mode::Warn);
    eventually("the first leads", || first.leads().then_some(()));
    let second = Replica::start(&store, Mode::Warn);
    eventually("a report", || store.get(REPORT));
    std::thread::sleep(Duration::from_secs(5));
    assert!(first.leads() && !second.leads() && second.scan().is_none());
    let began = Instant::now();
    first.stop();
    eventually("the second leads", || second.leads().then_some(()));
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "the Lease was given back: {:?}",
        began.elapsed()
    );
    assert!(
        !first.leads() && first.scan().is_none(),
        "what it knew is not its to tell any more"
    );
    eventually("the second has scanned", || second.scan());
    assert_eq!(
        store.writes("reports").len(),
        1,
        "what stands there is left alone"
    );
    assert_eq!(store.get(LEASE).unwrap()["spec"]["leaseTransitions"], 1);
}

#[test]
fn a_holder_that_vanished_is_waited_for_and_one_that_takes_over_is_obeyed() {
    let store = cluster(&["openreports.io"], json!({}), json!({}));
    let lease = |holder: &str| json!({"metadata": {}, "spec": {"holderIdentity": holder, "leaseDurationSeconds": 6}});
    store.put(LEASE, lease("gone"));
    let began = Instant::now();
    let replica = Replica::start(&store, Mode::Warn);
    eventually("it leads", || replica.leads().then_some(()));
    assert!(
        began.elapsed() > Duration::from_secs(6),
        "its time had not run out: {:?}",
        began.elapsed()
    );
    eventually("a report", || store.get(REPORT));
    // By what right is not asked.
    store.put(LEASE, lease("other"));
    let began = Instant::now();
    eventually("it leads no more", || (!replica.leads()).then_some(()));
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "others may write by then: {:?}",
        began.elapsed()
    );
    assert!(replica.scan().is_none());
}

#[test]
fn without_the_lease_nothing_is_scanned_and_the_stop_is_prompt() {
    let store = cluster(&["openreports.io"], json!({}), json!({}));
    store.forbid(&["GET /apis/coordination"]);
    let mut replica = Replica::start(&store, Mode::Warn);
    eventually("it is counted", || {
        (replica.metric("undock_controller_writes_total{object=\"lease\"") > 0.0).then_some(())
    });
    assert!(replica.scan().is_none() && store.writes("").is_empty());
    let began = Instant::now();
    replica.stop();
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn what_may_not_be_written_is_tried_once_in_a_scan() {
    let store = cluster(&["openreports.io"], json!({}), json!({}));
    for number in 0..20 {
        store.put(
            &format!("/apis/apps/v1/namespaces/ci/deployments/more-{number}"),
            deployment(socket()),
        );
    }
    store.forbid(&["POST /apis/openreports.io"]);
    let replica = Replica::start(&store, Mode::Warn);
    let forbidden = "undock_controller_writes_total{object=\"report\",outcome=\"forbidden\"}";
    eventually("it is counted", || {
        (replica.metric(forbidden) > 0.0).then_some(())
    });
    replica.scan_again();
    assert_eq!(replica.metric(forbidden), 2.0);
    store.forbid(&[]);
    replica.scan_again();
    assert_eq!(store.all("/reports/").len(), 21);
}

#[test]
fn what_could_not_be_read_is_not_taken_for_gone() {
    let store = cluster(&["openreports.io"], json!({}), json!({}));
    let replica = Replica::start(&store, Mode::Warn);
    eventually("a report", || store.get(REPORT));
    store.forbid(&["GET /apis/apps/v1/deployments"]);
    replica.scan_again();
    assert!(store.get(REPORT).is_some());
    assert_eq!(
        replica.metric("undock_scan_errors_total{reason=\"forbidden\"}"),
        1.0
    );
    // Without namespaces neither modes nor exemptions are known.
    store.forbid(&["GET /api/v1/namespaces"]);
    store.remove(REPORT);
    replica.scan_again();
    assert_eq!(store.get(REPORT), None);
    assert_eq!(reasons(&store), [""; 0]);
    store.forbid(&[]);
    replica.scan_again();
    assert!(store.get(REPORT).is_some());
    assert_eq!(reasons(&store), [""; 0], "nothing has changed");
}

#[test]
fn a_namespace_that_is_made_again_without_its_mode_is_told() {
    const NAMESPACE: &str = "/api/v1/namespaces/ci";
    let labels = json!({"undock.dev/mode": "enforce"});
    let store = cluster(&[], labels, json!({}));
    let mut first = Replica::start(&store, Mode::Warn);
    eventually("a scan", || first.scan());
    let kept = "/api/v1/namespaces/undock/configmaps/undock-namespaces";
    let list = eventually("the mode is kept", || store.get(kept))["data"]["list"].clone();
    assert_eq!(list, "ci uid-of-ci enforce\n");
    // While no controller runs.
    first.stop();
    store.put(
        NAMESPACE,
        json!({"metadata": {"uid": "another", "labels": {}}}),
    );
    let second = Replica::start(&store, Mode::Warn);
    eventually("a scan", || second.scan());
    let lost = || {
        let mut events = store.all("/events/").into_iter();
        events.find(|event| event["reason"] == "DockerModeLost")
    };
    let event = eventually("an Event", lost);
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["metadata"]["namespace"], "default");
    assert_eq!(event["regarding"]["uid"], "another");
    let note = event["note"].as_str().unwrap();
    assert!(note.contains("undock.dev/mode=enforce"), "{note}");
    second.scan_again();
    let again = reasons(&store)
        .into_iter()
        .filter(|reason| reason == "DockerModeLost");
    assert_eq!(again.count(), 1);
}

#[test]
fn nodes_are_published_and_written_only_when_they_change() {
    let store = cluster(&[], json!({}), json!({}));
    let node = |address: &str| {
        json!({"metadata": {}, "status": {"addresses": [
            {"type": "InternalIP", "address": address}, {"type": "Hostname", "address": "node-a"}]}})
    };
    store.put("/api/v1/nodes/node-a", node("10.0.0.1"));
    let mut replica = Replica::start(&store, Mode::Warn);
    let list = |map: Value| map["data"]["list"].as_str().unwrap().to_owned();
    let map = eventually("the nodes", || store.get(NODES));
    assert_eq!(list(map), "node-a 10.0.0.1\n");
    replica.stop();
    let mut replica = Replica::start(&store, Mode::Warn);
    eventually("a scan", || replica.scan());
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(store.writes(NODES).len(), 1, "{:?}", store.writes(NODES));
    replica.stop();
    store.put("/api/v1/nodes/node-a", node("10.0.0.2"));
    let _replica = Replica::start(&store, Mode::Warn);
    eventually("the new address", || {
        (list(store.get(NODES)?) == "node-a 10.0.0.2\n").then_some(())
    });
}

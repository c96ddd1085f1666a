//! The kubelet's part, for the Pods of undock alone: bind, run, probe, report, stop.
//!
//! Everything else about those Pods is real. The Deployment is rolled out and the Service's endpoints are kept
//! by kube-controller-manager, so what is tested is what the shipped manifests say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::kubectl::Kubectl;
use crate::pod_process::PodProcess;
use crate::process::{eventually, say, tail};

/// The namespace that undock is installed in.
pub(crate) const NAMESPACE: &str = "undock";

const NODE: &str = "node-a";

/// Runs the Pods of namespace `undock` as processes.
#[derive(Clone)]
pub(crate) struct Kubelet(Arc<Node>);

struct Node {
    kubectl: Kubectl,
    folder: PathBuf,
    /// By name. Pods that are gone stay out of it, their log files stay on disk.
    pods: Mutex<BTreeMap<String, Pod>>,
    /// The last byte of the address that the next Pod gets.
    next_address: Mutex<u8>,
}

type Pod = Arc<Mutex<PodProcess>>;

impl Kubelet {
    /// Registers a node and follows the namespace in the background until the process ends.
    pub(crate) fn start(kubectl: Kubectl, root: &Path) -> Self {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}});
        kubectl.run_with("create -f -", &node).assert_accepted();
        let folder = root.join("pods");
        fs::create_dir(&folder).expect("the folder of the run is writable");
        let kubelet = Self(Arc::new(Node {
            kubectl,
            folder,
            pods: Mutex::default(),
            next_address: Mutex::new(2),
        }));
        let follower = kubelet.clone();
        thread::spawn(move || follower.follow());
        kubelet
    }

    /// All records that undock has written, of Pods that are gone too.
    pub(crate) fn records(&self) -> Vec<Value> {
        let stdouts = self
            .pod_folders()
            .into_iter()
            .map(|folder| folder.join("stdout"));
        let texts: Vec<String> = stdouts
            .filter_map(|file| fs::read_to_string(file).ok())
            .collect();
        // What follows the last line break is still being written.
        let complete = texts
            .iter()
            .filter_map(|text| text.rsplit_once('\n'))
            .flat_map(|(lines, _)| lines.lines());
        complete
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|_| panic!("not a record: {line}"))
            })
            .collect()
    }

    /// The sum of a counter, per Pod of the webhook that runs now.
    pub(crate) fn counters(&self, name: &str) -> Vec<f64> {
        let counters = self
            .running()
            .into_iter()
            .map(|pod| lock(&pod).counter(name));
        counters
            .map(|counter| counter.expect("a running Pod answers on its admin port"))
            .collect()
    }

    /// The most memory that each running Pod of the webhook has had, in MB.
    pub(crate) fn peak_memories(&self) -> Vec<f64> {
        let pods = self.running();
        pods.iter().map(|pod| lock(pod).peak_memory()).collect()
    }

    /// The sum of a counter, per Pod of the controller that runs now and answers.
    pub(crate) fn controller_counters(&self, name: &str) -> Vec<f64> {
        let pods: Vec<_> = lock(&self.0.pods).values().cloned().collect();
        let counters = pods
            .iter()
            .filter(|pod| !lock(pod).is_webhook())
            .filter_map(|pod| lock(pod).counter(name).ok());
        counters.collect()
    }

    /// The certificates that the running Pods show, in PEM.
    pub(crate) fn certificates(&self) -> Vec<String> {
        self.running()
            .iter()
            .map(|pod| lock(pod).certificate().unwrap_or_default())
            .collect()
    }

    /// The Pod that leads the controller, by name, if there is exactly one.
    pub(crate) fn controller(&self) -> Result<(String, Arc<Mutex<PodProcess>>), String> {
        let pods: Vec<_> = lock(&self.0.pods)
            .iter()
            .map(|(name, pod)| (name.clone(), Arc::clone(pod)))
            .collect();
        let leads = |pod: &Pod| {
            lock(pod)
                .counter("undock_controller_leads ")
                .unwrap_or_default()
                > 0.0
        };
        let mut leading: Vec<_> = pods.into_iter().filter(|(_, pod)| leads(pod)).collect();
        match leading.len() {
            1 => Ok(leading.remove(0)),
            count => Err(format!("{count} Pods lead")),
        }
    }

    /// What each running Pod answers to a review.
    pub(crate) fn review(&self, review: &Value) -> Vec<Result<Value, String>> {
        self.running()
            .iter()
            .map(|pod| lock(pod).review(review))
            .collect()
    }

    /// Kills every process and leaves the Pods as they are: the endpoints still say ready.
    pub(crate) fn crash_all(&self) {
        self.running().iter().for_each(|pod| lock(pod).kill());
    }

    /// Starts them again, as a kubelet does after a crash, and waits until they are ready.
    pub(crate) fn restart_all(&self) {
        for pod in self.running() {
            lock(&pod).start();
            eventually("undock is ready again", Duration::from_secs(20), || {
                lock(&pod).ready()
            });
        }
    }

    /// Brings the volumes of all Pods up to date, which a kubelet does within a minute of a change.
    pub(crate) fn refresh_volumes(&self) {
        for pod in self.running() {
            lock(&pod)
                .refresh_volumes(&self.0.kubectl)
                .expect("the Secret and the ConfigMap are there");
        }
    }

    /// What the Pods logged lately, for a failure message.
    pub(crate) fn logs(&self) -> String {
        let log = |folder: PathBuf| {
            format!(
                "{}:\n{}\n",
                folder.display(),
                tail(&folder.join("stderr"), 20)
            )
        };
        self.pod_folders().into_iter().map(log).collect()
    }

    /// The Pods of the webhook that run now.
    fn running(&self) -> Vec<Pod> {
        let pods = lock(&self.0.pods).values().cloned().collect::<Vec<_>>();
        pods.into_iter()
            .filter(|pod| lock(pod).is_webhook())
            .collect()
    }

    fn pod_folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0.folder).expect("the folder of the Pods is there");
        entries
            .map(|entry| entry.expect("the folder of the Pods can be read").path())
            .collect()
    }

    /// Acts on every change of a Pod, for ever: the API server ends a watch after a while.
    fn follow(&self) {
        loop {
            let mut watch = self.0.kubectl.command([
                "get",
                "pods",
                "--namespace",
                NAMESPACE,
                "--watch",
                "--output-watch-events",
                "--output=json",
            ]);
            let mut watch = watch
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("kubectl starts");
            let stdout = watch.stdout.take().expect("it was piped");
            for event in serde_json::Deserializer::from_reader(stdout).into_iter::<Value>() {
                match event {
                    Ok(event) => self.handle(&event),
                    // An event that was cut off: the next watch lists everything again.
                    Err(_) => break,
                }
            }
            let _ = watch.kill();
            let _ = watch.wait();
            // The only pause by time: it keeps a watch that fails at once from spinning.
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn handle(&self, event: &Value) {
        let pod = &event["object"];
        let Some(name) = pod["metadata"]["name"].as_str().map(str::to_owned) else {
            return;
        };
        let known = lock(&self.0.pods).get(&name).cloned();
        if event["type"] == "DELETED" {
            lock(&self.0.pods).remove(&name);
        } else if pod["metadata"]["deletionTimestamp"].is_string() {
            // Taken off the list first: the event that deleting it causes must not stop it twice.
            lock(&self.0.pods).remove(&name);
            if let Some(known) = known {
                let kubelet = self.clone();
                let grace = pod["spec"]["terminationGracePeriodSeconds"]
                    .as_u64()
                    .unwrap_or(30);
                thread::spawn(move || kubelet.stop(&name, &known, Duration::from_secs(grace)));
            }
        } else if pod["spec"]["nodeName"].is_null() {
            self.bind(&name);
        } else if known.is_none() {
            let process = PodProcess::of(pod, self.next_address(), self.0.folder.join(&name));
            fs::create_dir_all(process.folder()).expect("the folder of the Pods is writable");
            let process = Arc::new(Mutex::new(process));
            lock(&self.0.pods).insert(name.clone(), process.clone());
            let kubelet = self.clone();
            let pod = pod.clone();
            thread::spawn(move || kubelet.launch(&name, &pod, &process));
        }
    }

    /// There is no scheduler either.
    fn bind(&self, name: &str) {
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": NODE}});
        let path = format!("create --raw /api/v1/namespaces/{NAMESPACE}/pods/{name}/binding -f -");
        if let Err(reason) = self.0.kubectl.run_with(&path, &binding).accepted() {
            say(&format!("Pod {name} was not bound: {reason}"));
        }
    }

    fn launch(&self, name: &str, pod: &Value, process: &Pod) {
        let deadline = Duration::from_secs(120);
        eventually("the volumes of undock can be mounted", deadline, || {
            lock(process).refresh_volumes(&self.0.kubectl)
        });
        lock(process).write_kubeconfig(&self.0.kubectl);
        lock(process).start();
        eventually("undock is ready", Duration::from_secs(20), || {
            let mut process = lock(process);
            process.ready().map_err(|reason| {
                let state = if process.is_running() {
                    "runs"
                } else {
                    "has ended"
                };
                format!("{reason}; it {state}:\n{}", tail(&process.stderr(), 5))
            })
        });
        let status = running_status(pod, &lock(process).address);
        let words = format!("patch pod {name} -n {NAMESPACE} --subresource=status --type=merge");
        self.0.kubectl.patch(&words, &status).assert_accepted();
    }

    fn stop(&self, name: &str, process: &Pod, grace: Duration) {
        lock(process).terminate();
        let deadline = Instant::now() + grace;
        while lock(process).is_running() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        if lock(process).is_running() {
            say(&format!(
                "Pod {name} did not stop within {grace:?} and was killed"
            ));
            lock(process).kill();
        }
        self.0.kubectl.run(&format!(
            "delete pod {name} -n {NAMESPACE} --grace-period=0 --force --wait=false"
        ));
    }

    fn next_address(&self) -> String {
        let mut next = lock(&self.0.next_address);
        let address = format!("10.244.0.{next}");
        *next += 1;
        address
    }
}

/// What a kubelet reports about a Pod that runs and is ready.
fn running_status(pod: &Value, address: &str) -> Value {
    let container = &pod["spec"]["containers"][0];
    let now = &pod["metadata"]["creationTimestamp"];
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"];
    let conditions =
        conditions.map(|kind| json!({"type": kind, "status": "True", "lastTransitionTime": now}));
    json!({"status": {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions,
        "containerStatuses": [{
            "name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0,
            "ready": true, "started": true, "state": {"running": {"startedAt": now}}}]}})
}

/// A scenario that panicked must not take the later ones with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

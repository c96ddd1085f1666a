//! `manifests/`: what the overlays install agrees with the code, and nothing in them can lock a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use undock::controller::changes::watched;
use undock::controller::reports::FLAVOURS;
use undock::decision::controllers::BUILT_IN;
use undock::kinds::KINDS;
use undock::registration::{
    ADMIN_PORT, CONTROLLER as LEASE, NAMESPACE, NODES_CONFIG_MAP, PATH, SERVICE, TLS_PORT,
    WEBHOOKS, reviewed,
};

const OVERLAYS: [&str; 2] = ["overlays/warn", "overlays/enforce"];

/// The objects of an overlay by kind; those that are not simply named `undock` as `KIND/NAME`.
type Objects = BTreeMap<String, Value>;

fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests")
}

fn read(file: &Path) -> Value {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().into_iter().flatten();
    list.map(|item| {
        item.as_str()
            .unwrap_or_else(|| panic!("not a string: {item}"))
    })
    .collect()
}

/// Renders a kustomize folder as far as `manifests/` uses kustomize: resources, and patches by kind.
/// `kubectl_renders_the_same` holds it against the real one.
fn render(folder: &Path) -> Objects {
    let kustomization = read(&folder.join("kustomization.yaml"));
    let mut objects = Objects::new();
    for resource in strings(&kustomization["resources"]) {
        let path = folder.join(resource);
        if path.is_dir() {
            objects.extend(render(&path));
        } else {
            add(&mut objects, read(&path));
        }
    }
    for patch in kustomization["patches"].as_array().into_iter().flatten() {
        let patch = read(&folder.join(patch["path"].as_str().expect("patches are files")));
        let key = key(&patch);
        let object = objects
            .get_mut(&key)
            .unwrap_or_else(|| panic!("nothing to patch: {key}"));
        merge(object, patch);
    }
    objects
}

fn add(objects: &mut Objects, object: Value) {
    let key = key(&object);
    assert!(objects.insert(key, object).is_none(), "an object twice");
}

fn key(object: &Value) -> String {
    let (kind, name) = (
        object["kind"].as_str().expect("a kind"),
        object["metadata"]["name"].as_str().expect("a name"),
    );
    if name == "undock" {
        kind.to_owned()
    } else {
        format!("{kind}/{name}")
    }
}

/// A strategic merge: maps are merged, lists of named things too, everything else is replaced.
fn merge(into: &mut Value, patch: Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(patch))
            if patch.iter().all(|item| item["name"].is_string()) =>
        {
            for item in patch {
                let named = into.iter_mut().find(|old| old["name"] == item["name"]);
                merge(named.expect("patches change what is there"), item);
            }
        }
        (into, patch) => *into = patch,
    }
}

fn overlay(name: &str) -> Objects {
    render(&manifests().join(name))
}

fn webhooks(objects: &Objects) -> &[Value] {
    objects["ValidatingWebhookConfiguration"]["webhooks"]
        .as_array()
        .expect("webhooks")
}

const CONTROLLER: &str = "Deployment/undock-controller";

/// The only container of the webhook's Deployment.
fn container(objects: &Objects) -> &Value {
    container_of(objects, "Deployment")
}

fn container_of<'o>(objects: &'o Objects, deployment: &str) -> &'o Value {
    let containers = &objects[deployment]["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers.as_array().map(Vec::len), Some(1));
    &containers[0]
}

#[test]
fn the_api_server_asks_for_exactly_what_the_code_reads() {
    let in_code: Vec<_> = WEBHOOKS
        .iter()
        .map(|webhook| {
            let own = reviewed().filter(|reviewed| reviewed.webhook == *webhook);
            let asked = own.flat_map(|own| {
                let operations = own.operations.iter();
                operations.map(move |operation| (own.group, own.version, own.resource, *operation))
            });
            (*webhook, asked.collect::<BTreeSet<_>>())
        })
        .collect();
    for name in OVERLAYS {
        let objects = overlay(name);
        let in_manifest: Vec<_> = webhooks(&objects)
            .iter()
            .map(|webhook| {
                let mut asked = BTreeSet::new();
                for rule in webhook["rules"].as_array().expect("rules") {
                    for group in strings(&rule["apiGroups"]) {
                        for version in strings(&rule["apiVersions"]) {
                            for resource in strings(&rule["resources"]) {
                                let operations = strings(&rule["operations"]);
                                asked.extend(
                                    operations
                                        .iter()
                                        .map(|operation| (group, version, resource, *operation)),
                                );
                            }
                        }
                    }
                }
                (webhook["name"].as_str().expect("a name"), asked)
            })
            .collect();
        assert_eq!(in_manifest, in_code, "{name}");
    }
}

#[test]
fn every_webhook_calls_the_service_and_has_no_side_effects() {
    for name in OVERLAYS {
        let objects = overlay(name);
        assert_eq!(
            objects["ValidatingWebhookConfiguration"]["metadata"]["name"],
            "undock"
        );
        for webhook in webhooks(&objects) {
            let service =
                json!({"namespace": NAMESPACE, "name": SERVICE, "path": PATH, "port": 443});
            // Without caBundle: applying the manifests again must not remove what was written there.
            assert_eq!(
                webhook["clientConfig"],
                json!({"service": service}),
                "{name}"
            );
            assert_eq!(webhook["admissionReviewVersions"], json!(["v1", "v1beta1"]));
            assert_eq!(webhook["sideEffects"], "None");
            assert_eq!(webhook["matchPolicy"], "Equivalent");
            assert_eq!(webhook["timeoutSeconds"], 5);
        }
    }
}

#[test]
fn only_pods_fail_closed_and_never_where_undock_or_the_system_starts() {
    for (name, pods, excluded) in [
        ("overlays/warn", "Ignore", &["undock"][..]),
        ("overlays/enforce", "Fail", &["undock", "kube-system"]),
    ] {
        let objects = overlay(name);
        let selector = json!({"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": excluded},
        ]});
        let expected = json!([
            ["pods.undock.dev", pods, &selector],
            ["workloads.undock.dev", "Ignore", &selector],
            ["namespaces.undock.dev", "Ignore", null],
        ]);
        let actual: Vec<_> = webhooks(&objects)
            .iter()
            .map(|webhook| {
                json!([
                    webhook["name"],
                    webhook["failurePolicy"],
                    webhook["namespaceSelector"]
                ])
            })
            .collect();
        assert_eq!(json!(actual), expected, "{name}");
    }
}

#[test]
fn the_mode_is_set_in_one_place() {
    for (name, mode) in [("overlays/warn", "warn"), ("overlays/enforce", "enforce")] {
        let objects = overlay(name);
        let file = objects["ConfigMap"]["data"]["undock.yaml"]
            .as_str()
            .expect("the configuration file");
        let configuration: Value = serde_saphyr::from_str(file).expect("YAML");
        assert_eq!(configuration, json!({"mode": mode}), "{name}");
        for deployment in ["Deployment", CONTROLLER] {
            let arguments = strings(&container_of(&objects, deployment)["args"]);
            assert!(
                !arguments
                    .iter()
                    .any(|argument| argument.starts_with("--mode")),
                "a flag would win"
            );
        }
    }
}

#[test]
fn the_server_finds_its_ports_and_files() {
    let objects = overlay("overlays/warn");
    let container = container(&objects);
    assert_eq!(
        strings(&container["args"]),
        [
            "serve",
            &format!("--listen=0.0.0.0:{TLS_PORT}"),
            &format!("--admin-listen=0.0.0.0:{ADMIN_PORT}"),
            "--tls-cert=/etc/undock/tls/tls.crt",
            "--tls-key=/etc/undock/tls/tls.key",
            "--config=/etc/undock/config/undock.yaml",
        ]
    );
    assert_eq!(
        container["ports"],
        json!([{"name": "https", "containerPort": TLS_PORT}, {"name": "admin", "containerPort": ADMIN_PORT}])
    );
    for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
        assert_eq!(
            container[probe]["httpGet"],
            json!({"path": path, "port": "admin"})
        );
    }
    // Whole folders: a file that is mounted by subPath never changes, and certificates must.
    assert_eq!(
        container["volumeMounts"],
        json!([
            {"name": "tls", "mountPath": "/etc/undock/tls", "readOnly": true},
            {"name": "config", "mountPath": "/etc/undock/config", "readOnly": true},
        ])
    );
    let pod = &objects["Deployment"]["spec"]["template"]["spec"];
    assert_eq!(
        pod["volumes"],
        json!([
            {"name": "tls", "secret": {"secretName": "undock-tls"}},
            {"name": "config", "configMap": {"name": objects["ConfigMap"]["metadata"]["name"]}},
        ])
    );
    // With service links UNDOCK_PORT would be in the environment, where undock looks for its flags.
    assert_eq!(pod["enableServiceLinks"], false);
    assert_eq!(
        container["image"],
        format!("undock:{}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_service_and_the_budget_find_the_pods() {
    let objects = overlay("overlays/warn");
    let deployment = &objects["Deployment"]["spec"];
    let labels = &deployment["template"]["metadata"]["labels"];
    assert_eq!(labels, &json!({"app.kubernetes.io/name": "undock"}));
    assert_eq!(&deployment["selector"]["matchLabels"], labels);
    for constraint in deployment["template"]["spec"]["topologySpreadConstraints"]
        .as_array()
        .expect("spread")
    {
        assert_eq!(&constraint["labelSelector"]["matchLabels"], labels);
        assert_eq!(constraint["whenUnsatisfiable"], "ScheduleAnyway");
    }

    let service = &objects["Service"];
    assert_eq!(service["metadata"]["name"], SERVICE);
    assert_eq!(&service["spec"]["selector"], labels);
    assert_eq!(
        service["spec"]["ports"],
        json!([{"name": "https", "port": 443, "targetPort": "https"}])
    );

    let budget = &objects["PodDisruptionBudget"]["spec"];
    assert_eq!(&budget["selector"]["matchLabels"], labels);
    let replicas = deployment["replicas"].as_u64().expect("replicas");
    assert!(
        budget["minAvailable"].as_u64().expect("minAvailable") < replicas,
        "a node can be drained"
    );

    assert_eq!(objects["Namespace"]["metadata"]["name"], NAMESPACE);
    for kind in [
        "ConfigMap",
        "Deployment",
        "PodDisruptionBudget",
        "Role",
        "RoleBinding",
        "Service",
        "ServiceAccount",
    ] {
        assert_eq!(objects[kind]["metadata"]["namespace"], NAMESPACE, "{kind}");
    }
}

/// A probe that begins right after the process hung fails when its time is over, and so do those that follow.
#[test]
fn a_webhook_that_hangs_is_out_within_six_seconds() {
    let objects = overlay("overlays/warn");
    let probe = &container(&objects)["readinessProbe"];
    let number = |field: &str| probe[field].as_u64().expect("a number");
    let out = number("periodSeconds") * number("failureThreshold") + number("timeoutSeconds");
    assert!(out <= 6, "{probe}");
}

#[test]
fn the_pods_are_restricted() {
    let objects = overlay("overlays/warn");
    let user = 65532;
    for (deployment, account) in [
        ("Deployment", "ServiceAccount"),
        (CONTROLLER, "ServiceAccount/undock-controller"),
    ] {
        let pod = &objects[deployment]["spec"]["template"]["spec"];
        assert_eq!(
            pod["securityContext"],
            json!({
                "runAsNonRoot": true, "runAsUser": user, "runAsGroup": user, "seccompProfile": {"type": "RuntimeDefault"},
            })
        );
        let container = container_of(&objects, deployment);
        assert_eq!(
            container["securityContext"],
            json!({
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
            })
        );
        assert_eq!(
            container["resources"]["limits"],
            json!({"memory": "256Mi"}),
            "no CPU limit"
        );
        assert_eq!(
            pod["serviceAccountName"],
            objects[account]["metadata"]["name"]
        );
        assert_eq!(pod["enableServiceLinks"], false);
    }
    let containerfile =
        fs::read_to_string(manifests().with_file_name("Containerfile")).expect("Containerfile");
    assert!(containerfile.contains(&format!("\nUSER {user}:{user}\n")));
}

#[test]
fn the_controller_is_apart_from_the_webhook() {
    let objects = overlay("overlays/warn");
    let controller = container_of(&objects, CONTROLLER);
    assert_eq!(
        strings(&controller["args"]),
        [
            "controller",
            &format!("--admin-listen=0.0.0.0:{ADMIN_PORT}"),
            "--config=/etc/undock/config/undock.yaml",
            "--policy-reports",
        ]
    );
    assert_eq!(controller["image"], container(&objects)["image"]);
    // Neither the Service nor the budget of the webhook may find its Pods.
    let labels = &objects[CONTROLLER]["spec"]["template"]["metadata"]["labels"];
    assert_eq!(
        labels,
        &json!({"app.kubernetes.io/name": "undock-controller"})
    );
    assert_eq!(
        &objects[CONTROLLER]["spec"]["selector"]["matchLabels"],
        labels
    );
}

/// What a role allows: group, resource, verb.
fn allowed(role: &Value) -> BTreeSet<(String, String, String)> {
    let mut allowed = BTreeSet::new();
    for rule in role["rules"].as_array().expect("rules") {
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                allowed.extend(
                    strings(&rule["verbs"])
                        .iter()
                        .map(|verb| (group.to_owned(), resource.to_owned(), (*verb).to_owned())),
                );
            }
        }
    }
    allowed
}

/// The rights that are needed, as [`allowed`] gives them.
#[derive(Default)]
struct Needed(BTreeSet<(String, String, String)>);

impl Needed {
    fn add(&mut self, group: &str, resource: &str, verbs: &[&str]) {
        let rights = verbs
            .iter()
            .map(|verb| (group.to_owned(), resource.to_owned(), (*verb).to_owned()));
        self.0.extend(rights);
    }
}

#[test]
fn metrics_and_report_have_readers_and_undock_may_check_them() {
    let objects = overlay("overlays/warn");
    for (role, path) in [
        ("ClusterRole/undock-metrics-reader", "/metrics"),
        ("ClusterRole/undock-report-reader", "/report"),
    ] {
        let rules = json!([{"nonResourceURLs": [path], "verbs": ["get"]}]);
        assert_eq!(objects[role]["rules"], rules);
    }
    let binding = &objects["ClusterRoleBinding/undock-auth-delegator"];
    assert_eq!(binding["roleRef"]["name"], "system:auth-delegator");
    let account =
        |name: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE});
    let both = json!([account("undock"), account("undock-controller")]);
    assert_eq!(binding["subjects"], both);
}

#[test]
fn the_network_policy_lets_reviews_in_and_guards_the_admin_port() {
    let objects = overlay("overlays/enforce");
    let policy = &objects["NetworkPolicy"]["spec"];
    let labels = &objects["Deployment"]["spec"]["template"]["metadata"]["labels"];
    let selected = strings(&policy["podSelector"]["matchExpressions"][0]["values"]);
    assert!(selected.contains(&labels["app.kubernetes.io/name"].as_str().expect("a label")));
    assert_eq!(policy["policyTypes"], json!(["Ingress"]));
    let ports = container(&objects)["ports"].as_array().expect("ports");
    let rules = policy["ingress"].as_array().expect("rules");
    for rule in rules {
        let port = &rule["ports"][0]["port"];
        assert!(ports.iter().any(|known| known["name"] == *port), "{port}");
        // The API server has no label; everybody else is named.
        assert_eq!(rule.get("from").is_none(), port == "https", "{rule}");
    }
    assert_eq!(rules.len(), ports.len());
}

#[test]
fn the_webhook_may_read_what_reviews_need_and_nothing_else() {
    let objects = overlay("overlays/enforce");
    let mut needed = Needed::default();
    for resource in ["namespaces", "persistentvolumes", "persistentvolumeclaims"] {
        needed.add("", resource, &["list", "watch"]);
    }
    for kind in KINDS.iter().filter(|kind| kind.is_rehearsed) {
        needed.add(kind.group, kind.plural, &["list"]);
    }
    for controller in &BUILT_IN {
        let kind = controller.kind();
        needed.add(kind.group, kind.plural, &["get"]);
    }
    assert_eq!(allowed(&objects["ClusterRole"]), needed.0);
    let expected = json!([
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [NODES_CONFIG_MAP], "verbs": ["list", "watch"]},
    ]);
    assert_eq!(objects["Role"]["rules"], expected);
}

#[test]
fn the_controller_may_do_what_it_does_and_nothing_else() {
    let objects = overlay("overlays/enforce");
    let mut needed = Needed::default();
    needed.add("", "nodes", &["list", "watch"]);
    for kind in watched() {
        needed.add(kind.group, kind.plural, &["list", "watch"]);
    }
    needed.add("events.k8s.io", "events", &["create"]);
    for flavour in &FLAVOURS {
        for (resource, _) in flavour.resources {
            let verbs = ["create", "delete", "list", "update"];
            needed.add(flavour.group, resource, &verbs);
        }
    }
    assert_eq!(allowed(&objects["ClusterRole/undock-controller"]), needed.0);
    let group = json!(["coordination.k8s.io"]);
    let kept = json!(["undock-namespaces", NODES_CONFIG_MAP]);
    let expected = json!([
        {"apiGroups": group, "resources": ["leases"], "verbs": ["create"]},
        {"apiGroups": group, "resources": ["leases"], "resourceNames": [LEASE], "verbs": ["get", "update"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": kept, "verbs": ["get", "update"]},
    ]);
    assert_eq!(objects["Role/undock-controller"]["rules"], expected);
}

/// The role of undock scan is tested beside the scan.
#[test]
fn each_account_has_its_own_roles() {
    let objects = overlay("overlays/enforce");
    for (binding, role, account) in [
        ("ClusterRoleBinding", "undock", "undock"),
        ("RoleBinding", "undock", "undock"),
        (
            "ClusterRoleBinding/undock-controller",
            "undock-controller",
            "undock-controller",
        ),
        (
            "ClusterRoleBinding/undock-controller-scan",
            "undock-scan",
            "undock-controller",
        ),
        (
            "RoleBinding/undock-controller",
            "undock-controller",
            "undock-controller",
        ),
    ] {
        assert_eq!(objects[binding]["roleRef"]["name"], role);
        assert_eq!(
            objects[binding]["subjects"],
            json!([{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}])
        );
    }
    let bindings = objects.keys().filter(|key| key.contains("Binding"));
    // One more lets both ask about tokens; it is tested above.
    assert_eq!(bindings.count(), 6);
}

#[test]
fn events_are_written_only_where_writes_are_refused() {
    let environment =
        |overlay_name: &str| container_of(&overlay(overlay_name), CONTROLLER)["env"].clone();
    assert_eq!(environment("overlays/warn"), Value::Null);
    assert_eq!(
        environment("overlays/enforce"),
        json!([{"name": "UNDOCK_EVENTS", "value": "true"}])
    );
}

/// Without these, reviews of many large shapes, one after the other, reach the memory limit: 341 MB
/// with the default thresholds, which grow with each block that is freed, 177 MB with these.
#[test]
fn large_blocks_are_given_back_at_once() {
    for name in OVERLAYS {
        let environment = container(&overlay(name))["env"].clone();
        let value = |name: &str| {
            let variables = environment.as_array().expect("a list").iter();
            let mut found = variables.filter(|variable| variable["name"] == name);
            found.next().and_then(|variable| variable["value"].as_str())
        };
        assert_eq!(value("MALLOC_ARENA_MAX"), Some("2"));
        for threshold in [
            "MALLOC_MMAP_THRESHOLD_",
            "MALLOC_TRIM_THRESHOLD_",
            "MALLOC_TOP_PAD_",
        ] {
            assert_eq!(value(threshold), Some("1048576"), "{threshold}");
        }
    }
}

#[test]
fn kubectl_renders_the_same() {
    let kubectl =
        std::env::var("KUBEBUILDER_ASSETS").map(|folder| Path::new(&folder).join("kubectl"));
    let Some(kubectl) = kubectl.ok().filter(|kubectl| kubectl.exists()) else {
        // Straight to stderr: the test harness hides what the print macros write.
        writeln!(
            std::io::stderr(),
            "SKIPPED: rendering manifests/ with kubectl, because KUBEBUILDER_ASSETS has none"
        )
        .expect("stderr");
        return;
    };
    for name in OVERLAYS {
        let output = Command::new(&kubectl)
            .arg("kustomize")
            .arg(manifests().join(name))
            .output()
            .expect("kubectl runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let mut rendered = Objects::new();
        for document in text.split("\n---\n") {
            add(
                &mut rendered,
                serde_saphyr::from_str(document).expect("YAML"),
            );
        }
        assert_eq!(rendered, overlay(name), "{name}");
    }
}

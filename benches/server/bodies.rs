//! The reviews that are posted, as kube-apiserver encodes them: compact, keys in the order of Go's structs, `<`, `>`
//! and `&` escaped, `managedFields` for all that is set.

use std::fmt::Write as _;
use std::path::Path;

#[path = "../../tests/it/support/dear.rs"]
mod dear;

/// A review to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// About 10 KB: a Pod of a Deployment with three containers.
    Clean,
    /// The same with Docker's socket mounted, by a person, under a new name each time: a record each time.
    Finding,
    /// About 68 KB: twenty containers.
    Large,
    /// One of [`dear::pods`], in the place of as much as kube-apiserver stores.
    Dear(usize),
    /// The update of an object of 3 MiB, each byte of which is written with six.
    Escaped,
    /// 8 MiB that nothing looks at.
    Padded,
}

/// As much as fits into an object beside what any object has.
const STORED: usize = 2_900_000;

/// In [`Body::Finding`], the digits of the object's name that differ in each request.
pub(crate) const SEQUENCE: &str = "00000000";

impl Body {
    pub(crate) const ALL: [Self; 3] = [Self::Clean, Self::Finding, Self::Large];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Finding => "finding",
            Self::Large => "large",
            Self::Dear(kind) => dear::pods(1_000)[kind].0,
            Self::Escaped => "escaped",
            Self::Padded => "padded",
        }
    }

    /// Those that are made to cost much.
    pub(crate) fn dear() -> Vec<Self> {
        let kinds = 0..dear::pods(1_000).len();
        kinds
            .map(Self::Dear)
            .chain([Self::Escaped, Self::Padded])
            .collect()
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = Self::ALL.into_iter().chain(Self::dear());
        all.into_iter().find(|body| body.name() == name)
    }

    /// Writes those that are made to cost much into `folder`: making one takes as long as making all.
    pub(crate) fn write_dear(folder: &Path) -> std::io::Result<()> {
        for (kind, (_, pod)) in dear::pods(STORED).iter().enumerate() {
            let text = review(&pod.to_string(), true);
            std::fs::write(folder.join(Self::Dear(kind).name()), text)?;
        }
        Ok(())
    }

    /// The AdmissionReview, which may lie in `folder`.
    pub(crate) fn review_in(self, folder: &Path) -> String {
        std::fs::read_to_string(folder.join(self.name())).unwrap_or_else(|_| self.review())
    }

    /// The AdmissionReview.
    pub(crate) fn review(self) -> String {
        let containers = match self {
            Self::Clean | Self::Finding => 3,
            Self::Large => 20,
            Self::Dear(kind) => return review(&dear::pods(STORED)[kind].1.to_string(), true),
            Self::Escaped => {
                let pod = |text: &str| {
                    let pod = dear::with_container(serde_json::json!({"args": [text]}));
                    dear::with_socket(pod).to_string().replace('<', "\\u003c")
                };
                let old = pod(&"<".repeat(STORED));
                let review = review(&old.replace("/run/docker.sock", "/run"), true);
                let review = review.replace("\"CREATE\"", "\"UPDATE\"");
                return review.replace("\"oldObject\":null", &format!("\"oldObject\":{old}"));
            }
            Self::Padded => {
                let pod = dear::with_container(serde_json::json!({"unknown": "x".repeat(8 << 20)}));
                return review(&pod.to_string(), true);
            }
        };
        review(
            &pod(
                containers,
                if self == Self::Large { 9 } else { 3 },
                self == Self::Finding,
            ),
            self == Self::Finding,
        )
    }
}

const CONTROLLER: &str = r#"{"username":"system:serviceaccount:kube-system:replicaset-controller","uid":"eb2bb62e-dc8d-464c-983e-f6d1b6b345cb","groups":["system:serviceaccounts","system:serviceaccounts:kube-system","system:authenticated"],"extra":{"authentication.kubernetes.io/credential-id":["JTI=09ff4ca6-49d7-49d0-ad95-c654c74fdad6"]}}"#;
const PERSON: &str =
    r#"{"username":"dana@shop.example","groups":["developers","system:authenticated"]}"#;

fn review(pod: &str, by_person: bool) -> String {
    let user = if by_person { PERSON } else { CONTROLLER };
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"992fd694-339d-40c6-8293-900dd4f37942","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"requestKind":{{"group":"","version":"v1","kind":"Pod"}},"requestResource":{{"group":"","version":"v1","resource":"pods"}},"namespace":"shop","operation":"CREATE","userInfo":{user},"object":{pod},"oldObject":null,"dryRun":false,"options":{{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}}}}"#
    )
}

fn pod(containers: usize, variables: usize, mounts_socket: bool) -> String {
    let names: Vec<String> = (0..containers)
        .map(|i| format!("{}-{i}", ["api", "worker", "proxy"][i % 3]))
        .collect();
    let list =
        |item: &dyn Fn(usize) -> String| (0..containers).map(item).collect::<Vec<_>>().join(",");
    let fields = list(&|i| container_fields(&names[i], i, variables, mounts_socket && i == 0));
    let specs = list(&|i| container(&names[i], i, variables, mounts_socket && i == 0));
    let (mut socket, mut socket_fields) = ("", "");
    if mounts_socket {
        socket = r#"{"name":"sock","hostPath":{"path":"/var/run/docker.sock","type":"Socket"}},"#;
        socket_fields = r#","k:{\"name\":\"sock\"}":{".":{},"f:hostPath":{".":{},"f:path":{},"f:type":{}},"f:name":{}}"#;
    }
    let owner = if mounts_socket {
        String::new()
    } else {
        r#""ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"checkout-5547f99f44","uid":"60d20c51-b091-4f08-a24a-2f6c384bdf8e","controller":true,"blockOwnerDeletion":true}],"#.to_owned()
    };
    let name = if mounts_socket {
        format!(r#""name":"checkout-{SEQUENCE}""#)
    } else {
        r#""generateName":"checkout-5547f99f44-""#.to_owned()
    };
    format!(
        concat!(
            r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{{name},"namespace":"shop","uid":"990ef081-a7a8-4a72-a7c2-600e365efc75","generation":1,"creationTimestamp":"2026-03-21T09:03:21Z","#,
            r#""labels":{{"app.kubernetes.io/instance":"checkout","app.kubernetes.io/name":"checkout","app.kubernetes.io/version":"4.18.2","pod-template-hash":"5547f99f44"}},"#,
            r#""annotations":{{"checksum/config":"0f1d2b6e3c5a49788796a5b4c3d2e1f00f1d2b6e3c5a49788796a5b4c3d2e1f0","prometheus.io/path":"/metrics","prometheus.io/port":"9102","prometheus.io/scrape":"true"}},"#,
            r#"{owner}"managedFields":[{{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-03-21T09:03:21Z","fieldsType":"FieldsV1","fieldsV1":{{"#,
            r#""f:metadata":{{"f:annotations":{{".":{{}},"f:checksum/config":{{}},"f:prometheus.io/path":{{}},"f:prometheus.io/port":{{}},"f:prometheus.io/scrape":{{}}}},"f:generateName":{{}},"f:labels":{{".":{{}},"f:app.kubernetes.io/instance":{{}},"f:app.kubernetes.io/name":{{}},"f:app.kubernetes.io/version":{{}},"f:pod-template-hash":{{}}}},"f:ownerReferences":{{".":{{}},"k:{{\"uid\":\"60d20c51-b091-4f08-a24a-2f6c384bdf8e\"}}":{{}}}}}},"#,
            r#""f:spec":{{"f:containers":{{{fields}}},"f:dnsPolicy":{{}},"f:enableServiceLinks":{{}},"f:restartPolicy":{{}},"f:schedulerName":{{}},"f:securityContext":{{".":{{}},"f:fsGroup":{{}},"f:runAsNonRoot":{{}}}},"f:serviceAccount":{{}},"f:serviceAccountName":{{}},"f:terminationGracePeriodSeconds":{{}},"f:volumes":{{".":{{}},"k:{{\"name\":\"config\"}}":{{".":{{}},"f:configMap":{{".":{{}},"f:defaultMode":{{}},"f:name":{{}}}},"f:name":{{}}}}{socket_fields}}}}}}}}}]}},"#,
            r#""spec":{{"volumes":[{socket}{{"name":"config","configMap":{{"name":"checkout-config","defaultMode":420}}}},{{"name":"kube-api-access-xvs78","projected":{{"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{{"configMap":{{"name":"kube-root-ca.crt","items":[{{"key":"ca.crt","path":"ca.crt"}}]}}}},{{"downwardAPI":{{"items":[{{"path":"namespace","fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.namespace"}}}}]}}}}],"defaultMode":420}}}}],"#,
            r#""containers":[{specs}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"checkout","serviceAccount":"checkout","securityContext":{{"runAsNonRoot":true,"fsGroup":2000}},"schedulerName":"default-scheduler","#,
            r#""tolerations":[{{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}},{{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"}},"#,
            r#""status":{{"phase":"Pending","qosClass":"Burstable"}}}}"#,
        ),
        name = name,
        owner = owner,
        fields = fields,
        specs = specs,
        socket = socket,
        socket_fields = socket_fields,
    )
}

fn variable(index: usize) -> String {
    [
        "DATABASE_URL",
        "LOG_LEVEL",
        "FEATURE_FLAGS",
        "POD_IP",
        "QUEUE_ENDPOINT",
        "CACHE_TTL",
        "TRACE_SAMPLING",
        "REGION",
    ]
    .get(index)
    .map_or_else(|| format!("SETTING_{index}"), |name| (*name).to_owned())
}

fn value(index: usize, container: usize) -> String {
    match index {
        0 => format!(
            r#""value":"postgres://checkout@db-{container}.shop.svc.cluster.local:5432/orders?sslmode=require\u0026pool=8""#
        ),
        1 => r#""value":"info""#.to_owned(),
        2 => r#""value":"newCart,fastPay,regions""#.to_owned(),
        3 => {
            r#""valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"status.podIP"}}"#.to_owned()
        }
        _ => format!(r#""value":"https://service-{index}.shop.svc.cluster.local/v{container}""#),
    }
}

fn container(name: &str, index: usize, variables: usize, mounts_socket: bool) -> String {
    let mut env = String::new();
    for i in 0..variables {
        let separator = if i == 0 { "" } else { "," };
        let _ = write!(
            env,
            r#"{separator}{{"name":"{}",{}}}"#,
            variable(i),
            value(i, index)
        );
    }
    let socket = if mounts_socket {
        r#"{"name":"sock","mountPath":"/var/run/docker.sock"},"#
    } else {
        ""
    };
    let probes = if has_probes(index) { PROBES } else { "" };
    format!(
        concat!(
            r#"{{"name":"{name}","image":"registry.shop.example/checkout/{name}:4.18.2","command":["/bin/sh","-c"],"args":["set -eu; test -s /etc/checkout/{name}.yaml \u0026\u0026 exec /app/{name} --config /etc/checkout/{name}.yaml --listen :8080 --grace 20s \u003e /proc/1/fd/1 2\u003e\u00261"],"#,
            r#""ports":[{{"name":"http","containerPort":8080,"protocol":"TCP"}}],"env":[{env}],"#,
            r#""resources":{{}},"#,
            r#""volumeMounts":[{socket}{{"name":"config","readOnly":true,"mountPath":"/etc/checkout"}},{{"name":"kube-api-access-xvs78","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}}],"#,
            "{probes}",
            r#""terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent","#,
            r#""securityContext":{{"capabilities":{{"drop":["ALL"]}},"runAsUser":10001,"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":false}}}}"#,
        ),
        name = name,
        env = env,
        socket = socket,
        probes = probes,
    )
}

/// Every third container is a proxy that has none.
fn has_probes(container: usize) -> bool {
    container % 3 != 2
}

const PROBES: &str = r#""livenessProbe":{"httpGet":{"path":"/healthz","port":"http","scheme":"HTTP"},"initialDelaySeconds":10,"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},"readinessProbe":{"exec":{"command":["/app/ready","--quick"]},"timeoutSeconds":1,"periodSeconds":5,"successThreshold":1,"failureThreshold":3},"#;
const LIVENESS_FIELDS: &str = r#""f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:initialDelaySeconds":{},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}},"#;
const READINESS_FIELDS: &str = r#""f:readinessProbe":{".":{},"f:exec":{".":{},"f:command":{}},"f:failureThreshold":{},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}},"#;

fn container_fields(name: &str, index: usize, variables: usize, mounts_socket: bool) -> String {
    let mut env = String::new();
    for i in 0..variables {
        let from = if value(i, index).starts_with("\"valueFrom") {
            r#""f:valueFrom":{".":{},"f:fieldRef":{}}"#
        } else {
            r#""f:value":{}"#
        };
        let _ = write!(
            env,
            r#","k:{{\"name\":\"{}\"}}":{{".":{{}},"f:name":{{}},{from}}}"#,
            variable(i)
        );
    }
    let socket = if mounts_socket {
        r#","k:{\"mountPath\":\"/var/run/docker.sock\"}":{".":{},"f:mountPath":{},"f:name":{}}"#
    } else {
        ""
    };
    let (liveness, readiness) = if has_probes(index) {
        (LIVENESS_FIELDS, READINESS_FIELDS)
    } else {
        ("", "")
    };
    format!(
        concat!(
            r#""k:{{\"name\":\"{name}\"}}":{{".":{{}},"f:args":{{}},"f:command":{{}},"f:env":{{".":{{}}{env}}},"f:image":{{}},"f:imagePullPolicy":{{}},"#,
            r#"{liveness}"f:name":{{}},"#,
            r#""f:ports":{{".":{{}},"k:{{\"containerPort\":8080,\"protocol\":\"TCP\"}}":{{".":{{}},"f:containerPort":{{}},"f:name":{{}},"f:protocol":{{}}}}}},"#,
            "{readiness}",
            r#""f:resources":{{}},"#,
            r#""f:securityContext":{{".":{{}},"f:allowPrivilegeEscalation":{{}},"f:capabilities":{{".":{{}},"f:drop":{{}}}},"f:readOnlyRootFilesystem":{{}},"f:runAsUser":{{}}}},"#,
            r#""f:terminationMessagePath":{{}},"f:terminationMessagePolicy":{{}},"f:volumeMounts":{{".":{{}},"k:{{\"mountPath\":\"/etc/checkout\"}}":{{".":{{}},"f:mountPath":{{}},"f:name":{{}},"f:readOnly":{{}}}}{socket}}}}}"#,
        ),
        name = name,
        env = env,
        socket = socket,
        liveness = liveness,
        readiness = readiness,
    )
}

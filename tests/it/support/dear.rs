//! Pods that were made to cost as much as their size allows, one for each kind of work that a writer can ask for.

use serde_json::{Value, json};

/// Every kind, of about `size` bytes, with its name.
pub(crate) fn pods(size: usize) -> Vec<(&'static str, Value)> {
    let script = |text: String| with_container(json!({"command": ["sh", "-c", text]}));
    let socket = |part: Value| with_socket(with_container(part));
    let repeated = |part: &str| part.repeat(size / part.len());
    let many = |each: usize, item: &dyn Fn(usize) -> Value| -> Value {
        (0..size / each).map(item).collect()
    };
    let named = |i: usize| format!("n{i}");
    let mut pods = vec![
        ("commands", script(format!("D=docker;{}", repeated("$D;")))),
        ("calls", script(repeated("docker -H tcp://a ps;"))),
        ("services", script(repeated("service docker stop;"))),
        ("separators", script(format!("docker{}", repeated(";")))),
        (
            "arithmetic",
            script(format!("docker {}", repeated("((a) "))),
        ),
        ("documents", script(format!("docker {}", repeated("<<a ")))),
        (
            "substitutions",
            script(format!("docker {}", repeated("$(a=b;"))),
        ),
        ("words", script(format!("docker {}", repeated("a ")))),
        ("a word", script(repeated("docker.soc"))),
        ("files", script(repeated("echo docker sh a>a;sh a;"))),
        (
            "homes",
            script(format!("HOME=docker;{}", repeated("~ ~/;"))),
        ),
        ("letters", script(format!("docker {}", repeated("k7$g")))),
        ("ports", script(repeated("]:2375"))),
        (
            "sockets",
            socket(json!({"args": [repeated("/s/docker.sock ")]})),
        ),
        (
            "deep paths",
            socket(
                json!({"args": [format!("{}/docker.sock ", "/a".repeat(2_000)).repeat(size / 4_000)]}),
            ),
        ),
        (
            "references",
            socket(json!({
                "args": vec![format!("/{}/docker.sock", "$(z)".repeat(4_090)); size / 16_400],
                "env": vec![json!({"name": "n", "value": ""}); 4_000.min(size / 100)],
            })),
        ),
        (
            "variables",
            socket(json!({"args": ["docker"], "env": many(60, &|i| {
                json!({"name": format!("A{i}"), "value": format!("$(A{})", i.saturating_sub(1))})
            })})),
        ),
        (
            "probes",
            socket(json!({
                "env": many(60, &|i| json!({"name": named(i), "value": ""})),
                "livenessProbe": {"exec": {"command": many(20, &|i| json!(format!("docker $(n{i})")))}},
            })),
        ),
        (
            "address",
            with_container(json!({"command": ["docker", "-H", repeated("$z"), "ps"]})),
        ),
        (
            "empty arguments",
            socket(json!({"command": ["docker"], "args": many(4, &|_| json!(""))})),
        ),
        (
            "flags",
            socket(
                json!({"command": ["docker"], "args": many(30, &|_| json!("--container-runtime=docker"))}),
            ),
        ),
    ];
    let mut labels = with_container(json!({"env": many(120, &|i| {
        json!({"name": named(i), "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}}})
    })}));
    labels["metadata"]["labels"] = (0..size / 24).map(|i| (named(i), json!(""))).collect();
    pods.push(("labels", labels));
    let mut links = socket(json!({}));
    links["spec"]["volumes"][0]["hostPath"]["path"] = json!(repeated("/proc/1/root"));
    pods.push(("links to the root", links));
    let mut expression = socket(json!({}));
    expression["spec"]["containers"][0]["volumeMounts"][0]["subPathExpr"] = json!(repeated("$(z)"));
    pods.push(("subPathExpr", expression));
    let mut volumes = with_container(json!({
        "args": [format!("docker {}", repeated("/1/docker.sock "))],
        "volumeMounts": many(120, &|i| json!({"name": named(i), "mountPath": format!("/{i}")})),
    }));
    volumes["spec"]["volumes"] = many(
        120,
        &|i| json!({"name": named(i), "hostPath": {"path": format!("/var/lib/docker/containers/{i}")}}),
    );
    pods.push(("volumes and mounts", volumes));
    let mut one_volume = with_container(json!({
        "volumeMounts": many(60, &|i| json!({"name": "sock", "mountPath": format!("/{i}")})),
    }));
    one_volume["spec"]["volumes"] =
        json!([{"name": "sock", "hostPath": {"path": format!("/run/{}", "a".repeat(size / 4))}}]);
    pods.push(("mounts of a long path", one_volume));
    let mut open = with_container(json!({
        "command": ["sh", "-c", format!("dial {}", "/$a /dev/fd/3/$b ".repeat(size / 50))],
        "volumeMounts": many(60, &|i| json!({"name": "run", "mountPath": format!("/{i}")})),
    }));
    open["spec"]["volumes"] = json!([{"name": "run", "hostPath": {"path": "/run"}}]);
    pods.push(("open words below mounts", open));
    let mut unmounted = with_container(json!({}));
    unmounted["spec"]["volumes"] = many(
        55,
        &|i| json!({"name": named(i), "hostPath": {"path": "/run/docker.sock"}}),
    );
    pods.push(("unmounted volumes", unmounted));
    let mut aliases = script(repeated("docker -H tcp://a ps;"));
    aliases["spec"]["hostAliases"] =
        many(60, &|i| json!({"ip": "10.0.0.1", "hostnames": [named(i)]}));
    pods.push(("host aliases", aliases));
    let mut containers = socket(json!({}));
    containers["spec"]["containers"] = many(
        90,
        &|i| json!({"name": named(i), "image": "docker", "args": ["docker ps"], "env": [{"name": "DOCKER_HOST"}]}),
    );
    pods.push(("containers", containers));
    pods
}

/// A Pod with these fields in its container.
pub(crate) fn with_container(part: Value) -> Value {
    let mut pod = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": "dear", "namespace": "ci"},
        "spec": {"containers": [{"name": "app", "image": "nginx:1.29"}]},
    });
    if let (Some(container), Value::Object(part)) =
        (pod["spec"]["containers"][0].as_object_mut(), part)
    {
        container.extend(part);
    }
    pod
}

/// `pod` with Docker's socket in its first container.
pub(crate) fn with_socket(mut pod: Value) -> Value {
    pod["spec"]["volumes"] = json!([{"name": "sock", "hostPath": {"path": "/run/docker.sock"}}]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "sock", "mountPath": "/s"}]);
    pod
}

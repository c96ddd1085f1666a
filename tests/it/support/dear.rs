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
    // Larger ones meet the same end.
    let most = size.min(400_000);
    pods.extend(scripts(most).map(|(name, text)| (name, script(format!("docker ps\n{text}")))));
    let long = json!({"name": "A", "value": "b".repeat(100_000.min(size / 2))});
    let with_long = |part: Value| {
        let mut pod = with_container(part);
        if let Some(env) = pod["spec"]["containers"][0]["env"].as_array_mut() {
            env.insert(0, long.clone());
        }
        pod
    };
    pods.extend([
        (
            "long variable in a script",
            with_long(json!({"command": ["sh", "-c", format!("docker {}", "$A ".repeat(size / 6))], "env": []})),
        ),
        (
            "long variable in arguments",
            with_long(json!({"command": ["docker"], "args": many(22, &|_| json!("$(A)$(A)")), "env": []})),
        ),
        (
            "long variable in variables",
            with_long(json!({"command": ["docker"], "env": many(72, &|i| json!({"name": named(i), "value": "$(A)$(A)"}))})),
        ),
    ]);
    pods.extend(lists(size));
    pods
}

/// Pods in which each item of a list meets each of another.
fn lists(size: usize) -> Vec<(&'static str, Value)> {
    let half = |each: usize, item: &dyn Fn(usize) -> Value| -> Value {
        (0..size / 2 / each).map(item).collect()
    };
    let named = |i: usize| format!("n{i}");
    let with = |name: &'static str, container: Value, spec: Value| {
        let mut pod = with_container(container);
        if let (Some(into), Value::Object(spec)) = (pod["spec"].as_object_mut(), spec) {
            into.extend(spec);
        }
        (name, pod)
    };
    let run = json!([{"name": "run", "hostPath": {"path": "/run"}}]);
    let below_run = |i: usize| json!({"name": "run", "mountPath": format!("/{i}")});
    let containers = |each: usize, more: Value| {
        half(each, &|i| {
            let mut container = more.clone();
            container["name"] = json!(named(i));
            container
        })
    };
    let long = "a".repeat(size / 2);
    vec![
        with(
            "variables in a directory",
            json!({"workingDir": format!("/{long}"), "volumeMounts": [below_run(0)],
                "env": half(30, &|i| json!({"name": named(i), "value": "docker.sock"}))}),
            json!({"volumes": run}),
        ),
        with(
            "addresses of a variable",
            json!({"args": [format!("docker {}", "$a:2375 ".repeat(size / 16))],
                "env": [{"name": "a", "value": "b".repeat(16_000.min(size / 2))}]}),
            json!({}),
        ),
        with(
            "volumes beside containers",
            json!({}),
            json!({"containers": containers(40, json!({"image": "docker"})),
                "volumes": half(55, &|i| json!({"name": named(i), "hostPath": {"path": "/a"}}))}),
        ),
        with(
            "mounts with a sign",
            json!({"env": [{"name": long, "value": "/0/docker.sock"}],
                "volumeMounts": half(35, &below_run)}),
            json!({"volumes": run}),
        ),
        with(
            "system settings of containers",
            json!({}),
            json!({"containers": containers(50, json!({"ports": [{"containerPort": 80}]})),
                "securityContext": {"runAsUser": 1,
                    "sysctls": half(16, &|_| json!({"name": "a", "value": "1"}))}}),
        ),
        with(
            "mounts of shared processes",
            json!({}),
            json!({"shareProcessNamespace": true, "volumes": run,
                "containers": containers(80, json!({"args": ["/proc/1/root/0/docker.sock"],
                    "volumeMounts": [below_run(0), below_run(1)]}))}),
        ),
        with(
            "paths through processes",
            json!({"command": ["sh", "-c", "x /proc/1/root/docker.sock;".repeat(size / 27)]}),
            json!({"hostPID": true}),
        ),
        with(
            "mounts of one place",
            json!({"image": "docker", "volumeMounts": (0..size / 2 / 35)
                .map(|i| json!({"name": "run", "mountPath": format!("/run{}", "/".repeat(i % 9))}))
                .collect::<Vec<_>>()}),
            json!({"volumes": run}),
        ),
    ]
}

/// Scripts in which one part meets each of another.
fn scripts(size: usize) -> impl Iterator<Item = (&'static str, String)> {
    let half = |part: &str| part.repeat(size / 2 / part.len());
    let most = |part: &str| part.repeat(16_000.min(size / 2) / part.len());
    let names: String = (0..size / 20).map(|i| format!(" v{i}")).collect();
    let values = |name: &str, value: &str| -> String {
        (0..16).map(|i| format!("{name}={i}{value}\n")).collect()
    };
    let (a, lines, long) = (half("a"), half("\n"), values("A", &"b".repeat(size / 40)));
    let telling: String = (0..size / 22).map(|i| format!("docker{i}\n")).collect();
    let nested = |open: &str| format!("{}{}{}", open.repeat(60), half("$a"), ")".repeat(60));
    let hosts: String = (0..size / 44)
        .map(|i| format!("DOCKER_HOST={i};docker;"))
        .collect();
    [
        ("names of lines", format!("read{names} <<E\n{lines}E\n")),
        (
            "loops over lines",
            format!("while read{names}; do x; done <<E\n{lines}E\n"),
        ),
        (
            "separators of values",
            format!(
                "read IFS <<E\n{}E\nA={}\nx {}",
                half("x\n"),
                most("b"),
                half("$A ")
            ),
        ),
        ("values in a word", format!("{long}x {}", half("$A"))),
        (
            "values in words",
            format!("A='{}'\nx {}", most("a "), half("$A ")),
        ),
        (
            "values of blanks",
            format!("A='{}'\nx {}", most(" "), half("$A ")),
        ),
        ("values added", format!("{long}B=$A\n{}", half("A+=$B;"))),
        (
            "values that tell",
            format!(
                "{}while read A; do x; done <<E\n{telling}E\n",
                values("A", &format!("{}docker", "b".repeat(size / 40)))
            ),
        ),
        (
            "values by words",
            format!("{}x $X {}", values("X", ""), half("a ")),
        ),
        (
            "values by assignments",
            format!("{}A={a} x $X", values("X", "")),
        ),
        (
            "empty words",
            format!("set --{}\nx{}", half(" ''"), half(" \"$@\"")),
        ),
        (
            "words of nested scripts",
            format!("set --{}\n{}", half(" a"), half("eval x\n")),
        ),
        (
            "directory of nested scripts",
            format!("cd /{}\n{}", most("a"), half("eval x\n")),
        ),
        ("directories", format!("cd /{a}\n{}", half("cd x;"))),
        (
            "words in directories",
            format!(
                "cd /{}\ncd b;cd c;cd d;x{}",
                "a".repeat(1_000.min(size / 2)),
                half(" w")
            ),
        ),
        ("xargs", format!("echo {a} | xargs -I a x {a}")),
        ("xargs of nothing", format!("echo {a} | xargs -I '' x {a}")),
        ("find", format!("find /{a} -exec x {} ;", half("{}"))),
        (
            "paths of find",
            format!("find{} -name {a} -exec x ;", half(" b")),
        ),
        ("printf", format!("printf '{a}%s' {} > /tmp/f", half("a "))),
        (
            "printf in a word",
            format!("x $(printf '{a}%s' {})", half("a ")),
        ),
        ("chroot", format!("chroot /{a} sh -c '{}'", half("docker;"))),
        ("contexts", format!("DOCKER_CONTEXT={a};{hosts}")),
        ("nested echo", format!("x {}", nested("$(echo "))),
        ("nested arrays", nested("a=(")),
        ("tildes", format!("{a}={}", half("=~/"))),
        ("brackets", format!("/{}", half("["))),
        ("open brackets", format!("/{}]{}", half("["), half("{$(["))),
        ("defaults", format!("x {}", half("${x:-$y}"))),
        (
            "lines that go on",
            format!("{} \"x\"'y'", half("docker ps \\\n")),
        ),
        (
            "copied files",
            format!("echo {a} > /tmp/f\n{}", half("cp /tmp/f /tmp/g\n")),
        ),
        (
            "document of references",
            format!("cat <<E\n{}E\n", half("$a")),
        ),
    ]
    .into_iter()
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

//! Objects that depend on Docker, rewritten at random in ways that change nothing about what they do.

use serde_json::{Map, Value, json};

/// A small generator, so that one number stands for one rewriting.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap() % limit
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// The same absolute path in another spelling.
    pub(crate) fn path(&mut self, path: &str) -> String {
        let mut spelled = String::new();
        if self.below(6) == 0 {
            spelled.push_str(self.pick(&[
                "/proc/1/root",
                "/proc/1/root/./",
                "/proc/1/root/proc/1/root",
            ]));
        }
        for part in path.split('/').filter(|part| !part.is_empty()) {
            spelled.push_str(self.pick(&["/", "/", "/", "//", "/./", "///", "/././"]));
            spelled.push_str(part);
        }
        spelled.push_str(self.pick(&["", "", "/", "//", "/."]));
        if spelled.is_empty() || !spelled.starts_with('/') {
            format!("/{spelled}")
        } else {
            spelled
        }
    }

    /// The same JSON, compact as before, with one of `of` characters of its strings as an escape.
    pub(crate) fn json(&mut self, text: &str, of: usize) -> String {
        let mut spelled = String::new();
        let mut is_inside = false;
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => is_inside = !is_inside,
                '\\' => {
                    let escaped = characters.next();
                    let digits = if escaped == Some('u') { 4 } else { 0 };
                    spelled.push(character);
                    spelled.extend(escaped);
                    spelled.extend(characters.by_ref().take(digits));
                    continue;
                }
                _ if is_inside && self.below(of) == 0 => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        spelled.push_str(&format!("\\u{unit:04x}"));
                    }
                    continue;
                }
                _ => {}
            }
            spelled.push(character);
        }
        spelled
    }

    /// The same path, with one of the names of `/run`.
    fn host_path(&mut self, path: &str) -> String {
        if path.starts_with(r"\\.\pipe\") {
            return self.pipe(path);
        }
        let path = match path
            .strip_prefix("/var/run")
            .or_else(|| path.strip_prefix("/run"))
        {
            Some(rest) => format!("{}{rest}", self.pick(&["/run", "/var/run"])),
            None => path.to_owned(),
        };
        self.path(&path)
    }

    /// The same pipe, with other slashes and letters.
    fn pipe(&mut self, path: &str) -> String {
        let spelled = match self.below(4) {
            0 => path.replace('\\', "/"),
            1 => path.replace(r"\\.", r"\\?"),
            2 => format!("npipe:{}", path.replace('\\', "/")),
            _ => path.to_owned(),
        };
        match self.below(3) {
            0 => spelled.replace("pipe", "PIPE").replace("nPIPE", "npipe"),
            1 => spelled.replace("docker_engine", "Docker_Engine"),
            _ => spelled,
        }
    }
}

/// What a seed mounts, if it mounts something: host path and the place that its container expects it at.
type Mount = (&'static str, &'static str);

/// A rule, and the smallest container that it flags.
struct Seed {
    code: &'static str,
    container: Value,
    mount: Option<Mount>,
    host_pid: bool,
}

fn seeds() -> Vec<Seed> {
    let mounting = |code, path| Seed {
        code,
        container: json!({"image": "registry.example/app:1"}),
        mount: Some((path, "/seen")),
        host_pid: false,
    };
    let image = |code, image: &str| Seed {
        code,
        container: json!({"image": image}),
        mount: None,
        host_pid: false,
    };
    let running = |code, words: &[&str], mount| Seed {
        code,
        container: json!({"image": "registry.example/ci:1", "command": words}),
        mount,
        host_pid: true,
    };
    let socket = Some(("/run/docker.sock", "/var/run/docker.sock"));
    vec![
        mounting("DKR101", "/run/docker.sock"),
        mounting("DKR102", "/run/dockershim.sock"),
        mounting("DKR103", "/run/cri-dockerd.sock"),
        mounting("DKR104", "/run/docker/plugins"),
        mounting("DKR105", r"\\.\pipe\docker_engine"),
        mounting("DKR106", "/run/user/1000/docker.sock"),
        mounting("DKR108", "/opt/ci/docker.sock"),
        mounting("DKR111", "/run"),
        mounting("DKR501", "/var/lib/docker/overlay2"),
        mounting("DKR502", "/var/lib/docker/containers"),
        mounting("DKR503", "/etc/docker/daemon.json"),
        mounting("DKR504", "/usr/bin/docker"),
        mounting("DKR505", "/var/lib/dockershim"),
        mounting("DKR506", "/run/docker/netns"),
        image("DKR201", "docker:27-cli"),
        image("DKR204", "spotify/docker-gc"),
        running("DKR401", &["docker", "system", "prune", "-f"], socket),
        running("DKR401", &["docker", "ps"], None),
        running(
            "DKR402",
            &["nsenter", "-t", "1", "-m", "--", "docker", "ps"],
            None,
        ),
        running(
            "DKR402",
            &["chroot", "/host", "docker", "ps"],
            Some(("/", "/host")),
        ),
        running(
            "DKR403",
            &[
                "nsenter",
                "-t",
                "1",
                "-m",
                "--",
                "systemctl",
                "restart",
                "docker",
            ],
            None,
        ),
        running("DKR306", &["/daemon", "--runtime", "docker"], None),
        running(
            "DKR304",
            &["/agent", "--endpoint", "http://172.17.0.1:2375"],
            None,
        ),
        running(
            "DKR404",
            &[
                "curl",
                "--unix-socket",
                "/var/run/docker.sock",
                "http://x/info",
            ],
            socket,
        ),
        Seed {
            code: "DKR301",
            container: json!({"image": "x", "env": [{"name": "DOCKER_HOST", "value": "unix:///var/run/docker.sock"}]}),
            mount: socket,
            host_pid: false,
        },
        Seed {
            code: "DKR110",
            container: json!({"image": "x", "args": ["--socket=/host/run/docker.sock"]}),
            mount: Some(("/run", "/host/run")),
            host_pid: false,
        },
    ]
}

/// The rule of a seed, and an object that it must flag, as text.
pub(crate) fn rewritten(seed: u64) -> (&'static str, String) {
    let random = &mut Random(seed);
    let mut seeds = seeds();
    let Seed {
        mut code,
        mut container,
        mount,
        host_pid,
    } = seeds.swap_remove(random.below(seeds.len()));
    container["name"] = json!("subject");
    if let Some(image) = container["image"]
        .as_str()
        .map(str::to_owned)
        .filter(|_| matches!(code, "DKR201" | "DKR204"))
    {
        container["image"] = json!(other_image(random, &image));
    }
    if let Some(words) = container.get("command").cloned() {
        let words: Vec<String> = words
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect();
        other_command(random, &words, &mut container);
    }
    let mut volumes = vec![];
    let mut others = vec![];
    if let Some((host_path, seen)) = mount {
        let (path, sub_path) = split(random, host_path);
        let mut mounted = json!({"name": "subject", "mountPath": other_mount_path(random, seen)});
        match sub_path {
            Some(sub_path) if random.below(2) == 0 => mounted["subPath"] = json!(sub_path),
            Some(sub_path) => {
                mounted["subPathExpr"] = json!("$(PART_ONE)$(PART_TWO)");
                let cut = sub_path
                    .char_indices()
                    .nth(random.below(sub_path.chars().count()))
                    .map_or(0, |(at, _)| at);
                let env = [
                    json!({"name": "PART_ONE", "value": &sub_path[..cut]}),
                    json!({"name": "PART_TWO", "value": &sub_path[cut..]}),
                ];
                let mut all = container["env"].as_array().cloned().unwrap_or_default();
                all.extend(env);
                container["env"] = json!(all);
            }
            None => {}
        }
        container["volumeMounts"] = json!([mounted]);
        let source = random.host_path(&path);
        let is_only_path = mount.is_some_and(|(_, seen)| seen == "/seen");
        if is_only_path && code != "DKR111" && code != "DKR502" && random.below(5) == 0 {
            // A PersistentVolume instead; the rule about claims says so.
            code = "DKR112";
            let kind = random.pick(&["hostPath", "local"]);
            others.push(json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"},
                "spec": {kind: {"path": source}, "claimRef": {"namespace": "team", "name": "claim"}}}));
            volumes
                .push(json!({"name": "subject", "persistentVolumeClaim": {"claimName": "claim"}}));
        } else {
            let mut source = json!({"path": source});
            if random.below(3) == 0 {
                source["type"] = json!("");
            }
            volumes.push(json!({"name": "subject", "hostPath": source}));
        }
    }
    for i in 0..random.below(3) {
        volumes.insert(
            random.below(volumes.len() + 1),
            json!({"name": format!("other-{i}"), "emptyDir": {}}),
        );
    }
    let mut spec = in_some_list(random, container);
    spec["volumes"] = json!(volumes);
    if host_pid {
        spec["hostPID"] = json!(true);
    }
    let object = wrapped(random, spec);
    (code, laid_out(random, &object, &others))
}

/// The same image through a mirror, with another tag, with a digest.
fn other_image(random: &mut Random, image: &str) -> String {
    let name = image.split(':').next().unwrap();
    let path = if name.contains('/') {
        name.to_owned()
    } else {
        format!("library/{name}")
    };
    let host = random.pick(&[
        "",
        "",
        "docker.io/",
        "index.docker.io/",
        "mirror.gcr.io/",
        "registry-1.docker.io/",
        "docker.m.daocloud.io/",
        "x.docker.scarf.sh/",
    ]);
    let name = if host.is_empty() && random.below(2) == 0 {
        name.to_owned()
    } else {
        format!("{host}{path}")
    };
    let digest = format!("@sha256:{}", "0".repeat(64));
    format!(
        "{name}{}{}",
        random.pick(&["", ":latest", ":20.10", ":27-cli"]),
        random.pick(&["", "", &digest])
    )
}

/// A mount path that is the same directory; the place itself counts where something refers to it.
fn other_mount_path(random: &mut Random, seen: &str) -> String {
    match seen {
        "/seen" => random
            .pick(&["/seen", "/var/lib/other", "/host//x/", "/data"])
            .to_owned(),
        other => format!("{other}{}", random.pick(&["", "/", "//"])),
    }
}

/// A host path as a volume's path and a sub path.
fn split(random: &mut Random, path: &str) -> (String, Option<String>) {
    if path.contains('\\') {
        return (path.to_owned(), None);
    }
    let places: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
    if path.len() < 2 || random.below(3) > 0 {
        return (path.to_owned(), None);
    }
    let at = places[random.below(places.len())];
    let root = if at == 0 { "/" } else { &path[..at] };
    (root.to_owned(), Some(path[at + 1..].to_owned()))
}

/// The words in exec form or in a shell, under programs that run them.
fn other_command(random: &mut Random, words: &[String], container: &mut Value) {
    let quoted: Vec<String> = words.iter().map(|word| quote(random, word)).collect();
    let mut call = quoted.join(random.pick(&[" ", "  ", " \\\n ", "\t"]));
    call = format!(
        "{}{call}",
        random.pick(&[
            "",
            "",
            "exec ",
            "sudo ",
            "sudo -E ",
            "env A=b ",
            "A=b ",
            "timeout 10 ",
            "nohup ",
            "command ",
            "time ",
            "nice -n 5 "
        ])
    );
    let call = match random.below(14) {
        0 => format!("set -e; {call}"),
        1 => format!("true && {call}"),
        2 => format!("if {call}; then :; fi"),
        3 => format!("if true\nthen\n  {call}\nfi"),
        4 => format!("( {call} )"),
        5 => format!("x=$( {call} )"),
        6 => format!("echo \"$( {call} )\" | cat"),
        7 => format!("while ! {call}; do sleep 1; done"),
        8 => format!("f() {{ {call}\n}}; f"),
        9 => format!("# a comment\n{call} >/dev/null 2>&1 # another"),
        10 => format!("for i in 1 2; do {call}; done"),
        11 => format!("cat <<EOF\ntext\nEOF\n{call}"),
        12 => format!("case x in x) {call} ;; esac"),
        _ => call,
    };
    let script = if random.below(4) == 0 {
        call.replace('\n', "\r\n").replace("\\\r\n", "\\\n")
    } else {
        call
    };
    let all: Vec<String> = match random.below(8) {
        0 | 1 => words.to_vec(),
        2 => vec!["sh".into(), "-c".into(), script],
        3 => vec![
            "/bin/bash".into(),
            "-euo".into(),
            "pipefail".into(),
            "-c".into(),
            script,
        ],
        4 => vec!["bash".into(), "-exc".into(), script],
        5 => vec![
            "sh".into(),
            "-c".into(),
            format!("sh -c '{}'", script.replace('\'', "'\\''")),
        ],
        6 => vec![
            "tini".into(),
            "--".into(),
            "/bin/sh".into(),
            "-ec".into(),
            script,
        ],
        _ => ["env", "A=b"]
            .iter()
            .map(|word| (*word).to_owned())
            .chain(words.iter().cloned())
            .collect(),
    };
    let object = container.as_object_mut().unwrap();
    object.remove("command");
    if all[0] == words[0] && all.len() == words.len() && random.below(6) == 0 {
        let hook = random.pick(&["livenessProbe", "readinessProbe", "startupProbe"]);
        object.insert(hook.to_owned(), json!({"exec": {"command": all}}));
    } else if random.below(8) == 0 {
        object.insert(
            "lifecycle".to_owned(),
            json!({random.pick(&["postStart", "preStop"]): {"exec": {"command": all}}}),
        );
    } else {
        let cut = random.below(all.len() + 1);
        object.insert("command".to_owned(), json!(all[..cut]));
        object.insert("args".to_owned(), json!(all[cut..]));
    }
}

/// The same word for a shell. `docker` stays in one piece: texts without that name are not read at all.
fn quote(random: &mut Random, word: &str) -> String {
    let is_in_one_piece = word.contains("docker");
    match random.below(5) {
        0 => format!("'{word}'"),
        1 => format!("\"{word}\""),
        2 if !is_in_one_piece && word.len() > 2 => format!("{}'{}'", &word[..2], &word[2..]),
        3 if !is_in_one_piece
            && word.len() > 2
            && word.bytes().all(|b| b.is_ascii_alphabetic()) =>
        {
            format!("{}\\{}", &word[..1], &word[1..])
        }
        _ => word.to_owned(),
    }
}

/// A pod spec with the container in any of its lists, among others.
fn in_some_list(random: &mut Random, mut container: Value) -> Value {
    let list = random.pick(&[
        "containers",
        "containers",
        "initContainers",
        "ephemeralContainers",
    ]);
    if list == "initContainers" && random.below(2) == 0 {
        container["restartPolicy"] = json!("Always");
    }
    let mut spec = Map::new();
    spec.insert(
        "containers".to_owned(),
        json!([{"name": "main", "image": "registry.example/main:1"}]),
    );
    let mut containers = spec
        .remove(list)
        .and_then(|list| list.as_array().cloned())
        .unwrap_or_default();
    for i in 0..random.below(3) {
        containers.push(json!({"name": format!("other-{i}"), "image": "registry.example/other:1", "command": ["sleep", "1"]}));
    }
    containers.insert(random.below(containers.len() + 1), container);
    spec.insert(list.to_owned(), json!(containers));
    Value::Object(spec)
}

/// The Pod itself, or something that makes such Pods.
fn wrapped(random: &mut Random, spec: Value) -> Value {
    let metadata = json!({"name": "subject", "namespace": "team"});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": spec});
    let (version, kind, body) = match random.below(16) {
        0 => ("apps/v1", "Deployment", json!({"template": template})),
        1 => (
            "extensions/v1beta1",
            "Deployment",
            json!({"template": template}),
        ),
        2 => ("apps/v1", "DaemonSet", json!({"template": template})),
        3 => ("apps/v1beta2", "StatefulSet", json!({"template": template})),
        4 => ("batch/v1", "Job", json!({"template": template})),
        5 => (
            "batch/v1beta1",
            "CronJob",
            json!({"jobTemplate": {"spec": {"template": template}}}),
        ),
        6 => (
            "argoproj.io/v1alpha1",
            "Rollout",
            json!({"template": template}),
        ),
        7 => {
            return json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template});
        }
        8 => ("apps/v1", "ReplicaSet", json!({"template": template})),
        9 => ("v1", "ReplicationController", json!({"template": template})),
        10 => (
            "apps.openshift.io/v1",
            "DeploymentConfig",
            json!({"template": template}),
        ),
        11 => (
            "serving.knative.dev/v1",
            "Service",
            json!({"template": template}),
        ),
        12 => (
            "keda.sh/v1alpha1",
            "ScaledJob",
            json!({"jobTargetRef": {"template": template}}),
        ),
        13 => (
            "beat.k8s.elastic.co/v1beta1",
            "Beat",
            json!({"daemonSet": {"podTemplate": template}}),
        ),
        14 => (
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            json!({"replicatedJobs": [{"name": "a", "template": {"spec": {"template": template}}}]}),
        ),
        _ => {
            return json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]});
        }
    };
    json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": body})
}

/// The objects as JSON or YAML, alone or in a list.
fn laid_out(random: &mut Random, object: &Value, others: &[Value]) -> String {
    let mut all = others.to_vec();
    all.insert(random.below(all.len() + 1), object.clone());
    if random.below(4) == 0 {
        all = vec![json!({"apiVersion": "v1", "kind": "List", "items": all})];
    }
    let text = match random.below(5) {
        0 => all
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        1 => all
            .iter()
            .map(|object| serde_json::to_string_pretty(object).unwrap())
            .collect::<Vec<_>>()
            .join("\n"),
        2 => all
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join("\n---\n"),
        _ => {
            let document = |object: &Value| {
                let mut text = String::new();
                match object.get("spec").filter(|_| random.below(4) == 0).cloned() {
                    Some(spec) => anchored(random, object, &spec, &mut text),
                    None => block(random, object, 0, &mut text),
                }
                text
            };
            all.iter().map(document).collect::<Vec<_>>().join("---\n")
        }
    };
    match random.below(6) {
        0 => format!("\u{feff}{text}"),
        1 => text.replace('\n', "\r\n"),
        _ => text,
    }
}

/// Block style, with the spec elsewhere in the document, by an alias or a merge key.
fn anchored(random: &mut Random, object: &Value, spec: &Value, out: &mut String) {
    out.push_str("x-shared: &shared");
    block(random, spec, 2, out);
    let mut rest = object.clone();
    rest.as_object_mut().unwrap().remove("spec");
    for (key, value) in rest.as_object().unwrap() {
        out.push_str(&format!("{key}:"));
        block(random, value, 2, out);
    }
    out.push_str(random.pick(&[
        "spec: *shared\n",
        "spec:\n  <<: *shared\n",
        "spec: {<<: *shared}\n",
    ]));
}

/// Block style, with a collection in flow style now and then. JSON's strings are YAML's.
fn block(random: &mut Random, value: &Value, indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() && random.below(8) > 0 => {
            out.push('\n');
            for (key, value) in map {
                out.push_str(&format!("{margin}{key}:"));
                block(random, value, indent + 2, out);
            }
        }
        Value::Array(list) if !list.is_empty() && random.below(8) > 0 => {
            out.push('\n');
            for value in list {
                out.push_str(&format!("{margin}-"));
                block(random, value, indent + 2, out);
            }
        }
        Value::String(text) if is_plain(text) && random.below(2) == 0 => {
            out.push_str(&format!(" {text}\n"))
        }
        Value::String(text) if !text.contains(['\n', '\r', '\t']) && random.below(2) == 0 => {
            out.push_str(&format!(" '{}'\n", text.replace('\'', "''")))
        }
        other => out.push_str(&format!(" {other}\n")),
    }
}

fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

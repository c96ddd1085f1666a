//! Docker's socket below a directory above it that a container mounts: what refuses, what warns, and
//! what is only recorded, as system agents are.

use serde_json::{Value, json};
use undock::check::{Input, check};
use undock::decision::{Mode, Outcome, Policy};
use undock::finding::Action;
use undock::workload::Overrides;
use undock::workload::host_path::HostPath;

/// The outcome for `pod` and the rules with what they do, under the mode that refuses.
fn judged(pod: &Value, policy: &Policy) -> (Outcome, Vec<String>) {
    let checked = check(&[Input::new("pod", pod.to_string())], "ci", policy);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let object = &checked.objects[0];
    let findings = object.findings.iter().map(|placed| &placed.judged);
    let shown = findings.map(|judged| format!("{} {}", judged.finding.rule.code, judged.action));
    (object.outcome, shown.collect())
}

fn policy() -> Policy {
    Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    }
}

/// A Pod whose container has the node's `/run` at `/h`, with `more` in the container.
fn with_run(more: Value) -> Value {
    with_spec(more, json!({}))
}

/// The same with `spec` in the Pod.
fn with_spec(more: Value, spec: Value) -> Value {
    let mut container = json!({"name": "c", "image": "registry.example/tool:1",
        "volumeMounts": [{"name": "h", "mountPath": "/h"}]});
    merge(&mut container, more);
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [container],
            "volumes": [{"name": "h", "hostPath": {"path": "/run"}}]}});
    merge(&mut pod["spec"], spec);
    pod
}

fn merge(into: &mut Value, more: Value) {
    let Value::Object(more) = more else { panic!() };
    into.as_object_mut().unwrap().extend(more);
}

fn script(text: &str) -> Value {
    with_run(json!({"command": ["/bin/sh", "-c", text]}))
}

fn expect(pod: &Value, outcome: Outcome, rule: &str, what: &str) {
    let (found, rules) = judged(pod, &policy());
    let has_rule = rules.iter().any(|shown| shown.starts_with(rule));
    assert!(found == outcome && has_rule, "{what}: {found:?} {rules:?}");
}

#[test]
fn a_word_that_comes_to_be_the_socket_is_refused() {
    for text in [
        "dial /h/dock\"\"er.sock",
        "dial /h/do\\\ncker.sock",
        "a=docker; dial /h/$a.sock",
        "for d in /h; do dial $d/docker.sock; done",
        "set -- docker sock; dial /h/$1.$2",
        "dial /h/$(printf '\\144ocker').sock",
        "f() { dial $1/docker.sock; }; f /h",
        "cd /h && dial ./docker.sock",
        "cd /h; dial unix://docker.sock",
        "dial h/docker.sock",
        "D=/h; DOCKER_HOST=unix://$D/docker.sock dial",
        "echo '/h/docker.sock' | xargs dial",
        "echo 'a=/h/docker; dial $a.sock' | sh",
        "dockerd & dial /h/docker.sock",
        "HOME=/h; dial ~/docker.sock",
        "command cd /h; dial docker.sock",
        "builtin cd /h && dial unix://docker.sock",
        "env -C /h dial docker.sock",
        "env --chdir=/h dial docker.sock",
        "unshare --wd=/h dial docker.sock",
        "http --unix http+unix://%2Fh%2fdocker.sock/info",
        "watch -n 9 'cd /h; dial docker.sock'",
        "toybox sh -c 'dial /h/d''ocker.sock'",
        "[ -S /h/docker.sock ] && dial /h/docker.sock",
        "ls /h/docker.sock | xargs dial",
        "dial $(ls /h/docker.sock)",
        "until [ -S /h/docker.sock ]; do sleep 1; done",
        "S=/h/docker.sock; ls $S; dial",
        "a=docker; ./test /h/$a.sock",
        "dockerd --version; python -c \"dial('unix:///h/docker.sock')\"",
        "sudo dockerd & python -c \"dial('unix:///h/docker.sock')\"",
        "yash -c 'a=docker; dial /h/$a.sock'",
        "HOME=/h; cd; dial docker.sock",
        "a=docker; dial /proc/1/../../h/fd/../$a.sock",
        "a=docker; dial /proc/x/fd/3/../../../../h/$a.sock",
        "HOME=/h; S=~/docker; dial $S.sock",
        "cd /h; cd /tmp; dial $OLDPWD/docker.sock",
        "echo 'dial /h/$1.sock' > /tmp/x; sh -e /tmp/x docker",
        "cat > /tmp/x <<E\na=docker\ndial /h/$a.sock\nE\nchmod +x /tmp/x; /tmp/x",
        "echo 'a=docker; dial /h/$a.sock' >> x; . x",
        "echo 'a=docker; dial /h/$a.sock' | tee -a /x >/dev/null; . /x",
        "echo 'a=docker; dial /h/$a.sock' >/x.new; mv -f /x.new /x; sh /x",
        "echo 'a=docker; dial /h/$a.sock' >/tmp/x; cp /tmp/x /bin/; /bin/x",
    ] {
        expect(&script(text), Outcome::Deny, "DKR110", text);
    }
    for container in [
        json!({"workingDir": "/h", "args": ["docker.sock"]}),
        json!({"workingDir": "/h", "args": ["--socket=./docker.sock"]}),
        json!({"workingDir": "/h", "args": ["/proc/self/cwd/docker.sock"]}),
        json!({"workingDir": "/h", "env": [{"name": "DOCKER_HOST", "value": "unix://docker.sock"}]}),
        json!({"command": ["sh", "-c", "dial $0", "/h/docker.sock"]}),
        json!({"livenessProbe": {"exec": {"command": ["dial", "/h/docker.sock"]}}}),
        json!({"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "dial /h/d''ocker.sock"]}}}}),
        json!({"command": ["sh", "-c", "dial ~/docker.sock"], "env": [{"name": "HOME", "value": "/h"}]}),
        json!({"command": ["sh", "-x"], "env": [{"name": "PS4", "value": "$(dial /h/do''cker.sock)"}]}),
        json!({"stdin": true, "tty": true, "env": [
            {"name": "PROMPT_COMMAND", "value": "a=docker; dial /h/$a.sock"}]}),
        json!({"args": ["/h d/docker.sock"], "volumeMounts": [{"name": "h", "mountPath": "/h d"}]}),
        json!({"args": ["/h*/docker.sock"], "volumeMounts": [{"name": "h", "mountPath": "/h*"}]}),
    ] {
        let shown = container.to_string();
        expect(&with_run(container), Outcome::Deny, "DKR110", &shown);
    }
}

#[test]
fn a_file_that_a_script_decides_is_told() {
    for text in [
        "dial /h/d*r.sock",
        "for f in /h/*.sock; do dial $f; done",
        "ls /h | while read f; do dial /h/$f; done",
        "cd /h; ls | xargs dial",
        "dial /h/$(ls /h | grep ocke)",
        "dial /h/$HOSTNAME.sock",
        "dial /h/{docker,x}.sock",
        "find /h -name '*ocker.sock' -exec dial {} \\;",
        "find /h -type s | xargs dial",
        "dial $(cat /etc/where)/docker.sock",
        "ln -s /h /tmp/l; dial /tmp/l/x",
        "mount --bind /h /tmp/l",
        "cat /etc/what | base64 -d | sh",
        "eval \"$(cat /etc/what)\"",
        "exec 3</h; dial /proc/self/fd/3/docker.sock",
        "exec 3</h; cd /dev/fd/3; dial docker.sock",
        "exec 3</h; dial /proc/$$/fd/3/docker.sock",
        "Q=hx; cd /${Q%x}; dial docker.sock",
        "A=(x /h); cd ${A[1]}; dial --unix-socket docker.sock",
        "cd $(dirname /h/x); dial docker.sock",
        "cd /?; dial docker.sock",
        "cd $Q; dial docker.sock",
        "exec 3</h; dial /dev/fd/3/d*.sock",
        "x=$(base64 -d /etc/what); $x",
        "set -- $(base64 -d /etc/what); \"$@\"",
        "base64 -d /etc/what | while read a b; do $a $b; done",
        "base64 -d /etc/what > /tmp/x; sh /tmp/x",
        "base64 -d /etc/what | sudo tee /tmp/x; sh /tmp/x",
        "base64 -d /etc/what >/tmp/x; install -m 755 /tmp/x /bin/x; /bin/x",
        "curl http://x/y >/tmp/x && chmod +x /tmp/x && exec /tmp/x a",
        "for a in 1 2 3 4 5 doc; do for b in 1 2 3 4 ker; do dial /h/$a$b.sock; done; done",
    ] {
        expect(&script(text), Outcome::Warn, "DKR111 warn", text);
    }
    // More values than are followed.
    let names: String = (0..40).map(|i| format!("w{i} ")).collect();
    let many = format!("for i in {names} docke; do dial /h/${{i}}r.sock; done");
    expect(&script(&many), Outcome::Warn, "DKR111 warn", &many);
    let from_elsewhere = json!({"args": ["/h/$(C).sock"], "env": [
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]});
    expect(
        &with_run(from_elsewhere),
        Outcome::Warn,
        "DKR111 warn",
        "a ConfigMap",
    );
}

#[test]
fn what_can_change_after_the_review_is_open() {
    let name = json!([{"name": "N",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['n']"}}}]);
    let with_value = |value: &str, more: Value| {
        let mut pod = with_run(more);
        pod["metadata"]["annotations"] = json!({"n": value});
        pod
    };
    let words = json!({"args": ["/h/$(N).sock"], "env": name});
    let pod = with_value("other", words.clone());
    expect(&pod, Outcome::Warn, "DKR111 warn", "an argument");
    expect(
        &with_value("docker", words),
        Outcome::Deny,
        "DKR110",
        "the socket already",
    );
    let mounts = json!([{"name": "h", "mountPath": "/s", "subPathExpr": "$(N)"}]);
    let mounted = json!({"volumeMounts": mounts, "env": name});
    let pod = with_value("other", mounted.clone());
    expect(&pod, Outcome::Warn, "DKR111 warn", "a mount");
    expect(
        &with_value("docker.sock", mounted),
        Outcome::Deny,
        "DKR101",
        "the socket itself",
    );
    let narrow = json!([{"name": "h", "mountPath": "/s", "subPathExpr": "app/$(N)"}]);
    let narrow = with_value("other", json!({"volumeMounts": narrow, "env": name}));
    assert_eq!(judged(&narrow, &policy()).0, Outcome::Clean);
}

#[test]
fn an_operator_can_refuse_what_cannot_be_known() {
    let strict = Policy {
        actions: [("DKR111", Action::Deny), ("DKR113", Action::Deny)]
            .map(|(code, action)| (code.to_owned(), action))
            .into(),
        ..policy()
    };
    assert_eq!(judged(&with_run(json!({})), &strict).0, Outcome::Deny);
    assert_eq!(
        judged(&script("sh /scripts/run.sh"), &strict).0,
        Outcome::Deny
    );
    let among = json!({"securityContext": {"privileged": true}, "volumeMounts": []});
    let among = with_spec(among, json!({"hostPID": true, "volumes": []}));
    assert_eq!(judged(&among, &strict).0, Outcome::Deny);
}

#[test]
fn an_agent_that_takes_other_files_is_recorded() {
    for text in [
        "ls /h/netns | while read f; do ip netns exec $f ip a; done",
        "for f in /h/systemd/*.conf; do cat $f; done",
        "find /h -name '*.pid' -exec cat {} \\;",
        "cp /bin/plugin /h/plugin/$NAME",
        "tail -F /var/log/$POD/*.log",
        "rm -f /h/$NAME.pid",
        "touch /h/xtables.lock; exec agent --root=/h",
        "if [ -e /h/x ]; then ln -sf /h/x /tmp/x; fi",
        "sh /scripts/run.sh",
        "echo $1; cd /tmp; cat $1",
        "curl -sf http://localhost:8080/healthz",
        "if [ -S /h/docker.sock ]; then echo docker; fi",
        "S=/tmp/x; test -e \"/h/docker.sock\" && echo found",
        "[[ ! -S /h/docker.sock ]] || exit 1",
        "ls -l /h/docker.sock || true; rm -f /h/docker.sock",
    ] {
        expect(&script(text), Outcome::Record, "DKR111 record", text);
    }
}

#[test]
fn what_cannot_be_known_is_recorded() {
    // SECURITY.md names these.
    let env = json!([{"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]);
    let whole = with_run(json!({"args": ["$(C)"], "env": env}));
    expect(
        &whole,
        Outcome::Record,
        "DKR111 record",
        "a whole argument of a ConfigMap",
    );
    let file = with_run(json!({"command": ["sh", "/scripts/run.sh"]}));
    expect(
        &file,
        Outcome::Record,
        "DKR111 record",
        "a script in a volume",
    );
    let image = with_run(json!({}));
    expect(
        &image,
        Outcome::Record,
        "DKR111 record",
        "what the image starts",
    );
}

#[test]
fn a_socket_that_the_operator_names_is_one() {
    let sockets = vec![HostPath::new("/run/engine/engine.sock")];
    let policy = Policy {
        overrides: Overrides {
            sockets,
            ..Overrides::default()
        }
        .into(),
        ..policy()
    };
    let pod = with_run(json!({"args": ["/h/engine/engine.sock"]}));
    assert_eq!(judged(&pod, &policy).0, Outcome::Deny);
    let pod = with_run(json!({"command": ["sh", "-c", "dial /h/engine/e*.sock"]}));
    assert_eq!(judged(&pod, &policy).0, Outcome::Warn);
}

#[test]
fn processes_of_the_pod_lead_to_what_they_mount() {
    let dial = json!({"name": "d", "image": "registry.example/tool:1",
        "command": ["sh", "-c", "for p in /proc/[0-9]*; do dial $p/root/h/docker.sock; done"]});
    let sleeper = json!({"name": "s", "image": "registry.example/sleep:1",
        "volumeMounts": [{"name": "h", "mountPath": "/h"}]});
    let containers = json!([sleeper, dial]);
    let shared = json!({"shareProcessNamespace": true, "containers": containers});
    expect(
        &with_spec(json!({}), shared),
        Outcome::Deny,
        "DKR110",
        "shared processes",
    );
    let apart = with_spec(json!({}), json!({"containers": containers}));
    assert_ne!(
        judged(&apart, &policy()).0,
        Outcome::Deny,
        "each has its own"
    );
    let added = json!({"containers": [sleeper], "ephemeralContainers": [dial]});
    expect(
        &with_spec(json!({}), added),
        Outcome::Deny,
        "DKR110",
        "an ephemeral container",
    );
}

#[test]
fn processes_of_the_node_lead_to_its_files() {
    let among = |text: &str| {
        with_spec(
            json!({"command": ["sh", "-c", text], "securityContext": {"privileged": true},
                "volumeMounts": []}),
            json!({"hostPID": true, "volumes": []}),
        )
    };
    let text = "cd /proc/1/root/run; dial docker.sock";
    expect(&among(text), Outcome::Deny, "DKR302", text);
    let text = "for s in /proc/1/root/run/*.sock; do dial $s; done";
    expect(&among(text), Outcome::Warn, "DKR113 warn", text);
    for text in [
        "nsenter -t 1 -m docker",
        "nsenter -t 1 -m do\"\"cker ps",
        "echo docker ps | nsenter -t 1 -m /bin/sh",
        "echo ps | nsenter -t 1 -m xargs docker",
        "for c in docker; do nsenter -t 1 -m $c ps; done",
        "xargs -I{} nsenter -t 1 -m {} ps <<E\ndocker\nE",
        "nsenter -t 1 -m /usr/bin/d*ker ps",
        "chroot /proc/1/root docker",
    ] {
        expect(&among(text), Outcome::Deny, "DKR402", text);
    }
    for text in [
        "nsenter -t 1 -m -- sysctl -w a=$B",
        "cat /proc/1/root/etc/$F",
        "ls /proc/$P/fd",
    ] {
        expect(&among(text), Outcome::Record, "DKR113 record", text);
    }
}

#[test]
fn the_directory_of_a_rootless_docker_is_one_above_its_socket() {
    let with = |text: &str| {
        let mut pod = script(text);
        pod["spec"]["volumes"][0]["hostPath"]["path"] = json!("/run/user/1000");
        pod
    };
    for text in [
        "dial /h/dock''er.sock",
        "cd /h; dial docker.sock",
        "x=/h; app --sock=$x/docker.sock",
    ] {
        expect(&with(text), Outcome::Deny, "DKR110", text);
    }
    for text in ["dial /h/*.sock", "dial /h/$X"] {
        expect(&with(text), Outcome::Warn, "DKR111 warn", text);
    }
    expect(
        &with("podman --url unix:///h/podman/podman.sock"),
        Outcome::Record,
        "DKR111",
        "podman",
    );
}

#[test]
fn a_process_of_a_windows_node_has_its_pipes() {
    for (text, variable) in [
        ("docker -H npipe:////./pipe/docker_engine ps", ""),
        ("docker ps", ""),
        ("app", "npipe:////./pipe/DOCKER_ENGINE"),
        ("app", r"npipe:\\.\pipe\docker_engine"),
    ] {
        let container = |host_process: bool| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
                "hostNetwork": true, "containers": [{"name": "c", "image": "registry.example/tool:1",
                "command": ["cmd", "/c", text], "env": [{"name": "DOCKER_HOST", "value": variable}],
                "securityContext": {"windowsOptions": {"hostProcess": host_process}}}]}})
        };
        let (outcome, rules) = judged(&container(true), &policy());
        assert_eq!(outcome, Outcome::Deny, "{text} {variable}: {rules:?}");
        let (outcome, rules) = judged(&container(false), &policy());
        assert!(outcome < Outcome::Deny, "{text} {variable}: {rules:?}");
    }
}

#[test]
fn of_two_mounts_at_one_place_the_nodes_counts() {
    let mounts = json!([
        {"name": "h", "mountPath": "/var/run"}, {"name": "e", "mountPath": "/run"},
    ]);
    for mounts in [mounts.clone(), json!([mounts[1], mounts[0]])] {
        let pod = with_spec(
            json!({"image": "docker:27-cli", "volumeMounts": mounts}),
            json!({"volumes": [{"name": "h", "hostPath": {"path": "/run"}},
                {"name": "e", "emptyDir": {}}]}),
        );
        expect(&pod, Outcome::Deny, "DKR201", "two spellings of a place");
    }
}

#[test]
fn a_daemon_that_does_not_start_takes_no_address_of_the_node() {
    for (daemon, is_privileged, outcome) in [
        ("dockerd -D &", true, Outcome::Warn),
        ("dockerd -D &", false, Outcome::Deny),
        ("dockerd --version;", true, Outcome::Deny),
    ] {
        let script = format!("{daemon} dial tcp://localhost:2375");
        let pod = with_spec(
            json!({"command": ["sh", "-c", script], "volumeMounts": [],
                "securityContext": {"privileged": is_privileged}}),
            json!({"hostNetwork": true, "volumes": []}),
        );
        expect(&pod, outcome, "DKR304", daemon);
    }
}

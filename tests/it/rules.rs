//! Every rule against its fixtures, and the parts of messages that the contract fixes.
//!
//! `tests/fixtures/rules/NAME/flags.yaml` and `passes.yaml` hold one case a document; its first line, a comment,
//! says what the case is. Every document of the one is flagged by the rule, none of the other is.

use std::fs;
use std::path::PathBuf;

use undock::check::{Checked, CheckedObject, Input};
use undock::decision::{Mode, Policy};
use undock::finding::{Action, Context, Rule, Target};
use undock::rules::{self, RULES};

fn policy() -> Policy {
    Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    }
}

fn check(text: &str) -> Checked {
    check_for(text, Target::default())
}

fn check_for(text: &str, target: Target) -> Checked {
    let policy = Policy {
        context: Context { target },
        ..policy()
    };
    let checked = undock::check::check(&[Input::new("case", text)], "default", &policy);
    assert!(checked.errors.is_empty(), "{:?} in\n{text}", checked.errors);
    checked
}

/// The cases of a fixture file: comment and text.
fn cases(rule: &Rule, file: &str) -> Vec<(String, String)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/rules")
        .join(rule.name)
        .join(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let documents = text.split("\n---\n").map(|document| {
        let comment = document
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "));
        let comment = comment.unwrap_or_else(|| {
            panic!(
                "{}: a case begins without a comment:\n{document}",
                path.display()
            )
        });
        (comment.to_owned(), document.to_owned())
    });
    documents.collect()
}

/// Runs the cases of all rules in `file`; what `judge` says about a case is collected.
fn run(file: &str, judge: impl Fn(&Rule, &str, usize) -> Option<String>) {
    let mut failures = Vec::new();
    for rule in RULES {
        let cases = cases(rule, file);
        assert!(
            cases.len() >= 3,
            "{}/{file} has {} cases, three are the least",
            rule.name,
            cases.len()
        );
        for (comment, text) in cases {
            let checked = check_for(&text, rule.target.unwrap_or_default());
            assert!(
                !checked.objects.is_empty(),
                "{} {file}: no object in case {comment:?}",
                rule.name
            );
            let found = checked
                .objects
                .iter()
                .flat_map(|object| &object.findings)
                .filter(|f| f.judged.finding.rule.code == rule.code);
            if let Some(complaint) = judge(rule, &comment, found.count()) {
                failures.push(format!(
                    "{} {}/{file}: {complaint}: {comment}",
                    rule.code, rule.name
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases fail\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn every_case_that_should_be_flagged_is() {
    run("flags.yaml", |_, _, found| {
        (found == 0).then(|| "not flagged".to_owned())
    });
}

#[test]
fn no_case_that_should_pass_is_flagged() {
    run("passes.yaml", |_, _, found| {
        (found > 0).then(|| format!("flagged {found} times"))
    });
}

#[test]
fn every_rule_has_a_near_miss() {
    for rule in RULES {
        let near = cases(rule, "passes.yaml")
            .iter()
            .any(|(comment, _)| comment.starts_with("near miss: "));
        assert!(
            near,
            "{}/passes.yaml has no case that begins with `# near miss: `",
            rule.name
        );
    }
}

/// A Pod with one container that mounts `path` with `hostPath.type` `kind`.
fn mounting(path: &str, kind: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec:\n  containers:\n  - name: app\n    image: registry.example/app:1\n    \
         volumeMounts: [{{name: v, mountPath: /v}}]\n  volumes:\n  - name: v\n    hostPath: {{path: '{path}', type: '{kind}'}}\n"
    )
}

/// A Pod with one container, the fields of which are given in flow style, and what else the spec holds.
fn running(container: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: x}}, spec: {{containers: [{{name: app, {container}}}], {spec}}}}}"
    )
}

#[test]
fn what_keeps_a_daemon_from_the_node_is_said() {
    let privileged = "image: 'docker:27-dind', securityContext: {privileged: true}";
    let plain = "image: 'docker:27-dind'";
    for (container, spec, words) in [
        (privileged, "hostIPC: false", "full control of the node"),
        (
            plain,
            "hostIPC: false",
            "dockerd does not start without privileges",
        ),
        (plain, "runtimeClassName: sysbox-runc", "in a sandbox"),
        (privileged, "runtimeClassName: kata-qemu", "in a sandbox"),
        (privileged, "hostUsers: false", "no rights on the node"),
        (
            "image: 'docker:27-dind-rootless', securityContext: {privileged: true}",
            "hostIPC: false",
            "rootless",
        ),
    ] {
        let checked = check(&running(container, spec));
        let message = of_rule(&checked, "DKR203").judged.finding.message();
        assert!(message.contains(words), "{container} {spec}: {message}");
        let is_open = words.contains("full control");
        assert_eq!(message.contains("full control"), is_open, "{message}");
    }
}

#[test]
fn a_flag_with_a_common_name_warns_only_in_programs_that_mean_the_runtime() {
    for (container, action) in [
        (
            "image: 'registry.example/docs:1', args: [--component=docker]",
            Action::Record,
        ),
        (
            "image: 'registry.example/app:1', args: [--runtime, docker]",
            Action::Record,
        ),
        (
            "image: 'registry.example/node-problem-detector:1', args: [--component=docker]",
            Action::Warn,
        ),
        (
            "image: 'registry.example/app:1', command: [/bin/health-checker, --component=docker]",
            Action::Warn,
        ),
        (
            "image: 'registry.example/chaos-daemon:1', args: [--runtime=docker]",
            Action::Warn,
        ),
        (
            "image: 'registry.example/app:1', args: [--container-runtime=docker]",
            Action::Warn,
        ),
    ] {
        let checked = check(&running(container, "hostIPC: false"));
        assert_eq!(
            of_rule(&checked, "DKR306").judged.action,
            action,
            "{container}"
        );
    }
}

fn of_rule<'c>(checked: &'c Checked, code: &str) -> &'c undock::check::Placed {
    let all = || {
        checked
            .objects
            .iter()
            .flat_map(|object: &CheckedObject| &object.findings)
    };
    let found = all().find(|placed| placed.judged.finding.rule.code == code);
    found.unwrap_or_else(|| {
        panic!(
            "{code} is not among {:?}",
            all()
                .map(|p| p.judged.finding.rule.code)
                .collect::<Vec<_>>()
        )
    })
}

#[test]
fn actions_are_those_of_the_contract() {
    let dind = "}, {name: dind, image: 'docker:dind', securityContext: {privileged: true}";
    let socket = "volumes: [{name: s, hostPath: {path: /run/docker.sock}}]";
    let mounts = "volumeMounts: [{name: s, mountPath: /var/run/docker.sock}]";
    let log = "volumes: [{name: a, hostPath: {path: /var/log}}, {name: b, hostPath: {path: /var/lib/docker/containers}}]";
    let log_mounts = "image: x, volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}]";
    let data = "volumes: [{name: a, hostPath: {path: /var/lib/docker}}, {name: b, hostPath: {path: /var/lib/containerd}}]";
    let both_data = "image: x, volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}]";
    let host_call = |script: &str| {
        running(
            &format!("image: x, command: [sh, -c, '{script}']"),
            "hostPID: true",
        )
    };
    let cases = [
        ("DKR101", Action::Deny, mounting("/var/run/docker.sock", "")),
        ("DKR102", Action::Deny, mounting("/run/dockershim.sock", "")),
        (
            "DKR102",
            Action::Record,
            mounting("/run/dockershim.sock", "").replace(
                "spec:\n",
                "spec:\n  nodeSelector: {bottlerocket.aws/variant: aws-k8s-1.20}\n",
            ),
        ),
        (
            "DKR103",
            Action::Deny,
            mounting("/run/cri-dockerd.sock", ""),
        ),
        ("DKR104", Action::Deny, mounting("/run/docker/plugins", "")),
        (
            "DKR105",
            Action::Deny,
            mounting(r"\\.\pipe\docker_engine", ""),
        ),
        (
            "DKR106",
            Action::Deny,
            mounting("/run/user/7/docker.sock", ""),
        ),
        (
            "DKR107",
            Action::Warn,
            mounting("/run/crio/crio.sock", "").replace("/v}", "/docker.sock}"),
        ),
        ("DKR108", Action::Deny, mounting("/opt/docker.sock", "")),
        ("DKR111", Action::Record, mounting("/var/run", "")),
        (
            "DKR501",
            Action::Warn,
            mounting("/var/lib/docker", "Directory"),
        ),
        ("DKR501", Action::Record, running(both_data, data)),
        (
            "DKR501",
            Action::Warn,
            running(
                both_data,
                &data.replace("docker}", "docker, type: Directory}"),
            ),
        ),
        (
            "DKR502",
            Action::Warn,
            mounting("/var/lib/docker/containers", "Directory"),
        ),
        ("DKR502", Action::Record, running(log_mounts, log)),
        (
            "DKR503",
            Action::Warn,
            mounting("/etc/docker/daemon.json", "File"),
        ),
        (
            "DKR507",
            Action::Warn,
            mounting("/var/log/docker.log", "File"),
        ),
        ("DKR504", Action::Deny, mounting("/usr/bin/docker", "")),
        ("DKR505", Action::Deny, mounting("/var/lib/dockershim", "")),
        ("DKR506", Action::Deny, mounting("/run/docker.pid", "")),
        ("DKR201", Action::Deny, running("image: docker", "")),
        (
            "DKR201",
            Action::Record,
            running(&format!("image: 'docker:cli'{dind}"), ""),
        ),
        (
            "DKR201",
            Action::Record,
            running(
                "image: 'docker:cli', env: [{name: DOCKER_HOST, value: 'tcp://builder:2375'}]",
                "",
            ),
        ),
        (
            "DKR201",
            Action::Warn,
            running("image: registry.example/ci/docker", ""),
        ),
        (
            "DKR203",
            Action::Warn,
            running(
                "image: 'docker:dind', securityContext: {privileged: true}",
                "",
            ),
        ),
        (
            "DKR204",
            Action::Deny,
            running("image: spotify/docker-gc", ""),
        ),
        (
            "DKR301",
            Action::Deny,
            running(
                "image: x, env: [{name: DOCKER_HOST, value: localhost}]",
                "hostNetwork: true",
            ),
        ),
        (
            "DKR304",
            Action::Deny,
            running("image: x, args: ['172.17.0.1:2375']", ""),
        ),
        (
            "DKR401",
            Action::Warn,
            running("image: x, command: [docker, ps]", ""),
        ),
        (
            "DKR401",
            Action::Deny,
            running(
                &format!("image: x, command: [docker, ps], {mounts}"),
                socket,
            ),
        ),
        (
            "DKR401",
            Action::Deny,
            running(
                &format!("image: x, command: [sh, -c, 'crictl ps || docker ps'], {mounts}"),
                socket,
            ),
        ),
        (
            "DKR401",
            Action::Record,
            running(
                &format!(
                    "image: falcosecurity/falco:1, command: [sh, -c, 'crictl ps || docker ps'], {mounts}"
                ),
                socket,
            ),
        ),
        (
            "DKR402",
            Action::Deny,
            running(
                "image: x, command: [nsenter, -t, '1', docker, ps]",
                "hostPID: true",
            ),
        ),
        (
            "DKR402",
            Action::Deny,
            host_call(
                "nsenter -t 1 -m crictl rmi --prune || nsenter -t 1 -m docker image prune -f",
            ),
        ),
        (
            "DKR403",
            Action::Deny,
            host_call("nsenter -t 1 -m systemctl restart docker"),
        ),
        (
            "DKR403",
            Action::Deny,
            host_call(
                "nsenter -t 1 -m systemctl restart docker || nsenter -t 1 -m systemctl restart containerd",
            ),
        ),
        (
            "DKR201",
            Action::Warn,
            running(
                "image: 'docker:cli', command: [sh, -c, 'docker login -u x && docker manifest inspect y']",
                "",
            ),
        ),
        (
            "DKR301",
            Action::Warn,
            running(
                "image: x, env: [{name: DOCKER_HOST, valueFrom: {configMapKeyRef: {name: a, key: b}}}]",
                "",
            ),
        ),
        (
            "DKR404",
            Action::Deny,
            running(
                &format!("image: x, command: [curl, --unix-socket, /run/docker.sock, x], {mounts}"),
                socket,
            ),
        ),
        ("DKR101", Action::Record, running("image: x", socket)),
        (
            "DKR201",
            Action::Record,
            running("image: 'docker:cli', command: [cp, bin/docker, /t]", ""),
        ),
        (
            "DKR110",
            Action::Deny,
            mounting("/run", "").replace("image: ", "args: [/v/docker.sock]\n    image: "),
        ),
    ];
    for (code, action, text) in cases {
        let checked = check(&text);
        assert_eq!(
            of_rule(&checked, code).judged.action,
            action,
            "{code} for\n{text}"
        );
    }
}

#[test]
fn an_action_of_the_configuration_replaces_the_rule_own() {
    let mut policy = policy();
    policy.actions.insert("DKR101".to_owned(), Action::Record);
    let input = Input::new("case", mounting("/run/docker.sock", ""));
    let checked = undock::check::check(&[input], "default", &policy);
    assert_eq!(of_rule(&checked, "DKR101").judged.action, Action::Record);
}

#[test]
fn the_failure_mode_follows_the_type_of_the_host_path() {
    let stuck = "stays in ContainerCreating with FailedMount";
    let cases = [
        ("/var/run/docker.sock", "Socket", "DKR101", stuck),
        ("/var/run/docker.sock", "File", "DKR101", stuck),
        (
            "/var/run/docker.sock",
            "",
            "DKR101",
            "starts with an empty directory",
        ),
        (
            "/var/run/docker.sock",
            "DirectoryOrCreate",
            "DKR101",
            "kubelet creates an empty directory",
        ),
        (
            "/var/run/docker.sock",
            "FileOrCreate",
            "DKR101",
            "kubelet creates an empty file",
        ),
        ("/var/lib/docker", "Directory", "DKR501", stuck),
        (
            "/var/lib/docker",
            "",
            "DKR501",
            "starts with an empty directory",
        ),
        ("/usr/bin/docker", "File", "DKR504", stuck),
        (
            "/usr/bin/docker",
            "",
            "DKR504",
            "starts with an empty directory",
        ),
        ("/etc/docker/daemon.json", "File", "DKR503", stuck),
        // These directories are on every node, so their type stops nothing.
        ("/var/run", "Directory", "DKR111", "check the image once"),
        ("/", "Directory", "DKR111", "check the image once"),
        ("/var", "", "DKR111", "check the image once"),
    ];
    for (path, kind, code, words) in cases {
        let checked = check(&mounting(path, kind));
        let message = of_rule(&checked, code).judged.finding.message();
        assert!(message.contains(words), "{path} as {kind:?}: {message}");
        assert!(
            code != "DKR111" || !message.contains("stuck"),
            "{path} as {kind:?}: {message}"
        );
    }
    let unmounted = running(
        "image: x",
        "volumes: [{name: s, hostPath: {path: /run/docker.sock, type: Socket}}]",
    );
    let message = of_rule(&check(&unmounted), "DKR101")
        .judged
        .finding
        .message();
    assert!(
        message.contains("no container mounts it") && !message.contains("FailedMount"),
        "{message}"
    );
}

#[test]
fn a_message_names_the_place_and_the_path() {
    let checked = check(&mounting("//run//docker.sock/", "Socket"));
    let placed = of_rule(&checked, "DKR101");
    let finding = &placed.judged.finding;
    assert_eq!(finding.field, "spec.volumes[0].hostPath.path");
    assert_eq!(finding.container.as_deref(), Some("app"));
    assert!(
        finding
            .message()
            .starts_with("volume \"v\" mounts /var/run/docker.sock: "),
        "{}",
        finding.message()
    );
    assert_eq!((placed.line, placed.column), (11, 22));
    let checked = check(&running("image: 'docker:27-cli'", ""));
    let message = of_rule(&checked, "DKR201").judged.finding.message();
    assert!(
        message.starts_with("container \"app\" runs image docker:27-cli: "),
        "{message}"
    );
}

#[test]
fn a_finding_in_a_long_text_names_the_place() {
    let config = |text: &str| {
        let lines: String = text.lines().map(|line| format!("    {line}\n")).collect();
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  conf: |\n{lines}")
    };
    let script = |text: &str| {
        running(
            &format!("image: x, command: [sh, -c, {}]", serde_json::json!(text)),
            "hostPID: true",
        )
    };
    let cases = [
        (
            "DKR701",
            "[INPUT]\n  Name tail\n  # Parser docker\n  Parser ",
            "docker",
        ),
        (
            "DKR702",
            "groups:\n- expr: 1\n- expr: ",
            "container_fs_usage_bytes",
        ),
        ("DKR703", "a: 1\nb: sed ", "docker://"),
        (
            "CLU902",
            "a: 1\n# containerRuntimeExecutor: docker\ncontainerRuntimeExecutor: ",
            "docker",
        ),
        ("DKR401", "set -e\n# docker ps\n", "docker ps"),
        ("DKR402", "true\nnsenter -t 1 -m ", "docker image prune"),
        ("DKR403", "true\nnsenter -t 1 -m ", "systemctl stop docker"),
        ("DKR304", "wait\ncurl ", "172.17.0.1:2375"),
    ];
    for (code, before, token) in cases {
        let text = format!("{before}{token}\n");
        let is_script = ["DKR401", "DKR402", "DKR403", "DKR304"].contains(&code);
        let checked = check(&if is_script {
            script(&text)
        } else {
            config(&text)
        });
        let offset = of_rule(&checked, code).judged.finding.offset;
        assert_eq!(offset, Some(before.len()), "{code} in {text:?}");
    }
}

#[test]
fn evidence_never_holds_a_command_line_or_a_password() {
    let text = running(
        "image: x, env: [{name: DOCKER_HOST, value: 'tcp://ci:hunter2@172.17.0.1:2375'}], \
         command: [sh, -c, 'docker login -u ci -p hunter2 && curl -u ci:hunter2 --unix-socket /run/docker.sock x']",
        "",
    );
    let bare = running(
        "image: x, env: [{name: DOCKER_HOST, value: 'ci:hunter2@172.17.0.1:2375'}]",
        "",
    );
    let query = running(
        "image: x, env: [{name: DOCKER_HOST, value: 'tcp://172.17.0.1:2375/hunter2?token=hunter2'}]",
        "",
    );
    let flag = running(
        "image: x, args: ['--docker-endpoint', 'tcp://ci:hunter2@172.17.0.1:2375']",
        "",
    );
    let checked: Vec<_> = [&text, &bare, &query, &flag]
        .iter()
        .map(|text| check(text))
        .collect();
    let found: Vec<_> = checked
        .iter()
        .flat_map(|checked| &checked.objects)
        .flat_map(|object| &object.findings)
        .collect();
    assert!(found.len() >= 10, "{found:?}");
    for placed in found {
        let finding = &placed.judged.finding;
        for shown in [&finding.evidence, &finding.message(), &finding.identity] {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[test]
fn fingerprints_ignore_spelling_and_tell_objects_apart() {
    let fingerprint =
        |text: &str, code: &str| of_rule(&check(text), code).judged.fingerprint.clone();
    let socket = fingerprint(&mounting("/var/run/docker.sock", ""), "DKR101");
    for spelling in [
        "/run/docker.sock",
        "//var//run/./docker.sock/",
        "/proc/1/root/run/docker.sock",
    ] {
        assert_eq!(
            fingerprint(&mounting(spelling, "Socket"), "DKR101"),
            socket,
            "{spelling}"
        );
    }
    assert_ne!(
        fingerprint(
            &mounting("/run/docker.sock", "").replace("name: x", "name: y"),
            "DKR101"
        ),
        socket
    );
    let image = |image: &str| fingerprint(&running(&format!("image: '{image}'"), ""), "DKR201");
    assert_eq!(
        image("docker:27-cli"),
        image("mirror.gcr.io/library/docker:28-cli@sha256:00")
    );
    let host = |value: &str| {
        let env = format!(
            "image: x, env: [{{name: DOCKER_HOST, value: '{value}'}}], volumeMounts: [{{name: s, mountPath: /run/docker.sock}}]"
        );
        fingerprint(
            &running(
                &env,
                "volumes: [{name: s, hostPath: {path: /run/docker.sock}}]",
            ),
            "DKR301",
        )
    };
    assert_eq!(
        host("unix:///var/run/docker.sock"),
        host("unix:////run//docker.sock")
    );
}

#[test]
fn rules_are_found_by_code_and_by_name() {
    for rule in RULES {
        assert_eq!(
            rules::find(rule.code).map(|found| found.name),
            Some(rule.name)
        );
        assert_eq!(
            rules::find(&rule.name.to_uppercase()).map(|found| found.code),
            Some(rule.code)
        );
    }
    assert!(rules::find("DKR000").is_none());
}

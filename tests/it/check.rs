//! `undock check` and `undock explain` as people run them: outputs, exit codes, inputs good and bad.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SOCKET_POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: builder
  namespace: ci
spec:
  containers:
  - name: build
    image: registry.example/build:1
    volumeMounts:
    - {name: sock, mountPath: /var/run/docker.sock}
  volumes:
  - name: sock
    hostPath:
      path: /var/run/docker.sock
";

const CLEAN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: ci}\n";

fn undock(folder: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_undock"))
        .current_dir(folder)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A child that ends early closes the pipe, which is its right.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn json_has_the_form_of_the_contract() {
    let folder = folder(&[("a.yaml", &format!("{CLEAN}---\n{SOCKET_POD}"))]);
    let output = undock(folder.path(), &["check", "a.yaml", "-o", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["schema"], "undock.check/v1");
    let summary = &report["summary"];
    for (field, value) in [
        ("files", 1),
        ("objects", 2),
        ("flagged", 1),
        ("denied", 1),
        ("errors", 0),
    ] {
        assert_eq!(summary[field], value, "{field}");
    }
    assert_eq!(report["objects"][0]["decision"], "clean");
    assert_eq!(report["objects"][0]["findings"], serde_json::json!([]));
    let pod = &report["objects"][1];
    let expected = serde_json::json!({"file": "a.yaml", "line": 5, "apiVersion": "v1", "kind": "Pod", "namespace": "ci", "name": "builder",
        "owner": {"kind": "Pod", "name": "builder"}, "decision": "deny"});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&pod[key], value, "{key}");
    }
    let finding = &pod["findings"][0];
    let expected = serde_json::json!({"rule": "DKR101", "name": "docker-socket-mount", "certainty": "certain", "impact": "breaks",
        "action": "deny", "container": "build", "field": "spec.volumes[0].hostPath.path", "line": 19, "column": 13,
        "evidence": "/var/run/docker.sock"});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&finding[key], value, "{key}");
    }
    assert_eq!(finding["fingerprint"].as_str().unwrap().len(), 16);
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .starts_with("volume \"sock\" mounts /var/run/docker.sock")
    );
    assert!(!finding["fix"].as_str().unwrap().is_empty());
}

#[test]
fn the_table_points_at_the_text() {
    let folder = folder(&[("a.yaml", SOCKET_POD)]);
    let output = undock(folder.path(), &["check", "a.yaml"], "");
    let text = stdout(&output);
    for part in [
        "error[DKR101]: volume \"sock\" mounts /var/run/docker.sock: absent on containerd nodes",
        "--> a.yaml:15:13  Pod ci/builder",
        "15 |       path: /var/run/docker.sock\n   |             ^^^^^^^^^^^^^^^^^^^^\n",
        "= fix: ",
        "Checked 1 object in 1 file: 1 denied, 0 warned, 0 recorded, 0 clean.",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn the_pointer_covers_the_value_and_no_more() {
    for (line, pointer) in [
        (
            "  - {name: a, image: docker} # why",
            "   |                      ^^^^^^\n",
        ),
        (
            "  - {name: a, image: \"docker\", command: [x]}",
            "   |                      ^^^^^^^^\n",
        ),
        (
            "  - {name: a, command: ['docker', ps], image: x}",
            "   |                         ^^^^^^^^\n",
        ),
        ("  - image: docker  # why", "   |            ^^^^^^\n"),
        (
            "  - image: x\n    command: [\"docker\",\n     \"ps\"]",
            "   |               ^^^^^^^^\n",
        ),
    ] {
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  namespace: b\n  labels: {{c: d}}\nspec:\n  restartPolicy: Never\n  containers:\n{line}\n"
        );
        let text = stdout(&undock(Path::new("."), &["check", "-"], &pod));
        assert!(text.contains(pointer), "{pointer:?} is not in\n{text}");
    }
}

#[test]
fn exit_codes_tell_findings_from_failures() {
    let broken = format!("a: [\n---\n{SOCKET_POD}");
    let files = [
        ("bad.yaml", SOCKET_POD),
        ("clean.yaml", CLEAN),
        ("broken.yaml", broken.as_str()),
        ("values.yaml", "replicas: 2\n"),
        ("empty/readme.txt", "x"),
    ];
    let folder = folder(&files);
    let cases: &[(&[&str], i32)] = &[
        (&["check", "clean.yaml"], 0),
        (&["check", "clean.yaml", "values.yaml"], 0),
        (&["check", "bad.yaml"], 1),
        (&["check", "bad.yaml", "--mode", "warn"], 0),
        (
            &["check", "bad.yaml", "--mode", "warn", "--fail-on", "warn"],
            1,
        ),
        (&["check", "bad.yaml", "--fail-on", "none"], 0),
        (&["check", "broken.yaml"], 1),
        (&["check", "absent.yaml"], 3),
        (&["check", "clean.yaml", "absent.yaml"], 3),
        (&["check", "empty"], 3),
        (&["check", "values.yaml"], 3),
        (&["check"], 2),
        (&["check", "clean.yaml", "-o", "xml"], 2),
        (&["check", "clean.yaml", "--modes"], 2),
        (&["check", "clean.yaml", "--config", "absent"], 2),
        (&["check", "clean.yaml", "-o", "json=absent/out.json"], 4),
        (&["explain", "DKR101"], 0),
        (&["explain", "DKR999"], 2),
        (&["explain"], 0),
    ];
    for (arguments, code) in cases {
        let output = undock(folder.path(), arguments, "");
        assert_eq!(
            output.status.code(),
            Some(*code),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_broken_document_costs_only_itself() {
    let folder = folder(&[(
        "a.yaml",
        &format!("{CLEAN}---\nkey: [1,\n---\n{SOCKET_POD}"),
    )]);
    let report = json(&undock(
        folder.path(),
        &["check", "a.yaml", "-o", "json"],
        "",
    ));
    assert_eq!(report["objects"].as_array().unwrap().len(), 2);
    let error = &report["errors"][0];
    assert_eq!(error["file"], "a.yaml");
    assert!(
        (5..=6).contains(&error["line"].as_u64().unwrap()),
        "{error}"
    );
    assert!(!error["message"].as_str().unwrap().is_empty());
}

#[test]
fn standard_input_folders_and_several_outputs_work_together() {
    let folder = folder(&[
        ("deploy/a/one.yml", SOCKET_POD),
        ("deploy/b.json", r#"{"kind":"Pod","apiVersion":"v1"}"#),
        ("deploy/c.txt", "x"),
    ]);
    let output = undock(
        folder.path(),
        &["check", "-", "deploy", "-o", "table", "-o", "json=out.json"],
        SOCKET_POD,
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("Checked 3 objects in 3 files: 2 denied"));
    let report: Value =
        serde_json::from_slice(&fs::read(folder.path().join("out.json")).unwrap()).unwrap();
    let files: Vec<_> = report["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["file"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, ["-", "deploy/a/one.yml", "deploy/b.json"]);
}

#[test]
fn the_configuration_changes_actions_and_the_namespace_can_be_given() {
    let config = "rules:\n  DKR101: warn\n";
    let folder = folder(&[
        ("a.yaml", &SOCKET_POD.replace("  namespace: ci\n", "")),
        ("undock.yaml", config),
    ]);
    let output = undock(
        folder.path(),
        &[
            "check",
            "a.yaml",
            "--config",
            "undock.yaml",
            "-n",
            "team-a",
            "-o",
            "json",
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(0));
    let report = json(&output);
    assert_eq!(report["objects"][0]["namespace"], "team-a");
    assert_eq!(report["objects"][0]["findings"][0]["action"], "warn");
}

#[test]
fn the_house_adds_mirrors_sockets_and_images() {
    let pod = "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - {name: a, image: IMAGE, volumeMounts: [{name: v, mountPath: /x}]}\n  volumes: [{name: v, hostPath: {path: PATH}}]\n";
    let config = "tables:\n  mirrors: [registry.corp/hub]\n  sockets: [/opt/run//engine.sock]\n  cliImages: [registry.corp/ci/client:1]\n";
    let folder = folder(&[("undock.yaml", config)]);
    let cases = [
        ("registry.corp/hub/docker:27-cli", "/x", "DKR201"),
        ("registry.corp/ci/client:2", "/x", "DKR201"),
        ("registry.corp/app", "/opt/run/engine.sock/", "DKR108"),
        ("registry.corp/hubble/client", "/x", ""),
    ];
    for (image, path, rule) in cases {
        let manifest = pod.replace("IMAGE", image).replace("PATH", path);
        let with = json(&undock(
            folder.path(),
            &["check", "-", "-o", "json", "--config", "undock.yaml"],
            &manifest,
        ));
        let without = json(&undock(
            folder.path(),
            &["check", "-", "-o", "json"],
            &manifest,
        ));
        let found = &with["objects"][0]["findings"];
        assert_eq!(
            found[0]["rule"].as_str().unwrap_or_default(),
            rule,
            "{image} {path}: {found}"
        );
        // Any image called docker is worth a warning; that it is refused takes the configuration.
        assert_ne!(without["objects"][0]["decision"], "deny", "{image} {path}");
        assert_eq!(
            with["objects"][0]["decision"] == "deny",
            !rule.is_empty(),
            "{image} {path}"
        );
    }
}

/// Rule, action and line of each finding, or the decision, by object.
fn judged(report: &Value) -> Vec<String> {
    let objects = report["objects"].as_array().unwrap().iter();
    objects
        .flat_map(|object| {
            let findings = object["findings"].as_array().unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            match findings.is_empty() {
                true => vec![text(&object["decision"])],
                false => findings
                    .iter()
                    .map(|found| format!("{} {}", text(&found["rule"]), text(&found["action"])))
                    .collect(),
            }
        })
        .collect()
}

#[test]
fn a_moved_data_directory_is_judged_as_the_usual_one() {
    let pod = |path: &str| {
        format!(
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - {{name: a, image: x/y, volumeMounts: [{{name: v, mountPath: /x}}]}}\n  volumes: [{{name: v, hostPath: {{path: {path}}}}}]\n"
        )
    };
    let config = "tables:\n  dataRoots: [/srv/engine/, /opt/a/b]\n";
    let files = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: f}\ndata:\n  daemon.json: '{\"data-root\": \"/srv/engine\"}'\n";
    let folder = folder(&[("undock.yaml", config)]);
    let run = |text: &str, more: &[&str]| {
        let arguments = [&["check", "-", "-o", "json"], more].concat();
        judged(&json(&undock(folder.path(), &arguments, text)))
    };
    for (path, expected) in [
        ("/srv/engine/containers", "DKR502 warn"),
        ("/srv/engine", "DKR501 warn"),
        ("/opt/a/b/overlay2", "DKR501 warn"),
        ("/srv/engineering/containers", "clean"),
    ] {
        assert_eq!(
            run(&pod(path), &["--config", "undock.yaml"]),
            [expected],
            "{path}"
        );
    }
    assert_eq!(run(&pod("/srv/engine/containers"), &[]), ["clean"]);
    // Another object shows it.
    let both = |path: &str| format!("{}---\n{files}", pod(path));
    for (path, expected) in [
        ("/srv/engine/containers", "DKR502 warn"),
        ("/srv/engine/overlay2/x", "DKR501 warn"),
        ("/srv/engine/something", "clean"),
    ] {
        assert_eq!(run(&both(path), &[]), [expected, "DKR508 record"], "{path}");
    }
}

#[test]
fn what_becomes_something_else_elsewhere_is_not_judged_and_never_clean() {
    let text = "kind: HelmRelease\napiVersion: helm.toolkit.fluxcd.io/v2\nmetadata: {name: web}\nspec: {chart: {spec: {chart: podinfo}}}\n---\n\
        kind: Application\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: dir}\nspec: {source: {path: apps/web}}\n---\n\
        kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: [\"https://example.com/org/repo?ref=v1\"]\n---\n\
        kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: [deployment.yaml]\npatches: [{patch: 'spec: {replicas: 2}'}]\n";
    let folder = folder(&[("a.yaml", text)]);
    let report = json(&undock(
        folder.path(),
        &["check", "a.yaml", "-o", "json"],
        "",
    ));
    assert_eq!(
        judged(&report),
        ["not-judged", "clean", "not-judged", "clean"]
    );
    assert_eq!(report["summary"]["notJudged"], 2);
    assert_eq!(report["objects"][0]["notJudged"], "chart podinfo");
    let output = undock(folder.path(), &["check", "a.yaml"], "");
    assert_eq!(output.status.code(), Some(0));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("not judged: chart podinfo of HelmRelease web, a.yaml:1\n")
            && table.contains(" 0 recorded, 2 clean; 2 objects not judged.\n"),
        "{table}"
    );
    for format in ["sarif", "github", "markdown", "junit"] {
        let output = undock(folder.path(), &["check", "a.yaml", "-o", format], "");
        let text = String::from_utf8(output.stdout).unwrap().to_lowercase();
        assert!(
            text.contains("not judged") && text.contains("podinfo"),
            "{format}: {text}"
        );
    }
}

#[test]
fn objects_are_judged_with_the_others_of_the_input() {
    let pod = "kind: Pod\napiVersion: v1\nmetadata: {name: p, namespace: ci}\nspec:\n  containers:\n  - {name: a, image: x/y, volumeMounts: [{name: v, mountPath: /x}]}\n  volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]\n";
    let volume = "kind: PersistentVolume\napiVersion: v1\nmetadata: {name: pv}\nspec: {claimRef: {namespace: ci, name: c}, hostPath: {path: /run/docker.sock}}\n";
    let folder = folder(&[
        ("a.yaml", &format!("# one\n---\n{pod}")),
        ("b.yaml", volume),
    ]);
    for order in [["a.yaml", "b.yaml"], ["b.yaml", "a.yaml"]] {
        let report = json(&undock(
            folder.path(),
            &["check", order[0], order[1], "-o", "json"],
            "",
        ));
        let objects = report["objects"].as_array().unwrap();
        let pod = objects
            .iter()
            .find(|object| object["kind"] == "Pod")
            .unwrap();
        let finding = &pod["findings"][0];
        assert_eq!(
            (
                finding["rule"].as_str(),
                finding["line"].as_u64(),
                finding["action"].as_str()
            ),
            (Some("DKR112"), Some(9), Some("deny"))
        );
    }
    let alone = json(&undock(
        folder.path(),
        &["check", "a.yaml", "-o", "json"],
        "",
    ));
    assert_eq!(
        alone["objects"][0]["decision"], "clean",
        "nothing is guessed"
    );
}

#[test]
fn every_format_names_the_finding_and_its_place() {
    let folder = folder(&[("a b.yaml", SOCKET_POD)]);
    let text = |format: &str| {
        stdout(&undock(
            folder.path(),
            &["check", "a b.yaml", "-o", format],
            "",
        ))
    };
    let sarif: Value = serde_json::from_str(&text("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (result["ruleId"].as_str(), result["level"].as_str()),
        (Some("DKR101"), Some("error"))
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
    assert_eq!(
        (
            place["region"]["startLine"].as_u64(),
            place["region"]["startColumn"].as_u64()
        ),
        (Some(15), Some(13))
    );
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert_eq!(
        rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"],
        "DKR101"
    );
    let before = result["partialFingerprints"].clone();
    fs::write(
        folder.path().join("a b.yaml"),
        format!("# moved\n\n{SOCKET_POD}"),
    )
    .unwrap();
    let moved: Value = serde_json::from_str(&text("sarif")).unwrap();
    assert_eq!(
        moved["runs"][0]["results"][0]["partialFingerprints"], before,
        "a moved line is the same alert"
    );
    let absolute = folder.path().join("a b.yaml").display().to_string();
    let sarif: Value = serde_json::from_str(&stdout(&undock(
        folder.path(),
        &["check", &absolute, "-o", "sarif"],
        "",
    )))
    .unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
    assert!(
        text("junit").contains("<failure type=\"DKR101\" message=\"volume &quot;sock&quot; mounts")
    );
    assert!(
        text("github").starts_with(
            "::error file=a b.yaml,line=17,col=13,title=DKR101::volume \"sock\" mounts"
        )
    );
    assert!(text("markdown").contains("| deny | DKR101 | Pod ci/builder | a b.yaml:17 |"));
}

#[test]
fn hostile_text_stays_text() {
    let evil = SOCKET_POD
        .replace("name: builder", "name: \"x\\e[31m\\nGotcha\"")
        .replace("name: sock", "name: \"so\\ack\\u202e\"");
    let folder = folder(&[("a.yaml", &evil)]);
    let text = stdout(&undock(folder.path(), &["check", "a.yaml"], ""));
    assert!(text.contains("DKR101"), "{text}");
    assert!(
        !text
            .chars()
            .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "{text:?}"
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Command::new("sh")
        .args([
            "-c",
            "\"$0\" check - | head -n 1 >/dev/null; echo done",
            env!("CARGO_BIN_EXE_undock"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let many = format!("---\n{SOCKET_POD}").repeat(500);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(many.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Runs the command line in a shell with `$0` as undock, for at most 30 seconds.
#[cfg(target_os = "linux")]
fn shell(folder: &Path, line: &str) -> Output {
    Command::new("timeout")
        .current_dir(folder)
        .args(["30", "sh", "-c", line, env!("CARGO_BIN_EXE_undock")])
        .output()
        .unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn inputs_that_are_no_files_are_errors_and_nothing_waits() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(&[("a.yaml", SOCKET_POD), ("d/clean.yaml", CLEAN)]);
    let odd = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"d/\xff.yaml"));
    fs::write(odd, SOCKET_POD).unwrap();
    let set_up = "mkfifo p; mkdir f l; mkfifo f/p.yaml; ln -s ../l l/loop; ln -s loop.yaml l/loop.yaml; ln -s absent l/gone.yml; ln -s ../a.yaml l/a.yaml; ln -s x x";
    assert!(shell(folder.path(), set_up).status.success());
    for (line, code, part) in [
        (
            "\"$0\" check p",
            3,
            "error: p: cannot read file: it is a pipe or a device",
        ),
        (
            "\"$0\" check f",
            3,
            "error: f/p.yaml: cannot read file: it is a pipe or a device",
        ),
        (
            "\"$0\" check /dev/zero",
            3,
            "it is a pipe or a device; give its content on standard input, with - as the path",
        ),
        ("\"$0\" check - </dev/zero", 3, "it is larger than 512 MiB"),
        (
            "\"$0\" check x",
            3,
            "error: x: cannot read file: Too many levels of symbolic links",
        ),
        (
            "\"$0\" check l",
            1,
            "error: l/gone.yml: cannot read file: No such file",
        ),
        ("\"$0\" check l", 1, "--> l/a.yaml:15:13"),
        ("\"$0\" check d", 1, "--> d/\u{fffd}.yaml:15:13"),
        (
            "cat a.yaml | \"$0\" check /dev/fd/0",
            1,
            "--> /dev/fd/0:15:13",
        ),
    ] {
        let output = shell(folder.path(), line);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(code), "{line}: {text}");
        assert!(text.contains(part), "{line}: {part:?} is not in\n{text}");
    }
}

#[test]
fn a_text_that_is_too_large_to_be_read_is_an_error_and_hides_nothing() {
    let mut text = String::from("    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let aliases = format!("*a{}, ", i - 1).repeat(10);
        text += &format!("    a{i}: &a{i} [{aliases}]\n");
    }
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n";
    let telegraf = "  b.conf: |\n    [[inputs.docker]]\n      gather_services = false\n";
    let files = [
        ("big.yaml", format!("{head}  a.yaml: |\n{text}")),
        ("both.yaml", format!("{head}  a.yaml: |\n{text}{telegraf}")),
    ];
    let folder = folder(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let output = undock(folder.path(), &["check", "big.yaml", "-o", "json"], "");
    assert_eq!(output.status.code(), Some(3));
    let report = json(&output);
    assert_eq!(report["errors"][0]["line"], 1);
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("ConfigMap big: it is too large"),
        "{message}"
    );
    assert_eq!(report["objects"][0]["decision"], "error");
    let both = ["check", "both.yaml", "--fail-on", "warn", "-o", "json"];
    let output = undock(folder.path(), &both, "");
    assert_eq!(output.status.code(), Some(1), "a finding is certain");
    assert_eq!(json(&output)["objects"][0]["findings"][0]["rule"], "DKR605");
}

#[test]
#[cfg(target_os = "linux")]
fn aliases_cannot_ask_for_more_than_there_is_memory() {
    let mut bomb = String::from("kind: ConfigMap\napiVersion: v1\ndata:\n  a0: &a0 {a: x, b: x}\n");
    for i in 1..60 {
        bomb += &format!("  a{i}: &a{i} {{a: *a{0}, b: *a{0}}}\n", i - 1);
    }
    let folder = folder(&[("bomb.yaml", &bomb)]);
    let output = shell(
        folder.path(),
        "ulimit -v 100000 && exec \"$0\" check bomb.yaml",
    );
    let text = stdout(&output);
    assert_eq!(
        output.status.code(),
        Some(3),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains(
            "error: through aliases this document becomes too large to read\n  --> bomb.yaml:"
        ),
        "{text}"
    );
}

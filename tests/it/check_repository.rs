//! `undock check` in a repository: folders, charts, what is left out, baselines, and where findings are placed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec:\n  containers:\n  - {name: a, image: registry.example/a:1, volumeMounts: [{name: s, mountPath: /s}]}\n  volumes:\n  - {name: s, hostPath: {path: /var/run/docker.sock}}\n";
const CLEAN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
const CHART: &str = "apiVersion: v2\nname: app\nversion: 0.1.0\n";
const TEMPLATE: &str = "{{- if .Values.on }}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n{{- end }}\n";

fn pod(name: &str) -> String {
    POD.replace("NAME", name)
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

fn undock(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undock"));
    command.current_dir(folder).arg("check").args(arguments);
    command.env_clear().env("PATH", folder.join("bin"));
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The JSON of a check that ends with `code`.
fn report(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let output = undock(folder, &[arguments, &["-o", "json"]].concat());
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {}",
        text(&output)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn files(report: &Value) -> Vec<&str> {
    let objects = report["objects"].as_array().unwrap();
    objects
        .iter()
        .map(|object| object["file"].as_str().unwrap())
        .collect()
}

#[test]
fn hidden_and_ignored_files_are_left_out_and_what_is_named_is_not() {
    let bad = pod("x");
    let folder = folder(&[
        (".gitignore", "build/\n/local.yaml\n"),
        (".cache/a.yaml", &bad),
        (".hidden.yaml", &bad),
        ("build/b.yaml", &bad),
        ("local.yaml", &bad),
        ("team/.gitignore", "*.gen.yaml\n"),
        ("team/c.gen.yaml", &bad),
        ("team/d.yaml", CLEAN),
    ]);
    assert_eq!(files(&report(folder.path(), &["."], 0)), ["team/d.yaml"]);
    for named in [
        "local.yaml",
        "build",
        ".cache",
        ".hidden.yaml",
        "team/c.gen.yaml",
    ] {
        assert_eq!(
            files(&report(folder.path(), &[named], 1)).len(),
            1,
            "{named}"
        );
    }
}

#[test]
fn exclude_leaves_out_files_and_counts_them() {
    let bad = pod("x");
    let files_of = [
        ("old/a.yaml", bad.as_str()),
        ("old/deep/b.yaml", &bad),
        ("new/c.yaml", CLEAN),
        ("new/d.bak.yaml", &bad),
        ("undock.yaml", "exclude: ['*.bak.yaml']\n"),
    ];
    let folder = folder(&files_of);
    let config = ["--config", "undock.yaml"];
    for (arguments, excluded) in [
        (
            &[".", "--exclude", "old/**", "--exclude", "*.bak.yaml"][..],
            3,
        ),
        (&[".", "--exclude", "./old,*.bak.yaml"], 3),
        (&[&[".", "--exclude", "/old/"], &config[..]].concat(), 3),
        (&[&["new"], &config[..]].concat(), 1),
        (&["new", "--exclude", "new/d.bak.yaml"], 1),
        (&["old/a.yaml", "new/c.yaml", "--exclude", "old"], 1),
    ] {
        let report = report(folder.path(), arguments, 0);
        assert_eq!(files(&report), ["new/c.yaml"], "{arguments:?}");
        assert_eq!(report["summary"]["excluded"], excluded, "{arguments:?}");
    }
    let root = folder.path().display().to_string();
    report(folder.path(), &[&root, "--exclude", "old/**,d.bak.yaml"], 0);
    let table = text(&undock(folder.path(), &["new", "--exclude", "*.bak.yaml"]));
    assert!(table.contains("1 clean; 1 file excluded."), "{table}");
    let wrong = undock(folder.path(), &["new", "--exclude", "[z-a]"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        text(&wrong).contains("invalid pattern \"[z-a]\""),
        "{}",
        text(&wrong)
    );
}

#[test]
fn links_are_followed_once() {
    let folder = folder(&[
        ("base/a.yaml", &pod("a")),
        ("env/ok.yaml", CLEAN),
        ("env/deep/ok.yaml", CLEAN),
    ]);
    symlink("../base", folder.path().join("env/base")).unwrap();
    symlink("../env", folder.path().join("env/again")).unwrap();
    symlink("../../base/a.yaml", folder.path().join("env/deep/a.yaml")).unwrap();
    assert_eq!(
        files(&report(folder.path(), &["env"], 1)),
        ["env/base/a.yaml", "env/deep/ok.yaml", "env/ok.yaml"]
    );
    assert_eq!(
        files(&report(folder.path(), &["."], 1)),
        ["base/a.yaml", "env/deep/ok.yaml", "env/ok.yaml"],
        "the file itself, not the links to it"
    );
    let twice = ["base/a.yaml", "base", "./base/a.yaml"];
    assert_eq!(files(&report(folder.path(), &twice, 1)), ["base/a.yaml"]);
}

#[test]
fn a_chart_is_one_line_and_no_error() {
    let folder = folder(&[
        ("my chart/Chart.yaml", CHART),
        ("my chart/values.yaml", "on: true\n"),
        ("my chart/templates/pod.yaml", TEMPLATE),
        ("my chart/templates/tests/t.yaml", TEMPLATE),
        ("my chart/charts/sub/Chart.yaml", CHART),
        ("my chart/charts/sub/templates/x.yaml", TEMPLATE),
        ("my chart/crds/crd.yaml", CLEAN),
        (
            "lib/Chart.yaml",
            "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
        ),
        (
            "lib/templates/_helpers.yaml",
            "{{- define \"x\" }}\n{{- end }}\n",
        ),
        ("plain/ok.yaml", CLEAN),
        ("plain/templates/ok.yaml", CLEAN),
    ]);
    let found = report(folder.path(), &["."], 0);
    assert_eq!(
        files(&found),
        [
            "my chart/crds/crd.yaml",
            "plain/ok.yaml",
            "plain/templates/ok.yaml"
        ]
    );
    let command = "helm template 'my chart' | undock check -";
    assert_eq!(
        found["notRendered"],
        json!([{"chart": "my chart", "command": command}])
    );
    assert_eq!(found["summary"]["notRendered"], 1);
    for (format, part) in [
        ("table", format!("not rendered: {command}\n")),
        ("table", "; 1 chart not rendered.".to_owned()),
        (
            "github",
            format!("::notice file=my chart/Chart.yaml,title=not rendered::{command}"),
        ),
        ("markdown", format!("Not rendered: `{command}`")),
        (
            "junit",
            "<skipped message=\"not rendered: helm template &apos;".replace("&apos;", "'"),
        ),
        ("sarif", "\"uri\": \"my%20chart/Chart.yaml\"".to_owned()),
    ] {
        let output = text(&undock(folder.path(), &[".", "-o", format]));
        assert!(
            output.contains(&part),
            "{format}: {part:?} is not in\n{output}"
        );
    }
    // Tools that name the changed files name templates, too.
    let named = report(
        folder.path(),
        &["my chart/templates/pod.yaml", "plain/ok.yaml"],
        0,
    );
    assert_eq!(named["notRendered"][0]["chart"], "my chart");
    let sub = report(
        folder.path(),
        &["my chart/charts/sub/templates/x.yaml", "plain"],
        0,
    );
    assert_eq!(sub["notRendered"][0]["chart"], "my chart");
    // Nothing was checked: that is no success.
    let alone = undock(folder.path(), &["my chart/templates"]);
    assert_eq!(alone.status.code(), Some(3));
    assert!(text(&alone).contains("charts are not rendered, --helm does it"));
    let left_out = report(folder.path(), &[".", "--exclude", "my chart/**"], 0);
    assert_eq!(left_out["summary"]["notRendered"], 0);
    let inside = report(&folder.path().join("my chart"), &["."], 0);
    assert_eq!(
        inside["notRendered"][0]["command"],
        "helm template . | undock check -"
    );
}

/// A program in the place of helm.
fn helm(folder: &Path, script: &str) {
    let path = folder.join("bin/helm");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn helm_renders_charts_and_findings_stand_at_the_template() {
    let folder = folder(&[
        ("deploy/app/Chart.yaml", CHART),
        ("deploy/app/templates/pod.yaml", TEMPLATE),
        ("ok.yaml", CLEAN),
    ]);
    let missing = report(folder.path(), &[".", "--helm"], 3);
    assert_eq!(missing["errors"][0]["file"], "deploy/app");
    let message = missing["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("there is no helm on PATH"), "{message}");
    let rendered = format!("---\n# Source: other-name/templates/pod.yaml\n{}", pod("x"));
    let script =
        format!("[ \"$*\" = 'template ./deploy/app' ] || exit 9\nprintf '%s' '{rendered}'");
    helm(folder.path(), &script);
    let found = report(folder.path(), &[".", "--helm"], 1);
    assert_eq!(found["summary"]["notRendered"], 0);
    let object = found["objects"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&object["file"], &object["source"]),
        (
            &json!("deploy/app"),
            &json!("deploy/app/templates/pod.yaml")
        )
    );
    let github = text(&undock(folder.path(), &[".", "--helm", "-o", "github"]));
    assert!(
        github.starts_with("::error file=deploy/app/templates/pod.yaml,title=DKR101::"),
        "{github}"
    );
    helm(
        folder.path(),
        "echo 'Error: dependencies are missing:' >&2; echo ' redis' >&2; exit 1",
    );
    let failed = report(folder.path(), &[".", "--helm"], 3);
    assert_eq!(
        failed["errors"][0]["message"],
        "cannot render the chart: helm template says: Error: dependencies are missing: redis"
    );
    helm(folder.path(), "exit 7");
    let silent = report(folder.path(), &[".", "--helm"], 3);
    let message = silent["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("exit status: 7"), "{message}");
}

#[test]
fn standard_input_from_helm_is_placed_at_its_template() {
    let rendered = format!("---\n# Source: app/templates/builder.yaml\n{}", pod("x"));
    let folder = folder(&[("rendered.yaml", &rendered)]);
    let output = undock(folder.path(), &["rendered.yaml", "-o", "sarif"]);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"],
        json!({"artifactLocation": {"uri": "app/templates/builder.yaml"}})
    );
    let markdown = text(&undock(folder.path(), &["rendered.yaml", "-o", "markdown"]));
    assert!(
        markdown.contains("| app/templates/builder.yaml |"),
        "{markdown}"
    );
}

#[test]
fn sarif_has_the_rules_in_use_help_and_suppressions() {
    let exempt = pod("y").replace(
        "{name: y}",
        "{name: y, namespace: n, annotations: {exempt.undock.dev/DKR101: \"until=2999-12-31; reason=moving\"}}",
    );
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {undock.dev/workload-exemptions: allow}}\n";
    let folder = folder(&[(
        "a.yaml",
        &[&pod("x"), &exempt, namespace]
            .map(|text| format!("---\n{text}"))
            .concat(),
    )]);
    let absolute = folder.path().canonicalize().unwrap().join("a.yaml");
    let output = undock(
        &folder.path().canonicalize().unwrap(),
        &[absolute.to_str().unwrap(), "-o", "sarif"],
    );
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 1);
    let uri = rules[0]["helpUri"].as_str().unwrap();
    assert!(
        uri.starts_with("https://") && uri.ends_with("/docs/rules/docker-socket-mount.md"),
        "{uri}"
    );
    let results = run["results"].as_array().unwrap();
    assert_eq!(results[0]["suppressions"], json!([]));
    let suppression = &results[1]["suppressions"][0];
    assert_eq!(suppression["kind"], "external");
    let why = suppression["justification"].as_str().unwrap();
    assert!(
        why.starts_with("exempt until 2999-12-31") && why.ends_with("moving"),
        "{why}"
    );
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"], "a.yaml",
        "relative to where it runs"
    );
}

#[test]
fn what_is_no_manifest_is_no_error_in_a_folder() {
    let folder = folder(&[
        ("tsconfig.json", "{\n  // comment\n  \"strict\": true,\n}\n"),
        ("site.yaml", "title: {{ title }}\n  bad: [\n"),
        ("latin.yaml", "a: b\n"),
        ("Chart.lock.yaml", "apiVersion: v2\nname: x\n"),
        ("ok.yaml", CLEAN),
    ]);
    fs::write(folder.path().join("latin.yaml"), b"name: caf\xe9\n").unwrap();
    let found = report(folder.path(), &["."], 0);
    assert_eq!(found["summary"]["skipped"], 4);
    assert_eq!(found["errors"], json!([]));
    // Who names a file means it.
    report(folder.path(), &["site.yaml", "ok.yaml"], 3);
    let broken = format!("{CLEAN}data: [\n");
    fs::write(folder.path().join("broken.yaml"), broken).unwrap();
    let found = report(folder.path(), &["."], 3);
    assert_eq!(found["errors"][0]["file"], "broken.yaml");
    let escaped = "{\"apiVersion\": \"v1\", \"k\\u0069nd\": \"ConfigMap\"}\n";
    fs::write(folder.path().join("broken.yaml"), escaped).unwrap();
    assert_eq!(files(&report(folder.path(), &["."], 0)).len(), 2);
}

#[test]
fn a_template_outside_of_a_chart_says_what_it_is() {
    let folder = folder(&[("pod.yaml", TEMPLATE)]);
    let found = report(folder.path(), &["pod.yaml"], 3);
    let message = found["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("unrendered Helm or Go template") && message.contains("helm template"),
        "{message}"
    );
}

#[test]
fn lists_without_a_kind_are_lists() {
    let indented = |text: &str| text.trim_end().replace('\n', "\n  ");
    let item = |name: &str| format!("- {}\n", indented(&pod(name)));
    for text in [
        format!("metadata: {{}}\nitems:\n{}{}", item("one"), item("two")),
        format!("{}{}", item("one"), item("two")),
        format!("apiVersion: v1\nitems:\n{}{}", item("one"), item("two")),
        json!([{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"containers": [], "volumes": [{"name": "s", "hostPath": {"path": "/run/docker.sock"}}]}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}]).to_string(),
    ] {
        let folder = folder(&[("list.yaml", &text)]);
        let output = undock(folder.path(), &["list.yaml", "-o", "json", "--fail-on", "none"]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names: Vec<_> = found["objects"].as_array().unwrap().iter().map(|object| object["name"].clone()).collect();
        assert_eq!(names, ["one", "two"], "{text}");
        assert_eq!(found["summary"]["skipped"], 0);
    }
    // Values and patches have lists of other things.
    let values = folder(&[(
        "values.yaml",
        "items: [a, {b: c}]\n---\n- op: add\n  path: /x\n---\napiVersion: v2\nname: x\n",
    )]);
    let found = report(values.path(), &["values.yaml", "--allow-empty"], 0);
    assert_eq!(found["summary"]["skipped"], 3);
}

#[test]
fn nothing_to_check_is_no_success_unless_it_is_allowed() {
    let folder = folder(&[
        ("docs/readme.txt", "x"),
        ("ok.yaml", CLEAN),
        ("values.yaml", "a: b\n"),
    ]);
    let found = report(folder.path(), &["docs", "ok.yaml"], 3);
    assert_eq!(found["errors"][0]["file"], "docs");
    report(folder.path(), &["docs", "ok.yaml", "--allow-empty"], 0);
    report(folder.path(), &["docs", "--allow-empty"], 0);
    report(folder.path(), &["values.yaml"], 3);
    // A file that is named and empty is one that failed to be made; in a folder, it is none.
    fs::write(
        folder.path().join("docs/empty.yaml"),
        "# nothing yet\n---\n",
    )
    .unwrap();
    for empty in ["docs/empty.yaml", "-"] {
        let found = report(folder.path(), &[empty, "ok.yaml"], 3);
        assert_eq!(found["errors"][0]["file"], empty);
        report(folder.path(), &[empty, "ok.yaml", "--allow-empty"], 0);
    }
    report(folder.path(), &["docs", "ok.yaml"], 0);
    fs::remove_file(folder.path().join("docs/empty.yaml")).unwrap();
    report(folder.path(), &["values.yaml", "--allow-empty"], 0);
    report(folder.path(), &["absent.yaml", "--allow-empty"], 3);
}

#[test]
fn findings_win_over_what_could_not_be_read() {
    let folder = folder(&[("bad.yaml", &pod("x"))]);
    report(folder.path(), &["bad.yaml", "absent.yaml"], 1);
    report(
        folder.path(),
        &["bad.yaml", "absent.yaml", "--mode", "warn"],
        3,
    );
}

#[test]
fn a_baseline_leaves_what_is_new() {
    let folder = folder(&[("a.yaml", &pod("a")), ("b.yaml", &pod("b"))]);
    let at = folder.path();
    undock(at, &["a.yaml", "b.yaml", "-o", "json=old.json"]);
    let baseline = ["--baseline", "old.json"];
    let same = report(at, &[&["a.yaml", "b.yaml"], &baseline[..]].concat(), 0);
    assert_eq!(
        (&same["summary"]["known"], &same["summary"]["gone"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(same["summary"]["denied"], 0);
    assert_eq!(
        same["objects"][0]["decision"], "deny",
        "what is known is still refused"
    );
    assert_eq!(same["objects"][0]["findings"][0]["known"], true);
    // Lines may move; a new object is new, one that went is gone.
    fs::write(at.join("a.yaml"), format!("# moved\n\n{}", pod("a"))).unwrap();
    fs::write(at.join("b.yaml"), pod("c")).unwrap();
    let arguments = [&["a.yaml", "b.yaml"], &baseline[..]].concat();
    let changed = report(at, &arguments, 1);
    let summary = &changed["summary"];
    assert_eq!(
        (&summary["known"], &summary["gone"], &summary["denied"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let show = |format: &str| text(&undock(at, &[&arguments[..], &["-o", format]].concat()));
    let table = show("table");
    assert!(
        !table.contains("a.yaml:") && table.contains("b.yaml:8:32"),
        "{table}"
    );
    assert!(
        table.contains("1 denied")
            && table.contains("; 1 finding in the baseline, 1 of the baseline gone."),
        "{table}"
    );
    assert!(!show("github").contains("a.yaml") && !show("markdown").contains("a.yaml"));
    assert!(show("junit").contains("failures=\"1\""));
    let sarif: Value = serde_json::from_str(&show("sarif")).unwrap();
    let states: Vec<_> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["baselineState"].clone())
        .collect();
    assert_eq!(states, ["unchanged", "new"]);
    fs::write(at.join("old.json"), "{\"schema\":\"undock.scan/v1\"}").unwrap();
    let wrong = undock(at, &arguments);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong).contains("undock.scan/v1"), "{}", text(&wrong));
}

#[test]
fn the_action_and_the_hook_name_flags_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| -> Value {
        serde_saphyr::from_str(&fs::read_to_string(root.join(name)).unwrap()).unwrap()
    };
    let folder = folder(&[("bad.yaml", &pod("x"))]);
    let hook = &read(".pre-commit-hooks.yaml")[0];
    assert_eq!(
        hook["pass_filenames"], false,
        "other files say what a manifest means"
    );
    let words = format!(
        "{} {}",
        hook["entry"].as_str().unwrap(),
        hook["args"][0].as_str().unwrap()
    );
    let arguments: Vec<&str> = words
        .strip_prefix("undock check ")
        .unwrap()
        .split(' ')
        .collect();
    assert_eq!(undock(folder.path(), &arguments).status.code(), Some(1));
    let action = read("action.yml");
    let run = action["runs"]["steps"].as_array().unwrap().last().unwrap()["run"]
        .as_str()
        .unwrap();
    let script = folder.path().join("run.sh");
    fs::write(&script, run).unwrap();
    let output = Command::new("bash")
        .arg("-e")
        .arg(&script)
        .current_dir(folder.path())
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:/usr/bin:/bin",
                Path::new(env!("CARGO_BIN_EXE_undock"))
                    .parent()
                    .unwrap()
                    .display()
            ),
        )
        .envs([
            ("PATHS", "."),
            ("SARIF", "out.sarif"),
            ("ARGUMENTS", "--exclude none.yaml"),
            ("UNDOCK_FAIL_ON", "deny"),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("::error file=bad.yaml,line=8"),
        "{}",
        text(&output)
    );
    assert!(folder.path().join("out.sarif").exists());
}

//! Findings inside texts stand at their line and column, however YAML or JSON writes the text.

use undock::check::{Checked, Input, check};
use undock::decision::{Mode, Policy};

fn checked(text: &str) -> Checked {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    check(&[Input::new("file", text)], "default", &policy)
}

/// Line, column and marked text of the findings of `code`.
fn places(text: &str, code: &str) -> Vec<(usize, usize, String)> {
    let checked = checked(text);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    let found = checked.objects.iter().flat_map(|object| &object.findings);
    found
        .filter(|placed| placed.judged.finding.rule.code == code)
        .map(|placed| {
            let line = text.split('\n').nth(placed.line - 1).unwrap();
            let marked = line.chars().skip(placed.column - 1);
            let width = placed.width.unwrap_or(0);
            (placed.line, placed.column, marked.take(width).collect())
        })
        .collect()
}

const HEAD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: t}\nspec:\n  containers:\n  - name: c\n    image: registry.example.test/purge:1\n    command: [/bin/sh, -c]\n    args:\n";

fn script(lines: &str) -> Vec<(usize, usize, String)> {
    places(&format!("{HEAD}{lines}"), "DKR401")
}

fn place(line: usize, column: usize, text: &str) -> (usize, usize, String) {
    (line, column, text.to_owned())
}

#[test]
fn lines_of_block_scalars() {
    let ps = |line, column| place(line, column, "docker ps");
    let two = [ps(13, 7), place(15, 7, "docker system")];
    let body = "      set -e\n      echo docker\n      docker ps -a\n      echo three\n      docker system prune -af\n";
    for style in ["|", "|-", "|+", "|2"] {
        assert_eq!(script(&format!("    - {style}\n{body}")), two, "{style}");
    }
    assert_eq!(
        script("    - |\n\n\n      set -e\n        docker ps\n"),
        [ps(14, 9)]
    );
    assert_eq!(
        script("    - |\n      # docker ps\n      true; docker ps\n"),
        [ps(12, 13)]
    );
    assert_eq!(
        script("    - |\r\n      set -e\r\n      docker ps\r\n"),
        [ps(12, 7)]
    );
    assert_eq!(script("    - |\n      echo äöü; docker ps\n"), [ps(11, 17)]);
    assert_eq!(
        script("    - &x |\n      true\n      docker ps\n"),
        [ps(12, 7)]
    );
    assert_eq!(
        script("    - >\n      set -e;\n      true;\n\n      docker ps\n"),
        [ps(14, 7)]
    );
    assert_eq!(
        script("    - |\n      \"a\" b\n      docker ps\n"),
        [ps(12, 7)]
    );
}

#[test]
fn lines_of_quoted_and_plain_scalars() {
    let ps = |line, column| place(line, column, "docker ps");
    assert_eq!(script("    - \"true;\\n\\tdocker ps\"\n"), [ps(10, 17)]);
    assert_eq!(script("    - \"true;\n\n      docker ps\"\n"), [ps(12, 7)]);
    assert_eq!(
        script("    - \"tr\\\n      ue; \\\"x\\\"; docker ps\"\n"),
        [ps(11, 18)]
    );
    assert_eq!(
        script("    - 'echo ''x'';\n\n      docker ps'\n"),
        [ps(12, 7)]
    );
    assert_eq!(script("    - true;\n      docker ps\n"), [ps(11, 7)]);
    assert_eq!(script("    - true; docker ps\n"), [ps(10, 13)]);
    assert_eq!(
        script("    - \"\\u0074rue; \\x64ocker ps\"\n"),
        [place(10, 19, "\\")]
    );
}

#[test]
fn columns_in_json_with_escapes() {
    let json = |text: &str| {
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"t\"}},\"spec\":{{\"containers\":[{{\"name\":\"c\",\"image\":\"registry.example.test/purge:1\",\"command\":[\"sh\",\"-c\",\n\"{text}\"]}}]}}}}"
        )
    };
    for (text, column) in [
        ("true\\ndocker ps", 8),
        ("echo \\\"\\/x\\\"\\ndocker ps", 16),
        ("echo \\ud83d\\ude00;\\tdocker ps", 22),
        ("echo 😀; docker ps", 10),
    ] {
        assert_eq!(
            places(&json(text), "DKR401"),
            [place(2, column, "docker ps")],
            "{text}"
        );
    }
}

#[test]
fn each_finding_of_a_text_has_its_own_line_and_the_table_folds_them() {
    let text = format!(
        "{HEAD}    - |\n      docker ps\n      true\n      docker system prune\n      docker rm x\n"
    );
    let mut out = Vec::new();
    undock::output::check_table::write(&mut out, &checked(&text), false).unwrap();
    let table = String::from_utf8(out).unwrap();
    assert!(
        table.contains("11 |       docker ps\n   |       ^^^^^^^^^\n")
            && table.contains("  = and 2 more lines: 13, 14\n"),
        "{table}"
    );
    assert_eq!(table.matches("[DKR401]").count(), 1, "{table}");
}

#[test]
fn words_of_an_evidence_are_found_where_quotes_stand_between_them() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rules}\ndata:\n  a.yml: |\n    groups:\n    - name: g\n      rules:\n      - alert: One\n        expr: up == 0\n      - alert: Three\n        expr: sum(container_cpu_usage_seconds_total{name=~\"k8s_web.*\"}) > 0\n";
    let found = places(text, "DKR702");
    assert_eq!(
        found.iter().map(|(line, ..)| *line).collect::<Vec<_>>(),
        [12]
    );
}

#[test]
fn the_table_shows_the_part_of_a_long_line_that_is_meant() {
    let long = "x".repeat(400);
    let text = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"t\",\"annotations\":{{\"a\":\"{long}\"}}}},\"spec\":{{\"containers\":[{{\"name\":\"c\",\"image\":\"docker:27-cli\"}}]}}}}"
    );
    let mut out = Vec::new();
    undock::output::check_table::write(&mut out, &checked(&text), false).unwrap();
    let table = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    let shown = lines
        .iter()
        .position(|line| line.starts_with("1 | …"))
        .unwrap();
    let marks = lines[shown + 1];
    let at = marks.chars().position(|c| c == '^').unwrap();
    let count = marks.chars().filter(|c| *c == '^').count();
    let marked: String = lines[shown].chars().skip(at).take(count).collect();
    assert_eq!(marked, "\"docker:27-cli\"", "{table}");
}

#[test]
fn documents_inside_documents_keep_their_places() {
    let head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: r}\nspec:\n  source:\n    helm:\n";
    let body = "      values: |\n        runners:\n          config: |\n            [[runners]]\n              [runners.docker]\n                volumes = [\"/run/docker.sock:/run/docker.sock\"]\n";
    let found = places(&format!("{head}{body}"), "CLU902");
    assert_eq!(
        found
            .iter()
            .map(|(line, column, _)| (*line, *column))
            .collect::<Vec<_>>(),
        [(12, 28)]
    );
    let rules = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: r}\ndata:\n  all.yaml: |\n    inner.yaml: |\n      groups:\n      - rules:\n        - expr: up > 0 and kubelet_docker_operations > 1\n";
    assert_eq!(
        places(rules, "DKR702"),
        [place(9, 28, "kubelet_docker_operations")]
    );
}

#[test]
fn a_single_word_is_pointed_at_whole() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: t}\nspec:\n  containers:\n  - name: c\n    image: \"docker:27-cli\"\n";
    let checked = checked(text);
    let placed = &checked.objects[0].findings[0];
    assert_eq!((placed.line, placed.column, placed.width), (7, 12, None));
}

#[test]
fn commands_that_go_on_over_several_lines() {
    assert_eq!(
        script("    - |\n      set -e\n      docker run \\\n        --rm \\\n        busybox\n"),
        [place(12, 7, "docker run")]
    );
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata:\n";
    let unit = "  k.service: |\n    [Service]\n    ExecStart=/usr/bin/kubelet \\\n      --v=2 \\\n      --container-runtime=docker\n";
    assert_eq!(
        places(&format!("{map}{unit}"), "CLU901"),
        [place(7, 15, "/usr/bin/kubelet")]
    );
    let join = "  j.sh: |\n    #!/bin/sh\n    kubeadm join \\\n      --cri-socket unix:///var/run/cri-dockerd.sock\n";
    assert_eq!(
        places(&format!("{map}{join}"), "CLU901"),
        [place(7, 5, "kubeadm")]
    );
}

#[test]
fn a_map_or_list_is_pointed_at_by_its_key() {
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n";
    for (text, line, column) in [
        // In a text.
        (
            format!(
                "{head}  p.yaml: |\n    scrape_configs:\n    - docker_sd_configs:\n      - host: unix:///run/docker.sock\n"
            ),
            7,
            7,
        ),
        (
            format!(
                "{head}  c.alloy: |\n    discovery.docker \"a\" {{\n      host = \"unix:///run/docker.sock\"\n    }}\n"
            ),
            6,
            5,
        ),
        // In the object.
        (
            "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nspec:\n  config:\n    receivers:\n      docker_stats:\n        endpoint: unix:///run/docker.sock\n"
                .to_owned(),
            6,
            7,
        ),
    ] {
        let found = places(&text, "DKR605");
        let found: Vec<_> = found.iter().map(|(line, column, _)| (*line, *column)).collect();
        assert_eq!(found, [(line, column)], "{text}");
    }
}

#[test]
fn lines_of_a_text_inside_toml() {
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  config.toml: |\n";
    for quotes in ["'''", "\"\"\""] {
        let text = format!(
            "{head}    [[runners]]\n    patch = {quotes}\n      volumes:\n      - name: \"sock\"\n        hostPath: {{path: /run/docker.sock}}\n    {quotes}\n"
        );
        assert_eq!(places(&text, "CLU902")[0].0, 10, "{text}");
    }
}

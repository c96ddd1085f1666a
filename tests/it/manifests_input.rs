//! Reading manifests: what is an object, where it stands, and what a fault costs.

use std::time::Duration;

use undock::check::{Checked, Input, Placed};
use undock::decision::{Mode, Policy};

use crate::cpu_time::cpu_time_of;

fn read(bytes: &[u8]) -> Checked {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    undock::check::check(&[Input::new("file", bytes)], "default", &policy)
}

fn check(text: &str) -> Checked {
    read(text.as_bytes())
}

/// Code, field, line and column of every finding.
fn places(checked: &Checked) -> Vec<(&'static str, &str, usize, usize)> {
    let all = checked.objects.iter().flat_map(|object| &object.findings);
    all.map(|p: &Placed| {
        (
            p.judged.finding.rule.code,
            p.judged.finding.field.as_str(),
            p.line,
            p.column,
        )
    })
    .collect()
}

/// Names and first lines of the objects.
fn names(checked: &Checked) -> Vec<(&str, usize)> {
    checked
        .objects
        .iter()
        .map(|object| (object.name.as_str(), object.line))
        .collect()
}

fn errors(checked: &Checked) -> Vec<(usize, usize, &str)> {
    checked
        .errors
        .iter()
        .map(|error| (error.line, error.column, error.message.as_str()))
        .collect()
}

const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  containers:
  - name: app
    image: registry.example/app:1
    volumeMounts:
    - name: s
      mountPath: /s
  volumes:
  - name: s
    hostPath:
      path: /var/run/docker.sock
";

const SOCKET: (&str, &str) = ("DKR101", "spec.volumes[0].hostPath.path");

fn pod(name: &str) -> String {
    POD.replace("name: a\n", &format!("name: {name}\n"))
}

#[test]
fn placeholders_that_yaml_reads_as_maps_are_texts() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: {{NAME}}}\nstringData:\n  key: {{ KEY }} # fill it in\n";
    let checked = check(text);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    assert_eq!(checked.objects[0].name, "{{NAME}}");
}

#[test]
fn documents_keep_their_lines() {
    let text = format!(
        "# head\n{}---\n# only a comment\n---\n{}...\n---\n{}",
        pod("one"),
        pod("two"),
        pod("three")
    );
    let checked = check(&text);
    assert_eq!(names(&checked), [("one", 2), ("two", 20), ("three", 37)]);
    let lines: Vec<usize> = places(&checked)
        .iter()
        .map(|(_, _, line, _)| *line)
        .collect();
    assert_eq!(lines, [16, 34, 51]);
    assert!(checked.errors.is_empty());
}

#[test]
fn anchors_aliases_and_merges_point_at_the_text_that_defines_them() {
    let text = "\
x-volume: &volume
  name: s
  hostPath: &socket
    path: /var/run/docker.sock
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
  - name: app
    image: registry.example/app:1
    volumeMounts: [{name: s, mountPath: /s}, {name: t, mountPath: /t}, {name: u, mountPath: /u}]
  volumes:
  - *volume
  - name: t
    hostPath: *socket
  - <<: *volume
    name: u
";
    let found = check(text);
    let at = |index: usize| ("DKR101", index, 4, 11);
    let places = places(&found);
    assert_eq!(places.len(), 3, "{places:?}");
    for (index, (code, field, line, column)) in places.into_iter().enumerate() {
        assert_eq!((code, index, line, column), at(index));
        assert_eq!(field, format!("spec.volumes[{index}].hostPath.path"));
    }
}

#[test]
fn a_merge_gives_way_to_what_is_written_and_to_earlier_sources() {
    let text = "\
base: &a {hostPath: {path: /var/run/docker.sock}, name: s}
other: &b {hostPath: {path: /run/containerd/containerd.sock}, name: s}
kind: Pod
apiVersion: v1
spec:
  containers: [{name: app, image: x, volumeMounts: [{name: s, mountPath: /s}, {name: t, mountPath: /t}]}]
  volumes:
  - {<<: *a, hostPath: {path: /tmp}}
  - {<<: [*b, *a], name: t}
";
    assert_eq!(places(&check(text)), []);
    let swapped = text.replace("[*b, *a]", "[*a, *b]");
    assert_eq!(
        places(&check(&swapped)),
        [("DKR101", "spec.volumes[1].hostPath.path", 1, 28)]
    );
}

#[test]
fn flow_style_and_json_have_columns() {
    let flow = "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: docker}]}}";
    assert_eq!(
        places(&check(flow)),
        [("DKR201", "spec.containers[0].image", 1, 66)]
    );
    let json = "\n  {\"kind\":\"Pod\",\"apiVersion\":\"v1\",\t\"spec\":{\"containers\":[\n\t{\"name\":\"a\",\"image\":\"docker\"}]}}\n";
    assert_eq!(
        places(&check(json)),
        [("DKR201", "spec.containers[0].image", 3, 22)]
    );
    let wide = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"ä…\"},\"spec\":{\"containers\":[{\"image\":\"docker\",\"name\":\"a\"}]}}";
    let column = wide.chars().count() - "\"docker\",\"name\":\"a\"}]}}".chars().count() + 1;
    assert_eq!(
        places(&check(wide)),
        [("DKR201", "spec.containers[0].image", 1, column)],
        "columns count characters"
    );
}

#[test]
fn json_objects_one_after_the_other() {
    let one = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"NAME\"},\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"docker\"}]}}";
    let (a, b, c) = (
        one.replace("NAME", "a"),
        one.replace("NAME", "b"),
        one.replace("NAME", "c"),
    );
    let checked = check(&format!("{a}\n{b}\n\n{c}{a}\n"));
    assert_eq!(names(&checked), [("a", 1), ("b", 2), ("c", 4), ("a", 4)]);
    let columns: Vec<usize> = places(&checked)
        .iter()
        .map(|(_, _, _, column)| *column)
        .collect();
    assert_eq!(
        columns[2] + c.len(),
        columns[3],
        "the second object of a line begins behind the first"
    );
    assert!(checked.errors.is_empty());
}

#[test]
fn lists_are_unwrapped_with_and_without_kinds_of_items() {
    let item = POD.replace("apiVersion: v1\nkind: Pod\n", "");
    let items = item
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{}{line}\n", if i == 0 { "- " } else { "  " }))
        .collect::<String>();
    let checked = check(&format!("apiVersion: v1\nkind: PodList\nitems:\n{items}"));
    assert_eq!(checked.objects[0].kind, "Pod");
    assert_eq!(names(&checked), [("a", 4)]);
    assert_eq!(places(&checked), [(SOCKET.0, SOCKET.1, 16, 15)]);
    let nested = check(&format!(
        "kind: List\napiVersion: v1\nitems:\n- kind: List\n  apiVersion: v1\n  items: [{}]\n",
        "{kind: Pod, apiVersion: v1, metadata: {name: x}}"
    ));
    assert_eq!(names(&nested), [("x", 6)]);
    let empty = check("kind: List\napiVersion: v1\nitems: []\n");
    assert!(empty.objects.is_empty() && empty.errors.is_empty());
}

#[test]
fn old_versions_and_kinds_of_others_have_pod_templates() {
    let template = "spec: {containers: [{name: a, image: docker}]}";
    let cases = [
        (
            "apps/v1beta1",
            "Deployment",
            format!("spec: {{template: {{{template}}}}}"),
            "spec.template.spec.containers[0].image",
        ),
        (
            "extensions/v1beta1",
            "DaemonSet",
            format!("spec: {{template: {{{template}}}}}"),
            "spec.template.spec.containers[0].image",
        ),
        (
            "batch/v2alpha1",
            "CronJob",
            format!("spec: {{jobTemplate: {{spec: {{template: {{{template}}}}}}}}}"),
            "spec.jobTemplate.spec.template.spec.containers[0].image",
        ),
        (
            "v1",
            "PodTemplate",
            format!("template: {{{template}}}"),
            "template.spec.containers[0].image",
        ),
        (
            "apps.openshift.io/v1",
            "DeploymentConfig",
            format!("spec: {{template: {{{template}}}}}"),
            "spec.template.spec.containers[0].image",
        ),
        (
            "serving.knative.dev/v1",
            "Service",
            format!("spec: {{template: {{{template}}}}}"),
            "spec.template.spec.containers[0].image",
        ),
        (
            "argoproj.io/v1alpha1",
            "Rollout",
            format!("spec: {{template: {{{template}}}}}"),
            "spec.template.spec.containers[0].image",
        ),
    ];
    for (version, kind, rest, field) in cases {
        let checked = check(&format!(
            "{{apiVersion: {version}, kind: {kind}, metadata: {{name: x}}, {rest}}}"
        ));
        assert_eq!(
            places(&checked)
                .iter()
                .map(|(code, field, ..)| (*code, *field))
                .collect::<Vec<_>>(),
            [("DKR201", field)],
            "{kind}"
        );
    }
}

#[test]
fn byte_order_mark_and_line_ends_change_nothing() {
    let expected = [(SOCKET.0, SOCKET.1, 15, 13)];
    assert_eq!(places(&check(POD)), expected);
    assert_eq!(places(&check(&format!("\u{feff}{POD}"))), expected);
    assert_eq!(places(&check(&POD.replace('\n', "\r\n"))), expected);
    let checked = check(&POD.replace('\n', "\r\n"));
    assert_eq!(
        checked.objects[0].findings[0].text,
        "      path: /var/run/docker.sock"
    );
}

#[test]
fn unquoted_values_are_their_text() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: 12, labels: {on: yes}}
spec:
  hostNetwork: true
  containers:
  - name: 1
    image: docker:27
    command: [docker, ps, 1, 2.50, true, ~]
    env:
    - {name: DOCKER_HOST, value: 127.0.0.1}
    - {name: N, value: 017}
    - {name: B, value: on}
    ports: [{containerPort: 80}]
  volumes:
  - name: c
    configMap: {name: c, defaultMode: 0644, items: [{key: k, path: p, mode: 0o644}]}
";
    let checked = check(text);
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    assert_eq!(checked.objects[0].name, "12");
    let codes: Vec<&str> = places(&checked).iter().map(|(code, ..)| *code).collect();
    assert!(
        codes.contains(&"DKR301") && codes.contains(&"DKR401"),
        "{codes:?}"
    );
}

#[test]
fn the_last_of_repeated_keys_counts() {
    let text = POD.replace(
        "      path: /var/run/docker.sock\n",
        "      path: /tmp\n      path: /var/run/docker.sock\n",
    );
    assert_eq!(places(&check(&text)), [(SOCKET.0, SOCKET.1, 16, 13)]);
    let text = POD.replace(
        "      path: /var/run/docker.sock\n",
        "      path: /var/run/docker.sock\n      path: /tmp\n",
    );
    assert_eq!(places(&check(&text)), []);
    let json = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"nginx\",\"image\":\"docker\"}]}}";
    assert_eq!(places(&check(json)).len(), 1);
}

#[test]
fn a_broken_document_costs_only_itself() {
    let broken = "apiVersion: v1\nkind: Pod\nspec:\n  containers: [\n  - x: {\n";
    let checked = check(&format!("{}---\n{broken}---\n{}", pod("one"), pod("two")));
    assert_eq!(names(&checked), [("one", 1), ("two", 23)]);
    assert_eq!(checked.errors.len(), 1, "{:?}", checked.errors);
    assert!(
        (17..=22).contains(&checked.errors[0].line) && checked.errors[0].column > 0,
        "{:?}",
        checked.errors
    );
    let tabs = check(&format!(
        "{}---\nkind: Pod\nmetadata:\n\tname: x\n---\n{}",
        pod("one"),
        pod("two")
    ));
    assert_eq!(
        (names(&tabs).len(), tabs.errors.len()),
        (2, 1),
        "{:?}",
        tabs.errors
    );
    assert_eq!(tabs.errors[0].line, 19, "{:?}", tabs.errors);
    let twice = check(&format!("a: [\n---\nb: ]\n---\n{POD}"));
    assert_eq!(
        (twice.objects.len(), twice.errors.len()),
        (1, 2),
        "{:?}",
        twice.errors
    );
}

#[test]
fn a_cut_json_file_says_where() {
    let good = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}";
    let checked = check(&format!(
        "{good}\n{{\"kind\": \"Pod\",\n \"metadata\": {{\n"
    ));
    assert!(!checked.errors.is_empty(), "{checked:?}");
    assert!(
        checked
            .errors
            .iter()
            .all(|error| error.line >= 2 && error.column > 0),
        "{:?}",
        checked.errors
    );
}

#[test]
fn templates_that_are_not_filled_in_are_errors_or_no_objects() {
    let checked = check(
        "{{- if .Values.enabled }}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n{{- end }}\n",
    );
    assert_eq!(checked.objects.len(), 0);
    assert_eq!(checked.errors.len(), 1, "{:?}", checked.errors);
    assert!(checked.errors[0].line >= 1 && checked.errors[0].column >= 1);
    let quoted = check(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: '{{ .Release.Name }}'}\nspec: {containers: [{name: a, image: '{{ .Values.image }}'}]}\n",
    );
    assert_eq!(
        (quoted.objects.len(), quoted.errors.len()),
        (1, 0),
        "{:?}",
        quoted.errors
    );
}

#[test]
fn other_yaml_is_counted() {
    let checked = check(
        "replicas: 3\nimage: docker\n---\n[1, 2]\n---\njust text\n---\nresources: [a.yaml]\n",
    );
    assert_eq!(
        (checked.objects.len(), checked.errors.len(), checked.skipped),
        (0, 0, 4)
    );
    let checked = check("---\n\napiVersion: v2\nname: a\n");
    assert_eq!((checked.errors.len(), checked.skipped), (0, 1));
    let nothing = check("\n# nothing\n---\n---\n");
    assert_eq!(
        (nothing.objects.len(), nothing.errors.len(), nothing.skipped),
        (0, 0, 0)
    );
}

#[test]
fn wrong_shapes_are_errors_at_their_place() {
    let cases = [
        (
            "kind: Pod\napiVersion: v1\nspec:\n  containers: \"x\"\n",
            4,
            15,
            "a list",
        ),
        (
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - name: a\n    env: {A: b}\n",
            6,
            10,
            "a list",
        ),
        (
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - name: [a]\n",
            5,
            11,
            "a list, expected a string",
        ),
        (
            "kind: Deployment\napiVersion: apps/v1\nspec:\n  template: x\n",
            4,
            13,
            "a string, expected a map",
        ),
        (
            "kind: Pod\napiVersion: v1\nspec: [1]\n",
            3,
            7,
            "a list, expected a map",
        ),
        (
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - [a, b]\n",
            5,
            5,
            "a list, expected a map",
        ),
        (
            "kind: Pod\napiVersion: v1\nspec:\n  volumes:\n  - name: a\n    hostPath: /var/run/docker.sock\n",
            6,
            15,
            "a map",
        ),
        (
            "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":\n{\"containers\":7}}",
            2,
            15,
            "a list",
        ),
    ];
    for (text, line, column, expected) in cases {
        let checked = check(text);
        assert_eq!(checked.objects.len(), 0, "{text}");
        assert_eq!(checked.errors.len(), 1, "{text}");
        let error = &checked.errors[0];
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{} in\n{text}",
            error.message
        );
        assert!(error.message.contains(expected), "{}", error.message);
    }
}

#[test]
fn lines_are_those_of_editors_also_where_yaml_has_more_of_them() {
    // A carriage return alone ends a line of YAML.
    let text = "\r\r# é\r\rapiVersion: v1\r\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: docker:cli\n---\na: [\r\r}\n";
    let checked = check(text);
    let places: Vec<_> = checked.objects[0]
        .findings
        .iter()
        .map(|placed| (placed.line, placed.column))
        .collect();
    assert!(
        !places.is_empty() && places.iter().all(|place| *place == (6, 12)),
        "{places:?}"
    );
    assert_eq!(
        (
            checked.objects[0].line,
            checked.errors[0].line,
            checked.errors[0].column
        ),
        (1, 8, 4),
        "{:?}",
        checked.errors
    );
}

#[test]
fn null_is_nothing_everywhere_as_go_reads_it() {
    let pod = "{kind: Pod, apiVersion: v1, metadata: ~, spec: {containers: [~, {name: a, image: docker, env: ~}], volumes: ~, template: ~}}";
    let checked = check(pod);
    assert_eq!((checked.errors.len(), checked.objects.len()), (0, 1));
    let fields: Vec<_> = checked.objects[0]
        .findings
        .iter()
        .map(|placed| placed.judged.finding.field.as_str())
        .collect();
    assert!(fields.contains(&"spec.containers[1].image"), "{fields:?}");
}

#[test]
fn a_wrong_item_costs_only_itself() {
    let text = "kind: List\napiVersion: v1\nitems:\n- {kind: Pod, apiVersion: v1, metadata: {name: a}, spec: {containers: 1}}\n- {kind: Pod, apiVersion: v1, metadata: {name: b}}\n";
    let checked = check(text);
    assert_eq!(names(&checked), [("b", 5)]);
    assert_eq!(checked.errors.len(), 1);
}

#[test]
fn custom_resources_may_use_the_names_for_something_else() {
    let checked = check(
        "apiVersion: example.com/v1\nkind: Deployment\nmetadata: {name: cr, namespace: n}\nspec: {containers: 3, template: text, volumes: {a: b}}\n",
    );
    assert!(checked.errors.is_empty(), "{:?}", checked.errors);
    assert_eq!(names(&checked), [("cr", 1)]);
    assert_eq!(checked.objects[0].namespace, "n");
}

#[test]
fn text_that_is_not_utf_8_is_an_error_with_a_place() {
    let checked = read(b"kind: Pod\nmetadata: {name: \xff}\n");
    assert_eq!(errors(&checked), [(2, 18, "not UTF-8 text")]);
    for mark in ["\u{feff}", ""] {
        let units: Vec<u16> = format!("{mark}kind: Pod").encode_utf16().collect();
        for wide in [
            units
                .iter()
                .copied()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
            units.iter().copied().flat_map(u16::to_be_bytes).collect(),
        ] {
            assert_eq!(
                errors(&read(&wide)),
                [(1, 1, "UTF-16 text: save it as UTF-8")]
            );
        }
    }
    let checked = check("kind: Pod\napiVersion: v1\nmetadata: {name: \"a\0\"}\n");
    assert_eq!(
        (
            checked.objects.len(),
            checked.errors[0].line,
            checked.errors[0].column
        ),
        (0, 3, 20)
    );
}

/// Runs `text`, and wants it done in a time that only exponential or cubic work exceeds.
fn ends(what: &str, text: &str) -> Checked {
    let (checked, took) = cpu_time_of(|| check(text));
    assert!(took < Duration::from_secs(20), "{what} took {took:?}");
    checked
}

#[test]
fn bombs_and_deep_nesting_end() {
    let mut bomb = String::from("kind: Pod\napiVersion: v1\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..40 {
        bomb += &format!(
            "a{i}: &a{i} [{}]\n",
            vec![format!("*a{}", i - 1); 9].join(", ")
        );
    }
    ends("a bomb that no rule reads", &bomb);
    let read = format!("{bomb}spec: {{containers: [{{name: a, image: b, command: *a39}}]}}\n");
    assert_eq!(ends("a bomb in a list of strings", &read).errors.len(), 1);
    let mut maps = String::from("kind: ConfigMap\napiVersion: v1\ndata:\n  a0: &a0 {a: x, b: x}\n");
    for i in 1..60 {
        maps += &format!("  a{i}: &a{i} {{a: *a{0}, b: *a{0}}}\n", i - 1);
    }
    let checked = ends("a bomb in a ConfigMap, whose texts are all read", &maps);
    assert!(
        checked.objects.is_empty() && checked.errors.len() == 1,
        "what is not read is no clean object: {checked:?}"
    );
    let error = &checked.errors[0];
    assert!(
        error.message.contains("through aliases")
            && (4..=63).contains(&error.line)
            && error.column > 1,
        "{error:?}"
    );
    let mut merges = String::from("kind: Pod\napiVersion: v1\nm0: &m0 {a: b}\n");
    for i in 1..200 {
        merges += &format!("m{i}: &m{i} {{<<: [*m{0}, *m{0}, *m{0}]}}\n", i - 1);
    }
    ends(
        "merges that multiply",
        &format!("{merges}spec: {{containers: [*m199]}}\n"),
    );
    for (name, open, close) in [
        ("lists", "[", "]"),
        ("maps", "{a: ", "}"),
        ("sequences", "- ", ""),
    ] {
        let deep = format!(
            "kind: Pod\nspec:\n  x: {}{}\n",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        ends(name, &deep);
        ends(
            name,
            &format!("{}{}", open.repeat(200_000), close.repeat(200_000)),
        );
    }
    let json = format!(
        "{{\"kind\":\"Pod\",\"spec\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let checked = ends("JSON", &json);
    assert_eq!(
        (checked.objects.len(), checked.errors.len()),
        (0, 1),
        "{:?}",
        checked.errors
    );
    let itself = "kind: Pod\napiVersion: v1\nspec: &s {containers: [{name: a, image: b}], template: {spec: *s}}\n";
    assert_eq!(ends("an alias inside its anchor", itself).errors.len(), 1);
}

#[test]
fn long_chains_end() {
    let mut chain = String::from("kind: Pod\napiVersion: v1\nm0: &m0 {name: a}\n");
    for i in 1..100_000 {
        chain += &format!("m{i}: &m{i} {{<<: *m{}}}\n", i - 1);
    }
    chain += "spec: {containers: [*m99999]}\n";
    ends("a chain of merges", &chain);
    let mut aliases = String::from("kind: Pod\napiVersion: v1\nx:\n- &a0 [x]\n");
    for i in 1..20_000 {
        aliases += &format!("- &a{i} [*a{}]\n", i - 1);
    }
    aliases += "spec: {containers: [{name: a, image: b, command: *a19999}]}\n";
    ends("a chain of aliases", &aliases);
    let keys: String = (0..100_000).map(|i| format!("  k{i}: v\n")).collect();
    ends(
        "many keys",
        &format!("kind: ConfigMap\napiVersion: v1\nmetadata: {{name: a}}\ndata:\n{keys}"),
    );
    ends(
        "one key many times",
        &format!(
            "kind: ConfigMap\napiVersion: v1\ndata:\n{}",
            "  k: v\n".repeat(100_000)
        ),
    );
    ends("many documents", &"---\na: 1\n".repeat(100_000));
    ends(
        "many items",
        &format!(
            "kind: List\napiVersion: v1\nitems:\n{}",
            "- {kind: Pod, apiVersion: v1}\n".repeat(50_000)
        ),
    );
}

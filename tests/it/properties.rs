//! Properties: nothing that is read can stop the reader or make it slow, and no equal spelling of an object hides a finding.

use std::time::Duration;

use proptest::prelude::*;
use undock::check::{Checked, Input};
use undock::decision::{Mode, Policy};
use undock::workload::host_path::HostPath;
use undock::workload::image::ImageReference;
use undock::workload::shell::read_script;

use crate::cpu_time::cpu_time_of;
use crate::support::reviews::{create, socket_pod};

mod rewrites;

fn check(bytes: &[u8]) -> Checked {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    undock::check::check(&[Input::new("file", bytes)], "default", &policy)
}

/// Texts near YAML, JSON and Pods.
const YAML: &str = "(apiVersion: v1\n|kind: (Pod|List|Node|ConfigMap)\n|spec:\n|  containers:\n|  volumes: |items:\n|- |  |\n|name: a|\
                    image: docker|command: |\\[|\\]|\\{|\\}|,|:|: |\"|'|&a |\\*a|<<: |---\n|\t|#|\\||>|!|%|@|`|\\\\|hostPath: \\{path: /run/docker.sock\\}|~|é){0,60}";

/// Texts near shell.
const SHELL: &str = "(docker |ps|run |;|&&|\\|\\||\\||\n|\\(|\\)|\\(\\(|\\$\\(|\\$\\{|\\}|`|'|\"|\\\\|#|<<EOF\n|EOF\n|<<-|<|>|case |esac|in |;;|if |then |fi|\
                     do|done|for |function |sh -c |A=\\(|A=1 |eval |nsenter -t 1 |chroot |sudo |xargs |é| ){0,60}";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_stop_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }

    #[test]
    fn yaml_stops_nothing(text in YAML) {
        let checked = check(text.as_bytes());
        for error in &checked.errors {
            prop_assert!(error.line >= 1 && error.line <= text.lines().count() + 1, "{:?}", error);
        }
        for placed in checked.objects.iter().flat_map(|object| &object.findings) {
            prop_assert!(placed.line >= 1 && placed.line <= text.lines().count() && placed.column >= 1);
        }
    }

    #[test]
    fn changed_bytes_stop_nothing(seed in any::<u64>(), at in any::<prop::sample::Index>(), with in proptest::collection::vec(any::<u8>(), 0..8), cut in 0_usize..40) {
        let mut bytes = rewrites::rewritten(seed).1.into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        check(&bytes);
    }

    #[test]
    fn shell_stops_nothing(script in SHELL) {
        for invocation in read_script(&script) {
            prop_assert!(!invocation.words.is_empty());
        }
    }

    #[test]
    fn shell_in_an_object_stops_nothing(script in SHELL, value in "\\PC{0,40}") {
        let object = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{
            "name": "a", "image": value, "command": ["sh", "-c", script], "args": [value],
            "env": [{"name": "DOCKER_HOST", "value": value}, {"name": "A", "value": script}],
            "volumeMounts": [{"name": "v", "mountPath": value, "subPathExpr": script}]}],
            "volumes": [{"name": "v", "hostPath": {"path": value}}]}});
        let checked = check(object.to_string().as_bytes());
        prop_assert!(checked.errors.is_empty());
        for placed in checked.objects.iter().flat_map(|object| &object.findings) {
            prop_assert!(!placed.judged.finding.message().contains(char::is_control), "{}", placed.judged.finding.message());
        }
    }

    #[test]
    fn reading_a_script_is_the_same_in_any_line_ends(script in "(docker ps|echo a|if true; then|fi|x=1| && | ; |\n){0,20}") {
        let words = |script: &str| read_script(script).into_iter().map(|i| i.words).collect::<Vec<_>>();
        prop_assert_eq!(words(&script), words(&script.replace('\n', "\r\n")));
    }

    #[test]
    fn any_text_is_an_image(text in "\\PC{0,60}") {
        let image = ImageReference::parse(&text);
        prop_assert!(!image.host.is_empty() || text.starts_with('/'));
    }

    #[test]
    fn tag_and_digest_never_change_the_repository(
        host in "((localhost|[a-z]{1,8}\\.[a-z]{2,4}|\\[fc00::1\\])(:[0-9]{2,5})?/|)",
        path in "[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}",
        tag in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
        digest in "[0-9a-f]{64}",
    ) {
        let name = format!("{host}{path}");
        let repository = ImageReference::parse(&name).repository();
        for text in [format!("{name}:{tag}"), format!("{name}@sha256:{digest}"), format!("{name}:{tag}@sha256:{digest}"), format!(" {name}:{tag} ")] {
            let image = ImageReference::parse(&text);
            prop_assert_eq!(image.repository(), repository.clone(), "{}", text);
        }
        let (tagged, both) = (format!("{name}:{tag}"), format!("{name}:{tag}@sha256:{digest}"));
        prop_assert_eq!(ImageReference::parse(&tagged).tag, Some(tag.as_str()));
        prop_assert_eq!(ImageReference::parse(&both).digest.map(str::len), Some(71));
    }

    #[test]
    fn cleaning_a_path_twice_is_cleaning_it_once(raw in "([a-zA-Z.:/\\\\]|/var/run|/proc/1/root|//|\\.\\.|//./pipe/|C:|é| ){0,24}") {
        let once = HostPath::new(&raw);
        prop_assert_eq!(HostPath::new(once.as_str()), once.clone(), "{:?}", raw);
        prop_assert!(!once.as_str().is_empty() && !once.as_str().contains("//"));
        prop_assert!(once.is_within(once.as_str()));
    }

    #[test]
    fn spellings_of_a_path_are_one(parts in proptest::collection::vec("[a-z]{1,6}(\\.[a-z]{1,4})?", 1..6), seed in any::<u64>()) {
        let mut random = rewrites::Random(seed);
        let plain = format!("/{}", parts.join("/"));
        prop_assert_eq!(HostPath::new(&random.path(&plain)), HostPath::new(&plain));
        let windows = format!("C:/{}", parts.join("/"));
        prop_assert_eq!(HostPath::new(&windows.replace('/', "\\").to_uppercase()), HostPath::new(&windows));
    }

    #[test]
    fn a_joined_path_lies_below(path in "(/[a-z]{1,5}){0,4}", below in "[a-z]{1,5}(/[a-z]{1,5}){0,3}") {
        let root = HostPath::new(&path);
        let joined = root.join(&below);
        prop_assert!(joined.is_within(root.as_str()));
        prop_assert!(root.is_above(joined.as_str()));
        prop_assert!(joined.as_str().ends_with(&below));
    }

    /// The heart of it: however an object is spelled, its finding stays.
    #[test]
    fn no_equal_spelling_loses_the_finding(seed in any::<u64>()) {
        let (code, text) = rewrites::rewritten(seed);
        let checked = check(text.as_bytes());
        prop_assert!(checked.errors.is_empty(), "{:?} in\n{}", checked.errors, text);
        let found: Vec<_> = checked.objects.iter().flat_map(|object| &object.findings).map(|placed| placed.judged.finding.rule.code).collect();
        prop_assert!(found.contains(&code), "{} is lost, {:?} found, in\n{}", code, found, text);
    }

    #[test]
    fn no_spelling_of_a_review_changes_the_answer(
        script in "(docker ps|<|>|&|\n|\"|\\\\|\t|é|🐋|/run/docker.sock| ){0,20}",
        seed in any::<u64>(),
        of in 1_usize..8,
    ) {
        let mut pod = socket_pod();
        pod["spec"]["containers"][0]["args"] = serde_json::json!(["sh", "-c", script]);
        let plain = create(pod).to_string();
        let spelled = rewrites::Random(seed).json(&plain, of);
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&spelled).unwrap(), serde_json::from_str::<serde_json::Value>(&plain).unwrap());
        let answer = |body: &str| {
            let reviewed = undock::admission::review(body.as_bytes(), &Policy::default());
            String::from_utf8(reviewed.unwrap().response).unwrap()
        };
        prop_assert_eq!(answer(&spelled), answer(&plain));
    }
}

/// Whether four times the input takes much more than four times the time; sixteen times is what quadratic work takes.
fn grows_too_fast(
    input: impl Fn(usize) -> String,
    size: usize,
    read: impl Fn(&str) + Sync,
) -> Option<String> {
    let cost = |text: &str| {
        let runs = (0..2).map(|_| cpu_time_of(|| read(text)).1);
        runs.min().unwrap_or_default()
    };
    let (small, large) = (input(size), input(4 * size));
    let (before, after) = (cost(&small), cost(&large));
    (after > before * 10 + Duration::from_millis(100)).then(|| {
        format!(
            "{before:?} for {} bytes, {after:?} for {}",
            small.len(),
            large.len()
        )
    })
}

#[test]
fn shell_is_read_in_linear_time() {
    let pieces = [
        "$(",
        "((",
        "$((",
        "$((1<<",
        "(",
        "`",
        "'",
        "\"",
        "\"$(",
        "<<a\n",
        "<<a ",
        "case x in ",
        "case x in a) ",
        "x=(",
        "x=( a\n",
        "${",
        "sh -c '",
        "sh -c \"",
        "A=1 ",
        "A=1;",
        "a;",
        "a|",
        "#\n",
        "\\\n",
        "docker ps;",
        "export DOCKER_HOST=a\n",
        "for i in a; do ",
        "if a; then ",
        "if a; then export DOCKER_HOST=a; ",
        "cat <<a | sh\n",
        "$(cat <<a\n",
        "${x:-",
        "`which a",
        "f() { ",
        "eval a;",
        "> a ",
        "é",
        "env ",
        "sudo sh -c 'a;",
    ];
    for piece in pieces {
        for tail in ["", ")", "'", "\n"] {
            let too_fast = grows_too_fast(
                |n| format!("{}{}", piece.repeat(n), tail.repeat(n)),
                2_500,
                |text| drop(read_script(text)),
            );
            assert!(
                too_fast.is_none(),
                "{piece:?} and {tail:?}: {}",
                too_fast.unwrap_or_default()
            );
        }
    }
}

#[test]
fn yaml_is_read_in_linear_time() {
    let pieces = [
        ("", "a: b\n"),
        ("", "a:\n"),
        ("", "- a\n"),
        ("", "- - a\n"),
        ("", "- a: b\n  c:\n  - d\n"),
        ("", "- |\n  a\n\n"),
        ("a: b\n", "  c\n\n"),
        ("a: b", "\n\n  "),
        ("a: '", "b\n\n"),
        ("a: \"", "\\n\\u00e9é"),
        ("a: |\n  b\n", " \n"),
        ("a: >\n", "  b\n\n   c\n"),
        ("- '", "''"),
        ("[", "é, "),
        ("[", "\"é\","),
        ("{\"a\":[1", ",\n \"é\""),
        ("[", "{a: b, 'c':[]},"),
        ("[", "\n\n"),
        ("", "# a\n"),
        ("", "\n---\n"),
        ("", "---\na: b\n"),
        ("", "--- # a\n- b: [\n"),
        ("", "- &a b\n- *a\n"),
        ("- !t {a: b}\n", "- [a, 'b', \"c\"]\n"),
        ("\r\n", "a: b\r\n"),
        ("", "{\"a\":1}"),
        ("", "{\"a\":1}\n"),
        ("é", " a"),
        ("", "? a\n: b\n"),
    ];
    for (head, piece) in pieces {
        for tail in ["", "'"] {
            let too_fast = grows_too_fast(
                |n| format!("{head}{}{tail}", piece.repeat(n)),
                1_500,
                |text| drop(check(text.as_bytes())),
            );
            assert!(
                too_fast.is_none(),
                "{head:?}, {piece:?} and {tail:?}: {}",
                too_fast.unwrap_or_default()
            );
        }
    }
}

/// An object in which one list has `n` items.
type Grown = (&'static str, fn(usize) -> String);

#[test]
fn objects_are_read_in_linear_time() {
    fn many(n: usize, item: impl Fn(usize) -> String) -> String {
        (0..n).map(item).collect::<Vec<_>>().join(", ")
    }
    fn pod(container: &str, volumes: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Pod, spec: {{containers: [{{name: a, image: b, {container}}}], volumes: [{volumes}]}}}}"
        )
    }
    let cases: [Grown; 12] = [
        ("calls", |n| {
            pod(
                &format!(
                    "command: [sh, -c, '{}']",
                    "docker -H tcp://$X ps;".repeat(n)
                ),
                "",
            )
        }),
        ("calls of many programs", |n| {
            pod(
                &format!(
                    "command: [sh, -c, 'docker ps;{}']",
                    (0..n).map(|i| format!("\"p{i}\" x;")).collect::<String>()
                ),
                "",
            )
        }),
        ("arguments", |n| {
            pod(
                &format!("args: [{}]", many(n, |i| format!("/x{i}/docker.sock"))),
                "",
            )
        }),
        ("references", |n| {
            pod(
                &format!(
                    "env: [{{name: A, value: x}}, {{name: DOCKER_HOST, value: '{}'}}]",
                    "$(A)".repeat(n)
                ),
                "",
            )
        }),
        ("open references", |n| {
            pod(
                &format!("env: [{{name: DOCKER_HOST, value: '{}'}}]", "${".repeat(n)),
                "",
            )
        }),
        ("containers", |n| {
            format!(
                "{{apiVersion: v1, kind: Pod, spec: {{containers: [{}]}}}}",
                many(n / 4, |i| format!("{{name: a{i}, image: docker}}"))
            )
        }),
        ("unmounted volumes", |n| {
            pod(
                "command: [a]",
                &many(n / 4, |i| {
                    format!("{{name: v{i}, hostPath: {{path: /run/docker.sock}}}}")
                }),
            )
        }),
        ("mounts", |n| {
            pod(
                &format!(
                    "volumeMounts: [{}]",
                    many(n / 4, |i| format!("{{name: v, mountPath: /m{i}}}"))
                ),
                "{name: v, hostPath: {path: /run}}",
            )
        }),
        ("long paths", |n| {
            pod(
                "volumeMounts: [{name: v, mountPath: /m}]",
                &format!("{{name: v, hostPath: {{path: {}}}}}", "/./a".repeat(n)),
            )
        }),
        ("dots", |n| {
            pod(
                "volumeMounts: [{name: v, mountPath: /m}]",
                &format!("{{name: v, hostPath: {{path: {}}}}}", "/a/..".repeat(n)),
            )
        }),
        ("a long image", |n| {
            format!(
                "{{apiVersion: v1, kind: Pod, spec: {{containers: [{{name: a, image: '{}'}}]}}}}",
                "a/library/".repeat(n)
            )
        }),
        ("a long ConfigMap", |n| {
            format!(
                "{{apiVersion: v1, kind: ConfigMap, data: {{a: '{}'}}}}",
                "format json docker:// ".repeat(n)
            )
        }),
    ];
    for (name, input) in cases {
        let too_fast = grows_too_fast(input, 2_000, |text| {
            // Thousands of findings do not fit into what one object may keep.
            let mut errors = check(text.as_bytes()).errors.into_iter();
            assert!(
                errors.all(|error| error.message.contains("too intricate")),
                "{name}"
            )
        });
        assert!(
            too_fast.is_none(),
            "{name}: {}",
            too_fast.unwrap_or_default()
        );
    }
}

#[test]
fn a_few_variables_cannot_ask_for_more_than_there_is_memory() {
    let big = "x".repeat(200_000);
    let text = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{
        "name": "a", "image": "b", "args": ["$(A)".repeat(50_000) + "/docker.sock", "$A".repeat(50_000)],
        "env": [{"name": "A", "value": big}, {"name": "DOCKER_HOST", "value": "$(A)".repeat(50_000)}],
        "volumeMounts": [{"name": "v", "mountPath": "/v", "subPathExpr": "$(A)".repeat(50_000)}]}],
        "volumes": [{"name": "v", "hostPath": {"path": "/run"}}]}});
    let (_, took) = cpu_time_of(|| check(text.to_string().as_bytes()));
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_line_of_a_whole_list_is_not_kept_for_each_finding() {
    let pods: Vec<_> = (0..2_000)
        .map(|i| serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": i.to_string()}, "spec": {"containers": [{"name": "a", "image": "docker"}]}}))
        .collect();
    let checked = check(
        serde_json::json!({"apiVersion": "v1", "kind": "List", "items": pods})
            .to_string()
            .as_bytes(),
    );
    let kept: usize = checked
        .objects
        .iter()
        .flat_map(|object| &object.findings)
        .map(|placed| placed.text.len())
        .sum();
    assert!(
        checked.objects.len() == 2_000 && kept < 2_000 * 1_100,
        "{kept} bytes of lines"
    );
}

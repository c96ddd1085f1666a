//! The catalogue as a whole: rules, fixtures and pages belong to each other, both ways, and the
//! texts keep to their style.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use undock::check::{Input, check};
use undock::decision::{Mode, Policy};
use undock::explain;
use undock::finding::{Action, Certainty, Context, Rule};
use undock::rules::{self, RULES};

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn names_in(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn set(names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    names.into_iter().collect()
}

#[test]
fn every_rule_has_fixtures_and_every_fixture_a_rule() {
    let rules = set(RULES.iter().map(|rule| rule.name.to_owned()));
    assert_eq!(
        names_in("tests/fixtures/rules"),
        rules,
        "the folders of tests/fixtures/rules, and the rules"
    );
    for rule in &rules {
        let folder = format!("tests/fixtures/rules/{rule}");
        assert_eq!(
            names_in(&folder),
            set(["flags.yaml".to_owned(), "passes.yaml".to_owned()]),
            "{folder}"
        );
    }
}

#[test]
fn every_rule_has_a_file_of_its_name() {
    let files = names_in("src/rules");
    for rule in RULES {
        let file = format!("{}.rs", rule.name.replace('-', "_"));
        assert!(
            files.contains(&file),
            "no src/rules/{file} for {}",
            rule.code
        );
        let text = fs::read_to_string(root("src/rules").join(&file)).unwrap();
        let head = format!("//! {} {}: ", rule.code, rule.name);
        assert!(
            text.starts_with(&head),
            "src/rules/{file} does not begin with {head:?}"
        );
        assert!(
            text.lines().count() <= 120,
            "src/rules/{file} is longer than 120 lines: what finds belongs into src/analysis"
        );
    }
    let helpers = ["findings.rs", "host_paths.rs", "nodes.rs"];
    let known = set(RULES
        .iter()
        .map(|rule| format!("{}.rs", rule.name.replace('-', "_")))
        .chain(helpers.map(str::to_owned)));
    assert_eq!(
        files, known,
        "a file in src/rules is no rule in the catalogue"
    );
}

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let mut pages = set(RULES.iter().map(|rule| format!("{}.md", rule.name)));
    pages.insert("README.md".to_owned());
    assert_eq!(names_in("docs/rules"), pages, "the files of docs/rules");
    for rule in RULES {
        let path = root("docs/rules").join(format!("{}.md", rule.name));
        assert!(
            fs::read_to_string(path).unwrap() == rule.page,
            "{} includes the page of another rule",
            rule.code
        );
    }
}

#[test]
fn the_index_lists_the_rules() {
    let mut list = Vec::new();
    explain::write_list(&mut list, true).unwrap();
    let found = fs::read(root("docs/rules/README.md")).unwrap();
    assert!(
        found == list,
        "docs/rules/README.md is out of date: \
         cargo run -- explain -o markdown=docs/rules/README.md"
    );
}

/// What stands above the first heading of a page.
fn head(rule: &Rule) -> String {
    let (first, rest) = rule.summary.split_at(1);
    format!(
        "# {} {} {}{rest}. Certainty: {} · impact: {} · default action: {} · since {}",
        rule.code,
        rule.name,
        first.to_uppercase(),
        rule.certainty,
        rule.impact,
        rule.default_action(Certainty::Likely),
        rule.since
    )
}

#[test]
fn pages_begin_with_what_the_rule_declares() {
    for rule in RULES {
        let found = rule.page.split("\n## ").next().unwrap();
        let found: Vec<&str> = found.split_whitespace().collect();
        assert_eq!(found.join(" "), head(rule), "the head of the page");
    }
}

#[test]
fn pages_have_their_headings_and_width() {
    for rule in RULES {
        let mut is_code = false;
        let mut outline = Vec::new();
        for line in rule.page.lines() {
            let is_fence = line.starts_with("```");
            let is_heading = line.starts_with('#') || ["Before:", "After:"].contains(&line);
            if is_fence || !is_code && is_heading {
                outline.push(line);
            }
            is_code ^= is_fence;
            // Neither tables nor addresses can be broken.
            let is_whole = line.starts_with('|') || !line.trim_start_matches("- ").contains(' ');
            assert!(
                line.chars().count() <= 100 || is_whole,
                "{}: a line over 100 columns: {line}",
                rule.name
            );
        }
        let expected = [
            "## Why it breaks",
            "## How to fix it",
            "Before:",
            "```yaml",
            "```",
            "After:",
            "```yaml",
            "```",
            "## What is not flagged",
            "## References",
        ];
        assert_eq!(outline[1..], expected, "the headings of {}.md", rule.name);
    }
}

/// How the absence of a path shows depends on `hostPath.type` alone, so the pages say the same.
#[test]
fn pages_about_host_paths_have_one_table_of_types() {
    let table = |rule: &Rule| -> Vec<&str> {
        let lines = rule.page.lines().filter(|line| line.starts_with("| "));
        lines.collect()
    };
    let expected = table(rules::find("docker-socket-mount").unwrap());
    assert_eq!(expected.len(), 5, "a head and three rows: {expected:?}");
    let has_table = |rule: &&&Rule| rule.host_path.is_some() || !table(rule).is_empty();
    for rule in RULES.iter().filter(has_table) {
        assert_eq!(table(rule), expected, "the table of {}.md", rule.name);
    }
}

/// The codes that fire on `text`, with what they do.
fn codes(rule: &Rule, text: &str) -> BTreeMap<&'static str, Action> {
    let target = rule.target.unwrap_or_default();
    let policy = Policy {
        mode: Mode::Enforce,
        context: Context { target },
        ..Policy::default()
    };
    let checked = check(&[Input::new("example", text)], "default", &policy);
    assert!(
        checked.errors.is_empty() && !checked.objects.is_empty(),
        "{}: {:?} in\n{text}",
        rule.code,
        checked.errors
    );
    let judged = checked
        .objects
        .iter()
        .flat_map(|object| &object.findings)
        .map(|placed| &placed.judged);
    judged
        .map(|judged| (judged.finding.rule.code, judged.action))
        .collect()
}

#[test]
fn examples_show_the_fault_and_its_cure() {
    for rule in RULES {
        assert!(
            codes(rule, rule.before()).contains_key(rule.code),
            "{}: `before` is not flagged by its rule",
            rule.code
        );
        let after = codes(rule, rule.after());
        assert!(
            !after.contains_key(rule.code),
            "{}: `after` is still flagged",
            rule.code
        );
        assert!(
            !after.values().any(|action| *action == Action::Deny),
            "{}: `after` would be refused: {after:?}",
            rule.code
        );
    }
}

/// Words that are written with a capital wherever they stand.
const NAMES: [&str; 18] = [
    "Azure",
    "BuildKit",
    "CI",
    "CRI",
    "CRI-O",
    "Cluster",
    "DOCKER_HOST",
    "Docker",
    "Docker's",
    "HTTP",
    "Karpenter",
    "Kubernetes",
    "PersistentVolume",
    "Pod",
    "Pods",
    "Pods",
    "PodSecurityPolicy",
    "RuntimeClass",
];

/// A part of a sentence: begins small unless with a name, and has no full stop at its end.
fn is_fragment(text: &str) -> bool {
    let first = text.split([' ', ',', ':']).next().unwrap_or_default();
    let begins_small =
        !text.starts_with(char::is_uppercase) || NAMES.contains(&first) || is_constant(first);
    begins_small && !text.ends_with('.') && !text.contains('\n') && text.trim() == text
}

/// `imagePullPolicy` and `NET_RAW` are names, too.
fn is_constant(word: &str) -> bool {
    word.chars().filter(|c| c.is_ascii_uppercase()).count() > 1
}

#[test]
fn texts_keep_to_their_style() {
    for rule in RULES {
        let code = rule.code;
        for (name, text) in [
            ("summary", rule.summary),
            ("reason", rule.reason),
            ("short_fix", rule.short_fix),
        ] {
            assert!(
                !text.is_empty() && is_fragment(text),
                "{code}: {name} is a fragment without a capital and a full stop: {text:?}"
            );
        }
        assert!(
            rule.consequence.is_empty() || is_fragment(rule.consequence),
            "{code}: consequence: {:?}",
            rule.consequence
        );
        for (name, text) in [
            ("How to fix it", rule.fix()),
            ("Why it breaks", rule.why()),
            ("What is not flagged", rule.not_flagged()),
        ] {
            assert!(
                text.ends_with('.') && text.trim() == text,
                "{code}: {name} ends with a full stop: {text:?}"
            );
            assert!(
                !text.contains("{nodes}"),
                "{code}: {name} is not filled in for a target"
            );
        }
        // What is shown in one line of 120 characters beside a name and a path.
        assert!(
            rule.reason.len() <= 44,
            "{code}: the reason has {} characters: {}",
            rule.reason.len(),
            rule.reason
        );
        assert!(
            rule.short_fix.len() <= 40,
            "{code}: the short fix has {} characters: {}",
            rule.short_fix.len(),
            rule.short_fix
        );
        assert!(rule.references().next().is_some(), "{code} names no source");
    }
}

#[test]
fn codes_and_names_have_their_form() {
    for rule in RULES {
        let (letters, digits) = rule.code.split_at(3);
        assert!(
            ["DKR", "NOD", "CLU"].contains(&letters)
                && digits.len() == 3
                && digits.bytes().all(|b| b.is_ascii_digit()),
            "{}",
            rule.code
        );
        let is_kebab = rule.name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        assert!(is_kebab, "{}", rule.name);
        // The name reads well behind "allow".
        assert!(
            !["no-", "avoid-", "disallow-"]
                .iter()
                .any(|start| rule.name.starts_with(start)),
            "{}",
            rule.name
        );
        assert!(
            rule.since.split('.').count() == 3,
            "{}: since {}",
            rule.code,
            rule.since
        );
    }
}

#[test]
fn no_cure_is_a_tool_that_nobody_maintains() {
    // The repository of kaniko and that of img were archived; dockershim and docker-gc speak for themselves.
    let given_up = [
        "kaniko",
        "img build",
        "buildkit-cli-for-kubectl",
        "docker-gc",
        "logspout",
        "watchtower",
    ];
    for rule in RULES {
        for text in [rule.fix().as_str(), rule.short_fix, rule.after()] {
            let found = given_up
                .iter()
                .find(|tool| text.to_lowercase().contains(*tool));
            let says_to_remove = text.starts_with("Remove it");
            assert!(
                found.is_none() || says_to_remove,
                "{}: recommends {:?}: {text}",
                rule.code,
                found
            );
        }
    }
}

//! The catalogue as a whole: rules, fixtures and pages belong to each other, both ways, and the texts keep to their style.
//!
//! `UPDATE_DOCS=1 cargo test --test it catalogue` writes the pages anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use undock::check::Checked;
use undock::decision::{Mode, Policy};
use undock::explain;
use undock::finding::{Action, Context, Rule, Target};
use undock::rules::RULES;

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
    }
    let helpers = ["host_paths.rs", "place.rs", "signals.rs"];
    let known = set(RULES
        .iter()
        .map(|rule| format!("{}.rs", rule.name.replace('-', "_")))
        .chain(helpers.map(str::to_owned)));
    assert_eq!(
        files, known,
        "a file in src/rules is no rule in the catalogue"
    );
}

fn page(rule: &Rule) -> String {
    let mut page = Vec::new();
    explain::write_page(&mut page, rule).unwrap();
    String::from_utf8(page).unwrap()
}

/// The list of all rules as `docs/rules/README.md`, whose links start in that folder.
fn index() -> String {
    let mut list = Vec::new();
    explain::write_list(&mut list, true).unwrap();
    let list = String::from_utf8(list).unwrap().replace("](rules/", "](");
    format!(
        "# Rules\n\nWhat undock finds. `undock explain CODE` shows a page in the terminal.\n\n{list}"
    )
}

#[test]
fn pages_are_those_of_the_rules() {
    let mut pages: Vec<(String, String)> = RULES
        .iter()
        .map(|rule| (format!("{}.md", rule.code), page(rule)))
        .collect();
    pages.push(("README.md".to_owned(), index()));
    let folder = root("docs/rules");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        // Nothing is missing in between: other tests read the folder at the same time.
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
        for name in names_in("docs/rules")
            .iter()
            .filter(|name| !pages.iter().any(|(page, _)| page == *name))
        {
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
    assert_eq!(
        names_in("docs/rules"),
        set(pages.iter().map(|(name, _)| name.clone())),
        "docs/rules; UPDATE_DOCS=1 writes it"
    );
    for (name, text) in pages {
        let found = fs::read_to_string(folder.join(&name)).unwrap();
        assert!(
            found == text,
            "docs/rules/{name} is not what `undock explain` writes; UPDATE_DOCS=1 writes it anew"
        );
    }
}

#[test]
fn links_of_the_index_lead_to_pages() {
    let index = index();
    let links: Vec<&str> = index
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    assert_eq!(links.len(), RULES.len());
    for link in links {
        assert!(
            Path::new(&root("docs/rules").join(link)).exists(),
            "docs/rules/README.md links to {link}"
        );
    }
}

/// The codes that fire on `text`, with what they do.
fn codes(rule: &Rule, text: &str) -> BTreeMap<&'static str, Action> {
    let target = if rule.code == "DKR207" {
        Target::CriO
    } else {
        Target::Containerd
    };
    let policy = Policy {
        mode: Mode::Enforce,
        context: Context { target },
        ..Policy::default()
    };
    let mut checked = Checked::default();
    checked.add("example", text.as_bytes(), "default", &policy);
    checked.finish("default", &policy);
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
            codes(rule, rule.before).contains_key(rule.code),
            "{}: `before` is not flagged by its rule",
            rule.code
        );
        let after = codes(rule, rule.after);
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
            ("fix", rule.fix),
            ("why", rule.why),
            ("not_flagged", rule.not_flagged),
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
        assert!(!rule.references.is_empty(), "{code} names no source");
        for example in [rule.before, rule.after] {
            assert!(
                example.ends_with('\n') && !example.starts_with('\n'),
                "{code}: an example is a text of whole lines"
            );
        }
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
        for text in [rule.fix, rule.short_fix, rule.after] {
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

//! The shape of the source: imports go one way, files are short and say what they are for, nothing prints or unwraps.

mod circles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of `src/lib.rs`, in the order in which they may import.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            if entry.is_dir() {
                open.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                found.push(entry);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no source in {folder}");
    found
}

/// The text above the tests at the end of a file.
fn shipped(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("\n#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn imports_go_one_way() {
    let modules = modules();
    let mut wrong = Vec::new();
    for path in sources("src") {
        let inside = path.strip_prefix("src").unwrap();
        let own = inside
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        let Some(place) = modules.iter().position(|module| *module == own) else {
            assert!(own == "main" || own == "lib", "{own} is not in src/lib.rs");
            continue;
        };
        for (number, line) in shipped(&path).lines().enumerate() {
            for after in line.split("crate::").skip(1) {
                // `use crate::{a, b}` as well as `crate::a::B`.
                let names: Vec<&str> = match after.strip_prefix('{') {
                    Some(list) => list.split(['}', ',']).map(str::trim).collect(),
                    None => vec![after],
                };
                for name in names {
                    let name: String = name
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect();
                    if modules
                        .iter()
                        .position(|module| *module == name)
                        .is_some_and(|target| target > place)
                    {
                        wrong.push(format!(
                            "{}:{}: {own} imports {name}",
                            path.display(),
                            number + 1
                        ));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "a module may import only from those before it in src/lib.rs:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_code_map_names_every_module() {
    let map = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let named: Vec<String> = map
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(name, _)| name.to_owned())
        .collect();
    let named: Vec<String> = named
        .into_iter()
        .filter(|name| !name.contains('/'))
        .collect();
    assert_eq!(
        named,
        modules(),
        "the code map of ARCHITECTURE.md, against src/lib.rs"
    );
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut lengths = Vec::new();
    for path in sources("src").into_iter().chain(sources("tests")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not begin with what it is for",
            path.display()
        );
        let lines = text.lines().count();
        // A file of tests is a list of cases.
        let most = if path.starts_with("src") { 500 } else { 700 };
        assert!(lines <= most, "{} has {lines} lines", path.display());
        if path.starts_with("src") {
            lengths.push(lines);
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median < 150, "the median file has {median} lines");
}

#[test]
fn shipped_code_neither_unwraps_nor_prints() {
    let mut wrong = BTreeSet::new();
    for path in sources("src") {
        let is_command = path.starts_with("src/commands") || path == Path::new("src/commands.rs");
        for (number, line) in shipped(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let prints = ["println!", "print!", "eprintln!", "eprint!"]
                .iter()
                .any(|name| code.contains(name))
                && !is_command;
            let exits = code.contains("process::exit");
            if code.contains(".unwrap()")
                || code.contains("dbg!")
                || code.contains("todo!")
                || prints
                || exits
            {
                wrong.insert(format!(
                    "{}:{}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_tests_that_security_md_names_exist() {
    let page = fs::read_to_string("SECURITY.md").unwrap();
    let (_, table) = page.split_once("| claim | test |").unwrap();
    let tests: Vec<String> = ["tests/it", "src"]
        .iter()
        .flat_map(|folder| sources(folder))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    let named: Vec<&str> = rows.map(|row| row.rsplit('`').nth(1).unwrap()).collect();
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        let is_there = |text: &String| text.contains(&format!("fn {name}("));
        assert!(
            tests.iter().any(is_there),
            "SECURITY.md names {name}, which is no test"
        );
    }
}

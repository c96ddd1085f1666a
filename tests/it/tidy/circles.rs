//! No file of the source needs another one that needs it: such files are one file in two pieces.

use std::collections::{BTreeMap, BTreeSet};

use super::{shipped, sources};

/// What each file imports, by module path. A child may use its parent, which declares it.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let texts: BTreeMap<String, String> = sources("src")
        .into_iter()
        .map(|path| {
            let module = path.strip_prefix("src").unwrap().with_extension("");
            let names: Vec<_> = module.iter().map(|name| name.to_str().unwrap()).collect();
            let code = shipped(&path);
            let code = code
                .lines()
                .map(|line| line.split("//").next().unwrap_or_default())
                .collect();
            (names.join("::"), code)
        })
        .collect();
    let module_of = |path: &[String]| {
        let ends = (1..=path.len()).rev();
        ends.map(|end| path[..end].join("::"))
            .find(|module| texts.contains_key(module))
    };
    let mut graph = BTreeMap::new();
    for (module, code) in &texts {
        let here: Vec<String> = module.split("::").map(str::to_owned).collect();
        let mut needed: BTreeSet<String> = paths(code)
            .into_iter()
            .filter_map(|path| module_of(&absolute(&here, &path)?))
            .collect();
        needed.retain(|other| other != module && !module.starts_with(&format!("{other}::")));
        graph.insert(module.clone(), needed);
    }
    graph
}

/// Every path that begins with `crate` or `super`, with the lists of `use` taken apart; what else
/// is used comes from other crates, or from a child, which begins with its name.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for statement in code.split("use ").skip(1) {
        let statement: String = statement.split(';').next().unwrap_or_default().to_owned();
        expand(String::new(), &statement, &mut found);
    }
    for start in ["crate::", "super::"] {
        for after in code.split(start).skip(1) {
            let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | ':');
            found.push(format!(
                "{start}{}",
                after.chars().take_while(is_part).collect::<String>()
            ));
        }
    }
    found
        .iter()
        .map(|path| {
            path.split("::")
                .map(|part| part.trim().to_owned())
                .collect()
        })
        .collect()
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn expand(before: String, tree: &str, found: &mut Vec<String>) {
    let Some((prefix, list)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        found.push(before + name.trim());
        return;
    };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(
                    format!("{before}{}", prefix.trim()),
                    &list[start..at],
                    found,
                );
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// `path` from the root, as seen in the module `here`.
fn absolute(here: &[String], path: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => Some([here.get(..here.len().checked_sub(ups)?)?, &path[ups..]].concat()),
        _ => Some([here, path].concat()),
    }
}

/// The files that each file reaches over others.
fn reached<'g>(graph: &'g BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<&'g str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = graph[from].iter().map(String::as_str).collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(graph[module].iter().map(String::as_str));
        }
    }
    reached
}

#[test]
fn files_do_not_import_in_circles() {
    let graph = imports();
    let reached: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|module| (module.as_str(), reached(&graph, module)))
        .collect();
    let circles: BTreeSet<Vec<&str>> = reached
        .iter()
        .map(|(module, others)| {
            let back = others
                .iter()
                .filter(|other| reached[**other].contains(module));
            back.copied().collect::<Vec<_>>()
        })
        .filter(|circle| !circle.is_empty())
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
    assert!(
        graph.values().map(BTreeSet::len).sum::<usize>() > 500,
        "imports are not seen"
    );
}

//! The quick reader against the parser: the same tree, or none.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::difference::difference;
use super::read;
use crate::manifest::documents::documents;

/// How many documents of `text` are read quickly. None may differ.
fn quick(text: &str) -> usize {
    let found = documents(text);
    for document in &found {
        if let Some(difference) = difference(document) {
            panic!("{difference} in\n{}", document.text);
        }
    }
    found
        .iter()
        .filter(|document| read(document).is_some())
        .count()
}

#[test]
fn what_manifests_are_made_of_is_read_quickly() {
    for text in [
        "a: 1\n",
        "# head\n\n  # more\na:\n  b:\n    c: d # why\n  e: 'it''s'\nf: \"x\\n\\u00e9\\\"\"",
        "---\na:\n- b\n- c: d\n  e:\n  - f\n  -   g: h\n      i: j\n- - k\n  - - l\nm:\n  - n\n",
        "--- # head\na: {b: c, \"d\":[1, 2.5, -3], e: {}, f: [], 'g': ~}\nh: [\n  i,\n  {j: k},\n]\n",
        "a:\nb: null\nc: ~\nd: \"\"\ne:\n  f:\n# below\ng:\n  - h:\n    i:\n",
        "a: |\n  one\n\n   two\n  # no comment\n\nb: >-\n  one\n  two\n\n  three\n    four\n  five\n# a comment\nc: |+\n  x\n\n\nd: >\n\n  y",
        "- |\n  a\n- >+\n  b\n\n- c: |-\n    d\n  e: f",
        "a: |\n  \ttab\n  x\ty\nb: \"a\tb\" # a\tb\n",
        "{\"a\": [\n\t{\"b\": null, \"c\": \"\\/\\u003c\"}, true, 1e5\n]}\n",
        "[a, [b, {c: d}]]\n",
        "ä: ö\nb: [é, ü] # …\n  # 漢字\nc: {ß: 'ñ', d: e}\n",
        "path: /a:b#c\nurl: http://x:80/?a=b&c\ncmd: --flag=x y\nn: -1\nx: a - b: c"
            .replace("b: c", "b")
            .as_str(),
        "- --flag\n- -x\n- -1\n- ./a\n- $(A)\n- <b>\n",
        "  a: b\n  c: d\n",
        "a: one two\n  three\n\n  - four # why\nb:\n- one\n   two\n- three\nc:\n  one\n  two\n",
        "a: 'one\n  two\n\n\n  ''three'\nb: \"one\n two\n\"\nc: ['a\n b', \"c\n\n d\"]\n",
        "a:\n  [\n    b,\n  ]\nc:\n  {d: e}\nf:\n  \"g\"\nh:\n  |\n  i\nj: :80\n-k: l\n",
    ] {
        assert_eq!(quick(text), 1, "{text}");
    }
}

#[test]
fn the_rest_is_left_to_the_parser() {
    for text in [
        "a: &x b\nc: *x",
        "a: !!str b",
        "a: b\n  c: d",
        "a: b # c\n  d",
        "a: b\n\n\t",
        "'a\n  b': c",
        "{'a\n  b': c}",
        "a: 'b \n  c'",
        "a: 'b\n---'",
        "a: \"b\\\n  c\"",
        "a: \"\\ud83d\\ude00\"",
        "a: \"\\q\"",
        "a:\tb",
        "a:\n\tb: c",
        "a: b\r\nc: d\r\n",
        "? a\n: b",
        "a:\n  b: c\n d: e",
        "a: b: c",
        "a: b\n- c",
        "- a\nb: c",
        "a: [b, c",
        "a: {b}",
        "a: {b: c}}",
        "a: {b: c} d",
        "a: [b: c]",
        "a: [b # c\n]",
        "{a: b}: c",
        "'a'b: c",
        "a: 'b' c",
        "a: \"b\"#c",
        "a: @b",
        "a: %b",
        "a: `b`",
        "a: - b",
        "a: |2\n   b",
        "a: |\nb: c",
        "a: |\n     \n  b",
        "a: |\n    b\n  c",
        "-\n- a",
        "a:\n-\n- b",
        "just text",
        "a: b\n...\n",
        "--- a: b",
        "a: \u{85}b",
        "a: \u{7f}b",
        "a: \u{feff}b",
        "a: b\0",
    ] {
        assert_eq!(quick(text), 0, "{text:?}");
    }
    assert_eq!(quick(&format!("{}: a", "k".repeat(2000))), 0);
    assert_eq!(quick(&format!("{}{}", "[".repeat(128), "]".repeat(128))), 0);
    assert_eq!(quick(&format!("{}{}", "[".repeat(127), "]".repeat(127))), 1);
    assert_eq!(quick(&format!("{}a", "- ".repeat(128))), 0);
}

#[test]
fn real_manifests_are_read_alike_and_nearly_all_quickly() {
    let shared = std::env::var_os("UNDOCK_TEST_SHARED")
        .map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let (mut all, mut quickly) = (0, 0);
    for folder in [
        shared.join("corpus/manifests"),
        "tests/fixtures".into(),
        "manifests".into(),
        "examples".into(),
    ] {
        let mut open = vec![folder];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(
                    fs::read_dir(&path)
                        .expect("a folder")
                        .map(|entry| entry.expect("an entry").path()),
                );
            } else if let Ok(text) = fs::read_to_string(&path) {
                all += documents(&text).len();
                quickly += quick(&text);
            }
        }
    }
    assert!(all > 100 && quickly * 100 >= all * 90, "{quickly} of {all}");
}

/// Lines of YAML, and whether the first of them stands behind a key or a dash in any case.
type Lines = (bool, Vec<String>);

/// Texts, in styles that the quick reader knows and some that it does not.
fn text() -> BoxedStrategy<Lines> {
    let word = prop_oneof![
        8 => "[a-z/._-]{1,6}( [a-z#:é]{1,4}){0,2}",
        2 => "\"[a-z ,:#{é']{0,8}(\\\\n|\\\\u00e9|\\\\\")?[a-z ]{0,3}\"",
        2 => "'[a-z ,:#{é\"]{0,8}('')?'",
        2 => "[0-9.e-]{1,5}|null|~|true|yes|",
        1 => "[\\[{][a-z0-9 ,:\"'{}\\[\\]-]{0,12}[\\]}]|\\{a: [a-z]{1,3}, \"b\":[0-9]\\}|\\[\\]|\\{\\}",
        1 => "&a b|\\*a|!!str c|@|%|`|\\?|-|: |a:|<<",
    ];
    let comment = prop_oneof![6 => Just(""), 1 => Just(" # c: d"), 1 => Just("#"), 1 => Just("  ")];
    let one = (word, comment).prop_map(|(word, comment)| vec![format!("{word}{comment}")]);
    let more = || proptest::collection::vec("(  |  | )?(\t)?[a-z#:'-]{0,5} ?[a-z]{0,3}", 1..5);
    let block =
        ("[|>][+-]?", more()).prop_map(|(head, lines)| [vec![head], indented(2, lines)].concat());
    let quoted = ("'|\"|", "[a-z]{0,4}( |\\\\)?", more(), 0_usize..4).prop_map(
        |(quote, first, lines, by)| {
            let mut all = [vec![format!("{quote}{first}")], indented(by, lines)].concat();
            all.last_mut()
                .expect("at least the first line")
                .push_str(&quote);
            all
        },
    );
    prop_oneof![8 => one, 1 => block, 1 => quoted]
        .prop_map(|lines| (true, lines))
        .boxed()
}

fn indented(by: usize, lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| {
            if line.is_empty() {
                line
            } else {
                format!("{}{line}", " ".repeat(by))
            }
        })
        .collect()
}

/// What stands between two entries.
fn gap() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![14 => Just(None), 1 => Just(Some("")), 1 => Just(Some("  # note")), 1 => Just(Some("#x")), 1 => Just(Some("\t"))]
        .prop_map(|line| line.into_iter().map(str::to_owned).collect())
}

/// Maps and lists of texts, `depth` deep.
fn node(depth: u32) -> BoxedStrategy<Lines> {
    if depth == 0 {
        return text();
    }
    let key = prop_oneof![6 => "[a-z]{1,5}", 1 => "'[a-z ]{1,3}'", 1 => "\"a\\\\tb\"", 1 => "[a-z]{1,3} [a-z#]{1,3}", 1 => "[-.:]{1,3}[a-z]?"];
    let map = proptest::collection::vec(
        (gap(), key, node(depth - 1), 0_usize..4, any::<bool>()),
        1..4,
    )
    .prop_map(|entries| {
        let mut all = Vec::new();
        for (gap, key, (is_text, lines), by, is_below) in entries {
            all.extend(gap);
            if is_text && !is_below {
                all.push(format!("{key}:{}{}", " ".repeat(by.max(1)), lines[0]));
                all.extend(indented(by, lines[1..].to_vec()));
            } else {
                all.push(format!("{key}:"));
                all.extend(indented(by, lines));
            }
        }
        (false, all)
    });
    let list = proptest::collection::vec((gap(), node(depth - 1), 1_usize..4), 1..4).prop_map(
        |elements| {
            let mut all = Vec::new();
            for (gap, (is_text, lines), by) in elements {
                all.extend(gap);
                all.push(format!("-{}{}", " ".repeat(by), lines[0]));
                all.extend(indented(
                    if is_text { by } else { by + 1 },
                    lines[1..].to_vec(),
                ));
            }
            (false, all)
        },
    );
    prop_oneof![1 => text(), 3 => map, 2 => list].boxed()
}

/// Pieces that meet in every order.
const PIECES: &str = "(a|b c|: |:|- |-|\n|\n  |\n    |  | |'|\"|\\[|\\]|\\{|\\}|, |,|#| # |\\||>|\\|-|>\\+|é|~|\\\\n|\\\\|---|\\.\\.\\.|\t|%|&|\\*|!|\\?|0|-1|<<){0,24}";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_documents_are_read_alike((_, lines) in node(4), marker in any::<bool>(), end in any::<bool>()) {
        let text = format!("{}{}{}", if marker { "---\n" } else { "" }, lines.join("\n"), if end { "\n" } else { "" });
        quick(&text);
    }

    #[test]
    fn pieces_in_any_order_are_read_alike(text in PIECES) {
        quick(&text);
    }

    #[test]
    fn changed_documents_are_read_alike((_, lines) in node(3), at in any::<prop::sample::Index>(), piece in PIECES, cut in 0_usize..4) {
        let text = lines.join("\n");
        let at = (0..=at.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).expect("0 is a boundary");
        let end = (at + cut..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
        quick(&format!("{}{piece}{}", &text[..at], &text[end..]));
    }
}

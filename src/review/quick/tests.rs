//! The quick reader beside serde_json: the same values, or none.

use proptest::prelude::*;

use super::*;
use crate::workload::object::Object;
use crate::workload::shape::{Unread, shape};

/// What either reader makes of `text`; errors of both count as one.
fn both(text: &str) -> (Option<String>, Option<String>) {
    let shown = |object: Object<'_>| format!("{object:?}");
    (
        quick(text).ok().map(shown),
        serde_json::from_str::<Object<'_>>(text).ok().map(shown),
    )
}

fn quick(text: &str) -> Result<Object<'_>, Unknown> {
    let mut object = Object::default();
    fill(text, &mut object).map(|()| object)
}

#[test]
fn what_api_servers_send_is_read_at_once() {
    for text in [
        concat!(
            r#"{"kind":"Pod","spec":{"containers":[{"name":"a\u003eb\n","env":[{"name":"é"}],"#,
            r#""ports":[{"hostPort":80}]}],"hostPID":true}}"#,
        ),
        "{\"kind\":null,\"spec\":{\"volumes\":[],\"nodeSelector\":{}},\
            \"x\":[1.5e3,\"]\",[ ]]} \r\n",
        concat!(
            r#"{"metadata":{"managedFields":[{"k:{\"x\":\"]\"}":[[1],"]\\"]},"[é"],"name":"n"},"#,
            r#""status":{"a":"}\"","b":[{}],"c":{}},"d":-1}"#,
        ),
        r#"{"metadata":{"managedFields":null,"labels":{"a":"b","c":"\\"}}}"#,
    ] {
        let (quick, slow) = both(text);
        assert!(quick.is_some(), "{text}");
        assert_eq!(quick, slow, "{text}");
    }
}

#[test]
fn the_rest_is_left_to_serde_json() {
    for text in [
        "",
        "{",
        "{}x",
        "{,}",
        r#"{"kind": "Pod"}"#,
        r#"{"kind":"Pod",}"#,
        r#"{"kind":"Pod" "spec":{}}"#,
        r#"{"kind":tru}"#,
        r#"{"kind":nul"#,
        "{\"kind\":\"a\u{1}\"}",
        "{\"kind\":\"long enough a\u{1f}\"}",
        r#"{"kind":"\q"}"#,
        r#"{"kind":"\ud800"}"#,
        r#"{"kind":"\"#,
        r#"{"kind":"a\é"}"#,
        r#"{"kind":1.5}"#,
        r#"{"kind":01}"#,
        r#"{"kind":99999999999999999999}"#,
        r#"{"kind":"a","kind":"b"}"#,
        r#"{"spec":{"containers":"x"}}"#,
        r#"{"spec":{"containers":[{},]}}"#,
        r#"{1:2}"#,
        r#"{"x":}"#,
        r#"{"x":[}"#,
        r#"{"x":["a]}"#,
        r#"{"x":{"a}"#,
    ] {
        assert_eq!(both(text).0, None, "{text}");
    }
    let deep = |levels| {
        format!(
            "{}{{}}{}",
            r#"{"spec":{"template":"#.repeat(levels),
            "}}".repeat(levels)
        )
    };
    assert!(quick(&deep(100)).is_err());
    assert!(quick(&deep(20)).is_ok());
}

shape! {
    struct Pair<'a> {
        a: Unread<'a> = "a",
        c: LenientStr<'a> = "c",
    }
}

#[test]
fn a_value_can_stay_unread() {
    let text = r#"{"a":{"b":[1,"}"]},"c":null}"#;
    let mut pair = Pair::default();
    assert_eq!(fill(text, &mut pair), Ok(()));
    assert_eq!((pair.a.0, pair.c.as_str()), (Some(r#"{"b":[1,"}"]}"#), ""));
    let slow = serde_json::from_str::<Pair<'_>>(text).ok();
    assert_eq!(format!("{:?}", Some(pair)), format!("{slow:?}"));
}

/// Any JSON, with the keys of objects and strings that try to mislead.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "kind",
            "metadata",
            "managedFields",
            "labels",
            "spec",
            "template",
            "containers",
            "env",
            "image",
            "volumes"
        ])
        .prop_map(str::to_owned),
        Just("{\"managedFields\":[".to_owned()),
        Just(",\"managedFields\":[\"".to_owned()),
        "[\\[\\]{}\",\\\\a:é\u{1}]{0,12}",
    ];
    let string_field = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        any::<f32>().prop_map(Into::into),
        word.clone().prop_map(Into::into),
    ];
    string_field.prop_recursive(6, 64, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((word.clone(), inner), 0..6)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_reads_alike(value in json(), spaced in any::<bool>()) {
        let pretty = || serde_json::to_string_pretty(&value).unwrap_or_default();
        let text = if spaced { pretty().replace('\n', " ") } else { value.to_string() };
        let (quick, slow) = both(&text);
        prop_assert!(quick.is_none() || quick == slow, "{text}");
    }

    #[test]
    fn any_cut_of_a_json_is_an_error(value in json(), at in any::<prop::sample::Index>()) {
        let text = value.to_string();
        let cut = &text[..text.floor_char_boundary(at.index(text.len()))];
        prop_assert!(!text.starts_with('{') || both(cut) == (None, None), "{cut}");
    }

    #[test]
    fn no_text_is_too_strange(text in "[{}\\[\\]:,\"\\\\é1nt \u{1}]{0,24}") {
        let (quick, slow) = both(&text);
        // What is jumped over is not checked; what is read is the same.
        prop_assert!(quick.is_none() || slow.is_none() || quick == slow, "{text}");
    }

    #[test]
    fn the_end_of_plain_text_is_found(text in "[ !#a-zé\"\\\\\u{7f}\u{1f}\u{0}]{0,40}") {
        let is_end = |byte| matches!(byte, b'"' | b'\\' | ..b' ');
        let slow = text.bytes().position(is_end).unwrap_or(text.len());
        match end_of_plain(text.as_bytes()) {
            Some(end) => prop_assert_eq!(end, slow),
            None => prop_assert!(slow >= text.len() / 16 * 16),
        }
    }

    #[test]
    fn the_end_of_a_nested_value_is_found(
        text in r#"[\[\]{}"\\a]{0,200}"#,
        (open, close) in prop_oneof![Just((b'[', b']')), Just((b'{', b'}'))],
    ) {
        let (mut depth, mut in_string, mut escaped) = (1, false, false);
        let slow = text.bytes().position(|byte| {
            let was_escaped = escaped;
            escaped = byte == b'\\' && !was_escaped;
            match byte {
                b'"' => in_string ^= !was_escaped,
                _ if in_string => {}
                _ if byte == open => depth += 1,
                _ if byte == close => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        prop_assert_eq!(length_of_nested(text.as_bytes(), open, close), slow.map(|at| at + 1));
    }

    #[test]
    fn the_end_of_a_string_is_found(
        text in "[a \"\\\\\\\\\\\\é]{0,200}",
        more in "[a\\\\\"\u{1f}]{0,70}",
    ) {
        let text = text + &more;
        let mut escaped = false;
        let slow = text.bytes().position(|byte| {
            let was_escaped = escaped;
            escaped = byte == b'\\' && !was_escaped;
            byte == b'"' && !was_escaped || byte < b' '
        });
        let slow = slow.filter(|at| text.as_bytes()[*at] == b'"');
        prop_assert_eq!(length_of_string(text.as_bytes()), slow);
    }

    #[test]
    fn escapes_stand_for_what_serde_json_says(
        content in r#"([a-zé]|\\[nrtbfux"\\/]|\\u[0-9a-fA-F+]{4}|\\ud83d\\ude00){0,12}"#,
        row in r"(\\u00[0-7][0-9a-fA-F]){0,100}(\\u00[0-9a-gA-G]{2}){0,2}",
    ) {
        let content = content + &row;
        let slow = serde_json::from_str::<String>(&format!("\"{content}\"")).ok();
        let quick = unescaped(&content, content.find('\\').unwrap_or(content.len())).ok();
        prop_assert!(quick.is_none() || quick == slow, "{content}");
    }
}

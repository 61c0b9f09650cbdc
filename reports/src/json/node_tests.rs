//! The reader against what writers and crashes do to JSON.

use super::*;
use proptest::prelude::*;

fn shown(node: &Node<'_>) -> String {
    match node {
        Node::Null => "null".into(),
        Node::Truth(truth) => truth.to_string(),
        Node::Number(number) => (*number).into(),
        Node::Text(text) => format!("{text:?}"),
        Node::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(",")),
        Node::Map(map) => {
            let entries: Vec<_> = map.entries.iter().map(|(key, value)| format!("{key:?}:{}", shown(value))).collect();
            format!("{{{}{}}}", entries.join(","), if map.is_whole { "" } else { "…" })
        }
    }
}

#[test]
fn documents_are_read_with_the_sins_of_their_writers() {
    let table = [
        (r#"{"a":[1,-2.5e3,true,false,null],"b":"c"}"#, r#"{"a":[1,-2.5e3,true,false,null],"b":"c"}"#),
        (r#"[1,2,]"#, "[1,2]"),
        (r#"{"a":NaN,"b":-Infinity,}"#, r#"{"a":null,"b":null}"#),
        ("[\"a\nb\"]", r#"["a\nb"]"#),
        (r#"["\u00e4\ud83d\ude00\ud83d!"]"#, "[\"ä😀\u{fffd}!\"]"),
        (r#"["\ud83d\u0041\u0000"]"#, "[\"\u{fffd}A\u{fffd}\"]"),
        (r#"["\q\/\\\"\u12"]"#, "[\"q/\\\\\\\"\u{fffd}12\"]"),
    ];
    for (text, expected) in table {
        let document = parse(text);
        assert_eq!(shown(&document.root), expected, "{text}");
        assert_eq!(document.fault, None, "{text}");
    }
}

#[test]
fn what_was_read_before_a_fault_is_kept_and_the_place_is_told() {
    let table = [
        (
            r#"{"tests":[{"name":"a"},{"name":"b","status":"pa"#,
            r#"{"tests":[{"name":"a"},{"name":"b"…}]…}"#,
            "/tests/1/status",
        ),
        (r#"[1,23"#, "[1]", "/1"),
        (r#"{"a":"x\"#, "{…}", "/a"),
        (r#"{"a""#, "{…}", ""),
        (r#"{"a":1, !}"#, r#"{"a":1…}"#, ""),
        (r#"{"a/b":[tru]}"#, r#"{"a/b":[]…}"#, "/a~1b/0"),
        ("", "null", ""),
    ];
    for (text, expected, place) in table {
        let document = parse(text);
        assert_eq!(shown(&document.root), expected, "{text}");
        assert_eq!(document.fault.map(|fault| fault.place).as_deref(), Some(place), "{text}");
    }
}

#[test]
fn what_lies_too_deep_is_skipped_and_its_neighbours_are_kept() {
    let deep = format!("[{}\"]\"{},7]", "[".repeat(100_000), "]".repeat(100_000));
    let document = parse(&deep);
    let Node::List(items) = document.root else { panic!("is a list") };
    assert_eq!(items.len(), 2);
    assert_eq!(items[1], Node::Number("7"));
    assert_eq!((document.too_deep.len(), document.fault), (1, None));
}

#[test]
fn what_follows_a_document_is_seen() {
    assert!(parse("{} Done in 3 s").has_more);
    assert!(!parse("{}\n ").has_more);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in ".*") {
        let _ = parse(&text);
    }

    #[test]
    fn any_soup_of_brackets_is_read_without_a_panic(text in r#"[\[\]{}",:\\u0-9a-fn\-]{0,200}"#) {
        let _ = parse(&text);
    }
}

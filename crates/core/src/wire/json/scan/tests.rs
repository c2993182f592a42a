//! The grammar, rule by rule.

extern crate alloc;
use super::super::members;
use super::*;
use alloc::{format, string::String};

#[test]
fn values_that_are_none() {
    let rows = [
        r#"|,|:|}|]|x|a|'a'|$|*|<null>|\u0031|//|//1|1//|/**/1|1#|1;|1,|1 2|-x"#,
        r#"tru|True|TRUE|nul|nulll|truefalse|undefined|NaN|-NaN|Infinity|-Infinity|+Inf"#,
        r#"+1|-|--1|- 1|+-1|01|-01|00|-012|.5|-.5|1.|-1.|1.e1|0.e1|1e|1E|1e+|1E-|1eE2|1e+-1|1.2.3|1.5e1.5"#,
        r#"0x1|0x|0b1|1_000|1 000|1f|2@|１|1e１|٣"#,
        r#""|"a|"\"|"\|"\\\"|"a""b"|"a" "b"|"a"x|"a":1|""""#,
        r#""\x00"|"\a"|"\'"|"\ "|"\é"|"\U0041"|"\u"|"\u00"|"\u00A"|"\u00Zz"|"\u+041"|"\ud834\uDd"|"\uD800\u"|"\u00e"#,
        r#"[|[1|[1,|[,|[,1]|[1,]|[1,,2]|[1 2]|[1}|[1:2]|["a":1]|[a]|[1]]|[-]|[*]|["a"|["a]|[1]x|[][]|[""#,
        r#"{|{"a"|{"a":|{"a":1|{"a":1,|{"a":1,}|{,}|{,"a":1}|{"a"}|{"a",1}|{"a":}|{"a":1 "b":2}|{"a" "b"}|{"a"::1}"#,
        r#"{"a":1,,"b":2}|{a:1}|{'a':1}|{1:1}|{[]:1}|{null:1}|{"a":1]|{"a":1}}|{"a":1}x|{"a" 1}|{:1}|{"a":1;"b":2}"#,
        "\"\0\"|\"a\tb\"|\"a\nb\"|\"\u{1f}\"|\"1234567\u{1}\"|\"0123456789012345678901234567890123456789\r\"|[\"\n\"]",
        "\u{feff}1|\u{a0}1|\u{2028}1|\u{c}1|\u{b}1|\u{85}1|[\u{b}]|[1\u{c}]|1\0|\0",
    ];
    for value in rows.iter().flat_map(|row| row.split('|')) {
        let body = format!("{{\"k\":{value}}}");
        assert!(!is_object(body.as_bytes()), "{body}");
    }
}

#[test]
fn values_that_are_some() {
    let rows = [
        r#"true|false|null|0|-0|1|-1|10|1.5|0.0|-0.10|1e1|1E+1|1e-01|0e+1|1.5e10|123456789012345678901234567890|1e9999"#,
        r#"""|"a"|" "|"\"\\\/\b\f\n\r\t"|"\u0000"|"\uFFFF\uabcd"|"\ud800"|"\udc00\ud800"|"'"|"é€😀"|"//"|"/*"|"]}""#,
        r#"[]|[ ]|[1]|[1, 2 ,3]|[[]]|[[],[ ],[[]]]|["]"]|[null,true,-1e1,"",{}]|{}|{ }|{"a":{}}|{"":[{"":{}}]}|{"a":1,"a":1}"#,
        "\"\u{7f}\"|\"\u{feff}\"|\"\u{2028}\"|\"\u{10ffff}\"| 1|1\t\r\n|[\n1\r]|{\t\"a\" : 1 }",
    ];
    for value in rows.iter().flat_map(|row| row.split('|')) {
        let body = format!("{{\"k\":{value}}}");
        assert!(is_object(body.as_bytes()), "{body}");
    }
}

#[test]
fn bodies_that_are_no_object() {
    let rows = [
        &b"| |\n|null|true|1|\"x\"|[]|[{}]|}|{|{}x|{}\0|{}{}|{},|{}}|{} #|//\n{}|{}//|{/**/}|{,}|<html>|access_token=x"[..],
        b"{\"a\"}|{\"a\":1,}|{\"a\":1 \"b\":2}|{\"a\":1;\"b\":2}|{\"a\":1,,\"b\":2}|{a:1}|{\"a\":1]|\x0c{}|{\xc2\xa0}",
        b"\xef\xbb\xbf|\xef\xbb{}|\xef\xbb\xbf\xef\xbb\xbf{}|{}\xef\xbb\xbf| \xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0|\xfe\xff\0{\0}|{\0}\0|\0{\0}",
        b"{\"a\":\"\xff\"}|{\"a\":\"\xc0\xaf\"}|{\"\xe9\":1}|{\"a\":\"\xed\xa0\x80\"}|{\"a\":\"\xf4\xbf\xbf\xbf\"}",
        b"{\"a\":\"\xe2\x82\"}|{\"a\":\"\xf8\x88\x80\x80\x80\"}|{\"a\":1}\xff|{\"a\":1\xe5}|{\"a\xc3\":1}|{\"\\\xff\":1}",
    ];
    for body in rows.iter().flat_map(|row| row.split(|byte| *byte == b'|')) {
        assert!(!is_object(body), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn every_prefix_of_a_body_is_an_error() {
    let body = "\u{feff} {\"a\":\"\\ud83d\\ude00é\",\"b\":[1.5e+3,{\"c\":null}, true],\"d\":-0,\"e\":{\"f\":[]} }";
    assert!(is_object(body.as_bytes()));
    for end in 0..body.len() {
        let prefix = body.as_bytes().get(..end).unwrap_or_default();
        assert!(!is_object(prefix), "{end}");
    }
}

#[test]
fn thirty_two_levels_and_no_more() {
    for (open, close) in [("[", "]"), ("{\"\":", "}"), ("[{\"a\":", "}]")] {
        let each = close.len();
        let body = |levels: usize| {
            let inner = levels.saturating_sub(1).checked_div(each).unwrap_or(0);
            format!("{{\"k\":{}1{}}}", open.repeat(inner), close.repeat(inner))
        };
        let most = if each == 2 { 31 } else { 32 };
        assert!(is_object(body(most).as_bytes()), "{open}");
        for levels in [most.saturating_add(each), 500, 100_000] {
            assert!(!is_object(body(levels).as_bytes()), "{open} {levels}");
        }
        let unclosed = format!("{{\"k\":{}", open.repeat(100_000));
        assert!(!is_object(unclosed.as_bytes()), "{open}");
    }
    assert!(is_object(format!("{{\"k\":[{}[]]}}", "[],{\"a\":[{}]},".repeat(50_000)).as_bytes()));
}

#[test]
fn a_string_of_any_length_ends_where_it_ends() {
    for (length, filler) in (0..100).flat_map(|length| [(length, "x"), (length, " "), (length, "\u{ff}")]) {
        let text = filler.repeat(length);
        for special in 0..=u8::MAX {
            for count in [1, 2, 40] {
                let rest = [special].repeat(count);
                let bytes = [text.as_bytes(), &rest, text.as_bytes(), b"\""].concat();
                let ends = special < b' ' || matches!(special, b'"' | b'\\');
                let expected = if ends { text.len() } else { bytes.len().saturating_sub(1) };
                let expected = bytes.get(expected..).unwrap_or_default();
                assert_eq!(behind_plain(&bytes), expected, "{length} {filler:?} {special} {count}");
            }
        }
        assert_eq!(behind_plain(text.as_bytes()), b"");
    }
}

fn is_object(body: &[u8]) -> bool {
    members(&mut body.to_vec(), &[]).1.is_ok()
}

//! The files themselves: no id twice, no case without a reason, no verdict that never comes up.

use super::data;
use proofkey_tests::root;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn every_file_is_whole() {
    let mut ids = BTreeSet::new();
    for (name, fewest, verdicts) in FILES {
        let path = root().join("tests/corpus").join(name);
        let file: Value = serde_json::from_str(&fs::read_to_string(path).expect(name)).expect(name);
        assert!(file["about"].as_array().is_some_and(|about| !about.is_empty()), "{name} says nothing of itself");
        let cases = file["cases"].as_array().expect(name);
        assert!(cases.len() >= fewest, "{name} has {} cases", cases.len());
        let mut seen = BTreeSet::new();
        for case in cases {
            let id = case["id"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
            assert!(id.ends_with(|letter: char| letter.is_ascii_lowercase()), "{id} is no row and letter");
            assert!(case["why"].as_str().is_some_and(|why| !why.is_empty()), "{id} has no reason");
            let named = [&case["expected"], &case["reply"]].into_iter().filter_map(Value::as_str);
            seen.extend(named.map(|name| name.split('(').next().unwrap_or_default().to_owned()));
        }
        let verdicts: BTreeSet<String> = verdicts.split(' ').map(str::to_owned).collect();
        assert_eq!(seen, verdicts, "{name}");
    }
    let files =
        fs::read_dir(root().join("tests/corpus")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    assert_eq!(files.count(), FILES.len(), "a file that nobody reads");
}

#[test]
fn every_row_has_its_cases() {
    let rows: BTreeSet<String> = ROWS.split(' ').flat_map(rows).collect();
    let cases: Vec<Value> = FILES.iter().flat_map(|(name, ..)| data::cases(name)).collect();
    let classes = cases.iter().filter_map(|case| case["id"].as_str()).filter(|id| id.starts_with(['A', 'T']));
    let seen = classes.map(|id| id.trim_end_matches(|letter: char| letter.is_ascii_lowercase()).to_owned());
    assert_eq!(seen.collect::<BTreeSet<_>>(), rows, "each row has a case, and no case is of another row");
}

/// The rows of `A01-A17`, both ends included.
fn rows(range: &str) -> Vec<String> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |row: &str| row[1..].parse::<u8>().expect("a number");
    (number(first)..=number(last)).map(|number| format!("{}{number:02}", &first[..1])).collect()
}

/// The rows of redirects and of token answers. The numbers between them were never given.
const ROWS: &str = "A01-A17 A20-A37 A40-A59 T01-T16 T20-T23 T30-T35 T40-T48 T50-T51 T60-T64 T70-T76 T80-T84 \
    T90-T102";

/// Each file, how many cases it has at least, and the verdicts of which each comes up.
const FILES: [(&str, usize, &str); 12] = [
    (
        "callback.json",
        404,
        "Accepted Ambiguous BadRequest Duplicate HeadTooLarge Issuer Malformed MethodNotAllowed Misdirected MissingCode \
         Mode More NotFound Server State Target UriTooLong",
    ),
    (
        "challenges.json",
        108,
        "Forbidden InsufficientAuthentication InsufficientScope InvalidProof InvalidRequest InvalidToken None OtherScheme",
    ),
    (
        "device.json",
        190,
        "Accepted ContentCoding ContentType Duplicate GoesOn Json Malformed Missing Redirect Server Status TokenType TooBig Type",
    ),
    ("dpop.json", 21, "Accepted Json Missing Server Status TokenType"),
    ("id_token.json", 64, "Accepted Audience Encrypted Expired Format Issuer Malformed Missing Nonce Party"),
    ("json.json", 376, "Accepted Json Missing"),
    ("listener.json", 10, "Closed Gone Timeout"),
    (
        "metadata.json",
        354,
        "Connect Duplicate Endpoint Found Issuer Malformed Missing NoMetadata NoS256 Server Status TooBig Type",
    ),
    ("providers.json", 28, "Accepted Missing Server Status TokenType"),
    (
        "push.json",
        77,
        "Accepted ContentCoding ContentType Duplicate Json Malformed Missing Redirect Server Status TooBig Type",
    ),
    (
        "token.json",
        534,
        "Accepted BodyTooBig ContentCoding ContentType Deadline Duplicate Http Json Malformed Missing Redirect Server \
         Status TokenType TooBig Type",
    ),
    (
        "uris.json",
        794,
        "Absent Accepted Character DotSegment Fragment Host HostSpelling NotAbsolute Parameter Port Query \
         RepeatedParameter Scheme",
    ),
];

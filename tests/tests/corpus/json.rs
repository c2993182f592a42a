//! `json.json`: JSON and what is none.

use super::adapter::Failure;
use super::data::{self, Input, clean, run, same};
use proofkey_tests::read_as;
use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    class: Class,
    #[serde(default)]
    body: bool,
    input: Input,
    expected: String,
    why: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Class {
    I,
    N,
    Y,
}

#[test]
fn json_is_told_from_what_is_none() {
    run(&data::cases::<Case>("json.json"), |case| {
        let input = case.input.octets(str::to_owned);
        let answer = [br#"{"access_token":"AT","x":"#, input.as_slice(), br#","token_type":"Bearer"}"#].concat();
        let verdict = match read_as(200, None, if case.body { &input } else { &answer }) {
            Ok(_) => "Accepted".to_owned(),
            Err(error) => {
                clean(&case.id, &error)?;
                Failure::Response(error).name()
            }
        };
        same(&case.id, &case.why, &verdict, &case.expected)
    });
}

/// What the classes say is not our word alone.
#[test]
fn another_reader_agrees_on_the_classes() {
    run(&data::cases::<Case>("json.json"), |case| {
        let input = case.input.octets(str::to_owned);
        let is_json = str::from_utf8(&input).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        if case.class == Class::I { Ok(()) } else { same(&case.id, "class", is_json, case.class == Class::Y) }
    });
}

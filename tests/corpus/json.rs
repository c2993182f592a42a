//! `json.json`: JSON and what is none.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure, Outcome};
use super::answers::{Answer, Answers, with_code};
use super::data::{self, Input, bounded, clean, run, same};
use proofkey_core::TokenRequest;
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
fn json_is_told_from_what_is_none_in_the_core() {
    run(&data::cases::<Case>("json.json"), |case| {
        let answer = case.answer();
        let read = || read_as(200, None, &answer).map_err(Failure::Response);
        case.check(bounded(&case.id, answer.len(), read)?)
    });
}

#[test]
fn json_is_told_from_what_is_none_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn json_is_told_from_what_is_none_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases = data::cases::<Case>("json.json");
    let answers = Answers::serve(cases.iter().map(|case| {
        let body = case.answer();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        (case.id.clone(), Answer { head, body, ..Answer::default() })
    }));
    run(&cases, |case| {
        let send = |request: TokenRequest<'_>| (adapter.exchange)(request, false).1;
        case.check(with_code(&answers.url(&case.id), send))
    });
    assert_eq!(answers.requests().len(), cases.len());
}

/// What the classes say is not our word alone.
#[test]
fn another_reader_agrees_on_the_classes() {
    run(&data::cases::<Case>("json.json"), |case| {
        let input = case.input.bytes(str::to_owned);
        let is_json = str::from_utf8(&input).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        if case.class == Class::I { Ok(()) } else { same(&case.id, "class", is_json, case.class == Class::Y) }
    });
}

impl Case {
    fn answer(&self) -> Vec<u8> {
        let input = self.input.bytes(str::to_owned);
        if self.body {
            input
        } else {
            [br#"{"access_token":"AT","x":"#, &*input, br#","token_type":"Bearer"}"#].concat()
        }
    }

    fn check(&self, outcome: Outcome) -> Result<(), String> {
        let verdict = match outcome {
            Ok(_) => "Accepted".to_owned(),
            Err(failure) => {
                if let Failure::Response(error) = &failure {
                    clean(&self.id, error)?;
                }
                failure.name()
            }
        };
        same(&self.id, &self.why, &verdict, &self.expected)
    }
}

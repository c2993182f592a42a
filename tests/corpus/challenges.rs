//! `challenges.json`: values of `WWW-Authenticate`.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::answers::{Answer, Answers};
use super::data::{self, Input, bounded, run, same};
use proofkey_core::{Challenge, Refusal, challenges};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default = "unauthorized")]
    status: u16,
    input: Input,
    #[serde(default)]
    also: Vec<Input>,
    read: Option<Vec<Read>>,
    expected: String,
    wire: Option<String>,
    why: String,
}

/// A scheme, and all its parameters.
type Read = (String, BTreeMap<String, String>);

#[test]
fn challenges_are_read_as_they_are_to_be() {
    let cases: Vec<Case> = data::cases("challenges.json");
    let reads = cases.iter().flat_map(|case| &case.read).flatten();
    let names: BTreeSet<&String> = reads.flat_map(|(_, params)| params.keys()).collect();
    run(&cases, |case| {
        let fields = case.fields();
        let fields = || fields.iter().map(String::as_str);
        if let Some(read) = &case.read {
            let seen: Vec<Challenge<'_>> = fields().flat_map(challenges).collect();
            let schemes = seen.iter().map(Challenge::scheme);
            same(&case.id, "schemes", schemes.collect::<Vec<_>>(), read.iter().map(|(scheme, _)| &**scheme).collect())?;
            for (challenge, (scheme, params)) in seen.iter().zip(read) {
                same(&case.id, "is_bearer", challenge.is_bearer(), scheme.to_lowercase() == "bearer")?;
                for &name in &names {
                    let (found, expected) = (challenge.param(name), params.get(name));
                    let equal = match (found, expected) {
                        (Some(found), Some(expected)) => found == **expected,
                        (found, expected) => found.is_none() && expected.is_none(),
                    };
                    same(&case.id, &format!("{name} is {found:?}, not {expected:?}"), equal, true)?;
                }
            }
        }
        let bytes = fields().map(str::len).sum();
        same(&case.id, &case.why, &bounded(&case.id, bytes, || verdict(case.status, fields()))?, &case.expected)
    });
}

#[test]
fn challenges_have_their_verdict_through_the_blocking_adapter() {
    over_sockets(&BLOCKING);
}

#[test]
fn challenges_have_their_verdict_through_the_async_adapter() {
    over_sockets(&ASYNCHRONOUS);
}

fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("challenges.json");
    let answers = Answers::serve(cases.iter().map(|case| {
        let fields = case.fields().iter().map(|value| format!("WWW-Authenticate: {value}\r\n")).collect::<String>();
        let head = format!("HTTP/1.1 {} X\r\n{fields}Content-Length: 0\r\n\r\n", case.status);
        (case.id.clone(), Answer { head, ..Answer::default() })
    }));
    run(&cases, |case| {
        let seen = match (adapter.call)(&answers.url(&case.id)) {
            Ok(answer) => verdict(answer.status, answer.headers("www-authenticate")),
            Err(failure) => Failure::name(&failure),
        };
        same(&case.id, &case.why, &seen, case.wire.as_ref().unwrap_or(&case.expected))
    });
    assert_eq!(answers.requests().len(), cases.len());
}

fn verdict<'f>(status: u16, fields: impl IntoIterator<Item = &'f str>) -> String {
    match Refusal::of(status, fields) {
        Some(Refusal::InsufficientScope { scope }) => {
            format!("InsufficientScope({})", scope.map_or_else(String::new, |scope| scope.to_string()))
        }
        Some(Refusal::InsufficientAuthentication { acr_values, max_age }) => {
            let (values, age) = (acr_values.map(|values| values.to_string()), max_age.map(|age| age.to_string()));
            let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            format!("InsufficientAuthentication({}, {})", or_none(values), or_none(age))
        }
        Some(refusal) => format!("{refusal:?}"),
        None => "None".to_owned(),
    }
}

impl Case {
    /// The values of all fields.
    fn fields(&self) -> Vec<String> {
        let text = |input: &Input| String::from_utf8(input.bytes(str::to_owned)).expect("text");
        [&self.input].into_iter().chain(&self.also).map(text).collect()
    }
}

fn unauthorized() -> u16 {
    401
}

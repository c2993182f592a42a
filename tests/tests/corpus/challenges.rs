//! `challenges.json`: values of `WWW-Authenticate`.

use super::data::{self, Input, run, same};
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
        let text = |input: &Input| String::from_utf8(input.octets(str::to_owned)).expect("text");
        let fields: Vec<String> = [&case.input].into_iter().chain(&case.also).map(text).collect();
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
        let verdict = match Refusal::of(case.status, fields()) {
            Some(Refusal::InsufficientScope { scope }) => {
                format!("InsufficientScope({})", scope.map_or_else(String::new, |scope| scope.to_string()))
            }
            Some(refusal) => format!("{refusal:?}"),
            None => "None".to_owned(),
        };
        same(&case.id, &case.why, &verdict, &case.expected)
    });
}

fn unauthorized() -> u16 {
    401
}

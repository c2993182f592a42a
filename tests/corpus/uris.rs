//! `uris.json`: redirect URIs, endpoints and issuers, as a client is made of them.

use super::data::{self, Input, bounded, clean, run, same};
use proofkey_core::{Client, ConfigError, Endpoint, MetadataRequest, Server, UriFault, WellKnown};
use proofkey_tests::REDIRECT_URI;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    place: Place,
    input: Input,
    expected: String,
    why: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Place {
    Endpoint,
    Issuer,
    Redirect,
}

#[test]
fn uris_have_their_verdict_in_the_core() {
    run(&data::cases::<Case>("uris.json"), |case| {
        let uri = String::from_utf8(case.input.bytes(str::to_owned)).expect("text");
        for (server, redirect_uri, fault) in case.places(&uri) {
            let verdict = bounded(&case.id, uri.len(), || Client::new("client", redirect_uri, server))?;
            let seen = match &verdict {
                Ok(_) => "Accepted".to_owned(),
                Err(error) => {
                    clean(&case.id, error)?;
                    fault(*error).map_or_else(|| format!("{error:?}"), |fault| format!("{fault:?}"))
                }
            };
            same(&case.id, &case.why, &seen, &case.expected)?;
        }
        if case.place == Place::Issuer {
            let asked = MetadataRequest::new(&uri, WellKnown::OAuth).is_ok();
            same(&case.id, "discovery", asked, case.expected == "Accepted")?;
        }
        Ok(())
    });
}

type Fault = fn(ConfigError) -> Option<UriFault>;

impl Case {
    /// Each place that takes such a URI, and how its fault is found.
    fn places<'u>(&self, uri: &'u str) -> Vec<(Server<'u>, &'u str, Fault)> {
        const GOOD: &str = "https://as.example/x";
        let server = Server::new(GOOD, GOOD);
        match self.place {
            Place::Endpoint => vec![
                (Server::new(uri, GOOD), REDIRECT_URI, |error| match error {
                    ConfigError::Endpoint(Endpoint::Authorization, fault) => Some(fault),
                    _ => None,
                }),
                (Server::new(GOOD, uri), REDIRECT_URI, |error| match error {
                    ConfigError::Endpoint(Endpoint::Token, fault) => Some(fault),
                    _ => None,
                }),
                (server.with(Endpoint::Revocation, uri), REDIRECT_URI, |error| match error {
                    ConfigError::Endpoint(Endpoint::Revocation, fault) => Some(fault),
                    _ => None,
                }),
            ],
            Place::Issuer => vec![(server.with_issuer(uri), REDIRECT_URI, |error| match error {
                ConfigError::Issuer(fault) => Some(fault),
                _ => None,
            })],
            Place::Redirect => vec![(server, uri, |error| match error {
                ConfigError::RedirectUri(fault) => Some(fault),
                _ => None,
            })],
        }
    }
}

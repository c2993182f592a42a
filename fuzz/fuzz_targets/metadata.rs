//! Metadata is taken only of the very issuer that was asked, and says what `serde_json` reads in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{MetadataRequest, WellKnown};
use proofkey_fuzz::answer::{Members, json};

fuzz_target!(|text: &str| {
    let (issuer, body) = text.split_once('\n').unwrap_or_default();
    let Ok(request) = MetadataRequest::new(issuer, WellKnown::OAuth) else { return };
    let mut answer = json(body.as_bytes());
    let Ok(metadata) = request.read(answer.as_response()) else { return };
    let (members, server) = (Members::read(body.as_bytes()).expect("a JSON object"), metadata.server());
    assert_eq!((server.issuer(), members.text("issuer").as_deref()), (Some(issuer), Some(issuer)));
    assert_eq!(members.text("authorization_endpoint").as_deref(), Some(server.authorization_endpoint()));
    assert_eq!(members.text("token_endpoint").as_deref(), Some(server.token_endpoint()));
    assert_eq!(metadata.scopes(), members.words("scopes_supported").as_deref());
    let methods = members.words("code_challenge_methods_supported").unwrap_or_default();
    assert_eq!(metadata.pkce_advertised(), methods.split(' ').any(|method| method == "S256"));
});

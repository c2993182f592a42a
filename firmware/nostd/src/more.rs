//! The steps of the flows besides a login in a browser.

use crate::steps::{Fixed, answered, body, client, is, json, shown};
use core::hint::black_box;
use proofkey_core::{Client, Endpoint, Flow, IdToken, Provable, PublicKey, Received, RefreshToken, Server, Step};

pub(crate) fn device() -> Option<()> {
    let server = Server::device(black_box("https://as.example/device"), "https://as.example/token");
    let request = Client::without_redirect("my-device", server).ok()?.device(&["read"]).ok()?;
    is(body(request.request())?.as_str() == "client_id=my-device&scope=read")?;
    let mut first = *b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"device_code\":\"GmRh\",\
        \"user_code\":\"WDJB-MJHT\",\"verification_uri\":\"https://as.example/go\",\"expires_in\":600}";
    let received = Received::of(&first)?;
    let (prompt, mut poll) = request.read(received.response(&mut first), 1000).ok()?;
    is(prompt.user_code() == "WDJB-MJHT" && shown(prompt)?.contains("https://as.example/go"))?;
    is(matches!(poll.step(1000), Step::Wait(6)) && matches!(poll.step(1006), Step::Send(_)))?;
    let mut slower = *br#"{"error":"slow_down"}"#;
    is(!poll.hear(&answered(400, &mut slower), 1006))?;
    is(matches!(poll.step(1006), Step::Wait(11)) && matches!(poll.step(1599), Step::Send(_)))?;
    let mut granted = *br#"{"access_token":"AT1","token_type":"Bearer"}"#;
    is(poll.hear(&json(&mut granted), 1599))?;
    is(poll.read(json(&mut granted)).ok()?.access_token().expose() == "AT1")
}

pub(crate) fn push() -> Option<()> {
    let server = client()?.server().with(Endpoint::PushedAuthorization, black_box("https://as.example/par"));
    let client = Client::new("my-app", "http://127.0.0.1:49152/callback", server).ok()?;
    let (push, _) = client.push(&["read"], &mut Fixed::login()).ok()?;
    is(body(push.request())?.contains("&code_challenge_method=S256"))?;
    let mut answer = *br#"{"request_uri":"urn:ietf:params:oauth:request_uri:6esc","expires_in":60}"#;
    is(shown(push.read(answered(201, &mut answer)).ok()?)?.ends_with("request_uri%3A6esc"))
}

pub(crate) fn proof() -> Option<()> {
    let key = PublicKey::new(black_box([1; 32]), [2; 32]);
    let refresh = client()?.bound_to(&key).ok()?.refresh(RefreshToken::new("RT1").ok()?);
    let request = refresh.request();
    let proof = key.prove(Provable::of(&request), 1000, &mut Fixed::login()).ok()?;
    let signature = [proof.digest()[0]; 64];
    let proof = proof.sign(signature);
    is(request.with_proof(&proof).headers().any(|header| header.name() == "dpop" && header.is_sensitive()))
}

pub(crate) fn user() -> Option<()> {
    let server =
        Server::device("https://as.example/device", "https://as.example/token").with_issuer("https://as.example");
    let client = Client::without_redirect(black_box("my-device"), server).ok()?;
    let token = IdToken::new(
        "e30.eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUiLCJhdWQiOiJteS1kZXZpY2UiLCJleHAiOjIwMDAsInN1YiI6ImFsaWNlIn0.c2ln",
    )
    .ok()?;
    let mut buffer = [0; 128];
    is(token.check(&client.id_token_rules(), 3000, &mut buffer).is_err())?;
    is(token.check(&client.id_token_rules(), 1000, &mut buffer).ok()?.sub() == "alice")
}

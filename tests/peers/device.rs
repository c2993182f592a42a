//! A login that the user confirms on another device (RFC 8628), at the real server's own pages.

use crate::Peer;
use proofkey_core::{Advice, Prompt, ResponseError};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_tests::flows::Target;
use proofkey_ureq::{ExchangeError, LoginError};
use std::io;

#[test]
fn blocking() {
    let peer = Peer::start();
    let Target { issuer, client_id, scope, extra, .. } = peer.target();
    let http = proofkey_ureq::Http::new();
    let client = http.discover_device(&issuer, client_id).expect("metadata");
    let login = proofkey_ureq::DeviceLogin::new(client.as_client(), scope).with_extra(extra);
    let signed_in = http.login_device(login, |prompt| confirm(prompt, Decision::Allow)).expect("tokens");
    assert!(signed_in.user.is_some(), "the ID token was checked");
    let refresh_token = signed_in.tokens.refresh_token().expect("offline access");
    assert!(http.refresh(client.as_client(), refresh_token).is_ok());
    refused(http.login_device(login, |prompt| confirm(prompt, Decision::Deny)).expect_err("the user said no"));
}

#[tokio::test]
async fn asynchronous() {
    let peer = Peer::start();
    let Target { issuer, client_id, scope, extra, .. } = peer.target();
    let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
    let client = http.discover_device(&issuer, client_id).await.expect("metadata");
    let login = proofkey_reqwest::DeviceLogin::new(client.as_client(), scope).with_extra(extra);
    let signed_in = http.login_device(login, |prompt| confirm(prompt, Decision::Allow)).await.expect("tokens");
    assert!(signed_in.user.is_some(), "the ID token was checked");
    let refresh_token = signed_in.tokens.refresh_token().expect("offline access");
    assert!(http.refresh(client.as_client(), refresh_token).await.is_ok());
    let denied = http.login_device(login, |prompt| confirm(prompt, Decision::Deny)).await;
    refused(denied.expect_err("the user said no"));
}

/// The server's own refusal, which asks for a new login.
fn refused(error: LoginError) {
    assert_eq!(error.advice(), Some(Advice::Reauthorize), "{error}");
    let LoginError::Exchange(ExchangeError::Response(ResponseError::Server { error, .. })) = error else {
        panic!("{error}")
    };
    assert_eq!(error.code(), "access_denied");
}

fn confirm(prompt: &Prompt<'_>, decision: Decision) -> io::Result<()> {
    let visit = UserAgent::new().confirm(prompt.verification_uri(), prompt.user_code(), decision).expect("a visit");
    let asked: Vec<_> = visit.steps.iter().filter_map(|step| step.split(": ").next()).collect();
    assert_eq!(asked.first(), Some(&"code page"), "{visit:?}");
    Ok(())
}

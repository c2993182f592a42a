//! Pushed logins (RFC 9126), by a client of which the server takes no others.

use crate::Peer;
use proofkey_core::{Advice, CallbackError, Client, ClientBuf, Revocable};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use proofkey_tests::flows::Target;
use std::thread::{self, JoinHandle};

const REDIRECT_URI: &str = "http://127.0.0.1/callback";

#[test]
fn blocking() {
    let peer = Peer::start();
    let target = target(&peer);
    let http = proofkey_ureq::Http::new();
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    let login = proofkey_ureq::Login::new(client.as_client(), target.scope).with_extra(target.extra);
    let mut user = None;
    let mut open = |url: &str| {
        user = Some(browse(url));
        Ok(())
    };
    let refused = http.login(login, &mut open).expect_err("its parameters are in the URL");
    assert!(matches!(refused, proofkey_ureq::LoginError::Callback(CallbackError::Server(_))), "{refused}");
    let pushed = http.login(login.with_push(), &mut open).expect("a pushed login").tokens;
    assert_eq!(user.expect("opened").join().expect("a visit").status, 200);
    assert!(http.exchange(client.as_client().refresh(pushed.refresh_token().expect("offline"))).is_ok());
    let (push, _) = wrong(&client).push(target.scope, &mut proofkey_ureq::SysRng).expect("a login begins");
    let refused = http.push(push).expect_err("another redirect URI");
    assert_eq!(refused.advice(), Some(Advice::Fix), "{refused}");
    assert!(refused.to_string().contains("invalid_re"), "{refused}");
}

#[tokio::test]
async fn asynchronous() {
    let peer = Peer::start();
    let target = target(&peer);
    let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).await.expect("metadata");
    let login = proofkey_reqwest::Login::new(client.as_client(), target.scope).with_extra(target.extra);
    let mut user = None;
    let mut open = |url: &str| {
        user = Some(browse(url));
        Ok(())
    };
    let refused = http.login(login, &mut open).await.expect_err("its parameters are in the URL");
    assert!(matches!(refused, proofkey_reqwest::LoginError::Callback(CallbackError::Server(_))), "{refused}");
    let pushed = http.login(login.with_push(), &mut open).await.expect("a pushed login").tokens;
    assert_eq!(user.expect("opened").join().expect("a visit").status, 200);
    assert!(http.exchange(client.as_client().refresh(pushed.refresh_token().expect("offline"))).await.is_ok());
    let (push, _) = wrong(&client).push(target.scope, &mut proofkey_reqwest::SysRng).expect("a login begins");
    let refused = http.push(push).await.expect_err("another redirect URI");
    assert_eq!(refused.advice(), Some(Advice::Fix), "{refused}");
}

#[test]
fn an_embedded_secret_is_pushed_and_exchanged() {
    let peer = Peer::start();
    let target = Target { client_id: "cli-secret", ..peer.target() };
    let http = proofkey_ureq::Http::new();
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    let client = client.as_client().with_embedded_secret("not-a-secret").expect("a secret");
    let mut user = None;
    let login = proofkey_ureq::Login::new(client, target.scope).with_extra(target.extra).with_push();
    let tokens = http.login(login, |url| {
        user = Some(browse(url));
        Ok(())
    });
    assert!(tokens.expect("tokens").tokens.refresh_token().is_some());
    assert_eq!(user.expect("opened").join().expect("a visit").status, 200);
    let other = client.with_embedded_secret("another").expect("a secret");
    let (push, _) = other.push(target.scope, &mut proofkey_ureq::SysRng).expect("a login begins");
    assert!(http.push(push).expect_err("another secret").to_string().contains("invalid_client"));
}

#[test]
fn an_embedded_secret_in_the_header_is_pushed_exchanged_and_ends_a_token() {
    let peer = Peer::start_with(&["--secret-in-header"]);
    let target = Target { client_id: "cli-secret", ..peer.target() };
    let http = proofkey_ureq::Http::new();
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    let other = client.as_client().with_embedded_secret("another").expect("a secret");
    let (push, _) = other.push(target.scope, &mut proofkey_ureq::SysRng).expect("a login begins");
    assert!(http.push(push).expect_err("another secret").to_string().contains("invalid_client"));
    let client = client.as_client().with_embedded_secret("not-a-secret").expect("a secret");
    for is_pushed in [false, true] {
        let mut user = None;
        let login = proofkey_ureq::Login::new(client, target.scope).with_extra(target.extra);
        let login = if is_pushed { login.with_push() } else { login };
        let tokens = http.login(login, |url| {
            user = Some(browse(url));
            Ok(())
        });
        let tokens = tokens.expect("tokens").tokens;
        assert_eq!(user.expect("opened").join().expect("a visit").status, 200);
        let newer = http.exchange(client.refresh(tokens.refresh_token().expect("offline"))).expect("newer tokens");
        let token = newer.refresh_token().expect("offline");
        http.revoke(client, Revocable::Refresh(token)).expect("it is ended");
        assert!(http.exchange(client.refresh(token)).is_err());
    }
}

fn target(peer: &Peer) -> Target {
    Target { client_id: "cli-push", ..peer.target() }
}

/// The client with a redirect URI that is not registered.
fn wrong(client: &ClientBuf) -> Client<'_> {
    client.as_client().with_redirect_uri("http://127.0.0.1/elsewhere").expect("a redirect URI")
}

fn browse(url: &str) -> JoinHandle<Visit> {
    let url = url.to_owned();
    thread::spawn(move || UserAgent::new().run(&url, Decision::Allow).expect("a visit"))
}

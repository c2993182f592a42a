//! Who signed in, userinfo, and signing out at the server.

use crate::Peer;
use proofkey_core::{Client, IdTokenError, Redirect};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_ureq::{ExchangeError, SignedIn};
use std::thread::{self, JoinHandle};

const REDIRECT_URI: &str = "http://127.0.0.1/callback";
const SCOPE: &[&str] = &["openid", "profile", "email", "offline_access"];
const EXTRA: &[(&str, &str)] = &[("prompt", "consent"), ("max_age", "300")];

#[test]
fn blocking() {
    let peer = Peer::start();
    let target = peer.target();
    let http = proofkey_ureq::Http::new();
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).expect("metadata");
    let client = client.as_client();
    let mut user = None;
    let login = proofkey_ureq::Login::new(client, SCOPE).with_extra(EXTRA);
    let signed_in = http.login(login, |url| {
        user = Some(browse(url));
        Ok(())
    });
    let signed_in = signed_in.expect("a login");
    user.expect("opened").join().expect("a visit");
    let sub = checked(&signed_in);
    let claims = http.userinfo(client, signed_in.tokens.access_token(), &sub).expect("userinfo");
    assert_eq!((claims.sub(), claims.get("name").as_deref()), (sub.as_str(), Some("Alice")));
    assert!(http.userinfo(client, signed_in.tokens.access_token(), "somebody-else").is_err());
    let refresh = client.refresh(signed_in.tokens.refresh_token().expect("offline")).of_user(&sub);
    let refreshed = http.sign_in(refresh).expect("a refresh of the same user");
    assert_eq!(refreshed.user.as_ref().expect("an ID token").sub(), sub);
    let refresh = client.refresh(refreshed.tokens.refresh_token().expect("rotated")).of_user("somebody-else");
    let error = http.sign_in(refresh).expect_err("another user");
    assert!(matches!(error, ExchangeError::IdToken(IdTokenError::Subject { .. })), "{error}");
    ends(client, &signed_in);
}

#[tokio::test]
async fn asynchronous() {
    let peer = Peer::start();
    let target = peer.target();
    let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
    let client = http.discover(&target.issuer, target.client_id, REDIRECT_URI).await.expect("metadata");
    let client = client.as_client();
    let mut user = None;
    let login = proofkey_reqwest::Login::new(client, SCOPE).with_extra(EXTRA);
    let signed_in = http.login(login, |url| {
        user = Some(browse(url));
        Ok(())
    });
    let signed_in = signed_in.await.expect("a login");
    user.expect("opened").join().expect("a visit");
    let sub = checked(&signed_in);
    let claims = http.userinfo(client, signed_in.tokens.access_token(), &sub).await.expect("userinfo");
    assert_eq!(claims.sub(), sub);
    let refresh = client.refresh(signed_in.tokens.refresh_token().expect("offline")).of_user(&sub);
    assert!(http.sign_in(refresh).await.expect("a refresh of the same user").user.is_some());
}

fn checked(signed_in: &SignedIn) -> String {
    let user = signed_in.user.as_ref().expect("an ID token that was checked");
    assert!(user.as_claims().auth_time().is_some(), "a max_age was asked for");
    user.sub().to_owned()
}

/// The server knows by the ID token whom to sign out, and asks before it does so.
fn ends(client: Client<'_>, signed_in: &SignedIn) {
    let id_token = signed_in.tokens.id_token().expect("an ID token");
    let back = "https://app.example/signed-out";
    let end = client.end_session(id_token).expect("an end session endpoint");
    let (url, ending) = end.returning_to(back, &mut proofkey_ureq::SysRng).expect("a good URI");
    let visit = UserAgent::new().run(&url.to_string(), Decision::Allow).expect("a visit");
    match visit.callback {
        // Nobody is signed in in this browser, so it is sent back at once.
        Some(callback) => ending.accept(back, Redirect::Url(&callback)).expect("its state"),
        None => assert!(visit.status == 200 && visit.page.contains("logout"), "{} {}", visit.status, visit.page),
    }
}

fn browse(url: &str) -> JoinHandle<()> {
    let url = url.to_owned();
    thread::spawn(move || drop(UserAgent::new().run(&url, Decision::Allow).expect("a visit")))
}

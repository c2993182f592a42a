//! Who signed in, at the development server: ID tokens, userinfo, signing out, and signing in again.

use crate::adapter::{ExchangeError, Login, LoginError, SignedIn, StepUp, Wait, http};
use proofkey_core::{
    AccessToken, Advice, Client, ClientBuf, ConfigError, Endpoint, IdTokenError, Redirect, ResponseError, UriFault,
    UserInfoError,
};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{Alteration, DevServer, EndpointFault, Faults, IdTokenFault, Options};
use proofkey_tests::Counter;
use std::thread;

const SCOPE: &[&str] = &["openid", "profile", "email", "itwin-platform", "offline_access"];

#[test]
fn a_login_says_who_signed_in() {
    let server = start();
    for user in ["alice", "bob"] {
        let signed_in = login(&server, user, SCOPE, &[]).unwrap();
        let claims = signed_in.user.expect("a user");
        assert_eq!((claims.sub(), claims.as_claims().email_verified()), (user, Some(true)));
        assert_eq!(claims.get("email"), Some(format!("{user}@example.test")));
        assert_eq!(claims.get("aud").as_deref(), Some("demo-native"));
        assert_eq!(claims.get("nonce").map(|nonce| nonce.len()), Some(43));
        assert!(signed_in.tokens.id_token().is_some());
    }
}

#[test]
fn a_login_without_the_scope_openid_says_nothing() {
    let server = start();
    // It is not asked for an ID token, so nothing of one matters.
    server.set_faults(Faults { id_token: Some(IdTokenFault::Issuer), ..Faults::default() });
    let signed_in = login(&server, "alice", &["itwin-platform"], &[]).unwrap();
    assert!(signed_in.user.is_none() && signed_in.tokens.id_token().is_none());
}

#[test]
fn an_id_token_that_is_not_of_this_login_ends_it() {
    let server = start();
    let client = client(&server);
    let text = |text: &str| text.into();
    let issuer = text(&server.issuer());
    for (fault, expected) in [
        (
            IdTokenFault::Audience,
            IdTokenError::Audience { expected: text("demo-native"), found: text("another-client api") },
        ),
        (IdTokenFault::Encrypted, IdTokenError::Encrypted),
        (IdTokenFault::Issuer, IdTokenError::Issuer { expected: issuer, found: text("https://as.example") }),
        (IdTokenFault::NoNonce, IdTokenError::Missing("nonce")),
        (IdTokenFault::Nonce, IdTokenError::Nonce),
        (IdTokenFault::Party, IdTokenError::Party { expected: text("demo-native"), found: text("api") }),
    ] {
        server.set_faults(Faults { id_token: Some(fault), ..Faults::default() });
        let error = login(&server, "alice", SCOPE, &[]).unwrap_err();
        let LoginError::Exchange(ExchangeError::IdToken(found)) = &error else { panic!("{fault:?}: {error}") };
        assert_eq!(found, &expected, "{fault:?}");
        assert_eq!(error.advice(), Some(expected.advice()));
        assert!(error.to_string().contains(&expected.to_string()), "{error}");
        // An exchange checks it as well.
        let exchanged = exchange(client.as_client()).map(drop);
        assert!(matches!(exchanged, Err(ExchangeError::IdToken(found)) if found == expected), "{fault:?}");
    }
    server.set_faults(Faults { id_token: Some(IdTokenFault::Expired), ..Faults::default() });
    let error = login(&server, "alice", SCOPE, &[]).unwrap_err();
    assert!(matches!(error, LoginError::Exchange(ExchangeError::IdToken(IdTokenError::Expired { .. }))), "{error}");
}

#[test]
fn a_server_whose_issuer_is_not_known_tells_no_user() {
    let server = start();
    let (authorize, token) = (server.authorization_endpoint(), server.token_endpoint());
    let client = Client::new("demo-native", PASTE, proofkey_core::Server::new(&authorize, &token)).unwrap();
    let signed_in = exchange(client).unwrap();
    assert!(signed_in.user.is_none() && signed_in.tokens.id_token().is_some());
}

#[test]
fn a_login_with_max_age_wants_to_know_when_the_user_signed_in() {
    let server = start();
    let signed_in = login(&server, "alice", SCOPE, &[("max_age", "300")]).unwrap();
    assert!(signed_in.user.unwrap().as_claims().auth_time().is_some());
    for (fault, name) in [(IdTokenFault::NoAuthTime, "Missing"), (IdTokenFault::OldSignIn, "Stale")] {
        server.set_faults(Faults { id_token: Some(fault), ..Faults::default() });
        let error = login(&server, "alice", SCOPE, &[("max_age", "300")]).unwrap_err();
        let LoginError::Exchange(ExchangeError::IdToken(found)) = &error else { panic!("{fault:?}: {error}") };
        assert!(format!("{found:?}").starts_with(name), "{found}");
        assert!(login(&server, "alice", SCOPE, &[]).is_ok(), "it was not asked for");
    }
}

#[test]
fn a_refresh_is_of_the_same_user() {
    let server = start();
    let client = client(&server);
    let signed_in = exchange(client.as_client()).unwrap();
    let refresh = |sub| {
        let token = signed_in.tokens.refresh_token().unwrap();
        server.set_faults(Faults { keep_refresh_token: true, ..Faults::default() });
        http().sign_in(client.as_client().refresh(token).of_user(sub)).wait()
    };
    assert_eq!(refresh("alice").unwrap().user.unwrap().sub(), "alice");
    let error = refresh("bob").map(drop).unwrap_err();
    let subject = IdTokenError::Subject { expected: "bob".into(), found: "alice".into() };
    assert!(matches!(&error, ExchangeError::IdToken(found) if *found == subject), "{error}");
    assert_eq!(error.advice(), Some(Advice::Reauthorize));
}

#[test]
fn userinfo_is_about_the_user_who_signed_in() {
    let server = start();
    let client = client(&server);
    let signed_in = exchange(client.as_client()).unwrap();
    let ask = |sub: &str| http().userinfo(client.as_client(), signed_in.tokens.access_token(), sub).wait();
    let claims = ask("alice").unwrap();
    assert_eq!((claims.sub(), claims.get("name").as_deref()), ("alice", Some("Alice")));
    let error = ask("bob").unwrap_err();
    let subject = UserInfoError::Subject { expected: "bob".into(), found: "alice".into() };
    assert!(matches!(&error, ExchangeError::UserInfo(found) if *found == subject), "{error}");
    assert_eq!(error.advice(), Some(Advice::Reauthorize));
    let members = vec![("sub".to_owned(), Some("\"mallory\"".to_owned()))];
    for (alteration, name) in [
        (Alteration { members, ..Alteration::default() }, "Subject"),
        (Alteration { content_type: "application/jwt".to_owned(), ..Alteration::default() }, "Signed"),
    ] {
        server.set_faults(Faults { userinfo: Some(EndpointFault::Alter(alteration)), ..Faults::default() });
        let error = ask("alice").unwrap_err();
        let ExchangeError::UserInfo(found) = &error else { panic!("{name}: {error}") };
        assert!(format!("{found:?}").starts_with(name), "{found}");
    }
    server.set_faults(Faults::default());
    let unknown = AccessToken::new("unknown").unwrap();
    let error = http().userinfo(client.as_client(), unknown, "alice").wait().unwrap_err();
    assert!(matches!(error, ExchangeError::UserInfo(UserInfoError::Refused(401))), "{error}");
    let down = EndpointFault::Respond { status: 503, headers: Vec::new(), body: String::new() };
    server.set_faults(Faults { userinfo: Some(down), ..Faults::default() });
    assert!(matches!(ask("alice").unwrap_err(), ExchangeError::Response(ResponseError::Status { status: 503, .. })));
}

#[test]
fn a_server_without_userinfo_is_not_asked() {
    let server = start();
    let without = proofkey_core::Server::new("https://as.example/authorize", "https://as.example/token");
    let client = Client::new("demo-native", PASTE, without).unwrap();
    server.clear_log();
    let error = http().userinfo(client, AccessToken::new("AT").unwrap(), "alice").wait().unwrap_err();
    let absent = ConfigError::Endpoint(Endpoint::UserInfo, UriFault::Absent);
    assert!(matches!(error, ExchangeError::Config(found) if found == absent));
    assert!(server.log().is_empty());
}

#[test]
fn the_browser_is_signed_out_and_comes_back() {
    let server = start();
    let client = client(&server);
    let mut browser = UserAgent::new();
    let signed_in = exchange_in(client.as_client(), &mut browser).unwrap();
    let id_token = signed_in.tokens.id_token().unwrap();
    let end = client.as_client().end_session(id_token).unwrap();
    let (url, ending) = end.returning_to(PASTE, &mut Counter::default()).unwrap();
    let back = browser.run(&url.to_string(), Decision::Allow).unwrap().callback.unwrap();
    ending.accept(PASTE, Redirect::Url(&back)).unwrap();
    let (again, _) = client.as_client().authorize(SCOPE, &mut Counter::default()).unwrap();
    let visit = browser.run(&again.to_string(), Decision::Allow).unwrap();
    assert!(visit.steps.iter().any(|step| step.contains("sign-in page")), "{:?}", visit.steps);
}

#[test]
fn an_api_that_wants_more_says_how_to_sign_in_again() {
    let server = start();
    let call = |token: AccessToken<'_>| {
        let request = http::Request::get(server.api("/api/payments")).body(Vec::new()).unwrap();
        http().call(request, token).wait().unwrap()
    };
    let signed_in = login(&server, "alice", SCOPE, &[]).unwrap();
    let step_up = StepUp::of(&call(signed_in.tokens.access_token())).expect("more is wanted");
    assert_eq!((step_up.acr_values(), step_up.max_age()), (Some("mfa"), Some(300)));
    let extra = step_up.extra();
    assert_eq!(extra, [("acr_values", "mfa"), ("max_age", "300")]);
    let signed_in = login(&server, "alice", SCOPE, &extra).unwrap();
    assert_eq!(signed_in.user.unwrap().get("acr").as_deref(), Some("mfa"));
    let answer = call(signed_in.tokens.access_token());
    assert_eq!((answer.status, StepUp::of(&answer)), (200, None));
}

fn login(
    server: &DevServer,
    user: &'static str,
    scope: &[&str],
    extra: &[(&str, &str)],
) -> Result<SignedIn, LoginError> {
    let client = http().discover(&server.issuer(), "demo-native", "http://127.0.0.1/callback").wait().unwrap();
    let mut browser = None;
    let login = Login::new(client.as_client(), scope).with_extra(extra);
    let http = http();
    let signed_in = http.login(login, |url| {
        let url = url.to_owned();
        browser = Some(thread::spawn(move || UserAgent::new().as_user(user).run(&url, Decision::Allow).unwrap()));
        Ok(())
    });
    let signed_in = signed_in.wait();
    browser.expect("it was opened").join().unwrap();
    signed_in
}

fn exchange(client: Client<'_>) -> Result<SignedIn, ExchangeError> {
    exchange_in(client, &mut UserAgent::new())
}

fn exchange_in(client: Client<'_>, browser: &mut UserAgent) -> Result<SignedIn, ExchangeError> {
    let (url, pending) = client.authorize(SCOPE, &mut Counter::default()).unwrap();
    let back = browser.run(&url.to_string(), Decision::Allow).unwrap().callback.unwrap();
    http().sign_in(pending.accept(client, Redirect::Url(&back)).unwrap()).wait()
}

fn client(server: &DevServer) -> ClientBuf {
    http().discover(&server.issuer(), "demo-native", PASTE).wait().unwrap()
}

fn start() -> DevServer {
    DevServer::start(Options::default()).unwrap()
}

const PASTE: &str = "https://app.example/paste";

//! Logins whose parameters are pushed (RFC 9126), at the development server.

use crate::adapter::{ExchangeError, Http, Login, LoginError, TransportKind, Wait, http};
use proofkey_core::{Advice, ClientBuf, ConfigError, Redirect, ResponseError};
use proofkey_devserver::user_agent::{Decision, UserAgent, Visit};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

#[test]
fn a_server_that_requires_pushes_gets_them_without_being_asked() {
    let server = DevServer::start(Options { require_push: true, ..Options::default() }).unwrap();
    let client = client(&http(), &server, "http://127.0.0.1/callback");
    let login = Login::new(client.as_client(), SCOPE).with_extra(&[("prompt", "consent")]);
    assert!(login.must_push());
    pushes(&server, login);
}

#[test]
fn a_login_can_be_pushed_where_nobody_requires_it() {
    let server = DevServer::start(Options::default()).unwrap();
    let client = client(&http(), &server, "http://127.0.0.1/callback");
    let login = Login::new(client.as_client(), SCOPE).with_extra(&[("prompt", "consent")]);
    assert!(!login.must_push());
    pushes(&server, login.with_push());
}

/// The browser gets a reference alone; what it stands for was sent before.
fn pushes(server: &DevServer, login: Login<'_>) {
    server.clear_log();
    let (http, mut opened, mut user) = (http(), String::new(), None);
    let tokens = http.login(login, |url| {
        url.clone_into(&mut opened);
        user = Some(browse(url));
        Ok(())
    });
    assert!(tokens.wait().unwrap().tokens.refresh_token().is_some());
    assert_eq!(user.unwrap().join().unwrap().status, 200);
    let (endpoint, query) = opened.split_once('?').unwrap();
    let names: Vec<_> = query.split('&').map(|field| field.split('=').next().unwrap()).collect();
    assert_eq!((endpoint, names), (server.authorization_endpoint().as_str(), vec!["client_id", "request_uri"]));
    let log = server.log();
    assert_eq!((log[0].method.as_str(), log[0].path.as_str(), log[0].status), ("POST", "/connect/par", 201));
    for field in ["&state=", "&code_challenge=", "&redirect_uri=", "&scope=itwin-platform+offline_access", "&prompt="] {
        assert!(log[0].body.contains(field), "{field}: {}", log[0].body);
    }
    assert_eq!(log.iter().filter(|entry| entry.path == "/connect/par").count(), 1);
}

#[test]
fn a_push_that_is_refused_opens_no_browser_and_has_advice() {
    let server = DevServer::start(Options { push_ttl: 1, ..Options::default() }).unwrap();
    let client = client(&http(), &server, "http://127.0.0.1/callback");
    let failed = |scope: &[&str], fault: Option<EndpointFault>| {
        server.set_faults(Faults { push: fault, ..Faults::default() });
        let login = Login::new(client.as_client(), scope).with_push();
        http().login(login, |_| panic!("opened")).wait().unwrap_err()
    };
    let busy = respond(503, &[("retry-after", "120")]);
    let error = failed(SCOPE, Some(busy));
    assert!(matches!(error, LoginError::Push(_)), "{error}");
    assert_eq!(error.advice(), Some(Advice::Retry { after: Some(120) }));
    let error = failed(&["nobody-has-it"], None);
    assert_eq!(error.advice(), Some(Advice::Fix));
    assert!(error.to_string().contains("invalid_scope"), "{error}");
    let error = failed(SCOPE, Some(respond(307, &[("location", "https://other.example/")])));
    assert!(matches!(error, LoginError::Push(ExchangeError::Response(ResponseError::Redirect(307)))), "{error}");
    let error = failed(SCOPE, Some(EndpointFault::HangupBefore));
    let LoginError::Push(ExchangeError::Transport(lost)) = &error else { panic!("{error}") };
    assert_eq!((lost.kind(), error.advice()), (TransportKind::Closed, Some(Advice::Retry { after: None })));
    // It is kept for a second, and its answer takes longer.
    let error = failed(SCOPE, Some(EndpointFault::Delay { millis: 1050 }));
    assert!(matches!(error, LoginError::PushExpired), "{error}");
    assert_eq!(error.advice(), Some(Advice::Reauthorize));
    let error = failed(&["a b"], None);
    assert!(error.to_string().starts_with("scope 0"), "{error}");
    let error = http()
        .login(Login::new(client.as_client(), SCOPE).with_push().with_extra(&[("request_uri", "x")]), |_| Ok(()))
        .wait()
        .unwrap_err();
    assert!(matches!(error, LoginError::Config(ConfigError::ExtraParameter { .. })), "{error}");
}

#[test]
fn a_login_that_is_given_up_while_it_is_pushed_opens_no_browser() {
    let server = DevServer::start(Options::default()).unwrap();
    let client = client(&http(), &server, "http://127.0.0.1/callback");
    let cancel = AtomicBool::new(false);
    cancel.store(true, Ordering::Relaxed);
    let login = Login::new(client.as_client(), SCOPE).with_push().with_cancel(&cancel);
    let error = http().login(login, |_| panic!("opened")).wait().unwrap_err();
    assert!(matches!(error, LoginError::Cancelled), "{error}");
}

#[test]
fn a_service_pushes_and_parks_the_rest() {
    let server = DevServer::start(Options { require_push: true, ..Options::default() }).unwrap();
    let http = http();
    let client = client(&http, &server, "https://app.example/paste");
    let client = client.as_client();
    let mut urls = Vec::new();
    for _ in 0..2 {
        let (push, pending) = client.push(SCOPE, &mut crate::adapter::SysRng).unwrap();
        let url = http.push(push).wait().unwrap();
        assert_eq!(url.expires_in(), 60);
        let visit = UserAgent::new().run(url.as_str(), Decision::Allow).unwrap();
        let request = pending.accept(client, Redirect::Url(visit.callback.as_deref().unwrap())).unwrap();
        assert!(http.exchange(request).wait().is_ok());
        let again = UserAgent::new().run(url.as_str(), Decision::Allow).unwrap();
        assert!(again.callback.is_none() && again.status == 400, "a reference is used once: {again:?}");
        urls.push(url.to_string());
    }
    assert_ne!(urls[0], urls[1], "a fresh push has a fresh reference");
}

fn client(http: &Http, server: &DevServer, redirect_uri: &str) -> ClientBuf {
    http.discover(&server.issuer(), "demo-native", redirect_uri).wait().unwrap()
}

fn browse(url: &str) -> JoinHandle<Visit> {
    let url = url.to_owned();
    thread::spawn(move || UserAgent::new().run(&url, Decision::Allow).unwrap())
}

fn respond(status: u16, headers: &[(&str, &str)]) -> EndpointFault {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    EndpointFault::Respond { status, headers, body: String::new() }
}

const SCOPE: &[&str] = &["itwin-platform", "offline_access"];

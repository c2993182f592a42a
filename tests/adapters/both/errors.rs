//! What the adapter's own errors say.

use crate::adapter::Wait;
use crate::adapter::{
    DiscoverError, ExchangeError, ListenError, LoginError, TransportError, TransportKind, http, trusting,
};
use proofkey_core::{
    AccessToken, Advice, AuthorizeError, CallbackError, Client, ConfigError, Discovery, Endpoint, Response,
    ResponseError, Server as Endpoints, UriFault,
};
use proofkey_tests::recording::{Server, json};
use std::collections::BTreeSet;
use std::error::Error;
use std::io;

#[test]
fn every_error_says_what_it_is_and_keeps_its_cause() {
    let config = || ConfigError::Endpoint(Endpoint::Revocation, UriFault::Absent);
    let request = http::Request::get("http://[::1]:1/").body(Vec::new()).unwrap();
    let unreachable = http().call(request, AccessToken::new("AT").unwrap()).wait().unwrap_err();
    assert!(unreachable.kind() == TransportKind::Connect && !unreachable.was_sent(), "{unreachable}");
    let mut said = BTreeSet::new();
    let errors: Vec<(Box<dyn Error>, bool)> = vec![
        (Box::new(unreachable), true),
        (Box::new(trusting("").unwrap_err()), true),
        (Box::new(TransportError::new(TransportKind::BodyTooBig, true)), false),
        (Box::new(TransportError::new(TransportKind::Deadline, true)), false),
        (Box::new(TransportError::new(TransportKind::Insecure, false)), false),
        (Box::new(TransportError::new(TransportKind::Proxy, false)), false),
        (Box::new(ExchangeError::Config(config())), true),
        (Box::new(ExchangeError::Response(ResponseError::TokenType(None))), true),
        (Box::new(ExchangeError::Spent), false),
        (Box::new(ExchangeError::Transport(TransportError::new(TransportKind::Deadline, true))), true),
        (Box::new(DiscoverError::Config(ConfigError::Issuer(UriFault::Query))), true),
        (Box::new(DiscoverError::Response(ResponseError::NoS256("plain".into()))), true),
        (Box::new(no_metadata()), false),
        (Box::new(DiscoverError::Transport(TransportError::new(TransportKind::BodyTooBig, true))), true),
        (Box::new(LoginError::Authorize(AuthorizeError::RandomRepeats)), true),
        (Box::new(LoginError::Callback(CallbackError::State)), true),
        (Box::new(LoginError::Config(ConfigError::ExtraParametersTwice)), true),
        (Box::new(LoginError::Device(ExchangeError::Response(ResponseError::Missing("user_code")))), true),
        (Box::new(expired(None)), false),
        (Box::new(expired(Some(TransportError::new(TransportKind::Deadline, true)))), true),
        (Box::new(LoginError::Show(io::ErrorKind::NotFound.into())), true),
        (Box::new(LoginError::Exchange(ExchangeError::Response(ResponseError::Missing("access_token")))), true),
        (Box::new(listen()), true),
        (Box::new(LoginError::NotLoopback), false),
        (Box::new(LoginError::Open(io::ErrorKind::NotFound.into())), true),
        (Box::new(LoginError::Push(ExchangeError::Response(ResponseError::Missing("request_uri")))), true),
        (Box::new(LoginError::PushExpired), false),
        (Box::new(LoginError::TimedOut), false),
    ];
    for (error, caused) in errors {
        let text = error.to_string();
        assert!(text.len() > 15 && text.starts_with(|first: char| first.is_ascii_lowercase()), "{text}");
        assert_eq!(error.source().is_some(), caused, "{text}");
        assert!(said.insert(text.clone()) || caused, "{text:?} is said twice, and not because it is passed on");
    }
}

#[test]
fn an_exchange_that_may_have_arrived_has_no_advice() {
    for (error, advice) in [
        (ExchangeError::Config(ConfigError::ClientId), Some(Advice::Fix)),
        (ExchangeError::Response(ResponseError::TokenType(None)), Some(Advice::Fix)),
        (ExchangeError::Spent, Some(Advice::Fix)),
        (ExchangeError::Transport(TransportError::new(TransportKind::Insecure, false)), Some(Advice::Fix)),
        (ExchangeError::Transport(TransportError::new(TransportKind::Proxy, false)), Some(Advice::Fix)),
        (ExchangeError::Transport(TransportError::new(TransportKind::Deadline, true)), None),
        (ExchangeError::Transport(TransportError::new(TransportKind::BodyTooBig, true)), None),
    ] {
        assert_eq!(error.advice(), advice, "{error}");
    }
}

#[test]
fn a_discovery_can_be_tried_again_where_the_server_was_not_reached() {
    let busy = ResponseError::Status { status: 503, retry_after: Some(7), is_page: false };
    for (error, advice) in [
        (DiscoverError::Config(ConfigError::ClientId), Advice::Fix),
        (DiscoverError::Response(ResponseError::NoS256("plain".into())), Advice::Fix),
        (no_metadata(), Advice::Fix),
        (DiscoverError::Response(busy), Advice::Retry { after: Some(7) }),
        (DiscoverError::Transport(TransportError::new(TransportKind::Insecure, false)), Advice::Fix),
        (DiscoverError::Transport(TransportError::new(TransportKind::Deadline, true)), Advice::Retry { after: None }),
    ] {
        assert_eq!(error.advice(), advice, "{error}");
    }
}

#[test]
fn a_login_that_failed_is_mended_or_begun_again() {
    for (error, advice) in [
        (LoginError::Authorize(AuthorizeError::RandomRepeats), Some(Advice::Fix)),
        (LoginError::Callback(CallbackError::State), Some(Advice::Reauthorize)),
        (LoginError::Callback(CallbackError::Mode), Some(Advice::Fix)),
        (LoginError::Config(ConfigError::ExtraParametersTwice), Some(Advice::Fix)),
        (LoginError::Exchange(ExchangeError::Response(ResponseError::TokenType(None))), Some(Advice::Fix)),
        (LoginError::Exchange(ExchangeError::Transport(TransportError::new(TransportKind::Deadline, true))), None),
        (listen(), Some(Advice::Fix)),
        (LoginError::NotLoopback, Some(Advice::Fix)),
        (LoginError::Open(io::ErrorKind::NotFound.into()), Some(Advice::Fix)),
        (LoginError::Push(ExchangeError::Response(ResponseError::Missing("request_uri"))), Some(Advice::Fix)),
        (
            LoginError::Push(ExchangeError::Transport(TransportError::new(TransportKind::Deadline, true))),
            Some(Advice::Retry { after: None }),
        ),
        (LoginError::PushExpired, Some(Advice::Reauthorize)),
        (LoginError::TimedOut, Some(Advice::Reauthorize)),
    ] {
        assert_eq!(error.advice(), advice, "{error}");
    }
}

#[test]
fn a_client_that_cannot_be_used_is_told_before_anything_is_sent() {
    let server = Server::answering(|_| json(404, "{}"));
    for (id, redirect_uri) in [("", "https://app.example/cb"), ("app", "https://App.example/cb"), ("app", "x")] {
        let error = http().discover(&server.url(""), id, redirect_uri).wait().unwrap_err();
        assert!(matches!(error, DiscoverError::Config(_)), "{id} {redirect_uri}: {error}");
    }
    assert!(server.requests().is_empty());
    assert!(http().discover(&server.url(""), "app", "https://app.example/cb").wait().is_err());
    assert_eq!(server.requests().len(), 2);
}

fn no_metadata() -> DiscoverError {
    let issuer = "https://as.example".to_owned();
    let tried = Discovery::new(&issuer).expect("an issuer").tried();
    DiscoverError::NoMetadata { issuer, tried }
}

fn listen() -> LoginError {
    LoginError::Listen(ListenError { address: ([127, 0, 0, 1], 3000).into(), source: io::ErrorKind::AddrInUse.into() })
}

fn expired(last: Option<TransportError>) -> LoginError {
    let server = Endpoints::device("https://as.example/device", "https://as.example/token");
    let request = Client::without_redirect("device", server).unwrap().device(&[]).unwrap();
    let mut body = *br#"{"device_code":"D","user_code":"U","verification_uri":"https://as.example/go","expires_in":9}"#;
    let (_, poll) = request.read(Response::new(200, &mut body), 0).unwrap();
    LoginError::Expired { expired: poll.over(), last }
}

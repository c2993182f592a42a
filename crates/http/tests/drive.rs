//! The loop that drives a flow: what comes of requests without an answer.

use proofkey_core::{AccessToken, Client, Discovery, RefreshToken, Server};
use proofkey_http::{Answer, DriveError, TransportError, TransportKind, drive};
use std::error::Error;

#[test]
fn a_request_without_an_answer_is_the_failure_of_the_transport() {
    let mut sent = 0;
    let mut call = AccessToken::new("AT").unwrap().get("https://api.example/me").unwrap();
    let failed = drive(
        &mut call,
        |_| {
            sent += 1;
            Err(TransportError::new(TransportKind::Deadline, true))
        },
        |_| panic!("nothing to wait for"),
    );
    let Err(error @ DriveError::Transport(_)) = failed.map(drop) else { panic!("an answer") };
    let own = TransportError::new(TransportKind::Deadline, true);
    assert_eq!((sent, error.to_string(), error.source().is_some()), (1, own.to_string(), own.source().is_some()));
}

#[test]
fn a_search_goes_on_after_an_answer_that_is_cut_off_but_not_when_its_time_is_over() {
    for (kind, requests) in [(TransportKind::Deadline, 1), (TransportKind::Closed, 3)] {
        let mut search = Discovery::new("https://as.example/tenant").unwrap();
        let mut sent = 0;
        let failed = drive(
            &mut search,
            |_| {
                sent += 1;
                Ok((Answer::new(200, http::HeaderMap::new()), Err(TransportError::new(kind, true))))
            },
            |_| panic!("nothing to wait for"),
        );
        let ended = matches!(failed.map(drop), Err(DriveError::Transport(_)));
        assert_eq!((sent, ended), (requests, kind == TransportKind::Deadline), "{kind:?}");
    }
}

#[test]
fn a_token_request_is_driven_once() {
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    let client = Client::new("app", "http://127.0.0.1/cb", server).unwrap();
    let mut refresh = client.refresh(RefreshToken::new("RT").unwrap());
    let mut sent = 0;
    let mut once = || {
        let mut answer = Answer::new(200, http::HeaderMap::new());
        assert!(answer.push(b"{}", 2));
        let send = |_| {
            sent += 1;
            Ok((answer, Ok(())))
        };
        let mut send = Some(send);
        drive(&mut refresh, |request| (send.take().expect("one request"))(request), |_| panic!("nothing to wait for"))
            .map(|(answer, _)| answer.status())
    };
    assert!(matches!(once(), Ok(200)));
    let Err(error @ DriveError::Over(None)) = once() else { panic!("it was sent again") };
    assert!(error.to_string().contains("ended without an answer") && error.source().is_none(), "{error}");
    assert_eq!(sent, 1);
}

#[test]
fn a_request_that_the_http_crate_refuses_was_not_sent() {
    let refused = http::Request::get("https://as.example/\n").body(()).unwrap_err();
    let error = TransportError::from(refused);
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Http, false));
    assert!(error.source().is_some());
}

//! What the errors of sessions say and advise.

use proofkey_core::session::End;
use proofkey_core::{Advice, ConfigError};
use proofkey_http::session::{CallError, SessionError};
use proofkey_http::{ExchangeError, TransportError, TransportKind};
use proofkey_store::{StoreError, StoreFault};
use std::error::Error;

#[test]
fn every_error_says_what_happened_and_what_to_do() {
    let again = Advice::Retry { after: None };
    let unsent = || ExchangeError::Transport(TransportError::new(TransportKind::Connect, false));
    let lost = || ExchangeError::Transport(TransportError::new(TransportKind::Closed, true));
    let ended = |end, why: Option<&str>| SessionError::Ended { end, why: why.map(Into::into) };
    for (error, says, advice) in [
        (SessionError::Busy, "another process is refreshing", again),
        (
            ended(End::Refused, Some("it said so")),
            "the server has ended the login (it said so); sign",
            Advice::Reauthorize,
        ),
        (ended(End::AnswerLost { since: 7 }, None), "an answer with new tokens was lost", Advice::Reauthorize),
        (ended(End::Expired, None), "the login has expired; sign in", Advice::Reauthorize),
        (ended(End::Forgotten, None), "not signed in; sign in", Advice::Reauthorize),
        (ended(End::NoRefreshToken, None), "there is no refresh token; sign in", Advice::Reauthorize),
        (ended(End::SignedOut, None), "signed out; sign in", Advice::Reauthorize),
        (SessionError::NoAnswer { since: 7, cause: None }, "nobody knows whether it counts", again),
        (SessionError::NoAnswer { since: 7, cause: Some(lost().into()) }, "closed the connection", again),
        (SessionError::OtherKey, "bound to a key", Advice::Fix),
        (SessionError::Paused { seconds: 9 }, "in 9 s", Advice::Retry { after: Some(9) }),
        (SessionError::Refused(ExchangeError::Config(ConfigError::ClientId).into()), "not refreshed", Advice::Fix),
        (SessionError::Store(StoreError::new(StoreFault::Setup)), "set up", Advice::Fix),
        (SessionError::Store(StoreError::new(StoreFault::Unavailable)), "try again", again),
        (SessionError::Young, "a token that is new", Advice::Fix),
        (SessionError::Unsaved(StoreError::new(StoreFault::Unavailable)), "could not be saved yet", again),
        (SessionError::Unsent(None), "not refreshed in time", again),
        (SessionError::Unsent(Some(unsent().into())), "no connection", again),
    ] {
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.advice(), advice, "{error}");
        let cause = error.source().map(ToString::to_string);
        assert!(cause.is_none_or(|cause| error.to_string().contains(&cause)), "{error}");
        let call = CallError::Session(error.clone());
        assert_eq!((call.to_string(), call.advice()), (error.to_string(), Some(advice)));
    }
    let call = CallError::Transport(TransportError::new(TransportKind::Closed, true));
    assert_eq!((call.advice(), call.source().is_some()), (None, true));
}

//! Who signed in: what a session keeps of it, refuses because of it, and asks with it.

use crate::support::{Bench, Left, RUNTIME, Way, both};
use http::Request;
use proofkey_core::{Advice, IdTokenError, Redirect, UserInfoError};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{Faults, IdTokenFault};
use proofkey_http::ExchangeError;
use proofkey_http::session::{CallError, SessionError};
use proofkey_ureq::{Http, Record, Session, SignedIn, SysRng};
use std::sync::Arc;

const SCOPE: &[&str] = &["openid", "profile", "itwin-platform", "offline_access"];

#[test]
fn a_session_keeps_who_signed_in() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let session = bench.open(way);
        assert!(session.peek().unwrap().unwrap().record().user.is_none(), "that login had no ID token");
        session.begin(&sign_in(&bench)).unwrap();
        let user = bench.stored().unwrap().user.unwrap();
        assert_eq!((user.sub.as_str(), user.name.as_deref()), ("alice", Some("Alice")));
        let first = user.id_token.unwrap();
        let record = session.refresh().unwrap().record().clone();
        let user = record.user.clone().unwrap();
        assert_eq!(user.sub, "alice");
        assert_ne!(user.id_token.unwrap().expose(), first.expose(), "that of the refresh");
        assert!(!format!("{record:?}").contains(first.expose()));
        let read = Record::from_bytes(&record.to_bytes().unwrap()).unwrap();
        assert_eq!(read.user.unwrap().sub, "alice");
    });
}

#[test]
fn a_session_refuses_the_refresh_of_another_user() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let session = bench.open(way);
        session.begin(&sign_in(&bench)).unwrap();
        let before = session.peek().unwrap().unwrap();
        bench.server.set_faults(Faults { id_token: Some(IdTokenFault::Subject), ..Faults::default() });
        let token = session.refresh();
        let error = match &token {
            Ok(token) => token.trouble().expect("trouble"),
            Err(error) => error,
        };
        let subject = IdTokenError::Subject { expected: "alice".into(), found: "mallory".into() };
        assert!(error.to_string().contains(&subject.to_string()), "{error}");
        assert!(matches!(error, SessionError::Refused(_)), "{error:?}");
        let stored = bench.stored().unwrap();
        assert_eq!(stored.access_token.expose(), before.expose(), "the other user's token is not kept");
        assert_ne!(
            stored.refresh_token.unwrap().expose(),
            before.record().refresh_token.as_ref().unwrap().expose(),
            "the old refresh token is spent"
        );
        bench.mend();
        assert!(session.refresh().unwrap().trouble().is_none(), "the login goes on");
    });
}

#[test]
fn a_session_asks_userinfo_with_its_own_token() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let error = userinfo(&bench, way, None).unwrap_err();
        assert!(matches!(error, CallError::UserInfo(ExchangeError::UserInfo(UserInfoError::NoUser))), "{error}");
        bench.open(way).begin(&sign_in(&bench)).unwrap();
        assert_eq!(userinfo(&bench, way, None).unwrap(), "alice");
    });
}

#[test]
fn the_token_of_a_resource_is_not_sent_to_userinfo() {
    both(|way| {
        let bench = Bench::new(Left::All);
        bench.open(way).begin(&sign_in(&bench)).unwrap();
        bench.server.clear_log();
        let error = userinfo(&bench, way, Some("https://api.example/")).unwrap_err();
        assert!(matches!(error, CallError::UserInfo(ExchangeError::UserInfo(UserInfoError::OtherResource))), "{error}");
        assert_eq!(error.advice(), Some(Advice::Fix));
        assert!(bench.server.log().iter().all(|entry| entry.path != "/connect/userinfo"));
    });
}

#[test]
fn a_call_says_how_to_sign_in_again_and_does_not_refresh() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let session = bench.open(way);
        session.begin(&sign_in(&bench)).unwrap();
        let request = Request::get(bench.server.api("/api/payments")).body(Vec::new()).unwrap();
        let error = session.call(request).unwrap_err();
        let CallError::StepUp(step_up) = &error else { panic!("{error}") };
        assert_eq!(step_up.extra(), [("acr_values", "mfa"), ("max_age", "300")]);
        assert_eq!(error.advice(), Some(Advice::Reauthorize));
        let says = "the API wants the user to sign in again, at most 300 s ago, in one of these ways: mfa";
        assert_eq!(error.to_string(), says);
        assert_eq!(bench.counts(), [0, 0, 0]);
    });
}

fn userinfo(bench: &Bench, way: Way, resource: Option<&str>) -> Result<String, CallError> {
    let claims = match way {
        Way::Blocking => {
            let session = Session::new(&Http::new(), bench.client(), Arc::clone(&bench.store), bench.key());
            resource.map_or(session.clone(), |resource| session.for_resource(resource)).userinfo()
        }
        Way::Async => {
            let sessions = bench.sessions();
            let session = match resource {
                Some(resource) => sessions.of_resource("default", resource),
                None => sessions.of("default"),
            };
            RUNTIME.block_on(session.userinfo())
        }
    };
    claims.map(|claims| claims.sub().to_owned())
}

fn sign_in(bench: &Bench) -> SignedIn {
    let (url, pending) = bench.client().authorize(SCOPE, &mut SysRng).unwrap();
    let redirect = UserAgent::new().run(&url.to_string(), Decision::Allow).unwrap().callback.unwrap();
    Http::new().sign_in(pending.accept(bench.client(), Redirect::Url(&redirect)).unwrap()).unwrap()
}

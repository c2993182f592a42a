//! Calls of an API, tokens that it refuses, and a login that is ended or begun in the meantime.

use crate::support::{Bench, Left, both, said, until, word};
use proofkey_devserver::{EndpointFault, Faults, When};
use proofkey_ureq::{Revocation, Token};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_call_is_repeated_once_with_a_newer_token() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let login = bench.open(way);
        let old = login.access_token().unwrap();
        bench.store.advance(120);
        // The server's access tokens end before their time: the API refuses all that were issued so far.
        bench.revoke_access(old.expose());
        bench.server.clear_log();
        assert_eq!(login.call(bench.me()).unwrap().status, 200);
        assert_eq!(bench.counts(), [1, 0, 0]);
        assert_eq!(bench.calls(), [401, 200]);
        // What was just issued is not renewed, and the call not repeated.
        bench.fail_api();
        bench.server.clear_log();
        for _ in 0..10 {
            assert_eq!(login.call(bench.me()).unwrap().status, 401);
        }
        assert_eq!(bench.calls(), [401; 10]);
        assert_eq!(bench.counts(), [1, 0, 0]);
        let young = login.access_token().unwrap();
        assert_eq!(said(&login.renew(&young)), "Young");
    });
}

#[test]
fn programs_at_a_broken_api_do_not_refresh_in_turn() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let programs: Vec<_> = (0..4).map(|_| bench.open(way)).collect();
        for login in &programs {
            login.access_token().unwrap();
        }
        bench.store.advance(120);
        bench.fail_api();
        let begun = Instant::now();
        for _ in 0..5 {
            for login in &programs {
                assert_eq!(login.call(bench.me()).unwrap().status, 401);
            }
        }
        assert_eq!(bench.counts(), [1, 0, 0]);
        // A fruitless renewal is not tried again at once.
        bench.store.take_seen();
        let token = programs[0].access_token().unwrap();
        while begun.elapsed() < Duration::from_secs(2) {
            drop(programs[0].renew(&token));
        }
        assert!(bench.store.take_seen().len() < 20);
    });
}

#[test]
fn a_renewal_first_takes_what_others_have_refreshed() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let (one, two) = (bench.open(way), bench.open(way));
        let old = one.access_token().unwrap();
        assert_eq!(two.access_token().unwrap().expose(), old.expose());
        let new = two.refresh().unwrap();
        assert_eq!(one.access_token().unwrap().expose(), old.expose());
        assert_eq!(one.renew(&old).unwrap().expose(), new.expose());
        assert_eq!(bench.counts(), [1, 0, 0]);
    });
}

#[test]
fn a_call_is_not_repeated_under_another_login() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let (one, two) = (bench.open(way), bench.open(way));
        one.access_token().unwrap();
        let other = bench.sign_in();
        two.begin(&other).unwrap();
        bench.fail_api();
        bench.server.clear_log();
        assert_eq!(one.call(bench.me()).unwrap().status, 401);
        assert_eq!(bench.calls(), [401]);
        // The next call is one of the new login.
        bench.mend();
        assert_eq!(one.call(bench.me()).unwrap().status, 200);
        assert_eq!(one.access_token().unwrap().expose(), other.tokens.access_token().expose());
        assert_eq!(bench.counts(), [0, 0, 0]);
    });
}

#[test]
fn a_sign_out_elsewhere_during_a_refresh_revokes_the_new_pair() {
    both(|way| {
        let bench = Bench::new(Left::Nothing);
        let (one, two) = (bench.open(way), bench.open(way));
        bench.fail(When::Next(1), EndpointFault::Delay { millis: 1_500 });
        thread::scope(|scope| {
            let refresh = scope.spawn(|| one.access_token());
            until("it is at the server", || bench.counts()[0] == 1);
            let out = two.sign_out().unwrap();
            assert!(matches!(out.revocation, Ok(Revocation::Done)));
            assert_eq!(said(&refresh.join().unwrap()), "ended: SignedOut");
        });
        one.settle().unwrap();
        assert!(bench.stored().is_none());
        // The old pair and the new one.
        assert!(bench.revocations() >= 3, "{}", bench.revocations());
        for login in [&one, &two] {
            assert_eq!(said(&login.access_token()), "ended: SignedOut");
            assert_eq!(
                login.call(bench.me()).map_err(|error| error.to_string()).unwrap_err(),
                "signed out; sign in again"
            );
        }
    });
}

#[test]
fn a_login_elsewhere_during_a_refresh_stays() {
    both(|way| {
        let bench = Bench::new(Left::Nothing);
        let (one, two) = (bench.open(way), bench.open(way));
        bench.fail(When::Next(1), EndpointFault::Delay { millis: 1_500 });
        let new = bench.sign_in();
        thread::scope(|scope| {
            let refresh = scope.spawn(|| one.access_token());
            until("it is at the server", || bench.counts()[0] == 1);
            assert!(two.begin(&new).unwrap().is_some(), "the old one");
            let token = refresh.join().unwrap().unwrap();
            assert_eq!(token.expose(), new.tokens.access_token().expose());
        });
        one.settle().unwrap();
        assert!(bench.is_taken(new.tokens.access_token().expose()));
        let stored = bench.stored().unwrap();
        assert_eq!(stored.refresh_token.unwrap().expose(), new.tokens.refresh_token().unwrap().expose());
        assert_eq!(two.refresh().unwrap().version().login(), one.access_token().unwrap().version().login());
        assert_eq!(bench.counts()[2], 0);
    });
}

#[test]
fn a_sign_out_or_a_login_in_this_process_waits_for_the_refresh() {
    both(|way| {
        for signs_out in [true, false] {
            let bench = Bench::new(Left::Nothing);
            let login = bench.open(way);
            bench.fail(When::Next(1), EndpointFault::Delay { millis: 500 });
            let new = bench.sign_in();
            thread::scope(|scope| {
                scope.spawn(|| login.access_token().unwrap());
                until("it is at the server", || bench.counts()[0] == 1);
                let displaced = if signs_out {
                    login.sign_out().unwrap().record.unwrap()
                } else {
                    login.begin(&new).unwrap().unwrap()
                };
                // The pair that the refresh has brought.
                assert_eq!(bench.is_taken(displaced.access_token.expose()), !signs_out);
            });
            let expected = if signs_out { "ended: SignedOut" } else { "token" };
            assert_eq!(said(&login.access_token()), expected);
        }
    });
}

#[test]
fn a_token_for_a_resource_does_not_displace_that_of_the_login() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let login = bench.open(way);
        let wide = login.access_token().unwrap();
        let narrow = login.for_resource("https://api.example");
        bench.server.clear_log();
        let token = narrow.access_token().unwrap();
        assert_ne!(token.expose(), wide.expose());
        assert!(bench.bodies().iter().any(|body| body.contains("resource=https%3A%2F%2Fapi.example")));
        // Another program finds both, and sends nothing.
        let other = bench.open(way);
        assert_eq!(other.access_token().unwrap().expose(), wide.expose());
        assert_eq!(other.for_resource("https://api.example").access_token().unwrap().expose(), token.expose());
        assert_eq!(bench.counts(), [1, 0, 0]);
        // And the other way round: the wide one is refreshed, and the narrow one stays.
        let newer = other.refresh().unwrap();
        assert_ne!(newer.expose(), wide.expose());
        let third = bench.open(way);
        assert_eq!(third.access_token().unwrap().expose(), newer.expose());
        assert_eq!(third.for_resource("https://api.example").access_token().unwrap().expose(), token.expose());
        assert_eq!(bench.counts(), [2, 0, 0]);
        let stored = bench.stored().unwrap();
        assert_eq!((stored.access_token.expose(), stored.resources.len()), (newer.expose(), 1));
    });
}

#[test]
fn a_renewed_token_is_another_one_even_if_the_login_was_refreshed_for_a_resource() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let login = bench.open(way);
        let wide = login.access_token().unwrap();
        login.for_resource("https://api.example").access_token().unwrap();
        bench.store.advance(120);
        let renewed = login.renew(&wide).unwrap();
        assert_ne!(renewed.expose(), wide.expose());
        assert_eq!(bench.counts(), [2, 0, 0]);
    });
}

#[test]
fn a_token_can_be_asked_for_to_last() {
    both(|way| {
        let bench = Bench::new(Left::Little);
        let login = bench.open(way);
        let old: Token = login.peek().unwrap().unwrap();
        let new = login.access_token_for(600).unwrap();
        assert_ne!(new.expose(), old.expose());
        // Longer than any token lives: the newest is the best there is, and not asked for again and again.
        assert_eq!(login.access_token_for(600).unwrap().expose(), new.expose());
        assert_eq!(bench.counts(), [1, 0, 0]);
        assert_ne!(login.access_token_for(7_200).unwrap().expose(), new.expose());
        assert_eq!(bench.counts(), [2, 0, 0]);
    });
}

#[test]
fn a_login_is_begun_once_and_another_takes_its_place() {
    both(|way| {
        let bench = Bench::new(Left::All);
        let login = bench.open(way);
        let first = login.peek().unwrap().unwrap();
        let displaced = login.begin(&bench.sign_in()).unwrap().unwrap();
        assert_eq!(displaced.access_token.expose(), first.expose());
        let second = login.access_token().unwrap();
        assert_ne!(second.expose(), first.expose());
        assert!(second.version().is_newer_than(first.version()));
        let out = login.sign_out().unwrap();
        assert_eq!(out.record.unwrap().access_token.expose(), second.expose());
        // Nobody is signed in: there is nothing to revoke.
        let out = login.sign_out().unwrap();
        assert!(out.record.is_none() && matches!(out.revocation, Ok(Revocation::Done)));
        assert!(login.peek().unwrap().is_none());
        let never = bench.open(way);
        assert_eq!(said(&never.access_token()), "ended: SignedOut");
        assert_eq!(word(&never.refresh().unwrap_err()), "ended: SignedOut");
        login.begin(&bench.sign_in()).unwrap();
        assert_eq!(said(&never.access_token()), "token");
    });
}

impl Bench {
    /// The API refuses each token.
    fn fail_api(&self) {
        let headers = vec![("www-authenticate".to_owned(), "Bearer error=\"invalid_token\"".to_owned())];
        let fault = EndpointFault::Respond { status: 401, headers, body: String::new() };
        self.server.set_faults(Faults { api: Some(fault), ..Faults::default() });
    }

    /// The statuses of the calls of the API since the log was cleared.
    fn calls(&self) -> Vec<u16> {
        self.server.log().iter().filter(|entry| entry.path == "/api/me").map(|entry| entry.status).collect()
    }

    fn bodies(&self) -> Vec<String> {
        self.server.log().into_iter().map(|entry| entry.body).collect()
    }

    fn revocations(&self) -> usize {
        let path = |url: String| url.split_once("//").map(|(_, rest)| rest[rest.find('/').unwrap()..].to_owned());
        let path = path(self.server.revocation_endpoint()).unwrap();
        self.server.log().iter().filter(|entry| entry.path == path).count()
    }

    /// The server ends one access token, and not its login.
    fn revoke_access(&self, token: &str) {
        let body = format!("client_id=demo-native&token={token}");
        let request = http::Request::post(self.server.revocation_endpoint())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .unwrap();
        assert_eq!(ureq::agent().run(request).unwrap().status(), 200);
    }
}

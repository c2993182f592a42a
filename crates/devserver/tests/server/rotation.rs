//! The rotation of refresh tokens: grace, successors, reuse, and what is counted.

use crate::client::{call, get_json, login, post, refresh, refresh_form, text};
use proofkey_devserver::{ClientRegistration, Counts, DevServer, Options, Successor};
use serde_json::Value;
use std::time::{Duration, Instant};

#[test]
fn the_same_pair_is_answered_again() {
    let server = with_grace(3600, Successor::Same);
    let (tokens, first) = rotated(&server);
    for _ in 0..2 {
        let (status, mut again) = refresh(&server, text(&tokens, "refresh_token"));
        assert!(again["expires_in"].as_u64().unwrap() <= 3600);
        again["expires_in"] = 3600.into();
        assert_eq!((status, &again), (200, &first));
    }
    assert_eq!(counted(&server), (1, 2, 0));
    assert_eq!(refresh(&server, text(&first, "refresh_token")).0, 200);
    assert_eq!(counted(&server), (2, 2, 0));
    assert_eq!(call(&server, "/api/me", text(&first, "access_token")).0, 200);
}

#[test]
fn the_newest_pair_alone_is_valid() {
    let server = with_grace(3600, Successor::default());
    let (tokens, first) = rotated(&server);
    let mut earlier = first.clone();
    for _ in 0..2 {
        let (status, fresh) = refresh(&server, text(&tokens, "refresh_token"));
        assert_eq!((status, &fresh["expires_in"]), (200, &3600.into()));
        assert_ne!(text(&fresh, "refresh_token"), text(&earlier, "refresh_token"));
        assert_eq!(call(&server, "/api/me", text(&earlier, "access_token")).0, 401, "the sibling's");
        assert_eq!(call(&server, "/api/me", text(&fresh, "access_token")).0, 200);
        earlier = fresh;
    }
    assert_eq!(call(&server, "/api/me", text(&tokens, "access_token")).0, 200, "the one before is left alone");
    let (status, next) = refresh(&server, text(&earlier, "refresh_token"));
    assert_eq!((status, counted(&server)), (200, (2, 2, 0)));
    assert_eq!(refresh(&server, text(&first, "refresh_token")).1["error"], "invalid_grant", "a sibling is spent");
    assert_eq!(counted(&server), (2, 2, 1));
    assert_eq!(refresh(&server, text(&next, "refresh_token")).1["error"], "invalid_grant");
    assert_eq!(call(&server, "/api/me", text(&next, "access_token")).0, 401);
    assert_eq!(counted(&server), (2, 2, 1), "what is revoked is not reused");
}

#[test]
fn an_access_token_may_be_all_that_a_spent_token_gets() {
    let server = with_grace(3600, Successor::AccessTokenOnly);
    let (tokens, first) = rotated(&server);
    let (status, fresh) = refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!((status, fresh.get("refresh_token"), &fresh["expires_in"]), (200, None, &3600.into()));
    assert_ne!(fresh["access_token"], first["access_token"]);
    for tokens in [&tokens, &first, &fresh] {
        assert_eq!(call(&server, "/api/me", text(tokens, "access_token")).0, 200);
    }
    assert_eq!(refresh(&server, text(&first, "refresh_token")).0, 200);
    assert_eq!(counted(&server), (2, 1, 0));
}

#[test]
fn a_grace_ends_after_its_seconds_and_then_the_family_does() {
    let server = with_grace(1, Successor::Same);
    let start = Instant::now();
    let (tokens, first) = rotated(&server);
    let refused = loop {
        let (status, answer) = refresh(&server, text(&tokens, "refresh_token"));
        if status != 200 {
            break answer;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it never ends");
    };
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(refused["error"], "invalid_grant");
    assert_eq!(server.counts().reuses, 1);
    assert_eq!(refresh(&server, text(&first, "refresh_token")).1["error"], "invalid_grant");
    for tokens in [&tokens, &first] {
        assert_eq!(call(&server, "/api/me", text(tokens, "access_token")).0, 401);
    }
}

#[test]
fn a_grace_changes_nothing_for_tokens_before_the_predecessor() {
    let server = with_grace(3600, Successor::Same);
    let (tokens, first) = rotated(&server);
    let (_, second) = refresh(&server, text(&first, "refresh_token"));
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).1["error"], "invalid_grant");
    assert_eq!(call(&server, "/api/me", text(&second, "access_token")).0, 401);
    assert_eq!(counted(&server), (2, 0, 1));
}

#[test]
fn a_spent_token_in_its_grace_is_checked_like_any_other() {
    let mut options = Options { refresh_grace: 3600, ..Options::default() };
    options.clients.push(ClientRegistration { client_id: "other".to_owned(), ..ClientRegistration::default() });
    let server = DevServer::start(options).unwrap();
    let (tokens, first) = rotated(&server);
    let [kind, client, spent] = refresh_form(text(&tokens, "refresh_token"));
    let send = |form: &[(&str, &str)]| post(&server.token_endpoint(), form).1;
    let refused = send(&[kind, ("client_id", "other"), spent]);
    assert_eq!(refused["error"], "invalid_grant");
    assert_eq!(refused["error_description"], "the refresh token was issued to another client");
    let revoke = |token| post(&server.revocation_endpoint(), &[("client_id", "other"), ("token", token)]).0;
    assert_eq!([revoke(spent.1), revoke(text(&first, "access_token"))], [200, 200], "and nothing happens");
    assert_eq!(send(&[kind, client, spent, ("scope", "admin")])["error"], "invalid_scope");
    assert_eq!(counted(&server), (1, 0, 0), "neither is a replay or a reuse");
    assert_eq!(call(&server, "/api/me", text(&first, "access_token")).0, 200);
    let narrow = send(&[kind, client, spent, ("scope", "itwin-platform")]);
    assert_eq!(narrow["scope"], "itwin-platform");
    let (_, wide) = refresh(&server, text(&narrow, "refresh_token"));
    assert_eq!(wide["scope"], "itwin-platform offline_access");
}

#[test]
fn an_access_token_can_live_for_a_second() {
    let options =
        Options { access_token_ttl: 1, refresh_grace: 3600, successor: Successor::Same, ..Options::default() };
    let server = DevServer::start(options).unwrap();
    let start = Instant::now();
    let (tokens, first) = rotated(&server);
    assert_eq!(first["expires_in"], 1);
    while call(&server, "/api/me", text(&first, "access_token")).0 == 200 {
        assert!(start.elapsed() < Duration::from_secs(60), "it never ends");
    }
    assert!(start.elapsed() >= Duration::from_secs(1));
    let (status, again) = refresh(&server, text(&tokens, "refresh_token"));
    assert_eq!((status, &again["expires_in"]), (200, &0.into()), "the same access token, which has ended");
    assert_eq!(again["access_token"], first["access_token"]);
}

#[test]
fn what_the_token_endpoint_did_is_counted() {
    let server = with_grace(0, Successor::default());
    assert_eq!(server.counts(), Counts::default());
    let (tokens, _) = rotated(&server);
    assert_eq!(refresh(&server, text(&tokens, "refresh_token")).0, 400);
    assert_eq!(post(&server.token_endpoint(), &[]).0, 400);
    post(
        &server.revocation_endpoint(),
        &[("client_id", "demo-native"), ("token", text(&login(&server), "refresh_token"))],
    );
    assert_eq!((counted(&server), server.counts().token_requests), ((1, 0, 1), 5));
    let document = get_json(&server.counts_url());
    assert_eq!(
        document,
        serde_json::json!({"early_polls": 0, "polls": 0, "refreshes": 1, "replays": 0, "reuses": 1, "token_requests": 5})
    );
}

fn with_grace(refresh_grace: u32, successor: Successor) -> DevServer {
    DevServer::start(Options { refresh_grace, successor, ..Options::default() }).unwrap()
}

/// The tokens of a login, whose refresh token is spent, and those of its first refresh.
fn rotated(server: &DevServer) -> (Value, Value) {
    let tokens = login(server);
    let (status, first) = refresh(server, text(&tokens, "refresh_token"));
    assert_eq!(status, 200);
    (tokens, first)
}

/// Refreshes, replays and reuses.
fn counted(server: &DevServer) -> (u64, u64, u64) {
    let counts = server.counts();
    (counts.refreshes, counts.replays, counts.reuses)
}

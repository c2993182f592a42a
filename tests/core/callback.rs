//! The redirect that brings the browser back (RFC 6749 sections 4.1.2 and 10.12; RFC 8252 section 8.10; RFC 9207).

use proofkey_core::CallbackError::{Ambiguous, Duplicate, Issuer, Malformed, MissingCode, Mode, State, Target};
use proofkey_core::{Advice, CallbackError, Client, Endpoint, Redirect, Server};
use proofkey_core_tests::{
    ISSUER, REDIRECT_URI, accept, accept_at, as_query, as_target, as_url, begin, client, good_query, server, values,
};

const I: &str = "&iss=https%3A%2F%2Fas.example";

#[test]
fn the_state_must_match_exactly() {
    let good = |state: &str| format!("code=C&state={state}{I}");
    assert!(matches!(accept(good), (true, Ok(_))));
    // A08: percent-encoded byte by byte.
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    assert!(matches!(accept(|state| good(&encoded(state))), (true, Ok(_))));
    let flip = |state: &str| {
        let first = &state[..1];
        let other = if first == first.to_uppercase() { first.to_lowercase() } else { first.to_uppercase() };
        format!("{other}{}", &state[1..])
    };
    let strangers: [fn(&str) -> String; 9] = [
        |_| format!("code=C{I}"),
        |_| format!("code=C&state={I}"),
        |state| format!("code=C&State={state}{I}"),
        |_| format!("code=C&state=X{I}"),
        |state| format!("code=C&state={}{I}", &state[..42]),
        |state| format!("code=C&state={state}A{I}"),
        |state| format!("code=C&state={state}%00{I}"),
        |state| format!("code=C&state=%20{state}{I}"),
        |state| format!("code=C&state={state}%{I}"),
    ];
    for stranger in strangers {
        assert_eq!(accept(stranger), (false, Err(State)));
    }
    assert_eq!(accept(|state| good(&flip(state))), (false, Err(State)));
    assert_eq!(accept(|state| good(&encoded(&flip(state)))), (false, Err(State)));
    assert_eq!(accept(|state| good(&encoded(&state[..42]))), (false, Err(State)));
    // A13: an error without the state is a stranger's too, and is not shown.
    assert_eq!(accept(|_| format!("error=access_denied{I}")), (false, Err(State)));
    assert_eq!(accept(|_| format!("error=access_denied&state=X{I}")), (false, Err(State)));
    // A32: `;` separates nothing.
    assert_eq!(accept(|state| format!("code=C;state={state}")), (false, Err(State)));
    // A04: two states cannot be trusted, whichever stands first.
    for two in [
        |s: &str| format!("state={s}&state=X"),
        |s: &str| format!("state=X&state={s}"),
        |s: &str| format!("state=&state={s}"),
    ] {
        assert_eq!(accept(two), (false, Err(Duplicate("state"))));
    }
}

#[test]
fn a_callback_gives_its_code_or_says_what_is_wrong() {
    let rows: &[(&str, Result<&str, CallbackError>)] = &[
        ("code=C&state=S&iss=I", Ok("C")),
        ("iss=I&state=S&code=C", Ok("C")),
        ("code=C&state=S&iss=I&x=1&x=2&session_state=y", Ok("C")),
        ("&&code=C&&state=S&iss=I&", Ok("C")),
        ("code=a?b=/&state=S&iss=I", Ok("a%3Fb%3D%2F")),
        ("error=&code=C&state=S&iss=I", Ok("C")),
        ("code=a+b&state=S&iss=I", Ok("a+b")),
        ("code=a%20b&state=S&iss=I", Ok("a+b")),
        ("code=a%2Bb&state=S&iss=I", Ok("a%2Bb")),
        ("code=C&state=S&iss=I&x=%zz", Ok("C")),
        ("code=C&code=C&state=S&iss=I", Err(Duplicate("code"))),
        ("code=C&c%6Fde=D&state=S&iss=I", Err(Duplicate("code"))),
        ("code=&code=C&state=S&iss=I", Err(Duplicate("code"))),
        ("code=C&state=S&iss=I&iss=I", Err(Duplicate("iss"))),
        ("error=a&error=a&state=S&iss=I", Err(Duplicate("error"))),
        ("code=C&error=access_denied&state=S&iss=I", Err(Ambiguous)),
        ("state=S&iss=I", Err(MissingCode)),
        ("code=&state=S&iss=I", Err(MissingCode)),
        ("code&state=S&iss=I", Err(MissingCode)),
        ("CODE=C&state=S&iss=I", Err(MissingCode)),
        ("%20code=C&code[]=C&state=S&iss=I", Err(MissingCode)),
        ("code=%&state=S&iss=I", Err(Malformed("code"))),
        ("code=%2&state=S&iss=I", Err(Malformed("code"))),
        ("code=%zz&state=S&iss=I", Err(Malformed("code"))),
        ("code=%u0041&state=S&iss=I", Err(Malformed("code"))),
        ("code=%FF&state=S&iss=I", Err(Malformed("code"))),
        ("code=%C0%AF&state=S&iss=I", Err(Malformed("code"))),
        ("code=%00x&state=S&iss=I", Err(Malformed("code"))),
        ("code=%0D%0Ax&state=S&iss=I", Err(Malformed("code"))),
        ("code=%7F&state=S&iss=I", Err(Malformed("code"))),
        ("code=%C3%A9&state=S&iss=I", Err(Malformed("code"))),
        ("error=%1B[31m&state=S&iss=I", Err(Malformed("error"))),
        ("error=a%22b&state=S&iss=I", Err(Malformed("error"))),
        ("error=a%5Cb&state=S&iss=I", Err(Malformed("error"))),
        ("response=eyJ&state=S&iss=I", Err(Mode)),
        ("access_token=T&state=S&iss=I", Err(Mode)),
        ("code=C&id_token=T&state=S&iss=I", Err(Mode)),
    ];
    for (query, expected) in rows {
        let fill = |state: &str| query.replace("=S", &format!("={state}")).replace("=I", "=https%3A%2F%2Fas.example");
        let (ours, accepted) = accept(fill);
        let code = accepted.map(|body| values(&body, "code")[0].to_owned());
        assert_eq!(code, expected.clone().map(str::to_owned), "{query}");
        assert!(ours, "{query}");
    }
}

#[test]
fn a_refused_login_keeps_the_words_of_the_server() {
    for code in [
        "access_denied",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
        "interaction_required",
        "x-own",
    ] {
        let Err(CallbackError::Server(error)) =
            accept(|s| format!("error={code}&error_description=no+way&state={s}{I}")).1
        else {
            panic!("{code} is a refusal")
        };
        assert_eq!((error.code(), error.description()), (code, Some("no way")));
    }
    let advice = |code: &str| accept(|s| format!("error={code}&state={s}{I}")).1.map_err(|error| error.advice());
    assert_eq!(advice("access_denied"), Err(Advice::Reauthorize));
    assert_eq!(advice("temporarily_unavailable"), Err(Advice::Retry { after: None }));
    assert_eq!(advice("invalid_scope"), Err(Advice::Fix));
}

#[test]
fn a_description_is_cut_and_cleaned() {
    let hostile = format!("%1B]8;;https://evil%07%0D%0A%E2%80%AE{}", "x".repeat(10_000));
    let Err(error) = accept(|s| format!("error=e&error_description={hostile}&error_uri=javascript:1&state={s}{I}")).1
    else {
        panic!("a refusal is no success")
    };
    let shown = error.to_string();
    assert!(shown.len() <= 300 && shown.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{shown}");
    assert!(shown.contains(": ?]8;;https://evil?x"), "one mark for a run of what is not printable: {shown}");
}

#[test]
fn the_issuer_of_a_callback_must_match_byte_for_byte() {
    let plain = server();
    let unpromised = Server::new("https://as.example/authorize", "https://as.example/token").with_issuer(ISSUER);
    let unknown = Server::new("https://as.example/authorize", "https://as.example/token");
    let verdict = |server, iss: &str| {
        let client = Client::new("client", REDIRECT_URI, server).expect("a client");
        accept_at(client, |state| format!("code=C&state={state}{iss}"), as_query).1.map(drop)
    };
    for iss in ["&iss=https%3A%2F%2Fas.example", "&iss=https://as.example"] {
        assert_eq!(verdict(plain, iss), Ok(()), "{iss}");
        assert_eq!(verdict(unpromised, iss), Ok(()), "{iss}");
    }
    for missing in ["", "&iss=", "&iss"] {
        assert!(matches!(verdict(plain, missing), Err(Issuer { .. })), "{missing}");
        assert_eq!(verdict(unpromised, missing), Ok(()), "{missing}");
        assert_eq!(verdict(unknown, missing), Ok(()), "{missing}");
    }
    for other in [
        "https://as.example/",
        "HTTPS://as.example",
        "https://AS.example",
        "https://as.example:443",
        "https://%2561s.example",
        "https://as.example%20",
        "https://as.example/t1",
        "https://evil.example",
        "%zz",
    ] {
        let iss = format!("&iss={other}");
        assert!(matches!(verdict(plain, &iss), Err(Issuer { .. })), "{other}");
        assert!(matches!(verdict(unpromised, &iss), Err(Issuer { .. })), "{other}");
    }
    // C071: a refusal from elsewhere is not shown.
    let (_, foreign) = accept(|s| format!("error=x&error_description=CANARY&state={s}&iss=https://evil.example/%1b"));
    let both = Issuer { expected: ISSUER.into(), found: "https://evil.example/?".into() };
    assert_eq!(foreign.map(drop), Err(both.clone()));
    assert!(both.to_string().ends_with("expected `iss` https://as.example, got https://evil.example/?"), "{both}");
}

#[test]
fn a_callback_must_arrive_at_the_redirect_uri() {
    let target = |path: &str| accept_at(client(), |s| format!("{path}?code=C&state={s}{I}"), as_target);
    assert!(matches!(target("/cb"), (true, Ok(_))));
    for path in ["/", "/CB", "/cb/", "//cb", "/./cb", "/x/../cb", "/%63b", "/cb;x", "/cb%00", "/callback", ""] {
        assert!(matches!(target(path), (false, Err(Target { .. }))), "{path}");
    }
    let url = |base: &str| accept_at(client(), |s| format!("{base}?code=C&state={s}{I}"), as_url);
    assert!(matches!(url(REDIRECT_URI), (true, Ok(_))));
    for base in [
        "https://127.0.0.1:49152/cb",
        "http://localhost:49152/cb",
        "http://127.1:49152/cb",
        "http://0x7f000001:49152/cb",
        "http://2130706433:49152/cb",
        "http://[::ffff:127.0.0.1]:49152/cb",
        "http://127.0.0.1:49153/cb",
        "http://127.0.0.1:491520/cb",
        "http://user@127.0.0.1:49152/cb",
        "http://127.0.0.1.evil:49152/cb",
        "http:\\\\127.0.0.1:49152\\cb",
        "http://127.0.0.1:49152/c\tb",
        "http://１２７.0.0.1:49152/cb",
        "/cb",
        "cb",
    ] {
        assert!(matches!(url(base), (false, Err(Target { .. }))), "{base}");
    }
    for (registered, shown, ours) in [
        ("https://app.example:443/cb", "https://app.example/cb", true),
        ("https://app.example:443/cb", "https://app.example:443/cb", true),
        ("https://app.example/cb", "https://app.example:443/cb", false),
        ("https://app.example:80/cb", "https://app.example/cb", false),
        ("https://app.example:8443/cb", "https://app.example/cb", false),
        ("https://app.example:443/cb", "https://app.example:44/cb", false),
    ] {
        let client = client().with_redirect_uri(registered).expect("a client");
        let (matches, accepted) = accept_at(client, |s| format!("{shown}?code=C&state={s}{I}"), as_url);
        assert_eq!((matches, accepted.is_ok()), (ours, ours), "{shown} for {registered}");
    }
    let app = client().with_redirect_uri("com.example.app:/cb").expect("a client");
    for (shown, ours) in
        [("com.example.app:/cb", true), ("com.example.app://cb", false), ("com.example.other:/cb", false)]
    {
        let (matches, accepted) = accept_at(app, |s| format!("{shown}?code=C&state={s}{I}"), as_url);
        assert_eq!((matches, accepted.is_ok()), (ours, ours), "{shown}");
    }
    let spaced = accept_at(client(), |s| format!("{REDIRECT_URI}?code=C\t&state={s}{I}"), as_url);
    assert!(matches!(spaced, (false, Err(Target { .. }))));
    // A49: what is pasted must be the whole URL.
    for pasted in ["EVIL_CODE", "code#state"] {
        assert!(matches!(accept_at(client(), |_| pasted.to_owned(), as_url), (false, Err(Target { .. }))));
    }
}

#[test]
fn a_callback_elsewhere_is_reported_without_its_secrets() {
    let told = |text: &'static str, redirect: for<'r> fn(&'r str) -> Redirect<'r>| {
        accept_at(client(), |_| text.to_owned(), redirect).1.expect_err(text).to_string()
    };
    for (pasted, found) in [
        ("http://localhost:1/x?code=CANARY&state=CANARY#CANARY", "got http://localhost:1/x"),
        ("https://app.example/cb#code=CANARY", "got https://app.example/cb"),
        ("https://user:CANARY@app.example/cb", "got something that is not a URL"),
        ("CANARY", "got something that is not a URL"),
        ("javascript:CANARY", "got something that is not a URL"),
        ("http://127.0.0.1:49152/cbCANAR\u{1b}", "got http://127.0.0.1:49152/cbCANAR?"),
    ] {
        let said = told(pasted, as_url);
        assert!(said.contains("expected http://127.0.0.1:49152/cb, ") && said.ends_with(found), "{said}");
        assert!(!said.contains("CANARY"), "{said}");
    }
    let said = told("/other?code=CANARY", as_target);
    assert!(said.ends_with("expected /cb, got /other"), "{said}");
    let tenant = client().with_redirect_uri("https://app.example/cb?tenant=1").expect("a client");
    for (text, redirect) in
        [("https://app.example/cb?x", as_url as for<'r> fn(&'r str) -> Redirect<'r>), ("code=C", as_query)]
    {
        let said = accept_at(tenant, |_| text.to_owned(), redirect).1.expect_err(text).to_string();
        assert_eq!(said, "the redirect to https://app.example/cb lacks the parameters of the registered redirect URI");
    }
}

#[test]
fn the_query_of_the_redirect_uri_comes_back() {
    let client = Client::new("c", "https://app.example/cb?tenant=1", server()).expect("a client");
    let verdict = |query: &str| {
        let url = format!("https://app.example/cb?{query}");
        accept_at(client, |s| url.replace("state=S", &format!("state={s}")), as_url).1.map(drop)
    };
    assert_eq!(verdict("tenant=1&code=C&state=S&iss=https://as.example"), Ok(()));
    assert_eq!(verdict("code=C&state=S&tenant=1&iss=https://as.example"), Ok(()));
    for query in [
        "",
        "tenant=2&",
        "tenant=1&tenant=1&",
        "tenant=1&tenant=2&",
        "tenant=1&t%65nant=2&",
        "tenant=%31&",
        "tenants=1&",
    ] {
        assert!(
            matches!(verdict(&format!("{query}code=C&state=S&iss=https://as.example")), Err(Target { .. })),
            "{query}"
        );
    }
}

#[test]
fn only_a_harmless_fragment_is_accepted() {
    let verdict =
        |tail: &str| accept_at(client(), |s| format!("{REDIRECT_URI}?code=C&state={s}{I}{tail}"), as_url).1.map(drop);
    for harmless in ["", "#", "#_", "#_=_"] {
        assert_eq!(verdict(harmless), Ok(()), "{harmless}");
    }
    assert_eq!(verdict("#access_token=T"), Err(Mode));
    assert_eq!(verdict("#x=1&c%6Fde=C"), Err(Mode));
    let only_fragment = accept_at(client(), |s| format!("{REDIRECT_URI}#code=C&state={s}{I}"), as_url);
    assert_eq!(only_fragment, (false, Err(State)));
}

#[test]
fn a_login_is_finished_by_the_client_that_began_it() {
    let begun_with = client();
    let others = [
        Client::new("other", REDIRECT_URI, server()),
        Client::new("client", "http://127.0.0.1:49153/cb", server()),
        Client::new("client", REDIRECT_URI, Server::new("https://evil.example/authorize", "https://as.example/token")),
        Client::new("client", REDIRECT_URI, server().with_issuer("https://as.example/2")),
        Client::new("client", REDIRECT_URI, server().with(Endpoint::Token, "https://as.example/2")),
        Client::new(
            "client",
            REDIRECT_URI,
            Server::new("https://as.example/authorize", "https://as.example/token").with_issuer(ISSUER),
        ),
    ];
    for other in others {
        let pending = begin(begun_with);
        let query = good_query(&pending);
        let other = other.expect("a client");
        assert_eq!(pending.accept(other, Redirect::Query(&query)).map(drop), Err(CallbackError::Client), "{other:?}");
    }
}

#[test]
fn an_endpoint_that_is_newly_published_ends_no_login() {
    let pending = begin(client());
    let query = good_query(&pending);
    let server = server().with(Endpoint::Revocation, "https://as.example/revoke");
    let now = Client::new("client", REDIRECT_URI, server).expect("a client");
    assert!(pending.accept(now, Redirect::Query(&query)).is_ok());
}

#[test]
fn two_tenants_have_two_redirect_uris() {
    let tenant = |n: u8| {
        Client::new("c", if n == 1 { "https://app.example/cb/1" } else { "https://app.example/cb/2" }, server())
    };
    let (one, two) = (tenant(1).expect("a client"), tenant(2).expect("a client"));
    let pending = begin(one);
    let state = pending.state().expose().to_owned();
    let seen = format!("https://app.example/cb/2?code=C&state={state}&iss=https://as.example");
    assert!(!pending.matches(one, as_url(&seen)), "the other tenant's page");
    assert_eq!(pending.accept(two, as_url(&seen)).map(drop), Err(CallbackError::Client), "the other tenant's client");
}

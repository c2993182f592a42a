//! The URL that the browser is sent to (RFC 6749 sections 3.1, 3.3 and 4.1.1).

use proofkey_core::{AuthorizeError, Client, ConfigError, ParameterFault, RefreshToken, Server};
use proofkey_core_tests::{Counter, REDIRECT_URI, client, server, values};

#[test]
fn the_authorization_url_byte_for_byte() {
    let client = Client::new("native-abc", "http://127.0.0.1:49152/callback", Server::ITWIN).expect("a client");
    let (url, pending) =
        client.authorize(&["itwin-platform", "offline_access"], &mut Counter::default()).expect("a login begins");
    let written = url.to_string();
    let expected = format!(
        "https://ims.bentley.com/connect/authorize?response_type=code&client_id=native-abc\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcallback&scope=itwin-platform+offline_access\
         &state={}&code_challenge={}&code_challenge_method=S256",
        pending.state().expose(),
        values(&written, "code_challenge")[0],
    );
    assert_eq!(written, expected);
    assert_eq!(url.len(), written.len());
}

#[test]
fn the_query_of_the_authorization_endpoint_is_kept() {
    for (endpoint, start) in [
        ("https://as.example/a?t=x%20y", "https://as.example/a?t=x%20y&response_type=code&"),
        ("https://as.example/a", "https://as.example/a?response_type=code&"),
        ("https://as.example/a?", "https://as.example/a?response_type=code&"),
        ("https://as.example/a?t=1&", "https://as.example/a?t=1&response_type=code&"),
        ("https://as.example/a?t=1?", "https://as.example/a?t=1?&response_type=code&"),
    ] {
        let client = Client::new("c", REDIRECT_URI, Server::new(endpoint, "https://as.example/t")).expect(endpoint);
        let (url, _) = client.authorize(&[], &mut Counter::default()).expect("a login begins");
        assert!(url.to_string().starts_with(start), "{url}");
    }
}

#[test]
fn no_parameter_is_sent_twice_or_overridden() {
    let (url, _) = client().authorize(&["a"], &mut Counter::default()).expect("a login begins");
    for name in [
        "state",
        "scope",
        "client_id",
        "code_challenge",
        "redirect_uri",
        "response_mode",
        "request",
        "access_token",
        "",
    ] {
        let error = url.with(&[("x", "1"), (name, "1")]).map(|_| ()).expect_err(name);
        let ConfigError::ExtraParameter { index: 1, fault } = error else { panic!("{name}: {error}") };
        match fault {
            ParameterFault::Protocol(own) => assert_eq!(own, name),
            fault => assert_eq!((name, fault), ("", ParameterFault::Empty)),
        }
        assert!(name.is_empty() || error.to_string().starts_with(&format!("extra parameter `{name}`: ")), "{error}");
    }
    let refused = |index, fault| Err(ConfigError::ExtraParameter { index, fault });
    let twice = url.with(&[("prompt", "a"), ("prompt", "b")]).map(|_| ());
    assert_eq!(twice, refused(1, ParameterFault::Repeated));
    let once = url.with(&[]).and_then(|url| url.with(&[("acr_values", "a")])).expect("one list");
    assert_eq!(once.with(&[("prompt", "b")]).map(|_| ()), Err(ConfigError::ExtraParametersTwice));
    let refresh =
        client().refresh(RefreshToken::new("R").expect("a token")).with(&[("audience", "a")]).expect("one list");
    assert_eq!(refresh.with(&[("audience", "b")]).map(drop), Err(ConfigError::ExtraParametersTwice));
    let tenant = Server::new("https://as.example/a?t%65nant=1", "https://as.example/t");
    let tenant = Client::new("c", REDIRECT_URI, tenant).expect("a client");
    let (tenant, _) = tenant.authorize(&[], &mut Counter::default()).expect("a login begins");
    assert_eq!(tenant.with(&[("tenant", "2")]).map(|_| ()), refused(0, ParameterFault::InEndpoint));

    let resources =
        [("resource", "https://api.example/1"), ("resource", "https://api.example/2"), ("prompt", "consent")];
    let written = url.with(&resources).expect("two resources").to_string();
    assert!(
        written
            .ends_with("&resource=https%3A%2F%2Fapi.example%2F1&resource=https%3A%2F%2Fapi.example%2F2&prompt=consent")
    );
    for name in
        ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"]
    {
        let expected = if name == "response_type" { 0 } else { 1 };
        assert_eq!(values(&written, name).len(), expected, "{name}");
    }
}

#[test]
fn an_extra_parameter_without_a_value_is_refused() {
    let (url, _) = client().authorize(&[], &mut Counter::default()).expect("a login begins");
    let fault = ParameterFault::Empty;
    assert_eq!(url.with(&[("prompt", "")]).map(|_| ()), Err(ConfigError::ExtraParameter { index: 0, fault }));
}

#[test]
fn scope_words_are_checked_and_joined_by_a_space() {
    let authorize = |scope: &[&str]| {
        let begun = client().authorize(scope, &mut Counter::default());
        begun.map(|(url, _)| values(&url.to_string(), "scope").first().map(|scope| (*scope).to_owned()))
    };
    assert_eq!(authorize(&["a", "b:c"]), Ok(Some("a+b%3Ac".to_owned())));
    assert_eq!(authorize(&[]), Ok(None));
    for bad in ["a b", "", "a\"b", "a\\b", "é", "a\tb"] {
        assert_eq!(authorize(&["ok", bad]), Err(AuthorizeError::Config(ConfigError::Scope(1))), "{bad:?}");
    }
}

#[test]
fn state_is_always_sent() {
    for server in [server(), Server::ITWIN, Server::new("https://a.example/a?x=1", "https://a.example/t")] {
        let client = Client::new("c", REDIRECT_URI, server).expect("a client");
        let (url, pending) = client.authorize(&[], &mut Counter::default()).expect("a login begins");
        assert_eq!(values(&url.to_string(), "state"), [pending.state().expose()]);
    }
}

//! Signing out at the server, and the way back.

use proofkey_core::{
    AuthorizeError, CallbackError, Client, ConfigError, EndSessionUrl, Endpoint, IdToken, IdTokenError, Redirect,
    UriFault,
};
use proofkey_core_tests::{Counter, client, server};

#[test]
fn the_end_session_url_byte_for_byte() {
    for (endpoint, start) in [
        ("https://as.example/logout", "https://as.example/logout?"),
        ("https://as.example/logout?", "https://as.example/logout?"),
        ("https://as.example/logout?t=1", "https://as.example/logout?t=1&"),
    ] {
        let (url, ending) = url(endpoint)
            .with_ui_locales(&["de-CH", "en"])
            .returning_to("https://app.example/bye?x=1", &mut Counter::default())
            .expect("a URI to come back to");
        let state = ending.state().expose();
        assert_eq!(state.len(), 43);
        let rest = format!(
            "id_token_hint=a.b.c&client_id=client&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye%3Fx%3D1&\
             state={state}&ui_locales=de-CH+en"
        );
        assert_eq!(url.to_string(), format!("{start}{rest}"));
    }
    let alone = url("https://as.example/logout");
    assert_eq!(alone.to_string(), "https://as.example/logout?id_token_hint=a.b.c&client_id=client");
    assert!(!format!("{alone:?}").contains("a.b.c"));
}

#[test]
fn nothing_is_ended_without_an_endpoint_a_token_or_a_good_uri() {
    let id_token = IdToken::new("a.b.c").expect("a token");
    let absent = ConfigError::Endpoint(Endpoint::EndSession, UriFault::Absent);
    assert_eq!(client().end_session(id_token).map(drop), Err(absent));
    for bad in ["", "a\nb", "é"] {
        assert_eq!(IdToken::new(bad).map(drop), Err(IdTokenError::Format), "{bad}");
    }
    for (uri, fault) in [
        ("http://app.example/", UriFault::Scheme),
        ("/bye", UriFault::NotAbsolute),
        ("https://a/#x", UriFault::Fragment),
    ] {
        let error = url("https://as.example/logout").returning_to(uri, &mut Counter::default()).map(drop);
        assert_eq!(error, Err(AuthorizeError::Config(ConfigError::RedirectUri(fault))), "{uri}");
    }
}

#[test]
fn only_the_sign_out_that_was_begun_comes_back() {
    const BACK: &str = "https://app.example/bye?x=1";
    let end = |back: &str| {
        let (_, ending) =
            url("https://as.example/logout").returning_to(BACK, &mut Counter::default()).expect("a good URI");
        let back = back.replace("{state}", ending.state().expose());
        ending.accept(BACK, Redirect::Url(&back))
    };
    for good in ["https://app.example/bye?x=1&state={state}", "https://app.example/bye?state={state}&x=1#_"] {
        assert_eq!(end(good), Ok(()), "{good}");
    }
    for stranger in ["x=1", "x=1&state=", "x=1&state=a{state}", "x=1&state={state}&state={state}", "x=1&State={state}"]
    {
        let error = end(&format!("https://app.example/bye?{stranger}"));
        assert_eq!(error, Err(CallbackError::State), "{stranger}");
    }
    for elsewhere in [
        "https://app.example/by?x=1&state={state}",
        "https://app.example/bye?state={state}",
        "http://app.example/bye?x=1&state={state}",
    ] {
        assert!(matches!(end(elsewhere), Err(CallbackError::Target { .. })), "{elsewhere}");
    }
}

fn url(endpoint: &str) -> EndSessionUrl<'_> {
    let client = Client::new("client", "http://127.0.0.1/cb", server().with(Endpoint::EndSession, endpoint));
    client.expect("a client").end_session(IdToken::new("a.b.c").expect("a token")).expect("an endpoint")
}

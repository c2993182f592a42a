//! What a client is made of: its id, its redirect URI, its issuer and its endpoints (RFC 6749 sections 2.2 and 3, RFC 8252
//! section 7).

use proofkey_core::{
    AuthorizeError, Client, ClientBuf, ConfigError, Endpoint, Feature, RefreshToken, Request, Response, Revocable,
    Server, UriFault,
};
use proofkey_core_tests::{Counter, REDIRECT_URI, accept_at, as_query, server, values};

#[test]
fn a_client_id_is_printable_and_opaque() {
    for bad in ["", "é", "a\nb", "a\u{7f}"] {
        assert_eq!(Client::new(bad, REDIRECT_URI, server()).map(|_| ()), Err(ConfigError::ClientId), "{bad:?}");
    }
    let client = Client::new("aaa/;& +%", REDIRECT_URI, server()).expect("a client");
    let (_, body) = accept_at(client, |state| format!("code=C&state={state}&iss=https://as.example"), as_query);
    assert_eq!(values(&body.expect("a body"), "client_id"), ["aaa%2F%3B%26+%2B%25"]);
}

#[test]
fn a_client_without_a_redirect_uri_needs_no_authorization_endpoint_and_cannot_use_one() {
    let device = Server::device("https://as.example/device", "https://as.example/token");
    let absent = ConfigError::Endpoint(Endpoint::Authorization, UriFault::Absent);
    assert_eq!(Client::new("c", REDIRECT_URI, device).map(drop), Err(absent));
    for server in [device, server()] {
        let client = Client::without_redirect("c", server).expect("a client");
        let refused = client.authorize(&[], &mut Counter::default()).map(drop);
        assert_eq!(refused, Err(AuthorizeError::Config(ConfigError::RedirectUri(UriFault::Absent))));
    }
    let bad = Server::device("https://as.example/device", "http://as.example/token");
    let fault = ConfigError::Endpoint(Endpoint::Token, UriFault::Scheme);
    assert_eq!(Client::without_redirect("c", bad).map(drop), Err(fault));
}

/// How a request identifies its client: the header `Authorization`, and the values of both fields of the body.
fn identity(request: Request<'_>) -> (Option<String>, String) {
    let mut header = request.headers().filter(|header| header.name() == "authorization");
    let (value, other) = (header.next(), header.next());
    assert!(other.is_none() && value.is_none_or(|value| value.is_sensitive() && value.fixed().is_none()));
    let body = request.body();
    let fields = [values(&body, "client_id"), values(&body, "client_secret")].concat().join(" ");
    (value.map(|value| value.value()), fields)
}

#[test]
fn where_a_server_wants_it_an_embedded_secret_is_in_the_header_of_every_request_and_nowhere_else() {
    let more = server()
        .with(Endpoint::Revocation, "https://as.example/revoke")
        .with(Endpoint::DeviceAuthorization, "https://as.example/device")
        .with(Endpoint::PushedAuthorization, "https://as.example/par");
    let begin = |server| Client::new("a b:c", REDIRECT_URI, server);
    let (id, secret) = ("a b:c", "x+y/z%");
    let told = begin(more.with_feature(Feature::SecretInHeader)).and_then(|client| client.with_embedded_secret(secret));
    let asked = begin(more).and_then(|client| client.with_embedded_secret_in_header(secret));
    for client in [told, asked] {
        let client = client.and_then(|client| client.with_redirect_uri("http://127.0.0.1:1/cb")).expect("a client");
        let client = ClientBuf::from(client);
        let client = client.as_client();
        assert_eq!((client.id(), client.embedded_secret()), (id, Some(secret)));
        // Both parts are encoded as in a form (RFC 6749 section 2.3.1): `a+b%3Ac:x%2By%2Fz%25`.
        let header = Some("Basic YStiJTNBYzp4JTJCeSUyRnolMjU=".to_owned());
        let expected = (header.clone(), String::new());
        let token = RefreshToken::new("RT").expect("a token");
        assert_eq!(identity(client.refresh(token).request()), expected);
        let revocation = client.revoke(Revocable::Refresh(token)).expect("an endpoint");
        assert_eq!(identity(revocation.request()), expected);
        let device = client.device(&["s"]).expect("an endpoint");
        assert_eq!(identity(device.request()), expected);
        let mut prompt =
            *br#"{"device_code":"D","user_code":"U","verification_uri":"https://as.example/go","expires_in":9}"#;
        let (_, poll) = device.read(Response::new(200, &mut prompt), 0).expect("a prompt");
        assert_eq!(identity(poll.request()), expected);
        let mut head = String::new();
        poll.request().write_head(&mut head).expect("a String takes all");
        assert!(head.contains("\r\nauthorization: Basic YStiJTNBYzp4JTJCeSUyRnolMjU=\r\n"), "{head}");
        // A pushed login is that of a client (RFC 9126 section 2.1).
        let (push, _) = client.push(&[], &mut Counter::default()).expect("a login");
        assert_eq!(identity(push.request()), (header, "a+b%3Ac".to_owned()));
        let (_, body) = accept_at(client, |state| format!("code=C&state={state}&iss=https://as.example"), as_query);
        let body = body.expect("a body");
        assert_eq!((values(&body, "client_id").len(), values(&body, "client_secret").len()), (0, 0), "{body}");
        let (url, _) = client.authorize(&[], &mut Counter::default()).expect("a login");
        assert!(!url.to_string().contains("x%2By"));
        let refresh = client.refresh(token);
        for shown in [
            format!("{client:?}"),
            format!("{refresh:?}"),
            format!("{revocation:?}"),
            format!("{device:?}"),
            format!("{poll:?}"),
        ] {
            assert!(shown.contains(id) && !shown.contains("x+y"), "{shown}");
        }
    }
}

#[test]
fn an_embedded_secret_is_in_the_body_of_every_request_and_nowhere_else() {
    let revoking = server().with(Endpoint::Revocation, "https://as.example/revoke");
    let client = Client::new("c", REDIRECT_URI, revoking).and_then(|client| client.with_embedded_secret("a b&c"));
    let client = client.and_then(|client| client.with_redirect_uri("http://127.0.0.1:1/cb")).expect("a client");
    let client = ClientBuf::from(client);
    let client = client.as_client();
    let (_, body) = accept_at(client, |state| format!("code=C&state={state}&iss=https://as.example"), as_query);
    assert_eq!(values(&body.expect("a body"), "client_secret"), ["a+b%26c"]);
    let token = RefreshToken::new("RT").expect("a token");
    assert_eq!(values(&client.refresh(token).request().body(), "client_secret"), ["a+b%26c"]);
    let revocation = client.revoke(Revocable::Refresh(token)).expect("an endpoint");
    assert_eq!(values(&revocation.request().body(), "client_secret"), ["a+b%26c"]);
    let (url, _) = client.authorize(&[], &mut Counter::default()).expect("a login");
    assert!(!url.to_string().contains("secret"));
    assert!(!format!("{client:?} {:?}", client.refresh(token)).contains("a b"));
    for bad in ["", "a\n", "é"] {
        assert_eq!(client.with_embedded_secret_in_header(bad).map(drop), Err(ConfigError::EmbeddedSecret), "{bad:?}");
        assert_eq!(client.with_embedded_secret(bad).map(drop), Err(ConfigError::EmbeddedSecret), "{bad:?}");
    }
}

#[test]
fn endpoints_are_https_without_a_fragment() {
    use UriFault::{Absent, Character, Fragment, Host, NotAbsolute, Parameter, Scheme};
    for (endpoint, fault) in [
        ("", Absent),
        ("https://as.example/a#f", Fragment),
        ("http://as.example/a", Scheme),
        ("http://127.0.0.1.evil.example/a", Scheme),
        ("javascript:alert(1)", Scheme),
        ("file:///etc/passwd", Scheme),
        ("data:text/html,x", Scheme),
        ("HTTPS://as.example/a", Scheme),
        ("//as.example/a", NotAbsolute),
        ("as.example/a", NotAbsolute),
        ("https://user@as.example/a", Host),
        ("https://as.example:x/a", Host),
        ("https:///a", Host),
        ("https:a", Host),
        ("https://as.example/a b", Character),
        ("https://as.example/a\r\nX: y", Character),
        ("https://as.example/a%", Character),
        ("https://as.example\\a", Character),
        ("https://as.example/a?state=1", Parameter),
        ("https://as.example/a?client%5Fid=1", Parameter),
    ] {
        let one = Client::new("c", REDIRECT_URI, Server::new(endpoint, "https://as.example/t")).map(|_| ());
        assert_eq!(one, Err(ConfigError::Endpoint(Endpoint::Authorization, fault)), "{endpoint}");
        let two = Client::new("c", REDIRECT_URI, Server::new("https://as.example/a", endpoint)).map(|_| ());
        assert_eq!(two, Err(ConfigError::Endpoint(Endpoint::Token, fault)), "{endpoint}");
        let three = Client::new("c", REDIRECT_URI, server().with(Endpoint::Revocation, endpoint)).map(|_| ());
        assert_eq!(three, Err(ConfigError::Endpoint(Endpoint::Revocation, fault)), "{endpoint}");
    }
    for bad in ["[0:1.23.23]", "[0::0::0]", "256.0.0.1", "0x.0x.0", "%43%7C", "a%C2%ADb", "xn--", "a,b", "1"] {
        let url = format!("https://{bad}/a");
        let server = Server::new("https://a/a", &url);
        let refused = Client::new("c", REDIRECT_URI, server).map(drop);
        assert_eq!(refused, Err(ConfigError::Endpoint(Endpoint::Token, Host)), "{url}");
    }
    for good in ["http://127.0.0.1:9400/a", "http://[::1]/a", "http://localhost:8080/a", "https://as.example:443/a?v=2"]
    {
        assert!(Client::new("c", REDIRECT_URI, Server::new(good, good)).is_ok(), "{good}");
    }
}

#[test]
fn the_issuer_of_a_client_has_no_query_and_is_required_if_iss_is_promised() {
    let with = |issuer| {
        Client::new("c", REDIRECT_URI, Server::new("https://a/a", "https://a/t").with_issuer(issuer)).map(|_| ())
    };
    assert_eq!(with("https://as.example?x=1"), Err(ConfigError::Issuer(UriFault::Query)));
    assert_eq!(with("http://as.example"), Err(ConfigError::Issuer(UriFault::Scheme)));
    assert_eq!(with("https://as.example#f"), Err(ConfigError::Issuer(UriFault::Fragment)));
    assert_eq!(with("https://u@as.example"), Err(ConfigError::Issuer(UriFault::Host)));
    assert_eq!(with("https://as.example/tenant"), Ok(()));
    let promised = Server::new("https://a/a", "https://a/t").with_feature(Feature::IssParameter);
    assert_eq!(Client::new("c", REDIRECT_URI, promised).map(|_| ()), Err(ConfigError::Issuer(UriFault::Absent)));
}

#[test]
fn a_redirect_uri_is_https_loopback_or_a_private_scheme_in_one_spelling() {
    use UriFault::{Absent, Character, DotSegment, Fragment, Host, HostSpelling, NotAbsolute, Parameter};
    use UriFault::{Port, RepeatedParameter, Scheme};
    for (redirect_uri, fault) in [
        ("", Absent),
        ("/cb", NotAbsolute),
        ("http://127.0.0.1/cb#f", Fragment),
        ("http://host.example/cb", Scheme),
        ("http://192.168.0.1/cb", Scheme),
        ("http://0.0.0.0/cb", Scheme),
        ("http://127.1/cb", Host),
        ("http://localhost.:8080/cb", Scheme),
        ("http://app.localhost:8080/cb", Scheme),
        ("http://LOCALHOST:8080/cb", HostSpelling),
        ("http:/cb", Host),
        ("https://", Host),
        ("myapp:/cb", Scheme),
        ("com.example.app://host/cb", Scheme),
        ("com.example.app:cb", Scheme),
        ("javascript:alert(1)", Scheme),
        ("https://app.example/cb?state=1", Parameter),
        ("https://app.example/cb?c%6Fde=1", Parameter),
        ("https://app.example/c b", Character),
        ("https://app.example/cb?a='", Character),
        ("https://App.example/cb", HostSpelling),
        ("https://[2001:DB8::1]/cb", HostSpelling),
        ("http://[0:0:0:0:0:0:0:1]:7/cb", HostSpelling),
        ("Com.example.app:/cb", HostSpelling),
        ("https://app.example/a/../cb", DotSegment),
        ("https://app.example/./cb", DotSegment),
        ("https://app.example/%2E%2e/cb", DotSegment),
        ("com.example.app:/a/../cb", DotSegment),
        ("https://app.example:0443/cb", Port),
        ("http://127.0.0.1:0/cb", Port),
        ("http://[::1]:007/cb", Port),
        ("https://app.example/cb?t=1&t=2", RepeatedParameter),
        ("https://app.example/cb?t=1&x&%74=1", RepeatedParameter),
        ("https://[0:1.23.23]/cb", Host),
        ("https://[0::0::0]/cb", Host),
        ("https://256.0.0.1/cb", Host),
        ("https://0x.0x.0/cb", Host),
        ("https://%43%7C/cb", Host),
        ("https://a%C2%ADb/cb", Host),
        ("https://xn--/cb", Host),
        ("https://app..example/cb", Host),
    ] {
        let refused = Client::new("c", redirect_uri, server()).map(|_| ());
        assert_eq!(refused, Err(ConfigError::RedirectUri(fault)), "{redirect_uri}");
    }
    for good in [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.8.9.10:1/cb",
        "http://[::1]:61023/oauth2redirect/example-provider",
        "http://localhost/cb",
        "http://localhost:3000/signin-callback",
        "https://app.example",
        "https://app.example/cb?tenant=1",
        "https://app.example/cb?tenant=1&user=1&a=%27",
        "https://app.example:443/.well-known/cb",
        "https://xn--bcher-kva.example./cb",
        "https://[2001:db8:0:1::]:8443/cb",
        "com.example.app:/cb",
    ] {
        assert!(Client::new("c", good, server()).is_ok(), "{good}");
    }
}

//! The core allocates nothing, whatever it is given.

use proofkey_benches::counter::{Count, Counting, count};
use proofkey_benches::fixtures::{ISSUER, REDIRECT_URI, Rng, SCOPE, client, pending, redirect, token_request};
use proofkey_benches::{Name, paths};
use proofkey_core::loopback::{Connection, Loopback, Reply, Verdict};
use proofkey_core::{
    AccessToken, Client, CodeChallenge, ConfigError, Endpoint, Feature, Lifetime, MetadataRequest, Redirect,
    RefreshToken, Refusal, Response, ResponseError, Revocable, Server, TokenRequest, WellKnown, challenges,
};
use std::fmt::{self, Write};
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn the_allocator_counts() {
    let counted = count(|| {
        let mut text = black_box(String::from("four"));
        text.push_str("five!");
        black_box(vec![0_u64; 2]);
    });
    assert_eq!(counted, Count { allocations: 3, bytes: 4 + 9 + 16 });
}

#[test]
fn the_paths_that_are_measured() {
    for mut path in paths::all() {
        for contender in path.contenders.iter_mut().filter(|contender| contender.name == Name::Proofkey) {
            assert_eq!(contender.allocations().allocations, path.target.allocations, "{}", path.name);
        }
    }
}

#[test]
fn configuration() {
    let server = Server::new("https://as.example/authorize?tenant=1", "https://as.example/token");
    let bad = "not a URI";
    for (id, redirect_uri, server) in [
        ("client", "https://app.example/cb", server.with_issuer(ISSUER).with_feature(Feature::IssParameter)),
        ("client", "http://[::1]:7/cb", server),
        ("client", "com.example.app:/cb", server.with(Endpoint::Revocation, "https://as.example/revoke")),
        ("", "https://app.example/cb", server),
        ("client", bad, server),
        ("client", "https://app.example/cb", Server::new(bad, "https://as.example/token")),
        ("client", "https://app.example/cb", server.with_issuer(bad)),
    ] {
        free(|| match Client::new(id, redirect_uri, server) {
            Ok(client) => print(client.with_redirect_uri(REDIRECT_URI).is_ok()),
            Err(error) => display(error),
        });
    }
    for well_known in WellKnown::ALL {
        free(|| MetadataRequest::new(ISSUER, well_known).map(|request| print(request.request().url())).is_ok());
    }
    free(|| MetadataRequest::new(bad, WellKnown::OAuth).map_err(display).is_err());
}

#[test]
fn metadata() {
    for body in [
        r#"{"issuer":"https:\/\/ims.bentley.com","authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t","scopes_supported":["a","b\u0063"],"code_challenge_methods_supported":["plain","S256"],"jwks":{"keys":[]}}"#,
        r#"{"issuer":"https://other.example"}"#,
        r#"{"issuer":1}"#,
        "<html>",
    ] {
        let mut body = body.as_bytes().to_vec();
        let request = MetadataRequest::new(ISSUER, WellKnown::OAuth).expect("a request");
        free(|| match request.read(answer(200, &mut body)) {
            Ok(metadata) => print((metadata.server().issuer(), metadata.scopes(), metadata.pkce_advertised())),
            Err(error) => display(error),
        });
    }
}

#[test]
fn the_way_to_the_browser() {
    let extra = [("prompt", "consent"), ("resource", "https://api.example/ä ö")];
    free(|| {
        let (url, pending) = client().authorize(&SCOPE, &mut Rng::default()).expect("a login begins");
        let url = url.with(&extra).expect("good parameters");
        print(url.len());
        display(url);
        print((url, pending));
    });
    free(|| client().authorize(&["two words"], &mut Rng::default()).map_err(display).is_err());
    free(|| CodeChallenge::s256("short").map_err(display).is_err());
}

#[test]
fn the_way_back() {
    let url = redirect().to_owned();
    let (_, target) = url.split_at("http://127.0.0.1:49152".len());
    let (_, query) = url.split_at(REDIRECT_URI.len() + 1);
    let (state, _) = url.split_once("code=8").expect("a code");
    let changed = [
        url.replace("state=", "state=x"),
        url.replace("iss=", "iss=x"),
        url.replace("code=", "code=%0a"),
        url.replace("code=", "code=1&c%6Fde="),
        url.replace("callback", "other"),
        url.replace("code=", "error=access_denied&error_description=No+%E2%82%AC%0A&error_uri="),
        format!("{url}#code=x"),
        format!("{url}&access_token=x"),
        format!("{url}&error=x"),
        state.to_owned(),
    ];
    let good = [Redirect::Url(&url), Redirect::Target(target), Redirect::Query(query)];
    for redirect in good.into_iter().chain(changed.iter().map(|url| Redirect::Url(url))) {
        let pending = pending();
        free(|| {
            print(pending.matches(client(), redirect));
            match pending.accept(client(), redirect) {
                Ok(token_request) => print(token_request.request().body_len()),
                Err(error) => {
                    print(error.advice());
                    display(error);
                }
            }
        });
    }
}

#[test]
fn the_listener() {
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\nAccept: */*\r\n\r\n",
        redirect().split_at("http://127.0.0.1:49152".len()).1
    );
    let strangers = ["GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}"];
    let pending = pending();
    for head in [&head, strangers[0], strangers[1], strangers[2]] {
        free(|| {
            let mut connection = Connection::new();
            for end in 1..=head.len() {
                match connection.read(&head.as_bytes()[..end], client(), &pending) {
                    Verdict::More => {}
                    Verdict::Callback(redirect) => return print(redirect),
                    Verdict::Refuse(reply) => return display(reply),
                }
            }
        });
    }
    free(|| [Reply::SignedIn, Reply::Refused, Reply::Busy].map(|reply| print((display(reply), reply.len()))));
    free(|| {
        let loopback = Loopback::of("http://127.0.0.1/callback?a=b").expect("a loopback address");
        loopback.addresses().for_each(|ip| display(loopback.at((ip, 49152).into())));
    });
}

#[test]
fn tokens() {
    let nested = format!(r#"{{"access_token":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    for (status, body) in [
        (200, include_str!("../data/small.json")),
        (200, include_str!("../data/medium.json")),
        (200, include_str!("../data/large.json")),
        (400, include_str!("../data/error.json")),
        (200, include_str!("../data/error.json")),
        (
            200,
            r#" {"access\u005ftoken":"\u0061\/\"","token_type":"bearer","expires_in":"36e2","scope":["a","\u0062"]} "#,
        ),
        (200, r#"{"access_token":"a","access_token":"b"}"#),
        (200, r#"{"access_token":"a","token_type":"mac"}"#),
        (200, r#"{"access_token":"a b","token_type":"bearer"}"#),
        (200, nested.as_str()),
        (302, ""),
        (503, "<html>"),
    ] {
        for request in [token_request(), client().refresh(RefreshToken::new("R").expect("a refresh token"))] {
            let mut body = body.as_bytes().to_vec();
            free(|| exchange(request, status, &mut body));
        }
    }
}

fn exchange(request: TokenRequest<'_>, status: u16, body: &mut [u8]) {
    let extra = [("resource", "https://api.example/ ?"), ("audience", "ä")];
    let request = request.with(&extra).expect("good parameters");
    let wire = request.request();
    display(wire.url());
    print((wire.method(), wire.headers().count(), wire.body_len()));
    wire.write_body(&mut Nowhere).expect("nothing fails");
    print(&request);
    match request.read(answer(status, body)) {
        Ok(tokens) => {
            print((tokens, tokens.compare_scope(&SCOPE)));
            tokens.access_token().authorization().write(&mut Nowhere).expect("nothing fails");
        }
        Err(error) => {
            print(error.advice());
            display(error);
        }
    }
}

#[test]
fn revocation() {
    let server = client().server().with(Endpoint::Revocation, "https://as.example/revoke");
    let revoking = Client::new("client", REDIRECT_URI, server).expect("a client");
    let token = AccessToken::new("A").expect("a token");
    for (status, body) in [(200, ""), (400, include_str!("../data/error.json")), (503, "{}")] {
        let mut body = body.as_bytes().to_vec();
        free(|| {
            let request = revoking.revoke(Revocable::Access(token)).expect("an endpoint");
            request.request().write_body(&mut Nowhere).expect("nothing fails");
            request.read(answer(status, &mut body)).map_err(display).is_ok()
        });
    }
    free(|| client().revoke(Revocable::Access(token)).map_err(display).is_err());
}

#[test]
fn using_a_token() {
    let fields = [
        r#"Basic realm="x, y", Negotiate YII=, Bearer error="insufficient_scope", scope="a \"b\"""#,
        r#"Bearer error="invalid_token", error="invalid_token""#,
        "Bearer realm=\"",
    ];
    for field in fields {
        free(|| {
            for challenge in challenges(field) {
                print((challenge, challenge.is_bearer()));
                challenge.param("scope").into_iter().for_each(|scope| scope.words().for_each(display));
            }
            print(Refusal::of(403, [field]));
        });
    }
    free(|| print(AccessToken::new("a b").is_err()));
    free(|| [0, 1200, u64::MAX].map(|now| Lifetime::new(1, Some(3600)).is_due(now)));
    free(|| {
        display(ConfigError::CodeVerifier);
        display(ResponseError::Missing("access_token"));
    });
}

/// Runs what must allocate nothing.
#[track_caller]
fn free<R>(work: impl FnOnce() -> R) {
    assert_eq!(count(|| drop(black_box(work()))), Count::default());
}

fn answer(status: u16, body: &mut [u8]) -> Response<'_> {
    Response::new(status, body)
        .with_header("content-type", "application/json; charset=utf-8")
        .with_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .with_header("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT")
}

fn print(value: impl fmt::Debug) {
    write!(Nowhere, "{value:?}").expect("nothing fails");
}

fn display(value: impl fmt::Display) {
    write!(Nowhere, "{value}").expect("nothing fails");
}

/// Takes what is written to it.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        Ok(())
    }
}

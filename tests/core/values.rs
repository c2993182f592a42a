//! Small values of the core: their length, their debug output, their owned forms.

use proofkey_core::loopback::Reply;
use proofkey_core::{
    AccessToken, CallbackError, ClientBuf, CodeChallenge, CodeVerifier, Endpoint, Redirect, RefreshToken, Response,
    ResponseBuf, Revocable, challenges,
};
use proofkey_core_tests::{Counter, ISSUER, REDIRECT_URI, accept, begin, client, read, server};
use std::fmt::{self, Write};

#[test]
fn what_is_written_is_as_long_as_it_says() {
    let (url, pending) = client().authorize(&["a", "c"], &mut Counter::default()).unwrap();
    let url = url.with(&[("prompt", "login consent")]).unwrap();
    assert_eq!((url.len(), url.is_empty()), (url.to_string().len(), false));
    let query = proofkey_core_tests::good_query(&pending);
    let request = pending.accept(client(), Redirect::Query(&query)).unwrap();
    assert_eq!(request.request().body_len(), request.request().body().len());
    let authorization = AccessToken::new("at").unwrap().authorization();
    assert_eq!(authorization.value(), "Bearer at");
    assert_eq!((authorization.len(), authorization.is_empty()), ("Bearer at".len(), false));
    for reply in [Reply::SignedIn, Reply::Refused, Reply::NotFound, Reply::Gone, Reply::Busy] {
        assert_eq!((reply.len(), reply.is_empty()), (reply.to_string().len(), false));
    }
}

/// Takes so many bytes.
struct Full(usize);

impl Write for Full {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

#[test]
fn a_buffer_that_is_too_small_is_told() {
    let refused = |name: &str, length: usize, write: &dyn Fn(&mut Full) -> fmt::Result| {
        assert!(length > 0 && write(&mut Full(length)).is_ok(), "{name}");
        assert!((0..length).all(|room| write(&mut Full(room)).is_err()), "{name}");
    };
    let (url, pending) = client().authorize(&["a", "c"], &mut Counter::default()).unwrap();
    let url = url.with(&[("prompt", "é %")]).unwrap();
    refused("authorization URL", url.len(), &|out| write!(out, "{url}"));
    let query = proofkey_core_tests::good_query(&pending);
    let request = pending.accept(client(), Redirect::Query(&query)).unwrap();
    let request = request.request();
    refused("body", request.body_len(), &|out| request.write_body(out));
    refused("URL", request.url().to_string().len(), &|out| write!(out, "{}", request.url()));
    let authorization = AccessToken::new("at").unwrap().authorization();
    refused("Authorization", authorization.len(), &|out| authorization.write(out));
    for reply in [Reply::SignedIn, Reply::MethodNotAllowed] {
        refused("page", reply.len(), &|out| write!(out, "{reply}"));
    }
    let words =
        accept(|state| format!("error=e&error_description=d&state={state}&iss=https://as.example")).1.unwrap_err();
    refused("error", words.to_string().len(), &|out| write!(out, "{words}"));
}

#[test]
fn debug_tells_what_it_is_and_no_secret() {
    let mut body = *b"CANARY";
    let response = Response::new(200, &mut body);
    let owned = ResponseBuf { status: 200, body: b"CANARY".to_vec(), ..Default::default() };
    let revoking = client().server().with(Endpoint::Revocation, "https://as.example/revoke");
    let revoking = proofkey_core::Client::new("client", REDIRECT_URI, revoking).unwrap();
    let revocation = revoking.revoke(Revocable::Refresh(RefreshToken::new("CANARY").unwrap())).unwrap();
    let refresh = client().refresh(RefreshToken::new("CANARY").unwrap());
    let verifier = CodeVerifier::generate(&mut Counter::default()).unwrap();
    let pending = begin(client());
    let query = |state: &str| format!("error=e&error_description=d&state={state}&iss={ISSUER}");
    let Err(CallbackError::Server(words)) = accept(query).1 else { panic!("the server refused") };
    for (name, said) in [
        (r#"ServerError { code: "e", description: Some("d") }"#, format!("{words:?}")),
        ("Response", format!("{response:?}")),
        ("ResponseBuf", format!("{owned:?}")),
        ("Request", format!("{:?}", refresh.request())),
        ("RevocationRequest", format!("{revocation:?}")),
        ("TokenRequest", format!("{refresh:?}")),
        ("Query", format!("{:?}", Redirect::Query("CANARY"))),
        ("Target", format!("{:?}", Redirect::Target("CANARY"))),
        ("Url", format!("{:?}", Redirect::Url("CANARY"))),
        ("AccessToken", format!("{:?}", AccessToken::new("CANARY").unwrap())),
        ("AuthorizationUrl", format!("{:?}", client().authorize(&[], &mut Counter::default()).unwrap().0)),
        ("Client", format!("{:?}", client())),
        ("Pending", format!("{pending:?}")),
        ("RefreshToken", format!("{:?}", RefreshToken::new("CANARY").unwrap())),
        ("Tokens", format!("{:?}", read(r#"{"access_token":"CANARY","token_type":"Bearer"}"#).unwrap())),
        ("https://as.example/token", format!("{:?}", refresh.request().url())),
        ("CodeVerifier", format!("{verifier:?}")),
        ("State", format!("{:?}", pending.state())),
    ] {
        assert!(said.starts_with(name) && !said.contains("CANARY"), "{said}");
        assert!(!said.contains(verifier.expose()) && !said.contains(pending.state().expose()), "{said}");
    }
    let challenge = CodeChallenge::s256(verifier.expose()).unwrap();
    assert!(format!("{challenge:?}").contains(challenge.as_str()), "a challenge is public");
    assert_eq!(format!("{:?}", ClientBuf::from(client())), format!("{:?}", client()));
}

#[test]
fn owned_forms_lend_what_they_hold() {
    let body = r#"{"access_token":"at","token_type":"Bearer","expires_in":7,"refresh_token":"rt","scope":"a b"}"#;
    let owned = read(body).unwrap();
    let tokens = owned.as_tokens();
    assert_eq!(tokens.refresh_token().map(RefreshToken::expose), Some("rt"));
    assert_eq!((tokens.scope().granted(), tokens.expires_in()), (Some("a b"), Some(7)));
    assert_eq!(tokens.access_token().expose(), owned.access_token().expose());
    let owned = ClientBuf::from(client());
    assert_eq!((owned.as_client().id(), owned.as_client().redirect_uri()), (client().id(), REDIRECT_URI));
    assert_eq!(owned.as_client().server().issuer(), server().issuer());
}

#[test]
fn header_fields_are_found_by_their_lower_case_name() {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![field("x-twice", "a"), field("content-type", "b"), field("x-twice", "c")];
    let response = ResponseBuf { headers, ..Default::default() };
    assert_eq!((response.header("content-type"), response.header("x-twice")), (Some("b"), Some("a")));
    assert_eq!(response.headers("x-twice").collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!((response.header("absent"), response.headers("absent").count()), (None, 0));
}

#[test]
fn a_challenge_keeps_its_scheme_as_written() {
    let found: Vec<_> = challenges(r#"bEARER realm="x", Negotiate"#).collect();
    assert_eq!(found.iter().map(|challenge| challenge.scheme()).collect::<Vec<_>>(), ["bEARER", "Negotiate"]);
    assert!(found[0].is_bearer() && !found[1].is_bearer());
}

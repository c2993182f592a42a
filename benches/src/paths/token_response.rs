//! The token response (RFC 6749 sections 5.1 and 5.2), alone and as a part of the whole exchange.

mod by_hand;

use super::{callback, token_body};
use crate::fixtures::{CODE, client, pending, redirect, secrets, token_request};
use crate::peers::{Refused, oauth2_client, openidconnect_client};
use crate::{Contender, Name, Path, Target};
use io_oauth::rfc6749::issue_access_token::{Oauth20AccessTokenErrorParams, Oauth20AccessTokenSuccessParams};
use oauth2::basic::{BasicErrorResponse, BasicTokenResponse};
use oauth2::{AuthorizationCode, CsrfToken, HttpResponse, PkceCodeVerifier, RequestTokenError, http};
use openidconnect::core::CoreTokenResponse;
use proofkey_core::{Redirect, Response, TokensBuf};
use std::borrow::Cow;
use std::cell::Cell;
use std::hint::black_box;

pub(super) fn paths() -> Vec<Path> {
    let floor = |oauth2| Target { oauth2: Some(oauth2), ..Target::default() };
    let jwt = format!(r#"{{"access_token":"{}","token_type":"Bearer","expires_in":3600}}"#, "eyJ0".repeat(4096)).leak();
    vec![
        success("response, small", SMALL, floor(8.0)),
        // How the program is laid out makes a seventh of difference here.
        success("response, medium", MEDIUM, floor(7.0)),
        success("response, large", LARGE, floor(5.0)),
        refusal("response, error", floor(8.0)),
        success("response, 16 KiB JWT", jwt, Target::default()),
        exchange("whole exchange, small", SMALL),
        exchange("whole exchange, large", LARGE),
        sign_in("redirect to owned tokens", MEDIUM),
    ]
}

fn success(name: &'static str, body: &'static str, target: Target) -> Path {
    let input = move || body.as_bytes().to_vec();
    Path {
        name,
        batch: batch(body),
        contenders: vec![
            proofkey(200, body),
            Contender::consuming(Name::Oauth2, move || Exchange::new(200, body), oauth2()),
            Contender::new(Name::IoOauth, input, |body| Oauth20AccessTokenSuccessParams::try_from(&body[..])),
            Contender::consuming(Name::Openidconnect, move || Exchange::new(200, body), openidconnect()),
            Contender::new(Name::SerdeJson, input, |body| black_box(serde_json::from_slice::<Tokens>(body)).is_ok()),
            Contender::new(Name::ByHand, input, |body| black_box(by_hand::tokens(body)).is_some()),
        ],
        target,
        note: READING,
        others: OTHERS,
    }
}

fn refusal(name: &'static str, target: Target) -> Path {
    let input = || ERROR.as_bytes().to_vec();
    Path {
        name,
        batch: batch(ERROR),
        contenders: vec![
            proofkey(400, ERROR),
            Contender::consuming(Name::Oauth2, || Exchange::new(400, ERROR), oauth2()),
            Contender::consuming(Name::Openidconnect, || Exchange::new(400, ERROR), openidconnect()),
            Contender::new(Name::IoOauth, input, |body| Oauth20AccessTokenErrorParams::try_from(&body[..])),
            Contender::new(Name::SerdeJson, input, |body| black_box(serde_json::from_slice::<Error>(body)).is_ok()),
            Contender::new(Name::ByHand, input, |body| black_box(by_hand::error(body)).is_some()),
        ],
        target,
        note: "UTF-8, duplicates, types, content type; what is cut and cleaned for a terminal",
        others: &[
            (Name::Oauth2, "the whole exchange, which it does not do apart; the server's words as they came"),
            (Name::Openidconnect, "the same"),
            (Name::IoOauth, "no content type; the server's words as they came"),
            (Name::SerdeJson, "no content type; the server's words as they came"),
            (Name::ByHand, "no check"),
        ],
    }
}

fn exchange(name: &'static str, body: &'static str) -> Path {
    let mut out = String::with_capacity(1024);
    let prepare = move || (Some(token_request()), body.as_bytes().to_vec());
    let proofkey = Contender::new(Name::Proofkey, prepare, move |(token_request, body)| {
        out.clear();
        let request = token_request.take()?;
        request.request().write_body(&mut out).ok()?;
        black_box(&out);
        Some(black_box(request.read(response(200, body))).is_ok())
    });
    Path {
        name,
        batch: batch(body),
        contenders: vec![
            proofkey,
            Contender::consuming(Name::Oauth2, move || Exchange::new(200, body), oauth2()),
            Contender::consuming(Name::Openidconnect, move || Exchange::new(200, body), openidconnect()),
            Contender::writing(
                Name::ByHand,
                move || body.as_bytes().to_vec(),
                |body, out| {
                    token_body::by_hand(secrets(), out);
                    black_box(&out);
                    black_box(black_box(by_hand::tokens(body)).is_some());
                },
            ),
        ],
        target: Target::default(),
        note: "token body and response, with all checks of both",
        others: &[
            (Name::Oauth2, "makes an HTTP request besides; reads the response with the checks told above"),
            (Name::Openidconnect, "the same"),
            (Name::ByHand, "no check"),
        ],
    }
}

/// All that a service does between the redirect and the tokens that it keeps, but for the socket.
fn sign_in(name: &'static str, body: &'static str) -> Path {
    let proofkey = Contender::new(
        Name::Proofkey,
        move || (Some(pending()), body.as_bytes().to_vec()),
        |(login, body)| {
            let request = login.take()?.accept(client(), Redirect::Url(redirect())).ok()?;
            black_box(request.request().body());
            Some(TokensBuf::from(request.read(response(200, body)).ok()?))
        },
    );
    let client = oauth2_client();
    let oauth2 = Contender::consuming(
        Name::Oauth2,
        move || (CsrfToken::new(secrets().state.clone()), Exchange::new(200, body)),
        move |(state, Exchange { verifier, answer, .. })| {
            let code = callback::oauth2(redirect(), &state)?;
            let answer = Cell::new(Some(answer));
            let send = |_| answer.take().ok_or(Refused);
            client.exchange_code(code).set_pkce_verifier(verifier).request(&send).ok()
        },
    );
    Path {
        name,
        batch: batch(body),
        contenders: vec![proofkey, oauth2],
        target: Target { oauth2: Some(3.0), allocations: 4, ..Target::default() },
        note: "callback, token body and response, with all checks of the three",
        others: &[(Name::Oauth2, "makes an HTTP request besides; the checks told above")],
    }
}

fn proofkey(status: u16, body: &'static str) -> Contender {
    let prepare = move || (Some(token_request()), body.as_bytes().to_vec());
    Contender::new(Name::Proofkey, prepare, move |(token_request, body)| {
        token_request.take().map(|request| black_box(request.read(response(status, body))).is_ok())
    })
}

fn response(status: u16, body: &mut [u8]) -> Response<'_> {
    Response::new(status, body).with_header("content-type", "application/json")
}

fn oauth2() -> impl FnMut(Exchange) -> Oauth2Answer {
    let client = oauth2_client();
    move |Exchange { code, verifier, answer }| {
        let answer = Cell::new(Some(answer));
        let send = |_| answer.take().ok_or(Refused);
        client.exchange_code(code).set_pkce_verifier(verifier).request(&send)
    }
}

fn openidconnect() -> impl FnMut(Exchange) -> OpenidconnectAnswer {
    let client = openidconnect_client();
    move |Exchange { code, verifier, answer }| {
        let answer = Cell::new(Some(answer));
        let send = |_| answer.take().ok_or(Refused);
        client.exchange_code(code).set_pkce_verifier(verifier).request(&send)
    }
}

/// What `oauth2` and `openidconnect` take by value, and the answer of the transport.
struct Exchange {
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
    answer: HttpResponse,
}

impl Exchange {
    fn new(status: u16, body: &str) -> Self {
        let answer = http::Response::builder().status(status).header("content-type", "application/json");
        Self {
            code: AuthorizationCode::new(CODE.to_owned()),
            verifier: PkceCodeVerifier::new(secrets().verifier.clone()),
            answer: answer.body(body.as_bytes().to_vec()).expect("a response"),
        }
    }
}

type Oauth2Answer = Result<BasicTokenResponse, RequestTokenError<Refused, BasicErrorResponse>>;
type OpenidconnectAnswer = Result<CoreTokenResponse, RequestTokenError<Refused, BasicErrorResponse>>;

/// So many that the bodies stay in the cache.
fn batch(body: &str) -> usize {
    (64 * 1024 / body.len()).clamp(4, 64)
}

#[derive(serde::Deserialize)]
#[cfg_attr(not(test), allow(dead_code, reason = "it is only read to compare"))]
struct Tokens<'b> {
    #[serde(borrow)]
    access_token: Cow<'b, str>,
    #[serde(borrow)]
    token_type: Cow<'b, str>,
    expires_in: Option<u32>,
    #[serde(borrow)]
    refresh_token: Option<Text<'b>>,
    #[serde(borrow)]
    scope: Option<Text<'b>>,
}

#[derive(serde::Deserialize)]
#[cfg_attr(not(test), allow(dead_code, reason = "it is only read to compare"))]
struct Error<'b> {
    #[serde(borrow)]
    error: Cow<'b, str>,
    #[serde(borrow)]
    error_description: Option<Text<'b>>,
}

/// In an `Option` a bare `Cow` would not borrow.
#[derive(serde::Deserialize)]
#[cfg_attr(not(test), allow(dead_code, reason = "it is only read to compare"))]
struct Text<'b>(#[serde(borrow)] Cow<'b, str>);

const READING: &str = "UTF-8, duplicates, types, characters, token type, content type";
const OTHERS: &[(Name, &str)] = &[
    (Name::Oauth2, "the whole exchange, which it does not do apart; no characters, any token type"),
    (Name::Openidconnect, "the same"),
    (Name::IoOauth, "no characters, any token type, no content type"),
    (Name::SerdeJson, "no characters, any token type, no content type"),
    (Name::ByHand, "no check"),
];
const ERROR: &str = include_str!("../../data/error.json");
const LARGE: &str = include_str!("../../data/large.json");
const MEDIUM: &str = include_str!("../../data/medium.json");
const SMALL: &str = include_str!("../../data/small.json");

#[cfg(test)]
mod tests {
    use super::*;
    use oauth2::TokenResponse;
    use proofkey_core::ResponseError;

    #[test]
    fn all_read_the_same_tokens() {
        for text in [SMALL, MEDIUM, LARGE] {
            let mut body = text.as_bytes().to_vec();
            let ours = token_request().read(response(200, &mut body)).expect("tokens");
            let expected = by_hand::Tokens {
                access_token: ours.access_token().expose(),
                token_type: "Bearer",
                expires_in: ours.expires_in(),
                refresh_token: ours.refresh_token().map(|token| token.expose()),
                scope: ours.scope().granted(),
            };
            assert_eq!(by_hand::tokens(&mut text.as_bytes().to_vec()).as_ref(), Some(&expected));
            let tokens: Tokens<'_> = serde_json::from_str(text).expect("tokens");
            assert_eq!((&*tokens.access_token, &*tokens.token_type), (expected.access_token, "Bearer"));
            assert_eq!(tokens.refresh_token.as_ref().map(|token| &*token.0), expected.refresh_token);
            assert_eq!(tokens.scope.as_ref().map(|scope| &*scope.0), expected.scope);
            assert_eq!(tokens.expires_in, expected.expires_in);
            assert!(matches!(tokens.access_token, Cow::Borrowed(_)));
            assert!(!matches!(tokens.refresh_token, Some(Text(Cow::Owned(_)))));
            let tokens = Oauth20AccessTokenSuccessParams::try_from(text.as_bytes()).expect("tokens");
            assert_eq!(tokens.scope.as_deref(), expected.scope);
            let tokens = oauth2()(Exchange::new(200, text)).expect("tokens");
            assert_eq!(tokens.access_token().secret(), expected.access_token);
            let tokens = openidconnect()(Exchange::new(200, text)).expect("tokens");
            assert_eq!(tokens.access_token().secret(), expected.access_token);
        }
    }

    #[test]
    fn all_read_the_same_error() {
        let mut body = ERROR.as_bytes().to_vec();
        let Err(ResponseError::Server { error: ours, .. }) = token_request().read(response(400, &mut body)) else {
            panic!("an error is missing");
        };
        assert_eq!(ours.code(), "invalid_grant");
        assert_eq!(
            by_hand::error(&mut ERROR.as_bytes().to_vec()),
            ours.description().map(|text| ("invalid_grant", text))
        );
        let error: Error<'_> = serde_json::from_str(ERROR).expect("an error");
        assert_eq!(
            (&*error.error, error.error_description.map(|text| text.0)),
            (ours.code(), ours.description().map(Cow::Borrowed))
        );
        let error = Oauth20AccessTokenErrorParams::try_from(ERROR.as_bytes()).expect("an error");
        assert_eq!(error.error_description.as_deref(), ours.description());
        let theirs = [oauth2()(Exchange::new(400, ERROR)).err(), openidconnect()(Exchange::new(400, ERROR)).err()];
        for error in theirs {
            let Some(RequestTokenError::ServerResponse(error)) = error else { panic!("an error is missing") };
            assert_eq!(error.error().as_ref(), "invalid_grant");
        }
    }
}

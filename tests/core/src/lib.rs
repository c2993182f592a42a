//! What the tests share: one client, one generator, and short ways to build what a server would send.

use proofkey_core::{
    CallbackError, Client, Feature, Pending, Redirect, RefreshToken, Response, ResponseError, Server, TokenRequest,
    TokensBuf,
};
use std::convert::Infallible;

pub mod heard;

/// The redirect URI of [`client`].
pub const REDIRECT_URI: &str = "http://127.0.0.1:49152/cb";

/// The issuer of [`server`].
pub const ISSUER: &str = "https://as.example";

/// A server that promises `iss`.
pub const fn server() -> Server<'static> {
    Server::new("https://as.example/authorize", "https://as.example/token")
        .with_issuer(ISSUER)
        .with_feature(Feature::IssParameter)
}

/// A client of [`server`].
pub fn client() -> Client<'static> {
    Client::new("client", REDIRECT_URI, server()).expect("a valid client")
}

/// Begins a login of `client`.
pub fn begin(client: Client<'_>) -> Pending {
    client.authorize(&[], &mut Counter::default()).expect("a login begins").1
}

/// The query of a good redirect for `pending`.
pub fn good_query(pending: &Pending) -> String {
    format!("code=C&state={}&iss=https%3A%2F%2Fas.example", pending.state().expose())
}

/// Whether a redirect is ours, and what accepting it gives: the body of the token request.
pub fn accept(query: impl FnOnce(&str) -> String) -> (bool, Result<String, CallbackError>) {
    accept_at(client(), query, as_query)
}

/// The same, for any client and any way to have seen the redirect.
pub fn accept_at(
    client: Client<'_>,
    seen: impl FnOnce(&str) -> String,
    redirect: for<'r> fn(&'r str) -> Redirect<'r>,
) -> (bool, Result<String, CallbackError>) {
    let pending = begin(client);
    let seen = seen(pending.state().expose());
    let ours = pending.matches(client, redirect(&seen));
    let accepted = pending.accept(client, redirect(&seen)).map(|request| request.request().body());
    (ours, accepted)
}

/// A redirect seen as a bare query.
pub fn as_query(seen: &str) -> Redirect<'_> {
    Redirect::Query(seen)
}

/// A redirect seen as a request target.
pub fn as_target(seen: &str) -> Redirect<'_> {
    Redirect::Target(seen)
}

/// A redirect seen as a whole URL.
pub fn as_url(seen: &str) -> Redirect<'_> {
    Redirect::Url(seen)
}

/// Reads a token response of a request with a code: status 200 and JSON.
pub fn read(body: &str) -> Result<TokensBuf, ResponseError> {
    read_as(200, Some("application/json"), body.as_bytes())
}

/// Reads any response of a request with a code.
pub fn read_as(status: u16, content_type: Option<&str>, body: &[u8]) -> Result<TokensBuf, ResponseError> {
    let client = client();
    let pending = begin(client);
    let query = good_query(&pending);
    let request = pending.accept(client, Redirect::Query(&query)).expect("a good redirect");
    finish(request, status, content_type, body)
}

/// Reads any response of a refresh with the token `RT1`.
pub fn read_refresh(body: &str) -> Result<TokensBuf, ResponseError> {
    let request = client().refresh(RefreshToken::new("RT1").expect("a refresh token"));
    finish(request, 200, Some("application/json"), body.as_bytes())
}

fn finish(
    request: TokenRequest<'_>,
    status: u16,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<TokensBuf, ResponseError> {
    let mut body = body.to_vec();
    let response = Response::new(status, &mut body);
    request
        .read(content_type.into_iter().fold(response, |response, value| response.with_header("Content-Type", value)))
        .map(TokensBuf::from)
}

/// The value of each field `name` in a query or body.
pub fn values<'q>(query: &'q str, name: &str) -> Vec<&'q str> {
    query.split('&').filter_map(|field| field.split_once('=')).filter(|(n, _)| *n == name).map(|(_, v)| v).collect()
}

/// A generator that never repeats itself, and always draws the same.
#[derive(Debug, Default)]
pub struct Counter(u64);

impl rand_core::TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 += 1;
        Ok(self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counter {}

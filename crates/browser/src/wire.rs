//! What crosses to JavaScript and back.

use proofkey_core::{Method, Response, Scope};
use std::fmt;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroize;

/// A request to send: a POST if it has a body.
#[wasm_bindgen(js_name = HttpRequest)]
pub struct Request {
    url: String,
    body: Option<String>,
}

#[wasm_bindgen(js_class = HttpRequest)]
impl Request {
    /// Where to send it.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The form to post, which holds secrets; none for a GET.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn body(&self) -> Option<String> {
        self.body.clone()
    }
}

impl From<proofkey_core::Request<'_>> for Request {
    fn from(request: proofkey_core::Request<'_>) -> Self {
        let body = (request.method() == Method::Post).then(|| request.body());
        Self { url: request.url().to_string(), body }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

/// What the server answered, whatever the status.
#[wasm_bindgen]
pub struct Answer {
    status: u16,
    content_type: Option<String>,
    date: Option<String>,
    retry_after: Option<String>,
    body: Vec<u8>,
    content_encoding: Option<String>,
}

#[wasm_bindgen]
impl Answer {
    /// An answer with the header fields that matter. A browser may have undone the coding that `content_encoding` names.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(
        status: u16,
        content_type: Option<String>,
        date: Option<String>,
        retry_after: Option<String>,
        body: Vec<u8>,
        content_encoding: Option<String>,
    ) -> Self {
        Self { status, content_type, date, retry_after, body, content_encoding }
    }
}

impl Answer {
    pub(crate) fn as_response(&mut self) -> Response<'_> {
        let Self { status, content_type, date, retry_after, body, content_encoding } = self;
        let fields = [
            ("content-encoding", content_encoding),
            ("content-type", content_type),
            ("date", date),
            ("retry-after", retry_after),
        ];
        let response = Response::new(*status, body);
        fields.into_iter().fold(response, |response, (name, value)| match value {
            Some(value) => response.with_header(name, value),
            None => response,
        })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

/// What was granted.
#[wasm_bindgen]
pub struct Tokens(proofkey_core::TokensBuf);

#[wasm_bindgen]
impl Tokens {
    /// The access token.
    #[wasm_bindgen(getter, js_name = accessToken)]
    #[must_use]
    pub fn access_token(&self) -> String {
        self.0.access_token().expose().to_owned()
    }

    /// The refresh token to keep in place of every earlier one.
    #[wasm_bindgen(getter, js_name = refreshToken)]
    #[must_use]
    pub fn refresh_token(&self) -> Option<String> {
        self.0.refresh_token().map(|token| token.expose().to_owned())
    }

    /// The lifetime in seconds, from the request on.
    #[wasm_bindgen(getter, js_name = expiresIn)]
    #[must_use]
    pub fn expires_in(&self) -> Option<u32> {
        self.0.expires_in()
    }

    /// The scope, if the server says one: empty if it says something that is not a scope.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn scope(&self) -> Option<String> {
        match self.0.scope() {
            Scope::Granted(text) => Some(text.to_owned()),
            Scope::Requested => None,
            Scope::Unknown => Some(String::new()),
        }
    }
}

impl From<proofkey_core::Tokens<'_>> for Tokens {
    fn from(tokens: proofkey_core::Tokens<'_>) -> Self {
        Self(tokens.into())
    }
}

macro_rules! opaque {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}
pub(crate) use opaque;

opaque!(Answer Request Tokens);

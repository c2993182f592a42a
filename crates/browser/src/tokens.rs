//! [`Tokens`]: the tokens of a login.

use crate::opaque::opaque;
use crate::values;
use proofkey_core::{Refusal, Scope, TokensBuf};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// The tokens that the server granted.
pub struct Tokens(TokensBuf);

impl Tokens {
    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.0.access_token().expose()
    }

    /// The refresh token to keep. It replaces every earlier one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.0.refresh_token().map(|token| token.expose())
    }

    /// The ID token, as it came: the server's own hint whom to sign out later.
    #[must_use]
    pub fn id_token(&self) -> Option<&str> {
        self.0.id_token().map(|token| token.expose())
    }

    /// The lifetime of the access token in seconds, counted from the request.
    #[must_use]
    pub fn expires_in(&self) -> Option<u32> {
        self.0.expires_in()
    }

    /// The scope as the server wrote it, if it wrote one; empty if that is not a scope.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        match self.0.scope() {
            Scope::Granted(text) => Some(text),
            Scope::Requested => None,
            Scope::Unknown => Some(""),
        }
    }
}

impl From<Tokens> for JsValue {
    fn from(tokens: Tokens) -> Self {
        let (refresh_token, id_token) = (tokens.refresh_token(), tokens.id_token());
        values::tokens(tokens.access_token(), refresh_token, tokens.expires_in(), tokens.scope(), id_token)
    }
}

impl From<proofkey_core::Tokens<'_>> for Tokens {
    fn from(tokens: proofkey_core::Tokens<'_>) -> Self {
        Self(tokens.into())
    }
}

opaque!(Tokens);

/// Whether an API's response asks for another access token (RFC 6750 section 3.1).
#[wasm_bindgen(js_name = wantsRefresh)]
#[must_use]
pub fn wants_refresh(status: u16, www_authenticate: Option<String>) -> bool {
    Refusal::is_stale(status, www_authenticate.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_is_for_tokens_that_no_longer_work() {
        assert!(wants_refresh(401, None));
        assert!(wants_refresh(401, Some("Bearer error=\"invalid_token\"".to_owned())));
        assert!(!wants_refresh(403, Some("Bearer error=\"insufficient_scope\"".to_owned())));
        assert!(!wants_refresh(200, None));
    }
}

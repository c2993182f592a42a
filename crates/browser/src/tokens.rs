//! [`Tokens`]: the tokens of a login.

use crate::opaque::opaque;
use proofkey_core::{Refusal, Scope, TokensBuf};
use wasm_bindgen::prelude::wasm_bindgen;

/// The tokens that the server granted.
#[wasm_bindgen]
pub struct Tokens(TokensBuf);

#[wasm_bindgen]
impl Tokens {
    /// The access token.
    #[wasm_bindgen(getter, js_name = accessToken)]
    #[must_use]
    pub fn access_token(&self) -> String {
        self.0.access_token().expose().to_owned()
    }

    /// The refresh token to keep. It replaces every earlier one.
    #[wasm_bindgen(getter, js_name = refreshToken)]
    #[must_use]
    pub fn refresh_token(&self) -> Option<String> {
        self.0.refresh_token().map(|token| token.expose().to_owned())
    }

    /// The lifetime of the access token in seconds, counted from the request.
    #[wasm_bindgen(getter, js_name = expiresIn)]
    #[must_use]
    pub fn expires_in(&self) -> Option<u32> {
        self.0.expires_in()
    }

    /// The scope as the server wrote it, if it wrote one; empty if that is not a scope.
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

opaque!(Tokens);

/// Whether an API's response asks for another access token (RFC 6750 section 3.1).
#[wasm_bindgen(js_name = wantsRefresh)]
#[must_use]
pub fn wants_refresh(status: u16, www_authenticate: Option<String>) -> bool {
    matches!(Refusal::of(status, www_authenticate.as_deref()), Some(Refusal::InvalidToken))
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

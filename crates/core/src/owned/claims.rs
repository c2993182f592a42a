//! [`ClaimsBuf`]: who signed in, kept.

use crate::error::IdTokenError;
use crate::flow::{UserInfoError, UserInfoRequest};
use crate::message::Response;
use crate::oidc::{Claims, IdToken, IdTokenRules};
use crate::wire::json;
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};
use core::fmt;

/// Who signed in: [`Claims`] that own their parts, with all further ones.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimsBuf {
    sub: String,
    acr: Option<String>,
    auth_time: Option<u64>,
    email: Option<String>,
    email_verified: Option<bool>,
    name: Option<String>,
    preferred_username: Option<String>,
    json: Vec<u8>,
}

impl ClaimsBuf {
    /// The claims of an ID token, checked as [`IdToken::check`] does.
    ///
    /// # Errors
    /// [`IdTokenError`] says which check failed.
    pub fn of_id_token(token: IdToken<'_>, rules: &IdTokenRules<'_>, now: u64) -> Result<Self, IdTokenError> {
        let mut buffer = vec![0; token.claims_len()];
        let claims = Self::of(token.check(rules, now, &mut buffer)?);
        // Reading has overwritten a part of it.
        let mut json = vec![0; token.claims_len()];
        token.decode(&mut json)?;
        Ok(Self { json, ..claims })
    }

    /// The claims of a userinfo answer, checked as [`UserInfoRequest::read`] does.
    ///
    /// # Errors
    /// [`UserInfoError`].
    pub fn of_userinfo(request: UserInfoRequest<'_>, response: Response<'_>) -> Result<Self, UserInfoError> {
        let json = response.body.to_vec();
        Ok(Self { json, ..Self::of(request.read(response)?) })
    }

    /// The view of them.
    #[must_use]
    pub fn as_claims(&self) -> Claims<'_> {
        Claims {
            sub: &self.sub,
            acr: self.acr.as_deref(),
            auth_time: self.auth_time,
            email: self.email.as_deref(),
            email_verified: self.email_verified,
            name: self.name.as_deref(),
            preferred_username: self.preferred_username.as_deref(),
        }
    }

    /// The user, as this server names them ([`Claims::sub`]).
    #[must_use]
    pub fn sub(&self) -> &str {
        &self.sub
    }

    /// Any claim by its name. One that is not a text is there as it is written, but for an array of words, which are separated by
    /// spaces.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let mut json = self.json.clone();
        let ([value], _) = json::members(&mut json, &[name]);
        value.readable().map(ToOwned::to_owned)
    }

    /// All claims: a JSON object, as the server sent it.
    #[must_use]
    pub fn as_json(&self) -> &[u8] {
        &self.json
    }
}

impl ClaimsBuf {
    fn of(claims: Claims<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        Self {
            sub: claims.sub.to_owned(),
            acr: owned(claims.acr),
            auth_time: claims.auth_time,
            email: owned(claims.email),
            email_verified: claims.email_verified,
            name: owned(claims.name),
            preferred_username: owned(claims.preferred_username),
            json: Vec::new(),
        }
    }
}

/// Without names and addresses, which do not belong in logs.
impl fmt::Debug for ClaimsBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_claims().fmt(f)
    }
}

//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6): [`TokenRequest`] and the [`Tokens`] that it gets.

use crate::bearer::AccessToken;
use crate::client::{Client, check_extra};
use crate::error::{ConfigError, ResponseError, ServerError};
use crate::http::{Form, Request};
use crate::pkce::CodeVerifier;
use crate::response::{MEMBER_MAX, Response, error_of, refusal, string, unfit};
use crate::wire::form::Value as Field;
use crate::wire::json::{self, Kind, Value};
use crate::wire::octets::all;
use core::fmt;

#[cfg(feature = "alloc")]
pub use owned::TokensBuf;

impl<'a> Client<'a> {
    /// Asks for a new access token with the refresh token (RFC 6749 section 6), for the scope that was granted.
    #[must_use]
    pub const fn refresh(self, refresh_token: RefreshToken<'a>) -> TokenRequest<'a> {
        TokenRequest::new(&self, Grant::Refresh(refresh_token))
    }
}

/// A request for tokens, with a code or with a refresh token. Borrowing it for [`request`](Self::request) leaves it
/// whole, so it survives a send that failed before it left; [`read`](Self::read) ends it.
pub struct TokenRequest<'a> {
    client_id: &'a str,
    endpoint: &'a str,
    grant: Grant<'a>,
    extra: &'a [(&'a str, &'a str)],
}

enum Grant<'a> {
    /// The code as it stood in the redirect, and what proves that it is ours.
    Code {
        code: &'a str,
        verifier: CodeVerifier,
        redirect_uri: &'a str,
    },
    Refresh(RefreshToken<'a>),
}

impl<'a> TokenRequest<'a> {
    pub(crate) const fn code(client: &Client<'a>, code: &'a str, verifier: CodeVerifier) -> Self {
        Self::new(client, Grant::Code { code, verifier, redirect_uri: client.redirect_uri() })
    }

    const fn new(client: &Client<'a>, grant: Grant<'a>) -> Self {
        Self { client_id: client.id(), endpoint: client.server().token_endpoint, grant, extra: &[] }
    }

    /// Adds parameters of an extension or of the server's own. Only `resource` may be given several times.
    ///
    /// # Errors
    /// [`ConfigError::ExtraParameter`] where one is empty, stands there already, or is the protocol's own.
    pub fn with(self, extra: &'a [(&'a str, &'a str)]) -> Result<Self, ConfigError> {
        check_extra(extra, self.endpoint)?;
        Ok(Self { extra, ..self })
    }

    /// The request to send, once.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        let id = Field::Plain(self.client_id);
        let fields = match &self.grant {
            Grant::Code { code, verifier, redirect_uri } => [
                ("&grant_type=authorization_code&client_id=", id),
                ("&code=", Field::Encoded(code)),
                ("&code_verifier=", Field::Literal(verifier.expose())),
                ("&redirect_uri=", Field::Plain(redirect_uri)),
            ],
            Grant::Refresh(token) => [
                ("&grant_type=refresh_token&client_id=", id),
                ("&refresh_token=", Field::Plain(token.expose())),
                Form::UNUSED,
                Form::UNUSED,
            ],
        };
        Request::post(self.endpoint, Form { fields, extra: self.extra })
    }

    /// Reads the answer (RFC 6749 sections 5.1 and 5.2). After a refresh the tokens hold the refresh token to keep: the
    /// new one, or the old one where the server sent none.
    ///
    /// # Errors
    /// [`ResponseError`]; its [`advice`](ResponseError::advice) says whether to try again or to sign in again.
    pub fn read<'b>(self, response: Response<'b>) -> Result<Tokens<'b>, ResponseError>
    where
        'a: 'b,
    {
        let kept = if let Grant::Refresh(old) = self.grant { Some(old) } else { None };
        read_tokens(response, kept)
    }
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("client_id", &self.client_id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// A refresh token (RFC 6749 section 1.5). It cannot be printed.
#[derive(Clone, Copy)]
pub struct RefreshToken<'a>(&'a str);

impl<'a> RefreshToken<'a> {
    /// A refresh token that was kept.
    ///
    /// # Errors
    /// [`ConfigError::RefreshToken`] where it is empty or not printable ASCII.
    pub fn new(token: &'a str) -> Result<Self, ConfigError> {
        if token.is_empty() || !is_printable(token) { Err(ConfigError::RefreshToken) } else { Ok(Self(token)) }
    }

    /// The token itself, to keep it.
    #[must_use]
    pub const fn expose(self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for RefreshToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// What the token endpoint granted (RFC 6749 section 5.1). It borrows from the response and the request.
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'b> {
    access_token: AccessToken<'b>,
    refresh_token: Option<RefreshToken<'b>>,
    expires_in: Option<u32>,
    scope: Option<&'b str>,
}

impl<'b> Tokens<'b> {
    /// The access token, of type Bearer.
    #[must_use]
    pub const fn access_token(&self) -> AccessToken<'b> {
        self.access_token
    }

    /// The refresh token to keep, if there is one. It replaces every earlier one.
    #[must_use]
    pub const fn refresh_token(&self) -> Option<RefreshToken<'b>> {
        self.refresh_token
    }

    /// The lifetime in seconds, counted from the request; none where the server does not tell.
    /// [`Lifetime`](crate::Lifetime) does the arithmetic.
    #[must_use]
    pub const fn expires_in(&self) -> Option<u32> {
        self.expires_in
    }

    /// The scope that the server says it granted, its words separated by a space; none where it is the requested one.
    #[must_use]
    pub const fn scope(&self) -> Option<&'b str> {
        self.scope
    }

    /// What was granted beside what was requested (RFC 6749 section 3.3).
    #[must_use]
    pub fn compare_scope(&self, requested: &[&str]) -> ScopeChange {
        let Some(scope) = self.scope else { return ScopeChange { narrowed: false, widened: false } };
        let mut granted = scope.split(' ').filter(|word| !word.is_empty());
        ScopeChange {
            narrowed: requested.iter().any(|wanted| !granted.clone().any(|word| word == *wanted)),
            widened: granted.any(|word| !requested.contains(&word)),
        }
    }
}

/// How a granted scope differs from the requested one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeChange {
    /// Something that was requested is missing.
    pub narrowed: bool,
    /// Something is granted that was not requested.
    pub widened: bool,
}

fn read_tokens<'b>(mut response: Response<'b>, kept: Option<RefreshToken<'b>>) -> Result<Tokens<'b>, ResponseError> {
    let retry_after = response.retry_after();
    let status = response.status;
    if status != 200 {
        return Err(refusal(&mut response));
    }
    if !response.may_be_json() {
        return Err(ResponseError::ContentType);
    }
    let body = response.body;
    let [access_token, token_type, expires_in, refresh_token, scope, error, description] =
        json::members(body, &MEMBERS)?;
    // GitHub and Slack answer errors with status 200.
    if let Some((code, description)) = error_of(error, description)? {
        return Err(ResponseError::Server { error: ServerError::of_text(code, description), status, retry_after });
    }
    let access_token = string("access_token", access_token)?.ok_or(ResponseError::Missing("access_token"))?;
    let token_type = string("token_type", token_type)?.ok_or(ResponseError::Missing("token_type"))?;
    if !token_type.eq_ignore_ascii_case("bearer") {
        return Err(ResponseError::TokenType);
    }
    Ok(Tokens {
        access_token: AccessToken::new(access_token).map_err(|_| ResponseError::Malformed("access_token"))?,
        refresh_token: string("refresh_token", refresh_token)?
            .map(|token| RefreshToken::new(token).map_err(|_| ResponseError::Malformed("refresh_token")))
            .transpose()?
            .or(kept),
        expires_in: seconds("expires_in", expires_in)?,
        scope: words("scope", scope)?,
    })
}

/// A number of seconds; PayPal and Azure v1 write it as a string of digits.
fn seconds(member: &'static str, Value { kind, text }: Value<'_>) -> Result<Option<u32>, ResponseError> {
    match kind {
        Kind::Absent | Kind::Null => return Ok(None),
        Kind::Number => {}
        Kind::String if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {}
        Kind::Repeated => return Err(ResponseError::Duplicate(member)),
        _ => return Err(ResponseError::Type(member)),
    }
    json::integer(text).map(Some).ok_or(ResponseError::Type(member))
}

/// Scope words separated by a space; Twitch sends an array of them. The empty string is a scope: none was granted.
fn words<'b>(member: &'static str, Value { kind, text }: Value<'b>) -> Result<Option<&'b str>, ResponseError> {
    match kind {
        Kind::Absent | Kind::Null => Ok(None),
        Kind::String | Kind::Words if text.len() > MEMBER_MAX => Err(ResponseError::TooBig(member)),
        Kind::String | Kind::Words if !is_printable(text) => Err(ResponseError::Malformed(member)),
        Kind::String | Kind::Words => Ok(Some(text)),
        kind => Err(unfit(member, kind)),
    }
}

/// RFC 6749 appendix A: `VSCHAR`.
fn is_printable(text: &str) -> bool {
    all(text.as_bytes(), |octet| matches!(octet, b' '..=b'~'))
}

const MEMBERS: [&str; 7] =
    ["access_token", "token_type", "expires_in", "refresh_token", "scope", "error", "error_description"];

#[cfg(feature = "alloc")]
mod owned {
    use super::{RefreshToken, Tokens};
    use crate::bearer::AccessToken;
    use alloc::{borrow::ToOwned, string::String};
    use core::fmt;

    /// [`Tokens`] that own their parts. With the feature `zeroize` they are wiped when they are dropped.
    #[derive(Clone)]
    pub struct TokensBuf {
        access_token: String,
        refresh_token: Option<String>,
        expires_in: Option<u32>,
        scope: Option<String>,
    }

    impl TokensBuf {
        /// The view of them.
        #[must_use]
        pub fn as_tokens(&self) -> Tokens<'_> {
            Tokens {
                access_token: AccessToken::checked(&self.access_token),
                refresh_token: self.refresh_token.as_deref().map(RefreshToken),
                expires_in: self.expires_in,
                scope: self.scope.as_deref(),
            }
        }

        /// The access token, of type Bearer.
        #[must_use]
        pub fn access_token(&self) -> AccessToken<'_> {
            self.as_tokens().access_token
        }

        /// The refresh token to keep, if there is one.
        #[must_use]
        pub fn refresh_token(&self) -> Option<RefreshToken<'_>> {
            self.as_tokens().refresh_token
        }

        /// The lifetime in seconds, counted from the request; none where the server does not tell.
        #[must_use]
        pub const fn expires_in(&self) -> Option<u32> {
            self.expires_in
        }

        /// The scope that the server says it granted; none where it is the requested one.
        #[must_use]
        pub fn scope(&self) -> Option<&str> {
            self.scope.as_deref()
        }
    }

    impl From<Tokens<'_>> for TokensBuf {
        fn from(tokens: Tokens<'_>) -> Self {
            Self {
                access_token: tokens.access_token.expose().to_owned(),
                refresh_token: tokens.refresh_token.map(|token| token.expose().to_owned()),
                expires_in: tokens.expires_in,
                scope: tokens.scope.map(ToOwned::to_owned),
            }
        }
    }

    impl fmt::Debug for TokensBuf {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.as_tokens().fmt(f)
        }
    }

    #[cfg(feature = "zeroize")]
    impl Drop for TokensBuf {
        fn drop(&mut self) {
            zeroize::Zeroize::zeroize(&mut self.access_token);
            zeroize::Zeroize::zeroize(&mut self.refresh_token);
        }
    }
}

//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6): [`TokenRequest`].

use crate::check::check_extra;
use crate::client::Client;
use crate::endpoint::{Endpoint, Quirk, Quirks};
use crate::error::{ConfigError, ResponseError, ServerError};
use crate::flow::{Flow, RefreshToken, Scope, Step, Tokens, Unanswered};
use crate::message::{
    AccessToken, Form, Identity, MEMBER_MAX, Request, Response, Thumbprint, error_of, refusal, string,
};
use crate::oidc::{IdToken, IdTokenRules};
use crate::proof::CodeVerifier;
use crate::wire::bytes::is_printable;
use crate::wire::form::{FieldWriter, Value as Field};
use crate::wire::json::{self, Kind, Value};
use core::fmt;

impl<'a> Client<'a> {
    /// Asks for a new access token with the refresh token (RFC 6749 section 6), for the scope that was granted.
    ///
    /// ```
    /// use proofkey_core::{Client, RefreshToken, Response, Server};
    ///
    /// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
    /// let request = client.refresh(RefreshToken::new("RT1")?);
    /// let mut body = String::new();
    /// request.request().write_body(&mut body)?;
    /// assert_eq!(body, "grant_type=refresh_token&client_id=my-app&refresh_token=RT1");
    ///
    /// // The server sent no new refresh token, so the old one is still the one to keep.
    /// let mut body = *br#"{"access_token":"AT2","token_type":"Bearer","expires_in":3600}"#;
    /// let tokens = request.read(Response::new(200, &mut body))?;
    /// assert_eq!(tokens.access_token().expose(), "AT2");
    /// assert_eq!(tokens.refresh_token().map(|token| token.expose()), Some("RT1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn refresh(self, refresh_token: RefreshToken<'a>) -> TokenRequest<'a> {
        TokenRequest::new(&self, Grant::Refresh(refresh_token))
    }
}

/// A request for tokens, with a code or with a refresh token. [`request`](Self::request) only borrows it, so it survives a
/// send that failed before it left; [`read`](Self::read) consumes it.
///
/// ```
/// use proofkey_core::{Advice, Client, RefreshToken, Response, Server};
///
/// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
/// let request = client.refresh(RefreshToken::new("RT1")?).with(&[("resource", "https://api.example/")])?;
///
/// // Send `request.request()`, and read what the server answers:
/// let mut body = *br#"{"error":"invalid_grant"}"#;
/// let error = request.read(Response::new(400, &mut body)).expect_err("the server refused");
/// assert_eq!(error.advice(), Advice::Reauthorize);
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
pub struct TokenRequest<'a> {
    identity: Identity<'a>,
    issuer: Option<&'a str>,
    sub: Option<&'a str>,
    max_age: Option<(u32, u64)>,
    endpoint: &'a str,
    key: Option<&'a Thumbprint>,
    quirks: Quirks,
    grant: Grant<'a>,
    extra: &'a [(&'a str, &'a str)],
    is_spent: bool,
}

enum Grant<'a> {
    /// The code as it stood in the redirect, and what proves that it is ours.
    Code {
        code: &'a str,
        verifier: CodeVerifier,
        redirect_uri: &'a str,
        is_openid: bool,
    },
    Refresh(RefreshToken<'a>),
}

impl<'a> TokenRequest<'a> {
    pub(crate) fn code(client: &Client<'a>, code: &'a str, verifier: CodeVerifier, is_openid: bool) -> Self {
        Self::new(client, Grant::Code { code, verifier, redirect_uri: client.redirect_uri(), is_openid })
    }

    fn new(client: &Client<'a>, grant: Grant<'a>) -> Self {
        Self {
            identity: client.identity(),
            issuer: client.server().issuer(),
            sub: None,
            max_age: None,
            endpoint: client.server().required(Endpoint::Token),
            key: client.key(),
            quirks: client.server().quirks,
            grant,
            extra: &[],
            is_spent: false,
        }
    }

    /// Adds parameters of an extension or of the server's own, all in one call. Only `resource` may be given several times.
    ///
    /// # Errors
    /// [`ConfigError::ExtraParameter`] if one is empty, repeated, or set by the protocol;
    /// [`ConfigError::ExtraParametersTwice`] for a second call.
    pub fn with(self, extra: &'a [(&'a str, &'a str)]) -> Result<Self, ConfigError> {
        check_extra(self.extra, extra, self.endpoint)?;
        Ok(Self { extra, ..self })
    }

    /// The user who must be signed in: after a refresh, and when somebody signs in again. It is for the
    /// [rules](Self::id_token_rules) of the ID token, and is not sent.
    #[must_use]
    pub fn of_user(self, sub: &'a str) -> Self {
        Self { sub: Some(sub), ..self }
    }

    /// The user must have signed in at most so many seconds before the login began, which was at `began`, in seconds since 1970. It
    /// is for a login with the parameter `max_age`.
    #[must_use]
    pub fn with_max_age(self, seconds: u32, began: u64) -> Self {
        Self { max_age: Some((seconds, began)), ..self }
    }

    /// The request to send, once.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request::post(self.endpoint, self).with_identity(&self.identity).with_key(self.key)
    }

    /// What the ID token of the answer is checked against: ask before the answer is read ([`IdToken`](crate::IdToken)).
    #[must_use]
    pub fn id_token_rules(&self) -> IdTokenRules<'a> {
        let nonce = match &self.grant {
            Grant::Code { verifier, is_openid: true, .. } => Some(verifier.nonce()),
            _ => None,
        };
        IdTokenRules {
            client_id: self.identity.id,
            issuer: self.issuer,
            quirks: self.quirks,
            nonce,
            max_age: self.max_age,
            sub: self.sub,
        }
    }

    /// Reads the answer (RFC 6749 sections 5.1 and 5.2). After a refresh the tokens hold the refresh token to keep: the
    /// new one, or the old one if the server sent none.
    ///
    /// # Errors
    /// [`ResponseError`]; its [`advice`](ResponseError::advice) says whether to try again or to sign in again.
    pub fn read<'b>(self, response: Response<'b>) -> Result<Tokens<'b>, ResponseError>
    where
        'a: 'b,
    {
        read_tokens(response, self.key.is_some(), self.quirks, self.kept(), &mut None)
    }

    /// [`read`](Self::read), and first of all the new refresh token that the answer carries, if one can be read: whatever else
    /// is wrong with the answer, and also from a body that was cut off behind it, but only from a 200 or 201 without `error`.
    ///
    /// After a refresh the server may have retired the old refresh token. So save this one before anything else is looked at:
    /// if the old one is sent again, many servers end the whole login (RFC 9700 section 4.14).
    ///
    /// ```
    /// # use proofkey_core::{Client, RefreshToken, Response, Server};
    /// # let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
    /// let request = client.refresh(RefreshToken::new("RT1")?);
    /// let mut body = *br#"{"access_token":7,"refresh_token":"RT2"}"#;
    /// let (new, tokens) = request.read_keeping(Response::new(200, &mut body));
    /// assert_eq!(new.map(RefreshToken::expose), Some("RT2"));
    /// assert!(tokens.is_err());
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    pub fn read_keeping<'b>(
        self,
        response: Response<'b>,
    ) -> (Option<RefreshToken<'b>>, Result<Tokens<'b>, ResponseError>)
    where
        'a: 'b,
    {
        let mut new = None;
        let tokens = read_tokens(response, self.key.is_some(), self.quirks, self.kept(), &mut new);
        (new, tokens)
    }

    /// The refresh token to keep if the server sends none.
    const fn kept(&self) -> Option<RefreshToken<'a>> {
        if let Grant::Refresh(old) = self.grant { Some(old) } else { None }
    }
}

/// It is sent once: after that it is [`Step::Over`], unless it certainly did not leave.
impl Flow for TokenRequest<'_> {
    fn step(&mut self, _now: u64) -> Step<'_> {
        match core::mem::replace(&mut self.is_spent, true) {
            true => Step::Over,
            false => Step::Send(self.request()),
        }
    }

    fn unanswered(&mut self, why: Unanswered, _now: u64) -> bool {
        self.is_spent = why != Unanswered::Unsent;
        false
    }
}

impl Form for TokenRequest<'_> {
    fn write(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        let grant_type = match self.grant {
            Grant::Code { .. } => "authorization_code",
            Grant::Refresh(_) => "refresh_token",
        };
        fields.field("&grant_type=", Field::Literal(grant_type))?;
        self.identity.write_id(fields)?;
        match &self.grant {
            Grant::Code { code, verifier, redirect_uri, .. } => {
                fields.field("&code=", Field::Encoded(code))?;
                fields.field("&code_verifier=", Field::Literal(verifier.expose()))?;
                fields.field("&redirect_uri=", Field::Plain(redirect_uri))?;
            }
            Grant::Refresh(token) => fields.field("&refresh_token=", Field::Plain(token.expose()))?,
        }
        self.identity.write_secret(fields)?;
        fields.extra(self.extra)
    }
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("client_id", &self.identity.id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Reads the answer; its new refresh token goes to `new` as soon as it is known.
pub(crate) fn read_tokens<'b>(
    response: Response<'b>,
    is_bound: bool,
    quirks: Quirks,
    kept: Option<RefreshToken<'b>>,
    new: &mut Option<RefreshToken<'b>>,
) -> Result<Tokens<'b>, ResponseError> {
    let status = response.status;
    // Servers on frameworks that answer a POST with 201 (python-sdk of MCP).
    if !matches!(status, 200 | 201) {
        return Err(refusal(response));
    }
    let retry_after = response.retry_after();
    let (members, whole) = response.members(&MEMBERS);
    let [access_token, token_type, expires_in, refresh_token, refresh_expires_in, scope, id_token, error, description] =
        members;
    // One that is not bound is not kept (RFC 9449 section 5). If the answer was cut off, the type may have come later.
    let is_ours = !is_bound
        || match token_type.kind {
            Kind::Absent => whole.is_err(),
            _ => token_type.text.eq_ignore_ascii_case("DPoP"),
        };
    if is_ours && !is_refused(error) && refresh_token.kind == Kind::String && refresh_token.text.len() <= MEMBER_MAX {
        *new = RefreshToken::new(refresh_token.text).ok();
    }
    whole?;
    // GitHub and Slack answer errors with status 200.
    if let Some((code, description)) = error_of(error, description)? {
        return Err(ResponseError::Server { error: ServerError::of_text(code, description), status, retry_after });
    }
    let is_user = quirks.has(Quirk::UserToken) && !is_bound;
    let place = if is_user { "access_token outside of authed_user" } else { "access_token" };
    let access_token = string("access_token", access_token)?.ok_or(ResponseError::Missing(place))?;
    // Absent in answers of Weibo, Douban and others; nothing else than Bearer was asked for, unless a key is bound.
    let token_type = string("token_type", token_type)?.unwrap_or("Bearer");
    let expected = if is_bound { "DPoP" } else { "Bearer" };
    let expected = if is_user && token_type == "user" { "user" } else { expected };
    if !token_type.eq_ignore_ascii_case(expected) {
        let found = TOKEN_TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(token_type));
        return Err(ResponseError::TokenType(found));
    }
    Ok(Tokens {
        access_token: match AccessToken::new(access_token) {
            Ok(token) => AccessToken::checked(token.expose(), is_bound),
            Err(_) => return Err(ResponseError::Malformed("access_token")),
        },
        refresh_token: match string("refresh_token", refresh_token)? {
            Some(_) => Some(new.ok_or(ResponseError::Malformed("refresh_token"))?),
            None => kept,
        },
        expires_in: seconds(expires_in),
        refresh_expires_in: seconds(refresh_expires_in),
        scope: granted(scope),
        // It ends no login of an app that does not ask who signed in.
        id_token: string("id_token", id_token).ok().flatten().map(IdToken::checked),
    })
}

/// Whether there is an error, readable or not. PHP writes `false` for nothing.
fn is_refused(error: Value<'_>) -> bool {
    match error.kind {
        Kind::Absent | Kind::False | Kind::Null => false,
        Kind::String => !error.text.is_empty(),
        _ => true,
    }
}

/// A number of seconds; PayPal and Azure v1 write it as a string. Others write `-1`, `""` or `false` for a lifetime that
/// they do not tell.
pub(crate) fn seconds(Value { kind, text }: Value<'_>) -> Option<u32> {
    match kind {
        Kind::Number => json::integer(text),
        Kind::String => json::integer(text.trim_ascii()),
        _ => None,
    }
}

/// Scope words separated by a space; Twitch sends an array of them. The empty string is a scope: none was granted.
fn granted(Value { kind, text }: Value<'_>) -> Scope<'_> {
    match kind {
        Kind::Absent | Kind::Null => Scope::Requested,
        Kind::String | Kind::Words if text.len() <= MEMBER_MAX && is_printable(text) => Scope::Granted(text),
        _ => Scope::Unknown,
    }
}

/// Types that are told apart: those of RFC 8693, RFC 9449 and drafts, and Slack's.
const TOKEN_TYPES: [&str; 7] = ["Bearer", "bot", "DPoP", "mac", "N_A", "PoP", "user"];

const MEMBERS: [&str; 9] = [
    "access_token",
    "token_type",
    "expires_in",
    "refresh_token",
    "refresh_token_expires_in",
    "scope",
    "id_token",
    "error",
    "error_description",
];

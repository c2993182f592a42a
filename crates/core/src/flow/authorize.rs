//! From a [`Client`] to the browser: [`AuthorizationUrl`].

use crate::check::check_extra;
use crate::client::Client;
use crate::endpoint::{Endpoint, Feature};
use crate::error::{AuthorizeError, ConfigError, UriFault};
use crate::flow::Pending;
use crate::proof::{CodeChallenge, Nonce, pkce};
use crate::wire::form::{self, FieldWriter, Length, Value};
use core::fmt;
use rand_core::TryCryptoRng;

impl<'a> Client<'a> {
    /// Begins a login (RFC 6749 section 4.1.1, RFC 7636 section 4.3). Send the user's browser to the URL, and keep the
    /// [`Pending`] until it comes back. `scope` may be empty: the server then applies its default. With `openid` in it the server
    /// says who signed in ([`IdToken`](crate::IdToken)), and a `nonce` is sent.
    ///
    /// ```
    /// use getrandom::SysRng;
    /// use proofkey_core::{Client, Server};
    ///
    /// let client = Client::new("my-app", "http://127.0.0.1:49152/callback", Server::ITWIN)?;
    /// let (url, pending) = client.authorize(&["itwin-platform", "offline_access"], &mut SysRng)?;
    /// assert!(url.to_string().starts_with("https://ims.bentley.com/connect/authorize?response_type=code&client_id=my-app&"));
    /// assert!(url.to_string().contains(pending.state().expose()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a scope is invalid, the client has no redirect URI, or the random generator fails; [`ConfigError::PushRequired`] if
    /// the server only takes logins that are [pushed](Self::push).
    pub fn authorize<R: TryCryptoRng + ?Sized>(
        self,
        scope: &'a [&'a str],
        rng: &mut R,
    ) -> Result<(AuthorizationUrl<'a>, Pending), AuthorizeError<R::Error>> {
        if self.server().has(Feature::PushRequired) {
            return Err(ConfigError::PushRequired.into());
        }
        AuthorizationUrl::begin(self, scope, rng)
    }
}

/// Where to send the user's browser. It is `Display`; it holds no secret, but no log needs its `state`.
#[derive(Clone, Copy)]
pub struct AuthorizationUrl<'a> {
    client: Client<'a>,
    scope: &'a [&'a str],
    extra: &'a [(&'a str, &'a str)],
    state: [u8; pkce::LENGTH],
    challenge: CodeChallenge,
    nonce: Option<Nonce>,
}

impl<'a> AuthorizationUrl<'a> {
    pub(super) fn begin<R: TryCryptoRng + ?Sized>(
        client: Client<'a>,
        scope: &'a [&'a str],
        rng: &mut R,
    ) -> Result<(Self, Pending), AuthorizeError<R::Error>> {
        if client.redirect_uri().is_empty() {
            return Err(ConfigError::RedirectUri(UriFault::Absent).into());
        }
        if let Some(index) = scope.iter().position(|scope| !is_scope(scope)) {
            return Err(ConfigError::Scope(index).into());
        }
        let (state, verifier) = pkce::draw(rng)?;
        let is_openid = scope.contains(&OPENID);
        let url = Self {
            client,
            scope,
            extra: &[],
            state: state.characters(),
            challenge: verifier.challenge(),
            nonce: is_openid.then(|| verifier.nonce()),
        };
        Ok((url, Pending { state, verifier, client: *client.fingerprint(), is_openid }))
    }

    /// Adds parameters of an extension or of the server's own, such as `("prompt", "consent")`, all in one call. Only
    /// `resource` may be given several times (RFC 8707 section 2).
    ///
    /// ```
    /// # use getrandom::SysRng;
    /// # use proofkey_core::{Client, Server};
    /// # let client = Client::new("my-app", "http://127.0.0.1:49152/callback", Server::ITWIN)?;
    /// let (url, pending) = client.authorize(&["itwin-platform"], &mut SysRng)?;
    /// let url = url.with(&[("prompt", "login"), ("login_hint", "alice@example.com")])?;
    /// assert!(url.to_string().ends_with("&prompt=login&login_hint=alice%40example.com"));
    /// # let _ = pending;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::ExtraParameter`] if one is empty, repeated, or set by the protocol;
    /// [`ConfigError::ExtraParametersTwice`] for a second call.
    pub fn with(self, extra: &'a [(&'a str, &'a str)]) -> Result<Self, ConfigError> {
        self.with_checked(extra, self.client.server().required(Endpoint::Authorization))
    }

    /// Adds extra parameters that are sent to `endpoint`.
    pub(super) fn with_checked(self, extra: &'a [(&'a str, &'a str)], endpoint: &str) -> Result<Self, ConfigError> {
        check_extra(self.extra, extra, endpoint)?;
        Ok(Self { extra, ..self })
    }

    pub(super) const fn client(&self) -> Client<'a> {
        self.client
    }

    /// The exact length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut length = Length::default();
        self.write(&mut length).map_or(0, |()| length.0)
    }

    /// Never: an authorization URL has an endpoint at least.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.write_fields(&mut behind(self.client.server().required(Endpoint::Authorization), out)?)
    }

    /// The parameters of the login, in a query or in a body.
    pub(super) fn write_fields(&self, fields: &mut FieldWriter<'_>) -> fmt::Result {
        fields.field("&response_type=code&client_id=", Value::Plain(self.client.id()))?;
        fields.field("&redirect_uri=", Value::Plain(self.client.redirect_uri()))?;
        if !self.scope.is_empty() {
            fields.list("&scope=", self.scope)?;
        }
        fields.field("&state=", Value::Literal(pkce::text(&self.state)))?;
        fields.field("&code_challenge=", Value::Literal(self.challenge.as_str()))?;
        fields.field("&code_challenge_method=", Value::Literal("S256"))?;
        if let Some(key) = self.client.key() {
            fields.field("&dpop_jkt=", Value::Literal(key.as_str()))?;
        }
        if let Some(nonce) = &self.nonce {
            fields.field("&nonce=", Value::Literal(pkce::text(nonce)))?;
        }
        fields.extra(self.extra)
    }
}

impl fmt::Display for AuthorizationUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl fmt::Debug for AuthorizationUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationUrl")
            .field("client", &self.client)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Writes an endpoint, behind whose own query the fields follow.
pub(crate) fn behind<'w>(endpoint: &str, out: &'w mut dyn fmt::Write) -> Result<FieldWriter<'w>, fmt::Error> {
    out.write_str(endpoint)?;
    let separator = match form::split_once(endpoint, b'?') {
        (path, _) if path.len() == endpoint.len() => "?",
        (_, query) if query.is_empty() || query.ends_with('&') => "",
        _ => "&",
    };
    Ok(FieldWriter::new(out, separator))
}

/// The scope word that makes a login tell who signed in (OpenID Connect Core 1.0 section 3.1.2.1).
const OPENID: &str = "openid";

/// RFC 6749 section 3.3: `scope-token`.
pub(crate) fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

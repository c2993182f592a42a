//! The [`Tokens`] that the token endpoint grants.

use crate::error::ConfigError;
use crate::message::AccessToken;
use crate::oidc::IdToken;
use crate::wire::bytes::is_printable;
use core::fmt;

/// A refresh token (RFC 6749 section 1.5). It cannot be printed.
///
/// ```
/// use proofkey_core::RefreshToken;
///
/// let token = RefreshToken::new("RT1")?;
/// assert_eq!((token.expose(), format!("{token:?}").contains("RT1")), ("RT1", false));
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
pub struct RefreshToken<'a>(pub(crate) &'a str);

impl<'a> RefreshToken<'a> {
    /// A refresh token that was kept.
    ///
    /// # Errors
    /// [`ConfigError::RefreshToken`] if it is empty or not printable ASCII.
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

/// The tokens that the token endpoint granted (RFC 6749 section 5.1). They borrow from the response and the request.
///
/// Tokens that were kept, such as a row of a database, become one again:
/// ```
/// use proofkey_core::{AccessToken, RefreshToken, Scope, Tokens};
///
/// let (access_token, refresh_token, scope) = ("AT1", Some("RT1"), "read write");
/// let mut tokens = Tokens::new(AccessToken::new(access_token)?).with_expires_in(3600).with_scope(Scope::Granted(scope));
/// if let Some(refresh_token) = refresh_token {
///     tokens = tokens.with_refresh_token(RefreshToken::new(refresh_token)?);
/// }
/// assert!(tokens.compare_scope(&["read", "write"]).is_some_and(|change| !change.narrowed));
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
/// `TokensBuf` (feature `alloc`) and [`TokensArray`](crate::TokensArray) are made from it and own their parts.
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'b> {
    pub(crate) access_token: AccessToken<'b>,
    pub(crate) refresh_token: Option<RefreshToken<'b>>,
    pub(crate) expires_in: Option<u32>,
    pub(crate) refresh_expires_in: Option<u32>,
    pub(crate) scope: Scope<'b>,
    pub(crate) id_token: Option<IdToken<'b>>,
}

impl<'b> Tokens<'b> {
    /// An access token alone, of unknown lifetime and scope.
    #[must_use]
    pub const fn new(access_token: AccessToken<'b>) -> Self {
        Self {
            access_token,
            refresh_token: None,
            expires_in: None,
            refresh_expires_in: None,
            scope: Scope::Unknown,
            id_token: None,
        }
    }

    /// Adds a refresh token, or replaces it.
    #[must_use]
    pub const fn with_refresh_token(self, refresh_token: RefreshToken<'b>) -> Self {
        Self { refresh_token: Some(refresh_token), ..self }
    }

    /// Sets the lifetime in seconds, counted from the request.
    #[must_use]
    pub const fn with_expires_in(self, seconds: u32) -> Self {
        Self { expires_in: Some(seconds), ..self }
    }

    /// Sets the scope. A granted one that is not printable ASCII is unknown, as in a response.
    #[must_use]
    pub fn with_scope(self, scope: Scope<'b>) -> Self {
        let scope = if scope.granted().is_none_or(is_printable) { scope } else { Scope::Unknown };
        Self { scope, ..self }
    }

    /// The access token: of type Bearer, or of type DPoP if the client is bound to a key.
    #[must_use]
    pub const fn access_token(&self) -> AccessToken<'b> {
        self.access_token
    }

    /// The refresh token to keep, if there is one. It replaces every earlier one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<RefreshToken<'b>> {
        self.refresh_token
    }

    /// The lifetime in seconds, counted from the request; none if the server does not say, or says something that is not a
    /// number of seconds. [`Lifetime`](crate::Lifetime) does the arithmetic.
    #[must_use]
    pub const fn expires_in(&self) -> Option<u32> {
        self.expires_in
    }

    /// The lifetime of the refresh token in seconds, counted from the request, if the server tells it: Google, GitHub and LinkedIn
    /// do, as `refresh_token_expires_in`.
    #[must_use]
    pub const fn refresh_expires_in(&self) -> Option<u32> {
        self.refresh_expires_in
    }

    /// The scope that was granted.
    #[must_use]
    pub const fn scope(&self) -> Scope<'b> {
        self.scope
    }

    /// The ID token, which says who signed in; none if the server sent none, as it does unless the scope `openid` is granted.
    #[must_use]
    pub const fn id_token(&self) -> Option<IdToken<'b>> {
        self.id_token
    }

    /// How the granted scope differs from the requested one (RFC 6749 section 3.3); none if that is not known.
    ///
    /// ```
    /// use proofkey_core::{AccessToken, Scope, Tokens};
    ///
    /// let tokens = Tokens::new(AccessToken::new("AT1")?).with_scope(Scope::Granted("read"));
    /// let change = tokens.compare_scope(&["read", "write"]).expect("the server named the scope");
    /// assert!(change.narrowed && !change.widened);
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    #[must_use]
    pub fn compare_scope(&self, requested: &[&str]) -> Option<ScopeChange> {
        let granted = || self.scope.words(requested);
        (self.scope != Scope::Unknown).then(|| ScopeChange {
            narrowed: requested.iter().any(|wanted| !granted().any(|word| word == *wanted)),
            widened: granted().any(|word| !requested.contains(&word)),
        })
    }
}

/// The scope that was granted (RFC 6749 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'b> {
    /// What the server says, as it wrote it; the words of an array with a space between them. [`words`](Self::words) splits it.
    Granted(&'b str),
    /// The one that was requested: the server says nothing else.
    Requested,
    /// The server says something that is not a scope.
    Unknown,
}

impl<'b> Scope<'b> {
    /// What the server says; none if it says nothing, or something that is not a scope.
    #[must_use]
    pub const fn granted(self) -> Option<&'b str> {
        match self {
            Self::Granted(text) => Some(text),
            Self::Requested | Self::Unknown => None,
        }
    }

    /// Its words; none if it is unknown.
    ///
    /// GitHub separates them by commas. A comma may also stand in a word, so it only separates if several words were
    /// requested and none of them has one.
    pub fn words<'s>(self, requested: &'s [&'s str]) -> impl Iterator<Item = &'s str>
    where
        'b: 's,
    {
        let commas = requested.len() > 1 && !requested.iter().any(|word| word.contains(','));
        let (text, requested): (&'s str, &'s [&'s str]) = match self {
            Self::Granted(text) => (text, &[]),
            Self::Requested => ("", requested),
            Self::Unknown => ("", &[]),
        };
        let granted = text.split(move |letter| letter == ' ' || (commas && letter == ','));
        granted.filter(|word| !word.is_empty()).chain(requested.iter().copied())
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

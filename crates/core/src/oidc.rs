//! Who signed in (OpenID Connect Core 1.0): [`IdToken`] and its [`Claims`].

mod claims;

pub use claims::Claims;
pub(crate) use claims::{FURTHER, all_names, further};
use claims::{NAMES_MAX, required, seconds};

use crate::check::{is_tenant_id, tenant};
use crate::client::Client;
use crate::endpoint::{Quirk, Quirks};
use crate::error::{Excerpt, IdTokenError};
use crate::message::string;
use crate::proof::Nonce;
use crate::server::Server;
use crate::wire::base64;
use crate::wire::bytes::is_printable;
use crate::wire::json::{self, Kind, Value};
use core::fmt;

/// An ID token, as the token endpoint sent it. It cannot be printed.
///
/// # What it proves
/// That the server at the other end of this TLS connection says: this user has just signed in to this client. Its signature is
/// not checked, since TLS tells whom the token comes from (OpenID Connect Core 1.0 section 3.1.3.7 point 6), and so its header is
/// not read: the `alg` of a signature that nobody checks, be it `none` or `HS256`, says nothing. That holds only for
/// a token that this program has itself received from the token endpoint. It proves nothing to anybody else: a service that an app
/// sends it to must check the signature, and an app must not take a token that somebody sends to it.
///
/// # Example
/// ```
/// use proofkey_core::{Client, Redirect, Response, Server};
/// # use getrandom::SysRng;
/// # use base64ct::{Base64UrlUnpadded, Encoding as _};
/// let server = Server::new("https://as.example/authorize", "https://as.example/token").with_issuer("https://as.example");
/// let client = Client::new("my-app", "http://127.0.0.1:49152/callback", server)?;
/// let (url, pending) = client.authorize(&["openid", "profile"], &mut SysRng)?;
/// // The browser is sent to `url`, and comes back:
/// let target = format!("/callback?code=C&state={}", pending.state().expose());
/// let request = pending.accept(client, Redirect::Target(&target))?;
///
/// let rules = request.id_token_rules();
/// # let url = url.to_string();
/// # let nonce = url.split_once("&nonce=").ok_or("a nonce")?.1;
/// # let claims = format!(r#"{{"iss":"https://as.example","aud":"my-app","sub":"248289761001","exp":1700003600,"nonce":"{nonce}","name":"Alice"}}"#);
/// # let id_token = format!("e30.{}.c2ln", Base64UrlUnpadded::encode_string(claims.as_bytes()));
/// # let mut body = format!(r#"{{"access_token":"AT1","id_token":"{id_token}"}}"#).into_bytes();
/// let tokens = request.read(Response::new(200, &mut body))?;
/// let id_token = tokens.id_token().ok_or("this server does not say who signed in")?;
/// let mut buffer = [0; 512];
/// let now = 1_700_000_000;
/// let claims = id_token.check(&rules, now, &mut buffer)?;
/// assert_eq!((claims.sub(), claims.name()), ("248289761001", Some("Alice")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct IdToken<'a>(&'a str);

impl<'a> IdToken<'a> {
    /// An ID token that was kept, to sign out with.
    ///
    /// # Errors
    /// [`IdTokenError::Format`] if it is empty or not printable ASCII.
    pub fn new(token: &'a str) -> Result<Self, IdTokenError> {
        if token.is_empty() || !is_printable(token) { Err(IdTokenError::Format) } else { Ok(Self(token)) }
    }

    /// The token itself, to keep it.
    #[must_use]
    pub const fn expose(self) -> &'a str {
        self.0
    }

    /// The bytes of buffer that [`check`](Self::check) needs.
    #[must_use]
    pub fn claims_len(self) -> usize {
        self.payload().map_or(0, base64::decoded_len)
    }

    /// Checks the token (OpenID Connect Core 1.0 section 3.1.3.7), and reads who signed in. `now` is the time in seconds since
    /// 1970; a token may have expired a minute ago, since clocks differ. The claims are read in `buffer`.
    ///
    /// # Errors
    /// [`IdTokenError`] says which check failed.
    pub fn check<'c>(
        self,
        rules: &IdTokenRules<'_>,
        now: u64,
        buffer: &'c mut [u8],
    ) -> Result<Claims<'c>, IdTokenError> {
        self.check_with(rules, now, buffer, &[]).map(|(claims, [])| claims)
    }

    /// [`check`](Self::check), with further claims by their names, 16 at most. A claim that is not a text is there as it is written,
    /// but for an array of words, which are separated by spaces.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    ///
    /// ```no_run
    /// # fn example(id_token: proofkey_core::IdToken<'_>, rules: proofkey_core::IdTokenRules<'_>, now: u64) -> Result<(), proofkey_core::IdTokenError> {
    /// let mut buffer = [0; 2048];
    /// let (claims, [groups, locale]) = id_token.check_with(&rules, now, &mut buffer, &["groups", "locale"])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_with<'c, const N: usize>(
        self,
        rules: &IdTokenRules<'_>,
        now: u64,
        buffer: &'c mut [u8],
        names: &[&str; N],
    ) -> Result<(Claims<'c>, [Option<&'c str>; N]), IdTokenError> {
        const { assert!(N <= FURTHER, "16 further claims at most") }
        let (values, whole) = json::members(self.decode(buffer)?, &all_names(names));
        whole.map_err(|_| IdTokenError::Format)?;
        rules.check(&values, now)?;
        let claims = Claims::of(&values)?;
        rules.check_subject(claims.sub)?;
        Ok((claims, further(&values, names)))
    }

    /// Only made of what [`new`](Self::new) takes, or of the text of an answer, which [`check`](Self::check) judges.
    pub(crate) const fn checked(token: &'a str) -> Self {
        Self(token)
    }

    /// The second of three parts.
    fn payload(self) -> Result<&'a str, IdTokenError> {
        let mut parts = self.0.split('.');
        match (parts.next(), parts.next(), parts.count()) {
            (Some(_), Some(payload), 1) => Ok(payload),
            (_, _, 3) => Err(IdTokenError::Encrypted),
            _ => Err(IdTokenError::Format),
        }
    }

    pub(crate) fn decode(self, buffer: &mut [u8]) -> Result<&mut [u8], IdTokenError> {
        let payload = self.payload()?;
        let needed = base64::decoded_len(payload);
        let claims = buffer.get_mut(..needed).ok_or(IdTokenError::NoRoom { needed })?;
        base64::decode(payload, claims).ok_or(IdTokenError::Format)
    }
}

impl fmt::Debug for IdToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(..)")
    }
}

impl<'a> Client<'a> {
    /// What an ID token is checked against that was granted for something else than a code: to a device or after a refresh. For
    /// a code ask the request ([`TokenRequest::id_token_rules`](crate::TokenRequest::id_token_rules)), which knows the `nonce`.
    #[must_use]
    pub const fn id_token_rules(self) -> IdTokenRules<'a> {
        let Server { issuer, quirks, .. } = self.server;
        IdTokenRules { client_id: self.id, issuer, quirks, nonce: None, max_age: None, sub: None }
    }
}

/// What an [`IdToken`] is checked against: the server, the client and the login that it must belong to.
#[derive(Clone, Copy)]
pub struct IdTokenRules<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) issuer: Option<&'a str>,
    pub(crate) quirks: Quirks,
    pub(crate) nonce: Option<Nonce>,
    /// How old the sign-in may be at which time.
    pub(crate) max_age: Option<(u32, u64)>,
    pub(crate) sub: Option<&'a str>,
}

impl<'a> IdTokenRules<'a> {
    /// It must be this user ([`Claims::sub`]).
    #[must_use]
    pub const fn of_user(self, sub: &'a str) -> Self {
        Self { sub: Some(sub), ..self }
    }

    /// Whether the login asked who signs in: with a `nonce`, or because the user is known. A server that tells it unasked may be
    /// wrong without harm.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.nonce.is_some() || self.sub.is_some()
    }

    /// Whether the issuer of the server is known. If not, no ID token can be checked.
    #[must_use]
    pub const fn has_issuer(&self) -> bool {
        self.issuer.is_some()
    }

    fn check(&self, values: &[Value<'_>; NAMES_MAX], now: u64) -> Result<(), IdTokenError> {
        let [_, iss, aud, azp, exp, nonce, auth_time, ..] = *values;
        let (expected, found) = (self.issuer.ok_or(IdTokenError::UnknownIssuer)?, required("iss", iss)?);
        let is_tenant = || self.quirks.has(Quirk::TenantIssuer) && tenant(expected, found).is_some_and(is_tenant_id);
        if found != expected && !is_tenant() {
            return Err(IdTokenError::Issuer { expected: expected.into(), found: found.into() });
        }
        self.check_audience(aud, azp)?;
        let at = u64::from(seconds("exp", exp)?);
        if at.saturating_add(LEEWAY) <= now {
            return Err(IdTokenError::Expired { at, now });
        }
        if let Some(expected) = &self.nonce
            && required("nonce", nonce)?.as_bytes() != expected
        {
            return Err(IdTokenError::Nonce);
        }
        if let Some((max_age, began)) = self.max_age {
            let age = began.saturating_sub(seconds("auth_time", auth_time)?.into());
            if age > LEEWAY.saturating_add(max_age.into()) {
                return Err(IdTokenError::Stale { age, max_age });
            }
        }
        Ok(())
    }

    /// An audience is compared whole: a client id may have a space, and the words of an array have none.
    fn check_audience(&self, aud: Value<'_>, azp: Value<'_>) -> Result<(), IdTokenError> {
        let words = || aud.text.split(' ').filter(|word| !word.is_empty());
        let (is_among, several) = match aud.kind {
            Kind::Words => (words().any(|word| word == self.client_id), words().nth(1).is_some()),
            _ => (required("aud", aud)? == self.client_id, false),
        };
        let expected = Excerpt::from(self.client_id);
        if !is_among {
            return Err(IdTokenError::Audience { expected, found: aud.text.into() });
        }
        let party = string("azp", azp).map_err(|_| IdTokenError::Malformed("azp"))?;
        if party.map_or(several, |party| party != self.client_id) {
            return Err(IdTokenError::Party { expected, found: party.unwrap_or_default().into() });
        }
        Ok(())
    }

    fn check_subject(&self, found: &str) -> Result<(), IdTokenError> {
        match self.sub {
            Some(expected) if expected != found => {
                Err(IdTokenError::Subject { expected: expected.into(), found: found.into() })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for IdTokenRules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenRules")
            .field("client_id", &self.client_id)
            .field("issuer", &self.issuer)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// How far two clocks may be apart, in seconds.
const LEEWAY: u64 = 60;

//! Using an access token (RFC 6750, RFC 9449): the header that carries it, and how an API refuses it.

use crate::error::ConfigError;
use crate::message::challenge::{Challenge, Param, challenges};
use crate::wire::bytes::all;
use core::fmt::{self, Write};

/// An access token that can stand in a header: printable ASCII without a space. It is of type Bearer, or of type DPoP if it is
/// [bound](Self::bound) to a key. It cannot be printed.
///
/// ```
/// use proofkey_core::AccessToken;
///
/// let token = AccessToken::new("mF_9.B5f-4.1JqM")?;
/// let mut header = String::new();
/// token.authorization().write(&mut header).expect("a String takes all");
/// assert_eq!(header, "Bearer mF_9.B5f-4.1JqM");
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Copy)]
pub struct AccessToken<'a> {
    text: &'a str,
    is_bound: bool,
}

impl<'a> AccessToken<'a> {
    /// An access token that was kept. Servers of Microsoft and Facebook use more characters than RFC 6750 section 2.1
    /// lists, so any that cannot end the header is taken.
    ///
    /// # Errors
    /// [`ConfigError::AccessToken`] if it is empty, or has a space, a control character or a character that is not ASCII.
    pub fn new(token: &'a str) -> Result<Self, ConfigError> {
        let fits = !token.is_empty() && all(token.as_bytes(), |byte| byte.is_ascii_graphic());
        if fits { Ok(Self::checked(token, false)) } else { Err(ConfigError::AccessToken) }
    }

    /// The same token, which is bound to a key: it is only sent with scheme `DPoP` and beside a [`Proof`](crate::Proof) (RFC
    /// 9449 section 7.1).
    #[must_use]
    pub const fn bound(self) -> Self {
        Self { is_bound: true, ..self }
    }

    /// Whether it is bound to a key.
    #[must_use]
    pub const fn is_bound(self) -> bool {
        self.is_bound
    }

    /// The token itself, to keep it.
    #[must_use]
    pub const fn expose(self) -> &'a str {
        self.text
    }

    /// The value of the `Authorization` header that carries it.
    #[must_use]
    pub const fn authorization(self) -> Authorization<'a> {
        Authorization(self)
    }

    pub(crate) const fn checked(text: &'a str, is_bound: bool) -> Self {
        Self { text, is_bound }
    }
}

impl fmt::Debug for AccessToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// The value of an `Authorization` header: `Bearer` or `DPoP`, a space, the token (RFC 6750 section 2.1, RFC 9449 section 7.1). A
/// secret.
#[derive(Clone, Copy, Debug)]
pub struct Authorization<'a>(AccessToken<'a>);

impl<'a> Authorization<'a> {
    /// Writes the value.
    ///
    /// # Errors
    /// If `out` fails.
    pub fn write<W: Write + ?Sized>(self, out: &mut W) -> fmt::Result {
        out.write_str(self.scheme())?;
        out.write_str(self.0.text)
    }

    /// The exact length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.scheme().len().saturating_add(self.0.text.len())
    }

    /// Never: a token has one character at least.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }

    /// The value, for an HTTP library. Mark it as sensitive there.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn value(self) -> alloc::string::String {
        [self.scheme(), self.0.text].concat()
    }

    /// The token, if it is bound to a key.
    pub(crate) fn bound_token(self) -> Option<AccessToken<'a>> {
        Some(self.0).filter(|token| token.is_bound)
    }

    const fn scheme(self) -> &'static str {
        if self.0.is_bound { "DPoP " } else { "Bearer " }
    }
}

/// Why an API refused a request (RFC 6750 section 3.1).
///
/// ```
/// use proofkey_core::Refusal;
///
/// let refusal = Refusal::of(403, [r#"Bearer error="insufficient_scope", scope="itwins:read""#]);
/// let Some(Refusal::InsufficientScope { scope: Some(scope) }) = refusal else { unreachable!("{refusal:?}") };
/// assert_eq!(scope.to_string(), "itwins:read");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Refusal<'a> {
    /// The API forbids the call and does not say more (403): a refresh does not help. On the iTwin platform the user lacks a
    /// permission, which the Access Control API manages.
    Forbidden,
    /// The user has not signed in well enough, or too long ago (RFC 9470 section 3): sign in again, with these parameters. A refresh
    /// does not help.
    InsufficientAuthentication {
        /// `acr_values`: the ways to sign in that the API takes, the preferred one first, separated by spaces.
        acr_values: Option<Param<'a>>,
        /// `max_age`: how many seconds ago the user may have signed in.
        max_age: Option<u32>,
    },
    /// The token lacks a scope: sign in again and ask for it. A refresh does not help.
    InsufficientScope {
        /// The scope that is needed, if the API says it.
        scope: Option<Param<'a>>,
    },
    /// The API does not take the proof of possession, whatever the token (RFC 9449 section 7.1): a refresh does not help. A
    /// driver has answered a demand for a nonce already.
    InvalidProof,
    /// The request is wrong, whatever the token.
    InvalidRequest,
    /// The token is missing, expired, revoked or broken, or the API does not say why it refused (401): refresh it once, unless
    /// it is new.
    InvalidToken,
    /// The API asks for another authentication scheme, such as `Basic`, and for no token (401): a refresh does not help.
    OtherScheme,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden => f.write_str("the API forbids this call: the user lacks a permission"),
            Self::InsufficientAuthentication { acr_values, max_age } => {
                f.write_str("the API wants the user to sign in again")?;
                max_age.map_or(Ok(()), |seconds| write!(f, ", at most {seconds} s ago"))?;
                acr_values.map_or(Ok(()), |values| write!(f, ", in one of these ways: {values}"))
            }
            Self::InsufficientScope { scope: None } => f.write_str("the token lacks a scope that the API wants"),
            Self::InsufficientScope { scope: Some(scope) } => {
                write!(f, "the token lacks the scope that the API wants: {scope}")
            }
            Self::InvalidProof => f.write_str("the API does not take the proof that the token is ours"),
            Self::InvalidRequest => f.write_str("the API finds the request malformed"),
            Self::InvalidToken => {
                f.write_str("the API does not take the token: it is expired, revoked or not for this API")
            }
            Self::OtherScheme => f.write_str("the API asks for another authentication scheme than Bearer and DPoP"),
        }
    }
}

impl<'a> Refusal<'a> {
    /// Reads a response's status and the values of its `WWW-Authenticate` header fields. None if neither the status
    /// (401, 403) nor a challenge of scheme Bearer or DPoP is a refusal.
    pub fn of(status: u16, fields: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let heard = Heard::of(fields);
        let param = |name| heard.ours().and_then(|challenge| challenge.param(name));
        Some(match heard.kind(status)? {
            Kind::Forbidden => Self::Forbidden,
            Kind::InsufficientAuthentication => Self::InsufficientAuthentication {
                acr_values: param("acr_values"),
                max_age: param("max_age").and_then(Param::seconds),
            },
            Kind::InsufficientScope => Self::InsufficientScope { scope: param("scope") },
            Kind::InvalidProof => Self::InvalidProof,
            Kind::InvalidRequest => Self::InvalidRequest,
            Kind::InvalidToken => Self::InvalidToken,
            Kind::OtherScheme => Self::OtherScheme,
        })
    }

    /// Whether a newer token may help: whether [`of`](Self::of) gives [`InvalidToken`](Self::InvalidToken). A program that asks
    /// nothing else gets less code by it.
    ///
    /// ```
    /// use proofkey_core::Refusal;
    ///
    /// assert!(Refusal::is_stale(401, [r#"Bearer error="invalid_token""#]));
    /// assert!(!Refusal::is_stale(403, [r#"Bearer error="insufficient_scope""#]));
    /// ```
    pub fn is_stale(status: u16, fields: impl IntoIterator<Item = &'a str>) -> bool {
        Heard::of(fields).kind(status) == Some(Kind::InvalidToken)
    }
}

/// The challenges of a response that a refusal can be read from.
#[derive(Default)]
struct Heard<'a> {
    bearer: Option<Challenge<'a>>,
    proof: Option<Challenge<'a>>,
    has_others: bool,
}

/// A [`Refusal`] without its parameters.
#[derive(PartialEq, Eq)]
enum Kind {
    Forbidden,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidProof,
    InvalidRequest,
    InvalidToken,
    OtherScheme,
}

impl<'a> Heard<'a> {
    fn of(fields: impl IntoIterator<Item = &'a str>) -> Self {
        let mut heard = Self::default();
        for field in fields {
            for challenge in challenges(field) {
                match challenge.is_bearer() {
                    true => heard.bearer = heard.bearer.or(Some(challenge)),
                    false if challenge.is_proof() => heard.proof = heard.proof.or(Some(challenge)),
                    false => heard.has_others = true,
                }
            }
        }
        heard
    }

    /// The challenge that counts: rather the one that says why.
    fn ours(&self) -> Option<Challenge<'a>> {
        let says = |challenge: &Challenge<'a>| challenge.param("error").is_some();
        self.bearer.filter(says).or_else(|| self.proof.filter(says)).or(self.bearer).or(self.proof)
    }

    #[inline(never)]
    fn kind(&self, status: u16) -> Option<Kind> {
        let ours = self.ours();
        let error = ours.and_then(|challenge| challenge.param("error")).filter(|_| matches!(status, 400..=499));
        let is = |name: &str| error.is_some_and(|error| error == *name);
        Some(match status {
            _ if is("insufficient_scope") => Kind::InsufficientScope,
            _ if is("insufficient_user_authentication") => Kind::InsufficientAuthentication,
            _ if is("invalid_token") => Kind::InvalidToken,
            _ if is("invalid_request") => Kind::InvalidRequest,
            _ if is("invalid_dpop_proof") || is("use_dpop_nonce") => Kind::InvalidProof,
            401 if self.has_others && ours.is_none() => Kind::OtherScheme,
            401 => Kind::InvalidToken,
            403 => Kind::Forbidden,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::{format, string::String, string::ToString};

    #[test]
    fn an_access_token_is_written_as_a_bearer_header() {
        let authorization = AccessToken::new("mF_9.B5f-4.1JqM").map(AccessToken::authorization);
        let mut written = String::new();
        assert!(authorization.is_ok_and(|value| value.write(&mut written).is_ok() && value.len() == written.len()));
        assert_eq!(written, "Bearer mF_9.B5f-4.1JqM");
        for bad in ["", "a b", "a\r\nX: y", "a\t", "é", "a\u{7f}"] {
            assert!(AccessToken::new(bad).is_err(), "{bad:?}");
        }
        assert!(AccessToken::new("!*$~+/=.,:|\"").is_ok());
        let bound = AccessToken::new("AT").map(|token| token.bound().authorization());
        let mut written = String::new();
        assert!(bound.is_ok_and(|value| value.write(&mut written).is_ok() && value.len() == written.len()));
        assert_eq!(written, "DPoP AT");
    }

    #[test]
    fn an_access_token_and_its_header_are_not_printed() {
        let token = AccessToken::new("CANARY");
        assert!(!format!("{token:?} {:?}", token.map(AccessToken::authorization)).contains("CANARY"));
    }

    #[test]
    fn an_api_says_how_to_sign_in_again() {
        let of = |field: &'static str| match Refusal::of(401, [field]) {
            Some(Refusal::InsufficientAuthentication { acr_values, max_age }) => {
                format!("{:?} {max_age:?}", acr_values.map(|values| values.to_string()))
            }
            other => format!("{other:?}"),
        };
        let step_up = |rest: &str| of(format!("Bearer error=\"insufficient_user_authentication\"{rest}").leak());
        assert_eq!(step_up(""), "None None");
        assert_eq!(step_up(", acr_values=\"a b\""), "Some(\"a b\") None");
        assert_eq!(step_up(", max_age=\"5\""), "None Some(5)");
        assert_eq!(step_up(", Max_Age=0, acr_values=x"), "Some(\"x\") Some(0)");
        assert_eq!(step_up(", max_age=\"\\7\""), "None Some(7)");
        assert_eq!(step_up(", max_age=99999999999"), format!("None Some({})", u32::MAX));
        for bad in ["-1", "+1", "1.5", "", "x", " 5"] {
            assert_eq!(step_up(&format!(", max_age=\"{bad}\"")), "None None", "{bad}");
        }
        for twice in ["max_age", "acr_values"] {
            assert_eq!(step_up(&format!(", {twice}=1, {twice}=1")), "Some(InvalidToken)", "{twice}");
        }
        let shown = Refusal::of(401, ["Bearer error=insufficient_user_authentication, acr_values=\"a\tb\", max_age=5"]);
        assert_eq!(
            shown.map(|refusal| refusal.to_string()).as_deref(),
            Some("the API wants the user to sign in again, at most 5 s ago, in one of these ways: a?b")
        );
    }

    #[test]
    fn refusals_of_an_api_are_told_apart() {
        let of = |status, field: &'static str| {
            let refusal = Refusal::of(status, [field]);
            let is_stale = matches!(refusal, Some(Refusal::InvalidToken));
            assert_eq!(Refusal::is_stale(status, [field]), is_stale, "{status} {field}");
            match refusal {
                Some(Refusal::InsufficientScope { scope }) => {
                    format!("scope {}", scope.map_or(String::new(), |s| s.to_string()))
                }
                other => format!("{other:?}"),
            }
        };
        assert_eq!(of(401, r#"Bearer realm="x", error="invalid_token""#), "Some(InvalidToken)");
        assert_eq!(of(401, r#"Bearer realm="x""#), "Some(InvalidToken)");
        assert_eq!(of(401, ""), "Some(InvalidToken)");
        assert_eq!(of(401, "Basic realm=x"), "Some(OtherScheme)");
        assert_eq!(of(401, "Basic realm=x, DPoP"), "Some(InvalidToken)");
        assert_eq!(of(401, "Basic realm=\""), "Some(InvalidToken)");
        assert_eq!(of(403, r#"bearer error=insufficient_scope, scope="a b""#), "scope a b");
        assert_eq!(of(403, r#"Basic x, Bearer ERROR="insufficient_scope""#), "scope ");
        assert_eq!(of(401, r#"Bearer error="insufficient_scope", scope="a""#), "scope a");
        assert_eq!(of(403, r#"Bearer error="invalid_token""#), "Some(InvalidToken)");
        assert_eq!(of(403, r#"Bearer error="server_error""#), "Some(Forbidden)");
        assert_eq!(of(403, ""), "Some(Forbidden)");
        assert_eq!(of(403, r#"Basic error="insufficient_scope""#), "Some(Forbidden)");
        assert_eq!(of(403, r#"Bearer error="insufficient_scope", error="invalid_token""#), "Some(Forbidden)");
        assert_eq!(of(400, r#"Bearer error="invalid_request""#), "Some(InvalidRequest)");
        assert_eq!(of(401, r#"DPoP algs="ES256", error="invalid_token""#), "Some(InvalidToken)");
        assert_eq!(of(401, r#"Bearer, DPoP error="use_dpop_nonce""#), "Some(InvalidProof)");
        assert_eq!(of(401, r#"DPoP algs="ES256", Bearer error="invalid_token""#), "Some(InvalidToken)");
        assert_eq!(of(400, r#"dpop error="invalid_dpop_proof""#), "Some(InvalidProof)");
        assert_eq!(of(403, r#"DPoP error="insufficient_scope", scope="a b""#), "scope a b");
        assert_eq!(of(401, r#"DPoP error="use_dpop_nonce", Bearer error="invalid_token""#), "Some(InvalidToken)");
        assert_eq!(of(404, ""), "None");
        assert_eq!(of(200, r#"Bearer error="invalid_token""#), "None");
    }
}

//! The userinfo endpoint (OpenID Connect Core 1.0 section 5.3): [`UserInfoRequest`].

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{Advice, ConfigError, Excerpt, IdTokenError, ResponseError, UriFault};
use crate::flow::{Flow, Step};
use crate::message::{AccessToken, Request, Response, Url, refusal};
use crate::oidc::{Claims, FURTHER, all_names, further};
use core::fmt;

impl<'a> Client<'a> {
    /// Asks the server for more about a user who signed in. `sub` is that of the ID token ([`Claims::sub`]).
    ///
    /// The access token must be one for the server itself. One that was asked for with `resource` (RFC 8707) is for that API alone:
    /// never send it here.
    ///
    /// ```
    /// use proofkey_core::{AccessToken, Client, Endpoint, Response, Server};
    ///
    /// let server = Server::new("https://as.example/authorize", "https://as.example/token")
    ///     .with(Endpoint::UserInfo, "https://as.example/userinfo");
    /// let client = Client::new("my-app", "http://127.0.0.1/callback", server)?;
    /// let request = client.userinfo(AccessToken::new("AT1")?, "248289761001")?;
    /// assert_eq!(request.request().url().to_string(), "https://as.example/userinfo");
    ///
    /// let mut body = *br#"{"sub":"248289761001","name":"Alice","phone_number":"+1 555 0100"}"#;
    /// let (claims, [phone]) = request.read_with(Response::new(200, &mut body), &["phone_number"])?;
    /// assert_eq!((claims.name(), phone), (Some("Alice"), Some("+1 555 0100")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Endpoint`] if the server has no userinfo endpoint that is known.
    pub fn userinfo(self, access_token: AccessToken<'a>, sub: &'a str) -> Result<UserInfoRequest<'a>, ConfigError> {
        let endpoint = self.server().endpoint(Endpoint::UserInfo);
        let endpoint = endpoint.ok_or(ConfigError::Endpoint(Endpoint::UserInfo, UriFault::Absent))?;
        Ok(UserInfoRequest { endpoint, access_token, sub })
    }
}

/// A request for the claims of a user (OpenID Connect Core 1.0 section 5.3.1).
#[derive(Clone, Copy)]
pub struct UserInfoRequest<'a> {
    endpoint: &'a str,
    access_token: AccessToken<'a>,
    sub: &'a str,
}

impl<'a> UserInfoRequest<'a> {
    /// The request to send.
    #[must_use]
    pub const fn request(&self) -> Request<'a> {
        Request::get(Url([self.endpoint, "", ""])).with_authorization(self.access_token.authorization())
    }

    /// Reads the answer (section 5.3.2), whose `sub` must be the user's.
    ///
    /// # Errors
    /// [`UserInfoError`].
    pub fn read(self, response: Response<'_>) -> Result<Claims<'_>, UserInfoError> {
        self.read_with(response, &[]).map(|(claims, [])| claims)
    }

    /// [`read`](Self::read), with further claims by their names, 16 at most, as
    /// [`IdToken::check_with`](crate::IdToken::check_with) has them.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with<'b, const N: usize>(
        self,
        response: Response<'b>,
        names: &[&str; N],
    ) -> Result<(Claims<'b>, [Option<&'b str>; N]), UserInfoError> {
        const { assert!(N <= FURTHER, "16 further claims at most") }
        match response.status {
            200 if response.is_signed() => return Err(UserInfoError::Signed),
            200 => {}
            status @ (401 | 403) => return Err(UserInfoError::Refused(status)),
            _ => return Err(UserInfoError::Response(refusal(response))),
        }
        let (values, whole) = response.members(&all_names(names));
        whole.map_err(|fault| UserInfoError::Response(fault.into()))?;
        let claims = Claims::of(&values).map_err(|error| match error {
            IdTokenError::Missing(name) => UserInfoError::Response(ResponseError::Missing(name)),
            _ => UserInfoError::Response(ResponseError::Malformed("sub")),
        })?;
        if claims.sub() != self.sub {
            return Err(UserInfoError::Subject { expected: self.sub.into(), found: claims.sub().into() });
        }
        Ok((claims, further(&values, names)))
    }
}

impl Flow for UserInfoRequest<'_> {
    fn step(&mut self, _now: u64) -> Step<'_> {
        Step::Send(self.request())
    }
}

impl fmt::Debug for UserInfoRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserInfoRequest").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// An answer of the userinfo endpoint that cannot be used. Returned by [`UserInfoRequest::read`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserInfoError {
    /// Nobody knows who signed in, since the login had no ID token. Nothing was sent.
    NoUser,
    /// The access token is for another resource (RFC 8707), so it is not sent to the server.
    OtherResource,
    /// The server does not take the access token: it has expired (401), or lacks the scope `openid` (403).
    Refused(u16),
    /// The server refused for another reason, or its answer cannot be read.
    Response(ResponseError),
    /// The answer is signed or encrypted (`application/jwt`), which was not asked for.
    Signed,
    /// The answer is about another user, so nothing of it may be used (section 5.3.2).
    Subject {
        /// The user who signed in.
        expected: Excerpt,
        /// The user of the answer.
        found: Excerpt,
    },
}

impl UserInfoError {
    /// What to do now.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self {
            Self::Refused(401) | Self::Subject { .. } => Advice::Reauthorize,
            Self::NoUser | Self::OtherResource | Self::Refused(_) | Self::Signed => Advice::Fix,
            Self::Response(error) => error.advice(),
        }
    }
}

impl fmt::Display for UserInfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUser => f.write_str("who signed in is not known; ask for the scope `openid` when signing in"),
            Self::OtherResource => f.write_str("the access token is for another resource than the userinfo endpoint"),
            Self::Refused(401) => f.write_str("the userinfo endpoint does not take the access token"),
            Self::Refused(status) => {
                write!(f, "the userinfo endpoint refused ({status}); ask for the scope `openid` when signing in")
            }
            Self::Response(error) => error.fmt(f),
            Self::Signed => f.write_str(
                "the userinfo endpoint answered with a signed token, which cannot be read; \
                 register the client without `userinfo_signed_response_alg`",
            ),
            Self::Subject { expected, found } => {
                write!(f, "the userinfo is about another user: expected `sub` {expected}, got {found}")
            }
        }
    }
}

impl core::error::Error for UserInfoError {}

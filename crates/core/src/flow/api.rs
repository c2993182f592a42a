//! Calling an API with an access token (RFC 6750): [`ApiRequest`].

use crate::check::check_secure;
use crate::error::{ConfigError, ResponseError};
use crate::flow::{Flow, Step};
use crate::message::{AccessToken, Refusal, Request, Response, Url, refusal};
use core::fmt;

impl<'a> AccessToken<'a> {
    /// Asks an API for what is at `url`.
    ///
    /// ```
    /// use proofkey_core::{AccessToken, ApiError, Refusal, Response};
    ///
    /// let request = AccessToken::new("mF_9.B5f-4.1JqM")?.get("https://api.bentley.com/itwins/")?;
    /// let mut head = String::new();
    /// request.request().write_head(&mut head).expect("a String takes all");
    /// assert!(head.contains("\r\nauthorization: Bearer mF_9.B5f-4.1JqM\r\n"));
    ///
    /// let response = Response::new(401, &mut []).with_header("WWW-Authenticate", r#"Bearer error="invalid_token""#);
    /// assert!(matches!(request.read(response), Err(ApiError::Refused(Refusal::InvalidToken))));
    /// # Ok::<(), proofkey_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Api`] if it is not an https URL without a fragment (http: loopback only).
    pub fn get(self, url: &'a str) -> Result<ApiRequest<'a>, ConfigError> {
        check_secure(url).map_err(ConfigError::Api)?;
        Ok(ApiRequest { url, token: self })
    }
}

/// A `GET` of an API with an access token (RFC 6750 section 2.1). For other calls take [`AccessToken::authorization`] as the
/// header of any HTTP library.
#[derive(Clone, Copy, Debug)]
pub struct ApiRequest<'a> {
    url: &'a str,
    token: AccessToken<'a>,
}

impl<'a> ApiRequest<'a> {
    /// The request to send.
    #[must_use]
    pub const fn request(&self) -> Request<'a> {
        Request::get(Url([self.url, "", ""])).with_authorization(self.token.authorization())
    }

    /// Reads the answer: the body of a 2xx.
    ///
    /// # Errors
    /// [`ApiError::Refused`] says what the API has against the token (RFC 6750 section 3.1).
    pub fn read<'b>(self, response: Response<'b>) -> Result<&'b [u8], ApiError<'b>> {
        match (response.status(), response.refusal()) {
            (200..=299, _) => Ok(response.into_body()),
            (_, Some(refused)) => Err(ApiError::Refused(refused)),
            (_, None) => Err(ApiError::Response(refusal(response))),
        }
    }
}

impl Flow for ApiRequest<'_> {
    fn step(&mut self, _now: u64) -> Step<'_> {
        Step::Send(self.request())
    }
}

/// An API call that was answered with something else than success.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ApiError<'b> {
    /// The API refused the token or the call.
    Refused(Refusal<'b>),
    /// Anything else.
    Response(ResponseError),
}

impl fmt::Display for ApiError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Response(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ApiError<'_> {}

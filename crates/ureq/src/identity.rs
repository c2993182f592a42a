//! Who signed in: an exchange that tells, and the userinfo endpoint.

use crate::adapter::Http;
use proofkey_core::{AccessToken, ClaimsBuf, Client, TokenRequest};
use proofkey_http::{ExchangeError, SignedIn, read_signed_in, read_userinfo};
use std::time::SystemTime;

impl Http {
    /// [`exchange`](Self::exchange), with who signed in, by an ID token that was checked.
    ///
    /// # Errors
    /// [`ExchangeError`]; [`ExchangeError::IdToken`] if the ID token is not of this login.
    pub fn sign_in(&self, mut request: TokenRequest<'_>) -> Result<SignedIn, ExchangeError> {
        let requested_at = SystemTime::now();
        let driven = self.drive(&mut request);
        read_signed_in(request, driven, requested_at).1
    }

    /// Asks the server for more about a user who signed in. `sub` is that of the ID token
    /// ([`SignedIn::user`]), and the answer must be about the same user. The access token must be one for the server itself, not for
    /// an API alone (`resource`, RFC 8707).
    ///
    /// # Errors
    /// [`ExchangeError`].
    ///
    /// # Example
    /// ```no_run
    /// # fn example(http: proofkey_ureq::Http, client: proofkey_core::Client<'_>, signed_in: proofkey_ureq::SignedIn) -> Result<(), Box<dyn std::error::Error>> {
    /// let user = signed_in.user.ok_or("this server does not say who signed in")?;
    /// let more = http.userinfo(client, signed_in.tokens.access_token(), user.sub())?;
    /// println!("{:?}", more.get("picture"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn userinfo(&self, client: Client<'_>, token: AccessToken<'_>, sub: &str) -> Result<ClaimsBuf, ExchangeError> {
        let mut request = client.userinfo(token, sub).map_err(ExchangeError::Config)?;
        let driven = self.drive(&mut request);
        read_userinfo(request, driven)
    }
}

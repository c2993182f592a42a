//! Signing out at the server, in the browser (OpenID Connect RP-Initiated Logout 1.0): [`EndSessionUrl`].

use crate::check::check_redirect_uri;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{AuthorizeError, CallbackError, ConfigError, UriFault};
use crate::flow::Redirect;
use crate::flow::authorize::behind;
use crate::flow::callback::returned;
use crate::oidc::IdToken;
use crate::proof::{Nonce, State, pkce};
use crate::wire::form::Value;
use core::fmt;
use rand_core::TryCryptoRng;

impl<'a> Client<'a> {
    /// Ends the user's session at the server itself, so that the next login asks them again. Send their browser to the URL. The
    /// tokens are another matter: [`revoke`](Client::revoke) them first.
    ///
    /// The server knows by the ID token whom to sign out; one that has expired will do (section 2). Without it most servers ask the
    /// user, and do not come back.
    ///
    /// ```
    /// use proofkey_core::{Client, Endpoint, IdToken, Server};
    ///
    /// let server = Server::new("https://as.example/authorize", "https://as.example/token")
    ///     .with(Endpoint::EndSession, "https://as.example/logout");
    /// let client = Client::new("my-app", "http://127.0.0.1/callback", server)?;
    /// let url = client.end_session(IdToken::new("e30.e30.c2ln")?)?.with_ui_locales(&["de", "en"]);
    /// assert_eq!(url.to_string(), "https://as.example/logout?id_token_hint=e30.e30.c2ln&client_id=my-app&ui_locales=de+en");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Endpoint`] if the server has no end session endpoint that is known.
    pub fn end_session(self, id_token: IdToken<'a>) -> Result<EndSessionUrl<'a>, ConfigError> {
        let endpoint = self.server().endpoint(Endpoint::EndSession);
        let endpoint = endpoint.ok_or(ConfigError::Endpoint(Endpoint::EndSession, UriFault::Absent))?;
        Ok(EndSessionUrl { endpoint, client_id: self.id, id_token, back: None, ui_locales: &[] })
    }
}

/// Where to send the browser to sign the user out. It is `Display`; it holds the ID token, which says who the user is, so it does
/// not belong in logs.
#[derive(Clone, Copy)]
pub struct EndSessionUrl<'a> {
    endpoint: &'a str,
    client_id: &'a str,
    id_token: IdToken<'a>,
    /// Where the browser comes back to, and with which state.
    back: Option<(&'a str, Nonce)>,
    ui_locales: &'a [&'a str],
}

impl<'a> EndSessionUrl<'a> {
    /// Has the browser come back to this URI, which must be registered as a `post_logout_redirect_uri`. It has the form of a redirect
    /// URI ([`Client::new`]).
    ///
    /// # Errors
    /// If the URI cannot be used, or the random generator fails.
    ///
    /// ```
    /// # use proofkey_core::{Client, Endpoint, IdToken, Redirect, Server};
    /// # use getrandom::SysRng;
    /// # let server = Server::new("https://as.example/authorize", "https://as.example/token")
    /// #     .with(Endpoint::EndSession, "https://as.example/logout");
    /// # let client = Client::new("my-app", "http://127.0.0.1/callback", server)?;
    /// # let id_token = IdToken::new("e30.e30.c2ln")?;
    /// let (url, ending) = client.end_session(id_token)?.returning_to("https://app.example/bye", &mut SysRng)?;
    /// // The browser is sent to `url`, and comes back:
    /// let target = format!("/bye?state={}", ending.state().expose());
    /// ending.accept("https://app.example/bye", Redirect::Target(&target))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn returning_to<R: TryCryptoRng + ?Sized>(
        self,
        post_logout_redirect_uri: &'a str,
        rng: &mut R,
    ) -> Result<(Self, Ending), AuthorizeError<R::Error>> {
        check_redirect_uri(post_logout_redirect_uri).map_err(ConfigError::RedirectUri)?;
        let state = State::draw(rng).map_err(AuthorizeError::Random)?;
        Ok((Self { back: Some((post_logout_redirect_uri, state.characters())), ..self }, Ending { state }))
    }

    /// The languages that the user reads, the preferred one first, as BCP 47 names them: `de-CH`.
    #[must_use]
    pub const fn with_ui_locales(self, ui_locales: &'a [&'a str]) -> Self {
        Self { ui_locales, ..self }
    }
}

impl fmt::Display for EndSessionUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = behind(self.endpoint, f)?;
        fields.field("&id_token_hint=", Value::Plain(self.id_token.expose()))?;
        fields.field("&client_id=", Value::Plain(self.client_id))?;
        if let Some((uri, state)) = &self.back {
            fields.field("&post_logout_redirect_uri=", Value::Plain(uri))?;
            fields.field("&state=", Value::Literal(pkce::text(state)))?;
        }
        if !self.ui_locales.is_empty() {
            fields.list("&ui_locales=", self.ui_locales)?;
        }
        Ok(())
    }
}

impl fmt::Debug for EndSessionUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndSessionUrl").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A sign-out that waits for the browser to come back.
#[derive(Debug)]
pub struct Ending {
    state: State,
}

impl Ending {
    /// The state that was sent.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Checks that the browser came back to `post_logout_redirect_uri` from this sign-out, and not from somewhere else.
    ///
    /// # Errors
    /// [`CallbackError::Target`], [`CallbackError::State`]. The user may be signed out all the same.
    pub fn accept(self, post_logout_redirect_uri: &str, redirect: Redirect<'_>) -> Result<(), CallbackError> {
        returned(&self.state, post_logout_redirect_uri, redirect)
    }
}

//! A whole native login, from the browser to the tokens.

use crate::adapter::Http;
use crate::listener::Listener;
use proofkey_http::{Login, LoginError, SignedIn, Start};
use std::io;
use std::time::SystemTime;

impl Http {
    /// Logs a user in: listens on loopback, has `open` send the browser to the authorization URL, waits for the redirect,
    /// and exchanges the code. The port is closed when the future ends or is dropped. `open` must not wait for the user.
    ///
    /// If the future is dropped after the redirect has come, the code is spent and its tokens may be lost: the user has to sign
    /// in again. [`Login::with_cancel`] gives up only as long as the redirect has not come.
    ///
    /// # Errors
    /// [`LoginError`]. An error of `open` ends the login; return `Ok` if the user can open the URL themselves.
    pub async fn login(
        &self,
        login: Login<'_>,
        open: impl FnOnce(&str) -> io::Result<()>,
    ) -> Result<SignedIn, LoginError> {
        let began = SystemTime::now();
        let (listener, redirect_uri) = Listener::new(login.bind()?)?;
        let (client, start, pending) = login.begin(&redirect_uri)?;
        let url = match start {
            Start::Open(url) => url,
            Start::Push(mut push) => {
                let driven = self.drive(push.flow()).await;
                push.read(driven)?
            }
        };
        open(&url).map_err(LoginError::Open)?;
        listener.receive(self, client, pending, (&login, began)).await
    }
}
